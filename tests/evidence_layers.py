"""Small folders of parameters laid over the others: a munition of round numbers with made-up observations, and some for PAC-3."""

from __future__ import annotations

from pathlib import Path

import stockpile as sp

CLOSED_FORMS = Path(__file__).parent / "closed_forms"
SOURCES = """
[made_up_report]
title = "A report made up for tests"
publisher = "tests"
date = {date}
precision = "day"
url = "none: made up"
kind = "original"
outlet_kind = "trade"
"""


def source(name: str, date: str) -> str:
    """A source of that name and date, with the keys that a shipped one has."""
    return SOURCES.replace("made_up_report", name).format(date=date)


def observation(
    name: str, value: float, *, munition: str = "test_round", date: str = "2025-01-01", source: str = "made_up_report", more: str = ""
) -> str:
    """A US stock that was reported."""
    keys = "" if "basis" in more else 'basis = "estimate"\n'
    return (
        f'[{name}]\ntitle = "{name}"\nmunition = "{munition}"\ndate = {date}\nunit = "round"\n{keys}'
        f'scope = {{ state = "on_hand", owner = "us", variant = "all of them", match = "same" }}\nvalue = {value}\n'
        f'source = ["{source}"]\nwhere = "nowhere"\ngrade = "reported"\n{more}\n'
    )


def stock(shape: str = "normal", low: float = 80, value: float = 100, high: float = 120) -> str:
    """A US stock at the start."""
    numbers = f"value = {value}\nlow = {low}\nhigh = {high}\n"
    return f'[us_stock]\nunit = "round"\nshape = "{shape}"\n{numbers}grade = "assumed"\nnote = "made up"\n'


def lay(folder: Path, files: dict[str, str]) -> Path:
    """Write files, each by its path."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def closed(folder: Path, munition: str, observations: str, *, date: str = "2024-12-01") -> sp.Scenario:
    """Return the closed form with other numbers of its munition, and observations of it."""
    files = {
        "munitions/test_round.toml": munition, "observations/made_up.toml": observations, "sources.toml": source("made_up_report", date),
    }
    return sp.load("closed_form", params=[CLOSED_FORMS, lay(folder, files)])
