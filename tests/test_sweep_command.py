"""``stockpile sweep`` and ``sp.sweep``: what they take, say, refuse before any work, and how they end."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

import stockpile as sp
from stockpile.cli import main
from stockpile.cli import sweep as command

SHARE = "munitions.pac3.us_share"
LENGTH = "policies.suspension_6_months.suspensions.0.length"
CHOSEN = [
    "--set", "scenario.end=2026-01-01", "--policy", "none,suspension_6_months", "--members", "4", "--munition", "pac3", "--engine", "numpy",
]
METRICS = ["--metric", "minimum", "--metric", "total_sent"]


class Done(NamedTuple):
    code: int
    out: str
    err: str


Call = Callable[..., Done]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    def called(*arguments: str | Path) -> Done:
        code = main(["sweep", *(str(argument) for argument in arguments)])
        out, err = capsys.readouterr()
        return Done(code, out, err)

    return called


def test_a_sweep_in_one_command_and_its_folder(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    done = call("--vary", f"{SHARE}=0.2:0.6:0.2", "--vary", f"{LENGTH}=0,3", *CHOSEN, *METRICS, "-o", folder)
    assert (done.code, done.err) == (0, "")
    assert "6 of 6 points done" in done.out
    assert "complete" in done.out
    table = sp.open_sweep(folder).table()
    assert len(table) == 6 * 2 * 5  # minimum of the US; total_sent of the US and three recipients
    assert table[SHARE].drop_duplicates().tolist() == [0.2, 0.4, 0.6]
    assert table[LENGTH].iloc[:20].drop_duplicates().tolist() == [0, 3]
    assert table["policy"].drop_duplicates().tolist() == ["none", "suspension_6_months"]
    assert set(table["metric"]) == {"minimum", "total_sent"}
    scenario = sp.load("july_2025").override({"scenario.end": pd.Timestamp("2026-01-01").date(), SHARE: 0.4, LENGTH: 3})
    own = sp.ensemble(scenario, ["none", "suspension_6_months"], 4, engine="numpy").metrics(quantiles=[0.05, 0.95])
    for policy in ("none", "suspension_6_months"):
        row = table[(table["point"] == 3) & (table["policy"] == policy) & (table["metric"] == "minimum")].iloc[0]
        values = own[(own["policy"] == policy) & (own["metric"] == "minimum") & (own["munition"] == "pac3")]["value"].tolist()
        assert [row["q05"], row["q95"]] == pytest.approx(values, rel=1e-12)
    again = call("--status", folder, "--json")
    said = json.loads(again.out)
    assert said["status"]["complete"] is True
    assert said["manifest"]["members"] == 4


def test_the_library_does_the_same(tmp_path: Path, call: Call) -> None:
    call("--vary", f"{SHARE}=0.2:0.6:0.2", *CHOSEN, *METRICS, "-o", tmp_path / "sweep")
    scenario = sp.load("july_2025").override({"scenario.end": pd.Timestamp("2026-01-01").date()})
    told: list[int] = []
    found = sp.sweep(
        scenario, {SHARE: [0.2, 0.4, 0.6]}, policies=["none", "suspension_6_months"], members=4, munitions=["pac3"],
        metrics=["minimum", "total_sent"], progress=told.append,
    )
    pd.testing.assert_frame_equal(found.table(), sp.open_sweep(tmp_path / "sweep").table())
    assert (told[0], told[-1]) == (0, 3)
    assert repr(found) == "Sweep('july_2025', 3 points)"
    assert repr(sp.open_sweep(tmp_path / "sweep")) == f"Sweep('july_2025', 3 points in {tmp_path / 'sweep'})"


def test_one_at_a_time_has_the_scenario_as_it_is(tmp_path: Path, call: Call) -> None:
    vary = ["--vary", f"{SHARE}=0.2,0.6", "--vary", "scenario.end=2025-12-01", "--design", "one_at_a_time"]
    assert call(*vary, *CHOSEN, *METRICS, "-o", tmp_path / "sweep").code == 0
    table = sp.open_sweep(tmp_path / "sweep").table()
    table = table[(table["metric"] == "minimum") & (table["policy"] == "none")].set_index("point")
    assert table[SHARE].isna().tolist() == [True, False, False, True]
    assert table["scenario.end"].isna().tolist() == [True, True, True, False]
    assert table.loc[3, "scenario.end"] == pd.Timestamp("2025-12-01")
    scenario = sp.load("july_2025").override({"scenario.end": pd.Timestamp("2026-01-01").date()})
    own = sp.ensemble(scenario, ["none"], 4, engine="numpy").metrics(quantiles=[0.5])
    own = own[(own["metric"] == "minimum") & (own["munition"] == "pac3")]
    assert table.loc[0, "q50"] == pytest.approx(own["value"].iloc[0], rel=1e-12)


def test_a_design_file_and_what_is_said_beside_it(tmp_path: Path, call: Call) -> None:
    file = tmp_path / "design.toml"
    file.write_text(
        f'scenario = "july_2025"\ndesign = "sobol"\npoints = 4\nseed = 7\nmembers = 3\npolicies = ["none"]\n'
        f'metrics = ["minimum"]\nmunitions = ["pac3"]\n[vary]\n"{SHARE}" = "0.2:0.6"\n'
    )
    assert call("--from", file, "--members", "2", "-o", tmp_path / "a").code == 0
    said = sp.open_sweep(tmp_path / "a").manifest
    assert (said["members"], said["seed"], said["policies"], said["points"]) == (2, 7, ["none"], 4)
    assert said["what"]["kind"] == "sobol"
    assert call("--vary", f"{SHARE}=0.2:0.6", "--design", "sobol", "--points", "4", "--seed", "7", "--members", "2", "--policy", "none",
                "--metric", "minimum", "--munition", "pac3", "-o", tmp_path / "a").code == 0
    file.write_text(f'members = 3\n[vary]\n"{SHARE[:-1]}" = [0.2, 0.3]\n{LENGTH} = [-1]\n')
    done = call("--from", file, "-o", tmp_path / "b")
    assert done.code == 2
    places = [line.split(": ")[0] for line in done.err.splitlines()]
    assert set(places) == {f"{file}:3:1", f"{file}:4:{LENGTH.rindex('.') + 2}"}
    assert not (tmp_path / "b").exists()


def test_a_table_of_points(tmp_path: Path, call: Call) -> None:
    (tmp_path / "points.csv").write_text(f"{SHARE},{LENGTH}\n0.3,\n,4\n0.5,1\n")
    assert call("--table", tmp_path / "points.csv", *CHOSEN, *METRICS, "-o", tmp_path / "sweep").code == 0
    design = sp.open_sweep(tmp_path / "sweep").design()
    assert design["point"].tolist() == [0, 1, 2]
    assert design[LENGTH].isna().tolist() == [True, False, False]
    done = call("--table", tmp_path / "points.csv", "--points", "4", *CHOSEN, "-o", tmp_path / "other")
    assert (done.code, "--points: stands beside --table" in done.err) == (2, True)


def test_dry_run_says_what_it_takes_and_writes_nothing(tmp_path: Path, call: Call) -> None:
    folder = tmp_path / "sweep"
    vary = ["--vary", f"{SHARE}=0.2:0.6:0.1"]
    done = call(*vary, *CHOSEN, *METRICS, "--dry-run", "-o", folder)
    assert done.code == 0
    assert re.search(r"points +5\n", done.out)
    assert re.search(r"runs +40 \(points x members x policies x munitions\)", done.out)
    assert re.search(r"rows +50\n", done.out)
    assert re.search(r"time +about .* left on this machine, at [\d,]+ runs a second", done.out)
    assert re.search(r"disk +about [\d.,]+ (bytes|kB)", done.out)
    assert not folder.exists()
    call(*vary, *CHOSEN, *METRICS, "-o", folder)
    said = json.loads(call(*vary, *CHOSEN, *METRICS, "--dry-run", "--json", "-o", folder).out)
    size = sp.open_sweep(folder).status().size
    assert (said["points"], said["points_done"], said["runs"], said["rows"], said["seconds"]) == (5, 5, 40, 50, None)
    assert json.loads(call(*vary, *CHOSEN, *METRICS, "--dry-run", "--json").out)["size"] == size


# ---------------------------------------------------------------- refused before any work


@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        ([], ["vary: no path is varied"]),
        (["--vary", "nothing"], ["--vary: 'nothing' varies nothing"]),
        (["--vary", "=1:2:1"], ["varies nothing"]),
        (["--vary", f"{SHARE}=0.2", "--vary", f"{SHARE}=0.3"], [f"--vary: {SHARE}: is varied twice"]),
        (["--vary", f"{SHARE}=0.2,0.3", "--vary", "munitions.*.us_share=0.3"], ["reaches the same value as"]),
        (["--vary", "munitions.pac3.us_shar=0.2"], ["did you mean 'us_share'?"]),
        (["--vary", f"{SHARE}=0.2:1.2:0.5"], [f"vary: {SHARE}: 1.2"]),
        (["--vary", f"{SHARE}=0.6:0.2:0.1"], ["runs backwards"]),
        (["--vary", f"{SHARE}=0.2:0.6"], ["is a range without a step"]),
        (["--vary", f"{SHARE}=a,b"], ["is not a number"]),
        (["--vary", f"{LENGTH}=-1:3:1"], [f"vary: {LENGTH}: -1"]),
        (["--vary", "policies.suspension_6_months.suspensions.0.end=2025-06-01"], ["is not after start"]),
        (["--vary", "policies.none.transfer_floor=quarter,flor"], ["'flor' is no floor"]),
        (["--vary", f"{SHARE}=0.3", "--design", "gird"], ["did you mean 'grid'?"]),
        (["--vary", f"{SHARE}=0.2:0.3", "--design", "lhs"], ["points: None for lhs"]),
        (["--vary", f"{SHARE}=0.2:0.3", "--design", "lhs", "--points", "many"], ["points: 'many' for lhs"]),
        (["--vary", f"{SHARE}=0.3", "--members", "0"], ["members: 0"]),
        (["--vary", f"{SHARE}=0.3", "--members", "1e9"], ["1000000000"]),
        (["--vary", f"{SHARE}=0.3", "--sampler", "sobl"], ["did you mean 'sobol'?"]),
        (["--vary", f"{SHARE}=0.3", "--values", "centre"], ["values: unknown 'centre'"]),
        (["--vary", f"{SHARE}=0.3", "--policy", "non"], ["did you mean 'none'?"]),
        (["--vary", f"{SHARE}=0.3", "--metric", "minimun"], ["did you mean 'minimum'?"]),
        (["--vary", f"{SHARE}=0.3", "--munition", "pac"], ["did you mean 'pac3'?"]),
        (["--vary", f"{SHARE}=0.3", "--executor", "thread"], ["did you mean 'threads'?"]),
        (["--vary", f"{SHARE}=0.3", "--workers", "0"], ["workers: 0"]),
        (["--vary", f"{SHARE}=0.3", "--scheduler", "tcp://a:1", "--executor", "threads"], ["scheduler: does not go with threads"]),
        (["--vary", f"{SHARE}=0.3", "--scheduler", "tcp://a:1", "--workers", "2"], ["workers: stand beside a scheduler"]),
        (["--table", "none.csv"], ["none.csv: cannot be read"]),
        (["--from", "none.toml"], ["none.toml: cannot be read"]),
        (
            ["--vary", f"{SHARE}=3:1:1", "--metric", "minimun", "--policy", "non", "--members", "0", "--executor", "thread"],
            ["runs backwards", "'minimum'", "'none'", "members: 0", "'threads'"],
        ),
    ],
)
def test_bad_input_is_refused_all_at_once_before_any_work(call: Call, tmp_path: Path, arguments: list[str], messages: list[str]) -> None:
    done = call(*arguments, "-o", tmp_path / "sweep")
    assert done.code == 2
    assert done.out == ""
    assert "Traceback" not in done.err
    for message in messages:
        assert message in done.err
    assert all("allowed: " in line for line in done.err.splitlines())
    assert list(tmp_path.iterdir()) == []


def test_a_rule_of_the_users_own_is_refused(call: Call, tmp_path: Path) -> None:
    (tmp_path / "params" / "policies").mkdir(parents=True)
    levels = 'transfer_floor = "transfer_floor"\nreview_level = "review_level"\n'
    text = f'title = "Mine"\ndescription = "Mine."\n{levels}[allocation]\nuse = "json:JSONEncoder"\n'
    (tmp_path / "params" / "policies" / "mine.toml").write_text(text)
    done = call("--params", tmp_path / "params", "--policy", "mine", "--vary", f"{SHARE}=0.3", "-o", tmp_path / "sweep")
    assert done.code == 2
    assert "policies.mine.allocation.use" in done.err


def test_where_to_is_asked_for(call: Call) -> None:
    done = call("--vary", f"{SHARE}=0.3")
    assert (done.code, done.err) == (2, "--output: is missing; allowed: the folder to write to, or --dry-run\n")


def test_folders_that_cannot_be_written_to(call: Call, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = call("--vary", f"{SHARE}=0.3", *CHOSEN, "-o", tmp_path / "file" / "sweep")
    assert done.code == 2
    assert len(done.err.splitlines()) == 1
    assert "is not a folder" in done.err
    call("--vary", f"{SHARE}=0.3", *CHOSEN, *METRICS, "-o", tmp_path / "sweep")
    done = call("--vary", f"{SHARE}=0.4", *CHOSEN, *METRICS, "-o", tmp_path / "sweep")
    assert done.code == 2
    what = r"design was grid of 1 points over .* \(1 values: 0\.3 to 0\.3\), now grid of 1 points over .* \(1 values: 0\.4 to 0\.4\)"
    assert re.fullmatch(rf".*/sweep: was made by another sweep: {what}; allowed: .*\n", done.err)
    done = call("--status", tmp_path / "none")
    assert (done.code, "is not there" in done.err) == (2, True)


def test_a_full_disk_ends_with_one_line(tmp_path: Path) -> None:
    code = (
        "import resource, sys\n"
        "from stockpile.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2500, 2500))\n"
        f"sys.exit(main(['sweep', '--vary', '{SHARE}=0.2:0.6:0.1', *{[*CHOSEN, *METRICS]!r}, '-o', {str(tmp_path / 'sweep')!r}]))\n"
    )
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2, done.stderr
    assert re.fullmatch(r".*: cannot be written: File too large; what is there is whole; allowed: .*\n", done.stderr)
    assert not list((tmp_path / "sweep").rglob("*.tmp")) and not list((tmp_path / "sweep").rglob("part-*"))


# ---------------------------------------------------------------- interrupted


@pytest.mark.parametrize("executor", ["threads", "processes", "dask"])
def test_ctrl_c_says_how_to_go_on_and_the_same_command_does(tmp_path: Path, executor: str) -> None:
    """The whole group of processes is interrupted, as a terminal does."""
    folder = tmp_path / "sweep"
    line = [
        sys.executable, "-m", "stockpile.cli", "sweep", "--vary", f"{SHARE}=0.1:0.9:0.02", *CHOSEN[:-2], *METRICS, "--engine", "reference",
        "--values", "central", "--workers", "2", "-o", str(folder),
    ]
    by = ["--executor", executor]
    running = subprocess.Popen([*line, *by], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not list((folder / "shards").glob("part-*")) if folder.exists() else True:
        assert running.poll() is None, running.communicate()
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (130, "")
    assert re.fullmatch(r"(\d+) of 41 points are done and kept in .*/sweep; the same command goes on from there\ninterrupted\n", err), err
    there = len(list((folder / "shards").iterdir()))
    assert 0 < there < 11
    assert not list(folder.glob(".*"))
    done = subprocess.run([*line, "--executor", "threads", "--json"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["status"]["points_done"] == 41


# ---------------------------------------------------------------- on a terminal


def test_bar_counts_runs_and_leaves_out_those_done_before(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    from stockpile.cli import progress

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setenv("COLUMNS", "120")
    with progress.progress("Sweeping", 5000, "runs") as told:
        for _ in range(40):
            told(4000, 4000)
            time.sleep(0.02)
        early = sys.stderr.getvalue()  # type: ignore[attr-defined]
        for _ in range(20):
            told(4500, 4000)
            time.sleep(0.02)
    shown = sys.stderr.getvalue()  # type: ignore[attr-defined]
    assert "4,000 of 5,000 runs" in early
    assert "a second" not in early
    rates = [int(rate.replace(",", "")) for rate in re.findall(r"([\d,]+) a second", shown)]
    assert rates and max(rates) < 1000


@pytest.mark.parametrize(("size", "text"), [(12, "12 bytes"), (1500, "1.5 kB"), (2_340_000, "2.3 MB"), (10**11, "100.0 GB")])
def test_sizes(size: int, text: str) -> None:
    assert command._size(size) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "1 second"), (59, "59 seconds"), (600, "10 minutes"), (7200, "2.0 hours")])
def test_times(seconds: float, text: str) -> None:
    assert command._time(seconds) == text


def test_help_is_quick_and_loads_no_engine() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from stockpile.cli import main; main(['sweep', '--help']); "
         "print(sorted({name.split('.')[0] for name in sys.modules} & {'pandas', 'scipy', 'pyarrow', 'distributed', 'dask'}))"],
        capture_output=True, text=True, check=True,
    )
    assert done.stdout.rstrip().endswith("[]")
    assert "--vary" in done.stdout


def test_the_command_itself_killed_at_random_instants_ends_with_the_same_bytes(tmp_path: Path) -> None:
    # With the model, and dates that make a scenario and a shard each; how shards are stored is tried harder in test_sweep_folder.
    dates = "munitions.pac3.line.parts.missile.plans.rate_650.by=2026-01-01:2027-12-01:1month"
    words = [sys.executable, "-m", "stockpile.cli", "sweep", "--vary", dates, "--policy", "none", "--members", "40", "--munition", "pac3"]

    def begin(folder: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*words, "-o", folder], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    assert begin("unbroken").wait(timeout=120) == 0
    chance, seen = random.Random(7), set()
    for _ in range(8):
        before = len(list((tmp_path / "broken" / "shards").glob("part-*.parquet"))) if (tmp_path / "broken").is_dir() else 0
        running = begin("broken")
        deadline = time.monotonic() + 60
        # Killed at some instant after a shard or two more are there, or before any where there is none yet.
        wanted = before + chance.randint(0, 2)
        while running.poll() is None and time.monotonic() < deadline:
            if len(list((tmp_path / "broken" / "shards").glob("part-*.parquet"))) >= wanted:
                break
            time.sleep(0.005)
        time.sleep(chance.uniform(0.0, 0.3))
        running.kill()
        assert running.wait(timeout=60) in (0, -signal.SIGKILL)
        seen.add(before)
    assert begin("broken").wait(timeout=120) == 0
    found, wanted_ = (
        {file.relative_to(tmp_path / name).as_posix(): file.read_bytes() for file in (tmp_path / name).rglob("*") if file.is_file()}
        for name in ("broken", "unbroken")
    )
    assert found == wanted_
    assert len(seen) > 2, "the kills came at no different moments"
