"""The NumPy engine on the same inputs, with the same summaries folded."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from benchmarks.case import LANE_CONSTANTS, LANE_SERIES, LANES, STOCKS, UNIFORM_CONSTANTS, UNIFORM_SERIES, UNUSED, Array, Case, Munition
from stockpile.codegen.trace import symbols
from stockpile.engine import fold
from stockpile.model.state import Constants, Known, State

BLOCK = 8192


class Rows:
    """A series: its values over a step are a row of the registers, or one number for all members."""

    def __init__(self, rows: Any, index: Any) -> None:
        self.rows, self.index = rows, index

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, step: int) -> Any:
        return self.rows[self.index[step]]


def run(case: Case, out: list[Array]) -> None:
    """Run every munition once; the summaries go into `out`."""
    for munition, into in zip(case.munitions, out, strict=True):
        for first in range(0, munition.members, BLOCK):
            blocks = slice(first // LANES, min(first + BLOCK, munition.members) // LANES)
            into[:, first : first + BLOCK] = _block(prepared(munition, blocks))


def prepared(munition: Munition, blocks: slice) -> tuple[Munition, Known, Constants, State, tuple[Array, ...]]:
    """Return the inputs of some blocks side by side: one array over all their members for each register, constant, stock and level."""

    def beside(array: Array) -> Array:
        return np.ascontiguousarray(array[blocks, :, :LANES].transpose(1, 0, 2)).reshape(array.shape[1], -1)

    registers, constants, opening = beside(munition.registers), beside(munition.constants), beside(munition.opening)
    series: dict[str, Any] = {name: Rows(registers, munition.index[:, n]) for n, name in enumerate(LANE_SERIES)}
    series |= {name: Rows(munition.table[:, n, None], range(munition.steps)) for n, name in enumerate(UNIFORM_SERIES)}
    fixed: dict[str, Any] = dict(zip(LANE_CONSTANTS, constants, strict=True))
    fixed |= {name: munition.policy[n : n + 1] for n, name in enumerate(UNIFORM_CONSTANTS)}
    stocks: dict[str, Any] = dict(zip(STOCKS, opening, strict=True))
    return munition, _of(Known, series), _of(Constants, fixed), _of(State, stocks), tuple(beside(munition.level))


def _of(cls: type[Any], values: dict[str, Any]) -> Any:
    def one(name: str) -> Any:
        field = name.lstrip(".")
        return () if field.startswith(UNUSED) else values[field]

    found = symbols(cls, "", 3, one)
    return type(found)(**{f.name: () if f.name == UNUSED else getattr(found, f.name) for f in fields(cls)})


def _block(given: tuple[Munition, Known, Constants, State, tuple[Array, ...]]) -> Array:
    munition, series, constants, opening, levels = given
    ahead = int(np.searchsorted(munition.ahead, 0.5))
    summary = fold.summarise((series, constants, opening), levels, munition.dt, ahead)
    found: list[Any] = [getattr(item, field.name) for item in (summary.lowest, summary.totals) for field in fields(item)]
    found += [value for passage in summary.passages for value in (passage.first, passage.below, passage.back)]
    return np.stack([one for value in found for one in _each(value)])


def _each(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
