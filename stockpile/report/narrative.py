"""Sentences from numbers: each function looks at the figures and says what they show, or nothing.

A verb is chosen by a threshold, a number is printed as the tables print it, and where a guard is false the function
returns None. All speak of this model at central values; none foretells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from stockpile.report import effects, words
from stockpile.report.facts import next_month

if TYPE_CHECKING:
    from stockpile.report.study import Draw, Study
    from stockpile.results import Array

SEEN = words.SEEN
SMALL, LARGE = 0.02, 0.10
"""Shares of the stock under and over which an effect is called small or large."""
CLOSE = 0.10
"""A stock that comes within this share of a floor is too close to it to be called above: no estimate of a stock is as exact."""
ONE = 0.5
"""A change over a whole run below this, in rounds, is none."""
CAUSES = {
    "US forces": "use by US forces",
    "Joint or unknown": "US use of joint or unknown cause",
    "Age and damage": "age and damage",
}
"""Rows that are no recipient, as a sentence names them."""
EQUAL = 0.05
"""Two numbers of rounds that differ by less than this share are called about as large."""
LEADS = 0.5
"""Share of what left the stock from which a claimant is said to account for most of it."""

NOT_THIS = (
    "Central values of one model, without probabilities yet. US inventories are classified: every stock here is a reconstruction "
    "with a range, and every floor is an assumption, named as such. Nothing here is a count, a forecast by an official body, or advice."
)


def line_of(stock: Array, floor: float, now: int) -> str:
    """Tell how a stock stands to a floor from step edge `now` on: `below`, `recovers`, `falls` or `above`."""
    after = stock[now:]
    if after[0] < floor:
        return "recovers" if (after >= floor).any() else "below"
    return "falls" if (after < floor).any() else "above"


def below_since(stock: Array, floor: float, now: int) -> int:
    """Return the first step edge of the spell below the floor that lasts at `now`."""
    above = np.flatnonzero(stock[: now + 1] >= floor)
    return int(above[-1]) + 1 if len(above) else 0


def floor_sentence(study: Study, munition: str) -> str:
    """Say how the stock stands to the floor assumed here, without a suspension and under the other policies."""
    name, floor = study.floor(munition)
    stock, short = study.stock(study.base, munition), study.short(munition)
    kind = line_of(stock, floor, study.now)
    said = f"the floor assumed here ({words.rounds(floor)} rounds)"
    end = words.month(study.date(len(stock) - 1))
    if kind == "above":
        low = study.now + int(np.argmin(stock[study.now :]))
        margin = float(stock[low]) / floor - 1.0 if floor > 0.0 else np.inf
        if margin < CLOSE:
            return (
                f"The {short} stock comes within {words.percent(margin)} of {said}, in {words.month(study.date(low))}, and stays above it "
                f"to {end} under “{study.title(study.base)}”: too close to call, as its estimate has a wider range."
            )
        text = f"The {short} stock stays above {said} to {end}"
        return (
            f"{text} under every policy compared."
            if _all_alike(study, munition, name, kind)
            else f"{text} under “{study.title(study.base)}”."
        )
    if kind == "falls":
        when = study.now + int(np.argmax(stock[study.now :] < floor))
        return f"The {short} stock falls below {said} in {words.month(study.date(when))} under “{study.title(study.base)}”."
    since = words.month(study.date(below_since(stock, floor, study.now)))
    text = f"The {short} stock has been below {said} since {since}"
    if kind == "below":
        return f"{text} and stays below it to {end} under “{study.title(study.base)}”."
    return f"{text}; {_recoveries(study, munition, floor)}"


def _all_alike(study: Study, munition: str, name: str, kind: str) -> bool:
    level = float(study.result.levels[munition][name][0])
    return all(line_of(study.stock(policy, munition), level, study.now) == kind for policy in study.result.policies)


def _recoveries(study: Study, munition: str, floor: float) -> str:
    """Say when a stock is back above the floor: without a suspension, and the range over the policies."""
    when = {}
    for policy in study.result.policies:
        after = study.stock(policy, munition)[study.now :] >= floor
        when[policy] = study.now + int(np.argmax(after)) if after.any() else None
    own = when[study.base]
    assert own is not None
    text = f"under “{study.title(study.base)}” it is back above it in {words.month(study.date(own))}"
    known = {policy: edge for policy, edge in when.items() if edge is not None}
    first = min(known, key=lambda policy: known[policy])
    earliest = words.month(study.date(known[first]))
    if earliest != words.month(study.date(own)):
        text += f", earliest in {earliest} (“{study.title(first)}”)"
    return f"{text}."


def floors(study: Study) -> list[str]:
    """Return the sentences on floors, munitions of which the same is true said together."""
    above = [m for m in study.result.munitions if floor_sentence(study, m).endswith("under every policy compared.")]
    rest = [floor_sentence(study, m) for m in study.result.munitions if m not in above]
    if len(above) < 2:
        return [floor_sentence(study, m) for m in study.result.munitions]
    end = words.month(study.date(len(study.result.dates) - 1))
    named = [f"{study.short(m)} ({words.rounds(study.floor(m)[1])} rounds)" for m in above]
    return [*rest, f"The stocks of {words.listed(named)} stay above the floors assumed here to {end} under every policy compared."]


def suspension_sentence(study: Study) -> str | None:
    """Say what the shortest suspension changes in the US stock at the first month start after it began, in both step lengths."""
    brief = study.brief
    if brief is None:
        return None
    subject, day = f"The suspension of {words.pause(brief.start, brief.end)}", words.day(study.first_day)
    coarse = {m: float(study.effect(brief.policy, m)[brief.first]) for m in brief.munitions}
    fine = {m: study.daily_at(m, study.first_day) if study.fine is not None else coarse[m] for m in brief.munitions}
    seen = [m for m in brief.munitions if max(abs(coarse[m]), abs(fine[m])) >= SEEN]
    if not seen:
        return f"{subject} makes no visible difference to any US stock on {day}."
    parts = [f"{words.signed(coarse[m])} {study.short(m)}" for m in seen]
    text = f"{subject} changes the US stock on {day} by {words.listed(parts)} in {study.steps}"
    if study.fine is not None:
        text += f" ({words.listed([words.signed(fine[m]) for m in seen])} in daily steps)"
    return f"{text}."


def materiality_sentence(study: Study) -> str | None:
    """Say how large that is beside the stock and a month's output, and what word fits."""
    found = [(m, row) for m in study.result.munitions for row in study.materiality(m) if row.label.startswith("change")]
    stock = [(abs(row.of_stock), m) for m, row in found if row.of_stock is not None]
    output = [(abs(row.of_output), m) for m, row in found if row.of_output is not None]
    if not stock or max(stock)[0] < 0.00005:
        return None
    most, munition = max(stock)
    word = "small" if most < SMALL else "large" if most >= LARGE else "noticeable"
    either = ", in either step length" if study.fine is not None else ""
    text = f"Beside the US stock that is {word}: at most {words.percent(most)} of it ({study.short(munition)}){either}"
    if output:
        most, munition = max(output)
        text += f"; beside one month’s output of the line it is at most {words.percent(most)} ({study.short(munition)})"
    return f"{text}."


