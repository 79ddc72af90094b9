"""What goes to the terminal and into files: text, tables, JSON. The only place that prints."""

from __future__ import annotations

import datetime as dt
import io
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from stockpile.errors import InputError, nearest

if TYPE_CHECKING:
    from pandas import DataFrame

    from stockpile.ensembles.result import Ensemble
    from stockpile.results import Result

UNLIMITED = 100_000
"""Width of a table that goes into a pipe [character]: one line a row, so that it can be searched."""
NARROWEST = 16
"""Width to which a column of text may be narrowed on a terminal [character]."""
LITTLE = 1e-6
"""Rounds below which a number is printed as 0 (JSON and files have it in full)."""
MOST_DIGITS = 6
"""Digits after the point of a per cent."""


class QuietConsole(Console):
    """A console that leaves it to `main` to deal with a reader who has gone, and that writes plain text into pipes."""

    def __init__(self, width: int | None = None, file: IO[str] | None = None) -> None:
        plain = bool(os.environ.get("NO_COLOR")) or not sys.stdout.isatty()
        colours: Literal["auto"] | None = None if plain else "auto"
        super().__init__(
            color_system=colours, force_terminal=not plain, width=width, file=file, highlight=False, markup=False, emoji=False
        )

    def on_broken_pipe(self) -> None:
        """Pass it on."""
        raise BrokenPipeError

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does.

        Raises
        ------
        InputError
            If it cannot be written, for example because the disk is full.
        """
        with _said_when_full():
            super().print(*objects, **options)


def emit(text: str) -> None:
    """Write text and a line end to standard output.

    Raises
    ------
    InputError
        If it cannot be written, for example because the disk is full.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    with _said_when_full():
        sys.stdout.write(text.rstrip("\n") + "\n")
        sys.stdout.flush()


@contextmanager
def _said_when_full() -> Iterator[None]:
    """Say that standard output cannot be written, unless it is its reader who has gone."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError.one("", f"cannot be written: {error.strerror or error}", file="standard output") from None


def note(text: str) -> None:
    """Write text and a line end to standard error."""
    print(text, file=sys.stderr)


def emit_json(data: Any) -> None:
    """Write data as JSON to standard output."""
    emit(to_json(data))


def to_json(data: Any, indent: int | None = 2) -> str:
    """Return data as JSON text: dates as text, infinity as "Infinity" or "-Infinity", which JSON has no number for."""
    return json.dumps(_plain(data), indent=indent, allow_nan=False)


def _plain(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {str(key): _plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple | set | frozenset):
        return [_plain(value) for value in data]
    if isinstance(data, float) and not math.isfinite(data):
        return None if math.isnan(data) else "Infinity" if data > 0 else "-Infinity"
    if isinstance(data, dt.date | Path):
        return str(data)
    return data


# ---------------------------------------------------------------- tables


def emit_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[str] = ()) -> None:
    """Print a table with a title; the columns in `numbers` are set to the right and never broken.

    On a terminal it is as wide as the terminal, or wider where the numbers need it; in a pipe each row is one line.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    height = max(column.count("\n") for column in columns)
    for column, cells in zip(columns, zip(columns, *rows, strict=True), strict=True):
        longest = max(len(line) for cell in cells for line in cell.split("\n"))
        header = Text("\n" * (height - column.count("\n")) + column)
        if column in numbers:
            table.add_column(header, justify="right", no_wrap=True, min_width=longest)
        else:
            table.add_column(header, overflow="fold", min_width=min(longest, NARROWEST))
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    need = Measurement.get(QuietConsole(UNLIMITED), QuietConsole(UNLIMITED).options, table)
    terminal = sys.stdout.isatty()
    buffer = io.StringIO()
    console = QuietConsole(max(QuietConsole().width, need.minimum) if terminal else need.maximum, buffer)
    if title:
        console.print(Text(title, style="bold"), soft_wrap=True)
    console.print(table)
    emit("\n".join(line.rstrip() for line in buffer.getvalue().splitlines()))


def rounds(value: float, *, sign: bool = False) -> str:
    """Return a number of rounds as printed: no decimals from 10 on, one from 1 on, two digits below; with a sign if asked."""
    if abs(value) < LITTLE:
        return "0"
    size = abs(value)
    text = f"{size:,.0f}" if size >= 9.95 else f"{size:.1f}" if size >= 0.995 else f"{size:.2g}"
    return f"{'-' if value < 0 else '+' if sign else ''}{text}"


def share(value: float) -> str:
    """Return a share in per cent as printed, without the sign: two digits of it or of what is left to 100."""
    least = 100 * min(value, 1 - value)
    digits = 0 if least <= 0 else min(max(1 - math.floor(math.log10(least)), 0), MOST_DIGITS)
    return f"{100 * value:.{digits}f}"


def number(value: float) -> str:
    """Return a parameter's value as printed, with all its digits."""
    text = f"{value:,.10g}"
    return text[:-2] if text.endswith(".0") else text


def span(low: float | None, high: float | None) -> str:
    """Return a range as printed; nothing where there is none."""
    return "" if low is None or high is None or low == high else f"{number(low)} to {number(high)}"


def month(date: dt.date | None) -> str:
    """Return a date as its calendar month, and None as never."""
    return "never" if date is None else f"{date:%Y-%m}"


# ---------------------------------------------------------------- files


def ending(path: Path, allowed: Sequence[str], *, makes_folder: bool = False) -> None:
    """Check a file that is to be written, before anything is worked out.

    Raises
    ------
    InputError
        If its ending is not one of `allowed`, or the folder is not there and the verb does not make it.
    """
    if path.suffix not in allowed:
        what = f"unknown ending {path.suffix!r}" if path.suffix else "has no ending"
        raise InputError.one("", f"{what}; {nearest(path.suffix, allowed)}", file=str(path))
    if path.is_dir():
        raise InputError.one("", "is a folder; allowed: a file", file=str(path))
    if not makes_folder and not path.parent.is_dir():
        raise InputError.one("", f"cannot be written: there is no folder {path.parent}", file=str(path))


def save(path: Path, text: str) -> None:
    """Write a file under a temporary name, rename it, and say so.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    from stockpile.results import write_text

    try:
        write_text(path, text)
    except OSError as error:
        raise InputError.one("", f"cannot be written: {error.strerror or error}", file=str(path)) from None
    written(path)


def save_rows(path: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Write plain rows as CSV or JSON, by the ending."""
    if path.suffix == ".json":
        save(path, to_json([{column: row[column] for column in columns} for row in rows]) + "\n")
        return
    import csv

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([["" if row[column] is None else row[column] for column in columns] for row in rows])
    save(path, text.getvalue())


def save_made(path: Path, made: Result | Ensemble, table: Callable[[], DataFrame], **more: Callable[[], Any]) -> None:
    """Write a result or an ensemble, by the ending: whole as Parquet, its tidy `table` as CSV, or that and `more` as JSON."""
    if path.suffix == ".parquet":
        made.save(path)
        written(path)
    elif path.suffix == ".csv":
        save(path, table().to_csv(index=False, lineterminator="\n"))
    else:
        data = {"manifest": made.manifest, "table": records(table()), **{name: work() for name, work in more.items()}}
        save(path, to_json(data, indent=None) + "\n")


def records(frame: DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame as plain values, dates as text."""
    columns = {name: (frame[name].astype(str) if name == "date" else frame[name]).tolist() for name in frame.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def written(path: Path) -> None:
    """Say that a file has been written."""
    note(f"written: {path}")
