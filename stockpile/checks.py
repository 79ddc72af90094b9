"""Rules across files: one small function each, all faults reported together.

A check sees what was read (`Known`) and yields `Problem`s. It looks only at files whose own shape is right, and takes
names from the file listing, so that one fault does not draw others after it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel

from stockpile import schema, units
from stockpile.errors import Problem, nearest

if TYPE_CHECKING:
    from stockpile.params import Layers

ALL = "all"


@dataclass(frozen=True)
class Known:
    """What the checks look at."""

    layers: dict[tuple[str, ...], Layers]
    models: dict[tuple[str, ...], BaseModel]
    source_names: frozenset[str]

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder, whether or not their files are right."""
        return [key[1] for key in self.layers if key[0] == folder and len(key) == 2]

    def of(self, folder: str) -> Iterator[tuple[str, BaseModel, Layers]]:
        """Yield name, model and layers of each thing in a folder whose file is right."""
        for key, model in self.models.items():
            if key[0] == folder and len(key) == 2:
                yield key[1], model, self.layers[key]

    def munitions(self) -> Iterator[tuple[str, schema.Munition, Layers]]:
        """Yield the munitions."""
        for name, model, layers in self.of("munitions"):
            yield name, cast(schema.Munition, model), layers

    def parameter(self, path: str) -> dict[str, Any] | None:
        """Return the raw table at a parameter path, if it is one."""
        from stockpile.params import is_parameter

        parts = path.split(".")
        key = tuple(parts[:2]) if tuple(parts[:2]) in self.layers else tuple(parts[:1])
        if key not in self.layers:
            return None
        node: Any = self.layers[key].table
        for part in parts[len(key) :]:
            node = node.get(part) if isinstance(node, dict) else None
        return node if is_parameter(node) else None


def run(
    layers: dict[tuple[str, ...], Layers], sources: dict[str, schema.Source], models: dict[tuple[str, ...], BaseModel]
) -> Iterator[Problem]:
    """Yield the faults that all checks find."""
    names = frozenset(layers[("sources",)].table) if ("sources",) in layers else frozenset(sources)
    known = Known(layers, models, names)
    for check in CHECKS:
        yield from check(known)


def check_sources_are_known(known: Known) -> Iterator[Problem]:
    """Every source key names a source."""
    for key, layers in known.layers.items():
        if key != ("sources",):
            for path, name in _source_keys(layers.table, ()):
                if name not in known.source_names:
                    yield layers.problem(path, f"unknown source {name!r}; {nearest(name, known.source_names)}")


