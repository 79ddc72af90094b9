"""Ensembles on disk: one Parquet file whose first rows are tidy quantiles and metrics, and whose last rows keep what was counted.

The column ``what`` tells them apart: ``bands`` (quantiles over time), ``changes`` (the same of the differences from the baseline, draw
by draw), ``metrics`` (quantiles of the metrics, their name in ``quantity``), and ``kept``: the numbers or counts themselves, as bytes in
the column ``kept``, from which everything can be asked again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from stockpile import storage
from stockpile.clock import Array
from stockpile.ensembles.result import QUANTILES, Ensemble
from stockpile.ensembles.rows import Entry
from stockpile.results import Result, meaning
from stockpile.sketch import Distribution, Moments, restored

KEY = b"stockpile_ensemble"
FORMAT = 1
KEPT = "kept"
WORDS = ("what", "policy", "munition", "recipient", "quantity", "unit")
"""Columns of text, kept as numbers into their words."""
MOMENTS = tuple(field.name for field in fields(Moments))
PIECE = 2**24
"""Bytes of an array in one row."""
GROUP = 2**24
"""Bytes of arrays in one row group."""


@dataclass(frozen=True)
class Numbers:
    """An array to be kept, as parts that follow one another."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    parts: tuple[Any, ...]

    def pieces(self) -> Iterator[Any]:
        """Yield its bytes, some at a time."""
        for part in self.parts:
            flat = np.ascontiguousarray(part, dtype=self.dtype).reshape(-1).view(np.uint8)
            for start in range(0, len(flat), PIECE):
                yield flat[start : start + PIECE]


def write(ensemble: Ensemble, path: Path) -> Path:
    """Write an ensemble to `path` and return it; the file appears whole or not at all, and is the same for the same ensemble.

    Raises
    ------
    InputError
        If the folder is not there or cannot be written to.
    """
    arrays = _arrays(ensemble)
    head = _head(ensemble, arrays)
    head["digest"] = _digest(head, chain((part["value"] for part in _tidy(ensemble)), chain.from_iterable(a.pieces() for a in arrays)))
    metadata = {KEY: json.dumps(head).encode()}
    words = _words(ensemble, arrays)
    tables = (_table(columns, words).replace_schema_metadata(metadata) for columns in chain(_tidy(ensemble), _kept(arrays)))
    names = [*WORDS, "quantile", "date"]
    return storage.write_tables(path, tables, use_dictionary=names, write_statistics=[*names, "value"])


def _head(ensemble: Ensemble, arrays: list[Numbers]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "manifest": ensemble.manifest,
        "policies": ensemble.policies,
        "munitions": ensemble.munitions,
        "recipients": ensemble.recipients,
        "members": ensemble.members,
        "dates": [str(date) for date in ensemble.dates],
        "entries": [asdict(entry) for entry in ensemble.entries],
        "keys": ensemble.keys,
        "units": ensemble.units,
        "level_names": ensemble.level_names,
        "results": {name: storage.head_of(result) for name, result in _results(ensemble)},
        "arrays": [[array.name, array.dtype, array.shape] for array in arrays],
    }


def _results(ensemble: Ensemble) -> list[tuple[str, Result]]:
    kept = [] if ensemble.trajectories is None else [("trajectories", ensemble.trajectories)]
    return [("central", ensemble.central), *kept]


def _arrays(ensemble: Ensemble) -> list[Numbers]:
    """Return what has to be kept, in order."""
    found = [*_distribution("bands", ensemble.bands), *_distribution("metrics", ensemble.metric_values)]
    found += [_numbers(f"moments.{name}", getattr(ensemble.moments, name)) for name in MOMENTS]
    for name, result in _results(ensemble):
        parts = tuple(result.arrays.values())
        found.append(Numbers(name, "<f8", (sum(part.size for part in parts),), parts))
    return found


def _distribution(name: str, held: Distribution) -> list[Numbers]:
    return [_numbers(f"{name}.{part}", array) for part, array in held.arrays().items()]


def _numbers(name: str, array: Any) -> Numbers:
    dtype = {"f": "<f8", "u": "<u4", "b": "|b1"}[array.dtype.kind]
    return Numbers(name, dtype, array.shape, (array,))


