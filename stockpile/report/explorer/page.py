"""From a scenario to the live page: one file, no server, no network."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from stockpile import scenario as scenarios
from stockpile.errors import InputError
from stockpile.provenance import version
from stockpile.report.explorer.controls import controls, policies, sentence_of, sources
from stockpile.report.explorer.packer import Packer
from stockpile.report.explorer.payload import MEMBERS, SEED, payload, script
from stockpile.report.explorer.picture import picture
from stockpile.report.page import LICENCE, asset, environment, hashed
from stockpile.results import write_text
from stockpile.scenario import Scenario

SCRIPTS = tuple(f"explorer_{name}.js" for name in ("engine", "programs", "lines", "settings", "words", "charts", "controls", "page"))
"""One script of the page, in this order: the first is strict, and so are all."""


def explorer(scenario: Scenario, path: str | Path, *, members: int = MEMBERS, seed: int = SEED) -> Path:
    """Write the live page of a scenario: its model, its draws, its levers and assumptions, in one file that needs no network.

    Parameters
    ----------
    scenario : Scenario
        In whole months (`substeps` 1), by the difference equations.
    path : str or Path
        File to write, under a temporary name and renamed.
    members, seed : int
        The draws are those of ``sp.ensemble(scenario, members=members, seed=seed)``.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        For a scenario in finer steps or as an ODE, fewer than 2 members, and a path that cannot be written.
    """
    if scenario.settings.substeps != 1 or scenario.settings.method != "difference":
        message = f"{scenario.settings.substeps} steps a month, {scenario.settings.method}; allowed: whole months, difference"
        raise InputError.one("scenario.substeps", message, file="explorer")
    if not 2 <= members <= 1000:
        raise InputError.one("members", f"{members}; allowed: from 2 to 1000", file="explorer")
    target = Path(path)
    text = render(scenario, members, seed)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return write_text(target, text)
    except OSError as error:
        raise InputError.one(str(target), f"cannot be written: {error.strerror}", file="explorer") from None


def render(scenario: Scenario, members: int, seed: int) -> str:
    """Return the page."""
    packer, others = Packer(), variants(scenario)
    data = payload(scenario, packer, members, seed, others)
    packed = packer.packed(data | said(scenario, others))
    code = "\n".join((script(len(scenario.recipients), data["used"]), *(lean(asset(name)) for name in SCRIPTS), f'start("{packed}");'))
    return (
        environment()
        .get_template("explorer.html.j2")
        .render(
            title=scenario.settings.title,
            description=sentence_of(scenario),
            provenance=provenance(scenario, members),
            security=f"default-src 'none'; script-src {hashed(code)}; style-src 'unsafe-inline'; img-src data: blob:; "
            "base-uri 'none'; form-action 'none'",
            style=Markup(lean(asset("explorer.css"))),
            script=Markup(code),
            picture=picture(scenario, members, seed),
            members=members,
            licence=LICENCE,
            cite=f"stockpile {version()}, scenario {scenario.name}, as known on {scenario.as_of}, parameters {scenario.digest[:12]}; "
            f"{members} draws of a model, seed {seed}",
        )
    )


def provenance(scenario: Scenario, members: int) -> Markup:
    """Return what an index of reports says of the page, as JSON; no commit is in it, so that the page changes with its contents alone."""
    facts = {
        "title": f"Explorer: {scenario.settings.title}",
        "scenario": scenario.name,
        "as_of": str(scenario.as_of),
        "parameters": scenario.digest,
        "finding": "what levers and assumptions of your own change, worked out while you move them.",
        "basis": f"in {members} draws",
        "version": version(),
    }
    return Markup(json.dumps(facts).replace("<", "\\u003c"))


def lean(text: str) -> str:
    """Return a script or a style sheet without indents, empty lines, and lines that are comments."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def variants(scenario: Scenario) -> dict[str, Scenario]:
    """Return the other scenarios of the files that the page can show: of the same months, date of knowledge, munitions and policies."""
    found = {}
    for name in scenario.files().names("scenarios"):
        try:
            one = scenarios.load(name, params=scenario.origin[1]).override(scenario.overridden)
        except InputError:
            continue
        if name != scenario.name and _frame(one) == _frame(scenario):
            found[name] = one
    return found


def _frame(scenario: Scenario) -> tuple[Any, ...]:
    """Return what scenarios in one page have in common."""
    one = scenario.settings
    names = (list(scenario.munitions), list(scenario.recipients), list(scenario.policies))
    return one.start, one.end, one.as_of, one.substeps, one.method, *names


def said(scenario: Scenario, others: dict[str, Scenario]) -> dict[str, Any]:
    """Return what the page says: titles, controls, presets, sources."""
    found = controls(scenario)
    keys = [key for one in found for rest in one["rests_on"] for key in rest["sources"]]
    return {
        "scenario": scenario.name,
        "title": scenario.settings.title,
        "as_of": str(scenario.as_of),
        "asked": scenario.origin[0],
        "folders": list(map(str, scenario.origin[1])),
        "given": [(path, _inline(value)) for path, value in scenario.overridden.items()],
        "version": version(),
        "titles": {
            "munitions": {name: one.title for name, one in scenario.munitions.items()},
            "short": {name: one.short for name, one in scenario.munitions.items()},
            "recipients": {name: one.title for name, one in scenario.recipients.items()},
            "scenarios": {name: one.settings.title for name, one in others.items()},
        },
        "controls": found,
        "policies": policies(scenario),
        "sources": sources(scenario, keys),
    }


def _inline(value: Any) -> str:
    """Return a value as TOML in one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}={_inline(one)}' for key, one in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_inline, value))}]"
    return str(value) if isinstance(value, dt.date) else json.dumps(value)
