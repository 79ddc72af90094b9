"""What the US bought and asked for in budgets, by fiscal year, as the ledger of observations has it.

Figures of one fiscal year that are rivals stand in one conflict group: where nobody has decided between them, they are carried as a
range and drawn with equal chances. Figures of different groups are different lines of the budget, and add up.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from stockpile import philox
from stockpile.clock import Array
from stockpile.evidence.ledger import Entry, Ledger
from stockpile.results import US

BOUGHT, REQUESTED = "bought", "requested"
FIRST_MONTH = 10
"""A fiscal year of the US begins on 1 October of the calendar year before it."""
AVERAGED = 3
"""Fiscal years of the average that the statute asks for."""
RECENT = 2
"""Fiscal years that the last purchase known may lie before the one that the date is in: an older average is none of today's."""
WHOLE, IN_PART = ("same", "presumed"), "part"
Range = tuple[float, float, float]


def fiscal_year(date: dt.date) -> int:
    """Return the fiscal year that a day lies in."""
    return date.year + (date.month >= FIRST_MONTH)


def begins(year: int) -> dt.date:
    """Return the first day of a fiscal year."""
    return dt.date(year - 1, FIRST_MONTH, 1)


@dataclass(frozen=True)
class Line:
    """One line of a budget: a figure, or several rivals of which any may be true.

    Attributes
    ----------
    stream : str
        What its draws depend on.
    rivals : tuple of (low, value, high)
        More than one where they are disputed [round].
    names : tuple of str
        Observations used.
    beside : tuple of str
        Observations of the same conflict group that are not used.
    """

    stream: str
    rivals: tuple[Range, ...]
    names: tuple[str, ...]
    beside: tuple[str, ...] = ()

    @property
    def span(self) -> Range:
        """Least, middle and largest: the middle is the figure itself, or the mean of the ends where figures are disputed."""
        low, high = min(one[0] for one in self.rivals), max(one[2] for one in self.rivals)
        return low, self.rivals[0][1] if len(self.rivals) == 1 else 0.5 * (low + high), high

    def drawn(self, seed: int, members: int) -> Array:
        """Return draws: one of the rivals, each as likely, and evenly inside the range of that one."""
        which = (philox.uniforms(seed, f"{self.stream}.which", 0, members) * len(self.rivals)).astype(int)
        inside = philox.uniforms(seed, self.stream, 0, members)
        ends = np.array([(low, high) for low, _, high in self.rivals])[np.minimum(which, len(self.rivals) - 1)]
        found: Array = ends[:, 0] + inside * (ends[:, 1] - ends[:, 0])
        return found


@dataclass(frozen=True)
class Quantity:
    """Rounds bought or asked for over fiscal years, as published.

    Attributes
    ----------
    state : {"bought", "requested"}
    first, last : int
        Fiscal years, equal where it is one; `first` is that of the earliest day counted.
    lines : tuple of Line
    at_least : bool
        Whether only a part of the variants is counted.
    """

    state: str
    first: int
    last: int
    lines: tuple[Line, ...]
    at_least: bool

    @property
    def span(self) -> Range:
        """Least, middle and largest of the sum [round]."""
        low, value, high = (float(sum(one.span[place] for one in self.lines)) for place in range(3))
        return low, value, high

    @property
    def names(self) -> tuple[str, ...]:
        """Observations used."""
        return tuple(name for one in self.lines for name in one.names)

    @property
    def beside(self) -> tuple[str, ...]:
        """Observations not used, of the same conflict groups."""
        return tuple(name for one in self.lines for name in one.beside)

    @property
    def disputed(self) -> bool:
        """Whether a line has rivals."""
        return any(len(one.rivals) > 1 for one in self.lines)

    def drawn(self, seed: int, members: int) -> Array:
        """Return draws of the sum, shape (members,) [round]."""
        return np.asarray(sum(one.drawn(seed, members) for one in self.lines))


