"""From the graph of an assembly to a program: what compiled code works through for each block of members.

An assembly (everything known in advance, worked out from draws) differs from scenario to scenario, so it is not compiled: it is
traced once, its nodes get registers, and what remains is a list of instructions on rows of members.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from stockpile.codegen.graph import CONSTANT, INPUT, Graph, needed

Array = NDArray[np.float64]
DRAW = "draw"
SIMPLE = (
    DRAW, "add", "subtract", "multiply", "divide", "minimum", "maximum",
    "less", "greater", "greater_equal", "less_equal", "equal", "where",
)
"""Operations that leave a graph one by one. A comparison gives 1 or 0; `where` asks whether its first argument is not 0."""
PAIRED = ("add", "subtract", "multiply", "minimum", "maximum")
PAIRS = tuple((outer, inner, place) for outer in PAIRED for inner in PAIRED for place in (0, 1))
"""Two operations in one instruction: `outer` takes `inner` as its argument number `place`. Each rounds as it does alone."""
CODES: tuple[str | tuple[str, str, int], ...] = (*SIMPLE, *PAIRS)
"""All operations by number."""
NUMBERS = {code: number for number, code in enumerate(CODES)}
WORDS = 5
"""Numbers of an instruction: operation, target, and up to three arguments."""
UNUSED = [(0,) * (WORDS - 2 - count) for count in range(WORDS - 1)]
"""What stands behind so many arguments."""


@dataclass(frozen=True)
class Program:
    """Instructions on a file of registers.

    Attributes
    ----------
    code : array of int32, shape (instructions, WORDS)
        `draw` reads a row of draws, the others registers.
    constants : array, shape (constants,)
        What the first registers hold, the same for all members.
    registers : int
        Number of registers.
    place : dict
        By node wanted: its register.
    """

    code: NDArray[np.int32]
    constants: Array
    registers: int
    place: dict[int, int]


def lower(graph: Graph, wanted: Sequence[int]) -> Program:
    """Return the program that works out the wanted nodes; the name of each input is the number of its draw.

    Registers: constants, then what is wanted in the order given (so that a run reads them one after another), then room for
    what is needed on the way, used again and again.
    """
    nodes = graph.nodes
    order = needed(graph, wanted)
    constants = [n for n in order if nodes[n].operation == CONSTANT]
    place = {n: register for register, n in enumerate(dict.fromkeys([*constants, *wanted]))}
    lasting = set(place)
    inner = _pairs(graph, order, lasting)
    absorbed = {nodes[n].arguments[side] for n, side in inner.items()}
    steps = [(n, *_instruction(graph, n, inner.get(n))) for n in order if n not in absorbed and nodes[n].operation != CONSTANT]
    left = Counter(chain.from_iterable([arguments for _, _, arguments in steps]))
    free: list[int] = []
    registers = len(place)
    code: list[tuple[int, ...]] = []
    for n, operation, arguments in steps:
        given = tuple([place[a] for a in arguments]) if operation else (int(str(nodes[n].value)),)
        for a in arguments:
            left[a] -= 1
            if left[a] == 0 and a not in lasting:
                free.append(place[a])
        if n not in lasting:
            if not free:
                free.append(registers)
                registers += 1
            place[n] = free.pop()
        code.append((operation, place[n], *given, *UNUSED[len(given)]))
    values = np.array([float(nodes[n].value or 0.0) for n in constants])
    return Program(np.array(code, dtype=np.int32).reshape(-1, WORDS), values, registers, {n: place[n] for n in dict.fromkeys(wanted)})


def _pairs(graph: Graph, order: list[int], lasting: set[int]) -> dict[int, int]:
    """Return the operations that take another one in with them: by node, which of its arguments that is."""
    nodes = graph.nodes
    uses = Counter(chain.from_iterable([nodes[n].arguments for n in order]))
    found: dict[int, int] = {}
    for n in order:
        operation, arguments, _ = nodes[n]
        if operation in PAIRED:
            for side, a in enumerate(arguments):
                if uses[a] == 1 and nodes[a].operation in PAIRED and a not in lasting and a not in found:
                    found[n] = side
                    break
    return found


def _instruction(graph: Graph, n: int, side: int | None) -> tuple[int, tuple[int, ...]]:
    """Return the number of a node's operation and the nodes it takes."""
    operation, arguments, _ = graph.nodes[n]
    if side is None:
        return NUMBERS[DRAW if operation == INPUT else operation], arguments
    inner = graph.nodes[arguments[side]]
    return NUMBERS[operation, inner.operation, side], (*inner.arguments, arguments[1 - side])
