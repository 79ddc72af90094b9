"""The JSON Schema for editors: the shipped files fit it, in each form that a file may use, and what is wrong does not."""

from __future__ import annotations

import copy
import datetime as dt
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from stockpile.editors import KINDS, json_schema
from stockpile.errors import InputError
from stockpile.params import FILES, FOLDERS, default_folder

FILE_KINDS = {folder: cls.__name__.lower() for folder, cls in (FOLDERS | FILES).items()} | {"sources": "sources"}
SHIPPED = sorted(default_folder().rglob("*.toml"))
VALIDATORS = {kind: Draft202012Validator(json_schema(kind), format_checker=FormatChecker()) for kind in KINDS}


def plain(node: Any) -> Any:
    """As an editor sees TOML: dates are text."""
    if isinstance(node, dict):
        return {key: plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [plain(value) for value in node]
    return node.isoformat() if isinstance(node, dt.date) else node


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = plain(tomllib.loads((default_folder() / name).read_text(encoding="utf-8")))
    return found


def kind_of(file: Path) -> str:
    return FILE_KINDS[file.stem if file.parent == default_folder() else file.parent.name]


def faults(kind: str, table: dict[str, Any]) -> list[str]:
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in VALIDATORS[kind].iter_errors(table)]


def test_every_kind_of_file_has_a_schema() -> None:
    assert set(FILE_KINDS.values()) == set(KINDS)
    assert {kind_of(file) for file in SHIPPED} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_schema_is_one(kind: str) -> None:
    Draft202012Validator.check_schema(json_schema(kind))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: "/".join(file.parts[-2:]))
def test_shipped_files_fit(file: Path) -> None:
    assert faults(kind_of(file), read(str(file.relative_to(default_folder())))) == []


SINGLE = {"unit": "round", "value": 5, "grade": "reported", "source": "a_key", "where": "page 1"}
POINT = {"from": "2022-03-01", "value": 5, "low": 4, "high": 6, "grade": "assumed", "note": "why"}
SEVERAL = {"unit": "round", "shape": "triangular", "points": [POINT]}


@pytest.mark.parametrize("parameter", [SINGLE, SEVERAL, {**SINGLE, "source": ["a_key", "another"]}, {**SINGLE, "role": "constant"}])
def test_both_forms_of_a_parameter_fit(parameter: dict[str, Any]) -> None:
    assert faults("munition", {**read("munitions/pac3.toml"), "us_stock": parameter}) == []


WRONG_PARAMETERS: dict[str, Any] = {
    "no unit": {key: value for key, value in SINGLE.items() if key != "unit"},
    "unknown unit": {**SINGLE, "unit": "rounds"},
    "money without year": {**SINGLE, "unit": "USD"},
    "no grade": {key: value for key, value in SINGLE.items() if key != "grade"},
    "unknown grade": {**SINGLE, "grade": "guessed"},
    "text for a number": {**SINGLE, "value": "5"},
    "reported without locator": {key: value for key, value in SINGLE.items() if key != "where"},
    "assumed without note": {"unit": "round", "value": 5, "grade": "assumed"},
    "low without high": {**SINGLE, "low": 1},
    "both forms at once": {**SINGLE, "points": [POINT]},
    "no points": {**SEVERAL, "points": []},
    "unknown key of a point": {**SEVERAL, "points": [{**POINT, "sorce": "a_key"}]},
    "not a date": {**SEVERAL, "points": [{**POINT, "from": "March 2022"}]},
    "number for a source": {**SINGLE, "source": 3},
    "a number alone": 5,
}


@pytest.mark.parametrize("name", WRONG_PARAMETERS)
def test_wrong_parameters_do_not_fit(name: str) -> None:
    assert faults("munition", {**read("munitions/pac3.toml"), "us_stock": WRONG_PARAMETERS[name]})


def _renamed(table: dict[str, Any], old: str, new: str) -> None:
    table[new] = table.pop(old)


WRONG_FILES: dict[str, tuple[str, str, Callable[[dict[str, Any]], Any]]] = {
    "unknown key": ("munition", "munitions/pac3.toml", lambda table: _renamed(table, "us_share", "us_shar")),
    "missing table": ("munition", "munitions/pac3.toml", lambda table: table.pop("line")),
    "claim without need": ("recipient", "recipients/ukraine.toml", lambda table: table["pac3"].pop("need")),
    "claim with an unknown key": ("recipient", "recipients/ukraine.toml", lambda table: _renamed(table["pac3"], "stock", "stok")),
    "claims as a name": ("recipient", "recipients/ukraine.toml", lambda table: table.update({"claims": {"pac3": table["pac3"]}})),
    "munition that is no name": ("recipient", "recipients/ukraine.toml", lambda table: _renamed(table, "pac3", "PAC-3")),
    "reference to two": ("event", "events/tranche_2025_07.toml", lambda table: table["rounds"]["aim9x"]["total"].update(one_minus="x")),
    "unknown kind of event": ("event", "events/tranche_2025_07.toml", lambda table: table.update(kind="parcel")),
    "share above 1": ("policy", "policies/suspension_2025_07.toml", lambda table: table["suspensions"][0].update(let_through=1.5)),
    "change with two operations": ("scenario", "scenarios/ramp_slips.toml", lambda table: table["changes"][0].update(scale=2.0)),
    "no steps": ("scenario", "scenarios/july_2025.toml", lambda table: table.update(substeps=0)),
    "source without address": ("sources", "sources.toml", lambda table: next(iter(table.values())).pop("url")),
    "observation without scope": ("observations", "observations/us_stock.toml", lambda table: next(iter(table.values())).pop("scope")),
    "time missing": ("model", "model.toml", lambda table: table["times"].pop("issue")),
}


@pytest.mark.parametrize("name", WRONG_FILES)
def test_wrong_files_do_not_fit(name: str) -> None:
    kind, file, spoil = WRONG_FILES[name]
    table = copy.deepcopy(read(file))
    assert faults(kind, table) == []
    spoil(table)
    assert faults(kind, table)


def test_documentation_comes_along() -> None:
    munition = json_schema("munition")
    assert munition["properties"]["us_stock"]["description"] == "US-owned usable stock at the start of the run [round]."
    assert json_schema("recipient")["$defs"]["Claim"]["properties"]["ceiling"]["description"].startswith("The most that is authorised")


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_null(kind: str) -> None:
    def walk(node: Any) -> None:
        assert node != {"type": "null"}
        assert not (isinstance(node, dict) and "default" in node and node["default"] is None)
        for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            walk(child)

    walk(json_schema(kind))


def test_unknown_kind_names_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'munition'"):
        json_schema("munitoin")
