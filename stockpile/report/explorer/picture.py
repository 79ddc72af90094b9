"""The page without scripts: a still picture of the baseline."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from stockpile.clock import Array
from stockpile.ensembles.result import QUANTILES
from stockpile.ensembles.run import ensemble
from stockpile.metrics import BASELINE
from stockpile.report.explorer.payload import BASE
from stockpile.scenario import Scenario

WIDTH, HEIGHT, LEFT, TOP = 340, 150, 10, 24
"""Of a panel, and where it begins in its share of the picture [px]."""
EVERY = 3
"""Months from one point to the next."""


def picture(scenario: Scenario, members: int, seed: int) -> Markup:
    """Return the fans of the baseline's stocks as SVG; nothing where the scenario has no baseline."""
    if BASE not in scenario.policies:
        return Markup("")
    made = ensemble(scenario, [BASELINE], members=members, seed=seed, engine="numpy")
    panels = []
    for number, name in enumerate(made.munitions):
        fan = made.band("us_on_hand", policy=BASELINE, munition=name)
        at = f"translate({LEFT + (number % 2) * (WIDTH + 2 * LEFT)} {TOP + (number // 2) * (HEIGHT + 2 * TOP)})"
        first, last = (str(made.dates[edge])[:4] for edge in (0, -1))
        title = f"{scenario.munitions[name].short}: 0 to {fan.max():,.0f} rounds, {first} to {last}"
        panels.append(Markup('<g transform="{}"><text y="-6">{}</text>{}</g>').format(at, title, _fan(fan)))
    rows = (len(panels) + 1) // 2
    size = f"0 0 {2 * (WIDTH + 2 * LEFT)} {rows * (HEIGHT + 2 * TOP)}"
    label = "US stocks under the baseline: medians, and ranges of 50 and 90 % of the draws"
    return Markup('<svg viewBox="{}" role="img" aria-label="{}">{}</svg>').format(size, label, Markup("").join(panels))


def _fan(fan: Array) -> Markup:
    """Return the two bands and the median; rows of `fan` are as `QUANTILES`."""
    assert len(fan) == len(QUANTILES)
    months = np.unique([*range(0, fan.shape[1], EVERY), fan.shape[1] - 1])
    x = np.rint(months * WIDTH / (fan.shape[1] - 1)).astype(int)
    y = np.rint(HEIGHT * (1.0 - fan[:, months] / max(fan.max(), 1.0))).astype(int)
    points = [[f"{one} {two}" for one, two in zip(x.tolist(), row, strict=True)] for row in y.tolist()]
    outer, inner = (f"M{'L'.join([*points[high], *points[low][::-1]])}Z" for low, high in ((0, 4), (1, 3)))
    return Markup(
        '<g class="yours"><path class="outer" d="{}"/><path class="inner" d="{}"/><path class="median" d="M{}"/></g>'
        '<path class="grid" d="M0 {}H{}"/>'
    ).format(outer, inner, "L".join(points[2]), HEIGHT, WIDTH)