def _digest(head: dict[str, Any], values: Iterable[Any]) -> str:
    """Return what tells whether a file is as it was written: the SHA-256 of its head, of all tidy values, and of what is kept."""
    found = hashlib.sha256(json.dumps(head).encode())
    for array in values:
        found.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return found.hexdigest()


# ---------------------------------------------------------------- rows


def _tidy(ensemble: Ensemble) -> Iterator[dict[str, Any]]:
    """Yield the columns of the tidy rows, one thing followed over time after another, then the metrics."""
    q = np.asarray(QUANTILES)
    for entry in ensemble.entries:
        for policy in ensemble.policies:
            bands = [
                ensemble.band(entry.quantity, entry.row, policy=policy, munition=munition, change=entry.is_difference)
                for munition in ensemble.munitions
            ]
            times = bands[0].shape[1]
            yield {
                "what": "changes" if entry.is_difference else "bands",
                "policy": policy,
                "quantile": np.tile(np.repeat(q, times), len(bands)),
                "munition": np.repeat(ensemble.munitions, len(q) * times).tolist(),
                "recipient": entry.row,
                "quantity": entry.quantity,
                "date": np.tile(ensemble.dates[:times], len(q) * len(bands)),
                "value": np.concatenate([band.ravel() for band in bands]),
                "unit": meaning(entry.quantity).unit,
            }
    names = ("policy", "munition", "recipient", "quantity")
    yield {name: [key[place] for key in ensemble.keys for _ in q] for place, name in enumerate(names)} | {
        "what": "metrics",
        "quantile": np.tile(q, len(ensemble.keys)),
        "value": ensemble.metric_quantiles(QUANTILES).T.ravel(),
        "unit": [unit for unit in ensemble.units for _ in q],
    }


def _kept(arrays: list[Numbers]) -> Iterator[dict[str, Any]]:
    """Yield the columns of the rows that keep the arrays, some bytes at a time."""
    names: list[str] = []
    pieces: list[Any] = []
    for array in arrays:
        for piece in array.pieces():
            if pieces and sum(map(len, pieces)) + len(piece) > GROUP:
                yield {"what": KEPT, "quantity": names, KEPT: pieces}
                names, pieces = [], []
            names.append(array.name)
            pieces.append(piece)
    yield {"what": KEPT, "quantity": names, KEPT: pieces}


def _words(ensemble: Ensemble, arrays: list[Numbers]) -> dict[str, list[str]]:
    quantities = [entry.quantity for entry in ensemble.entries]
    found = {
        "what": ["bands", "changes", "metrics", KEPT],
        "policy": ensemble.policies,
        "munition": ensemble.munitions,
        "recipient": ensemble.central.rows,
        "quantity": [*quantities, *(key[3] for key in ensemble.keys), *(array.name for array in arrays)],
        "unit": [*(meaning(name).unit for name in quantities), *ensemble.units],
    }
    return {name: list(dict.fromkeys(words)) for name, words in found.items()}


def _table(columns: dict[str, Any], words: dict[str, list[str]]) -> Any:
    """Return columns as an Arrow table; what is one text stands in every row, what is missing is null."""
    import pyarrow as pa

    rows = len(columns.get("value", columns["quantity"]))
    kinds = {"quantile": pa.float64(), "date": pa.timestamp("s"), "value": pa.float64(), KEPT: pa.large_binary()}

    def column(name: str) -> Any:
        given = columns.get(name)
        if name not in WORDS:
            if name == KEPT and given is not None:
                given = [piece.data for piece in given]
            return pa.nulls(rows, kinds[name]) if given is None else pa.array(given, kinds[name])
        number = {word: place for place, word in enumerate(words[name])}
        texts = [given] * rows if isinstance(given, str) or given is None else given
        codes = pa.array([None if text is None else number[text] for text in texts], pa.int32())
        return pa.DictionaryArray.from_arrays(codes, pa.array(words[name], pa.string()))

    order = ("what", "policy", "quantile", "munition", "recipient", "quantity", "date", "value", "unit", KEPT)
    return pa.table({name: column(name) for name in order})


# ---------------------------------------------------------------- reading


