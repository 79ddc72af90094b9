"""Published cases, reproduced: each is run by the engine on its own inputs, and held against its published answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile import params as files
from stockpile import provenance, schema
from stockpile.clock import Array, Clock
from stockpile.errors import InputError, Problem, nearest
from stockpile.evidence.case_measures import MEASURES, View
from stockpile.evidence.case_units import in_unit
from stockpile.evidence.corners import runs
from stockpile.evidence.verdicts import FAIL, NOT_EXPRESSIBLE, NOT_PUBLISHED, PASS, Published, division, published
from stockpile.evidence.world import path_in_case, world
from stockpile.params import Document, Layers, ParamSet, default_folder
from stockpile.scenario import Scenario, resolve

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "cases"
OF_A_SCENARIO = ("title", "policies", "changes", "start", "end", "substeps")
"""Keys of a case on a scenario that are keys of a scenario too."""
COLUMNS = (
    "case", "title", "answer", "measure", "published", "low", "high", "bound", "ours", "ours_low", "ours_high", "unit", "difference",
    "tolerance", "division", "verdict", "counts", "why", "source", "question", "said", "published_said", "ours_said", "division_verdict",
    "members",
)
ORDER = {FAIL: 0, PASS: 1, NOT_PUBLISHED: 2, NOT_EXPRESSIBLE: 3}
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Row:
    """One answer of a case: what was published, and ours.

    Attributes
    ----------
    case : str
    model : schema.Case
    name : str
        Of the answer; empty for a case that cannot be expressed and names none.
    answer : schema.Answer or None
    published : Published or None
        As numbers; None where nothing can be said.
    ours, low, high : float
        Our central value, and the least and the largest of all corners; nan where it cannot be expressed.
    verdict : str
    difference : float
    division, division_difference : float
        What quantity divided by rate says, and how far that is off.
    division_verdict : str
        Empty where division says nothing, or nothing was published.
    members : int
        Runs: one, and one for each corner of the ranges.
    clock : Clock or None
    """

    case: str
    model: schema.Case
    name: str
    answer: schema.Answer | None
    published: Published | None = None
    ours: float = np.nan
    low: float = np.nan
    high: float = np.nan
    verdict: str = NOT_EXPRESSIBLE
    difference: float = np.nan
    division: float = np.nan
    division_difference: float = np.nan
    division_verdict: str = ""
    members: int = 0
    clock: Clock | None = None

    @property
    def because(self) -> str:
        """Why it does not count; empty where it does."""
        if self.answer is None or self.verdict == NOT_EXPRESSIBLE:
            return self.model.not_expressible or ""
        if not self.model.counts:
            return self.model.because or ""
        if not self.answer.counts:
            return self.answer.because or ""
        if self.verdict == NOT_PUBLISHED:
            return "no answer was published"
        if not self.answer.source:
            return "no source is named for the answer"
        return "" if has_published_input(self.model) else "no input was published"

    @property
    def counts(self) -> bool:
        """Whether it is counted."""
        return not self.because

    @property
    def rank(self) -> tuple[int, int, str, str]:
        """Where it stands: failures first among the counted, then what is counted and passes, then the rest."""
        if self.verdict == NOT_EXPRESSIBLE:
            return (3, 0, self.case, self.name)
        return (0 if self.counts and self.verdict == FAIL else 1 if self.counts else 2, ORDER[self.verdict], self.case, self.name)


@dataclass(frozen=True, repr=False)
class Replication:
    """Published cases beside what the engine makes of their inputs.

    Attributes
    ----------
    rows : tuple of Row
        Failures first among the counted, then what is counted and passes, what is shown, and what cannot be expressed.
    manifest : dict
        What made it.
    """

    rows: tuple[Row, ...]
    manifest: dict[str, Any]

    def __repr__(self) -> str:
        """Return the sentence: rows hold whole runs."""
        return f"Replication({self.sentence!r})"

    @cached_property
    def counted(self) -> dict[str, str]:
        """The counted cases with their verdicts: a case passes where all its counted answers do."""
        found: dict[str, str] = {}
        for row in self.rows:
            if row.counts:
                found[row.case] = FAIL if FAIL in (row.verdict, found.get(row.case)) else PASS
        return found

    @property
    def failed(self) -> tuple[Row, ...]:
        """Counted answers that are not reproduced."""
        return tuple(row for row in self.rows if row.counts and row.verdict == FAIL)

    @property
    def sentence(self) -> str:
        """How many of the counted cases are reproduced, and which are not."""
        from stockpile.evidence.case_words import sentence

        return sentence(self)

    def table(self) -> pd.DataFrame:
        """Return all answers as a frame, in the order of `rows`.

        Returns
        -------
        pandas.DataFrame
            case, title, answer, measure; published, low, high, bound (the published answer); ours, ours_low, ours_high (central value,
            and the range over all corners); unit, difference, tolerance; division (quantity divided by rate); verdict (pass, fail, not
            expressible, not published); counts, why, source (keys, separated by "; "), question, said, published_said, ours_said (in
            words), division_verdict, members. Days of the calendar are months from the start of the case.
        """
        import pandas as pd

        from stockpile.evidence.case_words import row

        return pd.DataFrame([row(one) for one in self.rows], columns=list(COLUMNS))


def replicate(
    cases: str | Path | Sequence[str | Path] | None = None,
    params: str | Path | Sequence[str | Path] = (),
    *,
    progress: Progress | None = None,
) -> Replication:
    """Run published cases on their own inputs and compare with their published answers.

    Parameters
    ----------
    cases : str or Path, or several, optional
        Names of cases in ``cases/``, or TOML files of your own; all there are where left out.
    params : sequence of folders
        Laid over the shipped parameters, in order.
    progress : callable, optional
        Is called with the number of cases done.

    Returns
    -------
    Replication

    Raises
    ------
    InputError
        With all faults of all files; for unknown cases; for one whose numbers do not go together.
    """
    given = [cases] if isinstance(cases, str | Path) else list(cases or ())
    own = [Path(one) for one in given if str(one).endswith(".toml")]
    _apart(own)
    found = files.read(params, cases=own)
    names = _names([Path(one).stem if str(one).endswith(".toml") else str(one) for one in given], found)
    rows: list[Row] = []
    for number, name in enumerate(names, 1):
        rows += rows_of(found, name)
        if progress is not None:
            progress(number)
    return Replication(tuple(sorted(rows, key=lambda row: row.rank)), _manifest(found, names, own))


def case_template() -> str:
    """Return the text of a case to begin from, with comments."""
    return Path(__file__).with_name("case_template.toml").read_text(encoding="utf-8")


def _names(given: Sequence[str], found: ParamSet) -> tuple[str, ...]:
    there = found.names(FOLDER)
    unknown = [name for name in given if name not in there]
    problems = [Problem("replicate", 0, 0, "cases", f"unknown case {name!r}; {_hint(name, there)}") for name in unknown]
    if not there:
        problems.append(Problem("replicate", 0, 0, "cases", "there are none; allowed: files in cases/, or a TOML file of your own"))
    if problems:
        raise InputError(problems)
    return tuple(dict.fromkeys(given)) or there


def _apart(own: Sequence[Path]) -> None:
    """Refuse two files of one name: the name is that of the case, and one would stand for both."""
    stems = [file.stem for file in own]
    twice = [(file, own[stems.index(file.stem)]) for n, file in enumerate(own) if file.stem in stems[:n]]
    if twice:
        said = "has the name of {0}; allowed: each case under a name of its own"
        raise InputError(Problem(str(file), 0, 0, "", said.format(first)) for file, first in twice)


def _hint(name: str, there: Sequence[str]) -> str:
    """Return what is allowed in place of an unknown case; for the name of a file without its ending, that file."""
    return f"did you mean {name}.toml? allowed: a TOML file of your own" if Path(f"{name}.toml").is_file() else nearest(name, there)


def _manifest(found: ParamSet, names: Sequence[str], own: Sequence[Path]) -> dict[str, Any]:
    tables = {name: found.layers[FOLDER, name].table for name in names}
    text = json.dumps(tables, sort_keys=True, default=str, separators=(",", ":"))
    return {
        "scenario": FOLDER, "title": "Published cases", "cases": list(names), "files": [file.name for file in own],
        "in_place_of": [file.name for file in own if (default_folder() / FOLDER / file.name).is_file()], "overrides": {},
        "parameters": hashlib.sha256(text.encode()).hexdigest(), "engine": "numpy, difference", "version": provenance.version(),
        "commit": provenance.commit(),
    }


# ---------------------------------------------------------------- one case


def rows_of(found: ParamSet, name: str) -> list[Row]:
    """Return the answers of a case, run.

    Raises
    ------
    InputError
        At the place in the case's file that is at fault, as near as can be told.
    """
    case = found.models[FOLDER, name]
    assert isinstance(case, schema.Case)
    if case.not_expressible is not None:
        return [Row(name, case, key, answer) for key, answer in case.answers.items()] or [Row(name, case, "", None)]
    layers = found.layers[FOLDER, name]
    try:
        scenario = scenario_of(found, name)
        return _answered(name, case, scenario)
    except InputError as error:
        raise InputError(placed(problem, name, layers) for problem in error.problems) from None


def scenario_of(found: ParamSet, name: str) -> Scenario:
    """Return the scenario that a case is run as: a small world of its own, or a scenario of the files with the case's changes."""
    case = found.models[FOLDER, name]
    assert isinstance(case, schema.Case)
    if case.scenario is None:
        return world(name, case, {**found.sources, **case.sources})
    layers = found.layers[FOLDER, name]
    own = tuple(_as_scenario(document, case) for document in layers.documents)
    key = ("scenarios", f"case_{name}")
    model = schema.Scenario.model_validate(Layers(own).table)
    files_and_case = replace(
        found, layers={**found.layers, key: Layers(own)}, models={**found.models, key: model}, sources={**found.sources, **case.sources}
    )
    return resolve(files_and_case, key[1])


