"""The command line: what it prints and writes, what it refuses, and how it ends."""

from __future__ import annotations

import csv
import datetime as dt
import errno
import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from commands import Call

import stockpile as sp
import stockpile.report
from stockpile.cli import app, main
from stockpile.cli.options import toml_value
from stockpile.cli.output import QuietConsole, emit_table, rounds

SCENARIO = sp.load("july_2025")
COMMAND = [sys.executable, "-m", "stockpile.cli"]
VERBS = [
    ["run"], ["compare"], ["ensemble"], ["report"], ["explain"], ["doctor"], ["params", "check"], ["params", "list"], ["params", "show"],
    ["params", "sources"], ["params", "schema"],
]


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    """A folder with one policy of the user's own."""
    folder = tmp_path / "mine"
    (folder / "policies").mkdir(parents=True)
    text = (stockpile_params() / "policies" / "suspension_indefinite.toml").read_text(encoding="utf-8")
    (folder / "policies" / "my_policy.toml").write_text(text, encoding="utf-8")
    return folder


def stockpile_params() -> Path:
    from stockpile.params import default_folder

    return default_folder()


def process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False, **options)


# ---------------------------------------------------------------- help and usage


def test_help_lists_the_verbs_and_loads_little() -> None:
    code = (
        "import sys; from stockpile.cli import main; assert main(['--help']) == 0;"
        "heavy = {'numpy', 'pandas', 'plotly', 'pydantic', 'pyarrow', 'scipy', 'jinja2', 'stockpile.schema', 'stockpile.simulate'};"
        "print('HEAVY', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("HEAVY []")
    for verb in ("run", "compare", "ensemble", "report", "explain", "params", "doctor"):
        assert re.search(rf"^\S* *{verb} ", done.stdout, re.MULTILINE), verb
    assert "130 interrupted" in done.stdout


def test_importing_the_package_loads_numpy_and_pydantic_only() -> None:
    code = (
        "import sys; before = set(sys.modules); import stockpile as sp; sp.load; sp.run; sp.InputError; sp.Result; sp.scenarios;"
        "new = {name.split('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names);"
        "print(' '.join(sorted(name for name in new if not name.startswith('_sysconfigdata'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    belongs_to_pydantic = {"pydantic_core", "annotated_types", "typing_extensions", "typing_inspection"}
    assert set(done.stdout.split()) - belongs_to_pydantic == {"stockpile", "numpy", "pydantic"}


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_help_of_a_verb(call: Call, verb: list[str]) -> None:
    done = call(*verb, "--help")
    assert done.code == 0
    assert done.err == ""
    for option in ("--json", "--params", "--seed"):
        assert option in done.out
    if verb[0] in ("run", "compare", "ensemble", "report", "explain"):
        for option in ("--set", "--policy", "--output -o"):
            assert option in done.out


def test_version(call: Call) -> None:
    assert call("--version").out.strip() == sp.__version__


@pytest.mark.parametrize(("arguments", "verbs"), [([], app.VERBS), (["params"], app.PARAMS), (["export"], app.EXPORT)])
def test_no_verb_gives_help_that_says_what_each_does(call: Call, arguments: list[str], verbs: dict[str, str]) -> None:
    for more in ([], ["--help"]):
        done = call(*arguments, *more)
        assert done.code == 0
        assert "Usage: stockpile" in done.out
        assert [verb for verb in verbs if not re.search(rf"^\W+{verb} +[A-Z]\w+ ", done.out, re.MULTILINE)] == []


def test_a_verb_imports_no_other() -> None:
    code = (
        "import sys; from stockpile.cli.app import call; call(['params', 'show', 'munitions.pac3.us_share']);"
        "print([name for name in ('score', 'ensemble', 'export') if f'stockpile.cli.{name}' in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rn"], 'Unknown command "rn". Did you mean "run"?'),
        (["--jsn"], 'Unknown option "--jsn"'),
        (["params", "chek"], 'Unknown command "chek". Did you mean "check"?'),
        (["run", "--polcy", "none"], "Unknown option: --polcy. Did you mean --policy?"),
        (["run", "july_2025", "november_2026"], "stockpile run: more than it takes: november_2026"),
        (["run", "--seed", "one"], "--seed"),
        (["run", "-o"], "-o requires an argument"),
        (["explain", "pac3"], "DATE requires an argument"),
        (["run", "--json", "--json"], "--json specified multiple times"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_wrong_usage(call: Call, arguments: list[str], said: str) -> None:
    done = call(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert said in done.err
    assert re.search(r"^See: stockpile( \w+)* --help$", done.err, re.MULTILINE)
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "july_2052"], "unknown scenario 'july_2052'; did you mean 'july_2025'?"),
        (["run", "--policy", "nono"], "unknown policy 'nono'; did you mean 'none'?"),
        (["run", "--policy", "none,none"], "a policy is named twice"),
        (["run", "--policy", "none,"], "has a policy without a name"),
        (["run", "--params", "/no/such/folder"], "/no/such/folder: is not a folder"),
        (["run", "--set", "munitions.pac3.us_shar=0.5"], "did you mean 'us_share'?"),
        (["run", "--set", "munitions.pac3.us_share=2"], "munitions.pac3.us_share.points.0.value: 2 "),
        (["run", "--set", "munitions.pac3.us_share=half"], "value 'half' is not a number"),
        (["run", "--set", "munitions.pac3.us_share"], "--set: 'munitions.pac3.us_share' is not a change; allowed: PATH=VALUE"),
        (["run", "--set", "scenario.as_of=2025-01-01"], "scenario.as_of"),
        (["run", "-o", "result.xlsx"], "result.xlsx: unknown ending '.xlsx'; allowed: .csv, .json, .parquet"),
        (["run", "-o", "result"], "result: has no ending; allowed: .csv, .json, .parquet"),
        (["run", "-o", "/no/such/folder/result.csv"], "there is no folder /no/such/folder"),
        (["compare", "-o", "result.parquet"], "unknown ending '.parquet'; allowed: .csv, .json"),
        (["compare", "--date", "soon"], "--date: 'soon' is not a date"),
        (["compare", "--date", "2050-01"], "2050-01-01 is outside the run; allowed: 2022-03-01 to 2033-01-01"),
        (["report", "-o", "page.pdf"], "unknown ending '.pdf'; allowed: .html"),
        (["report", "--index", "/no/such/folder"], "/no/such/folder"),
        (["explain", "pac4", "2025-07"], "unknown munition 'pac4'; did you mean 'pac3'?"),
        (["explain", "pac3", "2033-01"], "outside the run"),
        (["params", "show", "pac3.us_share"], "did you mean 'munitions.pac3.us_share'?"),
        (["params", "show", "munitions.pac3.us_share.points"], "unknown path; did you mean 'munitions.pac3.us_share'?"),
        (["params", "schema", "munitions"], "unknown kind of file 'munitions'; did you mean 'munition'?"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_bad_input(call: Call, arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = call(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert said in done.err
    assert list(tmp_path.iterdir()) == []


def test_every_problem_has_a_line(call: Call) -> None:
    done = call("run", "--set", "x", "--set", "a.b=1", "--set", "a.b.scale=2", "--set", "=3")
    assert done.code == 2
    assert done.err.splitlines() == [
        "--set: '=3' is not a change; allowed: PATH=VALUE, for example munitions.pac3.us_share=0.5",
        "--set: 'x' is not a change; allowed: PATH=VALUE, for example munitions.pac3.us_share=0.5",
        "--set: a.b is set twice: 'a.b=1' and 'a.b.scale=2'; allowed: once",
    ]


# ---------------------------------------------------------------- run


def cells(text: str, munition: str) -> dict[str, list[str]]:
    """Return the cells of one munition's table, by policy."""
    block = text[text.index(SCENARIO.munitions[munition].title) :].split("\n\n")[0]
    return {line.split()[0]: line.split()[1:] for line in block.splitlines()[3:]}


def test_run_prints_what_the_result_says(call: Call) -> None:
    done = call("run")
    result = sp.run(SCENARIO)
    assert done.code == 0
    assert done.err == ""
    for munition in SCENARIO.munitions:
        shown = cells(done.out, munition)
        assert list(shown) == list(result.policies)
        floor = result.levels[munition]["transfer_floor"][0]
        for policy in result.policies:
            stock = result.array("us_on_hand", policy=policy, munition=munition)[0]
            below = np.flatnonzero(stock < floor)
            then = result.index("2025-07-09")
            low = then + 1 + stock[then + 1 :].argmin()
            expected = [
                rounds(stock[0]), rounds(stock[then]), rounds(stock[low]), str(result.dates[low])[:7],
                rounds(stock[-1]), str(result.dates[below[0]])[:7] if len(below) else "never",
                *(rounds(result.array("unmet", who, policy=policy, munition=munition).sum()) for who in result.recipients),
            ]
            assert shown[policy] == expected
    assert any(row[5] == "never" for row in cells(done.out, "pac3").values())
    assert any(row[5] != "never" for row in cells(done.out, "shell_155mm").values())
    assert f"floor assumed here: transfer_floor {rounds(result.levels['pac3']['transfer_floor'][0])})" in done.out
    assert SCENARIO.digest[:12] in done.out
    assert "will" not in done.out.split()


def test_run_as_json(call: Call) -> None:
    found = call("run", "--json", "--policy", "none,suspension_indefinite", "--policy", "us_first", "--seed", "7").json
    assert found["manifest"]["policies"] == ["none", "suspension_indefinite", "us_first"]
    assert found["seed"] == 7
    rows = {(row["policy"], row["munition"]): row for row in found["overview"]}
    assert len(rows) == 12
    row = rows["none", "pac3"]
    assert row["first_below_floor"] is None
    assert row["as_of"] == "2025-07-01"
    assert row["stock_at_start"] == SCENARIO.munitions["pac3"].us_stock.points[0].value
    assert rows["us_first", "shell_155mm"]["unmet"].keys() == set(SCENARIO.recipients)


def test_seed_moves_no_number(call: Call) -> None:
    plain, seeded = (call("run", "--policy", "none", *more) for more in ((), ("--seed", "5")))
    assert plain.out == seeded.out


def test_set_is_passed_on(call: Call) -> None:
    changed = SCENARIO.override({"munitions.pac3.us_share": 0.5, "model.slip.add": 12})
    done = call("run", "--json", "--policy", "none", "--set", "munitions.pac3.us_share=0.5", "--set", "model.slip.add=12")
    assert done.json["manifest"]["parameters"] == changed.digest != SCENARIO.digest
    assert done.json["manifest"]["overrides"] == {"munitions.pac3.us_share": "0.5", "model.slip.add": "12"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.5", 0.5), ("1_000", 1000), ("true", True), ("2025-07-01", dt.date(2025, 7, 1)), ('"none"', "none"), ("none", "none"),
        ('["none", "us_first"]', ["none", "us_first"]), ("{scale = 0.2, from = 2026-01-01}", {"scale": 0.2, "from": dt.date(2026, 1, 1)}),
        ("", ""), ("1\nother = 2", "1\nother = 2"), (".5", ".5"),
    ],
)
def test_values_are_read_as_toml_or_text(text: str, value: Any) -> None:
    assert toml_value(text) == value
    assert type(toml_value(text)) is type(value)


def test_result_is_saved_whole(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "result.parquet"
    done = call("run", "--policy", "none,us_first", "-o", file)
    assert done.code == 0
    assert done.err == f"written: {file}\n"
    pd.testing.assert_frame_equal(sp.open(file).table(inputs=True), sp.run(SCENARIO, ["none", "us_first"]).table(inputs=True))
    assert [one.name for one in tmp_path.iterdir()] == ["result.parquet"]


def test_tidy_table_as_csv_and_json(call: Call, tmp_path: Path) -> None:
    expected = sp.run(SCENARIO, ["none"]).table()
    assert call("run", "--policy", "none", "-o", tmp_path / "table.csv").code == 0
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "table.csv", parse_dates=["date"]), expected, check_dtype=False)
    assert call("run", "--policy", "none", "-o", tmp_path / "table.json").code == 0
    found = json.loads((tmp_path / "table.json").read_text(encoding="utf-8"))
    assert found["manifest"]["parameters"] == SCENARIO.digest
    assert [row["value"] for row in found["table"]] == expected["value"].tolist()
    assert found["table"][0] == {
        "policy": "none", "member": 0, "munition": "pac3", "recipient": "us", "quantity": "us_on_hand", "date": "2022-03-01",
        "value": expected["value"].iloc[0], "unit": "round",
    }


def test_a_file_that_cannot_be_written_is_said(call: Call, tmp_path: Path) -> None:
    done = call("run", "--policy", "none", "-o", tmp_path)
    assert done.code == 2
    assert done.err == f"{tmp_path}: has no ending; allowed: .csv, .json, .parquet\n"
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    assert call("run", "--policy", "none", "-o", folder).err == f"{folder}: is a folder; allowed: a file\n"


def test_params_are_laid_over(call: Call, overlay: Path) -> None:
    assert call("run", "--policy", "my_policy").code == 2
    done = call("run", "--policy", "my_policy,suspension_indefinite", "--params", overlay)
    assert done.code == 0
    for munition in SCENARIO.munitions:
        shown = cells(done.out, munition)
        assert shown["my_policy"] == shown["suspension_indefinite"]


def test_scenario_may_be_a_file(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('title = "Mine"\ndescription = "Shorter."\nbase = "july_2025"\nend = 2026-01-01\n', encoding="utf-8")
    found = call("run", file, "--json", "--policy", "none").json
    assert found["manifest"]["scenario"] == "mine"
    assert found["overview"][0]["end"] == "2026-01-01"


# ---------------------------------------------------------------- compare


def test_compare_puts_none_in_front_and_prints_differences(call: Call) -> None:
    done = call("compare", "--policy", "suspension_indefinite")
    assert done.code == 0
    result = sp.run(SCENARIO, ["none", "suspension_indefinite"])

    def total(quantity: str, who: str, munition: str) -> str:
        one, base = (result.array(quantity, who, policy=p, munition=munition).sum() for p in ("suspension_indefinite", "none"))
        return rounds(one - base, sign=True)

    for munition in SCENARIO.munitions:
        one, base = (result.array("us_on_hand", policy=p, munition=munition)[0] for p in ("suspension_indefinite", "none"))
        august = result.index("2025-08-01")
        shown = cells(done.out, munition)
        assert list(shown) == ["suspension_indefinite"]
        assert shown["suspension_indefinite"][:3] == [
            rounds(value, sign=True) for value in (one.min() - base.min(), one[august] - base[august], one[-1] - base[-1])
        ]
        assert shown["suspension_indefinite"][3:9] == [
            *(total("sent", who, munition) for who in result.recipients), *(total("unmet", who, munition) for who in result.recipients)
        ]
        sent = sum(result.array("sent", who, policy="suspension_indefinite", munition=munition).sum() for who in result.recipients)
        sent -= sum(result.array("sent", who, policy="none", munition=munition).sum() for who in result.recipients)
        used = sum(s * result.array("own_use", policy=p, munition=munition).sum() for s, p in ((1, "suspension_indefinite"), (-1, "none")))
        cost = result.unit_cost[munition][0] * (sent + used) / 1e6
        assert shown["suspension_indefinite"][9] == rounds(cost, sign=True)
    assert "stock at\n" not in done.out
    assert "2025-08-01" in done.out


def test_compare_at_another_date(call: Call) -> None:
    rows = call("compare", "--policy", "suspension_indefinite,none", "--date", "2026-01", "--json").json["comparison"]
    result = sp.run(SCENARIO, ["none", "suspension_indefinite"])
    step = result.index("2026-01-01")
    for row in rows:
        one, base = (result.array("us_on_hand", policy=p, munition=row["munition"])[0, step] for p in (row["policy"], "none"))
        assert row["date"] == "2026-01-01"
        assert row["change_at_date"] == one - base
    assert {row["policy"] for row in rows} == {"suspension_indefinite"}


def test_compare_none_with_itself(call: Call) -> None:
    assert call("compare", "--policy", "none").out == "Nothing to compare: none is the only policy.\n"


def test_compare_writes_the_metrics(call: Call, tmp_path: Path) -> None:
    expected = sp.run(SCENARIO, ["none", "us_first"]).metrics()
    for name in ("metrics.csv", "metrics.json"):
        assert call("compare", "--policy", "us_first", "-o", tmp_path / name).code == 0
    with (tmp_path / "metrics.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    key = ["policy", "munition", "recipient", "metric"]
    wanted = {tuple(row[k] for k in key): (row["value"], row["unit"]) for _, row in expected.iterrows()}
    assert {tuple(row[k] for k in key): (float(row["value"]), row["unit"]) for row in rows} == wanted
    found = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert {tuple(row[k] for k in key): (float(row["value"]), row["unit"]) for row in found} == wanted
    assert {np.inf, -np.inf} <= {value for value, _ in wanted.values()}


# ---------------------------------------------------------------- report and explain


def test_report_gets_what_was_asked_for(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def fake(source: Any, path: Path, policies: Any, command: str, **draws: Any) -> Path:
        draws.pop("progress")(0)
        asked.append((source.digest, path, policies, command, draws))
        return path

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys.modules["stockpile.report"], "report", fake)
    assert call("report").out == "july_2025.html\n"
    done = call("report", "--set", "model.slip.add=12", "--policy", "none,us_first", "-o", tmp_path / "new" / "page.html", "--json")
    assert done.json["page"] == str(tmp_path / "new" / "page.html")
    assert call("report", "--members", "1e2", "--seed", "7").code == 0
    assert call("report", "--members", "0").code == 0
    page, usual = Path("july_2025.html"), {"members": 2000, "seed": 1}
    assert asked == [
        (SCENARIO.digest, page, None, "stockpile report july_2025 --members 2000 --seed 1 -o july_2025.html", usual),
        (
            SCENARIO.override({"model.slip.add": 12}).digest, tmp_path / "new" / "page.html", ["none", "us_first"],
            "stockpile report july_2025 --members 2000 --seed 1 -o page.html --set model.slip.add=12 --policy none,us_first", usual,
        ),
        (SCENARIO.digest, page, None, "stockpile report july_2025 --members 100 --seed 7 -o july_2025.html", {"members": 100, "seed": 7}),
        (SCENARIO.digest, page, None, "stockpile report july_2025 --members 0 -o july_2025.html", {"members": 0, "seed": 1}),
    ]
    assert call("report", "--members", "some").code == 2


def test_index_is_written_into_the_folder(call: Call, tmp_path: Path) -> None:
    done = call("report", "--index", tmp_path)
    assert (done.code, done.out) == (0, f"{tmp_path / 'index.html'}\n")
    assert (tmp_path / "index.html").is_file()


def test_explain_prints_ledger_and_numbers(call: Call) -> None:
    done = call("explain", "pac3", "2025-07", "--policy", "suspension_2025_07")
    assert done.code == 0
    explanation = sp.explain(SCENARIO, "pac3", "2025-07", "suspension_2025_07")
    sent = next(e.value for e in explanation.entries if (e.stock, e.entry, e.of) == ("us_on_hand", "sent", "ukraine"))
    assert sent > 0
    assert re.search(rf"^- sent +ukraine +{sent:,.2f}$", done.out, re.MULTILINE)
    share = SCENARIO.munitions["pac3"].us_share.points[0]
    numbers = rf"{share.value:g} +{share.low:g} to {share.high:g} +1"
    shown = rf"^munitions\.pac3\.us_share +{numbers} +{share.grade} +{share.from_} +{share.source[0]}"
    assert re.search(shown, done.out, re.MULTILINE)
    assert "Event: Shipment held in July 2025 (tranche_2025_07; package, ukraine), 2025-07-01 to 2025-07-09." in done.out
    assert "Suspension: 2025-07-01 to 2025-07-09, for ukraine: transfers deferred, new production held." in done.out
    assert "Suspension: none in force under policy none." in call("explain", "pac3", "2025-07").out


def test_explain_as_json(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "july.json"
    done = call("explain", "aim9x", "2025-07", "--policy", "none,us_first", "--scenario", "ceasefire", "--json", "-o", file)
    assert json.loads(file.read_text(encoding="utf-8")) == done.json
    found = done.json["explanations"]
    assert [one["policy"] for one in found] == ["none", "us_first"]
    assert {one["scenario"] for one in found} == {"ceasefire"}
    assert {row["entry"] for row in found[0]["entries"]} > {"opening", "closing", "sent", "expired"}
    assert {"path", "value", "unit", "low", "high", "grade", "source", "note"} <= found[0]["values"][0].keys()


# ---------------------------------------------------------------- params


def test_params_check_counts(call: Call) -> None:
    done = call("params", "check")
    assert done.code == 0
    found = call("params", "check", "--json").json
    files = list(stockpile_params().rglob("*.toml"))
    assert found["files"] == len(files)
    assert found["scenarios"] == list(sp.scenarios())
    assert found["sources"] == sum(found["source_kinds"].values()) == sum(found["outlet_kinds"].values())
    assert sum(found["grades"].values()) == found["values"] - found["beside"]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    assert found["values"] == len(re.findall(r"^grade = ", text, re.MULTILINE))
    assert found["beside"] == len(re.findall(r"^used = false", text, re.MULTILINE))
    assert f"{found['sources']} sources: " in done.out
    for grade, count in found["grades"].items():
        assert f"{count} {grade}" in done.out


def test_params_check_names_every_fault(call: Call, overlay: Path) -> None:
    (overlay / "policies" / "bad.toml").write_text('title = "Bad"\ntransfer_flor = "x"\n', encoding="utf-8")
    (overlay / "events").mkdir()
    (overlay / "events" / "worse.toml").write_text("title = [\n", encoding="utf-8")
    done = call("params", "check", "--params", overlay)
    assert done.code == 2
    assert done.out == ""
    lines = done.err.splitlines()
    assert f"{overlay}/policies/bad.toml:2:1: transfer_flor: unknown key; did you mean 'transfer_floor'?" in done.err
    assert any(line.startswith(f"{overlay}/events/worse.toml:") and "is not valid TOML" in line for line in lines)
    assert f"{overlay}/policies/bad.toml:1:1: review_level: missing" in done.err
    assert len(lines) >= 4
    assert all(re.match(r"\S+\.toml:\d+:\d+: ", line) for line in lines)


def test_params_check_finds_a_scenario_that_cannot_be_assembled(call: Call, tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    text = (
        'title = "Greedy"\ndescription = "Too much."\nbase = "july_2025"\n'
        '[[changes]]\npath = "munitions.pac3.us_share"\nvalue = 1.0\nreason = "test"\n'
    )
    (tmp_path / "scenarios" / "greedy.toml").write_text(text, encoding="utf-8")
    done = call("params", "check", "--params", tmp_path)
    assert done.code == 2
    assert "shares of the line sum to" in done.err


def test_params_list_is_the_table(call: Call, tmp_path: Path) -> None:
    expected = SCENARIO.table()
    rows = call("params", "list", "--json").json["values"]
    assert [row["path"] for row in rows] == expected["path"].tolist()
    assert [row["value"] for row in rows] == expected["value"].tolist()
    assert [row["from"] for row in rows] == [None if pd.isna(one) else str(one.date()) for one in expected["from"]]
    text = call("params", "list").out.splitlines()
    assert text[0] == f"{len(rows)} values"
    assert len(text) == len(rows) + 2
    file = tmp_path / "values.csv"
    assert call("params", "list", "november_2026", "-o", file).code == 0
    assert pd.read_csv(file)["value"].tolist() == sp.load("november_2026").table()["value"].tolist()


def test_params_show_says_everything_of_a_parameter(call: Call) -> None:
    path = "munitions.pac3.us_stock"
    done = call("params", "show", path)
    parameter = SCENARIO.munitions["pac3"].us_stock
    beside = [item.point for item in SCENARIO.beside if item.path == path]
    assert beside
    assert done.out.startswith(f"{path}\n  parameter, in round; uncertainty, triangular\n")
    point = parameter.points[0]
    assert f"from {point.from_}: {point.value:,.0f} round, range {point.low:,.0f} to {point.high:,.0f}, {point.grade}" in done.out
    assert "Beside it, not used:" in done.out
    for point in [*parameter.points, *beside]:
        assert " ".join((point.note or "").split()) in done.out
        for key in point.source:
            source = SCENARIO.sources[key]
            for part in (key, source.title, source.publisher, source.url, source.relays or ""):
                assert part in done.out
    found = call("params", "show", path, "--json").json
    assert [point["value"] for point in found["points"]] == [point.value for point in parameter.points]
    assert [point["value"] for point in found["beside"]] == [point.value for point in beside]
    assert found["points"][0]["conflict"] == "us_stock_2022"


def test_params_show_tells_other_values_that_are_drawn_from_those_that_are_not(call: Call) -> None:
    path = "munitions.pac3.line.lots.multiyear_2025.quantity"
    asked = ("params", "show", path, "--scenario", "november_2026")
    done = call(*asked)
    (point,) = sp.load("november_2026").munitions["pac3"].line.lots["multiyear_2025"].quantity.points
    (_, own), (other, weight) = point.choices
    used, drawn = done.out.split("\nDrawn as well, by their weights:\n")
    assert f"weight: {own:g}\n" in used
    assert f"{other:,.0f} round" in drawn and f"weight: {weight:g}\n" in drawn
    assert "not used" not in done.out
    (beside,) = call(*asked, "--json").json["beside"]
    assert (beside["value"], beside["weight"], beside["drawn"]) == (other, weight, True)
    pinned = call(*asked, "--set", f"{path}=1500")
    assert "Beside it, not used:" in pinned.out
    assert "Drawn as well" not in pinned.out
    assert [row["drawn"] for row in call(*asked, "--set", f"{path}=1500", "--json").json["beside"]] == [False]
    scaled = call(*asked, "--set", f"{path}.scale=0.5")
    assert "Drawn as well" in scaled.out


def test_params_show_of_a_changed_parameter(call: Call) -> None:
    done = call("params", "show", "munitions.pac3.us_share", "--set", "munitions.pac3.us_share=0.5")
    assert "  0.5, assumed" in done.out


def test_params_show_follows_references(call: Call) -> None:
    rounds_of = "events.tranche_2025_07.rounds"
    done = call("params", "show", f"{rounds_of}.aim9x.aim9x_part")
    assert done.out.startswith(f"{rounds_of}.aim9x.aim9x_part is 1 minus {rounds_of}.aim120.aim120_part\n")
    target = call("params", "show", f"{rounds_of}.aim120.aim120_part")
    assert done.out.endswith(target.out)


def test_params_show_of_plans_groups_and_settings(call: Call) -> None:
    plan = call("params", "show", "munitions.pac3.line.parts.missile.plans.rate_650")
    first = SCENARIO.munitions["pac3"].line.parts["missile"].plans["rate_650"]
    assert f"by {first.by}: {first.value:,.0f} round/year, {first.grade}" in plan.out
    group = call("params", "show", "munitions.pac3")
    under = [row for row in SCENARIO.table()["path"] if row.startswith("munitions.pac3.")]
    assert group.out.startswith(f"munitions.pac3: {len(under)} values\n")
    assert all(path in group.out for path in under)
    assert "munitions.aim9x" not in group.out
    assert call("params", "show", "scenario.as_of").out == "scenario.as_of = 2025-07-09\n"
    assert "policies.none.transfer_floor = transfer_floor" in call("params", "show", "policies.none").out


def test_params_show_sees_no_later_than_the_scenario(call: Call) -> None:
    path = "munitions.pac3.us_share"
    july, november = (call("params", "show", path, "--scenario", name, "--json").json for name in ("july_2025", "november_2026"))
    assert len(july["points"]) < len(november["points"])


def test_params_sources(call: Call, tmp_path: Path) -> None:
    rows = call("params", "sources", "--json").json
    text = "\n".join(file.read_text(encoding="utf-8") for file in stockpile_params().rglob("*/*.toml")) + (
        stockpile_params() / "model.toml"
    ).read_text(encoding="utf-8")
    for row in rows:
        assert row["values"] == len(re.findall(rf'"{row["source"]}"', text)), row
    assert call("params", "sources").out.splitlines()[0] == f"{len(rows)} sources"
    assert call("params", "sources", "--strict").code == (0 if all(row["values"] for row in rows) else 1)
    (tmp_path / "sources.toml").write_text(
        '[nobody_2020]\ntitle = "Unread"\npublisher = "Nobody"\ndate = 2020-01-31\nprecision = "month"\n'
        'url = "none: a test"\nkind = "original"\noutlet_kind = "press"\n',
        encoding="utf-8",
    )
    strict = call("params", "sources", "--strict", "--params", tmp_path)
    assert strict.code == 1
    assert "nobody_2020: nothing rests on it" in strict.err
    assert re.search(r"^nobody_2020 +original +press +2020-01 +0 +Nobody$", strict.out, re.MULTILINE)
    assert call("params", "sources", "--params", tmp_path).code == 0


def test_params_schema(call: Call, tmp_path: Path) -> None:
    from stockpile.editors import KINDS, json_schema

    assert call("params", "schema", "munition").json == json_schema("munition")
    assert set(call("params", "schema").json) == set(KINDS)
    assert call("params", "schema", "-o", tmp_path / "schema").code == 0
    assert {file.name for file in (tmp_path / "schema").iterdir()} == {f"{kind}.schema.json" for kind in KINDS}
    assert json.loads((tmp_path / "schema" / "event.schema.json").read_text(encoding="utf-8")) == json_schema("event")
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert call("params", "schema", "-o", tmp_path / "file" / "schema").code == 2


# ---------------------------------------------------------------- doctor


def test_doctor(call: Call, tmp_path: Path) -> None:
    done = call("doctor")
    assert done.code == 0
    found = call("doctor", "--json").json
    assert found["needed"]["numpy"] == np.__version__
    assert found["params"] == str(stockpile_params())
    assert "xarray" in found["optional"]
    assert f"stockpile {sp.__version__}" in done.out
    (tmp_path / "model.toml").write_text("cover = 3\n", encoding="utf-8")
    ill = call("doctor", "--params", tmp_path)
    assert ill.code == 1
    assert f"{tmp_path}/model.toml:1:1: cover:" in ill.out


# ---------------------------------------------------------------- how it ends


def test_interrupted_run_leaves_nothing_behind(overlay: Path, tmp_path: Path) -> None:
    """A rule of the user's own says when the run has begun, and takes long."""
    policy = overlay / "policies" / "my_policy.toml"
    policy.write_text(f'{policy.read_text(encoding="utf-8")}\n[allocation]\nuse = "slow_rule:Slow"\n', encoding="utf-8")
    rule = "import pathlib, time\nclass Slow:\n    def allocate(self, view):\n        pathlib.Path('begun').touch(), time.sleep(600)\n"
    (tmp_path / "slow_rule.py").write_text(rule, encoding="utf-8")
    arguments = [*COMMAND, "run", "--params", str(overlay), "--policy", "my_policy", "-o", "result.csv"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    running = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment)
    while not (tmp_path / "begun").exists():
        assert running.poll() is None, running.communicate()
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert running.returncode == 130
    assert out == ""
    assert err == "interrupted\n"
    assert {file.name for file in tmp_path.iterdir()} == {"begun", "mine", "slow_rule.py"}


@pytest.mark.parametrize("arguments", [["params", "list"], ["params", "list", "--json"], ["--help"]], ids=" ".join)
def test_reader_who_has_gone_is_no_error(arguments: list[str]) -> None:
    running = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert running.stderr is not None
    running.stdout.close()
    err = running.stderr.read()
    assert running.wait(timeout=30) == 0
    assert err == ""
    running.stderr.close()


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    "arguments",
    [["run", "--policy", "none"], ["run", "--policy", "none", "--json"], ["--help"], ["sweep", "--help"], ["--version"]],
    ids=" ".join,
)
def test_full_disk_is_said(arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdout", FullDisk())
    assert main(arguments) == 2
    assert capsys.readouterr().err == "standard output: cannot be written: No space left on device\n"


def test_installed_command_is_this_one() -> None:
    done = process("run", "--policy", "none", "--set", "munitions.pac3.us_stock=")
    assert done.returncode == 2
    assert done.stderr.startswith("override: munitions.pac3.us_stock: value '' is not a number")


# ---------------------------------------------------------------- colours and widths


def on_a_terminal(*arguments: str, **more: str) -> str:
    """Return what the command prints on a terminal 80 characters wide."""
    ours, theirs = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    environment |= {"TERM": "xterm-256color", "COLUMNS": "80", **more}
    running = subprocess.Popen([*COMMAND, *arguments], stdout=theirs, stderr=subprocess.PIPE, env=environment)
    os.close(theirs)
    found = b""
    while select.select([ours], [], [], 30)[0]:
        try:
            block = os.read(ours, 65536)
        except OSError:
            break
        if not block:
            break
        found += block
    os.close(ours)
    running.communicate(timeout=30)
    assert running.returncode == 0
    return found.decode()


@pytest.mark.parametrize("arguments", [["run", "--policy", "none"], ["--help"]], ids=" ".join)
def test_colours_on_a_terminal_only(arguments: list[str]) -> None:
    assert "\x1b[" in on_a_terminal(*arguments)
    assert "\x1b" not in on_a_terminal(*arguments, NO_COLOR="1")
    assert "\x1b" not in process(*arguments).stdout


def test_numbers_are_whole_on_a_narrow_terminal() -> None:
    wide = cells(process("run", "--policy", "suspension_new_production_diverted").stdout, "shell_155mm")
    narrow = on_a_terminal("run", "--policy", "suspension_new_production_diverted", NO_COLOR="1")
    for number in wide["suspension_new_production_diverted"]:
        assert number in narrow


def test_table_of_a_pipe_has_one_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    emit_table("title", ["name", "two\nlines"], [["a" * 300, "1"], ["b", "22"]], numbers=["two\nlines"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[0] == "title"
    assert lines[3] == f"{'a' * 300}{'1':>7}"
    assert all(line == line.rstrip() for line in lines)


def test_console_passes_on_that_the_reader_has_gone() -> None:
    with pytest.raises(BrokenPipeError):
        QuietConsole().on_broken_pipe()


@pytest.mark.parametrize(
    ("value", "plain", "signed"),
    [
        (0.0, "0", "0"), (-1e-9, "0", "0"), (2300.4, "2,300", "+2,300"), (-9.96, "-10", "-10"), (1.04, "1.0", "+1.0"),
        (0.0081, "0.0081", "+0.0081"), (-0.5, "-0.5", "-0.5"), (1e6, "1,000,000", "+1,000,000"),
    ],
)
def test_rounds_as_printed(value: float, plain: str, signed: str) -> None:
    assert rounds(value) == plain
    assert rounds(value, sign=True) == signed
