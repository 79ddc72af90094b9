"""Runs that keep summaries and not their trajectories: the difference engine, folded step by step on NumPy arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockpile.engine.difference import step
from stockpile.engine.trajectories import at
from stockpile.model import equations, summaries
from stockpile.model.state import Constants, Flows, Known, State

Array = NDArray[np.float64]
Watch = Callable[[int, State, Known, Flows | None], None]
"""Is shown each step: its number, the stocks at its start, what is known, the flows; at the end of the run the stocks alone."""


@dataclass(frozen=True)
class Summary:
    """What is kept of a run, arrays of shape (members,).

    Attributes
    ----------
    lowest : Lowest
    passages : tuple of Passage
        One a named level, in order.
    totals : Totals
    at_end : array
        US stock at the end of the run [round].
    at_dates : tuple of array
        US stock at the step edges asked for [round].
    """

    lowest: summaries.Lowest
    passages: tuple[summaries.Passage, ...]
    totals: summaries.Totals
    at_end: Array
    at_dates: tuple[Array, ...] = ()


def summarise(
    lane: tuple[Known, Constants, State],
    levels: Sequence[Array],
    dt: float,
    ahead: int,
    edges: Sequence[int] = (),
    watch: Watch | None = None,
) -> Summary:
    """Return the summary of a run of one policy and one munition.

    Parameters
    ----------
    lane : tuple of Known, Constants, State
        Series as means over the steps, arrays of shape (steps, members) or (steps, 1); opening stocks of shape (members,).
    levels : sequence of array
        Named levels [round], each of shape (members,).
    dt : float
        Length of a step [month].
    ahead : int
        The first step edge after `as_of`.
    edges : sequence of int
        Step edges whose US stock is wanted.
    watch : callable, optional
        Is shown each step.
    """
    series, constants, state = lane
    count = len(series.line)
    zero = np.zeros_like(state.us_on_hand)
    totals = summaries.nothing_moved(zero, len(state.on_hand))
    path = []
    for number in range(count + 1):
        path.append(state.us_on_hand)
        if number < count:
            known = at(series, number)
            before, flow, state = step(state, known, constants, dt)
            totals = summaries.add(totals, flow, dt)
            if watch:
                watch(number, before, known, flow)
        elif watch:
            watch(number, state, at(series, count - 1), None)
    lowest, passages = _look_back(path, levels, ahead)
    return Summary(lowest, passages, totals, state.us_on_hand, tuple(path[edge] for edge in edges))


def _look_back(path: Sequence[Array], levels: Sequence[Array], ahead: int) -> tuple[summaries.Lowest, tuple[summaries.Passage, ...]]:
    """Return what the path of the US stock shows, from its end back."""
    zero = np.zeros_like(path[0])
    lowest, passages = summaries.nothing_seen(zero), tuple(summaries.not_passed(zero) for _ in levels)
    for number in reversed(range(len(path))):
        stock, inside = path[number], 1.0 if number < len(path) - 1 else 0.0
        passages = tuple(
            summaries.compare(passage, stock, level, lowest.stock, float(number), inside)
            for passage, level in zip(passages, levels, strict=True)
        )
        lowest = summaries.look(lowest, stock, float(number), 1.0 if number >= ahead else 0.0)
    return lowest, tuple(replace(passage, later=summaries.NEVER) for passage in passages)


def rows_of(state: State, known: Known, flow: Flows | None, dt: float, keys: Sequence[str]) -> list[Any]:
    """Return the rows of a step by the keys of `stockpile.codegen.trace` (``state.…``, ``flow.…``, ``series.…``).

    Flows and what enters are in rounds over the step; without flows (at the end of the run) theirs are None.
    """
    return [_row(state, known, flow, dt, key) for key in keys]


def _row(state: State, known: Known, flow: Flows | None, dt: float, key: str) -> Any:
    kind, name, *place = key.split(".")
    if kind == "state":
        if name == "unpromised":
            return state.us_on_hand - equations.total(state.deferred)
        value = getattr(state, name)
    elif flow is None:
        return None
    else:
        value = getattr(flow if kind == "flow" else known, name)
    value = value[int(place[0])] if place else value
    return value if kind == "state" or key == "flow.free" else value * dt
