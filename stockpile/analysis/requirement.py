"""The requirement sheet: the public version of the table that 10 U.S.C. 222c asks for, worked out with the model.

Per munition and published requirement: the US stock, what is lacking, the years to reach it at the rate requested and at the average of
three fiscal years, and what would have to be bought and paid a fiscal year to reach it by a date. The statute's second case, each
operation plan lasting twice as long, can only be had from a requirement that is doubled, since no plan is public.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stockpile.analysis.purchases import begins, fiscal_year, purchases
from stockpile.analysis.requirement_rows import Munition, months_after
from stockpile.errors import InputError, Problem, nearest
from stockpile.evidence.ledger import ledger
from stockpile.experiments.lanes import Progress
from stockpile.metrics import BASELINE
from stockpile.scenario import Scenario
from stockpile.simulate import manifest

if TYPE_CHECKING:
    import pandas as pd

BY = "FY2031"
LONGEST = 40
"""Furthest fiscal year by which it can be asked for, in years from the date of the scenario."""


@dataclass(frozen=True)
class Requirement:
    """A requirement sheet. Every range is the 5th, 50th and 95th percentile over the draws (columns low, middle, high).

    Attributes
    ----------
    sheet : pandas.DataFrame
        A row a munition, requirement and variant (published, doubled): title, counts (what the requirement counts: stock or
        purchases), level, stock and short, each with its range [round]; lead_time and lot_span of a new order [month] and us_share,
        the share of the line that the US gets, the same in all rows. Without a published requirement one row with empty cells.
    years : pandas.DataFrame
        A row a munition, requirement, variant, rate (requested, average), limit (money, line) and transfers (as under none, stopped):
        rounds a year, low, middle, high [year from the date of the scenario], never (share of the draws not there after `YEARS`), and
        the naive division of what is lacking by the rate, with its range.
    by_date : pandas.DataFrame
        A row a munition, requirement, variant and fiscal year: quantity [round] and money [dollars], each with its range; cannot (share
        of the draws in which no lot of any year is delivered by then), too_late (share in which the lot of this year is not),
        line_can (share in which the line could make it), and what was requested for that year.
    purchases : pandas.DataFrame
        A row a munition and requirement that counts purchases: bought so far, what is left, and left over either rate;
        up_to_date is False where later purchases are not published, so that what is left is at most that.
    rates : pandas.DataFrame
        A row a munition and published quantity: state, fiscal years, rounds with their range, and the observations it comes from.
    by : date
        The day before which the requirement is to be reached.
    manifest : dict
    """

    sheet: pd.DataFrame
    years: pd.DataFrame
    by_date: pd.DataFrame
    purchases: pd.DataFrame
    rates: pd.DataFrame
    by: dt.date
    manifest: dict[str, Any] = field(repr=False)


def requirement(
    scenario: Scenario,
    munitions: Sequence[str] | None = None,
    by: str | dt.date = BY,
    *,
    members: int = 1000,
    seed: int = 1,
    progress: Progress | None = None,
) -> Requirement:
    """Return the requirement sheet of a scenario.

    Parameters
    ----------
    scenario : Scenario
        Its date decides which requirements, budgets and stocks are known. Random campaigns are left out; dated events stay.
    munitions : sequence of str, optional
        The scenario's own where left out.
    by : str or date
        A fiscal year such as ``FY2031`` (its end), or a first of a month.
    members, seed : int
    progress : callable, optional
        Is called with the number of munitions done.

    Raises
    ------
    InputError
        For munitions that are not there, a date that cannot be, and members or seed that are none.
    """
    import pandas as pd

    chosen, day = _checked(scenario, munitions, by, members, seed)
    book = ledger(scenario)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in ("sheet", "years", "by_date", "purchases", "rates")}
    for number, munition in enumerate(chosen, 1):
        bought = purchases(book, munition, scenario.as_of)
        one = Munition(scenario, munition, bought, day, members, seed)
        for name, rows in one.rows().items():
            found[name] += rows
        if progress is not None:
            progress(number)
    frames = {name: pd.DataFrame(rows, columns=None if rows else list(COLUMNS[name])) for name, rows in found.items()}
    made = manifest(scenario, [BASELINE]) | {"members": members, "seed": seed, "by": str(day), "munitions": list(chosen)}
    return Requirement(**frames, by=day, manifest=made)


COLUMNS: Mapping[str, Sequence[str]] = {
    "sheet": ("munition", "requirement", "variant"), "years": ("munition", "requirement", "variant", "rate", "limit", "transfers"),
    "by_date": ("munition", "requirement", "variant", "fiscal_year"), "purchases": ("munition", "requirement"),
    "rates": ("munition", "state", "first", "last"),
}
"""Columns of a frame without rows."""


def end_of(by: str | dt.date) -> dt.date:
    """Return the day before which a requirement is to be reached: the end of a fiscal year, or a date.

    Raises
    ------
    InputError
        If it is neither.
    """
    if isinstance(by, dt.date):
        return by
    year = re.fullmatch(r"[Ff][Yy]\s?(\d{4})", by.strip())
    if year and dt.MINYEAR + 1 < int(year[1]) < dt.MAXYEAR:
        return begins(int(year[1]) + 1)
    try:
        return dt.date.fromisoformat(by.strip())
    except ValueError:
        allowed = "a fiscal year such as FY2031, or a date such as 2031-10-01"
        raise InputError.one("by", f"{by!r}; allowed: {allowed}", file="requirement") from None


def _checked(
    scenario: Scenario, munitions: Sequence[str] | None, by: str | dt.date, members: int, seed: int
) -> tuple[tuple[str, ...], dt.date]:
    chosen = tuple(dict.fromkeys(scenario.munitions if munitions is None else munitions))
    problems = [
        Problem("requirement", 0, 0, "munition", f"unknown munition {name!r}; {nearest(name, scenario.munitions)}")
        for name in chosen
        if name not in scenario.munitions
    ]
    day = scenario.as_of
    try:
        day = end_of(by)
        last = begins(fiscal_year(scenario.as_of) + LONGEST)
        if day.day != 1 or not months_after(scenario.as_of) < day <= last:
            allowed = f"the first of a month after {months_after(scenario.as_of)}, up to {last}, or the fiscal year that it ends"
            problems.append(Problem("requirement", 0, 0, "by", f"{day}; allowed: {allowed}"))
    except InputError as error:
        problems += error.problems
    for key, value, least in (("members", members, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            problems.append(Problem("requirement", 0, 0, key, f"{value!r}; allowed: a whole number from {least} on"))
    if problems:
        raise InputError(problems)
    return chosen, day
