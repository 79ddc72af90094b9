"""What a varied path means for a run: a number in a lane, another policy, or another scenario.

Numbers at parameters are given lane by lane, so that a million of them cost no more than as many draws. Policies are cases side
by side on the same draws. All else (dates, lists, settings, and numbers that decide how a run is laid out) makes a scenario
of its own, which is worked out once for all points that share it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockpile import overrides, schema
from stockpile.clock import Clock
from stockpile.draws import Lever
from stockpile.errors import InputError, Problem
from stockpile.scenario import Scenario
from stockpile.tables import is_parameter
from stockpile.times import check_steps

LAID_OUT_BY = ("model.times", "model.commit", "munitions.*.loss_rate", "campaigns.*.length")
"""Numbers that decide more than a value: how long steps may be, how far a campaign may reach."""
NUMBERS = ("munitions", "recipients", "events", "campaigns", "model")
"""Where numbers stand that lanes can be given."""
CORNERS = 64
"""Most points with least and largest values alone that are tried before a run."""
SHOWN = 3
"""Most varied paths for which a fault tells the values of the others."""
Value = float | int | str | bool | dt.date | None
"""A value at a path; None leaves the scenario's own."""


@dataclass(frozen=True, eq=False)
class Varied:
    """A path and its values, one a point.

    Attributes
    ----------
    path : str
    known : tuple
        The different values; None leaves the scenario's own.
    codes : array of int, shape (points,)
        Which of them each point has.
    kind : {"lane", "policy", "structure"}
    """

    path: str
    known: tuple[Value, ...]
    codes: NDArray[np.intp]
    kind: str

    def __len__(self) -> int:
        return len(self.codes)

    def at(self, point: int) -> Value:
        """Return the value of a point."""
        return self.known[int(self.codes[point])]

    def numbers(self, points: Sequence[int] | NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the values of some points as numbers, of a path given lane by lane."""
        known = np.array([np.nan if value is None else value for value in self.known], dtype=np.float64)
        found: NDArray[np.float64] = known[self.codes[np.asarray(points, dtype=np.intp)]]
        return found

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Which points leave the scenario's own value."""
        return np.array([value is None for value in self.known])[self.codes]

    @property
    def lever(self) -> Lever:
        """The lever of a path given lane by lane."""
        one = overrides.setting(self.path, 0.0)
        return Lever(one.path, one.operation == "scale")


def varied(scenario: Scenario, columns: Mapping[str, Sequence[Value]]) -> tuple[Varied, ...]:
    """Return each path with its kind.

    Raises
    ------
    InputError
        With every path that leads nowhere, every value that does not fit, and paths that reach the same value.
    """
    problems = list(_overlaps(columns))
    different = {path: _different(values) for path, values in columns.items()}
    if problems:
        raise InputError(problems)
    items = tuple(Varied(path, known, codes, "structure") for path, (known, codes) in different.items())
    _check(scenario, items)
    return tuple(replace(item, kind=_kind(scenario, item.path, [value for value in item.known if value is not None])) for item in items)


def _different(values: Sequence[Value]) -> tuple[tuple[Value, ...], NDArray[np.intp]]:
    """Return the different values, and which of them each point has; a column that knows them already says so itself."""
    if hasattr(values, "codes") and hasattr(values, "values"):
        return tuple(values.values), np.asarray(values.codes, dtype=np.intp)
    places: dict[tuple[str, Value], int] = {}
    codes = [places.setdefault((type(value).__name__, value), len(places)) for value in values]
    return tuple(value for _, value in places), np.array(codes, dtype=np.intp)


def changes(items: Sequence[Varied], point: int) -> dict[str, Value]:
    """Return the changes of a point, as `Scenario.override` takes them."""
    return {item.path: item.at(point) for item in items if item.at(point) is not None}


def _kind(scenario: Scenario, path: str, given: list[Any]) -> str:
    one = overrides.setting(path, given[0] if given else 0.0)
    root = one.path.split(".")[0]
    if root == "policies":
        return "policy"
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in given)
    plain = one.operation in ("value", "scale") and one.start is None and not isinstance(given[0] if given else 0.0, Mapping)
    laid_out = any(overrides.touches(one.path, other) or overrides.touches(other, one.path) for other in LAID_OUT_BY)
    if root not in NUMBERS or not numbers or not plain or laid_out:
        return "structure"
    try:
        nodes = [node for _, node in overrides.reached(scenario.tree, one.path)]
    except overrides.WrongPath:
        return "structure"
    values_only = all(is_parameter(node) or (isinstance(node, dict) and is_parameter(node.get("level"))) for node in nodes)
    if one.operation == "scale":
        # Plans are scaled with the capacity they are for.
        alone = one.path.rsplit(".", 1)[-1] != "capacity"
        return "lane" if values_only and alone and all(map(_stays_inside, nodes)) else "structure"
    return "lane" if values_only or all(isinstance(node, dict) for node in nodes) else "structure"


