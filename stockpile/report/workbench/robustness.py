"""The section of policies over scenarios: regret, and how often what is asked of a policy holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile import scenario as scenarios
from stockpile.analysis import wording
from stockpile.analysis.sentences import of_robust
from stockpile.analysis.wording import Names
from stockpile.errors import InputError
from stockpile.report import theme, words
from stockpile.report.blocks import Chart
from stockpile.report.tables import Table, data_link
from stockpile.report.theme import Spec
from stockpile.report.workbench.maps import BLACK, SCALE, WHITE, colour_bar, pale
from stockpile.report.workbench.scenarios import names_of
from stockpile.report.workbench.section import MONTE_CARLO, Group, Section, bare, each, made_with, missing, number, signed, three

if TYPE_CHECKING:
    from stockpile.analysis.robust import Robust
    from stockpile.scenario import Scenario

NOT_THIS = (
    "Scenarios are examples, not equally likely, and not all there could be; regret is against the best of the policies that were run, "
    f"in each scenario. A policy with little regret in all of them may do badly in one that was not run. {MONTE_CARLO}"
)
UNSURE = "~"


def section(found: Robust, id_: str, scenario: Scenario | None) -> Section:
    """Return the section of policies over scenarios."""
    names = names_of(scenario, found.manifest)
    said = of_robust(found, scenario)
    titles = {name: _scenario_title(name) for name in found.scenarios}
    charts = [_regret(found, outcome, f"{id_}-regret-{number_}", names, titles) for number_, outcome in enumerate(found.outcomes, 1)]
    if found.conditions and len(found.satisficing):
        charts.append(_satisficing(found, f"{id_}-satisficing", names, titles))
    shown_as = (
        f"A row a policy, a column a scenario, {int(found.manifest['members']):,} draws in each, the same for all policies. Regret is "
        "how much worse a policy is than the best one in that scenario; “best” marks that one."
    )
    return Section(
        id=id_,
        kind="Robustness",
        title=f"Robustness: {len(found.policies)} policies over {len(found.scenarios)} scenarios",
        sentences=tuple(said),
        shown=shown_as,
        groups=(Group("", tuple(charts)),),
        tables=(),
        not_this=NOT_THIS,
        facts=made_with(found.manifest, ("Scenarios compared", ", ".join(found.scenarios))),
        manifest=found.manifest | {"basis": f"over {found.manifest['members']:,} draws in each of {len(found.scenarios)} scenarios"},
    )


def _scenario_title(name: str) -> str:
    """Return the title of a scenario that is there under its name; else the name."""
    try:
        return scenarios.load(name).settings.title or name
    except InputError:
        return name


def _policy(names: Names, policy: str) -> str:
    return names.policy(policy).strip('"')


def _regret(found: Robust, outcome: str, id_: str, names: Names, titles: dict[str, str]) -> Chart:
    frame = {(row.policy, row.scenario): row for row in each(found.regret[found.regret["outcome"] == outcome])}
    values = found.values[found.values["outcome"] == outcome]
    unit = str(values["unit"].iloc[0])
    rows = [[frame[policy, scenario] for scenario in found.scenarios] for policy in found.policies]
    what = f"regret in {names.outcome(outcome)} ({found.outcomes[outcome]} is better)"
    unit_said = bare(0.0, unit)[1]
    numbers_ = [[bare(float(row.regret), unit)[0] for row in line] for line in rows]
    texts = [[_cell(row, unit) for row in line] for line in rows]
    cells = tuple((_policy(names, policy), *(_full(row, unit) for row in line)) for policy, line in zip(found.policies, rows, strict=True))
    unsure = any(bool(row.unsure) for line in rows for row in line)
    notes = (f"{UNSURE}: the interval of the difference against the best one spans 0, too close to call.",) if unsure else ()
    return Chart(
        id_,
        _title(found, outcome, names, unit),
        f"{words.capital(what)}, {unit_said}",
        _alternative(found, what, texts, names, titles, unit_said),
        _spec(found, numbers_, texts, unit_said, names, titles),
        Table(f"{words.capital(what)}, {unit_said}, with 95 % intervals", ("Policy", *(titles[one] for one in found.scenarios)), cells),
        data_link(("policy", "scenario", "regret", "low", "high"), _data(frame, found)),
        notes,
    )


def _title(found: Robust, outcome: str, names: Names, unit: str) -> str:
    ranked = found.ranking[found.ranking["outcome"] == outcome].sort_values("maximum", kind="stable")
    own = each(ranked)[0]
    regret = f"{_short(float(own.maximum), unit)} {bare(0.0, unit)[1]}"
    more = len(own.tied_by_maximum) + len(own.close_by_maximum)
    others = f" (equal or too close to call with {more} more)" if more else ""
    return f"Least largest regret in {names.outcome(outcome)}: {names.policy(own.policy)}, {regret}{others}"


def _short(value: float, unit: str) -> str:
    return words.rounds(value) if unit == "round" else three(bare(value, unit)[0])


def _cell(row: Any, unit: str) -> str:
    if row.is_best:
        return "best"
    text = _short(float(row.regret), unit)
    return text + (UNSURE if row.unsure else "")


def _full(row: Any, unit: str) -> str:
    if row.is_best:
        return "best"
    low, middle, high = (bare(float(getattr(row, name)), unit)[0] for name in ("low", "regret", "high"))
    width = 0.0 if np.isnan(high - low) else high - low
    text = (signed(wording.rounded(middle, width)) if width else _short(float(row.regret), unit)) + (f" {UNSURE}" if row.unsure else "")
    return text if np.isnan(high - low) else f"{text} ({signed(wording.rounded(low, width))} to {signed(wording.rounded(high, width))})"


def _data(frame: dict[tuple[str, str], Any], found: Robust) -> list[list[Any]]:
    rows = []
    for policy in found.policies:
        for scenario in found.scenarios:
            row = frame[policy, scenario]
            rows.append([policy, scenario, _number(row.regret), _number(row.low), _number(row.high)])
    return rows


def _number(value: Any) -> Any:
    found = number(value)
    return "" if found is None else found


def _alternative(found: Robust, what: str, texts: list[list[str]], names: Names, titles: dict[str, str], unit: str) -> str:
    said = [
        f"{_policy(names, policy)}: "
        + ", ".join(f"{text} in {titles[scenario]}" for text, scenario in zip(line, found.scenarios, strict=True))
        for policy, line in zip(found.policies, texts, strict=True)
    ]
    return f"Heat map of {what}, {unit}, {len(found.policies)} policies by {len(found.scenarios)} scenarios. {'; '.join(said)}."


def _spec(
    found: Robust,
    values: list[list[float]],
    texts: list[list[str]],
    unit: str,
    names: Names,
    titles: dict[str, str],
    *,
    dark_is_high: bool = True,
    most: float | None = None,
) -> Spec:
    """Return the heat map: the first policy on top, its name above its row, so that long names need no margin."""
    rows, columns = len(found.policies), len(found.scenarios)
    top = most if most is not None else max((value for line in values for value in line), default=0.0)
    ticks = ["<br>".join(words.label(part) for part in words.wrapped(titles[one], 14)) for one in found.scenarios]
    lines = max(tick.count("<br>") + 1 for tick in ticks)
    layout = theme.layout(
        50 * rows + 20 + 20 + 16 * lines,
        top=16,
        xaxis=theme.axis(
            range=[-0.5, columns - 0.5],
            showgrid=False,
            fixedrange=True,
            tickmode="array",
            tickvals=list(range(columns)),
            ticktext=ticks,
            tickangle=0,
        ),
        yaxis=theme.axis(range=[rows - 0.7, -0.8], visible=False, fixedrange=True),
        annotations=[
            theme.note(
                words.label(_policy(names, policy)),
                name="policy",
                x=0,
                xref="paper",
                xanchor="left",
                y=place - 0.26,
                yref="y",
                yanchor="bottom",
                font={"color": theme.INK, "size": 12},
            )
            for place, policy in enumerate(found.policies)
        ],
    )
    layout["margin"] |= {"l": 12, "r": 66, "b": 20 + 16 * lines}
    # Cells are half as high as their rows; the name of the policy stands in the other half.
    y = [edge for place in range(rows) for edge in (place - 0.26, place + 0.26)]
    share = np.clip(np.array(values) / (top or 1.0), 0.0, 1.0)
    light = pale(1.0 - share if dark_is_high else share)
    data: list[Spec] = []
    for colour, part in ((WHITE, ~light), (BLACK, light)):
        if part.any():
            padded = [
                line
                for place in range(rows)
                for line in ([number(v) if p else None for v, p in zip(values[place], part[place], strict=True)], [None] * columns)
            ]
            labels = [
                line
                for place in range(rows)
                for line in ([t if p else "" for t, p in zip(texts[place], part[place], strict=True)], [""] * columns)
            ]
            data.append(
                {
                    "type": "heatmap",
                    "x": [place - 0.5 for place in range(columns + 1)],
                    "y": y,
                    "z": padded[:-1],
                    "text": labels[:-1],
                    "texttemplate": "%{text}",
                    "meta": {"cells": max(len(text) for line in texts for text in line)},
                    "textfont": {"size": 12, "color": colour},
                    "zmin": 0,
                    "zmax": number(top) or 1,
                    "reversescale": dark_is_high,
                    "xgap": 2,
                    "hoverongaps": False,
                    "colorscale": SCALE,
                    "showscale": not data,
                    "colorbar": colour_bar(unit),
                    "hovertemplate": "%{text} " + unit + "<extra></extra>",
                }
            )
    return {"data": data, "layout": layout}


def _satisficing(found: Robust, id_: str, names: Names, titles: dict[str, str]) -> Chart:
    frame = found.satisficing
    asked = wording.listed([names.condition(one) for one in found.conditions])
    whole = {row.policy: row for row in each(frame) if missing(row.scenario)}
    apart = {(row.policy, row.scenario): row for row in each(frame) if not missing(row.scenario)}
    values = [[100.0 * float(apart[policy, scenario].share) for scenario in found.scenarios] for policy in found.policies]
    texts = [[f"{value:.0f}" for value in line] for line in values]
    cells = tuple(
        (_policy(names, policy), *(_share(apart[policy, scenario]) for scenario in found.scenarios), _share(whole[policy]))
        for policy in found.policies
    )
    best = max(found.policies, key=lambda policy: whole[policy].share)
    caption = f"Share of draws in which {asked}, %"
    return Chart(
        id_,
        f"What is asked holds in at most {words.percent(float(whole[best].share))} of all draws, under {names.policy(best)}",
        caption,
        _alternative(found, caption[0].lower() + caption[1:-3], texts, names, titles, "%"),
        _spec(found, values, texts, "%", names, titles, dark_is_high=False, most=100.0),
        Table(caption, ("Policy", *(titles[one] for one in found.scenarios), "All scenarios"), cells),
        data_link(
            ("policy", "scenario", "share", "low", "high"),
            (
                [row.policy, "all" if missing(row.scenario) else row.scenario, *(_number(one) for one in (row.share, row.low, row.high))]
                for row in each(frame)
            ),
        ),
    )


def _share(row: Any) -> str:
    share, low, high = (float(getattr(row, name)) for name in ("share", "low", "high"))
    return f"{100 * share:.0f} %" if np.isnan(high) else f"{100 * share:.0f} % ({100 * low:.0f} to {100 * high:.0f})"
