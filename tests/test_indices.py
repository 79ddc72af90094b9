"""Sensitivity indices: closed forms, an independent library, groups, lanes by arithmetic, doubling, and what knowing is worth."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpile.analysis.indices import PickFreeze, base_points, indices, pick_freeze
from stockpile.analysis.narrowing import narrowing
from stockpile.analysis.rounds import Stopping, until_stable
from stockpile.errors import InputError
from stockpile.samplers import sampler

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from SALib.analyze import sobol as salib_sobol
    from SALib.sample import sobol as salib_sample

SEVEN, TENTH = 7.0, 0.1
ROWS = ("x", "y", "z", "nothing")
SINGLE = {name: [row] for row, name in enumerate(ROWS)}


def ishigami(u):
    """Return the function of Ishigami and Homma (1990) of the first three rows, from uniform numbers."""
    x, y, z = (2 * u[:3] - 1) * np.pi
    return np.sin(x) + SEVEN * np.sin(y) ** 2 + TENTH * z**4 * np.sin(x)


def ishigami_exact():
    one = (1 + TENTH * np.pi**4 / 5) ** 2 / 2
    two = SEVEN**2 / 8
    both = 8 * TENTH**2 * np.pi**8 / 225  # of the first and third together
    whole = one + two + both
    return np.array([one, two, 0, 0]) / whole, np.array([one + both, two, both, 0]) / whole


G = np.array([0.0, 1.0, 4.5, 9.0, 99.0, 99.0])


def sobol_g(u):
    return np.prod((np.abs(4 * u - 2) + G[:, None]) / (1 + G[:, None]), axis=0)


def sobol_g_exact():
    each = 1 / (3 * (1 + G) ** 2)
    whole = np.prod(1 + each) - 1
    return each / whole, each * np.prod(1 + each) / (1 + each) / whole


def run(function, factors, streams, points, seed=1):
    a, b = base_points(seed, points, streams)
    lanes = pick_freeze(a, b, factors, points)
    return lanes, lanes.split(function(lanes.uniforms(0, lanes.members)))


def within(found, exact, slack=0.0):
    low_first, low_total = found.first_low - slack, found.total_low - slack
    first, total = exact
    return (
        ((low_first <= first) & (first <= found.first_high + slack)).all()
        and ((low_total <= total) & (total <= found.total_high + slack)).all()
    )


# ---------------------------------------------------------------- lanes


@given(st.integers(1, 40), st.integers(1, 4), st.lists(st.integers(1, 30), min_size=1, max_size=6), st.booleans())
def test_lanes_are_those_of_the_definition_however_they_are_cut(points, rows, cuts, grouped):
    streams = [f"s{row}" for row in range(rows)]
    a, b = base_points(7, points, streams)
    factors = {"all but one": list(range(1, rows)) or [0], "first": [0]} if grouped else {name: [row] for row, name in enumerate(streams)}
    lanes = pick_freeze(a, b, factors, points)
    own_a, own_b = a.uniforms(0, points), b.uniforms(0, points)
    whole = lanes.uniforms(0, lanes.members)
    assert whole.shape == (rows, lanes.members) and lanes.members == points * (len(factors) + 2)
    for lane in range(lanes.members):
        block, point = lanes.place(lane)
        expected = own_a[:, point].copy()
        changed = range(rows) if block == 1 else [] if block == 0 else list(factors.values())[block - 2]
        for row in changed:
            expected[row] = own_b[row, point]
        assert whole[:, lane].tolist() == expected.tolist()
    first = 0
    for cut in cuts:
        count = min(cut, lanes.members - first)
        part = lanes.uniforms(first, count)
        assert part.flags.c_contiguous and part.tolist() == whole[:, first : first + count].tolist()
        first += count
    more = pick_freeze(*base_points(7, 2 * points, streams), factors, 2 * points)
    assert np.abs(more.uniforms(0, lanes.members) - whole).max() <= 2.0**-31


def test_lanes_are_the_same_from_several_threads():
    lanes = pick_freeze(*base_points(3, 512, ROWS), SINGLE, 512)
    whole = lanes.uniforms(0, lanes.members)
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda first: lanes.uniforms(first, min(100, lanes.members - first)), range(0, lanes.members, 100)))
    assert np.array_equal(np.concatenate(parts, axis=1), whole)


def test_outputs_are_parted_by_block():
    lanes = PickFreeze(sampler("random", 1, 5, ["s", "t"]), sampler("random", 2, 5, ["s", "t"]), {"s": [0], "t": [1]}, 5)
    numbers = np.arange(lanes.members)
    y_a, y_b, y_ab = lanes.split(np.stack((numbers, numbers + 100)))
    assert y_a.tolist() == [[0, 4, 8, 12, 16], [100, 104, 108, 112, 116]]
    assert y_b.tolist() == (y_a + 1).tolist()
    assert y_ab.shape == (2, 2, 5) and y_ab[1].tolist() == (y_a + 3).tolist()


def test_halves_are_a_sobol_sequence_and_the_seed_moves_it():
    a, b = base_points(1, 256, ROWS)
    found = np.concatenate((a.uniforms(0, 256), b.uniforms(0, 256)))
    assert [sorted((row * 256).astype(int)) for row in found] == [list(range(256))] * 8
    assert not np.array_equal(found[:4], base_points(2, 256, ROWS)[0].uniforms(0, 256))


def test_wrong_factors_and_lanes_are_refused():
    a, b = base_points(1, 4, ROWS)
    for factors in ({}, {"none": []}, {"far": [4]}, {"before": [-1]}):
        with pytest.raises(ValueError, match="allowed"):
            pick_freeze(a, b, factors, 4)
    with pytest.raises(ValueError, match="as many in both"):
        pick_freeze(a, base_points(1, 4, ROWS[:2])[1], SINGLE, 4)
    with pytest.raises(ValueError, match="from 0 to 23"):
        pick_freeze(a, b, SINGLE, 4).uniforms(20, 5)


# ---------------------------------------------------------------- indices


def test_ishigami_has_its_closed_form():
    _, outputs = run(ishigami, SINGLE, ROWS, 2**13)
    found = indices(*outputs, ROWS)
    assert within(found, ishigami_exact())
    assert np.allclose(found.first, ishigami_exact()[0], atol=0.01) and np.allclose(found.total, ishigami_exact()[1], atol=0.01)
    assert found.first[3] == found.total[3] == found.total_high[3] == found.first_low[3] == 0
    assert found.variance == pytest.approx(SEVEN**2 / 8 + TENTH * np.pi**4 / 5 + TENTH**2 * np.pi**8 / 18 + 0.5, rel=0.01)
    assert (found.total_high - found.total_low)[:3].max() < 0.08


def test_a_group_has_the_index_of_its_rows_together():
    factors = {"x and z": [0, 2], "y": [1], "nothing": [3], "all": [0, 1, 2, 3]}
    _, outputs = run(ishigami, factors, ROWS, 2**13)
    found = indices(*outputs, list(factors))
    one, two = ishigami_exact()[0][:2]
    together = 1 - two
    assert np.allclose(found.first, [together, two, 0, 1], atol=0.01)
    assert np.allclose(found.total, [together, two, 0, 1], atol=0.01)
    assert together > one + 0.1


def test_sobol_g_has_its_closed_form_and_totals_are_not_below_first():
    streams = [f"s{row}" for row in range(6)]
    _, outputs = run(sobol_g, {name: [row] for row, name in enumerate(streams)}, streams, 2**13)
    found = indices(*outputs)
    assert within(found, sobol_g_exact(), slack=1e-3)
    assert (found.total >= found.first - 0.01).all()


def in_salib_order(outputs):
    y_a, y_b, y_ab = outputs
    return np.concatenate((y_a[:, None], y_ab.T, y_b[:, None]), axis=1).reshape(-1)


@pytest.mark.parametrize(("function", "rows", "exact"), [(ishigami, 4, ishigami_exact), (sobol_g, 6, sobol_g_exact)])
def test_an_independent_library_agrees(function, rows, exact):
    names = [f"s{row}" for row in range(rows)]
    problem = {"num_vars": rows, "names": names, "bounds": [[0, 1]] * rows}
    _, outputs = run(function, {name: [row] for row, name in enumerate(names)}, names, 2**12)
    own = indices(*outputs, names)
    same = salib_sobol.analyze(problem, in_salib_order(outputs), calc_second_order=False, seed=1)
    assert np.allclose(own.first, same["S1"], atol=2e-3) and np.allclose(own.total, same["ST"], atol=1e-9)
    assert np.allclose((own.total_high - own.total_low) / 2, same["ST_conf"], rtol=0.3, atol=2e-3)
    assert np.allclose((own.first_high - own.first_low) / 2, same["S1_conf"], rtol=0.3, atol=2e-3)
    drawn = salib_sample.sample(problem, 2**12, calc_second_order=False, seed=5)
    theirs = salib_sobol.analyze(problem, function(drawn.T), calc_second_order=False, seed=1)
    for mine, low, high, other, spread in (
        (own.first, own.first_low, own.first_high, theirs["S1"], theirs["S1_conf"]),
        (own.total, own.total_low, own.total_high, theirs["ST"], theirs["ST_conf"]),
    ):
        assert (low - 1e-3 <= other).all() and (other <= high + 1e-3).all()
        assert (np.abs(mine - other) <= spread + 1e-3).all()
    assert within(own, exact(), slack=1e-3)


def test_many_outputs_at_once_are_each_alone():
    lanes, _ = run(ishigami, SINGLE, ROWS, 256)
    u = lanes.uniforms(0, lanes.members)
    each = [ishigami(u), u[0] + u[1], np.full(lanes.members, 5.0), np.where(u[0] > 0.5, np.inf, u[1]), 1e9 + u[2], (u[0] < 0.01) + 0.0]
    outputs = lanes.split(np.array(each).reshape(2, 3, -1))
    found = indices(*outputs, ROWS, resamples=50)
    assert found.first.shape == (4, 2, 3) and found.notes.shape == (2, 3)
    assert found.notes.reshape(-1).tolist() == ["", "", "constant", "not finite", "", ""]
    for place in range(6):
        one = indices(*(part.reshape(*part.shape[:-3], 6, -1)[..., place, :] for part in outputs), ROWS, resamples=50)
        for name in ("first", "first_low", "first_high", "total", "total_low", "total_high"):
            whole, alone = getattr(found, name).reshape(4, 6)[:, place], getattr(one, name)
            assert np.array_equal(whole, alone, equal_nan=True)
            assert np.isnan(alone).all() == (place in (2, 3))
    assert found.total[2].reshape(-1)[4] == pytest.approx(1, abs=0.02)
    frame = found.table()
    assert frame["note"].tolist() == np.repeat(["", "", "constant", "not finite", "", ""], 4).tolist()
    assert frame.loc[frame["output"] == 0, "total"].tolist() == found.total[:, 0, 0].tolist()
    named = found.table([*"abcdef"])
    assert named["output"].tolist() == list(np.repeat([*"abcdef"], 4))


def test_how_the_products_are_cut_changes_no_bit(monkeypatch):
    _, outputs = run(ishigami, SINGLE, ROWS, 128)
    whole = indices(*outputs, resamples=40, seed=3)
    monkeypatch.setattr("stockpile.analysis.indices.PRODUCTS", 14 * 50)
    parts = indices(*outputs, resamples=40, seed=3)
    assert np.array_equal(whole.total_low, parts.total_low) and np.array_equal(whole.first_high, parts.first_high)
    assert not np.array_equal(whole.total_low, indices(*outputs, resamples=40, seed=4).total_low)


def test_batches_leave_the_indices_and_hardly_move_the_intervals(monkeypatch):
    a, b = (sampler("random", place, 3000, ROWS) for place in (1, 2))
    lanes = pick_freeze(a, b, SINGLE, 3000)
    outputs = lanes.split(ishigami(lanes.uniforms(0, lanes.members)))
    whole = indices(*outputs)
    monkeypatch.setattr("stockpile.analysis.indices.BATCHES", 700)  # of four or five points
    parts = indices(*outputs)
    assert np.allclose(whole.first, parts.first, rtol=1e-12) and np.allclose(whole.total, parts.total, rtol=1e-12)
    for low, high in (("first_low", "first_high"), ("total_low", "total_high")):
        width = getattr(whole, high) - getattr(whole, low)
        assert np.allclose(getattr(parts, high) - getattr(parts, low), width, rtol=0.2)


def test_the_intervals_hold_the_truth_as_often_as_they_say():
    exact = np.array([0.8, 0.2])
    held = 0
    for seed in range(60):
        a, b = (sampler("random", 10 * seed + place, 512, ["x", "y"]) for place in range(2))
        lanes = pick_freeze(a, b, {"x": [0], "y": [1]}, 512)
        u = lanes.uniforms(0, lanes.members)
        found = indices(*lanes.split(2 * u[0] + u[1]), resamples=200)
        held += ((found.total_low <= exact) & (exact <= found.total_high)).sum() + (
            (found.first_low <= exact) & (exact <= found.first_high)
        ).sum()
    assert 0.88 < held / 240 < 0.99


def test_wrong_shapes_are_refused():
    y = np.zeros((3, 8))
    for a, b, ab in ((y, y, y), (y, y[:2], y[None]), (y[:, :1], y[:, :1], y[None, :, :1])):
        with pytest.raises(ValueError, match="allowed"):
            indices(a, b, ab)
    with pytest.raises(ValueError, match="2 names for 1 factors"):
        indices(y, y, y[None], ["a", "b"])
    with pytest.raises(InputError, match="resamples"):
        indices(y, y, y[None], resamples=1)


# ---------------------------------------------------------------- rounds


def runner(function, factors, streams, most, asked):
    a, b = base_points(4, most, streams)
    lanes = pick_freeze(a, b, factors, most)

    def found(first, count):
        asked.append((first, count))
        return lanes.split(function(lanes.uniforms(first * lanes.blocks, count * lanes.blocks)))

    return found


def test_points_are_doubled_until_the_order_holds_and_none_is_run_twice():
    asked = []
    found = until_stable(runner(ishigami, SINGLE, ROWS, 2**14, asked), 64, 2**14, ROWS, resamples=100)
    points = [one.points for one in found.rounds]
    assert points == [64 * 2**number for number in range(len(points))] and len(points) >= 2
    assert asked == [(0, 64)] + [(count, count) for count in points[:-1]]
    assert found.stable and found.last.points < 2**14
    assert found.last.leading == (("x", "y", "z"),) and found.unsettled() == ()
    assert found.last.widest[0] <= 0.1 and found.rounds[0].same.tolist() == [False]
    width = found.last.indices.total_high - found.last.indices.total_low
    assert found.last.widest[0] == width[:3].max()
    alone = runner(ishigami, SINGLE, ROWS, 2**14, [])(0, found.last.points)
    assert np.array_equal(found.last.indices.total, indices(*alone, ROWS, resamples=100).total)
    frame = found.table(["peak"])
    assert frame["points"].tolist() == points and frame["stable"].tolist()[-1] and not frame["stable"].tolist()[0]


def test_wide_intervals_ask_for_more_points():
    rule = Stopping(width=0.05)
    found = until_stable(runner(ishigami, SINGLE, ROWS, 2**14, []), 64, 2**14, ROWS, resamples=100, stopping=rule)
    loose = until_stable(runner(ishigami, SINGLE, ROWS, 2**14, []), 64, 2**14, ROWS, resamples=100, stopping=Stopping(width=1.0))
    assert found.last.points > loose.last.points and found.last.widest[0] <= 0.05
    assert found.rounds[-2].same[0] and not found.rounds[-2].stable[0]


def outputs_with(order):
    """Return outputs of a round in which the factors of `order` have falling total indices: y is a sum, largest weight first."""
    rng = np.random.default_rng(0)
    u, v = rng.random((2, 3, 64))
    weights = np.array([3.0 - order.index(name) for name in "pqr"])[:, None]
    changed = [np.where(np.arange(3)[:, None] == row, v, u) for row in range(3)]
    return (weights * u).sum(axis=0), (weights * v).sum(axis=0), np.array([(weights * each).sum(axis=0) for each in changed])


def test_an_order_that_flips_is_refused_and_named():
    def flips(first, count):
        # Each doubling outweighs what was before it: the order of p and q is another every time.
        number = 0 if first == 0 else (first // 64).bit_length()
        y_a, y_b, y_ab = outputs_with("pqr" if number % 2 == 0 else "qpr")
        scale = 6.0**number
        return (np.tile(each, count // 64) * scale for each in (y_a, y_b, y_ab))

    found = until_stable(flips, 64, 2**10, [*"pqr"], stopping=Stopping(width=10.0), resamples=20)
    assert [one.leading[0][:2] for one in found.rounds] == [("p", "q"), ("q", "p"), ("p", "q"), ("q", "p"), ("p", "q")]
    assert not found.stable and not any(one.same[0] for one in found.rounds)
    assert found.unsettled() == (("q", "p"),)


def test_only_the_leading_factors_that_matter_are_looked_at():
    weights = np.array([10.0, 8, 6, 5, 4, 3, 0.1])[:, None]
    names = [f"s{row}" for row in range(7)]
    factors = {name: [row] for row, name in enumerate(names)}
    found = until_stable(runner(lambda u: (weights * u).sum(axis=0), factors, names, 1024, []), 256, 1024, names, resamples=20)
    assert found.last.leading == (tuple(names[:5]),)
    all_of_them = until_stable(
        runner(lambda u: (weights * u).sum(axis=0), factors, names, 1024, []), 256, 1024, names, resamples=20, stopping=Stopping(leading=9)
    )
    assert all_of_them.last.leading == (tuple(names[:6]),)  # the seventh has less than 0.02


def test_an_output_without_indices_leads_nothing():
    found = until_stable(runner(lambda u: np.array([u[0], 0 * u[0]]), SINGLE, ROWS, 4096, []), 64, 4096, ROWS, resamples=20)
    assert found.last.leading == (("x",), ()) and found.stable
    assert found.last.indices.notes.tolist() == ["", "constant"]


@pytest.mark.parametrize(("start", "most"), [(100, 1000), (64, 32), (1, 8), (0, 8)])
def test_points_that_cannot_be_doubled_are_refused(start, most):
    with pytest.raises(InputError, match="a power of 2"):
        until_stable(lambda first, count: None, start, most)


# ---------------------------------------------------------------- what knowing is worth


def drawn_numbers(rows, draws, seed=1):
    return sampler("random", seed, draws, [f"s{row}" for row in range(rows)]).uniforms(0, draws)


def test_knowing_narrows_a_sum_as_it_should():
    u = drawn_numbers(3, 40_000)
    y = 100 * u[0] + 40 * u[1]
    found = narrowing(u, y, {"small": [1], "large": [0], "none": [2]})
    assert found["factor"].tolist() == ["large", "small", "none"]
    large, small, none = found.to_dict("records")
    # Sums of two uniform numbers, a and b wide, b the smaller: the 5 % quantile is sqrt(2 x 0.05 a b) above the least while below b.
    assert large["width"] == pytest.approx(140 - 2 * 20, rel=0.01)
    assert large["expected_width"] == pytest.approx(45 - 2 * np.sqrt(0.1 * 40 * 5), rel=0.02)  # a bin is 5 wide
    assert small["expected_width"] == pytest.approx(102 - 2 * (0.05 * 100 + 1), rel=0.01)  # a bin is 2 wide
    assert large["narrowing"] == pytest.approx(1 - large["expected_width"] / large["width"])
    assert abs(none["narrowing"]) <= 2 * none["noise"]
    assert 0 < none["noise"] < 0.005
    assert small["narrowing"] == pytest.approx(0.1, abs=0.02)
    assert large["variance_share"] == pytest.approx(10000 / 11600, abs=0.01)
    assert small["variance_share"] == pytest.approx(1600 / 11600, abs=0.01)
    assert none["variance_share"] == pytest.approx(0, abs=0.003)


@pytest.mark.parametrize("draws", [400, 1003, 5000])
def test_few_draws_in_a_bin_make_no_narrowing(draws):
    rng = np.random.default_rng(draws)
    u = rng.random((200, draws))
    y = rng.lognormal(0, 1, draws)
    found = narrowing(u, y, {str(row): [row] for row in range(200)})
    # Of the quantiles' own bias nothing is left: on average over many factors that do nothing, nothing narrows.
    assert abs(found["narrowing"].mean()) < 3 * found["noise"][0] / np.sqrt(200) * 2
    assert abs(found["variance_share"].mean()) < 0.01
    assert (found["narrowing"].abs() <= found["noise"] * 1.3).mean() > 0.85


def test_the_share_of_variance_is_the_first_order_index():
    u = drawn_numbers(4, 50_000)
    factors = SINGLE | {"x and z": [0, 2], "all": [0, 1, 2, 3]}
    found = narrowing(u, ishigami(u), factors).set_index("factor")
    first = ishigami_exact()[0]
    assert np.allclose(found.loc[list(ROWS), "variance_share"], first, atol=0.02)
    assert found.loc["x and z", "variance_share"] == pytest.approx(1 - first[1], abs=0.03)
    assert 0.8 < found.loc["all", "variance_share"] < 1
    assert found.loc[["x and z", "all"], "narrowing"].isna().all() and found.loc[["x and z", "all"], "noise"].isna().all()
    given_ = narrowing(u, ishigami(u), factors, shares={"all": 1.0, "x": 0.31}).set_index("factor")
    assert given_.loc["all", "variance_share"] == 1 and given_.loc["x", "variance_share"] == 0.31
    five = narrowing(drawn_numbers(5, 400), np.arange(400.0), {"five": range(5)})
    assert five["variance_share"].isna().all()


def test_outcomes_without_a_range_say_so():
    u = drawn_numbers(2, 1000)
    for y, note in (
        (np.full(1000, 3.0), "constant"), (np.where(u[0] > 0.5, np.inf, 1.0), "not finite"), ((u[0] < 0.01) + 0.0, "no width"),
    ):
        found = narrowing(u, y, {"x": [0], "both": [0, 1]})
        assert (found["note"] == note).all() and found["narrowing"].isna().all()
        assert found["variance_share"].notna().all() == (note == "no width")


def test_the_seed_decides():
    u = drawn_numbers(2, 1000)
    one, two, other = (narrowing(u, u[0] + u[1], {"x": [0], "y": [1]}, seed=seed) for seed in (1, 1, 2))
    assert one.equals(two) and not one.equals(other)


def test_bad_settings_are_named_together():
    u = drawn_numbers(2, 100)
    with pytest.raises(InputError) as caught:
        narrowing(u, u[0], {"x": [0]}, q=(0.9, 0.1), bins=6, shuffles=1)
    assert len(caught.value.problems) == 3 and "from 2 to 5 with 100 draws" in str(caught.value)
    with pytest.raises(ValueError, match="factors far"):
        narrowing(u, u[0], {"far": [2]})
    with pytest.raises(ValueError, match="allowed: \\(rows, draws\\)"):
        narrowing(u, u[0][:50], {"x": [0]})
