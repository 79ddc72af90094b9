"""What is read out of the draws: medians with their ranges, differences draw by draw, how often a stock fell below a level."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile import sampling_error
from stockpile.ensembles.chance import LEVEL, Chance
from stockpile.ensembles.chance import passed as passed_by
from stockpile.ensembles.result import QUANTILES
from stockpile.report import words
from stockpile.results import US
from stockpile.sketch import Distribution

if TYPE_CHECKING:
    from stockpile.report.study import Study
    from stockpile.results import Array

LOW, MIDDLE, HIGH = QUANTILES.index(0.05), QUANTILES.index(0.5), QUANTILES.index(0.95)
AHEAD = (12, 24, 36, 60)
"""Months after the date of knowledge at which probabilities are told."""


@dataclass(frozen=True)
class Spread:
    """A number over the draws: 5th percentile, median, 95th percentile."""

    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Change(Spread):
    """A difference between two policies, draw by draw.

    Attributes
    ----------
    more, less, members : int
        In how many draws it is seen to be above and below nought, of how many.
    error : float
        By how much the quantiles may be off for being read from counts.
    """

    more: int
    less: int
    members: int
    error: float = 0.0

    @property
    def kind(self) -> str:
        """How it is told.

        `none`: neither end of the interval can be seen. `close`: too close to call, as the interval has both signs, or has no
        difference for its median. `clear`: the interval keeps to one side of nought, and its median is off it.
        """
        if max(abs(self.low), abs(self.high)) < words.SEEN:
            return "none"
        both = self.low <= -words.SEEN and self.high >= words.SEEN
        return "close" if both or abs(self.median) < words.SEEN else "clear"


# ---------------------------------------------------------------- stocks


def bands(study: Study, policy: str, munition: str) -> Array:
    """Return the quantiles of the US stock over time, in the order of `QUANTILES`, shape (quantile, edge) [round]."""
    return study.draws_of.band("us_on_hand", policy=policy, munition=munition, q=QUANTILES)


def changes(study: Study, policy: str, munition: str) -> Array:
    """Return the quantiles of the difference in the US stock from the baseline, shape as of `bands` [round]."""
    return study.draws_of.band("us_on_hand", policy=policy, munition=munition, q=QUANTILES, change=True)


def at(lines: Array, edge: int) -> Spread:
    """Return quantiles over time at a step edge."""
    low, middle, high = (float(lines[place][edge]) for place in (LOW, MIDDLE, HIGH))
    return Spread(low, middle, high)


def change_at(study: Study, policy: str, munition: str, edge: int) -> Change:
    """Return the difference in the US stock from the baseline at a step edge."""
    ensemble = study.draws_of
    place = (ensemble.policies.index(policy), ensemble.munitions.index(munition), _stock(study, change=True), edge)
    return _change(ensemble.bands.cell(place))


def error(study: Study, munition: str, *, change: bool) -> float:
    """Return by how much quantiles of the US stock, or of its changes, may be off for being read from counts [round]."""
    ensemble = study.draws_of
    return float(np.max(ensemble.bands.error[:, ensemble.munitions.index(munition), _stock(study, change=change)]))


def _stock(study: Study, *, change: bool) -> int:
    """Return the place of the US stock, or of its changes, among what was followed over time."""
    followed = [(one.quantity, one.row, one.is_difference) for one in study.draws_of.entries]
    return followed.index(("us_on_hand", US, change))


# ---------------------------------------------------------------- metrics


def metric(study: Study, name: str, row: str, policy: str, munition: str) -> Spread:
    """Return a metric over the draws."""
    cell = _metric(study, name, policy, munition, row)
    return Spread(*(float(cell.quantile(q)) for q in (0.05, 0.5, 0.95)))


def metric_change(study: Study, name: str, row: str, policy: str, munition: str) -> Change:
    """Return the difference of a metric from that under the baseline."""
    return _change(_metric(study, f"change_in.{name}", policy, munition, row))


def mean_change(study: Study, name: str, row: str, policy: str, munition: str) -> Spread:
    """Return the mean difference of a metric, between the ends of the interval of its Monte Carlo error."""
    return Spread(*study.means[policy, munition, row, name])


def _metric(study: Study, name: str, policy: str, munition: str, row: str = US) -> Distribution:
    """Return the draws of a metric."""
    ensemble = study.draws_of
    return ensemble.metric_values.cell(ensemble.metric(name, row, policy=policy, munition=munition))


def _change(cell: Distribution) -> Change:
    # What was only counted, in bins, is not seen to differ from nought by less than a bin.
    error, members = float(cell.error), cell.members
    low, median, high = (0.0 if abs(one) <= error else one for one in (float(cell.quantile(q)) for q in (0.05, 0.5, 0.95)))
    more, less = members - int(cell.at_or_below(words.SEEN)), int(cell.below(-words.SEEN))
    return Change(low, median, high, more, less, members, error)


# ---------------------------------------------------------------- the floor


def below(study: Study, policy: str, munition: str, edge: int) -> Chance:
    """Return in how many draws the US stock has been below the base policy's floor at some date up to a step edge."""
    return study.draws_of.chance_below(study.floor(munition)[0], by=edge, policy=policy, munition=munition)


