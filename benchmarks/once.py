"""One ensemble in a process of its own: ``python -m benchmarks.once '{"members": 1000, ...}'`` prints time and memory as JSON."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import stockpile as sp

STATUS = Path("/proc/self/status")


def main(arguments: dict[str, Any]) -> dict[str, Any]:
    """Run an ensemble, ask it for bands and probabilities, and return what that took."""
    scenario = sp.load(arguments.pop("scenario"))
    start, before = time.perf_counter(), cpu()
    made = sp.ensemble(scenario, **arguments)
    ran, worked = time.perf_counter() - start, cpu() - before
    bands = made.quantiles()
    floors = dict.fromkeys(level for names in made.level_names.values() for level in names)
    chances = [made.probability(below=level, by=str(made.dates[-1])[:10]) for level in floors]
    return {
        "members": made.members,
        "policies": len(made.policies),
        "munitions": len(made.munitions),
        "years": (len(made.dates) - 1) / 12.0,
        "engine": made.manifest["engine"],
        "bands": len(bands),
        "probabilities": sum(map(len, chances)),
        "seconds": ran,
        "cpu seconds": worked,
        "bands and probabilities, seconds": time.perf_counter() - start - ran,
        "peak MB": peak() / 1e6,
    }


def peak() -> int:
    """Return the most memory that this process has held [byte]; on Linux getrusage counts its parent's as well."""
    if STATUS.exists():
        return next(int(line.split()[1]) for line in STATUS.read_text().splitlines() if line.startswith("VmHWM")) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def cpu() -> float:
    """Return the time of the processor that this process has taken [s]."""
    times = os.times()
    return times.user + times.system


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
