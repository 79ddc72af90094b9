"""Answers of a case in their units: months of the run as months, years, days, or days of the calendar."""

from __future__ import annotations

import numpy as np

from stockpile import schema
from stockpile.clock import Array, Clock
from stockpile.evidence.case_measures import Measured, Moment, View
from stockpile.lookup import factor_of

SECONDS_PER_DAY = 86400.0


def in_unit(view: View, found: Measured, unit: str) -> Array:
    """Return what was measured in the unit of the answer; a day of the calendar as months from the start."""
    if isinstance(found, Moment) and unit == schema.DATE:
        return found.at
    if isinstance(found, Moment) and unit == "day":
        return _days(view.clock, found.at) - _days(view.clock, found.since)
    number = found.at - found.since if isinstance(found, Moment) else found
    return np.asarray(number / factor_of(unit))


def _days(clock: Clock, month: Array) -> Array:
    """Return months from the start as days from it, each month with its own number of days; inf and -inf stay so."""
    known = month[np.isfinite(month)]
    first = int(np.floor(min(known.min(initial=0.0), 0.0)))
    edges = np.arange(first, clock.months + 1, dtype=np.float64)
    dates = np.array([clock.date(edge) for edge in edges])
    days = (dates - clock.date(0.0)).astype(np.float64) / SECONDS_PER_DAY
    return np.where(np.isfinite(month), np.interp(month, edges, days), month)
