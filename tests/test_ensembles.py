"""What an ensemble gives: bands, metrics, chances and differences, each against the members' own trajectories; and what it refuses."""

from __future__ import annotations

import datetime as dt
import math
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import drawn
import numpy as np
import pandas as pd
import pytest
import scipy.stats
from drawn import same, same_ensembles
from numpy.typing import NDArray

import stockpile as sp
from stockpile import scenario as scenarios
from stockpile import shapes, vintage
from stockpile.ensembles import folded, run
from stockpile.ensembles.chance import chance
from stockpile.errors import InputError
from stockpile.metrics import first_below
from stockpile.samplers import SAMPLERS
from stockpile.sketch import Counts, Whole, moments

Array = NDArray[np.float64]
FOLDER = Path(__file__).parent / "closed_forms"
POLICIES = ["none", "suspension_6_months", "us_first"]
MUNITIONS = ("pac3", "shell_155mm")
QUANTITIES = ["us_on_hand", "unmet", "sent", "unpromised", "review", "expired", "own_use_for"]
SCARCE = {"munitions.pac3.us_stock.scale": 0.35, "munitions.shell_155mm.us_stock.scale": 0.5}
SCENARIO = drawn.scenario(munitions=MUNITIONS, months=15, changes=SCARCE)
MEMBERS, LAST = 150, "2026-07-01"


def draw(members: int = MEMBERS, policies: list[str] | None = None, **more: Any) -> sp.Ensemble:
    asked = {"quantities": QUANTITIES, "dates": ["2025-12-31", LAST], "engine": "numpy", **more}
    return sp.ensemble(SCENARIO, policies or POLICIES, members, **asked)


@cache
def kept() -> sp.Ensemble:
    return draw(keep=True)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> sp.Ensemble:
    """The same ensemble, of which counts in bins alone are kept."""
    monkeypatch.setattr(run, "WHOLE_BYTES", 0)
    monkeypatch.setattr(folded, "WHOLE_BYTES", 0)
    found = draw()
    assert isinstance(found.bands, Counts) and isinstance(found.metric_values, Counts)
    return found


def trajectories(quantity: str, row: str = "us", *, policy: str, munition: str) -> Array:
    """Return one quantity of all members over time, shape (member, time)."""
    found = kept().trajectories
    assert found is not None
    return found.array(quantity, row, policy=policy, munition=munition)


def lanes() -> list[dict[str, str]]:
    return [{"policy": policy, "munition": munition} for policy in POLICIES for munition in MUNITIONS]


def followed() -> list[tuple[str, str]]:
    return [(entry.quantity, entry.row) for entry in kept().entries if not entry.is_difference]


# ---------------------------------------------------------------- bands

Q = (0.0, 0.05, 0.37, 0.5, 0.95, 1.0)


def test_bands_are_the_quantiles_of_the_trajectories() -> None:
    assert isinstance(kept().bands, Whole)
    assert {quantity for quantity, _ in followed()} == set(QUANTITIES)
    for quantity, row in followed():
        for lane in lanes():
            expected = np.quantile(trajectories(quantity, row, **lane), Q, axis=0)
            assert kept().band(quantity, row, q=Q, **lane) == pytest.approx(expected, rel=1e-12, abs=1e-9), (quantity, row, lane)


def test_bands_of_changes_are_those_of_trajectories_member_by_member() -> None:
    moved = 0
    for quantity, row in followed():
        for lane in lanes():
            change = trajectories(quantity, row, **lane) - trajectories(quantity, row, **{**lane, "policy": "none"})
            expected = np.quantile(change, Q, axis=0)
            found = kept().band(quantity, row, q=Q, change=True, **lane)
            assert found == pytest.approx(expected, rel=1e-12, abs=1e-9), (quantity, row, lane)
            moved += bool(np.abs(found).max() > 1.0)
    assert moved > 10


def test_bands_from_counts_are_within_their_error(counted: sp.Ensemble) -> None:
    assert np.isfinite(counted.bands.error).all()
    place = {name: number for number, name in enumerate(MUNITIONS)}
    for number, entry in enumerate(counted.entries):
        for lane in lanes():
            if entry.is_difference and lane["policy"] == "none":
                continue
            asked = {"q": Q, "change": entry.is_difference, **lane}
            exact, found = (one.band(entry.quantity, entry.row, **asked) for one in (kept(), counted))
            error = counted.bands.error[POLICIES.index(lane["policy"]), place[lane["munition"]], number, : exact.shape[1]]
            assert (np.abs(found - exact) <= error * (1.0 + 1e-9)).all(), (entry, lane)
            reach = np.ptp(exact, axis=0)
            assert (error <= 0.01 * reach + 1e-6 * np.maximum(np.abs(exact).max(axis=0), 1.0)).all()


