"""``stockpile sensitivity | discover | breakeven | frontier | robust``: what they print and write, what they refuse, how they end."""

from __future__ import annotations

import functools
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import questions
from commands import Call, Done
from questions import LENGTH, SCENARIO, SHARE

import stockpile as sp
from stockpile.analysis import break_even, discover, frontier, robust, sensitivity, sentences
from stockpile.cli import answers
from stockpile.cli.output import rounds, share

END = ["--set", "scenario.end=2027-01-01"]
QUICK = [*END, "--members", "60", "--engine", "numpy"]
WORK: dict[str, Any] = {"members": 60, "seed": 1, "engine": "numpy"}
CHANCE = "pac3:below.transfer_floor@2026-12-01"
VERBS = ("sensitivity", "discover", "breakeven", "frontier", "robust")
BOUND = "In brackets: 95 % interval of Monte Carlo error"


def others() -> list[sp.Scenario]:
    names = ["july_2025", "ceasefire"]
    return [sp.load(name).override({"scenario.end": questions.END}) for name in names]


ASKED: dict[str, list[str]] = {
    "sensitivity": ["sensitivity", *QUICK, "--outcome", "pac3:us_on_hand@2026-01-01", "--most", "512", "--policy", "us_first"],
    "discover": [
        "discover", *END, "--members", "300", "--engine", "numpy", "--fails", "pac3:total_unmet:ukraine > 50", "--vary", f"{SHARE}=0.2:0.7",
    ],
    "breakeven": [
        "breakeven", *QUICK, "--lever", f"{SHARE}=0.1:0.9:0.2", "--chance", CHANCE, "--level", "0.05", "--over", f"{LENGTH}=0,12",
    ],
    "frontier": [
        "frontier", *QUICK, "--munition", "pac3", "--triggers", "0.3,1.2", "--margins", "0", "--shares", "0.5,1", "--foresight", "1",
    ],
    "robust": [
        "robust", "july_2025", "ceasefire", *QUICK, "--policy", "none,us_first", "--outcome", "pac3:total_unmet:ukraine=lower",
        "--condition", "pac3:total_unmet:ukraine <= 100",
    ],
}
LIBRARY: dict[str, Callable[[], Any]] = {
    "sensitivity": lambda: sp.sensitivity(SCENARIO, "pac3:us_on_hand@2026-01-01", "us_first", most=512, **WORK),
    "discover": lambda: sp.discover(SCENARIO, "pac3:total_unmet:ukraine > 50", vary={SHARE: "0.2:0.7"}, **WORK | {"members": 300}),
    "breakeven": lambda: sp.break_even(
        SCENARIO, {SHARE: "0.1:0.9:0.2"}, CHANCE, "suspension_6_months", level=0.05, over={LENGTH: "0,12"}, **WORK
    ),
    "frontier": lambda: sp.frontier(SCENARIO, "pac3", triggers=[0.3, 1.2], margins=[0.0], shares=[0.5, 1.0], foresight=1, **WORK),
    "robust": lambda: sp.robust(
        others(), {"pac3:total_unmet:ukraine": "lower"}, ["pac3:total_unmet:ukraine <= 100"], ["none", "us_first"], **WORK
    ),
}
SAY: dict[str, Callable[..., list[str]]] = {
    "sensitivity": sentences.of_sensitivity, "discover": sentences.of_discovery, "breakeven": sentences.of_break_even,
    "frontier": sentences.of_frontier, "robust": sentences.of_robust,
}
PLACE = {
    "sensitivity": (sensitivity, "sensitivity"), "discover": (discover, "discover"), "breakeven": (break_even, "break_even"),
    "frontier": (frontier, "frontier"), "robust": (robust, "robust"),
}
FRAMES = {
    "sensitivity": ("indices", "tornado", "rounds"), "discover": ("limits", "trajectory", "stability"), "breakeven": ("curve", "crossings"),
    "frontier": ("points", "gaps", "bound"), "robust": ("regret", "ranking", "values", "satisficing"),
}
"""Frames in the JSON; the first is what a CSV or Parquet file holds."""


@functools.cache
def made(verb: str) -> Any:
    """Return what the library answers."""
    return LIBRARY[verb]()


