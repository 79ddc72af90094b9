"""``stockpile ensemble``: what it prints and writes, what it refuses, and how it ends."""

from __future__ import annotations

import datetime as dt
import functools
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import Call
from scipy import stats

import stockpile as sp
from stockpile import compiler
from stockpile.analysis.outlook import verdict
from stockpile.cli import main, progress
from stockpile.cli.options import whole
from stockpile.cli.output import rounds, share

END = ["--set", "scenario.end=2027-01-01"]
POLICIES = ["none", "suspension_2025_07", "us_first"]
CHOSEN = [*END, "--policy", ",".join(POLICIES), "--members", "60", "--engine", "numpy"]
DATES = ["--by", "2026-01", "--by", "2027-01-01", "--date", "2026-07-01"]
SCENARIO = sp.load("july_2025").override({"scenario.end": dt.date(2027, 1, 1)})
ENSEMBLE = sp.ensemble(SCENARIO, POLICIES, 60, dates=["2026-07-01"], engine="numpy")
METRICS = ENSEMBLE.metrics().set_index(["policy", "munition", "recipient", "metric"])["value"]


@pytest.fixture
def call(call: Call) -> Call:
    """Call ``stockpile ensemble``."""
    return functools.partial(call, "ensemble")


def values(policy: str, munition: str, metric: str, recipient: str = "us") -> np.ndarray:
    """Return one number a member."""
    return METRICS.loc[policy, munition, recipient, metric].to_numpy()


def table(text: str, title: str) -> dict[str, list[str]]:
    """Return the cells of a table, by policy."""
    block = text[text.index(title) :].split("\n\n")[0].splitlines()
    found = [re.split(r" {2,}", line) for line in block[3:]]
    return {cells[0]: cells[1:] for cells in found}


def beyond(munition: str, policy: str, date: str) -> str:
    """Return in how many draws the stock has been below the floor by a date, worked out from the first dates of all members."""
    first = values(policy, munition, "first_below.transfer_floor")
    return f"{(first <= ENSEMBLE.index(date)).sum()} of 60"


def interval(found: np.ndarray) -> tuple[float, float]:
    middle, error = found.mean(), found.std(ddof=1) / np.sqrt(len(found))
    half = stats.t.ppf(0.975, len(found) - 1) * error
    return middle - half, middle + half


# ---------------------------------------------------------------- what it prints


def test_outlook_is_what_the_members_say(call: Call) -> None:
    done = call(*CHOSEN, *DATES)
    assert done.code == 0
    assert done.err == ""
    for munition, item in SCENARIO.munitions.items():
        shown = table(done.out, f"{item.title}: US stock")
        assert list(shown) == POLICIES
        for policy in POLICIES:
            cells = shown[policy]
            assert cells[0] == beyond(munition, policy, "2026-01-01")
            assert cells[2] == beyond(munition, policy, "2027-01-01")
            for place, metric in ((4, "minimum_after_as_of"), (6, "stock_at.52"), (8, "stock_at_end")):
                low, middle, high = np.quantile(values(policy, munition, metric), [0.05, 0.5, 0.95])
                assert cells[place] == rounds(middle)
                assert cells[place + 1] == f"{rounds(low)} to {rounds(high)}"
    hits = {table(done.out, item.title)["none"][2] for item in SCENARIO.munitions.values()}
    assert "0 of 60" in hits
    assert len(hits) > 1


def test_probability_has_its_interval(call: Call) -> None:
    cells = table(call(*CHOSEN, "--by", "2027-01").out, "155 mm")["none"]
    one = ENSEMBLE.chance_below("transfer_floor", by="2027-01", policy="none", munition="shell_155mm")
    assert 0 < one.low < one.value < one.high < 1
    assert cells[:2] == [f"{one.hits} of 60", f"{share(one.value)} ({share(one.low)} to {share(one.high)})"]


