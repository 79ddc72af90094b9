"""An ensemble as tidy frames: what `Ensemble` returns as `pandas.DataFrame`, whose methods say what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile import sampling_error
from stockpile.errors import InputError, nearest
from stockpile.metrics import BASELINE
from stockpile.results import meaning

if TYPE_CHECKING:
    import pandas as pd

    from stockpile.ensembles.result import Ensemble
    from stockpile.ensembles.rows import Entry

METRIC = ("policy", "munition", "recipient", "metric")
"""Columns that say which metric it is: the parts of its key."""


def quantiles(ensemble: Ensemble, q: Sequence[float], *, change: bool) -> pd.DataFrame:
    """Return quantiles of all that was followed (see `Ensemble.quantiles`)."""
    import pandas as pd

    followed = [entry for entry in ensemble.entries if entry.is_difference == change]
    if not followed:
        what = f"changes; allowed: a list of policies with {BASELINE!r} and others" if change else "anything; allowed: quantities=[...]"
        raise InputError.one("quantiles", f"the ensemble did not follow {what}")
    parts = [
        pd.DataFrame(_band(ensemble, entry, policy, munition, q))
        for entry in followed
        for policy in ensemble.policies
        for munition in ensemble.munitions
    ]
    return pd.concat(parts, ignore_index=True)


def _band(ensemble: Ensemble, entry: Entry, policy: str, munition: str, q: Sequence[float]) -> dict[str, Any]:
    """Return the columns of one thing followed over time, one quantile after another."""
    values = ensemble.band(entry.quantity, entry.row, policy=policy, munition=munition, q=q, change=entry.is_difference)
    dates = ensemble.dates[: values.shape[1]]
    return {
        "policy": policy,
        "quantile": np.repeat(np.asarray(q, dtype=np.float64), len(dates)),
        "munition": munition,
        "recipient": entry.row,
        "quantity": entry.quantity,
        "date": np.tile(dates, len(q)),
        "value": values.ravel(),
        "unit": meaning(entry.quantity).unit,
    }


def metrics(ensemble: Ensemble, q: Sequence[float] | None) -> pd.DataFrame:
    """Return the metrics of each member, or their quantiles (see `Ensemble.metrics`)."""
    import pandas as pd

    values = ensemble.metric_values.numbers if q is None else ensemble.metric_quantiles(q).T
    if values is None:
        message = f"the values of {ensemble.members} members were not kept one by one; allowed: metrics(quantiles=[...])"
        raise InputError.one("metrics", message)
    along = "member" if q is None else "quantile"
    given = np.arange(ensemble.members) if q is None else np.asarray(q, dtype=np.float64)
    repeats = len(given)
    columns = {name: np.repeat(parts, repeats) for name, parts in _keys(ensemble).items()}
    columns |= {along: np.tile(given, len(ensemble.keys)), "value": values.ravel(), "unit": np.repeat(ensemble.units, repeats)}
    return pd.DataFrame(columns)[["policy", along, "munition", "recipient", "metric", "value", "unit"]]


def _keys(ensemble: Ensemble) -> dict[str, list[str]]:
    """Return the columns that say which metric it is."""
    return {name: [key[place] for key in ensemble.keys] for place, name in enumerate(METRIC)}


def estimates(ensemble: Ensemble, level: float) -> pd.DataFrame:
    """Return mean, median and their intervals for every metric (see `Ensemble.estimates`)."""
    import pandas as pd

    held, members = ensemble.moments, ensemble.members
    number = np.maximum(held.number, 1.0)
    mean = np.where(held.number > 0, held.total / number, np.nan)
    unbiased = number / np.maximum(number - 1.0, 1.0)
    spread = np.sqrt(np.maximum(held.squares / number - mean**2, 0.0) * unbiased)
    mean_low, mean_high = sampling_error.mean_interval(mean, spread, number, level)
    low, high = sampling_error.quantile_ranks(0.5, members, level)
    ranks = [(rank - 1) / max(members - 1, 1) for rank in (max(low, 1), min(high, members))]
    median, below, above = ensemble.metric_quantiles((0.5, *ranks))
    # With few members no draw lies far enough out: the interval has no end on that side.
    below = below if low >= 1 else np.full_like(below, -np.inf)
    above = above if high <= members else np.full_like(above, np.inf)
    return pd.DataFrame(
        _keys(ensemble)
        | {
            "unit": ensemble.units, "share_finite": held.number / members, "mean": mean, "mean_low": mean_low, "mean_high": mean_high,
            "median": median, "median_low": below, "median_high": above,
        }
    )


def probability(ensemble: Ensemble, quantity: str, below: str, by: str) -> pd.DataFrame:
    """Return how likely the US stock has been below a level by a date (see `Ensemble.probability`)."""
    import pandas as pd

    if quantity != "us_on_hand":
        raise InputError.one("quantity", f"{quantity!r} has no named levels; allowed: us_on_hand")
    having = [munition for munition in ensemble.munitions if below in ensemble.level_names[munition]]
    if not having:
        known = sorted({name for names in ensemble.level_names.values() for name in names})
        raise InputError.one("below", f"no munition has a level {below!r}; {nearest(below, known)}")
    found = [(p, m, ensemble.chance_below(below, by=by, policy=p, munition=m)) for p in ensemble.policies for m in having]
    date = str(ensemble.dates[ensemble.index(by)])[:10]
    return pd.DataFrame(
        [
            {
                "policy": p, "munition": m, "level": below, "by": date, "probability": one.value, "low": one.low, "high": one.high,
                "hits": one.hits, "members": one.members,
            }
            for p, m, one in found
        ]
    )


def differences(ensemble: Ensemble, q: Sequence[float], level: float) -> pd.DataFrame:
    """Return each policy's change of every metric from the baseline (see `Ensemble.differences`)."""
    if ensemble.baseline is None:
        raise InputError.one("policies", f"differences need the policy {BASELINE!r}; allowed: a list with it")
    frame = estimates(ensemble, level)
    chosen = frame.metric.str.startswith("change_in.") & (frame.policy != ensemble.baseline)
    ranges = [f"q{100 * one:02g}" for one in q]
    for name, values in zip(ranges, ensemble.metric_quantiles(q), strict=True):
        frame[name] = values
    result = frame.loc[chosen, [*METRIC, "unit", "mean", "mean_low", "mean_high", *ranges]].reset_index(drop=True)
    result["metric"] = result.metric.str.removeprefix("change_in.")
    return result
