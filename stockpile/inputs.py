"""What the equations take of one munition, whatever the policy: series, constants, opening stocks, levels.

Everything comes as arrays of shape (intervals, members), (members,), or with a last axis of length 1 where all members have the
same; or as symbols in place of arrays, so that the same text can be traced. Hence the restrictions of `stockpile.model.equations`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stockpile import schema, units
from stockpile.campaigns import random_operations
from stockpile.clock import ONE_DAY
from stockpile.draws import Central
from stockpile.errors import InputError
from stockpile.line import between, production
from stockpile.lookup import Numbers
from stockpile.model.state import Quantity, State

JOINT = "joint_or_unknown"


@dataclass(frozen=True)
class Common:
    """What all policies share for one munition.

    Attributes
    ----------
    series : dict
        By field of `Known`: a quantity on the intervals, or a tuple of them.
    constants : dict
        By field of `Constants`.
    opening : State
    levels : dict
        Named levels [round].
    history : array, shape (intervals, 1)
        1 before `as_of` has passed, else 0.
    """

    series: dict[str, Any]
    constants: dict[str, Any]
    opening: State
    levels: dict[str, Quantity]
    history: Quantity


def common(numbers: Numbers, name: str, times: dict[str, Quantity]) -> Common:
    """Return what all policies share for munition `name`.

    Parameters
    ----------
    numbers : Numbers
    name : str
    times : dict
        From `mean_times`.

    Raises
    ------
    InputError
        For numbers needed before they hold, and (central values) for shares that sum to more than 1.
    """
    clock, scenario = numbers.clock, numbers.scenario
    munition = scenario.munitions[name]
    base = f"munitions.{name}"
    line, lots = production(numbers, name)
    us_share, share = _line_shares(numbers, name)
    causes = _own_need(numbers, name)
    planned = tuple(numbers.product(f"recipients.{r}.{name}.need", c.claims[name].need) for r, c in _recipients(numbers))
    extra = [_events(numbers, "need", name, r) for r in scenario.recipients]
    history = clock.overlap(0.0, clock.at(scenario.as_of + ONE_DAY))
    series = {
        "line": line,
        "lots": lots,
        "us_share": us_share,
        "share": share,
        "own_need": _sum(causes),
        "own_need_for": causes,
        "need": tuple(p + e for p, e in zip(planned, extra, strict=True)),
        "planned_need": planned,
        "authorised": tuple(_authorised(numbers, name, r, history) for r in scenario.recipients),
        "history": history,
        "other_supply": tuple(
            numbers.dated(f"recipients.{r}.{name}.other_supply", c.claims[name].other_supply) + _events(numbers, "supply", name, r)
            for r, c in _recipients(numbers)
        ),
        "us_inflow": _events(numbers, "inflow", name, None),
    }
    constants = {
        "line_rate": 1.0 / times["line"],
        "issue_time": times["issue"],
        "issue_rate": 1.0 / times["issue"],
        "release_rate": 1.0 / times["release"],
        "catch_up_rate": 1.0 / times["catch_up"],
        "order_rate": 1.0 / times["order"],
        "cover": times["cover"],
        "commit": times["commit"],
        "loss": numbers.at_start(f"{base}.loss_rate", munition.loss_rate),
    }
    zero = np.zeros(1)
    none = tuple(zero for _ in scenario.recipients)
    opening = State(
        us_on_hand=numbers.at_start(f"{base}.us_stock", munition.us_stock),
        order_book=_book_at_start(numbers, name, line, times["line"]),
        on_hand=tuple(numbers.at_start(f"recipients.{r}.{name}.stock", c.claims[name].stock) for r, c in _recipients(numbers)),
        withheld=none,
        deferred=none,
        review=zero,
    )
    return Common(series, constants, opening, levels(numbers, name), history)


def levels(numbers: Numbers, name: str) -> dict[str, Quantity]:
    """Return the named levels of munition `name` [round], its requirement among them."""
    munition = numbers.scenario.munitions[name]
    result = {key: numbers.level(f"munitions.{name}.floors.{key}", level, name) for key, level in munition.floors.items()}
    if munition.requirement is not None:
        level = munition.requirements[munition.requirement]
        result["requirement"] = numbers.level(f"munitions.{name}.requirements.{munition.requirement}", level, name)
    return result


def unit_cost(numbers: Numbers, name: str) -> Quantity:
    """Return the price of a round of munition `name` in dollars of the scenario's money year. Takes a power: arrays only."""
    parameter = numbers.scenario.munitions[name].unit_cost
    years = (numbers.scenario.settings.money_year or 0) - units.money_year(parameter.unit)
    deflator = numbers.today("model.deflator", numbers.scenario.model.deflator) * units.MONTHS_PER_YEAR
    return numbers.today(f"munitions.{name}.unit_cost", parameter) * (1.0 + deflator) ** years


