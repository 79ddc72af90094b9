"""From names to arrays: the only place where parameters, events and policies become what the equations take.

A lane is one run of the equations: a policy, a munition and a member. Series are built a munition at a time with the
shape (intervals, members) and laid side by side, policy by policy, munition by munition.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from stockpile import schema, units
from stockpile.clock import Array, Clock, with_breaks
from stockpile.draws import Central, Values
from stockpile.errors import InputError, Problem, nearest
from stockpile.line import production
from stockpile.lookup import Numbers
from stockpile.model.state import Constants, Known, State
from stockpile.policies import Shares, shares
from stockpile.scenario import Scenario
from stockpile.times import check_steps, mean_times

ONE_DAY = dt.timedelta(days=1)
T = TypeVar("T")
JOINT = "joint_or_unknown"


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


def assemble(scenario: Scenario, policies: Sequence[str] | None = None, values: Values | None = None) -> Assembly:
    """Return the arrays for a scenario under `policies`.

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
    _check_policies(scenario, chosen)
    try:
        return _assemble(scenario, chosen, values or Central())
    except InputError as error:
        raise scenario.placed(error) from None


def _assemble(scenario: Scenario, chosen: tuple[str, ...], values: Values) -> Assembly:
    clock = _clock(scenario, chosen)
    axes = Axes(chosen, tuple(scenario.munitions), values.members, tuple(scenario.recipients))
    numbers = Numbers(scenario, values, clock)
    times = mean_times(numbers)
    check_steps(scenario, clock)
    levels = {name: _levels(numbers, name) for name in axes.munitions}
    lanes = [
        _lane(numbers, axes, times, levels[munition], munition, policy)
        for policy, munition in ((p, m) for p in chosen for m in axes.munitions)
    ]
    return Assembly(
        axes=axes,
        clock=clock,
        series=_beside(Known, [lane[0] for lane in lanes]),
        constants=_beside(Constants, [lane[1] for lane in lanes]),
        opening=_beside(State, [lane[2] for lane in lanes]),
        rules=tuple(scenario.policies[name].allocation.use for name in chosen),
        levels=levels,
        unit_cost={name: _unit_cost(numbers, name) for name in axes.munitions},
    )


def _check_policies(scenario: Scenario, chosen: tuple[str, ...]) -> None:
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
    for name in chosen:
        for suspension in scenario.policies[name].suspensions:
            dates |= {suspension.start} | ({suspension.end} if isinstance(suspension.end, dt.date) else set())
        review = scenario.policies[name].review
        dates |= {review.start} if review else set()
    for folder in ("munitions", "recipients"):
        dates |= _point_dates(scenario.tree[folder])
    clock = Clock(settings.start, settings.end, settings.substeps)
    return with_breaks(clock, (date for date in dates if settings.start < date < settings.end))


def _point_dates(node: Any) -> set[dt.date]:
    if isinstance(node, dict):
        own = {node["from"]} if isinstance(node.get("from"), dt.date) else set()
        return own.union(*(_point_dates(value) for value in node.values())) if node else own
    if isinstance(node, list):
        return set().union(*(_point_dates(value) for value in node)) if node else set()
    return set()


def _levels(numbers: Numbers, name: str) -> dict[str, Array]:
    munition = numbers.scenario.munitions[name]
    result = {key: numbers.level(f"munitions.{name}.floors.{key}", level, name) for key, level in munition.floors.items()}
    if munition.requirement is not None:
        level = munition.requirements[munition.requirement]
        result["requirement"] = numbers.level(f"munitions.{name}.requirements.{munition.requirement}", level, name)
    return result


def _unit_cost(numbers: Numbers, name: str) -> Array:
    parameter = numbers.scenario.munitions[name].unit_cost
    years = (numbers.scenario.settings.money_year or 0) - units.money_year(parameter.unit)
    deflator = numbers.today("model.deflator", numbers.scenario.model.deflator) * units.MONTHS_PER_YEAR
    return numbers.today(f"munitions.{name}.unit_cost", parameter) * (1.0 + deflator) ** years


