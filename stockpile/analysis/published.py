"""A run beside what was reported: by how much they differ. Nothing here is fed back into a run."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile import schema
from stockpile.evidence.measures import measure_of
from stockpile.results import US, Result
from stockpile.simulate import run

if TYPE_CHECKING:
    from stockpile.scenario import Scenario

DAILY = 31
"""Steps a month, so that a date in the middle of a month is met."""


@dataclass(frozen=True)
class Comparison:
    """One observation beside the run.

    Attributes
    ----------
    name : str
        Name of the observation.
    observation : schema.Observation
        What was reported.
    model : float
        The run's value at that date, central values [the observation's unit].
    difference : float
        Model less reported.
    inside : bool or None
        Whether the model lies in the reported range; None where no range is given.
    residual : tuple of float or None
        For an observation that closes the books: the use that would close the gap, at the high and at the low end of what
        was reported, never fed back.
    """

    name: str
    observation: schema.Observation
    model: float
    difference: float
    inside: bool | None
    residual: tuple[float, float] | None


def beside_published(scenario: Scenario, policy: str = "none") -> tuple[Comparison, ...]:
    """Return every observation of a stock that was known at `as_of`, beside a run in daily steps.

    Parameters
    ----------
    scenario : Scenario
    policy : str
        The policy that is run.
    """
    found: dict[str, schema.Observation] = {}
    for name, item in scenario.observations.items():
        measure, _ = measure_of(item, tuple(scenario.recipients))
        ours = measure is not None and measure.kind == "stock" and item.scope.owner == US and not item.of
        if ours and item.munition in scenario.munitions:
            found[name] = item
    start, end = scenario.settings.start, scenario.settings.end
    found = {name: item for name, item in found.items() if start and end and start <= item.day < end}
    if not found:
        return ()
    last = max(item.day for item in found.values())
    horizon = dt.date(last.year + last.month // 12, last.month % 12 + 1, 1)
    fine = scenario.override({"scenario.substeps": DAILY, "scenario.method": "difference", "scenario.end": horizon})
    result = run(fine, [policy])
    order = sorted(found.items(), key=lambda pair: (pair[1].day, pair[0]))
    return tuple(_compare(result, name, item, policy) for name, item in order)


def _compare(result: Result, name: str, item: schema.Observation, policy: str) -> Comparison:
    measure, _ = measure_of(item, result.recipients)
    assert measure is not None
    quantity, row, _ = measure.terms[0]
    series = result.array(quantity, row, policy=policy, munition=measure.munition)
    model = float(np.mean(series[:, result.index(str(item.day))]))
    low, high = (item.value, item.value) if item.low is None or item.high is None else (item.low, item.high)
    return Comparison(
        name=name,
        observation=item,
        model=model,
        difference=model - item.value,
        inside=None if item.low is None else low <= model <= high,
        residual=(model - high, model - low) if item.closes_the_books else None,
    )
