"""Which section a result gets."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stockpile.analysis import wording
from stockpile.analysis.answers import Answer
from stockpile.analysis.break_even import BreakEven
from stockpile.analysis.diff import Difference
from stockpile.analysis.discover import Discovery
from stockpile.analysis.frontier import Frontier
from stockpile.analysis.materiality import Materiality
from stockpile.analysis.requirement import Requirement
from stockpile.analysis.robust import Robust
from stockpile.analysis.sensitivity import Sensitivity
from stockpile.errors import InputError
from stockpile.evidence.calibrate import Calibration
from stockpile.evidence.cases import Replication
from stockpile.evidence.score import Score
from stockpile.report.blocks import Chart
from stockpile.report.tables import Table
from stockpile.report.workbench import (
    answer_sheets,
    break_evens,
    calibrations,
    diffs,
    discoveries,
    frontiers,
    materialities,
    readings,
    replications,
    requirements,
    robustness,
    scores,
    sensitivities,
    sweeps,
)
from stockpile.report.workbench.page import render
from stockpile.report.workbench.scenarios import scenario_of
from stockpile.report.workbench.section import Section
from stockpile.sweep.opened import Sweep

if TYPE_CHECKING:
    from stockpile.scenario import Scenario

Analysed = (
    Sweep | Sensitivity | BreakEven | Frontier | Robust | Discovery | Calibration | Requirement | Materiality | Score | Replication
    | Answer | Difference
)
"""What a page of results is made from."""


OF_EVIDENCE = ("Score", "Calibration", "Replication")
"""Kinds of sections that make a page one of evidence."""


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a page of results.

    Attributes
    ----------
    policies : sequence of str, optional
        Policies of a sweep that are shown, each in a section; the one that is varied, or the first, where left out.
    metric : str, optional
        Metric of a sweep; the first date below the floor assumed here where left out.
    params : sequence of folders
        Laid over the shipped parameters when the scenario behind a result is loaded, for its titles and own values.
    """

    policies: Sequence[str] | None = None
    metric: str | None = None
    params: Sequence[str | Path] = ()


def page(results: Sequence[Analysed], command: str, wanted: Wanted) -> str:
    """Return the page of one or several results.

    Raises
    ------
    InputError
        For something that is no result, for policies or a metric that a sweep does not have, and where a sweep is not complete.
    """
    sections = [one for number, result in enumerate(results, 1) for one in _sections(result, f"result-{number}", wanted)]
    if not sections:
        raise InputError.one("results", "none; allowed: one or more", file="report")
    manifest = results[0].manifest
    scenario = scenario_of(manifest, wanted.params)
    of = scenario.settings.title if scenario else str(manifest.get("title", manifest["scenario"]))
    name = "Evidence" if any(one.kind in OF_EVIDENCE for one in sections) else "Workbench"
    title = f"{sections[0].title} – {of}" if len(sections) == 1 else f"{name} – {of}"
    seen: set[str] = set()
    return render([_quoted(one, seen) for one in sections], command, _curly(title))


def _curly(text: str) -> str:
    """Return a text with its quotation marks as they are printed."""
    return re.sub(r'"([^"]*)"', "“\\1”", text)


def _quoted(one: Section, seen: set[str]) -> Section:
    """Return a section with its quotation marks as they are printed, and with captions that no table before it has."""

    def chart(own: Chart) -> Chart:
        title, subtitle, alternative = map(_curly, (own.title, own.subtitle, own.alternative))
        return replace(
            own, title=title, subtitle=subtitle, alternative=alternative, notes=tuple(map(_curly, own.notes)), table=table(own.table)
        )

    def table(own: Table) -> Table:
        rows = tuple(tuple(map(_curly, row)) for row in own.rows)
        caption = _curly(own.caption) + (f" ({one.id.replace('-', ' ')})" if own.caption in seen else "")
        seen.add(own.caption)
        return Table(caption, tuple(map(_curly, own.columns)), rows, _curly(own.note))

    groups = tuple(replace(group, charts=tuple(map(chart, group.charts)), said=tuple(map(_curly, group.said))) for group in one.groups)
    facts = tuple((name, _curly(text)) for name, text in one.facts)
    sentences = tuple(map(_curly, one.sentences))
    title = _curly(one.title) + (f" ({one.id.replace('-', ' ')})" if one.title in seen else "")
    seen.add(one.title)
    return replace(
        one,
        title=title,
        sentences=sentences,
        shown=_curly(one.shown),
        groups=groups,
        tables=tuple(map(table, one.tables)),
        facts=facts,
    )


def _sections(result: Analysed, id_: str, wanted: Wanted) -> list[Section]:
    if isinstance(result, Sweep):
        policies: Sequence[str | None] = wanted.policies or [None]
        found = [readings.reading(result, wanted.metric, policy, params=wanted.params) for policy in policies]
        return [sweeps.section(one, id_ if len(found) == 1 else f"{id_}-{number}") for number, one in enumerate(found, 1)]
    scenario = scenario_of(result.manifest, wanted.params) if isinstance(result, Analysed) else None
    return [_section(result, id_, scenario)]


_SECTIONS: dict[type[Any], Callable[..., Section]] = {
    Sensitivity: sensitivities.section,
    BreakEven: break_evens.section,
    Frontier: frontiers.section,
    Robust: robustness.section,
    Discovery: discoveries.section,
    Requirement: requirements.section,
    Materiality: materialities.section,
    Calibration: calibrations.section,
    Score: scores.section,
    Replication: replications.section,
    Difference: diffs.section,
    Answer: answer_sheets.section,
}
"""What makes the section of each kind of result."""


def _section(result: Any, id_: str, scenario: Scenario | None) -> Section:
    for kind, section in _SECTIONS.items():
        if isinstance(result, kind):
            return section(result, id_, scenario)
    allowed = "a scenario, a result, an ensemble, a sweep, or what a question of the workbench gives, or a list of the last two"
    raise InputError.one("source", f"{type(result).__name__}; allowed: {allowed}", file="report")


def default_command(results: Sequence[Analysed], target: Path) -> str:
    """Return what makes the page again where no command is given."""
    import shlex

    if len(results) == 1 and isinstance(results[0], Sweep) and results[0].path is not None:
        return shlex.join(["stockpile", "report", results[0].path.name, "-o", target.name])
    kinds = wording.listed([type(one).__name__.lower() for one in results])
    return f'stockpile.report([{kinds}], "{target.name}")' if len(results) > 1 else f'stockpile.report({kinds}, "{target.name}")'
