"""Turning pydantic's errors into our one-line messages: which key of the file, what is wrong, what is allowed."""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from stockpile import schema
from stockpile.errors import nearest

_TAGS = ("parameter", "reference")


def explain(cls: type[BaseModel], table: Any, error: ValidationError) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield for each fault the key path in the file and the message."""
    for item in error.errors(include_url=False):
        loc = item["loc"]
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
        if inside and step not in node and step in (*_TAGS, "claims", "entries", "[key]"):
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
    shown = f"{given!r}" if isinstance(given, str | int | float | bool) else type(given).__name__
    if kind == "extra_forbidden":
        return f"unknown key; {nearest(str(loc[-1]), allowed_keys(cls, loc[:-1]))}"
    if kind == "missing":
        return f"missing; it must be given ({_documentation(cls, loc)})"
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        return f"{shown} is not known; {nearest(str(given), _literals(context['expected']))}"
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return f"{shown} is neither a parameter nor a reference (same_as, one_minus)"
    if kind == "string_pattern_mismatch":
        return f"{shown} does not fit; allowed: text that matches {context['pattern']}"
    if kind == "finite_number":
        return f"{shown} is not a finite number; allowed: a finite number"
    return f"{shown}: {item['msg'][0].lower()}{item['msg'][1:]}"


def _literals(expected: str) -> list[str]:
    return [part.strip().strip("'") for part in expected.replace(" or ", ", ").split(",") if part.strip()]


def allowed_keys(cls: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """Return the keys that the table at `loc` may have."""
    found = _model_at(cls, loc)
    if found is None:
        return []
    keys = [info.alias or name for name, info in found.model_fields.items()]
    if found is schema.Point:
        keys += [name for name in schema.Parameter.model_fields if name not in keys]
    if found is schema.Parameter:
        keys += [info.alias or name for name, info in schema.Point.model_fields.items()]
    return keys


def _documentation(cls: type[BaseModel], loc: Sequence[str | int]) -> str:
    found = _model_at(cls, loc[:-1])
    for name, info in (found.model_fields if found else {}).items():
        if loc[-1] in (name, info.alias):
            return (info.description or "").split("\n")[0].rstrip(".")
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
    if origin is Literal:
        return None
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

