"""What is chosen: policies and scenarios. Choices carry no source."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from stockpile.clock import months_later
from stockpile.schema.values import (
    Fault,
    Finite,
    Name,
    Names,
    Share,
    Strict,
    is_day,
)

MOST_MONTHS = 1200
"""Longest suspension of a given length [month]."""

# ---------------------------------------------------------------- policies (levers: choices, no source)


class Measure(Strict):
    """Whom a suspension touches, and how."""

    recipients: Names
    """Who is touched; `all` for everybody."""
    munitions: Names
    """Which munitions; `all` for every one."""
    channels: Annotated[list[Literal["transfers", "new_production"]], Field(min_length=1)]
    """transfers: from US stock; new_production: rounds coming off the line for the recipient."""
    let_through: Share = 0.0
    """Share that goes on in spite of the suspension."""
    transfers: Literal["deferred", "cancelled"] = "deferred"
    """deferred: kept for the recipient and paid out later; cancelled: taken off the request."""
    new_production: Literal["held", "diverted"] = "held"
    """held: kept back and released later; diverted: into US stock."""


class Suspension(Measure):
    """A dated suspension of deliveries."""

    start: dt.date
    """First day."""
    end: dt.date | Literal["horizon"]
    """First day on which deliveries flow again, or "horizon" for the end of the run; left out where `length` is given."""
    length: Annotated[float, Field(ge=0, le=MOST_MONTHS, allow_inf_nan=False)] | None = None
    """In place of `end`: how many months it lasts, to the nearest day; 0 for not at all."""

    @model_validator(mode="before")
    @classmethod
    def _end_or_length(cls, data: Any) -> Any:
        """Work out `end` from `length`; what is wrong with either is left to their own checks."""
        if not isinstance(data, dict) or data.get("length") is None:
            return data
        if "end" in data:
            raise Fault("length", "stands beside end; allowed: one of the two")
        start: Any = data.get("start")
        length = data["length"]
        fits = is_day(start) and isinstance(length, int | float) and not isinstance(length, bool) and 0 <= length <= MOST_MONTHS
        return {**data, "end": months_later(start, length) if fits else start}

    @field_validator("end", mode="before")
    @classmethod
    def _date_or_horizon(cls, given: Any) -> Any:
        if given != "horizon" and not is_day(given):
            raise ValueError(f'{given!r} is no day; allowed: a date, or "horizon"')
        return given

    @model_validator(mode="after")
    def _ends_after_start(self) -> Suspension:
        if self.length is None and isinstance(self.end, dt.date) and self.end <= self.start:
            raise Fault("end", f"{self.end} is not after start ({self.start}); allowed: a later day, as windows are half-open")
        return self


class Review(Measure):
    """A suspension in force whenever the US stock is low."""

    start: dt.date
    """First day on which the stock is looked at; before it, history stays as it was."""
    on: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """In force from the step where the stock is below this multiple of the review level."""
    off: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """Lifted where the stock is above this multiple of the review level."""

    @model_validator(mode="after")
    def _off_is_not_below_on(self) -> Review:
        if self.off < self.on:
            raise Fault("off", f"{self.off:g} is below on ({self.on:g}); allowed: at least {self.on:g}")
        return self


class Allocation(Strict):
    """How transfers from stock are shared out when they do not suffice for all."""

    use: str = "pro_rata"
    """`pro_rata` (by request), `weights`, or a rule of your own as `module:Class`."""
    classes: list[list[Name]] = []
    """Priority classes, first served first; who is not named comes after all. Empty: one class."""
    weights: dict[Name, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = {}
    """Weight inside the class, for `weights`; 1 where not named."""


class Policy(Strict):
    """A choice of the US: suspensions, floor, review, allocation."""

    title: str
    """As printed."""
    description: str
    """What the policy does, in neutral words."""
    transfer_floor: Name
    """Which of the munition's floors transfers from stock may not go below."""
    review_level: Name
    """Which of the munition's floors (or "requirement") the review looks at."""
    allocation: Allocation = Allocation()
    """The allocation rule."""
    suspensions: list[Suspension] = []
    """Dated suspensions; where two overlap, the larger share counts."""
    review: Review | None = None
    """The stock-triggered suspension, if any."""


# ---------------------------------------------------------------- scenarios


class Change(Strict):
    """A change to one parameter: exactly one of value, scale, add, at."""

    path: str
    """Path of a parameter, or of a group of them with `*` for one name."""
    value: Any = None
    """Sets it: a plain number pins an uncertain, dated parameter at all dates."""
    scale: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """Multiplies value, low and high."""
    add: Finite | None = None
    """Added to value, low and high."""
    at: Literal["low", "high"] | None = None
    """Pins it at the low or the high end of its range."""
    from_: dt.date | None = Field(None, alias="from")
    """From when the change holds; left out, always."""
    reason: str
    """Why."""
    again: bool = False
    """True where an earlier change of the same path is known and this one comes on top of it."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Change:
        given = [name for name in ("value", "scale", "add", "at") if getattr(self, name) is not None]
        if len(given) != 1:
            raise Fault("path", f"the change has {' and '.join(given) or 'no operation'}; allowed: exactly one of value, scale, add, at")
        return self


class Repeat(Strict):
    """An event that is supposed to happen again."""

    event: Name
    """The event that is repeated, with its rounds, cause and length."""
    name: Name
    """Name of the repetition."""
    start: dt.date
    """Its first day."""


class Scenario(Strict):
    """What is known when, over which months, with which changes."""

    title: str
    """As printed."""
    description: str
    """What is supposed."""
    base: Name | None = None
    """Scenario that this one starts from; keys given here replace the base's, changes and repeats are added to it."""
    as_of: dt.date | None = None
    """Everything published later is dropped; flows up to and including this day are history."""
    start: dt.date | None = None
    """First month of the run (its first day)."""
    end: dt.date | None = None
    """First month after the run (its first day)."""
    substeps: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Steps a calendar month."""
    method: Literal["difference", "ode"] | None = None
    """Difference equations, or the same right-hand side integrated as an ODE."""
    money_year: Annotated[int, Field(ge=1990, le=2100)] | None = None
    """Base year in which costs are reported."""
    munitions: Names | None = None
    """Which munitions; all that the files have where left out."""
    recipients: Names | None = None
    """Which recipients; all that the files have where left out."""
    policies: Names | None = None
    """Policies run and compared by default, in this order."""
    without_events: list[Name] = []
    """Events switched off."""
    without_campaigns: list[Name] = []
    """Random campaigns switched off."""
    repeats: list[Repeat] = []
    """Events that are supposed to happen again."""
    changes: list[Change] = []
    """Changes to parameters, in order."""
