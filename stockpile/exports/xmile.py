"""A run of a scenario as XMILE, with a note on where it comes from and how to open it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile.assemble import Assembly, assemble
from stockpile.codegen.trace import flat
from stockpile.codegen.xmile import Lane, document
from stockpile.errors import InputError
from stockpile.metrics import BASELINE
from stockpile.simulate import manifest, on_steps

if TYPE_CHECKING:
    from stockpile.scenario import Scenario

COVER = """{title}: {munition}, policy {policy}.
Printed from the equations of stockpile {version} ({commit}), scenario {scenario} as known on {as_of}, parameters {parameters}.
Central values; the time is in months from {start}. Stocks and flows bear the names of the documentation, with the recipient's
name at the end where there is one; flows are rates in rounds a month. Integrate by Euler's method with the step given here: smaller
steps or other methods give other numbers. No flow is non-negative by flag: the equations never take more than there is.

How to open it
- Stella Architect or Professional (isee systems): File, Open, this file. It has equations and no diagram. Leave DT and the integration
  method of the model settings as they are.
- Vensim: editions that read XMILE open the file by File, Open Model. For the others (PLE among them) pysimlin makes a model file of
  it: simlin.load("FILE.xmile").project.to_mdl(). Both come without a sketch. Check in the settings that TIME STEP is {dt} and the
  integration type Euler.
- PySD: pysd.read_xmile("FILE.xmile").run().  Simlin (simlin.com) and pysimlin: import, or simlin.load(path).
PySD and pysimlin are tried against this program's own numbers; Stella and Vensim, which cost money, are not.
Series are step functions: each change is a short line between two steps, so that tools that join points by lines read the same."""


def text(scenario: Scenario, munition: str | None = None, policy: str | None = None) -> str:
    """Return the XMILE document of a munition and a policy; the first and ``none`` where left out.

    Raises
    ------
    InputError
        For an unknown policy, an allocation rule of the user's own, or a scenario that is integrated as an ODE.
    """
    munition = munition or next(iter(scenario.munitions))
    policy = policy or (BASELINE if BASELINE in scenario.policies else scenario.chosen(None)[0])
    if scenario.settings.method != "difference":
        raise InputError.one("scenario.method", "'ode' has no fixed step to export; allowed: difference", file="export")
    assembly = assemble(scenario.with_munitions([munition]), [policy])
    if ":" in assembly.rules[0]:
        message = f"{assembly.rules[0]!r} of your own is Python; allowed: pro_rata, weights"
        raise InputError.one(f"policies.{policy}.allocation.use", message, file="export")
    made = manifest(scenario, [policy])
    dt = f"1/{assembly.clock.substeps}" if assembly.clock.substeps > 1 else "1"
    title = scenario.munitions[munition].title
    cover = COVER.format(**{**made, "munition": title, "policy": policy, "dt": dt, "parameters": made["parameters"][:12]})
    return document(lane_of(assembly), f"{munition}, {policy}, {scenario.name}", cover)


def lane_of(assembly: Assembly) -> Lane:
    """Return the one lane of an assembly."""
    assert assembly.axes.lanes == 1
    series = {key: _column(value) for key, value in flat(on_steps(assembly), "series")}
    constants = {key: float(np.ravel(value)[0]) for key, value in flat(assembly.constants, "constant")}
    opening = {key: float(np.ravel(value)[0]) for key, value in flat(assembly.opening, "state")}
    return Lane(assembly.axes.recipients, series, constants, opening, assembly.clock.substeps)


def _column(value: Any) -> Any:
    return np.asarray(value)[:, 0]
