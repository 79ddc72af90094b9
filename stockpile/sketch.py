"""Distributions of many numbers at once: kept whole while that is cheap, as counts in bins beyond.

Both kinds answer the same questions. Counts are whole numbers, so that parts merge to the same bits in any order; a quantile
read from them is off by at most one bin (`error`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
BINS = 1024
"""Bins of a sketch, beside the two that take what lies outside."""
SLAB = 4096
"""Cells whose quantiles are read from counts at a time, so that sums of counts take little memory."""
MARGIN = 0.1
"""How far the bins reach beyond the numbers of the pilot, as a share of their range."""
NEAR = 1e-9
"""How near to the edge of a bin a value counts as on it, in bins."""


class Distribution(Protocol):
    """Many distributions side by side, of equal size."""

    @property
    def members(self) -> int:
        """How many numbers each has."""

    def quantile(self, q: float) -> Array:
        """Return the quantile of each, shape as the cells."""

    def at_or_below(self, value: float) -> NDArray[np.int64]:
        """Return how many numbers of each cell are at or below a value; at most, where they were counted."""

    def below(self, value: float) -> NDArray[np.int64]:
        """Return how many numbers of each cell are below a value; at least, where they were counted."""

    def cell(self, place: int | tuple[int, ...]) -> Distribution:
        """Return one of the cells by itself; its quantiles have the shape ()."""

    @property
    def numbers(self) -> Array | None:
        """All numbers, shape (..., members); None where they were counted only."""

    def arrays(self) -> dict[str, Any]:
        """Return what it is made of, by name: `restored` gives it back."""

    @property
    def error(self) -> Array:
        """By how much a quantile may be off for being read from counts; 0 where all numbers were kept."""


@dataclass(frozen=True, eq=False)
class Whole:
    """All numbers, shape (..., members)."""

    values: Array

    @property
    def members(self) -> int:
        """How many numbers each cell has."""
        return int(self.values.shape[-1])

    @cached_property
    def _ordered(self) -> Array:
        return np.sort(self.values, axis=-1)

    def quantile(self, q: float) -> Array:
        """Return the quantile of each cell, by linear interpolation between its numbers; infinite ones count as such."""
        place = q * (self.members - 1)
        return between(self._ordered[..., int(np.floor(place))], self._ordered[..., int(np.ceil(place))], place % 1.0)

    def at_or_below(self, value: float) -> NDArray[np.int64]:
        """Return how many numbers of each cell are at or below `value`."""
        return np.asarray(np.count_nonzero(self.values <= value, axis=-1))

    def below(self, value: float) -> NDArray[np.int64]:
        """Return how many numbers of each cell are below `value`."""
        return np.asarray(np.count_nonzero(self.values < value, axis=-1))

    def cell(self, place: int | tuple[int, ...]) -> Whole:
        """Return one of the cells by itself."""
        return Whole(self.values[place])

    @property
    def numbers(self) -> Array:
        """All numbers, shape (..., members)."""
        return self.values

    def arrays(self) -> dict[str, Any]:
        """Return what it is made of."""
        return {"values": self.values}

    @property
    def error(self) -> Array:
        """Nought: all numbers were kept."""
        return np.zeros(self.values.shape[:-1])


def between(low: Array, high: Array, part: float) -> Array:
    """Return what lies `part` of the way from one number to the next one; infinite where one of them is."""
    with np.errstate(invalid="ignore"):
        found = low + part * (high - low)
    return np.where((low == high) | np.isneginf(low), low, found)


def _places(counts: NDArray[np.uint32], ranks: Sequence[float]) -> list[Array]:
    """Return for each row where the numbers of some ranks (0 is the least) lie, counted in bins; infinite outside all bins."""
    total = np.cumsum(counts, axis=-1, dtype=np.int64)
    found = []
    for rank in ranks:
        bin_ = np.minimum((total <= rank).sum(axis=-1), counts.shape[-1] - 1)
        before = np.where(bin_ > 0, np.take_along_axis(total, np.maximum(bin_ - 1, 0)[:, None], -1)[:, 0], 0)
        inside = np.take_along_axis(counts, bin_[:, None], -1)[:, 0]
        part = np.clip((rank + 0.5 - before) / np.maximum(inside, 1), 0.0, 1.0)
        found.append(np.where(bin_ == 0, -np.inf, np.where(bin_ == counts.shape[-1] - 1, np.inf, bin_ - 1 + part)))
    return found


@dataclass(frozen=True, eq=False)
class Counts:
    """Counts in bins: below all, those of equal width from `low` on, above all; shape (..., bins + 2).

    Where `on_grid`, each number lies in the middle of its bin, and nothing is lost.
    """

    low: Array
    width: Array
    counts: NDArray[np.uint32]
    on_grid: Array | bool = False

    @property
    def members(self) -> int:
        """How many numbers each cell has."""
        return int(self.counts.reshape(-1, self.counts.shape[-1])[0].sum())

    def quantile(self, q: float) -> Array:
        """Return the quantile of each cell, as of `Whole`, by the places of its numbers in their bins; infinite outside all."""
        counts = self.counts.reshape(-1, self.counts.shape[-1])
        place = q * (self.members - 1)
        ranks = [float(np.floor(place)), float(np.ceil(place))][: 1 if place == np.floor(place) else 2]
        places = np.empty((len(ranks), len(counts)))
        for start in range(0, len(counts), SLAB):
            places[:, start : start + SLAB] = _places(counts[start : start + SLAB], ranks)
        places = places.reshape(len(ranks), *self.counts.shape[:-1])
        inside = np.where(np.isfinite(places) & self.on_grid, np.floor(places) + 0.5, places)
        found = self.low + inside * self.width
        return between(found[0], found[-1], place % 1.0)

    def at_or_below(self, value: float) -> NDArray[np.int64]:
        """Return how many numbers of each cell may be at or below `value`: all of the bin that has the value count.

        Exact on a grid, where `value` is finite.
        """
        place = (value - self.low) / self.width + NEAR
        last = self.counts.shape[-1] - 1
        # On a grid, what lies above all bins is never.
        return self._up_to(np.floor(np.where(self.on_grid, place - 0.5, place)), np.where(self.on_grid, last - 1, last))

    def below(self, value: float) -> NDArray[np.int64]:
        """Return how many numbers of each cell are surely below `value`: none of the bin that has the value counts.

        Exact on a grid, where `value` is finite.
        """
        place = (value - self.low) / self.width
        bin_ = np.where(self.on_grid, np.ceil(place - 0.5 - NEAR), np.floor(place + NEAR)) - 1.0
        found = self._up_to(bin_, self.counts.shape[-1] - 2)
        # Below all bins, nobody knows how far.
        return np.where(np.logical_or(place > -NEAR, self.on_grid), found, 0)

    def _up_to(self, bin_: Array, most: ArrayLike) -> NDArray[np.int64]:
        """Return how many numbers lie in bins up to one, the first being 0, and below them all; `most` is the last place that counts."""
        place = np.clip(bin_ + 1.0, 0, most).astype(np.intp)
        total = np.cumsum(self.counts, axis=-1, dtype=np.int64)
        return np.asarray(np.take_along_axis(total, place[..., None], -1)[..., 0])

    def cell(self, place: int | tuple[int, ...]) -> Counts:
        """Return one of the cells by itself."""
        on_grid = np.broadcast_to(self.on_grid, self.low.shape)
        return Counts(np.asarray(self.low[place]), np.asarray(self.width[place]), self.counts[place], np.asarray(on_grid[place]))

    @property
    def numbers(self) -> None:
        """None: they were counted only."""
        return

    def arrays(self) -> dict[str, Any]:
        """Return what it is made of."""
        return {"low": self.low, "width": self.width, "on_grid": np.asarray(self.on_grid), "counts": self.counts}

    @property
    def error(self) -> Array:
        """The width of a bin; 0 on a grid."""
        width: Array = np.where(self.on_grid, 0.0, self.width)
        return width


def restored(arrays: Mapping[str, Any]) -> Distribution:
    """Return a distribution from what it is made of (see `Distribution.arrays`)."""
    if "values" in arrays:
        return Whole(arrays["values"])
    on_grid = arrays["on_grid"]
    return Counts(arrays["low"], arrays["width"], arrays["counts"], on_grid if on_grid.ndim else bool(on_grid))


def bins_for(least: Array, largest: Array, bins: int = BINS) -> tuple[Array, Array]:
    """Return where the bins begin and how wide each is, for numbers that a pilot found between `least` and `largest`."""
    reach = np.maximum(largest - least, 1e-9 * np.maximum(np.maximum(np.abs(least), np.abs(largest)), 1.0))
    low = least - MARGIN * reach
    return low, (1.0 + 2.0 * MARGIN) * reach / bins


CELLS = 256
"""Cells whose moments are worked out at a time."""
LANES = 8
"""Sums are taken in so many lanes side by side, and then over the lanes: the order in which compiled code takes them."""


@dataclass(frozen=True, eq=False)
class Moments:
    """How many numbers of each cell are finite, their sum, and the sum of their squares; arrays of shape (cells,)."""

    number: Array
    total: Array
    squares: Array

    def plus(self, other: Moments) -> Moments:
        """Return the sums of both; the order of additions is the caller's."""
        return Moments(self.number + other.number, self.total + other.total, self.squares + other.squares)


