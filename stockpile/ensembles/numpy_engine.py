"""Blocks of an ensemble on NumPy: the reference, and what runs where nothing is compiled."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from stockpile.assemble import Parts, levels_of, parts, unit_costs
from stockpile.clock import Array, Clock
from stockpile.draws import Design, Drawn
from stockpile.engine.fold import Summary, rows_of, summarise
from stockpile.ensembles.rows import Counting, Entry
from stockpile.model.state import Constants, Flows, Known, State
from stockpile.scenario import Scenario
from stockpile.sketch import count, less

MEMBERS = 1024
"""Members worked on at a time, so that their series stay within some 100 MB."""
Levels = dict[str, dict[str, Array]]
Summaries = dict[tuple[str, str], Summary]


@dataclass(frozen=True)
class Task:
    """What is the same for all blocks of an ensemble.

    Attributes
    ----------
    scenario : Scenario
    policies : tuple of str
    design : Design
    entries : tuple of Entry
    base : int or None
        Number of the baseline policy.
    ahead : int
        The first step edge after `as_of`.
    edges : tuple of int
        Step edges whose US stock is wanted of each member.
    """

    scenario: Scenario
    policies: tuple[str, ...]
    design: Design
    entries: tuple[Entry, ...]
    base: int | None
    ahead: int
    edges: tuple[int, ...]

    @property
    def order(self) -> list[int]:
        """Numbers of the policies, the baseline first."""
        numbers = list(range(len(self.policies)))
        return numbers if self.base is None else [self.base, *(n for n in numbers if n != self.base)]


@dataclass(frozen=True)
class Block:
    """What is kept of consecutive members.

    Attributes
    ----------
    summaries : dict
        By policy and munition, arrays of shape (members,).
    levels, unit_cost : dict
        As of `stockpile.results.Result`.
    rows : array or None
        Rows over time where they were asked for, shape (policy, munition, entry, edge, member).
    """

    summaries: Summaries
    levels: Levels
    unit_cost: dict[str, Array]
    rows: Array | None


class NumpyEngine:
    """Runs blocks on NumPy."""

    name = "numpy"
    tally = None

    def __init__(self, task: Task) -> None:
        self.task = task
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Give up the blocks under way."""
        self._stopped.set()

    def block(
        self, first: int, members: int, *, keep: bool = False, into: Counting | None = None, cases: Sequence[int] | None = None
    ) -> Block:
        """Run the members from `first` on; keep their rows, or count them into bins. `cases`: without rows, some policies alone."""
        if cases is not None and len(cases) < len(self.task.policies):
            some = NumpyEngine(replace(self.task, policies=tuple(self.task.policies[number] for number in cases)))
            some._stopped = self._stopped
            return some.block(first, members)
        found = [self._piece(start, min(MEMBERS, first + members - start), keep, into) for start in range(first, first + members, MEMBERS)]
        return found[0] if len(found) == 1 else joined_blocks(found)

    def _piece(self, first: int, members: int, keep: bool, into: Counting | None) -> Block:
        task = self.task
        made = parts(task.scenario, task.policies, Drawn(task.design, first, members))
        levels = levels_of(made)
        axes, edges = made.axes, len(made.clock.steps)
        shape = (len(axes.policies), len(axes.munitions), len(task.entries), edges, members)
        rows = np.full(shape, np.nan) if keep else None
        summaries: Summaries = {}
        for m, munition in enumerate(axes.munitions):
            shared = _Shared(made, munition)
            base = np.empty(shape[2:]) if into is not None and task.base is not None else None
            for p in task.order:
                held = np.full(shape[2:], np.nan) if keep or into is not None else None
                summaries[axes.policies[p], munition] = self._run(shared, axes.policies[p], levels[munition], held)
                if held is None:
                    continue
                if rows is not None:
                    rows[p, m] = held
                if into is not None:
                    if p == task.base and base is not None:
                        base[:] = held
                    self._count(held, base, (p, m), into)
        if rows is not None and task.base is not None:
            for e, entry in enumerate(task.entries):
                if entry.is_difference:
                    rows[:, :, e] = rows[:, :, e] - rows[task.base, :, e]
        ordered = {(policy, munition): summaries[policy, munition] for policy in axes.policies for munition in axes.munitions}
        return Block(ordered, levels, unit_costs(made), rows)

    def _run(self, shared: _Shared, policy: str, levels: dict[str, Array], held: Array | None) -> Summary:
        if self._stopped.is_set():
            raise InterruptedError
        task, dt = self.task, shared.clock.dt
        keys = [entry.key for entry in task.entries]

        def watch(number: int, state: State, known: Known, flow: Flows | None) -> None:
            assert held is not None
            for e, value in enumerate(rows_of(state, known, flow, dt, keys)):
                if value is not None:
                    held[e, number] = value

        lane = shared.lane(policy)
        return summarise(lane, list(levels.values()), dt, task.ahead, task.edges, watch if held is not None and keys else None)

    def _count(self, held: Array, base: Array | None, place: tuple[int, int], into: Counting) -> None:
        for e, entry in enumerate(self.task.entries):
            if entry.is_difference and (base is None or place[0] == self.task.base):
                continue
            values = less(held[e], base[e]) if entry.is_difference and base is not None else held[e]
            cell = (*place, e)
            count(values, into.low[cell], into.per_bin[cell], into.counts[cell])


