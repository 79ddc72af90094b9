"""What is kept of the members of a point: mean, share of finite ones, quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stockpile.clock import Array
from stockpile.sketch import between


@dataclass(frozen=True)
class Sums:
    """What is kept of numbers, arrays of any one shape.

    Attributes
    ----------
    share_finite : array
        Share of the members for whom the number is finite: a date that comes at all.
    mean : array
        Over the finite ones; nan where there are none.
    quantiles : array
        With one more axis in front, one entry a quantile; infinite numbers count as such.
    """

    share_finite: Array
    mean: Array
    quantiles: Array


def summed(values: Array, quantiles: Sequence[float]) -> Sums:
    """Return what is kept of `values` over its last axis, which is sorted in place."""
    members = values.shape[-1]
    values.sort(axis=-1)
    infinite = np.isinf(values[..., -1]) | np.isinf(values[..., 0])
    mean = np.empty(values.shape[:-1])
    share = np.ones(values.shape[:-1])
    mean[~infinite] = values[~infinite].mean(axis=-1)
    some = values[infinite]
    finite = np.isfinite(some)
    number = finite.sum(axis=-1)
    share[infinite] = number / members
    with np.errstate(invalid="ignore"):
        mean[infinite] = np.where(number > 0, np.where(finite, some, 0.0).sum(axis=-1) / np.where(number > 0, number, 1), np.nan)
    places = [q * (members - 1) for q in quantiles]
    found = [between(values[..., int(np.floor(place))], values[..., int(np.ceil(place))], place % 1.0) for place in places]
    return Sums(share, mean, np.array(found).reshape(len(quantiles), *values.shape[:-1]))
