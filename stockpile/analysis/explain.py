"""A month of a munition explained: what moved each stock, and every number behind it with its source.

The ledger is not written down a second time: which flows move which stock is read off the equations themselves, by calling
`equations.change` with linear forms in place of numbers. Which parameters are behind it is recorded while they are looked up.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile import schema
from stockpile.assemble import assemble
from stockpile.checks import ALL
from stockpile.clock import Array
from stockpile.draws import Central
from stockpile.errors import InputError, nearest
from stockpile.model import equations
from stockpile.model.state import FLOWS, Flows, Known, State
from stockpile.results import US, Result, meaning
from stockpile.scenario import Scenario, load
from stockpile.simulate import ROWS_OF_THEIR_OWN, run
from stockpile.vintage import BEGINNING, published

if TYPE_CHECKING:
    import pandas as pd

CLOSES_TO = 1e-9
"""The books close to this share of the largest stock."""
OPENING, CLOSING = "opening", "closing"


@dataclass(frozen=True)
class Entry:
    """One line of a stock's ledger.

    Attributes
    ----------
    stock, recipient : str
        Which stock, and whose: `us` or a recipient.
    entry : str
        ``opening``, the name of a flow, or ``closing``.
    of : str
        Whose flow: `us` or a recipient.
    sign : int
        1 for what comes in, -1 for what goes out; 0 for opening and closing.
    value : float
        [round]
    """

    stock: str
    recipient: str
    entry: str
    of: str
    sign: int
    value: float


@dataclass(frozen=True)
class Explanation:
    """The ledger of a munition's month, and what is behind it.

    Attributes
    ----------
    scenario, munition, policy : str
        Names; `title` is the munition's as printed.
    as_of : datetime.date
        The scenario's.
    digest : str
        Digest of the scenario's parameters.
    start, end : datetime.date or datetime.datetime
        First moment explained, and first after it.
    entries : tuple of Entry
        Stock by stock: opening, each flow, closing. They close to 1e-9 of the largest stock.
    others : tuple of dict
        The other flows and the series known in advance: quantity, recipient, value, unit, meaning.
    values : tuple of dict
        The parameters behind the month, in the order of their paths: path, value, unit, low, high, grade, source, date (of
        publication, the latest), from, where, note. The value in force at the start of the month, and any that begin to hold
        inside it; for what the model takes at `as_of` or at the start of the run (a lead time, a floor, the opening stock), that.
    events, suspensions : tuple of dict
        Those that touch the munition in that month. A review is listed while it is in force.
    """

    scenario: str
    as_of: dt.date
    digest: str
    munition: str
    title: str
    policy: str
    start: dt.date
    end: dt.date
    entries: tuple[Entry, ...] = field(repr=False)
    others: tuple[dict[str, Any], ...] = field(repr=False)
    values: tuple[dict[str, Any], ...] = field(repr=False)
    events: tuple[dict[str, Any], ...]
    suspensions: tuple[dict[str, Any], ...]

    @cached_property
    def ledger(self) -> pd.DataFrame:
        """The entries as a frame: stock, recipient, entry, of, sign, value."""
        import pandas as pd

        return pd.DataFrame([vars(entry) for entry in self.entries], columns=[one.name for one in fields(Entry)])

    @cached_property
    def parameters(self) -> pd.DataFrame:
        """The values as a frame, columns as in `Scenario.table`."""
        import pandas as pd

        from stockpile.provenance import COLUMNS

        return pd.DataFrame(list(self.values), columns=list(COLUMNS))

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain tables and lists."""
        return {**{one.name: getattr(self, one.name) for one in fields(self)}, "entries": [vars(entry) for entry in self.entries]}


def explain(scenario: Scenario | str, munition: str, date: str | dt.date, policy: str = "none") -> Explanation:
    """Explain a month: every flow that moved a stock in it, and every parameter behind it.

    Parameters
    ----------
    scenario : Scenario or str
        A scenario, or the name of one.
    munition : str
        Name of a munition.
    date : str or datetime.date
        ``"2025-07"`` for the whole month, or a day, for the step of the run that holds it (with one step a month, the same).
    policy : str
        Name of a policy.

    Returns
    -------
    Explanation
        With `ledger` and `parameters` as frames.

    Raises
    ------
    InputError
        For unknown names, and dates outside the run.
    """
    found = load(scenario) if isinstance(scenario, str) else scenario
    if munition not in found.munitions:
        raise InputError.one("munition", f"unknown munition {munition!r}; {nearest(munition, found.munitions)}")
    result = run(found, [policy])
    first, last = _steps(result, date)
    start, end = _day(result, first), _day(result, last)
    return Explanation(
        scenario=found.name,
        as_of=found.as_of,
        digest=found.digest,
        munition=munition,
        title=found.munitions[munition].title,
        policy=policy,
        start=start,
        end=end,
        entries=tuple(_closed(_entries(result, policy, munition, first, last))),
        others=tuple(_others(result, policy, munition, first, last)),
        values=tuple(_values(found, munition, policy, start, end)),
        events=tuple(_events(found, munition, start, end)),
        suspensions=tuple(_suspensions(found, result, munition, policy, first, last)),
    )


