"""Saved files that are damaged, foreign or cut off, and saving that fails: the same is asked of results and of ensembles."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import stockpile as sp
from stockpile.errors import InputError

Write = Callable[[Path, Path], Any]
"""Writes a file (second) that is like the saved one (first), but for something."""


def flipped(saved: Path, file: Path, place: int | None = None, bit: int = 1) -> None:
    """Write a copy with one bit flipped, in the middle or at a place."""
    raw = bytearray(saved.read_bytes())
    raw[len(raw) // 2 if place is None else place] ^= bit
    file.write_bytes(raw)


def with_head(key: bytes, change: Mapping[str, Any] | bytes) -> Write:
    """Return what writes a copy with another head: keys changed (None leaves one out), or other bytes altogether."""

    def write(saved: Path, file: Path) -> None:
        table = pq.read_table(saved)
        if isinstance(change, bytes):
            text = change
        else:
            head = {**json.loads(table.schema.metadata[key]), **change}
            text = json.dumps({name: value for name, value in head.items() if value is not None}).encode()
        pq.write_table(table.replace_schema_metadata({key: text}), file)

    return write


def with_rows(change: Callable[[Any], Any]) -> Write:
    """Return what writes a copy with other rows or columns."""
    return lambda saved, file: pq.write_table(change(pq.read_table(saved)), file)


FOREIGN: dict[str, tuple[Write, str]] = {
    "cut short": (lambda saved, file: file.write_bytes(saved.read_bytes()[:-1000]), "cannot be read"),
    "cut in half": (lambda saved, file: file.write_bytes(saved.read_bytes()[: saved.stat().st_size // 2]), "cannot be read"),
    "one bit flipped": (flipped, "(is damaged|cannot be read)"),
    "empty": (lambda _, file: file.write_bytes(b""), "cannot be read"),
    "text": (lambda _, file: file.write_text("policy,member\nnone,0\n"), "cannot be read"),
    "another table": (lambda _, file: pq.write_table(pa.table({"value": [1.0, 2.0]}), file), "not a saved result"),
    "a folder": (lambda _, file: file.mkdir(), "(cannot be read|not a saved result)"),
    "not there": (lambda *_: None, "there is no such file"),
}
"""What no file of ours can be, and what is said of it."""


def check_refused(write: Write, words: str, saved: Path, file: Path) -> None:
    write(saved, file)
    with pytest.raises(InputError, match=words) as caught:
        sp.open(file)
    (problem,) = caught.value.problems
    assert problem.file == str(file)
    assert "allowed: a file written by save" in problem.message


def refusals_of_flipped_bits(saved: Path, file: Path, many: int, check: Callable[[Any], None]) -> int:
    """Return how many of `many` copies with a bit flipped are refused, after `check` of what the others are opened as."""
    refused = 0
    for place in np.linspace(0, saved.stat().st_size - 1, many, dtype=int):
        flipped(saved, file, place, 4)
        try:
            opened = sp.open(file)
        except InputError:
            refused += 1
        else:
            check(opened)
    return refused


def check_nothing_is_left_where_saving_cannot_be(found: sp.Result | sp.Ensemble, folder: Path) -> None:
    with pytest.raises(InputError, match="there is no such folder"):
        found.save(folder / "missing" / "saved.parquet")
    (folder / "folder").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        found.save(folder / "folder")
    (folder / "file").write_text("here", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be written"):
        found.save(folder / "file" / "saved.parquet")
    assert sorted(file.name for file in folder.rglob("*")) == ["file", "folder"]
    assert (folder / "file").read_text(encoding="utf-8") == "here"


def check_an_interrupted_save_leaves_the_old_file(
    found: sp.Result | sp.Ensemble, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = found.save(folder / "saved.parquet")
    before = file.read_bytes()
    written, write_table = [], pq.ParquetWriter.write_table

    def interrupted(writer: Any, table: Any, *given: Any, **named: Any) -> None:
        if len(written) == 3:
            raise KeyboardInterrupt
        write_table(writer, table, *given, **named)
        written.append(table)

    monkeypatch.setattr(pq.ParquetWriter, "write_table", interrupted)
    with pytest.raises(KeyboardInterrupt):
        found.save(file)
    assert len(written) == 3
    assert file.read_bytes() == before
    assert list(folder.iterdir()) == [file]
