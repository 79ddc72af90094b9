"""Which factors the spread of an outcome comes from: variance-based indices by picking and freezing.

The first-order index of a factor is the share of an outcome's variance that would go, on average, if the factor alone were known;
its total index the share that would stay if all others were known. A factor is a named group of rows of uniform numbers. Saltelli,
Annoni, Azzini, Campolongo, Ratto and Tarantola, Computer Physics Communications 181, 2010,
https://doi.org/10.1016/j.cpc.2009.09.018.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stockpile.errors import InputError
from stockpile.samplers import Sampler, Sobol

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Run = Callable[[int, int], tuple[ArrayLike, ArrayLike, ArrayLike]]

CONSTANT, NOT_FINITE = "constant", "not finite"
SAME = 1e-12
"""Outputs whose range is within this share of their size are constant but for rounding."""
BATCHES = 4096
"""Most batches that the bootstrap draws from: of more base points, some that follow one another are drawn together."""
PRODUCTS = 200_000
"""About how many products of outputs are held at a time: they should stay near the processor."""


# ---------------------------------------------------------------- which lanes to run


@dataclass(frozen=True)
class Half:
    """Half the columns of a sequence.

    Attributes
    ----------
    whole : Sampler
        A sequence with twice as many streams.
    first, streams : int
        Which of its rows.
    """

    whole: Sampler
    first: int
    streams: int

    def uniforms(self, first: int, count: int) -> Array:
        """Return the numbers of points `first` to `first + count - 1`, shape (streams, count)."""
        return self.whole.uniforms(first, count)[self.first : self.first + self.streams]


def base_points(seed: int, points: int, streams: Sequence[str]) -> tuple[Half, Half]:
    """Return two matrices of uniform numbers, halves of one scrambled Sobol sequence of twice as many columns.

    The points of a number are the first of those of a larger one, up to the last of 32 bits.

    Raises
    ------
    InputError
        If there are too many streams or points for the sequence.
    """
    whole = Sobol(seed, points, [f"{half}\n{stream}" for half in "ab" for stream in streams])
    return Half(whole, 0, len(streams)), Half(whole, len(streams), len(streams))


class PickFreeze:
    """Lanes of a pick-freeze design: for each base point the numbers of A, those of B, and A's with a factor's rows from B.

    Lane k is block k % blocks of base point k // blocks, so that the lanes of more base points follow those of fewer, and any lanes
    can be had without the others. Blocks are A, B, then one a factor.

    Attributes
    ----------
    factors : tuple of str
    points, blocks, members : int
        Base points; lanes for each; lanes.
    """

    def __init__(self, a: Sampler, b: Sampler, factors: Mapping[str, Sequence[int]], points: int) -> None:
        self._a, self._b = a, b
        rows = len(a.uniforms(0, 0))
        wrong = [name for name, own in factors.items() if not own or not all(0 <= row < rows for row in own)]
        if wrong or not factors:
            raise ValueError(f"factors {', '.join(wrong) or '(none)'}; allowed: at least one, each with rows from 0 to {rows - 1}")
        if len(b.uniforms(0, 0)) != rows:
            raise ValueError(f"{rows} and {len(b.uniforms(0, 0))} rows; allowed: as many in both matrices")
        self.factors = tuple(factors)
        self._rows = [np.array(own, dtype=np.intp) for own in factors.values()]
        self.points, self.blocks = points, len(self.factors) + 2
        self.members = points * self.blocks

    def uniforms(self, first: int, count: int) -> Array:
        """Return the numbers of lanes `first` to `first + count - 1`, shape (streams, count)."""
        if first < 0 or count < 0 or first + count > self.members:
            raise ValueError(f"lanes {first} to {first + count - 1} were asked for; allowed: from 0 to {self.members - 1}")
        start = first // self.blocks
        points = -(-(first + count) // self.blocks) - start if count else 0
        a, b = self._a.uniforms(start, points), self._b.uniforms(start, points)
        lanes = np.repeat(a[:, :, None], self.blocks, axis=2)
        lanes[:, :, 1] = b
        for place, rows in enumerate(self._rows):
            lanes[rows, :, place + 2] = b[rows]
        skip = first - start * self.blocks
        return np.ascontiguousarray(lanes.reshape(len(a), points * self.blocks)[:, skip : skip + count])

    def place(self, lane: int) -> tuple[int, int]:
        """Return block and base point of a lane."""
        point, block = divmod(lane, self.blocks)
        return block, point

    def split(self, outputs: ArrayLike) -> tuple[Array, Array, Array]:
        """Return outputs of whole base points as those of A, of B, both shape (..., points), and by factor, (factors, ..., points)."""
        found = np.asarray(outputs, dtype=np.float64)
        found = found.reshape(*found.shape[:-1], -1, self.blocks)
        return found[..., 0], found[..., 1], np.moveaxis(found[..., 2:], -1, 0)


def pick_freeze(a: Sampler, b: Sampler, factors: Mapping[str, Sequence[int]], points: int) -> PickFreeze:
    """Return the lanes to run; see `PickFreeze`.

    Parameters
    ----------
    a, b : Sampler
        Independent of each other; see `base_points`.
    factors : mapping of str to rows
        Rows of no factor stay as in A but in block B. A row may be in several.
    points : int
        Base points.

    Raises
    ------
    ValueError
        If there is no factor, or one has no row or a row that is not there.
    """
    return PickFreeze(a, b, factors, points)


# ---------------------------------------------------------------- indices


@dataclass(frozen=True, eq=False)
class Indices:
    """First-order and total indices with bootstrap intervals.

    Attributes
    ----------
    factors : tuple of str
    points : int
        Base points.
    first, first_low, first_high, total, total_low, total_high : array, shape (factors, ...)
        nan where `notes` says why. Estimates may lie a little outside 0 to 1.
    variance : array, shape (...)
        Of the outputs.
    notes : array of str, shape (...)
        ``constant``, ``not finite`` (an output is infinite or nan), or empty.
    """

    factors: tuple[str, ...]
    points: int
    first: Array
    first_low: Array
    first_high: Array
    total: Array
    total_low: Array
    total_high: Array
    variance: Array
    notes: NDArray[np.str_]

    def table(self, outputs: Sequence[str] | None = None) -> pd.DataFrame:
        """Return a row an output and factor: output, factor, first, first_low, ..., total_high, points, note.

        Outputs are numbered where they have no names.
        """
        import pandas as pd

        values = ("first", "first_low", "first_high", "total", "total_low", "total_high")
        count = self.notes.size
        names = list(outputs) if outputs is not None else list(range(count))
        if len(names) != count:
            raise ValueError(f"{len(names)} names for {count} outputs")
        rows = len(self.factors)
        frame = pd.DataFrame({"output": np.repeat(np.array(names), rows), "factor": list(self.factors) * count})
        for name in values:
            frame[name] = getattr(self, name).reshape(rows, count).T.reshape(-1)
        frame["points"] = self.points
        frame["note"] = np.repeat(self.notes.reshape(-1), rows)
        return frame


def indices(
    y_a: ArrayLike, y_b: ArrayLike, y_ab: ArrayLike, factors: Sequence[str] | None = None, *,
    resamples: int = 500, level: float = 0.95, seed: int = 0,
) -> Indices:
    """Return first-order and total indices of many outputs at once.

    First order: mean of (y_b - m)(y_ab - y_a) by the variance, m the mean of A and B together (Saltelli and others 2010, equation
    b of table 2). Total: half the mean of (y_a - y_ab) squared by the variance (Jansen, Computer Physics Communications 117, 1999,
    https://doi.org/10.1016/S0010-4655(98)00154-4). Both are 0 for a factor that does nothing. Intervals are percentiles over base
    points drawn with replacement (of more than 4096, over as many batches of points); with few points they are too narrow (see
    `stockpile.analysis.rounds.until_stable`), with many of a Sobol sequence too wide.

    Parameters
    ----------
    y_a, y_b : array, shape (..., points)
        Outputs at A and B.
    y_ab : array, shape (factors, ..., points)
        Outputs at A with the factor's rows from B.
    factors : sequence of str, optional
        Names; numbers where left out.
    resamples, level, seed
        Of the bootstrap.

    Raises
    ------
    ValueError
        If shapes do not go together, or there are fewer than 2 base points.
    """
    a, b, ab = (np.asarray(each, dtype=np.float64) for each in (y_a, y_b, y_ab))
    if a.ndim == 0 or a.shape != b.shape or ab.shape[1:] != a.shape or a.shape[-1] < 2:
        shapes = f"{a.shape}, {b.shape} and {ab.shape}"
        raise ValueError(f"shapes {shapes}; allowed: (..., points) twice, (factors, ..., points), 2 points or more")
    if resamples < 2 or not 0 < level < 1:
        raise InputError.one("resamples, level", f"{resamples} and {level:g}; allowed: 2 or more, and between 0 and 1")
    names = tuple(factors) if factors is not None else tuple(str(number) for number in range(len(ab)))
    if len(names) != len(ab):
        raise ValueError(f"{len(names)} names for {len(ab)} factors")
    shape, points = a.shape[:-1], a.shape[-1]
    a, b, ab = a.reshape(-1, points), b.reshape(-1, points), ab.reshape(len(ab), -1, points)
    notes = np.array([_note(a[place], b[place], ab[:, place]) for place in range(len(a))], dtype=f"U{len(NOT_FINITE)}")
    found = np.full((6, len(ab), len(a)), np.nan)
    weights = _weights(min(points, BATCHES), resamples, seed)
    for place in np.flatnonzero(notes == ""):
        totals = _totals(a[place], b[place], ab[:, place])
        found[[0, 3], :, place] = _estimates(np.ones((1, totals.shape[1])), totals)[:, 0]
        found[:, :, place][[1, 2, 4, 5]] = _intervals(_estimates(weights, totals), level)
    with np.errstate(invalid="ignore"):
        variance = np.var(np.concatenate((a, b), axis=1), axis=1)
    first, first_low, first_high, total, total_low, total_high = (each.reshape(len(ab), *shape) for each in found)
    return Indices(
        names, points, first, first_low, first_high, total, total_low, total_high, variance.reshape(shape), notes.reshape(shape)
    )


def _note(a: Array, b: Array, ab: Array) -> str:
    if not (np.isfinite(a).all() and np.isfinite(b).all() and np.isfinite(ab).all()):
        return NOT_FINITE
    low, high = min(a.min(), b.min()), max(a.max(), b.max())
    return CONSTANT if high - low <= SAME * max(abs(low), abs(high)) else ""


def _weights(batches: int, resamples: int, seed: int) -> Array:
    """Return how often each batch is drawn in each resample, shape (resamples, batches)."""
    generator = np.random.default_rng(seed)
    drawn = generator.integers(batches, size=(resamples, batches)) + batches * np.arange(resamples)[:, None]
    return np.bincount(drawn.reshape(-1), minlength=resamples * batches).reshape(resamples, batches).astype(np.float64)


def _totals(a: Array, b: Array, ab: Array) -> Array:
    """Return what the indices are made of, added up over each batch, shape (3 x factors + 3, batches).

    Of each factor y_ab - y_a, of each that times y_b, of each its square; then (y_a + y_b) / 2, the same of squares, and points.
    """
    points, count = len(a), len(ab)
    batches = min(points, BATCHES)
    edges = np.arange(batches + 1) * points // batches
    step = max(1, PRODUCTS // (3 * count + 2) * batches // points)
    centre = (a.mean() + b.mean()) / 2
    totals = np.empty((3 * count + 3, batches))
    for start in range(0, batches, step):
        own = edges[start : start + step + 1]
        part = slice(own[0], own[-1])
        own_a, own_b = a[part] - centre, b[part] - centre
        change = ab[:, part] - centre - own_a
        common = ((own_a + own_b) / 2, (own_a * own_a + own_b * own_b) / 2, np.ones_like(own_a))
        held = np.concatenate((change, change * own_b, change * change, common))
        totals[:, start : start + step] = np.add.reduceat(held, own[:-1] - own[0], axis=1)
    return totals


def _estimates(weights: Array, totals: Array) -> Array:
    """Return first-order and total indices with weighted batches, shape (2, resamples, factors)."""
    count = len(totals) // 3 - 1
    means = weights @ totals.T
    means /= means[:, -1:]
    mean = means[:, -3:-2]
    variance = means[:, -2:-1] - mean**2
    first = means[:, count : 2 * count] - mean * means[:, :count]
    total = means[:, 2 * count : 3 * count] / 2
    known = variance > 0
    return np.stack([np.divide(each, variance, out=np.full_like(each, np.nan), where=known) for each in (first, total)])


def _intervals(drawn: Array, level: float) -> Array:
    """Return low and high of the first-order, then of the total indices, shape (4, factors)."""
    # A resample may be constant where an output is mostly one value: it has no indices.
    drawn = drawn[:, np.isfinite(drawn).all(axis=(0, 2))]
    if drawn.shape[1] == 0:
        return np.full((4, drawn.shape[2]), np.nan)
    low, high = np.quantile(drawn, ((1 - level) / 2, (1 + level) / 2), axis=1)
    return np.stack((low[0], high[0], low[1], high[1]))
