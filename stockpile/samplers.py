"""Designs of draws: which uniform number each member takes for each stream.

`random` depends on (seed, stream, number) alone. `lhs` and `sobol` spread the members more evenly; they depend on how
many members (`lhs`) or streams (`sobol`) there are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from stockpile import philox
from stockpile.errors import InputError, nearest

Array = NDArray[np.float64]

SAMPLERS = ("random", "lhs", "sobol")
LATIN_MEMBERS = 1_000_000
LATIN_BYTES = 400_000_000
"""Most memory that the permutations of a Latin hypercube may take: 4 bytes x streams x members."""
SOBOL_STREAMS = 21_201
"""Columns for which direction numbers are known (Joe and Kuo, 2008)."""
SOBOL_BITS = 32
SOBOL_BLOCK = 12
"""Points are made 2**12 at a time."""
JITTER_BITS = 26
"""Random bits inside a stratum: few enough that rounding never moves a point into the next one."""
NEAREST = 2.0**-53
"""How near to 0 and 1 a correlated number may come."""


class Sampler(Protocol):
    """Gives uniform numbers, one row a stream."""

    def uniforms(self, first: int, count: int) -> Array:
        """Return the numbers of members `first` to `first + count - 1`, each in (0, 1), shape (streams, count)."""


def sampler(name: str, seed: int, members: int, streams: Sequence[str]) -> Sampler:
    """Return the sampler called `name`, with rows in the order of `streams`.

    Whatever the order and size of the blocks asked for, and from however many threads, a member's numbers are the same.

    Raises
    ------
    InputError
        If the name is unknown, there are too many members or streams for it, or a stream comes twice.
    """
    if name not in SAMPLERS:
        raise InputError.one("sampler", f"unknown sampler {name!r}; {nearest(name, SAMPLERS)}")
    if members < 1:
        raise InputError.one("members", f"{members}; allowed: 1 or more")
    if len(set(streams)) < len(streams):
        raise InputError.one("streams", f"a name comes twice in {', '.join(streams)}; allowed: each once")
    if name == "random":
        return Independent(seed, members, streams)
    return Latin(seed, members, streams) if name == "lhs" else Sobol(seed, members, streams)


class Independent:
    """Independent numbers: row, seed and member number decide each, nothing else does."""

    def __init__(self, seed: int, members: int, streams: Sequence[str]) -> None:
        self.seed, self.members, self.streams = seed, members, tuple(streams)

    def uniforms(self, first: int, count: int) -> Array:
        """Return numbers in (0, 1), shape (streams, count)."""
        _within(first, count, self.members)
        result = np.empty((len(self.streams), count))
        for row, stream in enumerate(self.streams):
            result[row] = philox.uniforms(self.seed, stream, first, count)
        return result


class Latin:
    """A Latin hypercube: each stream has exactly one member in each of `members` slices of equal probability.

    Each stream has a permutation and positions inside the slices of its own, from its own keys, so that no stream moves
    when another is added (McKay, Beckman and Conover, Technometrics 21, 1979, https://doi.org/10.2307/1268522).
    """

    def __init__(self, seed: int, members: int, streams: Sequence[str]) -> None:
        size = 4 * len(streams) * members
        if members > LATIN_MEMBERS or size > LATIN_BYTES:
            most = min(LATIN_MEMBERS, LATIN_BYTES // (4 * max(len(streams), 1)))
            allowed = f"at most {most} with {len(streams)} uncertain values, or the sampler random or sobol"
            raise InputError.one("members", f"{members} are too many for the sampler lhs; allowed: {allowed}")
        self.seed, self.members, self.streams = seed, members, tuple(streams)
        self._slices = np.empty((len(streams), members), dtype=np.uint32)
        for row, stream in enumerate(streams):
            self._slices[row] = _permutation(seed, f"{stream}\norder", members)

    def uniforms(self, first: int, count: int) -> Array:
        """Return numbers in (0, 1), shape (streams, count)."""
        _within(first, count, self.members)
        result = np.empty((len(self.streams), count))
        for row, stream in enumerate(self.streams):
            word, _ = philox.words(self.seed, stream, first, count)
            inside = ((word >> np.uint64(32 - JITTER_BITS)).astype(np.float64) + 0.5) * 2.0**-JITTER_BITS
            result[row] = (self._slices[row, first : first + count] + inside) / self.members
        return result


class Sobol:
    """A scrambled Sobol sequence, from scipy.stats.qmc.Sobol: a column a stream, in the order of their sorted names.

    Point k is the exclusive or of the first point and of `steps` at the set bits of k, so that any block can be had
    without those before it, from any thread, equal to the contiguous sequence bit for bit.

    Attributes
    ----------
    start : array of uint32, shape (streams,)
        Point 0, times 2**32.
    steps : array of uint32, shape (streams, bits)
        Exclusive or of point 0 and point 2**bit, times 2**32. (The sequence runs through the Gray codes of k, whose bits
        are sums of bits of k modulo 2, so it is linear in the bits of k themselves too.)
    """

    def __init__(self, seed: int, members: int, streams: Sequence[str]) -> None:
        if len(streams) > SOBOL_STREAMS:
            allowed = f"at most {SOBOL_STREAMS}, or the sampler random or lhs"
            raise InputError.one("sampler", f"sobol with {len(streams)} uncertain values; allowed: {allowed}")
        if members > 2**SOBOL_BITS:
            raise InputError.one("members", f"{members} are too many for the sampler sobol; allowed: at most {2**SOBOL_BITS}")
        self.members, self.streams = members, tuple(streams)
        column = {stream: number for number, stream in enumerate(sorted(streams))}
        order = [column[stream] for stream in streams]
        start, steps = _start_and_steps(seed, members, len(streams))
        self.start, self.steps = start[order], steps[order]
        self._block = self.start[:, None]
        for bit in range(min(SOBOL_BLOCK, self.steps.shape[1])):
            self._block = np.concatenate((self._block, self._block ^ self.steps[:, bit : bit + 1]), axis=1)

    def uniforms(self, first: int, count: int) -> Array:
        """Return numbers in (0, 1), shape (streams, count)."""
        _within(first, count, self.members)
        result = np.empty((len(self.streams), count))
        size = self._block.shape[1]
        done = 0
        while done < count:
            block, inside = divmod(first + done, size)
            upper = [bit for bit in range(self.steps.shape[1]) if (block * size) >> bit & 1]
            words = self._block[:, inside : inside + count - done] ^ np.bitwise_xor.reduce(self.steps[:, upper], axis=1)[:, None]
            result[:, done : done + words.shape[1]] = (words + 0.5) * 2.0**-SOBOL_BITS
            done += words.shape[1]
        return result


def correlate(uniforms: Array, correlation: float) -> Array:
    """Return the rows made dependent by a normal copula, each still uniform on (0, 1), shape (rows, count).

    The normal scores of every pair of rows have the same correlation. Row 0 stays as it was, bit for bit, and row i
    depends on rows 0 to i only (Cholesky's factor, in closed form for equal correlations). A column depends on itself
    alone: sums are written out, since a library's matrix product may round differently in another shape.

    Parameters
    ----------
    uniforms : array, shape (rows, count)
        Independent numbers in (0, 1).
    correlation : float
        From -1 / (rows - 1) to 1: more than two numbers cannot all move against one another at will. Spearman's rank
        correlation of the result is 6 / pi * arcsin(correlation / 2).

    Raises
    ------
    InputError
        If the correlation is outside its range.
    """
    from scipy.special import ndtr, ndtri

    rows = len(uniforms)
    least = -1 / (rows - 1) if rows > 1 else -1.0
    if not least <= correlation <= 1:
        raise InputError.one("correlation", f"{correlation:g} among {rows}; allowed: from {least:g} to 1")
    result = uniforms.copy()
    if correlation == 0 or rows == 0:
        return result
    if correlation == 1:
        result[:] = uniforms[0]
        return result
    common = np.zeros(uniforms.shape[1])
    for row in range(rows):
        score = ndtri(uniforms[row])
        # Squared, the diagonal of Cholesky's factor; rounding may take the last one below 0 at the least correlation.
        own = math.sqrt(max((1 - correlation) * (1 + row * correlation) / (1 + (row - 1) * correlation), 0.0))
        if row > 0:
            result[row] = np.clip(ndtr(common + own * score), NEAREST, 1 - NEAREST)
        if row < rows - 1:
            common += correlation * (1 - correlation) / ((1 + (row - 1) * correlation) * own) * score
    return result


def mix(uniforms: Array, factor: Array) -> Array:
    """Return the rows made dependent by a normal copula with a correlation for every two, each still uniform, shape (rows, count).

    As `correlate` otherwise: row i depends on rows 0 to i only, a column on itself alone. A row that is correlated with none before it
    stays as it was, bit for bit.

    Parameters
    ----------
    uniforms : array, shape (rows, count)
        Independent numbers in (0, 1).
    factor : array, shape (rows, rows)
        Of the correlations, as of `copula.factor`.
    """
    from scipy.special import ndtr, ndtri

    result = uniforms.copy()
    scores: dict[int, Array] = {}
    for row in range(len(uniforms)):
        before = np.flatnonzero(factor[row, :row])
        if not len(before):
            continue
        total = np.zeros(uniforms.shape[1])
        for column in (*before, row):
            if column not in scores:
                scores[column] = ndtri(uniforms[column])
            total += factor[row, column] * scores[column]
        result[row] = np.clip(ndtr(total), NEAREST, 1 - NEAREST)
    return result


def _within(first: int, count: int, members: int) -> None:
    if first < 0 or count < 0 or first + count > members:
        raise ValueError(f"members {first} to {first + count - 1} were asked for; allowed: from 0 to {members - 1}")


def _permutation(seed: int, stream: str, members: int) -> NDArray[np.uint32]:
    """Return the numbers below `members` in an order of the stream's own.

    Each number is written below the highest bits of a random word and the words are sorted: no two are equal, so the
    order depends on no way of sorting.
    """
    bits = np.uint64((members - 1).bit_length())
    high, low = philox.words(seed, stream, 0, members)
    words = ((high << np.uint64(32) | low) >> bits) << bits | np.arange(members, dtype=np.uint64)
    words.sort()
    return (words & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.uint32)


def _start_and_steps(seed: int, members: int, columns: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return `Sobol.start` and `Sobol.steps` in the order of the generator's columns, with the bits that `members` needs."""
    bits = (members - 1).bit_length()
    if columns == 0:
        return np.zeros(0, np.uint32), np.zeros((0, bits), np.uint32)
    from scipy.stats import qmc

    generator = np.random.default_rng(philox.key_of(seed, "\nsobol"))
    engine = qmc.Sobol(d=columns, scramble=True, bits=SOBOL_BITS, rng=generator)
    points = [engine.random(1)[0]]
    for bit in range(bits):
        ahead = 2**bit - engine.num_generated
        if ahead:
            engine.fast_forward(ahead)
        points.append(engine.random(1)[0])
    whole = (np.array(points).T * 2.0**SOBOL_BITS).astype(np.uint32)
    return whole[:, 0], whole[:, 1:] ^ whole[:, :1]
