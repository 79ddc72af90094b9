"""Scenario boxes: peeling and pasting against plain loops, known boxes in noise, choice, words, and how often a limit comes back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import prim_reference as reference
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from stockpile.analysis import peeling
from stockpile.analysis.boxes import Box, Limit, Search, boxes, chosen_of, how_often, in_words
from stockpile.errors import InputError


@st.composite
def tables(draw):
    """Draw cases with columns of all kinds (many ties, few values, categories), and which of them fail."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    cases = draw(st.integers(2, 90))
    makers = {
        "real": lambda: rng.random(cases),
        "heap": lambda: np.where(rng.random(cases) < 0.6, 1.0, rng.random(cases) * 3),
        "whole": lambda: rng.integers(0, draw(st.integers(1, 6)), cases),
        "same": lambda: np.full(cases, 4.0),
        "word": lambda: rng.choice(["a", "b", "c", "d"][: draw(st.integers(1, 4))], cases),
        "truth": lambda: rng.random(cases) < 0.3,
    }
    kinds = draw(st.lists(st.sampled_from(sorted(makers)), min_size=1, max_size=4))
    frame = pd.DataFrame({f"{kind}{place}": makers[kind]() for place, kind in enumerate(kinds)})
    numbers = frame.select_dtypes("number")
    slope = numbers.rank(pct=True).mean(axis=1).to_numpy() - 0.5 if len(numbers.columns) else np.zeros(cases)
    fails = rng.random(cases) < draw(st.sampled_from([0.1, 0.4, 0.8])) + slope * draw(st.sampled_from([0, 1, 3]))
    return frame, fails


def as_lists(frame):
    kinds = [reference.CATEGORICAL if frame[name].dtype in (bool, object, "str") else reference.NUMERIC for name in frame]
    return [frame[name].tolist() for name in frame], kinds


def as_reference(table, rules):
    """Return a box as the reference writes it."""

    def names(column, places):
        return frozenset(table.categories[column][place] for place in places)

    return [
        (rule.low, rule.high) if isinstance(rule, peeling.Between) else names(column, rule.left_out)
        for column, rule in enumerate(rules)
    ]


SHARES, LEAST = st.sampled_from([0.03, 0.1, 0.3, 0.7]), st.sampled_from([0.02, 0.1, 0.3])


@given(tables(), SHARES, LEAST, st.sampled_from(["gain", "mean"]), st.booleans())
def test_peeling_and_pasting_are_those_of_plain_loops(drawn, share, least, objective, part):
    frame, fails = drawn
    columns, kinds = as_lists(frame)
    within = np.arange(len(fails)) % 3 > 0 if part and len(fails) > 3 else np.ones(len(fails), dtype=bool)
    rows = np.flatnonzero(within).tolist()
    smallest = max(1, int(least * len(fails)))
    table = peeling.read(frame)
    path = peeling.peel(table, fails, within, share=share, smallest=smallest, objective=objective)
    expected = reference.peel(columns, kinds, fails, rows, alpha=share, smallest=smallest, objective=objective)
    assert [as_reference(table, step.rules) for step in path] == expected
    for step, box in zip(path, expected, strict=True):
        inside = reference.members(columns, box, rows)
        assert (step.cases, step.failing) == (len(inside), sum(bool(fails[row]) for row in inside))
    wider = peeling.paste(table, fails, within, path[-1].rules, share=share)
    expected = reference.paste(columns, kinds, fails, rows, expected[-1], alpha=share)
    assert [as_reference(table, step.rules) for step in wider] == expected
    plain = peeling.tidied(table, within, wider[-1].rules)
    assert (within & table.inside(plain)).tolist() == (within & table.inside(wider[-1].rules)).tolist()
    assert len(peeling.restricted(plain)) <= len(peeling.restricted(wider[-1].rules))


@given(tables(), st.sampled_from([None, 0.5, 1.0]))
def test_a_box_says_what_lies_in_it(drawn, least):
    frame, fails = drawn
    found = boxes(frame, fails, Search(least_coverage=least, smallest=0.1))
    left = np.ones(len(fails), dtype=bool)
    for box in found.found:
        inside = box.inside(frame) & left
        assert box.cases == inside.sum()
        assert box.failing == (inside & fails).sum()
        assert box.coverage == pytest.approx((inside & fails).sum() / fails.sum())
        assert box.density == pytest.approx(fails[inside].mean())
        assert box.density > fails.mean()
        assert all(limit.quasi_p <= 0.05 for limit in box.limits)
        end = box.trajectory[box.trajectory["chosen"]].iloc[-1]
        assert (end["cases"], end["failing"]) == (box.cases, box.failing)
        peeled = box.trajectory[box.trajectory["phase"] == "peel"]
        assert (np.diff(peeled["cases"]) < 0).all() and (np.diff(peeled["dimensions"]) >= 0).all()
        pasted = box.trajectory[(box.trajectory["phase"] == "paste") | ((box.trajectory["phase"] == "peel") & box.trajectory["chosen"])]
        assert (np.diff(pasted["density"]) >= 0).all() and (np.diff(pasted["coverage"]) >= 0).all()
        left &= ~inside
    if fails.any():
        assert found.coverage == pytest.approx((~left & fails).sum() / fails.sum())


