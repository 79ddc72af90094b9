"""An answer sheet as text: plain or Markdown, ready to paste."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from stockpile.analysis.wording import day

if TYPE_CHECKING:
    from stockpile.analysis.answers import Answer
    from stockpile.analysis.grounds import Cited

WIDTH = 100
"""Width of a line of plain text [character]."""


def text(found: Answer) -> str:
    """Return a sheet as plain text."""
    blocks = [_wrapped("Question: ", found.question), _wrapped("Answer: ", found.short)]
    blocks += [_wrapped("", one) for one in found.more]
    blocks.append(_wrapped("Confidence: ", confidence_said(found)))
    blocks += _listed("Cannot confirm:", found.cannot_confirm)
    blocks += _listed("Rests on:", [_plain_source(own) for own in by_path(found.sources)])
    blocks.append(_wrapped("Made with: ", made_with(found)))
    return "\n".join(blocks) + "\n"


def _wrapped(head: str, body: str) -> str:
    return textwrap.fill(head + body, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _listed(head: str, items: Sequence[str]) -> list[str]:
    return [head, *(_wrapped("- ", one) for one in items)] if items else []


def markdown(found: Answer) -> str:
    """Return a sheet as Markdown."""
    lines = [f"**{found.question}**", "", found.short, ""]
    lines += [line for one in found.more for line in (one, "")]
    lines += [f"*Confidence:* {confidence_said(found)}", ""]
    if found.cannot_confirm:
        lines += ["*Cannot confirm:*", "", *(f"- {one}" for one in found.cannot_confirm), ""]
    if found.sources:
        lines += ["*Rests on:*", "", *(f"- {_linked_source(own)}" for own in by_path(found.sources)), ""]
    return "\n".join([*lines, f"*Made with:* {made_with(found)}"]) + "\n"


def confidence_said(found: Answer) -> str:
    """Return the confidence word with what it rests on."""
    return f"{found.confidence.word} ({found.confidence.because})." if found.confidence.because else f"{found.confidence.word}."


def by_path(sources: Sequence[Cited]) -> list[list[Cited]]:
    """Return the sources of each value together."""
    return [list(own) for _, own in groupby(sources, key=lambda one: one.path)]


def valued(own: Sequence[Cited]) -> str:
    """Return a value that an answer rests on, with its range and grade."""
    return f"{own[0].label}: {own[0].valued}, {own[0].grade}"


def dated(one: Cited) -> str:
    """Return when a source was published."""
    return one.date if len(one.date) <= len("2025") else day(one.date)


def _plain_source(own: Sequence[Cited]) -> str:
    named = [f"{one.publisher}, {dated(one)}, {one.url}" for one in own if one.source]
    return f"{valued(own)}; {'; '.join(named) if named else 'no source'}"


def _linked_source(own: Sequence[Cited]) -> str:
    named = [
        f"[{one.publisher}, {dated(one)}]({one.url})" if one.url.startswith("http") else f"{one.publisher}, {dated(one)} ({one.url})"
        for one in own
        if one.source
    ]
    return f"{valued(own)}; {'; '.join(named) if named else 'no source'}"


def made_with(found: Answer) -> str:
    """Return what made the numbers."""
    said = found.manifest
    changed = "; ".join(f"{path} = {value}" for path, value in said["overrides"].items())
    return (
        f"stockpile {said['version']}, commit {said['commit']}; scenario {said['scenario']}, as known on {day(said['as_of'])}; "
        f"{said['members']:,} draws, seed {said['seed']}; parameters {said['parameters'][:12]}{f'; changed: {changed}' if changed else ''}."
    )
