"""What paths are called in sentences and charts, and the units of what stands there."""

from __future__ import annotations

from collections.abc import Iterable

from stockpile.provenance import rows
from stockpile.scenario import Scenario

GROUPS = ("line", "parts", "plans", "floors", "requirements", "lots", "rounds", "times")
"""Parts of paths that only group others."""
SPELT = {"us": "US", "pac3": "PAC-3"}
"""Words of paths that are written in another way."""
OF_SETTINGS = {"length": "month"}
"""Units of fields that are no parameters."""


def labels(scenario: Scenario, paths: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return by path what it is called, and its unit (empty where it has none).

    A path of several parameters drawn together (joined by ``&``) is called by all their names.
    """
    unit = {row["path"]: row["unit"] for row in rows(scenario)}
    names, units = {}, {}
    for path in paths:
        names[path] = " and ".join(_label(scenario, one) for one in path.split(" & "))
        own = unit.get(path) or OF_SETTINGS.get(path.rsplit(".", 1)[-1], "")
        units[path] = "" if own == "1" or path.endswith(".scale") else own
    return names, units


def _label(scenario: Scenario, path: str) -> str:
    root, *rest = path.split(".")
    if root == "model":
        return _words(rest)
    if root == "campaigns":
        title = scenario.campaigns[rest[0]].title
        return f"the number of random campaigns ({title})" if len(rest) == 1 else f"random campaigns, {_words(rest[1:])}"
    if root == "munitions":
        return f"{_munition(scenario, rest[0])}: {_words(rest[1:])}"
    if root == "recipients" and len(rest) > 1:
        who = scenario.recipients[rest[0]].title if rest[0] in scenario.recipients else rest[0]
        return f"{who}, {_munition(scenario, rest[1])}: {_words(rest[2:])}"
    if root == "events":
        title = scenario.events[rest[0]].title if rest[0] in scenario.events else rest[0]
        return f"{title}: {_words(rest[1:])}"
    if root == "policies":
        title = scenario.policies[rest[0]].title if rest[0] in scenario.policies else rest[0]
        return f"{title}: {_words(one for one in rest[1:] if not one.isdigit() and one != 'suspensions')}"
    return path


def _munition(scenario: Scenario, name: str) -> str:
    return scenario.munitions[name].short if name in scenario.munitions else "every munition" if name == "*" else name


def _words(parts: Iterable[str]) -> str:
    """Return the last parts of a path in words; what only groups parts is left out."""
    shown = [" ".join(SPELT.get(word, word) for word in part.split("_")) for part in parts if part not in GROUPS]
    return ", ".join(shown) or "rounds"
