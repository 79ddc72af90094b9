"""``stockpile params``: check, list, show, sources, schema."""

from __future__ import annotations

from itertools import chain, repeat
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from stockpile.cli import DONE, FAILED, output
from stockpile.cli.options import COMMON, RESOLVED, Common, Output, Resolved
from stockpile.errors import InputError

TABLES = (".csv", ".json")
VALUE_COLUMNS = ("path", "value", "unit", "low", "high", "grade", "source", "date", "from", "where", "note")
SOURCE_COLUMNS = ("source", "kind", "outlet_kind", "date", "precision", "publisher", "title", "url", "values")


def check(*, options: Common = COMMON) -> None:
    """Read all files, resolve every scenario, and print a summary, or all faults."""
    from stockpile.analysis.catalogue import check as checked

    found = checked(options.params)
    if options.json:
        output.emit_json(found)
        return

    def listed(counts: dict[str, int]) -> str:
        return ", ".join(f"{count} {name}" for name, count in counts.items())

    unused = found["unused_sources"]
    lines = [
        f"{found['files']} files are right; {len(found['scenarios'])} scenarios resolve: {', '.join(found['scenarios'])}",
        f"{found['parameters']} parameters, {found['values']} values, {found['beside']} of them beside the used ones in conflict groups",
        f"used values by grade: {listed(found['grades'])}",
        f"used values with a source: {found['sourced']}, not counting assumed ones {found['sourced_not_assumed']}",
        f"{found['sources']} sources: {listed(found['source_kinds'])}",
        f"their outlets: {listed(found['outlet_kinds'])}",
        f"sources that nothing rests on: {', '.join(unused) if unused else 'none'}",
    ]
    output.emit("\n".join(lines))


def values(scenario: str = "july_2025", *, output: Output = None, options: Resolved = RESOLVED) -> None:
    """List every value of a scenario: path, value, range, unit, grade, source.

    Parameters
    ----------
    scenario : str
        Name of a scenario, or a TOML file that describes one.
    output : Path, optional
        File to write: .csv or .json with all columns.
    """
    from stockpile.analysis.catalogue import value_rows
    from stockpile.cli.output import emit_json, ending, save_rows

    if output:
        ending(output, TABLES)
    found = options.scenario(scenario)
    rows = value_rows(found)
    if output:
        save_rows(output, rows, VALUE_COLUMNS)
    if options.json:
        emit_json({"scenario": found.name, "as_of": found.as_of, "digest": found.digest, "values": rows})
    else:
        _print_values(rows)


def show(path: str, /, *, scenario: str = "july_2025", options: Resolved = RESOLVED) -> None:
    """Show everything about a parameter, or the parameters below a group.

    Parameters
    ----------
    path : str
        For example munitions.pac3.us_share, or munitions.pac3 for the group.
    scenario : str
        Name of a scenario, or a TOML file that describes one.
    """
    from stockpile.analysis.catalogue import show as shown

    found = shown(options.scenario(scenario), path)
    if options.json:
        output.emit_json(found)
    elif found["kind"] == "group":
        _print_group(found)
    else:
        output.emit("\n".join(_shown(found)))


def sources(*, strict: Annotated[bool, Parameter(negative="")] = False, output: Output = None, options: Common = COMMON) -> int:
    """List the sources: kind, outlet, date, publisher, and how many values rest on each.

    Parameters
    ----------
    strict : bool
        Exit with 1 if nothing rests on a source.
    output : Path, optional
        File to write: .csv or .json with all columns.
    """
    from stockpile.analysis.catalogue import source_rows
    from stockpile.cli.output import emit_json, emit_table, ending, note, save_rows
    from stockpile.params import read

    if output:
        ending(output, TABLES)
    rows = source_rows(read(options.params))
    if output:
        save_rows(output, rows, SOURCE_COLUMNS)
    if options.json:
        emit_json(rows)
    else:
        columns = ["source", "kind", "outlet", "date", "values", "publisher"]
        cells = [[r["source"], r["kind"], r["outlet_kind"], _dated(r), str(r["values"]), r["publisher"]] for r in rows]
        emit_table(f"{len(rows)} sources", columns, cells, numbers=["values"])
    unused = [row["source"] for row in rows if not row["values"]]
    if strict and unused:
        note("\n".join(f"sources.toml: {key}: nothing rests on it" for key in unused))
        return FAILED
    return DONE


