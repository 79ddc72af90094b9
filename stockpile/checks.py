"""Rules across files: one small function each, all faults reported together.

A check sees what was read (`Known`) and yields `Problem`s. It looks only at files whose own shape is right, and takes
names from the file listing, so that one fault does not draw others after it. `run` goes through all checks on the files;
`again` through those that a change of a scenario can break, on what the scenario makes of the files.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, cast

from stockpile import check_cases, check_draws, schema, units
from stockpile.errors import Problem, nearest
from stockpile.known import Known, Path, Said, references
from stockpile.tables import parameters

ALL = "all"


def run(known: Known) -> Iterator[Problem]:
    """Yield the faults of the files that all checks find."""
    for check in (*ALWAYS, *ON_FILES):
        yield from check(known)


def again(known: Known) -> Iterator[Problem]:
    """Yield the faults of a resolved scenario, after its changes."""
    for check in ALWAYS:
        yield from check(known)


def check_sources_are_known(known: Known) -> Iterator[Problem]:
    """Every source key names a source."""
    if ("sources",) not in known.layers or ("sources",) in known.unreadable:
        return
    everywhere = known.layers["sources",].table
    for key, layers in known.layers.items():
        if key != ("sources",):
            own = layers.table.get("sources") if key[0] == "cases" else None
            names = [*everywhere, *own] if isinstance(own, dict) else everywhere
            for path, name in _source_keys(layers.table, ()):
                if name not in names:
                    here = f"; or a table [sources.{name}] in this file" if key[0] == "cases" else ""
                    yield layers.problem(path, f"unknown source {name!r}; {nearest(name, names)}{here}")


def _source_keys(node: Any, path: Path) -> Iterator[tuple[Path, str]]:
    items: Any = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        if key == "source" and isinstance(value, str):
            yield (*path, key), value
        elif key == "source" and isinstance(value, list):
            yield from (((*path, key, number), name) for number, name in enumerate(value) if isinstance(name, str))
        else:
            yield from _source_keys(value, (*path, key))


def check_references_lead_somewhere(known: Known) -> Iterator[Problem]:
    """A reference names a parameter that is none itself, so that no circle can arise."""
    for layers in known.layers.values():
        for path, target in references(layers.table):
            found = known.parameter(target)
            if not known.right(target):
                continue
            if found is None:
                yield layers.problem(path, f"{target!r} is not a parameter; allowed: the path of one, for example munitions.pac3.us_share")
            elif "unit" not in found:
                further = found.get("same_as") or found.get("one_minus")
                yield layers.problem(path, f"{target!r} refers to another parameter itself; allowed: that one, {further!r}")


def check_products_have_the_right_unit(known: Known) -> Iterator[Problem]:
    """A need multiplies to a rate of rounds, an event's rounds to rounds."""
    for _, model, layers in known.of("recipients"):
        for munition, claim in cast(schema.Recipient, model).claims.items():
            yield from _product(known, claim.need, (munition, "need"), "rounds per month", layers)
    for _, model, layers in known.of("events"):
        for munition, factors in cast(schema.Event, model).rounds.items():
            yield from _product(known, factors, ("rounds", munition), "rounds", layers)


def _product(known: Known, factors: dict[str, Any], path: tuple[str, ...], wanted: str, layers: Said) -> Iterator[Problem]:
    found = []
    for factor in factors.values():
        unit = factor.unit if isinstance(factor, schema.Parameter) else (known.parameter(factor.path) or {}).get("unit")
        dimension = units.find(str(unit))
        if dimension is None:
            return
        found.append(dimension.dimension)
    rest = sorted(d for d in found if d != "number")
    fits = rest == [wanted] or (wanted == "rounds per month" and rest == ["rounds per target", "targets per month"])
    if not fits:
        given = " x ".join(f"({dimension})" for dimension in rest) or "a number"
        yield layers.problem(path, f"the factors {', '.join(factors)} multiply to {given}; allowed: {wanted}, with shares in unit 1")


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
            for key, plan in part.plans.items():
                path = ("line", "parts", name, "plans", key, "replaces")
                for place, old in enumerate(plan.replaces):
                    if old not in part.plans:
                        yield layers.problem((*path, place), f"unknown plan {old!r}; {nearest(old, part.plans)}")


