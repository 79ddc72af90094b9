"""How fast difference runs approach the ODE as steps get shorter; `python tests/convergence.py` writes docs/convergence.md.

The ODE takes the same equations between breaks, so the two differ by the length of the step alone. An error is the largest
difference in any stock of any munition and recipient, at month starts, over the largest US stock of that munition.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import stockpile as sp
from stockpile.assemble import assemble
from stockpile.engine import ode
from stockpile.results import write_text

Array = NDArray[np.float64]
STOCKS = ("us_on_hand", "order_book", "on_hand", "withheld", "deferred")
SUBSTEPS = (1, 2, 4, 8, 16, 32)
WHOLE_DAYS = (31, 62, 124)
"""Steps of a whole, half and quarter of a day in July, so that the breaks of July 2025 fall on step edges."""
FROM, END = "2025-07-01", dt.date(2027, 1, 1)
"""Errors count from the first day on which policies differ; the run ends early, to be quick."""
DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "convergence.md"


def scenario() -> sp.Scenario:
    """Return july_2025 with a shorter run."""
    return sp.load("july_2025").override({"scenario.end": END})


def one_munition(munition: str, end: dt.date) -> sp.Scenario:
    """Return july_2025 with one munition alone, run until `end`."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "alone.toml"
        text = f'title = "{munition} alone"\ndescription = "for convergence"\nbase = "july_2025"\n'
        file.write_text(text + f'munitions = ["{munition}"]\nend = {end}\n', encoding="utf-8")
        return sp.load(file)


def run(base: sp.Scenario, policies: Sequence[str], substeps: int | None) -> sp.Result:
    """Return the difference run with `substeps`, or the ODE run for None."""
    changes = {"scenario.method": "ode"} if substeps is None else {"scenario.substeps": substeps}
    return sp.run(base.override(changes), list(policies))


def error(exact: sp.Result, found: sp.Result, policy: str, munition: str, months: slice) -> float:
    """Return the error of one policy and munition at the month starts `months` of the ODE run."""
    substeps = (len(found.dates) - 1) // (len(exact.dates) - 1)
    size = float(exact.array("us_on_hand", policy=policy, munition=munition).max())
    worst = 0.0
    for quantity, row in exact.arrays:
        if quantity in STOCKS:
            a = exact.array(quantity, row, policy=policy, munition=munition)[0][months]
            b = found.array(quantity, row, policy=policy, munition=munition)[0][::substeps][months]
            worst = max(worst, float(np.abs(a - b).max()))
    return worst / size


def order(substeps: Sequence[int], errors: Sequence[float]) -> float:
    """Return the order of convergence: minus the slope of log error over log substeps, by least squares."""
    return float(-np.polyfit(np.log(substeps), np.log(errors), 1)[0])


def without_review() -> list[str]:
    """Return the policies of july_2025 that have no review trigger."""
    found = sp.load("july_2025")
    return [name for name in found.settings.policies or () if found.policies[name].review is None]


def errors_by_policy(policies: Sequence[str], substeps: Sequence[int]) -> dict[tuple[str, str], list[float]]:
    """Return the errors by policy and munition, one for each of `substeps`."""
    base = scenario()
    exact = run(base, policies, None)
    months = slice(exact.index(FROM), None)
    result: dict[tuple[str, str], list[float]] = {(p, m): [] for p in policies for m in exact.munitions}
    for n in substeps:
        found = run(base, policies, n)
        for (policy, munition), errors in result.items():
            errors.append(error(exact, found, policy, munition, months))
    return result


def worst(errors: dict[tuple[str, str], list[float]], policy: str) -> list[float]:
    """Return a policy's largest error of any munition, for each number of substeps."""
    return np.max([found for (name, _), found in errors.items() if name == policy], axis=0).tolist()


# ---------------------------------------------------------------- review


@dataclass(frozen=True)
class Switch:
    """When a review is lifted: by the ODE, and by difference runs; and how they agree until then.

    Attributes
    ----------
    exact : float
        By the ODE [month from the start].
    switched : list of float
        First step without the review, for each of the substeps [month from the start].
    crossed : list of float
        When the stock crosses the level, between step edges in a straight line.
    errors : list of float
        Errors of all stocks up to the last month start before any of these.
    """

    exact: float
    switched: list[float]
    crossed: list[float]
    errors: list[float]


REVIEWED = (
    ("suspension_with_review", "shell_155mm", dt.date(2030, 1, 1)),
    ("us_first", "shell_155mm", dt.date(2028, 5, 1)),
    ("us_first", "aim9x", dt.date(2029, 8, 1)),
)
"""Policy, munition, and an end of the run soon after the review is lifted for the first time."""
SWITCH_SUBSTEPS = (1, 2, 4, 8, 16)
PARTS = 64
"""Of the month in which the ODE lifts the review, to read off the time."""


def lifted(policy: str, munition: str, end: dt.date, substeps: Sequence[int] = SWITCH_SUBSTEPS) -> Switch:
    """Return when the review is lifted for the first time.

    Where `on` and `off` are the same level, `off` is set above it by the band that the ODE needs, for both.
    """
    base = one_munition(munition, end)
    review = base.policies[policy].review
    assert review is not None
    if review.off < review.on * (1.0 + ode.BAND):
        base = base.override({f"policies.{policy}.review.off": review.on * (1.0 + ode.BAND)})
    exact = run(base, [policy], None)
    start = exact.index(FROM)
    held = _read(exact, policy, munition, "kept_back", "ukraine") + _read(exact, policy, munition, "diverted", "ukraine")
    lifting = held[start:] < _read(exact, policy, munition, "made_for", "ukraine")[start:] * (1.0 - 1e-9)
    time = _time_of_the_event(base, policy, start + int(np.flatnonzero(lifting)[0]))
    runs = [run(base, [policy], n) for n in substeps]
    switched = [_first_without(found, policy, munition) for found in runs]
    crossed = [_crossing(found, policy, munition) for found in runs]
    until = int(np.floor(min(time, *switched, *crossed) + 1e-9))
    errors = [error(exact, found, policy, munition, slice(start, until + 1)) for found in runs]
    return Switch(time, switched, crossed, errors)


