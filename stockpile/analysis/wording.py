"""Outcomes, conditions, paths and numbers in words, for the sentences that say what an analysis found."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stockpile.analysis.labels import labels
from stockpile.experiments.outcomes import BELOW, CHANGE
from stockpile.metrics import BASELINE
from stockpile.results import US
from stockpile.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd

CLOSE = "too close to call"
LEVEL = 0.95
"""Coverage of the intervals."""
FLOOR = "transfer_floor"
COMPARED = {">": "above", ">=": "at least", "<": "below", "<=": "at most"}
FINE = 5.0
"""A number is printed to a digit of at most this part of its interval: more digits than it supports are left out."""
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)
OF_US = {
    "minimum": "the lowest US stock of {what}",
    "minimum_date": "the month in which the US stock of {what} is lowest",
    "minimum_after_as_of": "the lowest US stock of {what} after {now}",
    "minimum_after_as_of_date": "the month after {now} in which the US stock of {what} is lowest",
    "stock_at_end": "the US stock of {what} at the end of the run",
    "us_on_hand": "the US stock of {what} {at}",
    "below": "the chance that the US stock of {what} has been below {level} {by}",
    "first_below": "the month in which the US stock of {what} is first below {level}",
    "months_below": "the time for which the US stock of {what} is below {level}",
    "months_to_rebuild": "the time until the US stock of {what} is back at {level}",
    "depth_below": "the depth of the US stock of {what} below {level}",
    "total_delivered": "the {what} that the line delivers to US forces",
    "total_used": "the use of {what} by US forces",
    "total_unmet": "the unmet need of US forces for {what}",
    "total_sent": "the {what} sent to all recipients from US stock",
    "replacement_cost": "the cost of replacing the {what} that US forces use",
}
"""What metrics of the US are called in a sentence."""
OF_RECIPIENTS = {
    "total_delivered": "the {what} that the line delivers to {who}",
    "total_used": "the use of {what} by {who}",
    "total_unmet": "the unmet need of {who} for {what}",
    "total_sent": "the {what} sent to {who} from US stock",
    "replacement_cost": "the cost of replacing the {what} sent to {who}",
}


Row = Any
"""A row of a frame, its columns as attributes."""


def rows_of(frame: pd.DataFrame) -> list[Row]:
    """Return the rows of a frame."""
    return list(frame.itertuples(index=False))


def missing(value: Any) -> bool:
    """Tell whether a cell of a frame has no value: None, or what a frame makes of it."""
    return value is None or (isinstance(value, float) and math.isnan(value))


@dataclass(frozen=True)
class Names:
    """What things are called: by their titles where a scenario is given, else by the names in the files.

    Attributes
    ----------
    scenario : Scenario, optional
    now : str
        The scenario's `as_of`, as ISO text; empty where it is not known.
    """

    scenario: Scenario | None = None
    now: str = ""

    @classmethod
    def of(cls, manifest: Mapping[str, Any], scenario: Scenario | None) -> Names:
        """Return the names to be used for what an analysis found."""
        return cls(scenario, str(manifest.get("as_of", "")))

    def munition(self, name: str) -> str:
        """Return the short name of a munition."""
        known = self.scenario.munitions if self.scenario else {}
        return known[name].short if name in known else name

    def recipient(self, name: str) -> str:
        """Return the title of a recipient."""
        known = self.scenario.recipients if self.scenario else {}
        return known[name].title if name in known else name

    def policy(self, name: str) -> str:
        """Return the title of a policy in quotation marks."""
        known = self.scenario.policies if self.scenario else {}
        return f'"{known[name].title if name in known else name}"'

    def path(self, path: str) -> str:
        """Return what a path is called."""
        return labels(self.scenario, [path])[0][path] if self.scenario else path

    def valued(self, path: str, value: Any) -> str:
        """Return a value at a path, with its unit where that is known."""
        unit = labels(self.scenario, [path])[1][path] if self.scenario else ""
        return f"{plain(value)} {plural(unit, value)}".rstrip()

    def level(self, name: str) -> str:
        """Return what a named level of a munition is called: all of them are assumptions."""
        return "the floor assumed here" if name == FLOOR else f'the level "{name.replace("_", " ")}" assumed here'

    @property
    def after(self) -> str:
        """The day after which a run is a forecast."""
        return day(self.now) if self.now else "the date of the forecast"

    def outcome(self, text: str) -> str:
        """Return an outcome in words, for example: the unmet need of Ukraine for PAC-3."""
        rest, _, date = text.partition("@")
        munition, metric, *others = rest.split(":")
        who = others[0] if others else US
        if metric.startswith(CHANGE):
            return f"the change, against {self.policy(BASELINE)}, in {self.outcome(text.replace(CHANGE, '', 1))}"
        name, _, level = metric.partition(".")
        said = (OF_US if who == US else OF_RECIPIENTS).get(name, f"{metric} of {{what}}" + ("" if who == US else " of {who}"))
        return said.format(
            what=self.munition(munition), who=self.recipient(who), level=self.level(level), now=self.after,
            at=f"on {day(date)}" if date else "at the end of the run", by=f"by {day(date)}" if date else "by the end of the run",
        )

    def event(self, text: str) -> str:
        """Return an outcome that is a probability as what may happen, without its ``the chance that``."""
        return self.outcome(text).removeprefix("the chance that ")

    def condition(self, text: str) -> str:
        """Return a condition in words."""
        wanted, comparison, number = re.split(r"\s*(>=|<=|>|<)\s*", text)
        munition, _, metric = wanted.partition(":")
        kind, _, level = metric.partition(".")
        if kind == "depth_below" and float(number) == 0.0 and comparison in (">", "<="):
            verb = "falls" if comparison == ">" else "never falls"
            return f"the US stock of {self.munition(munition)} {verb} below {self.level(level)} after {self.after}"
        return f"{self.outcome(wanted)} is {COMPARED[comparison]} {plain(float(number))}"


def is_chance(text: str) -> bool:
    """Tell whether an outcome is 1 or 0, so that its mean is a probability."""
    return text.partition(":")[2].removeprefix(CHANGE).startswith(BELOW)


# ---------------------------------------------------------------- numbers


def plain(value: Any) -> str:
    """Return a number or a date as it is, with up to six digits."""
    if isinstance(value, dt.date):
        return day(value)
    return f"{value:,.6g}" if isinstance(value, int | float) else str(value)


def day(date: dt.date | str) -> str:
    """Return a day in words: 9 July 2025; a month where a text says no more."""
    text = str(date)
    year, month = text[:4], MONTHS[int(text[5:7]) - 1]
    return f"{int(text[8:10])} {month} {year}" if len(text) >= 10 else f"{month} {year}"


def plural(unit: str, value: Any) -> str:
    """Return a unit as it stands after a number."""
    return f"{unit}s" if unit in ("round", "month") and value != 1 else unit


def rounded(value: float, width: float) -> str:
    """Return a number with no more digits than an interval of that width supports; three digits where there is no width."""
    if not (math.isfinite(value) and math.isfinite(width)):
        return "endless" if math.isinf(value) else plain(value)
    step = width / FINE if width > 0.0 else abs(value) / 100 or 1.0
    digits = -math.floor(math.log10(step))
    text = f"{round(value, digits):,.{min(max(digits, 0), 6)}f}"
    return text if text.strip("-0.,") else "0"


def amount(value: float, width: float, unit: str) -> str:
    """Return a number with its unit, in digits that the width supports; shares as per cent."""
    if unit == "1":
        return f"{rounded(100.0 * value, 100.0 * width)} %"
    if unit.startswith("USD"):
        return f"{rounded(value / 1e9, width / 1e9)} billion {unit.replace('_', ' of ')}"
    return f"{rounded(value, width)} {plural(unit, value)}"


def spread(value: float, low: float, high: float, unit: str) -> str:
    """Return a number with the interval of its Monte Carlo error: 22 % (16 to 28 %), 840 (710 to 970) rounds."""
    first, middle, last = (amount(each, high - low, unit).partition(" ") for each in (low, value, high))
    if unit == "1":
        return f"{middle[0]} % ({first[0]} to {last[0]} %)"
    return f"{middle[0]} ({first[0]} to {last[0]}) {last[2]}".rstrip()


def listed(items: Sequence[str]) -> str:
    """Return items as a list in a sentence: a, b and c."""
    return "".join(items) if len(items) <= 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def capital(text: str) -> str:
    """Return a text with a capital first letter."""
    return text[:1].upper() + text[1:]
