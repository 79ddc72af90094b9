"""Rules across files about what an ensemble draws: choices between conflicting values, and groups that move together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from stockpile import schema
from stockpile.errors import Problem, nearest
from stockpile.known import Known, Path, Said
from stockpile.tables import parameters

DRAWN = ("model", "munitions", "recipients", "events", "campaigns")
"""Where the numbers stand that an ensemble may draw: observations, for one, move nothing."""
LEAST_SHARE = 0.001
"""Least weight of a value that may be drawn, as a share of all weights: less could not be told from never."""


def check_choices_have_alternatives(known: Known) -> Iterator[Problem]:
    """A choice has a used value with another one beside it, and none of next to no weight."""
    for layers in known.layers.values():
        for path, table in parameters(layers.table):
            if table.get("shape") != "choice":
                continue
            groups = [group for group in _groups(_points(table)) if len(group) > 1]
            if not groups:
                message = "has nothing to choose from; allowed: values in one conflict group from one day, all but one with used = false"
                yield layers.problem((*path, "shape"), message)
            for group in groups:
                yield from _weights(group, (*path, "points"), layers)


def check_alternatives_stand_in_no_file(known: Known) -> Iterator[Problem]:
    """What stands beside a value of a choice is worked out from its conflict group."""
    for layers in known.layers.values():
        for path, table in parameters(layers.table):
            for number, point in enumerate(_points(table)):
                if "alternatives" in point:
                    place: Path = ("points", number, "alternatives") if "points" in table else ("alternatives",)
                    message = "is no key of a file; allowed: values beside this one, in its conflict group with used = false"
                    yield layers.problem((*path, *place), message)


def _points(table: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the points of a raw parameter, as far as they are tables; a single value as a point of its own."""
    points = table.get("points", [table])
    return [point for point in points if isinstance(point, dict)] if isinstance(points, list) else []


def _groups(points: Sequence[dict[str, Any]]) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    """Yield each used point of a conflict group with those beside it that hold from the same day, all with their numbers."""
    marks = [(point.get("conflict"), point.get("from")) for point in points]
    for number, point in enumerate(points):
        if point.get("used", True) and point.get("conflict"):
            beside = [(other, points[other]) for other in range(len(points)) if not points[other].get("used", True)]
            yield [(number, point), *((other, item) for other, item in beside if marks[other] == marks[number])]


def _weights(group: list[tuple[int, dict[str, Any]]], path: Path, layers: Said) -> Iterator[Problem]:
    weights = {number: point.get("weight", 1.0) for number, point in group}
    if all(isinstance(weight, int | float) and weight > 0 for weight in weights.values()):
        for number, weight in weights.items():
            if weight < LEAST_SHARE * sum(weights.values()):
                message = f"{weight:g} is next to nothing beside {max(weights.values()):g}; allowed: at least {LEAST_SHARE:g} of the sum"
                yield layers.problem((*path, number, "weight"), message)


def check_correlations_name_what_varies(known: Known) -> Iterator[Problem]:
    """Groups that move together name uncertain parameters with a range, each in one group of those that stand at a time."""
    model = cast(schema.Model | None, known.models.get(("model",)))
    layers = known.layers.get(("model",))
    groups = model.correlations if model is not None and layers is not None else {}
    for place, (name, group) in enumerate(groups.items()):
        earlier = dict(list(groups.items())[:place])
        for number, path in enumerate(group.paths):
            wrong = _cannot_move(known, path) if known.right(path) else None
            taken = next((other for other in earlier if path in groups[other].paths and not _either_replaces(groups, name, other)), None)
            if taken is not None:
                wrong = f"{path!r} stands in {taken} already; allowed: one group a path, or one that replaces {taken}"
            if wrong and layers is not None:
                yield layers.problem(("correlations", name, "paths", number), wrong)


def _either_replaces(groups: Mapping[str, schema.Correlation], one: str, other: str) -> bool:
    return one in groups[other].replaces or other in groups[one].replaces


def check_correlations_replace_known_groups(known: Known) -> Iterator[Problem]:
    """A group that moves together replaces others."""
    model = cast(schema.Model | None, known.models.get(("model",)))
    layers = known.layers.get(("model",))
    for name, group in model.correlations.items() if model is not None and layers is not None else ():
        others = [other for other in (model.correlations if model is not None else ()) if other != name]
        for place, old in enumerate(group.replaces):
            if old not in others and layers is not None:
                yield layers.problem(("correlations", name, "replaces", place), f"unknown group {old!r}; {nearest(old, others)}")


def _cannot_move(known: Known, path: str) -> str | None:
    """Return why a path cannot stand in a group that moves together; None where it can.

    A parameter that one file gives a range and another, laid over it, pins is no fault: the path no longer varies.
    """
    found = known.ever(path) if path.split(".")[0] in DRAWN else []
    if not found:
        return f"{path!r} is not a parameter; {nearest(path, _varying(known))}"
    if all("unit" not in table for table in found):
        target = found[0].get("same_as") or found[0].get("one_minus")
        return f"{path!r} refers to another parameter; allowed: that one, {target!r}"
    if not any(_varies(table) for table in found):
        return f"{path!r} does not vary; allowed: a parameter with role uncertainty and a range"
    if path.startswith("campaigns.") and not path.endswith(".rate"):
        return f"{path!r} is drawn anew for each campaign; allowed: other parameters, of a campaign its rate"
    return None


def _varies(table: dict[str, Any]) -> bool:
    ranged = table.get("shape") == "choice" or any("low" in point for point in _points(table))
    return "unit" in table and table.get("role", "uncertainty") == "uncertainty" and ranged


def _varying(known: Known) -> Iterator[str]:
    for key, layers in known.layers.items():
        if key[0] in DRAWN:
            yield from (".".join((*key, *path)) for path, table in parameters(layers.table) if _varies(table))
