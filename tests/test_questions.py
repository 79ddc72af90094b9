"""The analyst's questions on the model: checked by hand, by an independent library, and against runs of the changed scenario."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stockpile as sp
from stockpile import shapes
from stockpile.analysis.break_even import break_even
from stockpile.analysis.discover import condition, discover
from stockpile.analysis.frontier import frontier
from stockpile.analysis.robust import robust
from stockpile.analysis.sensitivity import sensitivity
from stockpile.analysis.tornado import ENDS, NEVER
from stockpile.experiments.factors import column_of, factors
from stockpile.experiments.lanes import Lanes
from stockpile.experiments.outcomes import outcome

SCENARIO = sp.load("july_2025")
STOCK = "pac3:us_on_hand@2027-01-01"
FOLDER = Path(__file__).parent / "closed_forms"
LENGTH = "policies.suspension_6_months.suspensions.0.length"
PAUSE = "suspension_6_months"


# ---------------------------------------------------------------- break-even, by hand


def uncertain_stock(folder: Path) -> sp.Scenario:
    """Return the closed form with a stock of 80 to 120, every number as likely, and a floor of 50."""
    text = (FOLDER / "munitions" / "test_round.toml").read_text(encoding="utf-8")
    before = '[us_stock]\nunit = "round"\nvalue = 100\n'
    assert before in text
    text = text.replace(before, f'{before}shape = "uniform"\nrole = "uncertainty"\nlow = 80\nhigh = 120\n')
    floor = '[floors.transfer_floor.level]\nunit = "round"\nvalue = '
    assert f"{floor}0" in text
    text = text.replace(f"{floor}0", f"{floor}50")
    (folder / "munitions").mkdir()
    (folder / "munitions" / "test_round.toml").write_text(text, encoding="utf-8")
    return sp.load("closed_form", params=[FOLDER, folder])


def test_break_even_of_a_case_solved_by_hand(tmp_path: Path) -> None:
    # Training takes c a month from a stock of 80 to 120 of which nothing else is taken. After 12 months it is below 50 where it began
    # below 50 + 12 c, so with probability (12 c - 30) / 40; that is a tenth at c = 34 / 12, four fifths at c = 62 / 12.
    scenario = uncertain_stock(tmp_path)
    for level, exact in ((0.1, 34 / 12), (0.8, 62 / 12)):
        found = break_even(
            scenario, {"munitions.test_round.training": "0:8:0.25"}, "test_round:below.transfer_floor@2026-01-01", "none",
            level=level, members=4000,
        )
        row = found.crossings.iloc[0]
        assert len(found.crossings) == 1 and row.verdict == "crosses" and row.direction == "up" and row.sure
        assert row["from"] <= exact <= row["to"] and row.low <= exact <= row.high
        assert row.value == pytest.approx(exact, abs=0.06)
    curve = found.curve
    exact_curve = np.clip((12 * curve.lever.to_numpy(float) - 30) / 40, 0, 1)
    np.testing.assert_allclose(curve.probability, exact_curve, atol=0.03)
    # A floor that is reached by nobody, and one that all are below.
    for values, verdict in (("0:2:0.5", "never"), ("6:8:0.5", "always")):
        lever = {"munitions.test_round.training": values}
        found = break_even(scenario, lever, "test_round:below.transfer_floor@2026-01-01", "none", members=50)
        assert found.crossings.verdict.tolist() == [verdict]


def test_break_even_as_a_curve_over_another_lever(tmp_path: Path) -> None:
    # The same with a floor F: a tenth at c = (84 - F) / 12.
    found = break_even(
        uncertain_stock(tmp_path), {"munitions.test_round.training": "0:8:0.25"}, "test_round:below.transfer_floor@2026-01-01", "none",
        level=0.1, over={"munitions.test_round.floors.transfer_floor": [30, 50, 70]}, members=2000,
    )
    assert found.crossings.over.tolist() == [30, 50, 70]
    np.testing.assert_allclose(found.crossings["value"].astype(float), (84 - np.array([30, 50, 70])) / 12, atol=0.05)


def test_break_even_over_dates_gives_dates() -> None:
    end, chance = "policies.suspension_6_months.suspensions.0.end", "shell_155mm:below.transfer_floor@2029-01-01"
    found = break_even(SCENARIO, {end: "2025-08-01:2029-08-01:1year"}, chance, PAUSE, level=0.9, members=200)
    assert found.curve.lever.tolist() == [dt.date(year, 8, 1) for year in range(2025, 2030)]
    made = sp.ensemble(SCENARIO, [PAUSE], 200)
    at = break_even(SCENARIO, {end: [dt.date(2026, 1, 1)]}, chance, PAUSE, members=200)
    assert at.curve.probability.iloc[0] == made.chance_below("transfer_floor", by="2029-01-01", policy=PAUSE, munition="shell_155mm").value


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"chance": "pac3:minimum"}, ["is no probability"]),
        ({"level": 1.5}, ["1.5", "between 0 and 1"]),
        ({"lever": {LENGTH: "6:0:1"}}, [LENGTH]),
        ({"lever": {LENGTH: [1], "model.slip": [1]}}, ["one path"]),
        ({"lever": {"munitions.pac3.line.funding": ["lots", "full"]}}, ["neither a number nor a date"]),
        ({"policy": "nonesuch"}, ["unknown policy 'nonesuch'"]),
    ],
)
def test_break_even_refuses_what_cannot_be(changes: dict[str, Any], words: list[str]) -> None:
    asked = {"lever": {LENGTH: "0:12:6"}, "chance": "pac3:below.transfer_floor", "policy": PAUSE, "members": 10} | changes
    with pytest.raises(sp.InputError) as caught:
        break_even(SCENARIO, **asked)
    for word in words:
        assert word in str(caught.value)


# ---------------------------------------------------------------- sensitivity


def test_sobol_indices_of_the_model_agree_with_an_independent_library() -> None:
    from SALib.analyze import sobol as analyze
    from SALib.sample import sobol as sample

    lanes = Lanes(SCENARIO, ["none"], only=["pac3"])
    unknown = factors(lanes)
    names = [""] * len(lanes.streams)
    for factor in unknown:
        for row in factor.rows:
            names[row] = factor.name
    problem = {
        "num_vars": len(names), "names": [f"x{row}" for row in range(len(names))], "groups": names, "bounds": [[0.0, 1.0]] * len(names),
    }
    inside = np.clip(sample.sample(problem, 1024, calc_second_order=False, seed=3).T, 2.0**-53, 1 - 2.0**-53)

    class Given:
        members = inside.shape[1]

        def uniforms(self, first: int, count: int) -> Any:
            return np.ascontiguousarray(inside[:, first : first + count])

    wanted = outcome("pac3:minimum_after_as_of", SCENARIO)
    values = lanes.run(lanes.design(Given(), inside.shape[1]), lambda block: wanted.of(block, lanes, "none"), threads=2)
    other = analyze.analyze(problem, values, calc_second_order=False, seed=3)
    order = list(dict.fromkeys(names))
    found = sensitivity(SCENARIO, "pac3:minimum_after_as_of", members=50, start=1024, most=1024, seed=5).indices.set_index("factor")
    assert set(order) == set(found.index)
    apart = 0
    for place, name in enumerate(order):
        own = found.loc[name]
        for mine, low, high, theirs, error in (
            (own["first"], own.first_low, own.first_high, other["S1"][place], other["S1_conf"][place]),
            (own.total, own.total_low, own.total_high, other["ST"][place], other["ST_conf"][place]),
        ):
            apart += not (low - error <= theirs <= high + error)
            assert abs(mine - theirs) < 0.1
    # Of the intervals of 95 % of two independent estimates hardly any should not overlap.
    assert apart <= 0.05 * 2 * len(order)
    assert max(range(len(order)), key=lambda place: other["ST"][place]) == order.index(found.index[0])


@pytest.fixture(scope="module")
def answer() -> Any:
    return sensitivity(SCENARIO, STOCK, members=200, start=256, most=512)


def test_the_tornado_is_what_setting_the_number_gives(answer: Any) -> None:
    # A number set to the end of its range in lanes, all else drawn, is the ensemble of the scenario with that number pinned there.
    lanes = Lanes(SCENARIO, ["none"], only=["pac3"])
    for path in ("munitions.pac3.us_stock", "munitions.pac3.us_share"):
        row = answer.tornado.set_index("factor").loc[path]
        pieces = column_of(lanes, path).pieces
        assert pieces is not None
        for end, at in zip(ENDS, ("low", "high"), strict=True):
            value = float(shapes.interpolate(pieces, np.array([end]))[0])
            assert row[f"{at}_value"] == value
            made = sp.ensemble(SCENARIO.override({path: value}), ["none"], 200, dates=["2027-01-01"])
            cell = made.metric(made.stock_at("2027-01-01"), policy="none", munition="pac3")
            # A number of several dates is pinned at all of them by the change, at each one's own end by the lanes.
            if path == "munitions.pac3.us_stock":
                assert row[f"at_{at}"] == pytest.approx(made.metric_values.values[cell].mean(), rel=1e-9)
    none = answer.tornado.set_index("factor").loc["campaigns.us_operation"]
    without = replace(SCENARIO, campaigns={})
    made = sp.ensemble(without, ["none"], 200, dates=["2027-01-01"])
    cell = made.metric(made.stock_at("2027-01-01"), policy="none", munition="pac3")
    assert none.at_low == pytest.approx(made.metric_values.values[cell].mean(), rel=1e-9) and np.isnan(none.at_high)
    assert NEVER < 1.0


def test_sensitivity_says_what_it_is_of(answer: Any) -> None:
    assert (answer.outcome, answer.policy, answer.unit) == (STOCK, "none", "round")
    assert answer.rounds.points.tolist() == [256, 512] and not answer.stable
    assert answer.rounds.runs.tolist() == [256 * 36, 512 * 36] == [points * (len(answer.indices) + 2) for points in (256, 512)]
    assert (answer.indices.total.diff().dropna() <= 0).all() and (answer.tornado.swing.diff().dropna() <= 0).all()
    assert answer.quantiles["q05"] < answer.quantiles["q50"] < answer.quantiles["q95"]
    # What plays no part in the US stock of this munition has no index.
    assert answer.indices.set_index("factor").total["munitions.pac3.unit_cost"] == 0.0


def test_sensitivity_does_not_depend_on_threads_or_engine(answer: Any) -> None:
    other = sensitivity(SCENARIO, STOCK, members=200, start=256, most=512, threads=1, engine="numpy")
    assert other.indices.equals(answer.indices) and other.tornado.equals(answer.tornado)


# ---------------------------------------------------------------- frontier


@pytest.fixture(scope="module")
def trade() -> Any:
    return frontier(SCENARIO, "pac3", triggers=(0.5, 1.0, 1.3), margins=(0.0, 0.2), shares=(0.5, 1.0), members=150, foresight=2)


def test_no_rule_beats_perfect_foresight(trade: Any) -> None:
    assert len(trade.gaps) and (trade.gaps.gap >= -1e-6 * (1 + trade.gaps.unmet)).all()
    finite = trade.bound[np.isfinite(trade.bound.least_unmet)]
    for _, one in finite.groupby("member"):
        assert (one.sort_values("depth").least_unmet.diff().dropna() <= 1e-6 * one.least_unmet.max()).all()


def test_a_point_of_the_frontier_is_an_ensemble_of_that_policy(trade: Any) -> None:
    row = trade.points.iloc[7]
    base = SCENARIO.policies["suspension_with_review"]
    review = base.review.model_copy(
        update={"start": dt.date(2025, 7, 10), "on": row.trigger, "off": row.release, "let_through": 1 - row.share}
    )
    changed = SCENARIO.with_policies({"own": base.model_copy(update={"review": review})})
    made = sp.ensemble(changed, ["own"], 150)

    def values(metric: str, who: str = "us") -> Any:
        return made.metric_values.values[made.metric(metric, who, policy="own", munition="pac3")]

    depth = values("depth_below.transfer_floor")
    assert row.chance_below == (depth > 0).mean() and row.depth == pytest.approx(depth.mean(), rel=1e-12)
    assert row.unmet == pytest.approx(sum(values("total_unmet", who) for who in SCENARIO.recipients).mean(), rel=1e-12)


def test_dominated_points_are_beaten(trade: Any) -> None:
    points = trade.points
    for number, row in points.iterrows():
        beaten = ((points.chance_below <= row.chance_below) & (points.unmet <= row.unmet)
                  & ((points.chance_below < row.chance_below) | (points.unmet < row.unmet))).any()
        assert row.dominated == beaten, number


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"munition": "pac4"}, ["pac4", "pac3"]),
        ({"policy": "none"}, ["no policy with a review", "suspension_with_review"]),
        ({"level": "nonesuch"}, ["nonesuch"]),
        ({"shares": (1.2,)}, ["1.2", "from 0 to 1"]),
        ({"triggers": ()}, ["none"]),
    ],
)
def test_frontier_refuses_what_cannot_be(changes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(sp.InputError) as caught:
        frontier(SCENARIO, **({"munition": "pac3", "members": 5, "foresight": 0} | changes))
    for word in words:
        assert word in str(caught.value)


# ---------------------------------------------------------------- robust


def test_regret_and_shares_are_those_of_the_ensembles() -> None:
    scenarios = [SCENARIO, sp.load("ceasefire")]
    asked = ["pac3:depth_below.transfer_floor <= 0"]
    found = robust(scenarios, {"pac3:total_unmet:ukraine": "lower"}, asked, ["none", "suspension_indefinite"], members=120)
    for scenario in scenarios:
        made = sp.ensemble(scenario, ["none", "suspension_indefinite"], 120)

        def values(metric: str, who: str, policy: str, made: Any = made) -> Any:
            return made.metric_values.values[made.metric(metric, who, policy=policy, munition="pac3")]

        means = {policy: values("total_unmet", "ukraine", policy).mean() for policy in found.policies}
        for policy in found.policies:
            row = found.regret[(found.regret.scenario == scenario.name) & (found.regret.policy == policy)].iloc[0]
            assert row.regret == pytest.approx(means[policy] - min(means.values()), rel=1e-9, abs=1e-9)
            share = found.satisficing[(found.satisficing.scenario == scenario.name) & (found.satisficing.policy == policy)].iloc[0]
            assert share.share == (values("depth_below.transfer_floor", "us", policy) <= 0).mean()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([SCENARIO], {"pac3:minimum": "higher"}), ["two or more scenarios"]),
        (([SCENARIO, SCENARIO], {"pac3:minimum": "higher"}), ["different names"]),
        (([SCENARIO, sp.load("ceasefire")], {"pac3:minimun": "highest"}), ["'highest'", "unknown metric 'minimun'"]),
        (([SCENARIO, sp.load("ceasefire")], {}), ["none"]),
        (([SCENARIO, sp.load("ceasefire")], {"pac3:minimum": "higher"}, ["pac3:minimum < 3"]), ["<= or >="]),
        (([SCENARIO, sp.load("ceasefire")], {"pac3:minimum": "higher"}, ["pac3:minimum"]), ["and a number"]),
    ],
)
def test_robust_refuses_what_cannot_be(arguments: tuple[Any, ...], words: list[str]) -> None:
    with pytest.raises(sp.InputError) as caught:
        robust(*arguments, members=5)
    for word in words:
        assert word in str(caught.value)


# ---------------------------------------------------------------- discover


def test_a_discovery_is_of_the_draws_of_an_ensemble() -> None:
    found = discover(SCENARIO, "aim120:total_unmet:ukraine > 1000", members=300)
    made = sp.ensemble(SCENARIO, ["none"], 300)
    values = made.metric_values.values[made.metric("total_unmet", "ukraine", policy="none", munition="aim120")]
    np.testing.assert_array_equal(found.inputs.fails, values > 1000)
    inside = found.boxes.found[0].inside(found.inputs)
    assert found.boxes.found[0].density == (values > 1000)[inside].mean()
    assert found.boxes.found[0].coverage == (values > 1000)[inside].sum() / (values > 1000).sum()


def test_levers_and_policies_can_be_varied_beside_the_draws() -> None:
    floor = "munitions.pac3.floors.transfer_floor"
    found = discover(
        SCENARIO, "pac3:depth_below.transfer_floor > 0", PAUSE, vary={LENGTH: "0:24:12", floor: "0.3:0.8"}, members=200, seed=3
    )
    assert set(found.inputs[LENGTH]) == {0, 12, 24}
    # A case is the ensemble of the scenario so changed, at that case's draw.
    for case in (0, 57, 199):
        row = found.inputs.iloc[case]
        made = sp.ensemble(SCENARIO.override({LENGTH: row[LENGTH], floor: row[floor]}), [PAUSE], 200, seed=3)
        depth = made.metric_values.values[made.metric("depth_below.transfer_floor", policy=PAUSE, munition="pac3")][case]
        assert row.fails == (depth > 0)


def test_conditions() -> None:
    assert str(condition("pac3:minimum<=3.5", SCENARIO)) == "pac3:minimum <= 3.5"
    for text in ("pac3:minimum", "pac3:minimum > x", "pac3:minimum > 1 > 2"):
        with pytest.raises(sp.InputError, match="and a number"):
            condition(text, SCENARIO)
    with pytest.raises(sp.InputError, match="at most 64"):
        discover(SCENARIO, "pac3:minimum < 0", PAUSE, vary={LENGTH: "0:100"}, members=100)
    with pytest.raises(sp.InputError, match="makes a scenario of its own"):
        discover(SCENARIO, "pac3:minimum < 0", vary={"munitions.pac3.line.funding": ["lots", "full"]}, members=10)
