"""What the answers of a case measure: one small function each, over a run and for all its members at once.

Times are months from the start of the run, at any point within a step: a stock between two step edges lies on the straight line
between them, and a flow is even over its step.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from stockpile import schema
from stockpile.clock import Array, Clock
from stockpile.inputs import due
from stockpile.lookup import Numbers
from stockpile.results import US, Result

LITTLE = 1e-9
"""Share of a number of rounds that is no round: what rounding leaves."""


@dataclass(frozen=True)
class Moment:
    """A point in time, and the one that it is counted from [months from the start].

    It is inf where it does not come in the run, and -inf where it came before it.
    """

    at: Array
    since: Array


@dataclass(frozen=True)
class View:
    """What a measure looks at: one munition of a run under a policy.

    Attributes
    ----------
    result : Result
    numbers : Numbers
        The values that the run took.
    munition, policy : str
    answer : schema.Answer
        What is asked.
    """

    result: Result
    numbers: Numbers
    munition: str
    policy: str
    answer: schema.Answer

    @property
    def clock(self) -> Clock:
        """The grid of the run."""
        return self.numbers.clock

    def array(self, quantity: str, row: str = US, policy: str | None = None) -> Array:
        """Return a quantity over time, shape (members, times)."""
        return self.result.array(quantity, row, policy=policy or self.policy, munition=self.munition)

    def total(self, quantity: str, rows: tuple[str, ...] | None = None) -> Array:
        """Return a flow to recipients, all or some, shape (members, steps) [round a step]."""
        return np.asarray(np.sum([self.array(quantity, row) for row in rows or self.result.recipients], axis=0))

    @cached_property
    def stock(self) -> Array:
        """US stock at the step edges."""
        return self.array("us_on_hand")

    @cached_property
    def asked(self) -> Array:
        """What is asked of the stock, met or not: own use and transfers [round a step]."""
        return self.array("own_use") + self.array("own_unmet") + self.total("request")

    @cached_property
    def short(self) -> Array:
        """What of that is not met."""
        return self.asked - self.array("own_use") - self.total("sent")

    def month(self, date: dt.date | None, otherwise: float = 0.0) -> float:
        """Return a day as months from the start."""
        return otherwise if date is None else self.clock.at(date)

    def at(self, stocks: Array, month: float) -> Array:
        """Return a stock at a time."""
        place = month * self.clock.substeps
        left = int(np.clip(np.floor(place + LITTLE), 0, stocks.shape[1] - 2))
        part = np.clip(place - left, 0.0, 1.0)
        return np.asarray((1.0 - part) * stocks[:, left] + part * stocks[:, left + 1])

    def within(self, flow: Array) -> Array:
        """Return the rounds of a flow over the window of the answer."""
        start, end = self.window
        so_far = np.concatenate([np.zeros((len(flow), 1)), np.cumsum(flow, axis=1)], axis=1)
        return self.at(so_far, end) - self.at(so_far, start)

    @property
    def window(self) -> tuple[float, float]:
        """The window of the answer; the step that begins on its date; or the whole run."""
        answer = self.answer
        if answer.date is not None:
            start = min(self.clock.at(answer.date), self.clock.months - self.clock.dt)
            return start, start + self.clock.dt
        return self.month(answer.from_), self.month(answer.until, float(self.clock.months))

    def level(self, otherwise: Array) -> Array:
        """Return the level that the answer names [round]."""
        if self.answer.level is None:
            return otherwise
        return self.result.levels[self.munition][self.answer.level]


Measured = Array | Moment
M = TypeVar("M", Array, Moment)
MEASURES: dict[str, Callable[[View], Measured]] = {}
"""By name; what each takes stands in `schema.MEASURES`."""


def measure(function: Callable[[View], M]) -> Callable[[View], M]:
    """Enter a function under its own name."""
    MEASURES[function.__name__] = function
    return function


# ---------------------------------------------------------------- deliveries


@dataclass(frozen=True)
class _Queue:
    """Where the rounds of an order stand among all that are delivered on orders: orders are filled in the order of their awards.

    Attributes
    ----------
    since : array
        The award [months from the start].
    before, upto : array
        Rounds that have been delivered when the first one comes, and when the last one has come.
    gone : array
        Rounds that were delivered before the start.
    """

    since: Array
    before: Array
    upto: Array
    gone: Array


def _queue(view: View) -> _Queue | None:
    """Return where the rounds asked about stand; None without orders, where all that the line can make is delivered."""
    line = view.numbers.scenario.munitions[view.munition].line
    lots = sorted(line.lots.items(), key=lambda item: (item[1].awarded, item[0]))
    if line.funding != "contracts" or not lots:
        return None
    clock, zero = view.clock, np.zeros(view.result.members)
    ends, gone = [zero], -view.array("order_book")[:, 0]
    for name, lot in lots:
        quantity = view.numbers.today(f"munitions.{view.munition}.line.lots.{name}.quantity", lot.quantity)
        ends.append(ends[-1] + quantity)
        gone = gone + due(view.numbers, view.munition, name, -np.inf, 0.0)
    names = [name for name, _ in lots]
    first, last = (0, len(lots) - 1) if view.answer.order is None else (names.index(view.answer.order),) * 2
    return _Queue(zero + clock.at(lots[first][1].awarded), ends[first], ends[last + 1], gone)


def _moment(view: View, at: Array, otherwise: Array) -> Moment:
    """Return a moment, counted from the answer's `since`, or otherwise from another one."""
    since = view.answer.since
    return Moment(at, otherwise if since is None else np.full(len(at), view.clock.at(since)))


