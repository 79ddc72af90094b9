"""The same right-hand side as an ordinary differential equation, by `scipy.integrate.solve_ivp`.

Between two breaks everything known in advance is constant, so that the solver meets no jump; the flows are integrated along
with the stocks. The review of a stock-triggered suspension switches where the stock crosses its level, found as an event.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockpile.engine.trajectories import Trajectories, at, record, room
from stockpile.model import equations
from stockpile.model.state import Constants, Flows, Known, State

Array = NDArray[np.float64]
TOLERANCE = 1e-9
"""Relative tolerance of the solver; the absolute one is this times the largest opening stock of the lane."""
BAND = 1e-3
"""Where `review_on` and `review_off` are (nearly) the same level, the review is lifted this much above it: an ODE cannot
switch back and forth at one level for ever."""


class _Packing:
    """Stocks and cumulative flows as one vector, and back."""

    def __init__(self, state: State, flow: Flows) -> None:
        self.stocks = [field.name for field in fields(State) if field.name != "review"]
        self.flows = [field.name for field in fields(Flows) if field.name != "free"]
        self.shapes = {name: np.shape(getattr(state, name)) for name in self.stocks}
        self.shapes |= {f"sum_{name}": np.shape(getattr(flow, name)) for name in self.flows}

    def pack(self, state: State, flow: Any | None) -> Array:
        parts = [np.ravel(getattr(state, name)) for name in self.stocks]
        for name in self.flows:
            zero = np.zeros(int(np.prod(self.shapes[f"sum_{name}"])))
            parts.append(zero if flow is None else np.ravel(getattr(flow, name)))
        return np.concatenate(parts)

    def wide(self, lanes: Array) -> Array:
        """Return one number a lane as a vector of the same layout."""
        return np.concatenate([np.ravel(np.broadcast_to(lanes, shape)) for shape in self.shapes.values()])

    def unpack(self, vector: Array, review: Array) -> tuple[State, dict[str, Array]]:
        found: dict[str, Any] = {}
        start = 0
        for name, shape in self.shapes.items():
            size = int(np.prod(shape))
            value = vector[start : start + size].reshape(shape)
            found[name] = tuple(value) if len(shape) == 2 and not name.startswith("sum_") else value
            start += size
        state = State(**{name: found[name] for name in self.stocks}, review=review)
        return state, {name: found[f"sum_{name}"] for name in self.flows}


def run(
    opening: State,
    series: Known,
    knots: Array,
    grid: Array,
    constants: Constants,
    allocate: equations.Allocate = equations.allocate,
) -> Trajectories:
    """Return the trajectories of the ODE at the times of `grid`.

    Parameters
    ----------
    opening : State
        Stocks at the start, arrays of shape (lanes,).
    series : Known
        Constant on the intervals between `knots`, arrays of shape (intervals, lanes).
    knots, grid : array
        Months from the start: interval edges, and the times to report.
    constants : Constants
    allocate : callable, optional
        The allocation; the equations' own where left out.
    """
    series = replace(series, review_off=np.maximum(series.review_off, series.review_on * (1.0 + BAND)))
    first = equations.flows(opening, at(series, 0), constants, allocate)
    packing = _Packing(opening, first)
    stocks, flows = room(State, opening, len(grid)), room(Flows, first, len(grid) - 1)
    state = replace(opening, review=equations.review_next(opening, at(series, 0)))
    largest = np.max([np.max(np.atleast_2d(np.array(getattr(opening, name))), axis=0) for name in packing.stocks], axis=0)
    tolerance = packing.wide(TOLERANCE * np.maximum(largest, 1.0))
    edges = np.unique(np.concatenate([knots, grid]))
    sums = np.zeros(0)
    row = 0
    record(stocks, 0, state)
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        known = at(series, int(np.searchsorted(knots, low, side="right")) - 1)
        state = replace(state, review=equations.review_next(state, known))
        if low == grid[row]:
            flows["free"][row] = equations.flows(state, known, constants, allocate).free
            stocks["review"][row] = state.review
            vector = packing.pack(state, None)
            sums = vector[len(vector) - _size(packing) :]
        vector = packing.pack(state, None)
        vector[len(vector) - _size(packing) :] = sums
        vector, review = _piece(vector, state.review, packing, known, constants, allocate, float(low), float(high), tolerance)
        state, totals = packing.unpack(vector, review)
        sums = vector[len(vector) - _size(packing) :]
        if high == grid[row + 1]:
            for name in packing.flows:
                flows[name][..., row, :] = totals[name]
            row += 1
            record(stocks, row, state)
    stocks["review"] = stocks["review"][: len(grid) - 1]
    return Trajectories(stocks, flows)


def _size(packing: _Packing) -> int:
    return sum(int(np.prod(packing.shapes[f"sum_{name}"])) for name in packing.flows)


def _piece(
    vector: Array, review: Array, packing: _Packing, known: Known, constants: Constants,
    allocate: equations.Allocate, low: float, high: float, tolerance: Array,
) -> tuple[Array, Array]:
    """Integrate from `low` to `high`, switching the review wherever a stock crosses its level."""
    from scipy.integrate import solve_ivp

    time = low
    while time < high:
        crossing = _crossing(packing, review, known)
        done = solve_ivp(
            _slope(packing, review, known, constants, allocate), (time, high), vector,
            method="RK45", rtol=TOLERANCE, atol=tolerance, events=crossing,
        )
        if done.status < 0:
            raise ArithmeticError(f"the ODE solver stopped at month {done.t[-1]:g}: {done.message}")
        vector, time = done.y[:, -1], float(done.t[-1]) if done.status == 1 else high
        if done.status == 1:
            state, _ = packing.unpack(vector, review)
            below = (review < 0.5) & (state.us_on_hand <= known.review_on * (1.0 + 1e-12))
            above = (review > 0.5) & (state.us_on_hand >= known.review_off * (1.0 - 1e-12))
            review = np.where(below, 1.0, np.where(above, 0.0, review))
    return vector, review


def _slope(
    packing: _Packing, review: Array, known: Known, constants: Constants, allocate: equations.Allocate
) -> Callable[[float, Array], Array]:
    def slope(_: float, vector: Array) -> Array:
        state, _totals = packing.unpack(vector, review)
        flow = equations.flows(state, known, constants, allocate)
        return packing.pack(equations.change(known, flow), flow)

    return slope


def _crossing(packing: _Packing, review: Array, known: Known) -> Callable[[float, Array], float]:
    def crossing(_: float, vector: Array) -> float:
        state, _totals = packing.unpack(vector, review)
        watched = known.review_on > 0.0
        distance = np.where(review < 0.5, state.us_on_hand - known.review_on, known.review_off - state.us_on_hand)
        return float(np.min(np.where(watched, distance, np.inf)))

    crossing.terminal = True  # type: ignore[attr-defined]
    crossing.direction = -1.0  # type: ignore[attr-defined]
    return crossing
