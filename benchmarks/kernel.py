"""The compiled engine on the inputs of a case: the step that the package prints, by the driver that the package uses."""

from __future__ import annotations

import ctypes
import math
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.case import (
    LANE_CONSTANTS,
    LANE_SERIES,
    LANES,
    RECIPIENTS,
    STOCKS,
    UNIFORM_CONSTANTS,
    UNIFORM_SERIES,
    Array,
    Case,
    Munition,
    aligned,
    summary_names,
)
from stockpile import compiler
from stockpile.codegen import drive, kernel
from stockpile.codegen.graph import evaluate
from stockpile.codegen.llvm import WIDTH
from stockpile.ensembles.traced import printed

AT_ONCE = 16
"""Blocks of one call of the driver: a few milliseconds, so that threads end at about the same time."""
VECTOR_BYTES = 8 * WIDTH


def available() -> bool:
    """Tell whether there is a compiled engine to measure."""
    return compiler.available()


@cache
def library() -> tuple[kernel.Printer, compiler.Library]:
    """Return the printer of the step, and the compiled functions."""
    _, printer, text = printed(RECIPIENTS)
    return printer, compiler.load(text)


def object_file() -> Path:
    """Write the machine code of the engine to a file, for objdump, and return it."""
    import llvmlite.binding as llvm

    library()
    text = printed(RECIPIENTS)[2]
    path = Path(gettempdir()) / "stockpile-kernel.o"
    path.write_bytes(compiler._machine(llvm).emit_object(llvm.parse_assembly(text)))
    return path


def entry(name: str) -> tuple[str, int]:
    """Return the name of a function, and its address in memory."""
    return name, ctypes.cast(library()[1].function(name, 0), ctypes.c_void_p).value or 0


@dataclass(frozen=True)
class Lane:
    """One munition in the form that the driver takes. `registers` has shape (blocks, groups of a block, rows, WIDTH)."""

    drive: Any
    registers: Array
    index: NDArray[np.int32]
    constants: NDArray[np.int32]
    table: Array
    policy: Array
    levels: NDArray[np.int32]
    result: Array
    steps: int
    room: int

    def run(self, first: int, blocks: int, repeats: int, work: Array) -> None:
        """Run some blocks, each `repeats` times."""
        one = {
            "index": self.index.ctypes.data, "constants": self.constants.ctypes.data, "table": self.table.ctypes.data,
            "policy": self.policy.ctypes.data, "result": self.result.ctypes.data, "kept": 0,
        }
        cases = np.array([[one[name] for name in drive.CASE]] * repeats, dtype=np.int64)
        file = self.registers[0, 0]
        values = dict.fromkeys(drive.PLAN, 0) | {
            "stride": self.result.shape[1], "first": first * kernel.LANES, "registers": self.registers[first].ctypes.data,
            "file": file.size, "next_file": self.registers[0].nbytes, "blocks": blocks, "policies": repeats,
            "cases": cases.ctypes.data, "steps": self.steps, "levels": self.levels.ctypes.data, "count": len(self.levels),
            "work": work.ctypes.data,
        }
        plan = np.array([values[name] for name in drive.PLAN], dtype=np.int64)
        self.drive(plan.ctypes.data)


