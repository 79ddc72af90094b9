"""What the equations are about: stocks, what is known in advance, constants, flows.

A field is a quantity (an array over lanes, or a symbol when the equations are traced); a field with an index over
recipients is a tuple of quantities, one a recipient, in the order of the run. The tables `STOCKS`, `SERIES` and `FLOWS`
give every field's unit and meaning; results, glossary and printers are made from them.
"""

from __future__ import annotations

from dataclasses import Field, dataclass, fields
from typing import Any, Literal

Quantity = Any
"""An array of float64 over lanes, or a symbol of the tracer."""
Quantities = tuple[Quantity, ...]
"""One quantity a recipient."""
Index = Literal["us", "recipient", "cause"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """Unit, index and meaning of a named quantity.

    Attributes
    ----------
    unit : str
        ``round`` for stocks and for flows over a step, ``round/month`` for rates known in advance, ``1``, ``month``.
    index : {"us", "recipient", "cause"}
        Whether there is one for the US, one a recipient, or one a cause of own use.
    text : str
        What it is.
    """

    unit: str
    index: Index
    text: str


@dataclass(frozen=True, slots=True)
class State:
    """Stocks at the start of a step [round]; `review` is 0 or 1."""

    us_on_hand: Quantity
    order_book: Quantity
    on_hand: Quantities
    withheld: Quantities
    deferred: Quantities
    review: Quantity


@dataclass(frozen=True, slots=True)
class Known:
    """What is known in advance of one step: means over the step. Rates are per month."""

    line: Quantity
    lots: Quantity
    us_share: Quantity
    share: Quantities
    own_need: Quantity
    own_need_for: Quantities
    need: Quantities
    planned_need: Quantities
    authorised: Quantities
    history: Quantity
    other_supply: Quantities
    us_inflow: Quantity
    cut: Quantities
    set_aside: Quantities
    hold_new: Quantities
    divert_new: Quantities
    review_cut: Quantities
    review_set_aside: Quantities
    review_hold_new: Quantities
    review_divert_new: Quantities
    review_on: Quantity
    review_off: Quantity
    floor: Quantity


@dataclass(frozen=True, slots=True)
class Constants:
    """What does not change over a run. Rates are 1/time [1/month], worked out once because division is dear."""

    line_rate: Quantity
    issue_time: Quantity
    issue_rate: Quantity
    release_rate: Quantity
    catch_up_rate: Quantity
    order_rate: Quantity
    cover: Quantity
    commit: Quantity
    loss: Quantity
    pro_rata: Quantity
    priority: Quantities
    weight: Quantities


@dataclass(frozen=True, slots=True)
class Flows:
    """Rates worked out from the stocks at the start of a step; they act over it, together [round/month].

    `free` is a stock [round]: what transfers may draw on.
    """

    delivered: Quantity
    to_us: Quantity
    made_for: Quantities
    kept_back: Quantities
    diverted: Quantities
    own_use: Quantity
    own_unmet: Quantity
    own_use_for: Quantities
    free: Quantity
    request: Quantities
    dropped: Quantities
    available: Quantity
    granted: Quantities
    put_off: Quantities
    paid: Quantities
    sent: Quantities
    history_shortfall: Quantities
    released: Quantities
    used: Quantities
    unmet: Quantities
    expired: Quantity
    expired_on_hand: Quantities
    expired_withheld: Quantities
    expired_deferred: Quantities


STOCKS: dict[str, Meaning] = {
    "us_on_hand": Meaning("round", "us", "usable stock owned by the US, worldwide, at the date"),
    "order_book": Meaning("round", "us", "rounds due from the line (lead time passed) and not yet delivered, at the date"),
    "on_hand": Meaning("round", "recipient", "the recipient's own stock at the date"),
    "withheld": Meaning("round", "recipient", "rounds built for the recipient that a suspension holds back, usable by nobody"),
    "deferred": Meaning("round", "recipient", "requests put off by a suspension and still owed, at the date (a promise, no rounds)"),
    "review": Meaning("1", "us", "1 while a stock-triggered suspension is in force over the step that starts at the date, else 0"),
    "unpromised": Meaning("round", "us", "us_on_hand less all that is owed to recipients (deferred), at the date"),
}

FLOWS: dict[str, Meaning] = {
    "delivered": Meaning("round", "us", "complete rounds that the line delivers, for everybody"),
    "to_us": Meaning("round", "us", "delivered rounds that go to US stock by the US share"),
    "made_for": Meaning("round", "recipient", "delivered rounds made for the recipient"),
    "kept_back": Meaning("round", "recipient", "rounds made for the recipient that a suspension withholds"),
    "diverted": Meaning("round", "recipient", "rounds made for the recipient that a suspension diverts to US stock"),
    "own_use": Meaning("round", "us", "rounds used by US forces: training and operations"),
    "own_unmet": Meaning("round", "us", "US need (own_need) that the stock could not meet"),
    "own_use_for": Meaning("round", "cause", "own_use split by on whose behalf it was: us, a recipient, joint_or_unknown"),
    "free": Meaning("round", "us", "stock that transfers may draw on: above the floor and after own use, at the date"),
    "request": Meaning("round", "recipient", "what the recipient asks for from US stock, within what is authorised"),
    "dropped": Meaning("round", "recipient", "requests cancelled by a suspension"),
    "available": Meaning("round", "us", "free stock that is not owed to anybody and can be issued over the step"),
    "granted": Meaning("round", "recipient", "what the allocation gives the recipient of its request"),
    "put_off": Meaning("round", "recipient", "granted rounds that a suspension puts off: they stay in US stock, promised"),
    "paid": Meaning("round", "recipient", "deferred rounds that are sent after all"),
    "sent": Meaning("round", "recipient", "transfers from US stock"),
    "history_shortfall": Meaning("round", "recipient", "transfers on record that the modelled stock could not make, suspensions apart"),
    "released": Meaning("round", "recipient", "withheld rounds released to the recipient"),
    "used": Meaning("round", "recipient", "rounds that the recipient fires"),
    "unmet": Meaning("round", "recipient", "the recipient's need that it could not fire"),
    "expired": Meaning("round", "recipient", "rounds lost from stock to age and damage (row us: US stock)"),
    "expired_withheld": Meaning("round", "recipient", "withheld rounds lost to age and damage"),
    "expired_deferred": Meaning("round", "recipient", "promises that lapse at the same rate as rounds age"),
    "rule_cut": Meaning("round", "recipient", "what the step took off the proposal of a user's own allocation rule to make it feasible"),
}
"""Flows over the step that starts at the date. `expired` has a row for the US and one a recipient."""

SERIES: dict[str, Meaning] = {
    "line": Meaning("round/month", "us", "complete rounds that the line can deliver: the least of its parts"),
    "lots": Meaning("round", "us", "contracted rounds becoming deliverable over the step: they enter the order book"),
    "us_share": Meaning("1", "us", "share of the line's output that goes to US stock"),
    "share": Meaning("1", "recipient", "share of the line's output made for the recipient"),
    "own_need": Meaning("round/month", "us", "what US forces would use: training and operations"),
    "need": Meaning("round/month", "recipient", "what the recipient would fire, events included"),
    "planned_need": Meaning("round/month", "recipient", "what the recipient would fire, events left out: the need it orders by"),
    "authorised": Meaning("round/month", "recipient", "transfers from US stock: what was sent, up to as_of; after it, the ceiling"),
    "history": Meaning("1", "us", "1 before as_of has passed, else 0; in between, the share of the step"),
    "other_supply": Meaning("round", "recipient", "rounds from everywhere else over the step"),
    "us_inflow": Meaning("round", "us", "rounds into US stock from elsewhere over the step"),
    "cut": Meaning("1", "recipient", "share of requests that dated suspensions cancel"),
    "set_aside": Meaning("1", "recipient", "share of grants that dated suspensions defer"),
    "hold_new": Meaning("1", "recipient", "share of new production that dated suspensions withhold"),
    "divert_new": Meaning("1", "recipient", "share of new production that dated suspensions divert to US stock"),
    "floor": Meaning("round", "us", "the policy's transfer floor; 0 while history"),
    "review_on": Meaning("round", "us", "stock below which the stock-triggered suspension comes into force; 0 without one"),
    "review_off": Meaning("round", "us", "stock above which it is lifted; 0 without one"),
}
"""What is known in advance: means over the step that starts at the date."""

ENTERING = ("lots", "other_supply", "us_inflow")
"""Series that move a stock; the books cannot be closed without them, so every table has them."""


def names(cls: type[Any]) -> tuple[str, ...]:
    """Return the field names of `cls` in order."""
    return tuple(field.name for field in fields(cls))


def has_index(field: Field[Any]) -> bool:
    """Tell whether a field is a tuple of quantities: one a recipient, or one a cause."""
    return field.type == "Quantities"