def frame(verb: str, name: str) -> pd.DataFrame:
    found: pd.DataFrame = getattr(made(verb), "table" if name == "limits" else name)
    return found


OUTPUT: dict[tuple[str, ...], Done] = {}


def printed(call: Call, verb: str, *more: str) -> Done:
    """Return what a verb prints; it is called once."""
    if (verb, *more) not in OUTPUT:
        OUTPUT[verb, *more] = call(*ASKED[verb], *more)
    return OUTPUT[verb, *more]


def as_json(call: Call, verb: str) -> Any:
    """Return what a verb prints with ``--json``."""
    return printed(call, verb, "--json").json


# ---------------------------------------------------------------- what they print and write


@pytest.mark.parametrize("verb", VERBS)
def test_first_line_is_the_headline_and_the_rest_follows(call: Call, verb: str) -> None:
    done = printed(call, verb)
    assert done.code == 0
    assert done.err == ""
    said = SAY[verb](made(verb), SCENARIO)
    lines = done.out.splitlines()
    assert lines[0] == said[0]
    assert lines[1] != ""
    foot = next(number for number, line in enumerate(lines) if line.startswith(BOUND))
    assert lines[foot - len(said) + 1 : foot] == said[1:]
    assert lines[-1].startswith("Scenario july_2025")
    assert f"seed 1; parameters {SCENARIO.digest[:12]}; stockpile {sp.__version__}, commit " in lines[-1]
    assert "will" not in done.out.lower().split()
    assert "nan" not in done.out.split()


@pytest.mark.parametrize("verb", VERBS)
def test_json_is_what_the_library_gives(call: Call, verb: str) -> None:
    found = as_json(call, verb)
    assert found["manifest"] == json.loads(json.dumps(made(verb).manifest))
    assert found["sentences"] == SAY[verb](made(verb), SCENARIO)
    for name in FRAMES[verb]:
        expected = frame(verb, name)
        assert len(expected)
        assert [list(row) for row in found[name]] == [list(expected.columns)] * len(expected)
        for column in expected.select_dtypes("number"):
            given = pd.Series([row[column] for row in found[name]], dtype=object).replace({"Infinity": float("inf")})
            pd.testing.assert_series_equal(given.astype(float), expected[column].astype(float), check_names=False, check_exact=True)
        for column in expected.select_dtypes(["object", "string"]):
            given = [tuple(row[column]) if isinstance(row[column], list) else row[column] for row in found[name]]
            assert [str(one) for one in given] == [str(None if pd.isna(one) is True else one) for one in expected[column]]


