"""Turning pydantic's errors into our one-line messages: which key of the file, what is wrong, what is allowed."""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from stockpile import schema
from stockpile.errors import is_near, nearest

_TAGS = ("parameter", "reference")
_ALLOWED = {
    "float_type": "a number",
    "int_type": "a whole number",
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "date_type": "a date without quotes, for example 2025-07-09",
    "list_type": "a list in brackets",
    "dict_type": "a table",
    "model_type": "a table",
    "finite_number": "a finite number",
    "greater_than": "above {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than_equal": "at most {le:g}",
    "too_short": "at least {min_length} entry",
    "string_too_short": "text of at least {min_length} characters",
}
"""What stands in for pydantic's words, by its type of error."""


def explain(cls: type[BaseModel], table: Any, error: ValidationError) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield for each fault the key path in the file and the message. A key with a slip in it is not missing as well."""
    items = error.errors(include_url=False)
    unknown = [item["loc"] for item in items if item["type"] == "extra_forbidden"]
    for item in items:
        loc = item["loc"]
        if item["type"] == "missing" and any(other[:-1] == loc[:-1] and is_near(str(other[-1]), str(loc[-1])) for other in unknown):
            continue
        message = _message(cls, item, loc)
        inner = item.get("ctx", {}).get("error")
        if isinstance(inner, schema.Fault):
            loc = (*loc, *(int(part) if part.isdigit() else part for part in inner.key.split(".")))
        yield in_file(table, loc), message


def in_file(table: Any, loc: Sequence[str | int]) -> tuple[str | int, ...]:
    """Return the key path in the file for pydantic's `loc`, leaving out the levels that the reader puts in."""
    path: list[str | int] = []
    node = table
    rest = list(loc)
    while rest:
        step = rest.pop(0)
        inside = isinstance(node, dict)
        if step in (*_TAGS, "claims", "entries", "[key]") and not (inside and step in node):
            continue
        if inside and step == "points" and "points" not in node:
            rest = rest[1:] if rest and isinstance(rest[0], int) else rest
            continue
        path.append(step)
        if inside:
            node = node.get(step)
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            node = node[step]
        else:
            node = None
    return tuple(path)


def _message(cls: type[BaseModel], item: Any, loc: Sequence[str | int]) -> str:
    kind, context, given = item["type"], item.get("ctx", {}), item.get("input")
    shown = _shown(given)
    if kind == "extra_forbidden":
        return f"unknown key; {nearest(str(loc[-1]), allowed_keys(cls, loc[:-1]))}"
    if kind == "missing":
        return f"missing; allowed: {_documentation(cls, loc)}"
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        return f"{shown} is not known; {nearest(str(given), _literals(context['expected']))}"
    if kind == "string_pattern_mismatch":
        return f"{shown} does not fit; allowed: {_PATTERNS.get(context['pattern'], context['pattern'])}"
    if kind in _ALLOWED:
        return f"{shown} does not fit; allowed: {_ALLOWED[kind].format(**context)}"
    return f"{shown} does not fit; allowed: {item['msg'][0].lower()}{item['msg'][1:]}"


_PATTERNS = {
    r"^[a-z][a-z0-9_]*$": "a name of lower-case letters, digits and underscores, a letter first",
    r"^(https?://|none: )": 'an address that starts with http:// or https://, or "none: " and the reason why there is none',
}
"""Patterns of the schema in words."""


def _shown(given: Any) -> str:
    """Return a value of a file as it is to be printed in a message."""
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, str | int | float):
        return f"{given!r}"
    if isinstance(given, dict | list) and given:
        return "a table" if isinstance(given, dict) else "a list"
    return str(given)


def _literals(expected: str) -> list[str]:
    return [part.strip().strip("'") for part in expected.replace(" or ", ", ").split(",") if part.strip()]


def allowed_keys(cls: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """Return the keys that the table at `loc` may have."""
    found = _model_at(cls, loc)
    if found is None:
        return []
    keys = [info.alias or name for name, info in found.model_fields.items() if not info.exclude]
    if found is schema.Recipient:
        keys.remove("claims")
    if found is schema.Point:
        keys += [name for name in schema.Parameter.model_fields if name not in keys]
    if found is schema.Parameter:
        keys += [info.alias or name for name, info in schema.Point.model_fields.items() if not info.exclude]
    return keys


def _documentation(cls: type[BaseModel], loc: Sequence[str | int]) -> str:
    found = _model_at(cls, loc[:-1])
    for name, info in found.model_fields.items() if found else ():
        if found and loc[-1] in (name, info.alias):
            text = schema.described(found).get(name, "").split("\n")[0].rstrip(".")
            return text[0].lower() + text[1:] if text[1:2].islower() else text
    return "see docs/parameters.md"


def _model_at(annotation: Any, loc: Sequence[str | int]) -> type[BaseModel] | None:
    """Follow `loc` through the annotations to the model that stands there."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _model_at(get_args(annotation)[0], loc)
    if origin in (Union, types.UnionType):
        if loc and loc[0] in _TAGS:
            return schema.Parameter if loc[0] == "parameter" and len(loc) == 1 else _model_at(schema.Parameter, loc[1:])
        found = (_model_at(option, loc) for option in get_args(annotation) if option is not type(None))
        return next((model for model in found if model is not None), None)
    if origin is list:
        return _model_at(get_args(annotation)[0], loc[1:])
    if origin is dict:
        return _model_at(get_args(annotation)[1], loc[1:])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not loc:
            return annotation
        for name, info in annotation.model_fields.items():
            if loc[0] in (name, info.alias):
                return _model_at(info.annotation, loc[1:])
    return None

