"""Where a curve of probabilities over the values of a lever crosses a level, and how surely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stockpile.errors import InputError

Array = NDArray[np.float64]

NEVER, ALWAYS, CROSSES = "never", "always", "crosses"
RISING, FALLING, FLAT, MIXED = "rising", "falling", "flat", "not monotone"


@dataclass(frozen=True)
class Range:
    """Values of the lever at which the curve may be at the level.

    Attributes
    ----------
    low, high : float
    low_open, high_open : bool
        Whether the range reaches that end of the grid, so that it may go on beyond.
    """

    low: float
    high: float
    low_open: bool
    high_open: bool


@dataclass(frozen=True)
class Crossing:
    """One place where the curve crosses the level.

    Attributes
    ----------
    at : float
        By straight lines between the values of the grid.
    before, after : float
        The two neighbours on the grid between which it lies; the level is reached at one of them and not at the other.
    rising : bool
        Whether the level is reached from there on (else, until there).
    within : Range or None
        Where the crossing may lie by the Monte Carlo intervals; None where none were given. Crossings that share a range may be
        none at all.
    """

    at: float
    before: float
    after: float
    rising: bool
    within: Range | None


@dataclass(frozen=True)
class Crossings:
    """What a curve does at a level.

    Attributes
    ----------
    level : float
    verdict : {"never", "always", "crosses"}
        Below the level everywhere; at or above it everywhere; or neither.
    crossings : tuple of Crossing
        In the order of the lever.
    shape : {"rising", "falling", "flat", "not monotone"}
        Of the curve as estimated.
    monotone_within_error : bool or None
        Whether a curve that only rises, or only falls, fits inside all the intervals; None without intervals.
    unsure : tuple of Range
        All values of the lever at which the level lies in the interval. With a verdict of never or always: where it may be wrong.
    """

    level: float
    verdict: str
    crossings: tuple[Crossing, ...]
    shape: str
    monotone_within_error: bool | None
    unsure: tuple[Range, ...]

    @property
    def sure(self) -> bool | None:
        """Whether the verdict holds, and each crossing lies in a range of its own, at the level of the intervals; None without any."""
        if self.monotone_within_error is None:
            return None
        return len(self.unsure) == len(self.crossings) and len({crossing.within for crossing in self.crossings}) == len(self.crossings)


def crossings(
    levers: ArrayLike, probabilities: ArrayLike, level: float, low: ArrayLike | None = None, high: ArrayLike | None = None
) -> Crossings:
    """Return where probabilities on a grid of lever values cross a level.

    The level counts as reached where the probability is at or above it.

    Parameters
    ----------
    levers : array, shape (values,)
        Increasing, finite, in any unit.
    probabilities : array, shape (values,)
    level : float
    low, high : array, shape (values,), optional
        Monte Carlo interval of each probability; both or neither. Each may hold on its own, so that a range made from them is not a
        joint statement about the whole curve.

    Raises
    ------
    InputError
        If the levers do not increase, a number is missing, shapes differ, or a probability lies outside its interval.
    """
    grid, curve = np.asarray(levers, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    if (low is None) != (high is None):
        raise InputError.one("low, high", "one without the other; allowed: both or neither")
    given = low is not None and high is not None
    lower, upper = (np.asarray(each, dtype=np.float64) for each in ((low, high) if given else (curve, curve)))
    _check(grid, curve, lower, upper, level)
    unsure = _unsure(grid, lower, upper, level) if given else ()
    reached = curve >= level
    places = np.flatnonzero(reached[1:] != reached[:-1])
    return Crossings(
        level=float(level),
        verdict=CROSSES if len(places) else ALWAYS if reached[0] else NEVER,
        crossings=tuple(_crossing(grid, curve, level, int(place), unsure) for place in places),
        shape=_shape(curve),
        monotone_within_error=_may_be_monotone(lower, upper) if given else None,
        unsure=unsure,
    )


def _check(grid: Array, curve: Array, lower: Array, upper: Array, level: float) -> None:
    if grid.ndim != 1 or len(grid) == 0 or not (curve.shape == lower.shape == upper.shape == grid.shape):
        shapes = ", ".join(str(each.shape) for each in (grid, curve, lower, upper))
        raise InputError.one("levers", f"shapes {shapes}; allowed: one length for all, 1 or more")
    if not np.isfinite(level) or not all(np.isfinite(each).all() for each in (grid, curve, lower, upper)):
        raise InputError.one("probabilities", "a number is missing or not finite; allowed: finite numbers")
    if not (np.diff(grid) > 0).all():
        raise InputError.one("levers", "not increasing; allowed: each value above the one before")
    outside = np.flatnonzero((curve < lower) | (curve > upper))
    if len(outside):
        where = outside[0]
        raise InputError.one("low, high", f"{curve[where]:g} at {grid[where]:g} lies outside {lower[where]:g} to {upper[where]:g}")


def _crossing(grid: Array, curve: Array, level: float, place: int, unsure: tuple[Range, ...]) -> Crossing:
    (before, after), (start, end) = grid[place : place + 2].tolist(), curve[place : place + 2].tolist()
    at = min(max(before + (after - before) * (level - start) / (end - start), before), after)
    # The curve lies inside its interval, so that the level does at the crossing, but for rounding.
    near = sorted(unsure, key=lambda each: max(each.low - at, at - each.high, 0.0))
    return Crossing(at, before, after, end >= level, near[0] if near else None)


def _unsure(grid: Array, lower: Array, upper: Array, level: float) -> tuple[Range, ...]:
    """Return the ranges where lower <= level <= upper, both straight between the values of the grid, joined where they touch."""
    found: list[tuple[float, float]] = []
    for place in range(len(grid)):
        last = min(place + 1, len(grid) - 1)
        start, end = float(grid[place]), float(grid[last])
        first = _piece(float(lower[place]) - level, float(lower[last]) - level)
        second = _piece(level - float(upper[place]), level - float(upper[last]))
        if first is None or second is None or max(first[0], second[0]) > min(first[1], second[1]):
            continue
        # Ends of the segment stand as they are: start + (end - start) may round.
        low, high = (
            start if part == 0 else end if part == 1 else start + (end - start) * part
            for part in (max(first[0], second[0]), min(first[1], second[1]))
        )
        if found and found[-1][1] >= low:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return tuple(Range(low, high, low == float(grid[0]), high == float(grid[-1])) for low, high in found)


def _piece(start: float, end: float) -> tuple[float, float] | None:
    """Return the part of the way, from 0 to 1, on which a straight line from `start` to `end` is at most 0."""
    if start > 0 and end > 0:
        return None
    if start <= 0 and end <= 0:
        return 0.0, 1.0
    part = start / (start - end)
    return (0.0, part) if start <= 0 else (part, 1.0)


def _shape(curve: Array) -> str:
    steps = np.diff(curve)
    if (steps == 0).all():
        return FLAT
    return RISING if (steps >= 0).all() else FALLING if (steps <= 0).all() else MIXED


def _may_be_monotone(lower: Array, upper: Array) -> bool:
    rises = bool((np.maximum.accumulate(lower) <= upper).all())
    falls = bool((np.minimum.accumulate(upper) >= lower).all())
    return rises or falls
