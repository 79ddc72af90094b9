"""The benchmark: every engine on the same job, in turn, in rounds; ratios inside a round.

A machine's clock wanders and its other guests come and go, so speeds of different minutes say little. Each round measures every
engine once, in changing order; a ratio is taken inside a round, and its median and range over the rounds are printed.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import blocks, cold, instructions, kernel, limits, loop, members, numpy_engine, quiet, sweeps
from benchmarks.case import Case, aligned, build, spread
from benchmarks.peers import Peers, installed
from benchmarks.text import text

TRIES = 4
CHECKED = ("none", "suspension_with_review", "ukraine_first", "us_first", "suspension_indefinite")
WEIGHTED = (((0, 0, 0), (1.0, 2.0, 0.5), 1.0), ((1, 0, 1), (1.0, 2.0, 0.0), 0.5), ((0, 0, 0), (1.0, 1.0, 1.0), 1.0 / 3.0))
"""Priorities and weights of the recipients, and the length of a step [month], of cases of the check besides."""
SECTIONS = ("engines", "parts", "rows", "cold", "members", "sweeps")
KNOWING = {
    loop.ANY_POLICY: "one code for any policy",
    loop.KIND_OF_ALLOCATION: "the same work for every policy",
    loop.WHOLE_POLICY: "told the policy",
}


@dataclass
class Engine:
    """Something to measure: `once` does `runs` munition-runs."""

    name: str
    once: Callable[[], Any]
    runs: int
    calls: int = 1
    speeds: list[float] = field(default_factory=list)
    foreign: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Ratio:
    """A ratio of two engines' speeds, and what it is hoped to be at least."""

    upper: str
    lower: str
    goal: float | None = None


