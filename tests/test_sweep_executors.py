"""Who works out a sweep: threads, processes and a Dask cluster give the same bytes, whatever they lose on the way."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import stockpile as sp
from stockpile.sweep import cluster, executors, source
from stockpile.sweep.evaluator import Job, Reference, SideBySide, Words, evaluator
from stockpile.sweep.executors import LOSSES, work

SCENARIO = sp.load("july_2025")
VARIED = {"munitions.pac3.us_share": "0.2:0.6:0.2", "scenario.end": "2025-09-01:2026-05-01:1month"}
ASKED: dict[str, Any] = {
    "policies": ["none", "suspension_2025_07"], "members": 8, "seed": 3, "munitions": ["pac3"], "engine": "numpy",
    "metrics": ["minimum", "first_below.transfer_floor", "total_unmet"],
}
CLUSTER = """
import json, os, sys
from distributed import Client, LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster, Client(cluster) as client:
        print(json.dumps([cluster.scheduler_address, list(client.run(os.getpid).values())]), flush=True)
        sys.stdin.read()
"""


def swept(folder: Path, progress: Callable[[int], None] | None = None, **way: Any) -> dict[str, bytes]:
    """Return the bytes of all files of a sweep."""
    sp.sweep(SCENARIO, VARIED, folder, progress=progress, **ASKED, **way)
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture(scope="module")
def by_threads(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    found = swept(tmp_path_factory.mktemp("threads") / "sweep", executor="threads", workers=2)
    assert sum(name.startswith("shards/") for name in found) == 9
    return found


@pytest.fixture(scope="module")
def dask() -> Iterator[tuple[str, list[int]]]:
    with subprocess.Popen(
        [sys.executable, "-c", CLUSTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as running:
        assert running.stdout and running.stdin
        address, workers = json.loads(running.stdout.readline())
        yield address, workers
        running.stdin.close()
        running.wait(timeout=60)


class Once:
    """Does something at the first call that says that points were done."""

    def __init__(self, does: Callable[[], None]) -> None:
        self.does, self.done = does, False

    def __call__(self, points: int) -> None:
        if points and not self.done:
            self.done = True
            self.does()


def test_one_thread_and_two_give_the_same_bytes(tmp_path: Path, by_threads: dict[str, bytes]) -> None:
    assert swept(tmp_path / "sweep", executor="threads", workers=1) == by_threads


def test_processes_give_the_same_bytes_though_one_is_lost(tmp_path: Path, by_threads: dict[str, bytes]) -> None:
    killed: list[int] = []

    def kill() -> None:
        one = multiprocessing.active_children()[0]
        killed.append(one.pid or 0)
        one.kill()

    once = Once(kill)
    assert swept(tmp_path / "sweep", once, executor="processes", workers=2) == by_threads
    assert killed
    assert multiprocessing.active_children() == []


def test_a_dask_cluster_gives_the_same_bytes_though_a_worker_is_lost(
    tmp_path: Path, by_threads: dict[str, bytes], dask: tuple[str, list[int]]
) -> None:
    address, workers = dask
    once = Once(lambda: os.kill(workers[0], signal.SIGKILL))
    assert swept(tmp_path / "sweep", once, scheduler=address) == by_threads
    assert once.done
    with pytest.raises(ProcessLookupError):
        os.kill(workers[0], 0)


def test_a_cluster_with_other_code_is_refused(tmp_path: Path, dask: tuple[str, list[int]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "made_with", lambda: {**source.made_with(), "source": "0" * 64})
    with pytest.raises(sp.InputError, match=r"a worker has other code: source .* in place of 000000000000"):
        swept(tmp_path / "sweep", scheduler=dask[0])


def test_no_scheduler_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 0.3)
    with pytest.raises(sp.InputError, match=r"no Dask scheduler at 'tcp://127\.0\.0\.1:1'"):
        swept(tmp_path / "sweep", scheduler="tcp://127.0.0.1:1")
    with pytest.raises(sp.InputError, match="no Dask scheduler at 'nonsense://there'"):
        swept(tmp_path / "sweep", scheduler="nonsense://there")


# ---------------------------------------------------------------- losing workers, by hand


class Lost(Exception):
    """A worker is gone."""


class Losing:
    """Does shards at once; loses the worker at those in `bad`, as often as they say."""

    lost: tuple[type[BaseException], ...] = (Lost,)
    most = 3

    def __init__(self, bad: dict[int, int], log: list[str]) -> None:
        self.bad, self.log = bad, log

    def submit(self, number: int) -> Future[bytes]:
        future: Future[bytes] = Future()
        self.log.append(f"begin {number}")
        if self.bad.get(number, 0):
            self.bad[number] -= 1
            future.set_exception(Lost())
        else:
            future.set_result(b"%d" % number)
        return future

    def close(self, *, stop: bool) -> None:
        self.log.append(f"close {stop}")


def test_shards_lost_with_their_workers_are_done_again() -> None:
    log: list[str] = []
    bad = {2: 1, 5: 2, 9: LOSSES - 1}
    found = dict(work(lambda: Losing(bad, log), range(10), lambda number: number == 7))
    assert found == {number: b"%d" % number for number in range(10) if number != 7}
    assert log.count("close True") == 1 + 2 + LOSSES - 1
    assert log.count("close False") == 1
    assert "begin 7" not in log


def test_workers_lost_again_and_again_end_it() -> None:
    log: list[str] = []
    done: list[int] = []
    with pytest.raises(sp.InputError, match=f"workers were lost {LOSSES} times at shards 4"):
        done.extend(number for number, _ in work(lambda: Losing({4: 99}, log), range(6), lambda number: False))
    assert log.count("close True") >= LOSSES


def test_no_more_shards_are_under_way_than_keep_workers_busy() -> None:
    log: list[str] = []
    begun: list[int] = []
    for number, _ in work(lambda: Losing({}, log), range(50), lambda number: False):
        begun.append(sum(line.startswith("begin") for line in log) - number)
    assert max(begun) <= Losing.most + 1


def test_giving_up_stops_the_workers() -> None:
    log: list[str] = []
    found = work(lambda: Losing({}, log), range(9), lambda number: False)
    next(found)
    found.close()
    assert log[-1] == "close True"


# ---------------------------------------------------------------- the seam


def asked(**changes: Any) -> Job:
    from stockpile.sweep.designs import design

    given = ASKED | {"policies": ("none", "suspension_2025_07"), "metrics": tuple(ASKED["metrics"]), "munitions": ("pac3",)} | changes
    varied = {"munitions.pac3.us_share": [0.2, 0.5], "policies.suspension_2025_07.suspensions.0.length": [0.0, 2.5]}
    scenario = SCENARIO.override({"scenario.end": dt.date(2026, 1, 1)})
    return Job(scenario, design(varied, "one_at_a_time"), **given)


def spelt(column: Any) -> Any:
    return [column.words[code] for code in column.codes] if isinstance(column, Words) else column


@pytest.mark.parametrize("values", ["drawn", "central"])
def test_the_fast_evaluator_agrees_with_an_ensemble_a_point(values: str) -> None:
    members = 5 if values == "drawn" else 1
    job = asked(values=values, members=members)
    fast, slow = SideBySide(job), Reference(asked(values=values, members=members, engine="reference"))
    assert fast.rows == slow.rows
    frames = []
    for one in (fast, slow):
        parts = [one.frame(points) for points in one.shards()]
        frames.append(pd.concat([pd.DataFrame({name: spelt(column) for name, column in part.items()}) for part in parts]))
    found, expected = (frame.sort_values("point", kind="stable", ignore_index=True) for frame in frames)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12, atol=1e-9)
    assert len(found) == 5 * fast.rows


def test_shards_are_a_partition_that_depends_on_the_design_alone() -> None:
    for engine in ("numpy", "reference"):
        shards = evaluator(asked(engine=engine)).shards()
        assert sorted(int(point) for points in shards for point in points) == [0, 1, 2, 3, 4]
        again = evaluator(pickle.loads(pickle.dumps(asked(engine=engine)))).shards()
        assert [points.tolist() for points in shards] == [points.tolist() for points in again]


def test_a_job_is_small_and_means_the_same_elsewhere() -> None:
    job = asked()
    sent = pickle.dumps(job)
    assert len(sent) < 1_000_000
    assert pickle.loads(sent).digest == job.digest
    assert asked(engine="compiled").digest == job.digest
    others = [asked(seed=4), asked(members=9), asked(policies=("none",)), asked(metrics=None), asked(engine="reference")]
    assert len({job.digest, *(other.digest for other in others)}) == 6


def test_an_evaluator_that_was_stopped_gives_up() -> None:
    for engine in ("numpy", "reference"):
        made = evaluator(asked(engine=engine))
        made.stop()
        with pytest.raises(InterruptedError):
            made.frame(made.shards()[0])


def test_an_error_from_another_process_keeps_its_faults() -> None:
    error = sp.InputError.one("a", "wrong", file="here")
    again = pickle.loads(pickle.dumps(error))
    assert (again.problems, str(again)) == (error.problems, str(error))


def test_ways() -> None:
    assert executors.Way().name == "threads"
    assert executors.Way(scheduler="tcp://a:1").name == "dask"
    assert executors.Way(workers=3).count == 3
    assert executors.Way().count == os.cpu_count()
