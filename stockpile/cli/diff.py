"""``stockpile diff``: what moved between two scenarios, folders of parameters or saved results, and why."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from stockpile.cli import output as out
from stockpile.cli.answers import SHOWN, interval, more, table, value
from stockpile.cli.options import Common, Flag, Output, Repeatable, separated, whole
from stockpile.errors import InputError, Problem

if TYPE_CHECKING:
    from stockpile.analysis.diff import Difference

FILES = (".json", ".csv", ".parquet")
OBSERVED = 12
"""Most observations that are printed."""
SEED = 1


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Compared(Common):
    """What both sides have in common, and how it is worked out."""

    params_a: Annotated[tuple[Path, ...], Repeatable] = ()
    """A folder laid over the shipped parameters for A alone; may be repeated."""
    params_b: Annotated[tuple[Path, ...], Repeatable] = ()
    """The same for B alone."""
    scenario: Annotated[str | None, Flag] = None
    """The scenario that folders are for; the one named on the other side, or july_2025, where left out."""
    policy: Annotated[tuple[str, ...], Repeatable] = ()
    """Policies by name, repeated or separated by commas; none and the pause as it happened where left out."""
    munition: Annotated[tuple[str, ...], Repeatable] = ()
    """Munitions by name; all where left out."""
    metric: Annotated[tuple[str, ...], Repeatable] = ()
    """METRIC or METRIC:RECIPIENT, such as total_unmet:ukraine; all are compared and four traced to their causes where left out."""
    threads: Annotated[str | None, Flag] = None
    """How many threads to use, all cores where left out. Moves no number."""
    engine: Annotated[str | None, Flag] = None
    """numpy or compiled; the faster one where left out. Both give the same numbers."""

    def asked(self) -> dict[str, Any]:
        """Return what the library takes."""
        return {
            "scenario": self.scenario, "params_a": [*self.params, *self.params_a], "params_b": [*self.params, *self.params_b],
            "policies": separated(self.policy, "policy", "--policy") or None,
            "munitions": separated(self.munition, "munition", "--munition") or None,
            "metrics": separated(self.metric, "metric", "--metric") or None,
            "seed": SEED if self.seed is None else self.seed, "engine": self.engine,
            "threads": None if self.threads is None else whole(self.threads),
        }


COMPARED = Compared()


def diff(a: str, b: str, /, *, members: str = "500", output: Output = None, options: Compared = COMPARED) -> None:
    """Say what moved from A to B, and why: which parameters, observations, policies, events and code differ.

    Each is a scenario's name, a TOML file that describes one, a folder of parameters laid over the shipped ones, or a file that
    run or ensemble saved (.parquet). Exits with 0 whether or not anything moved.

    Parameters
    ----------
    a, b : str
        The two sides.
    members : str
        Draws, the same on both sides; 0 for central values. Saved results have theirs.
    output : Path, optional
        File to write: .json for everything, .csv or .parquet for what moved.
    """
    from stockpile.analysis.diff import diff as work_out
    from stockpile.analysis.diff_sentences import of_difference
    from stockpile.cli.progress import progress

    if output:
        out.ending(output, FILES)
    asked = options.asked() | {"members": _members(members)}
    with progress("Moving changes one at a time", 100, "per cent") as told:
        found = work_out(a, b, **asked, progress=told)
    said = of_difference(found)
    if output:
        _save(found, said, output)
    if options.json:
        out.emit_json(everything(found, said))
        return
    out.emit(f"{said[0]}\n")
    _print(found)
    out.emit("\n".join([*said[1:], *_footer(found)]))


def _members(text: str) -> int:
    found = whole(text)
    if not isinstance(found, int) or found < 0:
        raise InputError([Problem("diff", 0, 0, "members", f"{text!r}; allowed: a whole number, 0 for central values")])
    return found


def everything(found: Difference, said: list[str]) -> dict[str, Any]:
    """Return all of a difference as plain values."""
    frames = {name: out.records(getattr(found, name)) for name in ("moved", "why", "attribution", "observations")}
    return {
        "manifest": found.manifest, "a": found.a, "b": found.b, "sentences": said, "nothing_moved": found.nothing_moved,
        "code": {key: list(pair) for key, pair in found.code.items()}, **frames,
    }


def _save(found: Difference, said: list[str], path: Path) -> None:
    if path.suffix == ".json":
        out.save(path, out.to_json(everything(found, said), indent=None) + "\n")
    elif path.suffix == ".csv":
        out.save(path, found.moved.to_csv(index=False, lineterminator="\n"))
    else:
        import pyarrow as pa

        from stockpile.storage import write_tables

        write_tables(path, [pa.Table.from_pandas(found.moved, preserve_index=False)])
        out.written(path)


# ---------------------------------------------------------------- as text


def _print(found: Difference) -> None:
    if not found.nothing_moved:
        _print_moved(found)
        _print_attribution(found)
    _print_why(found)
    _print_observations(found)


def _print_moved(found: Difference) -> None:
    """Print what moved most of each munition and policy."""
    rows = found.moved[found.moved["verdict"] != "no change"].groupby(["munition", "policy"], sort=False).head(4)
    columns = ["munition", "policy", "metric", "of", "unit", "A", "B", "change"]
    cells = [
        [
            row["munition"], row["policy"], row["metric"], row["recipient"], row["unit"], _shown(row["a"], row["unit"]),
            _shown(row["b"], row["unit"]), _change(row),
        ]
        for row in rows.to_dict("records")
    ]
    table("What moved most", columns, cells, numbers=columns[-3:])


def _shown(number: float, unit: str) -> str:
    return f"{number:,.4g}" if unit.startswith("USD") else out.rounds(number)


def _change(row: dict[Any, Any]) -> str:
    middle, low, high = (_signed(row[name], row["unit"]) for name in ("change", "low", "high"))
    return middle if math.isnan(row["low"]) or row["low"] == row["high"] else f"{middle} ({low} to {high})"


def _signed(number: float, unit: str) -> str:
    return f"{number:+,.4g}" if unit.startswith("USD") else out.rounds(number, sign=True)


def _print_attribution(found: Difference) -> None:
    """Print what moves the leading metric of each munition, change by change."""
    from stockpile.analysis.diff_sentences import leading_rows

    for row in leading_rows(found):
        key = {name: getattr(row, name) for name in ("policy", "munition", "recipient", "metric")}
        own = found.attribution
        for name, one in key.items():
            own = own[own[name] == one]
        rows = own.to_dict("records")
        if not rows:
            continue
        alone, sums = rows[: -(2 + (rows[-2]["path"] != "interaction"))], rows[-(2 + (rows[-2]["path"] != "interaction")) :]
        cells = [[one["path"], _change(one)] for one in [*alone[:SHOWN], *sums]]
        title = f"{row.munition}: {row.metric} of {row.recipient} under {row.policy}, each change moved alone [{row.unit}]"
        table(title, ["moved alone", "change"], cells)
        more(len(alone), "changes")


def _print_why(found: Difference) -> None:
    rows = found.why.to_dict("records")
    if not rows:
        return
    columns = ["path", "kind", "why", "old", "new", "unit", "published", "source"]
    cells = [
        [
            row["path"], row["kind"], row["cause"], _ranged(row, "old"), _ranged(row, "new"), row["unit"] if row["unit"] != "1" else "",
            str(row["published"] or ""), row["source"],
        ]
        for row in rows
    ]
    table("What differs", columns, cells, numbers=())


def _ranged(row: dict[Any, Any], which: str) -> str:
    low, high = row[f"{which}_low"], row[f"{which}_high"]
    if isinstance(low, float) and isinstance(row[which], float) and not math.isnan(low):
        return interval(row[which], low, high, out.number)
    return value(row[which], out.number if isinstance(row[which], float) else str) or "-"


def _print_observations(found: Difference) -> None:
    rows = found.observations.to_dict("records")
    if not rows:
        return
    columns = ["observation", "what", "date", "old", "new", "unit", "published", "publisher", "in conflict"]
    cells = [
        [
            row["name"], row["change"], str(row["date"]), value(row["old"], out.number), value(row["new"], out.number),
            row["unit"] if row["unit"] != "1" else "", str(row["published"]), row["publisher"], "yes" if row["in_conflict"] else "",
        ]
        for row in rows[:OBSERVED]
    ]
    table("Observations that are new or changed", columns, cells, numbers=("old", "new"))
    if len(rows) > OBSERVED:
        out.emit(f"{len(rows) - OBSERVED} more observations are in the JSON.\n")


def _footer(found: Difference) -> list[str]:
    own, other = found.manifest, found.manifest["against"]
    drawn = f"{own['members']:,} draws, seed {own['seed']}, the same on both sides" if own["members"] else "central values"
    digests = f"parameters {own['parameters'][:12]} and {other['parameters'][:12]}"
    about = "In brackets: 95 % interval of Monte Carlo error, how far more draws could move a number; not whether the assumptions hold."
    last = f"{own['scenario']} as known on {own['as_of']}, {other['scenario']} as known on {other['as_of']}; {drawn}; {digests}."
    return [about, last] if own["members"] else [last]
