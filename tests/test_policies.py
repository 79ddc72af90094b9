"""Each shipped policy does what it says: its series on the right recipients, munitions and days, and what follows in the run."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import stockpile as sp

Array = NDArray[np.float64]
SERIES = ("cut", "set_aside", "hold_new", "divert_new")
MUNITIONS = ("pac3", "shell_155mm", "aim120", "aim9x")
JULY, NINTH, NEW_YEAR, END = dt.date(2025, 7, 1), dt.date(2025, 7, 9), dt.date(2026, 1, 1), dt.date(2033, 1, 1)
DATED: dict[str, tuple[tuple[str, ...], tuple[str, ...], dt.date]] = {
    "none": ((), (), END),
    "suspension_2025_07": (("set_aside", "hold_new"), ("ukraine",), NINTH),
    "suspension_6_months": (("set_aside", "hold_new"), ("ukraine",), NEW_YEAR),
    "suspension_indefinite": (("cut", "hold_new"), ("ukraine",), END),
    "suspension_including_israel": (("set_aside", "hold_new"), ("ukraine", "israel"), NEW_YEAR),
    "suspension_new_production_diverted": (("divert_new",), ("ukraine",), END),
    "suspension_with_review": (("set_aside", "hold_new"), ("ukraine",), NINTH),
    "ukraine_first": ((), (), END),
    "israel_first": ((), (), END),
    "us_first": ((), (), END),
}
"""By policy: which dated series are 1, for whom, from 1 July 2025 until when."""


@pytest.fixture(scope="module")
def scenario() -> sp.Scenario:
    return sp.load("july_2025")


@pytest.fixture(scope="module")
def result(scenario: sp.Scenario) -> sp.Result:
    return sp.run(scenario)


def read(result: sp.Result, policy: str, munition: str, quantity: str, row: str = "us") -> Array:
    return result.array(quantity, row, policy=policy, munition=munition)[0]


def days(result: sp.Result, start: dt.date, end: dt.date) -> Array:
    """Return the share of each month's days that lie in [start, end), counted day by day."""
    firsts = [date.astype(object).date() for date in result.dates]
    shares = []
    for first, following in itertools.pairwise(firsts):
        length = (following - first).days
        shares.append(sum(start <= first + dt.timedelta(days=d) < end for d in range(length)) / length)
    return np.array(shares)


# ---------------------------------------------------------------- what each policy is


def test_every_shipped_policy_is_looked_at(scenario: sp.Scenario) -> None:
    assert set(DATED) == set(scenario.policies) == set(scenario.settings.policies or ())


@pytest.mark.parametrize("policy", DATED)
def test_dated_series_stand_on_the_right_recipients_and_days(result: sp.Result, policy: str) -> None:
    names, recipients, end = DATED[policy]
    window = days(result, JULY, end)
    for munition in MUNITIONS:
        for name in SERIES:
            for r in result.recipients:
                expected = window if name in names and r in recipients else 0.0 * window
                assert read(result, policy, munition, name, r) == pytest.approx(expected, abs=1e-12), (munition, name, r)


@pytest.mark.parametrize("policy", DATED)
def test_review_levels_stand_where_a_policy_has_a_review(result: sp.Result, policy: str) -> None:
    levels = {"suspension_with_review": ("review_level", 0.75, 0.90), "us_first": ("requirement", 1.0, 1.0)}
    since = days(result, JULY, END)
    for munition in MUNITIONS:
        level, on, off = levels.get(policy, ("review_level", 0.0, 0.0))
        height = float(result.levels[munition][level][0])
        assert read(result, policy, munition, "review_on") == pytest.approx(on * height * since)
        assert read(result, policy, munition, "review_off") == pytest.approx(off * height * since)


def test_default_levels_are_shares_of_the_stock_at_the_start(result: sp.Result) -> None:
    for munition in MUNITIONS:
        start = read(result, "none", munition, "us_on_hand")[0]
        assert result.levels[munition]["transfer_floor"] == pytest.approx(0.5 * start)
        assert result.levels[munition]["review_level"] == pytest.approx(start)
        floor = read(result, "none", munition, "floor")
        assert (floor[: result.index("2025-07-01")] == 0.0).all()
        assert floor[result.index("2025-08-01") :] == pytest.approx(0.5 * start)


