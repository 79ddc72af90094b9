"""LLVM assembly, written line by line: names, loads, stores, operations on vectors."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

WIDTH = 8
"""Members in a vector."""
VECTOR = f"<{WIDTH} x double>"
MASK = f"<{WIDTH} x i1>"
ATTRIBUTES = '"prefer-vector-width"="512" "min-legal-vector-width"="512" "stackrealign" nounwind alignstack(64)'


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
CONDITIONS = {"less": "olt", "greater": "ogt", "greater_equal": "oge", "less_equal": "ole", "equal": "oeq"}


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
