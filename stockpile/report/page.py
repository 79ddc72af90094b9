"""From a study to one self-contained file of HTML: nothing is fetched, nothing is sent, the same inputs give the same bytes."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from stockpile.codegen import diagram
from stockpile.report import blocks, counted, evidence, narrative, published, ranges, tables, theme, words
from stockpile.report.study import Study

LICENCE = "MIT"
DIAGRAM = diagram.Colours(line="var(--muted)", name="var(--ink)", box="var(--soft)", edge="var(--accent)", ground="none")
"""Colours of the page, which follow the scheme."""


@cache
def environment() -> Environment:
    """Return the templates: everything is escaped, and a name that is not given is an error."""
    found = Environment(
        loader=PackageLoader("stockpile.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters["breakable"] = breakable
    found.filters["kept"] = kept
    return found


def breakable(path: str) -> Markup:
    """Return a path that may be broken after its dots and underscores, and is copied as it is."""
    return Markup(re.sub(r"([._])", r"\1<wbr>", str(escape(path))))


def kept(cell: str) -> Markup:
    """Return the text of a cell with the interval at its end, and the count before it, kept on one line each; so are dates."""
    count, bracket, interval = cell.partition(" (")
    if not bracket:
        return Markup(re.sub(r"\d{4}-\d\d-\d\d", r'<span class="kept">\g<0></span>', str(escape(cell))))
    return Markup('<span class="kept">{}</span> <span class="kept">({}</span>').format(count, interval)


@cache
def asset(name: str) -> str:
    """Return a text file that stands beside the templates."""
    return (resources.files("stockpile.report") / "templates" / name).read_text(encoding="utf-8")


@cache
def plotly() -> str:
    """Return plotly.js as the package of the same name carries it."""
    from plotly.offline import get_plotlyjs

    text: str = get_plotlyjs()
    return text


def hashed(script: str) -> str:
    """Return the hash by which the page's policy lets a script run."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def policy(scripts: tuple[str, ...]) -> str:
    """Return the content security policy: only these scripts, nothing from anywhere, nothing to anywhere."""
    allowed = " ".join(hashed(script) for script in scripts) or "'none'"
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"


def embedded(value: Any) -> Markup:
    """Return a value as JSON that can stand inside a script element, whatever its texts say."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for mark, code in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"), ("\u2028", "\\u2028"), ("\u2029", "\\u2029")):
        text = text.replace(mark, code)
    return Markup(text)


def provenance(study: Study, command: str) -> dict[str, Any]:
    """Return what made the page, for readers and for machines."""
    return {
        **manifest_of(study),
        "policies": {policy: study.title(policy) for policy in study.result.policies},
        "basis": basis(study),
        "finding": (counted if study.ensemble else narrative).finding(study),
        "command": command,
        "licence": LICENCE,
        "cite": citation(study),
    }


def citation(study: Study) -> str:
    """Return how to cite the page, in one line."""
    manifest = study.result.manifest
    return (
        f"stockpile {manifest['version']} ({manifest['commit']}), scenario {manifest['scenario']}, "
        f"as known on {words.day(study.scenario.as_of)}, parameters {manifest['parameters'][:12]}; {of_a_model(study)}"
    )


def stocks_and_flows() -> dict[str, Any]:
    """Return the picture of stocks and flows in the colours of the page, and what flows where."""
    return {"picture": Markup(diagram.svg(DIAGRAM)), "flows": diagram.flows()}


def manifest_of(study: Study) -> dict[str, Any]:
    """Return what made the numbers: of the draws where there are any."""
    found: dict[str, Any] = study.ensemble.manifest if study.ensemble else study.result.manifest
    return found


def of_a_model(study: Study) -> str:
    """Return what the numbers are, in a few words."""
    if study.ensemble is None:
        return "central values of a model"
    manifest = study.ensemble.manifest
    return f"{study.ensemble.members:,} draws of a model, seed {manifest['seed']}"


def basis(study: Study) -> str:
    """Return what the findings rest on, as a sentence goes on after “In this model,”."""
    return "on central values" if study.ensemble is None else f"over {study.ensemble.members:,} draws"


def _headline(study: Study) -> dict[str, Any]:
    """Return what the headline block says: of the draws, with what rests on central values apart, or of central values alone."""
    if study.ensemble is None:
        return {
            "headline": narrative.headline(study), "not_this": narrative.NOT_THIS, "headline_table": tables.headline(study),
            "central": [], "campaigns": [],
        }
    return {
        "headline": counted.headline(study), "not_this": ranges.not_this(study), "headline_table": ranges.headline(study),
        "central": counted.central(study), "campaigns": ranges.campaigns(study),
    }


def render(study: Study, command: str) -> str:
    """Return the page.

    Parameters
    ----------
    study : Study
    command : str
        The command that makes the page again, printed in its footer.
    """
    numbers = evidence.event_numbers(study)
    parts = [blocks.part(study, munition, numbers) for munition in study.result.munitions]
    cost = blocks.cost(study)
    comparisons = published.found(study)
    charts = [chart for part in parts for chart in part.charts] + ([cost] if cost else [])
    script = asset("page.js")
    manifest = manifest_of(study)
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            title=manifest["title"],
            description=" ".join((study.scenario.settings.description or "").split()),
            as_of=words.day(study.scenario.as_of),
            security=policy((plotly(), script)),
            style=Markup(asset("style.css")),
            plotly=Markup(plotly()),
            script=Markup(script),
            figures=embedded({"config": theme.CONFIG, "dark": theme.DARK, "figures": {chart.id: chart.spec for chart in charts}}),
            provenance=embedded(provenance(study, command)),
            manifest=manifest,
            members=study.ensemble.members if study.ensemble else 0,
            basis=basis(study),
            **_headline(study),
            parts=parts,
            cost=cost,
            base=study.title(study.base),
            policies=[
                (study.title(policy), " ".join(study.scenario.policies[policy].description.split())) for policy in study.result.policies
            ],
            reported=published.table(study, comparisons),
            reported_sentences=published.sentences(study, comparisons),
            steps_differ=narrative.steps_differ(study),
            has_effects=any(part.effect for part in parts),
            has_suspension=any(part.materiality for part in parts),
            events=evidence.events(study),
            diagram=stocks_and_flows(),
            assumptions=evidence.assumptions(study),
            shared_conflicts=evidence.conflicts(study, None),
            grades=evidence.GRADES,
            sources=evidence.cited(study),
            cite=citation(study),
            command=command,
            licence=LICENCE,
        )
    )
