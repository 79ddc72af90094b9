"""What is described with numbers: munitions, recipients, events, and what all munitions share."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from stockpile import copula
from stockpile.schema.values import (
    CampaignLength,
    CampaignRate,
    Count,
    Delay,
    Evidence,
    Factors,
    Fault,
    Finite,
    Fraction,
    Keys,
    Money,
    Name,
    Parameter,
    PerTime,
    Rate,
    Rounds,
    Strict,
    Time,
    check_kind,
)

# ---------------------------------------------------------------- munitions


class Plan(Evidence):
    """An announced level of a line part: not realised until observed."""

    by: dt.date
    """Date by which the level was announced."""
    replaces: list[Name] = []
    """Names of earlier plans that this one takes the place of, once it is known."""
    outcome: str | None = None
    """For the record of announced plans: whether it was met, as far as the sources say."""


class Part(Strict):
    """A part of which each complete round needs one; the line delivers the least of its parts."""

    title: str
    """What the part is."""
    capacity: Rate
    """Rounds' worth of this part that the line has been able to deliver: levels observed or in force, each from a date on."""
    plans: dict[Name, Plan] = {}
    """Announced levels still to come, by name, in the unit of `capacity`; slip and realisation apply to them."""

    @model_validator(mode="after")
    def _plans_of_a_choice_have_no_range(self) -> Part:
        for name, plan in self.plans.items() if self.capacity.shape == "choice" else ():
            if plan.low is not None:
                raise Fault(f"plans.{name}.low", "a plan is drawn as its capacity is, which is a choice; allowed: no low and high")
        return self


class Lot(Strict):
    """A contract whose quantity is known."""

    title: str
    """Contract, buyer and year."""
    awarded: dt.date
    """Date of the award."""
    quantity: Rounds
    """Rounds ordered."""
    lead_time: Time | None = None
    """Administrative plus manufacturing time to the first delivery; the munition's own where left out."""
    span: Time | None = None
    """Time over which the lot is delivered; the munition's `lot_span` where left out."""


class Line(Strict):
    """The production line: parts, lead time, orders."""

    funding: Literal["lots", "full", "contracts"]
    """lots: growth over the level in force at `as_of` waits for orders and their lead time; full: all that the line can make is ordered;
    contracts: only the known contracts are delivered, before `as_of` and after it."""
    parts: Annotated[dict[Name, Part], Field(min_length=1)]
    """Parts of a complete round, each with its own ramp."""
    lead_time: Time
    """Administrative plus manufacturing time from order to first delivery."""
    lot_span: Time
    """Time over which one lot is delivered."""
    lots: dict[Name, Lot] = {}
    """Contracts of known quantity."""


class Level(Strict):
    """A named level of the US stock: a floor, or a requirement."""

    title: str
    """As it is to be printed: what the level is, and whose."""
    level: Parameter
    """Rounds, or a share of the US stock at the start (unit 1, with `of`)."""
    of: Literal["us_stock"] | None = None
    """What a share is a share of."""
    counts: Literal["stock", "purchases"] = "stock"
    """stock: rounds to be held. purchases: for a requirement that counts all rounds ever bought, such as an acquisition objective."""

    @model_validator(mode="after")
    def _share_of_something(self) -> Level:
        check_kind(self.level, ("rounds", "number"), 0.0, None)
        if (self.level.unit == "1") != (self.of is not None):
            wrong = 'missing: a level in unit "1" is a share of something' if self.of is None else "given for a level in rounds"
            raise Fault("of", f'{wrong}; allowed: of = "us_stock" for a share, none for rounds')
        return self


class Munition(Strict):
    """A munition: US stock, line, use, cost and levels to compare with."""

    title: str
    """Name as printed, for example "PAC-3 interceptors"."""
    short: str
    """Short name for charts."""
    description: str
    """What is counted, which variants, who owns it."""
    us_stock: Rounds
    """US-owned usable stock at the start of the run [round]."""
    line: Line
    """The production line."""
    us_share: Fraction
    """Share of the line's output that goes to US stock; with the recipients' shares at most 1, the rest going to partners."""
    training: Rate
    """Rounds the US uses a year in training and tests."""
    loss_rate: PerTime
    """Share of a stock lost per year to the end of shelf life, surveillance and damage."""
    unit_cost: Money
    """Price of a round, in dollars of a base year."""
    floors: Annotated[dict[Name, Level], Field(min_length=1)]
    """Named floors; policies name one as transfer floor and one as review level."""
    requirements: dict[Name, Level] = {}
    """Published requirements and objectives, side by side where sources differ."""
    requirement: Name | None = None
    """Which of `requirements` counts as the requirement (the level that us_first defends)."""


# ---------------------------------------------------------------- recipients


