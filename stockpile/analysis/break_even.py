"""The value of a lever at which the probability that a stock goes below a level crosses a given one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile import sampling_error
from stockpile.analysis.crossing import Crossings, crossings
from stockpile.clock import Array
from stockpile.errors import InputError
from stockpile.experiments.lanes import Progress
from stockpile.experiments.outcomes import outcome
from stockpile.experiments.points import Points, everything
from stockpile.experiments.varied import Value
from stockpile.scenario import Scenario
from stockpile.simulate import manifest
from stockpile.sweep.designs import axes_of

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.95
"""Coverage of the intervals of Monte Carlo error."""
CROSSINGS = ("over", "verdict", "direction", "value", "from", "to", "low", "high", "shape", "sure")


@dataclass(frozen=True)
class BreakEven:
    """Where a probability crosses a level.

    Attributes
    ----------
    outcome, policy : str
        Whose mean is the probability, and under which policy.
    level : float
        The probability that is looked for.
    lever : str
        Path of what is varied.
    over : str or None
        Path of a second lever; the crossing is then a curve over it.
    curve : pandas.DataFrame
        A row a point: over, lever, probability, low, high (interval of Monte Carlo error), members.
    crossings : pandas.DataFrame
        A row a crossing, or one for a value of `over` that has none: over, verdict (``crosses``; ``never``: below the level at every
        value of the lever; ``always``: at or above it), direction (``up`` or ``down`` as the lever grows), value (interpolated),
        from, to (the points on both sides), low, high (where it may lie by the Monte Carlo intervals; none where that is beyond the
        values of the lever), shape (``rising``, ``falling``, ``flat``, ``not monotone``), sure (whether the verdict holds within
        these intervals).
    manifest : dict
    """

    outcome: str
    policy: str
    level: float
    lever: str
    over: str | None
    curve: pd.DataFrame
    crossings: pd.DataFrame
    manifest: dict[str, Any] = field(repr=False)


def break_even(  # noqa: PLR0913 - the names that users give
    scenario: Scenario,
    lever: Mapping[str, Any],
    chance: str,
    policy: str,
    *,
    level: float = 0.1,
    over: Mapping[str, Any] | None = None,
    members: int = 2000,
    seed: int = 1,
    engine: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> BreakEven:
    """Return where the probability of an outcome crosses a level as a lever is moved; all points on the same draws.

    Parameters
    ----------
    scenario : Scenario
    lever : mapping
        One path with its values: ``"from:to:step"``, or a list; numbers or dates.
    chance : str
        An outcome that is a probability, for example ``pac3:below.transfer_floor@2027-01-01``.
    policy : str
    level : float
        The probability that is looked for, between 0 and 1.
    over : mapping, optional
        A second path with its values.
    members, seed : int
    engine, threads, progress
        As of `ensemble`; `progress` is called with the number of points done.

    Raises
    ------
    InputError
        For an outcome that is no probability, a level outside 0 and 1, and paths or values that cannot be.
    """
    wanted = outcome(chance, scenario)
    if not wanted.is_chance or wanted.is_change:
        message = f"{chance!r} is no probability; allowed: MUNITION:below.LEVEL, perhaps with @DATE"
        raise InputError.one("chance", message, file="break_even")
    if not 0.0 < level < 1.0:
        raise InputError.one("level", f"{level!r}; allowed: a probability between 0 and 1", file="break_even")
    path, values = _axis(lever, "lever")
    other, steps = _axis(over, "over") if over else (None, [None])
    columns: dict[str, Sequence[Value]] = {} if other is None else {other: [step for step in steps for _ in values]}
    columns[path] = [value for _ in steps for value in values]
    points = Points(
        scenario, columns, [policy], members=members, seed=seed, metrics=[wanted.name], munitions=[wanted.munition], engine=engine
    )
    rows = everything(points, threads=threads, progress=progress)
    place = next(number for number, key in enumerate(rows.keys) if key == (wanted.munition, wanted.recipient, wanted.name))
    probability = rows.sums.mean[:, 0, place].reshape(len(steps), len(values))
    return BreakEven(
        str(wanted), policy, level, path, other, *_frames(steps, values, probability, members, level),
        manifest(scenario, (policy,)) | {"members": members, "seed": seed},
    )


def _axis(given: Mapping[str, Any], key: str) -> tuple[str, list[Value]]:
    """Return a path and its values, in their order."""
    if len(given) != 1:
        raise InputError.one(key, f"{', '.join(given) or 'nothing'}; allowed: one path with its values", file="break_even")
    path, axis = next(iter(axes_of(given).items()))
    if axis.is_range:
        raise InputError.one(key, f"{path} has a range without a step; allowed: FROM:TO:STEP, or values", file="break_even")
    return path, sorted(axis.values, key=_number)


def _frames(
    steps: Sequence[Value], values: Sequence[Value], probability: Array, members: int, level: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    import pandas as pd

    curve: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    at = [_number(value) for value in values]
    for step, row in zip(steps, probability, strict=True):
        hits = np.round(row * members)
        ends = [sampling_error.proportion_interval(int(one), members, LEVEL) for one in hits]
        low, high = np.array([end[0] for end in ends], float), np.array([end[1] for end in ends], float)
        curve += [
            {"over": step, "lever": value, "probability": p, "low": a, "high": b, "members": members}
            for value, p, a, b in zip(values, row, low, high, strict=True)
        ]
        found += _rows(step, crossings(at, row, level, low, high), values[0])
    return pd.DataFrame(curve), pd.DataFrame(found, columns=list(CROSSINGS))


def _rows(step: Value, found: Crossings, like: Value) -> list[dict[str, Any]]:
    """Return a row a crossing, or one that says there is none."""
    shared = {"over": step, "verdict": found.verdict, "shape": found.shape, "sure": found.sure}
    if not found.crossings:
        return [shared | dict.fromkeys(("direction", "value", "from", "to", "low", "high"))]
    rows = []
    for one in found.crossings:
        within = one.within
        rows.append(
            shared | {
                "direction": "up" if one.rising else "down", "value": _value(one.at, like), "from": _value(one.before, like),
                "to": _value(one.after, like), "low": _value(within.low, like) if within and not within.low_open else None,
                "high": _value(within.high, like) if within and not within.high_open else None,
            }
        )
    return rows


def _number(value: Value) -> float:
    """Return a value as a number: a date as its day."""
    if isinstance(value, bool | str) or value is None:
        raise InputError.one("lever", f"{value!r} is neither a number nor a date; allowed: values in an order", file="break_even")
    return float(value) if isinstance(value, int | float) else float(value.toordinal())


def _value(number: float, like: Value) -> Value:
    """Return a number as a value of the kind of `like`."""
    return dt.date.fromordinal(round(number)) if isinstance(like, dt.date) else number
