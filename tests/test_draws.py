"""What is drawn for a scenario: as its files declare, each from a stream of its own, the same whatever else is drawn."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import drawn
import numpy as np
import pytest
from drawn import same
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

import stockpile as sp
from stockpile import schema, shapes
from stockpile.assemble import Parts, parts
from stockpile.clock import Clock
from stockpile.draws import Central, Collector, Design, Drawn, design
from stockpile.ensembles.numpy_engine import NumpyEngine
from stockpile.lookup import Numbers
from stockpile.samplers import SAMPLERS
from stockpile.tables import parameters

Array = NDArray[np.float64]
Asked = tuple[str, schema.Parameter, schema.Evidence, str]
FOLDER = Path(__file__).parent / "closed_forms"
NOTE = {"grade": "assumed", "note": "A test."}
MANY = 10_000


class Asking(Collector):
    """Finds out what is drawn, and keeps what was asked for."""

    def __init__(self, scenario: sp.Scenario) -> None:
        super().__init__(scenario)
        self.asked: dict[tuple[Any, ...], Asked] = {}

    def of(self, path: str, parameter: schema.Parameter, point: schema.Evidence, stream: str = "") -> Array:
        key = (path, stream, point.low, point.value, point.high, getattr(point, "from_", None))
        self.asked[key] = (path, parameter, point, stream)
        return super().of(path, parameter, point, stream)


def drawing(scenario: sp.Scenario, members: int, seed: int = 1, sampler: str = "random") -> tuple[Design, list[Asked]]:
    """Return the draws of a scenario, and every number that it asks for."""
    asking = Asking(scenario)
    parts(scenario, ["none"], asking)
    return design(asking.columns, seed, members, sampler), list(asking.asked.values())


@cache
def shipped(name: str) -> tuple[Design, list[Asked]]:
    return drawing(sp.load(name), MANY, sampler="lhs")


def is_drawn(asked: Asked) -> bool:
    _, parameter, point, _ = asked
    low, high = point.span
    return parameter.role == "uncertainty" and parameter.shape is not None and low < high


def laid_over(folder: Path, files: Mapping[str, Mapping[str, Any]], name: str = "closed_form") -> sp.Scenario:
    for file, table in files.items():
        drawn.write(folder, file, table)
    return sp.load(name, params=[FOLDER, folder])


# ---------------------------------------------------------------- as the files declare


def declared(parameter: schema.Parameter, point: schema.Evidence) -> Any:
    """Return the distribution that a file declares, from SciPy; of a lognormal the two halves are joined by hand."""
    low, high = point.span
    value, width = point.value, high - low
    if parameter.shape == "triangular":
        return stats.triang((value - low) / width, low, width)
    if parameter.shape == "pert":
        return stats.beta(1 + 4 * (value - low) / width, 1 + 4 * (high - value) / width, low, width)
    return stats.uniform(low, width) if parameter.shape == "uniform" else None


CUT_OFF = ("campaigns.us_operation.length",)
"""Of which more than a thousandth would lie beyond what can be: the rest is scaled up (see below)."""


@pytest.mark.parametrize("name", ["july_2025", "november_2026"])
def test_what_is_drawn_is_as_the_files_declare(name: str) -> None:
    """Mean, 5th and 95th percentile, and bounds, of every uncertain value of a shipped scenario."""
    made, asked = shipped(name)
    values = Drawn(made, 0, MANY)
    together = {path for group in sp.load(name).model.correlations.values() for path in group.paths}
    seen: dict[str, int] = {}
    for path, parameter, point, stream in filter(is_drawn, asked):
        found = values.of(path, parameter, point, stream)
        low, high = point.span
        assert found.shape == (MANY,)
        shape = str(parameter.shape)
        seen[shape] = seen.get(shape, 0) + 1
        if shape == "choice":
            choices = dict(point.choices)
            assert set(found) == set(choices), path
            for value, weight in choices.items():
                assert (found == value).mean() == pytest.approx(weight / sum(choices.values()), abs=1.5 / shapes.KNOTS), path
            continue
        exact = declared(parameter, point)
        if exact is None:
            # Normal and lognormal: the central value is the median, low and high are the 5th and the 95th percentile.
            least, most = parameter.bounds
            if path not in CUT_OFF:
                assert np.quantile(found, [0.05, 0.5, 0.95]) == pytest.approx([low, point.value, high], rel=2e-3), path
                assert found.max() > high, path
            assert found.min() < low, path
            assert least <= found.min() and found.max() <= most, path
        else:
            # Those of a group are not spread as evenly.
            near = 0.04 if path in together else 0.002
            assert found.mean() == pytest.approx(exact.mean(), abs=near * exact.std()), path
            assert np.quantile(found, [0.05, 0.95]) == pytest.approx(exact.ppf([0.05, 0.95]), abs=near * exact.std()), path
            assert found.std() == pytest.approx(exact.std(), rel=near), path
            assert (found.min() >= low, found.max() <= high) == (True, True), path
    assert seen["triangular"] > 100
    assert seen["lognormal"] >= 6
    assert len(made.streams) > 200


def test_a_campaign_lasts_no_longer_than_a_year_and_the_rest_is_scaled_up() -> None:
    made, asked = shipped("july_2025")
    path, parameter, point, stream = next(one for one in asked if one[0] in CUT_OFF)
    found = Drawn(made, 0, MANY).of(path, parameter, point, stream)
    low, high, year = (math.log(number) for number in (*point.span, parameter.bounds[1]))
    middle, score = math.log(point.value), stats.norm.ppf(0.001 + 0.998 * 0.95)
    end = stats.norm.cdf((year - middle) / ((high - middle) / score))
    assert 0.97 < end < 0.99
    for q in (0.05, 0.5, 0.95):
        at = stats.norm.ppf(0.001 + (end - 0.001) * q)
        width = (middle - low if at < 0 else high - middle) / score
        assert np.quantile(found, q) == pytest.approx(math.exp(middle + at * width), rel=2e-3)
    assert found.max() <= parameter.bounds[1]


NUMBER = {"unit": "round/month", **NOTE}
SHAPED = {
    "uniform": {"low": 2.0, "value": 5.0, "high": 6.0}, "triangular": {"low": 2.0, "value": 5.0, "high": 6.0},
    "pert": {"low": 2.0, "value": 3.0, "high": 6.0}, "normal": {"low": 3.0, "value": 5.0, "high": 6.0},
    "lognormal": {"low": 2.0, "value": 3.0, "high": 9.0},
}


@pytest.mark.parametrize("shape", SHAPED)
def test_each_shape_is_drawn_as_declared(shape: str, tmp_path: Path) -> None:
    scenario = laid_over(tmp_path, {"munitions/test_round.toml": {"training": {**NUMBER, "shape": shape, **SHAPED[shape]}}})
    made, asked = drawing(scenario, 4096, sampler="sobol")
    assert made.streams == ("munitions.test_round.training",)
    (one,) = filter(is_drawn, asked)
    found = Drawn(made, 0, 4096).of(*one)
    exact = declared(one[1], one[2])
    if exact is None:
        assert np.quantile(found, [0.05, 0.5, 0.95]) == pytest.approx(list(SHAPED[shape].values()), rel=2e-3)
    else:
        assert np.quantile(found, [0.05, 0.5, 0.95]) == pytest.approx(exact.ppf([0.05, 0.5, 0.95]), rel=2e-3)
        assert found.mean() == pytest.approx(exact.mean(), rel=1e-3)


def test_a_choice_takes_the_listed_values_by_their_weights(tmp_path: Path) -> None:
    points = [
        {"from": dt.date(2025, 1, 1), "value": 1.0, "conflict": "test", "weight": 3.0, **NOTE},
        {"from": dt.date(2025, 1, 1), "value": 4.0, "conflict": "test", "used": False, "weight": 1.0, **NOTE},
        {"from": dt.date(2026, 1, 1), "value": 9.0, **NOTE},
    ]
    training = {"unit": "round/month", "shape": "choice", "points": points}
    scenario = laid_over(tmp_path, {"munitions/test_round.toml": {"training": training}})
    made, asked = drawing(scenario, 2000, sampler="lhs")
    found = [Drawn(made, 0, 2000).of(*one) for one in asked if one[0].endswith("training")]
    first = next(values for values in found if values.shape == (2000,))
    assert {value: (first == value).sum() for value in (1.0, 4.0)} == {1.0: 1500, 4.0: 500}
    assert [values.tolist() for values in found if values.shape == (1,)] == [[9.0]]


@pytest.mark.parametrize("role", ["lever", "constant"])
def test_levers_and_constants_do_not_vary(role: str, tmp_path: Path) -> None:
    lever = {**NUMBER, "role": role, "shape": "triangular", **SHAPED["triangular"]}
    made, asked = drawing(laid_over(tmp_path, {"munitions/test_round.toml": {"training": lever}}), 50)
    assert made.streams == ()
    (one,) = (one for one in asked if one[0].endswith("training"))
    assert Drawn(made, 0, 50).of(*one).tolist() == [5.0]


def test_nothing_of_a_shipped_scenario_varies_but_what_is_uncertain() -> None:
    made, asked = shipped("july_2025")
    values = Drawn(made, 0, 100)
    fixed = [one for one in asked if not is_drawn(one)]
    assert {one[1].role for one in fixed} >= {"constant", "uncertainty"}
    for path, parameter, point, stream in fixed:
        assert values.of(path, parameter, point, stream).tolist() == [point.value], path
    assert {one[3] or one[0] for one in asked if is_drawn(one)} | {s for s in made.streams if "@" in s} == set(made.streams)


def test_one_draw_moves_all_points_of_a_parameter() -> None:
    """Where a low value is drawn for one date, one as low is drawn for every other."""
    made, asked = shipped("july_2025")
    values, found = Drawn(made, 0, MANY), {}
    for one in filter(is_drawn, asked):
        found.setdefault((one[0], one[3]), []).append(values.of(*one))
    several = [points for points in found.values() if len(points) > 1]
    assert len(several) > 10
    for points in several:
        order = np.argsort(points[0], kind="stable")
        assert all((np.diff(other[order]) >= 0.0).all() for other in points[1:])


# ---------------------------------------------------------------- together and apart


@pytest.mark.parametrize("name", ["july_2025", "november_2026"])
def test_groups_move_together_as_declared_and_nothing_else_does(name: str) -> None:
    scenario = sp.load(name)
    made, _ = drawing(scenario, MANY)
    scores = stats.norm.ppf(made.uniforms(0, MANY))
    found = np.corrcoef(scores)
    expected = np.eye(len(made.streams))
    row = {stream: number for number, stream in enumerate(made.streams)}
    groups = scenario.model.correlations
    assert len(groups) >= 2
    for group in groups.values():
        members = [row[path] for path in group.paths]
        assert len(members) > 1
        for one in members:
            for other in members:
                expected[one, other] = 1.0 if one == other else group.value
    # Five times the standard error: of 28,000 pairs hardly one would be as far off by chance.
    assert np.abs(found - expected).max() < 5.0 / math.sqrt(MANY)


def test_shares_of_the_line_that_sum_to_more_than_all_are_scaled_down_together(tmp_path: Path) -> None:
    share = {"unit": "1", "shape": "uniform", **NOTE}
    files = {
        "munitions/test_round.toml": {"us_share": {**share, "low": 0.2, "value": 0.5, "high": 0.9}},
        "recipients/ukraine.toml": {"test_round": {"share": {**share, "low": 0.1, "value": 0.3, "high": 0.6}}},
    }
    scenario = laid_over(tmp_path, files)
    made, asked = drawing(scenario, 2000)
    values = Drawn(made, 0, 2000)
    by_path = {one[0]: values.of(*one) for one in asked if is_drawn(one)}
    us, ukraine = by_path["munitions.test_round.us_share"], by_path["recipients.ukraine.test_round.share"]
    series = parts(scenario, ["none"], values).common["test_round"].series
    whole = us + ukraine
    assert 0.1 < (whole > 1.0).mean() < 0.5
    shares = dict(zip(scenario.recipients, series["share"], strict=True))
    for found, own in ((series["us_share"], us), (shares["ukraine"], ukraine)):
        assert np.ravel(found) == pytest.approx(own / np.maximum(whole, 1.0), rel=1e-12)
    assert np.ravel(shares["partners"]) == pytest.approx(np.maximum(1.0 - whole, 0.0), abs=1e-12)


@pytest.mark.parametrize("sampler", SAMPLERS)
@given(cuts=st.lists(st.integers(0, 300), max_size=4), seed=st.integers(0, 2**40))
def test_members_are_the_same_in_any_chunk(sampler: str, cuts: list[int], seed: int) -> None:
    made, _ = drawing(drawn.scenario(months=4), 300, seed, sampler)
    whole = drawn.columns_of(made, 0, 300)
    ends = sorted({0, 300, *cuts})
    found = [drawn.columns_of(made, first, last - first) for first, last in itertools.pairwise(ends)]
    assert np.concatenate(found, axis=1).tobytes() == whole.tobytes()


@pytest.mark.parametrize("sampler", ["random", "lhs"])
def test_another_uncertain_value_leaves_all_other_draws_as_they_were(sampler: str, tmp_path: Path) -> None:
    table = {"pac3": {"other_supply": {**NUMBER, "shape": "triangular", "low": 0.0, "value": 0.0, "high": 50.0}}}
    drawn.write(tmp_path, "recipients/israel.toml", table)
    before, after = (
        sp.load("july_2025", params=folders).override({"scenario.start": dt.date(2025, 4, 1), "scenario.end": dt.date(2026, 1, 1)})
        for folders in ([], [tmp_path])
    )
    (one, asked), (other, more) = (drawing(scenario, 70, sampler=sampler) for scenario in (before, after))
    assert set(other.streams) - set(one.streams) == {"recipients.israel.pac3.other_supply"}
    assert set(one.streams) <= set(other.streams)
    rows = [other.streams.index(stream) for stream in one.streams]
    assert other.uniforms(0, 70)[rows].tobytes() == one.uniforms(0, 70).tobytes()
    first, second = Drawn(one, 0, 70), Drawn(other, 0, 70)
    for item in asked:
        if item[0] != "recipients.israel.pac3.other_supply":
            assert first.of(*item).tobytes() == second.of(*item).tobytes()
    assert len(more) == len(asked)
    # So the other munitions, and the other recipients, are what they were.
    blocks = [
        NumpyEngine(drawn.task(scenario, ["none"], 70, sampler=sampler, quantities=["on_hand", "us_on_hand"])).block(0, 70, keep=True)
        for scenario in (before, after)
    ]
    changed = (blocks[0].rows != blocks[1].rows).any(axis=(-1, -2))
    entries = drawn.task(before, ["none"], 1, quantities=["on_hand", "us_on_hand"]).entries
    names = list(before.munitions)
    assert {(names[m], entries[e].row) for _, m, e in zip(*np.nonzero(changed), strict=True)} == {("pac3", "israel")}


@pytest.mark.parametrize("sampler", ["random", "lhs"])
def test_fewer_munitions_leave_the_draws_of_the_others_as_they_were(sampler: str) -> None:
    """But for those of a correlated group: each rests on those listed before it."""
    scenario = drawn.scenario(munitions=drawn.MUNITIONS, months=4)
    few, _ = drawing(drawn.scenario(munitions=["aim9x"], months=4), 40, sampler=sampler)
    all_, _ = drawing(scenario, 40, sampler=sampler)
    in_groups = {path for group in scenario.model.correlations.values() for path in group.paths[1:]}
    streams = [stream for stream in few.streams if stream not in in_groups]
    assert set(few.streams) < set(all_.streams)
    assert len(streams) > 30
    one, other = few.uniforms(0, 40), all_.uniforms(0, 40)
    for stream in streams:
        assert one[few.streams.index(stream)].tobytes() == other[all_.streams.index(stream)].tobytes(), stream


@pytest.mark.parametrize("sampler", ["random", "lhs"])
def test_one_more_at_the_end_of_a_group_moves_none_before_it(sampler: str, tmp_path: Path) -> None:
    before = sp.load("july_2025")
    name, more = "intensity_of_the_war", "recipients.israel.shell_155mm.need.rounds"
    paths = before.model.correlations[name].paths
    drawn.write(tmp_path, "model.toml", {"correlations": {name: {"paths": [*paths, more], "value": 0.5, **NOTE}}})
    after = sp.load("july_2025", params=[tmp_path])
    one, other = (drawing(scenario, 50, sampler=sampler)[0] for scenario in (before, after))
    assert one.streams == other.streams
    changed = (one.uniforms(0, 50) != other.uniforms(0, 50)).any(axis=1)
    assert [stream for stream, moved in zip(one.streams, changed, strict=True) if moved] == [more]


def test_more_members_leave_the_random_draws_as_they_were() -> None:
    scenario = drawn.scenario(months=4)
    few, many = (drawing(scenario, members)[0] for members in (10, 1000))
    assert drawn.columns_of(few, 0, 10).tobytes() == drawn.columns_of(many, 0, 10).tobytes()


def test_seeds_and_samplers_are_different_draws() -> None:
    scenario = drawn.scenario(months=4)
    found = [drawn.columns_of(drawing(scenario, 8, seed, sampler)[0], 0, 8).tobytes() for seed in (1, 2) for sampler in SAMPLERS]
    assert len(set(found)) == len(found)


def test_central_values_leave_nothing_to_chance() -> None:
    with pytest.raises(ValueError, match="is left to chance"):
        Central().chance("campaigns.us_operation.moment")


# ---------------------------------------------------------------- random campaigns


def campaign(
    folder: Path, *, as_of: dt.date = dt.date(2024, 12, 31), end: dt.date = dt.date(2028, 1, 1), **numbers: Mapping[str, Any]
) -> sp.Scenario:
    """Return a scenario with one random campaign on behalf of the US: one a year, of a hundredth of a month, of ten rounds."""
    table: dict[str, Any] = {"title": "A test", "description": "A test.", "cause": "us"}
    own = {"rate": {"unit": "1/year", "value": 1.0}, "length": {"unit": "month", "value": 0.01}, **numbers}
    table |= {key: {**value, **NOTE} for key, value in own.items() if key != "rounds"}
    table["rounds"] = {"test_round": {"unit": "round", **NOTE, **numbers.get("rounds", {"value": 10.0})}}
    scenario = {"base": "closed_form", "title": "A test", "description": "A test.", "as_of": as_of, "end": end}
    return laid_over(folder, {"campaigns/test.toml": table, "scenarios/test.toml": scenario}, "test")


def used(scenario: sp.Scenario, members: int, sampler: str = "random") -> tuple[Clock, Array]:
    """Return what US forces need [round] in each interval, shape (intervals, members)."""
    made, _ = drawing(scenario, members, sampler=sampler)
    found: Parts = parts(scenario, ["none"], Drawn(made, 0, members))
    need = found.common["test_round"].series["own_need_for"][0]
    return found.clock, need * np.diff(found.clock.knots)[:, None]


@pytest.mark.parametrize("rate", [0.4, 1.0, 2.4, 4.0])
def test_as_many_campaigns_come_in_a_year_as_the_rate_says(rate: float, tmp_path: Path) -> None:
    _, rounds = used(campaign(tmp_path, rate={"unit": "1/year", "value": rate}), 4000)
    numbers = rounds.sum(axis=0) / 10.0
    quarters = 12
    chance = rate / 4.0
    error = math.sqrt(quarters * chance * (1.0 - chance) / 4000)
    # A campaign that begins at the very end lasts beyond the run: a thousandth of those of the last quarter.
    assert numbers.mean() == pytest.approx(3.0 * rate, abs=5.0 * error + 0.002)
    assert numbers.var() == pytest.approx(quarters * chance * (1.0 - chance), abs=0.1)


def test_an_uncertain_rate_is_met_on_average(tmp_path: Path) -> None:
    rate = {"unit": "1/year", "value": 0.9, "low": 0.3, "high": 2.0, "shape": "lognormal"}
    _, rounds = used(campaign(tmp_path, rate=rate), 6000, "lhs")
    table = shapes.table("lognormal", 0.3, 0.9, 2.0, 0.0, 4.0)
    mean, spread = 3.0 * shapes.mean(table), 3.0 * shapes.deviation(table)
    numbers = rounds.sum(axis=0) / 10.0
    assert numbers.mean() == pytest.approx(mean, abs=5.0 * math.sqrt((mean + spread**2) / 6000))
    # Members whose rate is high have more of them: more spread than independent quarters would give.
    assert numbers.var() > mean * (1.0 - mean / 12.0) + 0.5 * spread**2


def test_campaigns_begin_at_any_time_of_a_quarter(tmp_path: Path) -> None:
    clock, rounds = used(campaign(tmp_path, end=dt.date(2026, 1, 1), rate={"unit": "1/year", "value": 4.0}), 3000)
    assert len(clock.knots) == 13
    by_month = rounds.sum(axis=1) / 10.0
    assert by_month.sum() == pytest.approx(4 * 3000, rel=0.01)
    assert by_month == pytest.approx(1000, abs=5.0 * math.sqrt(1000))


@pytest.mark.parametrize("length", [0.01, 2.5])
def test_none_comes_up_to_as_of(length: float, tmp_path: Path) -> None:
    """In the middle of a quarter, too: what would have begun before it is left out whole, the rest comes as often as ever."""
    as_of = dt.date(2025, 5, 20)
    numbers = {"rate": {"unit": "1/year", "value": 4.0}, "length": {"unit": "month", "value": length}}
    clock, rounds = used(campaign(tmp_path, as_of=as_of, end=dt.date(2025, 7, 1), **numbers), 3000)
    now = clock.at(as_of + dt.timedelta(days=1))
    early = clock.knots[1:] <= now + 1e-12
    assert early.sum() >= 5
    assert (rounds[early] == 0.0).all()
    begun = 3000 * (6.0 - now) / 3.0
    assert (rounds > 0.0).any(axis=0).sum() == pytest.approx(begun, abs=5.0 * math.sqrt(begun))


def test_rounds_lie_within_their_support_and_are_used_evenly(tmp_path: Path) -> None:
    rounds = {"value": 60.0, "low": 4.0, "high": 1000.0, "shape": "lognormal"}
    length = {"unit": "month", "value": 0.5, "low": 0.2, "high": 1.0, "shape": "uniform"}
    scenario = campaign(tmp_path, end=dt.date(2025, 7, 1), rate={"unit": "1/year", "value": 2.0}, rounds=rounds, length=length)
    clock, found = used(scenario, 4000)
    first = found[clock.knots[:-1] < 3.0]
    # Those of the first quarter that are over before the second one begins.
    alone = (found[clock.knots[:-1] >= 3.0] == 0.0).all(axis=0) & (first.sum(axis=0) > 0.0)
    sizes = first.sum(axis=0)[alone]
    least, most = shapes.support("lognormal", 4.0, 60.0, 1000.0)
    assert len(sizes) > 500
    assert least <= sizes.min() * (1 + 1e-12) and sizes.max() <= most * (1 + 1e-12)
    assert np.quantile(sizes, [0.05, 0.5, 0.95]) == pytest.approx([4.0, 60.0, 1000.0], rel=0.25)
    # No month can have more than the whole, nor a rate above that of the shortest.
    assert (found.max(axis=0) <= most).all()
    months = (first[:, alone] > 0.0).sum(axis=0)
    assert set(months) == {1, 2}


def test_all_munitions_of_a_campaign_take_their_rounds_together() -> None:
    """One draw of size moves the rounds of all munitions; when and how long is the campaign's."""
    scenario = drawn.scenario(munitions=drawn.MUNITIONS, months=15)
    made, _ = drawing(scenario, 500)
    found = parts(scenario, ["none"], Drawn(made, 0, 500))
    joint = {name: common.series["own_need_for"][-1] for name, common in found.common.items()}
    dated = {
        name: common.series["own_need_for"][-1] for name, common in parts(scenario, ["none"], Central()).common.items()
    }
    more = {name: joint[name] - dated[name] for name in joint}
    when = more["pac3"] > 1e-9
    assert 100 < when.any(axis=0).sum() < 500
    for name in drawn.MUNITIONS:
        assert np.array_equal(more[name] > 1e-9, when)
    once = when.any(axis=0)
    orders = [np.argsort(np.argsort(more[name].sum(axis=0)[once])) for name in drawn.MUNITIONS]
    assert all(stats.spearmanr(orders[0], order).statistic > 0.98 for order in orders[1:])


