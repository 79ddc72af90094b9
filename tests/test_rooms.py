"""The rooms of the house: import-linter's contracts hold, and a wrong import breaks them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
WRONG = [
    ("model/equations.py", "import pandas", "the model is numpy and nothing else"),
    ("model/state.py", "from stockpile import schema", "one way through the rooms"),
    ("engine/difference.py", "from stockpile import clock", "the engine knows the model"),
    ("engine/ode.py", "import json", "the engine knows the model"),
    ("results.py", "from stockpile import simulate", "one way through the rooms"),
    ("metrics.py", "import plotly", "only reports draw"),
    ("simulate.py", "import rich", "only the command line knows a terminal"),
    ("assemble.py", "from stockpile import load", "the root is for users"),
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as main; main()", "--no-cache"],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"}, capture_output=True, text=True, check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "stockpile", tmp_path / "stockpile", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_contracts_are_kept(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(("module", "line", "contract"), WRONG, ids=lambda value: value if value.endswith(".py") else "")
def test_a_wrong_import_breaks_its_contract(copy: Path, module: str, line: str, contract: str) -> None:
    file = copy / "stockpile" / module
    file.write_text(file.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    done = lint(copy)
    assert done.returncode == 1
    assert any(shown.startswith(contract) and "BROKEN" in shown for shown in done.stdout.splitlines()), done.stdout


def test_a_new_module_has_to_be_given_a_room(copy: Path) -> None:
    (copy / "stockpile/attic.py").touch()
    done = lint(copy)
    assert done.returncode == 1
    assert "stockpile.attic" in done.stdout
