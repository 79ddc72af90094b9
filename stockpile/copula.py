"""Numbers that move together by a normal copula: the matrix of a correlation for every two of them, and its factor."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ROUNDING = 1e-12
"""How far below 0 an eigenvalue may come by rounding in double precision alone."""
NOTHING_LEFT = 1e-10
"""Share of its variance below which a number is taken to follow from those before it: its own part cannot be told from rounding.
Correlations then come out to the square root of this."""


def matrix_of(pairs: Sequence[Sequence[float]]) -> Array:
    """Return the whole matrix, shape (n, n), of lists that hold for each number but the first its correlations with those before it."""
    result = np.eye(len(pairs) + 1)
    for row, found in enumerate(pairs, 1):
        result[row, :row] = result[:row, row] = found
    return result


def pairs_of(matrix: Array) -> list[list[float]]:
    """Return the lists that `matrix_of` takes."""
    return [[float(value) for value in matrix[row, :row]] for row in range(1, len(matrix))]


def least_eigenvalue(matrix: Array) -> float:
    """Return the least eigenvalue of a symmetric matrix: below 0, no numbers have these correlations."""
    return float(np.linalg.eigvalsh(matrix)[0])


def factor(matrix: Array) -> Array:
    """Return Cholesky's factor of correlations, shape (n, n): lower triangular, the squares of each row sum to 1.

    A row depends on those before it and itself alone, bit for bit: sums are exact (`math.fsum`), where a library's factor may round
    differently for another n. An eigenvalue may be 0: what follows from the numbers before has no part of its own.

    Parameters
    ----------
    matrix : array, shape (n, n)
        Positive semi-definite, with 1 on the diagonal.
    """
    size = len(matrix)
    found = [[0.0] * size for _ in range(size)]
    for row, own in enumerate(found):
        for column, other in enumerate(found[:row]):
            if other[column] > 0.0:
                left = math.fsum([float(matrix[row, column]), *(-own[k] * other[k] for k in range(column))])
                own[column] = left / other[column]
        shared = math.fsum(value * value for value in own)
        if shared > 1.0:
            own[:] = [value / math.sqrt(shared) for value in own]
        own[row] = math.sqrt(1.0 - shared) if 1.0 - shared > NOTHING_LEFT else 0.0
    return np.array(found)


def nearest(matrix: Array, least: float) -> Array:
    """Return correlations near those given, none of whose eigenvalues is far below `least`: spectrum cut off there, diagonal back to 1.

    Parameters
    ----------
    matrix : array, shape (n, n)
        Symmetric, with 1 on the diagonal.
    least : float
        Above 0.
    """
    values, vectors = np.linalg.eigh(matrix)
    if values[0] >= least:
        return matrix
    cut = (vectors * np.maximum(values, least)) @ vectors.T
    widths = np.sqrt(np.diag(cut))
    found: Array = cut / np.outer(widths, widths)
    np.fill_diagonal(found, 1.0)
    return 0.5 * (found + found.T)
