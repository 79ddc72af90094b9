"""``stockpile export``: the model and its results for other software."""

from __future__ import annotations

from typing import Annotated

from stockpile.cli.options import CHOSEN, Chosen, Flag, Output
from stockpile.cli.output import emit, emit_json, ending
from stockpile.errors import InputError

ENDINGS = {"xmile": (".xmile", ".stmx", ".xml"), "js": (".js", ".mjs"), "latex": (".tex",), "csv": (".csv",)}


def xmile(
    scenario: str = "july_2025",
    *,
    munition: Annotated[str | None, Flag] = None,
    output: Output = None,
    options: Chosen = CHOSEN,
) -> None:
    """Write the model of one munition and policy as XMILE 1.0, for Stella, Vensim, Simlin or PySD.

    Parameters
    ----------
    scenario : str
        Name of a scenario, or a TOML file that describes one.
    munition : str, optional
        The scenario's first where left out; --policy names the policy, none where left out.
    output : Path, optional
        File to write, .xmile; SCENARIO_MUNITION_POLICY.xmile in this folder where left out.
    """
    _write("xmile", scenario, munition, output, options)


def js(scenario: str = "july_2025", *, output: Output = None, options: Chosen = CHOSEN) -> None:
    """Write the equations as a module of JavaScript, for the scenario's number of recipients.

    Parameters
    ----------
    scenario : str
        Name of a scenario, or a TOML file that describes one.
    output : Path, optional
        File to write, .js; SCENARIO.js in this folder where left out.
    """
    _write("js", scenario, None, output, options)


def latex(*, output: Output = None, options: Chosen = CHOSEN) -> None:
    """Write the equations and their symbols as a LaTeX document.

    Parameters
    ----------
    output : Path, optional
        File to write, .tex; stockpile.tex in this folder where left out.
    """
    _write("latex", "july_2025", None, output, options)


def csv(
    scenario: str = "july_2025",
    *,
    munition: Annotated[str | None, Flag] = None,
    output: Output = None,
    options: Chosen = CHOSEN,
) -> None:
    """Write stocks, flows and what is known in advance as one tidy CSV file, central values.

    Parameters
    ----------
    scenario : str
        Name of a scenario, or a TOML file that describes one.
    munition : str, optional
        One munition alone; --policy names policies, the scenario's own where left out.
    output : Path, optional
        File to write, .csv; SCENARIO.csv in this folder where left out.
    """
    _write("csv", scenario, munition, output, options)


def _write(kind: str, name: str, munition: str | None, output: Output, options: Chosen) -> None:
    from pathlib import Path

    from stockpile.exports import export

    if output:
        ending(output, ENDINGS[kind], makes_folder=True)
    scenario = options.scenario(name)
    policies = options.policies
    if policies is not None and len(policies) > 1:
        raise InputError.one("", f"{', '.join(policies)}; allowed: one", file="--policy")
    policy = policies[0] if policies else None
    stem = "stockpile" if kind == "latex" else "_".join(filter(None, (scenario.name, munition, policy)))
    target = output or Path(stem + ENDINGS[kind][0])
    made = export(scenario, kind, target, munition=munition, policy=policy)
    if options.json:
        emit_json({"file": made, "kind": kind, "seed": options.seed})
    else:
        emit(str(made))
