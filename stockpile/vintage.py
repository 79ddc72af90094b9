"""What was known when: drops from the files everything published after a date.

Works on the nested table of all files (`ParamSet.tree`) and gives a new one in which every parameter is a list of the
points in force, sorted by the date from which they hold. Nothing later can be reached from it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stockpile import schema
from stockpile.params import Table, is_parameter

BEGINNING = dt.date.min


@dataclass(frozen=True)
class Beside:
    """A value of a conflict group that stands beside the used one."""

    path: str
    unit: str
    point: schema.Point


@dataclass(frozen=True)
class Visible:
    """What was known besides the values in force.

    Attributes
    ----------
    sources : dict
        The sources published by then.
    beside : tuple of Beside
        Values of conflict groups that stand beside the used ones.
    observations : dict
        What had been reported, by name.
    """

    sources: dict[str, schema.Source]
    beside: tuple[Beside, ...]
    observations: dict[str, schema.Observation]


def published(names: Any, sources: dict[str, schema.Source]) -> dt.date:
    """Return when something that rests on the sources `names` became known: the latest of them."""
    keys = [names] if isinstance(names, str) else names
    return max((sources[key].published for key in keys), default=BEGINNING)


def as_of(tree: Table, sources: dict[str, schema.Source], date: dt.date) -> tuple[Table, Visible]:
    """Return what was known on `date` (inclusive): the table of values in force, and what stands beside it.

    A named level, lot or event of which no number was known is dropped whole, as is a lot's own lead time or span. A
    parameter that must be there stays
    with an empty list of points, for the scenario to report.
    """
    known = {name: source for name, source in sources.items() if source.published <= date}
    beside: list[Beside] = []
    pruned = {key: _prune(value, (key,), known, sources, beside) for key, value in tree.items() if key != "observations"}
    for munition in pruned.get("munitions", {}).values():
        _prune_munition(munition)
    pruned["events"] = dict(_known_events(pruned, known))
    reported = {
        name: schema.Observation.model_validate(table)
        for entries in tree.get("observations", {}).values()
        for name, table in entries.items()
        if _visible(table, known)
    }
    return pruned, Visible(known, tuple(beside), reported)


def _visible(table: Table, known: dict[str, schema.Source]) -> bool:
    names = table.get("source", [])
    return all(name in known for name in ([names] if isinstance(names, str) else names))


def _prune(
    node: Any, path: tuple[str, ...], known: dict[str, schema.Source], sources: dict[str, schema.Source], beside: list[Beside]
) -> Any:
    if is_parameter(node):
        return _parameter(node, path, known, sources, beside)
    if isinstance(node, dict):
        return {key: _prune(value, (*path, key), known, sources, beside) for key, value in node.items()}
    if isinstance(node, list):
        kept = [item for item in node if not (isinstance(item, dict) and "grade" in item) or _visible(item, known)]
        return [_prune(item, (*path, str(number)), known, sources, beside) for number, item in enumerate(kept)]
    return node


def _parameter(
    table: Table, path: tuple[str, ...], known: dict[str, schema.Source], sources: dict[str, schema.Source], beside: list[Beside]
) -> Table:
    if "unit" not in table:
        return dict(table)
    own: Table = {key: table[key] for key in ("unit", "role", "shape") if key in table}
    points = table["points"] if "points" in table else [{key: table[key] for key in table if key not in own}]
    visible = [point for point in points if _visible(point, known)]
    used = [point for point in visible if point.get("used", True)]
    beside.extend(Beside(".".join(path), own["unit"], schema.Point.model_validate(p)) for p in visible if not p.get("used", True))
    in_force: dict[dt.date, Table] = {}
    for point in sorted(used, key=lambda p: published(p.get("source", []), sources)):
        in_force[point.get("from", BEGINNING)] = point
    return {**own, "points": [in_force[date] for date in sorted(in_force)]}


def _prune_munition(munition: Table) -> None:
    for group in ("floors", "requirements"):
        if group in munition:
            munition[group] = {name: level for name, level in munition[group].items() if level["level"]["points"]}
    if munition.get("requirement") not in munition.get("requirements", {}):
        munition.pop("requirement", None)
    lots = munition["line"].get("lots", {})
    munition["line"]["lots"] = {name: _lot(lot) for name, lot in lots.items() if lot["quantity"]["points"]}
    for part in munition["line"]["parts"].values():
        replaced = {old for plan in part.get("plans", []) for old in plan.get("replaces", [])}
        part["plans"] = [plan for plan in part.get("plans", []) if plan["name"] not in replaced and plan.get("used", True)]


def _lot(lot: Table) -> Table:
    """Return a lot without a lead time or span of its own of which nothing was known: the munition's stands in."""
    return {key: value for key, value in lot.items() if not is_parameter(value) or value["points"]}


def _has_number(tree: Table, factor: Table) -> bool:
    """Tell whether a factor has a point that was known, itself or where it refers to."""
    if "unit" in factor:
        return bool(factor["points"])
    node: Any = tree
    for step in (factor.get("same_as") or factor.get("one_minus") or "").split("."):
        node = node.get(step, {}) if isinstance(node, dict) else {}
    return bool(node.get("points"))


def _known_events(tree: Table, known: dict[str, schema.Source]) -> Iterator[tuple[str, Table]]:
    for name, event in tree.get("events", {}).items():
        if event["kind"] == "hold":
            if _visible(event, known):
                yield name, event
            continue
        rounds = {
            munition: factors
            for munition, factors in event.get("rounds", {}).items()
            if all(_has_number(tree, factor) for factor in factors.values())
        }
        if rounds:
            yield name, {**event, "rounds": rounds}
