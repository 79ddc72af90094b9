"""The values of parameter files as they stand there, to see which of them repeats a figure of the ledger."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stockpile import schema, units

PARAMS = Path(__file__).parents[1] / "params"
Values = list[tuple[str, str, dict[str, Any]]]


def names(file: str) -> list[str]:
    """Return the names of a file of observations, in their order."""
    return list(tomllib.loads((PARAMS / "observations" / f"{file}.toml").read_text(encoding="utf-8")))


def evidence(node: Any, path: str, unit: str = "") -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield every value in a raw table: path of its parameter, its unit, and the table that has the value."""
    if isinstance(node, dict):
        unit = node.get("unit", unit)
        if "value" in node:
            yield path, unit, node
        for key, child in node.items():
            if key == "points":
                for point in child:
                    yield path, unit, point
            else:
                yield from evidence(child, f"{path}.{key}" if path else key, unit)


def of_munition(munition: str) -> Values:
    """Return every value that is a parameter of a munition: its own file, and its part of recipients and events."""
    found = []
    for folder in ("munitions", "recipients", "events"):
        for file in sorted((PARAMS / folder).glob("*.toml")):
            table = tomllib.loads(file.read_text(encoding="utf-8"))
            found += [(path, unit, node) for path, unit, node in evidence(table, f"{folder}.{file.stem}") if munition in path.split(".")]
    return found


def ends(node: dict[str, Any]) -> set[float]:
    """Return value, low and high, as far as they are there."""
    return {float(node[key]) for key in ("value", "low", "high") if key in node}


def listed(given: str | list[str]) -> set[str]:
    """Return the sources of a value, written as one key or as several."""
    return {given} if isinstance(given, str) else set(given)


def repeated(item: schema.Observation, parameters: Values) -> set[str]:
    """Return the parameters that rest on the source of an observation and have its value, in whatever unit of the same kind."""
    own = units.find(item.unit)
    assert own is not None
    found = set()
    for path, unit, node in parameters:
        # A plan's level has no unit of its own: it is a rate in the model's.
        other = units.find(unit) or units.find("round/month")
        assert other is not None
        if own.dimension == other.dimension and set(item.source) & listed(node.get("source", [])):
            theirs = [value * other.factor for value in ends(node)]
            if any(abs(value - item.value * own.factor) <= 1e-6 * abs(value) for value in theirs):
                found.add(path)
    return found
