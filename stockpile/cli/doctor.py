"""``stockpile doctor``."""

from __future__ import annotations

import platform
import re
from typing import Any

from stockpile.cli import DONE, FAILED, output
from stockpile.cli.options import COMMON, Common
from stockpile.errors import InputError


def doctor(*, options: Common = COMMON) -> int:
    """Print what is installed and where the parameters are found; exit with 1 if something needed is missing."""
    found = _found(options)
    if options.json:
        output.emit_json(found)
    else:
        output.emit("\n".join(_lines(found)))
    return DONE if found["fit"] else FAILED


def _found(options: Common) -> dict[str, Any]:
    from stockpile import params, provenance

    folder = params.default_folder()
    try:
        files = sum(len(layers.documents) for layers in params.read(options.params).layers.values())
        problems: list[str] = []
    except InputError as error:
        files, problems = 0, [str(problem) for problem in error.problems]
    needed, optional = _packages()
    return {
        "fit": not problems and all(needed.values()),
        "stockpile": provenance.version(),
        "commit": provenance.commit(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "params": folder,
        "files": files,
        "problems": problems,
        "needed": needed,
        "optional": optional,
        "compiled": _compiled(),
    }


def _compiled() -> dict[str, Any]:
    """Return whether compiled code can be used, where it is kept, and whether it is there already."""
    from stockpile import compiler

    available = compiler.available()
    state = getattr(compiler, "state", None)
    return {"available": available, "folder": compiler.folder(), "state": state() if available and state else None}


def _packages() -> tuple[dict[str, str | None], dict[str, str | None]]:
    """Return the packages needed, and those of optional parts, with the version installed; None where there is none."""
    from importlib.metadata import PackageNotFoundError, requires, version

    def installed(name: str) -> str | None:
        try:
            return version(name)
        except PackageNotFoundError:
            return None

    try:
        wanted = requires("stockpile") or []
    except PackageNotFoundError:
        wanted = []
    needed: dict[str, str | None] = {}
    optional: dict[str, str | None] = {}
    for requirement in wanted:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        extra = re.search(r"""extra == ['"]([\w-]+)['"]""", requirement)
        if extra is None:
            needed[name] = installed(name)
        elif extra[1] != "dev":
            optional[name] = installed(name)
    return needed, optional


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [
        f"stockpile {found['stockpile']} (commit {found['commit']}), Python {found['python']}, {found['system']}",
        f"parameters: {found['params']}, {found['files']} files" if not found["problems"] else f"parameters: {found['params']}, not right:",
        *(f"  {problem}" for problem in found["problems"]),
        "needed: " + ", ".join(f"{name} {version or 'MISSING'}" for name, version in found["needed"].items()),
        "optional: " + ", ".join(f"{name} {version or 'not installed'}" for name, version in found["optional"].items()),
        _compiled_line(found["compiled"]),
    ]
    return [*lines, "Everything needed is there." if found["fit"] else "Something needed is missing or not right, see above."]


def _compiled_line(compiled: dict[str, Any]) -> str:
    if not compiled["available"]:
        return "compiled code: cannot be used, llvmlite is not installed (pip install 'stockpile[fast]'); ensembles run on NumPy"
    state = f", {compiled['state']}" if compiled["state"] else ""
    return f"compiled code: can be used{state}; kept in {compiled['folder']}"