class Claim(Strict):
    """What a recipient holds, gets and needs of one munition."""

    stock: Rounds
    """The recipient's own stock at the start of the run [round]."""
    share: Fraction | None = None
    """Share of the US line's output made for this recipient; left out for `partners`, who get the remainder."""
    authorised: Rate
    """Transfers from US stock that were sent [rate], up to `as_of`; dated packages come on top."""
    ceiling: Rate
    """The most that is authorised from US stock after `as_of` [rate]."""
    other_supply: Rate
    """Everything from elsewhere [rate]."""
    need: Factors
    """What the recipient would fire [rate]: a rate of rounds, or targets x shares x rounds per target."""


class Recipient(Strict):
    """Who receives: name and one claim a munition. In the file each munition is a table of its own."""

    title: str
    """Name as printed."""
    description: str
    """Who is meant."""
    remainder: bool = False
    """True for the one recipient who gets what is left of the line (all other customers)."""
    claims: dict[Name, Claim]
    """One table a munition, written at the top level of the file: ``[pac3.stock]``."""

    @model_validator(mode="before")
    @classmethod
    def _munitions_stand_at_the_top(cls, data: Any) -> Any:
        if isinstance(data, dict) and "claims" not in data:
            claims = {key: value for key, value in data.items() if isinstance(value, dict)}
            return {**{key: value for key, value in data.items() if key not in claims}, "claims": claims}
        return data


# ---------------------------------------------------------------- events


class Event(Strict):
    """Something dated: an operation, a package, a purchase. Data only, switchable by scenario."""

    title: str
    """As printed beside its mark in the charts."""
    description: str
    """What happened or is supposed, and what is not known."""
    kind: Literal["operation", "package", "inflow", "supply", "need", "hold"]
    """operation: used by US forces; package: transfer from US stock; inflow: into US stock; supply: to a recipient from elsewhere;
    need: adds to what a recipient would fire; hold: an earlier stop that is already part of authorised history, marked only."""
    start: dt.date
    """First day."""
    end: dt.date
    """First day after it: windows are half-open."""
    cause: str | None = None
    """For an operation: on whose behalf, `us`, a recipient or `joint_or_unknown` (where sources do not say)."""
    recipient: str | None = None
    """For a package, supply or need: who."""
    instead: bool = False
    """For a package: True where it is the whole authorised flow of its days, in place of the recipient's rate."""
    source: Keys = []
    """For a hold: where it was reported."""
    rounds: dict[Name, Factors] = {}
    """Rounds over the whole window, a munition each, as a product of factors."""

    @model_validator(mode="after")
    def _event_is_complete(self) -> Event:
        if self.end <= self.start:
            raise Fault("end", f"{self.end} is not after start ({self.start}); allowed: a later day, as windows are half-open")
        self._has_only("cause", ("operation",), "on whose behalf: us, a recipient or joint_or_unknown")
        self._has_only("recipient", ("package", "supply", "need"), "the name of a recipient")
        self._has_only("rounds", ("operation", "package", "inflow", "supply", "need"), "rounds of at least one munition")
        self._has_only("source", ("hold",), "keys of sources.toml; other events name their sources with their rounds")
        if self.instead and self.kind != "package":
            raise Fault("instead", f"true for kind {self.kind!r}; allowed: only a package stands in place of the authorised rate")
        return self

    def _has_only(self, key: str, kinds: tuple[str, ...], allowed: str) -> None:
        """Raise a `Fault` unless `key` is given for `kinds`, and for them alone."""
        if self.kind in kinds and not getattr(self, key):
            raise Fault(key, f"missing for kind {self.kind!r}; allowed: {allowed}")
        if self.kind not in kinds and getattr(self, key):
            raise Fault(key, f"given for kind {self.kind!r}; allowed only for {', '.join(kinds)}")


class Campaign(Strict):
    """Operations that may come, at times that nobody knows: drawn in ensembles only.

    After `as_of`, at most one begins in each calendar quarter, with probability `rate` x a quarter of a year, on any of its days.
    Each has a length of its own, and a size that moves the rounds of all munitions together. Central runs have the dated events alone.
    """

    title: str
    """As printed."""
    description: str
    """Which operations are meant, and what the numbers rest on."""
    cause: Name
    """On whose behalf: `us`, a recipient, or `joint_or_unknown` where that is open."""
    rate: CampaignRate
    """How many begin in a year, on average; at most 4, one a quarter."""
    length: CampaignLength
    """How long one lasts: above 0, at most 12 months."""
    rounds: Annotated[dict[Name, Rounds], Field(min_length=1)]
    """Rounds that one takes in all, over its length, a munition each; a munition left out takes none."""

    @model_validator(mode="after")
    def _it_lasts(self) -> Campaign:
        for number, point in enumerate(self.length.points):
            key = "value" if point.low is None else "low"
            if point.span[0] <= 0.0:
                raise Fault(f"length.points.{number}.{key}", f"{point.span[0]:g} {self.length.unit} is no time; allowed: above 0")
        return self


