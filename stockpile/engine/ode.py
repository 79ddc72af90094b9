"""The same right-hand side as an ordinary differential equation, by `scipy.integrate.solve_ivp`.

Between two breaks everything known in advance is constant, so that the solver meets no jump; the flows are integrated along
with the stocks. The review of a stock-triggered suspension switches where the stock crosses its level, found as an event.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from itertools import pairwise
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
NEAR = 1e-12
"""How near to its level a stock counts as having crossed it: the solver finds a crossing to rounding."""


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


@dataclass(frozen=True)
class _Case:
    """What stays the same over one interval."""

    packing: _Packing
    known: Known
    constants: Constants
    allocate: equations.Allocate
    tolerance: Array

    def slope(self, review: Array) -> Callable[[float, Array], Array]:
        """Return the right-hand side with the review as given."""

        def slope(_: float, vector: Array) -> Array:
            state, _sums = self.packing.unpack(vector, review)
            flow = equations.flows(state, self.known, self.constants, self.allocate)
            return self.packing.pack(equations.change(self.known, flow), flow)

        return slope

    def crossing(self, review: Array) -> Callable[[float, Array], float]:
        """Return the event at which the review of some lane switches: it falls through nought there."""
        known = self.known

        def crossing(_: float, vector: Array) -> float:
            stock = self.packing.unpack(vector, review)[0].us_on_hand
            distance = np.where(review < 0.5, stock - known.review_on, known.review_off - stock)
            return float(np.min(np.where(known.review_on > 0.0, distance, np.inf)))

        crossing.terminal = True  # type: ignore[attr-defined]
        crossing.direction = -1.0  # type: ignore[attr-defined]
        return crossing

    def switched(self, vector: Array, review: Array) -> Array:
        """Return the review after a crossing."""
        stock = self.packing.unpack(vector, review)[0].us_on_hand
        falls = (review < 0.5) & (stock <= self.known.review_on * (1.0 + NEAR))
        rises = (review > 0.5) & (stock >= self.known.review_off * (1.0 - NEAR))
        return np.where(falls, 1.0, np.where(rises, 0.0, review))

    def integrate(self, vector: Array, review: Array, low: float, high: float) -> tuple[Array, Array]:
        """Return vector and review at `high`, switching the review wherever a stock crosses its level."""
        from scipy.integrate import solve_ivp

        time = low
        while time < high:
            done = solve_ivp(
                self.slope(review), (time, high), vector, method="RK45", rtol=TOLERANCE, atol=self.tolerance, events=self.crossing(review)
            )
            if done.status < 0:
                raise ArithmeticError(f"the ODE solver stopped at month {done.t[-1]:g}: {done.message}")
            vector, time = done.y[:, -1], high
            if done.status == 1:
                time = float(done.t[-1])
                review = self.switched(vector, review)
        return vector, review


def run(
    opening: State, series: Known, knots: Array, grid: Array, constants: Constants, allocate: equations.Allocate = equations.allocate
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

    Raises
    ------
    ArithmeticError
        If the solver cannot go on.
    """
    series = replace(series, review_off=np.maximum(series.review_off, series.review_on * (1.0 + BAND)))
    first = equations.flows(opening, at(series, 0), constants, allocate)
    packing = _Packing(opening, first)
    largest = np.max([np.max(np.atleast_2d(np.array(getattr(opening, name))), axis=0) for name in packing.stocks], axis=0)
    tolerance = packing.wide(TOLERANCE * np.maximum(largest, 1.0))
    stocks, flows = room(State, opening, len(grid)), room(Flows, first, len(grid) - 1)
    state, row = opening, 0
    vector = packing.pack(state, None)
    record(stocks, 0, state)
    for low, high in pairwise(np.unique(np.concatenate([knots, grid]))):
        known = at(series, int(np.searchsorted(knots, low, side="right")) - 1)
        state = replace(state, review=equations.review_next(state, known))
        if low == grid[row]:
            vector = packing.pack(state, None)
            flows["free"][row] = equations.flows(state, known, constants, allocate).free
            stocks["review"][row] = state.review
        case = _Case(packing, known, constants, allocate, tolerance)
        vector, review = case.integrate(vector, state.review, float(low), float(high))
        state, sums = packing.unpack(vector, review)
        if high == grid[row + 1]:
            row += 1
            record(stocks, row, state)
            for name in packing.flows:
                flows[name][..., row - 1, :] = sums[name]
    stocks["review"] = stocks["review"][: len(grid) - 1]
    return Trajectories(stocks, flows)