def test_policies_do_not_touch_history(result: sp.Result) -> None:
    """Up to 1 July 2025 all policies give the same."""
    until = result.index("2025-07-01")
    for (quantity, row), array in result.arrays.items():
        if quantity != "unpromised":
            flat = array[..., :until]
            assert (flat == flat[:1]).all(), (quantity, row)


# ---------------------------------------------------------------- deferred, held, cancelled, diverted


@pytest.mark.parametrize("munition", MUNITIONS)
def test_deferred_is_put_off_then_paid_and_held_is_released(result: sp.Result, munition: str) -> None:
    policy, first, last = "suspension_6_months", result.index("2025-07-01"), result.index("2026-01-01")

    def of(quantity: str) -> Array:
        return read(result, policy, munition, quantity, "ukraine")

    assert (of("put_off")[first] > 0.0) == (of("granted")[first] > 0.0)
    assert of("put_off")[first:last] == pytest.approx(of("granted")[first:last])
    assert (of("sent")[first:last] == 0.0).all()
    assert (of("paid")[: last] == 0.0).all()
    assert of("put_off")[last:].sum() == 0.0
    assert of("deferred")[last] > 0.0
    assert of("kept_back")[first:last] == pytest.approx(of("made_for")[first:last])
    assert of("kept_back")[last:].sum() == 0.0
    assert (of("released")[:last] == 0.0).all()
    assert of("withheld")[last] == pytest.approx(of("kept_back").sum() - of("expired_withheld")[:last].sum())
    assert of("released")[last:].sum() + of("expired_withheld").sum() == pytest.approx(of("kept_back").sum())
    assert of("withheld")[-1] == pytest.approx(0.0, abs=1e-6 * of("withheld")[last])


def test_deferred_is_paid_whole_but_for_what_lapses(scenario: sp.Scenario) -> None:
    """With stock above the floor everything owed is sent, and nothing is owed in the end."""
    result = sp.run(scenario.override({"munitions.*.floors.transfer_floor": 0.1}), ["suspension_6_months"])
    last = result.index("2026-01-01")
    for munition in MUNITIONS:

        def of(quantity: str, munition: str = munition) -> Array:
            return read(result, "suspension_6_months", munition, quantity, "ukraine")

        assert of("paid")[last] > 0.0
        assert of("paid").sum() + of("expired_deferred").sum() == pytest.approx(of("put_off").sum(), rel=1e-6)
        assert of("deferred")[-1] == pytest.approx(0.0, abs=1e-6 * of("deferred").max())


@pytest.mark.parametrize("munition", MUNITIONS)
def test_cancelled_is_dropped_and_never_owed(result: sp.Result, munition: str) -> None:
    policy, after = "suspension_indefinite", result.index("2025-07-01")

    def of(quantity: str) -> Array:
        return read(result, policy, munition, quantity, "ukraine")

    assert of("dropped")[after:] == pytest.approx(of("request")[after:])
    assert of("dropped").sum() > 0.0
    for quantity in ("granted", "put_off", "paid", "sent", "released"):
        assert (of(quantity)[after:] == 0.0).all(), quantity
    assert (of("deferred") == 0.0).all()
    assert of("kept_back")[after:] == pytest.approx(of("made_for")[after:])


@pytest.mark.parametrize("munition", MUNITIONS)
def test_diverted_goes_into_us_stock_and_transfers_go_on(result: sp.Result, munition: str) -> None:
    policy, after = "suspension_new_production_diverted", result.index("2025-07-01")

    def of(quantity: str, row: str = "ukraine") -> Array:
        return read(result, policy, munition, quantity, row)

    assert of("diverted")[after:] == pytest.approx(of("made_for")[after:])
    assert of("diverted").sum() > 0.0
    for quantity in ("kept_back", "withheld", "put_off", "dropped"):
        assert (of(quantity) == 0.0).all(), quantity
    stock = of("us_on_hand", "us")
    entered = of("to_us", "us")[after] + of("diverted")[after] + of("us_inflow", "us")[after]
    left = of("own_use", "us")[after] + sum(of("sent", r)[after] for r in result.recipients) + of("expired", "us")[after]
    assert stock[after + 1] - stock[after] == pytest.approx(entered - left, rel=1e-6)


