"""The run beside what was reported: a table, and sentences that say by how much they differ."""

from __future__ import annotations

from dataclasses import dataclass

from stockpile.analysis.published import Comparison, beside_published
from stockpile.report import words
from stockpile.report.evidence import Citation, citations, ranged
from stockpile.report.study import Study


@dataclass(frozen=True)
class Beside:
    """A reported figure as it is printed."""

    title: str
    date: str
    scope: str
    reported: str
    model: str
    difference: str
    standing: str
    note: str
    sources: tuple[Citation, ...]


def found(study: Study) -> tuple[Comparison, ...]:
    """Return every reported stock that was known, beside the run in daily steps."""
    return beside_published(study.scenario, study.base)


def table(study: Study, comparisons: tuple[Comparison, ...]) -> list[Beside]:
    """Return the rows of the table."""
    return [_row(study, item) for item in comparisons]


def _row(study: Study, item: Comparison) -> Beside:
    seen = item.observation
    span = ranged(seen.low, seen.high)
    standing = {None: "no range given", True: "inside the range", False: "outside the range"}[item.inside]
    return Beside(
        title=seen.title,
        date=words.day(seen.day),
        scope=seen.scope.variant,
        reported=f"{words.exact(seen.value)}{f' ({span})' if span else ''}",
        model=words.rounds(item.model),
        difference=words.signed(item.difference),
        standing=standing,
        note=" ".join((seen.note or "").split()),
        sources=citations(study, seen.source),
    )


def sentences(study: Study, comparisons: tuple[Comparison, ...]) -> list[str]:
    """Return a sentence for each figure that is used, and one for the use that would close an open gap."""
    result = []
    for item in comparisons:
        if not item.observation.used:
            continue
        short = study.short(item.observation.munition or "")
        side = "above" if item.difference > 0 else "below"
        share = words.percent(abs(item.difference) / item.observation.value)
        result.append(
            f"On {words.day(item.observation.day)} the {short} stock is {words.rounds(item.model)} rounds in this model, "
            f"{share} {side} the {words.exact(item.observation.value)} that were reported."
        )
        if item.residual is not None and item.residual[0] > 0.0:
            result.append(
                f"To stand in the range reported for {words.day(item.observation.day)}, {words.rounds(item.residual[0])} to "
                f"{words.rounds(item.residual[1])} more {short} rounds would have had to leave US stock than the files hold. "
                "This remainder is printed and goes nowhere: it is not fed back into the run."
            )
    return result
