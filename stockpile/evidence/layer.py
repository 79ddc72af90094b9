"""A posterior as a folder of parameters that is laid over the others, so that everything can be asked of it.

Each parameter that moved is written whole. What was in force stands there twice: as it was, and again with the posterior's median and 90 %
interval and the sources of the observations fitted, so that it is as late as they are and an earlier scenario does not see it. All other
points keep their own ranges. As a parameter has one shape for all its points, ranges of another shape are given by their
percentiles.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile import schema, shapes, vintage
from stockpile.clock import Array
from stockpile.errors import InputError
from stockpile.evidence.chosen import MARKER
from stockpile.evidence.frames import PLANS, parameter_at, pieces_of
from stockpile.evidence.ledger import ledger
from stockpile.evidence.moved import MIDDLE
from stockpile.evidence.together import Groups, tied
from stockpile.evidence.toml_text import toml_text
from stockpile.params import ParamSet
from stockpile.scenario import Scenario, load
from stockpile.tables import Table

if TYPE_CHECKING:
    from stockpile.evidence.calibrate import Calibration

DIGITS = 6
"""Digits of a number written: far more than the particles support, few enough to be read."""
LEVELS = np.arange(1, 100) / 100.0
"""Probabilities at which a shape is compared with the particles."""
EVER = dt.date(1900, 1, 1)
"""Day before all runs, from which an undated value holds where it stands beside its posterior."""
LEAST_WEIGHT = 0.0025
"""Least weight of a value of a choice, as a share of all: what no particle took is unlikely, not impossible."""


def write(found: Calibration, folder: str | Path) -> Path:
    """Write the posterior as a folder for ``--params`` and return it.

    Raises
    ------
    InputError
        Where the evidence is too thin, or the folder is there and is none that was written so.
    """
    if found.refused:
        raise InputError.one("calibration", f"too thin: {found.refused}; allowed: one that is not refused", file="calibrate")
    target = check(folder)
    tables, left_out = tables_of(found)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as room:
        new, old = Path(room) / target.name, Path(room) / "old"
        _fill(new, found, tables, left_out)
        name, folders = found.scenario.origin
        load(name, params=(*folders, new))
        if target.exists():
            target.replace(old)
        new.replace(target)
    return target


def check(folder: str | Path) -> Path:
    """Return the path of a folder that a layer may be written to: none, an empty one, or one that was written so.

    Raises
    ------
    InputError
        For any other.
    """
    target = Path(folder)
    if target.exists() and not (target / MARKER).is_file() and not (target.is_dir() and not any(target.iterdir())):
        raise InputError.one("", "is there and is no layer of a calibration; allowed: another folder", file=str(target))
    return target


def _fill(folder: Path, found: Calibration, tables: dict[tuple[str, ...], Table], left_out: dict[str, str]) -> None:
    made = found.manifest
    said = [
        f"Posterior of {found.scenario.name}, as known on {found.scenario.as_of}, given {len(found.fitted)} observations; written by",
        f"stockpile {made['version']} from {made['members']} particles, seed {made['seed']}. Make it anew rather than change it. Ranges",
        "of points that were not fitted are those of the files, given by their 5th and 95th percentile and median.",
    ]
    for key, table in tables.items():
        file = folder.joinpath(*key).with_suffix(".toml")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"# {line}\n" for line in said) + "\n" + toml_text(table), encoding="utf-8")
    marker = {
        "fitted": list(found.fitted), "left_out": left_out, "effective": found.effective, "log_evidence": found.log_evidence,
        "manifest": found.manifest,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).write_text(json.dumps(marker, indent=2, default=str) + "\n", encoding="utf-8")


@dataclass
class _Layer:
    """What is being written.

    Attributes
    ----------
    files : ParamSet
    seen, now : dict
        What the files say as of the scenario's date, and what the scenario makes of that.
    names, sources : sequence of str
        Of the observations fitted.
    """

    scenario: Scenario
    files: ParamSet
    seen: Table
    names: Sequence[str]
    sources: Sequence[str]
    tables: dict[tuple[str, ...], Table] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def put(self, path: str, table: Table) -> None:
        """Put a table at a path into the file that the path leads into."""
        key, rest = self.place(path)
        node = self.tables.setdefault(key, {})
        for step in rest[:-1]:
            node = node.setdefault(step, {})
        node[rest[-1]] = table

    def place(self, path: str) -> tuple[tuple[str, ...], list[str]]:
        """Return the file that a path leads into, and the steps inside."""
        steps = path.split(".")
        count = 1 if (steps[0],) in self.files.layers else 2
        return tuple(steps[:count]), steps[count:]

    def raw(self, path: str) -> Table | None:
        """Return what the files say at a path; None where they say nothing."""
        key, rest = self.place(path)
        return _at(self.files.layers[key].table, rest) if key in self.files.layers else None

    def note(self, was: str) -> str:
        """Return why a value is what it is."""
        given = ", ".join(self.names)
        return f"Posterior, as of {self.scenario.as_of}, given {given}; before it {was}. Median, and 5th and 95th percentile."


def tables_of(found: Calibration) -> tuple[dict[tuple[str, ...], Table], dict[str, str]]:
    """Return the tables of a layer by the file they go into, and which parameters that moved are not in it, with the reason."""
    scenario, files = found.scenario, found.scenario.files()
    everything = files.tree()
    everything.pop("scenarios")
    entries = ledger(scenario).by_name
    sources = list(dict.fromkeys(name for one in found.fitted for name in _keys(entries[one].observation.source)))
    made = _Layer(scenario, files, vintage.as_of(everything, files.sources, scenario.as_of)[0], found.fitted, sources)
    row = dict(zip(found.streams, found.uniforms, strict=True))
    for path in found.parameters.loc[found.parameters["moved"], "path"]:
        if because := _cannot(made, path):
            made.left_out[path] = because
        else:
            _parameter(made, path, row[path])
    _group(made, found)
    return dict(sorted(made.tables.items())), made.left_out


def _cannot(made: _Layer, path: str) -> str:
    """Return why a parameter cannot be written; empty where it can."""
    if PLANS in path:
        return "an announced plan, which counts as announced when its sources were published"
    if made.raw(path) is None:
        return "stands in no file of its own"
    if _at(made.seen, path.split(".")) != _at(made.scenario.tree, path.split(".")):
        return "changed by the scenario, whose change would be made again"
    return ""


def _at(node: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        node = node.get(step) if isinstance(node, dict) else None
    return node


def _keys(source: Any) -> list[str]:
    return [source] if isinstance(source, str) else list(source)


# ---------------------------------------------------------------- parameters


def _parameter(made: _Layer, path: str, uniforms: Array) -> None:
    raw, parameter = made.raw(path), parameter_at(made.scenario, path)
    assert raw is not None and parameter is not None
    own: Table = {key: raw[key] for key in ("unit", "role") if key in raw}
    points = raw.get("points") or [{key: raw[key] for key in raw if key not in ("unit", "role", "shape")}]
    if parameter.shape == "choice":
        made.put(path, {**own, "shape": "choice", "points": _weighed(made, path, parameter, points, uniforms)})
        return
    in_force = [_plain(point) for point in _at(made.seen, path.split("."))["points"]]
    before = [_percentiles(parameter, point) for point in points]
    after = [_posterior(made, path, parameter, point, uniforms) if point in in_force else None for point in points]
    shape = _shape(made, path, parameter, uniforms, [*before, *after])
    written: list[Table] = []
    for point, was, new in zip(points, before, after, strict=True):
        twin = None if new is None or was is None else _twin(made, point, was, new)
        if twin is None:
            written.append(_as(point, was))
        elif _day(made, twin) > _day(made, point):
            written += [{"from": EVER, **one} for one in (_as(point, was), twin)]
        else:
            written.append(twin)
    made.put(path, {**own, "shape": shape, "points": written})
    if path.endswith(".capacity"):
        _plans(made, path.removesuffix(".capacity"), parameter)


def _plain(point: Table) -> Table:
    return {key: value for key, value in point.items() if key != "alternatives"}


def _day(made: _Layer, point: Table) -> Any:
    return vintage.published(point.get("source", []), made.files.sources)


def _percentiles(parameter: schema.Parameter, point: Table) -> Array | None:
    """Return the percentiles of a point's own range; None where it has none."""
    if point.get("low") is None or point["low"] == point["high"] or parameter.shape is None:
        return None
    low, value, high = float(point["low"]), float(point["value"]), float(point["high"])
    if parameter.shape in ("normal", "lognormal"):
        return np.array([low, value, high])
    return shapes.quantiles(parameter.shape, np.array(MIDDLE), low, value, high, *schema.bounds(parameter))


