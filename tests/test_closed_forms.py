"""Runs of which the answer can be written down: a munition of round numbers, in `closed_forms/`, laid over the parameters."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import stockpile as sp
from stockpile import units
from stockpile.clock import Clock, with_breaks

FOLDER = Path(__file__).parent / "closed_forms"
ROUND = "munitions.test_round"
LINE = f"{ROUND}.line"
CAPACITY = f"{LINE}.parts.body.capacity"
MONTHS = 36
SLOWER = {"model.times.issue": 1.1, "model.times.release": 1.1, "model.times.catch_up": 1.2, "model.times.order": 3.0}
"""Times that leave room for losses in a monthly step."""
Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def scenario() -> sp.Scenario:
    return sp.load("closed_form", params=[FOLDER])


def run(scenario: sp.Scenario, changes: dict[str, Any], policy: str = "none") -> Any:
    """Return a reader of one run's arrays: by quantity and row, shape (time,)."""
    result = sp.run(scenario.override(changes), [policy])

    def read(quantity: str, row: str = "us") -> Array:
        return result.array(quantity, row, policy=policy, munition="test_round")[0]

    return read


def value(number: float, unit: str) -> str:
    """Return the lines of a parameter."""
    return f'unit = "{unit}"\nvalue = {number!r}\ngrade = "assumed"\nnote = "for closed forms"\n'


def laid_over(folder: Path, file: str, text: str) -> sp.Scenario:
    """Return the scenario with one more file laid over it."""
    (folder / file).parent.mkdir(exist_ok=True)
    (folder / file).write_text(text, encoding="utf-8")
    return sp.load("closed_form", params=[FOLDER, folder])


def full(level: float = 10.0) -> dict[str, Any]:
    """Return the overrides for a fully funded line of constant capacity [round/month]."""
    return {CAPACITY: level, f"{LINE}.funding": "full"}


# ---------------------------------------------------------------- production


@pytest.mark.parametrize("method", ["difference", "ode"])
@pytest.mark.parametrize("substeps", [1, 3])
def test_constant_capacity_fills_the_stock_in_a_straight_line(scenario: sp.Scenario, method: str, substeps: int) -> None:
    read = run(scenario, full() | {"scenario.method": method, "scenario.substeps": substeps})
    months = np.arange(MONTHS * substeps + 1) / substeps
    assert read("us_on_hand") == pytest.approx(100.0 + 10.0 * months, rel=1e-9)
    assert read("order_book") == pytest.approx(10.0, rel=1e-9)
    assert read("delivered").sum() == pytest.approx(360.0, rel=1e-9)


def test_least_part_limits_the_line(tmp_path: Path) -> None:
    fuzes = '[line.parts.fuze]\ntitle = "fuzes"\n[line.parts.fuze.capacity]\n' + value(4.0, "round/month")
    read = run(laid_over(tmp_path, "munitions/test_round.toml", fuzes), full(10.0))
    assert (read("line") == 4.0).all()
    assert read("us_on_hand")[-1] == pytest.approx(100.0 + 4.0 * MONTHS)


def test_shares_of_the_line_sum_to_one_and_partners_get_the_rest(scenario: sp.Scenario) -> None:
    read = run(scenario, full() | {f"{ROUND}.us_share": 0.5, "recipients.ukraine.test_round.share": 0.2})
    assert read("us_on_hand")[-1] == pytest.approx(100.0 + 5.0 * MONTHS)
    assert read("on_hand", "ukraine")[-1] == pytest.approx(2.0 * MONTHS)
    assert read("on_hand", "partners")[-1] == pytest.approx(3.0 * MONTHS)
    assert read("on_hand", "israel")[-1] == 0.0


LATER = {CAPACITY: {"value": 100.0, "from": dt.date(2025, 2, 1)}, f"{LINE}.lots.only.quantity": 60.0}
"""A line that can make 100 a month from February 2025, and a contract for 60 awarded on 1 January 2025: 6 months, then over 5."""


def test_fixed_lead_nothing_before_it_then_spread_over_the_lot(scenario: sp.Scenario) -> None:
    read = run(scenario, LATER | {f"{LINE}.lead_time": 200.0})
    lots = np.zeros(MONTHS)
    lots[6:11] = 12.0
    assert read("lots") == pytest.approx(lots)
    assert (read("line")[1:] == 100.0).all()
    assert read("delivered") == pytest.approx(np.concatenate([[0.0], lots[:-1]]))
    assert read("us_on_hand")[-1] == pytest.approx(160.0)