def _lane(
    numbers: Numbers, axes: Axes, times: dict[str, Array], levels: dict[str, Array], name: str, policy_name: str
) -> tuple[Known, Constants, State]:
    """Return what one policy and munition need: series (intervals, members), constants and opening stocks (members,)."""
    clock, members = numbers.clock, numbers.values.members
    munition = numbers.scenario.munitions[name]
    base = f"munitions.{name}"
    line, lots = production(numbers, name)
    us_share, share = _line_shares(numbers, axes, name)
    causes = _own_need(numbers, axes, name)
    planned = [numbers.product(f"recipients.{r}.{name}.need", c.claims[name].need) for r, c in _recipients(numbers)]
    extra = [_events(numbers, "need", name, r) for r in axes.recipients]
    as_of = clock.at(numbers.scenario.as_of + ONE_DAY)
    history = np.tile(clock.overlap(0.0, as_of), (1, members))
    policy = numbers.scenario.policies[policy_name]
    try:
        measure = shares(policy, axes.recipients, name, clock)
    except schema.Fault as fault:
        raise InputError.one(f"policies.{policy_name}.{fault.key}", str(fault), file=numbers.scenario.name) from None
    review_level = levels[policy.review_level]
    review = policy.review if measure.reviewed else None
    watched = np.tile(clock.overlap(clock.at(review.start), np.inf), (1, members)) if review else np.zeros_like(history)
    series = Known(
        line=line,
        lots=lots,
        us_share=us_share,
        share=share,
        own_need=_sum(causes),
        own_need_for=causes,
        need=tuple(p + e for p, e in zip(planned, extra, strict=True)),
        planned_need=tuple(planned),
        authorised=tuple(_authorised(numbers, name, r, history) for r in axes.recipients),
        history=history,
        other_supply=tuple(
            numbers.dated(f"recipients.{r}.{name}.other_supply", c.claims[name].other_supply) + _events(numbers, "supply", name, r)
            for r, c in _recipients(numbers)
        ),
        us_inflow=_events(numbers, "inflow", name, None),
        review_on=watched * review_level * (review.on if review else 0.0),
        review_off=watched * review_level * (review.off if review else 0.0),
        floor=levels[policy.transfer_floor] * (1.0 - history),
        **_measures(measure, members),
    )
    ones = np.ones(members)
    constants = Constants(
        line_rate=1.0 / times["line"],
        issue_time=times["issue"],
        issue_rate=1.0 / times["issue"],
        release_rate=1.0 / times["release"],
        catch_up_rate=1.0 / times["catch_up"],
        order_rate=1.0 / times["order"],
        cover=times["cover"],
        commit=times["commit"],
        loss=numbers.at_start(f"{base}.loss_rate", munition.loss_rate),
        pro_rata=ones * (policy.allocation.use != "weights"),
        priority=tuple(ones * _priority(policy.allocation, r) for r in axes.recipients),
        weight=tuple(ones * policy.allocation.weights.get(r, 1.0) for r in axes.recipients),
    )
    zero = np.zeros(members)
    full = munition.line.funding == "full"
    opening = State(
        us_on_hand=numbers.at_start(f"{base}.us_stock", munition.us_stock),
        order_book=(line.max(axis=0) if full else line[0]) * times["line"],
        on_hand=tuple(numbers.at_start(f"recipients.{r}.{name}.stock", c.claims[name].stock) for r, c in _recipients(numbers)),
        withheld=tuple(zero for _ in axes.recipients),
        deferred=tuple(zero for _ in axes.recipients),
        review=zero,
    )
    return series, constants, opening


def _recipients(numbers: Numbers) -> list[tuple[str, schema.Recipient]]:
    return list(numbers.scenario.recipients.items())


def _sum(arrays: Sequence[Array]) -> Array:
    result = arrays[0]
    for array in arrays[1:]:
        result = result + array
    return result


