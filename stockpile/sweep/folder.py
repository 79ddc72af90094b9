"""A sweep on disk: a manifest, the design, and shards that appear whole or not at all.

No process waits for another, and none is trusted to have ended well. A file is written under a name that nobody else has, flushed to
the disk, and renamed to a name that says what made it and what bytes it has. Two processes on one folder write the same bytes to
the same names. What a dead process left under a temporary name is told by the lock that died with it.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from stockpile.errors import InputError, Problem
from stockpile.sweep import shards

FORMAT = 1
MANIFEST, DESIGN, SHARDS = "manifest.json", "design.parquet", "shards"
TEMPORARY = ".tmp"
NAMED = 5
"""Most files that a message names."""
TRIES = 10
"""How often a file is written again whose temporary name was taken away."""
PLAN = ("format", "points", "shards", "rows", "columns", "what")
"""Keys of a manifest that say what the sweep looks like, beside those that decide its numbers."""
Warn = Callable[[str], None]


@dataclass
class Seen:
    """What lies in a folder of shards.

    Attributes
    ----------
    done : dict
        By number of the shard, its file.
    damaged : list of Path
        Files whose bytes are not those that their names speak of.
    foreign : list of Path
        Files called like shards that another sweep made, or that are there twice.
    """

    done: dict[int, Path] = field(default_factory=dict)
    damaged: list[Path] = field(default_factory=list)
    foreign: list[Path] = field(default_factory=list)


class Folder:
    """The folder of a sweep.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shards = path / SHARDS

    # ------------------------------------------------------------ before

    def check(self, identity: dict[str, Any], described: dict[str, Any]) -> None:
        """Refuse a folder that a sweep cannot be written to; nothing is written.

        Parameters
        ----------
        identity : dict
            Of the job.
        described : dict
            The design in a few words.

        Raises
        ------
        InputError
            If it is a file, cannot be written to, has files of something else, or another sweep.
        """
        around = self.path
        while not around.exists() and around != around.parent:
            around = around.parent
        if not around.is_dir():
            raise self._wrong(f"cannot be written: {around} is not a folder; allowed: a new folder, or one of the same sweep")
        if not os.access(around, os.W_OK | os.X_OK):
            raise self._wrong(f"cannot be written: no permission to write in {around}; allowed: a folder you can write to")
        if around != self.path:
            return
        found = self.manifest()
        if found is None:
            strange = sorted(file.name for file in self.path.iterdir() if not _is_ours(file))
        else:
            different = list(_differences(found, {**identity, "what": described}))
            if different:
                what = "; ".join(different)
                raise self._wrong(f"was made by another sweep: {what}; allowed: a new folder, or the sweep that made it")
            strange = [f"{SHARDS}/{name}" for name in self.strange()]
        if strange:
            raise self._wrong(f"has files that no sweep made: {listed(strange)}; allowed: a new folder, or one of the same sweep")

    def manifest(self) -> dict[str, Any] | None:
        """Return the manifest; None where there is none.

        Raises
        ------
        InputError
            If it cannot be read.
        """
        try:
            found = json.loads((self.path / MANIFEST).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            found = None
        if not isinstance(found, dict) or not {*PLAN, "design", "made_with"} <= set(found):
            raise self._wrong(f"{MANIFEST} is damaged; allowed: a new folder")
        if found["format"] != FORMAT:
            raise self._wrong(f"has format {found['format']}, not {FORMAT}; allowed: a new folder, or the version that made it")
        return found

    def begin(self, manifest: dict[str, Any], design: Any) -> bool:
        """Make the folder ready, and tell whether it is new; what dead processes left under temporary names goes.

        Raises
        ------
        InputError
            If it cannot be written to, or another sweep was quicker.
        """
        with self._writing():
            self.shards.mkdir(parents=True, exist_ok=True)
            self.tidy()
            known = self.manifest()
            if known is None:
                self._put(self.path / MANIFEST, (json.dumps(manifest, indent=2) + "\n").encode(), first=True)
            different = list(_differences(self.manifest() or {}, manifest))
            if different:
                raise self._wrong(f"was taken by another sweep meanwhile: {'; '.join(different)}; allowed: a new folder")
            packed = shards.packed(design)
            if not (self.path / DESIGN).exists() or (self.path / DESIGN).read_bytes() != packed:
                self._put(self.path / DESIGN, packed)
        return known is None

    # ------------------------------------------------------------ shards

    def strange(self) -> list[str]:
        """Return the names of files among the shards that are not called like shards."""
        return sorted(file.name for file in self._files() if shards.parsed(file.name) is None)

    def _files(self) -> list[Path]:
        return sorted(self.shards.iterdir()) if self.shards.is_dir() else []

    def names(self, wanted: Mapping[str, int]) -> set[int]:
        """Return the numbers of the shards that are there by name; `wanted` has them by number and digest of what makes them."""
        found = {wanted.get("-".join(file.name.split("-")[:3])) for file in self._files()}
        return {number for number in found if number is not None}

    def look(self, job: str, count: int, take: Callable[[int, bytes], None] | None = None) -> Seen:
        """Return which shards are there and whole.

        Parameters
        ----------
        job : str
            Digest of the job.
        count : int
            Number of shards.
        take : callable, optional
            Is given number and bytes of each shard that is whole.
        """
        seen = Seen()
        for file in self._files():
            said = shards.parsed(file.name)
            data = file.read_bytes() if said else b""
            if said is None:
                continue
            number, made_of, bytes_ = said
            if number >= count or number in seen.done:
                seen.foreign.append(file)
            elif shards.digest(data) != bytes_:
                seen.damaged.append(file)
            elif shards.origin(job, number, shards.points_in(data)) != made_of:
                seen.foreign.append(file)
            else:
                seen.done[number] = file
                if take:
                    take(number, data)
        return seen

    def resume(self, job: str, count: int, warn: Warn) -> Seen:
        """Return what is there; say which shards are not whole, and take away what is not of this sweep.

        Raises
        ------
        InputError
            If what is there cannot be read.
        """
        with self._writing():
            seen = self.look(job, count)
            if seen.damaged:
                warn(f"{self.path}: damaged, and done again: {listed([file.name for file in seen.damaged])}")
            if seen.foreign:
                warn(f"{self.path}: not of this sweep, and taken away: {listed([file.name for file in seen.foreign])}")
            for file in seen.foreign:
                file.unlink(missing_ok=True)
        return seen

    def write(self, number: int, made_of: str, data: bytes) -> Path:
        """Write a shard; damaged ones of the same number go.

        Raises
        ------
        InputError
            If it cannot be written: the disk is full, for example. What is there stays as it was.
        """
        target = self.shards / shards.name(number, made_of, data)
        with self._writing():
            self._put(target, data)
            for file in self.shards.glob(f"part-{number:06d}-*"):
                if file != target:
                    file.unlink(missing_ok=True)
        return target

    # ------------------------------------------------------------ files

    def _put(self, target: Path, data: bytes, *, first: bool = False) -> None:
        """Write a file under a temporary name, and rename it; with `first`, one that is there stays."""
        for _ in range(TRIES):
            part = self.path / f".{secrets.token_hex(8)}{TEMPORARY}"
            try:
                with part.open("xb") as file:
                    _lock(file)
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                _rename(part, target, first=first)
                _flush(target.parent)
                return
            except FileNotFoundError:
                if not target.parent.is_dir():
                    raise
                # Another process took it for that of a dead one, between two of the steps above. Again.
            finally:
                part.unlink(missing_ok=True)
        raise OSError(f"{target.name} was taken away {TRIES} times while it was written")

    def tidy(self) -> None:
        """Take away what dead processes left under temporary names."""
        for part in self.path.glob(f".*{TEMPORARY}"):
            with suppress(OSError), part.open("rb") as file:
                if _lock(file):
                    part.unlink(missing_ok=True)

    def _writing(self) -> _Writing:
        return _Writing(self)

    def _wrong(self, message: str) -> InputError:
        return InputError([Problem(str(self.path), 0, 0, "", message)])


class _Writing:
    """Turns an error of the disk into one clear message."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, OSError):
            why = error.strerror or str(error)
            message = f"cannot be written: {why}; what is there is whole; allowed: the same sweep again when there is room and permission"
            raise InputError([Problem(str(self.folder.path), 0, 0, "", message)]) from None


def _is_ours(file: Path) -> bool:
    """Tell whether a file may have been left by a sweep that was killed before it had a manifest; hidden files are nobody's concern."""
    return file.name.startswith(".") or file.name == DESIGN or (file.name == SHARDS and file.is_dir() and not any(file.iterdir()))


def listed(names: list[str]) -> str:
    """Return the first of some names, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _differences(found: dict[str, Any], wanted: dict[str, Any]) -> Iterator[str]:
    """Yield in words what differs between a folder's manifest and what is asked for now."""
    for key, value in wanted.items():
        if key in PLAN or found.get(key) == value:
            continue
        if key == "design":
            before, now = _design_in_words(found.get("what")), _design_in_words(wanted.get("what"))
            yield f"design was {before}, now {now}" if before != now else "other points, or in another order"
        elif key == "made_with":
            old = found.get(key) or {}
            yield from (f"{name} was {_short(old.get(name))}, now {_short(own)}" for name, own in value.items() if old.get(name) != own)
        else:
            old, new = (_short(one) if key == "parameters" else _said(one) for one in (found.get(key), value))
            yield f"{key} {'were' if key.endswith('s') else 'was'} {old}, now {new}"


def _short(value: Any) -> str:
    return str(value)[:12]


def _said(value: Any) -> str:
    if value is None:
        return "all"
    if isinstance(value, dict):
        return ", ".join(f"{key}={one}" for key, one in value.items()) or "none"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _design_in_words(what: dict[str, Any] | None) -> str:
    if not what:
        return "unknown"
    paths = []
    for path, one in what["vary"].items():
        reach = f"{one['from']} to {one['to']}" if "from" in one else ", ".join(map(str, one.get("of", ())))
        paths.append(f"{path} ({one['values']} values: {reach})")
    return f"{what['kind']} of {what['points']} points over {' and '.join(paths)}"


def _rename(part: Path, target: Path, *, first: bool) -> None:
    """Rename a file; with `first`, leave one that is there, so that of two processes only one has its way."""
    if first:
        try:
            os.link(part, target)
            return
        except FileExistsError:
            return
        except (OSError, AttributeError) as error:
            # A file system without hard links: the last one has its way, and both look afterwards.
            if isinstance(error, FileNotFoundError):
                raise
    part.replace(target)


def _flush(folder: Path) -> None:
    """Have the names in a folder on the disk too, where the system can."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _lock(file: IO[bytes]) -> bool:
    """Lock a file, and tell whether nobody else had done so; the lock goes with the process that holds it."""
    try:
        import fcntl
    except ImportError:
        # There, a file that is open cannot be taken away.
        return True
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