def test_changes_are_paired_and_too_close_to_call_where_their_interval_spans_zero(call: Call) -> None:
    done = call(*CHOSEN, *DATES)
    seen = set()
    for munition, item in SCENARIO.munitions.items():
        shown = table(done.out, f"{item.title}: mean change against none on the same draws")
        assert list(shown) == POLICIES[1:]
        for policy in POLICIES[1:]:
            wanted = [("us", "minimum_after_as_of"), ("us", "stock_at.52"), ("us", "stock_at_end")]
            wanted += [(who, "total_unmet") for who in SCENARIO.recipients]
            for cell, (who, metric) in zip(shown[policy], wanted, strict=True):
                change = values(policy, munition, metric, who) - values("none", munition, metric, who)
                low, high = interval(change)
                brackets = f"({rounds(low, sign=True)} to {rounds(high, sign=True)})"
                if np.abs(change).max() < 1e-6:
                    assert cell == "0"
                elif low <= 0 <= high:
                    assert cell == f"too close to call {brackets}"
                else:
                    assert cell == f"{rounds(change.mean(), sign=True)} {brackets}"
                seen.add("0" if cell == "0" else cell[0])
    assert seen == {"0", "t", "+"}


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(1, 2, "up"), (-2, -1, "down"), (-1, 2, "too close to call"), (0, 1, "too close to call"), (-1e-9, 1e-12, "no change")],
)
def test_verdict(low: float, high: float, said: str) -> None:
    assert verdict(low, high) == said


def test_last_line_says_what_was_drawn(call: Call) -> None:
    done = call(*CHOSEN, "--seed", "7", "--sampler", "sobol")
    last = done.out.splitlines()[-1]
    drawn = ENSEMBLE.manifest["drawn"]
    assert f"; 60 draws of {drawn} numbers, seed 7, sampler sobol, engine numpy; parameters {SCENARIO.digest[:12]}; " in last
    assert "with sobol the error is as a rule smaller" in done.out
    assert "as a rule" not in call(*CHOSEN).out
    assert "will" not in done.out.split()


def test_without_none_nothing_is_compared(call: Call) -> None:
    done = call(*END, "--policy", "us_first", "--members", "20", "--engine", "numpy")
    assert "Changes are measured from none, which is not among the policies." in done.out
    assert "mean change" not in done.out


def test_one_draw_decides_nothing(call: Call) -> None:
    done = call(*END, "--policy", "none,us_first", "--members", "1", "--engine", "numpy")
    assert done.code == 0
    assert table(done.out, "PAC-3 interceptors: mean change")["us_first"][0] == "too close to call (-inf to +inf)"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (1.0, "100"), (0.095, "9.5"), (0.855, "86"), (0.031, "3.1"), (0.9987, "99.87"), (0.00042, "0.042"), (0.5, "50")],
)
def test_share_as_printed(value: float, shown: str) -> None:
    assert share(value) == shown


# ---------------------------------------------------------------- JSON and files


def test_json_has_everything(call: Call) -> None:
    found = call(*CHOSEN, *DATES, "--json").json
    assert found["manifest"] == ENSEMBLE.manifest
    row = next(row for row in found["overview"] if (row["policy"], row["munition"]) == ("us_first", "shell_155mm"))
    assert [one["by"] for one in row["below_floor"]] == ["2026-01-01", "2027-01-01"]
    assert row["stock_at"][0]["q50"] == np.quantile(values("us_first", "shell_155mm", "stock_at.52"), 0.5)
    assert row["floor_level"] == ENSEMBLE.central.levels["shell_155mm"]["transfer_floor"][0]
    levels = {name for names in ENSEMBLE.level_names.values() for name in names}
    assert {one["level"] for one in found["probabilities"]} == levels
    assert {one["by"] for one in found["probabilities"]} == {"2026-01-01", "2027-01-01"}
    assert len(found["differences"]) == len(ENSEMBLE.differences())
    metrics = {(one["policy"], one["munition"], one["recipient"], one["metric"]): one for one in found["metrics"]}
    assert len(metrics) == len(ENSEMBLE.keys)
    one = metrics["none", "aim120", "ukraine", "total_unmet"]
    assert one["mean"] == pytest.approx(values("none", "aim120", "total_unmet", "ukraine").mean())
    assert one["quantile_error"] == 0
    assert metrics["none", "pac3", "us", "months_to_rebuild.requirement"]["q50"] == "Infinity"
    assert {one["date"] for one in found["bands"]} == {"2026-07-01"}
    assert {one["quantity"] for one in found["bands"]} == {"us_on_hand", "unmet"}
    bands = {tuple(one[name] for name in ("policy", "munition", "recipient", "quantity", "quantile")): one for one in found["bands"]}
    band = bands["none", "pac3", "us", "us_on_hand", 0.5]
    assert band["value"] == np.quantile(values("none", "pac3", "stock_at.52"), 0.5)


