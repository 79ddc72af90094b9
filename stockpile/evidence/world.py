"""The small world of a case: a scenario of the ordinary kind, in which everything that the case does not say is nothing.

All is done from the first day on, by the ordinary machinery: nothing is history. Times of flows are one step, so that what is due
arrives in its step; who is sent rounds would take any number, so that the stock alone limits what is sent.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any

from stockpile import schema
from stockpile.check_cases import HELD_BACK
from stockpile.clock import ONE_DAY, Clock
from stockpile.lookup import factor_of
from stockpile.scenario import Scenario, stand_alone
from stockpile.tables import Table
from stockpile.vintage import BEGINNING

OTHERS = "others"
"""Who gets what is delivered and not for the owner."""
SUBSTEPS = 30
"""Steps a month where the case does not say."""
WHY = "A case says nothing of it."
PER_MONTH, PER_DAY = "round/month", "round/day"
PARTS = "__"
"""Between the name of a flow and the number of a month of it."""
KINDS = {"use": "operation", "sent": "package", "inflow": "inflow"}
"""Flows of a case, and the kind of event that each is."""
PLACES = (
    (r"^(munitions\.\w+)\.us_stock\b", r"\1.stock"),
    (r"^(munitions\.\w+)\.floors\.", r"\1.levels."),
    (r"^(munitions\.\w+)\.line\.parts\.", r"\1.line."),
    (r"^(munitions\.\w+)\.line\.lots\.", r"\1.orders."),
    (r"^model\.times\.line\b", "line_time"),
    (r"^model\.(slip|realisation)\b", r"\1"),
)
"""What of a case has another path in its world: patterns of these, and the paths in the case."""


def world(name: str, case: schema.Case, sources: Mapping[str, schema.Source]) -> Scenario:
    """Return the scenario that a case with munitions of its own describes.

    Parameters
    ----------
    name : str
        Name of the case, and of the scenario.
    case : schema.Case
    sources : mapping
        All sources, by key.

    Raises
    ------
    InputError
        If what it says does not go together.
    """
    assert case.start and case.end
    substeps = case.substeps or SUBSTEPS
    clock = Clock(case.start, case.end, substeps)
    events = {key: event for munition, item in case.munitions.items() for key, event in _events(munition, item, case, clock)}
    tree: Table = {
        "scenario": {
            "title": case.title, "description": case.question, "as_of": case.start - ONE_DAY, "start": case.start, "end": case.end,
            "substeps": substeps, "method": "difference", "money_year": case.start.year, "policies": ["none"],
        },
        "munitions": {munition: _munition(item, case, clock) for munition, item in case.munitions.items()},
        "recipients": _recipients(case, clock),
        "events": events,
        "campaigns": {},
        "policies": {
            "none": {"title": "None", "description": "Nothing is held back.", "transfer_floor": HELD_BACK, "review_level": HELD_BACK}
        },
        "model": _model(case, clock),
    }
    return stand_alone(name, tree, sources)


# ---------------------------------------------------------------- munitions


def _munition(item: schema.CaseMunition, case: schema.Case, clock: Clock) -> Table:
    return {
        "title": item.title,
        "short": item.title,
        "description": case.title,
        "us_stock": _nothing("round") if item.stock is None else _table(item.stock),
        "line": _line(item, case, clock),
        "us_share": _one("1", 1.0) if item.us_share is None else _table(item.us_share),
        "training": _nothing("round/year"),
        "loss_rate": _nothing("1/year"),
        "unit_cost": _nothing(f"USD_{clock.start.year}"),
        "floors": {
            HELD_BACK: {"title": "Nothing is held back", "level": _nothing("round")},
            **{name: level.model_dump(by_alias=True, exclude_none=True) for name, level in item.levels.items()},
        },
    }


def _line(item: schema.CaseMunition, case: schema.Case, clock: Clock) -> Table:
    parts = {
        name: {
            "title": part.title or name,
            "capacity": _from_the_start(_table(part.capacity), clock.start),
            "plans": {key: plan.model_dump(by_alias=True, exclude_none=True) for key, plan in part.plans.items()},
        }
        for name, part in item.line.items()
    }
    return {
        "funding": "contracts" if item.orders or not item.line else "full",
        "parts": parts or {"no_limit": {"title": "No limit", "capacity": _one(PER_MONTH, _at_once(item, clock))}},
        "lead_time": _nothing("month"),
        "lot_span": _one("month", clock.dt),
        "lots": {name: _lot(order, case, clock) for name, order in item.orders.items()},
    }


def _at_once(item: schema.CaseMunition, clock: Clock) -> float:
    """Return the rate at which all orders are delivered within a step [round/month]."""
    return sum(_most(order.quantity) for order in item.orders.values()) / clock.dt


def _lot(order: schema.Order, case: schema.Case, clock: Clock) -> Table:
    """Return the order as a lot. What is due takes `times.line` to be delivered: a step, taken off here, where the case gives no time."""
    lead = added([order.administration, order.lead_time], 0.0 if case.line_time else -clock.dt)
    span = _one("month", clock.dt) if order.span is None else _table(order.span)
    return {"title": order.title or "Order", "awarded": order.awarded, "quantity": _table(order.quantity), "lead_time": lead, "span": span}


def added(times: list[schema.Parameter | None], more: float) -> Table:
    """Return the sum of times and `more` months as a parameter, 0 at least: their low ends together, and their high ends."""
    given = [(time.points[0], factor_of(time.unit)) for time in times if time is not None]
    value, low, high = (
        max(sum(number * factor for number, factor in numbers) + more, 0.0)
        for numbers in (
            [(point.value, factor) for point, factor in given],
            [(point.span[0], factor) for point, factor in given],
            [(point.span[1], factor) for point, factor in given],
        )
    )
    if low == high:
        return _one("month", value)
    return {"unit": "month", "shape": "uniform", "points": [{**_point(value), "low": low, "high": high}]}


# ---------------------------------------------------------------- flows


def _events(name: str, item: schema.CaseMunition, case: schema.Case, clock: Clock) -> Iterator[tuple[str, Table]]:
    for kind, event_kind in KINDS.items():
        flows: dict[str, schema.Flow] = getattr(item, kind)
        for key, flow in flows.items():
            own: Table = {"kind": event_kind, "title": flow.title or key, "description": case.title}
            if kind == "use":
                own["cause"] = "us"
            if isinstance(flow, schema.Transfer):
                own["recipient"] = flow.to
            yield from _parts(f"{name}_{kind}_{key}", own, name, flow, clock)


def _parts(key: str, own: Table, munition: str, flow: schema.Flow, clock: Clock) -> Iterator[tuple[str, Table]]:
    """Yield the events of a flow: one a calendar month, so that it is even by days; one alone where its rate is by months."""
    end = flow.end if isinstance(flow.end, dt.date) else clock.end
    if flow.rate is not None and flow.rate.unit != PER_DAY:
        total = _scaled(flow.rate, (clock.at(end) - clock.at(flow.start)) * factor_of(flow.rate.unit))
        yield key, {**own, "start": flow.start, "end": end, "rounds": {munition: {"rounds": total}}}
        return
    days = (end - flow.start).days
    total = _table(flow.rounds) if flow.rounds is not None else _scaled(_given(flow.rate), float(days))
    windows = list(_months(flow.start, end))
    for number, (first, last) in enumerate(windows):
        whole: Table = {"same_as": f"events.{key}{PARTS}0.rounds.{munition}.rounds"} if number else total
        share = {"days": _one("1", (last - first).days / days)} if len(windows) > 1 else {}
        name = f"{key}{PARTS}{number}" if len(windows) > 1 else key
        yield name, {**own, "start": first, "end": last, "rounds": {munition: {"rounds": whole, **share}}}


def path_in_case(path: str) -> str:
    """Return where in a case a parameter of its world comes from; the path itself where it is the same."""
    found = re.fullmatch(rf"events\.\w+?_({'|'.join(KINDS)})_(\w+?)(?:{PARTS}\d+)?\.rounds\.(\w+)\.rounds", path)
    if found:
        return f"munitions.{found[3]}.{found[1]}.{found[2]}"
    for of_world, of_case in PLACES:
        path = re.sub(of_world, of_case, path)
    return path


def _months(start: dt.date, end: dt.date) -> Iterator[tuple[dt.date, dt.date]]:
    """Yield the parts of a window that lie in one calendar month each."""
    while start < end:
        following = dt.date(start.year + start.month // 12, start.month % 12 + 1, 1)
        yield start, min(following, end)
        start = following


def _recipients(case: schema.Case, clock: Clock) -> Table:
    names = sorted({item.to for munition in case.munitions.values() for item in munition.sent.values()})
    found: Table = {}
    for name in [*names, OTHERS]:
        claims = {key: _claim(name, item, clock) for key, item in case.munitions.items()}
        found[name] = {"title": name, "description": case.title, "remainder": name == OTHERS, "claims": claims}
    return found


def _claim(name: str, item: schema.CaseMunition, clock: Clock) -> Table:
    """Return the claim of a recipient; whoever is sent rounds would take four times all of them in every step."""
    sent = sum(_most(whole_of(flow, clock)) for flow in item.sent.values() if flow.to == name)
    found: Table = {key: _nothing(PER_MONTH) for key in ("authorised", "ceiling", "other_supply")}
    if name != OTHERS:
        found["share"] = _nothing("1")
    return {**found, "stock": _nothing("round"), "need": {"rounds": _one(PER_MONTH, 4.0 * sent / clock.dt)}}


def whole_of(flow: schema.Flow, clock: Clock) -> schema.Parameter:
    """Return the rounds of a flow over its whole window."""
    return flow.rounds if flow.rounds is not None else schema.Parameter.model_validate(_scaled(_given(flow.rate), _length(flow, clock)))


def _length(flow: schema.Flow, clock: Clock) -> float:
    """Return by what the rate of a flow is multiplied to give its rounds over the window."""
    end = flow.end if isinstance(flow.end, dt.date) else clock.end
    if flow.rate is None or flow.rate.unit == PER_DAY:
        return float((end - flow.start).days)
    return (clock.at(end) - clock.at(flow.start)) * factor_of(flow.rate.unit)


# ---------------------------------------------------------------- what munitions share


def _model(case: schema.Case, clock: Clock) -> Table:
    step = _one("month", clock.dt)
    line = step if case.line_time is None else _table(case.line_time)
    return {
        "times": {"line": line, "issue": step, "release": step, "catch_up": step, "order": _one("month", 2.0 * clock.dt)},
        "cover": _nothing("month"),
        "commit": _one("1/month", 0.5 / clock.dt),
        "slip": _nothing("month") if case.slip is None else _table(case.slip),
        "ramp_delay": _nothing("month"),
        "realisation": _one("1", 1.0) if case.realisation is None else _table(case.realisation),
        "deflator": _nothing("1/year"),
    }


# ---------------------------------------------------------------- parameters as tables


def _table(parameter: schema.Parameter) -> Table:
    return parameter.model_dump(by_alias=True, exclude_none=True)


def _given(rate: schema.Parameter | None) -> schema.Parameter:
    assert rate is not None
    return rate


def _point(value: float) -> Table:
    return {"value": value, "grade": "assumed", "note": WHY}


def _one(unit: str, value: float) -> Table:
    return {"unit": unit, "role": "constant", "points": [_point(value)]}


def _nothing(unit: str) -> Table:
    return _one(unit, 0.0)


def _scaled(rate: schema.Parameter, length: float) -> Table:
    """Return a rate as the rounds over a window."""
    found = _table(rate)
    (point,) = found["points"]
    rounds = {key: point[key] * length for key in ("value", "low", "high") if key in point}
    return {**found, "unit": "round", "points": [point | rounds]}


def _from_the_start(parameter: Table, start: dt.date) -> Table:
    """Return a dated level with what is in force at the start as what held before it too."""
    points: list[Any] = sorted(parameter["points"], key=lambda point: point.get("from", BEGINNING))
    number = max(number for number, point in enumerate(points) if point.get("from", BEGINNING) <= start)
    first = {key: value for key, value in points[number].items() if key != "from"}
    later = points[number + 1 :]
    return {**parameter, "points": [{**first, "from": BEGINNING} if later else first, *later]}


def _most(parameter: schema.Parameter) -> float:
    """Return the largest value of a parameter, in the model's units."""
    return max(point.span[1] for point in parameter.points) * factor_of(parameter.unit)

