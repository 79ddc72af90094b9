"""Published cases: what somebody else worked out, from which inputs, and how near a run must come to it.

A case is a small world of its own. What it does not say is nothing: no loss, no training, no other customers, no slip, plans that
come true in full, all of the output for the owner, and rounds that are handed over within a step of being due.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from stockpile import units
from stockpile.errors import nearest
from stockpile.schema.asked import DATE, MEASURES, PLACES
from stockpile.schema.choices import Change
from stockpile.schema.things import Level, Plan
from stockpile.schema.values import Delay, Fault, Finite, Fraction, Grade, Keys, Name, Names, Rate, Rounds, Source, Strict, Time, is_day

SUPPOSED = {"grade": "assumed", "note": "As the case supposes."}
"""What a number of a case is that names no source and no grade."""
REPORTED = {"grade": "reported"}
"""What one is that names a source and no grade."""

# ---------------------------------------------------------------- the small world


class CasePart(Strict):
    """A part of which each complete round needs one; the line delivers the least of its parts."""

    title: str = ""
    """What the part is."""
    capacity: Rate
    """Rounds' worth of this part that the line can deliver: one level, or several, each from a date on."""
    plans: dict[Name, Plan] = {}
    """Ramps by name, in the unit of `capacity`: in a straight line from the level at the start to `value` at `by`; the slip and the
    realisation of the case apply to them."""


class Order(Strict):
    """An order: nothing before its time, then spread evenly over the lot."""

    title: str = ""
    """Contract, buyer and year."""
    awarded: dt.date
    """The day on which it is decided: times to deliveries count from here."""
    quantity: Rounds
    """Rounds ordered."""
    administration: Time | None = None
    """Time from the decision to the order with the maker; none where left out."""
    lead_time: Time | None = None
    """Time from the order to the first delivery; none where left out."""
    span: Time | None = None
    """Time over which the lot is delivered; left out, it comes as fast as the line delivers, or without a line all at once."""

    @model_validator(mode="after")
    def _numbers_hold_once(self) -> Order:
        for key in ("quantity", "administration", "lead_time", "span"):
            given = getattr(self, key)
            if given is not None and len(given.points) > 1:
                raise Fault(f"{key}.points.1", "an order has one number of each kind; allowed: a table for each order")
        return self


class Flow(Strict):
    """Rounds that move over a window, evenly by days: a one-off use, or a steady one."""

    title: str = ""
    """What it is."""
    start: dt.date
    """First day."""
    end: dt.date | Literal["horizon"]
    """First day after it, or "horizon" for the end of the run: windows are half-open."""
    rounds: Rounds | None = None
    """Rounds over the whole window."""
    rate: Rate | None = None
    """In place of `rounds`: rounds in a time, all through the window."""

    @field_validator("end", mode="before")
    @classmethod
    def _date_or_horizon(cls, given: Any) -> Any:
        if given != "horizon" and not is_day(given):
            raise ValueError(f'{given!r} is no day; allowed: a date, or "horizon"')
        return given

    @model_validator(mode="after")
    def _flow_is_complete(self) -> Flow:
        if isinstance(self.end, dt.date) and self.end <= self.start:
            raise Fault("end", f"{self.end} is not after start ({self.start}); allowed: a later day, as windows are half-open")
        for key, given in (("rounds", self.rounds), ("rate", self.rate)):
            if given is not None and len(given.points) > 1:
                raise Fault(f"{key}.points.1", "a flow has one number; allowed: a table for each window")
        if (self.rounds is None) == (self.rate is None):
            what = "missing: how much moves" if self.rounds is None else "stands beside rate"
            raise Fault("rounds", f"{what}; allowed: rounds over the window, or a rate, one of the two")
        return self


class Transfer(Flow):
    """Rounds that leave the stock for somebody else, as far as it has them."""

    to: Name
    """Who gets them; any name but `us` and `others`."""

    @model_validator(mode="after")
    def _somebody_else(self) -> Transfer:
        if self.to in ("us", "others", "joint_or_unknown"):
            raise Fault("to", f"{self.to!r} is a name of the model's own; allowed: any other")
        return self


