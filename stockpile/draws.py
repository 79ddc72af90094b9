"""Where the numbers of a run come from: central values now, one column a draw.

A source of values is asked for a point of a parameter, by the parameter's path, and answers with one number a member.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from stockpile import schema
from stockpile.clock import Array


class Values(Protocol):
    """Gives each uncertain number, one value a member."""

    members: int

    def of(self, path: str, parameter: schema.Parameter, point: schema.Evidence) -> Array:
        """Return the point's value in the parameter's unit, shape (members,)."""


class Central:
    """One member, all values central."""

    members = 1

    def of(self, path: str, parameter: schema.Parameter, point: schema.Evidence) -> Array:
        """Return the central value."""
        return np.full(self.members, point.value)