def shipment_sentence(study: Study, munition: str) -> str | None:
    """Say how the shipment on record for the days of the suspension compares with the stock, the line and the largest operation."""
    row = next((row for row in study.materiality(munition) if row.label.startswith("shipment")), None)
    if row is None or row.of_stock is None:
        return None
    shipment = f"The shipment on record for those days, {words.rounds(row.rounds)} {study.short(munition)},"
    text = f"{shipment} is {words.percent(row.of_stock)} of the US stock"
    if row.of_output is not None:
        text += f" and {words.percent(row.of_output)} of a month’s output"
    operation = study.largest_operation(munition)
    if operation is not None and row.of_largest_use is not None:
        title = study.scenario.events[operation[0]].title
        relation = "about as large as" if abs(row.of_largest_use - 1.0) < EQUAL else words.times(row.of_largest_use)
        text += f"; it is {relation} the largest single operation in the data ({title}, {words.rounds(operation[1])})"
    return f"{text}."


def need_sentence(study: Study) -> str | None:
    """Say which policy changes the unmet need of a recipient most, for the recipients touched by the shortest suspension."""
    if study.brief is None:
        return None
    parts = []
    for row in study.brief.recipients:
        found = _largest_changes(study, row)
        if not found:
            continue
        changes = [(m, study.metric(found[0], m, row, "change_in.total_unmet")) for m in study.result.munitions]
        named = [f"{words.signed(value)} {study.short(m)}" for m, value in changes if abs(value) >= ONE]
        policies = words.listed([f"“{study.title(policy)}”" for policy in found])
        parts.append(f"{possessive(study.claimant(row))} unmet need over the run changes most under {policies}: {words.listed(named)}")
    return f"{'; '.join(parts)}." if parts else None