class CaseMunition(Strict):
    """A munition of a case: a stock, what fills it and what empties it."""

    title: str
    """Name as printed."""
    stock: Rounds | None = None
    """Rounds on hand at the start; none where left out."""
    line: dict[Name, CasePart] = {}
    """Parts of the production line. Without orders, all that it can make is ordered; with orders, those arrive, and the line is the limit.
    Left out: no limit."""
    us_share: Fraction | None = None
    """Share of what is delivered that goes into the stock; all where left out."""
    orders: dict[Name, Order] = {}
    """Orders by name."""
    use: dict[Name, Flow] = {}
    """What the owner uses, by name."""
    sent: dict[Name, Transfer] = {}
    """What leaves the stock for others, by name."""
    inflow: dict[Name, Flow] = {}
    """What comes into the stock from elsewhere, by name."""
    levels: dict[Name, Level] = {}
    """Named levels to measure against: rounds, or a share of the stock at the start (unit 1, with `of`)."""

    @model_validator(mode="after")
    def _stock_is_of_the_start(self) -> CaseMunition:
        if self.stock is not None and len(self.stock.points) > 1:
            raise Fault("stock.points.1", "a stock has one number, that at the start; allowed: use, sent and inflow for what changes it")
        return self


# ---------------------------------------------------------------- the published answer