def test_a_tidy_table_has_every_band() -> None:
    for change in (False, True):
        parts = dict(list(kept().quantiles(Q, change=change).groupby(["policy", "munition", "recipient", "quantity"])))
        assert len(parts) == len(followed()) * len(lanes())
        for quantity, row in followed():
            for lane in lanes():
                part = parts[lane["policy"], lane["munition"], row, quantity]
                expected = kept().band(quantity, row, q=Q, change=change, **lane)
                assert part.value.to_numpy().tolist() == expected.ravel().tolist()
                assert part.date.to_numpy().tolist() == np.tile(kept().dates[: expected.shape[1]], len(Q)).tolist()


def test_all_can_be_followed_and_nothing() -> None:
    everything = draw(5, quantities="all")
    assert {entry.quantity for entry in everything.entries} >= {"lots", "free", "deferred", "paid", "history_shortfall"}
    assert everything.band("lots", policy="none", munition="pac3").shape == (5, 15)
    nothing = draw(5, quantities=[])
    same(nothing.metrics().value.to_numpy(), everything.metrics().value.to_numpy())
    assert nothing.entries == ()


# ---------------------------------------------------------------- metrics


def test_metrics_are_those_of_the_trajectories() -> None:
    found = kept().trajectories
    assert found is not None
    keys = ["policy", "munition", "recipient", "metric", "member"]
    expected = found.metrics().set_index(keys)
    own = kept().metrics().set_index(keys)
    dates = own.index.get_level_values("metric").str.contains("stock_at.", regex=False)
    assert set(own.index[~dates]) == set(expected.index)
    own = own[~dates]
    expected = expected.loc[own.index]
    assert (own.unit == expected.unit).all()
    finite = np.isfinite(expected.value)
    assert 0 < (~finite).sum() < len(own) / 2
    assert (own.value[~finite] == expected.value[~finite]).all()
    own, expected = own.value[finite], expected.value[finite]
    # A change is known as well as what it is a change of.
    scale = np.maximum(expected.abs(), expected.abs().groupby(["munition", "metric"]).transform("max"))
    assert ((own - expected).abs() <= 1e-9 * np.maximum(scale, 1.0)).all()


def test_stocks_at_dates_are_those_of_the_trajectories() -> None:
    assert [kept().stock_at(date) for date in ("2025-12-31", LAST)] == ["stock_at.8", "stock_at.15"]
    assert [kept().index(date) for date in ("2025-04-01", "2025-04", "2025-04-30", "2025-05-01", LAST)] == [0, 0, 0, 1, 15]
    values = kept().metric_values
    assert isinstance(values, Whole)
    for lane in lanes():
        stock = trajectories("us_on_hand", **lane)
        for date, edge in (("2025-12-31", 8), (LAST, 15)):
            assert values.values[kept().metric(kept().stock_at(date), **lane)] == pytest.approx(stock[:, edge], rel=1e-12)


def test_metric_quantiles_are_those_of_the_members() -> None:
    keys = ["policy", "munition", "recipient", "metric"]
    table = kept().metrics()
    expected = table[np.isfinite(table.value)].groupby(keys).value
    whole = expected.count() == MEMBERS
    found = kept().metrics([0.1, 0.8]).set_index([*keys, "quantile"]).value.unstack()
    for q in (0.1, 0.8):
        assert found[q][whole[whole].index].to_numpy() == pytest.approx(expected.quantile(q)[whole].to_numpy(), rel=1e-12, abs=1e-9)


def test_metrics_from_counts_are_within_their_error(counted: sp.Ensemble) -> None:
    exact, found = (one.metric_quantiles(Q) for one in (kept(), counted))
    both = np.isfinite(exact)
    assert np.array_equal(np.isfinite(found), both)
    assert np.array_equal(found[~both], exact[~both])
    error = np.broadcast_to(counted.metric_values.error, exact.shape)
    assert (np.abs(found[both] - exact[both]) <= error[both] * (1.0 + 1e-9) + 1e-9).all()
    # Dates lie on a grid: there counts lose nothing.
    assert (counted.metric_values.error[np.array(counted.units) == "month"] == 0.0).all()
    same(counted.moments, kept().moments)
    assert counted.estimates()["mean"].equals(kept().estimates()["mean"])
    with pytest.raises(InputError, match=r"were not kept one by one; allowed: metrics\(quantiles="):
        counted.metrics()