# ---------------------------------------------------------------- which steps


def _steps(result: Result, date: str | dt.date) -> tuple[int, int]:
    """Return the first step explained and the first after it."""
    start, end = _day(result, 0), _day(result, -1)
    allowed = f"allowed: a month such as 2025-07 or a day such as 2025-07-15, from {start} to {end - dt.timedelta(days=1)}"
    text = str(date)[:10] if isinstance(date, dt.date) else date
    month = re.fullmatch(r"\d{4}-\d{2}", text) is not None
    try:
        when = dt.date.fromisoformat(f"{text}-01" if month else text)
    except ValueError:
        raise InputError.one("date", f"{text!r} is not a date; {allowed}") from None
    if not start <= when < end:
        raise InputError.one("date", f"{text} is outside the run; {allowed}")
    first = result.index(str(when))
    if not month:
        return first, first + 1
    return first, result.index(str(when + dt.timedelta(days=calendar.monthrange(when.year, when.month)[1])))


def _day(result: Result, step: int) -> dt.date:
    """Return the date of a step edge; with the time of day where it is not midnight."""
    found: dt.datetime = result.dates[step].astype(object)
    return found.date() if found.time() == dt.time() else found


# ---------------------------------------------------------------- the ledger


class _Form:
    """A sum of named flows with signs: what an equation adds up, without the numbers."""

    def __init__(self, terms: dict[tuple[str, str], float]) -> None:
        self.terms = terms

    def __add__(self, other: _Form) -> _Form:
        return _Form({key: self.terms.get(key, 0.0) + other.terms.get(key, 0.0) for key in {**self.terms, **other.terms}})

    def __sub__(self, other: _Form) -> _Form:
        return self + other * -1.0

    def __mul__(self, factor: float) -> _Form:
        return _Form({key: factor * value for key, value in self.terms.items()})


def _moves(recipients: tuple[str, ...]) -> Iterator[tuple[str, str, dict[tuple[str, str], float]]]:
    """Yield each stock, whose it is, and the flows that move it with their signs, as the equations have them."""

    def forms(cls: type[Any]) -> Any:
        result: dict[str, Any] = {}
        for one in fields(cls):
            name = ROWS_OF_THEIR_OWN.get(one.name, one.name)
            rows = recipients if one.type == "Quantities" else (US,)
            every = tuple(_Form({(name, row): 1.0}) for row in rows)
            result[one.name] = every if one.type == "Quantities" else every[0]
        return cls(**result)

    change = equations.change(forms(Known), forms(Flows))
    for one in fields(State):
        if one.name != "review":
            form = getattr(change, one.name)
            for row, item in zip(recipients, form, strict=True) if isinstance(form, tuple) else ((US, form),):
                yield one.name, row, item.terms


def _entries(result: Result, policy: str, munition: str, first: int, last: int) -> Iterator[Entry]:
    def at(name: str, row: str) -> Array:
        found: Array = result.array(name, row, policy=policy, munition=munition)[0]
        return found

    for stock, row, terms in _moves(result.recipients):
        yield Entry(stock, row, OPENING, row, 0, float(at(stock, row)[first]))
        for (name, of), sign in terms.items():
            yield Entry(stock, row, name, of, int(sign), float(at(name, of)[first:last].sum()))
        yield Entry(stock, row, CLOSING, row, 0, float(at(stock, row)[last]))


def _closed(entries: Iterator[Entry]) -> list[Entry]:
    """Return the entries; the books have to close."""
    found = list(entries)
    scale = max((abs(entry.value) for entry in found), default=0.0)
    balance = 0.0
    for entry in found:
        balance = entry.value if entry.entry == OPENING else balance + entry.sign * entry.value
        if entry.entry == CLOSING and abs(balance - entry.value) > CLOSES_TO * scale:
            raise ArithmeticError(f"the books of {entry.stock} ({entry.recipient}) do not close: {balance!r} against {entry.value!r}")
    return found


def _others(result: Result, policy: str, munition: str, first: int, last: int) -> Iterator[dict[str, Any]]:
    """Yield the flows that move no stock by themselves and the series known in advance; rates and shares as means."""
    moving = {name for _, _, terms in _moves(result.recipients) for name, _ in terms}
    stocks = {stock for stock, _, _ in _moves(result.recipients)}
    for name, row in result.arrays:
        if name in moving or name in stocks:
            continue
        found = result.array(name, row, policy=policy, munition=munition)[0, first:last]
        what = meaning(name)
        value = float(found.sum() if name in FLOWS and name != "free" else found.mean())
        yield {"quantity": name, "recipient": row, "value": value, "unit": what.unit, "meaning": what.text}


# ---------------------------------------------------------------- the parameters behind it