def due(numbers: Numbers, name: str, lot: str, start: Quantity | float, end: float) -> Quantity:
    """Return the rounds of a lot that are due from `start` to `end` [months from the start of the run]."""
    line, base = numbers.scenario.munitions[name].line, f"munitions.{name}.line"
    one, own = line.lots[lot], f"{base}.lots.{lot}"
    lead = numbers.today(f"{own}.lead_time", one.lead_time) if one.lead_time else numbers.today(f"{base}.lead_time", line.lead_time)
    span = numbers.today(f"{own}.span", one.span) if one.span else numbers.today(f"{base}.lot_span", line.lot_span)
    first = numbers.clock.at(one.awarded) + lead
    part = between(end - first, 0.0, span) - between(start - first, 0.0, span)
    return numbers.today(f"{own}.quantity", one.quantity) * part / span


def _book_at_start(numbers: Numbers, name: str, line: Quantity, time: Quantity) -> Quantity:
    """Return the order book at the start [round]: what the line makes in its time, where all is funded at its largest.

    With contracts alone, what of them is due in that time before the start: no round is delivered that nobody ordered.
    """
    munition = numbers.scenario.munitions[name].line
    if munition.funding == "contracts":
        return _sum([np.zeros(1), *(due(numbers, name, lot, -time, 0.0) for lot in munition.lots)])
    result = line[0]
    for row in range(1, len(line) if munition.funding == "full" else 1):
        result = np.maximum(result, line[row])
    return result * time


def _recipients(numbers: Numbers) -> list[tuple[str, schema.Recipient]]:
    return list(numbers.scenario.recipients.items())


def _sum(arrays: Sequence[Quantity]) -> Quantity:
    result = arrays[0]
    for array in arrays[1:]:
        result = result + array
    return result


def _line_shares(numbers: Numbers, name: str) -> tuple[Quantity, tuple[Quantity, ...]]:
    """Return the US share and each recipient's; they sum to 1. Drawn or varied shares that sum to more are scaled down together."""
    us = numbers.dated(f"munitions.{name}.us_share", numbers.scenario.munitions[name].us_share)
    named: dict[str, Quantity] = {}
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
    return us, tuple(named.get(recipient, remainder) for recipient in numbers.scenario.recipients)


def _events(numbers: Numbers, kind: str, munition: str, who: str | None) -> Quantity:
    """Return the rates of all events of a kind for a munition and a recipient or cause [round/month]."""
    clock = numbers.clock
    result: Quantity = np.zeros((len(numbers.starts), 1))
    for name, event in numbers.scenario.events.items():
        if event.kind != kind or munition not in event.rounds or who not in (event.recipient, event.cause, None):
            continue
        start, end = clock.at(event.start), clock.at(event.end)
        rounds = numbers.product(f"events.{name}.rounds.{munition}", event.rounds[munition], event.start)
        result = result + rounds / (end - start) * clock.overlap(start, end)
    return result


def _own_need(numbers: Numbers, name: str) -> tuple[Quantity, ...]:
    """Return what US forces would use [round/month] by cause: training counts as `us`."""
    training = numbers.dated(f"munitions.{name}.training", numbers.scenario.munitions[name].training)
    causes = ("us", *numbers.scenario.recipients, JOINT)
    operations = [_events(numbers, "operation", name, cause) + random_operations(numbers, name, cause) for cause in causes]
    return (training + operations[0], *operations[1:])


def _authorised(numbers: Numbers, name: str, recipient: str, history: Quantity) -> Quantity:
    """Return what is authorised [round/month]: the rate on record, after `as_of` the ceiling, and dated packages."""
    claim, clock = numbers.scenario.recipients[recipient].claims[name], numbers.clock
    base = f"recipients.{recipient}.{name}"
    sent, ceiling = numbers.dated(f"{base}.authorised", claim.authorised), numbers.dated(f"{base}.ceiling", claim.ceiling)
    rate = history * sent + (1.0 - history) * ceiling
    for event in numbers.scenario.events.values():
        if event.instead and event.recipient == recipient and name in event.rounds:
            rate = rate * (1.0 - clock.overlap(clock.at(event.start), clock.at(event.end)))
    return rate + _events(numbers, "package", name, recipient)
