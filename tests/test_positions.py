"""Where the keys of a TOML text stand: tricky texts by hand, and random ones."""

import datetime as dt
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from stockpile.params import default_folder
from stockpile.positions import Path, find, positions


def paths(node: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every key and every list item of a table."""
    items: Any = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from paths(value, (*path, key))


def text_at(text: str, place: tuple[int, int]) -> str:
    line, column = place
    return text.split("\n")[line - 1][column - 1 :]


def key_at(text: str, place: tuple[int, int]) -> str:
    """Return the key that stands at a place, read by TOML's own rules."""
    rest = text_at(text, place)
    if rest[0] not in "\"'":
        return rest[: next((i for i, char in enumerate(rest) if not (char.isalnum() or char in "-_")), len(rest))]
    end = next(i for i in range(1, len(rest)) if rest[i] == rest[0] and (rest[0] == "'" or _even_backslashes(rest, i)))
    return next(iter(tomllib.loads(f"{rest[: end + 1]} = 0")))


def _even_backslashes(text: str, end: int) -> bool:
    return (end - len(text[:end].rstrip("\\"))) % 2 == 0


def check(text: str) -> dict[Path, tuple[int, int]]:
    """Every key path has a position, and the text there starts with the key, for list items with the item or the key of its table."""
    found = positions(text)
    table = tomllib.loads(text)
    assert set(found) == set(paths(table))
    for path, place in found.items():
        if isinstance(path[-1], str):
            assert key_at(text, place) == path[-1], (path, place)
        else:
            node: Any = table
            for step in path:
                node = node[step]
            if isinstance(node, dict):
                assert text_at(text, place).startswith("{") or key_at(text, place) == path[-2], (path, place)
            elif isinstance(node, list):
                assert text_at(text, place).startswith("["), (path, place)
            elif isinstance(node, int):
                assert text_at(text, place)[0] in "+-0123456789tf", (path, place)
    return found


PLACES = {
    "plain": ("a = 1\n\n  b = 2\n", {("a",): (1, 1), ("b",): (3, 3)}),
    "table": ("[munitions]\nx = 1\n", {("munitions",): (1, 2), ("munitions", "x"): (2, 1)}),
    "dotted header": ("[a.b . c]\nx = 1\n", {("a",): (1, 2), ("a", "b"): (1, 4), ("a", "b", "c"): (1, 8), ("a", "b", "c", "x"): (2, 1)}),
    "dotted key": ("a . b = 1\na.c = 2\n", {("a",): (1, 1), ("a", "b"): (1, 5), ("a", "c"): (2, 3)}),
    "quoted keys": (
        '"a.b" = 1\n\'c]d\' = 2\n["e\\u0066 \\"g".\'h.i\']\nx = 3\n',
        {("a.b",): (1, 1), ("c]d",): (2, 1), ('ef "g',): (3, 2), ('ef "g', "h.i"): (3, 16), ('ef "g', "h.i", "x"): (4, 1)},
    ),
    "empty key": ('"" = 1\n[x.""]\ny = ""\n', {("",): (1, 1), ("x",): (2, 2), ("x", ""): (2, 4), ("x", "", "y"): (3, 1)}),
    "strings over lines": (
        'a = """\n[no]\nb = 1 "quoted" \\""" # no\n"""""\nc = \'\'\'\nd = 1\n[[no]]\'\'\'\ne = 2\n',
        {("a",): (1, 1), ("c",): (5, 1), ("e",): (8, 1)},
    ),
    "strings that look like more": (
        'a = "x = 1 # [b]"\nb = \'c:\\\'\nd = ["]", \']\', "\\"]"]\ne = 1\n',
        {("a",): (1, 1), ("b",): (2, 1), ("d",): (3, 1), ("d", 0): (3, 6), ("d", 1): (3, 11), ("d", 2): (3, 16), ("e",): (4, 1)},
    ),
    "arrays of tables": (
        "[[a]]\nx = 1\n[[a]]\nx = 2\n[b]\nx = 3\n",
        {
            ("a",): (1, 3),
            ("a", 0): (1, 3),
            ("a", 0, "x"): (2, 1),
            ("a", 1): (3, 3),
            ("a", 1, "x"): (4, 1),
            ("b",): (5, 2),
            ("b", "x"): (6, 1),
        },
    ),
    "arrays of tables in arrays of tables": (
        "[[a]]\n[[a.b]]\nx = 1\n[[a.b]]\nx = 2\n[[a]]\n[[a.b]]\nx = 3\n[a.b.c]\ny = 4\n[[a.b.d]]\nz = 5\n",
        {
            ("a",): (1, 3),
            ("a", 0): (1, 3),
            ("a", 0, "b"): (2, 5),
            ("a", 0, "b", 0): (2, 5),
            ("a", 0, "b", 0, "x"): (3, 1),
            ("a", 0, "b", 1): (4, 5),
            ("a", 0, "b", 1, "x"): (5, 1),
            ("a", 1): (6, 3),
            ("a", 1, "b"): (7, 5),
            ("a", 1, "b", 0): (7, 5),
            ("a", 1, "b", 0, "x"): (8, 1),
            ("a", 1, "b", 0, "c"): (9, 6),
            ("a", 1, "b", 0, "c", "y"): (10, 1),
            ("a", 1, "b", 0, "d"): (11, 7),
            ("a", 1, "b", 0, "d", 0): (11, 7),
            ("a", 1, "b", 0, "d", 0, "z"): (12, 1),
        },
    ),
    "inline tables": (
        "a = { b = 1, c.d = [ { e = 2 }, { } ] }\nf = {}\n",
        {
            ("a",): (1, 1),
            ("a", "b"): (1, 7),
            ("a", "c"): (1, 14),
            ("a", "c", "d"): (1, 16),
            ("a", "c", "d", 0): (1, 22),
            ("a", "c", "d", 0, "e"): (1, 24),
            ("a", "c", "d", 1): (1, 33),
            ("f",): (2, 1),
        },
    ),
    "arrays over lines with comments": (
        "a = [ # ] [\n  1, # , ]\n  [2, 3], \n  # [\n]\nb = []\nc = [[], [[]]]\nd = 1 # = [\n",
        {
            ("a",): (1, 1),
            ("a", 0): (2, 3),
            ("a", 1): (3, 3),
            ("a", 1, 0): (3, 4),
            ("a", 1, 1): (3, 7),
            ("b",): (6, 1),
            ("c",): (7, 1),
            ("c", 0): (7, 6),
            ("c", 1): (7, 10),
            ("c", 1, 0): (7, 11),
            ("d",): (8, 1),
        },
    ),
    "lines that end as on Windows": (
        "a = 1\r\n[b] # [c]\r\nx = [\r\n  1,\r\n]\r\ny = 2\r\n",
        {("a",): (1, 1), ("b",): (2, 2), ("b", "x"): (3, 1), ("b", "x", 0): (4, 3), ("b", "y"): (6, 1)},
    ),
    "dates and numbers": (
        "a = 1979-05-27 07:32:00 # x\nb = [1979-05-27 07:32:00Z, 07:32:00, -1.5e+3, +inf, 0xff, 1_000]\nc = 1979-05-27\nd = 2\n",
        {
            ("a",): (1, 1),
            ("b",): (2, 1),
            ("b", 0): (2, 6),
            ("b", 1): (2, 28),
            ("b", 2): (2, 38),
            ("b", 3): (2, 47),
            ("b", 4): (2, 53),
            ("b", 5): (2, 59),
            ("c",): (3, 1),
            ("d",): (4, 1),
        },
    ),
    "tables out of order": (
        "[a.b]\nx = 1\n[c]\n[a]\ny = 2\n[a.d]\n",
        {("a",): (1, 2), ("a", "b"): (1, 4), ("a", "b", "x"): (2, 1), ("c",): (3, 2), ("a", "y"): (5, 1), ("a", "d"): (6, 4)},
    ),
    "no line at the end": ("a = 1", {("a",): (1, 1)}),
    "nothing": ("", {}),
    "only a comment": ("# a = 1", {}),
}


@pytest.mark.parametrize("name", PLACES)
def test_places_in_tricky_texts(name: str) -> None:
    text, places = PLACES[name]
    assert check(text) == places


@pytest.mark.parametrize("file", sorted(default_folder().rglob("*.toml")), ids=lambda file: file.stem)
def test_every_key_of_the_shipped_files_is_found(file: Any) -> None:
    text = file.read_text(encoding="utf-8")
    found = positions(text)
    assert set(found) == set(paths(tomllib.loads(text)))
    for path, place in found.items():
        if isinstance(path[-1], str):
            assert key_at(text, place) == path[-1]


def test_find_falls_back_to_what_is_around() -> None:
    known = positions("[a]\nb = 1\n")
    assert find(known, ("a", "b")) == (2, 1)
    assert find(known, ("a", "c", "d")) == (1, 2)
    assert find(known, ("z",)) == (1, 1)


keys = st.one_of(
    st.from_regex(r"[a-z][a-z0-9_-]{0,6}", fullmatch=True),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=5),
    st.sampled_from(["a.b", "[x]", "]]", "#", "=", '"', "'", "\\", " ", "", "1979-05-27", '"""']),
)
scalars = st.one_of(
    st.integers(-1000, 1000),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12),
    st.sampled_from(["]", "}", '"""', "'''", "a = 1\n[b]\n", "# no", "x\r\ny", "\\"]),
    st.datetimes(dt.datetime(1980, 1, 1), dt.datetime(2040, 1, 1)),
    st.dates(dt.date(1980, 1, 1), dt.date(2040, 1, 1)),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(keys, inner, max_size=3),
        st.lists(st.dictionaries(keys, inner, max_size=3), max_size=3),
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(keys, values, max_size=5), st.booleans())
def test_every_key_of_random_tables_is_found(table: dict[str, Any], over_lines: bool) -> None:
    check(tomli_w.dumps(table, multiline_strings=over_lines))