def test_suspension_that_includes_israel_touches_israel_and_not_the_partners(result: sp.Result) -> None:
    first, last = result.index("2025-07-01"), result.index("2026-01-01")
    touched = 0.0
    for munition in MUNITIONS:
        for r, whole in (("ukraine", True), ("israel", True), ("partners", False)):
            made, kept = (read(result, "suspension_including_israel", munition, q, r)[first:last] for q in ("made_for", "kept_back"))
            assert kept == pytest.approx(made if whole else 0.0 * made)
            touched += kept.sum() if r == "israel" else 0.0
            sent = read(result, "suspension_including_israel", munition, "sent", r)[first:last]
            assert not whole or (sent == 0.0).all()
        alone = read(result, "suspension_6_months", munition, "kept_back", "israel")
        assert (alone == 0.0).all()
    assert touched > 0.0


# ---------------------------------------------------------------- done when


CHANGE_ALLOWED = {"pac3": 30.0, "shell_155mm": 8500.0}
"""What the reported tranche can move at most, as it is the authorised flow of those days."""


@pytest.mark.parametrize("munition", CHANGE_ALLOWED)
@pytest.mark.parametrize(("substeps", "method"), [(1, "difference"), (4, "difference"), (31, "difference"), (1, "ode")])
def test_suspension_of_july_2025_moves_no_more_than_its_tranche(scenario: sp.Scenario, munition: str, substeps: int, method: str) -> None:
    run = scenario.override({"scenario.end": dt.date(2025, 10, 1), "scenario.substeps": substeps, "scenario.method": method})
    result = sp.run(run, ["none", "suspension_2025_07", "suspension_indefinite"])
    august = result.index("2025-08-01")
    none, july, indefinite = (read(result, policy, munition, "us_on_hand") for policy in result.policies)
    change = (july - none)[august]
    assert 0.0 < change <= CHANGE_ALLOWED[munition]
    assert (indefinite - none)[august] >= change * (1.0 - 1e-9)


@pytest.mark.parametrize("munition", MUNITIONS)
def test_suspension_without_end_does_visibly_more(result: sp.Result, munition: str) -> None:
    august = result.index("2025-08-01")
    none, july, indefinite = (
        read(result, policy, munition, "us_on_hand") for policy in ("none", "suspension_2025_07", "suspension_indefinite")
    )
    assert (indefinite - none)[august] > 2.0 * (july - none)[august] > 0.0
    assert (indefinite - none)[-1] > 10.0 * abs((july - none)[-1])
    assert (indefinite - none)[-1] > 0.01 * none[-1]


# ---------------------------------------------------------------- review


def reviewed(level_on: Array, level_off: Array, stock: Array) -> Array:
    """Return what the review must be: on below one level, off above the other, else as it was."""
    state, found = 0.0, []
    for on, off, s in zip(level_on, level_off, stock[:-1], strict=True):
        state = 1.0 if s < on else 0.0 if s > off else state
        found.append(state)
    return np.array(found)


@pytest.mark.parametrize("policy", ["suspension_with_review", "us_first"])
def test_review_is_in_force_by_its_levels(result: sp.Result, policy: str) -> None:
    seen = set()
    for munition in MUNITIONS:
        on, off = (read(result, policy, munition, name) for name in ("review_on", "review_off"))
        review = read(result, policy, munition, "review")
        assert (review == reviewed(on, off, read(result, policy, munition, "us_on_hand"))).all(), munition
        assert (review[: result.index("2025-07-01")] == 0.0).all()
        seen |= set(review.tolist())
    assert seen == {0.0, 1.0}


