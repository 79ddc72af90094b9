"""Uniform numbers, shapes, designs, correlated groups and intervals: each against what it declares."""

from __future__ import annotations

import importlib.util
import math
import subprocess
import sys
import threading
import warnings
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import special, stats

from stockpile import copula, philox, sampling_error, shapes
from stockpile import samplers as design
from stockpile.errors import InputError

Array = NDArray[np.float64]
ROOT = Path(__file__).resolve().parent.parent
STREAMS = ["munitions.pac3.us_share", "model.slip", "munitions.pac3.stock", "a", "recipients.ukraine.need"]
CONTINUOUS = ("uniform", "triangular", "pert", "normal", "lognormal")
EDGES = np.array([2.0**-53, 2.0**-33, 0.25, 0.5 - 2.0**-54, 0.5, 0.5 + 2.0**-53, 1 - 2.0**-33, 1 - 2.0**-53])
"""Uniform numbers at which rounding is worst."""


def five_sigma(deviation: float, count: int) -> float:
    """Return the distance that a mean of `count` draws passes in one of two million runs."""
    return 5 * deviation / math.sqrt(count)


# ---------------------------------------------------------------- Philox


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_the_known_answers_of_random123(counter: tuple[int, ...], key: tuple[int, int], words: tuple[int, ...]) -> None:
    c0, c1, c2, c3 = (np.array([word], dtype=np.uint64) for word in counter)
    assert tuple(int(word[0]) for word in philox.philox4x32((c0, c1, c2, c3), key)) == words