def test_lead_time_that_ends_inside_a_month_counts_by_its_share(scenario: sp.Scenario) -> None:
    read = run(scenario, LATER | {f"{LINE}.lead_time": 200.0, f"{LINE}.lots.only.lead_time": 6.25})
    lots = np.zeros(MONTHS)
    lots[6:12] = 12.0 * np.array([0.75, 1.0, 1.0, 1.0, 1.0, 0.25])
    assert read("lots") == pytest.approx(lots)


def test_growth_waits_for_the_lead_time_of_its_orders(scenario: sp.Scenario) -> None:
    """Capacity rises in February 2025; what exceeds the level at as_of is ordered then, and due 24 months after as_of."""
    read = run(scenario, LATER | {f"{LINE}.lots.only.quantity": 0.0})
    lots = np.zeros(MONTHS)
    lots[24:] = 100.0
    assert read("lots") == pytest.approx(lots)
    funded = run(scenario, LATER | {f"{LINE}.funding": "full"})
    assert funded("lots") == pytest.approx(funded("line"))


@pytest.mark.parametrize("tau", [1.0, 3.0])
def test_littles_law_of_the_order_book(scenario: sp.Scenario, tau: float) -> None:
    """In the steady state the book holds arrival rate times mean time; it gets there geometrically."""
    lot = {f"{LINE}.lots.only.quantity": 30.0 * 12.0, f"{LINE}.lots.only.lead_time": 0.0, f"{LINE}.lots.only.span": 12.0}
    read = run(scenario, lot | {CAPACITY: {"value": 1e6, "from": dt.date(2025, 1, 2)}, f"{LINE}.lead_time": 200.0, "model.times.line": tau})
    steps = np.arange(13)
    assert read("order_book")[:13] == pytest.approx(30.0 * tau * (1.0 - (1.0 - 1.0 / tau) ** steps))
    assert read("order_book")[12] == pytest.approx(read("delivered")[11] * tau, rel=0.02)


def test_littles_law_of_a_recipients_stock(scenario: sp.Scenario) -> None:
    """With supply 6 a month and more need than that, the stock settles at supply over commit: twelve rounds, two months of supply."""
    ukraine = "recipients.ukraine.test_round"
    read = run(scenario, {f"{ukraine}.other_supply": 6.0, f"{ukraine}.need": 50.0})
    assert read("on_hand", "ukraine")[-1] == pytest.approx(12.0, rel=1e-9)
    assert read("used", "ukraine")[-1] == pytest.approx(6.0, rel=1e-9)
    assert read("unmet", "ukraine")[-1] == pytest.approx(44.0, rel=1e-9)


# ---------------------------------------------------------------- loss, use, nothing at all


@pytest.mark.parametrize("substeps", [1, 4])
def test_pure_decay_is_geometric(scenario: sp.Scenario, substeps: int) -> None:
    loss = {f"{ROUND}.loss_rate": 0.02, "scenario.substeps": substeps, "recipients.israel.test_round.stock": 50.0}
    read = run(scenario, loss | SLOWER)
    left = (1.0 - 0.02 / substeps) ** np.arange(MONTHS * substeps + 1)
    assert read("us_on_hand") == pytest.approx(100.0 * left, rel=1e-12)
    assert read("on_hand", "israel") == pytest.approx(50.0 * left, rel=1e-12)
    assert read("expired").sum() == pytest.approx(100.0 * (1.0 - left[-1]))


def test_zero_demand_moves_nothing(scenario: sp.Scenario) -> None:
    """Nobody needs anything: nothing is asked for, sent, used or unmet, whatever is authorised and suspended."""
    authorised = {f"recipients.{name}.test_round.ceiling": 50.0 for name in ("ukraine", "israel", "partners")}
    for policy in ("none", "window", "low_stock", "ukraine_first"):
        read = run(scenario, authorised, policy)
        for name in ("ukraine", "israel", "partners"):
            for quantity in ("request", "granted", "put_off", "sent", "used", "unmet", "on_hand", "deferred", "history_shortfall"):
                assert (read(quantity, name) == 0.0).all(), (quantity, name)
        assert (read("us_on_hand") == 100.0).all()
        assert (read("own_use") == 0.0).all()


