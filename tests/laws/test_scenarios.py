"""The books of whole scenarios, closed from `table()` alone: the shipped ones, and july_2025 with random changes."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Any

import books
import hypothesis.strategies as st
import pytest
from hypothesis import given

import stockpile as sp

RATHER_LOW = ("us_share", "share")
"""Shares of the line: several at their high ends would sum to more than 1, which is refused."""


@cache
def base() -> sp.Scenario:
    return sp.load("july_2025").override({"scenario.end": dt.date(2028, 1, 1)})


@pytest.mark.parametrize("name", sp.scenarios())
def test_books_of_every_shipped_scenario_close(name: str) -> None:
    """Every policy and munition, over the whole run."""
    scenario = sp.load(name)
    result = sp.run(scenario)
    assert books.check(result.table()) == len(scenario.settings.policies or ()) * len(scenario.munitions)


@pytest.mark.parametrize("substeps", [2, 3, 4])
def test_books_close_with_substeps(substeps: int) -> None:
    scenario = base().override({"scenario.substeps": substeps})
    assert books.check(sp.run(scenario).table()) == len(scenario.settings.policies or ()) * len(scenario.munitions)


# ---------------------------------------------------------------- random changes


@cache
def ranged() -> dict[str, tuple[tuple[float, float], ...]]:
    """Return the path of every parameter with a range, and the ranges of its points."""
    found: dict[str, tuple[tuple[float, float], ...]] = {}

    def walk(node: Any, path: tuple[str, ...]) -> None:
        if not isinstance(node, dict):
            return
        if "points" in node:
            ranges = tuple((p["low"], p["high"]) for p in node["points"] if p.get("low") is not None)
            if ranges:
                found[".".join(path)] = ranges
            return
        for key, value in node.items():
            walk(value, (*path, key))

    for folder in ("munitions", "recipients", "events", "model"):
        walk(base().tree[folder], (folder,))
    return found


@st.composite
def changes(draw: Any) -> dict[str, Any]:
    """Return overrides: a handful of parameters anywhere in their ranges, a suspension of any length, a review level."""
    result: dict[str, Any] = {"scenario.substeps": draw(st.integers(1, 4))}
    for path in draw(st.lists(st.sampled_from(sorted(ranged())), min_size=1, max_size=8, unique=True)):
        low, high = draw(st.sampled_from(ranged()[path]))
        at_low = path.rpartition(".")[2] in RATHER_LOW
        result[path] = low if at_low else draw(st.sampled_from([low, high, low + 0.25 * (high - low), low + 0.6 * (high - low)]))
    start = draw(st.dates(dt.date(2025, 1, 1), dt.date(2026, 6, 1)))
    base_path = "policies.suspension_6_months.suspensions.0"
    result[f"{base_path}.start"] = start
    result[f"{base_path}.end"] = start + dt.timedelta(days=draw(st.integers(1, 400)))
    result[f"{base_path}.let_through"] = draw(st.sampled_from([0.0, 0.3, 1.0]))
    result[f"{base_path}.transfers"] = draw(st.sampled_from(["deferred", "cancelled"]))
    result[f"{base_path}.new_production"] = draw(st.sampled_from(["held", "diverted"]))
    result["policies.suspension_with_review.review.on"] = draw(st.sampled_from([0.1, 0.5, 0.85]))
    return result


@given(chosen=st.lists(st.sampled_from(base().settings.policies or []), min_size=1, max_size=3, unique=True), changed=changes())
def test_books_close_whatever_is_changed(chosen: list[str], changed: dict[str, Any]) -> None:
    result = sp.run(base().override(changed), chosen)
    assert books.check(result.table()) == len(chosen) * len(result.munitions)
