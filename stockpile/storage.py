"""Results on disk: one Parquet file that pandas, DuckDB and Polars read as it lies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from stockpile.errors import InputError
from stockpile.results import COLUMNS, Result, meaning, temporary

KEY = b"stockpile"
FORMAT = 1


def write(result: Result, path: Path) -> Path:
    """Write a result to `path` and return it; the file appears whole or not at all.

    One row group a quantity, so that no more than that is in memory twice.

    Raises
    ------
    InputError
        If the folder is not there or cannot be written to.
    """
    head = {"format": FORMAT} | head_of(result)
    head["digest"] = digest(head, result.arrays.values())
    metadata = {KEY: json.dumps(head).encode()}
    return write_tables(path, (_table(result, name, row).replace_schema_metadata(metadata) for name, row in result.arrays))


def head_of(result: Result) -> dict[str, Any]:
    """Return all of a result but the numbers of its arrays, as JSON has it."""
    return {
        "manifest": result.manifest,
        "policies": result.policies,
        "munitions": result.munitions,
        "recipients": result.recipients,
        "levels": {m: {name: value.tolist() for name, value in levels.items()} for m, levels in result.levels.items()},
        "unit_cost": {m: value.tolist() for m, value in result.unit_cost.items()},
        "dates": [str(date) for date in result.dates],
        "arrays": [[*key, array.shape[-1]] for key, array in result.arrays.items()],
    }


def write_tables(path: Path, tables: Iterable[Any], **options: Any) -> Path:
    """Write Arrow tables of one schema, each as a row group or more; the file appears whole or not at all.

    Raises
    ------
    InputError
        If the folder is not there or cannot be written to.
    """
    import pyarrow.parquet as pq

    if not path.parent.is_dir():
        raise _unwritten(path, "there is no such folder")
    part, tables = temporary(path), iter(tables)
    try:
        first = next(tables)
        with pq.ParquetWriter(part, first.schema, compression="zstd", write_page_checksum=True, **options) as writer:
            for table in chain([first], tables):
                writer.write_table(table)
        part.replace(path)
    except OSError as error:
        raise _unwritten(path, error.strerror or str(error)) from None
    finally:
        part.unlink(missing_ok=True)
    return path


def _table(result: Result, name: str, row: str) -> Any:
    """Return one quantity as an Arrow table; text columns as numbers into their words."""
    import pyarrow as pa

    columns, words = result.long(name, row), result.words
    arrays = {
        column: pa.DictionaryArray.from_arrays(pa.array(columns[column].astype(np.int32)), pa.array(words[column]))
        if column in words
        else pa.array(columns[column])
        for column in COLUMNS
    }
    return pa.table(arrays)


def _unwritten(path: Path, why: str) -> InputError:
    return InputError.one("", f"cannot be written: {why}; allowed: a file in a folder that is there", file=str(path))


def read(path: str | Path) -> Result:
    """Return a result that `Result.save` wrote.

    Raises
    ------
    InputError
        If the file is not there, is no result of ours, or is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not Path(path).exists():
        raise wrong(path, "there is no such file")
    try:
        table = pq.read_table(path, page_checksum_verification=True)
    except (OSError, pa.ArrowException) as error:
        raise wrong(path, f"cannot be read as a saved result: {error}") from None
    metadata = table.schema.metadata or {}
    if KEY not in metadata:
        raise wrong(path, "is a Parquet file, but not a saved result")
    try:
        head = json.loads(metadata[KEY])
        if head["format"] != FORMAT:
            raise wrong(path, f"has format {head['format']}, not {FORMAT}")
        values = table.column("value").to_numpy()
        intact = head.pop("digest") == digest(head, [values])
        return result_of(head, values) if intact else damaged(path)
    except (KeyError, ValueError, TypeError, AttributeError):
        return damaged(path)


def digest(head: dict[str, Any], values: Iterable[Any]) -> str:
    """Return what tells whether a file is as it was written: the SHA-256 of its head and of its values, array after array."""
    found = hashlib.sha256(json.dumps(head).encode())
    for array in values:
        found.update(np.ascontiguousarray(array, dtype=np.float64).reshape(-1).data)
    return found.hexdigest()


def wrong(path: str | Path, what: str) -> InputError:
    """Return the error for a file that cannot be opened."""
    return InputError.one("", f"{what}; allowed: a file written by save", file=str(path))


def damaged(path: str | Path) -> NoReturn:
    """Refuse a file that is not as it was written."""
    raise wrong(path, "is damaged, or was changed since it was saved")


def result_of(head: dict[str, Any], values: Any) -> Result:
    """Return a result from what `head_of` gave and all its numbers, array after array."""
    lead = (len(head["policies"]), len(head["munitions"]), -1)
    members = len(next(iter(head["unit_cost"].values())))
    arrays, start = {}, 0
    for name, row, times in head["arrays"]:
        size = lead[0] * lead[1] * members * times
        arrays[name, row] = values[start : start + size].reshape(*lead, times)
        start += size
    return Result(
        policies=tuple(head["policies"]),
        munitions=tuple(head["munitions"]),
        recipients=tuple(head["recipients"]),
        dates=np.array(head["dates"], dtype="datetime64[s]"),
        arrays=arrays,
        levels={m: {name: np.array(value) for name, value in levels.items()} for m, levels in head["levels"].items()},
        unit_cost={m: np.array(value) for m, value in head["unit_cost"].items()},
        manifest=head["manifest"],
    )


def dataset(result: Result) -> Any:
    """Return an `xarray.Dataset` with the axes policy, munition, member, recipient and date.

    Raises
    ------
    InputError
        If xarray is not installed.
    """
    xarray = import_xarray()
    axes = ("policy", "munition", "member", "recipient", "date")
    names = list(dict.fromkeys(name for name, _ in result.arrays))
    variables = {}
    for name in names:
        rows = [row for row in result.rows if (name, row) in result.arrays]
        shape = result.arrays[name, rows[0]].shape
        full = np.full((*shape[:3], len(result.rows), len(result.dates)), np.nan)
        for row in rows:
            full[:, :, :, result.rows.index(row), : shape[-1]] = result.arrays[name, row]
        variables[name] = (axes, full, {"unit": meaning(name).unit, "long_name": meaning(name).text})
    coordinates = {
        "policy": list(result.policies), "munition": list(result.munitions), "member": np.arange(result.members),
        "recipient": list(result.rows), "date": result.dates.astype("datetime64[ns]"),
    }
    return xarray.Dataset(variables, coordinates, attrs={"manifest": json.dumps(result.manifest, sort_keys=True)})


def import_xarray() -> Any:
    """Return xarray.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        import xarray
    except ImportError:
        raise InputError.one("to_xarray", "needs xarray: pip install 'stockpile[xarray]'") from None
    return xarray
