"""What differs between two scenarios, path by path, and why; and scenarios that have some of the changes and not the others."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from stockpile import overrides
from stockpile.scenario import Scenario
from stockpile.tables import Table, is_parameter, parameters
from stockpile.vintage import BEGINNING, published

SETTINGS = ("as_of", "start", "end", "substeps", "method", "money_year", "munitions", "recipients")
"""Keys of a scenario that move a result by themselves."""
WHOLE = ("events", "policies")
"""Folders whose things are compared as a whole."""
TOLD = ("source", "where", "note", "grade", "conflict", "title", "description", "used", "replaces", "outcome", "short")
"""Keys that say where a number comes from and move nothing."""
ALTERNATIVES = (*TOLD, "alternatives", "weight")
PINNED, BY_SCENARIO, SETTING = "pinned by the user", "changed by the scenario", "setting of the scenario"
NEW_SOURCE, OLD_SOURCE = "new source known", "source not known"
NEW_VALUE, NEW_THING, GONE, SAME = "new value", "new", "not there any more", "same number, told otherwise"
BESIDE = "other values beside it"
MISSING: Any = None


@dataclass(frozen=True)
class Change:
    """One thing that differs between two scenarios.

    Attributes
    ----------
    steps : tuple of str
        Its path.
    old, new : object
        What stands there in the first and in the second; None for nothing.
    cause : str
        Why it differs: one of the names above.
    sources : tuple of str
        Keys that the new value rests on and the old one does not; all of the new one's where there are none such. What was set by the
        user or the scenario rests on none of its own.
    reason : str
        What the scenario says of it.
    """

    steps: tuple[str, ...]
    old: Any = field(repr=False)
    new: Any = field(repr=False)
    cause: str = ""
    sources: tuple[str, ...] = ()
    reason: str = ""

    @property
    def path(self) -> str:
        """Its path as it is written."""
        return ".".join(self.steps)

    @property
    def kind(self) -> str:
        """What it is: parameter, plan, lot, level, event, campaign, policy, correlation or setting."""
        given = self.new if self.new is not MISSING else self.old
        if self.steps[0] == "scenario":
            return "setting"
        if self.steps[0] in WHOLE:
            return {"events": "event", "policies": "policy"}[self.steps[0]]
        if "plans" in self.steps[-2:-1]:
            return "plan"
        if is_parameter(given):
            return "parameter"
        groups = {"lots": "lot", "correlations": "correlation", "floors": "level", "requirements": "level", "campaigns": "campaign"}
        return next((groups[step] for step in self.steps[-2:-1] if step in groups), "setting")

    @property
    def moves(self) -> bool:
        """Whether a result can depend on it."""
        return self.cause != SAME


def changes(a: Scenario, b: Scenario) -> tuple[Change, ...]:
    """Return all that differs between two scenarios, in the order of the paths."""
    found = [Change(steps, old, new) for steps, old, new in _walk(_compared(a.tree), _compared(b.tree), ())]
    return tuple(_explained(one, a, b) for one in found)


def _compared(tree: Table) -> Table:
    """Return a resolved table without what only describes the scenario, or has been worked into the rest."""
    return {**tree, "scenario": {key: tree["scenario"][key] for key in SETTINGS if key in tree["scenario"]}}


def _walk(old: Any, new: Any, steps: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Yield path, old and new wherever two tables differ; what stands together is not taken apart."""
    if old == new:
        return
    if _is_whole(old, steps) or _is_whole(new, steps):
        yield steps, old, new
        return
    for key in sorted({*old, *new}):
        yield from _walk(old.get(key, MISSING), new.get(key, MISSING), (*steps, key))


def _is_whole(node: Any, steps: tuple[str, ...]) -> bool:
    return (
        not isinstance(node, dict)
        or is_parameter(node)
        or (len(steps) == 2 and steps[0] in WHOLE)
        or "plans" in steps[-2:-1]
        or steps[:-1] == ("model", "correlations")
    )


# ---------------------------------------------------------------- why


def _explained(change: Change, a: Scenario, b: Scenario) -> Change:
    old, new = sources_in(change.old), sources_in(change.new)
    fresh = tuple(key for key in new if key not in old)
    cause = _cause(change, a, b, old)
    chosen = cause in (PINNED, BY_SCENARIO)
    reasons = [one for one in _by_scenario(b, change) if one not in _by_scenario(a, change)] if cause == BY_SCENARIO else []
    return Change(change.steps, change.old, change.new, cause, fresh if chosen else fresh or new, "; ".join(reasons))


