"""A section of a page of results: sentences, figures with their tables, what they do not say, and what made the numbers."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stockpile.analysis import wording
from stockpile.analysis.wording import Names
from stockpile.report.blocks import Chart
from stockpile.report.tables import Table
from stockpile.report.words import MINUS

if TYPE_CHECKING:
    import pandas as pd

MONTE_CARLO = (
    "Intervals are of Monte Carlo error alone: how far more draws could move a number. They do not say whether the assumptions are right."
)
DIGITS = 4
"""Digits of a number that a figure or a file of data carries."""


@dataclass(frozen=True)
class Group:
    """Figures under one heading.

    Attributes
    ----------
    heading : str
        Empty where there is none.
    charts : tuple of Chart
    said : tuple of str
        Sentences under the heading, before the figures.
    beside : bool
        Whether the figures may stand beside each other.
    """

    heading: str
    charts: tuple[Chart, ...]
    said: tuple[str, ...] = ()
    beside: bool = False


@dataclass(frozen=True)
class Section:
    """What a page says of one result.

    Attributes
    ----------
    id : str
        Fixed name in the page.
    kind, title : str
        What was asked, in a word and in full.
    sentences : tuple of str
        The first is the headline.
    shown : str
        What the figures show, and what not.
    groups : tuple of Group
    tables : tuple of Table
        Those that belong to no figure.
    not_this : str
        What the section does not say.
    facts : tuple of (str, str)
        What made the numbers, for readers.
    manifest : dict
        The same, for machines.
    """

    id: str
    kind: str
    title: str
    sentences: tuple[str, ...]
    shown: str
    groups: tuple[Group, ...]
    tables: tuple[Table, ...]
    not_this: str
    facts: tuple[tuple[str, str], ...]
    manifest: dict[str, Any] = field(repr=False)

    @property
    def charts(self) -> list[Chart]:
        """All figures."""
        return [chart for group in self.groups for chart in group.charts]


def each(frame: pd.DataFrame) -> list[Any]:
    """Return the rows of a frame, their columns as attributes."""
    return list(frame.itertuples(index=False))


def missing(value: Any) -> bool:
    """Tell whether there is no value: None, nan, or a date that is none."""
    return value is None or value != value


def number(value: Any) -> Any:
    """Return a number with the digits that a figure needs, whole ones without a point; None where there is none."""
    if value is None or isinstance(value, str | bool | dt.date):
        return value
    found = float(value)
    if not math.isfinite(found):
        return None
    if found == 0.0:
        return 0
    rounded = round(found, max(DIGITS - 1 - math.floor(math.log10(abs(found))), 0))
    return int(rounded) if rounded == int(rounded) else rounded


def numbers(values: Iterable[Any]) -> list[Any]:
    """Return numbers as a figure carries them."""
    return [number(value) for value in values]


def shown(value: Any) -> str:
    """Return a value of a lever as it is printed: a number, a date, a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return wording.plain(value).replace("-", MINUS) if not isinstance(value, str) else value


def three(value: float) -> str:
    """Return a number with three significant digits, without zeros at the end."""
    return signed(wording.plain(float(f"{value:.3g}")))


def unit_said(unit: str) -> str:
    """Return a unit of the files as it stands after a number, with a space before it: months, rounds a month, a year."""
    if unit in ("", "1"):
        return ""
    first, _, per = unit.partition("/")
    said = "" if first == "1" else f" {first}s"
    return f"{said} a {per}" if per else said


_HYPHEN_BEFORE_A_NUMBER = re.compile(r"(?<!\w)-(?=\.?\d)")


def signed(text: str) -> str:
    """Return a text with true minus signs before its numbers; dates and names keep their hyphens."""
    return _HYPHEN_BEFORE_A_NUMBER.sub(MINUS, text)


def quantity(value: float, unit: str, width: float = 0.0) -> str:
    """Return an outcome with its unit, with no more digits than `width` supports."""
    return signed(wording.amount(value, width, unit))


def bare(value: float, unit: str) -> tuple[float, str]:
    """Return a number and the name of its unit as an axis has them: shares in per cent, money in billions."""
    if unit == "1":
        return 100.0 * value, "%"
    if unit.startswith("USD"):
        return value / 1e9, f"billion {unit.replace('_', ' of ')}"
    return value, {"round": "rounds", "month": "months"}.get(unit, unit)


def with_unit(label: str, unit: str) -> str:
    """Return what an axis is called."""
    said = wording.capital(label)
    return f"{said} ({wording.plural(unit, 2)})" if unit not in ("", "1") else said


def said_lever(names: Names, path: str) -> tuple[str, str]:
    """Return what a path is called, and its unit; both as in the files where the scenario is not known."""
    from stockpile.analysis.labels import labels

    if names.scenario is None:
        return path, ""
    label, unit = labels(names.scenario, [path])
    return label[path], unit[path]


def made_with(manifest: dict[str, Any], *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the facts of an analysis, for readers."""
    changed = "; ".join(f"{path} = {value}" for path, value in manifest["overrides"].items())
    found = [
        ("Model", f"stockpile {manifest['version']}, commit {manifest['commit']}, {equations_said(manifest)}{manifest['engine']}"),
        (
            "Scenario",
            f"{manifest['scenario']}: {manifest['title']}, {manifest['start']} to {manifest['end']}, known on {manifest['as_of']}",
        ),
        ("Draws", f"{manifest['members']:,}, seed {manifest['seed']}"),
        *more,
        ("Parameters", f"{manifest['parameters'][:12]} (SHA-256 of every resolved value)"),
    ]
    return (*found, *([("Changed", changed)] if changed else []))


def equations_said(manifest: dict[str, Any]) -> str:
    """Return the digest of the equations, shortened, as an item of a list; nothing where an older manifest has none."""
    return f"equations {manifest['equations'][:12]}, " if "equations" in manifest else ""


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], note: str = "") -> Table:
    """Return a table of text."""
    return Table(caption, tuple(columns), tuple(tuple(row) for row in rows), note)