def _as_scenario(document: Document, case: schema.Case) -> Document:
    """Return the document of a case on a scenario as that of a scenario with this one for its base."""
    own = {key: document.table[key] for key in OF_A_SCENARIO if key in document.table}
    return replace(document, table={**own, "description": case.question, "base": case.scenario})


def placed(problem: Problem, name: str, layers: Layers) -> Problem:
    """Return a fault of a case's scenario at the nearest place in the case's file."""
    if problem.line or problem.file not in (name, f"case_{name}"):
        return problem
    path = path_in_case(problem.key) if problem.file == name else problem.key
    return layers.problem(tuple(path.split(".")), problem.message)


def _answered(name: str, case: schema.Case, scenario: Scenario) -> list[Row]:
    policies = scenario.chosen(None)
    if case.scenario is not None:
        _is_there(name, case, scenario, policies)
    ours: dict[str, list[Array]] = {key: [] for key in case.answers}
    clock: Clock | None = None
    for result, numbers in runs(scenario, policies, central=case.scenario is not None):
        clock = numbers.clock
        for key, answer in case.answers.items():
            munition = answer.munition or next(iter(case.munitions))
            view = View(result, numbers, munition, answer.policy or policies[-1], answer)
            with np.errstate(divide="ignore", invalid="ignore"):
                ours[key].append(in_unit(view, MEASURES[str(answer.measure)](view), answer.unit))
    assert clock is not None
    return [_row(name, case, key, np.concatenate(ours[key]), clock) for key in case.answers]


