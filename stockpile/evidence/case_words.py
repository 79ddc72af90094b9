"""Published cases in words: the rows of the table, and the sentence above it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stockpile import schema
from stockpile.evidence.verdicts import FAIL, NOT_EXPRESSIBLE, NOT_PUBLISHED, PASS

if TYPE_CHECKING:
    from stockpile.clock import Clock
    from stockpile.evidence.cases import Replication, Row

NEVER = "not within the run"
BEFORE = "before the run"
BEYOND = "beyond the run"
NO_OUTPUT = "without limit, as nothing is delivered"
NO_NUMBER = "no number, as it is nought over nought"
OVER_OUTPUT = ("use_over_output", "years_of_output")
"""Measures that have no limit where nothing is delivered."""
SAME = 1e-6
"""Difference that is none in print."""
NOUGHT = 1e-9
"""Number that is none in print: what rounding leaves."""
BOUNDS = {"about": "", "at_least": "at least ", "at_most": "at most "}
PLURAL = {"month": "months", "year": "years", "day": "days", "round": "rounds"}


def sentence(made: Replication) -> str:
    """Return how many of the counted cases are reproduced, and the names of those that are not."""
    failed = [case for case, verdict in made.counted.items() if verdict == FAIL]
    return f"{headline(made)[:-1]}; not: {', '.join(failed)}." if failed else headline(made)


def headline(made: Replication) -> str:
    """Return how many of the counted cases are reproduced."""
    counted = made.counted
    if not counted:
        return _uncounted(made)
    passed = sum(verdict == PASS for verdict in counted.values())
    return f"{passed} of {len(counted)} published cases {'is' if passed == 1 else 'are'} reproduced within tolerance."


def _uncounted(made: Replication) -> str:
    """Return what comes out where nothing counts; where nothing was published either, the first answer of the file."""
    held = [one.verdict for one in made.rows if one.verdict in (PASS, FAIL)]
    if held:
        answers = "answer comes" if len(held) == 1 else "answers come"
        return f"No published case is counted; of what is shown, {held.count(PASS)} of {len(held)} {answers} out within tolerance."
    only = [one for one in made.rows if one.verdict == NOT_PUBLISHED]
    if only:
        first = min(only, key=lambda one: (one.case, list(one.model.answers).index(one.name)))
        more = "" if len(only) == 1 else f", and {len(only) - 1} more below"
        return f"{first.case}, {asked(first)}: {our_words(first)}{more}. Nothing was published to hold it against."
    number = len({one.case for one in made.rows})
    return f"No published case is counted; {number} {'is' if number == 1 else 'are'} shown."


def row(one: Row) -> dict[str, Any]:
    """Return a row of the table."""
    answer, said = one.answer, one.published
    found: dict[str, Any] = {
        "case": one.case, "title": one.model.title, "answer": one.name, "verdict": one.verdict, "counts": one.counts, "why": why(one),
        "question": one.model.question, "ours": one.ours, "ours_low": one.low, "ours_high": one.high, "difference": one.difference,
        "division": one.division, "division_verdict": one.division_verdict, "members": one.members,
        **dict.fromkeys(("published", "low", "high", "tolerance"), math.nan),
        **dict.fromkeys(("measure", "bound", "unit", "source", "said", "published_said", "ours_said"), ""),
    }
    if answer is None:
        return found
    found |= {
        "measure": answer.measure or "", "bound": answer.bound, "unit": answer.unit, "tolerance": answer.tolerance,
        "source": "; ".join(answer.source), "said": asked(one), "published_said": published_words(one), "ours_said": our_words(one),
    }
    if said is not None:
        found |= {"published": _or_nan(said.value), "low": _or_nan(said.low), "high": _or_nan(said.high)}
    elif not isinstance(answer.value or answer.low or 0.0, int | float):
        return found
    else:
        found |= {"published": _or_nan(answer.value), "low": _or_nan(answer.low), "high": _or_nan(answer.high)}
    return found


def _or_nan(given: Any) -> float:
    return math.nan if given is None else float(given)


def asked(one: Row) -> str:
    """Return what is asked, in a few words; the question of the case where no answer is named."""
    answer = one.answer
    if answer is None or answer.title:
        return one.model.question if answer is None else answer.title
    name, measure = one.name.replace("_", " "), (answer.measure or one.name).replace("_", " ")
    text = measure if set(name.split()) <= set(measure.split()) else f"{name} ({measure})"
    return f"{answer.munition}, {text}" if len(one.model.munitions) > 1 and answer.munition not in name.split() else text


def why(one: Row) -> str:
    """Return why the verdict is what it is, and why it is not counted where it is not, in one line."""
    return " ".join(_why(one).split())


def _why(one: Row) -> str:
    if one.verdict == NOT_EXPRESSIBLE:
        return one.because
    parts = [] if one.verdict == NOT_PUBLISHED else [_compared(one)]
    if one.verdict == FAIL and one.answer is not None and one.answer.note:
        parts.append(one.answer.note)
    if not one.counts:
        parts.append(f"Not counted: {one.because[:1].lower()}{one.because[1:]}" if one.because else "")
    return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts if part)


def _compared(one: Row) -> str:
    answer = one.answer
    assert answer is not None
    unit = "month" if answer.unit == schema.DATE else answer.unit
    off = "" if not math.isfinite(one.difference) else amount(abs(one.difference), unit)
    within = f"tolerance {amount(answer.tolerance, unit)}" if answer.tolerance else "no tolerance"
    if not math.isfinite(one.difference):
        return f"Ours is {'in part ' if math.isfinite(one.ours) else ''}{no_number(one.ours + one.difference, answer)}"
    side = f"{off} {'above' if one.difference > 0 else 'below'}"
    if answer.low is not None:
        where = "is inside" if abs(one.difference) < SAME else f"{'reaches' if _is_inside(one) else 'is'} {side}"
        return f"Ours {where} the published range, {within}"
    if answer.bound != "about":
        kept = "keeps" if one.verdict == PASS else "breaks"
        beside = "at it" if abs(one.difference) < SAME else f"{'reaching ' if _is_inside(one) else ''}{side} it"
        return f"Ours {kept} the bound, {beside}, {within}"
    return f"Ours is {'the same' if abs(one.difference) < SAME else side}, {within}"


def _is_inside(one: Row) -> bool:
    """Tell whether our central value keeps a range or bound that an end of ours passes."""
    said = one.published
    assert said is not None
    if said.low is not None and said.high is not None:
        return said.low <= one.ours <= said.high
    assert said.value is not None
    return one.difference * (one.ours - said.value) < 0.0


def published_words(one: Row) -> str:
    """Return the published answer as printed."""
    answer = one.answer
    if answer is None or not answer.is_published:
        return ""
    ends = [answer.low, answer.high] if answer.low is not None else [answer.value]
    if answer.low is not None and answer.value is not None:
        return f"{plain(answer.value)} ({plain(answer.low)} to {amount(answer.high, answer.unit)})"
    return BOUNDS[answer.bound] + " to ".join([*map(plain, ends[:-1]), amount(ends[-1], answer.unit)])


def our_words(one: Row) -> str:
    """Return our answer as printed, with its range where the inputs have ranges."""
    answer = one.answer
    if answer is None or one.verdict == NOT_EXPRESSIBLE:
        return ""
    central = shown(one.ours, answer.unit, one.clock) if math.isfinite(one.ours) else no_number(one.ours, answer)
    if one.low == one.high or one.members == 1:
        return central
    if not math.isfinite(one.ours):
        return f"{central} (or from {shown(one.low, answer.unit, one.clock)})" if math.isfinite(one.low) else central
    low, high = (
        shown(end, answer.unit, one.clock, plainly=True) if math.isfinite(end) else no_number(end, answer).replace(NEVER, BEYOND)
        for end in (one.low, one.high)
    )
    return central if low == high else f"{central} ({low} to {high})"


def no_number(value: float, answer: schema.Answer) -> str:
    """Return in words what is not finite: before or after the run, or divided by nothing."""
    if math.isnan(value):
        return NO_NUMBER
    if value < 0.0:
        return BEFORE
    return NO_OUTPUT if answer.measure in OVER_OUTPUT else NEVER


def shown(value: float, unit: str, clock: Clock | None, *, plainly: bool = False) -> str:
    """Return a finite number in its unit; a day of the calendar as that."""
    if unit == schema.DATE and clock is not None:
        return str(clock.date(value).astype("datetime64[D]"))
    return plain(value) if plainly else amount(value, unit)


def amount(value: Any, unit: str) -> str:
    """Return a number with its unit."""
    text = plain(value)
    if unit in ("1", schema.DATE):
        return text
    head, *rest = unit.split("/")
    return " per ".join([f"{text} {head if text == '1' else PLURAL.get(head, head)}", *rest])


def plain(value: Any) -> str:
    """Return a number without its unit: whole where it is large, three digits or so where it is small."""
    if not isinstance(value, int | float):
        return str(value)
    if abs(value) < NOUGHT:
        return "0"
    if abs(value) >= 100.0 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.3g}"


def divided(one: Row) -> str:
    """Return what quantity divided by rate says, with whether it would have done."""
    answer = one.answer
    if answer is None or not math.isfinite(one.division):
        return ""
    text = shown(one.division, answer.unit, one.clock)
    return f"{text}, {one.division_verdict}" if one.division_verdict else text


def groups(made: Replication) -> list[tuple[str, list[Row]]]:
    """Return the answers in the groups that they are shown in, each with its heading; empty ones left out."""
    found: dict[str, list[Row]] = {
        "Not reproduced": [row for row in made.rows if row.counts and row.verdict == FAIL],
        "Reproduced": [row for row in made.rows if row.counts and row.verdict == PASS],
        "Shown, not counted": [row for row in made.rows if not row.counts and row.verdict in (PASS, FAIL)],
        "Asked": [row for row in made.rows if row.verdict == NOT_PUBLISHED],
        "Not expressible": [row for row in made.rows if row.verdict == NOT_EXPRESSIBLE],
    }
    return [(title, rows) for title, rows in found.items() if rows]


def causes(made: Replication) -> dict[str, str]:
    """Return what the file of each counted case that is not reproduced says of it, by the name of the case."""
    return {row.case: " ".join((row.model.note or "").split()) for row in made.failed if row.model.note}
