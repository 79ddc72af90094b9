"""Texts in place of pictures: what each chart shows, with its values and its trend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from stockpile.report import bars, effects, figures, projection, words
from stockpile.report.narrative import SEEN

if TYPE_CHECKING:
    from stockpile.report.study import Draw, Study
    from stockpile.results import Array


def trend(values: Array) -> str:
    """Tell in a word how a line goes from its first to its last value."""
    first, last = float(values[0]), float(values[-1])
    scale = max(abs(first), abs(last))
    if scale < SEEN or abs(last - first) < 0.02 * scale:
        return "about level"
    return "rising" if last > first else "falling"


def described(study: Study, label: str, values: Array, start: int = 0) -> str:
    """Describe a line in words: first, lowest, highest and last value with their months, and the trend."""
    low, high = int(np.argmin(values)), int(np.argmax(values))
    show = words.rounds

    def at(index: int) -> str:
        return f"{show(float(values[index]))} in {words.month(study.date(start + index))}"

    return f"{label}: {at(0)}, lowest {at(low)}, highest {at(high)}, {at(len(values) - 1)}; {trend(values)} over the whole."


def stock(study: Study, munition: str) -> str:
    """Return the text in place of the chart of the stock."""
    lines = [
        described(study, figures.group_label(study, group), study.stock(group[0], munition))
        for group in projection.stock_groups(study, munition)
    ]
    levels = [f"{label}, {words.rounds(rounds)}" for label, rounds in projection.shown_levels(study, munition)]
    text = f"Line chart of the US stock of {study.scenario.munitions[munition].title}, in rounds, by policy. {' '.join(lines)}"
    return f"{text} Level lines: {'; '.join(levels)}." if levels else text


def effect(study: Study, munition: str) -> str:
    """Return the text in place of the chart of effects."""
    start, end = effects.span(study)
    groups, _ = effects.groups(study, munition, start, end)
    lines = [described(study, figures.group_label(study, group), study.effect(group[0], munition)[start:end], start) for group in groups]
    subject = f"the change in the US stock of {study.short(munition)} against “{study.title(study.base)}”"
    return f"Line chart of {subject}, in rounds. {' '.join(lines)}"


def use(study: Study, munition: str) -> str:
    """Return the text in place of the chart of use and unmet need."""
    parts = []
    for row in bars.needing(study, munition):
        used, unmet = (study.series(quantity, row, study.base, munition) for quantity in ("used", "unmet"))
        parts.append(
            f"{study.claimant(row)}: {words.rounds(float(used.sum()))} used, {words.rounds(float(unmet.sum()))} unmet over the whole run."
        )
    return (
        f"Bar chart of {study.short(munition)} used by each recipient, by calendar year, with unmet need below the axis. {' '.join(parts)}"
    )


def draws(study: Study, munition: str, found: Sequence[Draw]) -> str:
    """Return the text in place of the chart of who drew."""
    parts = [
        f"{draw.name}: {words.exact(draw.transfers)} transferred, {words.exact(draw.operations)} used by US forces on their behalf, "
        f"{words.exact(draw.production)} made for them."
        for draw in found
        if abs(draw.whole) >= SEEN and draw.lost == 0.0
    ]
    lost = sum(draw.lost for draw in found)
    return f"Bar chart of who drew on {study.short(munition)}, in rounds. {' '.join(parts)} Lost to age and damage: {words.exact(lost)}."


def daily(study: Study, munition: str) -> str:
    """Return the text in place of the chart in daily steps."""
    assert study.fine is not None and study.brief is not None
    line, dates = study.daily(munition), study.fine.dates
    start, high, last = study.fine.index(str(study.brief.start)), int(np.argmax(line)), len(line) - 1
    points = [f"{words.signed(float(line[i]))} on {words.day(dates[i])}" for i in (start, high, last)]
    return (
        f"Line chart of the change in the US stock of {study.short(munition)}, in rounds, in daily steps: "
        f"{points[0]}, highest {points[1]}, {points[2]}; beside it {study.steps}."
    )


def cost(study: Study, money: dict[str, dict[str, float]]) -> str:
    """Return the text in place of the chart of replacement cost."""
    parts = [f"{study.title(policy)}: {words.billion(sum(found.values()))}." for policy, found in money.items()]
    return f"Bar chart of replacement cost by policy, in billions of dollars of {study.result.manifest['money_year']}. {' '.join(parts)}"
