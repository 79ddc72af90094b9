"""What the files in ``params/`` may say: one frozen class a kind of file, extra keys forbidden.

The sentence under each field is its documentation: ``docs/parameters.md`` and the JSON Schema for editors
(``stockpile params schema``) are made from it.
"""

from __future__ import annotations

import calendar
import datetime as dt
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from stockpile import units
from stockpile.errors import nearest

Grade = Literal["measured", "reported", "derived", "assumed"]
Shape = Literal["uniform", "triangular", "pert", "normal", "lognormal", "choice"]
Role = Literal["uncertainty", "lever", "constant"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Names = Annotated[list[Name], Field(min_length=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Fault(ValueError):
    """A rule of a file that is broken, with the key it is about (relative to the object checked)."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def is_day(given: Any) -> bool:
    """Tell whether something is a date without a time of day."""
    return isinstance(given, dt.date) and not isinstance(given, dt.datetime)


class Strict(BaseModel):
    """Base of all: no extra keys, no change after reading, no silent conversion of text to numbers."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True, populate_by_name=True
    )


# ---------------------------------------------------------------- sources and values


class Source(Strict):
    """A published document. Its date decides which scenarios may see what rests on it."""

    title: Annotated[str, Field(min_length=3)]
    """Title of the page or document, or a description of it where the title is not known."""
    publisher: Annotated[str, Field(min_length=2)]
    """Who published the page that was read."""
    date: dt.date
    """Date of publication; the last day counts where only the month or the year is known (see `precision`)."""
    precision: Literal["day", "month", "year"]
    """How exactly the date is known. A date known to the month counts as its last day."""
    url: Annotated[str, Field(pattern=r"^(https?://|none: )")]
    """Address of the page that was read, or "none: " and the reason why there is none."""
    kind: Literal["original", "reprint", "relay"]
    """`original`: the publisher's own; `reprint`: the whole text elsewhere; `relay`: somebody's account of another source."""
    outlet_kind: Literal["official", "company", "wire", "press", "trade", "think_tank", "weak", "state_linked"]
    """What sort of outlet it is. `weak` and `state_linked` ones never stand alone behind a headline."""
    relays: str | None = None
    """For a reprint or relay: the original publisher, title and date, as far as the page names them."""

    @model_validator(mode="after")
    def _relay_names_original(self) -> Source:
        if self.kind != "original" and not self.relays:
            raise Fault("relays", f"missing: a {self.kind} says what it passes on; allowed: the original publisher, title and date")
        return self

    @property
    def published(self) -> dt.date:
        """The day from which the document counts as known: the last one of the period its date names."""
        if self.precision == "day":
            return self.date
        if self.precision == "year":
            return dt.date(self.date.year, 12, 31)
        return self.date.replace(day=calendar.monthrange(self.date.year, self.date.month)[1])


Keys = Annotated[list[str], BeforeValidator(lambda given: [given] if isinstance(given, str) else given)]
"""One key of sources.toml, or a list of them."""


class Evidence(Strict):
    """A number with its range, source, locator and grade."""

    value: Finite
    """The central value, in the unit of the parameter."""
    low: Finite | None = None
    """Lower end of the range; the bound for uniform, triangular and PERT, the 5th percentile for normal and lognormal."""
    high: Finite | None = None
    """Upper end of the range; the bound for uniform, triangular and PERT, the 95th percentile for normal and lognormal."""
    source: Keys = []
    """Keys in sources.toml; a `derived` or `assumed` value lists what it rests on and is as late as the latest of it."""
    where: str | None = None
    """Where in the source: page, table, paragraph or the sentence's subject."""
    grade: Grade
    """measured: counted by the owner; reported: stated by a source; derived: our arithmetic from sources; assumed: a judgement."""
    note: str | None = None
    """Why this number and not another; how it was derived; what the source leaves open."""
    conflict: Name | None = None
    """Conflict group: values that different sources give for the same thing carry the same name."""
    used: bool = True
    """False for a value of a conflict group that stands beside the used one and moves nothing."""

    @model_validator(mode="after")
    def _evidence_is_complete(self) -> Evidence:
        if (self.low is None) != (self.high is None):
            there = "high" if self.low is None else "low"
            raise Fault(there, f"{getattr(self, there):g} stands alone; allowed: low and high together, or neither")
        if self.low is not None and self.high is not None:
            if self.low > self.high:
                raise Fault("low", f"{self.low:g} is above high ({self.high:g}); allowed: low <= value <= high")
            if not self.low <= self.value <= self.high:
                raise Fault("value", f"{self.value:g} lies outside its range; allowed: from low ({self.low:g}) to high ({self.high:g})")
        if self.grade in ("measured", "reported", "derived") and not self.source:
            raise Fault("source", f"missing: a {self.grade} value names its source; allowed: keys of sources.toml")
        if self.grade in ("measured", "reported") and not self.where:
            raise Fault("where", f"missing: a {self.grade} value says where in the source it stands; allowed: page, table or paragraph")
        if self.grade in ("derived", "assumed") and not self.note:
            raise Fault("note", f"missing: a value with grade {self.grade!r} says why; allowed: a sentence")
        if self.conflict is None and not self.used:
            raise Fault("used", "false without a conflict group; allowed: true, or the name of the group in `conflict`")
        return self


class Point(Evidence):
    """A value that holds from a date on."""

    from_: dt.date | None = Field(None, alias="from")
    """First day on which the value holds; left out, it holds from the start."""


class Parameter(Strict):
    """A number of the subject: one value, or several that hold from dates on.

    Written either with the keys of a single value, or with ``[[points]]``. Where two points known at the time hold from
    the same day, the one published later is used.
    """

    unit: str
    """From the closed table of units; money carries its base year."""
    role: Role = "uncertainty"
    """uncertainty: nature's; lever: a choice, needs no source; constant: never varied."""
    shape: Shape | None = None
    """Shape of the distribution between low and high; needed where a range is given."""
    points: Annotated[list[Point], Field(min_length=1)]
    """The values, each from a date on. One draw moves all of them together."""

    @model_validator(mode="before")
    @classmethod
    def _single_value_is_a_list_of_one(cls, data: Any) -> Any:
        if isinstance(data, dict) and "points" not in data:
            own = {key: data[key] for key in ("unit", "role", "shape") if key in data}
            return {**own, "points": [{key: data[key] for key in data if key not in own}]}
        return data

    @model_validator(mode="after")
    def _parameter_is_complete(self) -> Parameter:
        if units.find(self.unit) is None:
            raise Fault("unit", f"unknown unit {self.unit!r}; {nearest(self.unit, units.names())}")
        if self.shape is None and any(point.low is not None for point in self.points):
            raise Fault("shape", f"missing: a range needs a shape; allowed: {', '.join(get_args(Shape))}")
        for number, point in enumerate(self.points):
            if len(self.points) > 1 and point.from_ is None:
                raise Fault(f"points.{number}.from", "missing: each of several points says from when it holds; allowed: a date")
        return self


def _kind(dimension: str, least: float | None = 0.0, most: float | None = None) -> AfterValidator:
    """Return the check that a parameter measures `dimension` and that all its numbers lie between `least` and `most`."""

    def check(parameter: Parameter) -> Parameter:
        check_kind(parameter, (dimension,), least, most)
        return parameter

    return AfterValidator(check)


def check_kind(parameter: Parameter, dimensions: tuple[str, ...], least: float | None, most: float | None) -> None:
    """Raise a `Fault` if the unit has another dimension, or a number lies outside the bounds (in the model's units)."""
    unit = units.find(parameter.unit)
    if unit is None or unit.dimension not in dimensions:
        allowed = [u.name for d in dimensions for u in units.of_dimension(d)]
        raise Fault("unit", f"{parameter.unit!r} does not fit here; allowed: {', '.join(allowed)}")
    for number, point in enumerate(parameter.points):
        for key in ("value", "low", "high"):
            given = getattr(point, key)
            if given is None:
                continue
            if (least is not None and given < least) or (most is not None and given * unit.factor > most):
                bounds = f"at least {least:g}" if most is None else f"from {least:g} to {most:g}"
                measured = f"{given:g}" if parameter.unit == "1" else f"{given:g} {parameter.unit}"
                raise Fault(f"points.{number}.{key}", f"{measured} is out of range; allowed: {bounds}")


Rounds = Annotated[Parameter, _kind("rounds")]
Rate = Annotated[Parameter, _kind("rounds per month")]
Part1 = Annotated[Parameter, _kind("number", 0.0, 1.0)]
Count = Annotated[Parameter, _kind("number")]
Time = Annotated[Parameter, _kind("time")]
Delay = Annotated[Parameter, _kind("time", None)]
PerTime = Annotated[Parameter, _kind("per time")]
Money = Annotated[Parameter, _kind("money")]


class Reference(Strict):
    """A number taken from another parameter, so that both move together."""

    same_as: str | None = None
    """Path of the parameter whose value this is."""
    one_minus: str | None = None
    """Path of the parameter that this is the rest of: 1 minus its value."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Reference:
        if (self.same_as is None) == (self.one_minus is None):
            raise Fault("same_as", "stands beside one_minus; allowed: one of the two")
        return self

    @property
    def path(self) -> str:
        """The path referred to."""
        return self.same_as or self.one_minus or ""


def _which(data: Any) -> str:
    if isinstance(data, Reference) or (isinstance(data, dict) and ("same_as" in data or "one_minus" in data)):
        return "reference"
    return "parameter"


Factor = Annotated[
    Annotated[Parameter, Tag("parameter")] | Annotated[Reference, Tag("reference")], Discriminator(_which)
]


def _one_table_a_factor(data: Any) -> Any:
    if isinstance(data, dict) and any(key in data and not isinstance(data[key], dict) for key in ("unit", "same_as", "one_minus")):
        raise ValueError("is a number itself; allowed: one table a factor, for example one called rounds")
    return data


Factors = Annotated[dict[Name, Factor], Field(min_length=1), BeforeValidator(_one_table_a_factor)]
"""A quantity as the product of its factors, each with its own source."""


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

    funding: Literal["lots", "full"]
    """lots: growth over the level in force at `as_of` waits for orders and their lead time; full: all that the line can make is ordered."""
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
    us_share: Part1
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
    share: Part1 | None = None
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
    """First day on which deliveries flow again, or "horizon" for the end of the run."""

    @field_validator("end", mode="before")
    @classmethod
    def _date_or_horizon(cls, given: Any) -> Any:
        if given != "horizon" and not is_day(given):
            raise ValueError(f'{given!r} is no day; allowed: a date, or "horizon"')
        return given

    @model_validator(mode="after")
    def _ends_after_start(self) -> Suspension:
        if isinstance(self.end, dt.date) and self.end <= self.start:
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
    repeats: list[Repeat] = []
    """Events that are supposed to happen again."""
    changes: list[Change] = []
    """Changes to parameters, in order."""


# ---------------------------------------------------------------- observations


class Observation(Evidence):
    """What was reported at a date: compared with a run, never fed back into it."""

    title: str
    """What was reported, in a few words."""
    munition: Name
    """Which munition."""
    quantity: Name
    """Which quantity of the model it is compared with, for example `us_on_hand`."""
    recipient: Name = "us"
    """Whose: `us` or a recipient."""
    date: dt.date
    """When it is supposed to have held."""
    unit: str
    """From the closed table of units."""
    scope: str
    """What is counted: variant, owner, ordered, delivered, on hand, sent or used."""
    closes_the_books: bool = False
    """True where the observation is shown with the residual use that would close the gap to the run, and is compared no further."""

    @model_validator(mode="after")
    def _unit_is_known(self) -> Observation:
        if units.find(self.unit) is None:
            raise Fault("unit", f"unknown unit {self.unit!r}; {nearest(self.unit, units.names())}")
        return self


class Observations(Strict):
    """Observations by name: one table each at the top level of the file."""

    entries: dict[Name, Observation]
    """One table an observation."""

    @model_validator(mode="before")
    @classmethod
    def _entries_stand_at_the_top(cls, data: Any) -> Any:
        return data if isinstance(data, dict) and "entries" in data else {"entries": data}


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
    realisation: Count
    """Share of an announced increase, over the level when announced, that comes true."""
    deflator: PerTime
    """Rate at which munition prices rise, to bring money to one base year."""
