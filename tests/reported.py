"""Made-up observations laid over the closed forms: a munition of round numbers, of which every prediction can be worked out by hand."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import stockpile as sp
from stockpile import schema

FOLDER = Path(__file__).parent / "closed_forms"
LINE = "munitions.test_round.line"
FULL = {f"{LINE}.parts.body.capacity": 10.0, f"{LINE}.funding": "full"}
"""Ten rounds a month come off the line, all of them for the US: the stock is 100 at the start of 2025 and 10 more each month."""
SOURCES = "".join(
    f"""
[{name}]
title = "A made-up source"
publisher = "nobody"
date = {date}
precision = "day"
url = "none: made up"
kind = "original"
outlet_kind = "press"
"""
    for name, date in (("made_up_early", "2024-06-01"), ("made_up_late", "2025-12-01"), ("made_up_later", "2026-06-01"))
)


def scope(state: str, owner: str = "us", match: str = "same", **more: str) -> str:
    """Return a scope as a table in one line."""
    keys = {"state": state, "owner": owner, "variant": "made up", "match": match, **more}
    return "{ " + ", ".join(f'{key} = "{value}"' for key, value in keys.items()) + " }"


def observation(
    name: str, scoped: str, value: float, *, source: str = "made_up_late", of: dict[str, float] | None = None, **keys: Any
) -> str:
    """Return an observation as TOML; `keys` are written as they are."""
    found: dict[str, Any] = {
        "title": f'"Made-up {name}"', "munition": '"test_round"', "unit": '"round"', "scope": scoped, "value": value,
        "source": f'["{source}"]', "where": '"nowhere"', "grade": '"reported"', "basis": '"count"',
    }
    text = f"\n[{name}]\n" + "".join(f"{key} = {one}\n" for key, one in (found | keys).items() if one is not None)
    for key, rounds in (of or {}).items():
        text += f'[{name}.of.{key}]\ntitle = "{key}"\nvalue = {rounds}\nsource = ["{source}"]\nwhere = "nowhere"\ngrade = "reported"\n'
    return text


def parsed(name: str, *given: Any, **keys: Any) -> schema.Observation:
    """Return an observation as read."""
    return schema.Observation.model_validate(tomllib.loads(observation(name, *given, **keys))[name])


def laid(folder: Path, *observations: str, name: str = "closed_form", **files: str) -> sp.Scenario:
    """Return the closed form with made-up observations, and other files by ``folder__name``, laid over it."""
    for place, text in {"observations__made_up": "".join(observations), **files}.items():
        file = folder / (place.replace("__", "/") + ".toml")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (folder / "sources.toml").write_text(SOURCES, encoding="utf-8")
    return sp.load(name, params=[FOLDER, folder])