class Kernel:
    """The compiled engine with a case made ready. Its summaries lie in its own arrays, row by row as the driver writes them."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.lanes = [_lane(munition) for munition in case.munitions]
        self._local = threading.local()
        self.tasks = [(lane, first) for lane in self.lanes for first in range(0, len(lane.registers), AT_ONCE)]
        self.pool = ThreadPoolExecutor(2)

    def run(self, threads: int = 1) -> None:
        """Run every munition, each block `case.repeats` times.

        Parameters
        ----------
        threads : {1, 2}
        """
        for _ in map(self._task, self.tasks) if threads == 1 else self.pool.map(self._task, self.tasks):
            pass

    def _task(self, task: tuple[Lane, int]) -> None:
        lane, first = task
        lane.run(first, min(AT_ONCE, len(lane.registers) - first), self.case.repeats, self._work(lane.room))

    def _work(self, room: int) -> Array:
        """Return this thread's own room for stocks and sums."""
        found: Array | None = getattr(self._local, "work", None)
        if found is None or found.size < room:
            found = self._local.work = aligned(np.empty(room))
        return found

    def into(self, out: list[Array]) -> None:
        """Copy the summaries into arrays as of `benchmarks.loop.room`."""
        summaries = library()[0].layout.summaries
        for munition, lane, target in zip(self.case.munitions, self.lanes, out, strict=True):
            levels = summary_names(munition.levels)[-len(kernel.PASSAGE) * len(munition.levels) :]
            rows = {name: row for row, name in enumerate((*summaries, *levels))}
            target[:] = lane.result[[rows[name] for name in summary_names(munition.levels)]]


def _lane(munition: Munition) -> Lane:
    printer, compiled = library()
    layout, rows = printer.layout, munition.registers.shape[1]
    fixed = [*(f"constant.{name}" for name in LANE_CONSTANTS), *(f"state.{name}" for name in STOCKS)]
    # What only splits own use by cause is in no table of the case, and no summary rests on it.
    columns = [LANE_SERIES.index(name) if name in LANE_SERIES else 0 for name in (key.removeprefix("series.") for key in layout.series)]
    index = munition.index[:, columns]
    levels = np.arange(len(munition.levels)) + rows + len(fixed)
    table, policy = _tables(munition)
    ending = kernel.EXACT if math.frexp(munition.dt)[0] == 0.5 else ""
    return Lane(
        drive=compiled.function(f"drive{ending}", 1),
        registers=_by_group(munition),
        index=aligned(index * VECTOR_BYTES, np.int32),
        constants=aligned([(rows + fixed.index(name)) * VECTOR_BYTES for name in layout.constants], np.int32),
        table=table,
        policy=policy,
        levels=aligned(levels * VECTOR_BYTES, np.int32),
        result=aligned(np.zeros((len(layout.summaries) + len(kernel.PASSAGE) * len(levels), munition.members))),
        steps=munition.steps,
        room=layout.work(munition.steps + 1),
    )


def _by_group(munition: Munition) -> Array:
    """Return registers, constants, opening stocks and levels as the driver takes them: a file for each group of `WIDTH` members."""
    parts = (munition.registers, munition.constants, munition.opening, munition.level)
    rows = np.concatenate([part[:, :, :LANES] for part in parts], axis=1)
    groups = rows.reshape(*rows.shape[:2], -1, WIDTH).transpose(0, 2, 1, 3)
    return aligned(groups.reshape(-1, kernel.LANES // WIDTH, rows.shape[1], WIDTH))


def _tables(munition: Munition) -> tuple[Array, Array]:
    """Return what is the same for all members, worked out beforehand as the engine does it: step by step, and over the run."""
    printer, _ = library()
    layout, edges = printer.layout, munition.steps + 1
    last = np.concatenate([munition.table, munition.table[-1:]])
    inputs: dict[str, Any] = {f"series.{name}": last[:, place] for place, name in enumerate(UNIFORM_SERIES)}
    inputs |= {f"constant.{name}": munition.policy[place] for place, name in enumerate(UNIFORM_CONSTANTS)}
    inputs |= {"run.number": np.arange(float(edges)), "run.ahead": munition.ahead, "run.dt": munition.dt}
    inputs["run.inside"] = np.where(np.arange(edges) < munition.steps, 1.0, 0.0)
    found = evaluate(printer.graph, [*layout.table, *layout.policy], inputs)
    table = np.empty((edges, max(len(layout.table), 1)))
    for place, node in enumerate(layout.table):
        table[:, place] = found[node]
    return aligned(table), aligned([float(found[node]) for node in layout.policy])