def test_us_first_acts_only_while_the_stock_is_below_the_requirement(result: sp.Result) -> None:
    both = set()
    for munition in MUNITIONS:
        after = result.index("2025-07-01")
        requirement = float(result.levels[munition]["requirement"][0])
        below = read(result, "us_first", munition, "us_on_hand")[after:-1] < requirement
        for r in result.recipients:

            def of(quantity: str, r: str = r, munition: str = munition, after: int = after) -> Array:
                return read(result, "us_first", munition, quantity, r)[after:]

            assert of("put_off") == pytest.approx(np.where(below, of("granted"), 0.0))
            assert of("diverted") == pytest.approx(np.where(below, of("made_for"), 0.0))
            assert (of("paid")[below] == 0.0).all()
            assert (of("kept_back") == 0.0).all()
            assert (of("dropped") == 0.0).all()
        both |= set(below.tolist())
    assert both == {True, False}


def test_review_suspends_only_whom_it_names(result: sp.Result) -> None:
    munition, policy = "shell_155mm", "suspension_with_review"
    on = read(result, policy, munition, "review") == 1.0
    assert on.any()
    kept, made = (read(result, policy, munition, quantity, "ukraine") for quantity in ("kept_back", "made_for"))
    assert kept[on] == pytest.approx(made[on])
    for r in ("israel", "partners"):
        for quantity in ("kept_back", "put_off", "diverted", "dropped"):
            assert (read(result, policy, munition, quantity, r) == 0.0).all()


# ---------------------------------------------------------------- priority


@pytest.mark.parametrize(("policy", "first"), [("ukraine_first", "ukraine"), ("israel_first", "israel")])
def test_priority_serves_one_before_the_others_where_there_is_not_enough(scenario: sp.Scenario, policy: str, first: str) -> None:
    """Requests far above what stands over the floor: the one in the first class takes it all, by request it would share."""
    asking = {f"recipients.*.{m}.{q}": n for m in MUNITIONS for q, n in (("ceiling", 1e6), ("need", 1e6))}
    result = sp.run(scenario.override(asking | {"scenario.end": dt.date(2026, 1, 1)}), ["none", policy])
    after = slice(result.index("2025-07-01"), None)
    shared = 0
    for munition in MUNITIONS:
        available = read(result, policy, munition, "available")[after]
        asked = read(result, policy, munition, "request", first)[after]
        assert read(result, policy, munition, "granted", first)[after] == pytest.approx(np.minimum(asked, available))
        rest = sum(read(result, policy, munition, "granted", r)[after] for r in result.recipients if r != first)
        assert rest == pytest.approx(np.maximum(available - asked, 0.0), abs=1e-9)
        by_request = read(result, "none", munition, "granted", first)[after]
        shared += int((by_request < 0.9 * read(result, "none", munition, "available")[after]).any())
    assert shared > 0


@pytest.mark.parametrize(("use", "weights"), [("weights", {"ukraine": 6.0, "israel": 3.0, "partners": 1.0}), ("pro_rata", {})])
def test_weights_share_out_what_there_is(tmp_path: Path, use: str, weights: dict[str, float]) -> None:
    """All ask for far more than there is in July: by weight 6, 3 and 1 parts of ten, by request a part of what each asks for."""
    lines = "".join(f"{name} = {weight}\n" for name, weight in weights.items())
    text = f'{HEAD}[allocation]\nuse = "{use}"\n[allocation.weights]\n{lines}'
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "own.toml").write_text(text, encoding="utf-8")
    asking = {f"recipients.{r}.pac3.{q}": n for r, n in (("ukraine", 4e6), ("israel", 2e6), ("partners", 2e6)) for q in ("ceiling", "need")}
    result = sp.run(sp.load("july_2025", params=[tmp_path]).override(asking | {"scenario.end": dt.date(2025, 9, 1)}), ["own"])
    july = result.index("2025-07-01")
    available = read(result, "own", "pac3", "available")[july]
    asked = {r: read(result, "own", "pac3", "request", r)[july] for r in result.recipients}
    parts = weights or asked
    assert available > 0.0
    for r in result.recipients:
        assert read(result, "own", "pac3", "granted", r)[july] == pytest.approx(available * parts[r] / sum(parts.values()))


# ---------------------------------------------------------------- policies of one's own: overlaps and channels


HEAD = 'title = "Own"\ndescription = "x"\ntransfer_floor = "transfer_floor"\nreview_level = "review_level"\n'


