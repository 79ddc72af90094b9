"""A picture of stocks and flows, drawn from the traced equations: what flows where is read off them, only the places are chosen here."""

from __future__ import annotations

from dataclasses import dataclass

from stockpile.codegen.vocabulary import meaning_of, name_of
from stockpile.codegen.xmile import REVIEW, structure

WIDTH, HEIGHT = 1040, 500
BOX = (132, 44)
STOCKS = {
    "state.order_book": (190, 250), "state.us_on_hand": (440, 250), "state.on_hand.0": (760, 250), "state.withheld.0": (760, 70),
    "state.deferred.0": (440, 430),
}
"""Where the middle of each stock lies; what concerns a recipient is drawn once, for recipient r."""
SIDES = {
    "series.lots": (-1, 0, 0), "flow.delivered": (0, 1, 0), "flow.to_us": (0, -1, -44), "series.us_inflow": (0, -1, 44),
    "flow.own_use": (0, 1, -44), "flow.expired": (0, 1, 44), "flow.made_for.0": (0, 1, -56), "series.other_supply.0": (0, 1, 50),
    "flow.used.0": (1, 0, -14), "flow.expired_on_hand.0": (1, 0, 14), "flow.expired_withheld.0": (1, 0, 0), "flow.put_off.0": (-1, 0, 0),
    "flow.paid.0": (1, 0, -12), "flow.expired_deferred.0": (1, 0, 12),
}
"""For flows from or to outside: on which side of the stock they lie, and how far from its middle."""
BETWEEN = {"flow.sent.0": -12, "flow.diverted.0": 12, "flow.kept_back.0": -26, "flow.released.0": 26}
"""For flows between two stocks: how far from the line between their middles."""
REACH, CLOUD = 62, 5
"""Length of a flow from or to outside, and half the width of the outside."""


@dataclass(frozen=True)
class Colours:
    """What lines, names, boxes, their edges and the ground are drawn in, as SVG takes them."""

    line: str
    name: str
    box: str
    edge: str
    ground: str


PLAIN = Colours(line="#4b5563", name="#111827", box="#eef4fb", edge="#1f5fa8", ground="#ffffff")
"""Those of a file of its own."""


@dataclass(frozen=True)
class Flow:
    """A flow, with the stock that it leaves and the one that it enters; None for outside. Names are those of the tables."""

    name: str
    source: str | None
    target: str | None
    meaning: str


@dataclass(frozen=True)
class Arrow:
    """A flow: from where to where, and where its name stands."""

    key: str
    start: tuple[float, float]
    end: tuple[float, float]
    cloud: tuple[float, float] | None


def svg(colours: Colours = PLAIN) -> str:
    """Return the picture as SVG, with a title and a description for those who do not see it."""
    arrows = [_arrow(key, *ends) for key, ends in _ends().items()]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="diagram-title" '
        'aria-describedby="diagram-text" font-family="system-ui, sans-serif" font-size="13">',
        '<title id="diagram-title">Stocks and flows of one munition</title>',
        f'<desc id="diagram-text">{description()}</desc>',
        '<defs><marker id="diagram-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0L8 4L0 8z" fill="{colours.line}"/></marker></defs>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{colours.ground}"/>',
        *(_drawn(one, colours) for one in arrows),
        *(_box(key, *middle, colours) for key, middle in STOCKS.items()),
        f'<text x="24" y="{HEIGHT - 20}" fill="{colours.line}">r: each recipient. deferred is a promise, not rounds. '
        "The review (0 or 1) switches shares and moves no rounds.</text>",
        "</svg>",
        "",
    ]
    return "\n".join(lines)


def flows() -> tuple[Flow, ...]:
    """Return what flows where, stock by stock, as the equations have it."""
    return tuple(
        Flow(_label(key), _label(source) if source else None, _label(target) if target else None, meaning_of(key))
        for key, (source, target) in _ends().items()
    )


