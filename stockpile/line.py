"""The production line: what it can deliver, and what is ordered.

Announced is not realised. A planned level comes `slip` months late, and `ramp_delay` more where that is decided; of the increase over the
level in force when it was announced only the share `realisation` comes true, but no less than what has been reached already; until then
capacity rises in a straight line from the level at `as_of`.
"""

from __future__ import annotations

import datetime as dt

import numpy as np

from stockpile import schema
from stockpile.clock import ONE_DAY, Array
from stockpile.lookup import Numbers
from stockpile.model.state import Quantity
from stockpile.vintage import BEGINNING, published


def production(numbers: Numbers, name: str) -> tuple[Quantity, Quantity]:
    """Return `line` and `lots` of a munition [round/month], each of shape (intervals, members).

    `line` is the least of the parts. `lots` is what is ordered: in history all that the line can make; after it the
    known contracts, or the level in force at `as_of` with growth that waits for its orders' lead time, whichever is more.
    Where the line is funded by contracts alone, those are all that is ordered, in history too.

    The least of several means depends on the intervals that they are of: so all is worked out between the breaks of the world, and is
    the same whatever policies are run.
    """
    clock = numbers.clock
    line, lots = _between_breaks(Numbers(numbers.scenario, numbers.values, clock.world), name)
    return np.stack([line[number] for number in clock.within]), np.stack([lots[number] for number in clock.within])


def _between_breaks(numbers: Numbers, name: str) -> tuple[Quantity, Quantity]:
    """Return `line` and `lots` as means between all breaks of the clock of `numbers`."""
    line = numbers.scenario.munitions[name].line
    base = f"munitions.{name}.line"
    lead = numbers.today(f"{base}.lead_time", line.lead_time)
    capacity, ordered = None, None
    for key, part in line.parts.items():
        can, funded = _part(numbers, f"{base}.parts.{key}", part, lead)
        capacity = can if capacity is None else np.minimum(capacity, can)
        ordered = funded if ordered is None else np.minimum(ordered, funded)
    assert capacity is not None and ordered is not None
    if line.funding == "full":
        return capacity, capacity
    if line.funding == "contracts":
        return capacity, _contracts(numbers, name) + np.zeros((len(numbers.starts), 1))
    clock = numbers.clock
    history = clock.overlap(0.0, clock.at(numbers.scenario.as_of + ONE_DAY))
    return capacity, np.maximum(ordered, _contracts(numbers, name) * (1.0 - history))


def capacity(numbers: Numbers, name: str, part: str | None = None) -> Quantity:
    """Return what the line of a munition can deliver, or a part of it [round/month], shape (intervals, members)."""
    if part is None:
        return production(numbers, name)[0]
    line = numbers.scenario.munitions[name].line
    base = f"munitions.{name}.line"
    return _part(numbers, f"{base}.parts.{part}", line.parts[part], numbers.today(f"{base}.lead_time", line.lead_time))[0]


def _part(numbers: Numbers, base: str, part: schema.Part, lead: Quantity) -> tuple[Quantity, Quantity]:
    """Return what a part can deliver, and how much of that is ordered [round/month], shape (intervals, members)."""
    clock, scenario = numbers.clock, numbers.scenario
    now = clock.at(scenario.as_of + ONE_DAY)
    path = f"{base}.capacity"
    observed = [p for p in part.capacity.points if (p.from_ or BEGINNING) <= scenario.as_of]
    history = numbers.dated(path, part.capacity.model_copy(update={"points": observed or part.capacity.points[:1]}))
    level = _in_force(numbers, path, part, scenario.as_of)
    ends: list[Quantity] = [now]
    heights: list[Quantity] = [level]
    announced: list[float] = []
    late = numbers.today("model.slip", scenario.model.slip) + numbers.today("model.ramp_delay", scenario.model.ramp_delay)
    realised = numbers.today("model.realisation", scenario.model.realisation)
    for key, plan in sorted(part.plans.items(), key=lambda item: item[1].by):
        date = min(published(plan.source, scenario.sources), scenario.as_of) if plan.source else scenario.as_of
        start = _in_force(numbers, path, part, date)
        target = numbers.point(f"{base}.plans.{key}", part.capacity, plan)
        reached = np.where(target > start, np.minimum(level, target), -np.inf)
        heights.append(np.maximum(start + realised * (target - start), reached))
        ends.append(np.maximum(ends[-1], np.maximum(clock.at(plan.by) + late, now)))
        announced.append(clock.at(date))
    past = clock.overlap(-np.inf, now)
    can = past * history + (1.0 - past) * _ramp(clock.knots, ends, heights, now)
    funded = past * history + (1.0 - past) * _funded(clock.knots, level, heights[1:], announced, lead, can)
    return _given_later(numbers, path, part, can, funded, level, lead)