def test_ensemble_is_saved_whole(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "draws.parquet"
    done = call(*CHOSEN, *DATES, "-o", file)
    assert done.code == 0
    assert done.err == f"written: {file}\n"
    assert file.read_bytes() == ENSEMBLE.save(tmp_path / "same.parquet").read_bytes()
    assert isinstance(sp.open(file), sp.Ensemble)


def test_quantiles_as_csv_and_json(call: Call, tmp_path: Path) -> None:
    expected = ENSEMBLE.quantiles()
    assert call(*CHOSEN, "-o", tmp_path / "bands.csv").code == 0
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "bands.csv", parse_dates=["date"]), expected, check_dtype=False)
    assert call(*CHOSEN, "-o", tmp_path / "bands.json").code == 0
    found = json.loads((tmp_path / "bands.json").read_text(encoding="utf-8"))
    assert found["manifest"]["parameters"] == SCENARIO.digest
    assert [row["value"] for row in found["table"]] == expected["value"].tolist()
    assert {row["metric"] for row in found["metrics"]} > {"minimum", "change_in.minimum", "first_below.transfer_floor"}


def test_quantities_are_those_asked_for(call: Call) -> None:
    few = [*END, "--policy", "none", "--members", "5", "--engine", "numpy", "--date", "2026-01", "--json"]
    chosen = call(*few, "--quantity", "sent", "--quantity", "deferred,own_use").json["bands"]
    assert list(dict.fromkeys(row["quantity"] for row in chosen)) == ["sent", "deferred", "own_use"]
    everything = {row["quantity"] for row in call(*few, "--quantity", "all").json["bands"]}
    assert len(everything) > 30
    assert {"lots", "history_shortfall", "unpromised"} <= everything


def test_seed_and_sampler_move_numbers_and_threads_do_not(call: Call) -> None:
    few = [*END, "--policy", "none", "--members", "50", "--engine", "numpy", "--json"]
    plain = call(*few).json["overview"]
    assert call(*few, "--seed", "1", "--threads", "1").json["overview"] == plain
    for other in (["--seed", "2"], ["--sampler", "lhs"], ["--sampler", "sobol"]):
        assert call(*few, *other).json["overview"] != plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1000", 1000), ("1e3", 1000), ("10,000", 10000), ("1_000", 1000), ("0", 0), ("ten", "ten"), ("1.5", "1.5"), ("inf", "inf"),
        ("", ""),
    ],
)
def test_whole_numbers(text: str, value: int | str) -> None:
    assert whole(text) == value


# ---------------------------------------------------------------- what it refuses


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--members", "0"], "ensemble: members: 0; allowed: a whole number from 1 on"),
        (["--members", "ten"], "ensemble: members: 'ten'; allowed: a whole number from 1 on"),
        (["--members", "1.5"], "ensemble: members: '1.5'; allowed: a whole number from 1 on"),
        (["--threads", "0"], "ensemble: threads: 0; allowed: a whole number from 1 on"),
        (["--seed", "-1"], "ensemble: seed: -1; allowed: a whole number from 0 on"),
        (["--sampler", "sobl"], "ensemble: sampler: unknown sampler 'sobl'; did you mean 'sobol'? allowed: lhs, random, sobol"),
        (["--engine", "gpu"], "ensemble: engine: unknown engine 'gpu'; allowed: compiled, numpy"),
        (["--quantity", "us_hand"], "ensemble: quantities: 'us_hand' is no stock and no flow; did you mean 'us_on_hand'?"),
        (["--quantity", "all,sent"], "ensemble: quantities: 'all' is no stock and no flow"),
        (["--quantity", "sent,"], "--quantity: 'sent,' has a quantity without a name; allowed: names separated by commas"),
        (["--date", "2050-01"], "ensemble: dates: 2050-01 is outside the run; allowed: 2022-03-01 to 2033-01-01"),
        (["--date", "soon"], "ensemble: dates: 'soon' is not a date; allowed: a day such as 2033-01-01 or a month such as 2033-01"),
        (["--by", "2021-12-31"], "ensemble: by: 2021-12-31 is outside the run"),
        (["--policy", "nono"], "policy: nono: unknown policy 'nono'; did you mean 'none'?"),
        (["--set", "scenario.method=ode"], "ensemble: method: 'ode' runs one member at a time; allowed: difference"),
        (["--set", "munitions.pac3.us_shar=0.5"], "did you mean 'us_share'?"),
        (["-o", "draws.xlsx"], "draws.xlsx: unknown ending '.xlsx'; allowed: .csv, .json, .parquet"),
        (["-o", "/no/such/folder/draws.parquet"], "there is no folder /no/such/folder"),
        (["july_2052"], "unknown scenario 'july_2052'; did you mean 'july_2025'?"),
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


