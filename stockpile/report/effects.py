"""Charts of what the policies change in the US stock: over years, and over the days of the shortest suspension."""

from __future__ import annotations

import numpy as np

from stockpile.report import figures, theme, words
from stockpile.report.study import YEAR, Study
from stockpile.report.theme import Spec

EFFECT_YEARS = 3
"""Years after the start of the shortest suspension that the chart of effects shows."""


def groups(study: Study, munition: str, start: int, end: int) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """Return the policies with an effect on the stock between two step edges, in groups that share a line, and those without."""
    lines = {policy: study.effect(policy, munition)[start:end] for policy in study.others}
    span = max((float(np.abs(line).max()) for line in lines.values()), default=0.0)
    still = tuple(policy for policy, line in lines.items() if float(np.abs(line).max()) <= max(figures.ALIKE * span, 0.05))
    moving = {policy: line for policy, line in lines.items() if policy not in still}
    return figures.alike(moving, figures.ALIKE * span), still


def span(study: Study) -> tuple[int, int]:
    """Return the step edges between which the chart of effects is drawn: from the start of the shortest suspension, some years on."""
    step = study.result.manifest["substeps"]
    start = study.now if study.brief is None else max(study.brief.first - 2 * step, 0)
    return start, min(start + EFFECT_YEARS * YEAR * step + step + 1, len(study.result.dates))


def effect(study: Study, munition: str) -> Spec:
    """Return the change in the US stock against no suspension, a line a policy."""
    start, end = span(study)
    dates = figures.days(study.result.dates[start:end])
    moving, _ = groups(study, munition, start, end)
    lines = [(group, study.effect(group[0], munition)[start:end]) for group in moving]
    low = min([0.0, *(float(values.min()) for _, values in lines)])
    high = max([0.05, *(float(values.max()) for _, values in lines)])
    low, high = low - 0.05 * (high - low), high + 0.05 * (high - low)
    height = 430
    layout = theme.layout(
        height,
        right=theme.LABELS,
        xaxis=theme.axis(type="date", range=[dates[0], dates[-1]], showgrid=False, nticks=8, hoverformat="%d %B %Y"),
        yaxis=theme.axis(range=[low, high], zeroline=True, tickformat="+,.4~r"),
        shapes=[figures.band(*pause) for pause in figures.pauses(study, munition)],
        annotations=[
            *figures.band_label(study, munition),
            *figures.line_labels(study, lines, dates[-1], (low, high), height - theme.ABOVE - theme.BELOW),
        ],
    )
    return {"data": figures.policy_lines(study, dates, lines, "+,.3~r"), "layout": layout}


def daily(study: Study, munition: str) -> Spec:
    """Return the effect of the shortest suspension over its first months, in the steps of the run and in daily steps."""
    assert study.fine is not None and study.brief is not None
    brief, last = study.brief, study.fine.dates[-1]
    data: list[Spec] = []
    for result, name, colour, dash, symbol in (
        (study.fine, "daily steps", theme.BLUE, "solid", "circle"),
        (study.result, study.steps, theme.VERMILLION, "dash", "diamond"),
    ):
        chosen = slice(result.index(str(brief.start.replace(day=1))), int(np.searchsorted(result.dates, last, side="right")))
        data.append(
            {
                "type": "scatter",
                "mode": "lines" if result is study.fine else "lines+markers",
                "name": name,
                "x": figures.days(result.dates[chosen]),
                "y": figures.rounded(study.effect(brief.policy, munition, result)[chosen]),
                "line": {"color": colour, "dash": dash, "width": 2},
                "marker": {"symbol": symbol, "size": 9, "color": colour},
                "hovertemplate": "%{x}: %{y:+,.3~r} rounds<extra>" + name + "</extra>",
            }
        )
    shapes = [figures.band(brief.start, brief.end)]
    notes = []
    shipment = study.shipment(munition)
    if shipment > 0.0:
        line = {"color": theme.MUTED, "width": 1, "dash": "dot"}
        shapes.append({"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "y0": shipment, "y1": shipment, "line": line})
        text = f"shipment on record: {words.rounds(shipment)}"
        notes.append(theme.note(text, x=1, xref="x domain", xanchor="right", y=shipment, yanchor="bottom"))
    layout = theme.layout(
        300,
        top=12,
        showlegend=True,
        shapes=shapes,
        annotations=notes,
        xaxis=theme.axis(type="date", showgrid=False, hoverformat="%d %B %Y", tickformat="%b %Y", dtick="M1"),
        yaxis=theme.axis(rangemode="tozero", zeroline=True, tickformat="+,.4~r"),
    )
    layout["margin"]["b"] = 64
    return {"data": data, "layout": layout}
