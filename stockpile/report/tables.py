"""Tables as plain data: a caption, headings and rows of text; and the same series in full as comma-separated values."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import numpy as np

from stockpile.report import bars, theme, words
from stockpile.report.study import Draw, Study
from stockpile.results import US

DASH = "–"
"""Where there is nothing to measure by."""


WORD, SENTENCE = 20, 60
"""Most letters of what stands among numbers ("not in this run"), and of what is not to be wrapped (numbers with their interval)."""
NUMBER = re.compile(r"\W*(\w+ ){0,2}\W*\d")
"""A cell that begins with a number, "at least" and the like before it."""


@dataclass(frozen=True)
class Table:
    """A table of text; the first cell of a row is its heading.

    Attributes
    ----------
    caption : str
    columns : tuple of str
    rows : tuple of tuple of str
    note : str
        Printed under it.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What each column holds: "" for numbers and short words, "text" for names, "text wide" for sentences."""
        return tuple(_kind([row[place] for row in self.rows]) for place in range(len(self.columns)))


def _kind(cells: Sequence[str]) -> str:
    longest = max(map(len, cells), default=0)
    if longest > SENTENCE:
        return "text wide"
    words = sum(not NUMBER.match(cell) for cell in cells)
    return "text" if longest > WORD and 2 * words > len(cells) else ""


def data_link(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return comma-separated values as an address that holds its own data; formulas of spreadsheets are kept from running."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    return "data:text/csv;charset=utf-8," + quote(text.getvalue(), safe=",-_.~:;()")


def _plain(cell: object) -> object:
    text = str(cell)
    return f"'{text}" if isinstance(cell, str) and text[:1] in "=+@\t\r" else cell


def number(value: float) -> float:
    """Return a value with the decimals that are worth passing on."""
    return round(float(value), 3) + 0.0


# ---------------------------------------------------------------- headline


def headline(study: Study) -> Table:
    """Return the table of the headline block: each munition's stock, floor and lowest point under the base policy."""
    rows = []
    for munition in study.result.munitions:
        stock = study.stock(study.base, munition)
        name, floor = study.floor(munition)
        first = study.metric(study.base, munition, US, f"first_below.{name}")
        low = study.now + int(np.argmin(stock[study.now :]))
        point = study.scenario.munitions[munition].us_stock.points[0]
        ranged = f" ({words.rounds(point.low)} to {words.rounds(point.high)})" if point.low is not None and point.high is not None else ""
        rows.append(
            (
                study.scenario.munitions[munition].title,
                f"{words.rounds(float(stock[0]))}{ranged}",
                words.rounds(float(stock[study.now])),
                words.rounds(floor),
                words.NEVER if np.isinf(first) else words.month(study.date(int(np.searchsorted(study.result.months, first)))),
                f"{words.rounds(float(stock[low]))}, {words.month(study.date(low))}",
                words.rounds(float(stock[-1])),
            )
        )
    return Table(
        f"US stock in rounds under “{study.title(study.base)}”, central values",
        (
            "Munition",
            f"{words.capital(words.month(study.date(0)))} (range of the estimate)",
            f"{words.day(study.date(study.now))}, last step before the date of knowledge",
            "The floor assumed here",
            "First month below it",
            "Lowest from then on, when",
            words.day(study.date(len(study.result.dates) - 1)),
        ),
        tuple(rows),
    )


# ---------------------------------------------------------------- under the charts


def shown_dates(study: Study, start: int = 0, end: int | None = None) -> list[int]:
    """Return the step edges that tables print: the first, each January, the last before `as_of`, those after a suspension, the last."""
    last = (len(study.result.dates) if end is None else end) - 1
    january = [i for i in range(start, last) if study.date(i).month == 1 and study.date(i).day == 1]
    return sorted({i for i in (start, *january, study.now, *study.dates_after, last) if start <= i <= last})


def stock(study: Study, munition: str) -> tuple[Table, str]:
    """Return the US stock by date and policy: a table of chosen dates, and all of it as a link."""
    policies = study.result.policies
    lines = {policy: study.stock(policy, munition) for policy in policies}
    table = Table(
        f"US stock of {study.short(munition)} in rounds, by date and policy",
        ("Date", *(study.title(policy) for policy in policies)),
        tuple((words.day(study.date(i)), *(words.rounds(float(lines[p][i])) for p in policies)) for i in shown_dates(study)),
        "The whole series is in the file.",
    )
    rows = ([study.date(i).isoformat(), *(number(lines[p][i]) for p in policies)] for i in range(len(study.result.dates)))
    return table, data_link(("date", *policies), rows)


