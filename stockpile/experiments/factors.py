"""What is uncertain, as factors: streams of draws that are one unknown to a reader."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stockpile import shapes
from stockpile.clock import Array
from stockpile.draws import CERTAIN, Column
from stockpile.experiments.lanes import Lanes

CAMPAIGNS = "campaigns"
BEGINS = ".begins@"


@dataclass(frozen=True)
class Factor:
    """One unknown.

    Attributes
    ----------
    name : str
        The path of its parameter; of parameters drawn together their paths with ``&``; of random campaigns ``campaigns.<name>``.
    rows : tuple of int
        Rows of uniform numbers that belong to it.
    """

    name: str
    rows: tuple[int, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of its parameters."""
        return tuple(self.name.split(" & "))

    @property
    def is_campaign(self) -> bool:
        """Whether it stands for random campaigns, with all their moments and sizes."""
        return self.name.startswith(f"{CAMPAIGNS}.")


def factors(lanes: Lanes, *, apart: bool = False) -> tuple[Factor, ...]:
    """Return the factors of a run, by name.

    Parameters
    ----------
    lanes : Lanes
    apart : bool
        Whether parameters that are drawn together are factors of their own.
    """
    rows: dict[str, list[int]] = {}
    together: dict[int, str] = {}
    for group in () if apart else lanes.groups:
        name = " & ".join(lanes.streams[row] for row in group.rows if _is_number(lanes, lanes.streams[row]))
        together |= dict.fromkeys(group.rows, name)
    for row, stream in enumerate(lanes.streams):
        parts = stream.split(".")
        if parts[0] == CAMPAIGNS:
            rows.setdefault(".".join(parts[:2]), []).append(row)
        elif row in together or _is_number(lanes, stream):
            rows.setdefault(together.get(row, stream), []).append(row)
    return tuple(Factor(name, tuple(found)) for name, found in sorted(rows.items()))


def column_of(lanes: Lanes, path: str) -> Column:
    """Return the table of quantiles of a parameter: of the latest of its points that a run takes."""
    return [column for column in lanes.columns.columns if column.stream == path][-1]


def _is_number(lanes: Lanes, stream: str) -> bool:
    """Tell whether a stream is a number of the munitions that are run; others are drawn only because they belong to a group."""
    return column_of(lanes, stream).pieces is not CERTAIN


def drawn(lanes: Lanes, uniforms: Array) -> dict[str, Array]:
    """Return what is drawn, by path and in the parameter's unit, as far as it is a number of its own, each of shape (lanes,).

    Random campaigns come as the number of them that begin, ``campaigns.<name>``.

    Parameters
    ----------
    lanes : Lanes
    uniforms : array, shape (streams, lanes)
        With correlated groups done.
    """
    found: dict[str, Array] = {}
    for row, stream in enumerate(lanes.streams):
        parts = stream.split(".")
        if parts[0] != CAMPAIGNS and _is_number(lanes, stream):
            pieces = column_of(lanes, stream).pieces
            assert pieces is not None
            found[stream] = shapes.interpolate(pieces, uniforms[row])
        elif BEGINS in stream:
            name = ".".join(parts[:2])
            begun = found.get(name, np.zeros(uniforms.shape[1]))
            found[name] = begun + (uniforms[row] < chance_of(lanes, name, uniforms))
    return found


def chance_of(lanes: Lanes, campaign: str, uniforms: Array) -> Array | float:
    """Return with what probability a campaign begins in a quarter, shape (lanes,)."""
    from stockpile.campaigns import QUARTER
    from stockpile.lookup import factor_of

    path = f"{campaign}.rate"
    rate = lanes.scenario.campaigns[campaign.split(".")[1]].rate
    per_month = factor_of(rate.unit)
    if path in lanes.streams:
        pieces = column_of(lanes, path).pieces
        assert pieces is not None and pieces is not CERTAIN
        drawn_: Array = shapes.interpolate(pieces, uniforms[lanes.streams.index(path)])
        return drawn_ * per_month * QUARTER
    return rate.points[-1].value * per_month * QUARTER
