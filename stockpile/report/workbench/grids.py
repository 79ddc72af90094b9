"""Numbers over two levers: what stands in each cell, in tables, in files and in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockpile.report import words
from stockpile.report.tables import Table, data_link
from stockpile.report.workbench.section import number, shown

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
NUMBERED = 900
"""Most cells that have their numbers in them."""
MOST_CELLS, MOST_ROWS = 10_000, 45
"""Most cells of a figure, and most rows and columns of its table: beyond them every second, third, ... value of a lever is shown."""


@dataclass(frozen=True)
class Side:
    """A lever: its values in order, what it is called, its unit, and the scenario's own value (None where there is no single one)."""

    values: tuple[Any, ...]
    label: str
    unit: str = ""
    own: Any = None

    @property
    def title(self) -> str:
        """Label with unit."""
        unit = {"month": "months", "round": "rounds"}.get(self.unit, self.unit)
        return words.capital(self.label) + (f" ({unit})" if unit else "")

    @property
    def even(self) -> bool:
        """Whether the values are numbers the same step apart, so that an axis can have them as they are."""
        if any(isinstance(value, bool) or not isinstance(value, int | float) for value in self.values):
            return False
        steps = np.diff(np.array(self.values, dtype=np.float64))
        return bool(len(steps) and steps.min() > 0 and np.allclose(steps, steps[0], rtol=1e-6))

    @property
    def places(self) -> list[float]:
        """Where the values stand on the axis: at themselves, or one after another."""
        return [number(value) for value in self.values] if self.even else list(range(len(self.values)))

    @property
    def step(self) -> float:
        """Width of a cell on the axis."""
        return float(self.values[1] - self.values[0]) if self.even else 1.0

    def place_of(self, value: Any) -> float | None:
        """Return where a value stands, between others too; None where it is outside, or no number and not among them."""
        if value is None:
            return None
        if value in self.values:
            return float(self.places[self.values.index(value)])
        plain = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (value, *self.values))
        if not plain or not self.values[0] <= value <= self.values[-1]:
            return None
        return float(np.interp(value, self.values, self.places))

    def at(self, value: Any) -> str:
        """Return a value with its unit, as a sentence has it."""
        unit = {"month": "month" if value == 1 else "months"}.get(self.unit, self.unit)
        return f"{shown(value)} {unit}".rstrip()

    def thinned(self, most: int) -> list[int]:
        """Return places of at most so many values, the same distance apart."""
        return list(range(0, len(self.values), max(-(-len(self.values) // most), 1)))


@dataclass(frozen=True)
class Grid:
    """Numbers over two levers.

    Attributes
    ----------
    x, y : Side
    values : array, shape (y, x)
        nan where there is none.
    marks : dict
        ``never``, ``already``: where a word stands in place of a number, shape (y, x).
    name, unit : str
        What the numbers are, as hovering says it; unit after the number.
    text : callable
        How a number is written.
    dark_is_high : bool
    least_span : float
        Least difference between the ends of the colours.
    """

    x: Side
    y: Side
    values: Array
    name: str
    unit: str
    text: Callable[[float], str]
    marks: dict[str, Mask] = field(default_factory=dict)
    dark_is_high: bool = False
    least_span: float = 0.0

    @property
    def numbered(self) -> bool:
        """Whether the cells are few enough for numbers in them."""
        return self.values.size <= NUMBERED

    def cell(self, row: int, column: int) -> str:
        """Return what stands in a cell."""
        for word, where in self.marks.items():
            if where[row, column]:
                return word
        value = self.values[row, column]
        return "" if np.isnan(value) else self.text(float(value))

    @property
    def alike(self) -> bool:
        """Whether all cells have the same in them."""
        first = self.cell(0, 0)
        return all(self.cell(row, column) == first for row in range(len(self.y.values)) for column in range(len(self.x.values)))

    def fitting(self) -> Grid:
        """Return the grid with few enough cells for a figure."""
        if self.values.size <= MOST_CELLS:
            return self
        most = int(np.sqrt(MOST_CELLS))
        return self.part(self.x.thinned(most), self.y.thinned(most))

    def part(self, columns: Sequence[int], rows: Sequence[int]) -> Grid:
        """Return some columns and rows."""
        cut = np.ix_(rows, columns)
        x, y = (
            Side(tuple(side.values[place] for place in places), side.label, side.unit, side.own)
            for side, places in ((self.x, columns), (self.y, rows))
        )
        marks = {word: where[cut] for word, where in self.marks.items()}
        return Grid(x, y, self.values[cut], self.name, self.unit, self.text, marks, self.dark_is_high, self.least_span)


# ---------------------------------------------------------------- words


def point_said(grid: Grid) -> str:
    """Say where the scenario's own values are."""
    x, y = grid.x, grid.y
    if x.own is None or y.own is None:
        which = [side.label for side in (x, y) if side.own is None]
        return f"Today’s point is not marked: this scenario has no single value of its own for {words.listed(which)}."
    values = f"{x.label} {x.at(x.own)}, {y.label} {y.at(y.own)}"
    if x.place_of(x.own) is None or y.place_of(y.own) is None:
        return f"Today’s point, the scenario’s own central values ({values}), lies outside this grid."
    if x.own in x.values and y.own in y.values:
        cell = cell_at(grid, x.own, y.own)
        return f"The outlined cell is today’s point, the scenario’s own central values ({values})" + (f": {cell}." if cell else ".")
    return f"The ring is today’s point, the scenario’s own central values ({values}), which lie between cells."


def cell_at(grid: Grid, x: Any, y: Any) -> str:
    """Return what stands in the cell of two values, with its unit."""
    return cell_said(grid, grid.y.values.index(y), grid.x.values.index(x))


def cell_said(grid: Grid, row: int, column: int) -> str:
    """Return what stands in a cell, with its unit."""
    text = grid.cell(row, column)
    return text if text in grid.marks or not text else f"{text} {grid.unit}"


def size_said(grid: Grid) -> str:
    """Say where numbers are if not in the cells."""
    fitted = grid.fitting()
    if fitted is not grid:
        few = f"{len(fitted.x.values):,} of {len(grid.x.values):,} and {len(fitted.y.values):,} of {len(grid.y.values):,} values"
        return f"{grid.values.size:,} cells are too many for a figure: it has {few}, and no numbers in the cells; the data have all."
    if not grid.numbered:
        return f"{grid.values.size:,} cells are too many for numbers in them; the table and the data have them."
    return ""


def table(grid: Grid, caption: str, note: str = "") -> Table:
    """Return a row a value of the first lever, a column a value of the second.

    Some of them where there are too many, and one row where all cells are alike.
    """
    if grid.alike:
        return Table(caption, ("Points", "Value"), ((f"Every one of {grid.values.size:,}", cell_said(grid, 0, 0)),), note)
    rows, columns = grid.x.thinned(MOST_ROWS), grid.y.thinned(MOST_ROWS // 2)
    part = grid.part(rows, columns)
    if part.values.size < grid.values.size:
        note = (
            f"{note} The table has {len(rows):,} of {len(grid.x.values):,} and {len(columns):,} of {len(grid.y.values):,} values.".strip()
        )
    heads = (f"{grid.x.title} ↓, {grid.y.title} →", *(shown(value) for value in part.y.values))
    return Table(
        caption,
        heads,
        tuple((shown(value), *(part.cell(row, column) for row in range(len(part.y.values)))) for column, value in enumerate(part.x.values)),
        note,
    )


def data(grid: Grid) -> str:
    """Return the same numbers in full as a link, laid out as in the table; one where all are alike."""
    if grid.alike:
        return data_link((grid.x.title, grid.y.title, grid.name), [("every value", "every value", _datum(grid, 0, 0))])
    heads = (f"{grid.x.title} / {grid.y.title}", *(shown(value) for value in grid.y.values))
    rows = ((shown(value), *(_datum(grid, row, column) for row in range(len(grid.y.values)))) for column, value in enumerate(grid.x.values))
    return data_link(heads, rows)


def _datum(grid: Grid, row: int, column: int) -> Any:
    marked = next((word for word, where in grid.marks.items() if where[row, column]), None)
    return marked or ("" if np.isnan(grid.values[row, column]) else number(grid.values[row, column]))


def alternative(grid: Grid, subject: str) -> str:
    """Return the text in place of the figure: corners, lowest and highest number, counts of words, today's point."""
    hidden = np.logical_or.reduce([*grid.marks.values(), np.isnan(grid.values)])
    places = np.argwhere(~hidden)

    def at(row: int, column: int) -> str:
        cell = grid.cell(row, column)
        unit = "" if cell in grid.marks else f" {grid.unit}"
        return f"{cell}{unit} at {grid.x.at(grid.x.values[column])} and {grid.y.at(grid.y.values[row])}"

    said = [f"Heat map of {subject}, {len(grid.x.values):,} values of {grid.x.label} by {len(grid.y.values):,} of {grid.y.label}."]
    if len(places):
        inside = grid.values[~hidden]
        low, top = places[int(np.argmin(inside))], places[int(np.argmax(inside))]
        said.append(f"Lowest {at(*low)}; highest {at(*top)}.")
    said += [f"“{word}” in {int(where.sum()):,} of {where.size:,} cells." for word, where in grid.marks.items() if where.any()]
    corners = "; ".join(
        at(row, column) for row in dict.fromkeys((0, len(grid.y.values) - 1)) for column in dict.fromkeys((0, len(grid.x.values) - 1))
    )
    return " ".join([*said, f"Corners: {corners}."])
