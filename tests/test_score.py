"""The scoreboard: the rules of scoring against references and made-up truths, totals, campaigns given, and mass balance by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Call
from reported import FULL, LINE, laid, observation, scope
from scipy import stats

import stockpile as sp
from stockpile.analysis.score_sentences import digests, of_score, three
from stockpile.evidence import balance, scoring
from stockpile.evidence.given import given
from stockpile.evidence.reading import SCORE, Reading
from stockpile.evidence.score import BOTH, CLOSES, CONFLICT, COUNTED, GIVEN, IN, INPUT, OUT, UNKNOWN, Score
from stockpile.report.workbench import scores

STOCK = scope("on_hand")
DAY = {"date": "2025-05-01"}
"""On 1 May 2025 the full line has brought the stock to 140."""


def at(found: Score, name: str, way: str = UNKNOWN) -> Any:
    frame = found.observations
    rows = frame[(frame["name"] == name) & (frame["campaigns"] == way)]
    assert len(rows) == 1
    return rows.iloc[0]


def totals(found: Score, way: str = UNKNOWN) -> dict[tuple[str, str], tuple[int, int]]:
    """Return figures and hits by sample and standing."""
    own = found.summary[found.summary["campaigns"] == way]
    return {(row["sample"], row["standing"]): (row["figures"], row["hits"]) for _, row in own.iterrows()}


def full(folder: Path, *observations: str, **files: str) -> sp.Scenario:
    return laid(folder, *observations, **files).override(FULL)


# ---------------------------------------------------------------- rules


def test_crps_is_that_of_the_definition() -> None:
    random = np.random.default_rng(3)
    cases = ((random.normal(5, 2, 150), 4.0), (random.lognormal(0, 1, 80), 9.0), (np.full(7, 3.0), 3.0), (np.array([1.0, 4.0]), 2.0))
    for draws, value in cases:
        pairs = [abs(a - b) for i, a in enumerate(draws) for j, b in enumerate(draws) if i != j]
        exact = np.mean([abs(a - value) for a in draws]) - 0.5 * np.mean(pairs)
        assert scoring.crps(draws, value) == pytest.approx(exact, abs=1e-12)


def test_crps_of_a_normal_distribution_is_the_known_one_however_few_the_draws() -> None:
    random, y = np.random.default_rng(4), 0.7
    exact = y * (2 * stats.norm.cdf(y) - 1) + 2 * stats.norm.pdf(y) - 1 / math.sqrt(math.pi)
    assert scoring.crps(random.normal(size=400_000), y) == pytest.approx(exact, abs=0.004)
    few = np.mean([scoring.crps(random.normal(size=4), y) for _ in range(40_000)])
    assert few == pytest.approx(exact, abs=0.01)


def test_intervals_cover_made_up_truths_as_often_as_they_say() -> None:
    # A truth is drawn as the model draws, and reported with the error that is known.
    random, below, above, truths = np.random.default_rng(5), 4.0, 15.0, 1500
    found = []
    for _ in range(truths):
        centre = random.normal(0.0, 50.0)
        predicted = random.normal(centre, 10.0, 600)
        truth = random.normal(centre, 10.0)
        exact = Reading("about", 0.0, -below * SCORE, above * SCORE)
        value = float(exact.reported(np.array([truth]), random.uniform(size=1))[0])
        reading = Reading("about", value, value - below * SCORE, value + above * SCORE)
        found.append(scoring.verdict(reading, predicted, random.uniform(size=600)))
    for level, inside in ((0.5, [one.inside50 for one in found]), (0.9, [one.is_hit for one in found])):
        low, high = stats.binom.interval(0.999, truths, level)
        assert low <= sum(map(bool, inside)) <= high
    assert stats.kstest([one.pit for one in found], "uniform").pvalue > 0.001
    assert all((abs(one.place) <= 1.0) == one.is_hit for one in found)


def test_intervals_that_are_too_narrow_are_found_out() -> None:
    random = np.random.default_rng(6)
    reading = [Reading("about", value, value - SCORE, value + SCORE) for value in random.normal(0.0, 10.0, 400)]
    hits = [scoring.verdict(one, random.normal(0.0, 3.0, 600), random.uniform(size=600)).is_hit for one in reading]
    assert sum(hits) / len(hits) < 0.6


def test_an_inequality_misses_where_it_holds_with_less_than_5_percent() -> None:
    predicted, uniforms = np.random.default_rng(7).normal(100.0, 10.0, 20_000), np.random.default_rng(8).uniform(size=20_000)
    for kind, sign in (("at_least", 1.0), ("at_most", -1.0)):
        for score, hit in ((1.4, True), (1.9, False)):
            value = 100.0 + sign * score * 10.0
            found = scoring.verdict(Reading(kind, value, value - 0.1, value + 0.1), predicted, uniforms)
            assert found.is_hit == hit and found.probability == pytest.approx(stats.norm.sf(score), abs=0.006)
            assert found.error == pytest.approx(-sign * score * 10.0, abs=0.3) and math.isnan(found.crps) and found.inside50 is None
        easy = scoring.verdict(Reading(kind, 100.0 - sign * 30.0, 0.0, 200.0), predicted, uniforms)
        assert easy.is_hit and easy.error == 0.0 and easy.place == 0.0
    far = scoring.verdict(Reading("between", 150.0, 140.0, 160.0), predicted, uniforms)
    assert not far.is_hit and far.place > 1.0 and far.error == pytest.approx(-40.0, abs=0.5)


def test_bins_of_transforms_count_every_value_once() -> None:
    rows = scoring.in_bins(np.array([0.0, 0.05, 0.3, 0.96, 1.0]))
    assert [count for _, _, count, _ in rows] == [1, 1, 1, 0, 0, 2]
    assert sum(expected for _, _, _, expected in rows) == pytest.approx(5.0)


# ---------------------------------------------------------------- totals


def test_figures_in_conflict_are_shown_each_with_its_verdict_and_counted_in_no_total(tmp_path: Path) -> None:
    conflict = {"conflict": '"pair"', **DAY}
    found = sp.score(
        full(
            tmp_path,
            observation("right", STOCK, 140, **conflict),
            observation("wrong", STOCK, 534, **conflict),
            observation("alone", STOCK, 141, **DAY),
            observation("kept", STOCK, 139, conflict='"settled"', **DAY),
            observation("dropped", STOCK, 300, conflict='"settled"', used="false", **DAY),
        ),
        UNKNOWN, members=300,
    )
    assert at(found, "right").hit and not at(found, "wrong").hit
    assert {at(found, name).standing for name in ("right", "wrong")} == {CONFLICT}
    assert at(found, "dropped").standing == "set aside" and not at(found, "dropped").hit
    assert totals(found)[OUT, COUNTED] == (2, 2) and totals(found)[OUT, CONFLICT] == (2, 1)
    assert found.coverage["figures"].tolist() == [2, 2] and found.kinds["figures"].tolist() == [2]
    assert found.pit["figures"].sum() == 2


def test_in_sample_and_out_of_sample_are_told_apart_by_the_date_of_publication(tmp_path: Path) -> None:
    used = {"used_in": f'["{LINE}.lead_time"]'}
    found = sp.score(
        full(
            tmp_path,
            observation("known", STOCK, 140, source="made_up_early", **DAY),
            observation("basis", STOCK, 140, source="made_up_early", **DAY, **used),
            observation("later", STOCK, 140, **DAY),
            observation("later_basis", STOCK, 140, **DAY, **used),
        ),
        members=300,
    )
    for way in (UNKNOWN, GIVEN):
        assert {name: at(found, name, way)["sample"] for name in ("known", "basis", "later", "later_basis")} == {
            "known": IN, "basis": IN, "later": OUT, "later_basis": OUT,
        }
        # What was published later cannot have been an input of the frozen parameters.
        assert totals(found, way) == {(OUT, COUNTED): (2, 2), (IN, COUNTED): (1, 1), (IN, INPUT): (1, 1)}


def test_misses_come_first(tmp_path: Path) -> None:
    values = {"near": 143.0, "right": 140.0, "far": 900.0, "off": 200.0}
    found = sp.score(full(tmp_path, *(observation(name, STOCK, value, **DAY) for name, value in values.items())), UNKNOWN, members=300)
    mine = found.observations[found.observations["name"].isin(values)]
    assert mine["name"].tolist() == ["far", "off", "near", "right"]
    assert mine["hit"].tolist() == [False, False, True, True]
    assert of_score(found)[0].startswith("Out of sample, campaigns unknown: 2 of 4 figures published after 31 December 2024 hit; missed: ")
    assert "Made-up far (reported 900" in of_score(found)[0]


def test_numbers_of_a_row_are_in_its_own_unit(tmp_path: Path) -> None:
    rate = observation("rate", scope("line", "all"), 130, unit='"round/year"', **DAY)
    share = observation("share", STOCK, 0.25, unit='"1"', of={"first": 560.0, "second": 1000.0}, **DAY)
    found = sp.score(full(tmp_path, rate, share), UNKNOWN, members=300)
    row = at(found, "rate")
    assert (row.unit, row.value, row.model_q50) == ("round/year", pytest.approx(130.0), pytest.approx(120.0))
    assert row.error == pytest.approx(-10.0, abs=0.5) and row.relative_error == pytest.approx(-10 / 130, abs=0.004)
    row = at(found, "share")
    assert (row.unit, row.statement, row.low, row.high, row.hit) == ("round", "between", 140.0, 250.0, True)
    card = found.denominators[found.denominators["name"] == "share"]
    assert dict(zip(card["denominator"], card["rounds"], strict=True)) == {"first": 140.0, "second": 250.0}


def test_what_is_not_compared_is_listed_with_the_reason(tmp_path: Path) -> None:
    found = sp.score(
        full(
            tmp_path,
            observation("aim", scope("planned", "all"), 100, **DAY),
            observation("outside", STOCK, 100, date="2024-01-01"),
            observation("inside", STOCK, 100, **DAY),
        ),
        UNKNOWN, members=50,
    )
    because = dict(zip(found.left_out["name"], found.left_out["because"], strict=True))
    assert because["aim"] == "the model has no counterpart of planned of all"
    assert because["outside"] == "outside the run, 2025-01-01 to 2028-01-01"
    assert "inside" not in because
    assert because["pac3_july_2026"] == "a munition that the scenario leaves out"
    assert len(because) + found.observations["name"].nunique() == found.manifest["observations"]


def test_nothing_to_compare_gives_empty_tables_and_says_so(tmp_path: Path) -> None:
    found = sp.score(full(tmp_path), members=50)
    assert found.observations.empty and found.summary.empty and found.balance.empty and len(found.left_out)
    assert of_score(found)[0] == "Nothing that was reported can be held against closed_form."


# ---------------------------------------------------------------- frozen


def test_what_is_published_later_moves_no_prediction_and_no_digest_of_parameters(tmp_path: Path) -> None:
    one = observation("one", STOCK, 140, **DAY)
    before = sp.score(full(tmp_path / "a", one), members=200)
    after = sp.score(full(tmp_path / "b", one, observation("two", STOCK, 999, source="made_up_later", **DAY)), members=200)
    assert before.manifest["parameters"] == after.manifest["parameters"]
    assert before.manifest["ledger"] != after.manifest["ledger"]
    assert before.manifest["ways"] == after.manifest["ways"]
    for way in (UNKNOWN, GIVEN):
        assert at(before, "one", way).equals(at(after, "one", way))


def test_digests_are_printed_in_full(tmp_path: Path, call: Call) -> None:
    scenario = laid(tmp_path, observation("one", STOCK, 140, **DAY))
    made = sp.score(scenario, members=50)
    assert digests(made) == f"Frozen: parameters {scenario.digest}, observations {sp.ledger(scenario).digest}."
    done = call("score", "closed_form", "--params", FOLDERS[0], "--params", tmp_path, "--members", "50")
    assert done.code == 0 and digests(made) in done.out


FOLDERS = [Path(__file__).parent / "closed_forms"]


def test_the_same_seed_gives_the_same_bytes_however_many_threads() -> None:
    scenario = sp.load("july_2025").with_munitions(["pac3"])
    first, second = (sp.score(scenario, members=200, seed=3, engine="compiled", threads=threads) for threads in (1, 2))
    for name in ("observations", "summary", "coverage", "pit", "kinds", "balance", "denominators", "left_out"):
        assert getattr(first, name).to_csv() == getattr(second, name).to_csv(), name
    assert first.manifest == second.manifest
    assert sp.score(scenario, members=200, seed=4, engine="compiled").observations.to_csv() != first.observations.to_csv()


def test_one_way_is_the_same_as_both(tmp_path: Path) -> None:
    scenario = told(tmp_path, observation("stock", STOCK, 118, **DAY), observation("bound", STOCK, 150, bound='"at_most"', **DAY))
    both = sp.score(scenario, members=100)
    for way in (UNKNOWN, GIVEN):
        alone = sp.score(scenario, way, members=100).observations
        there = both.observations[both.observations["campaigns"] == way].reset_index(drop=True)
        assert alone.to_csv() == there.to_csv()


def test_what_cannot_be_asked_is_refused() -> None:
    scenario = sp.load("july_2025")
    with pytest.raises(sp.InputError, match=r"campaigns: 'non'.*; .*unknown.*members: 1; allowed: 2 or more|members: 1"):
        sp.score(scenario, "non", members=1)
    with pytest.raises(sp.InputError, match="unknown policy 'nonesuch'"):
        sp.score(scenario, BOTH, "nonesuch", members=10)


# ---------------------------------------------------------------- campaigns given


EVENT = """
title = "{title}"
description = "Made up."
kind = "{kind}"
{who}
start = {start}
end = {end}
[rounds.test_round.rounds]
unit = "round"
value = {value}
source = ["{source}"]
where = "nowhere"
grade = "reported"
"""
LATER_TRAINING = """
[training]
unit = "round/month"
points = [
  { from = 2025-01-01, value = 0, grade = "assumed", note = "made up" },
  { from = 2025-02-01, value = 7, grade = "reported", source = ["made_up_late"], where = "nowhere" },
]
"""


def event(kind: str, who: str = "", *, value: float = 20.0, source: str = "made_up_late", start: str = "2025-02-01") -> str:
    return EVENT.format(title=f"Made-up {kind}", kind=kind, who=who, start=start, end="2025-04-01", value=value, source=source)


def told(folder: Path, *observations: str) -> sp.Scenario:
    return full(
        folder,
        *observations,
        events__known=event("operation", 'cause = "us"', value=5.0, source="made_up_early"),
        events__campaign=event("operation", 'cause = "us"'),
        events__gift=event("inflow", value=3.0),
        munitions__test_round=LATER_TRAINING,
    )


def test_given_adds_the_later_events_and_nothing_else(tmp_path: Path) -> None:
    scenario = told(tmp_path)
    found = given(scenario)
    assert found.added == ("campaign", "gift")
    before, after = dict(scenario.tree), dict(found.scenario.tree)
    events = after.pop("events")
    assert {name: one for name, one in events.items() if name not in found.added} == before.pop("events")
    assert not after.pop("campaigns") and not before.pop("campaigns")
    # Correlated groups are brought down to what there is; nothing else differs, the later training included.
    for tree in (before, after):
        tree["model"] = {key: one for key, one in tree["model"].items() if key != "correlations"}
    assert before == after
    assert found.scenario.as_of == scenario.as_of and found.scenario.overridden == scenario.overridden
    assert given(scenario, scenario.as_of).added == ()


def test_given_events_move_the_stock_by_what_they_say(tmp_path: Path) -> None:
    found = sp.score(told(tmp_path, observation("stock", STOCK, 118, **DAY)), members=200)
    assert at(found, "stock").model_q50 == pytest.approx(140 - 5, abs=1e-6)
    assert at(found, "stock", GIVEN).model_q50 == pytest.approx(140 - 5 - 20 + 3, abs=1e-6)
    assert (at(found, "stock").hit, at(found, "stock", GIVEN).hit) == (False, True)
    assert found.manifest["ways"][GIVEN]["events_put_in"] == ["campaign", "gift"]
    assert found.manifest["ways"][GIVEN]["parameters"] != found.manifest["ways"][UNKNOWN]["parameters"] == found.manifest["parameters"]


def test_a_figure_that_a_given_event_rests_on_is_an_input_there(tmp_path: Path) -> None:
    window = {"start": "2025-02-01", "end": "2025-04-01"}
    use = observation("use", scope("used"), 20, used_in='["events.campaign.rounds.test_round.rounds"]', **window)
    closing = observation("closing", STOCK, 100, closes_the_books="true", **DAY)
    found = sp.score(told(tmp_path, use, closing), members=200)
    assert (at(found, "use").standing, at(found, "use", GIVEN).standing) == (COUNTED, INPUT)
    assert (at(found, "closing").standing, at(found, "closing", GIVEN).standing) == (COUNTED, CLOSES)
    row = at(found, "closing", GIVEN)
    assert (row.residual_low, row.residual_high) == pytest.approx((118 - 103, 118 - 97))
    assert np.isnan(at(found, "closing").residual_low)


def test_the_shipped_campaign_of_2026_is_unknown_in_july_2025_and_given_later() -> None:
    scenario = sp.load("july_2025")
    found = given(scenario)
    assert scenario.campaigns and "campaign_2026" not in scenario.events
    assert "campaign_2026" in found.added and not found.scenario.campaigns
    for name in found.added:
        events = found.scenario.events[name].rounds.values()
        points = [point for factors in events for factor in factors.values() for point in getattr(factor, "points", ())]
        assert max(found.scenario.sources[key].published for point in points for key in point.source) > scenario.as_of
    assert given(sp.load("november_2026")).added == ()


# ---------------------------------------------------------------- mass balance


def snapshots(folder: Path, *observations: str) -> Score:
    first = observation("first", STOCK, 120, low=110, high=130, date="2025-03-01")
    last = observation("last", STOCK, 100, low=95, high=105, date="2025-06-01")
    return sp.score(full(folder, first, last, *observations), UNKNOWN, members=100)


def balance_of(found: Score) -> Any:
    assert len(found.balance) == 1
    return found.balance.iloc[0]


WINDOW = {"start": "2025-03-01", "end": "2025-06-01"}


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(45, 55, balance.CLOSES), (66, 70, balance.LESS), (10, 34, balance.MORE), (64, 80, balance.CLOSES)],
)
def test_two_snapshots_and_the_deliveries_between_say_what_was_used(tmp_path: Path, low: float, high: float, verdict: str) -> None:
    # 110 to 130 less 95 to 105, and 3 x 10 delivered: 35 to 65 were used.
    row = balance_of(snapshots(tmp_path, observation("use", scope("used"), (low + high) / 2, low=low, high=high, **WINDOW)))
    assert (row.deliveries_low, row.deliveries_high) == pytest.approx((30, 30))
    assert (row.transfers_high, row.other_low, row.model_use_high) == pytest.approx((0, 0, 0), abs=1e-9)
    assert (row.implied_low, row.implied_middle, row.implied_high) == pytest.approx((35, 50, 65))
    assert (row.residual_low, row.residual_high) == pytest.approx((35 - high, 65 - low))
    assert (row.verdict, row.covers, row.use_name) == (verdict, 1.0, "use")
    assert not row.in_conflict and not row.set_aside and row.derived == ""


def test_use_of_a_part_of_the_time_bounds_from_below_alone(tmp_path: Path) -> None:
    part = {"start": "2025-03-01", "end": "2025-04-16"}
    for place, value, verdict in (("a", 20, balance.PART), ("b", 90, balance.LESS_THAN_PART)):
        row = balance_of(snapshots(tmp_path / place, observation("use", scope("used"), value, **part)))
        assert row.verdict == verdict and row.covers == pytest.approx(46 / 92)


def test_without_a_published_use_all_of_it_is_residual(tmp_path: Path) -> None:
    early = observation("early", scope("used"), 5, start="2025-01-01", end="2025-04-01")
    row = balance_of(snapshots(tmp_path, early))
    assert row.verdict == balance.NONE and (row.residual_low, row.residual_high) == pytest.approx((35, 65))


def test_conflicts_are_carried_into_the_balance_and_not_settled(tmp_path: Path) -> None:
    uses = [observation(name, scope("used"), value, conflict='"uses"', **WINDOW) for name, value in (("one", 50), ("two", 500))]
    aside = observation("weak", STOCK, 60, conflict='"stocks"', used="false", date="2025-06-01")
    found = snapshots(tmp_path, *uses, aside).balance
    assert {(row["to_name"], row["use_name"]): (row["verdict"], row["in_conflict"], row["set_aside"]) for _, row in found.iterrows()} == {
        ("last", "one"): (balance.CLOSES, True, False),
        ("last", "two"): (balance.LESS, True, False),
        ("weak", "one"): (balance.MORE, True, True),
        ("weak", "two"): (balance.LESS, True, True),
    }


def test_figures_of_another_scope_are_no_snapshots(tmp_path: Path) -> None:
    others = [
        observation("wider", scope("on_hand", match="wider"), 300, date="2025-04-01"),
        observation("bound", STOCK, 50, bound='"at_least"', date="2025-05-01"),
        observation("theirs", scope("on_hand", "ukraine"), 5, date="2025-04-01"),
    ]
    row = balance_of(snapshots(tmp_path, *others))
    assert (row.from_name, row.to_name) == ("first", "last")


def test_the_books_of_the_shipped_patriot_snapshots() -> None:
    found = sp.score(sp.load("november_2026").with_munitions(["pac3"]), GIVEN, members=400, engine="compiled").balance
    own = found[(found["from_name"] == "pac3_before_campaign_2026") & (found["to_name"] == "pac3_after_campaign_2026")]
    assert len(own)
    for _, row in own.iterrows():
        assert row["implied_low"] == pytest.approx(
            row["from_low"] - row["to_high"] + row["deliveries_middle"] - row["transfers_middle"] + row["other_middle"], abs=60
        )
        assert row["implied_low"] < 1245 < row["implied_high"] and "pac3_after_campaign_2026" in row["derived"]


# ---------------------------------------------------------------- command line and page


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Score:
    folder = tmp_path_factory.mktemp("made")
    share = observation("share", STOCK, 0.25, unit='"1"', of={"first": 560.0, "second": 1000.0}, **DAY)
    values = {"near": 145.0, "far": 900.0}
    extra = [observation(name, STOCK, value, **DAY) for name, value in values.items()]
    known = observation("known", STOCK, 141, source="made_up_early", **DAY)
    use = observation("use", scope("used"), 50, start="2025-03-01", end="2025-06-01")
    first, last = observation("first", STOCK, 120, date="2025-03-01"), observation("last", STOCK, 100, date="2025-06-01")
    return sp.score(full(folder, share, *extra, known, use, first, last), members=100)


def test_the_command_prints_misses_first_and_both_ways(tmp_path: Path, call: Call) -> None:
    laid(tmp_path, observation("hit", STOCK, 100, **DAY), observation("miss", STOCK, 900, **DAY))
    asked = ("score", "closed_form", "--params", *FOLDERS, "--params", tmp_path, "--members", "60")
    done = call(*asked)
    assert done.code == 0 and not done.err
    assert done.out.index("MISS") < done.out.index(" hit  counted")
    assert done.out.index("Campaigns unknown:") < done.out.index("Campaigns given:")
    assert "Campaigns given:" not in call(*asked, "--campaigns", "unknown").out
    data = call(*asked, "--json").json
    assert data["manifest"]["members"] == 60 and data["observations"][0]["name"] == "miss" and data["summary"][0]["misses"] == 1
    table = tmp_path / "score.csv"
    assert call(*asked, "-o", table).code == 0
    assert table.read_text(encoding="utf-8").splitlines()[1].startswith("unknown,out of sample,counted,False,miss,")
    assert call(*asked, "-o", tmp_path / "score.parquet").code == 0
    everything = tmp_path / "score.json"
    assert call(*asked, "-o", everything).code == 0 and json.loads(everything.read_text(encoding="utf-8"))["balance"] == []


def test_the_command_prints_the_ledger(tmp_path: Path, call: Call) -> None:
    scenario = laid(tmp_path, observation("one", STOCK, 100, **DAY))
    asked = ("score", "closed_form", "--params", *FOLDERS, "--params", tmp_path, "--ledger")
    done = call(*asked)
    assert done.code == 0 and sp.ledger(scenario).digest in done.out and "test_round: us_on_hand[us] on 2025-05-01" in done.out
    assert len(call(*asked, "--json").json["observations"]) == len(sp.ledger(scenario).entries)


@pytest.mark.parametrize(
    "arguments", [("--members", "1"), ("--members", "many"), ("--campaigns", "some"), ("--policy", "nonesuch"), ("nonesuch",)]
)
def test_the_command_refuses_what_cannot_be(call: Call, arguments: tuple[str, ...]) -> None:
    done = call("score", *arguments)
    assert done.code == 2 and done.err and not done.out


def test_the_section_has_misses_on_top_and_a_table_for_everything(made: Score) -> None:
    section = scores.section(made, "s", None)
    assert three(1_000_000.0) == "1,000,000" and three(-1234.5) == "-1,230" and three(0.01234) == "0.0123"
    assert section.sentences[0].startswith("Out of sample, campaigns unknown:") and "missed: " in section.sentences[0]
    assert [chart.id for chart in section.charts] == ["s-unknown-out", "s-unknown-in", "s-given-out", "s-given-in"]
    chart = section.charts[0]
    verdicts = [row[1] for row in chart.table.rows]
    assert verdicts == sorted(verdicts, key=lambda one: one != "miss") and "miss" in verdicts and "hit" in verdicts
    marks = {trace["name"]: trace for trace in chart.spec["data"]}
    assert marks["miss, counted"]["marker"]["symbol"] != marks["hit, counted"]["marker"]["symbol"]
    assert marks["miss, counted"]["y"][0] == 0 and max(marks["miss, counted"]["y"]) < min(marks["hit, counted"]["y"])
    captions = [table.caption for table in section.tables]
    assert any("25 % of what?" in caption.replace("\N{NO-BREAK SPACE}", " ") for caption in captions)
    card = next(table for table in section.tables if table.caption.startswith("Made-up share"))
    assert [row[2] for row in card.rows] == ["140", "250"]
    assert {"Mass balance of published US stocks, rounds", "By kind of figure"} <= set(captions)
    assert made.manifest["ledger"] in dict(section.facts)["Frozen"]


def test_the_page_is_written(made: Score, tmp_path: Path) -> None:
    target = tmp_path / "score.html"
    sp.report(made, target)
    text = target.read_text(encoding="utf-8")
    assert "Mass balance of published US stocks" in text and made.manifest["ledger"] in text