def check_claims_cover_the_munitions(known: Known) -> Iterator[Problem]:
    """Each recipient has one table a munition, and exactly one recipient takes the remainder of the line."""
    munitions = known.names("munitions")
    recipients = [(name, cast(schema.Recipient, model), layers) for name, model, layers in known.of("recipients")]
    for _, recipient, layers in recipients:
        unknown = [name for name in recipient.claims if name not in munitions]
        for name in unknown:
            yield layers.problem((name,), f"unknown munition {name!r}; {nearest(name, munitions)}")
        for name, claim in recipient.claims.items():
            if claim.share is None and not recipient.remainder:
                yield layers.problem((name, "share"), "missing; allowed: the share of the line that is made for this recipient")
            if claim.share is not None and recipient.remainder:
                yield layers.problem((name, "share"), "given for the recipient who takes the remainder of the line; allowed: none")
        for name in sorted(set(munitions) - set(recipient.claims)) if not unknown else ():
            yield layers.problem((name,), f"missing; allowed: tables [{name}.stock] and so on, zero where there is none")
    yield from _remainder(known, recipients)


def _remainder(known: Known, recipients: list[tuple[str, schema.Recipient, Said]]) -> Iterator[Problem]:
    takers = [(name, layers) for name, recipient, layers in recipients if recipient.remainder]
    if len(recipients) < len(known.names("recipients")) or len(takers) == 1:
        return
    saying = [layers for _, _, layers in recipients if "remainder" in layers.table]
    layers = takers[-1][1] if takers else [*saying, recipients[0][2]][0]
    who = " and ".join(name for name, _ in takers) or "nobody"
    yield layers.problem(("remainder",), f"the remainder of the line goes to {who}; allowed: exactly one recipient with remainder = true")


def check_events_name_known_things(known: Known) -> Iterator[Problem]:
    """Events name recipients and causes that there are."""
    recipients = known.names("recipients")
    for _, model, layers in known.of("events"):
        event = cast(schema.Event, model)
        if event.recipient is not None and event.recipient not in recipients:
            yield layers.problem(("recipient",), f"unknown recipient {event.recipient!r}; {nearest(event.recipient, recipients)}")
        causes = ["us", "joint_or_unknown", *recipients]
        if event.cause is not None and event.cause not in causes:
            yield layers.problem(("cause",), f"unknown cause {event.cause!r}; {nearest(event.cause, causes)}")


def check_events_name_known_munitions(known: Known) -> Iterator[Problem]:
    """Events give rounds of munitions that there are."""
    munitions = known.names("munitions")
    for _, model, layers in known.of("events"):
        for name in cast(schema.Event, model).rounds:
            if name not in munitions:
                yield layers.problem(("rounds", name), f"unknown munition {name!r}; {nearest(name, munitions)}")


def check_campaigns_name_known_things(known: Known) -> Iterator[Problem]:
    """Random campaigns name causes that there are."""
    causes = ["us", "joint_or_unknown", *known.names("recipients")]
    for _, model, layers in known.of("campaigns"):
        cause = cast(schema.Campaign, model).cause
        if cause not in causes:
            yield layers.problem(("cause",), f"unknown cause {cause!r}; {nearest(cause, causes)}")


def check_campaigns_name_known_munitions(known: Known) -> Iterator[Problem]:
    """Random campaigns give rounds of munitions that there are."""
    munitions = known.names("munitions")
    for _, model, layers in known.of("campaigns"):
        for name in cast(schema.Campaign, model).rounds:
            if name not in munitions:
                yield layers.problem(("rounds", name), f"unknown munition {name!r}; {nearest(name, munitions)}")


def check_policies_name_known_things(known: Known) -> Iterator[Problem]:
    """Policies name recipients, munitions and floors that there are."""
    munitions, recipients = known.names("munitions"), known.names("recipients")
    for _, model, layers in known.of("policies"):
        policy = cast(schema.Policy, model)
        measures: list[tuple[Path, schema.Measure]] = [
            (("suspensions", number), item) for number, item in enumerate(policy.suspensions)
        ]
        measures += [(("review",), policy.review)] if policy.review else []
        for path, measure in measures:
            yield from _unknown(measure.munitions, munitions, "munition", (*path, "munitions"), layers)
            yield from _unknown(measure.recipients, recipients, "recipient", (*path, "recipients"), layers)
        yield from _allocation(policy.allocation, recipients, layers)
        for key in ("transfer_floor", "review_level"):
            level = getattr(policy, key)
            floors = {name: {*munition.floors, "requirement"} for name, munition, _ in known.munitions()}
            without = [name for name in floors if level not in floors[name]]
            if without:
                message = f"{level!r} is no floor of {', '.join(without)}; {nearest(level, set.intersection(*floors.values()))}"
                yield layers.problem((key,), message)


