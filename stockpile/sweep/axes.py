"""What is said of a varied path: values one by one, a range with a step, or a range to be sampled; in text, TOML or Python."""

from __future__ import annotations

import calendar
import datetime as dt
import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

Value = float | int | str | bool | dt.date | None
"""A value at a path; None leaves the scenario's own."""
Bound = float | int | dt.date
MOST_POINTS = 50_000_000
"""Most points of a design: the numbers of the values alone then take 200 MB a path."""
KINDS = ("number", "date", "boolean", "text")
_STEP = re.compile(r"([1-9]\d*)\s*(day|month|year)s?")
_NUMBER = re.compile(r"[+-]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)([eE][+-]?\d+)?")
MONTHS = {"month": 1, "year": 12}
_DAY = re.compile(r"\d{4}-\d{2}(-\d{2})?")
_RANGE_KEYS = ({"from", "to", "step"}, {"from", "to"})


class WrongAxis(ValueError):
    """What is said of a path makes no sense."""


@dataclass(frozen=True)
class Axis:
    """What a path is varied over: `values`, or, without any, everything from `low` to `high`."""

    values: tuple[Value, ...] = ()
    low: Bound | None = None
    high: Bound | None = None

    @property
    def is_range(self) -> bool:
        """Whether values are still to be taken from a range."""
        return not self.values


def axis(given: Any) -> Axis:
    """Return what is meant by ``"0:36:1"``, ``"a,b"``, ``{"from": 0, "to": 36, "step": 1}``, a list, or a single value.

    Raises
    ------
    WrongAxis
        With what is wrong and what is allowed.
    """
    if isinstance(given, str):
        return _of_text(given)
    if isinstance(given, Mapping):
        if set(given) not in _RANGE_KEYS:
            raise WrongAxis(f"a table with {', '.join(map(str, given)) or 'nothing'}; allowed: from, to and perhaps step")
        return _range(*(str(given[key]) for key in ("from", "to", "step") if key in given))
    if isinstance(given, Iterable):
        return _listed([plain(value) for value in given])
    return _listed([plain(given)])


