"""``stockpile materiality``: how much each policy and event moves, beside stock, output and need."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from stockpile.cli import asking
from stockpile.cli import output as out
from stockpile.cli.answers import table
from stockpile.cli.asking import SEVERAL, Answer, Several, deliver
from stockpile.cli.options import Output, Repeatable, separated

if TYPE_CHECKING:
    from stockpile.analysis.materiality import Materiality

SCENARIO = "july_2025"
BRACKETS = "In brackets: 5 to 95 % of the draws, how far the uncertain inputs let a number move."


def materiality(
    scenario: str = SCENARIO,
    *,
    munition: Annotated[tuple[str, ...], Repeatable] = (),
    members: str = "400",
    output: Output = None,
    options: Several = SEVERAL,
) -> None:
    """Print how much each policy and event moves, beside the US stock, the line's output, the largest demand and the recipients' need.

    Parameters
    ----------
    scenario : str
        Name of a scenario, or a TOML file that describes one.
    munition : str, optional
        Munitions by name, repeated or separated by commas; the scenario's own where left out.
    members : str
        Draws, the same for all policies.
    output : Path, optional
        File to write: .json for everything, .csv or .parquet for the table.
    """
    from stockpile.analysis.materiality import materiality as work_out
    from stockpile.analysis.materiality_sentences import of_materiality
    from stockpile.cli.progress import progress

    if output:
        out.ending(output, asking.FILES)
    found = options.scenario(scenario)
    work = options.work(members)
    chosen = separated(munition, "munition", "--munition") or None
    asking.check("materiality", found, work, options.policies)
    with progress("Drawing", work["members"]) as told:
        made = work_out(found, options.policies, chosen, **work, progress=told)
    said = of_materiality(made, found)
    text = made.table.assign(**{name: made.table[name].map(_date) for name in ("start", "end") if name in made.table})
    deliver(Answer(found, made.manifest, said, {}, {"table": text}, partial(show, made), BRACKETS), output, as_json=options.json)


def _date(value: Any) -> str | None:
    """Return a date as text; None for the end of the run."""
    from stockpile.analysis.wording import missing

    return None if missing(value) else str(value)


def show(made: Materiality) -> None:
    """Print the tables, munition by munition."""
    from stockpile.analysis.materiality_sentences import change, need, percent, plain, rounds
    from stockpile.analysis.wording import rows_of

    rows = rows_of(made.table)
    for munition in made.manifest["munitions"]:
        cells = [
            [
                row.name, row.kind, rounds(row, "rounds"), percent(row, "of_stock"), plain(row, "output_days"), percent(row, "of_largest"),
                need(row), change(row, "change_at_end") if row.kind == "policy" else "",
                change(row, "change_at_horizon") if row.kind == "policy" else "", row.word,
            ]
            for row in rows
            if row.munition == munition
        ]
        columns = ["policy or event", "kind", "rounds", "of the US stock", "days of\noutput", "of the largest\ndemand", "months of\nneed"]
        columns += ["change in US stock\nat its end", "at the end\nof the run", "word"]
        if cells:
            table(f"{munition}: rounds moved, and what they are beside", columns, cells, numbers=columns[2:9])
