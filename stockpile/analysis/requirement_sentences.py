"""What a requirement sheet says, in sentences and in the text of its cells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stockpile.analysis import wording
from stockpile.analysis.requirement_rows import QUANTILES, RATES, YEARS
from stockpile.analysis.wording import Names, rows_of

if TYPE_CHECKING:
    from stockpile.analysis.requirement import Requirement
    from stockpile.scenario import Scenario

NOT_PUBLISHED = "not published"
RANGE = f"{100 * QUANTILES[0]:.0f} to {100 * QUANTILES[-1]:.0f} % of the draws"
DOUBLED = (
    "The statute's second requirement lets each operation plan last twice as long; no plan is public, so here the requirement itself is "
    "doubled."
)
LEAST = 0.005
"""Share of the draws that is said: less would be printed as 0 %."""
LABELS = {"requested": "the latest request taken to come every year", "average": "the average of the last three fiscal years"}
RATES_SAID = "; ".join(f"{rate}: {label}" for rate, label in LABELS.items())
"""What the rates of a table are."""
THERE = "already there"
IMPOSSIBLE = "cannot be delivered by then at any price"
NOT_REACHED = f"over {YEARS}"
"""Not within the years that are run."""


def of_requirement(made: Requirement, scenario: Scenario | None) -> list[str]:
    """Return sentences: for each munition the requirement named by its file, or the first one, then what holds for all."""
    names = Names.of(made.manifest, scenario)
    said = []
    for munition in made.manifest["munitions"]:
        said += _of_munition(made, munition, names)
    return [*said, DOUBLED]


def named(made: Requirement, munition: str) -> str | None:
    """Return the requirement that a munition's file names, or its first; None where none is published."""
    own = [row for row in rows_of(made.sheet) if row.munition == munition and not missing(row.requirement)]
    found = [row.requirement for row in own if row.is_named] or [row.requirement for row in own]
    return str(found[0]) if found else None


def _of_munition(made: Requirement, munition: str, names: Names) -> list[str]:
    own = [row for row in rows_of(made.sheet) if row.munition == munition]
    what, requirement = names.munition(munition), named(made, munition)
    stock = f"the US stock of {what} after {names.after} is an estimate of {rounds(own[0], 'stock')} rounds"
    if requirement is None:
        return [f"{wording.capital(stock)}; a requirement is {NOT_PUBLISHED}.", _terms(own[0], what)]
    row = next(one for one in own if one.requirement == requirement and one.variant == "published")
    said = [f"{wording.capital(stock)}, {rounds(row, 'short')} short of {_level(row)}."]
    if any(one.munition == munition for one in rows_of(made.years)):
        said += [_years(made, what, munition, requirement, rate) for rate in RATES]
    else:
        said.append(f"{what} at either rate: {NOT_PUBLISHED}, neither a request for now nor purchases of the last three fiscal years.")
    said += [_terms(own[0], what), _by(made, what, munition, requirement)]
    return [*said, *_purchases(made, what, munition, requirement)]


def _terms(row: Any, what: str) -> str:
    """Return the lead time of a new order, the span of its lot and the US share of the line."""
    lead, span = (_with_range(row, name, lambda value: f"{value:,.0f}", NOT_PUBLISHED) for name in ("lead_time", "lot_span"))
    share = _with_range(row, "us_share", lambda value: f"{100.0 * value:.0f}", NOT_PUBLISHED)
    return (
        f"{what}, for a new order: {lead} months from 1 October to the first delivery, then a lot over {span} months; of what the line "
        f"makes {share} % goes to the US."
    )


def _level(row: Any) -> str:
    return f"{rounds(row, 'level')}, \"{row.title}\""


def _years(made: Requirement, what: str, munition: str, requirement: str, rate: str) -> str:
    label = f"{what} at {LABELS[rate]}"
    found = {
        (row.limit, row.transfers): row
        for row in rows_of(made.years)
        if (row.munition, row.requirement, row.variant, row.rate) == (munition, requirement, "published", rate)
    }
    if not found:
        return f"{label}: {NOT_PUBLISHED}."
    money, line, without = (found[way] for way in WAYS)
    return (
        f"{label}, {rounds(money, 'rounds')} a year: {_after(money)}; no faster than the US share of the line: {_after(line)}; with "
        f"transfers to recipients stopped: {_after(without)}; what is lacking divided by the rate: {_after(money, 'naive')}."
    )


def _after(row: Any, name: str = "middle") -> str:
    """Return years as they stand in a sentence."""
    text = years(row, name)
    return text if text == THERE else f"{text} years"