def moments_of(lanes: Array) -> Moments:
    """Return the moments from sums by lane, shape (cells, 3, LANES)."""
    total = lanes[..., 0].copy()
    for lane in range(1, LANES):
        total += lanes[..., lane]
    return Moments(total[:, 0], total[:, 1], total[:, 2])


def moments(values: Array) -> Moments:
    """Return the moments of `values`, shape (cells, members)."""
    lanes = np.empty((len(values), 3, LANES))
    # Some cells at a time: the copies made on the way would else take several times the memory of the values.
    for first in range(0, len(values), CELLS):
        some = values[first : first + CELLS]
        finite = np.isfinite(some)
        held = np.where(finite, some, 0.0)
        spare = -some.shape[1] % LANES
        parts = np.stack([np.pad(one, ((0, 0), (0, spare))) for one in (finite.astype(np.float64), held, held * held)], axis=1)
        lanes[first : first + CELLS] = parts.reshape(len(some), 3, -1, LANES).sum(axis=2)
    return moments_of(lanes)


def less(values: Array, base: Array) -> Array:
    """Return values less those of the baseline; 0 where both are the same infinity (never)."""
    with np.errstate(invalid="ignore"):
        difference: Array = values - base
    difference[np.isnan(difference)] = 0.0
    return difference