def planted(cases=4000, seed=1):
    """Return cases that nearly all fail where lead is above 26, need above 40 and the rule is slow, and seldom elsewhere."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "noise": rng.random(cases), "lead": rng.uniform(12, 36, cases), "need": rng.uniform(10, 60, cases),
        "rule": rng.choice(["fast", "slow", "none"], cases), "lots": rng.integers(0, 10, cases),
    })
    inside = ((frame["lead"] > 26) & (frame["need"] > 40) & (frame["rule"] == "slow")).to_numpy()
    return frame, rng.random(cases) < np.where(inside, 0.95, 0.02), inside


@pytest.mark.parametrize("objective", ["gain", "mean"])
@pytest.mark.parametrize("least", [None, 0.5])
def test_a_box_planted_in_noise_is_found(objective, least):
    frame, fails, inside = planted()
    found = boxes(frame, fails, Search(objective=objective, least_coverage=least, smallest=0.02, most=1))
    (box,) = found.found
    assert [limit.column for limit in box.limits] == ["lead", "need", "rule"]
    assert (box.inside(frame) & inside).sum() / (box.inside(frame) | inside).sum() > 0.85
    lead, need, rule = box.limits
    assert lead.low == pytest.approx(26, abs=1) and lead.high is None
    assert need.low == pytest.approx(40, abs=1.5) and need.high is None
    assert (rule.kept, rule.left_out) == (("slow",), ("fast", "none"))
    assert found.said == "1 boxes were looked for"


def test_a_second_box_is_looked_for_outside_the_first():
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(rng.random((3000, 3)), columns=["x", "y", "z"])
    one, two = (frame["x"] > 0.8).to_numpy(), (frame["y"] < 0.1).to_numpy()
    found = boxes(frame, one | two)
    assert [[limit.column for limit in box.limits] for box in found.found] == [["x"], ["y"]]
    assert found.coverage == 1.0
    assert found.said == "all failures lie in the boxes"
    first, second = found.found
    # A peeling goes in steps of a share, so that its limits lie near the edges of what was planted.
    assert first.limits[0].low == pytest.approx(0.8, abs=0.02)
    assert second.limits[0].high == pytest.approx(0.1, abs=0.02)
    assert (second.inside(frame) & ~first.inside(frame)).sum() == second.cases
    assert first.density > 0.95 and second.density > 0.95
    assert len(found.table()) == 2


def test_nothing_or_everything_failing_is_said():
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0]})
    for fails, word in ((False, "nothing fails"), (True, "everything fails")):
        found = boxes(frame, np.full(3, fails))
        assert found.found == () and word in found.said
        assert found.table().empty
    assert np.isnan(boxes(frame, np.zeros(3, dtype=bool)).coverage)


def test_where_no_input_matters_no_box_is_found():
    frame = pd.DataFrame({"x": np.repeat([1.0, 2.0], 50), "same": 3})
    found = boxes(frame, np.tile([True, False], 50))
    assert found.found == () and found.said == "no box does better than the whole"


def test_the_quasi_p_value_is_the_binomial_tail_without_the_restriction():
    frame = pd.DataFrame({"x": [0.0] * 10 + [1.0] * 10, "y": [0, 1] * 10})
    fails = np.array([True] * 2 + [False] * 8 + [True] * 7 + [False] * 3)
    table = peeling.read(frame)
    found = peeling.quasi_p_values(table, fails, np.ones(20, dtype=bool), (peeling.Between(low=1.0), peeling.Between()))
    assert found == {0: pytest.approx(binom.sf(6, 10, 9 / 20))}


def test_the_choice_is_that_of_the_stated_rule():
    def step(cases, failing):
        return peeling.Step((), cases, failing, "peel")

    path = [step(100, 20), step(50, 19), step(25, 16), step(12, 11), step(5, 5), step(4, 4)]
    assert chosen_of(path, None) == 2  # 2 x 16 / (25 + 20) is the highest harmonic mean
    assert chosen_of(path, 0.9) == 1
    assert chosen_of(path, 0.5) == 3
    assert chosen_of(path, 0.1) == 4  # the larger of the two that are as dense
    assert chosen_of(path, 1.0) == 0


def test_a_limit_by_chance_comes_back_in_few_halves():
    frame, fails, _ = planted()
    found = how_often(frame, fails, Search(smallest=0.02), resamples=10, seed=3).set_index("column")
    assert (found.loc[["lead", "need", "rule"], "restricted"] == 1).all()
    assert (found.loc[["noise", "lots"], "restricted"] < 0.5).all()
    assert found["in_whole"].tolist() == [False, True, True, True, False]
    assert (found["halves"] == 10).all()
    again = how_often(frame, fails, Search(smallest=0.02), resamples=10, seed=3).set_index("column")
    pd.testing.assert_frame_equal(found, again)
    nothing = how_often(frame, np.zeros(len(frame), dtype=bool), resamples=2)
    assert nothing["restricted"].isna().all() and (nothing["halves"] == 0).all()


def test_ties_go_to_the_first_column_and_side():
    frame = pd.DataFrame({"b": [0.0, 1.0, 2.0, 3.0], "a": [0.0, 1.0, 2.0, 3.0]})
    fails, every = np.array([False, True, True, False]), np.ones(4, dtype=bool)
    path = peeling.peel(peeling.read(frame), fails, every, share=0.25, smallest=1, objective="gain")
    assert path[1].rules[0] == peeling.Between(low=1.0)
    assert path[2].rules[0] == peeling.Between(1.0, 2.0)


def box_of(*limits, number=1):
    return Box(number, limits, 90, 81, 0.81, 0.9, 0.1, pd.DataFrame())


def test_a_box_in_words():
    lead = Limit("lead", 26.04, None, (), (), 0.0, False)
    need = Limit("need", 40.0, None, (), (), 0.0, False)
    labels, units = {"lead": "lead time", "need": "Ukraine's need"}, {"lead": "months", "need": "a month"}
    assert in_words(box_of(lead, need), labels, units) == (
        "when lead time is above 26 months and Ukraine's need is above 40 a month: 81 % of the failures lie here (coverage), "
        "90 % of the cases here fail (density)"
    )
    stock = Limit("stock", None, 12345.6, (), (), 0.0, False)
    lots = Limit("lots", 2.0, 4.0, (), (), 0.0, True)
    rule = Limit("rule", None, None, ("a", "b", "c"), ("d",), 0.0, False)
    some = Limit("some", None, None, ("a", "b"), ("c", "d"), 0.0, False)
    assert in_words(box_of(stock, lots, rule, some, number=2)) == (
        "when stock is below 12,346, lots is from 2 to 4, rule is not d and some is a or b: 81 % more of the failures lie here, "
        "outside the boxes before (coverage), 90 % of the cases here fail (density)"
    )
    assert in_words(box_of(Limit("n", 3.0, 3.0, (), (), 0.0, True))).startswith("when n is 3:")
    assert in_words(box_of(Limit("n", 3.0, None, (), (), 0.0, True))).startswith("when n is at least 3:")


@pytest.mark.parametrize(
    ("frame", "fails", "words"),
    [
        (pd.DataFrame({"x": [1.0, np.nan], "y": ["a", None]}), [True, False], ["x: 1 values are missing", "y: 1 values are missing"]),
        (pd.DataFrame({"x": [1.0, np.inf]}), [True, False], ["x: 1 values are missing or not finite"]),
        (pd.DataFrame({"x": [1.0, 2.0]}), [True], ["allowed: bool of shape (2,)"]),
        (pd.DataFrame({"x": [1.0, 2.0]}), [1, 0], ["allowed: bool of shape (2,)"]),
        (pd.DataFrame({"x": []}), [], ["0 rows of 1 columns"]),
    ],
)
def test_bad_input_is_refused(frame, fails, words):
    with pytest.raises(InputError) as caught:
        boxes(frame, fails)
    assert all(word in str(caught.value) for word in words)


def test_a_search_names_all_its_faults():
    with pytest.raises(InputError) as caught:
        Search(peel=0, paste=1, smallest=2, objective="gian", least_coverage=0, significance=0, most=0)
    assert len(caught.value.problems) == 7
    assert "did you mean 'gain'" in str(caught.value)
    with pytest.raises(InputError, match="resamples"):
        how_often(pd.DataFrame({"x": [1.0, 2.0]}), np.array([True, False]), resamples=0)
