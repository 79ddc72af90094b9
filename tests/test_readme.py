"""The README does what it says: its commands run, its example prints what it shows, its recipes work as they stand."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import stockpile as sp

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
SHELL = [line.split("  #")[0].strip() for kind, block in BLOCKS if kind == "sh" for line in block.splitlines() if line.strip()]
COMMANDS = [line for line in SHELL if line.startswith("stockpile ")]
RECIPES = [block for kind, block in BLOCKS if kind == "toml"]
ELSEWHERE = {"git clone <this repository> stockpile", "cd stockpile", "make report"}
"""Commands that are not run here: `make` itself runs these tests."""


def write_recipes(folder: Path) -> None:
    for block in RECIPES:
        first, rest = block.split("\n", 1)
        file = folder / first.removeprefix("# ")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(rest, encoding="utf-8")


@pytest.fixture(scope="module")
def recipes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("recipes")
    write_recipes(folder)
    return folder


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False)


def test_every_command_is_run_here_or_named_as_run_elsewhere() -> None:
    assert len(COMMANDS) >= 12
    assert set(SHELL) - set(COMMANDS) == ELSEWHERE


def test_both_commands_are_targets_of_the_makefile() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    named = set(re.findall(r"`make ([a-z]+)`", TEXT))
    assert {"report", "test"} <= named <= set(targets)


def make(*arguments: str) -> str:
    """Return what make says it does, free of the make that may run these tests."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=outside, capture_output=True, text=True, check=True).stdout


def test_make_alone_lists_every_target() -> None:
    targets = re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(targets) == {"help", "setup", "check", "test", "report", "golden", "docs", "pictures", "clean"}
    assert re.findall(r"^  make (\w+) +\w", make(), re.MULTILINE) == targets


def test_check_is_lint_types_imports_parameters_then_the_tests() -> None:
    done = make("-n", "check")
    steps = ["ruff check", "mypy", "lint-imports", "stockpile params check", "make test", "-m pytest"]
    assert sorted(steps, key=done.index) == steps
    assert "\nmake check\n" in (ROOT / ".ci/run").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command: str, recipes: Path) -> None:
    words = shlex.split(command)
    done = run(words, recipes)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert "Traceback" not in done.stderr
    if "-o" in words:
        assert (recipes / words[words.index("-o") + 1]).stat().st_size > 0


def steady(text: str) -> str:
    """Return what a command prints without what differs from commit to commit and from machine to machine."""
    text = re.sub(r"commit \w+", "commit COMMIT", re.sub(r"parameters \w+", "parameters DIGEST", text))
    return re.sub(r"engine (numpy|compiled)", "engine compiled", text)


SHOWN = [(kind, code, BLOCKS[number + 1][1]) for number, (kind, code) in enumerate(BLOCKS[:-1]) if BLOCKS[number + 1][0] == "text"]


def test_output_is_shown_below_what_prints_it() -> None:
    assert [kind for kind, _, _ in SHOWN] == ["python", "python", "sh"]
    assert [kind for kind, _ in BLOCKS].count("python") == 2
    assert [kind for kind, _ in BLOCKS].count("text") == 3


@pytest.mark.parametrize(("kind", "code", "shown"), SHOWN, ids=["run", "ensemble", "command"])
def test_example_prints_what_stands_below_it(kind: str, code: str, shown: str, tmp_path: Path) -> None:
    done = run([sys.executable, "-c", code] if kind == "python" else shlex.split(code), tmp_path)
    assert done.returncode == 0, done.stderr
    start, left_out, end = shown.partition("\n...\n")
    printed = steady(done.stdout)
    if left_out:
        assert printed.startswith(start)
        assert printed.endswith(end)
    else:
        assert printed == shown


def test_each_recipe_names_its_file() -> None:
    assert len(RECIPES) == 9
    for block in RECIPES:
        assert re.match(r"# my_(policy|event|recipient|munition)/[\w/]+\.toml\n", block), block.split("\n")[0]


def test_policy_recipe_takes_half_of_the_transfers_of_its_months(recipes: Path) -> None:
    policy = "half_for_three_months"
    result = sp.run(sp.load("july_2025", params=[recipes / "my_policy"]), ["none", policy])
    august = result.index("2025-08-01")
    asked = result.array("request", "ukraine", policy=policy, munition="pac3")[0, august]
    dropped = result.array("dropped", "ukraine", policy=policy, munition="pac3")[0, august]
    assert asked > 0
    assert dropped == pytest.approx(asked / 2)
    assert result.array("dropped", "ukraine", policy="none", munition="pac3").max() == 0


def test_event_recipe_uses_its_rounds_on_nobodys_behalf(recipes: Path) -> None:
    plain, with_event = (sp.run(sp.load("july_2025", params=folders), ["none"]) for folders in ([], [recipes / "my_event"]))
    used = [r.array("own_use_for", "joint_or_unknown", policy="none", munition="pac3").sum() for r in (plain, with_event)]
    assert used[1] - used[0] == pytest.approx(20)


def test_event_recipe_is_not_seen_before_its_source(recipes: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(recipes / "my_event", tmp_path / "my_event")
    assert "example_operation" in sp.load("july_2025", params=[folder]).events
    sources = (folder / "sources.toml").read_text(encoding="utf-8")
    assert "date = 2025-06-01" in sources
    (folder / "sources.toml").write_text(sources.replace("date = 2025-06-01", "date = 2025-07-10"), encoding="utf-8")
    assert "example_operation" not in sp.load("july_2025", params=[folder]).events


def test_recipient_recipe_gets_what_it_is_given_at_the_partners_expense(recipes: Path) -> None:
    plain, more = (sp.run(sp.load("july_2025", params=folders), ["none"]) for folders in ([], [recipes / "my_recipient"]))
    assert more.recipients == ("example_country", *plain.recipients)
    assert more.array("made_for", "example_country", policy="none", munition="pac3").min() > 0
    assert more.array("sent", "example_country", policy="none", munition="pac3").sum() > 0
    before, after = (r.array("made_for", "partners", policy="none", munition="pac3").sum() for r in (plain, more))
    assert after < before


def test_munition_recipe_runs_and_its_books_close(recipes: Path) -> None:
    result = sp.run(sp.load("with_example_round", params=[recipes / "my_munition"]))
    assert result.munitions == ("pac3", "example_round")

    def of(quantity: str, row: str = "us") -> np.ndarray:
        return result.array(quantity, row, policy="suspension_2025_07", munition="example_round")[0]

    stock = of("us_on_hand")
    sent = sum(of("sent", r) for r in result.recipients)
    diverted = sum(of("diverted", r) for r in result.recipients)
    moved = of("to_us") + diverted + of("us_inflow") - of("own_use") - sent - of("expired")
    assert stock[0] == 1000
    assert np.abs(np.diff(stock) - moved).max() < 1e-9 * stock.max()
