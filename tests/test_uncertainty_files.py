"""What the files say about what is drawn: random campaigns, groups that move together, choices, bounds, and the slip prior."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import tomllib
from functools import cache
from pathlib import Path
from statistics import NormalDist, mean, median
from typing import Any

import numpy as np
import pytest
import tomli_w
from scipy import stats

import stockpile as sp
from stockpile import params, schema, shapes
from stockpile.analysis.catalogue import show
from stockpile.errors import InputError
from stockpile.vintage import published

JULY, NOVEMBER = sp.load("july_2025"), sp.load("november_2026")
CAMPAIGN = "campaigns.us_operation"
COST = "munitions.pac3.unit_cost"
DAYS = 365.25 / 12
SOURCE = {"title": "A page", "publisher": "A paper", "url": "https://example.org/a", "kind": "original", "outlet_kind": "press"}
EARLY, LATE = {"source": "test_2024", "grade": "assumed", "note": "A test."}, {"source": "test_2026", "grade": "assumed", "note": "A test."}


def laid_over(folder: Path, files: dict[str, Any], name: str = "july_2025") -> sp.Scenario:
    """Return a scenario with files laid over the shipped ones, and two sources: one of 2024, one of 2026."""
    dates = {"test_2024": dt.date(2024, 1, 1), "test_2026": dt.date(2026, 1, 1)}
    sources = {key: {**SOURCE, "date": date, "precision": "day"} for key, date in dates.items()}
    for file, table in {"sources.toml": sources, **files}.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(tomli_w.dumps(table), encoding="utf-8")
    return sp.load(name, params=[folder])


# ---------------------------------------------------------------- random campaigns


def campaign(**changes: Any) -> dict[str, Any]:
    number = {"rate": {"unit": "1/year", "value": 1.0}, "length": {"unit": "month", "value": 2.0}}
    table = {"title": "A test", "description": "A test.", "cause": "us", **{key: {**value, **EARLY} for key, value in number.items()}}
    return {"campaigns/test.toml": {**table, "rounds": {"pac3": {"unit": "round", "value": 10.0, **EARLY}}, **changes}}


@pytest.mark.parametrize("name", sp.scenarios())
def test_every_shipped_scenario_has_the_shipped_campaign(name: str) -> None:
    scenario = sp.load(name)
    assert list(scenario.campaigns) == ["us_operation"]
    assert set(scenario.campaigns["us_operation"].rounds) == set(scenario.munitions)
    listed = {row.path: row for row in scenario.table().itertuples() if row.path.startswith("campaigns.")}
    assert set(listed) == {f"{CAMPAIGN}.{key}" for key in ("rate", "length", *(f"rounds.{munition}" for munition in scenario.munitions))}
    assert {row.grade for row in listed.values()} == {"assumed"}


def test_a_campaign_of_the_size_of_2026_lies_in_the_tail_and_the_note_says_who_knew() -> None:
    (size,) = JULY.campaigns["us_operation"].rounds["pac3"].points
    assert (size.value, size.low, size.high) == (60.0, 3.6, 1000.0)
    assert size.low == pytest.approx(size.value**2 / 1000.0)
    score = np.log(1000.0 / 60.0) / NormalDist().inv_cdf(0.95)
    above = 1.0 - NormalDist().cdf(np.log(NOVEMBER.events["campaign_2026"].rounds["pac3"]["patriot_fired"].points[0].value / 60.0) / score)
    assert round(1.0 / above) == 26
    assert "one operation in 26" in (size.note or "")
    for text in (size.note or "", JULY.campaigns["us_operation"].description):
        assert re.search(r"made after the\s+campaign\s+of\s+2026", text)
        assert re.search(r"not blind", text)


def test_the_rate_is_that_of_the_operations_on_record() -> None:
    """Three wars or operations are dated by July 2025; the two events of June 2025 are one."""
    months = {(e.start.year, e.start.month) for e in JULY.events.values() if e.kind == "operation"}
    years = (JULY.as_of - dt.date(2022, 3, 1)).days / 365.25
    (rate,) = JULY.campaigns["us_operation"].rate.points
    assert rate.value == pytest.approx(len(months) / years, abs=0.05)
    low, high = stats.gamma.ppf([0.05, 0.95], len(months) + 0.5) / years
    assert (rate.low, rate.high) == (pytest.approx(low, abs=0.05), pytest.approx(high, abs=0.1))


def test_central_runs_have_the_dated_events_alone(tmp_path: Path) -> None:
    without = laid_over(tmp_path, {"scenarios/test.toml": plain(base="july_2025", without_campaigns=["us_operation"])}, "test")
    assert without.campaigns == {}
    one, other = (sp.run(scenario, ["none"]) for scenario in (JULY, without))
    assert all(np.array_equal(one.arrays[key], other.arrays[key]) for key in one.arrays)
    assert not [row.path for row in without.table().itertuples() if row.path.startswith("campaigns.")]


def plain(**keys: Any) -> dict[str, Any]:
    return {"title": "A test", "description": "A test.", **keys}


def test_campaigns_left_out_add_up_over_bases(tmp_path: Path) -> None:
    files = {
        **campaign(),
        "scenarios/one.toml": plain(base="july_2025", without_campaigns=["test"]),
        "scenarios/two.toml": plain(base="one", without_campaigns=["us_operation"]),
    }
    assert list(laid_over(tmp_path, files, "one").campaigns) == ["us_operation"]
    assert list(sp.load("two", params=[tmp_path]).campaigns) == []


def test_a_campaign_has_the_munitions_of_the_scenario(tmp_path: Path) -> None:
    files = {**campaign(), "scenarios/test.toml": plain(base="july_2025", munitions=["aim9x"])}
    scenario = laid_over(tmp_path, files, "test")
    assert {name: list(item.rounds) for name, item in scenario.campaigns.items()} == {"us_operation": ["aim9x"]}


@pytest.mark.parametrize("key", ["rate", "length", "rounds"])
def test_a_campaign_of_which_too_little_was_known_is_not_there(key: str, tmp_path: Path) -> None:
    late: dict[str, Any] = {"unit": {"rate": "1/year", "length": "month", "rounds": "round"}[key], "value": 1.0, **LATE}
    files = campaign(**{key: {"pac3": late} if key == "rounds" else late})
    assert "test" not in laid_over(tmp_path, files).campaigns
    assert "test" in sp.load("november_2026", params=[tmp_path]).campaigns


def test_rounds_that_were_not_known_are_left_out_alone(tmp_path: Path) -> None:
    rounds = {"pac3": {"unit": "round", "value": 10.0, **EARLY}, "aim9x": {"unit": "round", "value": 10.0, **LATE}}
    early = laid_over(tmp_path, campaign(rounds=rounds))
    assert list(early.campaigns["test"].rounds) == ["pac3"]
    assert set(sp.load("november_2026", params=[tmp_path]).campaigns["test"].rounds) == {"pac3", "aim9x"}


def test_values_of_a_campaign_can_be_changed_within_their_bounds() -> None:
    new = JULY.override({f"{CAMPAIGN}.rate": 4, f"{CAMPAIGN}.rounds.pac3.scale": 2, f"{CAMPAIGN}.length.at": "high"})
    found = new.campaigns["us_operation"]
    assert [found.rate.points[0].value, found.rounds["pac3"].points[0].high, found.length.points[0].value] == [4.0, 2000.0, 180.0]
    assert found.rounds["aim120"] == JULY.campaigns["us_operation"].rounds["aim120"]
    with pytest.raises(InputError) as caught:
        JULY.override({f"{CAMPAIGN}.rate": 4.1, f"{CAMPAIGN}.length": 366})
    assert [re.sub(r".*?: ", "", str(problem), count=2) for problem in caught.value.problems] == [
        "366 day is out of range; allowed: from 0 to 365.25 day",
        "4.1 1/year is out of range; allowed: from 0 to 4 1/year",
    ]


@pytest.mark.parametrize("group", [f"{CAMPAIGN}.rounds", "model.times"])
def test_numbers_that_are_no_factors_of_one_another_are_not_scaled_as_a_product(group: str) -> None:
    for change in ({group: 2}, {f"{group}.scale": 2}):
        with pytest.raises(InputError, match="is a group, not a value"):
            JULY.override(change)


# ---------------------------------------------------------------- groups that move together


def groups(scenario: sp.Scenario) -> dict[str, list[str]]:
    return {name: group.paths for name, group in scenario.model.correlations.items()}


WAR = [f"recipients.ukraine.{path}" for path in ("pac3.need.targets", "shell_155mm.need.rounds", "aim120.need.rounds", "aim9x.need.rounds")]
SHIPPED = {"slip_with_realisation": ["model.slip", "model.realisation"], "intensity_of_the_war": WAR}


@pytest.mark.parametrize("name", sp.scenarios())
def test_shipped_groups(name: str) -> None:
    scenario = sp.load(name)
    assert groups(scenario) == SHIPPED
    rows = {row.path: row for row in scenario.table().itertuples() if ".correlations." in row.path}
    assert {path: (row.value, row.grade) for path, row in rows.items()} == {
        "model.correlations.slip_with_realisation": (-0.4, "derived"),
        "model.correlations.intensity_of_the_war": (0.5, "assumed"),
    }


def test_a_group_is_shown_with_its_paths() -> None:
    found = show(JULY, "model.correlations.intensity_of_the_war")
    assert (found["kind"], found["paths"], found["points"][0]["value"]) == ("correlation", WAR, 0.5)


def test_munitions_left_out_leave_their_groups(tmp_path: Path) -> None:
    for number, (munitions, left) in enumerate(((["pac3", "aim9x"], [WAR[0], WAR[3]]), (["pac3"], []))):
        folder = tmp_path / str(number)
        files = {"scenarios/test.toml": plain(base="july_2025", munitions=munitions)}
        found = groups(laid_over(folder, files, "test"))
        assert found.get("intensity_of_the_war", []) == left
        assert found["slip_with_realisation"] == SHIPPED["slip_with_realisation"]


def test_what_is_left_out_takes_its_correlations_with_it_and_the_others_keep_theirs(tmp_path: Path) -> None:
    paths = [f"munitions.{name}.training" for name in ("pac3", "aim120", "aim9x")]
    group = {"paths": paths, "pairs": [[0.5], [0.2, -0.3]], **EARLY}
    files = {"model.toml": {"correlations": {"test": group}}, "scenarios/test.toml": plain(base="july_2025", munitions=["pac3", "aim9x"])}
    whole, part = (laid_over(tmp_path / name, files, name).model.correlations["test"] for name in ("july_2025", "test"))
    assert [whole.between(*two) for two in itertools.combinations(paths, 2)] == [0.5, 0.2, -0.3]
    assert part.paths == [paths[0], paths[2]] and part.pairs == [[0.2]] and part.between(paths[2], paths[0]) == 0.2


def test_a_group_takes_the_place_of_another_from_its_publication_on(tmp_path: Path) -> None:
    group = {"paths": ["munitions.pac3.training", *SHIPPED["slip_with_realisation"]], "pairs": [[0.1], [0.0, -0.5]], **LATE}
    files = {"model.toml": {"correlations": {"test": {**group, "replaces": ["slip_with_realisation"]}}}}
    assert groups(laid_over(tmp_path, files)) == SHIPPED
    assert set(groups(sp.load("november_2026", params=[tmp_path]))) == {"test", "intensity_of_the_war"}


def test_a_recipient_left_out_leaves_its_groups(tmp_path: Path) -> None:
    files = {"scenarios/test.toml": plain(base="july_2025", recipients=["israel", "partners"])}
    assert list(groups(laid_over(tmp_path, files, "test"))) == ["slip_with_realisation"]


def test_a_group_that_was_not_known_is_not_there(tmp_path: Path) -> None:
    group = {"paths": ["munitions.pac3.training", "munitions.aim120.training"], "value": 0.3, **LATE}
    files = {"model.toml": {"correlations": {"test": group}}}
    assert "test" not in groups(laid_over(tmp_path, files))
    assert groups(sp.load("november_2026", params=[tmp_path]))["test"] == group["paths"]


def test_a_value_that_is_pinned_is_no_fault(tmp_path: Path) -> None:
    """Not by an override, a scenario or a file laid over; a path that is gone altogether leaves its group."""
    pinned = {"unit": "month", "value": 0.0, **EARLY}
    assert laid_over(tmp_path, {"model.toml": {"slip": pinned}}).model.slip.points[0].low is None
    assert groups(JULY.override({"model.slip": 3})) == SHIPPED
    assert groups(JULY.override({"recipients.ukraine.pac3.need": 20}))["intensity_of_the_war"] == WAR[1:]
    assert JULY.override({"model.correlations.intensity_of_the_war.value": 0.8}).model.correlations["intensity_of_the_war"].value == 0.8
    with pytest.raises(InputError, match="no correlation of 4"):
        JULY.override({"model.correlations.intensity_of_the_war.value": -0.5})


# ---------------------------------------------------------------- choices


def costs(scenario: sp.Scenario) -> list[float]:
    (point,) = scenario.munitions["pac3"].unit_cost.points
    found = scenario.alternatives(COST, point)
    assert {weight for _, weight in found} == {1.0}
    return [value for value, _ in found]


def test_a_choice_is_among_the_values_known_then() -> None:
    """The contract of September 2025 was not known in July 2025."""
    assert (costs(JULY)[0], sorted(costs(JULY)[1:])) == (4.22e6, [3.91e6, 4.31e6, 5.33e6, 5.43e6])
    assert (costs(NOVEMBER)[0], sorted(costs(NOVEMBER)[1:])) == (4.22e6, [3.91e6, 4.31e6, 5.10e6, 5.33e6, 5.43e6])
    row = next(row for row in JULY.table().itertuples() if row.path == COST)
    assert (row.value, row.low, row.high) == (4.22e6, 3.91e6, 5.43e6)


def test_values_of_a_choice_have_weights() -> None:
    quantity = NOVEMBER.munitions["pac3"].line.lots["multiyear_2025"].quantity
    path = "munitions.pac3.line.lots.multiyear_2025.quantity"
    assert NOVEMBER.alternatives(path, quantity.points[0]) == ((1100.0, 3.0), (1970.0, 1.0))


@pytest.mark.parametrize("name", sp.scenarios())
def test_every_choice_can_be_drawn(name: str) -> None:
    scenario = sp.load(name)
    choices = [path for path, table in every_parameter(scenario) if table.shape == "choice"]
    assert COST in choices
    for path, table in every_parameter(scenario):
        for point in table.points:
            found = scenario.alternatives(path, point)
            assert found[0] == (point.value, point.weight or 1.0)
            assert len(found) == 1 or table.shape == "choice"


def every_parameter(scenario: sp.Scenario) -> list[tuple[str, schema.Parameter]]:
    """Return every parameter of a scenario as it stands in its class, with its path."""
    found = []

    def walk(node: Any, path: str) -> None:
        if isinstance(node, schema.Parameter):
            found.append((path, node))
        elif isinstance(node, dict):
            for key, value in node.items():
                walk(value, f"{path}.{key}")
        elif isinstance(node, schema.Strict):
            for key in type(node).model_fields:
                walk(getattr(node, key), f"{path}.{key}".replace(".claims", ""))

    for folder in ("model", "munitions", "recipients", "events", "campaigns"):
        walk(getattr(scenario, folder), folder)
    return found


def test_a_changed_choice_is_changed_in_all_its_values() -> None:
    assert costs(JULY.override({f"{COST}.scale": 2})) == pytest.approx([2 * value for value in costs(JULY)])
    assert costs(JULY.override({f"{COST}.add": 1e6})) == pytest.approx([value + 1e6 for value in costs(JULY)])
    assert costs(JULY.override({COST: 4e6})) == [4e6]
    assert JULY.override({COST: 4e6}).munitions["pac3"].unit_cost.shape is None
    later = JULY.override({COST: {"scale": 2, "from": dt.date(2027, 1, 1)}}).munitions["pac3"].unit_cost
    assert [[value for value, _ in point.choices] for point in later.points] == [costs(JULY), [2 * value for value in costs(JULY)]]


def choice(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    both = {"from": dt.date(2022, 3, 1), "conflict": "test"}
    points = [{**both, **first}, {**both, "used": False, **second}]
    return {"munitions/pac3.toml": {"training": {"unit": "round/year", "shape": "choice", "points": points}}}


def test_a_choice_of_which_one_value_is_left_is_fixed(tmp_path: Path) -> None:
    early = laid_over(tmp_path, choice({"value": 5.0, "weight": 2.0, **EARLY}, {"value": 9.0, **LATE}))
    late = sp.load("november_2026", params=[tmp_path])
    for scenario, values in ((early, ((5.0, 2.0),)), (late, ((5.0, 2.0), (9.0, 1.0)))):
        (point,) = scenario.munitions["pac3"].training.points
        assert scenario.alternatives("munitions.pac3.training", point) == values
    assert sp.run(early, ["none"]).arrays


def test_what_stands_beside_a_choice_counts_in_the_digest(tmp_path: Path) -> None:
    """It moves draws; beside another shape it moves nothing."""
    digests = [laid_over(tmp_path / str(n), choice({"value": 5.0, **EARLY}, {"value": n, **EARLY})).digest for n in (8.0, 9.0)]
    assert digests[0] != digests[1]


# ---------------------------------------------------------------- shapes and bounds


BOUNDS = {
    "munitions.pac3.us_stock": (0.0, np.inf),
    "munitions.pac3.us_share": (0.0, 1.0),
    "munitions.pac3.loss_rate": (0.0, np.inf),
    "munitions.pac3.floors.transfer_floor.level": (0.0, np.inf),
    "recipients.ukraine.pac3.share": (0.0, 1.0),
    "recipients.ukraine.pac3.need.targets": (0.0, np.inf),
    "recipients.ukraine.pac3.need.pac3_share": (0.0, 1.0),
    "recipients.ukraine.pac3.need.rounds_per_engagement": (0.0, np.inf),
    "events.al_udeid_2025_06.rounds.pac3.pac3_share": (0.0, 1.0),
    "model.slip": (-np.inf, np.inf),
    "model.realisation": (0.0, np.inf),
    "model.times.catch_up": (0.0, np.inf),
    f"{CAMPAIGN}.rate": (0.0, 4.0),
    f"{CAMPAIGN}.length": (0.0, 365.25),
}


def test_bounds_are_those_of_what_is_measured() -> None:
    found = {path: schema.bounds(parameter) for path, parameter in every_parameter(JULY) if path in BOUNDS}
    assert found == {path: pytest.approx(ends) for path, ends in BOUNDS.items()}


def test_bounds_stay_through_changes_and_copies() -> None:
    share = JULY.override({"munitions.pac3.us_share.scale": 0.9}).munitions["pac3"].us_share
    assert share.model_copy(update={"points": share.points[:1]}).bounds == (0.0, 1.0)


@pytest.mark.parametrize("name", sp.scenarios())
def test_every_range_can_be_drawn_from(name: str) -> None:
    for path, parameter in every_parameter(sp.load(name)):
        for point in parameter.points if parameter.shape not in (None, "choice") else ():
            if point.low is not None and point.high is not None:
                assert parameter.shape is not None
                low, high = shapes.support(parameter.shape, point.low, point.value, point.high, *parameter.bounds)
                assert parameter.bounds[0] <= low <= point.low <= point.high <= high <= parameter.bounds[1], path


def test_a_draw_of_the_campaign_is_what_the_schema_says() -> None:
    """Median at value, 5th and 95th percentile at low and high."""
    for path, parameter in every_parameter(JULY):
        if path.startswith(f"{CAMPAIGN}.rounds"):
            (point,) = parameter.points
            assert parameter.shape == "lognormal"
            assert point.low is not None and point.high is not None
            pieces = shapes.table("lognormal", point.low, point.value, point.high, *parameter.bounds)
            drawn = shapes.interpolate(pieces, np.array([0.05, 0.5, 0.95]))
            assert drawn == pytest.approx([point.low, point.value, point.high], rel=2e-3), path


def test_a_lognormal_value_that_is_fixed_may_be_nought() -> None:
    """So that a lognormal quantity can be scaled away."""
    (point,) = JULY.override({f"{CAMPAIGN}.rounds.pac3.scale": 0}).campaigns["us_operation"].rounds["pac3"].points
    assert (point.low, point.value, point.high) == (0.0, 0.0, 0.0)


# ---------------------------------------------------------------- slip and realisation from the record


@cache
def bodies() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((params.default_folder() / "munitions/shell_155mm.toml").read_text(encoding="utf-8"))
    part: dict[str, Any] = table["line"]["parts"]["bodies"]
    return part


SOURCES = params.read().sources
COUNTS = {"july_2025": dt.date(2025, 6, 17), "november_2026": dt.date(2025, 10, 17)}
ANNOUNCED = {"p75_april_2025": dt.date(2024, 2, 6)}
"""Known by another page than the one that gives the number, as its note says."""
WAIT = 5
"""Months after the date due at which the level counts."""
AFTER_AUGUST_2025 = ["p75_fy2025", "p80_fy2025", "p80_end_fy2025", "p100_october_2025"]
APPROXIMATE = "p36_in_three_years"


def output(date: dt.date) -> float:
    """Return the counted output in force on a date [round/month]."""
    used = [point for point in bodies()["capacity"]["points"] if point.get("used", True) and point["from"] <= date]
    return float(max(used, key=lambda point: point["from"])["value"])


def record(last: dt.date) -> dict[str, tuple[float, float]]:
    """Return share realised and months late of each target that was due, or met, by the month of the last count."""
    found = {}
    for name, plan in bodies()["plans"].items():
        announced = ANNOUNCED.get(name) or published(plan["source"], SOURCES)
        levels = [point for point in bodies()["capacity"]["points"] if point.get("used", True) and point["from"] <= last]
        met = next((point["from"] for point in levels if point["value"] >= plan["value"]), None)
        if announced > last or (met is None and (plan["by"].year, plan["by"].month) > (last.year, last.month)):
            continue
        year, month = divmod(plan["by"].year * 12 + plan["by"].month - 1 + WAIT, 12)
        seen = min(dt.date(year, month + 1, min(plan["by"].day, 28)), last)
        then = output(announced)
        share = 1.0 if met and met <= seen else (output(seen) - then) / (plan["value"] - then)
        found[name] = (share, ((met or last) - plan["by"]).days / DAYS)
    return found


def lateness(name: str) -> dict[str, tuple[float, float]]:
    return {plan: pair for plan, pair in record(COUNTS[name]).items() if plan not in AFTER_AUGUST_2025}


def written() -> dict[str, list[str]]:
    """Return the rows of the table of docs/slip.md, by plan."""
    text = (params.default_folder().parent / "docs/slip.md").read_text(encoding="utf-8")
    rows = [line.replace("`", "").strip("| ").split(" | ") for line in text.split("\n") if line.startswith("| `p")]
    return {cells[0]: cells for cells in rows}


def test_the_table_of_the_record_is_what_the_plans_say() -> None:
    june, october = record(COUNTS["july_2025"]), record(COUNTS["november_2026"])
    assert (len(june), len(october)) == (11, 15)
    assert list(written()) == list(october)
    for name, cells in written().items():
        plan = bodies()["plans"][name]
        sources = [plan["source"]] if isinstance(plan["source"], str) else plan["source"]
        announced = ANNOUNCED.get(name) or published(sources, SOURCES)
        in_june = [f"{june[name][0]:.2f}", f"{june[name][1]:.1f}"] if name in june else ["–", "–"]
        late = "–" if name in AFTER_AUGUST_2025 else f"{october[name][1]:.1f}"
        assert cells[:5] == [name, f"{plan['value']:,}", str(announced), f"{output(announced):,.0f}", str(plan["by"])]
        assert cells[6:] == [*in_june, f"{october[name][0]:.2f}", late, ", ".join(sources)]
        assert cells[5] == "open" or output(dt.date.fromisoformat(cells[5])) >= plan["value"]


@pytest.mark.parametrize(
    ("name", "slips", "shares", "restated"),
    [
        ("july_2025", (5.5, 3.0), (0.41, 0.54), (dt.date(2025, 10, 31), dt.date(2026, 2, 15))),
        ("november_2026", (9.5, 5.9), (0.36, 0.47), (dt.date(2025, 10, 31), dt.date(2026, 6, 30))),
    ],
)
def test_slip_and_realisation_are_those_of_the_record(
    name: str, slips: tuple[float, float], shares: tuple[float, float], restated: tuple[dt.date, dt.date]
) -> None:
    late = [months for _, months in lateness(name).values()]
    share = [part for part, _ in record(COUNTS[name]).values()]
    assert (round(median(late), 1), round(mean(late), 1)) == slips
    assert (round(median(share), 2), round(mean(share), 2)) == shares
    slip, realisation = (getattr(sp.load(name).model, key).points[0] for key in ("slip", "realisation"))
    new_date = (restated[1] - restated[0]).days / DAYS
    assert min(new_date, median(late)) - 0.5 <= slip.value <= max(new_date, median(late)) + 0.5
    assert median(share) <= realisation.value <= mean(share)
    assert slip.high == int(max(late)) + 10
    early = min(months for plan, (_, months) in lateness(name).items() if plan != APPROXIMATE)
    assert early <= slip.low <= early + 30 / DAYS + 0.5
    assert realisation.high == max(share) == 1.0
    assert min(share) - 0.03 <= realisation.low <= min(share)


def test_the_page_says_what_the_files_say() -> None:
    text = (params.default_folder().parent / "docs/slip.md").read_text(encoding="utf-8")
    for key, digits in (("slip", "g"), ("realisation", "g")):
        for name in COUNTS:
            point = getattr(sp.load(name).model, key).points[0]
            low, high = (f"{end:{digits}}".replace("-", "−") for end in (point.low, point.high))
            assert re.search(rf"\*\*{point.value:g}0? \({low} to {high}\)\*\*", text), (name, key)


def scores(values: list[float]) -> Any:
    return stats.norm.ppf(stats.rankdata(np.round(values, 6)) / (len(values) + 1))


@pytest.mark.parametrize("name", COUNTS)
def test_the_correlation_of_slip_and_realisation_is_that_of_the_record(name: str) -> None:
    pairs = lateness(name)
    subsets = {
        "all": list(pairs.values()),
        "exact": [pair for plan, pair in pairs.items() if plan != APPROXIMATE],
        "open": [pair for pair in pairs.values() if pair[0] < 1.0],
    }
    found = {
        key: (np.corrcoef(scores([s for s, _ in rows]), scores([m for _, m in rows]))[0, 1], stats.spearmanr(rows).statistic)
        for key, rows in subsets.items()
    }
    rounded = {key: (round(float(normal), 2), round(float(ranks), 2)) for key, (normal, ranks) in found.items()}
    assert rounded == {"all": (-0.39, -0.40), "exact": (-0.25, -0.21), "open": (0.52, 0.55)}
    assert sp.load(name).model.correlations["slip_with_realisation"].value == round(rounded["all"][0], 1)
