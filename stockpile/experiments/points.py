"""Design points as lanes: metrics of every point under every policy, summed up over its members.

Points that share a scenario and differ in numbers alone lie side by side in the lanes of one run; policies that differ are cases
of it. So a point costs what its members cost. A shard is what is worked out and stored together.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockpile.assemble import check_policies
from stockpile.clock import Array
from stockpile.errors import InputError, Problem, nearest
from stockpile.experiments.lanes import Lanes, found_in, metrics_of
from stockpile.experiments.outcomes import CHANGE, STOCK, Outcome, dated_faults, edge_of, known_outcomes
from stockpile.experiments.planning import Group, Shard, plan
from stockpile.experiments.summing import Sums, summed
from stockpile.experiments.varied import Value, Varied, changes, variants, varied
from stockpile.metrics import BASELINE
from stockpile.scenario import Scenario
from stockpile.sketch import less

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
BLOCK = 1024
"""Lanes worked on at a time."""
WIDEST = 4096
"""Most lanes to a block, where a point has more members than `BLOCK`."""
KEPT = 2
"""Runs that are kept ready, since the next shard is likely to need one of them."""
MEMBERS = 100_000
"""Most members to a point: their metrics are sorted in memory."""
Key = tuple[str, str, str]
"""Munition, recipient, metric."""


@dataclass(frozen=True)
class Rows:
    """Metrics of points, summed up over members.

    Attributes
    ----------
    points : array
        Numbers of the points.
    policies : tuple of str
    keys : tuple
        Munition, recipient and metric of each metric.
    units : tuple of str
    sums : Sums
        Arrays of shape (points, policies, metrics); quantiles have one more axis in front.
    """

    points: NDArray[np.intp]
    policies: tuple[str, ...]
    keys: tuple[Key, ...]
    units: tuple[str, ...]
    sums: Sums


class Points:
    """Works out the points of a design; several threads may ask for shards at once.

    Parameters
    ----------
    scenario : Scenario
    columns : mapping
        By path the values of the points; None leaves the scenario's own.
    policies : sequence of str, optional
        The scenario's own where left out.
    members : int
        Draws to a point, the same for all points; 1 where `values` is ``central``.
    seed : int
    sampler : {"random", "lhs", "sobol"}
    quantiles : sequence of float
    metrics : sequence of str, optional
        Names of metrics, and ``us_on_hand@DATE`` or ``below.LEVEL@DATE`` (its mean is a probability); with ``change_in.`` before them,
        less their value under the policy none, draw by draw. All metrics, without changes, where left out.
    munitions : sequence of str, optional
        Those wanted; all where left out.
    values : {"drawn", "central"}
        Whether what is not varied is drawn, or has its central value.
    engine : {"numpy", "compiled"}, optional

    Raises
    ------
    InputError
        For paths, values, policies, metrics and numbers that cannot be, before any point is run.
    """

    def __init__(  # noqa: PLR0913 - the names that users give
        self,
        scenario: Scenario,
        columns: Mapping[str, Sequence[Value]],
        policies: Sequence[str] | None = None,
        *,
        members: int = 500,
        seed: int = 1,
        sampler: str = "random",
        quantiles: Sequence[float] = QUANTILES,
        metrics: Sequence[str] | None = None,
        munitions: Sequence[str] | None = None,
        values: str = "drawn",
        engine: str | None = None,
    ) -> None:
        self.scenario, self.policies = scenario, scenario.chosen(policies)
        check_policies(scenario, self.policies)
        self.members = members if values == "drawn" else 1
        if not 1 <= self.members <= MEMBERS:
            raise InputError.one("members", f"{self.members} to a point; allowed: from 1 to {MEMBERS}", file="sweep")
        self.seed, self.sampler, self.random = seed, sampler, values == "drawn"
        self.quantiles, self.engine = tuple(quantiles), engine
        self.varied = varied(scenario, columns)
        self.outcomes = self._wanted(metrics, munitions)
        self.only = tuple(dict.fromkeys(one.munition for one in self.outcomes))
        self.keys = tuple((one.munition, one.recipient, one.name) for one in self.outcomes)
        self.units = tuple(one.unit for one in self.outcomes)
        self.groups, self.plan = plan(self.varied, len(self.policies), self.members, len(self.keys))
        self._first = {int(shard.points[0]): shard for shard in self.plan}
        self._ready: dict[tuple[int, int], _Ready] = {}
        self._lock = threading.Lock()
        self._stopped = False

    def _wanted(self, metrics: Sequence[str] | None, munitions: Sequence[str] | None) -> tuple[Outcome, ...]:
        """Return what is wanted of the metrics there are, in their order."""
        plain = metrics_of(self.scenario)
        known = known_outcomes(self.scenario, plain)
        problems = [
            Problem("sweep", 0, 0, "munition", f"there is no {name!r}; {nearest(name, self.scenario.munitions)}")
            for name in munitions or ()
            if name not in self.scenario.munitions
        ]
        found: list[Outcome] = []
        for text in metrics or dict.fromkeys(key[2] for key in plain):
            own = [
                Outcome(munition, _name(text), who, _date(text), unit)
                for (munition, who, name), unit in known.items()
                if name == _plain(text)
            ]
            problems += self._faults(text, own, known)
            found += own
        if problems:
            raise InputError(problems)
        place = {key: number for number, key in enumerate(known)}
        found.sort(key=lambda one: place[one.munition, one.recipient, one.plain])
        return tuple(one for one in found if not munitions or one.munition in munitions)

    def _faults(self, text: str, own: Sequence[Outcome], known: Mapping[Key, str]) -> Iterator[Problem]:
        """Yield what is wrong with a metric asked for."""
        if not own:
            names = dict.fromkeys(key[2] for key in known)
            yield Problem("sweep", 0, 0, "metric", f"there is no {text!r}; {nearest(_plain(text), names)}")
            return
        for fault in dated_faults(own[0], self.scenario):
            yield replace(fault, file="sweep", key="metric")
        if own[0].plain == STOCK and own[0].date is None:
            yield Problem("sweep", 0, 0, "metric", f"{text!r} is of a date; allowed: {STOCK}@DATE")
        moved = any(item.kind == "policy" and item.path.split(".")[1] in (BASELINE, "*") for item in self.varied)
        if own[0].is_change and (moved or BASELINE not in self.policies):
            what = "is varied" if moved else "is not among the policies"
            message = f"{text!r} is measured from the policy {BASELINE}, which {what}; allowed: with {BASELINE} as it is"
            yield Problem("sweep", 0, 0, "metric", message)

    # ------------------------------------------------------------ what a sweep asks for

    def shards(self) -> list[NDArray[np.intp]]:
        """Return the numbers of the points that are worked out together; each point is in one of them."""
        return [shard.points for shard in self.plan]

    def rows(self, points: NDArray[np.intp]) -> Rows:
        """Return the metrics of the points of a shard, in ascending order of the points."""
        shard = self._first[int(points[0])]
        sums = self._made_ready(shard).sums(shard)
        order = np.argsort(shard.points, kind="stable")
        sums = Sums(sums.share_finite[order], sums.mean[order], sums.quantiles[:, order])
        return Rows(shard.points[order], self.policies, self.keys, self.units, sums)

    def stop(self) -> None:
        """Give up what is under way."""
        self._stopped = True
        for ready in list(self._ready.values()):
            ready.engine.stop()

    # ------------------------------------------------------------ runs

    def of_kind(self, kind: str) -> tuple[Varied, ...]:
        """Return the varied paths of a kind."""
        return tuple(item for item in self.varied if item.kind == kind)

    def _made_ready(self, shard: Shard) -> _Ready:
        """Return the run of a shard, made once for all shards that need it."""
        key = (shard.group, shard.batch)
        with self._lock:
            if self._stopped:
                raise InterruptedError
            if key not in self._ready:
                while len(self._ready) >= KEPT:
                    del self._ready[next(iter(self._ready))]
                self._ready[key] = _Ready(self, self.groups[shard.group], shard.batch)
            return self._ready[key]


class _Ready:
    """A scenario traced, with some policies side by side, for the lanes of a group of points."""

    def __init__(self, points: Points, group: Group, batch: int) -> None:
        self.points, self.group = points, group
        own = [item for item in points.varied if item.kind == "structure"]
        lanes = [item for item in points.of_kind("lane") if item.at(group.point) is not None]
        # What is scaled lane by lane stays as it is in the scenario that all lanes share.
        given = changes([*own, *(item for item in lanes if not item.lever.scales)], group.point)
        scenario = points.scenario.override(given) if given else points.scenario
        scenario, self.names = variants(scenario, points.of_kind("policy"), group.batch(batch), points.policies)
        self.cases = tuple(dict.fromkeys(name for names in self.names for name in names.values()))
        # For each case the baseline of a variant that has it: changes are refused where the baseline itself is varied.
        self.base = [next(names.get(BASELINE, "") for names in self.names if name in names.values()) for name in self.cases]
        levers = tuple(item.lever for item in lanes)
        edges = [edge_of(one.date, scenario) for one in points.outcomes if one.plain == STOCK]
        self.lanes = Lanes(scenario, self.cases, levers=levers, random=points.random, edges=edges, only=points.only, engine=points.engine)
        values = {lever.path: item.numbers(group.entries) for lever, item in zip(levers, lanes, strict=True)}
        draws = self.lanes.draws(points.seed, points.members, points.sampler)

        def numbers(first: int, count: int) -> dict[str, Array]:
            entry = np.arange(first, first + count) // points.members
            return {path: given[entry] for path, given in values.items()}

        self.engine: Any = self.lanes.engine(self.lanes.repeated(draws, len(group.entries), numbers))

    def sums(self, shard: Shard) -> Sums:
        """Return what is kept of the points of a shard, in the shard's order."""
        points, first = self.points, shard.variants[0] - self.group.batch_start(shard.batch)
        if self.group.product:
            found = self._entries(shard.entries, range(len(self.cases)))
            place = {name: number for number, name in enumerate(self.cases)}
            used = self.names[first : first + len(shard.variants)]
            case = np.array([[place[names[policy]] for policy in points.policies] for names in used])
            picked = case[shard.variant][:, :, None], shard.entry[:, None, None], np.arange(len(points.keys))
            return Sums(found.share_finite[picked], found.mean[picked], found.quantiles[:, *picked])
        parts = []
        for number in range(len(shard.variants)):
            entries = [entry for entry, own in zip(shard.entries, shard.variant, strict=True) if own == number]
            names = self.names[first + number]
            place = {name: self.cases.index(name) for name in names.values()}
            cases = sorted(set(place.values()))
            found = self._entries(range(entries[0], entries[-1] + 1), cases)
            order = [cases.index(place[names[policy]]) for policy in points.policies]
            parts.append(Sums(*(np.moveaxis(one[..., order, :, :], -3, -2) for one in (found.share_finite, found.mean, found.quantiles))))
        return Sums(
            np.concatenate([part.share_finite for part in parts]), np.concatenate([part.mean for part in parts]),
            np.concatenate([part.quantiles for part in parts], axis=1),
        )

    def _entries(self, entries: range, cases: Sequence[int]) -> Sums:
        """Return what is kept of some entries under some cases, arrays of shape (cases, entries, metrics)."""
        members = self.points.members
        at_once = max(BLOCK // members, 1)
        found = []
        for start in range(entries.start, entries.stop, at_once):
            count = min(at_once, entries.stop - start)
            values = np.empty((len(cases), count, len(self.points.keys), members))
            for first in range(0, count * members, WIDEST):
                self._block(start * members + first, min(WIDEST, count * members - first), cases, values, first)
            found.append(summed(values, self.points.quantiles))
        return Sums(
            np.concatenate([one.share_finite for one in found], axis=1), np.concatenate([one.mean for one in found], axis=1),
            np.concatenate([one.quantiles for one in found], axis=2),
        )

    def _block(self, first: int, count: int, cases: Sequence[int], into: Array, at: int) -> None:
        """Lay the metrics of some lanes into an array of shape (cases, entries, metrics, members), from lane `at` of it on."""
        found = found_in(self.engine.task, self.engine.block(first, count, cases=cases))
        members = into.shape[-1]
        for place, number in enumerate(cases):
            for row, one in enumerate(self.points.outcomes):
                values = one.raw(found, self.lanes, self.cases[number])
                if one.is_change:
                    values = less(values, one.raw(found, self.lanes, self.base[number]))
                if count < members:
                    into[place, at // members, row, at % members : at % members + count] = values
                else:
                    into[place, :, row] = values.reshape(-1, members)


def _date(text: str) -> str | None:
    return text.partition("@")[2] or None


def _name(text: str) -> str:
    return text.partition("@")[0]


def _plain(text: str) -> str:
    return _name(text).removeprefix(CHANGE)


def everything(points: Points, *, threads: int | None = None, progress: Callable[[int], None] | None = None) -> Rows:
    """Return the metrics of all points, in their order; `progress` is called with the number of points done."""
    found: list[Rows] = []
    done = 0
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        try:
            for rows in pool.map(points.rows, points.shards()):
                found.append(rows)
                done += len(rows.points)
                if progress:
                    progress(done)
        except BaseException:
            points.stop()
            pool.shutdown(cancel_futures=True)
            raise
    order = np.argsort(np.concatenate([rows.points for rows in found]), kind="stable")
    sums = Sums(
        np.concatenate([rows.sums.share_finite for rows in found])[order], np.concatenate([rows.sums.mean for rows in found])[order],
        np.concatenate([rows.sums.quantiles for rows in found], axis=1)[:, order],
    )
    return Rows(np.arange(len(order)), points.policies, points.keys, points.units, sums)
