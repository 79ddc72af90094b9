"""The section of a discovery: boxes in words, how coverage was given up for density, and the limits beside the full ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile.analysis import wording
from stockpile.analysis.sentences import of_discovery
from stockpile.report import theme, words
from stockpile.report.blocks import Chart
from stockpile.report.tables import DASH, Table, data_link
from stockpile.report.theme import Spec
from stockpile.report.workbench import rows as rowed
from stockpile.report.workbench.scenarios import names_of
from stockpile.report.workbench.section import Group, Section, each, made_with, number, numbers, shown, three, unit_said

if TYPE_CHECKING:
    from stockpile.analysis.discover import Discovery
    from stockpile.scenario import Scenario

NOT_THIS = (
    "A box is where failures crowd in these draws, in this model; it is not why, and failures lie outside it too. Its limits were chosen "
    "to make it dense, so that its density is a little too good, and another search, or other draws, may draw them elsewhere: the "
    "stability says which inputs come back when half of the draws is looked at."
)


def section(found: Discovery, id_: str, scenario: Scenario | None) -> Section:
    """Return the section of a discovery."""
    names = names_of(scenario, found.manifest)
    charts = []
    if len(found.trajectory):
        charts.append(_trajectory(found, id_))
    if len(found.table):
        charts.append(_limits(found, id_))
    stability = _stability(found, id_)
    groups = [Group("", tuple(charts), beside=True)] if charts else []
    groups += [Group("", (stability,))] if stability else []
    failing = wording.capital(names.condition(found.condition))
    shown_as = (
        f"{failing}: that counts as failing. Coverage is the share of all failures that lie in a box, density the share of its draws that "
        "fail. A box is narrowed a little at a time, which gives up coverage for density, and one of the steps is chosen."
    )
    return Section(
        id=id_,
        kind="Discovery",
        title=f"Discovery: when {names.policy(found.policy)} fails",
        sentences=tuple(of_discovery(found, scenario)),
        shown=shown_as,
        groups=tuple(groups),
        tables=(_boxes(found),),
        not_this=NOT_THIS,
        facts=made_with(found.manifest, ("Failing", found.condition)),
        manifest=found.manifest | {"basis": f"over {found.boxes.cases:,} draws"},
    )


def _boxes(found: Discovery) -> Table:
    rows = tuple(
        (
            f"Box {box.number}",
            words.percent(box.coverage),
            words.percent(box.density),
            words.percent(box.mass),
            f"{box.failing:,} of {box.cases:,}",
            text,
        )
        for box, text in zip(found.boxes.found, found.words, strict=True)
    )
    note = found.boxes.said if found.boxes.said else ""
    columns = ("Box", "Coverage", "Density", "Share of all draws", "Failing in it", "In words")
    return Table("The boxes", columns, rows, wording.capital(note) + ("." if note and not note.endswith(".") else ""))


# ---------------------------------------------------------------- coverage and density


def _trajectory(found: Discovery, id_: str) -> Chart:
    frame = found.trajectory
    data: list[Spec] = []
    for number_ in dict.fromkeys(frame["box"]):
        own = frame[(frame["box"] == number_) & (frame["phase"] == "peel")]
        colour, dash, symbol = theme.style(int(number_))
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": numbers(100.0 * own["coverage"]),
                "y": numbers(100.0 * own["density"]),
                "name": f"box {number_}, narrowed",
                "line": {"color": colour, "dash": dash, "width": 1.5},
                "marker": {"symbol": symbol, "size": 5, "color": colour},
                "customdata": [int(one) for one in own["dimensions"]],
                "hovertemplate": "coverage %{x} %, density %{y} %, %{customdata} inputs restricted<extra>%{fullData.name}</extra>",
            }
        )
    boxes = found.boxes.found
    data.append(
        {
            "type": "scatter",
            "mode": "markers+text",
            "x": numbers(100.0 * box.coverage for box in boxes),
            "y": numbers(100.0 * box.density for box in boxes),
            "name": "taken",
            "text": [f"box {box.number}" for box in boxes],
            "textposition": "top center",
            "textfont": {"color": theme.INK, "size": 12},
            "marker": {"symbol": "circle-open", "size": 15, "color": theme.FLOOR, "line": {"width": 3, "color": theme.FLOOR}},
            "hovertemplate": "%{text}: coverage %{x} %, density %{y} %<extra></extra>",
        }
    )
    rows = tuple(
        (
            f"Box {row.box}, step {row.step}",
            str(row.phase),
            words.percent(row.coverage),
            words.percent(row.density),
            words.percent(row.mass),
            str(row.dimensions),
            "yes" if row.chosen else "",
        )
        for row in _some(frame)
    )
    said = "; ".join(f"box {box.number}: coverage {words.percent(box.coverage)}, density {words.percent(box.density)}" for box in boxes)
    columns = ("box", "step", "phase", "coverage", "density", "mass", "dimensions")
    layout = theme.layout(
        400,
        showlegend=True,
        xaxis=theme.axis(
            title={"text": "coverage, % of all failures", "font": {"color": theme.MUTED, "size": 12}}, range=[0, 104], nticks=6
        ),
        yaxis=theme.axis(range=[0, 108], nticks=6),
        annotations=[
            theme.note(
                "↑ density, % of the draws in the box that fail",
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
    layout["margin"] |= {"b": 100, "r": 24}
    return Chart(
        f"{id_}-trajectory",
        f"The first box has {words.percent(boxes[0].coverage)} of the failures, and {words.percent(boxes[0].density)} of its draws fail",
        "Coverage and density while each box is narrowed, %",
        f"Line chart of density against coverage while each box is narrowed. Taken: {said}.",
        {"data": data, "layout": layout},
        Table(
            "Coverage and density, step by step",
            ("Step", "What was done", "Coverage", "Density", "Share of all draws", "Inputs restricted", "Taken"),
            rows,
        ),
        data_link(columns, (numbers(getattr(row, name) for name in columns) for row in each(frame))),
    )


def _some(frame: Any) -> list[Any]:
    """Return some steps for the table, every chosen one among them."""
    rows = each(frame)
    every = max(len(rows) // 30, 1)
    return [row for place, row in enumerate(rows) if place % every == 0 or row.chosen]


# ---------------------------------------------------------------- limits


def _limits(found: Discovery, id_: str) -> Chart:
    rows = each(found.table)
    labels, low, high = [], [], []
    cells = []
    for row in rows:
        column = found.inputs[row.column]
        unit = unit_said(row.unit)
        if row.left_out:
            known = [*row.kept, *row.left_out]
            first, last, whole, here = (
                0.0,
                len(row.kept) / len(known),
                wording.listed(sorted(map(str, known))),
                wording.listed(sorted(map(str, row.kept))),
            )
        else:
            least, most = float(column.min()), float(column.max())
            bottom, top = (least if np.isnan(row.low) else row.low), (most if np.isnan(row.high) else row.high)
            first, last = ((one - least) / ((most - least) or 1.0) for one in (bottom, top))
            whole, here = f"{_number(least)} to {_number(most)}{unit}", f"{_number(bottom)} to {_number(top)}{unit}"
        low.append(first)
        high.append(last)
        labels.append(f"Box {row.box}, {row.label}: {here}, of {whole}")
        cells.append((f"Box {row.box}: {row.label}", here, whole, f"{row.quasi_p:.1g}"))
    restricted = found.table["column"].nunique()
    full = rowed.bars([100] * len(rows), "full range", theme.GRID, "", labels)
    inside = rowed.bars(
        numbers(100.0 * (b - a) for a, b in zip(low, high, strict=True)),
        "within the box",
        theme.BLUE,
        "/",
        labels,
        base=numbers(100.0 * a for a in low),
    )
    layout = rowed.layout(labels, "% of the full range", range=[0, 100])
    return Chart(
        f"{id_}-limits",
        f"{len(rows)} {'limit' if len(rows) == 1 else 'limits'}, on {restricted} of {len(found.inputs.columns) - 1} inputs",
        "Limits of each restricted input beside its full range in these draws",
        f"Bar chart of the limits of each restricted input beside its full range, {len(rows)} limits. {'; '.join(labels)}.",
        {"data": [full, inside], "layout": layout},
        Table(
            "Limits of the boxes",
            ("Input", "In the box", "In all draws", "Quasi-p-value"),
            tuple(cells),
            "A quasi-p-value says how easily chance would do what the limit does; it is too low, as limits were chosen to make it so.",
        ),
        data_link(
            ("box", "input", "low", "high", "kept"),
            (
                [row.box, row.column, *("" if one != one else number(one) for one in (row.low, row.high)), " ".join(map(str, row.kept))]
                for row in rows
            ),
        ),
    )


def _number(value: float) -> str:
    return shown(int(value)) if value == int(value) and abs(value) < 1e6 else three(value)


# ---------------------------------------------------------------- stability


def _stability(found: Discovery, id_: str) -> Chart | None:
    frame = found.stability
    if not len(frame) or not int(frame["halves"].iloc[0]):
        return None
    own = frame[frame["in_whole"] | (frame["restricted"] > 0.0)].sort_values(["in_whole", "restricted"], ascending=False, kind="stable")
    if not len(own):
        return None
    halves = int(frame["halves"].iloc[0])
    label = {**{column: column for column in own["column"]}, **dict(zip(found.table["column"], found.table["label"], strict=True))}
    every = [
        (f"{wording.capital(label[row.column])}{'' if row.in_whole else ' (not in the box)'}", float(row.restricted)) for row in each(own)
    ]
    few = every[: rowed.MOST]
    caption = f"Share of {halves} random halves of the draws whose first box restricts an input, %"
    bars = rowed.bars(
        numbers(100.0 * share for _, share in few),
        "share of halves",
        theme.GREEN,
        "",
        [f"{name}: {words.percent(share)}" for name, share in few],
    )
    layout = rowed.layout([name for name, _ in few], "% of the halves", legend=False, range=[0, 100])
    seldom = [name for name, share in every if share < 0.5 and "(not in the box)" not in name]
    title = (
        f"All inputs of the first box come back in at least half of {halves} random halves"
        if not seldom
        else f"Of the inputs of the first box, {len(seldom)} come back in fewer than half of {halves} random halves"
    )
    return Chart(
        f"{id_}-stability",
        title,
        caption,
        f"Bar chart of the {caption[0].lower() + caption[1:]}. "
        + "; ".join(f"{name}: {words.percent(share)}" for name, share in few)
        + ".",
        {"data": [bars], "layout": layout},
        Table(caption, ("Input", "Halves"), tuple((name, words.percent(share)) for name, share in every) or ((DASH, DASH),)),
        data_link(
            ("input", "restricted", "in_whole"), ([row.column, number(row.restricted), shown(bool(row.in_whole))] for row in each(own))
        ),
        (f"{len(every) - rowed.MOST} more are in the table.",) if len(every) > rowed.MOST else (),
    )
