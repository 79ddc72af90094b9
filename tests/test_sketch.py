"""Distributions, whole and as counts in bins: quantiles, shares, merging, and what lies outside."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from stockpile import sketch
from stockpile.sketch import Counts, Moments, Tally, Whole, bins_for, count, less, moments, restored

Array = NDArray[np.float64]
BINS = 64
ENDS = [0.0, 1.0, 0.5, 0.05, 0.95, 1 / 3]
SHARES = st.sampled_from(ENDS) | st.floats(0.0, 1.0)
NUMBERS = st.floats(-1e6, 1e6, allow_subnormal=False)


def numbers(seed: int, cells: int, members: int) -> Array:
    """Return cells of all kinds: smooth, with ties, far apart, all the same, in two heaps."""
    rng = np.random.default_rng(seed)
    kinds = [
        rng.normal(100.0, 20.0, (cells, members)), rng.integers(0, 4, (cells, members)).astype(float),
        10.0 ** rng.uniform(-3, 6, (cells, members)), np.full((cells, members), 7.5),
        np.where(rng.random((cells, members)) < 0.5, 0.0, 1e4),
    ]
    return np.choose(rng.integers(0, len(kinds), cells)[:, None], kinds)


def counted(values: Array, low: Array, width: Array, bins: int = BINS) -> Counts:
    found = np.zeros((len(values), bins + 2), dtype=np.uint32)
    count(values, low, 1.0 / width, found)
    return Counts(low, width, found)


def in_bins(values: Array) -> Counts:
    return counted(values, *bins_for(values.min(axis=1), values.max(axis=1), BINS))


# ---------------------------------------------------------------- whole


@given(st.integers(0, 2**32 - 1), st.integers(1, 300), SHARES)
def test_whole_quantiles_are_those_of_numpy(seed: int, members: int, q: float) -> None:
    values = numbers(seed, 6, members)
    found = Whole(values).quantile(q)
    assert found == pytest.approx(np.quantile(values, q, axis=-1), rel=1e-12, abs=1e-9)
    assert ((values.min(axis=-1) <= found) & (found <= values.max(axis=-1))).all()


def test_whole_quantiles_have_the_shape_of_the_cells() -> None:
    values = np.arange(24.0).reshape(2, 3, 4)
    assert Whole(values).quantile(0.5).tolist() == [[1.5, 5.5, 9.5], [13.5, 17.5, 21.5]]
    assert Whole(values).members == 4
    assert Whole(values).error.tolist() == [[0.0] * 3] * 2
    assert Whole(values).at_or_below(9.0).tolist() == [[4, 4, 2], [0, 0, 0]]
    assert Whole(values).below(9.0).tolist() == [[4, 4, 1], [0, 0, 0]]


INF = math.inf


@pytest.mark.parametrize("kind", ["whole", "counts"])
def test_what_is_never_counts_as_infinite(kind: str) -> None:
    values = np.array([[1.0, 2.0, INF, INF], [-INF, -INF, 3.0, 4.0], [-INF, 1.0, 2.0, INF], [INF, INF, INF, INF], [-INF, -INF, INF, INF]])
    found: Whole | Counts = Whole(values) if kind == "whole" else counted(values, np.full(5, -4.5), np.ones(5))
    near = 0.0 if kind == "whole" else 1.0
    for q, expected in {
        0.0: [1.0, -INF, -INF, INF, -INF], 1 / 3: [2.0, -INF, 1.0, INF, -INF], 0.5: [INF, -INF, 1.5, INF, -INF],
        1.0: [INF, 4.0, INF, INF, INF],
    }.items():
        assert found.quantile(q) == pytest.approx(expected, abs=near)


# ---------------------------------------------------------------- counts


@given(st.integers(0, 2**32 - 1), st.integers(1, 300), SHARES)
def test_a_quantile_of_counts_is_within_a_bin_of_the_whole_one(seed: int, members: int, q: float) -> None:
    values = numbers(seed, 6, members)
    counts = in_bins(values)
    assert (counts.error == counts.width).all()
    assert counts.members == members
    away = np.abs(counts.quantile(q) - Whole(values).quantile(q))
    assert (away <= counts.error * (1.0 + 1e-9)).all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 200), st.lists(SHARES, min_size=2, max_size=6))
def test_quantiles_of_counts_rise_with_the_share(seed: int, members: int, shares: list[float]) -> None:
    counts = in_bins(numbers(seed, 6, members))
    found = np.array([counts.quantile(q) for q in sorted(shares)])
    assert (np.diff(found, axis=0) >= -1e-9 * np.abs(found).max(axis=0)).all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 200), st.floats(-10.0, 150.0))
def test_what_counts_have_below_a_value_is_within_those_of_a_bin(seed: int, members: int, value: float) -> None:
    values = numbers(seed, 6, members)
    counts = in_bins(values)
    # All of the bin that has the value may be at or below it, none is surely below.
    bin_ = counts.width[:, None] * (1.0 + 1e-6)
    most, least = (values <= value + bin_).sum(axis=-1), (values < value - bin_).sum(axis=-1)
    exact = (values <= value).sum(axis=-1), (values < value).sum(axis=-1)
    assert ((exact[0] <= counts.at_or_below(value)) & (counts.at_or_below(value) <= most)).all()
    assert ((least <= counts.below(value)) & (counts.below(value) <= exact[1])).all()


def test_numbers_outside_all_bins() -> None:
    counts = counted(np.array([[0.5, 1.5, -3.0, 99.0, INF]]), np.zeros(1), np.ones(1), 4)
    found = {value: int(counts.at_or_below(value)[0]) for value in (-INF, -1.0, 0.5, 3.9, 4.5, 1e9, INF)}
    assert found == {-INF: 1, -1.0: 1, 0.5: 2, 3.9: 3, 4.5: 5, 1e9: 5, INF: 5}
    surely = {value: int(counts.below(value)[0]) for value in (-INF, -1.0, 0.0, 0.5, 1.0, 3.9, 1e9, INF)}
    assert surely == {-INF: 0, -1.0: 0, 0.0: 1, 0.5: 1, 1.0: 2, 3.9: 3, 1e9: 3, INF: 3}


@given(st.lists(st.lists(st.integers(-20, 20), min_size=7, max_size=7), min_size=1, max_size=3), SHARES, st.sampled_from([1.0, 0.5, 0.25]))
def test_on_a_grid_nothing_is_lost(rows: list[list[int]], q: float, step: float) -> None:
    values = np.array(rows) * step
    low, width = np.full(len(rows), -20.5 * step), np.full(len(rows), step)
    plain = counted(values, low, width)
    counts = Counts(low, width, plain.counts, True)
    assert (counts.error == 0.0).all()
    assert counts.quantile(q) == pytest.approx(Whole(values).quantile(q), abs=1e-12)
    whole = Whole(values)
    for value in [*np.unique(values), 0.25 * step, -0.75 * step, 20.0 * step, -20.0 * step, 25.0 * step, -25.0 * step]:
        assert counts.at_or_below(value).tolist() == whole.at_or_below(value).tolist()
        assert counts.below(value).tolist() == whole.below(value).tolist()


@pytest.mark.parametrize("step", [1.0, 1 / 3, 0.25])
def test_on_a_grid_never_is_below_no_date(step: float) -> None:
    values = np.array([[-INF, -2.0, -1.0, 0.0, 1.0, 2.0, INF, INF]]) * step
    counts = replace(counted(values, np.array([-2.5 * step]), np.array([step]), 5), on_grid=np.array([True]))
    for value in (-3.0 * step, -2.0 * step, 2.0 * step, 3.0 * step, 1e9):
        assert counts.at_or_below(value).tolist() == Whole(values).at_or_below(value).tolist()
        assert counts.below(value).tolist() == Whole(values).below(value).tolist()
    assert [int(counts.at_or_below(2.0 * step)[0]), int(counts.below(-2.0 * step)[0])] == [6, 1]


# ---------------------------------------------------------------- one cell, and what they are made of


def kinds() -> list[Whole | Counts]:
    """Return distributions of every kind, shape (2, 3), some of their cells on a grid."""
    values = np.random.default_rng(3).integers(0, 9, (6, 40)).astype(float)
    plain = counted(values, np.full(6, -0.5), np.ones(6), 10)
    low, width = plain.low.reshape(2, 3), plain.width.reshape(2, 3)
    held = plain.counts.reshape(2, 3, -1)
    some = np.arange(6).reshape(2, 3) % 2 == 0
    return [Whole(values.reshape(2, 3, 40)), Counts(low, width, held), Counts(low, width, held, True), Counts(low, width, held, some)]


@pytest.mark.parametrize("held", kinds())
def test_a_cell_by_itself_says_what_it_says_among_others(held: Whole | Counts) -> None:
    for place in itertools.product(range(2), range(3)):
        cell = held.cell(place)
        assert cell.members == held.members == 40
        assert cell.error.tolist() == held.error[place]
        for q in ENDS:
            assert cell.quantile(q).shape == ()
            assert cell.quantile(q) == held.quantile(q)[place]
        for value in (-1.0, 3.0, 3.2, 50.0):
            assert (cell.below(value), cell.at_or_below(value)) == (held.below(value)[place], held.at_or_below(value)[place])


def test_a_row_of_cells_is_called_by_its_number() -> None:
    values = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    for held in (Whole(values), counted(values, np.full(2, 0.5), np.ones(2), 6)):
        assert int(held.cell(1).at_or_below(5.2)) == 2
        assert int(held.cell(0).at_or_below(5.2)) == 3


@pytest.mark.parametrize("held", kinds())
def test_what_a_distribution_is_made_of_makes_it_again(held: Whole | Counts) -> None:
    again = restored(held.arrays())
    assert type(again) is type(held)
    for name, array in held.arrays().items():
        assert np.array_equal(again.arrays()[name], array)
    assert again.quantile(0.3).tolist() == held.quantile(0.3).tolist()
    assert again.error.tolist() == held.error.tolist()
    assert (again.numbers is None) == isinstance(held, Counts)


def test_some_cells_may_be_on_a_grid() -> None:
    values = np.array([[1.0, 2.0, 2.0], [1.0, 2.0, 2.0]])
    plain = counted(values, np.array([-0.5, -0.45]), np.ones(2))
    counts = Counts(plain.low, plain.width, plain.counts, np.array([True, False]))
    assert counts.error.tolist() == [0.0, 1.0]
    assert counts.quantile(0.0)[0] == 1.0


def test_what_lies_outside_is_counted_at_the_ends_and_what_is_no_number_below() -> None:
    into = np.zeros((2, 6), dtype=np.uint32)
    values = np.array([[-INF, -1e300, -1e-9, math.nan, 0.0, 3.999], [4.0, 1e300, INF, INF, 1.0, 1.5]])
    count(values, np.zeros(2), np.ones(2), into)
    assert into.tolist() == [[4, 1, 0, 0, 1, 0], [0, 0, 2, 0, 0, 4]]


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 60), min_size=2, max_size=6), st.randoms())
def test_parts_merge_to_the_same_bits_in_any_order(seed: int, sizes: list[int], order: object) -> None:
    values = numbers(seed, 4, max(sum(sizes), 1))[:, : sum(sizes)]
    low, width = np.full(4, -5.0), np.array([0.5, 1.0, 3.0, 1e5])
    whole = counted(values, low, width).counts
    ends = np.cumsum([0, *sizes])
    parts = [counted(values[:, a:b], low, width).counts for a, b in itertools.pairwise(ends.tolist())]
    order.shuffle(parts)  # type: ignore[attr-defined]
    assert np.array_equal(sum(parts[1:], parts[0].copy()), whole)
    assert whole.sum(axis=-1).tolist() == [sum(sizes)] * 4
    assert whole.dtype == np.uint32


def test_many_cells_are_read_slab_by_slab(monkeypatch: pytest.MonkeyPatch) -> None:
    values = numbers(3, 50, 40)
    counts = in_bins(values)
    expected = [counts.quantile(q) for q in ENDS]
    monkeypatch.setattr(sketch, "SLAB", 7)
    assert all(np.array_equal(counts.quantile(q), one) for q, one in zip(ENDS, expected, strict=True))
    cube = Counts(counts.low.reshape(5, 10), counts.width.reshape(5, 10), counts.counts.reshape(5, 10, -1))
    assert all(np.array_equal(cube.quantile(q), one.reshape(5, 10)) for q, one in zip(ENDS, expected, strict=True))


# ---------------------------------------------------------------- bins


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=5))
def test_bins_reach_beyond_what_the_pilot_found_on_both_sides(pairs: list[tuple[float, float]]) -> None:
    least, largest = np.sort(np.array(pairs), axis=1).T
    low, width = bins_for(least, largest, BINS)
    high = low + BINS * width
    assert (width > 0.0).all()
    reach = largest - least
    assert (low <= least - sketch.MARGIN * reach).all()
    assert (high >= largest + (sketch.MARGIN - 1e-9) * reach).all()
    assert (low < least).all()
    assert (high > largest).all()
    found = counted(np.stack([least, largest], axis=1), low, width)
    assert (found.counts[:, [0, -1]] == 0).all()


# ---------------------------------------------------------------- moments and differences


@given(st.integers(0, 2**32 - 1), st.integers(1, 70), st.integers(1, 70))
def test_moments_are_over_the_finite_numbers_and_add_up(seed: int, first: int, second: int) -> None:
    values = numbers(seed, 5, first + second)
    values[:, ::5] = INF
    values[0, 0] = -INF
    both = moments(values[:, :first]).plus(moments(values[:, first:]))
    finite = np.isfinite(values)
    assert both.number.tolist() == finite.sum(axis=1).tolist()
    for found, power in ((both.total, 1), (both.squares, 2)):
        expected = [math.fsum(row[here] ** power) for row, here in zip(values, finite, strict=True)]
        assert found == pytest.approx(expected, rel=1e-13)
    alone = moments(values)
    assert isinstance(alone, Moments)
    assert alone.total == pytest.approx(both.total, rel=1e-13)


def test_a_difference_of_two_nevers_is_nought() -> None:
    values, base = np.array([INF, INF, 3.0, -INF, 5.0]), np.array([INF, 3.0, INF, -INF, 4.0])
    assert less(values, base).tolist() == [0.0, INF, -INF, 0.0, 1.0]


def test_a_tally_counts_rows_and_their_differences() -> None:
    values = np.array([[1.0, 2.0, INF], [4.0, 2.0, INF]])
    what = Tally(np.array([0, 1, 1], np.int32), np.array([-1, -1, 0], np.int32), np.zeros(3), np.ones(3))
    into = np.zeros((3, 7), dtype=np.uint32)
    found = what.run(values, into)
    assert into.tolist() == [[0, 0, 1, 1, 0, 0, 1], [0, 0, 0, 1, 0, 1, 1], [0, 2, 0, 0, 1, 0, 0]]
    assert found.number.tolist() == [2.0, 2.0, 3.0]
    assert found.total.tolist() == [3.0, 6.0, 3.0]
    assert found.squares.tolist() == [5.0, 20.0, 9.0]
