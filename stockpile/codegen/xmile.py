"""The model of one munition and policy as XMILE 1.0 (OASIS, 2015), printed from the traced equations; other tools run it.

Stocks have the inflows and outflows of the equations, under their names, a recipient's name at the end where there is one. What is used
more than once, or has a name, is an auxiliary; the rest stands where it is used. Series are step functions of time. No flow is flagged
non-negative, which would alter it. The stock-triggered review is a stock whose flow is (new - old) / DT; as not all tools know the name
DT in an equation, the length of a step is a constant of its own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray

from stockpile.codegen.dimensions import units_of
from stockpile.codegen.graph import COMPARISONS, CONSTANT, INPUT, Graph, Symbol, needed
from stockpile.codegen.trace import OF_THE_CALENDAR, OF_THE_POLICY, flat, symbols
from stockpile.codegen.vocabulary import meaning_of, name_of, unit_of
from stockpile.model import equations
from stockpile.model.state import Constants, Flows, Known, State, has_index

Array = NDArray[np.float64]
SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
COMPARED = {"less": "<", "greater": ">", "greater_equal": ">=", "less_equal": "<=", "equal": "="}
STRENGTH = {"add": 1, "subtract": 1, "multiply": 2, "divide": 2}
REVIEW = "state.review"
STEP = "length_of_step"
IN_FORCE, OF_REVIEW = "review_in_force", "change_of_review"
INSTEAD = {"history": "in_history"}
"""Names that are functions of a tool (isee's HISTORY), which no variable may have there."""
NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot hold."""


@dataclass(frozen=True)
class Lane:
    """One run of the equations: a policy, a munition, one member.

    Attributes
    ----------
    recipients : tuple of str
        In order.
    series : mapping
        By ``series.field`` or ``series.field.number``: means over the steps [per month, 1 or round], shape (steps,).
    constants : mapping
        By ``constant.field`` and so on: plain numbers.
    opening : mapping
        By ``state.field`` and so on: stocks at the start.
    substeps : int
        Steps a month.
    """

    recipients: tuple[str, ...]
    series: Mapping[str, Array]
    constants: Mapping[str, float]
    opening: Mapping[str, float]
    substeps: int

    @property
    def months(self) -> int:
        """Months of the run."""
        return len(self.series["series.line"]) // self.substeps


def document(lane: Lane, title: str, cover: str) -> str:
    """Return the XMILE text of a lane.

    Parameters
    ----------
    lane : Lane
    title : str
        Name of the model in the document.
    cover : str
        The note at its head, as a comment: where it comes from, and how to open it.
    """
    header = f'<vendor>stockpile</vendor><product version="1.0" lang="en">stockpile</product><name>{escape(title)}</name>'
    dt = "<dt>1</dt>" if lane.substeps == 1 else f'<dt reciprocal="true">{lane.substeps}</dt>'
    note = re.sub("-(?=-)", "- ", cover)
    text = "\n".join(
        (
            '<?xml version="1.0" encoding="utf-8"?>',
            f"<!--\n{note}\n-->",
            '<xmile version="1.0" xmlns="http://docs.oasis-open.org/xmile/ns/XMILE/v1.0">',
            f"  <header>{header}</header>",
            f'  <sim_specs method="euler" time_units="month"><start>0</start><stop>{lane.months}</stop>{dt}</sim_specs>',
            '  <model_units><unit name="round"><alias>rounds</alias></unit></model_units>',
            "  <model>",
            "    <variables>",
            *_Printer(lane).lines(),
            "    </variables>",
            "  </model>",
            "</xmile>",
            "",
        )
    )
    return NO_XML.sub("\ufffd", text)


class _Printer:
    """Traces the equations for one lane and prints what moves its stocks."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.traced = _Step(len(lane.recipients), self._given)
        self.graph = self.traced.graph
        self.wanted = needed(self.graph, [*self.traced.flows.values(), self.traced.review])
        self.names = self._names()
        self.units = units_of(self.graph, self._given_units())

    def _given(self, graph: Graph, name: str) -> Any:
        """Return the symbol of an input, or its value where the policy fixes it for the whole run."""
        values = self._values(name)
        fixed = name.split(".")[1] in OF_THE_POLICY | OF_THE_CALENDAR and (values == values[0]).all()
        return float(values[0]) if fixed else graph.input(name)

    def _values(self, name: str) -> Array:
        """Return the values of a series on the steps, or the one of a constant."""
        return np.atleast_1d(self.lane.series[name] if name in self.lane.series else self.lane.constants[name])

    def _names(self) -> dict[int, str]:
        """Return the names of all nodes that are variables of their own."""
        uses = Counter(argument for number in self.wanted for argument in self.graph.nodes[number].arguments)
        named = {number: self._called(key) for key, number in self.traced.flows.items()}
        named[self.traced.review] = IN_FORCE
        result = {}
        for number in self.wanted:
            node = self.graph.nodes[number]
            if node.operation == INPUT:
                result[number] = self._called(str(node.value))
            elif node.operation not in (CONSTANT, *COMPARISONS) and (uses[number] > 1 or number in named):
                result[number] = named.get(number, f"part_{number}")
        return result

    def _given_units(self) -> dict[int, str]:
        """Return the units of the nodes that have one: inputs and flows."""
        inputs = {number: str(node.value) for number, node in enumerate(self.graph.nodes) if node.operation == INPUT}
        flows = {number: key for key, number in self.traced.flows.items() if self.graph.nodes[number].operation != CONSTANT}
        return {number: unit_of(key) for number, key in (flows | inputs).items()}

    def _called(self, key: str) -> str:
        name = name_of(key, self.lane.recipients)
        return INSTEAD.get(name, name)

    def lines(self) -> Iterator[str]:
        """Yield the variables of the document: stocks, their flows, what these rest on."""
        moves_of = structure(len(self.lane.recipients))
        for key, moves in moves_of.items():
            kinds = [("inflow" if sign > 0 else "outflow", self._called(name)) for name, sign in moves] or [("inflow", OF_REVIEW)]
            ends = "".join(f"<{kind}>{name}</{kind}>" for kind, name in kinds)
            yield self._variable("stock", key, f"<eqn>{float(self.lane.opening[key])!r}</eqn>{ends}")
        yield from self._of_review()
        moving = {name for moves in moves_of.values() for name, _ in moves}
        for key in sorted(moving):
            if key.startswith("series."):
                yield self._variable("flow", key, self._known(self._values(key)))
            else:
                yield self._variable("flow", key, f"<eqn>{escape(self._whole(self.traced.flows[key]))}</eqn>")
        done = {self._called(key) for key in moving}
        for number, name in self.names.items():
            node = self.graph.nodes[number]
            if name in done or str(node.value).startswith("state."):
                continue
            done.add(name)
            if node.operation == INPUT:
                yield self._variable("aux", str(node.value), self._known(self._values(str(node.value))))
            else:
                key = next((key for key, own in self.traced.flows.items() if own == number), "")
                body = f"<eqn>{escape(self._operation(number)[0])}</eqn>"
                yield self._variable("aux", key, body) if key else _line("aux", name, body, self.units[number], self._purpose(number))

    def _of_review(self) -> Iterator[str]:
        """Yield the flow of the review and the length of a step."""
        difference = f"({self.text(self.traced.review)} - {self._called(REVIEW)}) / {STEP}"
        yield _line("flow", OF_REVIEW, f"<eqn>{escape(difference)}</eqn>", "1/month", "(new - old) / DT: it switches within a step")
        length = f"<eqn>{1.0 / self.lane.substeps!r}</eqn>"
        yield _line("aux", STEP, length, "month", "DT, the step of the integration: whoever changes DT has to change this with it")

    def _purpose(self, number: int) -> str:
        """Return what an intermediate value is for: the named variables that are made from it."""
        if number == self.traced.review:
            return "1 while a stock-triggered suspension is in force over this step, else 0: the review after this step's look at the stock"
        made = sorted(self._made_from(number))
        return f"intermediate value, for {', '.join(made)}"

    def _made_from(self, number: int) -> set[str]:
        """Return the names of the variables in whose equations a node stands."""
        found: set[str] = set()
        for other in self.wanted:
            if number in self.graph.nodes[other].arguments:
                found |= {self.names[other]} if other in self.names else self._made_from(other)
        return found

    def _variable(self, kind: str, key: str, body: str) -> str:
        return _line(kind, self._called(key), body, unit_of(key), meaning_of(key))

    def _known(self, values: Array) -> str:
        """Return the body of a constant, or of a series as a step function of time.

        Some tools join points by lines, whatever type of function a document asks for. So each change is a short line that lies between
        two steps: read as steps or as lines, the value at every step is the same, and the last bit of the time cannot matter.
        """
        if (values == values[0]).all():
            return f"<eqn>{float(values[0])!r}</eqn>"
        dt = 1.0 / self.lane.substeps
        points = [(-dt, values[0])]
        for n in np.flatnonzero(values[1:] != values[:-1]):
            points += [((n + 0.25) * dt, values[n]), ((n + 0.75) * dt, values[n + 1])]
        points.append((len(values) * dt, values[-1]))
        x, y = (",".join(repr(float(one)) for one in column) for column in zip(*points, strict=True))
        return f'<eqn>TIME</eqn><gf type="discrete"><xpts>{x}</xpts><ypts>{y}</ypts></gf>'

    def _whole(self, number: int) -> str:
        """Return the expression of a flow itself, which has a name; that of a constant or an input is the value or its name."""
        node = self.graph.nodes[number]
        own = node.operation not in (CONSTANT, INPUT) and [key for key, one in self.traced.flows.items() if one == number]
        return self._operation(number)[0] if own else self.text(number)

    def text(self, number: int) -> str:
        """Return the expression of a node where it is used."""
        return self._part(number)[0]

    def _part(self, number: int) -> tuple[str, int]:
        """Return a node's text and how strongly it holds together: 1 a sum, 2 a product, 3 the rest."""
        node = self.graph.nodes[number]
        if node.operation == CONSTANT:
            value = float(node.value)  # type: ignore[arg-type]
            return (repr(value), 3) if value >= 0.0 else (f"({value!r})", 3)
        return (self.names[number], 3) if number in self.names else self._operation(number)

    def _operation(self, number: int) -> tuple[str, int]:
        node = self.graph.nodes[number]
        parts = [self._part(argument) for argument in node.arguments]
        texts = [text for text, _ in parts]
        if node.operation in SIGNS:
            strength = STRENGTH[node.operation]
            left = texts[0] if parts[0][1] >= strength else f"({texts[0]})"
            right = texts[1] if parts[1][1] > strength else f"({texts[1]})"
            return f"{left} {SIGNS[node.operation]} {right}", strength
        if node.operation in COMPARED:
            return f"({texts[0]} {COMPARED[node.operation]} {texts[1]})", 3
        if node.operation == "where":
            return f"(IF {texts[0]} THEN {texts[1]} ELSE {texts[2]})", 3
        return f"{'MIN' if node.operation == 'minimum' else 'MAX'}({texts[0]}, {texts[1]})", 3


class _Step:
    """The equations of a step as a graph: `flows` by their keys, and the node of the review in force."""

    def __init__(self, recipients: int, given: Any) -> None:
        self.graph = graph = Graph()
        state = symbols(State, "state", recipients, graph.input)
        known = symbols(Known, "series", recipients, lambda name: given(graph, name))
        constants = symbols(Constants, "constant", recipients, lambda name: given(graph, name))
        before = replace(state, review=equations.review_next(state, known))
        flow = equations.flows(before, known, constants)
        self.flows = {key: self._number(one) for key, one in flat(flow, "flow")}
        self.review = self._number(before.review)

    def _number(self, value: Any) -> int:
        ids = value.ids if isinstance(value, Symbol) else self.graph.constant(float(value))
        assert isinstance(ids, int)
        return ids


def structure(recipients: int) -> dict[str, tuple[tuple[str, int], ...]]:
    """Return for each stock what flows in (+1) and out (-1), read off the rates of change; none for the review."""
    return _Structure(recipients).moves


class _Structure:
    """Takes the rates of change apart into the flows and series that they are sums of."""

    def __init__(self, recipients: int) -> None:
        self.graph = graph = Graph()
        flow = {key: graph.input(key) for key in _Step(recipients, lambda own, name: own.input(name)).flows}
        known = symbols(Known, "series", recipients, graph.input)
        rate = equations.change(known, _gathered(flow))
        self.moves = {
            key: () if key == REVIEW else tuple(self._terms(symbol.ids, 1)) for key, symbol in flat(rate, "state")
        }

    def _terms(self, number: int, sign: int) -> Iterator[tuple[str, int]]:
        node = self.graph.nodes[number]
        if node.operation == INPUT:
            yield str(node.value), sign
            return
        assert node.operation in ("add", "subtract"), node
        left, right = node.arguments
        yield from self._terms(left, sign)
        yield from self._terms(right, -sign if node.operation == "subtract" else sign)


def _gathered(flow: Mapping[str, Symbol]) -> Any:
    """Return `Flows` of the symbols by their keys."""

    def one(field: Any) -> Any:
        key = f"flow.{field.name}"
        if not has_index(field):
            return flow[key]
        return tuple(flow[name] for name in sorted((n for n in flow if n.startswith(f"{key}.")), key=lambda n: int(n.rsplit(".", 1)[1])))

    return Flows(**{field.name: one(field) for field in fields(Flows)})


def _line(kind: str, name: str, body: str, unit: str, text: str) -> str:
    units = f"<units>{escape(unit)}</units>" if unit else ""
    doc = f"<doc>{escape(text)}</doc>" if text else ""
    return f"      <{kind} name={quoteattr(name)}>{doc}{body}{units}</{kind}>"
