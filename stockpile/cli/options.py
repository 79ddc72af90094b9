"""Options that verbs have in common, and what they mean."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from stockpile.errors import InputError, Problem

if TYPE_CHECKING:
    from stockpile.scenario import Scenario

Repeatable = Parameter(negative="", show_default=False)
Flag = Parameter(negative="", show_default=False)
Output = Annotated[Path | None, Parameter(name=["--output", "-o"], show_default=False)]
"""The file to write; each verb says which kinds."""
BASELINE = "none"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Common:
    """What every verb takes."""

    json: Annotated[bool, Flag] = False
    """Print JSON, for programs, instead of tables."""
    params: Annotated[tuple[Path, ...], Repeatable] = ()
    """A folder laid over the shipped parameters; may be repeated, later ones on top."""
    seed: Annotated[int | None, Flag] = None
    """Seed of the draws of an ensemble, 1 where left out. Other verbs take central values: there it moves no number."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Resolved(Common):
    """What verbs that look at a scenario take."""

    set: Annotated[tuple[str, ...], Repeatable] = ()
    """PATH=VALUE: a change to the scenario, the value as in TOML; may be repeated. Also PATH.scale=, PATH.add=, PATH.at="low"."""

    def scenario(self, name: str) -> Scenario:
        """Return the scenario of that name with all changes made."""
        from stockpile.scenario import load

        changes = settings(self.set)
        found = load(name, params=self.params)
        return found.override(changes) if changes else found


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Chosen(Resolved):
    """What verbs that run policies take."""

    policy: Annotated[tuple[str, ...], Repeatable] = ()
    """Policies by name, repeated or separated by commas; the scenario's own where left out."""

    @property
    def policies(self) -> list[str] | None:
        """The policies asked for; None for the scenario's own."""
        return separated(self.policy, "policy", "--policy") or None

    def line(self, verb: str, *arguments: str) -> str:
        """Return the command line that does the same, to be printed in a report."""
        import shlex

        words = ["stockpile", verb, *arguments]
        words += [word for folder in self.params for word in ("--params", str(folder))]
        words += [word for change in self.set for word in ("--set", change)]
        words += ["--policy", ",".join(self.policies)] if self.policies else []
        return shlex.join(words)


def separated(given: tuple[str, ...], what: str, option: str) -> list[str]:
    """Return names that were given one by one, or separated by commas.

    Raises
    ------
    InputError
        If one is empty.
    """
    names = [name.strip() for text in given for name in text.split(",")]
    if not all(names):
        raise InputError.one("", f"{','.join(given)!r} has a {what} without a name; allowed: names separated by commas", file=option)
    return names


def whole(text: str) -> int | str:
    """Return a whole number, which may be written as 10000, 10,000 or 1e4; the text itself where it is none."""
    plain = text.replace(",", "")
    try:
        return int(plain)
    except ValueError:
        pass
    try:
        return int(float(plain)) if float(plain).is_integer() else text
    except (ValueError, OverflowError):
        return text


def settings(given: tuple[str, ...]) -> dict[str, Any]:
    """Return path and value of each ``--set``.

    Raises
    ------
    InputError
        For one without ``=``, and for a path that is set twice, all together.
    """
    from stockpile import overrides

    found: dict[str, Any] = {}
    seen: dict[str, str] = {}
    problems = []
    for text in given:
        path, equals, value = text.partition("=")
        path = path.strip()
        if not equals or not path:
            message = f"{text!r} is not a change; allowed: PATH=VALUE, for example munitions.pac3.us_share=0.5"
            problems.append(Problem("--set", 0, 0, "", message))
            continue
        stem = path.rpartition(".")[0] if path.rpartition(".")[2] in overrides.OPERATIONS[1:] else path
        if stem in seen:
            problems.append(Problem("--set", 0, 0, "", f"{stem} is set twice: {seen[stem]!r} and {text!r}; allowed: once"))
        seen[stem], found[path] = text, toml_value(value.strip())
    if problems:
        raise InputError(problems)
    return found


def toml_value(text: str) -> Any:
    """Return what a text means as a TOML value; the text itself where it is none."""
    try:
        found = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return found["value"] if list(found) == ["value"] else text


COMMON, RESOLVED, CHOSEN = Common(), Resolved(), Chosen()
"""Nothing asked for: the defaults of the verbs."""
