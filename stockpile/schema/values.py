"""Sources, and numbers with their range, source, locator and grade."""

from __future__ import annotations

import ast
import calendar
import datetime as dt
import inspect
import math
from functools import cache
from itertools import pairwise
from textwrap import dedent
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    model_validator,
)

from stockpile import units
from stockpile.errors import nearest

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

Grade = Literal["measured", "reported", "derived", "assumed"]
Shape = Literal["uniform", "triangular", "pert", "normal", "lognormal", "choice"]
Role = Literal["uncertainty", "lever", "constant"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Names = Annotated[list[Name], Field(min_length=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Weight = Annotated[float, Field(gt=0, allow_inf_nan=False)]


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

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return what pydantic says, with the sentence under each field."""
        said = handler(core_schema)
        properties = handler.resolve_ref_schema(said).get("properties", {})
        for name, sentence in described(cls).items():
            properties.get(cls.model_fields[name].alias or name, {})["description"] = sentence
        return said


@cache
def described(cls: type[BaseModel]) -> dict[str, str]:
    """Return the sentence under each field of a class and of its bases.

    It is read from the source when it is asked for: few need it, and reading it with the class takes a fifth of the time of all imports.
    """
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__[: cls.__mro__.index(BaseModel)]):
        body = cast("ast.ClassDef", ast.parse(dedent(inspect.getsource(base))).body[0]).body
        for field, text in pairwise(body):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
                found[field.target.id] = inspect.cleandoc(ast.literal_eval(text.value))
    return {name: text for name, text in found.items() if name in cls.model_fields}


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
    """Lower end of the range: the bound for uniform, triangular and pert, the 5th percentile for normal and lognormal; none for choice."""
    high: Finite | None = None
    """Upper end of the range: the bound for uniform, triangular and pert, the 95th percentile for normal and lognormal; none for choice."""
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

    @property
    def choices(self) -> tuple[tuple[float, float], ...]:
        """Values that shape choice draws from, each with its weight; this one first, and alone where nothing stands beside it."""
        return ((self.value, 1.0),)

    @property
    def span(self) -> tuple[float, float]:
        """Low and high; for a choice its least and largest value, for a fixed value twice that."""
        values = [value for value, _ in self.choices]
        return (min(values) if self.low is None else self.low, max(values) if self.high is None else self.high)


class Alternative(Strict):
    """A value that may be drawn in place of the used one of its conflict group."""

    value: Finite
    """The value, in the unit of the parameter."""
    weight: Weight = 1.0
    """How likely it is against the others."""


class Point(Evidence):
    """A value that holds from a date on."""

    from_: dt.date | None = Field(None, alias="from")
    """First day on which the value holds; left out, it holds from the start. Each of several values has one."""
    weight: Weight | None = None
    """For shape choice: how likely the value is against the others of its conflict group; 1 where left out."""
    alternatives: list[Alternative] = Field([], exclude=True)
    """Worked out when a scenario is read, and no key of a file: for shape choice, what stands beside this value, was known at
    the scenario's `as_of` and holds from the same day."""

    @property
    def choices(self) -> tuple[tuple[float, float], ...]:
        """Values that shape choice draws from, each with its weight; this one first, and alone where nothing stands beside it."""
        own = 1.0 if self.weight is None else self.weight
        return ((self.value, own), *((other.value, other.weight) for other in self.alternatives))


class Parameter(Strict):
    """A number of the subject: one value, or several that hold from dates on.

    Written either with the keys of a single value, or with ``[[points]]``. Where two points known at the time hold from
    the same day, the one published later is used.
    """

    unit: str
    """From the closed table of units; money carries its base year."""
    role: Role = "uncertainty"
    """uncertainty: nature's, drawn in an ensemble; lever: a choice, needs no source and is not drawn, its range being what may be chosen;
    constant: never varied."""
    shape: Shape | None = None
    """What a draw is. Needed where a range is given; where low and high are equal the value is fixed. uniform: every value from low to
    high equally likely. triangular: the same bounds, most likely at value, falling off in straight lines. pert: the same bounds, most
    likely at value (lambda 4), falling off smoothly. normal: value is the median, low and high the 5th and 95th percentile, as two
    half-normals where value is not in the middle; cut off at the 0.1th and 99.9th percentile and at what the number can be at all
    (0, shares also 1), the rest scaled up. lognormal: the same in the logarithm, low above 0. choice: the value or one of those beside
    it in its conflict group that were known at `as_of` and hold from the same day, by their weights; no low and high."""
    points: Annotated[list[Point], Field(min_length=1)]
    """The values, each from a date on. One draw moves all of them together."""
    _bounds: tuple[float, float] | None = PrivateAttr(None)

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the most that the number can be at all, in its own unit; shapes with tails are cut off there.

        They come from the field that the parameter stands in: a delay has none, a share 0 and 1, a campaign's rate and length their
        own, everything else 0 and no upper one. A factor in unit 1 none of whose numbers is above 1 counts as a share.
        """
        if self._bounds is not None:
            return self._bounds
        given = [number for point in self.points for number in (point.value, point.low, point.high) if number is not None]
        return 0.0 if min(given) >= 0.0 else -math.inf, 1.0 if self.unit == "1" and max(given) <= 1.0 else math.inf

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
            self._point_fits_the_shape(point, f"points.{number}")
        return self

    def _point_fits_the_shape(self, point: Point, at: str) -> None:
        if self.shape == "choice" and point.low is not None:
            message = "a choice draws none from a range; allowed: no low and high, but values beside this one in its conflict group"
            raise Fault(f"{at}.low", message)
        if self.shape != "choice" and point.weight is not None:
            raise Fault(f"{at}.weight", f"{point.weight:g} weighs nothing without a choice; allowed: shape choice, or no weight")
        if self.shape == "lognormal" and point.low is not None and point.low <= 0.0 and point.low != point.high:
            raise Fault(f"{at}.low", f"{point.low:g} has no logarithm; allowed for lognormal: above 0")


def _kind(dimension: str, least: float | None = 0.0, most: float | None = None) -> AfterValidator:
    """Return the check that a parameter measures `dimension` and that all its numbers lie between `least` and `most`.

    Both are in the model's units.
    """

    def check(parameter: Parameter) -> Parameter:
        check_kind(parameter, (dimension,), least, most)
        return parameter

    return AfterValidator(check)


def check_kind(parameter: Parameter, dimensions: tuple[str, ...], least: float | None, most: float | None) -> None:
    """Keep the bounds (in the model's units) as those of the parameter.

    Raises
    ------
    Fault
        If the unit has another dimension, or a number lies outside the bounds.
    """
    unit = units.find(parameter.unit)
    if unit is None or unit.dimension not in dimensions:
        allowed = [u.name for d in dimensions for u in units.of_dimension(d)]
        raise Fault("unit", f"{parameter.unit!r} does not fit here; allowed: {', '.join(allowed)}")
    for number, point in enumerate(parameter.points):
        for key in ("value", "low", "high"):
            given = getattr(point, key)
            if given is None:
                continue
            if (least is not None and given * unit.factor < least) or (most is not None and given * unit.factor > most):
                own = "" if parameter.unit == "1" else f" {parameter.unit}"
                bounds = f"at least {least:g}" if most is None else f"from {least:g} to {most / unit.factor:g}{own}"
                raise Fault(f"points.{number}.{key}", f"{given:g}{own} is out of range; allowed: {bounds}")
    ends = -math.inf if least is None else least / unit.factor, math.inf if most is None else most / unit.factor
    parameter._bounds = ends


def bounds(parameter: Parameter) -> tuple[float, float]:
    """Return the least and the most that a parameter can be at all, in its own unit: see `Parameter.bounds`."""
    return parameter.bounds


Rounds = Annotated[Parameter, _kind("rounds")]
Rate = Annotated[Parameter, _kind("rounds per month")]
Fraction = Annotated[Parameter, _kind("number", 0.0, 1.0)]
Count = Annotated[Parameter, _kind("number")]
Time = Annotated[Parameter, _kind("time")]
Delay = Annotated[Parameter, _kind("time", None)]
PerTime = Annotated[Parameter, _kind("per time")]
CampaignRate = Annotated[Parameter, _kind("per time", most=4.0 / units.MONTHS_PER_YEAR)]
CampaignLength = Annotated[Parameter, _kind("time", most=units.MONTHS_PER_YEAR)]
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
