"""Materiality: closed forms, the published arithmetic of July 2025, laws, and the command."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Call

import stockpile as sp
from stockpile import schema
from stockpile.analysis import materiality_sentences as sentences
from stockpile.analysis.materiality import CLOSE, NOTHING, QUANTILES, SUBSTEPS, word
from stockpile.analysis.wording import Names, rows_of

PAUSE, WITHOUT_END = "suspension_2025_07", "suspension_indefinite"
TRANCHE = "tranche_2025_07"
FOLDER = Path(__file__).parent / "closed_forms"


def row(made: Any, name: str, munition: str) -> Any:
    (found,) = [one for one in rows_of(made.table) if (one.name, one.munition) == (name, munition)]
    return found


# ---------------------------------------------------------------- the published arithmetic


def test_published_numbers_with_published_inputs() -> None:
    # What was published: 30 Patriot missiles are 1.3 % of 2,330 and 17.7 days of the 620 delivered in 2025; 8,500 shells are 6.5 days of
    # 40,000 a month. The model has inputs of its own: its PAC-3 stock of July 2025 is worked out from 2022 on (the 2,330 is of February
    # 2026), what was known in July 2025 of that year's line was 550 a year, and its shell line follows several parts. So stock and line
    # are pinned at the published ones, on a run that starts on the day.
    scenario = sp.load("july_2025").override(
        {
            "scenario.start": dt.date(2025, 7, 1), "scenario.end": dt.date(2026, 1, 1), "munitions.pac3.us_stock": 2330,
            "munitions.pac3.line.parts.missile.capacity": 620, "events.tranche_2025_07.rounds.pac3.rounds": 30,
            "events.tranche_2025_07.rounds.shell_155mm.rounds": 8500,
        }
        | {
            f"munitions.shell_155mm.line.parts.{part}.capacity": 40_000
            for part, own in sp.load("july_2025").munitions["shell_155mm"].line.parts.items()
            if own.capacity.unit == "round/month"
        }
    )
    made = sp.materiality(scenario, ["none", PAUSE], ["pac3", "shell_155mm"], members=30)
    patriot, shells = row(made, TRANCHE, "pac3"), row(made, TRANCHE, "shell_155mm")
    assert patriot.of_stock == pytest.approx(0.013, abs=0.0005) and patriot.of_stock == pytest.approx(30 / 2330, rel=1e-9)
    assert patriot.output_days == pytest.approx(17.7, abs=0.05)
    assert shells.output_days == pytest.approx(6.5, abs=0.05)
    # The switch moves the stock by no more than the 30 missiles.
    moved = row(made, PAUSE, "pac3")
    assert 0 < moved.change_at_end_high <= 30 and moved.deferred_high <= 30 + 1e-9
    assert 0.95 * 30 <= moved.rounds <= 30 + 1


def test_the_models_own_numbers_are_near_the_published_ones_and_the_campaign_is_far_more() -> None:
    made = sp.materiality(sp.load("november_2026"), ["none", PAUSE], ["pac3"], members=60)
    tranche, campaign = row(made, TRANCHE, "pac3"), row(made, "campaign_2026", "pac3")
    assert tranche.of_stock_low < 0.013 < tranche.of_stock_high
    assert tranche.output_days_low < 17.7 < tranche.output_days_high
    # Published: 35 to 48 times the paused missiles.
    assert campaign.rounds_low / 30 < 48 and campaign.rounds_high / 30 > 35
    assert campaign.word == "large" and campaign.of_largest == pytest.approx(1.0)
    moved = row(made, PAUSE, "pac3")
    assert moved.rounds <= tranche.rounds_high and moved.change_at_end_high <= moved.rounds_high


# ---------------------------------------------------------------- closed forms


def test_a_suspension_of_round_numbers(tmp_path: Path) -> None:
    # 100 in stock, 12 a month made for Ukraine, nothing else: half a year of new production held is 72, a tenth of which is no tenth of
    # the stock; diverted, it is in US stock.
    base = sp.load("closed_form", params=[FOLDER]).override(
        {
            "munitions.test_round.line.parts.body.capacity": 12, "munitions.test_round.us_share": 0.0,
            "recipients.ukraine.test_round.share": 1.0, "recipients.ukraine.test_round.need": 4,
        }
    )
    window = {"start": dt.date(2025, 4, 1), "end": dt.date(2025, 10, 1), "recipients": ["ukraine"], "munitions": ["test_round"]}
    more: dict[str, Any] = {"channels": ["new_production"], "transfers": "deferred"}
    policy = {"title": "A pause", "description": "for closed forms", "transfer_floor": "transfer_floor", "review_level": "review_level"}
    made_up = {
        how: schema.Policy.model_validate(policy | {"suspensions": [window | more | {"new_production": how}]})
        for how in ("held", "diverted")
    }
    scenario = base.with_policies(base.policies | made_up)
    made = sp.materiality(scenario, ["none", "held", "diverted"], members=2)
    held, diverted = row(made, "held", "test_round"), row(made, "diverted", "test_round")
    for one in (held, diverted):
        assert one.rounds == pytest.approx(72) and one.of_stock == pytest.approx(0.72) and one.word == "large"
        assert one.output == pytest.approx(12) and one.output_days == pytest.approx(72 / 12 * 365.25 / 12)
        assert one.need == pytest.approx(4) and one.months_of_need == pytest.approx(18)
    assert held.held == pytest.approx(72) and held.diverted == 0 and held.change_at_end == pytest.approx(0)
    assert diverted.diverted == pytest.approx(72) and diverted.change_at_end == pytest.approx(72)
    assert diverted.change_at_horizon == pytest.approx(72)


@pytest.mark.parametrize(
    ("low", "high", "most", "said"),
    [
        (0.0, 0.0, 0.0, NOTHING), (0.001, 0.009, 10, "small"), (0.01, 0.09, 10, "noticeable"), (0.1, 5.0, 10, "large"),
        (0.009, 0.011, 10, f"{CLOSE} between small and noticeable"), (0.0, math.inf, 10, f"{CLOSE} between small and large"),
        (math.inf, math.inf, 10, "large"),
    ],
)
def test_the_word_goes_by_the_share_of_the_stock(low: float, high: float, most: float, said: str) -> None:
    assert word(low, high, most) == said


# ---------------------------------------------------------------- the shipped scenarios


def test_the_numbers_are_those_of_an_ensemble() -> None:
    scenario = sp.load("july_2025").override({"scenario.end": dt.date(2027, 1, 1)})
    made = sp.materiality(scenario, ["none", WITHOUT_END], ["pac3"], members=50, engine="numpy")
    fine = scenario.override({"scenario.substeps": SUBSTEPS})
    drawn = sp.ensemble(fine, ["none", WITHOUT_END], 50, dates=["2025-07-01"], engine="numpy").metrics()
    own = drawn[drawn["munition"] == "pac3"]
    stock = own[(own["policy"] == "none") & own["metric"].str.startswith("stock_at.")]["value"].to_numpy()
    at_end = {
        policy: own[(own["policy"] == policy) & (own["metric"] == "stock_at_end")]["value"].to_numpy() for policy in ("none", WITHOUT_END)
    }
    found = row(made, WITHOUT_END, "pac3")
    exact = np.quantile(stock, QUANTILES, method="inverted_cdf")
    np.testing.assert_allclose([found.stock_low, found.stock, found.stock_high], exact, rtol=1e-12)
    change = np.quantile(at_end[WITHOUT_END] - at_end["none"], QUANTILES, method="inverted_cdf")
    np.testing.assert_allclose([found.change_at_horizon_low, found.change_at_horizon, found.change_at_horizon_high], change, rtol=1e-9)
    assert found.end is None and found.recipients == "ukraine" and found.deferred_high == 0.0 < found.cancelled


def test_every_policy_and_event_has_a_row_and_a_sentence() -> None:
    scenario = sp.load("july_2025").override({"scenario.end": dt.date(2026, 7, 1)})
    made = sp.materiality(scenario, members=20)
    policies = {(one.name, one.munition) for one in rows_of(made.table) if one.kind == "policy"}
    assert policies == {(name, munition) for name in scenario.settings.policies or () if name != "none" for munition in scenario.munitions}
    events = {(one.name, one.munition) for one in rows_of(made.table) if one.kind == "event"}
    start = scenario.settings.start
    assert start is not None
    assert events == {
        (name, munition) for name, event in scenario.events.items() if event.start >= start for munition in event.rounds
        if munition in scenario.munitions
    }
    said = sentences.of_materiality(made, scenario)
    assert len(said) == len(made.table) + 3
    silent = [event.title for event in scenario.events.values() if not event.rounds]
    assert len(silent) == 2 and said[-2].startswith("Without a row") and all(f'"{title}"' in said[-2] for title in silent)
    for one, text in zip(rows_of(made.table), said[1:-2], strict=True):
        assert text.endswith(f"{one.word}.") and Names(scenario).munition(one.munition) in text
    again = sp.materiality(scenario, members=20, threads=1)
    assert again.table.equals(made.table)


def test_a_policy_that_suspends_nothing_shares_out_otherwise() -> None:
    scenario = sp.load("july_2025").override({"scenario.end": dt.date(2029, 1, 1)})
    found = row(sp.materiality(scenario, ["none", "ukraine_first"], ["shell_155mm"], members=60), "ukraine_first", "shell_155mm")
    assert not found.suspends and found.rounds_high > 0 and found.deferred_high == found.cancelled_high == found.held_high == 0.0
    assert "go to somebody else" in sentences.sentence(found, Names(scenario))


def test_the_page_has_a_figure_and_a_sentence_each(tmp_path: Path) -> None:
    scenario = sp.load("july_2025").override({"scenario.end": dt.date(2026, 1, 1)})
    made = sp.materiality(scenario, ["none", PAUSE], ["pac3", "aim9x"], members=10)
    page = sp.report(made, tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<figure") == 2
    for said in ("Shipment held in July 2025", "Each policy and event in a sentence", "these are ratios, not worth", "Days of output"):
        assert said in page
    for row_ in rows_of(made.table):
        assert row_.word in page


# ---------------------------------------------------------------- refusals and the command


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"policies": ["nonesuch"]}, ["nonesuch"]),
        ({"munitions": ["pac4"], "members": 0, "seed": -1}, ["pac4", "members", "seed"]),
    ],
)
def test_refuses_what_cannot_be(asked: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(sp.InputError) as caught:
        sp.materiality(sp.load("july_2025"), **asked)
    for one in words:
        assert one in str(caught.value)


def test_the_command(call: Call, tmp_path: Path) -> None:
    arguments = ["materiality", "july_2025", "--munition", "pac3", "--policy", PAUSE, "--members", "20"]
    arguments += ["--set", "scenario.end=2026-01-01", "--engine", "numpy"]
    done = call(*arguments, "-o", tmp_path / "moved.csv")
    assert done.code == 0 and TRANCHE in done.out and "noticeable" in done.out and "5 to 95 % of the draws" in done.out
    assert (tmp_path / "moved.csv").exists()
    found = call(*arguments, "--json")
    assert found.code == 0 and found.json["manifest"]["members"] == 20
    assert {one["name"] for one in found.json["table"]} >= {TRANCHE, PAUSE}
    wrong = call("materiality", "july_2025", "--munition", "pac4", "--policy", "nonesuch")
    assert wrong.code == 2 and "nonesuch" in wrong.err and not wrong.out
