"""What the page rests on: assumptions, events, requirements, values that stand side by side, sources."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stockpile import provenance, units
from stockpile.report import words
from stockpile.report.facts import rounds_of
from stockpile.report.projection import level_label, other_readings
from stockpile.report.study import Study
from stockpile.schema import Level, Source
from stockpile.tables import parameters
from stockpile.vintage import BEGINNING, Beside, weight_of

GRADES = {
    "measured": "counted by the owner",
    "reported": "stated by a source",
    "derived": "our arithmetic from sources",
    "assumed": "a judgement",
}
SHARED = "All munitions"
KINDS = {
    "operation": "US operation",
    "package": "transfer from US stock",
    "inflow": "into US stock",
    "supply": "to a recipient from elsewhere",
    "need": "adds to a recipient’s need",
    "hold": "earlier stop, part of history",
}
DRAWN = {
    "uniform": "uniform between bounds",
    "triangular": "triangular between bounds",
    "pert": "PERT between bounds",
    "normal": "normal, range of 90 %",
    "lognormal": "lognormal, range of 90 %",
}
"""What a draw is, by shape: what the range holds."""
NOT_DRAWN = {"lever": "not drawn: a choice", "constant": "not drawn: a constant", "uncertainty": "not drawn"}
OUTLETS = {"weak": "weak outlet", "state_linked": "state-linked outlet"}


@dataclass(frozen=True)
class Citation:
    """A source as it is printed."""

    key: str
    title: str
    publisher: str
    date: str
    url: str
    kind: str
    relays: str
    warning: str


@dataclass(frozen=True)
class Assumption:
    """A value as it is printed, with what it rests on."""

    path: str
    value: str
    ranged: str
    unit: str
    grade: str
    since: str
    where: str
    note: str
    sources: tuple[Citation, ...]
    drawn: str = ""


@dataclass(frozen=True)
class Marked:
    """An event as it is printed."""

    number: int
    title: str
    window: str
    kind: str
    rounds: str
    description: str
    sources: tuple[Citation, ...]


@dataclass(frozen=True)
class Requirement:
    """A published level beside the stocks it may be held against."""

    title: str
    rounds: str
    shares: tuple[str, ...]
    grade: str
    note: str
    sources: tuple[Citation, ...]


@dataclass(frozen=True)
class Conflict:
    """Values that sources give for one thing, side by side."""

    path: str
    values: tuple[tuple[str, Assumption], ...]


def citation(key: str, source: Source) -> Citation:
    """Return a source as it is printed."""
    shown = {"day": words.day(source.date), "month": words.month(source.date), "year": str(source.date.year)}[source.precision]
    linked = source.url.startswith(("https://", "http://"))
    kind = {"original": "", "reprint": "reprint of", "relay": "relay of"}[source.kind]
    return Citation(
        key,
        source.title,
        source.publisher,
        shown,
        source.url if linked else "",
        kind,
        source.relays or "" if kind else "",
        OUTLETS.get(source.outlet_kind, ""),
    )


def citations(study: Study, keys: str | Sequence[str]) -> tuple[Citation, ...]:
    """Return the sources of those keys as they are printed."""
    names = [key for key in (keys.split("; ") if isinstance(keys, str) else keys) if key]
    return tuple(citation(key, study.scenario.sources[key]) for key in names)


def ranged(low: float | None, high: float | None) -> str:
    """Return a range in words, empty where there is none."""
    return "" if low is None or high is None or low == high else f"{words.plain(low)} to {words.plain(high)}"


def assumptions(study: Study) -> list[tuple[str, list[Assumption]]]:
    """Return every resolved value, by munition in the order of the run, what all share last."""
    titles = {munition: study.scenario.munitions[munition].title for munition in study.result.munitions}
    found: dict[str, list[Assumption]] = {title: [] for title in (*titles.values(), SHARED)}
    rows = sorted(provenance.rows(study.scenario), key=lambda row: (row["path"], row["from"] or dt.date.min))
    shapes = _shapes(study)
    for row in rows:
        munition = next((part for part in row["path"].split(".")[1:] if part in titles), None)
        item = replace(_assumption(study, row), drawn=_drawn(study, row, shapes))
        found[titles[munition] if munition else SHARED].append(item)
    return [(title, items) for title, items in found.items() if items]


def _shapes(study: Study) -> dict[str, tuple[str, str]]:
    """Return shape and role of every parameter by path; a plan is drawn as the capacity of its part."""
    found: dict[str, tuple[str, str]] = {}
    for path, table in parameters({folder: study.scenario.tree[folder] for folder in provenance.FOLDERS}):
        name = ".".join(path)
        known = (table.get("shape") or "", table.get("role", "uncertainty"))
        found |= {name: known, name.removesuffix(".capacity"): known}
    return found


def _drawn(study: Study, row: dict[str, Any], shapes: dict[str, tuple[str, str]]) -> str:
    """Say what an ensemble draws for a value: its shape and what its range holds, or that it draws nothing.

    Where there are draws, a value that none of the runs asks for says so; rounds of campaigns are drawn by their size.
    """
    shape, role = shapes.get(row["path"].partition(".plans.")[0], ("", "constant"))
    if role != "uncertainty" or row["low"] == row["high"]:
        return NOT_DRAWN[role]
    if study.ensemble and not row["path"].startswith("campaigns.") and row["path"] not in study.streams:
        return "not drawn: moves nothing here"
    return "one of the values sources give" if shape == "choice" else DRAWN.get(shape, NOT_DRAWN[role])


def ranges_by_grade(study: Study) -> dict[str, int]:
    """Return how many values are drawn from a range or a choice, by the grade of the value."""
    found = dict.fromkeys(GRADES, 0)
    for _, items in assumptions(study):
        for item in items:
            found[item.grade] += not item.drawn.startswith("not drawn")
    return found


def _assumption(study: Study, row: dict[str, Any]) -> Assumption:
    word = "by" if ".plans." in row["path"] else "from"
    since = "" if row["from"] is None else f"{word} {words.day(row['from'])}"
    return Assumption(
        row["path"],
        words.plain(row["value"]),
        ranged(row["low"], row["high"]),
        row["unit"],
        row["grade"],
        since,
        row["where"] or "",
        " ".join((row["note"] or "").split()),
        citations(study, row["source"]),
    )


def event_numbers(study: Study) -> dict[str, int]:
    """Return the events in the order of their dates, each with its number."""
    ordered = sorted(study.scenario.events, key=lambda name: (study.scenario.events[name].start, name))
    return {name: number for number, name in enumerate(ordered, start=1)}


def events(study: Study) -> list[Marked]:
    """Return the events of the scenario with rounds, what is known of them, and sources."""
    found = []
    for name, number in event_numbers(study).items():
        event = study.scenario.events[name]
        amounts = [
            f"{words.rounds(rounds_of(study.scenario, name, m))} {study.short(m)}" for m in study.result.munitions if m in event.rounds
        ]
        keys = list(dict.fromkeys([*event.source, *_sources_of(study.scenario.tree["events"][name])]))
        row = event.recipient or event.cause or ""
        who = study.claimant(row) if row in study.result.rows else ""
        kind = KINDS[event.kind] + (f", {who}" if who else "")
        found.append(
            Marked(
                number,
                event.title,
                words.window(event.start, event.end),
                kind,
                "; ".join(amounts),
                " ".join(event.description.split()),
                citations(study, keys),
            )
        )
    return found


def _sources_of(node: Any) -> Iterator[str]:
    """Yield the keys of the sources named anywhere under a node of the resolved table."""
    if isinstance(node, dict):
        own = node.get("source", [])
        yield from [own] if isinstance(own, str) else own
        for value in node.values():
            yield from _sources_of(value)
    elif isinstance(node, list):
        for value in node:
            yield from _sources_of(value)


def stocks(study: Study, munition: str) -> list[tuple[str, float]]:
    """Return the stocks that a requirement may be held against: the estimates at the start, and the run's at `as_of`."""
    start = words.month(study.date(0))
    point = study.scenario.munitions[munition].us_stock.points[0]
    found = [(f"{start}, the estimate used", point.value)]
    found += [(f"{start}, another reading", value) for value in other_readings(study, munition)]
    return [*found, (f"{words.day(study.date(study.now))}, in this model", float(study.stock(study.base, munition)[study.now]))]


