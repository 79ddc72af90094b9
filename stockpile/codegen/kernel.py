"""Prints a traced step as LLVM assembly: one fused loop over time for a group of members in the lanes of a vector.

The vectors are explicit, so nothing is left to an optimiser's judgement; nothing is contracted or reordered, so every lane gives
bit for bit what NumPy gives. Where a node of the graph is worked out depends on what it rests on:

- on what is the same for all members: beforehand, by NumPy, into a table with a row a step (`Layout.table`, `Layout.policy`);
- on constants of the member: before the loop over time;
- on stocks or series: inside it.

Series and constants are read from files of registers through tables of register numbers, as most series stay the same over many
steps and most policies share them. Each group of `WIDTH` members has a file of its own, so that a run stays within a small part of
memory.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations, groupby

from stockpile.codegen.graph import COMPARISONS, CONSTANT, INPUT, Graph, needed
from stockpile.codegen.trace import Traced, is_of_run, is_uniform

WIDTH = 8
"""Members in a vector."""
LANES = 64
"""Members in a block: what shares a file of registers."""
VECTOR = f"<{WIDTH} x double>"
MASK = f"<{WIDTH} x i1>"
ATTRIBUTES = '"prefer-vector-width"="512" "min-legal-vector-width"="512" nounwind'


@dataclass(frozen=True)
class Layout:
    """What a printed kernel takes, in order.

    Attributes
    ----------
    series : tuple of str
        Inputs that differ by member and by step: columns of the table of register numbers.
    constants : tuple of str
        Inputs that differ by member only, the opening stocks among them.
    table : tuple of int
        Nodes that are the same for all members, one value a step.
    policy : tuple of int
        Nodes that are the same for all members over the whole run.
    summaries : tuple of str
        Rows of the output before those of the levels.
    fields : tuple of tuple of str
        What a trajectory has of a step, field by field.
    """

    series: tuple[str, ...]
    constants: tuple[str, ...]
    table: tuple[int, ...]
    policy: tuple[int, ...]
    summaries: tuple[str, ...]
    fields: tuple[tuple[str, ...], ...]


PASSAGE = ("passage.first", "passage.below", "passage.back")


def number(value: float) -> str:
    """Return a double in LLVM's exact notation."""
    return "0x" + struct.pack(">d", value).hex().upper()


def splat(value: str) -> str:
    """Return a vector constant of one value."""
    return "<" + ", ".join([f"double {value}"] * WIDTH) + ">"


@dataclass
class Text:
    """Lines of one function, and the names given in it."""

    lines: list[str] = field(default_factory=list)
    count: int = 0
    block: str = ""

    def name(self) -> str:
        """Return a name not used yet."""
        self.count += 1
        return f"%v{self.count}"

    def put(self, instruction: str) -> str:
        """Add an instruction with a result and return its name."""
        name = self.name()
        self.lines.append(f"  {name} = {instruction}")
        return name

    def do(self, line: str) -> None:
        """Add a line without a result, or the label of a new block."""
        if line.endswith(":"):
            self.block = line[:-1]
        self.lines.append(line if line.endswith(":") else f"  {line}")

    def load(self, kind: str, base: str, index: str, element: str = "double") -> str:
        """Return element number `index` of an array, or the vector that starts there."""
        place = self.put(f"getelementptr inbounds {element}, ptr {base}, i64 {index}")
        return self.put(f"load {kind}, ptr {place}, align {4 if kind == 'i32' else 8}")

    def store(self, value: str, base: str, index: str) -> None:
        """Write a vector from element number `index` of an array on."""
        place = self.put(f"getelementptr inbounds double, ptr {base}, i64 {index}")
        self.do(f"store {VECTOR} {value}, ptr {place}, align 8")

    def spread(self, value: str) -> str:
        """Return a vector of one scalar."""
        one = self.put(f"insertelement {VECTOR} poison, double {value}, i64 0")
        return self.put(f"shufflevector {VECTOR} {one}, {VECTOR} poison, <{WIDTH} x i32> zeroinitializer")


