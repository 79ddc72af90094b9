"""Reading ``params/``: folders to one checked, frozen set.

`read` takes the shipped folder and any that are laid over it, reports the faults of all files together, and returns a
`ParamSet`. A table of an overlying file is merged key by key; a parameter (a table with `unit`) is replaced whole.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from stockpile import positions, schema
from stockpile.errors import InputError, Problem, nearest
from stockpile.faults import explain
from stockpile.tables import Table, has, merge

M = TypeVar("M", bound=BaseModel)

FOLDERS: dict[str, type[BaseModel]] = {
    "munitions": schema.Munition,
    "recipients": schema.Recipient,
    "events": schema.Event,
    "campaigns": schema.Campaign,
    "policies": schema.Policy,
    "scenarios": schema.Scenario,
    "observations": schema.Observations,
    "cases": schema.Case,
}
"""Folders of ``params/``, one file a thing, and what each file may say."""
FILES: dict[str, type[BaseModel]] = {"model": schema.Model, "reading": schema.Reading}
"""Single files beside `sources.toml`."""
BESIDE = ("sources", "reading", "cases")
"""Files that no run rests on."""


def default_folder() -> Path:
    """Return the shipped folder: the repository's, or the one the wheel carries."""
    package = Path(__file__).resolve().parent
    repository = package.parent / "params"
    return repository if (repository / "sources.toml").exists() else package / "_params"


@dataclass(frozen=True)
class Document:
    """One TOML file as read."""

    file: Path
    shown: str
    text: str = field(repr=False)
    table: Table = field(repr=False)

    @cached_property
    def positions(self) -> dict[positions.Path, tuple[int, int]]:
        """Line and column of each key path."""
        return positions.positions(self.text)


@dataclass(frozen=True)
class Layers:
    """The documents that speak of one thing, lowest first, and what they say together."""

    documents: tuple[Document, ...]

    @cached_property
    def table(self) -> Table:
        """The merged table."""
        result: Table = {}
        for document in self.documents:
            result = merge(result, document.table)
        return result

    @property
    def tables(self) -> list[Table]:
        """What each document says alone, the uppermost first."""
        return [document.table for document in reversed(self.documents)]

    def problem(self, key: Sequence[str | int], message: str) -> Problem:
        """Return a `Problem` at `key`, in the uppermost document that has it.

        For a key that is missing, that is the document with the table it is missing from; what a document below says of a
        parameter that is replaced whole does not count.
        """
        there = tuple(key)
        while not has(self.table, there):
            there = there[:-1]
        document = next(document for document in reversed(self.documents) if has(document.table, there))
        line, column = positions.find(document.positions, there)
        return Problem(document.shown, line, column, ".".join(map(str, key)), message)


@dataclass(frozen=True)
class Resolved:
    """What a scenario makes of one thing: as `Layers` for the checks, but with no file to point at."""

    table: Table
    name: str
    path: tuple[str, ...]

    @property
    def tables(self) -> list[Table]:
        """The table alone."""
        return [self.table]

    def problem(self, key: Sequence[str | int], message: str) -> Problem:
        """Return a `Problem` at the full path of `key`."""
        return Problem(self.name, 0, 0, ".".join(map(str, (*self.path, *key))), message)


@dataclass(frozen=True)
class ParamSet:
    """All files together, checked; nothing is dropped by date yet (that is a scenario's business).

    `folders` and `scenario` are what they were read from besides the shipped folder.
    """

    layers: dict[tuple[str, ...], Layers] = field(repr=False)
    sources: dict[str, schema.Source] = field(repr=False)
    models: dict[tuple[str, ...], BaseModel] = field(repr=False)
    folders: tuple[str, ...] = ()
    scenario: str | None = None

    def names(self, folder: str) -> tuple[str, ...]:
        """Return the names of the things in `folder`, sorted."""
        return tuple(sorted(key[1] for key in self.models if key[0] == folder and len(key) == 2))

    def tree(self) -> Table:
        """Return everything that a run can rest on as one nested table: ``munitions.pac3.us_share`` and so on; and what was reported."""
        result: Table = {}
        for key, layers in self.layers.items():
            if key[0] in BESIDE:
                continue
            if len(key) == 1:
                result[key[0]] = layers.table
            else:
                result.setdefault(key[0], {})[key[1]] = layers.table
        return result


def read(
    folders: str | Path | Iterable[str | Path] = (), scenario: Path | None = None, cases: Sequence[Path] = (), *,
    without: Collection[str] = (),
) -> ParamSet:
    """Read the shipped parameters, lay `folders` over them in order, and add files of the user's: a scenario's, and those of cases.

    Files of the folders in `without`, such as the cases, on which no run rests, are not looked into.

    Raises
    ------
    InputError
        With all faults of all files.
    """
    problems: list[Problem] = []
    given = (str(folders),) if isinstance(folders, str | Path) else tuple(map(str, folders))
    documents = _documents([default_folder(), *map(Path, given)], problems, without)
    if scenario is not None:
        documents["scenarios", scenario.stem] = [_document(scenario, scenario.parent, problems)]
    documents |= {("cases", case.stem): [_document(case, case.parent, problems)] for case in cases}
    read_well = {key: tuple(document for document in found if document) for key, found in sorted(documents.items())}
    layers = {key: Layers(found) for key, found in read_well.items() if found}
    sources, models = _validate(layers, problems)
    from stockpile import checks
    from stockpile.known import Known

    unreadable = frozenset(key for key, found in documents.items() if None in found)
    problems.extend(checks.run(Known(layers, models, sources, unreadable)))
    if problems:
        raise InputError(problems)
    return ParamSet(layers, sources, models, given, str(scenario) if scenario else None)


