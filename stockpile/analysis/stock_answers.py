"""Questions about stocks and the pause: each a small function that says one sentence and what it rests on.

To add one, write a function that takes an `Asked` and gives a `Found`, and decorate it with ``@question``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from stockpile.analysis.answers import Asked, Found, Row, question, records
from stockpile.analysis.break_even import break_even
from stockpile.analysis.break_even_sentences import is_close, of_break_even
from stockpile.analysis.confidence import EVEN, Confidence, confidence, mean_interval, spans_half
from stockpile.analysis.grounds import LEADING, Draws, cited, figure, grades_of, own_dates, paths_of
from stockpile.analysis.materiality import materiality
from stockpile.analysis.outlook import CLOSE, NONE, verdict
from stockpile.analysis.requirement_rows import PURCHASES
from stockpile.analysis.sensitivity import sensitivity
from stockpile.analysis.wording import amount, day, listed, spread
from stockpile.clock import Array
from stockpile.ensembles.chance import Chance, chance
from stockpile.errors import InputError
from stockpile.experiments.factors import CAMPAIGNS
from stockpile.metrics import BASELINE
from stockpile.scenario import Scenario

PAUSES = ("suspension_2025_07", "suspension_6_months", "suspension_indefinite", "suspension_including_israel")
"""The pause as it happened, and what it might have been."""
LENGTHENED = "suspension_6_months"
"""The policy whose pause is made longer and shorter."""
ABOVE = 0.1
"""Chance of being below the floor at which a stock no longer counts as kept above it."""
LENGTHS, SHARES, SCALES = "0:36:6", "0.2:0.9:0.1", "0.5:2:0.25"
"""Lengths of the pause [month], shares of the line, and multiples of what the line can deliver that are tried."""
HALF = 0.5
"""Rounds below which a change is none that could be counted."""
FEW = 300
"""Most draws of each point of a break-even."""
POINTS = 1024, 4096
"""Base points of the Sobol indices, powers of 2: the first number, and the most until their ranking holds."""
MOVED = ("rounds", "of_stock", "output_days", "months_of_need", "change_at_end", "change_at_horizon")
"""What is said of a pause that is material or not."""


# ---------------------------------------------------------------- below the floor


@question("When does the US stock of {what} fall below the floor assumed here, and how likely is that by {by}?")
def when_below_floor(asked: Asked) -> Found:
    """Say how likely the US stock falls below the floor assumed here by a date, and when."""
    floor = asked.scenario.policies[asked.policy].transfer_floor
    below, first = f"below.{floor}@{asked.by}", f"first_below.{floor}"
    draws = asked.draws([below, first])
    hits = int(draws.of(f"{asked.munition}:{below}", asked.policy).sum())
    found = chance(hits, asked.members)
    where = f"munitions.{asked.munition}"
    rests = asked.grounds(draws, below, asked.policy, [f"{where}.us_stock", f"{where}.floors.{floor}"])
    level = next(one for one in rests if one.path.endswith(f"floors.{floor}.level"))
    stock = f"the US stock of {asked.what} has been below the floor assumed here"
    short = f"under {asked.names.policy(asked.policy)}, {stock} by {day(asked.by)} in {_said(found)} of the draws."
    months = draws.of(f"{asked.munition}:{first}", asked.policy)
    more = [_first_month(asked, months), f"The floor assumed here is {_level_said(level.valued, level.unit)}."]
    sure = confidence(
        agreement=max(found.value, 1 - found.value), grades=grades_of(rests), close=spans_half(hits, asked.members)
    )
    numbers = {"floor": floor, "probability": found.value, "low": found.low, "high": found.high, "hits": hits}
    return Found(short, sure, rests, more, ("on_hand", "used", "delivered"), numbers=numbers | _month_numbers(months))


def _said(found: Chance) -> str:
    return spread(found.value, found.low, found.high, "1")


def _level_said(valued: str, unit: str) -> str:
    return f"{valued} of the stock at the start" if unit == "1" else valued


def _first_month(asked: Asked, months: Array) -> str:
    """Say in which month a stock is first below the floor, in the draws in which it ever is."""
    come = months[np.isfinite(months)]
    if not len(come):
        return "In no draw is it below the floor assumed here before the run ends."
    low, middle, high = (_month(asked.scenario, one) for one in _quantiles(come))
    ever = _said(chance(len(come), len(months)))
    span = f"first in {middle} in the median of these, {low} to {high} in the middle 90 % of them"
    return f"In {ever} of the draws it is below the floor assumed here at some time before the run ends: {span}."


def _month_numbers(months: Array) -> Row:
    come = months[np.isfinite(months)]
    return {"ever": len(come) / len(months), "first_months": list(_quantiles(come)) if len(come) else []}


def _quantiles(values: Array) -> tuple[float, float, float]:
    low, middle, high = (float(one) for one in np.quantile(values, (0.05, 0.5, 0.95), method="inverted_cdf"))
    return low, middle, high


def _month(scenario: Scenario, months: float) -> str:
    """Return the calendar month that lies a number of months from the start."""
    start, _ = own_dates(scenario)
    number = start.month - 1 + math.floor(months)
    return day(f"{start.year + number // 12}-{number % 12 + 1:02d}")


# ---------------------------------------------------------------- the pause


@question("What did the July 2025 suspension of deliveries to Ukraine change for {what}, and what if it had been another?")
def what_did_the_pause_change(asked: Asked) -> Found:
    """Say what the pause changed in the US stock and in unmet need: as it happened, longer, for ever, with Israel."""
    policies = [one for one in PAUSES if one in asked.scenario.policies] if asked.is_usual else [asked.policy]
    _needs_pause(asked, policies)
    whom = _targets(asked.scenario, policies)
    stock = f"change_in.us_on_hand@{asked.by}"
    unmet = {who: f"change_in.total_unmet:{who}" for who in whom}
    draws = asked.draws([stock, *unmet.values()], policies)
    rows = [_pause_row(asked, draws, policy, stock, unmet) for policy in policies]
    said = [_pause_said(asked, row) for row in rows]
    rests = asked.grounds(draws, stock, policies[0], _deliveries(asked, whom))
    changes = draws.of(f"{asked.munition}:{stock}", policies[0])
    sure = _sign_confidence(changes, grades_of(rests))
    return Found(said[0], sure, rests, said[1:], ("withheld", "sent", "received"), numbers={"policies": rows})


def _needs_pause(asked: Asked, policies: Sequence[str]) -> None:
    without = [one for one in policies if not asked.scenario.policies[one].suspensions]
    if without or not policies or BASELINE not in asked.scenario.policies:
        having = [name for name, one in asked.scenario.policies.items() if one.suspensions]
        allowed = f"allowed: {', '.join(having) or 'nothing'}, in a scenario with the policy {BASELINE}"
        raise InputError.one("policy", f"{', '.join(without) or 'none'} suspends nothing; {allowed}", file="answer")


def _targets(scenario: Scenario, policies: Sequence[str]) -> list[str]:
    """Return the recipients that suspensions touch, in the order of the run."""
    named = {who for one in policies for own in scenario.policies[one].suspensions for who in own.recipients}
    return [who for who in scenario.recipients if who in named or "all" in named]


def _deliveries(asked: Asked, whom: Sequence[str]) -> list[str]:
    """Return the paths of what is delivered to some recipients from US stock."""
    return [f"recipients.{who}.{asked.munition}.authorised" for who in whom]


def _pause_row(asked: Asked, draws: Draws, policy: str, stock: str, unmet: dict[str, str]) -> Row:
    own = [who for who in unmet if who in _targets(asked.scenario, [policy])]
    return {"policy": policy, "stock": _change(draws.of(f"{asked.munition}:{stock}", policy))} | {
        "unmet": {who: _change(draws.of(f"{asked.munition}:{unmet[who]}", policy)) for who in own}
    }


def _change(values: Array) -> Row:
    low, high = mean_interval(values)
    q05, q50, q95 = _quantiles(values)
    found = {"mean": float(values.mean()), "low": low, "high": high, "q05": q05, "q50": q50, "q95": q95}
    return found | {"verdict": verdict(low, high)}


def _pause_said(asked: Asked, row: Row) -> str:
    """Say what a pause changed, against no suspension."""
    stock = f"the US stock of {asked.what} on {day(asked.by)} by {_moved(row['stock'])}"
    unmet = [f"the unmet need of {asked.names.recipient(who)} over the run by {_moved(one)}" for who, one in row["unmet"].items()]
    return f"{asked.names.policy(row['policy'])}, against {asked.names.policy(BASELINE)}, changes {' and '.join([stock, *unmet])}."


def _share_of_little(values: Array) -> float:
    """Return in what share of the draws a change is less than half a round, so that nobody could count it."""
    return float((np.abs(values) < HALF).mean())


def _moved(row: Row) -> str:
    """Return a mean change with its range over the draws."""
    if max(abs(row[name]) for name in ("mean", "low", "high", "q05", "q95")) < HALF:
        return "nothing in any draw" if row["verdict"] == NONE else "less than one round"
    width = max(row["high"] - row["low"], abs(row["mean"]) / 10)
    middle = ("+" if row["mean"] > 0 else "") + amount(row["mean"], width, "round")
    low, high = (amount(row[name], width, "round").partition(" ")[0] for name in ("q05", "q95"))
    close = f"; {CLOSE}" if row["verdict"] == CLOSE else ""
    return f"{middle} on average ({low} to {high} in 90 % of the draws{close})"


def _sign_confidence(changes: Array, grades: Sequence[str]) -> Confidence:
    """Return how sure the sign of a change is."""
    row = _change(changes)
    if max(abs(row[name]) for name in ("mean", "low", "high", "q05", "q95")) < HALF:
        return confidence(agreement=_share_of_little(changes), grades=grades)
    agree = np.sign(changes) == np.sign(row["mean"])
    return confidence(agreement=float(agree.mean()), values=changes, grades=grades, close=row["verdict"] == CLOSE)


@question("Is the pause material for {what}, beside the US stock, production and need?")
def is_the_pause_material(asked: Asked) -> Found:
    """Say how many rounds the pause moves, as a share of the US stock, in days of output and in months of need."""
    _needs_pause(asked, [asked.policy])
    made = materiality(
        asked.scenario, [asked.policy], [asked.munition], members=asked.members, seed=asked.seed, engine=asked.engine, threads=asked.threads
    )
    row = records(made.table[made.table["name"] == asked.policy])[0]
    word = str(row["word"])
    policy = asked.names.policy(asked.policy)
    whom = [asked.names.recipient(one) for one in _targets(asked.scenario, [asked.policy])]
    beside = [
        f"{_three(row, 'of_stock', '1')} of the US stock when it begins", f"{_three(row, 'output_days', '')} days of the line's output",
        f"{_three(row, 'months_of_need', '')} months of what is needed by {listed(whom)}",
    ]
    short = f"{policy} moves {_three(row, 'rounds', 'round')} of {asked.what}: {listed(beside)}; beside the stock that is {word}."
    at_end = f"by {_changed(row, 'change_at_end')} when it ends and by {_changed(row, 'change_at_horizon')} when the run ends"
    more = [f"The US stock is changed {at_end}.", "In brackets: the middle 90 % of the draws."]
    rests = cited(asked.scenario, [f"munitions.{asked.munition}.us_stock", *_deliveries(asked, _targets(asked.scenario, [asked.policy]))])
    three = np.array([row["of_stock_low"], row["of_stock"], row["of_stock_high"]])
    sure = confidence(values=three, grades=grades_of(rests), close=word.startswith(CLOSE))
    numbers = {key: row[key] for key in row if key.rpartition("_")[0] in MOVED or key in (*MOVED, "word")}
    return Found(short, sure, rests, more, ("withheld", "sent", "on_hand"), numbers=numbers)


def _changed(row: Row, name: str) -> str:
    """Return a change in rounds with its range; what is less than half a round is none that could be counted."""
    ends = (name, f"{name}_low", f"{name}_high")
    counted = {end: row[end] if abs(row[end]) >= HALF else 0.0 for end in ends}
    return _three(counted, name, "round") if any(counted.values()) else "less than one round"


def _three(row: Row, name: str, unit: str) -> str:
    """Return a number with its range of 90 % of the draws, each with two digits."""
    factor = 100.0 if unit == "1" else 1.0
    middle, low, high = (figure(float(f"{factor * row[f'{name}{end}']:.2g}") + 0.0) for end in ("", "_low", "_high"))
    return f"{middle} % ({low} to {high} %)" if unit == "1" else f"{middle} ({low} to {high}){f' {unit}s' if unit else ''}"


# ---------------------------------------------------------------- rebuilding


@question("How long does it take to rebuild the US stock of {what}, given lead times, the ramp and the share that the US gets?")
def how_long_to_rebuild(asked: Asked) -> Found:
    """Say how many months after its lowest point the US stock is back at its requirement, and at the level the review looks at."""
    item = asked.scenario.munitions[asked.munition]
    levels = [*(["requirement"] if item.requirement else []), asked.scenario.policies[asked.policy].review_level]
    draws = asked.draws([f"{kind}.{level}" for level in levels for kind in ("months_to_rebuild", "first_below")])
    rows = [_rebuilding(asked, draws, level) for level in dict.fromkeys(levels)]
    where = f"munitions.{asked.munition}"
    inputs = cited(asked.scenario, [f"{where}.line.lead_time", f"{where}.us_share"])
    own = f"{where}.requirements.{item.requirement}" if item.requirement else f"{where}.floors.{levels[0]}"
    rests = asked.grounds(draws, f"months_to_rebuild.{levels[0]}", asked.policy, [own, *(one.path for one in inputs)])
    first = rows[0]
    never = chance(first["late"], asked.members)
    back = np.array(first["back"])
    sure = confidence(
        agreement=max(never.value, 1 - never.value), values=back if len(back) and never.value <= EVEN else None, grades=grades_of(rests),
        close=spans_half(never.hits, never.members),
    )
    said = [_rebuilt(asked, _level_called(asked, row["level"]), row) for row in rows]
    given = {one.path: one for one in inputs}.values()
    more = [*said[1:], f"It rests on {' and '.join(f'{one.label} {one.valued}' for one in given)}, and on the ramp of the line."]
    numbers = {"levels": [{key: value for key, value in row.items() if key != "back"} for row in rows]}
    return Found(said[0], sure, rests, more, ("on_hand", "delivered", "line", "needed"), numbers=numbers)


def _rebuilding(asked: Asked, draws: Draws, level: str) -> Row:
    """Return in how many draws the stock falls below a level, is not back at it within the run, and after how many months it is."""
    months = draws.of(f"{asked.munition}:months_to_rebuild.{level}", asked.policy)
    fell = np.isfinite(draws.of(f"{asked.munition}:first_below.{level}", asked.policy))
    back = months[fell & np.isfinite(months)]
    late = int((fell & np.isinf(months)).sum())
    return {
        "level": level, "fell": int(fell.sum()), "late": late, "not_within_the_run": late / asked.members,
        "months": list(_quantiles(back)) if len(back) else [], "back": back,
    }


def _level_called(asked: Asked, level: str) -> str:
    item = asked.scenario.munitions[asked.munition]
    if level != "requirement" or item.requirement is None:
        return asked.names.level(level)
    counts = ", which counts all rounds ever bought" if item.requirements[item.requirement].counts == PURCHASES else ""
    return f"the requirement assumed here ({item.requirement.replace('_', ' ')}{counts})"


def _rebuilt(asked: Asked, at: str, row: Row) -> str:
    """Say how long it takes in the draws in which the stock falls below a level."""
    policy, stock = f"under {asked.names.policy(asked.policy)}", f"the US stock of {asked.what}"
    if not row["fell"]:
        return f"{policy}, {stock} falls below {at} in no draw, so that there is nothing to rebuild."
    _, end = own_dates(asked.scenario)
    last = f"before the run ends in {day(str(end)[:7])}"
    if not row["months"]:
        below = _said(chance(row["fell"], asked.members))
        return f"{policy}, {stock} falls below {at} in {below} of the draws, and in none of them is it back {last}."
    low, middle, high = (f"{one:.0f}" for one in row["months"])
    back, late = (_said(chance(count, asked.members)) for count in (row["fell"] - row["late"], row["late"]))
    span = f"{middle} months after its lowest point in the median of these ({low} to {high} in the middle 90 % of them)"
    return f"{policy}, {stock} falls below {at} and is back at it in {back} of the draws, {span}; in {late} it is not back {last}."


# ---------------------------------------------------------------- what keeps the stock above


@question("What production, share or pause length keeps the US stock of {what} above the floor assumed here until {by}?")
def what_keeps_the_stock_above(asked: Asked) -> Found:
    """Say at which pause length, share of the line and output of the line the chance of being below the floor crosses a tenth."""
    floor = asked.scenario.policies[asked.policy].transfer_floor
    outcome = f"{asked.munition}:below.{floor}@{asked.by}"
    where = f"munitions.{asked.munition}"
    levers = [(f"{where}.us_share", SHARES, asked.policy), (f"{where}.line.parts.*.capacity.scale", SCALES, asked.policy)]
    if LENGTHENED in asked.scenario.policies:
        levers.append((f"policies.{LENGTHENED}.suspensions.0.length", LENGTHS, LENGTHENED))
    said, rows, close = [], [], []
    for path, values, policy in levers:
        found = break_even(
            asked.scenario, {path: values}, outcome, policy, level=ABOVE, members=min(asked.members, FEW), seed=asked.seed,
            engine=asked.engine, threads=asked.threads,
        )
        said.append(of_break_even(found, asked.scenario)[0].replace(asked.names.path(path), _lever(path, asked.names.path(path))))
        crossings = found.crossings.to_dict("records")
        close.append(is_close(crossings[0]))
        row = {"lever": path, "policy": policy, "sure": not close[-1]}
        rows.append(row | {key: crossings[0][key] for key in ("verdict", "value", "low", "high")})
    draws = asked.draws([outcome.partition(":")[2]])
    own = [f"{where}.us_stock", f"{where}.floors.{floor}", f"{where}.us_share"]
    rests = asked.grounds(draws, outcome.partition(":")[2], asked.policy, own)
    sure = confidence(grades=grades_of(rests), close=close[0])
    return Found(said[0], sure, rests, said[1:], ("on_hand", "line", "delivered"), numbers={"level": ABOVE, "levers": rows})


def _lever(path: str, called: str) -> str:
    return "the multiple of what the line can deliver" if path.endswith(".scale") else called


# ---------------------------------------------------------------- which unknown


@question("Which unknown, if it were settled, would narrow the answer on the US stock of {what} most?")
def which_unknown_matters(asked: Asked) -> Found:
    """Say which unknown, if it were known, would take most of the variance of the lowest US stock to come away."""
    name = f"{asked.munition}:minimum_after_as_of"
    found = sensitivity(
        asked.scenario, name, asked.policy, members=asked.members, start=POINTS[0], most=POINTS[1], seed=asked.seed, engine=asked.engine,
        threads=asked.threads,
    )
    what = f"{asked.names.outcome(name)} under {asked.names.policy(asked.policy)}"
    rows = [row for row in records(found.indices) if row["total_high"] > 0.0]
    ranked = sorted(rows, key=lambda row: -row["first"])
    if not ranked:
        return Found(f"no unknown moves {what}: it is the same in all draws.", confidence(agreement=1.0), states=("on_hand",))
    short, close = _worth(ranked, what)
    settled = [row for row in ranked if not row["factor"].startswith(CAMPAIGNS)]
    more = []
    if settled and ranked[0]["factor"].startswith(CAMPAIGNS):
        more.append(f"Apart from random campaigns, which nobody can settle beforehand: {_worth(settled, 'that stock')[0]}")
    paths = [path for row in ranked[:LEADING] if row["first_low"] > 0.0 for path in paths_of(row["factor"], asked.munition)]
    rests = cited(asked.scenario, paths)
    sure = confidence(agreement=None, grades=grades_of(rests), close=close)
    kept = ("factor", "label", "first", "first_low", "first_high", "total", "narrowing")
    numbers = {"outcome": name, "ranking": [{key: row[key] for key in kept} for row in ranked[:10]]}
    return Found(short, sure, rests, more, ("on_hand",), numbers=numbers)


def _worth(ranked: Sequence[Row], what: str) -> tuple[str, bool]:
    """Say which unknown would take most variance away, and tell whether that is too close to call."""
    first, second = ranked[0], ranked[1] if len(ranked) > 1 else None
    if first["first_low"] <= 0.0:
        return f"no single unknown, if it were known, would surely narrow {what}.", True
    ends = max(first["first_low"], 0.0), min(first["first_high"], 1.0)
    share = f"take away {spread(min(first['first'], 1.0), *ends, '1')} of the variance of {what}"
    if second is not None and second["first_high"] >= first["first_low"]:
        pair = f"{first['label']} and {second['label']}"
        return f"which unknown would narrow it most is {CLOSE} between {pair}; the first, if it were known, would {share}.", True
    return f"{first['label']}, if it were known, would narrow it most: it would {share}.", False
