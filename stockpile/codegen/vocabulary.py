"""What the quantities of the equations are called, measured in and mean: for everything that is printed from them."""

from __future__ import annotations

from collections.abc import Sequence

from stockpile.codegen.trace import PER_CAUSE
from stockpile.model.state import FLOWS, SERIES, STOCKS

US, JOINT = "us", "joint_or_unknown"
SAME_MEANING = {"expired_on_hand": "expired"}
"""Fields of the equations that the tables call by another name."""
CONSTANTS: dict[str, tuple[str, str]] = {
    "line_rate": ("1/month", "one over the mean time from a round's being due to its delivery"),
    "issue_time": ("month", "mean time to issue rounds from the US stock"),
    "issue_rate": ("1/month", "one over the mean time to issue rounds from the US stock"),
    "release_rate": ("1/month", "one over the mean time to release withheld rounds"),
    "catch_up_rate": ("1/month", "one over the mean time to pay out deferred transfers"),
    "order_rate": ("1/month", "one over the time over which a recipient orders up to its position"),
    "cover": ("month", "months of planned need that a recipient orders up to"),
    "commit": ("1/month", "largest share of its stock that a recipient fires in a month"),
    "loss": ("1/month", "share of a stock lost to age and damage"),
    "pro_rata": ("1", "1 where transfers are shared out by request, 0 where by weight"),
    "priority": ("1", "priority class of a recipient, 0 served first"),
    "weight": ("1", "weight of a recipient inside its class"),
}
"""Unit and meaning of each constant."""
OF_ITS_OWN = {"own_need_for": "own_need split by on whose behalf it is: us, a recipient, joint_or_unknown"}
"""Series that no table has."""


def name_of(key: str, recipients: Sequence[str]) -> str:
    """Return the name of ``kind.field`` or ``kind.field.number`` in printed models: that of the tables, the row's name at the end."""
    _, name, *number = key.split(".")
    if not number:
        return name
    rows = (US, *recipients, JOINT) if name in PER_CAUSE else tuple(recipients)
    return f"{SAME_MEANING.get(name, name)}_{rows[int(number[0])]}"


def unit_of(key: str) -> str:
    """Return the unit of a quantity; flows and what enters a stock are rates here."""
    kind, name = key.split(".")[:2]
    if kind == "constant":
        return CONSTANTS[name][0]
    if kind == "state":
        return STOCKS[name].unit
    if _of_the_review(kind, name):
        return unit_of(f"{kind}.{name.removeprefix('review_')}")
    if name == "free" or kind == "series":
        unit = (FLOWS | SERIES)[name].unit if name in FLOWS | SERIES else "round/month"
        return "round/month" if kind == "series" and unit == "round" and name in ("lots", "other_supply", "us_inflow") else unit
    return "round/month"


def meaning_of(key: str) -> str:
    """Return what a quantity is, in the words of the glossary; empty where it has none."""
    kind, name = key.split(".")[:2]
    name = SAME_MEANING.get(name, name)
    if kind == "constant":
        return CONSTANTS[name][1]
    if name in OF_ITS_OWN:
        return OF_ITS_OWN[name]
    if _of_the_review(kind, name):
        return f"{name.removeprefix('review_')} while the review is in force: the larger of the dated share and the review's own"
    found = {"state": STOCKS, "flow": FLOWS, "series": SERIES}[kind].get(name)
    return found.text if found else ""


def _of_the_review(kind: str, name: str) -> bool:
    """Tell whether a series is a share that stands in for a dated one while the review is in force."""
    return kind == "series" and name not in SERIES and name.removeprefix("review_") in SERIES and name.startswith("review_")
