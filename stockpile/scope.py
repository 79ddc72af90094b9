"""Leaving out what a scenario does not have: munitions and recipients, wherever they stand."""

from __future__ import annotations

from stockpile.checks import ALL
from stockpile.known import references
from stockpile.tables import Table, has


def keep(tree: Table, scenario: Table) -> Table:
    """Leave out the munitions and recipients that the scenario does not have, wherever they stand."""
    munitions = list(scenario["munitions"] if "munitions" in scenario else tree["munitions"])
    recipients = list(scenario["recipients"] if "recipients" in scenario else tree["recipients"])
    touched = {*munitions, ALL}, {*recipients, ALL}

    def is_kept(event: Table) -> bool:
        rounds, who = event.get("rounds", {}), event.get("recipient")
        return (who is None or who in recipients) and (not rounds or any(name in munitions for name in rounds))

    claims = {
        name: {key: value for key, value in tree["recipients"][name].items() if not isinstance(value, dict) or key in munitions}
        for name in recipients
    }
    events = {
        name: {**event, "rounds": {key: value for key, value in event.get("rounds", {}).items() if key in munitions}}
        for name, event in tree["events"].items()
        if is_kept(event)
    }
    campaigns = {
        name: {**campaign, "rounds": {key: value for key, value in campaign["rounds"].items() if key in munitions}}
        for name, campaign in tree["campaigns"].items()
        if any(key in munitions for key in campaign["rounds"])
    }
    for target in [target for _, target in references(events)]:
        _put_back(events, tree["events"], target.split(".")[1:])
    return {
        **tree,
        "munitions": {name: tree["munitions"][name] for name in munitions},
        "recipients": claims,
        "events": events,
        "campaigns": campaigns,
        "policies": {name: _policy(policy, *touched) for name, policy in tree["policies"].items()},
    }


def _put_back(events: Table, before: Table, path: list[str]) -> None:
    """Put a factor of a munition left out back into its event, as another one refers to it."""
    if len(path) == 4 and path[0] in events and has(before, path):
        event, _, munition, factor = path
        events[event]["rounds"].setdefault(munition, {}).setdefault(factor, before[event]["rounds"][munition][factor])


def _policy(policy: Table, munitions: set[str], recipients: set[str]) -> Table:
    """Return a policy without the munitions and recipients left out, and without the measures that touch none of those left."""

    def kept(measure: Table) -> Table:
        left = {"munitions": _among(measure["munitions"], munitions), "recipients": _among(measure["recipients"], recipients)}
        return {**measure, **left} if all(left.values()) else {}

    result = {**policy, "suspensions": list(filter(None, map(kept, policy.get("suspensions", []))))}
    if "review" in policy:
        result["review"] = kept(policy["review"]) or None
    if "allocation" in policy:
        classes = [_among(members, recipients) for members in policy["allocation"].get("classes", [])]
        weights = {name: weight for name, weight in policy["allocation"].get("weights", {}).items() if name in recipients}
        result["allocation"] = {**policy["allocation"], "classes": list(filter(None, classes)), "weights": weights}
    return result


def _among(names: list[str], wanted: set[str]) -> list[str]:
    return [name for name in names if name in wanted]


def correlations(tree: Table) -> Table:
    """Return the groups that move together without the paths that lead to no parameter here, and without groups of fewer than two."""
    groups = {}
    for name, group in tree["model"].get("correlations", {}).items():
        kept = [number for number, path in enumerate(group["paths"]) if has(tree, [*path.split("."), "points"])]
        if len(kept) > 1:
            groups[name] = {**group, "paths": [group["paths"][number] for number in kept]}
            if "pairs" in group and len(kept) < len(group["paths"]):
                groups[name]["pairs"] = [[group["pairs"][row - 1][one] for one in kept[:place]] for place, row in enumerate(kept) if place]
    return groups
