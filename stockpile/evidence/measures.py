"""From the scope of a figure to the one quantity of the model that counts the same: there is no other way to compare the two."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from stockpile import schema, units
from stockpile.inputs import JOINT
from stockpile.results import US

ALL = "all"
NEW = (("made_for", 1.0), ("kept_back", -1.0), ("diverted", -1.0), ("released", 1.0))
"""New production that reaches a recipient, as flows of the model with their signs."""


@dataclass(frozen=True)
class Measure:
    """A quantity of the model that an observation is held against [round, or round/month for a rate].

    Attributes
    ----------
    munition : str
    kind : {"stock", "flow", "capacity"}
        A stock on a day, flows summed over a window, or the rate at which the line can deliver.
    terms : tuple of (quantity, row, sign)
        What is added up, as in tables.
    date : date or None
        For a stock or a capacity of a day.
    start, end : date or None
        For flows, and the mean capacity of a window: the window, half-open.
    per_month : bool
        Whether it is the mean rate over the window, in place of the sum.
    part : str or None
        For a capacity: of which part; None for the whole line.
    """

    munition: str
    kind: str
    terms: tuple[tuple[str, str, float], ...]
    date: dt.date | None = None
    start: dt.date | None = None
    end: dt.date | None = None
    per_month: bool = False
    part: str | None = None

    def __str__(self) -> str:
        what = " + ".join(f"{'' if sign > 0 else '-'}{quantity}[{row}]" for quantity, row, sign in self.terms)
        what = what or (f"line.parts.{self.part}" if self.part else "line")
        when = f" on {self.date}" if self.date else f" from {self.start} to {self.end}"
        return f"{self.munition}: {what}{when}"


def measure_of(item: schema.Observation, recipients: Collection[str]) -> tuple[Measure | None, str]:
    """Return what of the model an observation counts; None and the reason where that is nothing."""
    scope = item.scope
    because = _left_out(item)
    terms = _terms(scope, recipients)
    if terms is None and not because:
        because = f"the model has no counterpart of {scope.state.replace('_', ' ')} of {scope.owner}"
    if because or terms is None or item.munition is None:
        return None, because
    if scope.state == "line":
        return Measure(item.munition, "capacity", (), date=item.date, start=item.start, end=item.end, part=scope.part), ""
    if scope.state == "on_hand":
        return Measure(item.munition, "stock", terms, date=item.date), ""
    if _dimension(item) == "rounds":
        return Measure(item.munition, "flow", terms, start=item.start, end=item.end), ""
    start, end = _window(item)
    return Measure(item.munition, "flow", terms, start=start, end=end, per_month=True), ""


def _left_out(item: schema.Observation) -> str:
    """Return why an observation is held against nothing, as far as its own keys say."""
    scope = item.scope
    if item.munition is None:
        return "no munition of the model"
    if item.circular:
        return "the residual of other figures here"
    if scope.match == "other":
        return "counts something else than the munition does"
    if (scope.match, item.bound) in (("part", "at_most"), ("wider", "at_least")):
        return "a bound of a wider or a narrower count, which bounds nothing here"
    if item.unit == "1" and not item.of:
        return "a share whose denominator is not known"
    allowed = {"line": ("rounds per month",), "on_hand": ("rounds",)}.get(scope.state, ("rounds", "rounds per month"))
    return "" if _dimension(item) in allowed else f"{scope.state.replace('_', ' ')} is not counted in {item.unit}"


def _dimension(item: schema.Observation) -> str:
    """Return what is measured; a share of denominators in rounds is a number of rounds."""
    unit = units.find(item.unit)
    return "rounds" if item.of else unit.dimension if unit else ""


def _window(item: schema.Observation) -> tuple[dt.date, dt.date]:
    """Return the window of a rate: its own, or the calendar month of its day."""
    if item.start is not None and item.end is not None:
        return item.start, item.end
    day = item.day
    return day.replace(day=1), dt.date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _terms(scope: schema.Scope, recipients: Collection[str]) -> tuple[tuple[str, str, float], ...] | None:
    """Return the quantities that a scope counts; None where there are none."""
    owner, state = scope.owner, scope.state
    if state == "line":
        return () if owner == ALL else None
    if state == "delivered" and owner == ALL:
        return (("delivered", US, 1.0),)
    if owner == US:
        if state == "used" and scope.cause is not None:
            return (("own_use_for", scope.cause, 1.0),) if scope.cause in (US, *recipients, JOINT) else None
        own = {"on_hand": "us_on_hand", "delivered": "to_us", "used": "own_use"}
        return ((own[state], US, 1.0),) if state in own else None
    if state == "sent" and owner == ALL:
        return tuple(("sent", recipient, 1.0) for recipient in recipients)
    if owner not in recipients:
        return None
    new = tuple((quantity, owner, sign) for quantity, sign in NEW)
    by_state = {
        "on_hand": (("on_hand", owner, 1.0),), "used": (("used", owner, 1.0),), "sent": (("sent", owner, 1.0),), "delivered": new,
        "received": (("sent", owner, 1.0), *new),
    }
    return by_state.get(state)
