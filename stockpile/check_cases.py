"""Rules across files about published cases: what their answers name must be there, and lie inside the run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import cast

from stockpile import schema
from stockpile.errors import Problem, nearest
from stockpile.known import Known, Said

OF_A_STOCK = ("first_below", "back_at", "days_left", "share_left", "lowest_stock")
"""Measures that say nothing without a stock at the start."""
HELD_BACK = "nothing"
"""Name of the level of nought rounds that the world of a case has."""
_MISSING = {
    "level": "the name of a table [munitions.NAME.levels.NAME]", "order": "the name of a table [munitions.NAME.orders.NAME]",
    "recipient": "the `to` of a table [munitions.NAME.sent.NAME]",
}
"""What an answer may name of a munition that has none such."""


def check_cases_name_known_things(known: Known) -> Iterator[Problem]:
    """Cases name scenarios and policies that there are; answers name munitions, levels and orders."""
    for _, model, layers in known.of("cases"):
        case = cast(schema.Case, model)
        if case.not_expressible is not None:
            continue
        if case.scenario is not None:
            yield from _scenario(known, case, layers)
        for name, answer in case.answers.items():
            yield from _named(known, case, name, answer, layers)
            if case.scenario is None:
                yield from _days(case, name, answer, layers)


def check_cases_can_be_run(known: Known) -> Iterator[Problem]:
    """Numbers of a case hold from its start, and no name is one of the model's own."""
    for _, model, layers in known.of("cases"):
        case = cast(schema.Case, model)
        for name, munition in case.munitions.items():
            for level in munition.levels:
                if level in (HELD_BACK, "requirement"):
                    place = ("munitions", name, "levels", level)
                    yield layers.problem(place, f"{level!r} is a name of the model's own; allowed: any other")
            for part, item in munition.line.items():
                first = min((point.from_ or dt.date.min) for point in item.capacity.points)
                if case.start is not None and first > case.start:
                    where = ("munitions", name, "line", part, "capacity")
                    yield layers.problem(where, f"first holds from {first}; allowed: a level from {case.start} or earlier, 0 for none")
            yield from _flows(case, name, munition, layers)
            for key, order in munition.orders.items():
                if case.end is not None and order.awarded >= case.end:
                    message = f"{order.awarded} is not before the end of the case ({case.end}); allowed: an earlier day, or a later end"
                    yield layers.problem(("munitions", name, "orders", key, "awarded"), message)


def _flows(case: schema.Case, name: str, munition: schema.CaseMunition, layers: Said) -> Iterator[Problem]:
    """Yield flows outside the run."""
    assert case.start and case.end
    for kind in ("use", "sent", "inflow"):
        flows: dict[str, schema.Flow] = getattr(munition, kind)
        for key, flow in flows.items():
            if flow.start >= case.end:
                message = f"{flow.start} is not before the end of the case ({case.end}); allowed: an earlier day, or a later end"
                yield layers.problem(("munitions", name, kind, key, "start"), message)
            elif flow.start < case.start:
                message = f"{flow.start} is before the start of the case ({case.start}); allowed: that day or a later one"
                yield layers.problem(("munitions", name, kind, key, "start"), message)


def _scenario(known: Known, case: schema.Case, layers: Said) -> Iterator[Problem]:
    scenarios, policies = known.names("scenarios"), known.names("policies")
    if case.scenario not in scenarios:
        yield layers.problem(("scenario",), f"unknown scenario {case.scenario!r}; {nearest(str(case.scenario), scenarios)}")
    for number, policy in enumerate(case.policies or ()):
        if policy not in policies:
            yield layers.problem(("policies", number), f"unknown policy {policy!r}; {nearest(policy, policies)}")


def _named(known: Known, case: schema.Case, name: str, answer: schema.Answer, layers: Said) -> Iterator[Problem]:
    """Yield what an answer names that is not there."""
    there = list(case.munitions) if case.scenario is None else known.names("munitions")
    if answer.munition is not None and answer.munition not in there:
        message = f"unknown munition {answer.munition!r}; {nearest(answer.munition, there)}"
        yield layers.problem(("answers", name, "munition"), message)
    elif case.scenario is not None:
        policies = case.policies or known.names("policies")
        for key in ("policy", "against"):
            given = getattr(answer, key)
            if given is not None and given not in policies:
                yield layers.problem(("answers", name, key), f"unknown policy {given!r}; {nearest(given, policies)}")
    else:
        munition = case.munitions[answer.munition or next(iter(case.munitions))]
        recipients = [item.to for item in munition.sent.values()]
        for key, names in {"level": list(munition.levels), "order": list(munition.orders), "recipient": recipients}.items():
            given = getattr(answer, key)
            if given is not None and given not in names:
                hint = nearest(given, names) if names else f"allowed: {_MISSING[key]}"
                yield layers.problem(("answers", name, key), f"unknown {key} {given!r}; {hint}")
        if answer.measure in OF_A_STOCK and munition.stock is None:
            message = f"{answer.measure} needs the stock at the start; allowed: a table [munitions.NAME.stock]"
            yield layers.problem(("answers", name, "measure"), message)


def _days(case: schema.Case, name: str, answer: schema.Answer, layers: Said) -> Iterator[Problem]:
    """Yield days outside the run."""
    assert case.start and case.end
    for key in ("date", "from", "until", "since"):
        given: dt.date | None = getattr(answer, "from_" if key == "from" else key)
        if given is not None and not case.start <= given <= case.end:
            yield layers.problem(("answers", name, key), f"{given} is outside the case; allowed: from {case.start} to {case.end}")
    begins, ends = answer.from_ or case.start, answer.until or case.end
    if ends <= begins and answer.until is not None:
        from_ = "from" if answer.from_ is not None else "the start of the case"
        message = f"{ends} is not after {from_} ({begins}); allowed: a later day, as windows are half-open"
        yield layers.problem(("answers", name, "until"), message)
    elif ends <= begins:
        message = f"{begins} is not before the end of the case ({ends}); allowed: an earlier day"
        yield layers.problem(("answers", name, "from"), message)
