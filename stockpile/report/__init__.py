"""Pages for readers: one self-contained HTML file a scenario, and an index of them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from stockpile import scenario as scenarios
from stockpile import simulate
from stockpile.errors import InputError
from stockpile.report.index import index
from stockpile.report.page import render
from stockpile.report.study import BASELINE, scenario_of, study_of
from stockpile.results import Result, write_text
from stockpile.scenario import Scenario

__all__ = ["index", "report"]


def report(source: Scenario | Result, path: str | Path, policies: Sequence[str] | None = None, command: str | None = None) -> Path:
    """Write the page of a scenario to one self-contained HTML file.

    Parameters
    ----------
    source : Scenario or Result
        A scenario, which is run with central values; or a result of `sp.run`, whose scenario is loaded again by its name, since a
        result does not carry its sources.
    path : str or Path
        File to write. It is written under a temporary name and renamed. Its folder is made if it is not there.
    policies : sequence of str, optional
        Names of policies; the scenario's own where left out. `none` is added in front, to compare with, if the scenario has it.
    command : str, optional
        The command that makes the page again, printed in its footer.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        As `sp.run`; for a result whose scenario has changed since, or that has more than one member; for a path that cannot be written.
    """
    target = Path(path)
    if isinstance(source, Result):
        if policies is not None:
            raise InputError.one("policies", "a result already has its policies; allowed: policies with a scenario only", file="report")
        if source.members > 1:
            raise InputError.one(
                "result", f"has {source.members} members; allowed: a result with central values, as sp.run gives it", file="report"
            )
        scenario, result = scenario_of(source, scenarios.load), source
    else:
        scenario = source
        result = simulate.run(scenario, _with_baseline(scenario, policies))
    text = render(study_of(scenario, result), command or command_line(scenario, result, target))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return write_text(target, text)
    except OSError as error:
        raise InputError.one(str(target), f"cannot be written: {error.strerror}", file="report") from None


def _with_baseline(scenario: Scenario, policies: Sequence[str] | None) -> list[str]:
    chosen = list(scenario.chosen(policies))
    return chosen if BASELINE in chosen or BASELINE not in scenario.policies else [BASELINE, *chosen]


def command_line(scenario: Scenario, result: Result, target: Path) -> str:
    """Return the command that makes the page of a scenario again."""
    words = ["stockpile", "report", scenario.name]
    for path, value in scenario.overridden.items():
        words += ["--set", f"{path}={value}"]
    if list(result.policies) != list(scenario.settings.policies or ()):
        words += ["--policy", ",".join(result.policies)]
    return shlex.join([*words, "-o", target.name if target.parent == Path() else str(Path(target.parent.name) / target.name)])
