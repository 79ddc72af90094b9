"""Observations that one side of a comparison has or knew, and the other not."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from stockpile.evidence.ledger import Entry, Ledger, ledger
from stockpile.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "name", "title", "munition", "change", "old", "new", "unit", "bound", "start", "date", "published", "publisher", "url", "source",
    "grade", "basis", "conflict", "in_conflict", "note",
)
KNOWN, NOT_YET, ADDED, GONE, CHANGED = "published since", "not published yet", "added", "not there any more", "changed"


def new_observations(a: Scenario, b: Scenario) -> pd.DataFrame:
    """Return the observations that differ from one scenario to the other, by date: new, changed, gone, or published between both.

    Returns
    -------
    pandas.DataFrame
        Columns as of `COLUMNS`. A figure that was published between both dates has no old value; `in_conflict` says whether another
        figure stands beside it and nobody has decided between them.
    """
    import pandas as pd

    same = a.origin[1] == b.origin[1]
    rows: list[dict[str, Any]] = []
    if same and a.as_of == b.as_of:
        return pd.DataFrame(rows, columns=list(COLUMNS))
    first = ledger(a)
    second = first if same else ledger(b)
    for name in dict.fromkeys([*first.by_name, *second.by_name]):
        row = _row(name, first.by_name.get(name), second.by_name.get(name), (a.as_of, b.as_of), (first, second))
        if row:
            rows.append(row)
    rows.sort(key=lambda row: (row["date"], row["name"]))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(name: str, old: Entry | None, new: Entry | None, dates: tuple[dt.date, dt.date], books: tuple[Ledger, Ledger]) -> dict[str, Any]:
    """Return the row of an observation; an empty one where it is the same on both sides."""
    change = _change(old, new, dates)
    if not change:
        return {}
    entry, book = (new, books[1]) if new is not None else (old, books[0])
    assert entry is not None
    item = entry.observation
    keys = [key for key in item.source if key in book.sources]
    last = max(keys, key=lambda key: book.sources[key].published, default=None)
    has_old, has_new = change in (GONE, CHANGED, NOT_YET), change in (ADDED, CHANGED, KNOWN)
    return {
        "name": name, "title": item.title, "munition": item.munition or item.item, "change": change,
        "old": old.observation.value if old and has_old else None, "new": new.observation.value if new and has_new else None,
        "unit": item.unit, "bound": item.bound, "start": item.start, "date": item.day, "published": entry.published,
        "publisher": book.sources[last].publisher if last else "", "url": book.sources[last].url if last else "",
        "source": "; ".join(item.source), "grade": item.grade, "basis": item.basis, "conflict": item.conflict,
        "in_conflict": entry.in_conflict, "note": item.note or "",
    }


def _change(old: Entry | None, new: Entry | None, dates: tuple[dt.date, dt.date]) -> str:
    if old is None:
        return ADDED
    if new is None:
        return GONE
    if old.observation != new.observation:
        return CHANGED
    knew, knows = old.published <= dates[0], new.published <= dates[1]
    return "" if knew == knows else KNOWN if knows else NOT_YET
