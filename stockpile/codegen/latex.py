"""The equations as LaTeX, printed from the traced functions, with a table of symbols.

Traced for three recipients, so that what is summed over them can be told apart from what concerns one of them; printed for recipient r.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from stockpile.codegen.graph import CONSTANT, INPUT, Graph, Symbol
from stockpile.codegen.trace import flat, symbols
from stockpile.codegen.vocabulary import CONSTANTS, meaning_of, unit_of
from stockpile.model import equations
from stockpile.model.state import Constants, Flows, Known, Quantities, Quantity, State, has_index

SEVERAL = 3
"""Recipients traced."""
SYMBOLS = {
    "state.us_on_hand": "S", "state.order_book": "O", "state.on_hand": "R", "state.withheld": "H", "state.deferred": "D",
    "state.review": "z", "series.line": "C", "series.lots": "E", "series.own_need": "U", "series.need": "N", "series.planned_need": "N'",
    "series.authorised": "B", "series.history": "h", "series.floor": "F", "constant.loss": "x",
    "constant.issue_time": r"\tau_{\mathrm{issue}}", "run.dt": r"\Delta t",
}
"""Symbols of one letter; everything else is printed by its name."""
RATES = {"line_rate": "line", "issue_rate": "issue", "release_rate": "release", "catch_up_rate": r"catch\ up", "order_rate": "order"}
TINY = r"\varepsilon"
COMPARED = {"less": "<", "greater": ">", "greater_equal": r"\ge", "less_equal": r"\le", "equal": "="}
STRENGTH = {"add": 1, "subtract": 1, "multiply": 2, "divide": 3}
MARK = re.compile(r"«(\d)»")


@dataclass(frozen=True)
class Equation:
    """One printed equation.

    Attributes
    ----------
    key : str
        What it gives, as ``kind.field``.
    text : str
        LaTeX, without delimiters.
    """

    key: str
    text: str


def step_equations() -> tuple[Equation, ...]:
    """Return the equations of a step, in the order in which they are worked out."""
    return tuple(_Printer().equations())


def sharing_equations() -> tuple[Equation, ...]:
    """Return how a capacity c is shared out among asked b of a class: by request, and by weight for two recipients."""
    by_request = _Sharing(SEVERAL)
    found = [Equation("pro_rata", f"x_r = {by_request.text(equations.share_by_request(by_request.asked, by_request.capacity)[0])}")]
    by_weight = _Sharing(2)
    text = by_weight.text(equations.share_by_weight(by_weight.asked, by_weight.weight, by_weight.capacity)[0], numbered=True)
    return (*found, Equation("weights", f"x_1 = {text}"))


def symbol_table() -> tuple[tuple[str, str, str, str], ...]:
    """Return symbol, name, unit and meaning of everything that the equations name."""
    rows = []
    for kind, cls in (("state", State), ("series", Known), ("constant", Constants), ("flow", Flows)):
        for field in fields(cls):
            key = f"{kind}.{field.name}"
            if field.name in RATES:
                unit, said = "1/month", CONSTANTS[field.name][1]
            else:
                unit, said = unit_of(key), meaning_of(key)
            rows.append((f"${_symbol(key, 'r' if has_index(field) else '')}$", field.name, unit, said))
    return tuple(rows)


OF_A_STEP = r"""All from the stocks at the start of the step, then all stocks move at once. Rates are rounds a month; $r$ is a recipient,
and a sum over $s$ runs over all of them. A prime marks what is in force over the step, but for $N'_{r}$, the planned need; $\varepsilon$ is
next to nothing, and keeps a quotient finite where its divisor is nought; $\mathrm{allocation}$ serves classes by priority, one after
another."""
OF_A_CLASS = """Of a capacity $c$, $x_{r}$ goes to a recipient of the class that asks for $b_{r}$; by request, and by weight $w_{r}$ for
two of them:"""


def document() -> str:
    """Return a LaTeX document of all equations and symbols, to compile or to take pieces from."""
    lines = [
        r"\documentclass{article}", r"\usepackage[a4paper,landscape,margin=15mm]{geometry}", r"\usepackage{amsmath,longtable}",
        r"\allowdisplaybreaks", r"\begin{document}",
        r"\section*{The equations of a step}",
        OF_A_STEP,
        r"\begin{align*}",
        " \\\\\n".join(one.text.replace(" = ", " &= ", 1) for one in step_equations()),
        r"\end{align*}",
        r"\section*{Sharing what is available inside a class}",
        OF_A_CLASS,
        *(f"\\[ {one.text} \\]" for one in sharing_equations()),
        r"\section*{Symbols}",
        r"\begin{longtable}{llll}",
        *(
            rf"{symbol} & {_escaped(name)} & {_escaped(unit)} & \parbox[t]{{7cm}}{{{_escaped(said)}}} \\"
            for symbol, name, unit, said in symbol_table()
        ),
        r"\end{longtable}", r"\end{document}", "",
    ]
    return "\n".join(lines)


def _escaped(text: str) -> str:
    return text.replace("_", r"\_").replace("%", r"\%")


def _symbol(key: str, index: str) -> str:
    """Return the symbol of a quantity; one with an index carries it."""
    kind, name = key.split(".")[:2]
    if kind == "constant" and name in RATES:
        return rf"\tfrac{{1}}{{\tau_{{\mathrm{{{RATES[name]}}}}}}}"
    own = SYMBOLS.get(f"{kind}.{name}", rf"\mathrm{{{name.replace('_', chr(92) + '_')}}}")
    return f"{own}_{{{index}}}" if index else own


def _alike(terms: list[tuple[int, str, int]]) -> bool:
    """Tell whether terms say the same of each recipient in turn."""
    own = [set(MARK.findall(text)) for _, text, _ in terms]
    return own == [{str(place)} for place in range(SEVERAL)] and len({(sign, MARK.sub("«»", text)) for sign, text, _ in terms}) == 1


class _Expression:
    """Prints nodes of a graph; an index of a recipient stands between marks until it is known what it is."""

    def __init__(self) -> None:
        self.graph = Graph()
        self.names: dict[int, str] = {}

    def number(self, value: Any) -> int:
        """Return the number of the node of a value."""
        ids = value.ids if isinstance(value, Symbol) else self.graph.constant(float(value))
        assert isinstance(ids, int)
        return ids

    def whole(self, value: Any) -> str:
        """Return the expression of a node itself, whatever it is called."""
        number = self.number(value)
        own = self.names.pop(number, None)
        text = self.part(number)[0]
        if own is not None:
            self.names[number] = own
        return text

    def part(self, number: int) -> tuple[str, int]:
        """Return a node's text and how strongly it holds together: 1 a sum, 2 a product, 3 a fraction, 4 the rest."""
        if number in self.names:
            return self.names[number], 4
        node = self.graph.nodes[number]
        if node.operation == CONSTANT:
            value = float(node.value)  # type: ignore[arg-type]
            return (TINY if value == equations.TINY else f"{value:g}"), 4
        if node.operation == INPUT:
            key, *index = str(node.value).rsplit(".", 1) if str(node.value).count(".") == 2 else (str(node.value),)
            return _symbol(key, f"«{index[0]}»" if index else ""), 4
        if node.operation in ("add", "subtract"):
            return self._sum(number), 1
        texts = [self.part(argument) for argument in node.arguments]
        if node.operation == "multiply":
            return r" \, ".join(text if held >= 2 else rf"\left({text}\right)" for text, held in texts), 2
        if node.operation == "divide":
            return rf"\frac{{{texts[0][0]}}}{{{texts[1][0]}}}", 3
        return self._other(node.operation, [text for text, _ in texts]), 4

    def _other(self, operation: str, texts: list[str]) -> str:
        if operation in COMPARED:
            return f"{texts[0]} {COMPARED[operation]} {texts[1]}"
        if operation == "where":
            return rf"\begin{{cases}} {texts[1]} & {texts[0]} \\ {texts[2]} & \text{{else}} \end{{cases}}"
        return rf"\{'min' if operation == 'minimum' else 'max'}\left({texts[0]},\, {texts[1]}\right)"

    def _sum(self, number: int) -> str:
        """Return a sum, with what is the same for all recipients gathered under one sign."""
        terms = list(self._terms(number, 1))
        result = ""
        while terms:
            sign, text, held = terms[0]
            together = terms[:SEVERAL]
            if _alike(together):
                own = MARK.sub("s", text)
                text, terms = rf"\sum_{{s}} {own if held >= 2 else f'({own})'}", terms[SEVERAL:]
            else:
                text, terms = text if held >= 2 or sign > 0 else rf"\left({text}\right)", terms[1:]
            result += f" {'+' if sign > 0 else '-'} {text}" if result else (text if sign > 0 else f"-{text}")
        return result

    def _terms(self, number: int, sign: int) -> Iterator[tuple[int, str, int]]:
        node = self.graph.nodes[number]
        if node.operation in ("add", "subtract") and number not in self.names:
            left, right = node.arguments
            yield from self._terms(left, sign)
            yield from self._terms(right, -sign if node.operation == "subtract" else sign)
        else:
            yield (sign, *self.part(number))


