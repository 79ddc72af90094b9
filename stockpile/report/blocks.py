"""The parts of a page: charts with everything that stands around them, munition by munition."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from stockpile.report import (
    alternatives,
    bars,
    chances,
    counted,
    differences,
    effects,
    evidence,
    fans,
    figures,
    narrative,
    projection,
    ranges,
    spread,
    tables,
    words,
)
from stockpile.report.differences import Panels
from stockpile.report.study import Study
from stockpile.report.tables import Table
from stockpile.report.theme import Spec


@dataclass(frozen=True)
class Chart:
    """A figure with its finding, its measure, the text in its place, its table and its data.

    Attributes
    ----------
    id : str
        Fixed name in the page; also that of the file of its data.
    title, subtitle : str
        What it shows; measure, unit and period.
    alternative : str
        Read in its place.
    spec : dict
        As plotly.js takes it.
    table : Table
    data : str
        The series in full, as an address that holds its own data.
    notes : tuple of str
        Sentences printed under it.
    """

    id: str
    title: str
    subtitle: str
    alternative: str
    spec: Spec
    table: Table
    data: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """What a page says of one munition."""

    name: str
    title: str
    short: str
    description: str
    stock: Chart
    draws: Chart | None
    books: Table
    use: Chart | None
    need: Table | None
    effect: Chart | None
    daily: Chart | None
    materiality: Table | None
    materiality_notes: tuple[str, ...]
    requirements: list[evidence.Requirement]
    numerators: list[tuple[str, str]]
    floors: list[tuple[str, str, str]]
    conflicts: list[evidence.Conflict]
    chance: Chart | None = None
    chance_said: str = ""
    chance_table: Table | None = None
    changes: Panels | None = None
    unmet: Table | None = None

    @property
    def charts(self) -> list[Chart]:
        """The charts there are."""
        return [chart for chart in (self.stock, self.chance, self.draws, self.use, self.effect, self.daily) if chart is not None]


def part(study: Study, munition: str, numbers: dict[str, int]) -> Part:
    """Return everything a page says of one munition."""
    own = study.scenario.munitions[munition]
    notes = (narrative.shipment_sentence(study, munition), narrative.stays_held(study, munition))
    found = Part(
        name=munition,
        title=own.title,
        short=own.short,
        description=" ".join(own.description.split()),
        stock=(fan if study.ensemble else stock)(study, munition, numbers),
        draws=draws(study, munition),
        books=tables.books(study, munition),
        use=use(study, munition),
        need=tables.need_changes(study, munition),
        effect=effect(study, munition),
        daily=daily(study, munition),
        materiality=tables.materiality(study, munition),
        materiality_notes=tuple(note for note in notes if note),
        requirements=evidence.requirements(study, munition),
        numerators=[(label, words.rounds(value)) for label, value in evidence.stocks(study, munition)],
        floors=evidence.floors(study, munition),
        conflicts=evidence.conflicts(study, munition),
    )
    return replace(found, **of_draws(study, munition)) if study.ensemble else found


def of_draws(study: Study, munition: str) -> dict[str, Any]:
    """Return what only draws can say of a munition: probabilities, and differences draw by draw."""
    table, data = chances.table(study, munition)
    spec, said = chances.chart(study, munition), counted.chance_title(study, munition)
    subtitle = (
        f"Share of {study.draws_of.members:,} draws in which the US stock of {study.short(munition)} has been below the floor "
        f"assumed here, {period(study, spread.start(study))}"
    )
    alternative = chances.alternative(study, munition)
    notes = shared_lines(study, tuple(group for group, _ in chances.lines(study, munition)))
    return {
        "chance": None if spec is None else Chart(f"chance-{munition}", said, subtitle, alternative, spec, table, data, notes),
        "chance_said": said,
        "chance_table": table,
        "changes": changes(study, munition),
        "unmet": differences.unmet(study, munition),
    }


def central(study: Study) -> str:
    """Return the words that mark central values on a page that has draws beside them."""
    return ", central values" if study.ensemble else ""


def period(study: Study, start: int = 0, end: int = -1) -> str:
    """Return the months between two step edges in words."""
    return f"{words.month(study.date(start))} to {words.month(study.date(end))}"


def shared_lines(study: Study, groups: tuple[tuple[str, ...], ...], thing: str = "line") -> tuple[str, ...]:
    """Say which policies share a line of a chart, or a panel."""
    shared = [f"“{'”, “'.join(study.title(policy) for policy in group)}”" for group in groups if len(group) > 1]
    if not shared:
        return ()
    share = words.percent(figures.ALIKE)
    return (f"Policies that differ by less than {share} of the chart’s height share a {thing}: {'; '.join(shared)}.",)


def stock(study: Study, munition: str, numbers: dict[str, int]) -> Chart:
    """Return the chart of the projected US stock."""
    table, data = tables.stock(study, munition)
    return Chart(
        f"stock-{munition}",
        narrative.floor_sentence(study, munition),
        f"US stock of {study.scenario.munitions[munition].title}, rounds, {period(study)}",
        alternatives.stock(study, munition),
        projection.stock(study, munition, numbers),
        table,
        data,
        (*shared_lines(study, projection.stock_groups(study, munition)), *marks_and_estimate(study, munition, numbers)),
    )


def marks_and_estimate(study: Study, munition: str, numbers: dict[str, int]) -> list[str]:
    """Say what the numbered marks are, and the bar at the left."""
    marks = [f"{numbers[name]} {study.scenario.events[name].title}" for name in projection.marked(study, munition, numbers)]
    notes = []
    if marks:
        notes.append(f"Numbered marks: {'; '.join(marks)}.")
    if study.scenario.munitions[munition].us_stock.points[0].low is not None:
        also = (
            "; an open circle is another reading of it that was published or can be derived"
            if projection.other_readings(study, munition)
            else ""
        )
        notes.append(f"The bar at the left is the range of the estimate of the stock at the start{also}.")
    return notes


def fan(study: Study, munition: str, numbers: dict[str, int]) -> Chart:
    """Return the fan chart of the US stock under the base policy."""
    table, data = ranges.stock(study, munition)
    return Chart(
        f"stock-{munition}",
        counted.floor_sentence(study, munition),
        f"US stock of {study.scenario.munitions[munition].title}, rounds, {period(study)}, under “{study.title(study.base)}”; "
        f"the bands hold 50 and 90 % of {study.draws_of.members:,} draws",
        ranges.alternative(study, munition),
        fans.fan(study, munition, numbers),
        table,
        data,
        (*ranges.notes(study, munition), *marks_and_estimate(study, munition, numbers)),
    )


def changes(study: Study, munition: str) -> Panels | None:
    """Return the panels of what the policies change draw by draw; None without a baseline."""
    if study.baseline is None or not study.others:
        return None
    groups, still = differences.lines(study, munition)
    table, data = differences.table(study, munition)
    notes = ["Grey: the policy’s own dated suspensions; dashed: no difference.", *shared_lines(study, tuple(g for g, _ in groups), "panel")]
    if study.date(study.now) > study.date(spread.start(study)):
        notes.insert(1, f"The upright line is the date of knowledge, {words.day(study.scenario.as_of)}.")
    if still:
        names = "; ".join(study.title(policy) for policy in still)
        notes.append(f"No panel, because nothing would be seen in it: {names}. The table has them.")
    error = spread.error(study, munition, change=True)
    if error > words.SEEN:
        notes.append(f"{words.from_counts(error)} {differences.NEITHER}")
    return Panels(
        f"changes-{munition}",
        counted.difference_title(study, munition),
        f"Change in the US stock of {study.short(munition)} against “{study.title(study.base)}” on the same draws, rounds, "
        f"{period(study, spread.start(study))}; the bands hold 50 and 90 % of {study.draws_of.members:,} draws, the line is their "
        "median; each panel has a scale of its own",
        differences.alternative(study, munition),
        differences.panels(study, munition),
        table,
        data,
        tuple(notes),
    )


def draws(study: Study, munition: str) -> Chart | None:
    """Return the chart of who drew the stock down; None where nobody did."""
    found = study.draws(munition, 0, study.now)
    later = study.draws(munition, study.now, len(study.result.dates) - 1)
    title = narrative.draw_sentence(study, munition, found)
    if title is None:
        return None
    table, data = tables.draws(study, munition, found, later)
    subtitle = f"{study.short(munition)} by claimant and channel, rounds, {period(study, 0, max(study.now - 1, 0))}{central(study)}"
    return Chart(f"draws-{munition}", title, subtitle, alternatives.draws(study, munition, found), bars.draws(study, found), table, data)


def use(study: Study, munition: str) -> Chart | None:
    """Return the chart of use and unmet need; None where no recipient needs the munition."""
    recipients = bars.needing(study, munition)
    if not recipients:
        return None
    title = narrative.unmet_sentence(study, munition)
    table, data = tables.use(study, munition)
    silent = [study.claimant(row) for row in study.result.recipients if row not in recipients]
    notes = (f"Without a need for {study.short(munition)} in the data: {words.listed(silent)}.",) if silent else ()
    return Chart(
        f"use-{munition}",
        title,
        f"{study.short(munition)} used, and need unmet, rounds a calendar year, {period(study, 0, -2)}{central(study)}",
        alternatives.use(study, munition),
        bars.use(study, munition),
        table,
        data,
        notes,
    )


def effect(study: Study, munition: str) -> Chart | None:
    """Return the chart of the policies' effects on the stock; None without a baseline."""
    if study.baseline is None or not study.others:
        return None
    start, end = effects.span(study)
    groups, still = effects.groups(study, munition, start, end)
    table, data = tables.effect(study, munition)
    notes = [*shared_lines(study, groups)]
    if still:
        notes.append(
            f"Not drawn, because nothing of it would be seen: {'; '.join(study.title(policy) for policy in still)}. The table has them."
        )
    return Chart(
        f"effect-{munition}",
        narrative.effect_title(study, munition),
        f"Change in the US stock of {study.short(munition)} against “{study.title(study.base)}”, rounds, "
        f"{period(study, start, end - 1)}, {study.steps}{central(study)}",
        alternatives.effect(study, munition),
        effects.effect(study, munition),
        table,
        data,
        tuple(notes),
    )


def daily(study: Study, munition: str) -> Chart | None:
    """Return the chart of the shortest suspension in daily steps; None where there is none, or where it moves nothing."""
    title = narrative.daily_title(study, munition)
    if title is None or study.fine is None or study.brief is None:
        return None
    table, data = tables.daily(study, munition)
    subtitle = (
        f"Change in the US stock of {study.short(munition)} under “{study.title(study.brief.policy)}”, rounds, "
        f"{words.month(study.brief.start)} to {words.month(study.fine.dates[-1])}{central(study)}"
    )
    return Chart(f"daily-{munition}", title, subtitle, alternatives.daily(study, munition), effects.daily(study, munition), table, data)


def cost(study: Study) -> Chart | None:
    """Return the chart of replacement cost; None where nothing leaves US stock."""
    money = tables.money(study)
    title = narrative.cost_title(study, money)
    if title is None:
        return None
    table, data = tables.cost(study)
    subtitle = (
        f"Replacement cost of what leaves US stock, billions of dollars of {study.result.manifest['money_year']}, {period(study, 0, -2)}"
        f"{central(study)}"
    )
    return Chart("cost", title, subtitle, alternatives.cost(study, money), bars.cost(study, money), table, data)
