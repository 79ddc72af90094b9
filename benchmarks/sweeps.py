"""What a sweep costs beside the engine: the same runs as points of a design, and as one ensemble's blocks with their metrics."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import quiet
from benchmarks.case import spread

MEMBERS = 500
LENGTHS = "policies.suspension_6_months.suspensions.0.length"
POLICY = "suspension_6_months"
SIZES = ((10, 20), (20, 100), (50, 100))
"""Values of two paths: lengths of the pause, and slips of the ramps. The second makes a million runs."""
QUICK_SIZES = ((5, 20),)
KINDS = ("engine", "lanes", "sweep")


def by_size(scenario: str, sizes: tuple[tuple[int, int], ...], rounds: int) -> list[dict[str, Any]]:
    """Return for each size the seconds of each kind, ratios inside a round, and the cost of a point."""
    found = []
    for lengths, slips in sizes:
        runs: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
        for number in range(rounds):
            for kind in KINDS if number % 2 else KINDS[::-1]:
                runs[kind].append(_once(scenario, kind, lengths, slips))
            print(f"sweeps, {lengths} x {slips}, round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        found.append(_summed(lengths * slips, runs))
    return found


def _summed(points: int, runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    def of(key: str, kind: str) -> list[float]:
        return [one[key] for one in runs[kind]]

    pairs = list(zip(of("cpu seconds", "engine"), of("cpu seconds", "sweep"), strict=True))
    return {
        "points": points,
        "members": MEMBERS,
        "runs": points * MEMBERS,
        "cpu seconds": {kind: spread(of("cpu seconds", kind)) for kind in KINDS},
        "seconds": {kind: spread(of("seconds", kind)) for kind in KINDS},
        "peak MB": {kind: max(of("peak MB", kind)) for kind in KINDS},
        "rate of the sweep / rate of the engine": spread(
            [engine / own for engine, own in zip(of("seconds", "engine"), of("seconds", "sweep"), strict=True)]
        ),
        "rate of the sweep / rate of the engine, time of the processor": spread([engine / own for engine, own in pairs]),
        "overhead a point, ms of one core": spread([1e3 * (own - engine) / points for engine, own in pairs]),
        "others' cores": [one["others' cores"] for kind in KINDS for one in runs[kind]],
    }


def _once(scenario: str, kind: str, lengths: int, slips: int) -> dict[str, Any]:
    start = quiet.moment()
    command = [sys.executable, "-m", "benchmarks.sweeps", json.dumps([scenario, kind, lengths, slips, MEMBERS])]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, Any] = json.loads(text)
    return found | {"others' cores": quiet.foreign(start, quiet.moment())}


def main(scenario_name: str, kind: str, lengths: int, slips: int, members: int) -> dict[str, Any]:
    """Run one of the kinds, and return what it took once all is loaded and the machine code is there."""
    import time

    import stockpile as sp
    from benchmarks.once import cpu, peak

    scenario = sp.load(scenario_name)
    varied = {LENGTHS: list(range(lengths)), "model.slip": [20.0 * number / slips for number in range(slips)]}
    sp.ensemble(scenario, [POLICY], 5000, engine="compiled", quantities=())
    start, before = time.perf_counter(), cpu()
    if kind == "engine":
        _engine(scenario, lengths * slips * members)
    elif kind == "lanes":
        from stockpile.experiments.points import Points, everything
        from stockpile.sweep.designs import design

        everything(Points(scenario, design(varied).columns, [POLICY], members=members, engine="compiled"), threads=2)
    else:
        with tempfile.TemporaryDirectory() as folder:
            sp.sweep(scenario, varied, Path(folder) / "sweep", [POLICY], members, engine="compiled", workers=2)
    return {"seconds": time.perf_counter() - start, "cpu seconds": cpu() - before, "peak MB": peak() / 1e6}


def _engine(scenario: Any, members: int) -> None:
    """Call the engine directly: independent draws, block by block, with their metrics."""
    from stockpile.experiments.lanes import Lanes

    lanes = Lanes(scenario, [POLICY], engine="compiled")
    lanes.run(lanes.draws(1, members), lambda found: next(iter(found.values()))[:0], threads=2)


if __name__ == "__main__":
    print(json.dumps(main(*json.loads(sys.argv[1]))))