def _unknown(given: Sequence[str], known: Sequence[str], what: str, path: Path, layers: Said) -> Iterator[Problem]:
    for number, name in enumerate(given):
        if name not in known and name != ALL:
            yield layers.problem((*path, number), f"unknown {what} {name!r}; {nearest(name, [*known, ALL])}")


def _allocation(allocation: schema.Allocation, recipients: list[str], layers: Said) -> Iterator[Problem]:
    if allocation.use not in ("pro_rata", "weights") and ":" not in allocation.use:
        rules = nearest(allocation.use, ["pro_rata", "weights", "module:Class"])
        yield layers.problem(("allocation", "use"), f"unknown rule {allocation.use!r}; {rules}")
    named: set[str] = set()
    for rank, members in enumerate(allocation.classes):
        for number, name in enumerate(members):
            place = ("allocation", "classes", rank, number)
            if name not in recipients:
                yield layers.problem(place, f"unknown recipient {name!r}; {nearest(name, recipients)}")
            if name in named:
                yield layers.problem(place, f"{name!r} is named a second time; allowed: once")
            named.add(name)
    for name in allocation.weights:
        if name not in recipients:
            yield layers.problem(("allocation", "weights", name), f"unknown recipient {name!r}; {nearest(name, recipients)}")


def check_observations_name_known_things(known: Known) -> Iterator[Problem]:
    """Observations name munitions, parts and parameters that there are."""
    munitions = {name: munition for name, munition, _ in known.munitions()}
    for _, model, layers in known.of("observations"):
        for name, entry in cast(schema.Observations, model).entries.items():
            if entry.munition is not None and entry.munition not in known.names("munitions"):
                message = f"unknown munition {entry.munition!r}; {nearest(entry.munition, known.names('munitions'))}, or item"
                yield layers.problem((name, "munition"), message)
            elif entry.munition in munitions and entry.scope.part is not None:
                parts = munitions[entry.munition].line.parts
                if entry.scope.part not in parts:
                    yield layers.problem((name, "scope", "part"), f"unknown part {entry.scope.part!r}; {nearest(entry.scope.part, parts)}")
            yield from _bases(known, name, entry, layers)


def check_observations_have_names_of_their_own(known: Known) -> Iterator[Problem]:
    """No two files of observations use the same name: one figure would take the place of the other unseen."""
    seen: dict[str, str] = {}
    for file, model, layers in known.of("observations"):
        for name in cast(schema.Observations, model).entries:
            if name in seen:
                yield layers.problem((name,), f"the name stands in observations/{seen[name]}.toml as well; allowed: once")
            seen.setdefault(name, file)


def _bases(known: Known, name: str, entry: schema.Observation, layers: Said) -> Iterator[Problem]:
    """Yield what `used_in` names that is no parameter."""
    for number, path in enumerate(entry.used_in):
        if known.right(path) and not known.has(path):
            message = f"{path!r} is not a parameter; allowed: the path of one, for example munitions.pac3.us_share"
            yield layers.problem((name, "used_in", number), message)


def check_scenarios_name_known_things(known: Known) -> Iterator[Problem]:
    """Scenarios name bases, munitions, recipients, policies and events that there are."""
    events = known.names("events")
    for name, model, layers in known.of("scenarios"):
        scenario = cast(schema.Scenario, model)
        yield from _lists(known, scenario, layers)
        if scenario.recipients is not None and not _takers(known) & set(scenario.recipients):
            who = " or ".join(sorted(_takers(known)))
            yield layers.problem(("recipients",), f"leaves out who takes the remainder of the line; allowed: a list with {who}")
        if scenario.base is not None and scenario.base not in known.names("scenarios"):
            yield layers.problem(("base",), f"unknown scenario {scenario.base!r}; {nearest(scenario.base, known.names('scenarios'))}")
        for number, repeat in enumerate(scenario.repeats):
            if repeat.event not in events:
                yield layers.problem(("repeats", number, "event"), f"unknown event {repeat.event!r}; {nearest(repeat.event, events)}")
            if repeat.name in events:
                yield layers.problem(("repeats", number, "name"), f"{repeat.name!r} is the name of an event; allowed: a name of its own")
        yield from _circle(known, name, scenario, layers)
        yield from _months(scenario, layers)


