"""Sources, and numbers with their range, source, locator and grade."""

from __future__ import annotations

import calendar
import datetime as dt
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

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
Fraction = Annotated[Parameter, _kind("number", 0.0, 1.0)]
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
