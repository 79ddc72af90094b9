"""The section of published cases: which come out, which do not and why, and what does not count."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stockpile.evidence import case_words
from stockpile.evidence.verdicts import FAIL, NOT_EXPRESSIBLE, PASS
from stockpile.report import theme
from stockpile.report.blocks import Chart
from stockpile.report.tables import DASH, Table, data_link
from stockpile.report.workbench import rows as rowed
from stockpile.report.workbench.section import Group, Section, number, signed, table

if TYPE_CHECKING:
    from stockpile.evidence.cases import Replication, Row
    from stockpile.scenario import Scenario

NOT_THIS = (
    "A case that comes out says that the bookkeeping does what its authors' does, from the inputs they state; not that inputs or answer "
    "are right. One that does not come out says that something they used is not among the inputs that were found, or that they meant "
    "something else. No input was chosen to make an answer come out. Cases that are single divisions, sums or arithmetic of our own are "
    "shown and not counted."
)
SHOWN = (
    "Each case is run by the engine as a scenario of its own, on the inputs that were published and nothing else; where inputs have "
    "ranges, all corners of them are run. A published number is reproduced where ours, with central inputs, lies within the tolerance; a "
    "published range where all of ours lies inside it, widened by the tolerance; a bound where all of ours keeps it."
)
COLOURS = {FAIL: ("not reproduced", theme.VERMILLION, "/"), PASS: ("reproduced", theme.BLUE, "")}
TOLD = 4
"""Answers furthest off that are told in numbers."""
ROWS = 40
"""Most rows of the figure; the table has all."""
MOST = 4.0
"""Longest bar, in tolerances: what is further off is cut there and printed in full."""
NUMBERS = ("published", "low", "high", "bound", "ours", "ours_low", "ours_high")
COLUMNS = ("Case", "Asked", "Published", "Ours", "Quantity / rate", "Verdict", "Why")


def section(found: Replication, id_: str, scenario: Scenario | None = None) -> Section:
    """Return the section of published cases; they stand on no one scenario."""
    counted = [row for row in found.rows if row.counts]
    shown = [row for row in found.rows if not row.counts and row.verdict != NOT_EXPRESSIBLE]
    silent = [row for row in found.rows if row.verdict == NOT_EXPRESSIBLE]
    tables = []
    titles = {row.case: row.model.title for row in counted}
    if causes := case_words.causes(found):
        cells = ((titles[case], said) for case, said in causes.items())
        tables.append(table("Why counted cases are not reproduced", ("Case", "What its file says of it"), cells))
    if shown:
        tables.append(table("Shown, not counted", COLUMNS, map(_cells, shown)))
    if silent:
        tables.append(table("What a model of this kind cannot say", ("Case", "Asked", "Published", "Why not"), map(_silent_cells, silent)))
    made = found.manifest
    return Section(
        id=id_,
        kind="Replication",
        title="Published answers beside ours",
        sentences=(case_words.headline(found), *_sentences(found)),
        shown=SHOWN,
        groups=(Group("", (_chart(counted, f"{id_}-counted"),)),) if counted else (),
        tables=tuple(tables),
        not_this=NOT_THIS,
        facts=(
            ("Model", f"stockpile {made['version']}, commit {made['commit']}, {made['engine']}"),
            ("Cases", f"{len(made['cases'])}, each a scenario of its own"),
            ("Inputs and answers", f"{made['parameters'][:12]} (SHA-256 of all cases)"),
        ),
        manifest=made | {"basis": "with the central values of each case, and all corners of its ranges"},
    )


def _sentences(found: Replication) -> list[str]:
    """Return what fails, the furthest off in numbers, and what quantity divided by rate would have done."""
    failed = sorted(found.failed, key=lambda row: -abs(off(row)))
    titles = list(dict.fromkeys(row.model.title for row in failed))
    said = [f"Not reproduced: {'; '.join(titles)}."] if titles else []
    said += [f"{_label(row)}: published {_published(row)}, ours {_ours(row)}." for row in failed[:TOLD]]
    divided = [row for row in found.rows if row.counts and row.division_verdict]
    wrong = [row for row in divided if row.division_verdict == FAIL and row.verdict == PASS]
    if wrong:
        said.append(
            f"Quantity divided by rate alone, where it says anything, gives the published answer in {len(divided) - _failing(divided)} of "
            f"{len(divided)} counted answers; {len(wrong)} that it misses come out here."
        )
    return said


def _failing(rows: list[Row]) -> int:
    return sum(row.division_verdict == FAIL for row in rows)


def off(row: Row) -> float:
    """Return how far an answer is off, in tolerances: 0 inside a published range, and where a bound is kept; inf without a tolerance."""
    answer = row.answer
    assert answer is not None
    if row.verdict == PASS and (answer.bound != "about" or row.difference == 0.0):
        return 0.0
    if not math.isfinite(row.difference):
        return -math.inf if row.difference == -math.inf else math.inf
    if answer.tolerance:
        return row.difference / answer.tolerance
    return 0.0 if row.verdict == PASS else math.copysign(math.inf, row.difference)


def _chart(rows: list[Row], id_: str) -> Chart:
    ordered = sorted(rows, key=lambda row: (row.rank[0], -abs(off(row))))
    furthest: dict[str, Row] = {}
    for row in ordered:
        furthest.setdefault(row.case, row)
    shown = list(furthest.values())[:ROWS]
    labels = [_label(row) for row in shown]
    said = [f"{label}: published {_published(row)}, ours {_ours(row)}, {row.verdict}" for label, row in zip(labels, shown, strict=True)]
    data: list[Any] = []
    for verdict, (name, colour, pattern) in COLOURS.items():
        own = [place for place, row in enumerate(shown) if row.verdict == verdict]
        if own:
            lengths = [max(-MOST, min(MOST, off(shown[place]))) for place in own]
            data.append(rowed.bars([number(one) for one in lengths], name, colour, pattern, [said[place] for place in own]) | {"y": own})
    layout = rowed.layout(labels, "ours less published, in tolerances", range=[-MOST - 0.2, MOST + 0.2])
    edge: dict[str, Any] = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "line": {"color": theme.MUTED, "width": 1.5, "dash": "dash"}}
    layout["shapes"] = [edge | {"x0": side, "x1": side} for side in (-1, 1)]
    cases = list(furthest.values())
    passed = sum(row.verdict == PASS for row in cases)
    title = f"{passed} of {len(cases)} counted cases come out" if passed < len(cases) else f"All {len(cases)} counted cases come out"
    notes = ["Between the dashed lines: within the tolerance. Bars end at four tolerances; the table has the numbers."]
    if len(rows) > len(shown):
        notes.append(f"Of each case the answer that is furthest off, failures first; the table has all {len(rows)} answers.")
    return Chart(
        id_,
        title,
        "How far our answer is from the published one, in units of the tolerance",
        f"Bar chart of how far our answers are from the published ones. {'; '.join(said)}.",
        {"data": data, "layout": layout},
        Table("Counted answers, failures first", COLUMNS, tuple(map(_cells, ordered))),
        data_link(("case", "answer", "measure", *NUMBERS, "unit", "tolerance", "verdict"), map(_data, ordered)),
        tuple(notes),
    )


def _silent_cells(row: Row) -> tuple[str, ...]:
    which = f" ({case_words.asked(row)})" if len(row.model.answers) > 1 else ""
    return (row.model.title, f"{row.model.question}{which}", case_words.published_words(row) or DASH, case_words.why(row))


def _cells(row: Row) -> tuple[str, ...]:
    texts = (case_words.published_words(row), case_words.our_words(row), case_words.divided(row), row.verdict, case_words.why(row))
    return (row.model.title, case_words.asked(row), *(signed(text) if index < 3 else text for index, text in enumerate(texts)))


def _data(row: Row) -> list[Any]:
    found = case_words.row(row)
    values = ["" if isinstance(found[name], float) and not math.isfinite(found[name]) else number(found[name]) for name in NUMBERS]
    return [row.case, row.name, found["measure"], *values, found["unit"], number(found["tolerance"]), row.verdict]


def _label(row: Row) -> str:
    return f"{row.model.title}: {case_words.asked(row)}"


def _published(row: Row) -> str:
    return case_words.published_words(row)


def _ours(row: Row) -> str:
    return case_words.our_words(row)
