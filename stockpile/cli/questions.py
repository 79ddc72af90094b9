"""``stockpile sensitivity``, ``discover``, ``breakeven``, ``frontier`` and ``robust``."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from stockpile.cli import answers, asking
from stockpile.cli import output as out
from stockpile.cli.asking import SEVERAL, WORKING, Answer, Several, Working, assigned, can_be_varied, check, deliver, numbers, probability
from stockpile.cli.options import Flag, Output, Repeatable, whole
from stockpile.errors import InputError, nearest

if TYPE_CHECKING:
    from stockpile.experiments.outcomes import Outcome
    from stockpile.scenario import Scenario

SCENARIO, BASELINE, PAUSE, REVIEW = "july_2025", "none", "suspension_6_months", "suspension_with_review"
VARY = "PATH=FROM:TO:STEP or PATH=a,b,c"
LENGTHS = "0:36:3"
"""Lengths of the pause that are tried where no lever is named [month]."""
MOST = {"triggers": math.inf, "margins": math.inf, "shares": 1.0}
"""The largest numbers of a grid of review rules."""
AHEAD = 2
"""Years after the date of the scenario by which a stock may have been below its floor, where no outcome is named."""
OUTCOMES = ("depth_below.transfer_floor", "total_unmet:ukraine")
"""What is to be low where no outcome is named."""
Text = Annotated[str | None, Flag]
Texts = Annotated[tuple[str, ...], Repeatable]


def sensitivity(
    scenario: str = SCENARIO,
    *,
    outcome: Text = None,
    policy: str = BASELINE,
    members: str = "1000",
    start: str = "512",
    most: str = "16384",
    output: Output = None,
    options: Working = WORKING,
) -> None:
    """Ask which unknowns move an outcome most, and which one, if it were known, would narrow the answer most.

    Parameters
    ----------
    scenario : str
        Name of a scenario, or a TOML file that describes one.
    outcome : str, optional
        MUNITION:METRIC, perhaps :RECIPIENT, perhaps @DATE, as pac3:below.transfer_floor@2027-01-01 or pac3:total_unmet:ukraine. The
        lowest US stock to come of the scenario's first munition where left out.
    policy : str
        The policy that is run.
    members : str
        Draws on which one unknown at a time is set to the ends of its range.
    start, most : str
        Base points of the Sobol indices, powers of 2: doubled from the first until their ranking is settled, at most to the second.
    output : Path, optional
        File to write: .json for everything, .csv or .parquet for the indices.
    """
    from stockpile.analysis.sensitivity import sensitivity as work_out
    from stockpile.analysis.sentences import of_sensitivity
    from stockpile.cli.progress import progress
    from stockpile.experiments.outcomes import outcome as read

    found, work = _begin(scenario, output, options, members)
    wanted = outcome or f"{_first(found)}:minimum_after_as_of"
    points: Any = whole(start), whole(most)
    check("sensitivity", found, work, [policy], lambda: read(wanted, found), lambda: _base_points(*points))
    with progress("Running, at most", _lanes(found, wanted, policy, points[1]), "runs") as told:
        made = work_out(found, wanted, policy, start=points[0], most=points[1], **work, progress=told)
    facts = {name: getattr(made, name) for name in ("outcome", "policy", "unit", "stable", "quantiles")}
    frames = {"indices": made.indices, "tornado": made.tornado, "rounds": made.rounds}
    said = of_sensitivity(made, found)
    deliver(Answer(found, made.manifest, said, facts, frames, partial(answers.sensitivity, made)), output, as_json=options.json)


def discover(
    scenario: str = SCENARIO,
    *,
    fails: Text = None,
    vary: Texts = (),
    policy: str = BASELINE,
    members: str = "4000",
    output: Output = None,
    options: Working = WORKING,
) -> None:
    """Ask when a policy fails: in which part of what is uncertain, and of what is varied, most of the failures lie.

    Parameters
    ----------
    scenario : str
        Name of a scenario, or a TOML file that describes one.
    fails : str, optional
        What counts as failing: an outcome, one of >, >=, <, <=, and a number, as "pac3:total_unmet:ukraine > 500". That the US stock of
        the scenario's first munition falls below the floor assumed here where left out.
    vary : str, optional
        PATH=LOW:HIGH, PATH=FROM:TO:STEP or PATH=a,b,c: what is spread evenly beside the draws; may be repeated.
    policy : str
        The policy that is run.
    members : str
        Draws, one a case.
    output : Path, optional
        File to write: .json for everything, .csv or .parquet for the limits of the boxes.
    """
    from stockpile.analysis.discover import condition
    from stockpile.analysis.discover import discover as work_out
    from stockpile.analysis.sentences import of_discovery
    from stockpile.cli.progress import progress

    found, work = _begin(scenario, output, options, members)
    wanted = fails or f"{_first(found)}:depth_below.transfer_floor > 0"
    check("discover", found, work, [policy], lambda: condition(wanted, found), partial(can_be_varied, found, vary, "--vary", VARY))
    with progress("Drawing", work["members"]) as told:
        made = work_out(found, wanted, policy, vary=assigned(vary, "--vary", VARY) or None, **work, progress=told)
    facts = {
        "policy": made.policy, "condition": made.condition, "cases": made.boxes.cases, "failing": made.boxes.failing,
        "ended": made.boxes.said, "words": made.words,
    }
    frames = {"limits": made.table, "trajectory": made.trajectory, "stability": made.stability}
    said = of_discovery(made, found)
    deliver(Answer(found, made.manifest, said, facts, frames, partial(answers.discovery, made)), output, as_json=options.json)


def breakeven(  # noqa: PLR0913 - the options that users give
    scenario: str = SCENARIO,
    *,
    lever: Text = None,
    chance: Text = None,
    level: str = "0.1",
    over: Text = None,
    policy: str = PAUSE,
    members: str = "2000",
    output: Output = None,
    options: Working = WORKING,
) -> None:
    """Ask at which value of a lever the chance that a stock goes below a level crosses a given one; or never, or always.

    Parameters
    ----------
    scenario : str
        Name of a scenario, or a TOML file that describes one.
    lever : str, optional
        PATH=FROM:TO:STEP or PATH=a,b,c: numbers, or dates with steps such as 1month. The length of the policy's pause, 0 to 36 months,
        where left out.
    chance : str, optional
        MUNITION:below.LEVEL, perhaps @DATE, as pac3:below.transfer_floor@2030-01-01. For the first munition and two years after the
        date of the scenario where left out.
    level : str
        The chance that is looked for, between 0 and 1.
    over : str, optional
        PATH=FROM:TO:STEP or PATH=a,b,c: a second lever; the answer is then a curve over it.
    policy : str
        The policy that is run.
    members : str
        Draws, the same for all values.
    output : Path, optional
        File to write: .json for everything, .csv or .parquet for the curve.
    """
    from stockpile.analysis.break_even import break_even as work_out
    from stockpile.analysis.sentences import of_break_even
    from stockpile.cli.progress import progress
    from stockpile.experiments.outcomes import outcome as read
    from stockpile.sweep.designs import axes_of

    found, work = _begin(scenario, output, options, members)
    moved, others = [lever or f"policies.{policy}.suspensions.0.length={LENGTHS}"], [over] if over else []
    wanted = chance or f"{_first(found)}:below.transfer_floor@{_ahead(found)}"
    check(
        "breakeven", found, work, [policy], lambda: _chance(read(wanted, found)), lambda: probability(level, "--level"),
        lambda: can_be_varied(found, moved, "--lever", VARY, stepped=True) if lever else _pause(found, policy),
        lambda: can_be_varied(found, others, "--over", VARY, stepped=True),
    )
    levers, beside = assigned(moved, "--lever", VARY), assigned(others, "--over", VARY)
    points = [len(axis.values) for given in (levers, beside) if given for axis in axes_of(given).values()]
    with progress("Running", points[0] * points[-1] if beside else points[0], "points") as told:
        made = work_out(found, levers, wanted, policy, level=probability(level, "--level"), over=beside or None, **work, progress=told)
    facts = {name: getattr(made, name) for name in ("outcome", "policy", "level", "lever", "over")}
    frames = {"curve": made.curve, "crossings": made.crossings}
    said = of_break_even(made, found)
    deliver(Answer(found, made.manifest, said, facts, frames, partial(answers.break_even, made)), output, as_json=options.json)


def frontier(  # noqa: PLR0913 - the options that users give
    scenario: str = SCENARIO,
    *,
    munition: Text = None,
    level: Text = None,
    triggers: Text = None,
    margins: Text = None,
    shares: Text = None,
    foresight: Text = None,
    policy: str = REVIEW,
    members: str = "1000",
    output: Output = None,
    options: Working = WORKING,
) -> None:
    """Ask what trade-off there is between the recipients' unmet need and the risk to the US floor, over rules of reserve and review.

    Parameters
    ----------
    scenario : str
        Name of a scenario, or a TOML file that describes one.
    munition : str, optional
        The scenario's first where left out.
    level : str, optional
        The level that the risk is measured against; the policy's transfer floor where left out.
    triggers, margins, shares : str, optional
        Numbers separated by commas, or FROM:TO:STEP: below which multiples of the review level deliveries are held back, how far above
        that they are let go, and which shares of them are held back. A dense grid where left out.
    foresight : str, optional
        Draws for which the best that perfect foresight could do is worked out; 0 for none.
    policy : str
        A policy with a review: whom and what it touches.
    members : str
        Draws, the same for all rules.
    output : Path, optional
        File to write: .json for everything, .csv or .parquet for the points.
    """
    from stockpile.analysis.frontier import frontier as work_out
    from stockpile.analysis.sentences import of_frontier
    from stockpile.cli.progress import progress

    found, work = _begin(scenario, output, options, members)
    wanted = munition or _first(found)
    grid = {name: text for name, text in (("triggers", triggers), ("margins", margins), ("shares", shares)) if text}
    more: dict[str, Any] = {} if foresight is None else {"foresight": whole(foresight)}
    check(
        "frontier", found, work, [policy], lambda: _munition(found, wanted, level), lambda: _review(found, policy), lambda: _draws(**more),
        *(partial(numbers, text, f"--{name}", MOST[name]) for name, text in grid.items()),
    )
    more |= {name: numbers(text, f"--{name}") for name, text in grid.items()}
    with progress("Drawing", work["members"]) as told:
        made = work_out(found, wanted, policy, level=level, **more, **work, progress=told)
    facts = {name: getattr(made, name) for name in ("munition", "level", "policy")}
    frames = {"points": made.points, "gaps": made.gaps, "bound": made.bound}
    said = of_frontier(made, found)
    deliver(Answer(found, made.manifest, said, facts, frames, partial(answers.frontier, made)), output, as_json=options.json)


def robust(
    *scenarios: str,
    outcome: Texts = (),
    condition: Texts = (),
    members: str = "1000",
    output: Output = None,
    options: Several = SEVERAL,
) -> None:
    """Ask which policy does least badly over several scenarios, and under which one what is asked of it holds most often.

    Parameters
    ----------
    scenarios : str
        Names of two or more scenarios, or TOML files; all those known at the date of july_2025 where left out.
    outcome : str, optional
        OUTCOME=lower or OUTCOME=higher, what is better, as pac3:total_unmet:ukraine=lower; may be repeated. For the first munition how far
        its stock falls below the floor assumed here, and the unmet need of Ukraine, where left out.
    condition : str, optional
        What is asked of a policy: an outcome, <= or >=, and a number; may be repeated. That the stock of the first munition stays at or
        above the floor assumed here where left out.
    members : str
        Draws in each scenario, the same for all policies.
    output : Path, optional
        File to write: .json for everything, .csv or .parquet for the regret by scenario and policy.
    """
    from stockpile.analysis.discover import condition as read
    from stockpile.analysis.robust import robust as work_out
    from stockpile.analysis.sentences import of_robust
    from stockpile.cli.progress import progress
    from stockpile.experiments.outcomes import outcome as read_outcome

    first, work = _begin(scenarios[0] if scenarios else SCENARIO, output, options, members)
    every = [first, *_others(first, scenarios, options)]
    better = assigned(outcome, "--outcome", "OUTCOME=lower or OUTCOME=higher")
    better = better or {f"{_first(first)}:{name}": "lower" for name in OUTCOMES}
    asked = condition or (f"{_first(first)}:{OUTCOMES[0]} <= 0",)
    check(
        "robust", first, work, options.policies, *(partial(read_outcome, text, first) for text in better),
        *(partial(read, text, first) for text in asked),
    )
    with progress("Drawing", work["members"] * len(every)) as told:
        made = work_out(every, better, asked, options.policies, **work, progress=told)
    facts = {name: getattr(made, name) for name in ("policies", "scenarios", "outcomes", "conditions")}
    frames = {"regret": made.regret, "ranking": made.ranking, "values": made.values, "satisficing": made.satisficing}
    said = of_robust(made, first)
    deliver(Answer(first, made.manifest, said, facts, frames, partial(answers.robust, made)), output, as_json=options.json)


# ---------------------------------------------------------------- what is asked


def _begin(scenario: str, path: Path | None, options: Working, members: str) -> tuple[Scenario, dict[str, Any]]:
    """Return the scenario, and what the library takes of draws and engine; the file to write is looked at first."""
    if path:
        out.ending(path, asking.FILES)
    return options.scenario(scenario), options.work(members)


def _first(scenario: Scenario) -> str:
    """Return the munition that is asked about where none is named: the scenario's first."""
    return next(iter(scenario.munitions))


