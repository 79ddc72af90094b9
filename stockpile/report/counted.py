"""Sentences that count draws: each looks at the draws, and says what they show in words that the counts allow.

A verb is chosen by how many draws there are on either side; where the interval of a difference has both signs, or that of a share
has a half inside, it is too close to call. A function returns None where there is nothing to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.report import differences, narrative, spread, words
from stockpile.report.narrative import possessive

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stockpile.report.study import Study

FEW, MOST = 0.1, 0.9
"""Shares of the draws up to which, and from which on, a verb stands without a count of the others."""
RANGE = "90 % of the draws"


# ---------------------------------------------------------------- floors


def floor_sentence(study: Study, munition: str) -> str:
    """Say in how many draws the stock falls below the floor assumed here under the base policy."""
    past = spread.below(study, study.base, munition, study.now)
    said, end = f"the floor assumed here ({words.rounds(study.floor(munition)[1])} rounds)", words.month(study.date(study.last))
    stock, under = f"The {study.short(munition)} stock", f"under “{study.title(study.base)}”"
    if past.low > 0.5:
        later, now = spread.not_back(study, study.base, munition), words.day(study.date(study.now))
        return (
            f"{stock} has been below {said} by {now} in {past.hits:,} of {past.members:,} draws; "
            f"in {later.hits:,} it has been below it and is not back by {end}, {under}."
        )
    found = spread.below(study, study.base, munition, study.last)
    already = f", in {past.hits:,} of them already by {words.day(study.date(study.now))}" if past.hits else ""
    above, hits, of = f"{found.members - found.hits:,}", f"{found.hits:,}", f"{found.members:,}"
    if found.hits == 0:
        return f"{stock} stays above {said} to {end} in all {of} draws {under}."
    if found.high <= FEW:
        return f"{stock} stays above {said} to {end} in {above} of {of} draws {under}, and falls below it in {hits}{already}."
    if found.low >= MOST:
        return f"{stock} falls below {said} by {end} in {hits} of {of} draws {under}{already}."
    if found.low <= 0.5 <= found.high:
        falls = f"{stock.replace('The', 'the', 1)} falls below {said} by {end}"
        return f"Whether {falls} {under} is too close to call: it does in {hits} of {of} draws{already}."
    if found.high < 0.5:
        return f"{stock} stays above {said} to {end} in most draws, {above} of {of}, {under}; it falls below it in {hits}{already}."
    return f"{stock} falls below {said} by {end} in most draws, {hits} of {of}, {under}{already}."


def when_sentence(study: Study, munition: str) -> str | None:
    """Say by when the stock first falls below the floor assumed here; None where too few draws do."""
    low, middle, high = spread.when_below(study, munition)
    if low is None:
        return None
    named = [
        f"{share} of all draws by {words.month(study.date(edge))}"
        for share, edge in (("a twentieth", low), ("half", middle), ("nineteen twentieths", high))
        if edge is not None
    ]
    return f"It has first been below the floor assumed here in {words.listed(named)}."


def chance_title(study: Study, munition: str) -> str:
    """Say which policy changes most how often the stock falls below the floor assumed here."""
    end, short, members = words.month(study.date(study.last)), study.short(munition), study.draws_of.members
    hits = {policy: spread.below(study, policy, munition, study.last).hits for policy in study.result.policies}
    been = f"the {short} stock has been below the floor assumed here"
    if max(hits.values()) == 0:
        return f"Under no policy compared has the {short} stock been below the floor assumed here by {end} in any of {members:,} draws."
    if study.baseline is None or not study.others:
        return f"By {end} {been} in {hits[study.base]:,} of {members:,} draws under “{study.title(study.base)}”."
    found = {policy: spread.discord(study, policy, munition) for policy in study.others}
    most = max(found, key=lambda policy: abs(found[policy].spared - found[policy].caused))
    if found[most].too_close:
        low, high = min(hits.values()), max(hits.values())
        counts = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        return f"Whether a policy changes how often {been} by {end} is too close to call: in {counts} of {members:,} draws under each."
    against = f"against {hits[study.base]:,} under “{study.title(study.base)}”"
    return f"By {end} {been} in {hits[most]:,} of {members:,} draws under “{study.title(most)}”, {against}."


# ---------------------------------------------------------------- differences


def suspension_sentence(study: Study) -> str | None:
    """Say what the shortest suspension changes in the US stock soon after it began, and what of it can be told at the end."""
    brief = study.brief
    if brief is None:
        return None
    subject, day = f"the suspension of {words.pause(brief.start, brief.end)}", words.day(study.first_day)
    found = {m: spread.change_at(study, brief.policy, m, brief.first) for m in brief.munitions}
    if all(one.kind == "none" for one in found.values()):
        return f"{words.capital(subject)} makes no visible difference to any US stock on {day} in {RANGE}."
    clear = [f"{_changed(one)} {study.short(m)}" for m, one in found.items() if one.kind == "clear"]
    close = [f"{study.short(m)} ({_counts(one)})" for m, one in found.items() if one.kind == "close"]
    if not clear:
        return f"Whether {subject} changes the US stock on {day} is too close to call for {words.listed(close)}.{_left(study)}"
    text = f"{words.capital(subject)} changes the US stock on {day}, in {study.steps}, by {words.listed(clear)}"
    text = f"{text} (median; in brackets {RANGE})"
    return f"{text}{f'; for {words.listed(close)} it is too close to call' if close else ''}.{_left(study)}"


def _changed(change: spread.Change) -> str:
    return words.spread(change.low, change.median, change.high, sign=True)


def _counts(change: spread.Change) -> str:
    return f"higher in {change.more:,} and lower in {change.less:,} of {change.members:,} draws"


def _left(study: Study) -> str:
    """Say for which munitions something of the shortest suspension can be told at the end of the run."""
    brief = study.brief
    assert brief is not None
    found = {m: spread.change_at(study, brief.policy, m, study.last) for m in brief.munitions}
    clear = [f"{_changed(one)} {study.short(m)}" for m, one in found.items() if one.kind == "clear"]
    close = [study.short(m) for m, one in found.items() if one.kind == "close"]
    parts = [f"it is {words.listed(clear)}"] if clear else []
    parts += [f"it is too close to call for {words.listed(close)}"] if close else []
    if len(parts) == 0 or len(clear) + len(close) < len(found):
        parts.append(f"no difference is left{' for the others' if parts else ''} in {RANGE}")
    return f" On {words.day(study.date(study.last))} {'; '.join(parts)}."


def need_sentence(study: Study) -> str | None:
    """Say under which policy the unmet need of those touched by the shortest suspension changes most, over the whole run."""
    if study.brief is None:
        return None
    said = []
    for row in study.brief.recipients:
        found = _largest(study, row)
        if not found:
            continue
        changes = {m: spread.metric_change(study, "total_unmet", row, found[0], m) for m in study.result.munitions}
        clear = [
            f"{_changed(one)} {study.short(m)}, {_more(one)}"
            for m, one in changes.items()
            if one.kind == "clear"
        ]
        close = [study.short(m) for m, one in changes.items() if one.kind == "close"]
        policies = words.listed([f"“{study.title(policy)}”" for policy in found])
        parts = clear + ([f"too close to call for {words.listed(close)}"] if close else [])
        said.append(f"{possessive(study.claimant(row))} unmet need over the run changes most under {policies}: {'; '.join(parts)}")
    return f"{'. '.join(said)} (median; in brackets {RANGE})." if said else None


def _more(change: spread.Change) -> str:
    """Say in how many draws an unmet need is more, and less, as far as there are any."""
    found = [f"{word} in {count:,}" for word, count in (("more", change.more), ("less", change.less)) if count]
    return f"{words.listed(found)} of {change.members:,} draws"


def _largest(study: Study, row: str) -> list[str]:
    """Return the policy under whose median a recipient's unmet need changes most, as a share of its need, and its equals."""
    found = {
        policy: [spread.metric_change(study, "total_unmet", row, policy, m) for m in study.result.munitions] for policy in study.others
    }

    def score(policy: str) -> float:
        total = 0.0
        for m, change in zip(study.result.munitions, found[policy], strict=True):
            need = study.metric(study.base, m, row, "total_used") + study.metric(study.base, m, row, "total_unmet")
            total += abs(change.median) / need if need > 0.0 and change.kind == "clear" else 0.0
        return total

    first = max(found, key=score, default=None)
    if first is None or score(first) <= 0.0:
        return []
    return [policy for policy in found if _equal(found[policy], found[first])]


