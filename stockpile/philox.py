"""Uniform random numbers by counter: number k of a stream depends on the seed, the stream's name and k, on nothing else.

Philox4x32 with ten rounds (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11, 2011,
https://doi.org/10.1145/2063384.2063405): a keyed bijection of a counter, so that any number can be had without those
before it, in any order and in any block.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Array = NDArray[np.float64]

ROUNDS = 10
MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
WEYL = (0x9E3779B9, 0xBB67AE85)
LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)
BITS = 52
"""Random bits of a number. With 53, the middle of the last step would be rounded up to 1."""


def philox4x32(counter: tuple[Words, Words, Words, Words], key: tuple[int, int]) -> tuple[Words, Words, Words, Words]:
    """Return four 32-bit words for each counter.

    Parameters
    ----------
    counter : tuple of four arrays of uint64
        The counter's 32-bit words, lowest first.
    key : tuple of two int
        The key's 32-bit words, lowest first.
    """
    c0, c1, c2, c3 = counter
    for number in range(ROUNDS):
        k0, k1 = (np.uint64((word + number * step) & 0xFFFFFFFF) for word, step in zip(key, WEYL, strict=True))
        p0, p1 = MULTIPLIERS[0] * c0, MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (p1 >> HALF) ^ c1 ^ k0, p1 & LOW, (p0 >> HALF) ^ c3 ^ k1, p0 & LOW
    return c0, c1, c2, c3


def key_of(seed: int, stream: str) -> tuple[int, int]:
    """Return the key of a named stream: a digest of seed and name, so that no stream moves when another is added."""
    digest = hashlib.blake2b(f"{seed}\n{stream}".encode(), digest_size=8).digest()
    return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:], "little")


def words(seed: int, stream: str, first: int, count: int) -> tuple[Words, Words]:
    """Return the two 32-bit words of numbers `first` to `first + count - 1` of a stream, each of shape (count,).

    Number k takes words 0 and 1 of block k // 2 where k is even, words 2 and 3 where it is odd.
    """
    if first < 0 or count < 0:
        raise ValueError(f"first is {first} and count is {count}; allowed: 0 or more")
    start = first // 2
    block = np.arange(start, (first + count + 1) // 2, dtype=np.uint64)
    zero = np.zeros_like(block)
    w0, w1, w2, w3 = philox4x32((block & LOW, block >> HALF, zero, zero), key_of(seed, stream))
    part = slice(first - 2 * start, first - 2 * start + count)
    return np.stack((w0, w2), axis=1).ravel()[part], np.stack((w1, w3), axis=1).ravel()[part]


def uniforms(seed: int, stream: str, first: int, count: int) -> Array:
    """Return numbers `first` to `first + count - 1` of a stream, uniform on the open interval (0, 1), shape (count,).

    Each has 52 random bits and lies exactly in the middle of its step of 2**-52, so that neither 0 nor 1 can come.

    Raises
    ------
    ValueError
        If `first` or `count` is negative.
    """
    w0, w1 = words(seed, stream, first, count)
    bits = (w0 >> np.uint64(6)) << np.uint64(26) | w1 >> np.uint64(6)
    result: Array = (bits.astype(np.float64) + 0.5) * 2.0**-BITS
    return result
