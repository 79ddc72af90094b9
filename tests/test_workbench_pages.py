"""Pages of the workbench's results: what they say is in the frames, what never happens is told from what does, they stand alone."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import made_results as made
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
import worked_results as worked
from axe_playwright_python.sync_playwright import Axe
from commands import Call
from made_results import LENGTH, NEVER, NOW, SCENARIO, SHARE, SLIP
from playwright.sync_api import Browser
from test_page import Seen, browser, unfold  # noqa: F401 - a fixture
from test_report import DATES, HOSTILE, NUMBERS, Elements, part

import stockpile as sp
from stockpile.errors import InputError
from stockpile.report import index, theme
from stockpile.report.page import plotly
from stockpile.report.tables import Table
from stockpile.report.workbench import (
    answer_sheets,
    break_evens,
    calibrations,
    diffs,
    discoveries,
    frontiers,
    grids,
    maps,
    materialities,
    plan,
    readings,
    replications,
    requirements,
    robustness,
    scenarios,
    scores,
    sensitivities,
    sweeps,
)
from stockpile.report.workbench.grids import Grid, Side
from stockpile.report.workbench.section import Section

KINDS = {
    "sweep": lambda: sweep_section(made.grid()),
    "sensitivity": lambda: sensitivities.section(made.sensitivity(), "s", SCENARIO),
    "break-even": lambda: break_evens.section(made.break_even(), "b", SCENARIO),
    "break-even over": lambda: break_evens.section(made.break_even_over(), "b", SCENARIO),
    "trade-off": lambda: frontiers.section(made.frontier(), "f", SCENARIO),
    "robustness": lambda: robustness.section(made.robust(), "r", SCENARIO),
    "discovery": lambda: discoveries.section(made.discovery(), "d", SCENARIO),
    "score": lambda: of(scores, worked.score()),
    "calibration": lambda: of(calibrations, worked.calibration()),
    "replication": lambda: of(replications, worked.replication()),
    "requirement": lambda: of(requirements, worked.requirement()),
    "materiality": lambda: of(materialities, worked.materiality()),
    "difference": lambda: of(diffs, worked.difference()),
    "answer": lambda: of(answer_sheets, worked.answer()),
}
WITHOUT_CHARTS = ("answer",)
PAGES = {
    "workbench": ("Sweep", "Sensitivity", "Break-even", "Break-even", "Trade-off", "Robustness", "Discovery"),
    "evidence": ("Score", "Calibration", "Replication", "Requirement", "Materiality", "Difference", "Answer"),
}
"""The kinds of results on each page, in order."""


def of(module: Any, result: Any) -> Section:
    """The section of a result, with the scenario that is loaded for it."""
    section: Section = module.section(result, "e", scenarios.scenario_of(result.manifest))
    return section


def sweep_section(found: made.MadeSweep, metric: str | None = None) -> Section:
    return sweeps.section(readings.reading(found, metric), "w")


def chart(section: Section, id_: str) -> Any:
    return next(one for one in section.charts if one.id == id_)


def rows_of(link: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(unquote(link.partition(",")[2]))))


# ---------------------------------------------------------------- a sweep of two levers


def test_cells_have_months_from_as_of_never_and_already() -> None:
    found = chart(sweep_section(made.grid()), "w-pac3")
    assert found.table.rows == (("0", "already", "11"), ("6", "12", "never"), ("12", "14", "15"))
    assert rows_of(found.data)[1:] == [["0", "already", "11"], ["6", "12", "never"], ["12", "14", "15"]]
    heat = [trace for trace in found.spec["data"] if trace["type"] == "heatmap"]
    assert sorted(value for trace in heat for row in trace["z"] for value in row if value is not None) == [11, 12, 14, 15]
    said = "Months from 9 July 2025 until the US stock of PAC-3 is first below the floor assumed here; median of 200 draws"
    assert found.subtitle.startswith(said)


def test_every_number_is_printed_in_its_cell() -> None:
    found = chart(sweep_section(made.grid()), "w-pac3")
    heat = [trace for trace in found.spec["data"] if trace["type"] == "heatmap"]
    assert {trace["texttemplate"] for trace in heat} == {"%{z}"}
    shown = [[sum(trace["z"][row][column] is not None for trace in heat) for column in range(3)] for row in range(2)]
    assert shown == [[0, 1, 1], [1, 0, 1]]


def test_never_and_already_are_told_by_word_and_hatching() -> None:
    found = chart(sweep_section(made.grid()), "w-pac3")
    bars = {trace["name"]: trace for trace in found.spec["data"] if trace["type"] == "bar"}
    assert {name: trace["text"] for name, trace in bars.items()} == {"never": ["never"], "already": ["already"]}
    assert {name: trace["marker"]["pattern"]["shape"] for name, trace in bars.items()} == {"never": "/", "already": "."}
    assert (bars["never"]["y"], bars["never"]["base"], bars["never"]["x"]) == ([5], [3], [6])
    assert (bars["already"]["y"], bars["already"]["base"]) == ([0], [-3])
    notes = " ".join(found.notes)
    assert "Hatched, “never”" in notes
    assert "not before the run ends in January 2033, in the median draw" in notes
    assert "Dotted, “already”" in notes


def test_narrow_cells_have_a_short_mark_and_runs_the_word() -> None:
    lengths = tuple(range(41))
    found = chart(sweep_section(made.grid(lengths, (0, 5))), "w-pac3")
    text = {text for trace in found.spec["data"] if trace["type"] == "bar" for text in trace["text"]}
    assert text == {"–", "<0"}
    values = np.full((1, 41), NEVER)
    values[0, 40] = 1.0
    row = maps.figure(Grid(Side(lengths, "x"), Side((0,), "y"), values, "m", "months", str, {"never": np.isinf(values)}))
    assert [trace["text"] for trace in row["data"] if trace["type"] == "bar"] == [["never"]]


def test_todays_point_is_outlined_on_the_grid_and_ringed_between() -> None:
    on = chart(sweep_section(made.grid()), "w-pac3")
    shapes = [shape for shape in on.spec["layout"]["shapes"] if shape["name"] == "today"]
    assert {(one["type"], one["x0"], one["x1"], one["y0"], one["y1"]) for one in shapes} == {("rect", 3, 9, 2.5, 7.5)}
    assert len({one["line"]["color"] for one in shapes}) == 2
    assert on.notes[0].endswith("(Suspension of six months: length 6 months, slip 5 months): never.")
    between = chart(sweep_section(made.grid((0, 4, 8), (0, 10))), "w-pac3")
    ring = between.spec["layout"]["shapes"]
    assert {(one["type"], one["xanchor"], one["yanchor"]) for one in ring} == {("circle", 6, 5)}
    assert "which lie between cells" in between.notes[0]
    outside = chart(sweep_section(made.grid((8, 10, 12), (0, 5))), "w-pac3")
    assert outside.spec["layout"]["shapes"] == []
    assert "lies outside this grid" in outside.notes[0]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (SLIP, 5), (LENGTH, 6.0), (SHARE, 0.43), (f"{SHARE}.scale", 1.0), ("model.slip.add", 0.0), ("scenario.substeps", None),
        ("policies.suspension_2025_07.suspensions.0.end", dt.date(2025, 7, 9)),
        ("policies.suspension_6_months.suspensions.0.recipients", None),
        ("policies.suspension_6_months.suspensions.7.length", None), ("munitions.*.us_share", None),
    ],
)
def test_own_value_is_that_of_the_files(path: str, value: Any) -> None:
    found = scenarios.own_value(SCENARIO, path)
    assert found == value or (path == "scenario.substeps" and found == SCENARIO.settings.substeps)


def test_a_sentence_counts_points_and_says_where_it_is_soonest() -> None:
    found = sweep_section(made.grid())
    assert found.sentences == (
        'Under "Suspension of six months", the US stock of PAC-3 is first below the floor assumed here in the median draw 11 to 15 months '
        "from 9 July 2025 at 4 of 6 points, before that day at 1 of 6 points and never before the run ends in January 2033 at 1 of 6 "
        "points; soonest with Suspension of six months: length 0 months and slip 5 months.",
        "In 60 of 200 draws the US stock of PAC-3 is below the floor assumed here at some date with Suspension of six months: length 0 "
        "months and slip 0 months, in 93 with Suspension of six months: length 12 months and slip 5 months: the least and the most of all "
        "points, on the same draws.",
        'Under "Suspension of six months", the US stock of AIM-9X is not below the floor assumed here before the run ends in January 2033 '
        "in the median draw, at any of 6 points.",
    )


def test_what_is_the_same_everywhere_has_no_map() -> None:
    found = sweep_section(made.grid())
    assert [one.id for one in found.charts] == ["w-pac3", "w-pac3-chance"]
    said = found.groups[1].said
    assert "In 0 of 200 draws" in said[1]
    assert said[2] == "A map would have the same in every cell."


def test_another_quantile_stands_in_where_the_median_is_one_word() -> None:
    columns = {"q50": [NEVER] * 4, "q25": [NOW + 60, NEVER, NOW + 70, NOW + 80], "q05": [NOW + 20, NEVER, NEVER, NEVER]}
    found = made.sweep({LENGTH: [0, 0, 6, 6], SLIP: [0, 5, 0, 5]}, {"pac3": {**columns, "share_finite": [0.3, 0.2, 0.3, 0.3]}})
    section = sweep_section(found)
    assert [one.id for one in section.charts] == ["w-pac3", "w-pac3-q25", "w-pac3-chance"]
    first, instead = section.charts[:2]
    assert first.table.rows == (("Every one of 4", "never"),)
    assert [trace["text"] for trace in first.spec["data"]] == [["never"]]
    assert instead.table.rows == (("0", "60", "never"), ("6", "70", "80"))
    assert "in a quarter of the draws" in instead.title
    assert "25th percentile of 200 draws" in instead.subtitle


def test_chance_is_in_per_cent_and_its_colours_span_the_error() -> None:
    found = chart(sweep_section(made.grid()), "w-pac3-chance")
    assert found.table.rows == (("0", "30", "33"), ("6", "37", "40"), ("12", "43", "47"))
    heat = found.spec["data"][0]
    low, high = readings.reading(made.grid()).error("pac3")
    assert heat["zmax"] - heat["zmin"] == pytest.approx(max(100 * (high - low), 47 - 30), abs=0.1)
    assert f"at most {100 * low:.0f} to {100 * high:.0f} %" in found.notes[0]


def test_chance_that_hardly_moves_has_a_sentence_and_no_map() -> None:
    cells = {"q50": [NOW + 5.0, NOW + 6, NOW + 7, NOW + 8], "share_finite": [0.505, 0.51, 0.505, 0.515]}
    found = sweep_section(made.sweep({LENGTH: [0, 0, 6, 6], SLIP: [0, 5, 0, 5]}, {"pac3": cells}))
    assert [one.id for one in found.charts] == ["w-pac3"]
    assert "In 101 of 200 draws" in found.groups[0].said[0]
    assert "moves by less than 2.0\u00a0%" in found.groups[0].said[0]


def test_grids_over_900_cells_have_no_numbers_and_say_so() -> None:
    found = chart(sweep_section(made.grid(tuple(range(31)), tuple(range(30)))), "w-pac3")
    assert all("texttemplate" not in trace for trace in found.spec["data"] if trace["type"] == "heatmap")
    assert found.notes[-1] == "930 cells are too many for numbers in them; the table and the data have them."
    assert len(rows_of(found.data)) == 32
    assert "The table has 31 of 31 and 15 of 30 values." in found.table.note


def test_grids_of_very_many_cells_are_thinned_in_the_figure_alone() -> None:
    side = Side(tuple(range(150)), "lever")
    grid = Grid(side, side, np.arange(22500.0).reshape(150, 150), "m", "rounds", lambda value: f"{value:.0f}")
    assert len(maps.figure(grid)["data"][0]["x"]) == 75
    assert grids.size_said(grid) == (
        "22,500 cells are too many for a figure: it has 75 of 150 and 75 of 150 values, and no numbers in the cells; the data have all."
    )
    assert len(rows_of(grids.data(grid))) == 151


def test_levers_of_dates_and_words_have_their_values_on_the_axis() -> None:
    dates = [dt.date(2026, 1, 1), dt.date(2026, 7, 1)]
    path = "policies.suspension_6_months.suspensions.0.end"
    points = {path: [dates[0], dates[0], dates[1], dates[1]], "policies.suspension_6_months.title": ["b", "a"] * 2}
    frame = {name: (pd.to_datetime(values) if name == path else values) for name, values in points.items()}
    found = sweep_section(made.sweep(frame, {"pac3": {"q50": [NOW + 1, NOW + 2, NOW + 3, NOW + 4], "share_finite": [0.5, 0.6, 0.7, 0.8]}}))
    one = chart(found, "w-pac3")
    assert one.spec["layout"]["xaxis"]["ticktext"] == ["1 January 2026", "1 July 2026"]
    assert one.spec["layout"]["yaxis"]["ticktext"] == ["b", "a"]
    assert one.spec["data"][0]["customdata"][0][1] == ["1 July 2026", "b"]


def test_numbers_on_every_colour_can_be_read() -> None:
    def luminance(colour: tuple[float, ...]) -> float:
        linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    share = np.linspace(0, 1, 201)
    ends = np.linspace(0, 1, len(maps.CIVIDIS))
    parts = [[int(one[place : place + 2], 16) / 255 for one in maps.CIVIDIS] for place in (1, 3, 5)]
    for at, is_pale in zip(share, maps.pale(share), strict=True):
        ground = luminance(tuple(float(np.interp(at, ends, part_)) for part_ in parts))
        contrast = (ground + 0.05) / 0.05 if is_pale else 1.05 / (ground + 0.05)
        assert contrast >= 4.5, at


def test_other_metrics_are_shown_as_amounts() -> None:
    found = made.sweep({LENGTH: [0, 0, 6, 6], SLIP: [0, 5, 0, 5]}, {"pac3": {"q50": [1234.6, 900.0, 87.0, -12.0]}}, metric="stock_at_end")
    found.rows["unit"] = "round"
    section = sweep_section(found, "stock_at_end")
    (one,) = section.charts
    assert one.table.rows == (("0", "1,230", "900"), ("6", "87.0", "−12.0"))
    assert section.sentences[0].startswith(
        'Under "Suspension of six months", the US stock of PAC-3 at the end of the run goes from −12.0 rounds'
    )


# ---------------------------------------------------------------- one lever, and more than two


def test_one_lever_is_a_line_with_its_bands() -> None:
    middle = [NOW + 12, NOW + 20, NEVER]
    cells = {"q50": middle, "q05": [NOW + 5, NOW + 9, NOW + 11], "q95": [NEVER] * 3, "share_finite": [0.8, 0.6, 0.4]}
    found = sweep_section(made.sweep({LENGTH: [0, 6, 12]}, {"pac3": cells}))
    line, chance = found.charts
    assert [row[3] for row in line.table.rows] == ["12", "20", "never"]
    assert [trace["name"] for trace in line.spec["data"]] == ["90 % of the draws", "50 % of the draws", "median"]
    top = 130 - NOW
    assert line.spec["data"][2]["y"] == pytest.approx([12, 20, top], abs=0.01)
    assert {one["text"] for one in line.spec["layout"]["annotations"]} == {
        "↑ months", "today’s point", "never before the run ends in January 2033"
    }
    assert [shape["x0"] for shape in line.spec["layout"]["shapes"] if shape.get("name") == "today"] == [6]
    assert chance.table.rows[0] == ("0 months", "160 of 200 (74 to 85\u00a0%)")


def test_more_levers_are_shown_as_clouds_and_slices_and_say_so() -> None:
    generator = np.random.default_rng(1)
    points = {LENGTH: generator.uniform(0, 20, 30).tolist(), SLIP: generator.uniform(0, 20, 30).tolist(), SHARE: [0.3, 0.5] * 15}
    middle = [NOW + 10 if share == 0.3 else NEVER for share in points[SHARE]]
    found = sweep_section(made.sweep(points, {"pac3": {"q50": middle}}))
    assert "30 points over 3 levers do not make one grid" in found.shown
    assert "Two levers together are not shown" in found.shown
    (one,) = found.charts
    assert one.table.rows[-2:] == (
        ("PAC-3: US share: 0.3", "15", "10 months", "10 months", "10 months", "0"),
        ("PAC-3: US share: 0.5", "15", "never", "never", "never", "15")
    )
    assert len(one.spec["data"]) == 3
    assert one.notes == ("Triangles at the top: never before the run ends in January 2033, at 15 of 30 points.",)


# ---------------------------------------------------------------- the questions


def test_tornado_is_labelled_with_values_and_units() -> None:
    section = sensitivities.section(made.sensitivity(), "s", SCENARIO)
    tornado = chart(section, "s-tornado")
    labels = [one["text"] for one in tornado.spec["layout"]["annotations"] if one.get("name") == "row"]
    assert labels == [
        "Random campaigns: US operation: none at all, against as drawn", "PAC-3: US share: 0.382 to 0.478",
        "PAC-3: loss rate: 0.00387 to 0.0245 a year",
    ]
    low, high = tornado.spec["data"]
    assert (low["base"], low["x"], high["x"]) == (2160, [270, -105, 105], [None, 107, -108])
    assert {low["marker"]["pattern"]["shape"], high["marker"]["pattern"]["shape"]} == {"", "/"}


def test_indices_have_intervals_and_n_and_the_doubling_is_told() -> None:
    section = sensitivities.section(made.sensitivity(), "s", SCENARIO)
    sobol = chart(section, "s-sobol")
    assert "N = 1,024" in sobol.subtitle
    total, first = sobol.spec["data"]
    assert (total["x"], first["x"]) == ([0.79, 0.17, 0.03], [0.71, 0.12, 0.02])
    assert total["error_x"]["array"] == pytest.approx([0.05, 0.03, 0.02])
    assert "held when their number was doubled" in section.shown
    assert section.tables[0].rows[1][3:] == ("yes", "0.1", "yes")
    unsettled = sensitivities.section(made.sensitivity(stable=False), "s", SCENARIO)
    assert "had not settled" in unsettled.shown
    assert chart(unsettled, "s-sobol").title.endswith("the ranking has not settled")
    worth = chart(section, "s-worth")
    assert worth.spec["data"][0]["x"] == [41, 6.3, 0.4]
    assert worth.spec["data"][1]["x"] == [2, 2, 2]


def test_break_even_marks_level_band_and_crossing() -> None:
    one = chart(break_evens.section(made.break_even(), "b", SCENARIO), "b-curve")
    band, line, crossing = one.spec["data"]
    assert line["y"] == [40, 35, 22, 20]
    assert band["y"] == pytest.approx([45, 40, 27, 25, 16, 18, 31, 36])
    assert (crossing["x"], crossing["y"]) == ([17.7], [25])
    assert crossing["error_x"]["array"] == pytest.approx([12.3])
    assert crossing["error_x"]["arrayminus"] == pytest.approx([8.2])
    dashed = [shape for shape in one.spec["layout"]["shapes"] if shape["line"].get("dash") == "dash"]
    assert [shape["y0"] for shape in dashed] == [25]


def test_break_even_over_a_lever_says_never_and_always_in_words() -> None:
    section = break_evens.section(made.break_even_over(), "b", SCENARIO)
    one = chart(section, "b-crossing")
    assert [row[1] for row in one.table.rows] == ["always", "15 (3 to 26), going down", "never"]
    names = {trace["name"]: trace for trace in one.spec["data"]}
    assert names["never: below the level at every value tried"]["text"] == ["never"]
    assert names["always: at or above the level at every value tried"]["text"] == ["always"]
    assert names["passes going down"]["error_y"]["array"] == [11]
    assert (names["today’s point"]["x"], names["today’s point"]["y"]) == ([1], [6])
    assert chart(section, "b-chance").table.rows[0][0] == "0.3"


def test_trade_off_tells_outdone_rules_from_the_others() -> None:
    section = frontiers.section(made.frontier(), "f", SCENARIO)
    scatter = chart(section, "f-frontier")
    worse, best = scatter.spec["data"]
    assert (worse["x"], worse["marker"]["color"]) == ([37], theme.MUTED)
    assert (best["x"], best["mode"]) == ([27, 36, 39], "lines+markers")
    assert best["customdata"][0] == ["100 %", 1.2, 1.4]
    bound = chart(section, "f-bound")
    assert bound.notes[0].startswith("No rule can beat this bound")
    assert bound.notes[1] == "At 1 of the depths nothing keeps the stock so high; there the line has no point."
    assert bound.spec["data"][0]["y"] == [None, 660, 640]
    assert bound.table.rows == (("Draw 1", "150", "740", "790", "640"), ("Draw 2", "0", "0", "810", "810"))
    assert [one.id for one in frontiers.section(made.frontier(foresight=False), "f", SCENARIO).charts] == ["f-frontier"]


def test_regret_has_numbers_best_and_what_is_unsure() -> None:
    section = robustness.section(made.robust(), "r", SCENARIO)
    one = chart(section, "r-regret-1")

    def cell(row: int, column: int) -> str:
        return next(trace["text"][2 * row][column] for trace in one.spec["data"] if trace["text"][2 * row][column])

    cells = [[cell(row, column) for column in (0, 1)] for row in range(3)]
    assert cells[0] == ["best", "best"]
    assert cells[1][0].endswith("~")
    assert cells[2] == ["750", "10"]
    assert one.notes == ("~: the interval of the difference against the best one spans 0, too close to call.",)
    share = chart(section, "r-satisficing")
    assert share.table.columns == ("Policy", "As known in July 2025", "Ceasefire in Ukraine", "All scenarios")
    assert share.table.rows[2][1].startswith("0 % (0 to ")


def test_discovery_has_limits_beside_full_ranges() -> None:
    found = made.discovery()
    section = discoveries.section(found, "d", SCENARIO)
    limits = chart(section, "d-limits")
    assert {row[0] for row in limits.table.rows} == {"Box 1: PAC-3: US share", "Box 1: kind"}
    kind = next(row for row in limits.table.rows if "kind" in row[0])
    assert kind[1:3] == ("a and b", "a, b and c")
    box = found.boxes.found[0]
    trajectory = chart(section, "d-trajectory")
    assert trajectory.spec["data"][-1]["x"] == pytest.approx([100 * box.coverage], abs=0.1)
    assert section.tables[0].rows[0][5] == found.words[0]
    nothing = discoveries.section(made.discovery(none=True), "d", SCENARIO)
    assert [one.id for one in nothing.charts] == []
    assert nothing.sentences


# ---------------------------------------------------------------- all of them


def frames_of(result: Any) -> list[float]:
    """Every number of a result."""
    found: list[float] = []
    for value in (*vars(result).values(), *(vars(one) for one in getattr(getattr(result, "boxes", None), "found", ()))):
        if isinstance(value, pd.DataFrame):
            numbers = value.select_dtypes("number").to_numpy(dtype=float).ravel()
            found += numbers[np.isfinite(numbers)].tolist()
            others = value.select_dtypes(exclude="number")
            found += [float(one) for column in others for one in others[column] if isinstance(one, int | float)]
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found.append(float(value))
        elif isinstance(value, dict):
            found += [float(one) for one in value.values() if isinstance(one, int | float)]
    return found


def written(values: list[float]) -> set[str]:
    """The ways in which numbers may be printed: whole or with few decimals, with two or three digits, and as per cent."""
    texts = set()
    for value in values:
        for own in (abs(value), abs(100.0 * value)):
            texts |= {f"{own:,.{digits}f}" for digits in range(4)}
            for digits in (1, 2, 3):
                short = float(f"{own:.{digits}g}")
                texts |= {f"{short:,.{places}f}" for places in range(3)} | {f"{short:,.6g}"}
    return texts


def said_of(section: Section) -> list[str]:
    """Everything that a section's figures say in words."""
    found = [section.shown, section.title]
    for one in section.charts:
        found += [one.title, one.subtitle, one.alternative, *one.notes, *(cell for row in one.table.rows for cell in row)]
    return found


