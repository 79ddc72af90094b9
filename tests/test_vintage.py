"""What was known when: nothing published after a scenario's date can be reached from it, in whatever corner."""

import dataclasses
import datetime as dt
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from pydantic import BaseModel

import stockpile as sp
from stockpile import params, schema, vintage
from stockpile.errors import InputError

SHIPPED = params.read()
JULY = dt.date(2025, 7, 9)
EARLY = ["july_2025", "ceasefire", "ramp_slips", "pacific_reserve"]
LATE = ["november_2026", "second_campaign"]


def walk(node: Any, path: str = "scenario", seen: frozenset[int] = frozenset()) -> Iterator[tuple[str, Any]]:
    """Yield everything that can be reached from an object: by attribute, key, item, field, property, or in its table."""
    yield path, node
    if id(node) in seen or isinstance(node, str | int | float | bool | dt.date | type(None)):
        return
    seen = seen | {id(node)}
    if isinstance(node, dict):
        children = [(f"{path}[{key!r}]", value) for key, value in node.items()] + [(f"{path} (key)", key) for key in node]
    elif isinstance(node, list | tuple | set | frozenset):
        children = [(f"{path}[{number}]", value) for number, value in enumerate(node)]
    else:
        names = {*vars(node), *(name for name in dir(type(node)) if isinstance(getattr(type(node), name, None), property))}
        if isinstance(node, BaseModel):
            names = {*type(node).model_fields, *(name for name in names if not name.startswith(("_", "model_")))}
        if dataclasses.is_dataclass(node):
            names |= {field.name for field in dataclasses.fields(node)}
        children = [(f"{path}.{name}", getattr(node, name)) for name in sorted(names)]
    if isinstance(node, sp.Scenario):
        children.append((f"{path}.table()", node.table().to_dict("records")))
    for where, child in children:
        yield from walk(child, where, seen)


