"""The same equations as an ODE: difference runs approach it at first order, its books close, its events are where they belong."""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from pathlib import Path
from typing import Any

import books
import convergence
import numpy as np
import pytest

import stockpile as sp
from stockpile.engine import ode

FOLDER = Path(__file__).parent / "closed_forms"
ROUND = "munitions.test_round"
LINE = f"{ROUND}.line"
CAPACITY = f"{LINE}.parts.body.capacity"
FIRST_ORDER = (0.8, 1.3)


@cache
def measured() -> dict[tuple[str, str], list[float]]:
    return convergence.errors_by_policy(convergence.without_review(), (*convergence.SUBSTEPS, *convergence.WHOLE_DAYS))


@cache
def switch(number: int) -> convergence.Switch:
    return convergence.lifted(*convergence.REVIEWED[number])


def is_first_order(value: float) -> bool:
    return FIRST_ORDER[0] <= value <= FIRST_ORDER[1]


# ---------------------------------------------------------------- first order


@pytest.mark.parametrize("policy", convergence.without_review())
def test_difference_runs_approach_the_ode_at_first_order(policy: str) -> None:
    errors = convergence.worst(measured(), policy)[: len(convergence.SUBSTEPS)]
    assert is_first_order(convergence.order(convergence.SUBSTEPS, errors)), errors
    assert errors[-1] < errors[0] / 16.0
    assert errors[-1] < 1e-3


@pytest.mark.parametrize("policy", convergence.without_review())
def test_error_halves_with_the_step_where_no_break_cuts_one(policy: str) -> None:
    """For every munition by itself."""
    for (name, munition), errors in measured().items():
        if name == policy:
            whole_days = errors[len(convergence.SUBSTEPS) :]
            assert 0.9 <= convergence.order(convergence.WHOLE_DAYS, whole_days) <= 1.1, (munition, whole_days)
            assert whole_days[0] > whole_days[1] > whole_days[2] > 0.0


@pytest.mark.parametrize("number", range(len(convergence.REVIEWED)))
def test_with_a_review_the_stocks_agree_at_first_order_until_it_is_lifted(number: int) -> None:
    found = switch(number)
    assert is_first_order(convergence.order(convergence.SWITCH_SUBSTEPS, found.errors)), found
    assert found.errors[-1] < found.errors[0] / 8.0


@pytest.mark.parametrize("number", range(len(convergence.REVIEWED)))
def test_time_of_the_switch_approaches_the_odes_at_first_order(number: int) -> None:
    found = switch(number)
    late = [abs(time - found.exact) for time in found.crossed]
    assert is_first_order(convergence.order(convergence.SWITCH_SUBSTEPS, late)), found
    for substeps, switched, crossed in zip(convergence.SWITCH_SUBSTEPS, found.switched, found.crossed, strict=True):
        assert 0.0 <= switched - crossed <= 1.0 / substeps, "the review is lifted at the first step edge after the crossing"
        assert abs(switched - found.exact) <= 1.5 / substeps


def test_review_that_is_never_lifted_converges_like_any_policy() -> None:
    """Under us_first the stock of PAC-3 stays below the requirement to the end of the run."""
    base = convergence.one_munition("pac3", convergence.END)
    exact = convergence.run(base, ["us_first"], None)
    start = exact.index(convergence.FROM)
    assert (exact.array("review", policy="us_first", munition="pac3")[0][start:] == 1.0).all()
    steps = convergence.WHOLE_DAYS[:2]
    errors = [convergence.error(exact, convergence.run(base, ["us_first"], n), "us_first", "pac3", slice(start, None)) for n in steps]
    assert 0.9 <= convergence.order(steps, errors) <= 1.1