def suspension(**keys: Any) -> str:
    """Return the lines of a suspension of PAC-3 deliveries to Ukraine in the second half of 2025, with `keys` changed."""
    given = {
        "start": "2025-07-01", "end": "2026-01-01", "recipients": '["ukraine"]', "munitions": '["pac3"]',
        "channels": '["transfers", "new_production"]', **keys,
    }
    return "[[suspensions]]\n" + "".join(f"{key} = {value}\n" for key, value in given.items())


@pytest.fixture
def own(tmp_path: Path) -> Callable[..., sp.Result]:
    """Return a function that runs july_2025 under a policy made of the given pieces."""

    def run(*pieces: str, **changes: Any) -> sp.Result:
        (tmp_path / "policies").mkdir(exist_ok=True)
        (tmp_path / "policies" / "own.toml").write_text(HEAD + "".join(pieces), encoding="utf-8")
        loaded = sp.load("july_2025", params=[tmp_path])
        return sp.run(loaded.override({"scenario.end": dt.date(2026, 7, 1), **changes}), ["none", "own"])

    return run


def test_overlapping_suspensions_combine_by_the_larger_share(own: Callable[..., sp.Result]) -> None:
    half = suspension(let_through=0.5)
    more = suspension(start="2025-09-01", end="2025-11-01", let_through=0.2)
    less = suspension(start="2025-10-01", end="2026-03-01", let_through=0.9)
    result = own(half, more, less)
    expected = np.zeros(len(result.dates) - 1)
    expected[result.index("2025-07-01") : result.index("2026-01-01")] = 0.5
    expected[result.index("2025-09-01") : result.index("2025-11-01")] = 0.8
    expected[result.index("2026-01-01") : result.index("2026-03-01")] = 0.1
    for name in ("set_aside", "hold_new"):
        assert read(result, "own", "pac3", name, "ukraine") == pytest.approx(expected)
        assert (read(result, "own", "aim120", name, "ukraine") == 0.0).all()
        assert (read(result, "own", "pac3", name, "israel") == 0.0).all()


def test_overlap_inside_a_month_takes_the_larger_share_of_each_day(own: Callable[..., sp.Result]) -> None:
    """1 to 20 August half, 11 to 31 August whole: ten days of a half and twenty of the whole, of 31."""
    result = own(
        suspension(start="2025-08-01", end="2025-08-21", let_through=0.5), suspension(start="2025-08-11", end="2025-08-31", let_through=0.0)
    )
    assert read(result, "own", "pac3", "set_aside", "ukraine")[result.index("2025-08-01")] == pytest.approx((10 * 0.5 + 20) / 31)


def test_channels_are_suspended_apart(own: Callable[..., sp.Result]) -> None:
    result = own(suspension(channels='["transfers"]', transfers='"cancelled"'))
    inside = slice(result.index("2025-07-01"), result.index("2026-01-01"))
    assert (read(result, "own", "pac3", "cut", "ukraine")[inside] == 1.0).all()
    assert all((read(result, "own", "pac3", name, "ukraine") == 0.0).all() for name in ("set_aside", "hold_new", "divert_new"))
    result = own(suspension(channels='["new_production"]', new_production='"diverted"', let_through=0.25))
    assert (read(result, "own", "pac3", "divert_new", "ukraine")[inside] == 0.75).all()
    assert all((read(result, "own", "pac3", name, "ukraine") == 0.0).all() for name in ("cut", "set_aside", "hold_new"))


def test_cancelled_comes_off_the_request_and_deferred_off_the_grant(own: Callable[..., sp.Result]) -> None:
    """Half cancelled and half deferred: half of what is asked is dropped, half of what is granted put off."""
    result = own(suspension(let_through=0.5, transfers='"cancelled"'), suspension(let_through=0.5))
    inside = slice(result.index("2025-07-01"), result.index("2026-01-01"))

    def of(quantity: str) -> Array:
        return read(result, "own", "pac3", quantity, "ukraine")[inside]

    assert of("dropped") == pytest.approx(0.5 * of("request"))
    assert of("put_off") == pytest.approx(0.5 * of("granted"))
    assert of("put_off").sum() > 0.0
    assert of("sent") == pytest.approx(of("granted") - of("put_off") + of("paid"))


