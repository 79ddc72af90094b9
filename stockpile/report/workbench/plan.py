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
    from stockpile.evidence.cases import Replication
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


class RequirementAsked(Question):
    """A requirement sheet."""

    munitions: Annotated[list[str], Field(min_length=1)] | None = None
    by: str = "FY2031"


class MaterialityAsked(Question):
    """What policies and events move."""

    policies: Annotated[list[str], Field(min_length=1)] | None = None
    munitions: Annotated[list[str], Field(min_length=1)] | None = None


class ReplicationAsked(Question):
    """Published cases."""

    cases: Annotated[list[str], Field(min_length=1)] | None = None
    """Which; all that there are where left out."""


class ScoreAsked(Question):
    """What was reported, beside what was predicted."""

    scenario: str | None = None
    """The one of the page where left out."""
    campaigns: Literal["both", "unknown", "given"] = "both"
    policy: str | None = None


class CalibrationAsked(Question):
    """What the observations say of the parameters; its members are particles."""

    scenario: str | None = None
    """The one of the page where left out."""
    hold_back: Annotated[list[str], Field(min_length=1)] | None = None
    """Names of observations that are predicted and not fitted."""


class AnswerAsked(Question):
    """An answer sheet."""

    question: str
    """Its name, as `stockpile answer` lists them."""
    munition: str | None = None
    policy: str | None = None
    by: str | None = None
    path: str | None = None
    """For where_does_a_number_come_from: path of a parameter."""


class DifferenceAsked(Question):
    """What moved to another scenario, and why."""

    other: str
    """The scenario that the one of the page is compared with."""
    policies: Annotated[list[str], Field(min_length=1)] | None = None
    munitions: Annotated[list[str], Field(min_length=1)] | None = None
    metrics: Annotated[list[str], Field(min_length=1)] | None = None


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
    score: list[ScoreAsked] = []
    calibration: list[CalibrationAsked] = []
    replicate: list[ReplicationAsked] = []
    requirement: list[RequirementAsked] = []
    materiality: list[MaterialityAsked] = []
    difference: list[DifferenceAsked] = []
    answer: list[AnswerAsked] = []


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
    yield from _of_evidence(plan, scenario, load)
    yield from _of_sheets(plan, scenario, load)


def said(question: Question, *without: str) -> dict[str, Any]:
    """Return what a question says, without what it leaves out."""
    fields = {name: getattr(question, name) for name in type(question).model_fields if name not in ("members", *without)}
    return {name: value for name, value in fields.items() if value is not None}


def _of_evidence(
    plan: Plan, scenario: Scenario, load: Callable[[str], Scenario]
) -> Iterator[tuple[str, Question, Callable[..., Analysed]]]:
    from stockpile.analysis.materiality import materiality
    from stockpile.analysis.requirement import requirement
    from stockpile.evidence.calibrate import calibrate
    from stockpile.evidence.score import score

    for scored in plan.score:
        own = load(scored.scenario) if scored.scenario else scenario
        yield "score", scored, partial(score, own, **said(scored, "scenario"))
    for fitted in plan.calibration:
        own = load(fitted.scenario) if fitted.scenario else scenario
        yield "calibration", fitted, partial(calibrate, own, **said(fitted, "scenario"))
    for asked in plan.replicate:
        yield "published cases", asked, partial(_cases, asked.cases, scenario.origin[1])
    for sheet in plan.requirement:
        yield "requirement", sheet, partial(requirement, scenario, **said(sheet))
    for moves in plan.materiality:
        yield "materiality", moves, partial(materiality, scenario, **said(moves))


def _of_sheets(
    plan: Plan, scenario: Scenario, load: Callable[[str], Scenario]
) -> Iterator[tuple[str, Question, Callable[..., Analysed]]]:
    from stockpile.analysis.answers import answer
    from stockpile.analysis.diff import diff

    for moved in plan.difference:
        yield "difference", moved, partial(diff, scenario, load(moved.other), **said(moved, "other"))
    for sheet in plan.answer:
        yield "answer", sheet, partial(answer, sheet.question, scenario, **said(sheet, "question"))


def _cases(cases: list[str] | None, params: tuple[str, ...], *, members: int, seed: int) -> Replication:
    """Return published cases, reproduced; they have members of their own, and nothing is drawn."""
    from stockpile.evidence.cases import replicate

    return replicate(cases, params)
