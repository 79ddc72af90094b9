"""Simulation-based calibration: the sampler finds made-up truths as often as its intervals say; one that does not is found out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from evidence_layers import closed, lay, observation, source, stock

import stockpile as sp
from stockpile.errors import InputError
from stockpile.evidence import sbc
from stockpile.evidence.scored import log_likelihood

TRUTHS, PARTICLES = 400, 256
STOCK, TRANSFERS = "munitions.pac3.us_stock", "recipients.ukraine.pac3.authorised"
DATES = {"stock_2024": ("2024-06-01", 0.93, 1.1), "stock_2026": ("2026-07-01", 0.8, 1.2)}
TWO = observation("first", 100, more="low = 92\nhigh = 112") + observation("second", 100, more="low = 85\nhigh = 115")


def of_pac3(folder: Path) -> sp.Scenario:
    """November 2026 with two figures for the US stock of PAC-3, one of them read with lopsided errors."""
    reports = "".join(
        observation(name, 2000, munition="pac3", date=date, more=f"low = {2000 * low}\nhigh = {2000 * high}")
        for name, (date, low, high) in DATES.items()
    )
    files = {"observations/made_up.toml": reports, "sources.toml": source("made_up_report", "2026-08-01")}
    return sp.load("november_2026", params=[lay(folder, files)])


@pytest.mark.slow
def test_ranks_of_four_hundred_truths_are_uniform_and_nine_intervals_in_ten_cover(tmp_path: Path) -> None:
    found = sbc.simulation_based(of_pac3(tmp_path), list(DATES), [STOCK, TRANSFERS], truths=TRUTHS, particles=PARTICLES)
    table = found.table()
    assert found.ranks.shape == (4, TRUTHS) and list(table["quantity"]) == [STOCK, TRANSFERS, *DATES]
    # Four quantities, two statistics: the least of eight p values of a right sampler is below 0.001 less than once in a hundred times.
    assert table["p_value"].min() > 0.001, table.to_string()
    assert table["envelope_p"].min() > 0.001, table.to_string()
    assert table["coverage"].between(0.85, 0.95).all(), table.to_string()


@pytest.mark.slow
@pytest.mark.parametrize(("times", "shift"), [(6.0, 0.0), (1.0, 0.6)])
def test_a_sampler_that_trusts_figures_too_much_or_reads_them_off_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: float, shift: float
) -> None:
    scenario = closed(tmp_path, stock(), TWO)
    monkeypatch.setattr(sbc, "log_likelihood", lambda readings, found: times * log_likelihood(readings, found + shift * 8))
    table = sbc.simulation_based(scenario, ["first", "second"], ["munitions.test_round.us_stock"], truths=100, particles=128).table()
    assert table["p_value"].max() < 1e-4 and table["envelope_p"].max() < 0.01
    assert times == 1.0 or table["coverage"].max() < 0.8


def test_the_same_seed_gives_the_same_ranks(tmp_path: Path) -> None:
    scenario = closed(tmp_path, stock(), TWO)
    names, stocks = ["first", "second"], ["munitions.test_round.us_stock"]
    runs = [sbc.simulation_based(scenario, names, stocks, truths=4, particles=64) for _ in range(2)]
    assert np.array_equal(runs[0].ranks, runs[1].ranks) and runs[0].ranks.max() <= runs[0].draws == 16
    # The stock at the start is what both figures count: all three ranks are of the same truths in the same draws.
    assert (runs[0].ranks[1] == runs[0].ranks[2]).all()


def test_the_statistics_of_ranks_know_uniform_ones() -> None:
    random = np.random.default_rng(1)
    p_values = [sbc.chi_square(random.integers(0, 65, TRUTHS), 64)[1] for _ in range(400)]
    assert 0.01 < np.mean(np.array(p_values) < 0.05) < 0.09
    heaped = np.clip(np.round(random.normal(32, 10, TRUTHS)), 0, 64).astype(int)
    assert sbc.chi_square(heaped, 64)[1] < 1e-6
    assert sbc.envelope(heaped, 64) < 1e-6 < sbc.envelope(random.integers(0, 65, TRUTHS), 64)


def test_what_cannot_be_made_up_is_refused(tmp_path: Path) -> None:
    reports = observation("least", 85, more='bound = "at_least"') + observation("about", 85)
    scenario = closed(tmp_path, stock(), reports)
    for names in ([], ["least"], ["unheard_of"]):
        with pytest.raises(InputError, match="about a figure which the model counts too"):
            sbc.simulation_based(scenario, names, [], truths=1)
    with pytest.raises(InputError, match=r"munitions\.test_round\.training is not drawn"):
        sbc.simulation_based(scenario, ["about"], ["munitions.test_round.training"], truths=1)