def effect(study: Study, munition: str) -> tuple[Table, str]:
    """Return the change in US stock by policy and date: a table of chosen dates, and all of it as a link."""
    policies = study.others
    lines = {policy: study.effect(policy, munition) for policy in policies}
    table = Table(
        f"Change in the US stock of {study.short(munition)} in rounds against “{study.title(study.base)}”, {study.steps}",
        ("Policy", *(words.day(study.date(i)) for i in study.dates_after)),
        tuple((study.title(p), *(words.signed(float(lines[p][i])) for i in study.dates_after)) for p in policies),
    )
    rows = ([study.date(i).isoformat(), *(number(lines[p][i]) for p in policies)] for i in range(len(study.result.dates)))
    return table, data_link(("date", *policies), rows)


def daily(study: Study, munition: str) -> tuple[Table, str]:
    """Return the effect of the shortest suspension in both step lengths at the month starts they share, and the daily series as a link."""
    assert study.fine is not None and study.brief is not None
    brief, fine, line, daily_line = study.brief, study.fine, study.effect(study.brief.policy, munition), study.daily(munition)
    found = [(words.day(brief.end), words.signed(study.daily_at(munition, brief.end)), DASH)]
    for index in range(len(line)):
        when = study.date(index)
        if when > brief.start and study.result.dates[index] <= fine.dates[-1]:
            found.append((words.day(when), words.signed(study.daily_at(munition, when)), words.signed(float(line[index]))))
    caption = f"Change in the US stock of {study.short(munition)} in rounds, by length of the step"
    start = fine.index(str(brief.start.replace(day=1)))
    rows = ([str(fine.dates[i]), number(daily_line[i])] for i in range(start, len(fine.dates)))
    return Table(caption, ("Date", "Daily steps", words.capital(study.steps)), tuple(found)), data_link(
        ("date", "change_in_us_stock"), rows
    )


def draws(study: Study, munition: str, found: Sequence[Draw], later: Sequence[Draw]) -> tuple[Table, str]:
    """Return who drew the stock down: up to `as_of`, and the whole after it; and the same as a link."""
    fields = [field for field, _, _, _ in theme.CHANNELS]
    whole = Draw("All", *(sum(getattr(draw, field) for draw in found) for field in fields))
    after = sum(draw.whole for draw in later)
    later_of = {draw.name: draw.whole for draw in later} | {"All": after}

    def share(draw: Draw) -> str:
        return words.percent(draw.from_stock / whole.from_stock) if whole.from_stock > 0.0 else DASH

    rows = tuple(
        (
            draw.name,
            words.exact(draw.transfers),
            words.exact(draw.operations),
            words.exact(draw.lost),
            words.exact(draw.from_stock),
            share(draw),
            words.exact(draw.production),
            words.exact(draw.whole),
            words.exact(later_of[draw.name]),
        )
        for draw in (*found, whole)
    )
    start, end = words.month(study.date(0)), words.month(study.date(max(study.now - 1, 0)))
    table = Table(
        f"Who drew on {study.short(munition)}, in rounds, {start} to {end}, under “{study.title(study.base)}”",
        (
            "Claimant",
            "Transfers from US stock",
            "US training and operations on their behalf",
            "Lost to age and damage",
            "Left US stock",
            "Share of that",
            "New production made for them",
            "All",
            f"All, {words.month(study.date(study.now))} to the end (projection)",
        ),
        rows,
        "US training counts as US forces. What sources do not give to anybody stays in “Joint or unknown”. "
        "New production made for others does not pass through US stock.",
    )
    data = ([draw.name, *(number(getattr(draw, field)) for field in fields), number(draw.whole)] for draw in (*found, whole))
    return table, data_link(("claimant", *fields, "all"), data)


def books(study: Study, munition: str) -> Table:
    """Return the ledger of the US stock up to `as_of`: opening, in, out, closing."""

    def total(quantity: str, rows: Sequence[str] = (US,)) -> float:
        return sum(float(study.series(quantity, row, study.base, munition)[: study.now].sum()) for row in rows)

    line = study.stock(study.base, munition)
    recipients = study.result.recipients
    entries = (
        (f"Opening, {words.day(study.date(0))}", float(line[0])),
        ("New production into US stock", total("to_us") + total("diverted", recipients)),
        ("Loans and purchases from elsewhere", total("us_inflow")),
        ("Transfers to recipients", -total("sent", recipients)),
        ("US training and operations", -total("own_use")),
        ("Age and damage", -total("expired")),
        (f"Closing, {words.day(study.date(study.now))}", float(line[study.now])),
    )
    return Table(
        f"The books of the US stock of {study.short(munition)}, in rounds",
        ("Entry", "Rounds"),
        tuple((label, words.exact(value)) for label, value in entries),
    )


