"""The model in other software: XMILE through PySD and pysimlin, LaTeX, JavaScript, CSV; one clear error for what cannot be."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from commands import Call

import stockpile as sp
from stockpile.codegen import latex, xmile
from stockpile.codegen.trace import flat
from stockpile.errors import InputError
from stockpile.model.state import FLOWS, STOCKS

MUNITIONS = ("pac3", "shell_155mm", "aim120", "aim9x")
POLICIES = ("none", "suspension_6_months", "suspension_with_review")
STOCK_ROWS = ("on_hand", "withheld", "deferred")
TOLERANCE = 1e-9
"""Of the largest stock: tools add up flows in an order of their own."""
SPACE = "{http://docs.oasis-open.org/xmile/ns/XMILE/v1.0}"


@pytest.fixture(scope="module")
def scenario() -> sp.Scenario:
    return sp.load("july_2025")


@pytest.fixture(scope="module")
def result(scenario: sp.Scenario) -> sp.Result:
    return sp.run(scenario, list(POLICIES))


def stocks_of(result: sp.Result, policy: str, munition: str) -> dict[str, np.ndarray]:
    """Return all stocks by their names in the documents, over time."""
    found = {name: result.array(name, policy=policy, munition=munition)[0] for name in ("us_on_hand", "order_book")}
    for name in STOCK_ROWS:
        for who in result.recipients:
            found[f"{name}_{who}"] = result.array(name, who, policy=policy, munition=munition)[0]
    return found


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("munition", MUNITIONS)
def test_xmile_gives_our_trajectories(scenario: sp.Scenario, result: sp.Result, tmp_path: Path, munition: str, policy: str) -> None:
    simlin = pytest.importorskip("simlin")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pysd = pytest.importorskip("pysd")
        path = sp.export(scenario, "xmile", tmp_path / "model.xmile", munition=munition, policy=policy)
        ours = stocks_of(result, policy, munition)
        largest = max(np.abs(values).max() for values in ours.values())
        by_pysd = pysd.read_xmile(str(path)).run(return_columns=list(ours))
    run = simlin.load(path).simulate()
    run.run_to_end()
    for name, values in ours.items():
        assert np.abs(by_pysd[name].to_numpy() - values).max() <= TOLERANCE * largest, name
        assert np.abs(np.asarray(run.get_series(name)) - values).max() <= TOLERANCE * largest, name
    assert largest > 1000.0


def test_a_policy_that_changes_the_stock_changes_the_document(result: sp.Result) -> None:
    none, paused = (stocks_of(result, policy, "pac3")["us_on_hand"] for policy in POLICIES[:2])
    assert np.abs(none - paused).max() > 1.0


def test_finer_steps_are_exported_as_they_are(tmp_path: Path) -> None:
    simlin = pytest.importorskip("simlin")
    fine = sp.load("july_2025").override({"scenario.substeps": 4})
    path = sp.export(fine, "xmile", tmp_path / "fine.xmile", munition="aim9x", policy="suspension_with_review")
    assert '<dt reciprocal="true">4</dt>' in path.read_text()
    assert "<eqn>0.25</eqn>" in next(line for line in path.read_text().splitlines() if 'name="length_of_step"' in line)
    ours = stocks_of(sp.run(fine, ["suspension_with_review"]), "suspension_with_review", "aim9x")
    run = simlin.load(path).simulate()
    run.run_to_end()
    assert np.abs(np.asarray(run.get_series("us_on_hand")) - ours["us_on_hand"]).max() <= TOLERANCE * ours["us_on_hand"].max()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        by_pysd = pytest.importorskip("pysd").read_xmile(str(path)).run(return_columns=["us_on_hand"])["us_on_hand"].to_numpy()
    assert np.abs(by_pysd - ours["us_on_hand"]).max() <= TOLERANCE * ours["us_on_hand"].max()


def test_the_review_switches_in_the_document_as_in_the_run(tmp_path: Path) -> None:
    # A small stock, at a quarter of a month, so that the latch goes on and its flow is not the difference itself.
    simlin = pytest.importorskip("simlin")
    small = sp.load("july_2025").override({"scenario.substeps": 4, "munitions.pac3.us_stock.scale": 0.3})
    path = sp.export(small, "xmile", tmp_path / "small.xmile", munition="pac3", policy="us_first")
    run = simlin.load(path).simulate()
    run.run_to_end()
    ours = sp.run(small, ["us_first"]).array("review", policy="us_first", munition="pac3")[0]
    # Ours is what is in force over the step that begins at a date, the stock in the document what was in force over the step before it.
    assert {0.0, 1.0} == set(ours)
    assert np.array_equal(np.asarray(run.get_series("review"))[1:], ours)


def test_stocks_and_flows_bear_our_names_units_and_words(scenario: sp.Scenario, tmp_path: Path) -> None:
    path = sp.export(scenario, "xmile", tmp_path / "model.xmile", munition="pac3", policy="suspension_with_review")
    text = path.read_text()
    root = ElementTree.fromstring(text)
    variables = root.find(f"{SPACE}model/{SPACE}variables")
    assert variables is not None
    stocks = {one.get("name"): one for one in variables.iter(f"{SPACE}stock")}
    flows = {one.get("name"): one for one in variables.iter(f"{SPACE}flow")}
    recipients = tuple(scenario.recipients)
    assert set(stocks) == {"us_on_hand", "order_book", "review"} | {f"{name}_{who}" for name in STOCK_ROWS for who in recipients}
    for one in variables:
        assert one.findtext(f"{SPACE}units") and one.findtext(f"{SPACE}doc"), one.get("name")
    known = {*FLOWS, "lots", "us_inflow", "other_supply", "change_of_review"}
    assert {re.sub(f"_({'|'.join(recipients)})$", "", str(name)) for name in flows} <= known
    moved = {(one.tag.removeprefix(SPACE), one.text) for stock in stocks.values() for one in stock if one.tag.endswith("flow")}
    assert {name for _, name in moved} == set(flows)
    assert {kind for kind, name in moved if name == "sent_ukraine"} == {"inflow", "outflow"}
    assert [one.text for one in stocks["us_on_hand"].iter(f"{SPACE}outflow")] == [
        "own_use", *(f"sent_{who}" for who in recipients), "expired"
    ]
    assert stocks["us_on_hand"].findtext(f"{SPACE}units") == STOCKS["us_on_hand"].unit
    assert flows["sent_ukraine"].findtext(f"{SPACE}units") == "round/month"
    assert flows["sent_ukraine"].findtext(f"{SPACE}doc") == FLOWS["sent"].text
    assert "non_negative" not in text
    assert 'type="discrete"' in text
    for words in ("Stella", "Vensim", "PySD", "Simlin", scenario.digest[:12]):
        assert words in text
    specs = root.find(f"{SPACE}sim_specs")
    assert specs is not None
    assert (specs.get("method"), specs.findtext(f"{SPACE}dt")) == ("euler", "1")


CHILDREN = {
    "xmile": ("header", "sim_specs", "model_units", "model"), "header": ("vendor", "product", "name"), "sim_specs": ("start", "stop", "dt"),
    "model_units": ("unit",), "unit": ("alias",), "model": ("variables",), "variables": ("stock", "flow", "aux"),
    "stock": ("eqn", "units", "doc", "inflow", "outflow"), "flow": ("eqn", "units", "doc", "gf"), "aux": ("eqn", "units", "doc", "gf"),
    "gf": ("xpts", "ypts"),
}
"""What may stand in what, by the schema of XMILE 1.0, as far as we use it."""
RESERVED = """
abs arccos arcsin arctan cos exp inf int ln log10 max min pi sin sqrt tan exprnd lognormal normal poisson random
delay delay1 delay3 delayn forcst smth1 smth3 smthn trend pulse ramp step dt starttime stoptime time init previous self
and or not mod if then else std size sum mean prod rank stddev history
"""
"""Names that the standard keeps for itself, and isee's HISTORY."""


