"""The chart of the projected US stock: a line a policy, levels, suspensions, the date of knowledge, numbered events."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np

from stockpile.report import figures, theme, words
from stockpile.report.study import Study
from stockpile.report.theme import Spec
from stockpile.results import Array
from stockpile.units import DAYS_PER_MONTH

HEIGHT, ROW = 470, 18
"""Height of the chart without the strip of events, and of a row of that strip [pixel]."""
LEVEL_WIDTH, CHARACTER, WIDTH = 70, 6.4, 720
"""Characters of a line of a level's label, pixels of a character, and the usual width of the chart between its margins [pixel]."""
PLACES = ((True, True), (False, True), (True, False), (False, False))
"""Where a level's label may stand: at the left end or the right, above its line or below."""
Levels = Sequence[tuple[str, float]]
"""Labels and rounds."""
LARGEST_VISIBLE_LEVEL = 1.15
"""A level above this multiple of the highest line is left out of the chart and named in the requirement card."""
EVENT_GAP = 8.5
"""Months between two marks in one row of the strip of events."""


def stock_groups(study: Study, munition: str) -> tuple[tuple[str, ...], ...]:
    """Return the policies whose lines of the US stock share one line of the chart, the base policy first."""
    order = sorted(study.result.policies, key=lambda policy: policy != study.base)
    lines = {policy: study.stock(policy, munition) for policy in order}
    return figures.alike(lines, figures.ALIKE * max(float(line.max()) for line in lines.values()))


def shown_levels(study: Study, munition: str, highest: float | None = None) -> list[tuple[str, float]]:
    """Return label and rounds of the levels that lie within the chart of the stock, the transfer floor first, equal ones together.

    `highest` is the highest point of its lines, that of the central values where left out.
    """
    top = max(float(study.stock(policy, munition).max()) for policy in study.result.policies) if highest is None else highest
    floor = study.floor(munition)[0]
    found: dict[float, list[str]] = {}
    for name in sorted(study.scenario.munitions[munition].floors, key=lambda one: one != floor):
        rounds = float(study.result.levels[munition][name][0])
        if 0.0 < rounds <= LARGEST_VISIBLE_LEVEL * top or name == floor:
            found.setdefault(rounds, []).append(level_label(study, munition, name))
    return [("; ".join(_once(labels)), rounds) for rounds, labels in found.items()]


def _once(labels: list[str]) -> list[str]:
    """Return labels of one line, what they begin with said once."""
    start = f"{labels[0].partition(':')[0]}: "
    return [labels[0], *(label.removeprefix(start) for label in labels[1:])]


def level_label(study: Study, munition: str, name: str) -> str:
    """Return a level as it is printed: one that limits transfers is always "the floor assumed here".

    A share of the stock at the start is printed as that share, so that it says what it is when it is changed.
    """
    level = study.scenario.munitions[munition].floors[name]
    limits = any(study.scenario.policies[policy].transfer_floor == name for policy in study.result.policies)
    start = "the floor assumed here" if limits else "for comparison"
    if level.of is None:
        return f"{start}: {level.title}"
    share = level.level.points[-1].value
    stock = f"{words.month(study.date(0))} stock"
    return f"{start}: {f'the {stock}' if share == 1.0 else f'{words.percent(share)} of the {stock}'}"