def test_what_is_owed_is_not_paid_while_requests_are_cancelled(own: Callable[..., sp.Result]) -> None:
    """Deferred until October, half cancelled until January: what is owed goes out at half the pace, then at the whole."""
    changes = {"munitions.pac3.floors.transfer_floor": 0.1, "munitions.pac3.loss_rate": 0.0}
    later = {"start": "2025-10-01", "end": "2026-01-01", "transfers": '"cancelled"'}

    def paid(let_through: float) -> Array:
        result = own(suspension(end="2025-10-01"), suspension(**later, let_through=let_through), **changes)
        owed, out = (read(result, "own", "pac3", quantity, "ukraine") for quantity in ("deferred", "paid"))
        october = result.index("2025-10-01")
        assert owed[october] > 0.0
        assert (out[:october] == 0.0).all()
        return out[october:] / owed[october:-1]

    assert paid(0.0) == pytest.approx([0.0] * 3 + [0.5] * 6)
    assert paid(0.5) == pytest.approx([0.25] * 3 + [0.5] * 6)


@pytest.mark.parametrize("through", [0.5, 0.6])
def test_held_and_diverted_at_once_up_to_the_whole(own: Callable[..., sp.Result], through: float) -> None:
    held = suspension(let_through=through)
    result = own(held, suspension(let_through=0.5, new_production='"diverted"'))
    inside = slice(result.index("2025-07-01"), result.index("2026-01-01"))
    made, kept, diverted = (read(result, "own", "pac3", q, "ukraine")[inside] for q in ("made_for", "kept_back", "diverted"))
    assert made.sum() > 0.0
    assert kept == pytest.approx((1.0 - through) * made)
    assert diverted == pytest.approx(0.5 * made)


def test_held_and_diverted_more_than_the_whole_is_refused(own: Callable[..., sp.Result]) -> None:
    with pytest.raises(sp.InputError, match="allowed: together at most 1"):
        own(suspension(let_through=0.4), suspension(let_through=0.5, new_production='"diverted"'))


def test_held_and_diverted_one_after_the_other_is_allowed(own: Callable[..., sp.Result]) -> None:
    result = own(suspension(end="2025-10-01"), suspension(start="2025-10-01", new_production='"diverted"'))
    october = result.index("2025-10-01")
    assert read(result, "own", "pac3", "hold_new", "ukraine")[october - 1 : october + 1].tolist() == [1.0, 0.0]
    assert read(result, "own", "pac3", "divert_new", "ukraine")[october - 1 : october + 1].tolist() == [0.0, 1.0]


def test_everybody_and_everything_can_be_meant(own: Callable[..., sp.Result]) -> None:
    result = own(suspension(recipients='["all"]', munitions='["all"]'))
    inside = slice(result.index("2025-07-01"), result.index("2026-01-01"))
    for munition in MUNITIONS:
        for r in result.recipients:
            assert (read(result, "own", munition, "set_aside", r)[inside] == 1.0).all()


def test_review_takes_the_larger_of_its_own_share_and_the_dated_one(own: Callable[..., sp.Result]) -> None:
    review = (
        '[review]\nstart = 2025-07-01\non = 10.0\noff = 10.0\nrecipients = ["ukraine"]\nmunitions = ["pac3"]\n'
        'channels = ["new_production"]\nlet_through = 0.7\n'
    )
    result = own(suspension(end="2025-10-01", let_through=0.4), review)
    first, october = result.index("2025-07-01"), result.index("2025-10-01")
    assert (read(result, "own", "pac3", "review")[first:] == 1.0).all()
    made, kept = (read(result, "own", "pac3", q, "ukraine") for q in ("made_for", "kept_back"))
    assert kept[first:october] == pytest.approx(0.6 * made[first:october])
    assert kept[october:] == pytest.approx(0.3 * made[october:])


def test_one_text_in_place_of_a_list_of_policies_is_refused() -> None:
    with pytest.raises(sp.InputError, match=r"allowed: a list of names, \['none'\]"):
        sp.run(sp.load("july_2025"), "none")