def read(path: str | Path) -> Result | Ensemble:
    """Return a result or an ensemble that was saved.

    Raises
    ------
    InputError
        If the file is not there, is nothing of ours, or is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowException):
        metadata = {}
    # Whatever cannot be read at all is refused there.
    return _ensemble(path, metadata[KEY]) if KEY in metadata else storage.read(path)


def _ensemble(path: str | Path, text: bytes) -> Ensemble:
    import pyarrow as pa

    try:
        head = json.loads(text)
        if head["format"] != FORMAT:
            raise storage.wrong(path, f"is an ensemble of format {head['format']}, not {FORMAT}")
        digest = head.pop("digest")
        arrays = {name: np.empty(shape, dtype) for name, dtype, shape in head["arrays"]}
        if _digest(head, _fill(path, list(arrays.values()))) != digest:
            storage.damaged(path)
        return _made(head, arrays)
    except (OSError, pa.ArrowException, KeyError, IndexError, ValueError, TypeError, AttributeError, MemoryError):
        storage.damaged(path)


def _fill(path: str | Path, arrays: list[Any]) -> Iterator[Any]:
    """Yield what the digest is of, filling the arrays with what was kept of them."""
    import pyarrow.parquet as pq

    room = (array.reshape(-1).view(np.uint8) for array in arrays)
    left = np.empty(0, np.uint8)
    file = pq.ParquetFile(path, page_checksum_verification=True)
    for group in range(file.num_row_groups):
        table = file.read_row_group(group, columns=["value", KEPT])
        pieces = table.column(KEPT)
        yield table.column("value").filter(pieces.is_null()).to_numpy()
        for piece in pieces.drop_null():
            given = np.frombuffer(piece.as_buffer(), np.uint8)
            while not len(left):
                found = next(room, None)
                if found is None:
                    raise ValueError("more was kept than there is room for")
                left = found
            left[: len(given)] = given
            left = left[len(given) :]
            yield given


def _made(head: dict[str, Any], arrays: dict[str, Any]) -> Ensemble:
    results = {name: storage.result_of(found, arrays[name]) for name, found in head["results"].items()}
    return Ensemble(
        policies=tuple(head["policies"]),
        munitions=tuple(head["munitions"]),
        recipients=tuple(head["recipients"]),
        members=head["members"],
        dates=np.array(head["dates"], dtype="datetime64[s]"),
        entries=tuple(Entry(**entry) for entry in head["entries"]),
        bands=_held("bands", arrays),
        keys=tuple((policy, munition, row, name) for policy, munition, row, name in head["keys"]),
        units=tuple(head["units"]),
        metric_values=_held("metrics", arrays),
        moments=Moments(*(arrays[f"moments.{name}"] for name in MOMENTS)),
        level_names={munition: tuple(names) for munition, names in head["level_names"].items()},
        manifest=head["manifest"],
        central=results["central"],
        trajectories=results.get("trajectories"),
    )


def _held(name: str, arrays: dict[str, Any]) -> Distribution:
    return restored({key.removeprefix(f"{name}."): array for key, array in arrays.items() if key.startswith(f"{name}.")})


# ---------------------------------------------------------------- xarray


def dataset(ensemble: Ensemble, q: tuple[float, ...]) -> Any:
    """Return the bands as an `xarray.Dataset` (see `Ensemble.to_xarray`).

    Raises
    ------
    InputError
        If xarray is not installed.
    """
    xarray = storage.import_xarray()
    axes = ("policy", "munition", "quantile", "recipient", "date")
    rows = ensemble.central.rows
    shape = (len(ensemble.policies), len(ensemble.munitions), len(q), len(rows), len(ensemble.dates))
    arrays: dict[str, Array] = {}
    for entry in ensemble.entries:
        full = arrays.setdefault(("change_in." if entry.is_difference else "") + entry.quantity, np.full(shape, np.nan))
        for p, policy in enumerate(ensemble.policies):
            for m, munition in enumerate(ensemble.munitions):
                band = ensemble.band(entry.quantity, entry.row, policy=policy, munition=munition, q=q, change=entry.is_difference)
                full[p, m, :, rows.index(entry.row), : band.shape[1]] = band
    variables = {}
    for name, full in arrays.items():
        found = meaning(name.removeprefix("change_in."))
        variables[name] = (axes, full, {"unit": found.unit, "long_name": found.text})
    coordinates = {
        "policy": list(ensemble.policies), "munition": list(ensemble.munitions), "quantile": list(q), "recipient": list(rows),
        "date": ensemble.dates.astype("datetime64[ns]"),
    }
    return xarray.Dataset(variables, coordinates, attrs={"manifest": json.dumps(ensemble.manifest, sort_keys=True)})