@dataclass(frozen=True)
class Purchases:
    """What is known of a munition's purchases at a date.

    Attributes
    ----------
    bought, requested : tuple of Quantity
        One a fiscal year, in order.
    before : Quantity or None
        The longest sum of purchases over several fiscal years.
    now : int
        Fiscal year of the date.
    """

    bought: tuple[Quantity, ...]
    requested: tuple[Quantity, ...]
    before: Quantity | None
    now: int

    @property
    def request(self) -> Quantity | None:
        """The latest request; None where none is published for this fiscal year or a later one, or a purchase of its year is."""
        latest = self.requested[-1] if self.requested and self.requested[-1].first >= self.now else None
        done = latest is not None and bool(self.bought) and self.bought[-1].first >= latest.first
        return None if done else latest

    @property
    def first(self) -> int:
        """The fiscal year of the first lot that can still be decided: that of the request, else the next one."""
        if self.request is not None:
            return self.request.first
        return max(self.now, self.bought[-1].first if self.bought else self.now) + 1

    @property
    def averaged(self) -> tuple[Quantity, ...]:
        """The last three fiscal years with a purchase; empty where there are no three, one after the other, or they are long past."""
        last = self.bought[-AVERAGED:]
        running = len(last) == AVERAGED and last[-1].first - last[0].first == AVERAGED - 1
        return last if running and last[-1].first >= self.now - RECENT else ()

    @property
    def so_far(self) -> tuple[Quantity, ...]:
        """What is known to have been bought: the longest sum, and each fiscal year after it up to the first that is missing."""
        if self.before is None:
            return ()
        later = {one.first: one for one in self.bought}
        found, year = [self.before], self.before.last + 1
        while year in later:
            found.append(later[year])
            year += 1
        return tuple(found)

    @property
    def is_up_to_date(self) -> bool:
        """Whether what is known to have been bought goes on up to now."""
        return bool(self.so_far) and self.so_far[-1].last >= self.now - RECENT


def purchases(book: Ledger, munition: str, as_of: dt.date) -> Purchases:
    """Return what had been published by a date of the purchases of a munition by the US."""
    found: dict[tuple[str, dt.date, dt.date], list[Entry]] = defaultdict(list)
    for entry in book.known_at(as_of):
        item = entry.observation
        budget = item.scope.state in (BOUGHT, REQUESTED) and item.scope.owner == US and item.unit == "round"
        if budget and item.munition == munition and item.start and item.end and item.scope.match in (*WHOLE, IN_PART):
            found[item.scope.state, item.start, item.end].append(entry)
    sums = {key: made for key, entries in sorted(found.items()) if (made := _quantity(*key, entries)) is not None}
    years = {key: made for key, made in sums.items() if key[1:] == (begins(made.last), begins(made.last + 1))}
    longer = [made for key, made in sums.items() if key not in years and key[0] == BOUGHT and _ends_a_year(key[2])]
    return Purchases(
        bought=tuple(made for key, made in years.items() if key[0] == BOUGHT),
        requested=tuple(made for key, made in years.items() if key[0] == REQUESTED),
        before=max(longer, key=lambda made: (made.last - made.first, made.last), default=None),
        now=fiscal_year(as_of),
    )


def _ends_a_year(end: dt.date) -> bool:
    return (end.month, end.day) == (FIRST_MONTH, 1)


def _quantity(state: str, start: dt.date, end: dt.date, entries: Sequence[Entry]) -> Quantity | None:
    """Return the sum of the lines of a window: those that count all variants, or where there is none those that count a part."""
    whole = [entry for entry in entries if entry.observation.scope.match in WHOLE]
    lines = tuple(_lines(whole or entries))
    last = fiscal_year(end - dt.timedelta(days=1))
    return Quantity(state, fiscal_year(start), last, lines, not whole) if lines else None


def _lines(entries: Iterable[Entry]) -> Iterable[Line]:
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.observation.conflict or entry.name].append(entry)
    for group, members in sorted(groups.items()):
        used = [entry for entry in members if entry.observation.used]
        beside = tuple(entry.name for entry in members if not entry.observation.used)
        if used:
            yield Line(f"observations.{group}", tuple(_range(entry) for entry in used), tuple(entry.name for entry in used), beside)


def _range(entry: Entry) -> Range:
    item = entry.observation
    low, high = item.span
    return low, item.value, high
