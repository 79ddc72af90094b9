"""Runs of a scenario whose draws are chosen: any uniform numbers, and any values of the paths that are varied.

An ensemble takes independent draws. Here a design says which uniform numbers each lane has, and which values at the paths of
its levers; engine, metrics and bits are those of an ensemble.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from stockpile.assemble import Parts, parts, unit_costs
from stockpile.clock import Array
from stockpile.draws import Collector, Columns, Design, Lever, groups_of
from stockpile.ensembles.folded import Key, each_metric
from stockpile.ensembles.numpy_engine import Block, Task
from stockpile.ensembles.rows import entries
from stockpile.ensembles.run import each_chunk, engine_for
from stockpile.metrics import BASELINE, first_ahead
from stockpile.samplers import Sampler, sampler
from stockpile.scenario import Scenario

Given = Callable[[int, int], dict[str, Array]]
Progress = Callable[[int], None]


class Repeated:
    """The same members again and again: lane k has the numbers of member k modulo `members`, correlated groups done.

    Attributes
    ----------
    members : int
    """

    def __init__(self, design: Design) -> None:
        self.members = design.members
        self._design = design

    @cached_property
    def _all(self) -> Array:
        return self._design.uniforms(0, self.members)

    def uniforms(self, first: int, count: int) -> Array:
        """Return the numbers of lanes `first` to `first + count - 1`, shape (streams, count)."""
        return self._all[:, np.arange(first, first + count) % self.members]


Found = Mapping[Key, Array]
"""Metrics of lanes: values of shape (lanes,) by policy, munition, recipient and metric."""


class Lanes:
    """Runs lanes of a scenario under some policies.

    Parameters
    ----------
    scenario : Scenario
        With a value at each lever's path that any of them could have: what the path leads to must be the same for all lanes.
    policies : sequence of str
    levers : tuple of Lever
    random : bool
        Whether all else is drawn, or has its central value.
    edges : sequence of int
        Step edges whose US stock is wanted, as metrics ``stock_at.<months from the start>``.
    only : sequence of str, optional
        Munitions that are run; the draws are those of all.
    quantities : sequence of str
        Stocks and flows that `follow` gives.
    engine : {"numpy", "compiled"}, optional

    Attributes
    ----------
    streams : tuple of str
        Names of the rows of uniform numbers.
    groups : tuple of Group
        Rows that are drawn together.

    Raises
    ------
    InputError
        As `stockpile.run`.
    """

    def __init__(
        self,
        scenario: Scenario,
        policies: Sequence[str],
        *,
        levers: tuple[Lever, ...] = (),
        random: bool = True,
        edges: Sequence[int] = (),
        only: Sequence[str] | None = None,
        quantities: Sequence[str] = (),
        engine: str | None = None,
    ) -> None:
        self.made, self.columns = _asked(scenario, policies, levers, random)
        if only is not None and set(only) < set(scenario.munitions):
            together = self.columns
            scenario = scenario.with_munitions(only)
            self.made, self.columns = _asked(scenario, policies, levers, random)
            _keep_company(self.columns, together)
        self.scenario, self.levers, self._engine = scenario, levers, engine
        self._last: tuple[Design, Any] | None = None
        self.streams = self.columns.streams
        self.groups = groups_of(self.columns)
        self.edges = tuple(sorted(set(edges)))
        self.entries = entries(quantities, self.made.axes.recipients, differences=False)

    def draws(self, seed: int, members: int, name: str = "random") -> Design:
        """Return the draws that an ensemble of that seed, size and sampler takes."""
        return self.design(sampler(name, seed, members, self.streams), members, name=name, seed=seed)

    def design(self, source: Sampler, lanes: int, given: Given | None = None, *, name: str = "chosen", seed: int = 0) -> Design:
        """Return a design of lanes: uniform numbers of `source`, in rows as of `streams`, and what the levers are given."""
        return Design(self.columns, seed, lanes, name, self.streams, self.groups, source, given)

    def repeated(self, draws: Design, points: int, given: Given) -> Design:
        """Return a design with all draws for each point, one point after another."""
        found = self.design(Repeated(draws), points * draws.members, given)
        return replace(found, groups=())

    def engine(self, design: Design) -> Any:
        """Return the engine for a design, with `block` and `stop`; several threads may use it.

        The last one is kept: a design whose source gives other numbers each time is run again and again.
        """
        # Threads may ask for different designs at once, so what is kept is read and replaced whole.
        last = self._last
        if last is None or last[0] is not design:
            scenario = self.scenario
            ahead = first_ahead(self.made.clock.dates, str(scenario.as_of))
            task = Task(scenario, self.made.axes.policies, design, self.entries, None, ahead, self.edges)
            last = self._last = design, engine_for(task, self.made, self._engine)
        return last[1]

    def follow(self, design: Design, take: Callable[[Array, int], None], *, at_once: int, threads: int = 1) -> None:
        """Run all lanes and hand over what is followed over time, some lanes at a time.

        Parameters
        ----------
        design : Design
        take : callable
            Is given rows of shape (policies, munitions, entries, edges, lanes), in the order of `entries`, and the number of the first
            lane; flows have one edge less. Several threads may call it.
        at_once : int
            Most lanes to a call.
        threads : int
        """
        engine = self.engine(design)

        def work(first: int, count: int) -> None:
            for start in range(first, first + count, at_once):
                take(engine.block(start, min(at_once, first + count - start), keep=True).rows, start)

        each_chunk(engine, work, design.members, threads, lambda done: None)

    def run(
        self,
        design: Design,
        pick: Callable[[Found], Array],
        *,
        first: int = 0,
        count: int | None = None,
        threads: int = 1,
        progress: Progress | None = None,
    ) -> Array:
        """Run lanes and return what `pick` takes of each block's metrics, side by side, shape (..., lanes).

        Parameters
        ----------
        design : Design
        pick : callable
        first, count : int
            Which lanes; all where left out.
        threads : int
        progress : callable, optional
            Is called with the number of lanes done.
        """
        engine = self.engine(design)
        found: dict[int, Array] = {}

        def work(start: int, number: int) -> None:
            found[start] = pick(found_in(engine.task, engine.block(first + start, number)))

        each_chunk(engine, work, design.members - first if count is None else count, threads, progress or (lambda done: None))
        return np.concatenate([found[start] for start in sorted(found)], axis=-1)


def metrics_of(scenario: Scenario, policy: str = BASELINE) -> dict[tuple[str, str, str], str]:
    """Return the unit of each metric there is, by munition, recipient and metric; found out by a run of one member."""
    return dict(_metrics_of(_Same(scenario), policy))


@dataclass(frozen=True)
class _Same:
    """A scenario, equal to others with the same values."""

    scenario: Scenario = field(compare=False)
    key: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", (self.scenario.digest, *self.scenario.munitions))


@lru_cache(maxsize=16)
def _metrics_of(same: _Same, policy: str) -> dict[tuple[str, str, str], str]:
    lanes = Lanes(same.scenario, [policy], random=False, engine="numpy")
    engine = lanes.engine(lanes.draws(0, 1))
    return {key[1:]: unit for key, unit, _ in each_metric(engine.task, engine.block(0, 1))}


def found_in(task: Task, block: Block) -> Found:
    """Return the metrics of a block."""
    return {key: values for key, _, values in each_metric(task, block)}


def _asked(scenario: Scenario, policies: Sequence[str], levers: tuple[Lever, ...], random: bool) -> tuple[Parts, Columns]:
    """Return what policies and munitions contribute, and what is drawn and given for it."""
    collector = Collector(scenario, levers, random=random)
    made = parts(scenario, policies, collector)
    unit_costs(made)
    return made, collector.columns


def _keep_company(columns: Columns, together: Columns) -> None:
    """Have those drawn too that are drawn together with what is: else the others of a group would be drawn in another way."""
    drawn = set(columns.streams)
    for group in columns.scenario.model.correlations.values():
        if drawn.intersection(group.paths):
            for path in group.paths:
                if path in together.streams and path not in drawn:
                    columns.chance(path)
