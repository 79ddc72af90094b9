"""Units of what has none of its own: worked out from the units of what it is made of."""

from __future__ import annotations

from collections.abc import Mapping

from stockpile.codegen.graph import COMPARISONS, CONSTANT, Graph, Node

Powers = tuple[int, int]
"""Powers of round and month."""
POWERS: dict[str, Powers] = {"1": (0, 0), "round": (1, 0), "month": (0, 1), "1/month": (0, -1), "round/month": (1, -1)}
NAMES = {powers: name for name, powers in POWERS.items()}


def units_of(graph: Graph, given: Mapping[int, str]) -> dict[int, str]:
    """Return the units of all nodes, by number.

    Parameters
    ----------
    graph : Graph
    given : mapping
        Units of the nodes that have one; all inputs among them.

    Raises
    ------
    ValueError
        If units do not go together: a sum of rounds and months, or a unit given that is not what the equation makes.
    """
    found: dict[int, Powers | None] = {}
    for number, node in enumerate(graph.nodes):
        own = _powers(node, found)
        if number in given:
            said = POWERS[given[number]]
            if own not in (None, said):
                raise ValueError(f"node {number} is said to be in {given[number]}; its equation gives {_name(own)}")
            own = said
        found[number] = own
    return {number: _name(powers) for number, powers in found.items()}


def _powers(node: Node, found: Mapping[int, Powers | None]) -> Powers | None:
    """Return the powers of a node from those of its arguments; None for a number, which fits any unit."""
    parts = [found[argument] for argument in node.arguments]
    if node.operation in ("multiply", "divide"):
        if parts == [None, None]:
            return None
        sign = 1 if node.operation == "multiply" else -1
        (round_, month), (other, months) = (part or (0, 0) for part in parts)
        return round_ + sign * other, month + sign * months
    known = {part for part in (parts[1:] if node.operation == "where" else parts) if part is not None}
    if len(known) > 1:
        raise ValueError(f"{node.operation} of {' and '.join(sorted(map(_name, known)))}")
    if node.operation in COMPARISONS:
        return 0, 0
    return known.pop() if known and node.operation != CONSTANT else None


def _name(powers: Powers | None) -> str:
    return NAMES[powers or (0, 0)]
