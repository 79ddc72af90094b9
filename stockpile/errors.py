"""Errors a user can mend: each says where, what is wrong and what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One fault of an input.

    Attributes
    ----------
    file : str
        File, or where else the input came from (``--set``).
    line, column : int
        Position, counted from 1; 0 where there is none.
    key : str
        Path of the key inside the file, or of the parameter.
    message : str
        What is wrong, with the value, and what is allowed.
    """

    file: str
    line: int
    column: int
    key: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class InputError(Exception):
    """All faults of an input, found together. The command line prints them and exits with 2."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Problem, ...]]]:
        """Keep the faults when the error comes from another process."""
        return type(self), (self.problems,)

    @classmethod
    def one(cls, key: str, message: str, *, file: str = "input") -> InputError:
        """Return the error for a single fault that has no position in a file."""
        return cls([Problem(file, 0, 0, key, message)])


def is_near(name: str, other: str) -> bool:
    """Tell whether one name may be the other with a slip in it."""
    return bool(difflib.get_close_matches(name, [other], n=1))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint that names the nearest of `known`, then what is allowed."""
    known = sorted(set(known))
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    shown = known if len(known) <= 24 else [*difflib.get_close_matches(name, known, n=6, cutoff=0.0), f"... {len(known)} in all"]
    return f"{hint}allowed: {', '.join(shown) if shown else 'nothing'}"
