"""Bar charts: who drew the stock down, who used what and what went unmet, what replacing it costs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stockpile.report import figures, theme, words
from stockpile.report.study import Draw, Study
from stockpile.report.theme import Spec


def draws(study: Study, found: Sequence[Draw]) -> Spec:
    """Return who drew the stock down: a bar a claimant, by channel."""
    items = [draw for draw in found if abs(draw.whole) >= 0.05][::-1]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "y": [words.label(draw.name) for draw in items],
            "name": label,
            "x": figures.rounded([getattr(draw, field) for draw in items]),
            "marker": theme.filled(colour, pattern),
            "hovertemplate": "%{y}, " + label + ": %{x:,.4~r} rounds<extra></extra>",
        }
        for field, label, colour, pattern in theme.CHANNELS
        if any(abs(getattr(draw, field)) >= 0.05 for draw in items)
    ]
    axis = theme.axis(title=_name("rounds"), tickformat=",.0f", nticks=6)
    return {"data": data, "layout": _stacked(120 + 40 * len(items), 0.35, axis)}


def _name(text: str) -> Spec:
    """Return the name of an axis."""
    return {"text": text, "font": {"color": theme.MUTED, "size": 12}}


def _stacked(height: int, gap: float, xaxis: Spec) -> Spec:
    """Return the layout of bars that lie, stacked, with their legend below in the order of the stack."""
    layout = theme.layout(
        height, top=8, barmode="stack", showlegend=True, bargap=gap, xaxis=xaxis, yaxis=theme.axis(showgrid=False)
    )
    layout["legend"]["traceorder"] = "normal"
    layout["margin"]["b"] = 84
    return layout


def yearly(study: Study, quantity: str, row: str, policy: str, munition: str) -> tuple[list[int], list[float]]:
    """Return a flow summed over calendar years: years, and rounds."""
    values = study.series(quantity, row, policy, munition)
    years = np.array([study.date(index).year for index in range(len(values))])
    return [int(year) for year in np.unique(years)], [float(values[years == year].sum()) for year in np.unique(years)]


def needing(study: Study, munition: str) -> tuple[str, ...]:
    """Return the recipients that fire any of a munition or would."""
    return tuple(
        row
        for row in study.result.recipients
        if float((study.series("used", row, study.base, munition) + study.series("unmet", row, study.base, munition)).sum()) >= 0.5
    )


def use(study: Study, munition: str) -> Spec:
    """Return what each recipient used, and below the axis what went unmet, a bar a calendar year and a panel a recipient."""
    rows = needing(study, munition)
    data: list[Spec] = []
    height = 60 + 150 * len(rows)
    layout = theme.layout(height, top=30, barmode="relative", showlegend=True, bargap=0.25)
    gap = 34 / max(height - 74, 1)
    size = (1 - gap * (len(rows) - 1)) / max(len(rows), 1)
    annotations = []
    for number, row in enumerate(rows):
        axis = "" if number == 0 else str(number + 1)
        top = 1 - number * (size + gap)
        for quantity, label, sign, colour, pattern in (
            ("used", "used", 1, theme.BLUE, ""),
            ("unmet", "unmet need, below the axis", -1, theme.VERMILLION, "/"),
        ):
            years, values = yearly(study, quantity, row, study.base, munition)
            data.append(
                {
                    "type": "bar",
                    "x": years,
                    "y": figures.rounded(sign * value for value in values),
                    "name": label,
                    "legendgroup": quantity,
                    "showlegend": number == 0,
                    "yaxis": f"y{axis}",
                    "customdata": figures.rounded(values),
                    "marker": theme.filled(colour, pattern),
                    "hovertemplate": f"{words.label(study.claimant(row))} %{{x}}, {quantity}: %{{customdata:,.4~r}} rounds<extra></extra>",
                }
            )
        layout[f"yaxis{axis}"] = theme.axis(domain=[max(top - size, 0), top], zeroline=True, tickformat=",.0f", nticks=5)
        annotations.append(
            theme.note(
                f"<b>{words.label(study.claimant(row))}</b>",
                x=0,
                xref="paper",
                xanchor="left",
                y=top,
                yref="paper",
                yanchor="bottom",
                font={"color": theme.INK, "size": 13},
            )
        )
    last = "" if len(rows) <= 1 else str(len(rows))
    layout["xaxis"] = theme.axis(anchor=f"y{last}", showgrid=False, dtick=1, tickformat="d")
    layout["annotations"] = annotations
    layout["shapes"] = [_year_line(study)]
    layout["margin"]["b"] = 64
    return {"data": data, "layout": layout}


def _year_line(study: Study) -> Spec:
    """Return the line between history and projection on an axis of calendar years, whose bars stand around the year's number."""
    date = study.scenario.as_of
    place = round(date.year - 0.5 + (date.timetuple().tm_yday - 1) / 365.25, 3)
    return {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "x0": place,
        "x1": place,
        "y0": 0,
        "y1": 1,
        "line": {"color": theme.MUTED, "width": 1, "dash": "dot"},
    }


def cost(study: Study, money: dict[str, dict[str, float]]) -> Spec:
    """Return the replacement cost of each policy in billions, a bar a policy, by munition.

    Parameters
    ----------
    study : Study
    money : dict
        By policy and munition, in dollars.
    """
    policies = list(study.result.policies)[::-1]
    data = []
    for number, munition in enumerate(study.result.munitions):
        colour, pattern = theme.munition(number)
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "y": ["<br>".join(map(words.label, words.wrapped(study.title(p), figures.LABEL_WIDTH))) for p in policies],
                "x": [round(money[p][munition] / 1e9, 3) for p in policies],
                "name": words.label(study.short(munition)),
                "marker": theme.filled(colour, pattern),
                "hovertemplate": "%{y}, " + words.label(study.short(munition)) + ": %{x:,.2f} billion<extra></extra>",
            }
        )
    axis = theme.axis(title=_name(f"billion dollars of {study.result.manifest['money_year']}"))
    return {"data": data, "layout": _stacked(110 + 44 * len(policies), 0.3, axis)}