def test_own_use_empties_the_stock_and_then_goes_short(scenario: sp.Scenario) -> None:
    read = run(scenario, {f"{ROUND}.training": 30.0})
    assert read("us_on_hand")[:6] == pytest.approx([100.0, 70.0, 40.0, 10.0, 0.0, 0.0])
    assert read("own_unmet")[:5] == pytest.approx([0.0, 0.0, 0.0, 20.0, 30.0])


def test_recipient_orders_up_to_its_cover_and_then_what_it_fires(scenario: sp.Scenario) -> None:
    """Cover two months, need 4, order time 2: the first request is 4 + (8 - 0)/2; in the end it holds 8 and fires 4."""
    ukraine = "recipients.ukraine.test_round"
    change = {f"{ukraine}.need": 4.0, f"{ukraine}.ceiling": 100.0, f"{ROUND}.us_stock": 10_000.0, "model.cover": 2.0}
    read = run(scenario, change)
    assert read("request", "ukraine")[:2] == pytest.approx([8.0, 4.0])
    assert read("on_hand", "ukraine")[:3] == pytest.approx([0.0, 8.0, 8.0])
    assert read("used", "ukraine")[-1] == pytest.approx(4.0)
    read = run(scenario, change | {"model.cover": 1.0})
    assert read("request", "ukraine")[0] == pytest.approx(6.0)
    assert read("on_hand", "ukraine")[-1] == pytest.approx(6.0, rel=1e-6)
    assert read("unmet", "ukraine")[-1] == pytest.approx(1.0, rel=1e-6)


def test_transfers_stop_at_the_floor_and_own_use_does_not(scenario: sp.Scenario) -> None:
    ukraine = "recipients.ukraine.test_round"
    floor = {f"{ROUND}.floors.transfer_floor": 80.0}
    read = run(scenario, floor | {f"{ukraine}.need": 1000.0, f"{ukraine}.ceiling": 1000.0})
    assert read("us_on_hand")[1:] == pytest.approx(80.0)
    read = run(scenario, floor | {f"{ukraine}.need": 1000.0, f"{ukraine}.ceiling": 1000.0, f"{ROUND}.training": 15.0})
    assert read("us_on_hand")[:4] == pytest.approx([100.0, 80.0, 65.0, 50.0])
    assert read("sent", "ukraine")[:3] == pytest.approx([5.0, 0.0, 0.0])


def test_own_use_takes_no_more_than_can_be_issued(scenario: sp.Scenario) -> None:
    """With two months to issue, half of the stock a month at most."""
    slow = {"model.times.issue": 2.0, "model.times.catch_up": 2.0, "model.times.order": 2.0}
    read = run(scenario, slow | {f"{ROUND}.training": 1000.0})
    assert read("own_use")[:3] == pytest.approx([50.0, 25.0, 12.5])


def test_what_is_held_and_what_is_owed_age_like_the_stock(scenario: sp.Scenario) -> None:
    """All of 2025 suspended: ten a month held back and ten put off, of which 2 % a month is lost."""
    ukraine = "recipients.ukraine.test_round"
    change = full(10.0) | {f"{ROUND}.us_share": 0.0, f"{ukraine}.share": 1.0, f"{ukraine}.need": 1e6, f"{ukraine}.ceiling": 10.0}
    change |= {f"{ROUND}.loss_rate": 0.02, f"{ROUND}.us_stock": 1e4, "recipients.ukraine.test_round.other_supply": 0.0}
    read = run(scenario, change | SLOWER | suspended(dt.date(2025, 1, 1), dt.date(2026, 1, 1)), "window")
    left = 10.0 * (1.0 - 0.98 ** np.arange(13)) / 0.02
    for stock, lost in (("withheld", "expired_withheld"), ("deferred", "expired_deferred")):
        assert read(stock, "ukraine")[:13] == pytest.approx(left), stock
        assert read(lost, "ukraine") == pytest.approx(0.02 * read(stock, "ukraine")[:-1]), stock
    assert (read("sent", "ukraine")[:12] == 0.0).all()
    assert read("paid", "ukraine")[12] == pytest.approx(left[12] / 1.2)


