"""Sweeps on disk: what lies there, what becomes of damage, of full disks, of processes killed and of two at once."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars
import pytest
from sweep_stub import MADE_WITH, PATH, PER_SHARD, POINTS, Stub, carry_out, job

import stockpile as sp
from stockpile.sweep import evaluator, folder, run, shards, source
from stockpile.sweep.executors import Way
from stockpile.sweep.folder import Folder

SHARDS = POINTS // PER_SHARD
REAL = source.made_with


@pytest.fixture(autouse=True)
def stub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "evaluator", lambda asked: Stub(asked, 0.0))
    monkeypatch.setattr(source, "made_with", lambda: MADE_WITH)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("unbroken") / "sweep"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "evaluator", lambda asked: Stub(asked, 0.0))
        patch.setattr(source, "made_with", lambda: MADE_WITH)
        carry_out(job(), path)
    return path


def contents(path: Path) -> dict[str, bytes]:
    """Return the bytes of every file in a folder, hidden ones too."""
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def parts(path: Path) -> list[Path]:
    return sorted((path / "shards").iterdir())


# ---------------------------------------------------------------- what lies there


def test_the_folder_has_a_manifest_the_design_and_shards_named_by_what_made_them_and_what_they_are(unbroken: Path) -> None:
    assert sorted(file.name for file in unbroken.iterdir()) == ["design.parquet", "manifest.json", "shards"]
    found = parts(unbroken)
    assert len(found) == SHARDS
    for number, file in enumerate(found):
        said = shards.parsed(file.name)
        assert said is not None
        assert said[0] == number
        assert said[2] == shards.digest(file.read_bytes())
    assert len({file.name.split("-")[2] for file in found}) == SHARDS


def test_manifest_says_what_decides_the_numbers_and_nothing_of_when_or_where(unbroken: Path) -> None:
    said = json.loads((unbroken / "manifest.json").read_text())
    own = job()
    assert {key: said[key] for key in own.identity} == own.identity
    assert (said["points"], said["shards"], said["rows"]) == (POINTS, SHARDS, 2)
    assert said["parameters"] == sp.load("july_2025").digest
    assert said["made_with"] == MADE_WITH
    assert list(said["columns"]) == list(sp.open_sweep(unbroken).table().columns)
    text = json.dumps(said)
    assert str(unbroken.parent) not in text and os.uname().nodename not in text and time.strftime("%Y-%m-%dT") not in text


def test_table_is_sorted_by_point_and_complete(unbroken: Path) -> None:
    table = sp.open_sweep(unbroken).table()
    assert table["point"].tolist() == np.repeat(np.arange(POINTS), 2).tolist()
    assert table["metric"].tolist() == ["minimum", "total_unmet"] * POINTS
    assert table["mean"].tolist() == [2.0 + point * 1.5 + k for point in range(POINTS) for k in (0, 1)]
    assert table[PATH].tolist() == np.repeat([(200 + k) / 1000 for k in range(POINTS)], 2).tolist()
    assert {name: str(kind) for name, kind in table.dtypes.items() if kind != "str"} == {
        "point": "int64", PATH: "float64", "members": "int64", "share_finite": "float64", "mean": "float64",
        **dict.fromkeys(("q05", "q25", "q50", "q75", "q95"), "float64"),
    }


def test_pandas_polars_and_duckdb_read_it_as_it_lies(unbroken: Path) -> None:
    expected = sp.open_sweep(unbroken).table()
    order = ["point", "metric"]
    at = unbroken / "shards"
    found = {
        "pandas": pd.read_parquet(at),
        "polars": pd.DataFrame(polars.read_parquet(at).to_dict(as_series=False)),
        "duckdb": duckdb.sql(f"select * from '{at}/*.parquet'").df(),
    }
    for name, frame in found.items():
        frame = frame.sort_values(order, ignore_index=True)
        pd.testing.assert_frame_equal(frame, expected, check_dtype=name != "polars", obj=name)


def test_in_memory_and_on_disk_are_the_same(unbroken: Path) -> None:
    held = carry_out(job(), None)
    stored = sp.open_sweep(unbroken)
    pd.testing.assert_frame_equal(held.table(), stored.table())
    pd.testing.assert_frame_equal(held.design(), stored.design())
    assert held.manifest == stored.manifest
    assert held.status() == stored.status()


def test_dates_text_and_gaps_come_back_as_they_were(tmp_path: Path) -> None:
    from dataclasses import replace

    from stockpile.sweep.designs import design

    table = pd.DataFrame(
        {"d": ["2025-08-01", None, "2026-01-31"], "t": ["x", "y", None], "b": [True, False, None], "n": [1.5, None, 3]}, dtype=object
    )
    table["d"] = pd.to_datetime(table["d"])
    made = carry_out(replace(job(), design=design(table)), tmp_path / "sweep")
    frame = made.table().drop_duplicates("point")
    assert frame["d"].tolist()[::2] == [pd.Timestamp("2025-08-01"), pd.Timestamp("2026-01-31")]
    assert frame["d"].isna().tolist() == [False, True, False]
    assert frame["t"].tolist()[:2] == ["x", "y"] and frame["t"].isna().tolist() == [False, False, True]
    assert frame["b"].tolist() == [True, False, None]
    assert frame["n"].tolist()[::2] == [1.5, 3.0] and np.isnan(frame["n"].tolist()[1])
    pd.testing.assert_frame_equal(made.design()[["d", "t", "n"]], frame[["d", "t", "n"]].reset_index(drop=True))


# ---------------------------------------------------------------- going on


def test_what_is_there_is_used_again(tmp_path: Path, unbroken: Path) -> None:
    path = tmp_path / "sweep"
    carry_out(job(), path)
    kept = {file: file.stat().st_ino for file in parts(path)}
    for file in parts(path)[10:30]:
        file.unlink()
    done: list[int] = []
    run.Running(job(), path, Way("threads", 2)).run(done.append)
    assert done[0] == POINTS - 20 * PER_SHARD
    assert done[-1] == POINTS
    assert len(done) == 21
    assert {file: file.stat().st_ino for file in parts(path)[:10] + parts(path)[30:]} == {
        file: kept[file] for file in [*kept][:10] + [*kept][30:]
    }
    assert contents(path) == contents(unbroken)


def damage_flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))


def damage_cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:100])


def damage_empty(file: Path) -> None:
    file.write_bytes(b"")


def rename_number(file: Path) -> None:
    file.rename(file.with_name(file.name.replace("part-000007", "part-000030")))


def rename_beyond(file: Path) -> None:
    file.rename(file.with_name(file.name.replace("part-000007", "part-000999")))


@pytest.mark.parametrize("damage", [damage_flip, damage_cut, damage_empty, rename_number, rename_beyond])
def test_a_damaged_or_misnamed_shard_is_found_named_and_done_again(
    tmp_path: Path, unbroken: Path, damage: object, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sweep"
    carry_out(job(), path)
    damage(parts(path)[7])  # type: ignore[operator]
    said: list[str] = []
    status = sp.open_sweep(path).status()
    assert (status.points_done, status.complete) == (POINTS - PER_SHARD, False)
    wrong = [*status.damaged, *status.foreign]
    assert len(wrong) == 1
    with pytest.raises(sp.InputError, match=f"{PER_SHARD} of {POINTS} points are missing"):
        sp.open_sweep(path).table()
    assert len(sp.open_sweep(path).table(partial=True)) == 2 * (POINTS - PER_SHARD)
    carry_out(job(), path, warn=said.append)
    assert len(said) == 1
    assert wrong[0] in said[0]
    assert contents(path) == contents(unbroken)


def test_a_shard_of_another_sweep_is_taken_away(tmp_path: Path, unbroken: Path) -> None:
    path, other = tmp_path / "sweep", tmp_path / "other"
    carry_out(job(), path)
    carry_out(job(seed=2), other)
    parts(path)[3].unlink()
    strange = parts(other)[3]
    (path / "shards" / strange.name).write_bytes(strange.read_bytes())
    assert sp.open_sweep(path).status().foreign == (strange.name,)
    with pytest.warns(UserWarning, match=f"not of this sweep, and taken away: {strange.name}"):
        carry_out(job(), path)
    assert contents(path) == contents(unbroken)


def test_a_lost_design_is_written_again(tmp_path: Path, unbroken: Path) -> None:
    path = tmp_path / "sweep"
    carry_out(job(), path)
    (path / "design.parquet").write_bytes(b"gone")
    with pytest.raises(sp.InputError, match=r"design\.parquet: cannot be read"):
        sp.open_sweep(path).design()
    carry_out(job(), path)
    assert contents(path) == contents(unbroken)


def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(tmp_path: Path) -> None:
    import fcntl

    path = tmp_path / "sweep"
    path.mkdir()
    dead, living = path / ".0123.tmp", path / ".4567.tmp"
    dead.write_bytes(b"half")
    with living.open("xb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        carry_out(job(points=6), path)
        assert not dead.exists()
        assert living.exists()
    carry_out(job(points=6), path)
    assert not living.exists()


def test_a_file_whose_temporary_name_was_taken_away_is_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, taken = os.fsync, []

    def take(number: int) -> None:
        plain(number)
        for part in tmp_path.glob(".*.tmp"):
            if len(taken) < 3:
                taken.append(part)
                part.unlink()

    monkeypatch.setattr(os, "fsync", take)
    Folder(tmp_path)._put(tmp_path / "file", b"whole")
    assert len(taken) == 3
    assert contents(tmp_path) == {"file": b"whole"}


# ---------------------------------------------------------------- folders that are refused


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("members", 7, "members were 7, now 1"),
        ("seed", 3, "seed was 3, now 1"),
        ("policies", ["none", "us_first"], "policies were none, us_first, now none"),
        ("parameters", "ab" * 32, "parameters were abababababab, now "),
        ("made_with", {"stockpile": "0.0.1", "source": "cd" * 32}, "source was cdcdcdcdcdcd, now "),
        ("metrics", ["minimum"], "metrics were minimum, now all"),
        ("overrides", {"munitions.pac3.us_share": "0.5"}, "overrides were munitions.pac3.us_share=0.5, now none"),
        ("sampler", "sobol", "sampler was sobol, now random"),
    ],
)
def test_a_folder_of_another_sweep_is_refused_with_what_differs(tmp_path: Path, key: str, value: object, message: str) -> None:
    path = tmp_path / "sweep"
    carry_out(job(points=6), path)
    before = contents(path)
    said = json.loads((path / "manifest.json").read_text())
    said[key] = value
    (path / "manifest.json").write_text(json.dumps(said))
    before["manifest.json"] = (path / "manifest.json").read_bytes()
    with pytest.raises(sp.InputError) as caught:
        carry_out(job(points=6), path)
    assert len(caught.value.problems) == 1
    assert "was made by another sweep: " in str(caught.value)
    assert message in str(caught.value)
    assert contents(path) == before


def test_another_design_is_named(tmp_path: Path) -> None:
    carry_out(job(points=6), tmp_path / "sweep")
    with pytest.raises(sp.InputError, match=r"design was grid of 6 points over .* \(6 values: 0.2 to 0.205\), now grid of 9 points"):
        carry_out(job(points=9), tmp_path / "sweep")


def test_changed_code_is_another_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    carry_out(job(points=6), tmp_path / "sweep")
    monkeypatch.setattr(source, "made_with", lambda: {**MADE_WITH, "source": "0" * 64})
    with pytest.raises(sp.InputError, match=r"source was .*, now 000000000000"):
        carry_out(job(points=6), tmp_path / "sweep")


def test_made_with_says_versions_and_digest() -> None:
    said = REAL()
    assert list(said) == ["stockpile", "source", "numpy", "scipy", "pyarrow"]
    assert said["numpy"] == np.__version__
    assert len(said["source"]) == 64


def test_source_digest_covers_the_code_that_makes_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "stockpile"
    for name in ("model/equations.py", "sweep/source.py", "cli/app.py"):
        (package / name).parent.mkdir(parents=True)
        (package / name).write_text("a = 1\n")
    monkeypatch.setattr(source, "__file__", str(package / "sweep/source.py"))
    plain = source.source_digest.__wrapped__()
    (package / "cli/app.py").write_text("a = 2\n")
    assert source.source_digest.__wrapped__() == plain
    (package / "model/equations.py").write_text("a = 2\n")
    assert source.source_digest.__wrapped__() != plain


def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    broken = tmp_path / "broken"
    carry_out(job(points=6), broken)
    (broken / "manifest.json").write_text('{"format": 1')
    newer = tmp_path / "newer"
    carry_out(job(points=6), newer)
    (newer / "manifest.json").write_text((newer / "manifest.json").read_text().replace('"format": 1', '"format": 2'))
    among = tmp_path / "among"
    carry_out(job(points=6), among)
    (among / "shards" / "mine.parquet").write_bytes(b"")
    expected = {
        tmp_path / "file": "is not a folder",
        tmp_path / "file" / "below": "is not a folder",
        tmp_path / "full": "has files that no sweep made: notes.txt",
        broken: "manifest.json is damaged",
        newer: "has format 2, not 1",
        among: "has files that no sweep made: shards/mine.parquet",
        Path("/proc/1/sweep"): "cannot be written",
    }
    for path, message in expected.items():
        with pytest.raises(sp.InputError) as caught:
            carry_out(job(points=6), path)
        assert message in str(caught.value)
        assert len(caught.value.problems) == 1
    assert (tmp_path / "full" / "notes.txt").read_text() == "mine"


def test_a_folder_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(sp.InputError, match="no permission to write"):
        carry_out(job(points=6), tmp_path / "sweep")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "message"), [("none", "is not there"), ("empty", "has no sweep"), ("file", "is not a folder")])
def test_no_sweep_to_open(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(sp.InputError, match=message):
        sp.open_sweep(tmp_path / name)


# ---------------------------------------------------------------- full disks


@pytest.mark.parametrize("after", [0, 1, 2, 20])
def test_a_full_disk_ends_with_one_error_and_is_gone_on_from(
    tmp_path: Path, unbroken: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    plain, count = os.fsync, [0]

    def full(number: int) -> None:
        count[0] += 1
        if count[0] > 2 * after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        plain(number)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(sp.InputError, match="cannot be written: No space left on device") as caught:
        carry_out(job(), tmp_path / "sweep")
    assert len(caught.value.problems) == 1
    found = contents(tmp_path / "sweep")
    assert found.items() <= contents(unbroken).items()
    assert len(found) < len(contents(unbroken))
    monkeypatch.setattr(os, "fsync", plain)
    carry_out(job(), tmp_path / "sweep")
    assert contents(tmp_path / "sweep") == contents(unbroken)


# ---------------------------------------------------------------- killed


class Children:
    """A process that forks one child after another, each carrying out the same sweep."""

    def __init__(self, path: Path) -> None:
        self._server = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("sweep_stub.py")), str(path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        self._said: list[str] = []

    def run(self, *, killed_after: float = 0.0, most: int = 0) -> int:
        """Run a child, and return its exit code; perhaps it is killed, perhaps its files may have so many bytes at most."""
        self.begin(killed_after, most)
        return self.wait()

    def begin(self, killed_after: float = 0.0, most: int = 0) -> None:
        """Begin a child."""
        assert self._server.stdin
        self._server.stdin.write(f"{most} {killed_after}\n")
        self._server.stdin.flush()

    def wait(self) -> int:
        """Return the exit code of the child."""
        assert self._server.stdout
        return int(self._server.stdout.readline())

    def close(self) -> str:
        """Let the process end, and return what its children said on standard error."""
        if not self._said:
            self._said.append(self._server.communicate()[1])
        return self._said[0]


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[Children, Children]]:
    found = Children(tmp_path / "sweep"), Children(tmp_path / "sweep")
    yield found
    for one in found:
        one.close()


@pytest.fixture
def children(both: tuple[Children, Children]) -> Children:
    return both[0]


def test_killed_twenty_times_damaged_and_out_of_space_it_ends_with_the_bytes_of_an_unbroken_run(
    tmp_path: Path, unbroken: Path, children: Children
) -> None:
    path, chance = tmp_path / "sweep", random.Random(4)
    damages = {8: damage_flip, 16: damage_cut}
    kills, tight, seen = 0, False, set()
    while kills < 25:
        code = children.run(killed_after=chance.uniform(0.001, 0.3))
        assert code in (0, -signal.SIGKILL)
        kills += code != 0
        there = parts(path) if (path / "shards").is_dir() else []
        seen.add(len(there))
        if code == 0:
            for file in chance.sample(there, SHARDS - 5):
                file.unlink()
            continue
        if kills >= min(damages, default=99) and there:
            damages.pop(min(damages))(chance.choice(there))
        if kills >= 20 and not tight and len(there) < SHARDS:
            tight = True
            assert children.run(most=1000) == 2
    assert children.run() == 0
    assert contents(path) == contents(unbroken)
    said = children.close()
    assert said.count("damaged, and done again") >= 2
    assert said.count("cannot be written: File too large") == 1
    assert not damages
    assert len(seen) > 5, "the kills came at no different moments"


def test_two_processes_at_once_end_with_the_same_bytes(tmp_path: Path, unbroken: Path, both: tuple[Children, Children]) -> None:
    path = tmp_path / "sweep"
    for _ in range(3):
        for one in both:
            one.begin()
        assert [one.wait() for one in both] == [0, 0]
        assert contents(path) == contents(unbroken)
        for file in parts(path)[::2]:
            file.unlink()
    assert [one.close() for one in both] == ["", ""]


def test_what_another_process_has_done_meanwhile_is_not_done_again(
    tmp_path: Path, unbroken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "LOOK", 0.0)
    path, worked = tmp_path / "sweep", []
    helped = [False]

    class Helped(Stub):
        def frame(self, points: evaluator.Integers) -> evaluator.Frame:
            worked.append(points)
            if not helped[0]:
                helped[0] = True
                carry_out(self.job, path)
            return super().frame(points)

    monkeypatch.setattr(run, "evaluator", lambda asked: Stub(asked, 0.0) if helped[0] else Helped(asked, 0.0))
    told: list[int] = []
    run.Running(job(), path, Way("threads", 1)).run(told.append)
    assert len(worked) < 10
    assert contents(path) == contents(unbroken)


def test_of_two_different_sweeps_begun_at_once_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one writes its manifest between the look and the write of the first one."""
    path = tmp_path / "sweep"
    first, second = (run.Running(job(seed=seed, points=6), path, Way("threads", 1)) for seed in (1, 2))
    second.run()
    before = contents(path)
    plain, calls = Folder.manifest, [0]

    def late(self: Folder) -> object:
        calls[0] += 1
        return None if calls[0] == 1 else plain(self)

    monkeypatch.setattr(folder.Folder, "manifest", late)
    with pytest.raises(sp.InputError, match="was taken by another sweep meanwhile: seed was 2, now 1"):
        first.run()
    assert contents(path) == before
