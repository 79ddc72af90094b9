"""The documents say what the code does: names, units, tables, links."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import fields
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import get_args

import numpy as np
import pytest

import stockpile as sp
from stockpile import metrics, schema
from stockpile.analysis.purchases import purchases
from stockpile.evidence.ledger import ledger
from stockpile.model.state import FLOWS, SERIES, STOCKS, Constants, Flows, Known, State

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("reports/*.md")])
ROW = re.compile(r"^\| `([^`]+)` \| `([^`]+)` \|", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#:]+)?(#[^)]*)?\)")


@cache
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "_generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def glossary() -> dict[str, list[str]]:
    """Return the units given for each name in the tables of the glossary, metrics included."""
    found: dict[str, list[str]] = {}
    for name, unit in ROW.findall((ROOT / "docs/glossary.md").read_text(encoding="utf-8")):
        found.setdefault(name, []).append(unit)
    return found


def heading_anchor(title: str) -> str:
    return "#" + re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")


def test_parameters_page_is_what_the_schema_says() -> None:
    assert (ROOT / "docs/parameters.md").read_text(encoding="utf-8") == generator().parameters(), "stale: run `make docs`"


def test_equations_and_their_picture_are_printed() -> None:
    assert (ROOT / "docs/equations.md").read_text(encoding="utf-8") == generator().equations(), "stale: run `make docs`"
    assert (ROOT / "docs/stocks_and_flows.svg").read_text(encoding="utf-8") == generator().diagram.svg(), "stale: run `make docs`"


def test_glossary_tables_are_what_the_model_says() -> None:
    text = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    assert text == generator().glossary(text), "stale: run `make docs`"


def test_stocks_of_the_page_on_the_model_are_those_of_the_equations() -> None:
    text = (ROOT / "docs/model.md").read_text(encoding="utf-8")
    assert text == generator().model(text), "stale: run `make docs`"


def test_no_formula_of_the_model_is_written_by_hand() -> None:
    text = (ROOT / "docs/model.md").read_text(encoding="utf-8")
    by_hand = re.sub(r"<!-- table: .*?<!-- end: ", "", text, flags=re.DOTALL)
    assert re.findall(r"min\(|max\(|/dt|dt·|[Στλ·−]|```math|\$", by_hand) == []
    printed = {one.key for one in generator().latex.step_equations()}
    assert {"rate.us_on_hand", "flow.request", "flow.paid"} <= printed
    assert "](equations.md#symbols)" in text


def test_every_quantity_is_in_the_glossary_once_with_its_unit() -> None:
    wrong = {
        name: glossary().get(name)
        for table in (STOCKS, FLOWS, SERIES)
        for name, meaning in table.items()
        if glossary().get(name) != [meaning.unit]
    }
    assert wrong == {}


@pytest.mark.parametrize("cls", [State, Known, Flows, Constants])
def test_every_field_of_the_equations_is_in_the_glossary(cls: type) -> None:
    text = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    assert [field.name for field in fields(cls) if f"`{field.name}`" not in text] == []


def test_every_metric_is_in_the_glossary_with_its_unit_and_no_other() -> None:
    scenario = sp.load("july_2025")
    found = metrics.rows(sp.run(scenario, ["none", "us_first"]))
    year = f"USD_{scenario.settings.money_year}"
    given = {
        (re.sub(r"\..*", ".<level>", name), unit.replace(year, "USD_<year>"))
        for (_, _, _, name), (_, unit) in found.items()
        if not name.startswith("change_in.")
    }
    assert metrics_described() == given


def metrics_described() -> set[tuple[str, str]]:
    text = (ROOT / "docs/glossary.md").read_text(encoding="utf-8").split("## Metrics")[1].split("## Words")[0]
    return {(name, unit) for name, unit in ROW.findall(text) if name != "change_in.<metric>"}


def test_every_metric_also_comes_as_its_change() -> None:
    names = {name for *_, name in metrics.rows(sp.run(sp.load("july_2025"), ["none", "us_first"]))}
    plain = {name for name in names if not name.startswith("change_in.")}
    assert names - plain == {f"change_in.{name}" for name in plain}
    assert "| `change_in.<metric>` |" in (ROOT / "docs/glossary.md").read_text(encoding="utf-8")


def test_every_metric_of_an_ensemble_is_in_the_glossary() -> None:
    found = sp.ensemble(sp.load("july_2025"), ["none"], 2, dates=["2027-01-01"], engine="numpy")
    own = {re.sub(r"\..*", ".<months>", name) for *_, name in found.keys if name.startswith("stock_at.")}
    assert own == {"stock_at.<months>"}
    plain = {(re.sub(r"\..*", ".<level>", name)) for *_, name in found.keys if not name.startswith(("stock_at.", "change_in."))}
    assert plain == {name for name, _ in metrics_described()}
    assert glossary()["stock_at.<months>"] == ["round"]
    assert {*found.probability(below="transfer_floor", by="2027-01-01")} >= {"hits", "probability", "low", "high", "members"}
    assert {*found.estimates()} >= {"mean_low", "mean_high", "median_low", "median_high", "share_finite"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    broken = []
    for target, anchor in LINK.findall(text):
        file = (document.parent / target).resolve() if target else document
        if not file.exists():
            broken.append(target)
        elif anchor and file.suffix == ".md":
            titles = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            if anchor not in [heading_anchor(title) for title in titles]:
                broken.append(target + anchor)
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_are_named_exist(document: Path) -> None:
    named = re.findall(r"`((?:stockpile|params|tests|docs|reports)/[\w/.]+)`", document.read_text(encoding="utf-8"))
    pages = ("july_2025", "november_2026", "workbench", "evidence", "index")
    made = [f"reports/{name}.html" for name in pages]
    assert [name for name in named if name not in made and not (ROOT / name).exists()] == []


def test_purchases_that_the_requirement_page_quotes_are_those_of_the_ledger() -> None:
    text = " ".join((ROOT / "docs/requirement.md").read_text(encoding="utf-8").split())
    scenario = sp.load("november_2026")
    found = purchases(ledger(scenario), "pac3", scenario.as_of)
    level = scenario.munitions["pac3"].requirements["objective_2025"].level.points[-1].value
    assert found.request is not None
    ends = [0.5, 0.05, 0.95]
    bought = np.sum([one.drawn(1, 1000) for one in found.so_far], axis=0)
    average = np.mean([one.drawn(1, 1000) for one in found.averaged], axis=0)
    left, rate = level - bought, found.request.span[1]
    said = "{:,.0f} ({:,.0f} to {:,.0f})"
    assert f"{level:,.0f} less {said.format(*np.quantile(bought, ends))} bought" in text
    assert f"leaves {said.format(*np.quantile(left, ends))}: {said.format(*np.quantile(left / average, ends))} years at" in text
    assert f"at the {said.format(*np.quantile(average, ends))} a year of fiscal 2024 to 2026" in text
    years = "{:.1f} ({:.1f} to {:.1f})".format(*np.quantile(left / rate, ends))
    assert f"{years} at the {rate:,.0f} requested for fiscal 2027" in text


def test_map_has_every_room_and_every_module_of_the_first_floor() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rooms = [path.name for path in (ROOT / "stockpile").iterdir() if path.name != "__pycache__" and path.is_dir()]
    modules = [path.name for path in (ROOT / "stockpile").glob("*.py") if path.name != "__init__.py"]
    assert len(rooms) >= 10 and len(modules) >= 30
    assert [name for name in [*rooms, *modules] if not re.search(rf"`stockpile/{re.escape(name)}/?`", text)] == []


def test_every_document_is_listed_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in ROOT.glob("docs/*.md") if f"](docs/{path.name})" not in text.split("## What is where")[1]] == []


def test_shapes_grades_and_roles_are_all_explained() -> None:
    for names, table in ((schema.Shape, "SHAPES"), (schema.Grade, "GRADES"), (schema.Role, "ROLES")):
        assert set(get_args(names)) == set(getattr(generator(), table))
