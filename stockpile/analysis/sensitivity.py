"""Which unknowns move an outcome, alone and together with others, and which one, if settled, would narrow the answer most."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile.analysis.indices import PickFreeze, base_points, pick_freeze
from stockpile.analysis.labels import labels
from stockpile.analysis.narrowing import narrowing
from stockpile.analysis.rounds import Rounds, until_stable
from stockpile.analysis.tornado import tornado
from stockpile.clock import Array
from stockpile.errors import InputError
from stockpile.experiments.factors import factors
from stockpile.experiments.lanes import Lanes, Progress
from stockpile.experiments.many import lanes_for
from stockpile.experiments.outcomes import Outcome
from stockpile.experiments.outcomes import outcome as read_outcome
from stockpile.metrics import BASELINE
from stockpile.scenario import Scenario
from stockpile.simulate import manifest

if TYPE_CHECKING:
    import pandas as pd

QUANTILES = (0.05, 0.5, 0.95)
LEAST = 400
"""Fewest draws from which the value of information is worked out."""


@dataclass(frozen=True)
class Sensitivity:
    """What an outcome depends on.

    Attributes
    ----------
    outcome, policy, unit : str
    tornado : pandas.DataFrame
        One unknown at a time at the ends of its range, all else drawn; see `stockpile.analysis.tornado.tornado`. With `label`.
    indices : pandas.DataFrame
        A row a factor, largest total index first: factor, label, first, first_low, first_high, total, total_low, total_high (Sobol
        indices with their intervals), narrowing (share by which the range of 90 % of the draws would be narrower on average if the
        factor were known; nan for parameters drawn together), noise (how much narrowing chance shows), variance_share (share of the
        variance that would go, the first-order index), note.
    rounds : pandas.DataFrame
        A row a number of base points: points, runs, leading (the five leading factors), same (whether they were the same in the round
        before, in the same order), widest (interval of a leading total index), stable.
    stable : bool
        Whether the ranking held when the number of base points was doubled, with narrow intervals.
    quantiles : dict
        Of the outcome, all drawn: mean, q05, q50, q95.
    manifest : dict
    """

    outcome: str
    policy: str
    unit: str
    tornado: pd.DataFrame
    indices: pd.DataFrame
    rounds: pd.DataFrame
    stable: bool
    quantiles: dict[str, float]
    manifest: dict[str, Any] = field(repr=False)


def sensitivity(  # noqa: PLR0913 - the names that users give
    scenario: Scenario,
    outcome: str,
    policy: str = BASELINE,
    *,
    members: int = 1000,
    start: int = 512,
    most: int = 2**14,
    seed: int = 1,
    engine: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Sensitivity:
    """Return what an outcome depends on: one at a time, Sobol indices, and the value of information.

    Parameters
    ----------
    scenario : Scenario
    outcome : str
        For example ``pac3:us_on_hand@2027-01-01``. Dates that never come count as the end of the run.
    policy : str
    members : int
        Draws on which one unknown at a time is set to the ends of its range.
    start, most : int
        Base points of the Sobol indices: doubled from `start`, a power of 2, until their ranking is settled, at most to `most`.
    seed : int
    engine, threads, progress
        As of `ensemble`; `progress` is called with the number of lanes run for the indices.

    Raises
    ------
    InputError
        For an outcome or policy that is not there, and numbers that cannot be.
    """
    wanted = read_outcome(outcome, scenario)
    if isinstance(members, bool) or not isinstance(members, int) or members < 2:
        raise InputError.one("members", f"{members!r}; allowed: a whole number from 2 on", file="sensitivity")
    workers = threads or os.cpu_count() or 1
    lanes = lanes_for(scenario, [wanted], [policy], engine)
    rounds, source = _rounds(lanes, wanted, policy, (start, most), seed, workers, progress)
    found = rounds.last.indices
    outputs = lanes.run(
        lanes.draws(seed, max(members, found.points, LEAST)), lambda block: wanted.of(block, lanes, policy), threads=workers
    )
    one = tornado(lanes, wanted, policy, members, seed, workers)
    frame = _indices(lanes, rounds, outputs, seed)
    names, _ = labels(scenario, {*frame["factor"], *one["factor"]})
    frame.insert(1, "label", frame["factor"].map(names))
    one.insert(1, "label", one["factor"].map(names))
    rows = rounds.table([str(wanted)]).drop(columns="output")
    rows.insert(1, "runs", rows["points"] * source.blocks)
    quantiles = dict(zip(("q05", "q50", "q95"), map(float, np.quantile(outputs, QUANTILES)), strict=True)) | {"mean": float(outputs.mean())}
    said = {"members": members, "seed": seed, "base_points": found.points, "runs": found.points * source.blocks}
    return Sensitivity(
        str(wanted), policy, wanted.unit, one, frame, rows, rounds.stable, quantiles, manifest(scenario, (policy,)) | said
    )


def _rounds(
    lanes: Lanes, wanted: Outcome, policy: str, points: tuple[int, int], seed: int, threads: int, progress: Progress | None
) -> tuple[Rounds, PickFreeze]:
    start, most = points
    unknown = {factor.name: factor.rows for factor in factors(lanes)}
    source = pick_freeze(*base_points(seed, most, lanes.streams), unknown, most)
    design = lanes.design(source, source.members)

    def run(first: int, count: int) -> tuple[Array, Array, Array]:
        before = first * source.blocks
        values = lanes.run(
            design, lambda block: wanted.of(block, lanes, policy), first=before, count=count * source.blocks, threads=threads,
            progress=(lambda done: progress(before + done)) if progress else None,
        )
        return source.split(values)

    return until_stable(run, start, most, list(unknown), seed=seed), source


def _indices(lanes: Lanes, rounds: Rounds, outputs: Array, seed: int) -> pd.DataFrame:
    """Return the indices of the last round beside the value of information, on independent draws."""
    found = rounds.last.indices
    frame = found.table().drop(columns=["output", "points"])
    single = {factor.name: factor.rows for factor in factors(lanes)}
    shares = dict(zip(frame["factor"], frame["first"], strict=True))
    uniforms = lanes.draws(seed, len(outputs)).source.uniforms(0, len(outputs))
    worth = narrowing(uniforms, outputs, single, seed=seed, shares=shares)
    worth = worth[["factor", "narrowing", "noise", "variance_share"]]
    frame = frame.merge(worth, on="factor", how="left")
    return frame.sort_values(["total", "factor"], ascending=[False, True], kind="stable", ignore_index=True)
