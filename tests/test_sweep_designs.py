"""Designs of sweeps: what ranges mean, which points come of them, and what is refused."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stockpile as sp
from stockpile.sweep.axes import Axis, WrongAxis, axis
from stockpile.sweep.design_file import read
from stockpile.sweep.designs import Column, Design, design

DAY = dt.date


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.1:0.3:0.1", (0.1, 0.2, 0.3)),
        ("0:1:0.3", (0.0, 0.3, 0.6, 0.9)),
        ("0:4:2", (0, 2, 4)),
        ("-1:1:0.5", (-1.0, -0.5, 0.0, 0.5, 1.0)),
        ("5:5:1", (5,)),
        ("1e3:3e3:1e3", (1000.0, 2000.0, 3000.0)),
        ("2025-08-01:2025-11-01:1month", (DAY(2025, 8, 1), DAY(2025, 9, 1), DAY(2025, 10, 1), DAY(2025, 11, 1))),
        ("2025-01-31:2025-04-30:1 month", (DAY(2025, 1, 31), DAY(2025, 2, 28), DAY(2025, 3, 31), DAY(2025, 4, 30))),
        ("2024-02-29:2026-03-01:1year", (DAY(2024, 2, 29), DAY(2025, 2, 28), DAY(2026, 2, 28))),
        ("2025-08:2025-09:14days", (DAY(2025, 8, 1), DAY(2025, 8, 15), DAY(2025, 8, 29))),
        ("1,2.5,-3", (1, 2.5, -3)),
        ("true,false", (True, False)),
        ("transfer_floor, quarter", ("transfer_floor", "quarter")),
        ('"a,b","c"', ("a,b", "c")),
        ("2025-08-01,2026-01-01", (DAY(2025, 8, 1), DAY(2026, 1, 1))),
        ("my_rules:Fair,pro_rata", ("my_rules:Fair", "pro_rata")),
        ("horizon", ("horizon",)),
        (".5,1.", (0.5, 1.0)),
    ],
)
def test_values_of_a_text(text: str, values: tuple[object, ...]) -> None:
    found = axis(text).values
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ([1, 2.0], (1, 2.0)),
        (np.array([0.5, 1.0]), (0.5, 1.0)),
        (pd.to_datetime(["2025-08-01", "2025-09-01"]), (DAY(2025, 8, 1), DAY(2025, 9, 1))),
        ({"from": 0, "to": 1, "step": 0.5}, (0.0, 0.5, 1.0)),
        ({"from": DAY(2025, 1, 1), "to": DAY(2025, 3, 1), "step": "1month"}, (DAY(2025, 1, 1), DAY(2025, 2, 1), DAY(2025, 3, 1))),
        (range(3), (0, 1, 2)),
        (7, (7,)),
        (True, (True,)),
    ],
)
def test_values_said_in_python(said: object, values: tuple[object, ...]) -> None:
    assert axis(said).values == values


def test_a_range_without_a_step_is_kept_for_sampling() -> None:
    assert axis("0:1") == Axis(low=0, high=1)
    assert axis({"from": DAY(2025, 1, 1), "to": DAY(2026, 1, 1)}) == Axis(low=DAY(2025, 1, 1), high=DAY(2026, 1, 1))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("3:1:1", "runs backwards"),
        ("2026-01-01:2025-01-01:1month", "runs backwards"),
        ("1:1", "is empty"),
        ("1:2:0", "a step above 0"),
        ("1:2:-1", "a step above 0"),
        ("1:2:nan", "'nan' in '1:2:nan' is no number"),
        ("0:1O:1", "'1O' in '0:1O:1' is no number"),
        ("0:1e400:1", "is no number"),
        ("0:1e12:1", "at most 50,000,000"),
        ("2025-08-01:2026-08-01:1", "is no step between dates"),
        ("2025-08-01:2026-08-01:0days", "is no step between dates"),
        ("2025-02-30:2026-08-01:1day", "'2025-02-30' is no date"),
        ("2025-08-01:3:1month", "'3' is no date"),
        ("", "empty value"),
        ("1,,2", "empty value"),
        ("1,a", "mixes number (1) and text (a)"),
        ("1,true", "mixes number (1) and boolean (true)"),
        ("1,2,1", "1 comes twice"),
        ("1,1.0", "1.0 comes twice"),
        ("nan,1", "not finite"),
        ([], "no values"),
        ([1, None], "a value is missing"),
        ({"from": 0, "step": 1}, "a table with from, step"),
        ([[1], [2]], "cannot be varied over"),
        ([dt.datetime(2025, 1, 1, 12)], "has a time of day"),
    ],
)
def test_nonsense_is_refused(said: object, message: str) -> None:
    with pytest.raises(WrongAxis) as caught:
        axis(said)
    assert message in str(caught.value)
    assert "allowed: " in str(caught.value)


@given(st.integers(-10**6, 10**6), st.integers(1, 10**4), st.integers(0, 400), st.integers(0, 4), st.data())
def test_a_range_has_every_step_and_both_ends(start: int, step: int, count: int, digits: int, data: st.DataObject) -> None:
    """Written with decimals, values are the floats nearest to the exact numbers, and a remainder below a step is left out."""
    scale = 10**digits
    rest = data.draw(st.integers(0, step - 1))

    def written(number: int) -> str:
        sign, digits_ = "-" if number < 0 else "", f"{abs(number):0{digits + 1}d}"
        return f"{sign}{digits_[: len(digits_) - digits]}.{digits_[len(digits_) - digits :]}" if digits else f"{number}"

    found = axis(f"{written(start)}:{written(start + count * step + rest)}:{written(step)}").values
    assert list(found) == [float(Fraction(start + k * step, scale)) for k in range(count + 1)]


@given(st.dates(DAY(1990, 1, 1), DAY(2060, 1, 1)), st.integers(1, 24), st.integers(0, 40))
def test_a_range_of_months_keeps_the_day_where_it_can(start: dt.date, months: int, count: int) -> None:
    found = pd.Series(pd.date_range(start, periods=count * months + 1, freq=pd.DateOffset(months=1))).iloc[0]
    ends = [(pd.Timestamp(found) + pd.DateOffset(months=k * months)).date() for k in range(count + 1)]
    assert list(axis(f"{start}:{ends[-1]}:{months}months").values) == ends


# ---------------------------------------------------------------- points


def rows(found: Design) -> list[tuple[object, ...]]:
    return list(zip(*found.columns.values(), strict=True))


def test_grid_has_all_combinations_the_last_path_fastest() -> None:
    assert rows(design({"a": "1,2", "b": "x,y,z"})) == [(1, "x"), (1, "y"), (1, "z"), (2, "x"), (2, "y"), (2, "z")]


def test_one_at_a_time_begins_with_the_scenario_as_it_is() -> None:
    found = design({"a": "1,2", "b": "x"}, "one_at_a_time")
    assert rows(found) == [(None, None), (1, None), (2, None), (None, "x")]
    assert found.changes(0) == {}
    assert found.changes(3) == {"b": "x"}
    frame = found.frame()
    assert frame["a"].isna().tolist() == [True, False, False, True]
    assert frame["b"].isna().tolist() == [True, True, True, False]


@pytest.mark.parametrize("kind", ["lhs", "sobol"])
def test_sampled_points_fill_ranges_and_choices_evenly(kind: str) -> None:
    """With 64 points each of 64 slices of a range has one, and each of four choices a quarter."""
    said = {"a": "2:4", "b": "p,q,r,s", "c": "2025-01-01:2025-03-05", "d": "0:9:3"}
    found = design(said, kind, 64, 5)
    a = np.array(list(found.columns["a"]))
    assert sorted(((a - 2) / 2 * 64).astype(int)) == list(range(64))
    assert all(list(found.columns["b"]).count(value) == 16 for value in "pqrs")
    assert sorted(found.columns["c"]) == [DAY(2025, 1, 1) + dt.timedelta(days=k) for k in range(64)]
    assert {list(found.columns["d"]).count(value) for value in (0, 3, 6, 9)} == {16}
    assert rows(design(said, kind, 64, 5)) == rows(found)
    assert rows(design(said, kind, 64, 6)) != rows(found)


def test_any_number_of_sobol_points_are_the_first_of_the_sequence() -> None:
    assert rows(design({"a": "0:1"}, "sobol", 11, 3)) == rows(design({"a": "0:1"}, "sobol", 64, 3))[:11]


def test_table_with_gaps_from_a_file_and_from_a_frame(tmp_path: Path) -> None:
    file = tmp_path / "points.csv"
    file.write_text("a, b,c,d\n1,2025-08-01,x,true\n,2025-09-01,,false\n2.5,,y,\n")
    expected = [(1, DAY(2025, 8, 1), "x", True), (None, DAY(2025, 9, 1), None, False), (2.5, None, "y", None)]
    found = design(file)
    assert rows(found) == expected
    frame = found.frame()
    assert frame["b"].iloc[0] == pd.Timestamp("2025-08-01")
    again = design(frame)
    assert rows(again) == [(1.0, *expected[0][1:]), *expected[1:]]


def test_same_points_have_the_same_digest_however_they_were_said() -> None:
    grid = design({"a": "1:3:1", "b": "x,y"})
    table = design(pd.DataFrame({"a": [1, 1, 2, 2, 3, 3], "b": list("xyxyxy")}))
    assert grid.digest == table.digest
    others = [
        design({"a": "1:3:1", "b": "x,z"}), design({"b": "x,y", "a": "1:3:1"}), design({"a": "1:4:1", "b": "x,y"}),
        design({"a": "1,2,3.5", "b": "x,y"}), design({"a": [1, 3, 2], "b": "x,y"}), design({"a": "1:3:1", "c": "x,y"}),
    ]
    assert len({grid.digest, *(one.digest for one in others)}) == 7


def test_a_column_is_a_sequence() -> None:
    column = Column.of(["a", None, "b", "a"])
    assert list(column) == ["a", None, "b", "a"]
    assert (column[2], column[-1], list(column[1:3]), len(column)) == ("b", "a", [None, "b"], 4)
    assert [type(value) for value in Column.of([1, 1.0, True])] == [int, float, bool]


def test_a_grid_of_ten_million_points_takes_little_memory() -> None:
    found = design({"a": "1:100:1", "b": "1:1000:1", "c": "1:100:1"})
    assert len(found) == 10_000_000
    assert sum(column.codes.nbytes for column in found.columns.values()) == 3 * 4 * 10_000_000
    assert found.changes(9_999_998) == {"a": 100, "b": 1000, "c": 99}


# ---------------------------------------------------------------- what is refused


def keys(error: sp.InputError) -> list[tuple[str, str]]:
    return [(problem.file, problem.key) for problem in error.problems]


def test_all_faults_of_a_design_at_once() -> None:
    with pytest.raises(sp.InputError) as caught:
        design({"a": "2:1:1", "b": "", "c": "1,2", "d": "0:1"}, points=3)
    assert keys(caught.value) == [("vary", "a"), ("vary", "b"), ("vary", "points")]
    with pytest.raises(sp.InputError, match="d: 0:1 is a range without a step"):
        design({"c": "1,2", "d": "0:1"})


@pytest.mark.parametrize(
    ("said", "kind", "points", "message"),
    [
        ({}, "grid", None, "no path is varied"),
        ({"a": "1"}, "gird", None, "did you mean 'grid'?"),
        ({"a": "1"}, "lhs", None, "points: None for lhs"),
        ({"a": "1"}, "sobol", 0, "points: 0 for sobol"),
        ({"a": "1"}, "lhs", True, "points: True for lhs"),
        ({"a": "1"}, "one_at_a_time", 5, "5 do not go with one_at_a_time"),
        ({"a": "1:10000:1", "b": "1:10000:1"}, "grid", None, "100,000,000 points"),
        ({" ": "1"}, "grid", None, "has no path"),
        ([1, 2], "grid", None, "list is no design"),
    ],
)
def test_a_design_that_cannot_be(said: object, kind: str, points: int | None, message: str) -> None:
    with pytest.raises(sp.InputError) as caught:
        design(said, kind, points)
    assert message in str(caught.value)
    assert "allowed: " in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("a,b\n", "has no points"),
        ("a,b\n1\n", "has 1 cells; allowed: 2"),
        ("a,a\n1,2\n", "a: is varied twice"),
        ("a,\n1,2\n", "a column without a path"),
        ("a\nx\n1\n", "a: mixes text (x) and number (1)"),
        ("a\n2025-01-01T10:00:00\n", "has a time of day"),
        ("point\n1\n", "varies nothing"),
        ("a\ninf\n", "not finite"),
    ],
)
def test_a_table_that_cannot_be(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "points.csv"
    file.write_text(text)
    with pytest.raises(sp.InputError) as caught:
        design(file)
    assert message in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(sp.InputError, match=r"cannot be read \(No such file or directory\)"):
        design(tmp_path / "none.csv")


# ---------------------------------------------------------------- design files


def written(folder: Path, text: str) -> Path:
    file = folder / "design.toml"
    file.write_text(text)
    return file


def test_design_file_says_paths_quoted_or_as_tables(tmp_path: Path) -> None:
    text = """
