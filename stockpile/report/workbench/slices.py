"""More levers than two, or points that fill no grid: each point against each lever, and slices of the points."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from stockpile.report import theme, words
from stockpile.report.blocks import Chart
from stockpile.report.tables import Table, data_link
from stockpile.report.theme import Spec
from stockpile.report.workbench import sweep_words
from stockpile.report.workbench.grids import Array, Side
from stockpile.report.workbench.readings import Reading
from stockpile.report.workbench.section import Group, bare, number, numbers, quantity, shown

MOST_POINTS, MOST_ROWS = 2_000, 20_000
"""Most points of a figure, and of a file of data."""
PARTS, FEW = 5, 8
"""Parts that the values of a lever are put into where there are more than a few different ones."""
PANEL, GAP = 150, 62


def shown_as(found: Reading, sides: list[Side]) -> str:
    """Say what the figures show, and what they do not."""
    text = (
        f"{len(found.points):,} points over {len(sides)} levers do not make one grid. Each is drawn once for each lever, at its value "
        "there, whatever the other levers are: a cloud, in which a slope is what the lever does on average. The table puts the values of "
        "each lever into slices, and says what the points in a slice have. Two levers together are not shown: a grid of the two shows them."
    )
    kept = len(_kept(found))
    return text + (f" Of the points, {kept:,} are drawn, evenly chosen." if kept < len(found.points) else "")


def _kept(found: Reading) -> Any:
    count = len(found.points)
    return np.unique(np.linspace(0, count - 1, min(count, MOST_POINTS)).round().astype(int))


def group(found: Reading, sides: list[Side], munition: str, id_: str) -> Group:
    """Return the figure of a munition."""
    values = found.of(munition)
    what = sweep_words.subject(found, munition)
    caption = f"{words.capital(what)}, {sweep_words.statistic(found)}, by slices of each lever"
    rows = tuple(row for path, side in zip(found.paths, sides, strict=True) for row in _slices(found, path, side, values))
    never = int(np.isposinf(values).sum())
    spans = "; ".join(f"{row[0]}: {row[3]}" for row in rows)
    against = words.listed([side.label for side in sides])
    alternative = f"Scatter chart of {what} against {against}, {len(values):,} points. Middle of each slice: {spans}."
    notes = (f"Triangles at the top: never before {found.end}, at {never:,} of {len(values):,} points.",) if never else ()
    columns = ("Lever and slice", "Points", "Lowest", "Middle", "Highest", *(("Never",) if found.is_date else ()))
    kept = range(0, len(values), max(-(-len(values) // MOST_ROWS), 1))
    data = (
        (*(shown(found.points[path].iloc[row]) for path in found.paths), "never" if np.isposinf(values[row]) else number(values[row]))
        for row in kept
    )
    chart = Chart(
        f"{id_}-{munition}",
        sweep_words.sentence(found, sides, munition),
        f"{words.capital(what)}, {sweep_words.statistic(found)}",
        alternative,
        _spec(found, sides, values),
        Table(caption, columns, rows),
        data_link((*found.paths, "median"), data),
        notes,
    )
    return Group(sweep_words.title(found, munition), (chart,))


def _slices(found: Reading, path: str, side: Side, values: Array) -> Iterator[tuple[str, ...]]:
    """Yield a row a slice of a lever."""
    column = list(found.points[path])
    for label, inside in _parts(column, side):
        own = values[inside]
        finite = own[np.isfinite(own)]
        cells = [_said(found, value) for value in (own.min(), np.quantile(own, 0.5, method="lower"), own.max())] if own.size else ["–"] * 3
        never = (f"{int(np.isposinf(own).sum()):,}",) if found.is_date else ()
        yield (f"{words.capital(side.label)}: {label}", f"{own.size:,}", *(cells if finite.size or found.is_date else ["–"] * 3), *never)


def _parts(column: list[Any], side: Side) -> Iterator[tuple[str, Any]]:
    """Yield the slices of a lever: each value where there are few, else parts with as many points each."""
    if len(side.values) <= FEW or not all(isinstance(value, int | float) for value in side.values):
        for value in side.values[:FEW]:
            yield side.at(value), np.array([one == value for one in column])
        return
    numbers_ = np.array(column, dtype=np.float64)
    edges = np.quantile(numbers_, np.linspace(0, 1, PARTS + 1))
    for place, (low, high) in enumerate(pairwise(edges)):
        inside = (numbers_ >= low) & ((numbers_ <= high) if place == PARTS - 1 else (numbers_ < high))
        yield f"{shown(number(low))} to {side.at(number(high))}", inside


def _said(found: Reading, value: float) -> str:
    if found.is_date:
        return "never" if np.isposinf(value) else "already" if value <= 0.0 else f"{value:.0f} months"
    return quantity(float(value), found.unit)


def _spec(found: Reading, sides: list[Side], values: Array) -> Spec:
    kept = _kept(found)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    top = high + 0.12 * ((high - low) or abs(high) or 1.0)
    height = 30 + len(sides) * (PANEL + GAP)
    layout = theme.layout(height + 10, top=30)
    layout["margin"]["b"] = 10
    layout["annotations"] = []
    data: list[Spec] = []
    scaled = [top if np.isposinf(value) else value for value in values[kept]]
    drawn = numbers(bare(float(value), found.unit)[0] if not found.is_date else value for value in scaled)
    never = np.isposinf(values[kept])
    for place, (path, side) in enumerate(zip(found.paths, sides, strict=True)):
        axis = "" if place == 0 else str(place + 1)
        upper = 1 - place / len(sides)
        lower = upper - PANEL / (height - 30)
        column = [found.points[path].iloc[row] for row in kept]
        x = numbers(column) if all(isinstance(value, int | float) for value in column) else [shown(value) for value in column]
        symbols = ["triangle-up" if gone else "circle" for gone in never] if never.any() else "circle"
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": x,
                "y": drawn,
                "xaxis": f"x{axis}",
                "yaxis": f"y{axis}",
                "name": words.label(side.label),
                "marker": {"size": 5, "color": theme.BLUE, "opacity": 0.6, "symbol": symbols},
                "hovertemplate": "%{x}: %{y}<extra></extra>",
            }
        )
        title = {"text": words.label(side.title), "font": {"color": theme.MUTED, "size": 12}}
        layout[f"xaxis{axis}"] = theme.axis(anchor=f"y{axis}", showgrid=False, title=title, nticks=6)
        if never.any():
            where = {"xref": "paper", "x": 1, "xanchor": "right", "yref": f"y{axis}", "y": number(top), "yanchor": "bottom"}
            layout["annotations"].append(theme.note("▲ never", **where))
        layout[f"yaxis{axis}"] = theme.axis(anchor=f"x{axis}", domain=[max(lower, 0), upper], nticks=4)
    unit = "months" if found.is_date else bare(0.0, found.unit)[1]
    layout["annotations"].append(
        theme.note(f"↑ {unit}", x=0, xref="paper", xanchor="left", xshift=-40, y=1, yref="paper", yanchor="bottom", yshift=4)
    )
    return {"data": data, "layout": layout}
