"""The difference engine: the equations on NumPy arrays over lanes, one step after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from stockpile.engine.trajectories import Array, Trajectories, at, record, room
from stockpile.model import equations
from stockpile.model.state import Constants, Flows, Known, State


def step(
    state: State, known: Known, constants: Constants, dt: float, allocate: equations.Allocate = equations.allocate
) -> tuple[State, Flows, State]:
    """Return one step: the stocks at its start with the review in force, the flows over it, the stocks at its end.

    Parameters
    ----------
    state : State
        Stocks at the start of the step, arrays of shape (lanes,).
    known : Known
        Means over the step, arrays of shape (lanes,).
    constants : Constants
    dt : float
        Length of the step [month].
    allocate : callable, optional
        The allocation; the equations' own where left out.
    """
    state = replace(state, review=equations.review_next(state, known))
    flow = equations.flows(state, known, constants, allocate)
    return state, flow, equations.after(state, equations.change(known, flow), dt)


def steps(
    opening: State, series: Known, constants: Constants, dt: float, count: int, allocate: equations.Allocate = equations.allocate
) -> Iterator[tuple[State, Flows, State]]:
    """Yield step after step; `series` holds means over the steps, arrays of shape (steps, lanes)."""
    state = opening
    for number in range(count):
        before, flow, state = step(state, at(series, number), constants, dt, allocate)
        yield before, flow, state


def run(
    opening: State, series: Known, constants: Constants, dt: float, count: int, allocate: equations.Allocate = equations.allocate
) -> Trajectories:
    """Return the trajectories of a run of `count` steps of `dt` months."""
    stocks = room(State, opening, count + 1)
    flows: dict[str, Array] = {}
    record(stocks, 0, opening)
    for number, (before, flow, state) in enumerate(steps(opening, series, constants, dt, count, allocate)):
        flows = flows or room(Flows, flow, count)
        stocks["review"][number] = before.review
        record(flows, number, flow, scale=dt)
        record(stocks, number + 1, state)
    stocks["review"] = stocks["review"][:count]
    return Trajectories(stocks, flows)
