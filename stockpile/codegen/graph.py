"""The tracer: stand-ins for arrays that write down what is done to them.

Equations called with symbols in place of arrays leave a graph: nodes in the order of their making, equal ones once. A symbol
stands for one number a lane; one with a time axis stands for a number a lane in each interval, and whatever is the same for
all lanes (an array whose last axis has length 1, or a plain number) enters as constants. What is known at once is worked out
at once: products with 0 and 1, sums with 0, choices whose condition is a constant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

INPUT, CONSTANT = "input", "constant"
OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide,
    "minimum": np.minimum, "maximum": np.maximum, "less": np.less, "greater": np.greater, "greater_equal": np.greater_equal,
    "less_equal": np.less_equal,
    "equal": np.equal,
    "where": np.where,
}
"""All that the equations may use."""
COMPARISONS = ("less", "greater", "greater_equal", "less_equal", "equal")


class Node(NamedTuple):
    """One operation.

    Attributes
    ----------
    operation : str
        A key of `OPERATIONS`, the name of a `primitive`, ``input`` or ``constant``.
    arguments : tuple of int
        Numbers of the nodes it works on.
    value : float or str or None
        The value of a constant, the name of an input.
    """

    operation: str
    arguments: tuple[int, ...] = ()
    value: float | str | None = None


class Graph:
    """Nodes in the order of their making; equal ones once."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._inputs: dict[str, int] = {}
        self._known: dict[int, float] = {}
        self._constants: dict[float, int] = {}
        self._arrays: dict[bytes, tuple[int, ...]] = {}
        self._applied: defaultdict[str, dict[tuple[int, ...], int]] = defaultdict(dict)
        self._rows: dict[tuple[Any, ...], tuple[int, ...]] = {}

    def input(self, name: str) -> Symbol:
        """Return the symbol of an input, one number a lane."""
        found = self._inputs.get(name)
        if found is None:
            found = self._inputs[name] = self._add(Node(INPUT, (), name))
        return Symbol(self, found)

    def constant(self, value: float) -> int:
        """Return the number of the node of a constant."""
        found = self._constants.get(value)
        if found is None:
            found = self._constants[value] = self._add(Node(CONSTANT, (), float(value)))
            self._known[found] = float(value)
        return found

    def constants(self, values: NDArray[np.float64]) -> tuple[int, ...]:
        """Return the numbers of the nodes of constants; equal arrays are looked up once."""
        key = values.tobytes()
        found = self._arrays.get(key)
        if found is None:
            found = self._arrays[key] = tuple(map(self.constant, values.tolist()))
        return found

    def value(self, number: int) -> float | None:
        """Return the value of a node where it is a constant."""
        return self._known.get(number)

    def apply(self, operation: str, arguments: tuple[int, ...]) -> int:
        """Return the number of the node that is `operation` on `arguments`."""
        applied = self._applied[operation]
        found = applied.get(arguments)
        if found is None:
            simple = self._simplified(operation, arguments)
            found = applied[arguments] = self._add(Node(operation, arguments)) if simple is None else simple
        return found

    def apply_rows(self, operation: str, arguments: tuple[int | tuple[int, ...], ...]) -> tuple[int, ...]:
        """Return the numbers of the nodes that are `operation` on arguments some of which have one node an interval."""
        key = (operation, arguments)
        found = self._rows.get(key)
        if found is None:
            (length,) = {len(ids) for ids in arguments if isinstance(ids, tuple)}
            columns = [ids if isinstance(ids, tuple) else repeat(ids, length) for ids in arguments]
            found = self._rows[key] = tuple([self.apply(operation, row) for row in zip(*columns, strict=True)])
        return found

    def _add(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def _simplified(self, operation: str, arguments: tuple[int, ...]) -> int | None:
        """Return the node that an operation comes to, where that needs no work."""
        first, second = arguments[0], arguments[1]
        if operation == "where" and second == arguments[2]:
            return second
        if operation in ("minimum", "maximum") and first == second:
            return first
        if first not in self._known and second not in self._known and arguments[-1] not in self._known:
            return None
        known = [self._known.get(number) for number in arguments]
        if operation in OPERATIONS and None not in known:
            return self.constant(float(OPERATIONS[operation](*(np.float64(value) for value in known if value is not None))))
        if operation == "where":
            return None if known[0] is None else second if known[0] else arguments[2]
        if operation in ("add", "multiply"):
            neutral = 0.0 if operation == "add" else 1.0
            if known[0] == neutral:
                return second
            if known[1] == neutral:
                return first
            return self.constant(0.0) if operation == "multiply" and 0.0 in known else None
        if (operation == "subtract" and known[1] == 0.0) or (operation == "divide" and known[1] == 1.0):
            return first
        return self.constant(0.0) if operation == "divide" and known[0] == 0.0 else None


class Symbol(NDArrayOperatorsMixin):
    """Stands for one number a lane, or for one a lane in each interval.

    Attributes
    ----------
    graph : Graph
    ids : int or tuple of int
        Numbers of its nodes: one, or one an interval.
    """

    __slots__ = ("graph", "ids")

    def __init__(self, graph: Graph, ids: int | tuple[int, ...]) -> None:
        self.graph = graph
        self.ids = ids

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        if method != "__call__" or keywords or ufunc.__name__ not in OPERATIONS:
            raise TypeError(f"{ufunc.__name__} has no place in the equations; allowed: {', '.join(OPERATIONS)}")
        return apply(self.graph, ufunc.__name__, inputs)

    def __array_function__(self, function: Any, types: Any, arguments: Any, keywords: Any) -> Any:
        if function is np.stack and len(arguments) == 1 and not keywords:
            return Symbol(self.graph, tuple(_single(self.graph, one) for one in arguments[0]))
        if function is not np.where or len(arguments) != 3 or keywords:
            raise TypeError(f"{function.__name__} has no place in the equations; allowed: {', '.join(OPERATIONS)}")
        return apply(self.graph, "where", arguments)

    def __getitem__(self, row: int) -> Symbol:
        assert isinstance(self.ids, tuple)
        return Symbol(self.graph, self.ids[row])

    def __len__(self) -> int:
        assert isinstance(self.ids, tuple)
        return len(self.ids)

    def __bool__(self) -> bool:
        raise TypeError("an equation may not branch on a value; allowed: np.where")


def apply(graph: Graph, operation: str, arguments: Iterable[Any]) -> Symbol:
    """Return the symbol that is `operation` on symbols, numbers and arrays whose last axis has length 1."""
    given = tuple([argument.ids if isinstance(argument, Symbol) else ids_of(graph, argument) for argument in arguments])
    if any(isinstance(ids, tuple) for ids in given):
        return Symbol(graph, graph.apply_rows(operation, given))
    return Symbol(graph, graph.apply(operation, given))  # type: ignore[arg-type]


def _single(graph: Graph, given: Any) -> int:
    found = ids_of(graph, given)
    if not isinstance(found, int):
        raise TypeError("only what has no time axis can be stacked along one")
    return found


def ids_of(graph: Graph, given: Any) -> int | tuple[int, ...]:
    """Return the numbers of the nodes of a symbol, a number, or an array that is the same for all lanes."""
    if isinstance(given, Symbol):
        return given.ids
    if isinstance(given, float):
        return graph.constant(float(given))
    array = np.asarray(given, dtype=np.float64)
    if array.ndim and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim == 0:
        return graph.constant(float(array))
    if array.ndim > 1:
        raise TypeError(f"an array of shape {array.shape} beside symbols; allowed: one number an interval")
    return graph.constants(array)


def evaluate(graph: Graph, wanted: Iterable[int], inputs: dict[str, NDArray[np.float64]]) -> dict[int, Any]:
    """Return the values of nodes for given inputs (arrays that broadcast)."""
    found: dict[int, Any] = {}
    for number in needed(graph, wanted):
        node = graph.nodes[number]
        if node.operation == CONSTANT:
            found[number] = node.value
        elif node.operation == INPUT:
            found[number] = inputs[str(node.value)]
        else:
            found[number] = OPERATIONS[node.operation](*(found[argument] for argument in node.arguments))
    return found


def needed(graph: Graph, wanted: Iterable[int]) -> list[int]:
    """Return the numbers of all nodes that the wanted ones rest on, and of these, in order."""
    # What a node rests on was made before it: so from the last one down.
    marks = bytearray(len(graph.nodes))
    for number in wanted:
        marks[number] = 1
    number = marks.rfind(1)
    while number >= 0:
        for argument in graph.nodes[number].arguments:
            marks[argument] = 1
        number = marks.rfind(1, 0, number)
    return [number for number, mark in enumerate(marks) if mark]
