"""The tracer and the lowering of its graphs: whatever may be written in an equation comes out as NumPy works it out."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from stockpile.codegen.graph import COMPARISONS, CONSTANT, INPUT, OPERATIONS, Graph, Node, Symbol, apply, evaluate, ids_of, needed
from stockpile.codegen.program import CODES, DRAW, WORDS, Program, lower

Array = NDArray[np.float64]
LANES, INTERVALS = 5, 3
NAMES = ("0", "1", "2", "3")
"""Inputs; numbers, as the lowering takes them for those of draws."""
TWO = {name: function for name, function in OPERATIONS.items() if name != "where"}


def symbols() -> tuple[Graph, dict[str, Symbol]]:
    graph = Graph()
    return graph, {name: graph.input(name) for name in NAMES}


def given_numbers(seed: int) -> dict[str, Array]:
    """Return an array for each input, with noughts, ones and ties among its numbers."""
    rng = np.random.default_rng(seed)
    odd = rng.choice([0.0, 1.0, 2.0, 0.5, 7.25], (len(NAMES), LANES))
    plain = rng.uniform(-100.0, 100.0, odd.shape) * 10.0 ** rng.integers(-3, 4, odd.shape)
    return dict(zip(NAMES, np.where(rng.random(odd.shape) < 0.4, odd, plain), strict=True))


def values(graph: Graph, symbol: Any, inputs: dict[str, Array]) -> Array:
    """Return what a symbol comes to: shape (lanes,), or (intervals, lanes)."""
    ids = ids_of(graph, symbol)
    found = evaluate(graph, [ids] if isinstance(ids, int) else ids, inputs)
    rows = [np.broadcast_to(np.asarray(found[n], dtype=np.float64), (LANES,)) for n in ([ids] if isinstance(ids, int) else ids)]
    return rows[0] if isinstance(ids, int) else np.array(rows)


# ---------------------------------------------------------------- one operation


@pytest.mark.parametrize("name", TWO)
def test_each_operation_on_two_numbers(name: str) -> None:
    graph, s = symbols()
    found = TWO[name](s["0"], s["1"])
    assert isinstance(found, Symbol)
    assert isinstance(found.ids, int)
    assert graph.nodes[found.ids] == Node(name, (0, 1))
    first, second = np.array([1.0, 2.0, 3.0, -4.0, np.inf]), np.array([2.0, 2.0, -1.0, 8.0, 5.0])
    assert np.array_equal(values(graph, found, {"0": first, "1": second}), TWO[name](first, second).astype(np.float64))


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv, "less": operator.lt,
    "greater": operator.gt, "greater_equal": operator.ge, "less_equal": operator.le, "equal": operator.eq,
}


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("other", [7.5, 3, np.float64(7.5), np.array([7.5]), np.array(7.5)])
def test_operators_take_numbers_on_both_sides(name: str, other: Any) -> None:
    graph, s = symbols()
    plain = given_numbers(1)
    number = float(np.ravel(other)[0])
    function = OPERATORS[name]
    assert np.array_equal(values(graph, function(s["0"], other), plain), function(plain["0"], number).astype(np.float64))
    assert np.array_equal(values(graph, function(other, s["0"]), plain), function(number, plain["0"]).astype(np.float64))


def test_where_takes_symbols_and_numbers() -> None:
    graph, s = symbols()
    plain = given_numbers(2)
    found = np.where(s["0"] > s["1"], s["2"], -1.5)
    assert np.array_equal(values(graph, found, plain), np.where(plain["0"] > plain["1"], plain["2"], -1.5))


def test_equal_nodes_are_there_once() -> None:
    graph, s = symbols()
    x, y = s["0"], s["1"]
    first = np.minimum(x + y, 3.0) / np.maximum(y, 1e-30)
    count = len(graph.nodes)
    assert (np.minimum(x + y, 3.0) / np.maximum(y, 1e-30)).ids == first.ids
    assert graph.input("0").ids == x.ids
    assert graph.constant(3.0) == graph.constant(3)
    assert len(graph.nodes) == count
    assert len(set(graph.nodes)) == count


def test_needed_are_the_nodes_something_rests_on_in_order() -> None:
    graph, s = symbols()
    wanted = (s["0"] + s["1"]) * s["2"]
    _ = s["3"] - s["0"]
    assert needed(graph, [wanted.ids]) == sorted([s["0"].ids, s["1"].ids, s["2"].ids, (s["0"] + s["1"]).ids, wanted.ids])
    assert needed(graph, []) == []


# ---------------------------------------------------------------- what is known at once

SIMPLE: dict[str, tuple[Callable[[Any, Any], Any], Any]] = {
    "x + 0": (lambda x, y: x + 0.0, "x"),
    "0 + x": (lambda x, y: 0.0 + x, "x"),
    "x - 0": (lambda x, y: x - 0.0, "x"),
    "x * 1": (lambda x, y: x * 1.0, "x"),
    "1 * x": (lambda x, y: 1.0 * x, "x"),
    "x * 0": (lambda x, y: x * 0.0, 0.0),
    "0 * x": (lambda x, y: 0.0 * x, 0.0),
    "x / 1": (lambda x, y: x / 1.0, "x"),
    "0 / x": (lambda x, y: 0.0 / x, 0.0),
    "least of x and x": (lambda x, y: np.minimum(x, x), "x"),
    "largest of x and x": (lambda x, y: np.maximum(x, x), "x"),
    "where true": (lambda x, y: np.where(np.array([2.0]) > 1.0, x, y), "x"),
    "where false": (lambda x, y: np.where(np.array([0.0]) > 1.0, x, y), "y"),
    "where both are x": (lambda x, y: np.where(x > y, x, x), "x"),
    "constants": (lambda x, y: (x * 0.0 + 3.0) / 4.0 - 0.25, 0.5),
    "a comparison of constants": (lambda x, y: np.where((x * 0.0 + 3.0) >= 3.0, x, y), "x"),
}


@pytest.mark.parametrize("name", SIMPLE)
def test_what_is_known_at_once_is_worked_out_at_once(name: str) -> None:
    graph, s = symbols()
    write, expected = SIMPLE[name]
    found = write(s["0"], s["1"]).ids
    if isinstance(expected, float):
        assert graph.value(found) == expected
    else:
        assert found == {"x": s["0"], "y": s["1"]}[expected].ids
    assert np.array_equal(values(graph, Symbol(graph, found), PLAIN), np.broadcast_to(write(PLAIN["0"], PLAIN["1"]), (LANES,)))


PLAIN = {name: np.array([1.0, 2.5, -3.0, 40.0, 5.0]) * (1 + number) for number, name in enumerate(NAMES)}


@pytest.mark.parametrize(
    "write",
    [lambda x: x - 1.0, lambda x: x / 2.0, lambda x: 1.0 - x, lambda x: 0.0 - x, lambda x: 1.0 / x, lambda x: x - x, lambda x: x / x],
)
def test_what_is_not_known_at_once_is_left(write: Callable[[Any], Any]) -> None:
    graph, s = symbols()
    found = write(s["0"]).ids
    assert graph.value(found) is None
    assert found != s["0"].ids


# ---------------------------------------------------------------- random expressions

Write = Callable[[dict[str, Any]], Any]
"""An expression: a function of its inputs, arrays or symbols."""
ROWS = np.array([[0.0], [1.0], [2.5]])


def leaves() -> st.SearchStrategy[Write]:
    numbers = st.sampled_from([0.0, 1.0, -1.0, 0.5, 3.0, 1e-30, 1e6]) | st.floats(-50.0, 50.0, allow_subnormal=False)
    rows = st.lists(st.sampled_from([0.0, 1.0, -2.0, 0.3]), min_size=INTERVALS, max_size=INTERVALS)
    return st.one_of(
        st.sampled_from(NAMES).map(lambda name: lambda given: given[name]),
        st.sampled_from(NAMES).map(lambda name: lambda given: given[name]),
        numbers.map(lambda number: lambda given: np.array([number])),
        rows.map(lambda row: lambda given: np.array(row)[:, None]),
        st.just(lambda given: np.stack([given["0"], given["1"] * 2.0, given["0"]])),
    )


def grown(smaller: st.SearchStrategy[Write]) -> st.SearchStrategy[Write]:
    pairs = st.tuples(smaller, smaller)

    def two(function: Callable[[Any, Any], Any]) -> st.SearchStrategy[Write]:
        return pairs.map(lambda pair: lambda given: function(pair[0](given), pair[1](given)))

    def choice(parts: tuple[Callable[[Any, Any], Any], Write, Write, Write, Write]) -> Write:
        compare, *writes = parts

        def write(given: dict[str, Any]) -> Any:
            first, second, this, that = (one(given) for one in writes)
            return np.where(compare(first, second), this, that)

        return write

    comparisons = st.sampled_from([operator.lt, operator.gt, operator.ge, operator.le, operator.eq])
    return st.one_of(
        *(two(function) for function in (operator.add, operator.sub, operator.mul, np.minimum, np.maximum)),
        # As the equations do: never by nought.
        two(lambda a, b: a / np.maximum(b, 1e-3)),
        st.tuples(comparisons, smaller, smaller, smaller, smaller).map(choice),
    )


EXPRESSIONS = st.recursive(leaves(), grown, max_leaves=12)


def traced(write: Write) -> tuple[Graph, Any]:
    graph, s = symbols()
    return graph, write(s)


def wide(found: Any) -> Array:
    """Return the values of an expression over all intervals, noughts without their sign."""
    return np.broadcast_to(np.asarray(found, dtype=np.float64), (INTERVALS, LANES)) + 0.0


@given(EXPRESSIONS, st.integers(0, 2**32 - 1))
def test_the_graph_of_an_expression_gives_the_same_bits(write: Write, seed: int) -> None:
    plain = given_numbers(seed)
    graph, symbol = traced(write)
    assert wide(values(graph, symbol, plain)).tobytes() == wide(write(plain)).tobytes()


@given(st.lists(EXPRESSIONS, min_size=2, max_size=4))
def test_what_is_traced_twice_adds_nothing(writes: list[Write]) -> None:
    graph, s = symbols()
    first = [ids_of(graph, write(s)) for write in writes]
    count = len(graph.nodes)
    assert [ids_of(graph, write(s)) for write in writes] == first
    assert len(graph.nodes) == count
    assert all(argument < number for number, node in enumerate(graph.nodes) for argument in node.arguments)
    assert {node.operation for node in graph.nodes} <= {*OPERATIONS, INPUT, CONSTANT}


# ---------------------------------------------------------------- lowering


def worked(program: Program, draws: Array) -> tuple[Array, list[int]]:
    """Return the registers after a program has been worked through, and which were written, in order."""
    registers = np.full((program.registers, draws.shape[1]), np.nan)
    registers[: len(program.constants)] = program.constants[:, None]
    written = []
    for code, target, *arguments in program.code.tolist():
        written.append(target)
        operation = CODES[code]
        if operation == DRAW:
            registers[target] = draws[arguments[0]]
            continue
        taken = registers[arguments[: 3 if operation == "where" or isinstance(operation, tuple) else 2]]
        assert not np.isnan(taken).any(), "read before it was written"
        if isinstance(operation, tuple):
            outer, inner, place = operation
            both = [OPERATIONS[inner](*taken[:2]), taken[2]]
            registers[target] = OPERATIONS[outer](*(both if place == 0 else reversed(both)))
        else:
            registers[target] = OPERATIONS[operation](*taken)
    return registers, written


@given(st.lists(EXPRESSIONS, min_size=1, max_size=5), st.integers(0, 2**32 - 1), st.data())
def test_a_program_gives_the_same_bits(writes: list[Write], seed: int, data: st.DataObject) -> None:
    plain = given_numbers(seed)
    graph, s = symbols()
    ids = [n for write in writes for n in np.ravel(ids_of(graph, write(s))).tolist()]
    # What is needed on the way, constants, inputs and the same again may be wanted too.
    on_the_way = [n for n in needed(graph, ids) if graph.nodes[n].operation not in COMPARISONS]
    wanted = data.draw(st.permutations([*ids, *data.draw(st.lists(st.sampled_from(on_the_way), max_size=6))]))
    program = lower(graph, wanted)
    registers, written = worked(program, np.array([plain[name] for name in NAMES]))
    found = evaluate(graph, wanted, plain)
    for n in wanted:
        expected = np.broadcast_to(np.asarray(found[n], dtype=np.float64), (LANES,))
        assert registers[program.place[n]].tobytes() == expected.tobytes()
    assert set(program.place) == set(wanted)
    lasting = [place for place in program.place.values() if place >= len(program.constants)]
    assert len(set(lasting)) == len(lasting)
    assert all(written.count(place) == 1 for place in lasting)
    assert min(written, default=len(program.constants)) >= len(program.constants)
    assert program.code.shape == (len(written), WORDS)
    assert program.code.dtype == np.int32


def test_what_lasts_stands_in_the_order_asked_for_and_room_is_used_again() -> None:
    graph, s = symbols()
    x = s["0"]
    chain = x
    for number in range(100):
        chain = (chain + s["1"]) * (2.0 + number)
    asked = [chain.ids, x.ids, (x + 2.0).ids]
    program = lower(graph, asked)
    first = len(program.constants)
    assert [program.place[n] for n in asked] == [first, first + 1, first + 2]
    assert len(program.code) >= 103
    assert program.registers <= first + len(asked) + 3


def test_a_program_of_constants_has_nothing_to_do() -> None:
    graph = Graph()
    program = lower(graph, [graph.constant(4.0), graph.constant(0.0)])
    assert len(program.code) == 0
    assert [program.constants[program.place[n]] for n in (graph.constant(4.0), graph.constant(0.0))] == [4.0, 0.0]


# ---------------------------------------------------------------- time


def test_a_row_an_interval_meets_one_number_a_lane() -> None:
    graph, s = symbols()
    x = s["0"]
    line = ROWS * x
    assert isinstance(line, Symbol)
    assert len(line) == INTERVALS
    assert [line[0].ids, line[1].ids] == [graph.constant(0.0), x.ids]
    assert line[-1].ids == (2.5 * x).ids
    more = np.minimum(line, x) + np.array([[1.0], [0.0], [2.0]])
    assert np.array_equal(values(graph, more, PLAIN), np.minimum(ROWS * PLAIN["0"], PLAIN["0"]) + np.array([[1.0], [0.0], [2.0]]))


def test_stacked_symbols_have_a_time_axis() -> None:
    graph, s = symbols()
    found = np.stack([s["0"], s["1"] + 1.0, np.full(1, 3.0), 4.0])
    assert len(found) == 4
    assert np.array_equal(values(graph, found, PLAIN), np.array([PLAIN["0"], PLAIN["1"] + 1.0, np.full(LANES, 3.0), np.full(LANES, 4.0)]))


def test_intervals_of_different_numbers_do_not_go_together() -> None:
    _, s = symbols()
    with pytest.raises((TypeError, ValueError)):
        np.stack([s["0"], s["1"]]) + ROWS
    with pytest.raises((TypeError, ValueError)):
        np.where(np.stack([s["0"], s["1"]]) > 0.0, ROWS, s["0"])


def test_what_has_a_time_axis_cannot_be_stacked_again() -> None:
    _, s = symbols()
    with pytest.raises(TypeError, match="no time axis"):
        np.stack([np.stack([s["0"], s["1"]]), s["2"]])
    with pytest.raises(TypeError, match="no time axis"):
        np.stack([ROWS, s["2"]])


@pytest.mark.parametrize("shape", [(INTERVALS, LANES), (2, INTERVALS, 1), (1, LANES)])
def test_numbers_of_their_own_for_each_lane_are_refused(shape: tuple[int, ...]) -> None:
    graph, s = symbols()
    with pytest.raises(TypeError, match="allowed: one number an interval"):
        apply(graph, "add", (s["0"], np.ones(shape)))
    with pytest.raises(TypeError, match="allowed: one number an interval"):
        s["0"] * np.ones(shape)


# ---------------------------------------------------------------- what has no place

FORBIDDEN: dict[str, Callable[[Any, Any], Any]] = {
    "exp": lambda x, y: np.exp(x),
    "log": lambda x, y: np.log(x),
    "sqrt": lambda x, y: np.sqrt(x),
    "power": lambda x, y: x**2,
    "power of a number": lambda x, y: 2.0**x,
    "floor": lambda x, y: np.floor(x),
    "whole division": lambda x, y: x // y,
    "rest": lambda x, y: x % y,
    "sign": lambda x, y: -x,
    "size": lambda x, y: abs(x),
    "not equal": lambda x, y: x != y,
    "and": lambda x, y: (x > y) & (y > x),
    "not": lambda x, y: ~(x > y),
    "is it finite": lambda x, y: np.isfinite(x),
    "fused": lambda x, y: x @ y,
    "into an array": lambda x, y: np.add(x, y, out=np.zeros(3)),
    "in some places": lambda x, y: np.add(x, y, where=True),
    "of a kind": lambda x, y: np.multiply(x, y, dtype=np.float32),
    "reduced": lambda x, y: np.add.reduce(x),
    "added up": lambda x, y: np.add.accumulate(x),
    "sum": lambda x, y: np.sum(x),
    "mean": lambda x, y: np.mean(x),
    "clip": lambda x, y: np.clip(x, 0.0, 1.0),
    "one after another": lambda x, y: np.concatenate([x, y]),
    "cumulative": lambda x, y: np.cumsum(x),
    "interpolated": lambda x, y: np.interp(x, [0.0, 1.0], [0.0, 1.0]),
    "where of one": lambda x, y: np.where(x > y),
    "stacked the other way": lambda x, y: np.stack([x, y], axis=1),
    "stacked the other way by place": lambda x, y: np.stack([x, y], 1),
    "stacked into an array": lambda x, y: np.stack([x, y], out=np.zeros((2, 3))),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_has_no_place_in_the_equations_is_refused_with_what_has(name: str) -> None:
    _, s = symbols()
    with pytest.raises(TypeError, match=r"allowed: .*\bminimum, maximum, .*where\b"):
        FORBIDDEN[name](s["0"], s["1"])


BRANCHES: dict[str, Callable[[Any, Any], Any]] = {
    "if": lambda x, y: 1 if x > y else 2,
    "and": lambda x, y: (x > y) and y,
    "or": lambda x, y: (x > y) or y,
    "not": lambda x, y: not x,
    "bool": lambda x, y: bool(x),
    "least of python": lambda x, y: min(x, y),
    "chained": lambda x, y: 0.0 < x < 1.0,
    "among": lambda x, y: x in (y, 1.0),
}


@pytest.mark.parametrize("name", BRANCHES)
def test_an_equation_may_not_branch_on_a_value(name: str) -> None:
    _, s = symbols()
    with pytest.raises(TypeError, match=r"may not branch on a value; allowed: np\.where"):
        BRANCHES[name](s["0"], s["1"])


@pytest.mark.parametrize("convert", [float, int, round])
def test_a_symbol_is_no_number(convert: Callable[[Any], Any]) -> None:
    _, s = symbols()
    with pytest.raises(TypeError):
        convert(s["0"])