class Answer(Strict):
    """What is asked of the run, and what was published."""

    title: str = ""
    """What is asked, in a few words; the measure's name where left out."""
    munition: Name | None = None
    """Which munition; left out where there is only one."""
    measure: str | None = None
    """What is measured: one of the table in docs/cases.md."""
    policy: Name | None = None
    """For a case on a scenario: under which policy; the last of the case's where left out."""
    against: Name | None = None
    """For a difference between policies: from which one it is taken; the first of the case's where left out."""
    since: dt.date | None = None
    """From which day a time counts. Left out: for deliveries from the award, for a return from the day of the lowest stock, else from the
    start."""
    level: Name | None = None
    """Which named level. Left out: for a fall the stock's end, for a return the stock at the start."""
    date: dt.date | None = None
    """The day that is looked at."""
    from_: dt.date | None = Field(None, alias="from")
    """First day of the window; the start of the case where left out."""
    until: dt.date | None = None
    """First day after the window; the end of the case where left out."""
    order: Name | None = None
    """Which order's rounds: orders are filled in the order of their awards."""
    recipient: Name | None = None
    """Whose rounds; everybody's where left out."""
    unit: str
    """From the closed table of units, or "date" for a moment."""
    value: Finite | dt.date | None = None
    """The published answer; left out, with low and high too, nothing was published and ours is printed."""
    low: Finite | dt.date | None = None
    """Lower end, where a range was published."""
    high: Finite | dt.date | None = None
    """Upper end, where a range was published."""
    bound: Literal["about", "at_least", "at_most"] = "about"
    """about: the answer itself. at_least, at_most: "more than", "up to"."""
    tolerance: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """How far ours may be off, in the unit of the answer; months for a date."""
    source: Keys = []
    """Keys in sources.toml, or of `sources` in the case itself."""
    where: str | None = None
    """Where in the source."""
    grade: Grade = "reported"
    """As for other values: measured, reported, derived or assumed."""
    note: str | None = None
    """Whose tolerance it is, and what the source leaves open."""
    counts: bool = True
    """False for an answer of a counted case that is shown and not counted, with `because`."""
    because: str | None = None
    """Why it does not count."""

    @field_validator("value", "low", "high", mode="before")
    @classmethod
    def _day_or_number(cls, given: Any) -> Any:
        if given is None or is_day(given) or (isinstance(given, int | float) and not isinstance(given, bool)):
            return given
        shown = f"{given!r}" if isinstance(given, str) else "a table" if isinstance(given, dict) else str(given)
        raise ValueError(f"{shown} does not fit; allowed: a day without quotes for unit {DATE!r}, a number for all others")

    @property
    def is_published(self) -> bool:
        """Whether there is an answer to compare with."""
        return self.value is not None or self.low is not None

    @model_validator(mode="after")
    def _answer_is_complete(self) -> Answer:
        self._has_what_was_published()
        self._fits_its_measure()
        if self.is_published and self.grade != "assumed" and not self.source:
            raise Fault("source", f"missing: a published answer names its source; allowed: {_SOURCES}")
        if self.is_published and self.grade in ("measured", "reported") and not self.where:
            raise Fault("where", "missing: where in the source the answer stands; allowed: page, table or paragraph")
        if self.is_published and self.grade in ("derived", "assumed") and not self.note:
            raise Fault("note", f"missing: an answer with grade {self.grade!r} says why; allowed: a sentence")
        if not self.counts and not self.because:
            raise Fault("because", "missing: an answer that does not count says why; allowed: a sentence")
        return self

    def _has_what_was_published(self) -> None:
        """Raise a `Fault` unless value, low, high and bound go together, all numbers or all days."""
        given = {key: getattr(self, key) for key in ("value", "low", "high") if getattr(self, key) is not None}
        for key, one in given.items():
            if isinstance(one, dt.date) != (self.unit == DATE):
                raise Fault(key, f"{one} does not fit unit {self.unit!r}; allowed: a day for {DATE!r}, a number for all others")
        if (self.low is None) != (self.high is None):
            there = "high" if self.low is None else "low"
            raise Fault(there, f"{given[there]} stands alone; allowed: low and high together, or neither, with bound for an inequality")
        if self.bound != "about" and (self.value is None or self.low is not None):
            raise Fault("bound", f"{self.bound} is of one number; allowed: value, without low and high")
        ordered = [given[key] for key in ("low", "value", "high") if key in given]
        if any(one > other for one, other in pairwise(ordered)):
            raise Fault("low", f"{' '.join(map(str, ordered))} do not rise; allowed: low <= value <= high")

    def _fits_its_measure(self) -> None:
        """Raise a `Fault` for an unknown measure, a unit that it has not, and keys that it lacks or does not take."""
        if self.measure is None:
            return
        if self.measure not in MEASURES:
            raise Fault("measure", f"unknown measure {self.measure!r}; {nearest(self.measure, MEASURES)}")
        asked = MEASURES[self.measure]
        allowed = [unit.name for unit in units.of_dimension(asked.dimension)] + [DATE] * asked.a_day
        if self.unit not in allowed:
            raise Fault("unit", f"{self.unit!r} is no unit of {self.measure}; {nearest(self.unit, allowed)}")
        for key in PLACES:
            given = getattr(self, "from_" if key == "from" else key) is not None
            if key in asked.needs and not given:
                raise Fault(key, f"missing for {self.measure}; allowed: {_PLACE_IN_WORDS[key]}")
            if given and key not in (*asked.needs, *asked.takes):
                takes = ", ".join((*asked.needs, *asked.takes)) or "none of such keys"
                raise Fault(key, f"given for {self.measure}, which does not take it; allowed: {takes}")
        if self.date is not None and (self.from_ is not None or self.until is not None):
            raise Fault("date", "stands beside a window; allowed: date, or from and until")


_SOURCES = 'keys of sources.toml or of [sources.NAME] in this file, or for a number of your own grade = "assumed" and a note'
_PLACE_IN_WORDS = {"date": "a date without quotes, for example 2025-07-09"}


