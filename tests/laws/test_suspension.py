"""Laws of a suspension against the same world without any: what it can and cannot do, whatever the numbers. Without review."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import worlds
from worlds import KINDS, Case, Kind, law

HOLDING = [kind for kind in KINDS if kind.transfers != "cancelled" and kind.new_production != "diverted"]
"""Deferred or transfers untouched, new production not diverted."""
TAKING = [kind for kind in KINDS if kind not in HOLDING]
"""Cancelled or diverting."""


def both(case: Case, kind: Kind, *, plenty: bool = False) -> tuple[Any, Any]:
    """Return the run without and with the suspension."""
    before = case.world()
    if plenty:
        before = before.with_stock(case.plenty(before))
    return before.run(), before.suspended(kind, case.share(before)).run()


@law
def test_never_raises_what_its_target_has_received(case: Case, draw: Any) -> None:
    without, suspended = both(case, draw(st.sampled_from(KINDS), "kind"), plenty=draw(st.booleans(), "plenty"))
    size = worlds.scale(without, suspended)
    worlds.never_less(worlds.received(suspended)[0], worlds.received(without)[0], size)


@law
def test_deferred_never_lowers_the_stock_and_what_us_forces_used(case: Case, draw: Any) -> None:
    without, suspended = both(case, draw(st.sampled_from(HOLDING), "kind"), plenty=draw(st.booleans(), "plenty"))
    size = worlds.scale(without, suspended)
    worlds.never_less(worlds.stock(without) + worlds.own_use(without), worlds.stock(suspended) + worlds.own_use(suspended), size)


@law
def test_deferred_never_lowers_the_stock_where_own_use_never_runs_short(case: Case, draw: Any) -> None:
    without, suspended = both(case, draw(st.sampled_from(HOLDING), "kind"), plenty=True)
    met = worlds.own_use_never_short(without, suspended)
    assert met.any() or len(met) == 1
    worlds.never_less(worlds.stock(without), worlds.stock(suspended), worlds.scale(without, suspended), met)


@law
def test_cancelled_or_diverting_never_lowers_stock_own_use_and_what_was_sent_to_others(case: Case, draw: Any) -> None:
    without, suspended = both(case, draw(st.sampled_from(TAKING), "kind"), plenty=draw(st.booleans(), "plenty"))

    def kept(run: Any) -> Any:
        return worlds.stock(run) + worlds.own_use(run) + worlds.cumulative(run.flows["sent"][1:].sum(axis=0))

    worlds.never_less(kept(without), kept(suspended), worlds.scale(without, suspended))


@law
def test_cancelled_or_diverting_never_lowers_an_ample_stock(case: Case, draw: Any) -> None:
    without, suspended = both(case, draw(st.sampled_from(TAKING), "kind"), plenty=True)
    ample = worlds.ample(without, suspended)
    assert ample.any() or len(ample) == 1
    worlds.never_less(worlds.stock(without), worlds.stock(suspended), worlds.scale(without, suspended), ample)


@law
def test_deferred_never_lowers_what_others_receive_where_own_use_never_runs_short(case: Case, draw: Any) -> None:
    """Without the condition it is false: see `test_where_own_use_runs_short_a_promise_can_shut_others_out`."""
    without, suspended = both(case, draw(st.sampled_from(HOLDING), "kind"), plenty=draw(st.booleans(), "plenty"))
    met = worlds.own_use_never_short(without, suspended)
    worlds.never_less(worlds.received(without)[1:], worlds.received(suspended)[1:], worlds.scale(without, suspended), met)


@law
def test_cancelled_or_diverting_never_lowers_the_stock_where_one_recipient_stands_alone(case: Case, draw: Any) -> None:
    """And own use never runs short; without that it is false: see `test_where_own_use_runs_short_a_lone_recipient_asks_again`."""
    before = case.world(1)
    if draw(st.booleans(), "plenty"):
        before = before.with_stock(case.plenty(before))
    kind = draw(st.sampled_from(TAKING), "kind")
    without, suspended = before.run(), before.suspended(kind, case.share(before)).run()
    met = worlds.own_use_never_short(without, suspended)
    worlds.never_less(worlds.stock(without), worlds.stock(suspended), worlds.scale(without, suspended), met)


def test_where_own_use_runs_short_a_promise_can_shut_others_out() -> None:
    """US forces use the round that was put off; the promise stays, and the next round is kept for it."""
    quiet = worlds.quiet(months=4, recipients=2, us_on_hand=1.0)
    history = quiet.with_series(
        history=np.ones((4, 1)),
        authorised=(np.array([[1.0], [0.0], [0.0], [0.0]]), np.array([[0.0], [0.0], [1.0], [0.0]])),
        own_need=np.array([[0.0], [1.0], [0.0], [0.0]]),
        own_need_for=(np.array([[0.0], [1.0], [0.0], [0.0]]),),
        us_inflow=np.array([[0.0], [1.0], [0.0], [0.0]]),
    )
    first = np.array([[1.0], [0.0], [0.0], [0.0]])
    without, suspended = history.run(), history.with_series(set_aside=(first, first * 0.0)).run()
    assert worlds.received(without)[1][-1] == 1.0
    assert worlds.received(suspended)[1][-1] == 0.0


def test_where_own_use_runs_short_a_lone_recipient_asks_again() -> None:
    """US forces use what a cancelled transfer saved; the recipient then asks for it again."""
    quiet = worlds.quiet(months=3, recipients=1, us_on_hand=1.0)
    world = quiet.with_series(
        authorised=(np.ones((3, 1)),),
        planned_need=(np.ones((3, 1)),),
        own_need=np.array([[0.0], [1.0], [0.0]]),
        own_need_for=(np.array([[0.0], [1.0], [0.0]]),),
        us_inflow=np.array([[0.0], [1.0], [0.0]]),
    )
    without, suspended = world.run(), world.with_series(cut=(np.array([[1.0], [0.0], [0.0]]),)).run()
    assert worlds.stock(without)[-1] == 1.0
    assert worlds.stock(suspended)[-1] == 0.0