def _posterior(made: _Layer, path: str, parameter: schema.Parameter, point: Table, uniforms: Array) -> Array | None:
    pieces = pieces_of(made.scenario, path, parameter, schema.Point.model_validate(point))
    return None if pieces is None else shapes.interpolate(pieces, np.quantile(uniforms, MIDDLE))


def _as(point: Table, ends: Array | None) -> Table:
    """Return a point with other percentiles, or as it is."""
    return point if ends is None else {**point, **_numbers(ends)}


def _numbers(ends: Array) -> dict[str, float]:
    low, value, high = (float(f"{end:.{DIGITS}g}") for end in ends)
    return {"value": value, "low": low, "high": high}


def _twin(made: _Layer, point: Table, was: Array, ends: Array) -> Table:
    """Return a point again, with what the observations make of it."""
    numbers = _numbers(was)
    sources = list(dict.fromkeys([*_keys(point.get("source", [])), *made.sources]))
    kept = {"from": point["from"]} if "from" in point else {}
    note = made.note(f"{numbers['value']:g} ({numbers['low']:g} to {numbers['high']:g})")
    return {**kept, **_numbers(ends), "source": sources, "grade": "derived" if sources else "assumed", "note": note}


def _shape(made: _Layer, path: str, parameter: schema.Parameter, uniforms: Array, ends: Sequence[Array | None]) -> str:
    """Return the shape, normal or lognormal, that comes closer to the particles at the last point in force."""
    last = [point for point in parameter.points if pieces_of(made.scenario, path, parameter, point) is not None][-1]
    pieces = pieces_of(made.scenario, path, parameter, last)
    assert pieces is not None
    if min(float(one.min()) for one in ends if one is not None) <= 0.0:
        return "normal"
    values = shapes.interpolate(pieces, np.quantile(uniforms, LEVELS))
    low, middle, high = shapes.interpolate(pieces, np.quantile(uniforms, MIDDLE))
    apart = {
        shape: np.abs(shapes.quantiles(shape, LEVELS, low, middle, high, *schema.bounds(parameter)) - values).sum()
        for shape in ("normal", "lognormal")
    }
    return min(apart, key=lambda shape: apart[shape])


