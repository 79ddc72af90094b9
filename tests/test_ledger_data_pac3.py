"""The ledger's figures of PAC-3 and of munitions outside the model: rivals side by side, bounds as bounds, and no figure twice."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from walk import names, of_munition, repeated

import stockpile as sp
from stockpile.analysis.purchases import Purchases, purchases
from stockpile.evidence.ledger import Entry, ledger
from stockpile.evidence.predict import in_run

FILES = {"pac3": 45, "other_munitions": 45}
"""Files, and how many rows each has at least."""
CAPACITY = "munitions.pac3.line.parts.missile.capacity"
JULY, NOVEMBER = sp.load("july_2025"), sp.load("november_2026")
LEDGER = ledger(NOVEMBER)
STOCKS = ("pac3_before_campaign_2026", "pac3_before_campaign_2026_low", "pac3_after_campaign_2026", "pac3_july_2026")
OURS = [LEDGER.by_name[name] for name in names("pac3")]


def group(conflict: str) -> dict[str, Entry]:
    return {entry.name: entry for entry in LEDGER.entries if entry.observation.conflict == conflict}


def stand(entry: Entry) -> tuple[str, str, dt.date, float]:
    item = entry.observation
    return item.scope.state, item.scope.owner, item.day, item.value


def bought(scenario: sp.Scenario) -> Purchases:
    return purchases(ledger(scenario), "pac3", scenario.as_of)


@pytest.mark.parametrize(("file", "least"), FILES.items())
def test_each_file_has_its_rows_by_date(file: str, least: int) -> None:
    days = [LEDGER.by_name[name].observation.day for name in names(file)]
    assert len(days) >= least and days == sorted(days)


# ---------------------------------------------------------------- rivals


@pytest.mark.parametrize(
    ("conflict", "first", "second"),
    [
        ("thaad_used_2025_06", ("thaad_used_2025_06_jinsa", 92, "about"), ("thaad_used_2025_06_wsj", 150, "at_least")),
        ("thaad_inventory_before_2026", ("thaad_delivered_through_2025", 534, "about"), ("thaad_inventory_table", 280, "about")),
        ("pac3_bought_law_2025", ("pac3_bought_law_2025_missiles", 96, "about"), ("pac3_bought_law_2025_recertification", 0, "about")),
        ("pac3_delivered_2025", ("pac3_delivered_2025", 620, "about"), ("pac3_rate_2026_01", 600, "about")),
        ("pac3_average_bought", ("pac3_average_bought_2017_2026", 225, "about"), ("pac3_average_bought_tectonic", 270, "about")),
        ("pac3_rate_2027", ("pac3_plan_650", 650, "about"), ("pac3_plan_750", 750, "about")),
        ("pac3_used_campaign_2026", ("pac3_used_campaign_39_days", 1245, "about"), ("pac3_used_first_16_days", 402, "about")),
    ],
)
def test_rivals_stand_side_by_side(conflict: str, first: tuple[str, float, str], second: tuple[str, float, str]) -> None:
    rivals = group(conflict)
    for name, value, bound in (first, second):
        entry = rivals[name]
        item = entry.observation
        assert (item.value, item.bound) == (value, bound) and item.used
        assert entry.in_conflict and not entry.is_new_evidence
    # Nothing between them was made up: each value of the group stands in a row of its own source, and none is their mean.
    mean = 0.5 * (first[1] + second[1])
    assert all(entry.observation.value != mean and entry.observation.source for entry in rivals.values())


def test_rivals_over_thaad_share_no_source() -> None:
    for pair in (("thaad_used_2025_06_jinsa", "thaad_used_2025_06_wsj"), ("thaad_delivered_through_2025", "thaad_inventory_table")):
        first, second = (LEDGER.by_name[name].observation for name in pair)
        assert not set(first.source) & set(second.source)


def test_what_is_no_munition_of_the_model_is_compared_with_nothing() -> None:
    others = [LEDGER.by_name[name] for name in names("other_munitions")]
    assert all(entry.measure is None and entry.because == "no munition of the model" for entry in others)
    items = {(entry.observation.item or "").split()[0] for entry in others}
    assert items == {"THAAD", "SM-3", "Tomahawk", "JASSM", "LRASM", "Precision", "Stinger", "Hellfire", "GMLRS"}


# ---------------------------------------------------------------- how figures are read


def test_25_percent_of_need_is_no_more_than_an_inequality_between_its_denominators() -> None:
    entry = LEDGER.by_name["pac3_share_of_need_2025_07"]
    assert entry.reading is not None and entry.measure is not None and not entry.is_new_evidence
    assert {one.value for one in entry.observation.of.values()} == {3376, 13773}
    assert (entry.reading.kind, entry.reading.low, entry.reading.high) == ("between", 0.25 * 3376, 0.25 * 13773)
    assert list(entry.reading.holds(np.array([843.0, 845.0, 2330.0, 3443.0, 3444.0]))) == [False, True, True, True, False]


def test_counts_that_mix_missiles_or_donors_are_upper_bounds_at_most() -> None:
    wider = {entry.name: entry for entry in OURS if entry.observation.scope.match == "wider"}
    compared = {name for name, entry in wider.items() if entry.measure is not None}
    assert compared >= {"pac3_used_ukraine_winter_2025", "pac3_received_ukraine_2026_03", "pac3_patriot_output_2025"}
    assert {reading.kind for name in compared if (reading := wider[name].reading) is not None} == {"at_most"}
    assert wider["pac3_used_ukraine_total_2026_01"].measure is None


def test_the_residual_after_the_ceasefire_tests_nothing() -> None:
    bound, left = (LEDGER.by_name[name] for name in ("pac3_under_1000_july_2026", "pac3_used_after_ceasefire_2026"))
    assert bound.measure is not None and bound.observation.closes_the_books and not bound.is_new_evidence
    residual = left.observation
    assert residual.circular and left.measure is None and left.because and not left.is_new_evidence
    april, july = (LEDGER.by_name[name].observation.span for name in ("pac3_after_campaign_2026", "pac3_july_2026"))
    # Delivered in between: 68 at 225 a year, 186 at 620 a year.
    assert residual.span == (april[0] - july[1] + 68, april[1] - july[0] + 186)


# ---------------------------------------------------------------- purchases


def test_purchases_known_in_november_2026() -> None:
    found = bought(NOVEMBER)
    years = {one.first: one.span for one in found.bought}
    assert {year: years[year] for year in (2014, 2015, 2016, 2024, 2026)} == {
        2014: (92, 92, 92), 2015: (108, 108, 108), 2016: (112, 112, 112), 2024: (230, 230, 230), 2026: (224, 224, 224),
    }
    # 214 of the yearly budget, and 96 or none of the law of July 2025.
    assert years[2025] == (214, 262, 310)
    assert found.before is not None and (found.before.first, found.before.last, found.before.span) == (2014, 2024, (2047, 2162, 2277))
    assert [one.first for one in found.averaged] == [2024, 2025, 2026] and found.is_up_to_date
    assert found.request is not None and (found.request.first, found.request.span[1]) == (2027, 3203)
    # Between 2,485 and 2,811 bought through fiscal 2026, of an objective of 13,773.
    assert (sum(one.span[0] for one in found.so_far), sum(one.span[2] for one in found.so_far)) == (2485, 2811)


def test_the_emergency_purchase_is_a_part_of_its_year_only() -> None:
    year = next(one for one in bought(NOVEMBER).bought if one.first == 2018)
    assert year.at_least and year.span == (147, 147, 147)


def test_july_2025_knows_neither_later_purchases_nor_the_dispute_over_the_law() -> None:
    found = bought(JULY)
    assert [one.first for one in found.bought][-2:] == [2024, 2025] and found.bought[-1].span == (310, 310, 310)
    assert found.request is not None and (found.request.first, found.request.span[1]) == (2026, 224)


# ---------------------------------------------------------------- dates


def test_figures_after_july_2025_are_out_of_sample_for_it() -> None:
    known = {entry.name for entry in ledger(JULY).known_at(JULY.as_of)}
    assert known >= {"pac3_delivered_2024", "pac3_withheld_2025_07_reuters", "pac3_objective_2025", "pac3_share_of_need_2025_07"}
    later = {
        "pac3_delivered_2025": 620, "pac3_contract_2025_09": 1970, "pac3_used_campaign_39_days": 1245, "pac3_plan_2000_company": 2000,
        "pac3_requested_fy2027": 3203, "pac3_used_ukraine_winter_2025": 700,
    }
    for name, value in later.items():
        assert LEDGER.by_name[name].observation.value == value and name not in known


# ---------------------------------------------------------------- no figure twice


def test_stocks_stand_once() -> None:
    assert names("us_stock") == list(STOCKS)
    stands = {stand(LEDGER.by_name[name]) for name in STOCKS}
    assert len(stands) == len(STOCKS) and not stands & {stand(entry) for entry in OURS}


def test_no_new_evidence_repeats_value_and_source_of_a_parameter() -> None:
    parameters = of_munition("pac3")
    assert len(parameters) > 80
    new = [entry for entry in OURS if entry.is_new_evidence]
    assert new and not {entry.name: paths for entry in new if (paths := repeated(entry.observation, parameters))}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("pac3_rate_2018", CAPACITY), ("pac3_rate_2023_12", CAPACITY), ("pac3_delivered_2023", CAPACITY), ("pac3_delivered_2025", CAPACITY),
        ("pac3_used_al_udeid_2025_06", "events.al_udeid_2025_06.rounds.pac3.patriot_fired"),
        ("pac3_used_campaign_39_days", "events.campaign_2026.rounds.pac3.patriot_fired"),
        ("pac3_withheld_2025_07_reuters", "events.tranche_2025_07.rounds.pac3.rounds"),
        ("pac3_contract_2024_06", "munitions.pac3.line.lots.multiyear_2024.quantity"),
        ("pac3_objective_2025", "munitions.pac3.requirements.objective_2025.level"),
        ("pac3_lead_book_2016", "munitions.pac3.line.lead_time"),
    ],
)
def test_the_walk_over_parameters_finds_what_rests_on_a_figure(name: str, path: str) -> None:
    item = LEDGER.by_name[name].observation
    # What a year delivered is a parameter as a rate a year.
    asked = item.model_copy(update={"unit": "round/year"}) if path == CAPACITY and item.unit == "round" else item
    assert path in item.used_in
    if name != "pac3_rate_2018":
        assert path in repeated(asked, of_munition("pac3"))


def test_every_figure_inside_the_run_names_what_rests_on_it_or_is_a_bound() -> None:
    inside = [entry for entry in OURS if entry.measure is not None and in_run(entry.measure, NOVEMBER) and entry.is_new_evidence]
    assert {entry.name for entry in inside} == {"pac3_patriot_output_2025"}
