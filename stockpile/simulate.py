"""From a scenario to a result: assemble, run the engine, name what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile import provenance
from stockpile.assemble import Assembly, assemble
from stockpile.engine import difference
from stockpile.engine.trajectories import Array, Trajectories
from stockpile.model import equations
from stockpile.model.state import ENTERING, SERIES, Known
from stockpile.results import US, Result
from stockpile.rules import settle

if TYPE_CHECKING:
    from stockpile.scenario import Scenario

ROWS_OF_THEIR_OWN = {"expired_on_hand": "expired"}
"""Fields of the equations that the table calls by another name, for the recipients."""


def run(scenario: Scenario, policies: Sequence[str] | None = None) -> Result:
    """Run a scenario with central values.

    Parameters
    ----------
    scenario : Scenario
    policies : sequence of str, optional
        Names of policies; the scenario's own where left out.

    Returns
    -------
    Result
        With one member.

    Raises
    ------
    InputError
        As `assemble`; and for an allocation rule of the user's that cannot be used.
    """
    assembly = assemble(scenario, policies)
    trajectories, cuts = integrate(assembly, str(scenario.settings.method))
    return named(scenario, assembly, trajectories, cuts)


def integrate(assembly: Assembly, method: str) -> tuple[Trajectories, list[Array] | None]:
    """Return the trajectories of all lanes, and what was cut off the proposals of users' own rules (None without such a rule)."""
    own = [rule for rule in assembly.rules if ":" in rule]
    if not own:
        return _engine(assembly, method, equations.allocate), None
    if method != "difference":
        from stockpile.errors import InputError

        raise InputError.one("scenario.method", f"{method!r} cannot run the allocation rule {own[0]!r} of your own; allowed: difference")
    rule = settle(assembly)
    return _engine(assembly, method, rule), rule.cuts()


def _engine(assembly: Assembly, method: str, allocate: equations.Allocate) -> Trajectories:
    clock = assembly.clock
    if method == "ode":
        from stockpile.engine import ode

        return ode.run(assembly.opening, assembly.series, clock.knots, clock.steps, assembly.constants, allocate)
    count = len(clock.steps) - 1
    return difference.run(assembly.opening, on_steps(assembly), assembly.constants, clock.dt, count, allocate)


def on_steps(assembly: Assembly) -> Known:
    """Return the series as means over the steps, arrays of shape (steps, lanes)."""
    mean = assembly.clock.mean
    found: dict[str, Any] = {field.name: getattr(assembly.series, field.name) for field in fields(Known)}
    means: dict[str, Any] = {n: tuple(mean(one) for one in v) if isinstance(v, tuple) else mean(v) for n, v in found.items()}
    return Known(**means)


def named(scenario: Scenario, assembly: Assembly, found: Trajectories, cuts: list[Array] | None) -> Result:
    """Return the result with names on everything."""
    axes, clock = assembly.axes, assembly.clock
    shape = (len(axes.policies), len(axes.munitions), axes.members)
    arrays: dict[tuple[str, str], Array] = {}

    def put(name: str, row: str, array: Array) -> None:
        arrays[name, row] = np.ascontiguousarray(np.moveaxis(array, 0, -1)).reshape(*shape, array.shape[0])

    def put_all(name: str, value: Any) -> None:
        if isinstance(value, tuple) or value.ndim == 3:
            rows = axes.causes if name == "own_use_for" else axes.recipients
            for row, one in zip(rows, value, strict=True):
                put(ROWS_OF_THEIR_OWN.get(name, name), row, one)
        else:
            put(name, US, value)

    for name, value in {**found.stocks, **found.flows}.items():
        put_all(name, value)
    put("unpromised", US, found.stocks["us_on_hand"] - found.stocks["deferred"].sum(axis=0))
    series = on_steps(assembly)
    for name in SERIES:
        value = getattr(series, name)
        scale = clock.dt if name in ENTERING else 1.0
        put_all(name, tuple(one * scale for one in value) if isinstance(value, tuple) else value * scale)
    if cuts is not None:
        put_all("rule_cut", tuple(cuts))
    return Result(
        policies=axes.policies,
        munitions=axes.munitions,
        recipients=axes.recipients,
        dates=clock.dates,
        arrays=arrays,
        levels=assembly.levels,
        unit_cost=assembly.unit_cost,
        manifest=manifest(scenario, axes.policies),
    )


def manifest(scenario: Scenario, policies: Sequence[str]) -> dict[str, Any]:
    """Return what made a result: names, digests, versions. No wall clock."""
    settings = scenario.settings
    return {
        "scenario": scenario.name,
        "title": settings.title,
        "as_of": str(scenario.as_of),
        "start": str(settings.start),
        "end": str(settings.end),
        "substeps": settings.substeps,
        "method": settings.method,
        "money_year": settings.money_year,
        "policies": list(policies),
        "overrides": {path: str(value) for path, value in scenario.overridden.items()},
        "parameters": scenario.digest,
        "equations": provenance.equations(),
        "engine": f"numpy, {settings.method}",
        "version": provenance.version(),
        "commit": provenance.commit(),
    }


