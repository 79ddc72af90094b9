"""Points as lanes: equal to an ensemble of the changed scenario, whatever is varied and however points are cut into shards."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stockpile as sp
from stockpile.draws import Lever
from stockpile.experiments.factors import drawn, factors
from stockpile.experiments.lanes import Lanes
from stockpile.experiments.outcomes import outcome
from stockpile.experiments.pinned import Pin, Pinned
from stockpile.experiments.planning import plan
from stockpile.experiments.points import Points, everything
from stockpile.experiments.summing import summed
from stockpile.experiments.varied import Varied, varied

SCENARIO = sp.load("july_2025")
LENGTH = "policies.suspension_6_months.suspensions.0.length"
PAUSE = "suspension_6_months"
US_SHARE = "munitions.pac3.us_share"
RATE = "munitions.pac3.line.parts.missile.plans.rate_650.by"


def same_as_ensembles(columns: dict[str, list[Any]], policies: list[str], members: int = 40, exact: bool = True, **more: Any) -> None:
    """Compare every number of every point with the ensemble of the scenario so changed."""
    points = Points(SCENARIO, columns, policies, members=members, **more)
    rows = everything(points, threads=2)
    count = len(next(iter(columns.values())))
    assert rows.points.tolist() == list(range(count))
    for point in range(count):
        changes = {path: values[point] for path, values in columns.items() if values[point] is not None}
        made = sp.ensemble(SCENARIO.override(changes) if changes else SCENARIO, policies, members, more.get("seed", 1))
        quantiles = made.metric_quantiles(points.quantiles)
        for place, policy in enumerate(policies):
            for number, (munition, recipient, metric) in enumerate(rows.keys):
                cell = made.metric(metric, recipient, policy=policy, munition=munition)
                found = rows.sums.quantiles[:, point, place, number]
                if exact:
                    np.testing.assert_array_equal(found, quantiles[:, cell])
                else:
                    np.testing.assert_allclose(found, quantiles[:, cell], rtol=1e-10, atol=1e-8)
                values = made.metric_values.values[cell]
                finite = values[np.isfinite(values)]
                assert rows.sums.share_finite[point, place, number] == len(finite) / members
                if len(finite):
                    np.testing.assert_allclose(rows.sums.mean[point, place, number], finite.mean(), rtol=1e-12, atol=1e-12)


def test_numbers_in_lanes_are_those_of_an_ensemble_bit_for_bit() -> None:
    same_as_ensembles({US_SHARE: [0.3, 0.5, 0.62], "recipients.ukraine.pac3.need": [10.0, 80.0, 30.0]}, ["none", "us_first"])


def test_a_product_of_policies_and_numbers_bit_for_bit() -> None:
    # Months begin no interval of their own, so that not even the last bit of a mean over a month differs.
    same_as_ensembles({LENGTH: [0, 3, 12] * 2, "model.slip": [0.0] * 3 + [14.0] * 3}, ["none", PAUSE])


def test_points_that_are_no_product() -> None:
    same_as_ensembles({LENGTH: [0, 3, 12, 5, 3], US_SHARE: [0.3, 0.3, 0.35, 0.6, 0.35]}, ["none", PAUSE], exact=False)


def test_dates_lists_and_missing_values_make_scenarios_of_their_own() -> None:
    same_as_ensembles(
        {
            RATE: [dt.date(2027, 1, 1), dt.date(2028, 1, 1), None, dt.date(2027, 1, 1)],
            US_SHARE: [0.4, None, None, 0.5],
            "munitions.pac3.line.parts.missile.capacity": [None, 640.0, 600.0, None],
        },
        ["none"], exact=False,
    )


def test_scaled_numbers_and_wildcards() -> None:
    columns = {"model.slip.scale": [0.3, 1.5], "munitions.*.floors.transfer_floor": [0.4, 0.6], "munitions.*.training.scale": [2.0, 0.5]}
    same_as_ensembles(columns, [PAUSE], exact=False)


def test_a_scaled_capacity_scales_its_plans() -> None:
    same_as_ensembles({"munitions.pac3.line.parts.missile.capacity.scale": [0.5, 2.0]}, ["none"], exact=False)


def test_engines_give_the_same_bits() -> None:
    columns = {US_SHARE: [0.3, 0.5], LENGTH: [1, 7], "model.slip.scale": [0.5, 1.2]}
    one, other = (everything(Points(SCENARIO, columns, [PAUSE], members=70, engine=engine)) for engine in ("numpy", "compiled"))
    np.testing.assert_array_equal(one.sums.quantiles, other.sums.quantiles)
    np.testing.assert_array_equal(one.sums.mean, other.sums.mean)


@pytest.mark.parametrize("munition", ["aim9x", "aim120", "shell_155mm"])
def test_one_munition_alone_has_the_draws_of_all(munition: str) -> None:
    # Some numbers of the two air-to-air missiles are drawn together.
    rows = everything(Points(SCENARIO, {US_SHARE: [0.4]}, ["none"], members=50, munitions=[munition]))
    made = sp.ensemble(SCENARIO.override({US_SHARE: 0.4}), ["none"], 50)
    quantiles = made.metric_quantiles(rows_quantiles())
    for number, (_, recipient, metric) in enumerate(rows.keys):
        np.testing.assert_array_equal(
            rows.sums.quantiles[:, 0, 0, number], quantiles[:, made.metric(metric, recipient, policy="none", munition=munition)]
        )


def test_central_values_are_those_of_a_run() -> None:
    rows = everything(Points(SCENARIO, {US_SHARE: [0.3, 0.5]}, ["none"], values="central"))
    for point, share in enumerate((0.3, 0.5)):
        metrics = sp.run(SCENARIO.override({US_SHARE: share}), ["none"]).metrics().set_index(["munition", "recipient", "metric"])["value"]
        for number, key in enumerate(rows.keys):
            np.testing.assert_allclose(rows.sums.quantiles[2, point, 0, number], metrics[key], rtol=1e-12, atol=1e-9)


def test_chances_and_stocks_at_dates_are_those_of_an_ensemble() -> None:
    wanted = ["below.transfer_floor@2027-01-01", "us_on_hand@2027-01-15"]
    rows = everything(Points(SCENARIO, {US_SHARE: [0.3, 0.5]}, ["none"], members=200, metrics=wanted, munitions=["pac3"]))
    for point, share in enumerate((0.3, 0.5)):
        made = sp.ensemble(SCENARIO.override({US_SHARE: share}), ["none"], 200, dates=["2027-01-15"])
        below = made.chance_below("transfer_floor", by="2027-01-01", policy="none", munition="pac3")
        assert rows.sums.mean[point, 0, 0] == below.value > 0
        cell = made.metric(made.stock_at("2027-01-15"), policy="none", munition="pac3")
        np.testing.assert_array_equal(rows.sums.quantiles[:, point, 0, 1], made.metric_quantiles(rows_quantiles())[:, cell])


def test_changes_are_taken_draw_by_draw() -> None:
    wanted = ["change_in.total_unmet", "change_in.first_below.transfer_floor", "minimum"]
    for columns in ({LENGTH: [3, 9, 3, 9], US_SHARE: [0.3, 0.3, 0.5, 0.5]}, {LENGTH: [3, 9, 6], US_SHARE: [0.3, 0.3, 0.5]}):
        rows = everything(Points(SCENARIO, columns, [PAUSE, "none"], members=60, metrics=wanted, munitions=["shell_155mm"]))
        for point, changed in enumerate(zip(*columns.values(), strict=True)):
            made = sp.ensemble(SCENARIO.override(dict(zip(columns, changed, strict=True))), [PAUSE, "none"], 60)
            quantiles = made.metric_quantiles(rows_quantiles())
            for number, (munition, recipient, metric) in enumerate(rows.keys):
                for place, policy in enumerate([PAUSE, "none"]):
                    found = rows.sums.quantiles[:, point, place, number]
                    own = quantiles[:, made.metric(metric, recipient, policy=policy, munition=munition)]
                    np.testing.assert_allclose(found, own, rtol=1e-10, atol=1e-7)
                    assert policy == PAUSE or not metric.startswith("change_in.") or (found == 0).all()


@pytest.mark.parametrize(
    ("columns", "policies", "metric", "words"),
    [
        ({US_SHARE: [0.3]}, [PAUSE], "change_in.minimum", ["policy none", "not among the policies"]),
        ({"policies.none.transfer_floor": ["quarter"]}, [PAUSE, "none"], "change_in.minimum", ["policy none", "is varied"]),
        ({US_SHARE: [0.3]}, [PAUSE], "us_on_hand", ["us_on_hand@DATE"]),
        ({US_SHARE: [0.3]}, [PAUSE], "minimum@2027-01-01", ["of the whole run"]),
        ({US_SHARE: [0.3]}, [PAUSE], "change_in.nonesuch", ["change_in.nonesuch"]),
    ],
)
def test_metrics_that_cannot_be_had(columns: dict[str, list[Any]], policies: list[str], metric: str, words: list[str]) -> None:
    with pytest.raises(sp.InputError) as caught:
        Points(SCENARIO, columns, policies, metrics=[metric])
    for word in words:
        assert word in str(caught.value)


def rows_quantiles() -> tuple[float, ...]:
    return (0.05, 0.25, 0.5, 0.75, 0.95)


def test_what_kind_a_path_is() -> None:
    columns: dict[str, list[Any]] = {
        US_SHARE: [0.3], LENGTH: [2], RATE: [dt.date(2027, 1, 1)], "model.times.issue": [1.1], "munitions.*.floors.transfer_floor": [0.5],
        "model.slip.scale": [2.0], "model.realisation.at": ["low"], "scenario.end": [dt.date(2032, 1, 1)],
        "campaigns.us_operation.length": [2.0], "campaigns.us_operation.rate": [0.5],
        "events.tranche_2025_07.rounds.pac3": [20.0], "recipients.ukraine.aim9x.need": [3.0],
    }
    kinds = {item.path: item.kind for item in varied(SCENARIO, columns)}
    lane = {US_SHARE, "munitions.*.floors.transfer_floor", "model.slip.scale", "campaigns.us_operation.rate",
            "events.tranche_2025_07.rounds.pac3", "recipients.ukraine.aim9x.need"}
    assert {path for path, kind in kinds.items() if kind == "lane"} == lane
    assert {path for path, kind in kinds.items() if kind == "policy"} == {LENGTH}


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"munitions.pac3.us_shar": [0.3]}, ["munitions.pac3.us_shar", "us_share"]),
        ({US_SHARE: [0.3, 1.2]}, [US_SHARE, "1.2", "from 0 to 1"]),
        ({US_SHARE: [0.3, "x"]}, [US_SHARE, "x", "number"]),
        ({"policies.nonesuch.suspensions.0.length": [3]}, ["nonesuch"]),
        ({LENGTH: [-1, 3]}, [LENGTH, "-1", "at least 0"]),
        ({US_SHARE: [0.3], "munitions.*.us_share": [0.4]}, ["reaches the same value", US_SHARE]),
        ({US_SHARE: [0.3], f"{US_SHARE}.scale": [0.4]}, ["reaches the same value", US_SHARE]),
        ({"model.times.issue": [0.1]}, ["0.1", "dt (1/issue + loss)", "substeps of at least"]),
    ],
)
def test_what_cannot_be_varied_is_said_before_any_work(columns: dict[str, list[Any]], words: list[str]) -> None:
    with pytest.raises(sp.InputError) as caught:
        everything(Points(SCENARIO, columns, ["none"], members=2))
    for word in words:
        assert word in str(caught.value)


def test_all_faults_come_together() -> None:
    with pytest.raises(sp.InputError) as caught:
        Points(SCENARIO, {"munitions.pac3.us_shar": [0.3], LENGTH: [-1]}, ["none"])
    assert len(caught.value.problems) == 2


def test_combinations_that_cannot_be_are_refused() -> None:
    review = "policies.suspension_with_review.review"
    with pytest.raises(sp.InputError, match=r"0.6 is below on \(0.9\).*with .*review.on = 0.9"):
        Points(SCENARIO, {f"{review}.on": [0.5, 0.9, 0.9], f"{review}.off": [0.6, 0.95, 0.6]}, ["suspension_with_review"])
    Points(SCENARIO, {f"{review}.on": [0.5, 0.9], f"{review}.off": [0.6, 0.95]}, ["suspension_with_review"])


# ---------------------------------------------------------------- the plan


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 4)), min_size=1, max_size=60, unique=True
    ),
    st.integers(1, 3), st.integers(1, 70_000), st.integers(1, 400), st.booleans(),
)
def test_each_point_is_in_one_shard_with_its_own_values(
    design: list[tuple[int, int, int]], policies: int, members: int, metrics: int, gaps: bool
) -> None:
    columns = [np.array(column) for column in zip(*design, strict=True)]
    kinds = ("structure", "policy", "lane")
    items = [
        Varied(kind, tuple(None if gaps and kind == "lane" and value == 0 else float(value) for value in range(6)), codes, kind)
        for kind, codes in zip(kinds, columns, strict=True)
    ]
    groups, shards = plan(items, policies, members, metrics)
    seen = np.concatenate([shard.points for shard in shards])
    assert sorted(seen.tolist()) == list(range(len(design)))
    for shard in shards:
        group = groups[shard.group]
        variants = group.batch(shard.batch)
        first = shard.variants[0] - group.batch_start(shard.batch)
        for point, variant, entry in zip(shard.points, shard.variant, shard.entry, strict=True):
            assert items[0].at(point) == items[0].at(group.point)
            assert items[1].at(point) == items[1].at(variants[first + variant])
            assert items[2].at(point) == items[2].at(group.entries[shard.entries[entry]])
            assert (items[2].at(point) is None) == (items[2].at(group.point) is None)


# ---------------------------------------------------------------- what is kept of members


@settings(deadline=None)
@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(np.inf)), min_size=1, max_size=40))
def test_sums_are_those_of_the_finite_numbers(numbers: list[float]) -> None:
    found = summed(np.array([numbers]), (0.0, 0.5, 1.0))
    finite = [number for number in numbers if np.isfinite(number)]
    assert found.share_finite[0] == len(finite) / len(numbers)
    if finite:
        np.testing.assert_allclose(found.mean[0], np.mean(finite), rtol=1e-9, atol=1e-6)
    else:
        assert np.isnan(found.mean[0])
    assert found.quantiles[0, 0] == min(numbers) and found.quantiles[2, 0] == max(numbers)


# ---------------------------------------------------------------- outcomes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pac3", ["MUNITION:METRIC"]),
        ("pac4:minimum", ["unknown munition 'pac4'", "did you mean 'pac3'"]),
        ("pac3:minimun", ["unknown metric 'minimun'", "did you mean 'minimum'"]),
        ("pac3:total_unmet:ukrain", ["unknown recipient 'ukrain'", "did you mean 'ukraine'"]),
        ("pac3:minimum@2027-01-01", ["of the whole run", "us_on_hand"]),
        ("pac3:us_on_hand@2050-01-01", ["outside the run"]),
        ("pac3:below.nonesuch@2027-01-01", ["unknown metric", "below."]),
        ("pac3:us_on_hand@", ["MUNITION:METRIC"]),
    ],
)
def test_wrong_outcomes(text: str, words: list[str]) -> None:
    with pytest.raises(sp.InputError) as caught:
        outcome(text, SCENARIO)
    for word in words:
        assert word in str(caught.value)


def test_outcomes_are_read_and_written() -> None:
    for text in ("pac3:minimum", "pac3:total_unmet:ukraine", "pac3:below.transfer_floor@2027-01-01", "aim9x:change_in.stock_at_end"):
        assert str(outcome(text, SCENARIO)) == text
    assert outcome("pac3:below.transfer_floor", SCENARIO).unit == "1"
    assert outcome("pac3:first_below.transfer_floor", SCENARIO).unit == "month"


def test_a_change_is_measured_on_the_same_draws_and_never_counts_as_the_end_of_the_run() -> None:
    lanes = Lanes(SCENARIO, [PAUSE, "none"], only=["pac3"])
    first = outcome("pac3:first_below.transfer_floor", SCENARIO)
    change = outcome("pac3:change_in.first_below.transfer_floor", SCENARIO)
    found = lanes.run(
        lanes.draws(1, 60),
        lambda block: np.array([first.of(block, lanes, PAUSE), first.of(block, lanes, "none"), change.of(block, lanes, PAUSE)]),
    )
    assert found.max() == lanes.made.clock.months
    np.testing.assert_array_equal(found[2], found[0] - found[1])


# ---------------------------------------------------------------- factors


def test_every_stream_belongs_to_one_factor() -> None:
    lanes = Lanes(SCENARIO, ["none"])
    for apart in (False, True):
        rows = [row for factor in factors(lanes, apart=apart) for row in factor.rows]
        assert sorted(rows) == list(range(len(lanes.streams)))
    names = {factor.name for factor in factors(lanes)}
    assert {"campaigns.us_operation", "model.slip & model.realisation", "munitions.pac3.us_stock"} <= names


def test_what_is_drawn_for_a_group_alone_is_no_factor_of_its_own() -> None:
    lanes = Lanes(SCENARIO, ["none"], only=["pac3"])
    company = [path for path in lanes.streams if "shell_155mm" in path]
    assert company
    names = {path for factor in factors(lanes) for path in factor.paths}
    assert not names.intersection(company) and not set(drawn(lanes, lanes.draws(1, 4).uniforms(0, 4))).intersection(company)
    # Its number goes into those of its group all the same.
    grouped = next(factor for factor in factors(lanes) if "recipients.ukraine.pac3.need.targets" in factor.paths)
    assert {lanes.streams.index(path) for path in company} <= set(grouped.rows)
    assert not any(path in company for factor in factors(lanes, apart=True) for path in factor.paths)


@pytest.mark.parametrize("only", [None, ["pac3"], ["aim9x"]])
def test_what_is_drawn_lies_in_its_range(only: list[str] | None) -> None:
    lanes = Lanes(SCENARIO, ["none"], only=only)
    values = drawn(lanes, lanes.draws(1, 400).uniforms(0, 400))
    table = SCENARIO.table().groupby("path").agg(low=("low", "min"), high=("high", "max"))
    bounded = [path for path in values if path in table.index and "stock" in path]
    assert bounded
    for path in bounded:
        assert table.low[path] <= values[path].min() < values[path].max() <= table.high[path]
    assert set(np.unique(values["campaigns.us_operation"])) <= set(map(float, range(40)))


def test_pins_set_their_rows_alone() -> None:
    base = np.random.default_rng(1).random((3, 5))
    pinned = Pinned(base, [Pin((), 0.5), Pin((1,), 0.05), Pin((0, 2), 0.95)])
    whole = pinned.uniforms(0, 15)
    np.testing.assert_array_equal(whole[:, :5], base)
    np.testing.assert_array_equal(whole[1, 5:10], 0.05)
    np.testing.assert_array_equal(whole[[0, 2], 5:10], base[[0, 2]])
    np.testing.assert_array_equal(whole[[0, 2], 10:], 0.95)
    np.testing.assert_array_equal(np.concatenate([pinned.uniforms(0, 7), pinned.uniforms(7, 8)], axis=1), whole)


def test_a_lever_reaches_what_stands_under_its_path() -> None:
    lanes = Lanes(SCENARIO.override({"recipients.ukraine.pac3.need": 10.0}), ["none"], levers=(Lever("recipients.ukraine.pac3.need"),))
    assert not any(stream.startswith("recipients.ukraine.pac3.need") for stream in lanes.streams)
