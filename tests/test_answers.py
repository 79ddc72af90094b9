"""Answer sheets: sentences say the numbers of the draws, the confidence word follows its rule, sources and what cannot be confirmed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Call

import stockpile as sp
from stockpile.analysis import answers
from stockpile.analysis.answers import Asked, Found, answer, question, questions
from stockpile.analysis.confidence import Confidence, confidence
from stockpile.analysis.grounds import Cited, cannot_confirm, cited, grades_of
from stockpile.analysis.wording import amount, spread
from stockpile.report.workbench.section import signed

JULY = sp.load("july_2025")
PAUSE, BASE = "suspension_2025_07", "none"
NAMES = [
    "when_below_floor", "what_did_the_pause_change", "is_the_pause_material", "how_long_to_rebuild", "what_keeps_the_stock_above",
    "which_unknown_matters", "where_does_a_number_come_from", "how_did_past_forecasts_do",
]
WORDS = {"high", "medium", "low", "too close to call", "cannot confirm"}
SOURCE = """
[made_up_2025_06]
title = "A made-up report"
publisher = "A made-up {kind} outlet"
date = {date}
precision = "day"
url = "https://example.org/made-up"
kind = "original"
outlet_kind = "{kind}"
"""
OBSERVATION = """
[{name}]
title = "{title}"
munition = "pac3"
{when}
unit = "round"
basis = "{basis}"
scope = {{ state = "{state}", owner = "{owner}", variant = "{variant}", match = "{match}" }}
value = {value}
source = ["made_up_2025_06"]
where = "table 1"
grade = "reported"
{more}
"""
STOCK = {
    "title": "US stock, made up", "when": "date = 2025-06-01", "basis": "estimate", "state": "on_hand", "owner": "us", "variant": "PAC-3",
    "match": "same", "more": "",
}


def over(path: Path, *observations: dict[str, Any], kind: str = "press", date: str = "2025-06-30", **files: str) -> sp.Scenario:
    """Return July 2025 with a source, observations and files of a folder laid over."""
    texts = [OBSERVATION.format(name=f"made_up_{number}", **(STOCK | one)) for number, one in enumerate(observations)]
    files |= {"sources": SOURCE.format(kind=kind, date=date)} | ({"observations__made_up": "".join(texts)} if texts else {})
    for name, text in files.items():
        file = path / f"{name.replace('__', '/')}.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return sp.load("july_2025", params=[path])


# ---------------------------------------------------------------- the rule of the confidence word


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"agreement": 0.95}, "high"),
        ({"agreement": 0.9, "grades": ["reported", "measured"]}, "high"),
        ({"agreement": 0.89}, "medium"),
        ({"agreement": 0.66}, "low"),
        ({"agreement": 1.0, "grades": ["reported", "derived"]}, "medium"),
        ({"agreement": 1.0, "grades": ["assumed"]}, "medium"),
        ({"agreement": 0.5, "grades": ["assumed"]}, "low"),
        ({"agreement": 1.0, "close": True}, "too close to call"),
        ({"agreement": 1.0, "values": np.linspace(90, 110, 1000)}, "high"),
        ({"agreement": 1.0, "values": np.linspace(0, 200, 1000)}, "medium"),
        ({"agreement": 1.0, "values": np.linspace(-500, 600, 1000)}, "low"),
        ({"values": np.zeros(10)}, "high"),
        ({"values": np.array([0.0, 1.0, np.inf])}, "low"),
    ],
)
def test_confidence_follows_its_rule(given: dict[str, Any], word: str) -> None:
    assert confidence(**given).word == word


def test_a_weak_outlet_alone_counts_as_assumed() -> None:
    def one(outlet: str) -> Cited:
        return Cited("a", "a", 1.0, 1.0, 1.0, "round", "reported", source="s", outlet=outlet)

    assert grades_of([one("weak"), one("state_linked")]) == ["assumed"]
    assert grades_of([one("weak"), one("press")]) == ["reported"]


# ---------------------------------------------------------------- numbers of the sentences


def test_chance_of_the_floor_is_that_of_an_ensemble() -> None:
    found = answer("when_below_floor", JULY, munition="shell_155mm", policy=BASE, by="2023-06", members=300, seed=2)
    made = sp.ensemble(JULY, [BASE], 300, 2)
    chance = made.chance_below("transfer_floor", by="2023-06-01", policy=BASE, munition="shell_155mm")
    assert (found.numbers["hits"], found.numbers["probability"]) == (chance.hits, chance.value)
    assert 0 < chance.value < 1 and spread(chance.value, chance.low, chance.high, "1") in found.short
    assert "1 June 2023" in found.short and "155 mm" in found.question and '"No suspension"' in found.short
    ever = 1 - made.never("first_below.transfer_floor", policy=BASE, munition="shell_155mm").value
    assert found.numbers["ever"] == pytest.approx(ever)
    months = made.metric_values.numbers[made.metric("first_below.transfer_floor", policy=BASE, munition="shell_155mm")]  # type: ignore[index]
    middle = sorted(months[np.isfinite(months)])[int(np.isfinite(months).sum() / 2)]
    assert abs(found.numbers["first_months"][1] - middle) <= 1


def test_a_chance_of_one_half_is_too_close_to_call() -> None:
    close = []
    for date in ("2023-03", "2023-09", "2024-03", "2024-09", "2025-03"):
        found = answer("when_below_floor", JULY, munition="shell_155mm", by=date, members=60)
        low, high = found.numbers["low"], found.numbers["high"]
        assert (found.confidence.word == "too close to call") == (low <= 0.5 <= high)
        close.append(low <= 0.5 <= high)
    assert any(close) and not all(close)


def test_what_the_pause_changed_is_paired_draw_by_draw() -> None:
    found = answer("what_did_the_pause_change", JULY, by="2026-01-01", members=200)
    policies = [row["policy"] for row in found.numbers["policies"]]
    assert policies == ["suspension_2025_07", "suspension_6_months", "suspension_indefinite", "suspension_including_israel"]
    made = sp.ensemble(JULY, [BASE, *policies], 200, dates=["2026-01-01"])
    frame = made.differences().set_index(["policy", "munition", "recipient", "metric"])
    for row, sentence in zip(found.numbers["policies"], [found.short, *found.more], strict=True):
        stock = frame.loc[row["policy"], "pac3", "us", made.stock_at("2026-01-01")]
        assert row["stock"]["mean"] == pytest.approx(stock["mean"], abs=1e-9)
        for who, change in row["unmet"].items():
            assert change["mean"] == pytest.approx(frame.loc[row["policy"], "pac3", who, "total_unmet"]["mean"], abs=1e-9)
        title = JULY.policies[row["policy"]].title
        assert f'"{title}"' in sentence and "the unmet need of Ukraine" in sentence and "cost" not in sentence
        if abs(row["stock"]["mean"]) > 20:
            width = max(row["stock"]["high"] - row["stock"]["low"], abs(row["stock"]["mean"]) / 10)
            assert f"by +{amount(row['stock']['mean'], width, 'round')} on average" in sentence
    assert [set(row["unmet"]) for row in found.numbers["policies"]] == [{"ukraine"}, {"ukraine"}, {"ukraine"}, {"ukraine", "israel"}]
    only = answer("what_did_the_pause_change", JULY, policy="suspension_indefinite", by="2026-01-01", members=100)
    assert [row["policy"] for row in only.numbers["policies"]] == ["suspension_indefinite"] and not only.more


def test_materiality_is_that_of_the_pause() -> None:
    from stockpile.analysis.materiality import materiality

    found = answer("is_the_pause_material", JULY, members=60)
    row = materiality(JULY, [PAUSE], ["pac3"], members=60).table.set_index("name").loc[PAUSE]
    assert found.numbers["rounds"] == row["rounds"] and found.numbers["word"] == row["word"]
    assert f"moves {float(f'{row.rounds:.2g}'):g} (" in found.short and row["word"] in found.short
    assert f"{float(f'{100 * row.of_stock:.2g}'):g} % (" in found.short
    # At the end of the run all that was put off has been paid: what is left over is of rounding, and no number.
    assert abs(row.change_at_horizon) < 0.5 and "e-" not in found.more[0]
    assert found.more[0].endswith("when it ends and by less than one round when the run ends.") or "by 0 (" in found.more[0]


def test_months_to_rebuild_are_those_of_the_draws() -> None:
    found = answer("how_long_to_rebuild", JULY, munition="shell_155mm", policy=BASE, members=150)
    made = sp.ensemble(JULY, [BASE], 150)
    assert [row["level"] for row in found.numbers["levels"]] == ["requirement", "review_level"]
    for row, sentence in zip(found.numbers["levels"], [found.short, *found.more], strict=False):
        values = {
            name: made.metric_values.numbers[made.metric(f"{name}.{row['level']}", policy=BASE, munition="shell_155mm")]  # type: ignore[index]
            for name in ("first_below", "months_to_rebuild")
        }
        fell = np.isfinite(values["first_below"])
        assert row["fell"] == fell.sum() and row["late"] == np.isinf(values["months_to_rebuild"][fell]).sum()
        back = values["months_to_rebuild"][fell & np.isfinite(values["months_to_rebuild"])]
        if len(back):
            assert f"{sorted(back)[(len(back) - 1) // 2]:.0f} months after its lowest point" in sentence
    assert "lead time" in found.more[-1] and "US share" in found.more[-1]


def test_an_objective_that_counts_purchases_is_not_taken_for_a_stock() -> None:
    of_pac3 = answer("how_long_to_rebuild", JULY, munition="pac3", policy=BASE, members=40).short
    assert "(objective 2025, which counts all rounds ever bought)" in of_pac3
    of_shells = answer("how_long_to_rebuild", JULY, munition="shell_155mm", policy=BASE, members=40).short
    assert "the requirement assumed here (" in of_shells and "ever bought" not in of_shells


def test_what_keeps_a_stock_above_is_a_break_even() -> None:
    found = answer("what_keeps_the_stock_above", JULY, by="2030-01-01", members=60)
    rows = {row["lever"]: row for row in found.numbers["levers"]}
    share = sp.break_even(
        JULY, {"munitions.pac3.us_share": "0.2:0.9:0.1"}, "pac3:below.transfer_floor@2030-01-01", PAUSE, level=0.1, members=60
    ).crossings.iloc[0]
    own = rows["munitions.pac3.us_share"]
    assert own["verdict"] == share.verdict and (own["value"] == share["value"] or np.isnan(share["value"]))
    assert len(rows) == 3 and "10 %" in found.short and "US share" in found.short
    assert "the multiple of what the line can deliver" in found.more[0] and "Suspension of six months" in found.more[1]


def test_the_unknown_that_matters_leads_the_sobol_indices(monkeypatch: pytest.MonkeyPatch) -> None:
    from stockpile.analysis import stock_answers

    monkeypatch.setattr(stock_answers, "POINTS", (256, 256))
    found = answer("which_unknown_matters", JULY, policy=BASE, members=60)
    indices = sp.sensitivity(JULY, "pac3:minimum_after_as_of", BASE, members=60, start=256, most=256).indices
    best = indices.sort_values("first", ascending=False).iloc[0]
    assert found.numbers["ranking"][0]["factor"] == best.factor
    assert best.label.lower() in found.short.lower()
    assert found.short.count("%") >= 1 and found.confidence.word in WORDS


def test_where_a_number_comes_from_names_value_grade_and_publishers() -> None:
    path = "munitions.pac3.us_share"
    found = answer("where_does_a_number_come_from", JULY, path=path)
    (one,) = [row for row in JULY.table().to_dict("records") if row["path"] == path and str(row["from"]) < "2025-07-09"]
    assert f"{one['value']:g} ({one['low']:g} to {one['high']:g})" in found.short and one["grade"] in found.short
    for key in one["source"].split("; "):
        assert JULY.sources[key].publisher in found.short
    assert {source.path for source in found.sources} == {path}
    assert "0.46 (US Department of Defense (Army))" in found.more[-1], "two books of one publisher are named once"
    # Other sources give other values: a derived value is then a step lower than medium.
    assert found.confidence == Confidence("low", "grade: derived; other sources give other values", grade="derived")
    assert any("sources differ" in text for text in found.cannot_confirm) and "Other values that stand beside it" in found.more[-1]
    floor = answer("where_does_a_number_come_from", JULY, path="munitions.pac3.floors.transfer_floor.level")
    assert floor.confidence.word == "cannot confirm" and "no source" in floor.short


@pytest.mark.slow
def test_past_forecasts_are_counted_as_the_scoreboard_counts_them() -> None:
    from stockpile.evidence.score import COUNTED, OUT, UNKNOWN, score

    found = answer("how_did_past_forecasts_do", JULY, members=60)
    made = score(JULY, UNKNOWN, PAUSE, members=60)
    frame = made.summary
    rows = frame[(frame["sample"] == OUT) & (frame["standing"] == COUNTED) & (frame["figures"] > 0)]
    if not len(rows):
        assert found.confidence.word == "cannot confirm"
        return
    row = rows.iloc[0]
    assert f"{row.hits:.0f} of {row.figures:.0f} figures" in found.short and "9 July 2025" in found.short
    assert found.numbers["out_of_sample"]["hits"] == row.hits
    assert "(reported 1,085, expected " in found.more[-1] and "(reported at most 1,000, expected " in found.more[-1]
    bounds = int((made.observations.query("sample == @OUT and standing == @COUNTED").statement != "about").sum())
    assert 0 < bounds < row.figures and f"({bounds} of the {row.figures} are inequalities, which are easier to meet)" in found.short


# ---------------------------------------------------------------- what cannot be confirmed


def said(scenario: sp.Scenario, states: tuple[str, ...], paths: tuple[str, ...] = ()) -> tuple[str, ...]:
    return cannot_confirm(scenario, "pac3", states, cited(scenario, paths))


def test_an_official_stock_is_missing_until_its_owner_counts_it(tmp_path: Path) -> None:
    assert any(text.startswith("The official US stock of PAC-3: no count by its owner") for text in said(JULY, ("on_hand",)))
    assert not any("official" in text for text in said(JULY, ("sent",)))
    counted = over(tmp_path, {"value": 2000, "basis": "count"})
    assert not any("official" in text for text in said(counted, ("on_hand",)))


def test_conflicts_claims_and_types_that_are_not_said(tmp_path: Path) -> None:
    window = {"when": "start = 2025-07-01\nend = 2025-07-02", "owner": "ukraine"}
    scenario = over(
        tmp_path / "over",
        {"value": 2000, "more": 'conflict = "made_up"'},
        {"value": 1200, "more": 'conflict = "made_up"'},
        {"value": 77, "basis": "claim", "state": "sent", **window, "title": "Sent, a claim"},
        {"value": 30, "state": "withheld", "match": "other", "variant": "missiles of no type given", **window, "title": "Held back"},
    )
    found = said(scenario, ("on_hand", "sent", "withheld"))
    (conflict,) = [text for text in found if "A made-up press outlet" in text and "against" in text]
    assert "2,000 rounds (A made-up press outlet, 30 June 2025) against 1,200 rounds" in conflict and "nobody has decided" in conflict
    assert any("Sent, a claim: 77 rounds is a claim" in text for text in found)
    assert any("Held back: 30 rounds" in text and '"missiles of no type given"' in text for text in found)
    # What was published after the date of a scenario is not known to it.
    later = over(tmp_path / "over", date="2025-07-10")
    assert not any("made-up press outlet" in text for text in said(later, ("on_hand", "sent", "withheld")))


def test_assumptions_are_named_with_their_range() -> None:
    path = "munitions.pac3.floors.transfer_floor.level"
    (text,) = said(JULY, (), (path,))
    row = next(row for row in JULY.table().to_dict("records") if row["path"] == path)
    assert f"{row['value']:g} ({row['low']:g} to {row['high']:g}) is assumed" in text and "no source states it" in text


# ---------------------------------------------------------------- the sheet


@pytest.mark.slow
def test_every_question_fills_its_sheet() -> None:
    assert list(questions()) == NAMES
    for name in NAMES:
        found = answer(name, JULY, munition="aim9x", members=60)
        assert found.short.endswith(".") and found.short[0] == found.short[0].upper() and "{" not in found.question
        assert found.confidence.word in WORDS
        text, marked = found.text(), found.markdown()
        assert text.startswith("Question: ") and "Confidence: " in text and "seed 1" in text and JULY.digest[:12] in marked
        assert max(map(len, (line for line in text.splitlines() if "http" not in line))) <= 100
        flat = " ".join(text.split())
        for one in (found.short, *found.more, *found.cannot_confirm):
            assert " ".join(one.split()) in flat and one in marked
        for source in found.sources:
            assert source.source == "" or (source.url in flat and source.publisher in flat)
        data = json.loads(json.dumps(found.data(), default=str))
        assert data["short"] == found.short and data["confidence"]["word"] == found.confidence.word
        assert not re.search(r"\bwill\b", text)


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(answers, "QUESTIONS", dict(questions()))
    return None


@pytest.mark.usefixtures("apart")
def test_a_newcomer_adds_a_question_with_a_decorator() -> None:
    @question("How many rounds of {what} does the US have at the start?")
    def how_many_at_the_start(asked: Asked) -> Found:
        """Say what the US stock is at the start."""
        rests = cited(asked.scenario, [f"munitions.{asked.munition}.us_stock"])
        return Found(f"{rests[0].valued}.", confidence(grades=grades_of(rests)), rests)

    assert "how_many_at_the_start" in questions()
    found = answer("how_many_at_the_start", JULY)
    assert found.question == "How many rounds of PAC-3 does the US have at the start?" and "rounds" in found.short
    assert found.sources and "Say what the US stock" in questions()["how_many_at_the_start"].help


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"question": "nonesuch"}, ["'nonesuch'", "when_below_floor"]),
        ({"munition": "pac"}, ["unknown munition 'pac'", "pac3"]),
        ({"policy": "nonesuch"}, ["nonesuch"]),
        ({"by": "soon"}, ["'soon' is no date"]),
        ({"by": "2050-01"}, ["2050-01-01", "outside the run"]),
        ({"members": 10}, ["members", "10"]),
        ({"question": "is_the_pause_material", "policy": "none"}, ["none suspends nothing"]),
        ({"question": "where_does_a_number_come_from", "path": "munitions.pac3"}, ["munitions.pac3", "not one number"]),
        ({"munition": "pac", "by": "soon", "question": "x"}, ["unknown munition", "no date", "'x' is unknown"]),
    ],
)
def test_what_cannot_be_asked_is_refused(given: dict[str, Any], words: list[str]) -> None:
    asked: dict[str, Any] = {"question": "when_below_floor", "members": 40} | given
    with pytest.raises(sp.InputError) as caught:
        answer(asked.pop("question"), JULY, **asked)
    for word in words:
        assert word in str(caught.value)


def test_command_line(call: Call, tmp_path: Path) -> None:
    listed = call("answer")
    assert listed.code == 0 and all(name in listed.out for name in NAMES)
    asked = ("answer", "when_below_floor", "july_2025", "--munition", "pac3", "--members", "60", "--by", "2027-01")
    done = call(*asked, "-o", tmp_path / "sheet.md")
    assert done.code == 0 and done.out.startswith("Question: When does the US stock of PAC-3 fall below")
    assert (tmp_path / "sheet.md").read_text(encoding="utf-8").startswith("**When does the US stock")
    data = call(*asked, "--json").json
    assert data["name"] == "when_below_floor" and data["numbers"]["by"] == "2027-01-01" and data["manifest"]["members"] == 60
    assert " ".join(done.out.split()).count(data["short"]) == 1
    wrong = call("answer", "nonesuch")
    assert wrong.code == 2 and "nonesuch" in wrong.err and "Traceback" not in wrong.err
    assert call("answer", "when_below_floor", "-o", tmp_path / "sheet.pdf").code == 2


def test_page(tmp_path: Path) -> None:
    found = answer("when_below_floor", JULY, members=60)
    text = sp.report([found], tmp_path / "page.html").read_text(encoding="utf-8")
    assert "the floor assumed here" in text and "Confidence: " in text and "What nobody outside can confirm" in text
    assert signed("from -3 to 2025-07-09, AIM-9X (-0.5 to -.25)") == "from \u22123 to 2025-07-09, AIM-9X (\u22120.5 to \u2212.25)"