def _stays_inside(node: Any) -> bool:
    """Tell whether a number's draws may be multiplied: not where they are cut at a bound, which would move with them."""
    table = node if is_parameter(node) else node["level"]
    return table.get("shape") not in ("normal", "lognormal")


def _overlaps(columns: Mapping[str, Sequence[Value]]) -> list[Problem]:
    paths = list(columns)
    stems = [overrides.setting(path, 0.0).path for path in paths]
    return [
        Problem("vary", 0, 0, paths[second], f"reaches the same value as {paths[first]}; allowed: each value varied once")
        for second in range(len(paths))
        for first in range(second)
        if overrides.touches(stems[first], stems[second]) or overrides.touches(stems[second], stems[first])
    ]


def _check(scenario: Scenario, items: Sequence[Varied]) -> None:
    """Refuse values that cannot be: points at the ends of what is varied are tried, since what is allowed is a range.

    Raises
    ------
    InputError
        With every fault found.
    """
    found: dict[str, Problem] = {}
    right = []
    for item in items:
        wrong = _wrong_path(scenario, item)
        if wrong:
            found[item.path] = wrong
        else:
            right.append(item)
    for point in _telling(right):
        given = changes(right, point)
        try:
            changed = scenario.override(given)
            check_steps(changed, _clock(changed))
        except InputError as error:
            for problem in error.problems:
                fault = _fault(problem, given)
                found.setdefault(f"{fault.key} {problem.message}", fault)
    if found:
        raise InputError(found.values())


def _wrong_path(scenario: Scenario, item: Varied) -> Problem | None:
    """Return what is wrong with a path whatever its value."""
    value = next((value for value in item.known if value is not None), 0.0)
    _, faults = overrides.apply_all(scenario.tree, [overrides.setting(item.path, value)])
    return Problem("vary", 0, 0, item.path, faults[0][1].removeprefix(f"{item.path}: ")) if faults else None


def _clock(scenario: Scenario) -> Clock:
    settings = scenario.settings
    assert settings.start and settings.end and settings.substeps
    return Clock(settings.start, settings.end, settings.substeps)


def _fault(problem: Problem, given: Mapping[str, Value]) -> Problem:
    """Return a fault of a point as one of what is varied, with the value that made it."""
    named = [path for path in given if problem.key and overrides.touches(overrides.setting(path, 0.0).path, problem.key)]
    named = named or [path for path in given if path in problem.message]
    said = f"{given[named[0]]}: " if named else ""
    others = ", ".join(f"{path} = {value}" for path, value in given.items() if path not in named[:1])
    beside = f" (with {others})" if others and len(given) <= SHOWN else ""
    return Problem("vary", 0, 0, named[0] if named else "", f"{said}{problem.message}{beside}")


def _telling(items: Sequence[Varied]) -> list[int]:
    """Return points to try: for each path one with its least and one with its largest number, all other values, and corners."""
    points: dict[int, None] = {}
    ends = np.ones(len(items[0]) if items else 0, dtype=bool)
    for item in items:
        places = _ends(item)
        _, first = np.unique(item.codes, return_index=True)
        points |= dict.fromkeys(int(first[place]) for place in places)
        ends &= np.isin(item.codes, places)
    corners = np.flatnonzero(ends)
    points |= dict.fromkeys(map(int, corners[np.linspace(0, len(corners) - 1, min(CORNERS, len(corners))).astype(int)]))
    return list(points)


def _ends(item: Varied) -> list[int]:
    """Return the codes of the least and the largest number of a path, and of all that is no number."""
    numbers = {code: value for code, value in enumerate(item.known) if isinstance(value, int | float) and not isinstance(value, bool)}
    others = [code for code, value in enumerate(item.known) if value is not None and code not in numbers]
    return [*dict.fromkeys([min(numbers, key=lambda c: numbers[c]), max(numbers, key=lambda c: numbers[c])] if numbers else []), *others]


def variants(
    scenario: Scenario, items: Sequence[Varied], keys: Sequence[int], policies: Sequence[str]
) -> tuple[Scenario, list[dict[str, str]]]:
    """Return a scenario that has each policy as each of some points has it, and for each of these points the names by policy.

    Parameters
    ----------
    scenario : Scenario
    items : sequence of Varied
        Of kind ``policy``.
    keys : sequence of int
        Points.
    policies : sequence of str
        Policies that are run.
    """
    known: dict[str, dict[str, schema.Policy]] = {name: {name: scenario.policies[name]} for name in policies}
    found = []
    for point in keys:
        changed = scenario.override(changes(items, point)) if items else scenario
        names = {}
        for policy in policies:
            own = changed.policies[policy]
            same = next((name for name, other in known[policy].items() if other == own), None)
            names[policy] = same or f"{policy}~{len(known[policy])}"
            known[policy][names[policy]] = own
        found.append(names)
    everything = {name: policy for variants_ in known.values() for name, policy in variants_.items()}
    return scenario.with_policies(everything), found
