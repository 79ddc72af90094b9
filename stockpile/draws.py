"""Where the numbers of a run come from: central values, or draws.

A source of values is asked for a point of a parameter, by the parameter's path, and answers with one number a member. A draw is a
uniform number of the stream that bears the parameter's path, put through the table of quantiles of the point: so one draw moves
all points of a parameter together, and no draw depends on which other parameters there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import numpy as np

from stockpile import copula, samplers, schema, shapes
from stockpile.clock import Array
from stockpile.model.state import Quantity
from stockpile.overrides import touches
from stockpile.scenario import Scenario

CERTAIN = shapes.Pieces(np.arange(shapes.KNOTS) / shapes.KNOTS, np.full(shapes.KNOTS, 1.0 / shapes.KNOTS))
"""The table that gives a uniform number back."""


_table = lru_cache(maxsize=1024)(shapes.table)


class Values(Protocol):
    """Gives each number, one a member, or a symbol for that."""

    members: int
    random: bool

    def of(self, path: str, parameter: schema.Parameter, point: schema.Evidence, stream: str = "") -> Quantity:
        """Return the point's value in the parameter's unit, shape (members,) or, where it is the same for all, (1,).

        `stream` names what the draw depends on, where that is not the path alone (for example a quarter).
        """

    def chance(self, stream: str) -> Quantity:
        """Return a number between 0 and 1, every one as likely, shape (members,)."""


class Central:
    """One member, all values central, nothing left to chance."""

    members = 1
    random = False

    def of(self, path: str, parameter: schema.Parameter, point: schema.Evidence, stream: str = "") -> Array:
        """Return the central value."""
        return np.full(1, point.value)

    def chance(self, stream: str) -> Array:
        """Refuse: nothing is left to chance."""
        raise ValueError(f"{stream} is left to chance, and central values are not")


@dataclass(frozen=True)
class Lever:
    """A path that is varied from member to member, beside what is drawn.

    Attributes
    ----------
    path : str
        Of a parameter, a level, or a product of factors; `*` is any one name.
    scales : bool
        Whether its numbers multiply what stands at the path, in place of standing there.
    """

    path: str
    scales: bool = False


@dataclass(frozen=True, eq=False)
class Column:
    """One number that differs by member: the stream it depends on, and its table of quantiles, in the parameter's unit.

    Without a table it is not drawn but given, and `stream` is the path of its lever.
    """

    stream: str
    pieces: shapes.Pieces | None


@dataclass
class Columns:
    """All numbers that differ by member for a scenario, found as they are asked for.

    Attributes
    ----------
    scenario : Scenario
    levers : tuple of Lever
        What is given.
    random : bool
        Whether anything is drawn besides; without, all else has its central value.
    columns : list of Column
    """

    scenario: Scenario
    levers: tuple[Lever, ...] = ()
    random: bool = True
    columns: list[Column] = field(default_factory=list)
    _numbers: dict[tuple[object, ...], int | None] = field(default_factory=dict)

    def of(self, path: str, parameter: schema.Parameter, point: schema.Evidence, stream: str, read: Callable[[int], Quantity]) -> Quantity:
        """Return the value of a point, shape (1,) where it is the same for all; `read` gives the numbers of a column."""
        pinned, scaled = self._given(path, scales=False), self._given(path, scales=True)
        number = self.number(path, parameter, point, stream) if pinned is None else pinned
        value = np.full(1, point.value) if number is None else read(number)
        return value if scaled is None else value * read(scaled)

    def _given(self, path: str, *, scales: bool) -> int | None:
        """Return the number of the column of the lever that reaches a path."""
        for lever in self.levers:
            if lever.scales == scales and touches(lever.path, path):
                key = ("given", lever)
                if key not in self._numbers:
                    self._numbers[key] = self._add(Column(lever.path, None))
                return self._numbers[key]
        return None

    def number(self, path: str, parameter: schema.Parameter, point: schema.Evidence, stream: str) -> int | None:
        """Return the number of the point's column; None where it is not drawn."""
        if not self.random:
            return None
        key = (stream or path, parameter.shape, point.low, point.value, point.high, getattr(point, "from_", None))
        if key not in self._numbers:
            pieces = self._pieces(path, parameter, point)
            self._numbers[key] = None if pieces is None else self._add(Column(stream or path, pieces))
        return self._numbers[key]

    def chance(self, stream: str) -> int:
        """Return the number of the column of a plain uniform number."""
        if (stream,) not in self._numbers:
            self._numbers[stream,] = self._add(Column(stream, CERTAIN))
        number = self._numbers[stream,]
        assert number is not None
        return number

    def _add(self, column: Column) -> int:
        self.columns.append(column)
        return len(self.columns) - 1

    def _pieces(self, path: str, parameter: schema.Parameter, point: schema.Evidence) -> shapes.Pieces | None:
        if parameter.role != "uncertainty" or parameter.shape is None:
            return None
        if parameter.shape == "choice":
            values, weights = zip(*self.scenario.alternatives(path, point), strict=True)
            return shapes.choice(values, weights) if len(set(values)) > 1 else None
        if point.low is None or point.high is None or point.low == point.high:
            return None
        return _table(parameter.shape, point.low, point.value, point.high, *schema.bounds(parameter))

    @property
    def streams(self) -> tuple[str, ...]:
        """The names of the streams, each once, sorted."""
        return tuple(sorted({column.stream for column in self.columns if column.pieces is not None}))


