"""Where a probability crosses a level, in sentences made from the numbers of `stockpile.analysis.break_even`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stockpile.analysis.crossing import ALWAYS, NEVER
from stockpile.analysis.wording import CLOSE, Names, Row, capital, listed, missing, plain, rounded, rows_of, spread

if TYPE_CHECKING:
    import pandas as pd

    from stockpile.analysis.break_even import BreakEven
    from stockpile.scenario import Scenario


def of_break_even(found: BreakEven, scenario: Scenario | None = None) -> list[str]:
    """Say where a probability crosses a level: at which value of the lever, never, always, or too close to call.

    Parameters
    ----------
    found : BreakEven
    scenario : Scenario, optional
        Whose titles are used; names as in the files where left out.
    """
    names = Names.of(found.manifest, scenario)
    steps = list(dict.fromkeys(None if missing(value) else value for value in found.crossings["over"]))
    every = [_break_even(found, step, names) for step in steps]
    return every if found.over is None else [_break_even_over(found, steps, names), *every]


def is_close(row: Mapping[Hashable, Any]) -> bool:
    """Tell whether it is too close to call what a row of crossings says: the level may lie within the error at all values tried."""
    crosses = row["verdict"] not in (NEVER, ALWAYS)
    return not row["sure"] or (crosses and missing(row["low"]) and missing(row["high"]))


def _of_step(frame: pd.DataFrame, step: Hashable) -> pd.DataFrame:
    return frame[[missing(value) if step is None else value == step for value in frame["over"]]]


def _break_even(found: BreakEven, step: Hashable, names: Names) -> str:
    crossings = _of_step(found.crossings, step).to_dict("records")
    curve = rows_of(_of_step(found.curve, step))
    level, verdict = _level(found), crossings[0]["verdict"]
    where = "" if step is None else f", with {names.path(str(found.over))} at {names.valued(str(found.over), step)},"
    what = f"the chance that {names.event(found.outcome)} under {names.policy(found.policy)}{where}"
    tried = f"{names.path(found.lever)} from {plain(curve[0].lever)} to {names.valued(found.lever, curve[-1].lever)}"
    highest, lowest = (find(curve, key=lambda row: row.probability) for find in (max, min))
    if is_close(crossings[0]):
        span = f"runs from {_point(lowest, found, names)} to {_point(highest, found, names)}"
        if lowest.probability == highest.probability:
            span = f"is {spread(lowest.probability, lowest.low, lowest.high, '1')} at all values"
        asked = {NEVER: f"Whether {what} ever reaches", ALWAYS: f"Whether {what} is ever below"}
        return f"{asked.get(verdict, f'Whether and where {what} crosses')} {level} is {CLOSE}: it {span}; {tried}."
    if verdict == NEVER:
        return f"{capital(what)} never reaches {level}; it is at most {_point(highest, found, names)}; {tried}."
    if verdict == ALWAYS:
        return f"{capital(what)} is always at or above {level}; it is at least {_point(lowest, found, names)}; {tried}."
    places = [f"{row['direction']} through {level} at {_crossing(row, found, names)}" for row in crossings]
    return f"{capital(what)} goes {listed(places)}; {tried}."


def _level(found: BreakEven) -> str:
    return f"{100.0 * found.level:g} %"


def _point(row: Row, found: BreakEven, names: Names) -> str:
    return f"{spread(row.probability, row.low, row.high, '1')} at {names.valued(found.lever, row.lever)}"


def _crossing(row: Mapping[Hashable, Any], found: BreakEven, names: Names) -> str:
    """Return where a curve crosses, with the range of its Monte Carlo error."""
    low, high = ("" if missing(row[end]) else _digits(row, row[end]) for end in ("low", "high"))
    ends = f"{low} to {high}" if low and high else f"{high} or less" if high else f"{low} or more"
    return f"{_digits(row, row['value'])}{_unit(row, found, names)} ({ends})"


def _digits(row: Mapping[Hashable, Any], value: Any) -> str:
    """Return a value of the lever with no more digits than the range of the crossing supports, or the step of the lever."""
    if isinstance(value, dt.date):
        return plain(value)
    low, high = (row["from"], row["to"]) if missing(row["low"]) or missing(row["high"]) else (row["low"], row["high"])
    return rounded(value, high - low)


def _unit(row: Mapping[Hashable, Any], found: BreakEven, names: Names) -> str:
    return names.valued(found.lever, row["value"]).removeprefix(plain(row["value"]))


def _break_even_over(found: BreakEven, steps: Sequence[Hashable], names: Names) -> str:
    """Say at how many values of the second lever the probability crosses the level, and at how many it never does."""
    first = [_of_step(found.crossings, step).to_dict("records")[0] for step in steps]
    sure = [row["verdict"] for row in first if not is_close(row)]
    counts = {
        "crosses it": sum(verdict not in (NEVER, ALWAYS) for verdict in sure),
        "never reaches it": sure.count(NEVER),
        "is always at or above it": sure.count(ALWAYS),
        f"is {CLOSE}": len(first) - len(sure),
    }
    said = [f"{verb} at {count}" for verb, count in counts.items() if count]
    every = found.crossings.to_dict("records")
    crossed = sorted((row for row in every if not is_close(row) and not missing(row["value"])), key=lambda row: row["value"])
    where = ""
    if len(crossed) > 1:
        least, most = crossed[0], crossed[-1]
        where = f"; the crossings lie from {_digits(least, least['value'])} to {_digits(most, most['value'])}{_unit(most, found, names)}"
    chance = f"the chance that {names.event(found.outcome)} under {names.policy(found.policy)}"
    return (
        f"Held against {_level(found)} as {names.path(found.lever)} moves, {chance} {listed(said)} of the {len(steps)} values of "
        f"{names.path(str(found.over))}{where}."
    )
