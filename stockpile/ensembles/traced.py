"""What compiled code takes to run an ensemble: the traced assembly as programs, tables and offsets, and the draws."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockpile import philox, schema, shapes
from stockpile.assemble import Parts, parts
from stockpile.clock import Array, Clock
from stockpile.codegen import drive, kernel, machine
from stockpile.codegen.graph import Graph, Symbol, evaluate, ids_of
from stockpile.codegen.llvm import WIDTH
from stockpile.codegen.program import Program, lower
from stockpile.codegen.trace import Traced, flat, is_uniform, trace
from stockpile.draws import CERTAIN, Columns, Design
from stockpile.ensembles.numpy_engine import Task
from stockpile.model.state import Quantity

Integers = NDArray[np.int32]
CACHE_LINE = 64
"""Bytes."""


def aligned(shape: tuple[int, ...]) -> Array:
    """Return an array that begins where a vector of the cache does: one that lies across two costs twice the time."""
    size = int(np.prod(shape))
    room = np.empty(size + CACHE_LINE // 8)
    first = -room.ctypes.data % CACHE_LINE // 8
    return room[first : first + size].reshape(shape)


@cache
def printed(recipients: int) -> tuple[Traced, kernel.Printer, str]:
    """Return the traced step for a number of recipients, its printer, and the text of the whole module."""
    traced = trace(recipients)
    printer = kernel.Printer(traced)
    return traced, printer, "\n".join([printer.module(), machine.module(), drive.module()])


def rows_of(design: Design) -> list[int]:
    """Return for each column the row that has its numbers: streams come first, and plain uniform numbers are rows of those."""
    stream = {name: row for row, name in enumerate(design.streams)}
    found, free = [], len(stream)
    for column in design.columns.columns:
        found.append(stream[column.stream] if column.pieces is CERTAIN else free)
        free += column.pieces is not CERTAIN
    return found


class Symbolic:
    """Gives a symbol for every number that is drawn, named by its row, and constants for the rest."""

    members = 1

    def __init__(self, design: Design) -> None:
        self.columns, self.rows = design.columns, rows_of(design)
        self.random = design.columns.random
        self.graph = Graph()

    def of(self, path: str, parameter: schema.Parameter, point: schema.Evidence, stream: str = "") -> Quantity:
        """Return the symbol of the point's draw; the central value, shape (1,), where it is not drawn."""
        return self.columns.of(path, parameter, point, stream, lambda number: self.graph.input(str(self.rows[number])))

    def chance(self, stream: str) -> Symbol:
        """Return the symbol of a plain uniform number."""
        return self.graph.input(str(self.rows[self.columns.chance(stream)]))


class Given:
    """Gives draws that are there already, in the rows of `rows_of`."""

    def __init__(self, columns: Columns, rows: list[int], draws: Array) -> None:
        self.columns, self.rows, self.draws, self.members = columns, rows, draws, draws.shape[1]
        self.random = columns.random

    def of(self, path: str, parameter: schema.Parameter, point: schema.Evidence, stream: str = "") -> Array:
        """Return the point's draws; the central value, shape (1,), where it is not drawn."""
        found: Array = self.columns.of(path, parameter, point, stream, lambda number: self.draws[self.rows[number]])
        return found

    def chance(self, stream: str) -> Array:
        """Return plain uniform numbers."""
        result: Array = self.draws[self.rows[self.columns.chance(stream)]]
        return result


@dataclass(frozen=True)
class Case:
    """What the kernel takes for one policy and munition (see `codegen.kernel.Layout`)."""

    index: Integers
    constants: Integers
    table: Array
    policy: Array


@dataclass(frozen=True)
class Work:
    """What the kernel takes for one munition: the program, registers of the levels, and a case a policy."""

    program: Program
    levels: Integers
    cases: tuple[Case, ...]


def prepare(task: Task, printer: kernel.Printer) -> tuple[tuple[Work, ...], Parts]:
    """Trace the assembly and return the work of each munition."""
    values = Symbolic(task.design)
    made = parts(task.scenario, task.policies, values)
    run: dict[str, Any] = {"number": np.arange(len(made.clock.steps), dtype=np.float64)}
    run["ahead"] = np.where(run["number"] >= task.ahead, 1.0, 0.0)
    run["inside"] = np.where(run["number"] < len(made.clock.steps) - 1, 1.0, 0.0)
    run["dt"] = np.float64(made.clock.dt)
    inputs = {f"run.{name}": value for name, value in run.items()}
    means: dict[bytes, Array] = {}
    return tuple(_work(made, values.graph, munition, printer, inputs, means) for munition in made.axes.munitions), made


