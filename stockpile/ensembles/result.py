"""What an ensemble gives: bands over time, metrics, probabilities, paired differences; each with its Monte Carlo error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stockpile.clock import Array
from stockpile.ensembles import frames
from stockpile.ensembles.asked import moment
from stockpile.ensembles.chance import LEVEL, Chance, chance, passed
from stockpile.ensembles.folded import Key
from stockpile.ensembles.rows import Entry
from stockpile.errors import InputError, nearest
from stockpile.metrics import BASELINE
from stockpile.results import US, Result
from stockpile.sketch import Distribution, Moments

if TYPE_CHECKING:
    import pandas as pd

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def _shares(q: Sequence[float]) -> Sequence[float]:
    """Return the shares of quantiles, all from 0 to 1."""
    wrong = [one for one in q if not isinstance(one, int | float) or not 0.0 <= one <= 1.0]
    if wrong or len(q) == 0:
        raise InputError.one("quantiles", f"{repr(wrong[0]) if wrong else 'none given'}; allowed: numbers from 0 to 1")
    return q


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Many draws of a scenario.

    Attributes
    ----------
    policies, munitions, recipients : tuple of str
        Names along the axes.
    members : int
        Number of draws.
    dates : array of datetime64[s]
        Step edges, one more than there are steps.
    entries : tuple of Entry
        What was followed over time.
    bands : Distribution
        Over (policy, munition, entry, edge).
    keys, units : tuple
        Of the metrics: (policy, munition, row, metric), and unit.
    metric_values : Distribution
        One cell a metric.
    moments : Moments
        Sums over the members for whom a metric is finite.
    level_names : dict
        By munition: its named levels.
    manifest : dict
        As of a `Result`, with members, seed, sampler and engine.
    central : Result
        The run with central values, without random campaigns.
    trajectories : Result or None
        All members' trajectories where they were asked for.
    """

    policies: tuple[str, ...]
    munitions: tuple[str, ...]
    recipients: tuple[str, ...]
    members: int
    dates: NDArray[np.datetime64] = field(repr=False)
    entries: tuple[Entry, ...] = field(repr=False)
    bands: Distribution = field(repr=False)
    keys: tuple[Key, ...] = field(repr=False)
    units: tuple[str, ...] = field(repr=False)
    metric_values: Distribution = field(repr=False)
    moments: Moments = field(repr=False)
    level_names: dict[str, tuple[str, ...]] = field(repr=False)
    manifest: dict[str, Any] = field(repr=False)
    central: Result = field(repr=False)
    trajectories: Result | None = field(default=None, repr=False)

    # ------------------------------------------------------------ time

    @cached_property
    def months(self) -> Array:
        """Months from the start at the step edges."""
        return np.arange(len(self.dates)) / float(self.manifest["substeps"])

    def index(self, date: str) -> int:
        """Return the number of the last step edge at or before `date`.

        Raises
        ------
        InputError
            If the date lies outside the run.
        """
        try:
            when = moment(date)
        except ValueError:
            raise InputError.one("by", f"{date!r} is no date; allowed: for example {str(self.dates[-1])[:10]}") from None
        if not self.dates[0] <= when <= self.dates[-1]:
            raise InputError.one("by", f"{date} is outside the run; allowed: {str(self.dates[0])[:10]} to {str(self.dates[-1])[:10]}")
        return int(np.searchsorted(self.dates, when, side="right")) - 1

    def stock_at(self, date: str) -> str:
        """Return the name of the metric that is the US stock at the last step edge at or before `date`.

        Raises
        ------
        InputError
            If the date lies outside the run.
        """
        return f"stock_at.{self.months[self.index(date)]:g}"

    # ------------------------------------------------------------ bands

    def band(
        self, quantity: str, row: str = US, *, policy: str, munition: str, q: Sequence[float] = QUANTILES, change: bool = False
    ) -> Array:
        """Return quantiles over time, shape (len(q), edges), flows with one fewer.

        Parameters
        ----------
        quantity, row : str
        policy, munition : str
        q : sequence of float
            Between 0 and 1.
        change : bool
            Whether of the difference from the baseline policy, draw by draw.

        Returns
        -------
        array
            Infinite for what lies beyond all bins, where draws were only counted (see ``docs/uncertainty.md``).

        Raises
        ------
        InputError
            For what was not followed or not run, and quantiles outside 0 and 1.
        """
        entry = self._entry(quantity, row, change=change)
        found = self._quantiles(tuple(q))[:, *self._lane(policy, munition), entry]
        if change and policy == self.baseline:
            found = np.zeros_like(found)
        return found[:, :-1] if self.entries[entry].is_flow else found

    def _quantiles(self, q: tuple[float, ...]) -> Array:
        if q not in self._cache:
            self._cache[q] = np.array([self.bands.quantile(one) for one in _shares(q)])
        return self._cache[q]

    @cached_property
    def _cache(self) -> dict[tuple[float, ...], Array]:
        return {}

    def _lane(self, policy: str, munition: str) -> tuple[int, int]:
        """Return the numbers of a policy and a munition; refuse those that were not run."""
        for key, name, known in (("policy", policy, self.policies), ("munition", munition, self.munitions)):
            if name not in known:
                raise InputError.one(key, f"{name!r} was not run; {nearest(str(name), known)}")
        return self.policies.index(policy), self.munitions.index(munition)

    def _entry(self, quantity: str, row: str, *, change: bool) -> int:
        for number, entry in enumerate(self.entries):
            if (entry.quantity, entry.row, entry.is_difference) == (quantity, row, change):
                return number
        followed = sorted({entry.quantity for entry in self.entries})
        what = f"the change of {quantity!r}" if change else repr(quantity)
        message = f"{what} of {row!r} was not followed; {nearest(quantity, followed)}; ask for it with quantities=[...]"
        raise InputError.one("quantity", message)

    @property
    def baseline(self) -> str | None:
        """The policy that changes are measured from; None where it was not run."""
        return BASELINE if BASELINE in self.policies else None

    def quantiles(self, q: Sequence[float] = QUANTILES, *, change: bool = False) -> pd.DataFrame:
        """Return quantiles of all that was followed, as a tidy frame.

        Parameters
        ----------
        q : sequence of float
            Between 0 and 1.
        change : bool
            Whether of the differences from the baseline policy, draw by draw.

        Returns
        -------
        pandas.DataFrame
            Columns policy, quantile, munition, recipient, quantity, date, value, unit.

        Raises
        ------
        InputError
            If nothing of that kind was followed.
        """
        return frames.quantiles(self, q, change=change)

    # ------------------------------------------------------------ metrics

    def metric(self, name: str, row: str = US, *, policy: str, munition: str) -> int:
        """Return the number of a metric's cell in `metric_values`, `units` and `moments`.

        Raises
        ------
        InputError
            For a metric that is not there.
        """
        self._lane(policy, munition)
        key = (policy, munition, row, name)
        if key not in self._numbers:
            names = sorted({one[3] for one in self.keys})
            raise InputError.one("metric", f"there is no {name!r} of {row!r} for {policy}, {munition}; {nearest(name, names)}")
        return self._numbers[key]

    @cached_property
    def _numbers(self) -> dict[Key, int]:
        return {key: number for number, key in enumerate(self.keys)}

    def metric_quantiles(self, q: Sequence[float] = QUANTILES) -> Array:
        """Return quantiles of all metrics, shape (len(q), metrics), in the order of `keys`."""
        return np.array([self.metric_values.quantile(one) for one in _shares(q)])

    def metrics(self, quantiles: Sequence[float] | None = None) -> pd.DataFrame:
        """Return the metrics as a tidy frame: of each member, or their quantiles.

        Parameters
        ----------
        quantiles : sequence of float, optional
            Where given, their quantiles take the place of the members.

        Returns
        -------
        pandas.DataFrame
            Columns policy, member (or quantile), munition, recipient, metric, value, unit. Dates are months from the start; never
            is inf.

        Raises
        ------
        InputError
            If the members' own values were not kept, as there are too many; quantiles can be had.
        """
        return frames.metrics(self, quantiles)

    def estimates(self, *, level: float = LEVEL) -> pd.DataFrame:
        """Return mean, median and their Monte Carlo intervals for every metric.

        Returns
        -------
        pandas.DataFrame
            Columns policy, munition, recipient, metric, unit, share_finite (of the members), mean, mean_low, mean_high (over the
            finite ones, endless for fewer than two), median, median_low, median_high.
        """
        return frames.estimates(self, level)

    # ------------------------------------------------------------ probabilities

    def chance_below(self, level: str, *, by: str | int, policy: str, munition: str) -> Chance:
        """Return the probability that the US stock has been below a named level at some date up to `by`.

        Parameters
        ----------
        level : str
            A floor's name, or ``requirement``.
        by : str or int
            A date, or the number of a step edge.

        Raises
        ------
        InputError
            For a level or a date that is not there.
        """
        self._lane(policy, munition)
        names = self.level_names[munition]
        if level not in names:
            raise InputError.one("below", f"munition {munition} has no level {level!r}; {nearest(level, names)}")
        if isinstance(by, int) and not 0 <= by < len(self.dates):
            raise InputError.one("by", f"there is no step edge {by}; allowed: 0 to {len(self.dates) - 1}")
        edge = by if isinstance(by, int) else self.index(by)
        return chance(int(self._passed(policy, munition, level)[edge]), self.members)

    def _passed(self, policy: str, munition: str, level: str) -> NDArray[np.int64]:
        """Return in how many members the US stock has been below a level by each step edge."""
        key = (policy, munition, level)
        if key not in self._passages:
            cell = self.metric_values.cell(self.metric(f"first_below.{level}", policy=policy, munition=munition))
            self._passages[key] = passed(cell, self.months)
        return self._passages[key]

    @cached_property
    def _passages(self) -> dict[tuple[str, str, str], NDArray[np.int64]]:
        return {}

    def probability(self, quantity: str = "us_on_hand", *, below: str, by: str) -> pd.DataFrame:
        """Return the probability that the US stock has been below a named level at some date up to `by`.

        Parameters
        ----------
        quantity : str
            ``us_on_hand``.
        below : str
            A floor's name, or ``requirement``; munitions without that level are left out.
        by : str
            A date.

        Returns
        -------
        pandas.DataFrame
            Columns policy, munition, level, by, probability, low, high (interval of Monte Carlo error), hits, members.

        Raises
        ------
        InputError
            For another quantity, a level that no munition has, a date outside the run.
        """
        return frames.probability(self, quantity, below, by)

    # ------------------------------------------------------------ paired differences

    def differences(self, q: Sequence[float] = (0.05, 0.5, 0.95)) -> pd.DataFrame:
        """Return each policy's change of every metric from the baseline, on the same draws.

        Returns
        -------
        pandas.DataFrame
            Columns policy, munition, recipient, metric, unit, mean, mean_low, mean_high (Monte Carlo interval of the mean of finite
            changes) and one column a quantile (``q05``, ``q50``, ``q95``) over the draws.

        Raises
        ------
        InputError
            If the baseline policy was not run.
        """
        return frames.differences(self, q, LEVEL)

    def never(self, name: str, *, policy: str, munition: str) -> Chance:
        """Return the probability that a date (such as ``first_below.transfer_floor``) never comes within the run."""
        cell = self.metric(name, policy=policy, munition=munition)
        if self.units[cell] != "month":
            raise InputError.one("metric", f"{name!r} is no date; allowed: metrics in months, such as first_below.transfer_floor")
        return chance(self.members - int(passed(self.metric_values.cell(cell), self.months[-1:])[0]), self.members)

    def table(self, *, inputs: bool = False) -> pd.DataFrame:
        """Return all members' stocks and flows (see `Result.table`).

        Raises
        ------
        InputError
            If trajectories were not kept.
        """
        if self.trajectories is None:
            message = "the members' trajectories were not kept; allowed: keep=True, or quantiles() and metrics()"
            raise InputError.one("table", message)
        return self.trajectories.table(inputs=inputs)

    # ------------------------------------------------------------ other forms

    def save(self, path: str | Path) -> Path:
        """Write the ensemble to one Parquet file: tidy quantiles, and all that is needed to open it. Same ensemble, same bytes.

        The file is written under a temporary name and renamed, so that an interrupted save leaves nothing half done.
        """
        from stockpile.ensembles.files import write

        return write(self, Path(path))

    def to_xarray(self, q: Sequence[float] = QUANTILES) -> Any:
        """Return the bands as an `xarray.Dataset` with the axes policy, munition, quantile, recipient and date. Needs xarray.

        Differences from the baseline are called ``change_in.<quantity>``.
        """
        from stockpile.ensembles.files import dataset

        return dataset(self, tuple(q))
