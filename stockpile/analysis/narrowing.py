"""What it would be worth to know a factor: by how much the range of an outcome would narrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stockpile.errors import InputError, Problem

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

LEAST = 20
"""Fewest draws in a bin."""
NEIGHBOUR_ROWS = 4
"""Most rows of a factor for which a draw's nearest neighbour is near enough to stand for the same value."""


def narrowing(
    u: ArrayLike,
    y: ArrayLike,
    factors: Mapping[str, Sequence[int]],
    *,
    q: tuple[float, float] = (0.05, 0.95),
    bins: int = 20,
    shuffles: int = 40,
    seed: int = 0,
    shares: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Return by how much knowing each factor would narrow the range of an outcome, most first, from one set of draws.

    Of a factor of one row: the draws are parted into bins of equally many by its numbers; the width of the range from the lower to
    the upper quantile inside a bin, averaged over the bins, against the same average with bins made by chance. Both have the bias of
    quantiles of few draws, so that it goes. What is left of the factor's own spread inside a bin makes narrowing a little too small.
    Of a factor of several rows only the share of variance is given.

    Parameters
    ----------
    u : array, shape (rows, draws)
        Independent uniform numbers, or any numbers in their order.
    y : array, shape (draws,)
        The outcome.
    factors : mapping of str to rows of `u`
    q : two numbers
        Ends of the range.
    bins : int
        At least 2, with 20 draws each or more.
    shuffles, seed : int
        How often bins are made by chance.
    shares : mapping of str to float, optional
        First-order indices known better (by picking and freezing), taken for `variance_share`.

    Returns
    -------
    pandas.DataFrame
        factor; width (of the range, all unknown) and expected_width (the factor known) [the outcome's unit]; narrowing (the share by
        which it would be narrower) and noise (how much narrowing bins by chance show, in 95 of 100); variance_share (first-order index:
        the share of the variance that would go; for a factor of 2 to 4 rows from nearest neighbours, which is a little too small, for
        one of more nan unless in `shares`); note: empty, ``constant``, ``not finite`` (an outcome is infinite or nan) or ``no width``
        (more than the range's share of the draws has one value).

    References
    ----------
    Share of variance: one-way analysis of variance with the degrees of freedom taken off; neighbours: Broto, Bachoc and Depecker,
    SIAM/ASA Journal on Uncertainty Quantification 8, 2020, https://doi.org/10.1137/18M1234631.
    """
    import pandas as pd

    rows, values = np.asarray(u, dtype=np.float64), np.asarray(y, dtype=np.float64)
    _check(rows, values, factors, q, bins, shuffles)
    note = _note(values, q)
    known = shares or {}
    width = float(np.subtract(*np.quantile(values, q[::-1]))) if note != "not finite" else np.nan
    chance = np.full(shuffles, np.nan)
    if not note:
        generator = np.random.default_rng(seed)
        chance = np.array([_widths(values[generator.permutation(len(values))], q, bins) for _ in range(shuffles)])
    middle = float(chance.mean())
    noise = 1.96 * float(chance.std(ddof=1)) / middle if not note else np.nan
    found = []
    for name, own in factors.items():
        single = len(own) == 1
        ratio = np.nan
        if single and not note:
            ratio = _widths(values[np.argsort(rows[own[0]], kind="stable")], q, bins) / middle
        share = known[name] if name in known else np.nan if note in ("constant", "not finite") else _share(rows, values, own, bins)
        found.append((name, width, width * ratio, 1 - ratio, noise if single else np.nan, share, note))
    columns = ["factor", "width", "expected_width", "narrowing", "noise", "variance_share", "note"]
    frame = pd.DataFrame(found, columns=columns)
    return frame.sort_values(["narrowing", "variance_share"], ascending=False, kind="stable", ignore_index=True)


def _check(rows: Array, values: Array, factors: Mapping[str, Sequence[int]], q: tuple[float, float], bins: int, shuffles: int) -> None:
    if rows.ndim != 2 or values.shape != rows.shape[1:]:
        raise ValueError(f"shapes {rows.shape} and {values.shape}; allowed: (rows, draws) and (draws,)")
    wrong = [name for name, own in factors.items() if not own or not all(0 <= row < len(rows) for row in own)]
    if wrong:
        raise ValueError(f"factors {', '.join(wrong)}; allowed: each with rows from 0 to {len(rows) - 1}")
    draws = len(values)
    problems = []
    if not 0 <= q[0] < q[1] <= 1:
        problems.append(Problem("narrowing", 0, 0, "q", f"{q[0]:g} and {q[1]:g}; allowed: from 0 to 1, the lower one first"))
    if bins < 2 or draws < LEAST * bins:
        most = f"from 2 to {draws // LEAST} with {draws} draws" if draws >= 2 * LEAST else f"nothing with fewer than {2 * LEAST} draws"
        problems.append(Problem("narrowing", 0, 0, "bins", f"{bins}; allowed: {most}"))
    if shuffles < 2:
        problems.append(Problem("narrowing", 0, 0, "shuffles", f"{shuffles}; allowed: 2 or more"))
    if problems:
        raise InputError(problems)


def _note(values: Array, q: tuple[float, float]) -> str:
    if not np.isfinite(values).all():
        return "not finite"
    if values.min() == values.max():
        return "constant"
    low, high = np.quantile(values, q)
    return "no width" if low == high else ""


def _widths(values: Array, q: tuple[float, float], bins: int) -> float:
    """Return the width inside a bin, averaged over the draws; `values` are in the order of the bins."""
    total = 0.0
    for part in _parts(values, bins):
        low, high = np.quantile(part, q, axis=1)
        total += float((high - low).sum()) * part.shape[1]
    return total / len(values)


def _parts(values: Array, bins: int) -> list[Array]:
    """Return the bins as rows, in up to two arrays: some have one draw more."""
    size, more = divmod(len(values), bins)
    cut = more * (size + 1)
    parts = [values[:cut].reshape(more, size + 1), values[cut:].reshape(bins - more, size)]
    return [part for part in parts if part.size]


def _share(rows: Array, values: Array, own: Sequence[int], bins: int) -> float:
    """Return the first-order index of a factor."""
    centred = values - values.mean()
    if len(own) == 1:
        ordered = centred[np.argsort(rows[own[0]], kind="stable")]
        inside = sum(float(((part - part.mean(axis=1, keepdims=True)) ** 2).sum()) for part in _parts(ordered, bins))
        return 1 - (inside / (len(values) - bins)) / (float((centred**2).sum()) / (len(values) - 1))
    if len(own) > NEIGHBOUR_ROWS:
        return float("nan")
    from scipy.spatial import cKDTree

    places = rows[list(own)].T
    nearest = np.asarray(cKDTree(places).query(places, k=2)[1])
    other = np.where(nearest[:, 0] == np.arange(len(values)), nearest[:, 1], nearest[:, 0])
    return float((centred * centred[other]).mean() / (centred**2).mean())
