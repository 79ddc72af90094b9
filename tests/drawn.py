"""What tests of ensembles are made on: small scenarios with one to five recipients, random changes to them, random policies."""

from __future__ import annotations

import atexit
import datetime as dt
import shutil
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import tomli_w
from numpy.typing import NDArray

import stockpile as sp
from stockpile import schema, shapes
from stockpile.assemble import parts, unit_costs
from stockpile.draws import Collector, Design, design
from stockpile.ensembles import run
from stockpile.ensembles.numpy_engine import Task

SHIPPED = Path(__file__).resolve().parent.parent / "params"
MUNITIONS = ("pac3", "shell_155mm", "aim120", "aim9x")
MORE = ("poland", "taiwan")
"""Recipients that are not among the shipped files: each claims what Ukraine does, but for its share of the line."""
RECIPIENTS = {
    1: ["partners"], 2: ["ukraine", "partners"], 3: ["ukraine", "israel", "partners"], 4: ["ukraine", "israel", "poland", "partners"],
    5: ["ukraine", "israel", "poland", "taiwan", "partners"],
}
STARTS = {"july_2025": dt.date(2025, 4, 1), "november_2026": dt.date(2026, 9, 1)}


@cache
def folder() -> Path:
    """Return a folder of parameters with more recipients, and a scenario for each number of them."""
    where = Path(tempfile.mkdtemp(prefix="stockpile-tests-"))
    atexit.register(shutil.rmtree, where, ignore_errors=True)
    ukraine = tomllib.loads((SHIPPED / "recipients" / "ukraine.toml").read_text(encoding="utf-8"))
    share = {"unit": "1", "value": 0.01, "grade": "assumed", "note": "A test."}
    for name in MORE:
        table = renamed(ukraine, name)
        claims = {munition: {**table[munition], "share": share} for munition in MUNITIONS}
        write(where, f"recipients/{name}.toml", {**table, **claims, "title": name.title()})
    events = {file.stem: tomllib.loads(file.read_text(encoding="utf-8")) for file in (SHIPPED / "events").glob("*.toml")}
    for base in STARTS:
        for count, names in RECIPIENTS.items():
            unseen = sorted(key for key, event in events.items() if event.get("cause") not in (*names, None, "us", "joint_or_unknown"))
            table = {"title": "A test", "description": "A test.", "base": base, "recipients": names, "without_events": unseen}
            write(where, f"scenarios/{base}_{count}.toml", table)
    return where


def renamed(node: Any, name: str) -> Any:
    """Return a recipient's table with its references, and its groups of conflicts, those of another name."""
    if isinstance(node, dict):
        changed = {key: renamed(value, name) for key, value in node.items()}
        return {key: f"{value}_{name}" if key == "conflict" else value for key, value in changed.items()}
    if isinstance(node, list):
        return [renamed(item, name) for item in node]
    return node.replace("recipients.ukraine.", f"recipients.{name}.") if isinstance(node, str) else node


def write(where: Path, file: str, table: Mapping[str, Any]) -> None:
    (where / file).parent.mkdir(parents=True, exist_ok=True)
    (where / file).write_text(tomli_w.dumps(table), encoding="utf-8")


@cache
def loaded(base: str, recipients: int) -> sp.Scenario:
    """Return a shipped scenario with a number of recipients."""
    return sp.load(f"{base}_{recipients}", params=[folder()])


