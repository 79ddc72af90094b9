"""Choices that are the same for all members: found in a graph, so that only the side that is taken need run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from stockpile.codegen.graph import Graph


@dataclass(frozen=True)
class Branch:
    """A choice that is the same for all members, with what only one of its sides needs.

    Attributes
    ----------
    condition : int
        The node that decides.
    choices : tuple of int
        The nodes that choose by it.
    first, second : list of int
        What only their first or second side needs, in order.
    outside : tuple of int
        What the branch needs from before it.
    """

    condition: int
    choices: tuple[int, ...]
    first: list[int]
    second: list[int]
    outside: tuple[int, ...]

    @property
    def nodes(self) -> set[int]:
        """All nodes of the branch."""
        return {*self.choices, *self.first, *self.second}


WORTH_A_JUMP = 4
"""Operations from which it pays to jump over them."""


def branches(graph: Graph, order: list[int], kept: set[int], uniform: list[bool]) -> list[Branch]:
    """Return branches among nodes in order, disjoint and together as large as can be; inner ones come when these are printed."""
    choosing = choices_of(graph, order, uniform)
    found = []
    for condition in choosing:
        # Each with all it can hold, and without what one other condition chooses, which that one's branch may need whole.
        for other in [None, *(c for c in choosing if c != condition)]:
            one = _branch(graph, order, kept | set(choosing.get(other, ()) if other is not None else ()), choosing[condition])
            if one and one not in found:
                found.append(one)
    best: tuple[Branch, ...] = ()
    for number in range(1, len(choosing) + 1):
        for some in combinations(found, number):
            size = sum(len(one.nodes) for one in some)
            if size > sum(len(one.nodes) for one in best) and _fit(graph, order, some):
                best = some
    return list(best)


def _fit(graph: Graph, order: list[int], some: tuple[Branch, ...]) -> bool:
    """Tell whether branches are disjoint, and no two wait for each other."""
    if len(set().union(*(one.nodes for one in some))) < sum(len(one.nodes) for one in some):
        return False
    after = [_after(graph, order, set(one.nodes)) for one in some]
    waits = [[bool(set(one.outside) & after[place]) for place in range(len(some))] for one in some]
    return not any(waits[i][j] and waits[j][i] for i in range(len(some)) for j in range(i))


def _branch(graph: Graph, order: list[int], kept: set[int], chosen: list[int]) -> Branch | None:
    """Return the branch of some choices; None where it is not worth a jump, or what it chooses is needed to work it out."""
    choices, users = set(chosen), users_of(graph, order)
    first, second = (_only(graph, order, choices, kept | choices, users, side) for side in (1, 2))
    inside = {*first, *second, *choices}
    outside = {a for n in inside for a in graph.nodes[n].arguments if a in users and a not in inside}
    if len(first) + len(second) < WORTH_A_JUMP or outside & _after(graph, order, choices):
        return None
    return Branch(graph.nodes[chosen[0]].arguments[0], tuple(sorted(choices)), first, second, tuple(sorted(outside)))


def choices_of(graph: Graph, order: list[int], uniform: list[bool]) -> dict[int, list[int]]:
    """Return for each condition that is the same for all members the nodes that choose by it."""
    found: dict[int, list[int]] = {}
    for n in order:
        node = graph.nodes[n]
        if node.operation == "where" and uniform[node.arguments[0]]:
            found.setdefault(node.arguments[0], []).append(n)
    return found


def _after(graph: Graph, order: list[int], choices: set[int]) -> set[int]:
    """Return the choices and all that rests on them."""
    after = set(choices)
    for n in order:
        if any(a in after for a in graph.nodes[n].arguments):
            after.add(n)
    return after


def users_of(graph: Graph, order: list[int], more: Iterable[int] = ()) -> dict[int, list[int]]:
    """Return for each node of an order, and for some more, those of the order that take it."""
    users: dict[int, list[int]] = {n: [] for n in (*order, *more)}
    for n in order:
        for a in graph.nodes[n].arguments:
            if a in users:
                users[a].append(n)
    return users


def _only(
    graph: Graph, order: list[int], choices: set[int], kept: set[int], users: dict[int, list[int]], side: int
) -> list[int]:
    """Return the nodes that nothing but one side of the choices needs."""
    held: set[int] = set()

    def serves(n: int, user: int) -> bool:
        arguments = graph.nodes[user].arguments
        return user in held or (user in choices and arguments.count(n) == 1 and arguments[side] == n)

    for n in reversed(order):
        if n not in choices and n not in kept and all(serves(n, user) for user in users[n]):
            held.add(n)
    return sorted(held)
