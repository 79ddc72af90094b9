"""Writes docs/parameters.md, docs/equations.md and its picture, and tables in docs/model.md, glossary.md and cases.md, from the code.

Run by ``make docs``. A test compares the committed files with what this gives.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel
from pydantic.fields import FieldInfo

from stockpile import schema, units
from stockpile.codegen import diagram, latex
from stockpile.evidence.case_measures import MEASURES
from stockpile.model.state import FLOWS, SERIES, STOCKS, Meaning, State
from stockpile.params import FILES, FOLDERS
from stockpile.scenario import NEEDED

HERE = Path(__file__).resolve().parent
GRADES = {
    "measured": "counted by the owner; names its source and where in it the number stands",
    "reported": "stated by a source; names it and where in it the number stands",
    "derived": "our arithmetic from sources; names them, and the arithmetic in `note`",
    "assumed": "a judgement; the reason in `note`, and what it leans on in `source`",
}
SHAPES = {
    "uniform": ("the bounds", "any", "every value between the bounds equally likely"),
    "triangular": ("the bounds", "the mode", "most likely at `value`, falling off in straight lines to the bounds"),
    "pert": ("the bounds", "the mode", "most likely at `value`, falling off smoothly: a beta distribution with lambda 4"),
    "normal": (
        "5th and 95th percentile",
        "the median",
        "bell-shaped, two half-normals where `value` is not in the middle; cut off at the 0.1th and 99.9th percentile and at what the "
        "number can be at all, the rest scaled up",
    ),
    "lognormal": ("5th and 95th percentile, above 0", "the median", "the same in the logarithm"),
    "choice": (
        "none",
        "one of them",
        "`value`, or one of those beside it in its conflict group that were known at `as_of` and hold from the same day, by their "
        "`weight`; fixed where nothing is beside it",
    ),
}
ROLES = {
    "uncertainty": "nature's: drawn in an ensemble",
    "lever": "a choice: needs no source, and is not drawn; its range is what may be chosen",
    "constant": "never varied",
}
DRAWS = """### Shapes

What a draw of an ensemble is; a central run takes `value`. One draw moves all points of a parameter together, each to the same
percentile of its own range. Where `low` and `high` are equal, or left out, the value is fixed (but for a choice). What a number can be
at all: rounds, rates, times, counts and prices 0 or more, shares 0 to 1, a campaign's rate 0 to 4 a year and its length 0 to 12 months, a
delay anything. A percentile is exactly the one said as long as no such bound cuts off more than a thousandth.
"""
INTRODUCTION = """# What the files in params/ may say

<!-- Made by `make docs` from stockpile/schema/ and stockpile/units.py; not edited by hand. -->

One TOML file a thing; the path is the name: the key `us_share` in `munitions/pac3.toml` is `munitions.pac3.us_share` in
`--set`, in a scenario's `changes` and in `stockpile params show`. A file or folder whose name starts with `_` or `.` is
passed over. Unknown keys are errors that name the nearest known one; all faults of all files are reported together, as
`file:line:column: key: what is wrong, what is allowed`.

