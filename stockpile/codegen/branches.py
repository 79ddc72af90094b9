"""Choices that are the same for all members: found in a graph, so that only the side that is taken need run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

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
    users = users_of(graph, order)
    found: list[Branch] = []
    for chosen in choosing.values():
        held, one = _branch(graph, order, kept, chosen, users)
        # Each with all it can hold, and without what one other condition chooses, which that one's branch may need whole.
        without = [_branch(graph, order, kept | set(other), chosen, users)[1] for other in choosing.values() if not held.isdisjoint(other)]
        for branch in (one, *without):
            if branch and branch not in found:
                found.append(branch)
    return _largest(found, _fitting(graph, order, found))


def _fitting(graph: Graph, order: list[int], found: list[Branch]) -> list[set[int]]:
    """Return for each branch the numbers of those it is disjoint from, where neither it waits for them nor they for it."""
    nodes = [one.nodes for one in found]
    after = [_after(graph, order, own) for own in nodes]
    waits = [[not later.isdisjoint(one.outside) for later in after] for one in found]
    numbers = range(len(found))
    return [{j for j in numbers if nodes[i].isdisjoint(nodes[j]) and not (waits[i][j] and waits[j][i])} for i in numbers]


def _largest(found: list[Branch], fitting: list[set[int]]) -> list[Branch]:
    """Return branches that fit together and hold the most nodes; of equal ones the fewest, and the first of these."""
    sizes = [len(one.nodes) for one in found]
    best: tuple[int, list[int]] = (0, [])

    def extend(taken: list[int], size: int, left: list[int]) -> None:
        nonlocal best
        if size > best[0] or (size == best[0] and len(taken) < len(best[1])):
            best = (size, taken)
        for place, number in enumerate(left):
            # No two branches of a condition fit together, so each condition adds its largest at most.
            most: dict[int, int] = {}
            for other in left[place:]:
                most[found[other].condition] = max(sizes[other], most.get(found[other].condition, 0))
            if size + sum(most.values()) < best[0]:
                return
            extend([*taken, number], size + sizes[number], [other for other in left[place + 1 :] if other in fitting[number]])

    extend([], 0, list(range(len(found))))
    return [found[number] for number in best[1]]


def _branch(
    graph: Graph, order: list[int], kept: set[int], chosen: list[int], users: dict[int, list[int]]
) -> tuple[set[int], Branch | None]:
    """Return what only one side of some choices needs, and their branch.

    There is none where it is not worth a jump, or what it chooses is needed to work it out.
    """
    choices = set(chosen)
    first, second = (_only(graph, order, choices, kept | choices, users, side) for side in (1, 2))
    held = {*first, *second}
    inside = held | choices
    outside = {a for n in inside for a in graph.nodes[n].arguments if a in users and a not in inside}
    if len(first) + len(second) < WORTH_A_JUMP or outside & _after(graph, order, choices):
        return held, None
    return held, Branch(graph.nodes[chosen[0]].arguments[0], tuple(sorted(choices)), first, second, tuple(sorted(outside)))


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
        if not after.isdisjoint(graph.nodes[n].arguments):
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
