"""What a printed kernel takes and gives, in order; worked out from the traced step."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from stockpile.codegen.graph import CONSTANT, INPUT, Graph, needed
from stockpile.codegen.llvm import WIDTH
from stockpile.codegen.trace import Traced, is_of_run, is_uniform


@dataclass(frozen=True)
class Layout:
    """What a printed kernel takes, in order.

    Attributes
    ----------
    series : tuple of str
        Inputs that differ by member and by step: columns of the table of offsets.
    constants : tuple of str
        Inputs that differ by member only, the opening stocks among them.
    table : tuple of int
        Nodes that are the same for all members, one value a step edge.
    policy : tuple of int
        Nodes that are the same for all members over the whole run.
    summaries : tuple of str
        Rows of the output before those of the levels and of the dates.
    fields : tuple of tuple of str
        What a trajectory has of a step, field by field.
    memory : tuple of str
        What stands in memory over a run, before the path of the US stock; a vector each.
    """

    series: tuple[str, ...]
    constants: tuple[str, ...]
    table: tuple[int, ...]
    policy: tuple[int, ...]
    summaries: tuple[str, ...]
    fields: tuple[tuple[str, ...], ...]
    memory: tuple[str, ...]

    def work(self, edges: int) -> int:
        """Return how many numbers a run needs in memory."""
        return (len(self.memory) + edges) * WIDTH


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


def layout_of(traced: Traced, uniform: list[bool], steady: list[bool]) -> Layout:
    """Return the layout of a traced step."""
    graph = traced.graph
    leaving = (traced.after, traced.lowest, traced.totals, traced.rows, traced.passage)
    everything = needed(graph, [n for some in leaving for n in some.values()])
    inputs = [str(graph.nodes[n].value) for n in everything if graph.nodes[n].operation == INPUT]
    lanes = [name for name in inputs if not is_uniform(name)]
    used = {a for n in everything if not uniform[n] for a in graph.nodes[n].arguments} | set(traced.rows.values())
    shared = [n for n in everything if n in used and uniform[n] and graph.nodes[n].operation != CONSTANT]
    return Layout(
        series=tuple(name for name in lanes if name.startswith("series.")),
        constants=(*(name for name in lanes if name.startswith("constant.")), *traced.after),
        table=tuple(n for n in shared if not steady[n]),
        policy=tuple(n for n in shared if steady[n]),
        summaries=(*traced.lowest, *traced.totals, "state.us_on_hand"),
        fields=tuple(tuple(keys) for _, keys in groupby(traced.rows, field_of)),
        memory=(*traced.after, *traced.totals),
    )
