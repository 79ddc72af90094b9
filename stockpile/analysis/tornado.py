"""One unknown at a time at the ends of its range, all else drawn: what moves an outcome, and between which values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stockpile import sampling_error, shapes
from stockpile.clock import Array
from stockpile.experiments.factors import Factor, column_of, factors
from stockpile.experiments.lanes import Lanes
from stockpile.experiments.outcomes import Outcome
from stockpile.experiments.pinned import Pin, Pinned

if TYPE_CHECKING:
    import pandas as pd

ENDS = (0.05, 0.95)
"""Shares of the draws below the ends: where an unknown is set."""
NEVER = 1.0 - 2.0**-53
"""A number so near to 1 that no campaign begins."""
LEVEL = 0.95
COLUMNS = (
    "factor", "unit", "low_value", "high_value", "base", "at_low", "at_high", "change_at_low", "low_low", "low_high", "change_at_high",
    "high_low", "high_high", "swing",
)


def tornado(lanes: Lanes, outcome: Outcome, policy: str, members: int, seed: int, threads: int) -> pd.DataFrame:
    """Return what each unknown at the low and the high end of its range does to the mean of an outcome, most first.

    Returns
    -------
    pandas.DataFrame
        Columns factor (path), unit, low_value, high_value (5th and 95th percentile of what is drawn), base (mean of the outcome, all
        drawn), at_low, at_high, their changes against base on the same draws with intervals of Monte Carlo error, and swing, the
        larger of the two changes. For random campaigns the low end is that none begins; there is no high end.
    """
    import pandas as pd

    draws = lanes.draws(seed, members)
    found = factors(lanes, apart=True)
    pins = [Pin((), 0.5)]
    for factor in found:
        pins += [Pin(factor.rows, ENDS[0]), Pin(factor.rows, ENDS[1])] if not factor.is_campaign else [Pin(factor.rows, NEVER)]
    source = Pinned(draws.uniforms(0, members), pins)
    design = replace(lanes.design(source, source.members), groups=())
    values = lanes.run(design, lambda block: outcome.of(block, lanes, policy), threads=threads).reshape(len(pins), members)
    rows, place = [], 1
    for factor in found:
        own = 1 if factor.is_campaign else 2
        rows.append(_row(lanes, factor, values[0], values[place : place + own]))
        place += own
    frame = pd.DataFrame(rows)[list(COLUMNS)]
    return frame.sort_values(["swing", "factor"], ascending=[False, True], kind="stable", ignore_index=True)


def _row(lanes: Lanes, factor: Factor, base: Array, at: Array) -> dict[str, object]:
    changes = at - base
    mean, members = changes.mean(axis=1), base.shape[0]
    spread = changes.std(axis=1, ddof=1) if members > 1 else np.zeros(len(at))
    low, high = sampling_error.mean_interval(mean, spread, members, LEVEL)
    row: dict[str, object] = {"factor": factor.name, "unit": "1", "low_value": 0.0, "high_value": np.nan, "base": base.mean()}
    if not factor.is_campaign:
        pieces = column_of(lanes, factor.name).pieces
        assert pieces is not None
        values = shapes.interpolate(pieces, np.array(ENDS))
        row |= {"unit": unit_of(lanes, factor.name), "low_value": values[0], "high_value": values[1]}
    for place, end in enumerate(("low", "high")):
        there = place < len(at)
        row |= {
            f"at_{end}": at[place].mean() if there else np.nan, f"change_at_{end}": mean[place] if there else np.nan,
            f"{end}_low": low[place] if there else np.nan, f"{end}_high": high[place] if there else np.nan,
        }
    return row | {"swing": float(np.abs(mean).max())}


def unit_of(lanes: Lanes, path: str) -> str:
    """Return the unit of a parameter."""
    from stockpile.provenance import table

    frame = table(lanes.scenario)
    return str(frame.loc[frame["path"] == path, "unit"].iloc[0])