class Collector:
    """Finds out what is drawn: asked like any source of values, it gives one plausible number each and keeps the columns."""

    members = 1

    def __init__(self, scenario: Scenario, levers: tuple[Lever, ...] = (), *, random: bool = True) -> None:
        self.columns = Columns(scenario, levers, random)
        self.random = random

    def of(self, path: str, parameter: schema.Parameter, point: schema.Evidence, stream: str = "") -> Array:
        """Return the central value, and keep the column."""
        self.columns.of(path, parameter, point, stream, lambda number: np.ones(1))
        return np.full(1, point.value)

    def chance(self, stream: str) -> Array:
        """Return the middle, and keep the column."""
        self.columns.chance(stream)
        return np.full(1, 0.5)


@dataclass(frozen=True, eq=False)
class Group:
    """Rows of uniform numbers that are drawn together.

    Attributes
    ----------
    rows : tuple of int
    correlation : float
        Of any two, where it is the same for all.
    factor : array, optional
        In place of that, Cholesky's factor of their correlations, shape (rows, rows).
    """

    rows: tuple[int, ...]
    correlation: float = 0.0
    factor: Array | None = None

    def together(self, found: Array) -> Array:
        """Return independent uniform numbers, shape (rows, count), made dependent."""
        return samplers.correlate(found, self.correlation) if self.factor is None else samplers.mix(found, self.factor)


@dataclass(frozen=True, eq=False)
class Design:
    """All draws of an ensemble.

    Attributes
    ----------
    columns : Columns
    seed, members : int
    sampler : str
        ``random``, ``lhs`` or ``sobol``.
    streams : tuple of str
        Names of the rows of `uniforms`.
    groups : tuple of Group
        Rows of `uniforms` that are drawn together.
    source : Sampler
        Gives the independent uniform numbers.
    given : callable, optional
        Gives what is not drawn (see `given_to`).
    """

    columns: Columns
    seed: int
    members: int
    sampler: str
    streams: tuple[str, ...]
    groups: tuple[Group, ...]
    source: samplers.Sampler
    given: Callable[[int, int], dict[str, Array]] | None = None

    def uniforms(self, first: int, count: int) -> Array:
        """Return the uniform numbers of members `first` to `first + count - 1`, shape (streams, count)."""
        return self.correlated(self.source.uniforms(first, count))

    def given_to(self, first: int, count: int) -> dict[str, Array]:
        """Return what members `first` to `first + count - 1` are given, by the path of its lever, each of shape (count,)."""
        return {} if self.given is None else self.given(first, count)

    def correlated(self, found: Array) -> Array:
        """Return independent uniform numbers with the rows of each group drawn together, in place."""
        for group in self.groups:
            rows = list(group.rows)
            found[rows] = group.together(found[rows])
        return found


def design(columns: Columns, seed: int, members: int, sampler: str) -> Design:
    """Return the draws of an ensemble of `members`.

    Raises
    ------
    InputError
        For an unknown sampler, or more members than it can give.
    """
    streams = columns.streams
    return Design(columns, seed, members, sampler, streams, groups_of(columns), samplers.sampler(sampler, seed, members, streams))


def groups_of(columns: Columns) -> tuple[Group, ...]:
    """Return the rows of uniform numbers that are drawn together; what no correlation ties together is in groups apart."""
    row = {stream: number for number, stream in enumerate(columns.streams)}
    groups = []
    for group in columns.scenario.model.correlations.values():
        paths = [path for path in group.paths if path in row]
        if not group.pairs and len(paths) > 1:
            groups.append(Group(tuple(row[path] for path in paths), group.value))
        elif len(paths) > 1:
            groups += _tied([row[path] for path in paths], np.array([[group.between(one, other) for other in paths] for one in paths]))
    return tuple(groups)


def _tied(rows: list[int], matrix: Array) -> Iterator[Group]:
    """Yield the groups that correlations other than 0 make of rows."""
    from scipy.sparse.csgraph import connected_components

    _, label = connected_components(matrix != 0.0, directed=False)
    for own in dict.fromkeys(label):
        inside = np.flatnonzero(label == own)
        if len(inside) > 1:
            yield Group(tuple(rows[number] for number in inside), factor=copula.factor(matrix[np.ix_(inside, inside)]))


class Drawn:
    """Draws of the members `first` to `first + members - 1`, as arrays."""

    def __init__(self, made: Design, first: int, members: int) -> None:
        self.made, self.first, self.members = made, first, members
        self.random = made.columns.random
        self._uniforms = made.uniforms(first, members)
        self._given = made.given_to(first, members)
        self._row = {stream: number for number, stream in enumerate(made.streams)}

    def of(self, path: str, parameter: schema.Parameter, point: schema.Evidence, stream: str = "") -> Array:
        """Return the draws of a point; the central value, shape (1,), where it is not drawn."""
        found: Array = self.made.columns.of(path, parameter, point, stream, self._column)
        return found

    def chance(self, stream: str) -> Array:
        """Return plain uniform numbers."""
        return self._column(self.made.columns.chance(stream))

    def _column(self, number: int) -> Array:
        column = self.made.columns.columns[number]
        if column.pieces is None:
            return self._given[column.stream]
        return shapes.interpolate(column.pieces, self._uniforms[self._row[column.stream]])
