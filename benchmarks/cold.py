"""What the first ``stockpile ensemble`` and later ones cost, in fresh processes; and that one compilation serves them all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import quiet
from benchmarks.case import spread
from stockpile import compiler

STAMPS = Path(__file__).with_name("stamps.py")
SCENARIOS = ("july_2025", "november_2026", "second_campaign")
KINDS = ("first", "later")


def starts(scenario: str, rounds: int, patience: float) -> dict[str, Any]:
    """Return, for a first run and a later one, the parts of its time [s], when it starts to compute, and the whole without stamps."""
    stamped: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    plain: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with tempfile.TemporaryDirectory() as bytecode, tempfile.TemporaryDirectory() as unused:
        _plain(scenario, unused, bytecode)
        for number in range(rounds):
            with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
                for kind in KINDS:
                    quiet.wait(quiet.MOST_FOREIGN, patience)
                    stamped[kind].append(_stamped(scenario, one, bytecode))
                    plain[kind].append(_plain(scenario, other, bytecode))
            print(f"cold start, round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    return {
        kind: {
            **{
                span: {part: spread([run[span].get(part, 0.0) for run in stamped[kind]]) for part in stamped[kind][0]["parts"]}
                for span in ("before computing", "parts")
            },
            "computing starts": spread([run["computing starts"] for run in stamped[kind]]),
            "in all": spread([run["in all"] for run in stamped[kind]]),
            "in all, without stamps": spread(plain[kind]),
        }
        for kind in KINDS
    }


def stored() -> dict[str, Any]:
    """Return how many files of machine code there are after all policies of several scenarios, and what they take on disk."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as bytecode:
        counts = []
        for scenario in SCENARIOS:
            _plain(scenario, folder, bytecode)
            counts.append(len(list(Path(folder).iterdir())))
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
    return {"scenarios": list(SCENARIOS), "files after each": counts, "kB": size / 1e3}


def _stamped(scenario: str, cache: str, bytecode: str) -> dict[str, Any]:
    start = time.monotonic()
    done = _run([sys.executable, str(STAMPS), repr(start), "ensemble", scenario], cache, bytecode)
    found: dict[str, Any] = json.loads(done.stderr.splitlines()[-1])
    return found


def _plain(scenario: str, cache: str, bytecode: str) -> float:
    start = time.monotonic()
    _run([sys.executable, "-m", "stockpile.cli", "ensemble", scenario], cache, bytecode)
    return time.monotonic() - start


def _run(command: list[str], cache: str, bytecode: str) -> subprocess.CompletedProcess[str]:
    """Run a command with folders for machine code and for what Python compiles, as an installed package has it."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {compiler.FOLDER: cache, "PYTHONPYCACHEPREFIX": bytecode}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
