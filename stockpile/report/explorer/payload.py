"""What the live page computes with: the library's own draws, and everything known in advance as programs that its levers move.

Nothing of the model is written again: the step is printed from the equations, and the way from parameters to series is the traced assembly,
as compiled code runs it. The page has an interpreter for these programs and the library's generator of uniform numbers.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stockpile import philox, schema, shapes, units
from stockpile.assemble import Parts, parts
from stockpile.campaigns import QUARTER
from stockpile.clock import Array, Clock
from stockpile.codegen import javascript
from stockpile.codegen.graph import INPUT, Graph, needed
from stockpile.codegen.program import CODES, DRAW, WORDS, lower
from stockpile.codegen.trace import flat, is_uniform, trace
from stockpile.draws import CERTAIN, Column, Design, Drawn, Lever
from stockpile.ensembles.traced import Symbolic, node_of, nodes_on_steps, rows_of
from stockpile.experiments.lanes import Lanes
from stockpile.lookup import Numbers
from stockpile.metrics import first_ahead
from stockpile.policies import SERIES as SHARES
from stockpile.report.explorer.packer import Packer
from stockpile.scenario import Scenario

MEMBERS, SEED = 200, 1
BASE = "none"
"""The policy whose series the page has; what a suspension changes in them it works out itself."""
FOLLOWED = {
    "state.us_on_hand": ("state.us_on_hand",),
    "flow.delivered": ("flow.delivered",),
    "flow.unmet.{}": ("flow.unmet.{}",),
    "flow.moved.{}": ("flow.put_off.{}", "flow.dropped.{}", "flow.kept_back.{}", "flow.diverted.{}"),
}
"""What the page follows over time, as sums of rows of the step; with {} for each recipient."""


@dataclass(frozen=True)
class Slider:
    """A path that the page moves.

    Attributes
    ----------
    path : str
        As for ``--set``.
    scales : bool
        Whether the page's number multiplies what stands there; else it takes its place.
    """

    path: str
    scales: bool

    @property
    def lever(self) -> Lever:
        """The same for the lanes."""
        return Lever(self.path, self.scales)


def assumptions(scenario: Scenario) -> tuple[Slider, ...]:
    """Return the paths that are always in the programs: stocks, needs, ceilings and campaigns, as factors; floors; ramp dates."""
    found = []
    for name in scenario.munitions:
        found.append(Slider(f"munitions.{name}.us_stock", True))
        for who in scenario.recipients:
            found += [Slider(_rated(scenario, f"recipients.{who}.{name}.{key}"), True) for key in ("need", "ceiling")]
        found += [Slider(f"campaigns.{key}.rounds.{name}", True) for key, one in scenario.campaigns.items() if name in one.rounds]
        found += [Slider(f"munitions.{name}.floors.{key}", False) for key in _transfer_floors(scenario, name)]
    return (*found, Slider("model.ramp_delay", False))


def _rated(scenario: Scenario, path: str) -> str:
    """Return the path of the factor that a scaled product is scaled by: the one with a rate, as for ``--set``."""
    node: Any = scenario.tree
    for step in path.split("."):
        node = node[step]
    if "points" in node:
        return path
    found = {name: units.find(one.get("unit", "1")) for name, one in node.items() if "points" in one}
    rates = [name for name, unit in found.items() if unit is not None and unit.dimension != "number"]
    return f"{path}.{rates[0]}" if rates else path


def _transfer_floors(scenario: Scenario, munition: str) -> list[str]:
    floors = scenario.munitions[munition].floors
    return list(dict.fromkeys(policy.transfer_floor for policy in scenario.policies.values() if policy.transfer_floor in floors))


def pins(scenario: Scenario) -> tuple[Slider, ...]:
    """Return the paths that take the place of draws when they are moved: US shares, and the slip of ramps. Each has programs of its own."""
    return (*(Slider(f"munitions.{name}.us_share", False) for name in scenario.munitions), Slider("model.slip", False))


def payload(
    scenario: Scenario, packer: Packer, members: int = MEMBERS, seed: int = SEED, variants: Mapping[str, Scenario] | None = None
) -> dict[str, Any]:
    """Return what the page computes with, as plain data; large arrays are given to `packer`.

    Parameters
    ----------
    scenario : Scenario
        In whole months.
    packer : Packer
    members, seed : int
        The draws are those of ``sp.ensemble(scenario, members=members, seed=seed)``.
    variants : mapping, optional
        Other scenarios over the same months and of the same date of knowledge, by name: what they change is put in beside.
    """
    sliders = assumptions(scenario)
    traced = _traced(scenario, sliders, members, seed)
    made, inputs = traced.made, _Inputs(traced.design, packer)
    found = {name: _program(traced, traced.rows(name), inputs) for name in made.axes.munitions}
    others = {name: _variant(_traced(one, sliders, members, seed), traced, inputs) for name, one in (variants or {}).items()}
    # As with --set: what was drawn together with a number is drawn by itself once that is certain.
    certain = {one: scenario.override({one.path: _own(scenario, one)}) for one in pins(scenario)}
    moved = {one.path: _pinned(_traced(fixed, (*sliders, one), members, seed), one, inputs) for one, fixed in certain.items()}
    return {
        "members": members,
        "seed": seed,
        "recipients": list(made.axes.recipients),
        "dates": [str(date)[:10] for date in made.clock.dates],
        "ahead": first_ahead(made.clock.dates, str(scenario.as_of)),
        "history": np.broadcast_to(made.clock.mean(made.common[made.axes.munitions[0]].history)[:, 0], len(made.clock.steps) - 1).tolist(),
        "sliders": {one.path: _own(scenario, one) for one in (*sliders, *pins(scenario))},
        "programs": found,
        "pins": moved,
        "variants": others,
        "variant_sliders": {name: _otherwise(scenario, one, sliders) for name, one in (variants or {}).items()},
        "inputs": inputs.said,
        "used": sorted(inputs.used),
    }


def script(recipients: int, used: Collection[int]) -> str:
    """Return what is printed beside the page's engine: the step of the equations, its rows, and the operations that programs use."""
    rows = _followed(recipients)
    by_request = _by_request(recipients)
    one_class = {f"constant.{name}.{place}": value for name, value in (("priority", 0.0), ("weight", 1.0)) for place in range(recipients)}
    calm = {f"series.{name}.{place}": 0.0 for name in SHARES for place in range(recipients)}
    return "\n".join(
        (
            f"const STEP = {javascript.on_registers(recipients, rows, by_request | one_class)};",
            # For the months in which nothing is suspended, most of a run: what is known to be nought is not worked out.
            f"const STEP_CALM = {javascript.on_registers(recipients, rows, by_request | one_class | calm)};",
            f"const STEP_CLASSES = {javascript.on_registers(recipients, rows, by_request)};",
            f"const ROWS = {json.dumps(list(rows))};",
            javascript.operations(CODES, used),
            "",
        )
    )


