"""What each policy and event moves, in a sentence each, and the text of the cells of its tables."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stockpile.analysis import wording
from stockpile.analysis.materiality import CHANNELS, LEAST, NOTHING, QUANTILES, WORDS
from stockpile.analysis.wording import Names, rows_of

if TYPE_CHECKING:
    from stockpile.analysis.materiality import Materiality
    from stockpile.scenario import Scenario

RANGE = f"{100 * QUANTILES[0]:.0f} to {100 * QUANTILES[-1]:.0f} % of the draws"
RULE = "; ".join(
    f"{name}: " + (f"below {100 * below:.0f} % of the US stock" if math.isfinite(below) else "more than that") for below, name in WORDS
)
"""The rule of the word, in words."""
NONE_KNOWN = "no need in the model"
LITTLE = 0.05


def of_materiality(made: Materiality, scenario: Scenario | None) -> list[str]:
    """Return a headline, and a sentence for each policy and event of each munition."""
    names = Names.of(made.manifest, scenario)
    rows = rows_of(made.table)
    rule = f"The word goes by the share of the US stock: {RULE}."
    return [_headline(rows, names), *(sentence(row, names) for row in rows), *_without_rounds(scenario), rule]


def _without_rounds(scenario: Scenario | None) -> list[str]:
    """Return a sentence about the events that say no rounds, such as earlier stops: there is nothing to divide."""
    titles = [f'"{event.title}"' for event in scenario.events.values() if not event.rounds] if scenario is not None else []
    return [f"Without a row, since no rounds of theirs are published: {wording.listed(titles)}."] if titles else []


def _headline(rows: list[Any], names: Names) -> str:
    """Return how many policies and events there are of each word."""
    if not rows:
        return "No policy and no event of the scenario moves any of these munitions."
    counts: dict[str, int] = {}
    for row in rows:
        plain = row.word.partition(" between ")[0]
        counts[plain] = counts.get(plain, 0) + 1
    order = [*(name for _, name in WORDS), *(name for name in counts if name not in dict(WORDS).values())]
    said = wording.listed([f"{name.removesuffix(' moves')} in {counts[name]}" for name in order if name in counts])
    policies, events = (sum(row.kind == kind for row in rows) for kind in ("policy", "event"))
    many = len({row.munition for row in rows}) > 1
    over = "each counted once a munition" if many else f"of {names.munition(rows[0].munition)}"
    return f"Of {policies} policies and {events} events, {over}, what is moved is, beside the US stock: {said}."


def sentence(row: Any, names: Names) -> str:
    """Return what a policy or an event moves, in a sentence with the word for it."""
    what = names.munition(row.munition)
    title = names.policy(row.name) if row.kind == "policy" and names.scenario else row.title
    if row.word == NOTHING:
        return f"{title}, {what}: {NOTHING}."
    moved = f"{rounds(row, 'rounds')} rounds{_channels(row)}" if row.kind == "event" or row.suspends else _otherwise(row)
    parts = [
        f"{moved}, {percent(row, 'of_stock')} of the US stock on {wording.day(row.start)}",
        f"{plain(row, 'output_days')} days of the line's output", f"{percent(row, 'of_largest')} of the largest single demand",
    ]
    if row.recipients and math.isfinite(row.months_of_need):
        who = wording.listed([names.recipient(one) for one in row.recipients.split(", ")])
        parts.append(f"{plain(row, 'months_of_need')} months of the need of {who}")
    changes = ""
    if row.kind == "policy":
        changes = f"; the US stock changes by {change(row, 'change_at_end')} rounds" + _at_horizon(row)
    return f"{title}, {what}: {', '.join(parts)}{changes}: {row.word}."


def _at_horizon(row: Any) -> str:
    over = " by the end of the run"
    return over if wording.missing(row.end) else f" at its end and {change(row, 'change_at_horizon')}{over}"


def _channels(row: Any) -> str:
    """Return how the rounds of a policy are moved, those ways that move any."""
    found = [f"{getattr(row, name):,.0f} {name}" for name in CHANNELS if row.kind == "policy" and getattr(row, name) >= LEAST]
    return f" (medians: {wording.listed(found)})" if len(found) > 1 else f" {found[0].partition(' ')[2]}" if found else ""


def _otherwise(row: Any) -> str:
    return f"{rounds(row, 'rounds')} rounds go to somebody else"


# ---------------------------------------------------------------- cells


def rounds(row: Any, name: str) -> str:
    """Return a number of rounds with its range."""
    return _range(row, name, lambda value: _three(value))


def change(row: Any, name: str) -> str:
    """Return a change in rounds with its sign and range."""
    return _range(row, name, lambda value: _three(value) if _three(value) == "0" or value < 0.0 else f"+{_three(value)}")


def percent(row: Any, name: str) -> str:
    """Return a share in per cent with its range."""
    return _range(row, name, lambda value: _two(100.0 * value)) + " %"


def plain(row: Any, name: str) -> str:
    """Return a number with its range."""
    return _range(row, name, _two)


def need(row: Any) -> str:
    """Return months of the need of those concerned; nothing where nobody is, or there is no need."""
    if not row.recipients:
        return ""
    return plain(row, "months_of_need") if math.isfinite(row.months_of_need) else NONE_KNOWN


def _range(row: Any, name: str, show: Any) -> str:
    low, middle, high = (show(getattr(row, key)) for key in (f"{name}_low", name, f"{name}_high"))
    return str(middle) if low == middle == high else f"{middle} ({low} to {high})"


def _three(value: float) -> str:
    """Return rounds with three significant digits."""
    if abs(value) < LITTLE:
        return "0"
    digits = 2 - math.floor(math.log10(abs(value)))
    return f"{round(value, digits):,.{min(max(digits, 0), 1)}f}".removesuffix(".0")


def _two(value: float) -> str:
    """Return a number with two significant digits."""
    if math.isinf(value):
        return "endless"
    if value < LITTLE / 10:
        return "0"
    digits = 1 - math.floor(math.log10(value))
    return f"{round(value, digits):,.{max(digits, 0)}f}"
