"""How much of what moved between two scenarios each change moves alone, and how much they move only together."""

from __future__ import annotations

import datetime as dt
import math
import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stockpile import sampling_error
from stockpile.analysis.changes import Change, reach, with_changes
from stockpile.clock import Array
from stockpile.ensembles.folded import Key
from stockpile.ensembles.result import Ensemble
from stockpile.errors import InputError
from stockpile.experiments.lanes import Lanes
from stockpile.metrics import NEVER, rows
from stockpile.results import Result
from stockpile.scenario import Scenario

LEVEL = 0.95
CHANGE = "change_in."
DURATIONS = ("months_below.", "months_to_rebuild.")
"""Metrics in months that are no dates."""
INTERACTION, ROUNDING = "interaction", 1e-9
TOGETHER = " & "
Values = Mapping[Key, Array]
"""Metrics of a scenario: shape (members,), by policy, munition, recipient and metric."""


@dataclass(frozen=True)
class Working:
    """How runs are made: members (0 for central values), seed, engine and threads; moves no number but by members and seed."""

    members: int
    seed: int
    engine: str | None = None
    threads: int | None = None


@dataclass(frozen=True)
class Frame:
    """The time that metrics in months are measured in, the same for both sides: dates count from `start`, what never comes as the end.

    Attributes
    ----------
    start : date
        First month of the first side.
    months : float
        Months from there to the end of the shorter run.
    """

    start: dt.date
    months: float

    @classmethod
    def of(cls, starts: Sequence[dt.date], ends: Sequence[dt.date]) -> Frame:
        """Return the time that runs have in common."""
        return cls(starts[0], _months(starts[0], min(ends)))

    def put(self, found: Values, units: Mapping[Key, str], start: dt.date) -> dict[Key, Array]:
        """Return metrics of a run from `start` with its months counted in this time."""
        return {
            key: np.minimum(values + self.shift(key, units[key], start), self.months) if units[key] == "month" else values
            for key, values in found.items()
        }

    def shift(self, key: Key, unit: str, start: dt.date) -> float:
        """Return what is added to a metric of a run from `start` to count its months in this time: nothing but for dates."""
        return _months(self.start, start) if unit == "month" and not key[3].startswith(DURATIONS) else 0.0


def _months(first: dt.date, last: dt.date) -> float:
    return 12.0 * (last.year - first.year) + last.month - first.month


# ---------------------------------------------------------------- numbers of a scenario or a result


def lanes_of(scenario: Scenario, policies: Sequence[str], work: Working, munitions: Sequence[str]) -> Lanes:
    """Return what runs a scenario for some of its munitions, with draws or central values.

    Raises
    ------
    InputError
        If the scenario cannot be run.
    """
    only = [name for name in scenario.munitions if name in munitions]
    return Lanes(scenario, policies, random=work.members > 0, only=only, engine=work.engine)


def of_lanes(lanes: Lanes, work: Working) -> dict[Key, Array]:
    """Return every metric of a scenario: of each draw, or with central values."""
    keys: list[Key] = []

    def pick(found: Values) -> Array:
        keys[:] = [key for key in found if not key[3].startswith(CHANGE)]
        return np.array([found[key] for key in keys])

    threads = work.threads or os.cpu_count() or 1
    values = lanes.run(lanes.draws(work.seed, max(work.members, 1)), pick, threads=threads)
    return dict(zip(keys, values, strict=True))


def of_made(made: Result | Ensemble) -> tuple[dict[Key, Array] | None, dict[Key, str]]:
    """Return every metric of a result by member, and the units; None where the members' own numbers were not kept."""
    if isinstance(made, Result):
        found = {key: value for key, value in rows(made).items() if not key[3].startswith(CHANGE)}
        return {key: value for key, (value, _) in found.items()}, {key: unit for key, (_, unit) in found.items()}
    units = {key: unit for key, unit in zip(made.keys, made.units, strict=True) if not key[3].startswith(CHANGE)}
    numbers = made.metric_values.numbers
    if numbers is None:
        return None, units
    return {key: numbers[place] for place, key in enumerate(made.keys) if key in units}, units


def estimates_of(made: Result | Ensemble) -> dict[Key, tuple[float, float]]:
    """Return the mean and half the width of its interval of each metric that is finite in every draw; central values have no interval."""
    if isinstance(made, Result):
        return {key: (float(one.mean()), 0.0) for key, one in (of_made(made)[0] or {}).items() if is_finite(one)}
    rows = made.estimates(level=LEVEL).to_dict("records")
    keyed = {(row["policy"], row["munition"], row["recipient"], row["metric"]): row for row in rows if row["share_finite"] == 1.0}
    own = {key: row for key, row in keyed.items() if not key[3].startswith(CHANGE)}
    return {key: (row["mean"], (row["mean_high"] - row["mean_low"]) / 2) for key, row in own.items()}


