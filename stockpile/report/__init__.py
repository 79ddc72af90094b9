"""Pages for readers: one self-contained HTML file a scenario, or of the workbench's results, and an index of them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stockpile import scenario as scenarios
from stockpile import simulate
from stockpile.ensembles.result import Ensemble
from stockpile.ensembles.run import Progress, ensemble
from stockpile.errors import InputError
from stockpile.report.index import index
from stockpile.report.page import render
from stockpile.report.study import BASELINE, Study, scenario_of, study_of
from stockpile.results import Result, write_text
from stockpile.scenario import Scenario

if TYPE_CHECKING:
    from stockpile.report.workbench.pages import Analysed, Wanted

__all__ = ["index", "report"]
SEED = 1
"""Seed of the draws where none is given."""
FOLLOWED = ("us_on_hand",)
"""What a page follows over time; everything else of the draws it reads from metrics."""


def report(  # noqa: PLR0913 - the names that users give
    source: Scenario | Result | Ensemble | Analysed | Sequence[Analysed],
    path: str | Path,
    policies: Sequence[str] | None = None,
    command: str | None = None,
    *,
    members: int = 0,
    seed: int = SEED,
    progress: Progress | None = None,
    metric: str | None = None,
    params: Sequence[str | Path] = (),
) -> Path:
    """Write the page of a scenario, or of results of the workbench, to one self-contained HTML file.

    Parameters
    ----------
    source : Scenario, Result, Ensemble, Sweep, Sensitivity, BreakEven, Frontier, Robust, Discovery, or a list of the last six
        A scenario, which is run; or a result of `sp.run` (central values) or `sp.ensemble`, whose scenario is loaded again by its
        name, since a result does not carry its sources. Or a sweep, or what a question of the workbench gives; a list of these makes
        one page with a section each. Titles, units and own values are then of the scenario loaded by its name, where it has not changed
        since; else names stand as in the files.
    path : str or Path
        File to write. It is written under a temporary name and renamed. Its folder is made if it is not there.
    policies : sequence of str, optional
        Names of policies; the scenario's own where left out. `none` is added in front, to compare with, if the scenario has it.
        Of a sweep, those that are shown; the one that is varied, or the first, where left out.
    command : str, optional
        The command that makes the page again, printed in its footer.
    members, seed : int
        Number of draws of a scenario, and their seed; with 0 the page has central values alone.
    progress : callable, optional
        Is called with the number of members done.
    metric : str, optional
        Of a sweep: what is shown, a metric of the US or one of a recipient as ``total_unmet:ukraine``; the first date at which the US
        stock is below the floor assumed here where left out.
    params : sequence of folders, optional
        Laid over the shipped parameters when the scenario of a sweep or question is loaded.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        As `sp.run` and `sp.ensemble`; for a result whose scenario has changed since, or that has more than one member; for an ensemble
        that did not follow the US stock; for a sweep that is not complete, or lacks the policy or metric; for a path that
        cannot be written.
    """
    target = Path(path)
    if isinstance(source, Scenario):
        study = _run(source, _with_baseline(source, policies), members, seed, progress)
        text = render(study, command or command_line(study, target))
    elif isinstance(source, Result | Ensemble):
        _fits(source, policies, members)
        study = _read(source)
        text = render(study, command or command_line(study, target))
    else:
        from stockpile.report.workbench.pages import Wanted

        text = _of_results(source, target, command, members, Wanted(policies, metric, params))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return write_text(target, text)
    except OSError as error:
        raise InputError.one(str(target), f"cannot be written: {error.strerror}", file="report") from None


def _of_results(source: Any, target: Path, command: str | None, members: int, wanted: Wanted) -> str:
    from stockpile.report.workbench.pages import default_command, page

    if members:
        raise InputError.one("members", "a result already has its members; allowed: members with a scenario only", file="report")
    results = list(source) if isinstance(source, list | tuple) else [source]
    return page(results, command or default_command(results, target), wanted)


def _run(scenario: Scenario, policies: list[str], members: int, seed: int, progress: Progress | None) -> Study:
    if members == 0:
        return study_of(scenario, simulate.run(scenario, policies))
    drawn = ensemble(scenario, policies, members, seed, quantities=FOLLOWED, progress=progress)
    return study_of(scenario, drawn.central, drawn)


def _fits(source: Result | Ensemble, policies: Sequence[str] | None, members: int) -> None:
    """Refuse what a result cannot have beside it, and results that a page cannot be made from."""
    if policies is not None:
        raise InputError.one("policies", "a result already has its policies; allowed: policies with a scenario only", file="report")
    if members:
        raise InputError.one("members", "a result already has its members; allowed: members with a scenario only", file="report")
    if isinstance(source, Result) and source.members > 1:
        allowed = "a result with central values, as sp.run gives it, or an ensemble"
        raise InputError.one("result", f"has {source.members} members; allowed: {allowed}", file="report")
    if isinstance(source, Ensemble):
        source.band("us_on_hand", policy=source.policies[0], munition=source.munitions[0])


def _read(source: Result | Ensemble) -> Study:
    drawn = source if isinstance(source, Ensemble) else None
    result = source.central if isinstance(source, Ensemble) else source
    return study_of(scenario_of(result, scenarios.load), result, drawn)


def _with_baseline(scenario: Scenario, policies: Sequence[str] | None) -> list[str]:
    chosen = list(scenario.chosen(policies))
    return chosen if BASELINE in chosen or BASELINE not in scenario.policies else [BASELINE, *chosen]


def command_line(study: Study, target: Path) -> str:
    """Return the command that makes the page of a study again."""
    scenario, result = study.scenario, study.result
    words = ["stockpile", "report", scenario.name]
    for path, value in scenario.overridden.items():
        words += ["--set", f"{path}={value}"]
    if list(result.policies) != list(scenario.settings.policies or ()):
        words += ["--policy", ",".join(result.policies)]
    words += draws_asked(study.ensemble.members, int(study.ensemble.manifest["seed"])) if study.ensemble else draws_asked(0, SEED)
    return shlex.join([*words, "-o", target.name if target.parent == Path() else str(Path(target.parent.name) / target.name)])


def draws_asked(members: int, seed: int) -> list[str]:
    """Return how the command line is asked for draws; a page of central values needs no seed."""
    return ["--members", str(members), *(["--seed", str(seed)] if members else [])]
