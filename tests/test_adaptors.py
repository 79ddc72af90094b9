"""The model as a plain function, as a problem of SALib and as a model of the EMA Workbench."""

from __future__ import annotations

import numpy as np
import pytest
from SALib.analyze import morris as analyze_morris
from SALib.sample import morris as sample_morris

import stockpile as sp
from stockpile.errors import InputError
from stockpile.exports.adaptors import bounds, ema_model, function, salib_problem

PATHS = ("munitions.pac3.us_stock", "munitions.pac3.us_share")
OUTCOMES = ("pac3:minimum_after_as_of", "pac3:total_unmet:ukraine")


@pytest.fixture(scope="module")
def scenario() -> sp.Scenario:
    return sp.load("july_2025")


def test_a_point_is_a_run_of_the_overridden_scenario(scenario: sp.Scenario) -> None:
    made = function(scenario, PATHS, OUTCOMES, "suspension_6_months")
    found = made([2100.0, 0.4])
    metrics = sp.run(scenario.override(dict(zip(PATHS, (2100.0, 0.4), strict=True))), ["suspension_6_months"]).metrics()
    of = metrics[metrics["munition"] == "pac3"].set_index(["recipient", "metric"])["value"]
    assert found == pytest.approx([of["us", "minimum_after_as_of"], of["ukraine", "total_unmet"]], rel=1e-12)
    both = made([[2100.0, 0.4], [2500.0, 0.4]])
    assert both.shape == (2, 2)
    assert np.array_equal(both[0], found)
    assert both[1, 0] > both[0, 0]


def test_means_over_draws_are_those_of_an_ensemble(scenario: sp.Scenario) -> None:
    made = function(scenario, PATHS[:1], ["pac3:minimum_after_as_of", "pac3:below.transfer_floor@2030-01-01"], members=300, seed=4)
    found = made([2200.0])
    drawn = sp.ensemble(scenario.override({PATHS[0]: 2200.0}), ["none"], members=300, seed=4)
    estimates = drawn.estimates().set_index(["munition", "recipient", "metric"])
    assert found[0] == pytest.approx(estimates.loc[("pac3", "us", "minimum_after_as_of"), "mean"], rel=1e-9)
    chance = drawn.chance_below("transfer_floor", by="2030-01-01", policy="none", munition="pac3")
    assert found[1] == chance.hits / chance.members


def test_an_optimiser_can_use_it(scenario: sp.Scenario) -> None:
    from scipy.optimize import brentq

    made = function(scenario, PATHS[:1], OUTCOMES[:1])
    at = brentq(lambda stock: float(made([stock])[0]) - 2000.0, 1500.0, 3500.0, xtol=1e-3)
    assert made([at])[0] == pytest.approx(2000.0, abs=0.1)


def test_salib_takes_the_problem(scenario: sp.Scenario) -> None:
    problem = salib_problem(scenario, PATHS)
    assert problem == {"num_vars": 2, "names": list(PATHS), "bounds": [[1900.0, 2600.0], list(bounds(scenario, PATHS[1]))]}
    x = sample_morris.sample(problem, 4, seed=1)
    y = function(scenario, PATHS, OUTCOMES[:1])(x)[:, 0]
    found = analyze_morris.analyze(problem, x, y, seed=1)
    assert found["mu_star"][0] > 0.0


def test_the_workbench_takes_the_model(scenario: sp.Scenario) -> None:
    workbench = pytest.importorskip("ema_workbench")
    made = ema_model(function(scenario, PATHS, OUTCOMES), levers=PATHS[1:])
    with workbench.SequentialEvaluator(made) as evaluator:
        experiments, outcomes = evaluator.perform_experiments(scenarios=3, policies=2)
    assert len(experiments) == 6
    assert outcomes["pac3_minimum_after_as_of"].shape == (6,)


@pytest.mark.parametrize(
    ("paths", "outcomes", "words"),
    [
        (["munitions.pac4.us_stock"], OUTCOMES, "leads nowhere"),
        ([], OUTCOMES, "at least one path"),
        (PATHS, ["pac3:nothing"], "unknown metric"),
        (PATHS, ["nothing"], "MUNITION:METRIC"),
    ],
)
def test_what_there_is_not_is_refused(scenario: sp.Scenario, paths: list[str], outcomes: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        function(scenario, paths, outcomes)


def test_another_shape_and_a_value_without_a_range_are_refused(scenario: sp.Scenario) -> None:
    with pytest.raises(InputError, match=r"shape \(3,\)"):
        function(scenario, PATHS, OUTCOMES)([1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="has no range"):
        bounds(scenario, "munitions.pac3.floors.quarter")