class _Printer(_Expression):
    """Prints a step."""

    def equations(self) -> Iterator[Equation]:
        """Yield the review, the flows and the rates of change."""
        make = self.graph.input
        state = symbols(State, "state", SEVERAL, make)
        known = symbols(Known, "series", SEVERAL, make)
        constants = symbols(Constants, "constant", SEVERAL, make)
        yield Equation("state.review", f"z' = {self._final(self.whole(equations.review_next(state, known)))}")
        before = replace(state, review=make("state.review"))
        self.names[self.number(before.review)] = "z'"
        for name in ("cut", "set_aside", "hold_new", "divert_new"):
            shares = equations.in_force(getattr(known, name), getattr(known, f"review_{name}"), before.review)
            yield Equation(f"in_force.{name}", f"{self._name(name, 'r', bar=True)} = {self._final(self.whole(shares[0]))}")
            for place, one in enumerate(shares):
                self.names[self.number(one)] = self._name(name, f"«{place}»", bar=True)
        flow = equations.flows(before, known, constants, self._granted)
        yield from self._flows(flow)
        yield from self._rates(equations.change(known, flow))

    def _granted(self, available: Quantity, asked: Quantities, constants: Constants) -> Quantities:
        """Stand in for the allocation, which is printed by itself."""
        del available, asked, constants
        return tuple(self.graph.input(f"flow.granted.{place}") for place in range(SEVERAL))

    def _flows(self, flow: Flows) -> Iterator[Equation]:
        for field in fields(Flows):
            value = getattr(flow, field.name)
            key = f"flow.{field.name}"
            first = value[0] if has_index(field) else value
            if field.name == "granted":
                arguments = rf"{_symbol('flow.available', '')};\; {_symbol('flow.request', 's')} - {_symbol('flow.dropped', 's')}"
                yield Equation(key, rf"{_symbol(key, 'r')} = \mathrm{{allocation}}_r\left({arguments}\right)")
            else:
                own = self.whole(first)
                yield Equation(key, f"{_symbol(key, 'r' if has_index(field) else '')} = {self._final(own)}")
            for place, one in enumerate(value if has_index(field) else (value,)):
                if isinstance(one, Symbol):
                    self.names.setdefault(self.number(one), _symbol(key, f"«{place}»" if has_index(field) else ""))

    def _rates(self, rate: State) -> Iterator[Equation]:
        for key, value in flat(rate, "state"):
            parts = key.split(".")
            if parts[1] == "review" or (len(parts) == 3 and parts[2] != "0"):
                continue
            symbol = _symbol(key, "r" if len(parts) == 3 else "")
            yield Equation(f"rate.{parts[1]}", rf"\frac{{\mathrm{{d}}{symbol}}}{{\mathrm{{d}}t}} = {self._final(self.whole(value))}")

    def _name(self, name: str, index: str, *, bar: bool) -> str:
        own = rf"\mathrm{{{name.replace('_', chr(92) + '_')}}}"
        return rf"{own}'_{{{index}}}" if bar else f"{own}_{{{index}}}"

    def _final(self, text: str) -> str:
        """Return a text for recipient r, who is traced as the first."""
        return text.replace("«0»", "r")


class _Sharing(_Expression):
    """Prints how a capacity is shared out."""

    def __init__(self, recipients: int) -> None:
        super().__init__()
        self.asked = tuple(self._letter("b", place) for place in range(recipients))
        self.weight = tuple(self._letter("w", place) for place in range(recipients))
        self.capacity = self._letter("c", None)

    def _letter(self, letter: str, place: int | None) -> Symbol:
        symbol = self.graph.input(f"own.{letter}" if place is None else f"own.{letter}.{place}")
        self.names[self.number(symbol)] = letter if place is None else f"{letter}_{{«{place}»}}"
        return symbol

    def text(self, value: Any, *, numbered: bool = False) -> str:
        """Return an expression for recipient r, or with recipients numbered from 1."""
        found = self.whole(value)
        return MARK.sub(lambda match: str(int(match[1]) + 1), found) if numbered else found.replace("«0»", "r")
