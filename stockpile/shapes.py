"""Shapes of uncertainty as tables of quantiles, read with multiplications and additions alone.

A table has KNOTS pieces of equal probability. Piece i covers u from i / KNOTS to (i + 1) / KNOTS, where the value is
``starts[i] + slopes[i] * (u * KNOTS - i)``. A continuous shape is exact at the ends of its pieces and straight between
them; a discrete one has slope 0. Compiled code that does the same operations in the same order gives the same bits.

`low` and `high` are the bounds for uniform, triangular and PERT, the 5th and 95th percentile for normal and lognormal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Quantiles = Callable[[Array, float, float, float], Array]

KNOTS = 2048
"""Pieces of a table; a power of two, so that finding the piece loses no bit. Few enough that a table fits into the nearest cache beside the
numbers that go through it."""
PERCENTILE = 0.05
"""Share of the draws below `low`, and of those above `high`, of a normal or lognormal shape."""
CUT = 0.001
"""Share cut off each end of a normal or lognormal shape before the rest is scaled up to 1."""
PEAK = 4.0
"""Weight of the most likely value in PERT (its lambda)."""


@dataclass(frozen=True, eq=False)
class Pieces:
    """A table of quantiles: where each piece starts and how much it rises, both of shape (KNOTS,)."""

    starts: Array
    slopes: Array

    def __post_init__(self) -> None:
        for column in (self.starts, self.slopes):
            column.setflags(write=False)


def interpolate(pieces: Pieces, u: Array) -> Array:
    """Return the values at `u` (each above 0 and below 1), in the unit of the table and the shape of `u`.

    The result rises with `u` and never leaves the range from the first start to the end of the last piece.
    """
    scaled = u * KNOTS
    piece = scaled.astype(np.intp)
    result: Array = pieces.starts[piece] + pieces.slopes[piece] * (scaled - piece)
    return result


def table(shape: str, low: float, value: float, high: float, least: float = 0.0, most: float = math.inf) -> Pieces:
    """Return the table of a shape.

    Parameters
    ----------
    shape : str
        ``uniform``, ``triangular``, ``pert``, ``normal``, ``lognormal`` or ``choice`` (each different one of the three
        numbers equally likely).
    low, value, high : float
        The range and the central value: the mode of a triangular and PERT shape, the median of a normal and lognormal
        one (two halves of different widths, joined there, where the range is not symmetric about it).
    least, most : float
        Bounds of what the number can mean, 0 and 1 for a share. A normal or lognormal shape is conditioned on lying
        between them: what lies outside is left out and the rest scaled up, nothing is heaped onto a bound.

    Raises
    ------
    ValueError
        If the shape is not known, or not least <= low <= value <= high <= most, or a lognormal `low` is not above 0.
    """
    _check(shape, low, value, high, least, most)
    if shape == "choice":
        found = sorted({low, value, high})
        return choice(found, [1.0] * len(found))
    if low == high:
        return Pieces(np.full(KNOTS, value), np.zeros(KNOTS))
    edges = quantiles(shape, np.arange(KNOTS + 1) / KNOTS, low, value, high, least, most)
    return Pieces(edges[:-1].copy(), np.diff(edges))


def choice(values: Sequence[float], weights: Sequence[float]) -> Pieces:
    """Return the table of a discrete choice: `values` with probabilities in proportion to `weights`.

    Each probability is a whole number of pieces (largest remainder), so off by less than 1 / KNOTS. Values rise with u.

    Raises
    ------
    ValueError
        If there are no values, not as many weights, a weight that is not above 0, or one too small for a piece.
    """
    if not values or len(values) != len(weights):
        raise ValueError(f"{len(values)} values with {len(weights)} weights; allowed: one or more, a weight each")
    if not all(math.isfinite(number) for number in (*values, *weights)) or min(weights) <= 0:
        raise ValueError(f"values {list(values)} with weights {list(weights)}; allowed: finite values, weights above 0")
    merged: dict[float, float] = {}
    for value, weight in sorted(zip(values, weights, strict=True)):
        merged[value] = merged.get(value, 0.0) + weight
    counts = _whole_pieces(np.array(list(merged.values())))
    return Pieces(np.repeat(np.array(list(merged)), counts), np.zeros(KNOTS))


def _whole_pieces(weights: Array) -> NDArray[np.intp]:
    """Return the number of pieces for each weight, KNOTS in all, by largest remainder (the first of equals)."""
    exact = weights / weights.sum() * KNOTS
    counts: NDArray[np.intp] = np.floor(exact).astype(np.intp)
    largest = np.argsort(counts - exact, kind="stable")[: KNOTS - int(counts.sum())]
    counts[largest] += 1
    if counts.min() == 0:
        raise ValueError(f"a weight is {weights.min() / weights.sum():g} of the sum; allowed: at least {1 / KNOTS:g}")
    return counts


def quantiles(shape: str, p: Array, low: float, value: float, high: float, least: float = 0.0, most: float = math.inf) -> Array:
    """Return the exact quantiles of a continuous shape at the probabilities `p`, which the table meets at its knots.

    Parameters are those of `table`; `low` is below `high`.
    """
    if shape == "normal":
        return _normal(p, (low, value, high), least, most)
    if shape == "lognormal":
        logs = (math.log(low), math.log(value), math.log(high))
        result: Array = np.exp(_normal(p, logs, math.log(least) if least > 0 else -math.inf, math.log(most)))
        # The bounds themselves, where the logarithm there and back lost a bit.
        return np.clip(result, least, most)
    # A root taken and squared again may step over the bound by a bit.
    return np.clip(BOUNDED[shape](p, low, value, high), low, high)


def support(shape: str, low: float, value: float, high: float, least: float = 0.0, most: float = math.inf) -> tuple[float, float]:
    """Return the least and the largest value that a draw can take; parameters and errors are those of `table`."""
    _check(shape, low, value, high, least, most)
    if low == high or shape not in ("normal", "lognormal"):
        return low, high
    ends = quantiles(shape, np.array([0.0, 1.0]), low, value, high, least, most)
    return float(ends[0]), float(ends[1])


def mean(pieces: Pieces) -> float:
    """Return the mean of what `interpolate` gives for a uniform `u`."""
    return float(np.mean(pieces.starts + pieces.slopes / 2))


def deviation(pieces: Pieces) -> float:
    """Return the standard deviation of what `interpolate` gives for a uniform `u`."""
    from_mean = pieces.starts - mean(pieces)
    return math.sqrt(float(np.mean(from_mean * (from_mean + pieces.slopes) + pieces.slopes**2 / 3)))


def _check(shape: str, low: float, value: float, high: float, least: float, most: float) -> None:
    if shape not in SHAPES:
        raise ValueError(f"unknown shape {shape!r}; allowed: {', '.join(SHAPES)}")
    if not (-math.inf < low <= value <= high < math.inf and least <= low and high <= most):
        given = f"low {low:g}, value {value:g}, high {high:g}, least {least:g}, most {most:g}"
        raise ValueError(f"{given}; allowed: least <= low <= value <= high <= most, the middle three finite")
    if shape == "lognormal" and low <= 0:
        raise ValueError(f"lognormal with low {low:g}; allowed: above 0")


def _uniform(p: Array, low: float, value: float, high: float) -> Array:
    return low + (high - low) * p


def _triangular(p: Array, low: float, value: float, high: float) -> Array:
    """Return quantiles of the triangular distribution with its mode at `value`."""
    width = high - low
    rising = low + np.sqrt(p * width * (value - low))
    falling = high - np.sqrt((1 - p) * width * (high - value))
    return np.where(p * width < value - low, rising, falling)


def _pert(p: Array, low: float, value: float, high: float) -> Array:
    """Return quantiles of the PERT distribution: a beta distribution stretched over the range, its mode at `value`."""
    from scipy.special import betaincinv

    width = high - low
    stretched: Array = betaincinv(1 + PEAK * ((value - low) / width), 1 + PEAK * ((high - value) / width), p)
    return np.where(p < 1, low + width * stretched, high)


def _normal(p: Array, middle: tuple[float, float, float], least: float, most: float) -> Array:
    """Return quantiles of two half normal distributions that meet at the median, conditioned on the bounds.

    The widths are such that `low` and `high` are the 5th and 95th percentile once CUT has been taken off each end,
    exactly so as long as no bound takes off more.
    """
    from scipy.special import ndtr, ndtri

    low, value, high = middle
    score = float(ndtri(CUT + (1 - 2 * CUT) * (1 - PERCENTILE)))
    below, above = (value - low) / score, (high - value) / score
    start = max(CUT, float(ndtr((least - value) / below))) if below > 0 else CUT
    end = min(1 - CUT, float(ndtr((most - value) / above))) if above > 0 else 1 - CUT
    scores = ndtri(start + (end - start) * p)
    return np.clip(value + np.where(scores < 0, below, above) * scores, least, most)


BOUNDED: dict[str, Quantiles] = {"uniform": _uniform, "triangular": _triangular, "pert": _pert}
SHAPES = (*BOUNDED, "normal", "lognormal", "choice")
