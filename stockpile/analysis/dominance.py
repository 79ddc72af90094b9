"""Which of many points no other point beats in everything."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


def not_dominated(points: ArrayLike) -> Mask:
    """Tell which points are not dominated, every objective to be lowered.

    A point is dominated where another is at most as high in every objective and lower in one. Of equal points all stay or all go.
    Two objectives take a sort; with more, the work grows with the number of points times the number that stay.

    Parameters
    ----------
    points : array, shape (points, objectives)
        Infinite values are allowed.

    Returns
    -------
    array of bool, shape (points,)

    Raises
    ------
    ValueError
        If there is no objective, or a value is nan.
    """
    found = np.asarray(points, dtype=np.float64)
    if found.ndim != 2 or found.shape[1] == 0:
        raise ValueError(f"points have shape {found.shape}; allowed: (points, objectives)")
    if np.isnan(found).any():
        raise ValueError("a value is nan; allowed: numbers, infinite ones included")
    if len(found) == 0:
        return np.zeros(0, dtype=bool)
    different, place = np.unique(found, axis=0, return_inverse=True)  # sorted by the first objective, then the next
    kept = _two(different) if different.shape[1] == 2 else _many(different)
    return kept[place.reshape(-1)]


def _two(points: Array) -> Mask:
    """Points differ and are sorted, so that only an earlier one can dominate: one that is as low in the second objective."""
    lowest = np.minimum.accumulate(points[:, 1])
    kept = np.ones(len(points), dtype=bool)
    kept[1:] = points[1:, 1] < lowest[:-1]
    return kept


def _many(points: Array) -> Mask:
    kept = np.zeros(len(points), dtype=bool)
    left = np.arange(len(points))
    while len(left):
        first = left[0]
        kept[first] = True  # nothing before it dominates it, or it would be gone
        left = left[1:]
        left = left[(points[left] < points[first]).any(axis=1)]
    return kept
