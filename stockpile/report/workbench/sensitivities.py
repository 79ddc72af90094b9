"""The section of a sensitivity: tornado, Sobol indices beside it, and what knowing each unknown would be worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile.analysis import wording
from stockpile.analysis.sentences import of_sensitivity
from stockpile.analysis.wording import Names
from stockpile.report import theme, words
from stockpile.report.blocks import Chart
from stockpile.report.tables import DASH, Table, data_link
from stockpile.report.theme import Spec
from stockpile.report.workbench import rows
from stockpile.report.workbench.scenarios import names_of
from stockpile.report.workbench.section import (
    MONTE_CARLO,
    Group,
    Section,
    bare,
    each,
    made_with,
    number,
    numbers,
    quantity,
    shown,
    signed,
    table,
    three,
    unit_said,
)

if TYPE_CHECKING:
    from stockpile.analysis.sensitivity import Sensitivity
    from stockpile.scenario import Scenario

NOT_THIS = (
    "What matters here is what moves this outcome within the ranges of the files, most of which are judgements: a wider range makes an "
    "unknown matter more, and one without a range cannot matter. The indices are of the variance; a rare bad end may hang on something "
    f"else. What one unknown does at its ends is averaged over all others. {MONTE_CARLO}"
)
MOST_ROWS = 15
"""Most rows of a table; the data have all."""
LOW, HIGH = "at its low end", "at its high end"


def section(found: Sensitivity, id_: str, scenario: Scenario | None) -> Section:
    """Return the section of a sensitivity."""
    names = names_of(scenario, found.manifest)
    outcome, policy = names.outcome(found.outcome), names.policy(found.policy)
    points = int(found.rounds["points"].iloc[-1]) if len(found.rounds) else 0
    held = "held when their number was doubled" if found.stable else "had not settled at the most points tried"
    shown_as = (
        f"First, one unknown at a time at the 5th and the 95th percentile of its range, all others drawn, and what that makes of the mean. "
        f"Then shares of the variance, alone (first order) and together with others (total), from N = {points:,} base points; their "
        f"ranking {held}. Last, by how much the range of 90 % of the draws would narrow on average, were one of them known."
    )
    charts = tuple(one for one in (_tornado(found, id_, outcome), _sobol(found, id_, outcome, points)) if one)
    worth = _worth(found, id_, outcome)
    groups = [Group("", charts, beside=True)] if charts else []
    groups += [Group("", (worth,))] if worth else []
    return Section(
        id=id_,
        kind="Sensitivity",
        title=f"What moves {_event(outcome)} under {policy}",
        sentences=tuple(of_sensitivity(found, scenario)),
        shown=shown_as,
        groups=tuple(groups),
        tables=(_rounds(found, names),),
        not_this=NOT_THIS,
        facts=made_with(found.manifest, ("Outcome", found.outcome), ("Base points", f"{points:,}")),
        manifest=found.manifest | _basis(found),
    )


def _basis(found: Sensitivity) -> dict[str, str]:
    return {"basis": f"over {found.manifest['members']:,} draws"}


def _event(outcome: str) -> str:
    return outcome.replace("the chance that", "whether", 1)


def _rest(cells: tuple[tuple[str, ...], ...]) -> str:
    return f" The data have {len(cells) - MOST_ROWS:,} more." if len(cells) > MOST_ROWS else ""


def _more(count: int) -> tuple[str, ...]:
    return (f"{count - rows.MOST:,} more are in the table and the data.",) if count > rows.MOST else ()


# ---------------------------------------------------------------- one at a time


def ends(row: Any) -> str:
    """Return what an unknown is called, with both values and their unit."""
    if np.isnan(row.high_value):
        return f"{words.capital(row.label)}: none at all, against as drawn"
    return f"{words.capital(row.label)}: {three(row.low_value)} to {three(row.high_value)}{unit_said(row.unit)}"


def _tornado(found: Sensitivity, id_: str, outcome: str) -> Chart | None:
    frame = found.tornado[found.tornado["swing"] > 0.0]
    if not len(frame):
        return None
    every = each(frame)
    base = float(every[0].base)
    caption = f"Mean of {outcome} with one unknown at a time at the ends of its range, as drawn {quantity(base, found.unit)}"
    cells = tuple((ends(row), _at(row, "low", found.unit), _at(row, "high", found.unit)) for row in every)
    said = "; ".join(f"{label}: {low} and {high}" for label, low, high in cells[: rows.MOST])
    columns = ["factor", "unit", "low_value", "high_value", "at_low", "at_high", "low_low", "low_high", "high_low", "high_high"]
    return Chart(
        f"{id_}-tornado",
        f"One unknown at a time: the longest bar is that of {every[0].label}",
        words.capital(caption),
        f"Bar chart of the mean of {outcome} with one unknown at a time at its ends, as drawn {quantity(base, found.unit)}. {said}.",
        _tornado_spec(every[: rows.MOST], base, found.unit),
        Table(
            caption,
            ("Unknown, from low to high", f"Mean {LOW}", f"Mean {HIGH}"),
            cells[:MOST_ROWS],
            "In brackets: the change and its 95 % interval." + _rest(cells),
        ),
        data_link(columns, (_data(row, columns) for row in every)),
        _more(len(every)),
    )


def _data(row: Any, columns: list[str]) -> list[Any]:
    return ["" if value is None or value != value else number(value) for value in (getattr(row, column) for column in columns)]


def _at(row: Any, end: str, unit: str) -> str:
    value, change = getattr(row, f"at_{end}"), [getattr(row, name) for name in (f"change_at_{end}", f"{end}_low", f"{end}_high")]
    if np.isnan(value):
        return DASH
    width = change[2] - change[1]
    first, middle, last = (quantity(one, unit, width).split(" ")[0] for one in (change[1], change[0], change[2]))
    return f"{quantity(value, unit, width)} ({middle}, {first} to {last})"


def _tornado_spec(shown_rows: list[Any], base: float, unit: str) -> Spec:
    labels = [ends(row) for row in shown_rows]
    own, name = bare(base, unit)
    data = []
    for end, said, colour, pattern in (("low", LOW, theme.BLUE, ""), ("high", HIGH, theme.VERMILLION, "/")):
        changes = [bare(getattr(row, f"change_at_{end}"), unit)[0] for row in shown_rows]
        hover = [f"{label}; {said}: {_at(row, end, unit)}" for label, row in zip(labels, shown_rows, strict=True)]
        low, high = ([bare(getattr(row, f"{end}_{side}"), unit)[0] for row in shown_rows] for side in ("low", "high"))
        data.append(
            rows.bars(
                numbers(changes),
                said,
                colour,
                pattern,
                hover,
                base=number(own),
                error_x=rows.whiskers(numbers(low), numbers(changes), numbers(high)),
            )
        )
    layout = rows.layout(labels, f"mean, {name}", tickformat=",~g")
    layout["shapes"] = [
        {
            "type": "line",
            "x0": number(own),
            "x1": number(own),
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "line": {"color": theme.MUTED, "width": 1, "dash": "dot"},
        }
    ]
    return {"data": data, "layout": layout}


# ---------------------------------------------------------------- shares of the variance


def share(value: float, low: float, high: float) -> str:
    """Return an index with its interval."""
    if np.isnan(value):
        return DASH
    first, middle, last = (signed(wording.rounded(one, high - low)) for one in (low, value, high))
    return f"{middle} ({first} to {last})"


def _sobol(found: Sensitivity, id_: str, outcome: str, points: int) -> Chart | None:
    frame = found.indices[np.isfinite(found.indices["total"])]
    if not len(frame):
        return None
    every = each(frame)
    cells = tuple(
        (words.capital(row.label), share(row.total, row.total_low, row.total_high), share(row.first, row.first_low, row.first_high))
        for row in every
    )
    caption = f"Sobol indices of {outcome}: share of the variance, with 95 % intervals, N = {points:,}"
    said = "; ".join(f"{label}: total {total}, first order {first}" for label, total, first in cells[: rows.MOST])
    columns = ["factor", "total", "total_low", "total_high", "first", "first_low", "first_high"]
    title = f"Largest total index: {every[0].label}" + ("" if found.stable else "; the ranking has not settled")
    return Chart(
        f"{id_}-sobol",
        title,
        caption,
        f"Bar chart of {caption[0].lower() + caption[1:] if not caption.startswith('Sobol') else caption}. {said}.",
        _sobol_spec(every[: rows.MOST], cells),
        Table(caption, ("Unknown", "Total index", "First-order index"), cells[:MOST_ROWS], _rest(cells)),
        data_link(columns, (_data(row, columns) for row in every)),
        _more(len(every)),
    )


def _sobol_spec(shown_rows: list[Any], cells: tuple[tuple[str, str, str], ...]) -> Spec:
    def values(name: str) -> list[Any]:
        return numbers(getattr(row, name) for row in shown_rows)

    first: Spec = {
        "type": "scatter",
        "mode": "markers",
        "y": [place + 0.18 for place in range(len(shown_rows))],
        "x": values("first"),
        "name": "first order: alone",
        "marker": {"symbol": "diamond", "size": 8, "color": theme.VERMILLION},
        "error_x": rows.whiskers(values("first_low"), values("first"), values("first_high")),
        "hovertext": [f"{words.label(label)}: first order {own}" for label, _, own in cells[: len(shown_rows)]],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    total = rows.bars(
        values("total"),
        "total: together with others",
        theme.BLUE,
        "",
        [f"{label}: total {own}" for label, own, _ in cells[: len(shown_rows)]],
        error_x=rows.whiskers(values("total_low"), values("total"), values("total_high")),
    )
    top = max([one for one in (*values("total_high"), *values("total")) if one is not None] or [1])
    low = min([one for one in (*values("first_low"), 0.0) if one is not None])
    layout = rows.layout(
        [label for label, _, _ in cells[: len(shown_rows)]],
        "share of the variance",
        range=[number(1.03 * low), number(1.05 * max(top, 0.1))],
    )
    return {"data": [total, first], "layout": layout}


# ---------------------------------------------------------------- what knowing is worth


def _worth(found: Sensitivity, id_: str, outcome: str) -> Chart | None:
    frame = found.indices[np.isfinite(found.indices["narrowing"])].sort_values("narrowing", ascending=False, kind="stable")
    if not len(frame):
        return None
    every = each(frame)
    noise = [float(getattr(row, "noise", np.nan)) for row in every]
    cells = tuple(
        (words.capital(row.label), _percent(row.narrowing), _percent(level), share(row.variance_share, row.first_low, row.first_high))
        for row, level in zip(every, noise, strict=True)
    )
    few = cells[: rows.MOST]
    caption = f"Share by which the range of 90 % of the draws of {outcome} would narrow on average, were one unknown known"
    data = rows.bars(
        numbers(max(100.0 * row.narrowing, 0.0) for row in every[: rows.MOST]),
        "narrower by",
        theme.GREEN,
        "",
        [f"{row[0]}: {row[1]}" for row in few],
    )
    layout = rows.layout([row[0] for row in few], "narrower by, %", rangemode="tozero")
    left_out = len(found.indices) - len(frame)
    notes = [*_more(len(every))]
    notes += [f"Left out, as they are drawn together with others: {left_out:,}."] if left_out else []
    return Chart(
        f"{id_}-worth",
        _worth_title(every[0], noise[0]),
        caption,
        f"Bar chart of the {caption[0].lower() + caption[1:]}. " + "; ".join(f"{row[0]}: {row[1]}" for row in few) + ".",
        {"data": [data, _noise(noise[: rows.MOST])], "layout": layout},
        Table(caption, ("Unknown", "Narrower by", "What chance alone shows", "Share of the variance"), cells[:MOST_ROWS], _rest(cells)),
        data_link(["factor", "narrowing", "variance_share"], (_data(row, ["factor", "narrowing", "variance_share"]) for row in every)),
        tuple(notes),
    )


def _worth_title(first: Any, noise: float) -> str:
    if first.narrowing <= noise:
        return "No single unknown, were it known, would narrow the range by more than chance shows with these draws"
    return f"Were one unknown known, the range would narrow by at most {_percent(first.narrowing)}, for {first.label}"


def _noise(levels: list[float]) -> Spec:
    """Return a mark a row for how much narrowing chance alone shows."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": numbers(100.0 * one for one in levels),
        "y": list(range(len(levels))),
        "name": "what chance alone shows",
        "marker": {"symbol": "line-ns-open", "size": 14, "color": theme.INK, "line": {"width": 2, "color": theme.INK}},
        "hovertemplate": "chance alone: %{x} %<extra></extra>",
    }


def _percent(value: float) -> str:
    return DASH if np.isnan(value) else words.percent(value)


def _rounds(found: Sensitivity, names: Names) -> Table:
    label = dict(zip(found.indices["factor"], found.indices["label"], strict=True))
    cells = [
        (
            f"{int(row.points):,}",
            f"{int(row.runs):,}",
            "; ".join(label.get(name, name) for name in row.leading),
            "yes" if row.same else "no",
            shown(number(row.widest)),
            "yes" if row.stable else "no",
        )
        for row in each(found.rounds)
    ]
    columns = ("Base points N", "Runs", "Leading, largest total index first", "Same as before", "Widest interval of these", "Settled")
    return table("N doubled until the ranking held", columns, cells)