def test_runs_and_members_without_a_campaign_are_what_they_were(tmp_path: Path) -> None:
    scenario = campaign(tmp_path, rate={"unit": "1/year", "value": 0.5})
    drawn.write(tmp_path, "munitions/test_round.toml", {"training": {**NUMBER, "shape": "triangular", **SHAPED["triangular"]}})
    without = {"base": "test", "title": "A test", "description": "A test.", "without_campaigns": ["test"]}
    drawn.write(tmp_path, "scenarios/without.toml", without)
    scenario, other = (sp.load(name, params=[FOLDER, tmp_path]) for name in ("test", "without"))
    same(sp.run(scenario, ["none"]).arrays, sp.run(other, ["none"]).arrays)
    one, two = (NumpyEngine(drawn.task(item, ["none"], 300)).block(0, 300, keep=True).rows for item in (scenario, other))
    none = (used(scenario, 300)[1] == used(other, 300)[1]).all(axis=0)
    assert 30 < none.sum() < 270
    same(np.ascontiguousarray(one[..., none]), np.ascontiguousarray(two[..., none]))
    assert not np.array_equal(one, two, equal_nan=True)


def test_what_is_looked_up_is_in_the_units_of_the_model(tmp_path: Path) -> None:
    """A draw is in the parameter's own unit; the model takes it in months."""
    yearly = {"unit": "round/year", "shape": "uniform", "low": 24.0, "value": 36.0, "high": 48.0, **NOTE}
    scenario = laid_over(tmp_path, {"munitions/test_round.toml": {"training": yearly}})
    made, _ = drawing(scenario, 500, sampler="lhs")
    numbers = Numbers(scenario, Drawn(made, 0, 500), parts(scenario, ["none"]).clock)
    found = numbers.at_start("munitions.test_round.training", scenario.munitions["test_round"].training)
    assert (found.min(), found.max()) == (pytest.approx(2.0, abs=0.01), pytest.approx(4.0, abs=0.01))


