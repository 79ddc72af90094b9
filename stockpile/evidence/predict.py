"""What the model says of observations: for every lane of a design, the quantities that they count."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stockpile import line
from stockpile.clock import Array, Clock
from stockpile.draws import Design, Drawn
from stockpile.ensembles.rows import Entry as Followed
from stockpile.errors import InputError
from stockpile.evidence.measures import Measure
from stockpile.experiments.lanes import Lanes
from stockpile.scenario import Scenario

AS_IT_HAPPENED = "suspension_2025_07"
"""The policy under which the past is looked at, where the scenario has it."""
DAILY = 28
"""Steps a month from which a step is about a day."""
ROWS_BYTES = 100_000_000
"""Most memory that rows over time may take in a thread."""


def in_run(measure: Measure, scenario: Scenario) -> bool:
    """Tell whether a scenario runs over the day or window of a measure."""
    start, end = scenario.settings.start, scenario.settings.end
    assert start and end
    first, last = measure.date or measure.start, measure.date or measure.end
    assert first and last
    return start <= first and last <= end


def run_under(scenario: Scenario, policy: str | None = None) -> str:
    """Return the policy under which the past is looked at: the one given, `AS_IT_HAPPENED`, or the scenario's first."""
    return policy or next((name for name in scenario.policies if name == AS_IT_HAPPENED), scenario.chosen(None)[0])


@dataclass(frozen=True)
class _Term:
    """One sum over time: a row followed, the edges (or steps) it is taken at, and their weights."""

    row: int
    edges: slice
    weights: Array