def _followed(recipients: int) -> dict[str, list[str]]:
    """Return the rows of the step that the page follows, by their names there, for a number of recipients."""
    return {
        key.format(place): [one.format(place) for one in sums]
        for key, sums in FOLLOWED.items()
        for place in (range(recipients) if "{}" in key else (0,))
    }


def _by_request(recipients: int) -> dict[str, float]:
    """Return the inputs of the step that are the same under all policies that the page has."""
    return {"constant.pro_rata": 1.0, **_without_review(recipients)}


def _read(recipients: int) -> frozenset[str]:
    """Return the inputs of the step that the page's rows rest on."""
    found = trace(recipients, _by_request(recipients))
    wanted = [*found.after.values(), *(found.rows[name] for names in _followed(recipients).values() for name in names)]
    nodes = (found.graph.nodes[n] for n in needed(found.graph, wanted))
    return frozenset(str(node.value) for node in nodes if node.operation == INPUT)


def floor_of(scenario: Scenario, munition: str) -> str:
    """Return the floor that stocks are compared with: the transfer floor of the baseline, or of the first policy."""
    policy = scenario.policies.get(BASE) or next(iter(scenario.policies.values()))
    floors = scenario.munitions[munition].floors
    return policy.transfer_floor if policy.transfer_floor in floors else next(iter(floors))


@dataclass(frozen=True)
class _Traced:
    """The assembly of a scenario under the baseline, its graph, and the draws that it reads."""

    made: Parts
    graph: Graph
    design: Design

    @cached_property
    def read(self) -> frozenset[str]:
        """What the step reads of it."""
        return _read(len(self.made.axes.recipients))

    def rows(self, munition: str) -> dict[str, tuple[int, ...]]:
        """Return the nodes of each input of the step that differs by member: one a step for series, one for constants."""
        known, constant, opening = self.made.lane(BASE, munition)
        held: dict[int, tuple[int, ...]] = {}
        found = {}
        for name, value in (*flat(known, "series"), *flat(constant, "constant"), *flat(opening, "state")):
            if name not in self.read or is_uniform(name):
                continue
            series = name.startswith("series.")
            found[name] = nodes_on_steps(self.graph, self.made.clock, value, held) if series else (node_of(self.graph, value),)
        level = self.made.common[munition].levels[floor_of(self.design.columns.scenario, munition)]
        return found | {"level": (node_of(self.graph, level),)}