# ---------------------------------------------------------------- chances


@pytest.mark.parametrize("kind", ["whole", "counts"])
def test_chances_are_counted_from_the_trajectories(kind: str, request: pytest.FixtureRequest) -> None:
    ensemble = kept() if kind == "whole" else request.getfixturevalue("counted")
    made = kept().trajectories
    assert made is not None
    seen = set()
    for munition in MUNITIONS:
        for level, height in made.levels[munition].items():
            for policy in POLICIES:
                stock = trajectories("us_on_hand", policy=policy, munition=munition)
                for edge in (0, 5, 11, 15):
                    hits = int((stock[:, : edge + 1] < height[:, None]).any(axis=1).sum())
                    by = str(ensemble.dates[edge])[:10]
                    one = ensemble.chance_below(level, by=by, policy=policy, munition=munition)
                    assert (one.hits, one.members, one.value) == (hits, MEMBERS, hits / MEMBERS)
                    assert ensemble.chance_below(level, by=edge, policy=policy, munition=munition) == one
                    assert 0.0 <= one.low <= one.value <= one.high <= 1.0
                    assert one.low < one.high
                    seen.add(0 < hits < MEMBERS)
                never = ensemble.never(f"first_below.{level}", policy=policy, munition=munition)
                assert never.hits + ensemble.chance_below(level, by=LAST, policy=policy, munition=munition).hits == MEMBERS
                assert never.hits == int(np.isinf(first_below(stock, height, ensemble.months)).sum())
    assert seen == {True, False}


def test_the_probability_table_has_every_chance() -> None:
    table = kept().probability(below="requirement", by="2026-02-20")
    having = [munition for munition in MUNITIONS if "requirement" in kept().level_names[munition]]
    assert list(zip(table.policy, table.munition, strict=True)) == [(p, m) for p in POLICIES for m in having]
    assert set(table.by) == {"2026-02-01"}
    for row in table.itertuples():
        one = kept().chance_below("requirement", by="2026-02-20", policy=row.policy, munition=row.munition)
        assert (row.probability, row.low, row.high, row.hits, row.members) == (one.value, one.low, one.high, one.hits, one.members)


# ---------------------------------------------------------------- differences and estimates


def test_differences_are_paired_member_by_member() -> None:
    table = kept().differences((0.05, 0.5, 0.95)).set_index(["policy", "munition", "recipient", "metric"])
    assert set(table.index.get_level_values("policy")) == {"suspension_6_months", "us_first"}
    members = kept().metrics().set_index(["policy", "munition", "recipient", "metric"])["value"]
    for metric, row in (("stock_at_end", "us"), ("total_unmet", "ukraine"), ("total_sent", "us"), ("minimum", "us")):
        for munition in MUNITIONS:
            for policy in POLICIES[1:]:
                values, base = (members.loc[name, munition, row, metric].to_numpy() for name in (policy, "none"))
                change = values - base
                found = table.loc[policy, munition, row, metric]
                quantiles = np.quantile(change, [0.05, 0.5, 0.95])
                assert found[["q05", "q50", "q95"]].to_numpy(float) == pytest.approx(quantiles, rel=1e-9, abs=1e-6)
                assert found["mean"] == pytest.approx(change.mean(), rel=1e-9, abs=1e-6)
                half = 1.97601 * change.std(ddof=1) / np.sqrt(MEMBERS)
                assert found["mean_high"] - found["mean"] == pytest.approx(half, rel=1e-4, abs=1e-6)


