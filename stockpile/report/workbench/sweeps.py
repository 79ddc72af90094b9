"""The section of a sweep: a heat map a munition over two levers, a line over one, points and slices over more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from stockpile.analysis import wording
from stockpile.report import words
from stockpile.report.blocks import Chart
from stockpile.report.workbench import grids, lines, maps, slices, sweep_words
from stockpile.report.workbench.grids import Array, Grid, Side
from stockpile.report.workbench.readings import FIRST_BELOW, Reading
from stockpile.report.workbench.section import Group, Section, bare, signed
from stockpile.report.workbench.sweep_words import MEDIAN, statistic

LEAST = 0.02
"""A probability that moves by less has no map, which would show nothing."""
NOT_THIS = (
    "A point is no forecast, and none is more likely than another: levers are set, all else is drawn from the ranges of the files, most "
    "of which are judgements. Points next to each other may differ by less than the error of their draws. “never” says that the date "
    "does not come before the run ends in so many draws; it may come in others, and later."
)


def section(found: Reading, id_: str) -> Section:
    """Return the section of a sweep."""
    sides = [found.side(path) for path in found.paths]
    layout = _layout(found, sides)
    if layout == "grid":
        groups, shown_as = tuple(_maps(found, sides, munition, id_) for munition in found.munitions), _shown_as_map(found, sides)
    elif layout == "line":
        groups, shown_as = tuple(lines.group(found, sides[0], munition, id_) for munition in found.munitions), lines.shown_as(found)
    else:
        groups, shown_as = tuple(slices.group(found, sides, munition, id_) for munition in found.munitions), slices.shown_as(found, sides)
    return Section(
        id=id_,
        kind="Sweep",
        title=f"Sweep: {wording.listed([side.label for side in sides])}",
        sentences=tuple(sweep_words.sentences(found, sides)),
        shown=shown_as + _others(found),
        groups=groups,
        tables=(),
        not_this=NOT_THIS,
        facts=_facts(found),
        manifest=_manifest(found),
    )


def _layout(found: Reading, sides: list[Side]) -> str:
    if len(sides) == 1 and len(sides[0].values) == len(found.points):
        return "line"
    pairs = set(zip(*(found.points[path] for path in found.paths), strict=True))
    if len(sides) == 2 and len(pairs) == len(found.points) == len(sides[0].values) * len(sides[1].values):
        return "grid"
    return "slices"


def _others(found: Reading) -> str:
    if not found.others:
        return ""
    others = wording.listed([found.names.policy(one) for one in found.others])
    return f" Shown is {found.names.policy(found.policy)}; the sweep also has {others}."


def _shown_as_map(found: Reading, sides: list[Side]) -> str:
    x, y = sides
    text = f"Each cell is one of {len(found.points):,} points: across, {x.label}; upwards, {y.label}; all points on the same draws."
    if found.is_date:
        text += f" Its number is in months from {found.since}."
    if found.has_chance:
        text += " The last map of a munition has the share of draws in which it happens at all before the run ends."
    return f"{text} Where a screen is too narrow for numbers in the cells, the tables have them."


def _manifest(found: Reading) -> dict[str, Any]:
    """Return the sweep's manifest with what the index of pages says."""
    basis = f"over {found.members:,} draws at each of {len(found.points):,} points"
    known = {"as_of": str(found.scenario.as_of)} if found.scenario else {}
    return {**found.manifest, **known, "basis": basis if found.members > 1 else f"on central values at {len(found.points):,} points"}


def _facts(found: Reading) -> tuple[tuple[str, str], ...]:
    manifest = found.manifest
    made = manifest["made_with"]
    libraries = ", ".join(f"{name} {version}" for name, version in made.items() if name not in ("stockpile", "source"))
    scenario = manifest["scenario"] + (f": {found.scenario.settings.title}, known on {found.scenario.as_of}" if found.scenario else "")
    changed = "; ".join(f"{path} = {value}" for path, value in manifest["overrides"].items())
    what = f"{manifest['what']['kind']} over {', '.join(found.paths)}: {manifest['points']:,} points, digest {manifest['design'][:12]}"
    return (
        ("Model", f"stockpile {made['stockpile']}, source {made['source'][:12]}, {libraries}"),
        ("Scenario", scenario),
        ("Design", what),
        ("Draws", f"{found.members:,} to a point, seed {manifest['seed']}, sampler {manifest['sampler']}"),
        ("Parameters", f"{manifest['parameters'][:12]} (SHA-256 of every resolved value)"),
        *([("Changed", changed)] if changed else []),
    )


# ---------------------------------------------------------------- two levers