def requirements(study: Study, munition: str) -> list[Requirement]:
    """Return the published requirements, each with the stocks as a share of it."""
    found = []
    for level in study.scenario.munitions[munition].requirements.values():
        value, point = _level(study, munition, level)
        shares = tuple(words.percent(amount / value) if value > 0.0 else "–" for _, amount in stocks(study, munition))
        found.append(
            Requirement(
                level.title, words.exact(value), shares, point.grade, " ".join((point.note or "").split()), citations(study, point.source)
            )
        )
    return found


def floors(study: Study, munition: str) -> list[tuple[str, str, str]]:
    """Return the named levels of a munition that stand for floors: label, rounds, grade and note."""
    return [
        (level_label(study, munition, name), words.rounds(float(study.result.levels[munition][name][0])), level.level.points[-1].grade)
        for name, level in study.scenario.munitions[munition].floors.items()
    ]


def _level(study: Study, munition: str, level: Level) -> tuple[float, Any]:
    known = [point for point in level.level.points if (point.from_ or BEGINNING) <= study.scenario.as_of] or level.level.points[:1]
    unit = units.find(level.level.unit)
    assert unit is not None
    whole = study.scenario.munitions[munition].us_stock.points[0].value if level.of else 1.0
    return known[-1].value * unit.factor * whole, known[-1]