def _plans(made: _Layer, part: str, parameter: schema.Parameter) -> None:
    """Write the ranges of a part's plans, which are drawn by the shape of its capacity, by their percentiles."""
    for name, plan in (made.raw(f"{part}.plans") or {}).items():
        ends = _percentiles(parameter, plan)
        if ends is not None:
            made.put(f"{part}.plans.{name}", _numbers(ends))


def _weighed(made: _Layer, path: str, parameter: schema.Parameter, points: Sequence[Table], uniforms: Array) -> list[Table]:
    """Return the points of a choice with the posterior's weights."""
    written = [dict(point) for point in points]
    for point in parameter.points:
        pieces = pieces_of(made.scenario, path, parameter, point)
        if pieces is None:
            continue
        shares = _shares(point.choices, shapes.interpolate(pieces, uniforms))
        group = [
            one for one in written
            if (one.get("conflict"), one.get("from")) == (point.conflict, point.from_) and _was_known(made, one)
        ]
        for one in group:
            own = shares.pop((one["value"], one.get("weight", 1.0)), None)
            if own is None:
                continue
            new = {**one, "weight": own, "source": list(dict.fromkeys([*_keys(one.get("source", [])), *made.sources]))}
            new["note"] = " ".join(filter(None, [one.get("note"), made.note(f"weight {one.get('weight', 1.0):g}")]))
            place = written.index(one)
            keeps = one.get("used", True) and _day(made, new) > _day(made, one)
            written[place : place + 1] = [one, new] if keeps else [new]
    return written


def _was_known(made: _Layer, point: Table) -> bool:
    """Tell whether a point was known at the scenario's date."""
    return bool(_day(made, point) <= made.scenario.as_of)


def _shares(choices: Sequence[tuple[float, float]], drawn: Array) -> dict[tuple[float, float], float]:
    """Return the weight of each value and prior weight under the posterior; all weights together stay what they were."""
    total = sum(weight for _, weight in choices)
    found = {}
    for value, weight in choices:
        same = sum(other for one, other in choices if one == value)
        share = float(np.mean(drawn == value)) * weight / same
        found[value, weight] = float(f"{total * max(share, LEAST_WEIGHT):.{DIGITS}g}")
    return found


# ---------------------------------------------------------------- what moves together


def _group(made: _Layer, found: Calibration) -> None:
    """Write what moves together as one group, in place of those groups of the files that it has paths of."""
    model = made.files.models["model",]
    assert isinstance(model, schema.Model)
    seen, now = (tree["model"].get("correlations", {}) for tree in (made.seen, made.scenario.tree))
    own = tied(found, Groups(model.correlations, seen, now), lambda path: path not in made.left_out and made.raw(path) is not None)
    made.left_out |= {f"model.correlations.{name}": because for name, because in own.left_out.items()}
    if not own.paths:
        return
    names = itertools.chain(["posterior"], (f"posterior_{number}" for number in itertools.count(2)))
    note = f"Correlations of the posterior's normal scores, as of {made.scenario.as_of}, given {', '.join(made.names)}."
    group = {
        "paths": list(own.paths), "pairs": own.pairs, "replaces": list(own.replaces), "source": list(made.sources),
        "grade": "derived" if made.sources else "assumed", "note": note,
    }
    made.put(f"model.correlations.{next(name for name in names if name not in model.correlations)}", group)