@measure
def months_to_first_delivery(view: View) -> Moment:
    """From the award to the start of the first step in which a round is delivered."""
    flow, queue, dt_ = view.array("delivered"), _queue(view), view.clock.dt
    if queue is None:
        begun = flow > LITTLE
        zero = np.zeros(len(flow))
        begun[:, : int(np.floor(view.month(view.answer.since) / dt_ + LITTLE))] = False
        return _moment(view, _first_step(begun) * dt_, zero)
    little = LITTLE * np.maximum(queue.upto, 1.0)
    so_far = queue.gone[:, None] + np.cumsum(flow, axis=1)
    at = _first_step(so_far > (queue.before + little)[:, None]) * dt_
    return _moment(view, np.where(queue.gone > queue.before + little, -np.inf, at), queue.since)


@measure
def months_to_last_delivery(view: View) -> Moment:
    """From the award to the end of the step in which the last round ordered is delivered."""
    flow, queue, dt_ = view.array("delivered"), _queue(view), view.clock.dt
    if queue is None:
        last = flow.shape[1] - _first_step(flow[:, ::-1] > LITTLE)
        return _moment(view, np.where(np.isfinite(last), last * dt_, np.inf), np.zeros(len(flow)))
    little = LITTLE * np.maximum(queue.upto, 1.0)
    done = queue.gone[:, None] + np.cumsum(flow, axis=1) >= (queue.upto - little)[:, None]
    at = (_first_step(done) + 1.0) * dt_
    return _moment(view, np.where(queue.gone >= queue.upto - little, -np.inf, at), queue.since)


@measure
def date_of_first_delivery(view: View) -> Moment:
    """The start of the first step in which a round is delivered; as a time, from the award."""
    return months_to_first_delivery(view)


@measure
def date_of_last_delivery(view: View) -> Moment:
    """The end of the step in which the last round ordered is delivered; as a time, from the award."""
    return months_to_last_delivery(view)


def _first_step(is_so: NDArray[np.bool_]) -> Array:
    """Return the number of the first step of which something is true, inf where of none, shape (members,)."""
    return np.where(is_so.any(axis=1), is_so.argmax(axis=1), np.inf)


@measure
def delivered(view: View) -> Array:
    """Rounds that the line delivers in the window, to whomever."""
    return view.within(view.array("delivered"))


@measure
def output_rate(view: View) -> Array:
    """What the line delivers in a month, on average over the window, or in the step that begins on the date."""
    start, end = view.window
    return view.within(view.array("delivered")) / (end - start)


@measure
def in_transit(view: View) -> Array:
    """Rounds awarded by the date and not yet delivered; without orders, those that the line has begun."""
    month = view.month(view.answer.date)
    queue = _queue(view)
    if queue is None:
        return view.at(view.array("order_book"), month)
    so_far = np.concatenate([np.zeros((view.result.members, 1)), np.cumsum(view.array("delivered"), axis=1)], axis=1)
    all_come = queue.gone + view.at(so_far, month)
    if view.answer.order is not None:
        come = np.clip(all_come - queue.before, 0.0, queue.upto - queue.before)
        return np.where(queue.since <= month, queue.upto - queue.before - come, 0.0)
    line = view.numbers.scenario.munitions[view.munition].line
    awarded = np.zeros(view.result.members)
    for name, lot in line.lots.items():
        if view.clock.at(lot.awarded) <= month:
            awarded = awarded + view.numbers.today(f"munitions.{view.munition}.line.lots.{name}.quantity", lot.quantity)
    return awarded - all_come


# ---------------------------------------------------------------- the stock


@measure
def stock_at(view: View) -> Array:
    """The stock on the date, at its start."""
    return view.at(view.stock, view.month(view.answer.date))


@measure
def lowest_stock(view: View) -> Array:
    """The least that the stock is, at the edges of the steps in the window."""
    start, end = (round(month * view.clock.substeps) for month in view.window)
    return np.asarray(view.stock[:, start : end + 1].min(axis=1))