def conflicts(study: Study, munition: str | None) -> list[Conflict]:
    """Return the groups of values that sources give for one thing, the used one first; of one munition, or of none."""
    groups: dict[tuple[str, str], list[tuple[str, Assumption]]] = {}
    for path, unit, point, standing in _in_groups(study):
        parts = path.split(".")[1:]
        own = next((part for part in parts if part in study.result.munitions), None)
        if own != munition:
            continue
        row = {
            "path": path,
            "value": point["value"],
            "low": point.get("low"),
            "high": point.get("high"),
            "unit": unit,
            "grade": point["grade"],
            "source": "; ".join(_as_list(point.get("source", []))),
            "from": _since(point),
            "where": point.get("where"),
            "note": point.get("note"),
        }
        groups.setdefault((path, point["conflict"]), []).append((standing, _assumption(study, row)))
    return [
        Conflict(path, tuple(sorted(values, key=lambda item: item[0] != "used")))
        for (path, _), values in sorted(groups.items())
        if any(label != "used" for label, _ in values)
    ]


def _in_groups(study: Study) -> Iterator[tuple[str, str, dict[str, Any], str]]:
    """Yield the values of groups, each with its path, its unit and how it stands to the run."""
    tables = {".".join(path): table for path, table in parameters({name: study.scenario.tree[name] for name in provenance.FOLDERS})}
    for path, table in tables.items():
        for point in table.get("points", ()):
            if point.get("conflict"):
                yield path, table["unit"], point, "used"
    for beside in study.scenario.beside:
        yield beside.path, beside.unit, beside.point.model_dump(by_alias=True), _standing(study, tables.get(beside.path, {}), beside)


def _standing(study: Study, table: dict[str, Any], beside: Beside) -> str:
    """Return how a value that stands beside the used one enters the page: where there are draws, some take it."""
    found = weight_of(table, beside) if study.ensemble else None
    return "beside it" if found is None else f"drawn as well, weight {found[0]:g} of {found[1]:g}"


def _as_list(keys: str | list[str]) -> list[str]:
    return [keys] if isinstance(keys, str) else list(keys)


def _since(point: dict[str, Any]) -> dt.date | None:
    since = point.get("from")
    return None if since is None or since == BEGINNING else since


def cited(study: Study, keys: Iterable[str] = ()) -> list[Citation]:
    """Return every source that a value, an event or a value beside it names, by publisher and title."""
    tree = study.scenario.tree
    names = set(keys).union(
        *(_sources_of(tree[folder]) for folder in provenance.FOLDERS), *(beside.point.source for beside in study.scenario.beside)
    )
    found = [citation(key, study.scenario.sources[key]) for key in names]
    return sorted(found, key=lambda item: (item.publisher.casefold(), item.title.casefold(), item.key))
