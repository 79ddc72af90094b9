"""Sharing out: the closed formula against passes and against filling up by hand, and what no rule may do."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from worlds import Array, Draws, Many

from stockpile.model import equations
from stockpile.model.state import Constants

EXACT = 5e-15
"""Relative to what is asked for or available, whichever is more."""
LANES = 2000


def problem(seed: int, recipients: int) -> tuple[Array, Array, Array, Draws]:
    """Return what is asked, weights and capacity, shape (recipients, lanes): plenty, shortage and nought all come up."""
    draw = Draws((seed, recipients), (1, LANES))
    asked = np.array([draw.magnitude(-3.0, 3.0) for _ in range(recipients)])
    weight = np.array([10.0 ** draw.uniform(-2.0, 2.0) for _ in range(recipients)])
    capacity = asked.sum(axis=0) * draw.either(0.8, draw.uniform(0.0, 1.2), draw.magnitude(-3.0, 3.0)) * draw.either(0.05, 0.0, 1.0)
    return asked, weight, capacity, draw


def filled_up(asked: Array, weight: Array, capacity: float) -> Array:
    """Return one lane's shares by serving whoever is satisfied first, one after another."""
    given = np.zeros_like(asked)
    order = sorted(range(len(asked)), key=lambda r: asked[r] / weight[r])
    for place, r in enumerate(order):
        level = (capacity - sum(given)) / sum(weight[q] for q in order[place:])
        given[r] = min(asked[r], weight[r] * level)
    return given


@pytest.mark.parametrize("recipients", [1, 2, 3, 4, 5])
@given(seed=st.integers(0, 2**32 - 1))
def test_closed_formula_equals_passes(recipients: int, seed: int) -> None:
    asked, weight, capacity, _ = problem(seed, recipients)
    closed = np.array(equations.share_by_weight(tuple(asked), tuple(weight), capacity))
    passes = np.array(equations._share_by_weight_in_passes(tuple(asked), tuple(weight), capacity))
    assert (np.abs(closed - passes) <= EXACT * np.maximum(asked.sum(axis=0), capacity)).all()


@pytest.mark.parametrize("recipients", [1, 2, 3, 4, 5, 6, 7])
@given(seed=st.integers(0, 2**32 - 1))
def test_sharing_by_weight_fills_up_in_order(recipients: int, seed: int) -> None:
    asked, weight, capacity, _ = problem(seed, recipients)
    shared = np.array(equations.share_by_weight(tuple(asked), tuple(weight), capacity))
    for lane in range(0, LANES, 40):
        by_hand = filled_up(asked[:, lane], weight[:, lane], float(capacity[lane]))
        assert np.abs(shared[:, lane] - by_hand).max() <= 1e-13 * max(asked[:, lane].sum(), capacity[lane])


def constants(draw: Draws, weight: Array) -> Constants:
    one = np.ones(LANES)
    ranks = tuple(draw.rng.integers(0, len(weight), LANES).astype(float) for _ in weight)
    return Constants(*[one] * 9, pro_rata=draw.either(0.5, 1.0, 0.0), priority=ranks, weight=tuple(weight))


@pytest.mark.parametrize("recipients", [1, 2, 3, 4, 5, 6, 7])
@given(seed=st.integers(0, 2**32 - 1))
def test_never_more_than_asked_nor_in_sum_than_available_and_nothing_left_over(recipients: int, seed: int) -> None:
    asked, weight, capacity, draw = problem(seed, recipients)
    granted = np.array(equations.allocate(capacity, tuple(asked), constants(draw, weight)))
    size = np.maximum(asked.sum(axis=0), capacity)
    assert (granted >= 0.0).all()
    assert (granted <= asked * (1.0 + EXACT)).all()
    assert (granted.sum(axis=0) <= capacity + EXACT * size).all()
    assert (np.abs(granted.sum(axis=0) - np.minimum(asked.sum(axis=0), capacity)) <= 10.0 * EXACT * size).all()


@pytest.mark.parametrize("recipients", [2, 3, 6])
@given(seed=st.integers(0, 2**32 - 1))
def test_higher_class_is_served_first(recipients: int, seed: int) -> None:
    asked, weight, capacity, draw = problem(seed, recipients)
    k = constants(draw, weight)
    granted = np.array(equations.allocate(capacity, tuple(asked), k))
    size = np.maximum(asked.sum(axis=0), capacity)
    rank = np.array(k.priority)
    lacking = asked - granted > 1e-12 * size
    for r in range(recipients):
        higher = (rank < rank[r]) & lacking
        assert (granted[r][higher.any(axis=0)] <= 1e-12 * size[higher.any(axis=0)]).all()


@given(seed=st.integers(0, 2**32 - 1))
def test_inside_a_class_the_kind_decides(seed: int) -> None:
    """With everybody in one class, sharing is by request or by weight, lane by lane."""
    asked, weight, capacity, draw = problem(seed, 3)
    k = replace(constants(draw, weight), priority=(np.zeros(LANES),) * 3)
    granted = np.array(equations.allocate(capacity, tuple(asked), k))
    by_request = np.array(equations.share_by_request(tuple(asked), capacity))
    by_weight = np.array(equations.share_by_weight(tuple(asked), tuple(weight), capacity))
    assert np.array_equal(granted, np.where(k.pro_rata > 0.5, by_request, by_weight))
    assert not np.allclose(by_request, by_weight)


@given(seed=st.integers(0, 2**32 - 1))
def test_pro_rata_gives_each_the_same_part(seed: int) -> None:
    asked, _, capacity, _ = problem(seed, 3)
    shared = np.array(equations.share_by_request(tuple(asked), capacity))
    part = np.minimum(1.0, capacity / np.maximum(asked.sum(axis=0), equations.TINY))
    assert np.array_equal(shared, asked * part)


@given(case=st.builds(Many, seed=st.integers(0, 2**32 - 1)), data=st.data())
def test_six_recipients_run_like_three_and_three_who_ask_for_nothing(case: Many, data: Any) -> None:
    """Beyond five recipients the sharing is made by passes: it must not matter which way is taken."""
    few = case.world(3)
    none = np.zeros(few.shape)
    zero = np.zeros(few.shape[1])

    def wide(item: Any) -> Any:
        more = {
            field.name: (*getattr(item, field.name), *[none if np.ndim(getattr(item, field.name)[0]) == 2 else zero] * 3)
            for field in fields(item)
            if isinstance(getattr(item, field.name), tuple) and field.name != "own_need_for"
        }
        return replace(item, **more)

    many = type(few)(wide(few.opening), wide(few.series), wide(few.constants), few.dt)
    first, second = few.run(), many.run()
    size = first.stocks["us_on_hand"].max(axis=0) + first.stocks["on_hand"].max(axis=(0, 1)) + first.stocks["order_book"].max(axis=0)
    assert (np.abs(first.stocks["us_on_hand"] - second.stocks["us_on_hand"]) <= 1e-12 * size).all()
    assert (np.abs(first.flows["sent"] - second.flows["sent"][:3]) <= 1e-12 * size).all()
