"""The books of drawn members close too, from `table()` alone."""

from __future__ import annotations

import datetime as dt

import books
import drawn
import hypothesis.strategies as st
import pytest
from drawn import Case
from hypothesis import given

import stockpile as sp


def check(ensemble: sp.Ensemble) -> None:
    table = ensemble.table()
    assert sorted(set(table.member)) == list(range(ensemble.members))
    for _, part in table.groupby("member"):
        assert books.check(part) == len(ensemble.policies) * len(ensemble.munitions)


@pytest.mark.parametrize(("name", "sampler"), [("july_2025", "random"), ("november_2026", "lhs"), ("second_campaign", "sobol")])
def test_books_of_drawn_members_close(name: str, sampler: str) -> None:
    scenario = sp.load(name).override({"scenario.end": dt.date(2028, 1, 1)})
    policies = ["none", "suspension_including_israel", "suspension_with_review", "suspension_new_production_diverted", "us_first"]
    check(sp.ensemble(scenario, policies, 3, 7, sampler, keep=True, engine="numpy", quantities=[]))


@given(case=drawn.cases(), seed=st.integers(0, 2**40))
def test_books_close_whatever_is_changed_and_drawn(case: Case, seed: int) -> None:
    check(sp.ensemble(case.scenario(), list(case.policies), 4, seed, keep=True, engine="numpy", quantities=[]))
