"""The scoreboard: what a scenario's ensemble says of everything that was reported, misses first. Nothing here is fed back into a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile import philox, schema, simulate, units
from stockpile.clock import Array
from stockpile.ensembles.asked import Asked
from stockpile.errors import InputError, Problem, nearest
from stockpile.evidence import balance, scoring
from stockpile.evidence.given import given
from stockpile.evidence.ledger import Entry, Ledger, of_files
from stockpile.evidence.measures import Measure
from stockpile.evidence.predict import Predictor, in_run, run_under
from stockpile.evidence.scoring import Verdict

if TYPE_CHECKING:
    import pandas as pd

    from stockpile.scenario import Scenario

UNKNOWN, GIVEN, BOTH = "unknown", "given", "both"
"""Campaigns: drawn at random after `as_of`, or put in as they became known."""
OUT, IN = "out of sample", "in sample"
COUNTED, INPUT, CONFLICT, CLOSES, ASIDE = "counted", "input", "in conflict", "closes the books", "set aside"
"""counted: in the totals. input: a parameter rests on it, so a hit says only that the bookkeeping holds; totals of its own. The others are
shown and in no total."""
STANDINGS = (COUNTED, INPUT, CONFLICT, CLOSES, ASIDE)
MEMBERS = 4000
SUBSTEPS = 31
"""Steps a month: a day of any month is met to within a day."""
KINDS = {
    "delivered": "production", "line": "production", "sent": "transfers", "received": "transfers", "used": "use", "on_hand": "stocks",
}
"""What a figure is of, by its state, for sub-totals: errors that cancel in a stock are seen there."""
COLUMNS = (
    "campaigns", "sample", "standing", "hit", "name", "title", "munition", "kind", "state", "owner", "match", "start", "date", "published",
    "statement", "unit", "value", "low", "high", "median", "q05", "q25", "q75", "q95", "model_q05", "model_q50", "model_q95", "error",
    "relative_error", "probability", "crps", "pit", "inside50", "place", "residual_low", "residual_high", "conflict", "used_in", "grade",
    "basis", "source", "where", "note",
)
SUMMARY = ("campaigns", "sample", "standing", "figures", "hits", "misses", "share", "share_low", "share_high")
COVERAGE = ("campaigns", "sample", "level", "figures", "inside", "share", "share_low", "share_high")
PIT = ("campaigns", "sample", "from", "to", "figures", "expected")
BY_KIND = (
    "campaigns", "sample", "standing", "kind", "figures", "hits", "values", "inside50", "inside90", "relative_error",
    "absolute_relative_error", "relative_crps",
)
LEFT_OUT = ("name", "title", "munition", "published", "because")
DENOMINATORS = (
    "name", "title", "date", "share_low", "share", "share_high", "denominator", "of_low", "of", "of_high", "rounds_low", "rounds",
    "rounds_high", "source",
)


@dataclass(frozen=True)
class Score:
    """An ensemble beside everything that was reported.

    Attributes
    ----------
    observations : pandas.DataFrame
        A row an observation and way, misses first, columns as of `COLUMNS`; numbers in the unit of the row. value, low and high: the
        figure as it is read. median and q05 to q95: of what would be reported, the error of reading included; model_q05 to model_q95: of
        the model's quantity alone. error: median less the figure, for an inequality how far the median is from where it holds.
    summary : pandas.DataFrame
        Hits and misses by way, sample and standing, with the 95 % interval of the share as if figures were independent; `SUMMARY`.
    coverage : pandas.DataFrame
        How many counted values lie in the 50 and the 90 % interval; `COVERAGE`.
    pit : pandas.DataFrame
        Probability integral transforms of the counted values in bins; `PIT`.
    kinds : pandas.DataFrame
        Production, transfers, use and stocks apart; `BY_KIND`.
    balance : pandas.DataFrame
        Mass balance of published snapshots [round]; `stockpile.evidence.balance.COLUMNS`.
    denominators : pandas.DataFrame
        Each percentage under each of its denominators [round]; `DENOMINATORS`.
    left_out : pandas.DataFrame
        What was not compared, and why; `LEFT_OUT`.
    manifest : dict
        Besides what every result carries: ledger (digest of the observations), and by way the digest of the scenario and the events
        that were put in.
    """

    observations: pd.DataFrame
    summary: pd.DataFrame
    coverage: pd.DataFrame
    pit: pd.DataFrame
    kinds: pd.DataFrame
    balance: pd.DataFrame
    denominators: pd.DataFrame
    left_out: pd.DataFrame
    manifest: dict[str, Any] = field(repr=False)


def score(
    scenario: Scenario,
    campaigns: str = BOTH,
    policy: str | None = None,
    *,
    members: int = MEMBERS,
    seed: int = 1,
    engine: str | None = None,
    threads: int | None = None,
) -> Score:
    """Hold a scenario's ensemble against every observation in scope that lies in the run.

    Parameters
    ----------
    scenario : Scenario
    campaigns : {"both", "unknown", "given"}
        unknown: a forecast, operations drawn at random and only events known at `as_of`. given: events that became known later are put
        in and random operations left out, see `stockpile.evidence.given.given`.
    policy : str, optional
        The one that is run: what happened in July 2025 where the scenario has it, else its first.
    members, seed : int
    engine, threads
        As of `ensemble`.

    Raises
    ------
    InputError
        For arguments that cannot be.
    """
    import pandas as pd

    _check(scenario, campaigns, policy, members=members, seed=seed, engine=engine, threads=threads)
    files = scenario.files()
    found = of_files(files, tuple(scenario.recipients))
    pairs = balance.intervals(found, scenario)
    compared, left_out = _sorted_out(found, scenario)
    ways: dict[str, tuple[Scenario, tuple[str, ...]]] = {}
    if campaigns != GIVEN:
        ways[UNKNOWN] = (scenario, ())
    if campaigns != UNKNOWN:
        told = given(scenario, params=files)
        ways[GIVEN] = (told.scenario, told.added)
    rows: list[dict[str, Any]] = []
    balances: list[dict[str, Any]] = []
    policy = run_under(scenario, policy)
    wanted = [entry.measure for entry in compared if entry.measure is not None]
    beside = [measure for pair in pairs for measure in pair.measures(tuple(scenario.recipients))]
    for way, (one, added) in ways.items():
        predicted = _predicted(one, [*wanted, *beside], policy, members=members, seed=seed, engine=engine, threads=threads)
        rows += [_row(entry, way, scenario, added, values, seed) for entry, values in zip(compared, predicted, strict=False)]
        apart = np.split(predicted[len(wanted) :], len(pairs)) if pairs else []
        balances += [row for pair, values in zip(pairs, apart, strict=True) for row in balance.rows(pair, values, way)]
    frame = _in_order(pd.DataFrame(rows, columns=list(COLUMNS)))
    return Score(
        observations=frame,
        summary=_frame(_summary(frame), SUMMARY),
        coverage=_frame(_coverage(frame), COVERAGE),
        pit=_frame(_pit(frame), PIT),
        kinds=_frame(_by_kind(frame), BY_KIND),
        balance=_frame(balances, balance.COLUMNS),
        denominators=_frame(_denominators(found), DENOMINATORS),
        left_out=_frame(left_out, LEFT_OUT),
        manifest=simulate.manifest(scenario, [policy])
        | {"substeps": SUBSTEPS, "method": "difference", "engine": "draws, difference", "members": members, "seed": seed}
        | {"ledger": found.digest, "observations": len(found.entries)}
        | {"ways": {way: {"parameters": one.digest, "events_put_in": list(added)} for way, (one, added) in ways.items()}},
    )


def _predicted(
    scenario: Scenario, measures: Sequence[Measure], policy: str, *, members: int, seed: int, engine: str | None, threads: int | None
) -> Array:
    """Return the measures in draws, shape (measures, members); munition by munition, as what is followed fits into the caches then."""
    found = np.empty((len(measures), members))
    for munition in scenario.munitions:
        places = [place for place, measure in enumerate(measures) if measure.munition == munition]
        if places:
            predictor = Predictor(scenario, [measures[place] for place in places], policy, substeps=SUBSTEPS, engine=engine)
            found[places] = predictor.drawn(members, seed, threads=threads)
    return found


def _check(scenario: Scenario, campaigns: str, policy: str | None, **work: Any) -> None:
    asked = Asked(policies=None if policy is None else [policy], **work, sampler="random", quantities=(), dates=())
    problems = [replace(one, file="score") if one.file == "ensemble" else one for one in asked.faults(scenario)]
    if campaigns not in (BOTH, UNKNOWN, GIVEN):
        problems.append(Problem("score", 0, 0, "campaigns", f"{campaigns!r}; {nearest(campaigns, (BOTH, UNKNOWN, GIVEN))}"))
    if work["members"] == 1:
        problems.append(Problem("score", 0, 0, "members", "1; allowed: 2 or more, as draws are compared with one another"))
    if problems:
        raise InputError(problems)


def _frame(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(list(rows), columns=list(columns))


# ---------------------------------------------------------------- what is compared


def _sorted_out(found: Ledger, scenario: Scenario) -> tuple[list[Entry], list[dict[str, Any]]]:
    """Return what can be compared with a run, and rows of what cannot."""
    compared, left_out = [], []
    for entry in found.entries:
        because = entry.because or _outside(entry, scenario)
        if not because:
            compared.append(entry)
            continue
        item = entry.observation
        said = (entry.name, item.title, item.munition or item.item, str(entry.published), because)
        left_out.append(dict(zip(LEFT_OUT, said, strict=True)))
    return compared, left_out


def _outside(entry: Entry, scenario: Scenario) -> str:
    assert entry.measure is not None
    if entry.measure.munition not in scenario.munitions:
        return "a munition that the scenario leaves out"
    if not in_run(entry.measure, scenario):
        return f"outside the run, {scenario.settings.start} to {scenario.settings.end}"
    return ""


def _standing(entry: Entry, way: str, *, known: bool, added: Sequence[str]) -> str:
    """Return whether an observation counts, and else why not."""
    item = entry.observation
    if not item.used:
        return ASIDE
    if entry.in_conflict:
        return CONFLICT
    if item.closes_the_books and (known or way == GIVEN):
        return CLOSES
    was_put_in = any(path.startswith(f"events.{event}.") for path in item.used_in for event in added)
    return INPUT if item.used_in and (known or was_put_in) else COUNTED


def _row(entry: Entry, way: str, scenario: Scenario, added: Sequence[str], predicted: Array, seed: int) -> dict[str, Any]:
    item, reading, scope = entry.observation, entry.reading, entry.observation.scope
    assert reading is not None
    unit = units.find(item.unit)
    factor = 1.0 if item.of or unit is None else unit.factor
    known = entry.published <= scenario.as_of
    said = scoring.verdict(reading, predicted, philox.uniforms(seed, f"{entry.name}\nreport", 0, len(predicted)))
    standing = _standing(entry, way, known=known, added=added)
    model = np.quantile(predicted, (0.05, 0.5, 0.95)) / factor
    residual = (model[1] - reading.high / factor, model[1] - reading.low / factor) if standing == CLOSES else (np.nan, np.nan)
    return {
        "campaigns": way,
        "sample": IN if known else OUT,
        "standing": standing,
        "hit": said.is_hit,
        "name": entry.name,
        "title": item.title,
        "munition": item.munition,
        "kind": KINDS[scope.state],
        "state": scope.state,
        "owner": scope.owner,
        "match": scope.match,
        "start": str(item.start or ""),
        "date": str(item.day),
        "published": str(entry.published),
        "statement": reading.kind,
        "unit": "round" if item.of else item.unit,
        "value": reading.value / factor,
        "low": reading.low / factor,
        "high": reading.high / factor,
        **_quantiles(said, factor),
        "model_q05": float(model[0]),
        "model_q50": float(model[1]),
        "model_q95": float(model[2]),
        "error": said.error / factor,
        "relative_error": said.error / abs(reading.value) if reading.value else np.nan,
        "probability": said.probability,
        "crps": said.crps / factor,
        "pit": said.pit,
        "inside50": said.inside50,
        "place": said.place,
        "residual_low": float(residual[0]),
        "residual_high": float(residual[1]),
        **_told(item),
    }


def _quantiles(said: Verdict, factor: float) -> dict[str, float]:
    names = ("q05", "q25", "median", "q75", "q95")
    return {name: float(value) / factor for name, value in zip(names, said.quantiles, strict=True)}


def _told(item: schema.Observation) -> dict[str, Any]:
    return {
        "conflict": item.conflict or "",
        "used_in": "; ".join(item.used_in),
        "grade": item.grade,
        "basis": item.basis,
        "source": "; ".join(item.source),
        "where": item.where or "",
        "note": item.note or "",
    }


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows way by way, out of sample first, by standing, misses first, the farthest away on top."""
    order = frame.assign(
        _way=frame["campaigns"].map({UNKNOWN: 0, GIVEN: 1}),
        _sample=frame["sample"].map({OUT: 0, IN: 1}),
        _standing=frame["standing"].map({name: number for number, name in enumerate(STANDINGS)}),
        _far=-frame["place"].abs(),
    )
    by = ["_way", "_sample", "_standing", "hit", "_far", "date", "name"]
    return frame.loc[order.sort_values(by, kind="stable").index].reset_index(drop=True)