def _source_keys(node: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    items: Any = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        if key == "source":
            for name in [value] if isinstance(value, str) else value if isinstance(value, list) else []:
                if isinstance(name, str):
                    yield (*path, key), name
        else:
            yield from _source_keys(value, (*path, key))


def check_references_lead_somewhere(known: Known) -> Iterator[Problem]:
    """A reference names a parameter that is none itself, so that no circle can arise."""
    for layers in known.layers.values():
        for path, target in _references(layers.table, ()):
            found = known.parameter(target)
            if found is None:
                yield layers.problem(path, f"{target!r} is not a parameter; allowed: the path of one, for example munitions.pac3.us_share")
            elif "unit" not in found:
                yield layers.problem(path, f"{target!r} refers to another parameter itself; allowed: the parameter it refers to")


def _references(node: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    items: Any = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        if key in ("same_as", "one_minus") and isinstance(value, str):
            yield (*path, key), value
        else:
            yield from _references(value, (*path, key))


def check_products_have_the_right_unit(known: Known) -> Iterator[Problem]:
    """A need multiplies to a rate of rounds, an event's rounds to rounds."""
    for _, model, layers in known.of("recipients"):
        for munition, claim in cast(schema.Recipient, model).claims.items():
            yield from _product(known, claim.need, (munition, "need"), "rounds per month", layers)
    for _, model, layers in known.of("events"):
        for munition, factors in cast(schema.Event, model).rounds.items():
            yield from _product(known, factors, ("rounds", munition), "rounds", layers)


def _product(
    known: Known, factors: dict[str, Any], path: tuple[str, ...], wanted: str, layers: Layers
) -> Iterator[Problem]:
    found = []
    for factor in factors.values():
        unit = factor.unit if isinstance(factor, schema.Parameter) else (known.parameter(factor.path) or {}).get("unit", "1")
        dimension = units.find(str(unit))
        found.append(dimension.dimension if dimension else "?")
    rest = sorted(d for d in found if d != "number")
    fits = rest == [wanted] or (wanted == "rounds per month" and rest == ["rounds per target", "targets per month"])
    if not fits:
        yield layers.problem(
            path, f"the factors multiply to {' x '.join(rest) or 'a number'}; allowed: {wanted}, with shares in unit 1"
        )


def check_munitions_name_their_requirement(known: Known) -> Iterator[Problem]:
    """`requirement` names one of the requirements."""
    for _, munition, layers in known.munitions():
        if munition.requirement is not None and munition.requirement not in munition.requirements:
            message = f"unknown requirement {munition.requirement!r}; {nearest(munition.requirement, munition.requirements)}"
            yield layers.problem(("requirement",), message)


def check_plans_replace_known_plans(known: Known) -> Iterator[Problem]:
    """A plan replaces plans of the same part."""
    for _, munition, layers in known.munitions():
        for name, part in munition.line.parts.items():
            plans = [plan.name for plan in part.plans]
            for number, plan in enumerate(part.plans):
                path = ("line", "parts", name, "plans", number)
                for old in plan.replaces:
                    if old not in plans:
                        yield layers.problem((*path, "replaces"), f"unknown plan {old!r}; {nearest(old, plans)}")
                if plans.count(plan.name) > 1:
                    yield layers.problem((*path, "name"), f"{plan.name!r} is the name of another plan; allowed: a name of its own")


def check_claims_cover_the_munitions(known: Known) -> Iterator[Problem]:
    """Each recipient has one table a munition, and exactly one recipient takes the remainder of the line."""
    munitions = known.names("munitions")
    recipients = [(name, cast(schema.Recipient, model), layers) for name, model, layers in known.of("recipients")]
    for _, recipient, layers in recipients:
        for name, claim in recipient.claims.items():
            if name not in munitions:
                yield layers.problem((name,), f"unknown munition {name!r}; {nearest(name, munitions)}")
            if (claim.share is None) != recipient.remainder:
                key = "share" if claim.share is not None else ""
                rule = "the remainder has no share of its own" if recipient.remainder else "missing; give the share of the line made for it"
                yield layers.problem(tuple(filter(None, (name, key))), rule)
        for name in sorted(set(munitions) - set(recipient.claims)):
            yield layers.problem((), f"no table for munition {name!r}; give [{name}.stock] and so on, zero where there is none")
    takers = [name for name, recipient, _ in recipients if recipient.remainder]
    if len(recipients) == len(known.names("recipients")) and len(takers) != 1:
        for name, _, layers in recipients:
            if name in takers or not takers:
                yield layers.problem(("remainder",), f"{len(takers)} recipients take the remainder of the line; allowed: exactly one")


def check_events_name_known_things(known: Known) -> Iterator[Problem]:
    """Events name recipients, causes and munitions that there are."""
    munitions, recipients = known.names("munitions"), known.names("recipients")
    for _, model, layers in known.of("events"):
        event = cast(schema.Event, model)
        if event.recipient is not None and event.recipient not in recipients:
            yield layers.problem(("recipient",), f"unknown recipient {event.recipient!r}; {nearest(event.recipient, recipients)}")
        causes = ["us", "joint_or_unknown", *recipients]
        if event.cause is not None and event.cause not in causes:
            yield layers.problem(("cause",), f"unknown cause {event.cause!r}; {nearest(event.cause, causes)}")
        for name in event.rounds:
            if name not in munitions:
                yield layers.problem(("rounds", name), f"unknown munition {name!r}; {nearest(name, munitions)}")


def check_policies_name_known_things(known: Known) -> Iterator[Problem]:
    """Policies name recipients, munitions and floors that there are."""
    munitions, recipients = known.names("munitions"), known.names("recipients")
    for _, model, layers in known.of("policies"):
        policy = cast(schema.Policy, model)
        measures: list[tuple[tuple[str | int, ...], schema.Measure]] = [
            (("suspensions", number), item) for number, item in enumerate(policy.suspensions)
        ]
        measures += [(("review",), policy.review)] if policy.review else []
        for path, measure in measures:
            yield from _unknown(measure.munitions, munitions, "munition", (*path, "munitions"), layers)
            yield from _unknown(measure.recipients, recipients, "recipient", (*path, "recipients"), layers)
        yield from _allocation(policy.allocation, recipients, layers)
        for name, munition, _ in known.munitions():
            floors = [*munition.floors, "requirement"]
            for key in ("transfer_floor", "review_level"):
                level = getattr(policy, key)
                if level not in floors:
                    yield layers.problem((key,), f"munition {name} has no floor {level!r}; {nearest(level, floors)}")


def _unknown(
    given: Sequence[str], known: Sequence[str], what: str, path: tuple[str | int, ...], layers: Layers
) -> Iterator[Problem]:
    for name in given:
        if name not in known and name != ALL:
            yield layers.problem(path, f"unknown {what} {name!r}; {nearest(name, [*known, ALL])}")


def _allocation(allocation: schema.Allocation, recipients: list[str], layers: Layers) -> Iterator[Problem]:
    if allocation.use not in ("pro_rata", "weights") and ":" not in allocation.use:
        rules = nearest(allocation.use, ["pro_rata", "weights", "module:Class"])
        yield layers.problem(("allocation", "use"), f"unknown rule {allocation.use!r}; {rules}")
    named = [name for members in allocation.classes for name in members]
    for name in named:
        if name not in recipients:
            yield layers.problem(("allocation", "classes"), f"unknown recipient {name!r}; {nearest(name, recipients)}")
    for name in sorted({name for name in named if named.count(name) > 1}):
        yield layers.problem(("allocation", "classes"), f"{name!r} stands in two classes; allowed: one")
    for name in allocation.weights:
        if name not in recipients:
            yield layers.problem(("allocation", "weights", name), f"unknown recipient {name!r}; {nearest(name, recipients)}")


def check_observations_name_known_things(known: Known) -> Iterator[Problem]:
    """Observations name munitions and recipients that there are."""
    munitions, recipients = known.names("munitions"), ["us", *known.names("recipients")]
    for _, model, layers in known.of("observations"):
        for name, entry in cast(schema.Observations, model).entries.items():
            allowed = {"munition": munitions, "recipient": recipients}
            for key, names in allowed.items():
                if getattr(entry, key) not in names:
                    given = getattr(entry, key)
                    yield layers.problem((name, key), f"unknown {key} {given!r}; {nearest(given, names)}")


def check_scenarios_name_known_things(known: Known) -> Iterator[Problem]:
    """Scenarios name bases, munitions, recipients, policies and events that there are."""
    folders = {"munitions": "munitions", "recipients": "recipients", "policies": "policies", "without_events": "events"}
    for name, model, layers in known.of("scenarios"):
        scenario = cast(schema.Scenario, model)
        for field, folder in folders.items():
            for given in getattr(scenario, field) or ():
                if given not in known.names(folder):
                    yield layers.problem((field,), f"unknown {folder} entry {given!r}; {nearest(given, known.names(folder))}")
        if scenario.base is not None and scenario.base not in known.names("scenarios"):
            yield layers.problem(("base",), f"unknown scenario {scenario.base!r}; {nearest(scenario.base, known.names('scenarios'))}")
        for number, repeat in enumerate(scenario.repeats):
            if repeat.event not in known.names("events"):
                yield layers.problem(("repeats", number, "event"), f"unknown event {repeat.event!r}; {nearest(repeat.event, known.names('events'))}")
            if repeat.name in known.names("events"):
                yield layers.problem(("repeats", number, "name"), f"{repeat.name!r} is the name of an event; allowed: a name of its own")
        yield from _circle(known, name, scenario, layers)
        yield from _months(scenario, layers)


def _circle(known: Known, name: str, scenario: schema.Scenario, layers: Layers) -> Iterator[Problem]:
    seen = [name]
    base = scenario.base
    while base is not None:
        if base in seen:
            yield layers.problem(("base",), f"goes round in a circle: {' -> '.join([*seen, base])}; allowed: a base that ends")
            return
        seen.append(base)
        model = known.models.get(("scenarios", base))
        base = cast(schema.Scenario, model).base if model is not None else None


def _months(scenario: schema.Scenario, layers: Layers) -> Iterator[Problem]:
    for key in ("start", "end"):
        date: dt.date | None = getattr(scenario, key)
        if date is not None and date.day != 1:
            yield layers.problem((key,), f"{date} is not the first day of a month; allowed: {date.replace(day=1)}")
    if scenario.start and scenario.end and scenario.end <= scenario.start:
        yield layers.problem(("end",), f"must be after start ({scenario.start})")


def check_later_points_have_one_source_date(known: Known) -> Iterator[Problem]:
    """Two used points of a parameter that hold from the same day must differ in publication, or be a conflict group."""
    from stockpile.params import parameters

    for key, layers in known.layers.items():
        if key == ("sources",):
            continue
        for path, table in parameters(layers.table):
            seen: dict[tuple[Any, Any], int] = {}
            for number, point in enumerate(table.get("points", ())):
                if not isinstance(point, dict) or not point.get("used", True):
                    continue
                given = point.get("source", [])
                mark = (point.get("from"), tuple(sorted([given] if isinstance(given, str) else given)))
                if mark in seen:
                    where: tuple[str | int, ...] = (*path, "points", number)
                    yield layers.problem(
                        where, f"holds from the same day as point {seen[mark] + 1} and rests on the same sources; "
                        "allowed: one of them used, the other `used = false` in a conflict group"
                    )
                seen[mark] = number


CHECKS = (
    check_sources_are_known,
    check_references_lead_somewhere,
    check_products_have_the_right_unit,
    check_munitions_name_their_requirement,
    check_plans_replace_known_plans,
    check_claims_cover_the_munitions,
    check_events_name_known_things,
    check_policies_name_known_things,
    check_observations_name_known_things,
    check_scenarios_name_known_things,
    check_later_points_have_one_source_date,
)
