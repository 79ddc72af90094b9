"""What the shipped files say, laying folders over them, and overrides."""

import datetime as dt
import itertools
import os
import random
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

import stockpile as sp
from stockpile import params, units
from stockpile.errors import InputError

FOLDER = params.default_folder()
FILES = sorted(FOLDER.rglob("*.toml"))
WEAK = {"weak", "state_linked"}
SHARE = "munitions.pac3.us_share"
JULY = sp.load("july_2025")
SOURCES = tomllib.loads((FOLDER / "sources.toml").read_text(encoding="utf-8"))


def values(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield path and table of everything in a file that has a grade."""
    if isinstance(node, dict) and "grade" in node:
        yield ".".join(map(str, path)), node
    items: Any = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield from values(value, (*path, key))


def sources_of(value: dict[str, Any]) -> list[str]:
    given = value.get("source", [])
    return [given] if isinstance(given, str) else given


def every_source(node: Any) -> Iterator[str]:
    """Yield every source that anything in a file names, with a grade or without."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        if key == "source":
            yield from [value] if isinstance(value, str) else value
        else:
            yield from every_source(value)


SHIPPED = [
    (f"{file.relative_to(FOLDER).with_suffix('')}: {path}", value)
    for file in FILES
    for path, value in values(tomllib.loads(file.read_text(encoding="utf-8")))
]
BESIDE = ("observations/", "cases/")
"""Files that no run rests on: what was reported, and published cases; who says so is part of what they say."""


# ---------------------------------------------------------------- the shipped files


def test_at_least_a_hundred_values_are_sourced_and_not_assumed() -> None:
    """Counting used values alone, not what stands beside them in conflict groups."""
    assert sum(value["grade"] != "assumed" and value.get("used", True) and bool(sources_of(value)) for _, value in SHIPPED) >= 100


def test_every_value_is_sourced_graded_and_explained() -> None:
    for path, value in SHIPPED:
        assert value["grade"] in ("measured", "reported", "derived", "assumed"), path
        assert set(sources_of(value)) <= set(SOURCES), path
        assert sources_of(value) or value["grade"] == "assumed", path
        assert value.get("where") or value["grade"] in ("derived", "assumed"), path
        assert value.get("note") or value["grade"] in ("measured", "reported"), path


def test_every_value_lies_in_its_range() -> None:
    for path, value in SHIPPED:
        assert value.get("low", value["value"]) <= value["value"] <= value.get("high", value["value"]), path
        assert ("low" in value) == ("high" in value), path
        assert np.isfinite(value["value"]), path


def test_every_source_is_dated_and_known_to_the_latest_scenario() -> None:
    latest = max(sp.load(name).as_of for name in sp.scenarios())
    for key, source in SOURCES.items():
        assert source["date"] <= latest, key
        assert source["precision"] in ("day", "month", "year"), key
        assert str(source["date"].year) in key, f"{key} is named after another year than {source['date']}"


def test_every_source_is_used() -> None:
    named = {key for file in FILES for key in every_source(tomllib.loads(file.read_text(encoding="utf-8")))}
    assert sorted(set(SOURCES) - named) == []


def test_every_relay_is_cited_as_a_relay() -> None:
    for key, source in SOURCES.items():
        assert (source["kind"] != "original") == ("relays" in source), key
        assert source["kind"] == "original" or len(source["relays"]) > 3, key


ALONE_ON_WEAK_OUTLETS = {
    "events/campaign_2026: rounds.pac3.patriot_fired.points.0",
    "events/canada_aim9_2023: rounds.aim9x.total",
    "munitions/aim120: line.parts.missile.plans.goal_for_2024",
    "munitions/aim9x: line.parts.missile.plans.award_of_june_2025",
    "munitions/pac3: line.lead_time.points.2",
    "munitions/pac3: line.parts.missile.capacity.points.3",
    "munitions/pac3: line.parts.missile.plans.rate_550",
    "munitions/shell_155mm: floors.wanted_inventory.level",
    "munitions/shell_155mm: line.parts.bodies.capacity.points.13",
    "munitions/shell_155mm: line.parts.bodies.capacity.points.9",
    "munitions/shell_155mm: line.parts.bodies.plans.p36_in_three_years",
    "munitions/shell_155mm: line.parts.bodies.plans.p20_spring_2023",
    "munitions/shell_155mm: line.parts.bodies.plans.p57_spring_2024",
    "munitions/shell_155mm: line.parts.bodies.plans.p100_2025",
    "munitions/shell_155mm: line.parts.bodies.plans.p40_spring_2025",
    "munitions/shell_155mm: line.parts.bodies.plans.p70_in_18_months",
    "munitions/shell_155mm: line.parts.bodies.plans.p50_2024",
    "munitions/shell_155mm: line.parts.bodies.plans.p90_2025",
    "munitions/shell_155mm: requirements.wanted_inventory.level",
    "recipients/ukraine: pac3.need.targets.points.0",
    "recipients/ukraine: pac3.need.targets.points.1",
    "recipients/ukraine: pac3.need.targets.points.2",
    "recipients/ukraine: pac3.need.targets.points.4",
    "recipients/ukraine: pac3.need.targets.points.5",
    "recipients/ukraine: shell_155mm.authorised.points.0",
}
"""Used values, not assumed ones, of which no better outlet was read. To add one is a decision, so it is made here too."""


def test_values_that_rest_on_weak_outlets_alone_are_known() -> None:
    found = {
        path
        for path, value in SHIPPED
        if value["grade"] != "assumed" and value.get("used", True) and {SOURCES[key]["outlet_kind"] for key in sources_of(value)} <= WEAK
        and not path.startswith(BESIDE)
    }
    assert found == ALONE_ON_WEAK_OUTLETS


@pytest.mark.parametrize("name", ["july_2025", "november_2026"])
def test_nothing_in_force_rests_on_state_linked_outlets_alone(name: str) -> None:
    scenario = sp.load(name)
    table = scenario.table()
    for _, row in table[table.grade != "assumed"].iterrows():
        kinds = {scenario.sources[key].outlet_kind for key in row.source.split("; ")}
        assert kinds != {"state_linked"}, row.path


# ---------------------------------------------------------------- folders laid over


def lay(folder: Path, **files: dict[str, Any]) -> Path:
    """Write files of parameters: ``lay(folder, munitions__pac3={...})``."""
    for name, table in files.items():
        file = folder / (name.replace("__", "/") + ".toml")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(tomli_w.dumps(table), encoding="utf-8")
    return folder


def assumed(value: float, unit: str, **more: Any) -> dict[str, Any]:
    return {"value": value, "unit": unit, "grade": "assumed", "note": "A test.", **more}


def shipped(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def test_a_value_laid_over_replaces_the_whole_parameter(tmp_path: Path) -> None:
    folder = lay(tmp_path, munitions__pac3={"us_share": assumed(0.3, "1")})
    table, before = sp.load(params=[folder]).table(), JULY.table()
    (row,) = table[table.path == SHARE].to_dict("records")
    assert [row[key] for key in ("value", "low", "high", "grade", "source", "note")] == [0.3, 0.3, 0.3, "assumed", "", "A test."]
    others = [frame[frame.path != SHARE].reset_index(drop=True) for frame in (table, before)]
    assert others[0].equals(others[1])


def test_a_later_folder_lies_on_top(tmp_path: Path) -> None:
    low = lay(tmp_path / "low", munitions__pac3={"us_share": assumed(0.3, "1"), "short": "Low"})
    high = lay(tmp_path / "high", munitions__pac3={"us_share": assumed(0.4, "1")})
    scenario = sp.load(params=[low, high])
    assert scenario.munitions["pac3"].us_share.points[0].value == 0.4
    assert scenario.munitions["pac3"].short == "Low"
    assert sp.load(params=[high, low]).munitions["pac3"].us_share.points[0].value == 0.3


def test_a_munition_is_data_only(tmp_path: Path) -> None:
    """AIM-9X under another name, with its tables at the recipients', without its events: it stands as AIM-9X does."""
    files: dict[str, Any] = {"munitions__copied": shipped("munitions/aim9x")}
    for name in ("ukraine", "israel", "partners"):
        files[f"recipients__{name}"] = {"copied": shipped(f"recipients/{name}")["aim9x"]}
    events = sorted(name for name, event in JULY.events.items() if "aim9x" in event.rounds)
    files["scenarios__july_2025"] = {"munitions": ["aim9x", "copied"], "without_events": events}
    for name in ("none", "suspension_including_israel", "us_first"):
        policy = shipped(f"policies/{name}")
        for measure in [*policy.get("suspensions", []), *([policy["review"]] if "review" in policy else [])]:
            measure["munitions"] = ["all"]
        files[f"policies__{name}"] = policy
    scenario = sp.load(params=[lay(tmp_path, **files)])
    result = sp.run(scenario, ["none", "suspension_including_israel", "us_first"])
    assert result.munitions == ("aim9x", "copied")
    for array in result.arrays.values():
        assert np.array_equal(array[:, 0], array[:, 1])
    assert result.array("us_on_hand", policy="none", munition="copied")[0, -1] > 0


def test_a_recipient_is_data_only(tmp_path: Path) -> None:
    tables = {}
    for name in JULY.munitions:
        tables[name] = {
            "stock": assumed(100, "round"),
            "share": assumed(0.05, "1"),
            "authorised": assumed(2, "round/month"),
            "ceiling": assumed(3, "round/month"),
            "other_supply": assumed(0, "round/month"),
            "need": {"rounds": assumed(4, "round/month")},
        }
    folder = lay(tmp_path, recipients__elsewhere={"title": "Elsewhere", "description": "A test.", **tables})
    scenario = sp.load(params=[folder])
    result, before = sp.run(scenario, ["none", "ukraine_first"]), sp.run(JULY, ["none", "ukraine_first"])
    assert result.recipients == ("elsewhere", "israel", "ukraine", "partners")
    assert result.arrays["sent", "elsewhere"].sum() > 0
    for munition in scenario.munitions:
        shares = [result.array("share", r, policy="none", munition=munition) for r in result.recipients]
        shares.append(result.array("us_share", policy="none", munition=munition))
        assert np.allclose(sum(shares), 1.0)
        made = [run.array("made_for", "partners", policy="none", munition=munition).sum() for run in (before, result)]
        assert made[1] < made[0]


def test_an_event_is_data_only(tmp_path: Path) -> None:
    event = {
        "title": "A test",
        "description": "A test.",
        "kind": "operation",
        "cause": "us",
        "start": dt.date(2026, 3, 1),
        "end": dt.date(2026, 4, 1),
        "rounds": {"pac3": {"fired": assumed(200, "round"), "share": assumed(0.5, "1")}},
    }
    result, before = sp.run(sp.load(params=[lay(tmp_path, events__test=event)]), ["none"]), sp.run(JULY, ["none"])
    used = [run.array("own_use", policy="none", munition="pac3") for run in (before, result)]
    month = before.index("2026-03-01")
    assert used[1][0, month] - used[0][0, month] == pytest.approx(100)
    assert np.array_equal(used[0][0, :month], used[1][0, :month])


def test_a_hold_names_one_source_or_several(tmp_path: Path) -> None:
    days = {"start": dt.date(2024, 3, 1), "end": dt.date(2024, 4, 1)}
    hold = {"title": "A test", "description": "A test.", "kind": "hold", **days, "source": "gao_2000_06_pac3"}
    assert sp.load(params=[lay(tmp_path, events__test=hold)]).events["test"].source == ["gao_2000_06_pac3"]


def test_a_policy_and_a_scenario_are_data_only(tmp_path: Path) -> None:
    policy = {
        **shipped("policies/suspension_6_months"),
        "title": "Of a year",
        "suspensions": [
            {
                "start": dt.date(2025, 7, 1),
                "end": dt.date(2026, 7, 1),
                "recipients": ["all"],
                "munitions": ["all"],
                "channels": ["transfers"],
                "let_through": 0.25,
                "transfers": "cancelled",
            }
        ],
    }
    scenario = {
        "title": "A test",
        "description": "A test.",
        "base": "ramp_slips",
        "policies": ["none", "of_a_year"],
        "end": dt.date(2027, 1, 1),
        "without_events": ["tranche_2025_07"],
        "changes": [{"path": SHARE, "value": 0.6, "reason": "a test"}],
    }
    folder = lay(tmp_path, policies__of_a_year=policy, scenarios__mine=scenario)
    assert "mine" in sp.scenarios(params=[folder])
    loaded = sp.load("mine", params=[folder])
    assert [point.value for point in loaded.munitions["pac3"].us_share.points] == [0.6]
    assert loaded.model.slip.points[0].value == sp.load("ramp_slips").model.slip.points[0].value
    result = sp.run(loaded)
    assert result.policies == ("none", "of_a_year")
    assert result.dates[-1] == np.datetime64("2027-01-01")
    sent = [result.array("sent", "ukraine", policy=policy, munition="pac3")[0, result.index("2025-09-01")] for policy in result.policies]
    assert 0 < sent[1] < sent[0]


def test_a_scenario_of_a_users_own_is_loaded_by_its_path(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('title = "Mine"\ndescription = "Mine."\nbase = "july_2025"\nsubsteps = 2\nmunitions = ["aim9x"]\n', encoding="utf-8")
    scenario = sp.load(file)
    assert scenario.name == "mine"
    assert scenario.settings.substeps == 2
    assert sp.run(scenario, ["none"]).munitions == ("aim9x",)


@pytest.mark.parametrize("munition", ["aim9x", "pac3"])
def test_a_munition_alone_runs_as_it_does_beside_others(munition: str, tmp_path: Path) -> None:
    """Also where its events refer to numbers of a munition left out."""
    scenario = {"title": "A test", "description": "A test.", "base": "november_2026", "munitions": [munition]}
    folder = lay(tmp_path, scenarios__alone=scenario)
    names = ["none", "suspension_6_months", "suspension_with_review"]
    alone, beside = sp.run(sp.load("alone", params=[folder]), names), sp.run(sp.load("november_2026"), names)
    for key, array in alone.arrays.items():
        other = beside.arrays[key][:, beside.munitions.index(munition)]
        assert np.allclose(array[:, 0], other, rtol=1e-12, atol=1e-9), key


def test_recipients_can_be_left_out(tmp_path: Path) -> None:
    scenario = {"title": "A test", "description": "A test.", "base": "november_2026", "recipients": ["partners", "israel"]}
    result = sp.run(sp.load("fewer", params=[lay(tmp_path, scenarios__fewer=scenario)]))
    assert result.recipients == ("israel", "partners")
    assert np.array_equal(result.arrays["us_on_hand", "us"][1], result.arrays["us_on_hand", "us"][0])


# ---------------------------------------------------------------- the digest


def test_the_digest_is_the_same_in_another_process_and_order() -> None:
    command = [sys.executable, "-c", "import stockpile as sp; print(sp.load('november_2026').digest)"]
    surroundings = {**os.environ, "PYTHONHASHSEED": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=FOLDER.parent, env=surroundings)
    assert done.stdout.strip() == sp.load("november_2026").digest
    assert len({sp.load(name).digest for name in sp.scenarios()}) == len(sp.scenarios())


def test_the_order_of_files_and_of_keys_is_irrelevant(monkeypatch: pytest.MonkeyPatch) -> None:
    real_files, real_document = Path.rglob, params._document

    def reversed_keys(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: reversed_keys(node[key]) for key in reversed(node)}
        return [reversed_keys(item) for item in node] if isinstance(node, list) else node

    def shuffled_files(folder: Path, pattern: str) -> Any:
        files = list(real_files(folder, pattern))
        random.Random(1).shuffle(files)
        return files

    def document(*arguments: Any) -> Any:
        found = real_document(*arguments)
        assert found is not None
        return params.Document(found.file, found.shown, found.text, reversed_keys(found.table))

    monkeypatch.setattr(Path, "rglob", shuffled_files)
    monkeypatch.setattr(params, "_document", document)
    other = sp.load("july_2025")
    assert other.digest == JULY.digest
    first, second = sp.run(JULY, ["none", "us_first"]), sp.run(other, ["none", "us_first"])
    assert first.recipients == second.recipients
    for key, array in first.arrays.items():
        assert np.allclose(array, second.arrays[key], rtol=1e-12, atol=1e-9), key


# ---------------------------------------------------------------- overrides


def points(scenario: Any, path: str) -> list[dict[str, Any]]:
    node: Any = scenario.tree
    for step in path.split("."):
        node = node[step]
    return node["points"]


def rows(scenario: Any, path: str) -> list[tuple[Any, ...]]:
    table = scenario.table()
    found = table[table.path == path]
    return [(row["from"], row["value"], row["low"], row["high"]) for _, row in found.iterrows()]


NEED = "recipients.ukraine.pac3.need.engaged_share"
"""A parameter with dates and ranges."""


def test_a_plain_value_pins_at_all_dates_and_drops_the_range() -> None:
    assert len(points(JULY, NEED)) > 1
    assert any("low" in point for point in points(JULY, NEED))
    new = JULY.override({NEED: 0.7})
    (point,) = points(new, NEED)
    assert point["value"] == 0.7
    assert not {"low", "high", "from"} & set(point)
    assert new.recipients["ukraine"].claims["pac3"].need["engaged_share"].shape is None
    assert points(new.override({NEED: 0.6}), NEED)[0]["value"] == 0.6
    assert points(JULY.override({f"{NEED}.value": 0.7}), NEED) == points(new, NEED)


@pytest.mark.parametrize(("operation", "amount"), [("scale", 0.5), ("add", 0.05)])
def test_scale_and_add_change_value_low_and_high_of_every_point(operation: str, amount: float) -> None:
    before, after = points(JULY, NEED), points(JULY.override({f"{NEED}.{operation}": amount}), NEED)
    for old, new in zip(before, after, strict=True):
        assert {key: old[key] for key in old if key not in ("value", "low", "high")} == {
            key: new[key] for key in new if key not in ("value", "low", "high")
        }
        for key in {"value", "low", "high"} & set(old):
            assert new[key] == (old[key] * amount if operation == "scale" else old[key] + amount)
    assert after == points(JULY.override({NEED: {operation: amount}}), NEED)


@pytest.mark.parametrize("end", ["low", "high"])
def test_at_pins_at_an_end_of_the_range(end: str) -> None:
    (old,) = points(JULY, "munitions.pac3.training")
    (new,) = points(JULY.override({"munitions.pac3.training.at": end}), "munitions.pac3.training")
    assert new["value"] == old[end]
    assert "low" not in new


def test_a_change_from_a_date_on_leaves_what_was_before() -> None:
    date = dt.date(2024, 3, 1)
    before, after = rows(JULY, NEED), rows(JULY.override({NEED: {"scale": 0.5, "from": date}}), NEED)
    early = [row for row in before if row[0].date() < date]
    assert [row[1:] for row in after[: len(early)]] == [row[1:] for row in early]
    turning = after[len(early)]
    assert turning[0].date() == date
    assert turning[1:] == pytest.approx([0.5 * number for number in early[-1][1:]])
    pinned = rows(JULY.override({NEED: {"value": 0.2, "from": date}}), NEED)
    assert pinned[len(early) :] == [(turning[0], 0.2, 0.2, 0.2)]


def test_floors_are_changed_by_their_name_and_a_star_is_any_name() -> None:
    new = JULY.override({"munitions.*.floors.transfer_floor": 0.6})
    assert {item.floors["transfer_floor"].level.points[0].value for item in new.munitions.values()} == {0.6}
    assert {item.floors["review_level"].level.points[0].value for item in new.munitions.values()} == {1.0}
    one = JULY.override({"munitions.pac3.floors.transfer_floor.level": 0.6})
    assert [item.floors["transfer_floor"].level.points[0].value for item in one.munitions.values()] == [0.6, 0.5, 0.5, 0.5]


def test_a_product_is_set_or_scaled_as_a_whole() -> None:
    path = "recipients.ukraine.pac3.need"
    run = {
        name: sp.run(s, ["none"]).array("need", "ukraine", policy="none", munition="pac3")[0]
        for name, s in {
            "as it is": JULY,
            "set": JULY.override({path: 50}),
            "scaled": JULY.override({f"{path}.scale": 0.5}),
        }.items()
    }
    assert np.allclose(run["set"], 50)
    assert np.allclose(run["scaled"], 0.5 * run["as it is"])


def test_a_product_of_references_is_scaled_by_a_factor_of_its_own() -> None:
    """AIM-9X of an event refer to numbers of AIM-120: scaling them leaves those alone."""
    event = "red_sea_2023_2024"
    new = JULY.override({f"events.{event}.rounds.aim9x.scale": 3})
    used = {}
    for name, scenario in {"before": JULY, "after": new, "without": JULY.override({f"events.{event}.rounds.aim9x.scale": 0})}.items():
        run = sp.run(scenario, ["none"])
        used[name] = {m: run.array("own_need", policy="none", munition=m).sum() for m in ("aim9x", "aim120")}
    assert used["before"]["aim120"] == used["after"]["aim120"]
    assert used["after"]["aim9x"] - used["without"]["aim9x"] == pytest.approx(3 * (used["before"]["aim9x"] - used["without"]["aim9x"]))


def test_a_capacity_that_is_pinned_has_no_plans_any_more() -> None:
    path = "munitions.pac3.line.parts.missile.capacity"
    new = JULY.override({path: 700})
    assert new.munitions["pac3"].line.parts["missile"].plans == {}
    line = sp.run(new, ["none"]).array("line", policy="none", munition="pac3")
    assert np.allclose(line, 700 / 12)
    scaled = JULY.override({f"{path}.scale": 2}).munitions["pac3"].line.parts["missile"].plans.values()
    assert [plan.value for plan in scaled] == [2 * plan.value for plan in JULY.munitions["pac3"].line.parts["missile"].plans.values()]


def test_settings_of_the_scenario_can_be_changed_and_its_date_cannot() -> None:
    new = JULY.override({"scenario.substeps": 2, "scenario.end": dt.date(2027, 1, 1), "scenario.policies": ["none"]})
    assert sp.run(new).dates.shape == ((4 * 12 + 10) * 2 + 1,)
    for path, value in {"scenario.as_of": dt.date(2026, 1, 1), "scenario.munitions": ["pac3"], "scenario.base": "ramp_slips"}.items():
        with pytest.raises(InputError, match="scenario file of its own"):
            JULY.override({path: value})


def test_the_baseline_stays_as_it_is() -> None:
    digest, table, tree = JULY.digest, JULY.table(), repr(JULY.tree)
    new = JULY.override({SHARE: 0.3, "recipients.*.pac3.need.scale": 2, "munitions.pac3.line.parts.missile.capacity.scale": 2})
    assert new.digest != digest
    assert JULY.digest == digest
    assert JULY.table().equals(table)
    assert repr(JULY.tree) == tree
    assert new.overridden[SHARE] == 0.3
    assert JULY.overridden == {}
    assert sp.run(new, ["none"]).manifest["overrides"][SHARE] == "0.3"
    with pytest.raises(AttributeError):
        JULY.name = "other"  # type: ignore[misc]


REFUSED = {
    "unknown path": ({"munitions.pac3.us_shar": 0.5}, "did you mean 'us_share'"),
    "unknown munition": ({"munitions.pac33.us_share": 0.5}, "did you mean 'pac3'"),
    "unknown folder": ({"munition.pac3.us_share": 0.5}, "did you mean 'munitions'"),
    "unknown setting": ({"scenario.substep": 2}, "did you mean 'substeps'"),
    "path that is empty": ({"": 1}, "unknown path"),
    "star of nothing": ({"munitions.pac3.short.*": 1}, "nothing that \\* could stand for"),
    "star that does not fit all": ({"munitions.*.line.parts.bodies.capacity": 1}, "there is no 'bodies'"),
    "group": ({"munitions.pac3": 1}, "is a group"),
    "inside a parameter": ({f"{SHARE}.low": 0.1}, f"inside a parameter; allowed: {SHARE}"),
    "share above one": ({SHARE: 1.5}, "1.5 is out of range; allowed: from 0 to 1"),
    "scaled above one": ({f"{SHARE}.scale": 3}, "1.29 is out of range"),
    "negative stock": ({"munitions.pac3.us_stock.add": -9999}, "out of range; allowed: at least 0"),
    "text": ({SHARE: "half"}, "'half' is not a number"),
    "truth value": ({SHARE: True}, "True is not a number"),
    "nan": ({SHARE: float("nan")}, "a finite number"),
    "no range": ({"munitions.pac3.floors.quarter.at": "low"}, "has no range"),
    "wrong end": ({f"{SHARE}.at": "middle"}, "'middle'; allowed: low, high"),
    "two operations": ({SHARE: {"scale": 2, "add": 1}}, "exactly one of"),
    "unknown operation": ({SHARE: {"times": 2}}, "exactly one of"),
    "from a text": ({SHARE: {"scale": 0.5, "from": "2026-01-01"}}, "'2026-01-01' is no date"),
    "reference": ({"events.red_sea_2023_2024.rounds.aim9x.total": 3}, "events.red_sea_2023_2024.rounds.aim120.total"),
    "number others refer to": ({"events.red_sea_2023_2024.rounds.aim120": 3}, "red_sea_2023_2024.rounds.aim120.total' is not a parameter"),
    "unknown floor": ({"policies.none.transfer_floor": "half"}, "'half' is no floor"),
    "unknown recipient": ({"policies.suspension_2025_07.suspensions.0.recipients": ["ukrane"]}, "did you mean 'ukraine'"),
    "unknown cause": ({"events.al_udeid_2025_06.cause": "quatar"}, "unknown cause 'quatar'"),
    "event upside down": ({"events.al_udeid_2025_06.end": dt.date(2020, 1, 1)}, "not after start"),
    "end before start": ({"scenario.end": dt.date(2020, 1, 1)}, "not after start"),
    "inside a month": ({"scenario.start": dt.date(2023, 1, 15)}, "first day of a month"),
    "unknown policy": ({"scenario.policies": ["nobody"]}, "unknown policy 'nobody'"),
    "twice": ({SHARE: 0.5, f"{SHARE}.scale": 0.5}, "is changed twice"),
    "twice by a star": ({"munitions.*.us_share.scale": 0.5, SHARE: 0.5}, "is changed twice"),
    "twice by a product": ({"recipients.ukraine.pac3.need.scale": 2, NEED: 0.5}, "is changed twice"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_change_that_does_not_fit_is_refused(name: str) -> None:
    changes, words = REFUSED[name]
    with pytest.raises(InputError, match=words) as caught:
        JULY.override(changes)
    assert {problem.file for problem in caught.value.problems} == {"override"}
    assert str(caught.value).isprintable() or "\n" in str(caught.value)


def test_a_second_change_of_a_path_can_be_declared() -> None:
    new = JULY.override({SHARE: 0.5, f"{SHARE}.scale": {"scale": 0.5, "again": True}})
    assert points(new, SHARE)[0]["value"] == 0.25
    both = JULY.override({"munitions.*.us_share.scale": 0.5, SHARE: {"value": 0.4, "again": True}})
    assert points(both, SHARE)[0]["value"] == 0.4


def test_all_faults_of_an_override_come_back_together() -> None:
    with pytest.raises(InputError) as caught:
        JULY.override({"munitions.pac3.nothing": 1, "munitions.pac4.us_share": 1, f"{SHARE}.at": "middle", NEED: {"times": 2}})
    assert len(caught.value.problems) == 4


def test_an_override_keeps_what_was_put_in() -> None:
    own = JULY.policies["none"].model_copy(update={"title": "My own"})
    scenario = JULY.with_policies({**JULY.policies, "own": own}).with_munitions(["pac3", "aim9x"])
    length = "policies.suspension_6_months.suspensions.0.length"
    changed = scenario.override({SHARE: 0.5, length: 3})
    assert changed.policies["own"] is own
    assert list(changed.policies) == [*JULY.policies, "own"]
    assert changed.policies["suspension_6_months"] == JULY.override({length: 3}).policies["suspension_6_months"]
    assert changed.policies["suspension_6_months"] != JULY.policies["suspension_6_months"]
    assert list(changed.munitions) == ["pac3", "aim9x"]
    assert changed.munitions["pac3"] == JULY.override({SHARE: 0.5}).munitions["pac3"]
    assert changed.digest == JULY.override({SHARE: 0.5, length: 3}).digest
    alike = sp.run(changed, ["none", "own"])
    assert np.array_equal(*(alike.array("us_on_hand", policy=name, munition="pac3") for name in alike.policies))
    instead = JULY.with_policies({"us_first": own}).override({SHARE: 0.5})
    assert instead.policies == {"us_first": own}


@pytest.mark.parametrize("path", ["policies.us_first.title", "policies.*.title"])
def test_a_policy_that_was_put_in_is_not_changed_unseen(path: str) -> None:
    own = JULY.policies["none"].model_copy(update={"title": "My own"})
    with pytest.raises(InputError, match=r"policies\.us_first: was put in by with_policies"):
        JULY.with_policies({**JULY.policies, "us_first": own}).override({path: "x"})


def test_faults_found_when_run_name_the_override() -> None:
    with pytest.raises(InputError) as caught:
        sp.run(JULY.override({"model.times.issue": 2.5}))
    assert {problem.file for problem in caught.value.problems} == {"override"}


numbers = st.one_of(st.floats(), st.integers(-3, 3), st.sampled_from(["low", "high", "", "x", True, None, [], ["none"], {}]))
operations = st.sampled_from(["value", "scale", "add", "at", "from", "again"])
amounts = st.one_of(numbers, st.dictionaries(operations, st.one_of(numbers, st.just(dt.date(2025, 1, 1))), max_size=3))


def every_path(node: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    items: Any = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield ".".join((*path, str(key)))
        yield from every_path(value, (*path, str(key)))


PATHS = sorted(path for path in every_path(JULY.tree) if not path.startswith("munitions.shell"))
ENDS = ["", ".scale", ".add", ".at", ".value", ".x", ".0"]


@given(st.sampled_from(PATHS), st.sampled_from(ENDS), amounts)
def test_no_override_ends_in_a_traceback(path: str, end: str, amount: Any) -> None:
    """Whatever is set wherever: a new scenario that runs, or an `InputError`."""
    with suppress(InputError):
        sp.run(JULY.override({path + end: amount, "scenario.end": dt.date(2026, 1, 1)}), ["none", "suspension_with_review"])


def test_every_unit_of_the_table_is_of_one_dimension_and_finite() -> None:
    for name in units.UNITS:
        found = units.find(name)
        assert found is not None
        assert found.factor > 0
        assert found in units.of_dimension(found.dimension)
    assert units.find("USD") is None
    assert units.money_year("USD_2025") == 2025
    assert [units.find(f"round/{time}").factor for time in ("month", "year", "day")] == [1.0, 1 / 12, 365.25 / 12]  # type: ignore[union-attr]
    assert all(a == b or units.UNITS[a] != units.UNITS[b] for a, b in itertools.combinations(units.UNITS, 2))


def test_one_folder_may_be_given_by_itself(tmp_path: Path) -> None:
    (tmp_path / "munitions").mkdir()
    changed = {"us_share": {"unit": "1", "value": 0.5, "grade": "assumed", "note": "a test"}}
    (tmp_path / "munitions" / "pac3.toml").write_text(tomli_w.dumps(changed), encoding="utf-8")
    listed = sp.load("july_2025", params=[tmp_path])
    assert listed.digest != JULY.digest
    assert {sp.load("july_2025", params=one).digest for one in (tmp_path, str(tmp_path))} == {listed.digest}


@pytest.mark.parametrize("months", [-4, 9])
def test_ramps_that_are_moved_by_decision_come_as_if_they_slipped(months: int) -> None:
    moved, slipped = (sp.run(JULY.override({path: months}), ["none"]) for path in ("model.ramp_delay", "model.slip.add"))
    for munition in moved.munitions:
        assert np.array_equal(*(one.array("us_on_hand", policy="none", munition=munition) for one in (moved, slipped)))
    ends = [one.array("us_on_hand", policy="none", munition="pac3")[0, -1] for one in (sp.run(JULY, ["none"]), moved)]
    assert (ends[0] - ends[1]) * months > 0
