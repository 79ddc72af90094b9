"""What the parameters say: a summary of all files, lists of values and sources, and everything about one path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stockpile.assemble import assemble
from stockpile.errors import InputError, Problem, nearest
from stockpile.params import ParamSet, read
from stockpile.provenance import rows, summed_up
from stockpile.scenario import Scenario, resolve
from stockpile.tables import Table, is_parameter, parameters
from stockpile.vintage import BEGINNING, Beside, weight_in, weight_of

if TYPE_CHECKING:
    from stockpile import schema

Row = dict[str, Any]
GRADES = ("measured", "reported", "derived", "assumed")
POINT = ("value", "low", "high", "weight", "grade", "where", "note", "conflict", "outcome")
"""What `show` says of a value, besides from when it holds and its sources; a key without anything to say is left out."""


# ---------------------------------------------------------------- all files


def check(folders: Iterable[str | Path] = ()) -> Row:
    """Read all files, resolve and assemble every scenario, and return the summary.

    Parameters
    ----------
    folders : iterable of folders
        Laid over the shipped parameters, in order.

    Raises
    ------
    InputError
        With all faults of all files; where the files are right, with those of all scenarios.
    """
    found = read(folders)
    problems: list[Problem] = []
    for name in found.names("scenarios"):
        try:
            assemble(resolve(found, name))
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    return summary(found)


def summary(params: ParamSet) -> Row:
    """Return counts of what the files hold.

    Returns
    -------
    dict
        files; parameters; values (dated points, plans and observations) and of these unused (of conflict groups), by grade,
        sourced (they name a source) and sourced_not_assumed; sources, by kind and by outlet kind, and unused_sources; scenarios.
    """
    values = list(_values(params))
    used = [value for value in values if value.get("used", True)]
    counts = Counter(value.get("grade") for value in used)
    sources = source_rows(params)
    return {
        "files": sum(len(layers.documents) for layers in params.layers.values()),
        "parameters": sum(1 for layers in _without_sources(params) for _ in parameters(layers)),
        "values": len(values),
        "beside": len(values) - len(used),
        "grades": {grade: counts.get(grade, 0) for grade in GRADES},
        "sourced": sum(1 for value in used if value.get("source")),
        "sourced_not_assumed": sum(1 for value in used if value.get("source") and value.get("grade") != "assumed"),
        "sources": len(sources),
        "source_kinds": dict(sorted(Counter(row["kind"] for row in sources).items())),
        "outlet_kinds": dict(sorted(Counter(row["outlet_kind"] for row in sources).items())),
        "unused_sources": [row["source"] for row in sources if not row["values"]],
        "scenarios": list(params.names("scenarios")),
    }


def source_rows(params: ParamSet) -> list[Row]:
    """Return a row a source: source (its key), kind, outlet_kind, date, precision, publisher, title, url, values.

    `values` is the number of values and holds that name it; 0 for a source that nothing rests on.
    """
    resting = Counter(key for layers in _without_sources(params) for table in _tables(layers) for key in _keys(table))
    return [
        {
            "source": key,
            "kind": source.kind,
            "outlet_kind": source.outlet_kind,
            "date": source.date,
            "precision": source.precision,
            "publisher": source.publisher,
            "title": source.title,
            "url": source.url,
            "values": resting[key],
        }
        for key, source in sorted(params.sources.items())
    ]


def _without_sources(params: ParamSet) -> Iterator[Table]:
    for key, layers in params.layers.items():
        if key != ("sources",):
            yield layers.table


def _tables(node: Any) -> Iterator[Table]:
    """Yield every table in a nested one, itself included."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _tables(child)


def _values(params: ParamSet) -> Iterator[Table]:
    for layers in _without_sources(params):
        yield from (table for table in _tables(layers) if "grade" in table)


def _keys(table: Table) -> tuple[str, ...]:
    """Return the source keys that a value or hold names, each once."""
    found = table.get("source", ())
    return (found,) if isinstance(found, str) else tuple(dict.fromkeys(found))


# ---------------------------------------------------------------- one scenario


def value_rows(scenario: Scenario, under: str = "") -> list[Row]:
    """Return a row a value of a scenario, sorted by path and date, as `Scenario.table`; those at or below the path `under`."""
    found = (row for row in rows(scenario) if not under or f"{row['path']}.".startswith(f"{under}."))
    return sorted(found, key=lambda row: (row["path"], row["from"] or BEGINNING))


