"""Perfect foresight: optima worked out by hand, every run fulfils the program, and no rule beats it."""

from __future__ import annotations

import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import drawn
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import stockpile as sp
from stockpile.analysis import foresight
from stockpile.analysis.foresight_program import Case, order_limits, program
from stockpile.engine import difference
from stockpile.errors import InputError
from stockpile.model.state import Constants

sys.path.insert(0, str(Path(__file__).resolve().parent / "laws"))

from worlds import KINDS, RECIPIENTS, SHARES, Kind, Many, World, many, quiet

FEASIBLE, BEATEN = 1e-9, 1e-6
"""Shares of the scale: how well a run fulfils the program, how much a rule may seem to beat it."""


def case_of(world: World, level: float = 0.0, lane: int = 0, first: int = 0, **options: Any) -> Case:
    found = difference.run(world.opening, world.series, world.constants, world.dt, world.shape[0], **options)
    return foresight.case_at(world.series, world.constants, found, world.dt, lane=lane, first=first, level=level)


def check_fulfilled(case: Case) -> None:
    """Assert that the run, laid into the program at its own depth and own unmet need, breaks no row and no bound."""
    made = program(case)
    left = made.bounded(case.depth, case.own_unmet).residuals(made.laid(case.stocks, case.flows))
    assert max(left.values()) <= FEASIBLE, left


def check_not_beaten(case: Case) -> None:
    """Assert that foresight leaves no more unmet than the run, and less and less with more depth; inf where it cannot be."""
    scale, depth = case.scale, case.depth
    curve = foresight.bound(case, [-10.0 * scale, -1.0, 0.0, depth, depth + 0.1 * scale, np.inf]).least_unmet.to_numpy()
    assert curve[0] == np.inf
    assert curve[3] <= case.unmet.sum() + BEATEN * scale
    assert (curve[:-1] >= curve[1:] - BEATEN * scale).all()
    assert curve[-1] >= 0.0
    shallowest = foresight.shallowest(case)
    assert shallowest <= depth + BEATEN * scale
    assert np.isfinite(foresight.least_unmet(case, shallowest + BEATEN * scale))
    if shallowest > BEATEN * scale:
        assert foresight.least_unmet(case, shallowest - BEATEN * scale) == np.inf


# ---------------------------------------------------------------- by hand


def world_by_hand(months: int = 3, **constants: float) -> World:
    """Return one recipient that needs 4 rounds a month, orders up to 10 and may be sent 5, of a US stock of 10 that US forces use 1 of."""
    world = quiet(months=months, recipients=1, us_on_hand=10.0)
    wide, k = np.ones(world.shape), {"commit": 1.0, **constants}
    own = {"own_need": 1.0 * wide, "own_need_for": (1.0 * wide, 0.0 * wide, 0.0 * wide)}
    world = world.with_series(need=(4.0 * wide,), planned_need=(10.0 * wide,), authorised=(5.0 * wide,), **own)
    return replace(world, constants=replace(world.constants, **{name: np.array([value]) for name, value in k.items()}))


@pytest.mark.parametrize(
    ("deepest", "least"), [(-4.5, np.inf), (-1.5, np.inf), (-1.0, 12.0), (0.0, 11.0), (3.0, 8.0), (6.0, 5.0), (50.0, 5.0), (np.inf, 5.0)]
)
def test_least_unmet_by_hand(deepest: float, least: float) -> None:
    """Own use takes 3 of the 10, so 1 is left above a level of 6; what is sent in the first two months is used one for one, up to the 7."""
    assert foresight.least_unmet(case_of(world_by_hand(), level=6.0), deepest, own_unmet=0.0) == pytest.approx(least, abs=1e-6)


def test_gaps_by_hand() -> None:
    """A floor of 6 lets 3 rounds go and ends at 4, as good as can be at that depth; one of 20 lets none go, though one could."""
    world = world_by_hand()
    runs = [case_of(world.with_series(floor=np.full(world.shape, floor)), level=6.0) for floor in (6.0, 20.0)]
    found = foresight.gaps(runs)
    assert list(found.columns[:8]) == ["policy", "munition", "member", "depth", "unmet", "least_unmet", "gap", "unit"]
    assert found[["depth", "unmet", "least_unmet", "gap", "relative", "own_unmet"]].to_numpy() == pytest.approx(
        np.array([[2.0, 9.0, 9.0, 0.0, 0.0, 0.0], [0.0, 12.0, 11.0, 1.0, 1.0 / 12.0, 0.0]]), abs=1e-6
    )
    assert set(found.unit) == {"round"}