SETTINGS = {"90", "95", "50", "5", "2", "100"}
"""Of the page itself: bands, intervals, percentiles."""


def strange(section: Section, values: list[float]) -> set[str]:
    """Numbers in the text that are not in the frames."""
    known = written(values) | SETTINGS
    found = set()
    for text in said_of(section):
        plain = re.sub(r"PAC-3|AIM-9X|AIM-120|155 mm", "", DATES.sub("", text))
        found |= {one.lstrip("+−") for one in NUMBERS.findall(plain)} - known
    return found


@pytest.mark.parametrize("kind", ["sensitivity", "break-even", "break-even over", "trade-off", "discovery"])
def test_every_number_in_the_text_is_in_the_frames(kind: str) -> None:
    made_of = {
        "sensitivity": made.sensitivity, "break-even": made.break_even, "break-even over": made.break_even_over, "trade-off": made.frontier,
        "discovery": made.discovery,
    }
    result, section = made_of[kind](), KINDS[kind]()
    values = frames_of(result)
    values += {"break-even": [160, 140, 88, 80, 6], "trade-off": [4, 3, 1, 156, 144, 148, 108], "break-even over": [6.0]}.get(kind, [])
    values += [float(one) for frame in vars(result).values() if isinstance(frame, pd.DataFrame) for one in range(len(frame) + 1)]
    if kind == "discovery":
        inputs = result.inputs
        values += [inputs[SHARE].min(), inputs[SHARE].max(), float(len(inputs.columns) - 1), float(result.boxes.cases)]
    assert strange(section, values) == set()
    assert strange(section, [value * 1.37 + 0.011 for value in values]) != set()


