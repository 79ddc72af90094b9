"""Small answers to each question: made up, so that every guard of a sentence can be set, and worked out, on a short run."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

import stockpile as sp
from stockpile.analysis.boxes import Boxes
from stockpile.analysis.break_even import CROSSINGS, BreakEven
from stockpile.analysis.crossing import crossings
from stockpile.analysis.discover import Discovery
from stockpile.analysis.frontier import Frontier
from stockpile.analysis.robust import Robust
from stockpile.analysis.sensitivity import Sensitivity

END = dt.date(2027, 1, 1)
SCENARIO = sp.load("july_2025").override({"scenario.end": END})
MANIFEST: dict[str, Any] = {"as_of": "2025-07-09", "members": 500, "seed": 1, "version": "0", "commit": "c"}
Others = dict[int, tuple[int, ...]]
LENGTH, SHARE = "policies.suspension_6_months.suspensions.0.length", "munitions.pac3.us_share"


Index = tuple[float, float, float]


def sensitivity(totals: list[Index], *, firsts: list[Index] | None = None, **more: Any) -> Sensitivity:
    """Return an answer with as many unknowns as `totals`, named a, b, ...; firsts and swings like totals where not given."""
    names = "abcdefgh"[: len(totals)]
    own = firsts or totals
    indices = pd.DataFrame({
        "factor": [f"munitions.pac3.{name}" for name in names], "label": [f"unknown {name}" for name in names],
        "first": [one[0] for one in own], "first_low": [one[1] for one in own], "first_high": [one[2] for one in own],
        "total": [one[0] for one in totals], "total_low": [one[1] for one in totals], "total_high": [one[2] for one in totals],
        "note": "", "narrowing": [one[0] / 2 for one in own], "noise": 0.01, "variance_share": [one[0] for one in own],
    })
    swing = np.array([100.0 * one[0] for one in totals])
    tornado = pd.DataFrame({
        "factor": indices["factor"], "label": indices["label"], "unit": "round", "low_value": 11.0, "high_value": 33.0, "base": 1234.0,
        "at_low": 1234.0 - swing, "at_high": 1234.0 + swing / 2, "change_at_low": -swing,
        "low_low": [-100.0 * one[2] for one in totals], "low_high": [-100.0 * one[1] for one in totals], "change_at_high": swing / 2,
        "high_low": swing / 4, "high_high": swing, "swing": swing,
    })
    rounds = pd.DataFrame({"points": [512, 1024], "runs": [3072, 6144], "leading": [("a",), ("a",)], "same": [False, True],
                           "widest": 0.05, "stable": [False, True]})
    made = Sensitivity(
        "pac3:minimum_after_as_of", "none", "round", tornado, indices, rounds, True,
        {"mean": 1230.0, "q05": 517.0, "q50": 1251.0, "q95": 1932.0}, MANIFEST | {"base_points": 1024},
    )
    return replace(made, **more)


def break_even(curves: dict[Any, list[float]], level: float = 0.1, half: float = 0.03, lever: str = LENGTH) -> BreakEven:
    """Return an answer with a curve for each value of the second lever (None: there is none), on the lever values 0, 6, 12, ..."""
    from stockpile.analysis.break_even import _rows

    curve: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for over, values in curves.items():
        levers = [6.0 * number for number in range(len(values))]
        low, high = np.maximum(np.array(values) - half, 0.0), np.minimum(np.array(values) + half, 1.0)
        curve += [
            {"over": over, "lever": at, "probability": p, "low": a, "high": b, "members": 500}
            for at, p, a, b in zip(levers, values, low, high, strict=True)
        ]
        found += _rows(over, crossings(levers, values, level, low, high), 0.0)
    over_path = None if set(curves) == {None} else SHARE
    return BreakEven(
        "pac3:below.transfer_floor@2027-01-01", "suspension_6_months", level, lever, over_path, pd.DataFrame(curve),
        pd.DataFrame(found, columns=list(CROSSINGS)), MANIFEST,
    )


def frontier(points: list[tuple[float, float, float, float, float, float]], gaps: list[float] | None = None) -> Frontier:
    """Return an answer with a rule for each chance with its interval and unmet need with its interval; the last one is dominated."""
    rows = [
        {
            "trigger": 0.5 + number / 10, "release": 0.6 + number / 10, "share": 0.75, "chance_below": p, "chance_low": a, "chance_high": b,
            "depth": 77.0, "unmet": unmet, "unmet_low": low, "unmet_high": high, "own_unmet": 5.0, "dominated": False,
        }
        for number, (p, a, b, unmet, low, high) in enumerate(points)
    ]
    rows.append(rows[0] | {"chance_below": 0.99, "unmet": 99999.0, "dominated": True})
    least = pd.DataFrame({"policy": "x", "member": range(len(gaps or [])), "relative": gaps or [], "gap": gaps or []})
    return Frontier("pac3", "transfer_floor", "suspension_with_review", pd.DataFrame(rows), least, pd.DataFrame(), MANIFEST)


def robust(worst: list[float], *, close: Others | None = None, tied: Others | None = None) -> Robust:
    """Return an answer with a policy for each largest regret, named p0, p1, ...; the shares of draws fall by a tenth each."""
    names = [f"p{number}" for number in range(len(worst))]

    def others(which: Others | None, number: int) -> tuple[str, ...]:
        return tuple(names[other] for other in (which or {}).get(number, ()))

    outcome, condition = "pac3:total_unmet:ukraine", "pac3:depth_below.transfer_floor <= 0"
    ranking = pd.DataFrame([
        {
            "policy": name, "maximum": size, "maximum_low": size * 0.9, "maximum_high": size * 1.1, "scenario": "july_2025",
            "tied_by_maximum": others(tied, number), "close_by_maximum": others(close, number), "outcome": outcome,
        }
        for number, (name, size) in enumerate(zip(names, worst, strict=True))
    ])
    regret = pd.DataFrame([
        {"scenario": scenario, "policy": name, "value": 500.0 + size, "best": 500.0, "regret": size, "low": size * 0.9, "high": size * 1.1,
         "is_best": size == 0.0, "unsure": False, "outcome": outcome}
        for scenario in ("july_2025", "ceasefire") for name, size in zip(names, worst, strict=True)
    ])
    values = pd.DataFrame({"scenario": "july_2025", "policy": names, "outcome": outcome, "unit": "round", "mean": 1.0})
    shares = pd.DataFrame([
        {
            "policy": name, "scenario": scenario, "share": 0.83 - number / 10, "low": 0.81 - number / 10, "high": 0.86 - number / 10,
            "cases": 500, condition: 0.5, "rank": 1.0, "tied": others(tied, number) if scenario is None else (),
            "close": others(close, number) if scenario is None else (),
        }
        for number, name in enumerate(names) for scenario in ("july_2025", "ceasefire", None)
    ])
    return Robust(
        tuple(names), ("july_2025", "ceasefire"), {outcome: "lower"}, (condition,), values, regret, ranking, shares,
        MANIFEST | {"scenarios": {"july_2025": "x", "ceasefire": "y"}},
    )


def discovery(failing: int, words: tuple[str, ...], restricted: float = 0.9) -> Discovery:
    """Return an answer without boxes that stand behind its words."""
    stability = pd.DataFrame({"column": [SHARE, "other"], "restricted": [restricted, 0.0], "in_whole": [bool(words), False], "halves": 20})
    return Discovery(
        "none", "pac3:depth_below.transfer_floor > 0", Boxes((), 500, failing, "no box does better than the whole"), pd.DataFrame(),
        pd.DataFrame(), stability, words, pd.DataFrame(), MANIFEST,
    )
