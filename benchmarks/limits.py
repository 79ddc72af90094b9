"""What this machine can do at most (limits.c), so that shortfalls can be told apart from limits."""

from __future__ import annotations

import ctypes
import mmap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks import loop

SOURCE = Path(__file__).with_name("limits.c")
FLAGS = ("-O3", "-march=native", "-shared", "-fPIC")
OPERATIONS = ("add", "multiply", "minimum", "fused", "divide", "add_multiply", "minimum_multiply", "minimum_add", "fused_add")
CHAINS, ADDITIONS = 12, 4
"""Operations a round in limits.c."""
BUFFER = 1 << 28
"""Bytes written in a probe of memory: many times the last-level cache's share of one core."""


def measure(rounds: int = 5, count: int = 2_000_000) -> dict[str, float]:
    """Return the clock [GHz], cycles a vector operation, and bandwidths of writing [GB/s]; the best of some rounds each."""
    found = ctypes.CDLL(str(loop.build(SOURCE, FLAGS)))

    def seconds(name: str) -> float:
        if not hasattr(found, name):
            return float("nan")
        function = getattr(found, name)
        function.restype, function.argtypes = ctypes.c_double, [ctypes.c_long]
        best: float = min(function(count) for _ in range(rounds))
        return best / count

    clock = ADDITIONS / seconds("chain")
    result = {"clock, GHz": clock / 1e9, "lanes of a vector": float(found.width())}
    for name in OPERATIONS:
        result[f"cycles a vector: {name.replace('_', ' and ')}"] = seconds(name) / CHAINS * clock
    found.write_memory.restype, found.write_memory.argtypes = ctypes.c_double, [ctypes.c_void_p, ctypes.c_long, ctypes.c_int]
    for past, name in ((0, "through the caches"), (1, "past the caches")):
        for threads in (1, 2):
            result[f"writing {name}, {threads} thread{'s' * (threads > 1)}, GB/s"] = _bandwidth(found, past, threads, rounds)
    return result


def _bandwidth(found: ctypes.CDLL, past: int, threads: int, rounds: int) -> float:
    buffers = [mmap.mmap(-1, BUFFER) for _ in range(threads)]
    places = [ctypes.addressof(ctypes.c_char.from_buffer(buffer)) for buffer in buffers]
    best = 0.0
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(rounds + 1):  # the first round finds memory that nobody has touched yet
            times = list(pool.map(lambda place: found.write_memory(place, BUFFER, past), places))
            best = max(best, threads * BUFFER / max(times) / 1e9)
    return best
