"""The model of one munition and policy as XMILE 1.0 (OASIS, 2015), printed from the traced equations; other tools run it.

Stocks move by one net flow each. A quantity that is used more than once, or that has a name, is an auxiliary; the rest stands where it is
used. Series are step functions of time. What the policy fixes (its shares, priorities and weights) is worked into the equations.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from stockpile.assemble import Assembly
from stockpile.codegen.graph import COMPARISONS, CONSTANT, INPUT, Graph, Symbol, needed
from stockpile.codegen.trace import OF_THE_CALENDAR, OF_THE_POLICY, PER_CAUSE, flat, symbols
from stockpile.model import equations
from stockpile.model.state import Constants, Known, State
from stockpile.simulate import on_steps

SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
COMPARED = {"less": "<", "greater": ">", "greater_equal": ">=", "equal": "="}
STRENGTH = {"add": 1, "subtract": 1, "multiply": 2, "divide": 2}


def document(assembly: Assembly, policy: str, munition: str) -> str:
    """Return the XMILE text.

    Parameters
    ----------
    assembly : Assembly
        Of one member.
    policy, munition : str
        Names in the assembly.

    Raises
    ------
    ValueError
        If the assembly has more than one member, or no such policy or munition.
    """
    axes = assembly.axes
    if axes.members != 1:
        raise ValueError(f"{axes.members} members; allowed: one")
    lane = axes.policies.index(policy) * len(axes.munitions) + axes.munitions.index(munition)
    printer = Printer(assembly, lane)
    product = '<vendor>stockpile</vendor><product version="1.0">stockpile</product>'
    clock = assembly.clock
    return "\n".join(
        (
            '<?xml version="1.0" encoding="utf-8"?>',
            '<xmile version="1.0" xmlns="http://docs.oasis-open.org/xmile/ns/XMILE/v1.0">',
            f"  <header>{product}<name>{escape(f'{munition}, {policy}')}</name></header>",
            f'  <sim_specs method="Euler" time_units="month"><start>0</start><stop>{clock.months}</stop>{_dt(clock.substeps)}</sim_specs>',
            "  <model>",
            "    <variables>",
            *printer.lines(),
            "    </variables>",
            "  </model>",
            "</xmile>",
            "",
        )
    )


def _dt(substeps: int) -> str:
    """Return the step: as its reciprocal where that is what is exact."""
    return "<dt>1</dt>" if substeps == 1 else f'<dt reciprocal="true">{substeps}</dt>'


def name_of(field: str, assembly: Assembly) -> str:
    """Return the name in the document of ``kind.field`` or ``kind.field.number``."""
    _, name, *number = field.split(".")
    if not number:
        return name
    rows = assembly.axes.causes if name in PER_CAUSE else assembly.axes.recipients
    return f"{name}_{rows[int(number[0])]}"


class Printer:
    """Traces the equations for one lane and prints what moves its stocks."""

    def __init__(self, assembly: Assembly, lane: int) -> None:
        self.assembly, self.lane = assembly, lane
        self.graph = Graph()
        self.series = dict(flat(on_steps(assembly), "series"))
        self.constants = dict(flat(assembly.constants, "constant"))
        self.opening = dict(flat(assembly.opening, "state"))
        recipients = len(assembly.axes.recipients)
        state = symbols(State, "state", recipients, self.graph.input)
        known = symbols(Known, "series", recipients, self._given)
        constants = symbols(Constants, "constant", recipients, self._given)
        before = replace(state, review=equations.review_next(state, known))
        flow = equations.flows(before, known, constants)
        rate = replace(equations.change(known, flow), review=(before.review - state.review) / assembly.clock.dt)
        self.rates = {name: self._number(one) for name, one in flat(rate, "state")}
        named = {self._number(one): name_of(name, assembly) for name, one in flat(flow, "flow")}
        named[self._number(before.review)] = "review_in_force"
        self.wanted = needed(self.graph, self.rates.values())
        self.names = self._names(named)

    def _given(self, name: str) -> Any:
        """Return the symbol of an input, or its value where the policy fixes it for the whole run."""
        values = self._values(name)
        fixed = name.split(".")[1] in OF_THE_POLICY | OF_THE_CALENDAR and (values == values[0]).all()
        return float(values[0]) if fixed else self.graph.input(name)

    def _values(self, name: str) -> Any:
        """Return the values of a series on the steps, or the one of a constant."""
        return self.series[name][:, self.lane] if name in self.series else self.constants[name][self.lane : self.lane + 1]

    def _number(self, value: Any) -> int:
        ids = value.ids if isinstance(value, Symbol) else self.graph.constant(float(value))
        assert isinstance(ids, int)
        return ids

    def _names(self, named: dict[int, str]) -> dict[int, str]:
        """Return the names of all nodes that are variables of their own."""
        uses = Counter(argument for number in self.wanted for argument in self.graph.nodes[number].arguments)
        result = {}
        for number in self.wanted:
            node = self.graph.nodes[number]
            if node.operation == INPUT:
                result[number] = name_of(str(node.value), self.assembly)
            elif node.operation not in (CONSTANT, *COMPARISONS) and (uses[number] > 1 or number in named):
                result[number] = named.get(number, f"part_{number}")
        return result

    def lines(self) -> list[str]:
        """Return the variables of the document."""
        result = []
        for name, number in self.rates.items():
            stock, start = name_of(name, self.assembly), float(self.opening[name][self.lane])
            result.append(_variable("stock", stock, f"<eqn>{start!r}</eqn><inflow>change_of_{stock}</inflow>"))
            result.append(_variable("flow", f"change_of_{stock}", f"<eqn>{escape(self.text(number))}</eqn>"))
        for number, name in self.names.items():
            node = self.graph.nodes[number]
            if node.operation != INPUT:
                result.append(_variable("aux", name, f"<eqn>{escape(self._operation(number)[0])}</eqn>"))
            elif not str(node.value).startswith("state."):
                result.append(_variable("aux", name, self._known(self._values(str(node.value)))))
        return result

    def _known(self, values: Any) -> str:
        """Return the body of a constant, or of a series as a function of time.

        Tools join points by lines, whatever type of function a document asks for. So each change is a short line that lies between two
        steps, and the last bit of the time cannot matter.
        """
        if (values == values[0]).all():
            return f"<eqn>{float(values[0])!r}</eqn>"
        dt = self.assembly.clock.dt
        points = [(-dt, values[0])]
        for n in np.flatnonzero(values[1:] != values[:-1]):
            points += [((n + 0.25) * dt, values[n]), ((n + 0.75) * dt, values[n + 1])]
        points.append((len(values) * dt, values[-1]))
        x, y = (",".join(repr(float(one)) for one in column) for column in zip(*points, strict=True))
        return f"<eqn>TIME</eqn><gf><xpts>{x}</xpts><ypts>{y}</ypts></gf>"

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


def _variable(kind: str, name: str, body: str) -> str:
    return f"      <{kind} name={quoteattr(name)}>{body}</{kind}>"