def test_own_use_is_served_first_by_hand() -> None:
    """Own use alone goes 1 below a level of 8; one round of it unmet, and the stock can stay at 8, all the recipient's need being unmet."""
    world = world_by_hand()
    case = case_of(world.with_series(floor=np.full(world.shape, 6.0)), level=8.0)
    assert case.own_unmet == 0.0
    assert foresight.shallowest(case) == pytest.approx(1.0, abs=1e-6)
    assert foresight.shallowest(case, own_unmet=1.0) == pytest.approx(0.0, abs=1e-6)
    assert foresight.least_unmet(case, 0.0) == np.inf
    assert foresight.least_unmet(case, 0.0, own_unmet=1.0) == pytest.approx(12.0, abs=1e-6)
    assert foresight.least_unmet(case, 0.0, own_unmet=2.5) == pytest.approx(10.5, abs=1e-6)


@pytest.mark.parametrize(("stock", "rate"), [("withheld", "release_rate"), ("deferred", "catch_up_rate")])
def test_what_is_held_or_owed_comes_at_its_rate_by_hand(stock: str, rate: str) -> None:
    """Of 4 rounds held or owed, half a month: 2, then 1, each used the month after; 4 x 3 - 3 are unmet."""
    world = world_by_hand(**{rate: 0.5}).with_series(authorised=(np.zeros((3, 1)),))
    world = replace(world, opening=replace(world.opening, **{stock: (np.array([4.0]),)}))
    assert foresight.least_unmet(case_of(world), 0.0) == pytest.approx(9.0, abs=1e-6)


def test_production_can_be_diverted_by_hand() -> None:
    """The line makes 2 a month for the recipient; with no stock of its own, the US stays at 7 only by taking what own use takes."""
    world = world_by_hand().with_series(authorised=(np.zeros((3, 1)),), line=np.full((3, 1), 2.0), lots=np.full((3, 1), 2.0))
    world = world.with_series(share=(np.ones((3, 1)),))
    world = replace(world, opening=replace(world.opening, us_on_hand=np.array([7.0]), order_book=np.array([2.0])))
    case = case_of(world, level=7.0)
    assert case.depth == pytest.approx(3.0)
    assert case.unmet.sum() == pytest.approx(8.0)
    assert foresight.least_unmet(case, 3.0) == pytest.approx(8.0, abs=1e-6)
    assert foresight.least_unmet(case, 0.0) == pytest.approx(10.0, abs=1e-6)
    best = foresight.optimum(case, 0.0)
    assert best.feasible
    assert best.stocks["us_on_hand"].min() == pytest.approx(7.0, abs=1e-6)
    assert best.flows["diverted"][0, :2] == pytest.approx([1.0, 1.0], abs=1e-6)
    # What is made can be diverted, and no more: not what the recipient has.
    more = replace(world, opening=replace(world.opening, on_hand=(np.array([5.0]),))).with_series(own_need=np.full((3, 1), 3.0))
    assert foresight.shallowest(case_of(more, level=7.0), own_unmet=0.0) == pytest.approx(3.0, abs=1e-6)


def test_weights_by_hand() -> None:
    """Two recipients, each needing 4 in the last month, and 5 rounds to send: they go to whom they count more for."""
    world = quiet(months=2, recipients=2, us_on_hand=5.0)
    none, last = np.zeros(world.shape), np.array([[0.0], [4.0]])
    world = world.with_series(need=(last, last), planned_need=(none + 9.0,) * 2, authorised=(none + 9.0,) * 2)
    world = replace(world, constants=replace(world.constants, commit=np.ones(1)))
    case = replace(case_of(world), recipients=("ukraine", "israel"))
    assert foresight.least_unmet(case, 0.0) == pytest.approx(3.0, abs=1e-6)
    assert foresight.least_unmet(case, 0.0, weights={"israel": 3.0}) == pytest.approx(3.0, abs=1e-6)
    assert foresight.optimum(case, 0.0, weights={"israel": 3.0}).unmet == pytest.approx([3.0, 0.0], abs=1e-6)
    assert foresight.optimum(case, 0.0, weights={"israel": 0.5}).unmet == pytest.approx([0.0, 3.0], abs=1e-6)
    assert foresight.least_unmet(case, 0.0, weights={"israel": 0.5}) == pytest.approx(1.5, abs=1e-6)


