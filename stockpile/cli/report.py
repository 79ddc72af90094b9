"""``stockpile report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from stockpile.cli.options import CHOSEN, Chosen, Output, whole
from stockpile.cli.output import emit, emit_json, ending
from stockpile.errors import InputError


def report(
    scenario: str = "july_2025",
    *,
    members: str = "2000",
    output: Output = None,
    index: Annotated[Path | None, Parameter(show_default=False)] = None,
    options: Chosen = CHOSEN,
) -> None:
    """Write the report of a scenario: one page that opens in a browser, from disk, without a network.

    Parameters
    ----------
    scenario : str
        Name of a scenario, or a TOML file that describes one.
    members : str
        Number of draws, a whole number such as 2000 or 1e4; with 0 the page has central values alone.
    output : Path, optional
        The page to write, .html; SCENARIO.html in this folder where left out.
    index : Path, optional
        Instead of a report, write index.html into this folder, with links to the reports that are in it.
    """
    if index is not None:
        from stockpile.report.index import index as write_index

        page = write_index(index)
    else:
        if output:
            ending(output, (".html",), makes_folder=True)
        from stockpile.cli.progress import progress
        from stockpile.report import SEED, draws_asked
        from stockpile.report import report as render

        found = options.scenario(scenario)
        page = output or Path(f"{found.name}.html")
        shown = page.name if page.is_absolute() else str(page)
        count, seed = _count(members), SEED if options.seed is None else options.seed
        line = options.line("report", scenario, *draws_asked(count, seed), "-o", shown)
        with progress("Drawing", count) as told:
            page = render(found, page, policies=options.policies, command=line, members=count, seed=seed, progress=told)
    if options.json:
        emit_json({"page": page, "seed": options.seed})
    else:
        emit(str(page))


def _count(given: str) -> int:
    """Return how many draws are asked for."""
    count = whole(given)
    if isinstance(count, str) or count < 0:
        raise InputError.one("", f"{given!r}; allowed: a whole number from 1 on, or 0 for central values alone", file="--members")
    return count
