"""From names to arrays: the only place where parameters, events and policies become what the equations take.

A lane is one run of the equations: a policy, a munition and a member. `parts` gives what each munition and each policy
contributes; `assemble` lays all lanes side by side, policy by policy, munition by munition.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from stockpile import schema
from stockpile.clock import ONE_DAY, Array, Clock, with_breaks
from stockpile.draws import Central, Values
from stockpile.errors import InputError, Problem, nearest
from stockpile.inputs import JOINT, Common, common, unit_cost
from stockpile.lookup import Numbers
from stockpile.model.state import Constants, Known, State
from stockpile.policies import shares
from stockpile.scenario import Scenario
from stockpile.times import check_steps, mean_times

T = TypeVar("T")


@dataclass(frozen=True)
class Axes:
    """What the lanes and the recipients are.

    Attributes
    ----------
    policies, munitions, recipients : tuple of str
        Names in order.
    members : int
        Number of draws.
    """

    policies: tuple[str, ...]
    munitions: tuple[str, ...]
    members: int
    recipients: tuple[str, ...]

    @property
    def causes(self) -> tuple[str, ...]:
        """On whose behalf US forces use rounds."""
        return ("us", *self.recipients, JOINT)

    @property
    def lanes(self) -> int:
        """Number of lanes."""
        return len(self.policies) * len(self.munitions) * self.members


@dataclass(frozen=True)
class Measures:
    """What a policy contributes for one munition.

    Attributes
    ----------
    series : dict
        By field of `Known`: shares in force, review levels and floor, on the intervals.
    constants : dict
        By field of `Constants`: kind of allocation, priorities, weights.
    """

    series: dict[str, Any]
    constants: dict[str, Any]


@dataclass(frozen=True)
class Parts:
    """What each munition and each policy contributes, with a last axis of length 1 where all members have the same.

    Attributes
    ----------
    axes : Axes
    clock : Clock
    numbers : Numbers
    common : dict
        By munition.
    measures : dict
        By policy and munition.
    rules : tuple of str
        The allocation rule of each policy: pro_rata, weights, or `module:Class`.
    """

    axes: Axes
    clock: Clock
    numbers: Numbers
    common: dict[str, Common]
    measures: dict[tuple[str, str], Measures]
    rules: tuple[str, ...]

    def lane(self, policy: str, munition: str) -> tuple[Known, Constants, State]:
        """Return what the equations take for a policy and a munition, series on the intervals."""
        shared, own = self.common[munition], self.measures[policy, munition]
        return Known(**shared.series, **own.series), Constants(**shared.constants, **own.constants), shared.opening


@dataclass(frozen=True)
class Assembly:
    """Everything the engine needs.

    Attributes
    ----------
    axes : Axes
    clock : Clock
    series : Known
        On the intervals of the clock, arrays of shape (intervals, lanes).
    constants : Constants
        Arrays of shape (lanes,).
    opening : State
        Stocks at the start, arrays of shape (lanes,).
    rules : tuple of str
        The allocation rule of each policy: pro_rata, weights, or `module:Class`.
    levels : dict
        For each munition its named levels [round], each of shape (members,).
    unit_cost : dict
        For each munition the price of a round in dollars of the scenario's money year, shape (members,).
    """

    axes: Axes
    clock: Clock
    series: Known
    constants: Constants
    opening: State
    rules: tuple[str, ...]
    levels: dict[str, dict[str, Array]]
    unit_cost: dict[str, Array]


def parts(scenario: Scenario, policies: Sequence[str] | None = None, values: Values | None = None) -> Parts:
    """Return what munitions and policies contribute.

    Parameters
    ----------
    scenario : Scenario
    policies : sequence of str, optional
        Names of policies; the scenario's own where left out.
    values : Values, optional
        Where the numbers come from; central values where left out.

    Raises
    ------
    InputError
        For unknown policies, numbers needed before they hold, shares above 1, and steps too long for the times given.
    """
    chosen = scenario.chosen(policies)
    check_policies(scenario, chosen)
    try:
        return _parts(scenario, chosen, values or Central())
    except InputError as error:
        raise scenario.placed(error) from None


def _parts(scenario: Scenario, chosen: tuple[str, ...], values: Values) -> Parts:
    clock = _clock(scenario, chosen)
    numbers = Numbers(scenario, values, clock)
    times = mean_times(numbers)
    check_steps(scenario, clock)
    shared = {name: common(numbers, name, times) for name in scenario.munitions}
    return Parts(
        axes=Axes(chosen, tuple(scenario.munitions), values.members, tuple(scenario.recipients)),
        clock=clock,
        numbers=numbers,
        common=shared,
        measures={(policy, name): _measures(numbers, shared[name], name, policy) for policy in chosen for name in shared},
        rules=tuple(scenario.policies[name].allocation.use for name in chosen),
    )


def assemble(scenario: Scenario, policies: Sequence[str] | None = None, values: Values | None = None) -> Assembly:
    """Return the arrays of all lanes for a scenario under `policies`. Parameters and errors as of `parts`."""
    found = parts(scenario, policies, values)
    axes, intervals = found.axes, len(found.clock.knots) - 1
    lanes = [found.lane(policy, munition) for policy in axes.policies for munition in axes.munitions]
    return Assembly(
        axes=axes,
        clock=found.clock,
        series=_beside(Known, [lane[0] for lane in lanes], (intervals, axes.members)),
        constants=_beside(Constants, [lane[1] for lane in lanes], (axes.members,)),
        opening=_beside(State, [lane[2] for lane in lanes], (axes.members,)),
        rules=found.rules,
        levels=levels_of(found),
        unit_cost=unit_costs(found),
    )


def levels_of(found: Parts) -> dict[str, dict[str, Array]]:
    """Return by munition its named levels [round], each of shape (members,)."""
    return {
        name: {key: np.broadcast_to(level, (found.axes.members,)) for key, level in shared.levels.items()}
        for name, shared in found.common.items()
    }


def unit_costs(found: Parts) -> dict[str, Array]:
    """Return by munition the price of a round [dollars of the scenario's money year], shape (members,)."""
    return {name: np.broadcast_to(unit_cost(found.numbers, name), (found.axes.members,)) for name in found.axes.munitions}


def check_policies(scenario: Scenario, chosen: tuple[str, ...]) -> None:
    """Refuse policies that cannot be run.

    Raises
    ------
    InputError
        For unknown ones, one named twice, none at all, and those that need a requirement that was not known.
    """
    problems = [
        Problem("policy", 0, 0, name, f"unknown policy {name!r}; {nearest(name, scenario.policies)}")
        for name in chosen
        if name not in scenario.policies
    ]
    if len(set(chosen)) < len(chosen):
        problems.append(Problem("policy", 0, 0, "", f"a policy is named twice: {', '.join(chosen)}; allowed: each once"))
    if not chosen:
        problems.append(Problem("policy", 0, 0, "", f"no policy given; {nearest('none', scenario.policies)}"))
    for name in chosen:
        for munition, item in scenario.munitions.items():
            policy = scenario.policies.get(name)
            if policy and item.requirement is None and "requirement" in (policy.review_level, policy.transfer_floor):
                problems.append(Problem("policy", 0, 0, name, f"munition {munition} has no requirement that was known on {scenario.as_of}"))
    if problems:
        raise InputError(problems)


def _clock(scenario: Scenario, chosen: tuple[str, ...]) -> Clock:
    """Return the clock with a break wherever something known in advance changes."""
    settings = scenario.settings
    assert settings.start and settings.end and settings.substeps
    dates = {scenario.as_of + ONE_DAY}
    dates |= {date for event in scenario.events.values() for date in (event.start, event.end)}
    for folder in ("munitions", "recipients"):
        dates |= _point_dates(scenario.tree[folder])
    decided: set[dt.date] = set()
    for name in chosen:
        for suspension in scenario.policies[name].suspensions:
            decided |= {suspension.start} | ({suspension.end} if isinstance(suspension.end, dt.date) else set())
        review = scenario.policies[name].review
        decided |= {review.start} if review else set()
    clock = Clock(settings.start, settings.end, settings.substeps)
    clock = with_breaks(clock, *({date for date in some if settings.start < date < settings.end} for some in (dates, decided)))
    # Where lots are all that is delivered, they come in the steps in which they are due, and not spread over the month.
    by_lots = any(munition.line.funding == "contracts" for munition in scenario.munitions.values())
    return replace(clock, breaks=(*clock.breaks, *clock.steps.tolist())) if by_lots else clock


def _point_dates(node: Any) -> set[dt.date]:
    if isinstance(node, dict):
        own = {node["from"]} if isinstance(node.get("from"), dt.date) else set()
        return own.union(*(_point_dates(value) for value in node.values())) if node else own
    if isinstance(node, list):
        return set().union(*(_point_dates(value) for value in node)) if node else set()
    return set()


def _measures(numbers: Numbers, shared: Common, munition: str, name: str) -> Measures:
    """Return what policy `name` contributes for a munition."""
    clock, recipients = numbers.clock, tuple(numbers.scenario.recipients)
    policy = numbers.scenario.policies[name]
    try:
        measure = shares(policy, recipients, munition, clock)
    except schema.Fault as fault:
        raise InputError.one(f"policies.{name}.{fault.key}", str(fault), file=numbers.scenario.name) from None
    level = shared.levels[policy.review_level]
    review = policy.review if measure.reviewed else None
    watched = clock.overlap(clock.at(review.start), np.inf) if review else np.zeros_like(shared.history)
    series: dict[str, Any] = dict(measure.dated) | {f"review_{key}": arrays for key, arrays in measure.review.items()}
    series["review_on"] = watched * level * (review.on if review else 0.0)
    series["review_off"] = watched * level * (review.off if review else 0.0)
    series["floor"] = shared.levels[policy.transfer_floor] * (1.0 - shared.history)
    one = np.ones(1)
    constants = {
        "pro_rata": one * (policy.allocation.use != "weights"),
        "priority": tuple(one * _priority(policy.allocation, r) for r in recipients),
        "weight": tuple(one * policy.allocation.weights.get(r, 1.0) for r in recipients),
    }
    return Measures(series, constants)


def _priority(allocation: schema.Allocation, recipient: str) -> float:
    for rank, members in enumerate(allocation.classes):
        if recipient in members:
            return float(rank)
    return float(len(allocation.classes)) if allocation.classes else 0.0


def _beside(cls: type[T], lanes: Sequence[T], shape: tuple[int, ...]) -> T:
    """Return the quantities of `lanes`, each brought to `shape`, side by side along the last axis."""

    def beside(quantities: Sequence[Any]) -> Array:
        return np.concatenate([np.broadcast_to(one, shape) for one in quantities], axis=-1)

    def join(name: str) -> Any:
        found = [getattr(lane, name) for lane in lanes]
        return tuple(map(beside, zip(*found, strict=True))) if isinstance(found[0], tuple) else beside(found)

    return cls(**{name: join(name) for name in cls.__dataclass_fields__})  # type: ignore[attr-defined]
