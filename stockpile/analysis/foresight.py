"""Perfect foresight: the least unmet need of the recipients that any rule could bring about at a depth of the US stock.

A linear program chooses every flow that a policy may touch with the whole future known, from a run's own state on, within the books
and limits that every policy obeys. What a rule leaves unmet above it is the rule's gap: what knowing the future, and not being a
rule, could at most be worth. ``docs/foresight.md`` has the program in full.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile.analysis.foresight_program import FLOWS, STOCKS, Array, Case, Program, program, solve
from stockpile.assemble import Assembly, assemble, parts, unit_costs
from stockpile.draws import Central, Collector, Drawn, Values, design
from stockpile.engine.trajectories import Trajectories
from stockpile.ensembles.asked import Asked
from stockpile.errors import InputError, nearest
from stockpile.metrics import first_ahead
from stockpile.model.state import Constants, Known
from stockpile.simulate import integrate, on_steps

if TYPE_CHECKING:
    import pandas as pd

    from stockpile.scenario import Scenario

__all__ = ["Case", "Optimum", "bound", "case_at", "cases", "gaps", "least_unmet", "optimum", "shallowest"]

CURVE = ("policy", "munition", "member", "depth", "least_unmet", "unit")
GAPS = ("policy", "munition", "member", "depth", "unmet", "least_unmet", "gap", "unit", "relative", "own_unmet")
UNIT = "round"
Weights = Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Optimum:
    """What perfect foresight could do.

    Attributes
    ----------
    unmet : array, shape (recipients,)
        Unmet need of each recipient [round]; inf where nothing keeps the stock so high.
    stocks, flows : dict
        By name, in the shapes of `Case` [round]; empty where nothing keeps the stock so high. One of perhaps many trajectories that
        leave as little unmet.
    """

    unmet: Array
    stocks: dict[str, Array]
    flows: dict[str, Array]

    @property
    def feasible(self) -> bool:
        """Whether anything keeps the stock so high."""
        return bool(self.stocks)


def cases(
    scenario: Scenario, policies: Sequence[str] | None, munition: str, members: int = 1, seed: int = 1, *, level: str | None = None,
    first: int | None = None,
) -> list[Case]:
    """Return the runs of one munition from a step edge on, policy by policy, member by member.

    Parameters
    ----------
    scenario : Scenario
        With the method ``difference``.
    policies : sequence of str, optional
        The scenario's own where left out.
    munition : str
    members : int
        1 for central values; else the draws that `ensemble` makes of as many members and the same seed.
    seed : int
    level : str, optional
        The named level of the munition from which depth is measured; each policy's transfer floor where left out.
    first : int, optional
        Number of the step edge, 0 being the start of the run; the first after `as_of` where left out. Each policy has its own state
        there, and is compared with what foresight can do from that state.

    Returns
    -------
    list of Case

    Raises
    ------
    InputError
        As `ensemble`; and for an unknown munition or level, or a step edge outside the run.
    """
    if munition not in scenario.munitions:
        raise InputError.one("munition", f"unknown munition {munition!r}; {nearest(munition, scenario.munitions)}")
    Asked(
        policies=policies, members=members, seed=seed, sampler="random", quantities=(), dates=(), engine=None, threads=None
    ).check(scenario)
    alone = replace(scenario, munitions={munition: scenario.munitions[munition]})
    assembly = assemble(alone, policies, _values(scenario, policies, members, seed))
    named = assembly.levels[munition]
    if level is not None and level not in named:
        raise InputError.one("level", f"munition {munition} has no level {level!r}; {nearest(level, named)}")
    edges = len(assembly.clock.steps)
    start = first_ahead(assembly.clock.dates, str(scenario.as_of)) if first is None else first
    if not 0 <= start < edges:
        raise InputError.one("first", f"{start}; allowed: a step edge from 0 to {edges - 1}")
    found, _ = integrate(assembly, "difference")
    return list(_lanes(scenario, assembly, found, start, level))


def _lanes(scenario: Scenario, assembly: Assembly, found: Trajectories, first: int, level: str | None) -> Iterator[Case]:
    """Yield the case of every lane."""
    axes, series = assembly.axes, on_steps(assembly)
    (munition,) = axes.munitions
    for number, policy in enumerate(axes.policies):
        floor = assembly.levels[munition][level or str(scenario.policies[policy].transfer_floor)]
        for member in range(axes.members):
            lane = number * axes.members + member
            case = case_at(series, assembly.constants, found, assembly.clock.dt, lane=lane, first=first, level=float(floor[member]))
            yield replace(case, policy=policy, munition=munition, member=member, recipients=axes.recipients)


def _values(scenario: Scenario, policies: Sequence[str] | None, members: int, seed: int) -> Values:
    """Return the source of values: of all munitions' draws, since some are drawn together."""
    if members == 1:
        return Central()
    collector = Collector(scenario)
    unit_costs(parts(scenario, policies, collector))
    return Drawn(design(collector.columns, seed, members, "random"), 0, members)


