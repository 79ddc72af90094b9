"""What each policy changes against the baseline, draw by draw: small multiples drawn as plain pictures, and their tables."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from stockpile.ensembles.result import QUANTILES
from stockpile.report import bars, figures, spread, words
from stockpile.report.tables import Table, data_link, number
from stockpile.results import US

if TYPE_CHECKING:
    from stockpile.report.study import Study
    from stockpile.results import Array

WIDTH, HEIGHT = 320, 176
LEFT, RIGHT, TOP, BOTTOM = 52, 312, 10, 152
"""Size of a panel, and the edges of the chart in it, in its own units: about a pixel."""
MARGIN = 10
"""Nearer than this to the right edge a year ends at its place, so that nothing of it is cut off."""
NEITHER = "A change too small to be told from 0 by them counts as neither more nor less."
TICKS, YEARS = 4, 5
"""About how many numbers stand along an axis, at most."""
Lines = tuple[tuple[str, ...], "Array"]


@dataclass(frozen=True)
class Panel:
    """A small chart: policies, picture, and what is read off at the end."""

    title: str
    picture: Markup
    reading: str


@dataclass(frozen=True)
class Panels:
    """Small charts of one measure, with what a `blocks.Chart` has."""

    id: str
    title: str
    subtitle: str
    alternative: str
    panels: tuple[Panel, ...]
    table: Table
    data: str
    notes: tuple[str, ...] = ()


# ---------------------------------------------------------------- what is drawn


def lines(study: Study, munition: str) -> tuple[list[Lines], tuple[str, ...]]:
    """Return the quantiles of the changes from `spread.start` on, alike policies together; and who changes too little to be seen.

    Each panel has a scale of its own, so that alike is what differs by a small share of that.
    """
    found = {policy: spread.changes(study, policy, munition)[:, spread.start(study) :] for policy in study.others}
    sizes = {policy: float(np.abs(one).max()) for policy, one in found.items()}
    still = tuple(policy for policy in found if sizes[policy] < words.SEEN)
    groups: dict[str, list[str]] = {}
    for policy in (one for one in found if one not in still):
        same = (first for first in groups if float(np.abs(found[policy] - found[first]).max()) <= figures.ALIKE * sizes[first])
        groups.setdefault(next(same, policy), []).append(policy)
    return [(tuple(group), found[first]) for first, group in groups.items()], still


def reading(change: spread.Change, day: str) -> str:
    """Return a change in words: median, range and counts."""
    counts = f"higher in {change.more:,} and lower in {change.less:,} of {change.members:,} draws"
    if change.kind == "none":
        return f"{day}: no visible difference"
    said = f"{day}: {words.spread(change.low, change.median, change.high, sign=True)}; {counts}"
    return f"{said}: too close to call" if change.kind == "close" else said


def panels(study: Study, munition: str) -> tuple[Panel, ...]:
    """Return a panel for each group of policies whose changes can be seen, each with its own scale."""
    groups, _ = lines(study, munition)
    day = words.day(study.date(study.last))
    return tuple(
        Panel(
            figures.group_label(study, group),
            picture(study, group, values),
            f"{reading(spread.change_at(study, group[0], munition, study.last), day)}.",
        )
        for group, values in groups
    )


def picture(study: Study, group: tuple[str, ...], values: Array) -> Markup:
    """Return a panel as a picture that follows the page's colours: bands, median, nought, and the policy's own suspensions in grey."""
    begin = spread.start(study)
    first, last = study.date(begin), study.date(study.last)
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    across = [_across(study.date(begin + step), first, last) for step in range(values.shape[1])]

    def up(value: float) -> float:
        return BOTTOM - (value - low) / (high - low) * (BOTTOM - TOP)

    def path(line: Array) -> list[str]:
        return [f"{x:g} {up(float(y)):.1f}".replace(".0", "") for x, y in zip(across, line, strict=True)]

    def area(under: Array, over: Array) -> str:
        return f"M{'L'.join(path(under))}L{'L'.join(path(over)[::-1])}Z"

    parts = [_window(study, group, first, last), _now(study, first, last)]
    parts += [*(_tick(value, up(value)) for value in ticks(low, high)), *_years(first, last)]
    parts += [f'<path class="outer" d="{area(values[0], values[-1])}"/>', f'<path class="inner" d="{area(values[1], values[-2])}"/>']
    median = "L".join(path(values[spread.MIDDLE]))
    parts += [f'<path class="nought" d="M{LEFT} {up(0.0):.1f}H{RIGHT}"/>', f'<path class="median" d="M{median}"/>']
    return Markup(f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true" focusable="false">{"".join(parts)}</svg>')


def _across(date: dt.date, first: dt.date, last: dt.date) -> float:
    share = (date - first).days / max((last - first).days, 1)
    return round(LEFT + min(max(share, 0.0), 1.0) * (RIGHT - LEFT), 1)


def _window(study: Study, group: tuple[str, ...], first: dt.date, last: dt.date) -> str:
    """Return the dated suspensions of a policy in grey, clipped to the panel."""
    found = []
    for window in study.windows:
        if window.policy == group[0]:
            left, right = _across(window.start, first, last), _across(window.end or last, first, last)
            found.append(f'<rect class="pause" x="{left:g}" y="{TOP}" width="{max(right - left, 1.0):.1f}" height="{BOTTOM - TOP}"/>')
    return "".join(dict.fromkeys(found))


def _now(study: Study, first: dt.date, last: dt.date) -> str:
    """Return the line between history and projection, where it lies inside the panel."""
    inside = study.date(study.now) > first
    return f'<path class="now" d="M{_across(study.scenario.as_of, first, last):g} {TOP}V{BOTTOM}"/>' if inside else ""


def _tick(value: float, y: float) -> str:
    text = words.label(short(value))
    return f'<path class="grid" d="M{LEFT} {y:.1f}H{RIGHT}"/><text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'


def _years(first: dt.date, last: dt.date) -> list[str]:
    years = [year for year in range(first.year + 1, last.year + 1) if dt.date(year, 1, 1) <= last]
    step = max(math.ceil(len(years) / YEARS), 1)
    places = [(year, _across(dt.date(year, 1, 1), first, last)) for year in years[::step]]
    return [
        f'<text x="{place:g}" y="{BOTTOM + 18}" text-anchor="{"middle" if place < RIGHT - MARGIN else "end"}">{year}</text>'
        for year, place in places
    ]


def ticks(low: float, high: float) -> list[float]:
    """Return round numbers along an axis, nought among them."""
    rough = max(high - low, 1e-9) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1.0, 2.0, 5.0, 10.0) if power * factor >= rough)
    return [step * place for place in range(math.ceil(low / step), math.floor(high / step) + 1)]


def short(value: float) -> str:
    """Return a number along an axis: +2,000, −0.5M."""
    size = abs(value)
    text = f"{size / 1e6:g}M" if size >= 1e6 else f"{size / 1e3:g}k" if size >= 1e4 else f"{size:,g}"
    return "0" if size == 0.0 else f"{words.MINUS if value < 0.0 else '+'}{text}"


# ---------------------------------------------------------------- tables and text


def dates(study: Study) -> list[int]:
    """Return the step edges at which changes are told: those after the shortest suspension, or those of the probabilities."""
    return list(study.dates_after) if study.brief is not None else spread.told_dates(study)[1:]


def table(study: Study, munition: str) -> tuple[Table, str]:
    """Return the changes in US stock by policy and date, with mean and counts at the end; and their quantiles over time as a link."""
    rows = []
    for policy in study.others:
        found = [spread.change_at(study, policy, munition, edge) for edge in dates(study)]
        end, mean = spread.change_at(study, policy, munition, study.last), spread.mean_change(study, "stock_at_end", US, policy, munition)
        cells = [words.spread(one.low, one.median, one.high, sign=True) for one in found]
        counts = f"{end.more:,} and {end.less:,} of {end.members:,}"
        rows.append((study.title(policy), *cells, words.spread(mean.low, mean.median, mean.high, sign=True), counts))
    caption = (
        f"Change in the US stock of {study.short(munition)} in rounds against “{study.title(study.base)}”, draw by draw: "
        "median (5th to 95th percentile)"
    )
    columns = ("Policy", *(words.day(study.date(edge)) for edge in dates(study)))
    last = words.day(study.date(study.last))
    columns = (*columns, f"{last}: mean (its 95 % interval)", f"{last}: higher and lower in draws")
    note = "The interval of the mean is that of Monte Carlo error; the percentiles are the range of the draws themselves."
    return Table(caption, columns, tuple(rows), note), _link(study, munition)


def _link(study: Study, munition: str) -> str:
    names = [f"{policy}.q{100 * q:02g}" for policy in study.others for q in QUANTILES]
    begin = spread.start(study)
    values = np.concatenate([spread.changes(study, policy, munition)[:, begin:] for policy in study.others])
    data = ([study.date(begin + step).isoformat(), *map(_short, values[:, step])] for step in range(values.shape[1]))
    return data_link(("date", *names), data)


def _short(value: float) -> float:
    """Return a value with the decimals of a quantile that are worth passing on."""
    return round(number(value), 1) + 0.0


def unmet(study: Study, munition: str) -> Table | None:
    """Return what each policy changes in the recipients' unmet need over the run, draw by draw; None without a baseline or a need."""
    recipients = bars.needing(study, munition)
    if study.baseline is None or not recipients or not study.others:
        return None
    rows, error = [], 0.0
    for policy in study.others:
        cells: list[str] = []
        for row in recipients:
            found = spread.metric_change(study, "total_unmet", row, policy, munition)
            error = max(error, found.error)
            cells.append(words.spread(found.low, found.median, found.high, sign=True))
            cells.append(f"{found.more:,} and {found.less:,} of {found.members:,}")
        rows.append((study.title(policy), *cells))
    columns = tuple(f"{study.claimant(row)}, {label}" for row in recipients for label in ("change in unmet need", "more and less in draws"))
    caption = (
        f"Change in unmet need of {study.short(munition)} against “{study.title(study.base)}”, in rounds over the whole run, draw by draw: "
        "median (5th to 95th percentile)"
    )
    note = f"{words.from_counts(error)} {NEITHER}" if error > words.SEEN else ""
    return Table(caption, ("Policy", *columns), tuple(rows), note)


def alternative(study: Study, munition: str) -> str:
    """Return the text in place of the panels."""
    groups, _ = lines(study, munition)
    parts = []
    for group, _ in groups:
        said = [reading(spread.change_at(study, group[0], munition, edge), words.day(study.date(edge))) for edge in dates(study)]
        parts.append(f"{figures.group_label(study, group)}: {'. '.join(said)}.")
    subject = f"the change in the US stock of {study.short(munition)} against “{study.title(study.base)}”, in rounds, draw by draw"
    return f"Fan chart of {subject}, a panel a policy. {' '.join(parts)}"