def test_all_faults_come_together(call: Call) -> None:
    wrong = ["--members", "0", "--sampler", "sobl", "--engine", "gpu", "--quantity", "us_hand"]
    done = call(*wrong, "--date", "2050", "--by", "x", "--policy", "no")
    assert done.code == 2
    starts = ["by:", "dates:", "engine:", "members:", "quantities:", "sampler:", "no:"]
    assert [line.split(" ")[1] for line in done.err.splitlines()] == starts


def test_library_refuses_all_faults_together_too() -> None:
    with pytest.raises(sp.InputError) as caught:
        sp.ensemble(SCENARIO, ["no"], True, -1, "sobl", quantities=["all"], dates=["soon"], engine="gpu", threads=0)  # type: ignore[arg-type]
    assert [problem.key for problem in caught.value.problems] == [
        "dates", "engine", "members", "quantities", "sampler", "seed", "threads", "no",
    ]


# ---------------------------------------------------------------- how far it is, and how it ends


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bar_shows_rate_and_time_left_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setenv("COLUMNS", "100")
    with progress.progress("Drawing", 5000) as told:
        for _ in range(50):
            told(2500)
            time.sleep(0.02)
    shown = sys.stderr.getvalue()  # type: ignore[attr-defined]
    assert "2,500 of 5,000 members" in shown
    assert re.search(r"[\d,]+ a second, 0:\d\d left", shown)


def test_no_bar_for_a_short_run_and_none_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, patience in ((Terminal(), 60.0), (io.StringIO(), 0.0)):
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setattr(progress, "PATIENCE", patience)
        with progress.progress("Drawing", 5000) as told:
            told(2500)
            time.sleep(0.05)
        assert stream.getvalue() == ""


def test_pace() -> None:
    assert progress.pace(0, 1000, 2.0) == ""
    assert progress.pace(250, 1000, 2.0) == "125 a second, 0:06 left"
    assert progress.pace(1000, 1_000_000, 1.0) == "1,000 a second, 16:39 left"


def test_bar_is_told_how_many_members_are_done() -> None:
    told: list[int] = []
    sp.ensemble(SCENARIO, ["none"], 30, engine="numpy", progress=told.append)
    assert told == [30]


def test_interrupt_ends_at_once_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """A chunk of members takes many seconds on NumPy; the first one under way says that it has begun."""
    code = (
        "import pathlib, sys, threading\n"
        "from stockpile.ensembles import numpy_engine, run\n"
        "run.PILOT, engine = 8, numpy_engine.NumpyEngine\n"
        "plain = engine._run\n"
        "def begun(*given):\n"
        "    if threading.current_thread() is not threading.main_thread():\n"
        "        pathlib.Path('begun').touch()\n"
        "    return plain(*given)\n"
        "engine._run = begun\n"
        "from stockpile.cli import main\n"
        "sys.exit(main(['ensemble', '--members', '50000', '--engine', 'numpy', '-o', 'draws.parquet']))\n"
    )
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    running = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment,
        start_new_session=True,
    )
    while not (tmp_path / "begun").exists():
        assert running.poll() is None, running.communicate()
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    start = time.monotonic()
    out, err = running.communicate(timeout=60)
    assert time.monotonic() - start < 8
    assert running.returncode == 130
    assert out == ""
    assert err == "interrupted\n"
    assert [file.name for file in tmp_path.iterdir()] == ["begun"]


# ---------------------------------------------------------------- doctor


def test_doctor_tells_whether_code_can_be_compiled(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STOCKPILE_CACHE", str(tmp_path))
    monkeypatch.setattr(compiler, "available", lambda: True)
    assert main(["doctor"]) == 0
    assert re.search(rf"^compiled code: can be used.*; kept in {tmp_path}$", capsys.readouterr().out, re.MULTILINE)
    monkeypatch.setattr(compiler, "available", lambda: False)
    assert main(["doctor"]) == 0
    assert "\ncompiled code: cannot be used, llvmlite is not installed" in capsys.readouterr().out
    assert main(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["compiled"] == {"available": False, "folder": str(tmp_path), "state": None}
