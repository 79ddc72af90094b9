"""What ensembles cost by their number of members: time and peak memory, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from benchmarks import quiet
from benchmarks.case import spread

SIZES = (1_000, 10_000, 100_000, 1_000_000)
QUICK_SIZES = (1_000, 10_000)
LONG = 1_000_000
STREAMED = {False: 10_000_000, True: 100_000_000}
"""Members of one policy whose US stock alone is followed; so many with --long."""


def once(scenario: str, **arguments: Any) -> dict[str, Any]:
    """Run one ensemble in a process of its own; `others' cores` is what others took meanwhile."""
    start = quiet.moment()
    command = [sys.executable, "-m", "benchmarks.once", json.dumps({"scenario": scenario, **arguments})]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, Any] = json.loads(text)
    return found | {"others' cores": quiet.foreign(start, quiet.moment())}


def by_size(scenario: str, sizes: tuple[int, ...], rounds: int) -> list[dict[str, Any]]:
    """Return time, speed and peak memory for each number of members, with one policy and with all.

    Rounds go through all of them, but for those of `LONG` members or more: they last long enough for once to be enough.
    """
    cases = [(policies, members) for policies in (["none"], None) for members in sizes]
    found: list[list[dict[str, Any]]] = [[] for _ in cases]
    for number in range(rounds):
        for place, (policies, members) in list(enumerate(cases))[:: 1 if number % 2 else -1]:
            if not number or members < LONG:
                found[place].append(once(scenario, policies=policies, members=members))
        print(f"members, round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    return [_summed(runs) for runs in found]


def streamed(scenario: str, members: int) -> dict[str, Any]:
    """Return time and peak memory of many draws of one policy."""
    return _summed([once(scenario, policies=["none"], members=members, quantities=["us_on_hand"])])


def _summed(runs: list[dict[str, Any]]) -> dict[str, Any]:
    first = runs[0]
    count = first["members"] * first["policies"] * first["munitions"]
    return {name: first[name] for name in ("members", "policies", "munitions", "years", "engine", "bands", "probabilities")} | {
        "seconds": spread([run["seconds"] for run in runs]),
        "cores": spread([run["cpu seconds"] / run["seconds"] for run in runs]),
        "munition-runs a second": spread([count / run["seconds"] for run in runs]),
        "munition-runs a second of one core": spread([count / run["cpu seconds"] for run in runs]),
        "bands and probabilities, seconds": spread([run["bands and probabilities, seconds"] for run in runs]),
        "peak MB": max(run["peak MB"] for run in runs),
        "others' cores": [run["others' cores"] for run in runs],
    }
