"""An ensemble in a few numbers, and each policy against `none` on the same draws: what ``stockpile ensemble`` prints.

Rows are plain tables of plain values, so that they can be printed and written as JSON alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stockpile.metrics import BASELINE
from stockpile.results import US

if TYPE_CHECKING:
    from stockpile.ensembles.chance import Chance
    from stockpile.ensembles.result import Ensemble
    from stockpile.scenario import Scenario

Row = dict[str, Any]
RANGE = (0.05, 0.5, 0.95)
"""Quantiles of a range: the middle, and the ends of the 90 % about it."""
UP, DOWN, NONE, CLOSE = "up", "down", "no change", "too close to call"
NOTHING = 1e-6
"""Rounds below which a change counts as none."""


def outlook(scenario: Scenario, ensemble: Ensemble, by: Sequence[str] = (), dates: Sequence[str] = ()) -> list[Row]:
    """Return a row a munition and policy: how likely the US stock falls below its floor by a date, and where it stands when.

    Parameters
    ----------
    scenario : Scenario
    ensemble : Ensemble
        Draws of it.
    by : sequence of str
        Dates of the probabilities; the end of the run where left out.
    dates : sequence of str
        Dates at which the stock is wanted, all of them among the `dates` the ensemble was made with.

    Returns
    -------
    list of dict
        policy, munition, unit; floor (which level transfers may not go below) and floor_level (its central value [round]);
        below_floor, a list with by, probability, low, high, hits and members; minimum_after_as_of, stock_at_end with end, and
        stock_at, a list with date: stocks [round] as q05, q50 and q95.

    Raises
    ------
    InputError
        If a date lies outside the run, or the stock at it was not asked for.
    """
    quantiles = ensemble.metric_quantiles(RANGE)

    def stock(name: str, policy: str, munition: str) -> dict[str, float]:
        low, middle, high = quantiles[:, ensemble.metric(name, policy=policy, munition=munition)]
        return {"q05": float(low), "q50": float(middle), "q95": float(high)}

    def row(policy: str, munition: str) -> Row:
        floor = str(scenario.policies[policy].transfer_floor)
        return {
            "policy": policy,
            "munition": munition,
            "unit": "round",
            "floor": floor,
            "floor_level": float(ensemble.central.levels[munition][floor][0]),
            "below_floor": [
                {"by": edge(ensemble, date)} | as_row(ensemble.chance_below(floor, by=date, policy=policy, munition=munition))
                for date in by or [edge(ensemble, str(ensemble.dates[-1]))]
            ],
            "minimum_after_as_of": stock("minimum_after_as_of", policy, munition),
            "stock_at": [{"date": edge(ensemble, date)} | stock(ensemble.stock_at(date), policy, munition) for date in dates],
            "end": edge(ensemble, str(ensemble.dates[-1])),
            "stock_at_end": stock("stock_at_end", policy, munition),
        }

    return [row(policy, munition) for munition in ensemble.munitions for policy in ensemble.policies]


def paired(ensemble: Ensemble, dates: Sequence[str] = ()) -> list[Row]:
    """Return a row a munition and policy: its change against `none`, draw by draw.

    Parameters
    ----------
    ensemble : Ensemble
        With `none` among its policies, or there is nothing to return.
    dates : sequence of str
        As of `outlook`.

    Returns
    -------
    list of dict
        policy, against, munition, unit; minimum_after_as_of, stock_at (a list with date), stock_at_end and, by recipient,
        total_unmet: changes [round] with mean, low and high (interval of Monte Carlo error of the mean), q05, q50 and q95 (over the
        draws) and verdict: ``up``, ``down``, ``no change``, or ``too close to call`` where the interval spans zero.
    """
    if ensemble.baseline is None:
        return []
    frame = ensemble.differences(RANGE)
    found = {
        (line.policy, line.munition, line.recipient, line.metric): _change(line)
        for line in frame[["policy", "munition", "recipient", "metric", "mean", "mean_low", "mean_high", "q05", "q50", "q95"]].itertuples()
    }
    return [
        {
            "policy": policy,
            "against": BASELINE,
            "munition": munition,
            "unit": "round",
            "minimum_after_as_of": found[policy, munition, US, "minimum_after_as_of"],
            "stock_at": [{"date": edge(ensemble, date)} | found[policy, munition, US, ensemble.stock_at(date)] for date in dates],
            "end": edge(ensemble, str(ensemble.dates[-1])),
            "stock_at_end": found[policy, munition, US, "stock_at_end"],
            "total_unmet": {who: found[policy, munition, who, "total_unmet"] for who in ensemble.recipients},
        }
        for munition in ensemble.munitions
        for policy in ensemble.policies
        if policy != BASELINE
    ]


def _change(line: Any) -> Row:
    mean, low, high = float(line.mean), float(line.mean_low), float(line.mean_high)
    found = {"mean": mean, "low": low, "high": high, "q05": float(line.q05), "q50": float(line.q50), "q95": float(line.q95)}
    return found | {"verdict": verdict(low, high)}


def verdict(low: float, high: float) -> str:
    """Return what the interval of a change says about its sign."""
    if max(abs(low), abs(high)) < NOTHING:
        return NONE
    return UP if low > 0 else DOWN if high < 0 else CLOSE


def as_row(chance: Chance) -> Row:
    """Return a probability as plain values."""
    return {"probability": chance.value, "low": chance.low, "high": chance.high, "hits": chance.hits, "members": chance.members}


def edge(ensemble: Ensemble, date: str) -> str:
    """Return the day of the last step edge at or before a date."""
    return str(ensemble.dates[ensemble.index(date)])[:10]
