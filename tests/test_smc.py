"""The sampler by itself: posteriors that can be written down, and what it does where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from stockpile.evidence import moved, smc

Array = NDArray[np.float64]
DIMENSIONS, PARTICLES = 20, 2000


class Linear:
    """Three linear combinations of standard normal numbers, each reported with the same error: posterior and evidence in closed form."""

    def __init__(self, error: float) -> None:
        random = np.random.default_rng(3)
        self.error = error
        self.matrix = random.normal(size=(3, DIMENSIONS)) / np.sqrt(DIMENSIONS)
        self.matrix[0] = 0.0
        self.matrix[0, 0] = 1.0
        self.reports = np.array([0.7, -0.3, 1.0])
        self.covariance = np.linalg.inv(np.eye(DIMENSIONS) + self.matrix.T @ self.matrix / error**2)
        self.mean = self.covariance @ self.matrix.T @ self.reports / error**2
        spread = self.matrix @ self.matrix.T + error**2 * np.eye(3)
        # The likelihood leaves out the constant of the normal distribution's density.
        self.evidence = -0.5 * self.reports @ np.linalg.solve(spread, self.reports) - 0.5 * np.linalg.slogdet(spread)[1] + 3 * np.log(error)

    def predict(self, scores: Array) -> Array:
        return np.einsum("qd,dn->qn", self.matrix, scores)

    def likelihood(self, predicted: Array) -> Array:
        return -0.5 * np.square((predicted - self.reports[:, None]) / self.error).sum(axis=0)

    def sample(self, seed: int = 1, particles: int = PARTICLES) -> smc.Particles:
        return smc.sample(DIMENSIONS, self.predict, self.likelihood, particles=particles, seed=seed)


@pytest.mark.parametrize("error", [0.02, 0.1, 0.5, 3.0])
def test_a_linear_posterior_is_found_with_mean_width_correlation_and_evidence(error: float) -> None:
    exact = Linear(error)
    found = exact.sample()
    deviations = np.sqrt(np.diag(exact.covariance))
    # Means are known to about 1 / sqrt(2000) deviations, 0.022; four of these over twenty means.
    assert np.abs((found.scores.mean(axis=1) - exact.mean) / deviations).max() < 0.1
    assert np.abs(found.scores.std(axis=1) / deviations - 1.0).max() < 0.08
    assert np.abs(np.corrcoef(found.scores) - exact.covariance / np.outer(deviations, deviations)).max() < 0.1
    assert abs(found.log_evidence - exact.evidence) < 4.0 * max(found.log_evidence_error, 0.01)
    assert found.mixed and found.possible == 1.0 and found.unique > 0.95 * PARTICLES
    assert found.temperatures[-1] == 1.0 and list(found.temperatures) == sorted(set(found.temperatures))


def test_one_temperature_is_importance_sampling_and_sharper_figures_take_more() -> None:
    assert Linear(3.0).sample().temperatures == (1.0,)
    assert 2 < len(Linear(0.1).sample().temperatures) < len(Linear(0.02).sample().temperatures)


def test_the_error_of_the_evidence_is_that_of_repeated_runs() -> None:
    exact = Linear(0.3)
    runs = [exact.sample(seed, 500) for seed in range(40)]
    errors = np.array([one.log_evidence - exact.evidence for one in runs])
    said = np.sqrt(np.mean(np.square([one.log_evidence_error for one in runs])))
    assert 0.6 < said / np.sqrt(np.mean(np.square(errors))) < 1.6


def test_an_inequality_cuts_the_prior_and_pulls_nothing_to_its_middle() -> None:
    def inside(predicted: Array) -> Array:
        return np.where((predicted[0] >= 1.0) & (predicted[0] <= 3.0), 0.0, -np.inf)

    found = smc.sample(5, lambda scores: scores[:1], inside, particles=4000, seed=1)
    own = found.scores[0]
    assert own.min() >= 1.0 and own.max() <= 3.0
    # The mean of a standard normal number between 1 and 3 is 1.5104; that of the interval would be 2.
    assert own.mean() == pytest.approx(1.5104, abs=0.03)
    assert found.possible == pytest.approx(0.1573, abs=0.02)
    assert found.log_evidence == pytest.approx(np.log(0.1573), abs=0.1)


def test_where_nothing_is_possible_there_is_no_posterior() -> None:
    found = smc.sample(2, lambda scores: scores, lambda predicted: np.full(predicted.shape[1], -np.inf), particles=50, seed=1)
    assert found.possible == 0.0 and found.temperatures == () and found.log_evidence == -np.inf


def test_the_seed_decides_every_bit() -> None:
    exact = Linear(0.1)
    assert np.array_equal(exact.sample(1, 300).scores, exact.sample(1, 300).scores)
    assert not np.array_equal(exact.sample(1, 300).scores, exact.sample(2, 300).scores)


def test_resampling_takes_each_as_often_as_its_weight_says_up_to_one() -> None:
    random = np.random.default_rng(1)
    for _ in range(20):
        weights = random.dirichlet(np.full(37, 0.3))
        taken = np.bincount(smc.resampled(weights, float(random.random())), minlength=37)
        assert taken.sum() == 37 and np.abs(taken - 37 * weights).max() < 1.0


def test_the_temperature_rises_as_far_as_half_of_the_possible_draws_count() -> None:
    logs = np.concatenate([-0.5 * np.square(np.random.default_rng(1).normal(size=500) * 10), np.full(100, -np.inf)])
    rise = smc.rise_of(logs, 1.0)
    assert 0.0 < rise < 1.0 and smc.effective_size(rise * logs[:500]) == pytest.approx(250, abs=1)
    assert smc.rise_of(0.001 * logs, 1.0) == 1.0


def test_families_that_share_a_value_count_once() -> None:
    random = np.random.default_rng(1)
    apart = random.random((3, 4000))
    assert moved.effective_sizes(apart, np.arange(4000)) == pytest.approx(4000)
    alike, kin = np.repeat(random.random((3, 1000)), 4, axis=1), np.repeat(np.arange(1000), 4)
    assert moved.effective_sizes(alike, kin) == pytest.approx(1000, rel=0.15)
    # Kin that have been moved apart count as many again.
    assert moved.effective_sizes(apart, kin) == pytest.approx(4000, rel=0.15)
    assert (moved.effective_sizes(apart, np.zeros(4000, dtype=int)) == 1.0).all()


def test_draws_of_the_prior_have_not_moved_and_others_have() -> None:
    random = np.random.default_rng(1)
    rows = np.concatenate([random.random((50, 1000)), random.beta(1.3, 1.0, (1, 1000))])
    found = moved.movement(rows, np.arange(1000))
    assert (found.distance[:50] < found.by_chance[:50]).all() and found.distance[50] > found.by_chance[50]