# ---------------------------------------------------------------- totals


def _groups(frame: pd.DataFrame, *by: str) -> Iterable[tuple[dict[str, Any], pd.DataFrame]]:
    """Yield the groups of a frame in the order in which they come, each with its keys."""
    for keys, own in frame.groupby(list(by), sort=False):
        yield dict(zip(by, keys, strict=True)), own


def _summary(frame: pd.DataFrame) -> Iterable[dict[str, Any]]:
    for keys, own in _groups(frame, "campaigns", "sample", "standing"):
        hits = int(own["hit"].sum())
        share, low, high = scoring.covered(hits, len(own))
        counts = {"figures": len(own), "hits": hits, "misses": len(own) - hits}
        yield keys | counts | {"share": share, "share_low": low, "share_high": high}


def _values(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["statement"] == "about"]


def _coverage(frame: pd.DataFrame) -> Iterable[dict[str, Any]]:
    for keys, own in _groups(_values(frame[frame["standing"] == COUNTED]), "campaigns", "sample"):
        for level, column in zip(scoring.LEVELS, ("inside50", "hit"), strict=True):
            inside = int(own[column].astype(bool).sum())
            share, low, high = scoring.covered(inside, len(own))
            yield keys | {"level": level, "figures": len(own), "inside": inside, "share": share, "share_low": low, "share_high": high}


