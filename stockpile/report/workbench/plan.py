"""All questions of the workbench asked of one scenario, as a TOML file says: what one page of results is made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, ValidationError

from stockpile.errors import InputError, Problem
from stockpile.faults import explain
from stockpile.params import Layers, document
from stockpile.schema.values import Strict

if TYPE_CHECKING:
    from stockpile.report.workbench.pages import Analysed
    from stockpile.scenario import Scenario

Whole = Annotated[int, Field(ge=1)]


class Question(Strict):
    """What every question may say."""

    members: Whole | None = None
    """Draws; as many as the page says where left out."""


class SweepAsked(Question):
    """A sweep."""

    vary: dict[str, Any]
    policies: Annotated[list[str], Field(min_length=1)] | None = None
    design: Literal["grid", "one_at_a_time", "lhs", "sobol"] = "grid"
    points: Whole | None = None


class SensitivityAsked(Question):
    """A sensitivity."""

    outcome: str
    policy: str = "none"
    most: Whole | None = None
    """Most base points of the Sobol indices, a power of 2."""


class BreakEvenAsked(Question):
    """A break-even."""

    lever: dict[str, Any]
    chance: str
    policy: str
    level: float
    over: dict[str, Any] | None = None


class FrontierAsked(Question):
    """A trade-off."""

    munition: str
    policy: str
    foresight: Annotated[int, Field(ge=0)] | None = None
    """Draws of perfect foresight."""


class RobustAsked(Question):
    """Policies over scenarios."""

    scenarios: Annotated[list[str], Field(min_length=1)]
    """Beside the one of the page."""
    outcomes: dict[str, Literal["lower", "higher"]]
    conditions: list[str] = []
    policies: Annotated[list[str], Field(min_length=1)] | None = None


class DiscoveryAsked(Question):
    """A discovery."""

    fails: str
    policy: str = "none"
    vary: dict[str, Any] | None = None


class Plan(Strict):
    """What a file of questions may say; the page has them in this order."""

    members: Whole = 500
    """Draws of each question that does not say otherwise."""
    seed: Annotated[int, Field(ge=0)] = 1
    sweep: list[SweepAsked] = []
    sensitivity: list[SensitivityAsked] = []
    break_even: list[BreakEvenAsked] = []
    frontier: list[FrontierAsked] = []
    robust: list[RobustAsked] = []
    discovery: list[DiscoveryAsked] = []


def read(path: Path) -> Plan:
    """Return what a file of questions says.

    Raises
    ------
    InputError
        With every fault, each with line and column.
    """
    problems: list[Problem] = []
    found = document(path, problems)
    if found is None:
        raise InputError(problems)
    layers = Layers((found,))
    try:
        return Plan.model_validate(found.table)
    except ValidationError as error:
        raise InputError(layers.problem(key, message) for key, message in explain(Plan, found.table, error)) from None


def results(plan: Plan, scenario: Scenario, load: Callable[[str], Scenario], told: Callable[[str], None] | None = None) -> list[Analysed]:
    """Return the results of all questions, in the order of the page.

    Parameters
    ----------
    plan : Plan
    scenario : Scenario
    load : callable
        Gives the other scenarios of a question by their name.
    told : callable, optional
        Is called with the name of each question before it is worked out.

    Raises
    ------
    InputError
        For a question that cannot be asked of the scenario, or a plan without any.
    """
    found: list[Analysed] = []
    for name, question, answer in _answers(plan, scenario, load):
        if told:
            told(name)
        found.append(answer(members=question.members or plan.members, seed=plan.seed))
    if not found:
        raise InputError.one("plan", f"asks nothing; allowed: any of {', '.join(list(Plan.model_fields)[2:])}", file="report")
    return found


def _answers(plan: Plan, scenario: Scenario, load: Callable[[str], Scenario]) -> Iterator[tuple[str, Question, Callable[..., Analysed]]]:
    from stockpile.analysis.break_even import break_even
    from stockpile.analysis.discover import discover
    from stockpile.analysis.frontier import frontier
    from stockpile.analysis.robust import robust
    from stockpile.analysis.sensitivity import sensitivity
    from stockpile.sweep.run import sweep

    def said(question: Question, *without: str) -> dict[str, Any]:
        fields = {name: getattr(question, name) for name in type(question).model_fields if name not in ("members", *without)}
        return {name: value for name, value in fields.items() if value is not None}

    for one in plan.sweep:
        yield "sweep", one, partial(sweep, scenario, one.vary, kind=one.design, policies=one.policies, points=one.points)
    for moved in plan.sensitivity:
        yield "sensitivity", moved, partial(sensitivity, scenario, **said(moved))
    for even in plan.break_even:
        yield "break-even", even, partial(break_even, scenario, **said(even))
    for trade in plan.frontier:
        yield "trade-off", trade, partial(frontier, scenario, **said(trade))
    for over in plan.robust:
        yield "robustness", over, partial(robust, [scenario, *map(load, over.scenarios)], **said(over, "scenarios"))
    for failing in plan.discovery:
        yield "discovery", failing, partial(discover, scenario, **said(failing))