def test_need_of_an_event_is_fired_and_not_ordered_for(tmp_path: Path) -> None:
    """A recipient orders by its planned need; what an event adds in March is fired from stock, or goes unmet."""
    event = 'title = "Raid"\ndescription = "x"\nkind = "need"\nrecipient = "ukraine"\nstart = 2025-03-01\nend = 2025-04-01\n'
    scenario = laid_over(tmp_path, "events/raid.toml", event + "[rounds.test_round.rounds]\n" + value(100.0, "round"))
    ukraine = "recipients.ukraine.test_round"
    read = run(scenario, {f"{ukraine}.stock": 40.0, f"{ukraine}.ceiling": 1000.0})
    assert read("need", "ukraine")[1:4] == pytest.approx([0.0, 100.0, 0.0])
    assert (read("planned_need", "ukraine") == 0.0).all()
    assert (read("request", "ukraine") == 0.0).all()
    assert read("used", "ukraine")[2] == pytest.approx(20.0)
    assert read("unmet", "ukraine")[2] == pytest.approx(80.0)


def test_history_is_what_was_sent_and_its_shortfall_is_reported(tmp_path: Path) -> None:
    """Forty a month are on record for four months: the stock of 100 lasts for two and a half."""
    text = 'title = "With a past"\ndescription = "x"\nbase = "closed_form"\nas_of = 2025-04-30\n'
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "with_a_past.toml").write_text(text, encoding="utf-8")
    scenario = sp.load("with_a_past", params=[FOLDER, tmp_path]).override({"recipients.ukraine.test_round.authorised": 40.0})
    read = run(scenario, {"recipients.ukraine.test_round.need": 1.0, f"{ROUND}.floors.transfer_floor": 90.0})
    assert read("history")[:5] == pytest.approx([1.0, 1.0, 1.0, 1.0, 0.0])
    assert read("request", "ukraine")[:5] == pytest.approx([40.0, 40.0, 40.0, 40.0, 0.0])
    assert read("sent", "ukraine")[:5] == pytest.approx([40.0, 40.0, 20.0, 0.0, 0.0])
    assert read("history_shortfall", "ukraine")[:5] == pytest.approx([0.0, 0.0, 20.0, 40.0, 0.0])
    assert read("floor")[:5] == pytest.approx([0.0, 0.0, 0.0, 0.0, 90.0])


def test_after_history_the_shortfall_is_nothing(scenario: sp.Scenario) -> None:
    ukraine = "recipients.ukraine.test_round"
    read = run(scenario, {f"{ukraine}.need": 1000.0, f"{ukraine}.ceiling": 1000.0})
    assert read("request", "ukraine")[1] > read("granted", "ukraine")[1]
    assert (read("history_shortfall", "ukraine") == 0.0).all()


# ---------------------------------------------------------------- review


def test_review_comes_on_below_one_level_and_goes_above_another(scenario: sp.Scenario) -> None:
    """The stock falls from 100 by 10 a month for half a year and then rises by 10: in force below 50, until above 75."""
    change = full(0.0) | {CAPACITY: {"value": 10.0, "from": dt.date(2025, 7, 1)}, f"{ROUND}.training": 10.0}
    scenario = scenario.override(change).override({f"{ROUND}.training": {"value": 0.0, "from": dt.date(2025, 7, 1)}})
    read = run(scenario, {}, "low_stock")
    assert read("us_on_hand")[:12] == pytest.approx([100, 90, 80, 70, 60, 50, 40, 50, 60, 70, 80, 90])
    expected = np.zeros(MONTHS)
    expected[6:10] = 1.0
    assert (read("review") == expected).all()
    # Exactly at the upper level it stays in force.
    read = run(scenario, {"policies.low_stock.review.off": 0.8}, "low_stock")
    expected[10] = 1.0
    assert (read("review") == expected).all()


def test_review_stays_off_where_the_stock_stands_exactly_at_the_level(scenario: sp.Scenario) -> None:
    levels = {"policies.low_stock.review.on": 1.0, "policies.low_stock.review.off": 1.0}
    read = run(scenario, levels, "low_stock")
    assert (read("us_on_hand") == 100.0).all()
    assert (read("review") == 0.0).all()


def test_review_holds_what_it_touches_while_in_force(scenario: sp.Scenario) -> None:
    change = full(10.0) | {"recipients.ukraine.test_round.share": 0.4, f"{ROUND}.us_share": 0.6, f"{ROUND}.training": 30.0}
    read = run(scenario, change, "low_stock")
    on = read("review") == 1.0
    assert on.any()
    assert not on.all()
    assert read("kept_back", "ukraine") == pytest.approx(np.where(on, 4.0, 0.0))
    assert read("withheld", "ukraine")[-1] == pytest.approx(4.0 * on.sum())


