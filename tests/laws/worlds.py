"""Random worlds at the level of arrays: opening stocks, series and constants, within what loading a scenario allows.

A world has many lanes, each a run of its own. There are two ways to draw one. `Many` draws hundreds of lanes from one seed, so that
a law is tried on thousands of runs in a second. `Readable` is one run written in small whole numbers, so that what Hypothesis
finds can be read and worked out by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray

from stockpile.engine import difference
from stockpile.engine.trajectories import Trajectories
from stockpile.model.state import Constants, Known, State

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
MONTHS, RECIPIENTS, LANES = 30, 3, 500
TOLERANCE = 1e-9
"""Of the scale of a lane: its largest stock."""
SHARES = ("cut", "set_aside", "hold_new", "divert_new")


@dataclass(frozen=True)
class World:
    """What a run needs; arrays of shape (lanes,) and (steps, lanes)."""

    opening: State
    series: Known
    constants: Constants
    dt: float

    @property
    def shape(self) -> tuple[int, int]:
        return self.series.line.shape

    @property
    def recipients(self) -> int:
        return len(self.opening.on_hand)

    def run(self) -> Trajectories:
        return difference.run(self.opening, self.series, self.constants, self.dt, self.shape[0])

    def with_series(self, **changes: Any) -> World:
        return replace(self, series=replace(self.series, **changes))

    def with_stock(self, us_on_hand: Array) -> World:
        return replace(self, opening=replace(self.opening, us_on_hand=us_on_hand))

    def fully_funded(self, line: Array) -> World:
        """Return the world with every round that `line` can make ordered in time: lots are the line, and the book is full."""
        order_book = line.max(axis=0) / self.constants.line_rate
        return replace(self.with_series(line=line, lots=line), opening=replace(self.opening, order_book=order_book))

    def suspended(self, kind: Kind, share: Array, targets: tuple[int, ...] = (0,)) -> World:
        """Return the world with a suspension of `kind` of the targets, `share` of each step being suspended."""
        none = np.zeros(self.shape)
        names = kind.series()
        shares = {name: tuple(share if name in names and r in targets else none for r in range(self.recipients)) for name in SHARES}
        return self.with_series(**shares, **{f"review_{name}": arrays for name, arrays in shares.items()})

    def reviewed(self, kind: Kind, share: Array, on: Array, off: Array) -> World:
        """Return the world with a review that suspends everybody while the stock is low, on top of what is dated."""
        names = kind.series()
        dated = {name: getattr(self.series, name) for name in SHARES}
        other = {"hold_new": "divert_new", "divert_new": "hold_new"}
        room = {name: tuple(1.0 - one for one in dated[other[name]]) if name in other else None for name in SHARES}
        found = {}
        for name in SHARES:
            larger = tuple(np.maximum(one, share) for one in dated[name]) if name in names else dated[name]
            left = room[name]
            found[f"review_{name}"] = larger if left is None else tuple(np.minimum(a, b) for a, b in zip(larger, left, strict=True))
        wide = np.ones(self.shape)
        return self.with_series(**found, review_on=on * wide, review_off=off * wide)

    def each(self, change: Callable[[Any], Any]) -> World:
        """Return the world with every array changed."""

        def changed(item: Any) -> Any:
            values = {field.name: getattr(item, field.name) for field in fields(item)}
            return type(item)(**{n: tuple(change(a) for a in v) if isinstance(v, tuple) else change(v) for n, v in values.items()})

        return World(changed(self.opening), changed(self.series), changed(self.constants), self.dt)


@dataclass(frozen=True)
class Kind:
    """What a suspension does to transfers from stock and to new production."""

    transfers: str | None
    new_production: str | None

    def __str__(self) -> str:
        return f"transfers {self.transfers}, new production {self.new_production}"

    def series(self) -> tuple[str, ...]:
        names = {"deferred": "set_aside", "cancelled": "cut", "held": "hold_new", "diverted": "divert_new"}
        return tuple(names[word] for word in (self.transfers, self.new_production) if word is not None)


KINDS = tuple(Kind(t, n) for t in (None, "deferred", "cancelled") for n in (None, "held", "diverted") if t or n)
NO_SUSPENSION = Kind(None, None)


class Case(Protocol):
    """One drawn case: a world and the changes that a law makes to it."""

    def world(self, recipients: int = RECIPIENTS) -> World: ...
    def share(self, world: World) -> Array: ...
    def rates(self, world: World) -> Array: ...
    def level(self, world: World) -> Array: ...
    def plenty(self, world: World) -> Array: ...


def overlap(world: World, start: Array | float, end: Array | float) -> Array:
    """Return the share of each step that lies in [start, end) months, shape (steps, lanes)."""
    return _overlap(world.shape[0], world.dt, start, end)


def _overlap(steps: int, dt: float, start: Array | float, end: Array | float) -> Array:
    low = np.arange(steps)[:, None] * dt
    return np.maximum(np.minimum(low + dt, end) - np.maximum(low, start), 0.0) / dt


def enough(world: World) -> Array:
    """Return the stock that meets all that may be used and sent over the run, with what ages away and stays behind."""
    total = world.series.own_need.sum(axis=0) + sum(one.sum(axis=0) for one in world.series.authorised)
    months = world.shape[0] * world.dt
    kept = world.series.floor.max(axis=0) + world.series.own_need.max(axis=0) * world.constants.issue_time
    return (total * world.dt + kept) * np.exp(np.minimum(2.0 * world.constants.loss * months, 12.0))


# ---------------------------------------------------------------- many lanes from a seed


class Draws:
    """Random numbers, one a lane."""

    def __init__(self, seed: tuple[int, ...], shape: tuple[int, int]) -> None:
        self.rng = np.random.default_rng(seed)
        self.steps, self.lanes = shape

    def uniform(self, low: float = 0.0, high: float = 1.0) -> Array:
        return self.rng.uniform(low, high, self.lanes)

    def either(self, probability: float, first: Any, second: Any) -> Array:
        return np.where(self.rng.random(self.lanes) < probability, first, second)

    def magnitude(self, low: float = -2.0, high: float = 1.0) -> Array:
        """Return 0 at times, else a power of ten between `low` and `high`."""
        return self.either(0.12, 0.0, 10.0 ** self.uniform(low, high))

    def rates(self, low: float = -2.0, high: float = 1.0) -> Array:
        """Return rates over the steps: constant, in three pieces, of single steps, or new in each step."""
        steps, lanes, rng = self.steps, self.lanes, self.rng
        size = self.magnitude(low, high)
        number = np.arange(steps)[:, None]
        first, second = np.sort(rng.integers(0, steps + 1, (2, lanes)), axis=0)
        levels = np.where(rng.random((3, lanes)) < 0.25, 0.0, rng.random((3, lanes)) * 2.0)
        pieces = np.where(number < first, levels[0], np.where(number < second, levels[1], levels[2]))
        spikes = np.where(rng.random((steps, lanes)) < 0.1, rng.random((steps, lanes)) * 10.0, 0.0)
        noise = rng.random((steps, lanes)) * 2.0
        kind = rng.integers(0, 4, lanes)
        return size * np.select([kind == 0, kind == 1, kind == 2], [np.ones((steps, lanes)), pieces, spikes], noise)

    def at_least(self, least: Array) -> Array:
        """Return times at their least in a third of the lanes, else up to six times as long."""
        return least * (1.0 + self.either(0.35, 0.0, self.uniform() ** 2 * 5.0))


@dataclass(frozen=True)
class Many:
    """Several hundred runs of thirty months, drawn from `seed`."""

    seed: int
    substeps: int = 1
    lanes: int = LANES

    def _draws(self, stream: int) -> Draws:
        return Draws((self.seed, stream), (MONTHS * self.substeps, self.lanes))

    def world(self, recipients: int = RECIPIENTS) -> World:
        """Return a world without any suspension."""
        draw, n = self._draws(0), float(self.substeps)
        steps, lanes = draw.steps, draw.lanes
        k = self._constants(draw, recipients)
        none = np.zeros((steps, lanes))
        nothing = tuple(none for _ in range(recipients))
        parts = np.where(draw.rng.random((recipients + 1, lanes)) < 0.2, 0.0, draw.rng.random((recipients + 1, lanes)))
        parts = parts / np.maximum(parts.sum(axis=0), 1e-9)
        history = _overlap(steps, 1.0 / n, 0.0, draw.either(0.5, 0.0, draw.uniform(0.0, MONTHS / 2)))
        line = draw.rates()
        planned = tuple(draw.rates() for _ in range(recipients))
        own = tuple(draw.rates() * draw.either(0.5, 1.0, 0.0) for _ in range(recipients + 2))
        series = Known(
            line=line,
            lots=draw.either(0.3, line, draw.rates()),
            us_share=np.tile(parts[0], (steps, 1)),
            share=tuple(np.tile(part, (steps, 1)) for part in parts[1:]),
            own_need=sum(own[1:], own[0]),
            own_need_for=own,
            need=tuple(p + draw.rates() * draw.either(0.5, 0.0, 1.0) for p in planned),
            planned_need=planned,
            authorised=tuple(draw.rates(-2.0, 2.0) for _ in range(recipients)),
            history=history,
            other_supply=tuple(draw.rates() * draw.either(0.5, 0.0, 1.0) for _ in range(recipients)),
            us_inflow=draw.rates() * draw.either(0.5, 0.0, 1.0),
            **dict.fromkeys(SHARES, nothing),
            **{f"review_{name}": nothing for name in SHARES},
            review_on=none,
            review_off=none,
            floor=draw.either(0.4, 0.0, draw.magnitude(-1.0, 1.5)) * (1.0 - history),
        )
        zero = np.zeros(lanes)
        opening = State(
            us_on_hand=draw.magnitude(-1.0, 2.0),
            order_book=line[0] / k.line_rate,
            on_hand=tuple(draw.magnitude(-1.0, 1.5) for _ in range(recipients)),
            withheld=tuple(zero for _ in range(recipients)),
            deferred=tuple(zero for _ in range(recipients)),
            review=zero,
        )
        return World(opening, series, k, 1.0 / n)

    def _constants(self, draw: Draws, recipients: int) -> Constants:
        """Return times and rules; the times are those that loading a scenario allows, at their limit in many lanes."""
        n = float(self.substeps)
        loss = draw.either(0.4, 0.0, draw.uniform(0.0, 0.3))
        issue = draw.at_least(1.0 / (n - loss))
        catch_up = draw.at_least(issue)
        commit = draw.uniform(0.0, 0.9 * (n - loss))
        order = draw.at_least(np.maximum(catch_up, 1.0 / (n - commit - loss)))
        return Constants(
            line_rate=1.0 / draw.at_least(np.full(draw.lanes, 1.0 / n)),
            issue_time=issue,
            issue_rate=1.0 / issue,
            release_rate=1.0 / draw.at_least(1.0 / (n - loss)),
            catch_up_rate=1.0 / catch_up,
            order_rate=1.0 / order,
            cover=draw.uniform(0.0, 6.0),
            commit=commit,
            loss=loss,
            pro_rata=draw.either(0.5, 1.0, 0.0),
            priority=tuple(draw.rng.integers(0, recipients, draw.lanes).astype(float) for _ in range(recipients)),
            weight=tuple(10.0 ** draw.uniform(-2.0, 2.0) for _ in range(recipients)),
        )

    def share(self, world: World) -> Array:
        """Return the share of each step that one or two windows suspend, the larger where they overlap."""
        draw = self._draws(1)
        found = np.zeros(world.shape)
        for number in range(2):
            start = draw.either(0.1, 0.0, draw.uniform(0.0, MONTHS))
            end = draw.either(0.25, MONTHS, start + draw.uniform() ** 2 * MONTHS)
            strength = draw.either(0.5, 1.0, draw.uniform()) * (1.0 if number == 0 else draw.either(0.5, 0.0, 1.0))
            found = np.maximum(found, strength * overlap(world, start, end))
        return found

    def rates(self, world: World) -> Array:
        return self._draws(2).rates()

    def level(self, world: World) -> Array:
        return self._draws(3).magnitude(-2.0, 1.5)

    def plenty(self, world: World) -> Array:
        return enough(world) * self._draws(4).uniform(0.2, 1.5)


# ---------------------------------------------------------------- one run that can be read


@dataclass(frozen=True)
class Readable:
    """One run of thirty months in whole numbers. Rates are (before `turn`, after it); tuples of tuples are by recipient.

    Times are given as what they exceed their least by [month], loss and commit in hundredths a month.
    """

    turn: int
    us_stock: int
    stock: tuple[int, ...]
    line: tuple[int, int]
    lots: tuple[int, int]
    us_part: int
    part: tuple[int, ...]
    own_need: tuple[int, int]
    planned_need: tuple[tuple[int, int], ...]
    further_need: tuple[tuple[int, int], ...]
    authorised: tuple[tuple[int, int], ...]
    other_supply: tuple[tuple[int, int], ...]
    us_inflow: tuple[int, int]
    history: int
    floor: int
    loss: int
    commit: int
    cover: int
    later: tuple[int, int, int, int, int]
    pro_rata: bool
    priority: tuple[int, ...]
    weight: tuple[int, ...]
    window: tuple[int, int]
    tenths: int
    more: tuple[int, int]

    def world(self, recipients: int = RECIPIENTS) -> World:
        shape = (MONTHS, 1)

        def one(pair: tuple[int, int]) -> Array:
            return np.where(np.arange(MONTHS)[:, None] < self.turn, float(pair[0]), float(pair[1]))

        def by(pairs: tuple[tuple[int, int], ...]) -> tuple[Array, ...]:
            return tuple(one(pair) for pair in pairs[:recipients])

        def lane(number: float) -> Array:
            return np.array([float(number)])

        def lanes(numbers: tuple[int, ...]) -> tuple[Array, ...]:
            return tuple(lane(number) for number in numbers[:recipients])

        loss, commit = self.loss / 100.0, self.commit / 100.0
        line, release, issue, catch_up, order = (float(number) for number in self.later)
        issue = 1.0 / (1.0 - loss) + issue
        catch_up = issue + catch_up
        order = max(catch_up, 1.0 / (1.0 - loss - commit)) + order
        none = np.zeros(shape)
        whole = max(self.us_part + sum(self.part[:recipients]), 1)
        history = _overlap(MONTHS, 1.0, 0.0, float(self.history))
        planned, further = by(self.planned_need), by(self.further_need)
        own = one(self.own_need)
        nothing = tuple(none for _ in range(recipients))
        series = Known(
            line=one(self.line),
            lots=one(self.lots),
            us_share=none + self.us_part / whole,
            share=tuple(none + part / whole for part in self.part[:recipients]),
            own_need=own,
            own_need_for=(own, *nothing, none),
            need=tuple(p + f for p, f in zip(planned, further, strict=True)),
            planned_need=planned,
            authorised=by(self.authorised),
            history=history,
            other_supply=by(self.other_supply),
            us_inflow=one(self.us_inflow),
            **dict.fromkeys(SHARES, nothing),
            **{f"review_{name}": nothing for name in SHARES},
            review_on=none,
            review_off=none,
            floor=self.floor * (1.0 - history),
        )
        constants = Constants(
            line_rate=1.0 / lane(1.0 + line),
            issue_time=lane(issue),
            issue_rate=1.0 / lane(issue),
            release_rate=1.0 / lane(1.0 / (1.0 - loss) + release),
            catch_up_rate=1.0 / lane(catch_up),
            order_rate=1.0 / lane(order),
            cover=lane(self.cover),
            commit=lane(commit),
            loss=lane(loss),
            pro_rata=lane(self.pro_rata),
            priority=lanes(self.priority),
            weight=lanes(self.weight),
        )
        opening = State(
            us_on_hand=lane(self.us_stock),
            order_book=series.line[0] / constants.line_rate,
            on_hand=lanes(self.stock),
            withheld=lanes((0,) * recipients),
            deferred=lanes((0,) * recipients),
            review=lane(0.0),
        )
        return World(opening, series, constants, 1.0)

    def share(self, world: World) -> Array:
        start, length = self.window
        return self.tenths / 10.0 * overlap(world, float(start), float(start + length))

    def rates(self, world: World) -> Array:
        return np.where(np.arange(MONTHS)[:, None] < self.turn, float(self.more[0]), float(self.more[1]))

    def level(self, world: World) -> Array:
        return np.array([float(self.more[0])])

    def plenty(self, world: World) -> Array:
        return enough(world)


def readable() -> st.SearchStrategy[Readable]:
    """Return the strategy of readable runs: small whole numbers, nought first."""

    def pair(most: int) -> st.SearchStrategy[tuple[int, int]]:
        return st.tuples(st.integers(0, most), st.integers(0, most))

    def each(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
        return st.tuples(*[strategy] * RECIPIENTS)

    return st.builds(
        Readable,
        turn=st.integers(0, MONTHS),
        us_stock=st.integers(0, 100),
        stock=each(st.integers(0, 20)),
        line=pair(10),
        lots=pair(10),
        us_part=st.integers(0, 4),
        part=each(st.integers(0, 4)),
        own_need=pair(10),
        planned_need=each(pair(10)),
        further_need=each(pair(10)),
        authorised=each(pair(20)),
        other_supply=each(pair(5)),
        us_inflow=pair(5),
        history=st.integers(0, MONTHS),
        floor=st.integers(0, 50),
        loss=st.integers(0, 10),
        commit=st.integers(0, 80),
        cover=st.integers(0, 4),
        later=st.tuples(*[st.integers(0, 2)] * 5),
        pro_rata=st.booleans(),
        priority=each(st.integers(0, RECIPIENTS - 1)),
        weight=each(st.integers(1, 9)),
        window=st.tuples(st.integers(0, MONTHS), st.integers(0, MONTHS)),
        tenths=st.integers(0, 10),
        more=pair(10),
    )


def many(*substeps: int) -> st.SearchStrategy[Many]:
    """Return the strategy of several hundred runs at once."""
    return st.builds(Many, seed=st.integers(0, 2**32 - 1), substeps=st.sampled_from(substeps or (1,)))


def law(check: Callable[..., None]) -> Callable[..., None]:
    """Turn a law, a function of a case and of `draw`, into a test over many random runs and over readable ones."""

    @pytest.mark.parametrize("runs", ["many", "readable"])
    @given(data=st.data())
    def test(runs: str, data: st.DataObject) -> None:
        check(data.draw(readable() if runs == "readable" else many(), label="runs"), lambda s, label: data.draw(s, label=label))

    test.__name__, test.__doc__ = check.__name__, check.__doc__
    return test


# ---------------------------------------------------------------- reading a run


def scale(*runs: Trajectories) -> Array:
    """Return the largest stock of each lane in any of the runs, shape (lanes,)."""
    stocks = [array.reshape(-1, array.shape[-1]) for run in runs for name, array in run.stocks.items() if name != "review"]
    return np.max([np.abs(array).max(axis=0) for array in stocks], axis=0)


def cumulative(flow: Array) -> Array:
    """Return a flow's sum up to each step edge, 0 at the first: (..., steps, lanes) to (..., steps + 1, lanes)."""
    return np.concatenate([np.zeros_like(flow[..., :1, :]), np.cumsum(flow, axis=-2)], axis=-2)


