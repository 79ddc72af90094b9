"""Where the time of an ensemble's blocks goes: draws, programs, runs; and what keeping all rows of all members costs.

The engine is called as `stockpile.ensemble` calls it. What its driver is given is written down on the way, so that the same work can
be done again without the draws, and without the programs.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

import stockpile as sp
from benchmarks import quiet
from benchmarks.case import spread
from stockpile.assemble import parts, unit_costs
from stockpile.clock import Array
from stockpile.codegen.drive import PLAN
from stockpile.draws import Collector, design
from stockpile.ensembles.compiled_engine import SPAN, CompiledEngine
from stockpile.ensembles.folded import Folded
from stockpile.ensembles.rows import BANDS, Counting
from stockpile.ensembles.run import CHUNK, PILOT, _bins, _Tallies, _task

KEPT = ("suspension_2025_07", "suspension_with_review", "ukraine_first", "us_first")
"""Policies whose rows are kept: enough that they do not fit into a cache."""
PARTS = {
    "inside": "block, draws made inside, summaries only",
    "given": "block, draws given, summaries only",
    "banded": "block, draws made inside, with bands",
    "metrics": "metrics of a block, counted",
    "draws": "draws alone",
    "both": "programs and runs alone",
    "runs": "runs alone",
    "followed": "programs and runs alone, rows for the bands kept",
}


class Engine(CompiledEngine):
    """The compiled engine, which can be handed its draws, and writes down what its driver is given."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.kept_draws: tuple[Array, int] | None = None
        self.plans: list[NDArray[np.int64]] | None = None
        self.drive, self._drive = self._drive, self._noted

    def drawn(self, first: int, members: int) -> tuple[Array, int]:
        """Return the draws: those that were handed over, where some were."""
        return self.kept_draws or super().drawn(first, members)

    def _noted(self, address: int) -> None:
        if self.plans is not None:
            self.plans.append(np.array((ctypes.c_int64 * len(PLAN)).from_address(address), dtype=np.int64))
        self.drive(address)


def engine(scenario: str, policies: Sequence[str] | None, quantities: Sequence[str] | str = BANDS) -> Engine:
    """Return the engine for some policies of a scenario (None: all of them)."""
    loaded = sp.load(scenario)
    collector = Collector(loaded)
    made = parts(loaded, policies, collector)
    unit_costs(made)
    return Engine(_task(loaded, made, design(collector.columns, 1, CHUNK, "random"), quantities, ()))


@dataclass
class Replay:
    """What the driver was given for some members, to be done again.

    The addresses are those of the thread in which this was made, and are good until that thread runs a block of another size.
    """

    engine: Engine
    plans: list[NDArray[np.int64]]

    @classmethod
    def of(cls, engine: Engine, members: int, *, keep: bool = False, into: Counting | None = None) -> Replay:
        """Run a block and write down what the driver was given."""
        engine.plans = []
        engine.block(0, members, keep=keep, into=into)
        found, engine.plans = engine.plans, None
        return cls(engine, found)

    def changed(self, **values: int) -> Replay:
        """Return the same with some of what the driver takes changed."""
        plans = [plan.copy() for plan in self.plans]
        for plan in plans:
            for name, value in values.items():
                plan[PLAN.index(name)] = value
        return Replay(self.engine, plans)

    def run(self) -> None:
        """Do it again."""
        for plan in self.plans:
            self.engine.drive(plan.ctypes.data)