# ---------------------------------------------------------------- found by path


def central(scenario: sp.Scenario) -> Numbers:
    return Numbers(scenario, Central(), parts(scenario, ["none"]).clock)


@pytest.mark.parametrize("name", ["july_2025", "november_2026"])
def test_every_parameter_is_found_by_its_path(name: str) -> None:
    scenario = sp.load(name)
    numbers = central(scenario)
    folders = ("munitions", "recipients", "events", "campaigns", "model")
    tables = {".".join(path): table for path, table in parameters({key: scenario.tree[key] for key in folders}) if "unit" in table}
    assert {path.split(".")[0] for path in tables} == set(folders)
    for path, table in tables.items():
        found = numbers.find(path)
        assert found is numbers.find(path), path
        assert found.model_dump() == schema.Parameter.model_validate(table).model_dump(), path


def test_what_is_referred_to_keeps_the_bounds_of_its_field() -> None:
    """A number of which none is above 1 may be more where its field says so, and is cut off at 1 elsewhere."""
    scenario = sp.load("july_2025")
    numbers = central(scenario)
    found = numbers.find("model.realisation")
    assert found is scenario.model.realisation
    assert max(max(point.value, point.high or 0.0) for point in found.points) <= 1.0
    assert found.bounds == (0.0, math.inf) != schema.Parameter.model_validate(found.model_dump(by_alias=True)).bounds
    assert numbers.find("model.slip").bounds == (-math.inf, math.inf)


def test_munitions_left_out_are_still_referred_to_with_their_bounds() -> None:
    scenario = sp.load("july_2025")
    shares = {
        f"munitions.{name}.floors.{key}.level": level.level.bounds
        for name, munition in scenario.munitions.items() for key, level in munition.floors.items() if level.of
    }
    assert len({path.split(".")[1] for path in shares}) > 1
    numbers = central(scenario.with_munitions(["pac3"]))
    assert {path: numbers.find(path).bounds for path in shares} == shares
    assert set(shares.values()) == {(0.0, math.inf)}