class _Shared:
    """What all policies share of one munition, as means over the steps; worked out once."""

    def __init__(self, made: Parts, munition: str) -> None:
        self.made, self.munition, self.clock = made, munition, made.clock
        self.series = {name: _on_steps(made.clock, value) for name, value in made.common[munition].series.items()}
        self.members = made.axes.members

    def lane(self, policy: str) -> tuple[Known, Constants, State]:
        """Return what the equations take, series as means over the steps."""
        shared, own = self.made.common[self.munition], self.made.measures[policy, self.munition]
        measures = {name: _on_steps(self.clock, value) for name, value in own.series.items()}
        opening = State(**{field.name: self._wide(getattr(shared.opening, field.name)) for field in fields(State)})
        return Known(**self.series, **measures), Constants(**shared.constants, **own.constants), opening

    def _wide(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(self._wide, value))
        return np.broadcast_to(value, (self.members,)).copy()


def _on_steps(clock: Clock, value: Any) -> Any:
    """Return means over the steps, with a last axis as it was."""
    if isinstance(value, tuple):
        return tuple(_on_steps(clock, one) for one in value)
    if value.ndim == 1:
        value = np.broadcast_to(value, (len(clock.knots) - 1, len(value)))
    return clock.mean(value)


def joined_blocks(blocks: Sequence[Block]) -> Block:
    """Return blocks of consecutive members as one."""
    summaries = {key: joined([block.summaries[key] for block in blocks]) for key in blocks[0].summaries}
    levels = {m: {n: np.concatenate([b.levels[m][n] for b in blocks]) for n in found} for m, found in blocks[0].levels.items()}
    cost = {m: np.concatenate([block.unit_cost[m] for block in blocks]) for m in blocks[0].unit_cost}
    rows = None if blocks[0].rows is None else np.concatenate([b.rows for b in blocks if b.rows is not None], axis=-1)
    return Block(summaries, levels, cost, rows)


def joined(items: Sequence[Any]) -> Any:
    """Return objects whose quantities are arrays over members, one after another; a number that is the same for all stays one."""
    first = items[0]
    if isinstance(first, float):
        return first
    if isinstance(first, tuple):
        return tuple(joined(list(one)) for one in zip(*items, strict=True))
    if isinstance(first, np.ndarray):
        return np.concatenate(items)
    return type(first)(*(joined([getattr(item, field.name) for item in items]) for field in fields(first)))
