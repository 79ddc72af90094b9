"""From a scenario to an ensemble: what is drawn, blocks of members on an engine, and what is kept of them."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockpile import compiler
from stockpile.assemble import Parts, assemble, parts, unit_costs
from stockpile.clock import Array
from stockpile.draws import Collector, Design, Drawn, design
from stockpile.engine import difference
from stockpile.ensembles.asked import Asked
from stockpile.ensembles.folded import WHOLE_BYTES, Folded
from stockpile.ensembles.numpy_engine import NumpyEngine, Task, joined_blocks
from stockpile.ensembles.result import Ensemble
from stockpile.ensembles.rows import BANDS, Counting, entries
from stockpile.errors import InputError
from stockpile.metrics import BASELINE, first_ahead
from stockpile.results import Result
from stockpile.scenario import Scenario
from stockpile.simulate import manifest, named, on_steps, run
from stockpile.sketch import BINS, Counts, Distribution, Whole, bins_for

CHUNK = 2048
"""Members to a task. Fixed, since sums are taken chunk by chunk: another number would move their last bits."""
PILOT = 512
"""Members that show between which bounds the rest may lie."""
WORTH_COMPILING = 4000
"""Runs (members x policies x munitions) from which compiling takes less time than it saves."""
KEPT_BYTES = 4_000_000_000
"""Most memory that trajectories may take."""
Progress = Callable[[int], None]


def ensemble(  # noqa: PLR0913 - the names that users give
    scenario: Scenario,
    policies: Sequence[str] | None = None,
    members: int = 1000,
    seed: int = 1,
    sampler: str = "random",
    *,
    quantities: Sequence[str] | str = BANDS,
    dates: Sequence[str] = (),
    keep: bool = False,
    engine: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Ensemble:
    """Run many draws of a scenario; all policies on the same draws.

    Parameters
    ----------
    scenario : Scenario
    policies : sequence of str, optional
        Names of policies; the scenario's own where left out. Differences are measured from ``none``, where it is among them.
    members : int
        Number of draws.
    seed : int
        Draw k of a parameter depends on the seed, the parameter's path and k alone (sampler ``random``).
    sampler : {"random", "lhs", "sobol"}
        How draws are spread (see ``docs/uncertainty.md``).
    quantities : sequence of str, or "all"
        Stocks and flows whose bands over time are wanted.
    dates : sequence of str
        Dates at which each member's US stock is wanted, as metrics ``stock_at.<months from the start>``.
    keep : bool
        Whether to keep all members' trajectories, as `Ensemble.trajectories`.
    engine : {"numpy", "compiled"}, optional
        Both give the same bits; left out, the faster one is taken.
    threads : int, optional
        How many to use; all cores where left out. Moves no number.
    progress : callable, optional
        Is called with the number of members done.

    Returns
    -------
    Ensemble

    Raises
    ------
    InputError
        As `run`; and for members, sampler, quantities, dates or engine that cannot be.
    """
    Asked(
        policies=policies, members=members, seed=seed, sampler=sampler, quantities=quantities, dates=dates, engine=engine, threads=threads
    ).check(scenario)
    # Whole numbers of NumPy are none of Python's, which manifests and files are made of.
    members, seed, threads = int(members), int(seed), None if threads is None else int(threads)
    collector = Collector(scenario)
    made = parts(scenario, policies, collector)
    unit_costs(made)
    drawn = design(collector.columns, seed, members, sampler)
    task = _task(scenario, made, drawn, quantities, dates)
    if keep:
        _check_kept(task, made)
    chosen = engine_for(task, made, engine)
    rows, folded = _blocks(task, made, chosen, threads or os.cpu_count() or 1, progress or (lambda done: None))
    return Ensemble(
        policies=task.policies,
        munitions=made.axes.munitions,
        recipients=made.axes.recipients,
        members=members,
        dates=made.clock.dates,
        entries=task.entries,
        bands=rows,
        keys=tuple(folded.keys),
        units=tuple(folded.units),
        metric_values=folded.distributions(),
        moments=folded.sums(),
        level_names={name: tuple(shared.levels) for name, shared in made.common.items()},
        manifest=manifest(scenario, task.policies)
        | {"members": members, "seed": seed, "sampler": sampler, "drawn": len(drawn.streams), "engine": chosen.name},
        central=run(scenario, policies),
        trajectories=_trajectories(scenario, task.policies, drawn) if keep else None,
    )


def _task(scenario: Scenario, made: Parts, drawn: Design, quantities: Sequence[str] | str, dates: Sequence[str]) -> Task:
    axes, clock = made.axes, made.clock
    own = [(name, rule) for name, rule in zip(axes.policies, made.rules, strict=True) if ":" in rule]
    if own:
        name, rule = own[0]
        message = f"{rule!r} of your own runs with central values alone; allowed: pro_rata, weights"
        raise InputError.one(f"policies.{name}.allocation.use", message)
    base = axes.policies.index(BASELINE) if BASELINE in axes.policies else None
    differences = base is not None and len(axes.policies) > 1
    edges = {int(np.searchsorted(clock.dates, np.datetime64(date, "s"), side="right")) - 1 for date in dates}
    return Task(
        scenario, axes.policies, drawn, entries(quantities, axes.recipients, differences=differences), base,
        first_ahead(clock.dates, str(scenario.as_of)), tuple(sorted(edges)),
    )


def engine_for(task: Task, made: Parts, engine: str | None) -> Any:
    """Return the engine: the compiled one where it is asked for, is stored already, or saves more time than it takes to compile."""
    if engine == "compiled" and not compiler.available():
        raise InputError.one("engine", "compiled code needs llvmlite: pip install 'stockpile[fast]'; allowed: numpy", file="ensemble")
    if engine == "numpy" or not compiler.available():
        return NumpyEngine(task)
    from stockpile.ensembles.compiled_engine import CompiledEngine
    from stockpile.ensembles.traced import printed

    runs = task.design.members * len(task.policies) * len(made.axes.munitions)
    if engine is None and runs < WORTH_COMPILING and not compiler.is_stored(printed(len(made.axes.recipients))[2]):
        return NumpyEngine(task)
    return CompiledEngine(task)


def _blocks(task: Task, made: Parts, engine: Any, threads: int, progress: Progress) -> tuple[Distribution, Folded]:
    """Run all blocks and return what was followed over time, and the metrics."""
    members, edges = task.design.members, len(made.clock.steps)
    _check_memory(task, len(made.axes.munitions) * edges, threads)
    pilot = engine.block(0, min(members, PILOT), keep=True)
    folded = Folded(task, members, pilot, edges)
    if pilot.rows[..., 0].size * members * 8 <= WHOLE_BYTES:
        held = np.empty((*pilot.rows.shape[:-1], members))

        def keep(first: int, count: int) -> None:
            found = []
            # In small parts, since rows stand twice in memory on their way.
            for start in range(first, first + count, PILOT):
                block = engine.block(start, min(PILOT, first + count - start), keep=True)
                held[..., start : start + block.rows.shape[-1]] = block.rows
                found.append(replace(block, rows=None))
            folded.take(first, joined_blocks(found))

        if members <= PILOT:
            held[:] = pilot.rows
            folded.take(0, pilot)
            progress(members)
        else:
            each_chunk(engine, keep, members, threads, progress)
        return Whole(held), folded
    low, width = _bins(pilot.rows)
    del pilot
    tallies = _Tallies(low, width)

    def tally(first: int, count: int) -> None:
        folded.take(first, engine.block(first, count, into=tallies.own()), engine.tally)

    each_chunk(engine, tally, members, threads, progress)
    return Counts(low, width, tallies.sum()), folded


def _check_memory(task: Task, cells: int, threads: int) -> None:
    """Refuse to follow more over time than fits into memory: `cells` are those of one entry and policy."""
    cells *= len(task.policies) * len(task.entries)
    pilot = 8 * cells * min(task.design.members, PILOT)
    counts = 4 * cells * (BINS + 2) * threads if 8 * cells * task.design.members > WHOLE_BYTES else 0
    size = max(pilot, counts)
    if size > KEPT_BYTES:
        what = f"{len(task.entries)} rows over time under {len(task.policies)} policies take {size / 1e9:.1f} GB"
        allowed = f"at most {KEPT_BYTES / 1e9:g} GB, so fewer quantities or policies"
        raise InputError.one("quantities", f"{what}; allowed: {allowed}", file="ensemble")


class _Tallies:
    """Counts in bins, one set a thread; whole numbers, so that their sum is the same in any order."""

    def __init__(self, low: Array, width: Array) -> None:
        self.low, self.per_bin = low, 1.0 / width
        self._made: list[Counting] = []
        self._local = threading.local()

    def own(self) -> Counting:
        """Return this thread's counts."""
        found: Counting | None = getattr(self._local, "counting", None)
        if found is None:
            found = self._local.counting = Counting(self.low, self.per_bin, np.zeros((*self.low.shape, BINS + 2), dtype=np.uint32))
            self._made.append(found)
        return found

    def sum(self) -> NDArray[np.uint32]:
        """Return the counts of all threads together."""
        result = self._made[0].counts
        for other in self._made[1:]:
            result += other.counts
        return result