scenario = "july_2025"
members = 20
policies = ["none"]
[vary]
"munitions.pac3.us_share" = "0.1:0.3:0.1"
munitions.aim9x.us_share = [0.5, 0.6]
"munitions.aim120.us_share" = { from = 0.2, to = 0.4, step = 0.1 }
"""
    found = read(written(tmp_path, text))
    assert (found.said.members, found.said.policies, found.said.seed) == (20, ["none"], None)
    made = found.design(1)
    assert list(made.columns) == ["munitions.pac3.us_share", "munitions.aim9x.us_share", "munitions.aim120.us_share"]
    assert len(made) == 18
    assert made.columns["munitions.aim120.us_share"].values == (0.2, 0.3, 0.4)


def test_design_file_with_a_sample_and_with_a_table(tmp_path: Path) -> None:
    found = read(written(tmp_path, 'design = "lhs"\npoints = 8\n[vary]\na = "0:1"\n'))
    assert rows(found.design(4)) == rows(design({"a": "0:1"}, "lhs", 8, 4))
    assert len(found.design(4, "sobol", 16)) == 16
    (tmp_path / "points.csv").write_text("a\n1\n2\n")
    assert rows(read(written(tmp_path, 'table = "points.csv"\n')).design(1)) == [(1,), (2,)]


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("membres = 5\nseed = -1\n", [(1, 1, "membres"), (2, 1, "seed")]),
        ('design = "gird"\n', [(1, 1, "design")]),
        ('members = "5"\n', [(1, 1, "members")]),
        ("a = \n", [(1, 5, "")]),
        ('[vary]\na = "2:1:1"\n"b.c" = [1, 1]\n', [(2, 1, "a"), (3, 1, "b.c")]),
        ('[vary]\nb.c = "x:"\n[vary.d]\ne = []\n', [(4, 1, "d.e")]),
        ('[vary]\n"a.b" = 1\na.b = 2\n', [(3, 3, "vary.a.b")]),
        ('design = "sobol"\n[vary]\na = "0:1"\n', [(1, 1, "points")]),
        ('points = 4\n[vary]\na = "0:1:1"\n', [(1, 1, "points")]),
        ('table = "points.csv"\npoints = 3\n[vary]\na = 1\n', [(2, 1, "points"), (3, 2, "vary")]),
        ("members = 5\n", [(1, 1, "vary")]),
    ],
)
def test_faults_of_a_design_file_have_their_place(tmp_path: Path, text: str, faults: list[tuple[int, int, str]]) -> None:
    file = written(tmp_path, text)
    with pytest.raises(sp.InputError) as caught:
        read(file).design(1)
    assert [(problem.line, problem.column, problem.key) for problem in caught.value.problems] == faults
    assert {problem.file for problem in caught.value.problems} == {str(file)}
    assert all("allowed: " in problem.message for problem in caught.value.problems)