A folder given with `--params` has the same layout and is laid over the shipped one: tables key by key, a parameter
(a table with `unit`) and everything else whole.
"""


def parameters() -> str:
    """Return the text of docs/parameters.md."""
    parts = [INTRODUCTION, _values()]
    seen: set[type[BaseModel]] = {schema.Parameter, schema.Point, schema.Evidence, schema.Reference}
    places = {"sources.toml": schema.Source, **{f"{name}.toml": cls for name, cls in FILES.items()}}
    for place, cls in (places | {f"{name}/*.toml": cls for name, cls in FOLDERS.items()}).items():
        parts.append(f"## `params/{place}`\n")
        parts.extend(_section(model) for model in _reached(cls, seen))
    return "\n".join(parts)


def _values() -> str:
    """Return the part about values, units, grades and shapes."""
    unit_rows = [(f"`{unit.name}`", unit.dimension, f"{unit.factor:.7g}") for unit in units.UNITS.values()]
    money = "any year from 1900 to 2099; brought to the scenario's `money_year` with `model.deflator`"
    unit_rows.append(("`USD_2025`", "money of that year", money))
    return "\n".join(
        [
            "## Values\n",
            *(_section(cls) for cls in (schema.Parameter, schema.Point, schema.Evidence, schema.Reference)),
            "### Units\n\nA closed table: nothing else loads. A month is a calendar month.\n",
            _table(("unit", "measures", "times this gives the model's own unit"), unit_rows),
            "### Grades\n",
            _table(("grade", "means"), [(f"`{name}`", GRADES[name]) for name in get_args(schema.Grade)]),
            DRAWS,
            _table(("shape", "low and high", "value", "a draw"), [(f"`{name}`", *SHAPES[name]) for name in get_args(schema.Shape)]),
            "### Roles\n",
            _table(("role", "means"), [(f"`{name}`", ROLES[name]) for name in get_args(schema.Role)]),
        ]
    )


def _reached(cls: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """Yield `cls` and the classes its fields lead to, each once."""
    if cls in seen:
        return
    seen.add(cls)
    yield cls
    for base in cls.__bases__:
        if base is not schema.Strict and issubclass(base, schema.Strict):
            yield from _reached(base, seen)
    for info in cls.model_fields.values():
        for inner in _classes(info.annotation):
            yield from _reached(inner, seen)


def _classes(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation) if get_origin(annotation) is not Literal else ():
        yield from _classes(inner)


def _section(cls: type[BaseModel]) -> str:
    """Return heading, description and table of keys of one class."""
    base = next((b for b in cls.__bases__ if b is not schema.Strict and issubclass(b, schema.Strict)), None)
    inherited = set(base.model_fields) if base else set()
    rows = []
    for name, info in cls.model_fields.items():
        if name in inherited or info.exclude:
            continue
        rows.append((f"`{info.alias or name}`", _takes(info), _default(info), _flat(schema.described(cls).get(name, ""))))
    text = f"### {cls.__name__}\n\n{_flat(inspect.getdoc(cls) or '')}\n"
    if base:
        text += f"\nAll keys of {_link(base)}" + (", and:\n" if rows else ".\n")
    if cls is schema.Scenario:
        text += f"\nA scenario or one of its bases must give {', '.join(f'`{key}`' for key in NEEDED)}.\n"
    return text + ("\n" + _table(("key", "takes", "left out", "meaning"), rows) if rows else "")


def _takes(info: FieldInfo) -> str:
    """Return in words what a field takes."""
    return _words(info.annotation, list(info.metadata))


def _words(annotation: Any, metadata: list[Any]) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _words(arguments[0], [*arguments[1:], *metadata])
    if origin in (Union, types.UnionType):
        options = [option for option in arguments if option is not type(None)]
        return " or ".join(_words(option, metadata if len(options) == 1 else []) for option in options)
    if origin is Literal:
        return ", ".join(f"`{option}`" for option in arguments)
    if origin is list:
        return f"list of {_words(arguments[0], [])}"
    if origin is dict:
        return f"tables by name: {_words(arguments[1], [])}" if list(_classes(arguments[1])) else f"by name: {_words(arguments[1], [])}"
    return _plain(annotation, [inner for item in metadata for inner in (item.metadata if isinstance(item, FieldInfo) else [item])])


def _plain(annotation: Any, metadata: list[Any]) -> str:
    if annotation is schema.Parameter:
        return f"{_link(schema.Parameter)}{_kind(metadata)}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _link(annotation)
    if annotation in (int, float):
        least, above, most = (next((getattr(item, key) for item in metadata if hasattr(item, key)), None) for key in ("ge", "gt", "le"))
        word = "whole number" if annotation is int else "number"
        return f"{word} above {above:g}" if above is not None else word + _bounds(least, most)
    if annotation is str:
        pattern = next((item.pattern for item in metadata if getattr(item, "pattern", None)), None)
        return "text" if pattern is None else "name" if pattern.startswith("^[a-z]") else "text"
    return {bool: "`true` or `false`", Any: "a value"}.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _kind(metadata: list[Any]) -> str:
    """Return what a parameter measures and between which bounds, from the check that is attached to it."""
    for item in metadata:
        if isinstance(item, AfterValidator):
            rule = inspect.getclosurevars(item.func).nonlocals
            unit = next((u.name for u in units.of_dimension(rule["dimension"]) if u.factor == 1.0 and u.name != "1"), "")
            return f" of {rule['dimension']}{_bounds(rule['least'], rule['most'], unit)}"
    return ""


def _bounds(least: float | None, most: float | None, unit: str = "") -> str:
    if least is None:
        return ""
    return f", at least {least:g}" if most is None else f", {least:g} to {most:.3g}{' ' if unit else ''}{unit}"


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "**must be given**"
    value = info.get_default(call_default_factory=True)
    if value is None or value == [] or value == {} or isinstance(value, BaseModel):
        return "–"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _link(cls: type[BaseModel]) -> str:
    return f"[{cls.__name__}](#{cls.__name__.lower()})"


def _flat(text: str) -> str:
    """Return text on one line, in Markdown."""
    return re.sub(r"\s+", " ", text).replace("``", "`").replace("|", r"\|").strip()


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'|'.join('---' for _ in head)}|", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines) + "\n"


def glossary(text: str) -> str:
    """Return the glossary with its tables of quantities made anew, the rest as it is."""
    for name, table in (("stocks", STOCKS), ("flows", FLOWS), ("series", SERIES)):
        start, end = f"<!-- table: {name} -->\n", f"<!-- end: {name} -->"
        before, rest = text.split(start)
        text = before + start + "\n" + _quantities(table) + "\n" + end + rest.split(end, 1)[1]
    return text


def _quantities(table: dict[str, Meaning]) -> str:
    whose = {"us": "US", "recipient": "each recipient", "cause": "each cause"}
    both = {"expired": "US and each recipient"}
    rows = [(f"`{name}`", f"`{m.unit}`", both.get(name, whose[m.index]), m.text) for name, m in table.items()]
    return _table(("name", "unit", "whose", "meaning"), rows)


def cases(text: str) -> str:
    """Return the page of published cases with its table of measures made anew, the rest as it is."""
    rows = []
    for name, asked in schema.MEASURES.items():
        allowed = [unit.name for unit in units.of_dimension(asked.dimension)] + ["date"] * asked.a_day
        takes = [f"`{key}`" for key in asked.takes]
        needs = [f"**`{key}`**" for key in asked.needs]
        said = _flat(MEASURES[name].__doc__ or "")
        rows.append((f"`{name}`", ", ".join(f"`{unit}`" for unit in allowed), ", ".join([*needs, *takes]) or "–", said))
    before, rest = text.split("<!-- table: measures -->\n")
    table = _table(("measure", "unit", "takes (**needs**)", "is"), rows)
    return before + "<!-- table: measures -->\n\n" + table + "\n<!-- end: measures -->" + rest.split("<!-- end: measures -->", 1)[1]


def model(text: str) -> str:
    """Return the page on the model with its table of stocks made anew, the rest as it is."""
    symbol = {name: one[1:-1] for one, name, _, _ in latex.symbol_table()}
    rows = []
    for name in (field.name for field in fields(State) if field.name != "review"):
        into = ", ".join(f"`{one.name}`" for one in diagram.flows() if _plain_name(one.target) == name)
        out_of = ", ".join(f"`{one.name}`" for one in diagram.flows() if _plain_name(one.source) == name)
        rows.append((f"`{name}`", f"$`{symbol[name]}`$", STOCKS[name].text, into, out_of))
    table = _table(("stock", "symbol", "is", "what raises it", "what lowers it"), rows)
    before, rest = text.split("<!-- table: stocks -->\n")
    return before + "<!-- table: stocks -->\n\n" + table + "\n<!-- end: stocks -->" + rest.split("<!-- end: stocks -->", 1)[1]


def _plain_name(stock: str | None) -> str:
    return (stock or "").removesuffix("[r]")


EQUATIONS = """# The equations, printed