def stock(study: Study, munition: str, numbers: dict[str, int]) -> Spec:
    """Return the projected US stock under the policies, with levels, suspensions and numbered events.

    Parameters
    ----------
    study : Study
    munition : str
    numbers : dict
        The number of each event, as in the table of events.
    """
    dates = figures.days(study.result.dates)
    groups = [(group, study.stock(group[0], munition)) for group in stock_groups(study, munition)]
    levels = shown_levels(study, munition)
    top = 1.06 * max(estimate_high(study, munition), *(float(values.max()) for _, values in groups), *(rounds for _, rounds in levels))
    rows, marks = event_strip(study, munition, numbers)
    height = HEIGHT + (ROW * rows + 6 if rows else 0)
    plot = height - theme.ABOVE - theme.BELOW
    strip = (height - HEIGHT) / plot
    first = (study.date(0) - dt.timedelta(days=45)).isoformat()
    layout = theme.layout(
        height,
        right=theme.LABELS,
        xaxis=theme.axis(
            type="date",
            range=[first, dates[-1]],
            anchor="y2" if rows else "y",
            showgrid=False,
            dtick="M12",
            tick0=f"{study.date(0).year + 1}-01-01",
            tickformat="%Y",
            hoverformat="%B %Y",
        ),
        yaxis=theme.axis(range=[0, top], domain=[strip, 1], tickformat=",.0f"),
        shapes=[
            *(figures.band(*pause) for pause in figures.pauses(study, munition)),
            now_line(study),
            *level_lines(levels, first, dates[-1]),
        ],
        annotations=[
            now_label(study),
            *figures.band_label(study, munition),
            *level_labels(study, levels, [values for _, values in groups], first, top, plot * (1 - strip)),
            *figures.line_labels(study, groups, dates[-1], (0.0, top), plot * (1 - strip)),
        ],
    )
    if rows:
        layout["yaxis2"] = {"visible": False, "range": [rows - 0.4, -0.8], "domain": [0, max(strip - 0.01, 0)], "fixedrange": True}
    data = [*figures.policy_lines(study, dates, groups, ",.4~r"), *estimates(study, munition), *marks]
    return {"data": data, "layout": layout}


def estimate_high(study: Study, munition: str) -> float:
    """Return the upper end of the range of the stock at the start."""
    point = study.scenario.munitions[munition].us_stock.points[0]
    return point.high if point.high is not None else point.value


def estimates(study: Study, munition: str) -> list[Spec]:
    """Return the range of the stock at the start as a bar, and other readings of it as open circles."""
    point = study.scenario.munitions[munition].us_stock.points[0]
    low, high = (point.low if point.low is not None else point.value), estimate_high(study, munition)
    start = study.date(0).isoformat()
    used: Spec = {
        "type": "scatter",
        "mode": "markers",
        "x": [start],
        "y": [point.value],
        "name": "range of the estimate at the start",
        "marker": {"color": theme.MUTED, "size": 5},
        "showlegend": False,
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [high - point.value],
            "arrayminus": [point.value - low],
            "color": theme.MUTED,
            "thickness": 1.5,
            "width": 5,
        },
        "hovertemplate": f"estimate: {point.value:,.0f}, range {low:,.0f} to {high:,.0f}<extra></extra>",
    }
    others = other_readings(study, munition)
    beside: Spec = {
        "type": "scatter",
        "mode": "markers",
        "x": [start] * len(others),
        "y": others,
        "name": "another reading of the stock at the start",
        "marker": {"color": theme.MUTED, "size": 9, "symbol": "circle-open", "line": {"width": 1.5}},
        "showlegend": False,
        "hovertemplate": "another reading: %{y:,.0f}<extra></extra>",
    }
    return [used, beside] if others else [used]


def other_readings(study: Study, munition: str) -> list[float]:
    """Return the values that stand beside the stock at the start which is used."""
    return [beside.point.value for beside in study.scenario.beside if beside.path == f"munitions.{munition}.us_stock"]


def now_line(study: Study) -> Spec:
    """Return the line between history and projection."""
    when, line = study.scenario.as_of.isoformat(), {"color": theme.MUTED, "width": 1}
    return {"type": "line", "xref": "x", "yref": "paper", "x0": when, "x1": when, "y0": 0, "y1": 1, "line": line}


def now_label(study: Study) -> Spec:
    """Return its label."""
    when = study.scenario.as_of.isoformat()
    return theme.note("history | projection", x=when, y=1, yref="paper", yanchor="bottom", xanchor="center")


def level_lines(levels: Levels, first: str, last: str) -> list[Spec]:
    """Return the lines of the levels, the first of them dashed in the colour of floors."""
    return [
        {
            "type": "line",
            "xref": "x",
            "yref": "y",
            "x0": first,
            "x1": last,
            "y0": rounds,
            "y1": rounds,
            "layer": "between",
            "line": {
                "color": theme.FLOOR if number == 0 else theme.MUTED,
                "width": 2 if number == 0 else 1,
                "dash": "dash" if number == 0 else "dot",
            },
        }
        for number, (_, rounds) in enumerate(levels)
    ]


