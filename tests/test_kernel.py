"""The compiled engine gives what NumPy gives, bit for bit; and its code is kept, found again, and never trusted when damaged."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import drawn
import llvmlite
import llvmlite.binding as llvm
import numpy as np
import pytest
from drawn import Case, same, same_ensembles, task
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import stockpile as sp
from stockpile import compiler, shapes
from stockpile.assemble import parts
from stockpile.codegen import machine
from stockpile.codegen.branches import Branch, _largest
from stockpile.codegen.ordering import fusions
from stockpile.codegen.trace import trace
from stockpile.ensembles import folded, run, traced
from stockpile.ensembles.compiled_engine import CompiledEngine
from stockpile.ensembles.numpy_engine import Block, NumpyEngine
from stockpile.ensembles.traced import printed
from stockpile.errors import InputError
from stockpile.sketch import Counts, Whole

Array = NDArray[np.float64]
MEMBERS = st.sampled_from([1, 2, 3, 7, 8, 9, 13, 63, 64, 65, 100, 300]) | st.integers(1, 300)
SAMPLERS = st.sampled_from(["random", "random", "lhs", "sobol"])


@pytest.fixture(scope="module", autouse=True)
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Compiled code goes to a folder of the tests."""
    where = tmp_path_factory.mktemp("compiled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(compiler.FOLDER, str(where))
        yield where


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for compiled code in which there is nothing yet."""
    monkeypatch.setenv(compiler.FOLDER, str(tmp_path / "compiled"))
    return tmp_path / "compiled"


def cut(block: Block, start: int, stop: int) -> Block:
    """Return some members of a block."""

    def some(item: Any) -> Any:
        if isinstance(item, np.ndarray):
            return np.ascontiguousarray(item[..., start:stop])
        if isinstance(item, dict):
            return {key: some(value) for key, value in item.items()}
        if isinstance(item, tuple):
            return tuple(map(some, item))
        return type(item)(*(some(getattr(item, field.name)) for field in fields(item))) if is_dataclass(item) else item

    found: Block = some(block)
    return found


# ---------------------------------------------------------------- both engines


@given(case=drawn.cases(), members=MEMBERS, seed=st.integers(0, 2**40), sampler=SAMPLERS)
def test_members_are_the_same_bit_for_bit(case: Case, members: int, seed: int, sampler: str) -> None:
    """Rows of all quantities, summaries, levels and prices."""
    scenario = case.scenario()
    dates = [str(scenario.settings.start), str(scenario.settings.end)]
    work = task(scenario, list(case.policies), members, seed=seed, sampler=sampler, dates=dates)
    same(NumpyEngine(work).block(0, members, keep=True), CompiledEngine(work).block(0, members, keep=True))


@given(
    case=drawn.cases(), members=MEMBERS, seed=st.integers(0, 9), sampler=SAMPLERS, whole=st.booleans(), threads=st.integers(1, 3),
    quantities=st.sampled_from(["all", "sent", ["unmet", "free"]]), chunk=st.sampled_from([50, 64, 128, 2048]),
    pilot=st.sampled_from([30, 512]),
)
def test_ensembles_are_the_same_bit_for_bit(
    case: Case, members: int, seed: int, sampler: str, whole: bool, threads: int, quantities: Any, chunk: int, pilot: int
) -> None:
    """Bands whole or as counts, metrics, moments, chances by way of them, manifest; whatever the number of threads."""
    scenario = case.scenario()
    asked = {"members": members, "seed": seed, "sampler": sampler, "quantities": quantities, "dates": [str(scenario.settings.end)]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "CHUNK", chunk)
        patch.setattr(run, "PILOT", pilot)
        if not whole:
            patch.setattr(run, "WHOLE_BYTES", -1)
            patch.setattr(folded, "WHOLE_BYTES", -1)
        first = sp.ensemble(scenario, list(case.policies), **asked, engine="numpy", threads=1)
        second = sp.ensemble(scenario, list(case.policies), **asked, engine="compiled", threads=threads)
    assert type(first.metric_values) is (Whole if whole else Counts)
    assert (first.manifest["engine"], second.manifest["engine"]) == ("numpy", "compiled")
    same_ensembles(first, second)


@given(case=drawn.cases(), members=st.integers(2, 200), sampler=SAMPLERS, data=st.data())
@pytest.mark.parametrize("engine", [NumpyEngine, CompiledEngine])
def test_a_member_is_the_same_in_any_block_and_alone(engine: Any, case: Case, members: int, sampler: str, data: st.DataObject) -> None:
    work = task(case.scenario(), list(case.policies), members, sampler=sampler)
    made = engine(work)
    whole = made.block(0, members, keep=True)
    one = data.draw(st.integers(0, members - 1), label="alone")
    start = data.draw(st.integers(0, members - 1), label="from")
    count = data.draw(st.integers(1, members - start), label="members")
    for first, number in ((one, 1), (start, count)):
        same(made.block(first, number, keep=True), cut(whole, first, first + number))


@given(case=drawn.cases(), members=st.integers(1, 100))
@pytest.mark.parametrize("engine", [NumpyEngine, CompiledEngine])
def test_policies_together_are_each_alone(engine: Any, case: Case, members: int) -> None:
    """But for the breaks of a clock that a policy brings with it: so all suspensions begin and end with a month here."""
    scenario = whole_months(case)
    names = list(case.policies)
    together = engine(task(scenario, names, members, quantities="all")).block(0, members, keep=True)
    for number, name in enumerate(names):
        alone = engine(task(scenario, [name], members)).block(0, members, keep=True)
        rows = alone.rows.shape[2]
        same(alone.rows[0], together.rows[number][:, :rows])
        same({key: together.summaries[key] for key in alone.summaries}, alone.summaries)
        same((alone.levels, alone.unit_cost), (together.levels, together.unit_cost))


def whole_months(case: Case) -> sp.Scenario:
    def day(given: Any) -> Any:
        return given if given == "horizon" else drawn.months_on(given.replace(day=1), 1)

    policies: dict[str, dict[str, Any]] = {}
    for name, table in case.policies.items():
        if table:
            review = {**table["review"], "start": day(table["review"]["start"])} if table["review"] else None
            suspensions = [{**one, "start": one["start"].replace(day=1), "end": day(one["end"])} for one in table["suspensions"]]
            policies[name] = {**table, "review": review, "suspensions": suspensions}
    return drawn.with_policies(case.scenario(), policies)


POLICIES = {
    "review": {
        "transfer_floor": "quarter", "review_level": "review_level",
        "review": {
            "recipients": ["all"], "munitions": ["all"], "channels": ["transfers", "new_production"], "on": 0.98, "off": 1.0,
            "start": drawn.STARTS["july_2025"],
        },
    },
    "weighted": {
        "transfer_floor": "transfer_floor", "review_level": "review_level",
        "allocation": {"use": "weights", "weights": {"ukraine": 2.0}, "classes": [["ukraine"], ["partners"]]},
    },
}


@pytest.mark.parametrize("members", [2049, 1023])
def test_blocks_longer_than_any_room_are_the_same(members: int) -> None:
    """More members than are worked on at a time by either engine."""
    scenario = drawn.with_policies(drawn.scenario(munitions=["pac3"], months=5, changes={"munitions.pac3.us_stock.scale": 0.2}), POLICIES)
    work = task(scenario, ["weighted", "none", "review"], members, quantities=["us_on_hand", "sent"], dates=["2025-08"])
    slow, fast = NumpyEngine(work).block(0, members, keep=True), CompiledEngine(work).block(0, members, keep=True)
    assert np.isfinite(fast.rows[..., 0, :]).all()
    same(slow, fast)


def test_a_whole_run_under_all_policies_is_the_same() -> None:
    scenario = sp.load("november_2026").override({"scenario.start": dt.date(2025, 6, 1), "scenario.end": dt.date(2027, 1, 1)})
    first, second = (
        sp.ensemble(scenario, None, 9, quantities="all", dates=["2025-07", "2026-12-01"], engine=engine) for engine in ("numpy", "compiled")
    )
    same_ensembles(first, second)


@pytest.mark.parametrize("seed", [0, 7])
def test_draws_are_the_same_bit_for_bit(seed: int) -> None:
    work = task(sp.load("july_2025").override({"scenario.end": dt.date(2027, 1, 1)}), ["none"], 10_000, seed=seed)
    made = CompiledEngine(work)
    for first, count in ((0, 64), (5, 3), (8191, 300), (9999, 1)):
        fast, _ = made.drawn(first, count)
        slow = drawn.columns_of(work.design, first, count)
        assert fast[traced.rows_of(work.design), :count].tobytes() == slow.tobytes()


def test_threads_share_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks asked for from several threads at once are those asked for one after another."""
    work = task(drawn.scenario(munitions=["pac3", "aim9x"], months=6), ["none", "us_first"], 900)
    made = CompiledEngine(work)
    expected = [made.block(first, 90, keep=True) for first in range(0, 900, 90)]
    found: dict[int, Block] = {}
    workers = [threading.Thread(target=lambda n=n: found.update({n: made.block(90 * n, 90, keep=True)})) for n in range(10)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    same([found[n] for n in range(10)], expected)


@pytest.mark.parametrize("engine", [NumpyEngine, CompiledEngine])
def test_an_engine_that_was_stopped_gives_up_its_blocks(engine: Any) -> None:
    made = engine(task(drawn.scenario(months=3), ["none"], 20))
    assert made.block(0, 20).rows is None
    made.stop()
    with pytest.raises(InterruptedError):
        made.block(0, 20)


# ---------------------------------------------------------------- what is compiled


@pytest.mark.parametrize("recipients", [1, 3])
def test_nothing_may_round_otherwise(recipients: int) -> None:
    """No flag that lets arithmetic be reordered or contracted, and nothing contracted but what is written so."""
    text = printed(recipients)[2]
    operations = [line for line in text.splitlines() if re.search(r"= f(add|sub|mul|div|cmp|neg)|= (select|phi|call)", line)]
    assert len(operations) > 500
    assert not re.search(r"\b(fast|contract|reassoc|nnan|ninf|nsz|arcp|afn)\b", text)
    assert not re.search(r"fmuladd|unsafe-fp-math|denormal-fp-math|strictfp", text)
    compiler.load(text)
    machine = compiler._machine(llvm)
    contracted = r"\bv?fn?m(add|sub|la|ls)"
    whole = machine.emit_assembly(llvm.parse_assembly(text))
    written = len(re.findall(r"call .*@llvm\.fma\.", text))
    assert written > 0
    # A vector may take several instructions on processors whose vectors are shorter.
    assert len(re.findall(contracted, whole)) in (written, 2 * written, 4 * written)
    product = re.sub(r"call (<.*>) @llvm\.fma\.\w+\(<.*?> (\S+), <.*?> (\S+), .*\)", r"fmul \1 \2, \3", text)
    without = machine.emit_assembly(llvm.parse_assembly(product))
    assert re.search(r"v?mulp?d|fmul", without)
    assert not re.search(contracted, without)


@pytest.mark.parametrize("recipients", [1, 3])
def test_product_and_sum_are_fused_only_where_the_product_is_exact(recipients: int) -> None:
    """Products with the review, which is 0 or 1; and with the length of a step where that is a power of two."""
    found = trace(recipients)
    graph = found.graph
    review, step = found.rows["state.review"], graph.input("run.dt").ids
    for exact, factors in ((False, {review}), (True, {review, step})):
        fused = fusions(found, exact=exact)
        assert fused
        for total, (product, other) in fused.items():
            assert graph.nodes[total].operation == "add"
            assert sorted(graph.nodes[total].arguments) == sorted((product, other))
            assert graph.nodes[product].operation == "multiply"
            assert factors & set(graph.nodes[product].arguments)


def test_one_compilation_serves_all_policies_and_scenarios(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    original = compiler._compiled

    def counted(text: str, *rest: Any) -> bytes:
        compiled.append(text)
        return original(text, *rest)

    monkeypatch.setattr(compiler, "_compiled", counted)
    july = drawn.with_policies(drawn.scenario(months=3), POLICIES)
    for scenario, policies in (
        (july, ["none"]), (july, ["review", "weighted", "us_first"]), (july.override({"scenario.substeps": 3}), ["none", "us_first"]),
        (drawn.scenario("november_2026", munitions=["aim9x", "shell_155mm"], months=4), ["ukraine_first"]),
    ):
        assert sp.ensemble(scenario, policies, 3, engine="compiled").manifest["engine"] == "compiled"
    assert len(compiled) == 1
    sp.ensemble(drawn.scenario(recipients=2, months=3), ["none"], 3, engine="compiled")
    assert len(compiled) == 2
    assert len(list(empty.iterdir())) == 2


def test_what_is_stored_is_found_again(empty: Path) -> None:
    text = printed(1)[2]
    assert not compiler.is_stored(text)
    assert compiler.load(text).came_from == "compiled"
    assert compiler.is_stored(text)
    assert compiler.load(text).came_from == "cache"
    assert [file.suffix for file in empty.iterdir()] == [compiler.SUFFIX]


def test_another_text_another_processor_or_another_compiler_is_another_file(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = printed(1)[2]
    compiler.load(text)
    assert not compiler.is_stored(text + "\n; another version\n")
    for where, name, value in (
        (llvm, "get_host_cpu_name", lambda: "another"), (llvmlite, "__version__", "0.0.1"), (llvm, "llvm_version_info", (1, 2, 3)),
        (llvm, "get_host_cpu_features", lambda: type("Features", (), {"flatten": staticmethod(lambda: "+another")})()),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(where, name, value)
            assert not compiler.is_stored(text), name
    assert compiler.is_stored(text)


def small(engine: str | None = "compiled", members: int = 11) -> sp.Ensemble:
    scenario = drawn.scenario(recipients=1, munitions=["aim9x"], months=3)
    return sp.ensemble(scenario, ["none", "us_first"], members, engine=engine, threads=1)


@pytest.fixture(scope="module")
def expected() -> sp.Ensemble:
    return small("numpy")


@pytest.fixture
def stored(store: Path, empty: Path, expected: sp.Ensemble) -> Path:
    """A folder with compiled code for one recipient."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(compiler.FOLDER, str(store))
        text = printed(1)[2]
        compiler.load(text)
        file = compiler._path(text, llvm)
    empty.mkdir()
    shutil.copy(file, empty)
    return empty / file.name


DAMAGE: dict[str, Callable[[Path], Any]] = {
    "a flipped bit": lambda file: file.write_bytes(file.read_bytes()[:500] + b"\x55" + file.read_bytes()[501:]),
    "a flipped bit of the digest": lambda file: file.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + file.read_bytes()[1:]),
    "cut short": lambda file: file.write_bytes(file.read_bytes()[:-100]),
    "cut to its digest": lambda file: file.write_bytes(file.read_bytes()[:32]),
    "empty": lambda file: file.write_bytes(b""),
    "longer": lambda file: file.write_bytes(file.read_bytes() + b"\0"),
    "foreign": lambda file: file.write_bytes(b"\x7fELF" + bytes(range(256)) * 40),
    "text": lambda file: file.write_text("nothing to run\n" * 100),
    "not there": lambda file: file.unlink(),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
    "the whole folder gone": lambda file: shutil.rmtree(file.parent),
    "a file in place of the folder": lambda file: (shutil.rmtree(file.parent), file.parent.write_text("")),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_store_that_is_damaged_only_costs_time(kind: str, stored: Path, expected: sp.Ensemble) -> None:
    text, whole = printed(1)[2], stored.read_bytes()
    assert compiler.is_stored(text)
    DAMAGE[kind](stored)
    assert not compiler.is_stored(text)
    assert compiler.load(text).came_from == "compiled"
    same_ensembles(expected, small())
    if kind not in ("a folder", "a file in place of the folder"):
        assert stored.read_bytes() == whole
        assert compiler.load(text).came_from == "cache"
    assert [one.name for one in stored.parent.parent.rglob("*.part")] == []


@pytest.mark.parametrize("where", ["a file", "below a file", "a name too long", "no home"])
def test_a_store_that_cannot_be_had_only_costs_time(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: sp.Ensemble
) -> None:
    (tmp_path / "file").write_text("")
    if where == "no home":
        for name in (compiler.FOLDER, "XDG_CACHE_HOME", "LOCALAPPDATA"):
            monkeypatch.delenv(name, raising=False)

        def nowhere(*_: Any) -> Path:
            raise RuntimeError("Could not determine home directory.")

        monkeypatch.setattr(Path, "home", nowhere)
    else:
        places = {"a file": tmp_path / "file", "below a file": tmp_path / "file" / "below", "a name too long": tmp_path / ("long" * 100)}
        monkeypatch.setenv(compiler.FOLDER, str(places[where]))
    text = printed(1)[2]
    assert not compiler.is_stored(text)
    assert compiler.load(text).came_from == "compiled"
    same_ensembles(expected, small())
    assert compiler.load(text).came_from == "compiled"
    assert small(None).manifest["engine"] == "numpy"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file"]


def test_a_store_is_where_such_files_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert compiler.folder() == Path(compiler.os.environ[compiler.FOLDER])
    monkeypatch.delenv(compiler.FOLDER)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    places = {"linux": tmp_path / ".cache", "darwin": tmp_path / "Library" / "Caches", "win32": tmp_path / "AppData" / "Local"}
    for platform, place in places.items():
        monkeypatch.setattr(sys, "platform", platform)
        assert compiler.folder() == place / "stockpile"
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    assert compiler.folder() == tmp_path / "elsewhere" / "stockpile"
    # What is set to nothing is not set: nothing is to be left in the folder that somebody works in.
    for name in (compiler.FOLDER, "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, "")
    assert compiler.folder() == tmp_path / ".cache" / "stockpile"


# ---------------------------------------------------------------- which engine


def test_small_runs_do_not_wait_for_a_compiler_and_large_ones_do(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "WORTH_COMPILING", 40)
    few, many = small(None, 19), small(None, 20)
    assert (few.manifest["engine"], many.manifest["engine"]) == ("numpy", "compiled")
    # Once it is stored, nobody has to wait.
    assert small(None, 1).manifest["engine"] == "compiled"


def test_without_a_compiler_everything_runs_on_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = small()
    monkeypatch.setattr(compiler, "available", lambda: False)
    monkeypatch.setattr(run, "WORTH_COMPILING", 1)
    found = small(None)
    assert found.manifest["engine"] == "numpy"
    same_ensembles(found, compiled)
    assert not compiler.is_stored(printed(1)[2])
    with pytest.raises(InputError) as caught:
        small("compiled")
    (problem,) = caught.value.problems
    assert str(problem) == "ensemble: engine: compiled code needs llvmlite: pip install 'stockpile[fast]'; allowed: numpy"


def test_without_a_compiler_it_is_not_even_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where llvmlite is not installed nothing of it is imported: importing would fail."""
    for name in [name for name in sys.modules if name.split(".")[0] == "llvmlite"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    monkeypatch.setattr(compiler.importlib.util, "find_spec", lambda name, *rest: None)
    monkeypatch.setattr(run, "WORTH_COMPILING", 1)
    assert not compiler.available()
    assert small(None).manifest["engine"] == "numpy"


def test_a_series_that_differs_by_member_where_the_step_takes_one_is_refused() -> None:
    clock = parts(drawn.scenario(months=3), ["none"]).clock
    with pytest.raises(TypeError, match="differs by member"):
        traced._uniform(clock, "series.history", np.ones((len(clock.knots) - 1, 2)), {})


# ---------------------------------------------------------------- branches and tables


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 3))
def test_branches_taken_are_the_largest_that_fit(seed: int, conditions: int, variants: int) -> None:
    generator = np.random.default_rng(seed)
    found = [
        Branch(condition, (), list(range(int(generator.integers(1, 6)))), [], ())
        for condition in range(conditions)
        for _ in range(variants)
    ]
    numbers = range(len(found))
    fits = [(i, j) for i, j in combinations(numbers, 2) if found[i].condition != found[j].condition and generator.random() < 0.7]
    fitting = [{j for j in numbers if (i, j) in fits or (j, i) in fits} for i in numbers]
    best: tuple[int, ...] = ()
    for count in range(1, conditions + 1):
        for some in combinations(numbers, count):
            size = sum(len(found[n].nodes) for n in some)
            if size > sum(len(found[n].nodes) for n in best) and all(pair in fits for pair in combinations(some, 2)):
                best = some
    taken = _largest(found, fitting)
    assert [id(one) for one in taken] == [id(found[n]) for n in best]


@pytest.mark.parametrize("shape", shapes.SHAPES)
@pytest.mark.parametrize("numbers", [(1.0, 2.0, 7.0), (0.001, 0.001, 900.0), (3.0, 3.0, 3.0)])
def test_a_table_for_compiled_code_says_what_the_pieces_say(shape: str, numbers: tuple[float, float, float]) -> None:
    pieces = shapes.table(shape, *numbers)
    table = machine.table_of(pieces)
    assert len(table) == shapes.KNOTS + machine.BEHIND
    np.testing.assert_array_equal(table[: shapes.KNOTS], pieces.starts)
    rises = table[shapes.KNOTS + 1]
    np.testing.assert_array_equal(np.diff(table[: shapes.KNOTS + 1]) * rises, pieces.slopes)


def test_a_table_with_gaps_is_refused() -> None:
    starts, slopes = np.arange(shapes.KNOTS, dtype=np.float64), np.full(shapes.KNOTS, 0.5)
    with pytest.raises(ValueError, match="pieces that meet, or flat ones"):
        machine.table_of(shapes.Pieces(starts, slopes))
