"""When a policy fails: the part of what is uncertain, and of what is chosen, in which most of the failures lie."""

from __future__ import annotations

import operator
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stockpile.analysis.boxes import Boxes, Search, boxes, how_often, in_words
from stockpile.analysis.labels import labels
from stockpile.clock import Array
from stockpile.errors import InputError, nearest
from stockpile.experiments.factors import CAMPAIGNS, drawn
from stockpile.experiments.lanes import Lanes, Progress
from stockpile.experiments.outcomes import STOCK, Outcome, edge_of, outcome
from stockpile.experiments.varied import Varied, changes, variants, varied
from stockpile.metrics import BASELINE
from stockpile.scenario import Scenario
from stockpile.simulate import manifest
from stockpile.sweep.designs import design

if TYPE_CHECKING:
    import pandas as pd

COMPARISONS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
VARIANTS = 64
"""Most different settings of the policies."""


@dataclass(frozen=True)
class Condition:
    """An outcome compared with a number, for example ``pac3:depth_below.transfer_floor > 0``."""

    outcome: Outcome
    comparison: str
    number: float

    def __str__(self) -> str:
        return f"{self.outcome} {self.comparison} {self.number:g}"

    def holds(self, values: Array) -> NDArray[np.bool_]:
        """Tell for which values of the outcome it holds."""
        found: NDArray[np.bool_] = COMPARISONS[self.comparison](values, self.number)
        return found


def condition(text: str, scenario: Scenario) -> Condition:
    """Return the condition that a text names.

    Raises
    ------
    InputError
        For a text without comparison, and as `outcome`.
    """
    parts = re.split(r"\s*(>=|<=|>|<)\s*", text.strip())
    try:
        number = float(parts[2]) if len(parts) == 3 else np.nan
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        example = "pac3:depth_below.transfer_floor > 0"
        message = f"{text!r}; allowed: an outcome, one of {', '.join(COMPARISONS)}, and a number, for example {example!r}"
        raise InputError.one("condition", message, file="condition")
    return Condition(outcome(parts[0], scenario), parts[1], number)


@dataclass(frozen=True)
class Discovery:
    """Where a policy fails.

    Attributes
    ----------
    policy, condition : str
        What was run, and what counts as failing.
    boxes : Boxes
    table : pandas.DataFrame
        A row a limit of a box, with unit and label.
    trajectory : pandas.DataFrame
        For each box the peeling: coverage, density, mass, dimensions.
    stability : pandas.DataFrame
        How often an input is restricted when a random half of the draws is looked at.
    words : tuple of str
        A sentence a box.
    inputs : pandas.DataFrame
        What was drawn and varied, a row a case, and ``fails``.
    manifest : dict
    """

    policy: str
    condition: str
    boxes: Boxes
    table: pd.DataFrame
    trajectory: pd.DataFrame
    stability: pd.DataFrame
    words: tuple[str, ...]
    inputs: pd.DataFrame = field(repr=False)
    manifest: dict[str, Any] = field(repr=False)


