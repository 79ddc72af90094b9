"""A scenario with the events put in that became known only later, to see whether the bookkeeping holds once it is told of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stockpile import scope, vintage
from stockpile.inputs import JOINT
from stockpile.params import ParamSet
from stockpile.results import US
from stockpile.tables import Table

if TYPE_CHECKING:
    from stockpile.scenario import Scenario

MARKS = ("hold",)
"""Kinds of events that are marks in a chart and move nothing."""


@dataclass(frozen=True)
class Given:
    """A scenario that is told of later events.

    Attributes
    ----------
    scenario : Scenario
        With those events, and without operations at random. Its `as_of`, its parameters and what counts as history are as before.
    added : tuple of str
        Names of the events put in.
    until : date
        What had been published by then was put in.
    """

    scenario: Scenario
    added: tuple[str, ...]
    until: dt.date


def given(scenario: Scenario, until: dt.date | None = None, params: ParamSet | None = None) -> Given:
    """Return a scenario with the dated events that became known after its `as_of`, and without operations at random.

    Parameters
    ----------
    scenario : Scenario
    until : date, optional
        The last day whose publications count; that of the latest source there is where left out.
    params : ParamSet, optional
        Its files, where they have been read already.
    """
    params = params or scenario.files()
    until = max(until or max(source.published for source in params.sources.values()), scenario.as_of)
    files = params.tree()
    files.pop("scenarios", None)
    then, _ = vintage.as_of(files, params.sources, scenario.as_of)
    now, _ = vintage.as_of(files, params.sources, until)
    own = scenario.tree
    without = {*then["events"], *own["events"], *own["scenario"].get("without_events", ())}
    later = {name: event for name, event in now["events"].items() if name not in without and event["kind"] not in MARKS}
    kept = scope.keep({**now, "events": later}, own["scenario"])["events"]
    causes = (None, US, JOINT, *scenario.recipients)
    tree = {**own, "events": {**own["events"], **later}}
    added = {name: event for name, event in kept.items() if event.get("cause") in causes and _is_complete(event, tree)}
    known = {key: params.sources[key] for key in sorted(set(_sources(added)))}
    told = scenario.rebuilt({**own, "events": {**own["events"], **added}, "campaigns": {}}, known)
    return Given(told, tuple(sorted(added)), until)


def _is_complete(event: Table, tree: Table) -> bool:
    """Tell whether all that an event refers to has a number in the scenario."""
    paths = [
        factor.get("same_as") or factor.get("one_minus") for factors in event["rounds"].values() for factor in factors.values()
    ]
    return all(_has_number(tree, path.split(".")) for path in paths if path)


def _has_number(node: Any, path: list[str]) -> bool:
    for step in path:
        node = node.get(step, {}) if isinstance(node, dict) else {}
    return bool(node.get("points"))


def _sources(node: Any) -> Iterator[str]:
    """Yield the keys of the sources of a nested table."""
    if isinstance(node, list):
        for one in node:
            yield from _sources(one)
    elif isinstance(node, dict):
        named = node.get("source", [])
        yield from [named] if isinstance(named, str) else named
        for key, one in node.items():
            if key != "source":
                yield from _sources(one)