def test_requests_of_the_well_stocked_by_hand() -> None:
    """With nothing it asks for 2; 5 more arrive, so up to 7 may stand there, where it asks for nothing: the line between is the limit."""
    world = quiet(months=2, recipients=1, us_on_hand=10.0)
    wide = np.ones(world.shape)
    world = world.with_series(planned_need=(2.0 * wide,), authorised=(2.0 * wide,), other_supply=(np.array([[5.0], [0.0]]),))
    most, slope, room = order_limits(case_of(world))
    assert most == pytest.approx(np.array([[2.0, 2.0]]))
    assert slope == pytest.approx(np.array([[1.0, 2.0 / 7.0]]))
    assert room == pytest.approx(np.array([[2.0, 2.0]]))


def test_requests_that_overshoot_by_hand() -> None:
    """Ordering within half a month, in steps of one, a position of 1 asks for nothing, and the nothing that is left of it for 2."""
    world = quiet(months=5, recipients=1, us_on_hand=100.0)
    wide = np.ones(world.shape)
    world = world.with_series(planned_need=(2.0 * wide,), authorised=(9.0 * wide,), need=(9.0 * wide,))
    world = replace(world, constants=replace(world.constants, order_rate=np.array([2.0]), commit=np.ones(1)))
    case = case_of(replace(world, opening=replace(world.opening, on_hand=(np.array([0.5]),))))
    assert case.flows["granted"][0] == pytest.approx([1.0, 0.0, 2.0, 0.0, 2.0])
    check_fulfilled(case)


def test_what_can_be_issued_in_a_month_by_hand() -> None:
    """Issuing and catching up take two months: of a stock of 6, own use of 2 leaves 1 round to grant or pay, though 2 might be paid."""
    world = world_by_hand(months=2, issue_time=2.0, issue_rate=0.5, catch_up_rate=0.5).with_series(own_need=np.array([[2.0], [0.0]]))
    world = world.with_series(need=(np.array([[0.0], [10.0]]),))
    world = replace(world, opening=replace(world.opening, us_on_hand=np.array([6.0]), deferred=(np.array([4.0]),)))
    assert foresight.least_unmet(case_of(world), 0.0, own_unmet=0.0) == pytest.approx(9.0, abs=1e-6)


@pytest.mark.parametrize(("months", "least"), [(2, 8.0), (3, 7.0)])
def test_what_is_asked_for_by_hand(months: int, least: float) -> None:
    """With nothing the recipient would ask for 3 and may have 2; with these it asks for 1. It needs 10, in the last month alone."""
    world = world_by_hand(months=months)
    wide = np.ones(world.shape)
    need = np.where(np.arange(months)[:, None] == months - 1, 10.0, 0.0)
    world = world.with_series(planned_need=(3.0 * wide,), authorised=(2.0 * wide,), need=(need,)).with_stock(np.array([100.0]))
    assert foresight.least_unmet(case_of(world), 0.0) == pytest.approx(least, abs=1e-6)
    # Three rounds withheld for ever count as had: nothing more is asked for.
    world = replace(world, constants=replace(world.constants, release_rate=np.zeros(1)))
    held = replace(world, opening=replace(world.opening, withheld=(np.array([3.0]),)))
    assert foresight.least_unmet(case_of(held), 0.0) == pytest.approx(10.0, abs=1e-6)


def test_a_case_without_steps_has_nothing_to_choose() -> None:
    case = case_of(world_by_hand(), level=3.0, first=3)
    assert case.steps == 0
    assert case.stocks["us_on_hand"] == pytest.approx([0.0])
    assert case.depth == pytest.approx(3.0)
    assert foresight.least_unmet(case, 3.0) == 0.0
    assert foresight.least_unmet(case, 2.0) == np.inf


# ---------------------------------------------------------------- at random


def wild(world: World, seed: int) -> World:
    """Return the world under a policy without plan: in each step and lane its own shares, and its own floor."""
    rng = np.random.default_rng(seed)
    shares = {name: tuple(rng.random(world.shape).round() * rng.random(world.shape) for _ in range(RECIPIENTS)) for name in SHARES}
    shares["divert_new"] = tuple((1.0 - held) * share for held, share in zip(shares["hold_new"], shares["divert_new"], strict=True))
    floor = world.series.floor * rng.random(world.shape) * 2.0
    return world.with_series(**shares, **{f"review_{name}": arrays for name, arrays in shares.items()}, floor=floor)


