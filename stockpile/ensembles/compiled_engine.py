"""Blocks of an ensemble by compiled code: the same bits as on NumPy, many times as fast.

The assembly is traced once, with a symbol for every draw, and lowered to one program a munition (`codegen.program`). For a block of
members compiled code then draws, works the programs, which leave everything known in advance in a file of registers, and runs each
policy on it. Only the step of the model is compiled, once for a number of recipients: scenarios and policies are data.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockpile import compiler, shapes
from stockpile.clock import Array
from stockpile.codegen import drive, kernel
from stockpile.codegen.llvm import WIDTH
from stockpile.codegen.program import Program
from stockpile.engine.fold import Summary
from stockpile.ensembles.numpy_engine import Block, Task
from stockpile.ensembles.rows import Counting
from stockpile.ensembles.traced import Given, Integers, aligned, drawing, prepare, printed, rows_of
from stockpile.inputs import levels, unit_cost
from stockpile.lookup import Numbers
from stockpile.model.summaries import Lowest, Passage, Totals
from stockpile.sketch import Moments, Tally, moments_of

LANES = kernel.LANES
SPAN = 8 * LANES
"""Members whose rows are held, policy by policy, until they are counted: enough that a bin is met again while it is near."""


class CompiledEngine:
    """Runs blocks by compiled code."""

    name = "compiled"

    def __init__(self, task: Task) -> None:
        self.task = task
        self.traced, self.printer, text = printed(len(task.scenario.recipients))
        self.library = compiler.load(text)
        self.work, self.made = prepare(task, self.printer)
        self.draws = drawing(task.design)
        self._local = threading.local()
        self._stopped = threading.Event()
        library = self.library
        self._uniforms = library.function("uniforms", 6)
        self._columns = library.function("columns", 10)
        ending = kernel.EXACT if math.frexp(self.made.clock.dt)[0] == 0.5 else ""
        self._drive = library.function(f"drive{ending}", 1)
        self._tally = library.function("tally", 13)
        self._wanted, self._row, self.kept = self._followed()
        self._dates = np.array(task.edges, dtype=np.int32)

    def stop(self) -> None:
        """Give up the blocks under way."""
        self._stopped.set()

    # ------------------------------------------------------------ draws

    def drawn(self, first: int, members: int) -> tuple[Array, int]:
        """Return the draws of `members` from `first` on, in the rows of `rows_of`, and how long a row is (whole blocks)."""
        wide = -(-members // LANES) * LANES
        room = self._room(wide)
        design, draws = self.task.design, self.draws
        streams = len(design.streams)
        # Compiled loops run at least once, so they are left out where nothing is drawn.
        # They draw two members at a time, an even one and the one after it.
        if streams and design.sampler == "random" and first % 2 == 0:
            self._uniforms(_at(draws.keys), streams, first, wide, _at(room.uniforms), wide)
            design.correlated(room.uniforms)
        else:
            room.uniforms[:, members:] = 0.5
            room.uniforms[:, :members] = design.uniforms(first, members)
        if len(draws.row):
            self._columns(
                _at(draws.row), _at(draws.table), _at(draws.place), len(draws.row), _at(draws.tables), shapes.KNOTS,
                _at(room.uniforms), wide, wide, _at(room.draws),
            )
        given = design.given_to(first, members)
        for path, row in draws.given.items():
            room.draws[row, :members] = given[path]
            room.draws[row, members:] = given[path][-1]
        return room.draws, wide

    # ------------------------------------------------------------ blocks

    def block(
        self, first: int, members: int, *, keep: bool = False, into: Counting | None = None, cases: Sequence[int] | None = None
    ) -> Block:
        """Run the members from `first` on; keep their rows, or count them into bins. `cases`: without rows, some policies alone."""
        draws, wide = self.drawn(first, members)
        room, task, axes = self._room(wide), self.task, self.made.axes
        chosen = range(len(axes.policies)) if cases is None else cases
        edges = len(self.made.clock.steps)
        rows = np.empty((len(axes.policies), len(axes.munitions), len(task.entries), edges, members)) if keep else None
        for start in range(0, min(members, wide), SPAN):
            valid = min(SPAN, members - start)
            for m in range(len(self.work)):
                if self._stopped.is_set():
                    raise InterruptedError
                self._run(room, m, start, draws, chosen, keep=keep or into is not None)
                for p in task.order if keep or into is not None else ():
                    if rows is not None:
                        rows[p, m, :, :, start : start + valid] = self._rows(room, p)[..., :valid]
                    if into is not None:
                        self._count(room, (p, m), valid, into)
        summaries = {
            (axes.policies[p], munition): self._summary(room.result[m][p], m, members)
            for p in chosen
            for m, munition in enumerate(axes.munitions)
        }
        numbers = Numbers(task.scenario, Given(task.design.columns, rows_of(task.design), draws[:, :members]), self.made.clock)
        named = {name: levels(numbers, name) for name in axes.munitions}
        return Block(
            summaries,
            {name: {key: np.broadcast_to(level, (members,)) for key, level in found.items()} for name, found in named.items()},
            {name: np.broadcast_to(unit_cost(numbers, name), (members,)) for name in axes.munitions},
            rows,
        )

    def _run(self, room: Room, m: int, start: int, draws: Array, chosen: Sequence[int], *, keep: bool) -> None:
        """Work out all that is known in advance of a munition for a span of members, and run the policies on it."""
        table = room.cases[m] if len(chosen) == len(room.cases[m]) else room.cases[m][list(chosen)]
        work, registers = self.work[m], room.registers[m]
        edges = len(self.made.clock.steps)
        room.plan[:] = (
            _at(work.program.code), len(work.program.code), _at(draws), room.wide, start, _at(registers), registers[0].size, 0,
            min(SPAN, room.wide - start) // LANES, len(table), _at(table), edges - 1, _at(work.levels), len(work.levels),
            _at(self._dates), len(self._dates), _at(room.memory), _at(self._wanted) if keep else 0, edges, room.held[0, 0].size,
        )
        self._drive(_at(room.plan))

    def _followed(self) -> tuple[NDArray[np.int64], Integers, int]:
        """Return for each field of the kernel its first row among those kept (-1: not wanted), the row of each entry, their number."""
        asked = {entry.key for entry in self.task.entries}
        wanted: list[int] = []
        row: dict[str, int] = {}
        for keys in self.printer.layout.fields:
            wanted.append(len(row) if asked & set(keys) else -1)
            if wanted[-1] >= 0:
                row |= {key: len(row) + number for number, key in enumerate(keys)}
        return np.array(wanted, dtype=np.int64), np.array([row[entry.key] for entry in self.task.entries], dtype=np.int32), len(row)

    def _rows(self, room: Room, p: int) -> Array:
        """Return the entries of a policy from the rows kept, shape (entries, edges, members)."""

        def members(policy: int, rows: Any) -> Array:
            blocks = room.held[policy][:, rows]
            joined: Array = np.moveaxis(blocks, 0, -2).reshape(*blocks.shape[1:-1], SPAN)
            return joined

        found = members(p, self._row)
        for e, entry in enumerate(self.task.entries):
            if entry.is_difference and self.task.base is not None:
                found[e] -= members(self.task.base, self._row[e])
        return found

    def _count(self, room: Room, place: tuple[int, int], valid: int, into: Counting) -> None:
        """Count the rows kept into bins; of the baseline policy without differences, which come after the values."""
        which, less = self._cells
        cells = len(which) if place[0] != self.task.base else int((less < 0).sum())
        low, per_bin, counts = into.low[place], into.per_bin[place], into.counts[place]
        held = room.held[place[0]]
        base = held if self.task.base is None else room.held[self.task.base]
        self._tally(
            _at(held), _at(base), LANES, held[0].size, _at(which), _at(less), cells, valid,
            _at(low), _at(per_bin), _at(counts), counts.shape[-1] - 2, 0,
        )

    @cached_property
    def _cells(self) -> tuple[Integers, Integers]:
        edges = len(self.made.clock.steps)
        which = (self._row[:, None] * edges + np.arange(edges)).astype(np.int32)
        difference = np.array([entry.is_difference for entry in self.task.entries])[:, None]
        return which.ravel(), np.where(difference, which, -1).astype(np.int32).ravel()

    def tally(self, what: Tally, values: Array, into: NDArray[np.uint32]) -> Moments:
        """Count rows of numbers into bins and return their moments, as `Tally.run` does."""
        members = values.shape[1]
        spare = -members % WIDTH
        values = np.pad(values, ((0, 0), (0, spare))) if spare else np.ascontiguousarray(values)
        lanes = np.empty((len(what.which), 3, WIDTH))
        self._tally(
            _at(values), _at(values), values.shape[1], LANES, _at(what.which), _at(what.base), len(what.which), members,
            _at(what.low), _at(what.per_bin), _at(into), into.shape[-1] - 2, _at(lanes),
        )
        return moments_of(lanes)

    def _summary(self, result: Array, munition: int, members: int) -> Summary:
        """Return the summary from the kernel's rows."""
        found = {name: result[place, :members].copy() for place, name in enumerate(self.printer.layout.summaries)}
        count = len(self.printer.layout.summaries)
        each = range(self.traced.recipients)

        def many(name: str) -> tuple[Array, ...]:
            return tuple(found[f"total.{name}.{number}"] for number in each)

        passages = []
        for level in range(len(self.work[munition].levels)):
            first = count + level * len(kernel.PASSAGE)
            passages.append(Passage(*(result[first + place, :members].copy() for place in range(len(kernel.PASSAGE)))))
        after = count + len(passages) * len(kernel.PASSAGE)
        return Summary(
            Lowest(*(found[name] for name in self.traced.lowest)),
            tuple(passages),
            Totals(
                found["total.to_us"], found["total.own_use"], found["total.own_unmet"],
                many("received"), many("sent"), many("used"), many("unmet"),
            ),
            found["state.us_on_hand"],
            tuple(result[after + slot, :members].copy() for slot in range(len(self.task.edges))),
        )

    def _room(self, wide: int) -> Room:
        """Return this thread's working memory, made once and used again."""
        room = getattr(self._local, "room", None)
        if room is None or room.wide != wide:
            room = self._local.room = Room(self, wide)
        return room


