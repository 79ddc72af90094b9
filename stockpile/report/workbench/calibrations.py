"""The section of a calibration: parameters and observations before and after, how much the posterior is worth, and what was left out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stockpile.analysis.calibration_sentences import interval, of_calibration
from stockpile.analysis.wording import Names
from stockpile.report import theme, words
from stockpile.report.blocks import Chart
from stockpile.report.tables import DASH, Table, data_link
from stockpile.report.theme import Spec
from stockpile.report.workbench import rows
from stockpile.report.workbench.scenarios import names_of
from stockpile.report.workbench.section import Group, Section, each, made_with, missing, number, numbers, signed, table

if TYPE_CHECKING:
    from stockpile.evidence.calibrate import Calibration
    from stockpile.scenario import Scenario

NOT_THIS = (
    "This is what the figures fitted make of the ranges in the files, in this model: where a range is a judgement, so is what is left of "
    "it. Errors of different figures are taken to be independent, and nothing stands for what the model itself leaves out, so intervals "
    "are rather too narrow than too wide. A parameter that stays as it was is not thereby confirmed: these figures say nothing of it. As "
    "a layer, the posterior is approximate: each parameter by a normal or lognormal shape, and what moves together by pairs."
)
BEFORE, AFTER = "prior", "posterior"
MOST_ROWS = 15
"""Most parameters of a table; the data have all."""
KINDS = {"at_least": "at least ", "at_most": "at most "}


def section(found: Calibration, id_: str, scenario: Scenario | None) -> Section:
    """Return the section of a calibration."""
    names = names_of(scenario, found.manifest)
    charts = [one for one in (_parameters(found, id_, names), _observations(found, id_)) if one]
    shown = (
        "Grey is the prior, what the files say; blue the posterior, what is left of it once the figures are fitted. Bars span 5 to 95 % of "
        "the draws. Of an observation they are of what would be reported, the error with which it is read included. A score (CRPS) is in "
        "the unit of the figure; lower is better."
    )
    temperatures = ", ".join(f"{one:.3g}" for one in found.temperatures) or "none"
    worth = f"{found.effective:,.0f} of {found.unique:,} different particles"
    return Section(
        id=id_,
        kind="Calibration",
        title=f"Calibration: what {len(found.fitted)} observations say of the parameters",
        sentences=tuple(of_calibration(found, scenario)),
        shown=shown,
        groups=(Group("", tuple(charts)),) if charts else (),
        tables=tuple(one for one in (_pairs(found, names), _left_out(found)) if one.rows),
        not_this=NOT_THIS,
        facts=made_with(
            found.manifest,
            ("Effective sample size", worth),
            ("Temperatures", temperatures),
            ("Log evidence", signed(f"{found.log_evidence:.2f} ± {2.0 * found.log_evidence_error:.2f}")),
        ),
        manifest=found.manifest | {"basis": f"over {found.manifest['members']:,} particles"},
    )


# ---------------------------------------------------------------- parameters


def _parameters(found: Calibration, id_: str, names: Names) -> Chart | None:
    moved = each(found.parameters[found.parameters["moved"]])
    if found.refused or not moved:
        return None
    labels = [words.capital(names.path(row.path)) for row in moved]
    cells = tuple((label, *_cells(row)) for label, row in zip(labels, moved, strict=True))
    caption = "Parameters before and after: median and 90 % interval"
    columns = [
        "path", "unit", "prior_low", "prior_middle", "prior_high", "posterior_low", "posterior_middle", "posterior_high", "distance",
        "by_chance", "narrowing", "narrowing_error",
    ]
    more = len(moved) - rows.MOST
    said = "; ".join(f"{label}: {before} before, {after} after" for label, before, after, *_ in cells[: rows.MOST])
    return Chart(
        f"{id_}-parameters",
        f"Moved most: {names.path(moved[0].path)}",
        "Each parameter on the scale of its own prior: 0 is its 5th percentile there, 100 its 95th",
        f"Bar chart of {caption[0].lower()}{caption[1:]}. {said}.",
        _ranges(labels, [_scaled(row) for row in moved], cells, "place in the prior's 90 % interval, %"),
        Table(caption, ("Parameter", "Before", "After", "Narrower by", "Distance"), cells[:MOST_ROWS], _note(len(cells))),
        data_link(columns, ([_data(getattr(row, column)) for column in columns] for row in each(found.parameters))),
        (f"{more:,} more are in the table and the data.",) if more > 0 else (),
    )


def _note(count: int) -> str:
    rest = f" The data have {count - MOST_ROWS:,} more." if count > MOST_ROWS else ""
    return (
        "Narrower by: of the 90 % interval, with two standard errors. Distance: the largest difference of the two cumulative "
        f"distributions, 0 where they are the same and 1 where they do not overlap.{rest}"
    )


def _cells(row: Any) -> tuple[str, str, str, str]:
    narrower = f"{100.0 * row.narrowing:.0f} ± {200.0 * row.narrowing_error:.0f} %"
    return signed(interval(row, BEFORE)), signed(interval(row, AFTER)), signed(narrower), f"{row.distance:.2f}"


def _data(value: Any) -> Any:
    return "" if missing(value) else number(value)


def _scaled(row: Any) -> tuple[float, ...]:
    """Return the ends and medians of prior and posterior as places in the prior's interval [%]."""
    width = row.prior_high - row.prior_low
    ends = (row.prior_low, row.prior_middle, row.prior_high, row.posterior_low, row.posterior_middle, row.posterior_high)
    return tuple(100.0 * (end - row.prior_low) / width for end in ends)


