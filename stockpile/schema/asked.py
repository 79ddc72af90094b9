"""What an answer of a case can be of: the measures, and what each takes."""

from __future__ import annotations

from dataclasses import dataclass

DATE = "date"
"""Unit of an answer that is a day of the calendar."""


@dataclass(frozen=True)
class Asked:
    """What a measure takes.

    Attributes
    ----------
    dimension : str
        Of the answer, as in the table of units.
    needs, takes : tuple of str
        Keys of the answer that must be there, and those that may.
    a_day : bool
        Whether it is a moment, so that the answer may also be a day of the calendar.
    """

    dimension: str
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    a_day: bool = False


WINDOW = ("from", "until")
MEASURES = {
    "months_to_first_delivery": Asked("time", takes=("since", "order"), a_day=True),
    "months_to_last_delivery": Asked("time", takes=("since", "order"), a_day=True),
    "date_of_first_delivery": Asked("time", takes=("order",), a_day=True),
    "date_of_last_delivery": Asked("time", takes=("order",), a_day=True),
    "first_below": Asked("time", takes=("level", "since"), a_day=True),
    "back_at": Asked("time", takes=("level", "since"), a_day=True),
    "days_left": Asked("time", takes=("level", "date")),
    "stock_at": Asked("rounds", needs=("date",)),
    "lowest_stock": Asked("rounds", takes=WINDOW),
    "share_left": Asked("number", needs=("date",)),
    "used": Asked("rounds", takes=WINDOW),
    "unmet": Asked("rounds", takes=WINDOW),
    "delivered": Asked("rounds", takes=WINDOW),
    "sent": Asked("rounds", takes=(*WINDOW, "recipient")),
    "output_rate": Asked("rounds per month", takes=(*WINDOW, "date")),
    "issue_rate": Asked("rounds per month", takes=(*WINDOW, "date")),
    "use_over_output": Asked("number", takes=WINDOW),
    "years_of_output": Asked("time", takes=(*WINDOW, "date")),
    "in_transit": Asked("rounds", needs=("date",), takes=("order",)),
    "change_in_stock_at": Asked("rounds", needs=("date",), takes=("against",)),
}
"""What an answer can be of; `docs/cases.md` says in words what each is, and `evidence.case_measures` works it out from a run."""
PLACES = ("since", "level", "date", "from", "until", "order", "recipient", "against")
"""Keys of an answer that say what exactly is measured."""