def level_labels(study: Study, levels: Levels, lines: Sequence[Array], first: str, top: float, pixels: float) -> list[Spec]:
    """Return the labels of the levels, each where the fewest points of lines and of labels before it lie behind it."""
    last = len(study.result.dates) - 1
    share = np.arange(last + 1) / last
    points = np.array(
        [
            (x, float(y) / top)
            for line in [*lines, *(np.full(last + 1, rounds) for _, rounds in levels)]
            for x, y in zip(share, line, strict=True)
        ]
    )
    taken = points[:0]
    found = []
    for number, (text, rounds) in enumerate(levels):
        rows = words.wrapped(f"{text}, {words.rounds(rounds)}", LEVEL_WIDTH)
        size = (max(map(len, rows)) * CHARACTER / WIDTH, (len(rows) * figures.LINE_HEIGHT + 4) / pixels)
        left, above = min(PLACES, key=lambda place: _behind(np.concatenate([points, taken]), place, rounds / top, size))
        box = _box((left, above), rounds / top, size)
        taken = np.concatenate([taken, np.array([(x, y) for x in np.linspace(box[0], box[1], 40) for y in np.linspace(box[2], box[3], 5)])])
        found.append(
            theme.note(
                "<br>".join(words.label(row) for row in rows),
                name="level",
                y=rounds,
                x=first if left else study.date(last).isoformat(),
                align="left" if left else "right",
                xanchor="left" if left else "right",
                yanchor="bottom" if above else "top",
                xshift=14 if left else -2,
                yshift=1 if above else -1,
                font={"color": theme.FLOOR if number == 0 else theme.MUTED, "size": 12},
            )
        )
    return found


def _box(place: tuple[bool, bool], y: float, size: tuple[float, float]) -> tuple[float, float, float, float]:
    """Return the box of a label at a level, as shares of the chart: left, right, bottom, top."""
    (left, above), (width, height) = place, size
    low, bottom = (0.02 if left else 1.0 - width), (y + 0.004 if above else y - height)
    return low, low + width, bottom, bottom + height - 0.004


def _behind(points: Array, place: tuple[bool, bool], y: float, size: tuple[float, float]) -> float:
    """Return how many points lie behind a label there; one below the chart is behind everything."""
    low, high, bottom, top = _box(place, y, size)
    inside = (points[:, 0] >= low) & (points[:, 0] <= high) & (points[:, 1] >= bottom) & (points[:, 1] <= top)
    return float(inside.sum()) if bottom >= 0.0 else np.inf


def marked(study: Study, munition: str, numbers: dict[str, int]) -> list[str]:
    """Return the events that are marked in the chart of a munition, in the order of their numbers.

    A hold gives no rounds; it is marked everywhere, unless its title names another munition only.
    """
    start, end = study.date(0), study.date(len(study.result.dates) - 1)
    found = []
    for name in sorted(numbers, key=lambda one: numbers[one]):
        event = study.scenario.events[name]
        named = [m for m in study.result.munitions if study.short(m) in event.title]
        concerned = munition in event.rounds or (event.kind == "hold" and (not named or munition in named))
        if concerned and start <= event.start < end:
            found.append(name)
    return found


def event_strip(study: Study, munition: str, numbers: dict[str, int]) -> tuple[int, list[Spec]]:
    """Return the strip of numbered event marks: how many rows it has, and its traces."""
    chosen = marked(study, munition, numbers)
    if not chosen:
        return 0, []
    events = [study.scenario.events[name] for name in chosen]
    last: list[dt.date] = []
    place = []
    for event in events:
        free = (row for row, date in enumerate(last) if (event.start - date).days / DAYS_PER_MONTH >= EVENT_GAP)
        row = next(free, len(last))
        last[row : row + 1] = [event.start]
        place.append(row)
    trace: Spec = {
        "type": "scatter",
        "mode": "markers+text",
        "xaxis": "x",
        "yaxis": "y2",
        "showlegend": False,
        "name": "events",
        "cliponaxis": False,
        "x": [event.start.isoformat() for event in events],
        "y": place,
        "text": [str(numbers[name]) for name in chosen],
        "textfont": {"color": theme.PAPER, "size": 10},
        "marker": {"size": 16, "color": theme.MUTED, "symbol": [theme.EVENT_SYMBOLS[event.kind] for event in events]},
        "customdata": [words.label(f"{event.title}, {words.window(event.start, event.end)}") for event in events],
        "hovertemplate": "%{text}: %{customdata}<extra></extra>",
    }
    return len(last), [trace]