def _traced(scenario: Scenario, sliders: Iterable[Slider], members: int, seed: int) -> _Traced:
    lanes = Lanes(scenario, [BASE], levers=tuple(one.lever for one in sliders), engine="numpy")
    design = lanes.draws(seed, members)
    values = Symbolic(design)
    return _Traced(parts(scenario, [BASE], values), values.graph, design)


def _without_review(recipients: int) -> dict[str, float]:
    """Return the inputs of the stock-triggered review, which the page does not have."""
    shares = {f"series.review_{name}.{place}": 0.0 for name in SHARES for place in range(recipients)}
    return {"series.review_on": 0.0, "series.review_off": 0.0, **shares}


def _own(scenario: Scenario, slider: Slider) -> float:
    """Return where a slider stands: 1 for a factor, else the central value in force at `as_of`."""
    if slider.scales:
        return 1.0
    node: Any = scenario.tree
    for step in slider.path.split("."):
        node = node[step]
    parameter = schema.Parameter.model_validate(node.get("level", node))
    known = [point for point in parameter.points if point.from_ is None or point.from_ <= scenario.as_of]
    return (known or parameter.points)[-1].value


def _otherwise(scenario: Scenario, variant: Scenario, sliders: Iterable[Slider]) -> dict[str, float]:
    """Return where a variant has sliders that stand for their numbers, as far as elsewhere than the scenario."""
    return {one.path: _own(variant, one) for one in sliders if not one.scales and _own(variant, one) != _own(scenario, one)}


class _Inputs:
    """What programs read: draws, each once, which the page draws again or is given, and the numbers of its sliders."""

    def __init__(self, design: Design, packer: Packer) -> None:
        self.design, self.packer = design, packer
        self.said: list[dict[str, Any]] = []
        self._found: dict[Any, int] = {}
        self.used: set[int] = set()
        """Numbers of the operations of the programs."""
        self._uniforms = design.uniforms(0, design.members)

    @cached_property
    def _drawn(self) -> Drawn:
        return Drawn(self.design, 0, self.design.members)

    def numbers(self, design: Design) -> dict[int, int]:
        """Return for each row of draws of a design, or of what it is given, the number of the input."""
        together = {design.streams[row] for group in design.groups for row in group.rows}
        shapes_of = {number: key for key, number in design.columns._numbers.items() if number is not None}
        result = {}
        for number, (column, row) in enumerate(zip(design.columns.columns, rows_of(design), strict=True)):
            grouped = column.stream in together
            key = (column.stream, grouped, None if column.pieces is None else column.pieces.starts.tobytes())
            if key not in self._found:
                self._found[key] = len(self.said)
                self.said.append(self._one(column, shapes_of[number], design, grouped=grouped))
            result[row] = self._found[key]
        return result

    def _one(self, column: Column, key: tuple[Any, ...], design: Design, *, grouped: bool) -> dict[str, Any]:
        if column.pieces is None:
            return {"slider": column.stream}
        own = self._uniforms if design is self.design else design.uniforms(0, design.members)
        uniforms = own[design.streams.index(column.stream)]
        said: dict[str, Any] = {"key": list(philox.key_of(design.seed, column.stream))}
        if grouped:
            said = {"uniforms": self.packer.numbers(uniforms)}
        if column.pieces is CERTAIN:
            return said
        shape, low, value, high = key[1:5]
        if shape in ("triangular", "uniform"):
            return {**said, "shape": [shape, low, value, high]}
        if shape == "choice":
            first = np.flatnonzero(np.diff(column.pieces.starts, prepend=np.nan))
            return {**said, "choice": [[int(piece), float(column.pieces.starts[piece])] for piece in first]}
        values = shapes.interpolate(column.pieces, uniforms)
        return {"values": self.packer.numbers(np.where(self._matters(column.stream), values, 1.0))}

    def _matters(self, stream: str) -> Array:
        """Tell in which members a draw moves anything: of a random campaign, where it begins."""
        path, _, occasion = stream.partition("@")
        name = ".".join(path.split(".")[:2])
        begins = f"{name}.begins@{occasion}"
        if begins not in self.design.streams:
            return np.ones(self.design.members, dtype=bool)
        scenario = self.design.columns.scenario
        clock = Clock(scenario.as_of.replace(day=1), scenario.as_of, 1)
        rates = Numbers(scenario, self._drawn, clock)
        rate = rates.today(f"{name}.rate", scenario.campaigns[name.split(".")[1]].rate) * QUARTER
        found: Array = self._uniforms[self.design.streams.index(begins)] < rate
        return found