def count(values: Array, low: Array, per_bin: Array, into: NDArray[np.uint32]) -> None:
    """Count `values`, shape (cells, members), into bins of shape (cells, bins + 2); compiled code does the same operations."""
    bins = into.shape[-1] - 2
    with np.errstate(invalid="ignore"):
        shifted = (values - low[:, None]) * per_bin[:, None] + 1.0
    # What is no number (a flow at the end of the run) falls below all bins.
    place = np.minimum(np.where(shifted > 0.0, shifted, 0.0), bins + 1.0).astype(np.intp)
    place += (np.arange(len(values)) * (bins + 2))[:, None]
    found = np.bincount(place.ravel(), minlength=into.size)
    into += found.reshape(into.shape).astype(into.dtype)


@dataclass(frozen=True, eq=False)
class Tally:
    """What is to be counted: for each cell its row of the numbers, and the row to take off it (-1: none).

    Attributes
    ----------
    which, base : array of int32, shape (cells,)
    low, per_bin : array, shape (cells,)
        Where the bins begin, and one over their width.
    """

    which: NDArray[np.int32]
    base: NDArray[np.int32]
    low: Array
    per_bin: Array

    def run(self, values: Array, into: NDArray[np.uint32]) -> Moments:
        """Count rows of `values`, shape (rows, members), into `into`, shape (cells, bins + 2), and return their moments."""
        taken = values[self.which]
        differs = self.base >= 0
        taken[differs] = less(taken[differs], values[self.base[differs]])
        count(taken, self.low, self.per_bin, into)
        return moments(taken)