def months_on(start: dt.date, months: int) -> dt.date:
    return dt.date(start.year + (start.month - 1 + months) // 12, (start.month - 1 + months) % 12 + 1, 1)


def scenario(
    base: str = "july_2025", recipients: int = 3, munitions: Iterable[str] = ("pac3",), months: int = 9,
    changes: Mapping[str, Any] | None = None,
) -> sp.Scenario:
    """Return a short scenario with few munitions."""
    start = STARTS[base]
    settings = {"scenario.start": start, "scenario.end": months_on(start, months)}
    found = loaded(base, recipients).override({**settings, **(changes or {})})
    return replace(found, munitions={name: found.munitions[name] for name in munitions})


def with_policies(found: sp.Scenario, policies: Mapping[str, Mapping[str, Any]]) -> sp.Scenario:
    """Return the scenario with more policies."""
    made = {name: schema.Policy.model_validate({"title": "A test", "description": "A test.", **table}) for name, table in policies.items()}
    return replace(found, policies={**found.policies, **made})


# ---------------------------------------------------------------- at random


@dataclass(frozen=True)
class Case:
    """A scenario and its policies, as data that a failing test shows."""

    base: str
    recipients: int
    munitions: tuple[str, ...]
    months: int
    changes: dict[str, Any]
    policies: dict[str, dict[str, Any]]

    def scenario(self) -> sp.Scenario:
        found = scenario(self.base, self.recipients, self.munitions, self.months, self.changes)
        return with_policies(found, {name: table for name, table in self.policies.items() if table})


def some(items: Iterable[str], *, least: int = 1) -> st.SearchStrategy[list[str]]:
    items = list(items)
    return st.lists(st.sampled_from(items), min_size=min(least, len(items)), max_size=len(items), unique=True)


@st.composite
def changes(draw: st.DrawFn, recipients: int, munitions: tuple[str, ...]) -> dict[str, Any]:
    """Return overrides: plenty and dearth of stocks and needs, times within their bounds, shares of the line, steps."""
    found: dict[str, Any] = {"scenario.substeps": draw(st.integers(1, 4))}
    scales = st.sampled_from([0.0, 0.02, 0.3, 1.0, 4.0, 50.0])
    for name in munitions:
        for path in ("us_stock.scale", "training.scale"):
            found[f"munitions.{name}.{path}"] = draw(scales)
        for recipient in RECIPIENTS[recipients]:
            path = draw(st.sampled_from(["stock", "need", "ceiling", "other_supply", "authorised"]))
            found[f"recipients.{recipient}.{name}.{path}.scale"] = draw(scales)
        if draw(st.booleans()):
            found[f"munitions.{name}.us_share"] = draw(st.sampled_from([0.0, 0.25]))
        if draw(st.booleans()):
            found[f"munitions.{name}.line.funding"] = "full"
    times = {
        "model.times.line": st.floats(1.0, 5.0), "model.times.release": st.floats(1.1, 5.0), "model.times.catch_up": st.floats(1.2, 3.0),
        "model.times.order": st.floats(3.0, 9.0), "model.cover": st.floats(0.0, 6.0), "model.commit": st.floats(0.0, 0.6),
        "model.slip": st.floats(-12.0, 24.0), "campaigns.us_operation.rate": st.floats(0.0, 4.0),
    }
    for path in draw(st.lists(st.sampled_from(sorted(times)), max_size=3, unique=True)):
        found[path] = draw(times[path])
    return found


@st.composite
def measures(draw: st.DrawFn, recipients: int, munitions: tuple[str, ...], least: float) -> dict[str, Any]:
    """Return whom a suspension touches and how, with at least so much let through."""
    return {
        "recipients": draw(st.just(["all"]) | some(RECIPIENTS[recipients])),
        "munitions": draw(st.just(["all"]) | some(munitions)),
        "channels": draw(some(["transfers", "new_production"])),
        "let_through": draw(st.sampled_from([least, least, (1.0 + least) / 2, 1.0])),
        "transfers": draw(st.sampled_from(["deferred", "cancelled"])),
    }


@st.composite
def policies(draw: st.DrawFn, start: dt.date, recipients: int, munitions: tuple[str, ...]) -> dict[str, Any]:
    """Return a policy: suspensions that may overlap, perhaps a review, classes and weights, a floor."""
    first = dt.date.toordinal(start)
    # Withheld and diverted are together at most all of it.
    mixed = draw(st.booleans())
    kinds = st.sampled_from(["held", "diverted"] if mixed else [draw(st.sampled_from(["held", "diverted"]))])
    least = 0.5 if mixed else 0.0
    suspensions = []
    for _ in range(draw(st.integers(0, 2))):
        day = dt.date.fromordinal(first + draw(st.integers(0, 200)))
        end = draw(st.just("horizon") | st.integers(1, 200).map(lambda days, day=day: day + dt.timedelta(days=days)))
        made = draw(measures(recipients, munitions, least))
        suspensions.append({**made, "new_production": draw(kinds), "start": day, "end": end})
    review = None
    if draw(st.booleans()):
        on = draw(st.sampled_from([0.3, 0.9, 1.0, 2.0]))
        day = dt.date.fromordinal(first + draw(st.integers(0, 120)))
        review = {**draw(measures(recipients, munitions, least)), "new_production": draw(kinds), "start": day, "on": on}
        review["off"] = on * draw(st.sampled_from([1.0, 1.05, 1.5]))
    order = draw(st.permutations(RECIPIENTS[recipients]))
    cut = draw(st.integers(0, len(order)))
    classes = [group for group in (list(order[:cut]), list(order[cut:])) if group] if draw(st.booleans()) else []
    weights = {name: draw(st.floats(0.01, 100.0)) for name in draw(some(RECIPIENTS[recipients], least=0))}
    use = draw(st.sampled_from(["pro_rata", "weights"]))
    return {
        "transfer_floor": draw(st.sampled_from(["transfer_floor", "review_level", "quarter"])),
        "review_level": draw(st.sampled_from(["review_level", "transfer_floor"])),
        "allocation": {"use": use, "classes": classes, "weights": weights if use == "weights" else {}},
        "suspensions": suspensions,
        "review": review,
    }


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Return a scenario with one to five recipients, some munitions, and one to three policies, mostly with ``none`` among them."""
    base = draw(st.sampled_from(sorted(STARTS)))
    recipients = draw(st.integers(1, 5))
    munitions = tuple(draw(some(MUNITIONS)))[:2]
    made = {f"made_{n}": draw(policies(STARTS[base], recipients, munitions)) for n in range(draw(st.integers(1, 2)))}
    order = draw(st.permutations([*made, *draw(st.sampled_from([["none"], ["none"], []]))]))
    changed, months = draw(changes(recipients, munitions)), draw(st.integers(2, 7))
    return Case(base, recipients, munitions, months, changed, {name: made.get(name, {}) for name in order})


# ---------------------------------------------------------------- draws


def columns_of(made: Design, first: int, count: int) -> NDArray[np.float64]:
    """Return the draws of some members on NumPy, one row a column."""
    uniforms = made.uniforms(first, count)
    row = {stream: number for number, stream in enumerate(made.streams)}
    return np.array([shapes.interpolate(column.pieces, uniforms[row[column.stream]]) for column in made.columns.columns])


def task(scenario: sp.Scenario, policies: Sequence[str], members: int, **asked: Any) -> Task:
    """Return the work of an ensemble as its engines take it."""
    collector = Collector(scenario)
    made = parts(scenario, policies, collector)
    unit_costs(made)
    draws = design(collector.columns, asked.get("seed", 1), members, asked.get("sampler", "random"))
    return run._task(scenario, made, draws, asked.get("quantities", "all"), asked.get("dates", ()))


# ---------------------------------------------------------------- are they the same


def differing(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """Yield where two objects differ by a bit; noughts are the same whatever their sign."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        if (one.shape, one.dtype) != (other.shape, other.dtype):
            yield f"{path}: {one.dtype} {one.shape}, {other.dtype} {other.shape}"
        elif not np.array_equal(one, other, equal_nan=one.dtype.kind == "f"):
            yield f"{path}: {(one != other).sum()} of {one.size}"
    elif isinstance(one, dict | list | tuple) or is_dataclass(one):
        these, those = parts_of(one), parts_of(other)
        if type(one) is not type(other) or list(these) != list(those):
            yield f"{path}: {type(one)} {list(these)}, {type(other)} {list(those)}"
        for key in these.keys() & those.keys():
            yield from differing(these[key], those[key], f"{path}.{key}")
    elif type(one) is not type(other) or one != other:
        yield f"{path}: {one!r}, {other!r}"


def parts_of(item: Any) -> dict[Any, Any]:
    if isinstance(item, dict):
        return item
    if isinstance(item, list | tuple):
        return dict(enumerate(item))
    return {field.name: getattr(item, field.name) for field in fields(item)} if is_dataclass(item) else {}


def same(one: Any, other: Any) -> None:
    assert list(differing(one, other)) == []


def without_engine(found: sp.Ensemble) -> dict[str, Any]:
    held = {field.name: getattr(found, field.name) for field in fields(found)}
    return held | {"manifest": {key: value for key, value in found.manifest.items() if key != "engine"}}


def same_ensembles(one: sp.Ensemble, other: sp.Ensemble) -> None:
    same(without_engine(one), without_engine(other))
