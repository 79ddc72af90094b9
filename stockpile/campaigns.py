"""Random operations of US forces: what may come besides the dated ones. Drawn in ensembles only.

At most one campaign of a kind begins a calendar quarter, with probability rate / 4, so that their mean number is that of the
rate; it begins at a random moment of the quarter and uses its rounds evenly over its length; what would have begun up to `as_of` is left
out. One draw of size moves the rounds of all munitions together.
"""

from __future__ import annotations

import datetime as dt

import numpy as np

from stockpile.clock import ONE_DAY
from stockpile.lookup import Numbers
from stockpile.model.state import Quantity

QUARTER = 3
"""Months."""


def random_operations(numbers: Numbers, munition: str, cause: str) -> Quantity:
    """Return what random campaigns on behalf of `cause` use of a munition [round/month], on the intervals."""
    result: Quantity = np.zeros((len(numbers.starts), 1))
    if not numbers.values.random:
        return result
    for name, campaign in numbers.scenario.campaigns.items():
        if campaign.cause == cause and munition in campaign.rounds:
            for quarter in quarters(numbers.scenario.as_of + ONE_DAY, numbers.clock.end):
                result = result + _one(numbers, f"campaigns.{name}", munition, quarter)
    return result


def quarters(first: dt.date, end: dt.date) -> list[dt.date]:
    """Return the first days of the calendar quarters from the one of `first` on that begin before `end`."""
    found, day = [], dt.date(first.year, first.month - (first.month - 1) % QUARTER, 1)
    while day < end:
        found.append(day)
        day = dt.date(day.year + (day.month + QUARTER > 12), (day.month + QUARTER - 1) % 12 + 1, 1)
    return found


def _one(numbers: Numbers, path: str, munition: str, quarter: dt.date) -> Quantity:
    """Return what the campaign that may begin in a quarter uses [round/month], on the intervals."""
    campaign, clock, values = numbers.scenario.campaigns[path.split(".")[1]], numbers.clock, numbers.values
    occasion = f"{quarter.year}q{(quarter.month - 1) // QUARTER + 1}"
    now = clock.at(numbers.scenario.as_of + ONE_DAY)
    rate = numbers.today(f"{path}.rate", campaign.rate)
    begins = np.where(values.chance(f"{path}.begins@{occasion}") < rate * QUARTER, 1.0, 0.0)
    start = clock.at(quarter) + QUARTER * values.chance(f"{path}.moment@{occasion}")
    length = numbers.today(f"{path}.length", campaign.length, f"{path}.length@{occasion}")
    rounds = numbers.today(f"{path}.rounds.{munition}", campaign.rounds[munition], f"{path}.size@{occasion}")
    coming = np.where(start < now, 0.0, begins)
    return coming * rounds / length * clock.overlap(start, start + length)
