"""What the checks of `checks` look at: what was read, by folder and name, and ways to find things in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from pydantic import BaseModel

from stockpile import schema
from stockpile.errors import Problem
from stockpile.tables import has, is_parameter

Path = tuple[str | int, ...]


class Said(Protocol):
    """What is said of one thing: the files that speak of it (`params.Layers`), or what a scenario makes of them (`params.Resolved`)."""

    @property
    def table(self) -> dict[str, Any]:
        """Everything said, as one table."""

    @property
    def tables(self) -> list[dict[str, Any]]:
        """What each file says alone, the uppermost first."""

    def problem(self, key: Path, message: str) -> Problem:
        """Return a `Problem` at a key of the table."""


@dataclass(frozen=True)
class Known:
    """What the checks look at.

    Attributes
    ----------
    layers : dict
        What is said of each thing, by folder and name.
    models : dict
        The same read into its class, where its shape is right.
    sources : dict
        The sources whose shape is right.
    unreadable : frozenset
        Things of which a file could not be read at all.
    """

    layers: Mapping[tuple[str, ...], Said]
    models: Mapping[tuple[str, ...], BaseModel]
    sources: Mapping[str, schema.Source]
    unreadable: frozenset[tuple[str, ...]] = frozenset()

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder, whether or not their files are right."""
        return sorted({key[1] for key in [*self.layers, *self.unreadable] if key[0] == folder and len(key) == 2})

    def right(self, path: str) -> bool:
        """Tell whether the file that a parameter path leads into is there and right, or is none that there should be."""
        key = self._key(path)
        return key in self.models or not (key in self.layers or key in self.unreadable)

    def _key(self, path: str) -> tuple[str, ...]:
        parts = tuple(path.split("."))
        return parts[:1] if parts[:1] in self.layers else parts[:2]

    def of(self, folder: str) -> Iterator[tuple[str, BaseModel, Said]]:
        """Yield name, model and what is said of each thing in a folder whose file is right."""
        for key, model in self.models.items():
            if key[0] == folder and len(key) == 2:
                yield key[1], model, self.layers[key]

    def munitions(self) -> Iterator[tuple[str, schema.Munition, Said]]:
        """Yield the munitions."""
        for name, model, layers in self.of("munitions"):
            yield name, cast(schema.Munition, model), layers

    def parameter(self, path: str) -> dict[str, Any] | None:
        """Return the raw table at a parameter path, if it is one."""
        key = self._key(path)
        return _within(self.layers[key].table, path, key) if key in self.layers else None

    def has(self, path: str) -> bool:
        """Tell whether a path leads to a parameter, or to a group of them."""
        key = self._key(path)
        return key in self.layers and has(self.layers[key].table, path.split(".")[len(key) :])

    def ever(self, path: str) -> list[dict[str, Any]]:
        """Return the raw tables at a parameter path, one of each file that has it, the uppermost first."""
        key = self._key(path)
        tables = self.layers[key].tables if key in self.layers else []
        return [found for table in tables if (found := _within(table, path, key)) is not None]


def _within(table: dict[str, Any], path: str, key: tuple[str, ...]) -> dict[str, Any] | None:
    """Return the raw parameter at `path` in the table of the thing `key`, if it is one."""
    node: Any = table
    for part in path.split(".")[len(key) :]:
        node = node.get(part) if isinstance(node, dict) else None
    return node if is_parameter(node) else None


def references(node: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield the place and the target of every reference in a nested table."""
    items: Any = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        if key in ("same_as", "one_minus") and isinstance(value, str):
            yield (*path, key), value
        else:
            yield from references(value, (*path, key))
