"""Changes to a resolved table: by path, each giving a new table and leaving the old one alone."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stockpile import schema, units
from stockpile.errors import nearest
from stockpile.faults import allowed_keys
from stockpile.params import FILES, FOLDERS
from stockpile.tables import Table, is_parameter
from stockpile.vintage import BEGINNING

OPERATIONS = ("value", "scale", "add", "at")
OF_A_SCENARIO = ("title", "description", "start", "end", "substeps", "method", "money_year", "policies")
"""Settings of a scenario that can be changed; the others say which files are read, and how."""
INSTEAD = {"length": ("end",), "end": ("length",)}
"""Keys of a suspension that go when another one is set."""
_ONE = {"value": 1.0, "grade": "assumed", "note": "scaled by the user or the scenario"}
UNITY: Table = {"unit": "1", "role": "constant", "points": [_ONE]}
"""A factor to scale a product by that has no rate of its own, only references."""


class WrongPath(ValueError):
    """A path that leads nowhere, or a change that does not fit what stands there."""


@dataclass(frozen=True)
class Setting:
    """One change: `operation` (value, scale, add, at) with `amount` at `path`, from `start` on."""

    path: str
    operation: str
    amount: Any
    start: dt.date | None = None
    again: bool = False


def setting(path: str, amount: Any) -> Setting:
    """Return the setting that a path with its new value means.

    A value is a plain one, or a table with one of value, scale, add, at, and perhaps `from` and `again`. A path may also
    end in ``.scale``, ``.add`` or ``.at``, with a plain value or such a table.

    Raises
    ------
    WrongPath
        If the table has other keys, or `from` is no date.
    """
    stem, _, last = path.rpartition(".")
    if not isinstance(amount, Mapping):
        return Setting(stem, last, amount) if last in OPERATIONS[1:] else Setting(path, "value", amount)
    given = [key for key in OPERATIONS if key in amount]
    path = stem if [last] == given else path
    if len(given) != 1 or set(amount) - {*OPERATIONS, "from", "again"}:
        raise WrongPath(f"{path}: {', '.join(amount)}; allowed: exactly one of {', '.join(OPERATIONS)}, and perhaps from and again")
    if "from" in amount and not schema.is_day(amount["from"]):
        raise WrongPath(f"{path}: from {amount['from']!r} is no date; allowed: a date")
    return Setting(path, given[0], amount[given[0]], amount.get("from"), amount.get("again", False))


def touches(pattern: str, path: str) -> bool:
    """Tell whether a change at `pattern` reaches `path`: it is that path or one that it stands in; `*` is any one name."""
    steps, given = pattern.split("."), path.split(".")
    return len(steps) <= len(given) and all(step in ("*", name) for step, name in zip(steps, given, strict=False))


def apply_all(tree: Table, settings: Sequence[Setting]) -> tuple[Table, list[tuple[int, str]]]:
    """Return a copy of `tree` with all changes made in order, and what is wrong with them: the number of the change, and a message.

    What can be wrong: a path that leads nowhere (the message names the nearest known one), a change that does not fit what
    stands there, and a second change of a path that does not say `again`.
    """
    result: Table = copy.deepcopy(tree)
    done: set[tuple[str, ...]] = set()
    faults = []
    for number, one in enumerate(settings):
        try:
            paths = list(_expand(result, one.path.split("."), ()))
            for path in paths:
                if not one.again and any(path[: len(old)] == old[: len(path)] for old in done):
                    raise WrongPath(f"{'.'.join(path)}: is changed twice; allowed: once, or `again = true` where one comes on top")
                _change(result, path, one)
            done.update(paths)
        except WrongPath as error:
            faults.append((number, str(error)))
    return result, faults


def reached(tree: Table, path: str) -> list[tuple[str, Any]]:
    """Return every path that `path` stands for (`*` being any one name), with what stands there.

    Raises
    ------
    WrongPath
        If it leads nowhere.
    """
    found = []
    for steps in _expand(tree, path.split("."), ()):
        node: Any = tree
        for number, step in enumerate(steps):
            node = _child(node, step, steps[:number])
        found.append((".".join(steps), node))
    return found


def _expand(node: Any, rest: list[str], done: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if "*" not in rest:
        yield (*done, *rest)
        return
    star = rest.index("*")
    for step in rest[:star]:
        node = _child(node, step, done)
        done = (*done, step)
    tables = [name for name, child in node.items() if isinstance(child, dict)] if isinstance(node, dict) else []
    if not tables:
        raise WrongPath(f"{'.'.join((*done, *rest[star:]))}: there is nothing that * could stand for; allowed: a group of parameters")
    for name in tables:
        yield from _expand(node[name], rest[star + 1 :], (*done, name))


def _child(node: Any, step: str, done: tuple[str, ...]) -> Any:
    if isinstance(node, dict) and step in node:
        return node[step]
    if isinstance(node, list) and step.isdigit() and int(step) < len(node):
        return node[int(step)]
    known = list(node) if isinstance(node, dict) else [str(number) for number in range(len(node))] if isinstance(node, list) else []
    place = ".".join(done) or "the parameters"
    raise WrongPath(f"{'.'.join((*done, step))}: unknown path; in {place} there is no {step!r}; {nearest(step, known)}")


def _change(tree: Table, path: tuple[str, ...], setting: Setting) -> None:
    parent, path = _parent(tree, path)
    last = path[-1]
    if isinstance(parent, dict) and last not in parent and last in _may_have(path[:-1]):
        parent[last] = None
    node = _child(parent, last, path[:-1])
    if isinstance(node, dict) and "level" in node and is_parameter(node["level"]):
        _change(tree, (*path, "level"), setting)
    elif is_parameter(node):
        parent[last] = _parameter(node, setting)
        if last == "capacity":
            _plans(parent, setting)
    elif isinstance(node, dict) and _is_product(path) and all(is_parameter(child) for child in node.values()):
        parent[last] = _product(node, setting)
    elif isinstance(node, dict):
        raise WrongPath(f"{'.'.join(path)}: is a group, not a value; allowed: {', '.join(sorted(node))}")
    elif setting.operation != "value" or setting.start is not None:
        raise WrongPath(f"{'.'.join(path)}: is no parameter, so it can only be set to a value")
    else:
        _key(parent, last)
        for other in INSTEAD.get(last, ()):
            if isinstance(parent, dict) and "start" in parent:
                parent.pop(other, None)
        parent[int(last) if isinstance(parent, list) else last] = copy.deepcopy(setting.amount)


def _is_product(path: tuple[str, ...]) -> bool:
    """Tell whether factors stand at a path: a recipient's need, or an event's rounds of a munition."""
    return (path[0], len(path), path[-1]) == ("recipients", 4, "need") or (path[0], len(path), path[2:3]) == ("events", 4, ("rounds",))


def _parent(tree: Table, path: tuple[str, ...]) -> tuple[Any, tuple[str, ...]]:
    """Return the table that holds what is to be changed, and its path: ``value`` after a parameter stands for the parameter."""
    dotted = ".".join(path)
    if path[0] == "scenario" and (len(path) != 2 or path[1] not in OF_A_SCENARIO):
        raise WrongPath(f"{dotted}: takes a scenario file of its own; {nearest(path[-1], OF_A_SCENARIO)}")
    parent: Any = tree
    for number, step in enumerate(path[:-1]):
        around, parent = parent, _child(parent, step, path[:number])
        if is_parameter(parent):
            whole = path[: number + 1]
            if path[number + 1 :] != ("value",):
                raise WrongPath(f"{dotted}: stands inside a parameter; allowed: {'.'.join(whole)}, alone or with .scale, .add or .at")
            return around, whole
    return parent, path


def _key(parent: Any, last: str) -> None:
    if not isinstance(parent, dict | list):
        raise WrongPath(f"{last}: unknown path")


def _may_have(path: tuple[str, ...]) -> list[str]:
    """Return the keys that the schema allows in the table at `path`, so that one left to its default can be set."""
    loc = [int(step) if step.isdigit() else step for step in path]
    if path and path[0] in FOLDERS:
        return allowed_keys(FOLDERS[path[0]], loc[2:])
    if path and path[0] in FILES:
        return allowed_keys(FILES[path[0]], loc[1:])
    return allowed_keys(schema.Scenario, loc[1:]) if path and path[0] == "scenario" else []


def _number(setting: Setting) -> float:
    if isinstance(setting.amount, bool) or not isinstance(setting.amount, int | float):
        raise WrongPath(f"{setting.path}: {setting.operation} {setting.amount!r} is not a number; allowed: a number")
    return float(setting.amount)


def _point(point: Table, setting: Setting) -> Table:
    """Return a point of a parameter after the change."""
    if setting.operation == "at":
        if setting.amount not in ("low", "high"):
            raise WrongPath(f"{setting.path}: at {setting.amount!r}; allowed: low, high")
        if point.get(setting.amount) is None:
            raise WrongPath(f"{setting.path}: has no range, so it cannot be set at its {setting.amount} end; allowed: value, scale, add")
        return _pinned(point[setting.amount], point, f"set at the {setting.amount} end of its range")
    number = _number(setting)
    if setting.operation == "value":
        return _pinned(number, point, "set by the user or the scenario")
    new = dict(point)
    for key in ("value", "low", "high"):
        if point.get(key) is not None:
            new[key] = _moved(point[key], setting)
    if "alternatives" in point:
        new["alternatives"] = [{**other, "value": _moved(other["value"], setting)} for other in point["alternatives"]]
    return new


def _moved(value: float, setting: Setting) -> float:
    return value * _number(setting) if setting.operation == "scale" else value + _number(setting)


def _pinned(value: float, point: Table, note: str) -> Table:
    kept: Table = {key: point[key] for key in ("from", "source", "by") if key in point}
    return {**kept, "value": value, "grade": "assumed", "note": note}


def _parameter(table: Table, setting: Setting) -> Table:
    if "points" not in table:
        raise WrongPath(f"{setting.path}: refers to another parameter; allowed: change {table.get('same_as') or table.get('one_minus')}")
    points = table["points"]
    if setting.start is None:
        if setting.operation == "value" and points:
            new = [{key: value for key, value in _point(points[0], setting).items() if key != "from"}]
        else:
            new = [_point(point, setting) for point in points]
    else:
        before = [point for point in points if point.get("from", BEGINNING) < setting.start]
        later = [point for point in points if point.get("from", BEGINNING) >= setting.start]
        turning = [] if any(p["from"] == setting.start for p in later) or not before else [{**before[-1], "from": setting.start}]
        changed = [_point(point, setting) for point in [*turning, *later]]
        new = [{"from": BEGINNING, **point} for point in before] + (changed[:1] if setting.operation == "value" else changed)
    ranged = any(point.get("low") is not None or "alternatives" in point for point in new)
    return {key: value for key, value in table.items() if key != "points" and (key != "shape" or ranged)} | {"points": new}


def _plans(part: Table, setting: Setting) -> None:
    """A capacity that is pinned has no plans any more; a scaled one has its plans scaled."""
    plans: Table = part.get("plans", {})
    if setting.operation == "value":
        part["plans"] = {key: plan for key, plan in plans.items() if setting.start is not None and plan["by"] < setting.start}
    elif setting.operation in ("scale", "add"):
        start = setting.start or BEGINNING
        part["plans"] = {key: _point(plan, setting) if plan["by"] >= start else plan for key, plan in plans.items()}


def _product(factors: Table, setting: Setting) -> Table:
    """Return the factors of a quantity after a change to their product."""
    own = {name: units.find(factor.get("unit", "1")) for name, factor in factors.items()}
    rated = next((name for name, unit in own.items() if unit is not None and unit.dimension != "number"), "scaled_by")
    if setting.operation == "scale":
        return {**factors, rated: _parameter(factors.get(rated, UNITY), setting)}
    if setting.operation == "value" and setting.start is None:
        per_month = any(unit is not None and unit.dimension.endswith("per month") for unit in own.values())
        point = {"value": _number(setting), "grade": "assumed", "note": "set by the user or the scenario"}
        return {"rounds": {"unit": "round/month" if per_month else "round", "points": [point]}}
    raise WrongPath(f"{setting.path}: is a product of {', '.join(factors)}; allowed: value, scale, or a change to one factor")