def use(study: Study, munition: str) -> tuple[Table, str]:
    """Return use and unmet need by recipient and calendar year, and the same as a link."""
    found, data = [], []
    recipients = bars.needing(study, munition)
    columns = ["Year"]
    series = []
    for row in recipients:
        for quantity, label in (("used", "used"), ("unmet", "unmet")):
            columns.append(f"{study.claimant(row)}, {label}")
            series.append(bars.yearly(study, quantity, row, study.base, munition))
    years = series[0][0] if series else []
    for number_of, year in enumerate(years):
        found.append((str(year), *(words.rounds(values[number_of]) for _, values in series)))
        data.append([year, *(number(values[number_of]) for _, values in series)])
    note = f"{years[0]} counts from {words.month(study.date(0))} on." if years and study.date(0).month != 1 else ""
    caption = f"{study.short(munition)} used and unmet need, in rounds, by recipient and calendar year, under “{study.title(study.base)}”"
    return Table(caption, tuple(columns), tuple(found), note), data_link(columns, data)


def need_changes(study: Study, munition: str) -> Table | None:
    """Return what each policy changes in the recipients' use and unmet need over the whole run; None without a baseline."""
    recipients = bars.needing(study, munition)
    if study.baseline is None or not recipients or not study.others:
        return None
    rows = tuple(
        (
            study.title(policy),
            *(
                words.signed(study.metric(policy, munition, row, f"change_in.{name}"))
                for row in recipients
                for name in ("total_used", "total_unmet")
            ),
        )
        for policy in study.others
    )
    columns = tuple(f"{study.claimant(row)}, {label}" for row in recipients for label in ("change in use", "change in unmet need"))
    return Table(
        f"Change in use and unmet need of {study.short(munition)} against “{study.title(study.base)}”, in rounds over the whole run",
        ("Policy", *columns),
        rows,
    )


def materiality(study: Study, munition: str) -> Table | None:
    """Return the effect of the shortest suspension, and the shipment on record, beside stock, output and use; None without one."""
    found, brief = study.materiality(munition), study.brief
    if not found or brief is None:
        return None
    operation = study.largest_operation(munition)
    largest = "Largest single operation: none in the data"
    if operation:
        largest = f"Times the largest single operation ({study.scenario.events[operation[0]].title}, {words.rounds(operation[1])})"

    def share(value: float | None) -> str:
        return DASH if value is None else words.percent(value)

    rows = tuple(
        (
            words.capital(row.label),
            words.rounds(row.rounds),
            share(row.of_stock),
            share(row.of_output),
            DASH if row.of_largest_use is None else words.times(row.of_largest_use),
            share(row.of_us_use),
            share(row.of_recipient_use),
        )
        for row in found
    )
    columns = (
        "What",
        "Rounds",
        f"Of the US stock on {words.day(study.first_day)}",
        "Of a month’s output of the line",
        largest,
        "Of a month’s US use, mean of the year before the date of knowledge",
        f"Of a month’s use by {words.listed([study.claimant(row) for row in brief.recipients])}",
    )
    when = words.pause(brief.start, brief.end)
    return Table(f"{study.short(munition)}: how much the suspension of {when} is beside other quantities", columns, rows)


# ---------------------------------------------------------------- cost


def money(study: Study) -> dict[str, dict[str, float]]:
    """Return the replacement cost by policy and munition [dollars of the scenario's money year]."""
    rows = (US, *study.result.recipients)
    return {
        policy: {m: sum(study.metric(policy, m, row, "replacement_cost") for row in rows) for m in study.result.munitions}
        for policy in study.result.policies
    }


def cost(study: Study) -> tuple[Table, str]:
    """Return the replacement cost by policy and munition, with the change against the baseline; and the same as a link."""
    found, munitions, year = money(study), study.result.munitions, study.result.manifest["money_year"]
    totals = {policy: sum(values.values()) for policy, values in found.items()}
    rows = []
    for policy in study.result.policies:
        change = (words.signed_billion(totals[policy] - totals[study.base]),) if study.baseline else ()
        rows.append((study.title(policy), *(words.billion(found[policy][m]) for m in munitions), words.billion(totals[policy]), *change))
    columns = (
        "Policy",
        *(study.short(m) for m in munitions),
        "All",
        *((f"Change against “{study.title(study.base)}”",) if study.baseline else ()),
    )
    period = f"{words.month(study.date(0))} to {words.month(study.date(len(study.result.dates) - 2))}"
    note = (
        "Price of a round times what left US stock by transfer and by US use, "
        + "; ".join(f"{study.short(m)} at {float(study.result.unit_cost[m][0]):,.0f}" for m in munitions)
        + f" dollars of {year}. What is not replaced is not paid for; rounds lost to age are left out."
    )
    data = ([policy, *(number(found[policy][m]) for m in munitions), number(totals[policy])] for policy in study.result.policies)
    return Table(f"Replacement cost in billions of dollars of {year}, {period}", columns, tuple(rows), note), data_link(
        ("policy", *munitions, "all"), data
    )
