"""The ledger: every observation there is, when it was published, and what of the model it can be held against, or why nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from stockpile import schema
from stockpile.evidence.measures import Measure, measure_of
from stockpile.evidence.reading import Reading, reading_of
from stockpile.params import ParamSet
from stockpile.vintage import published

if TYPE_CHECKING:
    import pandas as pd

    from stockpile.scenario import Scenario

COLUMNS = (
    "name", "title", "munition", "state", "owner", "variant", "match", "start", "date", "value", "low", "high", "bound", "unit", "grade",
    "basis", "published", "conflict", "in_conflict", "used_in", "compared_with", "because", "source", "where", "note",
)


@dataclass(frozen=True)
class Entry:
    """One observation of the ledger.

    Attributes
    ----------
    name : str
    observation : schema.Observation
    published : date
        When the latest of its sources came out.
    measure : Measure or None
        What of the model it is held against.
    because : str
        Why it is held against nothing; empty where it is.
    reading : Reading or None
        How exactly it is read.
    in_conflict : bool
        Whether it stands beside another figure for the same thing and nobody has decided between them: it is then shown, and neither
        counted nor fitted.
    """

    name: str
    observation: schema.Observation
    published: dt.date
    measure: Measure | None
    because: str
    reading: Reading | None
    in_conflict: bool

    @property
    def is_new_evidence(self) -> bool:
        """Whether it may be fitted: comparable, undisputed, in use, and no parameter rests on it already."""
        item = self.observation
        return self.measure is not None and not self.in_conflict and item.used and not item.used_in and not item.closes_the_books


@dataclass(frozen=True)
class Ledger:
    """All observations, those published after any `as_of` among them: nothing here can be fed back into a run.

    Attributes
    ----------
    entries : tuple of Entry
        By date.
    sources : dict
        By key.
    """

    entries: tuple[Entry, ...]
    sources: dict[str, schema.Source]

    @cached_property
    def by_name(self) -> dict[str, Entry]:
        """Entries by their names."""
        return {entry.name: entry for entry in self.entries}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of every observation, when it was published and how exactly it is read."""
        said = [
            (entry.name, entry.observation.model_dump(mode="json"), str(entry.published), asdict(entry.reading) if entry.reading else None)
            for entry in self.entries
        ]
        return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def known_at(self, date: dt.date) -> tuple[Entry, ...]:
        """Return what had been published by a date (inclusive)."""
        return tuple(entry for entry in self.entries if entry.published <= date)

    def table(self) -> pd.DataFrame:
        """Return the ledger as a frame, one row an observation, columns as of `COLUMNS`; days as ISO text, empty where there is none."""
        import pandas as pd

        return pd.DataFrame([_row(entry) for entry in self.entries], columns=list(COLUMNS))


def ledger(scenario: Scenario) -> Ledger:
    """Return all that was ever reported, as far as the files of a scenario say."""
    return of_files(scenario.files(), tuple(scenario.recipients))


def of_files(params: ParamSet, recipients: Sequence[str] | None = None) -> Ledger:
    """Return the ledger of checked files, held against runs of some of the recipients, or of all."""
    reading = params.models["reading",]
    assert isinstance(reading, schema.Reading)
    found: dict[str, schema.Observation] = {}
    for name in params.names("observations"):
        model = params.models["observations", name]
        assert isinstance(model, schema.Observations)
        found.update(model.entries)
    disputed = _disputed(found.values())
    recipients = params.names("recipients") if recipients is None else recipients
    entries = []
    for name, item in found.items():
        measure, because = measure_of(item, recipients)
        read = reading_of(item, reading) if measure is not None else None
        date = published(item.source, params.sources)
        entries.append(Entry(name, item, date, measure, because, read, item.conflict in disputed and item.used))
    return Ledger(tuple(sorted(entries, key=lambda entry: (entry.observation.day, entry.name))), dict(params.sources))


def _disputed(items: Iterable[schema.Observation]) -> set[str | None]:
    """Return the conflict groups of which more than one figure is in use: nobody has decided between them."""
    groups: dict[str, int] = defaultdict(int)
    for item in items:
        if item.conflict is not None and item.used:
            groups[item.conflict] += 1
    return {name for name, number in groups.items() if number > 1}


def _row(entry: Entry) -> tuple[object, ...]:
    item = entry.observation
    scope = item.scope
    return (
        entry.name, item.title, item.munition or item.item, scope.state, scope.owner, scope.variant, scope.match, str(item.start or ""),
        str(item.day), item.value, item.low, item.high, item.bound, item.unit, item.grade, item.basis, str(entry.published),
        item.conflict or "", entry.in_conflict, "; ".join(item.used_in), str(entry.measure or ""), entry.because,
        "; ".join(item.source), item.where or "", item.note or "",
    )