def one_number(seed: int, stream: str, number: int) -> float:
    """Return number `number` of a stream in whole numbers of Python, from the definition."""
    c = [number // 2 & 0xFFFFFFFF, number // 2 >> 32, 0, 0]
    k0, k1 = philox.key_of(seed, stream)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [p1 >> 32 ^ c[1] ^ k0, p1 & 0xFFFFFFFF, p0 >> 32 ^ c[3] ^ k1, p0 & 0xFFFFFFFF]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    w0, w1 = c[2 * (number % 2)], c[2 * (number % 2) + 1]
    return (2 * (w0 >> 6 << 26 | w1 >> 6) + 1) / 2**53


@given(st.integers(), st.text(max_size=20), st.one_of(st.integers(0, 50), st.integers(2**33 - 20, 2**33), st.integers(0, 2**60)))
def test_each_number_is_what_the_definition_says(seed: int, stream: str, first: int) -> None:
    found = philox.uniforms(seed, stream, first, 5)
    assert found.tolist() == [one_number(seed, stream, first + k) for k in range(5)]


@given(st.integers(0, 2**40), st.lists(st.integers(0, 40), max_size=6))
def test_uniforms_do_not_depend_on_blocks(first: int, counts: list[int]) -> None:
    whole = philox.uniforms(7, "stream", first, sum(counts))
    starts = [first + sum(counts[:number]) for number in range(len(counts))]
    parts = [philox.uniforms(7, "stream", start, count) for start, count in zip(starts, counts, strict=True)]
    assert np.concatenate([np.empty(0), *parts]).tobytes() == whole.tobytes()


def test_the_extreme_words_give_numbers_inside_the_open_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    for word, expected in ((0, 2.0**-53), (0xFFFFFFFF, 1 - 2.0**-53)):
        same = np.array([word], dtype=np.uint64)
        monkeypatch.setattr(philox, "words", lambda *_, same=same: (same, same))
        assert philox.uniforms(0, "", 0, 1).tolist() == [expected]
        assert 0 < expected < 1


def test_uniforms_are_uniform_and_their_streams_and_neighbours_unrelated() -> None:
    count = 200_000
    rows = np.array([philox.uniforms(seed, stream, 0, count) for seed in (0, 1) for stream in STREAMS])
    assert np.all(np.abs(rows.mean(axis=1) - 0.5) < five_sigma(math.sqrt(1 / 12), count))
    assert min(stats.kstest(row, "uniform").pvalue for row in rows) > 1e-5
    related = np.corrcoef(np.concatenate((rows[:, :-1], rows[:, 1:])))
    assert np.abs(related - np.eye(len(related))).max() < five_sigma(1.0, count)


@pytest.mark.parametrize(("first", "count"), [(-1, 3), (0, -1)])
def test_numbers_before_the_first_are_refused(first: int, count: int) -> None:
    with pytest.raises(ValueError, match="allowed: 0 or more"):
        philox.uniforms(0, "stream", first, count)


def test_the_modules_of_draws_load_numpy_alone() -> None:
    code = "import sys, stockpile.samplers, stockpile.shapes, stockpile.sampling_error; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ---------------------------------------------------------------- shapes

finite = st.floats(-1e6, 1e6, allow_subnormal=False)
positive = st.floats(1e-3, 1e6)


@st.composite
def ranges(draw: st.DrawFn, shape: str | None = None) -> tuple[str, float, float, float, float, float]:
    """Return a shape with low, value, high, least and most; ends often fall together."""
    shape = shape or draw(st.sampled_from(shapes.SHAPES))
    numbers = positive if shape == "lognormal" else finite
    one, other = draw(numbers), draw(numbers)
    low, value, high = sorted((one, other, draw(st.one_of(numbers, st.just(one)))))
    least = draw(st.sampled_from([-math.inf, low, low - abs(low) / 2]))
    most = draw(st.sampled_from([math.inf, high, high + abs(high) / 2]))
    return shape, low, value, high, least, most


@given(ranges(), st.lists(st.integers(0, shapes.KNOTS - 1), min_size=1, max_size=30))
def test_draws_stay_in_the_support_and_rise_with_u(given_range: tuple[str, float, float, float, float, float], pieces: list[int]) -> None:
    least, most = given_range[4:]
    table = shapes.table(*given_range)
    u = np.sort(np.concatenate([EDGES, *((piece + EDGES) / shapes.KNOTS for piece in (0, shapes.KNOTS - 1, *pieces))]))
    u = u[(u > 0) & (u < 1)]
    drawn = shapes.interpolate(table, u)
    lowest, highest = shapes.support(*given_range)
    assert np.all(np.diff(drawn) >= 0)
    assert least <= lowest <= drawn.min() and drawn.max() <= highest <= most
    assert table.starts.shape == table.slopes.shape == (shapes.KNOTS,)


def test_rounding_takes_no_draw_over_a_bound() -> None:
    for low, high in ((-504635.68643896905, 19653.0), (0.0, 0.7), (0.1, 0.3)):
        for shape, value in (("triangular", low), ("triangular", high), ("pert", low), ("uniform", high)):
            table = shapes.table(shape, low, value, high, least=-math.inf)
            drawn = shapes.interpolate(table, np.concatenate([EDGES, EDGES / shapes.KNOTS]))
            assert low == table.starts[0] <= drawn.min() and drawn.max() <= high


def exact_of(shape: str, low: float, value: float, high: float) -> stats.rv_continuous:
    """Return the distribution of a bounded shape from SciPy."""
    width = high - low
    return {
        "uniform": stats.uniform(low, width),
        "triangular": stats.triang((value - low) / width, low, width),
        "pert": stats.beta(1 + 4 * (value - low) / width, 1 + 4 * (high - value) / width, low, width),
    }[shape]


@pytest.mark.parametrize("shape", ["uniform", "triangular", "pert"])
@pytest.mark.parametrize("numbers", [(1.0, 2.0, 4.0), (-3.0, -3.0, 1.0), (0.2, 1.0, 1.0)])
def test_bounded_shapes_are_those_of_scipy(shape: str, numbers: tuple[float, float, float]) -> None:
    exact = exact_of(shape, *numbers)
    p = np.arange(shapes.KNOTS + 1) / shapes.KNOTS
    np.testing.assert_allclose(shapes.quantiles(shape, p, *numbers), exact.ppf(p), rtol=1e-12, atol=1e-12)
    table = shapes.table(shape, *numbers, least=-math.inf)
    assert shapes.mean(table) == pytest.approx(exact.mean(), abs=3e-4 * exact.std())
    assert shapes.deviation(table) == pytest.approx(exact.std(), rel=1.4e-3)


def test_pert_has_the_mean_of_its_definition() -> None:
    assert shapes.mean(shapes.table("pert", 10, 20, 60)) == pytest.approx((10 + 4 * 20 + 60) / 6, rel=1e-4)


@pytest.mark.parametrize("numbers", [(1.0, 2.0, 3.0), (1.0, 2.0, 5.0), (4.0, 5.0, 5.5)])
def test_low_value_and_high_are_percentiles_of_normal_and_lognormal(numbers: tuple[float, float, float]) -> None:
    for shape in ("normal", "lognormal"):
        table = shapes.table(shape, *numbers, least=-math.inf)
        found = shapes.interpolate(table, np.array([0.05, 0.5, 0.95]))
        np.testing.assert_allclose(found, numbers, rtol=1e-5)


def test_a_symmetric_normal_is_that_of_scipy_without_its_outer_thousandths() -> None:
    cut = special.ndtri(0.999)
    exact = stats.truncnorm(-cut, cut)
    scale = 3 / exact.ppf(0.95)
    p = np.arange(shapes.KNOTS + 1) / shapes.KNOTS
    np.testing.assert_allclose(shapes.quantiles("normal", p, 7, 10, 13), 10 + scale * exact.ppf(p), rtol=1e-12)
    table = shapes.table("normal", 7, 10, 13)
    assert shapes.mean(table) == pytest.approx(10, rel=1e-12)
    assert shapes.deviation(table) == pytest.approx(scale * exact.std(), rel=5e-5)
    assert shapes.support("normal", 7, 10, 13) == pytest.approx((10 - scale * cut, 10 + scale * cut))


def test_a_bound_conditions_and_heaps_nothing_onto_itself() -> None:
    free, cut = (shapes.interpolate(shapes.table("normal", 0.1, 1, 1.9, least=least), uniform(100_000)) for least in (-9.0, 0.0))
    assert free.min() < 0 < cut.min()
    kept = free[free > 0]
    assert stats.ks_2samp(kept, cut).pvalue > 1e-4
    assert np.mean(cut < 0.02) < 2 * np.mean((kept > 0.02) & (kept < 0.04))


def test_a_lognormal_is_the_normal_of_the_logarithm() -> None:
    p = np.arange(shapes.KNOTS + 1) / shapes.KNOTS
    logs = shapes.quantiles("normal", p, math.log(2), math.log(3), math.log(7), -math.inf, math.log(8))
    np.testing.assert_allclose(np.log(shapes.quantiles("lognormal", p, 2, 3, 7, 0, 8)), logs, rtol=1e-12)


def uniform(count: int, seed: int = 3) -> Array:
    return philox.uniforms(seed, "tests", 0, count)


# Low, value, high; error as a share of the support in the middle 98 % and anywhere; of the mean over the standard
# deviation; of the standard deviation over itself. These numbers stand in docs/uncertainty.md.
ACCURACY = [
    ("uniform", (0, 0.3, 1), 1e-15, 1e-15, 1e-12, 1e-12),
    ("triangular", (0, 0, 1), 1e-5, 0.006, 1e-5, 4e-5),
    ("triangular", (0, 0.5, 1), 1e-5, 0.006, 1e-5, 4e-5),
    ("pert", (0, 0.5, 1), 1e-5, 0.015, 1e-12, 1.4e-4),
    ("pert", (0, 1, 1), 2e-5, 0.13, 3e-4, 1.4e-3),
    ("normal", (-1, 0, 1), 3e-5, 0.002, 1e-12, 5e-5),
    ("normal", (0, 0, 1), 3e-5, 0.002, 1.1e-5, 5e-5),
    ("lognormal", (1 / 2, 1, 2), 7e-5, 0.011, 1.4e-4, 1.5e-3),
    ("lognormal", (1 / 10, 1, 10), 7e-5, 0.011, 1.4e-4, 1.5e-3),
]


@pytest.mark.parametrize(("shape", "numbers", "middle", "anywhere", "of_mean", "of_deviation"), ACCURACY)
def test_a_table_is_as_near_to_its_shape_as_the_documents_say(
    shape: str, numbers: tuple[float, float, float], middle: float, anywhere: float, of_mean: float, of_deviation: float
) -> None:
    bounds = (-math.inf, math.inf)
    table, (low, high) = shapes.table(shape, *numbers, *bounds), shapes.support(shape, *numbers, *bounds)
    inside = np.concatenate([np.logspace(-9, -3, 100), np.linspace(0, 1, 1001)[1:-1]])
    last, half = shapes.KNOTS - 1, shapes.KNOTS // 2
    u = (np.array([0, 1, 2, 20, *range(21, last - 20, 61), half - 1, half, last - 20, last - 1, last])[:, None] + inside) / shapes.KNOTS
    error = np.abs(shapes.interpolate(table, u) - shapes.quantiles(shape, u, *numbers, *bounds)) / (high - low)
    assert error[(u > 0.01) & (u < 0.99)].max() < middle
    assert error.max() < anywhere
    # Gauss's rule in each half, with the points crowding at the ends where the quantiles are steep.
    x, weight = np.polynomial.legendre.leggauss(200)
    x, weight = (x + 1) / 2, weight / 2 * 4 * ((x + 1) / 2) ** 7
    exact = np.concatenate([shapes.quantiles(shape, p, *numbers, *bounds) for p in (x**8 / 2, 1 - x**8 / 2)])
    weight = np.concatenate([weight, weight])
    mean = float(np.sum(weight * exact))
    deviation = math.sqrt(float(np.sum(weight * (exact - mean) ** 2)))
    assert abs(shapes.mean(table) - mean) < of_mean * deviation
    assert abs(shapes.deviation(table) / deviation - 1) < of_deviation


@given(ranges("pert"))
def test_a_drawn_value_lies_between_neighbouring_knots(given_range: tuple[str, float, float, float, float, float]) -> None:
    table, u = shapes.table(*given_range), uniform(200)
    if given_range[1] == given_range[3]:
        assert np.all(shapes.interpolate(table, u) == given_range[1])
        return
    piece = np.floor(u * shapes.KNOTS)
    ends = (shapes.quantiles(*given_range[:1], (piece + step) / shapes.KNOTS, *given_range[1:]) for step in (0, 1))
    lower, upper = ends
    drawn = shapes.interpolate(table, u)
    assert np.all((lower <= drawn) & (drawn <= upper))


@pytest.mark.parametrize("shape", shapes.SHAPES)
def test_sampled_means_and_spreads_are_those_of_the_table(shape: str) -> None:
    table = shapes.table(shape, 2, 3, 7)
    drawn = shapes.interpolate(table, uniform(400_000))
    deviation = shapes.deviation(table)
    assert drawn.mean() == pytest.approx(shapes.mean(table), abs=five_sigma(deviation, len(drawn)))
    fourth = float(np.mean((drawn - drawn.mean()) ** 4))
    assert drawn.var() == pytest.approx(deviation**2, abs=five_sigma(math.sqrt(fourth - deviation**4), len(drawn)))


@pytest.mark.parametrize("shape", ["normal", "lognormal"])
def test_sampled_percentiles_are_low_and_high(shape: str) -> None:
    drawn = shapes.interpolate(shapes.table(shape, 2, 3, 7), uniform(400_000))
    for number, p in ((2, 0.05), (3, 0.5), (7, 0.95)):
        assert np.mean(drawn < number) == pytest.approx(p, abs=five_sigma(math.sqrt(p * (1 - p)), len(drawn)))


@pytest.mark.parametrize("shape", shapes.SHAPES)
def test_no_range_gives_the_value(shape: str) -> None:
    table = shapes.table(shape, 0.3, 0.3, 0.3, 0, 1)
    assert np.all(shapes.interpolate(table, EDGES) == 0.3)
    assert shapes.support(shape, 0.3, 0.3, 0.3, 0, 1) == (0.3, 0.3)
    assert (shapes.mean(table), shapes.deviation(table)) == (pytest.approx(0.3), pytest.approx(0, abs=1e-15))


def test_a_normal_with_its_median_at_an_end_gives_the_median_to_half_of_all_draws() -> None:
    drawn = shapes.interpolate(shapes.table("normal", 0.5, 0.5, 0.9, 0, 1), uniform(10_000))
    assert np.mean(drawn == 0.5) == pytest.approx(0.5, abs=0.03)
    assert drawn.max() <= 1 and drawn.min() == 0.5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("gamma", 1, 2, 3), "unknown shape 'gamma'; allowed: uniform, triangular"),
        (("uniform", 2, 1, 3), "low 2, value 1, high 3"),
        (("pert", 1, 2, math.inf), "the middle three finite"),
        (("normal", -1, 0, 1), "least <= low"),
        (("normal", 0, 0.5, 1.2, 0, 1), "high <= most"),
        (("uniform", math.nan, 1, 3), "low nan"),
        (("lognormal", 0, 1, 3), "lognormal with low 0; allowed: above 0"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(arguments: tuple[str, float, float, float], words: str) -> None:
    for function in (shapes.table, shapes.support):
        with pytest.raises(ValueError, match=words.replace("(", r"\(")):
            function(*arguments)


def test_a_table_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        shapes.table("uniform", 1, 2, 3).starts[0] = 5


@given(st.lists(st.tuples(finite, st.floats(1, 50)), min_size=1, max_size=20))
def test_a_choice_gives_its_values_alone_at_their_weights(pairs: list[tuple[float, float]]) -> None:
    values, weights = [value for value, _ in pairs], [weight for _, weight in pairs]
    table = shapes.choice(values, weights)
    u = (np.arange(shapes.KNOTS * 4) + 0.5) / (shapes.KNOTS * 4)
    drawn = shapes.interpolate(table, u)
    assert set(drawn) == set(values)
    assert np.all(np.diff(drawn) >= 0)
    for value in set(values):
        expected = sum(weight for other, weight in pairs if other == value) / sum(weights)
        assert np.mean(drawn == value) == pytest.approx(expected, abs=1 / shapes.KNOTS)


def test_the_shape_choice_takes_each_different_number_as_often() -> None:
    for numbers, expected in (((1, 2, 3), {1: 683, 2: 683, 3: 682}), ((1, 1, 3), {1: 1024, 3: 1024})):
        starts = shapes.table("choice", *numbers).starts
        assert {int(value): int(np.sum(starts == value)) for value in np.unique(starts)} == expected


@pytest.mark.parametrize(
    ("values", "weights", "words"),
    [
        ([], [], "one or more"),
        ([1.0], [1.0, 2.0], "a weight each"),
        ([1.0, 2.0], [1.0, 0.0], "weights above 0"),
        ([1.0, math.nan], [1.0, 1.0], "finite values"),
        ([1.0, 2.0], [1.0, 1e-9], "at least 0.000488281"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(values: list[float], weights: list[float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        shapes.choice(values, weights)


# ---------------------------------------------------------------- samplers


@given(st.sampled_from(design.SAMPLERS), st.integers(0, 5), st.integers(1, 9000), st.data())
def test_members_do_not_depend_on_blocks(name: str, seed: int, members: int, data: st.DataObject) -> None:
    whole = design.sampler(name, seed, members, STREAMS).uniforms(0, members)
    assert whole.shape == (len(STREAMS), members)
    assert whole.min() > 0 and whole.max() < 1
    again = design.sampler(name, seed, members, STREAMS)
    for _ in range(4):
        first = data.draw(st.integers(0, members))
        count = data.draw(st.integers(0, members - first))
        assert np.array_equal(again.uniforms(first, count), whole[:, first : first + count])


@pytest.mark.parametrize("name", design.SAMPLERS)
def test_members_do_not_depend_on_threads(name: str) -> None:
    members, block = 40_000, 1_000
    source = design.sampler(name, 1, members, STREAMS)
    found: dict[int, Array] = {}
    starts = list(range(0, members, block))

    def work(own: list[int]) -> None:
        for first in own:
            found[first] = source.uniforms(first, block)

    threads = [threading.Thread(target=work, args=(starts[number::4][::-1],)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = design.sampler(name, 1, members, STREAMS).uniforms(0, members)
    assert np.array_equal(np.concatenate([found[first] for first in starts], axis=1), whole)


@pytest.mark.parametrize("name", ["random", "lhs"])
def test_adding_a_stream_moves_no_other(name: str) -> None:
    few = design.sampler(name, 2, 500, STREAMS).uniforms(0, 500)
    more = design.sampler(name, 2, 500, ["new", *reversed(STREAMS), "also_new"]).uniforms(0, 500)
    assert np.array_equal(more[1:-1][::-1], few)


@pytest.mark.parametrize("name", design.SAMPLERS)
def test_rows_are_in_the_order_of_the_streams_and_the_seed_counts(name: str) -> None:
    one = design.sampler(name, 2, 100, STREAMS).uniforms(0, 100)
    assert np.array_equal(design.sampler(name, 2, 100, STREAMS[::-1]).uniforms(0, 100), one[::-1])
    assert not np.any(design.sampler(name, 3, 100, STREAMS).uniforms(0, 100) == one)


def test_the_random_sampler_gives_the_streams_themselves() -> None:
    found = design.sampler("random", 9, 100, STREAMS).uniforms(20, 30)
    assert all(np.array_equal(row, philox.uniforms(9, stream, 20, 30)) for row, stream in zip(found, STREAMS, strict=True))


@given(st.integers(1, 3000), st.integers(0, 100))
def test_a_latin_hypercube_has_one_member_in_each_slice(members: int, seed: int) -> None:
    rows = design.sampler("lhs", seed, members, STREAMS).uniforms(0, members)
    for row in rows:
        assert np.array_equal(np.sort(np.floor(row * members)), np.arange(members))


@pytest.mark.parametrize("members", [999_999, 1_000_000])
def test_the_largest_latin_hypercube_has_one_member_in_each_slice(members: int) -> None:
    row = design.sampler("lhs", 5, members, ["one"]).uniforms(0, members)[0]
    assert np.array_equal(np.sort(np.floor(row * members)), np.arange(members))


@pytest.mark.parametrize("members", [1, 2, 3, 1000, 999_999, 1_000_000])
def test_a_point_at_the_end_of_its_slice_stays_in_it(members: int, monkeypatch: pytest.MonkeyPatch) -> None:
    source = design.sampler("lhs", 5, members, ["one"])
    for word in (0, 0xFFFFFFFF):
        monkeypatch.setattr(philox, "words", lambda *_, word=word: (np.full(members, word, np.uint64),) * 2)
        row = source.uniforms(0, members)[0]
        assert np.array_equal(np.sort(np.floor(row * members)), np.arange(members))
        assert row.min() > 0 and row.max() < 1


def test_latin_hypercubes_are_random_orders() -> None:
    members, seeds = 5, 4000
    first = np.array([np.floor(design.sampler("lhs", seed, members, ["a", "b"]).uniforms(0, members) * members) for seed in range(seeds)])
    counts = np.array([[np.sum(first[:, 0, place] == part) for part in range(members)] for place in range(members)])
    assert stats.chisquare(counts.ravel()).pvalue > 1e-4
    pairs = np.array([[np.sum((first[:, 0, 0] == one) & (first[:, 1, 0] == two)) for one in range(members)] for two in range(members)])
    assert stats.chisquare(pairs.ravel()).pvalue > 1e-4


@pytest.mark.parametrize("members", [1, 2, 1000, 4096, 4097, 20_000])
def test_sobol_is_the_contiguous_sequence_of_scipy(members: int) -> None:
    names = sorted(STREAMS)
    found = design.sampler("sobol", 11, members, names).uniforms(0, members)
    generator = np.random.default_rng(philox.key_of(11, "\nsobol"))
    engine = stats.qmc.Sobol(len(names), scramble=True, bits=32, rng=generator)
    points = engine.random(2 ** (members - 1).bit_length())[:members].T
    assert np.array_equal(found, points + 2.0**-33)


def test_sobol_has_one_member_in_each_slice_and_spreads_over_pairs() -> None:
    rows = design.sampler("sobol", 4, 1024, STREAMS).uniforms(0, 1024)
    assert all(np.array_equal(np.sort(np.floor(row * 1024)), np.arange(1024)) for row in rows)
    random = design.sampler("random", 4, 1024, STREAMS).uniforms(0, 1024)
    assert stats.qmc.discrepancy(rows.T) < stats.qmc.discrepancy(random.T) / 10


def test_sobol_without_a_power_of_two_gives_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert design.sampler("sobol", 4, 1000, STREAMS).uniforms(3, 17).shape == (5, 17)


@pytest.mark.parametrize("name", design.SAMPLERS)
def test_no_streams_give_no_rows(name: str) -> None:
    assert design.sampler(name, 1, 10, []).uniforms(2, 5).shape == (0, 5)


@pytest.mark.parametrize("name", design.SAMPLERS)
@pytest.mark.parametrize(("first", "count"), [(-1, 2), (0, -1), (5, 6), (11, 0)])
def test_members_that_are_not_there_are_refused(name: str, first: int, count: int) -> None:
    with pytest.raises(ValueError, match="allowed: from 0 to 9"):
        design.sampler(name, 1, 10, STREAMS).uniforms(first, count)


@pytest.mark.parametrize(
    ("name", "members", "streams", "words"),
    [
        ("sobel", 10, 1, "sampler: unknown sampler 'sobel'; did you mean 'sobol'? allowed: lhs, random, sobol"),
        ("random", 0, 1, "members: 0; allowed: 1 or more"),
        ("lhs", 1_000_001, 1, "members: 1000001 are too many for the sampler lhs; allowed: at most 1000000 with 1 uncertain value"),
        ("lhs", 1_000_000, 200, "allowed: at most 500000 with 200 uncertain values, or the sampler random or sobol"),
        ("sobol", 2**32 + 1, 1, "too many for the sampler sobol; allowed: at most 4294967296"),
        ("sobol", 10, 21_202, "sampler: sobol with 21202 uncertain values; allowed: at most 21201"),
    ],
)
def test_what_a_sampler_cannot_give_is_refused_with_what_is_allowed(name: str, members: int, streams: int, words: str) -> None:
    with pytest.raises(InputError) as caught:
        design.sampler(name, 1, members, [f"stream_{number}" for number in range(streams)])
    assert words in str(caught.value)


def test_a_stream_that_comes_twice_is_refused() -> None:
    with pytest.raises(InputError, match="comes twice"):
        design.sampler("random", 1, 10, ["a", "b", "a"])


# ---------------------------------------------------------------- correlated groups


CORRELATIONS = [(2, 0.6), (2, -1.0), (2, 1.0), (4, 0.9), (4, 0.3), (4, -1 / 3), (4, 0.0), (4, 1.0), (3, -0.2)]


@pytest.mark.parametrize(("rows", "correlation"), CORRELATIONS)
def test_every_pair_has_the_declared_correlation(rows: int, correlation: float) -> None:
    count = 200_000
    before = design.sampler("random", 6, count, STREAMS[:rows]).uniforms(0, count)
    after = design.correlate(before, correlation)
    assert np.array_equal(after[0], before[0])
    assert after.min() > 0 and after.max() < 1
    error = five_sigma(1 - correlation**2 + 1e-6, count)
    ranks = 6 / math.pi * math.asin(correlation / 2)
    for one in range(rows):
        assert stats.kstest(after[one], "uniform").pvalue > 1e-5
        for two in range(one):
            scores = np.corrcoef(special.ndtri(after[one]), special.ndtri(after[two]))[0, 1]
            assert scores == pytest.approx(correlation, abs=error)
            assert stats.spearmanr(after[one], after[two]).statistic == pytest.approx(ranks, abs=1.2 * error)


@given(st.integers(1, 5), st.integers(1, 60), st.floats(0, 1), st.integers(0, 99))
def test_a_column_depends_on_itself_alone_and_a_row_on_those_before_it(rows: int, count: int, share: float, seed: int) -> None:
    least = -1 / (rows - 1) if rows > 1 else -1.0
    correlation = least + share * (1 - least)
    before = design.sampler("random", seed, count, STREAMS[:rows]).uniforms(0, count)
    after = design.correlate(before, correlation)
    for column in range(count):
        assert np.array_equal(design.correlate(before[:, column : column + 1].copy(), correlation)[:, 0], after[:, column])
    for kept in range(1, rows + 1):
        assert np.array_equal(design.correlate(before[:kept], correlation), after[:kept])


def test_extreme_numbers_stay_inside_the_open_interval() -> None:
    for end in (2.0**-53, 1 - 2.0**-53):
        after = design.correlate(np.full((6, 2), end), 0.5)
        assert after.min() > 0 and after.max() < 1


@pytest.mark.parametrize(
    ("rows", "correlation", "words"),
    [(2, 1.1, "from -1 to 1"), (3, -0.6, "-0.6 among 3; allowed: from -0.5 to 1"), (2, math.nan, "nan")],
)
def test_a_correlation_that_cannot_be_is_refused(rows: int, correlation: float, words: str) -> None:
    with pytest.raises(InputError, match=words):
        design.correlate(np.full((rows, 3), 0.5), correlation)


MATRICES = [
    [[0.8], [0.0, 0.0], [-0.5, -0.3, 0.4]],
    [[1.0], [0.3, 0.3], [-1.0, -1.0, -0.3]],
    [[-0.5], [-0.5, -0.5]],
]


@pytest.mark.parametrize("pairs", MATRICES)
def test_every_two_have_the_correlation_declared_for_them(pairs: list[list[float]]) -> None:
    count, rows = 200_000, len(pairs) + 1
    before = design.sampler("random", 6, count, STREAMS[:rows]).uniforms(0, count)
    after = design.mix(before, copula.factor(copula.matrix_of(pairs)))
    assert np.array_equal(after[0], before[0]) and after.min() > 0 and after.max() < 1
    for one in range(1, rows):
        assert stats.kstest(after[one], "uniform").pvalue > 1e-5
        for two in range(one):
            scores = np.corrcoef(special.ndtri(after[one]), special.ndtri(after[two]))[0, 1]
            assert scores == pytest.approx(pairs[one - 1][two], abs=five_sigma(1 - pairs[one - 1][two] ** 2 + 1e-6, count))


def test_a_row_that_is_correlated_with_none_before_it_keeps_its_bits() -> None:
    before = design.sampler("random", 6, 50, STREAMS[:4]).uniforms(0, 50)
    after = design.mix(before, copula.factor(copula.matrix_of(MATRICES[0])))
    assert [np.array_equal(after[row], before[row]) for row in range(4)] == [True, False, True, False]


@pytest.mark.parametrize(("rows", "correlation"), CORRELATIONS)
def test_a_matrix_of_one_value_gives_what_the_value_gives(rows: int, correlation: float) -> None:
    before = design.sampler("random", 6, 1000, STREAMS[:rows]).uniforms(0, 1000)
    factor = copula.factor(copula.matrix_of([[correlation] * row for row in range(1, rows)]))
    assert design.mix(before, factor) == pytest.approx(design.correlate(before, correlation), abs=1e-7)


@given(st.integers(2, 7), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_of_a_matrix_too_a_column_depends_on_itself_alone_and_a_row_on_those_before_it(rows: int, count: int, seed: int) -> None:
    drawn = np.random.default_rng(seed).normal(size=(rows, rows + 1))
    matrix = np.atleast_2d(np.corrcoef(drawn))
    factor = copula.factor(matrix)
    assert factor @ factor.T == pytest.approx(matrix, abs=1e-9)
    before = design.sampler("random", seed, count, STREAMS[:rows]).uniforms(0, count)
    after = design.mix(before, factor)
    for column in range(count):
        assert np.array_equal(design.mix(before[:, column : column + 1].copy(), factor)[:, 0], after[:, column])
    for kept in range(1, rows + 1):
        assert np.array_equal(design.mix(before[:kept], copula.factor(matrix[:kept, :kept])), after[:kept])


def test_the_nearest_correlations_can_be_and_are_near() -> None:
    wanted = copula.matrix_of([[0.9], [0.9, -0.2]])
    assert copula.least_eigenvalue(wanted) < -0.3
    found = copula.nearest(wanted, 1e-3)
    assert copula.least_eigenvalue(found) > 1e-4 and np.diag(found) == pytest.approx(np.ones(3))
    assert np.abs(found - wanted).max() < 0.35
    assert np.array_equal(copula.nearest(copula.matrix_of([[0.5]]), 1e-3), copula.matrix_of([[0.5]]))
    assert copula.pairs_of(wanted) == [[0.9], [0.9, -0.2]]


# ---------------------------------------------------------------- Monte Carlo error


def test_the_interval_of_a_proportion_is_exact_at_its_ends_and_jeffreys_between() -> None:
    low, high = sampling_error.proportion_interval([0, 1, 31, 200], 200)
    exact = [stats.binomtest(hits, 200).proportion_ci(0.95, "exact") for hits in (0, 200)]
    assert low[0] == 0 and high[0] == pytest.approx(exact[0].high, rel=1e-9)
    assert high[3] == 1 and low[3] == pytest.approx(exact[1].low, rel=1e-9)
    for place, hits in ((1, 1), (2, 31)):
        assert (low[place], high[place]) == pytest.approx(stats.beta(hits + 0.5, 200.5 - hits).ppf([0.025, 0.975]), rel=1e-9)
    assert np.all(low <= np.array([0, 1, 31, 200]) / 200) and np.all(high >= np.array([0, 1, 31, 200]) / 200)


@pytest.mark.parametrize("members", [1, 20, 200, 10_000])
def test_the_interval_of_a_proportion_covers_the_truth_about_as_often_as_it_says(members: int) -> None:
    hits = np.arange(members + 1)
    low, high = sampling_error.proportion_interval(hits, members)
    truths = np.linspace(0.002, 0.998, 250)
    covers = np.array([np.sum(stats.binom.pmf(hits, members, p) * ((low <= p) & (p <= high))) for p in truths])
    assert covers.mean() > 0.945
    assert np.all(np.diff(low) >= 0) and np.all(np.diff(high) >= 0)


def test_the_interval_of_a_rare_event_errs_equally_on_both_sides() -> None:
    hits = np.arange(1001)
    low, high = sampling_error.proportion_interval(hits, 1000)
    truths = np.geomspace(0.01, 0.05, 400)[:, None]
    chances = stats.binom.pmf(hits, 1000, truths)
    assert np.sum(chances * (truths < low), axis=1).mean() == pytest.approx(0.025, abs=0.0005)
    assert np.sum(chances * (truths > high), axis=1).mean() == pytest.approx(0.025, abs=0.0005)


@given(st.floats(0.001, 0.999), st.integers(1, 3000), st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_ranks_of_a_quantile_cover_it_and_no_narrower_ones_do(q: float, members: int, level: float) -> None:
    low, high = sampling_error.quantile_ranks(q, members, level)
    below = stats.binom(members, q)
    tail = (1 - level) / 2
    assert 0 <= low < high <= members + 1
    assert low == 0 or below.cdf(low - 1) <= tail * (1 + 1e-9)
    assert high == members + 1 or below.sf(high - 1) <= tail * (1 + 1e-9)
    assert below.cdf(low) > tail * (1 - 1e-9) and below.sf(high - 2) > tail * (1 - 1e-9)


def test_ranks_of_the_median_are_those_of_the_tables() -> None:
    assert sampling_error.quantile_ranks(0.5, 10) == (2, 9)
    assert sampling_error.quantile_ranks(0.5, 5) == (0, 6)
    assert sampling_error.quantile_ranks(0.05, 100_000_000)[0] == pytest.approx(5_000_000 - 1.96 * math.sqrt(4_750_000), rel=1e-6)


def test_the_interval_of_a_mean_is_students() -> None:
    drawn = uniform(30)
    low, high = sampling_error.mean_interval(drawn.mean(), drawn.std(ddof=1), 30)
    assert (float(low), float(high)) == pytest.approx(stats.ttest_1samp(drawn, 0).confidence_interval(0.95))
    assert [float(end) for end in sampling_error.mean_interval(3.0, 0.0, 1)] == [-math.inf, math.inf]
    assert [float(end) for end in sampling_error.mean_interval(3.0, 0.0, 2)] == [3.0, 3.0]
    low, high = sampling_error.mean_interval(np.array([3.0, 3.0, 3.0]), np.array([1.0, 1.0, 1.0]), np.array([1, 2, 30]))
    assert [-math.inf, *(float(sampling_error.mean_interval(3.0, 1.0, number)[0]) for number in (2, 30))] == low.tolist()
    assert (high - 3.0).tolist() == (3.0 - low).tolist()


def test_intervals_cover_the_truth_of_sampled_tables() -> None:
    table, members, runs = shapes.table("triangular", 0, 1, 4), 200, 2000
    drawn = np.sort(shapes.interpolate(table, uniform(members * runs)).reshape(runs, members))
    allowed = five_sigma(math.sqrt(0.05 * 0.95), runs)
    low, high = sampling_error.mean_interval(drawn.mean(axis=1), drawn.std(axis=1, ddof=1), members)
    assert np.mean((low <= shapes.mean(table)) & (shapes.mean(table) <= high)) == pytest.approx(0.95, abs=allowed)
    lower, upper = sampling_error.quantile_ranks(0.9, members)
    truth = float(shapes.interpolate(table, np.array([0.9]))[0])
    assert np.mean((drawn[:, lower - 1] <= truth) & (truth <= drawn[:, upper - 1])) > 0.95 - allowed


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sampling_error.proportion_interval(1, 0), "members is 0"),
        (lambda: sampling_error.proportion_interval([1, 5], 4), "from 0 to 4"),
        (lambda: sampling_error.proportion_interval(1, 4, 1.0), "level is 1"),
        (lambda: sampling_error.quantile_ranks(0.0, 4), "q is 0"),
        (lambda: sampling_error.mean_interval(1.0, -1.0, 4), "deviation -1"),
    ],
)
def test_estimates_that_cannot_be_are_refused(call: object, words: str) -> None:
    assert callable(call)
    with pytest.raises(ValueError, match=words):
        call()


# ---------------------------------------------------------------- documents


@cache
def convergence() -> ModuleType:
    spec = importlib.util.spec_from_file_location("convergence_of_samplers", ROOT / "docs" / "_convergence_of_samplers.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_sobol_approaches_a_smooth_outcome_faster_than_random() -> None:
    random, lhs, sobol = (convergence().slopes(name)[0] for name in design.SAMPLERS)
    assert random == pytest.approx(-0.5, abs=0.1)
    assert lhs == pytest.approx(-0.5, abs=0.1)
    assert sobol < -1.2


def test_a_latin_hypercube_starts_nearer_to_a_smooth_outcome_than_random() -> None:
    assert np.all(convergence().errors("lhs")[:, 0] < convergence().errors("random")[:, 0] / 4)


def test_sobol_wants_a_power_of_two() -> None:
    means = {members: [convergence().estimates("sobol", seed, members)[0] for seed in range(16)] for members in (1000, 1024)}
    errors = {members: np.sqrt(np.mean((np.array(found) - convergence().truth()[0]) ** 2)) for members, found in means.items()}
    assert errors[1000] > 2 * errors[1024]


def test_the_numbers_of_the_example_of_a_bound_are_those_of_the_documents() -> None:
    drawn = shapes.interpolate(shapes.table("normal", 0.01, 0.1, 0.19, 0, 1), (np.arange(100_000) + 0.5) / 100_000)
    found = [float(np.mean(drawn < 0.01)), float(np.mean(drawn < 0.1)), float(np.mean(drawn > 0.19))]
    assert found == pytest.approx([0.017, 0.483, 0.052], abs=5e-4)


def test_the_picture_of_convergence_is_what_the_samplers_give() -> None:
    text = convergence().picture()
    assert convergence().PICTURE.read_text(encoding="utf-8") == text, "stale: run `make docs`"
    assert len(text) < 60_000
