"""What a compiled loop consists of, counted in its machine code."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

KINDS = {
    "add, subtract": r"v(add|sub)[ps]d",
    "minimum, maximum": r"v(min|max)[ps]d",
    "compare": r"vcmp",
    "multiply": r"vmul[ps]d",
    "fused": r"vfn?m(add|sub)",
    "divide": r"vdiv",
}
LINE = re.compile(r"\s+([0-9a-f]+):\s+(?:(?:data16|cs)\s+)*(\S+)\s*(.*)")


TARGET = re.compile(r"[0-9a-f]+(?= |$)")
PART = 0.25
"""The loop over steps holds at least this part of its function's arithmetic (it is there once for each number of levels)."""


def counts(compiled: Path, function: str, register: str = "zmm") -> dict[str, int] | None:
    """Return counts of the instructions of a function's loop over steps; None without objdump or such a loop.

    All ways through the loop are counted, those that a step does not take as well.
    """
    if shutil.which("objdump") is None:
        return None
    command = ["objdump", "-d", "--no-show-raw-insn", f"--disassemble={function}", str(compiled)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = [(int(m[1], 16), m[2], m[3].split("#")[0].strip()) for m in map(LINE.match, text.splitlines()) if m]
    whole = _counted([(name, operands) for _, name, operands in found], register)
    loops = [_counted(body, register) for body in _loops(found)]
    enough = [one for one in loops if one["divide"] and _arithmetic(one) >= PART * _arithmetic(whole)]
    return min(enough, key=lambda one: one["all"]) if enough else None


def _loops(found: list[tuple[int, str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Yield what lies between a jump backwards and where it goes."""
    for at, name, operands in found:
        target = TARGET.match(operands)
        if name.startswith("j") and target and int(target[0], 16) <= at:
            start = int(target[0], 16)
            yield [(other, rest) for place, other, rest in found if start <= place <= at]


def _arithmetic(count: dict[str, int]) -> int:
    return sum(count[kind] for kind in KINDS)


def _counted(body: list[tuple[str, str]], register: str) -> dict[str, int]:
    vector = [(name, operands) for name, operands in body if register in operands]
    result = {kind: sum(re.match(pattern, name) is not None for name, _ in vector) for kind, pattern in KINDS.items()}
    stores = [operands for name, operands in vector if name.startswith("vmov") and operands.split("{")[0].endswith(")")]
    loads = [operands for _, operands in vector if "(" in operands and operands not in stores]
    return {"all": len(body), "vector": len(vector), **result, "load": len(loads), "store": len(stores)}
