"""Golden tables: a few numbers of every shipped scenario, written down so that none moves unseen.

One CSV a scenario: the US stock, and what each recipient's need has gone unmet so far, at 1 January of each year and on the
scenario's `as_of` (the step edge at or before it), to six significant digits [round]. Run this file (``make golden``) to
write them anew; a deliberate act, with a "Results:" line in CHANGELOG.md for what moved and why.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import stockpile as sp

FOLDER = Path(__file__).parent
POLICIES = ["none", "suspension_indefinite"]
"""Policies of the tables; `july_2025`, the default scenario, has all of its own."""
Row = tuple[str, ...]


def rows(name: str) -> list[Row]:
    """Return the table of a scenario: a header, then a row each policy, munition, quantity and recipient."""
    scenario = sp.load(name)
    result = sp.run(scenario, None if name == "july_2025" else POLICIES)
    januaries = [str(date)[:10] for date in result.dates if str(date)[5:10] == "01-01"]
    edges = [result.index(date) for date in [*januaries, str(scenario.as_of)]]
    found: list[Row] = [("policy", "munition", "quantity", "recipient", *januaries, "as_of")]
    for policy in result.policies:
        for munition in result.munitions:
            stock = result.array("us_on_hand", policy=policy, munition=munition)[0]
            found.append((policy, munition, "us_on_hand", "us", *(digits(stock[edge]) for edge in edges)))
            for recipient in result.recipients:
                unmet = result.array("unmet", recipient, policy=policy, munition=munition)[0]
                found.append((policy, munition, "unmet so far", recipient, *(digits(unmet[:edge].sum()) for edge in edges)))
    return found


def digits(value: float) -> str:
    """Return a number to six significant digits."""
    return f"{float(value) + 0.0:.6g}"


def text(table: list[Row]) -> str:
    """Return a table as CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(table)
    return out.getvalue()


def read(name: str) -> list[Row]:
    """Return the table of a scenario as it was written down; empty if it was not."""
    file = FOLDER / f"{name}.csv"
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as lines:
        return [tuple(row) for row in csv.reader(lines)]


def moved(before: list[Row], after: list[Row]) -> list[str]:
    """Return a line for every number that differs between two tables."""

    def cells(table: list[Row]) -> dict[Row, str]:
        return {(*row[:4], date): cell for row in table[1:] for date, cell in zip(table[0][4:], row[4:], strict=True)}

    old, new = cells(before), cells(after)
    keys = [*old, *(key for key in new if key not in old)]
    return [f"{' '.join(key)}: {old.get(key, 'nothing')} -> {new.get(key, 'nothing')}" for key in keys if old.get(key) != new.get(key)]


def main() -> None:
    """Write all tables anew and print what moved."""
    for name in sp.scenarios():
        before, after = read(name), rows(name)
        changes = moved(before, after)
        (FOLDER / f"{name}.csv").write_text(text(after), encoding="utf-8", newline="\n")
        print(f"{name}.csv: {len(changes)} numbers moved", *changes[:20], *(["..."] if len(changes) > 20 else []), sep="\n  ")
    for file in FOLDER.glob("*.csv"):
        if file.stem not in sp.scenarios():
            file.unlink()
            print(f"{file.name}: removed, as there is no such scenario any more")


if __name__ == "__main__":
    main()
