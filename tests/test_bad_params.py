"""One broken input for each defect: one clear message that names place, key, value and what is allowed; exit code 2; nothing written.

A case is a folder of `bad_params/` with `params/`, to be laid over the shipped folder, or a scenario file of a user's, and
`expect.toml`: what is broken (`about`); what is loaded besides (`load`) or run (`run`); the place that the message must
name (`file`, `line`, `column`, or `shipped` and the key `at` which it stands in the shipped file); the `key`; the `words` that
the message must contain; and where one defect draws more than one message, how many (`problems`) and `why`.
"""

import shutil
import tomllib
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stockpile as sp
from stockpile import params, scenario
from stockpile.cli import main
from stockpile.errors import InputError, Problem

CASES = Path(__file__).parent / "bad_params"
NAMES = sorted(folder.name for folder in CASES.iterdir() if folder.is_dir())


@pytest.fixture(autouse=True, scope="module")
def _shipped_files_are_read_once() -> Any:
    """Keep the shipped files once read: they are the same for all cases."""
    read, folder = params._document, params.default_folder()
    kept = cache(lambda file: read(file, folder, []))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(params, "_document", lambda file, around, problems: kept(file) if around == folder else read(file, around, problems))
        yield


def expected(name: str) -> dict[str, Any]:
    return tomllib.loads((CASES / name / "expect.toml").read_text(encoding="utf-8"))


def folders(name: str, expect: dict[str, Any]) -> list[Path]:
    given = expect.get("params", ["params"] if (CASES / name / "params").exists() else [])
    return [CASES / name / folder for folder in given]


def place(name: str, expect: dict[str, Any]) -> tuple[str, int, int]:
    """Return file, line and column that the message must name; 0 where a file as a whole is meant."""
    if "shipped" not in expect:
        return str(CASES / name / expect["file"]), expect.get("line", 0), expect.get("column", 0)
    lines = (params.default_folder().parent / expect["shipped"]).read_text(encoding="utf-8").split("\n")
    return expect["shipped"], next(n for n, line in enumerate(lines, 1) if line.startswith(expect.get("at", ""))), 1


def wanted(name: str, expect: dict[str, Any]) -> str:
    load = expect.get("load", "july_2025")
    return str(CASES / name / load) if load.endswith(".toml") else load


def of_a_case(name: str) -> bool:
    """Tell whether the defect is in a published case: those are read where they are asked for, and by no run."""
    return (CASES / name / "params" / "cases").exists()


def asked_for(name: str, expect: dict[str, Any]) -> None:
    """Ask for what the defect is in the way of."""
    if of_a_case(name):
        sp.replicate(params=folders(name, expect))
    else:
        sp.run(sp.load(wanted(name, expect), params=folders(name, expect)), policies=["none"])


def problems_of(name: str, expect: dict[str, Any]) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as caught:
        asked_for(name, expect)
    return caught.value.problems


