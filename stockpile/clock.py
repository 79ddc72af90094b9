"""Dates and months: a month is a calendar month, whatever its days, and a day is a share of its month."""

from __future__ import annotations

import calendar
import datetime
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ONE_DAY = datetime.timedelta(days=1)


def months_later(date: datetime.date, months: float) -> datetime.date:
    """Return the day that lies some months after another, to the nearest whole day; a day is its share of its own month."""
    at = date.month - 1 + (date.day - 1) / calendar.monthrange(date.year, date.month)[1] + months
    year, month = date.year + int(at // 12), int(at % 12) + 1
    days = round(at % 1.0 * calendar.monthrange(year, month)[1])
    return datetime.date(year, month, 1) + days * ONE_DAY


@dataclass(frozen=True)
class Clock:
    """The grid of a run, and the finer intervals on which everything known in advance is constant.

    Attributes
    ----------
    start, end : datetime.date
        First day of the run and first day after it, both the first of a month.
    substeps : int
        Steps a calendar month.
    breaks : tuple of float
        Months from the start at which something known in advance changes, besides the month starts.
    of_policies : tuple of float
        The same, of what policies decide.
    """

    start: datetime.date
    end: datetime.date
    substeps: int
    breaks: tuple[float, ...] = ()
    of_policies: tuple[float, ...] = ()

    @property
    def months(self) -> int:
        """Number of calendar months."""
        return (self.end.year - self.start.year) * 12 + self.end.month - self.start.month

    @property
    def dt(self) -> float:
        """Length of a step [month]."""
        return 1.0 / self.substeps

    def at(self, date: datetime.date) -> float:
        """Return a date as months from the start; a day is its share of its own month."""
        whole = (date.year - self.start.year) * 12 + date.month - self.start.month
        return whole + float(date.day - 1) / calendar.monthrange(date.year, date.month)[1]

    def date(self, month: float) -> np.datetime64:
        """Return months from the start as a date and time, to the second."""
        whole = int(np.floor(month + 1e-12))
        year, number = divmod(self.start.year * 12 + self.start.month - 1 + whole, 12)
        seconds = (month - whole) * calendar.monthrange(year, number + 1)[1] * 86400
        return np.datetime64(datetime.datetime(year, number + 1, 1), "s") + np.timedelta64(max(round(seconds), 0), "s")

    @cached_property
    def steps(self) -> Array:
        """Months from the start at the step edges, shape (steps + 1,)."""
        return np.arange(self.months * self.substeps + 1, dtype=np.float64) / self.substeps

    @cached_property
    def dates(self) -> NDArray[np.datetime64]:
        """Dates of the step edges, shape (steps + 1,)."""
        return np.array([self.date(month) for month in self.steps], dtype="datetime64[s]")

    @cached_property
    def knots(self) -> Array:
        """Edges of the intervals on which all series are constant: month starts and breaks, shape (intervals + 1,)."""
        inside = [month for month in (*self.breaks, *self.of_policies) if 0.0 < month < self.months]
        return np.unique(np.concatenate([np.arange(self.months + 1, dtype=np.float64), np.array(inside, dtype=np.float64)]))

    @cached_property
    def world(self) -> Clock:
        """The clock without the breaks of policies."""
        return replace(self, of_policies=())

    @cached_property
    def within(self) -> list[int]:
        """The interval of `world` that each interval lies in."""
        found: list[int] = (np.searchsorted(self.world.knots, self.knots[:-1], side="right") - 1).tolist()
        return found

    def overlap(self, start: Any, end: Any) -> Any:
        """Return the share of each interval that lies in [start, end), shape (intervals, 1) or (intervals, members)."""
        low, high = self.knots[:-1, None], self.knots[1:, None]
        return np.maximum(np.minimum(high, end) - np.maximum(low, start), 0.0) / (high - low)

    @cached_property
    def pieces(self) -> list[list[tuple[int, float]]]:
        """The intervals that each step is made of, with the share of the step that each is."""
        result = []
        for low, high in zip(self.steps[:-1], self.steps[1:], strict=True):
            first = int(np.searchsorted(self.knots, low, side="right")) - 1
            last = int(np.searchsorted(self.knots, high, side="left"))
            inside = [(k, min(high, self.knots[k + 1]) - max(low, self.knots[k])) for k in range(first, last)]
            inside = [(k, float(length)) for k, length in inside if length > 0.0]
            whole = sum(length for _, length in inside)
            result.append([(k, length / whole) for k, length in inside])
        return result

    @cached_property
    def firsts(self) -> NDArray[np.intp]:
        """The first interval of each step, shape (steps,)."""
        return np.array([pieces[0][0] for pieces in self.pieces], dtype=np.intp)

    @cached_property
    def parted(self) -> list[tuple[NDArray[np.intp], list[tuple[NDArray[np.intp], Array]]]]:
        """Steps that are made of as many intervals, more than one: their numbers, then the intervals and shares, one after another."""
        result = []
        for count in sorted({len(pieces) for pieces in self.pieces} - {1}):
            steps = [step for step, pieces in enumerate(self.pieces) if len(pieces) == count]
            turns = [list(zip(*(self.pieces[step][turn] for step in steps), strict=True)) for turn in range(count)]
            result.append((np.array(steps), [(np.array(intervals), np.array(shares)[:, None]) for intervals, shares in turns]))
        return result

    def mean(self, series: Array) -> Array:
        """Return the means over the steps of a series on the intervals: (intervals, lanes) to (steps, lanes)."""
        result: Array = series[self.firsts]
        for steps, turns in self.parted:
            result[steps] = sum(series[intervals] * shares for intervals, shares in turns)
        return result


def with_breaks(clock: Clock, dates: Iterable[datetime.date], of_policies: Iterable[datetime.date] = ()) -> Clock:
    """Return the clock with breaks at `dates`, and others that policies bring."""
    breaks, decided = (tuple(sorted({clock.at(date) for date in some})) for some in (dates, of_policies))
    return Clock(clock.start, clock.end, clock.substeps, breaks, decided)