@pytest.mark.parametrize("kind", KINDS)
def test_charts_are_figures_that_plotly_takes_with_texts_in_their_place(kind: str) -> None:
    section = KINDS[kind]()
    ids = [one.id for one in section.charts]
    assert bool(ids) == (kind not in WITHOUT_CHARTS)
    assert len(set(ids)) == len(ids)
    for one in section.charts:
        go.Figure(one.spec)
        assert re.search(r"\b(chart|map) of\b", one.alternative), one.alternative
        assert re.search(r"\d", one.alternative)
        assert len(one.table.rows) >= 1
        assert len({len(row) for row in (one.table.columns, *one.table.rows)}) == 1
        assert len(rows_of(one.data)) >= 2
        assert "nan" not in json.dumps([one.title, one.subtitle, one.alternative, one.notes, one.table.rows])
        json.dumps(one.spec, allow_nan=False)
    assert section.title and section.kind and section.facts and section.manifest["scenario"]
    for one in section.tables:
        assert one.caption and one.rows
        assert len({len(row) for row in (one.columns, *one.rows)}) == 1
        assert "nan" not in json.dumps([one.caption, one.columns, one.rows, one.note]).lower().split()
    for text in (*section.sentences, section.shown, section.not_this):
        assert not re.search(r"\bwill\b", text)
        assert "the floor" not in text.replace("the floor assumed here", "")


