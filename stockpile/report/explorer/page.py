"""From a scenario to the live page: one file, no server, no network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from stockpile import scenario as scenarios
from stockpile.errors import InputError
from stockpile.provenance import version
from stockpile.report.explorer.controls import controls, policies, sentence_of, sources
from stockpile.report.explorer.payload import MEMBERS, SEED, Packer, payload, script
from stockpile.report.explorer.picture import picture
from stockpile.report.page import LICENCE, asset, environment, hashed
from stockpile.results import write_text
from stockpile.scenario import Scenario


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
    parts = (script(len(scenario.recipients)), lean(asset("explorer_engine.js")), lean(asset("explorer.js")), f'start("{packed}");')
    code = "\n".join(parts)
    return (
        environment()
        .get_template("explorer.html.j2")
        .render(
            title=scenario.settings.title,
            description=sentence_of(scenario),
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


def lean(text: str) -> str:
    """Return a script or a style sheet without indents, empty lines, and lines that are comments."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def variants(scenario: Scenario) -> dict[str, Scenario]:
    """Return the other scenarios of the files that the page can show: the same months, the same date of knowledge."""
    found = {}
    for name in scenario.files().names("scenarios"):
        try:
            one = scenarios.load(name, params=scenario.origin[1]).override(scenario.overridden)
        except InputError:
            continue
        ours, theirs = scenario.settings, one.settings
        if name != scenario.name and (ours.start, ours.end, ours.as_of, 1) == (theirs.start, theirs.end, theirs.as_of, theirs.substeps):
            found[name] = one
    return found


def said(scenario: Scenario, others: dict[str, Scenario]) -> dict[str, Any]:
    """Return what the page says: titles, controls, presets, sources."""
    found = controls(scenario)
    keys = [key for one in found for rest in one["rests_on"] for key in rest["sources"]]
    return {
        "scenario": scenario.name,
        "title": scenario.settings.title,
        "sentence": sentence_of(scenario),
        "as_of": str(scenario.as_of),
        "digest": scenario.digest,
        "given": [f"{path}={value}" for path, value in scenario.overridden.items()],
        "version": version(),
        "titles": {
            "munitions": {name: one.title for name, one in scenario.munitions.items()},
            "short": {name: one.short for name, one in scenario.munitions.items()},
            "recipients": {name: one.title for name, one in scenario.recipients.items()},
            "scenarios": {name: one.settings.title for name, one in others.items()},
            "levels": {name: {key: level.title for key, level in one.floors.items()} for name, one in scenario.munitions.items()},
        },
        "floor": {name: _floor(scenario, name) for name in scenario.munitions},
        "controls": found,
        "policies": policies(scenario),
        "sources": sources(scenario, keys),
    }


def _floor(scenario: Scenario, munition: str) -> str:
    """Return the floor that stocks are compared with: the transfer floor of the baseline, or of the first policy."""
    policy = scenario.policies.get("none") or next(iter(scenario.policies.values()))
    floors = scenario.munitions[munition].floors
    return policy.transfer_floor if policy.transfer_floor in floors else next(iter(floors))
