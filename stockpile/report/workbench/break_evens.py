"""The section of a break-even: the probability over the lever and where it crosses, or the crossing over a second lever."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile.analysis import wording
from stockpile.analysis.sentences import of_break_even
from stockpile.analysis.wording import Names
from stockpile.report import theme, words
from stockpile.report.blocks import Chart
from stockpile.report.tables import DASH, Table, data_link
from stockpile.report.theme import Spec
from stockpile.report.workbench import grids, lines, maps
from stockpile.report.workbench.grids import Grid, Side
from stockpile.report.workbench.scenarios import names_of, own_value
from stockpile.report.workbench.section import MONTE_CARLO, Group, Section, each, made_with, missing, number, numbers, said_lever, shown
from stockpile.sweep.axes import plain

if TYPE_CHECKING:
    import pandas as pd

    from stockpile.analysis.break_even import BreakEven
    from stockpile.scenario import Scenario

NOT_THIS = (
    "A crossing is where a probability in this model passes a chosen level, not where anything turns: just beside it the probability is "
    f"almost the same. Between the values tried it is read off a straight line. {MONTE_CARLO}"
)
IN_WORDS = {"never": "never: below the level at every value tried", "always": "always: at or above the level at every value tried"}


def section(found: BreakEven, id_: str, scenario: Scenario | None) -> Section:
    """Return the section of a break-even."""
    names = names_of(scenario, found.manifest)
    lever = _side(found.lever, found.curve["lever"], names, scenario)
    said = of_break_even(found, scenario)
    level = words.percent(found.level)
    event = f"the chance that {names.event(found.outcome)}, under {names.policy(found.policy)}"
    if found.over is None:
        groups = (Group("", (_curve(found, lever, id_, said[0], event),)),)
        shown_as = f"The line is {event}; its band, the 95 % interval of Monte Carlo error. Dashed: the level of {level}."
    else:
        over = _side(found.over, found.curve["over"], names, scenario)
        groups = (Group("", (_crossing_chart(found, lever, over, id_, said[0], event), _map(found, lever, over, id_, event))),)
        shown_as = (
            f"First the values of {lever.label} at which {event} passes {level}, over {over.label}; the bars say where the crossing may "
            f"lie by the Monte Carlo intervals. Then the chance at every point."
        )
    title = f"Break-even: {lever.label}"
    return Section(
        id=id_,
        kind="Break-even",
        title=title,
        sentences=tuple(said),
        shown=shown_as,
        groups=groups,
        tables=(_crossings(found, lever, names, scenario),),
        not_this=NOT_THIS,
        facts=made_with(found.manifest, ("Outcome", found.outcome)),
        manifest=found.manifest | {"basis": f"over {found.manifest['members']:,} draws"},
    )


def _side(path: str, values: pd.Series, names: Names, scenario: Scenario | None) -> Side:
    label, unit = said_lever(names, path)
    return Side(tuple(dict.fromkeys(plain(value) for value in values)), label, unit, own_value(scenario, path) if scenario else None)


def _place(side: Side, value: Any) -> float | None:
    """Return where a value of a lever stands on its axis; dates between others as shares of the way."""
    if missing(value):
        return None
    if isinstance(value, dt.date):
        days = [one.toordinal() for one in side.values]
        return float(np.interp(value.toordinal(), days, side.places))
    return float(np.interp(value, side.values, side.places))


# ---------------------------------------------------------------- one lever


def _curve(found: BreakEven, lever: Side, id_: str, title: str, event: str) -> Chart:
    frame = found.curve
    share, low, high = (frame[name].to_numpy(dtype=np.float64) for name in ("probability", "low", "high"))
    cells = [words.chance(round(s * m), m, a, b) for s, m, a, b in zip(share, frame["members"], low, high, strict=True)]
    spec = lines.chance_spec(
        lever, share, low, high, [f"{lever.at(value)}: {cell}" for value, cell in zip(lever.values, cells, strict=True)]
    )
    _level(spec, found.level)
    marks = [row for row in each(found.crossings) if row.verdict == "crosses"]
    spec["data"] += _crossed(marks, lever, found.level)
    said = [f"{cells[place]} at {lever.at(lever.values[place])}" for place in dict.fromkeys((0, len(cells) // 2, len(cells) - 1))]
    alternative = f"Line chart of {event} over {lever.label}: {'; '.join(said)}; level {words.percent(found.level)}."
    return Chart(
        f"{id_}-curve",
        title,
        f"{words.capital(event)}, % of {int(frame['members'].iloc[0]):,} draws",
        alternative,
        spec,
        Table(words.capital(event), (lever.title, "Draws (95 % interval)"), tuple(zip(map(lever.at, lever.values), cells, strict=True))),
        data_link(
            (found.lever, "probability", "low", "high"),
            ((shown(v), *numbers(rest)) for v, *rest in zip(lever.values, share, low, high, strict=True)),
        ),
    )


def _level(spec: Spec, level: float) -> None:
    """Draw the line of the level, and see to it that it is in sight."""
    layout = spec["layout"]
    top = number(100.0 * level)
    layout["shapes"].append(
        {
            "type": "line",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": top,
            "y1": top,
            "line": {"color": theme.FLOOR, "width": 2, "dash": "dash"},
        }
    )
    note = theme.note(
        f"level {words.percent(level)}",
        xref="paper",
        x=1,
        xanchor="right",
        y=top,
        yanchor="bottom",
        font={"color": theme.FLOOR, "size": 12},
    )
    layout["annotations"].append(note)
    layout["yaxis"]["range"] = [0, max(layout["yaxis"]["range"][1], min(number(130.0 * level), 100))]


def _crossed(marks: list[Any], lever: Side, level: float) -> list[Spec]:
    """Return a diamond at each crossing, with the values between which it may lie; an end that is not known goes to the edge."""
    if not marks:
        return []
    at = [_place(lever, row.value) for row in marks]
    low = [lever.places[0] if missing(row.low) else _place(lever, row.low) for row in marks]
    high = [lever.places[-1] if missing(row.high) else _place(lever, row.high) for row in marks]
    bars = {
        "type": "data",
        "symmetric": False,
        "color": theme.FLOOR,
        "thickness": 2,
        "width": 6,
        "array": [number(h - a) for h, a in zip(high, at, strict=True) if h is not None and a is not None],
        "arrayminus": [number(a - b) for b, a in zip(low, at, strict=True) if b is not None and a is not None],
    }
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": at,
            "y": [number(100.0 * level)] * len(marks),
            "name": "crossing",
            "error_x": bars,
            "marker": {"symbol": "diamond", "size": 11, "color": theme.FLOOR},
            "hovertemplate": "crosses at %{x:.4~r}<extra></extra>",
        }
    ]


# ---------------------------------------------------------------- over a second lever


def _crossing_chart(found: BreakEven, lever: Side, over: Side, id_: str, title: str, event: str) -> Chart:
    rows = each(found.crossings)
    crossed = [row for row in rows if row.verdict == "crosses"]
    outside = [row for row in rows if row.verdict != "crosses"]
    data = [*_between(crossed, lever, over), *_verdicts(outside, lever, over)]
    half = (lever.places[-1] - lever.places[0]) * 0.16 or 1.0
    layout = theme.layout(
        380,
        showlegend=bool(outside),
        xaxis=lines.x_axis(over),
        yaxis={**lines.x_axis(lever), "title": {"text": ""}, "showgrid": True, "range": [lever.places[0] - half, lever.places[-1] + half]},
        annotations=[
            theme.note(
                f"↑ {words.label(lever.title)}",
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
        shapes=[],
    )
    layout["margin"]["b"] = 84 if outside else 52
    if over.place_of(over.own) is not None and lever.place_of(lever.own) is not None:
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [over.place_of(over.own)],
                "y": [lever.place_of(lever.own)],
                "name": "today’s point",
                "meta": "today",
                "marker": {"symbol": "star", "size": 13, "color": theme.INK},
                "hovertemplate": "today’s point<extra></extra>",
            }
        )
        layout["showlegend"], layout["margin"]["b"] = True, 84
    cells = [(over.at(plain(row.over)), _verdict(row, lever)) for row in rows]
    alternative = f"Line chart of the {lever.label} at which {event} passes {words.percent(found.level)}, over {over.label}. "
    columns = ["over", "verdict", "direction", "value", "low", "high", "shape", "sure"]
    return Chart(
        f"{id_}-crossing",
        title,
        f"{lever.title} at which {event} passes {words.percent(found.level)}, by {over.label}",
        alternative + "; ".join(f"{at}: {said}" for at, said in cells) + ".",
        {"data": data, "layout": layout},
        Table(f"{lever.title} at the crossing", (over.title, "Crossing"), tuple(cells)),
        data_link(columns, (["" if missing(getattr(row, name)) else getattr(row, name) for name in columns] for row in rows)),
        _ends_note(crossed),
    )


def _ends_note(crossed: list[Any]) -> tuple[str, ...]:
    open_ = any(missing(row.low) or missing(row.high) for row in crossed)
    return ("A bar that reaches the edge of the values tried may go on beyond it.",) if open_ else ()


def _between(crossed: list[Any], lever: Side, over: Side) -> list[Spec]:
    """Return the crossings over the second lever, with their brackets; a line for those that go up and one for those that go down."""
    found = []
    for direction, symbol, dash in (("up", "diamond", "solid"), ("down", "square", "dash")):
        own = [row for row in crossed if row.direction == direction]
        if not own:
            continue
        at = [_place(lever, row.value) or 0.0 for row in own]
        low = [lever.places[0] if missing(row.low) else _place(lever, row.low) or 0.0 for row in own]
        high = [lever.places[-1] if missing(row.high) else _place(lever, row.high) or 0.0 for row in own]
        brackets = {
            "type": "data",
            "symmetric": False,
            "color": theme.BLUE,
            "thickness": 1.5,
            "width": 5,
            "array": numbers(h - a for h, a in zip(high, at, strict=True)),
            "arrayminus": numbers(a - b for b, a in zip(low, at, strict=True)),
        }
        found.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": [over.places[over.values.index(plain(row.over))] for row in own],
                "y": numbers(at),
                "name": f"passes going {direction}",
                "line": {"color": theme.BLUE, "width": 2, "dash": dash},
                "error_y": brackets,
                "marker": {"symbol": symbol, "size": 9, "color": theme.BLUE},
                "connectgaps": False,
                "hovertext": [f"{over.at(plain(row.over))}: {_verdict(row, lever)}" for row in own],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
    return found


def _verdicts(outside: list[Any], lever: Side, over: Side) -> list[Spec]:
    """Return those without a crossing, at the edge beyond which they would lie, in words."""
    found = []
    half = (lever.places[-1] - lever.places[0]) * 0.07 or 0.5
    for verdict, symbol, colour, y in (
        ("never", "triangle-up", theme.MUTED, lever.places[-1] + half),
        ("always", "triangle-down", theme.VERMILLION, lever.places[0] - half),
    ):
        own = [row for row in outside if row.verdict == verdict]
        if own:
            found.append(
                {
                    "type": "scatter",
                    "mode": "markers+text",
                    "x": [over.places[over.values.index(plain(row.over))] for row in own],
                    "y": [number(y)] * len(own),
                    "name": IN_WORDS[verdict],
                    "text": [verdict if len(own) <= 12 or place == 0 else "" for place in range(len(own))],
                    "textposition": "top center",
                    "textfont": {"color": theme.MUTED, "size": 11},
                    "marker": {"symbol": symbol, "size": 9, "color": colour},
                    "cliponaxis": False,
                    "hovertext": [f"{over.at(plain(row.over))}: {_verdict(row, lever)}" for row in own],
                    "hovertemplate": "%{hovertext}<extra></extra>",
                }
            )
    return found


def _verdict(row: Any, lever: Side) -> str:
    """Return a crossing in words, with its bracket."""
    unsure = "" if row.sure else ", too close to call"
    if row.verdict != "crosses":
        return f"{row.verdict}{unsure}"
    width = 0.0
    if not missing(row.low) and not missing(row.high) and isinstance(row.value, int | float):
        width = float(row.high - row.low)
    at, low, high = (None if missing(one) else _said(one, width) for one in (row.value, row.low, row.high))
    if low and high:
        where = f" ({low} to {high})"
    else:
        where = f" ({low} or more)" if low else f" ({high} or less)" if high else " (its error reaches beyond the values tried)"
    return f"{at}{where}, going {row.direction}{unsure}"


def _said(value: Any, width: float) -> str:
    return wording.rounded(float(value), width) if isinstance(value, int | float) else shown(plain(value))


def _map(found: BreakEven, lever: Side, over: Side, id_: str, event: str) -> Chart:
    values = found.curve["probability"].to_numpy(dtype=np.float64).reshape(len(over.values), len(lever.values)).T
    grid = Grid(over, lever, np.round(100.0 * values), "share of draws", "%", lambda value: f"{value:.0f}", dark_is_high=True)
    low, high = float(values.min()), float(values.max())
    title = (
        f"{words.capital(event)} is {words.percent(low)} to {words.percent(high)} over all points"
        if high > low
        else f"{words.capital(event)} is {words.percent(low)} at every point"
    )
    return Chart(
        f"{id_}-chance",
        title,
        f"{words.capital(event)}, %",
        grids.alternative(grid, event),
        maps.figure(grid),
        grids.table(grid, f"{words.capital(event)}, %"),
        grids.data(grid),
        (grids.point_said(grid), grids.size_said(grid)),
    )


def _crossings(found: BreakEven, lever: Side, names: Names, scenario: Scenario | None) -> Table:
    """Return all crossings, in words."""
    over = _side(found.over, found.curve["over"], names, scenario) if found.over else None
    rows = []
    for row in each(found.crossings):
        where = over.at(plain(row.over)) if over else words.percent(found.level)
        between = _verdict(row, lever) if row.verdict == "crosses" else DASH
        rows.append((where, IN_WORDS.get(row.verdict, "crosses"), between, row.shape, "yes" if row.sure else "no"))
    columns = (
        over.title if over else "Level",
        "Verdict",
        f"{lever.title} at the crossing",
        "Shape of the curve",
        "Sure within the error of the draws",
    )
    return Table(f"Every crossing of {words.percent(found.level)}, with where it may lie, over {lever.label}", columns, tuple(rows))
