"""``stockpile explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stockpile.cli import output
from stockpile.cli.options import BASELINE, CHOSEN, Chosen, Output

if TYPE_CHECKING:
    from stockpile.analysis.explain import Entry, Explanation

FILES = (".json",)


def explain(
    munition: str, date: str, /, *, scenario: str = "july_2025", output: Output = None, options: Chosen = CHOSEN
) -> None:
    """Print what moved each stock in a month, and every number behind it with its source and grade.

    Parameters
    ----------
    munition : str
        Name of a munition, for example pac3.
    date : str
        A month such as 2025-07; or a day, for the step of the run that holds it.
    scenario : str
        Name of a scenario, or a TOML file that describes one.
    output : Path, optional
        File to write: .json with everything.
    """
    from stockpile.analysis.explain import explain as explained
    from stockpile.cli.output import emit, emit_json, ending, save, to_json

    if output:
        ending(output, FILES)
    found = options.scenario(scenario)
    explanations = [explained(found, munition, date, policy) for policy in options.policies or [BASELINE]]
    data = {"seed": options.seed, "explanations": [one.as_dict() for one in explanations]}
    if output:
        save(output, to_json(data) + "\n")
    if options.json:
        emit_json(data)
    else:
        for one in explanations:
            _print(one)
        emit("Notes, locators and publication dates: --json, or stockpile params show PATH.")


def _print(one: Explanation) -> None:
    output.emit(f"{one.title}, {one.start} to {one.end}, policy {one.policy}")
    output.emit(f"Scenario {one.scenario}, as known on {one.as_of}, central values; parameters {one.digest[:12]}.\n")
    _print_ledger(one)
    others = [row for row in one.others if row["value"]]
    output.emit_table(
        "Also in this month (what is not 0)",
        ["quantity", "of", "value", "unit", "meaning"],
        [[row["quantity"], row["recipient"], output.rounds(row["value"]), row["unit"], row["meaning"]] for row in others],
        numbers=["value"],
    )
    output.emit("")
    _print_happenings(one)
    output.emit_table(
        "Numbers behind it",
        ["path", "value", "range", "unit", "grade", "from", "source"],
        [_value(row) for row in one.values],
        numbers=["value", "range"],
    )
    output.emit("")


def _print_ledger(one: Explanation) -> None:
    """Print the ledgers of all stocks in which anything is or moves, in rounds."""
    stocks: dict[tuple[str, str], list[Entry]] = {}
    for entry in one.entries:
        stocks.setdefault((entry.stock, entry.recipient), []).append(entry)
    empty = []
    for (stock, recipient), entries in stocks.items():
        if not any(entry.value for entry in entries):
            empty.append(f"{stock} {recipient}")
            continue
        output.emit_table(
            f"{stock}, {recipient} [round]",
            ["", "", "rounds"],
            [_line(entry) for entry in entries if entry.value or not entry.sign],
            numbers=["rounds"],
        )
        output.emit("")
    if empty:
        output.emit(f"Empty and unmoved: {', '.join(empty)}.\n")


def _line(entry: Entry) -> list[str]:
    sign = {1: "+", -1: "-", 0: ""}[entry.sign]
    whose = "" if entry.of == entry.recipient else entry.of
    return [f"{sign or ' '} {entry.entry}", whose, f"{entry.value:,.2f}"]


def _print_happenings(one: Explanation) -> None:
    for event in one.events:
        kind = ", ".join(filter(None, (event["kind"], event["cause"], event["recipient"])))
        output.emit(f"Event: {event['title']} ({event['name']}; {kind}), {event['start']} to {event['end']}.")
    for suspension in one.suspensions:
        output.emit(f"Suspension: {_suspension(suspension)}.")
    if not one.events:
        output.emit("Event: none.")
    if not one.suspensions:
        output.emit(f"Suspension: none in force under policy {one.policy}.")
    output.emit("")


def _suspension(suspension: dict[str, Any]) -> str:
    """Return in words what a suspension holds back."""
    kinds = {"transfers": suspension["transfers"], "new_production": suspension["new_production"]}
    channels = ", ".join(f"{channel.replace('_', ' ')} {kinds[channel]}" for channel in suspension["channels"])
    window = f"{suspension['start']} to {suspension['end']}" if suspension["kind"] == "dated" else "stock-triggered, in force"
    through = f", {suspension['let_through']:.0%} let through" if suspension["let_through"] else ""
    return f"{window}, for {', '.join(suspension['recipients'])}: {channels}{through}"


def _value(row: dict[str, Any]) -> list[str]:
    since = "" if row["from"] is None else str(row["from"])
    shown = output.number(row["value"])
    return [row["path"], shown, output.span(row["low"], row["high"]), row["unit"], row["grade"], since, row["source"] or "-"]
