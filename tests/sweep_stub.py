"""A sweep whose points cost nothing but a little time, for tests of how shards are stored; and a program that runs it again and again.

Standing in for the model, so that a sweep can be killed a hundred times in a few seconds. Run as a program, it forks a child for each
line it reads from standard input: how many bytes a file may have, and after how many seconds to kill the child (0 for neither).
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import stockpile as sp
from stockpile.sweep import run, source
from stockpile.sweep.designs import design
from stockpile.sweep.evaluator import Frame, Integers, Job, long
from stockpile.sweep.executors import Way
from stockpile.sweep.opened import Sweep

POINTS, PER_SHARD = 150, 3
MADE_WITH = {"stockpile": "1.0", "source": "ab" * 32}
"""Versions that every process of a test has, whatever happens to the files meanwhile."""
PATH = "munitions.pac3.us_share"


class Stub:
    """Two rows a point, with numbers that follow from the point and the seed."""

    rows = 2

    def __init__(self, job: Job, pause: float = 0.004) -> None:
        self.job, self.pause = job, pause

    def shards(self) -> list[Integers]:
        """Return every fiftieth point together, so that the shards of neighbours are mixed."""
        count = len(self.job.design) // PER_SHARD
        return [np.arange(first, len(self.job.design), count)[::-1] for first in range(count)]

    def frame(self, points: Integers) -> Frame:
        time.sleep(self.pause)
        points = np.sort(points)
        numbers = self.job.seed + points[:, None, None] * 1.5 + np.arange(2.0)
        keys = [("pac3", "us", "minimum"), ("pac3", "ukraine", "total_unmet")]
        names = ("share_finite", "mean", "q05", "q25", "q50", "q75", "q95")
        return long(self.job, points, keys, ["round", "round"], {name: numbers + place for place, name in enumerate(names)})

    def stop(self) -> None:
        """Nothing takes long."""


def job(seed: int = 1, points: int = POINTS) -> Job:
    scenario = sp.load("july_2025")
    return Job(scenario, design({PATH: [(200 + k) / 1000 for k in range(points)]}), ("none",), 1, seed)


def carry_out(asked: Job, folder: Path | None, way: Way | None = None, **options: Any) -> Sweep:
    return run.Running(asked, folder, way or Way("threads", 2), **options).run()


def main() -> None:
    """Run the sweep in a forked child for each line of input, and say its exit code."""
    folder = Path(sys.argv[1])
    import pandas  # noqa: F401 - so that children need not
    import pyarrow.parquet  # noqa: F401

    asked = job()
    assert asked.digest
    for line in sys.stdin:
        most, killed_after = line.split()
        number = os.fork()
        if number == 0:
            os._exit(_child(asked, folder, int(most)))
        if float(killed_after):
            time.sleep(float(killed_after))
            os.kill(number, signal.SIGKILL)
        _, status = os.waitpid(number, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _child(asked: Job, folder: Path, most: int) -> int:
    if most:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    try:
        carry_out(asked, folder, warn=lambda message: print(message, file=sys.stderr, flush=True))
    except sp.InputError as error:
        print(error, file=sys.stderr, flush=True)
        return 2
    return 0


if __name__ == "__main__":
    run.evaluator = Stub  # type: ignore[assignment]
    source.made_with = lambda: MADE_WITH  # type: ignore[assignment]
    main()
