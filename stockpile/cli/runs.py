"""``stockpile run`` and ``stockpile compare``."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from stockpile.cli import output
from stockpile.cli.options import BASELINE, CHOSEN, Chosen, Output
from stockpile.errors import InputError

if TYPE_CHECKING:
    from stockpile.results import Result
    from stockpile.scenario import Scenario

RUN_FILES = (".parquet", ".csv", ".json")
COMPARE_FILES = (".csv", ".json")


def run(scenario: str = "july_2025", *, output: Output = None, options: Chosen = CHOSEN) -> None:
    """Run a scenario with central values and print each stock in a few numbers.

    Parameters
    ----------
    scenario : str
        Name of a scenario, or a TOML file that describes one.
    output : Path, optional
        File to write: .parquet for the whole result (stockpile.open reads it), .csv or .json for the tidy table.
    """
    from stockpile.analysis.overview import overview
    from stockpile.cli.output import emit_json, ending, save_made
    from stockpile.simulate import run as simulate

    if output:
        ending(output, RUN_FILES)
    found = options.scenario(scenario)
    result = simulate(found, options.policies)
    rows = overview(found, result)
    if output:
        save_made(output, result, result.table)
    if options.json:
        emit_json({"manifest": result.manifest, "seed": options.seed, "overview": rows})
    else:
        _print_overview(found, result, rows)


def compare(scenario: str = "july_2025", *, date: str | None = None, output: Output = None, options: Chosen = CHOSEN) -> None:
    """Print what each policy changes against `none`, which is added where it is not among them.

    Parameters
    ----------
    scenario : str
        Name of a scenario, or a TOML file that describes one.
    date : str, optional
        Date at which the stocks are compared, as 2025-08-01 or 2025-08; the first of the month after the scenario's as_of where left out.
    output : Path, optional
        File to write: .csv or .json with all metrics and their changes.
    """
    from stockpile.analysis.overview import comparison, metrics_rows
    from stockpile.cli.output import emit_json, ending, save_rows
    from stockpile.simulate import run as simulate

    if output:
        ending(output, COMPARE_FILES)
    found = options.scenario(scenario)
    policies = options.policies or list(found.settings.policies or ())
    result = simulate(found, policies if BASELINE in policies else [BASELINE, *policies])
    rows = comparison(found, result, day(date))
    if output:
        metrics = list(metrics_rows(result))
        save_rows(output, metrics, list(metrics[0]))
    if options.json:
        emit_json({"manifest": result.manifest, "seed": options.seed, "comparison": rows})
    else:
        _print_comparison(found, result, rows)


def day(text: str | None) -> dt.date | None:
    """Return a day, or the first of a month, from its text.

    Raises
    ------
    InputError
        If it is neither.
    """
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(f"{text}-01" if text.count("-") == 1 else text)
    except ValueError:
        message = f"{text!r} is not a date; allowed: a day such as 2025-08-01 or a month such as 2025-08"
        raise InputError.one("", message, file="--date") from None


def _title(scenario: Scenario, munition: str, what: str) -> str:
    return f"{scenario.munitions[munition].title}: {what}"


def _print_overview(scenario: Scenario, result: Result, rows: list[dict[str, Any]]) -> None:
    first = rows[0]
    people = {who: f"unmet need\n{scenario.recipients[who].title}" for who in first["unmet"]}
    stocks = [f"stock at start\n{first['start']}", f"stock at\n{first['as_of']}", "lowest\nafter it", "in", f"at the end\n{first['end']}"]
    below = "first below the\nfloor assumed"
    columns = ["policy", *stocks, below, *people.values()]
    for munition in scenario.munitions:
        own = [row for row in rows if row["munition"] == munition]
        floors = sorted({f"{row['floor']} {output.rounds(row['floor_level'])}" for row in own})
        output.emit_table(
            _title(scenario, munition, f"US stock, in rounds (floor assumed here: {', '.join(floors)})"),
            columns,
            [
                [
                    row["policy"], output.rounds(row["stock_at_start"]), output.rounds(row["stock_at_as_of"]),
                    output.rounds(row["minimum_after_as_of"]), output.month(row["minimum_after_as_of_date"]),
                    output.rounds(row["stock_at_end"]),
                    output.month(row["first_below_floor"]), *(output.rounds(row["unmet"][who]) for who in people),
                ]
                for row in own
            ],
            numbers=columns[1:],
        )
        output.emit("")
    output.emit(_footer(scenario, result))


def _print_comparison(scenario: Scenario, result: Result, rows: list[dict[str, Any]]) -> None:
    if not rows:
        output.emit(f"Nothing to compare: {BASELINE} is the only policy.")
        return
    first = rows[0]
    sent = {who: f"sent to\n{scenario.recipients[who].title}" for who in first["change_in_sent"]}
    unmet = {who: f"unmet need\n{scenario.recipients[who].title}" for who in first["change_in_unmet"]}
    money = f"replacement cost\nmillion {first['cost_unit']}"
    columns = ["policy", "lowest\nstock", f"stock at\n{first['date']}", f"stock at\n{first['end']}", *sent.values(), *unmet.values(), money]
    for munition in scenario.munitions:
        output.emit_table(
            _title(scenario, munition, f"change against {BASELINE}, in rounds"),
            columns,
            [
                [
                    row["policy"], *(_change(row[key]) for key in ("change_in_minimum", "change_at_date", "change_at_end")),
                    *(_change(row["change_in_sent"][who]) for who in sent), *(_change(row["change_in_unmet"][who]) for who in unmet),
                    _change(row["change_in_replacement_cost"] / 1e6),
                ]
                for row in rows
                if row["munition"] == munition
            ],
            numbers=columns[1:],
        )
        output.emit("")
    output.emit(_footer(scenario, result))


def _change(value: float) -> str:
    return output.rounds(value, sign=True)


def _footer(scenario: Scenario, result: Result) -> str:
    made = f"stockpile {result.manifest['version']}, commit {result.manifest['commit']}"
    return f"Scenario {scenario.name}, as known on {scenario.as_of}, central values; parameters {scenario.digest[:12]}; {made}."
