"""The section of a difference: what moved, change by change, what differs, and which observations are new."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stockpile.analysis import wording
from stockpile.analysis.attribution import INTERACTION
from stockpile.analysis.diff import CODE, KEY, WHOLE
from stockpile.analysis.diff_sentences import change_said, leading_rows, names_in, of_difference, outcome_of, path_labels
from stockpile.analysis.sides import NOT_SAID
from stockpile.report import theme, words
from stockpile.report.blocks import Chart
from stockpile.report.tables import DASH, Table, data_link
from stockpile.report.theme import Spec
from stockpile.report.workbench import rows as rowed
from stockpile.report.workbench.section import (
    Group,
    Section,
    bare,
    each,
    made_with,
    missing,
    number,
    numbers,
    quantity,
    shown,
    signed,
    unit_said,
)

if TYPE_CHECKING:
    from stockpile.analysis.diff import Difference
    from stockpile.scenario import Scenario

NOT_THIS = (
    "Each change is moved alone, all else as before; what changes move only together is the interaction, and is nobody's. A new source is "
    "not a truer one. Observations are compared with runs and move none of them. Intervals are of Monte Carlo error alone: how far more "
    "draws could move a number. They do not say whether the assumptions are right."
)
SUMS = {INTERACTION: "Only together (interaction)", CODE: "Code and draws", WHOLE: "In all"}
MOST_ROWS = 60
"""Most rows of a table."""


def section(found: Difference, id_: str, scenario: Scenario | None) -> Section:
    """Return the section of a difference."""
    charts = [chart for place, row in enumerate(leading_rows(found), 1) if (chart := _attributed(found, row, f"{id_}-moved-{place}"))]
    tables = [one for one in (_moved(found), _differs(found), _observations(found)) if one.rows]
    basis = f"over {found.manifest['members']:,} draws on both sides" if found.manifest["members"] else "central values"
    return Section(
        id=id_,
        kind="Difference",
        title=f"What moved from {found.a} to {found.b}, and why",
        sentences=tuple(of_difference(found)),
        shown=(
            "Of each munition the metric that moved most, as a share of the largest number in its unit: a bar for each change moved alone, "
            "with the 95 % interval of its Monte Carlo error, then what they move only together, and the whole."
        ),
        groups=(Group("", tuple(charts)),) if charts else (),
        tables=tuple(tables),
        not_this=NOT_THIS,
        facts=made_with(found.manifest, ("Compared with", _other(found))),
        manifest=found.manifest | {"basis": basis},
    )


def _other(found: Difference) -> str:
    other = found.manifest["against"]
    made = f"parameters {other['parameters'][:12]}, equations {other.get('equations', NOT_SAID)[:12]}, commit {other['commit']}"
    return f"{other['scenario']}: {other['title']}, known on {other['as_of']}, {made}"


# ---------------------------------------------------------------- figures


def _attributed(found: Difference, row: Any, id_: str) -> Chart | None:
    """Return the bars of what moves a metric, or nothing where nothing is traced."""
    own = [one for one in each(found.attribution) if all(getattr(one, name) == getattr(row, name) for name in KEY)]
    if not own:
        return None
    names = names_in(found)
    alone = [one for one in own if one.path not in SUMS]
    called = {one: words.capital(text) for one, text in path_labels(found, [one.path for one in alone]).items()} | SUMS
    outcome = f"{names.outcome(outcome_of(row))} under {names.policy(row.policy)}"
    bars = [*alone[: rowed.MOST], *(one for one in own if one.path in SUMS)]
    texts = [_change(one) for one in own]
    more = len(alone) - rowed.MOST
    unit = bare(0.0, row.unit)[1]
    columns = ("path", "change", "low", "high")
    return Chart(
        id_,
        f"{wording.capital(names.outcome(outcome_of(row)))}: {quantity(row.a, row.unit, _width(row))} before, "
        f"{quantity(row.b, row.unit, _width(row))} after",
        f"Change of {outcome}, {unit}, each change moved alone",
        f"Bar chart of what moves {outcome}: "
        + "; ".join(f"{called[one.path]} {text}" for one, text in zip(own, texts, strict=True) if one in bars)
        + ".",
        _spec(bars, called, unit, row.unit),
        Table(
            f"What moves {outcome}, each change alone",
            ("Change", f"Moves it by ({unit})"),
            tuple((called[one.path], text) for one, text in zip(own, texts, strict=True)),
            "Interaction is what is left of the whole; in brackets: 95 % intervals.",
        ),
        data_link(columns, ([_cell(getattr(one, name)) for name in columns] for one in own)),
        (f"{more} smaller changes are in the table and the data.",) if more > 0 else (),
    )


def _cell(value: Any) -> Any:
    found = number(value)
    return "" if found is None else found


def _width(row: Any) -> float:
    return 0.0 if math.isnan(row.high - row.low) else float(row.high - row.low)


def _change(one: Any) -> str:
    return signed(change_said(one))


def _spec(bars: list[Any], called: dict[str, str], unit: str, own_unit: str) -> Spec:
    labels = [called[one.path] for one in bars]
    hover = [f"{label}: {_change(one)}" for label, one in zip(labels, bars, strict=True)]

    def of(name: str) -> list[Any]:
        return numbers(bare(getattr(one, name), own_unit)[0] for one in bars)

    trace = rowed.bars(
        of("change"), "change", theme.BLUE, "", hover, error_x=rowed.whiskers(of("low"), of("change"), of("high")), showlegend=False
    )
    return {"data": [trace], "layout": rowed.layout(labels, f"change, {unit}", legend=False, tickformat=",~g")}


# ---------------------------------------------------------------- tables


def _moved(found: Difference) -> Table:
    names = names_in(found)
    rows = [row for row in each(found.moved) if row.verdict != "no change"]
    cells = tuple(
        (
            f"{names.munition(row.munition)}, {names.policy(row.policy)}",
            names.outcome(outcome_of(row)),
            quantity(row.a, row.unit, _width(row)),
            quantity(row.b, row.unit, _width(row)),
            _change(row) + ("; too close to call" if row.verdict == "too close to call" else ""),
        )
        for row in rows
    )
    note = f"{len(cells) - MOST_ROWS} more are in the JSON of the command line." if len(cells) > MOST_ROWS else ""
    columns = ("Munition and policy", "What", found.a, f"{found.b} ", "Change")
    return Table("What moved, the largest changes of each munition and policy first", columns, cells[:MOST_ROWS], note)


def _differs(found: Difference) -> Table:
    """Return the table of all that differs, with the source of the new value."""
    labels = path_labels(found, found.why["path"])
    cells = tuple(
        (
            f"{words.capital(labels[row.path])} ({row.path})",
            row.cause,
            _value(row.old, row.old_low, row.old_high, row.unit),
            _value(row.new, row.new_low, row.new_high, row.unit),
            row.grade or DASH,
            _source(row),
        )
        for row in each(found.why)
    )
    columns = ("What", "Why it differs", "Old value", "New value", "Grade", "Source of the new value")
    return Table("What differs in the parameters, events, policies and settings", columns, cells)


def _source(row: Any) -> str:
    if not row.publisher:
        return row.note if row.cause == "changed by the scenario" and row.note else DASH
    return f"{row.publisher}, {row.published}; {row.url}"


def _value(value: Any, low: Any, high: Any, unit: str) -> str:
    if missing(value):
        return DASH
    span = f" ({_plain(low)} to {_plain(high)})" if not missing(low) and low != high else ""
    return f"{_plain(value)}{unit_said(unit) if not isinstance(value, str) else ''}{span}"


def _plain(value: Any) -> str:
    return signed(f"{value:,.10g}") if isinstance(value, float) else shown(value)


def _observations(found: Difference) -> Table:
    cells = tuple(
        (
            str(row.title),
            row.change,
            str(row.date),
            _value(row.old, None, None, row.unit),
            _value(row.new, None, None, row.unit),
            f"{row.publisher}, {row.published}; {row.url}",
            "stands beside others, undecided" if row.in_conflict else DASH,
        )
        for row in each(found.observations)
    )
    columns = ("Observation", "How it differs", "Date", "Old figure", "New figure", "Source", "Conflict")
    note = f"{len(cells) - MOST_ROWS} more are in the JSON of the command line." if len(cells) > MOST_ROWS else ""
    return Table("Observations that are new or changed", columns, cells[:MOST_ROWS], note)