def _read(result: sp.Result, policy: str, munition: str, quantity: str, row: str = "us") -> Array:
    return result.array(quantity, row, policy=policy, munition=munition)[0]


def _time_of_the_event(base: sp.Scenario, policy: str, month: int) -> float:
    """Return when the ODE lifts the review in the month that starts at `month`, from a run that reports that month in small parts.

    While the review holds, nothing that is made for Ukraine reaches it: the part that does not tells how long it held.
    """
    assembly = assemble(base, [policy])
    clock = assembly.clock
    grid = np.concatenate([np.arange(month, dtype=np.float64), month + np.arange(PARTS + 1) / PARTS])
    knots = clock.knots[clock.knots <= month + 1]
    flows = ode.run(assembly.opening, assembly.series, knots, grid, assembly.constants).flows
    ukraine = assembly.axes.recipients.index("ukraine")
    held = ((flows["kept_back"] + flows["diverted"]) / flows["made_for"])[ukraine, month:, 0]
    first = int(np.flatnonzero(held < 1.0 - 1e-9)[0])
    return float(grid[month + first] + held[first] / PARTS)


def _first_without(found: sp.Result, policy: str, munition: str) -> float:
    review = _read(found, policy, munition, "review")
    on = int(np.flatnonzero(review > 0.5)[0])
    return float(found.months[on + np.flatnonzero(review[on:] < 0.5)[0]])


def _crossing(found: sp.Result, policy: str, munition: str) -> float:
    stock, off = _read(found, policy, munition, "us_on_hand"), _read(found, policy, munition, "review_off")[-1]
    on = int(np.flatnonzero(_read(found, policy, munition, "review") > 0.5)[0])
    above = on + int(np.flatnonzero(stock[on:] > off)[0])
    part = (off - stock[above - 1]) / (stock[above] - stock[above - 1])
    return float(found.months[above - 1] + part * (found.months[above] - found.months[above - 1]))


# ---------------------------------------------------------------- the page


def document() -> str:
    """Return docs/convergence.md."""
    policies = without_review()
    errors = errors_by_policy(policies, (*SUBSTEPS, *WHOLE_DAYS))
    count = len(SUBSTEPS)
    lines = [TITLE]
    for policy in policies:
        found = worst(errors, policy)
        shown = [f"{found[SUBSTEPS.index(n)]:.1e}" for n in (1, 4, 32)]
        orders = f"{order(SUBSTEPS, found[:count]):.2f} | {order(WHOLE_DAYS, found[count:]):.2f}"
        lines.append(f"| `{policy}` | {' | '.join(shown)} | {orders} |")
    lines.append(REVIEW)
    for policy, munition, end in REVIEWED:
        switch = lifted(policy, munition, end)
        late = [abs(time - switch.exact) for time in switch.crossed]
        shown = [f"{late[SWITCH_SUBSTEPS.index(n)]:.3f}" for n in (1, 4, 16)]
        orders = f"{order(SWITCH_SUBSTEPS, late):.2f} | {order(SWITCH_SUBSTEPS, switch.errors):.2f}"
        lines.append(f"| `{policy}` | `{munition}` | {switch.exact:.2f} | {' | '.join(shown)} | {orders} |")
    return "\n".join(lines) + "\n"


TITLE = f"""# Difference runs against the ODE

Made by `python tests/convergence.py` from `july_2025`, run to {END}; the tests check that the orders below still hold.

Both methods take the same equations. The difference engine takes steps of a month over `substeps`; the ODE is integrated between
the dates at which something known in advance changes, to a relative tolerance of {ode.TOLERANCE:g}. Their difference is due to the length
of the step and shrinks in proportion to it: first order. An error is the largest difference in any stock of any munition and
recipient at month starts from July 2025 on, over the largest US stock of that munition.

## Policies without a review

The pause of July 2025, the shipment held in it and the last day of history end on the 8th and 9th of the month. A step that such a
date cuts in two takes means over its parts, and how far these are from the truth depends on where the cut lies. So the error falls
unevenly from 1 to 32 steps a month; with 31, 62 and 124 steps, of which none is cut, it falls evenly.

| policy | 1 step a month | 4 | 32 | order, 1 to 32 | order, 31 to 124 |
|---|---|---|---|---|---|"""
REVIEW = """
## Policies with a review

The review switches at a step edge in a difference run, and wherever the stock crosses its level in the ODE, which finds the
crossing as an event. Up to the first switch the stocks agree to first order, and so does the time of the switch. After it two runs
with different steps have different histories and are not compared. For `us_first`, on and off at the same level, both methods here
lift the review a thousandth above it, as the ODE always does: it cannot switch back and forth at one level for ever.

| policy | munition | lifted by the ODE [month of the run] | off by [month], 1 step a month | 4 | 16 | order, time | order, stocks |
|---|---|---|---|---|---|---|---|"""

if __name__ == "__main__":
    write_text(DOCUMENT, document())
