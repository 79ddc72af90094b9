"""Indices with twice as many base points each time, until their order holds: their intervals are too narrow with few points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stockpile.analysis.indices import Indices, Run, indices
from stockpile.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Stopping:
    """When indices are taken to be settled.

    Attributes
    ----------
    matter : float
        Total index above which a factor matters.
    leading : int
        How many of those that matter are looked at, the largest first.
    width : float
        Widest interval of their total indices.
    """

    matter: float = 0.02
    leading: int = 5
    width: float = 0.1


@dataclass(frozen=True, eq=False)
class Round:
    """Indices at a number of base points.

    Attributes
    ----------
    indices : Indices
    leading : tuple of tuple of str
        For each output the leading factors that matter, the largest total index first.
    same : array of bool, shape (outputs,)
        Whether they are those of the round before, in the same order.
    widest : array, shape (outputs,)
        Widest interval of their total indices; 0 where there is none.
    stable : array of bool, shape (outputs,)
        Whether the order is the same and the intervals are narrow enough.
    """

    indices: Indices
    leading: tuple[tuple[str, ...], ...]
    same: NDArray[np.bool_]
    widest: NDArray[np.float64]
    stable: NDArray[np.bool_]

    @property
    def points(self) -> int:
        """Base points."""
        return self.indices.points


@dataclass(frozen=True)
class Rounds:
    """All rounds, in order.

    Attributes
    ----------
    rounds : tuple of Round
    """

    rounds: tuple[Round, ...]

    @property
    def last(self) -> Round:
        """The round with the most base points."""
        return self.rounds[-1]

    @property
    def stable(self) -> bool:
        """Whether all outputs are settled in the last round."""
        return bool(self.last.stable.all())

    def unsettled(self, output: int = 0) -> tuple[tuple[str, str], ...]:
        """Return the pairs of factors of which the larger changed between the last two rounds.

        A factor that leads in one of them only is paired with none. Outputs are numbered as in `Round.leading`.
        """
        if len(self.rounds) < 2:
            return ()
        before, after = (one.leading[output] for one in self.rounds[-2:])
        common = [name for name in before if name in after]
        place = {name: after.index(name) for name in common}
        return tuple((one, other) for number, one in enumerate(common) for other in common[number + 1 :] if place[one] > place[other])

    def table(self, outputs: Sequence[str] | None = None) -> pd.DataFrame:
        """Return a row a round and output: points, output, leading (a tuple), same, widest, stable."""
        import pandas as pd

        names = list(outputs) if outputs is not None else list(range(len(self.last.leading)))
        rows = [
            (one.points, name, one.leading[place], bool(one.same[place]), float(one.widest[place]), bool(one.stable[place]))
            for one in self.rounds
            for place, name in enumerate(names)
        ]
        return pd.DataFrame(rows, columns=["points", "output", "leading", "same", "widest", "stable"])


def until_stable(
    run: Run, start: int, most: int, factors: Sequence[str] | None = None, *,
    stopping: Stopping | None = None, resamples: int = 500, level: float = 0.95, seed: int = 0,
) -> Rounds:
    """Return indices with `start` base points, then twice as many each time, until they are settled for all outputs.

    That is, until the leading factors are the same as in the round before, in the same order, and their intervals are narrow; or
    until twice as many would be more than `most`. Factors of equal importance never settle: see `Rounds.unsettled`.

    Parameters
    ----------
    run : callable
        run(first, count) returns the outputs y_a, y_b and y_ab (shapes as of `indices`) at base points first to first + count - 1.
        Each base point is asked for once.
    start, most : int
        Base points; `start` a power of 2, as a Sobol sequence asks.
    factors, resamples, level, seed
        As of `indices`.
    stopping : Stopping, optional

    Raises
    ------
    InputError
        If `start` is not a power of 2 and at least 2, or `most` is below it.
    """
    if start < 2 or start & (start - 1) or most < start:
        raise InputError.one("points", f"from {start} to {most}; allowed: a power of 2, 2 or more, and at least as many at most")
    rule = stopping or Stopping()
    rounds: list[Round] = []
    outputs = [np.asarray(each, dtype=np.float64) for each in run(0, start)]
    while True:
        found = indices(outputs[0], outputs[1], outputs[2], factors, resamples=resamples, level=level, seed=seed)
        rounds.append(_round(found, rounds[-1] if rounds else None, rule))
        points = found.points
        if rounds[-1].stable.all() or 2 * points > most:
            return Rounds(tuple(rounds))
        more = run(points, points)
        outputs = [np.concatenate((old, np.asarray(new, dtype=np.float64)), axis=-1) for old, new in zip(outputs, more, strict=True)]


def _round(found: Indices, before: Round | None, rule: Stopping) -> Round:
    total = found.total.reshape(len(found.factors), -1)
    width = (found.total_high - found.total_low).reshape(total.shape)
    places = [_leading(column, rule) for column in total.T]
    leading = tuple(tuple(found.factors[place] for place in own) for own in places)
    same = np.array([before is not None and before.leading[output] == own for output, own in enumerate(leading)], dtype=bool)
    widest = np.array([width[own, output].max(initial=0.0) for output, own in enumerate(places)])
    return Round(found, leading, same, widest, same & (widest <= rule.width))


def _leading(total: NDArray[np.float64], rule: Stopping) -> list[int]:
    known = np.nan_to_num(total, nan=-1.0)
    order = np.argsort(-known, kind="stable")
    return [int(place) for place in order if known[place] > rule.matter][: rule.leading]

