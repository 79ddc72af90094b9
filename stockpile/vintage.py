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
from stockpile.tables import Table, is_parameter

BEGINNING = dt.date.min


@dataclass(frozen=True)
class Beside:
    """A value of a conflict group that stands beside the used one."""

    path: str
    unit: str
    point: schema.Point | schema.Plan


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

    A named level, lot, event, campaign or correlation of which no number was known is dropped whole, as is a lot's own lead time or span. A
    parameter that must be there stays with an empty list of points, for the scenario to report.
    """
    eyes = _Eyes(sources, date)
    pruned = {key: eyes.prune(value, (key,)) for key, value in tree.items() if key != "observations"}
    for munition in pruned.get("munitions", {}).values():
        _prune_munition(munition)
    pruned["events"] = dict(_known_events(pruned, eyes))
    pruned["campaigns"] = dict(_known_campaigns(pruned.get("campaigns", {})))
    correlations = {name: group for name, group in pruned["model"].get("correlations", {}).items() if eyes.see(group)}
    replaced = {old for group in correlations.values() for old in group.get("replaces", [])}
    pruned["model"]["correlations"] = {name: group for name, group in correlations.items() if name not in replaced}
    reported = {
        name: schema.Observation.model_validate(table)
        for entries in tree.get("observations", {}).values()
        for name, table in entries.items()
        if eyes.see(table)
    }
    return pruned, Visible(eyes.known, tuple(eyes.beside), reported)


class _Eyes:
    """Sees what had been published by a date, and keeps a list of what stands beside the values in force."""

    def __init__(self, sources: dict[str, schema.Source], date: dt.date) -> None:
        self.sources = sources
        self.known = {name: source for name, source in sources.items() if source.published <= date}
        self.beside: list[Beside] = []

    def see(self, table: Table) -> bool:
        """Tell whether all that a value rests on had been published."""
        names = table.get("source", [])
        return all(name in self.known for name in ([names] if isinstance(names, str) else names))

    def prune(self, node: Any, path: tuple[str, ...]) -> Any:
        """Return a nested table without what is not seen, and with parameters as lists of the points in force."""
        if is_parameter(node):
            return self.parameter(node, path)
        if isinstance(node, dict) and "capacity" in node:
            return {**node, "capacity": self.prune(node["capacity"], (*path, "capacity")), "plans": self.plans(node, path)}
        if isinstance(node, dict):
            return {key: self.prune(value, (*path, key)) for key, value in node.items()}
        return node

    def parameter(self, table: Table, path: tuple[str, ...]) -> Table:
        """Return a parameter with the points in force, sorted by the date from which they hold."""
        if "unit" not in table:
            return dict(table)
        own: Table = {key: table[key] for key in ("unit", "role", "shape") if key in table}
        points = table["points"] if "points" in table else [{key: table[key] for key in table if key not in own}]
        in_force: dict[dt.date, Table] = {}
        beside: list[Table] = []
        for point in sorted(filter(self.see, points), key=lambda item: published(item.get("source", []), self.sources)):
            if point.get("used", True):
                in_force[point.get("from", BEGINNING)] = point
            else:
                beside.append(point)
        self.beside.extend(Beside(".".join(path), own["unit"], schema.Point.model_validate(point)) for point in beside)
        found = [in_force[date] for date in sorted(in_force)]
        return {**own, "points": [_with_alternatives(point, beside) for point in found] if own.get("shape") == "choice" else found}

    def plans(self, part: Table, path: tuple[str, ...]) -> Table:
        """Return the plans of a part that stand: seen, used, and not replaced by a later one."""
        visible = {name: plan for name, plan in part.get("plans", {}).items() if self.see(plan)}
        replaced = {old for plan in visible.values() for old in plan.get("replaces", [])}
        for name, plan in visible.items():
            if not plan.get("used", True):
                self.beside.append(Beside(".".join((*path, "plans", name)), part["capacity"]["unit"], schema.Plan.model_validate(plan)))
        return {name: plan for name, plan in visible.items() if name not in replaced and plan.get("used", True)}


def _with_alternatives(point: Table, beside: list[Table]) -> Table:
    """Return a point of a choice with what stands beside it in its conflict group and holds from the same day."""
    group = [other for other in beside if (other["conflict"], other.get("from")) == (point.get("conflict"), point.get("from"))]
    return {**point, "alternatives": [{"value": other["value"], "weight": other.get("weight", 1.0)} for other in group]}


def weight_of(parameter: Table, beside: Beside) -> tuple[float, float] | None:
    """Return the weight with which draws take a value that stands beside the used ones, and the sum of all; None where none does.

    `parameter` is the table of a resolved scenario at the path of the value.
    """
    if parameter.get("role", "uncertainty") != "uncertainty":
        return None
    own: Any = beside.point
    for point in parameter.get("points", ()):
        others = point.get("alternatives", ())
        same_day = point.get("from", BEGINNING) == (getattr(own, "from_", None) or BEGINNING)
        if others and same_day and point.get("conflict") == own.conflict:
            return weight_in(own.weight), weight_in(point.get("weight")) + sum(other["weight"] for other in others)
    return None


def weight_in(given: float | None) -> float:
    """Return how likely a value of a choice is against the others, which is 1 where its file does not say."""
    return 1.0 if given is None else given


def _prune_munition(munition: Table) -> None:
    for group in ("floors", "requirements"):
        if group in munition:
            munition[group] = {name: level for name, level in munition[group].items() if level["level"]["points"]}
    if munition.get("requirement") not in munition.get("requirements", {}):
        munition.pop("requirement", None)
    lots = munition["line"].get("lots", {})
    munition["line"]["lots"] = {name: _lot(lot) for name, lot in lots.items() if lot["quantity"]["points"]}


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


def _known_campaigns(campaigns: Table) -> Iterator[tuple[str, Table]]:
    for name, campaign in campaigns.items():
        rounds = {munition: number for munition, number in campaign["rounds"].items() if number["points"]}
        if rounds and campaign["rate"]["points"] and campaign["length"]["points"]:
            yield name, {**campaign, "rounds": rounds}


def _known_events(tree: Table, eyes: _Eyes) -> Iterator[tuple[str, Table]]:
    for name, event in tree.get("events", {}).items():
        if event["kind"] == "hold":
            if eyes.see(event):
                yield name, event
            continue
        rounds = {
            munition: factors
            for munition, factors in event.get("rounds", {}).items()
            if all(_has_number(tree, factor) for factor in factors.values())
        }
        if rounds:
            yield name, {**event, "rounds": rounds}