class _Recorder(Central):
    """Gives central values, and keeps which points of which parameters were asked for."""

    def __init__(self) -> None:
        self.read: dict[str, tuple[str, list[schema.Evidence]]] = {}

    def of(self, path: str, parameter: schema.Parameter, point: schema.Evidence, stream: str = "") -> Array:
        """Return the central value, and note that it was asked for."""
        points = self.read.setdefault(path, (parameter.unit, []))[1]
        if point not in points:
            points.append(point)
        return super().of(path, parameter, point)


def _values(scenario: Scenario, munition: str, policy: str, start: dt.date, end: dt.date) -> Iterator[dict[str, Any]]:
    """Yield the parameters that the model looks up for the munition, with the value in force."""
    recorder = _Recorder()
    assemble(replace(scenario, munitions={munition: scenario.munitions[munition]}), [policy], recorder)
    touching = _paths_of_events(scenario, munition, start, end)
    behind = (path for path in recorder.read if not path.startswith("events.") or path in touching)
    for path, (unit, points) in sorted((path, recorder.read[path]) for path in behind):
        for point in _in_force(points, start, end):
            yield _value(scenario, path, unit, point)


def _since(point: schema.Evidence) -> dt.date:
    return getattr(point, "from_", None) or BEGINNING


def _plain(date: dt.date) -> dt.date:
    return date.date() if isinstance(date, dt.datetime) else date


def _in_force(points: list[schema.Evidence], start: dt.date, end: dt.date) -> list[schema.Evidence]:
    """Return the point in force at the start and those that begin to hold before the end; a single one holds throughout."""
    if len(points) == 1:
        return points
    first, ordered = _plain(start), sorted(points, key=_since)
    held = [point for point in ordered if _since(point) <= first][-1:]
    return held + [point for point in ordered if first < _since(point) and dt.datetime.combine(_since(point), dt.time()) < _moment(end)]


def _moment(date: dt.date) -> dt.datetime:
    return date if isinstance(date, dt.datetime) else dt.datetime.combine(date, dt.time())


def _value(scenario: Scenario, path: str, unit: str, point: schema.Evidence) -> dict[str, Any]:
    since = point.by if isinstance(point, schema.Plan) else getattr(point, "from_", None)
    return {
        "path": path,
        "value": point.value,
        "unit": unit,
        "low": point.span[0],
        "high": point.span[1],
        "grade": point.grade,
        "source": "; ".join(point.source),
        "date": published(point.source, scenario.sources) if point.source else None,
        "from": None if since == BEGINNING else since,
        "where": point.where or "",
        "note": point.note or "",
    }


# ---------------------------------------------------------------- events and suspensions


def _overlaps(start: dt.date, end: dt.date, since: dt.date, until: dt.date) -> bool:
    return _moment(start) < _moment(until) and _moment(since) < _moment(end)


def _touching(scenario: Scenario, munition: str, start: dt.date, end: dt.date) -> Iterator[tuple[str, schema.Event]]:
    for name, event in scenario.events.items():
        if (munition in event.rounds or not event.rounds) and _overlaps(event.start, event.end, start, end):
            yield name, event


def _paths_of_events(scenario: Scenario, munition: str, start: dt.date, end: dt.date) -> set[str]:
    """Return the paths of the numbers of events in force, those that they refer to included."""
    return {
        factor.path if isinstance(factor, schema.Reference) else f"events.{name}.rounds.{munition}.{key}"
        for name, event in _touching(scenario, munition, start, end)
        for key, factor in event.rounds.get(munition, {}).items()
    }


def _events(scenario: Scenario, munition: str, start: dt.date, end: dt.date) -> Iterator[dict[str, Any]]:
    for name, event in _touching(scenario, munition, start, end):
        yield {
            "name": name, "title": event.title, "kind": event.kind, "start": event.start, "end": event.end,
            "cause": event.cause, "recipient": event.recipient,
        }


def _suspensions(
    scenario: Scenario, result: Result, munition: str, policy: str, first: int, last: int
) -> Iterator[dict[str, Any]]:
    chosen = scenario.policies[policy]
    start, end = _day(result, first), _day(result, last)
    for suspension in chosen.suspensions:
        until = _day(result, -1) if suspension.end == "horizon" else suspension.end
        if _touches(suspension, munition) and _overlaps(suspension.start, until, start, end):
            yield {"kind": "dated", "start": suspension.start, "end": until, **_measure(suspension)}
    on = result.array("review", policy=policy, munition=munition)[0, first:last]
    if chosen.review is not None and _touches(chosen.review, munition) and np.any(on > 0.0):
        yield {"kind": "review", "start": chosen.review.start, "end": None, **_measure(chosen.review)}


def _touches(measure: schema.Measure, munition: str) -> bool:
    return munition in measure.munitions or ALL in measure.munitions


def _measure(measure: schema.Measure) -> dict[str, Any]:
    return {name: getattr(measure, name) for name in schema.Measure.model_fields}
