"""How exactly a published figure is read: a value with an error, or an inequality; the likelihood of it, and the report to be expected."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from stockpile import schema, units
from stockpile.clock import Array

SCORE = float(stats.norm.ppf(0.95))
"""Standard deviations from the median to the end of a 90 % interval."""


@dataclass(frozen=True)
class Reading:
    """What a figure says of the quantity that it counts [round, or round/month].

    Attributes
    ----------
    kind : {"about", "at_least", "at_most", "between"}
        A value with an error, or an inequality. A share of several plausible denominators is `between`.
    value : float
        The figure itself; the middle of an interval.
    low, high : float
        For `about`: the 90 % interval of what the quantity may be, two half normal distributions that meet at `value`. For `between`: the
        ends. For a bound: `value` less and plus the error with which it is read.
    """

    kind: str
    value: float
    low: float
    high: float

    @property
    def deviations(self) -> tuple[float, float]:
        """Standard deviations below and above the value."""
        return (self.value - self.low) / SCORE, (self.high - self.value) / SCORE

    def log_likelihood(self, predicted: Array) -> Array:
        """Return the logarithm of how well predictions agree with the figure, up to a constant; shape as of `predicted`."""
        below, above = self.deviations
        if self.kind == "about":
            from_value = predicted - self.value
            return -0.5 * np.square(from_value / np.where(from_value < 0.0, below, above))
        width = max(below, above)
        if self.kind == "at_least":
            return np.asarray(stats.norm.logcdf((predicted - self.value) / width))
        if self.kind == "at_most":
            return np.asarray(stats.norm.logcdf((self.value - predicted) / width))
        inside = (predicted >= self.low) & (predicted <= self.high)
        return np.where(inside, 0.0, -np.inf)

    def reported(self, predicted: Array, uniforms: Array) -> Array:
        """Return what would be reported where the quantity is as predicted; `uniforms` (0 to 1) settle the errors.

        Only for `about`. Errors have the density of `log_likelihood`: the two halves meet in height, so the wider one has more of them.
        """
        below, above = self.deviations
        share = below / (below + above)
        lower = below * stats.norm.ppf(np.minimum(uniforms, share) / (2.0 * share))
        upper = above * stats.norm.ppf(0.5 + (np.maximum(uniforms, share) - share) / (2.0 * (1.0 - share)))
        # The quantity is value + error, so what is reported is the quantity less the error.
        return predicted - np.where(uniforms < share, lower, upper)

    def as_read(self, predicted: Array, uniforms: Array) -> Array:
        """Return the predictions with the error of reading: for `about` what would be reported, for a bound what it is held against.

        The ends of `between` are plausible readings themselves, so nothing is added there.
        """
        if self.kind == "about":
            return self.reported(predicted, uniforms)
        if self.kind == "between":
            return np.array(predicted)
        return predicted + max(self.deviations) * stats.norm.ppf(uniforms)

    def probability(self, predicted: Array) -> float:
        """Return the probability that an inequality holds, over predictions and the error with which it is read."""
        return float(np.exp(self.log_likelihood(predicted)).mean())

    def holds(self, predicted: Array) -> NDArray[np.bool_]:
        """Tell of each prediction whether the inequality holds; for `about`, whether it lies in the interval."""
        if self.kind == "at_least":
            return predicted >= self.value
        if self.kind == "at_most":
            return predicted <= self.value
        return (predicted >= self.low) & (predicted <= self.high)


def reading_of(item: schema.Observation, errors: schema.Reading) -> Reading:
    """Return how an observation is read: with its published range, or as exactly as figures of its basis are."""
    unit = units.find(item.unit)
    assert unit is not None
    if item.of:
        return _of_several(item, errors)
    share = _share(item, errors)
    low, high = item.span if item.low is not None else (item.value * (1.0 - share), item.value * (1.0 + share))
    least = 0.25 * share * abs(item.value)
    read = Reading(item.bound, item.value, min(low, item.value - least), max(high, item.value + least))
    read = Reading(_kind(item), read.value * unit.factor, read.low * unit.factor, read.high * unit.factor)
    return read if item.value else replace(read, low=read.low - 0.5, high=read.high + 0.5)


def _share(item: schema.Observation, errors: schema.Reading) -> float:
    parameter: schema.Parameter = getattr(errors, item.basis)
    return parameter.points[0].value


def _of_several(item: schema.Observation, errors: schema.Reading) -> Reading:
    """Return how a percentage is read: as an interval over its denominators, or as a bound by the one that bounds least."""
    ends = [one for denominator in item.of.values() for one in denominator.span]
    low, high = item.span[0] * min(ends), item.span[1] * max(ends)
    kind = _kind(item)
    if kind == "about":
        return Reading("between", 0.5 * (low + high), low, high)
    value = low if kind == "at_least" else high
    error = _share(item, errors) * abs(value) or 0.5
    return Reading(kind, value, value - error, value + error)


def _kind(item: schema.Observation) -> str:
    """Return what sort of statement a figure is of ours: one that counts fewer rounds is a lower bound, one that counts more an upper."""
    if item.scope.match == "part":
        return "at_least"
    return "at_most" if item.scope.match == "wider" else item.bound