# ---------------------------------------------------------------- changes


def paired(old: Array, new: Array) -> dict[str, float]:
    """Return the change of a metric, draw by draw: mean, the interval of its Monte Carlo error, and its range over the draws."""
    change = new - old
    mean = float(change.mean())
    low, high = (mean, mean) if len(change) == 1 else _interval(mean, float(change.std(ddof=1)), len(change))
    q05, q50, q95 = map(float, np.quantile(change, (0.05, 0.5, 0.95)))
    return {"change": mean, "low": low, "high": high, "q05": q05, "q50": q50, "q95": q95}


def _interval(mean: float, spread: float, members: int) -> tuple[float, float]:
    low, high = sampling_error.mean_interval(np.array([mean]), np.array([spread]), members, LEVEL)
    return float(low[0]), float(high[0])


@dataclass(frozen=True)
class Step:
    """Changes that are moved together, most often a single one.

    Attributes
    ----------
    changes : tuple of Change
    munitions : tuple of str
        Which they can touch.
    lanes : Lanes or None
        Run the first side with them made; None where they can touch no munition.
    """

    changes: tuple[Change, ...]
    munitions: tuple[str, ...]
    lanes: Lanes | None

    @property
    def name(self) -> str:
        """The paths."""
        return TOGETHER.join(one.path for one in self.changes)


@dataclass(frozen=True)
class Between:
    """Two scenarios, and how runs between them are made.

    Attributes
    ----------
    a, b : Scenario
    policies, munitions : sequence of str
    work : Working
    """

    a: Scenario
    b: Scenario
    policies: Sequence[str]
    munitions: Sequence[str]
    work: Working

    def steps(self, changes: Sequence[Change]) -> tuple[list[Step], list[Change]]:
        """Return the changes as steps that can be made alone, and those that cannot.

        Changes that are refused alone, such as shares that would sum to more than 1, are made together with the others of their munition
        that are refused, else with all of them, else with the settings of the scenario.
        """
        found: list[Step] = []
        left = self._made([(one,) for one in changes], found)
        by_munition: dict[tuple[str, ...], list[Change]] = defaultdict(list)
        for one in left:
            by_munition[reach(one, self.a, self.b)].append(one)
        groups = [tuple(some) for some in by_munition.values()]
        left = [*self._made([some for some in groups if len(some) > 1], found), *(some[0] for some in groups if len(some) == 1)]
        left = self._made([tuple(left)], found) if len(left) > 1 else left
        settings = [step for step in found if all(one.kind == "setting" and one.steps[0] == "scenario" for one in step.changes)]
        if left and settings:
            joint = (*(one for step in settings for one in step.changes), *left)
            left = self._made([joint], found)
            found = found if left else [step for step in found if step not in settings]
        return found, left

    def _made(self, groups: Sequence[tuple[Change, ...]], into: list[Step]) -> list[Change]:
        """Add the steps that can be made to `into`, and return the changes of the others."""
        refused: list[Change] = []
        for some in groups:
            touched = {name for one in some for name in reach(one, self.a, self.b)}
            munitions = tuple(name for name in self.munitions if name in touched)
            try:
                scenario = with_changes(self.a, self.b, some)
                into.append(Step(some, munitions, lanes_of(scenario, self.policies, self.work, munitions) if munitions else None))
            except InputError:
                refused.extend(some)
        return refused


def alone(
    found: Sequence[Step], before: Values, wanted: Sequence[Key], work: Working, put: Callable[..., Values], told: Callable[[int], None]
) -> list[tuple[str, Key, dict[str, float]]]:
    """Return by how much each step moves each metric by itself: its name, the metric and the change.

    Parameters
    ----------
    found : sequence of Step
    before : mapping
        Metrics of the first side.
    wanted : sequence of Key
        Metrics that are asked about.
    work : Working
    put : callable
        Puts metrics of a scenario into the time of the comparison.
    told : callable
        Is called with how far it is [per cent].
    """
    result = []
    for number, step in enumerate(found, 1):
        keys = [key for key in wanted if key[1] in step.munitions]
        after = put(of_lanes(step.lanes, work), step.lanes.scenario) if keys and step.lanes else {}
        for key in keys:
            moved = paired(before[key], after[key]) if key in after else None
            if moved and max(abs(moved["low"]), abs(moved["high"])) > ROUNDING * max(1.0, abs(float(before[key].mean()))):
                result.append((step.name, key, moved))
        told(100 * number // len(found))
    return result


def rest(whole: float, parts: Sequence[float]) -> float:
    """Return what changes move only together: the whole less what each moves alone."""
    return math.fsum([whole, *(-one for one in parts)])


def is_finite(values: Array) -> bool:
    """Tell whether a metric comes in every draw."""
    return bool((values < NEVER).all())
