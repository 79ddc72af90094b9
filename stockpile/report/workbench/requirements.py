"""The section of a requirement sheet: stock beside each published requirement, years to reach it, and what to buy by a date."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stockpile.analysis import wording
from stockpile.analysis.requirement_rows import RATES, YEARS
from stockpile.analysis.requirement_sentences import (
    LABELS,
    NOT_PUBLISHED,
    RANGE,
    RATES_SAID,
    by_rate,
    missing,
    money,
    named,
    of_requirement,
    percent,
    rounds,
    years,
)
from stockpile.analysis.wording import Names
from stockpile.report import theme
from stockpile.report.blocks import Chart
from stockpile.report.tables import DASH, Table, data_link
from stockpile.report.theme import Spec
from stockpile.report.workbench import rows as rowed
from stockpile.report.workbench.scenarios import names_of
from stockpile.report.workbench.section import Group, Section, each, made_with, number, numbers

if TYPE_CHECKING:
    from stockpile.analysis.requirement import Requirement
    from stockpile.scenario import Scenario

NOT_THIS = (
    "The report that the statute asks for is classified; this is worked out from public figures alone. No operation plan is public, so no "
    "requirement here is built up from plans, and the doubled one is a plain doubling. An objective that counts purchases was never meant "
    "to stand in store at one time: beside the stock it is a yardstick, and its own reading stands apart. No campaign is supposed to come; "
    "the years would be longer with one. A budget that asks for a rate once does not ask for it every year."
)
STYLES = {"requested": (theme.BLUE, ""), "average": (theme.VERMILLION, "/")}


def section(found: Requirement, id_: str, scenario: Scenario | None) -> Section:
    """Return the section of a requirement sheet."""
    names = names_of(scenario, found.manifest)
    charts = [_stocks(found, f"{id_}-stock", names)] if not found.sheet["requirement"].isna().all() else []
    tables = []
    for munition in found.manifest["munitions"]:
        own = [row for row in each(found.years) if row.munition == munition]
        if own:
            charts.append(_years(found, munition, f"{id_}-years-{munition}", names))
        tables += _tables(found, munition, names)
    shown_as = (
        f"Ranges are {RANGE}. A stock is an estimate after {names.after}. Years count from there, with the lead time of each lot, its "
        "delivery over time, training, dated operations, losses, and transfers to recipients as without a suspension."
    )
    return Section(
        id=id_,
        kind="Requirement",
        title="Requirements: stock, shortfall, and years to reach them",
        sentences=tuple(of_requirement(found, scenario)),
        shown=shown_as,
        groups=(Group("", tuple(charts)),) if charts else (),
        tables=tuple(tables),
        not_this=NOT_THIS,
        facts=made_with(found.manifest, ("To be reached by", wording.day(found.by)), ("Statute", "10 U.S.C. 222c, public figures only")),
        manifest=found.manifest | {"basis": f"over {found.manifest['members']:,} draws"},
    )


def _stocks(found: Requirement, id_: str, names: Names) -> Chart:
    """Return the US stock as a share of each published requirement."""
    rows = [row for row in each(found.sheet) if row.variant == "published"]
    labels = [f"{names.munition(row.munition)}: {row.title}" for row in rows]
    shares = [tuple(_share(stock, row.level) for stock in (row.stock_low, row.stock, row.stock_high)) for row in rows]
    said = [f"{label}: {rounds(row, 'stock')} of {rounds(row, 'level')}" for label, row in zip(labels, rows, strict=True)]
    count = min(len(rows), rowed.MOST)
    low, middle, high = (numbers(share[place] for share in shares[:count]) for place in range(3))
    bars = rowed.bars(middle, "US stock", theme.BLUE, "", said[:count], error_x=rowed.whiskers(low, middle, high))
    layout = rowed.layout(labels[:count], "US stock as a share of the requirement, %", legend=False, rangemode="tozero")
    own = [row for row in rows if row.requirement == named(found, row.munition)]
    return Chart(
        id_,
        f"{wording.capital(names.munition(own[0].munition))}: the US stock is {_range_share(own[0])} of {own[0].title}",
        f"US stock after {names.after} as a share of each published requirement, %, {RANGE}",
        f"Bar chart of the US stock as a share of each requirement. {'; '.join(said)}.",
        {"data": [bars], "layout": layout},
        Table(
            "US stock beside each published requirement, in rounds",
            ("Requirement", "It counts", "Rounds", "US stock", "Short", "Short of twice as much"),
            tuple(
                (label, row.counts, rounds(row, "level"), rounds(row, "stock"), rounds(row, "short"), _doubled(found, row))
                for label, row in zip(labels, rows, strict=True)
            ),
        ),
        data_link(
            ("munition", "requirement", "level", "stock_low", "stock", "stock_high"),
            ([row.munition, row.requirement, *map(_plain, (row.level, row.stock_low, row.stock, row.stock_high))] for row in rows),
        ),
        (f"The figure shows the first {count} of {len(rows)}; the table has all.",) if count < len(rows) else (),
    )


def _share(stock: float, level: float) -> float:
    return 100.0 * stock / level if level > 0.0 else math.nan


def _range_share(row: Any) -> str:
    low, middle, high = (f"{_share(stock, row.level):.0f}" for stock in (row.stock_low, row.stock, row.stock_high))
    return f"{middle} % ({low} to {high} %)"


def _doubled(found: Requirement, row: Any) -> str:
    twice = next(
        one for one in each(found.sheet) if (one.munition, one.requirement, one.variant) == (row.munition, row.requirement, "doubled")
    )
    return rounds(twice, "short")


def _years(found: Requirement, munition: str, id_: str, names: Names) -> Chart:
    """Return the years to each requirement at each rate."""
    rows = [row for row in each(found.years) if row.munition == munition]
    pairs = by_rate(rows)
    titles = {(row.requirement): row.title for row in each(found.sheet) if row.munition == munition}
    published = [first for first, _ in pairs if first.variant == "published"]
    bars: list[Spec] = []
    asked = list(dict.fromkeys(row.requirement for row in published))
    for place, rate in enumerate(one for one in RATES if any(row.rate == one for row in published)):
        own = {row.requirement: row for row in published if row.rate == rate}
        ends = [[min(float(getattr(own[name], key)), YEARS) for key in ("low", "middle", "high")] for name in asked]
        said = [f"{titles[name]}, {LABELS[rate]}: {years(own[name])} years" for name in asked]
        low, middle, high = (numbers(end[column] for end in ends) for column in range(3))
        bar = rowed.bars(middle, f"at {LABELS[rate]}", *STYLES[rate], said, error_x=rowed.whiskers(low, middle, high))
        bars.append(bar | {"width": 0.2, "y": [number(row + 0.24 * place - 0.1) for row in range(len(asked))]})
    cells = tuple(
        (
            f"{titles[first.requirement]}, {first.variant}", first.rate, rounds(first, "rounds"), years(first, "naive"),
            *(years(way) for way in ways),
        )
        for first, ways in pairs
    )
    columns = (
        "Requirement", "Rate", "Rounds a year", "Short over rate, years", "Years, lead time and use counted", "And no faster than the line",
        "No transfers, no line limit",
    )
    note = f"{wording.capital(RATES_SAID)}. Over {YEARS}: not within the years that are run."
    what = names.munition(munition)
    return Chart(
        id_,
        _years_title(found, munition, what, published),
        f"Years from {names.after} on, {RANGE}; bars end at {YEARS} years",
        f"Bar chart of years to reach each requirement of {what}. " + "; ".join(f"{cell[0]}, {cell[1]}: {cell[4]}" for cell in cells) + ".",
        {"data": bars, "layout": rowed.layout([titles[name] for name in asked], "years", range=[0, YEARS])},
        Table(f"{what}: years to each requirement", columns, cells, note),
        data_link(
            ("requirement", "variant", "rate", "limit", "transfers", "low", "middle", "high"),
            (
                [row.requirement, row.variant, row.rate, row.limit, row.transfers, *map(_plain, (row.low, row.middle, row.high))]
                for row in rows
            ),
        ),
    )


def _years_title(found: Requirement, munition: str, what: str, published: list[Any]) -> str:
    """Return how long it takes to the requirement that the file names, at each rate."""
    own = {row.rate: row for row in published if row.requirement == named(found, munition)}
    said = [f"{years(own[rate])} years at {LABELS[rate]}" for rate in RATES if rate in own]
    return f"{what}, to the first of these requirements: {wording.listed(said)}"


def _plain(value: float) -> Any:
    shown = number(value)
    return "" if shown is None else shown


def _tables(found: Requirement, munition: str, names: Names) -> list[Table]:
    what = names.munition(munition)
    titles = {row.requirement: row.title for row in each(found.sheet) if row.munition == munition and not missing(row.requirement)}
    rows = [row for row in each(found.by_date) if row.munition == munition and (row.too_late < 1.0 or row.cannot >= 1.0)]
    made = []
    if rows:
        columns = (
            "Requirement", "Fiscal year", "Rounds to buy", f"Billion dollars of {int(rows[0].money_year)}", "Cannot be delivered by then",
            "The line could",
        )
        cells = tuple(
            (
                f"{titles[row.requirement]}, {row.variant}", str(row.fiscal_year), rounds(row, "rounds"), money(row), percent(row.cannot),
                percent(row.line_can),
            )
            for row in rows
        )
        note = "Only lots wholly delivered by then, as many in each year. The last two columns are shares of the draws."
        made.append(Table(f"{what}: what to buy a fiscal year to be there by {wording.day(found.by)}", columns, cells, note))
    left = [row for row in each(found.purchases) if row.munition == munition]
    if left:
        columns = ("Objective", "Rounds", "Bought so far", "Left to buy", "Years as requested", "Years at the average")
        cells = tuple(
            (
                row.title, rounds(row, "level"), _so_far(row), _left(row), years(row, "years_requested"),
                years(row, "years_average"),
            )
            for row in left
        )
        made.append(Table(f"{what}: objectives that count purchases, by division alone", columns, cells))
    return [*made, _published(found, munition, what)]


def _left(row: Any) -> str:
    return rounds(row, "left") if row.up_to_date or missing(row.left) else f"at most {rounds(row, 'left')}"


def _so_far(row: Any) -> str:
    if missing(row.bought):
        return NOT_PUBLISHED
    later = "" if row.up_to_date else f", later {NOT_PUBLISHED}"
    return f"{rounds(row, 'bought')}, fiscal {int(row.first)} to {int(row.last)}{later}"


def _published(found: Requirement, munition: str, what: str) -> Table:
    """Return what is published of purchases and requests."""
    cells = tuple(
        (
            f"{wording.capital(row.state)}, fiscal {row.first if row.first == row.last else f'{row.first} to {row.last}'}",
            f"{row.rounds:,.0f}" if row.rounds_low == row.rounds_high else f"{row.rounds_low:,.0f} to {row.rounds_high:,.0f}",
            "disputed" if row.disputed else "at least" if row.at_least else DASH, row.observations,
        )
        for row in each(found.rates)
        if row.munition == munition
    )
    rows = cells or (("Purchases and requests", NOT_PUBLISHED, DASH, DASH),)
    return Table(f"{what}: what is published of US purchases", ("What", "Rounds", "How sure", "Observations"), rows)
