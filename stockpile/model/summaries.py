"""Summaries of a run, folded step by step, so that nobody need keep its trajectories.

As restricted as the equations (see `stockpile.model.equations`), for the same reason. Steps are counted from 0 at the start of
the run; what never happens is infinite. Stocks are looked at on the step edges: `look` is called for each step with the stocks at
its start and once more with those at the end of the run, `add` for each step with the flows over it, `compare` once more for each edge
when the lowest stock is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stockpile.model.state import Flows, Quantities, Quantity

NEVER = np.inf


@dataclass(frozen=True, slots=True)
class Lowest:
    """The lowest US stock [round] and the first step edge where it stands so low; the same after `as_of` alone."""

    stock: Quantity
    number: Quantity
    stock_ahead: Quantity
    number_ahead: Quantity


@dataclass(frozen=True, slots=True)
class Passage:
    """The US stock against one named level.

    `first` is the first step edge below it, `below` the number of steps that start below it, `back` the first edge at or after the
    lowest stock where it stands at the level again; `later` is the first edge at the level among those looked at so far.
    """

    first: Quantity
    below: Quantity
    back: Quantity
    later: Quantity = NEVER


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of flows over the run [round]. `received` is new production that reached the recipient, late or not."""

    to_us: Quantity
    own_use: Quantity
    own_unmet: Quantity
    received: Quantities
    sent: Quantities
    used: Quantities
    unmet: Quantities


def nothing_seen(zero: Quantity) -> Lowest:
    """Return the lowest stock before any was seen; `zero` has the shape of a quantity."""
    never = zero + NEVER
    return Lowest(never, never, never, never)


def not_passed(zero: Quantity) -> Passage:
    """Return the passage of a level before any stock was seen."""
    return Passage(first=zero + NEVER, below=zero, back=zero + NEVER, later=zero + NEVER)


def nothing_moved(zero: Quantity, recipients: int) -> Totals:
    """Return the sums before the first step."""
    none = (zero,) * recipients
    return Totals(zero, zero, zero, none, none, none, none)


def look(so_far: Lowest, stock: Quantity, number: Quantity, ahead: Quantity) -> Lowest:
    """Return the lowest stock of the edges from `number` on; `ahead` is 1 where the edge lies after `as_of`, else 0."""
    late = np.where(ahead > 0.5, stock, NEVER)
    return Lowest(
        stock=np.minimum(stock, so_far.stock),
        number=np.where(stock <= so_far.stock, number, so_far.number),
        stock_ahead=np.minimum(late, so_far.stock_ahead),
        number_ahead=np.where(late <= so_far.stock_ahead, number, so_far.number_ahead),
    )


def compare(
    so_far: Passage, stock: Quantity, level: Quantity, lowest: Quantity, number: Quantity, inside: Quantity
) -> Passage:
    """Return the passage of a level by the edges from `number` on.

    `lowest` is the lowest stock of the edges after `number`; `inside` is 1 where a step starts at the edge, 0 at the end of the run.
    """
    under = stock < level
    later = np.where(under, so_far.later, number)
    return Passage(
        first=np.where(under, number, so_far.first),
        below=np.where(under, so_far.below + inside, so_far.below),
        back=np.where(stock <= lowest, later, so_far.back),
        later=later,
    )


def add(so_far: Totals, flow: Flows, dt: Quantity) -> Totals:
    """Return the sums with a step of `dt` months added."""
    each = range(len(so_far.sent))
    new = tuple(flow.made_for[r] - flow.kept_back[r] - flow.diverted[r] + flow.released[r] for r in each)
    return Totals(
        to_us=so_far.to_us + dt * flow.to_us,
        own_use=so_far.own_use + dt * flow.own_use,
        own_unmet=so_far.own_unmet + dt * flow.own_unmet,
        received=tuple(so_far.received[r] + dt * new[r] for r in each),
        sent=tuple(so_far.sent[r] + dt * flow.sent[r] for r in each),
        used=tuple(so_far.used[r] + dt * flow.used[r] for r in each),
        unmet=tuple(so_far.unmet[r] + dt * flow.unmet[r] for r in each),
    )


def sent_in_all(totals: Totals) -> Quantity:
    """Return what was sent to all recipients together [round]."""
    result = totals.sent[0]
    for one in totals.sent[1:]:
        result = result + one
    return result