def _ranges(
    labels: Sequence[str], ends: Sequence[tuple[float, ...]], cells: Sequence[tuple[str, ...]], title: str, mark: float | None = None
) -> Spec:
    """Return bars of prior and posterior intervals, one above the other in a row, with their medians."""
    count = min(len(labels), rows.MOST)
    data: list[Spec] = []
    for side, (name, colour, pattern, shift) in enumerate(((BEFORE, theme.MUTED, "/", -0.08), (AFTER, theme.BLUE, "", 0.12))):
        low, middle, high = ([own[3 * side + which] for own in ends[:count]] for which in range(3))
        hover = [f"{labels[place]}; {name}: {cells[place][1 + side]}" for place in range(count)]
        y = [place + shift for place in range(count)]
        lengths = [b - a for a, b in zip(low, high, strict=True)]
        data.append(rows.bars(numbers(lengths), name, colour, pattern, hover, base=numbers(low), y=y, width=0.16))
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": numbers(middle),
                "y": y,
                "name": f"median, {name}",
                "showlegend": False,
                "marker": {"symbol": "line-ns-open", "size": 7, "color": theme.INK, "line": {"width": 2, "color": theme.INK}},
                "hoverinfo": "skip",
            }
        )
    layout = rows.layout([words.label(label) for label in labels[:count]], title)
    if mark is not None:
        line = {"color": theme.INK, "width": 1, "dash": "dot"}
        layout["shapes"] = [{"type": "line", "x0": mark, "x1": mark, "yref": "paper", "y0": 0, "y1": 1, "line": line}]
    return {"data": data, "layout": layout}


# ---------------------------------------------------------------- observations


def _observations(found: Calibration, id_: str) -> Chart | None:
    frame = found.observations[found.observations["prior_middle"].notna()]
    frame = frame[frame["status"] != "left out"]
    shown = [row for row in each(frame) if row.value]
    if not shown:
        return None
    cells = [
        (
            f"{row.title} ({row.status})", _predicted(row, BEFORE), _predicted(row, AFTER), _figure(row), _score(row, "before"),
            _score(row, "after"),
        )
        for row in shown
    ]
    caption = "What would have been reported, before and after, beside what was: median and 90 % interval, rounds or rounds a month"
    columns = [
        "name", "status", "kind", "value", "low", "high", "prior_low", "prior_middle", "prior_high", "posterior_low", "posterior_middle",
        "posterior_high", "crps_before", "crps_after", "holds_before", "holds_after",
    ]
    said = "; ".join(f"{what}: {figure} reported, {before} before, {after} after" for what, before, after, figure, *_ in cells[: rows.MOST])
    ends = [_relative(row) for row in shown]
    more = len(shown) - rows.MOST
    return Chart(
        f"{id_}-observations",
        "What was reported, and what the model would have said before and after",
        "Each prediction as a share of the figure reported, the dotted line",
        f"Bar chart of predictions as a share of the figure reported. {said}.",
        _ranges([cell[0] for cell in cells], ends, cells, "predicted, % of the figure", 100.0),
        Table(caption, ("Observation", "Before", "After", "Reported", "Score before", "Score after"), tuple(cells)),
        data_link(columns, ([_data(getattr(row, column)) for column in columns] for row in shown)),
        (f"{more:,} more are in the table and the data.",) if more > 0 else (),
    )


def _relative(row: Any) -> tuple[float, ...]:
    ends = (row.prior_low, row.prior_middle, row.prior_high, row.posterior_low, row.posterior_middle, row.posterior_high)
    return tuple(100.0 * end / row.value for end in ends)


def _predicted(row: Any, side: str) -> str:
    low, middle, high = (getattr(row, f"{side}_{which}") for which in ("low", "middle", "high"))
    return DASH if math.isnan(middle) else f"{words.rounds(middle)} ({words.rounds(low)} to {words.rounds(high)})"


def _figure(row: Any) -> str:
    per = " a month" if row.unit.endswith("/month") else ""
    if row.kind == "between":
        return f"{words.rounds(row.low)} to {words.rounds(row.high)}{per}"
    return KINDS.get(row.kind, "") + words.rounds(row.value) + per


def _score(row: Any, when: str) -> str:
    crps, holds = getattr(row, f"crps_{when}"), getattr(row, f"holds_{when}")
    if not missing(crps):
        return words.rounds(crps)
    return DASH if missing(holds) else f"holds in {words.percent(holds)}"


def _pairs(found: Calibration, names: Names) -> Table:
    shown = [] if found.refused else each(found.correlations)[:MOST_ROWS]
    cells = [
        (words.capital(names.path(row.path)), names.path(row.other), signed(f"{row.prior:.2f}"), signed(f"{row.posterior:.2f}"))
        for row in shown
    ]
    note = "Of normal scores; beyond what chance alone would show."
    return table("What the observations tie together: correlations", ("Parameter", "And", "Before", "After"), cells, note)


def _left_out(found: Calibration) -> Table:
    apart = found.observations[found.observations["because"] != ""]
    cells = [(row.title, str(row.date), row.status, row.because) for row in each(apart)]
    return table("Observations that were not fitted, and why", ("Observation", "Date", "What became of it", "Why"), cells)
