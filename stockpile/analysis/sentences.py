"""What an analysis found, in sentences made from its numbers.

The first sentence of each list is the headline. A verb is chosen by a threshold, and where intervals of Monte Carlo error overlap
the sentence says that it is too close to call. A number is printed with no more digits than its interval supports. All speak of
this model and its assumptions; none foretells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from stockpile import sampling_error
from stockpile.analysis.break_even_sentences import of_break_even as of_break_even
from stockpile.analysis.wording import (
    CLOSE,
    LEVEL,
    Names,
    Row,
    amount,
    capital,
    is_chance,
    listed,
    missing,
    plural,
    rounded,
    rows_of,
    spread,
)
from stockpile.experiments.factors import CAMPAIGNS

if TYPE_CHECKING:
    from stockpile.analysis.discover import Discovery
    from stockpile.analysis.frontier import Frontier
    from stockpile.analysis.robust import Robust
    from stockpile.analysis.sensitivity import Sensitivity
    from stockpile.scenario import Scenario

NOTHING = 1e-9
"""A change, or a gap as a share, below which there is none."""
FEW = 3
"""Most policies that a sentence names one by one."""
HALF = 0.5
"""An input of a box is doubted where it is restricted in a smaller share of the random halves of the draws."""


def _overlap(first: tuple[float, float], second: tuple[float, float]) -> bool:
    return first[0] <= second[1] and second[0] <= first[1]


# ---------------------------------------------------------------- sensitivity


def of_sensitivity(found: Sensitivity, scenario: Scenario | None = None) -> list[str]:
    """Say which unknown moves an outcome most, between which values, and which one would narrow the answer most if it were known.

    Parameters
    ----------
    found : Sensitivity
    scenario : Scenario, optional
        Whose titles are used; names as in the files where left out.
    """
    names = Names.of(found.manifest, scenario)
    what = f"{names.outcome(found.outcome).replace('the chance that', 'whether', 1)} under {names.policy(found.policy)}"
    ranked = [row for row in rows_of(found.indices) if row.total_high > NOTHING]
    if not ranked:
        return [f"No unknown moves {what}: it is the same in all draws."]
    points = f"{int(found.rounds['points'].iloc[-1]):,} base points"
    head = _leading(ranked, what, points) if found.stable else f"The ranking of what moves {what} did not settle with {points}."
    mean = what.replace("whether", "the chance that", 1) if is_chance(found.outcome) else f"the mean of {what}"
    return [head, _range(found, names), *_one_at_a_time(found, mean), *(_worth(ranked) if found.stable else [])]


def _leading(ranked: Sequence[Row], what: str, points: str) -> str:
    first = ranked[0]
    index = f"total Sobol index {_index(first)}"
    if len(ranked) == 1:
        return f"{capital(first.label)} alone moves {what} ({index}; {points})."
    second = ranked[1]
    if _overlap((first.total_low, first.total_high), (second.total_low, second.total_high)):
        pair = f"{first.label} ({index}) and {second.label} ({_index(second)})"
        return f"Which unknown moves {what} most is {CLOSE} between {pair}; {points}."
    return f"{capital(first.label)} moves {what} most: {index}, against {_index(second)} of {second.label}, the next; {points}."


def _index(row: Row) -> str:
    width = row.total_high - row.total_low
    middle, low, high = (rounded(value, width) for value in (row.total, row.total_low, row.total_high))
    return f"{middle} ({low} to {high})"


def _range(found: Sensitivity, names: Names) -> str:
    """Say in what range the outcome lies with all unknowns drawn."""
    outcome = capital(names.outcome(found.outcome))
    if is_chance(found.outcome):
        return f"{outcome} is {amount(found.quantiles['mean'], 0.0, found.unit)} with all unknowns drawn."
    middle, low, high = (found.quantiles[name] for name in ("q50", "q05", "q95"))
    width = high - low
    ends = f"{amount(low, width, found.unit).split(' ')[0]} to {amount(high, width, found.unit)}"
    return f"{outcome}: {ends} in the middle 90 % of the draws, {amount(middle, width, found.unit)} in the median one."


def _one_at_a_time(found: Sensitivity, what: str) -> list[str]:
    """Say between which values the bar at the top of the tornado moves the mean, where its change is not within its error."""
    rows = [row for row in rows_of(found.tornado) if row.swing > NOTHING]
    if not rows:
        return []
    first = _swing(rows[0])
    if first[0] <= 0.0 or (len(rows) > 1 and _overlap(first, _swing(rows[1]))):
        others = f" between {rows[0].label} and {rows[1].label}" if len(rows) > 1 else ""
        return [f"One at a time, which unknown moves {what} most is {CLOSE}{others}."]
    return [f"One at a time, {rows[0].label} moves {what} most: {_ends(rows[0], found.unit, first[1] - first[0])}."]


def _swing(row: Row) -> tuple[float, float]:
    """Return the interval of the size of the larger of the two changes of an unknown."""
    at_low = math.isnan(row.change_at_high) or abs(row.change_at_low) >= abs(row.change_at_high)
    low, high = (row.low_low, row.low_high) if at_low else (row.high_low, row.high_high)
    return (0.0, max(-low, high)) if low <= 0.0 <= high else (min(abs(low), abs(high)), max(abs(low), abs(high)))


def _ends(row: Row, unit: str, width: float) -> str:
    """Return the mean of an outcome at both ends of an unknown, or with and without it."""
    if math.isnan(row.at_high):
        return f"{amount(row.at_low, width, unit)} without, {amount(row.base, width, unit)} as drawn"
    own = "" if row.unit in ("", "1") else f" {plural(row.unit, 0)}"
    low, high = (f"{rounded(value, row.high_value - row.low_value)}{own}" for value in (row.low_value, row.high_value))
    return f"{amount(row.at_low, width, unit)} with it at {low}, {amount(row.at_high, width, unit)} at {high}"


def _worth(ranked: Sequence[Row]) -> list[str]:
    """Say which unknown, if settled, would narrow the answer most; and which one apart from random campaigns."""
    order = sorted(ranked, key=lambda row: -row.first)
    said = [_settled(order, "")]
    if order[0].factor.startswith(CAMPAIGNS):
        rest = [row for row in order if not row.factor.startswith(CAMPAIGNS)]
        said += [_settled(rest, "Apart from random campaigns, which nobody can settle beforehand: ")] if rest else []
    return said


def _settled(order: Sequence[Row], before: str) -> str:
    first = order[0]
    if first.first_low <= 0.0:
        return _start(before, "no single unknown, if it were known, would surely narrow the answer.")
    share = f"take away {spread(first.first, max(first.first_low, 0.0), min(first.first_high, 1.0), '1')} of the variance"
    if len(order) > 1 and _overlap((first.first_low, first.first_high), (order[1].first_low, order[1].first_high)):
        return _start(
            before, f"which unknown, if it were known, would narrow the answer most is {CLOSE} between {first.label} and {order[1].label}; "
            f"the first would {share}."
        )
    if first.narrowing > first.noise:
        share += f", and narrow the range of 90 % of the draws by {rounded(100.0 * first.narrowing, 0.0)} % on average"
    return _start(before, f"of single unknowns {first.label}, if it were known, would narrow the answer most: it would {share}.")


def _start(before: str, text: str) -> str:
    return before + text if before else capital(text)


# ---------------------------------------------------------------- frontier


def of_frontier(found: Frontier, scenario: Scenario | None = None) -> list[str]:
    """Say between what the trade-off runs, and what perfect foresight could do better.

    Parameters as of `of_sensitivity`.
    """
    names = Names.of(found.manifest, scenario)
    best = found.points[~found.points["dominated"]]
    safe = rows_of(best.sort_values(["chance_below", "unmet"]))[0]
    kind = rows_of(best.sort_values(["unmet", "chance_below"]))[0]
    stock = f"the US stock of {names.munition(found.munition)} falls below {names.level(found.level)} after {names.after}"
    tried = f"Of {len(found.points):,} review rules tried, {len(best):,} "
    tried += "is" if len(best) == 1 else "are"
    tried += " not outdone by another in both respects"
    if len(best) == 1:
        said = [f"{tried}: in {_risk(safe)} of the draws {stock}, and {_unmet(safe)} of need are unmet ({_rule(safe)})."]
    elif _overlap((safe.chance_low, safe.chance_high), (kind.chance_low, kind.chance_high)):
        said = [
            f"{tried}, but whether any of them changes the chance that {stock} is {CLOSE}: it is {_risk(safe)} with {_rule(safe)} and "
            f"{_risk(kind)} with {_rule(kind)}; recipients' unmet need is {_unmet(safe)} and {_unmet(kind)}."
        ]
    elif _overlap((safe.unmet_low, safe.unmet_high), (kind.unmet_low, kind.unmet_high)):
        said = [
            f"{tried}: the chance that {stock} is {_risk(safe)} with {_rule(safe)}, against {_risk(kind)} with {_rule(kind)}; whether "
            f"recipients' unmet need differs is {CLOSE} ({_unmet(safe)} and {_unmet(kind)})."
        ]
    else:
        said = [
            f"{tried}: from a chance of {_risk(kind)} that {stock}, with {_unmet(kind)} of recipients' need unmet ({_rule(kind)}), to "
            f"{_risk(safe)}, with {_unmet(safe)} unmet ({_rule(safe)})."
        ]
    return [*said, *_foresight(found)]


def _risk(row: Row) -> str:
    return spread(row.chance_below, row.chance_low, row.chance_high, "1")


def _unmet(row: Row) -> str:
    return spread(row.unmet, row.unmet_low, row.unmet_high, "round")


def _rule(row: Row) -> str:
    return f"{100.0 * row.share:g} % held back from below {row.trigger:g} until above {row.release:g} times the review level"


def _foresight(found: Frontier) -> list[str]:
    """Say how far the rules are from what perfect foresight could do, in the draws for which it was worked out."""
    gaps = found.gaps
    if not len(gaps):
        return []
    draws, rules = gaps["member"].nunique(), gaps["policy"].nunique()
    where = f"in {draws} {'draw' if draws == 1 else 'draws'} and for {rules} of these rules"
    least, most = float(gaps["relative"].min()), float(gaps["relative"].max())
    if most <= NOTHING:
        return [f"Perfect foresight could leave no less unmet at the same depth of the stock, {where}."]
    span = f"{rounded(100.0 * max(least, 0.0), 100.0 * (most - least))} to {rounded(100.0 * most, 100.0 * (most - least))} %"
    share = span if most - least > NOTHING else f"{rounded(100.0 * most, 0.0)} %"
    return [
        f"Perfect foresight, which no rule has, could leave {share} less unmet at the same depth of the stock and no more unmet need of US "
        f"forces, {where}: a bound that no rule can beat, not one that a rule can reach."
    ]


# ---------------------------------------------------------------- discovery


def of_discovery(found: Discovery, scenario: Scenario | None = None) -> list[str]:
    """Say how often a policy fails, and in which part of what is uncertain most of the failures lie.

    Parameters as of `of_sensitivity`.
    """
    names = Names.of(found.manifest, scenario)
    cases, failing = found.boxes.cases, found.boxes.failing
    low, high = (float(end) for end in sampling_error.proportion_interval(failing, cases, LEVEL))
    what = f'Under {names.policy(found.policy)}, in {failing:,} of {cases:,} draws, {spread(failing / cases, low, high, "1")}, '
    what += names.condition(found.condition)
    if not found.words:
        return [f"{what}; no box was found: {found.boxes.said}."]
    said = [f"{what}; {found.words[0]}."]
    said += [f"Box {number}: {text}." for number, text in enumerate(found.words[1:], 2)]
    return [*said, *_doubts(found, names)]


def _doubts(found: Discovery, names: Names) -> list[str]:
    """Name inputs of the first box that random halves of the draws seldom restrict."""
    rows = [row for row in rows_of(found.stability) if row.in_whole and row.halves and row.restricted < HALF]
    if not rows:
        return []
    named = [f"{names.path(row.column)} ({amount(row.restricted, 0.0, '1')} of {row.halves} random halves of the draws)" for row in rows]
    return [f"Seldom found again, and perhaps there by chance: {listed(named)}."]


# ---------------------------------------------------------------- robustness


def of_robust(found: Robust, scenario: Scenario | None = None) -> list[str]:
    """Say which policy has the least largest regret, outcome by outcome, and under which the conditions hold most often.

    Parameters as of `of_sensitivity`.
    """
    names = Names.of(found.manifest, scenario)
    said = [_least_regret(found, outcome, names) for outcome in found.outcomes]
    return [*said, _holds(found, names)] if found.conditions else said


def _least_regret(found: Robust, outcome: str, names: Names) -> str:
    """Say whose largest regret over the scenarios is least, and whose is most, where no other comes close."""
    rows = rows_of(found.ranking[found.ranking["outcome"] == outcome].sort_values("maximum", kind="stable"))
    unit = str(found.values.loc[found.values["outcome"] == outcome, "unit"].iloc[0])
    first, last = rows[0], rows[-1]
    what = f"the least largest regret in {names.outcome(outcome)} over {len(found.scenarios)} scenarios"
    if len(first.tied_by_maximum) == len(rows) - 1:
        return f"No policy has {what}: it is the same for all {len(rows)}."
    if first.close_by_maximum:
        among = _among((first.policy, *first.tied_by_maximum, *first.close_by_maximum), len(rows), names)
        return f"Which policy has {what} is {CLOSE} between {among}; it is {_regret(first, unit)} under {names.policy(first.policy)}."
    best = _among((first.policy, *first.tied_by_maximum), len(rows), names)
    said = f"{capital(best)} {'have' if first.tied_by_maximum else 'has'} {what}: {_regret(first, unit)}"
    if not (last.tied_by_maximum or last.close_by_maximum):
        said += f"; {names.policy(last.policy)} has the most, {_regret(last, unit)}"
    return f"{said}."


def _regret(row: Row, unit: str) -> str:
    if row.maximum <= 0.0:
        return "none, as no policy does better in any of them"
    return f"{spread(row.maximum, row.maximum_low, row.maximum_high, unit)}, in {row.scenario}"


def _among(policies: Sequence[str], count: int, names: Names) -> str:
    return listed([names.policy(one) for one in policies]) if len(policies) <= FEW else f"{len(policies)} of the {count} policies"


def _holds(found: Robust, names: Names) -> str:
    """Say under which policy what is asked holds most often, over all scenarios."""
    rows = [row for row in rows_of(found.satisficing) if missing(row.scenario)]
    first = max(rows, key=lambda row: row.share)
    asked = " and ".join(names.condition(one) for one in found.conditions)
    share = f"{spread(first.share, first.low, first.high, '1')} of the draws of all scenarios"
    if len(first.tied) == len(rows) - 1:
        return f"That {asked} holds equally often under all {len(rows)} policies, in {share}."
    among = _among((first.policy, *first.tied, *first.close), len(rows), names)
    if first.close:
        most = f"in {share} under {names.policy(first.policy)}"
        return f"Under which policy it holds most often that {asked} is {CLOSE} between {among}: {most}."
    return f"That {asked} holds most often under {among}, in {share}."
