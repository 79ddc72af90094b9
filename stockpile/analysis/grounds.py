"""What an answer rests on: the values that matter most with their sources, and what nobody outside can confirm."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stockpile.analysis.labels import labels
from stockpile.analysis.narrowing import LEAST, narrowing
from stockpile.analysis.wording import Names, day, plural
from stockpile.clock import Array
from stockpile.errors import InputError
from stockpile.evidence.ledger import Entry, ledger
from stockpile.experiments.factors import CAMPAIGNS, drawn, factors
from stockpile.experiments.many import lanes_for
from stockpile.experiments.outcomes import outcome
from stockpile.provenance import rows
from stockpile.results import US
from stockpile.scenario import Scenario

MATTERS = 0.05
"""Share of the variance from which an unknown is one that the answer rests on."""
LEADING = 4
"""Most unknowns that an answer names."""
PER_VALUE = 2
"""Most sources that are named of one value."""
MOST = 8
"""Most things that are named as not to be confirmed."""
BINS = 20
WEAK = ("weak", "state_linked")
ASSUMED = "assumed"


@dataclass(frozen=True)
class Cited:
    """One source of one value that an answer rests on.

    Attributes
    ----------
    path, label : str
        The parameter or observation, and what it is called.
    value, low, high : float
    unit, grade : str
    source : str
        Key in sources.toml; empty for an assumption that names none.
    publisher, title, date, url, outlet : str
    note : str
        Why this number.
    """

    path: str
    label: str
    value: float
    low: float
    high: float
    unit: str
    grade: str
    source: str = ""
    publisher: str = ""
    title: str = ""
    date: str = ""
    url: str = ""
    outlet: str = ""
    note: str = ""

    @property
    def counts_as(self) -> str:
        """The grade; that of a value which rests on weak outlets alone is `assumed`."""
        return ASSUMED if self.outlet in WEAK else self.grade

    @property
    def valued(self) -> str:
        """The value with unit and range."""
        span = f" ({figure(self.low)} to {figure(self.high)})" if self.low != self.high else ""
        return f"{figure(self.value)}{unit_said(self.unit, self.value)}{span}"


def figure(value: float) -> str:
    """Return a number as a source gives it, with all its digits."""
    return f"{value:,.10g}"


def unit_said(unit: str, value: float) -> str:
    """Return a unit as it stands after a number, with a space before it: rounds, rounds a month; nothing for a plain number."""
    first, _, per = unit.partition("/")
    many = {"1": "", "target": " targets", "day": " days", "year": " years"} if value != 1 else {"1": ""}
    counted = many.get(first, f" {plural(first, value)}")
    return counted + (f" a {per}" if per else "")


class Draws:
    """Draws of some outcomes under some policies, and which unknowns they depend on.

    Parameters
    ----------
    scenario : Scenario
    outcomes : sequence of str
    policies : sequence of str
    members, seed : int
    engine, threads
        As of `ensemble`.
    """

    def __init__(
        self, scenario: Scenario, outcomes: Sequence[str], policies: Sequence[str], members: int, seed: int, *, engine: str | None = None,
        threads: int | None = None,
    ) -> None:
        import os

        self.scenario, self.seed, self.members = scenario, seed, members
        self.outcomes, self.policies = tuple(outcomes), tuple(policies)
        wanted = [outcome(text, scenario) for text in outcomes]
        self.units = {text: one.unit for text, one in zip(outcomes, wanted, strict=True)}
        self._lanes = lanes = lanes_for(scenario, wanted, policies, engine)
        self._design = lanes.draws(seed, members)
        # Raw dates keep what never comes as endless; changes and chances are those of an outcome.
        self._values: Array = lanes.run(
            self._design,
            lambda block: np.array(
                [
                    [one.of(block, lanes, p) if one.is_change or one.is_chance else one.raw(block, lanes, p) for one in wanted]
                    for p in policies
                ]
            ),
            threads=threads or os.cpu_count() or 1,
        )

    def of(self, name: str, policy: str) -> Array:
        """Return an outcome of each draw under a policy; what never comes is inf."""
        found: Array = self._values[self.policies.index(policy), self.outcomes.index(name)]
        return found

    @cached_property
    def _uniforms(self) -> Array:
        return self._design.source.uniforms(0, self.members)

    @cached_property
    def _begun(self) -> dict[str, Array]:
        """How many random campaigns begin in each draw, by ``campaigns.<name>``."""
        found = drawn(self._lanes, self._design.uniforms(0, self.members))
        return {name: values for name, values in found.items() if name.startswith(f"{CAMPAIGNS}.") and name.count(".") == 1}

    def ranking(self, name: str, policy: str) -> list[dict[str, Any]]:
        """Return the unknowns by the share of an outcome's variance that would go if each were known, largest first.

        Rows as of `stockpile.analysis.narrowing.narrowing`; none where there are too few draws, or the outcome is the same in all.
        """
        values = self.of(name, policy)
        values = np.where(np.isinf(values), float(self._lanes.made.clock.months), values)
        if self.members < 2 * LEAST or values.min() == values.max():
            return []
        single = {factor.name: factor.rows for factor in factors(self._lanes)}
        shares = {name: _share_by_number(count, values) for name, count in self._begun.items() if name in single}
        frame = narrowing(self._uniforms, values, single, seed=self.seed, bins=min(BINS, self.members // LEAST), shares=shares)
        found = [dict(row) for row in frame.dropna(subset=["variance_share"]).to_dict("records")]
        return sorted(({str(key): value for key, value in row.items()} for row in found), key=lambda row: -row["variance_share"])

    def matters(self, name: str, policy: str) -> list[str]:
        """Return the paths of the unknowns that an outcome rests on most."""
        ranked = [row["factor"] for row in self.ranking(name, policy) if row["variance_share"] >= MATTERS]
        return [path for factor in ranked[:LEADING] for path in paths_of(factor, name.partition(":")[0])]


def _share_by_number(begun: Array, values: Array) -> float:
    """Return the share of the variance that goes if it is known how many campaigns begin: between the numbers, of the whole."""
    whole = float(values.var())
    inside = sum(float(((own := values[begun == number]) - own.mean()) @ (own - own.mean())) for number in np.unique(begun))
    return 1.0 - inside / len(values) / whole


def paths_of(factor: str, munition: str) -> list[str]:
    """Return the paths of the parameters that a factor of draws stands for, those of other munitions left out."""
    if factor.startswith(f"{CAMPAIGNS}."):
        return [f"{factor}.rate", f"{factor}.length", f"{factor}.rounds.{munition}"]
    return factor.split(" & ")


# ---------------------------------------------------------------- sources


def cited(scenario: Scenario, paths: Iterable[str]) -> tuple[Cited, ...]:
    """Return the values at some paths, or below them, that hold at the date of the scenario; each with its sources."""
    found: list[Cited] = []
    for path in dict.fromkeys(paths):
        points = [row for row in rows(scenario) if row["path"] == path or row["path"].startswith(f"{path}.")]
        for name in dict.fromkeys(row["path"] for row in points):
            own = [row for row in points if row["path"] == name]
            known = [row for row in own if row["from"] is None or row["from"] <= scenario.as_of] or own
            found.extend(_cited(scenario, known[-1]))
    return tuple(found)


def _cited(scenario: Scenario, row: dict[str, Any]) -> Iterator[Cited]:
    called = labels(scenario, [row["path"]])[0][row["path"]]
    value = {key: row[key] for key in ("path", "value", "low", "high", "unit", "grade")}
    keys = [key for key in row["source"].split("; ") if key in scenario.sources]
    # The strongest outlets first, then the latest: who reads no further has read the best one.
    keys.sort(key=lambda key: (scenario.sources[key].outlet_kind in WEAK, -scenario.sources[key].published.toordinal(), key))
    if not keys:
        yield Cited(label=called, note=_first_sentence(row["note"]), **value)
    for key in keys[:PER_VALUE]:
        source = scenario.sources[key]
        date = str(source.date)[: {"day": 10, "month": 7, "year": 4}[source.precision]]
        yield Cited(
            label=called, source=key, publisher=source.publisher, title=source.title, date=date, url=source.url, outlet=source.outlet_kind,
            note=_first_sentence(row["note"]), **value,
        )


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).partition(". ")[0].rstrip(".") if text else ""


def grades_of(found: Sequence[Cited]) -> list[str]:
    """Return the grade that each value counts as: the best of its sources."""
    by_path: dict[str, list[str]] = defaultdict(list)
    for one in found:
        by_path[one.path].append(one.counts_as)
    return [next((grade for grade in grades if grade != ASSUMED), ASSUMED) for grades in by_path.values()]


# ---------------------------------------------------------------- what cannot be confirmed


def cannot_confirm(scenario: Scenario, munition: str, states: Sequence[str], found: Sequence[Cited]) -> tuple[str, ...]:
    """Return what nobody outside can confirm of what an answer rests on, as far as the ledger and the grades say.

    Parameters
    ----------
    scenario : Scenario
    munition : str
    states : sequence of str
        States of the observations that the answer is about: on_hand, withheld, sent and so on.
    found : sequence of Cited
        The values that it rests on.
    """
    known = [one for one in ledger(scenario).known_at(scenario.as_of) if _is_about(one, scenario, munition)]
    sources = scenario.sources
    said = [*(_official(scenario, munition, known) if "on_hand" in states else []), *_withheld(known, states, sources)]
    said += [*_disputed(known, states, munition, sources), *_claims(known, states, munition, sources)]
    said += [*_assumed(found), *_besides(scenario, found)]
    return tuple(dict.fromkeys(said))[:MOST]


def _is_about(entry: Entry, scenario: Scenario, munition: str) -> bool:
    """Tell whether a figure is of a munition, or of something without a type that its short name may stand for: AIM, of AIM-120."""
    item = entry.observation
    if item.munition is not None:
        return item.munition == munition
    family = re.match(r"[A-Za-z]{2,}|[0-9]+", scenario.munitions[munition].short)
    said = " ".join([item.title, item.item or "", item.scope.variant])
    return family is not None and re.search(rf"\b{family[0]}\b", said) is not None


def _official(scenario: Scenario, munition: str, known: Sequence[Entry]) -> Iterator[str]:
    """Say whether any count of the US stock by its owner is in the ledger."""
    own = [one.observation for one in known if (one.observation.scope.state, one.observation.scope.owner) == ("on_hand", US)]
    ours = [one for one in own if one.munition == munition]
    if any(one.basis == "count" for one in ours):
        return
    stock = f"The official US stock of {Names(scenario).munition(munition)}"
    what = f"{stock}: no count by its owner had been published by {day(scenario.as_of)}"
    if len(ours) == 1:
        yield f"{what}; the one figure of it in the ledger is none."
    else:
        yield f"{what}; none of the {len(ours)} figures of it in the ledger is one." if ours else f"{what}."


def _publisher(entry: Entry, sources: dict[str, Any]) -> str:
    names = [sources[key].publisher for key in entry.observation.source if key in sources]
    return f"{names[0] if names else 'no source'}, {day(entry.published)}"


def _figure(entry: Entry) -> str:
    item = entry.observation
    bound = {"at_least": "at least ", "at_most": "at most "}.get(item.bound, "")
    return f"{bound}{figure(100 * item.value)} %" if item.unit == "1" else f"{bound}{figure(item.value)}{unit_said(item.unit, item.value)}"


def _withheld(known: Sequence[Entry], states: Sequence[str], sources: dict[str, Any]) -> Iterator[str]:
    """Say what was reported as withheld without its type or number being sure."""
    for one in known:
        item = one.observation
        if item.scope.state == "withheld" and "withheld" in states and item.scope.match != "same":
            yield f"{item.title}: {_figure(one)} ({_publisher(one, sources)}); what exactly is said only as \"{item.scope.variant}\"."


def _disputed(known: Sequence[Entry], states: Sequence[str], munition: str, sources: dict[str, Any]) -> Iterator[str]:
    """Name figures that stand beside each other and between which nobody has decided."""
    groups: dict[str, list[Entry]] = defaultdict(list)
    for one in known:
        if one.in_conflict and one.observation.munition == munition and one.observation.scope.state in states:
            groups[str(one.observation.conflict)].append(one)
    for own in groups.values():
        figures = " against ".join(f"{_figure(one)} ({_publisher(one, sources)})" for one in own)
        if len(own) > 1:
            yield f"{own[0].observation.title}: {figures}; nobody has decided between them."


def _claims(known: Sequence[Entry], states: Sequence[str], munition: str, sources: dict[str, Any]) -> Iterator[str]:
    """Name figures that are claims."""
    for one in known:
        item = one.observation
        if item.basis == "claim" and item.munition == munition and item.scope.state in states and not one.in_conflict:
            yield f"{item.title}: {_figure(one)} is a claim ({_publisher(one, sources)})."


def _assumed(found: Sequence[Cited]) -> Iterator[str]:
    for one in found:
        if one.grade == ASSUMED:
            why = f" ({one.note[0].lower()}{one.note[1:]})" if one.note else ""
            yield f"{one.label}: no source states it; {one.valued} is assumed{why}."


def _besides(scenario: Scenario, found: Sequence[Cited]) -> Iterator[str]:
    """Name other values that sources give for what an answer rests on."""
    for path in dict.fromkeys(one.path for one in found):
        others = [one.point for one in scenario.beside if one.path == path]
        if others:
            own = next(one for one in found if one.path == path)
            values = ", ".join(dict.fromkeys(figure(one.value) for one in others))
            yield f"{own.label}: sources differ; {figure(own.value)} is used, others give {values}."


def own_dates(scenario: Scenario) -> tuple[dt.date, dt.date]:
    """Return the first day of a run and the day on which it ends."""
    start, end = scenario.settings.start, scenario.settings.end
    assert start and end
    return start, end


def check_by(scenario: Scenario, by: dt.date) -> None:
    """Refuse a date outside the run.

    Raises
    ------
    InputError
        If it is.
    """
    start, end = own_dates(scenario)
    if not start <= by <= end:
        raise InputError.one("by", f"{by} is outside the run; allowed: {start} to {end}", file="answer")
