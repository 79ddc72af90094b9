import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks import blocks, instructions, kernel, loop, members, numpy_engine, run, sweeps, text  # noqa: E402
from benchmarks.case import LANES, build, summary_names  # noqa: E402
from benchmarks.instructions import Line  # noqa: E402

KERNELS = ("kernel, 1 thread", "kernel, 2 threads")
# The C loop is part of this where there is a C compiler; the rest needs none.
LOOPS = tuple(f"C {kind}, {knowing}" for kind in ("same rounding", "free") for knowing in run.KNOWING.values()) if loop.compiler() else ()


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(run, "CHECKED", ("suspension_with_review",))
    monkeypatch.setattr(run, "WEIGHTED", run.WEIGHTED[1:])


@pytest.mark.usefixtures("few")
class TestTheCheck:
    def test_every_engine_agrees_with_numpy(self):
        off = run.check(blocks=1)
        assert set(off) == {*KERNELS, *LOOPS}
        assert {name: value for name, value in off.items() if " free" not in name and value} == {}
        assert all(value < 1e-12 for value in off.values())

    def test_one_wrong_number_stops_everything(self, monkeypatch, capsys):
        right = kernel.Kernel.into

        def wrong(self, out):
            right(self, out)
            out[2][5, 7] += 1e-9

        monkeypatch.setattr(kernel.Kernel, "into", wrong)
        monkeypatch.setattr(run.loop, "compiler", lambda: None)
        monkeypatch.setattr(run.Peers, "differences", lambda self: {})
        assert run.main(["--check"]) == 1
        assert "NOT ALL AGREE: nothing was measured." in capsys.readouterr().out

    @pytest.mark.parametrize(("wanted", "found"), [([1.0, np.inf], [1.0, 3.0]), ([1.0, 3.0], [1.0, np.inf])])
    def test_never_is_no_date(self, wanted, found):
        assert run._difference(np.array([found]), np.array([wanted]), relative=True) == np.inf


def test_the_case_gives_every_member_its_own_numbers():
    case = build(policy="none", blocks=1, repeats=1)
    assert [munition.name for munition in case.munitions] == ["pac3", "shell_155mm", "aim120", "aim9x"]
    out = loop.room(case)
    numpy_engine.run(case, out)
    for munition, rows in zip(case.munitions, out, strict=True):
        used = rows[summary_names(munition.levels).index("total.used.0")]
        assert rows.shape == (len(summary_names(munition.levels)), LANES)
        assert len(np.unique(rows[0])) == LANES and (used >= 0.0).all()


def test_repeats_and_threads_move_no_number():
    case = build(policy="us_first", blocks=1, repeats=1)
    once, again = kernel.Kernel(case), kernel.Kernel(replace(case, repeats=3))
    once.run(1)
    again.run(2)
    first, second = loop.room(case), loop.room(case)
    once.into(first)
    again.into(second)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    assert replace(case, repeats=3).runs == 3 * LANES * len(case.munitions)


@pytest.fixture(scope="module")
def engine():
    return blocks.engine("july_2025", ["none", "us_first"])


class TestBlocks:
    @staticmethod
    def totals(block):
        return np.array([summary.totals.own_use for summary in block.summaries.values()])

    def test_draws_that_are_given_are_the_ones_that_are_used(self, engine):
        wanted = engine.block(64, 128)
        draws, wide = engine.drawn(64, 128)
        engine.kept_draws = draws.copy(), wide
        given = engine.block(0, 128)
        engine.kept_draws = None
        np.testing.assert_array_equal(self.totals(given), self.totals(wanted))
        assert (self.totals(engine.block(0, 128)) != self.totals(wanted)).any()

    def test_a_replay_is_the_same_work_again(self, engine):
        replay = blocks.Replay.of(engine, 128)
        room = engine._room(128)
        results = [array for one in room.result for array in one]
        wanted = [array.copy() for array in results]
        for array in results:
            array.fill(-1.0)
        replay.run()
        for array, one in zip(results, wanted, strict=True):
            np.testing.assert_array_equal(array, one)
        assert len(replay.plans) == len(engine.work)
        # Without the program all blocks run on what stands in the registers: the last block's numbers.
        replay.changed(length=0).run()
        np.testing.assert_array_equal(results[0][:, 64:128], wanted[0][:, 64:128])
        assert (results[0][:, :64] != wanted[0][:, :64]).any()


