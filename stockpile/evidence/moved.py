"""How far draws of a posterior lie from the prior, and how sure that is with this many draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from stockpile import shapes
from stockpile.clock import Array
from stockpile.evidence.smc import Indices

MIDDLE = (0.05, 0.5, 0.95)
"""Quantiles that are given of everything."""
CHANCE = 0.01
"""Chance that any of all parameters counts as moved though none has: half of it for the distance and half for the
narrowing, shared out evenly among them (Bonferroni)."""
REPEATS = 100
"""Times that the families of particles are drawn again for a standard error."""


@dataclass(frozen=True, eq=False)
class Movement:
    """How far each row of uniform numbers has moved from being uniform; arrays of shape (rows,).

    Attributes
    ----------
    distance : array
        Kolmogorov and Smirnov's: the largest difference of the two cumulative distributions.
    by_chance : array
        Distance that chance alone would show: beyond it a row counts as moved.
    effective : array
        Independent draws that would know the row's mean as well as the particles do.
    """

    distance: Array
    by_chance: Array
    effective: Array


def movement(uniforms: Array, ancestors: Indices) -> Movement:
    """Return how far rows have moved.

    Parameters
    ----------
    uniforms : array, shape (rows, particles)
        Under the prior uniform between 0 and 1.
    ancestors : array of int, shape (particles,)
    """
    rows, count = uniforms.shape
    ordered = np.sort(uniforms, axis=1)
    steps = np.arange(count + 1) / count
    distance = np.maximum(steps[1:] - ordered, ordered - steps[:-1]).max(axis=1)
    effective = effective_sizes(uniforms, ancestors)
    return Movement(distance, stats.kstwobign.isf(0.5 * CHANCE / max(rows, 1)) / np.sqrt(effective), effective)


def effective_sizes(values: Array, ancestors: Indices) -> Array:
    """Return how many independent draws would know the mean of each row as well as the particles do, at most as many as they are.

    Descendants of one first draw count together: what resampling made alike, and moves have not yet told apart, shows as a
    larger variance of the sums over families (Chan and Lai, Annals of Statistics 41, 2013, https://doi.org/10.1214/13-AOS1172).
    """
    count = values.shape[1]
    from_mean = values - values.mean(axis=1, keepdims=True)
    own = np.square(from_mean).sum(axis=1)
    families = np.array([np.bincount(ancestors, weights=row, minlength=count) for row in from_mean])
    together = np.square(families).sum(axis=1)
    # Where all descend from one first draw, the sums say nothing: as many are then known as there are families.
    most = len(np.unique(ancestors)) if len(np.unique(ancestors)) < 2 else count
    size = np.where(together > 0.0, count * own / np.where(together > 0.0, together, 1.0), count)
    return np.asarray(np.clip(size, 1.0, most))


def narrowing(pieces: shapes.Pieces, uniforms: Array, ancestors: Indices, random: np.random.Generator) -> tuple[float, float]:
    """Return by which share of the prior's width the 90 % interval is narrower, and the standard error of that.

    Negative where it is wider. The error is that of drawing the families of particles again and again.
    """
    low, high = shapes.interpolate(pieces, np.array([MIDDLE[0], MIDDLE[2]]))
    if high <= low:
        return 0.0, 0.0
    order = np.argsort(uniforms, kind="stable")
    ordered = shapes.interpolate(pieces, uniforms[order])
    families, member = np.unique(ancestors, return_inverse=True)
    times = random.multinomial(len(families), np.full(len(families), 1.0 / len(families)), size=REPEATS)
    widths = [_width(ordered, each[member][order].astype(float)) for each in times]
    own = _width(ordered, np.ones(len(ordered)))
    return 1.0 - own / float(high - low), float(np.std(widths)) / float(high - low)


def _width(ordered: Array, weights: Array) -> float:
    reached = np.cumsum(weights)
    low, high = np.searchsorted(reached, np.array([MIDDLE[0], MIDDLE[2]]) * reached[-1])
    return float(ordered[high] - ordered[low])
