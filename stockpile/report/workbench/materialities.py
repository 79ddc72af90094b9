"""The section of materiality: what each policy and event moves, beside stock, output and need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stockpile.analysis import wording
from stockpile.analysis.materiality import SUBSTEPS
from stockpile.analysis.materiality_sentences import RANGE, change, need, of_materiality, percent, plain, rounds
from stockpile.analysis.wording import Names
from stockpile.report import theme
from stockpile.report.blocks import Chart
from stockpile.report.tables import DASH, Table, data_link
from stockpile.report.workbench import rows as rowed
from stockpile.report.workbench.scenarios import names_of
from stockpile.report.workbench.section import Group, Section, each, made_with, number, numbers

if TYPE_CHECKING:
    from stockpile.analysis.materiality import Materiality
    from stockpile.scenario import Scenario

NOT_THIS = (
    "What is small beside a stock may matter to whoever lacks it, and what is large may not be used: these are ratios, not worth. Rounds "
    "moved by a policy are added up over all the time that it is in force and set beside the stock at its start, so that a policy "
    "without end grows with the run. The stock is an estimate; where little is left in some draws, the ratio has a long tail. No event "
    "is judged by whether it should have happened."
)
COLOURS = {"event": (theme.VERMILLION, "/"), "policy": (theme.BLUE, "")}
MOST = 100.0
"""Longest bar of a figure, in per cent of the stock: what is more is cut there and printed in full."""


def section(found: Materiality, id_: str, scenario: Scenario | None) -> Section:
    """Return the section of what policies and events move."""
    names = names_of(scenario, found.manifest)
    rows, said = each(found.table), of_materiality(found, scenario)
    charts = [
        _chart([row for row in rows if row.munition == munition], munition, f"{id_}-{munition}", names)
        for munition in found.manifest["munitions"]
        if any(row.munition == munition for row in rows)
    ]
    return Section(
        id=id_,
        kind="Materiality",
        title="Materiality: what each policy and event moves",
        sentences=(said[0], *said[1 + len(rows) :]),
        shown=(
            f"Ranges are {RANGE}, in {SUBSTEPS} steps a month or more. Policies are compared with “No suspension” on the same draws. "
            "Where the range of the share spans more than one word, it is too close to call."
        ),
        groups=(Group("", tuple(charts)),) if charts else (),
        tables=(_sentences(rows, said[1 : 1 + len(rows)]),) if rows else (),
        not_this=NOT_THIS,
        facts=made_with(found.manifest),
        manifest=found.manifest | {"basis": f"over {found.manifest['members']:,} draws"},
    )


def _sentences(rows: list[Any], said: list[str]) -> Table:
    cells = tuple((_label(row), text) for row, text in zip(rows, said, strict=True))
    return Table("Each policy and event in a sentence", ("Policy or event", "What it moves"), cells)


def _chart(rows: list[Any], munition: str, id_: str, names: Names) -> Chart:
    what = names.munition(munition)
    shown = sorted(rows, key=lambda row: -row.of_stock)[: rowed.MOST]
    labels = [_label(row) for row in shown]
    said = [f"{label}: {rounds(row, 'rounds')} rounds, {percent(row, 'of_stock')} of the US stock" for label, row in _with(labels, shown)]
    data = []
    for kind, (colour, pattern) in COLOURS.items():
        own = [place for place, row in enumerate(shown) if row.kind == kind]
        if own:
            ends = [[min(100.0 * float(getattr(shown[place], f"of_stock{end}")), MOST) for end in ("_low", "", "_high")] for place in own]
            low, middle, high = (numbers(end[column] for end in ends) for column in range(3))
            bar = rowed.bars(middle, kind, colour, pattern, [said[place] for place in own], error_x=rowed.whiskers(low, middle, high))
            data.append(bar | {"y": own})
    largest = shown[0]
    return Chart(
        id_,
        f"{what}: most is moved, beside the US stock, by “{largest.title}”, {percent(largest, 'of_stock')}",
        f"Rounds moved as a share of the US stock when it begins, %, {RANGE}",
        f"Bar chart of rounds moved as a share of the US stock. {'; '.join(said)}.",
        {"data": data, "layout": rowed.layout(labels, "share of the US stock, %", rangemode="tozero")},
        Table(
            f"{what}: rounds moved, and what they are beside",
            (
                "Policy or event", "Rounds", "Of the US stock", "Days of output", "Of the largest single demand", "Months of need",
                "Change in US stock at its end", "And at the end of the run", "Beside the stock",
            ),
            tuple(
                (
                    _label(row), rounds(row, "rounds"), percent(row, "of_stock"), plain(row, "output_days"), percent(row, "of_largest"),
                    need(row) or DASH, *(_change(row, name) for name in ("change_at_end", "change_at_horizon")), row.word,
                )
                for row in rows
            ),
        ),
        data_link(
            ("kind", "name", "rounds", "of_stock_low", "of_stock", "of_stock_high", "output_days", "of_largest", "months_of_need"),
            ([row.kind, row.name, *(_plain(getattr(row, name)) for name in _NUMBERS)] for row in rows),
        ),
        (f"Bars and ranges end at {MOST:.0f} %; the table has the numbers.",) if _is_cut(shown) else (),
    )


def _is_cut(rows: list[Any]) -> bool:
    return any(100.0 * row.of_stock_high > MOST for row in rows)


_NUMBERS = ("rounds", "of_stock_low", "of_stock", "of_stock_high", "output_days", "of_largest", "months_of_need")


def _with(labels: list[str], rows: list[Any]) -> list[tuple[str, Any]]:
    return list(zip(labels, rows, strict=True))


def _label(row: Any) -> str:
    """Return the title; of an event whose title has no year, with the month in which it begins."""
    return row.title if row.kind == "policy" or str(row.start)[:4] in row.title else f"{row.title} ({wording.day(str(row.start)[:7])})"


def _change(row: Any, name: str) -> str:
    return change(row, name).replace("-", "−") if row.kind == "policy" else DASH


def _plain(value: float) -> Any:
    shown = number(value)
    return "" if shown is None else shown
