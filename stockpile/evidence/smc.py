"""Tempered sequential Monte Carlo over standard normal scores: from draws of a prior to draws of a posterior.

Particles start as draws of the prior, independent standard normal numbers. The likelihood is let in by and by, to the powers of
rising temperatures from 0 to 1; at each one the particles are weighted, resampled and moved. A move is a preconditioned Crank-Nicolson
step, which leaves the prior as it is whatever its length, so that only the likelihood decides whether it is taken: the number of
dimensions does not wear it down (Cotter, Roberts, Stuart and White, Statistical Science 28, 2013, https://doi.org/10.1214/13-STS421).
Directions in which the particles lie closer together than chance allows step about the particles' mean with their spread, the
acceptance corrected for that. Temperatures follow from the effective sample size (Jasra, Stephens, Doucet and Tsagaris, Scandinavian
Journal of Statistics 38, 2011, https://doi.org/10.1111/j.1467-9469.2010.00723.x).

Nothing here knows what the numbers mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stockpile import philox
from stockpile.clock import Array

Indices = NDArray[np.intp]
Predict = Callable[[Array], Array]
"""From scores of shape (dimensions, particles) to what the likelihood is of, shape (quantities, particles)."""
Likelihood = Callable[[Array], Array]
"""From predicted quantities to logarithms of the likelihood, shape (particles,); minus infinity where it is impossible."""

KEPT = 0.5
"""Effective sample size that a rise in temperature leaves, as a share of the particles that are possible at all: the customary half."""
ACCEPTED = 0.3
"""Share of moves to be accepted: steps are lengthened above it and shortened below. Efficiency is flat between 0.2 and 0.4."""
UNCORRELATED = 0.1
"""Correlation of the particles with where they started, below which they have been moved enough."""
LEAST_MOVES, MOST_MOVES = 5, 200
"""Moves at a temperature; at the most, the particles count as not mixed."""
CHANCE = 0.9
"""Variance below which a direction counts as narrow, as a share of the least that this many particles of the prior show by chance
(Marchenko and Pastur)."""


@dataclass(frozen=True, eq=False)
class Particles:
    """Draws of a posterior, all of the same weight.

    Attributes
    ----------
    scores : array, shape (dimensions, particles)
    predicted : array, shape (quantities, particles)
    ancestors : array of int, shape (particles,)
        Which draw of the prior each descends from.
    temperatures : tuple of float
        Powers of the likelihood, the last one 1; fewer where no particle was possible.
    acceptance : tuple of float
        Share of the moves accepted at each.
    moves : tuple of int
        Moves of every particle at each.
    mixed : bool
        Whether the particles were moved enough at every temperature.
    possible : float
        Share of the draws of the prior that the likelihood does not rule out.
    log_evidence, log_evidence_error : float
        Logarithm of the mean likelihood under the prior, and its standard error, from the weights of families of particles (after Lee and
        Whiteley, Biometrika 105, 2018, https://doi.org/10.1093/biomet/asy028).
    """

    scores: Array
    predicted: Array
    ancestors: Indices
    temperatures: tuple[float, ...]
    acceptance: tuple[float, ...]
    moves: tuple[int, ...]
    mixed: bool
    possible: float
    log_evidence: float
    log_evidence_error: float

    @property
    def unique(self) -> int:
        """Number of different particles."""
        return len(np.unique(self.scores, axis=1).T)


@dataclass
class _State:
    """The particles under way."""

    scores: Array
    predicted: Array
    logs: Array

    def take(self, which: Indices) -> _State:
        return _State(self.scores[:, which], self.predicted[:, which], self.logs[which])

    def put(self, which: NDArray[np.bool_], other: _State) -> None:
        self.scores[:, which] = other.scores[:, which]
        self.predicted[:, which] = other.predicted[:, which]
        self.logs[which] = other.logs[which]


def sample(
    dimensions: int,
    predict: Predict,
    likelihood: Likelihood,
    *,
    particles: int,
    seed: int,
    stream: str = "",
    progress: Callable[[float], None] | None = None,
) -> Particles:
    """Return draws of the posterior.

    Parameters
    ----------
    dimensions : int
    predict, likelihood : callables
    particles : int
    seed, stream : int, str
        Together they decide every random number.
    progress : callable, optional
        Is called with the temperature reached.
    """
    random = np.random.Generator(np.random.Philox(key=philox.key_of(seed, f"\nparticles {stream}")))
    scores = random.standard_normal((dimensions, particles))
    predicted = predict(scores)
    state = _State(scores, predicted, likelihood(predicted))
    possible = float(np.isfinite(state.logs).mean())
    ancestors: Indices = np.arange(particles)
    temperature, evidence, variance, length = 0.0, 0.0, 0.0, 1.0
    temperatures: list[float] = []
    accepted: list[float] = []
    moves: list[int] = []
    mixed = True
    while temperature < 1.0 and possible > 0.0:
        rise = rise_of(state.logs, 1.0 - temperature)
        weights, increment = _weights(rise * state.logs)
        evidence += increment
        temperature = 1.0 if rise >= 1.0 - temperature else temperature + rise
        variance = _relative_variance(weights, ancestors)
        chosen = resampled(weights, float(random.random()))
        state, ancestors = state.take(chosen), ancestors[chosen]
        share, number, length, done = _move(state, predict, likelihood, temperature, length, random)
        temperatures.append(temperature)
        accepted.append(share)
        moves.append(number)
        mixed = mixed and done
        if progress:
            progress(temperature)
    return Particles(
        state.scores, state.predicted, ancestors, tuple(temperatures), tuple(accepted), tuple(moves), mixed, possible,
        evidence if possible else -np.inf, float(np.sqrt(variance)),
    )


def rise_of(logs: Array, most: float) -> float:
    """Return by how much the temperature may rise: as far as the effective sample size stays at its share, at most to `most`."""
    alive = logs[np.isfinite(logs)]
    wanted = KEPT * len(alive)
    if effective_size(most * alive) >= wanted:
        return most
    low, high = 0.0, most
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if effective_size(middle * alive) >= wanted else (low, middle)
    return low or high


def effective_size(logs: Array) -> float:
    """Return the effective sample size of weights given by their logarithms: (sum of weights)^2 / sum of squares."""
    weights = np.exp(logs - logs.max())
    return float(weights.sum() ** 2 / np.square(weights).sum())


def resampled(weights: Array, uniform: float) -> Indices:
    """Return which particles are taken, each about as often as its weight says (systematic resampling).

    `weights` sum to 1; `uniform`, between 0 and 1, is where the comb starts.
    """
    count = len(weights)
    reached = np.cumsum(weights)
    comb = (np.arange(count) + uniform) / count * reached[-1]
    return np.asarray(np.minimum(np.searchsorted(reached, comb, side="right"), count - 1))


def _weights(logs: Array) -> tuple[Array, float]:
    """Return weights that sum to 1, and the logarithm of their mean before that."""
    top = logs.max()
    weights = np.exp(logs - top)
    return weights / weights.sum(), float(top + np.log(weights.mean()))


def _relative_variance(weights: Array, ancestors: Indices) -> float:
    """Return the variance of the evidence as a share of its square, from the weight of the descendants of each first draw.

    A comb adds hardly any noise of its own, so that of drawing the first particles is all that is taken off.
    """
    families = np.bincount(ancestors, weights=weights, minlength=len(weights))
    return max(float(np.square(families).sum() - 1.0 / len(weights)), 0.0)


# ---------------------------------------------------------------- moves


@dataclass(frozen=True, eq=False)
class _Narrow:
    """Directions in which the particles lie closer together than draws of the prior, with their means and variances there."""

    directions: Array
    means: Array
    variances: Array

    def along(self, scores: Array) -> Array:
        """Return the coordinates in these directions. Sums are written out, as a library's product may round by its shape."""
        return np.asarray(np.einsum("dr,dn->rn", self.directions, scores))

    def across(self, coordinates: Array) -> Array:
        """Return scores that have these coordinates, and 0 in all other directions."""
        return np.asarray(np.einsum("dr,rn->dn", self.directions, coordinates))

    def step(self, scores: Array, noise: Array, length: float) -> Array:
        """Return where a step leads."""
        kept = np.sqrt(1.0 - length**2)
        wider = (np.sqrt(self.variances) - 1.0)[:, None] * self.along(noise)
        towards: Array = kept * scores + length * (noise + self.across(wider))
        return np.asarray(towards + (1.0 - kept) * self.across(self.means[:, None]))

    def correction(self, scores: Array) -> Array:
        """Return the logarithm of the prior's density over that of the normal distribution that the steps leave as it is."""
        at = self.along(scores)
        from_mean = np.square(at - self.means[:, None]) / self.variances[:, None]
        return 0.5 * np.asarray((from_mean - np.square(at)).sum(axis=0))


def _narrow(scores: Array) -> _Narrow:
    dimensions, count = scores.shape
    means = scores.mean(axis=1)
    from_mean = scores - means[:, None]
    variances, directions = np.linalg.eigh(np.einsum("dn,en->de", from_mean, from_mean) / count)
    least = CHANCE * max(1.0 - np.sqrt(dimensions / count), 0.0) ** 2
    chosen = (variances < least) & (variances > 0.0)
    own = np.ascontiguousarray(directions[:, chosen])
    return _Narrow(own, np.einsum("dr,d->r", own, means), variances[chosen])


def _move(
    state: _State, predict: Predict, likelihood: Likelihood, temperature: float, length: float, random: np.random.Generator
) -> tuple[float, int, float, bool]:
    """Move the particles, in place, until they are far from where they are; return acceptance, moves, last length and whether they are."""
    narrow = _narrow(state.scores)
    start = state.take(np.arange(len(state.logs)))
    correction = narrow.correction(state.scores)
    shares: list[float] = []
    for number in range(1, MOST_MOVES + 1):
        scores = narrow.step(state.scores, random.standard_normal(state.scores.shape), length)
        predicted = predict(scores)
        other = _State(scores, predicted, likelihood(predicted))
        corrected = narrow.correction(scores)
        gain = temperature * (other.logs - state.logs) + corrected - correction
        taken = np.log(random.random(len(gain))) < gain
        state.put(taken, other)
        correction[taken] = corrected[taken]
        shares.append(float(taken.mean()))
        length = min(length * float(np.exp(shares[-1] - ACCEPTED)), 1.0)
        if number >= LEAST_MOVES and number % LEAST_MOVES == 0 and _far(start, state):
            return float(np.mean(shares)), number, length, True
    return float(np.mean(shares)), MOST_MOVES, length, False


def _far(start: _State, now: _State) -> bool:
    """Tell whether particles have forgotten where they started: in every predicted quantity, and in their scores on average."""
    most = max(UNCORRELATED, 2.0 / np.sqrt(len(now.logs)))
    quantities = correlations(start.predicted, now.predicted)
    return bool(np.all(quantities < most)) and float(correlations(start.scores, now.scores).mean()) < most


def correlations(left: Array, right: Array) -> Array:
    """Return the correlation of each row of one array with the same row of another; 0 where a row does not vary."""
    a, b = left - left.mean(axis=1, keepdims=True), right - right.mean(axis=1, keepdims=True)
    scale = np.sqrt(np.square(a).sum(axis=1) * np.square(b).sum(axis=1))
    return np.asarray((a * b).sum(axis=1) / np.where(scale > 0.0, scale, np.inf))
