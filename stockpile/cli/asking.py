"""What the verbs that ask a question have in common: options, faults found together, and how an answer is printed and written."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from stockpile.cli import output
from stockpile.cli.options import Chosen, Flag, Repeatable, Resolved, whole  # noqa: F401 - types of inherited options are read here
from stockpile.errors import InputError, Problem

if TYPE_CHECKING:
    from pandas import DataFrame

    from stockpile.scenario import Scenario

BRACKETS = "In brackets: 95 % interval of Monte Carlo error, how far more draws could move a number; not whether the assumptions hold."
FILES = (".json", ".csv", ".parquet")
SEED = 1
Row = dict[str, Any]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Working(Resolved):
    """How it is worked out."""

    threads: Annotated[str | None, Flag] = None
    """How many threads to use, all cores where left out. Moves no number."""
    engine: Annotated[str | None, Flag] = None
    """numpy or compiled; the faster one where left out. Both give the same numbers."""

    def work(self, members: str) -> Row:
        """Return what the library takes of draws and engine."""
        return {
            "members": whole(members),
            "seed": SEED if self.seed is None else self.seed,
            "engine": self.engine,
            "threads": None if self.threads is None else whole(self.threads),
        }


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Several(Chosen, Working):
    """For verbs that compare policies."""


WORKING, SEVERAL = Working(), Several()


# ---------------------------------------------------------------- faults


def check(verb: str, scenario: Scenario, work: Row, policies: Sequence[str] | None, *others: Callable[[], object]) -> None:
    """Refuse what cannot be, all faults together, before anything is run.

    Parameters
    ----------
    verb : str
        What stands before a fault.
    scenario : Scenario
    work : dict
        As of `Working.work`.
    policies : sequence of str, optional
    others : callables
        Each raises an InputError where something is wrong.
    """
    from stockpile.ensembles.asked import Asked

    asked = Asked(policies=policies, **work, sampler="random", quantities=(), dates=())
    problems = [*asked.faults(scenario), *_faults(others)]
    if problems:
        raise InputError(replace(problem, file=verb) if problem.file == "ensemble" else problem for problem in problems)


def _faults(others: Sequence[Callable[[], object]]) -> Iterator[Problem]:
    for other in others:
        try:
            other()
        except InputError as error:
            yield from error.problems


def assigned(given: Sequence[str], option: str, allowed: str) -> dict[str, str]:
    """Return what stands before and after the first ``=`` of each text.

    Raises
    ------
    InputError
        For one without, and for a name that comes twice, all together.
    """
    found: dict[str, str] = {}
    problems = []
    for text in given:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (equals and name and value):
            problems.append(Problem(option, 0, 0, "", f"{text!r}; allowed: {allowed}"))
        elif name in found:
            problems.append(Problem(option, 0, 0, "", f"{name} comes twice; allowed: once"))
        found[name] = value
    if problems:
        raise InputError(problems)
    return found


def can_be_varied(scenario: Scenario, texts: Sequence[str], option: str, allowed: str, *, stepped: bool = False) -> None:
    """Check paths and the values they are varied over; a fault names the option.

    Raises
    ------
    InputError
        With every fault; where `stepped`, also for a range without a step.
    """
    from stockpile.experiments.varied import varied
    from stockpile.sweep.designs import axes_of

    def one(text: str) -> None:
        given = assigned([text], option, allowed)
        for path, axis in axes_of(given).items():
            if stepped and axis.is_range:
                raise InputError.one(path, f"{given[path]!r} has no step; allowed: {allowed}", file=option)
            varied(scenario, {path: axis.values or (axis.low, axis.high)})

    problems = [*_faults([partial(assigned, texts, option, allowed), *(partial(one, text) for text in texts)])]
    if problems:
        raise InputError(replace(problem, file=option) for problem in problems)


def numbers(text: str, option: str, most: float = math.inf) -> list[float]:
    """Return numbers from 0 to `most` that are separated by commas, or given as ``FROM:TO:STEP``.

    Raises
    ------
    InputError
        If they are none.
    """
    from stockpile.sweep.axes import WrongAxis, axis

    try:
        found = axis(text).values
    except WrongAxis as error:
        raise InputError.one("", str(error), file=option) from None
    right = [float(value) for value in found if isinstance(value, int | float) and 0.0 <= value <= most]
    if len(right) < max(len(found), 1):
        allowed = f"numbers from 0 to {most:g}" if math.isfinite(most) else "numbers from 0 on"
        raise InputError.one("", f"{text!r}; allowed: {allowed}, separated by commas, or FROM:TO:STEP", file=option)
    return right


def probability(text: str, option: str) -> float:
    """Return a number between 0 and 1.

    Raises
    ------
    InputError
        If it is none.
    """
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0.0 < found < 1.0:
        raise InputError.one("", f"{text!r}; allowed: a probability between 0 and 1", file=option)
    return found


# ---------------------------------------------------------------- answers


@dataclass(frozen=True)
class Answer:
    """What a question was answered with.

    Attributes
    ----------
    scenario : Scenario
    manifest : dict
    said : list of str
        Sentences; the first is printed above the tables, the others below.
    facts : dict
        Plain values that go into JSON beside the frames.
    frames : dict
        Frames by name; the first is the table that goes into a CSV or Parquet file.
    show : callable
        Prints the tables.
    brackets : str
        What stands in brackets.
    """

    scenario: Scenario
    manifest: Row
    said: list[str]
    facts: Row
    frames: Mapping[str, DataFrame]
    show: Callable[[], None] = field(repr=False)
    brackets: str = BRACKETS


def deliver(answer: Answer, path: Path | None, *, as_json: bool) -> None:
    """Write an answer to a file where one is asked for, and print it."""
    if path:
        _save(answer, path)
    if as_json:
        output.emit_json(_everything(answer))
        return
    output.emit(f"{answer.said[0]}\n")
    answer.show()
    output.emit("\n".join([*answer.said[1:], *_footer(answer)]))


def _everything(answer: Answer) -> Row:
    frames = {name: output.records(frame) for name, frame in answer.frames.items()}
    return {"manifest": answer.manifest, "sentences": answer.said, **answer.facts, **frames}


def _save(answer: Answer, path: Path) -> None:
    frame = next(iter(answer.frames.values()))
    if path.suffix == ".json":
        output.save(path, output.to_json(_everything(answer), indent=None) + "\n")
    elif path.suffix == ".csv":
        output.save(path, frame.to_csv(index=False, lineterminator="\n"))
    else:
        import pyarrow as pa

        from stockpile.storage import write_tables

        write_tables(path, [pa.Table.from_pandas(frame, preserve_index=False)])
        output.written(path)


def _footer(answer: Answer) -> list[str]:
    said = answer.manifest
    names = ", ".join(said["scenarios"]) if "scenarios" in said else answer.scenario.name
    drawn = f"{said['members']:,} draws, " + (f"{said['base_points']:,} base points, " if "base_points" in said else "")
    program = f"parameters {answer.scenario.digest[:12]}; stockpile {said['version']}, commit {said['commit']}"
    return [
        answer.brackets,
        f"Scenario {names}, as known on {answer.scenario.as_of}; {drawn}seed {said['seed']}; {program}.",
    ]
