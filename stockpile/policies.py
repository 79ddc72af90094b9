"""Policies as data: from suspensions to the shares they cancel, defer, withhold and divert."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stockpile import schema
from stockpile.checks import ALL
from stockpile.clock import Array, Clock

SERIES = ("cut", "set_aside", "hold_new", "divert_new")


@dataclass(frozen=True)
class Shares:
    """The four shares per recipient [1], on the intervals, shape (intervals, 1).

    Attributes
    ----------
    dated : dict
        By dated suspensions.
    review : dict
        While the review is on: the larger of its own and the dated ones.
    reviewed : bool
        Whether the review touches this munition at all.
    """

    dated: dict[str, tuple[Array, ...]]
    review: dict[str, tuple[Array, ...]]
    reviewed: bool


def shares(policy: schema.Policy, recipients: tuple[str, ...], munition: str, clock: Clock) -> Shares:
    """Return the shares of `policy` for one munition. Where suspensions overlap, the larger share counts.

    Raises
    ------
    Fault
        If more than all of the new production would be withheld and diverted.
    """
    intervals = len(clock.knots) - 1
    dated = {name: [np.zeros((intervals, 1)) for _ in recipients] for name in SERIES}
    for suspension in policy.suspensions:
        start = clock.at(suspension.start)
        end = float(clock.months) if suspension.end == "horizon" else clock.at(suspension.end)
        _lay(dated, suspension, recipients, munition, clock.overlap(start, end))
    review = {name: list(arrays) for name, arrays in dated.items()}
    reviewed = policy.review is not None and _touches(policy.review.munitions, munition)
    if policy.review is not None:
        _lay(review, policy.review, recipients, munition, clock.overlap(clock.at(policy.review.start), np.inf))
    for kind in (dated, review):
        for held, diverted in zip(kind["hold_new"], kind["divert_new"], strict=True):
            if (held + diverted > 1.0 + 1e-12).any():
                message = "suspensions that overlap withhold and divert more than all of the new production; allowed: together at most 1"
                raise schema.Fault("suspensions", message)
    return Shares({n: tuple(a) for n, a in dated.items()}, {n: tuple(a) for n, a in review.items()}, reviewed)


def _touches(names: list[str], name: str) -> bool:
    return name in names or ALL in names


def _lay(into: dict[str, list[Array]], measure: schema.Measure, recipients: tuple[str, ...], munition: str, window: Array) -> None:
    """Lay one suspension over what is there, taking the larger share."""
    if not _touches(measure.munitions, munition):
        return
    share = (1.0 - measure.let_through) * window
    names = []
    if "transfers" in measure.channels:
        names.append("cut" if measure.transfers == "cancelled" else "set_aside")
    if "new_production" in measure.channels:
        names.append("hold_new" if measure.new_production == "held" else "divert_new")
    for number, recipient in enumerate(recipients):
        if _touches(measure.recipients, recipient):
            for name in names:
                into[name][number] = np.maximum(into[name][number], share)
