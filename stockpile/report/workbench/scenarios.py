"""The scenario behind a result, loaded again by its name for titles and units; and its own values of what was varied."""

from __future__ import annotations

import datetime as dt
from typing import Any

from stockpile import overrides
from stockpile.analysis.reloaded import scenario_of as scenario_of
from stockpile.analysis.wording import Names
from stockpile.clock import Clock
from stockpile.scenario import Scenario
from stockpile.sweep.axes import Value
from stockpile.tables import is_parameter
from stockpile.vintage import BEGINNING


def names_of(scenario: Scenario | None, manifest: dict[str, Any]) -> Names:
    """Return what things are called."""
    return Names(scenario, str(scenario.as_of) if scenario else str(manifest.get("as_of", "")))


def clock_of(scenario: Scenario) -> Clock:
    """Return the grid of the runs of a scenario."""
    settings = scenario.settings
    assert settings.start and settings.end and settings.substeps
    return Clock(settings.start, settings.end, settings.substeps)


def own_value(scenario: Scenario, path: str) -> Value:
    """Return the scenario's own central value at a varied path; None where there is no single one.

    A factor that multiplies is 1, a term that is added is 0. Of a parameter with a value for each of several times, or a path that
    stands for several, the one value that all have. The length of a suspension that is given by its end follows from its dates.
    """
    one = overrides.setting(path, 0.0)
    if one.operation != "value":
        return {"scale": 1.0, "add": 0.0}.get(one.operation)
    try:
        nodes = [node for _, node in overrides.reached(scenario.tree, one.path)]
    except overrides.WrongPath:
        return _of_suspension(scenario, one.path)
    found = [value for node in nodes for value in _values(node, scenario.as_of)]
    same = bool(found) and all(value == found[0] for value in found)
    return found[0] if same else None


def _values(node: Any, as_of: dt.date) -> list[Value]:
    """Return the values in force from a date on."""
    if isinstance(node, dict) and is_parameter(node.get("level")):
        node = node["level"]
    if is_parameter(node):
        points = [point for point in node.get("points", ()) if point.get("grade") is not None or "value" in point]
        before = [point for point in points if (point.get("from") or BEGINNING) <= as_of]
        return [point["value"] for point in [*before[-1:], *points[len(before) :]]]
    return [None] if isinstance(node, dict | list) else [node]


def _of_suspension(scenario: Scenario, path: str) -> Value:
    """Return length or end of a suspension that gives the other one."""
    stem, _, key = path.rpartition(".")
    try:
        ((_, node),) = overrides.reached(scenario.tree, stem)
    except (overrides.WrongPath, ValueError):
        return None
    if key == "length" and isinstance(node, dict) and isinstance(node.get("end"), dt.date) and isinstance(node.get("start"), dt.date):
        clock = clock_of(scenario)
        return clock.at(node["end"]) - clock.at(node["start"])
    return None
