"""Which points are worked out together: by scenario, by policy, and in shards of a size that is quickly done again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stockpile.experiments.varied import Varied

Integers = NDArray[np.intp]
Placed = tuple[int, Integers, Integers, Integers]
"""Number of a group, its points, and the variant and the entry of each."""
RUNS = 2**17
"""Most runs (lanes x policies) to a shard: some tenths of a second."""
ROWS = 400_000
"""Most rows of the result to a shard."""
CASES = 16
"""Most policies side by side in one run, where all points have all of them."""
APART = 256
"""Most variants of the policies traced together, where each point has one of its own."""


@dataclass(frozen=True, eq=False)
class Group:
    """Points that share a scenario.

    Attributes
    ----------
    point : int
        One of them.
    product : bool
        Whether every set of numbers comes with every variant of the policies; then each is run under all of them.
    variants : tuple of int
        A point for each variant of the policies.
    entries : array of int
        A point for each set of numbers that a lane is given; without `product`, all points, variant by variant.
    size : int
        Variants to a batch.
    """

    point: int
    product: bool
    variants: tuple[int, ...]
    entries: Integers
    size: int

    def batch_start(self, number: int) -> int:
        """Return the number of the first variant of a batch."""
        return number * self.size

    def batch(self, number: int) -> tuple[int, ...]:
        """Return the variants that are traced together."""
        return self.variants[self.batch_start(number) : self.batch_start(number + 1)]


@dataclass(frozen=True, eq=False)
class Shard:
    """Points that are worked out and stored together.

    Attributes
    ----------
    group, batch : int
    points : array
        Numbers of the points.
    variants : range
        Numbers of their variants in the group.
    entries : range
        Numbers of their entries in the group.
    variant, entry : array
        For each point, which of `variants` and of `entries` it has.
    """

    group: int
    batch: int
    points: Integers
    variants: range
    entries: range
    variant: Integers
    entry: Integers


def plan(items: Sequence[Varied], policies: int, members: int, metrics: int) -> tuple[tuple[Group, ...], tuple[Shard, ...]]:
    """Return the groups and shards of a design; they depend on what is asked for, not on who works it out.

    Parameters
    ----------
    items : sequence of Varied
    policies : int
        Number of policies.
    members : int
        Draws to a point.
    metrics : int
        Rows of the result to a point and policy.
    """
    count = len(items[0]) if items else 1
    structure, variant, lane = (_codes([item for item in items if item.kind == kind], count) for kind in ("structure", "policy", "lane"))
    own = _joined([structure, *(item.missing.astype(np.intp) for item in items if item.kind == "lane")])
    groups, shards = [], []
    for number in range(int(own.max()) + 1):
        inside = np.flatnonzero(own == number)
        group, found = _group(number, inside, variant[inside], lane[inside], policies)
        groups.append(group)
        shards += list(_shards(group, found, policies, members, metrics))
    return tuple(groups), tuple(shards)


def _codes(items: Sequence[Varied], count: int) -> Integers:
    """Return for each point the number of its set of values, in the order in which they first come."""
    return _joined([item.codes for item in items]) if items else np.zeros(count, dtype=np.intp)


def _joined(codes: Sequence[Integers]) -> Integers:
    """Return one number for each different set of numbers, in the order in which they first come."""
    _, first, inverse = np.unique(np.stack(codes), axis=1, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.intp)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    found: Integers = rank[inverse.reshape(-1)]
    return found


def _group(number: int, points: Integers, variant: Integers, lane: Integers, policies: int) -> tuple[Group, Placed]:
    """Return a group, and its points with the variant and the entry of each."""
    variant, lane = _joined([variant]), _joined([lane])
    _, first_variant = np.unique(variant, return_index=True)
    _, first_lane = np.unique(lane, return_index=True)
    whole = len(first_variant) * len(first_lane) == len(points) == len(set(zip(variant.tolist(), lane.tolist(), strict=True)))
    variants = tuple(int(point) for point in points[first_variant])
    if whole:
        size = max(CASES // policies, 1)
        return Group(int(points[0]), True, variants, points[first_lane], size), (number, points, variant, lane)
    order = np.argsort(variant, kind="stable")
    points, variant = points[order], variant[order]
    group = Group(int(points[0]), False, variants, points, max(APART // policies, 1))
    return group, (number, points, variant, np.arange(len(points)))


def _shards(group: Group, found: Placed, policies: int, members: int, metrics: int) -> Iterator[Shard]:
    number, points, variant, entry = found
    for batch in range(-(-len(group.variants) // group.size)):
        first = group.batch_start(batch)
        variants = range(first, first + len(group.batch(batch)))
        side = len(variants) if group.product else 1
        at_once = max(min(RUNS // (members * side * policies), ROWS // (metrics * side * policies)), 1)
        inside = np.flatnonzero((variant >= variants.start) & (variant < variants.stop))
        low, high = int(entry[inside].min()), int(entry[inside].max()) + 1
        for start in range(low, high, at_once):
            entries = range(start, min(start + at_once, high))
            chosen = inside[(entry[inside] >= entries.start) & (entry[inside] < entries.stop)]
            used = variants if group.product else range(int(variant[chosen].min()), int(variant[chosen].max()) + 1)
            yield Shard(number, batch, points[chosen], used, entries, variant[chosen] - used.start, entry[chosen] - entries.start)
