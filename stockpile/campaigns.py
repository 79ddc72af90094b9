"""Random operations of US forces: what may come besides the dated ones. Drawn in ensembles only.

At most one campaign of a kind begins a calendar quarter, with probability rate / 4, so that their mean number is that of the
rate; it begins at a random moment of the quarter and uses its rounds evenly over its length; what would have begun up to `as_of` is left
out. One draw of size moves the rounds of all munitions together.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from stockpile import schema
from stockpile.clock import ONE_DAY
from stockpile.lookup import Numbers, factor_of
from stockpile.model.state import Quantity
from stockpile.shapes import support

QUARTER = 3
"""Months."""


@dataclass(frozen=True)
class _Coming:
    """A campaign that may come: between which months at most, and when, how long and how much."""

    earliest: float
    latest: float
    start: Quantity
    end: Quantity
    rate: Quantity


def random_operations(numbers: Numbers, munition: str, cause: str) -> Quantity:
    """Return what random campaigns on behalf of `cause` use of a munition [round/month], on the intervals."""
    nothing = np.zeros(numbers.values.members)
    if not numbers.values.random:
        return np.zeros((len(numbers.starts), 1))
    coming = [
        _one(numbers, name, munition, quarter)
        for name, campaign in numbers.scenario.campaigns.items()
        if campaign.cause == cause and munition in campaign.rounds
        for quarter in quarters(numbers.scenario.as_of + ONE_DAY, numbers.clock.end)
    ]
    low, high = numbers.clock.knots[:-1, None], numbers.clock.knots[1:, None]
    rows: list[Quantity] = [nothing] * len(low)
    for one in coming:
        touched = np.flatnonzero((one.earliest < high) & (one.latest > low))
        begins, ends = low[touched], high[touched]
        share = np.maximum(np.minimum(ends, one.end) - np.maximum(begins, one.start), 0.0) * (1.0 / (ends - begins))
        used = one.rate * share
        for number, row in enumerate(touched.tolist()):
            rows[row] = rows[row] + used[number]
    return np.stack(rows)


def quarters(first: dt.date, end: dt.date) -> list[dt.date]:
    """Return the first days of the calendar quarters from the one of `first` on that begin before `end`."""
    found, day = [], dt.date(first.year, first.month - (first.month - 1) % QUARTER, 1)
    while day < end:
        found.append(day)
        day = dt.date(day.year + (day.month + QUARTER > 12), (day.month + QUARTER - 1) % 12 + 1, 1)
    return found


def _one(numbers: Numbers, name: str, munition: str, quarter: dt.date) -> _Coming:
    """Return the campaign that may begin in a quarter."""
    campaign, clock, values, path = numbers.scenario.campaigns[name], numbers.clock, numbers.values, f"campaigns.{name}"
    occasion = f"{quarter.year}q{(quarter.month - 1) // QUARTER + 1}"
    now, first = clock.at(numbers.scenario.as_of + ONE_DAY), clock.at(quarter)
    chance = numbers.today(f"{path}.rate", campaign.rate) * QUARTER
    start = first + QUARTER * values.chance(f"{path}.moment@{occasion}")
    length = numbers.today(f"{path}.length", campaign.length, f"{path}.length@{occasion}")
    rounds = numbers.today(f"{path}.rounds.{munition}", campaign.rounds[munition], f"{path}.size@{occasion}")
    begins = np.where(values.chance(f"{path}.begins@{occasion}") < chance, 1.0, 0.0)
    rate = np.where(start < now, 0.0, begins) * rounds / length
    return _Coming(max(first, now), first + QUARTER + _longest(campaign.length), start, start + length, rate)


def _longest(length: schema.Parameter) -> float:
    """Return the longest that a campaign may be [month]."""
    def longest(point: schema.Evidence) -> float:
        if length.shape is None or point.low is None or point.high is None:
            return point.value
        return support(length.shape, point.low, point.value, point.high, *schema.bounds(length))[1]

    return max(map(longest, length.points)) * factor_of(length.unit)
