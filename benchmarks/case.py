"""The inputs of the benchmark: one scenario and policy, every munition, many members, in the form that compiled code takes.

Members come in blocks of `LANES`. A block has a file of registers: rows of `LANES` numbers. Most series stay the same over many
steps, so a table says for each step and series which row holds its values; rows that are equal are there once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

import stockpile as sp
from stockpile.assemble import Assembly, assemble
from stockpile.codegen.trace import OF_THE_CALENDAR, OF_THE_POLICY, symbols
from stockpile.model.state import Constants, Known, State
from stockpile.simulate import on_steps

Array = NDArray[np.float64]
LANES = 256
STRIDE = LANES + 8
"""Numbers from one row to the next. Rows a power of two apart would all fall into a few sets of the first-level cache."""
RECIPIENTS = 3
UNUSED = "own_need_for"
"""Splits own use by cause; no stock and no summary rests on it."""
SPREAD = 0.1
"""A member's numbers lie up to this share below the central ones: then rates stay within what a step can bear, shares below 1."""


def _names(cls: type[Any], of_all: bool, uniform: frozenset[str]) -> tuple[str, ...]:
    """Return the names of the fields of `cls`, one a recipient where there is one, that are the same for all members, or not."""
    named = symbols(cls, "", RECIPIENTS, lambda name: name.lstrip("."))
    found = (getattr(named, field.name) for field in fields(cls) if field.name != UNUSED and (field.name in uniform) == of_all)
    return tuple(name for one in found for name in (one if isinstance(one, tuple) else (one,)))


LANE_SERIES = _names(Known, False, OF_THE_CALENDAR)
UNIFORM_SERIES = _names(Known, True, OF_THE_CALENDAR)
LANE_CONSTANTS = _names(Constants, False, OF_THE_POLICY)
UNIFORM_CONSTANTS = _names(Constants, True, OF_THE_POLICY)
STOCKS = _names(State, False, frozenset())


def summary_names(levels: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the rows of a case's summaries, in order."""
    lowest = ("stock", "number", "stock_ahead", "number_ahead")
    each = (f"{name}.{r}" for name in ("received", "sent", "used", "unmet") for r in range(RECIPIENTS))
    totals = ("to_us", "own_use", "own_unmet", *each)
    passages = tuple(f"{name}.{level}" for level in levels for name in ("first", "below", "back"))
    return (*(f"lowest.{n}" for n in lowest), *(f"total.{n}" for n in totals), *(f"passage.{n}" for n in passages))


@dataclass(frozen=True)
class Munition:
    """One munition under one policy. All arrays are C-contiguous float64 (`index` int32), on 64-byte boundaries.

    Attributes
    ----------
    registers : (blocks, rows, STRIDE)
    index : (steps, len(LANE_SERIES))
        Row of the file of registers.
    table : (steps, len(UNIFORM_SERIES))
    policy : (len(UNIFORM_CONSTANTS),)
    constants : (blocks, len(LANE_CONSTANTS), STRIDE)
    opening : (blocks, len(STOCKS), STRIDE)
    level : (blocks, levels, STRIDE)
    levels : tuple of str
    ahead : (steps + 1,)
        1 where a step edge lies after `as_of`, else 0.
    dt : float
        Length of a step [month].
    """

    name: str
    registers: Array
    index: NDArray[np.int32]
    table: Array
    policy: Array
    constants: Array
    opening: Array
    level: Array
    levels: tuple[str, ...]
    ahead: Array
    dt: float

    @property
    def members(self) -> int:
        """Number of members."""
        return int(self.registers.shape[0]) * LANES

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.index)


@dataclass(frozen=True)
class Case:
    """All munitions of a scenario under one policy.

    `repeats` is how often an engine of the block form runs a block before it takes the next one. It stands for the real thing, where
    a block's registers were written by the same core just before; and it makes a measurement long enough to be worth something.
    """

    scenario: str
    as_of: str
    policy: str
    munitions: tuple[Munition, ...]
    repeats: int

    @property
    def runs(self) -> int:
        """Number of munition-runs (one member of one munition over all months) in one call of an engine of the block form."""
        return sum(munition.members for munition in self.munitions) * self.repeats


def aligned(array: Any, dtype: Any = np.float64) -> NDArray[Any]:
    """Return a C-contiguous copy that begins on a 64-byte boundary."""
    array = np.asarray(array, dtype=dtype)
    room = np.zeros(array.nbytes + 64, dtype=np.uint8)
    start = -room.ctypes.data % 64
    result: NDArray[Any] = room[start : start + array.nbytes].view(dtype).reshape(array.shape)
    result[...] = array
    return result


def build(scenario: str = "july_2025", policy: str = "none", blocks: int = 32, repeats: int = 2, seed: int = 1) -> Case:
    """Return the case: central values, each number of each member multiplied by a factor of its own.

    Parameters
    ----------
    scenario, policy : str
    blocks : int
        Blocks of `LANES` members.
    repeats : int
        See `Case`.
    seed : int
        Of the factors.
    """
    loaded = sp.load(scenario)
    assembly = assemble(loaded, [policy])
    series = on_steps(assembly)
    ahead = assembly.clock.steps >= assembly.clock.at(loaded.as_of + dt.timedelta(days=1))
    munitions = tuple(
        _munition(assembly, series, number, ahead, blocks, np.random.default_rng((seed, number)))
        for number in range(len(assembly.axes.munitions))
    )
    return Case(scenario, str(loaded.as_of), policy, munitions, repeats)


def _munition(assembly: Assembly, series: Known, number: int, ahead: Any, blocks: int, random: np.random.Generator) -> Munition:
    name = assembly.axes.munitions[number]
    columns = [_value(series, field)[:, number] for field in LANE_SERIES]
    central, index = np.unique(np.stack(columns, axis=1), return_inverse=True)

    def spread(values: Any) -> Array:
        values = np.asarray(values, dtype=np.float64)
        return aligned(values[None, :, None] * random.uniform(1.0 - SPREAD, 1.0, (blocks, len(values), STRIDE)))

    constants = spread([_value(assembly.constants, field)[number] for field in LANE_CONSTANTS])
    constants[:, LANE_CONSTANTS.index("issue_time")] = 1.0 / constants[:, LANE_CONSTANTS.index("issue_rate")]
    levels = assembly.levels[name]
    return Munition(
        name=name,
        registers=spread(central),
        index=aligned(index.reshape(len(series.line), len(LANE_SERIES)), np.int32),
        table=aligned(np.stack([_value(series, field)[:, number] for field in UNIFORM_SERIES], axis=1)),
        policy=aligned([_value(assembly.constants, field)[number] for field in UNIFORM_CONSTANTS]),
        constants=constants,
        opening=spread([_value(assembly.opening, field)[number] for field in STOCKS]),
        level=spread([level[0] for level in levels.values()]),
        levels=tuple(levels),
        ahead=aligned(ahead),
        dt=assembly.clock.dt,
    )


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, least and most."""
    return {"median": median(values), "least": min(values), "most": max(values)}


def _value(item: Any, name: str) -> Array:
    field, _, number = name.partition(".")
    value = getattr(item, field)
    found: Array = value[int(number)] if number else value
    return found