def _cause(change: Change, a: Scenario, b: Scenario, old: tuple[str, ...]) -> str:
    if bare(change.old) == bare(change.new) and change.steps[0] != "scenario":
        return SAME
    if _pinning(a, change.path) != _pinning(b, change.path):
        return PINNED
    if _by_scenario(a, change) != _by_scenario(b, change):
        return BY_SCENARIO
    if change.steps[0] == "scenario":
        return SETTING
    if bare(change.old, ALTERNATIVES) == bare(change.new, ALTERNATIVES):
        return BESIDE
    new = sources_in(change.new)
    if any(key not in a.sources for key in new):
        return NEW_SOURCE
    if any(key not in b.sources for key in old):
        return OLD_SOURCE
    if change.old is MISSING or change.new is MISSING:
        return NEW_THING if change.old is MISSING else GONE
    return NEW_VALUE


def _pinning(scenario: Scenario, path: str) -> list[tuple[str, str]]:
    """Return the changes by `override` that reach a path."""
    given = [(overrides.setting(key, amount).path, str(amount)) for key, amount in scenario.overridden.items()]
    return [one for one in given if overrides.touches(one[0], path) or overrides.touches(path, one[0])]


def _by_scenario(scenario: Scenario, change: Change) -> list[str]:
    """Return what the files of a scenario say about a path."""
    table = scenario.tree["scenario"]
    made = [one for one in table.get("changes", ()) if overrides.touches(one["path"], change.path)]
    found = [f"{_operation(one)}: {one['reason']}" for one in made]
    if change.steps[0] == "events":
        found += [f"{one['event']} again from {one['start']}" for one in table.get("repeats", ()) if one["name"] == change.steps[1]]
    if change.steps[0] in ("events", "campaigns"):
        found += [f"without {one}" for one in table.get(f"without_{change.steps[0]}", ()) if one == change.steps[1]]
    return found


def _operation(change: Table) -> str:
    """Return a change of a scenario's file in a few words."""
    operation = next(one for one in overrides.OPERATIONS if one in change)
    return f"{operation} {change[operation]}" + (f" from {change['from']}" if "from" in change else "")


def bare(node: Any, without: tuple[str, ...] = TOLD) -> Any:
    """Return a table without what only says where its numbers come from."""
    if isinstance(node, dict):
        return {key: bare(value, without) for key, value in node.items() if key not in without}
    return [bare(one, without) for one in node] if isinstance(node, list) else node


def sources_in(node: Any) -> tuple[str, ...]:
    """Return the keys of sources that stand anywhere in a table, each once."""
    if isinstance(node, dict):
        given = node.get("source", [])
        own = [given] if isinstance(given, str) else list(given)
        return tuple(dict.fromkeys([*own, *(key for value in node.values() for key in sources_in(value))]))
    if isinstance(node, list):
        return tuple(dict.fromkeys(key for one in node for key in sources_in(one)))
    return ()


# ---------------------------------------------------------------- what differs, in a row


def described(change: Change, a: Scenario, b: Scenario) -> dict[str, Any]:
    """Return old and new value, range, unit, date and source of a change, as plain values.

    Of a parameter with values from several dates on: the latest of those that differ; `more` counts the others.
    """
    old, new, more = _points(change)
    sources = {**a.sources, **b.sources}
    keys = [key for key in change.sources if key in sources]
    last = max(keys, key=lambda key: sources[key].published, default=None)
    table = change.new if isinstance(change.new, dict) else change.old if isinstance(change.old, dict) else {}
    return {
        "path": change.path, "kind": change.kind, "cause": change.cause,
        "old": _number(old), "new": _number(new), "unit": _unit(change, table, (a.tree, b.tree)),
        "old_low": _end(old, "low"), "old_high": _end(old, "high"), "new_low": _end(new, "low"), "new_high": _end(new, "high"),
        "from": _from(new if isinstance(new, dict) else old), "more": more,
        "grade": (new if isinstance(new, dict) else {}).get("grade", ""),
        "source": "; ".join(keys),
        "published": published(keys, sources) if keys else None,
        "publisher": sources[last].publisher if last else "",
        "url": sources[last].url if last else "",
        "where": (new if isinstance(new, dict) else {}).get("where", ""),
        "note": change.reason or (new if isinstance(new, dict) else {}).get("note", ""),
    }


