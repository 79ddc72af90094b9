"""The hand-written C loop: compiled, checked against, called."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.case import LANES, STRIDE, Array, Case, Munition, aligned, summary_names

SOURCE = Path(__file__).with_name("loop.c")
KEEP_STORES = "-fno-move-loop-stores"
"""gcc 12 and newer would else carry summaries past branches, with flags of its own; that cost 5 to 20 %."""
COMMON = ("-O3", "-march=native", "-mprefer-vector-width=512", "-fopenmp", "-shared", "-fPIC", f"-DLANES={LANES}", f"-DSTRIDE={STRIDE}")
SAME_ROUNDING = ("-ffp-contract=off", "-fschedule-insns", "-fsched-pressure")
"""Scheduling before registers are given out gains some per cent here, and loses as much with -ffast-math."""
FREE = ("-ffast-math",)
MOST_LEVELS = 8
"""As in loop.c."""
ANY_POLICY, KIND_OF_ALLOCATION, WHOLE_POLICY = 0, 1, 2
"""What the code may know of the policy before it starts (see `block_of` in loop.c)."""


POINTERS = ("registers", "index", "table", "ahead", "policy", "constants", "opening", "level", "summaries")


class Job(ctypes.Structure):
    """As in loop.c."""

    _fields_ = [
        *((name, ctypes.c_long) for name in ("blocks", "steps", "rows", "levels", "members")),
        ("dt", ctypes.c_double),
        *((name, ctypes.c_void_p) for name in POINTERS),
    ]


def compiler() -> str | None:
    """Return the C compiler, or None where there is none."""
    return shutil.which(os.environ.get("CC", "gcc"))


def build(source: Path, flags: tuple[str, ...]) -> Path:
    """Compile a C file into a shared object in the folder of temporary files, once for each text and set of flags; return it."""
    command = compiler()
    if command is None:
        raise FileNotFoundError("no C compiler; allowed: gcc, or the one that CC names")
    digest = hashlib.sha256((source.read_text() + " ".join((command, *flags, "linked apart"))).encode()).hexdigest()[:16]
    made = Path(tempfile.gettempdir()) / f"stockpile-{source.stem}-{digest}.so"
    if not made.exists():
        unfinished = made.with_suffix(f".{os.getpid()}")
        text = Path(f"{unfinished}.o")
        subprocess.run([command, *flags, "-c", str(source), "-o", str(text)], check=True)
        # Linked without -ffast-math: it would add code that rounds the smallest numbers to nought in the whole process.
        linking = [flag for flag in flags if flag not in FREE]
        subprocess.run([command, *linking, str(text), "-o", str(unfinished), "-lm"], check=True)
        text.unlink()
        unfinished.rename(made)
    return made


@cache
def flags(free: bool) -> tuple[str, ...]:
    """Return the flags of the loop."""
    known = subprocess.run([compiler() or "gcc", KEEP_STORES, "-E", "-x", "c", os.devnull], capture_output=True).returncode == 0
    return (*COMMON, *((KEEP_STORES,) if known else ()), *(FREE if free else SAME_ROUNDING))


def compiled(free: bool, more: tuple[str, ...] = ()) -> Path:
    """Return the shared object of the loop: with the rounding of NumPy, or free of it."""
    return build(SOURCE, (*flags(free), *more))


@cache
def library(free: bool, more: tuple[str, ...] = ()) -> ctypes.CDLL:
    """Return the loop, loaded."""
    found = ctypes.CDLL(str(compiled(free, more)))
    found.run.argtypes = [ctypes.POINTER(Job), ctypes.c_long, ctypes.c_int, ctypes.c_long, ctypes.c_int]
    found.run.restype = None
    assert (found.lanes(), found.stride()) == (LANES, STRIDE)
    return found


def entry(free: bool) -> tuple[str, int]:
    """Return the name of a function of the loop, and its address in memory."""
    return "run", ctypes.cast(library(free).run, ctypes.c_void_p).value or 0


def room(case: Case) -> list[Array]:
    """Return arrays for the summaries of every munition, (summaries, members)."""
    return [aligned(np.zeros((len(summary_names(munition.levels)), munition.members))) for munition in case.munitions]


def run(
    case: Case, out: list[Array], threads: int = 1, free: bool = False, knowing: int = KIND_OF_ALLOCATION, more: tuple[str, ...] = ()
) -> None:
    """Run every munition; the summaries go into `out` (see `room`)."""
    assert all(len(munition.levels) <= MOST_LEVELS for munition in case.munitions)
    jobs = [_job(munition, into) for munition, into in zip(case.munitions, out, strict=True)]
    library(free, more).run((Job * len(jobs))(*jobs), len(jobs), threads, case.repeats, knowing)


def _job(munition: Munition, out: Array) -> Job:
    blocks, rows, _ = munition.registers.shape
    arrays = (munition.registers, munition.index, munition.table, munition.ahead, munition.policy, munition.constants, munition.opening)
    pointers = (array.ctypes.data for array in (*arrays, munition.level, out))
    return Job(blocks, munition.steps, rows, len(munition.levels), munition.members, munition.dt, *pointers)
