"""The traced step gives what the equations give, bit for bit, whatever stocks, series and constants are."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import worlds
from hypothesis import given
from worlds import KINDS, NO_SUSPENSION, Many

from stockpile.codegen.graph import evaluate
from stockpile.codegen.trace import Traced, flat, trace
from stockpile.engine.trajectories import at
from stockpile.model import equations
from stockpile.model.state import ENTERING

traced: Any = cache(trace)


def some_step(case: Many, recipients: int, data: Any) -> tuple[Any, Any, Any, float]:
    """Return stocks, what is known, constants and length of one step out of a run, rounds held back and owed among them."""
    world = case.world(recipients)
    targets = tuple(range(min(2, recipients)))
    world = world.suspended(data.draw(st.sampled_from([NO_SUSPENSION, *KINDS]), label="kind"), case.share(world), targets)
    level = case.level(world)
    world = world.reviewed(data.draw(st.sampled_from(KINDS), label="kind of the review"), case.share(world), level, level * 1.5)
    number = data.draw(st.integers(0, world.shape[0] - 1), label="step")
    rng = worlds.Draws((case.seed, 9), world.shape)
    some = tuple(rng.magnitude() for _ in range(recipients))
    state = replace(world.opening, withheld=some, deferred=some[::-1], review=rng.either(0.5, 0.0, 1.0), order_book=rng.magnitude())
    return state, at(world.series, number), world.constants, world.dt


@pytest.mark.parametrize("recipients", [1, 2, 3, 4, 5, 6])
@given(case=worlds.many(1, 2, 3), data=st.data())
def test_a_traced_step_is_the_step(recipients: int, case: Many, data: Any) -> None:
    state, known, constants, dt = some_step(case, recipients, data)
    found: Traced = traced(recipients)
    inputs = dict(flat(state, "state")) | dict(flat(known, "series")) | dict(flat(constants, "constant")) | {"run.dt": dt}
    values = evaluate(found.graph, [*found.after.values(), *found.rows.values()], inputs)

    before = replace(state, review=equations.review_next(state, known))
    flow = equations.flows(before, known, constants)
    after = equations.after(before, equations.change(known, flow), dt)
    expected = dict(flat(before, "state")) | {"state.unpromised": before.us_on_hand - equations.total(before.deferred)}
    expected |= {name: value if name == "flow.free" else value * dt for name, value in flat(flow, "flow")}
    expected |= {name: value * dt for name, value in flat(known, "series") if name.split(".")[1] in ENTERING}
    assert set(found.rows) == set(expected)
    # Noughts are the same whatever their sign: products with 0 are worked out at once.
    for name, value in expected.items():
        assert np.array_equal(values[found.rows[name]], value), name
    assert set(found.after) == {name for name, _ in flat(after, "state")}
    for name, value in flat(after, "state"):
        assert np.array_equal(values[found.after[name]], value), name
