"""The fan chart of the US stock: bands of half and nine tenths of the draws, their median, dots for when it falls below the floor."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from stockpile.ensembles.result import QUANTILES
from stockpile.report import figures, projection, spread, theme, words

if TYPE_CHECKING:
    from stockpile.report.study import Study
    from stockpile.report.theme import Spec
    from stockpile.results import Array

DOTS = 50
"""Dots that stand for all draws; fewer where there are fewer draws."""
ACROSS, DAYS = 3, 61
"""Dots beside each other in half a year, and the days between them."""
DOT_ROW, GAP = 9, 8
"""Height of a row of dots, and of what keeps the strips apart [pixel]."""
OUTER, INNER = 0.2, 0.35
"""How much of its colour a band has; where both lie on each other, the middle is darkest."""


def each_dot(study: Study) -> float:
    """Return how many draws a dot stands for."""
    return study.draws_of.members / min(DOTS, study.draws_of.members)


def dots(study: Study, munition: str) -> list[tuple[dt.date, int]]:
    """Return place and row of the dots: the dates by which that many draws first fell below the floor, piled up in half years."""
    hits = spread.passed(study, study.base, munition)
    share, edge = each_dot(study), 0
    found: list[tuple[dt.date, int]] = []
    piled: dict[dt.date, int] = {}
    for number in range(min(DOTS, study.draws_of.members)):
        while edge < len(hits) and hits[edge] < (number + 0.5) * share:
            edge += 1
        if edge == len(hits):
            break
        date = study.date(edge)
        half = date.replace(month=1 if date.month < 7 else 7, day=1)
        count = piled[half] = piled.get(half, 0) + 1
        across, row = (count - 1) % ACROSS, (count - 1) // ACROSS
        found.append((half + dt.timedelta(days=DAYS // 2 + DAYS * across), row))
    return found


def fan(study: Study, munition: str, numbers: dict[str, int]) -> Spec:
    """Return the fan chart of a munition's US stock under the base policy, with levels, suspensions, dots and numbered events.

    Parameters
    ----------
    study : Study
        One with draws.
    munition : str
    numbers : dict
        The number of each event, as in the table of events.
    """
    lines, dates = spread.bands(study, study.base, munition), figures.days(study.result.dates)
    colour = theme.munition(study.result.munitions.index(munition))[0]
    levels = projection.shown_levels(study, munition, float(lines[-1].max()))
    top = 1.06 * max(projection.estimate_high(study, munition), float(lines.max()), *(rounds for _, rounds in levels))
    placed = dots(study, munition)
    rows, marks = projection.event_strip(study, munition, numbers)
    strips = _Strips(rows, 1 + max((row for _, row in placed), default=-1))
    first = (study.date(0) - dt.timedelta(days=45)).isoformat()
    central = study.stock(study.base, munition)
    layout = theme.layout(
        strips.height,
        right=theme.LABELS,
        hovermode="x",
        xaxis=theme.axis(
            type="date", range=[first, dates[-1]], anchor="y2" if rows else "y3" if placed else "y", showgrid=False, dtick="M12",
            tick0=f"{study.date(0).year + 1}-01-01", tickformat="%Y", hoverformat="%B %Y",
        ),
        yaxis=theme.axis(range=[0, top], domain=[strips.bottom, 1], tickformat=",.0f"),
        shapes=[
            *(figures.band(*pause) for pause in figures.pauses(study, munition)),
            projection.now_line(study),
            *({**line, "layer": "above"} for line in projection.level_lines(levels, first, dates[-1])),
        ],
        annotations=[
            projection.now_label(study),
            *figures.band_label(study, munition),
            *projection.level_labels(study, levels, [*lines, central], first, top, strips.plot * (1 - strips.bottom)),
            *_labels(lines, central, colour, (dates[-1], top, strips.plot * (1 - strips.bottom))),
            *_dots_label(study, placed),
        ],
    )
    layout |= strips.axes()
    data = [*_traces(dates, lines, central, colour), *projection.estimates(study, munition), *marks, *_dots(study, placed, colour)]
    return {"data": data, "layout": layout}


class _Strips:
    """Heights of the strips of dots and events under a chart, and the axes they stand on."""

    def __init__(self, events: int, dots: int) -> None:
        self.events, self.dots = events, dots
        below, above = (projection.ROW * events + 6 if events else 0), (DOT_ROW * dots + GAP if dots else 0)
        self.height = projection.HEIGHT + below + above
        self.plot = self.height - theme.ABOVE - theme.BELOW
        self.middle, self.bottom = below / self.plot, (below + above) / self.plot

    def axes(self) -> Spec:
        """Return the vertical axes of the strips there are."""
        hidden: Spec = {"visible": False, "fixedrange": True}
        gap = GAP / self.plot
        found = {}
        if self.events:
            found["yaxis2"] = hidden | {"range": [self.events - 0.4, -0.8], "domain": [0, max(self.middle - 0.01, 0)]}
        if self.dots:
            found["yaxis3"] = hidden | {"range": [-0.6, self.dots - 0.4], "domain": [self.middle, max(self.bottom - gap, self.middle)]}
        return found


def _traces(dates: list[str], lines: Array, central: Array, colour: str) -> list[Spec]:
    """Return the bands as closed areas, the median, and the line of the central values."""
    found: list[Spec] = [
        {
            "type": "scatter", "mode": "lines", "x": [*dates, *dates[::-1]],
            "y": [*figures.rounded(lines[low]), *figures.rounded(lines[high])[::-1]],
            "fill": "toself", "fillcolor": colour, "line": {"width": 0, "color": colour}, "opacity": opacity, "name": name,
            "hoverinfo": "skip",
        }
        for low, high, opacity, name in ((0, -1, OUTER, "90 % of the draws"), (1, -2, INNER, "50 % of the draws"))
    ]
    shown = [figures.rounded(line) for line in lines]
    found.append(
        {
            "type": "scatter", "mode": "lines", "x": dates, "y": shown[spread.MIDDLE], "name": "median of the draws",
            "line": {"color": colour, "width": 2.5}, "customdata": [list(one) for one in zip(*shown, strict=True)],
            "hovertemplate": "median %{y:,.4~r}; 50 %: %{customdata[1]:,.4~r} to %{customdata[3]:,.4~r}; "
            "90 %: %{customdata[0]:,.4~r} to %{customdata[4]:,.4~r}<extra></extra>",
        }
    )
    found.append(
        {
            "type": "scatter", "mode": "lines", "x": dates, "y": figures.rounded(central), "name": "central values",
            "line": {"color": theme.INK, "width": 1.5, "dash": "dot"}, "hovertemplate": "central values %{y:,.4~r}<extra></extra>",
        }
    )
    return found


def _labels(lines: Array, central: Array, colour: str, place: tuple[str, float, float]) -> list[Spec]:
    """Return the labels at the right end: the percentiles, and the line of the central values."""
    last, top, pixels = place
    names = [f"{100 * q:g}th percentile" if q != 0.5 else "median of the draws" for q in QUANTILES]
    found = [(float(line[-1]), name, colour) for line, name in zip(lines, names, strict=True)]
    return figures.direct_labels([*found, (float(central[-1]), "central values", theme.INK)], last, (0.0, top), pixels)


def _dots(study: Study, placed: list[tuple[dt.date, int]], colour: str) -> list[Spec]:
    """Return the dots."""
    if not placed:
        return []
    return [
        {
            "type": "scatter", "mode": "markers", "xaxis": "x", "yaxis": "y3", "meta": "dots", "hoverinfo": "skip", "cliponaxis": False,
            "x": [date.isoformat() for date, _ in placed], "y": [row for _, row in placed],
            "name": words.label(dots_said(study)), "marker": {"size": 7, "color": colour},
        }
    ]


def _dots_label(study: Study, placed: list[tuple[dt.date, int]]) -> list[Spec]:
    """Return what a dot is, written beside the dots."""
    text = "<br>".join(words.label(line) for line in words.wrapped(dots_said(study), figures.LABEL_WIDTH))
    place: Spec = {"xref": "paper", "x": 1, "xshift": 20, "xanchor": "left", "align": "left", "y": 0, "yref": "y3", "yanchor": "middle"}
    return [theme.note(text, name="direct", font={"color": theme.INK, "size": 12}, **place)] if placed else []


def dots_said(study: Study) -> str:
    """Return what a dot is."""
    count = each_dot(study)
    return f"a dot: {count:,.3g} {'draw' if count == 1 else 'draws'} below the floor assumed here"