def test_intervals_hold_what_they_estimate_as_often_as_they_say(tmp_path: Path) -> None:
    """Six hundred ensembles of 40 members of a stock that is drawn and stays: its mean and its median are known."""
    many, size = 600, 40
    level = {"unit": "round", "low": 50.0, "value": 60.0, "high": 180.0, "shape": "triangular", "grade": "assumed", "note": "A test."}
    drawn.write(tmp_path, "munitions/test_round.toml", {"us_stock": level})
    scenario = sp.load("closed_form", params=[FOLDER, tmp_path]).override({"scenario.end": dt.date(2025, 2, 1)})
    whole = sp.ensemble(scenario, ["none"], many * size, engine="numpy")
    cell = whole.metric("stock_at_end", policy="none", munition="test_round")
    table = shapes.table("triangular", 50.0, 60.0, 180.0)
    mean, median = shapes.mean(table), float(shapes.interpolate(table, np.array([0.5]))[0])
    held = {"mean": 0, "median": 0, "chance": 0}
    below = 75.0
    truth = float((shapes.interpolate(table, (np.arange(10**5) + 0.5) / 10**5) < below).mean())
    for number in range(many):
        values = whole.metric_values.values[:, number * size : (number + 1) * size]  # type: ignore[attr-defined]
        part = replace(whole, members=size, metric_values=Whole(values), moments=moments(values))
        one = part.estimates().iloc[cell]
        held["mean"] += one.mean_low <= mean <= one.mean_high
        held["median"] += one.median_low <= median <= one.median_high
        share = chance(int((values[cell] < below).sum()), size)
        held["chance"] += share.low <= truth <= share.high
    # Four times the standard error of a share of 0.95 of 600; that of the median holds a little more often.
    assert held["mean"] / many == pytest.approx(0.95, abs=0.036)
    assert 0.914 <= held["median"] / many <= 0.99
    assert held["chance"] / many == pytest.approx(0.95, abs=0.036)


def test_an_estimate_says_of_how_many_it_is() -> None:
    table = kept().estimates().set_index(["policy", "munition", "recipient", "metric"])
    members = kept().metrics().set_index(["policy", "munition", "recipient", "metric"])["value"]
    key = ("none", "pac3", "us", "first_below.transfer_floor")
    finite = members.loc[key][np.isfinite(members.loc[key])]
    assert 0 < len(finite) < MEMBERS
    assert table.loc[key].share_finite == len(finite) / MEMBERS
    assert table.loc[key]["mean"] == pytest.approx(finite.mean())


def test_the_interval_of_a_mean_is_that_of_the_draws_it_is_of() -> None:
    found = draw(6, seed=1)
    assert found.metric_values.numbers is not None
    table = found.estimates()
    seen = set()
    for row, values in zip(table.itertuples(), found.metric_values.numbers, strict=True):
        finite = values[np.isfinite(values)]
        seen.add(min(len(finite), 3))
        ends = (-np.inf, np.inf)
        if len(finite) > 1:
            half = scipy.stats.t.ppf(0.975, len(finite) - 1) * finite.std(ddof=1) / math.sqrt(len(finite))
            ends = (finite.mean() - half, finite.mean() + half)
        assert (row.mean_low, row.mean_high) == pytest.approx(ends, rel=1e-6, abs=1e-5 * max(1.0, np.abs(finite).max(initial=0.0)))
    assert seen == {0, 1, 2, 3}


# ---------------------------------------------------------------- few members, few policies


def test_one_member_is_an_ensemble(monkeypatch: pytest.MonkeyPatch) -> None:
    for whole in (True, False):
        if not whole:
            monkeypatch.setattr(run, "WHOLE_BYTES", 0)
            monkeypatch.setattr(folded, "WHOLE_BYTES", 0)
        for sampler in SAMPLERS:
            one = draw(1, sampler=sampler, keep=True)
            assert one.trajectories is not None
            lane = lanes()[0]
            stock = one.trajectories.array("us_on_hand", **lane)[0]
            band = one.band("us_on_hand", q=(0.0, 0.5, 1.0), **lane)
            assert band == pytest.approx(np.tile(stock, (3, 1)), rel=1e-6)
            estimates = one.estimates()
            assert (estimates.mean_low == -np.inf).all()
            assert one.chance_below("transfer_floor", by=LAST, **lane).members == 1
            assert one.differences()[["mean_low", "q05", "q50", "q95"]].notna().all(axis=None)


def test_without_the_baseline_there_are_no_differences() -> None:
    alone = draw(20, ["us_first", "suspension_6_months"])
    assert alone.baseline is None
    assert not any(entry.is_difference for entry in alone.entries)
    assert not any(key[3].startswith("change_in.") for key in alone.keys)
    lane = {"policy": "us_first", "munition": "pac3"}
    for ask, words in (
        (alone.differences, "differences need the policy 'none'; allowed: a list with it"),
        (lambda: alone.quantiles(change=True), "allowed: a list of policies with 'none' and others"),
        (lambda: alone.band("sent", "ukraine", change=True, **lane), "the change of 'sent' of 'ukraine' was not followed"),
    ):
        with pytest.raises(InputError, match=words):
            ask()
    whole = draw(20)
    for name in alone.policies:
        for munition in MUNITIONS:
            asked = {"policy": name, "munition": munition}
            same(alone.band("us_on_hand", **asked), whole.band("us_on_hand", **asked))