def _unit(change: Change, table: Table, trees: tuple[Table, Table]) -> str:
    if "unit" in table:
        return str(table["unit"])
    if change.kind == "lot":
        return str(table["quantity"]["unit"])
    if change.kind == "plan":
        part = trees[1] if change.new is not MISSING else trees[0]
        for step in change.steps[:-2]:
            part = part[step]
        return str(part["capacity"]["unit"])
    return "1" if change.kind == "correlation" else ""


def _points(change: Change) -> tuple[Any, Any, int]:
    """Return what stands there before and after, of several points the latest that differs, and how many others differ."""
    if change.kind == "lot":
        return _first_point(change.old), _first_point(change.new), 0
    if change.kind != "parameter" or "points" not in (change.new or change.old):
        return change.old, change.new, 0
    before, after = (_by_date(one) for one in (change.old, change.new))
    differ = sorted(day for day in {*before, *after} if before.get(day) != after.get(day))
    if not differ:
        return next(iter(before.values()), None), next(iter(after.values()), None), 0
    known = [day for day in differ if day in after] or differ
    day = known[-1]
    old = before.get(day) or next((before[one] for one in sorted(before, reverse=True) if one <= day), None)
    # A value for all dates that takes the place of several: the last of them is shown beside it.
    old = old or (before[max(before)] if before else None)
    return old, after.get(day), len(differ) - 1


def _first_point(lot: Any) -> Any:
    return lot["quantity"]["points"][0] if lot else None


def _by_date(table: Any) -> dict[dt.date, Table]:
    return {point.get("from", BEGINNING): point for point in (table or {}).get("points", ())}


def _from(point: Any) -> dt.date | None:
    given = point.get("from", point.get("by", point.get("start"))) if isinstance(point, dict) else None
    return given if isinstance(given, dt.date) and given != BEGINNING else None


def _number(node: Any) -> Any:
    """Return what stands in a table of results for a value: a number, a text, or None for nothing."""
    if not isinstance(node, dict):
        return ", ".join(map(str, node)) if isinstance(node, list) else str(node) if isinstance(node, dt.date) else node
    if "value" in node:
        return float(node["value"])
    if "pairs" in node:
        return f"{sum(map(len, node['pairs']))} correlations"
    return str(node.get("title", node.get("same_as", node.get("one_minus", "as in the files"))))


def _end(node: Any, key: str) -> float | None:
    if not isinstance(node, dict) or "value" not in node:
        return None
    if node.get(key) is not None:
        return float(node[key])
    values = [float(one["value"]) for one in (node, *node.get("alternatives", ()))]
    return {"low": min, "high": max}[key](values) if len(values) > 1 else None


# ---------------------------------------------------------------- some of the changes


def with_changes(a: Scenario, b: Scenario, some: Sequence[Change]) -> Scenario:
    """Return the first scenario with some of its changes to the second one made.

    Raises
    ------
    InputError
        If these changes do not go together without others.
    """
    tree = copy.deepcopy(a.tree)
    for change in some:
        parent = tree
        for step in change.steps[:-1]:
            parent = parent.setdefault(step, {})
        if change.new is MISSING:
            parent.pop(change.steps[-1], None)
        else:
            parent[change.steps[-1]] = copy.deepcopy(change.new)
    return a.rebuilt(tree, b.sources)


def reach(change: Change, a: Scenario, b: Scenario) -> tuple[str, ...]:
    """Return the munitions that a change can touch."""
    every = tuple(dict.fromkeys([*a.munitions, *b.munitions]))
    if change.kind == "event":
        rounds = [name for one in (change.old, change.new) if one for name in one.get("rounds", ())]
        holds = any(one.get("kind") == "hold" for one in (change.old, change.new) if one)
        return every if holds else tuple(name for name in every if name in rounds)
    own = [step for step in change.steps[1:3] if step in every]
    place = {"munitions": 1, "recipients": 2}.get(change.steps[0])
    if place is None or not own or len(change.steps) <= place or change.steps[place] not in every:
        return every
    if any(_points_to(one.tree, change.path) for one in (a, b)):
        return every
    return (change.steps[place],)


def _points_to(tree: Table, path: str) -> bool:
    """Tell whether another parameter is taken from the one at a path, or drawn together with it."""
    targets = {table.get("same_as") or table.get("one_minus") for _, table in parameters(tree)} - {None}
    drawn = {one for group in tree["model"].get("correlations", {}).values() for one in group.get("paths", ())}
    return any(one == path or str(one).startswith(f"{path}.") for one in {*targets, *drawn})