# ---------------------------------------------------------------- windows, units, calendar


def suspended(start: dt.date, end: dt.date | str) -> dict[str, Any]:
    path = "policies.window.suspensions.0"
    return {f"{path}.start": start, f"{path}.end": end}


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (dt.date(2025, 7, 1), dt.date(2025, 7, 9), {6: 8 / 31}),
        (dt.date(2025, 7, 1), dt.date(2025, 8, 1), {6: 1.0}),
        (dt.date(2025, 7, 31), dt.date(2025, 8, 1), {6: 1 / 31}),
        (dt.date(2026, 2, 15), dt.date(2026, 3, 2), {13: 14 / 28, 14: 1 / 31}),
        (dt.date(2027, 12, 16), "horizon", {35: 16 / 31}),
        (dt.date(2024, 1, 1), dt.date(2025, 1, 16), {0: 15 / 31}),
    ],
)
def test_window_acts_by_the_share_of_the_months_days(scenario: sp.Scenario, start: dt.date, end: Any, expected: dict[int, float]) -> None:
    read = run(scenario, suspended(start, end), "window")
    shares = np.zeros(MONTHS)
    shares[list(expected)] = list(expected.values())
    assert read("set_aside", "ukraine") == pytest.approx(shares, abs=1e-12)
    assert read("hold_new", "ukraine") == pytest.approx(shares, abs=1e-12)
    assert (read("set_aside", "israel") == 0.0).all()


def test_eight_days_of_new_production_are_held_and_then_released(scenario: sp.Scenario) -> None:
    change = full(31.0) | {"recipients.ukraine.test_round.share": 1.0, f"{ROUND}.us_share": 0.0}
    read = run(scenario, change | suspended(dt.date(2025, 7, 1), dt.date(2025, 7, 9)), "window")
    assert read("kept_back", "ukraine").sum() == pytest.approx(8.0)
    assert read("withheld", "ukraine")[6:9] == pytest.approx([0.0, 8.0, 0.0])
    assert read("released", "ukraine")[7] == pytest.approx(8.0)
    assert read("on_hand", "ukraine")[-1] == pytest.approx(31.0 * MONTHS)


@pytest.mark.parametrize("substeps", [1, 2, 31])
def test_package_sends_its_rounds_over_its_days(tmp_path: Path, substeps: int) -> None:
    """From 17 January to 15 February: 15 of 31 days and 14 of 28, so 30 rounds in 15/31 + 14/28 months."""
    event = 'title = "Package"\ndescription = "x"\nkind = "package"\nrecipient = "ukraine"\nstart = 2025-01-17\nend = 2025-02-15\n'
    scenario = laid_over(tmp_path, "events/package.toml", event + "[rounds.test_round.rounds]\n" + value(30.0, "round"))
    read = run(scenario, {"scenario.substeps": substeps, "recipients.ukraine.test_round.need": 1e6})
    length = 15 / 31 + 14 / 28
    sent = read("sent", "ukraine").reshape(MONTHS, substeps).sum(axis=1)
    assert sent[:3] == pytest.approx([30.0 * (15 / 31) / length, 30.0 * (14 / 28) / length, 0.0])


@pytest.mark.parametrize(
    ("unit", "number", "rate"),
    [("round/month", 10.0, 10.0), ("round/year", 120.0, 10.0), ("round/day", 1.0, 365.25 / 12)],
)
def test_rates_are_brought_to_months(tmp_path: Path, unit: str, number: float, rate: float) -> None:
    read = run(laid_over(tmp_path, "munitions/test_round.toml", "[training]\n" + value(number, unit)), {})
    assert read("own_need") == pytest.approx(rate, rel=1e-15)


@pytest.mark.parametrize(("unit", "number"), [("1/month", 0.01), ("1/year", 0.12)])
def test_losses_are_brought_to_months(tmp_path: Path, unit: str, number: float) -> None:
    scenario = laid_over(tmp_path, "munitions/test_round.toml", "[loss_rate]\n" + value(number, unit))
    assert run(scenario, SLOWER)("expired")[0] == pytest.approx(1.0)


