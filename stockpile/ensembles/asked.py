"""What may be asked of an ensemble: all faults are found together, before anything is worked out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral

import numpy as np

from stockpile.assemble import check_policies
from stockpile.ensembles.rows import ALL, names
from stockpile.errors import InputError, Problem, nearest
from stockpile.samplers import SAMPLERS
from stockpile.scenario import Scenario

ENGINES = ("numpy", "compiled")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What `stockpile.ensemble` was given."""

    policies: Sequence[str] | None
    members: int
    seed: int
    sampler: str
    quantities: Sequence[str] | str
    dates: Sequence[str]
    engine: str | None
    threads: int | None

    def check(self, scenario: Scenario) -> None:
        """Refuse what cannot be.

        Raises
        ------
        InputError
            With every fault.
        """
        problems = list(self.faults(scenario))
        if problems:
            raise InputError(problems)

    def faults(self, scenario: Scenario) -> Iterator[Problem]:
        """Yield what cannot be."""
        yield from self._numbers()
        yield from self._names()
        if isinstance(self.dates, str):
            yield _fault("dates", f"{self.dates!r} is one text; allowed: a list of dates, [{self.dates!r}]")
        for date in () if isinstance(self.dates, str) else self.dates:
            yield from date_faults(scenario, "dates", date)
        if scenario.settings.method != "difference":
            yield _fault("method", f"{scenario.settings.method!r} runs one member at a time; allowed: difference")
        yield from self._policies(scenario)

    def _numbers(self) -> Iterator[Problem]:
        for key, value, least in (("members", self.members, 1), ("seed", self.seed, 0), ("threads", self.threads, 1)):
            if key == "threads" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
                yield _fault(key, f"{value!r}; allowed: a whole number from {least} on")

    def _policies(self, scenario: Scenario) -> Iterator[Problem]:
        given: object = self.policies
        if given is not None and not isinstance(given, str):
            wrong = [given] if not isinstance(given, Collection) else [name for name in given if not isinstance(name, str)]
            if wrong:
                yield _fault("policies", f"{wrong[0]!r} is no name; allowed: a list of names, of {', '.join(sorted(scenario.policies))}")
                return
        try:
            check_policies(scenario, scenario.chosen(self.policies))
        except InputError as error:
            yield from error.problems

    def _names(self) -> Iterator[Problem]:
        if self.sampler not in SAMPLERS:
            yield _fault("sampler", f"unknown sampler {self.sampler!r}; {nearest(str(self.sampler), SAMPLERS)}")
        if self.engine is not None and self.engine not in ENGINES:
            yield _fault("engine", f"unknown engine {self.engine!r}; {nearest(str(self.engine), ENGINES)}")
        known = names()
        asked = [self.quantities] if isinstance(self.quantities, str) else self.quantities
        for name in asked:
            if name not in known and not (name == ALL and name == self.quantities):
                yield _fault("quantities", f"{name!r} is no stock and no flow; {nearest(str(name), known)}, or {ALL!r} alone")


def date_faults(scenario: Scenario, key: str, date: str) -> Iterator[Problem]:
    """Yield what is wrong with a date that is to lie in the run."""
    start, end = str(scenario.settings.start), str(scenario.settings.end)
    try:
        when = moment(date)
    except ValueError:
        yield _fault(key, f"{date!r} is not a date; allowed: a day such as {end} or a month such as {end[:7]}")
        return
    if not np.datetime64(start) <= when <= np.datetime64(end):
        yield _fault(key, f"{date} is outside the run; allowed: {start} to {end}")


def moment(date: str) -> np.datetime64:
    """Return a date as a moment.

    Raises
    ------
    ValueError
        If it is none, or a word for one: ``today`` would be another day tomorrow.
    """
    if not str(date)[:1].isdigit():
        raise ValueError(date)
    return np.datetime64(date, "s")


def _fault(key: str, message: str) -> Problem:
    return Problem("ensemble", 0, 0, key, message)
