"""Metrics: numbers worked out from a result, one small function each.

A metric is a function of the trajectories of one policy and munition; it yields (recipient, metric, value, unit), the
value an array of shape (member,). Dates are months from the start of the run; what never happens is inf. To add one,
write a function and decorate it with ``@metric``; every name has a line in ``docs/glossary.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

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
    """One policy and munition of a result."""

    result: Result
    policy: str
    munition: str

    def array(self, quantity: str, row: str = US) -> Array:
        """Return a quantity over time, shape (member, time)."""
        return self.result.array(quantity, row, policy=self.policy, munition=self.munition)

    def total(self, quantity: str, row: str = US) -> Array:
        """Return the sum of a flow over the run [round], shape (member,)."""
        whole: Array = self.array(quantity, row).sum(axis=1)
        return whole

    @property
    def levels(self) -> dict[str, Array]:
        """The munition's named levels [round], each of shape (member,)."""
        return self.result.levels[self.munition]


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


def to_rebuild(stock: Array, level: Array, months: Array) -> Array:
    """Return the time from the lowest point until a stock is at a level again [month]; 0 if never below, inf if never again.

    Shapes as in `first_below`.
    """
    lowest = stock.argmin(axis=1)
    back = (stock >= level[:, None]) & (np.arange(stock.shape[1]) >= lowest[:, None])
    when = np.where(back.any(axis=1), months[back.argmax(axis=1)], NEVER)
    return np.where((stock < level[:, None]).any(axis=1), when - months[lowest], 0.0)


@metric
def minimum(case: Case) -> Iterator[Row]:
    """Lowest US stock, its date, the same of the projection alone, and the stock at the end."""
    stock, months = case.array("us_on_hand"), case.result.months
    ahead = min(int((case.result.dates <= np.datetime64(case.result.manifest["as_of"])).sum()), len(months) - 1)
    yield US, "minimum", stock.min(axis=1), "round"
    yield US, "minimum_date", months[stock.argmin(axis=1)], "month"
    yield US, "minimum_after_as_of", stock[:, ahead:].min(axis=1), "round"
    yield US, "minimum_after_as_of_date", months[ahead:][stock[:, ahead:].argmin(axis=1)], "month"
    yield US, "stock_at_end", stock[:, -1], "round"


@metric
def levels(case: Case) -> Iterator[Row]:
    """First date below each named level, months below it, time to rebuild to it."""
    stock, months = case.array("us_on_hand"), case.result.months
    for name, level in case.levels.items():
        yield US, f"first_below.{name}", first_below(stock, level, months), "month"
        yield US, f"months_below.{name}", (stock[:, :-1] < level[:, None]).sum(axis=1) / float(case.result.manifest["substeps"]), "month"
        yield US, f"months_to_rebuild.{name}", to_rebuild(stock, level, months), "month"


@metric
def totals(case: Case) -> Iterator[Row]:
    """Totals over the run, by whom."""
    yield US, "total_delivered", case.total("to_us"), "round"
    yield US, "total_used", case.total("own_use"), "round"
    yield US, "total_unmet", case.total("own_unmet"), "round"
    yield US, "total_sent", sum((case.total("sent", r) for r in case.result.recipients), np.zeros(case.result.members)), "round"
    for recipient in case.result.recipients:
        new = case.total("made_for", recipient) - case.total("kept_back", recipient) - case.total("diverted", recipient)
        yield recipient, "total_delivered", new + case.total("released", recipient), "round"
        yield recipient, "total_sent", case.total("sent", recipient), "round"
        yield recipient, "total_used", case.total("used", recipient), "round"
        yield recipient, "total_unmet", case.total("unmet", recipient), "round"


@metric
def replacement_cost(case: Case) -> Iterator[Row]:
    """Price of what left US stock: own use (row us) and transfers (row of the recipient)."""
    cost, unit = case.result.unit_cost[case.munition], f"USD_{case.result.manifest['money_year']}"
    yield US, "replacement_cost", cost * case.total("own_use"), unit
    for recipient in case.result.recipients:
        yield recipient, "replacement_cost", cost * case.total("sent", recipient), unit


def rows(result: Result) -> dict[tuple[str, str, str, str], tuple[Array, str]]:
    """Return every metric by (policy, munition, recipient, metric): values of shape (member,), and unit."""
    found = {}
    for policy, munition in pairs(result):
        case = Case(result, policy, munition)
        for function in METRICS:
            for recipient, name, value, unit in function(case):
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