def possessive(name: str) -> str:
    """Return a name as an owner."""
    return f"{name}’" if name.endswith("s") else f"{name}’s"


def _largest_changes(study: Study, row: str) -> list[str]:
    """Return the policy that changes a recipient's unmet need most, as a share of the need summed over munitions, and its equals."""
    scores = {}
    for policy in study.others:
        scores[policy] = 0.0
        for m in study.result.munitions:
            change = study.metric(policy, m, row, "change_in.total_unmet")
            need = study.metric(study.base, m, row, "total_used") + study.metric(study.base, m, row, "total_unmet")
            scores[policy] += abs(change) / need if need > 0.0 and abs(change) >= ONE else 0.0
    most = max(scores.values(), default=0.0)
    first = next((policy for policy in scores if scores[policy] == most), None)
    if most <= 0.0 or first is None:
        return []

    def equal(policy: str) -> bool:
        changes = (study.metric(policy, m, row, "total_unmet") - study.metric(first, m, row, "total_unmet") for m in study.result.munitions)
        return all(abs(change) < ONE for change in changes)

    return [policy for policy in scores if equal(policy)]


def draw_sentence(study: Study, munition: str, found: Sequence[Draw]) -> str | None:
    """Say who accounts for the largest part of what left the US stock."""
    whole = sum(draw.from_stock for draw in found)
    if whole < ONE:
        return None
    largest = max(found, key=lambda draw: draw.from_stock)
    share = largest.from_stock / whole
    verb = "accounts for most of" if share > LEADS else "is the largest part of"
    name = words.capital(CAUSES.get(largest.name, largest.name))
    numbers = f"{words.rounds(largest.from_stock)} of {words.rounds(whole)} rounds ({words.percent(share)})"
    return f"{name} {verb} what left US stock of {study.short(munition)}: {numbers}."


def drawn(study: Study) -> str | None:
    """Say for all munitions together who drew most from US stock up to the last step before `as_of`."""
    parts: dict[str, list[str]] = {}
    for munition in study.result.munitions:
        found = study.draws(munition, 0, study.now)
        whole = sum(draw.from_stock for draw in found)
        if whole >= ONE:
            largest = max(found, key=lambda draw: draw.from_stock)
            part = f"{study.short(munition)} ({words.percent(largest.from_stock / whole)})"
            parts.setdefault(CAUSES.get(largest.name, largest.name), []).append(part)
    if not parts:
        return None
    period = f"from {words.month(study.date(0))} to {words.month(study.date(max(study.now - 1, 0)))}"
    return (
        f"The largest part of what left US stock {period}: {'; '.join(f'{who} for {words.listed(named)}' for who, named in parts.items())}."
    )


def unmet_sentence(study: Study, munition: str) -> str:
    """Say what part of its need from `as_of` on the recipient with the largest unmet need goes without, under the base policy."""
    best, most, need = "", 0.0, 0.0
    for row in study.result.recipients:
        unmet = float(study.series("unmet", row, study.base, munition)[study.now :].sum())
        if unmet > most:
            best, most, need = row, unmet, unmet + float(study.series("used", row, study.base, munition)[study.now :].sum())
    start, end = words.month(study.date(study.now)), words.month(study.date(len(study.result.dates) - 2))
    if most < ONE:
        return f"No recipient’s need of {study.short(munition)} goes unmet from {start} to {end} under “{study.title(study.base)}”."
    whose = f"{possessive(study.claimant(best))} need of {study.short(munition)}"
    return f"{whose} goes unmet most: {words.rounds(most)} rounds, {words.percent(most / need)} of it, from {start} to {end}."


def effect_title(study: Study, munition: str) -> str:
    """Say which policy changes the US stock most within the chart of effects."""
    start, end = effects.span(study)
    groups, _ = effects.groups(study, munition, start, end)
    last = words.month(study.date(end - 1))
    if not groups:
        return f"No policy compared changes the US stock of {study.short(munition)} to {last}."
    lines = {group: float(study.effect(group[0], munition)[end - 1]) for group in groups}
    group = max(lines, key=lambda one: abs(lines[one]))
    if abs(lines[group]) < SEEN:
        return f"By {last} every policy’s change in the US stock of {study.short(munition)} has gone back to nothing."
    named = " and ".join(f"“{study.title(policy)}”" for policy in group[:2])
    return f"By {last} the US stock of {study.short(munition)} differs most under {named}: {words.signed(lines[group])} rounds."


