"""The seam between a sweep and the model: what works out the points of a job.

`evaluator` gives the fast one, which runs points side by side, or the reference, which runs an ensemble for each point in turn.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from stockpile.errors import InputError, Problem, nearest
from stockpile.scenario import Scenario
from stockpile.sketch import Whole, moments
from stockpile.sweep.designs import Design

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
REFERENCE = "reference"
"""Name of the slow evaluator, beside those of the engines."""
SHARD_OF_REFERENCE = 4
"""Points to a shard of the reference."""
CHANGE = "change_in."
Integers = NDArray[np.intp]
Key = tuple[str, str, str]
"""Munition, recipient, metric."""


@dataclass(frozen=True)
class Job:
    """What a sweep works out; small enough to be sent to another machine.

    Attributes
    ----------
    scenario : Scenario
    design : Design
    policies : tuple of str
    members : int
        Draws to a point; 1 where `values` is ``central``.
    seed : int
    sampler : str
    metrics, munitions : tuple of str, optional
        Those wanted; all where left out.
    quantiles : tuple of float
    values : {"drawn", "central"}
        Whether what is not varied is drawn, or has its central value.
    engine : {"numpy", "compiled", "reference"}, optional
        The first two give the same bits.
    """

    scenario: Scenario
    design: Design
    policies: tuple[str, ...]
    members: int
    seed: int = 1
    sampler: str = "random"
    metrics: tuple[str, ...] | None = None
    munitions: tuple[str, ...] | None = None
    quantiles: tuple[float, ...] = QUANTILES
    values: str = "drawn"
    engine: str | None = None

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What decides the numbers, as JSON has it: two jobs with the same identity have the same result."""
        from stockpile.sweep.source import made_with

        return {
            "scenario": self.scenario.name,
            "parameters": self.scenario.digest,
            "overrides": {path: str(value) for path, value in self.scenario.overridden.items()},
            "design": self.design.digest,
            "policies": list(self.policies),
            "members": self.members,
            "seed": self.seed,
            "sampler": self.sampler,
            "values": self.values,
            "metrics": None if self.metrics is None else list(self.metrics),
            "munitions": None if self.munitions is None else list(self.munitions),
            "quantiles": list(self.quantiles),
            "evaluator": REFERENCE if self.engine == REFERENCE else "lanes",
            "made_with": made_with(),
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the identity."""
        return digest_of(self.identity)


def digest_of(identity: dict[str, Any]) -> str:
    """Return the SHA-256 of what decides the numbers of a job."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


class Words(NamedTuple):
    """A column of text: the words there are, and which of them stands in each row."""

    codes: NDArray[np.int32]
    words: Sequence[str]


Frame = dict[str, NDArray[Any] | Words]


class Evaluator(Protocol):
    """Works out the points of a job; several threads may ask for frames at once."""

    @property
    def rows(self) -> int:
        """Rows of the result to a point."""

    def shards(self) -> list[Integers]:
        """Return which points are worked out together: each in one list, by what the job asks for alone."""

    def frame(self, points: Integers) -> Frame:
        """Return the columns of the result for the points of a shard, without those of the varied paths, in a fixed order of rows.

        Raises
        ------
        InterruptedError
            After `stop`.
        """

    def stop(self) -> None:
        """Give up what is under way, from another thread."""


def evaluator(job: Job) -> Evaluator:
    """Return what works out a job.

    Raises
    ------
    InputError
        For paths, values, policies and metrics that cannot be.
    """
    return Reference(job) if job.engine == REFERENCE else SideBySide(job)


def long(job: Job, points: Integers, keys: Sequence[Key], units: Sequence[str], numbers: dict[str, NDArray[np.float64]]) -> Frame:
    """Return columns from arrays of shape (points, policies, metrics), row after row."""
    count, policies, metrics = len(points), len(job.policies), len(keys)
    places = np.arange(metrics)

    def words(column: Sequence[str]) -> Words:
        known = list(dict.fromkeys(column))
        codes = np.array([known.index(word) for word in column], dtype=np.int32)
        return Words(np.tile(codes[places], count * policies), known)

    found: Frame = {
        "point": np.repeat(points.astype(np.int64), policies * metrics),
        "policy": Words(np.tile(np.repeat(np.arange(policies, dtype=np.int32), metrics), count), list(job.policies)),
        "munition": words([key[0] for key in keys]),
        "recipient": words([key[1] for key in keys]),
        "metric": words([key[2] for key in keys]),
        "unit": words(units),
        "members": np.full(count * policies * metrics, job.members, dtype=np.int64),
    }
    return found | {name: np.ascontiguousarray(array).reshape(-1) for name, array in numbers.items()}


def quantile_name(q: float) -> str:
    """Return the name of the column of a quantile: q05, q50, q97.5."""
    whole, point, part = f"{100 * q:.6g}".partition(".")
    return f"q{whole:0>2}{point}{part}"


class SideBySide:
    """Points as lanes of the engine (`stockpile.experiments`)."""

    def __init__(self, job: Job) -> None:
        from stockpile.experiments.points import Points

        self._job = job
        self._points = Points(
            job.scenario, job.design.columns, job.policies, members=job.members, seed=job.seed, sampler=job.sampler,
            quantiles=job.quantiles, metrics=job.metrics, munitions=job.munitions, values=job.values, engine=job.engine,
        )

    @property
    def rows(self) -> int:
        """Rows of the result to a point."""
        return len(self._points.keys) * len(self._job.policies)

    def shards(self) -> list[Integers]:
        """Return which points are worked out together."""
        return self._points.shards()

    def frame(self, points: Integers) -> Frame:
        """Return the columns of the result for the points of a shard."""
        found = self._points.rows(points)
        numbers = {"share_finite": found.sums.share_finite, "mean": found.sums.mean}
        numbers |= {quantile_name(q): values for q, values in zip(self._job.quantiles, found.sums.quantiles, strict=True)}
        return long(self._job, found.points, found.keys, found.units, numbers)

    def stop(self) -> None:
        """Give up what is under way."""
        self._points.stop()


class Reference:
    """One ensemble a point: slow, and plain to see that it is right. What the fast evaluator is tested against."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._stopped = threading.Event()
        found = self._metrics(job.scenario, members=1)
        units = {key[1:]: unit for key, (_, unit) in found.items() if job.metrics or not key[3].startswith(CHANGE)}
        self._check("metric", job.metrics or (), {key[2] for key in units})
        self._check("munition", job.munitions or (), {key[0] for key in units})
        wanted = [key for key in units if key[2] in (job.metrics or (key[2],)) and key[0] in (job.munitions or (key[0],))]
        self._keys, self._units = wanted, [units[key] for key in wanted]

    @staticmethod
    def _check(word: str, asked: Sequence[str], known: set[str]) -> None:
        wrong = [Problem("sweep", 0, 0, word, f"there is no {name!r}; {nearest(name, known)}") for name in asked if name not in known]
        if wrong:
            raise InputError(wrong)

    @property
    def rows(self) -> int:
        """Rows of the result to a point."""
        return len(self._keys) * len(self._job.policies)

    def shards(self) -> list[Integers]:
        """Return which points are worked out together: some neighbours."""
        count = len(self._job.design)
        return [np.arange(first, min(first + SHARD_OF_REFERENCE, count)) for first in range(0, count, SHARD_OF_REFERENCE)]

    def frame(self, points: Integers) -> Frame:
        """Return the columns of the result for the points of a shard."""
        job = self._job
        shape = (len(points), len(job.policies), len(self._keys))
        values = np.empty((*shape, job.members))
        for place, point in enumerate(points):
            if self._stopped.is_set():
                raise InterruptedError
            changes = job.design.changes(int(point))
            found = self._metrics(job.scenario.override(changes) if changes else job.scenario, job.members)
            for number, policy in enumerate(job.policies):
                for column, key in enumerate(self._keys):
                    values[place, number, column] = found[policy, *key][0]
        flat = values.reshape(-1, job.members)
        sums, distribution = moments(flat), Whole(flat)
        with np.errstate(invalid="ignore"):
            mean = np.where(sums.number > 0, sums.total / np.maximum(sums.number, 1.0), np.nan)
        numbers = {"share_finite": sums.number / job.members, "mean": mean}
        numbers |= {quantile_name(q): distribution.quantile(q) for q in job.quantiles}
        return long(job, points, self._keys, self._units, numbers)

    def _metrics(self, scenario: Scenario, members: int) -> dict[tuple[str, str, str, str], tuple[NDArray[np.float64], str]]:
        """Return by policy, munition, recipient and metric the values, one a member, and the unit."""
        from stockpile.ensembles.run import ensemble
        from stockpile.simulate import run

        job = self._job
        if job.values == "central":
            members, frame = 1, run(scenario, job.policies).metrics()
        else:
            frame = ensemble(scenario, job.policies, members, job.seed, job.sampler, quantities=(), engine="numpy", threads=1).metrics()
        values = frame["value"].to_numpy(dtype=np.float64).reshape(-1, members)
        names = zip(*(frame[name].iloc[::members] for name in ("policy", "munition", "recipient", "metric")), strict=True)
        return dict(zip(names, zip(values, frame["unit"].iloc[::members], strict=True), strict=True))

    def stop(self) -> None:
        """Give up what is under way."""
        self._stopped.set()
