"""A probability estimated from draws, with its Monte Carlo error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stockpile import sampling_error
from stockpile.clock import Array
from stockpile.sketch import Distribution

LEVEL = 0.95
"""Coverage of the intervals of Monte Carlo error."""
NEAR = 1e-9
"""How far apart two dates may be that are the same one [month]."""


@dataclass(frozen=True)
class Chance:
    """A probability estimated from draws.

    Attributes
    ----------
    hits, members : int
        In how many draws, of how many.
    low, high : float
        The interval of Monte Carlo error at `LEVEL`: it says how far more draws could move the estimate, not whether the
        assumptions are right.
    """

    hits: int
    members: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share of the draws."""
        return self.hits / self.members


def chance(hits: int, members: int) -> Chance:
    """Return the probability that `hits` of `members` draws stand for."""
    low, high = sampling_error.proportion_interval(hits, members, LEVEL)
    return Chance(hits, members, float(low), float(high))


def passed(dates: Distribution, months: Array) -> NDArray[np.int64]:
    """Return in how many draws a date [month from the start] has come by each of `months`; `dates` is one cell."""
    return np.array([int(dates.at_or_below(month + NEAR)) for month in months], dtype=np.int64)
