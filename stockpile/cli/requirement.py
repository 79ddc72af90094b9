"""``stockpile requirement``: the public version of the table that 10 U.S.C. 222c asks for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from stockpile.cli import asking
from stockpile.cli import output as out
from stockpile.cli.answers import table
from stockpile.cli.asking import SEED, Answer, deliver
from stockpile.cli.options import RESOLVED, Output, Repeatable, Resolved, separated, whole

if TYPE_CHECKING:
    from stockpile.analysis.requirement import Requirement

SCENARIO = "november_2026"
BOUND = "In brackets: 5 to 95 % of the draws, how far the uncertain inputs let a number move."


def requirement(
    scenario: str = SCENARIO,
    *,
    by: str = "FY2031",
    munition: Annotated[tuple[str, ...], Repeatable] = (),
    members: str = "1000",
    output: Output = None,
    options: Annotated[Resolved, Parameter(name="*")] = RESOLVED,
) -> None:
    """Print the requirement sheet: stock, what is lacking, years to reach it, and what to buy a year to be there by a date.

    Parameters
    ----------
    scenario : str
        Name of a scenario, or a TOML file that describes one.
    by : str
        A fiscal year such as FY2031 (its end), or the first of a month such as 2031-10-01.
    munition : str, optional
        Munitions by name, repeated or separated by commas; the scenario's own where left out.
    members : str
        Draws.
    output : Path, optional
        File to write: .json for everything, .csv or .parquet for the years by requirement and rate.
    """
    from stockpile.analysis.requirement import requirement as work_out
    from stockpile.analysis.requirement_sentences import of_requirement
    from stockpile.cli.progress import progress

    if output:
        out.ending(output, asking.FILES)
    found = options.scenario(scenario)
    chosen = separated(munition, "munition", "--munition") or None
    seed = SEED if options.seed is None else options.seed
    with progress("Working out", len(chosen or found.munitions), "munitions") as told:
        given: Any = whole(members)
        made = work_out(found, chosen, by, members=given, seed=seed, progress=told)
    frames = {name: getattr(made, name) for name in ("years", "sheet", "by_date", "purchases", "rates")}
    said = of_requirement(made, found)
    answer = Answer(found, made.manifest, said, {"by": str(made.by)}, frames, partial(show, made), BOUND)
    deliver(answer, output, as_json=options.json)


def show(made: Requirement) -> None:
    """Print the tables, munition by munition."""
    from stockpile.analysis.wording import rows_of

    for munition in made.manifest["munitions"]:
        own = {
            name: [row for row in rows_of(getattr(made, name)) if row.munition == munition]
            for name in ("sheet", "years", "by_date", "purchases", "rates")
        }
        _sheet(munition, own["sheet"])
        _years(munition, own["years"])
        _by_date(munition, own["by_date"], made)
        _rates(munition, own["rates"])


def _sheet(munition: str, rows: list[Any]) -> None:
    from stockpile.analysis.requirement_sentences import NOT_PUBLISHED, missing, rounds

    cells = [
        [
            NOT_PUBLISHED if missing(row.requirement) else f"{row.requirement}, {row.variant}",
            "" if missing(row.counts) else row.counts, *(rounds(row, name) for name in ("level", "stock", "short")),
        ]
        for row in rows
    ]
    columns = ["requirement", "counts", "rounds", "US stock", "short"]
    table(f"{munition}: requirement, US stock and what is lacking, in rounds", columns, cells)


def _years(munition: str, rows: list[Any]) -> None:
    from stockpile.analysis.requirement_sentences import NOT_PUBLISHED, RATES_SAID, by_rate, rounds, years

    if not rows:
        out.emit(f"{munition}: rate requested and three-year average {NOT_PUBLISHED}, so no years.\n")
        return
    cells = [
        [f"{first.requirement}, {first.variant}", first.rate, rounds(first, "rounds"), years(first, "naive"), *map(years, ways)]
        for first, ways in by_rate(rows)
    ]
    columns = ["requirement", "rate", "rounds\na year", "short / rate,\nno lead time", "with lead time,\nuse and losses"]
    columns += ["and limited\nby the line", "and no transfers,\nno line limit"]
    title = f"{munition}: years to reach it, transfers to recipients as under the policy none; {RATES_SAID}"
    table(title, columns, cells, numbers=columns[2:])


def _by_date(munition: str, rows: list[Any], made: Requirement) -> None:
    from stockpile.analysis.requirement_sentences import money, percent, rounds

    shown = [row for row in rows if row.too_late < 1.0 or row.cannot >= 1.0]
    cells = [
        [
            f"{row.requirement}, {row.variant}", str(row.fiscal_year), rounds(row, "rounds"), money(row), percent(row.cannot),
            percent(row.line_can),
        ]
        for row in shown
    ]
    year = made.manifest["money_year"]
    columns = ["requirement", "fiscal\nyear", "rounds", f"billion\ndollars of {year}", "cannot be\ndelivered", "line\ncan"]
    table(f"{munition}: what to buy a fiscal year to be there by {made.by}; shares of the draws", columns, cells, numbers=columns[1:])


def _rates(munition: str, rows: list[Any]) -> None:
    cells = [
        [
            row.state, str(row.last) if row.first == row.last else f"{row.first}-{row.last}",
            out.span(row.rounds_low, row.rounds_high) or out.number(row.rounds),
            "disputed" if row.disputed else "at least" if row.at_least else "", row.observations,
        ]
        for row in rows
    ]
    if cells:
        columns = ["state", "fiscal year", "rounds", "", "observations"]
        table(f"{munition}: what is published of purchases", columns, cells, numbers=["rounds"])