@measure
def share_left(view: View) -> Array:
    """The stock on the date as a share of the stock at the start."""
    return view.at(view.stock, view.month(view.answer.date)) / view.stock[:, 0]


@measure
def first_below(view: View) -> Moment:
    """From `since` (or the start) to when the stock has come down to the level; without one, to when it no longer gives what is asked."""
    return _falls(view, view.month(view.answer.since))


@measure
def days_left(view: View) -> Moment:
    """From the date (or the start) to when the stock has come down to the level; without one, to when it no longer gives what is asked."""
    return _falls(view, view.month(view.answer.date))


def _falls(view: View, since: float) -> Moment:
    level = view.level(np.zeros(view.result.members))
    at = _comes_to(view, -view.stock, -level, since)
    if view.answer.level is None:
        at = np.minimum(at, _runs_short(view, since))
    return Moment(at, np.full(view.result.members, since))


def _runs_short(view: View, since: float) -> Array:
    """Return when the stock first gives less than is asked of it: in that step, after as much of it as it gives [months from the start]."""
    step, asked, short = view.clock.dt, view.asked, view.short
    edges = np.arange(asked.shape[1]) * step
    is_short = (short > LITTLE * np.maximum(asked, 1.0)) & (edges >= since - LITTLE)
    number = _first_step(is_short)
    place = np.where(np.isfinite(number), number, 0).astype(np.intp)
    members = np.arange(len(asked))
    given = 1.0 - short[members, place] / np.where(is_short.any(axis=1), asked[members, place], 1.0)
    return np.asarray((number + given) * step)


@measure
def back_at(view: View) -> Moment:
    """From the day of the lowest stock (or `since`) to when the stock is back at the level; without a level, at where it started."""
    scale = LITTLE * np.maximum(view.stock.max(axis=1), 1.0)
    lowest = view.stock.min(axis=1)
    at_lowest = _first_step(view.stock <= (lowest + scale)[:, None]) * view.clock.dt
    at = _comes_to(view, view.stock, view.level(view.stock[:, 0]), at_lowest)
    return _moment(view, at, at_lowest)


def _comes_to(view: View, stock: Array, level: Array, since: Array | float) -> Array:
    """Return when a stock that rises has come up to a level [months from the start]; one that falls is given with its sign turned.

    Between the edges of a step it is where the straight line between them is.
    """
    step = view.clock.dt
    since = np.broadcast_to(np.asarray(since, dtype=np.float64), level.shape)
    little = LITTLE * np.maximum(np.abs(stock).max(axis=1), 1.0)
    edges = np.arange(stock.shape[1]) * step
    there = (stock >= (level - little)[:, None]) & (edges >= (since - LITTLE)[:, None])
    number = _first_step(there)
    found = np.full(len(stock), np.inf)
    for member in np.flatnonzero(np.isfinite(number)):
        after = int(number[member])
        if after == 0 or edges[after - 1] < since[member] - LITTLE:
            found[member] = max(edges[after], since[member])
            continue
        rise = stock[member, after] - stock[member, after - 1]
        part = (level[member] - stock[member, after - 1]) / rise if rise > 0.0 else 1.0
        found[member] = edges[after - 1] + step * min(max(part, 0.0), 1.0)
    return found


@measure
def change_in_stock_at(view: View) -> Array:
    """The stock on the date under `policy`, less that under `against`."""
    against = view.answer.against or view.result.policies[0]
    month = view.month(view.answer.date)
    return view.at(view.stock, month) - view.at(view.array("us_on_hand", policy=against), month)


# ---------------------------------------------------------------- use


@measure
def used(view: View) -> Array:
    """Rounds that the owner uses in the window."""
    return view.within(view.array("own_use"))


@measure
def unmet(view: View) -> Array:
    """Rounds that the owner would use in the window and does not have."""
    return view.within(view.array("own_unmet"))


@measure
def sent(view: View) -> Array:
    """Rounds that leave the stock for others in the window."""
    rows = (view.answer.recipient,) if view.answer.recipient else None
    return view.within(view.total("sent", rows))


@measure
def issue_rate(view: View) -> Array:
    """What leaves the stock in a month for use and for others, on average over the window, or in the step that begins on the date."""
    start, end = view.window
    return view.within(view.array("own_use") + view.total("sent")) / (end - start)


@measure
def use_over_output(view: View) -> Array:
    """What is asked of the stock in the window (use and transfers, met or not), over what the line delivers in it."""
    return view.within(view.asked) / view.within(view.array("delivered"))


@measure
def years_of_output(view: View) -> Array:
    """What is asked of the stock in the window, over what the line delivers in a year at the rate of the same window."""
    start, end = view.window
    return view.within(view.asked) / (view.within(view.array("delivered")) / (end - start))
