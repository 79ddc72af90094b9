"""What moved between two sides and why, in sentences made from the numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from stockpile.analysis.attribution import INTERACTION, TOGETHER
from stockpile.analysis.diff import CODE, KEY, METRICS, WHOLE
from stockpile.analysis.labels import labels
from stockpile.analysis.outlook import CLOSE, NONE
from stockpile.analysis.sides import NOT_SAID, alike
from stockpile.analysis.wording import Names, Row, amount, capital, day, listed, rows_of, spread
from stockpile.results import US

if TYPE_CHECKING:
    from stockpile.analysis.diff import Difference
    from stockpile.scenario import Scenario

LEADING = 3
"""Changes that are named one by one."""
SUMS = (INTERACTION, CODE, WHOLE)
SHORT = 12
"""Letters of a digest that are printed."""
KINDS = {
    "parameter": "parameters", "plan": "plans", "lot": "lots", "level": "levels", "event": "events", "campaign": "campaigns",
    "policy": "policies", "correlation": "correlations", "setting": "settings",
}


def of_difference(found: Difference) -> list[str]:
    """Say what moved most and why, what else differs, and whether observations and code do.

    Parameters
    ----------
    found : Difference
    """
    names = names_in(found)
    if found.nothing_moved:
        head = [f"Nothing moved from {found.a} to {found.b}."]
    else:
        leading = leading_rows(found)
        head = [f"Most moved from {found.a} to {found.b}: {_moved(leading[0], names)}."]
        head += [sentence for row in leading[:1] if (sentence := _why(found, row))]
        head += [f"{capital(_moved(row, names))}." for row in leading[1:]]
    return [*head, *_counted(found), *_observed(found), _coded(found), *found.notes]


def names_in(found: Difference) -> Names:
    """Return what things are called: by the titles of the first side whose parameters are there."""
    scenario = next((one for one in found.scenarios if one is not None), None)
    return Names.of(found.manifest, scenario)


def leading_rows(found: Difference) -> list[Row]:
    """Return the row of each munition that moved most, the largest first; of the metrics that are traced where any of them moved."""
    rows = [row for row in rows_of(found.moved) if row.verdict != NONE]
    traced = {tuple(getattr(row, name) for name in KEY) for row in rows_of(found.attribution)}
    best = [row for row in rows if tuple(getattr(row, name) for name in KEY) in traced or (not traced and row.metric in METRICS)] or rows
    first: dict[str, Row] = {}
    for row in sorted(best, key=lambda row: -row.size):
        first.setdefault(row.munition, row)
    return list(first.values())


def outcome_of(row: Row) -> str:
    """Return the outcome that a row of `moved` is about, as it is written."""
    return f"{row.munition}:{row.metric}" + (f":{row.recipient}" if row.recipient != US else "")


def change_said(row: Row) -> str:
    """Return a change with its interval, where it has one; with a sign."""
    if math.isnan(row.low) or row.low == row.high:
        return _signed(row.change, 0.0, row.unit)
    return f"{'+' if row.change > 0 else ''}{spread(row.change, row.low, row.high, row.unit)}"


def _signed(value: float, width: float, unit: str) -> str:
    return f"{'+' if value > 0 else ''}{amount(value, width, unit)}"


def _moved(row: Row, names: Names) -> str:
    """Return what a metric was, is, and by how much it moved."""
    width = 0.0 if math.isnan(row.high - row.low) else row.high - row.low
    first, second = amount(row.a, width, row.unit), amount(row.b, width, row.unit)
    said = f"{names.outcome(outcome_of(row))} under {names.policy(row.policy)}, {first} before and {second} after ({change_said(row)}"
    return said + (f"; {CLOSE})" if row.verdict == CLOSE else ")")


def _why(found: Difference, row: Row) -> str:
    """Name the changes that move a metric most by themselves, and what they move together."""
    own = [one for one in rows_of(found.attribution) if all(getattr(one, name) == getattr(row, name) for name in KEY)]
    alone = [one for one in own if one.path not in SUMS]
    if not alone:
        return ""
    called = path_labels(found, [one.path for one in alone[:LEADING]])
    said = [f"{called[one.path]} ({_signed(one.change, one.high - one.low, one.unit)})" for one in alone[:LEADING]]
    more = f"; {len(alone) - LEADING} more are in the table" if len(alone) > LEADING else ""
    together = next(one for one in own if one.path == INTERACTION)
    rest = f", and all together {_signed(together.change, 0.0, together.unit)} beside that" if abs(together.change) > 1e-6 else ""
    return f"Moved one at a time, most of it comes from {listed(said)}{more}{rest}."


def path_labels(found: Difference, paths: Iterable[str]) -> dict[str, str]:
    """Return what changes are called, by their paths (several joined by ``&``)."""
    return {path: " and ".join(_label(found, one) for one in path.split(TOGETHER)) for path in paths}


def _label(found: Difference, path: str) -> str:
    folder, _, rest = path.partition(".")
    both: Sequence[Scenario | None] = found.scenarios[::-1]
    if folder in ("events", "policies"):
        titles = [getattr(one, folder)[rest].title for one in both if one is not None and rest in getattr(one, folder)]
        return f'{folder.rstrip("s").replace("policie", "policy")} "{titles[0]}"' if titles else path
    if folder == "scenario":
        return {"as_of": "the date up to which things are known"}.get(rest, f"the scenario's {rest.replace('_', ' ')}")
    scenario = next((one for one in both if one is not None), None)
    return labels(scenario, [path])[0][path] if scenario else path


def _counted(found: Difference) -> list[str]:
    """Say how many things differ, of which kinds, and why."""
    rows = rows_of(found.why)
    if not rows:
        return []
    kinds, causes = Counter(row.kind for row in rows), Counter(row.cause for row in rows)
    what = listed([f"{number} {kind if number == 1 else KINDS.get(kind, kind)}" for kind, number in kinds.most_common()])
    why = listed([f"{cause} ({number})" for cause, number in causes.most_common()])
    return [f"{len(rows)} {'thing differs' if len(rows) == 1 else 'things differ'}: {what}. Why: {why}."]


def _observed(found: Difference) -> list[str]:
    rows = rows_of(found.observations)
    if not rows:
        return []
    causes = listed([f"{number} {cause}" for cause, number in Counter(row.change for row in rows).most_common()])
    disputed = sum(row.in_conflict for row in rows)
    said = f"Observations: {causes}; none of them moves a run by itself"
    return [f"{said}; {disputed} of them stand beside others and nobody has decided between them." if disputed else f"{said}."]


def _coded(found: Difference) -> str:
    """Say whether the code differs, the equations first, and whether they are among it."""
    said = {key: pair for key, pair in found.code.items() if NOT_SAID not in pair}
    differ = [f"{key} {_short(key, one)} and {_short(key, other)}" for key, (one, other) in said.items() if one != other]
    unknown = "" if "equations" in said else " An older result does not say with which equations it was made."
    if not differ:
        return f"The code is the same, as far as it is known.{unknown}" if unknown else "The code is the same."
    same = " The equations are the same." if alike(*found.code["equations"]) else ""
    return f"The code differs: {listed(differ)}.{same}{unknown}"


def _short(key: str, said: str) -> str:
    return said[:SHORT] if key == "equations" else said


def dates_said(found: Difference) -> str:
    """Return what both sides knew when."""
    first, second = found.manifest["as_of"], found.manifest["against"]["as_of"]
    return f"known on {day(first)}" if first == second else f"known on {day(first)} and on {day(second)}"
