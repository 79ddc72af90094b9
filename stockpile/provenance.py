"""Every resolved value of a scenario with its source, as rows; the digest and version of what made a result."""

from __future__ import annotations

import hashlib
import io
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stockpile.tables import parameters
from stockpile.vintage import BEGINNING, published

if TYPE_CHECKING:
    import pandas as pd

    from stockpile.scenario import Scenario

COLUMNS = ("path", "value", "unit", "low", "high", "grade", "source", "date", "from", "where", "note")
FOLDERS = ("model", "munitions", "recipients", "events", "campaigns")


def rows(scenario: Scenario) -> Iterator[dict[str, Any]]:
    """Yield one row a point of every parameter, plan and correlation, in the order of the paths."""
    tree = {folder: scenario.tree[folder] for folder in FOLDERS}
    for path, table in parameters(tree):
        for point in table.get("points", ()):
            yield _row(scenario, ".".join(path), table["unit"], point, point.get("from"))
    for munition, item in scenario.tree["munitions"].items():
        for name, part in item["line"]["parts"].items():
            for key, plan in part.get("plans", {}).items():
                where = f"munitions.{munition}.line.parts.{name}.plans.{key}"
                yield _row(scenario, where, part["capacity"]["unit"], plan, plan["by"])
    for name, group in scenario.tree["model"].get("correlations", {}).items():
        yield _row(scenario, f"model.correlations.{name}", "1", summed_up(group), None)


def summed_up(group: dict[str, Any]) -> dict[str, Any]:
    """Return a group that moves together with one number: where it has one for every two paths, their mean, least and greatest."""
    found = [float(value) for row in group.get("pairs", ()) for value in row]
    if not found:
        return group
    said = f"Mean of {len(found)} correlations, the least and the greatest. {group.get('note', '')}".strip()
    return {**group, "value": sum(found) / len(found), "low": min(found), "high": max(found), "note": said}


def _row(scenario: Scenario, path: str, unit: str, point: dict[str, Any], start: Any) -> dict[str, Any]:
    keys = point.get("source", [])
    keys = [keys] if isinstance(keys, str) else list(keys)
    date = published(keys, scenario.sources) if keys else None
    values = [point["value"], *(other["value"] for other in point.get("alternatives", ()))]
    return {
        "path": path,
        "value": float(point["value"]),
        "unit": unit,
        "low": float(point.get("low", min(values))),
        "high": float(point.get("high", max(values))),
        "grade": point["grade"],
        "source": "; ".join(keys),
        "date": date,
        "from": None if start == BEGINNING else start,
        "where": point.get("where", ""),
        "note": point.get("note", ""),
    }


def table(scenario: Scenario) -> pd.DataFrame:
    """Return the rows as a frame with dates as timestamps."""
    import pandas as pd

    frame = pd.DataFrame(list(rows(scenario)), columns=list(COLUMNS))
    for column in ("date", "from"):
        frame[column] = pd.to_datetime(frame[column])
    return frame.sort_values(["path", "from"], kind="stable", na_position="first", ignore_index=True)


@cache
def version() -> str:
    """Return the version of the package."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("stockpile")
    except PackageNotFoundError:
        return "unknown"


@cache
def equations() -> str:
    """Return the SHA-256 of the equations as they are written, without comments and docstrings; "unknown" where the text is not there.

    Equal digests: the same equations, whatever else changed. The reverse does not hold: a name or the order of a sum moves it too.
    """
    try:
        text = (Path(__file__).resolve().parent / "model" / "equations.py").read_text(encoding="utf-8")
    except OSError:
        return "unknown"
    return hashlib.sha256(plain(text).encode()).hexdigest()


def plain(text: str) -> str:
    """Return Python code as its tokens, one a line: without comments, and without texts that stand alone (docstrings)."""
    import tokenize

    found: list[str] = []
    statement: list[tuple[int, str]] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.INDENT, tokenize.DEDENT):
            found.append(tokenize.tok_name[token.type])
        elif token.type == tokenize.NEWLINE:
            if any(kind != tokenize.STRING for kind, _ in statement):
                found += [*(string for _, string in statement), "NEWLINE"]
            statement = []
        elif token.type not in (tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER):
            statement.append((token.type, token.string))
    return "\n".join(found)


@cache
def commit() -> str:
    """Return the commit of the repository the package is run from, shortened; "released" where it is in none."""
    folder = Path(__file__).resolve().parent.parent
    if not (folder / ".git").exists():
        return "released"
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False
        )
    except OSError:
        return "unknown, as there is no git"
    return done.stdout.strip() or "uncommitted"
