"""Materiality: how much a policy or an event moves, beside what there is, what is made, and what is needed.

Rounds moved are divided by the US stock at that time, by what the line delivers in a month (days of output), by the largest single demand
of the run, and by what the recipients concerned need in a month. All of it draw by draw, so that each ratio has a range.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile import schema
from stockpile.assemble import check_policies
from stockpile.clock import Array, Clock
from stockpile.draws import Drawn
from stockpile.errors import InputError, Problem, nearest
from stockpile.experiments.lanes import Lanes, Progress
from stockpile.lookup import Numbers
from stockpile.metrics import BASELINE
from stockpile.results import US
from stockpile.scenario import Scenario
from stockpile.simulate import manifest
from stockpile.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    import pandas as pd

    from stockpile.draws import Design

QUANTILES = (0.05, 0.5, 0.95)
WORDS = ((0.01, "small"), (0.10, "noticeable"), (np.inf, "large"))
"""The word for a share of the US stock, by the share that it is below. Published stocks have three digits at most (2,330), so that less
than 1 % of one cannot be seen in them; they are known to some 10 % at best (1,900 to 2,600), so that more stands out from that."""
SUBSTEPS = 4
"""Steps a month: about a week each."""
CLOSE = "too close to call"
NOTHING = "nothing moves"
LEAST = 0.5
"""Rounds below which nothing is moved."""
ROWS_BYTES = 100_000_000
"""Most memory that rows over time may take in a thread."""
CHANNELS = {"deferred": "put_off", "cancelled": "dropped", "held": "kept_back", "diverted": "diverted"}
"""What a policy moves, and the flow that counts it."""
NEEDS = ("own_use", "own_unmet", "used", "unmet")
FOLLOWED = ("us_on_hand", "delivered", *NEEDS, *CHANNELS.values(), "sent", "made_for")
RATIOS = ("of_stock", "output_days", "of_largest", "months_of_need")
Row = dict[str, Any]


@dataclass(frozen=True)
class Materiality:
    """How much each policy and event moves.

    Attributes
    ----------
    table : pandas.DataFrame
        A row a munition and event, or policy other than none: kind, name, title, start, end (None for the end of the run), recipients;
        then, each with the 5th, 50th and 95th percentile over the draws (columns x_low, x, x_high): rounds; stock (US stock when it
        begins) and of_stock; output (rounds that the line delivers over the month from then on) and output_days; largest
        (the largest single demand of the run) and of_largest; need (of the recipients concerned, in that month) and months_of_need.
        For policies also deferred, cancelled, held, diverted, and the change in US stock against none at its end (change_at_end) and at
        the end of the run (change_at_horizon). And the word for it. What does not apply is nan.
    manifest : dict
    """

    table: pd.DataFrame
    manifest: dict[str, Any] = field(repr=False)


def materiality(
    scenario: Scenario,
    policies: Sequence[str] | None = None,
    munitions: Sequence[str] | None = None,
    *,
    members: int = 400,
    seed: int = 1,
    engine: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Materiality:
    """Return how much each policy and each event of a scenario moves.

    Parameters
    ----------
    scenario : Scenario
    policies : sequence of str, optional
        The scenario's own where left out. Each is compared with none, on the same draws.
    munitions : sequence of str, optional
        The scenario's own where left out.
    members, seed : int
    engine, threads
        As of `ensemble`.
    progress : callable, optional
        Is called with the number of members done.

    Raises
    ------
    InputError
        For policies and munitions that are not there, and members or seed that are none.
    """
    import pandas as pd

    chosen, only = _checked(scenario, policies, munitions, members, seed)
    every = tuple(dict.fromkeys([BASELINE, *chosen]))
    # Windows of a week, in monthly steps, would be smeared over what else goes on in that month.
    fine = scenario.override({"scenario.substeps": max(SUBSTEPS, scenario.settings.substeps or 1), "scenario.method": "difference"})
    lanes = Lanes(fine, every, only=only, quantities=FOLLOWED, engine=engine)
    cases = [case for munition in lanes.made.axes.munitions for case in _cases(scenario, chosen, munition, lanes.made.clock)]
    found = _measured(lanes, cases, members, seed, threads or os.cpu_count() or 1, progress)
    rows = [_row(case, values) for case, values in zip(cases, found, strict=True)]
    made = manifest(scenario, every) | {"members": members, "seed": seed, "munitions": list(lanes.made.axes.munitions)}
    return Materiality(pd.DataFrame(rows, columns=None if rows else ["kind", "name", "munition"]), made)


def _checked(
    scenario: Scenario, policies: Sequence[str] | None, munitions: Sequence[str] | None, members: int, seed: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    chosen = tuple(scenario.chosen(policies))
    problems: list[Problem] = []
    try:
        check_policies(scenario, chosen)
    except InputError as error:
        problems += error.problems
    only = tuple(dict.fromkeys(scenario.munitions if munitions is None else munitions))
    problems += [
        Problem("materiality", 0, 0, "munition", f"unknown munition {name!r}; {nearest(name, scenario.munitions)}")
        for name in only
        if name not in scenario.munitions
    ]
    for key, value, least in (("members", members, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            problems.append(Problem("materiality", 0, 0, key, f"{value!r}; allowed: a whole number from {least} on"))
    if problems:
        raise InputError(problems)
    return chosen, only


# ---------------------------------------------------------------- what is looked at


@dataclass(frozen=True)
class Case:
    """A policy or an event, for one munition.

    Attributes
    ----------
    kind : {"event", "policy"}
    name, title, munition : str
    start : date
        First day.
    end : date or None
        First day after it; None for the end of the run.
    recipients : tuple of str
        Who is concerned.
    first, last : int
        Step edges: the last one by its start, and the first one from its end on.
    suspends : bool
        Whether the policy suspends anything; one that does not shares out otherwise.
    """

    kind: str
    name: str
    title: str
    munition: str
    start: dt.date
    end: dt.date | None
    recipients: tuple[str, ...]
    first: int
    last: int
    suspends: bool = True


def _cases(scenario: Scenario, policies: Sequence[str], munition: str, clock: Clock) -> list[Case]:
    """Return the events and policies that have to do with a munition, events by their start."""
    found = []
    for name, event in sorted(scenario.events.items(), key=lambda item: (item[1].start, item[0])):
        if munition in event.rounds and clock.start <= event.start < clock.end:
            who = (event.recipient,) if event.recipient else ()
            found.append(Case("event", name, event.title, munition, event.start, event.end, who, *_edges(clock, event.start, event.end)))
    for name in policies:
        case = _policy(scenario, name, munition, clock) if name != BASELINE else None
        found += [case] if case else []
    return found


def _policy(scenario: Scenario, name: str, munition: str, clock: Clock) -> Case | None:
    """Return a policy as a case; None where it touches other munitions alone."""
    policy = scenario.policies[name]
    measures: list[schema.Suspension | schema.Review] = [*policy.suspensions, *([policy.review] if policy.review else [])]
    if not measures:
        start = max(scenario.as_of, clock.start)
        everyone = tuple(scenario.recipients)
        return Case("policy", name, policy.title, munition, start, None, everyone, *_edges(clock, start, None), suspends=False)
    own = [one for one in measures if {munition, "all"} & set(one.munitions)]
    if not own:
        return None
    start = min(one.start for one in own)
    if not clock.start <= start < clock.end:
        return None
    ends = [one.end if isinstance(one, schema.Suspension) and isinstance(one.end, dt.date) else None for one in own]
    end = None if None in ends else max(one for one in ends if one)
    who = tuple(r for r in scenario.recipients if any({r, "all"} & set(one.recipients) for one in own))
    return Case("policy", name, policy.title, munition, start, end, who, *_edges(clock, start, end))


def _edges(clock: Clock, start: dt.date, end: dt.date | None) -> tuple[int, int]:
    """Return the last step edge by the start, and the first from the end on."""
    first = int(np.floor(clock.at(start) * clock.substeps + 1e-9))
    most = len(clock.steps) - 1
    last = most if end is None else int(np.ceil(clock.at(end) * clock.substeps - 1e-9))
    return first, min(max(last, first + 1), most)


# ---------------------------------------------------------------- what is measured


def _measured(
    lanes: Lanes, cases: Sequence[Case], members: int, seed: int, threads: int, progress: Progress | None
) -> list[dict[str, Array]]:
    """Return for each case its numbers, draw by draw."""
    design = lanes.draws(seed, members)
    axes = lanes.made.axes
    found: list[dict[str, Array]] = [{} for _ in cases]
    cells = len(axes.policies) * len(axes.munitions) * len(lanes.entries) * len(lanes.made.clock.steps)
    done: list[int] = []

    def take(rows: Array, first: int) -> None:
        part = slice(first, first + rows.shape[-1])
        for munition in axes.munitions:
            own = _Block(lanes, rows, munition, design, first)
            for case, into in zip(cases, found, strict=True):
                if case.munition == munition:
                    for name, values in own.of(case).items():
                        into.setdefault(name, np.empty(members))[part] = values
        done.append(rows.shape[-1])
        if progress is not None:
            progress(sum(done))

    lanes.follow(design, take, at_once=int(np.clip(ROWS_BYTES // (8 * cells), 1, 256)), threads=threads)
    return found


class _Block:
    """Some members of one munition."""

    def __init__(self, lanes: Lanes, rows: Array, munition: str, design: Design, first: int) -> None:
        self.axes, self.clock, self.munition = lanes.made.axes, lanes.made.clock, munition
        self._rows = rows[:, self.axes.munitions.index(munition)]
        self._place = {(one.quantity, one.row): number for number, one in enumerate(lanes.entries)}
        self._numbers = Numbers(lanes.scenario, Drawn(design, first, rows.shape[-1]), self.clock)
        self._largest = self._largest_demand()

    def _series(self, quantity: str, row: str = US, policy: str = BASELINE) -> Array:
        """Return a quantity over time, shape (edges, members); flows have no number at the last edge."""
        found: Array = self._rows[self.axes.policies.index(policy), self._place[quantity, row]]
        return found if quantity == "us_on_hand" else found[:-1]

    def _month(self, quantity: str, row: str, first: int) -> Array:
        """Return a flow over the month that starts at an edge."""
        found: Array = self._series(quantity, row)[first : first + self.clock.substeps].sum(axis=0)
        return found

    def _need(self, row: str, first: int) -> Array:
        parts = NEEDS[:2] if row == US else NEEDS[2:]
        return self._month(parts[0], row, first) + self._month(parts[1], row, first)

    def _rounds(self, name: str, event: schema.Event) -> Array:
        drawn = self._numbers.product(f"events.{name}.rounds.{self.munition}", event.rounds[self.munition], event.start)
        return np.broadcast_to(drawn, self._rows.shape[-1:])

    def _largest_demand(self) -> Array:
        """Return the largest of the dated operations, and of what the US or a recipient needs in a month."""
        months = [self._by_month(row).max(axis=0) for row in (US, *self.axes.recipients)]
        operations = [
            self._rounds(name, event)
            for name, event in self._numbers.scenario.events.items()
            if event.kind == "operation" and self.munition in event.rounds
        ]
        return np.asarray(np.max([*months, *operations], axis=0))

    def _by_month(self, row: str) -> Array:
        """Return what the US or a recipient needs in each calendar month, shape (months, members)."""
        first, second = NEEDS[:2] if row == US else NEEDS[2:]
        steps = self._series(first, row) + self._series(second, row)
        return np.asarray(steps.reshape(self.clock.months, self.clock.substeps, -1).sum(axis=1))

    def of(self, case: Case) -> dict[str, Array]:
        """Return the numbers of a case."""
        events = self._numbers.scenario.events
        moved = {"rounds": self._rounds(case.name, events[case.name])} if case.kind == "event" else self._moved(case)
        rounds, stock = moved["rounds"], self._series("us_on_hand")[case.first]
        output = self._month("delivered", US, case.first)
        found = moved | {"stock": stock, "of_stock": _over(rounds, stock), "output": output}
        found |= {"output_days": DAYS_PER_MONTH * _over(rounds, output), "largest": self._largest}
        found["of_largest"] = _over(rounds, self._largest)
        if case.recipients:
            need = np.sum([self._need(row, case.first) for row in case.recipients], axis=0)
            found |= {"need": need, "months_of_need": _over(rounds, need)}
        return found

    def _moved(self, case: Case) -> dict[str, Array]:
        """Return what a policy moves against none."""
        found = {
            name: np.sum([self._series(flow, row, case.name).sum(axis=0) for row in self.axes.recipients], axis=0)
            for name, flow in CHANNELS.items()
        }
        received = np.stack([self._received(row, case.name) - self._received(row, BASELINE) for row in self.axes.recipients])
        otherwise = np.maximum(received, 0.0).sum(axis=0)
        found["rounds"] = np.sum(list(found.values()), axis=0) if case.suspends else otherwise
        change = self._series("us_on_hand", policy=case.name) - self._series("us_on_hand")
        return found | {"change_at_end": change[case.last], "change_at_horizon": change[-1]}

    def _received(self, row: str, policy: str) -> Array:
        kept = self._series("kept_back", row, policy) + self._series("diverted", row, policy)
        return np.asarray((self._series("sent", row, policy) + self._series("made_for", row, policy) - kept).sum(axis=0))


def _over(rounds: Array, whole: Array) -> Array:
    """Return a ratio; nothing of nothing is 0, something of nothing without end."""
    endless = np.where(rounds > 0.0, np.inf, 0.0)
    return np.divide(rounds, whole, out=endless, where=whole > 0.0)


# ---------------------------------------------------------------- rows


def _row(case: Case, values: Mapping[str, Array]) -> Row:
    row: Row = {
        "kind": case.kind, "name": case.name, "munition": case.munition, "title": case.title, "start": case.start, "end": case.end,
        "recipients": ", ".join(case.recipients), "suspends": case.suspends,
    }
    for name in ("rounds", "stock", "of_stock", "output", "output_days", "largest", "of_largest", "need", "months_of_need", *CHANNELS,
                 "change_at_end", "change_at_horizon"):
        ends = [float(one) for one in np.quantile(values[name], QUANTILES, method="inverted_cdf")] if name in values else [np.nan] * 3
        row |= {f"{name}_low": ends[0], name: ends[1], f"{name}_high": ends[2]}
    return row | {"word": word(row["of_stock_low"], row["of_stock_high"], row["rounds_high"])}


def word(low: float, high: float, most: float) -> str:
    """Return the word for a share of the US stock: by `WORDS`, or that its range spans more than one.

    Parameters
    ----------
    low, high : float
        Ends of the range of the share.
    most : float
        High end of the rounds moved.
    """
    if most < LEAST:
        return NOTHING
    first, last = (next(name for below, name in WORDS if share < below or below == np.inf) for share in (low, high))
    return first if first == last else f"{CLOSE} between {first} and {last}"
