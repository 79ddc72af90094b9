"""A run in a few numbers, and each policy against `none`: what ``stockpile run`` and ``stockpile compare`` print.

Rows are plain tables of plain values, so that they can be printed and written as JSON alike. Both are for a run with central
values, which has one member.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile.errors import InputError
from stockpile.metrics import BASELINE, NEVER, rows
from stockpile.results import US, Result, pairs

if TYPE_CHECKING:
    from stockpile.scenario import Scenario

Row = dict[str, Any]


def overview(scenario: Scenario, result: Result) -> list[Row]:
    """Return a row a munition and policy: where the US stock stands when, and who goes without.

    Parameters
    ----------
    scenario : Scenario
    result : Result
        A run of it with central values.

    Returns
    -------
    list of dict
        policy, munition, unit; start and stock_at_start, as_of (the last step edge by then) and stock_at_as_of, minimum and
        minimum_date, minimum_after_as_of and minimum_after_as_of_date, end and stock_at_end; floor (which level transfers may
        not go below), floor_level [round] and first_below_floor (a date, None for never); unmet [round] by recipient. Stocks are
        in rounds; dates are dates.
    """
    found, number = rows(result), _reader(result)
    then = result.index(str(min(scenario.as_of, _date(result, -1))))

    def row(policy: str, munition: str) -> Row:
        stock = result.array("us_on_hand", policy=policy, munition=munition)[0]
        floor = scenario.policies[policy].transfer_floor
        below = number(found[policy, munition, US, f"first_below.{floor}"])
        return {
            "policy": policy,
            "munition": munition,
            "unit": "round",
            "start": _date(result, 0),
            "stock_at_start": float(stock[0]),
            "as_of": _date(result, then),
            "stock_at_as_of": float(stock[then]),
            "minimum": number(found[policy, munition, US, "minimum"]),
            "minimum_date": _at(result, number(found[policy, munition, US, "minimum_date"])),
            "minimum_after_as_of": number(found[policy, munition, US, "minimum_after_as_of"]),
            "minimum_after_as_of_date": _at(result, number(found[policy, munition, US, "minimum_after_as_of_date"])),
            "end": _date(result, -1),
            "stock_at_end": number(found[policy, munition, US, "stock_at_end"]),
            "floor": floor,
            "floor_level": number((result.levels[munition][floor], "round")),
            "first_below_floor": None if below == NEVER else _at(result, below),
            "unmet": {who: number(found[policy, munition, who, "total_unmet"]) for who in result.recipients},
        }

    return [row(policy, munition) for munition in result.munitions for policy in result.policies]


def comparison(scenario: Scenario, result: Result, date: dt.date | None = None) -> list[Row]:
    """Return a row a munition and policy: its change against `none`.

    Parameters
    ----------
    scenario : Scenario
    result : Result
        A run of it with central values, `none` among its policies.
    date : datetime.date, optional
        A date at which to compare the stocks; the first of the month after the scenario's `as_of` where left out.

    Returns
    -------
    list of dict
        policy, against, munition, unit; change_in_minimum, date (the last step edge by then) and change_at_date, end and
        change_at_end [round]; change_in_sent and change_in_unmet [round] by recipient; change_in_replacement_cost (of all
        that left US stock) and cost_unit.

    Raises
    ------
    InputError
        If the date lies outside the run.
    """
    found, number = rows(result), _reader(result)
    step = _step(result, date or next_month(scenario.as_of))

    def row(policy: str, munition: str) -> Row:
        def change(name: str, who: str = US) -> float:
            return number(found[policy, munition, who, f"change_in.{name}"])

        stock, base = (result.array("us_on_hand", policy=one, munition=munition)[0] for one in (policy, BASELINE))
        return {
            "policy": policy,
            "against": BASELINE,
            "munition": munition,
            "unit": "round",
            "change_in_minimum": change("minimum"),
            "date": _date(result, step),
            "change_at_date": float(stock[step] - base[step]),
            "end": _date(result, -1),
            "change_at_end": change("stock_at_end"),
            "change_in_sent": {who: change("total_sent", who) for who in result.recipients},
            "change_in_unmet": {who: change("total_unmet", who) for who in result.recipients},
            "change_in_replacement_cost": sum(change("replacement_cost", who) for who in (US, *result.recipients)),
            "cost_unit": f"USD_{result.manifest['money_year']}",
        }

    return [row(policy, munition) for munition in result.munitions for policy in result.policies if policy != BASELINE]


def next_month(date: dt.date) -> dt.date:
    """Return the first day of the month after `date`."""
    return (date.replace(day=1) + dt.timedelta(days=32)).replace(day=1)


def _reader(result: Result) -> Callable[[tuple[Any, str]], float]:
    if result.members != 1:
        raise ValueError(f"the result has {result.members} members; an overview is for a run with central values")
    return lambda found: float(found[0][0])


def _date(result: Result, step: int) -> dt.date:
    found: dt.datetime = result.dates[step].astype(object)
    return found.date()


def _at(result: Result, months: float) -> dt.date:
    """Return the date of the step edge that lies `months` from the start."""
    return _date(result, int(np.searchsorted(result.months, months - 1e-9)))


def _step(result: Result, date: dt.date) -> int:
    try:
        return result.index(str(date))
    except KeyError:
        first, last = _date(result, 0), _date(result, -1)
        raise InputError.one("date", f"{date} is outside the run; allowed: {first} to {last}") from None


def metrics_rows(result: Result) -> Iterator[Row]:
    """Yield the metrics as `Result.metrics` has them, one plain row a number; never is infinity there too."""
    order = {pair: number for number, pair in enumerate(pairs(result))}
    for (policy, munition, who, name), (values, unit) in sorted(rows(result).items(), key=lambda item: order[item[0][0], item[0][1]]):
        for member, value in enumerate(values):
            yield {
                "policy": policy, "member": member, "munition": munition, "recipient": who, "metric": name, "value": float(value),
                "unit": unit,
            }
