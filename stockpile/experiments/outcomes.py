"""Outcomes: one number of a run that a question is asked about, written as ``pac3:below.transfer_floor@2027-01-01``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from stockpile.clock import Array, Clock
from stockpile.ensembles.asked import date_faults
from stockpile.errors import InputError, Problem, nearest
from stockpile.experiments.lanes import Found, Lanes, metrics_of
from stockpile.metrics import BASELINE
from stockpile.results import US
from stockpile.scenario import Scenario

STOCK = "us_on_hand"
BELOW = "below."
CHANGE = "change_in."
FIRST_BELOW = "first_below."
EXAMPLES = "pac3:minimum_after_as_of, pac3:total_unmet:ukraine, pac3:us_on_hand@2027-01-01, pac3:below.transfer_floor@2027-01-01"


@dataclass(frozen=True)
class Outcome:
    """One number of a run of a policy.

    Attributes
    ----------
    munition : str
    metric : str
        A metric; ``us_on_hand`` for the US stock at `date`; ``below.<level>`` for 1 where the US stock has been below a named level
        up to `date`, else 0, so that its mean is a probability. With ``change_in.`` before it, less its value under the policy none.
    recipient : str
    date : str or None
        The end of the run where left out.
    unit : str
        ``month`` from the start of the run for dates, ``1`` for a probability.
    """

    munition: str
    metric: str
    recipient: str = US
    date: str | None = None
    unit: str = "round"

    def __str__(self) -> str:
        own = f"{self.munition}:{self.metric}" + (f":{self.recipient}" if self.recipient != US else "")
        return own + (f"@{self.date}" if self.date else "")

    @property
    def plain(self) -> str:
        """The metric without ``change_in.``."""
        return self.metric.removeprefix(CHANGE)

    @property
    def is_change(self) -> bool:
        """Whether the value under the policy none is taken off."""
        return self.metric.startswith(CHANGE)

    @property
    def is_chance(self) -> bool:
        """Whether it is 1 or 0, so that its mean is a probability."""
        return self.plain.startswith(BELOW)

    def policies(self, policy: str) -> tuple[str, ...]:
        """Return the policies that are run for the outcome under `policy`."""
        return (policy,) if not self.is_change or policy == BASELINE else (policy, BASELINE)

    @property
    def name(self) -> str:
        """The metric with its date."""
        return self.metric + (f"@{self.date}" if self.date else "")

    def of(self, found: Found, lanes: Lanes, policy: str) -> Array:
        """Return the outcome of each lane. What never happens counts as the end of the run."""
        values = self.raw(found, lanes, policy)
        values = np.where(np.isposinf(values), float(lanes.made.clock.months), values)
        if not self.is_change:
            return values
        return values - replace(self, metric=self.plain).of(found, lanes, BASELINE)

    def raw(self, found: Found, lanes: Lanes, policy: str) -> Array:
        """Return the metric of each lane, without the baseline's; dates are inf where it never happens."""
        name, substeps = self.plain, lanes.made.clock.substeps
        if name == STOCK or self.is_chance:
            month = edge_of(self.date, lanes.scenario) / substeps
            name = f"stock_at.{month:g}" if name == STOCK else FIRST_BELOW + name.removeprefix(BELOW)
        values = found[policy, self.munition, self.recipient, name]
        return np.where(values <= month + 1e-9, 1.0, 0.0) if self.is_chance else values


def edge_of(date: str | None, scenario: Scenario) -> int:
    """Return the number of the last step edge at or before a date of a run; the end where there is none."""
    settings = scenario.settings
    assert settings.start and settings.end and settings.substeps
    clock = Clock(settings.start, settings.end, settings.substeps)
    return len(clock.steps) - 1 if date is None else int(np.searchsorted(clock.dates, np.datetime64(date, "s"), side="right")) - 1


def outcome(text: str, scenario: Scenario) -> Outcome:
    """Return the outcome that a text names: ``munition:metric``, perhaps ``:recipient``, perhaps ``@date``.

    Raises
    ------
    InputError
        For a munition, a metric, a recipient or a date that is not there.
    """
    rest, at, date = text.partition("@")
    parts = rest.split(":")
    if not 2 <= len(parts) <= 3 or (at and not date):
        message = f"{text!r}; allowed: MUNITION:METRIC, perhaps :RECIPIENT, perhaps @DATE, for example {EXAMPLES}"
        raise InputError.one("outcome", message, file="outcome")
    munition, metric, recipient = parts[0], parts[1], parts[2] if len(parts) == 3 else US
    known = known_outcomes(scenario, metrics_of(scenario))
    problems = list(_faults(Outcome(munition, metric, recipient, date or None), scenario, known))
    if problems:
        raise InputError(problems)
    return Outcome(munition, metric, recipient, date or None, known[munition, recipient, metric.removeprefix(CHANGE)])


def known_outcomes(scenario: Scenario, metrics: dict[tuple[str, str, str], str]) -> dict[tuple[str, str, str], str]:
    """Return the unit of each outcome there is, by munition, recipient and metric; `metrics` is what `metrics_of` gives."""
    found = dict(metrics)
    for munition, recipient, metric in list(found):
        if metric.startswith(FIRST_BELOW):
            found[munition, recipient, BELOW + metric.removeprefix(FIRST_BELOW)] = "1"
    return found | {(munition, US, STOCK): "round" for munition in scenario.munitions}


def _faults(found: Outcome, scenario: Scenario, known: dict[tuple[str, str, str], str]) -> Iterator[Problem]:
    rows = (US, *scenario.recipients)
    if found.munition not in scenario.munitions:
        yield _fault(f"unknown munition {found.munition!r}; {nearest(found.munition, scenario.munitions)}")
    if found.recipient not in rows:
        yield _fault(f"unknown recipient {found.recipient!r}; {nearest(found.recipient, rows)}")
    names = [metric for munition, recipient, metric in known if (munition, recipient) == (found.munition, found.recipient)]
    if names and found.plain not in names:
        yield _fault(f"unknown metric {found.plain!r} of {found.recipient!r}; {nearest(found.plain, names)}")
    yield from dated_faults(found, scenario, named=bool(names))


def dated_faults(found: Outcome, scenario: Scenario, *, named: bool = True) -> Iterator[Problem]:
    """Yield what is wrong with the date of an outcome."""
    if found.date is not None:
        yield from date_faults(scenario, "outcome", found.date)
        if named and found.plain != STOCK and not found.is_chance:
            yield _fault(f"{found.plain!r} is of the whole run; allowed with a date: {STOCK}, {BELOW}<level>")


def _fault(message: str) -> Problem:
    return Problem("outcome", 0, 0, "", message)
