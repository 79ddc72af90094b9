"""Laws of a higher floor, of more coming in, and of a line whose every round is ordered. Without review."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import worlds
from worlds import KINDS, NO_SUSPENSION, Case, Kind, World, law

NO_PAUSE_OR_CANCELLED = [NO_SUSPENSION, *(kind for kind in KINDS if kind.transfers == "cancelled")]


def background(case: Case, kind: Kind) -> World:
    """Return the case's world with two of its three recipients suspended."""
    world = case.world()
    return world.suspended(kind, case.share(world), targets=(0, 1))


def higher_floor(case: Case, kind: Kind) -> tuple[Any, Any]:
    before = background(case, kind)
    raised = before.series.floor + case.level(before) * (1.0 - before.series.history)
    return before.run(), before.with_series(floor=raised).run()


@law
def test_higher_floor_never_raises_what_was_sent(case: Case, draw: Any) -> None:
    low, high = higher_floor(case, draw(st.sampled_from([NO_SUSPENSION, *KINDS]), "kind"))

    def sent(run: Any) -> Any:
        return worlds.cumulative(run.flows["sent"].sum(axis=0))

    worlds.never_less(sent(high), sent(low), worlds.scale(low, high))


@law
def test_higher_floor_never_lowers_the_stock_and_what_us_forces_used(case: Case, draw: Any) -> None:
    low, high = higher_floor(case, draw(st.sampled_from([NO_SUSPENSION, *KINDS]), "kind"))
    worlds.never_less(worlds.stock(low) + worlds.own_use(low), worlds.stock(high) + worlds.own_use(high), worlds.scale(low, high))


@law
def test_more_lots_never_lower_the_stock(case: Case, draw: Any) -> None:
    before = background(case, draw(st.sampled_from(NO_PAUSE_OR_CANCELLED), "kind"))
    few, more = before.run(), before.with_series(lots=before.series.lots + case.rates(before)).run()
    worlds.never_less(worlds.stock(few), worlds.stock(more), worlds.scale(few, more))


@law
def test_more_inflow_never_lowers_the_stock(case: Case, draw: Any) -> None:
    before = background(case, draw(st.sampled_from(NO_PAUSE_OR_CANCELLED), "kind"))
    few, more = before.run(), before.with_series(us_inflow=before.series.us_inflow + case.rates(before)).run()
    worlds.never_less(worlds.stock(few), worlds.stock(more), worlds.scale(few, more))


@law
def test_more_of_a_fully_funded_line_never_lowers_the_stock(case: Case, draw: Any) -> None:
    before = background(case, draw(st.sampled_from(NO_PAUSE_OR_CANCELLED), "kind"))
    few = before.fully_funded(before.series.line).run()
    more = before.fully_funded(before.series.line + case.rates(before)).run()
    worlds.never_less(worlds.stock(few), worlds.stock(more), worlds.scale(few, more))
