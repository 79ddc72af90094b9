"""What is followed over time in an ensemble: rows of a step, as values and as differences from the baseline on the same draws."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from stockpile.clock import Array
from stockpile.errors import InputError, nearest
from stockpile.model.state import ENTERING, FLOWS, STOCKS, Flows, Known, State, has_index
from stockpile.results import US
from stockpile.simulate import ROWS_OF_THEIR_OWN

ALL = "all"
BANDS = ("us_on_hand", "unmet")
"""Quantities followed over time where nothing else is asked for: the US stock, and what recipients lack."""
PER_CAUSE = ("own_use_for",)


@dataclass(frozen=True)
class Entry:
    """One thing followed over time.

    Attributes
    ----------
    quantity, row : str
        As in tables.
    key : str
        As in `stockpile.codegen.trace`.
    is_flow : bool
        Whether it has a value for each step, in place of one for each step edge.
    is_difference : bool
        Whether it is the difference from the baseline policy on the same draws.
    """

    quantity: str
    row: str
    key: str
    is_flow: bool
    is_difference: bool


def entries(quantities: Sequence[str] | str, recipients: tuple[str, ...], *, differences: bool) -> tuple[Entry, ...]:
    """Return what is followed for the named quantities: all their rows, and their differences where there is a baseline.

    Raises
    ------
    InputError
        For names that are no stock and no flow.
    """
    known = names()
    asked = known if quantities == ALL else ([quantities] if isinstance(quantities, str) else list(quantities))
    wrong = [name for name in asked if name not in known]
    if wrong:
        raise InputError.one("quantities", f"{', '.join(map(repr, wrong))}: no stock or flow; {nearest(wrong[0], known)}, or {ALL!r}")
    found = [entry for entry in _all(recipients) if entry.quantity in asked]
    found.sort(key=lambda entry: asked.index(entry.quantity))
    if differences:
        found += [Entry(e.quantity, e.row, e.key, e.is_flow, True) for e in found]
    return tuple(found)


def names() -> list[str]:
    """Return the quantities that can be followed, in the order of the tables."""
    return [name for name in (*STOCKS, *FLOWS, *ENTERING) if name != "rule_cut"]


def _all(recipients: tuple[str, ...]) -> Iterable[Entry]:
    causes = (US, *recipients, "joint_or_unknown")
    yield Entry("unpromised", US, "state.unpromised", False, False)
    for kind, cls in (("state", State), ("flow", Flows), ("series", Known)):
        for field in fields(cls):
            name = ROWS_OF_THEIR_OWN.get(field.name, field.name)
            if kind == "series" and name not in ENTERING:
                continue
            is_flow = kind != "state" or name == "review"
            if not has_index(field):
                yield Entry(name, US, f"{kind}.{field.name}", is_flow, False)
                continue
            for number, row in enumerate(causes if name in PER_CAUSE else recipients):
                yield Entry(name, row, f"{kind}.{field.name}.{number}", is_flow, False)


@dataclass
class Counting:
    """Counts of rows in bins, added to block by block; arrays over (policy, munition, entry, edge).

    Attributes
    ----------
    low, per_bin : array
        Where the bins begin, and one over their width.
    counts : array of uint32
        With an axis of bins at the end.
    """

    low: Array
    per_bin: Array
    counts: NDArray[np.uint32]
