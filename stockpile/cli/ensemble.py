"""``stockpile ensemble``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: F401 - cyclopts reads inherited annotations here
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from stockpile.cli import output
from stockpile.cli.options import BASELINE, Chosen, Flag, Output, Repeatable, separated, whole
from stockpile.errors import InputError, Problem

if TYPE_CHECKING:
    from stockpile.ensembles.result import Ensemble
    from stockpile.scenario import Scenario

FILES = (".parquet", ".csv", ".json")
SEED = 1
Row = dict[str, Any]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Draws(Chosen):
    """What is drawn, and what is wanted of it."""

    members: str = "1000"
    """Number of draws, a whole number such as 1000 or 1e6."""
    sampler: str = "random"
    """How draws are spread: random, lhs or sobol."""
    by: Annotated[tuple[str, ...], Repeatable] = ()
    """Date by which a stock may have been below its floor, as 2027-01-01 or 2027-01; may be repeated. The end of the run where left out."""
    date: Annotated[tuple[str, ...], Repeatable] = ()
    """Date at which the stocks are wanted; may be repeated."""
    quantity: Annotated[tuple[str, ...], Repeatable] = ()
    """Stock or flow whose quantiles over time are kept, or all; may be repeated. us_on_hand and unmet where left out."""
    threads: Annotated[str | None, Flag] = None
    """How many threads to use, all cores where left out. Moves no number."""
    engine: Annotated[str | None, Flag] = None
    """numpy or compiled; the faster one where left out. Both give the same numbers."""

    def arguments(self) -> dict[str, Any]:
        """Return what the library takes."""
        from stockpile.ensembles.rows import ALL, BANDS

        quantities = separated(self.quantity, "quantity", "--quantity") or list(BANDS)
        return {
            "policies": self.policies,
            "members": whole(self.members),
            "seed": SEED if self.seed is None else self.seed,
            "sampler": self.sampler,
            "quantities": ALL if quantities == [ALL] else quantities,
            "dates": separated(self.date, "date", "--date"),
            "engine": self.engine,
            "threads": None if self.threads is None else whole(self.threads),
        }


DRAWS = Draws()


def ensemble(scenario: str = "july_2025", *, output: Output = None, options: Draws = DRAWS) -> None:
    """Run many draws of a scenario: how likely each stock is to fall below its floor, in what range it lies, and what policies change.

    Parameters
    ----------
    scenario : str
        Name of a scenario, or a TOML file that describes one.
    output : Path, optional
        File to write: .parquet for the whole ensemble (stockpile.open reads it), .csv for quantiles over time, .json for both those
        and the metrics.
    """
    from stockpile.analysis.outlook import outlook, paired
    from stockpile.cli.output import emit_json, ending, save_made
    from stockpile.cli.progress import progress
    from stockpile.ensembles.run import ensemble as draw

    if output:
        ending(output, FILES)
    found = options.scenario(scenario)
    arguments = options.arguments()
    by = separated(options.by, "date", "--by")
    _check(found, arguments, by)
    with progress("Drawing", arguments["members"]) as told:
        made = draw(found, **arguments, progress=told)
    dates = arguments["dates"]
    rows, changes = outlook(found, made, by, dates), paired(made, dates)
    if output:
        save_made(output, made, made.quantiles, metrics=lambda: _metrics(made))
    if options.json:
        emit_json({"manifest": made.manifest, "overview": rows, "comparison": changes, **_everything(made, by, dates)})
    else:
        _print(found, made, rows, changes)


def _check(scenario: Scenario, arguments: Row, by: list[str]) -> None:
    """Refuse what cannot be, all faults together, before anything is drawn."""
    from stockpile.ensembles.asked import Asked, date_faults

    problems: list[Problem] = [*Asked(**arguments).faults(scenario)]
    problems += [problem for date in by for problem in date_faults(scenario, "by", date)]
    if problems:
        raise InputError(problems)


# ---------------------------------------------------------------- JSON


def _everything(made: Ensemble, by: list[str], dates: list[str]) -> Row:
    """Return the probabilities of all levels, the changes and quantiles of all metrics, and the bands at the dates that were asked for."""
    import pandas as pd

    end = str(made.dates[-1])[:10]
    levels = dict.fromkeys(level for names in made.level_names.values() for level in names)
    chances = [row for level in levels for date in by or [end] for row in output.records(made.probability(below=level, by=date))]
    bands = made.quantiles()
    wanted = [made.dates[made.index(date)] for date in dates]
    return {
        "probabilities": chances,
        "differences": [] if made.baseline is None else output.records(made.differences()),
        "metrics": _metrics(made),
        "bands": output.records(bands[bands["date"].isin(pd.DatetimeIndex(wanted))]),
    }


def _metrics(made: Ensemble) -> list[Row]:
    from stockpile.ensembles.result import QUANTILES

    frame = made.estimates()
    for q, values in zip(QUANTILES, made.metric_quantiles(), strict=True):
        frame[f"q{100 * q:02g}"] = values
    frame["quantile_error"] = made.metric_values.error
    return output.records(frame)


# ---------------------------------------------------------------- as text


def _print(scenario: Scenario, made: Ensemble, rows: list[Row], changes: list[Row]) -> None:
    for munition in scenario.munitions:
        _print_outlook(scenario, made, [row for row in rows if row["munition"] == munition])
        _print_changes(scenario, [row for row in changes if row["munition"] == munition])
    output.emit(f"Below the floor: at some date from {scenario.settings.start} on. Stocks: median, and the range of 90 % of the draws.")
    interval = "In brackets: 95 % interval of Monte Carlo error, how far more draws could move a number; not whether the assumptions hold."
    if made.manifest["sampler"] != "random":
        interval += f" It is that of independent draws; with {made.manifest['sampler']} the error is as a rule smaller."
    output.emit(interval)
    if made.baseline is None:
        output.emit(f"Changes are measured from {BASELINE}, which is not among the policies.")
    output.emit(_footer(scenario, made))


def _print_outlook(scenario: Scenario, made: Ensemble, rows: list[Row]) -> None:
    first = rows[0]
    floors = sorted({f"{row['floor']}, {output.rounds(row['floor_level'])} at central values" for row in rows})
    chances = [(f"below the floor\nby {one['by']}", "chance in %\n(interval)") for one in first["below_floor"]]
    stocks = [f"lowest after\n{made.manifest['as_of']}", *(f"stock at\n{one['date']}" for one in first["stock_at"])]
    stocks.append(f"at the end\n{first['end']}")
    columns = ["policy", *(column for pair in chances for column in pair)]
    columns += [column for stock in stocks for column in (stock, "90 % of\ndraws")]
    output.emit_table(
        f"{scenario.munitions[first['munition']].title}: US stock, in rounds (floor assumed here: {'; '.join(floors)})",
        columns,
        [
            [
                row["policy"], *(cell for one in row["below_floor"] for cell in _chance(one)),
                *(cell for one in (row["minimum_after_as_of"], *row["stock_at"], row["stock_at_end"]) for cell in _stock(one)),
            ]
            for row in rows
        ],
        numbers=columns[1:],
    )
    output.emit("")


def _print_changes(scenario: Scenario, rows: list[Row]) -> None:
    if not rows:
        return
    first = rows[0]
    unmet = {who: f"unmet need\n{scenario.recipients[who].title}" for who in first["total_unmet"]}
    at = [f"stock at\n{one['date']}" for one in first["stock_at"]]
    columns = ["policy", "lowest\nstock", *at, f"at the end\n{first['end']}", *unmet.values()]
    output.emit_table(
        f"{scenario.munitions[first['munition']].title}: mean change against {BASELINE} on the same draws, in rounds",
        columns,
        [
            [
                row["policy"], *map(_change, (row["minimum_after_as_of"], *row["stock_at"], row["stock_at_end"])),
                *(_change(row["total_unmet"][who]) for who in unmet),
            ]
            for row in rows
        ],
        numbers=columns[1:],
    )
    output.emit("")


def _chance(one: Row) -> list[str]:
    return [
        f"{one['hits']:,} of {one['members']:,}",
        f"{output.share(one['probability'])} ({output.share(one['low'])} to {output.share(one['high'])})",
    ]


def _stock(one: Row) -> list[str]:
    return [output.rounds(one["q50"]), f"{output.rounds(one['q05'])} to {output.rounds(one['q95'])}"]


def _change(one: Row) -> str:
    low, high = (output.rounds(one[end], sign=True) for end in ("low", "high"))
    if one["verdict"] == "no change":
        return "0"
    said = one["verdict"] if one["verdict"] == "too close to call" else output.rounds(one["mean"], sign=True)
    return f"{said} ({low} to {high})"


def _footer(scenario: Scenario, made: Ensemble) -> str:
    said = made.manifest
    drawn = f"{said['members']:,} draws of {said['drawn']} numbers, seed {said['seed']}, sampler {said['sampler']}, engine {said['engine']}"
    program = f"stockpile {said['version']}, commit {said['commit']}"
    return f"Scenario {scenario.name}, as known on {scenario.as_of}; {drawn}; parameters {scenario.digest[:12]}; {program}."
