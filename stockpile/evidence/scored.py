"""A scenario as a function of normal scores: what a sampler proposes, the engine runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr, ndtri

from stockpile import philox
from stockpile.clock import Array
from stockpile.evidence.measures import Measure
from stockpile.evidence.predict import Predictor
from stockpile.evidence.reading import Reading
from stockpile.samplers import NEAREST
from stockpile.scenario import Scenario


class Handed:
    """Gives out uniform numbers as they are: a source of a design whose numbers change from run to run.

    Attributes
    ----------
    values : array, shape (streams, lanes)
        Independent uniform numbers; what a design draws together it mixes itself.
    """

    def __init__(self) -> None:
        self.values: Array = np.empty((0, 0))

    def uniforms(self, first: int, count: int) -> Array:
        """Return the numbers of lanes `first` to `first + count - 1`, shape (streams, count); a copy, as designs mix in place."""
        return self.values[:, first : first + count].copy()


def uniforms_of(scores: Array) -> Array:
    """Return the uniform numbers of standard normal scores, never 0 or 1."""
    return np.asarray(np.clip(ndtr(scores), NEAREST, 1.0 - NEAREST))


class Scored:
    """Works out measures of a scenario for normal scores, the same number of lanes each time.

    Parameters
    ----------
    scenario : Scenario
    measures : sequence of Measure
    lanes : int
    policy, substeps, engine
        As of `Predictor`.
    threads : int, optional
        Moves no bit.

    Attributes
    ----------
    predictor : Predictor
    streams : tuple of str
        What the rows of scores are.

    Raises
    ------
    InputError
        As of `Predictor`.
    """

    def __init__(
        self,
        scenario: Scenario,
        measures: Sequence[Measure],
        lanes: int,
        policy: str | None = None,
        *,
        substeps: int = 4,
        engine: str | None = None,
        threads: int | None = None,
    ) -> None:
        self.predictor = Predictor(scenario, measures, policy, substeps=substeps, engine=engine)
        self.streams = self.predictor.lanes.streams
        self._source = Handed()
        self._design = self.predictor.lanes.design(self._source, lanes)
        self._threads = threads

    def predict(self, scores: Array) -> Array:
        """Return the measures for scores of shape (streams, lanes), shape (measures, lanes)."""
        self._source.values = uniforms_of(scores)
        return self.predictor.of(self._design, threads=self._threads)

    def drawn(self, scores: Array) -> Array:
        """Return the uniform numbers that values are drawn by, shape (streams, lanes): those of groups mixed."""
        self._source.values = uniforms_of(scores)
        return self._design.uniforms(0, scores.shape[1])


def prior_scores(streams: Sequence[str], lanes: int, seed: int) -> Array:
    """Return standard normal scores, shape (streams, lanes): those that an ensemble of that seed draws."""
    return np.asarray(ndtri(np.array([philox.uniforms(seed, stream, 0, lanes) for stream in streams]).reshape(len(streams), lanes)))


def log_likelihood(readings: Sequence[Reading], predicted: Array) -> Array:
    """Return the logarithm of the likelihood of several figures whose errors are independent, shape (lanes,)."""
    result = np.zeros(predicted.shape[1])
    for reading, own in zip(readings, predicted, strict=True):
        result += reading.log_likelihood(own)
    return result
