"""Metrics: numbers worked out from a result, one small function each.

A metric is a function of the summary (or the trajectories) of one policy and munition; it yields (recipient, metric, value,
unit), the value an array of shape (member,). Dates are months from the start of the run; what never happens is inf. To add one,
write a function and decorate it with ``@metric``; every name has a line in ``docs/glossary.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stockpile.engine.fold import Summary
from stockpile.model.summaries import Lowest, Passage, Totals, sent_in_all
from stockpile.results import US, Result, pairs

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Row = tuple[str, str, Array, str]
COLUMNS = ("policy", "member", "munition", "recipient", "metric", "value", "unit")
NEVER = np.inf
BASELINE = "none"


@dataclass(frozen=True)
class Case:
    """One policy and munition of a result.

    Attributes
    ----------
    recipients : tuple of str
    substeps : int
        Steps a month.
    summary : Summary
        What is kept of the run, arrays of shape (member,).
    levels : dict
        The munition's named levels [round], each of shape (member,), in the order of `summary.passages`.
    unit_cost : array
        Price of a round [dollars of `money_year`], shape (member,).
    money_year : int
    read : callable
        Gives a quantity over time, shape (member, time), by quantity and row; refuses where no trajectories were kept.
    """

    recipients: tuple[str, ...]
    substeps: int
    summary: Summary
    levels: dict[str, Array]
    unit_cost: Array
    money_year: int
    read: Callable[[str, str], Array] | None = None

    def array(self, quantity: str, row: str = US) -> Array:
        """Return a quantity over time, shape (member, time).

        Raises
        ------
        NotKept
            If no trajectories were kept: the metric is then left out.
        """
        if self.read is None:
            raise NotKept(quantity)
        return self.read(quantity, row)

    def months(self, edge: Array) -> Array:
        """Return a step edge as months from the start; inf for never."""
        return edge / float(self.substeps)


class NotKept(LookupError):
    """A trajectory that a metric needs was not kept."""


Metric = Callable[[Case], Iterator[Row]]
METRICS: list[Metric] = []


def metric(function: Metric) -> Metric:
    """Register a metric."""
    METRICS.append(function)
    return function


def first_below(stock: Array, level: Array, months: Array) -> Array:
    """Return the first date at which a stock is below a level [month from the start], shape (member,); inf if never.

    Parameters
    ----------
    stock : array, shape (member, time)
        Stock at the dates [round].
    level : array, shape (member,)
        Level [round].
    months : array, shape (time,)
        Dates [month from the start].
    """
    below = stock < level[:, None]
    return np.where(below.any(axis=1), months[below.argmax(axis=1)], NEVER)


def first_back(stock: Array, level: Array, months: Array) -> Array:
    """Return the first date from the lowest point on at which a stock is at a level [month]; inf if never.

    Shapes as in `first_below`.
    """
    back = (stock >= level[:, None]) & (np.arange(stock.shape[1]) >= stock.argmin(axis=1)[:, None])
    return np.where(back.any(axis=1), months[back.argmax(axis=1)], NEVER)


@metric
def minimum(case: Case) -> Iterator[Row]:
    """Lowest US stock, its date, the same of the projection alone, and the stock at the end."""
    lowest = case.summary.lowest
    yield US, "minimum", lowest.stock, "round"
    yield US, "minimum_date", case.months(lowest.number), "month"
    yield US, "minimum_after_as_of", lowest.stock_ahead, "round"
    yield US, "minimum_after_as_of_date", case.months(lowest.number_ahead), "month"
    yield US, "stock_at_end", case.summary.at_end, "round"


@metric
def levels(case: Case) -> Iterator[Row]:
    """First date below each named level, months below it, time to rebuild to it, and how far below the projection goes."""
    for (name, level), passage in zip(case.levels.items(), case.summary.passages, strict=True):
        fell = passage.first < NEVER
        rebuilt = case.months(passage.back) - case.months(case.summary.lowest.number)
        yield US, f"first_below.{name}", case.months(passage.first), "month"
        yield US, f"months_below.{name}", case.months(passage.below), "month"
        yield US, f"months_to_rebuild.{name}", np.where(fell, rebuilt, 0.0), "month"
        yield US, f"depth_below.{name}", np.maximum(level - case.summary.lowest.stock_ahead, 0.0), "round"


@metric
def totals(case: Case) -> Iterator[Row]:
    """Totals over the run, by whom."""
    sums = case.summary.totals
    yield US, "total_delivered", sums.to_us, "round"
    yield US, "total_used", sums.own_use, "round"
    yield US, "total_unmet", sums.own_unmet, "round"
    yield US, "total_sent", sent_in_all(sums), "round"
    for number, recipient in enumerate(case.recipients):
        yield recipient, "total_delivered", sums.received[number], "round"
        yield recipient, "total_sent", sums.sent[number], "round"
        yield recipient, "total_used", sums.used[number], "round"
        yield recipient, "total_unmet", sums.unmet[number], "round"


@metric
def replacement_cost(case: Case) -> Iterator[Row]:
    """Price of what left US stock: own use (row us) and transfers (row of the recipient)."""
    unit = f"USD_{case.money_year}"
    yield US, "replacement_cost", case.unit_cost * case.summary.totals.own_use, unit
    for number, recipient in enumerate(case.recipients):
        yield recipient, "replacement_cost", case.unit_cost * case.summary.totals.sent[number], unit


def of_case(case: Case) -> Iterator[Row]:
    """Yield every metric of a case; those whose trajectories were not kept are left out."""
    for function in METRICS:
        try:
            found = list(function(case))
        except NotKept:
            continue
        yield from found


def summary_of(result: Result, policy: str, munition: str) -> Summary:
    """Return the summary of trajectories that were kept, worked out along the whole time axis at once."""
    months = np.arange(len(result.dates), dtype=np.float64)

    def read(quantity: str, row: str = US) -> Array:
        return result.array(quantity, row, policy=policy, munition=munition)

    def total(quantity: str, row: str = US) -> Array:
        whole: Array = read(quantity, row).sum(axis=1)
        return whole

    stock = read("us_on_hand")
    ahead = first_ahead(result.dates, result.manifest["as_of"])
    lowest = Lowest(
        stock=stock.min(axis=1), number=months[stock.argmin(axis=1)],
        stock_ahead=stock[:, ahead:].min(axis=1), number_ahead=months[ahead:][stock[:, ahead:].argmin(axis=1)],
    )
    passages = tuple(
        Passage(
            first=first_below(stock, level, months),
            below=(stock[:, :-1] < level[:, None]).sum(axis=1).astype(np.float64),
            back=first_back(stock, level, months),
        )
        for level in result.levels[munition].values()
    )
    each = result.recipients
    new = tuple(total("made_for", r) - total("kept_back", r) - total("diverted", r) + total("released", r) for r in each)
    totals_ = Totals(
        total("to_us"), total("own_use"), total("own_unmet"), new,
        *(tuple(total(name, r) for r in each) for name in ("sent", "used", "unmet")),
    )
    return Summary(lowest, passages, totals_, stock[:, -1])


def first_ahead(dates: Any, as_of: str) -> int:
    """Return the first step edge after `as_of`; the last edge where the run ends before."""
    return min(int((dates <= np.datetime64(as_of)).sum()), len(dates) - 1)


def case_of(result: Result, policy: str, munition: str) -> Case:
    """Return a case of a result whose trajectories were kept."""

    def read(quantity: str, row: str) -> Array:
        return result.array(quantity, row, policy=policy, munition=munition)

    return Case(
        result.recipients, int(result.manifest["substeps"]), summary_of(result, policy, munition), result.levels[munition],
        result.unit_cost[munition], int(result.manifest["money_year"]), read,
    )


def rows(result: Result) -> dict[tuple[str, str, str, str], tuple[Array, str]]:
    """Return every metric by (policy, munition, recipient, metric): values of shape (member,), and unit."""
    found = {}
    for policy, munition in pairs(result):
        for recipient, name, value, unit in of_case(case_of(result, policy, munition)):
            found[policy, munition, recipient, name] = (np.asarray(value, dtype=np.float64), unit)
    return found | effects(found)


def effects(
    found: dict[tuple[str, str, str, str], tuple[Array, str]]
) -> dict[tuple[str, str, str, str], tuple[Array, str]]:
    """Return each metric less its value under `none`, as ``change_in.<metric>``; 0 where both never happen."""
    result = {}
    for (policy, munition, recipient, name), (value, unit) in found.items():
        base = found.get((BASELINE, munition, recipient, name))
        if base is not None:
            with np.errstate(invalid="ignore"):
                change = np.where(np.isinf(value) & np.isinf(base[0]), 0.0, value - base[0])
            result[policy, munition, recipient, f"change_in.{name}"] = (change, unit)
    return result


def table(result: Result) -> pd.DataFrame:
    """Return the metrics as a tidy frame (see `Result.metrics`)."""
    import pandas as pd

    columns: dict[str, list[Any]] = {column: [] for column in COLUMNS}
    for (policy, munition, recipient, name), (value, unit) in rows(result).items():
        for member, number in enumerate(value):
            for column, entry in zip(COLUMNS, (policy, member, munition, recipient, name, float(number), unit), strict=True):
                columns[column].append(entry)
    return pd.DataFrame(columns)
