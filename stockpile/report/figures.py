"""What the charts share. A figure is plain data as plotly.js takes it, with rounded lists and nothing else inside.

Lines of policies, those alike drawn as one; their labels, moved apart; the bands of suspensions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import numpy as np

from stockpile.report import theme, words
from stockpile.report.study import Study
from stockpile.report.theme import Spec
from stockpile.results import Array

ALIKE = 0.01
"""Policies whose lines lie within this share of a chart's height of each other share one line."""
LABEL_WIDTH = 24
LINE_HEIGHT = 16


def rounded(values: Iterable[float]) -> list[float]:
    """Return values as a list with as many decimals as a chart can show."""
    array = np.asarray(list(values), dtype=np.float64)
    top = float(np.abs(array).max(initial=0.0))
    decimals = 0 if top >= 10_000 else 1 if top >= 100 else 2
    return [float(value) + 0.0 for value in np.round(array, decimals)]


def days(dates: Iterable[np.datetime64]) -> list[str]:
    """Return dates as text, with the time of day where it is not midnight."""
    texts = (str(date.astype("datetime64[s]")) for date in dates)
    return [text[:10] if text.endswith("T00:00:00") else text[:16].replace("T", " ") for text in texts]


def alike(lines: dict[str, Array], tolerance: float) -> tuple[tuple[str, ...], ...]:
    """Return the names of lines in groups; a line joins the first group whose first line it never leaves by more than `tolerance`."""
    groups: list[list[str]] = []
    for name, line in lines.items():
        for group in groups:
            if float(np.abs(line - lines[group[0]]).max()) <= tolerance:
                group.append(name)
                break
        else:
            groups.append([name])
    return tuple(tuple(group) for group in groups)


def group_label(study: Study, group: Sequence[str]) -> str:
    """Return the label of a line that several policies share."""
    more = len(group) - 1
    return study.title(group[0]) + (f" (and {more} alike)" if more else "")


Groups = Sequence[tuple[tuple[str, ...], Array]]
"""Policies that share a line, and the line."""


def policy_lines(study: Study, dates: list[str], groups: Groups, form: str) -> list[Spec]:
    """Return a trace for each group of policies; `form` is how a number is written when pointed at."""
    found = []
    for group, values in groups:
        colour, dash, symbol = theme.style(study.result.policies.index(group[0]))
        found.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": dates,
                "y": rounded(values),
                "name": words.label(group_label(study, group)),
                "line": {"color": colour, "dash": dash, "width": 2.5 if dash == "solid" else 2},
                "marker": {"symbol": symbol, "size": 7, "color": colour, "maxdisplayed": 12},
                "hovertemplate": "%{x}: %{y:" + form + "} rounds<extra>%{fullData.name}</extra>",
            }
        )
    return found


def pauses(study: Study, munition: str) -> list[tuple[dt.date, dt.date]]:
    """Return the dated suspensions of a munition that end, each once."""
    return sorted({(window.start, window.end) for window in study.windows if window.end is not None and munition in window.munitions})


def band(start: dt.date, end: dt.date) -> Spec:
    """Return the grey band of a suspension; its edge keeps one of days visible on an axis of years."""
    return {
        "type": "rect",
        "xref": "x",
        "yref": "y domain",
        "x0": start.isoformat(),
        "x1": end.isoformat(),
        "y0": 0,
        "y1": 1,
        "fillcolor": theme.BAND,
        "line": {"width": 1, "color": theme.BAND},
        "layer": "below",
    }


def band_label(study: Study, munition: str) -> list[Spec]:
    """Return what the grey bands are, written beside them."""
    found = pauses(study, munition)
    if not found:
        return []
    longest = max(end for _, end in found)
    text = f"grey: suspension, {words.pause(*found[0])}" + (f",<br>or longer, to {words.day(longest)}" if longest > found[0][1] else "")
    return [
        theme.note(text, x=longest.isoformat(), y=1, yref="y domain", yanchor="top", xanchor="left", align="left", xshift=3, name="band")
    ]


def line_labels(study: Study, groups: Groups, last: str, span: tuple[float, float], pixels: float) -> list[Spec]:
    """Return the labels of the policies at the right end of their lines (see `direct_labels`)."""
    found = [
        (float(values[-1]), group_label(study, group), theme.style(study.result.policies.index(group[0]))[0]) for group, values in groups
    ]
    return direct_labels(found, last, span, pixels)


def direct_labels(labels: Sequence[tuple[float, str, str]], last: str, span: tuple[float, float], pixels: float) -> list[Spec]:
    """Return the labels at the right end of the lines, moved apart so that none lies on another.

    Parameters
    ----------
    labels : sequence of (value, text, colour)
        Last value of the line, its label and its colour.
    last : str
        Last date.
    span : (low, high)
        Range of the vertical axis.
    pixels : float
        Its height on the screen.
    """
    low, high = span
    items = sorted(labels, key=lambda item: -item[0])
    texts = [words.wrapped(text, LABEL_WIDTH) for _, text, _ in items]
    heights = [LINE_HEIGHT * len(lines) + 4 for lines in texts]
    wanted = [(high - value) / (high - low) * pixels for value, _, _ in items]
    middles = _apart(wanted, heights, pixels)
    found = []
    for (value, _, colour), lines, want, middle in zip(items, texts, wanted, middles, strict=True):
        found.append(
            {
                "name": "direct",
                "text": "<br>".join(words.label(line) for line in lines),
                "x": last,
                "y": value,
                "align": "left",
                "showarrow": True,
                "arrowhead": 0,
                "arrowwidth": 1.5,
                "arrowcolor": colour,
                "ax": 20,
                "ay": round(middle - want, 1),
                "xanchor": "left",
                "yanchor": "middle",
                "font": {"color": theme.INK, "size": 12},
            }
        )
    return found


def _apart(wanted: Sequence[float], heights: Sequence[float], pixels: float) -> list[float]:
    """Return middles near the wanted ones (from the top), far enough apart, inside the chart."""
    middles: list[float] = []
    edge = -10.0
    for want, height in zip(wanted, heights, strict=True):
        middles.append(max(want, edge + height / 2))
        edge = middles[-1] + height / 2
    edge = pixels + 10.0
    for number in range(len(middles) - 1, -1, -1):
        middles[number] = min(middles[number], edge - heights[number] / 2)
        edge = middles[number] - heights[number] / 2
    return middles
