"""Points that no other beats, against the definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stockpile.analysis.dominance import not_dominated

VALUES = st.sampled_from([0.0, -0.0, 1.0, 2.0, 3.0, np.inf, -np.inf]) | st.floats(-5, 5)
POINTS = st.tuples(st.integers(0, 40), st.integers(1, 4)).flatmap(lambda shape: hnp.arrays(float, shape, elements=VALUES))


def naive(points):
    def dominates(one, other):
        return all(a <= b for a, b in zip(one, other, strict=True)) and any(a < b for a, b in zip(one, other, strict=True))

    return [not any(dominates(other, point) for other in points) for point in points]


@given(POINTS)
def test_the_points_that_stay_are_those_of_the_definition(points):
    assert not_dominated(points).tolist() == naive(points.tolist())


@given(POINTS, st.randoms(use_true_random=False))
def test_order_and_copies_change_nothing(points, random):
    order = list(range(len(points)))
    random.shuffle(order)
    found = not_dominated(points)
    assert not_dominated(points[order]).tolist() == found[order].tolist()
    assert not_dominated(np.concatenate((points, points))).tolist() == [*found.tolist(), *found.tolist()]


def test_a_case_by_hand():
    points = [[1, 9], [2, 5], [2, 5], [2, 6], [3, 5], [4, 1], [9, 1], [5, 5]]
    assert not_dominated(points).tolist() == [True, True, True, False, False, True, False, False]


def test_many_points_of_three_objectives():
    rng = np.random.default_rng(2)
    points = rng.random((3000, 3))
    found = not_dominated(points)
    sample = rng.permutation(3000)[:200]
    expected = [not ((points <= points[one]).all(axis=1) & (points < points[one]).any(axis=1)).any() for one in sample]
    assert found[sample].tolist() == expected


@pytest.mark.parametrize("points", [[1.0, 2.0], np.zeros((3, 0)), [[np.nan, 1.0]]])
def test_what_has_no_answer_is_refused(points):
    with pytest.raises(ValueError, match="allowed"):
        not_dominated(points)
