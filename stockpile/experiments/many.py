"""Runs of several policies on the same draws, a number a member: what comparisons of policies are made of."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from stockpile.clock import Array
from stockpile.experiments.lanes import Lanes, Progress
from stockpile.experiments.outcomes import STOCK, Outcome, edge_of
from stockpile.metrics import BASELINE
from stockpile.scenario import Scenario


def lanes_for(scenario: Scenario, outcomes: Sequence[Outcome], policies: Sequence[str], engine: str | None = None) -> Lanes:
    """Return lanes that give some outcomes under some policies, of no more munitions than they need."""
    more = [BASELINE] if any(one.is_change for one in outcomes) and BASELINE not in policies else []
    edges = [edge_of(one.date, scenario) for one in outcomes if one.plain == STOCK]
    return Lanes(scenario, [*policies, *more], edges=edges, only=[one.munition for one in outcomes], engine=engine)


def by_member(
    scenario: Scenario,
    outcomes: Sequence[Outcome],
    policies: Sequence[str],
    members: int,
    seed: int,
    *,
    engine: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Array:
    """Return outcomes of each member under each policy, shape (policies, outcomes, members); the draws are those of an ensemble."""
    lanes = lanes_for(scenario, outcomes, policies, engine)
    return lanes.run(
        lanes.draws(seed, members),
        lambda block: np.array([[one.of(block, lanes, policy) for one in outcomes] for policy in policies]),
        threads=threads or os.cpu_count() or 1,
        progress=progress,
    )