def _bins(rows: Array) -> tuple[Array, Array]:
    """Return where bins begin and their width for rows of the pilot; cells without values get bins of no use."""
    least, largest = rows.min(axis=-1), rows.max(axis=-1)
    known = ~np.isnan(least)
    return bins_for(np.where(known, least, 0.0), np.where(known, largest, 0.0))


def each_chunk(engine: Any, work: Callable[[int, int], None], members: int, threads: int, progress: Progress) -> None:
    """Do the work on every chunk of members, on several threads; an interrupt stops those under way."""
    firsts = range(0, members, CHUNK)
    done = 0
    with ThreadPoolExecutor(min(threads, len(firsts))) as pool:
        running: dict[Any, int] = {}
        try:
            for first in firsts:
                count = min(CHUNK, members - first)
                running[pool.submit(work, first, count)] = count
                while len(running) > 2 * threads:
                    done += _finished(running)
                    progress(done)
            while running:
                done += _finished(running)
                progress(done)
        finally:
            if running:
                engine.stop()
            for future in running:
                future.cancel()


def _finished(running: dict[Any, int]) -> int:
    """Wait for the next chunks to be done, and return how many members that were."""
    ready, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in ready:
        future.result()
    return sum(running.pop(future) for future in ready)


def _check_kept(task: Task, made: Parts) -> None:
    """Refuse to keep more trajectories than fit into memory."""
    members, lanes = task.design.members, len(task.policies) * len(made.axes.munitions)
    size = 8 * members * lanes * made.clock.steps.size * (60 + 25 * len(made.axes.recipients))
    if size > KEPT_BYTES:
        most = math.floor(members * KEPT_BYTES / size)
        message = f"trajectories of {members} take {size / 1e9:.1f} GB; allowed: at most {most}, or keep=False"
        raise InputError.one("members", message, file="ensemble")


def _trajectories(scenario: Scenario, policies: Sequence[str], drawn: Design) -> Result:
    """Return all members' trajectories."""
    assembly = assemble(scenario, policies, Drawn(drawn, 0, drawn.members))
    count = len(assembly.clock.steps) - 1
    found = difference.run(assembly.opening, on_steps(assembly), assembly.constants, assembly.clock.dt, count)
    return named(scenario, assembly, found, None)
