"""Shards on a Dask cluster: one that is there, or one of this machine's own."""

from __future__ import annotations

import logging
import pickle
import signal
from concurrent.futures import Future
from importlib import import_module
from typing import Any

from stockpile.errors import InputError, Problem
from stockpile.sweep.evaluator import Job
from stockpile.sweep.executors import AHEAD, shard_of
from stockpile.sweep.source import made_with

LEAST = 16
"""Shards under way at the least: a cluster that grows on demand has to see some demand."""
PATIENCE = 30
"""How long to wait for an answer of a scheduler [second]."""


class Cluster:
    """A Dask cluster."""

    def __init__(self, job: Job, scheduler: str | None, workers: int | None) -> None:
        dask: Any = import_module("distributed")
        self.lost: tuple[type[BaseException], ...] = (dask.KilledWorker, dask.client.FutureCancelledError)
        self._cluster: Any = None
        if scheduler is None:
            quiet = {"dashboard_address": "127.0.0.1:0", "silence_logs": logging.CRITICAL, "preload": [__name__]}
            self._cluster = dask.LocalCluster(n_workers=workers, threads_per_worker=1, **quiet)
        try:
            self._client = dask.Client(scheduler or self._cluster, timeout=PATIENCE)
        except (OSError, ValueError, TypeError) as error:
            why = str(error) or type(error).__name__
            message = f"no Dask scheduler at {scheduler!r} ({why}); allowed: the address of one that runs, such as tcp://10.0.0.1:8786"
            raise InputError([Problem("sweep", 0, 0, "scheduler", message)]) from None
        # A task and not scattered data: what goes with its workers is then made again.
        self._job = self._client.submit(pickle.loads, pickle.dumps(job), key=f"stockpile-job-{job.digest}", pure=True)
        self._pool = self._client.get_executor(pure=False)

    @property
    def most(self) -> int:
        """How many shards to have under way at once, by how many threads the cluster has now."""
        threads: int = sum(self._client.nthreads().values())
        return max(LEAST, AHEAD * threads)

    def submit(self, number: int) -> Future[bytes]:
        """Have a shard worked out."""
        found: Future[bytes] = self._pool.submit(_shard, self._job, number, made_with())
        return found

    def close(self, *, stop: bool) -> None:
        """Let the cluster go; one of this machine's own ends."""
        self._pool.shutdown(wait=not stop)
        self._job.release()
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()


def dask_setup(worker: Any) -> None:
    """Make a worker of a cluster of this machine's own deaf to Ctrl-C, which is for the process that made it; Dask calls this."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _shard(job: Job, number: int, wanted: dict[str, str]) -> bytes:
    """Return the bytes of a shard, on a worker that has the same code as the process that asks for it."""
    own = made_with()
    if own != wanted:
        wrong = [name for name, value in wanted.items() if own.get(name) != value]
        different = ", ".join(f"{name} {own.get(name, '')[:12]} in place of {wanted[name][:12]}" for name in wrong)
        message = f"a worker has other code: {different}; allowed: the same versions on all machines"
        raise InputError([Problem("sweep", 0, 0, "scheduler", message)])
    return shard_of(job, number)