def schema(
    kind: Annotated[str | None, Parameter(show_default=False)] = None,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], show_default=False)] = None,
    options: Common = COMMON,
) -> None:
    """Print the JSON Schema of the parameter files, with which editors complete and check them.

    Parameters
    ----------
    kind : str, optional
        Kind of file: munition, recipient, event, campaign, policy, observations, scenario, model or sources; all where left out.
    output : Path, optional
        Folder to write one file a kind into: munition.schema.json and so on.
    """
    from stockpile.cli.output import emit_json, save, to_json
    from stockpile.editors import KINDS, json_schema

    found = {name: json_schema(name) for name in ([kind] if kind else KINDS)}
    if output is None:
        emit_json(found[kind] if kind else found)
        return
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError.one("", f"cannot be made a folder: {error.strerror or error}", file=str(output)) from None
    files = {name: output / f"{name}.schema.json" for name in found}
    for name, file in files.items():
        save(file, to_json(found[name]) + "\n")
    if options.json:
        emit_json(list(files.values()))


# ---------------------------------------------------------------- as text


def _dated(row: dict[str, Any]) -> str:
    """Return the date of a source as exactly as it is known."""
    return str(row["date"])[: {"day": 10, "month": 7, "year": 4}[row["precision"]]]


def _print_values(rows: list[dict[str, Any]], what: str = "") -> None:
    output.emit_table(
        f"{what}{len(rows)} values",
        ["path", "from", "value", "range", "unit", "grade", "source"],
        [
            [
                row["path"], str(row["from"] or ""), output.number(row["value"]), output.span(row["low"], row["high"]), row["unit"],
                row["grade"], row["source"] or "-",
            ]
            for row in rows
        ],
        numbers=["value", "range"],
    )


def _shown(found: dict[str, Any]) -> list[str]:
    """Return the lines that say everything about a path."""
    if found["kind"] == "setting":
        return [f"{found['path']} = {_setting(found['value'])}"]
    if found["kind"] == "reference":
        words = {"same_as": "the same as", "one_minus": "1 minus"}[found["how"]]
        return [f"{found['path']} is {words} {found['refers_to']}", "", *_shown(found["target"])]
    shape = f", {found['shape']}" if found["shape"] else ""
    unit = "a number" if found["unit"] == "1" else f"in {found['unit']}"
    lines = [found["path"], f"  {found['kind']}, {unit}; {found['role']}{shape}"]
    for path, before in zip(found.get("paths", ()), chain([[]], found.get("pairs", repeat([]))), strict=False):
        lines.append(f"  of {path}" + (f", with those before it {', '.join(map(output.number, before))}" if before else ""))
    for point in found["points"]:
        lines += ["", *_point(point, found["unit"], "by" if found["kind"] == "plan" else "from")]
    for drawn, heading in ((True, "Drawn as well, by their weights:"), (False, "Beside it, not used:")):
        points = [point for point in found["beside"] if point["drawn"] == drawn]
        lines += ["", heading] if points else []
        for point in points:
            lines += ["", *_point(point, found["unit"], "from")]
    return lines


def _print_group(found: dict[str, Any]) -> None:
    """Print the values below a path, then what refers to others, then the plain settings."""
    if found["values"]:
        _print_values(found["values"], f"{found['path']}: ")
        output.emit("")
    words = {"same_as": "the same as", "one_minus": "1 minus"}
    lines = [f"{row['path']} is {words[row['how']]} {row['refers_to']}" for row in found["references"]]
    lines += [f"{row['path']} = {_setting(row['value'])}" for row in found["settings"]]
    if lines:
        output.emit("\n".join(lines))


def _setting(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_setting(one) for one in value)}]"
    return " ".join(value.split()) if isinstance(value, str) else "true" if value is True else "false" if value is False else str(value)


def _point(point: dict[str, Any], unit: str, word: str) -> list[str]:
    since = f"{word} {point['from']}: " if point["from"] else ""
    span = output.span(point.get("low"), point.get("high"))
    value = output.number(point["value"]) + ("" if unit == "1" else f" {unit}")
    lines = [f"  {since}{value}{f', range {span}' if span else ''}, {point['grade']}"]
    lines += [f"    {key}: {_setting(point[key])}" for key in ("where", "note", "conflict") if key in point]
    lines += [f"    weight: {output.number(point['weight'])}"] if "weight" in point else []
    lines += [f"    outcome: {_setting(point['outcome'])}"] if "outcome" in point else []
    for source in point["sources"]:
        lines += [
            f"    source: {source['source']}",
            f"      {source['title']}",
            f"      {source['publisher']}, {_dated(source)} ({source['kind']}, {source['outlet_kind']})",
            f"      {source['url']}",
        ]
        if "relays" in source:
            lines.append(f"      relays: {source['relays']}")
    if not point["sources"]:
        lines.append("    source: none")
    return lines