def _line_shares(numbers: Numbers, axes: Axes, name: str) -> tuple[Array, tuple[Array, ...]]:
    """Return the US share and each recipient's; they sum to 1, drawn shares that sum to more being scaled down together."""
    us = numbers.dated(f"munitions.{name}.us_share", numbers.scenario.munitions[name].us_share)
    named: dict[str, Array] = {}
    for recipient, model in _recipients(numbers):
        share = model.claims[name].share
        if share is not None:
            named[recipient] = numbers.dated(f"recipients.{recipient}.{name}.share", share)
    whole = _sum([us, *named.values()])
    if isinstance(numbers.values, Central) and (whole > 1.0 + 1e-9).any():
        message = f"the US share and the recipients' shares of the line sum to {whole.max():g}; allowed: at most 1"
        raise InputError.one(f"munitions.{name}.us_share", message, file=numbers.scenario.name)
    scale = 1.0 / np.maximum(whole, 1.0)
    us, named = us * scale, {key: value * scale for key, value in named.items()}
    remainder = np.maximum(1.0 - _sum([us, *named.values()]), 0.0)
    return us, tuple(named.get(recipient, remainder) for recipient in axes.recipients)


def _events(numbers: Numbers, kind: str, munition: str, who: str | None) -> Array:
    """Return the rates of all events of a kind for a munition and a recipient or cause [round/month]."""
    clock = numbers.clock
    result = np.zeros((len(numbers.starts), numbers.values.members))
    for name, event in numbers.scenario.events.items():
        if event.kind != kind or munition not in event.rounds or who not in (event.recipient, event.cause, None):
            continue
        start, end = clock.at(event.start), clock.at(event.end)
        rounds = numbers.product(f"events.{name}.rounds.{munition}", event.rounds[munition], event.start)
        result = result + rounds / (end - start) * clock.overlap(start, end)
    return result


def _own_need(numbers: Numbers, axes: Axes, name: str) -> tuple[Array, ...]:
    """Return what US forces would use [round/month] by cause: training counts as `us`."""
    training = numbers.dated(f"munitions.{name}.training", numbers.scenario.munitions[name].training)
    operations = [_events(numbers, "operation", name, cause) for cause in axes.causes]
    return (training + operations[0], *operations[1:])


def _authorised(numbers: Numbers, name: str, recipient: str, history: Array) -> Array:
    """Return what is authorised [round/month]: the rate on record, after `as_of` the ceiling, and dated packages."""
    claim, clock = numbers.scenario.recipients[recipient].claims[name], numbers.clock
    base = f"recipients.{recipient}.{name}"
    sent, ceiling = numbers.dated(f"{base}.authorised", claim.authorised), numbers.dated(f"{base}.ceiling", claim.ceiling)
    rate = history * sent + (1.0 - history) * ceiling
    for event in numbers.scenario.events.values():
        if event.instead and event.recipient == recipient and name in event.rounds:
            rate = rate * (1.0 - clock.overlap(clock.at(event.start), clock.at(event.end)))
    return rate + _events(numbers, "package", name, recipient)


def _measures(measure: Shares, members: int) -> dict[str, Any]:
    wide = {name: tuple(np.tile(array, (1, members)) for array in arrays) for name, arrays in measure.dated.items()}
    return wide | {f"review_{name}": tuple(np.tile(array, (1, members)) for array in arrays) for name, arrays in measure.review.items()}


def _priority(allocation: schema.Allocation, recipient: str) -> float:
    for rank, members in enumerate(allocation.classes):
        if recipient in members:
            return float(rank)
    return float(len(allocation.classes)) if allocation.classes else 0.0


def _beside(cls: type[T], parts: Sequence[T]) -> T:
    """Return the arrays of `parts` laid side by side along the lanes."""

    def join(name: str) -> Any:
        first = getattr(parts[0], name)
        if isinstance(first, tuple):
            return tuple(np.concatenate([getattr(part, name)[r] for part in parts], axis=-1) for r in range(len(first)))
        return np.concatenate([getattr(part, name) for part in parts], axis=-1)

    return cls(**{name: join(name) for name in cls.__dataclass_fields__})  # type: ignore[attr-defined]
