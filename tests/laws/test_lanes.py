"""Lanes are runs of their own, and the order of the recipients is only an order."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import hypothesis.strategies as st
import numpy as np
import worlds
from hypothesis import given
from worlds import KINDS, Many, World

from stockpile.engine.trajectories import Trajectories
from stockpile.model.state import Constants, Known, State


def suspended_and_reviewed(case: Many, data: Any) -> World:
    world = case.world()
    world = world.suspended(data.draw(st.sampled_from(KINDS), label="kind"), case.share(world), targets=(0, 1))
    level = case.level(world)
    return world.reviewed(data.draw(st.sampled_from(KINDS), label="kind of the review"), case.share(world), level, level)


@given(case=worlds.many(1, 2), lane=st.integers(0, worlds.LANES - 1), data=st.data())
def test_draw_of_a_batch_is_the_lane_alone_bit_for_bit(case: Many, lane: int, data: Any) -> None:
    batch = suspended_and_reviewed(case, data)
    alone = batch.each(lambda array: array[..., lane : lane + 1])
    together, single = batch.run(), alone.run()
    for kind in ("stocks", "flows"):
        for name, array in getattr(together, kind).items():
            assert array[..., lane : lane + 1].tobytes() == getattr(single, kind)[name].tobytes(), name


@given(case=worlds.many(), cut=st.integers(1, worlds.LANES - 1), data=st.data())
def test_batch_cut_in_two_gives_the_same_bits(case: Many, cut: int, data: Any) -> None:
    batch = suspended_and_reviewed(case, data)
    whole = batch.run()
    parts = [batch.each(lambda array: array[..., :cut]).run(), batch.each(lambda array: array[..., cut:]).run()]
    for kind in ("stocks", "flows"):
        for name, array in getattr(whole, kind).items():
            joined = np.concatenate([getattr(part, kind)[name] for part in parts], axis=-1)
            assert array.tobytes() == joined.tobytes(), name


def in_order(world: World, order: tuple[int, ...]) -> World:
    """Return the world with its recipients in another order; causes of own use stay as they are."""

    def changed(item: State | Known | Constants) -> Any:
        values = {field.name: getattr(item, field.name) for field in fields(item)}
        moved = {n: tuple(v[r] for r in order) for n, v in values.items() if isinstance(v, tuple) and n != "own_need_for"}
        return replace(item, **moved)

    return World(changed(world.opening), changed(world.series), changed(world.constants), world.dt)


def by_recipient(run: Trajectories) -> dict[str, Any]:
    return {n: a for n, a in {**run.stocks, **run.flows}.items() if a.ndim == 3 and n != "own_use_for"}


@given(case=worlds.many(), order=st.permutations(range(worlds.RECIPIENTS)), data=st.data())
def test_order_of_recipients_is_only_an_order(case: Many, order: list[int], data: Any) -> None:
    """Without review: with one, the last bit of the stock may decide whether it is below the level."""
    world = case.world()
    world = world.suspended(data.draw(st.sampled_from(KINDS), label="kind"), case.share(world), targets=(0, 1))
    first, other = world.run(), in_order(world, tuple(order)).run()
    size = worlds.scale(first, other)
    moved = by_recipient(first)
    for name, array in moved.items():
        assert (np.abs(array[list(order)] - by_recipient(other)[name]) <= worlds.TOLERANCE * size).all(), name
    for name in ({*first.stocks, *first.flows} - {*moved, "review", "own_use_for"}):
        array, again = ({**run.stocks, **run.flows}[name] for run in (first, other))
        assert (np.abs(array - again) <= worlds.TOLERANCE * size).all(), name
