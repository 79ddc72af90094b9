"""Made-up results of the workbench, small enough to check by eye; the scenario behind them is july_2025."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import stockpile as sp
from stockpile.analysis.boxes import Search, boxes, how_often, in_words
from stockpile.analysis.break_even import BreakEven
from stockpile.analysis.discover import Discovery
from stockpile.analysis.frontier import Frontier
from stockpile.analysis.regret import regret, satisficing
from stockpile.analysis.robust import Robust
from stockpile.analysis.sensitivity import Sensitivity
from stockpile.simulate import manifest
from stockpile.sweep.opened import Sweep

SCENARIO = sp.load("july_2025")
LENGTH, SLIP, SHARE = "policies.suspension_6_months.suspensions.0.length", "model.slip", "munitions.pac3.us_share"
NEVER = np.inf
NOW = 40 + 8 / 31
"""Months from the start of july_2025 (March 2022) to its as_of (9 July 2025)."""
BELOW = "first_below.transfer_floor"
MUNITIONS = ("pac3", "aim9x")


@dataclass(frozen=True, eq=False)
class MadeSweep(Sweep):
    """A sweep whose frames are given."""

    points: Any = None
    rows: Any = None

    def design(self) -> pd.DataFrame:
        return self.points

    def table(self, *, partial: bool = False) -> pd.DataFrame:
        return self.rows


def sweep(points: dict[str, list[Any]], cells: dict[str, dict[str, list[float]]], members: int = 200, metric: str = BELOW) -> MadeSweep:
    """A sweep under one policy: by munition and column, values by point; quantiles that are not given are those of `q50`."""
    design = pd.DataFrame(points)
    design.insert(0, "point", range(len(design)))
    frames = []
    for munition, columns in cells.items():
        own = design.assign(policy="suspension_6_months", munition=munition, recipient="us", metric=metric, unit="month", members=members)
        quantiles = {name: columns.get(name, columns["q50"]) for name in ("q05", "q25", "q50", "q75", "q95")}
        frames.append(own.assign(share_finite=columns.get("share_finite", 1.0), mean=columns["q50"], **quantiles))
    rows = pd.concat(frames).sort_values("point", kind="stable", ignore_index=True)
    return MadeSweep(
        {
            "scenario": "july_2025", "parameters": SCENARIO.digest, "overrides": {}, "design": "d" * 64,
            "policies": ["suspension_6_months"], "members": members, "seed": 1, "sampler": "random", "values": "drawn",
            "points": len(design),
            "made_with": {"stockpile": "0.1.0", "source": "c" * 64, "numpy": "2.0"}, "what": {"kind": "grid", "vary": {}},
        },
        None, points=design, rows=rows,
    )


def grid(lengths: tuple[float, ...] = (0, 6, 12), slips: tuple[float, ...] = (0, 5), members: int = 200) -> MadeSweep:
    """Two levers: PAC-3 has numbers, never and already; AIM-9X never in any draw."""
    pairs = [(length, slip) for length in lengths for slip in slips]
    middle = [NOW + 10 + place if place % 3 else (NEVER if place else NOW - 4) for place in range(len(pairs))]
    share = [round(0.3 + 0.2 * place / len(pairs), 3) for place in range(len(pairs))]
    return sweep(
        {LENGTH: [one for one, _ in pairs], SLIP: [two for _, two in pairs]},
        {
            "pac3": {"q50": middle, "share_finite": share},
            "aim9x": {"q50": [NEVER] * len(pairs), "share_finite": [0.0] * len(pairs)},
        },
        members,
    )


def told(policies: tuple[str, ...], **more: Any) -> dict[str, Any]:
    """The manifest of an analysis."""
    return manifest(SCENARIO, policies) | {"members": 400, "seed": 1} | more


def sensitivity(*, stable: bool = True) -> Sensitivity:
    """Three unknowns, one a random campaign that has no high end."""
    tornado = pd.DataFrame(
        {
            "factor": ["campaigns.us_operation", SHARE, "munitions.pac3.loss_rate"],
            "label": ["random campaigns: US operation", "PAC-3: US share", "PAC-3: loss rate"], "unit": ["1", "1", "1/year"],
            "low_value": [0.0, 0.382, 0.00387], "high_value": [np.nan, 0.478, 0.0245], "base": 2160.0, "at_low": [2430.0, 2055.0, 2265.0],
            "change_at_low": [270.0, -105.0, 105.0], "low_low": [220.0, -112.0, 96.0], "low_high": [320.0, -98.0, 114.0],
            "at_high": [np.nan, 2267.0, 2052.0], "change_at_high": [np.nan, 107.0, -108.0], "high_low": [np.nan, 99.0, -117.0],
            "high_high": [np.nan, 115.0, -99.0], "swing": [270.0, 107.0, 108.0],
        }
    )
    indices = pd.DataFrame(
        {
            "factor": tornado["factor"], "label": tornado["label"], "first": [0.71, 0.12, 0.02], "first_low": [0.66, 0.08, -0.01],
            "first_high": [0.76, 0.16, 0.05], "total": [0.79, 0.17, 0.03], "total_low": [0.74, 0.14, 0.01], "total_high": [0.84, 0.2, 0.05],
            "narrowing": [0.41, 0.063, 0.004], "noise": 0.02, "variance_share": [0.71, 0.12, 0.02], "note": "",
        }
    )
    factors = tuple(tornado["factor"])
    rounds = pd.DataFrame(
        {
            "points": [512, 1024], "runs": [2560, 5120], "leading": [factors[::-1], factors], "same": [False, True], "widest": [0.14, 0.1],
            "stable": [False, stable],
        }
    )
    quantiles = {"q05": 900.0, "q50": 2300.0, "q95": 2700.0, "mean": 2160.0}
    return Sensitivity("pac3:us_on_hand@2027-01-01", "none", "round", tornado, indices, rounds, stable, quantiles, told(("none",)))


def _break_even(over: str | None, level: float, curve: list[dict[str, Any]], crossings: list[dict[str, Any]]) -> BreakEven:
    columns = ["over", "verdict", "direction", "value", "from", "to", "low", "high", "shape", "sure"]
    return BreakEven(
        "pac3:below.transfer_floor", "suspension_6_months", level, LENGTH, over, pd.DataFrame(curve),
        pd.DataFrame(crossings, columns=columns), told(("suspension_6_months",)),
    )


def break_even() -> BreakEven:
    """One lever; the curve goes down through the level, and the bracket is open above."""
    curve = [
        {"over": None, "lever": lever, "probability": p, "low": p - 0.04, "high": p + 0.05, "members": 400}
        for lever, p in ((0, 0.4), (10, 0.35), (20, 0.22), (30, 0.2))
    ]
    crossing = {
        "over": None, "verdict": "crosses", "direction": "down", "value": 17.7, "from": 10, "to": 20, "low": 9.5, "high": None,
        "shape": "falling", "sure": True,
    }
    return _break_even(None, 0.25, curve, [crossing])


def break_even_over() -> BreakEven:
    """Over a second lever: always, a crossing, never."""
    shares = {0.3: (0.4, 0.35), 0.43: (0.3, 0.2), 0.6: (0.15, 0.1)}
    curve = [
        {"over": share, "lever": lever, "probability": p, "low": p - 0.04, "high": p + 0.05, "members": 400}
        for share, own in shares.items()
        for lever, p in zip((0, 30), own, strict=True)
    ]
    none = dict.fromkeys(("direction", "value", "from", "to", "low", "high"))
    crossings = [
        {"over": 0.3, "verdict": "always", "shape": "falling", "sure": True} | none,
        {
            "over": 0.43, "verdict": "crosses", "direction": "down", "value": 15.0, "from": 0, "to": 30, "low": 3.0, "high": 26.0,
            "shape": "falling", "sure": True,
        },
        {"over": 0.6, "verdict": "never", "shape": "falling", "sure": True} | none,
    ]
    return _break_even(SHARE, 0.25, curve, crossings)


def frontier(*, foresight: bool = True) -> Frontier:
    """Four rules, one of them outdone; two draws of perfect foresight, in one of which the first depth cannot be had."""
    points = pd.DataFrame(
        {
            "trigger": [0.3, 0.6, 0.9, 1.2], "release": [0.3, 0.8, 0.9, 1.4], "share": [0.5, 0.5, 1.0, 1.0],
            "chance_below": [0.39, 0.36, 0.37, 0.27], "chance_low": [0.35, 0.32, 0.33, 0.23], "chance_high": [0.43, 0.4, 0.41, 0.31],
            "depth": [300.0, 280.0, 290.0, 200.0], "unmet": [780.0, 900.0, 950.0, 1460.0], "unmet_low": [740.0, 850.0, 900.0, 1400.0],
            "unmet_high": [820.0, 950.0, 1000.0, 1520.0], "own_unmet": [31.0, 28.0, 29.0, 12.0], "dominated": [False, False, True, False],
        }
    )
    gaps = pd.DataFrame(
        [
            ("0.3/0/0.5", "pac3", 0, 120.0, 790.0, 640.0, 150.0, "round", 0.19, 3.0),
            ("1.2/0.2/1", "pac3", 0, 60.0, 1400.0, 660.0, 740.0, "round", 0.529, 1.0),
            ("0.3/0/0.5", "pac3", 1, 0.0, 810.0, 810.0, 0.0, "round", 0.0, 0.0),
        ],
        columns=["policy", "munition", "member", "depth", "unmet", "least_unmet", "gap", "unit", "relative", "own_unmet"],
    )
    bound = pd.DataFrame(
        {"member": [0, 0, 0, 1, 1], "depth": [0.0, 60.0, 120.0, 0.0, 60.0], "least_unmet": [np.inf, 660.0, 640.0, 810.0, 805.0]}
    )
    if not foresight:
        gaps, bound = gaps.iloc[:0], bound.iloc[:0]
    return Frontier("pac3", "transfer_floor", "suspension_with_review", points, gaps, bound, told(("suspension_with_review",), foresight=2))


def robust() -> Robust:
    """Three policies in two scenarios, one outcome, one condition."""
    policies, scenarios, outcome = ("none", "suspension_6_months", "us_first"), ("july_2025", "ceasefire"), "pac3:total_unmet:ukraine"
    generator = np.random.default_rng(5)
    noise = generator.normal(0.0, 4.0, 400)
    means = {"none": (100.0, 60.0), "suspension_6_months": (100.1, 90.0), "us_first": (850.0, 70.0)}
    own = {"none": 0.0, "suspension_6_months": generator.normal(0.0, 3.0, 400), "us_first": 0.0}
    frame = pd.concat(
        [
            pd.DataFrame(
                {"policy": policy, "scenario": scenario, "member": range(400), "value": means[policy][place] + noise + own[policy]}
            )
            for policy in policies
            for place, scenario in enumerate(scenarios)
        ],
        ignore_index=True,
    )
    found = regret(frame)
    asked = satisficing(frame.assign(metric="fits"), {"fits": ("at most", 101.0)})
    values = frame.groupby(["scenario", "policy"], sort=False)["value"].mean().reset_index(name="mean")
    return Robust(
        policies, scenarios, {outcome: "lower"}, ("pac3:depth_below.transfer_floor <= 0",),
        values.assign(outcome=outcome, unit="round", low=values["mean"] - 1, high=values["mean"] + 1),
        found.by_scenario.assign(outcome=outcome), found.by_policy.assign(outcome=outcome), asked, told(policies),
    )


def discovery(*, none: bool = False) -> Discovery:
    """Failures where the share is low and a word is one of two; or nowhere in particular."""
    generator = np.random.default_rng(3)
    inputs = pd.DataFrame({SHARE: generator.uniform(0.2, 0.6, 600), "model.slip": generator.uniform(0, 20, 600)})
    inputs["kind"] = generator.choice(["a", "b", "c"], 600)
    fails = (inputs[SHARE] < 0.35) & (inputs["kind"] != "c") & ~np.array([none])
    search = Search(significance=0.01)
    found = boxes(inputs, fails, search)
    label, unit = {SHARE: "PAC-3: US share", "model.slip": "slip", "kind": "kind"}, {SHARE: "", "model.slip": "month", "kind": ""}
    table = found.table()
    table["label"], table["unit"] = table["column"].map(label), table["column"].map(unit)
    trajectories = [box.trajectory.assign(box=box.number) for box in found.found]
    return Discovery(
        "suspension_6_months", "pac3:depth_below.transfer_floor > 0", found, table,
        pd.concat(trajectories, ignore_index=True) if trajectories else pd.DataFrame(),
        how_often(inputs, fails, search, resamples=4), tuple(in_words(box, label, unit) for box in found.found),
        inputs.assign(fails=fails), told(("suspension_6_months",)),
    )


def everything() -> list[Any]:
    """One of each."""
    return [grid(), sensitivity(), break_even(), break_even_over(), frontier(), robust(), discovery()]