def _is_there(name: str, case: schema.Case, scenario: Scenario, policies: Sequence[str]) -> None:
    """Raise an InputError for what answers name that the scenario of the case has not; of a case alone, the files are checked."""
    start, end = scenario.settings.start, scenario.settings.end
    problems = []
    for key, answer in case.answers.items():
        munition = scenario.munitions.get(str(answer.munition))
        named: dict[str, Iterable[str]] = {"munition": scenario.munitions, "policy": policies, "against": policies}
        if munition is not None:
            named |= {"level": munition.floors, "order": munition.line.lots, "recipient": scenario.recipients}
        for place, names in named.items():
            given = getattr(answer, place)
            if given is not None and given not in names:
                problems.append(Problem(name, 0, 0, f"answers.{key}.{place}", f"unknown {place} {given!r}; {nearest(given, names)}"))
        for place in ("date", "from", "until", "since"):
            day = getattr(answer, "from_" if place == "from" else place)
            if day is not None and not start <= day <= end:
                message = f"{day} is outside the run of {case.scenario}; allowed: from {start} to {end}"
                problems.append(Problem(name, 0, 0, f"answers.{key}.{place}", message))
    if problems:
        raise InputError(problems)


def _row(name: str, case: schema.Case, key: str, ours: Array, clock: Clock) -> Row:
    answer = case.answers[key]
    said = published(answer, clock)
    central, low, high = float(ours[0]), float(ours.min()), float(ours.max())
    verdict, difference = said.verdict(central, low, high)
    divided = division(case, answer, clock)
    division_verdict, off = said.verdict(divided, divided, divided) if np.isfinite(divided) else (NOT_PUBLISHED, np.nan)
    return Row(
        name, case, key, answer, said, central, low, high, verdict, difference, divided, off,
        "" if division_verdict == NOT_PUBLISHED else division_verdict, len(ours), clock,
    )


def has_published_input(case: schema.Case) -> bool:
    """Tell whether any number that a case is run on was published; a scenario's are."""
    return case.scenario is not None or any(_sourced(case.model_dump(exclude={"answers"})))


def _sourced(node: Any) -> Iterable[bool]:
    if isinstance(node, dict):
        if "value" in node and "grade" in node:
            yield bool(node.get("source")) and node["grade"] != "assumed"
        for value in node.values():
            yield from _sourced(value)
    elif isinstance(node, list):
        for value in node:
            yield from _sourced(value)
