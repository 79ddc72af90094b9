"""An open, sourced model of munitions stockpile depletion.

>>> import stockpile as sp
>>> scenario = sp.load("july_2025")
>>> result = sp.run(scenario, policies=["none", "suspension_indefinite"])
>>> result.metrics()  # doctest: +SKIP

Names are fetched when they are first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stockpile.analysis.answers import answer as answer
    from stockpile.analysis.break_even import break_even as break_even
    from stockpile.analysis.diff import diff as diff
    from stockpile.analysis.discover import discover as discover
    from stockpile.analysis.explain import explain as explain
    from stockpile.analysis.frontier import frontier as frontier
    from stockpile.analysis.materiality import materiality as materiality
    from stockpile.analysis.published import beside_published as beside_published
    from stockpile.analysis.requirement import requirement as requirement
    from stockpile.analysis.robust import robust as robust
    from stockpile.analysis.sensitivity import sensitivity as sensitivity
    from stockpile.ensembles.files import read as open  # noqa: F401
    from stockpile.ensembles.result import Ensemble as Ensemble
    from stockpile.ensembles.run import ensemble as ensemble
    from stockpile.errors import InputError as InputError
    from stockpile.evidence.calibrate import calibrate as calibrate
    from stockpile.evidence.cases import replicate as replicate
    from stockpile.evidence.ledger import ledger as ledger
    from stockpile.evidence.score import score as score
    from stockpile.exports import export as export
    from stockpile.report import report as report
    from stockpile.report.explorer.page import explorer as explorer
    from stockpile.results import Result as Result
    from stockpile.scenario import Scenario as Scenario
    from stockpile.scenario import load as load
    from stockpile.scenario import names as scenarios  # noqa: F401
    from stockpile.simulate import run as run
    from stockpile.sweep.opened import open_sweep as open_sweep
    from stockpile.sweep.run import sweep as sweep

_PLACES = {
    "InputError": ("errors", "InputError"),
    "Result": ("results", "Result"),
    "Scenario": ("scenario", "Scenario"),
    "Ensemble": ("ensembles.result", "Ensemble"),
    "answer": ("analysis.answers", "answer"),
    "beside_published": ("analysis.published", "beside_published"),
    "break_even": ("analysis.break_even", "break_even"),
    "calibrate": ("evidence.calibrate", "calibrate"),
    "diff": ("analysis.diff", "diff"),
    "discover": ("analysis.discover", "discover"),
    "ensemble": ("ensembles.run", "ensemble"),
    "explain": ("analysis.explain", "explain"),
    "explorer": ("report.explorer.page", "explorer"),
    "export": ("exports", "export"),
    "frontier": ("analysis.frontier", "frontier"),
    "ledger": ("evidence.ledger", "ledger"),
    "load": ("scenario", "load"),
    "materiality": ("analysis.materiality", "materiality"),
    "open": ("ensembles.files", "read"),
    "open_sweep": ("sweep.opened", "open_sweep"),
    "replicate": ("evidence.cases", "replicate"),
    "report": ("report", "report"),
    "requirement": ("analysis.requirement", "requirement"),
    "robust": ("analysis.robust", "robust"),
    "run": ("simulate", "run"),
    "scenarios": ("scenario", "names"),
    "score": ("evidence.score", "score"),
    "sensitivity": ("analysis.sensitivity", "sensitivity"),
    "sweep": ("sweep.run", "sweep"),
}
"""Where each public name stands."""
__all__ = list(_PLACES)


def __getattr__(name: str) -> object:
    if name == "__version__":
        from stockpile.provenance import version

        return version()
    if name not in _PLACES:
        raise AttributeError(f"module 'stockpile' has no attribute {name!r}; public names: {', '.join(_PLACES)}")
    module, attribute = _PLACES[name]
    found = getattr(import_module(f"stockpile.{module}"), attribute)
    globals()[name] = found
    return found


class _Package(ModuleType):
    """A public name stays what it is when a subpackage of the same name is imported (`sp.report` is a function)."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _PLACES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __dir__() -> list[str]:
    return sorted([*globals(), *_PLACES, "__version__"])
