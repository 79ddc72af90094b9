"""Questions about where numbers come from, and how past forecasts did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stockpile.analysis.answers import Asked, Found, Row, question, records
from stockpile.analysis.catalogue import show
from stockpile.analysis.confidence import CANNOT, EVEN, GRADES, HIGH, LOW, MEDIUM, WORDS, Confidence, confidence
from stockpile.analysis.grounds import ASSUMED, WEAK, Cited, cited, figure, grades_of, unit_said
from stockpile.analysis.labels import labels
from stockpile.analysis.score_sentences import figure as reported
from stockpile.analysis.score_sentences import three, unit_words
from stockpile.analysis.wording import day, listed, rows_of, spread
from stockpile.errors import InputError
from stockpile.evidence.score import COUNTED, IN, OUT, UNKNOWN, score

if TYPE_CHECKING:
    import pandas as pd

MISSES = 3
"""Misses that are named."""
GRADED = {"measured": HIGH, "reported": HIGH, "derived": MEDIUM, ASSUMED: LOW}
"""What the grade of a single number allows."""


@question("Where does the number at {path} come from?")
def where_does_a_number_come_from(asked: Asked) -> Found:
    """Say what a parameter is, how sure, who published it when, and what other sources say."""
    path = asked.path or f"munitions.{asked.munition}.us_stock"
    shown = show(asked.scenario, path)
    if shown["kind"] == "reference":
        shown = shown["target"]
    if "points" not in shown:
        message = f"{path!r} is a {shown['kind']}, not one number; allowed: the path of a parameter, as stockpile params list shows them"
        raise InputError.one("path", message, file="answer")
    point = _in_force(shown["points"], str(asked.scenario.as_of))
    rests = cited(asked.scenario, [shown["path"]])
    called = labels(asked.scenario, [shown["path"]])[0][shown["path"]]
    value = _valued(point, shown["unit"])
    sources = point["sources"]
    from_whom = listed([f"{one['publisher']} ({_dated(one)})" for one in sources]) if sources else "no source"
    since = f" from {day(str(point['from']))} on" if point.get("from") else ""
    short = f"{called} is {value}{since}: {point['grade']}, from {from_whom}."
    more = [" ".join(point["note"].split())] if "note" in point else []
    others = [one for one in shown.get("beside", ()) if one.get("from") == point.get("from")]
    if others:
        more.append(f"Other values that stand beside it: {listed([_other(one, shown['unit']) for one in others])}.")
    numbers = {"path": shown["path"], "unit": shown["unit"]} | {key: point.get(key) for key in ("value", "low", "high", "grade", "from")}
    return Found(short, _graded(rests, sources, bool(others)), rests, more, numbers=numbers)


def _in_force(points: Sequence[Row], date: str) -> Row:
    """Return the point that holds at a date."""
    known = [one for one in points if not one.get("from") or str(one["from"]) <= date]
    return (known or list(points))[-1]


def _valued(point: Row, unit: str) -> str:
    span = f" ({figure(point['low'])} to {figure(point['high'])})" if point.get("low") is not None else ""
    return f"{figure(point['value'])}{unit_said(unit, point['value'])}{span}"


def _other(one: Row, unit: str) -> str:
    whom = listed(list(dict.fromkeys(source["publisher"] for source in one["sources"]))) or "no source"
    return f"{_valued(one, unit)} ({whom})"


def _dated(source: Row) -> str:
    text = str(source["date"])[: {"day": 10, "month": 7, "year": 4}[source["precision"]]]
    return text if len(text) == len("2025") else day(text)


def _graded(rests: Sequence[Cited], sources: Sequence[Row], disputed: bool) -> Confidence:
    """Return the confidence word of a single number: what its grade allows, a step lower where other sources give other values."""
    grade = next(iter(grades_of(rests)), ASSUMED)
    if not sources and grade == ASSUMED:
        return Confidence(CANNOT, "assumed, and no source is named", grade=grade)
    word = GRADED[grade]
    said = [f"grade: {rests[0].grade}"]
    if disputed:
        word = WORDS[max(WORDS.index(word) - 1, 0)]
        said.append("other sources give other values")
    if all(one["outlet_kind"] in WEAK for one in sources):
        said.append("weak or state-linked outlets alone, which counts as assumed")
    return Confidence(word, "; ".join(said), grade=grade)


@question("How did forecasts made as known at the date of the scenario do against what was reported since?")
def how_did_past_forecasts_do(asked: Asked) -> Found:
    """Say how many of the reported figures lie inside the range that the scenario forecast."""
    found = score(
        asked.scenario, UNKNOWN, asked.policy, members=asked.members, seed=asked.seed, engine=asked.engine, threads=asked.threads
    )
    counted = found.summary[(found.summary["standing"] == COUNTED) & (found.summary["figures"] > 0)]
    rows = {row["sample"]: row for row in records(counted)}
    kept = ("figures", "hits", "share", "share_low", "share_high")
    numbers = {name.replace(" ", "_"): {key: row[key] for key in kept} for name, row in rows.items()}
    missed = found.observations[(found.observations["standing"] == COUNTED) & ~found.observations["hit"].astype(bool)]
    more = [f"Furthest off: {listed([_missed(row) for row in rows_of(missed.head(MISSES))])}."] if len(missed) else []
    bounds = {sample: _bounds(found.observations, sample) for sample in rows}
    if OUT not in rows:
        known = f"; of what was known then, {_share(rows[IN])} lie in the range expected{bounds[IN]}" if IN in rows else ""
        short = f"nothing that was reported after {day(asked.scenario.as_of)} can be held against the run{known}."
        return Found(short, Confidence(CANNOT, "no figure out of sample"), more=more, numbers=numbers)
    own = rows[OUT]
    what = f"{_share(own)} of what was reported after {day(asked.scenario.as_of)} and can be held against the run"
    short = f"{what} lie in the range of 90 % of what the run expected to be reported{bounds[OUT]}, with campaigns drawn at random."
    if IN in rows:
        more.insert(0, f"Of what was known by then, {_share(rows[IN])} do{bounds[IN]}.")
    grades = sorted(set(found.observations.loc[found.observations["standing"] == COUNTED, "grade"]), key=GRADES.index)
    close = bool(own["share_low"] <= EVEN <= own["share_high"])
    sure = confidence(agreement=max(own["share"], 1 - own["share"]), grades=grades[-1:], close=close, of="figures")
    return Found(short, sure, more=more, numbers=numbers)


def _share(row: Row) -> str:
    return f"{row['hits']:.0f} of {row['figures']:.0f} figures, {spread(row['share'], row['share_low'], row['share_high'], '1')},"


def _bounds(observations: pd.DataFrame, sample: str) -> str:
    """Return how many of the counted figures are inequalities: those lie in no range, and hold with some probability or do not."""
    own = observations[(observations["sample"] == sample) & (observations["standing"] == COUNTED)]
    bounds = int((own["statement"] != "about").sum())
    return f" ({bounds} of the {len(own)} are inequalities, which are easier to meet)" if bounds else ""


def _missed(row: Any) -> str:
    return f"{row.title} (reported {reported(row)}, expected {three(row.median)} {unit_words(row.unit)})"