def _ahead(scenario: Scenario) -> str:
    """Return the first of the month, some years after the date of the scenario, at most the end of the run."""
    end = scenario.settings.end
    assert end is not None
    return str(min(scenario.as_of.replace(year=scenario.as_of.year + AHEAD, day=1), end))


def _others(first: Scenario, names: Sequence[str], options: Working) -> list[Scenario]:
    """Return the scenarios besides the first; without names, those known at the same date."""
    from stockpile.scenario import names as known

    if names:
        return [options.scenario(name) for name in names[1:]]
    found = [options.scenario(name) for name in known(options.params) if name != first.name]
    return [one for one in found if one.as_of == first.as_of]


def _chance(wanted: Outcome) -> None:
    if not wanted.is_chance or wanted.is_change:
        raise InputError.one("", f"'{wanted}' is no probability; allowed: MUNITION:below.LEVEL, perhaps with @DATE", file="--chance")


def _pause(scenario: Scenario, policy: str) -> None:
    if policy in scenario.policies and not scenario.policies[policy].suspensions:
        raise InputError.one("", f"is missing, and {policy!r} has no pause whose length could be moved; allowed: {VARY}", file="--lever")


def _munition(scenario: Scenario, munition: str, level: str | None) -> None:
    from stockpile.experiments.outcomes import outcome

    try:
        outcome(f"{munition}:depth_below.{level}" if level else f"{munition}:minimum", scenario)
    except InputError as error:
        raise InputError(replace(problem, file="--munition, --level") for problem in error.problems) from None


