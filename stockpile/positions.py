"""Where each key of a TOML text stands, for error messages.

`tomllib` gives values without positions. This scanner is run on texts that `tomllib` has accepted, so it need not check
anything: it only follows tables, keys, strings and brackets.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

Path = tuple[str | int, ...]
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\])*"|\'[^\']*\'', re.DOTALL)
_KEY = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'')
_BLANKS = re.compile(r"[ \t]*")
_SKIP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SCALAR = re.compile(r"[^\s,\]}#]+(?: \d\d:[^\s,\]}#]+)?")


class _Scanner:
    """Walks through a text once and notes for each key path the offset of its key.

    `found` has the offsets; `last` the index of the newest table of each array of tables.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, int] = {}
        self.last: dict[Path, int] = {}

    def over(self, pattern: re.Pattern[str]) -> str:
        """Move over what matches here and return it."""
        match = pattern.match(self.text, self.at)
        if match is None:
            return ""
        self.at = match.end()
        return match.group()

    def key(self) -> list[tuple[str, int]]:
        """Move over a dotted key and return its parts, each with its offset."""
        parts: list[tuple[str, int]] = []
        while True:
            self.over(_BLANKS)
            start = self.at
            quoted = self.over(_KEY)
            parts.append((tomllib.loads(f"key = {quoted}")["key"] if quoted else self.over(_BARE), start))
            self.over(_BLANKS)
            if self.text[self.at] != ".":
                return parts
            self.at += 1

    def value(self, path: Path) -> None:
        self.over(_SKIP)
        char = self.text[self.at]
        if char == "[":
            self.array(path)
        elif char == "{":
            self.inline_table(path)
        elif not self.over(_STRING):
            self.over(_SCALAR)

    def array(self, path: Path) -> None:
        for index in self.items("]"):
            self.found[(*path, index)] = self.at
            self.value((*path, index))

    def inline_table(self, path: Path) -> None:
        for _ in self.items("}"):
            self.pair(path)

    def items(self, end: str) -> Iterator[int]:
        """Yield the number of each item of an array or inline table, standing at its start."""
        self.at += 1
        number = 0
        while True:
            self.over(_SKIP)
            if self.text[self.at] == end:
                self.at += 1
                return
            if self.text[self.at] == ",":
                self.at += 1
                continue
            yield number
            number += 1

    def pair(self, path: Path) -> None:
        for part, start in self.key():
            path = (*path, part)
            self.found.setdefault(path, start)
        self.at += 1
        self.value(path)

    def header(self) -> Path:
        """Move over the header of a table, or of one more table of an array, and return the table's path."""
        many = self.text.startswith("[[", self.at)
        self.at += 2 if many else 1
        path: Path = ()
        *around, (own, start) = self.key()
        for part, offset in around:
            path = self.newest((*path, part), offset)
        if many:
            self.found.setdefault((*path, own), start)
            self.last[(*path, own)] = self.last.get((*path, own), -1) + 1
        self.at += 2 if many else 1
        return self.newest((*path, own), start)

    def newest(self, path: Path, offset: int) -> Path:
        """Note a table, and return its path: in an array of tables, that of the newest one."""
        self.found.setdefault(path, offset)
        if path in self.last:
            path = (*path, self.last[path])
            self.found.setdefault(path, offset)
        return path

    def run(self) -> dict[Path, int]:
        table: Path = ()
        self.over(_SKIP)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.pair(table)
            self.over(_SKIP)
        return self.found


def positions(text: str) -> dict[Path, tuple[int, int]]:
    """Return for each key path of a valid TOML `text` the line and column of its key, counted from 1.

    A table stands where its name first stands in a header, an item of an array at its first character, and a table of an
    array of tables at the name in its own header.
    """
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
