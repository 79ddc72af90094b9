"""A sweep in a TOML file: what is varied, and how it is run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from stockpile.errors import InputError, Problem
from stockpile.faults import explain
from stockpile.params import Layers, document
from stockpile.schema.values import Strict
from stockpile.sweep.designs import Design, design, table_file

Whole = Annotated[int, Field(ge=1)]


class SweepFile(Strict):
    """What a design file may say."""

    scenario: str | None = None
    """Name of a scenario, or a TOML file that describes one."""
    design: Literal["grid", "one_at_a_time", "lhs", "sobol"] = "grid"
    """How points are made of what is varied."""
    points: Whole | None = None
    """Number of points of a sampled design."""
    table: str | None = None
    """CSV file with a row a point, in place of vary; beside the design file unless its path says otherwise."""
    vary: dict[str, Any] = {}
    """Each path with its values: "FROM:TO:STEP", a list, or a table with from, to, step."""
    policies: Annotated[list[str], Field(min_length=1)] | None = None
    """Policies to run; the scenario's own where left out."""
    members: Whole | None = None
    """Draws to a point."""
    seed: Annotated[int, Field(ge=0)] | None = None
    """Seed of the draws, and of a sampled design."""
    sampler: Literal["random", "lhs", "sobol"] | None = None
    """How draws are spread."""
    values: Literal["drawn", "central"] | None = None
    """Whether what is not varied is drawn, or has its central value."""
    metrics: Annotated[list[str], Field(min_length=1)] | None = None
    """Metrics wanted; all where left out."""
    munitions: Annotated[list[str], Field(min_length=1)] | None = None
    """Munitions wanted; all where left out."""


@dataclass(frozen=True)
class Read:
    """A design file as read: what it says, and where."""

    said: SweepFile
    layers: Layers
    folder: Path

    def design(self, seed: int, kind: str | None = None, points: int | None = None) -> Design:
        """Return the design.

        Parameters
        ----------
        seed : int
            Of a sampled design.
        kind : str, optional
        points : int, optional
            In place of what the file says.

        Raises
        ------
        InputError
            With every fault, each at its place in the file.
        """
        said = self.said
        if said.table is not None:
            wrong = [key for key in ("vary", "points", "design") if key in said.model_fields_set]
            if wrong:
                raise InputError(self.layers.problem((key,), "stands beside table; allowed: one of the two") for key in wrong)
            return table_file(self.folder / said.table)
        paths = dict(_flat(said.vary, ("vary",)))
        twice = [key for path, keys in paths.items() for key in keys[1:]]
        if twice:
            raise InputError(self.layers.problem(key, "is varied twice; allowed: each path once") for key in twice)
        given = {path: _at(said.vary, keys[0][1:]) for path, keys in paths.items()}
        try:
            return design(given, kind or said.design, said.points if points is None else points, seed)
        except InputError as error:
            raise InputError(self.placed(problem, {path: keys[0] for path, keys in paths.items()}) for problem in error.problems) from None

    def placed(self, problem: Problem, keys: dict[str, tuple[str, ...]] | None = None) -> Problem:
        """Return a fault of the design at its place in the file."""
        known = keys if keys is not None else {path: found[0] for path, found in dict(_flat(self.said.vary, ("vary",))).items()}
        key = known.get(problem.key, (problem.key,) if problem.key in ("points", "design") else ("vary",))
        return replace(self.layers.problem(key, problem.message), key=problem.key or "vary")


def _flat(table: dict[str, Any], above: tuple[str, ...]) -> list[tuple[str, list[tuple[str, ...]]]]:
    """Return each path with the keys where it stands: ``a.b = ...`` makes tables in a table, ``"a.b" = ...`` does not."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for name, value in table.items():
        keys = (*above, name)
        if isinstance(value, dict) and not {"from", "to"} <= set(value):
            for path, inner in _flat(value, keys):
                found.setdefault(path, []).extend(inner)
        else:
            found.setdefault(".".join(keys[1:]), []).append(keys)
    return list(found.items())


def _at(table: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        table = table[key]
    return table


def read(path: Path) -> Read:
    """Return what a design file says.

    Raises
    ------
    InputError
        With every fault, each with line and column.
    """
    problems: list[Problem] = []
    found = document(path, problems)
    if found is None:
        raise InputError(problems)
    layers = Layers((found,))
    try:
        return Read(SweepFile.model_validate(found.table), layers, path.parent)
    except ValidationError as error:
        raise InputError(layers.problem(key, message) for key, message in explain(SweepFile, found.table, error)) from None
