"""What moved between two scenarios, folders of parameters or saved results, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile.analysis import attribution as parts
from stockpile.analysis.attribution import Between, Frame, Step, Values, Working
from stockpile.analysis.changes import Change, changes, described, reach
from stockpile.analysis.new_observations import COLUMNS as OBSERVED
from stockpile.analysis.new_observations import new_observations
from stockpile.analysis.outlook import NONE, verdict
from stockpile.analysis.sides import Given, Side, alike, frame_of, sides
from stockpile.clock import Array
from stockpile.ensembles.asked import Asked
from stockpile.ensembles.folded import Key
from stockpile.ensembles.run import ensemble
from stockpile.errors import InputError, Problem, nearest
from stockpile.evidence.predict import AS_IT_HAPPENED
from stockpile.experiments.lanes import Progress, metrics_of
from stockpile.metrics import BASELINE
from stockpile.scenario import Scenario
from stockpile.simulate import run

if TYPE_CHECKING:
    import pandas as pd

METRICS = ("minimum_after_as_of", "stock_at_end", "total_sent", "total_unmet")
"""Metrics that are traced back to the changes where none is asked for."""
KEY = ("policy", "munition", "recipient", "metric")
MOVED = (*KEY, "unit", "a", "b", "change", "low", "high", "q05", "q50", "q95", "size", "verdict")
ATTRIBUTED = (*KEY, "unit", "path", "change", "low", "high")
WHY = (
    "path", "kind", "cause", "old", "new", "unit", "old_low", "old_high", "new_low", "new_high", "from", "more", "alone", "grade", "source",
    "published", "publisher", "url", "where", "note",
)
WHOLE, CODE = "whole", "code and draws"
Rows = dict[Key, dict[str, Any]]
DUE = {
    True: "The parameters, draws and equations are the same: what moved is due to other code alone.",
    False: "The parameters and draws are the same, the equations are not: what moved is due to them, or to other code changed with them.",
    None: "The parameters and draws are the same: what moved is due to the code alone.",
}
"""What is to blame where nothing else differs, by whether the equations are alike."""
UNTOLD = "The reasons cannot be told: the parameters of {who} are not there any more under that name, or have changed since."


@dataclass(frozen=True)
class Difference:
    """What moved from one side to the other, and why.

    Attributes
    ----------
    a, b : str
        The sides, as they were asked for.
    moved : pandas.DataFrame
        A row a metric: policy, munition, recipient, metric, unit, a, b (means over the draws; central values without draws), change,
        low, high (interval of Monte Carlo error of the mean change), q05, q50, q95 (over the draws, paired; nan where they cannot be
        paired), size (the change as a share of the largest number in that unit of that munition), verdict; of each munition and policy
        the largest size first. Dates are months from the start of `a`; what never comes counts as the end of the shorter run.
    why : pandas.DataFrame
        A row a thing that differs: path, kind, cause, old, new, unit, old_low, old_high, new_low, new_high, from (of a dated parameter the
        latest date at which it differs), more (how many other dates), alone (whether it can be moved by itself), grade, source, published,
        publisher, url, where, note (of the new value).
    attribution : pandas.DataFrame
        Rows that add up for each metric: path of what is moved alone (several joined by ``&`` where they only go together),
        ``interaction``, and ``code and draws`` for saved results; then ``whole``. With change, low, high (nan for sums).
    observations : pandas.DataFrame
        Observations that are new, changed or gone: columns of `stockpile.analysis.new_observations.COLUMNS`.
    code : dict
        By key of the manifests: what both say, as a pair.
    notes : tuple of str
        What could not be done, in sentences.
    manifest : dict
        As of side `a`, with members, seed, and the manifest of `b` as ``against``.
    """

    a: str
    b: str
    moved: pd.DataFrame
    why: pd.DataFrame
    attribution: pd.DataFrame
    observations: pd.DataFrame
    code: dict[str, tuple[str, str]]
    notes: tuple[str, ...]
    manifest: dict[str, Any] = field(repr=False)
    scenarios: tuple[Scenario | None, Scenario | None] = field(default=(None, None), repr=False)

    @property
    def nothing_moved(self) -> bool:
        """Whether no metric differs."""
        return bool((self.moved["verdict"] == NONE).all()) if len(self.moved) else True

    @property
    def same_code(self) -> bool:
        """Whether both sides name the same code; what one of them does not say is left out."""
        return all(alike(*self.code[key]) is not False for key in ("version", "commit", "equations"))


def diff(  # noqa: PLR0913 - the names that users give
    a: Given,
    b: Given,
    *,
    scenario: str | Path | None = None,
    params_a: Sequence[str | Path] = (),
    params_b: Sequence[str | Path] = (),
    policies: Sequence[str] | None = None,
    munitions: Sequence[str] | None = None,
    metrics: Sequence[str] | None = None,
    members: int = 500,
    seed: int = 1,
    engine: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Difference:
    """Return what moved from `a` to `b`, and why.

    Parameters
    ----------
    a, b : Scenario, Result, Ensemble, str or Path
        Scenarios (by name or TOML file), folders of parameters laid over the shipped ones, or results (saved files).
    scenario : str or Path, optional
        The scenario that folders are for; the one named on the other side, or the default one, where left out.
    params_a, params_b : sequence of folders
        Laid over the shipped parameters, for each side.
    policies : sequence of str, optional
        ``none`` and the pause as it happened, as far as both sides have them, where left out; of saved results those of both.
    munitions : sequence of str, optional
    metrics : sequence of str, optional
        METRIC or METRIC:RECIPIENT; where left out all are compared and `METRICS` are traced back to the changes.
    members, seed : int
        Draws, the same on both sides; 0 for central values. Saved results have theirs.
    engine, threads, progress
        As of `ensemble`; `progress` is called with how far it is [per cent].

    Raises
    ------
    InputError
        For sides, policies, munitions or metrics that are not there.
    """
    first, second = sides(a, b, scenario, params_a, params_b)
    if first.made is None and second.made is None:
        work = Working(members, seed, engine, threads)
    else:
        made = first if first.made is not None else second
        work = Working(*made.draws[:2], engine, threads)
    pair = _Pair(first, second, work, frame_of(first, second), policies, munitions, metrics)
    return pair.difference(progress or (lambda done: None))


class _Pair:
    """Two sides on the way to their difference."""

    def __init__(
        self, a: Side, b: Side, work: Working, frame: Frame, policies: Sequence[str] | None, munitions: Sequence[str] | None,
        metrics: Sequence[str] | None,
    ) -> None:
        self.a, self.b, self.work, self.frame = a, b, work, frame
        self.is_saved = a.made is not None or b.made is not None
        self._check_draws()
        self.policies = self._policies(policies)
        self.munitions = self._munitions(munitions)
        if self.is_saved:
            self.a, self.b = self._run(a), self._run(b)
        self.metrics = metrics

    def difference(self, told: Progress) -> Difference:
        """Return what moved, and why."""
        import pandas as pd

        found = self._changes()
        nothing = found is not None and not self.is_saved and not any(self._acts(one) for one in found)
        moved, units = self._moved(nothing=nothing)
        chosen = self._chosen(moved)
        steps, left = ([], []) if nothing or found is None else self._between.steps([one for one in found if self._acts(one)])
        rows = [] if nothing or found is None else self._attributed(chosen, units, moved, steps, told)
        why = [{**described(one, *self._both), "alone": one not in left} for one in found or ()]
        moves = any(row["verdict"] != NONE for row in moved.values())
        return Difference(
            self.a.name, self.b.name, _frame(moved, self.metrics), pd.DataFrame(why, columns=list(WHY)),
            pd.DataFrame(rows, columns=list(ATTRIBUTED)),
            new_observations(*self._both) if found is not None else pd.DataFrame(columns=list(OBSERVED)), self._code(),
            tuple(self._notes(found, left, moves=moves)), self._manifest(), (self.a.scenario, self.b.scenario),
        )

    # ------------------------------------------------------------ what is asked

    def _check_draws(self) -> None:
        scenario = self.a.scenario or self.b.scenario
        if scenario is not None and self.work.members:
            Asked(
                policies=None, members=self.work.members, seed=self.work.seed, sampler="random", quantities=(), dates=(),
                engine=self.work.engine, threads=self.work.threads,
            ).check(scenario)
        elif not self.is_saved and (isinstance(self.work.members, bool) or not isinstance(self.work.members, int)):
            raise InputError.one("members", f"{self.work.members!r}; allowed: a whole number, 0 for central values", file="diff")

    def _policies(self, given: Sequence[str] | None) -> tuple[str, ...]:
        known = [_names(one, "policies") for one in (self.a, self.b)]
        shared = [name for name in known[0] if name in known[1]]
        usual = [name for name in (BASELINE, AS_IT_HAPPENED) if name in shared]
        chosen = list(given) if given is not None else shared if self.is_saved else usual or shared[:1]
        _check("policies", chosen, shared)
        return tuple(dict.fromkeys(chosen))

    def _munitions(self, given: Sequence[str] | None) -> tuple[str, ...]:
        known = [_names(one, "munitions") for one in (self.a, self.b)]
        shared = [name for name in known[0] if name in known[1]]
        chosen = list(given) if given is not None else shared
        _check("munitions", chosen, shared)
        return tuple(dict.fromkeys(chosen))

    def _run(self, side: Side) -> Side:
        """Return a side with its result: of a scenario beside a saved result, as that one was made."""
        if side.made is not None:
            return side
        assert side.scenario is not None
        work = self.work
        if not work.members:
            return Side(side.name, side.scenario, run(side.scenario, self.policies))
        drawn = ensemble(
            side.scenario, self.policies, work.members, work.seed, next(one.draws[2] for one in (self.a, self.b) if one.made is not None),
            quantities=(), engine=work.engine, threads=work.threads,
        )
        return Side(side.name, side.scenario, drawn)

    @property
    def _both(self) -> tuple[Scenario, Scenario]:
        assert self.a.scenario is not None and self.b.scenario is not None
        return self.a.scenario, self.b.scenario

    def _changes(self) -> tuple[Change, ...] | None:
        """Return what differs in the parameters of the munitions compared; None where they are not there any more."""
        if self.a.scenario is None or self.b.scenario is None:
            return None
        found, every = changes(*self._both), {*self.a.scenario.munitions, *self.b.scenario.munitions}
        some = every.difference(self.munitions)
        return tuple(one for one in found if not some or {*reach(one, *self._both)}.intersection(self.munitions))

    def _acts(self, one: Change) -> bool:
        return one.moves and not (one.kind == "policy" and one.steps[1] not in self.policies)

    # ------------------------------------------------------------ numbers

    def _values(self, scenario: Scenario) -> dict[Key, Array]:
        return self._put(parts.of_lanes(parts.lanes_of(scenario, self.policies, self.work, self.munitions), self.work), scenario)

    def _put(self, found: Values, scenario: Scenario) -> dict[Key, Array]:
        assert scenario.settings.start
        return self.frame.put(found, {key: self._units[key[1:]] for key in found}, scenario.settings.start)

    @cached_property
    def _units(self) -> dict[tuple[str, str, str], str]:
        """Units by munition, recipient and metric; a step between two scenarios has none that neither of them has."""
        return {key: unit for one in self._both for key, unit in metrics_of(one, self.policies[0]).items()}

    def _moved(self, *, nothing: bool) -> tuple[Rows, dict[Key, str]]:
        """Return a row a metric, and the units."""
        if nothing:
            return {}, {}
        if not self.is_saved:
            self._before, self._after = (self._values(one) for one in self._both)
            return self._rows(self._before, self._after, {key: self._units[key[1:]] for key in self._before})
        found = []
        for side in (self.a, self.b):
            assert side.made is not None
            values, units_ = parts.of_made(side.made)
            found.append((values, units_, dt.date.fromisoformat(str(side.manifest["start"]))))
        units = found[0][1]
        if self._paired and all(values is not None for values, _, _ in found):
            first, second = (self.frame.put(values or {}, own, start) for values, own, start in found)
            return self._rows(first, second, units)
        return self._unpaired(units, found[1][2]), units

    @property
    def _paired(self) -> bool:
        return self.a.draws == self.b.draws

    def _rows(self, before: Values, after: Values, units: dict[Key, str]) -> tuple[Rows, dict[Key, str]]:
        rows: Rows = {}
        for key in before:
            if key in after and key[0] in self.policies and key[1] in self.munitions:
                ends = {"a": float(before[key].mean()), "b": float(after[key].mean())}
                rows[key] = {"unit": units[key], **ends, **parts.paired(before[key], after[key])}
        return self._sized(rows), units

    def _unpaired(self, units: dict[Key, str], start: dt.date) -> Rows:
        """Return rows where draws are not the same, the second side's from `start`: means and intervals, of what is always finite."""
        first, second = (parts.estimates_of(one.made) for one in (self.a, self.b) if one.made is not None)
        rows: Rows = {}
        for key in first:
            if key in second and key[0] in self.policies and key[1] in self.munitions:
                (mean, half), (other, also) = first[key], second[key]
                other += self.frame.shift(key, units[key], start)
                change, width = other - mean, float(np.hypot(half, also))
                ends = {"low": change - width, "high": change + width, "q05": np.nan, "q50": np.nan, "q95": np.nan}
                rows[key] = {"unit": units[key], "a": mean, "b": other, "change": change, **ends}
        return self._sized(rows)

    def _sized(self, rows: Rows) -> Rows:
        """Add how large each change is beside the largest number of its munition and unit, and what its interval says."""
        largest: dict[tuple[str, str], float] = {}
        for key, row in rows.items():
            place = key[1], row["unit"]
            largest[place] = max(largest.get(place, 0.0), abs(row["a"]), abs(row["b"]))
        for key, row in rows.items():
            scale = self.frame.months if row["unit"] == "month" else largest[key[1], row["unit"]]
            row |= {"size": abs(row["change"]) / scale if scale else 0.0, "verdict": verdict(row["low"], row["high"])}
        return rows

    # ------------------------------------------------------------ why

    def _chosen(self, moved: Rows) -> list[Key]:
        """Return the metrics that are traced back to the changes."""
        known = sorted({name for key in moved for name in (key[3], f"{key[3]}:{key[2]}")})
        if moved:
            _check("metrics", self.metrics or (), known)
        asked = self.metrics or METRICS
        return [key for key in moved if key[3] in asked or f"{key[3]}:{key[2]}" in asked]

    @property
    def _between(self) -> Between:
        return Between(*self._both, self.policies, self.munitions, self.work)

    def _attributed(
        self, chosen: Sequence[Key], units: dict[Key, str], moved: Rows, steps: Sequence[Step], told: Callable[[int], None]
    ) -> list[dict[str, Any]]:
        """Return the rows that add up to each change that was asked about."""
        if self.is_saved:
            self._before, self._after = (self._values(one) for one in self._both)
        rows = parts.alone(steps, self._before, chosen, self.work, self._put, told)
        result = []
        for key in chosen:
            head = dict(zip(KEY, key, strict=True)) | {"unit": units[key]}
            own = sorted(((name, row) for name, one, row in rows if one == key), key=lambda pair: (-abs(pair[1]["change"]), pair[0]))
            result += [head | {"path": name, **{end: row[end] for end in ("change", "low", "high")}} for name, row in own]
            whole = moved[key]["change"]
            again = float((self._after[key] - self._before[key]).mean()) if self.is_saved else whole
            sums = {parts.INTERACTION: parts.rest(again, [row["change"] for _, row in own])}
            sums |= {CODE: whole - again} if self.is_saved else {}
            result += [head | {"path": name, "change": value, "low": np.nan, "high": np.nan} for name, value in sums.items()]
            result.append(head | {"path": WHOLE, **{end: moved[key][end] for end in ("change", "low", "high")}})
        return result

    # ------------------------------------------------------------ what made it

    def _code(self) -> dict[str, tuple[str, str]]:
        first, second = self.a.code, self.b.code
        return {key: (one, second[key]) for key, one in first.items()}

    def _notes(self, found: Sequence[Change] | None, left: Sequence[Change], *, moves: bool) -> list[str]:
        said = [UNTOLD.format(who=side.name) for side in (self.a, self.b) if side.scenario is None and moves]
        if self.is_saved and not self._paired:
            text = "The draws are not the same (members, seed or sampler), so that they cannot be paired; the intervals are of both, and "
            said.append(text + "what is not finite in every draw is left out.")
        if self.is_saved and found == () and self._paired and moves:
            said.append(DUE[alike(*self._code()["equations"])])
        if left:
            paths = ", ".join(one.path for one in left)
            said.append(f"Cannot be moved without the others, so that their part is in the interaction: {paths}.")
        return said

    def _manifest(self) -> dict[str, Any]:
        own = dict(self.a.manifest) | {"policies": list(self.policies)}
        draws = {"members": self.work.members, "seed": self.work.seed}
        return own | draws | {"against": dict(self.b.manifest) | {"policies": list(self.policies)}, "sides": [self.a.name, self.b.name]}


def _names(side: Side, what: str) -> Sequence[str]:
    """Return the policies or munitions of a side."""
    return list(getattr(side.made if side.made is not None else side.scenario, what))


def _check(what: str, given: Sequence[str], known: Sequence[str]) -> None:
    wrong = [name for name in given if name not in known]
    if wrong or (what != "metrics" and not given):
        said = [f"{name!r} is not on both sides; {nearest(name, known)}" for name in wrong] or [f"none; {nearest('', known)}"]
        raise InputError(Problem("diff", 0, 0, what, one) for one in said)


def _frame(moved: Rows, metrics: Sequence[str] | None) -> pd.DataFrame:
    """Return the rows that are shown: of each munition and policy the largest change first."""
    import pandas as pd

    rows: list[dict[str, Any]] = [
        dict(zip(KEY, key, strict=True)) | row
        for key, row in moved.items()
        if not metrics or key[3] in metrics or f"{key[3]}:{key[2]}" in metrics
    ]
    places = {pair: number for number, pair in enumerate(dict.fromkeys((key[1], key[0]) for key in moved))}
    rows.sort(key=lambda row: (places[row["munition"], row["policy"]], -row["size"], row["metric"], row["recipient"]))
    return pd.DataFrame(rows, columns=list(MOVED))

