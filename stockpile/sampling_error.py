"""How far an estimate from a number of independent draws may be from the number that endless draws would give.

All intervals are two-sided: at `level`, the chance is (1 - level) / 2 on each side. They hold for independent draws (the
sampler ``random``).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def proportion_interval(hits: ArrayLike, members: int, level: float = 0.95) -> tuple[Array, Array]:
    """Return the interval of a probability of which `hits` of `members` draws were found, each of the shape of `hits`.

    Jeffreys' interval (quantiles of the beta distribution with hits + 1/2 and misses + 1/2), which keeps its level on
    average even for rare events; at no hit and at nothing but hits the exact limits of Clopper and Pearson take its
    place, so that the interval reaches 0 or 1 there. As modified by Brown, Cai and DasGupta, Statistical Science 16,
    2001, https://doi.org/10.1214/ss/1009213286.

    Raises
    ------
    ValueError
        If there is no member, or hits are below 0 or above `members`, or the level is not between 0 and 1.
    """
    from scipy.special import betaincinv

    _check(members, level)
    found = np.asarray(hits, dtype=np.float64)
    if np.any((found < 0) | (found > members)):
        raise ValueError(f"hits from {found.min():g} to {found.max():g}; allowed: from 0 to {members}")
    tail = (1 - level) / 2
    missed = members - found
    one_sided = -math.expm1(math.log(tail) / members)
    low = np.where(found == 0, 0.0, np.where(missed == 0, 1 - one_sided, betaincinv(found + 0.5, missed + 0.5, tail)))
    high = np.where(missed == 0, 1.0, np.where(found == 0, one_sided, betaincinv(found + 0.5, missed + 0.5, 1 - tail)))
    return low, high


def quantile_ranks(q: float, members: int, level: float = 0.95) -> tuple[int, int]:
    """Return the ranks (1 is the least draw) of the two draws between which the quantile at `q` lies.

    Distribution-free: the number of draws below the quantile is binomial. Rank 0 means that there is no lower limit at
    this level with so few draws, rank members + 1 that there is no upper one. The true coverage is at least `level`.

    Raises
    ------
    ValueError
        If there is no member, or `q` or the level is not between 0 and 1.
    """
    from scipy.special import bdtr, bdtrc

    _check(members, level)
    if not 0 < q < 1:
        raise ValueError(f"q is {q:g}; allowed: between 0 and 1")
    tail = (1 - level) / 2
    # Lower: the highest rank with P(fewer draws than it below the quantile) <= tail. Upper: the lowest rank with
    # P(at least that many below) <= tail.
    low, high = 0, members
    while low < high:
        rank = (low + high + 1) // 2
        low, high = (rank, high) if bdtr(rank - 1, members, q) <= tail else (low, rank - 1)
    lower = low
    low, high = 1, members + 1
    while low < high:
        rank = (low + high) // 2
        low, high = (low, rank) if bdtrc(rank - 1, members, q) <= tail else (rank + 1, high)
    return lower, low


def mean_interval(mean: ArrayLike, deviation: ArrayLike, members: ArrayLike, level: float = 0.95) -> tuple[Array, Array]:
    """Return the interval of a mean (Student's t), in the unit and shape of `mean`; endless for one draw.

    Parameters
    ----------
    mean, deviation : array
        Mean and standard deviation of the draws, the latter with members - 1 below the fraction line. For a difference
        between two policies, those of the differences draw by draw.
    members : int, or array of int
        Number of draws that each mean is of.
    level : float
        Share of such intervals that hold the true mean, nearly so where the draws are not normal.

    Raises
    ------
    ValueError
        If there is no member, a deviation is negative, or the level is not between 0 and 1.
    """
    from scipy.special import stdtrit

    number = np.asarray(members, dtype=np.float64)
    _check(int(number.min()), level)
    spread = np.asarray(deviation, dtype=np.float64)
    if np.any(spread < 0):
        raise ValueError(f"deviation {spread.min():g}; allowed: 0 or more")
    centre = np.asarray(mean, dtype=np.float64)
    half = stdtrit(np.maximum(number - 1, 1), (1 + level) / 2) * spread / np.sqrt(number)
    return np.where(number > 1, centre - half, -math.inf), np.where(number > 1, centre + half, math.inf)


def _check(members: int, level: float) -> None:
    if members < 1:
        raise ValueError(f"members is {members}; allowed: 1 or more")
    if not 0 < level < 1:
        raise ValueError(f"level is {level:g}; allowed: between 0 and 1")
