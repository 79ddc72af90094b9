"""What a sweep shows, in sentences made from its numbers."""

from __future__ import annotations

import numpy as np

from stockpile.report import words
from stockpile.report.workbench.grids import Array, Side
from stockpile.report.workbench.readings import FIRST_BELOW, Reading
from stockpile.report.workbench.section import quantity, signed
from stockpile.results import US

MEDIAN = "q50"
OTHERS = ("q25", "q05", "q75", "q95")
"""Quantiles that stand in where the median says the same word at every point, the first with most numbers."""
SHARES = {
    "q05": "in one of twenty draws",
    "q25": "in a quarter of the draws",
    "q50": "in half of the draws",
    "q75": "in three quarters of the draws",
    "q95": "in nineteen of twenty draws",
}
"""How much of the draws a date of a quantile stands for."""


def statistic(found: Reading, column: str = MEDIAN) -> str:
    """Return which number of the draws stands for a point."""
    if found.members == 1:
        return "central values"
    return f"median of {found.members:,} draws" if column == MEDIAN else f"{int(column[1:])}th percentile of {found.members:,} draws"


def middle(found: Reading, column: str = MEDIAN) -> str:
    """Return in which draws something happens, as a sentence goes on."""
    if found.members == 1:
        return "on central values"
    return "in the median draw" if column == MEDIAN else SHARES[column]


def title(found: Reading, munition: str) -> str:
    """Return the title of a munition."""
    known = found.scenario.munitions if found.scenario else {}
    return known[munition].title if munition in known else munition


def subject(found: Reading, munition: str) -> str:
    """Return what is shown of a munition."""
    if found.metric.startswith(FIRST_BELOW):
        return f"months from {found.since} until the US stock of {found.names.munition(munition)} is first below {found.level}"
    return (f"months from {found.since}: " if found.is_date else "") + found.names.outcome(outcome(found, munition))


def outcome(found: Reading, munition: str) -> str:
    """Return the metric of a munition as outcomes are written."""
    return f"{munition}:{found.metric}" + ("" if found.recipient == US else f":{found.recipient}")


def below(found: Reading, munition: str) -> str:
    """Return the event of a probability in words."""
    return f"the US stock of {found.names.munition(munition)} is below {found.level} at some date"


# ---------------------------------------------------------------- sentences


def sentences(found: Reading, sides: list[Side]) -> list[str]:
    """Return what is said of each munition, the one on which the levers do most first."""
    order = sorted(found.munitions, key=lambda munition: -_moved(found, munition))
    said = []
    for munition in order:
        said.append(f"Under {found.names.policy(found.policy)}, {lowered(sentence(found, sides, munition))}")
        if found.has_chance and varies(found.chance(munition)):
            said.append(chance_sentence(found, sides, munition))
    return said


def lowered(text: str) -> str:
    """Return a sentence as it goes on after a comma."""
    return text[:1].lower() + text[1:]


def varies(values: Array) -> bool:
    """Tell whether there is more than one value."""
    return len(np.unique(values[~np.isnan(values)])) > 1


def _moved(found: Reading, munition: str) -> float:
    """Return how far the levers move a metric, to tell which munition is named first: a chance, else the spread beside the size."""
    if found.has_chance:
        shares = found.chance(munition)
        return float(np.nanmax(shares) - np.nanmin(shares))
    values = found.of(munition)
    finite = values[np.isfinite(values)]
    return float((finite.max() - finite.min()) / (abs(finite).max() or 1.0)) if finite.size else 0.0


def sentence(found: Reading, sides: list[Side], munition: str, column: str = MEDIAN) -> str:
    """Say how a metric of a munition moves over the points."""
    values = found.of(munition, column)
    if found.metric.startswith(FIRST_BELOW):
        return _date_sentence(found, sides, munition, column)
    if found.is_date:
        verb = words.capital(found.names.outcome(outcome(found, munition)))
        return f"{verb} is {_span(np.round(values))} from {found.since}, {statistic(found, column)}, over {len(values):,} points."
    return _amount_sentence(found, sides, munition, values)


def _date_sentence(found: Reading, sides: list[Side], munition: str, column: str) -> str:
    values = found.of(munition, column)
    count, draws = len(values), middle(found, column)
    stock = f"The US stock of {found.names.munition(munition)}"
    never, already = np.isposinf(values), values <= 0.0
    if never.all():
        return f"{stock} is not below {found.level} before {found.end} {draws}, at any of {count:,} points."
    if already.all():
        return f"{stock} has been below {found.level} by {found.since} {draws}, at every one of {count:,} points."
    dated = np.round(values[~never & ~already])
    parts = []
    if dated.size:
        parts.append(f"{_span(dated)} from {found.since} at {_of(dated.size, count)}")
    if already.any():
        parts.append(f"before that day at {_of(int(already.sum()), count)}")
    if never.any():
        parts.append(f"never before {found.end} at {_of(int(never.sum()), count)}")
    text = f"{stock} is first below {found.level} {draws} {words.listed(parts)}"
    if dated.size and dated.max() > dated.min():
        text += f"; soonest with {where(found, sides, int(np.argmin(np.where(already, np.inf, values))))}"
    return f"{text}."


def _of(part: int, count: int) -> str:
    return f"every one of {count:,} points" if part == count else f"{part:,} of {count:,} points"


def _span(months: Array) -> str:
    low, high = f"{months.min():.0f}", f"{months.max():.0f}"
    return f"{signed(low)} {'month' if low == '1' else 'months'}" if low == high else f"{signed(low)} to {signed(high)} months"


def where(found: Reading, sides: list[Side], place: int) -> str:
    """Return the values of a point."""
    row = found.points.iloc[place]
    return words.listed([f"{side.label} {side.at(row[path])}" for side, path in zip(sides, found.paths, strict=True)])


def _amount_sentence(found: Reading, sides: list[Side], munition: str, values: Array) -> str:
    what = words.capital(found.names.outcome(outcome(found, munition)))
    low, high = int(np.nanargmin(values)), int(np.nanargmax(values))
    first, last = quantity(values[low], found.unit), quantity(values[high], found.unit)
    if first == last:
        return f"{what} is {first} at every one of {len(values):,} points, {statistic(found)}."
    span = f"from {first} ({where(found, sides, low)}) to {last} ({where(found, sides, high)})"
    return f"{what} goes {span} over {len(values):,} points, {statistic(found)}."


def chance_sentence(found: Reading, sides: list[Side], munition: str) -> str:
    """Say between what a probability lies over the points."""
    shares = found.chance(munition)
    low, high = int(np.nanargmin(shares)), int(np.nanargmax(shares))
    first, last = (f"{found.members * shares[place]:.0f}" for place in (low, high))
    if first == last:
        return f"In {first} of {found.members:,} draws {below(found, munition)}, at every one of {len(shares):,} points."
    return (
        f"In {first} of {found.members:,} draws {below(found, munition)} with {where(found, sides, low)}, in {last} with "
        f"{where(found, sides, high)}: the least and the most of all points, on the same draws."
    )