def _documents(
    folders: Sequence[Path], problems: list[Problem], without: Collection[str] = ()
) -> dict[tuple[str, ...], list[Document | None]]:
    """Return the documents of each thing, lowest first; None for one that cannot be read."""
    result: dict[tuple[str, ...], list[Document | None]] = {}
    for folder in folders:
        if not folder.is_dir():
            problems.append(Problem(str(folder), 0, 0, "", "is not a folder; allowed: a folder laid out like params/"))
            continue
        for file in sorted(folder.rglob("*.toml")):
            key = _key(file, folder, problems)
            if key and key[0] not in without:
                result.setdefault(key, []).append(_document(file, folder, problems))
    return result


def _key(file: Path, folder: Path, problems: list[Problem]) -> tuple[str, ...] | None:
    """Return what a file is about, from its place; None for templates and for files out of place."""
    parts = file.relative_to(folder).with_suffix("").parts
    if any(part.startswith(("_", ".")) for part in parts):
        return None
    if len(parts) == 1 and (parts[0] in FILES or parts[0] == "sources"):
        return parts
    if len(parts) == 2 and parts[0] in FOLDERS:
        if re.fullmatch(r"[a-z][a-z0-9_]*", parts[1]):
            return parts
        message = f"{parts[1]!r} is no name for a file; allowed: lower-case letters, digits and underscores, a letter first"
    elif len(parts) == 1:
        message = f"unknown file {file.name!r}; {nearest(file.name, [f'{name}.toml' for name in (*FILES, 'sources')])}"
    elif parts[0] in FOLDERS:
        message = f"{'/'.join(parts[1:-1])!r} is a folder inside {parts[0]}; allowed: files only"
    else:
        message = f"unknown folder {parts[0]!r}; {nearest(parts[0], FOLDERS)}"
    problems.append(Problem(_shown(file, folder), 0, 0, "", message))
    return None


def _shown(file: Path, folder: Path) -> str:
    return str(Path(folder.name) / file.relative_to(folder)) if folder == default_folder() else str(file)


def document(file: Path, problems: list[Problem]) -> Document | None:
    """Return a TOML file of the user's as read; where it cannot be, None, and why among `problems`."""
    return _document(file, file.parent, problems)


def _document(file: Path, folder: Path, problems: list[Problem]) -> Document | None:
    import tomli  # Loaded when a file is read: importing the package loads numpy and pydantic alone.

    shown = _shown(file, folder)
    try:
        text = file.read_bytes().decode("utf-8")
        return Document(file, shown, text, tomli.loads(text))
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"byte {error.object[error.start]:#04x} is not UTF-8; allowed: text saved as UTF-8"
        problems.append(Problem(shown, line, column, "", message))
    except tomli.TOMLDecodeError as error:
        problems.append(_not_toml(shown, text, str(error)))
    except OSError as error:
        problems.append(Problem(shown, 0, 0, "", f"cannot be read ({error.strerror}); allowed: a TOML file"))
    return None


def _not_toml(shown: str, text: str, what: str) -> Problem:
    """Return the fault of a text that is not TOML; for a key or table given twice it points at the second."""
    at = re.search(r"line (\d+), column (\d+)", what)
    line, column = (int(at[1]), int(at[2])) if at else (text.count("\n") + 1, 1)
    twice = re.match(r"\s*\[*\s*([^\s=\]]+)", text.split("\n")[line - 1]) if what.startswith("Cannot") else None
    if twice:
        return Problem(shown, line, twice.start(1) + 1, twice[1], "is given twice; allowed: each key and table once")
    return Problem(shown, line, column, "", f"is not valid TOML: {re.sub(r' [(]at .*[)]$', '', what)}; allowed: key = value")


def _validate(
    layers: dict[tuple[str, ...], Layers], problems: list[Problem]
) -> tuple[dict[str, schema.Source], dict[tuple[str, ...], BaseModel]]:
    sources: dict[str, schema.Source] = {}
    models: dict[tuple[str, ...], BaseModel] = {}
    for key, found in layers.items():
        if key == ("sources",):
            for name, table in found.table.items():
                source = _one(schema.Source, table, found, (name,), problems)
                if source is not None:
                    sources[name] = source
            continue
        cls = FOLDERS[key[0]] if len(key) == 2 else FILES[key[0]]
        model = _one(cls, found.table, found, (), problems)
        if model is not None:
            models[key] = model
    problems.extend(Problem("params", 0, 0, "", f"{name}.toml is missing") for name in FILES if (name,) not in layers)
    return sources, models


def _one(
    cls: type[M], table: Any, layers: Layers, prefix: tuple[str | int, ...], problems: list[Problem]
) -> M | None:
    try:
        return cls.model_validate(table)
    except ValidationError as error:
        for key, message in explain(cls, table, error):
            problems.append(layers.problem((*prefix, *key), message))
        return None
