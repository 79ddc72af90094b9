"""The ledger's figures of 155 mm shells and air-to-air missiles: what they are held against, and what is no new evidence."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from walk import names, of_munition, repeated

import stockpile as sp
from stockpile import schema
from stockpile.analysis.purchases import purchases
from stockpile.evidence.ledger import Entry, ledger
from stockpile.evidence.predict import Predictor, in_run
from stockpile.evidence.reading import reading_of

ROOT = Path(__file__).parents[1]
PARAMS = ROOT / "params"
FILES = {"shell_155mm": 40, "air_to_air": 35}
"""Files, and how many rows each has at least."""
MUNITIONS = ("shell_155mm", "aim120", "aim9x")
CAPACITY = "munitions.shell_155mm.line.parts.bodies.capacity"
AFTER = {
    "shell_output_2025_07": (dt.date(2025, 8, 21), 40_000, "about"), "shell_output_2025_10": (dt.date(2025, 10, 17), 40_000, "about"),
    "shell_output_2026_02_below_goal": (dt.date(2026, 2, 27), 100_000, "at_most"),
}
"""What was said of the output after the forecast of July 2025: when it came out, how much, and how it is read."""
JULY = sp.load("july_2025")
LEDGER = ledger(JULY)


OURS = [LEDGER.by_name[name] for file in FILES for name in names(file)]


def group(conflict: str) -> list[Entry]:
    return [entry for entry in LEDGER.entries if entry.observation.conflict == conflict]


# ---------------------------------------------------------------- coverage


@pytest.mark.parametrize(("file", "least"), FILES.items())
def test_each_file_has_its_rows_by_date_under_names_of_its_own(file: str, least: int) -> None:
    here = names(file)
    days = [LEDGER.by_name[name].observation.day for name in here]
    assert len(here) >= least and days == sorted(days)
    elsewhere = {name for path in (PARAMS / "observations").glob("*.toml") if path.stem != file for name in names(path.stem)}
    assert not elsewhere & set(here)


def test_budget_quantities_are_those_of_the_books() -> None:
    missile, short = (purchases(LEDGER, munition, JULY.as_of) for munition in ("aim120", "aim9x"))
    assert {one.first: one.span[1] for one in missile.bought} == {2014: 268, 2015: 223, 2016: 400}
    assert {one.first: one.span[1] for one in short.bought} == {2013: 184, 2014: 331, 2015: 356, 2016: 606}
    assert [(one.first, one.span[1]) for one in missile.requested] == [(2017, 419)]
    assert [(one.first, one.span[1]) for one in short.requested] == [(2017, 325)]
    for found, rounds in ((missile, 11_981), (short, 5_398)):
        assert found.before is not None and (found.before.span[1], found.before.last) == (rounds, 2016)


# ---------------------------------------------------------------- conflicts


@pytest.mark.parametrize(
    ("conflict", "values"),
    [
        ("shell_output_2022_02", [14_000, 14_400, 14_500, 15_000]), ("shell_output_2023_03", [20_000, 25_000]),
        ("shell_output_2023_10", [22_000, 28_000]), ("shell_output_2024_06", [30_000, 36_000]),
        ("shell_output_2025_spring", [40_000, 57_600]), ("shell_korea_loan", [415_000, 500_000]), ("aim120_output_2024", [575, 960]),
        ("aim9x_contract_619", [571, 619, 643]),
    ],
)
def test_conflicting_figures_stand_side_by_side_and_none_is_new_evidence(conflict: str, values: list[int]) -> None:
    beside = [entry for entry in group(conflict) if entry.observation.unit != "round/day"]
    assert sorted(entry.observation.value for entry in beside) == values
    assert all(entry.observation.used and entry.in_conflict and not entry.is_new_evidence for entry in beside)


def test_the_figure_left_out_says_why_and_decides_for_the_other() -> None:
    kept, out = LEDGER.by_name["shell_output_2022_09_ndia"], LEDGER.by_name["shell_output_2022_09_des_roches"]
    assert kept.observation.conflict == out.observation.conflict and not out.observation.used and out.observation.note
    assert not kept.in_conflict and not out.is_new_evidence


def test_the_type_of_the_missiles_held_in_july_2025_is_left_open() -> None:
    types = {entry.name: entry for entry in group("aim_withheld_2025_07_type")}
    assert {entry.observation.munition or entry.observation.item for entry in types.values()} >= {"aim120", "aim9x", "AIM-7 missiles"}
    assert all(entry.measure is None and entry.in_conflict for entry in types.values())


# ---------------------------------------------------------------- what is held against what


def test_projectiles_compare_with_bodies_and_charges_with_charges() -> None:
    lines = [entry for entry in OURS if entry.observation.munition == "shell_155mm" and entry.observation.scope.state == "line"]
    assert len(lines) > 20
    for entry in lines:
        variant = entry.observation.scope.variant
        expected = "bodies" if "projectiles" in variant else "charges" if variant.startswith("propelling charges") else None
        assert entry.measure is not None and entry.measure.part == expected, entry.name
        assert (expected is None) == variant.startswith("complete 155 mm rounds"), entry.name


def test_a_complete_round_is_neither_of_its_parts() -> None:
    entries = [LEDGER.by_name[name] for name in ("shell_output_2024_09", "shell_charges_2024_09", "shell_complete_rounds_2024_09")]
    bodies, charges, complete = Predictor(JULY, [entry.measure for entry in entries if entry.measure]).drawn(64, 1)
    assert np.all(bodies > 1.5 * charges) and np.array_equal(complete, np.minimum(bodies, charges))
    wrong = [reading_of(entry.observation, reading()).holds(drawn) for entry, drawn in zip(entries, (charges, bodies), strict=False)]
    assert not np.any(wrong)


def reading() -> schema.Reading:
    found = JULY.files().models["reading",]
    assert isinstance(found, schema.Reading)
    return found


def test_commitments_of_all_authorities_are_compared_with_nothing_or_only_as_bounds() -> None:
    to_ukraine = [entry for entry in OURS if entry.observation.scope.owner == "ukraine" and entry.observation.munition == "shell_155mm"]
    promised = [entry for entry in to_ukraine if entry.observation.scope.state == "promised"]
    assert sum("all authorities" in entry.observation.scope.variant for entry in promised) >= 12
    assert all(entry.measure is None and entry.because for entry in promised)
    moved = [entry for entry in to_ukraine if entry.observation.scope.state in ("sent", "received", "delivered")]
    assert {entry.name for entry in moved} >= {"shell_sent_drawdown_2024_03", "shell_us_delivered_2025", "shell_wrsa_i_moved_2023_01"}
    assert all(entry.reading is not None and entry.reading.kind in ("at_least", "at_most") for entry in moved)


def test_counts_of_all_calibres_or_models_are_upper_bounds_at_most() -> None:
    wider = [entry for entry in OURS if entry.observation.scope.match == "wider" and entry.measure is not None]
    assert len(wider) > 8 and all(entry.reading is not None and entry.reading.kind == "at_most" for entry in wider)
    assert LEDGER.by_name["aim120_red_sea_2024"].measure is None


@pytest.mark.parametrize(("name", "said"), AFTER.items())
def test_what_was_said_after_july_2025_is_an_out_of_sample_test_of_the_ramp(name: str, said: tuple[dt.date, int, str]) -> None:
    entry = LEDGER.by_name[name]
    published, value, bound = said
    assert entry.published == published > JULY.as_of and (entry.observation.value, entry.observation.bound) == (value, bound)
    assert entry.measure is not None and entry.measure.part == "bodies" and in_run(entry.measure, JULY)
    assert entry not in LEDGER.known_at(JULY.as_of) and CAPACITY in entry.observation.used_in and not entry.in_conflict


# ---------------------------------------------------------------- no figure twice


@pytest.mark.parametrize("munition", MUNITIONS)
def test_no_new_evidence_repeats_value_and_source_of_a_parameter(munition: str) -> None:
    parameters = of_munition(munition)
    assert len(parameters) > 30
    rows = [entry for entry in OURS if entry.observation.munition == munition]
    assert not {entry.name: paths for entry in rows if entry.is_new_evidence and (paths := repeated(entry.observation, parameters))}


def test_the_walk_over_parameters_finds_what_is_repeated() -> None:
    # The rows below would be new evidence if they did not name the parameters that rest on them; the walk must see that.
    for name, munition, path in (
        ("shell_output_2025_07", "shell_155mm", CAPACITY),
        ("shell_withheld_2025_07", "shell_155mm", "events.tranche_2025_07.rounds.shell_155mm.rounds"),
        ("shell_aim_100k_october_2025", "shell_155mm", "munitions.shell_155mm.line.parts.bodies.plans.p100_october_2025"),
        ("aim120_deliveries_planned_fy2022", "aim120", "munitions.aim120.line.parts.missile.capacity"),
        ("aim9x_canada_2023", "aim9x", "events.canada_aim9_2023.rounds.aim9x.total"),
    ):
        item = LEDGER.by_name[name].observation
        if item.unit == "round" and path.endswith("capacity"):
            item = item.model_copy(update={"unit": "round/year"})
        assert path in repeated(item, of_munition(munition)), name
        assert any(path.startswith(base) for base in item.used_in), name


def test_every_output_that_compares_says_which_parameter_rests_on_it() -> None:
    compared = [entry for entry in OURS if entry.measure is not None and entry.measure.part == "bodies"]
    without = {entry.name for entry in compared if not entry.observation.used_in}
    assert without == {"shell_output_2023_10_register"}
