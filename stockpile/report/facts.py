"""What a scenario says of its suspensions and events, read out of its files at central values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stockpile import units
from stockpile.checks import ALL
from stockpile.scenario import Scenario
from stockpile.schema import Parameter, Reference
from stockpile.vintage import BEGINNING


@dataclass(frozen=True)
class Window:
    """A dated suspension of a policy: half-open, `end` None for one that lasts to the end of the run."""

    policy: str
    start: dt.date
    end: dt.date | None
    munitions: tuple[str, ...]
    recipients: tuple[str, ...]


def windows(scenario: Scenario, policy: str) -> tuple[Window, ...]:
    """Return the dated suspensions of a policy, with the names that `all` stands for."""

    def named(chosen: Sequence[str], everything: Sequence[str]) -> tuple[str, ...]:
        return tuple(everything) if ALL in chosen else tuple(name for name in everything if name in chosen)

    found = scenario.policies[policy]
    return tuple(
        Window(
            policy,
            item.start,
            item.end if isinstance(item.end, dt.date) else None,
            named(item.munitions, list(scenario.munitions)),
            named(item.recipients, list(scenario.recipients)),
        )
        for item in found.suspensions
    )


def next_month(date: dt.date) -> dt.date:
    """Return the first day of the month after that of `date`."""
    return (date.replace(day=1) + dt.timedelta(days=32)).replace(day=1)


def rounds_of(scenario: Scenario, name: str, munition: str) -> float:
    """Return the rounds of an event for a munition at central values: the product of its factors; 0 if it has none."""
    event = scenario.events[name]
    if munition not in event.rounds:
        return 0.0
    product = 1.0
    for factor in event.rounds[munition].values():
        if isinstance(factor, Reference):
            value = _value(_find(scenario, factor.path), event.start)
            product *= 1.0 - value if factor.one_minus else value
        else:
            product *= _value(factor, event.start)
    return product


def _find(scenario: Scenario, path: str) -> Parameter:
    node: Any = scenario.tree
    for step in path.split("."):
        node = node[step]
    return Parameter.model_validate(node)


def _value(parameter: Parameter, date: dt.date) -> float:
    """Return the value in force on a date [the model's unit]."""
    known = [point for point in parameter.points if (point.from_ or BEGINNING) <= date] or parameter.points[:1]
    unit = units.find(parameter.unit)
    assert unit is not None
    return known[-1].value * unit.factor