def wayward(available: Any, asked: Any, constants: Constants) -> Any:
    """Grant what nobody would: to the last first, and never all."""
    left, granted = available * 0.9, []
    for wanted in reversed(asked):
        granted.append(np.minimum(wanted * 0.7, left))
        left = left - granted[-1]
    return tuple(reversed(granted))


@st.composite
def suspended(draw: st.DrawFn) -> World:
    """Return several hundred runs under a dated suspension, perhaps with a review on top, or under a policy without plan."""
    runs: Many = draw(many(1, 1, 3))
    world = runs.world()
    if draw(st.booleans()):
        return wild(world, runs.seed)
    kind, other = (draw(st.sampled_from([Kind(None, None), *KINDS])) for _ in range(2))
    world = world.suspended(kind, runs.share(world), draw(st.sampled_from([(0,), (1,), (0, 1, 2)])))
    level = runs.level(world)
    return world.reviewed(other, runs.share(world), level, level * draw(st.sampled_from([1.0, 1.3]))) if draw(st.booleans()) else world


@given(world=suspended(), own=st.booleans(), first=st.integers(0, 29), lanes=st.integers(0, 450))
def test_every_run_fulfils_the_program(world: World, own: bool, first: int, lanes: int) -> None:
    found = difference.run(
        world.opening, world.series, world.constants, world.dt, world.shape[0], **({"allocate": wayward} if own else {})
    )
    for lane in range(lanes, lanes + 40):
        level = float(world.series.floor[-1, lane])
        check_fulfilled(foresight.case_at(world.series, world.constants, found, world.dt, lane=lane, first=first, level=level))


@given(world=suspended(), first=st.integers(0, 25), lane=st.integers(0, 499))
def test_no_run_beats_foresight(world: World, first: int, lane: int) -> None:
    check_not_beaten(case_of(world, level=float(world.series.floor[-1, lane]), lane=lane, first=first))


@given(world=suspended(), first=st.integers(0, 25), lane=st.integers(0, 499))
def test_the_unit_of_time_does_not_matter(world: World, first: int, lane: int) -> None:
    """Twice the rates, half the times, steps of half the length: the same program, to the last bit."""
    case = case_of(world, lane=lane, first=first)
    shares = {"us_share", "share", "history", "floor", "review_on", "review_off", *SHARES, *(f"review_{name}" for name in SHARES)}
    times, numbers = {"issue_time", "cover"}, {"pro_rata", "priority", "weight"}

    def scaled(item: Any, factors: dict[str, float]) -> Any:
        found = {field.name: getattr(item, field.name) for field in fields(item)}
        factor = {name: factors.get(name, 2.0) for name in found}
        made = {n: tuple(one * factor[n] for one in v) if isinstance(v, tuple) else v * factor[n] for n, v in found.items()}
        return replace(item, **made)

    factors = dict.fromkeys(shares | numbers, 1.0) | dict.fromkeys(times, 0.5)
    other = program(replace(case, dt=case.dt / 2.0, series=scaled(case.series, factors), constants=scaled(case.constants, factors)))
    made = program(case)
    assert np.array_equal(made.limit.toarray() != 0.0, other.limit.toarray() != 0.0)
    # Rows in units of time are those of the issue limit: half on both sides.
    half = np.where(np.arange(made.most.size) < case.steps, 0.5, 1.0)[:, None]
    assert np.array_equal(made.limit.toarray() * half, other.limit.toarray())
    for name in ("entering", "most", "lower", "upper"):
        assert np.array_equal(getattr(made, name), getattr(other, name)), name
    assert np.array_equal(made.equal.toarray(), other.equal.toarray())


@given(made=drawn.cases(), seed=st.integers(0, 2**40))
def test_no_policy_beats_foresight_whatever_is_changed_and_drawn(made: drawn.Case, seed: int) -> None:
    runs = foresight.cases(made.scenario(), list(made.policies), made.munitions[0], 2, seed)
    assert [(case.policy, case.member) for case in runs] == [(name, member) for name in made.policies for member in range(2)]
    for case in runs:
        check_fulfilled(case)
    found = foresight.gaps(runs)
    assert (found.gap >= -BEATEN * np.array([case.scale for case in runs])).all(), found