INSTRUCTIONS = {"add": "fadd", "subtract": "fsub", "multiply": "fmul", "divide": "fdiv"}
CONDITIONS = {"less": "olt", "greater": "ogt", "greater_equal": "oge", "equal": "oeq"}


def operate(text: Text, operation: str, arguments: Sequence[str]) -> str:
    """Print one operation on vectors and return its result; a condition comes as a mask."""
    if operation in INSTRUCTIONS:
        return text.put(f"{INSTRUCTIONS[operation]} {VECTOR} {arguments[0]}, {arguments[1]}")
    if operation in ("minimum", "maximum"):
        first, second = arguments
        mask = text.put(f"fcmp {'olt' if operation == 'minimum' else 'ogt'} {VECTOR} {first}, {second}")
        return text.put(f"select {MASK} {mask}, {VECTOR} {first}, {VECTOR} {second}")
    if operation in CONDITIONS:
        return text.put(f"fcmp {CONDITIONS[operation]} {VECTOR} {arguments[0]}, {arguments[1]}")
    if operation == "where":
        return text.put(f"select {MASK} {arguments[0]}, {VECTOR} {arguments[1]}, {VECTOR} {arguments[2]}")
    raise ValueError(operation)


def classify(graph: Graph) -> tuple[list[bool], list[bool]]:
    """Return for each node whether it is the same for all members, and whether it stays the same over a run."""
    uniform: list[bool] = []
    steady: list[bool] = []
    for node in graph.nodes:
        if node.operation == INPUT:
            uniform.append(is_uniform(str(node.value)))
            steady.append(is_of_run(str(node.value)))
        else:
            uniform.append(all(uniform[number] for number in node.arguments))
            steady.append(all(steady[number] for number in node.arguments))
    return uniform, steady


def field_of(key: str) -> str:
    """Return the field that a row belongs to."""
    return ".".join(key.split(".")[:2])


@dataclass(frozen=True)
class Branch:
    """A choice that is the same for all members, with what only one of its sides needs.

    Attributes
    ----------
    condition : int
        The node that decides.
    choices : tuple of int
        The nodes that choose by it.
    first, second : list of int
        What only their first or second side needs, in order.
    outside : tuple of int
        What the branch needs from before it.
    """

    condition: int
    choices: tuple[int, ...]
    first: list[int]
    second: list[int]
    outside: tuple[int, ...]

    @property
    def nodes(self) -> set[int]:
        """All nodes of the branch."""
        return {*self.choices, *self.first, *self.second}


WORTH_A_JUMP = 4
"""Operations from which it pays to jump over them."""


def branches(graph: Graph, order: list[int], kept: set[int], uniform: list[bool]) -> list[Branch]:
    """Return branches among nodes in order, disjoint and together as large as can be; inner ones come when these are printed."""
    conditions = {graph.nodes[n].arguments[0] for n in order if graph.nodes[n].operation == "where"}
    found = [one for one in (_branch(graph, order, kept, c) for c in sorted(conditions) if uniform[c]) if one]
    best: tuple[Branch, ...] = ()
    for count in range(1, len(found) + 1):
        for some in combinations(found, count):
            size = sum(len(one.nodes) for one in some)
            if len(set().union(*(one.nodes for one in some))) == size and size > sum(len(one.nodes) for one in best):
                best = some
    return list(best)


def _branch(graph: Graph, order: list[int], kept: set[int], condition: int) -> Branch | None:
    """Return the branch of a condition; None where it is not worth a jump, or what it chooses is needed to work it out."""
    choices = {n for n in order if graph.nodes[n].operation == "where" and graph.nodes[n].arguments[0] == condition}
    users = _users(graph, order)
    first, second = (_only(graph, order, choices, kept, users, side) for side in (1, 2))
    inside = {*choices, *first, *second}
    outside = {a for n in inside for a in graph.nodes[n].arguments if a in users and a not in inside}
    after = set(choices)
    for n in order:
        if any(a in after for a in graph.nodes[n].arguments):
            after.add(n)
    if len(first) + len(second) < WORTH_A_JUMP or outside & after:
        return None
    return Branch(condition, tuple(sorted(choices)), first, second, tuple(sorted(outside)))


