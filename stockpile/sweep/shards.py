"""A shard: the rows of some points as one Parquet file, the same bytes whoever wrote it; and what such files are called."""

from __future__ import annotations

import hashlib
import json
import re
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockpile.sweep.designs import Design
from stockpile.sweep.evaluator import Evaluator, Integers, Job, Words

SUFFIX = ".parquet"
HEX = 16
"""Hexadecimal digits of a digest in a name."""
_QUANTILE = re.compile(r"q\d\d(\.\d+)?")
_NAME = re.compile(r"part-(\d{6,})-([0-9a-f]{16})-([0-9a-f]{16})\.parquet")


def made(evaluator: Evaluator, job: Job, points: Integers) -> bytes:
    """Return the bytes of a shard."""
    return packed(table(evaluator, job.design, points))


def table(evaluator: Evaluator, design: Design, points: Integers) -> Any:
    """Return the rows of some points as an Arrow table: point, varied paths, and what the evaluator gives."""
    import pyarrow as pa

    frame = evaluator.frame(points)
    own = frame.pop("point")
    assert isinstance(own, np.ndarray)
    first = _first(own)
    place = pa.array(np.cumsum(first) - 1)
    columns = {"point": pa.array(own)}
    columns |= {path: column.arrow(own[first]).take(place) for path, column in design.columns.items()}
    for name, column in frame.items():
        if isinstance(column, Words):
            columns[name] = pa.DictionaryArray.from_arrays(pa.array(column.codes), pa.array(column.words, pa.string()))
        else:
            columns[name] = pa.array(column)
    return pa.table(columns)


def packed(table: Any) -> bytes:
    """Return a table as the bytes of a Parquet file, text as plain text for every reader."""
    import pyarrow.parquet as pq

    buffer = BytesIO()
    # Numbers that hardly ever come twice need no dictionary.
    again = [name for name in table.column_names if name not in ("point", "mean") and not _QUANTILE.fullmatch(name)]
    pq.write_table(table, buffer, compression="zstd", use_dictionary=again, store_schema=False, write_page_checksum=True)
    return buffer.getvalue()


def _first(points: Integers) -> NDArray[np.bool_]:
    """Tell for each row whether its point is another one than that of the row before."""
    return np.concatenate([np.ones(min(len(points), 1), dtype=bool), points[1:] != points[:-1]])


def unpacked(data: bytes) -> Any:
    """Return the Arrow table of a Parquet file's bytes."""
    import pyarrow.parquet as pq

    return pq.read_table(BytesIO(data))


def points_in(data: bytes) -> Integers:
    """Return the numbers of the points in a Parquet file's bytes, in the order of its rows."""
    import pyarrow.parquet as pq

    points: Integers = pq.read_table(BytesIO(data), columns=["point"]).column("point").to_numpy()
    return points[_first(points)]


# ---------------------------------------------------------------- names


def digest(data: bytes) -> str:
    """Return the part of the SHA-256 of some bytes that stands in a name."""
    return hashlib.sha256(data).hexdigest()[:HEX]


def origin(job: str, number: int, points: Integers) -> str:
    """Return the digest of what makes a shard: the job's digest, the shard's number and its points."""
    return digest(json.dumps([job, number]).encode() + np.sort(points).astype("<i8").tobytes())


def stem(number: int, made_of: str) -> str:
    """Return how the name of a shard's file begins."""
    return f"part-{number:06d}-{made_of}"


def name(number: int, made_of: str, data: bytes) -> str:
    """Return the name of a shard's file: number, digest of what made it, digest of its bytes."""
    return f"{stem(number, made_of)}-{digest(data)}{SUFFIX}"


def parsed(name: str) -> tuple[int, str, str] | None:
    """Return number, digest of what made it and digest of its bytes from a shard's name; None where it is no such name."""
    found = _NAME.fullmatch(name)
    return (int(found[1]), found[2], found[3]) if found else None