class Predictor:
    """Works out measures for lanes of a scenario.

    Parameters
    ----------
    scenario : Scenario
    measures : sequence of Measure
        Each within the run (see `in_run`), of the scenario's munitions.
    policy : str, optional
        The one under which they are worked out: `AS_IT_HAPPENED` where the scenario has it, else its first.
    substeps : int
        Steps a month: stocks between two step edges are read off the straight line between them.
    engine : {"numpy", "compiled"}, optional

    Attributes
    ----------
    scenario : Scenario
        With that step, and ending with the last measure.
    lanes : Lanes
        Its `design`, `draws` and `streams` say which draws there are.

    Raises
    ------
    InputError
        For a measure outside the run.
    """

    def __init__(
        self, scenario: Scenario, measures: Sequence[Measure], policy: str | None = None, *, substeps: int = 4, engine: str | None = None
    ) -> None:
        outside = [one for one in measures if not in_run(one, scenario) or one.munition not in scenario.munitions]
        if outside or not measures:
            message = f"{outside[0] if outside else 'none'}: outside the run; allowed: within its months"
            raise InputError.one("observations", message, file=scenario.name)
        self.policy = run_under(scenario, policy)
        self.measures = tuple(measures)
        last = max(one.date or one.end or dt.date.min for one in measures)
        end = min(dt.date(last.year + last.month // 12, last.month % 12 + 1, 1), scenario.settings.end or dt.date.max)
        changes = {"scenario.substeps": substeps, "scenario.method": "difference", "scenario.end": end, "scenario.policies": [self.policy]}
        self.scenario = scenario.override(changes)
        only = [name for name in scenario.munitions if any(one.munition == name for one in measures)]
        quantities = list(dict.fromkeys(quantity for one in measures for quantity, _, _ in one.terms)) or ["us_on_hand"]
        self.lanes = Lanes(self.scenario, [self.policy], only=only, quantities=quantities, engine=engine)
        self.clock = self.lanes.made.clock
        self._munitions = self.lanes.made.axes.munitions
        self._terms = [self._of(one) for one in self.measures]

    def _of(self, measure: Measure) -> list[_Term]:
        """Return what is added up for a measure that follows stocks or flows."""
        found = []
        for quantity, row, sign in measure.terms:
            number = next(n for n, entry in enumerate(self.lanes.entries) if (entry.quantity, entry.row) == (quantity, row))
            found.append(_term(self.clock, self.lanes.entries[number], number, measure, sign))
        return found

    def drawn(self, members: int, seed: int, sampler: str = "random", *, threads: int | None = None) -> Array:
        """Return the measures for the members of an ensemble, shape (measures, members)."""
        return self.of(self.lanes.draws(seed, members, sampler), threads=threads)

    def of(self, design: Design, *, threads: int | None = None) -> Array:
        """Return the measures for the lanes of a design of `lanes`, shape (measures, lanes) [round, or round/month for a rate]."""
        result = np.full((len(self.measures), design.members), np.nan)
        cells = len(self._munitions) * max(len(self.lanes.entries), 1) * len(self.clock.steps)
        at_once = int(np.clip(ROWS_BYTES // (8 * cells), 1, 1024))

        def take(rows: Array, first: int) -> None:
            for number, measure in enumerate(self.measures):
                if measure.kind == "capacity":
                    continue
                own = rows[0, self._munitions.index(measure.munition)]
                into = result[number, first : first + rows.shape[-1]]
                into[:] = 0.0
                for term in self._terms[number]:
                    into += np.einsum("e,em->m", term.weights, own[term.row, term.edges])

        if any(one.terms for one in self.measures):
            self.lanes.follow(design, take, at_once=at_once, threads=threads or os.cpu_count() or 1)
        self._capacities(design, result)
        return result

    def _capacities(self, design: Design, into: Array) -> None:
        """Fill in what the line can deliver, which takes no run."""
        wanted = [(number, one) for number, one in enumerate(self.measures) if one.kind == "capacity"]
        for first in range(0, design.members if wanted else 0, 1024):
            count = min(1024, design.members - first)
            numbers = type(self.lanes.made.numbers)(self.lanes.scenario, Drawn(design, first, count), self.clock)
            for row, one in wanted:
                series = line.capacity(numbers, one.munition, one.part)
                into[row, first : first + count] = _mean(self.clock, series, one)


def _mean(clock: Clock, series: Array, measure: Measure) -> Array:
    """Return a series known in advance on a day, or its mean over a window, shape (members,) or (1,)."""
    if measure.date is not None:
        at = int(np.searchsorted(clock.knots, clock.at(measure.date) + 1e-9, side="right")) - 1
        return np.asarray(series[min(at, len(series) - 1)])
    assert measure.start is not None and measure.end is not None
    lengths = clock.overlap(clock.at(measure.start), clock.at(measure.end))[:, 0] * np.diff(clock.knots)
    return np.asarray(np.broadcast_to(series, (len(lengths), series.shape[-1])).T @ (lengths / lengths.sum()))


def _term(clock: Clock, entry: Followed, row: int, measure: Measure, sign: float) -> _Term:
    steps = clock.steps
    if not entry.is_flow:
        assert measure.date is not None
        at = clock.at(measure.date)
        left = min(int(np.searchsorted(steps, at + 1e-9, side="right")) - 1, len(steps) - 2)
        part = (at - steps[left]) / (steps[left + 1] - steps[left])
        return _Term(row, slice(left, left + 2), sign * np.array([1.0 - part, part]))
    assert measure.start is not None and measure.end is not None
    start, end = clock.at(measure.start), clock.at(measure.end)
    first = int(np.searchsorted(steps, start + 1e-9, side="right")) - 1
    last = int(np.searchsorted(steps, end - 1e-9, side="left"))
    low, high = steps[first:last], steps[first + 1 : last + 1]
    shares = (np.minimum(high, end) - np.maximum(low, start)) / (high - low)
    if clock.substeps >= DAILY and not measure.per_month:
        # A day need not lie on step edges, and what happens on one is spread over the steps it touches: so they count whole.
        shares = np.ones_like(shares)
    return _Term(row, slice(first, last), sign * shares / ((end - start) if measure.per_month else 1.0))
