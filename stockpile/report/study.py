"""What a page is made from: a result, the scenario behind it, and what is read out of both."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile import metrics, simulate
from stockpile.assemble import parts, unit_costs
from stockpile.draws import Collector
from stockpile.errors import InputError
from stockpile.inputs import JOINT
from stockpile.report import words
from stockpile.report.facts import Window, next_month, rounds_of, windows
from stockpile.results import US, Array, Result
from stockpile.scenario import Scenario

if TYPE_CHECKING:
    from stockpile.ensembles.result import Ensemble

BASELINE = metrics.BASELINE
DAILY, DAYS = 31, 28
"""Steps a month of the short run beside the main one: days, in the months that have so many; and how many are as good as daily."""
AFTER = 3
"""Months that the short run goes on after the month in which the suspension ends."""
YEAR = 12


@dataclass(frozen=True)
class Brief:
    """The shortest dated suspension of the policies run.

    Attributes
    ----------
    policy : str
        A policy that has this suspension, no other, and no review.
    start, end : datetime.date
        Half-open.
    munitions, recipients : tuple of str
        What and whom it touches.
    first : int
        Number of the first step edge at the start of a month after it began.
    """

    policy: str
    start: dt.date
    end: dt.date
    munitions: tuple[str, ...]
    recipients: tuple[str, ...]
    first: int


@dataclass(frozen=True)
class Draw:
    """What one claimant drew, over a period [round]."""

    name: str
    transfers: float
    operations: float
    lost: float
    production: float

    @property
    def from_stock(self) -> float:
        """What left US stock."""
        return self.transfers + self.operations + self.lost

    @property
    def whole(self) -> float:
        """What left US stock and what the line made for the claimant."""
        return self.from_stock + self.production


@dataclass(frozen=True)
class Measure:
    """A number of rounds beside what it may be measured against; None where there is nothing to measure by."""

    label: str
    rounds: float
    of_stock: float | None
    of_output: float | None
    of_largest_use: float | None
    of_us_use: float | None
    of_recipient_use: float | None


@dataclass(frozen=True)
class Study:
    """A result with its scenario, the short run in daily steps where there is a dated suspension, and the draws where there are any.

    `result` is the run on central values, with or without draws.
    """

    scenario: Scenario
    result: Result
    fine: Result | None
    ensemble: Ensemble | None = None

    # ------------------------------------------------------------ names and dates

    @property
    def baseline(self) -> str | None:
        """The policy that others are compared with, if it was run."""
        return BASELINE if BASELINE in self.result.policies else None

    @property
    def base(self) -> str:
        """The policy under which stocks are told: the baseline, or the first one where it was not run."""
        return self.baseline or self.result.policies[0]

    @property
    def draws_of(self) -> Ensemble:
        """The draws, where it is known that there are some."""
        assert self.ensemble is not None
        return self.ensemble

    @cached_property
    def means(self) -> dict[tuple[str, str, str, str], tuple[float, float, float]]:
        """Mean changes of metrics between the ends of their Monte Carlo intervals: low, mean, high."""
        found = self.draws_of.differences()
        names = zip(found.policy, found.munition, found.recipient, found.metric, strict=True)
        return dict(zip(names, zip(found.mean_low, found["mean"], found.mean_high, strict=True), strict=True))

    @cached_property
    def streams(self) -> frozenset[str]:
        """Paths of the values that the draws are made of."""
        collector = Collector(self.scenario)
        unit_costs(parts(self.scenario, list(self.result.policies), collector))
        return frozenset(stream.partition("@")[0] for stream in collector.columns.streams)

    @property
    def last(self) -> int:
        """Number of the last step edge."""
        return len(self.result.dates) - 1

    @property
    def others(self) -> tuple[str, ...]:
        """The policies that are compared with the baseline."""
        return tuple(policy for policy in self.result.policies if policy != self.baseline)

    def title(self, policy: str) -> str:
        """Return a policy's title."""
        return self.scenario.policies[policy].title

    def claimant(self, row: str) -> str:
        """Return a recipient's title, or the words for the other rows."""
        own = {US: "US forces", JOINT: "Joint or unknown"}
        return own[row] if row in own else self.scenario.recipients[row].title

    def short(self, munition: str) -> str:
        """Return a munition's short name."""
        return self.scenario.munitions[munition].short

    @cached_property
    def metrics(self) -> dict[tuple[str, str, str, str], tuple[Array, str]]:
        """The metrics of the result."""
        return metrics.rows(self.result)

    def metric(self, policy: str, munition: str, row: str, name: str) -> float:
        """Return one metric."""
        return float(self.metrics[policy, munition, row, name][0][0])

    @cached_property
    def now(self) -> int:
        """Number of the last step edge at or before `as_of`, inside the run."""
        as_of = min(max(self.scenario.as_of, self.date(0)), self.date(len(self.result.dates) - 1))
        return self.result.index(str(as_of))

    def date(self, index: int) -> dt.date:
        """Return the date of a step edge."""
        return words.as_date(self.result.dates[index])

    def edge(self, date: dt.date) -> int | None:
        """Return the number of the last step edge at or before a date, None outside the run."""
        inside = self.date(0) <= date <= self.date(len(self.result.dates) - 1)
        return self.result.index(str(date)) if inside else None

    # ------------------------------------------------------------ series

    def series(self, quantity: str, row: str, policy: str, munition: str) -> Array:
        """Return a quantity over time, shape (time,)."""
        line: Array = self.result.array(quantity, row, policy=policy, munition=munition)[0]
        return line

    def stock(self, policy: str, munition: str) -> Array:
        """Return the US stock over time [round]."""
        return self.series("us_on_hand", US, policy, munition)

    def effect(self, policy: str, munition: str, result: Result | None = None) -> Array:
        """Return the US stock less that under the baseline, over time [round]."""
        found = result or self.result
        change: Array = (
            found.array("us_on_hand", policy=policy, munition=munition)[0]
            - found.array("us_on_hand", policy=self.base, munition=munition)[0]
        )
        return change

    def floor(self, munition: str, policy: str | None = None) -> tuple[str, float]:
        """Return the name and the level [round] of the transfer floor of a policy, the base one where left out."""
        name = self.scenario.policies[policy or self.base].transfer_floor
        return name, float(self.result.levels[munition][name][0])

    # ------------------------------------------------------------ the suspension

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        """The dated suspensions of the policies run."""
        return tuple(window for name in self.result.policies for window in windows(self.scenario, name))

    @cached_property
    def brief(self) -> Brief | None:
        """The shortest dated suspension inside the run, of a policy that has no other and no review; what materiality is asked about."""
        found = []
        for name in self.result.policies if self.baseline else ():
            own = [window for window in self.windows if window.policy == name]
            if len(own) != 1 or own[0].end is None or self.scenario.policies[name].review is not None:
                continue
            first = self.edge(next_month(own[0].start))
            if first is not None and own[0].start >= self.date(0):
                found.append(Brief(name, own[0].start, own[0].end, own[0].munitions, own[0].recipients, first))
        return min(found, key=lambda brief: (brief.end - brief.start, brief.start), default=None)

    @cached_property
    def dates_after(self) -> tuple[int, ...]:
        """Step edges at which effects are told: the first month start after the pause, two months on, years, the end."""
        last = len(self.result.dates) - 1
        if self.brief is None:
            return (last,)
        first, step = self.brief.first, self.result.manifest["substeps"]
        january = first + (13 - self.date(first).month) % YEAR * step
        wanted = [first, first + 2 * step, january, january + YEAR * step, january + 3 * YEAR * step, last]
        return tuple(sorted({index for index in wanted if index <= last}))

    @cached_property
    def first_day(self) -> dt.date:
        """The date of the first of them."""
        return self.date(self.dates_after[0])

    def daily(self, munition: str) -> Array:
        """Return the effect of the shortest suspension in the short run, over its time."""
        assert self.fine is not None and self.brief is not None
        return self.effect(self.brief.policy, munition, self.fine)

    def daily_at(self, munition: str, when: dt.date) -> float:
        """Return that effect on a date."""
        assert self.fine is not None
        return float(self.daily(munition)[self.fine.index(str(when))])

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages on record that fall into the shortest suspension and are meant for those it touches."""
        brief = self.brief
        if brief is None:
            return ()
        return tuple(
            name
            for name, event in self.scenario.events.items()
            if event.kind == "package" and event.recipient in brief.recipients and event.start < brief.end and event.end > brief.start
        )

    def shipment(self, munition: str) -> float:
        """Return the rounds of a munition in those packages."""
        return sum(rounds_of(self.scenario, name, munition) for name in self.packages)

    def largest_operation(self, munition: str) -> tuple[str, float] | None:
        """Return the operation of the scenario that used most of a munition, and the rounds; None if there is none."""
        found = [
            (rounds_of(self.scenario, name, munition), name) for name, event in self.scenario.events.items() if event.kind == "operation"
        ]
        most = max(found, default=(0.0, ""))
        return (most[1], most[0]) if most[0] > 0.0 else None

    def materiality(self, munition: str) -> tuple[Measure, ...]:
        """Return the effect of the shortest suspension and the shipment on record, beside stock, output and use."""
        brief = self.brief
        if brief is None or munition not in brief.munitions:
            return ()
        found = [
            (f"change in US stock on {words.day(self.first_day)}, {self.steps}", float(self.effect(brief.policy, munition)[brief.first]))
        ]
        if self.fine is not None:
            days = sorted({brief.end, self.first_day})
            found.extend((f"change in US stock on {words.day(when)}, daily steps", self.daily_at(munition, when)) for when in days)
        if self.shipment(munition) > 0.0:
            found.append(("shipment on record for those days", self.shipment(munition)))
        return tuple(self._measure(label, value, munition, brief) for label, value in found)

    def _measure(self, label: str, value: float, munition: str, brief: Brief) -> Measure:
        step = self.result.manifest["substeps"]
        month = slice(max(brief.first - step, 0), brief.first)
        year = slice(max(self.now - YEAR * step, 0), max(self.now, 1))
        months = (year.stop - year.start) / step
        operation = self.largest_operation(munition)
        used = sum(float(self.series("used", r, self.base, munition)[month].sum()) for r in brief.recipients)

        def over(amount: float) -> float | None:
            return value / amount if amount > 0.0 else None

        return Measure(
            label=label,
            rounds=value,
            of_stock=over(float(self.stock(self.base, munition)[brief.first])),
            of_output=over(float(self.series("delivered", US, self.base, munition)[month].sum())),
            of_largest_use=over(operation[1]) if operation else None,
            of_us_use=over(float(self.series("own_use", US, self.base, munition)[year].sum()) / months),
            of_recipient_use=over(used),
        )

    @property
    def steps(self) -> str:
        """How long a step of the main run is, in words."""
        if self.result.manifest["method"] == "ode":
            return "continuous time"
        count = self.result.manifest["substeps"]
        return "month steps" if count == 1 else f"{count} steps a month"

    # ------------------------------------------------------------ who drew

    def draws(self, munition: str, start: int, end: int) -> tuple[Draw, ...]:
        """Return what every claimant drew between two step edges, under the base policy; losses to age stand by themselves."""

        def total(quantity: str, row: str) -> float:
            if (quantity, row) not in self.result.arrays:
                return 0.0
            return float(self.series(quantity, row, self.base, munition)[start:end].sum())

        found = [
            Draw(
                self.claimant(row),
                transfers=total("sent", row),
                operations=total("own_use_for", row),
                lost=0.0,
                production=total("made_for", row) - total("kept_back", row) - total("diverted", row) + total("released", row),
            )
            for row in self.result.rows
        ]
        return (*found, Draw("Age and damage", 0.0, 0.0, total("expired", US), 0.0))


# ---------------------------------------------------------------- how it is made


def study_of(scenario: Scenario, result: Result, ensemble: Ensemble | None = None) -> Study:
    """Return the study of a result; runs the scenario again in daily steps over the months of its shortest suspension.

    A result whose steps are as short as days, or that was integrated in continuous time, needs no second run. `result` is that
    of the central values where there are draws.
    """
    bare = Study(scenario, result, None, ensemble)
    brief, manifest = bare.brief, result.manifest
    if brief is None or manifest["method"] == "ode" or manifest["substeps"] >= DAYS:
        return bare
    end = brief.end
    for _ in range(AFTER):
        end = next_month(end)
    changes: dict[str, Any] = {"scenario.substeps": DAILY, "scenario.end": min(end, bare.date(len(result.dates) - 1))}
    fine = simulate.run(scenario.override(changes), [bare.base, brief.policy])
    inside = np.datetime64(str(max(brief.end, bare.first_day)), "s") <= fine.dates[-1]
    return Study(scenario, result, fine if inside else None, ensemble)


def scenario_of(result: Result, load: Any) -> Scenario:
    """Return the scenario that a result was made from, loaded by its name.

    Raises
    ------
    InputError
        If the parameters have changed since, or came from overrides or other folders: a result does not carry its sources.
    """
    name = result.manifest["scenario"]
    scenario: Scenario = load(name)
    if scenario.digest != result.manifest["parameters"]:
        message = (
            f"the result was made from parameters {result.manifest['parameters'][:12]}, scenario {name!r} now has {scenario.digest[:12]}, "
            "and a result does not carry its sources; allowed: a result of the scenario as it stands, or the scenario itself"
        )
        raise InputError.one("report", message, file="result")
    return scenario
