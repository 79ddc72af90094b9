"""``stockpile calibrate``: what the observations say of the uncertain parameters, as a layer that every other verb can run on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from stockpile.cli import DONE, FAILED
from stockpile.cli import output as out
from stockpile.cli.answers import SHOWN, more, table, value
from stockpile.cli.asking import WORKING, Answer, Working, deliver
from stockpile.cli.options import Output, Repeatable, separated
from stockpile.cli.output import rounds
from stockpile.errors import InputError

if TYPE_CHECKING:
    from stockpile.evidence.calibrate import Calibration

SCENARIO = "november_2026"
WHOLE = 100
"""Parts of the evidence that the bar counts."""
BOUND = "In brackets: 5 to 95 % of the draws."
Row = Mapping[Any, Any]
KINDS = {"at_least": "at least ", "at_most": "at most "}


def calibrate(
    scenario: str = SCENARIO,
    *,
    members: str = "2048",
    hold_back: Annotated[tuple[str, ...], Repeatable] = (),
    output: Output = None,
    options: Working = WORKING,
) -> int:
    """Fit the uncertain parameters to the observations known at the scenario's date, and write them as a layer for --params.

    Exit code 1, and no layer, where the evidence is too thin.

    Parameters
    ----------
    scenario : str
        Name of a scenario, or a TOML file that describes one.
    members : str
        Particles: draws of the posterior.
    hold_back : str, optional
        Observations that are predicted and not fitted: names, repeated or separated by commas, or a date from which on they are.
    output : Path, optional
        Folder to write the layer into.
    """
    from stockpile.analysis.calibration_sentences import of_calibration
    from stockpile.cli.progress import progress
    from stockpile.evidence.calibrate import calibrate as work_out
    from stockpile.evidence.layer import check

    if output:
        check(output)
    found = options.scenario(scenario)
    work = options.work(members)
    _whole(work)
    with progress("Fitting", WHOLE, "parts of the evidence") as told:
        made = work_out(found, hold_back=_held_back(hold_back), **work, progress=_parts(told))
    if output and not made.refused:
        made.write(output)
        out.written(output)
    facts = {
        name: getattr(made, name)
        for name in ("refused", "effective", "unique", "temperatures", "acceptance", "moves", "log_evidence", "log_evidence_error")
    }
    frames = {name: getattr(made, name) for name in ("observations", "parameters", "correlations")} | {"scores": made.scores()}
    said = of_calibration(made, found)
    deliver(Answer(found, made.manifest, said, facts, frames, partial(show, made), BOUND), None, as_json=options.json)
    return FAILED if made.refused else DONE


def _whole(work: dict[str, Any]) -> None:
    """Refuse numbers that are none.

    Raises
    ------
    InputError
        For them.
    """
    for name in ("members", "threads"):
        if isinstance(work[name], str):
            raise InputError.one(f"--{name}", f"{work[name]!r}; allowed: a whole number", file="calibrate")


def _held_back(given: tuple[str, ...]) -> str | list[str]:
    """Return a date as it is, and names as a list."""
    names = separated(given, "observation", "--hold-back")
    return names[0] if len(names) == 1 else names


def _parts(told: Callable[..., None]) -> Callable[[float], None]:
    return lambda temperature: told(round(WHOLE * temperature))


def show(made: Calibration) -> None:
    """Print the observations and the parameters that moved most."""
    _observations(made)
    rows = made.parameters[made.parameters["moved"]].to_dict("records")
    if made.refused or not rows:
        return
    columns = ["parameter", "unit", "before", "after", "narrower\nby, in %", "distance"]
    cells = [
        [
            row["path"], "" if row["unit"] == "1" else row["unit"], _interval(row, "prior", _number), _interval(row, "posterior", _number),
            f"{100.0 * row['narrowing']:.0f} ± {200.0 * row['narrowing_error']:.0f}", f"{row['distance']:.2f}",
        ]
        for row in rows[:SHOWN]
    ]
    table("Parameters that moved by more than chance would show, median and 90 % interval", columns, cells, numbers=columns[2:])
    more(len(rows), "parameters")


def _observations(made: Calibration) -> None:
    from stockpile.evidence.chosen import LEFT_OUT

    columns = ["observation", "status", "date", "unit", "figure", "predicted before", "predicted after", "CRPS\nbefore", "CRPS\nafter"]
    frame = made.observations[made.observations["status"] != LEFT_OUT]
    cells = [
        [
            row["name"], row["status"], str(row["date"]), row["unit"], _figure(row), _interval(row, "prior", rounds),
            _interval(row, "posterior", rounds), _score(row, "before"), _score(row, "after"),
        ]
        for row in frame.to_dict("records")
    ]
    if cells:
        table("Observations, and what would have been reported", columns, cells, numbers=columns[4:])
    apart = len(made.observations) - len(frame)
    if apart:
        out.emit(f"{apart} more observations are left out; the JSON says why, and how those that can be compared are predicted.\n")


def _figure(row: Row) -> str:
    if row["kind"] == "between":
        return f"{rounds(row['low'])} to {rounds(row['high'])}"
    return KINDS.get(row["kind"], "") + rounds(row["value"])


def _score(row: Row, when: str) -> str:
    """Return the score of a figure, or of an inequality the probability that it holds."""
    holds = value(row[f"holds_{when}"], lambda share: f"holds in {100.0 * share:.0f} %")
    return value(row[f"crps_{when}"], rounds) or holds


def _interval(row: Row, side: str, shown: Callable[[float], str]) -> str:
    return value(
        row[f"{side}_middle"], lambda middle: f"{shown(middle)} ({shown(row[f'{side}_low'])} to {shown(row[f'{side}_high'])})"
    )


def _number(given: float) -> str:
    return f"{given:,.3g}" if abs(given) < 1000.0 else f"{given:,.0f}"