def received(run: Trajectories) -> Array:
    """Return what each recipient has received by each date, shape (recipients, steps + 1, lanes)."""
    f = run.flows
    return cumulative(f["sent"] + f["made_for"] - f["kept_back"] - f["diverted"] + f["released"])


def stock(run: Trajectories) -> Array:
    return run.stocks["us_on_hand"]


def own_use(run: Trajectories) -> Array:
    """Return what US forces have used by each date, shape (steps + 1, lanes)."""
    return cumulative(run.flows["own_use"])


def own_use_never_short(*runs: Trajectories) -> Mask:
    """Return in which lanes own use is met at every step of every run, shape (lanes,)."""
    return np.all([run.flows["own_unmet"].max(axis=0) <= 0.0 for run in runs], axis=0)


def ample(*runs: Trajectories) -> Mask:
    """Return in which lanes nobody, US forces or recipient, ever gets less than asked for, in any of the runs."""
    found = own_use_never_short(*runs)
    for run in runs:
        f = run.flows
        short = (f["request"] - f["dropped"] - f["granted"]).max(axis=(0, 1))
        found &= short <= 1e-12 * scale(run)
    return found


def never_less(less: Array, more: Array, size: Array, where: Mask | None = None) -> None:
    """Assert that `more` is nowhere below `less`, to the tolerance of each lane; arrays of shape (..., lanes)."""
    below = (less - more) / np.maximum(size, 1e-300)
    worst = below.reshape(-1, below.shape[-1]).max(axis=0)
    if where is not None:
        worst = np.where(where, worst, 0.0)
    lane = int(worst.argmax())
    assert worst[lane] <= TOLERANCE, f"lane {lane}: {worst[lane]:.3g} of the largest stock ({size[lane]:.6g} rounds) too low"


def quiet(*, months: int, recipients: int, us_on_hand: float) -> World:
    """Return a world of one lane in which nothing moves: all times one month, no loss, no floor, no production, no need."""
    one, zero, still = np.ones(1), np.zeros(1), np.zeros((months, 1))

    def each(array: Array) -> tuple[Array, ...]:
        return tuple(array.copy() for _ in range(recipients))

    single = {"line", "lots", "us_share", "own_need", "history", "us_inflow", "review_on", "review_off", "floor"}
    series = Known(**{field.name: still.copy() if field.name in single else each(still) for field in fields(Known)})
    rates = {field.name: one.copy() for field in fields(Constants)} | {"cover": zero.copy(), "commit": zero.copy(), "loss": zero.copy()}
    constants = Constants(**{**rates, "priority": each(zero), "weight": each(one)})
    opening = State(us_on_hand * one, zero.copy(), each(zero), each(zero), each(zero), zero.copy())
    return World(opening, series, constants, 1.0)