def _program(traced: _Traced, rows: dict[str, tuple[int, ...]], inputs: _Inputs) -> dict[str, Any]:
    """Return a program that works out rows, and the registers where each stands: one a step, or one."""
    found = lower(traced.graph, [node for nodes in rows.values() for node in nodes])
    code = found.code.copy()
    draws = {row: (number, inputs.said[number].get("slider")) for row, number in inputs.numbers(traced.design).items()}
    drawn = code[:, 0] == CODES.index(DRAW)
    code[drawn, 2] = [draws[row][0] for row in code[drawn, 2].tolist()]
    inputs.used.update(code[:, 0].tolist())
    return {
        "code": [inputs.packer.words(code[:, column].tolist()) for column in range(WORDS)],
        "length": len(code),
        "registers": found.registers,
        "values": inputs.packer.numbers(found.constants),
        "since": _since(traced, rows, draws),
        "places": {name: inputs.packer.words([found.place[node] for node in nodes]) for name, nodes in rows.items()},
    }


def _since(traced: _Traced, rows: dict[str, tuple[int, ...]], draws: Mapping[int, tuple[int, str | None]]) -> dict[str, int]:
    """Return for each slider that a run rests on the first step at which it does; `draws` has number and slider of each row."""
    reached: dict[int, frozenset[str]] = {}
    for n in needed(traced.graph, [node for nodes in rows.values() for node in nodes]):
        operation, arguments, value = traced.graph.nodes[n]
        slider = draws[int(str(value))][1] if operation == INPUT else None
        reached[n] = frozenset((slider,) if slider else ()).union(*(reached[a] for a in arguments))
    found: dict[str, int] = {}
    for name, nodes in rows.items():
        for step, node in enumerate(nodes if name != "level" else ()):
            for slider in sorted(reached[node]):
                found[slider] = min(step, found.get(slider, step))
    return found


def _pinned(traced: _Traced, pin: Slider, inputs: _Inputs) -> dict[str, Any]:
    """Return by munition the program that works out anew what a pin reaches."""
    number = next(n for n, column in enumerate(traced.design.columns.columns) if column.pieces is None and column.stream == pin.path)
    name = str(rows_of(traced.design)[number])
    found = {}
    for munition in traced.made.axes.munitions:
        rows = {key: nodes for key, nodes in traced.rows(munition).items() if _reads(traced.graph, nodes, name)}
        if rows:
            found[munition] = _program(traced, rows, inputs)
    return found


def _variant(traced: _Traced, base: _Traced, inputs: _Inputs) -> dict[str, Any]:
    """Return by munition the program of what a variant has otherwise than the base."""
    same = _Same()
    found: dict[str, Any] = {}
    for munition in traced.made.axes.munitions:
        own, there = ({key: same.of(one, inputs, nodes) for key, nodes in one.rows(munition).items()} for one in (traced, base))
        rows = {key: nodes for key, nodes in traced.rows(munition).items() if own[key] != there[key]}
        if rows:
            found[munition] = _program(traced, rows, inputs)
    return found


class _Same:
    """Gives nodes of different graphs the same number where they come to the same, operation by operation."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}

    def of(self, traced: _Traced, inputs: _Inputs, nodes: Iterable[int]) -> list[int]:
        """Return the numbers of some nodes."""
        wanted = list(nodes)
        found: dict[int, int] = {}
        draws = inputs.numbers(traced.design)
        for n in needed(traced.graph, wanted):
            operation, arguments, value = traced.graph.nodes[n]
            key = (operation, tuple(found[a] for a in arguments), draws[int(str(value))] if operation == INPUT else value)
            found[n] = self._numbers.setdefault(key, len(self._numbers))
        return [found[n] for n in wanted]


def _reads(graph: Graph, nodes: Iterable[int], name: str) -> bool:
    """Tell whether any of some nodes rests on an input."""
    return any(graph.nodes[n].operation == INPUT and graph.nodes[n].value == name for n in needed(graph, nodes))
