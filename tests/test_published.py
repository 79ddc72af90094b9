"""A run beside what was reported: shown, never fed back."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

import stockpile as sp
from stockpile.analysis.published import Comparison, beside_published

MADE_UP = """
[made_up]
title = "A made-up count"
munition = "pac3"
basis = "claim"
scope = {{ state = "{state}", owner = "us", variant = "made up", match = "same" }}
date = 2026-05-01
unit = "round"
value = 1
source = "github_2026_08_interceptor_note"
where = "nowhere"
grade = "reported"
"""


@pytest.fixture(scope="module")
def november() -> sp.Scenario:
    return sp.load("november_2026")


@pytest.fixture(scope="module")
def found(november: sp.Scenario) -> dict[str, Comparison]:
    return {item.name: item for item in beside_published(november)}


def test_the_three_figures_of_2026_are_compared(found: dict[str, Comparison]) -> None:
    dates = {name: item.observation.date for name, item in found.items()}
    assert dates["pac3_before_campaign_2026"] == dt.date(2026, 2, 28)
    assert dates["pac3_after_campaign_2026"] == dt.date(2026, 4, 8)
    assert dates["pac3_july_2026"] == dt.date(2026, 7, 30)


def test_the_model_is_the_run_in_daily_steps(november: sp.Scenario, found: dict[str, Comparison]) -> None:
    result = sp.run(november.override({"scenario.substeps": 31}), ["none"])
    for item in found.values():
        stock = result.array("us_on_hand", policy="none", munition="pac3")[0, result.index(str(item.observation.date))]
        assert item.model == pytest.approx(stock, rel=1e-12)
        assert item.difference == pytest.approx(stock - item.observation.value, rel=1e-12)


def test_inside_and_residual_follow_from_the_range(found: dict[str, Comparison]) -> None:
    for item in found.values():
        low, high = item.observation.low, item.observation.high
        if low is None or high is None:
            assert item.inside is None
            continue
        assert item.inside == (low <= item.model <= high)
        if item.observation.closes_the_books:
            assert item.residual == pytest.approx((item.model - high, item.model - low))
        else:
            assert item.residual is None


def with_observation(folder: Path, state: str) -> Path:
    """Write a made-up observation, and return the folder to lay over the parameters."""
    (folder / "observations").mkdir()
    (folder / "observations" / "more.toml").write_text(MADE_UP.format(state=state), encoding="utf-8")
    return folder


def test_an_observation_moves_no_result(november: sp.Scenario, tmp_path: Path) -> None:
    seen = sp.load("november_2026", params=[with_observation(tmp_path, "on_hand")])
    assert "made_up" in seen.observations
    assert seen.digest == november.digest
    assert sp.run(seen, ["none"]).table().equals(sp.run(november, ["none"]).table())


def test_nothing_reported_later_is_seen_in_july_2025() -> None:
    assert beside_published(sp.load("july_2025")) == ()


def test_only_stocks_of_the_us_stand_beside_the_run(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    stock = beside_published(sp.load("november_2026", params=[with_observation(tmp_path / "one", "on_hand")]))
    need = beside_published(sp.load("november_2026", params=[with_observation(tmp_path / "other", "needed")]))
    assert {item.name for item in stock} - {item.name for item in need} == {"made_up"}


def test_the_page_shows_them_and_says_that_nothing_is_fed_back(november: sp.Scenario, tmp_path: Path) -> None:
    page = sp.report(november, tmp_path / "november.html", policies=["none"]).read_text(encoding="utf-8")
    assert 'id="reported"' in page
    assert "it is not fed back into the run" in page
    july = sp.report(sp.load("july_2025"), tmp_path / "july.html", policies=["none"]).read_text(encoding="utf-8")
    assert 'id="reported"' not in july
