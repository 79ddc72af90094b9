"""Whether the machine is left to the measurement: the time that others take of its cores."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

MOST_FOREIGN = 0.08
"""Cores that others may take during a sample; beyond it the sample is taken again, and if that does not help, marked."""
STAT = Path("/proc/stat")
IDLE, IOWAIT, GUEST = 3, 4, 8
"""Columns of the first line of /proc/stat: what is no work, and where columns begin that are counted elsewhere."""


@dataclass(frozen=True)
class Moment:
    """A point in time: of the clock, of the machine's work, of this process's and of its children's that have ended [s]."""

    clock: float
    busy: float
    own: float


def moment() -> Moment:
    """Return the present moment."""
    busy = 0.0
    if STAT.exists():
        columns = [int(one) for one in STAT.read_text().split("\n", 1)[0].split()[1 : 1 + GUEST]]
        busy = sum(one for place, one in enumerate(columns) if place not in (IDLE, IOWAIT)) / os.sysconf("SC_CLK_TCK")
    times = os.times()
    return Moment(time.perf_counter(), busy, times.user + times.system + times.children_user + times.children_system)


def foreign(start: Moment, end: Moment) -> float:
    """Return how many cores others took between two moments (0 where the machine does not say)."""
    wall = max(end.clock - start.clock, 1e-9)
    return max(((end.busy - start.busy) - (end.own - start.own)) / wall, 0.0) if start.busy else 0.0


def wait(most: float, patience: float, look: float = 0.2) -> None:
    """Wait until others take at most `most` cores, for `patience` seconds at the longest."""
    until = time.perf_counter() + patience
    while time.perf_counter() < until:
        start = moment()
        time.sleep(look)
        if foreign(start, moment()) <= most:
            return