def parts_of_blocks(scenario: str, rounds: int, patience: float) -> list[dict[str, Any]]:
    """Return the time of a block of `CHUNK` members on one thread, for one policy and for all, and what its parts take.

    Times are those of the processor [ms]: that others are given a core in between does not count.
    """
    result = []
    for policies in (["none"], None):
        made = engine(scenario, policies)
        counted = _counted(made)
        replay = Replay.of(made, CHUNK)
        forms: dict[str, Callable[[], Any]] = {
            "inside": partial(made.block, 0, CHUNK),
            "given": partial(_with_draws, made, made.drawn(0, CHUNK)),
            "draws": partial(made.drawn, 0, CHUNK),
            "both": replay.run,
            "runs": replay.changed(length=0).run,
            **counted,
        }
        times = in_turns(forms, rounds, patience, time.process_time)
        runs = CHUNK * len(made.made.axes.munitions) * len(made.task.policies)
        result.append(
            {
                "policies": len(made.task.policies),
                "members": CHUNK,
                "streams": len(made.task.design.streams),
                "columns": len(made.task.design.columns.columns),
                "ms": {PARTS[name]: spread([1e3 * one[name] for one in times]) for name in forms},
                "share": {
                    "draws": spread([(one["inside"] - one["given"]) / _whole(one) for one in times]),
                    "programs": spread([(one["both"] - one["runs"]) / _whole(one) for one in times]),
                    "runs": spread([one["runs"] / _whole(one) for one in times]),
                    "handing over summaries": spread([(one["given"] - one["both"]) / _whole(one) for one in times]),
                    "rows for the bands": spread([(one["followed"] - one["both"]) / _whole(one) for one in times]),
                    "counting them": spread(
                        [(one["banded"] - one["inside"] - one["followed"] + one["both"]) / _whole(one) for one in times]
                    ),
                    "metrics": spread([one["metrics"] / _whole(one) for one in times]),
                },
                "draws made inside / draws given": spread([one["inside"] / one["given"] for one in times]),
                "munition-runs a second, summaries only": spread([runs / one["inside"] for one in times]),
                "munition-runs a second, bands and metrics": spread([runs / _whole(one) for one in times]),
            }
        )
    return result


def _whole(one: dict[str, float]) -> float:
    """Return what an ensemble spends on a block."""
    return one["banded"] + one["metrics"]


def _counted(made: Engine) -> dict[str, Callable[[], Any]]:
    """Return how bands are counted while a block runs, and metrics after it, as in an ensemble too large to be kept whole."""
    pilot = made.block(0, PILOT, keep=True)
    assert pilot.rows is not None
    counting = _Tallies(*_bins(pilot.rows)).own()
    folded = Folded(made.task, 1_000_000_000, pilot, len(made.made.clock.steps))
    block = made.block(0, CHUNK)
    return {
        "banded": partial(made.block, 0, CHUNK, into=counting),
        "followed": Replay.of(made, CHUNK, into=counting).run,
        "metrics": lambda: folded.take(folded._next, block, made.tally),
    }


def _with_draws(made: Engine, draws: tuple[Array, int]) -> None:
    made.kept_draws = draws
    made.block(0, CHUNK)
    made.kept_draws = None


def rows(scenario: str, rounds: int, patience: float) -> list[dict[str, Any]]:
    """Return what it costs to keep every row of every step, on one thread and on two: speeds, ratios in rounds, GB/s written."""
    made = engine(scenario, KEPT, "all")
    pools = [ThreadPoolExecutor(1) for _ in range(2)]
    keeping = [pool.submit(Replay.of, made, SPAN, keep=True).result() for pool in pools]
    plain = [one.changed(wanted=0) for one in keeping]
    steps = len(made.made.clock.steps) - 1
    count = len(keeping[0].plans) * len(KEPT) * SPAN
    result = []
    for threads in (1, 2):

        def together(replays: list[Replay], threads: int = threads) -> None:
            for running in [pool.submit(one.run) for pool, one in zip(pools[:threads], replays, strict=False)]:
                running.result()

        times = in_turns({"kept": partial(together, keeping), "plain": partial(together, plain)}, rounds, patience, time.perf_counter)
        size = 8 * made.kept * steps * count * threads
        result.append(
            {
                "threads": threads,
                "rows": made.kept,
                "bytes a munition-run": 8 * made.kept * steps,
                "munition-runs a second, rows kept": spread([count * threads / one["kept"] for one in times]),
                "GB/s": spread([size / one["kept"] / 1e9 for one in times]),
                "time, rows kept / summaries only": spread([one["kept"] / one["plain"] for one in times]),
            }
        )
    return result


def in_turns(
    forms: dict[str, Callable[[], Any]], rounds: int, patience: float, clock: Callable[[], float], seconds: float = 3.0
) -> list[dict[str, float]]:
    """Return the time of each form in each round [s].

    In a round the forms take turns, call by call and in changing order, for some seconds; a form's time is the median of its calls. So
    whatever disturbs the machine for longer than a call disturbs all forms alike.
    """
    result = []
    for number in range(rounds):
        quiet.wait(quiet.MOST_FOREIGN, patience)
        found: dict[str, list[float]] = {name: [] for name in forms}
        until = time.perf_counter() + seconds
        turn = number
        while time.perf_counter() < until or turn < number + 3:
            for name, form in list(forms.items())[:: 1 if turn % 2 else -1]:
                start = clock()
                form()
                found[name].append(clock() - start)
            turn += 1
        result.append({name: median(times) for name, times in found.items()})
    return result