def daily_title(study: Study, munition: str) -> str | None:
    """Say what is held on the day the shortest suspension ends, and what of it is left at the first month start, by step length."""
    brief = study.brief
    if brief is None or study.fine is None or munition not in brief.munitions:
        return None
    held, left = study.daily_at(munition, brief.end), study.daily_at(munition, study.first_day)
    coarse = float(study.effect(brief.policy, munition)[brief.first])
    if max(abs(held), abs(left), abs(coarse)) < SEEN:
        return None
    steps = (
        f"{words.signed(held)} in US stock on {words.day(brief.end)}, {words.signed(left)} on {words.day(study.first_day)} in daily steps"
    )
    return f"{study.short(munition)}: {steps}; {words.signed(coarse)} on that day in {study.steps}."


def steps_differ(study: Study) -> str | None:
    """Say why daily and month steps give different numbers, where the suspension is shorter than its month."""
    brief = study.brief
    if brief is None or study.fine is None or study.result.manifest["substeps"] != 1:
        return None
    after = next_month(brief.start)
    days, length = (min(brief.end, after) - brief.start).days, (after - brief.start.replace(day=1)).days
    if days >= length:
        return None
    shipment = ", so of a shipment that falls into these days only that share is held" if study.packages else ""
    return (
        f"Why they differ: with steps of a month a suspension acts by the share of the month’s days it covers, here {days} of {length}, "
        f"on all that is authorised in that month{shipment}. In daily steps all that falls into the days is held, and catching up begins "
        f"on {words.day(brief.end)}, so that by the next month start part of it may have been sent after all. "
        "Neither is more than a reading of the sources, which do not say what moved on which day."
    )


def stays_held(study: Study, munition: str) -> str | None:
    """Say that what the suspension put off is not made up for soon, where the stock lies below the transfer floor."""
    brief = study.brief
    if brief is None or munition not in brief.munitions:
        return None
    policy = study.scenario.policies[brief.policy]
    floor = float(study.result.levels[munition][policy.transfer_floor][0])
    effect = study.effect(brief.policy, munition)
    first, later = brief.first, min(brief.first + 12 * study.result.manifest["substeps"], len(effect) - 1)
    if study.stock(brief.policy, munition)[first] >= floor or effect[first] < SEEN or effect[later] < 0.5 * effect[first]:
        return None
    return (
        f"{study.short(munition)}: what was put off is not made up for soon, because the stock is below the floor assumed here "
        f"and transfers wait: {words.signed(float(effect[later]))} rounds are still in US stock on {words.day(study.date(later))}."
    )


def cost_title(study: Study, money: dict[str, dict[str, float]]) -> str | None:
    """Say between which sums the replacement cost lies over the policies."""
    totals = {policy: sum(found.values()) for policy, found in money.items()}
    if not totals or max(totals.values()) <= 0.0:
        return None
    low, high = min(totals, key=lambda p: totals[p]), max(totals, key=lambda p: totals[p])
    year = study.result.manifest["money_year"]
    if words.billion(totals[low]) == words.billion(totals[high]):
        return f"Replacing what leaves US stock costs {words.billion(totals[high])} billion dollars of {year} under every policy compared."
    return (
        f"Replacing what leaves US stock costs from {words.billion(totals[low])} (“{study.title(low)}”) "
        f"to {words.billion(totals[high])} (“{study.title(high)}”) billion dollars of {year}."
    )


def same_sentence(study: Study) -> str | None:
    """Say which policies cannot be told from the baseline: no stock and no unmet need differs by a round."""
    same = []
    for policy in study.others if study.baseline else ():
        changes = [np.abs(study.effect(policy, m)).max() for m in study.result.munitions]
        changes += [
            abs(study.metric(policy, m, r, "change_in.total_unmet")) for m in study.result.munitions for r in study.result.recipients
        ]
        if max(changes, default=0.0) < ONE:
            same.append(f"“{study.title(policy)}”")
    if not same:
        return None
    return f"{words.listed(same)} cannot be told from “{study.title(study.base)}”: no stock and no unmet need differs by a round."


def headline(study: Study) -> list[str]:
    """Return the sentences of the headline block, those whose guards hold."""
    single: list[Callable[[Study], str | None]] = [suspension_sentence, materiality_sentence, need_sentence, drawn, same_sentence]
    return [*floors(study), *(text for text in (function(study) for function in single) if text)]


def finding(study: Study) -> str:
    """Return the one sentence that stands for the page in the index."""
    return suspension_sentence(study) or floors(study)[0]
