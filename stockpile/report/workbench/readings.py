"""What is read out of a sweep: one metric under one policy, munition by munition, over the varied paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile import sampling_error
from stockpile.analysis.wording import Names
from stockpile.errors import InputError, nearest
from stockpile.report import words
from stockpile.report.workbench.grids import Array, Side
from stockpile.report.workbench.scenarios import clock_of, names_of, own_value, scenario_of
from stockpile.report.workbench.section import said_lever
from stockpile.results import US
from stockpile.sweep.axes import plain

if TYPE_CHECKING:
    import pandas as pd

    from stockpile.scenario import Scenario
    from stockpile.sweep.opened import Sweep

FIRST_BELOW = "first_below."
DEFAULT = f"{FIRST_BELOW}transfer_floor"
DATES = ("minimum_date", "minimum_after_as_of_date")
LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class Reading:
    """One metric of a sweep under one policy.

    Attributes
    ----------
    scenario : Scenario or None
        For titles, units and own values; None where it has changed since the sweep.
    names : Names
    manifest : dict
    policy, metric, recipient, unit : str
    paths : tuple of str
    points : pandas.DataFrame
        A row a point: its values, the scenario's own ones filled in.
    rows : pandas.DataFrame
        A row a munition and point, of this metric.
    others : tuple of str
        Policies of the sweep that are not shown.
    """

    scenario: Scenario | None
    names: Names
    manifest: dict[str, Any]
    policy: str
    metric: str
    recipient: str
    unit: str
    paths: tuple[str, ...]
    points: pd.DataFrame = field(repr=False)
    rows: pd.DataFrame = field(repr=False)
    others: tuple[str, ...] = ()

    @property
    def is_date(self) -> bool:
        """Whether the metric is a date, which may never come."""
        return self.metric.startswith(FIRST_BELOW) or self.metric in DATES

    @property
    def has_chance(self) -> bool:
        """Whether the share of draws in which it ever comes is a probability worth showing."""
        return self.metric.startswith(FIRST_BELOW) and self.members > 1

    @property
    def level(self) -> str:
        """The level that the metric is about, in words."""
        return self.names.level(self.metric.partition(".")[2])

    @property
    def members(self) -> int:
        """Draws to a point."""
        return int(self.manifest["members"]) if self.manifest["values"] == "drawn" else 1

    @cached_property
    def munitions(self) -> tuple[str, ...]:
        """Munitions, in the order of the sweep."""
        return tuple(map(str, self.rows["munition"].unique()))

    @cached_property
    def now(self) -> float:
        """Months from the start of the run to the day from which dates are counted: `as_of`, or the start where that is not known."""
        return clock_of(self.scenario).at(self.scenario.as_of) if self.scenario else 0.0

    @property
    def since(self) -> str:
        """The day from which dates are counted, in words."""
        return words.day(self.scenario.as_of) if self.scenario else "the start of the run"

    @cached_property
    def horizon(self) -> float | None:
        """Months from that day to the end of the run; None where the scenario is not known."""
        return None if self.scenario is None else float(clock_of(self.scenario).months) - self.now

    @property
    def end(self) -> str:
        """When the run ends, in words."""
        return (
            f"the run ends in {words.month(self.scenario.settings.end)}" if self.scenario and self.scenario.settings.end else "the run ends"
        )

    def side(self, path: str) -> Side:
        """Return a lever with its values in order."""
        label, unit = said_lever(self.names, path)
        found = list(dict.fromkeys(value for value in self.points[path] if value is not None))
        own = own_value(self.scenario, path) if self.scenario else None
        return Side(tuple(_sorted(found)), label, unit, own)

    def of(self, munition: str, column: str = "q50") -> Array:
        """Return a column of a munition, by point; dates as months after `as_of`, with inf for never."""
        own = self.rows[self.rows["munition"] == munition].set_index("point")[column]
        values: Array = own.reindex(self.points["point"]).to_numpy(dtype=np.float64)
        return values - self.now if self.is_date and column.startswith("q") else values

    def chance(self, munition: str) -> Array:
        """Return the share of draws in which the date comes within the run, by point."""
        return self.of(munition, "share_finite")

    def error(self, munition: str) -> tuple[float, float]:
        """Return the widest interval of these shares: lower and upper end."""
        hits = np.round(self.chance(munition) * self.members)
        hits = hits[np.isfinite(hits)]
        low, high = sampling_error.proportion_interval(hits, self.members, LEVEL)
        widest = int(np.argmax(high - low))
        return float(low[widest]), float(high[widest])


def _sorted(values: list[Any]) -> list[Any]:
    """Return values in their order, or as they came where they have none."""
    ordered = all(not isinstance(value, str | bool) for value in values)
    return sorted(values) if ordered else values


def reading(
    sweep: Sweep, metric: str | None = None, policy: str | None = None, scenario: Scenario | None = None, params: Sequence[Any] = ()
) -> Reading:
    """Return what a section of a sweep shows.

    Parameters
    ----------
    sweep : Sweep
        Complete.
    metric : str, optional
        A metric of the US, or one of a recipient as ``total_unmet:ukraine``; the first date below the floor assumed here where left out.
    policy : str, optional
        Where left out the one that is varied, or the first.
    scenario : Scenario, optional
        The one swept; loaded by its name where left out.
    params : sequence of folders, optional
        Laid over the shipped parameters when it is loaded.

    Raises
    ------
    InputError
        For a metric or policy that the sweep does not have, and for a sweep that is not complete.
    """
    manifest, design, table = sweep.manifest, sweep.design(), sweep.table()
    scenario = scenario or scenario_of(manifest, params)
    paths = tuple(column for column in design.columns if column != "point")
    policies = list(manifest["policies"])
    name, _, recipient = (metric or DEFAULT).partition(":")
    recipient = recipient or US
    known = [f"{one}:{who}" if who != US else one for one, who in dict.fromkeys(zip(table["metric"], table["recipient"], strict=True))]
    if metric is None and name not in known:
        name, _, recipient = known[0].partition(":")
        recipient = recipient or US
    asked = name if recipient == US else f"{name}:{recipient}"
    if asked not in known:
        raise InputError.one("metric", f"{asked!r} is not in this sweep; {nearest(asked, known)}", file="report")
    if policy is not None and policy not in policies:
        raise InputError.one("policy", f"{policy!r} is not in this sweep; {nearest(policy, policies)}", file="report")
    varied = [one for one in policies if any(path.split(".")[:2] == ["policies", one] for path in paths)]
    chosen = policy or [*varied, *policies][0]
    rows = table[(table["policy"] == chosen) & (table["metric"] == name) & (table["recipient"] == recipient)]
    points = design.assign(**{path: _values(design[path], scenario, path) for path in paths}).astype(dict.fromkeys(paths, object))
    return Reading(
        scenario,
        names_of(scenario, manifest),
        manifest,
        chosen,
        name,
        recipient,
        str(rows["unit"].iloc[0]),
        paths,
        points,
        rows,
        tuple(one for one in policies if one != chosen),
    )


def _values(column: Any, scenario: Scenario | None, path: str) -> Any:
    """Return the values of a path as plain ones, the scenario's own in place of what is missing."""
    import pandas as pd

    own = own_value(scenario, path) if scenario is not None and column.isna().any() else None
    found = [own if pd.isna(value) else plain(value) for value in column]
    return pd.Series(found, index=column.index, dtype=object)
