"""How figures look: colours for light and dark, dashes and markers, and the layout that all share.

Colours are from the palettes of Okabe and Ito and of Tol, darkened where a line on white would have too little contrast.
Figures are written in the light colours; the page's script replaces each by its counterpart in the dark, since plotly
does not read CSS variables. No line is told apart by colour alone.
"""

from __future__ import annotations

from typing import Any

Spec = dict[str, Any]
"""A figure, or a part of one, as plotly.js takes it."""

PAPER, INK, MUTED, GRID = "#ffffff", "#1b1f24", "#565d66", "#e4e7eb"
FLOOR = "#B2182B"
BAND = "rgba(128,128,128,0.2)"
"""Suspensions: neutral grey, 20 %, the same rule in every chart."""
BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#008563", "#AA4499"
WINE, INDIGO, FOREST, OLIVE, ROSE = "#882255", "#332288", "#117733", "#75751c", "#C0526A"

DARK = {
    PAPER: "#14181d",
    INK: "#e8eaed",
    MUTED: "#a9b1ba",
    GRID: "#2c333b",
    FLOOR: "#ff8a93",
    BAND: "rgba(170,170,170,0.25)",
    BLUE: "#56b4e9",
    VERMILLION: "#ff9a57",
    GREEN: "#3fd0a4",
    PURPLE: "#dd88cc",
    WINE: "#e886b3",
    INDIGO: "#a99bf5",
    FOREST: "#7ccb8a",
    OLIVE: "#ddcc77",
    ROSE: "#f4a6b0",
}
"""The counterpart of each colour on a dark ground."""

MUNITION_COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, INDIGO, OLIVE, WINE, FOREST)
PATTERNS = ("", "/", ".", "x", "-", "+", "|", "\\")
POLICY_STYLES = (
    (INK, "solid", "circle"),
    (BLUE, "dash", "square"),
    (VERMILLION, "dashdot", "diamond"),
    (GREEN, "longdash", "triangle-up"),
    (PURPLE, "dot", "x"),
    (WINE, "dash", "triangle-down"),
    (INDIGO, "longdashdot", "cross"),
    (FOREST, "dot", "star"),
    (OLIVE, "dash", "pentagon"),
    (ROSE, "dashdot", "hexagon"),
)
"""Colour, dash and marker of the policies, in the order of the run."""
CHANNELS = (
    ("transfers", "transfers from US stock", BLUE, ""),
    ("operations", "US use on their behalf", VERMILLION, "/"),
    ("lost", "lost to age and damage", MUTED, "x"),
    ("production", "new production made for them", GREEN, "."),
)
"""How rounds reach a claimant: field of `study.Draw`, label, colour, pattern."""
EVENT_SYMBOLS = {
    "operation": "diamond",
    "package": "circle",
    "inflow": "hexagon",
    "supply": "pentagon",
    "need": "octagon",
    "hold": "square",
}

ABOVE, BELOW, LABELS = 28, 44, 186
"""Margins over and under a chart, and to its right where lines are labelled there [pixel]."""

CONFIG: Spec = {
    "displaylogo": False,
    "displayModeBar": False,
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "showLink": False,
    "responsive": False,
    "scrollZoom": False,
    "showTips": False,
    "doubleClick": "reset",
}
"""How every figure is drawn: nothing in it leads out of the page."""


def style(order: int) -> tuple[str, str, str]:
    """Return colour, dash and marker of the policy at that place in the run."""
    return POLICY_STYLES[order % len(POLICY_STYLES)]


def munition(order: int) -> tuple[str, str]:
    """Return colour and pattern of the munition at that place in the run."""
    return MUNITION_COLOURS[order % len(MUNITION_COLOURS)], PATTERNS[order % len(PATTERNS)]


def filled(colour: str, pattern: str) -> Spec:
    """Return how a bar is filled: a colour, and lines in it that tell it apart without colour."""
    return {"color": colour, "pattern": {"shape": pattern, "bgcolor": colour, "fgcolor": PAPER, "size": 7, "solidity": 0.25}}


def axis(**more: Any) -> Spec:
    """Return an axis with the shared look."""
    shared: Spec = {
        "gridcolor": GRID,
        "linecolor": MUTED,
        "zerolinecolor": MUTED,
        "zeroline": False,
        "tickfont": {"color": MUTED, "size": 12},
        "automargin": True,
        "title": {"font": {"color": MUTED, "size": 12}},
        "separatethousands": True,
    }
    return {**shared, **more}


def layout(height: int, *, right: int = 16, top: int = ABOVE, **more: Any) -> Spec:
    """Return a layout with the shared look; axes are added by the figure."""
    shared: Spec = {
        "height": height,
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "showlegend": False,
        "font": {"family": "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif", "size": 13, "color": INK},
        "margin": {"l": 56, "r": right, "t": top, "b": BELOW},
        "hovermode": "closest",
        "dragmode": False,
        "hoverlabel": {"bgcolor": PAPER, "bordercolor": MUTED, "font": {"color": INK, "size": 13}},
        "legend": {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom", "font": {"color": INK, "size": 12}},
        "separators": ".,",
    }
    return {**shared, **more}


def note(text: str, **more: Any) -> Spec:
    """Return a text without an arrow."""
    return {"text": text, "showarrow": False, "font": {"color": MUTED, "size": 12}, **more}
