"""What was reported: which quantity of the model counts the same, how exactly it is read, and what the model says of it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from reported import FULL, LINE, laid, observation, parsed, scope
from scipy import stats

import stockpile as sp
from stockpile import schema
from stockpile.evidence.ledger import ledger
from stockpile.evidence.measures import measure_of
from stockpile.evidence.predict import Predictor, in_run
from stockpile.evidence.reading import Reading, reading_of
from stockpile.schema.observations import Match, State

RECIPIENTS = ("israel", "partners", "ukraine")
DAY = {"date": "2025-03-01"}
WINDOW = {"start": "2025-01-01", "end": "2025-04-01"}
NEW = {("made_for", "ukraine", 1.0), ("kept_back", "ukraine", -1.0), ("diverted", "ukraine", -1.0), ("released", "ukraine", 1.0)}
COUNTED: dict[tuple[str, str], set[tuple[str, str, float]]] = {
    ("on_hand", "us"): {("us_on_hand", "us", 1.0)},
    ("on_hand", "ukraine"): {("on_hand", "ukraine", 1.0)},
    ("delivered", "all"): {("delivered", "us", 1.0)},
    ("delivered", "us"): {("to_us", "us", 1.0)},
    ("delivered", "ukraine"): NEW,
    ("sent", "all"): {("sent", one, 1.0) for one in RECIPIENTS},
    ("sent", "ukraine"): {("sent", "ukraine", 1.0)},
    ("received", "ukraine"): {("sent", "ukraine", 1.0), *NEW},
    ("used", "us"): {("own_use", "us", 1.0)},
    ("used", "ukraine"): {("used", "ukraine", 1.0)},
    ("line", "all"): set(),
}
"""All that can be compared; every other state and owner has no counterpart."""
ERRORS = {"count": 0.03, "statement": 0.1, "estimate": 0.25, "claim": 0.5}


def errors() -> schema.Reading:
    given = {name: {"unit": "1", "value": value, "grade": "assumed", "note": "made up"} for name, value in ERRORS.items()}
    return schema.Reading.model_validate(given)


def made(state: str, owner: str = "us", value: float = 5.0, **keys: Any) -> schema.Observation:
    """Return an observation of rounds, of a day for stocks and what is no flow, else of a window; a line as a rate."""
    day = state in ("on_hand", "line", "price", "date", "needed", "planned", "withheld", "launched", "intercepted", "other")
    time = {name: keys.pop(name) for name in ("date", "start", "end") if name in keys} or (DAY if day else WINDOW)
    unit = {"unit": '"round/month"'} if state == "line" else {}
    match = {"match": keys.pop("match")} if "match" in keys else {}
    scoped = {name: keys.pop(name) for name in ("cause", "part") if name in keys}
    return parsed("made", scope(state, owner, **match, **scoped), value, **time | unit | keys)


# ---------------------------------------------------------------- measures


@pytest.mark.parametrize("owner", ["us", "ukraine", "all", "somebody"])
@pytest.mark.parametrize("state", get_args(State))
def test_every_scope_counts_what_is_documented_and_nothing_else(state: str, owner: str) -> None:
    measure, because = measure_of(made(state, owner), RECIPIENTS)
    if (state, owner) not in COUNTED:
        assert measure is None and because == f"the model has no counterpart of {state.replace('_', ' ')} of {owner}"
        return
    assert measure is not None and not because
    assert set(measure.terms) == COUNTED[state, owner]
    assert measure.kind == {"on_hand": "stock", "line": "capacity"}.get(state, "flow")


def test_use_of_the_us_by_cause() -> None:
    for cause in ("us", "israel", "joint_or_unknown"):
        measure, _ = measure_of(made("used", cause=cause), RECIPIENTS)
        assert measure is not None and measure.terms == (("own_use_for", cause, 1.0),)
    assert measure_of(made("used", cause="nobody"), RECIPIENTS)[0] is None


def test_transfers_to_all_are_those_to_the_recipients_of_the_run() -> None:
    measure, _ = measure_of(made("sent", "all"), ("ukraine", "partners"))
    assert measure is not None and {row for _, row, _ in measure.terms} == {"ukraine", "partners"}


@pytest.mark.parametrize(
    ("item", "because"),
    [
        (made("on_hand", munition=None, item='"THAAD"'), "no munition of the model"),
        (made("on_hand", match="other"), "counts something else"),
        (made("on_hand", match="part", bound='"at_most"'), "bounds nothing here"),
        (made("on_hand", match="wider", bound='"at_least"'), "bounds nothing here"),
        (made("on_hand", value=0.25, unit='"1"'), "a share whose denominator is not known"),
        (made("on_hand", unit='"round/month"'), "on hand is not counted in round/month"),
        (made("line", "all", unit='"round"'), "line is not counted in round"),
        (made("delivered", "all", unit='"month"', **DAY), "delivered is not counted in month"),
    ],
)
def test_what_cannot_be_compared_says_why(item: schema.Observation, because: str) -> None:
    measure, said = measure_of(item, RECIPIENTS)
    assert measure is None and because in said


def test_rates_are_means_over_their_window_or_the_month_of_their_day() -> None:
    whole, _ = measure_of(made("delivered", "all", unit='"round/day"'), RECIPIENTS)
    assert whole is not None and whole.per_month and (whole.start, whole.end) == (dt.date(2025, 1, 1), dt.date(2025, 4, 1))
    day, _ = measure_of(made("delivered", "all", unit='"round/day"', date="2025-12-24"), RECIPIENTS)
    assert day is not None and day.per_month and (day.start, day.end) == (dt.date(2025, 12, 1), dt.date(2026, 1, 1))
    total, _ = measure_of(made("delivered", "all"), RECIPIENTS)
    assert total is not None and not total.per_month
    share, _ = measure_of(made("on_hand", value=0.25, unit='"1"', of={"stock": 400.0}), RECIPIENTS)
    assert share is not None and share.kind == "stock"


# ---------------------------------------------------------------- readings


@pytest.mark.parametrize("match", get_args(Match)[:4])
def test_a_count_of_fewer_is_a_lower_bound_and_of_more_an_upper(match: str) -> None:
    kind = {"part": "at_least", "wider": "at_most"}.get(match, "about")
    assert reading_of(made("on_hand", value=100.0, match=match), errors()).kind == kind


def test_figures_without_a_range_are_read_as_exactly_as_their_basis() -> None:
    for basis, share in ERRORS.items():
        found = reading_of(made("on_hand", value=200.0, basis=f'"{basis}"'), errors())
        assert (found.low, found.value, found.high) == pytest.approx((200 * (1 - share), 200, 200 * (1 + share)))
    bound = reading_of(made("on_hand", value=200.0, bound='"at_least"'), errors())
    assert bound.kind == "at_least" and (bound.low, bound.high) == pytest.approx((194, 206))


def test_a_published_range_stands_and_is_never_of_no_width() -> None:
    found = reading_of(made("on_hand", value=620.0, low=600, high=620, basis='"statement"'), errors())
    assert (found.low, found.value, found.high) == pytest.approx((600 - 0.0, 620, 620 + 0.25 * 0.1 * 620))
    none = reading_of(made("on_hand", value=0.0), errors())
    assert (none.low, none.value, none.high) == (-0.5, 0.0, 0.5)
    tiny = reading_of(made("on_hand", value=1e-6), errors())
    assert tiny.low < tiny.value < tiny.high and np.isfinite(tiny.log_likelihood(np.array([0.0, 1e-6]))).all()


def test_rates_are_read_in_rounds_a_month() -> None:
    found = reading_of(made("line", "all", value=120.0, unit='"round/year"'), errors())
    assert (found.low, found.value, found.high) == pytest.approx((9.7, 10.0, 10.3))
    day = reading_of(made("used", "ukraine", value=1000.0, unit='"round/day"'), errors())
    assert day.value == pytest.approx(1000 * 365.25 / 12)


def test_a_percentage_is_an_interval_over_its_denominators_or_a_bound() -> None:
    keys: dict[str, Any] = {"unit": '"1"', "low": 0.2, "high": 0.3, "of": {"stock": 400.0, "goal": 1000.0}}
    about = reading_of(made("on_hand", value=0.25, **keys), errors())
    assert about.kind == "between" and (about.low, about.high) == pytest.approx((80, 300))
    for match, value in (("part", 80.0), ("wider", 300.0)):
        found = reading_of(made("on_hand", value=0.25, match=match, **keys), errors())
        assert found.kind != "between" and found.value == pytest.approx(value)
        assert found.high - found.value == pytest.approx(0.03 * value)


@pytest.mark.parametrize(("low", "high"), [(500.0, 620.0), (590.0, 700.0), (540.0, 660.0)])
def test_reports_are_drawn_from_the_density_that_the_likelihood_has(low: float, high: float) -> None:
    reading, quantity, count = Reading("about", 600.0, low, high), 600.0, 100_000
    below, above = 600.0 - low, high - 600.0
    reports = reading.reported(np.full(count, quantity), np.random.default_rng(5).uniform(size=count))
    # The likelihood of every report y, read with the same error, as a density over y.
    grid = np.linspace(200.0, 1000.0, 8001)
    density = np.exp([float(Reading("about", y, y - below, y + above).log_likelihood(np.array([quantity]))[0]) for y in grid])
    cumulative = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    found = stats.kstest(reports, lambda y: np.interp(y, grid, cumulative / cumulative[-1]))
    assert found.statistic < 1.63 / np.sqrt(count)
    # Nine in ten quantities lie in the interval about what was reported of them.
    inside = (reports - below <= quantity) & (quantity <= reports + above)
    assert inside.mean() == pytest.approx(0.9, abs=0.004)


def test_a_bound_holds_as_often_as_its_likelihood_says() -> None:
    predicted = np.random.default_rng(1).normal(100.0, 10.0, 50_000)
    uniforms = np.random.default_rng(2).uniform(size=len(predicted))
    width = 5.0 * stats.norm.ppf(0.95)
    for kind, sign in (("at_least", 1.0), ("at_most", -1.0)):
        reading = Reading(kind, 110.0, 110.0 - width, 110.0 + width)
        exact = stats.norm.cdf(sign * (100.0 - 110.0) / np.hypot(10.0, 5.0))
        assert reading.probability(predicted) == pytest.approx(exact, abs=0.005)
        as_read = reading.as_read(predicted, uniforms)
        assert (sign * (as_read - 110.0) >= 0).mean() == pytest.approx(exact, abs=0.008)
    between = Reading("between", 100.0, 95.0, 105.0)
    assert between.probability(predicted) == pytest.approx(between.holds(predicted).mean())
    np.testing.assert_array_equal(between.as_read(predicted, uniforms), predicted)


# ---------------------------------------------------------------- predictions


def predicted(scenario: sp.Scenario, *items: schema.Observation, substeps: int = 4) -> Any:
    """Return what the model says of observations, central values or draws that are all alike."""
    measures = [measure_of(item, tuple(scenario.recipients))[0] for item in items]
    assert all(measures)
    return Predictor(scenario, [one for one in measures if one], substeps=substeps).drawn(2, 1)


@pytest.mark.parametrize("substeps", [1, 4, 31])
def test_a_stock_on_a_day_and_flows_over_parts_of_months_by_hand(tmp_path: Path, substeps: int) -> None:
    scenario = laid(tmp_path).override(FULL | {"munitions.test_round.us_share": 0.5, "recipients.ukraine.test_round.share": 0.2})
    time = {"start": "2025-02-10", "end": "2025-04-05"}
    first, last = 1 + 9 / 28, 3 + 4 / 30
    months = last - first
    # In steps of about a day, all of each step that is touched counts.
    touched = months if substeps < 28 else (np.ceil(last * substeps) - np.floor(first * substeps)) / substeps
    assert touched == pytest.approx(months, abs=2 / 31)
    found = predicted(
        scenario, made("on_hand", date="2025-03-17"), made("delivered", "all", **time), made("delivered", "ukraine", **time),
        made("received", "ukraine", **time), made("delivered", "all", unit='"round/day"', **time), made("used", "us", **time),
        substeps=substeps,
    )
    exact = [100 + 5 * (2 + 16 / 31), 10 * touched, 2 * touched, 2 * touched, 10.0, 0.0]
    np.testing.assert_allclose(found, np.array(exact)[:, None] * np.ones(2), rtol=1e-9, atol=1e-9)


def test_what_happens_on_a_day_is_counted_whole_in_daily_steps() -> None:
    scenario = sp.load("july_2025")
    measure, _ = measure_of(scenario.observations["pac3_used_al_udeid_2025_06"], tuple(scenario.recipients))
    assert measure is not None
    drawn = Predictor(scenario, [measure], substeps=31).drawn(200, 1)
    # 30 were fired, of which the PAC-3 family is a share; two fifths of them were lost where a step was taken in part.
    assert 24.0 < np.median(drawn) < 33.0


def test_predictions_are_those_of_an_ensemble_of_that_seed() -> None:
    scenario = sp.load("july_2025")
    run = {"start": "2022-03-01", "end": "2033-01-01", "munition": '"pac3"'}
    day = made("on_hand", munition='"pac3"', date="2024-07-01")
    items = [day, made("used", "us", **run), made("sent", "all", **run), made("used", "ukraine", **run)]
    measures = [one for item in items if (one := measure_of(item, tuple(scenario.recipients))[0])]
    found = Predictor(scenario, measures, "none", substeps=1).drawn(20, 7)
    table = sp.ensemble(scenario, ["none"], 20, seed=7, dates=["2024-07-01"]).metrics()
    table = table[table["munition"] == "pac3"].set_index(["recipient", "metric", "member"])["value"].sort_index()
    wanted = [("us", "stock_at.28"), ("us", "total_used"), ("us", "total_sent"), ("ukraine", "total_used")]
    np.testing.assert_allclose(found, [table.loc[key].to_numpy() for key in wanted], rtol=1e-9)


TOLD = """
title = "Told"
description = "The closed form, looked back at."
base = "closed_form"
as_of = 2027-06-30
"""
STEPS = """
[line.parts.fuze]
title = "fuzes"
[line.parts.fuze.capacity]
unit = "round/month"
points = [
  { from = 2025-01-01, value = 4, grade = "assumed", note = "made up" },
  { from = 2025-07-01, value = 8, grade = "assumed", note = "made up" },
]
"""


def test_capacity_of_a_part_on_a_day_and_over_a_window(tmp_path: Path) -> None:
    scenario = laid(tmp_path, name="told", scenarios__told=TOLD, munitions__test_round=STEPS).override({f"{LINE}.parts.body.capacity": 6.0})

    def line(part: str | None = None, **time: Any) -> schema.Observation:
        return made("line", "all", **time, **({"part": part} if part else {}))

    year, summer = {"start": "2025-01-01", "end": "2026-01-01"}, {"start": "2025-06-16", "end": "2025-07-17"}
    found = predicted(
        scenario, line("fuze", date="2025-06-30"), line("fuze", date="2025-07-01"), line(date="2025-07-01"), line("fuze", **year),
        line(**year), line("fuze", **summer),
    )
    before, after = 15 / 30, 16 / 31
    exact = [4.0, 8.0, 6.0, 6.0, 5.0, (4 * before + 8 * after) / (before + after)]
    np.testing.assert_allclose(found, np.array(exact)[:, None] * np.ones(2))


def test_what_lies_outside_the_run_is_refused(tmp_path: Path) -> None:
    scenario = laid(tmp_path)
    for time, inside in (({"date": "2028-01-01"}, True), ({"date": "2028-01-02"}, False), ({"date": "2024-12-31"}, False)):
        measure, _ = measure_of(made("on_hand", **time), RECIPIENTS)
        assert measure is not None and in_run(measure, scenario) == inside
        if not inside:
            with pytest.raises(sp.InputError, match="outside the run"):
                Predictor(scenario, [measure])


# ---------------------------------------------------------------- ledger


def test_conflicts_stay_side_by_side_and_are_no_evidence(tmp_path: Path) -> None:
    on_hand = scope("on_hand")
    thaad = {"munition": None, "item": '"THAAD"', "conflict": '"thaad"', **WINDOW}
    found = ledger(
        laid(
            tmp_path,
            observation("one", on_hand, 280, conflict='"pair"', date="2025-05-01"),
            observation("two", on_hand, 534, conflict='"pair"', date="2025-05-01"),
            observation("kept", on_hand, 100, conflict='"settled"', date="2025-05-01"),
            observation("dropped", on_hand, 300, conflict='"settled"', used="false", date="2025-05-01"),
            observation("thaad_few", scope("used", match="other"), 92, **thaad),
            observation("thaad_many", scope("used", match="other"), 150, bound='"at_least"', **thaad),
            observation("basis", on_hand, 100, used_in=f'["{LINE}.lead_time"]', date="2025-05-01"),
            observation("closing", on_hand, 100, closes_the_books="true", date="2025-05-01"),
        )
    ).by_name
    assert {name for name in ("one", "two", "kept", "dropped", "thaad_few", "thaad_many") if found[name].in_conflict} == {
        "one", "two", "thaad_few", "thaad_many",
    }
    assert [name for name in ("one", "two", "kept", "dropped", "basis", "closing") if found[name].is_new_evidence] == ["kept"]
    assert [found[name].observation.value for name in ("one", "two", "thaad_few", "thaad_many")] == [280, 534, 92, 150]
    assert found["thaad_few"].measure is None and found["thaad_few"].because


def test_observations_are_known_from_the_day_of_their_latest_source(tmp_path: Path) -> None:
    both = '["made_up_early", "made_up_late"]'
    found = ledger(
        laid(
            tmp_path,
            observation("early", scope("on_hand"), 5, source="made_up_early", date="2025-05-01"),
            observation("late", scope("on_hand"), 5, date="2025-01-01"),
            observation("rests", scope("on_hand"), 5, date="2025-01-01").replace('source = ["made_up_late"]', f"source = {both}"),
        )
    )
    mine = {"early", "late", "rests"}
    assert {name: entry.published for name, entry in found.by_name.items() if name in mine} == {
        "early": dt.date(2024, 6, 1), "late": dt.date(2025, 12, 1), "rests": dt.date(2025, 12, 1),
    }
    assert {entry.name for entry in found.known_at(dt.date(2025, 11, 30))} & mine == {"early"}
    assert {entry.name for entry in found.known_at(dt.date(2025, 12, 1))} & mine == mine


def test_the_digest_stands_for_every_figure_and_how_it_is_read(tmp_path: Path) -> None:
    def digest(place: str, value: float, **files: str) -> str:
        return ledger(laid(tmp_path / place, observation("one", scope("on_hand"), value, date="2025-05-01"), **files)).digest

    error = '[count]\nunit = "1"\nrole = "constant"\nvalue = 0.04\ngrade = "assumed"\nnote = "made up"\n'
    same = digest("a", 5)
    assert digest("b", 5) == same
    assert len({same, digest("c", 6), digest("d", 5, reading=error)}) == 3


def test_every_shipped_observation_is_compared_or_says_why_not() -> None:
    found = ledger(sp.load("november_2026"))
    assert len(found.entries) >= 4
    for entry in found.entries:
        assert (entry.measure is None) == bool(entry.because) == (entry.reading is None), entry.name
    assert len(found.table()) == len(found.entries)