# ---------------------------------------------------------------- the page


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sp.report(made.everything(), tmp_path_factory.mktemp("pages") / "workbench.html", command="the command")


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sp.report(worked.everything(), tmp_path_factory.mktemp("pages") / "evidence.html", command="the command")


@pytest.fixture(params=PAGES)
def each(request: pytest.FixtureRequest) -> Path:
    """Both pages in turn."""
    found: Path = request.getfixturevalue({"workbench": "file"}.get(request.param, request.param))
    return found


@pytest.fixture(scope="module")
def text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def test_page_has_plotly_once_and_is_small_beside_it(text: str) -> None:
    assert text.count("* plotly.js v") == 1
    assert len(text.encode()) - len(plotly().encode()) < 200_000


def test_page_of_a_large_grid_stays_small(tmp_path: Path) -> None:
    page = sp.report(made.grid(tuple(range(41)), tuple(range(21)), 500), tmp_path / "page.html")
    assert page.stat().st_size - len(plotly().encode()) < 120_000


def test_page_stands_alone_and_runs_only_its_own_scripts(each: Path) -> None:
    elements = Elements(each.read_text(encoding="utf-8"))
    for tag, attributes in elements.found:
        assert tag not in {"iframe", "object", "embed", "form", "base", "img"}
        assert not [name for name in attributes if name in ("src", "srcset", "action") or name.startswith("on")]
        assert attributes.get("href", "#").startswith(("#", "data:"))
    assert len([one for one, _ in elements.scripts if one.get("type") != "application/json"]) == 2
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_page_says_what_made_it(text: str) -> None:
    made_of = part(Elements(text), "provenance")
    assert made_of["command"] == "the command"
    assert tuple(one["kind"] for one in made_of["results"]) == PAGES["workbench"]
    assert made_of["parameters"] == SCENARIO.digest
    assert made_of["title"] == "Workbench – As known in July 2025"
    assert made_of["finding"].startswith("Under “Suspension of six months”, the US stock of PAC-3")
    assert "What this does not say." in text


