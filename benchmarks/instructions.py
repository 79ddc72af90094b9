"""What a compiled loop consists of, and what of it is executed: instructions in its machine code, counted one by one."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
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
TRACE_ME, PEEK, PEEK_REGISTER, POKE, POKE_REGISTER, CONTINUE, KILL, STEP = 0, 1, 3, 4, 6, 7, 8, 9
"""Requests of ptrace(2)."""
STACK_POINTER, INSTRUCTION_POINTER = 19 * 8, 16 * 8
BREAK = 0xCC
MOST = 100_000
"""Instructions looked at; two hundred steps of a vector and more."""


@dataclass(frozen=True)
class Line:
    """An instruction: its address in the file, name and operands."""

    address: int
    name: str
    operands: str


def lines(compiled: Path, function: str) -> list[Line]:
    """Return the instructions of a function; none without objdump."""
    if shutil.which("objdump") is None:
        return []
    command = ["objdump", "-d", "--no-show-raw-insn", f"--disassemble={function}", str(compiled)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [Line(int(m[1], 16), m[2], m[3].split("#")[0].strip()) for m in map(LINE.match, text.splitlines()) if m]


def loops(found: list[Line], register: str = "zmm") -> list[list[Line]]:
    """Return the forms of a function's loop over steps that there are, one or more for each number of levels."""
    whole = _arithmetic(counted(found, register))
    enough = [(counted(body, register), body) for body in _loops(found)]
    return [body for count, body in enough if count["divide"] and _arithmetic(count) >= PART * whole]


def counted(body: list[Line], register: str, times: Counter[int] | None = None, rounds: int = 1) -> dict[str, float]:
    """Return how many instructions of each kind there are; or how many of them are executed in one of the rounds."""

    def sum_of(some: list[Line]) -> float:
        return len(some) if times is None else sum(times[line.address] for line in some) / rounds

    vector = [line for line in body if register in line.operands]
    stores = [line for line in vector if line.name.startswith("vmov") and line.operands.split("{")[0].endswith(")")]
    loads = [line for line in vector if "(" in line.operands and line not in stores]
    kinds = {kind: sum_of([line for line in vector if re.match(pattern, line.name)]) for kind, pattern in KINDS.items()}
    return {"all": sum_of(body), "vector": sum_of(vector), **kinds, "load": sum_of(loads), "store": sum_of(stores)}


def _loops(found: list[Line]) -> Iterator[list[Line]]:
    """Yield what lies between a jump backwards and where it goes."""
    for line in found:
        target = TARGET.match(line.operands)
        if line.name.startswith("j") and target and int(target[0], 16) <= line.address:
            start = int(target[0], 16)
            yield [other for other in found if start <= other.address <= line.address]


def _arithmetic(count: dict[str, float]) -> float:
    return sum(count[kind] for kind in KINDS)


# ---------------------------------------------------------------- what is executed


def symbol(compiled: Path, name: str) -> int:
    """Return the address of a function in a file."""
    table = subprocess.run(["objdump", "-t", str(compiled)], capture_output=True, text=True, check=True).stdout
    return next(int(line.split()[0], 16) for line in table.splitlines() if line.split()[-1:] == [name])


def rounds_of(path: list[int], heads: Iterable[int]) -> tuple[Counter[int], int, int]:
    """Return what is executed of a loop, in how many rounds of it, and how much between its end and its next beginning.

    A round is what lies between two visits of the loop's head, wherever in the function it stands: compilers put ways through a loop
    behind its last jump back. Looked at is the loop's first run, which ends with a round more than twice as long as the first.

    Parameters
    ----------
    path : list of int
        Addresses, in the order executed.
    heads : iterable of int
        Addresses at which the loop may begin; it begins at the one that is visited most.

    Returns
    -------
    tuple of Counter, int and int
        How often each address is visited in all rounds together; 0 rounds where the loop is not gone through twice; 0 instructions
        in between where it begins but once.
    """
    visits = max(([n for n, at in enumerate(path) if at == head] for head in heads), key=len, default=[])
    lengths = [b - a for a, b in pairwise(visits)]
    number = next((n for n, length in enumerate(lengths) if length > 2 * lengths[0]), len(lengths))
    if not number:
        return Counter(), 0, 0
    return Counter(path[visits[0] : visits[number]]), number, lengths[number] - lengths[number - 1] if number < len(lengths) else 0


def executed(entry: int, base: int, call: Callable[[], object]) -> list[int] | None:
    """Return the addresses in the file of the instructions that a function executes, in order, up to `MOST` of them.

    The call runs in a copy of this process, which is led through it one instruction at a time, as a debugger does.

    Parameters
    ----------
    entry : int
        Address of the function in memory.
    base : int
        What to take from an address in memory for the one in the file.
    call : callable
        Calls the function.

    Returns
    -------
    list of int or None
        None where it cannot be done: no 64-bit x86 or no Linux, or it is not permitted.
    """
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    trace = libc.ptrace
    trace.restype, trace.argtypes = ctypes.c_long, [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    child = os.fork()
    if child == 0:
        if trace(TRACE_ME, 0, None, None) == 0:
            os.kill(os.getpid(), signal.SIGSTOP)
            call()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if not os.WIFSTOPPED(status):
        return None
    try:
        path = _followed(trace, child, entry)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return None if path is None else [address - base for address in path]


def _followed(trace: Callable[..., int], child: int, entry: int) -> list[int] | None:
    """Let the child run to the function's entry, then lead it on and return where it goes."""
    word = trace(PEEK, child, entry, None)
    trace(POKE, child, entry, (word & ~0xFF) | BREAK)
    trace(CONTINUE, child, None, None)
    _, status = os.waitpid(child, 0)
    if not os.WIFSTOPPED(status) or os.WSTOPSIG(status) != signal.SIGTRAP:
        return None
    trace(POKE, child, entry, word)
    trace(POKE_REGISTER, child, INSTRUCTION_POINTER, entry)
    end = trace(PEEK, child, trace(PEEK_REGISTER, child, STACK_POINTER, None), None)
    path: list[int] = []
    while len(path) < MOST and (not path or path[-1] != end):
        trace(STEP, child, None, None)
        os.waitpid(child, 0)
        path.append(trace(PEEK_REGISTER, child, INSTRUCTION_POINTER, None))
    return path