def test_there_are_enough_cases() -> None:
    assert len(NAMES) >= 35
    assert len({expected(name)["about"] for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_one_defect_gives_one_clear_message(name: str) -> None:
    expect = expected(name)
    problems = problems_of(name, expect)
    assert len(problems) == expect.get("problems", 1), f"{expect['about']}: {problems}"
    assert ("problems" in expect) == ("why" in expect)
    text = "\n".join(map(str, problems))
    assert (*place(name, expect), expect["key"]) in [(p.file, p.line, p.column, p.key) for p in problems] or (
        place(name, expect) in [(p.file, p.line, p.column) for p in problems] and expect["problems"] > 1
    ), text
    for word in [*expect["words"], "allowed"]:
        assert word in text


@pytest.mark.parametrize("name", NAMES)
def test_the_command_line_prints_it_and_ends_with_2(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expect = expected(name)
    laid_over = [word for folder in folders(name, expect) for word in ("--params", str(folder))]
    out = tmp_path / "out.csv"
    asked = ["replicate"] if of_a_case(name) else ["run", wanted(name, expect), "--policy", "none"]
    assert main([*asked, *laid_over, "-o", str(out)]) == 2
    said = capsys.readouterr()
    file, line, column = place(name, expect)
    assert said.out == ""
    assert len(said.err.strip().split("\n")) == expect.get("problems", 1)
    assert (f"{file}:{line}:{column}: " if line else f"{file}: ") in said.err
    assert all(word in said.err for word in expect["words"])
    assert "Traceback" not in said.err
    assert list(tmp_path.iterdir()) == []


def test_a_faulty_case_is_in_the_way_of_no_run(capsys: pytest.CaptureFixture[str]) -> None:
    """It is found by what asks for cases, and by the check of all files."""
    folder = CASES / "case_of_unknown_munition" / "params"
    assert sp.load("july_2025", params=[folder]).digest == sp.load("july_2025").digest
    assert main(["params", "check", "--params", str(folder)]) == 2
    assert "cases/" in capsys.readouterr().err


def test_defects_of_several_files_come_back_together(tmp_path: Path) -> None:
    """Three folders laid over one another, and a scenario file: every defect of all of them in one error, in order."""
    names = ["share_above_one", "unknown_cause", "unknown_policy", "bad_file_name", "scenario_of_a_user"]
    folder = tmp_path / "params"
    for name in names[:3]:
        shutil.copytree(CASES / name / "params", folder, dirs_exist_ok=True)
    with pytest.raises(InputError) as caught:
        sp.load(CASES / "scenario_of_a_user" / "mine.toml", params=[folder, CASES / "bad_file_name" / "params", tmp_path / "missing"])
    text = str(caught.value)
    assert len(caught.value.problems) == 6, text
    assert list(caught.value.problems) == sorted(caught.value.problems)
    for name in names:
        assert all(word in text for word in expected(name)["words"]), name


def test_several_defects_of_one_file_come_back_together(tmp_path: Path) -> None:
    text = ""
    for name in ("negative_stock", "money_without_year", "range_without_shape", "unknown_unit"):
        text += (CASES / name / "params" / "munitions" / "pac3.toml").read_text(encoding="utf-8")
    (tmp_path / "munitions").mkdir()
    (tmp_path / "munitions" / "pac3.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        sp.load(params=[tmp_path])
    assert [problem.key for problem in caught.value.problems] == ["us_stock.value", "unit_cost.unit", "us_share.shape", "training.unit"]


def test_a_value_below_does_not_hide_what_an_overlay_leaves_out(tmp_path: Path) -> None:
    """A parameter is replaced whole: the note of the parameter below is gone, and the message points into the file that lacks one."""
    (tmp_path / "munitions").mkdir()
    text = '[training]\nunit = "round/year"\nvalue = 5\ngrade = "assumed"\n'
    (tmp_path / "munitions" / "pac3.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        sp.load(params=[tmp_path])
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.column, problem.key) == (str(tmp_path / "munitions" / "pac3.toml"), 1, 2, "training.note")


def test_unknown_scenario_names_the_nearest() -> None:
    with pytest.raises(InputError, match=r"unknown scenario 'july_2052'; did you mean 'july_2025'\?"):
        sp.load("july_2052")


SHIPPED = sorted(file for file in params.default_folder().rglob("*.toml") if file.stat().st_size < 9000)
ANYTHING = st.sampled_from(
    [
        0,
        -1,
        2.5,
        float("nan"),
        True,
        "",
        "x",
        "2025-07-09",
        "all",
        [],
        {},
        [[]],
        [1],
        [{}],
        {"unit": "1"},
        {"unit": 5},
        {"same_as": 1},
        {"same_as": "model.slip"},
        {"points": 3},
        {"points": [3]},
        {"source": 4},
        {"source": [4, "a"]},
    ]
)


def spots(node: Any) -> list[tuple[Any, Any]]:
    """Return every place of a nested table: the table or list that holds it, and the key."""
    items: Any = list(node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ())
    return [(node, key) for key, _ in items] + [spot for _, value in items for spot in spots(value)]


@settings(max_examples=80)
@given(st.sampled_from(SHIPPED), st.data())
def test_nothing_in_a_file_ends_in_a_traceback(file: Path, data: st.DataObject) -> None:
    """Whatever stands in place of any value of a file: it is read and runs, or it is an `InputError`."""
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    holder, key = data.draw(st.sampled_from(spots(table)))
    if data.draw(st.booleans()) and isinstance(holder, dict):
        del holder[key]
    else:
        holder[key] = data.draw(ANYTHING)
    document = params.Document(file, f"params/{file.name}", file.read_text(encoding="utf-8"), table)
    read = params._document
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(params, "_document", lambda other, *rest: document if other == file else read(other, *rest))
        with suppress(InputError):
            found = params.read()
            for name in ("july_2025", "second_campaign"):
                sp.run(scenario.resolve(found, name), policies=["none"])
