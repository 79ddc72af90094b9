"""Regret and satisficing, by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from stockpile.analysis.regret import regret, satisficing
from stockpile.errors import InputError
from stockpile.sampling_error import proportion_interval


def tidy(values, policies="abc", scenarios="xyz", **more):
    rows = [
        {"policy": policies[i], "scenario": scenarios[j], "value": values[i][j]} | more
        for i, j in itertools.product(range(len(values)), range(len(values[0])))
    ]
    return pd.DataFrame(rows)


def with_members(values, metric=None):
    """Return a frame from values of shape (policies, scenarios, members)."""
    places = np.indices(np.shape(values)).reshape(3, -1)
    frame = pd.DataFrame({"policy": [*"abc"], "n": range(3)}).iloc[places[0]].reset_index(drop=True)
    frame["scenario"], frame["member"], frame["value"] = np.array([*"xyz"])[places[1]], places[2], np.reshape(values, -1)
    return frame.drop(columns="n") if metric is None else frame.drop(columns="n").assign(metric=metric)


def test_a_table_by_hand():
    # By scenario the best are 10 (a), 5 (b), 0 (c).
    found = regret(tidy([[10, 9, 3], [14, 5, 2], [16, 11, 0]]))
    cells = found.by_scenario.set_index(["policy", "scenario"])
    assert cells["regret"].unstack().to_numpy().tolist() == [[0, 4, 3], [4, 0, 2], [6, 6, 0]]
    assert cells.loc["b", "best"].tolist() == [10, 5, 0]
    assert cells["is_best"].unstack().to_numpy().tolist() == [[True, False, False], [False, True, False], [False, False, True]]
    assert not cells["unsure"].any() and cells[["low", "high"]].isna().all(axis=None)
    policies = found.by_policy
    assert policies["maximum"].tolist() == [4, 4, 6] and policies["scenario"].tolist() == ["y", "x", "x"]
    assert policies["mean"].tolist() == pytest.approx([7 / 3, 2, 4])
    assert policies["rank_by_maximum"].tolist() == [1, 1, 3] and policies["rank_by_mean"].tolist() == [2, 1, 3]
    assert policies["tied_by_maximum"].tolist() == [("b",), ("a",), ()] and policies["tied_by_mean"].tolist() == [(), (), ()]
    assert policies["close_by_mean"].tolist() == [(), (), ()]


def test_higher_is_better_turns_it_round():
    found = regret(tidy([[10, 9, 3], [14, 5, 2], [16, 11, 0]]), better="higher")
    assert found.by_scenario.set_index(["policy", "scenario"])["regret"].unstack().to_numpy().tolist() == [[6, 2, 0], [2, 6, 1], [0, 0, 3]]
    assert found.by_policy["rank_by_maximum"].tolist() == [2, 2, 1]


def test_equal_best_policies_are_both_best():
    found = regret(tidy([[0.1 + 0.2, 1], [0.3, 2], [0.5, 1]], scenarios="xy"))
    assert found.by_scenario["is_best"].tolist() == [True, True, False, True, False, True]
    assert found.by_policy["maximum"].tolist() == pytest.approx([0, 1, 0.2])


def test_never_is_the_best_month_to_reach_a_floor():
    found = regret(tidy([[np.inf, 30.0], [np.inf, np.inf], [20.0, 40.0]], scenarios="xy"), better="higher")
    table = found.by_scenario.set_index(["policy", "scenario"])["regret"].unstack()
    assert table.to_numpy().tolist() == [[0, np.inf], [0, 0], [np.inf] * 2]
    assert found.by_policy["rank_by_mean"].tolist() == [2, 1, 2]


def test_the_order_of_policies_and_rows_is_kept_and_does_not_matter():
    frame = tidy([[10, 9, 3], [14, 5, 2], [16, 11, 0]])
    mixed = regret(frame.sample(frac=1, random_state=3)).by_policy.sort_values("policy", ignore_index=True)
    whole = regret(frame).by_policy
    assert whole["policy"].tolist() == [*"abc"]
    number = ["maximum", "mean", "rank_by_maximum", "rank_by_mean"]
    pd.testing.assert_frame_equal(mixed[number], whole[number])


def test_intervals_are_of_the_paired_differences():
    rng = np.random.default_rng(1)
    common = rng.normal(0, 50, (1, 2, 40))
    values = common + np.array([[1.0, 9], [4, 3], [4.01, 3.01]])[:, :, None]
    values[1] += np.tile([0.3, -0.3], 20)  # b and c differ by less than that
    values[0, 1] += rng.normal(0, 0.4, 40)
    found = regret(with_members(values))
    cells = found.by_scenario.set_index(["policy", "scenario"])
    assert cells["is_best"].unstack().to_numpy()[0].tolist() == [True, False]
    over = values[1, 0] - values[0, 0]
    half = student.ppf(0.975, 39) * over.std(ddof=1) / np.sqrt(40)
    assert cells.loc[("b", "x"), ["regret", "low", "high"]].tolist() == pytest.approx([over.mean(), over.mean() - half, over.mean() + half])
    assert cells.loc[("b", "y"), ["regret", "low", "high", "unsure"]].tolist() == [0, 0, 0, False]
    assert cells.loc[("c", "y"), ["low", "unsure"]].tolist() == [0, True] and not cells.loc[("a", "y"), "unsure"]
    assert cells.loc[("c", "y"), "regret"] == pytest.approx(0.01) and cells.loc[("c", "y"), "high"] > 0.09
    policies = found.by_policy.set_index("policy")
    mean = (values[0] - np.stack([values[0, 0], values[1, 1]])).mean(axis=0)
    half = student.ppf(0.975, 39) * mean.std(ddof=1) / np.sqrt(40)
    expected = [mean.mean(), mean.mean() - half, mean.mean() + half]
    assert policies.loc["a", ["mean", "mean_low", "mean_high"]].tolist() == pytest.approx(expected)
    assert policies["scenario"].tolist() == ["y", "x", "x"]
    assert policies["close_by_mean"].tolist() == [(), ("c",), ("b",)]
    assert policies["close_by_maximum"].tolist() == [(), ("c",), ("b",)]


def test_a_single_member_has_endless_intervals():
    found = regret(with_members(np.arange(6.0).reshape(3, 2, 1)))
    assert found.by_scenario["high"].tolist() == [np.inf] * 6 and found.by_scenario["low"].tolist() == [0] * 6


@given(st.lists(st.lists(st.integers(-9, 9), min_size=3, max_size=3), min_size=1, max_size=3))
def test_regret_is_never_negative_and_somebody_has_none(values):
    for better in ("lower", "higher"):
        found = regret(tidy(values), better=better)
        table = found.by_scenario.set_index(["policy", "scenario"])["regret"].unstack()
        best = np.min(values, axis=0) if better == "lower" else np.max(values, axis=0)
        assert table.to_numpy().tolist() == np.abs(np.array(values) - best).tolist()
        assert sorted(found.by_policy["rank_by_maximum"])[0] == 1


# ---------------------------------------------------------------- satisficing


def both(values, others, **more):
    return pd.concat([tidy(values, metric="stock", **more), tidy(others, metric="unmet", **more)], ignore_index=True)


def test_shares_of_scenarios_by_hand():
    frame = both([[10, 20, 30], [5, 25, 9], [40, 40, 40]], [[1, 5, 2], [0, 0, 0], [9, 9, np.inf]])
    found = satisficing(frame, {"stock": ("at least", 10), "unmet": ("at most", 2)})
    every = found[found["scenario"].isna()].set_index("policy")
    assert every["share"].tolist() == pytest.approx([2 / 3, 1 / 3, 0])
    assert every["stock"].tolist() == pytest.approx([1, 1 / 3, 1]) and every["unmet"].tolist() == pytest.approx([2 / 3, 1, 0])
    assert every["rank"].tolist() == [1, 2, 3] and every["tied"].tolist() == [(), (), ()] and (every["cases"] == 3).all()
    assert found[["low", "high"]].isna().all(axis=None)
    each = found[found["scenario"].notna()].set_index(["policy", "scenario"])["share"].unstack()
    assert each.to_numpy().tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]
    tied = satisficing(frame, {"stock": ("at least", 10)})
    assert tied["tied"].tolist()[3::4] == [("c",), (), ("a",)] and tied["rank"].tolist()[3::4] == [1, 3, 1]


def test_shares_of_draws_have_intervals():
    rng = np.random.default_rng(2)
    values = rng.random((3, 2, 50)) - np.array([0.3, 0.32, -1.0])[:, None, None]
    found = satisficing(with_members(values, "gap"), {"gap": ("at most", 0.0)})
    cells = found.set_index(["policy", "scenario"])
    hits = int((values[0, 1] <= 0).sum())
    low, high = proportion_interval(hits, 50)
    assert cells.loc[("a", "y"), ["share", "low", "high"]].tolist() == pytest.approx([hits / 50, float(low), float(high)])
    every = found[found["scenario"].isna()].set_index("policy")
    draws = (values[0] <= 0).mean(axis=0)
    half = student.ppf(0.975, 49) * draws.std(ddof=1) / np.sqrt(50)
    assert every.loc["a", ["share", "low", "high"]].tolist() == pytest.approx([draws.mean(), draws.mean() - half, draws.mean() + half])
    assert every.loc["c", ["share", "low"]].tolist() == [0, 0]
    assert every.loc["c", "high"] == pytest.approx(float(proportion_interval(0, 50)[1]))
    assert every["close"].tolist() == [("b",), ("a",), ()] and (every["cases"] == 100).all()


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.drop(columns="scenario"), "no column scenario"),
        (lambda frame: frame.iloc[:0], "0 rows"),
        (lambda frame: frame.iloc[:-1], "1 combinations are missing, the first c z"),
        (lambda frame: pd.concat([frame, frame.iloc[:1]]), "a x comes twice"),
        (lambda frame: frame.assign(value=np.nan), "a value is missing"),
        (lambda frame: frame.assign(member=0, value=np.inf), "infinite beside members"),
    ],
)
def test_frames_that_cannot_be_compared_are_refused(change, words):
    frame = tidy([[1.0, 2, 3]] * 3)
    with pytest.raises(InputError, match=words):
        regret(change(frame))


def test_wrong_thresholds_are_named_together():
    frame = both([[1, 2, 3]], [[1, 2, 3]])
    with pytest.raises(InputError) as caught:
        satisficing(frame, {"stok": ("at least", 1), "unmet": ("atmost", np.nan)})
    assert len(caught.value.problems) == 3 and "did you mean 'stock'" in str(caught.value)
    with pytest.raises(InputError, match="one or more"):
        satisficing(frame, {})
    with pytest.raises(InputError, match="no such column"):
        satisficing(frame.drop(columns="metric"), {"stock": ("at least", 1)})
    with pytest.raises(InputError, match="the same for each"):
        satisficing(frame[(frame["metric"] == "stock") | (frame["scenario"] == "x")], {"stock": ("at most", 1), "unmet": ("at most", 1)})
    with pytest.raises(InputError, match="lower"):
        regret(tidy([[1]]), better="lowest")