def test_the_baseline_alone_has_changes_of_nothing() -> None:
    alone = draw(5, ["none"])
    assert alone.differences().empty
    assert (alone.metrics().query("metric.str.startswith('change_in.')", engine="python").value == 0.0).all()


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_dates_of_a_policy_move_nothing_of_the_baseline(engine: str) -> None:
    # Within months in which ramps and lead times of contracts end in some draws, where a mean of the line rests on the interval it is of.
    days = {"start": dt.date(2026, 8, 12), "end": dt.date(2027, 3, 16), "recipients": ["ukraine"], "munitions": ["pac3"]}
    scenario = sp.load("july_2025").override({
        "scenario.end": dt.date(2028, 1, 1),
        "policies.suspension_6_months.suspensions": [{**days, "channels": ["transfers"], "transfers": "deferred"}],
    })

    def baseline(policies: list[str]) -> list[Array]:
        names = ("us_on_hand", "delivered", "order_book")
        found = sp.ensemble(scenario, policies, 200, keep=True, quantities=names, engine=engine).trajectories
        assert found is not None
        return [found.array(name, policy="none", munition=one) for one in found.munitions for name in names]

    for alone, beside in zip(baseline(["none"]), baseline(["none", "suspension_6_months"]), strict=True):
        np.testing.assert_allclose(beside, alone, rtol=1e-12)


# ---------------------------------------------------------------- pinned


def pinned(scenario: sp.Scenario) -> sp.Scenario:
    """Return the scenario with its central values certain, and no random campaigns."""

    def certain(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: certain(value) for key, value in node.items() if key not in ("low", "high", "shape", "alternatives", "weight")}
        return [certain(item) for item in node] if isinstance(node, list) else node

    known = vintage.Visible(scenario.sources, scenario.beside, scenario.observations)
    return scenarios._build(scenario.name, certain(scenario.tree), known, {}).override({"campaigns.us_operation.rate": 0.0})


@pytest.mark.parametrize(("name", "substeps"), [("july_2025", 1), ("november_2026", 2)])
def test_with_all_values_pinned_every_member_is_the_central_run(name: str, substeps: int) -> None:
    scenario = pinned(sp.load(name)).override({"scenario.end": dt.date(2027, 7, 1), "scenario.substeps": substeps})
    policies = ["none", "us_first", "suspension_with_review"]
    central = sp.run(scenario, policies)
    ensemble = sp.ensemble(scenario, policies, 3, quantities=["us_on_hand", "on_hand"], keep=True, engine="numpy")
    assert ensemble.trajectories is not None
    for key, array in central.arrays.items():
        found = ensemble.trajectories.arrays[key]
        assert found == pytest.approx(np.repeat(array, 3, axis=2), rel=1e-12, abs=1e-12 * max(float(np.abs(array).max()), 1.0)), key
    same(ensemble.central.arrays, central.arrays)
    for policy in policies:
        stock = central.array("us_on_hand", policy=policy, munition="pac3")[0]
        assert ensemble.band("us_on_hand", policy=policy, munition="pac3") == pytest.approx(np.tile(stock, (5, 1)), rel=1e-12)


def test_the_central_run_of_an_ensemble_is_the_run() -> None:
    same(kept().central.arrays, sp.run(SCENARIO, POLICIES).arrays)


# ---------------------------------------------------------------- bytes


def test_threads_and_chunks_that_finish_early_move_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PILOT", 20)
    monkeypatch.setattr(run, "CHUNK", 16)
    for whole in (2**30, 0):
        monkeypatch.setattr(run, "WHOLE_BYTES", whole)
        monkeypatch.setattr(folded, "WHOLE_BYTES", whole)
        found = [draw(90, threads=threads) for threads in (1, 2, 5)]
        same_ensembles(found[0], found[1])
        same_ensembles(found[0], found[2])


def test_bands_and_metrics_do_not_depend_on_the_size_of_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PILOT", 20)
    found = []
    for chunk in (7, 64, 2048):
        monkeypatch.setattr(run, "CHUNK", chunk)
        found.append(draw(90))
    for other in found[1:]:
        same(other.bands, found[0].bands)
        same(other.metric_values, found[0].metric_values)
        assert other.moments.total == pytest.approx(found[0].moments.total, rel=1e-12)


