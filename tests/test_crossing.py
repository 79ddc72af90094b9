"""Where a curve crosses a level: by hand, and against a fine search along the straight lines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpile.analysis.crossing import Range, crossings
from stockpile.errors import InputError


@pytest.mark.parametrize(
    ("curve", "verdict", "shape"),
    [
        ([0.0, 0.1, 0.19], "never", "rising"),
        ([0.2, 0.3, 0.4], "always", "rising"),
        ([0.9, 0.5, 0.2], "always", "falling"),
        ([0.1, 0.1, 0.1], "never", "flat"),
        ([0.1, 0.15, 0.1], "never", "not monotone"),
    ],
)
def test_never_and_always(curve, verdict, shape):
    found = crossings([1, 2, 3], curve, 0.2)
    assert (found.verdict, found.shape, found.crossings) == (verdict, shape, ())
    assert found.sure is None and found.monotone_within_error is None and found.unsure == ()


def test_a_crossing_lies_on_the_straight_line():
    found = crossings([0, 6, 12], [0.05, 0.10, 0.30], 0.15)
    (one,) = found.crossings
    assert one.at == pytest.approx(7.5)
    assert (one.before, one.after, one.rising, one.within) == (6, 12, True, None)
    assert found.verdict == "crosses" and found.shape == "rising"


def test_a_level_met_at_a_value_of_the_grid_is_reached_there():
    (rising,) = crossings([0, 1, 2], [0.1, 0.2, 0.3], 0.2).crossings
    assert (rising.at, rising.before, rising.after, rising.rising) == (1, 0, 1, True)
    (falling,) = crossings([0, 1, 2], [0.3, 0.2, 0.1], 0.2).crossings
    assert (falling.at, falling.before, falling.after, falling.rising) == (1, 1, 2, False)
    touch = crossings([0, 1, 2], [0.1, 0.2, 0.1], 0.2).crossings
    assert [(each.at, each.rising) for each in touch] == [(1, True), (1, False)]


def test_all_crossings_are_reported_with_their_direction():
    found = crossings([0, 1, 2, 3], [0.0, 0.4, 0.0, 0.8], 0.2)
    assert [(each.at, each.rising) for each in found.crossings] == [(0.5, True), (1.5, False), (pytest.approx(2.25), True)]
    assert found.shape == "not monotone"


def test_the_intervals_give_a_range_for_the_crossing():
    found = crossings([0, 10, 20], [0.1, 0.2, 0.3], 0.2, low=[0.05, 0.15, 0.25], high=[0.15, 0.25, 0.35])
    (one,) = found.crossings
    assert one.within == Range(pytest.approx(5), pytest.approx(15), False, False)
    assert found.unsure == (one.within,) and found.sure and found.monotone_within_error
    wide = crossings([0, 10, 20], [0.1, 0.2, 0.3], 0.2, low=[0.0, 0.0, 0.1], high=[0.2, 0.3, 0.4])
    assert wide.crossings[0].within == Range(0, 20, True, True)


def test_a_verdict_of_never_may_be_unsure():
    found = crossings([0, 1, 2], [0.1, 0.1, 0.15], 0.2, low=[0.05, 0.05, 0.1], high=[0.15, 0.15, 0.25])
    assert found.verdict == "never" and found.sure is False
    assert found.unsure == (Range(pytest.approx(1.5), 2, False, True),)
    sure = crossings([0, 1], [0.1, 0.1], 0.2, low=[0.05, 0.05], high=[0.15, 0.15])
    assert sure.sure and sure.unsure == ()


def test_crossings_that_share_a_range_are_not_sure():
    low, high = [0.0, 0.1, 0.0, 0.3], [0.1, 0.4, 0.3, 0.6]
    found = crossings([0, 1, 2, 3], [0.05, 0.25, 0.15, 0.5], 0.2, low, high)
    assert len(found.crossings) == 3 and len({each.within for each in found.crossings}) == 1
    assert found.sure is False and found.monotone_within_error


def test_a_curve_that_no_monotone_one_fits_is_said_so():
    found = crossings([0, 1, 2], [0.1, 0.6, 0.1], 0.9, low=[0.0, 0.5, 0.0], high=[0.2, 0.7, 0.2])
    assert found.shape == "not monotone" and found.monotone_within_error is False
    slight = crossings([0, 1, 2], [0.1, 0.3, 0.29], 0.9, low=[0.0, 0.2, 0.2], high=[0.2, 0.4, 0.4])
    assert slight.shape == "not monotone" and slight.monotone_within_error is True


PROBABILITIES = st.integers(0, 20).map(lambda part: part / 20)
CURVES = st.lists(st.tuples(PROBABILITIES, PROBABILITIES, PROBABILITIES).map(sorted), min_size=1, max_size=8)


@given(CURVES, PROBABILITIES, st.lists(st.integers(1, 5), min_size=8, max_size=8))
def test_crossings_and_ranges_are_those_of_a_fine_search(points, level, steps):
    low, curve, high = np.array(points).T
    grid = np.cumsum(steps)[: len(curve)].astype(float)
    found = crossings(grid, curve, level, low, high)
    assert len(found.crossings) == np.count_nonzero(np.diff(curve >= level))
    assert (found.verdict == "crosses") == bool(found.crossings)
    for one in found.crossings:
        assert one.before <= one.at <= one.after
        assert np.interp(one.at, grid, curve) == pytest.approx(level)
        assert one.within is not None and one.within.low - 1e-9 <= one.at <= one.within.high + 1e-9
    for place in np.linspace(grid[0], grid[-1], 301):
        below, above = np.interp(place, grid, low) - level, np.interp(place, grid, high) - level
        if min(abs(below), abs(above)) > 1e-9:
            assert (below < 0 < above) == any(each.low <= place <= each.high for each in found.unsure)
    assert all(one.high < two.low for one, two in zip(found.unsure, found.unsure[1:], strict=False))
    steps_up, steps_down = (np.diff(curve) >= 0).all(), (np.diff(curve) <= 0).all()
    expected = "flat" if steps_up and steps_down else "rising" if steps_up else "falling" if steps_down else "not monotone"
    assert found.shape == expected
    if expected != "not monotone":
        assert found.monotone_within_error


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (([0, 0], [0.1, 0.2], 0.2), "not increasing"),
        (([0, 1], [0.1, np.nan], 0.2), "missing or not finite"),
        (([0, np.inf], [0.1, 0.2], 0.2), "missing or not finite"),
        (([0, 1], [0.1], 0.2), "one length for all"),
        (([], [], 0.2), "1 or more"),
        (([0, 1], [0.1, 0.2], 0.2, [0.0, 0.0]), "both or neither"),
        (([0, 1], [0.1, 0.2], 0.2, [0.0, 0.3], [0.4, 0.4]), "0.2 at 1 lies outside 0.3 to 0.4"),
    ],
)
def test_bad_input_is_refused(values, words):
    with pytest.raises(InputError, match=words):
        crossings(*values)
