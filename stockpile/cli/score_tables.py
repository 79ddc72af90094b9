"""The tables of ``stockpile score``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.analysis.score_sentences import MEANING, WAYS, figure, interval, main_balance, published_use, three
from stockpile.analysis.wording import Row, rows_of
from stockpile.cli import answers
from stockpile.cli import output as out
from stockpile.evidence.score import IN, OUT

if TYPE_CHECKING:
    import pandas as pd

    from stockpile.evidence.score import Score

NUMBERS = ("reported", "median", "50 % interval", "90 % interval", "error", "error\nin %", "CRPS", "PIT", "holds\nin %")
BOUND = {"about": "", "at_least": "≥ ", "at_most": "≤ "}


def observations(frame: pd.DataFrame, digest: str) -> None:
    """Print the ledger."""
    columns = ["name", "date", "published", "value", "unit", "scope", "fits", "conflict", "compared with, or why not"]
    cells = [
        [
            row.name, str(row.date), row.published, f"{BOUND[row.bound]}{out.number(row.value)}", row.unit,
            f"{row.state.replace('_', ' ')} of {row.owner}", row.match, row.conflict, row.compared_with or row.because,
        ]
        for row in rows_of(frame)
    ]
    answers.table(f"Observations, digest {digest}", columns, cells, numbers=["value"])


def tables(made: Score) -> None:
    """Print what a score found: each way, out of sample and in sample apart, then totals, balance and what was not compared."""
    known = made.manifest["as_of"]
    frame = made.observations
    for way in made.manifest["ways"]:
        out.emit(f"{WAYS[way].capitalize()}: {MEANING[way]}.")
        added = made.manifest["ways"][way]["events_put_in"]
        if added:
            out.emit(f"Events put in: {', '.join(added)}.")
        out.emit("")
        for sample, title in ((OUT, f"Out of sample, published after {known}"), (IN, f"In sample, published by {known}")):
            own = frame[(frame["campaigns"] == way) & (frame["sample"] == sample)]
            if len(own):
                _observations(f"{title}; {WAYS[way]}", own)
    if len(frame):
        _totals(made)
        _kinds(made)
    _balance(made)
    _percentages(made)
    _left_out(made)


def _observations(title: str, own: pd.DataFrame) -> None:

    columns = ["verdict", "stands as", "observation", "date", "unit", *NUMBERS]
    cells = [_observation(row) for row in rows_of(own)]
    answers.table(title, columns, cells, numbers=["verdict", *NUMBERS])


def _observation(row: Row) -> list[str]:
    return [
        "hit" if row.hit else "MISS",
        row.standing,
        row.name,
        row.date,
        row.unit,
        figure(row),
        three(row.median),
        interval(row, "q25", "q75"),
        interval(row),
        three(row.error),
        _percent(row.relative_error),
        answers.value(row.crps, three),
        answers.value(row.pit, lambda found: f"{found:.2f}"),
        answers.value(row.probability, lambda found: f"{100 * found:.0f}"),
    ]


def _percent(value: float) -> str:
    return answers.value(value, lambda found: f"{100 * found:+.0f}")


def _share(row: Row) -> str:
    return f"{100 * row.share:.0f} ({100 * row.share_low:.0f} to {100 * row.share_high:.0f})"


def _totals(made: Score) -> None:
    columns = ["campaigns", "sample", "stands as", "figures", "hits", "misses", "hits in %"]
    cells = [
        [row.campaigns, row.sample, row.standing, str(row.figures), str(row.hits), str(row.misses), _share(row)]
        for row in rows_of(made.summary)
    ]
    answers.table("Hits and misses; only what stands as counted is a test", columns, cells, numbers=columns[3:])
    columns = ["campaigns", "sample", "interval", "values", "inside", "inside in %"]
    cells = [
        [row.campaigns, row.sample, f"{100 * row.level:.0f} %", str(row.figures), str(row.inside), _share(row)]
        for row in rows_of(made.coverage)
    ]
    if cells:
        answers.table("Coverage of the intervals, counted values alone: few, and not independent", columns, cells, numbers=columns[2:])
    columns = ["campaigns", "sample", "PIT", "values", "expected"]
    cells = [
        [row["campaigns"], row["sample"], f"{row['from']:g} to {row['to']:g}", str(row["figures"]), f"{row['expected']:.1f}"]
        for row in made.pit.to_dict("records")
    ]
    if cells:
        answers.table("Where the counted values lie in what was predicted", columns, cells)


def _kinds(made: Score) -> None:
    columns = ["campaigns", "sample", "stands as", "kind", "figures", "hits", "values", "in 50 %", "in 90 %", "mean error\nin %"]
    columns += ["mean size of\nerror in %"]
    cells = [
        [
            row.campaigns, row.sample, row.standing, row.kind, str(row.figures), str(row.hits), str(row.values), str(row.inside50),
            str(row.inside90), _percent(row.relative_error), answers.value(row.absolute_relative_error, lambda found: f"{100 * found:.0f}"),
        ]
        for row in rows_of(made.kinds)
    ]
    answers.table("Production, transfers, use and stocks apart, so that errors that cancel are seen", columns, cells, numbers=columns[4:])


def _balance(made: Score) -> None:

    def ends(row: Row, name: str) -> str:
        low, high = getattr(row, f"{name}_low"), getattr(row, f"{name}_high")
        return out.rounds(low) if low == high else f"{out.rounds(low)} to {out.rounds(high)}"

    columns = ["munition", "from", "to", "stock\nbefore", "stock\nafter", "delivered\nto the US", "transfers", "inflow\nless losses"]
    columns += ["use\nimplied", "use\npublished", "days\ncovered", "residual", "verdict", "mind"]
    cells = [
        [
            row.munition, row.start, row.end, ends(row, "from"), ends(row, "to"), ends(row, "deliveries"), ends(row, "transfers"),
            ends(row, "other"), ends(row, "implied"), published_use(row),
            f"{100 * row.covers:.0f} %", ends(row, "residual"), row.verdict, _mind(row),
        ]
        for row in rows_of(main_balance(made))
    ]
    if cells:
        answers.table("Mass balance of published US stocks, rounds; nothing of it is fed back", columns, cells, numbers=columns[1:12])


def _mind(row: Row) -> str:
    said = ["in conflict"] * bool(row.in_conflict) + ["set aside"] * bool(row.set_aside) + ["worked out from others"] * bool(row.derived)
    return ", ".join(said)


def _percentages(made: Score) -> None:
    columns = ["percentage", "date", "of what", "per cent", "of", "rounds"]
    cells = [
        [row.name, row.date, row.denominator, f"{100 * row.share:g}", out.rounds(row.of), out.rounds(row.rounds)]
        for row in rows_of(made.denominators)
    ]
    if cells:
        answers.table("Percentages under each of their denominators", columns, cells, numbers=columns[3:])


def _left_out(made: Score) -> None:
    cells = [[row.name, str(row.munition), row.published, row.because] for row in rows_of(made.left_out)]
    if cells:
        answers.table("Not compared, and why", ["observation", "of", "published", "why"], cells, numbers=())
