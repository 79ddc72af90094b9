"""From what is asked for to a sweep: checked before any work, carried out in shards, stored as they come."""

from __future__ import annotations

import random
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stockpile.scenario import Scenario
from stockpile.sweep import shards
from stockpile.sweep.asked import asked
from stockpile.sweep.designs import design
from stockpile.sweep.evaluator import Evaluator, Integers, Job, evaluator, quantile_name
from stockpile.sweep.executors import Way, work
from stockpile.sweep.folder import FORMAT, Folder, Warn
from stockpile.sweep.opened import Status, Sweep

LOOK = 1.0
"""How often to look what other processes have put into the folder [second]."""
PILOT = 2.0
"""A pilot that takes less than this is run again, as the first one also gets ready [second]."""
Progress = Callable[[int], None]


def sweep(  # noqa: PLR0913 - the names that users give
    scenario: Scenario,
    varied: Any,
    out: str | Path | None = None,
    policies: Sequence[str] | None = None,
    members: int = 500,
    seed: int = 1,
    sampler: str = "random",
    *,
    kind: str = "grid",
    points: int | None = None,
    values: str = "drawn",
    metrics: Sequence[str] | None = None,
    munitions: Sequence[str] | None = None,
    executor: str | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    engine: str | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Run many points of a design, each under all policies on the same draws.

    Parameters
    ----------
    scenario : Scenario
    varied : mapping, DataFrame, path of a CSV file, or Design
        What each path is varied over: ``{"munitions.pac3.us_share": "0.2:0.6:0.1"}``, or lists of values; or a table with a row a
        point and a column a path, empty cells for the scenario's own value.
    out : str or Path, optional
        Folder to write to; one that holds a part of the same sweep is gone on with. Left out, all is kept in memory.
    policies : sequence of str, optional
        The scenario's own where left out.
    members : int
        Draws to a point, the same for all points.
    seed : int
        Of the draws, and of a sampled design.
    sampler : {"random", "lhs", "sobol"}
        How draws are spread.
    kind : {"grid", "one_at_a_time", "lhs", "sobol"}
        How points are made of a mapping.
    points : int, optional
        Number of points of a sampled design.
    values : {"drawn", "central"}
        Whether what is not varied is drawn, or has its central value (then each point has one member).
    metrics, munitions : sequence of str, optional
        Those wanted; all metrics (without changes) and munitions where left out.
    executor : {"threads", "processes", "dask"}, optional
        Who works; moves no number.
    workers : int, optional
        How many; all cores where left out.
    scheduler : str, optional
        Address of a Dask cluster.
    engine : {"numpy", "compiled", "reference"}, optional
        The first two give the same bits; the third one is slow, and for checks.
    progress : callable, optional
        Is called with the number of points done; first with those that were there already.

    Returns
    -------
    Sweep

    Raises
    ------
    InputError
        With all faults, before any work; and where a folder cannot be written to, or workers are lost again and again.
    """
    way = Way(executor, workers, scheduler)
    folder = None if out is None else Path(out)
    job = asked(
        scenario, lambda: design(varied, kind, points, seed), way, policies=policies, members=members, seed=seed, sampler=sampler,
        values=values, metrics=metrics, munitions=munitions, engine=engine,
    )
    return Running(job, folder, way).run(progress)


def _warn(message: str) -> None:
    warnings.warn(message, UserWarning, stacklevel=4)


@dataclass(frozen=True)
class Estimate:
    """What a sweep takes.

    Attributes
    ----------
    points, points_done : int
        Of the design, and those that are there already.
    runs : int
        Points x members x policies x munitions.
    shards : int
    rows : int
        Of the result.
    seconds : float or None
        Time left, from a pilot on this machine; None where nothing is left.
    rate : float or None
        Runs a second at that pace.
    size : int or None
        Of the result on disk, about [byte].
    """

    points: int
    points_done: int
    runs: int
    shards: int
    rows: int
    seconds: float | None
    rate: float | None
    size: int | None


class Running:
    """A sweep that is to be carried out.

    Parameters
    ----------
    job : Job
    out : Path, optional
        Its folder; in memory where left out.
    way : Way
    warn : callable
        Is told of damaged files.

    Raises
    ------
    InputError
        If the folder cannot take the sweep.
    """

    def __init__(self, job: Job, out: Path | None, way: Way, warn: Warn = _warn) -> None:
        self.job, self.way, self.warn = job, way, warn
        self.folder = None if out is None else Folder(out)
        if self.folder:
            self.folder.check(job.identity, job.design.described())
        self._own: Evaluator = evaluator(job)
        self._points: list[Integers] = self._own.shards()

    @property
    def where(self) -> str:
        """Where the result goes."""
        return str(self.folder.path) if self.folder else "memory"

    @property
    def runs(self) -> int:
        """Points x members x policies x munitions."""
        return len(self.job.design) * self.runs_of_a_point

    @property
    def runs_of_a_point(self) -> int:
        """Members x policies x munitions."""
        return self.job.members * len(self.job.policies) * len(self.job.munitions or self.job.scenario.munitions)

    def manifest(self) -> dict[str, Any]:
        """Return what is said of the sweep: nothing of when and where it was made."""
        job = self.job
        kinds = {"number": "float64", "date": "date32", "boolean": "bool", "text": "string"}
        paths = {path: kinds[column.kind] for path, column in job.design.columns.items()}
        names = dict.fromkeys(("policy", "munition", "recipient", "metric", "unit"), "string")
        numbers = {"share_finite": "float64", "mean": "float64"} | {quantile_name(q): "float64" for q in job.quantiles}
        return {
            "format": FORMAT,
            **job.identity,
            "points": len(job.design),
            "shards": len(self._points),
            "rows": self._own.rows,
            "what": job.design.described(),
            "columns": {"point": "int64", **paths, **names, "members": "int64", **numbers},
        }

    # ------------------------------------------------------------ run

    def run(self, progress: Progress | None = None) -> Sweep:
        """Carry out what is not done yet, and return the whole.

        Raises
        ------
        InputError
            If the folder cannot be written to, or workers are lost again and again.
        """
        told = progress or (lambda done: None)
        manifest = self.manifest()
        if self.folder is None:
            held: dict[int, bytes] = {}
            told(0)
            self._work(range(len(self._points)), held.__setitem__, lambda: set(held), told)
            return Sweep(manifest, None, held, self.job.design.arrow())
        return self._stored(self.folder, manifest, told)

    def _stored(self, folder: Folder, manifest: dict[str, Any], told: Progress) -> Sweep:
        """Carry out what the folder does not have yet."""
        new = folder.begin(manifest, self.job.design.arrow())
        count, digest = len(self._points), self.job.digest
        origins = [shards.origin(digest, number, points) for number, points in enumerate(self._points)]
        stems = {shards.stem(number, origin): number for number, origin in enumerate(origins)}
        seen = folder.resume(digest, count, self.warn)
        damaged = {int(file.name.split("-")[1]) for file in seen.damaged} - set(seen.done)
        missing = sorted(set(range(count)) - set(seen.done))
        if not new and missing:
            # Somebody else may be at work here: each begins somewhere else.
            turn = random.randrange(len(missing))
            missing = missing[turn:] + missing[:turn]

        def keep(number: int, data: bytes) -> None:
            folder.write(number, origins[number], data)
            damaged.discard(number)

        told(len(self.job.design) - sum(len(self._points[number]) for number in missing))
        while missing:
            self._work(missing, keep, lambda: folder.names(stems) - damaged, told)
            # Nothing is missing then, unless somebody took shards away meanwhile.
            missing = sorted(set(range(count)) - folder.names(stems))
        folder.tidy()
        return Sweep(manifest, folder.path)

    def _work(
        self, missing: Sequence[int], keep: Callable[[int, bytes], Any], there: Callable[[], set[int]], told: Progress
    ) -> None:
        """Have shards worked out and kept; `there` tells which ones somebody else has done meanwhile."""
        left, looked = set(missing), time.monotonic()
        sizes = [len(points) for points in self._points]
        done = sum(sizes) - sum(sizes[number] for number in missing)

        def skip(number: int) -> bool:
            nonlocal looked, done
            if time.monotonic() - looked > LOOK:
                for other in there() & left:
                    left.discard(other)
                    done += sizes[other]
                looked = time.monotonic()
            return number not in left

        with closing(work(lambda: self.way.pool(self.job, self._own), missing, skip)) as found:
            for number, data in found:
                keep(number, data)
                if number in left:
                    left.discard(number)
                    done += sizes[number]
                told(done)

    def done(self) -> Status:
        """Return the status of the whole, once it is carried out."""
        folder = self.folder
        size = sum(file.stat().st_size for file in folder.shards.iterdir()) if folder else 0
        return Status(len(self.job.design), len(self.job.design), len(self._points), len(self._points), (), (), size)

    # ------------------------------------------------------------ cost

    def estimate(self) -> Estimate:
        """Return what the sweep takes, from a pilot of a shard; nothing is written."""
        count = len(self._points)
        seen = set[int]()
        if self.folder and self.folder.path.is_dir():
            seen = set(self.folder.look(self.job.digest, count).done)
        left = [number for number in range(count) if number not in seen]
        points = sum(len(self._points[number]) for number in left)
        seconds = size = None
        if left:
            seconds, bytes_ = self._pilot(self._points[left[0]])
            pilot = len(self._points[left[0]])
            seconds = seconds / pilot * points / min(self.way.count, len(left))
            size = round(bytes_ / pilot * len(self.job.design))
        rate = points * self.runs_of_a_point / seconds if seconds else None
        total = len(self.job.design)
        return Estimate(total, total - points, self.runs, count, total * self._own.rows, seconds, rate, size)

    def _pilot(self, points: Integers) -> tuple[float, int]:
        """Return how long a shard takes, and how many bytes it has."""
        for turn in range(2):
            start = time.perf_counter()
            size = len(shards.made(self._own, self.job, points))
            taken = time.perf_counter() - start
            if turn or taken > PILOT:
                break
        return taken, size


