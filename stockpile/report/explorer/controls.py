"""What the live page offers to move: controls with their ranges, units, sources and grades, and presets from policies and scenarios."""

from __future__ import annotations

from typing import Any

from stockpile import schema, simulate
from stockpile.analysis import wording
from stockpile.clock import months_later
from stockpile.errors import InputError
from stockpile.report import words
from stockpile.report.explorer.payload import BASE, assumptions, pins
from stockpile.scenario import Scenario

MOST = 2.0
"""The largest factor that a slider of an assumption gives."""
MONTHS = {"model.slip": (0, 36), "model.ramp_delay": (-12, 36)}
"""Least and most of what is counted in months."""


def controls(scenario: Scenario) -> list[dict[str, Any]]:
    """Return the controls of numbers, each with path, kind, label, unit, least, most, step, value, and what its number rests on.

    A control of kind ``factor`` multiplies what the files have, one of kind ``pin`` takes its place in all draws once it is moved, one of
    kind ``value`` always stands for it.
    """
    return [_control(scenario, one.path, scales=one.scales, pin=one in pins(scenario)) for one in (*assumptions(scenario), *pins(scenario))]


def _control(scenario: Scenario, path: str, *, scales: bool, pin: bool) -> dict[str, Any]:
    steps = path.split(".")
    # Of a product all factors are shown, though the one with a rate is what is moved.
    rests = evidence(scenario, ".".join(steps[:4]) if steps[0] == "recipients" else path)
    least, most, step = (0.0, MOST, 0.05) if scales else (0.0, 1.0, 0.01)
    if scales and _drawn_with(scenario, {path}):
        # Nothing of it would be certain, and what is drawn together with it would be drawn by itself.
        least = step
    if path.endswith(".us_share"):
        most = _largest_share(scenario, path)
    if path in MONTHS:
        least, most, step = *map(float, MONTHS[path]), 1.0
    return {
        "path": path,
        "kind": "factor" if scales else "pin" if pin else "value",
        "is_lever": path.endswith((".us_share", ".ramp_delay")) or ".floors." in path,
        "munition": next((name for name in scenario.munitions if name in steps), None),
        "label": _label(scenario, steps),
        "least": least,
        "most": most,
        "step": step,
        "drawn_with": sorted(_drawn_with(scenario, {path}) - {path}),
        "rests_on": rests,
    }


def _largest_share(scenario: Scenario, path: str) -> float:
    """Return the largest US share, in per cents, that leaves the recipients what the files give them."""
    for percent in range(100, 0, -1):
        try:
            simulate.run(scenario.override({path: percent / 100}), [BASE])
        except InputError:
            continue
        return percent / 100
    return 0.0


def _drawn_with(scenario: Scenario, paths: set[str]) -> set[str]:
    """Return all that is drawn together with any of some paths, these included."""
    return {path for group in scenario.model.correlations.values() if paths & set(group.paths) for path in group.paths}


def _label(scenario: Scenario, steps: list[str]) -> str:
    """Return what a control is called, without its munition."""
    if steps[0] == "recipients":
        who = scenario.recipients[steps[1]].title
        return {"need": f"{who}: what it would fire", "ceiling": f"{who}: most that is authorised from US stock"}[steps[3]]
    return {
        "us_stock": "US stock in March 2022", "us_share": "US share of the line", "slip": "Slip: announced ramps come late by",
        "ramp_delay": "Announced ramps, moved by",
    }.get(steps[-1], "Rounds of random campaigns" if steps[0] == "campaigns" else "Transfer floor, share of the stock of March 2022")


def evidence(scenario: Scenario, path: str) -> list[dict[str, Any]]:
    """Return the points of the parameters at a path: value, range, unit, date, grade, note and sources."""
    return [
        {
            "path": name,
            "value": point.value,
            "low": point.low,
            "high": point.high,
            "unit": parameter.unit,
            "from": str(point.from_) if point.from_ else None,
            "grade": point.grade,
            "where": point.where,
            "note": " ".join((point.note or "").split()) or None,
            "sources": list(point.source),
        }
        for name, parameter in _parameters(scenario, path)
        for point in parameter.points
    ]


def _parameters(scenario: Scenario, path: str) -> list[tuple[str, schema.Parameter]]:
    """Return the parameters at a path: one, that of a level, or the factors of a product."""
    node: Any = scenario.tree
    for step in path.split("."):
        node = node[step]
    node = node.get("level", node)
    tables = {path: node} if "points" in node else {f"{path}.{name}": one for name, one in node.items() if "points" in one}
    return [(name, schema.Parameter.model_validate(one)) for name, one in tables.items()]


def sources(scenario: Scenario, keys: list[str]) -> dict[str, dict[str, str]]:
    """Return what the page says of sources, by key."""
    return {
        key: {
            "title": found.title, "publisher": found.publisher, "url": found.url, "kind": found.kind,
            "date": words.day(found.date) if found.precision == "day" else str(found.date)[: 7 if found.precision == "month" else 4],
        }
        for key, found in ((key, scenario.sources[key]) for key in sorted(set(keys)))
    }


def policies(scenario: Scenario) -> list[dict[str, Any]]:
    """Return the presets from policies; those with a review by the stock, or a rule of weights, are said to have none here."""
    return [_policy(scenario, name, policy) for name, policy in scenario.policies.items()]


def _policy(scenario: Scenario, name: str, policy: schema.Policy) -> dict[str, Any]:
    shown = policy.review is None and policy.allocation.use == "pro_rata"
    return {
        "name": name,
        "title": policy.title,
        "description": " ".join(policy.description.split()),
        "shown": shown,
        "transfer_floor": policy.transfer_floor,
        "review_level": policy.review_level,
        "suspensions": [_suspension(scenario, one) for one in policy.suspensions] if shown else [],
        "classes": policy.allocation.classes,
    }


def _suspension(scenario: Scenario, one: schema.Suspension) -> dict[str, Any]:
    return {
        "start": str(one.start),
        "end": str(one.end if one.length is None else months_later(one.start, one.length)),
        "let_through": one.let_through,
        "recipients": _names(one.recipients, scenario.recipients),
        "munitions": _names(one.munitions, scenario.munitions),
        "channels": list(one.channels),
        "transfers": one.transfers,
        "new_production": one.new_production,
    }


def _names(given: list[str], everyone: dict[str, Any]) -> list[str]:
    return [name for name in everyone if name in given or "all" in given]


def sentence_of(scenario: Scenario) -> str:
    """Return what the scenario is, in a sentence."""
    said = " ".join((scenario.settings.description or "").split())
    return f"{scenario.settings.title}, known on {wording.day(str(scenario.as_of))}. {said}"
