"""An open, sourced model of munitions stockpile depletion.

>>> import stockpile as sp
>>> scenario = sp.load("july_2025")
>>> result = sp.run(scenario, policies=["none", "suspension_indefinite"])
>>> result.metrics()  # doctest: +SKIP
"""

from __future__ import annotations

from stockpile.errors import InputError
from stockpile.provenance import version as _version
from stockpile.results import Result
from stockpile.scenario import Scenario, load
from stockpile.scenario import names as scenarios
from stockpile.simulate import run

__version__ = _version()
__all__ = ["InputError", "Result", "Scenario", "explain", "load", "open", "report", "run", "scenarios"]

_LATER = {
    "explain": ("stockpile.analysis.explain", "explain"),
    "open": ("stockpile.storage", "read"),
    "report": ("stockpile.report", "report"),
}
"""Names that load more than numpy and pydantic, fetched when they are first used."""


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module 'stockpile' has no attribute {name!r}")
    import importlib

    module, attribute = _LATER[name]
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted([*globals(), *_LATER])
