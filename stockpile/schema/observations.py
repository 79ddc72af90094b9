"""What was reported: dated figures with their scope, kept side by side, compared with runs and never fed back into them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from stockpile import units
from stockpile.errors import nearest
from stockpile.schema.values import Evidence, Fault, Fraction, Name, Strict

State = Literal[
    "on_hand", "delivered", "received", "sent", "used", "line", "ordered", "bought", "requested", "promised", "planned", "needed",
    "withheld", "launched", "intercepted", "price", "date", "other",
]
Match = Literal["same", "presumed", "part", "wider", "other"]
Basis = Literal["count", "statement", "estimate", "claim"]


class Scope(Strict):
    """What exactly a figure counts. Figures of different scope are never compared, fitted or averaged."""

    state: State
    """on_hand: a stock. delivered: came off the line; owner `all` is the whole output. line: rate at which the line (or, with `part`, a
    part of it) can deliver. sent: out of US stock to the owner. received: from the US in all, out of stock and new from the line. used:
    fired by the owner. ordered: on contract. bought: in the US budget of a fiscal year. requested: asked for in a budget. promised:
    committed, perhaps not delivered. planned: an announced aim. needed: a requirement. withheld: held back by a suspension. launched,
    intercepted: threats. price, date: dollars a round, a month. other: none of these."""
    owner: Name
    """Whose: `us`, a recipient, `all` (everybody), or another name for somebody who is not in the model."""
    variant: Annotated[str, Field(min_length=2)]
    """Which variants are counted, in the words of the source."""
    match: Match
    """How that fits what the munition counts. same: the same. presumed: not said, taken to be the same. part: fewer variants, so that the
    figure is a lower bound of ours. wider: more variants or owners, so that it is an upper bound. other: not to be compared."""
    part: Name | None = None
    """For state line: which part of a complete round, for example bodies."""
    cause: Name | None = None
    """For state used by the US: on whose behalf, where the figure counts that alone."""


class Denominator(Evidence):
    """What a percentage may be a percentage of."""

    title: str
    """What it is."""


class Observation(Evidence):
    """What was reported at a date, or of a window: compared with a run, never fed back into it."""

    title: str
    """What was reported, in a few words."""
    munition: Name | None = None
    """Which munition of the model; left out where it has none such, the figure is then kept and not compared."""
    item: str | None = None
    """What was counted where that is no munition of the model, for example "THAAD interceptors"."""
    scope: Scope
    """What exactly is counted."""
    date: dt.date | None = None
    """For a stock or a rate: the day on which it held (stocks at its start)."""
    start: dt.date | None = None
    """For a total: first day of the window it was counted over."""
    end: dt.date | None = None
    """For a total: first day after it; windows are half-open."""
    unit: str
    """From the closed table of units; "1" for a share, with `of`."""
    bound: Literal["about", "at_least", "at_most"] = "about"
    """about: the figure itself. at_least, at_most: an inequality ("more than", "up to"), never a target."""
    basis: Basis = "estimate"
    """count: counted or contracted by the owner. statement: said by an official or a company. estimate: worked out by somebody outside.
    claim: said by a party with an interest, or disputed. Where no range is published, `reading.toml` says how exactly each is read."""
    of: dict[Name, Denominator] = {}
    """For a percentage: every plausible denominator [round], each with its own source. The figure is then an inequality between them."""
    used_in: list[str] = []
    """Paths of parameters that rest on this figure. It is then no new evidence: shown beside the run, and never fitted."""
    closes_the_books: bool = False
    """True where what was used before it is known only as the residual between two published stocks: never fitted, and beside runs with
    known campaigns shown with the use that would close the gap."""

    circular: bool = False
    """True where the figure is worked out as the residual of others of the ledger: kept, and never compared, scored or fitted."""

    @property
    def day(self) -> dt.date:
        """The date, or the first day after the window."""
        found = self.date or self.end
        assert found is not None
        return found

    @model_validator(mode="after")
    def _observation_is_complete(self) -> Observation:
        unit = units.find(self.unit)
        if unit is None:
            raise Fault("unit", f"unknown unit {self.unit!r}; {nearest(self.unit, units.names())}")
        window = self.start is not None and self.end is not None
        if (self.date is not None) == window or (self.start is None) != (self.end is None):
            raise Fault("date", "a figure is of a day or of a window; allowed: date, or start and end")
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise Fault("end", f"{self.end} is not after start ({self.start}); allowed: a later day, as windows are half-open")
        if (self.munition is None) == (self.item is None):
            raise Fault("munition", "a figure is of a munition of the model or of something else; allowed: munition, or item")
        if self.of and self.unit != "1":
            raise Fault("of", f'given for unit {self.unit!r}; allowed: denominators for a share, in unit "1"')
        self._fits(unit.dimension)
        return self

    def _fits(self, dimension: str) -> None:
        """Raise a `Fault` where scope, window and unit do not go together."""
        state = self.scope.state
        if self.scope.part is not None and state != "line":
            raise Fault("scope.part", f"given for state {state!r}; allowed: for state line")
        if self.scope.cause is not None and (state, self.scope.owner) != ("used", "us"):
            raise Fault("scope.cause", f"given for {state!r} of {self.scope.owner!r}; allowed: for what the US used")
        if state == "on_hand" and self.date is None:
            raise Fault("date", "missing: a stock is of a day; allowed: date, no start and end")
        if state in ("delivered", "received", "sent", "used", "bought", "requested") and self.date is not None and dimension == "rounds":
            raise Fault("date", f"rounds {state} are counted over a window; allowed: start and end")


class Observations(Strict):
    """Observations by name: one table each at the top level of the file."""

    entries: dict[Name, Observation]
    """One table an observation."""

    @model_validator(mode="before")
    @classmethod
    def _entries_stand_at_the_top(cls, data: Any) -> Any:
        return data if isinstance(data, dict) and "entries" in data else {"entries": data}


class Reading(Strict):
    """How exactly figures are read where no range is published: half the width of the 90 % interval, as a share of the figure."""

    count: Fraction
    """Of what its owner counted or contracted."""
    statement: Fraction
    """Of what an official or a company said."""
    estimate: Fraction
    """Of what somebody outside worked out."""
    claim: Fraction
    """Of what a party with an interest said, or what is disputed."""
