"""JSON Schema for editors: what each kind of file in ``params/`` may say, completed and checked while one types.

Pydantic describes the classes of `schema`; the files may say a little more (a parameter as a single value, a source as one
key, a recipient's claims at the top of the file), and TOML has no null. `json_schema` gives the schema of the files. It
checks shape and names, not the rules across values and files, which only ``stockpile params check`` knows; and it describes
whole files, so that a file laid over another may lack keys that it asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from stockpile import schema, units
from stockpile.errors import InputError, nearest
from stockpile.params import FILES, FOLDERS

Node = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
SOURCES = "sources"
KINDS: dict[str, type[BaseModel]] = {cls.__name__.lower(): cls for cls in (*FOLDERS.values(), *FILES.values())} | {SOURCES: schema.Source}
"""Kinds of files: one thing of each folder, and the single files."""
NAME = {"pattern": "^[a-z][a-z0-9_]*$"}
UNIT = {"anyOf": [{"enum": list(units.UNITS)}, {"type": "string", "pattern": "^USD_(19|20)[0-9][0-9]$"}]}
ONE_OR_MORE = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
COMPLETE = {
    "dependentRequired": {"low": ["high"], "high": ["low"]},
    "allOf": [
        {"if": _if, "then": {"required": needed}}
        for _if, needed in (
            ({"properties": {"grade": {"enum": ["measured", "reported"]}}}, ["source", "where"]),
            ({"properties": {"grade": {"enum": ["derived"]}}}, ["source", "note"]),
            ({"properties": {"grade": {"enum": ["assumed"]}}}, ["note"]),
        )
    ],
}
"""What a value must have besides itself and its grade."""


def json_schema(kind: str) -> Node:
    """Return the JSON Schema of a kind of file.

    Parameters
    ----------
    kind : str
        One of `KINDS`: munition, recipient, event, campaign, policy, observations, case, scenario, model, sources.

    Raises
    ------
    InputError
        For an unknown kind.
    """
    if kind not in KINDS:
        raise InputError.one("kind", f"unknown kind of file {kind!r}; {nearest(kind, KINDS)}")
    cls = KINDS[kind]
    node = _plain(cls.model_json_schema(by_alias=True))
    definitions: Node = {name: _as_in_files(name, one) for name, one in node.pop("$defs", {}).items()}
    node = _as_in_files(cls.__name__, node)
    if "Parameter" in definitions:
        single, several = _forms(definitions["Parameter"], definitions["Point"])
        description = definitions["Parameter"]["description"]
        definitions |= {"SingleValue": single, "SeveralPoints": several}
        definitions["Parameter"] = {"description": description, "oneOf": [_to("SingleValue"), _to("SeveralPoints")]}
    if kind == "case":
        definitions |= {name: _may_suppose(definitions[name]) for name in ("SingleValue", "Point", "Plan")}
    if kind == SOURCES:
        definitions["Source"] = node
        node = {"description": "Every document that a number rests on, by key.", "type": "object", "additionalProperties": _to("Source")}
    return {"$schema": DIALECT, "title": f"stockpile {kind}", **node, **({"$defs": definitions} if definitions else {})}


def _may_suppose(node: Node) -> Node:
    """Return the schema of a value that need not say where it comes from: then it is one that the case supposes."""
    rules = [{**rule, "if": {**rule["if"], "required": ["grade"]}} for rule in node["allOf"]]
    says = {key: ["grade"] for key in ("source", "where", "note")}
    required = [key for key in node["required"] if key != "grade"]
    return {**node, "required": required, "allOf": rules, "dependentRequired": {**node["dependentRequired"], **says}}


def _to(name: str) -> Node:
    return {"$ref": f"#/$defs/{name}"}


def _documented(node: Node) -> Node:
    return {key: node[key] for key in ("description",) if key in node}


def _without_null(node: Node) -> Node:
    """Return a schema that does not allow null; where one option is left, as that one."""
    options = [option for option in node.get("anyOf", []) if option != {"type": "null"}]
    if len(options) == 1 and len(node["anyOf"]) == 2:
        return {**options[0], **{key: value for key, value in node.items() if key not in ("anyOf", "default")}}
    return {**node, "anyOf": options} if options else node


def _plain(node: Node) -> Node:
    """Return a schema without pydantic's titles and nulls, and with unknown keys refused wherever keys have a pattern."""
    node = _without_null(node)
    result: Node = {}
    for key, value in node.items():
        if key == "title":
            continue
        if key in ("properties", "patternProperties", "$defs"):
            result[key] = {name: _plain(one) for name, one in value.items()}
        elif key in ("anyOf", "oneOf", "allOf"):
            result[key] = [_plain(one) for one in value]
        elif isinstance(value, dict) and key in ("items", "additionalProperties"):
            result[key] = _plain(value)
        elif key == "description":
            result[key] = " ".join(value.split())
        elif not (key == "default" and value is None):
            result[key] = value
    if "patternProperties" in result:
        result.setdefault("additionalProperties", False)
    return result


def _as_in_files(name: str, node: Node) -> Node:
    """Return the schema of class `name` as its files may say it."""
    cls = getattr(schema, name, None)
    if isinstance(cls, type) and issubclass(cls, schema.Evidence):
        said = {"source": ONE_OR_MORE, "unit": UNIT}
        own = {key: {**_documented(one), **said[key]} if key in said else one for key, one in node["properties"].items()}
        node = {**node, "properties": own, **COMPLETE}
    if name == "Answer":
        node = {**node, "properties": {**node["properties"], "source": {**_documented(node["properties"]["source"]), **ONE_OR_MORE}}}
    return _SPECIAL[name](node) if name in _SPECIAL else node


def _at_the_top(field: str, what: str) -> Callable[[Node], Node]:
    """The tables of `field` stand at the top of the file."""

    def of(node: Node) -> Node:
        own = {key: value for key, value in node["properties"].items() if key != field}
        required = [key for key in node["required"] if key != field]
        return {**node, "properties": own, "required": required, "additionalProperties": _to(what), "propertyNames": NAME}

    return of


def _without(field: str) -> Callable[[Node], Node]:
    """What is worked out is no key of a file."""
    return lambda node: {**node, "properties": {key: value for key, value in node["properties"].items() if key != field}}


def _exactly_one(*keys: str) -> Callable[[Node], Node]:
    def of(node: Node) -> Node:
        return {**node, "oneOf": [{"required": [key]} for key in keys]}

    return of


_SPECIAL: dict[str, Callable[[Node], Node]] = {
    "Recipient": _at_the_top("claims", "Claim"),
    "Observations": _at_the_top("entries", "Observation"),
    "Point": _without("alternatives"),
    "Reference": _exactly_one("same_as", "one_minus"),
    "Change": _exactly_one("value", "scale", "add", "at"),
}


def _forms(parameter: Node, point: Node) -> tuple[Node, Node]:
    """Return the two ways to write a parameter: with the keys of a single value, or with points."""
    own = {key: value for key, value in parameter["properties"].items() if key != "points"}
    own["unit"] = {**_documented(own["unit"]), **UNIT}
    several = {**parameter, "properties": {**own, "points": parameter["properties"]["points"]}}
    single = {**point, "properties": {**own, **point["properties"]}, "required": ["unit", *point["required"]]}
    return {**single, "description": "A parameter with one value."}, {**several, "description": "A parameter with values from dates on."}
