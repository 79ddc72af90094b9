"""How a forecast is scored against what was reported: a hit or a miss, the ranked probability score, coverage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stockpile import sampling_error
from stockpile.clock import Array
from stockpile.evidence.reading import Reading

LEVELS = (0.5, 0.9)
"""Nominal coverage of the predictive intervals."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Ends of the intervals, and the median."""
LEAST = 0.05
"""An inequality that holds with less than this probability counts as a miss."""
EDGES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
"""Bins in which probability integral transforms are counted: the ends of the intervals."""


@dataclass(frozen=True)
class Verdict:
    """One figure against the draws of what would be reported.

    Attributes
    ----------
    quantiles : array
        Of the draws, at `QUANTILES`.
    is_hit : bool
        For a value, whether it lies in the 90 % interval (ends included); for an inequality, whether it holds with `LEAST` or more.
    inside50 : bool or None
        For a value, whether it lies in the 50 % interval.
    probability : float
        For an inequality, that it holds, the error of reading included; nan for a value.
    error : float
        Median less the figure; for an inequality, how far the median is from where it holds.
    place : float
        How far the figure lies from the median, in units of the half of the 90 % interval on that side: beyond -1 or 1 it is outside.
        For `between`, the end nearest to the median, and 0 where that lies between.
    crps, pit : float
        Fair continuous ranked probability score and probability integral transform of a value; nan for an inequality.
    """

    quantiles: Array
    is_hit: bool
    inside50: bool | None
    probability: float
    error: float
    place: float
    crps: float
    pit: float


def verdict(reading: Reading, predicted: Array, uniforms: Array) -> Verdict:
    """Hold a figure against predictions of what it counts.

    Parameters
    ----------
    reading : Reading
        How the figure is read; the error of reading is added to the predictions, never to the figure.
    predicted : array
        What the model says, shape (members,), two or more.
    uniforms : array
        Numbers between 0 and 1 that settle the errors of reading, shape (members,).
    """
    draws = reading.as_read(predicted, uniforms)
    quantiles = np.quantile(draws, QUANTILES)
    low, quarter, median, three_quarters, high = quantiles
    near = _nearest(reading, median)
    side = (high - median) if near > median else (median - low)
    place = 0.0 if near == median else (near - median) / side if side > 0.0 else float(np.copysign(np.inf, near - median))
    if reading.kind != "about":
        chance = reading.probability(predicted)
        return Verdict(quantiles, chance >= LEAST, None, chance, float(median - near), float(place), np.nan, np.nan)
    return Verdict(
        quantiles=quantiles,
        is_hit=bool(low <= reading.value <= high),
        inside50=bool(quarter <= reading.value <= three_quarters),
        probability=np.nan,
        error=float(median - reading.value),
        place=float(place),
        crps=crps(draws, reading.value),
        pit=pit(draws, reading.value),
    )


def _nearest(reading: Reading, median: float) -> float:
    """Return the figure, or for an inequality the place nearest to the median at which it holds."""
    if reading.kind == "at_least":
        return max(reading.value, median)
    if reading.kind == "at_most":
        return min(reading.value, median)
    return float(np.clip(median, reading.low, reading.high)) if reading.kind == "between" else reading.value


def crps(draws: Array, value: float) -> float:
    """Return the fair continuous ranked probability score, in the unit of the draws; lower is better.

    Mean distance of the draws from the value, less half the mean distance between two different draws. Unlike the plain score of an
    ensemble it does not reward more draws; of the true distribution no other has a lower expectation. It can be just below 0.
    """
    ordered, count = np.sort(draws), len(draws)
    between = float(((2.0 * np.arange(count) - count + 1.0) * ordered).sum()) / (count * (count - 1.0))
    return float(np.abs(ordered - value).mean()) - between


def pit(draws: Array, value: float) -> float:
    """Return the share of the draws below a value, those equal to it counting half."""
    return float((draws < value).mean() + 0.5 * (draws == value).mean())


def covered(inside: int, count: int) -> tuple[float, float, float]:
    """Return a share with its 95 % interval, as if the figures were independent; nan and the whole range where there are none."""
    if not count:
        return np.nan, 0.0, 1.0
    low, high = sampling_error.proportion_interval(inside, count)
    return inside / count, float(low), float(high)


def in_bins(transforms: Array) -> list[tuple[float, float, int, float]]:
    """Return the bins of probability integral transforms: from, to, how many, and how many a perfect forecast would expect."""
    counts, _ = np.histogram(transforms, bins=EDGES)
    return [
        (low, high, int(count), len(transforms) * (high - low))
        for low, high, count in zip(EDGES[:-1], EDGES[1:], counts, strict=True)
    ]
