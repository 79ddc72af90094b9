"""Metrics of an ensemble: kept whole for each member while that is cheap, as counts and sums beyond."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from stockpile import metrics
from stockpile.clock import Array
from stockpile.ensembles.numpy_engine import Block, Task
from stockpile.results import US
from stockpile.sketch import BINS, Counts, Distribution, Moments, Tally, Whole, bins_for, less, moments

CHANGE = "change_in."
WHOLE_BYTES = 256_000_000
"""Memory up to which all members' rows over time are kept."""
METRICS_BYTES = 100_000_000
"""Memory up to which all members' metrics are kept: less, as they stand there several times while they are sorted and printed."""
Key = tuple[str, str, str, str]
"""Policy, munition, row, metric."""
Run = Callable[[Tally, Array, NDArray[np.uint32]], Moments]


def rows_of_block(task: Task, block: Block) -> tuple[list[Key], list[str], Array]:
    """Return names, units and values (shape (metrics, members)) of all metrics of a block."""
    keys, units, values = zip(*each_metric(task, block), strict=True)
    return list(keys), list(units), np.array(values)


def each_metric(task: Task, block: Block) -> Iterator[tuple[Key, str, Array]]:
    """Yield name, unit and values, shape (members,), of each metric of a block."""
    for (policy, munition), summary in block.summaries.items():
        case = metrics.Case(
            tuple(task.scenario.recipients), int(task.scenario.settings.substeps or 1), summary, block.levels[munition],
            block.unit_cost[munition], int(task.scenario.settings.money_year or 0),
        )
        for row, name, value, unit in _with_dates(task, case):
            yield (policy, munition, row, name), unit, value


def _with_dates(task: Task, case: metrics.Case) -> Iterator[metrics.Row]:
    yield from metrics.of_case(case)
    substeps = int(task.scenario.settings.substeps or 1)
    for edge, stock in zip(task.edges, case.summary.at_dates, strict=True):
        yield US, f"stock_at.{edge / substeps:g}", stock, "round"


class Folded:
    """Takes metrics block by block, in any order and from any thread, and gives their distributions."""

    def __init__(self, task: Task, members: int, pilot: Block, edges: int) -> None:
        self.task, self.members, self.edges = task, members, edges
        keys, units, values = rows_of_block(task, pilot)
        base = self._base(keys)
        self.keys = [*keys, *((*key[:3], f"{CHANGE}{key[3]}") for key in keys if base is not None)]
        self.units = [*units, *(units if base is not None else ())]
        none = np.full(len(keys), -1, dtype=np.int32)
        own = np.arange(len(keys), dtype=np.int32)
        self.rows = own if base is None else np.concatenate([own, own])
        self.base = none if base is None else np.concatenate([none, base])
        self.whole = np.empty((len(self.keys), members)) if len(self.keys) * members * 8 <= min(METRICS_BYTES, WHOLE_BYTES) else None
        if self.whole is None:
            self._bins(values)
        self._sums: Moments | None = None
        self._early: dict[int, tuple[int, Moments]] = {}
        self._next = 0
        self._lock = threading.Lock()

    def _base(self, keys: list[Key]) -> NDArray[np.int32] | None:
        """Return for each metric the place of its value under the baseline."""
        if self.task.base is None:
            return None
        place = {key: number for number, key in enumerate(keys)}
        return np.array([place[metrics.BASELINE, *key[1:]] for key in keys], dtype=np.int32)

    def _all(self, values: Array) -> Array:
        """Return the values and their changes from the baseline."""
        own = len(values)
        if len(self.rows) == own:
            return values
        return np.concatenate([values, less(values, values[self.base[own:]])])

    def _bins(self, values: Array) -> None:
        substeps = int(self.task.scenario.settings.substeps or 1)
        self.on_grid = np.array([unit == "month" for unit in self.units])
        self.bins = max(BINS, 2 * self.edges + 1)
        values = self._all(values)
        finite = np.isfinite(values)
        inside = finite.any(axis=1)
        least = np.where(inside, np.where(finite, values, np.inf).min(axis=1), 0.0)
        largest = np.where(inside, np.where(finite, values, -np.inf).max(axis=1), 0.0)
        low, width = bins_for(least, largest, self.bins)
        self.width = np.where(self.on_grid, 1.0 / substeps, width)
        # On a grid, from one run's length below nought: changes of dates go both ways.
        self.low = np.where(self.on_grid, -(self.edges + 0.5) / substeps, low)
        self.tally = Tally(self.rows, self.base, self.low, 1.0 / self.width)
        self.counts: NDArray[np.uint32] = np.zeros((len(self.keys), self.bins + 2), dtype=np.uint32)

    def take(self, first: int, block: Block, tally: Run | None = None) -> None:
        """Add the members from `first` on; `tally` is a faster way to count, with the same result."""
        values = rows_of_block(self.task, block)[2]
        if self.whole is not None:
            values = self._all(values)
            self.whole[:, first : first + values.shape[1]] = values
            found = moments(values)
        else:
            with self._lock:
                found = (tally or Tally.run)(self.tally, values, self.counts)
        with self._lock:
            self._early[first] = (values.shape[1], found)
            self._add()

    def _add(self) -> None:
        """Add up in the members' order, whatever the order they come in: the sums' last bits depend on it."""
        while self._next in self._early:
            count, found = self._early.pop(self._next)
            self._sums = found if self._sums is None else self._sums.plus(found)
            self._next += count

    def distributions(self) -> Distribution:
        """Return the distributions, one cell a metric."""
        return Whole(self.whole) if self.whole is not None else Counts(self.low, self.width, self.counts, self.on_grid)

    def sums(self) -> Moments:
        """Return the sums over all members."""
        assert self._sums is not None and self._next == self.members
        return self._sums