def _pit(frame: pd.DataFrame) -> Iterable[dict[str, Any]]:
    for keys, own in _groups(_values(frame[frame["standing"] == COUNTED]), "campaigns", "sample"):
        for low, high, count, expected in scoring.in_bins(own["pit"].to_numpy(np.float64)):
            yield keys | {"from": low, "to": high, "figures": count, "expected": expected}


def _by_kind(frame: pd.DataFrame) -> Iterable[dict[str, Any]]:
    for keys, own in _groups(frame[frame["standing"].isin([COUNTED, INPUT])], "campaigns", "sample", "standing", "kind"):
        values = _values(own)
        relative = values["relative_error"].dropna()
        yield keys | {
            "figures": len(own),
            "hits": int(own["hit"].sum()),
            "values": len(values),
            "inside50": int(values["inside50"].astype(bool).sum()),
            "inside90": int(values["hit"].sum()),
            "relative_error": float(relative.mean()) if len(relative) else np.nan,
            "absolute_relative_error": float(relative.abs().mean()) if len(relative) else np.nan,
            "relative_crps": float((values["crps"] / values["value"].abs()).replace(np.inf, np.nan).mean()) if len(values) else np.nan,
        }


def _denominators(found: Ledger) -> Iterable[dict[str, Any]]:
    """Yield each percentage under each of its denominators."""
    for entry in found.entries:
        item = entry.observation
        low, high = item.span
        for denominator in item.of.values():
            least, most = denominator.span
            yield {
                "name": entry.name,
                "title": item.title,
                "date": str(item.day),
                "share_low": low,
                "share": item.value,
                "share_high": high,
                "denominator": denominator.title,
                "of_low": least,
                "of": denominator.value,
                "of_high": most,
                "rounds_low": low * least,
                "rounds": item.value * denominator.value,
                "rounds_high": high * most,
                "source": "; ".join(denominator.source),
            }