def _in_force(numbers: Numbers, path: str, part: schema.Part, date: dt.date) -> Quantity:
    """Return the observed level in force on a date, the first one where the date lies before all, shape (members,)."""
    found = part.capacity.points[0]
    for point in part.capacity.points:
        if (point.from_ or BEGINNING) <= date:
            found = point
    return numbers.point(path, part.capacity, found)


def _ramp(knots: Array, ends: list[Quantity], heights: list[Quantity], now: float) -> Quantity:
    """Return the means over the intervals of the line through (ends, heights), constant after the last."""
    low, high = np.maximum(knots[:-1, None], now), np.maximum(knots[1:, None], now)
    area: Quantity = np.zeros(1)
    for number in range(len(ends) - 1):
        x0, x1, y0, y1 = ends[number], ends[number + 1], heights[number], heights[number + 1]
        a, b = between(low, x0, x1), between(high, x0, x1)
        slope = (y1 - y0) / np.where(x1 > x0, x1 - x0, 1.0)
        area = area + (b - a) * (y0 + slope * (0.5 * (a + b) - x0))
    rest = np.maximum(high, ends[-1]) - np.maximum(low, ends[-1])
    length = high - low
    mean = (area + rest * heights[-1]) / np.where(length > 0.0, length, 1.0)
    whole = low >= ends[-1]
    return np.where(whole, heights[-1], mean)


def between(value: Quantity, low: Quantity, high: Quantity) -> Quantity:
    """Return the value, or the bound beyond which it lies."""
    return np.minimum(np.maximum(value, low), high)


def _funded(knots: Array, level: Quantity, heights: list[Quantity], announced: list[float], lead: Quantity, can: Quantity) -> Quantity:
    """Return how much of the capacity is ordered: growth by a plan comes no earlier than its announcement plus the lead time."""
    low, high = knots[:-1, None], knots[1:, None]
    most = level
    for height, since in zip(heights, announced, strict=True):
        arrived = between((high - (since + lead)) / (high - low), 0.0, 1.0)
        most = np.maximum(most, level + arrived * (height - level))
    return np.minimum(can, most)


def _given_later(
    numbers: Numbers, path: str, part: schema.Part, can: Quantity, funded: Quantity, level: Quantity, lead: Quantity
) -> tuple[Quantity, Quantity]:
    """Lay levels that are given for dates after `as_of` over the plans; what exceeds the level at `as_of` waits for its orders."""
    clock, as_of = numbers.clock, numbers.scenario.as_of
    for point in part.capacity.points:
        if point.from_ is None or point.from_ <= as_of:
            continue
        value = numbers.point(path, part.capacity, point)
        since = clock.overlap(clock.at(point.from_), np.inf)
        ordered = clock.overlap(clock.at(as_of + ONE_DAY) + lead, np.inf)
        can = (1.0 - since) * can + since * value
        waiting = np.minimum(value, level + ordered * np.maximum(value - level, 0.0))
        funded = (1.0 - since) * funded + since * waiting
    return can, funded


def _contracts(numbers: Numbers, name: str) -> Quantity:
    """Return the known contracts' deliveries [round/month]: nothing before the lead time, then spread over the lot."""
    clock, line = numbers.clock, numbers.scenario.munitions[name].line
    result: Quantity = np.zeros(1)
    for key, lot in line.lots.items():
        base = f"munitions.{name}.line.lots.{key}"
        own = f"munitions.{name}.line"
        lead = numbers.today(f"{base}.lead_time", lot.lead_time) if lot.lead_time else numbers.today(f"{own}.lead_time", line.lead_time)
        span = numbers.today(f"{base}.span", lot.span) if lot.span else numbers.today(f"{own}.lot_span", line.lot_span)
        first = clock.at(lot.awarded) + lead
        result = result + numbers.today(f"{base}.quantity", lot.quantity) / span * clock.overlap(first, first + span)
    return result
