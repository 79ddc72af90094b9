"""From sections to one self-contained file of HTML, in the look of the pages of scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from stockpile.analysis import wording
from stockpile.report import theme
from stockpile.report.page import LICENCE, asset, embedded, environment, plotly, policy
from stockpile.report.workbench.section import Section


def render(sections: Sequence[Section], command: str, title: str) -> str:
    """Return the page.

    Parameters
    ----------
    sections : sequence of Section
        In the order of the page.
    command : str
        What makes the page again, printed in its footer.
    title : str
    """
    script, made = asset("page.js"), provenance(sections, command, title)
    return (
        environment()
        .get_template("workbench.html.j2")
        .render(
            title=title,
            sections=sections,
            contents=contents(sections),
            security=policy((plotly(), script)),
            style=Markup(asset("style.css")),
            plotly=Markup(plotly()),
            script=Markup(script),
            figures=embedded(
                {"config": theme.CONFIG, "dark": theme.DARK, "figures": {chart.id: chart.spec for one in sections for chart in one.charts}}
            ),
            provenance=embedded(made),
            cite=made["cite"],
            command=command,
            licence=LICENCE,
        )
    )


def contents(sections: Sequence[Section]) -> list[tuple[str, str]]:
    """Return where each section stands and what it is called in the list of contents: where a kind comes again, with what sets it apart."""
    kinds = [one.kind for one in sections]
    found = []
    for one in sections:
        own = [other for other in sections if other.kind == one.kind]
        apart = [str(other.manifest["scenario"]) for other in own]
        said = str(one.manifest["scenario"]).replace("_", " ") if len(set(apart)) == len(own) else one.title
        found.append((one.id, one.kind if kinds.count(one.kind) == 1 else f"{one.kind}: {said}"))
    return found


def provenance(sections: Sequence[Section], command: str, title: str) -> dict[str, Any]:
    """Return what made the page, for machines and for the index of pages."""
    first = common(sections[0].manifest)
    known = f", as known on {wording.day(first['as_of'])}" if first["as_of"][:1].isdigit() else ""
    others = sorted({common(one.manifest)["parameters"][:12] for one in sections} - {first["parameters"][:12]})
    parameters = first["parameters"][:12] + (f" and {len(others)} more" if others else "")
    return {
        **first,
        "title": title,
        "basis": sections[0].manifest.get("basis", "over all draws"),
        "finding": sections[0].sentences[0],
        "results": [{"kind": one.kind, "manifest": one.manifest} for one in sections],
        "command": command,
        "licence": LICENCE,
        "cite": (
            f"stockpile {first['version']} ({first['commit']}), scenario {first['scenario']}{known}, parameters {parameters}; "
            "draws of a model"
        ),
    }


def common(manifest: dict[str, Any]) -> dict[str, str]:
    """Return what the manifests of all results say alike; those of sweeps say it in other words."""
    made = manifest.get("made_with")
    return {
        "scenario": str(manifest["scenario"]),
        "as_of": str(manifest.get("as_of", "not recorded")),
        "parameters": str(manifest["parameters"]),
        "version": str(made["stockpile"] if made else manifest["version"]),
        "commit": f"source {made['source'][:12]}" if made else str(manifest["commit"]),
    }
