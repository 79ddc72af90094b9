"""A scenario: what was known at a date, with its changes made; immutable, every value with its source."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from stockpile import checks, overrides, schema, vintage
from stockpile.errors import InputError, Problem, nearest
from stockpile.faults import explain
from stockpile.params import FILES, FOLDERS, Document, Layers, M, ParamSet, Table, _document, read

if TYPE_CHECKING:
    import pandas as pd

NEEDED = ("as_of", "start", "end", "substeps", "method", "money_year", "policies")


@dataclass(frozen=True)
class Scenario:
    """Everything a run needs, resolved: only what was published by `as_of`, with all changes made.

    Attributes
    ----------
    name : str
        Name of the scenario.
    settings : schema.Scenario
        Its own keys, the base's filled in.
    munitions, recipients, events, policies : dict
        By name; recipients in the order of the run, the one who takes the remainder of the line last.
    model : schema.Model
        Values that all munitions share.
    sources : dict
        The sources that can be reached.
    beside : tuple of vintage.Beside
        Values of conflict groups that stand beside the used ones.
    observations : dict
        What had been reported, to compare with; nothing here moves a result.
    """

    name: str
    settings: schema.Scenario
    munitions: dict[str, schema.Munition]
    recipients: dict[str, schema.Recipient]
    events: dict[str, schema.Event]
    policies: dict[str, schema.Policy]
    model: schema.Model
    sources: dict[str, schema.Source]
    beside: tuple[vintage.Beside, ...] = field(repr=False)
    observations: dict[str, schema.Observation] = field(repr=False)
    tree: Table = field(repr=False)
    overridden: dict[str, Any]

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

    def override(self, changes: Mapping[str, Any]) -> Scenario:
        """Return a new scenario with `changes` made; this one stays as it is.

        Parameters
        ----------
        changes : mapping from path to value
            ``{"munitions.pac3.us_share": 0.5}`` pins the parameter at all dates and drops its range; a path ending in
            ``.scale``, ``.add`` or ``.at`` changes it so; a table ``{"scale": 0.2, "from": date}`` does so from a date on.

        Raises
        ------
        InputError
            For unknown paths and values out of range, all together.
        """
        problems: list[Problem] = []
        tree = self.tree
        for path, amount in changes.items():
            try:
                for setting in overrides.settings({path: amount}):
                    if setting.path in ("scenario.as_of", "scenario.name", "scenario.base"):
                        raise overrides.WrongPath(f"{setting.path}: cannot be changed here; allowed: a scenario file of its own")
                    tree = overrides.apply(tree, setting)
            except overrides.WrongPath as error:
                problems.append(Problem("override", 0, 0, "", str(error)))
        if problems:
            raise InputError(problems)
        known = vintage.Visible(self.sources, self.beside, self.observations)
        return _build(self.name, tree, known, {**self.overridden, **changes}, "override")

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


def load(scenario: str | Path = "july_2025", *, params: Sequence[str | Path] = ()) -> Scenario:
    """Return the scenario of that name, or that stands in that TOML file.

    Parameters
    ----------
    scenario : str or Path
        A name in ``scenarios/``, or the path of a TOML file.
    params : sequence of folders
        Laid over the shipped parameters, in order.

    Raises
    ------
    InputError
        With all faults of all files.
    """
    found = read(params)
    name = str(scenario)
    if name.endswith(".toml"):
        found, name = _with_file(found, Path(scenario))
    if name not in found.names("scenarios"):
        raise InputError.one("scenario", f"unknown scenario {name!r}; {nearest(name, found.names('scenarios'))}")
    return resolve(found, name)


def names(params: Sequence[str | Path] = ()) -> tuple[str, ...]:
    """Return the names of the scenarios there are."""
    return read(params).names("scenarios")


def _with_file(found: ParamSet, file: Path) -> tuple[ParamSet, str]:
    """Return the set with a scenario file added."""
    problems: list[Problem] = []
    document: Document | None = _document(file, file.parent, problems)
    if document is None:
        raise InputError(problems)
    key = ("scenarios", file.stem)
    layers = {**found.layers, key: Layers((document,))}
    try:
        model = schema.Scenario.model_validate(document.table)
    except ValidationError as error:
        raise InputError(layers[key].problem(k, m) for k, m in explain(schema.Scenario, document.table, error)) from None
    models: dict[tuple[str, ...], BaseModel] = {**found.models, key: model}
    problems.extend(checks.run(layers, found.sources, models))
    if problems:
        raise InputError(problems)
    return ParamSet(layers, found.sources, models), file.stem


def resolve(params: ParamSet, name: str) -> Scenario:
    """Return scenario `name` of a checked set: bases filled in, later knowledge dropped, changes made."""
    chain = _chain(params, name)
    merged: Table = {}
    for table in chain:
        for key, value in table.items():
            lists = isinstance(value, list) and key in ("changes", "repeats", "without_events")
            merged[key] = [*merged.get(key, []), *value] if lists else value
    merged.pop("base", None)
    layers = params.layers[("scenarios", name)]
    problems = [layers.problem((), f"missing; {key} must be given here or in a base") for key in NEEDED if key not in merged]
    problems += _repeated(merged.get("changes", []), layers)
    if problems:
        raise InputError(problems)
    everything = params.tree()
    everything.pop("scenarios")
    tree, known = vintage.as_of(everything, params.sources, merged["as_of"])
    tree["scenario"] = merged
    tree["events"] = _events(tree["events"], merged, layers)
    tree = _keep(tree, "munitions", merged)
    tree = _keep(tree, "recipients", merged)
    tree = _changed(tree, merged.get("changes", []), layers)
    return _build(name, tree, known, {}, layers.documents[-1].shown)


def _chain(params: ParamSet, name: str) -> list[Table]:
    table = params.layers[("scenarios", name)].table
    base = table.get("base")
    return [*(_chain(params, base) if base else []), table]


def _repeated(changes: list[Table], layers: Layers) -> Iterable[Problem]:
    seen = set()
    for change in changes:
        if change["path"] in seen and not change.get("again", False):
            yield layers.problem(("changes",), f"{change['path']} is changed twice; allowed: once, or `again = true` where one comes on top")
        seen.add(change["path"])


def _events(events: Table, scenario: Table, layers: Layers) -> Table:
    problems = []
    result = {name: event for name, event in events.items() if name not in scenario.get("without_events", [])}
    for repeat in scenario.get("repeats", []):
        if repeat["event"] not in events:
            problems.append(layers.problem(("repeats",), f"event {repeat['event']!r} was not known on {scenario['as_of']}; {nearest(repeat['event'], events)}"))
            continue
        event = events[repeat["event"]]
        length = event["end"] - event["start"]
        again = {"title": f"{event['title']}, again", "start": repeat["start"], "end": repeat["start"] + length}
        result[repeat["name"]] = {**event, **again}
    if problems:
        raise InputError(problems)
    return result


def _keep(tree: Table, folder: str, scenario: Table) -> Table:
    """Leave out the munitions or recipients that the scenario does not have."""
    wanted = scenario.get(folder)
    if wanted is None:
        return tree
    kept = {**tree, folder: {name: tree[folder][name] for name in wanted}}
    if folder == "munitions":
        kept["recipients"] = {
            name: {key: value for key, value in recipient.items() if not isinstance(value, dict) or key in wanted}
            for name, recipient in tree["recipients"].items()
        }
        kept["events"] = {
            name: {**event, "rounds": {key: value for key, value in event.get("rounds", {}).items() if key in wanted}}
            for name, event in tree["events"].items()
            if event["kind"] == "hold" or any(key in wanted for key in event.get("rounds", {}))
        }
    return kept


def _changed(tree: Table, changes: list[Table], layers: Layers) -> Table:
    problems = []
    for number, change in enumerate(changes):
        operation = next(key for key in overrides.OPERATIONS if key in change)
        try:
            tree = overrides.apply(tree, overrides.Setting(change["path"], operation, change[operation], change.get("from")))
        except overrides.WrongPath as error:
            problems.append(layers.problem(("changes", number, "path"), str(error)))
    if problems:
        raise InputError(problems)
    return tree


def _build(
    name: str, tree: Table, known: vintage.Visible, overridden: dict[str, Any], file: str
) -> Scenario:
    """Validate a resolved table and return the scenario; faults are reported under their full path."""
    problems: list[Problem] = []

    def one(cls: type[M], table: Any, path: tuple[str, ...]) -> M | None:
        try:
            return cls.model_validate(table)
        except ValidationError as error:
            for key, message in explain(cls, table, error):
                nothing = "no value was known on " + str(tree["scenario"].get("as_of"))
                said = nothing if key and key[-1] == "points" else message
                problems.append(Problem(file, 0, 0, ".".join(map(str, (*path, *key))), said))
            return None

    things: dict[str, dict[str, Any]] = {
        folder: {key: one(cls, table, (folder, key)) for key, table in tree.get(folder, {}).items()}
        for folder, cls in FOLDERS.items()
        if folder not in ("scenarios", "observations")
    }
    model = one(FILES["model"], tree["model"], ("model",))
    settings = one(schema.Scenario, tree["scenario"], ("scenario",))
    if not problems and settings is not None:
        problems.extend(_consistent(tree, settings, file))
    if problems:
        raise InputError(problems)
    recipients: dict[str, Any] = dict(sorted(things["recipients"].items(), key=lambda item: (item[1].remainder, item[0])))
    munitions: dict[str, Any] = {key: things["munitions"][key] for key in getattr(settings, "munitions", None) or things["munitions"]}
    values: dict[str, Any] = {"munitions": munitions, "recipients": recipients, "events": things["events"], "policies": things["policies"]}
    return Scenario(
        name=name, settings=settings, model=model, tree=tree, overridden=overridden, **vars(known), **values  # type: ignore[arg-type]
    )


def _consistent(tree: Table, settings: schema.Scenario, file: str) -> Iterable[Problem]:
    for policy in settings.policies or ():
        if policy not in tree["policies"]:
            yield Problem(file, 0, 0, "scenario.policies", f"unknown policy {policy!r}; {nearest(policy, tree['policies'])}")
    for key in ("start", "end"):
        date = getattr(settings, key)
        if date.day != 1:
            yield Problem(file, 0, 0, f"scenario.{key}", f"{date} is not the first day of a month; allowed: {date.replace(day=1)}")
    if settings.start is not None and settings.end is not None and settings.end <= settings.start:
        yield Problem(file, 0, 0, "scenario.end", f"must be after start ({settings.start})")
