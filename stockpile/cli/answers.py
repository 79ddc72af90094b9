"""The tables that stand below the first sentence of an answer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stockpile.cli.output import LITTLE, emit, emit_table, number, rounds, share

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stockpile.analysis.break_even import BreakEven
    from stockpile.analysis.discover import Discovery
    from stockpile.analysis.frontier import Frontier
    from stockpile.analysis.robust import Robust
    from stockpile.analysis.sensitivity import Sensitivity

SHOWN = 10
"""Most rows of a ranking that are printed."""
WIDE = 6
"""Most values of a second lever that stand side by side."""


def sensitivity(made: Sensitivity) -> None:
    """Print the leading Sobol indices and the leading bars of the tornado."""
    rows = made.indices.to_dict("records")
    columns = ["unknown", "total index", "first-order index", "range narrower\nby, in %"]
    cells = [
        [
            row["label"], interval(row["total"], row["total_low"], row["total_high"], decimals),
            interval(row["first"], row["first_low"], row["first_high"], decimals), percent(row["narrowing"], row["noise"]),
        ]
        for row in rows[:SHOWN]
    ]
    table(f"Sobol indices of {made.outcome} under {made.policy}, and what knowing one would do", columns, cells)
    more(len(rows), "unknowns")
    show = per_cent if made.unit == "1" else rounds
    rows = made.tornado.to_dict("records")
    columns = ["unknown", "unit", "low", "high", "mean\nat low", "mean\nat high", "largest change"]
    cells = [
        [
            row["label"], row["unit"] if row["unit"] != "1" else "", value(row["low_value"]), value(row["high_value"]),
            *(value(row[name], show) for name in ("at_low", "at_high", "swing")),
        ]
        for row in rows[:SHOWN]
    ]
    unit = "%" if made.unit == "1" else made.unit
    base = value(rows[0]["base"], show) if rows else ""
    table(f"One at a time at the ends of its range, all else drawn: mean [{unit}]; as drawn {base}", columns, cells, numbers=columns[2:])
    more(len(rows), "unknowns")


def discovery(made: Discovery) -> None:
    """Print the limits of the boxes."""
    often = dict(zip(made.stability["column"], made.stability["restricted"], strict=True))
    columns = ["box", "coverage\nin %", "density\nin %", "input", "at least", "at most", "or one of", "unit", "found again\nin % of halves"]
    cells = [
        [
            str(row["box"]), share(row["coverage"]), share(row["density"]), row["label"], value(row["low"]), value(row["high"]),
            ", ".join(map(str, row["kept"])), row["unit"], share(often[row["column"]]) if row["box"] == 1 else "",
        ]
        for row in made.table.to_dict("records")
    ]
    if cells:
        table(f"Boxes in which {made.condition} under {made.policy}", columns, cells, numbers=[*columns[:3], *columns[4:6], columns[8]])


def break_even(made: BreakEven) -> None:
    """Print the probability at each value of the lever, side by side for the values of the second one."""
    from stockpile.analysis.break_even_sentences import is_close

    curve = made.curve.to_dict("records")
    levers = list(dict.fromkeys(row["lever"] for row in curve))
    overs = list(dict.fromkeys(row["over"] for row in curve))
    found = {(row["lever"], row["over"]): interval(row["probability"], row["low"], row["high"], share) for row in curve}
    title = f"{made.outcome} under {made.policy}: chance in %, by {made.lever}"
    if made.over is None:
        table(title, ["lever", "chance in %"], [[str(lever), found[lever, overs[0]]] for lever in levers])
    elif len(overs) <= WIDE:
        columns = ["lever", *map(str, overs)]
        cells = [[str(lever), *(found[lever, over] for over in overs)] for lever in levers]
        table(f"{title} (down), over {made.over} (across)", columns, cells)
    columns = [*(["over"] if made.over else []), "verdict", "direction", "lever", "from", "to"]
    cells = [
        [
            *([str(row["over"])] if made.over else []), f"{row['verdict']}?" if is_close(row) else row["verdict"], *(
                value(row[name], str if name == "direction" else lever_value) for name in ("direction", "value", "low", "high")
            ),
        ]
        for row in made.crossings.to_dict("records")
    ]
    table(f"Where it crosses {share(made.level)} % (a question mark: too close to call)", columns, cells, numbers=columns[-3:])


def frontier(made: Frontier) -> None:
    """Print the rules that are not outdone by another in both respects, the safest first."""
    best = made.points[~made.points["dominated"]].sort_values(["chance_below", "unmet"])
    columns = ["held back\nbelow", "let go\nabove", "share\nin %", "chance below\nin %", "mean depth"]
    columns += ["unmet need\nof recipients", "unmet need\nof US forces"]
    cells = [
        [
            number(row["trigger"]), number(row["release"]), share(row["share"]),
            interval(row["chance_below"], row["chance_low"], row["chance_high"], share), rounds(row["depth"]),
            interval(row["unmet"], row["unmet_low"], row["unmet_high"]), rounds(row["own_unmet"]),
        ]
        for row in best.to_dict("records")
    ]
    title = f"Rules for {made.munition} that no other outdoes in both respects, {len(best)} of {len(made.points)}; level {made.level}"
    table(f"{title}; triggers as multiples of the review level, means in rounds", columns, cells, numbers=columns)


def robust(made: Robust) -> None:
    """Print regret by policy and scenario for each outcome, and the share of the draws in which the conditions hold."""
    for outcome, better in made.outcomes.items():
        rows = made.regret[made.regret["outcome"] == outcome].to_dict("records")
        found = {(row["policy"], row["scenario"]): row for row in rows}
        largest = made.ranking[made.ranking["outcome"] == outcome].set_index("policy")["maximum"]
        cells = [
            [policy, *(_regret(found[policy, one]) for one in made.scenarios), rounds(float(largest[policy]))] for policy in made.policies
        ]
        table(f"Regret in {outcome}, {better} being better", ["policy", *made.scenarios, "largest"], cells)
    if not made.conditions:
        return
    shares = {(row["policy"], _text(row["scenario"])): row for row in made.satisficing.to_dict("records")}
    places = (*made.scenarios, "all")
    cells = [[policy, *(_share(shares[policy, one]) for one in places)] for policy in made.policies]
    table(f"Share of the draws in %: {'; '.join(made.conditions)}", ["policy", *places], cells)


# ---------------------------------------------------------------- cells


def table(title: str, columns: Sequence[str], cells: Sequence[Sequence[str]], numbers: Sequence[str] | None = None) -> None:
    """Print a table with an empty line below; all columns but the first are numbers where nothing else is said."""
    emit_table(title, columns, cells, numbers=columns[1:] if numbers is None else numbers)
    emit("")


def more(count: int, what: str) -> None:
    """Say how many rows of a ranking are not printed."""
    if count > SHOWN:
        emit(f"{count - SHOWN} more {what} are in the JSON.\n")


def interval(middle: float, low: float, high: float, show: Callable[[float], str] = rounds) -> str:
    """Return a number with its interval, as it stands in a table."""
    return f"{show(middle)} ({show(low)} to {show(high)})"


def value(given: Any, show: Callable[[Any], str] | None = None) -> str:
    """Return a value; nothing where there is none."""
    missing = given is None or (isinstance(given, float) and math.isnan(given))
    return "" if missing else (show or lever_value)(given)


def lever_value(given: Any) -> str:
    """Return a value of a parameter or lever: a number with four digits, anything else as it is."""
    return f"{given:,.4g}" if isinstance(given, float) else str(given)


def per_cent(given: float) -> str:
    """Return a share, or a change of one, in per cent."""
    return f"{100.0 * given:.3g}"


def decimals(given: float) -> str:
    """Return an index as printed."""
    return f"{given:.3f}"


def percent(narrowing: float, noise: float) -> str:
    """Return by how much a range narrows; nothing where chance shows as much."""
    return "" if math.isnan(narrowing) else share(narrowing) if narrowing > max(noise, LITTLE) else "within error"


def _regret(row: dict[Any, Any]) -> str:
    return "best" if row["is_best"] else interval(row["regret"], row["low"], row["high"])


def _share(row: dict[Any, Any]) -> str:
    return interval(row["share"], row["low"], row["high"], share)


def _text(scenario: Any) -> str:
    return scenario if isinstance(scenario, str) else "all"
