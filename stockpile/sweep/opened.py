"""A sweep that can be read: from its folder, or from memory; complete or in parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile.errors import InputError, Problem
from stockpile.sweep import shards
from stockpile.sweep.evaluator import digest_of
from stockpile.sweep.folder import DESIGN, PLAN, Folder, listed

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Status:
    """How far a sweep is.

    Attributes
    ----------
    points, points_done : int
    shards, shards_done : int
    damaged, foreign : tuple of str
        Names of files that do not count, as their bytes are not what was written, or another sweep wrote them.
    size : int
        Of the shards [byte].
    """

    points: int
    points_done: int
    shards: int
    shards_done: int
    damaged: tuple[str, ...]
    foreign: tuple[str, ...]
    size: int

    @property
    def complete(self) -> bool:
        """Whether all points are done."""
        return self.points_done == self.points


@dataclass(frozen=True, eq=False)
class Sweep:
    """A sweep as stored.

    Attributes
    ----------
    manifest : dict
        What decides the numbers (scenario, digest of the parameters, design, policies, members, seed, versions), how many points,
        shards and rows to a point there are, and the columns with their types.
    path : Path or None
        Its folder; None where it is in memory.
    """

    manifest: dict[str, Any]
    path: Path | None
    _held: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    _points: Any = field(default=None, repr=False)

    def __repr__(self) -> str:
        where = f" in {self.path}" if self.path else ""
        return f"Sweep({self.manifest['scenario']!r}, {self.manifest['points']:,} points{where})"

    def table(self, *, partial: bool = False) -> pd.DataFrame:
        """Return the result as a tidy frame.

        Parameters
        ----------
        partial : bool
            Whether a part will do, where points are missing.

        Returns
        -------
        pandas.DataFrame
            Columns point, one for each varied path, policy, munition, recipient, metric, unit, members, share_finite, mean (over
            the finite ones), and quantiles (q05 ...; a date that never comes counts as infinite). Sorted by point, then as the
            policies were given.

        Raises
        ------
        InputError
            If points are missing or damaged, and `partial` is not set.
        """
        import pyarrow as pa

        parts: dict[int, Any] = {}
        status = self._look(lambda number, data: parts.update({number: shards.unpacked(data)}))
        if not status.complete and not partial:
            raise self._incomplete(status)
        if not parts:
            raise InputError([Problem(str(self.path or "sweep"), 0, 0, "", "no point is done yet; allowed: a sweep that has begun")])
        whole = pa.concat_tables([parts[number] for number in sorted(parts)])
        order = np.argsort(whole.column("point").to_numpy(), kind="stable")
        frame: pd.DataFrame = whole.take(pa.array(order)).to_pandas(date_as_object=False)
        return frame

    def design(self) -> pd.DataFrame:
        """Return the points as a frame: `point`, and a column for each varied path; what is missing is the scenario's own value.

        Raises
        ------
        InputError
            If the file is not there or damaged.
        """
        import pyarrow as pa

        if self.path is None:
            frame: pd.DataFrame = self._points.to_pandas(date_as_object=False)
            return frame
        file = self.path / DESIGN
        try:
            found: pd.DataFrame = shards.unpacked(file.read_bytes()).to_pandas(date_as_object=False)
        except (OSError, pa.ArrowException) as error:
            message = f"cannot be read ({getattr(error, 'strerror', None) or 'damaged'}); allowed: the same sweep again, which mends it"
            raise InputError([Problem(str(file), 0, 0, "", message)]) from None
        return found

    def status(self) -> Status:
        """Return how far the sweep is; every shard's bytes are compared with what its name says of them."""
        return self._look(None)

    def _look(self, take: Callable[[int, bytes], None] | None) -> Status:
        done = size = 0

        def count(number: int, data: bytes) -> None:
            nonlocal done, size
            done, size = done + len(shards.points_in(data)), size + len(data)
            if take:
                take(number, data)

        manifest = self.manifest
        if self.path is None:
            for number, data in self._held.items():
                count(number, data)
            return Status(manifest["points"], done, manifest["shards"], len(self._held), (), (), size)
        identity = {key: value for key, value in manifest.items() if key not in PLAN}
        folder = Folder(self.path)
        seen = folder.look(digest_of(identity), manifest["shards"], count)
        damaged, foreign = (tuple(file.name for file in files) for files in (seen.damaged, seen.foreign))
        return Status(manifest["points"], done, manifest["shards"], len(seen.done), damaged, (*foreign, *folder.strange()), size)

    def _incomplete(self, status: Status) -> InputError:
        damaged = f", damaged: {listed(list(status.damaged))}" if status.damaged else ""
        message = (
            f"{status.points - status.points_done:,} of {status.points:,} points are missing{damaged}; "
            "allowed: the same sweep again, which does what is missing, or partial=True"
        )
        return InputError([Problem(str(self.path), 0, 0, "", message)])


def open_sweep(path: str | Path) -> Sweep:
    """Return the sweep in a folder, complete or not.

    Raises
    ------
    InputError
        If there is none.
    """
    folder = Path(path)
    manifest = Folder(folder).manifest() if folder.is_dir() else None
    if manifest is None:
        what = "has no sweep" if folder.is_dir() else "is not a folder" if folder.exists() else "is not there"
        raise InputError([Problem(str(path), 0, 0, "", f"{what}; allowed: a folder that a sweep was written to")])
    return Sweep(manifest, folder)