def test_page_on_convergence_is_up_to_date() -> None:
    """Its orders are the ones measured here; if not: python tests/convergence.py."""
    text = convergence.DOCUMENT.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|(?: `(\w+)` \|)?.*\| ([\d.]+) \| ([\d.]+) \|$", text, re.MULTILINE)
    shown = {(policy, munition): (float(first), float(second)) for policy, munition, first, second in rows}
    expected = {}
    count = len(convergence.SUBSTEPS)
    for policy in convergence.without_review():
        errors = convergence.worst(measured(), policy)
        orders = convergence.order(convergence.SUBSTEPS, errors[:count]), convergence.order(convergence.WHOLE_DAYS, errors[count:])
        expected[policy, ""] = pytest.approx(orders, abs=0.05)
    for number, (policy, munition, _) in enumerate(convergence.REVIEWED):
        found = switch(number)
        late = [abs(time - found.exact) for time in found.crossed]
        steps = convergence.SWITCH_SUBSTEPS
        expected[policy, munition] = pytest.approx((convergence.order(steps, late), convergence.order(steps, found.errors)), abs=0.05)
    assert shown == expected


# ---------------------------------------------------------------- books


def test_flows_of_the_ode_close_the_books() -> None:
    """Every policy, those with a review included, until some months after the pause of July 2025; two report steps a month."""
    scenario = sp.load("july_2025")
    end = {"scenario.end": dt.date(2026, 1, 1), "scenario.method": "ode", "scenario.substeps": 2}
    policies = scenario.settings.policies or []
    assert books.check(sp.run(scenario.override(end), policies).table()) == len(policies) * len(scenario.munitions)


def test_report_steps_do_not_move_the_ode() -> None:
    scenario = sp.load("july_2025").override({"scenario.end": dt.date(2023, 3, 1), "scenario.method": "ode"})
    coarse, fine = (sp.run(scenario.override({"scenario.substeps": n}), ["none"]) for n in (1, 3))
    for (quantity, row), array in coarse.arrays.items():
        if quantity in convergence.STOCKS:
            assert fine.arrays[quantity, row][..., ::3] == pytest.approx(array, rel=1e-6, abs=1e-6), (quantity, row)


# ---------------------------------------------------------------- exact solutions


def solve(changes: dict[str, Any], policy: str = "none", substeps: int = 1, then: dict[str, Any] | None = None) -> Any:
    """Return a reader of an ODE run of the munition of round numbers: by quantity and row, shape (time,)."""
    scenario = sp.load("closed_form", params=[FOLDER]).override(changes).override(then or {})
    result = sp.run(scenario.override({"scenario.method": "ode", "scenario.substeps": substeps}), [policy])

    def read(quantity: str, row: str = "us") -> Any:
        return result.array(quantity, row, policy=policy, munition="test_round")[0]

    return read


MONTHS = np.arange(37)
SLOWER = {"model.times.issue": 1.1, "model.times.release": 1.1, "model.times.catch_up": 1.2, "model.times.order": 3.0}
"""Times that leave room for losses in a monthly step."""


def test_pure_decay_is_exponential() -> None:
    read = solve({f"{ROUND}.loss_rate": 0.03, "recipients.israel.test_round.stock": 40.0, **SLOWER})
    left = np.exp(-0.03 * MONTHS)
    assert read("us_on_hand") == pytest.approx(100.0 * left, rel=1e-7)
    assert read("on_hand", "israel") == pytest.approx(40.0 * left, rel=1e-7)
    assert read("expired") == pytest.approx(-np.diff(100.0 * left), rel=1e-6)


def test_order_book_fills_exponentially() -> None:
    """Lots of 30 a month for a year enter an empty book of mean time 3 months; then it empties."""
    lot = {f"{LINE}.lots.only.quantity": 360.0, f"{LINE}.lots.only.lead_time": 0.0, f"{LINE}.lots.only.span": 12.0}
    read = solve({**lot, CAPACITY: {"value": 1e6, "from": dt.date(2025, 1, 2)}, f"{LINE}.lead_time": 200.0, "model.times.line": 3.0})
    # The first day has no capacity yet: the book starts to empty a day later.
    day = 1.0 / 31.0
    steady, filled = 90.0, MONTHS[1:13] - day
    book = steady + (30.0 * day - steady) * np.exp(-filled / 3.0)
    assert read("order_book")[1:13] == pytest.approx(book, rel=1e-7)
    assert read("order_book")[12:] == pytest.approx(book[-1] * np.exp(-(MONTHS[12:] - 12.0) / 3.0), rel=1e-6)


