"""Nested tables as TOML text, as far as files of parameters need it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

from stockpile.tables import Table


def toml_text(table: Table) -> str:
    """Return a table as TOML: plain keys first, then tables, and lists of tables as ``[[name]]``.

    Values are text, numbers, truth values, dates, and lists of these; lists of lists have a line each.
    """
    return "\n".join(_lines(table, ())).strip() + "\n"


def _lines(table: Table, path: tuple[str, ...]) -> Iterator[str]:
    plain = {key: value for key, value in table.items() if not _is_nested(value)}
    yield from (f"{_key(key)} = {_value(value)}" for key, value in plain.items())
    for key, value in table.items():
        if key in plain:
            continue
        name = ".".join(map(_key, (*path, key)))
        for one in value if isinstance(value, list) else [value]:
            inner = list(_lines(one, (*path, key)))
            # A table of tables alone needs no heading.
            if isinstance(value, list) or any(not _is_nested(item) for item in one.values()) or not one:
                yield f"\n[[{name}]]" if isinstance(value, list) else f"\n[{name}]"
            yield from inner


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value))


def _key(key: str) -> str:
    return key if key.isascii() and key.replace("_", "").replace("-", "").isalnum() else json.dumps(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, list | tuple) and any(isinstance(one, list | tuple) for one in value):
        return "[\n" + "".join(f"  {_value(one)},\n" for one in value) + "]"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    # JSON's text is TOML's, but for the character that TOML wants escaped too.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
