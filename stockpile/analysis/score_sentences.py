"""What a score found, in sentences made from its numbers: misses are named before anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.analysis.wording import Names, Row, capital, day, listed, missing, rounded, rows_of
from stockpile.evidence import balance
from stockpile.evidence.score import ASIDE, CLOSES, CONFLICT, COUNTED, GIVEN, IN, INPUT, OUT, UNKNOWN

if TYPE_CHECKING:
    import pandas as pd

    from stockpile.evidence.score import Score
    from stockpile.scenario import Scenario

NAMED = 4
"""Most misses that a sentence names one by one."""
FEW = 30
"""Fewer values than this say little about intervals."""
WAYS = {UNKNOWN: "campaigns unknown", GIVEN: "campaigns given"}
MEANING = {
    UNKNOWN: "a forecast: operations after the date of knowledge are drawn at random, and only events known then are in it",
    GIVEN: "no forecast: events that became known later are put in and random operations left out, to see whether the bookkeeping holds",
}
STATEMENTS = {"about": "", "at_least": "at least ", "at_most": "at most "}


def of_score(found: Score, scenario: Scenario | None = None) -> list[str]:
    """Say how many figures hit and which missed, each way, out of sample and in sample.

    Parameters
    ----------
    found : Score
    scenario : Scenario, optional
        For the names of munitions; without it they are called as in the files.

    Returns
    -------
    list of str
        The first sentence is the headline; the last has the digests of parameters and observations.
    """
    ways = list(found.manifest["ways"])
    tallies = [said for sample in (OUT, IN) for way in ways if (said := _tally(found, way, sample))]
    if not tallies:
        return [f"Nothing that was reported can be held against {found.manifest['scenario']}.", *_left_out(found), digests(found)]
    shown = [*_inputs(found), *_shown_only(found), *balances(found, scenario), *_left_out(found)]
    return [*tallies, *_coverage(found), *shown, digests(found)]


def _tally(found: Score, way: str, sample: str) -> str:
    frame = found.observations
    rows = rows_of(frame[(frame["campaigns"] == way) & (frame["sample"] == sample) & (frame["standing"] == COUNTED)])
    if not rows:
        return ""
    known = day(found.manifest["as_of"])
    which = f"published after {known}" if sample == OUT else f"published by {known} on which no parameter rests"
    missed = [row for row in rows if not row.hit]
    bounds = sum(row.statement != "about" for row in rows)
    among = f" ({bounds} of the {len(rows)} are inequalities, which are easier to meet)" if bounds else ""
    head = f"{capital(sample)}, {WAYS[way]}: {len(rows) - len(missed)} of {len(rows)} figures {which} hit{among}"
    if not missed:
        return f"{head}; none missed."
    said = [_miss(row) for row in missed[:NAMED]]
    more = len(missed) - len(said)
    return f"{head}; missed: {'; '.join(said)}{f'; and {more} more' if more else ''}."


def _miss(row: Row) -> str:
    if row.statement == "about":
        return f"{row.title} (reported {figure(row)}, 90 % interval {interval(row)} {unit_words(row.unit)})"
    return f"{row.title} (reported {figure(row)} {unit_words(row.unit)}, holds with probability {100 * row.probability:.1f} %)"


def figure(row: Row) -> str:
    """Return what was reported, with its inequality."""
    if row.statement == "between":
        return f"between {_number(row.low)} and {_number(row.high)}"
    return f"{STATEMENTS[row.statement]}{_number(row.value)}"


def unit_words(unit: str) -> str:
    """Return a unit as it stands after a number."""
    return unit.replace("round/", "rounds a ") if "/" in unit else f"{unit}s"


def interval(row: Row, low: str = "q05", high: str = "q95") -> str:
    """Return a predictive interval."""
    return f"{three(getattr(row, low))} to {three(getattr(row, high))}"


def three(value: float) -> str:
    """Return a number with three significant digits, without zeros behind the point."""
    return _number(float(f"{value:.3g}"))


def _number(value: float) -> str:
    return f"{value:,.10g}"


def _coverage(found: Score) -> list[str]:
    said = []
    for row in rows_of(found.coverage[found.coverage["level"] > 0.5]):
        few = ", too few to judge intervals by, and of the same few stocks and lines" if row.figures < FEW else ""
        said.append(
            f"{capital(row.sample)}, {WAYS[row.campaigns]}: the 90 % intervals hold {row.inside} of {row.figures} values "
            f"(95 % interval of the share {100 * row.share_low:.0f} to {100 * row.share_high:.0f} %, if they were independent){few}."
        )
    return said


def _inputs(found: Score) -> list[str]:
    rows = rows_of(found.summary[found.summary["standing"] == INPUT])
    parts = [f"{row.hits} of {row.figures} {row.sample}, {WAYS[row.campaigns]}" for row in rows]
    if not parts:
        return []
    return [f"Figures that a parameter rests on, whose hit says only that the bookkeeping holds, are counted apart: {'; '.join(parts)}."]


def _shown_only(found: Score) -> list[str]:
    frame = found.observations
    reasons = (
        (CONFLICT, "in conflict with another figure and undecided"),
        (ASIDE, "set aside beside another figure"),
        (CLOSES, "where the use before is known only as a residual"),
    )
    counts = [(frame[frame["standing"] == standing]["name"].nunique(), why) for standing, why in reasons]
    parts = [f"{count} {why}" for count, why in counts if count]
    said = [f"Shown with a verdict and in no total: {listed(parts)}."] if parts else []
    closing = rows_of(frame[(frame["standing"] == CLOSES) & (frame["campaigns"] == _last_way(found))])
    said += [f"{row.title}: {needed(row)} used besides would close the gap to the model; they are not fed back." for row in closing]
    return said


def needed(row: Row) -> str:
    """Return the use that would close the gap to a stock."""
    low, high = row.residual_low, row.residual_high
    width = max(abs(high), abs(low)) / 4
    return f"{rounded(low, width)} to {rounded(high, width)} {unit_words(row.unit)}"


def _last_way(found: Score) -> str:
    return str(list(found.manifest["ways"])[-1])


def main_balance(found: Score) -> pd.DataFrame:
    """Return the rows of the mass balance that are printed: with campaigns given where both ways were worked out."""
    return found.balance[found.balance["campaigns"] == _last_way(found)]


def balances(found: Score, scenario: Scenario | None = None) -> list[str]:
    """Say of each pair of snapshots in use what it implies, and whether the published use closes it."""
    said = []
    names = Names.of(found.manifest, scenario)
    frame = main_balance(found)
    for row in rows_of(frame[~frame["set_aside"].astype(bool)]):
        width = (row.implied_high - row.implied_low) / 4
        text = (
            f"{day(row.start)} to {day(row.end)}, {names.munition(row.munition)}: published stocks and the model's deliveries and "
            f"transfers imply a use of {rounded(row.implied_low, width)} to {rounded(row.implied_high, width)} rounds"
        )
        if missing(row.use_low):
            text += f"; {row.verdict}"
        else:
            text += f"; published {published_use(row)}: {row.verdict}"
        doubts = [*(["a figure is in conflict"] if row.in_conflict else []), *([_circular(row)] if row.derived else [])]
        said.append(f"{text}{f' ({listed(doubts)})' if doubts else ''}.")
    return said


def _circular(row: Row) -> str:
    closes = " and may close by construction" if row.verdict == balance.CLOSES else ""
    count = row.derived.count(";") + 1
    return f"{count} of the figures {'is' if count == 1 else 'are'} worked out from others{closes}"


def published_use(row: Row) -> str:
    """Return a published use with its range; nothing where there is none."""
    if missing(row.use_low):
        return ""
    if row.use_high == float("inf"):
        return f"at least {rounded(row.use_low, 0.0)}"
    low, high = rounded(row.use_low, 0.0), rounded(row.use_high, 0.0)
    return low if low == high else f"{low} to {high}"


def _left_out(found: Score) -> list[str]:
    count = len(found.left_out)
    total = found.manifest["observations"]
    return [f"{count} of {total} observations are compared with nothing, each for a reason that is listed."] if count else []


def digests(found: Score) -> str:
    """Return the line by which a frozen forecast is told from one that was changed afterwards."""
    return f"Frozen: parameters {found.manifest['parameters']}, observations {found.manifest['ledger']}."