def _by(made: Requirement, what: str, munition: str, requirement: str) -> str:
    rows = [
        row for row in rows_of(made.by_date) if (row.munition, row.requirement, row.variant) == (munition, requirement, "published")
    ]
    until = f"For {what} to be there by {wording.day(made.by)}"
    if not rows:
        return f"{until}: no fiscal year is left, so it {IMPOSSIBLE}."
    first = rows[0]
    if first.cannot >= QUANTILES[-1]:
        return f"{until}: it {IMPOSSIBLE}, since no lot would be (in {percent(first.cannot)} of the draws)."
    often = f"; in {percent(first.cannot)} of the draws it {IMPOSSIBLE}" if first.cannot >= LEAST else ""
    return (
        f"{until}, {rounds(first, 'rounds')} rounds would have to be bought in fiscal {first.fiscal_year}, for {money(first)} billion "
        f"dollars of {int(first.money_year)}{often}; the line could make what is needed in {percent(first.line_can)} of the draws."
    )


def _purchases(made: Requirement, what: str, munition: str, requirement: str) -> list[str]:
    rows = [row for row in rows_of(made.purchases) if (row.munition, row.requirement) == (munition, requirement)]
    if not rows:
        return []
    row = rows[0]
    if math.isnan(row.bought):
        return [f"That requirement of {what} counts purchases and not stock; what has been bought so far is {NOT_PUBLISHED}."]
    rates = [
        f"{years(row, f'years_{rate}')} years at {label}"
        for rate, label in LABELS.items()
        if not math.isnan(getattr(row, f"years_{rate}"))
    ]
    over = f": {' and '.join(rates)}, by division alone" if rates else ""
    later, most = ("", "") if row.up_to_date else (f" (later ones are {NOT_PUBLISHED})", "at most ")
    return [
        f"That requirement of {what} counts purchases and not stock: {rounds(row, 'bought')} were bought up to fiscal {int(row.last)}"
        f"{later}, so {most}{rounds(row, 'left')} are left{over}."
    ]


# ---------------------------------------------------------------- cells


WAYS = (("money", "as under none"), ("line", "as under none"), ("money", "stopped"))
"""What a table shows of the years: limited by money alone, by the line as well, and by money with no transfers."""


def by_rate(rows: list[Any]) -> list[tuple[Any, tuple[Any, ...]]]:
    """Return the years of each requirement, variant and rate: the first row, and those of `WAYS`."""
    found: dict[tuple[str, ...], dict[tuple[str, str], Any]] = {}
    for row in rows:
        found.setdefault((row.munition, row.requirement, row.variant, row.rate), {})[row.limit, row.transfers] = row
    ordered = sorted(found.values(), key=lambda own: next(place for place, row in enumerate(rows) if _same(row, own[WAYS[0]])))
    return [(own[WAYS[0]], tuple(own[way] for way in WAYS)) for own in ordered]


def _same(row: Any, other: Any) -> bool:
    return (row.munition, row.requirement, row.variant) == (other.munition, other.requirement, other.variant)


def missing(value: Any) -> bool:
    """Tell whether a cell has no value."""
    return wording.missing(value)


def rounds(row: Any, name: str) -> str:
    """Return a number of rounds with its range; that it is not published, or cannot be, where so."""
    return _with_range(row, name, lambda value: f"{value:,.0f}", IMPOSSIBLE)


def years(row: Any, name: str = "middle") -> str:
    """Return a number of years with its range, without the unit."""
    low, middle, high = _ends(row, name)
    if math.isnan(middle):
        return NOT_PUBLISHED
    if math.isinf(low):
        return NOT_REACHED
    if math.isinf(middle):
        return f"{NOT_REACHED} ({_one(low)} at the least)"
    if high == 0.0:
        return THERE
    text = _one(middle)
    return text if low == high else f"{text} ({_one(low)} to {_one(high) if math.isfinite(high) else NOT_REACHED})"


def money(row: Any) -> str:
    """Return money in billions with its range."""
    return _with_range(row, "money", lambda value: f"{value / 1e9:,.2f}", IMPOSSIBLE)


def percent(share: float) -> str:
    """Return a share in per cent."""
    return f"{100.0 * share:.0f} %"


def _one(value: float) -> str:
    return f"{value:.1f}" if value < 10.0 else f"{value:,.0f}"


def _ends(row: Any, name: str) -> tuple[float, float, float]:
    stem = "" if name == "middle" else f"{name}_"
    return getattr(row, f"{stem}low"), getattr(row, name), getattr(row, f"{stem}high")


def _with_range(row: Any, name: str, show: Any, endless: str) -> str:
    low, middle, high = _ends(row, name)
    if math.isnan(middle):
        return NOT_PUBLISHED
    if math.isinf(middle):
        return endless
    if low == high:
        return str(show(middle))
    return f"{show(middle)} ({show(low)} to {show(high)})" if math.isfinite(high) else f"{show(middle)} ({show(low)} or more)"
