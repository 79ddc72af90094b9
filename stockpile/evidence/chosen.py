"""Which observations are fitted, which are held back, and which are left out and why."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stockpile.errors import InputError, Problem, nearest
from stockpile.evidence.ledger import Entry, Ledger
from stockpile.evidence.predict import in_run
from stockpile.scenario import Scenario

FITTED, HELD_BACK, LATER, LEFT_OUT = "fitted", "held back", "later", "left out"
"""What becomes of an observation: fitted; held back by whoever asks; published after the scenario's date; none of these."""
MARKER = "_calibration.json"
"""The file by which a folder is known as a layer that a calibration wrote; it says what was fitted."""
HoldBack = str | dt.date | Sequence[str]


@dataclass(frozen=True)
class Chosen:
    """An observation and what becomes of it.

    Attributes
    ----------
    entry : Entry
    status : str
        ``fitted``, ``held back``, ``later`` or ``left out``.
    because : str
        Why it is not fitted.
    """

    entry: Entry
    status: str
    because: str = ""


def choose(found: Ledger, scenario: Scenario, hold_back: HoldBack = ()) -> tuple[Chosen, ...]:
    """Return every observation of a ledger with what becomes of it.

    Parameters
    ----------
    found : Ledger
    scenario : Scenario
    hold_back : str, date, or sequence of str
        Names of observations, or a date (or its ISO text): what is of that day or later, or of a window that ends later, is held back.

    Raises
    ------
    InputError
        For names that no observation has.
    """
    names, date = _held_back(hold_back)
    problems = [
        Problem("calibrate", 0, 0, "hold_back", f"unknown observation {name!r}; {nearest(name, found.by_name)}")
        for name in names
        if name not in found.by_name
    ]
    if problems:
        raise InputError(problems)
    before = fitted_before(scenario)
    return tuple(_again(_chosen(entry, scenario, names, date), before) for entry in found.entries)


def fitted_before(scenario: Scenario) -> frozenset[str]:
    """Return the names of observations that a layer under the scenario was fitted to: fitted again they would count twice."""
    markers = [Path(folder) / MARKER for folder in scenario.origin[1]]
    return frozenset(name for file in markers if file.is_file() for name in json.loads(file.read_text(encoding="utf-8"))["fitted"])


def _again(one: Chosen, before: frozenset[str]) -> Chosen:
    if one.status in (FITTED, HELD_BACK) and one.entry.name in before:
        return Chosen(one.entry, LEFT_OUT, "fitted already: a layer of parameters rests on it")
    return one


def _held_back(given: HoldBack) -> tuple[tuple[str, ...], dt.date | None]:
    """Return the names that are held back, and the date from which everything is."""
    if isinstance(given, dt.date):
        return (), given
    if not isinstance(given, str):
        return tuple(given), None
    try:
        return (), dt.date.fromisoformat(given)
    except ValueError:
        return ((given,) if given else ()), None


def _chosen(entry: Entry, scenario: Scenario, names: Sequence[str], date: dt.date | None) -> Chosen:
    if because := incomparable(entry, scenario) or _no_evidence(entry):
        return Chosen(entry, LEFT_OUT, because)
    if entry.published > scenario.as_of:
        return Chosen(entry, LATER, f"published on {entry.published}, after {scenario.as_of}")
    if entry.name in names or (date is not None and entry.observation.day >= date):
        return Chosen(entry, HELD_BACK, "held back, as asked")
    return Chosen(entry, FITTED)


def incomparable(entry: Entry, scenario: Scenario) -> str:
    """Return why a scenario says nothing of an observation; empty where it does."""
    if entry.measure is None:
        return entry.because
    if entry.measure.munition not in scenario.munitions:
        return f"{entry.measure.munition} is no munition of this scenario"
    return "" if in_run(entry.measure, scenario) else "outside the months of the run"


def _no_evidence(entry: Entry) -> str:
    """Return why a comparable observation is no new evidence; empty where it is."""
    item = entry.observation
    if not item.used:
        return "stands beside another figure for the same thing, which is the one used"
    if entry.in_conflict:
        return "stands beside another figure for the same thing, and nobody has decided between them"
    if item.used_in:
        return f"no new evidence: {', '.join(item.used_in)} rests on it"
    return "what was used before it is known only as what closes the books" if item.closes_the_books else ""
