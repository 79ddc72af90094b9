"""From a scenario to an ensemble: what is drawn, blocks of members on an engine, and what is kept of them."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import numpy as np

from stockpile.assemble import Parts, assemble, parts, unit_costs
from stockpile.draws import Collector, Design, Drawn, design
from stockpile.engine import difference
from stockpile.ensembles.folded import WHOLE_BYTES, Folded
from stockpile.ensembles.numpy_engine import NumpyEngine, Task
from stockpile.ensembles.result import Ensemble
from stockpile.ensembles.rows import BANDS, Counting, entries
from stockpile.errors import InputError, Problem, nearest
from stockpile.metrics import BASELINE, first_ahead
from stockpile.results import Result
from stockpile.scenario import Scenario
from stockpile.simulate import manifest, named, on_steps, run
from stockpile.sketch import BINS, Counts, Distribution, Whole, bins_for

CHUNK = 4096
"""Members to a task. Fixed, since sums are taken chunk by chunk: another number would move their last bits."""
PILOT = 1024
"""Members that show between which bounds the rest may lie."""
KEPT_BYTES = 4_000_000_000
"""Most memory that trajectories may take."""
ENGINES = ("numpy", "compiled")
Progress = Callable[[int], None]


def ensemble(
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
    _check(scenario, members, seed, engine, threads)
    collector = Collector(scenario)
    made = parts(scenario, policies, collector)
    unit_costs(made)
    drawn = design(collector.columns, seed, members, sampler)
    task = _task(scenario, made, drawn, quantities, dates)
    chosen = _engine(task, made, engine)
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


def _check(scenario: Scenario, members: int, seed: int, engine: str | None, threads: int | None) -> None:
    problems = []

    def wrong(key: str, message: str) -> None:
        problems.append(Problem("ensemble", 0, 0, key, message))

    if isinstance(members, bool) or not isinstance(members, int) or members < 1:
        wrong("members", f"{members!r}; allowed: a whole number from 1 on")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        wrong("seed", f"{seed!r}; allowed: a whole number from 0 on")
    if engine is not None and engine not in ENGINES:
        wrong("engine", f"unknown engine {engine!r}; {nearest(engine, ENGINES)}")
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
        wrong("threads", f"{threads!r}; allowed: a whole number from 1 on")
    if scenario.settings.method != "difference":
        wrong("method", f"{scenario.settings.method!r} runs one member at a time; allowed: difference")
    if problems:
        raise InputError(problems)


def _task(scenario: Scenario, made: Parts, drawn: Design, quantities: Sequence[str] | str, dates: Sequence[str]) -> Task:
    axes, clock = made.axes, made.clock
    own = [(name, rule) for name, rule in zip(axes.policies, made.rules, strict=True) if ":" in rule]
    if own:
        name, rule = own[0]
        raise InputError.one(f"policies.{name}.allocation.use", f"{rule!r} of your own runs with central values alone; allowed: pro_rata, weights")
    base = axes.policies.index(BASELINE) if BASELINE in axes.policies else None
    differences = base is not None and len(axes.policies) > 1
    edges = []
    for date in dates:
        when = np.datetime64(date, "s")
        if not clock.dates[0] <= when <= clock.dates[-1]:
            message = f"{date} is outside the run; allowed: {str(clock.dates[0])[:10]} to {str(clock.dates[-1])[:10]}"
            raise InputError.one("dates", message)
        edges.append(int(np.searchsorted(clock.dates, when, side="right")) - 1)
    return Task(
        scenario, axes.policies, drawn, entries(quantities, axes.recipients, differences=differences), base,
        first_ahead(clock.dates, str(scenario.as_of)), tuple(sorted(set(edges))),
    )


def _engine(task: Task, made: Parts, engine: str | None) -> Any:
    return NumpyEngine(task)


def _blocks(task: Task, made: Parts, engine: Any, threads: int, progress: Progress) -> tuple[Distribution, Folded]:
    """Run all blocks and return what was followed over time, and the metrics."""
    members, edges = task.design.members, len(made.clock.steps)
    pilot = engine.block(0, min(members, PILOT), keep=True)
    folded = Folded(task, members, pilot, edges)
    cells = pilot.rows[..., 0].size
    if cells * members * 8 <= WHOLE_BYTES:
        held = np.empty((*pilot.rows.shape[:-1], members))
        held[..., : pilot.rows.shape[-1]] = pilot.rows

        def keep(first: int, count: int) -> Any:
            block = engine.block(first, count, keep=True)
            held[..., first : first + count] = block.rows
            return block

        for first, block in _each(keep, members, threads, progress):
            folded.take(first, block)
        return Whole(held), folded
    low, width = _bins(pilot.rows)
    spare: list[Counting] = []
    used: list[Counting] = []

    def tally(first: int, count: int) -> Any:
        into = spare.pop() if spare else _counting(low, width, used)
        block = engine.block(first, count, into=into)
        spare.append(into)
        return block

    for first, block in _each(tally, members, threads, progress):
        folded.take(first, block)
    counts = used[0].counts
    for other in used[1:]:
        counts += other.counts
    return Counts(low, width, counts), folded


def _bins(rows: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[Any, Any]:
    """Return where bins begin and their width for rows of the pilot; cells without values get bins of no use."""
    known = ~np.isnan(rows[..., 0])
    safe = np.where(known[..., None], rows, 0.0)
    return bins_for(safe.min(axis=-1), safe.max(axis=-1))


def _counting(low: Any, width: Any, used: list[Counting]) -> Counting:
    made = Counting(low, 1.0 / width, np.zeros((*low.shape, BINS + 2), dtype=np.uint32))
    used.append(made)
    return made


def _each(work: Callable[[int, int], Any], members: int, threads: int, progress: Progress) -> Iterator[tuple[int, Any]]:
    """Yield first member and block of every chunk, as they get done; few are in memory at a time."""
    firsts = range(0, members, CHUNK)
    done = 0
    with ThreadPoolExecutor(min(threads, len(firsts))) as pool:
        waiting = iter(firsts)
        running = {}
        try:
            for first in waiting:
                running[pool.submit(work, first, min(CHUNK, members - first))] = first
                if len(running) <= threads:
                    continue
                future = next(as_completed(running))
                at = running.pop(future)
                yield at, future.result()
                done += min(CHUNK, members - at)
                progress(done)
            for future in as_completed(list(running)):
                at = running.pop(future)
                yield at, future.result()
                done += min(CHUNK, members - at)
                progress(done)
        finally:
            for future in running:
                future.cancel()


def _trajectories(scenario: Scenario, policies: Sequence[str], drawn: Design) -> Result:
    """Return all members' trajectories."""
    values = Drawn(drawn, 0, drawn.members)
    edges = parts(scenario, policies).clock.steps.size
    size = 8 * drawn.members * len(policies) * len(scenario.munitions) * edges * (60 + 25 * len(scenario.recipients))
    if size > KEPT_BYTES:
        most = math.floor(drawn.members * KEPT_BYTES / size)
        raise InputError.one("members", f"trajectories of {drawn.members} take {size / 1e9:.1f} GB; allowed: at most {most}, or keep=False")
    assembly = assemble(scenario, policies, values)
    count = len(assembly.clock.steps) - 1
    found = difference.run(assembly.opening, on_steps(assembly), assembly.constants, assembly.clock.dt, count)
    return named(scenario, assembly, found, None)