def test_the_same_ensemble_saves_to_the_same_bytes_whatever_made_it(tmp_path: Path) -> None:
    one = draw(60, engine="numpy", threads=2).save(tmp_path / "one.parquet")
    two = draw(60, engine="numpy", threads=1).save(tmp_path / "two.parquet")
    assert one.read_bytes() == two.read_bytes()


# ---------------------------------------------------------------- what is refused

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no members": ({"members": 0}, "ensemble: members: 0; allowed: a whole number from 1 on"),
    "fewer than none": ({"members": -3}, "ensemble: members: -3; allowed"),
    "true": ({"members": True}, "ensemble: members: True; allowed"),
    "a text": ({"members": "10"}, "ensemble: members: '10'; allowed"),
    "a fraction": ({"members": 10.5}, "ensemble: members: 10.5; allowed"),
    "a truth of NumPy": ({"members": np.bool_(True)}, r"ensemble: members: (np\.)?True_?; allowed"),
    "none of NumPy": ({"members": np.int64(0)}, r"ensemble: members: (np\.int64\()?0\)?; allowed"),
    "a number in place of a policy": (
        {"policies": [3]}, "ensemble: policies: 3 is no name; allowed: a list of names, of .*none.*suspension_6_months"
    ),
    "a list in place of a policy": ({"policies": ["none", ["us_first"]]}, r"ensemble: policies: \['us_first'\] is no name; allowed"),
    "a number in place of policies": ({"policies": 3}, "ensemble: policies: 3 is no name; allowed: a list of names"),
    "a seed below nought": ({"seed": -1}, "ensemble: seed: -1; allowed: a whole number from 0 on"),
    "a seed of text": ({"seed": "one"}, "ensemble: seed: 'one'; allowed"),
    "no threads": ({"threads": 0}, "ensemble: threads: 0; allowed: a whole number from 1 on"),
    "an unknown sampler": ({"sampler": "sobbol"}, "ensemble: sampler: unknown sampler 'sobbol'; did you mean 'sobol'"),
    "an unknown engine": ({"engine": "numpi"}, "ensemble: engine: unknown engine 'numpi'; did you mean 'numpy'"),
    "an unknown quantity": ({"quantities": ["sentt"]}, "ensemble: quantities: 'sentt' is no stock and no flow; did you mean 'sent'"),
    "one unknown quantity": ({"quantities": "stock"}, "ensemble: quantities: 'stock' is no stock and no flow"),
    "all and more": ({"quantities": ["all", "sent"]}, "ensemble: quantities: 'all' is no stock and no flow; .*or 'all' alone"),
    "no date": ({"dates": ["soon"]}, "ensemble: dates: 'soon' is not a date; allowed: a day such as 2026-07-01 or a month such as 2026-07"),
    "a month too many": ({"dates": ["2025-13"]}, "ensemble: dates: '2025-13' is not a date"),
    "a word for a date": ({"dates": ["today"]}, "ensemble: dates: 'today' is not a date"),
    "an empty date": ({"dates": [""]}, "ensemble: dates: '' is not a date"),
    "a date before the run": (
        {"dates": ["2025-03-31"]}, "ensemble: dates: 2025-03-31 is outside the run; allowed: 2025-04-01 to 2026-07-01"
    ),
    "a date after the run": ({"dates": ["2026-07-02"]}, "ensemble: dates: 2026-07-02 is outside the run"),
    "a date that is no list": ({"dates": "2025-12"}, r"ensemble: dates: '2025-12' is one text; allowed: a list of dates, \['2025-12'\]"),
    "an unknown policy": ({"policies": ["none", "suspension"]}, "policy: suspension: unknown policy 'suspension'; did you mean"),
    "no policy": ({"policies": []}, "policy: no policy given"),
    "a policy twice": ({"policies": ["none", "none"]}, "policy: a policy is named twice: none, none"),
    "a policy that is no list": ({"policies": "none"}, r"policies: 'none' is one text; allowed: a list of names, \['none'\]"),
    "more members than lhs can spread": (
        {"members": 10**6 + 1, "sampler": "lhs"}, "1000001 are too many for the sampler lhs; allowed: at most"
    ),
    "more trajectories than fit": (
        {"members": 10**6, "keep": True}, r"ensemble: members: trajectories of 1000000 take .* GB; allowed: at most \d+, or keep=False"
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_is_refused_with_what_can(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def not_reached(*_: Any) -> Any:
        raise AssertionError("members were run")

    monkeypatch.setattr(run, "_blocks", not_reached)
    asked, words = REFUSED[kind]
    with pytest.raises(InputError, match=words) as caught:
        sp.ensemble(SCENARIO, **{"policies": ["none"], "members": 5, **asked})
    assert len(caught.value.problems) == 1


def test_all_faults_come_at_once() -> None:
    scenario = SCENARIO.override({"scenario.method": "ode"})
    with pytest.raises(InputError) as caught:
        sp.ensemble(
            scenario, ["nobody", "none"], 0, -1, "latin", quantities=["sent", "cent", "stok"], dates=["2025-12", "never", "1999-01"],
            engine="c", threads=0,
        )
    keys = [problem.key for problem in caught.value.problems]
    assert sorted(keys) == sorted(
        ["members", "seed", "sampler", "quantities", "quantities", "dates", "dates", "engine", "threads", "method", "nobody"]
    )
    assert all("allowed: " in problem.message for problem in caught.value.problems)


def test_an_ode_runs_one_member_at_a_time() -> None:
    with pytest.raises(InputError, match="method: 'ode' runs one member at a time; allowed: difference"):
        sp.ensemble(SCENARIO.override({"scenario.method": "ode"}), ["none"], 5)


def test_a_rule_of_ones_own_is_refused() -> None:
    own = {"transfer_floor": "transfer_floor", "review_level": "review_level", "allocation": {"use": "somewhere:Rule"}}
    with pytest.raises(InputError, match=r"policies\.own\.allocation\.use: 'somewhere:Rule' of your own .*allowed: pro_rata, weights"):
        sp.ensemble(drawn.with_policies(SCENARIO, {"own": own}), ["none", "own"], 5)


def test_trajectories_that_fit_are_kept_and_one_more_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "KEPT_BYTES", 10**7)
    with pytest.raises(InputError) as caught:
        draw(1000, keep=True)
    most = int(str(caught.value).split("at most ")[1].split(",")[0])
    assert draw(most, keep=True).trajectories is not None
    with pytest.raises(InputError, match=f"allowed: at most {most}"):
        draw(most + 1, keep=True)


def test_more_rows_than_fit_are_refused_before_the_first_member(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "KEPT_BYTES", 1000)
    words = r"ensemble: quantities: .* rows over time .*allowed: at most .* GB, so fewer quantities or policies"
    with pytest.raises(InputError, match=words):
        draw()


ASKED: dict[str, tuple[Callable[[sp.Ensemble], Any], str]] = {
    "an unknown policy": (
        lambda e: e.band("sent", "ukraine", policy="nune", munition="pac3"), "policy: 'nune' was not run; did you mean 'none'"
    ),
    "an unknown munition": (
        lambda e: e.band("sent", "ukraine", policy="none", munition="pac4"), "munition: 'pac4' was not run; did you mean 'pac3'"
    ),
    "what was not followed": (
        lambda e: e.band("used", "ukraine", policy="none", munition="pac3"), "'used' of 'ukraine' was not followed; .*quantities="
    ),
    "of whom it was not": (lambda e: e.band("sent", "us", policy="none", munition="pac3"), "'sent' of 'us' was not followed"),
    "a quantile above 1": (lambda e: e.quantiles([0.5, 1.5]), "quantiles: 1.5; allowed: numbers from 0 to 1"),
    "a quantile below 0": (lambda e: e.metrics([-0.5]), "quantiles: -0.5; allowed: numbers from 0 to 1"),
    "a quantile that is none": (lambda e: e.differences((float("nan"),)), "quantiles: nan; allowed: numbers from 0 to 1"),
    "no quantile": (lambda e: e.band("us_on_hand", policy="none", munition="pac3", q=()), "quantiles: none given; allowed"),
    "an unknown metric": (
        lambda e: e.metric("minimun", policy="none", munition="pac3"), "there is no 'minimun' of 'us' .*did you mean 'minimum'"
    ),
    "a metric of nobody": (lambda e: e.metric("minimum", policy="none", munition="pac4"), "munition: 'pac4' was not run"),
    "a level of no munition": (lambda e: e.probability(below="flor", by=LAST), "below: no munition has a level 'flor'; allowed"),
    "a level of another": (
        lambda e: e.chance_below("wanted_inventory", by=LAST, policy="none", munition="pac3"),
        "munition pac3 has no level 'wanted_inventory'",
    ),
    "a chance of a policy not run": (lambda e: e.chance_below("quarter", by=LAST, policy="x", munition="pac3"), "policy: 'x' was not run"),
    "levels of a flow": (
        lambda e: e.probability("sent", below="quarter", by=LAST), "quantity: 'sent' has no named levels; allowed: us_on_hand"
    ),
    "a date outside": (
        lambda e: e.probability(below="quarter", by="2027-01"), "by: 2027-01 is outside the run; allowed: 2025-04-01 to 2026-07-01"
    ),
    "a date that is none": (lambda e: e.probability(below="quarter", by="soon"), "by: 'soon' is no date; allowed"),
    "a word for a date": (lambda e: e.stock_at("today"), "by: 'today' is no date"),
    "an edge before the run": (
        lambda e: e.chance_below("quarter", by=-1, policy="none", munition="pac3"), "by: there is no step edge -1; allowed: 0 to 15"
    ),
    "an edge after the run": (lambda e: e.chance_below("quarter", by=16, policy="none", munition="pac3"), "by: there is no step edge 16"),
    "never of a stock": (
        lambda e: e.never("minimum", policy="none", munition="pac3"), "metric: 'minimum' is no date; allowed: metrics in months"
    ),
    "trajectories not kept": (lambda e: e.table(), "the members' trajectories were not kept; allowed: keep=True"),
}


@pytest.mark.parametrize("kind", ASKED)
def test_what_is_not_there_is_refused_with_what_is(kind: str) -> None:
    ask, words = ASKED[kind]
    with pytest.raises(InputError, match=words):
        ask(few())


@cache
def few() -> sp.Ensemble:
    return draw(3)


# ---------------------------------------------------------------- on the way


def test_progress_rises_to_the_members(monkeypatch: pytest.MonkeyPatch) -> None:
    for pilot, members in ((512, 60), (10, 60)):
        monkeypatch.setattr(run, "PILOT", pilot)
        monkeypatch.setattr(run, "CHUNK", 16)
        done: list[int] = []
        draw(members, ["none"], threads=2, progress=done.append)
        assert done[-1] == members
        assert done == sorted(set(done))
        assert (len(done) > 1) == (pilot < members)


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
@pytest.mark.parametrize("whole", [True, False])
def test_an_interrupt_ends_at_once_and_leaves_no_thread(
    engine: str, whole: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STOCKPILE_CACHE", str(tmp_path))
    monkeypatch.setattr(run, "PILOT", 8)
    monkeypatch.setattr(run, "CHUNK", 8)
    if not whole:
        monkeypatch.setattr(run, "WHOLE_BYTES", 0)
    before = set(threading.enumerate())
    done: list[int] = []

    def interrupt(members: int) -> None:
        done.append(members)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw(10_000, ["none"], threads=3, engine=engine, progress=interrupt, quantities=["us_on_hand"])
    assert set(threading.enumerate()) == before
    assert len(done) == 1
    assert done[0] < 200


def test_an_interrupt_stops_what_runs_and_starts_nothing_more() -> None:
    class Engine:
        stopped = threading.Event()

        def stop(self) -> None:
            self.stopped.set()

    engine, started = Engine(), []

    def work(first: int, count: int) -> None:
        started.append(first)
        if first > 0 and not engine.stopped.wait(10.0):
            raise AssertionError("nobody stopped it")

    def interrupt(members: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.each_chunk(engine, work, 50 * run.CHUNK, 2, interrupt)
    # The first one is done, at most two are under way, two more wait.
    assert 1 <= len(started) <= 3
    assert engine.stopped.is_set()


def test_an_error_on_a_thread_comes_out_and_leaves_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PILOT", 8)
    monkeypatch.setattr(run, "CHUNK", 8)
    original = run.NumpyEngine.block

    def failing(self: Any, first: int, members: int, **more: Any) -> Any:
        if first >= 16:
            raise MemoryError("no room")
        return original(self, first, members, **more)

    monkeypatch.setattr(run.NumpyEngine, "block", failing)
    before = set(threading.enumerate())
    with pytest.raises(MemoryError, match="no room"):
        draw(200, ["none"], threads=2)
    assert set(threading.enumerate()) == before


def test_the_manifest_says_what_made_it() -> None:
    manifest = kept().manifest
    expected = {"members": MEMBERS, "seed": 1, "sampler": "random", "engine": "numpy", "scenario": "july_2025_3", "policies": POLICIES}
    assert {key: manifest[key] if key != "policies" else list(manifest[key]) for key in expected} == expected
    assert manifest["drawn"] == len(drawn.task(SCENARIO, POLICIES, 1).design.streams)
    assert pd.Series(manifest).notna().all()
