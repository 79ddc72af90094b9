"""Draws with some of their uniform numbers set: what a factor at the low or high end of its range does, all else drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stockpile.clock import Array


@dataclass(frozen=True)
class Pin:
    """Rows of uniform numbers that are set to a number in (0, 1); none for the draws as they are."""

    rows: tuple[int, ...]
    to: float


class Pinned:
    """The same draws again and again, one pin after another: lane k is draw k modulo `members` under pin k // `members`.

    Parameters
    ----------
    base : array, shape (streams, members)
        Uniform numbers with correlated groups done.
    pins : sequence of Pin
    """

    def __init__(self, base: Array, pins: Sequence[Pin]) -> None:
        self.base, self.pins, self.members = base, tuple(pins), base.shape[1] * len(pins)

    def uniforms(self, first: int, count: int) -> Array:
        """Return the numbers of lanes `first` to `first + count - 1`, shape (streams, count)."""
        members = self.base.shape[1]
        lanes = np.arange(first, first + count)
        found: Array = self.base[:, lanes % members]
        for number in range(first // members, (first + count - 1) // members + 1):
            inside = lanes // members == number
            for row in self.pins[number].rows:
                found[row, inside] = self.pins[number].to
        return found