def _maps(found: Reading, sides: list[Side], munition: str, id_: str) -> Group:
    """Return the maps of a munition; none where each would have the same in every cell, as the sentence then says it all."""
    x, y = sides
    placed = _placer(found, x, y)
    columns = [MEDIAN, *_instead(found, munition)]
    grids_ = {column: main_grid(found, x, y, placed(found.of(munition, column))) for column in columns}
    charts = [
        _main(found, grid, munition, f"{id_}-{munition}" + ("" if column == MEDIAN else f"-{column}"), column)
        for column, grid in grids_.items()
    ]
    heading = sweep_words.title(found, munition)
    if not found.has_chance:
        return Group(heading, tuple(charts))
    chance = sweep_words.chance_sentence(found, sides, munition)
    if not sweep_words.varies(found.chance(munition)) and all(grid.alike for grid in grids_.values()):
        return Group(heading, (), (sweep_words.sentence(found, sides, munition), chance, "A map would have the same in every cell."))
    if np.ptp(found.chance(munition)) < LEAST:
        return Group(
            heading, tuple(charts), (f"{chance} No map of it is drawn, as it moves by less than {words.percent(LEAST)} of the draws.",)
        )
    return Group(heading, (*charts, _chance(found, x, y, placed(found.chance(munition)), munition, id_)))


def _placer(found: Reading, x: Side, y: Side) -> Callable[[Array], Array]:
    """Return what puts values by point into their cells."""
    rows = {value: place for place, value in enumerate(y.values)}
    columns = {value: place for place, value in enumerate(x.values)}
    first, second = (list(found.points[path]) for path in found.paths)
    at = (np.array([rows[value] for value in second]), np.array([columns[value] for value in first]))

    def placed(values: Array) -> Array:
        grid = np.full((len(rows), len(columns)), np.nan)
        grid[at] = values
        return grid

    return placed


def _instead(found: Reading, munition: str) -> list[str]:
    """Return the quantile that has most numbers, where the median has a word at every point; the first of equals."""
    if not found.metric.startswith(FIRST_BELOW) or found.members == 1 or _dated(found.of(munition)):
        return []
    counts = {column: _dated(found.of(munition, column)) for column in sweep_words.OTHERS if column in found.rows}
    best = max(counts, key=lambda column: counts[column], default="")
    return [best] if best and counts[best] else []


def _dated(values: Array) -> int:
    """Return at how many points there is a date after `as_of`."""
    return int((np.isfinite(values) & (values > 0.0)).sum())


def main_grid(found: Reading, x: Side, y: Side, values: Array) -> Grid:
    """Return the grid of a metric: months, or amounts."""
    if found.is_date:
        marks = {"never": np.isposinf(values), "already": values <= 0.0}
        months = np.where(np.isfinite(values), np.round(values), np.nan)
        return Grid(x, y, months, "months", "months", lambda value: f"{value:.0f}", marks)
    scaled = np.array([[bare(float(value), found.unit)[0] for value in row] for row in values])
    return Grid(x, y, scaled, found.metric, bare(0.0, found.unit)[1], lambda value: signed(wording.rounded(value, 0.0)))


def _main(found: Reading, grid: Grid, munition: str, name: str, column: str) -> Chart:
    what = sweep_words.subject(found, munition)
    if column != MEDIAN:
        what += f" {sweep_words.SHARES[column]}"
    caption = f"{words.capital(what)}; {statistic(found, column)}"
    notes = [grids.point_said(grid) if column == MEDIAN else "", _words_said(found, grid, column), grids.size_said(grid)]
    said = f"{'the ' if found.is_date else ''}{what}, {statistic(found, column)}"
    return Chart(
        name,
        sweep_words.sentence(found, [grid.x, grid.y], munition, column),
        f"{caption}, by {grid.x.label} and {grid.y.label}",
        grids.alternative(grid, said),
        maps.figure(grid),
        grids.table(grid, caption),
        grids.data(grid),
        tuple(note for note in notes if note),
    )


def _words_said(found: Reading, grid: Grid, column: str) -> str:
    """Say what the words in the cells mean, those that are there."""
    said = []
    if "never" in grid.marks and grid.marks["never"].any():
        said.append(
            f"Hatched, “never” (– where the cell is too small for the word): not before {found.end}, {sweep_words.middle(found, column)}."
        )
    if "already" in grid.marks and grid.marks["already"].any():
        said.append(f"Dotted, “already” (<0 where the cell is too small): by {found.since}.")
    return " ".join(said)


def _chance(found: Reading, x: Side, y: Side, shares: Array, munition: str, id_: str) -> Chart:
    low, high = found.error(munition)
    grid = Grid(
        x,
        y,
        np.round(100.0 * shares),
        "share of draws",
        "%",
        lambda value: f"{value:.0f}",
        dark_is_high=True,
        least_span=100.0 * (high - low),
    )
    event = f"{sweep_words.below(found, munition)} before {found.end}"
    what = f"share of {found.members:,} draws in which {event}"
    note = (
        f"The 95 % interval of Monte Carlo error is at most {100 * low:.0f} to {100 * high:.0f} %, at one point of these. Colours span no "
        "less than that, so that no more is seen than the draws can tell of one point; differences between points may be surer."
    )
    return Chart(
        f"{id_}-{munition}-chance",
        sweep_words.chance_sentence(found, [x, y], munition),
        f"{words.capital(what)}, %",
        grids.alternative(grid, what),
        maps.figure(grid),
        grids.table(grid, f"{words.capital(what)}, %"),
        grids.data(grid),
        (note,),
    )
