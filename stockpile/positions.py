"""Where each key of a TOML text stands, for error messages.

`tomllib` gives values without positions. This scanner is run on texts that `tomllib` has accepted, so it need not check
anything: it only follows tables, keys, strings and brackets.
"""

from __future__ import annotations

import re

Path = tuple[str | int, ...]
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\])*"|\'[^\']*\'', re.DOTALL)
_SKIP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SCALAR = re.compile(r"[^\s,\]}#]+(?: \d\d:[^\s,\]}#]+)?")


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, int] = {}
        self.counts: dict[Path, int] = {}

    def skip(self) -> None:
        match = _SKIP.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t":
            self.at += 1

    def key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self.blanks()
            quoted = _STRING.match(self.text, self.at)
            match = quoted or _BARE.match(self.text, self.at)
            if match is None:
                return parts
            parts.append(match.group()[1:-1] if quoted else match.group())
            self.at = match.end()
            self.blanks()
            if self.text[self.at : self.at + 1] != ".":
                return parts
            self.at += 1

    def note(self, base: Path, parts: list[str], start: int) -> Path:
        path = base
        for part in parts:
            path = (*path, part)
            if path in self.counts and path != (*base, *parts):
                path = (*path, self.counts[path])
            self.found.setdefault(path, start)
        return path

    def value(self, path: Path) -> None:
        self.skip()
        char = self.text[self.at]
        if char == "[":
            self.array(path)
        elif char == "{":
            self.inline_table(path)
        else:
            match = _STRING.match(self.text, self.at) or _SCALAR.match(self.text, self.at)
            self.at = match.end() if match else self.at + 1

    def array(self, path: Path) -> None:
        self.at += 1
        index = 0
        while True:
            self.skip()
            if self.text[self.at] == "]":
                self.at += 1
                return
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self.found.setdefault((*path, index), self.at)
            self.value((*path, index))
            index += 1

    def inline_table(self, path: Path) -> None:
        self.at += 1
        while True:
            self.skip()
            if self.text[self.at] == "}":
                self.at += 1
                return
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self.pair(path)

    def pair(self, base: Path) -> None:
        start = self.at
        path = self.note(base, self.key(), start)
        self.at = self.text.index("=", self.at) + 1
        self.value(path)

    def header(self) -> Path:
        start = self.at
        many = self.text.startswith("[[", self.at)
        self.at += 2 if many else 1
        parts = self.key()
        self.at += 2 if many else 1
        path = self.note((), parts, start)
        if many:
            self.counts[path] = self.counts.get(path, -1) + 1
            path = (*path, self.counts[path])
            self.found.setdefault(path, start)
        elif path in self.counts:
            path = (*path, self.counts[path])
        return path

    def run(self) -> dict[Path, int]:
        table: Path = ()
        self.skip()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.pair(table)
            self.skip()
        return self.found


def positions(text: str) -> dict[Path, tuple[int, int]]:
    """Return for each key path of a valid TOML `text` its line and column, counted from 1."""
    starts = _Scanner(text).run()
    result = {}
    for path, offset in starts.items():
        line = text.count("\n", 0, offset) + 1
        result[path] = (line, offset - (text.rfind("\n", 0, offset) + 1) + 1)
    return result


def find(known: dict[Path, tuple[int, int]], path: Path) -> tuple[int, int]:
    """Return the position of `path`, or of the nearest table around it, or (1, 1)."""
    while path:
        if path in known:
            return known[path]
        path = path[:-1]
    return (1, 1)
