"""The model and its results for other people's software: XMILE, JavaScript, LaTeX, CSV, and adaptors to libraries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from stockpile.errors import InputError, nearest
from stockpile.results import write_text

if TYPE_CHECKING:
    from stockpile.scenario import Scenario

KINDS = ("xmile", "js", "latex", "csv")


def export(
    scenario: Scenario, kind: str, path: str | Path, *, munition: str | None = None, policy: str | None = None
) -> Path:
    """Write the model, or what it gives, in the form of other software.

    Parameters
    ----------
    scenario : Scenario
    kind : {"xmile", "js", "latex", "csv"}
        xmile: the run of one munition and policy with central values, for system dynamics tools. js: the step of the equations as a
        module of JavaScript, for the scenario's number of recipients. latex: the equations and their symbols. csv: stocks, flows and what
        is known in advance of one or all munitions and policies, central values, tidy.
    path : str or Path
        File to write, under a temporary name and renamed.
    munition, policy : str, optional
        For xmile the first munition and the policy ``none``, or the scenario's first, where left out; for csv all; else of no use.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        For an unknown kind, munition or policy, for options of no use, and for a path that cannot be written.
    """
    makers: dict[str, Callable[[Scenario, str | None, str | None], str]] = {"xmile": _xmile, "js": _js, "latex": _latex, "csv": _csv}
    if kind not in makers:
        raise InputError.one("kind", f"unknown kind {kind!r}; {nearest(kind, KINDS)}", file="export")
    if munition is not None and munition not in scenario.munitions:
        raise InputError.one("munition", f"{munition!r} is not in {scenario.name}; {nearest(munition, scenario.munitions)}", file="export")
    text = makers[kind](scenario, munition, policy)
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return write_text(target, text)
    except OSError as error:
        raise InputError.one(str(target), f"cannot be written: {error.strerror}", file="export") from None


def _xmile(scenario: Scenario, munition: str | None, policy: str | None) -> str:
    from stockpile.exports.xmile import text

    return text(scenario, munition, policy)


def _js(scenario: Scenario, munition: str | None, policy: str | None) -> str:
    from stockpile.codegen.javascript import module

    _no_choice("js", munition, policy)
    return module(len(scenario.recipients))


def _latex(scenario: Scenario, munition: str | None, policy: str | None) -> str:
    from stockpile.codegen.latex import document

    _no_choice("latex", munition, policy)
    return document()


def _no_choice(kind: str, munition: str | None, policy: str | None) -> None:
    """Refuse a munition or a policy where the equations alone are printed, which are those of all."""
    given = [name for name, value in (("munition", munition), ("policy", policy)) if value is not None]
    if given:
        raise InputError.one(given[0], f"is of no use for {kind}, the equations are those of all; allowed: none", file="export")


def _csv(scenario: Scenario, munition: str | None, policy: str | None) -> str:
    from stockpile.simulate import run

    chosen = scenario if munition is None else scenario.with_munitions([munition])
    frame = run(chosen, None if policy is None else [policy]).table(inputs=True)
    text: str = frame.drop(columns="member").to_csv(index=False, lineterminator="\n")
    return text
