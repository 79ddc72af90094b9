"""Calibration: what the observations known at a date say of the uncertain parameters, or why they say too little."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile.clock import Array
from stockpile.errors import InputError
from stockpile.evidence import frames, smc
from stockpile.evidence.chosen import FITTED, Chosen, HoldBack, choose, incomparable
from stockpile.evidence.ledger import ledger
from stockpile.evidence.moved import effective_sizes, movement
from stockpile.evidence.reading import Reading
from stockpile.evidence.scored import Scored, log_likelihood, prior_scores
from stockpile.scenario import Scenario
from stockpile.simulate import manifest

if TYPE_CHECKING:
    import pandas as pd

MEMBERS = 2048
"""Particles where nothing else is said: 5 % quantiles then rest on some hundred of them."""
LEAST_OBSERVATIONS = 2
"""Fewest fitted observations. A single figure can always be met by moving some parameter, and nothing would show that it was the wrong
one."""
LEAST_EFFECTIVE = 200.0
"""Least effective sample size: of so many independent draws ten lie beyond a 5 % quantile, whose rank is then known to 1.5 points."""
LEAST_UNIQUE = 200
"""Fewest different particles, for the same reason: copies add nothing."""
LEAST_POSSIBLE = 0.01
"""Least share of the prior that the observations do not rule out. Below it, draws and reports contradict each other: the ranges of the
files are to be looked at first, and a posterior would be that of the few draws which happened to be possible."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """What observations say of the uncertain parameters.

    Attributes
    ----------
    observations : pandas.DataFrame
        A row an observation, columns as of `frames.OBSERVATIONS`: what became of it, and 5, 50 and 95 % quantiles of what would be
        reported under prior and posterior, with the score of each (CRPS, in the unit of the row; lower is better), or for inequalities
        the probability that they hold.
    parameters : pandas.DataFrame
        A row a parameter, those that moved first, columns as of `frames.PARAMETERS`: quantiles before and after; `distance` of the
        two distributions (Kolmogorov and Smirnov's) and what chance alone would show; `narrowing`, the share by which the
        90 % interval is narrower, with its standard error.
    correlations : pandas.DataFrame
        A row a pair of parameters that the observations tie together, the strongest first, columns as of `frames.CORRELATIONS`.
    effective : float
        Effective sample size: the least, over all parameters and fitted observations, of the numbers of independent draws that would know
        the mean as well; 0 where nothing was fitted.
    unique : int
        Different particles.
    temperatures, acceptance, moves : tuple
        How the particles were brought from prior to posterior: powers of the likelihood, share of moves accepted, moves of each particle.
    log_evidence, log_evidence_error : float
        Logarithm of the mean likelihood under the prior, up to a constant of the observations, and its standard error.
    refused : str
        Why the evidence is too thin to be used; empty where it is not.
    manifest : dict
    scenario : Scenario
    streams : tuple of str
        What the rows of `uniforms` are.
    uniforms : array, shape (streams, members)
        The posterior, as the numbers that values are drawn by.
    """

    observations: pd.DataFrame
    parameters: pd.DataFrame
    correlations: pd.DataFrame
    effective: float
    unique: int
    temperatures: tuple[float, ...]
    acceptance: tuple[float, ...]
    moves: tuple[int, ...]
    log_evidence: float
    log_evidence_error: float
    refused: str
    manifest: dict[str, Any] = field(repr=False)
    scenario: Scenario = field(repr=False)
    streams: tuple[str, ...] = field(repr=False)
    uniforms: Array = field(repr=False)

    @property
    def fitted(self) -> tuple[str, ...]:
        """Names of the observations that were fitted."""
        return tuple(self.observations.loc[self.observations["status"] == FITTED, "name"])

    def scores(self) -> pd.DataFrame:
        """Return how well figures were predicted, by status: status, observations, before, after.

        The scores are means of the CRPS as a share of the figure, over all that are no inequalities and have a prediction.
        """
        own = self.observations.dropna(subset=["crps_before", "crps_after"]).astype({"value": float})
        own = own.assign(before=own["crps_before"] / own["value"].abs(), after=own["crps_after"] / own["value"].abs())
        grouped = own[own["value"] != 0.0].groupby("status", sort=True)
        return grouped.agg(observations=("name", "size"), before=("before", "mean"), after=("after", "mean")).reset_index()

    def write(self, folder: str | Path) -> Path:
        """Write the posterior as a folder of parameters that can be laid over the others, and return it; see `layer.write`.

        Raises
        ------
        InputError
            Where the evidence is too thin, or the folder is there and is no layer.
        """
        from stockpile.evidence.layer import write

        return write(self, folder)


@dataclass(frozen=True, eq=False)
class _Fit:
    """The particles, and what they are draws of."""

    model: Scored
    particles: smc.Particles


def calibrate(
    scenario: Scenario,
    *,
    members: int = MEMBERS,
    seed: int = 1,
    hold_back: HoldBack = (),
    policy: str | None = None,
    engine: str | None = None,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Calibration:
    """Return the posterior over the uncertain parameters given the observations known at the scenario's `as_of`.

    Fitted is what had been published by then, counts something of the model, lies within the run, is undisputed, and is no
    number that a parameter rests on already.

    Parameters
    ----------
    scenario : Scenario
    members : int
        Particles.
    seed : int
    hold_back : str, date, or sequence of str
        Observations that are predicted and not fitted: names, or a date from which on they are.
    policy : str, optional
        The one under which the past is looked at; as of `Predictor` where left out.
    engine, threads
        As of `ensemble`; neither moves a bit.
    progress : callable, optional
        Is called with the share of the evidence that is let in.

    Raises
    ------
    InputError
        For unknown names, fewer than two members, and as of `Predictor`.
    """
    if members < 2:
        raise InputError.one("members", f"{members}; allowed: 2 or more", file="calibrate")
    chosen = choose(ledger(scenario), scenario, hold_back)
    used = [one for one in chosen if one.status == FITTED]
    beside = [one for one in chosen if not incomparable(one.entry, scenario)]
    work: dict[str, Any] = {"policy": policy, "engine": engine, "threads": threads}
    fit = _fit(scenario, used, members, seed, progress, work) if len(used) >= LEAST_OBSERVATIONS else None
    before, after = _predicted(scenario, beside, fit, members, seed, work)
    said = {"members": members, "seed": seed, "fitted": [one.entry.name for one in used]}
    made = manifest(scenario, scenario.chosen(None) if fit is None else [fit.model.predictor.policy]) | said
    shown = frames.observations(chosen, before, after, seed)
    if fit is None:
        message = f"{len(used)} observations can be fitted; at least {LEAST_OBSERVATIONS} are needed, or nothing could contradict the fit"
        return _nothing(scenario, shown, message, made)
    return _result(scenario, fit, shown, made)


def _fit(
    scenario: Scenario, used: Sequence[Chosen], members: int, seed: int, progress: Callable[[float], None] | None, work: dict[str, Any]
) -> _Fit:
    model = Scored(scenario, [one.entry.measure for one in used if one.entry.measure], members, **work)
    readings: list[Reading] = [one.entry.reading for one in used if one.entry.reading]
    particles = smc.sample(
        len(model.streams), model.predict, lambda found: log_likelihood(readings, found),
        particles=members, seed=seed, stream="calibrate", progress=progress,
    )
    return _Fit(model, particles)


def _predicted(
    scenario: Scenario, beside: Sequence[Chosen], fit: _Fit | None, members: int, seed: int, work: dict[str, Any]
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return what all observations that can be compared count in the model, by name, under prior and posterior."""
    if not beside:
        return {}, {}
    everything = Scored(scenario, [one.entry.measure for one in beside if one.entry.measure], members, **work)
    names = [one.entry.name for one in beside]
    scores = prior_scores(everything.streams, members, seed)
    before = dict(zip(names, everything.predict(scores), strict=True))
    if fit is None:
        return before, {}
    # What the fit does not reach, such as other munitions' parameters, stays as under the prior.
    row = {stream: number for number, stream in enumerate(everything.streams)}
    scores[[row[stream] for stream in fit.model.streams]] = fit.particles.scores
    return before, dict(zip(names, everything.predict(scores), strict=True))


def _result(scenario: Scenario, fit: _Fit, shown: pd.DataFrame, made: dict[str, Any]) -> Calibration:
    particles, streams = fit.particles, fit.model.streams
    uniforms = fit.model.drawn(particles.scores)
    found = movement(uniforms, particles.ancestors)
    effective = float(min(found.effective.min(), effective_sizes(particles.predicted, particles.ancestors).min()))
    table = frames.parameters(scenario, streams, uniforms, found, particles.ancestors, int(made["seed"]))
    return Calibration(
        observations=shown,
        parameters=table,
        correlations=_together(scenario, table, streams, uniforms, effective),
        effective=effective,
        unique=particles.unique,
        temperatures=particles.temperatures,
        acceptance=particles.acceptance,
        moves=particles.moves,
        log_evidence=particles.log_evidence,
        log_evidence_error=particles.log_evidence_error,
        refused=_refused(particles, effective, table),
        manifest=made,
        scenario=scenario,
        streams=streams,
        uniforms=uniforms,
    )


def _together(scenario: Scenario, table: pd.DataFrame, streams: Sequence[str], uniforms: Array, effective: float) -> pd.DataFrame:
    """Return which parameters the observations tie together; plans and random campaigns, which cannot stand in a group, are left out."""
    named = set(table["path"])
    rows = [number for number, path in enumerate(streams) if path in named and frames.PLANS not in path]
    groups = {
        (left, right): group.between(left, right)
        for group in scenario.model.correlations.values() for left in group.paths for right in group.paths
    }
    return frames.correlations([streams[number] for number in rows], uniforms[rows], groups, effective)


def _refused(particles: smc.Particles, effective: float, table: pd.DataFrame) -> str:
    """Return why a posterior is not to be used; empty where it is."""
    if particles.possible < LEAST_POSSIBLE:
        share = f"{100.0 * particles.possible:.3g} %"
        return f"{share} of the draws of the prior are possible at all; at least {100.0 * LEAST_POSSIBLE:g} % are needed"
    if not particles.mixed:
        return f"the particles had not moved away from where they started after {smc.MOST_MOVES} moves"
    if effective < LEAST_EFFECTIVE:
        return f"the effective sample size is {effective:.0f}; at least {LEAST_EFFECTIVE:.0f} is needed, so take more members"
    if particles.unique < LEAST_UNIQUE:
        return f"only {particles.unique} particles are different; at least {LEAST_UNIQUE} are needed, so take more members"
    return "" if table["moved"].any() else "no parameter moved by more than chance alone would show"


def _nothing(scenario: Scenario, shown: pd.DataFrame, message: str, made: dict[str, Any]) -> Calibration:
    import pandas as pd

    return Calibration(
        observations=shown,
        parameters=pd.DataFrame(columns=list(frames.PARAMETERS)),
        correlations=pd.DataFrame(columns=list(frames.CORRELATIONS)),
        effective=0.0, unique=0, temperatures=(), acceptance=(), moves=(), log_evidence=0.0, log_evidence_error=0.0,
        refused=message, manifest=made, scenario=scenario, streams=(), uniforms=np.empty((0, 0)),
    )
