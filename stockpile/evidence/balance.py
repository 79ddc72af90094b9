"""Mass balance of published snapshots: what two of them and the deliveries between say was used, beside the use that was published."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile import units
from stockpile.clock import Array
from stockpile.evidence.ledger import Entry, Ledger
from stockpile.evidence.measures import Measure
from stockpile.evidence.predict import in_run
from stockpile.results import US

if TYPE_CHECKING:
    from stockpile.scenario import Scenario

COMPARABLE = ("same", "presumed")
"""How a figure fits what the munition counts, for it to be one of two snapshots."""
RANGE = (0.05, 0.5, 0.95)
WHOLE = 0.999
"""Share of the days between two snapshots from which on a published use counts as that of the whole time."""
NONE, CLOSES, MORE, LESS = "no use is published", "closes", "more use implied than published", "less use implied than published"
PART, LESS_THAN_PART = "not contradicted: published for a part of the time", "less use implied than published for a part of the time"
ROSE = "the stock rose by more than came in"
FLOWS = ("deliveries", "transfers", "other", "implied", "model_use")
COLUMNS = (
    "campaigns", "munition", "from_name", "to_name", "start", "end", "from_low", "from_value", "from_high", "to_low", "to_value", "to_high",
    *(f"{name}_{end}" for name in FLOWS for end in ("low", "middle", "high")), "use_name", "use_start", "use_end", "use_low", "use_high",
    "covers", "residual_low", "residual_high", "verdict", "in_conflict", "set_aside", "derived",
)


@dataclass(frozen=True)
class Interval:
    """Two published snapshots of a stock, one after the other, and the use that was published for the time between.

    Attributes
    ----------
    munition : str
    before, after : Entry
    uses : tuple of Entry
        Each for all of that time or a part of it.
    """

    munition: str
    before: Entry
    after: Entry
    uses: tuple[Entry, ...]

    @property
    def days(self) -> tuple[dt.date, dt.date]:
        """The days of the two snapshots."""
        return self.before.observation.day, self.after.observation.day

    def measures(self, recipients: Sequence[str]) -> list[Measure]:
        """Return what of the model is wanted: both stocks, use, deliveries and transfers between."""
        start, end = self.days
        stock = Measure(self.munition, "stock", (("us_on_hand", US, 1.0),), date=start)
        flow = Measure(self.munition, "flow", (("own_use", US, 1.0),), start=start, end=end)
        new = (("to_us", US, 1.0), *(("diverted", who, 1.0) for who in recipients))
        sent = tuple(("sent", who, 1.0) for who in recipients)
        return [stock, replace(stock, date=end), flow, replace(flow, terms=new), replace(flow, terms=sent)]


def intervals(found: Ledger, scenario: Scenario) -> tuple[Interval, ...]:
    """Return each two published figures of the same US stock on dates that follow one another, within the run.

    Where several figures stand for a date, each is taken in turn: conflicts are carried and not settled. Only figures that count what the
    munition counts are taken, published as a value.
    """
    dates: dict[str, dict[dt.date, list[Entry]]] = defaultdict(lambda: defaultdict(list))
    for entry in found.entries:
        one = entry.measure
        if one is not None and _is_snapshot(entry) and one.munition in scenario.munitions and in_run(one, scenario):
            dates[one.munition][entry.observation.day].append(entry)
    result = []
    for munition in scenario.munitions:
        for first, second in pairwise(sorted(dates[munition])):
            uses = tuple(entry for entry in found.entries if _is_use(entry, munition, first, second))
            pairs = product(dates[munition][first], dates[munition][second])
            result += [Interval(munition, before, after, uses) for before, after in pairs]
    return tuple(result)


def _is_snapshot(entry: Entry) -> bool:
    item = entry.observation
    is_stock = entry.measure is not None and entry.measure.kind == "stock" and item.scope.owner == US
    return is_stock and item.scope.match in COMPARABLE and entry.reading is not None and entry.reading.kind == "about"


def _is_use(entry: Entry, munition: str, start: dt.date, end: dt.date) -> bool:
    one = entry.measure
    if one is None or one.munition != munition or one.per_month or not {name for name, _, _ in one.terms} <= {"own_use", "own_use_for"}:
        return False
    return one.start is not None and one.end is not None and start <= one.start and one.end <= end


def rows(interval: Interval, predicted: Array, campaigns: str) -> list[dict[str, Any]]:
    """Return the balance of two snapshots, a row for each published use, or one without; columns as of `COLUMNS`.

    Parameters
    ----------
    interval : Interval
    predicted : array
        Its measures in draws, shape (5, members).
    campaigns : str
        How the draws came about.
    """
    before, after = _published(interval.before), _published(interval.after)
    first, last, used, new, sent = predicted
    came_in = last - first + used  # Everything but use, as the model's books close.
    low, middle, high = np.quantile(came_in, RANGE)
    implied = (before[0] - after[2] + low, before[1] - after[1] + middle, before[2] - after[0] + high)
    pair = (interval.before, interval.after)
    shared: dict[str, Any] = {
        "campaigns": campaigns,
        "munition": interval.munition,
        "from_name": pair[0].name,
        "to_name": pair[1].name,
        "start": str(interval.days[0]),
        "end": str(interval.days[1]),
        **_ends("from", before, ("low", "value", "high")),
        **_ends("to", after, ("low", "value", "high")),
        **_ends("deliveries", np.quantile(new, RANGE)),
        **_ends("transfers", np.quantile(sent, RANGE)),
        **_ends("other", np.quantile(came_in - new + sent, RANGE)),
        **_ends("implied", implied),
        **_ends("model_use", np.quantile(used, RANGE)),
    }
    return [shared | _closing(interval, one, implied) | _flags(*pair, one) for one in interval.uses or (None,)]


def _ends(name: str, values: Any, ends: Sequence[str] = ("low", "middle", "high")) -> dict[str, float]:
    return {f"{name}_{end}": float(value) for end, value in zip(ends, values, strict=True)}


def _published(entry: Entry) -> tuple[float, float, float]:
    """Return low, value and high as published [round]; thrice the value where no range was published."""
    item = entry.observation
    unit = units.find(item.unit)
    assert unit is not None
    low, high = item.span
    return low * unit.factor, item.value * unit.factor, high * unit.factor


def _closing(interval: Interval, use: Entry | None, implied: tuple[float, float, float]) -> dict[str, Any]:
    """Return what a published use leaves unexplained."""
    low, _, high = implied
    if use is None or use.measure is None or use.reading is None:
        said = ROSE if high < 0.0 else NONE
        nothing = {"use_name": "", "use_start": "", "use_end": "", "use_low": np.nan, "use_high": np.nan, "covers": 0.0}
        return nothing | {"residual_low": low, "residual_high": high, "verdict": said}
    least, value, most = _published(use)
    least, most = {"at_least": (value, np.inf), "at_most": (0.0, value)}.get(use.reading.kind, (least, most))
    assert use.measure.start is not None and use.measure.end is not None
    start, end = interval.days
    share = (use.measure.end - use.measure.start) / (end - start)
    return {
        "use_name": use.name,
        "use_start": str(use.measure.start),
        "use_end": str(use.measure.end),
        "use_low": least,
        "use_high": most,
        "covers": share,
        "residual_low": low - most,
        "residual_high": high - least,
        "verdict": _verdict(low, high, least, most, share),
    }


def _verdict(low: float, high: float, least: float, most: float, share: float) -> str:
    if share < WHOLE:
        return LESS_THAN_PART if high < least else PART
    return LESS if high < least else MORE if low > most else CLOSES


def _flags(*entries: Entry | None) -> dict[str, Any]:
    """Return what speaks against a balance: figures that conflict, are set aside, or were worked out from others."""
    there = [entry for entry in entries if entry is not None]
    return {
        "in_conflict": any(entry.in_conflict for entry in there),
        "set_aside": any(not entry.observation.used for entry in there),
        "derived": "; ".join(entry.name for entry in there if entry.observation.grade == "derived"),
    }
