"""Numbers and dates in words: one way of rounding for prose, tables and charts, free of the machine's locale."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence

import numpy as np

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
MINUS, SPACE = "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"
NEVER = "not in this run"
SEEN = 0.05
"""A change in rounds below this is none, and is printed as 0."""
FINE = 20.0
"""A number with an interval is printed to a digit of at most this part of the interval: more digits than it supports are left out."""


def rounds(value: float) -> str:
    """Return a number of rounds with three significant digits, at most one of them behind the point: 5.1, 324, 2,460, 809,000."""
    size = abs(value)
    if size < SEEN:
        return "0"
    if size < 10.0:
        text = f"{size:.1f}"
    else:
        digits = max(math.floor(math.log10(size)) - 2, 0)
        text = f"{round(size, -digits):,.0f}"
    return MINUS + text if value < 0.0 else text


def exact(value: float) -> str:
    """Return a number of rounds as a whole number: for tables that add up."""
    text = f"{abs(value):,.0f}"
    return MINUS + text if value < 0.0 and text != "0" else text


def signed(value: float) -> str:
    """Return a change in rounds with its sign; a change of 0 has none."""
    text = rounds(value)
    return text if text == "0" or value < 0.0 else f"+{text}"


def supported(value: float, width: float, *, sign: bool = False) -> str:
    """Return a number of rounds with no more digits than an interval of that width supports: 840 where it is 1,600 wide."""
    digits = 1 if width < SEEN * FINE else -math.floor(math.log10(width / FINE))
    text = f"{abs(round(value, digits)):,.{max(min(digits, 1), 0)}f}"
    if not text.strip("0."):
        return "0"
    return MINUS + text if value < 0.0 else f"+{text}" if sign else text


def spread(low: float, middle: float, high: float, *, sign: bool = False) -> str:
    """Return a middle with its interval: 840 (50 to 1,680); 0 where all of it is; no interval where that has no ends."""
    if math.isinf(low) or math.isinf(high):
        return f"{signed(middle) if sign else rounds(middle)} (no interval)"
    first, second, third = (supported(value, high - low, sign=sign) for value in (middle, low, high))
    return "0" if first == second == third == "0" else f"{first} ({second} to {third})"


def chance(hits: int, members: int, low: float, high: float) -> str:
    """Return in how many draws, with the interval of its error: 31 of 200 (11 to 21 %)."""
    digits = 1 if high - low < 0.05 else 0
    ends = [f"{100.0 * end:.{digits}f}" for end in (low, high)]
    ends = [end.removesuffix(".0") if end in ("0.0", "100.0") else end for end in ends]
    return f"{hits:,} of {members:,} ({ends[0]} to {ends[1]}{SPACE}%)"


def from_counts(error: float) -> str:
    """Return what to know of quantiles that are read from counts, as all draws were too many to keep."""
    return f"Quantiles are read from counts, and may be off by up to {rounds(error)} rounds."


def percent(share: float) -> str:
    """Return a share as a percentage with two significant digits: 0.21 %, 4.6 %, 81 %."""
    value = abs(100.0 * share)
    if value < 0.005:
        text = "0"
    elif value < 10.0:
        text = f"{value:.2g}" if value < 1.0 else f"{value:.1f}"
    else:
        text = f"{value:,.0f}"
    return f"{MINUS if share < 0.0 and text != '0' else ''}{text}{SPACE}%"


def times(ratio: float) -> str:
    """Return a ratio as a multiple with two significant digits: 1.1 times."""
    text = f"{ratio:.2g}" if ratio < 10.0 else f"{ratio:,.0f}"
    return f"{text} times"


def billion(value: float) -> str:
    """Return dollars in billions with two decimals."""
    text = f"{abs(value) / 1e9:,.2f}"
    return MINUS + text if value < 0.0 and text != "0.00" else text


def signed_billion(value: float) -> str:
    """Return a change in billions of dollars with its sign."""
    text = billion(value)
    return text if value <= 0.0 or text == "0.00" else f"+{text}"


def plain(value: float) -> str:
    """Return a parameter's value as it was written, with thousands separated."""
    if math.isinf(value) or math.isnan(value):
        return str(value)
    if value == round(value) and abs(value) < 1e15:
        return f"{value:,.0f}".replace("-", MINUS)
    return f"{value:,.6g}".replace("-", MINUS)


def as_date(when: np.datetime64 | dt.date) -> dt.date:
    """Return a date, whichever kind is given."""
    return when if isinstance(when, dt.date) else dt.date.fromisoformat(str(when)[:10])


def day(when: np.datetime64 | dt.date) -> str:
    """Return a day in words: 9 July 2025."""
    date = as_date(when)
    return f"{date.day} {MONTHS[date.month - 1]} {date.year}"


def month(when: np.datetime64 | dt.date) -> str:
    """Return a month in words: July 2025."""
    date = as_date(when)
    return f"{MONTHS[date.month - 1]} {date.year}"


def window(start: dt.date, end: dt.date | None) -> str:
    """Return a half-open window in words by its first and last day: 1 to 8 July 2025."""
    if end is None:
        return f"from {day(start)} on"
    last = end - dt.timedelta(days=1)
    if last <= start:
        return day(start)
    if (start.year, start.month) == (last.year, last.month):
        return f"{start.day} to {day(last)}"
    return f"{day(start)} to {day(last)}"


def pause(start: dt.date, end: dt.date | None) -> str:
    """Return a suspension in words by its first day and the day on which deliveries flow again: 1 to 9 July 2025."""
    return window(start, end) if end is None else window(start, end + dt.timedelta(days=1))


def listed(items: Sequence[str]) -> str:
    """Return items as a list in a sentence: a, b and c."""
    if len(items) <= 1:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def capital(text: str) -> str:
    """Return `text` with a capital first letter."""
    return text[:1].upper() + text[1:]


def label(text: str) -> str:
    """Return text as plotly takes it: marks that it would read as mark-up are spelt out."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def wrapped(text: str, width: int) -> list[str]:
    """Return text broken into lines of about `width` characters."""
    import textwrap

    return textwrap.wrap(text, width) or [""]