def _review(scenario: Scenario, policy: str) -> None:
    with_review = [name for name, one in scenario.policies.items() if one.review is not None]
    if policy in scenario.policies and policy not in with_review:
        raise InputError.one("", f"{policy!r} is no policy with a review; {nearest(policy, with_review)}", file="--policy")


def _draws(foresight: Any = 0) -> None:
    if not isinstance(foresight, int) or foresight < 0:
        raise InputError.one("", f"{foresight!r}; allowed: a whole number from 0 on", file="--foresight")


def _base_points(start: Any, most: Any) -> None:
    wrong = [one for one in (start, most) if not isinstance(one, int) or one < 2 or one & (one - 1)]
    if wrong:
        raise InputError.one("", f"{wrong[0]!r}; allowed: a power of 2, such as 512", file="--start, --most")
    if most < start:
        raise InputError.one("", f"{most} is below {start}; allowed: as many as --start or more", file="--most")


def _lanes(scenario: Scenario, wanted: str, policy: str, most: int) -> int:
    """Return how many runs the Sobol indices take at most; worked out for a terminal only."""
    if not sys.stderr.isatty():
        return 0
    from stockpile.experiments.factors import factors
    from stockpile.experiments.many import lanes_for
    from stockpile.experiments.outcomes import outcome

    return most * (len(factors(lanes_for(scenario, [outcome(wanted, scenario)], [policy]))) + 2)