class TestInstructions:
    BODY = (
        Line(0x10, "vmovapd", "(%rax),%zmm1"), Line(0x16, "vaddpd", "(%rbx),%zmm1,%zmm2"), Line(0x1C, "je", "28 <f+0x28>"),
        Line(0x22, "vdivpd", "%zmm1,%zmm2,%zmm2"), Line(0x28, "vmovapd", "%zmm2,(%rax)"), Line(0x2E, "jne", "10 <f+0x10>"),
    )

    def test_a_loop_is_counted_by_kind(self):
        (body,) = instructions._loops([Line(0x8, "vmulpd", "%zmm1,%zmm1,%zmm1"), *self.BODY])
        count = instructions.counted(body, "zmm")
        assert tuple(body) == self.BODY
        assert count == dict.fromkeys(instructions.KINDS, 0) | {
            "all": 6, "vector": 4, "add, subtract": 1, "divide": 1, "load": 2, "store": 1,
        }

    def test_what_is_executed_counts_for_each_time_round(self):
        times = instructions.Counter({0x10: 4, 0x16: 4, 0x1C: 4, 0x22: 1, 0x28: 4, 0x2E: 4})
        count = instructions.counted(list(self.BODY), "zmm", times, 4)
        assert (count["divide"], count["add, subtract"], count["all"]) == (0.25, 1.0, 5.25)

    def test_a_way_that_stands_behind_the_loop_counts_and_what_follows_the_loop_does_not(self):
        short, long = [0x10, 0x16, 0x1C], [0x10, 0x16, 0x80, 0x86, 0x1C]
        path = [0x4, *short, *long, *short, *short, *range(0x90, 0xA4, 2), *short, *short]
        times, rounds, after = instructions.rounds_of(path, {0x10, 0x80})
        assert (rounds, times[0x10], times[0x80], times[0x90], after) == (3, 3, 1, 0, 10)
        assert instructions.rounds_of([0x4, 0x10], {0x10}) == (instructions.Counter(), 0, 0)


def test_time_stamps_of_a_cold_start_add_up(tmp_path):
    command = [sys.executable, str(ROOT / "benchmarks" / "stamps.py"), repr(time.monotonic())]
    command += ["ensemble", "--members", "64", "--policy", "none", "--engine", "compiled"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    found = json.loads(done.stderr.splitlines()[-1])
    assert "PAC-3" in done.stdout
    assert sum(found["parts"].values()) == pytest.approx(found["in all"], abs=0.01)
    assert sum(found["before computing"].values()) == pytest.approx(found["computing starts"], abs=0.01)
    assert {"pilot", "tracing the scenario", "imports", "loading the scenario"} <= set(found["parts"])
    assert found["parts"]["pilot"] > 0.0 and "pilot" not in found["before computing"]


def test_an_ensemble_in_a_process_of_its_own_is_measured(monkeypatch):
    monkeypatch.chdir(ROOT)
    found = members._summed([members.once("july_2025", policies=["none"], members=64, engine="numpy")])
    assert (found["members"], found["policies"], found["munitions"], found["engine"]) == (64, 1, 4, "numpy")
    assert found["munition-runs a second"]["median"] == pytest.approx(256 / found["seconds"]["median"])
    assert 50 < found["peak MB"] < 1000
    assert found["bands"] > 0 and found["probabilities"] > 0


def test_the_report_says_which_goals_are_missed():
    speeds = {"median": 1e6, "least": 9e5, "most": 2e6, "others' cores": [0.0, 0.5]}
    report = {
        "machine": {}, "case": {}, "largest difference from NumPy": {"kernel": 0.0}, "agree": True,
        "speeds": {"kernel, 1 thread": speeds}, "missing": {"PySD": "not installed"},
        "ratios": [{"of": "a", "to": "b", "goal": goal, "median": 0.9, "least": 0.8, "most": 1.0} for goal in (0.85, 1.6, None)],
    }
    said = text.text(report)
    assert "0.85 met" in said and "1.6 MISSED" in said and "not installed" in said
    assert "1,000,000      900,000    2,000,000   2" in said


class TestSweeps:
    def test_a_sweep_is_measured_beside_the_engine(self, monkeypatch):
        monkeypatch.setattr(sweeps, "MEMBERS", 20)
        found = sweeps.by_size("july_2025", ((2, 3),), 1)[0]
        assert (found["points"], found["runs"]) == (6, 120)
        assert all(found["cpu seconds"][kind]["median"] > 0 and found["peak MB"][kind] > 0 for kind in sweeps.KINDS)
        printed = "\n".join(text._sweeps({"sweeps": [found]}))
        assert "6 points of 20 members: 120 runs" in printed and "overhead a point" in printed
