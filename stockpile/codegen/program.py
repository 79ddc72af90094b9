"""From the graph of an assembly to a program: what compiled code works through for each block of members.

An assembly (everything known in advance, worked out from draws) differs from scenario to scenario, so it is not compiled: it is
traced once, its nodes get registers, and what remains is a list of instructions on rows of members.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stockpile.codegen.graph import CONSTANT, INPUT, Graph, needed

Array = NDArray[np.float64]
DRAW = "draw"
CODES = (DRAW, "add", "subtract", "multiply", "divide", "minimum", "maximum", "less", "greater", "greater_equal", "less_equal", "equal", "where")
"""Operations by number. A comparison gives 1 or 0; `where` asks whether its first argument is not 0."""
WORDS = 5
"""Numbers of an instruction: operation, target, and up to three arguments."""


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
    order = needed(graph, wanted)
    constants = [n for n in order if graph.nodes[n].operation == CONSTANT]
    place = {n: register for register, n in enumerate(constants)}
    for n in wanted:
        place.setdefault(n, len(place))
    lasting = set(place)
    left = _uses(graph, order)
    free: list[int] = []
    registers = len(place)
    code: list[Sequence[int]] = []
    for n in order:
        node = graph.nodes[n]
        if node.operation == CONSTANT:
            continue
        arguments = [place[a] for a in node.arguments]
        for a in set(node.arguments):
            left[a] -= node.arguments.count(a)
            if left[a] == 0 and a not in lasting:
                free.append(place[a])
        if n not in lasting:
            if not free:
                free.append(registers)
                registers += 1
            place[n] = free.pop()
        operation = DRAW if node.operation == INPUT else node.operation
        given = [int(str(node.value))] if node.operation == INPUT else arguments
        code.append((CODES.index(operation), place[n], *given, *[0] * (WORDS - 2 - len(given))))
    values = np.array([float(graph.nodes[n].value or 0.0) for n in constants])
    return Program(np.array(code, dtype=np.int32).reshape(-1, WORDS), values, registers, {n: place[n] for n in wanted})


def _uses(graph: Graph, order: Iterable[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for n in order:
        for a in graph.nodes[n].arguments:
            found[a] = found.get(a, 0) + 1
    return found
