"""Simulation-based calibration: whether the sampler finds made-up truths as often as its intervals say.

A truth is drawn from the prior, reports of it are made up with the errors that real ones are read with, and the sampler is given
the reports. Over many truths, the rank of the truth among the draws of its posterior is then as likely to be any (Talts, Betancourt,
Simpson, Vehtari and Gelman, 2018, https://arxiv.org/abs/1804.06788). Ranks heaped in the middle mean a posterior that is too wide, at the
ends one that is too narrow, on a side one that is off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from stockpile import philox
from stockpile.clock import Array
from stockpile.errors import InputError
from stockpile.evidence import smc
from stockpile.evidence.ledger import Entry, ledger
from stockpile.evidence.reading import Reading
from stockpile.evidence.scored import Scored, log_likelihood, prior_scores
from stockpile.scenario import Scenario
from stockpile.simulate import manifest

if TYPE_CHECKING:
    import pandas as pd

TRUTHS, PARTICLES = 200, 512
"""Truths, and particles of each: with half as many, kinship among them costs a 90 % interval a point or two of its coverage."""
NOMINAL = 0.9
BINS = 10
"""Bins of the chi-square statistic: twenty truths each of two hundred."""
THINNED = 4
"""One particle in so many is ranked with the truth: neighbours after resampling are kin."""
SIMULATIONS = 2000
"""Sets of ranks that are uniform, drawn for the envelope."""


@dataclass(frozen=True, eq=False)
class Sbc:
    """Ranks of made-up truths.

    Attributes
    ----------
    quantities : tuple of str
        Paths of parameters, and names of observations for what they count in the model.
    ranks : array of int, shape (quantities, truths)
        How many of `draws` draws lie below the truth.
    draws : int
    covered : array of bool, shape (quantities, truths)
        Whether the 90 % interval of the posterior holds the truth.
    manifest : dict
    """

    quantities: tuple[str, ...]
    ranks: NDArray[np.intp]
    draws: int
    covered: NDArray[np.bool_]
    manifest: dict[str, Any] = field(repr=False)

    def table(self) -> pd.DataFrame:
        """Return a row a quantity.

        Columns: quantity; chi_square over ten bins and its p_value; envelope_p, the chance that ranks which are uniform leave the
        envelope of their cumulative distribution as far (Säilynoja, Bürkner and Vehtari, Statistics and Computing 32, 2022,
        https://doi.org/10.1007/s11222-022-10090-6); coverage of nominal 90 % intervals with its 95 % interval, low and high.
        """
        import pandas as pd

        from stockpile.sampling_error import proportion_interval

        truths = self.ranks.shape[1]
        uniform = _uniform_ranks(truths, self.draws)
        worst = np.sort([envelope(one, self.draws) for one in uniform])
        rows = []
        for name, ranks, covered in zip(self.quantities, self.ranks, self.covered, strict=True):
            statistic, p_value = chi_square(ranks, self.draws)
            own = envelope(ranks, self.draws)
            low, high = proportion_interval(np.array([covered.sum()]), truths, 0.95)
            rows.append(
                {
                    "quantity": name, "chi_square": statistic, "p_value": p_value,
                    "envelope_p": (1.0 + np.searchsorted(worst, own, side="right")) / (1.0 + SIMULATIONS),
                    "coverage": float(covered.mean()), "low": float(low[0]), "high": float(high[0]),
                }
            )
        return pd.DataFrame(rows)


def simulation_based(
    scenario: Scenario,
    observations: Sequence[str],
    parameters: Sequence[str],
    *,
    truths: int = TRUTHS,
    particles: int = PARTICLES,
    seed: int = 1,
    substeps: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Sbc:
    """Return the ranks of made-up truths in the posteriors that the sampler gives for made-up reports.

    Parameters
    ----------
    scenario : Scenario
    observations : sequence of str
        Names of observations, each ``about`` a figure: reports are made up of what they count, and read as exactly.
    parameters : sequence of str
        Paths of uncertain parameters whose truths are ranked, beside those of what the observations count.
    truths, particles : int
    seed : int
    substeps : int
        Steps a month.
    progress : callable, optional
        Is called with the number of truths done.

    Raises
    ------
    InputError
        For observations that are inequalities or count nothing, and parameters that are not drawn.
    """
    entries = _entries(scenario, observations)
    measures = [one.measure for one in entries if one.measure]
    readings = [one.reading for one in entries if one.reading]
    model = Scored(scenario, measures, particles, substeps=substeps, threads=1)
    unknown = [path for path in parameters if path not in model.streams]
    if unknown:
        raise InputError.one("parameters", f"{unknown[0]} is not drawn; allowed: {', '.join(model.streams)}", file="sbc")
    rows = [model.streams.index(path) for path in parameters]
    truth = prior_scores(model.streams, truths, seed)
    everything = Scored(scenario, measures, truths, substeps=substeps, threads=1)
    known = np.concatenate([everything.drawn(truth)[rows], everything.predict(truth)])
    reports = np.array([
        reading.reported(own, philox.uniforms(seed, f"{one.name}\nmade up", 0, truths))
        for one, reading, own in zip(entries, readings, known[len(rows) :], strict=True)
    ])
    ranks, covered = np.empty(known.shape, dtype=np.intp), np.empty(known.shape, dtype=bool)
    for number in range(truths):
        made_up = [_moved(reading, float(value)) for reading, value in zip(readings, reports[:, number], strict=True)]
        found = _posterior(model, rows, made_up, particles, seed, number)
        ranks[:, number] = (found[:, ::THINNED] < known[:, number : number + 1]).sum(axis=1)
        low, high = np.quantile(found, [0.5 - 0.5 * NOMINAL, 0.5 + 0.5 * NOMINAL], axis=1, method="weibull")
        covered[:, number] = (low <= known[:, number]) & (known[:, number] <= high)
        if progress:
            progress(number + 1)
    made = manifest(scenario, [model.predictor.policy]) | {"truths": truths, "members": particles, "seed": seed, "substeps": substeps}
    return Sbc((*parameters, *observations), ranks, len(range(0, particles, THINNED)), covered, made)


def _entries(scenario: Scenario, names: Sequence[str]) -> list[Entry]:
    found = ledger(scenario).by_name
    about = {name for name, one in found.items() if one.reading is not None and one.reading.kind == "about"}
    wrong = [name for name in names if name not in about]
    if wrong or not names:
        message = f"{wrong[0] if wrong else 'none'}; allowed: observations that are about a figure which the model counts too"
        raise InputError.one("observations", message, file="sbc")
    return [found[name] for name in names]


def _moved(reading: Reading, value: float) -> Reading:
    """Return a reading of another figure, with the same errors."""
    by = value - reading.value
    return replace(reading, value=value, low=reading.low + by, high=reading.high + by)


def _posterior(model: Scored, rows: Sequence[int], readings: Sequence[Reading], particles: int, seed: int, number: int) -> Array:
    """Return draws of the posterior: the parameters' uniform numbers, then what the observations count."""

    def likelihood(predicted: Array) -> Array:
        return log_likelihood(readings, predicted)

    found = smc.sample(
        len(model.streams), model.predict, likelihood, particles=particles, seed=seed, stream=f"truth {number}"
    )
    return np.concatenate([model.drawn(found.scores)[list(rows)], found.predicted])


# ---------------------------------------------------------------- statistics of ranks


def chi_square(ranks: NDArray[np.intp], draws: int) -> tuple[float, float]:
    """Return the chi-square statistic of ranks from 0 to `draws` in bins, and the chance of a larger one were they uniform."""
    edges = np.linspace(0.0, draws + 1.0, BINS + 1)
    counts = np.histogram(ranks + 0.5, edges)[0]
    # Bins hold whole ranks, not all as many: what is expected of each is what it holds.
    expected = np.histogram(np.arange(draws + 1) + 0.5, edges)[0] / (draws + 1.0) * len(ranks)
    found = stats.chisquare(counts, expected)
    return float(found.statistic), float(found.pvalue)


def envelope(ranks: NDArray[np.intp], draws: int) -> float:
    """Return how unlikely the worst point of the cumulative distribution of ranks is: the least two-sided binomial tail over all points."""
    reached = np.searchsorted(np.sort(ranks), np.arange(draws), side="right")
    shares = np.arange(1, draws + 1) / (draws + 1.0)
    below = stats.binom.cdf(reached, len(ranks), shares)
    above = stats.binom.sf(reached - 1, len(ranks), shares)
    return float(2.0 * np.minimum(below, above).min())


def _uniform_ranks(truths: int, draws: int) -> NDArray[np.intp]:
    random = np.random.Generator(np.random.Philox(key=philox.key_of(0, "\nuniform ranks")))
    return random.integers(0, draws + 1, size=(SIMULATIONS, truths)).astype(np.intp)
