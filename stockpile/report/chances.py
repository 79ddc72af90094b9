"""In how many draws a stock falls below the floor assumed here: a table by policy and date, and a line a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stockpile.report import figures, projection, spread, theme, words
from stockpile.report.tables import Table, data_link

if TYPE_CHECKING:
    from stockpile.report.study import Study
    from stockpile.report.theme import Spec
    from stockpile.results import Array

LEAST = 0.05
"""A chart whose lines all stay below this share would show nothing; there the table stands alone."""


def cell(study: Study, policy: str, munition: str, edge: int) -> str:
    """Return a probability as it is printed: 31 of 200 (11 to 21 %)."""
    found = spread.below(study, policy, munition, edge)
    return words.chance(found.hits, found.members, found.low, found.high)


def table(study: Study, munition: str) -> tuple[Table, str]:
    """Return the probabilities by policy and date; and those at every step as a link."""
    policies, edges = study.result.policies, spread.told_dates(study)
    rows = tuple((study.title(policy), *(cell(study, policy, munition, edge) for edge in edges)) for policy in policies)
    columns = ("Policy", *(f"By {words.day(study.date(edge))}" for edge in edges))
    caption = (
        f"In how many draws the US stock of {study.short(munition)} has been below the floor assumed here at some date up to then, "
        "with the 95 % interval of that share"
    )
    note = (
        "The interval is that of Monte Carlo error: how far more draws could move the share. "
        "It does not say whether the assumptions are right. All policies have the same draws. "
        "The first date is the last step before the date of knowledge."
    )
    hits = {policy: spread.passed(study, policy, munition) for policy in policies}
    data = ([study.date(edge).isoformat(), *(hits[policy][edge] for policy in policies)] for edge in range(study.last + 1))
    return Table(caption, columns, rows, note), data_link(("date", *(f"draws_below.{policy}" for policy in policies)), data)


def lines(study: Study, munition: str) -> list[tuple[tuple[str, ...], Array]]:
    """Return the share of the draws that have been below, from `spread.start` on, in percent; policies that are alike together."""
    members = study.draws_of.members
    found = {
        policy: 100.0 * np.array(spread.passed(study, policy, munition)[spread.start(study) :], dtype=np.float64) / members
        for policy in study.result.policies
    }
    return [(group, found[group[0]]) for group in figures.alike(found, 100.0 * figures.ALIKE)]


def chart(study: Study, munition: str) -> Spec | None:
    """Return the chart; None where nothing could be seen."""
    groups = lines(study, munition)
    if max(float(values.max()) for _, values in groups) < 100.0 * LEAST:
        return None
    dates = figures.days(study.result.dates[spread.start(study) :])
    height = 380
    layout = theme.layout(
        height,
        right=theme.LABELS,
        xaxis=theme.axis(type="date", range=[dates[0], dates[-1]], showgrid=False, dtick="M12", tickformat="%Y", hoverformat="%B %Y"),
        yaxis=theme.axis(range=[0, 100], ticksuffix=" %", nticks=6),
        annotations=figures.line_labels(study, groups, dates[-1], (0.0, 100.0), height - theme.ABOVE - theme.BELOW),
    )
    if study.date(study.now) > study.date(spread.start(study)):
        layout |= {"shapes": [projection.now_line(study)], "annotations": [projection.now_label(study), *layout["annotations"]]}
    data = figures.policy_lines(study, dates, groups, ".3~r")
    for trace in data:
        trace["line"]["shape"] = "hv"
        trace["hovertemplate"] = "by %{x}: %{y:.3~r} % of the draws<extra>%{fullData.name}</extra>"
    return {"data": data, "layout": layout}


def alternative(study: Study, munition: str) -> str:
    """Return the text in place of the chart."""
    stock = f"the US stock of {study.short(munition)}"
    subject = f"in how many of {study.draws_of.members:,} draws {stock} has been below the floor assumed here"
    parts = []
    for group, _ in lines(study, munition):
        hits = spread.passed(study, group[0], munition)
        said = [f"{hits[edge]:,} by {words.month(study.date(edge))}" for edge in spread.told_dates(study)]
        parts.append(f"{figures.group_label(study, group)}: {', '.join(said)}.")
    return f"Line chart of {subject}, by policy. {' '.join(parts)}"
