"""The section of an answer sheet: the sentence, how sure it is, what it rests on, and what cannot be confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.analysis.sheets import by_path, confidence_said, dated
from stockpile.report.tables import DASH, Table
from stockpile.report.workbench.section import Section, made_with, signed

if TYPE_CHECKING:
    from stockpile.analysis.answers import Answer
    from stockpile.scenario import Scenario

NOT_THIS = (
    "An answer is of this model and its assumptions: a stock is an estimate, a floor the one assumed here. The confidence word follows a "
    "rule (share of the draws that agree, width of the range, worst grade of what it rests on) and says nothing of what was left out of "
    "the model."
)


def section(found: Answer, id_: str, scenario: Scenario | None) -> Section:
    """Return the section of an answer sheet."""
    tables = [one for one in (_sources(found), _cannot(found)) if one.rows]
    return Section(
        id=id_,
        kind="Answer",
        title=found.question,
        sentences=(signed(found.short), *map(signed, found.more), f"Confidence: {confidence_said(found)}"),
        shown="What the answer rests on most, by its share of the spread or as the question is about it, with the sources.",
        groups=(),
        tables=tuple(tables),
        not_this=NOT_THIS,
        facts=made_with(found.manifest, ("Question", found.name)),
        manifest=found.manifest | {"basis": f"over {found.manifest['members']:,} draws"},
    )


def _sources(found: Answer) -> Table:
    rows = []
    for own in by_path(found.sources):
        named = "; ".join(f"{one.publisher}, {dated(one)}, {one.title}: {one.url}" for one in own if one.source)
        rows.append((f"{own[0].label} ({own[0].path})", own[0].valued, own[0].grade, named or DASH))
    return Table(f"What the answer rests on: {found.question}", ("Value", "As used", "Grade", "Sources"), tuple(rows))


def _cannot(found: Answer) -> Table:
    rows = tuple((str(number), text) for number, text in enumerate(found.cannot_confirm, 1))
    return Table(f"What nobody outside can confirm: {found.question}", ("Number", "Cannot confirm"), rows)
