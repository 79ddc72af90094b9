"""Heat maps over two levers as figures: numbers in the cells, what never happens hatched and in words, today's point outlined."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockpile.report import theme, words
from stockpile.report.theme import Spec
from stockpile.report.workbench.grids import Array, Grid, Mask, Side
from stockpile.report.workbench.section import number, shown

CIVIDIS = ("#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838")
SCALE = [[place / (len(CIVIDIS) - 1), colour] for place, colour in enumerate(CIVIDIS)]
WHITE, BLACK = "#fffffe", "#000001"
"""Of numbers on colours, the same in light and dark: so not the colours of the paper, which change."""
WIDTH = 850
"""Width of the cells together on a wide screen, by which words are chosen [pixel]; the page's script fits the size of numbers."""
LETTER = 6.4
"""Width of a letter [pixel]."""
HATCH = "#a3abb4"
"""Of hatching, in light and dark: light enough for words on it."""
PATTERNS = {"never": "/", "already": "."}
BRIEF = {"never": "–", "already": "<0"}
"""What stands in cells that are too narrow for the word."""
SEEN = 0.02
"""Part of the largest number that the colours span at least: what differs by less should not look different."""
ALIKE = 8
"""Height of a row of cells that all have the same in them [pixel]."""


def figure(grid: Grid, *, point: bool = True) -> Spec:
    """Return the heat map; `point` tells whether the scenario's own values are marked."""
    grid = grid.fitting()
    x, y = grid.x, grid.y
    high = ALIKE if grid.alike else 21 if len(y.values) > 12 else 28
    layout = theme.layout(
        max(high * len(y.values), 90) + 26 + 52,
        top=26,
        barmode="overlay",
        xaxis=_axis(x, 12, title={"text": words.label(x.title), "font": {"color": theme.MUTED, "size": 12}}),
        yaxis=_axis(y, 8 if grid.alike else 22),
        shapes=_outline(grid) if point else [],
        annotations=[
            theme.note(
                f"↑ {words.label(y.title)}",
                name="lever",
                x=0,
                xref="paper",
                xanchor="left",
                xshift=-40,
                y=1,
                yref="paper",
                yanchor="bottom",
                yshift=4,
            )
        ],
    )
    layout["margin"] |= {"r": 66, "b": 52}
    return {"data": [*_cells(grid), *_marks(grid)], "layout": layout}


def _axis(side: Side, most: int, **more: Any) -> Spec:
    places = side.places
    every = side.thinned(most)
    return theme.axis(
        range=[places[0] - side.step / 2, places[-1] + side.step / 2],
        showgrid=False,
        fixedrange=True,
        tickmode="array",
        tickvals=[places[place] for place in every],
        ticktext=[words.label(shown(side.values[place])) for place in every],
        **more,
    )


def _cells(grid: Grid) -> list[Spec]:
    """Return the coloured cells: those whose numbers are white, and those whose numbers are black."""
    hidden = np.logical_or.reduce([*grid.marks.values(), np.isnan(grid.values)])
    finite = grid.values[~hidden]
    if not finite.size:
        return []
    low, top = _span(grid, finite)
    whole = all(grid.text(float(value)) == str(number(value)) for value in finite)
    shared: Spec = {
        "type": "heatmap",
        "x": grid.x.places,
        "y": grid.y.places,
        "zmin": number(low),
        "zmax": number(top),
        "colorscale": SCALE,
        "reversescale": grid.dark_is_high,
        "hoverongaps": False,
        "xgap": 0.5,
        "ygap": 0.5,
        **_hover(grid, whole),
    }
    if grid.numbered:
        longest = max(len(grid.text(float(value))) for value in finite)
        shared |= {"texttemplate": "%{z}" if whole else "%{text}", "meta": {"cells": longest}}
    pale = _is_pale(grid, low, top)
    found = []
    for colour, part in ((WHITE, ~hidden & ~pale), (BLACK, ~hidden & pale)):
        if not part.any():
            continue
        trace = {
            **shared,
            "z": [
                [number(value) if here else None for value, here in zip(*row, strict=True)] for row in zip(grid.values, part, strict=True)
            ],
        }
        if not whole:
            trace["text"] = [
                [grid.text(float(value)) if here else "" for value, here in zip(*row, strict=True)]
                for row in zip(grid.values, part, strict=True)
            ]
        found.append(trace | {"textfont": {"size": 11, "color": colour}, "showscale": False})
    found[0] |= {"showscale": float(np.ptp(finite)) > 0.0, "colorbar": colour_bar(grid.unit)}
    return found


def colour_bar(unit: str) -> Spec:
    """Return the legend of the colours."""
    return {
        "thickness": 10,
        "outlinewidth": 0,
        "x": 1.01,
        "xpad": 4,
        "nticks": 6,
        "tickfont": {"color": theme.MUTED, "size": 11},
        "title": {"text": unit, "font": {"color": theme.MUTED, "size": 11}},
        "tickformat": ",~g",
    }


