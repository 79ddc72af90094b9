"""Tables and texts of ranges over the draws: the headline block, the stock by policy, and what the draws are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stockpile.ensembles.result import QUANTILES
from stockpile.report import chances, counted, evidence, fans, projection, spread, tables, words
from stockpile.report.tables import Table, data_link, number

if TYPE_CHECKING:
    from stockpile.report.study import Study

SOON = 24
"""Months after the date of knowledge of the headline's probability."""


def told(found: spread.Spread) -> str:
    """Return a median with its range, as all tables print it."""
    return words.spread(found.low, found.median, found.high)


def headline(study: Study) -> Table:
    """Return the table of the headline block: each munition's stock, the floor assumed here, and how often the stock falls below it."""
    soon = next((edge for edge in spread.told_dates(study)[2:] if edge < study.last), study.last)
    rows = []
    for munition in study.result.munitions:
        lines = spread.bands(study, study.base, munition)
        when = _when(study, munition)
        rows.append(
            (
                study.scenario.munitions[munition].title,
                told(spread.at(lines, study.now)),
                words.rounds(study.floor(munition)[1]),
                chances.cell(study, study.base, munition, soon),
                chances.cell(study, study.base, munition, study.last),
                when,
                told(spread.at(lines, study.last)),
            )
        )
    columns = (
        "Munition",
        f"{words.day(study.date(study.now))}, last step before the date of knowledge",
        "The floor assumed here, central",
        f"Draws below it by {words.day(study.date(soon))}",
        f"Draws below it by {words.day(study.date(study.last))}",
        "Share of all draws below it, by when",
        words.day(study.date(study.last)),
    )
    caption = (
        f"US stock in rounds under “{study.title(study.base)}”, {study.draws_of.members:,} draws: median (5th to 95th percentile), "
        "and counts of draws with the 95 % interval of their share"
    )
    return Table(caption, columns, tuple(rows))


def _when(study: Study, munition: str) -> str:
    """Return by when a twentieth, a half and nineteen twentieths of the draws are below the floor, as far as they come to be."""
    named = zip(("5 %", "half", "95 %"), spread.when_below(study, munition), strict=True)
    found = [f"{share} by {words.month(study.date(edge))}" for share, edge in named if edge is not None]
    return "; ".join(found) or "fewer than 5 %"


def stock(study: Study, munition: str) -> tuple[Table, str]:
    """Return the US stock by date and policy: medians with ranges at chosen dates, and the quantiles at all of them as a link."""
    policies = study.result.policies
    lines = {policy: spread.bands(study, policy, munition) for policy in policies}
    central = study.stock(study.base, munition)
    table = Table(
        f"US stock of {study.short(munition)} in rounds, by date and policy: median of {study.draws_of.members:,} draws "
        "(5th to 95th percentile)",
        ("Date", *(study.title(policy) for policy in policies), f"{study.title(study.base)}, central values"),
        tuple(
            (words.day(study.date(i)), *(told(spread.at(lines[p], i)) for p in policies), words.rounds(float(central[i])))
            for i in tables.shown_dates(study)
        ),
        "The whole series is in the file.",
    )
    names = [f"{policy}.q{100 * q:02g}" for policy in policies for q in QUANTILES]
    values = np.concatenate([*lines.values(), central[None]])
    rows = ([study.date(i).isoformat(), *(round(number(value), 1) for value in values[:, i])] for i in range(study.last + 1))
    return table, data_link(("date", *names, f"{study.base}.central"), rows)


def alternative(study: Study, munition: str) -> str:
    """Return the text in place of the fan chart."""
    lines, title = spread.bands(study, study.base, munition), study.scenario.munitions[munition].title
    said = [f"{words.month(study.date(edge))}: {told(spread.at(lines, edge))}" for edge in (0, *spread.told_dates(study))]
    levels = [f"{label}, {words.rounds(rounds)}" for label, rounds in projection.shown_levels(study, munition, float(lines[-1].max()))]
    text = (
        f"Fan chart of the US stock of {title}, in rounds, under “{study.title(study.base)}”: median, and in brackets the band that holds "
        f"90 % of {study.draws_of.members:,} draws. {'; '.join(said)}."
    )
    dots = f" {counted.when_sentence(study, munition) or ''}".rstrip()
    return f"{text} Level lines: {'; '.join(levels)}.{dots}" if levels else f"{text}{dots}"


def notes(study: Study, munition: str) -> list[str]:
    """Return what a reader needs to read the fan chart."""
    members = study.draws_of.members
    without = ", which has no operations at times that nobody knows" if study.scenario.campaigns else ""
    found = [
        f"The bands hold 50 and 90 % of {members:,} draws at each date; a single draw wanders, and need not stay in either. "
        f"Dotted: the run on central values{without}."
    ]
    if spread.below(study, study.base, munition, study.last).hits:
        dots = fans.dots_said(study).replace("below", "first below", 1)
        said = counted.when_sentence(study, munition)
        never = members - spread.below(study, study.base, munition, study.last).hits
        found.append(f"{words.capital(dots)}; {never:,} of {members:,} draws never are below it.{f' {said}' if said else ''}")
    name = study.floor(munition)[0]
    if study.scenario.munitions[munition].floors[name].of is not None:
        found.append("The floor assumed here is a share of the stock at the start, so each draw has its own; dashed is the central one.")
    error = spread.error(study, munition, change=False)
    if error > words.SEEN:
        found.append(words.from_counts(error))
    return found


def not_this(study: Study) -> str:
    """Return what the draws are not."""
    count = evidence.ranges_by_grade(study)
    drawn = sum(count.values())
    parts = [f"{count[grade]} {grade}" for grade in count if grade != "assumed" and count[grade]]
    text = (
        f"{study.draws_of.members:,} draws of one model. "
        "The bands show how far the stated ranges of the inputs move it, not whether it is right. "
        f"Of {drawn} values that are drawn, {count['assumed']} are judgements, range and all (grade assumed"
        f"{f'; the others: {words.listed(parts)}' if parts else ''}). "
        "US inventories are classified: every stock here is a reconstruction with a range, "
        "and every floor is an assumption, named as such. "
    )
    if study.scenario.campaigns:
        text += "Operations at times that nobody knows come at rates and sizes that are a prior, told below. "
    return f"{text}Nothing here is a count, a forecast by an official body, or advice."


def campaigns(study: Study) -> list[tuple[str, str]]:
    """Return title and description of the operations that come at times that nobody knows."""
    return [(one.title, " ".join(one.description.split())) for one in study.scenario.campaigns.values()]
