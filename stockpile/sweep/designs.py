"""Designs: which values the varied paths have at each point."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from stockpile.errors import InputError, Problem, nearest
from stockpile.sweep.axes import MOST_POINTS, Axis, Value, WrongAxis, axis, cell, kind_of, one_kind, plain

if TYPE_CHECKING:
    import pandas as pd

FILE = "vary"
"""What stands before a fault of a design that is in no file."""
SAMPLED = ("lhs", "sobol")


@dataclass(frozen=True, eq=False)
class Column(Sequence[Value]):
    """The values of a path, one a point: the different ones, and which of them each point has.

    Attributes
    ----------
    values : tuple
        Different values, in the order in which they first come; None for the scenario's own.
    codes : array of int32, shape (points,)
    """

    values: tuple[Value, ...]
    codes: NDArray[np.int32] = field(repr=False)

    @classmethod
    def of(cls, given: Iterable[Value]) -> Column:
        """Return the column of some values."""
        known: dict[tuple[str, Value], int] = {}
        codes = [known.setdefault((type(value).__name__, value), len(known)) for value in given]
        return cls(tuple(value for _, value in known), np.array(codes, dtype=np.int32))

    @overload
    def __getitem__(self, place: int) -> Value: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Value]: ...
    def __getitem__(self, place: int | slice) -> Value | Sequence[Value]:
        return Column(self.values, self.codes[place]) if isinstance(place, slice) else self.values[self.codes[place]]

    def __len__(self) -> int:
        return len(self.codes)

    def __iter__(self) -> Iterator[Value]:
        return map(self.values.__getitem__, self.codes.tolist())

    @cached_property
    def kind(self) -> str:
        """Of which kind the values are: number, date, boolean or text."""
        return one_kind(self.values)

    def arrow(self, points: NDArray[np.intp] | None = None) -> Any:
        """Return the values of some points as an Arrow array, numbers as float64; null for the scenario's own."""
        import pyarrow as pa

        types = {"number": pa.float64(), "date": pa.date32(), "boolean": pa.bool_(), "text": pa.string()}
        return pa.array(self.values, types[self.kind]).take(pa.array(self.codes if points is None else self.codes[points]))

    def described(self) -> dict[str, Any]:
        """Return how many values there are, and from where to where, as JSON has it."""
        own = [value for value in self.values if value is not None]
        said: dict[str, Any] = {"kind": self.kind, "values": len(own)}
        if self.kind in ("number", "date") and own:
            low, high = min(own), max(own)
            return said | {"from": _json(low), "to": _json(high)}
        return said | {"of": [_json(value) for value in own[:8]]}


def _json(value: Value) -> Any:
    return str(value) if isinstance(value, dt.date) else value


