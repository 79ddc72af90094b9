"""The section of a trade-off: risk to the US floor against the recipients' unmet need, and the bound of perfect foresight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile.analysis import wording
from stockpile.analysis.sentences import of_frontier
from stockpile.analysis.wording import Names
from stockpile.report import figures, theme, words
from stockpile.report.blocks import Chart
from stockpile.report.tables import Table, data_link
from stockpile.report.theme import Spec
from stockpile.report.workbench.scenarios import names_of
from stockpile.report.workbench.section import (
    MONTE_CARLO,
    Group,
    Section,
    each,
    made_with,
    number,
    numbers,
    shown,
    signed,
    with_unit,
)

if TYPE_CHECKING:
    from stockpile.analysis.frontier import Frontier
    from stockpile.scenario import Scenario

BOUND = (
    "No rule can beat this bound: it is worked out draw by draw with the whole future known, and no policy knows it. A gap is what knowing "
    "the future, and not being a rule, could at most be worth."
)
NOT_THIS = (
    "The trade-off is among the reserve-and-review rules that were tried, and no others. It counts rounds of unmet need alike, whoever "
    f"lacks them and when, and says nothing of what they would be worth. Which point to choose is not for the model. {MONTE_CARLO}"
)
ROWS = 60
"""Most rules in the table; the data have all."""


def section(found: Frontier, id_: str, scenario: Scenario | None) -> Section:
    """Return the section of a trade-off."""
    names = names_of(scenario, found.manifest)
    said = of_frontier(found, scenario)
    total, best = len(found.points), int((~found.points["dominated"]).sum())
    charts = [
        _scatter(found, id_, f"{best:,} of {total:,} review rules are not outdone by another", names),
        *([_bound(found, id_, names)] if len(found.bound) and len(found.gaps) else []),
    ]
    shown_as = (
        f"Each point is one of {total:,} review rules (trigger, release, share held back), all on the same draws: across, the chance; "
        f"upwards, the mean unmet need. Grey: outdone by another rule in one respect and no better in the other. Joined: the "
        f"{best:,} that are not."
    )
    what = f"unmet need against the chance that the US stock of {names.munition(found.munition)} is below {names.level(found.level)}"
    extra = ("Reviews like those of", names.policy(found.policy)), ("Draws of perfect foresight", f"{found.manifest.get('foresight', 0):,}")
    return Section(
        id=id_,
        kind="Trade-off",
        title=f"Trade-off: {what}",
        sentences=tuple(said),
        shown=shown_as,
        groups=(Group("", tuple(charts)),),
        tables=(),
        not_this=NOT_THIS,
        facts=made_with(found.manifest, *extra),
        manifest=found.manifest | {"basis": f"over {found.manifest['members']:,} draws"},
    )


def rule(row: Any) -> str:
    """Return a review rule in words, as multiples of the review level."""
    return f"trigger {shown(number(row.trigger))}, release {shown(number(row.release))}, {words.percent(row.share)} held back"


def _scatter(found: Frontier, id_: str, title: str, names: Names) -> Chart:
    points = found.points
    best = points[~points["dominated"]].sort_values(["chance_below", "unmet"])
    rows = each(best)
    cells = tuple(
        (rule(row).capitalize(), _chance(row, found), _unmet(row), _rounds(row.own_unmet), _rounds(row.depth)) for row in rows[:ROWS]
    )
    stock = f"the US stock of {names.munition(found.munition)} is below {names.level(found.level)} after {names.after}"
    columns = ("trigger", "release", "share", "chance_below", "unmet", "own_unmet", "depth", "dominated")
    few = rows[:: max(len(rows) // 4, 1)]
    said = "; ".join(f"{rule(row)}: chance {_chance(row, found)}, unmet need {_unmet(row)}" for row in few)
    note = (f"The table has {len(cells)} of {len(rows):,} rules, the least chance first.",) if len(rows) > ROWS else ()
    return Chart(
        f"{id_}-frontier",
        title,
        f"Mean unmet need of all recipients over the run, rounds, by the chance that {stock}",
        f"Scatter chart of mean unmet need against the chance that {stock}, {len(points):,} rules, {len(rows):,} of them not outdone. "
        f"{said}.",
        _scatter_spec(found, rows),
        Table(
            f"The rules that are not outdone, of {len(points):,}",
            (
                "Rule, in multiples of the review level",
                f"Draws in which {stock}",
                "Unmet need, rounds",
                "Unmet need of US forces, rounds",
                "Mean rounds below at the lowest",
            ),
            cells,
        ),
        data_link(
            columns,
            (numbers(getattr(row, name) if name != "dominated" else bool(row.dominated) for name in columns) for row in each(points)),
        ),
        note,
    )


def _chance(row: Any, found: Frontier) -> str:
    members = int(found.manifest["members"])
    return words.chance(round(row.chance_below * members), members, row.chance_low, row.chance_high)


def _unmet(row: Any) -> str:
    width = row.unmet_high - row.unmet_low
    first, middle, last = (signed(wording.rounded(value, width)) for value in (row.unmet_low, row.unmet, row.unmet_high))
    return f"{middle} ({first} to {last})"


def _rounds(value: float) -> str:
    return words.rounds(float(value))


def _scatter_spec(found: Frontier, rows: list[Any]) -> Spec:
    worse = each(found.points[found.points["dominated"]])
    hover = (
        "%{customdata[0]} held back below %{customdata[1]}, up to %{customdata[2]} of the review level: %{x} % of draws, "
        "%{y:,.4~r} rounds unmet<extra></extra>"
    )

    def trace(own: list[Any], **more: Any) -> Spec:
        return {
            "type": "scatter",
            "x": numbers(100.0 * row.chance_below for row in own),
            "y": numbers(row.unmet for row in own),
            "customdata": [[f"{100.0 * row.share:g} %", number(row.trigger), number(row.release)] for row in own],
            "hovertemplate": hover,
            **more,
        }

    joined = {"color": theme.BLUE, "width": 2, "dash": "dot"}
    data = [
        trace(
            worse, mode="markers", name="outdone by another rule", marker={"size": 5, "color": theme.MUTED, "opacity": 0.6, "symbol": "x"}
        ),
        trace(rows, mode="lines+markers", name="not outdone", line=joined, marker={"size": 8, "color": theme.BLUE}),
    ]
    layout = theme.layout(
        430,
        showlegend=True,
        xaxis=theme.axis(
            title={"text": "below the floor assumed here, % of draws", "font": {"color": theme.MUTED, "size": 12}},
            nticks=8,
            tickformat=",~g",
        ),
        yaxis=theme.axis(nticks=6, tickformat=",~g"),
        annotations=[
            theme.note(
                "↑ unmet need, rounds", x=0, xref="paper", xanchor="left", xshift=-40, y=1, yref="paper", yanchor="bottom", yshift=4
            ),
            *_labels(rows),
        ],
    )
    layout["margin"] |= {"b": 84, "r": 24}
    return {"data": data, "layout": layout}


def _labels(rows: list[Any]) -> list[Spec]:
    """Name the rules at both ends of the line."""
    found = []
    for row, down in ((rows[0], -1), (rows[-1], 1)) if len(rows) > 1 else ((rows[0], -1),):
        text = f"{100.0 * row.share:g} % below {shown(number(row.trigger))},<br>up to {shown(number(row.release))}"
        found.append(
            {
                "name": "ends",
                "text": text,
                "x": number(100.0 * row.chance_below),
                "y": number(row.unmet),
                "showarrow": True,
                "arrowhead": 0,
                "arrowcolor": theme.MUTED,
                "ax": 40 if down < 0 else -10,
                "ay": -4 if down < 0 else -64,
                "xanchor": "left" if down < 0 else "right",
                "align": "left",
                "font": {"color": theme.INK, "size": 12},
                "bgcolor": theme.PAPER,
            }
        )
    return found


# ---------------------------------------------------------------- perfect foresight


def _bound(found: Frontier, id_: str, names: Names) -> Chart:
    members = list(dict.fromkeys(map(int, found.bound["member"])))
    gaps = found.gaps
    rows = tuple((f"Draw {int(member) + 1}", *_gap(gaps[gaps["member"] == member])) for member in dict.fromkeys(gaps["member"]))
    title = f"What {gaps['policy'].nunique():,} of these rules leave unmet, above what no rule can beat, in {len(members)} draws"
    stock = f"the US stock of {names.munition(found.munition)} below {names.level(found.level)} at its lowest after {names.after}"
    caption = f"Unmet need of all recipients after {names.after}, rounds, by the depth of {stock}, rounds; {len(members)} draws"
    said = "; ".join(f"{row[0]}: gap {row[1]} to {row[2]} rounds" for row in rows)
    nowhere = int(np.isinf(found.bound["least_unmet"].to_numpy(dtype=np.float64)).sum())
    notes = [BOUND] + ([f"At {nowhere} of the depths nothing keeps the stock so high; there the line has no point."] if nowhere else [])
    columns = ("policy", "member", "depth", "unmet", "least_unmet", "gap", "relative")
    return Chart(
        f"{id_}-bound",
        title,
        caption,
        f"Line chart of the least unmet need that perfect foresight leaves, by depth, in {len(members)} draws, "
        f"with what rules leave in the same draws. {said}.",
        _bound_spec(found, members),
        Table(
            "What the rules leave unmet above what perfect foresight would, draw by draw",
            ("Draw", "Least gap, rounds", "Largest gap, rounds", "Least unmet by a rule", "Least by perfect foresight at that depth"),
            rows,
        ),
        data_link(
            columns,
            (
                [row.policy, int(row.member) + 1, *numbers((row.depth, row.unmet, row.least_unmet, row.gap, row.relative))]
                for row in each(gaps)
            ),
        ),
        tuple(notes),
    )


def _gap(own: Any) -> tuple[str, str, str, str]:
    best = own.loc[own["unmet"].idxmin()]
    return _rounds(own["gap"].min()), _rounds(own["gap"].max()), _rounds(best["unmet"]), _rounds(best["least_unmet"])


def _bound_spec(found: Frontier, members: list[int]) -> Spec:
    data: list[Spec] = []
    for place, member in enumerate(members):
        colour, dash, symbol = theme.style(place + 1)
        curve = found.bound[found.bound["member"] == member]
        rules = found.gaps[found.gaps["member"] == member]
        data += [
            {
                "type": "scatter",
                "mode": "lines",
                "x": figures.rounded(curve["depth"]),
                "y": numbers(curve["least_unmet"]),
                "name": f"draw {member + 1}: bound",
                "line": {"color": colour, "dash": dash, "width": 2},
                "hovertemplate": "depth %{x:,.4~r}: at least %{y:,.4~r} unmet<extra>%{fullData.name}</extra>",
            },
            {
                "type": "scatter",
                "mode": "markers",
                "x": figures.rounded(rules["depth"]),
                "y": numbers(rules["unmet"]),
                "name": f"draw {member + 1}: rules",
                "marker": {"color": colour, "symbol": symbol, "size": 8},
                "hovertemplate": "depth %{x:,.4~r}: %{y:,.4~r} unmet<extra>%{fullData.name}</extra>",
            },
        ]
    deepest = max(float(found.bound["depth"].max()), float(found.gaps["depth"].max())) or 1.0
    layout = theme.layout(
        400 + 20 * len(members),
        showlegend=True,
        xaxis=theme.axis(
            title={
                "text": words.label(with_unit("depth below the floor assumed here", "round")),
                "font": {"color": theme.MUTED, "size": 12},
            },
            nticks=8,
            tickformat=",~g",
            range=[number(-0.02 * deepest), number(1.04 * deepest)],
        ),
        yaxis=theme.axis(nticks=6, tickformat=",~g", rangemode="tozero"),
        annotations=[
            theme.note("↑ unmet need, rounds", x=0, xref="paper", xanchor="left", xshift=-40, y=1, yref="paper", yanchor="bottom", yshift=4)
        ],
    )
    layout["margin"] |= {"b": 66 + 20 * len(members), "r": 24}
    return {"data": data, "layout": layout}
