"""A scenario: what was known at a date, with its changes made; immutable, every value with its source."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from stockpile import checks, overrides, schema, scope, vintage
from stockpile.chain import Chain
from stockpile.errors import InputError, Problem, nearest
from stockpile.faults import explain
from stockpile.known import Known
from stockpile.params import BESIDE, FILES, FOLDERS, M, ParamSet, Resolved, read
from stockpile.tables import Table

if TYPE_CHECKING:
    import pandas as pd

NEEDED = ("as_of", "start", "end", "substeps", "method", "money_year", "policies")
UNREAD = ("cases",)
"""Folders that no scenario rests on: a fault in them is found by `params check`, and by those who ask for what is in them."""


@dataclass(frozen=True)
class Scenario:
    """Everything a run needs, resolved: only what was published by `as_of`, with all changes made.

    Attributes
    ----------
    name : str
        Name of the scenario.
    settings : schema.Scenario
        Its own keys, the base's filled in.
    munitions, recipients, events, campaigns, policies : dict
        By name; recipients in the order of the run, the one who takes the remainder of the line last.
    model : schema.Model
        Values that all munitions share.
    sources : dict
        The sources that can be reached.
    beside : tuple of vintage.Beside
        Values of conflict groups that stand beside the used ones.
    observations : dict
        What had been reported, to compare with; nothing here moves a result.
    tree : dict
        All of the above as one nested table: what `override` changes and `digest` stands for.
    overridden : dict
        The changes made by `override`.
    origin : tuple
        What `load` was asked for: the name or file, and the folders laid over.
    """

    name: str
    settings: schema.Scenario
    munitions: dict[str, schema.Munition]
    recipients: dict[str, schema.Recipient]
    events: dict[str, schema.Event]
    campaigns: dict[str, schema.Campaign]
    policies: dict[str, schema.Policy]
    model: schema.Model
    sources: dict[str, schema.Source]
    beside: tuple[vintage.Beside, ...] = field(repr=False)
    observations: dict[str, schema.Observation] = field(repr=False)
    tree: Table = field(repr=False)
    overridden: dict[str, Any]
    origin: tuple[str, tuple[str, ...]] = field(default=("", ()), repr=False, compare=False)

    def __repr__(self) -> str:
        return f"Scenario({self.name!r}, as_of={self.as_of}, digest={self.digest[:12]!r})"

    @property
    def as_of(self) -> dt.date:
        """The last day of which anything is known; flows up to and including it are history."""
        assert self.settings.as_of is not None
        return self.settings.as_of

    @property
    def digest(self) -> str:
        """SHA-256 of every resolved value, event, policy and setting."""
        text = json.dumps(self.tree, sort_keys=True, default=str, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def alternatives(self, path: str, point: schema.Evidence) -> tuple[tuple[float, float], ...]:
        """Return the values that a point of shape choice is drawn from, in the parameter's unit, each with its weight.

        Parameters
        ----------
        path : str
            Of the parameter; for messages of the caller's, as the point carries its alternatives.
        point : schema.Evidence
            One of its points.

        Returns
        -------
        tuple of (value, weight)
            The point's own value first; then what stands beside it in its conflict group, was known at `as_of` and holds from
            the same day, with the changes of the scenario and of `override` made to all of them.
        """
        return point.choices

    def override(self, changes: Mapping[str, Any]) -> Scenario:
        """Return a new scenario with `changes` made; this one stays as it is. Policies put in by `with_policies` stay in.

        Parameters
        ----------
        changes : mapping from path to value
            ``{"munitions.pac3.us_share": 0.5}`` pins the parameter at all dates and drops its range; a path ending in
            ``.scale``, ``.add`` or ``.at`` changes it so; a table ``{"scale": 0.2, "from": date}`` does so from a date on,
            and ``"again": True`` in it declares that it comes on top of another change of the same path.

        Raises
        ------
        InputError
            For unknown paths, values out of range, and policies that were put in, all together.
        """
        settings, wrong = [], []
        for path, amount in changes.items():
            try:
                settings.append(overrides.setting(path, amount))
            except overrides.WrongPath as error:
                wrong.append(str(error))
        tree, faults = overrides.apply_all(self.tree, settings)
        wrong.extend(message for _, message in faults)
        if wrong:
            raise InputError(Problem("override", 0, 0, "", message) for message in wrong)
        known = vintage.Visible(self.sources, self.beside, self.observations)
        try:
            new = _build(self.name, tree, known, {**self.overridden, **changes})
        except InputError as error:
            raise InputError(replace(problem, file="override") for problem in error.problems) from None
        munitions = {name: new.munitions[name] for name in self.munitions}
        return replace(new, origin=self.origin, policies=self._policies(new, settings), munitions=munitions)

    def _policies(self, new: Scenario, settings: Sequence[overrides.Setting]) -> dict[str, schema.Policy]:
        """Return the policies after a change: those it reaches as they are in `new`, all others as they are here."""
        reached = {".".join(one.path.split(".")[:2]) for one in settings}
        changed = [name for name in self.policies if any(overrides.touches(path, f"policies.{name}") for path in reached)]
        files = self.tree["policies"]
        own = [name for name in changed if name not in files or self.policies[name] != schema.Policy.model_validate(files[name])]
        if own:
            message = "was put in by with_policies, and no change reaches it; allowed: to change it before it is put in"
            raise InputError(Problem("override", 0, 0, f"policies.{name}", message) for name in own)
        return {name: new.policies[name] if name in changed else policy for name, policy in self.policies.items()}

    def rebuilt(self, tree: Table, sources: Mapping[str, schema.Source]) -> Scenario:
        """Return the scenario that another resolved table of values makes; `sources` are what it may rest on besides its own.

        Raises
        ------
        InputError
            If what stands in the table does not go together.
        """
        known = vintage.Visible({**self.sources, **sources}, self.beside, self.observations)
        return replace(_build(self.name, tree, known, self.overridden), origin=self.origin)

    def with_policies(self, policies: Mapping[str, schema.Policy]) -> Scenario:
        """Return a scenario with other policies; no parameter moves, and the digest stays that of the files."""
        return replace(self, policies=dict(policies))

    def with_munitions(self, names: Sequence[str]) -> Scenario:
        """Return a scenario with some of the munitions alone: what happens to each does not depend on the others."""
        return replace(self, munitions={name: self.munitions[name] for name in self.munitions if name in names})

    def files(self) -> ParamSet:
        """Return all that its files say, what was published after `as_of` among it: to hold a result against, never to run on."""
        return _read(*self.origin)[0]

    def placed(self, error: InputError) -> InputError:
        """Return an error about values of this scenario with the file and position of each, as far as files say them."""
        try:
            chain = Chain(*_read(*self.origin))
        except InputError:
            return error
        return InputError(self._placed(chain, problem) for problem in error.problems)

    def _placed(self, chain: Chain, problem: Problem) -> Problem:
        if problem.line or problem.file != self.name:
            return problem
        if any(overrides.touches(overrides.setting(path, amount).path, problem.key) for path, amount in self.overridden.items()):
            return replace(problem, file="override")
        return chain.placed(problem)

    def chosen(self, policies: Sequence[str] | None) -> tuple[str, ...]:
        """Return the policies to run: those given, or the scenario's own.

        Raises
        ------
        InputError
            If one text is given in place of a list, or anything but names in it.
        """
        if isinstance(policies, str):
            raise InputError.one("policies", f"{policies!r} is one text; allowed: a list of names, [{policies!r}]", file="policy")
        if policies is not None and not all(isinstance(name, str) for name in policies):
            raise InputError.one("policies", f"{list(policies)!r}; allowed: a list of names", file="policy")
        return tuple(policies if policies is not None else self.settings.policies or ())

    def table(self) -> pd.DataFrame:
        """Return every resolved value as a frame.

        Returns
        -------
        pandas.DataFrame
            Columns path, value, unit, low, high, grade, source (keys, separated by "; "), date (of publication, the
            latest of the sources), from (date from which the value holds; for plans the date announced), where, note.
            A dated parameter has one row a point.
        """
        from stockpile.provenance import table

        return table(self)


def load(scenario: str | Path = "july_2025", *, params: str | Path | Sequence[str | Path] = ()) -> Scenario:
    """Return the scenario of that name, or that stands in that TOML file.

    Parameters
    ----------
    scenario : str or Path
        A name in ``scenarios/``, or the path of a TOML file.
    params : folder, or sequence of folders
        Laid over the shipped parameters, in order.

    Raises
    ------
    InputError
        With all faults of all files.
    """
    return resolve(*_read(str(scenario), params))


def stand_alone(name: str, tree: Table, sources: Mapping[str, schema.Source]) -> Scenario:
    """Return the scenario that a resolved table describes, with nothing of the files besides; `sources` are what it may rest on.

    Raises
    ------
    InputError
        If what stands in the table does not go together.
    """
    return _build(name, tree, vintage.Visible(dict(sources), (), {}), {})


def names(params: str | Path | Sequence[str | Path] = ()) -> tuple[str, ...]:
    """Return the names of the scenarios there are."""
    return read(params, without=UNREAD).names("scenarios")


def _read(given: str, params: str | Path | Sequence[str | Path]) -> tuple[ParamSet, str]:
    """Return the checked files that `load` was asked for, and the name of the scenario."""
    file = Path(given) if given.endswith(".toml") else None
    found = read(params, file, without=UNREAD)
    name = file.stem if file else given
    if name not in found.names("scenarios"):
        raise InputError.one("scenario", f"unknown scenario {name!r}; {nearest(name, found.names('scenarios'))}")
    return found, name


def resolve(params: ParamSet, name: str) -> Scenario:
    """Return scenario `name` of a checked set: bases filled in, later knowledge dropped, changes made."""
    chain = Chain(params, name)
    scenario = chain.table
    missing = [chain.problem((key,), "missing; allowed: a value here or in a base") for key in NEEDED if key not in scenario]
    if missing:
        raise InputError(missing)
    everything = params.tree()
    everything.pop("scenarios")
    tree, known = vintage.as_of(everything, params.sources, scenario["as_of"])
    tree["scenario"] = scenario
    tree["events"] = _events(tree["events"], chain)
    tree["campaigns"] = {name: one for name, one in tree["campaigns"].items() if name not in scenario.get("without_campaigns", [])}
    _check_causes(tree, chain)
    tree = _changed(scope.keep(tree, scenario), chain)
    try:
        built = _build(name, tree, known, {})
    except InputError as error:
        raise InputError(map(chain.placed, error.problems)) from None
    return replace(built, origin=(params.scenario or name, params.folders))


def _events(events: Table, chain: Chain) -> Table:
    scenario, problems = chain.table, []
    result = {name: event for name, event in events.items() if name not in scenario.get("without_events", [])}
    for number, repeat in enumerate(scenario.get("repeats", [])):
        if repeat["event"] not in events:
            message = f"{repeat['event']!r} was not known on {scenario['as_of']}; {nearest(repeat['event'], events)}"
            problems.append(chain.problem(("repeats", number, "event"), message))
            continue
        event = events[repeat["event"]]
        length = event["end"] - event["start"]
        again = {"title": f"{event['title']}, again", "start": repeat["start"], "end": repeat["start"] + length}
        result[repeat["name"]] = {**event, **again}
    if problems:
        raise InputError(problems)
    return result


def _check_causes(tree: Table, chain: Chain) -> None:
    """Refuse a list of recipients without one on whose behalf US forces used rounds: that use would go unseen."""
    left_out = set(tree["recipients"]) - set(chain.table["recipients"] if "recipients" in chain.table else tree["recipients"])
    unseen = {
        folder: {name: item["cause"] for name, item in tree[folder].items() if item.get("cause") in left_out}
        for folder in ("events", "campaigns")
    }
    if any(unseen.values()):
        without = [f"without_{folder} = [{', '.join(map(json.dumps, found))}]" for folder, found in unseen.items() if found]
        who = ", ".join(sorted({cause for found in unseen.values() for cause in found.values()}))
        message = f"leaves out {who}, on whose behalf rounds were used; allowed: a list with {who}, or {' and '.join(without)}"
        raise InputError([chain.problem(("recipients",), message)])


def _changed(tree: Table, chain: Chain) -> Table:
    changes = chain.table.get("changes", [])
    said = [(change["path"], {key: change[key] for key in change if key not in ("path", "reason")}) for change in changes]
    settings = [overrides.setting(path, amount) for path, amount in said]
    result, faults = overrides.apply_all(tree, settings)
    if faults:
        raise InputError(chain.problem(("changes", number, "path"), message) for number, message in faults)
    return result


def _build(name: str, tree: Table, known: vintage.Visible, overridden: dict[str, Any]) -> Scenario:
    """Validate a resolved table and return the scenario; faults are reported under the scenario's name and their full path."""
    problems: list[Problem] = []
    tree = {**tree, "model": {**tree["model"], "correlations": scope.correlations(tree)}}

    def one(cls: type[M], table: Any, path: tuple[str, ...]) -> M | None:
        try:
            return cls.model_validate(table)
        except ValidationError as error:
            for key, message in explain(cls, table, error):
                if key and key[-1] == "points":
                    key = key[:-1]
                    message = f"no value was known on {tree['scenario']['as_of']}; allowed: one whose sources were published by then"
                problems.append(Problem(name, 0, 0, ".".join(map(str, (*path, *key))), message))
            return None

    things: dict[str, dict[str, Any]] = {
        folder: {key: one(cls, table, (folder, key)) for key, table in tree.get(folder, {}).items()}
        for folder, cls in FOLDERS.items()
        if folder not in ("scenarios", "observations", *BESIDE)
    }
    model = one(FILES["model"], tree["model"], ("model",))
    settings = one(schema.Scenario, tree["scenario"], ("scenario",))
    if not problems and settings is not None:
        problems.extend(_consistent(name, tree, settings))
        problems.extend(checks.again(_known(name, tree, things)))
    if problems:
        raise InputError(problems)
    recipients: dict[str, Any] = dict(sorted(things["recipients"].items(), key=lambda item: (item[1].remainder, item[0])))
    munitions: dict[str, Any] = {key: things["munitions"][key] for key in getattr(settings, "munitions", None) or things["munitions"]}
    values: dict[str, Any] = {**things, "munitions": munitions, "recipients": recipients}
    return Scenario(
        name=name, settings=settings, model=model, tree=tree, overridden=overridden, **vars(known), **values  # type: ignore[arg-type]
    )


def _known(name: str, tree: Table, things: Mapping[str, Mapping[str, BaseModel]]) -> Known:
    """Return what the checks look at, for a resolved table."""
    paths: list[tuple[str, ...]] = [(folder, key) for folder in things for key in things[folder]]
    layers = {path: Resolved(tree[path[0]][path[1]], name, path) for path in paths}
    return Known(layers, {path: things[path[0]][path[1]] for path in paths}, {})


def _consistent(name: str, tree: Table, settings: schema.Scenario) -> Iterable[Problem]:
    for number, policy in enumerate(settings.policies or ()):
        if policy not in tree["policies"]:
            yield Problem(name, 0, 0, f"scenario.policies.{number}", f"unknown policy {policy!r}; {nearest(policy, tree['policies'])}")
    for key in ("start", "end"):
        date = getattr(settings, key)
        if date.day != 1:
            yield Problem(name, 0, 0, f"scenario.{key}", f"{date} is not the first day of a month; allowed: {date.replace(day=1)}")
    if settings.start is not None and settings.end is not None and settings.end <= settings.start:
        yield Problem(name, 0, 0, "scenario.end", f"{settings.end} is not after start ({settings.start}); allowed: a later month")
