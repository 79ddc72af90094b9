"""The books close and nothing is negative, always: with dated suspensions, with a review, at any step length."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import numpy as np
import worlds
from hypothesis import given
from worlds import KINDS, NO_SUSPENSION, Case, Many, World, law

from stockpile.engine.trajectories import Array, Trajectories


def watched(case: Case, draw: Any) -> World:
    """Return the case's world with a suspension, a review that suspends everybody, and rounds held back from the start."""
    world = case.world()
    share = case.share(world)
    world = world.suspended(draw(st.sampled_from([NO_SUSPENSION, *KINDS]), "kind"), share, targets=(0, 1))
    on = case.level(world)
    off = on * (1.0 + draw(st.sampled_from([0.0, 0.2, 1.0]), "lifted above"))
    world = world.reviewed(draw(st.sampled_from(KINDS), "kind of the review"), case.share(world), on, off)
    if draw(st.booleans(), "held back and owed from the start"):
        some = tuple(case.level(world) for _ in range(world.recipients))
        return replace(world, opening=replace(world.opening, withheld=some, deferred=some))
    return world


def errors(world: World, run: Trajectories) -> dict[str, Array]:
    """Return by how far each stock's change differs from the flows over the step [round]."""
    s, f, known, dt = run.stocks, run.flows, world.series, world.dt
    to_us = f["to_us"] + f["diverted"].sum(axis=0) + known.us_inflow * dt
    to_them = f["sent"] + f["made_for"] - f["kept_back"] - f["diverted"] + f["released"] + np.array(known.other_supply) * dt
    change = {
        "us_on_hand": to_us - f["own_use"] - f["sent"].sum(axis=0) - f["expired"],
        "order_book": known.lots * dt - f["delivered"],
        "on_hand": to_them - f["used"] - f["expired_on_hand"],
        "withheld": f["kept_back"] - f["released"] - f["expired_withheld"],
        "deferred": f["put_off"] - f["paid"] - f["expired_deferred"],
    }
    return {name: np.diff(s[name], axis=-2) - change[name] for name in change}


@law
def test_books_close(case: Case, draw: Any) -> None:
    world = watched(case, draw)
    run = world.run()
    for name, error in errors(world, run).items():
        worst = np.abs(error).reshape(-1, error.shape[-1]).max(axis=0)
        assert (worst <= worlds.TOLERANCE * worlds.scale(run)).all(), name


@law
def test_nothing_is_negative(case: Case, draw: Any) -> None:
    run = watched(case, draw).run()
    size = worlds.scale(run)
    for name, array in {**run.stocks, **run.flows}.items():
        assert np.isfinite(array).all(), name
        assert (array >= -worlds.TOLERANCE * size).all(), name


@law
def test_output_is_shared_out_whole_and_own_use_has_its_causes(case: Case, draw: Any) -> None:
    """What the line delivers goes to the US and the recipients; own use is the sum of its causes."""
    world = watched(case, draw)
    run = world.run()
    f, tolerance = run.flows, worlds.TOLERANCE * worlds.scale(run)
    parts = world.series.us_share + sum(world.series.share)
    need = np.array(world.series.need) * world.dt
    assert (np.abs(f["to_us"] + f["made_for"].sum(axis=0) - f["delivered"] * parts) <= tolerance).all()
    assert (np.abs(f["own_use_for"].sum(axis=0) - f["own_use"]) <= tolerance).all()
    assert (np.abs(f["own_use"] + f["own_unmet"] - world.series.own_need * world.dt) <= tolerance).all()
    assert (np.abs(f["used"] + f["unmet"] - need) <= tolerance).all()


@given(case=worlds.many(2, 3, 4), data=st.data())
def test_books_close_and_nothing_is_negative_with_substeps(case: Many, data: Any) -> None:
    world = watched(case, lambda strategy, label: data.draw(strategy, label=label))
    run = world.run()
    size = worlds.scale(run)
    for name, error in errors(world, run).items():
        assert (np.abs(error).reshape(-1, error.shape[-1]).max(axis=0) <= worlds.TOLERANCE * size).all(), name
    for name, array in {**run.stocks, **run.flows}.items():
        assert (array >= -worlds.TOLERANCE * size).all(), name