def test_recipients_stock_settles_exponentially() -> None:
    ukraine = "recipients.ukraine.test_round"
    read = solve({f"{ukraine}.other_supply": 6.0, f"{ukraine}.need": 50.0})
    assert read("on_hand", "ukraine") == pytest.approx(12.0 * (1.0 - np.exp(-0.5 * MONTHS)), rel=1e-7, abs=1e-7)


def test_window_acts_from_day_to_day() -> None:
    """Eight days of new production are held, to the day, and released at the mean time."""
    made = {CAPACITY: 31.0, f"{LINE}.funding": "full", "recipients.ukraine.test_round.share": 1.0, f"{ROUND}.us_share": 0.0}
    read = solve({**made, "scenario.end": dt.date(2025, 9, 1)}, "window", substeps=31)
    july = 6 * 31
    assert read("kept_back", "ukraine")[july : july + 8] == pytest.approx(1.0, rel=1e-7)
    assert read("kept_back", "ukraine").sum() == pytest.approx(8.0, rel=1e-7)
    held = read("withheld", "ukraine")
    assert held[july + 8] == pytest.approx(8.0, rel=1e-7)
    assert held[july + 8 + 31] == pytest.approx(8.0 * np.exp(-1.0), rel=1e-6)


def test_review_switches_where_the_stock_crosses_its_levels() -> None:
    """The stock loses 5 a month and 2 % of itself, from month 12 on it gains 10: both crossings are known exactly."""
    loss, fall, rise = 0.02, -5.0, 10.0
    change = {
        f"{ROUND}.loss_rate": loss, f"{ROUND}.training": rise - fall, f"{LINE}.funding": "full", CAPACITY: 2.0 * rise,
        f"{ROUND}.us_share": 0.5, "recipients.ukraine.test_round.share": 0.5, **SLOWER,
    }
    read = solve(change, policy="low_stock", then={f"{ROUND}.training": {"value": 0.0, "from": dt.date(2026, 1, 1)}})

    def time(start: float, level: float, gain: float) -> float:
        """Return how long the stock takes from `start` to `level`."""
        return float(np.log((start - gain / loss) / (level - gain / loss)) / loss)

    on = time(100.0, 50.0, fall)
    lowest = fall / loss + (100.0 - fall / loss) * np.exp(-loss * 12.0)
    off = 12.0 + time(lowest, 75.0, rise)
    assert read("us_on_hand")[12] == pytest.approx(lowest, rel=1e-7)
    edges = np.arange(37.0)
    in_force = np.clip(np.minimum(edges[1:], off) - np.maximum(edges[:-1], on), 0.0, 1.0)
    assert 0.0 < on < 12.0 < off < 36.0
    assert read("kept_back", "ukraine") == pytest.approx(rise * in_force, rel=1e-6, abs=1e-6)
    assert read("review").tolist() == [float(on < month < off) for month in range(36)]


def test_a_review_at_one_level_is_lifted_a_band_above_it() -> None:
    """An ODE cannot switch back and forth at one level for ever: it lifts the review a thousandth above."""
    change = {f"{LINE}.funding": "full", CAPACITY: 20.0, f"{ROUND}.us_share": 0.5, "recipients.ukraine.test_round.share": 0.5}
    levels = {"policies.low_stock.review.on": 1.5, "policies.low_stock.review.off": 1.5}
    read = solve(change | levels, policy="low_stock")
    lifted = (150.0 * (1.0 + ode.BAND) - 100.0) / 10.0
    assert read("kept_back", "ukraine").sum() == pytest.approx(10.0 * lifted, rel=1e-6)
