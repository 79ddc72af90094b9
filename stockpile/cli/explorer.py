"""``stockpile explorer``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.cli.options import RESOLVED, Output, Resolved, whole
from stockpile.cli.output import emit, emit_json, ending
from stockpile.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

MEMBERS = "200"


def explorer(
    scenario: str = "july_2025", *, members: str = MEMBERS, output: Output = None, options: Resolved = RESOLVED
) -> None:
    """Write the live page of a scenario: the model itself with sliders, in one file that opens by double-click, without a network.

    Parameters
    ----------
    scenario : str
        Name of a scenario, or a TOML file that describes one.
    members : str
        Number of draws in the page, from 2 to 1000.
    output : Path, optional
        The page to write, .html; SCENARIO_explorer.html in this folder where left out.
    """
    from pathlib import Path

    from stockpile.report.explorer.page import explorer as write

    if output:
        ending(output, (".html",), makes_folder=True)
    count = whole(members)
    if isinstance(count, str):
        raise InputError.one("", f"{members!r}; allowed: a whole number from 2 to 1000", file="--members")
    found = options.scenario(scenario)
    target, seed = output or Path(f"{found.name}_explorer.html"), 1 if options.seed is None else options.seed
    page: Path = write(found, target, members=count, seed=seed)
    if options.json:
        emit_json({"page": page, "members": count, "seed": seed})
    else:
        emit(str(page))