@pytest.mark.parametrize("policy", ["us_first", "ukraine_first", "suspension_indefinite"])
def test_the_document_keeps_to_the_standard(scenario: sp.Scenario, tmp_path: Path, policy: str) -> None:
    path = sp.export(scenario, "xmile", tmp_path / "model.xmile", munition="shell_155mm", policy=policy)
    root = ElementTree.parse(path).getroot()
    for one in root.iter():
        tag = one.tag.removeprefix(SPACE)
        assert {child.tag.removeprefix(SPACE) for child in one} <= set(CHILDREN.get(tag, ())), tag
        if tag in ("stock", "flow", "aux"):
            assert [child.tag.removeprefix(SPACE) for child in one if "flow" not in child.tag].count("eqn") == 1
    names = [str(one.get("name")) for kind in ("stock", "flow", "aux") for one in root.iter(f"{SPACE}{kind}")]
    assert len(set(names)) == len(names)
    assert not set(RESERVED.split()).intersection(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*[a-z0-9]", name) for name in names)
    used = {word for one in root.iter(f"{SPACE}eqn") for word in re.findall(r"[A-Za-z_]\w*", re.sub(r"[\d.]+e-?\d+", "", str(one.text)))}
    assert used - {"MIN", "MAX", "IF", "THEN", "ELSE", "TIME"} <= set(names)
    functions = list(root.iter(f"{SPACE}gf"))
    assert functions
    for one in functions:
        x, y = ([float(number) for number in str(one.findtext(f"{SPACE}{axis}pts")).split(",")] for axis in "xy")
        assert one.get("type") == "discrete" and len(x) == len(y) and x == sorted(set(x)) and x[0] < 0 and x[-1] == 130
        assert y[-1] == y[-2], "the last two points of a step function have the same value"


@pytest.mark.parametrize("policy", ["none", "us_first", "suspension_with_review", "suspension_including_israel"])
def test_units_go_together_in_the_eyes_of_another_tool(scenario: sp.Scenario, tmp_path: Path, policy: str) -> None:
    simlin = pytest.importorskip("simlin")
    path = sp.export(scenario, "xmile", tmp_path / "model.xmile", munition="pac3", policy=policy)
    assert not simlin.load(path).check()
    wrong = tmp_path / "wrong.xmile"
    wrong.write_text(path.read_text().replace("<eqn>us_on_hand * loss</eqn>", "<eqn>us_on_hand * cover</eqn>"))
    assert simlin.load(wrong).check()


def test_titles_of_users_do_not_break_the_document(scenario: sp.Scenario, tmp_path: Path) -> None:
    odd = 'Flug--abwehr --- <&> "Ü" ]]> {0} \u0001 -->-'
    path = sp.export(scenario.override({"munitions.pac3.title": odd}), "xmile", tmp_path / "model.xmile", munition="pac3")
    assert ElementTree.parse(path).getroot().tag == f"{SPACE}xmile"
    assert 'Flug- -abwehr - - - <&> "Ü" ]]> {0} \ufffd - ->-' in path.read_text(encoding="utf-8")


def test_what_flows_where_is_read_off_the_equations() -> None:
    moves = xmile.structure(2)
    assert moves["state.order_book"] == (("series.lots", 1), ("flow.delivered", -1))
    assert ("flow.diverted.1", 1) in moves["state.us_on_hand"]
    assert ("flow.diverted.1", -1) in moves["state.on_hand.1"]
    assert moves["state.review"] == ()


def test_the_same_scenario_gives_the_same_bytes(scenario: sp.Scenario, tmp_path: Path) -> None:
    one, other = (sp.export(scenario, "xmile", tmp_path / name, munition="pac3") for name in ("one.xmile", "other.xmile"))
    assert one.read_bytes() == other.read_bytes()


def test_csv_is_the_table(scenario: sp.Scenario, tmp_path: Path) -> None:
    path = sp.export(scenario, "csv", tmp_path / "table.csv", munition="aim9x", policy="none")
    found = pd.read_csv(path)
    wanted = sp.run(scenario.with_munitions(["aim9x"]), ["none"]).table(inputs=True)
    assert list(found.columns) == [name for name in wanted.columns if name != "member"]
    assert np.array_equal(found["value"].to_numpy(), wanted["value"].to_numpy(), equal_nan=True)


def test_every_flow_and_stock_has_one_equation() -> None:
    keys = [one.key for one in latex.step_equations()]
    assert len(keys) == len(set(keys))
    assert {f"flow.{name}" for name in FLOWS if name != "rule_cut"} <= {key.replace("expired_on_hand", "expired") for key in keys}
    assert {"rate.us_on_hand", "rate.order_book", "rate.on_hand", "rate.withheld", "rate.deferred", "state.review"} <= set(keys)


def test_sums_over_recipients_are_printed_as_sums() -> None:
    said = {one.key: one.text for one in latex.step_equations()}
    own = said["rate.us_on_hand"].replace(r"\mathrm", "").replace(r"\_", "_")
    assert own.endswith(r"{to_us} + \sum_{s} {diverted}_{s} + {us_inflow} - {own_use} - \sum_{s} {sent}_{s} - {expired}")
    assert said["flow.available"].count(r"\sum_{s} D_{s}") == 1
    assert not any("«" in text for text in said.values())


def test_every_symbol_has_a_unit_and_a_meaning() -> None:
    for symbol, name, unit, said in latex.symbol_table():
        assert symbol.startswith("$") and name and unit and said, name
    units = {name: unit for _, name, unit, _ in latex.symbol_table()}
    assert units.keys() >= {"us_on_hand", "line", "cover", "sent"}
    assert {units["cut"], units["review_cut"], units["review_divert_new"], units["us_share"]} == {"1"}
    assert units["review_on"] == "round"


def test_the_document_is_balanced() -> None:
    text = latex.document()
    assert text.count("{") == text.count("}")
    for name in ("align*", "longtable", "document"):
        assert text.count(rf"\begin{{{name}}}") == text.count(rf"\end{{{name}}}") == 1
    assert text.count(r"\left(") == text.count(r"\right)")


def test_the_document_says_what_all_its_letters_are() -> None:
    text = latex.document()
    said = text.partition(r"\begin{align*}")[0] + " ".join(symbol for symbol, *_ in latex.symbol_table())
    used = {word for one in latex.step_equations() for word in re.findall(r"\\mathrm\{[^}]*\}|\\varepsilon", one.text)}
    assert [word for word in used - {r"\mathrm{d}"} if word not in said] == []
    for letter in ("c", "x_{r}", "b_{r}", "w_{r}"):
        assert f"${letter}$" in text


def test_the_command_line_writes_each_kind(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("export", "xmile", "--munition", "aim9x", "--policy", "none").out.strip() == "july_2025_aim9x_none.xmile"
    assert call("export", "js", "-o", "model.js").code == 0
    assert call("export", "latex").out.strip() == "stockpile.tex"
    assert call("export", "csv", "--munition", "aim9x", "--policy", "none", "-o", "out/table.csv").code == 0
    found = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"july_2025_aim9x_none.xmile", "model.js", "stockpile.tex", "table.csv"}
    assert "export function run" in (tmp_path / "model.js").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("xmile", "--munition", "pac4"), ("munition", "pac4", "did you mean 'pac3'")),
        (("xmile", "--policy", "nobody"), ("policy", "nobody", "allowed")),
        (("xmile", "--policy", "none,us_first"), ("--policy", "allowed: one")),
        (("xmile", "--set", "scenario.method=ode"), ("scenario.method", "allowed: difference")),
        (("xmile", "-o", "model.pdf"), ("model.pdf", ".xmile")),
        (("js", "--policy", "none"), ("policy", "no use")),
        (("csv", "--munition", "nothing"), ("munition", "nothing")),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call("export", *arguments)
    assert done.code == 2
    assert all(word in done.err for word in words), done.err
    assert not list(tmp_path.iterdir())


def test_unknown_kinds_are_refused(scenario: sp.Scenario, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown kind 'xml'"):
        sp.export(scenario, "xml", tmp_path / "model.xml")


def test_names_of_the_step_are_all_printed() -> None:
    from stockpile.codegen.javascript import module

    text = module(2)
    for name, _ in flat(_known(), "series"):
        if name.rsplit(".", 1)[-1] in ("0", "1"):
            assert f"'{name}'" in text or name.startswith("series.own_need_for") or name.startswith("series.planned_need"), name
    with pytest.raises(ValueError, match="no row"):
        module(2, ["flow.nothing"])


def _known() -> object:
    from stockpile.codegen.trace import symbols
    from stockpile.model.state import Known

    return symbols(Known, "series", 2, lambda name: name)
