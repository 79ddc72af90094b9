"""What moved between two sides and why: parts that add up, causes that are named, observations, saved results, the command line."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Call

import stockpile as sp
from stockpile.analysis import changes as changed
from stockpile.analysis.changes import changes, with_changes
from stockpile.analysis.diff import METRICS, Difference, diff
from stockpile.analysis.diff_sentences import of_difference
from stockpile.analysis.reloaded import scenario_of, value_of
from stockpile.provenance import equations

JULY = sp.load("july_2025")
NOVEMBER = sp.load("november_2026")
FOLDER = Path(__file__).parent / "closed_forms"
SHARE, STOCK, LOSS = "munitions.pac3.us_share", "munitions.pac3.us_stock", "munitions.pac3.loss_rate"
SUMS = ("interaction", "code and draws", "whole")
SOURCE = """
[made_up_2025_06_share]
title = "A made-up report on shares of the line"
publisher = "A made-up institute"
date = 2025-06-30
precision = "day"
url = "https://example.org/share"
kind = "original"
outlet_kind = "think_tank"
"""
PARAMETER = """
[us_share]
unit = "1"
value = 0.5
source = "{source}"
where = "table 1"
grade = "reported"
"""
OBSERVATION = """
[{name}]
title = "US Patriot stock, made up"
munition = "pac3"
date = 2025-06-01
unit = "round"
basis = "{basis}"
scope = {{ state = "on_hand", owner = "us", variant = "PAC-3", match = "same" }}
value = {value}
source = ["made_up_2025_06_share"]
where = "table 2"
grade = "reported"
conflict = "made_up_stock"
"""


def folder(path: Path, **files: str) -> Path:
    """Write a folder of parameters: its files by their names, with two underscores for a slash."""
    for name, text in files.items():
        file = path / f"{name.replace('__', '/')}.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return path


def parts(found: Difference, **key: str) -> dict[str, float]:
    """Return what adds up to the change of a metric, by path."""
    frame = found.attribution
    for name, value in key.items():
        frame = frame[frame[name] == value]
    return dict(zip(frame["path"], frame["change"], strict=True))


def metric(scenario: sp.Scenario, policy: str, name: str, who: str = "us") -> float:
    """Return a metric of PAC-3 with central values."""
    frame = sp.run(scenario, [policy]).metrics()
    own = frame[(frame.munition == "pac3") & (frame.metric == name) & (frame.recipient == who)]
    return float(own["value"].iloc[0])


# ---------------------------------------------------------------- parts that add up


@pytest.mark.parametrize("members", [0, 80])
def test_parts_add_up_to_the_whole(members: int) -> None:
    other = JULY.override({SHARE: 0.3, STOCK: 900, "recipients.ukraine.pac3.ceiling": 60, "recipients.ukraine.pac3.need.scale": 3})
    found = diff(JULY, other, munitions=["pac3"], members=members)
    keys = found.attribution[["policy", "munition", "recipient", "metric"]].drop_duplicates().to_dict("records")
    assert {key["metric"] for key in keys} == set(METRICS) and {key["policy"] for key in keys} == {"none", "suspension_2025_07"}
    moved = found.moved.set_index(["policy", "munition", "recipient", "metric"])
    together = 0
    for key in keys:
        own = parts(found, **key)
        assert own["whole"] == moved.loc[tuple(key.values()), "change"]
        assert math.fsum(value for name, value in own.items() if name != "whole") == pytest.approx(own["whole"], rel=1e-12, abs=1e-12)
        together += abs(own["interaction"]) > 1
    assert together, "changes that do not act on each other test nothing"


def test_each_part_is_what_a_run_with_that_change_alone_gives() -> None:
    both = {SHARE: 0.6, "recipients.ukraine.pac3.need.scale": 2}
    found = diff(JULY, JULY.override(both), policies=["none"], munitions=["pac3"], members=0)
    for name, who in (("stock_at_end", "us"), ("total_unmet", "ukraine")):
        own = parts(found, policy="none", metric=name, recipient=who)
        before = metric(JULY, "none", name, who)
        alone = {path: metric(JULY.override({path: value}), "none", name, who) - before for path, value in both.items()}
        assert own.get(SHARE, 0.0) == pytest.approx(alone[SHARE], abs=1e-9)
        assert own["recipients.ukraine.pac3.need.targets"] == pytest.approx(alone["recipients.ukraine.pac3.need.scale"], abs=1e-9)
        assert own["whole"] == pytest.approx(metric(JULY.override(both), "none", name, who) - before, abs=1e-9)


def test_draws_are_those_of_ensembles_and_paired() -> None:
    other = JULY.override({SHARE: 0.6})
    found = diff(JULY, other, policies=["none"], munitions=["pac3"], members=60, seed=3)
    row = found.moved.set_index(["metric", "recipient"]).loc["stock_at_end", "us"]
    first, second = (sp.ensemble(one, ["none"], 60, 3) for one in (JULY, other))
    place = first.metric("stock_at_end", policy="none", munition="pac3")
    values = [one.metric_values.numbers[place] for one in (first, second)]  # type: ignore[index]
    change = values[1] - values[0]
    assert row.a == pytest.approx(values[0].mean()) and row.b == pytest.approx(values[1].mean())
    assert row.change == pytest.approx(change.mean()) and row.q50 == pytest.approx(np.median(change))
    assert row.low < row.change < row.high
    # Paired, the interval is narrower than that of a difference between two ensembles of other draws.
    apart = 2 * 1.96 * math.sqrt(sum(one.var(ddof=1) for one in values) / 60)
    assert row.high - row.low < apart / 2


def test_a_change_that_reaches_one_munition_leaves_the_others_alone() -> None:
    found = diff(JULY, JULY.override({SHARE: 0.6}), members=0)
    moved = found.moved[found.moved["verdict"] != "no change"]
    assert set(moved["munition"]) == {"pac3"}
    assert set(found.attribution[found.attribution["munition"] != "pac3"]["path"]) == {"interaction", "whole"}


def test_all_changes_together_make_the_other_scenario() -> None:
    for a, b in ((JULY, NOVEMBER), (JULY, sp.load("ceasefire")), (NOVEMBER, sp.load("second_campaign"))):
        made = with_changes(a, b, changes(a, b))
        assert {**made.tree, "scenario": 0} == {**b.tree, "scenario": 0}
        np.testing.assert_array_equal(sp.run(made, ["none"]).metrics()["value"], sp.run(b, ["none"]).metrics()["value"])
        assert a.digest == (sp.load(a.name)).digest


def test_changes_that_do_not_go_alone_are_said_to_be_so() -> None:
    # What is owed may not be caught up more slowly than new orders are placed, so that the one needs the other.
    other = JULY.override({"model.times.catch_up": 14, "model.times.order": 20})
    found = diff(JULY, other, policies=["none"], munitions=["pac3"], members=0)
    assert dict(zip(found.why["path"], found.why["alone"], strict=True)) == {"model.times.catch_up": False, "model.times.order": True}
    assert "model.times.catch_up" in found.notes[0] and "interaction" in found.notes[0]
    own = parts(found, policy="none", metric="stock_at_end", recipient="us")
    assert set(own) == {"model.times.order", "interaction", "whole"} and own["whole"] != 0


def test_a_contract_that_needs_a_later_date_goes_with_it() -> None:
    found = diff(JULY, NOVEMBER, policies=["none"], munitions=["pac3"], metrics=["stock_at_end"], members=0)
    assert any(" & " in path and "scenario.as_of" in path for path in found.attribution["path"])
    assert found.why["alone"].all() and not found.notes
    own = parts(found, policy="none", metric="stock_at_end")
    assert math.fsum(value for name, value in own.items() if name != "whole") == pytest.approx(own["whole"], abs=1e-9)


# ---------------------------------------------------------------- causes


def test_a_folder_that_changes_one_value_is_named_with_its_source(tmp_path: Path) -> None:
    over = folder(tmp_path, sources=SOURCE, munitions__pac3=PARAMETER.format(source="made_up_2025_06_share"))
    found = diff("july_2025", over, policies=["none"], members=0)
    assert found.a == "july_2025" and found.b == str(over)
    (row,) = found.why.to_dict("records")
    assert (row["path"], row["kind"], row["cause"]) == (SHARE, "parameter", "new source known")
    before = JULY.tree["munitions"]["pac3"]["us_share"]["points"][-1]
    assert (row["old"], row["old_low"], row["old_high"]) == (before["value"], before["low"], before["high"])
    assert (row["new"], row["unit"], row["grade"]) == (0.5, "1", "reported")
    assert (row["source"], row["publisher"], row["published"]) == ("made_up_2025_06_share", "A made-up institute", dt.date(2025, 6, 30))
    assert row["url"] == "https://example.org/share" and row["where"] == "table 1"
    said = " ".join(of_difference(found))
    assert "US share" in said and "1 thing differs: 1 parameter" in said and "The code is the same." in said
    # The same value from a source that the shipped files have is a new value, no new source.
    old = folder(tmp_path / "old", munitions__pac3=PARAMETER.format(source="kyiv_independent_2025_07_patriot_purchases"))
    (row,) = diff("july_2025", old, policies=["none"], members=0).why.to_dict("records")
    assert row["cause"] == "new value" and row["source"] == "kyiv_independent_2025_07_patriot_purchases"


def test_other_words_for_the_same_number_move_nothing(tmp_path: Path) -> None:
    texts = [PARAMETER.format(source="made_up_2025_06_share") + f'note = "{word}"\n' for word in ("one", "another")]
    first, second = (folder(tmp_path / str(n), sources=SOURCE, munitions__pac3=text) for n, text in enumerate(texts))
    found = diff(first, second, members=0)
    (row,) = found.why.to_dict("records")
    assert row["cause"] == "same number, told otherwise" and row["note"] == "another"
    assert found.nothing_moved and of_difference(found)[0].startswith("Nothing moved")


def test_causes_of_scenarios_and_overrides() -> None:
    found = {one.path: one for one in changes(JULY, sp.load("ceasefire"))}
    need = found["recipients.ukraine.pac3.need.targets"]
    assert need.cause == changed.BY_SCENARIO and "scale 0.2 from 2026-01-01" in need.reason and "a ceasefire that holds" in need.reason
    assert not need.sources
    (again,) = changes(NOVEMBER, sp.load("second_campaign"))
    assert again.path == "events.campaign_2027_supposed" and again.cause == changed.BY_SCENARIO and again.kind == "event"
    pause = "policies.suspension_6_months.suspensions.0.length"
    pinned = {one.path: one.cause for one in changes(JULY, JULY.override({SHARE: 0.5, pause: 3, "scenario.substeps": 2}))}
    assert pinned == dict.fromkeys((SHARE, "policies.suspension_6_months", "scenario.substeps"), changed.PINNED)
    known = {one.path: one for one in changes(JULY, NOVEMBER)}
    assert known["events.campaign_2026"].cause == changed.NEW_SOURCE and known["events.campaign_2026"].old is None
    assert known["scenario.as_of"].cause == changed.SETTING
    back = {one.path: one.cause for one in changes(NOVEMBER, JULY)}
    assert back["events.campaign_2026"] == changed.OLD_SOURCE


def test_nothing_moved_from_a_side_to_itself() -> None:
    for members in (0, 50):
        found = diff("july_2025", "july_2025", members=members)
        assert found.nothing_moved and not len(found.moved) and not len(found.why) and not len(found.attribution)
        assert of_difference(found) == ["Nothing moved from july_2025 to july_2025.", "The code is the same."]


# ---------------------------------------------------------------- observations


def test_changed_new_and_conflicting_observations(tmp_path: Path) -> None:
    one = OBSERVATION.format(name="made_up_one", value=2000, basis="estimate")
    first = folder(tmp_path / "a", sources=SOURCE, observations__made_up=one)
    moved = one.replace("2000", "1900") + OBSERVATION.format(name="made_up_other", value=1200, basis="claim")
    second = folder(tmp_path / "b", sources=SOURCE, observations__made_up=moved)
    found = diff(first, second, members=0)
    rows = {row["name"]: row for row in found.observations.to_dict("records")}
    assert set(rows) == {"made_up_one", "made_up_other"}
    changed_, added = rows["made_up_one"], rows["made_up_other"]
    assert (changed_["change"], changed_["old"], changed_["new"], changed_["unit"]) == ("changed", 2000, 1900, "round")
    assert added["change"] == "added" and math.isnan(added["old"]) and added["new"] == 1200 and added["basis"] == "claim"
    assert changed_["in_conflict"] and added["in_conflict"] and added["publisher"] == "A made-up institute"
    # Observations move no run, and nothing averages them.
    assert found.nothing_moved and not len(found.why)
    assert any("2 of them stand beside others" in sentence for sentence in of_difference(found))


def test_observations_published_between_two_dates() -> None:
    found = diff("july_2025", "november_2026", policies=["none"], munitions=["aim9x"], metrics=["stock_at_end"], members=0)
    rows = {row["name"]: row for row in found.observations.to_dict("records")}
    assert rows["pac3_july_2026"]["change"] == "published since" and rows["pac3_july_2026"]["new"] == 793
    assert all(JULY.as_of < row["published"] <= NOVEMBER.as_of for row in rows.values())
    assert all("munitions.pac3" not in path for path in found.why["path"]), "what cannot touch the munition asked about is left out"


# ---------------------------------------------------------------- saved results


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    path = tmp_path_factory.mktemp("saved")
    only = ["none", "us_first"]
    pinned = JULY.override({SHARE: 0.6})
    found: dict[str, Any] = {
        "run": sp.run(JULY, only), "pinned_run": sp.run(pinned, only), "draws": sp.ensemble(JULY, only, 40),
        "pinned_draws": sp.ensemble(pinned, only, 40), "other_draws": sp.ensemble(JULY, only, 40, 2),
    }
    found["lost"] = replace(found["pinned_run"], manifest=found["pinned_run"].manifest | {"parameters": "0" * 64})
    found["older"] = replace(found["run"], manifest=found["run"].manifest | {"commit": "0123456789ab"})
    # As a run with other equations would be: the numbers are others and nothing else is.
    moved = {key: array + 100.0 if key == ("us_on_hand", "us") else array for key, array in found["run"].arrays.items()}
    found["other_equations"] = replace(found["run"], arrays=moved, manifest=found["run"].manifest | {"equations": "f" * 64})
    without = {key: value for key, value in found["run"].manifest.items() if key != "equations"}
    found["before_that"] = replace(found["run"], arrays=moved, manifest=without)
    return {name: made.save(path / f"{name}.parquet") for name, made in found.items()}


@pytest.mark.parametrize(("first", "second"), [("run", "pinned_run"), ("draws", "pinned_draws")])
def test_saved_results_are_traced_to_their_parameters(saved: dict[str, Path], first: str, second: str) -> None:
    found = diff(saved[first], saved[second])
    assert found.why["path"].tolist() == [SHARE] and found.why["cause"].tolist() == ["pinned by the user"]
    own = parts(found, policy="us_first", munition="pac3", metric="stock_at_end", recipient="us")
    assert own[SHARE] == pytest.approx(own["whole"]) and own["whole"] > 100
    assert own["code and draws"] == pytest.approx(0, abs=1e-9) and own["interaction"] == pytest.approx(0, abs=1e-9)
    assert found.manifest["members"] == (0 if first == "run" else 40)


def test_a_saved_result_beside_a_scenario(saved: dict[str, Path]) -> None:
    found = diff(saved["draws"], "july_2025")
    assert found.nothing_moved and set(found.moved["policy"]) == {"none", "us_first"}


def test_results_without_their_parameters_say_so(saved: dict[str, Path]) -> None:
    found = diff(saved["run"], saved["lost"])
    assert not found.nothing_moved and not len(found.why) and not len(found.attribution)
    said = of_difference(found)
    assert any("The reasons cannot be told" in sentence and "lost.parquet" in sentence for sentence in said)
    assert "PAC-3" in said[0]
    same = diff(saved["lost"], saved["lost"])
    assert same.nothing_moved and not same.notes, "where nothing moved there is no reason to be told"


def test_code_that_differs_is_said(saved: dict[str, Path]) -> None:
    found = diff(saved["older"], saved["run"])
    assert found.nothing_moved and not found.same_code
    (said,) = [sentence for sentence in of_difference(found) if sentence.startswith("The code differs: commit 0123456789ab")]
    assert said.endswith("The equations are the same.")


def test_equations_that_differ_are_what_moved(saved: dict[str, Path]) -> None:
    found = diff(saved["run"], saved["other_equations"])
    assert not found.nothing_moved and not found.same_code and not len(found.why)
    assert found.code["equations"] == (equations(), "f" * 64)
    said = of_difference(found)
    assert f"The code differs: equations {equations()[:12]} and ffffffffffff." in said
    assert said[-1].startswith("The parameters and draws are the same, the equations are not: what moved is due to them")
    own = parts(found, policy="none", munition="pac3", metric="stock_at_end", recipient="us")
    assert own["code and draws"] == own["whole"] == pytest.approx(100)


def test_an_older_result_that_does_not_say_its_equations_still_opens(saved: dict[str, Path], tmp_path: Path) -> None:
    found = diff(saved["before_that"], saved["run"])
    assert found.same_code, "what is not said is not different"
    said = of_difference(found)
    assert any("does not say with which equations" in sentence for sentence in said)
    assert said[-1] == "The parameters and draws are the same: what moved is due to the code alone."
    assert "equations not said" in sp.report(diff(saved["run"], saved["before_that"]), tmp_path / "page.html").read_text(encoding="utf-8")


def test_draws_that_are_not_the_same_are_not_paired(saved: dict[str, Path]) -> None:
    found = diff(saved["draws"], saved["other_draws"])
    assert "cannot be paired" in found.notes[0] and found.moved["q50"].isna().all()
    assert not len(found.why)
    row = found.moved.set_index(["policy", "munition", "recipient", "metric"]).loc["none", "pac3", "us", "stock_at_end"]
    assert row.low < row.change < row.high
    assert "too close to call" in set(found.moved["verdict"])


def test_dates_of_a_later_run_are_counted_from_the_first_one(saved: dict[str, Path], tmp_path: Path) -> None:
    """Also where draws are not the same, and only means are compared."""
    late = sp.ensemble(JULY.override({"scenario.start": dt.date(2022, 7, 1)}), ["none"], 40, 3)
    found = diff(saved["draws"], late.save(tmp_path / "late.parquet"), policies=["none"])
    key = ["policy", "munition", "recipient", "metric"]
    row = found.moved.set_index(key).loc["none", "pac3", "us", "minimum_after_as_of_date"]
    own = late.estimates().set_index(key)["mean"]
    assert row.b == pytest.approx(own["none", "pac3", "us", "minimum_after_as_of_date"] + 4) and row.change == pytest.approx(row.b - row.a)
    lasts = found.moved.set_index(key).loc["none", "pac3", "us", "months_below.review_level"]
    assert lasts.b == pytest.approx(own["none", "pac3", "us", "months_below.review_level"])


def test_values_of_a_manifest_are_read_back() -> None:
    for value in (0.5, 3, True, "low", [1, 2], dt.date(2026, 1, 1), {"scale": 0.2, "from": dt.date(2026, 1, 1)}, {"at": "low"}):
        assert value_of(str(value)) == value
    change = {"recipients.ukraine.pac3.need": {"scale": 0.2, "from": dt.date(2026, 1, 1)}}
    other = JULY.override(change)
    again = scenario_of(sp.run(other, ["none"]).manifest)
    assert again is not None and again.digest == other.digest
    assert scenario_of({"scenario": "nonesuch", "parameters": "", "overrides": {}}) is None


# ---------------------------------------------------------------- time


def test_runs_of_other_lengths_share_their_months() -> None:
    longer = JULY.override({"scenario.end": dt.date(2034, 1, 1)})
    found = diff(JULY, longer, policies=["none"], munitions=["pac3"], members=0)
    rows = found.moved.set_index(["metric", "recipient"])
    # PAC-3 never falls below its floor in either, which is no change though one run is a year longer.
    assert rows.loc[("first_below.transfer_floor", "us"), "change"] == 0
    assert rows.loc[("total_used", "us"), "change"] > 0
    assert found.why["path"].tolist() == ["scenario.end"]


# ---------------------------------------------------------------- refusals, pages, the command line


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"b": "nonesuch"}, ["unknown scenario 'nonesuch'"]),
        ({"b": "missing.parquet"}, ["missing.parquet", "no such file"]),
        ({"b": "table.csv"}, ["table.csv", "no more than a table"]),
        ({"policies": ["nonesuch"]}, ["policies", "'nonesuch' is not on both sides"]),
        ({"munitions": ["nonesuch"]}, ["munitions", "'nonesuch'"]),
        ({"metrics": ["nonesuch"]}, ["metrics", "'nonesuch'"]),
        ({"members": -1}, ["members"]),
        ({"members": 1.5}, ["members"]),
    ],
)
def test_what_cannot_be_compared_is_refused(given: dict[str, Any], words: list[str]) -> None:
    asked: dict[str, Any] = {"a": JULY, "b": JULY.override({SHARE: 0.5}), "members": 0} | given
    with pytest.raises(sp.InputError) as caught:
        diff(asked.pop("a"), asked.pop("b"), **asked)
    for word in words:
        assert word in str(caught.value)


def test_command_line(call: Call, tmp_path: Path) -> None:
    over = folder(tmp_path / "over", sources=SOURCE, munitions__pac3=PARAMETER.format(source="made_up_2025_06_share"))
    asked = ("diff", "july_2025", over, "--members", "0", "--munition", "pac3", "--policy", "none")
    done = call(*asked)
    assert done.code == 0 and done.out.startswith("Most moved from july_2025 to ")
    assert SHARE in done.out and "made_up_2025_06_share" in done.out and "whole" in done.out
    found = call(*asked, "--json", "-o", tmp_path / "moved.csv").json
    assert found["why"][0]["path"] == SHARE and not found["nothing_moved"]
    assert (tmp_path / "moved.csv").read_text(encoding="utf-8").startswith("policy,munition,recipient,metric,unit,a,b,change")
    same = call("diff", "july_2025", "july_2025", "--members", "0")
    assert same.code == 0 and same.out.startswith("Nothing moved")
    wrong = call("diff", "july_2025", "nonesuch", "--members", "0")
    assert wrong.code == 2 and "unknown scenario" in wrong.err and "Traceback" not in wrong.err
    assert call("diff", "july_2025", "july_2025", "--members", "many").code == 2


def test_folders_of_one_side_and_of_both(call: Call, tmp_path: Path) -> None:
    over = folder(tmp_path / "over", sources=SOURCE, munitions__pac3=PARAMETER.format(source="made_up_2025_06_share"))
    asked = ("diff", "july_2025", "july_2025", "--members", "0", "--munition", "pac3", "--json")
    assert call(*asked, "--params-b", over).json["why"][0]["new"] == 0.5
    assert call(*asked, "--params-a", over).json["why"][0]["old"] == 0.5
    assert call(*asked, "--params", over).json["nothing_moved"]


def test_page(tmp_path: Path) -> None:
    found = diff("july_2025", "ceasefire", munitions=["pac3"], members=50)
    text = sp.report(found, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "What moved from july_2025 to ceasefire, and why" in text and "a ceasefire that holds" in text
    assert "Only together (interaction)" in text