def _is_pale(grid: Grid, low: float, top: float) -> Mask:
    """Tell in which cells black can be read better than white."""
    share = np.clip((np.nan_to_num(grid.values, posinf=0.0, neginf=0.0) - low) / ((top - low) or 1.0), 0.0, 1.0)
    return pale(1.0 - share if grid.dark_is_high else share)


def pale(share: Array) -> Mask:
    """Tell where along the colours, from 0 to 1, black can be read better than white (by relative luminance)."""
    ends = np.linspace(0.0, 1.0, len(CIVIDIS))
    parts = np.array([[int(colour[place : place + 2], 16) / 255.0 for colour in CIVIDIS] for place in (1, 3, 5)])
    channels = np.stack([np.interp(share, ends, part) for part in parts])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    luminance = np.tensordot(np.array([0.2126, 0.7152, 0.0722]), linear, axes=1)
    found: Mask = (luminance + 0.05) ** 2 > 1.05 * 0.05
    return found


def _span(grid: Grid, finite: Array) -> tuple[float, float]:
    """Return the ends of the colours."""
    if not finite.size:
        return 0.0, 1.0
    low, top = float(finite.min()), float(finite.max())
    more = max(grid.least_span, SEEN * abs(top) or 1.0) - (top - low)
    if more <= 0.0:
        return low, top
    below = min(more / 2, low) if low >= 0.0 else more / 2
    return low - below, top + more - below


def _hover(grid: Grid, plain: bool) -> Spec:
    """Return what is said when a cell is pointed at; values that are not on an even scale are carried along."""
    own = "%{z}" if plain else "%{text}"
    if grid.x.even and grid.y.even:
        return {"hovertemplate": f"{grid.x.title} %{{x}}, {grid.y.title} %{{y}}: {own} {grid.unit}<extra></extra>"}
    pairs = [[[shown(x), shown(y)] for x in grid.x.values] for y in grid.y.values]
    where = f"{grid.x.title} %{{customdata[0]}}, {grid.y.title} %{{customdata[1]}}"
    return {"customdata": pairs, "hovertemplate": f"{where}: {own} {grid.unit}<extra></extra>"}


def _marks(grid: Grid) -> list[Spec]:
    """Return hatched bars over the cells that have a word, one for each run of cells in a row, with the word in it where it fits."""
    found = []
    cell = WIDTH / len(grid.x.values)
    for word, where in grid.marks.items():
        runs = _runs(where)
        if not runs:
            continue
        step = grid.x.step
        found.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": word,
                "meta": "mark",
                "hoverinfo": "skip",
                "width": [number(0.96 * rows * grid.y.step) for _, _, _, rows in runs],
                "y": [number(grid.y.places[0] + row * grid.y.step) for row, _, _, _ in runs],
                "x": [number(count * step) for _, _, count, _ in runs],
                "base": [number(grid.x.places[first] - step / 2) for _, first, _, _ in runs],
                "marker": {
                    "color": theme.PAPER,
                    "line": {"width": 0.5, "color": theme.GRID},
                    "pattern": {"shape": PATTERNS[word], "bgcolor": theme.PAPER, "fgcolor": HATCH, "size": 7, "solidity": 0.15},
                },
                "text": [word if count * cell >= LETTER * len(word) + 4 else BRIEF[word] for _, _, count, _ in runs],
                "textposition": "inside",
                "insidetextanchor": "middle",
                "textangle": 0,
                "insidetextfont": {"color": theme.INK, "size": 11},
                "constraintext": "both",
            }
        )
    return found


def _runs(where: Mask) -> list[tuple[float, int, int, int]]:
    """Return row, first column and length of each run of marked cells, and how many rows it has: all where all cells are marked."""
    if where.all():
        return [((len(where) - 1) / 2, 0, where.shape[1], len(where))]
    return [(row, first, count, 1) for row, line in enumerate(where) for first, count in _in_a_row(line)]


def _in_a_row(line: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], line.astype(int), [0]])))
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        yield int(first), int(end - first)


def _outline(grid: Grid) -> list[Spec]:
    """Return what marks the scenario's own values: an outlined cell where they are on the grid, a ring where they lie between."""
    x, y = grid.x.place_of(grid.x.own), grid.y.place_of(grid.y.own)
    if x is None or y is None:
        return []
    lines = ((theme.PAPER, 5), (theme.INK, 2.5))
    if grid.x.own in grid.x.values and grid.y.own in grid.y.values:
        half = (grid.x.step / 2, grid.y.step / 2)
        box = {"type": "rect", "x0": x - half[0], "x1": x + half[0], "y0": y - half[1], "y1": y + half[1]}
    else:
        box = {
            "type": "circle",
            "xsizemode": "pixel",
            "ysizemode": "pixel",
            "xanchor": x,
            "yanchor": y,
            "x0": -7,
            "x1": 7,
            "y0": -7,
            "y1": 7,
        }
    return [
        box | {"layer": "above", "name": "today", "line": {"color": colour, "width": width}, "fillcolor": "rgba(0,0,0,0)"}
        for colour, width in lines
    ]