@dataclass(frozen=True, eq=False)
class Design:
    """Points, each with a value at every varied path.

    Attributes
    ----------
    kind : str
        grid, one_at_a_time, lhs, sobol or table.
    columns : dict
        By path the values at all points.
    seed : int or None
        Of a sampled design.
    """

    kind: str
    columns: dict[str, Column]
    seed: int | None = None

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the points: designs with the same points in the same order have the same, however they were made."""
        found = hashlib.sha256()
        for path, column in self.columns.items():
            said = [path, [[kind_of(value) if value is not None else None, type(value).__name__, _json(value)] for value in column.values]]
            found.update(json.dumps(said).encode())
            found.update(column.codes.astype("<i4").tobytes())
        return found.hexdigest()

    def changes(self, point: int) -> dict[str, Value]:
        """Return the changes of a point, as `Scenario.override` takes them."""
        return {path: column[point] for path, column in self.columns.items() if column[point] is not None}

    def described(self) -> dict[str, Any]:
        """Return what is varied in a few words, as JSON has it."""
        said: dict[str, Any] = {"kind": self.kind, "points": len(self)} | ({} if self.seed is None else {"seed": self.seed})
        return said | {"vary": {path: column.described() for path, column in self.columns.items()}}

    def arrow(self) -> Any:
        """Return the points as an Arrow table: `point`, and a column for each path."""
        import pyarrow as pa

        columns = {path: column.arrow() for path, column in self.columns.items()}
        return pa.table({"point": pa.array(np.arange(len(self), dtype=np.int64))} | columns)

    def frame(self) -> pd.DataFrame:
        """Return the points as a frame: `point`, and a column for each path."""
        frame: pd.DataFrame = self.arrow().to_pandas(date_as_object=False)
        return frame


# ---------------------------------------------------------------- making them


def axes_of(given: Mapping[str, Any]) -> dict[str, Axis]:
    """Return what each path is varied over.

    Raises
    ------
    InputError
        With every path of which nonsense is said; the key of each fault is the path.
    """
    problems, found = [], {}
    for path, said in given.items():
        try:
            if not path.strip():
                raise WrongAxis("has no path; allowed: for example munitions.pac3.us_share")
            found[path] = axis(said)
        except WrongAxis as error:
            problems.append(_fault(path, str(error)))
    if not given:
        problems.append(_fault("", "no path is varied; allowed: at least one PATH=FROM:TO:STEP or PATH=a,b,c"))
    if problems:
        raise InputError(problems)
    return found


def design(given: Any, kind: str = "grid", points: int | None = None, seed: int = 1) -> Design:
    """Return the design that is meant.

    Parameters
    ----------
    given : mapping, DataFrame, path of a CSV file, or Design
        What each path is varied over; or a table with a row a point and a column a path, empty cells for the scenario's own value.
    kind : {"grid", "one_at_a_time", "lhs", "sobol"}
        How points are made of a mapping.
    points : int, optional
        Number of points of a sampled design.
    seed : int
        Of a sampled design.

    Raises
    ------
    InputError
        With every fault.
    """
    if isinstance(given, Design):
        return given
    if isinstance(given, str | Path):
        return table_file(Path(given))
    if not isinstance(given, Mapping):
        return table(given)
    known: dict[str, Callable[[dict[str, Axis]], Design]] = {"grid": _grid, "one_at_a_time": _one_at_a_time}
    if kind not in (*known, *SAMPLED):
        raise InputError([_fault("design", f"unknown design {kind!r}; {nearest(kind, (*known, *SAMPLED))}")])
    problems: list[Problem] = []
    if kind in known and points is not None:
        problems.append(_fault("points", f"{points} do not go with {kind}, which has its own; allowed: with lhs or sobol"))
    if kind in SAMPLED and (isinstance(points, bool) or not isinstance(points, int) or not 1 <= points <= MOST_POINTS):
        problems.append(_fault("points", f"{points!r} for {kind}; allowed: a whole number from 1 to {MOST_POINTS:,}"))
    try:
        axes = axes_of(given)
        problems += [] if kind in SAMPLED else _unsteady(axes)
    except InputError as error:
        problems += error.problems
    if problems:
        raise InputError(problems)
    return known[kind](axes) if kind in known else _sampled(axes, kind, points or 1, seed)


def _unsteady(axes: Mapping[str, Axis]) -> list[Problem]:
    """Return a fault for each range without a step."""
    message = "is a range without a step; allowed: FROM:TO:STEP, or the designs lhs and sobol, which take points from ranges"
    return [_fault(path, f"{one.low}:{one.high} {message}") for path, one in axes.items() if one.is_range]


def _grid(axes: dict[str, Axis]) -> Design:
    """Return all combinations; the last path varies fastest."""
    count = math.prod(len(one.values) for one in axes.values())
    _check_count(count)
    columns, inner = {}, count
    for path, one in axes.items():
        inner //= len(one.values)
        codes = np.arange(len(one.values), dtype=np.int32)
        columns[path] = Column(one.values, np.tile(np.repeat(codes, inner), count // (inner * len(codes))))
    return Design("grid", columns)


def _one_at_a_time(axes: dict[str, Axis]) -> Design:
    """Return the scenario as it is, and then one change at a time."""
    count = 1 + sum(len(one.values) for one in axes.values())
    _check_count(count)
    columns, first = {}, 1
    for path, one in axes.items():
        codes = np.zeros(count, dtype=np.int32)
        codes[first : first + len(one.values)] = np.arange(1, len(one.values) + 1)
        first += len(one.values)
        columns[path] = Column((None, *one.values), codes)
    return Design("one_at_a_time", columns)


def _check_count(count: int) -> None:
    if count > MOST_POINTS:
        raise InputError([_fault("", f"{count:,} points; allowed: at most {MOST_POINTS:,}, so fewer values or a sampled design")])


def _sampled(axes: dict[str, Axis], kind: str, points: int, seed: int) -> Design:
    """Return points spread by scipy.stats.qmc: over a range evenly, between values in equal shares."""
    from scipy.stats import qmc

    with warnings.catch_warnings():
        # That a number of points other than a power of two is less balanced is said in the docs.
        warnings.simplefilter("ignore", UserWarning)
        source = qmc.LatinHypercube(len(axes), rng=seed) if kind == "lhs" else qmc.Sobol(len(axes), rng=seed)
        uniform = source.random(points)
    columns = {path: _spread(one, uniform[:, number]) for number, (path, one) in enumerate(axes.items())}
    return Design(kind, columns, seed)


def _spread(one: Axis, uniform: NDArray[np.float64]) -> Column:
    if not one.is_range:
        return Column.of(one.values[place] for place in (uniform * len(one.values)).astype(np.intp).tolist())
    if isinstance(one.low, dt.date) and isinstance(one.high, dt.date):
        first = one.low
        days = (uniform * ((one.high - first).days + 1)).astype(np.intp)
        return Column.of(first + dt.timedelta(days=day) for day in days.tolist())
    assert isinstance(one.low, int | float) and isinstance(one.high, int | float)
    return Column.of((one.low + uniform * (one.high - one.low)).tolist())


# ---------------------------------------------------------------- tables


def table(frame: Any) -> Design:
    """Return a design from a frame with a row a point and a column a path; what is missing is the scenario's own value.

    Raises
    ------
    InputError
        For something that is no frame, no rows, a path twice, and values that cannot be varied over.
    """
    if not hasattr(frame, "columns") or not hasattr(frame, "iloc"):
        what = type(frame).__name__
        raise InputError([_fault("", f"{what} is no design; allowed: a mapping from path to values, a DataFrame, a CSV file, a Design")])
    names = [str(name) for name in frame.columns]
    columns = [frame.iloc[:, number].tolist() for number in range(len(names))]
    return _table(names, [[None if value != value else value for value in column] for column in columns], FILE)


def table_file(path: Path) -> Design:
    """Return a design from a CSV file whose header has the paths; an empty cell is the scenario's own value.

    Raises
    ------
    InputError
        If it cannot be read, and for whatever `table` refuses.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [line for line in csv.reader(file, skipinitialspace=True) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError([Problem(str(path), 0, 0, "", f"cannot be read ({why}); allowed: a CSV file whose header has paths")]) from None
    if not lines:
        raise InputError([Problem(str(path), 0, 0, "", "is empty; allowed: a header with paths, and a row for each point")])
    names = [name.strip() for name in lines[0]]
    problems = [
        Problem(str(path), number, 1, "", f"has {len(line)} cells; allowed: {len(names)}, as in the header")
        for number, line in enumerate(lines[1:], 2)
        if len(line) != len(names)
    ]
    if problems:
        raise InputError(problems)
    columns = [[cell(line[number]) for line in lines[1:]] for number in range(len(names))]
    return _table(names, columns, str(path))


def _table(names: Sequence[str], columns: Sequence[Sequence[Any]], file: str) -> Design:
    problems: list[Problem] = []
    found: dict[str, Column] = {}
    if not columns or not columns[0]:
        problems.append(Problem(file, 0, 0, "", "has no points; allowed: a header with paths, and a row for each point"))
    for name, values in zip(names, columns, strict=True):
        if name == "point":  # as in the frames that a sweep gives: the number of the row
            continue
        if not name:
            problems.append(Problem(file, 0, 0, "", "has a column without a path; allowed: a path over each column"))
        elif name in found:
            problems.append(Problem(file, 0, 0, name, "is varied twice; allowed: one column a path"))
        try:
            found[name] = Column.of([plain(value) for value in values])
            one_kind(found[name].values)
        except WrongAxis as error:
            problems.append(Problem(file, 0, 0, name, str(error)))
    if problems or not found:
        raise InputError(problems or [Problem(file, 0, 0, "", "varies nothing; allowed: a column for each path")])
    return Design("table", found)


def _fault(path: str, message: str) -> Problem:
    return Problem(FILE, 0, 0, path, message)
