"""What may be asked of a sweep: all faults are found together, before any work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from stockpile.assemble import check_policies
from stockpile.ensembles.asked import Asked
from stockpile.errors import InputError, Problem, nearest
from stockpile.scenario import Scenario
from stockpile.sweep.designs import Design
from stockpile.sweep.evaluator import REFERENCE, Job
from stockpile.sweep.executors import Way

VALUES = ("drawn", "central")


def asked(  # noqa: PLR0913 - what a sweep takes
    scenario: Scenario,
    made: Callable[[], Design],
    way: Way,
    *,
    policies: Sequence[str] | None,
    members: int,
    seed: int,
    sampler: str,
    values: str = "drawn",
    metrics: Sequence[str] | None = None,
    munitions: Sequence[str] | None = None,
    engine: str | None = None,
    placed: Callable[[Problem], Problem] | None = None,
) -> Job:
    """Return the job that is meant.

    Parameters
    ----------
    made : callable
        Gives the design; what is wrong with it is said together with all else.
    placed : callable, optional
        Gives a fault of a path its place in a file.

    Raises
    ------
    InputError
        With all faults: of the design, its paths and values, names and numbers.
    """
    problems = [*way.faults()]
    numbers = Asked(
        policies=policies, members=members, seed=seed, sampler=sampler, quantities=(), dates=(),
        engine=None if engine == REFERENCE else engine, threads=None,
    )
    problems += [replace(problem, file="sweep" if problem.file == "ensemble" else problem.file) for problem in numbers.faults(scenario)]
    if values not in VALUES:
        problems.append(_fault("values", f"unknown {values!r}; {nearest(str(values), VALUES)}"))
    problems += _names(scenario, policies, metrics, munitions, engine)
    try:
        found = made()
    except InputError as error:
        raise InputError([*problems, *error.problems]) from None
    problems += [placed(problem) if placed else problem for problem in _of_paths(scenario, found)]
    if problems:
        raise InputError(problems)
    return Job(
        scenario, found, scenario.chosen(policies), members if values == "drawn" else 1, seed, sampler,
        tuple(metrics) if metrics else None, tuple(munitions) if munitions else None, values=values, engine=engine,
    )


def _of_paths(scenario: Scenario, found: Design) -> Iterator[Problem]:
    """Yield what is wrong with paths and values."""
    from stockpile.experiments.varied import varied

    try:
        varied(scenario, found.columns)
    except InputError as error:
        yield from error.problems


def _names(
    scenario: Scenario,
    policies: Sequence[str] | None,
    metrics: Sequence[str] | None,
    munitions: Sequence[str] | None,
    engine: str | None,
) -> Iterator[Problem]:
    """Yield what is wrong with the metrics and munitions asked for."""
    from stockpile.experiments.points import Points

    for word, names in (("metrics", metrics), ("munitions", munitions)):
        if isinstance(names, str):
            yield _fault(word, f"{names!r} is one text; allowed: a list of names, [{names!r}]")
            return
    try:
        chosen = scenario.chosen(policies)
        check_policies(scenario, chosen)
    except InputError:
        chosen = scenario.chosen(None)  # what is wrong is said already, and metrics do not depend on policies
    own = [name for name in chosen if ":" in scenario.policies[name].allocation.use]
    for name in own:
        message = "a rule of your own runs with central values, one run at a time; allowed: pro_rata, weights"
        yield _fault(f"policies.{name}.allocation.use", message)
    if not own and engine != REFERENCE:
        try:
            Points(scenario, {}, chosen, members=1, metrics=metrics, munitions=munitions)
        except InputError as error:
            yield from error.problems


def _fault(key: str, message: str) -> Problem:
    return Problem("sweep", 0, 0, key, message)