def _work(
    made: Parts, graph: Graph, munition: str, printer: kernel.Printer, run: dict[str, Any], means: dict[bytes, Array]
) -> Work:
    layout = printer.layout
    series, constants, uniform = [], [], []
    held: dict[int, tuple[int, ...]] = {}
    for policy in made.axes.policies:
        known, constant, opening = made.lane(policy, munition)
        named = dict(flat(known, "series")) | dict(flat(constant, "constant"))
        uniform.append({name: _uniform(made.clock, name, value, means) for name, value in named.items() if is_uniform(name)})
        series.append([nodes_on_steps(graph, made.clock, named[name], held) for name in layout.series])
        named |= dict(flat(opening, "state"))
        constants.append([node_of(graph, named[name]) for name in layout.constants])
    named_levels = [node_of(graph, level) for level in made.common[munition].levels.values()]
    by_policy = np.array(series, dtype=np.intp)
    # What lasts, step by step: the order in which a run reads it.
    by_step = by_policy.transpose(2, 0, 1).ravel().tolist()
    program = lower(graph, [*named_levels, *(n for one in constants for n in one), *by_step])
    # Offsets in a file of registers [byte].
    places = np.zeros(len(graph.nodes), dtype=np.int32)
    places[list(program.place)] = np.array(list(program.place.values())) * WIDTH * 8
    cases = tuple(
        Case(np.ascontiguousarray(places[one].T), places[own], *_tables(printer, given | run, len(made.clock.steps)))
        for one, own, given in zip(by_policy, constants, uniform, strict=True)
    )
    return Work(program, places[named_levels], cases)


def node_of(graph: Graph, value: Quantity) -> int:
    """Return the node of a quantity that has no time axis."""
    found = ids_of(graph, value)
    assert isinstance(found, int)
    return found


def nodes_on_steps(graph: Graph, clock: Clock, value: Quantity, held: dict[int, tuple[int, ...]]) -> tuple[int, ...]:
    """Return the nodes of the means over the steps, as `Clock.mean` takes them; `held` remembers what policies share."""
    if id(value) not in held:
        ids = ids_of(graph, value)
        rows = (ids,) * (len(clock.knots) - 1) if isinstance(ids, int) else ids
        held[id(value)] = tuple([rows[one[0][0]] if len(one) == 1 else _mean(graph, rows, one) for one in clock.pieces])
    return held[id(value)]


def _mean(graph: Graph, ids: tuple[int, ...], pieces: list[tuple[int, float]]) -> int:
    result = graph.constant(0.0)
    for interval, weight in pieces:
        result = graph.apply("add", (result, graph.apply("multiply", (ids[interval], graph.constant(weight)))))
    return result


def _uniform(clock: Clock, name: str, value: Quantity, means: dict[bytes, Array]) -> Array:
    """Return what is the same for all members: a row a step edge for series (the last one repeated), else the number.

    `means` remembers those of equal series.
    """
    if isinstance(value, Symbol) or value.shape[-1] != 1:
        raise TypeError(f"{name} differs by member; the compiled step takes it as the same for all")
    if not name.startswith("series."):
        one: Array = value[0]
        return one
    key = value.tobytes()
    if key not in means:
        steps = clock.mean(value)[:, 0]
        means[key] = np.append(steps, steps[-1])
    return means[key]


def _tables(printer: kernel.Printer, inputs: dict[str, Any], edges: int) -> tuple[Array, Array]:
    layout = printer.layout
    found = evaluate(printer.graph, [*layout.table, *layout.policy], inputs)
    table = np.empty((edges, max(len(layout.table), 1)))
    for place, node in enumerate(layout.table):
        table[:, place] = found[node]
    return table, np.array([float(found[node]) for node in layout.policy])


@dataclass(frozen=True)
class Draws:
    """What compiled code takes to draw.

    Attributes
    ----------
    keys : array of uint32, shape (streams, 2)
    row, table, place : array of int32, shape (columns,)
        Stream, table of quantiles and row of the result of each column that is no plain uniform number, by table.
    tables : array, shape (tables, KNOTS + BEHIND)
        As of `codegen.machine.table_of`.
    given : dict
        By the path of a lever: the row of its numbers, which are given.
    rows : int
        Rows of the result, the streams first.
    """

    keys: NDArray[np.uint32]
    row: Integers
    table: Integers
    place: Integers
    tables: Array
    given: dict[str, int]
    rows: int


def drawing(design: Design) -> Draws:
    """Return what compiled code takes to draw the columns of a design; equal tables are kept once."""
    stream = {name: row for row, name in enumerate(design.streams)}
    numbers: dict[int, int] = {}
    equal: dict[bytes, int] = {}
    tables: list[Array] = []
    found = []
    given = {}
    for column, place in zip(design.columns.columns, rows_of(design), strict=True):
        if column.pieces is None:
            given[column.stream] = place
        if column.pieces is None or column.pieces is CERTAIN:
            continue
        if id(column.pieces) not in numbers:
            table = machine.table_of(column.pieces)
            which = numbers[id(column.pieces)] = equal.setdefault(table.tobytes(), len(tables))
            if which == len(tables):
                tables.append(table)
        found.append((numbers[id(column.pieces)], stream[column.stream], place))
    # Columns that share a table stand together, so that it is read from far memory once.
    number, row, place_ = np.array(sorted(found), dtype=np.int32).reshape(-1, 3).T
    keys = np.array([philox.key_of(design.seed, name) for name in design.streams], dtype=np.uint32).reshape(-1, 2)
    return Draws(keys, row.copy(), number.copy(), place_.copy(), _filled(tables), given, len(stream) + len(found) + len(given))


def _filled(tables: list[Array]) -> Array:
    """Return tables one after another, each from the start of a cache line on."""
    room = aligned((max(len(tables), 1), shapes.KNOTS + machine.BEHIND))
    room.fill(0.0)
    for place, table in enumerate(tables):
        room[place] = table
    return room
