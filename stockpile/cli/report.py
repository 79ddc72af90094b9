"""``stockpile report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from stockpile.cli.options import CHOSEN, Chosen, Flag, Output, whole
from stockpile.cli.output import emit, emit_json, ending, note
from stockpile.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stockpile.report.workbench.pages import Analysed

MEMBERS = "2000"


def report(
    scenario: str = "july_2025",
    *,
    members: str | None = None,
    output: Output = None,
    metric: Annotated[str | None, Flag] = None,
    workbench: Annotated[Path | None, Flag] = None,
    index: Annotated[Path | None, Parameter(show_default=False)] = None,
    options: Chosen = CHOSEN,
) -> None:
    """Write the report of a scenario, or of a sweep: one page that opens in a browser, from disk, without a network.

    Parameters
    ----------
    scenario : str
        Name of a scenario, or a TOML file that describes one; or the folder of a sweep.
    members : str, optional
        Number of draws, a whole number such as 2000 or 1e4, 2000 where left out; with 0 the page has central values alone.
    output : Path, optional
        The page to write, .html; SCENARIO.html in this folder where left out.
    metric : str, optional
        Of a sweep: what is shown, as total_unmet:ukraine; the first date below the floor assumed here where left out.
    workbench : Path, optional
        TOML file of questions: the page has their answers (sweep, sensitivity, break-even, trade-off, robustness, discovery).
    index : Path, optional
        Instead of a report, write index.html into this folder, with links to the reports that are in it.
    """
    if index is not None:
        from stockpile.report.index import index as write_index

        page = write_index(index)
    else:
        if output:
            ending(output, (".html",), makes_folder=True)
        if workbench is None and Path(scenario).is_dir():
            page = _of_sweep(Path(scenario), members, metric, output, options)
        elif workbench is not None:
            page = _of_questions(workbench, scenario, members, metric, output, options)
        else:
            page = _of_scenario(scenario, members, metric, output, options)
    if options.json:
        emit_json({"page": page, "seed": options.seed})
    else:
        emit(str(page))


def _refused(given: dict[str, object], why: str) -> None:
    """Refuse options that mean nothing here, all together."""
    wrong = [option for option, value in given.items() if value]
    if wrong:
        raise InputError(Problem(option, 0, 0, "", why) for option in wrong)


def _of_scenario(scenario: str, members: str | None, metric: str | None, output: Path | None, options: Chosen) -> Path:
    from stockpile.cli.progress import progress
    from stockpile.report import SEED, draws_asked
    from stockpile.report import report as render

    _refused({"--metric": metric}, "is of a sweep; allowed: with the folder of a sweep")
    found = options.scenario(scenario)
    page = output or Path(f"{found.name}.html")
    count, seed = _count(members or MEMBERS), SEED if options.seed is None else options.seed
    line = options.line("report", scenario, *draws_asked(count, seed), "-o", _shown(page))
    with progress("Drawing", count) as told:
        return render(found, page, policies=options.policies, command=line, members=count, seed=seed, progress=told)


def _of_sweep(folder: Path, members: str | None, metric: str | None, output: Path | None, options: Chosen) -> Path:
    from stockpile.sweep.opened import open_sweep

    made = "the sweep decides it; allowed: the folder, --metric, --policy and --params"
    _refused({"--members": members, "--seed": options.seed is not None, "--set": options.set}, made)
    page = output or Path(f"{folder.resolve().name}.html")
    words = ["--metric", metric] if metric else []
    line = options.line("report", folder.resolve().name, *words, "-o", _shown(page))
    return _render([open_sweep(folder)], page, line, options, metric)


def _of_questions(file: Path, scenario: str, members: str | None, metric: str | None, output: Path | None, options: Chosen) -> Path:
    from stockpile.report.workbench import plan
    from stockpile.scenario import load

    said = "the file of questions decides it; allowed: the scenario, --set and --params"
    _refused({"--members": members, "--seed": options.seed is not None, "--policy": options.policy, "--metric": metric}, said)
    asked, found = plan.read(file), options.scenario(scenario)
    page = output or Path("workbench.html")
    shown = file.name if file.is_absolute() else str(file)
    line = options.line("report", scenario, "--workbench", shown, "-o", _shown(page))
    results = plan.results(asked, found, lambda name: load(name, params=options.params), lambda name: note(f"asking: {name}"))
    return _render(results, page, line, options)


def _render(results: Sequence[Analysed], page: Path, line: str, options: Chosen, metric: str | None = None) -> Path:
    from stockpile.report import report as render

    return render(results, page, policies=options.policies, command=line, metric=metric, params=options.params)


def _shown(page: Path) -> str:
    """Return a page as the command line in it names it: no folder of this machine."""
    return page.name if page.is_absolute() else str(page)


def _count(given: str) -> int:
    """Return how many draws are asked for."""
    count = whole(given)
    if isinstance(count, str) or count < 0:
        raise InputError.one("", f"{given!r}; allowed: a whole number from 1 on, or 0 for central values alone", file="--members")
    return count