def _lists(known: Known, scenario: schema.Scenario, layers: Said) -> Iterator[Problem]:
    folders = {
        "munitions": ("munitions", "munition"), "recipients": ("recipients", "recipient"),
        "policies": ("policies", "policy"), "without_events": ("events", "event"), "without_campaigns": ("campaigns", "campaign"),
    }
    for field, (folder, what) in folders.items():
        names: list[str] = getattr(scenario, field) or []
        for number, given in enumerate(names):
            if given in names[:number]:
                yield layers.problem((field, number), f"{given!r} is named a second time; allowed: once")
            elif given not in known.names(folder):
                yield layers.problem((field, number), f"unknown {what} {given!r}; {nearest(given, known.names(folder))}")


def _takers(known: Known) -> set[str]:
    """Return who takes the remainder of the line; everybody where that cannot be told, for a fault reported elsewhere."""
    return {name for name, model, _ in known.of("recipients") if cast(schema.Recipient, model).remainder} or set(known.names("recipients"))


def _circle(known: Known, name: str, scenario: schema.Scenario, layers: Said) -> Iterator[Problem]:
    """Yield the fault of bases that go round in a circle, for the first by name of those in it."""
    seen = [name]
    base = scenario.base
    while base is not None and base not in seen:
        seen.append(base)
        model = known.models.get(("scenarios", base))
        base = cast(schema.Scenario, model).base if model is not None else None
    if base == name == min(seen):
        yield layers.problem(("base",), f"goes round in a circle: {' -> '.join([*seen, base])}; allowed: bases that end")


def _months(scenario: schema.Scenario, layers: Said) -> Iterator[Problem]:
    for key in ("start", "end"):
        date: dt.date | None = getattr(scenario, key)
        if date is not None and date.day != 1:
            yield layers.problem((key,), f"{date} is not the first day of a month; allowed: {date.replace(day=1)}")
    if scenario.start and scenario.end and scenario.end <= scenario.start:
        yield layers.problem(("end",), f"{scenario.end} is not after start ({scenario.start}); allowed: a later month")


def check_points_of_a_day_differ_in_publication(known: Known) -> Iterator[Problem]:
    """Of two used points that hold from the same day the one published later counts, so one must be later."""
    for key, layers in known.layers.items():
        if key not in known.models:
            continue
        for path, table in parameters(layers.table):
            seen: dict[Any, int] = {}
            for number, point in enumerate(table.get("points", ())):
                names = [point["source"]] if isinstance(point.get("source"), str) else point.get("source", [])
                if not point.get("used", True) or not all(name in known.sources for name in names):
                    continue
                mark = (point.get("from"), max((known.sources[name].published for name in names), default=None))
                if mark in seen:
                    yield layers.problem(
                        (*path, "points", number, "from"),
                        f"{mark[0]} is the day of point {seen[mark] + 1} too, and neither was published later; "
                        "allowed: `used = false` for one of them, both in a conflict group",
                    )
                seen.setdefault(mark, number)


ALWAYS = (
    check_references_lead_somewhere,
    check_products_have_the_right_unit,
    check_munitions_name_their_requirement,
    check_claims_cover_the_munitions,
    check_events_name_known_things,
    check_campaigns_name_known_things,
    check_policies_name_known_things,
)
ON_FILES = (
    check_sources_are_known,
    check_events_name_known_munitions,
    check_campaigns_name_known_munitions,
    check_plans_replace_known_plans,
    check_observations_name_known_things,
    check_observations_have_names_of_their_own,
    check_scenarios_name_known_things,
    check_cases.check_cases_name_known_things,
    check_cases.check_cases_can_be_run,
    check_points_of_a_day_differ_in_publication,
    check_draws.check_choices_have_alternatives,
    check_draws.check_alternatives_stand_in_no_file,
    check_draws.check_correlations_name_what_varies,
    check_draws.check_correlations_replace_known_groups,
)