@pytest.mark.parametrize(("unit", "number"), [("month", 2.0), ("year", 2.0 / 12), ("day", 2.0 * 365.25 / 12)])
def test_times_are_brought_to_months(tmp_path: Path, unit: str, number: float) -> None:
    """Half of the order book leaves in a month where the mean time is two."""
    scenario = laid_over(tmp_path, "model.toml", '[times.line]\nrole = "constant"\n' + value(number, unit))
    lot = {f"{LINE}.lots.only.quantity": 8.0, f"{LINE}.lots.only.lead_time": 0.0, f"{LINE}.lots.only.span": 1.0}
    read = run(scenario, lot | {CAPACITY: {"value": 1e6, "from": dt.date(2025, 1, 2)}, f"{LINE}.lead_time": 200.0})
    assert read("order_book")[:4] == pytest.approx([0.0, 8.0, 4.0, 2.0])


@pytest.mark.parametrize(("unit", "number"), [("target/month", 4.0), ("target/year", 48.0), ("target/day", 48.0 / 365.25)])
def test_need_is_threats_times_rounds_a_target(tmp_path: Path, unit: str, number: float) -> None:
    need = "[test_round.need.targets]\n" + value(number, unit) + "[test_round.need.engaged]\n" + value(0.5, "1")
    text = need + "[test_round.need.rounds]\n" + value(3.0, "round/target")
    read = run(laid_over(tmp_path, "recipients/ukraine.toml", text), {})
    assert read("planned_need", "ukraine") == pytest.approx(6.0, rel=1e-15)
    assert (read("need", "israel") == 0.0).all()


def test_money_is_brought_to_the_scenarios_year(scenario: sp.Scenario) -> None:
    result = sp.run(scenario.override({"model.deflator": 0.1, "scenario.money_year": 2027}))
    assert result.unit_cost["test_round"] == pytest.approx(1000.0 * 1.1**2)


def test_table_of_units_is_consistent() -> None:
    for name in ("round", "target"):
        month, year, day = (units.UNITS[f"{name}/{period}"].factor for period in ("month", "year", "day"))
        assert month == 1.0
        assert year == 1.0 / 12.0
        assert day * 12.0 == pytest.approx(365.25)
    assert units.UNITS["year"].factor * units.UNITS["1/year"].factor == 1.0
    assert units.UNITS["day"].factor * units.UNITS["round/day"].factor == pytest.approx(1.0)


CLOCK = Clock(dt.date(2024, 1, 1), dt.date(2025, 3, 1), 2)


@pytest.mark.parametrize(
    ("date", "month"),
    [
        (dt.date(2024, 1, 1), 0.0), (dt.date(2024, 2, 29), 1 + 28 / 29), (dt.date(2025, 2, 15), 13.5),
        (dt.date(2024, 12, 31), 11 + 30 / 31), (dt.date(2023, 12, 31), -1 / 31), (dt.date(2025, 3, 1), 14.0),
    ],
)
def test_dates_are_shares_of_their_own_month(date: dt.date, month: float) -> None:
    assert CLOCK.at(date) == pytest.approx(month, abs=1e-12)
    assert CLOCK.date(CLOCK.at(date)) == np.datetime64(date, "s")


def test_steps_and_intervals() -> None:
    assert CLOCK.months == 14
    assert np.array_equal(CLOCK.steps, np.arange(29) / 2)
    assert CLOCK.dates[1] == np.datetime64("2024-01-16T12:00:00")
    assert CLOCK.dates[-1] == np.datetime64("2025-03-01T00:00:00")
    broken = with_breaks(CLOCK, [dt.date(2024, 2, 15), dt.date(2024, 3, 1)])
    assert broken.knots[:5] == pytest.approx([0.0, 1.0, 1 + 14 / 29, 2.0, 3.0])


def test_means_over_steps_weigh_by_length() -> None:
    """A window from 15 February on covers 15 of 29 days of the month, and 0.5/29 of a month less of its first half."""
    clock = with_breaks(CLOCK, [dt.date(2024, 2, 15)])
    mean = clock.mean(clock.overlap(clock.at(dt.date(2024, 2, 15)), np.inf))[:, 0]
    assert mean[:5] == pytest.approx([0.0, 0.0, 2 * (0.5 - 14 / 29), 1.0, 1.0])
    assert mean[2:4].mean() == pytest.approx(15 / 29)
