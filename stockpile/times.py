"""Mean times of the flows, and whether the steps of a run are short enough for them."""

from __future__ import annotations

import numpy as np

from stockpile import schema
from stockpile.clock import Clock
from stockpile.errors import InputError, Problem
from stockpile.lookup import Numbers, factor_of
from stockpile.model.state import Quantity
from stockpile.scenario import Scenario


def mean_times(numbers: Numbers) -> dict[str, Quantity]:
    """Return the mean times [month], and `cover` [month] and `commit` [1/month], each one a member."""
    model = numbers.scenario.model
    result = {name: numbers.at_start(f"model.times.{name}", getattr(model.times, name)) for name in schema.Times.model_fields}
    for name in ("cover", "commit"):
        result[name] = numbers.at_start(f"model.{name}", getattr(model, name))
    return result


def check_steps(scenario: Scenario, clock: Clock) -> None:
    """Refuse steps that are too long for the times given, at the worst ends of their ranges.

    Raises
    ------
    InputError
        With the substeps that would do.
    """
    model, problems = scenario.model, []

    def ends(parameter: schema.Parameter) -> tuple[float, float]:
        factor = factor_of(parameter.unit)
        lows = [p.value if p.low is None else p.low for p in parameter.points]
        highs = [p.value if p.high is None else p.high for p in parameter.points]
        return min(lows) * factor, max(highs) * factor

    shortest = {name: ends(getattr(model.times, name))[0] for name in schema.Times.model_fields}
    longest = {name: ends(getattr(model.times, name))[1] for name in schema.Times.model_fields}
    for name, time in shortest.items():
        if time <= 0.0:
            problems.append(Problem(scenario.name, 0, 0, f"model.times.{name}", f"{time:g} month is not a time; allowed: above 0"))
    if problems:
        raise InputError(problems)
    for first, second in (("issue", "catch_up"), ("catch_up", "order")):
        if longest[first] > shortest[second]:
            bound = f"{second} ({shortest[second]:g} month at its least)"
            message = f"{longest[first]:g} month is above {bound}; allowed: issue <= catch_up <= order"
            problems.append(Problem(scenario.name, 0, 0, f"model.times.{first}", message))
    commit = ends(model.commit)[1]
    loss = max(ends(munition.loss_rate)[1] for munition in scenario.munitions.values())
    rules = {
        "dt (1/issue + loss)": 1.0 / shortest["issue"] + loss,
        "dt / line": 1.0 / shortest["line"],
        "dt (1/release + loss)": 1.0 / shortest["release"] + loss,
        "dt (1/catch_up + loss)": 1.0 / shortest["catch_up"] + loss,
        "dt (1/order + commit + loss)": 1.0 / shortest["order"] + commit + loss,
    }
    for rule, rate in rules.items():
        if clock.dt * rate > 1.0 + 1e-12:
            least = int(np.ceil(rate - 1e-9))
            message = f"{rule} = {clock.dt * rate:g} is above 1 with substeps = {clock.substeps}; allowed: substeps of at least {least}"
            problems.append(Problem(scenario.name, 0, 0, "scenario.substeps", message))
    if problems:
        raise InputError(problems)
