"""Nested tables as TOML gives them: what is a parameter, walking them, laying one over another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

Table = dict[str, Any]


def has(node: Any, path: Sequence[str | int]) -> bool:
    """Tell whether a nested table has something at `path`."""
    for step in path:
        steps: Any = node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        if step not in steps:
            return False
        node = node[step]
    return True


def is_parameter(node: Any) -> bool:
    """Tell whether a table of a file is a parameter: it gives a unit, or stands for another parameter."""
    return isinstance(node, dict) and ("unit" in node or "same_as" in node or "one_minus" in node)


def merge(under: Table, over: Table) -> Table:
    """Return `under` with `over` laid on it: tables key by key, parameters and everything else whole."""
    result = dict(under)
    for key, value in over.items():
        below = result.get(key)
        plain = isinstance(value, dict) and isinstance(below, dict) and not is_parameter(value) and not is_parameter(below)
        result[key] = merge(below, value) if plain and isinstance(below, dict) else value
    return result


def parameters(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Table]]:
    """Yield path and table of every parameter in a nested table, in order."""
    if is_parameter(node):
        yield path, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from parameters(value, (*path, key))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from parameters(value, (*path, str(number)))
