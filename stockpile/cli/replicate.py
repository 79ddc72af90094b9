"""``stockpile replicate``: published cases, run on their own inputs and held against their published answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from stockpile.cli import DONE, FAILED
from stockpile.cli import output as out
from stockpile.cli.answers import table
from stockpile.cli.asking import FILES
from stockpile.cli.options import COMMON, Common, Flag, Output

if TYPE_CHECKING:
    from pandas import DataFrame

    from stockpile.evidence.cases import Replication, Row


def replicate(
    *cases: str,
    strict: Annotated[bool, Flag] = False,
    template: Annotated[bool, Flag] = False,
    output: Output = None,
    options: Annotated[Common, Parameter(name="*")] = COMMON,
) -> int:
    """Run published cases on their own inputs, and say which published answers come out and which do not.

    Parameters
    ----------
    cases : str
        Names of cases, or TOML files of your own; all that there are where left out.
    strict : bool
        End with exit code 1 where a counted case, or any answer of a file of your own, is not reproduced.
    template : bool
        Print a case to begin from, with comments, and do nothing else.
    output : Path, optional
        File to write: .json for everything, .csv or .parquet for the table.
    """
    from stockpile.cli.progress import progress
    from stockpile.evidence.cases import case_template
    from stockpile.evidence.cases import replicate as work_out

    if template:
        out.emit(case_template())
        return DONE
    if output:
        out.ending(output, FILES)
    with progress("Running", len(cases) or 1, "cases") as told:
        made = work_out(cases or None, options.params, progress=told)
    frame = made.table()
    if output:
        _save(output, made, frame)
    if options.json:
        out.emit_json(_everything(made, frame))
    else:
        _print(made)
    return FAILED if strict and (made.failed or _own_failed(made)) else DONE


def _own_failed(made: Replication) -> bool:
    """Tell whether an answer in a file of the user's does not come out, be it counted or not."""
    own = {Path(file).stem for file in made.manifest["files"]}
    return any(row.verdict == "fail" and row.case in own for row in made.rows)


def _everything(made: Replication, frame: DataFrame) -> dict[str, Any]:
    from stockpile.evidence.case_words import causes

    said = {"manifest": made.manifest, "sentences": [made.sentence], "counted": made.counted, "causes": causes(made)}
    return said | {"table": out.records(frame)}


def _save(path: Path, made: Replication, frame: DataFrame) -> None:
    if path.suffix == ".json":
        out.save(path, out.to_json(_everything(made, frame), indent=None) + "\n")
    elif path.suffix == ".csv":
        out.save(path, frame.to_csv(index=False, lineterminator="\n"))
    else:
        import pyarrow as pa

        from stockpile.storage import write_tables

        write_tables(path, [pa.Table.from_pandas(frame, preserve_index=False)])
        out.written(path)


# ---------------------------------------------------------------- tables


def _print(made: Replication) -> None:
    from stockpile.evidence.case_words import causes, groups

    out.emit(f"{made.sentence}\n")
    for title, rows in groups(made):
        _table(title, rows)
    if found := causes(made):
        table("Why counted cases are not reproduced", ["case", "what its file says of it"], [[*one] for one in found.items()], numbers=[])
    said = made.manifest
    if said["in_place_of"]:
        out.emit(f"In place of the shipped case of the same name: {', '.join(said['in_place_of'])}.")
    program = f"cases {said['parameters'][:12]}; stockpile {said['version']}, commit {said['commit']}"
    out.emit("In brackets: from the least to the largest of all corners of the case's ranges; the rest is with central values.")
    out.emit(f"Each case is run by the engine as a scenario of its own; {program}.")


def _table(title: str, rows: list[Row]) -> None:
    from stockpile.evidence.case_words import asked, divided, our_words, published_words, why

    run = [row for row in rows if row.published is not None]
    if run:
        columns = ["case", "asked", "published", "ours", "quantity / rate", "verdict", "why"]
        cells = [
            [row.case, asked(row), published_words(row), our_words(row), divided(row), row.verdict, why(row)]
            for row in run
        ]
        compared = any(row.answer is not None and row.answer.is_published for row in run)
        keep = [number for number, name in enumerate(columns) if compared or name not in ("published", "verdict", "why")]
        table(title, [columns[n] for n in keep], [[row[n] for n in keep] for row in cells], numbers=[])
    else:
        cells = [[row.case, asked(row), published_words(row), why(row)] for row in rows]
        table(title, ["case", "asked", "published", "why"], cells, numbers=[])