def case_at(
    series: Known, constants: Constants, found: Trajectories, dt: float, *, lane: int = 0, first: int = 0, level: float = 0.0
) -> Case:
    """Return one lane of a run from a step edge on.

    Parameters
    ----------
    series : Known
        Means over the steps, arrays of shape (steps, lanes).
    constants : Constants
        Arrays of shape (lanes,).
    found : Trajectories
        Of the difference engine.
    dt : float
        Length of a step [month].
    lane, first : int
        Which lane, and from which step edge on.
    level : float
        Level from which depth is measured [round].

    Returns
    -------
    Case
        Without names of policy and munition; recipients have their numbers as names.
    """

    def of(item: Any, rows: Any) -> Any:
        values = {field.name: getattr(item, field.name) for field in fields(item)}
        return type(item)(**{n: tuple(one[rows] for one in v) if isinstance(v, tuple) else v[rows] for n, v in values.items()})

    return Case(
        policy="",
        munition="",
        member=0,
        recipients=tuple(str(number) for number in range(len(constants.weight))),
        dt=dt,
        series=of(series, (slice(first, None), lane)),
        constants=of(constants, lane),
        stocks={name: array[..., first:, lane] for name, array in found.stocks.items()},
        flows={name: array[..., first:, lane] for name, array in found.flows.items()},
        level=level,
        first=first,
    )


def optimum(case: Case, deepest: float, own_unmet: float | None = None, weights: Weights | None = None) -> Optimum:
    """Return what leaves the recipients' least unmet need while the US stock is never more than `deepest` below the level.

    Parameters
    ----------
    case : Case
    deepest : float
        Rounds below the level, at any step edge of the case; 0 for never below, less than 0 for always as much above, inf for any depth.
    own_unmet : float, optional
        Most unmet need of US forces over the case [round]; the run's own where left out.
    weights : mapping, optional
        By recipient, what a round of unmet need counts; 1 where left out.

    Raises
    ------
    InputError
        For a depth or unmet need that is no number, or weights of unknown recipients or below 0.
    """
    return _optimum(program(case), deepest, own_unmet, _weights(case, weights))


def least_unmet(case: Case, deepest: float, own_unmet: float | None = None, weights: Weights | None = None) -> float:
    """Return the least (weighted) unmet need of all recipients [round]; inf where nothing keeps the stock so high.

    Parameters and errors as of `optimum`.
    """
    counted = _weights(case, weights)
    return _sum(counted, _optimum(program(case), deepest, own_unmet, counted).unmet)


def bound(case: Case, depths: Iterable[float], own_unmet: float | None = None, weights: Weights | None = None) -> pd.DataFrame:
    """Return the least unmet need at several depths.

    Parameters and errors as of `optimum`, with `depths` in place of `deepest`.

    Returns
    -------
    pandas.DataFrame
        Columns policy, munition, member (those of the run whose state the program starts from), depth, least_unmet, unit. inf where
        nothing keeps the stock so high.
    """
    import pandas as pd

    problem, counted = program(case), _weights(case, weights)
    rows = [
        (case.policy, case.munition, case.member, float(depth), _sum(counted, _optimum(problem, depth, own_unmet, counted).unmet), UNIT)
        for depth in depths
    ]
    return pd.DataFrame(rows, columns=list(CURVE))


