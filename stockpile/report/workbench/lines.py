"""One lever: the median with its bands over the values, and the share of draws under it."""

from __future__ import annotations

import numpy as np

from stockpile import sampling_error
from stockpile.report import figures, theme, words
from stockpile.report.blocks import Chart
from stockpile.report.tables import Table, data_link
from stockpile.report.theme import Spec
from stockpile.report.workbench import section as plain
from stockpile.report.workbench import sweep_words
from stockpile.report.workbench.grids import Array, Side
from stockpile.report.workbench.readings import Reading
from stockpile.report.workbench.section import Group, bare, number, numbers, quantity

BANDS = (("q05", "q95", 0.2, "90 % of the draws"), ("q25", "q75", 0.35, "50 % of the draws"))
HEIGHT = 340


def shown_as(found: Reading) -> str:
    """Say what the figures show."""
    text = f"{len(found.points):,} points of one lever, all on the same draws."
    if found.members > 1:
        text += f" The line is the median of {found.members:,} draws, the bands hold 50 and 90 % of them."
    if found.is_date:
        text += f" Dates are months from {found.since}; what does not come before {found.end} is drawn on the dashed line at the top."
    return text


def group(found: Reading, side: Side, munition: str, id_: str) -> Group:
    """Return the figures of a munition."""
    order = [list(found.points[found.paths[0]]).index(value) for value in side.values]
    charts = [_metric(found, side, munition, id_, order)]
    if found.has_chance:
        charts.append(_chance(found, side, munition, id_, order))
    return Group(sweep_words.title(found, munition), tuple(charts), beside=True)


def _metric(found: Reading, side: Side, munition: str, id_: str, order: list[int]) -> Chart:
    columns = [column for column in ("q05", "q25", "q50", "q75", "q95") if column in found.rows]
    values = {column: found.of(munition, column)[order] for column in columns}
    what = sweep_words.subject(found, munition)
    caption = words.capital(what)
    table = Table(
        caption,
        (side.title, *(_column(column) for column in columns)),
        tuple((side.at(value), *(_cell(found, values[column][row]) for column in columns)) for row, value in enumerate(side.values)),
    )
    data = data_link(
        (side.label, *columns), ((plain.shown(value), *(_datum(values[c][row]) for c in columns)) for row, value in enumerate(side.values))
    )
    first, last = _cell(found, values["q50"][0]), _cell(found, values["q50"][-1])
    alternative = (
        f"Line chart of {what}, {sweep_words.statistic(found)}: {first} at {side.at(side.values[0])}, {last} at {side.at(side.values[-1])}."
    )
    return Chart(
        f"{id_}-{munition}",
        sweep_words.sentence(found, [side], munition),
        f"{caption}, by {side.label}",
        alternative,
        _spec(found, side, values),
        table,
        data,
        tuple(note for note in (_point(side),) if note),
    )


def _column(name: str) -> str:
    return "Median" if name == "q50" else f"{int(name[1:])}th percentile"


def _cell(found: Reading, value: float) -> str:
    if found.is_date:
        return "never" if np.isposinf(value) else "already" if value <= 0.0 else f"{value:.0f}"
    return quantity(value, found.unit)


def _datum(value: float) -> object:
    return "never" if np.isposinf(value) else number(value)


def _point(side: Side) -> str:
    if side.own is None:
        return ""
    place = side.place_of(side.own)
    where = "is marked by the dotted line" if place is not None else "lies outside the values tried"
    return f"Today’s point, the scenario’s own central value ({side.at(side.own)}), {where}."


def _spec(found: Reading, side: Side, values: dict[str, Array]) -> Spec:
    x = side.places
    ends = [value[np.isfinite(value)].max(initial=0.0) for value in values.values()]
    top = found.horizon if found.is_date and found.horizon else 1.05 * max(ends)
    drawn = {name: numbers(_scaled(found, np.minimum(value, top))) for name, value in values.items()}
    data: list[Spec] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [*x, *x[::-1]],
            "y": [*drawn[high], *drawn[low][::-1]],
            "fill": "toself",
            "fillcolor": theme.BLUE,
            "line": {"width": 0, "color": theme.BLUE},
            "opacity": opacity,
            "name": name,
            "hoverinfo": "skip",
        }
        for low, high, opacity, name in BANDS
        if low in drawn and found.members > 1
    ]
    data.append(
        {
            "type": "scatter",
            "mode": "lines+markers" if len(x) <= 60 else "lines",
            "x": x,
            "y": drawn["q50"],
            "name": "median",
            "line": {"color": theme.BLUE, "width": 2.5},
            "marker": {"size": 5, "color": theme.BLUE},
            "hovertext": [f"{side.at(value)}: {_cell(found, one)}" for value, one in zip(side.values, values["q50"], strict=True)],
            "hovertemplate": "%{hovertext}<extra></extra>",
        }
    )
    shapes, notes = own_line(side)
    if found.is_date and found.horizon:
        line = {"color": theme.MUTED, "width": 1.5, "dash": "dash"}
        shapes.append({"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": number(top), "y1": number(top), "line": line})
        text = f"never before {found.end}"
        notes.append(theme.note(text, xref="paper", x=0, xanchor="left", y=number(top), yanchor="bottom"))
    title = "months" if found.is_date else bare(0.0, found.unit)[1]
    return {"data": data, "layout": _layout(side, title, shapes, notes, rangemode="tozero")}


