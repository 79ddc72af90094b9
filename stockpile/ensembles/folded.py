"""Metrics of an ensemble: kept whole for each member while that is cheap, as counts and sums beyond."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stockpile import metrics
from stockpile.clock import Array
from stockpile.ensembles.numpy_engine import Block, Task
from stockpile.sketch import BINS, Counts, Distribution, Whole, bins_for, count

WHOLE_BYTES = 256_000_000
"""Memory up to which all members' metrics, or all members' rows, are kept."""
Key = tuple[str, str, str, str]
"""Policy, munition, row, metric."""


@dataclass(frozen=True)
class Moments:
    """Sums over the members for whom a metric is finite, arrays of shape (metrics,)."""

    count: Array
    total: Array
    squares: Array

    def plus(self, other: Moments) -> Moments:
        """Return the sums of both; the order of additions is the caller's."""
        return Moments(self.count + other.count, self.total + other.total, self.squares + other.squares)


def rows_of_block(task: Task, block: Block) -> tuple[list[Key], list[str], Array]:
    """Return names, units and values (shape (metrics, members)) of all metrics of a block, changes from the baseline included."""
    found: dict[Key, tuple[Array, str]] = {}
    for (policy, munition), summary in block.summaries.items():
        case = metrics.Case(
            tuple(task.scenario.recipients), int(task.scenario.settings.substeps or 1), summary, block.levels[munition],
            block.unit_cost[munition], int(task.scenario.settings.money_year or 0),
        )
        for row, name, value, unit in _with_dates(task, case):
            found[policy, munition, row, name] = (value, unit)
    found |= metrics.effects(found)
    return list(found), [unit for _, unit in found.values()], np.array([value for value, _ in found.values()])


def _with_dates(task: Task, case: metrics.Case) -> Iterator[metrics.Row]:
    yield from metrics.of_case(case)
    substeps = int(task.scenario.settings.substeps or 1)
    for edge, stock in zip(task.edges, case.summary.at_dates, strict=True):
        yield metrics.US, f"stock_at.{edge / substeps:g}", stock, "round"


class Folded:
    """Takes metrics block by block, in any order, and gives their distributions."""

    def __init__(self, task: Task, members: int, pilot: Block, edges: int) -> None:
        self.task, self.members, self.edges = task, members, edges
        self.keys, self.units, values = rows_of_block(task, pilot)
        self.whole = np.empty((len(self.keys), members)) if len(self.keys) * members * 8 <= WHOLE_BYTES else None
        if self.whole is None:
            self._bins(values)
        self.moments: dict[int, Moments] = {}

    def _bins(self, values: Array) -> None:
        substeps = int(self.task.scenario.settings.substeps or 1)
        self.on_grid = np.array([unit == "month" for unit in self.units])
        bins = max(BINS, 2 * self.edges + 1)
        finite = np.where(np.isfinite(values), values, np.nan)
        known = np.isfinite(values).any(axis=1)
        least, largest = (np.where(known, pick(np.where(known[:, None], finite, 0.0), axis=1), 0.0) for pick in (np.nanmin, np.nanmax))
        low, width = bins_for(least, largest, bins)
        self.low = np.where(self.on_grid, -(self.edges + 0.5) / substeps, low)
        self.width = np.where(self.on_grid, 1.0 / substeps, width)
        self.counts: NDArray[np.uint32] = np.zeros((len(self.keys), bins + 2), dtype=np.uint32)

    def take(self, first: int, block: Block) -> None:
        """Add the members from `first` on."""
        _, _, values = rows_of_block(self.task, block)
        self.put(first, values)

    def put(self, first: int, values: Array) -> None:
        """Add the values of the members from `first` on, shape (metrics, members)."""
        finite = np.isfinite(values)
        held = np.where(finite, values, 0.0)
        self.moments[first] = Moments(finite.sum(axis=1).astype(np.float64), held.sum(axis=1), (held * held).sum(axis=1))
        if self.whole is not None:
            self.whole[:, first : first + values.shape[1]] = values
        else:
            count(values, self.low, 1.0 / self.width, self.counts)

    def distributions(self) -> Distribution:
        """Return the distributions, one cell a metric."""
        return Whole(self.whole) if self.whole is not None else Counts(self.low, self.width, self.counts, self.on_grid)

    def sums(self) -> Moments:
        """Return the sums over all members, added in the members' order whatever the order they came in."""
        found = [self.moments[first] for first in sorted(self.moments)]
        result = found[0]
        for one in found[1:]:
            result = result.plus(one)
        return result