def passed(study: Study, policy: str, munition: str) -> list[int]:
    """Return in how many draws that is so, by each step edge."""
    dates = _metric(study, f"first_below.{study.floor(munition)[0]}", policy, munition)
    return [int(hits) for hits in passed_by(dates, study.draws_of.months)]


def not_back(study: Study, policy: str, munition: str) -> Chance:
    """Return in how many draws the US stock fell below the floor and is not back at it by the end."""
    return study.draws_of.never(f"months_to_rebuild.{study.floor(munition)[0]}", policy=policy, munition=munition)


def when_below(study: Study, munition: str) -> tuple[int | None, int | None, int | None]:
    """Return the step edges by which a twentieth, a half and nineteen twentieths of all draws fell below the floor; None for never."""
    hits = np.array(passed(study, study.base, munition))
    found = [np.flatnonzero(hits >= share * study.draws_of.members) for share in (0.05, 0.5, 0.95)]
    low, middle, high = (int(edges[0]) if len(edges) else None for edges in found)
    return low, middle, high


@dataclass(frozen=True)
class Discord:
    """In how many draws a stock falls below the floor under one of two policies only.

    Attributes
    ----------
    spared, caused : int
        Under the baseline alone, under the other policy alone.
    """

    spared: int
    caused: int
    members: int

    @property
    def too_close(self) -> bool:
        """Whether, of the draws in which only one policy does, the share of either may be a half: the interval has it inside."""
        either = self.spared + self.caused
        if either == 0:
            return True
        low, high = sampling_error.proportion_interval(self.spared, either, LEVEL)
        return bool(low <= 0.5 <= high)


def discord(study: Study, policy: str, munition: str) -> Discord:
    """Return in how many draws one of two policies alone lets a stock fall below the floor."""
    dates = _metric(study, f"change_in.first_below.{study.floor(munition)[0]}", policy, munition)
    # Beyond the longest that dates may differ lie those that never come under one of the two.
    longest = float(study.draws_of.months[-1])
    return Discord(dates.members - int(dates.at_or_below(longest)), int(dates.below(-longest)), dates.members)


# ---------------------------------------------------------------- dates


def start(study: Study) -> int:
    """Return the step edge from which policies are compared: the last date known, or the start of the shortest suspension before it."""
    begun = None if study.brief is None else study.edge(study.brief.start)
    return study.now if begun is None else min(study.now, begun)


def told_dates(study: Study) -> list[int]:
    """Return the step edges at which probabilities are told: the last before the date of knowledge, years after it, the end."""
    found = {study.now, study.last}
    as_of = study.scenario.as_of
    for months in AHEAD:
        number = as_of.year * 12 + as_of.month - 1 + months
        edge = study.edge(dt.date(number // 12, number % 12 + 1, 1))
        if edge is not None and edge > study.now:
            found.add(edge)
    return sorted(found)
