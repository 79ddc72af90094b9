"""The two sides of a comparison: scenarios, folders of parameters, or results that were saved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stockpile import scenario as scenarios
from stockpile.analysis.attribution import Frame
from stockpile.analysis.reloaded import scenario_of
from stockpile.ensembles.files import read
from stockpile.ensembles.result import Ensemble
from stockpile.errors import InputError, Problem
from stockpile.results import Result
from stockpile.scenario import Scenario
from stockpile.simulate import manifest

Given = Scenario | Result | Ensemble | str | Path
CODE = ("equations", "version", "commit", "engine", "method")
"""What a manifest says of the code."""
NOT_SAID = "not said"
"""Where a manifest, of an older version, says nothing."""
DEFAULT = "july_2025"


@dataclass(frozen=True)
class Side:
    """One side.

    Attributes
    ----------
    name : str
        As it was asked for.
    scenario : Scenario or None
        None for a saved result whose parameters are not there any more.
    made : Result or Ensemble or None
        What was saved; None for a scenario.
    """

    name: str
    scenario: Scenario | None
    made: Result | Ensemble | None = None

    @property
    def manifest(self) -> dict[str, Any]:
        """What made a result, or would make it."""
        if self.made is not None:
            return self.made.manifest
        assert self.scenario is not None
        return manifest(self.scenario, self.scenario.chosen(None))

    @property
    def draws(self) -> tuple[int, int, str]:
        """Number, seed and sampler of the draws of a saved result; 0 for central values."""
        if isinstance(self.made, Ensemble):
            return self.made.members, int(self.manifest["seed"]), str(self.manifest["sampler"])
        return 0, 0, ""

    @property
    def code(self) -> dict[str, str]:
        """What is known of the code behind it."""
        return {key: str(self.manifest.get(key, NOT_SAID)) for key in CODE}


def alike(one: str, other: str) -> bool | None:
    """Return whether two sides say the same of the code; None where one of them says nothing."""
    return None if NOT_SAID in (one, other) else one == other


def sides(
    a: Given, b: Given, scenario: str | Path | None, params_a: Sequence[str | Path], params_b: Sequence[str | Path]
) -> tuple[Side, Side]:
    """Return both sides.

    Parameters
    ----------
    a, b : Scenario, Result, Ensemble, str or Path
        As themselves; or by the name of a scenario, its TOML file, a folder laid over the shipped parameters, or a saved file.
    scenario : str or Path, optional
        The scenario of folders; the name on the other side, or `DEFAULT`, where left out.
    params_a, params_b : sequence of folders
        Laid over the shipped parameters.

    Raises
    ------
    InputError
        For what is none of these, or has faults.
    """
    name = scenario or next((str(one) for one in (a, b) if _is_name(one)), DEFAULT)
    found: list[Side] = []
    problems: list[Problem] = []
    for given, params in ((a, params_a), (b, params_b)):
        try:
            found.append(_side(given, name, params))
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    return found[0], found[1]


def _is_name(given: Given) -> bool:
    """Tell whether something names a scenario: by its name or its file."""
    if not isinstance(given, str | Path):
        return False
    return str(given).endswith(".toml") or not (Path(given).exists() or Path(given).suffix)


def _side(given: Given, scenario: str | Path, params: Sequence[str | Path]) -> Side:
    if isinstance(given, Scenario):
        return Side(given.name, given)
    if isinstance(given, Result | Ensemble):
        return Side(str(given.manifest["scenario"]), scenario_of(given.manifest, params), given)
    if _is_name(given):
        return Side(str(given), scenarios.load(given, params=params))
    path = Path(given)
    if path.is_dir():
        return Side(str(given), scenarios.load(scenario, params=[*params, path]))
    if path.suffix in (".csv", ".json"):
        raise InputError.one("", "has no more than a table; allowed: a result saved as .parquet, a folder or a scenario", file=str(path))
    made = read(path)
    return Side(str(given), scenario_of(made.manifest, params), made)


def frame_of(a: Side, b: Side) -> Frame:
    """Return the time that both sides have in common."""
    def day(side: Side, key: str) -> dt.date:
        return dt.date.fromisoformat(str(side.manifest[key]))

    found = Frame.of([day(a, "start"), day(b, "start")], [day(a, "end"), day(b, "end")])
    if found.months <= 0.0 or day(b, "start") >= day(a, "end"):
        raise InputError.one("", f"{a.name} and {b.name} have no month in common; allowed: runs that overlap", file="diff")
    return found
