"""Who works out shards: threads, processes, or a Dask cluster. All give the bytes back; only the process that asked writes.

What is lost with a worker is done again. No more shards are under way at once than keep the workers busy.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from stockpile.errors import InputError, Problem, nearest
from stockpile.sweep import shards
from stockpile.sweep.evaluator import Evaluator, Job, evaluator

EXECUTORS = ("threads", "processes", "dask")
LOSSES = 4
"""How often workers may be lost one after another without a shard done in between."""
AHEAD = 2
"""Shards under way for each worker: one is worked on, the next one waits."""


@dataclass(frozen=True)
class Way:
    """How a sweep is carried out; moves no number.

    Attributes
    ----------
    executor : {"threads", "processes", "dask"}, optional
        Threads where left out; dask where a scheduler is given.
    workers : int, optional
        How many; all cores where left out.
    scheduler : str, optional
        Address of a Dask cluster that is there.
    """

    executor: str | None = None
    workers: int | None = None
    scheduler: str | None = None

    @property
    def name(self) -> str:
        """The executor that is meant."""
        return self.executor or ("dask" if self.scheduler else "threads")

    @property
    def count(self) -> int:
        """Number of workers on this machine."""
        return self.workers or os.cpu_count() or 1

    def faults(self) -> Iterator[Problem]:
        """Yield what cannot be."""
        if self.name not in EXECUTORS:
            yield _fault("executor", f"unknown executor {self.name!r}; {nearest(str(self.name), EXECUTORS)}")
        if self.workers is not None and (isinstance(self.workers, bool) or not isinstance(self.workers, int) or self.workers < 1):
            yield _fault("workers", f"{self.workers!r}; allowed: a whole number from 1 on")
        if self.scheduler is not None and self.name != "dask":
            yield _fault("scheduler", f"does not go with {self.name}; allowed: with dask")
        if self.scheduler is not None and self.workers is not None:
            yield _fault("workers", "stand beside a scheduler, whose cluster has its own; allowed: one of the two")
        if self.name == "dask" and not _has_dask():
            yield _fault("executor", "dask is not installed: pip install 'stockpile[dask]'; allowed: threads, processes")

    def pool(self, job: Job, own: Evaluator) -> Pool:
        """Return workers for a job.

        Parameters
        ----------
        own : Evaluator
            That of this process.

        Raises
        ------
        InputError
            If a cluster cannot be reached.
        """
        if self.name == "threads":
            return Threads(job, own, self.count)
        if self.name == "processes":
            return Processes(job, self.count)
        from stockpile.sweep.cluster import Cluster

        return Cluster(job, self.scheduler, self.workers)


def _has_dask() -> bool:
    from importlib.util import find_spec

    return find_spec("distributed") is not None


def _fault(key: str, message: str) -> Problem:
    return Problem("sweep", 0, 0, key, message)


class Pool(Protocol):
    """Workers, as long as none is lost."""

    lost: tuple[type[BaseException], ...]
    """Errors that say that a worker is gone, and what it had with it."""

    @property
    def most(self) -> int:
        """How many shards to have under way at once."""

    def submit(self, number: int) -> Future[bytes]:
        """Have a shard worked out."""

    def close(self, *, stop: bool) -> None:
        """Let the workers go; with `stop`, they give up what is under way."""


def work(renew: Callable[[], Pool], numbers: Sequence[int], skip: Callable[[int], bool]) -> Generator[tuple[int, bytes], None, None]:
    """Yield number and bytes of each shard as it is done; shards lost with their workers are done again.

    Parameters
    ----------
    renew : callable
        Gives workers: at the start, and whenever some were lost.
    numbers : sequence of int
        Shards to be done.
    skip : callable
        Tells just before a shard is begun whether somebody else has done it.

    Raises
    ------
    InputError
        If workers are lost again and again, with nothing done in between.
    """
    waiting = deque(numbers)
    losses = 0
    while waiting:
        pool, running = renew(), dict[Future[bytes], int]()
        finished = False
        try:
            while waiting or running:
                while waiting and len(running) < pool.most:
                    if not skip(waiting[0]):
                        running[pool.submit(waiting[0])] = waiting[0]
                    waiting.popleft()
                ready, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in sorted(ready, key=running.__getitem__):
                    data = future.result()
                    yield running.pop(future), data
                    losses = 0
            finished = True
        except pool.lost:
            losses += 1
            if losses >= LOSSES:
                who = ", ".join(map(str, sorted(running.values())[:10]))
                message = f"workers were lost {losses} times at shards {who}; allowed: fewer workers or members, if memory ran out"
                raise InputError([_fault("executor", message)]) from None
            waiting.extendleft(sorted(running.values(), reverse=True))
        finally:
            for future in running:
                future.cancel()
            pool.close(stop=not finished)


class Threads:
    """Threads of this process; they share its evaluator."""

    lost: tuple[type[BaseException], ...] = ()

    def __init__(self, job: Job, own: Evaluator, count: int) -> None:
        self.most = AHEAD * count
        self._job, self._own, self._points = job, own, own.shards()
        self._pool = ThreadPoolExecutor(count)

    def submit(self, number: int) -> Future[bytes]:
        """Have a shard worked out."""
        return self._pool.submit(shards.made, self._own, self._job, self._points[number])

    def close(self, *, stop: bool) -> None:
        """Let the threads go."""
        if stop:
            self._own.stop()
        self._pool.shutdown(cancel_futures=True)


# ---------------------------------------------------------------- processes


class Processes:
    """Fresh processes of this machine; each makes an evaluator of its own."""

    lost: tuple[type[BaseException], ...] = (BrokenProcessPool,)

    def __init__(self, job: Job, count: int) -> None:
        self.most = AHEAD * count
        context = multiprocessing.get_context("spawn")
        # A pipe and not an event: to set one, all that wait for it have to answer, the dead too.
        self._told, self._tell = context.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(count, mp_context=context, initializer=_begin, initargs=(job, self._told))

    def submit(self, number: int) -> Future[bytes]:
        """Have a shard worked out."""
        with _without_interrupts():
            return self._pool.submit(_shard_here, number)

    def close(self, *, stop: bool) -> None:
        """Let the processes go."""
        if stop:
            self._tell.close()
        self._pool.shutdown(cancel_futures=True)
        self._tell.close()
        self._told.close()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Keep Ctrl-C from a process that begins here, as it is for its parent to deal with; the parent gets it right after."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_HERE: dict[str, Any] = {}
"""In a worker: its job, and its evaluator once it has one."""
_LOCK = threading.Lock()


def _begin(job: Job, told: Any) -> None:
    """Make a process ready to work: deaf to Ctrl-C, and gone when its parent is."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _HERE["job"] = job
    threading.Thread(target=_listen, args=(told,), daemon=True).start()


def _listen(told: Any) -> None:
    """Give up when the parent closes its end of the pipe, and leave when it is gone."""
    multiprocessing.connection.wait([told])
    _HERE["stopped"] = True
    found = _HERE.get("evaluator")
    if found is not None:
        found.stop()
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def _shard_here(number: int) -> bytes:
    """Return the bytes of a shard, in a process that was made ready."""
    if "stopped" in _HERE:
        raise InterruptedError
    return shard_of(_HERE["job"], number)


def shard_of(job: Job, number: int) -> bytes:
    """Return the bytes of a shard, with an evaluator that is kept for the next one of the same job."""
    with _LOCK:
        if _HERE.get("digest") != job.digest:
            made = evaluator(job)
            _HERE.update(digest=job.digest, evaluator=made, points=made.shards())
        found, points = _HERE["evaluator"], _HERE["points"]
    return shards.made(found, job, points[number])