def _scaled(found: Reading, values: Array) -> list[float]:
    return [float(value) if found.is_date else bare(float(value), found.unit)[0] for value in values]


def own_line(side: Side) -> tuple[list[Spec], list[Spec]]:
    """Return the dotted line at the scenario's own value, and its label."""
    place = side.place_of(side.own)
    if place is None:
        return [], []
    line = {"color": theme.INK, "width": 1.5, "dash": "dot"}
    shape: Spec = {"type": "line", "x0": place, "x1": place, "yref": "paper", "y0": 0, "y1": 1, "line": line, "name": "today"}
    return [shape], [theme.note("today’s point", x=place, yref="paper", y=0, yanchor="bottom", xanchor="left", xshift=3)]


def _layout(side: Side, title: str, shapes: list[Spec], notes: list[Spec], **more: object) -> Spec:
    found = theme.layout(
        HEIGHT,
        shapes=shapes,
        xaxis=x_axis(side),
        yaxis=theme.axis(nticks=6, **more),
        annotations=[
            theme.note(f"↑ {title}", x=0, xref="paper", xanchor="left", xshift=-40, y=1, yref="paper", yanchor="bottom", yshift=4),
            *notes,
        ],
    )
    found["margin"]["b"] = 52
    return found


def x_axis(side: Side) -> Spec:
    """Return the axis of a lever."""
    title = {"text": words.label(side.title), "font": {"color": theme.MUTED, "size": 12}}
    if side.even:
        return theme.axis(title=title, showgrid=False, nticks=8)
    every = side.thinned(8)
    ticks = [words.label(plain.shown(side.values[place])) for place in every]
    return theme.axis(title=title, showgrid=False, tickmode="array", tickvals=[side.places[place] for place in every], ticktext=ticks)


def _chance(found: Reading, side: Side, munition: str, id_: str, order: list[int]) -> Chart:
    shares = found.chance(munition)[order]
    low, high = sampling_error.proportion_interval(np.round(shares * found.members), found.members)
    what = f"share of {found.members:,} draws in which {sweep_words.below(found, munition)} before {found.end}"
    caption = f"{words.capital(what)}, with the 95 % interval of that share"
    cells = [words.chance(round(s * found.members), found.members, a, b) for s, a, b in zip(shares, low, high, strict=True)]
    spec = chance_spec(side, shares, low, high, [f"{side.at(value)}: {cell}" for value, cell in zip(side.values, cells, strict=True)])
    alternative = f"Line chart of the {what}: {cells[0]} at {side.at(side.values[0])}, {cells[-1]} at {side.at(side.values[-1])}."
    rows = zip(side.values, shares, low, high, strict=True)
    return Chart(
        f"{id_}-{munition}-chance",
        sweep_words.chance_sentence(found, [side], munition),
        caption,
        alternative,
        spec,
        Table(caption, (side.title, "Draws"), tuple((side.at(value), cell) for value, cell in zip(side.values, cells, strict=True))),
        data_link((side.label, "share", "low", "high"), ((plain.shown(value), *numbers(rest)) for value, *rest in rows)),
    )


def chance_spec(side: Side, share: Array, low: Array, high: Array, hover: list[str]) -> Spec:
    """Return a probability over a lever, with the band of its Monte Carlo error."""
    x = side.places
    down, up = figures.rounded(100.0 * low), figures.rounded(100.0 * high)
    data: list[Spec] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [*x, *x[::-1]],
            "y": [*up, *down[::-1]],
            "fill": "toself",
            "fillcolor": theme.BLUE,
            "line": {"width": 0, "color": theme.BLUE},
            "opacity": 0.25,
            "name": "95 % interval",
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": x,
            "y": figures.rounded(100.0 * share),
            "name": "share of draws",
            "line": {"color": theme.BLUE, "width": 2.5},
            "marker": {"size": 5, "color": theme.BLUE},
            "hovertext": [words.label(text) for text in hover],
            "hovertemplate": "%{hovertext}<extra></extra>",
        },
    ]
    shapes, notes = own_line(side)
    top = min(100.0, max(5.0, 1.15 * float(np.max(high)) * 100.0))
    return {"data": data, "layout": _layout(side, "% of the draws", shapes, notes, range=[0, number(top)])}