def engines(case: Case, peers: Peers) -> tuple[list[Engine], dict[str, str]]:
    """Return all engines that are there, and the names of those that are not, with the reason."""
    out = loop.room(case)
    found: list[Engine] = []
    missing: dict[str, str] = {}
    for threads in (1, 2):
        name = f"kernel, {threads} thread{'s' * (threads > 1)}"
        if kernel.available():
            found.append(Engine(name, partial(kernel.Kernel(case).run, threads), case.runs))
        else:
            missing[name] = "llvmlite is not installed"
    found += _c_engines(case, out, missing)
    found.append(Engine("NumPy", partial(numpy_engine.run, case, out), case.runs // case.repeats))
    for package, label, once in (
        ("pysd", "PySD", peers.pysd),
        ("pysimlin", "pysimlin", peers.simlin),
        ("pysimlin", "pysimlin, nothing set or read", peers.simlin_alone),
    ):
        if installed(package):
            found.append(Engine(label, once, len(case.munitions)))
        else:
            missing[label] = "not installed"
    return found, missing


def _c_engines(case: Case, out: list[Any], missing: dict[str, str]) -> list[Engine]:
    result = []
    for free in (False, True):
        for knowing, threads in ((1, 1), (1, 2), (0, 1), (2, 1)):
            name = c_name(free, threads, knowing)
            if loop.compiler():
                result.append(Engine(name, partial(loop.run, case, out, threads, free, knowing), case.runs))
            else:
                missing[name] = "no C compiler"
    return result


def c_name(free: bool, threads: int, knowing: int = loop.KIND_OF_ALLOCATION) -> str:
    """Return the name of a form of the C loop."""
    more = "" if knowing == loop.KIND_OF_ALLOCATION else f", {KNOWING[knowing]}"
    return f"C {'free' if free else 'same rounding'}, {threads} thread{'s' * (threads > 1)}{more}"


def ratios(there: set[str]) -> list[Ratio]:
    """Return the ratios to print, of the engines that are there."""
    one, two = "kernel, 1 thread", "kernel, 2 threads"
    same, free = c_name(False, 1), c_name(True, 1)
    wanted = [
        Ratio(one, same, 0.85),
        Ratio(two, c_name(False, 2), 0.85),
        Ratio(one, free, 0.7),
        Ratio(two, c_name(True, 2), 0.7),
        Ratio(one, c_name(False, 1, loop.ANY_POLICY)),
        Ratio(one, c_name(False, 1, loop.WHOLE_POLICY)),
        Ratio(two, one, 1.6),
        Ratio(one, "NumPy", 15.0),
        Ratio(one, "PySD", 1e4),
        Ratio(two, "PySD", 1e4),
        Ratio(one, "pysimlin", 300.0),
        Ratio(two, "pysimlin", 300.0),
        Ratio(one, "pysimlin, nothing set or read"),
        Ratio(c_name(False, 2), same),
        Ratio(c_name(True, 2), free),
        Ratio(free, same),
        Ratio(c_name(False, 1, loop.ANY_POLICY), same),
        Ratio(c_name(False, 1, loop.WHOLE_POLICY), same),
        *(Ratio(same, other) for other in ("NumPy", "PySD", "pysimlin", "pysimlin, nothing set or read")),
    ]
    return [ratio for ratio in wanted if {ratio.upper, ratio.lower} <= there]


def check(blocks: int = 2) -> dict[str, float]:
    """Return the largest difference of each engine from NumPy over all summaries of the cases of `_checked`."""
    found: dict[str, float] = {}
    for case in _checked(blocks):
        wanted = loop.room(case)
        numpy_engine.run(case, wanted)
        forms: dict[str, Callable[[list[Any]], None]] = {}
        if loop.compiler():
            for free in (False, True):
                for knowing, text in KNOWING.items():
                    name = f"C {'free' if free else 'same rounding'}, {text}"
                    forms[name] = partial(loop.run, case, threads=2, free=free, knowing=knowing)
        if kernel.available():
            for threads in (1, 2):
                forms[f"kernel, {threads} thread{'s' * (threads > 1)}"] = partial(_by_kernel, case, threads)
        for name, form in forms.items():
            out = loop.room(case)
            form(out)
            found[name] = max(found.get(name, 0.0), *(_difference(a, b, " free" in name) for a, b in zip(out, wanted, strict=True)))
    return found


def _by_kernel(case: Case, threads: int, out: list[Any]) -> None:
    made = kernel.Kernel(case)
    made.run(threads)
    made.into(out)


def _checked(blocks: int) -> Iterator[Case]:
    """Yield a case for some policies, kinds of allocation and lengths of a step: of these the last is no power of two."""
    cases = [build(policy=policy, blocks=blocks, repeats=1) for policy in CHECKED]
    yield from cases
    for priority, weight, dt in WEIGHTED:
        policy = aligned([0.0, *priority, *weight])
        for case in cases[:2]:
            yield replace(case, munitions=tuple(replace(munition, policy=policy, dt=dt) for munition in case.munitions))


def _difference(found: Any, wanted: Any, relative: bool) -> float:
    """Return the largest difference, absolute or relative to a row's largest number; infinite where only one of the two is finite."""
    finite = np.isfinite(wanted)
    if (np.isfinite(found) != finite).any():
        return float("inf")
    with np.errstate(invalid="ignore"):
        off = np.where(finite, np.abs(found - wanted), 0.0)
    scale = np.maximum(np.where(finite, np.abs(wanted), 0.0).max(axis=1, keepdims=True), 1.0) if relative else 1.0
    return float((off / scale).max())


def measure(found: list[Engine], rounds: int, seconds: float, patience: float) -> None:
    """Measure every engine once a round, in changing order, each sample at least `seconds` long."""
    for engine in found:
        engine.once()
        start = time.perf_counter()
        engine.once()
        engine.calls = max(1, round(seconds / (time.perf_counter() - start)))
    for number in range(rounds):
        order = found[number % len(found) :] + found[: number % len(found)]
        for engine in order if number % 2 == 0 else order[::-1]:
            speed, others = _sample(engine, patience)
            engine.speeds.append(speed)
            engine.foreign.append(others)
        print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)


def _sample(engine: Engine, patience: float) -> tuple[float, float]:
    """Return the speed of the least disturbed of some tries, and how many cores others took during it."""
    best = (0.0, float("inf"))
    for _ in range(TRIES if patience else 1):
        quiet.wait(quiet.MOST_FOREIGN, patience)
        start = quiet.moment()
        for _ in range(engine.calls):
            engine.once()
        end = quiet.moment()
        others = quiet.foreign(start, end)
        if others < best[1]:
            best = (engine.runs * engine.calls / (end.clock - start.clock), others)
        if others <= quiet.MOST_FOREIGN:
            break
    return best


def machine() -> dict[str, str]:
    """Return what the figures were measured on and with."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = [line.split(":", 1)[1].strip() for line in lines if line.startswith(("model name", "cpu family", "model\t"))]
    cores = sum(line.startswith("processor") for line in lines)
    result = {
        "processor": f"{model[2]}, family {model[0]}, model {model[1]}" if len(model) > 2 else platform.processor(),
        "cores": str(cores or "unknown"),
        "Python": platform.python_version(),
        "NumPy": np.__version__,
    }
    if (command := loop.compiler()) is not None:
        result["C compiler"] = subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
        result["flags, same rounding"] = " ".join(loop.flags(False))
        result["flags, free"] = " ".join(loop.flags(True))
    return result | {name: found for name in ("llvmlite", "pysd", "pysimlin") if (found := installed(name))}


def explained(found: list[Engine], case: Case, hardware: dict[str, float]) -> dict[str, Any]:
    """Return, on one thread, cycles a munition-step of one vector, beside the instructions of the loop over steps."""
    by_name = {engine.name: engine for engine in found}
    steps, lanes = case.munitions[0].steps, hardware["lanes of a vector"]
    register = "zmm" if lanes == 8 else "ymm"
    places = [
        (c_name(free, 1, knowing), loop.compiled(free), function, loop.entry(free))
        for free in (False, True)
        for knowing, function in ((0, "any"), (1, "request"), (2, "request_none"))
    ]
    if kernel.available():
        places.append(("kernel, 1 thread", kernel.object_file(), "summarise_exactly", kernel.entry("summarise_exactly")))
    result = {}
    for name, path, function, (known, address) in places:
        body = instructions.lines(path, function)
        forms = instructions.loops(body, register)
        ran = forms and _executed(forms, path, function, address - instructions.symbol(path, known), by_name[name].once)
        result[name] = {
            "cycles a munition-step of a vector": hardware["clock, GHz"] * 1e9 * lanes / (max(by_name[name].speeds) * steps),
            "there": instructions.counted(min(forms, key=len), register) if forms else None,
            "executed": instructions.counted(body, register, *ran[:2]) if ran else None,
            "after the steps, a step": ran[2] / steps if ran else None,
        }
    return result


def _executed(
    forms: list[list[instructions.Line]], path: Path, function: str, base: int, once: Callable[[], Any]
) -> tuple[Counter[int], int, int] | None:
    """Return what `instructions.rounds_of` does of the loop over steps, or nothing where it cannot be followed."""
    path_taken = instructions.executed(instructions.symbol(path, function) + base, base, once)
    found = instructions.rounds_of(path_taken or [], {form[0].address for form in forms})
    return found if found[1] else None


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return 0, or 1 where an engine does not agree with NumPy."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="three short rounds, and no waiting for a quiet machine")
    parser.add_argument("--rounds", type=int, help="rounds (7, or 3 with --quick)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--check", action="store_true", help="only check that all engines agree")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS, help="only these sections")
    parser.add_argument("--patience", type=float, help="longest wait for a quiet machine before a sample [s] (5, or 0 with --quick)")
    parser.add_argument("--long", action="store_true", help="stream 1e8 draws, not 1e7: ten minutes or more")
    given = parser.parse_args(arguments)

    case = build(blocks=32, repeats=1 if given.quick else 8)
    with Peers(case) as peers:
        off = check() | {f"{tool}, stocks": share for tool, share in peers.differences().items()}
        agree = all(value <= (0.0 if name.startswith(("C same", "kernel")) else 1e-9) for name, value in off.items())
        report: dict[str, Any] = {"machine": machine(), "case": _described(case), "largest difference from NumPy": off, "agree": agree}
        if not given.check and agree:
            report |= _measured(case, peers, given)
    print(json.dumps(report, indent=1) if given.json else text(report))
    return 0 if agree else 1


def _described(case: Case) -> dict[str, Any]:
    first = case.munitions[0]
    return {
        "scenario": case.scenario,
        "policy": case.policy,
        "munitions": [munition.name for munition in case.munitions],
        "members": first.members,
        "steps": first.steps,
        "unit": "munition-runs a second: one member of one munition over all months",
    }


def _measured(case: Case, peers: Peers, given: argparse.Namespace) -> dict[str, Any]:
    """Return the sections asked for; those that need compiled code are left out where there is none."""
    rounds = given.rounds or (3 if given.quick else 7)
    patience = given.patience if given.patience is not None else 0.0 if given.quick else 5.0
    few = min(rounds, 3)
    result: dict[str, Any] = _engines(case, peers, rounds, 0.1 if given.quick else 0.4, patience) if "engines" in given.only else {}
    if kernel.available():
        if "parts" in given.only:
            result["parts of a block"] = blocks.parts_of_blocks(case.scenario, rounds, patience)
        if "rows" in given.only:
            result["keeping rows"] = blocks.rows(case.scenario, rounds, patience)
        if "cold" in given.only:
            result["cold start"] = cold.starts(case.scenario, few, patience)
            result["machine code stored"] = cold.stored()
        if "members" in given.only:
            result["by members"] = members.by_size(case.scenario, members.QUICK_SIZES if given.quick else members.SIZES, few)
            if not given.quick:
                result["streamed"] = members.streamed(case.scenario, members.STREAMED[given.long])
        if "sweeps" in given.only:
            result["sweeps"] = sweeps.by_size(case.scenario, sweeps.QUICK_SIZES if given.quick else sweeps.SIZES, few)
    if {"engines", "rows", "members"} & set(given.only) and loop.compiler():
        result["limits"] = limits.measure(2 if given.quick else 5)
    return result


def _engines(case: Case, peers: Peers, rounds: int, seconds: float, patience: float) -> dict[str, Any]:
    found, missing = engines(case, peers)
    measure(found, rounds, seconds, patience)
    by_name = {engine.name: engine for engine in found}
    return {
        "speeds": {engine.name: spread(engine.speeds) | {"others' cores": engine.foreign} for engine in found},
        "missing": missing,
        "ratios": [
            {"of": one.upper, "to": one.lower, "goal": one.goal, **_inside(by_name[one.upper].speeds, by_name[one.lower].speeds)}
            for one in ratios(set(by_name))
        ],
        "ratios, time of the processor": _side_by_side(by_name, rounds, patience),
        "instructions": explained(found, case, limits.measure(2)) if loop.compiler() else {},
    }


def _side_by_side(by_name: dict[str, Engine], rounds: int, patience: float) -> dict[str, dict[str, float]]:
    """Return ratios of the kernel's speed on one thread to the C loop's, call by call in turn and by the processor's time."""
    one = "kernel, 1 thread"
    forms = {name: by_name[name].once for name in (one, c_name(False, 1), c_name(True, 1)) if name in by_name}
    times = blocks.in_turns(forms, rounds, patience, time.process_time) if one in forms else []
    return {f"{one}  /  {name}": spread([found[name] / found[one] for found in times]) for name in forms if name != one and times}


def _inside(upper: list[float], lower: list[float]) -> dict[str, float]:
    """Return the ratio inside a round."""
    return spread([a / b for a, b in zip(upper, lower, strict=True)])