class Case(Strict):
    """A published answer, with the inputs that it was worked out from."""

    title: str
    """As printed: what, and whose."""
    question: str
    """The question that the published answer answers."""
    note: str | None = None
    """What the sources leave open, and how the case reads them."""
    counts: bool = True
    """True for a published input and a published answer that take a run to join. False for what is shown only, with `because`."""
    because: str | None = None
    """Why it does not count: a single division, arithmetic of our own, an input that is only recalled."""
    not_expressible: str | None = None
    """Why a model of this kind cannot say it; such a case has no world and is listed with the reason."""
    start: dt.date | None = None
    """First month of the run (its first day)."""
    end: dt.date | None = None
    """First month after the run (its first day)."""
    substeps: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Steps a calendar month: times come out no finer than that. 30, about a day each, where left out."""
    munitions: dict[Name, CaseMunition] = {}
    """The small world: one table a munition."""
    slip: Delay | None = None
    """Months by which ramps come late; none where left out."""
    realisation: Fraction | None = None
    """Share of each ramp that comes true; all where left out."""
    line_time: Time | None = None
    """Mean time from a round's being due to its delivery, on top of an order's times; none where left out."""
    scenario: Name | None = None
    """In place of `munitions`: a scenario of the files, with its central values."""
    policies: Names | None = None
    """For a scenario: the policies that are run; its own where left out."""
    changes: list[Change] = []
    """For a scenario: changes to parameters, in order."""
    answers: dict[Name, Answer] = {}
    """One or more answers, by name."""
    sources: dict[Name, Source] = {}
    """Sources that only this case names, with the keys of `params/sources.toml`."""

    @model_validator(mode="before")
    @classmethod
    def _what_needs_no_saying(cls, data: Any) -> Any:
        """Fill in what a number of a case may leave out: its grade, and the shape of its range, of which only the ends are run."""
        if not isinstance(data, dict):
            return data
        return {key: value if key in ("answers", "changes", "sources") else _filled(value) for key, value in data.items()}

    @model_validator(mode="after")
    def _case_is_complete(self) -> Case:
        if not self.counts and not self.because and not self.not_expressible:
            raise Fault("because", "missing: a case that does not count says why; allowed: a sentence")
        if self.not_expressible is not None:
            self._has_no("munitions", "scenario", why="for a case that cannot be expressed")
            return self
        if self.scenario is None:
            self._has_no("policies", "changes", why="without a scenario")
            self._stands_alone()
        else:
            self._has_no("munitions", "slip", "realisation", "line_time", why="beside a scenario")
        if not self.answers:
            raise Fault("answers", "missing; allowed: at least one table [answers.NAME]")
        for name, answer in self.answers.items():
            self._is_an_answer(name, answer)
        return self

    def _stands_alone(self) -> None:
        if not self.munitions:
            raise Fault("munitions", "missing; allowed: at least one table [munitions.NAME], or scenario")
        for key in ("start", "end"):
            date: dt.date | None = getattr(self, key)
            if date is None:
                raise Fault(key, "missing; allowed: the first day of a month")
            if date.day != 1:
                raise Fault(key, f"{date} is not the first day of a month; allowed: {date.replace(day=1)}")
        assert self.start and self.end
        if self.end <= self.start:
            raise Fault("end", f"{self.end} is not after start ({self.start}); allowed: a later month")

    def _is_an_answer(self, name: str, answer: Answer) -> None:
        if answer.measure is None:
            raise Fault(f"answers.{name}.measure", f"missing; {nearest('', MEASURES)}")
        if answer.munition is None and len(self.munitions) != 1:
            known = ", ".join(self.munitions) or "a munition of the scenario"
            raise Fault(f"answers.{name}.munition", f"missing where there is not one alone; allowed: {known}")
        if self.scenario is None and (answer.policy or answer.measure == "change_in_stock_at"):
            key = "policy" if answer.policy else "measure"
            raise Fault(f"answers.{name}.{key}", "there are no policies without a scenario; allowed: for a case on a scenario")

    def _has_no(self, *keys: str, why: str) -> None:
        for key in keys:
            if getattr(self, key):
                raise Fault(key, f"given {why}; allowed: none")


def _filled(node: Any) -> Any:
    """Return a nested table with the numbers completed."""
    if isinstance(node, list):
        return [_filled(one) for one in node]
    if not isinstance(node, dict):
        return node
    if "unit" not in node:
        result = {key: _filled(value) for key, value in node.items()}
        return _supposed(result) if "by" in result else result
    points: Sequence[Any] = node["points"] if isinstance(node.get("points"), list) else [node]
    result = dict(node)
    if "shape" not in node and any(isinstance(point, dict) and "low" in point for point in points):
        result["shape"] = "uniform"
    if "points" in node:
        return {**result, "points": [_supposed(point) if isinstance(point, dict) else point for point in points]}
    return _supposed(result)


def _supposed(table: dict[str, Any]) -> dict[str, Any]:
    """Return the table of a value with a grade, where it has none: reported with a source, else as the case supposes."""
    if "grade" in table:
        return table
    return {**(REPORTED if table.get("source") or table.get("where") else SUPPOSED), **table}