@pytest.mark.parametrize("verb", VERBS)
def test_files_hold_the_answer(call: Call, verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer, module, name = made(verb), *PLACE[verb]
    monkeypatch.setattr(module, name, lambda *given, **named: answer)
    expected = frame(verb, FRAMES[verb][0])
    for ending in ("json", "csv", "parquet"):
        file = tmp_path / f"answer.{ending}"
        done = call(*ASKED[verb], "-o", file)
        assert (done.code, done.err) == (0, f"written: {file}\n")
    table = pd.read_csv(tmp_path / "answer.csv")
    stored = pd.read_parquet(tmp_path / "answer.parquet")
    assert list(table.columns) == list(stored.columns) == list(expected.columns)
    for column in expected.select_dtypes("number"):
        for found in (table, stored):
            pd.testing.assert_series_equal(found[column], expected[column], check_dtype=False, check_exact=True)
    for column in ("label", "policy", "scenario"):
        if column in expected:
            assert table[column].tolist() == stored[column].tolist() == expected[column].tolist()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["answer.csv", "answer.json", "answer.parquet"]
    assert json.loads((tmp_path / "answer.json").read_text(encoding="utf-8")) == as_json(call, verb)


def cells(text: str, title: str) -> dict[str, list[str]]:
    """Return the cells of a table, by the first one."""
    lines = text[text.index(title) :].split("\n\n")[0].splitlines()[1:]
    rows = [re.split(r" {2,}", line.strip()) for line in lines]
    return {row[0]: row[1:] for row in rows}


def test_table_of_indices(call: Call) -> None:
    shown = cells(printed(call, "sensitivity").out, "Sobol indices of pac3:us_on_hand@2026-01-01 under us_first")
    row = frame("sensitivity", "indices").iloc[0]
    assert shown[row["label"]][:2] == [
        f"{row['total']:.3f} ({row['total_low']:.3f} to {row['total_high']:.3f})",
        f"{row['first']:.3f} ({row['first_low']:.3f} to {row['first_high']:.3f})",
    ]
    assert len([label for label in frame("sensitivity", "indices")["label"] if label in shown]) == answers.SHOWN
    bars = cells(printed(call, "sensitivity").out, "One at a time")
    bar = frame("sensitivity", "tornado").iloc[0]
    assert bars[bar["label"]] == [bar["unit"], *(f"{bar[name]:,.4g}" for name in ("low_value", "high_value")),
                                  *(rounds(bar[name]) for name in ("at_low", "at_high", "swing"))]


def test_table_of_a_curve(call: Call) -> None:
    shown = cells(printed(call, "breakeven").out, f"{CHANCE} under suspension_6_months")
    curve = frame("breakeven", "curve")
    assert shown["lever"] == ["0", "12"]
    for lever, rows in curve.groupby("lever"):
        assert shown[str(lever)] == [
            f"{share(row.probability)} ({share(row.low)} to {share(row.high)})" for row in rows.sort_values("over").itertuples()
        ]
    crossed = cells(printed(call, "breakeven").out, "Where it crosses 5.0 %")
    first = frame("breakeven", "crossings").iloc[0]
    assert crossed["0"][0].rstrip("?") == first["verdict"]


def test_table_of_rules_holds_those_not_outdone(call: Call) -> None:
    done = printed(call, "frontier")
    best = frame("frontier", "points").query("not dominated")
    assert f"Rules for pac3 that no other outdoes in both respects, {len(best)} of 4; level transfer_floor" in done.out
    rows = [re.split(r" {2,}", line.strip()) for line in done.out[done.out.index("Rules for") :].split("\n\n")[0].splitlines()[3:]]
    assert len(rows) == len(best)
    assert {tuple(row[:2]) for row in rows} == {(f"{row.trigger:g}", f"{row.release:g}") for row in best.itertuples()}


def test_table_of_regret(call: Call) -> None:
    done = printed(call, "robust")
    shown = cells(done.out, "Regret in pac3:total_unmet:ukraine, lower being better")
    regret = frame("robust", "regret").set_index(["policy", "scenario"])
    for policy in ("none", "us_first"):
        for place, scenario in enumerate(("july_2025", "ceasefire")):
            row = regret.loc[policy, scenario]
            expected = "best" if row["is_best"] else f"{rounds(row['regret'])} ({rounds(row['low'])} to {rounds(row['high'])})"
            assert shown[policy][place] == expected
    assert {"best"} < {cell for row in shown.values() for cell in row}
    assert "Share of the draws in %: pac3:total_unmet:ukraine <= 100" in done.out
    assert "Scenario july_2025, ceasefire, as known on 2025-07-09" in done.out


def test_table_of_boxes(call: Call) -> None:
    done = printed(call, "discover")
    first = frame("discover", "limits").iloc[0]
    assert "Boxes in which pac3:total_unmet:ukraine > 50 under none" in done.out
    assert first["label"] in done.out
    assert re.search(rf"^ +1 +{share(first['coverage'])} +{share(first['density'])} ", done.out, re.MULTILINE)


def test_too_close_to_call_stands_in_the_table_too(capsys: pytest.CaptureFixture[str]) -> None:
    answers.break_even(questions.break_even({None: [0.02, 0.08]}))
    assert re.search(r"^never\?$", capsys.readouterr().out, re.MULTILINE)
    answers.break_even(questions.break_even({None: [0.02, 0.03]}))
    assert re.search(r"^never$", capsys.readouterr().out, re.MULTILINE)


# ---------------------------------------------------------------- what is asked where nothing is said


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Take the place of the library, and keep what it was asked."""
    seen: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    high, low = (0.6, 0.5, 0.7), (0.2, 0.1, 0.3)
    stand_ins = {
        "sensitivity": questions.sensitivity([high, low]), "discover": questions.discovery(0, ()),
        "breakeven": questions.break_even({None: [0.0, 0.3]}),
        "frontier": questions.frontier([(0.1, 0.08, 0.12, 800.0, 780.0, 820.0)]), "robust": questions.robust([1.0, 9.0]),
    }
    for verb, answer in stand_ins.items():
        def instead(*given: Any, answer: Any = answer, **named: Any) -> Any:
            seen.append((given, named))
            return answer

        monkeypatch.setattr(*PLACE[verb], instead)
    return seen


@pytest.mark.parametrize(
    ("verb", "given", "named"),
    [
        ("sensitivity", ("pac3:minimum_after_as_of", "none"), {"start": 512, "most": 16384, "members": 1000}),
        ("discover", ("pac3:depth_below.transfer_floor > 0", "none"), {"vary": None, "members": 4000}),
        ("breakeven", ({LENGTH: "0:36:3"}, "pac3:below.transfer_floor@2027-07-01", "suspension_6_months"),
         {"level": 0.1, "over": None, "members": 2000}),
        ("frontier", ("pac3", "suspension_with_review"), {"level": None, "members": 1000}),
        (
            "robust",
            (
                {"pac3:depth_below.transfer_floor": "lower", "pac3:total_unmet:ukraine": "lower"},
                ("pac3:depth_below.transfer_floor <= 0",), None,
            ),
            {"members": 1000},
        ),
    ],
    ids=VERBS,
)
def test_defaults(call: Call, asked: list[Any], verb: str, given: tuple[Any, ...], named: dict[str, Any]) -> None:
    done = call(verb)
    assert (done.code, done.err) == (0, "")
    (((scenario, *rest), options),) = asked
    assert tuple(rest) == given
    assert callable(options.pop("progress"))
    assert options == named | {"seed": 1, "engine": None, "threads": None}
    names = [one.name for one in scenario] if verb == "robust" else [scenario.name]
    assert names[0] == "july_2025"
    assert len(names) == (4 if verb == "robust" else 1)


@pytest.mark.parametrize("verb", VERBS)
def test_common_options_reach_the_library(call: Call, asked: list[Any], verb: str) -> None:
    line = [verb, "july_2025", *(["ceasefire"] if verb == "robust" else []), *END, "--set", f"{SHARE}=0.3"]
    assert call(*line, "--seed", "7", "--members", "1e3", "--threads", "2", "--engine", "numpy").code == 0
    (((scenario, *_), options),) = asked
    assert {name: options[name] for name in ("seed", "members", "threads", "engine")} == {
        "seed": 7, "members": 1000, "threads": 2, "engine": "numpy"
    }
    every = scenario if verb == "robust" else [scenario]
    assert all(one.settings.end == questions.END for one in every)
    assert all(one.munitions["pac3"].us_share.points[-1].value == 0.3 for one in every)


def test_the_pause_that_is_moved_is_the_policys_own(call: Call, asked: list[Any]) -> None:
    assert call("breakeven", *END, "--policy", "suspension_indefinite").code == 0
    ((given, _),) = asked
    assert given[1] == {"policies.suspension_indefinite.suspensions.0.length": "0:36:3"}
    assert given[2] == "pac3:below.transfer_floor@2027-01-01"


@pytest.mark.parametrize("verb", VERBS)
def test_help(call: Call, verb: str) -> None:
    done = call(verb, "--help")
    assert done.code == 0
    for option in ("--json", "--params", "--seed", "--set", "--policy", "--output -o", "--members", "--threads", "--engine"):
        assert option in done.out, option


def test_help_lists_the_verbs(call: Call) -> None:
    shown = call("--help").out
    assert all(re.search(rf"^\S* *{verb} ", shown, re.MULTILINE) for verb in VERBS)


def test_names_of_the_package() -> None:
    assert sp.sensitivity is sensitivity.sensitivity
    assert sp.discover is discover.discover
    assert sp.break_even is break_even.break_even
    assert sp.frontier is frontier.frontier
    assert sp.robust is robust.robust


# ---------------------------------------------------------------- what they refuse


ALLOWED = "allowed: PATH=FROM:TO:STEP or PATH=a,b,c"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sensitivity", "--outcome", "pac3:minimun"], "unknown metric 'minimun' of 'us'; did you mean 'minimum'?"),
        (["sensitivity", "--outcome", "pac3"], "outcome: 'pac3'; allowed: MUNITION:METRIC"),
        (["sensitivity", "--outcome", "pac3:us_on_hand@2050-01"], "2050-01 is outside the run"),
        (["sensitivity", "--most", "600"], "--start, --most: 600; allowed: a power of 2"),
        (["sensitivity", "--start", "x"], "--start, --most: 'x'; allowed: a power of 2"),
        (["sensitivity", "--start", "1024", "--most", "512"], "--most: 512 is below 1024"),
        (["sensitivity", "--members", "ten"], "sensitivity: members: 'ten'; allowed: a whole number"),
        (["sensitivity", "--policy", "nono"], "unknown policy 'nono'; did you mean 'none'?"),
        (["discover", "--fails", "pac3:minimum"], "'pac3:minimum'; allowed: an outcome, one of"),
        (["discover", "--vary", "x"], f"--vary: 'x'; {ALLOWED}"),
        (["discover", "--vary", f"{SHARE}=0.5:0.2"], f"--vary: {SHARE}: '0.5:0.2' runs backwards"),
        (["discover", "--vary", "munitions.pac3.us_shar=0.2:0.3"], "there is no 'us_shar'; did you mean 'us_share'?"),
        (["discover", "--vary", f"{SHARE}=0.2:0.3", "--vary", f"{SHARE}=0.4:0.5"], f"--vary: {SHARE} comes twice"),
        (["breakeven", "--level", "1"], "--level: '1'; allowed: a probability between 0 and 1"),
        (["breakeven", "--level", "some"], "--level: 'some'; allowed: a probability between 0 and 1"),
        (["breakeven", "--chance", "pac3:minimum"], "--chance: 'pac3:minimum' is no probability; allowed: MUNITION:below.LEVEL"),
        (["breakeven", "--chance", "pac3:change_in.below.transfer_floor"], "is no probability"),
        (["breakeven", "--lever", f"{SHARE}=0.2:0.9"], f"--lever: {SHARE}: '0.2:0.9' has no step; {ALLOWED}"),
        (["breakeven", "--over", f"{LENGTH}=a"], f"--over: {LENGTH}: a: 'a' does not fit; allowed: a number"),
        (["breakeven", "--policy", "none"], "--lever: is missing, and 'none' has no pause"),
        (["breakeven", "--seed", "-1"], "breakeven: seed: -1; allowed: a whole number from 0 on"),
        (["frontier", "--munition", "pac4"], "unknown munition 'pac4'; did you mean 'pac3'?"),
        (["frontier", "--level", "flor"], "--munition, --level: unknown metric 'depth_below.flor'"),
        (["frontier", "--policy", "none"], "--policy: 'none' is no policy with a review; allowed: suspension_with_review, us_first"),
        (["frontier", "--shares", "0.5,1.5"], "--shares: '0.5,1.5'; allowed: numbers from 0 to 1"),
        (["frontier", "--triggers", "low"], "--triggers: 'low'; allowed: numbers from 0 on"),
        (["frontier", "--margins", "0.1:0.2"], "--margins: '0.1:0.2'; allowed: numbers from 0 on"),
        (["frontier", "--foresight", "few"], "--foresight: 'few'; allowed: a whole number from 0 on"),
        (["robust", "july_2025"], "two or more scenarios of different names"),
        (["robust", "july_2025", "ceasfire"], "unknown scenario 'ceasfire'; did you mean 'ceasefire'?"),
        (["robust", "--outcome", "pac3:total_unmet:ukraine"], "allowed: OUTCOME=lower or OUTCOME=higher"),
        (["robust", "july_2025", "ceasefire", "--outcome", "pac3:total_unmet:ukraine=low"], "'low'; did you mean 'lower'?"),
        (["robust", "july_2025", "ceasefire", "--condition", "pac3:minimum > 3"], "pac3:minimum > 3; allowed: <= or >="),
        *(([verb, "-o", "answer.xlsx"], "answer.xlsx: unknown ending '.xlsx'; allowed: .csv, .json, .parquet") for verb in VERBS),
        *(([verb, "-o", "/no/such/folder/a.csv"], "there is no folder /no/such/folder") for verb in VERBS),
        *(([verb, "july_2052"], "unknown scenario 'july_2052'; did you mean 'july_2025'?") for verb in VERBS),
        *(([verb, "--engine", "gpu"], f"{verb}: engine: unknown engine 'gpu'; allowed: compiled, numpy") for verb in VERBS),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_wrong_input_is_one_error(call: Call, arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = call(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert said in done.err
    assert len(done.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "starts"),
    [
        (["sensitivity", "--outcome", "pac3:minimun", "--members", "0", "--most", "600", "--policy", "nono"],
         ["--start, --most", "outcome", "policy", "sensitivity: members"]),
        (["discover", "--fails", "x", "--vary", "y", "--vary", "munitions.pac3.z=1:2", "--threads", "0"],
         ["--vary", "--vary: munitions.pac3.z", "condition", "discover: threads"]),
        (["breakeven", "--chance", "pac3:minimum", "--level", "2", "--lever", "x=1:2", "--over", "y=1", "--seed", "-1"],
         ["--chance", "--level", "--lever", "--over", "breakeven: seed"]),
        (["frontier", "--munition", "x", "--policy", "none", "--shares", "2", "--foresight", "-1", "--engine", "x"],
         ["--foresight", "--munition", "--policy", "--shares", "frontier: engine"]),
    ],
    ids=VERBS[:4],
)
def test_all_faults_come_together(call: Call, arguments: list[str], starts: list[str]) -> None:
    done = call(*arguments)
    assert done.code == 2
    lines = done.err.splitlines()
    assert len(lines) == len(starts)
    assert all(line.startswith(start) for line, start in zip(lines, starts, strict=True))


# ---------------------------------------------------------------- how far they are, and how they end


@pytest.mark.parametrize("verb", VERBS)
def test_bar_is_told_how_far_it_is(call: Call, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import contextmanager

    from stockpile.cli import progress

    seen: dict[str, list[int]] = {"total": [], "done": []}

    @contextmanager
    def bar(what: str, total: int, units: str = "members") -> Any:
        seen["total"].append(total)
        yield seen["done"].append

    monkeypatch.setattr(progress, "progress", bar)
    assert call(*ASKED[verb]).code == 0
    assert seen["done"] == sorted(seen["done"])
    last = {"sensitivity": made("sensitivity").manifest["runs"], "discover": 300, "breakeven": 10, "frontier": 60, "robust": 120}[verb]
    assert seen["done"][-1] == last
    assert seen["total"] == [0 if verb == "sensitivity" else last]


def test_most_runs_of_a_sensitivity_are_known_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    from stockpile.cli.questions import _lanes

    assert _lanes(SCENARIO, "pac3:us_on_hand@2026-01-01", "us_first", 512) == 0
    monkeypatch.setattr(sys, "stderr", type("Terminal", (), {"isatty": lambda self: True})())
    assert _lanes(SCENARIO, "pac3:us_on_hand@2026-01-01", "us_first", 512) == made("sensitivity").manifest["runs"]


@pytest.mark.parametrize("verb", VERBS)
def test_interrupt_ends_at_once_and_leaves_nothing_behind(verb: str, tmp_path: Path) -> None:
    """A run takes minutes on NumPy; the first block under way says that it has begun."""
    code = (
        "import pathlib, sys\n"
        "from stockpile.ensembles import numpy_engine\n"
        "engine = numpy_engine.NumpyEngine\n"
        "plain = engine.block\n"
        "def begun(self, first, count, **named):\n"
        "    if count > 1:\n"
        "        pathlib.Path('begun').touch()\n"
        "    return plain(self, first, count, **named)\n"
        "engine.block = begun\n"
        "from stockpile.cli import main\n"
        f"sys.exit(main({[verb, '--members', '90000', '--engine', 'numpy', '-o', 'answer.json']!r}))\n"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, start_new_session=True,
    )
    while not (tmp_path / "begun").exists():
        assert running.poll() is None, running.communicate()
        time.sleep(0.05)
    time.sleep(0.2)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert out == ""
    assert err == "interrupted\n"
    assert [file.name for file in tmp_path.iterdir()] == ["begun"]
