"""Policies over scenarios: how much worse each is than the best one there, and how often what is asked of it holds.

Regret after Savage, "The theory of statistical decision", Journal of the American Statistical Association 46, 1951,
https://doi.org/10.1080/01621459.1951.10500768; satisficing after Lempert and Collins, Risk Analysis 27, 2007,
https://doi.org/10.1111/j.1539-6924.2007.00940.x. Where members are given, each is one draw on which all policies were run, and the
intervals are of Monte Carlo error, draw by draw (see `stockpile.sampling_error`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stockpile.errors import InputError, Problem, nearest
from stockpile.sampling_error import mean_interval, proportion_interval

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

LOWER, HIGHER = "lower", "higher"
AT_MOST, AT_LEAST = "at most", "at least"
SAME = 1e-9
"""Share of the largest number within which two numbers are equal."""
LEVEL = 0.95


@dataclass(frozen=True)
class Regret:
    """How much worse policies are than the best one of each scenario.

    Attributes
    ----------
    by_scenario : pandas.DataFrame
        A row a scenario and policy: value (mean over the members), best (that of the best policy), regret, low, high (interval of the
        regret against that policy, at least 0), is_best, and unsure (the policy is not best, but the interval of the difference spans 0).
    by_policy : pandas.DataFrame
        A row a policy, in the order given: maximum, maximum_low, maximum_high and scenario (where it is, the first of equals); mean,
        mean_low, mean_high; rank_by_maximum and rank_by_mean (1 is the least regret, equals share the lower rank); tied_by_maximum and
        tied_by_mean (tuples: the other policies with an equal number); close_by_maximum and close_by_mean (tuples: those whose paired
        difference has an interval that spans 0).

    Without members the intervals are nan and nothing is unsure or close. They treat which policy is best as known.
    """

    by_scenario: pd.DataFrame
    by_policy: pd.DataFrame


def regret(frame: pd.DataFrame, *, better: str = LOWER, level: float = LEVEL) -> Regret:
    """Return the regret of each policy: its outcome less the best policy's in that scenario, turned so that it is never below 0.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns policy, scenario, value, and member where there are draws; a row each combination.
    better : {"lower", "higher"}
    level : float
        Of the intervals.

    Raises
    ------
    InputError
        If a column or a combination is missing, one comes twice, a value is missing, or, with members, infinite.
    """
    if better not in (LOWER, HIGHER):
        raise InputError.one("better", f"{better!r}; {nearest(better, (LOWER, HIGHER))}")
    policies, scenarios, values = _cube(frame, "value")
    with_members = "member" in frame.columns
    if np.isnan(values).any() or (with_members and not np.isfinite(values).all()):
        raise InputError.one("value", "a value is missing, or infinite beside members; allowed: numbers, infinite without members only")
    signed = values if better == LOWER else -values
    means = signed.mean(axis=2)
    best = np.argmin(means, axis=0)
    # Infinite less infinite is no regret.
    over = np.zeros_like(signed)
    least = np.stack([signed[best[place], place] for place in range(len(scenarios))])
    np.subtract(signed, least, out=over, where=signed != least)
    over_mean = np.maximum(over.mean(axis=2), 0.0)
    low, high = _intervals(over, with_members, level)
    equal = _equal(means, means.min(axis=0))
    rows = [
        {
            "scenario": scenario, "policy": policy, "value": values[i, j].mean(), "best": values[best[j], j].mean(),
            "regret": 0.0 if equal[i, j] else over_mean[i, j], "low": max(low[i, j], 0.0), "high": max(high[i, j], 0.0),
            "is_best": bool(equal[i, j]), "unsure": bool(not equal[i, j] and low[i, j] <= 0 <= high[i, j]),
        }
        for j, scenario in enumerate(scenarios)
        for i, policy in enumerate(policies)
    ]
    import pandas as pd

    regrets = np.where(equal, 0.0, over_mean)
    return Regret(pd.DataFrame(rows), _by_policy(policies, scenarios, over, regrets, with_members, level))


def _by_policy(policies: list[Any], scenarios: list[Any], over: Array, regrets: Array, members: bool, level: float) -> pd.DataFrame:
    import pandas as pd

    worst = np.argmax(regrets, axis=1)
    at_worst = np.stack([over[number, place] for number, place in enumerate(worst)])
    maximum, mean = regrets.max(axis=1), regrets.mean(axis=1)
    columns: dict[str, Any] = {"policy": policies, "maximum": maximum}
    for name, found, draws in (("maximum", maximum, at_worst), ("mean", mean, over.mean(axis=1))):
        low, high = _intervals(draws, members, level)
        columns |= {name: found, f"{name}_low": np.maximum(low, 0.0), f"{name}_high": np.maximum(high, 0.0)}
        if name == "maximum":
            columns["scenario"] = [scenarios[place] for place in worst]
    for name, found, draws in (("maximum", maximum, at_worst), ("mean", mean, over.mean(axis=1))):
        rank, tied = _ranks(found, policies)
        columns |= {f"rank_by_{name}": rank, f"tied_by_{name}": tied, f"close_by_{name}": _close(draws, policies, tied, members, level)}
    return pd.DataFrame(columns)


def _intervals(draws: Array, members: bool, level: float) -> tuple[Array, Array]:
    """Return the interval of the mean over the last axis."""
    if not members:
        nothing = np.full(draws.shape[:-1], np.nan)
        return nothing, nothing
    count = draws.shape[-1]
    deviation = draws.std(axis=-1, ddof=1) if count > 1 else np.zeros(draws.shape[:-1])
    return mean_interval(draws.mean(axis=-1), deviation, count, level)


def _equal(one: Array, other: Array) -> NDArray[np.bool_]:
    size = np.maximum(np.abs(one), np.abs(other))
    with np.errstate(invalid="ignore"):
        near: NDArray[np.bool_] = np.abs(one - other) <= SAME * size
    equal: NDArray[np.bool_] = (one == other) | (near & np.isfinite(size))
    return equal


def _ranks(values: Array, policies: list[Any]) -> tuple[list[int], list[tuple[Any, ...]]]:
    """Return ranks, 1 the lowest, equals sharing the lower rank, and for each the others that are equal."""
    equal = _equal(values[:, None], values[None, :])
    lower = (values[None, :] < values[:, None]) & ~equal
    tied = [tuple(policy for j, policy in enumerate(policies) if equal[i, j] and i != j) for i in range(len(policies))]
    return (1 + lower.sum(axis=1)).tolist(), tied


def _close(draws: Array, policies: list[Any], tied: list[tuple[Any, ...]], members: bool, level: float) -> list[tuple[Any, ...]]:
    """Return for each policy those, not equal, whose paired difference has an interval that spans 0."""
    if not members:
        return [() for _ in policies]
    found = []
    for number in range(len(policies)):
        low, high = _intervals(draws - draws[number], members, level)
        near = (low <= 0) & (high >= 0)
        found.append(tuple(
            policy for other, policy in enumerate(policies) if near[other] and other != number and policy not in tied[number]
        ))
    return found


# ---------------------------------------------------------------- what is asked holds


def satisficing(frame: pd.DataFrame, thresholds: Mapping[str, tuple[str, float]], *, level: float = LEVEL) -> pd.DataFrame:
    """Return in which share of the cases all that is asked of a policy holds.

    A case is a scenario, or one draw of it where members are given. Scenarios count alike.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns policy, scenario, metric, value, and member where there are draws; a row each combination. Infinite values are allowed.
    thresholds : mapping
        By metric: ``("at most", number)`` or ``("at least", number)``.
    level : float

    Returns
    -------
    pandas.DataFrame
        A row a policy and scenario, and one a policy with scenario None for all of them: policy, scenario, share, low, high (interval of
        Monte Carlo error; nan without members), cases, then a column a metric with the share in which its own threshold holds; and for
        the rows of all scenarios rank (1 is the largest share), tied and close as in `Regret` (nan and empty elsewhere). Policies keep
        their order.

    Raises
    ------
    InputError
        If a column, metric or combination is missing, one comes twice, a value is missing, or a threshold says neither.
    """
    import pandas as pd

    _check_thresholds(frame, thresholds)
    holds: list[NDArray[np.bool_]] = []
    policies: list[Any] = []
    scenarios: list[Any] = []
    for metric, (side, number) in thresholds.items():
        policies, scenarios, values = _cube(frame[frame["metric"] == metric], metric)
        if np.isnan(values).any():
            raise InputError.one(metric, "a value is missing; allowed: numbers, infinite ones included")
        holds.append(values <= number if side == AT_MOST else values >= number)
    if len({each.shape for each in holds}) > 1:
        raise InputError.one("metric", "the metrics have different policies, scenarios or members; allowed: the same for each")
    every, members = np.logical_and.reduce(holds), "member" in frame.columns
    whole = every.mean(axis=(1, 2))
    rank, tied = _ranks(-whole, policies)
    close = _close(every.mean(axis=1), policies, tied, members, level)
    rows = []
    for i, policy in enumerate(policies):
        for j, scenario in enumerate([*scenarios, None]):
            part = slice(None) if scenario is None else slice(j, j + 1)
            own = every[i, part]
            low, high = _share_interval(own, members, level)
            row = {"policy": policy, "scenario": scenario, "share": own.mean(), "low": low, "high": high, "cases": own.size}
            row |= {metric: each[i, part].mean() for metric, each in zip(thresholds, holds, strict=True)}
            final = scenario is None
            rows.append(row | {"rank": rank[i] if final else np.nan, "tied": tied[i] if final else (), "close": close[i] if final else ()})
    return pd.DataFrame(rows).astype({"scenario": object})


def _share_interval(holds: NDArray[np.bool_], members: bool, level: float) -> tuple[float, float]:
    """Return the interval of the share over scenarios (given) and members (drawn), from shape (scenarios, members)."""
    if not members:
        return np.nan, np.nan
    scenarios, count = holds.shape
    hits = int(holds.sum())
    if scenarios == 1 or hits in (0, holds.size):
        # All draws hold in all scenarios, or none does in any: as sure as of one scenario, or more.
        low, high = proportion_interval(hits // scenarios, count, level)
        return float(low), float(high)
    ends = _intervals(holds.mean(axis=0), members, level)
    return max(float(ends[0]), 0.0), min(float(ends[1]), 1.0)


def _check_thresholds(frame: pd.DataFrame, thresholds: Mapping[str, tuple[str, float]]) -> None:
    if "metric" not in frame.columns:
        raise InputError.one("metric", f"no such column; there are {', '.join(map(str, frame.columns))}")
    known = [str(each) for each in frame["metric"].unique()]
    problems = [] if thresholds else [Problem("thresholds", 0, 0, "", "none; allowed: one or more")]
    for metric, (side, number) in thresholds.items():
        if metric not in known:
            problems.append(Problem("thresholds", 0, 0, metric, f"unknown metric; {nearest(metric, known)}"))
        if side not in (AT_MOST, AT_LEAST):
            problems.append(Problem("thresholds", 0, 0, metric, f"{side!r}; {nearest(side, (AT_MOST, AT_LEAST))}"))
        if np.isnan(number):
            problems.append(Problem("thresholds", 0, 0, metric, "nan; allowed: a number"))
    if problems:
        raise InputError(problems)


def _cube(frame: pd.DataFrame, what: str) -> tuple[list[Any], list[Any], Array]:
    """Return policies and scenarios in the order of their first rows, and values of shape (policies, scenarios, members)."""
    keys = ["policy", "scenario", *(["member"] if "member" in frame.columns else [])]
    missing = [name for name in (*keys, "value") if name not in frame.columns]
    if missing or frame.empty:
        there = f"there are {len(frame)} rows of {', '.join(map(str, frame.columns))}"
        raise InputError.one(what, f"no column {', '.join(missing) or 'is filled'}; {there}")
    twice = frame[frame.duplicated(keys)]
    if len(twice):
        raise InputError.one(what, f"{' '.join(str(twice.iloc[0][key]) for key in keys)} comes twice; allowed: once")
    order = [list(frame[key].unique()) for key in keys]
    places = [frame[key].map({each: place for place, each in enumerate(own)}).to_numpy() for key, own in zip(keys, order, strict=True)]
    shape = (len(order[0]), len(order[1]), len(order[2]) if len(keys) == 3 else 1)
    filled = np.zeros(shape, dtype=bool)
    where = (places[0], places[1], places[2] if len(keys) == 3 else np.zeros(len(frame), dtype=int))
    filled[where] = True
    if not filled.all():
        gap = np.argwhere(~filled)[0]
        name = " ".join(str(own[place]) for own, place in zip(order, gap, strict=False))
        count = int((~filled).sum())
        raise InputError.one(what, f"{count} combinations are missing, the first {name}; allowed: all policies in all scenarios")
    values = np.empty(shape)
    values[where] = frame["value"].to_numpy(dtype=np.float64)
    return order[0], order[1], values
