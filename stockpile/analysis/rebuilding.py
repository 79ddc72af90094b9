"""The US stock after the date of a scenario when the US buys so many rounds a fiscal year: the engine's equations, with other purchases.

A scenario is run as it is up to the first of the month after its date, without the random campaigns that may come. From then on the
equations go on with an order book of the US alone. Until the first new lot is due, the US gets its share of what the line has been
ordered to make; from then on what the new lots give: one a fiscal year, ordered on 1 October, due from the lead time on, spread over the
span of a lot. Recipients get the new production that they would have had.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import elementwise

from stockpile.analysis.purchases import begins
from stockpile.assemble import Assembly, assemble
from stockpile.clock import ONE_DAY, Array, Clock
from stockpile.draws import Collector, Design, Drawn
from stockpile.draws import design as draw
from stockpile.engine import difference
from stockpile.engine.trajectories import at
from stockpile.experiments.lanes import Lanes
from stockpile.lookup import Numbers
from stockpile.metrics import BASELINE
from stockpile.model.state import Constants, Known, State
from stockpile.scenario import Scenario
from stockpile.simulate import on_steps
from stockpile.units import MONTHS_PER_YEAR

AT_ONCE = 500
"""Members that are assembled together: their series over sixty years are some 200 MB."""
Which = NDArray[np.intp]
"""Numbers of members."""
NEAR = 1e-6
"""How near to the quantity that is looked for, as a share of it."""


@dataclass(frozen=True)
class Plan:
    """What is bought, and what else is supposed.

    Attributes
    ----------
    rounds : array, shape (members,) or (cases, members)
        Bought in each fiscal year [round].
    first : int
        Fiscal year of the first lot.
    line_limits : bool, or array of shape (cases, 1)
        Whether no more is delivered than the US share of what the line can make.
    transfers : bool, or array of shape (cases, 1)
        Whether transfers from stock to recipients go on.
    until : float
        Lots that are not wholly delivered by then are not bought [month from the start of the run].
    """

    rounds: Array
    first: int
    line_limits: Any = False
    transfers: Any = True
    until: float = np.inf


class Ahead:
    """Some members of a scenario at the first of the month after its date, and what is known in advance of the time from then on.

    Attributes
    ----------
    clock : Clock
    edge : int
        Step edge from which other purchases count.
    stock : array, shape (members,)
        US stock there [round].
    unit_cost : array, shape (members,)
        Price of a round [dollars of the scenario's money year].
    lead, span : array, shape (members,)
        Lead time and span of a lot [month].
    levels : dict
        By name of the requirement [round], each of shape (members,).
    """

    def __init__(self, scenario: Scenario, munition: str, design: Design, first: int, count: int) -> None:
        drawn = Drawn(design, first, count)
        assembly = assemble(scenario, [BASELINE], drawn)
        self.clock = assembly.clock
        self.edge = edge_after(scenario.as_of, self.clock)
        self._series, self._constants = on_steps(assembly), assembly.constants
        self._now, self._made = self._as_it_is(assembly)
        self.stock = self._now.us_on_hand
        self.unit_cost = assembly.unit_cost[munition]
        self._read(scenario, munition, drawn)

    def _read(self, scenario: Scenario, munition: str, drawn: Drawn) -> None:
        """Take lead time, span and requirements from the draws."""
        lead, span, levels = _of_lots(Numbers(scenario, drawn, self.clock), munition)
        shape = self.stock.shape
        self.lead, self.span = np.broadcast_to(lead, shape), np.broadcast_to(span, shape)
        self.levels = {name: np.broadcast_to(level, shape) for name, level in levels.items()}

    def _as_it_is(self, assembly: Assembly) -> tuple[State, list[tuple[Array, ...]]]:
        """Return the stocks at the edge, and what the line then makes for each recipient, step by step."""
        state, made = assembly.opening, []
        now = state
        walk = difference.steps(state, self._series, self._constants, self.clock.dt, len(self.clock.steps) - 1)
        for number, (before, flow, _) in enumerate(walk):
            if number == self.edge:
                now = before
            if number >= self.edge:
                made.append(flow.made_for)
        return now, made

    @property
    def line_time(self) -> Array:
        """Time between a round's being due and its delivery [month]."""
        found: Array = 1.0 / self._constants.line_rate
        return found

    @property
    def us_share(self) -> Array:
        """Share of what is delivered that the US gets at the edge, shape (members,)."""
        return np.broadcast_to(self._series.us_share[min(self.edge, len(self._series.us_share) - 1)], self.stock.shape)

    def due(self, first: int, *, until: float = np.inf, to: int | None = None) -> tuple[Array, Array]:
        """Return what is due of lots of one round a fiscal year, and how many lots that is.

        Parameters
        ----------
        first : int
            Fiscal year of the first lot.
        until : float
            Lots that are not wholly delivered by then are left out [month from the start].
        to : int, optional
            Last step edge.

        Returns
        -------
        array, shape (steps, members)
            Rounds due a month.
        array, shape (members,)
            Lots.
        """
        edges = self.clock.steps[self.edge : None if to is None else to + 1]
        whole = np.zeros((len(edges), len(self.stock)))
        count = np.zeros(len(self.stock))
        ordered = self.clock.at(begins(first))
        while ordered < edges[-1]:
            starts = ordered + self.lead
            bought = starts + self.span + self.line_time <= until + 1e-9
            whole += bought * np.clip((edges[:, None] - starts) / self.span, 0.0, 1.0)
            count += bought
            ordered += MONTHS_PER_YEAR
        return np.diff(whole, axis=0) / self.clock.dt, count

    def stocks(self, plan: Plan, enough: Array) -> Array:
        """Return the US stock at the step edges from `edge` on, until each has once been at what is enough [round].

        Parameters
        ----------
        plan : Plan
        enough : array, shape (members,)
            Level up to which it is of interest [round].

        Returns
        -------
        array, shape (edges, members) or (edges, cases, members)
        """
        due, _ = self.due(plan.first, until=plan.until)
        found: list[Array] = []
        most: Array = np.full(np.broadcast_shapes(plan.rounds.shape, enough.shape), -np.inf)
        for stock in self._run(plan, due, np.arange(len(self.stock))):
            found.append(stock)
            most = np.maximum(most, stock)
            if (most >= enough).all():
                break
        return np.stack(found)

    def _run(self, plan: Plan, due: Array, which: Which) -> Iterator[Array]:
        """Yield the stocks of some members at the edges of the steps of `due`."""
        series, constants, state = (_taken(one, which) for one in (self._series, self._constants, self._now))
        state = replace(state, order_book=state.order_book * series.us_share[min(self.edge, len(series.us_share) - 1)])
        state = _spread(state, np.zeros(np.broadcast_shapes(plan.rounds.shape, which.shape)))
        yield state.us_on_hand
        for known in self._known(plan, series, due, which):
            state = difference.step(state, known, constants, self.clock.dt)[2]
            yield state.us_on_hand

    def _at_last(self, plan: Plan, due: Array, which: Which) -> Array:
        """Return the stocks of some members at the last edge."""
        return deque(self._run(plan, due, which), maxlen=1)[0]

    def _known(self, plan: Plan, series: Known, due: Array, which: Which) -> Iterator[Known]:
        """Yield what is known in advance of each step: as it is, but for what the US gets from the line and what is transferred."""
        first_due = self.clock.at(begins(plan.first)) + self.lead[which]
        steps = self.clock.steps
        for number, one in enumerate(due):
            step = self.edge + number
            known = at(series, step)
            # What was ordered before is due until the first new lot is; the share of the step before that.
            before = np.clip((first_due - steps[step]) / self.clock.dt, 0.0, 1.0)
            lots = known.lots * known.us_share * before + plan.rounds * one[which]
            line = known.line * known.us_share
            # Without the limit, whatever is in the order book leaves at the pace of the line time.
            line = np.where(plan.line_limits | (before >= 1.0), line, np.inf)
            made = tuple(one[which] for one in self._made[number])
            yield replace(
                known, lots=lots, line=line, us_share=1.0, share=tuple(0.0 for _ in known.share),
                other_supply=tuple(own + more for own, more in zip(known.other_supply, made, strict=True)),
                authorised=tuple(own * np.where(plan.transfers, 1.0, 0.0) for own in known.authorised),
            )

    def all_the_line_makes(self, first: int, to: int) -> Array:
        """Return the US stock at an edge when from the first new lot on the US buys all of its share of the line [round]."""
        due, _ = self.due(first, to=to)
        most = self._series.line[self.edge : to] * self._series.us_share[self.edge : to]
        started = self.clock.steps[self.edge + 1 : to + 1, None] > self.clock.at(begins(first)) + self.lead
        plan = Plan(np.ones(len(self.stock)), first, line_limits=True)
        return self._at_last(plan, np.where(started, most, 0.0) * np.ones_like(due), np.arange(len(self.stock)))

    def needed(self, levels: Array, first: int, to: int) -> tuple[Array, Array]:
        """Return what has to be bought a fiscal year for the stock to be at a level at a step edge, as many in each year that can be.

        Parameters
        ----------
        levels : array, shape (cases, members)
            Levels [round].
        first : int
            Fiscal year of the first lot.
        to : int
            Step edge.

        Returns
        -------
        array, shape (cases, members)
            Rounds a fiscal year; 0 where the stock is there without, inf where no lot is delivered by then.
        array, shape (members,)
            Fiscal years whose lot is.
        """
        until = float(self.clock.steps[to])
        due, lots = self.due(first, until=until, to=to)
        everyone = np.arange(len(self.stock))
        level = levels.ravel()

        def lacking(rounds: Array, case: NDArray[Any]) -> Array:
            own = case.astype(np.intp)
            short: Array = level[own] - self._at_last(Plan(rounds, first, until=until), due, own % len(everyone))
            return short

        short = levels - self._at_last(Plan(np.zeros(len(everyone)), first, until=until), due, everyone)
        found = np.where(short <= 0.0, 0.0, np.inf).ravel()
        own = np.flatnonzero((short > 0.0) & (lots > 0))
        if len(own):
            guess, cases = short.ravel()[own] / lots[own % len(everyone)], own.astype(float)
            bracket = elementwise.bracket_root(lacking, np.zeros(len(own)), guess, xmin=0.0, args=(cases,), maxiter=40)
            solved = elementwise.find_root(lacking, bracket.bracket, args=(cases,), tolerances={"xrtol": NEAR, "fatol": 1e-3})
            found[own] = np.where(bracket.success & solved.success, solved.x, np.inf)
        return found.reshape(levels.shape), lots


def reached(stocks: Array, level: Array, clock: Clock, edge: int, since: float) -> Array:
    """Return after how many years a stock is first at a level, on the straight line between two step edges; inf for not in the run.

    Parameters
    ----------
    stocks : array, shape (edges, ...)
        From `edge` on [round].
    level : array
        Level [round]; its shape goes with that of an edge.
    clock : Clock
    edge : int
    since : float
        From when years are counted [month from the start].
    """
    there = stocks >= level
    first = there.argmax(axis=0)
    before = np.maximum(first - 1, 0)
    low, high = (np.take_along_axis(stocks, place[None], axis=0)[0] for place in (before, first))
    part = np.where(first > 0, (level - low) / np.where(high > low, high - low, 1.0), 0.0)
    months = clock.steps[edge] + (before + part) * clock.dt - since
    years = np.where(first > 0, months / MONTHS_PER_YEAR, 0.0)
    return np.where(there.any(axis=0), years, np.inf)


def edge_after(date: dt.date, clock: Clock) -> int:
    """Return the first step edge after a date that is the start of a month; the first edge of the run where that is later."""
    month = int(np.ceil(max(clock.at(date + ONE_DAY), 0.0) - 1e-9))
    return month * clock.substeps


def members_of(scenario: Scenario, munition: str, end: dt.date, members: int, seed: int) -> tuple[Scenario, Design]:
    """Return a scenario that ends on a day, with one munition and without random campaigns, and its draws.

    Each draw is the one that an ensemble of that seed has.
    """
    changes = {"scenario.end": end, "scenario.method": "difference", "scenario.policies": [BASELINE]}
    changed = scenario.override(changes)
    lanes = Lanes(replace(changed, campaigns={}), [BASELINE], only=[munition], engine="numpy")
    # Known contracts have spans of their own, and a run takes no requirement but one: what is asked for here is drawn besides.
    more = Collector(lanes.scenario)
    more.columns = lanes.columns
    _of_lots(Numbers(lanes.scenario, more, lanes.made.clock), munition)
    return lanes.scenario, draw(lanes.columns, seed, members, "random")


def _of_lots(numbers: Numbers, munition: str) -> tuple[Array, Array, dict[str, Array]]:
    """Return lead time and span of a lot [month], and the requirements [round], shapes as of `Numbers.point`."""
    own, base = numbers.scenario.munitions[munition], f"munitions.{munition}"
    return (
        numbers.today(f"{base}.line.lead_time", own.line.lead_time), numbers.today(f"{base}.line.lot_span", own.line.lot_span),
        {name: numbers.level(f"{base}.requirements.{name}", level, munition) for name, level in own.requirements.items()},
    )


def _taken(one: Known | Constants | State, which: Which) -> Any:
    """Return the same for some of the members."""
    def take(value: Array) -> Array:
        return value if np.ndim(value) == 0 else value[..., which]

    found = {name: getattr(one, name) for name in type(one).__dataclass_fields__}
    taken: dict[str, Any] = {name: tuple(map(take, v)) if isinstance(v, tuple) else take(v) for name, v in found.items()}
    return type(one)(**taken)


def _spread(state: State, like: Array) -> State:
    """Return stocks brought to the shape of the cases."""
    found = {name: getattr(state, name) for name in type(state).__dataclass_fields__}
    return State(**{name: tuple(one + like for one in v) if isinstance(v, tuple) else v + like for name, v in found.items()})

