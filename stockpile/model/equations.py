"""The equations of the model. They stand here once; whatever runs or prints them is made from this text.

Restricted on purpose: only ``+ - * /``, comparisons, ``np.minimum``, ``np.maximum`` and ``np.where``; no branch on a value,
no exponential or power, no assumption about shape. Called with arrays they are the reference engine; called with
symbols they can be traced. Loops run over recipients and are unrolled.

Within a step, in this order: review, production, own use, what is free, requests, allocation, deferral and catch-up,
the recipients' use, expiry. All are worked out from the stocks at the start of the step; then all stocks move at once.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np

from stockpile.model.state import Constants, Flows, Known, Quantities, Quantity, State

TINY = 1e-30
"""Keeps a quotient finite where its divisor is nought and its dividend too [round/month]; moves no result."""
SUBSETS_UP_TO = 5
"""Recipients up to which weighted sharing looks at all subsets; beyond it, it makes passes."""

Allocate = Callable[[Quantity, Quantities, Constants], Quantities]


def total(items: Quantities) -> Quantity:
    """Return the sum over recipients, in order."""
    result = items[0]
    for item in items[1:]:
        result = result + item
    return result


def any_of(items: Quantities) -> Quantity:
    """Return the largest of some quantities."""
    result = items[0]
    for item in items[1:]:
        result = np.maximum(result, item)
    return result


def in_force(dated: Quantities, reviewed: Quantities, review: Quantity) -> Quantities:
    """Return the shares in force [1]: the dated ones, or those of the review while it is on."""
    return tuple(d + review * (r - d) for d, r in zip(dated, reviewed, strict=True))


def review_next(state: State, known: Known) -> Quantity:
    """Return whether the stock-triggered suspension is in force over this step (0 or 1).

    On where the US stock at the start of the step is below `review_on`, off where it is above `review_off`, else as it was.
    """
    lifted = np.where(state.us_on_hand > known.review_off, 0.0, state.review)
    return np.where(state.us_on_hand < known.review_on, 1.0, lifted)


def share_by_request(asked: Quantities, capacity: Quantity) -> Quantities:
    """Return `capacity` [round/month] shared out in proportion to what is asked, never more than asked."""
    part = np.minimum(1.0, capacity / np.maximum(total(asked), TINY))
    return tuple(b * part for b in asked)


def share_by_weight(asked: Quantities, weight: Quantities, capacity: Quantity) -> Quantities:
    """Return `capacity` [round/month] shared out by weight; what one cannot take goes to the others.

    The level is the largest, over the proper subsets A of the recipients, of (capacity - what A asks) / (weight outside A).
    """
    if len(asked) > SUBSETS_UP_TO:
        return _share_by_weight_in_passes(asked, weight, capacity)
    everyone = range(len(asked))
    level = capacity * 0.0
    for size in everyone:
        for served in combinations(everyone, size):
            outside = total(tuple(weight[r] for r in everyone if r not in served))
            left = capacity
            for r in served:
                left = left - asked[r]
            level = np.maximum(level, left * (1.0 / np.maximum(outside, TINY)))
    return tuple(np.minimum(b, w * level) for b, w in zip(asked, weight, strict=True))


def _share_by_weight_in_passes(asked: Quantities, weight: Quantities, capacity: Quantity) -> Quantities:
    """Return the same by as many passes as there are recipients: each pass shares what the last left over."""
    given = tuple(b * 0.0 for b in asked)
    left = capacity
    for _ in asked:
        active = tuple(np.where(g < b, w, 0.0) for g, b, w in zip(given, asked, weight, strict=True))
        level = left / np.maximum(total(active), TINY)
        more = tuple(np.minimum(b - g, w * level) for g, b, w in zip(given, asked, active, strict=True))
        # Who is served has exactly what was asked: the last bit must not keep a weight in play.
        given = tuple(np.where(m < b - g, g + m, b) for g, b, m in zip(given, asked, more, strict=True))
        left = np.maximum(left - total(more), 0.0)
    return given


def allocate(available: Quantity, asked: Quantities, constants: Constants) -> Quantities:
    """Return what each recipient is granted [round/month]: classes in order, shared by request or by weight inside a class."""
    granted = tuple(b * 0.0 for b in asked)
    left = available
    for rank in range(len(asked)):
        in_class = tuple(np.where(p == float(rank), 1.0, 0.0) for p in constants.priority)
        b = tuple(m * q for m, q in zip(in_class, asked, strict=True))
        w = tuple(m * q for m, q in zip(in_class, constants.weight, strict=True))
        by_request = share_by_request(b, left)
        by_weight = share_by_weight(b, w, left)
        given = tuple(np.where(constants.pro_rata > 0.5, q, v) for q, v in zip(by_request, by_weight, strict=True))
        # Who is in no class takes nothing; said in so many words, so that compiled code can leave empty classes out.
        somebody = any_of(in_class) > 0.5
        granted = tuple(np.where(somebody, g + more, g) for g, more in zip(granted, given, strict=True))
        left = np.where(somebody, np.maximum(left - total(b), 0.0), left)
    return granted


def flows(state: State, known: Known, constants: Constants, allocate: Allocate = allocate) -> Flows:
    """Return all flows over a step [round/month], from the stocks at its start and the review in force (`state.review`)."""
    k = constants
    each = range(len(state.on_hand))
    review = state.review
    cut = in_force(known.cut, known.review_cut, review)
    set_aside = in_force(known.set_aside, known.review_set_aside, review)
    hold_new = in_force(known.hold_new, known.review_hold_new, review)
    divert_new = in_force(known.divert_new, known.review_divert_new, review)

    delivered = np.minimum(known.line, state.order_book * k.line_rate)
    made_for = tuple(delivered * known.share[r] for r in each)

    own_use = np.minimum(known.own_need, state.us_on_hand * k.issue_rate)
    own_part = own_use / np.maximum(known.own_need, TINY)

    owed = total(state.deferred)
    free = np.maximum(state.us_on_hand - known.floor - own_use * k.issue_time, 0.0)
    available = np.maximum(free - owed, 0.0) * k.issue_rate

    request = tuple(requested(state, known, constants, r) for r in each)
    dropped = tuple(request[r] * cut[r] for r in each)
    asked = tuple(request[r] - dropped[r] for r in each)
    granted = allocate(available, asked, constants)
    put_off = tuple(granted[r] * set_aside[r] for r in each)
    payable = np.minimum(1.0, free / np.maximum(owed, TINY)) * k.catch_up_rate
    paid = tuple(state.deferred[r] * payable * (1.0 - cut[r]) * (1.0 - set_aside[r]) for r in each)

    used = tuple(np.minimum(known.need[r], k.commit * state.on_hand[r]) for r in each)
    return Flows(
        delivered=delivered,
        to_us=delivered * known.us_share,
        made_for=made_for,
        kept_back=tuple(made_for[r] * hold_new[r] for r in each),
        diverted=tuple(made_for[r] * divert_new[r] for r in each),
        own_use=own_use,
        own_unmet=known.own_need - own_use,
        own_use_for=tuple(need * own_part for need in known.own_need_for),
        free=free,
        request=request,
        dropped=dropped,
        available=available,
        granted=granted,
        put_off=put_off,
        paid=paid,
        sent=tuple(granted[r] - put_off[r] + paid[r] for r in each),
        history_shortfall=tuple(known.history * np.maximum(asked[r] - granted[r], 0.0) for r in each),
        released=tuple(state.withheld[r] * k.release_rate * (1.0 - hold_new[r]) for r in each),
        used=used,
        unmet=tuple(known.need[r] - used[r] for r in each),
        expired=state.us_on_hand * k.loss,
        expired_on_hand=tuple(state.on_hand[r] * k.loss for r in each),
        expired_withheld=tuple(state.withheld[r] * k.loss for r in each),
        expired_deferred=tuple(state.deferred[r] * k.loss for r in each),
    )


def requested(state: State, known: Known, constants: Constants, r: int) -> Quantity:
    """Return what recipient `r` asks for [round/month].

    In history, what was sent. After it, the recipient orders up to `cover` months of its planned need, counting what is
    owed and what is withheld, within the ceiling.
    """
    planned = known.planned_need[r]
    position = state.on_hand[r] + state.withheld[r] + state.deferred[r]
    wanted = np.maximum(planned + (constants.cover * planned - position) * constants.order_rate, 0.0)
    ordered = np.minimum(wanted, known.authorised[r])
    # The mixture alone would say it all; told apart, compiled code works out what a step needs and no more.
    mixed = known.history * known.authorised[r] + (1.0 - known.history) * ordered
    return np.where(known.history < 1.0, np.where(known.history > 0.0, mixed, ordered), known.authorised[r])


def change(known: Known, flow: Flows) -> State:
    """Return the rates of change of all stocks [round/month]. Nothing else moves a stock, and none is ever clipped."""
    each = range(len(flow.sent))
    return State(
        us_on_hand=flow.to_us + total(flow.diverted) + known.us_inflow - flow.own_use - total(flow.sent) - flow.expired,
        order_book=known.lots - flow.delivered,
        on_hand=tuple(
            flow.sent[r] + flow.made_for[r] - flow.kept_back[r] - flow.diverted[r] + flow.released[r]
            + known.other_supply[r] - flow.used[r] - flow.expired_on_hand[r]
            for r in each
        ),
        withheld=tuple(flow.kept_back[r] - flow.released[r] - flow.expired_withheld[r] for r in each),
        deferred=tuple(flow.put_off[r] - flow.paid[r] - flow.expired_deferred[r] for r in each),
        review=flow.free * 0.0,
    )


def after(state: State, rate: State, dt: Quantity) -> State:
    """Return the stocks at the end of a step of `dt` months: start plus `dt` times the rates of change."""
    each = range(len(state.on_hand))
    return State(
        us_on_hand=state.us_on_hand + dt * rate.us_on_hand,
        order_book=state.order_book + dt * rate.order_book,
        on_hand=tuple(state.on_hand[r] + dt * rate.on_hand[r] for r in each),
        withheld=tuple(state.withheld[r] + dt * rate.withheld[r] for r in each),
        deferred=tuple(state.deferred[r] + dt * rate.deferred[r] for r in each),
        review=state.review,
    )