def description() -> str:
    """Return the picture in words."""
    return "; ".join(f"{one.name} flows from {one.source or 'outside'} to {one.target or 'outside'}" for one in flows()) + "."


def _ends() -> dict[str, tuple[str | None, str | None]]:
    """Return for each flow the stock it leaves and the stock it enters; None for outside."""
    found: dict[str, list[str | None]] = {}
    for stock, moves in structure(1).items():
        for key, sign in moves if stock != REVIEW else ():
            ends = found.setdefault(key, [None, None])
            ends[0 if sign < 0 else 1] = stock
    return {key: (source, target) for key, (source, target) in found.items()}


def _arrow(key: str, source: str | None, target: str | None) -> Arrow:
    """Return where a flow is drawn."""
    if source and target:
        (x0, y0), (x1, y1), shift = STOCKS[source], STOCKS[target], BETWEEN[key]
        if y0 == y1:
            way = 1 if x1 > x0 else -1
            return Arrow(key, (x0 + way * BOX[0] / 2, y0 + shift), (x1 - way * BOX[0] / 2, y1 + shift), None)
        way = 1 if y1 > y0 else -1
        return Arrow(key, (x0 + shift, y0 + way * BOX[1] / 2), (x1 + shift, y1 - way * BOX[1] / 2), None)
    (x, y), (dx, dy, shift) = STOCKS[source or target or ""], SIDES[key]
    near = (x + dx * BOX[0] / 2 + (shift if dy else 0), y + dy * BOX[1] / 2 + (shift if dx else 0))
    far = (near[0] + dx * REACH, near[1] + dy * REACH)
    edge = (near[0] + dx * (REACH - CLOUD), near[1] + dy * (REACH - CLOUD))
    return Arrow(key, near, edge, far) if source else Arrow(key, edge, near, far)


def _drawn(one: Arrow, colours: Colours) -> str:
    (x0, y0), (x1, y1) = one.start, one.end
    round_it = f'r="{CLOUD}" fill="none" stroke="{colours.line}"'
    cloud = f'<circle cx="{one.cloud[0]:g}" cy="{one.cloud[1]:g}" {round_it}/>' if one.cloud else ""
    x, y, anchor = (x0 + x1) / 2, (y0 + y1) / 2 - 5, "middle"
    if x0 == x1:
        outer = one.cloud[1] if one.cloud else (y0 + y1) / 2
        x, y, anchor = x0, outer + (20 if outer > min(y0, y1) else -10), "middle"
        if not one.cloud:
            left = BETWEEN[one.key] < 0
            x, y, anchor = x0 + (-6 if left else 6), outer + 4, "end" if left else "start"
    elif one.cloud:
        left = one.cloud[0] < max(x0, x1)
        x, y, anchor = one.cloud[0] + (-9 if left else 9), one.cloud[1] + 4, "end" if left else "start"
    text = f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{colours.name}">{_label(one.key)}</text>'
    path = f'<path d="M{x0:g} {y0:g}L{x1:g} {y1:g}" stroke="{colours.line}" stroke-width="1.6" marker-end="url(#diagram-head)"/>'
    return f"<g><title>{meaning_of(one.key)}</title>{path}{cloud}{text}</g>"


def _box(key: str, x: float, y: float, colours: Colours) -> str:
    dashed = ' stroke-dasharray="5 3"' if key.startswith("state.deferred") else ""
    return (
        f'<g><title>{meaning_of(key)}</title><rect x="{x - BOX[0] / 2:g}" y="{y - BOX[1] / 2:g}" width="{BOX[0]}" height="{BOX[1]}" rx="4" '
        f'fill="{colours.box}" stroke="{colours.edge}" stroke-width="1.6"{dashed}/>'
        f'<text x="{x:g}" y="{y + 5:g}" text-anchor="middle" font-weight="600" fill="{colours.name}">{_label(key)}</text></g>'
    )


def _label(key: str) -> str:
    return name_of(key, ("[r]",)).replace("_[r]", "[r]")