def gaps(runs: Iterable[Case], weights: Weights | None = None) -> pd.DataFrame:
    """Return each run's own depth and unmet need, and how much less perfect foresight could leave unmet at that depth.

    Parameters
    ----------
    runs : iterable of Case
    weights : mapping, optional
        As of `optimum`; they count in all three columns.

    Returns
    -------
    pandas.DataFrame
        Columns policy, munition, member, depth, unmet, least_unmet, gap (unmet - least_unmet), unit (of these four), relative (gap /
        unmet, a share; 0 where nothing is unmet) and own_unmet (of US forces [round], which the program does not exceed).
    """
    import pandas as pd

    rows = []
    for case in runs:
        counted = _weights(case, weights)
        unmet = _sum(counted, case.unmet)
        least = _sum(counted, _optimum(program(case), case.depth, None, counted).unmet)
        gap = unmet - least
        relative = gap / unmet if unmet > 0.0 else 0.0
        rows.append((case.policy, case.munition, case.member, case.depth, unmet, least, gap, UNIT, relative, case.own_unmet))
    return pd.DataFrame(rows, columns=list(GAPS))


def shallowest(case: Case, own_unmet: float | None = None) -> float:
    """Return the least depth that anything could bring about [round], whatever the recipients leave unmet; 0 where none is needed.

    Parameters
    ----------
    case : Case
    own_unmet : float, optional
        As of `optimum`.

    Raises
    ------
    ArithmeticError
        If the solver fails.
    """
    problem = program(case).bounded(np.inf, _own_unmet(case, own_unmet))
    cost = np.zeros(problem.upper.size)
    cost[problem.columns["depth"]] = 1.0
    x = solve(problem, cost)
    return np.inf if x is None else max(float(x[problem.columns["depth"]][0]) * case.scale, 0.0)


def _optimum(problem: Program, deepest: float, own_unmet: float | None, counted: Array) -> Optimum:
    case, columns = problem.case, problem.columns
    if math.isnan(deepest):
        raise InputError.one("deepest", f"{deepest!r}; allowed: rounds below the level, or inf")
    cost = np.zeros(problem.upper.size)
    cost[columns["used"]] = -counted[:, None]
    x = solve(problem.bounded(deepest, _own_unmet(case, own_unmet)), cost)
    if x is None:
        return Optimum(np.full(len(case.recipients), np.inf), {}, {})
    found = {name: x[where] * case.scale for name, where in columns.items()}
    unmet = np.maximum(case.over("need").sum(axis=1) - found["used"].sum(axis=1), 0.0)
    return Optimum(
        unmet, {name: found[name] for name in ("us_on_hand", *STOCKS)}, {name: found[name] for name in ("own_use", *FLOWS)}
    )


def _own_unmet(case: Case, given: float | None) -> float:
    if given is not None and not given >= 0.0:
        raise InputError.one("own_unmet", f"{given!r}; allowed: rounds from 0 on, or inf")
    return case.own_unmet if given is None else given


def _weights(case: Case, weights: Weights | None) -> Array:
    """Return what a round of each recipient's unmet need counts, shape (recipients,)."""
    given = weights or {}
    for name, weight in given.items():
        if name not in case.recipients:
            raise InputError.one("weights", f"unknown recipient {name!r}; {nearest(name, case.recipients)}")
        if not 0.0 <= weight < np.inf:
            raise InputError.one(f"weights.{name}", f"{weight!r}; allowed: a number from 0 on")
    return np.array([given.get(name, 1.0) for name in case.recipients])


def _sum(counted: Array, unmet: Array) -> float:
    """Return the weighted sum; inf where any unmet need is, even one that does not count."""
    return float(np.inf if np.isinf(unmet).any() else (counted * unmet).sum())
