"""Prints a traced step as LLVM assembly: one fused loop over time for a group of members in the lanes of a vector.

The vectors are explicit, so nothing is left to an optimiser's judgement; nothing is contracted or reordered, so every lane gives
bit for bit what NumPy gives; a product and a sum are fused only where the product is exact. Where a node of the graph is worked
out depends on what it rests on:

- on what is the same for all members: beforehand, by NumPy, into a table with a row a step (`Layout.table`, `Layout.policy`);
- on constants of the member: before the loop over time;
- on stocks or series: inside it.

Series and constants are read from files of registers through tables of offsets [byte], as most series stay the same over many
steps and most policies share them. Each group of `WIDTH` members has a file of its own, and stocks, sums and the path of the US stock
a place in memory, so that a run stays within the nearest cache and its vectors within the processor's registers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from stockpile.codegen.branches import Branch, branches, users_of
from stockpile.codegen.graph import COMPARISONS, CONSTANT, INPUT, needed
from stockpile.codegen.layout import classify, layout_of
from stockpile.codegen.llvm import ATTRIBUTES, VECTOR, WIDTH, Text, number, operate, splat
from stockpile.codegen.ordering import fusions, in_order_of_use
from stockpile.codegen.trace import Traced

LANES = 64
"""Members in a block: what the worker of programs does at a time."""
PASSAGE = ("passage.first", "passage.below", "passage.back")
EXACT = "_exactly"
"""Ending of the names of functions for steps whose length is a power of two."""
AT_ONCE = 5
"""Levels compared side by side."""
NEVER = splat(number(float("inf")))
ARGUMENTS = (
    "ptr noalias readonly %registers, i64 %file, ptr noalias readonly %index, ptr noalias readonly %constants, "
    "ptr noalias readonly %table, ptr noalias readonly %policy, i64 %steps, ptr noalias readonly %levels, i64 %count, "
    "ptr noalias readonly %dates, i64 %dated, ptr noalias %work, ptr noalias %result, i64 %stride"
)
KEEPING = ", ptr noalias readonly %wanted, ptr noalias %kept, i64 %edges"


class Printer:
    """Prints the kernels of a traced step."""

    def __init__(self, traced: Traced) -> None:
        self.traced = traced
        self.graph = traced.graph
        self.uniform, self.steady = classify(traced.graph)
        self.layout = layout_of(traced, self.uniform, self.steady)
        self._branches: dict[tuple[tuple[int, ...], frozenset[int]], list[Branch]] = {}
        self.input = {str(node.value): n for n, node in enumerate(self.graph.nodes) if node.operation == INPUT}

    def module(self) -> str:
        """Return the text of the functions `summarise` and `record`, which keeps rows as well, each with its like for exact steps."""
        parts = ["declare i64 @llvm.smax.i64(i64, i64)", f"declare {VECTOR} @llvm.fma.v{WIDTH}f64({VECTOR}, {VECTOR}, {VECTOR})"]
        for exact in (False, True):
            self.fused = fusions(self.traced, exact=exact)
            ending = EXACT if exact else ""
            parts += [self._function(f"summarise{ending}", rows=False), self._function(f"record{ending}", rows=True)]
        return "\n".join(parts)

    def _function(self, name: str, *, rows: bool) -> str:
        text = self.text = Text()
        self.tags = 0
        text.do("entry:")
        text.do("br label %group")
        text.do("group:")
        text.do("%g = phi i64 [ 0, %entry ], [ %g.next, %done ]")
        text.do("%group.file = phi ptr [ %registers, %entry ], [ %group.then, %done ]")
        self._opening()
        text.do("%count.last = sub i64 %count, 1")
        self._time(rows=rows)
        self._finish()
        self._look_back()
        self._dates()
        text.do("br label %done")
        text.do("done:")
        text.do(f"%g.next = add nuw nsw i64 %g, {WIDTH}")
        text.do("%group.then = getelementptr inbounds double, ptr %group.file, i64 %file")
        text.do(f"%again = icmp ult i64 %g.next, {LANES}")
        text.do("br i1 %again, label %group, label %out")
        text.do("out:")
        text.do("ret void")
        return "\n".join([f"define void @{name}({ARGUMENTS}{KEEPING if rows else ''}) {ATTRIBUTES} {{", *text.lines, "}"])

    # ------------------------------------------------------------ where things are

    def _register(self, table: str, place: str) -> str:
        """Return a row of the group's file of registers."""
        offset = self.text.put(f"zext i32 {self.text.load('i32', table, place, 'i32')} to i64")
        return self.text.load(VECTOR, "%group.file", offset, "i8")

    def _memory(self, key: str) -> str:
        return str(self.layout.memory.index(key) * WIDTH)

    def _path(self, edge: str) -> str:
        """Return where the US stock at a step edge stands."""
        return self.text.put(f"add nuw nsw i64 {self.text.put(f'mul nuw nsw i64 {edge}, {WIDTH}')}, {len(self.layout.memory) * WIDTH}")

    def _place(self, row: str) -> str:
        """Return where the group's part of a row of the result begins."""
        return self.text.put(f"add nuw nsw i64 {self.text.put(f'mul nuw nsw i64 {row}, %stride')}, %g")

    def _table(self, edge: str) -> Callable[[int], str]:
        """Return how to read what is the same for all members at a step edge."""
        row = self.text.put(f"mul nuw nsw i64 {edge}, {max(len(self.layout.table), 1)}")
        return lambda n: self.text.load("double", "%table", self.text.put(f"add nuw nsw i64 {row}, {self.layout.table.index(n)}"))

    # ------------------------------------------------------------ parts of a run

    def _opening(self) -> None:
        """Print the reading of constants, and the stocks and sums at the start."""
        text = self.text
        self.steady_value: dict[int, str] = {}
        self.scalar: dict[int, str] = {}
        for place, node in enumerate(self.layout.policy):
            self.scalar[node] = text.load("double", "%policy", str(place))
            self.steady_value[node] = text.spread(self.scalar[node])
        for place, name in enumerate(self.layout.constants):
            value = self._register("%constants", str(place))
            if name in self.traced.after:
                text.store(value, "%work", self._memory(name))
            else:
                self.steady_value[self.input[name]] = value
        for name in self.traced.totals:
            text.store("zeroinitializer", "%work", self._memory(name))

    def _time(self, *, rows: bool) -> None:
        """Print the loop over steps."""
        text, traced = self.text, self.traced
        before = text.block
        text.do("br label %step")
        text.do("step:")
        text.do(f"%t = phi i64 [ 0, %{before} ], [ %t.next, %step.end ]")
        self.value = dict(self.steady_value)
        self.read_table = self._table("%t")
        row = text.put(f"mul nuw nsw i64 %t, {max(len(self.layout.series), 1)}")
        text.store(self._get(self.input["state.us_on_hand"]), "%work", self._path("%t"))

        def series(name: str) -> str:
            return self._register("%index", text.put(f"add nuw nsw i64 {row}, {self.layout.series.index(name)}"))

        self.read = {"series": series}
        targets = in_order_of_use({**traced.after, **traced.totals}, traced.recipients)
        wanted = [*targets.values(), *(traced.rows.values() if rows else ())]
        self._step(targets, wanted)
        if rows:
            self._rows({key: self._get(node) for key, node in traced.rows.items()}, "%t")
        self._store_rest()
        text.do("br label %step.end")
        text.do("step.end:")
        text.do("%t.next = add nuw nsw i64 %t, 1")
        text.do("%more = icmp ult i64 %t.next, %steps")
        text.do("br i1 %more, label %step, label %last")
        text.do("last:")
        self.value = dict(self.steady_value)
        text.store(self._get(self.input["state.us_on_hand"]), "%work", self._path("%steps"))
        if rows:
            self._get(traced.rows["state.unpromised"])
            stocks = {key: self._get(self.input[key]) for key in traced.after}
            self._rows({"state.unpromised": self.value[traced.rows["state.unpromised"]], **stocks}, "%steps")

    def _step(self, targets: dict[str, int], wanted: list[int]) -> None:
        """Print a step; stocks and sums go back to memory as soon as nothing needs what stood there before."""
        order = self._lane_nodes(wanted)
        users = users_of(self.graph, order, [self.input[key] for key in targets])
        self.waiting_stores = dict(targets)

        def printed(done: set[int]) -> None:
            for key, node in list(self.waiting_stores.items()):
                if (node in done or node not in order_set) and all(user in done for user in users[self.input[key]]):
                    self.text.store(self._get(node), "%work", self._memory(key))
                    del self.waiting_stores[key]

        order_set = set(order)
        self._print(order, [n for n in wanted if n in order_set], set(wanted), printed)

    def _store_rest(self) -> None:
        for key, node in self.waiting_stores.items():
            self.text.store(self._get(node), "%work", self._memory(key))

    def _finish(self) -> None:
        """Print the writing of the sums and of the US stock at the end."""
        for place, key in enumerate(self.layout.summaries):
            if key in self.layout.memory:
                value = self.text.load(VECTOR, "%work", self._memory(key))
                self.text.store(value, "%result", self._place(str(place)))

    def _look_back(self) -> None:
        """Print the loop over levels, some at a time, and in it the one back along the path of the US stock."""
        text, first, before = self.text, len(self.layout.summaries), self.text.block
        text.do("br label %level")
        text.do("level:")
        text.do(f"%k = phi i64 [ 0, %{before} ], [ %k.next, %back.end ]")
        places = []
        for copy in range(AT_ONCE):
            # Beyond the last level the last one again: the same is written twice. (Without levels, what is written is written over.)
            ahead = text.put(f"add i64 %k, {copy}")
            within = text.put(f"icmp ult i64 {ahead}, %count")
            last = text.put("call i64 @llvm.smax.i64(i64 0, i64 %count.last)")
            places.append(text.put(f"select i1 {within}, i64 {ahead}, i64 {last}"))
        levels = [self._register("%levels", place) for place in places]
        lowest, passages = self._back(levels)
        for place, key in enumerate(self.traced.lowest):
            text.store(lowest[key], "%result", self._place(str(place)))
        for place_, found in zip(places, passages, strict=True):
            base = text.put(f"mul nuw nsw i64 {place_}, {len(PASSAGE)}")
            for number_, key in enumerate(PASSAGE):
                text.store(found[key], "%result", self._place(text.put(f"add nuw nsw i64 {base}, {first + number_}")))
        text.do(f"%k.next = add nuw nsw i64 %k, {AT_ONCE}")
        text.do("%k.more = icmp ult i64 %k.next, %count")
        text.do("br i1 %k.more, label %level, label %levels.end")
        text.do("levels.end:")

    def _back(self, levels: list[str]) -> tuple[dict[str, str], list[dict[str, str]]]:
        """Print the loop back along the path, and return the lowest stock and the passage of each level."""
        text, traced, before = self.text, self.traced, self.text.block
        text.do("br label %back")
        text.do("back:")
        text.do(f"%b = phi i64 [ %steps, %{before} ], [ %b.next, %back ]")
        heads = len(text.lines)
        self.read_table = self._table("%b")
        shared = {self.input[key]: f"%{key}" for key in traced.lowest}
        shared[self.input["run.stock"]] = text.load(VECTOR, "%work", self._path("%b"))
        passages = []
        for copy, level in enumerate(levels):
            # What is the same for all members is read once.
            shared |= {n: self.value[n] for n in self.layout.table if copy and n in self.value}
            self.value = self.steady_value | shared | {self.input["run.level"]: level}
            self.value |= {self.input[key]: f"%{key}.{copy}" for key in traced.passage}
            passages.append(self._all(traced.passage))
        lowest = self._all(traced.lowest)
        carried = [(f"%{key}", NEVER, lowest[key]) for key in traced.lowest]
        for copy, found in enumerate(passages):
            carried += [(f"%{key}.{copy}", "zeroinitializer" if key == "passage.below" else NEVER, found[key]) for key in traced.passage]
        text.lines[heads:heads] = [f"  {name} = phi {VECTOR} [ {start}, %{before} ], [ {end}, %back ]" for name, start, end in carried]
        text.do("%b.next = sub nsw i64 %b, 1")
        text.do("%b.more = icmp sge i64 %b.next, 0")
        text.do("br i1 %b.more, label %back, label %back.end")
        text.do("back.end:")
        return lowest, passages

    def _all(self, wanted: dict[str, int]) -> dict[str, str]:
        """Print the wanted nodes and return their values."""
        self._print(self._lane_nodes(wanted.values()), list(wanted.values()), set(wanted.values()))
        return {key: self._get(node) for key, node in wanted.items()}

    def _dates(self) -> None:
        """Print the writing of the US stock at the step edges asked for."""
        text = self.text
        passages = text.put(f"mul nuw nsw i64 %count, {len(PASSAGE)}")
        first = text.put(f"add nuw nsw i64 {passages}, {len(self.layout.summaries)}")
        before = text.block
        text.do("%undated = icmp eq i64 %dated, 0")
        text.do("br i1 %undated, label %dates.end, label %date")
        text.do("date:")
        text.do(f"%d = phi i64 [ 0, %{before} ], [ %d.next, %date ]")
        edge = text.put(f"zext i32 {text.load('i32', '%dates', '%d', 'i32')} to i64")
        stock = text.load(VECTOR, "%work", self._path(edge))
        text.store(stock, "%result", self._place(text.put(f"add nuw nsw i64 {first}, %d")))
        text.do("%d.next = add nuw nsw i64 %d, 1")
        text.do("%d.more = icmp ult i64 %d.next, %dated")
        text.do("br i1 %d.more, label %date, label %dates.end")
        text.do("dates.end:")

    def _rows(self, values: dict[str, str], edge: str) -> None:
        """Print the keeping of rows: those of a field together, where the field is wanted."""
        text = self.text
        for place, group in enumerate(self.layout.fields):
            keys = [key for key in group if key in values]
            if not keys:
                continue
            tag = self._tag("keep")
            first = text.load("i64", "%wanted", str(place), "i64")
            text.do(f"%{tag}.asked = icmp sge i64 {first}, 0")
            text.do(f"br i1 %{tag}.asked, label %{tag}, label %{tag}.end")
            text.do(f"{tag}:")
            for number_, key in enumerate(keys):
                row = text.put(f"add i64 {first}, {number_}")
                cell = text.put(f"add i64 {text.put(f'mul i64 {row}, %edges')}, {edge}")
                at = text.put(f"add i64 {text.put(f'mul i64 {cell}, {LANES}')}, %g")
                text.store(values[key], "%kept", at)
            text.do(f"br label %{tag}.end")
            text.do(f"{tag}.end:")

    def _tag(self, word: str) -> str:
        self.tags += 1
        return f"{word}{self.tags}"

    # ------------------------------------------------------------ nodes

    def _lane_nodes(self, wanted: Iterable[int]) -> list[int]:
        """Return the operations that the wanted nodes rest on and that differ by member, in order."""
        nodes = self.graph.nodes
        return [n for n in needed(self.graph, wanted) if nodes[n].operation not in (CONSTANT, INPUT) and not self.uniform[n]]

    def _get(self, n: int) -> str:
        """Return the value of a node; what is no operation is read where it is first needed."""
        if n not in self.value:
            node = self.graph.nodes[n]
            if node.operation == CONSTANT:
                self.value[n] = splat(number(float(node.value or 0.0)))
            elif self.uniform[n]:
                self.value[n] = self.text.spread(self._scalar(n))
            elif node.operation == INPUT:
                name = str(node.value)
                kind = name.split(".")[0]
                if kind in ("state", "total"):
                    self.value[n] = self.text.load(VECTOR, "%work", self._memory(name))
                else:
                    self.value[n] = self.read[kind](name)
            elif n in self.fused:
                product, other = self.fused[n]
                values = [self._get(a) for a in (*self.graph.nodes[product].arguments, other)]
                given = ", ".join(f"{VECTOR} {value}" for value in values)
                self.value[n] = self.text.put(f"call {VECTOR} @llvm.fma.v{WIDTH}f64({given})")
            else:
                self.value[n] = operate(self.text, node.operation, [self._argument(n, place) for place in range(len(node.arguments))])
        return self.value[n]

    def _scalar(self, n: int) -> str:
        return self.scalar[n] if n in self.scalar else self.read_table(n)

    def _argument(self, n: int, place: int) -> str:
        """Return an argument; a condition that is the same for all members comes as a number."""
        node = self.graph.nodes[n]
        a = node.arguments[place]
        if node.operation != "where" or place:
            return self._get(a)
        if self.graph.nodes[a].operation not in COMPARISONS:
            raise ValueError("a choice needs a comparison")
        return self.text.put(f"fcmp one {VECTOR} {self._get(a)}, zeroinitializer") if self.uniform[a] else self._get(a)

    def _print(
        self, order: list[int], targets: list[int], kept: set[int], printed: Callable[[set[int]], None] | None = None
    ) -> None:
        """Print operations, each where it is first needed; where a choice is the same for all members, only the side taken runs.

        Parameters
        ----------
        order : list of int
            The operations that may be printed.
        targets : list of int
            Those that are wanted, in the order wanted.
        kept : set of int
            Those that something outside of `order` needs.
        printed : callable, optional
            Is told all that has been printed, after each operation.
        """
        key = (tuple(order), frozenset(kept))
        if key not in self._branches:
            self._branches[key] = branches(self.graph, order, kept, self.uniform)
        branch = {n: one for one in self._branches[key] for n in one.nodes}
        waiting, done = set(order), set()
        parts_of_sums = {product for product, _ in self.fused.values()}

        def put(n: int) -> None:
            if n not in waiting:
                return
            one = branch.get(n)
            for a in one.outside if one else self.graph.nodes[n].arguments:
                put(a)
            if n not in waiting:
                return
            if one is not None:
                self._branch(one)
            elif n not in parts_of_sums:
                self._get(n)
            new = {n} if one is None else one.nodes
            waiting.difference_update(new)
            done.update(new)
            if printed:
                printed(done)

        for n in targets:
            put(n)

    def _branch(self, one: Branch) -> None:
        """Print both sides of a choice that is the same for all members, and the jump to one of them."""
        text, nodes, tag = self.text, self.graph.nodes, self._tag("branch")
        condition = text.put(f"fcmp one double {self._scalar(one.condition)}, {number(0.0)}")
        text.do(f"br i1 {condition}, label %{tag}.1, label %{tag}.2")
        ends = []
        outer = dict(self.value)
        for side, order in ((1, one.first), (2, one.second)):
            text.do(f"{tag}.{side}:")
            self.value = dict(outer)
            chosen = [nodes[n].arguments[side] for n in one.choices]
            self._print(order, [n for n in chosen if n in set(order)], set(chosen))
            values = [self._get(n) for n in chosen]
            ends.append((text.block, values))
            text.do(f"br label %{tag}.end")
        text.do(f"{tag}.end:")
        self.value = outer
        (first, these), (second, those) = ends
        for n, this, that in zip(one.choices, these, those, strict=True):
            self.value[n] = text.put(f"phi {VECTOR} [ {this}, %{first} ], [ {that}, %{second} ]")
