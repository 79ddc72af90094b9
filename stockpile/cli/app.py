"""The verbs, and what becomes of their errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module

from cyclopts import App, CycloptsError
from cyclopts.exceptions import UnusedCliTokensError

from stockpile.cli import DONE, WRONG
from stockpile.cli.output import QuietConsole, note
from stockpile.errors import InputError

HELP = "An open, sourced model of munitions stockpile depletion: how US stocks develop, with and without suspensions of deliveries."
EPILOGUE = """Examples:
  stockpile run                                   as known in July 2025
  stockpile compare --policy us_first             what a policy changes
  stockpile ensemble --by 2027-01                 how likely, with ranges
  stockpile sweep --vary munitions.pac3.us_share=0.2:0.6:0.1 -o DIR
                                                  the same for many values
  stockpile sensitivity                           which unknowns matter most
  stockpile breakeven --lever munitions.pac3.us_share=0.2:0.9:0.1
                                                  where a chance crosses 10 %
  stockpile calibrate -o DIR                      fit to what was reported
  stockpile replicate                             published answers beside ours
  stockpile explain pac3 2025-07                  a month's ledger, with sources
  stockpile params show munitions.pac3.us_share   where a number comes from

Exit codes: 0 done, 1 check failed, 2 wrong usage or bad input, 130 interrupted."""
VERBS = {
    "run": "runs:run",
    "compare": "runs:compare",
    "ensemble": "ensemble:ensemble",
    "sweep": "sweep:sweep",
    "sensitivity": "questions:sensitivity",
    "discover": "questions:discover",
    "breakeven": "questions:breakeven",
    "frontier": "questions:frontier",
    "robust": "questions:robust",
    "calibrate": "calibrate:calibrate",
    "score": "score:score",
    "replicate": "replicate:replicate",
    "requirement": "requirement:requirement",
    "materiality": "materiality:materiality",
    "report": "report:report",
    "explorer": "explorer:explorer",
    "answer": "answer:answer",
    "diff": "diff:diff",
    "explain": "explain:explain",
    "doctor": "doctor:doctor",
}
"""The module of this room, and the function in it, that does each verb."""
PARAMS = {"check": "params:check", "list": "params:values", "show": "params:show", "sources": "params:sources", "schema": "params:schema"}
EXPORT = {"xmile": "export:xmile", "js": "export:js", "latex": "export:latex", "csv": "export:csv"}


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("stockpile")
    except PackageNotFoundError:
        return "unknown"


def build(*, whole: bool = True) -> App:
    """Return the application: each verb with the function that does it; unless `whole`, functions are imported once they are called."""
    app = App(
        name="stockpile",
        help=HELP,
        help_format="plaintext",
        help_epilogue=EPILOGUE,
        version=_version,
        console=QuietConsole(),
        suppress_keyboard_interrupt=False,
    )
    _add(app, VERBS, whole=whole)
    group = App(name="params", help_epilogue="", help="Check, list and show the parameters and their sources.")
    _add(group, PARAMS, whole=whole)
    app.command(group)
    exports = App(name="export", help_epilogue="", help="Write the model, or what it gives, for other software.")
    _add(exports, EXPORT, whole=whole)
    app.command(exports)
    return app


def _add(app: App, verbs: Mapping[str, str], *, whole: bool) -> None:
    for name, place in verbs.items():
        module, _, function = place.partition(":")
        path = f"{__package__}.{module}"
        app.command(getattr(import_module(path), function) if whole else f"{path}:{function}", name=name, help_epilogue="")


def call(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code; wrong usage and bad input are said on stderr."""
    try:
        app = build(whole=_is_for_help(arguments))
        code = app(list(arguments), exit_on_error=False, print_error=False, result_action="return_value")
    except InputError as error:
        note(str(error))
        return WRONG
    except CycloptsError as error:
        note(_usage(error))
        return WRONG
    return code if isinstance(code, int) else DONE


def _is_for_help(arguments: Sequence[str]) -> bool:
    """Tell whether what the verbs do is to be said, for which all are needed."""
    return list(arguments) in ([], ["params"], ["export"]) or not {"--help", "-h"}.isdisjoint(arguments)


def _usage(error: CycloptsError) -> str:
    """Return what is wrong with a command line, and where to read how it should be."""
    verb = " ".join(("stockpile", *(error.command_chain or ())))
    if isinstance(error, UnusedCliTokensError):
        said = f"more than it takes: {' '.join(error.unused_tokens or ())}"
    else:
        said = " ".join(str(error).split()).replace('Unknown command "-', 'Unknown option "-')
    return f"{verb}: {said}\nSee: {verb} --help"