# ---------------------------------------------------------------- the model's own


class Times(Strict):
    """Mean times of the model's flows."""

    line: Time
    """Between a round's being due and its delivery, τ_line."""
    issue: Time
    """To issue rounds from the US stock, τ_issue."""
    release: Time
    """To release rounds withheld, once a suspension ends, τ_release."""
    catch_up: Time
    """To pay out deferred transfers, τ_catch_up."""
    order: Time
    """Over which a recipient orders up to its position, τ_order."""


class Correlation(Evidence):
    """How uncertain parameters move together: one correlation between each two of a group, or one for every two of them.

    It holds between normal scores: of the numbers by which values are drawn, brought to a standard normal distribution. What each
    value is drawn from stays as it is. Either `value` or `pairs` is given.
    """

    paths: Annotated[list[str], Field(min_length=2)]
    """Full paths of the parameters, for example `model.slip`; each stands in one group only. A path that a scenario leaves out, or
    pins, no longer counts."""
    value: Finite = 0.0
    """The correlation of any two of the group, where it is the same for all."""
    pairs: list[list[Finite]] = []
    """In place of `value`: for each path but the first, in their order, a list of its correlations with those named before it. Of three
    paths `[[0.5], [0.2, -0.3]]`: the second with the first; the third with the first, and with the second."""
    replaces: list[Name] = []
    """Names of groups that this one takes the place of, once it is known."""

    @model_validator(mode="after")
    def _it_can_be(self) -> Correlation:
        twice = next((number for number, path in enumerate(self.paths) if path in self.paths[:number]), None)
        if twice is not None:
            raise Fault(f"paths.{twice}", f"{self.paths[twice]!r} is named a second time; allowed: once")
        given = {"value", "pairs"} & self.model_fields_set
        if len(given) != 1:
            both = "value", "given beside `pairs`"
            key, what = both if given else ("value", "missing")
            raise Fault(key, f"{what}; allowed: either `value`, the same for any two of the group, or `pairs`, one for every two")
        for key, beside in (("low", self.low), ("conflict", self.conflict)):
            if beside is not None:
                raise Fault(key, "given for a correlation, which is neither drawn nor one of several; allowed: none, say it in `note`")
        if "pairs" in given:
            self._pairs_can_be()
            return self
        least = -1.0 / (len(self.paths) - 1)
        if not least <= self.value <= 1.0:
            raise Fault("value", f"{self.value:g} is no correlation of {len(self.paths)} with one another; allowed: from {least:.4g} to 1")
        return self

    def _pairs_can_be(self) -> None:
        if len(self.pairs) != len(self.paths) - 1:
            allowed = f"{len(self.paths) - 1}, one for each path but the first"
            raise Fault("pairs", f"{len(self.pairs)} lists for {len(self.paths)} paths; allowed: {allowed}")
        for number, row in enumerate(self.pairs):
            if len(row) != number + 1:
                allowed = f"{number + 1}, one with each path named before it"
                raise Fault(f"pairs.{number}", f"{len(row)} correlations of {self.paths[number + 1]!r}; allowed: {allowed}")
            for place, value in enumerate(row):
                if not -1.0 <= value <= 1.0:
                    raise Fault(f"pairs.{number}.{place}", f"{value:g} is no correlation; allowed: from -1 to 1")
        least = copula.least_eigenvalue(copula.matrix_of(self.pairs))
        if least < -copula.ROUNDING:
            message = f"these correlations cannot all be at once: the least eigenvalue of their matrix is {least:.4g}; allowed: 0 or more"
            raise Fault("pairs", message)

    def between(self, one: str, other: str) -> float:
        """Return the correlation of two paths of the group."""
        if one == other:
            return 1.0
        if not self.pairs:
            return self.value
        first, last = sorted((self.paths.index(one), self.paths.index(other)))
        return self.pairs[last - 1][first]


class Model(Strict):
    """Values that all munitions share."""

    times: Times
    """Mean times."""
    cover: Time
    """Months of need that a recipient orders up to."""
    commit: PerTime
    """Largest share of its stock that a recipient fires in a month."""
    slip: Delay
    """Months by which announced production plans come late."""
    ramp_delay: Delay
    """Months by which all announced ramps are put off by decision, or, below nought, brought forward; `slip` comes on top."""
    realisation: Count
    """Share of an announced increase, over the level when announced, that comes true."""
    deflator: PerTime
    """Rate at which munition prices rise, to bring money to one base year."""
    correlations: dict[Name, Correlation] = {}
    """Groups of uncertain parameters that move together; all others are drawn independently."""
