"""Policies over scenarios: how much each is worse than the best one there, and how often what is asked of it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile import sampling_error
from stockpile.analysis.discover import Condition, condition
from stockpile.analysis.regret import AT_LEAST, AT_MOST, HIGHER, LOWER, regret, satisficing
from stockpile.clock import Array
from stockpile.errors import InputError, Problem, nearest
from stockpile.experiments.lanes import Progress
from stockpile.experiments.many import by_member
from stockpile.experiments.outcomes import Outcome, outcome
from stockpile.scenario import Scenario
from stockpile.simulate import manifest

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.95


@dataclass(frozen=True)
class Robust:
    """Policies over scenarios.

    Attributes
    ----------
    policies, scenarios : tuple of str
    outcomes : dict
        By outcome: ``lower`` or ``higher``, what is better.
    conditions : tuple of str
        What is asked of a policy.
    values : pandas.DataFrame
        A row a scenario, policy and outcome: scenario, policy, outcome, unit, mean, low, high (interval of Monte Carlo error).
    regret : pandas.DataFrame
        A row a scenario, policy and outcome: outcome, then the columns of `stockpile.analysis.regret.Regret.by_scenario`.
    ranking : pandas.DataFrame
        A row a policy and outcome: outcome, then the columns of `stockpile.analysis.regret.Regret.by_policy`.
    satisficing : pandas.DataFrame
        As of `stockpile.analysis.regret.satisficing`: in which share of the draws all conditions hold, by scenario and over all; empty
        without conditions.
    manifest : dict
    """

    policies: tuple[str, ...]
    scenarios: tuple[str, ...]
    outcomes: dict[str, str]
    conditions: tuple[str, ...]
    values: pd.DataFrame
    regret: pd.DataFrame
    ranking: pd.DataFrame
    satisficing: pd.DataFrame
    manifest: dict[str, Any] = field(repr=False)


def robust(  # noqa: PLR0913 - the names that users give
    scenarios: Sequence[Scenario],
    outcomes: Mapping[str, str],
    conditions: Sequence[str] = (),
    policies: Sequence[str] | None = None,
    *,
    members: int = 1000,
    seed: int = 1,
    engine: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Robust:
    """Run policies over scenarios, in each on the same draws, and return regret and satisficing share.

    Parameters
    ----------
    scenarios : sequence of Scenario
        At least two, of different names.
    outcomes : mapping
        Outcomes, each with ``lower`` or ``higher`` for what is better, for example ``{"pac3:total_unmet:ukraine": "lower"}``. Dates that
        never come count as the end of the run.
    conditions : sequence of str
        What is asked of a policy, for example ``pac3:depth_below.transfer_floor <= 0``; only ``<=`` and ``>=``.
    policies : sequence of str, optional
        Those of the first scenario where left out.
    members, seed : int
    engine, threads, progress
        As of `ensemble`; `progress` is called with the number of members done, scenario after scenario.

    Raises
    ------
    InputError
        For outcomes, conditions, policies and scenarios that cannot be.
    """
    import pandas as pd

    wanted, asked = _checked(scenarios, outcomes, conditions)
    chosen = scenarios[0].chosen(policies)
    every = list(dict.fromkeys([*wanted, *(one.outcome for one in asked)]))
    found = {
        scenario.name: by_member(
            scenario, every, chosen, members, seed, engine=engine, threads=threads, progress=_after(number * members, progress)
        )
        for number, scenario in enumerate(scenarios)
    }
    frames = [_tidy(found, chosen, place, str(one)) for place, one in enumerate(every)]
    regrets = {str(one): regret(frames[every.index(one)], better=better) for one, better in zip(wanted, outcomes.values(), strict=True)}
    return Robust(
        policies=chosen,
        scenarios=tuple(scenario.name for scenario in scenarios),
        outcomes=dict(zip(map(str, wanted), outcomes.values(), strict=True)),
        conditions=tuple(map(str, asked)),
        values=pd.concat([_means(found, chosen, every.index(one), one) for one in wanted], ignore_index=True),
        regret=pd.concat([one.by_scenario.assign(outcome=name) for name, one in regrets.items()], ignore_index=True),
        ranking=pd.concat([one.by_policy.assign(outcome=name) for name, one in regrets.items()], ignore_index=True),
        satisficing=_satisficing(frames, every, asked),
        manifest=manifest(scenarios[0], chosen)
        | {"members": members, "seed": seed, "scenarios": {one.name: one.digest for one in scenarios}},
    )


def _after(before: int, progress: Progress | None) -> Progress | None:
    """Return what is told of progress when some members have been done before."""
    return None if progress is None else lambda done: progress(before + done)


def _checked(
    scenarios: Sequence[Scenario], outcomes: Mapping[str, str], conditions: Sequence[str]
) -> tuple[list[Outcome], list[Condition]]:
    """Return outcomes and conditions; refuse what cannot be."""
    problems = [
        Problem("robust", 0, 0, "outcomes", f"{better!r}; {nearest(better, (LOWER, HIGHER))}")
        for better in outcomes.values()
        if better not in (LOWER, HIGHER)
    ]
    names = [scenario.name for scenario in scenarios]
    if len(set(names)) < max(len(names), 2):
        said = f"{', '.join(names) or 'none'}; allowed: two or more scenarios of different names"
        problems.append(Problem("robust", 0, 0, "scenarios", said))
    if not outcomes:
        problems.append(Problem("robust", 0, 0, "outcomes", "none; allowed: one or more"))
    wanted: list[Outcome] = []
    asked: list[Condition] = []
    for scenario in scenarios:
        try:
            wanted = [outcome(text, scenario) for text in outcomes]
            asked = [condition(text, scenario) for text in conditions]
        except InputError as error:
            problems += error.problems
    sides = [one for one in asked if one.comparison not in ("<=", ">=")]
    problems += [Problem("robust", 0, 0, "conditions", f"{one}; allowed: <= or >=") for one in sides]
    if problems:
        raise InputError(dict.fromkeys(problems))
    return wanted, asked


def _tidy(found: Mapping[str, Array], policies: Sequence[str], place: int, name: str) -> pd.DataFrame:
    """Return an outcome as a frame: scenario, policy, member, metric, value."""
    import pandas as pd

    parts = [
        pd.DataFrame(
            {
                "scenario": scenario, "policy": policy, "member": np.arange(values.shape[-1]), "metric": name,
                "value": values[number, place],
            }
        )
        for scenario, values in found.items()
        for number, policy in enumerate(policies)
    ]
    return pd.concat(parts, ignore_index=True)


def _means(found: Mapping[str, Array], policies: Sequence[str], place: int, one: Outcome) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for scenario, values in found.items():
        own = values[:, place]
        spread = own.std(axis=1, ddof=1) if own.shape[1] > 1 else np.zeros(len(own))
        low, high = sampling_error.mean_interval(own.mean(axis=1), spread, own.shape[1], LEVEL)
        rows += [
            {"scenario": scenario, "policy": policy, "outcome": str(one), "unit": one.unit, "mean": mean, "low": a, "high": b}
            for policy, mean, a, b in zip(policies, own.mean(axis=1), low, high, strict=True)
        ]
    return pd.DataFrame(rows)


def _satisficing(frames: Sequence[pd.DataFrame], every: Sequence[Outcome], asked: Sequence[Condition]) -> pd.DataFrame:
    import pandas as pd

    if not asked:
        return pd.DataFrame()
    frame = pd.concat([frames[every.index(one.outcome)].assign(metric=str(one)) for one in asked], ignore_index=True)
    sides = {"<=": AT_MOST, ">=": AT_LEAST}
    return satisficing(frame, {str(one): (sides[one.comparison], one.number) for one in asked})
