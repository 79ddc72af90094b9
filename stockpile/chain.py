"""A scenario's file and its bases: what they say together, and where each key of that stands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stockpile import overrides
from stockpile.errors import Problem
from stockpile.known import Path as Key
from stockpile.params import Layers, ParamSet
from stockpile.tables import Table


class Chain:
    """A scenario and its bases: what they say together, and where each key of that stands."""

    def __init__(self, params: ParamSet, name: str) -> None:
        self.params = params
        self.table: Table = {}
        self.places: dict[Key, tuple[Layers, Key]] = {}
        names = [name]
        while base := params.layers["scenarios", names[0]].table.get("base"):
            names.insert(0, base)
        self.own = params.layers["scenarios", name]
        for layers in (params.layers["scenarios", one] for one in names):
            for key, value in layers.table.items():
                if key in ("changes", "repeats", "without_events", "without_campaigns"):
                    self._add(key, value, layers)
                elif key != "base":
                    self.table[key] = value
                    self.places[key,] = (layers, (key,))

    def _add(self, key: str, items: list[Any], layers: Layers) -> None:
        so_far = self.table.setdefault(key, [])
        for number in range(len(items)):
            self.places[key, len(so_far) + number] = (layers, (key, number))
        self.table[key] = [*so_far, *items]

    def problem(self, key: Key, message: str) -> Problem:
        """Return a `Problem` at a key of the table, in the file where it stands."""
        for length in range(len(key), 0, -1):
            if key[:length] in self.places:
                layers, place = self.places[key[:length]]
                return layers.problem((*place, *key[length:]), message)
        return self.own.problem(key, message)

    def placed(self, problem: Problem) -> Problem:
        """Return a fault of the resolved scenario with the file and position of what it is about.

        That is the last change that touches the path; without one, the file that gives the value.
        """
        path = tuple(int(part) if part.isdigit() else part for part in problem.key.split("."))
        if path[0] == "scenario":
            return self.problem(path[1:], problem.message)
        for number, change in reversed(list(enumerate(self.table.get("changes", ())))):
            if overrides.touches(change["path"], problem.key):
                key = ("changes", number, next(operation for operation in overrides.OPERATIONS if operation in change))
                return self.problem(key, f"{problem.key}: {problem.message}")
        for length in (1, 2):
            names = tuple(map(str, path[:length]))
            if names in self.params.layers:
                return replace(self.params.layers[names].problem(path[length:], problem.message), key=problem.key)
        return replace(problem, file=self.own.documents[-1].shown)