<!-- Made by `make docs` from stockpile/model/equations.py; not edited by hand. -->

Printed from the functions that everything runs on, by the tracer that compiled code, the live page and the XMILE export come from too.
[model.md](model.md) says in words what they mean, `stockpile export latex` gives them as a document.

All flows of a step are worked out from the stocks at its start, in this order; then all stocks move at once. Flows are rates [round/month].
*r* is a recipient, a sum over *s* runs over all of them, a prime marks a share in force, ε is a number that is next to nothing and keeps a
quotient finite where its divisor is nought.

![Stocks and flows of one munition](stocks_and_flows.svg)
"""
PARTS = {
    "state.review": "The review, and the shares in force", "flow.delivered": "Production", "flow.own_use": "Own use, and what is free",
    "flow.request": "Requests and transfers", "flow.released": "The recipients, and ageing", "rate.us_on_hand": "What moves the stocks",
}
"""Headings, each before the equation that it begins with."""


def equations() -> str:
    """Return the text of docs/equations.md."""
    lines = [EQUATIONS]
    for one in latex.step_equations():
        if one.key in PARTS:
            lines.append(f"## {PARTS[one.key]}\n")
        lines.append(f"```math\n{one.text}\n```\n")
    lines.append("## Sharing what is available inside a class\n")
    lines.append("A class is asked for *b* in all and has a capacity *c*; by request, and by weight for two recipients:\n")
    lines += [f"```math\n{one.text}\n```\n" for one in latex.sharing_equations()]
    rows = [(f"$`{symbol[1:-1]}`$", f"`{name}`", f"`{unit}`", said) for symbol, name, unit, said in latex.symbol_table()]
    return "\n".join([*lines, "## Symbols\n", _table(("symbol", "name", "unit", "is"), rows)])


def main() -> None:
    """Write all files."""
    (HERE / "parameters.md").write_text(parameters(), encoding="utf-8")
    (HERE / "equations.md").write_text(equations(), encoding="utf-8")
    (HERE / "stocks_and_flows.svg").write_text(diagram.svg(), encoding="utf-8")
    for name, made in (("glossary.md", glossary), ("cases.md", cases), ("model.md", model)):
        file = HERE / name
        file.write_text(made(file.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
