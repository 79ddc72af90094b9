"""The page that links the reports there are, read from what each says of itself."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from markupsafe import Markup

from stockpile.errors import InputError
from stockpile.report.page import asset, environment, policy
from stockpile.results import write_text

NAME = "index.html"
PROVENANCE = re.compile(r'<script type="application/json" id="provenance">(.*?)</script>', re.DOTALL)
SHOWN = ("title", "scenario", "as_of", "parameters", "finding", "basis", "version")


def index(folder: str | Path) -> Path:
    """Write `index.html` in a folder of reports, with a link to each.

    Parameters
    ----------
    folder : str or Path
        Where the reports are. Files that are not reports are left out.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        If there is no such folder.
    """
    place = Path(folder)
    if not place.is_dir():
        raise InputError.one(str(place), "is not a folder; allowed: a folder of reports", file="index")
    found = [(file.name, told(file)) for file in sorted(place.glob("*.html"))]
    pages = [(name, facts) for name, facts in found if facts is not None]
    text = environment().get_template("index.html.j2").render(pages=pages, style=Markup(asset("style.css")), security=policy(()))
    return write_text(place / NAME, text)


def told(file: Path) -> dict[str, Any] | None:
    """Return what a report says of itself; None where a file is no report."""
    try:
        match = PROVENANCE.search(file.read_text(encoding="utf-8"))
        facts = json.loads(match[1]) if match else None
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) and all(isinstance(facts.get(key), str) for key in SHOWN) else None