def everything_graded(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every table of a file that has a grade: values, points, plans, observations."""
    if isinstance(node, dict) and "grade" in node:
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from everything_graded(child)


def sources_of(value: dict[str, Any]) -> list[str]:
    given = value.get("source", [])
    return [given] if isinstance(given, str) else given


def published(value: dict[str, Any]) -> dt.date:
    return max((SHIPPED.sources[key].published for key in sources_of(value)), default=dt.date.min)


VALUES = [value for key, layers in SHIPPED.layers.items() if key != ("sources",) for value in everything_graded(layers.table)]
TEXTS = ("note", "where", "outcome", "title")


def later_texts(date: dt.date) -> set[str]:
    """Return the texts that stand with values published after a date, and with no other."""
    texts = {True: set(), False: set()}  # type: dict[bool, set[str]]
    for value in VALUES:
        texts[published(value) > date] |= {value[key].strip() for key in TEXTS if key in value}
    return texts[True] - texts[False]


def events_known_later(date: dt.date) -> set[str]:
    """Return the events of which, on a date, no number was known; of holds, no source."""

    def known(factor: dict[str, Any]) -> bool:
        return "unit" not in factor or any(published(value) <= date for value in everything_graded(factor))

    found = set()
    for key, layers in SHIPPED.layers.items():
        if key[0] == "events":
            rounds = layers.table.get("rounds", {})
            seen = any(all(map(known, factors.values())) for factors in rounds.values()) or (not rounds and published(layers.table) <= date)
            found |= set() if seen else {key[1]}
    return found


@pytest.mark.parametrize("name", EARLY)
def test_nothing_published_later_can_be_reached(name: str) -> None:
    scenario = sp.load(name)
    assert scenario.as_of == JULY
    later_sources = {key: source for key, source in SHIPPED.sources.items() if source.published > JULY}
    texts, events = later_texts(JULY), events_known_later(JULY)
    titles = set().union(*({source.title, source.url} for source in later_sources.values()))
    titles -= set().union(*({source.title, source.url} for source in SHIPPED.sources.values() if source.published <= JULY))
    assert len(later_sources) > 30
    assert len(texts) > 100
    assert "campaign_2026" in events
    assert "hold_2025_03_155mm" in events
    count = 0
    for path, node in walk(scenario):
        count += 1
        if isinstance(node, schema.Source):
            assert node.published <= JULY, path
        if isinstance(node, schema.Evidence):
            assert published(node.model_dump()) <= JULY, path
        if isinstance(node, dict) and "grade" in node and "date" not in node:
            assert published(node) <= JULY, path
        if isinstance(node, str):
            assert not set(node.split("; ")) & set(later_sources), path
            assert node.strip() not in texts, path
            assert node not in titles, path
            assert node not in events, path
    assert count > 10_000


@pytest.mark.parametrize("name", EARLY)
def test_plans_lots_and_conflict_values_known_later_are_not_there(name: str) -> None:
    scenario = sp.load(name)
    plans = {name for item in scenario.munitions.values() for part in item.line.parts.values() for name in part.plans}
    lots = {lot for item in scenario.munitions.values() for lot in item.line.lots}
    later = {"framework_2000", "framework_2000_full_term", "p100_mid_2026", "goal_for_2024", "framework_of_2026", "capacity_money"}
    assert not plans & later
    assert {"rate_650", "p100_early_2026", "award_of_june_2025"} <= plans
    assert not lots & {"multiyear_2025", "award_2025_07", "contract_619"}
    assert {"multiyear_2024", "award_2024_09"} <= lots
    assert scenario.beside
    for value in scenario.beside:
        assert max(scenario.sources[key].published for key in value.point.source) <= JULY
        assert not value.point.used
    keys = [entry.source for entry in scenario.observations.values()]
    assert keys and all(vintage.published(one, SHIPPED.sources) <= JULY for one in keys)


@pytest.mark.parametrize("name", LATE)
def test_the_later_scenarios_see_what_came_later(name: str) -> None:
    scenario = sp.load(name)
    assert set(scenario.sources) == set(SHIPPED.sources)
    assert events_known_later(JULY) <= set(scenario.events)
    lots = {lot for item in scenario.munitions.values() for lot in item.line.lots}
    plans = {name for item in scenario.munitions.values() for part in item.line.parts.values() for name in part.plans}
    assert {"multiyear_2025", "award_2025_07", "contract_619"} <= lots
    assert {"framework_2000", "framework_of_2026", "p100_without_date"} <= plans
    assert len(scenario.beside) > len(sp.load("july_2025").beside)
    assert scenario.observations
    beside = {value.point.note for value in scenario.beside}
    assert any(published({"source": list(value.point.source)}) > JULY for value in scenario.beside), beside


ANNOUNCED = {
    "munitions.pac3": {"2026", "2027"},
    "munitions.shell_155mm": {"2026"},
    "munitions.aim120": {"2028"},
    "munitions.aim9x": {"2027", "2032"},
    "model.slip": {"October 2025", "2026"},
    "recipients.israel.aim120.share": {"2026"},
    "campaigns.us_operation": {"2026"},
    "policies.suspension_6_months": {"2026"},
    "policies.suspension_including_israel": {"2026"},
    "scenario": {"2026"},
}
"""Dates after July 2025 that were named by then: targets, contract ends, fiscal years, and what policies and scenarios suppose.
The random campaign is the one prior that was judged later, and says so."""
LATER = re.compile(
    r"\b20(?:2[6-9]|[3-9]\d)\b|(?:August|September|October|November|December)(?: of)?,? 2025|2025-(?:0[89]|1[0-2]|07-[123]\d)"
    r"|(?:1\d|2\d|3[01]) July 2025|(?:late|mid-|end of )July 2025|(?:autumn|winter)(?: of)? 2025|second half of 2025"
)


def texts_of(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    if isinstance(node, str):
        yield ".".join(path), node
    items: Any = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        if key != "source":
            yield from texts_of(value, (*path, str(key)))


@pytest.mark.parametrize("name", EARLY)
def test_no_text_speaks_of_what_came_later(name: str) -> None:
    """Notes, titles, descriptions, locators and outcomes name no later date but announced ones."""
    scenario = sp.load(name)
    beside = {value.path: value.point.note or "" for value in scenario.beside}
    for path, text in [*texts_of(scenario.tree), *beside.items()]:
        allowed = set().union(*(years for start, years in ANNOUNCED.items() if path.startswith(start)))
        assert set(LATER.findall(text)) <= allowed, f"{path}: {text}"


def test_the_pattern_for_later_dates_finds_them() -> None:
    for text in ("in 2026", "by August 2025", "of 2025-07-10", "on 21 July 2025", "in late-2027", "autumn of 2025", "mid-July 2025"):
        assert LATER.search(text), text
    for text in ("on 9 July 2025", "2025-07-09", "in June 2025", "12,026 rounds", "mid-2025"):
        assert not LATER.search(text), text


# ---------------------------------------------------------------- dates of publication

SOURCE = {"title": "A page", "publisher": "A paper", "url": "https://example.org/a", "kind": "original", "outlet_kind": "press"}


def overlay(folder: Path, sources: dict[str, tuple[dt.date, str]], points: list[dict[str, Any]], as_of: dt.date) -> sp.Scenario:
    """Return `july_2025` at another date, with the training rate of PAC-3 made of `points`."""
    (folder / "munitions").mkdir(parents=True)
    (folder / "scenarios").mkdir()
    texts = {
        "sources.toml": {key: {**SOURCE, "date": date, "precision": precision} for key, (date, precision) in sources.items()},
        "munitions/pac3.toml": {"training": {"unit": "round/month", "points": points}},
        "scenarios/test.toml": {"title": "A test", "description": "A test.", "base": "july_2025", "as_of": as_of},
    }
    for file, table in texts.items():
        (folder / file).write_text(tomli_w.dumps(table), encoding="utf-8")
    return sp.load("test", params=[folder])


def training(scenario: sp.Scenario) -> list[float]:
    return [point.value for point in scenario.munitions["pac3"].training.points]


START = dt.date(2022, 3, 1)
FIRST = {"from": START, "value": 1.0, "grade": "assumed", "note": "A test."}


def point(value: float, source: str, **more: Any) -> dict[str, Any]:
    return {"from": START, "value": value, "source": source, "where": "page 1", "grade": "reported", **more}


@pytest.mark.parametrize(
    ("date", "precision", "as_of", "seen"),
    [
        (dt.date(2025, 7, 9), "day", dt.date(2025, 7, 9), True),
        (dt.date(2025, 7, 10), "day", dt.date(2025, 7, 9), False),
        (dt.date(2025, 7, 10), "day", dt.date(2025, 7, 10), True),
        (dt.date(2025, 7, 1), "month", dt.date(2025, 7, 9), False),
        (dt.date(2025, 7, 1), "month", dt.date(2025, 7, 30), False),
        (dt.date(2025, 7, 1), "month", dt.date(2025, 7, 31), True),
        (dt.date(2025, 6, 1), "month", dt.date(2025, 7, 9), True),
        (dt.date(2025, 1, 1), "year", dt.date(2025, 12, 30), False),
        (dt.date(2025, 1, 1), "year", dt.date(2025, 12, 31), True),
    ],
)
def test_when_a_source_counts_as_known(date: dt.date, precision: str, as_of: dt.date, seen: bool, tmp_path: Path) -> None:
    scenario = overlay(tmp_path / "params", {"test_one": (date, precision)}, [FIRST, point(2.0, "test_one")], as_of)
    assert training(scenario) == ([2.0] if seen else [1.0])
    assert ("test_one" in scenario.sources) == seen


def test_a_month_in_february_of_a_leap_year_ends_on_the_29th() -> None:
    source = schema.Source(**{**SOURCE, "date": dt.date(2024, 2, 3), "precision": "month"})  # type: ignore[arg-type]
    assert source.published == dt.date(2024, 2, 29)


def test_a_value_is_as_late_as_the_latest_of_its_sources(tmp_path: Path) -> None:
    sources = {"test_one": (dt.date(2024, 1, 1), "day"), "test_two": (dt.date(2025, 8, 1), "day")}
    both = {**FIRST, "value": 2.0, "source": ["test_one", "test_two"]}
    assert training(overlay(tmp_path / "a", sources, [FIRST, both], JULY)) == [1.0]
    assert training(overlay(tmp_path / "b", sources, [FIRST, both], dt.date(2025, 8, 1))) == [2.0]


def test_a_revision_takes_the_place_of_what_it_revises_only_once_it_is_known(tmp_path: Path) -> None:
    sources = {"test_one": (dt.date(2024, 1, 1), "day"), "test_two": (dt.date(2025, 8, 1), "day")}
    revised = [point(3.0, "test_two"), point(2.0, "test_one"), FIRST, point(4.0, "test_one", **{"from": dt.date(2023, 1, 1)})]
    assert training(overlay(tmp_path / "a", sources, revised, JULY)) == [2.0, 4.0]
    assert training(overlay(tmp_path / "b", sources, revised, dt.date(2025, 8, 1))) == [3.0, 4.0]


def test_a_value_beside_the_used_one_is_seen_once_it_is_known_and_moves_nothing(tmp_path: Path) -> None:
    sources = {"test_one": (dt.date(2024, 1, 1), "day"), "test_two": (dt.date(2025, 8, 1), "day")}
    points = [point(2.0, "test_one", conflict="test"), point(3.0, "test_two", conflict="test", used=False)]
    early, late = (overlay(tmp_path / name, sources, points, date) for name, date in (("a", JULY), ("b", dt.date(2025, 8, 1))))
    for scenario, beside in ((early, []), (late, [3.0])):
        assert training(scenario) == [2.0]
        assert [value.point.value for value in scenario.beside if value.path == "munitions.pac3.training"] == beside


def test_shipped_revisions_move_with_the_vintage() -> None:
    """155 mm targets: the slip learnt by mid-2025 was 5 months; later counts made it 9."""
    assert [sp.load(name).model.slip.points[0].value for name in ("july_2025", "november_2026")] == [5.0, 9.0]


@pytest.mark.parametrize("year", [2023, 2024])
def test_an_older_vintage_says_which_values_were_not_known_yet(year: int, tmp_path: Path) -> None:
    file = tmp_path / "older.toml"
    file.write_text(f'title = "Older"\ndescription = "Older."\nbase = "july_2025"\nas_of = {year}-06-30\n', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        sp.load(file)
    for problem in caught.value.problems:
        assert problem.message == f"no value was known on {year}-06-30; allowed: one whose sources were published by then"
        document = params.default_folder().parent / problem.file
        tables = tomllib.loads(document.read_text(encoding="utf-8"))
        assert problem.line > 0
        assert problem.key.split(".")[-1] in document.read_text(encoding="utf-8").split("\n")[problem.line - 1]
        assert tables


def test_a_vintage_between_the_shipped_ones_runs(tmp_path: Path) -> None:
    """At the end of 2025: what came in the autumn is seen, the campaign of 2026 is not."""
    file = tmp_path / "between.toml"
    file.write_text('title = "Between"\ndescription = "Between."\nbase = "july_2025"\nas_of = 2025-12-31\n', encoding="utf-8")
    scenario = sp.load(file)
    assert "multiyear_2025" in scenario.munitions["pac3"].line.lots
    assert "campaign_2026" not in scenario.events
    assert all(source.published <= scenario.as_of for source in scenario.sources.values())
    assert sp.run(scenario, ["none"]).arrays["us_on_hand", "us"].min() > 0