def test_page_of_evidence_says_what_made_it(evidence: Path) -> None:
    made_of = part(Elements(evidence.read_text(encoding="utf-8")), "provenance")
    assert tuple(one["kind"] for one in made_of["results"]) == PAGES["evidence"]
    assert made_of["title"] == "Evidence – As known in November 2026"
    assert all(one["manifest"]["parameters"] for one in made_of["results"])


def test_same_results_give_the_same_bytes(file: Path, tmp_path: Path) -> None:
    again = sp.report(made.everything(), tmp_path / "again.html", command="the command")
    assert again.read_bytes() == file.read_bytes()


@pytest.mark.parametrize("number", range(len(made.everything())))
def test_each_result_has_a_page_of_its_own(number: int, tmp_path: Path) -> None:
    result = made.everything()[number]
    found = sp.report(result, tmp_path / "page.html").read_text(encoding="utf-8")
    command = part(Elements(found), "provenance")["command"]
    assert command.startswith(f"stockpile.report({type(result).__name__.lower()}, ")


def test_index_lists_the_page(file: Path) -> None:
    found = index(file.parent).read_text(encoding="utf-8")
    assert "Workbench – As known in July 2025" in found
    assert "over 200 draws at each of 6 points" in found


def test_texts_of_others_do_not_become_mark_up(tmp_path: Path) -> None:
    result = made.sensitivity()
    result.tornado["label"] = HOSTILE
    result.indices["label"] = HOSTILE
    found = sp.report(result, tmp_path / "page.html", command=HOSTILE).read_text(encoding="utf-8")
    assert "<script>alert(1)" not in found
    assert "<img src=x" not in found