def kind_of(value: Value) -> str:
    """Return of which of `KINDS` a value is."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "date" if isinstance(value, dt.date) else "text"


def plain(value: Any) -> Value:
    """Return a value of NumPy or pandas as one of Python's; a time at midnight as its day, what is missing as None.

    Raises
    ------
    WrongAxis
        If it is no number, date, text, true or false.
    """
    if value is None or (type(value).__name__ in ("NaTType", "NAType")):
        return None
    if hasattr(value, "to_pydatetime"):
        value = value.to_pydatetime()
    elif hasattr(value, "item"):
        value = value.item()
    if isinstance(value, dt.datetime):
        if (value.hour, value.minute, value.second, value.microsecond) != (0, 0, 0, 0):
            raise WrongAxis(f"{value} has a time of day; allowed: dates")
        return value.date()
    if isinstance(value, bool | int | float | str | dt.date):
        return value
    raise WrongAxis(f"{value!r} cannot be varied over; allowed: numbers, dates, text, true and false")


def one_kind(values: Iterable[Value]) -> str:
    """Return the kind of the values, leaving out None; ``number`` where there is none.

    Raises
    ------
    WrongAxis
        If they are of several kinds, or not finite.
    """
    found: dict[str, Value] = {}
    for value in values:
        if value is not None:
            found.setdefault(kind_of(value), value)
        if isinstance(value, float) and not math.isfinite(value):
            raise WrongAxis(f"{value} is not finite; allowed: finite numbers")
    if len(found) > 1:
        shown = " and ".join(f"{kind} ({shown_value(value)})" for kind, value in found.items())
        raise WrongAxis(f"mixes {shown}; allowed: values of one kind")
    return next(iter(found), "number")


def shown_value(value: Value) -> str:
    """Return a value as it is printed."""
    return str(value).lower() if isinstance(value, bool) else str(value)


# ---------------------------------------------------------------- text


def _of_text(text: str) -> Axis:
    text = text.strip()
    parts = [part.strip() for part in text.split(":")]
    if "," not in text and len(parts) in (2, 3) and (_is_number(parts[0]) or _DAY.fullmatch(parts[0])):
        return _range(*parts)
    try:
        values = tomllib.loads(f"values = [{text}]")["values"]
    except (tomllib.TOMLDecodeError, KeyError):
        values = [cell(one) for one in text.split(",")]
    if any(value is None for value in values) or not values:
        raise WrongAxis(f"{text!r} has an empty value; allowed: FROM:TO:STEP, or values separated by commas")
    return _listed([plain(value) for value in values])


def cell(text: str) -> Any:
    """Return what a text means: a number, a date, true or false, else the text itself; None where it is empty."""
    text = text.strip()
    if not text:
        return None
    try:
        found = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return float(text) if _is_number(text) else text
    return found["value"] if list(found) == ["value"] and not isinstance(found["value"], list | dict) else text


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _listed(values: list[Value]) -> Axis:
    if not values:
        raise WrongAxis("no values; allowed: one or more")
    if any(value is None for value in values):
        raise WrongAxis("a value is missing; allowed: values without gaps")
    one_kind(values)
    seen: set[Value] = set()
    for value in values:
        if value in seen:
            raise WrongAxis(f"{shown_value(value)} comes twice; allowed: each value once")
        seen.add(value)
    return Axis(tuple(values))


# ---------------------------------------------------------------- ranges


def _range(start: str, end: str, step: str | None = None) -> Axis:
    """Return the values from `start` to `end`, both included where a whole number of steps lies between; or the range itself."""
    said = ":".join(part for part in (start, end, step) if part is not None)
    if _DAY.fullmatch(start) or _DAY.fullmatch(end):
        first, last = _day(start), _day(end)
        _check_order(said, first, last, step)
        return Axis(low=first, high=last) if step is None else Axis(tuple(_days(said, first, last, step)))
    low, high = _number(said, start), _number(said, end)
    _check_order(said, low, high, step)
    whole = all(re.fullmatch(r"[+-]?[\d_]+", part) for part in (start, end, step or "0"))
    if step is None:
        return Axis(low=_plain_number(low, whole=whole), high=_plain_number(high, whole=whole))
    by = _number(said, step)
    if by <= 0:
        raise WrongAxis(f"{said!r} has a step of {step}; allowed: a step above 0")
    count = (high - low) // by + 1
    _check_count(said, int(count))
    return Axis(tuple(_plain_number(low + number * by, whole=whole) for number in range(int(count))))


def _check_order(said: str, low: Any, high: Any, step: str | None) -> None:
    if low > high:
        raise WrongAxis(f"{said!r} runs backwards; allowed: FROM at or before TO")
    if low == high and step is None:
        raise WrongAxis(f"{said!r} is empty; allowed: LOW below HIGH")


def _check_count(said: str, count: int) -> None:
    if count > MOST_POINTS:
        raise WrongAxis(f"{said!r} has {count:,} values; allowed: at most {MOST_POINTS:,}")


def _plain_number(number: Fraction, *, whole: bool) -> float | int:
    """Return the float nearest to an exact number, so that no step adds up errors; a whole number stays one."""
    return int(number) if whole else float(number)


def _number(said: str, text: str) -> Fraction:
    try:
        found = Decimal(text.replace("_", ""))
    except InvalidOperation:
        found = Decimal("nan")
    if not found.is_finite() or abs(found.adjusted()) > 300:
        raise WrongAxis(f"{text!r} in {said!r} is no number; allowed: numbers, or dates such as 2025-08-01:2028-08-01:1month")
    return Fraction(found)


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(f"{text}-01" if text.count("-") == 1 else text)
    except ValueError:
        raise WrongAxis(f"{text!r} is no date; allowed: a day such as 2025-08-01 or a month such as 2025-08") from None


def _days(said: str, first: dt.date, last: dt.date, step: str) -> Iterator[dt.date]:
    found = _STEP.fullmatch(step)
    if found is None:
        raise WrongAxis(f"{step!r} in {said!r} is no step between dates; allowed: for example 14days, 1month, 2years")
    number, unit = int(found[1]), found[2]
    day, count = first, 0
    while day <= last:
        yield day
        count += 1
        try:
            day = first + dt.timedelta(days=count * number) if unit == "day" else _later(first, count * number * MONTHS[unit])
        except (OverflowError, ValueError):
            return


def _later(day: dt.date, months: int) -> dt.date:
    """Return the same day some months later, or the last of a month that is too short for it."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
