"""Writes docs/convergence_of_samplers.svg: how fast the samplers approach the truth with more members.

Run by ``make docs``; the tests compare the committed picture with what this gives, and the slopes with each other.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stockpile import samplers, shapes
from stockpile.results import write_text

Array = NDArray[np.float64]

PICTURE = Path(__file__).resolve().parent / "convergence_of_samplers.svg"
MEMBERS = tuple(2**power for power in range(5, 14))
SEEDS = range(32)
REFERENCE = 2**18
"""Members of each of four Sobol runs that stand for the true probability; the true mean is known."""
PARAMETERS = {
    "stock": (0.8, 1.0, 1.4),
    "capacity": (0.7, 1.0, 1.2),
    "realisation": (0.2, 0.45, 1.0),
    "us_share": (0.5, 0.6, 0.9),
    "need": (0.3, 0.5, 1.0),
    "length": (0.2, 0.5, 1.2),
}
"""Low, value and high of triangular shapes. Made up: they are no munition's."""
LEVEL = 0.75
"""The probability is that of ending below this."""
OUTCOMES = ("mean", "probability of ending below a level")

INK, MUTED, GRID = "#1b1f24", "#565d66", "#e4e7eb"
STYLES = {"random": ("#D55E00", "6 4", "circle"), "lhs": ("#AA4499", "2 3", "square"), "sobol": ("#0072B2", "", "diamond")}
"""Colour, dashes and marker of each sampler."""
PANEL, LEFT, TOP, WIDTH, HEIGHT = 440, 52, 58, 250, 250
"""Pixels: from panel to panel, margins of a panel, its axes."""
DECADES = (-6, -1)
POWERS = (5, 13)


@cache
def tables() -> dict[str, shapes.Pieces]:
    """Return the table of quantiles of each parameter."""
    return {name: shapes.table("triangular", *numbers) for name, numbers in PARAMETERS.items()}


def stock_left(draws: dict[str, Array]) -> Array:
    """Return the stock at the end: what there was, what a line that keeps part of its plan adds, what a campaign uses."""
    return draws["stock"] + draws["capacity"] * draws["realisation"] * draws["us_share"] - draws["need"] * draws["length"]


def estimates(sampler: str, seed: int, members: int) -> tuple[float, float]:
    """Return the mean stock left and the share of members that end below the level."""
    uniforms = samplers.sampler(sampler, seed, members, list(PARAMETERS)).uniforms(0, members)
    left = stock_left({name: shapes.interpolate(tables()[name], row) for name, row in zip(PARAMETERS, uniforms, strict=True)})
    return float(left.mean()), float((left < LEVEL).mean())


@cache
def truth() -> tuple[float, float]:
    """Return the true mean, from the means of independent factors, and the probability from large Sobol runs."""
    means = {name: np.array(shapes.mean(pieces)) for name, pieces in tables().items()}
    return float(stock_left(means)), float(np.mean([estimates("sobol", -1 - seed, REFERENCE)[1] for seed in range(4)]))


@cache
def errors(sampler: str) -> Array:
    """Return the root mean square error over the seeds, shape (members, outcomes)."""
    found = np.array([[estimates(sampler, seed, members) for seed in SEEDS] for members in MEMBERS])
    result: Array = np.sqrt(np.mean((found - np.array(truth())) ** 2, axis=1))
    return result


def slopes(sampler: str) -> Array:
    """Return the slope of log error over log members for each outcome, by least squares."""
    result: Array = np.polyfit(np.log(MEMBERS), np.log(errors(sampler)), 1)[0]
    return result


def picture() -> str:
    """Return the picture: error over members for each outcome, both axes logarithmic."""
    width, height = PANEL * len(OUTCOMES), TOP + HEIGHT + 60
    title = "Root mean square error of an estimate over the number of members, by sampler; both axes logarithmic"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" role="img">',
        f"<title>{title}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="22" fill="{INK}" font-size="14">Error of an estimate by number of members</text>',
    ]
    for number, outcome in enumerate(OUTCOMES):
        lines += [f'<g transform="translate({number * PANEL + LEFT} {TOP})">', *_axes(outcome)]
        ends = _spread([_y(errors(sampler)[-1, number]) for sampler in STYLES])
        for sampler, end in zip(STYLES, ends, strict=True):
            lines += _line(sampler, number, end)
        lines.append("</g>")
    return "\n".join([*lines, "</svg>", ""])


def _x(members: float) -> float:
    return float((np.log2(members) - POWERS[0]) / (POWERS[1] - POWERS[0]) * WIDTH)


def _y(error: float) -> float:
    return float((DECADES[1] - np.log10(error)) / (DECADES[1] - DECADES[0]) * HEIGHT)


def _axes(outcome: str) -> list[str]:
    lines = [f'<text y="-10" fill="{INK}">{outcome}</text>']
    for decade in range(DECADES[0], DECADES[1] + 1):
        y = _y(10.0**decade)
        lines.append(f'<path d="M0 {y:.1f}H{WIDTH}" stroke="{GRID}"/>')
        label = f'10<tspan dy="-5" font-size="9">−{-decade}</tspan>'
        lines.append(f'<text x="-8" y="{y + 4:.1f}" text-anchor="end" fill="{MUTED}">{label}</text>')
    for power in range(POWERS[0], POWERS[1] + 1, 2):
        x = _x(2.0**power)
        lines.append(f'<path d="M{x:.1f} {HEIGHT}v5" stroke="{MUTED}"/>')
        lines.append(f'<text x="{x:.1f}" y="{HEIGHT + 18}" text-anchor="middle" fill="{MUTED}">{2**power:,}</text>')
    lines.append(f'<text x="{WIDTH / 2}" y="{HEIGHT + 38}" text-anchor="middle" fill="{INK}">members</text>')
    return lines


def _line(sampler: str, outcome: int, end: float) -> list[str]:
    """Return the line of a sampler, with a marker at each number of members and its name and slope at the end."""
    colour, dashes, marker = STYLES[sampler]
    points = [(_x(members), _y(error)) for members, error in zip(MEMBERS, errors(sampler)[:, outcome], strict=True)]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    shapes_of = {"circle": "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0", "square": "m-3.5 -3.5h7v7h-7z", "diamond": "m0 -5l5 5l-5 5l-5 -5z"}
    markers = "".join(f"M{x:.1f} {y:.1f}{shapes_of[marker]}" for x, y in points)
    name = f"{sampler}, slope −{-slopes(sampler)[outcome]:.1f}"
    return [
        f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>',
        f'<path d="{markers}" fill="{colour}"/>',
        f'<text x="{WIDTH + 10}" y="{end + 4:.1f}" fill="{colour}">{name}</text>',
    ]


def _spread(heights: list[float], apart: float = 16.0) -> list[float]:
    """Return the heights of labels, moved apart where they would overlap."""
    result = list(heights)
    order = sorted(range(len(heights)), key=lambda number: heights[number])
    for above, below in pairwise(order):
        result[below] = max(result[below], result[above] + apart)
    return result


if __name__ == "__main__":
    write_text(PICTURE, picture())
