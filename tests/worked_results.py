"""Results of the evidence and of answers, worked out with few draws: one of each, for pages."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import stockpile as sp

PAUSE = "suspension_6_months"
CASES = ("r01", "r02", "r21", "r34")
FEW = 12
"""Rows that are kept of lists of hundreds, for the sake of what looks at every cell of a page."""


@cache
def score() -> Any:
    """Figures of PAC-3, the campaign told and not."""
    found = sp.score(sp.load("november_2026").with_munitions(["pac3"]), members=60)
    return replace(found, left_out=found.left_out.head(FEW))


@cache
def calibration() -> Any:
    """All figures of July 2025."""
    found = sp.calibrate(sp.load("july_2025"), members=64)
    apart = found.observations["because"] != ""
    few = found.observations[~apart | (apart.cumsum() <= FEW)].reset_index(drop=True)
    return replace(found, observations=few)


@cache
def replication() -> Any:
    """Some shipped cases."""
    from stockpile import params

    return sp.replicate([name for name in params.read().names("cases") if name.split("_")[0] in CASES])


@cache
def requirement() -> Any:
    """Of PAC-3."""
    return sp.requirement(sp.load("november_2026"), ["pac3"], by="FY2031", members=10)


@cache
def materiality() -> Any:
    """Of two munitions under one pause."""
    return sp.materiality(sp.load("july_2025"), ["none", PAUSE], ["pac3", "aim9x"], members=10)


@cache
def difference() -> Any:
    """Of a scenario and a later one."""
    found = sp.diff("july_2025", "november_2026", policies=["none"], munitions=["aim9x"], members=20)
    return replace(found, observations=found.observations.head(FEW))


@cache
def answer() -> Any:
    """One answer sheet."""
    return sp.answer("when_below_floor", sp.load("july_2025"), munition="pac3", members=40)


def everything() -> list[Any]:
    """One of each."""
    return [score(), calibration(), replication(), requirement(), materiality(), difference(), answer()]