def show(scenario: Scenario, path: str) -> Row:
    """Return everything that a scenario knows of a path.

    Parameters
    ----------
    scenario : Scenario
    path : str
        Of a parameter, for example ``munitions.pac3.us_share``, of a group of them, or of any other key.

    Returns
    -------
    dict
        path and kind. For a ``parameter``, ``plan`` or ``correlation`` (with its paths, and pairs where it has them, the point then being
        their mean, least and greatest): unit, role, shape, points and beside (values of conflict groups that stand beside the used ones;
        ``drawn`` where a draw may take them, with their weight), each with its sources in full. For a ``reference``: how, refers_to,
        and what stands there. For a ``group``: values (as `value_rows`), references and settings below it. For a ``setting``: value.

    Raises
    ------
    InputError
        For an unknown path; the message names the nearest known one.
    """
    node = _find(scenario, path)
    if is_parameter(node) and "unit" not in node:
        how = "same_as" if "same_as" in node else "one_minus"
        return {"path": path, "kind": "reference", "how": how, "refers_to": node[how], "target": show(scenario, node[how])}
    if is_parameter(node):
        return {"path": path, "kind": "parameter", **_parameter(scenario, path, node)}
    if isinstance(node, dict) and "grade" in node and path.startswith("model.correlations."):
        pairs = {"pairs": node["pairs"]} if "pairs" in node else {}
        own = _parameter(scenario, path, {"unit": "1", "points": [summed_up(node)]})
        return {"path": path, "kind": "correlation", **own, "paths": node["paths"], **pairs}
    if isinstance(node, dict) and "grade" in node:
        capacity = _find(scenario, path.rsplit(".plans.", 1)[0])["capacity"]
        return {"path": path, "kind": "plan", **_parameter(scenario, path, {**capacity, "points": [node]})}
    if isinstance(node, dict | list):
        return {"path": path, "kind": "group", "values": value_rows(scenario, path), **_others(node, path)}
    return {"path": path, "kind": "setting", "value": node}


def _find(scenario: Scenario, path: str) -> Any:
    node: Any = scenario.tree
    for step in path.split("."):
        if isinstance(node, dict) and step in node and not is_parameter(node):
            node = node[step]
        elif isinstance(node, list) and step.isdigit() and int(step) < len(node):
            node = node[int(step)]
        else:
            raise InputError.one("", f"unknown path; {nearest(path, _paths(scenario.tree))}", file=path)
    return node


def _paths(node: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield every path that `show` takes."""
    if path:
        yield ".".join(path)
    if is_parameter(node):
        return
    items: Iterable[tuple[Any, Any]] = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield from _paths(value, (*path, str(key)))


def _parameter(scenario: Scenario, path: str, table: Table) -> Row:
    return {
        "unit": table["unit"],
        "role": table.get("role", "uncertainty"),
        "shape": table.get("shape"),
        "points": [_point(scenario, point) | (_weight(point) if point.get("alternatives") else {}) for point in table["points"]],
        "beside": [_beside(scenario, table, item) for item in scenario.beside if item.path == path],
    }


def _beside(scenario: Scenario, table: Table, item: Beside) -> Row:
    """Return a value beside the used ones, and whether draws take it as well."""
    point = item.point.model_dump(by_alias=True)
    drawn = weight_of(table, item) is not None
    return _point(scenario, point) | {"drawn": drawn} | (_weight(point) if drawn else {})


def _weight(point: Table) -> Row:
    return {"weight": weight_in(point.get("weight"))}


def _point(scenario: Scenario, point: Table) -> Row:
    """Return a value with its sources in full."""
    since = point.get("from", point.get("by"))
    return {
        "from": None if since == BEGINNING else since,
        **{key: point[key] for key in POINT if point.get(key) is not None},
        "sources": [_source(key, scenario.sources[key]) for key in _keys(point)],
    }


def _source(key: str, source: schema.Source) -> Row:
    return {"source": key, **source.model_dump(exclude_none=True)}


def _others(node: Any, path: str) -> Row:
    """Return the references and the plain settings below a group."""
    references: list[Row] = []
    settings: list[Row] = []

    def walk(item: Any, where: Sequence[str]) -> None:
        if is_parameter(item):
            if "unit" not in item:
                how = "same_as" if "same_as" in item else "one_minus"
                references.append({"path": ".".join(where), "how": how, "refers_to": item[how]})
        elif isinstance(item, dict):
            for key, value in item.items() if "grade" not in item else ():
                walk(value, (*where, key))
        elif isinstance(item, list) and any(isinstance(one, dict) for one in item):
            for number, value in enumerate(item):
                walk(value, (*where, str(number)))
        else:
            settings.append({"path": ".".join(where), "value": item})

    walk(node, (path,))
    return {"references": references, "settings": settings}


