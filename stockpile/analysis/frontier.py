"""The trade-off between the recipients' unmet need and the risk to the US floor, over policies that hold deliveries back when stock is low.

Each policy watches the US stock from the day after `as_of`: below the trigger it holds back a share of deliveries, above the release
it lets them go again. All are run on the same draws. Beside them stands what a linear program that knows the future could do at
best, which no rule can beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile import sampling_error, schema
from stockpile.analysis.dominance import not_dominated
from stockpile.analysis.foresight import Case, bound, cases, gaps
from stockpile.clock import ONE_DAY
from stockpile.errors import InputError, nearest
from stockpile.experiments.lanes import Progress
from stockpile.experiments.many import by_member
from stockpile.experiments.outcomes import outcome
from stockpile.scenario import Scenario
from stockpile.simulate import manifest

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.95
TRIGGERS = tuple(round(0.1 * number, 10) for number in range(1, 16))
"""Shares of the review level below which deliveries are held back."""
MARGINS = (0.0, 0.1, 0.2, 0.4)
"""How far above the trigger they are let go again, as shares of the review level."""
SHARES = (0.25, 0.5, 0.75, 1.0)
"""Shares of deliveries that are held back."""
FORESIGHT = 4
"""Draws that the linear program is solved for."""
COMPARED = 8
"""Most policies that are compared with it, spread evenly over those that nothing beats in both respects."""
DEPTHS = 7
"""Depths at which the bound is drawn."""


@dataclass(frozen=True)
class Frontier:
    """A trade-off for one munition.

    Attributes
    ----------
    munition, level, policy : str
        Whose stock, against which level, under reviews like that of which policy.
    points : pandas.DataFrame
        A row a policy: trigger, release, share, chance_below (P that the US stock is below the level at some date after as_of), with
        chance_low and chance_high, depth (mean rounds below it at the lowest), unmet (mean unmet need of all recipients over the run
        [round]), unmet_low, unmet_high, own_unmet (of US forces), dominated (whether another one has no more of both and less of one).
    gaps : pandas.DataFrame
        For some policies that are not dominated and some draws: own depth and unmet need after as_of, the least that perfect
        foresight leaves unmet at that depth, and the gap [round].
    bound : pandas.DataFrame
        For each of these draws (member) the least unmet need by depth; inf where nothing keeps the stock so high.
    manifest : dict
    """

    munition: str
    level: str
    policy: str
    points: pd.DataFrame
    gaps: pd.DataFrame
    bound: pd.DataFrame
    manifest: dict[str, Any] = field(repr=False)


def frontier(  # noqa: PLR0913 - the names that users give
    scenario: Scenario,
    munition: str,
    policy: str = "suspension_with_review",
    *,
    level: str | None = None,
    triggers: Sequence[float] = TRIGGERS,
    margins: Sequence[float] = MARGINS,
    shares: Sequence[float] = SHARES,
    members: int = 1000,
    seed: int = 1,
    foresight: int = FORESIGHT,
    engine: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Frontier:
    """Run reserve-and-review policies on the same draws and say which are not beaten in both respects.

    Parameters
    ----------
    scenario : Scenario
    munition : str
    policy : str
        A policy with a review: whom and which channels it touches. Its trigger, release and share are varied, and it begins
        the day after `as_of`, so that history is the same for all.
    level : str, optional
        The named level that the risk is measured against; the policy's transfer floor where left out.
    triggers, margins : sequence of float
        Multiples of the review level: in force below the trigger, lifted above trigger + margin.
    shares : sequence of float
        Shares of deliveries held back while in force.
    members, seed : int
    foresight : int
        Draws for which perfect foresight is worked out; 0 for none.
    engine, threads, progress
        As of `ensemble`.

    Raises
    ------
    InputError
        For an unknown munition, policy or level, a policy without review, and numbers that cannot be.
    """
    base = _checked(scenario, munition, policy, triggers, margins, shares)
    level = level or base.transfer_floor
    made = {f"{t:g}/{m:g}/{s:g}": _with_review(scenario, base, t, t + m, s) for t in triggers for m in margins for s in shares}
    own = scenario.with_policies({**scenario.policies, **made})
    recipients = list(scenario.recipients)
    wanted = [outcome(f"{munition}:depth_below.{level}", scenario), outcome(f"{munition}:total_unmet", scenario)]
    wanted += [outcome(f"{munition}:total_unmet:{who}", scenario) for who in recipients]
    values = by_member(own, wanted, list(made), members, seed, engine=engine, threads=threads, progress=progress)
    points = _points(made, values, members)
    kept = [name for name, beaten in zip(made, points["dominated"], strict=True) if not beaten]
    few = [kept[place] for place in np.unique(np.linspace(0, len(kept) - 1, min(COMPARED, len(kept))).round().astype(int))]
    runs = list(cases(own, few, munition, foresight, seed, level=level)) if foresight else []
    found = gaps(runs)
    return Frontier(
        munition, level, policy, points, found, _bound(runs),
        manifest(scenario, (policy,)) | {"members": members, "seed": seed, "foresight": foresight},
    )


def _checked(
    scenario: Scenario, munition: str, policy: str, triggers: Sequence[float], margins: Sequence[float], shares: Sequence[float]
) -> schema.Policy:
    if munition not in scenario.munitions:
        raise InputError.one("munition", f"unknown munition {munition!r}; {nearest(munition, scenario.munitions)}", file="frontier")
    with_review = [name for name, one in scenario.policies.items() if one.review is not None]
    if policy not in with_review:
        raise InputError.one("policy", f"{policy!r} is no policy with a review; {nearest(policy, with_review)}", file="frontier")
    for key, numbers, most in (("triggers", triggers, np.inf), ("margins", margins, np.inf), ("shares", shares, 1.0)):
        wrong = [number for number in numbers if not 0.0 <= number <= most]
        if wrong or not len(numbers):
            raise InputError.one(key, f"{wrong[0] if wrong else 'none'}; allowed: numbers from 0 to {most:g}", file="frontier")
    return scenario.policies[policy]


def _with_review(scenario: Scenario, base: schema.Policy, trigger: float, release: float, share: float) -> schema.Policy:
    assert base.review is not None
    start = scenario.as_of + ONE_DAY
    review = base.review.model_copy(update={"start": start, "on": trigger, "off": release, "let_through": 1.0 - share})
    return base.model_copy(update={"review": review})


def _points(made: dict[str, schema.Policy], values: np.ndarray[Any, Any], members: int) -> pd.DataFrame:
    import pandas as pd

    depth, own, unmet = values[:, 0], values[:, 1], values[:, 2:].sum(axis=1)
    hits = (depth > 0.0).sum(axis=1)
    spread = unmet.std(axis=1, ddof=1) if members > 1 else np.zeros(len(unmet))
    low, high = sampling_error.mean_interval(unmet.mean(axis=1), spread, members, LEVEL)
    chance_low, chance_high = zip(*(sampling_error.proportion_interval(int(hit), members, LEVEL) for hit in hits), strict=True)
    reviews = [policy.review for policy in made.values() if policy.review is not None]
    return pd.DataFrame(
        {
            "trigger": [review.on for review in reviews], "release": [review.off for review in reviews],
            "share": [1.0 - review.let_through for review in reviews],
            "chance_below": hits / members, "chance_low": np.array(chance_low, float), "chance_high": np.array(chance_high, float),
            "depth": depth.mean(axis=1), "unmet": unmet.mean(axis=1), "unmet_low": low, "unmet_high": high, "own_unmet": own.mean(axis=1),
            "dominated": ~not_dominated(np.stack([hits / members, unmet.mean(axis=1)], axis=1)),
        }
    )


def _bound(runs: Sequence[Case]) -> pd.DataFrame:
    """Return the least unmet need by depth for each draw: from the first policy's state, which history gives to all alike."""
    import pandas as pd

    first = [run for run in runs if run.policy == runs[0].policy]
    most = max((run.depth for run in runs), default=0.0)
    found = [bound(run, np.linspace(0.0, most, DEPTHS) if most > 0.0 else [0.0])[["member", "depth", "least_unmet"]] for run in first]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["member", "depth", "least_unmet"])