class Room:
    """Working memory of a thread."""

    def __init__(self, engine: CompiledEngine, wide: int) -> None:
        task, layout = engine.task, engine.printer.layout
        edges = len(engine.made.clock.steps)
        self.wide = wide
        self.draws = aligned((engine.draws.rows, wide))
        self.uniforms = self.draws[: len(task.design.streams)]
        self.registers = [_registers(work.program) for work in engine.work]
        count = [len(layout.summaries) + len(work.levels) * len(kernel.PASSAGE) + len(task.edges) for work in engine.work]
        self.result = [[aligned((rows, wide)) for _ in task.policies] for rows in count]
        self.memory = aligned((layout.work(edges),))
        # Flows have nothing at the end of the run; nobody writes there.
        self.held = aligned((len(task.policies), SPAN // LANES, engine.kept, edges, LANES))
        self.held.fill(np.nan)
        self.cases = [
            np.array(
                [
                    (_at(case.index), _at(case.constants), _at(case.table), _at(case.policy), _at(self.result[m][p]), _at(self.held[p]))
                    for p, case in enumerate(work.cases)
                ],
                dtype=np.int64,
            )
            for m, work in enumerate(engine.work)
        ]
        self.plan = np.zeros(len(drive.PLAN), dtype=np.int64)


def _registers(program: Program) -> Array:
    registers = aligned((LANES // WIDTH, program.registers, WIDTH))
    registers.fill(0.0)
    registers[:, : len(program.constants)] = program.constants[:, None]
    return registers


def _at(array: NDArray[Any]) -> int:
    return array.ctypes.data

