"""All corners of what a case leaves open: central values first, then each combination of low and high ends, as members of one run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from stockpile import schema
from stockpile.assemble import assemble
from stockpile.clock import Array
from stockpile.errors import InputError
from stockpile.evidence.world import path_in_case
from stockpile.lookup import Numbers
from stockpile.results import Result
from stockpile.scenario import Scenario
from stockpile.simulate import integrate, named

MOST_RANGES = 10
"""Most ranges of a case: there are two to the power of that many corners."""
AT_ONCE = 32
"""Members of one run."""


class Corners:
    """Gives central values to the first member, and a low or high end of each range to the others.

    One range is one path: all points of a dated parameter stand at the same end together.

    Parameters
    ----------
    paths : sequence of str
        Where the ranges are.
    first, members : int
        Which members, of the central one and all corners.

    Attributes
    ----------
    found : list of str
        Paths with a range that were asked for, in that order.
    """

    random = False

    def __init__(self, paths: Sequence[str] = (), first: int = 0, members: int = 1) -> None:
        self.members = members
        self.found: list[str] = []
        number = np.arange(first, first + members)
        self._central = number == 0
        self._high = {path: (number - 1) // 2**place % 2 == 1 for place, path in enumerate(paths)}

    def of(self, path: str, parameter: schema.Parameter, point: schema.Evidence, stream: str = "") -> Array:
        """Return the point's value for each member; shape (1,) where it has no range."""
        low, high = point.span
        if low == high:
            return np.full(1, point.value)
        if path not in self.found:
            self.found.append(path)
        if path not in self._high:
            return np.full(1, point.value)
        return np.where(self._central, point.value, np.where(self._high[path], high, low))

    def chance(self, stream: str) -> Array:
        """Refuse: nothing is left to chance."""
        raise ValueError(f"{stream} is left to chance, and corners are not")


def ranges(scenario: Scenario, policies: Sequence[str]) -> tuple[str, ...]:
    """Return the paths of all ranges that a run takes.

    Raises
    ------
    InputError
        For more than `MOST_RANGES`.
    """
    seen = Corners()
    assemble(scenario, policies, seen)
    if len(seen.found) > MOST_RANGES:
        shown = ", ".join(map(path_in_case, seen.found))
        message = f"{len(seen.found)} ranges make 2^{len(seen.found)} corners ({shown}); allowed: at most {MOST_RANGES} with low and high"
        raise InputError.one("munitions", message, file=scenario.name)
    return tuple(seen.found)


def runs(scenario: Scenario, policies: Sequence[str], *, central: bool = False) -> Iterator[tuple[Result, Numbers]]:
    """Yield runs that together have all members, the central one first; with `central`, that one alone."""
    paths = () if central else ranges(scenario, policies)
    count = 1 if not paths else 1 + 2 ** len(paths)
    for first in range(0, count, AT_ONCE):
        values = Corners(paths, first, min(AT_ONCE, count - first))
        assembly = assemble(scenario, policies, values)
        found, cuts = integrate(assembly, str(scenario.settings.method))
        yield named(scenario, assembly, found, cuts), Numbers(scenario, values, assembly.clock)
