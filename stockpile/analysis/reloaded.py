"""The scenario behind a result, loaded again by its name."""

from __future__ import annotations

import ast
import datetime as dt
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stockpile import scenario as scenarios
from stockpile.errors import InputError
from stockpile.scenario import Scenario


def scenario_of(manifest: Mapping[str, Any], params: Sequence[str | Path] = ()) -> Scenario | None:
    """Return the scenario that a result was made from; None where it is not there any more, or has changed since."""
    try:
        found = scenarios.load(manifest["scenario"], params=params)
        if found.digest != manifest["parameters"] and manifest["overrides"]:
            found = found.override({path: value_of(text) for path, text in manifest["overrides"].items()})
    except (InputError, KeyError):
        return None
    return found if found.digest == manifest["parameters"] else None


def value_of(text: Any) -> Any:
    """Return what the text of a change in a manifest means; the text itself where it is no value."""
    if not isinstance(text, str):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        pass
    try:
        # Lists and tables stand in a manifest as Python prints them.
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return _table_with_dates(text)


def _table_with_dates(text: str) -> Any:
    """Return a table as Python prints it that has a date in it; the text itself where it is none."""
    try:
        return ast.literal_eval(_Dates().visit(ast.parse(text, mode="eval")))
    except (ValueError, SyntaxError, TypeError):
        return text


class _Dates(ast.NodeTransformer):
    """Puts dates as ISO text in the place of ``datetime.date(2026, 1, 1)``."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Return the date that a call would make."""
        if ast.unparse(node.func) != "datetime.date":
            raise ValueError(ast.unparse(node))
        day: Any = dt.date(*(ast.literal_eval(one) for one in node.args))
        return ast.Constant(day)