def test_without_its_scenario_a_result_has_names_as_in_the_files(tmp_path: Path) -> None:
    result = made.grid()
    result.manifest["parameters"] = "0" * 64
    found = sp.report(result, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Under “suspension_6_months”" in found
    assert "months from the start of the run" in found
    assert "this scenario has no single value" in found


def test_a_changed_scenario_is_found_again_by_its_changes() -> None:
    changed = SCENARIO.override({SLIP: 7, "munitions.pac3.us_share.scale": 1.1})
    overrides = {path: str(value) for path, value in changed.overridden.items()}
    manifest = {"scenario": "july_2025", "parameters": changed.digest, "overrides": overrides}
    found = scenarios.scenario_of(manifest)
    assert found is not None
    assert found.digest == changed.digest
    assert scenarios.own_value(found, SLIP) == 7


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda path: sp.report(made.grid(), path, metric="first_below.floor"), "'first_below.floor' is not in this sweep; did you mean"),
        (lambda path: sp.report(made.grid(), path, ["none"]), "'none' is not in this sweep"),
        (lambda path: sp.report(made.grid(), path, members=5), "already has its members"),
        (lambda path: sp.report(object(), path), "object; allowed: a scenario"),
        (lambda path: sp.report([], path), "none; allowed: one or more"),
    ],
)
def test_what_cannot_be_shown_is_refused(call: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        call(tmp_path / "page.html")
    assert not list(tmp_path.iterdir())


def test_each_policy_asked_for_has_a_section(tmp_path: Path) -> None:
    result = made.grid()
    both = pd.concat([result.rows, result.rows.assign(policy="none")], ignore_index=True)
    result.manifest["policies"] = ["none", "suspension_6_months"]
    two = made.MadeSweep(result.manifest, None, points=result.points, rows=both)
    assert readings.reading(two).policy == "suspension_6_months"
    found = sp.report(two, tmp_path / "page.html", ["none", "suspension_6_months"]).read_text(encoding="utf-8")
    assert found.count('id="result-1-') > 0
    assert "the sweep also has “No suspension”" in found
    assert "the sweep also has “Suspension of six months”" in found


# ---------------------------------------------------------------- the command line, and the file of questions


def test_command_line_renders_a_saved_sweep(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "pauses"
    found = sp.sweep(SCENARIO, {LENGTH: [0, 6], SLIP: [0, 5]}, folder, policies=["suspension_6_months"], members=12, munitions=["pac3"])
    done = call("report", folder, "-o", tmp_path / "page.html")
    assert (done.code, done.out) == (0, f"{tmp_path / 'page.html'}\n")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    made_of = part(Elements(text), "provenance")
    assert made_of["command"] == "stockpile report pauses -o page.html"
    assert made_of["results"][0]["manifest"]["design"] == found.manifest["design"]
    again = call("report", folder, "-o", tmp_path / "again.html", "--metric", "total_unmet:ukraine")
    assert again.code == 0
    assert "--metric total_unmet:ukraine" in (tmp_path / "again.html").read_text(encoding="utf-8")
    refused = call("report", folder, "-o", tmp_path / "no.html", "--members", "5", "--set", "model.slip=3")
    assert refused.code == 2
    assert refused.err.count("the sweep decides it") == 2
    assert call("report", tmp_path, "-o", tmp_path / "no.html").code == 2
    assert not (tmp_path / "no.html").exists()


def test_file_of_questions_makes_one_page(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "asked.toml"
    file.write_text(
        'members = 20\n[[break_even]]\nchance = "pac3:below.transfer_floor"\npolicy = "suspension_6_months"\nlevel = 0.3\n'
        f'lever = {{ "{LENGTH}" = "0:20:10" }}\n'
        f'[[sweep]]\npolicies = ["suspension_6_months"]\nvary = {{ "{SLIP}" = "0,5" }}\n',
        encoding="utf-8",
    )
    done = call("report", "july_2025", "--workbench", file, "-o", tmp_path / "page.html")
    assert done.code == 0
    made_of = part(Elements((tmp_path / "page.html").read_text(encoding="utf-8")), "provenance")
    assert [one["kind"] for one in made_of["results"]] == ["Sweep", "Break-even"]
    assert {one["manifest"]["members"] for one in made_of["results"]} == {20}
    assert made_of["command"] == "stockpile report july_2025 --workbench asked.toml -o page.html"
    file.write_text("[[breakeven]]\nlevel = 0.3\n", encoding="utf-8")
    wrong = call("report", "july_2025", "--workbench", file, "-o", tmp_path / "no.html")
    assert wrong.code == 2
    assert "asked.toml:1" in wrong.err
    assert "break_even" in wrong.err
    file.write_text("members = 3\n", encoding="utf-8")
    assert "asks nothing" in call("report", "july_2025", "--workbench", file, "-o", tmp_path / "no.html").err
    assert "--members" in call("report", "july_2025", "--workbench", file, "--members", "3").err


def test_shipped_file_of_questions_is_right() -> None:
    found = plan.read(Path(__file__).parent.parent / "reports" / "workbench.toml")
    assert all(getattr(found, name) for name in ("sweep", "sensitivity", "break_even", "frontier", "robust", "discovery"))
    (asked,) = found.sweep
    assert set(asked.vary) == {LENGTH, SLIP}
    assert found.members == 500


# ---------------------------------------------------------------- in a browser


@pytest.fixture(scope="module")
def seen(browser: Browser, file: Path) -> Iterator[Seen]:  # noqa: F811 - the fixture
    opened = Seen(browser, file, color_scheme="light")
    opened.drawn()
    yield opened
    opened.context.close()


@pytest.mark.browser
def test_page_asks_for_itself_alone_and_draws_everything(seen: Seen, file: Path) -> None:
    assert seen.requests == [file.as_uri()]
    assert seen.complaints == []
    figures = seen.page.locator("figure [data-figure]")
    assert figures.count() >= 15
    empty = """[...document.querySelectorAll("[data-figure]")].filter(
      (one) => !one.querySelector(".heatmaplayer image, .scatterlayer .trace, .barlayer .trace")).map((one) => one.id)"""
    assert seen.page.evaluate(empty) == []


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_found_by_axe(browser: Browser, each: Path, scheme: str) -> None:  # noqa: F811 - the fixture
    opened = Seen(browser, each, color_scheme=scheme)
    opened.drawn()
    unfold(opened.page)
    found = Axe().run(opened.page).response["violations"]
    ground = opened.page.locator("[data-figure] .main-svg").first.evaluate("(one) => one.style.background")
    sections = opened.page.locator("main section h2").all_inner_texts()
    opened.context.close()
    assert not [(one["id"], [node["html"][:160] for node in one["nodes"][:3]]) for one in found]
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 29)"}[scheme]
    assert len(set(sections)) == len(sections) >= 7


@pytest.mark.browser
def test_page_of_evidence_asks_for_itself_alone_and_draws_everything(browser: Browser, evidence: Path) -> None:  # noqa: F811
    opened = Seen(browser, evidence)
    count = opened.drawn()
    asked, complaints = opened.requests, opened.complaints
    names = opened.page.evaluate("""[...document.querySelectorAll("[data-figure]")].map((one) => one.getAttribute("aria-label") || "")""")
    opened.context.close()
    assert asked == [evidence.as_uri()]
    assert complaints == []
    assert count >= 6
    assert len(set(names)) == len(names)


@pytest.mark.browser
def test_figures_have_names_and_texts_in_their_place(seen: Seen) -> None:
    session = seen.context.new_cdp_session(seen.page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    named = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"] and "role" in node]
    pictures = [name for role, name in named if role in ("img", "image")]
    assert len(pictures) == seen.page.locator("[data-figure]").count()
    assert all(re.search(r"(chart|map) of", name) and re.search(r"\d", name) for name in pictures)
    groups = [name for role, name in named if role in ("figure", "group") and name]
    assert set(seen.page.locator("figure .finding").all_inner_texts()) <= set(groups)
    assert all(name for role, name in named if role in ("button", "link", "table", "region", "navigation"))


WORDS = """(id) => [...document.querySelectorAll(`#${id} .plot text`)].map((one) => one.textContent).filter(Boolean)"""


@pytest.mark.browser
def test_cells_show_numbers_words_hatching_and_todays_point(seen: Seen) -> None:
    words = seen.page.evaluate(WORDS, "result-1-pac3")
    assert {"11", "12", "14", "15", "never", "already"} <= set(words)
    assert seen.page.locator("#result-1-pac3 pattern").count() >= 2
    assert seen.page.locator("#result-1-pac3 .shapelayer path").count() == 2


@pytest.mark.browser
def test_phone_needs_no_scrolling_sideways(browser: Browser, each: Path) -> None:  # noqa: F811 - the fixture
    opened = Seen(browser, each, width=360)
    opened.drawn()
    unfold(opened.page)
    width = opened.page.evaluate("document.documentElement.scrollWidth")
    wide = "[...document.querySelectorAll('.plot')].filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.id)"
    found = opened.page.evaluate(wide)
    cut = opened.page.evaluate(
        """[...document.querySelectorAll(".plot .annotation-text")].filter((one) => {
          const box = one.getBoundingClientRect(), around = one.closest(".plot").getBoundingClientRect();
          return box.left < around.left - 1 || box.right > around.right + 1;
        }).map((one) => one.textContent)"""
    )
    opened.context.close()
    assert width == 360
    assert found == []
    assert cut == []


@pytest.mark.browser
def test_numbers_that_could_not_be_read_are_left_out_on_a_phone(browser: Browser, tmp_path: Path) -> None:  # noqa: F811 - the fixture
    page = sp.report(made.grid(tuple(range(41)), tuple(range(21))), tmp_path / "page.html")
    shown = {}
    for width in (1280, 360):
        opened = Seen(browser, page, width=width)
        opened.drawn()
        shown[width] = opened.page.locator("#result-1-pac3 .heatmaplayer text").count()
        opened.context.close()
    assert shown == {1280: 574, 360: 0}


@pytest.mark.browser
def test_without_scripts_the_tables_are_there(browser: Browser, file: Path) -> None:  # noqa: F811 - the fixture
    opened = Seen(browser, file, java_script_enabled=False)
    opened.page.locator("#result-1-pac3 summary").click()
    table = opened.page.locator("#result-1-pac3 table").is_visible()
    notes = opened.page.locator("main > noscript").count()
    opened.context.close()
    assert (table, notes) == (True, 1)


# ---------------------------------------------------------------- tables of words


def test_columns_of_names_and_sentences_are_set_as_text_and_numbers_are_not() -> None:
    why = "Ours is 3 rounds (2 to 4) below what was published, and no tolerance is given for it."
    rows = (
        ("a", "1,200 (1,000 to 1,400)", "never", "made in fiscal 2013, first lot", "fail", why),
        ("b", "at least 5", "not in this run", "3 lots", "pass", "–"),
        ("c", "−3", "2026-06-30", "delivered in fiscal 2015", "pass", "–"),
    )
    assert Table("t", ("Case", "Ours", "When", "Asked", "Verdict", "Why"), rows).kinds == ("", "", "", "text", "", "text wide")
    assert Table("t", ("Case", "Ours"), ()).kinds == ("", "")


def test_table_of_cases_keeps_dates_in_one_and_lets_sentences_wrap(tmp_path: Path) -> None:
    text = sp.report(sp.replicate(["stinger_order_2022", "csis_six_systems_table"]), tmp_path / "cases.html").read_text(encoding="utf-8")
    cells = re.findall(r"<td[^>]*>.*?</td>", text)
    dates = [cell for cell in cells if re.search(r"\d{4}[-\u2212]\d\d[-\u2212]\d\d", cell)]
    assert dates and not any("\u2212" in cell for cell in dates)
    assert '<td><span class="kept">2026-06-30</span></td>' in dates
    sentences = [cell for cell in cells if cell.startswith('<td class="text wide">')]
    assert sentences and not any('class="kept"' in cell for cell in sentences)