def discover(  # noqa: PLR0913 - the names that users give
    scenario: Scenario,
    fails: str,
    policy: str = BASELINE,
    *,
    vary: Mapping[str, Any] | None = None,
    members: int = 4000,
    seed: int = 1,
    search: Search | None = None,
    engine: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Discovery:
    """Return boxes of what is uncertain, and of what is varied, in which a policy fails most.

    Parameters
    ----------
    scenario : Scenario
    fails : str
        What counts as failing, for example ``pac3:depth_below.transfer_floor > 0``.
    policy : str
    vary : mapping, optional
        Paths with a range (``"low:high"``) or a list of values, spread evenly beside the draws (Latin hypercube): numbers,
        and fields of the policy with at most `VARIANTS` different values.
    members, seed : int
        Draws, one a case.
    search : Search, optional
        How boxes are looked for.
    engine, threads, progress
        As of `ensemble`.

    Raises
    ------
    InputError
        For a condition, policy or path that cannot be.
    """
    import pandas as pd

    said = condition(fails, scenario)
    items = varied(scenario, dict(design(vary, "lhs", members, seed).columns)) if vary else ()
    lanes, names = _lanes(scenario, said.outcome, policy, items, engine)
    names = names or [policy] * members
    draws = lanes.draws(seed, members)
    levers = {item.lever.path: item.numbers(range(members)) for item in items if item.kind == "lane"}

    def given(first: int, count: int) -> dict[str, Array]:
        return {path: numbers[first : first + count] for path, numbers in levers.items()}

    chosen = lanes.design(draws.source, members, given, name="random", seed=seed)
    every = sorted(set(names))
    values = lanes.run(
        chosen, lambda block: np.array([said.outcome.of(block, lanes, name) for name in every]), threads=threads or os.cpu_count() or 1,
        progress=progress,
    )
    failing = said.holds(values[np.searchsorted(every, names), np.arange(members)])
    inputs = pd.DataFrame(drawn(lanes, draws.uniforms(0, members)))
    inputs = inputs.loc[:, inputs.nunique() > 1]
    inputs = inputs.astype({name: "int64" for name in inputs.columns if name.startswith(CAMPAIGNS) and name.count(".") == 1})
    for item in items:
        inputs[item.path] = [item.at(case) for case in range(members)]
    found = boxes(inputs, failing, search)
    label, unit = labels(scenario, list(inputs.columns))
    table = found.table()
    table["label"], table["unit"] = table["column"].map(label), table["column"].map(unit)
    trajectories = [box.trajectory.assign(box=box.number) for box in found.found]
    return Discovery(
        policy=policy,
        condition=str(said),
        boxes=found,
        table=table,
        trajectory=pd.concat(trajectories, ignore_index=True) if trajectories else pd.DataFrame(),
        stability=how_often(inputs, failing, search, seed=seed),
        words=tuple(in_words(box, label, unit) for box in found.found),
        inputs=inputs.assign(fails=failing),
        manifest=manifest(scenario, (policy,)) | {"members": members, "seed": seed},
    )


def _lanes(
    scenario: Scenario, wanted: Outcome, policy: str, items: tuple[Varied, ...], engine: str | None
) -> tuple[Lanes, list[str]]:
    """Return the lanes of a discovery, and for each the name of its policy."""
    if policy not in scenario.policies:
        raise InputError.one("policy", f"unknown policy {policy!r}; {nearest(policy, scenario.policies)}", file="discover")
    apart = [item for item in items if item.kind == "policy"]
    wrong = [item.path for item in items if item.kind == "structure"]
    keys = [tuple(item.at(case) for item in apart) for case in range(len(apart[0]))] if apart else []
    first = {key: number for number, key in reversed(list(enumerate(keys)))}
    if wrong:
        raise InputError.one("vary", f"{wrong[0]} makes a scenario of its own; allowed: numbers, and fields of policies", file="discover")
    if len(first) > VARIANTS:
        message = f"{len(first)} different settings of the policy; allowed: at most {VARIANTS}, for example with a list of values or a step"
        raise InputError.one("vary", message, file="discover")
    steady = [item for item in items if item.kind == "lane" and not item.lever.scales]
    shared = scenario.override(changes(steady, 0)) if steady else scenario
    made, found = variants(shared, apart, list(first.values()), [policy])
    names = dict(zip(first, (one[policy] for one in found), strict=True))
    more = [BASELINE] if wanted.is_change and BASELINE not in names.values() else []
    edges = [edge_of(wanted.date, scenario)] if wanted.plain == STOCK else []
    levers = tuple(item.lever for item in items if item.kind == "lane")
    run = list(dict.fromkeys([*(names.values() if apart else [policy]), *more]))
    lanes = Lanes(made, run, levers=levers, edges=edges, only=[wanted.munition], engine=engine)
    return lanes, [names[key] for key in keys] if apart else []
