"""Which parameters a posterior ties together, and with which correlations: what a layer keeps of it beside the parameters one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from stockpile import copula, schema
from stockpile.clock import Array
from stockpile.evidence.frames import PLANS
from stockpile.tables import Table

if TYPE_CHECKING:
    from stockpile.evidence.calibrate import Calibration

MOST = 40
"""Most parameters of a group: 780 correlations, of which every further one holds more of chance than of the evidence."""
TINY = 2.0
"""Standard errors within which a correlation that was 0 before is taken to be 0 still."""
LEAST = 1e-3
"""Least eigenvalue of correlations written, well above what rounding to `DIGITS` can take away."""
DIGITS = 5
"""Decimals of a correlation written."""


@dataclass(frozen=True)
class Groups:
    """What the files say of parameters that move together.

    Attributes
    ----------
    every : dict
        All groups, by name, whenever known.
    seen : dict
        Tables of those that were known and not replaced at the scenario's date.
    now : dict
        Tables of what the scenario makes of them.
    """

    every: dict[str, schema.Correlation]
    seen: Table
    now: Table

    @property
    def replaced(self) -> set[str]:
        """Names of groups that others known by then have taken the place of."""
        return {old for name in self.seen for old in self.every[name].replaces}

    def of(self, path: str) -> str | None:
        """Return the group that a path stands in; of several the one that was known, then one that came later."""
        own = [name for name, group in self.every.items() if path in group.paths and name not in self.replaced]
        return next((name for name in own if name in self.seen), own[0] if own else None)

    def between(self, one: str, other: str) -> float:
        """Return the correlation of two paths as the files have it; 0 where no group known by then has both."""
        name = self.of(one)
        if name is None or name not in self.seen or other not in self.every[name].paths:
            return 0.0
        return self.every[name].between(one, other)


@dataclass(frozen=True)
class Tied:
    """Parameters that the observations tie together.

    Attributes
    ----------
    paths : tuple of str
        Those that changed most first; none where nothing is tied together.
    pairs : list of list of float
        Their correlations, as of `schema.Correlation.pairs`.
    replaces : tuple of str
        Groups of the files whose place this one takes.
    left_out : dict
        Groups of the files that had to stay as they are, with the reason.
    """

    paths: tuple[str, ...] = ()
    pairs: list[list[float]] = field(default_factory=list)
    replaces: tuple[str, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)


def tied(found: Calibration, groups: Groups, may: Callable[[str], bool]) -> Tied:
    """Return the parameters that moved or are visibly correlated, as far as any correlation of theirs is more than chance.

    A path stands in one group only, so a group of the files that one of them belongs to comes in whole.

    Parameters
    ----------
    found : Calibration
    groups : Groups
    may : callable
        Tells whether the layer may speak of a path.
    """
    row = {path: number for number, path in enumerate(found.streams)}
    paths: list[str] = []
    left_out: dict[str, str] = {}
    for path in _wanted(found):
        name = groups.of(path)
        whole = [path] if name is None else groups.every[name].paths
        if path in paths or name in left_out:
            continue
        because = _stays(groups, name, [one in row and may(one) for one in whole])
        if because and name is not None:
            left_out[name] = because
        elif not because and len(paths) + len(whole) <= MOST:
            paths += whole
    if len(paths) < 2:
        return Tied(left_out=left_out)
    matrix = _matrix(found, groups, paths, found.uniforms[[row[path] for path in paths]])
    kept = np.flatnonzero((matrix != 0.0).sum(axis=0) > 1)
    if not len(kept):
        return Tied(left_out=left_out)
    inside = tuple(paths[number] for number in kept)
    replaces = tuple(name for name, group in groups.every.items() if set(inside) & set(group.paths))
    near = np.round(copula.nearest(matrix[np.ix_(kept, kept)], LEAST), DIGITS) + 0.0
    return Tied(inside, copula.pairs_of(near), replaces, left_out)


def _wanted(found: Calibration) -> Iterator[str]:
    """Yield paths, those whose correlations changed most first."""
    for left, right in zip(found.correlations["path"], found.correlations["other"], strict=True):
        yield from (left, right)
    yield from (path for path in found.parameters.loc[found.parameters["moved"], "path"] if PLANS not in path)


def _stays(groups: Groups, name: str | None, may: list[bool]) -> str:
    """Return why a path, or the group that it stands in, is none that the layer may change; empty where it is one."""
    if name is not None and name not in groups.seen:
        return "published later, and a path stands in one group only"
    if name is not None and groups.now.get(name) != groups.seen[name]:
        return "changed by the scenario, or not all of it is there"
    return "" if all(may) else "has a path that the layer says nothing of"


def _matrix(found: Calibration, groups: Groups, paths: list[str], uniforms: Array) -> Array:
    """Return the correlations of normal scores among the particles, 0 where there was none and chance alone might show as much."""
    together = np.atleast_2d(np.corrcoef(ndtri(uniforms)))
    before = np.array([[groups.between(one, other) if one != other else 1.0 for other in paths] for one in paths])
    return np.where((before == 0.0) & (np.abs(together) < TINY / np.sqrt(found.effective)), 0.0, together)