def _equal(some: Sequence[spread.Change], others: Sequence[spread.Change]) -> bool:
    """Tell whether changes differ by less than a round."""
    names = ("low", "median", "high")
    return all(
        abs(getattr(one, name) - getattr(other, name)) < narrative.ONE
        for one, other in zip(some, others, strict=True)
        for name in names
    )


def difference_title(study: Study, munition: str) -> str:
    """Say which policy changes the US stock most at the end of the run."""
    groups, _ = differences.lines(study, munition)
    short, day = study.short(munition), words.day(study.date(study.last))
    if not groups:
        return f"No policy compared changes the US stock of {short} visibly in {RANGE}."
    found = {group: spread.change_at(study, group[0], munition, study.last) for group, _ in groups}
    group = max(found, key=lambda one: abs(found[one].median))
    change = found[group]
    if change.kind != "clear":
        return f"Whether any policy compared changes the US stock of {short} on {day} is too close to call."
    named = " and ".join(f"“{study.title(policy)}”" for policy in group[:2])
    return f"On {day} the US stock of {short} differs most under {named}: {_changed(change)} rounds, {_counts(change)}."


# ---------------------------------------------------------------- headline


def headline(study: Study) -> list[str]:
    """Return the sentences of the headline block that count draws, those whose guards hold."""
    single: list[Callable[[Study], str | None]] = [suspension_sentence, need_sentence]
    floors = [floor_sentence(study, m) for m in study.result.munitions]
    return [*floors, *(text for text in (function(study) for function in single) if text)]


def finding(study: Study) -> str:
    """Return the one sentence that stands for the page in the index."""
    return suspension_sentence(study) or floor_sentence(study, study.result.munitions[0])


def central(study: Study) -> list[str]:
    """Return the sentences on central values that stand beside them."""
    single: list[Callable[[Study], str | None]] = [
        narrative.suspension_sentence, narrative.materiality_sentence, narrative.drawn, narrative.same_sentence,
    ]
    return [text for text in (function(study) for function in single) if text]
