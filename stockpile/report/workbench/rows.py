"""Bars in rows, each under its own label, so that long labels need no margin and no name is cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stockpile.report import theme, words
from stockpile.report.theme import Spec

PITCH, BELOW = 38, 84
"""Height of a row with a label of one line; room under the rows for axis and legend [pixel]. The page's script adds the other lines."""
MOST = 12
"""Most rows of a figure; the table has all."""


def layout(labels: Sequence[str], title: str, *, legend: bool = True, **axis: Any) -> Spec:
    """Return the layout of rows from the top down, row i at y = i, with its label above it."""
    count, below = len(labels), BELOW if legend else BELOW - 32
    found = theme.layout(
        PITCH * count + 22 + below,
        top=10,
        barmode="overlay",
        showlegend=legend,
        xaxis=theme.axis(title={"text": title, "font": {"color": theme.MUTED, "size": 12}}, nticks=6, **axis),
        yaxis=theme.axis(range=[count - 0.55, -1.0], visible=False, fixedrange=True),
        annotations=[
            theme.note(
                words.label(label),
                name="row",
                x=0,
                xref="paper",
                xanchor="left",
                y=place,
                yref="y",
                yanchor="bottom",
                yshift=10,
                align="left",
                font={"color": theme.INK, "size": 12},
            )
            for place, label in enumerate(labels)
        ],
    )
    found["margin"] |= {"l": 16, "r": 24, "b": below}
    found["legend"]["traceorder"] = "normal"
    return found


def bars(lengths: Sequence[Any], name: str, colour: str, pattern: str, hover: Sequence[str], **more: Any) -> Spec:
    """Return bars, one a row; `more` goes into the trace."""
    return {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(lengths))),
        "x": list(lengths),
        "width": 0.3,
        "name": name,
        "marker": theme.filled(colour, pattern),
        "hovertext": [words.label(text) for text in hover],
        "hovertemplate": "%{hovertext}<extra></extra>",
        **more,
    }


def whiskers(low: Sequence[float], middle: Sequence[float], high: Sequence[float]) -> Spec:
    """Return the intervals of what a trace shows."""
    return {
        "type": "data",
        "symmetric": False,
        "thickness": 1.5,
        "width": 4,
        "color": theme.INK,
        "array": [None if h is None or m is None else max(h - m, 0) for h, m in zip(high, middle, strict=True)],
        "arrayminus": [None if a is None or m is None else max(m - a, 0) for a, m in zip(low, middle, strict=True)],
    }
