"""The compiled engine, as the benchmark calls it."""

from __future__ import annotations

from benchmarks.case import Array, Case


def available() -> bool:
    """Tell whether there is a compiled engine to measure."""
    return False


def kernel(case: Case, out: list[Array], threads: int) -> None:
    """Run every munition of the case, each block `case.repeats` times; the summaries go into `out` (see `benchmarks.loop.room`).

    Parameters
    ----------
    case : Case
    out : list of (summaries, members)
        One array a munition, rows in the order of `benchmarks.case.summary_names`.
    threads : int
    """
    raise NotImplementedError("no compiled engine yet")