@pytest.mark.parametrize("name", ["july_2025", "november_2026", "second_campaign"])
def test_no_shipped_policy_beats_foresight(name: str) -> None:
    scenario = sp.load(name)
    for munition in scenario.munitions:
        runs = foresight.cases(scenario, list(scenario.policies), munition)
        for case in runs:
            check_fulfilled(case)
            assert case.flows["to_us"] == pytest.approx(runs[0].flows["to_us"])
            assert case.flows["made_for"] == pytest.approx(runs[0].flows["made_for"])
        found = foresight.gaps(runs)
        assert (found.gap >= -BEATEN * np.array([case.scale for case in runs])).all(), found


# ---------------------------------------------------------------- from a scenario


def test_cases_are_the_draws_of_an_ensemble() -> None:
    """Members, levels and totals are those of an ensemble of all munitions, so that draws shared between munitions are the same."""
    scenario, policies = sp.load("july_2025"), ["none", "us_first"]
    ensemble = sp.ensemble(scenario, policies, 3, 7, keep=True, engine="numpy", quantities=[])
    kept = ensemble.trajectories
    assert kept is not None
    runs = foresight.cases(scenario, policies, "shell_155mm", 3, 7)
    assert [(case.policy, case.member) for case in runs] == [(policy, member) for policy in policies for member in range(3)]
    for case in runs:
        assert kept.dates[case.first - 1] <= np.datetime64(scenario.as_of) < kept.dates[case.first]
        stock = kept.array("us_on_hand", policy=case.policy, munition=case.munition)[case.member]
        np.testing.assert_array_equal(case.stocks["us_on_hand"], stock[case.first :])
        assert case.level == kept.levels["shell_155mm"][str(scenario.policies[case.policy].transfer_floor)][case.member]
        for row, name in enumerate(case.recipients):
            unmet = kept.array("unmet", name, policy=case.policy, munition=case.munition)[case.member]
            assert case.unmet[row] == unmet[case.first :].sum()


def test_a_level_and_a_step_edge_can_be_named() -> None:
    scenario = drawn.scenario()
    (whole,) = foresight.cases(scenario, ["none"], "pac3", level="review_level", first=0)
    (ahead,) = foresight.cases(scenario, ["none"], "pac3")
    assert (whole.first, whole.steps) == (0, 9)
    assert ahead.steps == 9 - ahead.first < 9
    assert whole.level > ahead.level
    check_fulfilled(whole)


def test_curve_of_a_scenario() -> None:
    """Where recipients may be sent more than the stock bears, less is unmet the deeper it may go; above the shallowest there is nothing."""
    scenario = drawn.scenario("november_2026", months=40, changes={"recipients.ukraine.pac3.ceiling.scale": 50.0})
    (case,) = foresight.cases(scenario, ["none"], "pac3", level="review_level")
    least = foresight.shallowest(case)
    assert least > 1.0
    depths = [least - 1.0, least, least + 100.0, least + 300.0, np.inf]
    curve = foresight.bound(case, depths)
    assert list(curve.columns) == ["policy", "munition", "member", "depth", "least_unmet", "unit"]
    assert list(curve.depth) == depths
    assert curve.least_unmet[0] == np.inf
    assert (np.diff(curve.least_unmet[1:]) < -50.0).all(), curve
    assert [foresight.least_unmet(case, depth) for depth in depths] == list(curve.least_unmet)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"munition": "pac4"}, "did you mean 'pac3'"),
        ({"level": "transfer_flor"}, "did you mean 'transfer_floor'"),
        ({"policies": ["nonne"]}, "did you mean 'none'"),
        ({"first": 10}, "allowed: a step edge from 0 to 9"),
        ({"members": 0}, "allowed: a whole number from 1 on"),
        ({"method": "ode"}, "allowed: difference"),
    ],
)
def test_faults_of_cases(asked: dict[str, Any], said: str) -> None:
    changes = {"scenario.method": asked.pop("method")} if "method" in asked else {}
    with pytest.raises(InputError, match=said):
        foresight.cases(drawn.scenario(changes=changes), **{"policies": ["none"], "munition": "pac3", **asked})


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"deepest": np.nan}, "deepest: nan; allowed: rounds below the level, or inf"),
        ({"own_unmet": -1.0}, "own_unmet: -1.0; allowed: rounds from 0 on"),
        ({"own_unmet": np.nan}, "own_unmet: nan; allowed: rounds from 0 on"),
        ({"weights": {"1": 1.0}}, "unknown recipient '1'; allowed: 0"),
        ({"weights": {"0": -1.0}}, "weights.0: -1.0; allowed: a number from 0 on"),
    ],
)
def test_faults_of_a_bound(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        foresight.least_unmet(case_of(world_by_hand()), **{"deepest": 0.0, **asked})