def _users(graph: Graph, order: list[int]) -> dict[int, list[int]]:
    """Return for each node those that take it."""
    users: dict[int, list[int]] = {n: [] for n in order}
    for n in order:
        for a in graph.nodes[n].arguments:
            if a in users:
                users[a].append(n)
    return users


def _only(
    graph: Graph, order: list[int], choices: set[int], kept: set[int], users: dict[int, list[int]], side: int
) -> list[int]:
    """Return the nodes that nothing but one side of the choices needs."""
    held: set[int] = set()

    def serves(n: int, user: int) -> bool:
        arguments = graph.nodes[user].arguments
        return user in held or (user in choices and arguments.count(n) == 1 and arguments[side] == n)

    for n in reversed(order):
        if n not in choices and n not in kept and all(serves(n, user) for user in users[n]):
            held.add(n)
    return sorted(held)


class Printer:
    """Prints the kernels of a traced step."""

    def __init__(self, traced: Traced) -> None:
        self.traced = traced
        self.graph = traced.graph
        self.uniform, self.steady = classify(traced.graph)
        self.wanted = [*traced.after.values(), *traced.lowest.values(), *traced.totals.values()]
        everything = needed(self.graph, [*self.wanted, *traced.rows.values(), *traced.passage.values()])
        inputs = [str(node.value) for node in (self.graph.nodes[n] for n in everything) if node.operation == INPUT]
        lanes = [name for name in inputs if not is_uniform(name)]
        used = {a for n in everything if not self.uniform[n] for a in self.graph.nodes[n].arguments}
        used |= set(traced.rows.values())
        shared = [n for n in everything if n in used and self.uniform[n] and self.graph.nodes[n].operation != CONSTANT]
        self.layout = Layout(
            series=tuple(name for name in lanes if name.startswith("series.")),
            constants=tuple(name for name in (*lanes, *traced.after) if name.startswith("constant.")) + tuple(traced.after),
            table=tuple(n for n in shared if not self.steady[n]),
            policy=tuple(n for n in shared if self.steady[n]),
            summaries=(*traced.lowest, *traced.totals, "state.us_on_hand"),
            fields=tuple(tuple(keys) for _, keys in groupby(traced.rows, field_of)),
        )

    def module(self) -> str:
        """Return the text of the functions `summarise` and `record`, which keeps rows as well."""
        return "\n".join([self._function("summarise", rows=False), self._function("record", rows=True)])

    # ------------------------------------------------------------ one function

    def _function(self, name: str, *, rows: bool) -> str:
        text, self.kept, self.branches = Text(), 0, 0
        extra = ", ptr noalias readonly %wanted, ptr noalias %kept, i64 %edges, i64 %wide" if rows else ""
        text.do("entry:")
        text.do("br label %group")
        text.do("group:")
        text.do("%g = phi i64 [ 0, %entry ], [ %g.next, %done ]")
        text.do("%group.first = phi i64 [ 0, %entry ], [ %group.then, %done ]")
        self.known = self._opening(text)
        start = {key: self.known[key] for key in self.traced.after}
        start |= {key: splat(number(float("inf"))) for key in self.traced.lowest}
        start |= dict.fromkeys(self.traced.totals, "zeroinitializer")
        self._clear_levels(text)
        text.do("br label %step")
        text.do("step:")
        text.do("%t = phi i64 [ 0, %group.ready ], [ %t.next, %step.end ]")
        heads = len(text.lines)
        self.known |= {key: f"%{key}" for key in start}
        self._at_date(text, "%t", "%state.us_on_hand", "inside")
        self._series(text)
        self._levels(text, "inside")
        wanted = [*self.wanted, *self.traced.rows.values()] if rows else self.wanted
        self._body(text, wanted)
        end = {key: self.value[node] for key, node in {**self.traced.after, **self.traced.lowest, **self.traced.totals}.items()}
        text.lines[heads:heads] = [
            f"  %{key} = phi {VECTOR} [ {value}, %group.ready ], [ {end[key]}, %step.end ]" for key, value in start.items()
        ]
        if rows:
            self._rows(text, {key: self.value[node] for key, node in self.traced.rows.items()}, "%t")
        text.do("br label %step.end")
        text.do("step.end:")
        text.do("%t.next = add nuw nsw i64 %t, 1")
        text.do("%more = icmp ult i64 %t.next, %steps")
        text.do("br i1 %more, label %step, label %last")
        self._last(text, end, rows=rows)
        text.do("br label %done")
        text.do("done:")
        text.do(f"%g.next = add nuw nsw i64 %g, {WIDTH}")
        text.do("%group.then = add nuw nsw i64 %group.first, %file")
        text.do(f"%again = icmp ult i64 %g.next, {LANES}")
        text.do("br i1 %again, label %group, label %out")
        text.do("out:")
        text.do("ret void")
        head = (
            f"define void @{name}(ptr noalias readonly %registers, i64 %file, ptr noalias readonly %index, "
            "ptr noalias readonly %constants, ptr noalias readonly %table, ptr noalias readonly %policy, i64 %steps, "
            f"ptr noalias readonly %levels, i64 %count, ptr noalias readonly %slots, ptr noalias %result, i64 %stride{extra}) {ATTRIBUTES} {{"
        )
        return "\n".join([head, *text.lines, "}"])

    def _register(self, text: Text, table: str, place: str) -> str:
        """Return a row of the file of registers, for the members of the group."""
        row = text.load("i32", table, place, "i32")
        wide = text.put(f"zext i32 {row} to i64")
        scaled = text.put(f"mul nuw nsw i64 {wide}, {WIDTH}")
        at = text.put(f"add nuw nsw i64 {scaled}, %group.first")
        return text.load(VECTOR, "%registers", at)

    def _opening(self, text: Text) -> dict[str, str]:
        known = {}
        for place, name in enumerate(self.layout.constants):
            known[name] = self._register(text, "%constants", str(place))
        self.of_policy = {}
        self.scalar = {}
        for place, node in enumerate(self.layout.policy):
            self.scalar[node] = text.load("double", "%policy", str(place))
            self.of_policy[node] = text.spread(self.scalar[node])
        return known

    def _series(self, text: Text) -> None:
        """Print the reading of what the step has of its own."""
        self.value: dict[int, str] = dict(self.of_policy)
        row = text.put(f"mul nuw nsw i64 %t, {max(len(self.layout.series), 1)}")
        for place, name in enumerate(self.layout.series):
            at = text.put(f"add nuw nsw i64 {row}, {place}")
            self.known[name] = self._register(text, "%index", at)
        row = text.put(f"mul nuw nsw i64 %t, {max(len(self.layout.table), 1)}")
        for place, node in enumerate(self.layout.table):
            at = text.put(f"add nuw nsw i64 {row}, {place}")
            self.scalar[node] = text.load("double", "%table", at)
            self.value[node] = text.spread(self.scalar[node])

    def _body(self, text: Text, wanted: Iterable[int]) -> None:
        """Print all nodes that the wanted ones need and that differ by member."""
        wanted = list(wanted)
        order = []
        for n in needed(self.graph, wanted):
            node = self.graph.nodes[n]
            if n in self.value:
                continue
            if node.operation == CONSTANT:
                self.value[n] = splat(number(float(node.value or 0.0)))
            elif node.operation == INPUT:
                if str(node.value) in self.known:
                    self.value[n] = self.known[str(node.value)]
            elif not self.uniform[n]:
                order.append(n)
        self._print(text, order, set(wanted))

    def _print(self, text: Text, order: list[int], kept: set[int]) -> None:
        """Print nodes; where a choice is the same for all members, only the side that is taken runs.

        `kept` are the nodes that something outside of `order` needs.
        """
        branch = {n: one for one in branches(self.graph, order, kept, self.uniform) for n in one.nodes}
        waiting = set(order)

        def put(n: int) -> None:
            if n not in waiting:
                return
            one = branch.get(n)
            for a in one.outside if one else self.graph.nodes[n].arguments:
                put(a)
            if one is None:
                waiting.discard(n)
                self.value[n] = operate(text, self.graph.nodes[n].operation, self._arguments(text, n))
            elif n in waiting:
                waiting.difference_update(one.nodes)
                self._branch(text, one)

        for n in order:
            put(n)

    def _branch(self, text: Text, one: Branch) -> None:
        """Print both sides of a choice that is the same for all members, and the jump to one of them."""
        self.branches += 1
        tag = f"branch{self.branches}"
        condition = text.put(f"fcmp one double {self.scalar[one.condition]}, {number(0.0)}")
        text.do(f"br i1 {condition}, label %{tag}.1, label %{tag}.2")
        ends = []
        for side, order in ((1, one.first), (2, one.second)):
            text.do(f"{tag}.{side}:")
            outer = dict(self.value)
            self._print(text, order, {self.graph.nodes[n].arguments[side] for n in one.choices})
            ends.append((text.block, [self.value[self.graph.nodes[n].arguments[side]] for n in one.choices]))
            self.value = outer
            text.do(f"br label %{tag}.end")
        text.do(f"{tag}.end:")
        (first, these), (second, those) = ends
        for n, this, that in zip(one.choices, these, those, strict=True):
            self.value[n] = text.put(f"phi {VECTOR} [ {this}, %{first} ], [ {that}, %{second} ]")

    def _arguments(self, text: Text, n: int) -> list[str]:
        node = self.graph.nodes[n]
        found = [self.value[a] for a in node.arguments]
        if node.operation == "where" and self.graph.nodes[node.arguments[0]].operation not in COMPARISONS:
            raise ValueError("a choice needs a comparison")
        if node.operation == "where" and self.uniform[node.arguments[0]]:
            found[0] = text.put(f"fcmp one {VECTOR} {found[0]}, zeroinitializer")
        return found

    # ------------------------------------------------------------ levels

    def _place(self, text: Text, row: str) -> str:
        """Return where the group's part of a row of the result begins."""
        start = text.put(f"mul nuw nsw i64 {row}, %stride")
        return text.put(f"add nuw nsw i64 {start}, %g")

    def _clear_levels(self, text: Text) -> None:
        first = len(self.layout.summaries)
        text.do("%none = icmp eq i64 %count, 0")
        text.do("br i1 %none, label %group.ready, label %clear")
        text.do("clear:")
        text.do("%k0 = phi i64 [ 0, %group ], [ %k0.next, %clear ]")
        base = text.put(f"mul nuw nsw i64 %k0, {len(PASSAGE)}")
        for place, value in enumerate((splat(number(float("inf"))), "zeroinitializer", splat(number(float("inf"))))):
            row = text.put(f"add nuw nsw i64 {base}, {first + place}")
            text.store(value, "%result", self._place(text, row))
        text.do("%k0.next = add nuw nsw i64 %k0, 1")
        text.do("%k0.more = icmp ult i64 %k0.next, %count")
        text.do("br i1 %k0.more, label %clear, label %group.ready")
        text.do("group.ready:")

    def _levels(self, text: Text, tag: str) -> None:
        """Print the loop that compares the US stock with each level."""
        first = len(self.layout.summaries)
        before = f"{tag}.seen"
        text.do(f"br i1 %none, label %{tag}.end, label %{tag}.level")
        text.do(f"{tag}.level:")
        k = f"%{tag}.k"
        text.do(f"{k} = phi i64 [ 0, %{before} ], [ {k}.next, %{tag}.level ]")
        outer = self.value
        self.value = dict(outer)
        self.known["run.level"] = self._register(text, "%levels", k)
        base = text.put(f"mul nuw nsw i64 {k}, {len(PASSAGE)}")
        places = {}
        for place, key in enumerate(PASSAGE):
            places[key] = self._place(text, text.put(f"add nuw nsw i64 {base}, {first + place}"))
            self.known[key] = text.load(VECTOR, "%result", places[key])
        self._body(text, self.traced.passage.values())
        for key, node in self.traced.passage.items():
            text.store(self.value[node], "%result", places[key])
        self.value = outer
        text.do(f"{k}.next = add nuw nsw i64 {k}, 1")
        text.do(f"{k}.more = icmp ult i64 {k}.next, %count")
        text.do(f"br i1 {k}.more, label %{tag}.level, label %{tag}.end")
        text.do(f"{tag}.end:")

    def _at_date(self, text: Text, edge: str, stock: str, tag: str) -> None:
        """Print the writing of the US stock where the step edge is one of those asked for."""
        slot = text.load("i32", "%slots", edge, "i32")
        text.do(f"%{tag}.wanted = icmp sge i32 {slot}, 0")
        text.do(f"br i1 %{tag}.wanted, label %{tag}.date, label %{tag}.seen")
        text.do(f"{tag}.date:")
        passages = text.put(f"mul nuw nsw i64 %count, {len(PASSAGE)}")
        row = text.put(f"add nuw nsw i64 {passages}, {text.put(f'zext i32 {slot} to i64')}")
        text.store(stock, "%result", self._place(text, text.put(f"add nuw nsw i64 {row}, {len(self.layout.summaries)}")))
        text.do(f"br label %{tag}.seen")
        text.do(f"{tag}.seen:")

    def _last(self, text: Text, end: dict[str, str], *, rows: bool) -> None:
        """Print the look at the stocks at the end of the run, and the writing of the summaries."""
        text.do("last:")
        self.known |= end
        self._at_date(text, "%steps", end["state.us_on_hand"], "end")
        self._series_at_end(text)
        self._levels(text, "end")
        self._body(text, self.traced.lowest.values())
        for place, key in enumerate(self.layout.summaries):
            node = self.traced.lowest.get(key)
            value = self.known[key] if node is None else self.value[node]
            text.store(value, "%result", self._place(text, str(place)))
        if rows:
            stocks = {key: self.known[key] for key in self.traced.after}
            self._rows(text, {"state.unpromised": self._unpromised(text), **stocks}, "%steps")

    def _unpromised(self, text: Text) -> str:
        node = self.traced.rows["state.unpromised"]
        self._body(text, [node])
        return self.value[node]

    def _series_at_end(self, text: Text) -> None:
        """Print the reading of the last row of the table: the end of the run, where no step starts."""
        self.value = dict(self.of_policy)
        row = text.put(f"mul nuw nsw i64 %steps, {max(len(self.layout.table), 1)}")
        for place, node in enumerate(self.layout.table):
            at = text.put(f"add nuw nsw i64 {row}, {place}")
            self.value[node] = text.spread(text.load("double", "%table", at))

    def _rows(self, text: Text, values: dict[str, str], edge: str) -> None:
        """Print the keeping of rows: those of a field together, where the field is wanted."""
        for place, group in enumerate(self.layout.fields):
            keys = [key for key in group if key in values]
            if not keys:
                continue
            self.kept += 1
            tag = f"keep{self.kept}"
            first = text.load("i64", "%wanted", str(place), "i64")
            text.do(f"%{tag}.asked = icmp sge i64 {first}, 0")
            text.do(f"br i1 %{tag}.asked, label %{tag}, label %{tag}.end")
            text.do(f"{tag}:")
            for number_, key in enumerate(keys):
                row = text.put(f"add i64 {first}, {number_}")
                cell = text.put(f"add i64 {text.put(f'mul i64 {row}, %edges')}, {edge}")
                at = text.put(f"add i64 {text.put(f'mul i64 {cell}, %wide')}, %g")
                text.store(values[key], "%kept", at)
            text.do(f"br label %{tag}.end")
            text.do(f"{tag}.end:")
