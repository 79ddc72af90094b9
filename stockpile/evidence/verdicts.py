"""Whether a run comes as near to a published answer as it must, and what quantity divided by rate alone would have said.

- A published number: our central value must lie within the tolerance of it.
- A published range: the whole of our range, from the least to the largest of all corners, must lie inside it, widened by the tolerance.
- A bound (at least, at most): the whole of our range must keep it, less the tolerance.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from stockpile import schema
from stockpile.clock import Clock
from stockpile.evidence.world import whole_of
from stockpile.lookup import factor_of

PASS, FAIL, NOT_EXPRESSIBLE, NOT_PUBLISHED = "pass", "fail", "not expressible", "not published"
LITTLE = 1e-9
"""Share of a number that rounding may take."""
DELIVERIES = ("months_to_last_delivery", "date_of_last_delivery")


@dataclass(frozen=True)
class Published:
    """What was published, as numbers in the unit of the answer; days of the calendar as months from the start."""

    value: float | None
    low: float | None
    high: float | None
    bound: str
    tolerance: float

    def verdict(self, ours: float, low: float, high: float) -> tuple[str, float]:
        """Return the verdict on our central value and its range, and the difference.

        It is that of our central value from the number, or of the end of our range that passes the published range or bound.
        """
        if self.value is None and self.low is None:
            return NOT_PUBLISHED, np.nan
        if self.low is not None and self.high is not None:
            over, under = max(high - self.high, 0.0), max(self.low - low, 0.0)
            return self._passes(max(over, under)), over if over >= under else -under
        assert self.value is not None
        difference = ours - self.value
        if self.bound == "at_least":
            return self._passes(self.value - low), min(difference, low - self.value) if low < self.value else difference
        if self.bound == "at_most":
            return self._passes(high - self.value), max(difference, high - self.value) if high > self.value else difference
        return self._passes(abs(difference)), difference

    def _passes(self, off: float) -> str:
        scale = max(abs(number) for number in (self.value, self.low, self.high, 1.0) if number is not None)
        return PASS if off <= self.tolerance + LITTLE * scale else FAIL


def published(answer: schema.Answer, clock: Clock) -> Published:
    """Return what was published as numbers."""

    def number(given: float | dt.date | None) -> float | None:
        return clock.at(given) if isinstance(given, dt.date) else given

    return Published(number(answer.value), number(answer.low), number(answer.high), answer.bound, answer.tolerance)


# ---------------------------------------------------------------- quantity divided by rate


def division(case: schema.Case, answer: schema.Answer, clock: Clock) -> float:
    """Return what quantity divided by rate says of a time, in the unit of the answer; nan where it says nothing.

    Deliveries: rounds ordered, over the rate of their lots or of the line. A return: rounds used, over the owner's part of that rate.
    A fall: the stock, over the rate of use. To a named level it says nothing. A day of the calendar counts from the award, or from when
    the use begins. No times to the first delivery, no windows, no limits: that is what the model is for.
    """
    if case.scenario is not None or case.not_expressible is not None:
        return np.nan
    munition = case.munitions[answer.munition or next(iter(case.munitions))]
    flows = [*munition.use.values(), *munition.sent.values()]
    orders = [order for name, order in munition.orders.items() if answer.order in (name, None)]
    months, begins = np.nan, [case.start or clock.start]
    if answer.measure in DELIVERIES and orders:
        months = _over(sum(_central(order.quantity) for order in orders), _rate(munition, orders))
        begins = [order.awarded for order in orders]
    elif answer.measure == "back_at" and answer.level is None and flows:
        part = 1.0 if munition.us_share is None else _central(munition.us_share)
        months = _over(sum(_central(whole_of(flow, clock)) for flow in flows), _rate(munition, orders) * part)
        begins = [flow.start for flow in flows]
    elif answer.measure in ("first_below", "days_left") and munition.stock is not None and answer.level is None and flows:
        months = _over(_central(munition.stock), sum(_central(whole_of(flow, clock)) / _length(flow, clock, answer.unit) for flow in flows))
        begins = [flow.start for flow in flows]
    if not np.isfinite(months):
        return np.nan
    return float(clock.at(min(begins)) + months if answer.unit == schema.DATE else months / factor_of(answer.unit))


def _rate(munition: schema.CaseMunition, orders: list[schema.Order]) -> float:
    """Return the rate of the line at the start, or without one that of the lots [round/month]."""
    if munition.line:
        return min(_central(part.capacity) for part in munition.line.values())
    return sum(_central(order.quantity) / _central(order.span) for order in orders if order.span is not None)


def _length(flow: schema.Flow, clock: Clock, unit: str) -> float:
    """Return the length of a window [month]; for an answer in days the mean months that its days are."""
    end = flow.end if isinstance(flow.end, dt.date) else clock.end
    return (end - flow.start).days * factor_of(unit) if unit == "day" else clock.at(end) - clock.at(flow.start)


def _over(quantity: float, rate: float) -> float:
    return quantity / rate if rate > 0.0 and quantity > 0.0 else np.nan


def _central(parameter: schema.Parameter) -> float:
    return parameter.points[0].value * factor_of(parameter.unit)
