"""The page: what it says is what the figures show, it stands alone, and the same inputs give the same bytes."""

from __future__ import annotations

import base64
import csv
import dataclasses
import datetime as dt
import hashlib
import io
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

import stockpile as sp
from stockpile.codegen import diagram
from stockpile.model.state import FLOWS, STOCKS
from stockpile.params import read
from stockpile.report import bars, blocks, effects, evidence, facts, figures, index, narrative, page, projection, tables, theme, words
from stockpile.report.study import Study, study_of

MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
DATES = re.compile(rf"(?:\d{{1,2}} to )?(?:\d{{1,2}} )?{MONTH} \d{{4}}")
NUMBERS = re.compile(r"[+−]?\d+(?:,\d{3})*(?:\.\d+)?")


@pytest.fixture(scope="module")
def scenario() -> sp.Scenario:
    return sp.load("july_2025")


@pytest.fixture(scope="module")
def july(scenario: sp.Scenario) -> Study:
    return study_of(scenario, sp.run(scenario))


@pytest.fixture(scope="module")
def text(scenario: sp.Scenario, tmp_path_factory: pytest.TempPathFactory) -> str:
    return sp.report(scenario, tmp_path_factory.mktemp("pages") / "july_2025.html", command="the command").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def frame(july: Study) -> pd.DataFrame:
    return july.result.table()


@pytest.fixture(scope="module")
def metric(july: Study) -> pd.Series:
    return july.result.metrics().set_index(["policy", "munition", "recipient", "metric"])["value"]


class Elements(HTMLParser):
    """Every start tag with its attributes, and the content of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str]]] = []
        self.scripts: list[tuple[dict[str, str], str]] = []
        self.visible: list[str] = []
        self._script: dict[str, str] | None = None
        self._style = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        self.found.append((tag, known))
        if tag == "script":
            self._script = known
            self.scripts.append((known, ""))
        self._style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._script = None
        self._style = False

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            self.scripts[-1] = (self._script, self.scripts[-1][1] + data)
        elif not self._style:
            self.visible.append(data)

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def elements(text: str) -> Elements:
    return Elements(text)


def part(elements: Elements, name: str) -> object:
    return json.loads(next(content for attributes, content in elements.scripts if attributes.get("id") == name))


def prose(study: Study) -> list[str]:
    """Every generated sentence of a page."""
    numbers = evidence.event_numbers(study)
    parts = [blocks.part(study, munition, numbers) for munition in study.result.munitions]
    charts = [chart for one in parts for chart in one.charts]
    cost = blocks.cost(study)
    charts += [cost] if cost else []
    said = [*narrative.headline(study), narrative.NOT_THIS, narrative.steps_differ(study) or ""]
    said += [sentence for one in parts for sentence in one.materiality_notes]
    return said + [one for chart in charts for one in (chart.title, chart.subtitle, chart.alternative, *chart.notes)]


def numbers_in(sentence: str, study: Study) -> set[str]:
    """The numbers of a sentence that are neither dates nor parts of names."""
    plain = re.sub(r"“[^”]*”", "", sentence)
    for munition in study.scenario.munitions.values():
        for name in (munition.title, munition.short, *(level.title for level in munition.floors.values())):
            plain = plain.replace(name, "")
    return set(NUMBERS.findall(DATES.sub("", plain)))


# ---------------------------------------------------------------- stands alone


def test_plotly_is_in_it_once_and_the_page_is_not_too_large(text: str) -> None:
    assert text.count("* plotly.js v") == 1
    assert len(text.encode()) < 8_000_000


def test_nothing_is_loaded_from_anywhere(elements: Elements) -> None:
    loading = ("src", "srcset", "data", "action", "formaction", "poster", "background", "ping", "manifest", "xlink:href")
    for tag, attributes in elements.found:
        assert tag not in {"iframe", "object", "embed", "form", "base", "img", "video", "audio"}
        assert not [name for name in attributes if name in loading or name.startswith("on")], (tag, attributes)
        if tag == "link":
            assert attributes == {"rel": "icon", "href": "data:,"}
        elif "href" in attributes:
            assert tag == "a"
            assert attributes["href"].startswith(("#", "https://", "http://", "data:text/csv;charset=utf-8,"))
    assert "@import" not in page.asset("style.css")
    assert "url(" not in page.asset("style.css")


def test_policy_lets_run_only_the_scripts_that_are_there(elements: Elements) -> None:
    meta = next(one for one in elements.of("meta") if one.get("http-equiv") == "Content-Security-Policy")
    rules = {rule.split()[0]: rule.split()[1:] for rule in meta["content"].split("; ")}
    run = [content for attributes, content in elements.scripts if attributes.get("type") != "application/json"]
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in run}
    assert set(rules.pop("script-src")) == hashes
    assert len(run) == 2
    assert rules == {
        "default-src": ["'none'"],
        "style-src": ["'unsafe-inline'"],
        "img-src": ["data:", "blob:"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }


def test_policy_stands_before_everything_it_governs(elements: Elements) -> None:
    order = [tag for tag, attributes in elements.found if tag in {"style", "script", "link"} or "http-equiv" in attributes]
    assert order[0] == "meta"


def test_every_way_out_of_a_figure_is_shut(elements: Elements) -> None:
    drawn = part(elements, "figures")
    assert isinstance(drawn, dict)
    assert drawn["config"]["showSendToCloud"] is False
    assert drawn["config"]["plotlyServerURL"] == ""
    assert drawn["config"]["displaylogo"] is False
    assert page.asset("page.js").count("Plotly.newPlot(") == 1
    assert "book.config" in page.asset("page.js").split("Plotly.newPlot(")[1].split(")")[0]


def test_same_inputs_give_the_same_bytes(scenario: sp.Scenario, text: str, tmp_path: Path) -> None:
    assert sp.report(scenario, tmp_path / "again.html", command="the command").read_text(encoding="utf-8") == text
    code = f"import stockpile as sp; sp.report(sp.load('july_2025'), {str(tmp_path / 'other.html')!r}, command='the command')"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C"})
    assert (tmp_path / "other.html").read_text(encoding="utf-8") == text


def test_page_is_written_whole_or_not_at_all(scenario: sp.Scenario, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(sp.InputError, match="cannot be written"):
        sp.report(scenario, tmp_path / "taken", policies=["none"])
    assert [file.name for file in tmp_path.iterdir()] == ["taken"]


def test_folder_is_made_and_the_path_comes_back(scenario: sp.Scenario, tmp_path: Path) -> None:
    target = tmp_path / "new" / "page.html"
    assert sp.report(scenario, str(target), policies=["none"]) == target
    assert "stockpile report july_2025 --policy none --members 0 -o new/page.html" in target.read_text(encoding="utf-8")


# ---------------------------------------------------------------- says what the figures show


def test_no_sentence_foretells(july: Study, text: str) -> None:
    said = prose(july)
    assert len(said) > 60
    for sentence in [*said, page.asset("report.html.j2")]:
        assert not re.search(r"\b(will|shall|going to)\b", sentence, re.IGNORECASE), sentence
    for sentence in narrative.headline(july):
        assert sentence.replace("’", "&#8217;") in text or sentence in text


def test_floor_is_always_the_one_assumed_here(july: Study) -> None:
    for sentence in prose(july):
        for found in re.finditer(r"\bfloors?\b", sentence):
            assert re.match(r"floors? (is an assumption|assumed here)", sentence[found.start() :]), sentence


def test_numbers_of_the_suspension_are_those_of_the_tables(july: Study, frame: pd.DataFrame) -> None:
    stock = frame[(frame.quantity == "us_on_hand") & (frame.date == "2025-08-01")].set_index(["policy", "munition"])["value"]
    fine = july.fine.table() if july.fine else pd.DataFrame()
    daily = fine[(fine.quantity == "us_on_hand") & (fine.date == "2025-08-01")].set_index(["policy", "munition"])["value"]
    allowed = {words.signed(one["suspension_2025_07", m] - one["none", m]) for one in (stock, daily) for m in july.result.munitions}
    sentence = narrative.suspension_sentence(july)
    assert sentence is not None
    assert numbers_in(sentence, july) == allowed
    assert "1 to 9 July 2025" in sentence


def test_numbers_of_unmet_need_are_those_of_the_metrics(july: Study, metric: pd.Series) -> None:
    sentence = narrative.need_sentence(july)
    assert sentence is not None
    named = next(policy for policy in july.others if f"“{july.title(policy)}”" in sentence)
    changes = {m: metric[named, m, "ukraine", "change_in.total_unmet"] for m in july.result.munitions}
    assert numbers_in(sentence, july) == {words.signed(change) for change in changes.values() if abs(change) >= narrative.ONE}
    for m in july.result.munitions:
        assert changes[m] >= max(metric[policy, m, "ukraine", "change_in.total_unmet"] for policy in july.others) - 1.0


def test_numbers_of_the_floors_are_those_of_the_result(july: Study) -> None:
    allowed = {words.rounds(float(levels["transfer_floor"][0])) for levels in july.result.levels.values()}
    found = set().union(*(numbers_in(sentence, july) for sentence in narrative.floors(july)))
    assert found == allowed


def test_shares_of_who_drew_are_those_of_the_table(july: Study, frame: pd.DataFrame) -> None:
    past = frame[(frame.policy == "none") & (frame.date < "2025-07-01")].groupby(["munition", "quantity", "recipient"])["value"].sum()
    allowed = set()
    for m in july.result.munitions:
        own = past[m]
        left = {r: own.get(("sent", r), 0.0) + own.get(("own_use_for", r), 0.0) for r in july.result.rows} | {"age": own["expired", "us"]}
        allowed.add(words.percent(max(left.values()) / sum(left.values())))
    sentence = narrative.drawn(july)
    assert sentence is not None
    assert {f"{one}\N{NO-BREAK SPACE}%" for one in numbers_in(sentence, july)} == allowed


def test_materiality_is_the_effect_over_stock_output_and_use(july: Study, frame: pd.DataFrame) -> None:
    none = frame[(frame.policy == "none") & (frame.munition == "pac3")]

    def value(quantity: str, date: str, row: str = "us") -> float:
        return float(none[(none.quantity == quantity) & (none.date == date) & (none.recipient == row)]["value"].iloc[0])

    rows = {row.label: row for row in july.materiality("pac3")}
    shipment = rows["shipment on record for those days"]
    assert shipment.rounds == 30.0
    assert shipment.of_stock == pytest.approx(30.0 / value("us_on_hand", "2025-08-01"))
    assert shipment.of_output == pytest.approx(30.0 / value("delivered", "2025-07-01"))
    assert shipment.of_recipient_use == pytest.approx(30.0 / value("used", "2025-07-01", "ukraine"))
    assert shipment.of_largest_use == pytest.approx(1.0)
    year = none[(none.quantity == "own_use") & (none.date >= "2024-07-01") & (none.date < "2025-07-01")]["value"].sum()
    assert shipment.of_us_use == pytest.approx(30.0 / (year / 12))
    effect = float(july.effect("suspension_2025_07", "pac3")[july.result.index("2025-08-01")])
    assert rows["change in US stock on 1 August 2025, month steps"].rounds == effect
    assert 0.0 < effect <= 30.0
    assert rows["change in US stock on 9 July 2025, daily steps"].rounds == pytest.approx(30.0, rel=0.02)


def test_every_other_number_in_prose_is_one_of_the_result(july: Study, metric: pd.Series) -> None:
    """Titles and alternatives of a munition say only what its own tables say, or first, last and extreme values of its own lines."""
    numbers, checked = evidence.event_numbers(july), 0
    start, end = effects.span(july)
    for m in july.result.munitions:
        one = blocks.part(july, m, numbers)
        cells = {cell for chart in one.charts for row in chart.table.rows for cell in row[1:]}
        allowed = set().union(*(set(NUMBERS.findall(cell)) for cell in cells))
        allowed |= {words.rounds(float(level[0])) for level in july.result.levels[m].values()}
        shares = [floor.level.points[-1].value for floor in july.scenario.munitions[m].floors.values() if floor.of]
        allowed |= {number for share in shares for number in NUMBERS.findall(words.percent(share))}
        lines = [july.stock(policy, m) for policy in july.result.policies] + [july.effect(policy, m)[start:end] for policy in july.others]
        allowed |= {words.rounds(float(value)) for line in lines for value in (line[0], line.min(), line.max(), line[-1])}
        left = [draw.from_stock for draw in july.draws(m, 0, july.now)]
        allowed |= {words.rounds(max(left)), words.rounds(sum(left))}
        for row in july.result.recipients:
            used, unmet = (metric["none", m, row, f"total_{name}"] for name in ("used", "unmet"))
            later = float(july.series("unmet", row, "none", m)[july.now :].sum())
            need = later + float(july.series("used", row, "none", m)[july.now :].sum())
            share = NUMBERS.findall(words.percent(later / need)) if need else []
            allowed |= {words.rounds(used), words.rounds(unmet), words.rounds(later), *share}
        if july.fine is not None:
            daily = july.daily(m)
            allowed |= {words.rounds(float(value)) for value in (daily.max(), daily[-1])}
        allowed |= {number.lstrip("+−") for number in allowed}
        for sentence in (text for chart in one.charts for text in (chart.title, chart.alternative)):
            found = {n.lstrip("+−") for n in numbers_in(re.sub(r"\(and \d+ alike\)", "", sentence), july)}
            checked += len(found)
            assert found <= allowed, (sentence, found - allowed)
    assert checked > 150


def test_numbers_of_the_cost_are_those_of_the_metrics(july: Study, metric: pd.Series) -> None:
    cost = blocks.cost(july)
    assert cost is not None
    own = metric[metric.index.get_level_values("metric") == "replacement_cost"].groupby(level="policy").sum()
    totals = {words.billion(float(value)) for value in own}
    assert numbers_in(cost.title, july) == {words.billion(float(own.min())), words.billion(float(own.max())), "2025"}
    without_titles = re.sub("|".join(re.escape(july.title(policy)) for policy in july.result.policies), "", cost.alternative)
    assert numbers_in(without_titles, july) == totals | {"2025"}


def test_a_floor_that_is_changed_says_what_it_is() -> None:
    scenario = sp.load("pacific_reserve")
    study = study_of(scenario, sp.run(scenario, ["none"]))
    label = projection.level_label(study, "pac3", "transfer_floor")
    assert label == "the floor assumed here: 60\N{NO-BREAK SPACE}% of the March 2022 stock"
    assert projection.level_label(study, "pac3", "review_level") == "for comparison: the March 2022 stock"


def test_a_stock_that_comes_close_to_its_floor_is_not_called_above_it() -> None:
    scenario = sp.load("november_2026")
    study = study_of(scenario, sp.run(scenario, ["none"]))
    stock = study.stock("none", "pac3")[study.now :]
    floor = study.floor("pac3")[1]
    assert 1.0 < stock.min() / floor < 1.0 + narrative.CLOSE
    assert "too close to call" in narrative.floor_sentence(study, "pac3")
    far = scenario.override({"munitions.pac3.floors.transfer_floor": 0.3})
    assert "too close" not in narrative.floor_sentence(study_of(far, sp.run(far, ["none"])), "pac3")


def test_sentences_move_with_the_numbers(scenario: sp.Scenario, july: Study) -> None:
    changed = scenario.override({"events.tranche_2025_07.rounds.pac3.rounds": 60})
    other = study_of(changed, sp.run(changed))
    assert narrative.suspension_sentence(other) != narrative.suspension_sentence(july)
    assert narrative.shipment_sentence(other, "pac3") != narrative.shipment_sentence(july, "pac3")
    assert "60 PAC-3" in (narrative.shipment_sentence(other, "pac3") or "")
    assert "it is 2 times the largest single operation" in (narrative.shipment_sentence(other, "pac3") or "")
    assert "it is about as large as the largest single operation" in (narrative.shipment_sentence(july, "pac3") or "")
    assert "largest single operation" not in (narrative.shipment_sentence(july, "shell_155mm") or "")


def test_both_lengths_of_step_are_shown_and_explained(july: Study, text: str) -> None:
    assert july.fine is not None
    assert july.fine.manifest["substeps"] == 31
    said = narrative.steps_differ(july)
    assert said is not None
    assert "here 8 of 31" in said
    assert "catching up begins on 9 July 2025" in said
    assert "Daily steps" in text
    assert "Month steps" in text


@pytest.mark.parametrize(
    ("changes", "steps", "second"),
    [
        ({"scenario.substeps": 4}, "4 steps a month", True),
        ({"scenario.substeps": 28}, "28 steps a month", False),
        ({"scenario.method": "ode"}, "continuous time", False),
    ],
)
def test_finer_runs_are_not_explained_as_month_steps(scenario: sp.Scenario, changes: dict[str, object], steps: str, second: bool) -> None:
    finer = scenario.override({**changes, "scenario.end": dt.date(2026, 1, 1)})
    study = study_of(finer, sp.run(finer, ["none", "suspension_2025_07"]))
    said = narrative.suspension_sentence(study)
    assert said is not None
    assert f"in {steps}" in said
    assert ("in daily steps" in said) == second == (study.fine is not None)
    assert narrative.steps_differ(study) is None


# ---------------------------------------------------------------- guards


@pytest.mark.parametrize(
    ("stock", "kind"),
    [
        ([9, 9, 9, 9, 9], "above"),
        ([9, 9, 3, 9, 9], "falls"),
        ([9, 3, 3, 9, 9], "falls"),
        ([9, 3, 3, 3, 3], "falls"),
        ([5, 5, 5, 5, 5], "above"),
    ],
)
def test_line_of_a_stock_that_starts_above(stock: list[float], kind: str) -> None:
    assert narrative.line_of(np.array(stock, dtype=float), 5.0, 0) == kind


def test_line_of_a_stock_that_starts_below() -> None:
    line = np.array([9.0, 3.0, 3.0, 6.0])
    assert narrative.line_of(line, 5.0, 1) == "recovers"
    assert narrative.line_of(line, 7.0, 1) == "below"
    assert narrative.below_since(line, 5.0, 2) == 1
    assert narrative.below_since(np.array([3.0, 3.0]), 5.0, 1) == 0


def test_without_a_suspension_nothing_is_said_of_one(scenario: sp.Scenario, tmp_path: Path) -> None:
    study = study_of(scenario, sp.run(scenario, ["none", "ukraine_first"]))
    assert study.brief is None
    assert study.fine is None
    for function in (narrative.suspension_sentence, narrative.materiality_sentence, narrative.need_sentence, narrative.steps_differ):
        assert function(study) is None
    assert not any("suspension of" in sentence for sentence in narrative.headline(study))
    text = sp.report(scenario, tmp_path / "page.html", policies=["none", "ukraine_first"]).read_text(encoding="utf-8")
    ids = {attributes.get("id", "") for _, attributes in Elements(text).found}
    assert not [one for one in ids if one.startswith(("daily-", "materiality-"))]
    assert "stock-pac3" in ids


def test_suspension_that_moves_nothing_is_said_to_move_nothing(scenario: sp.Scenario) -> None:
    changed = scenario.override({"policies.suspension_2025_07.suspensions.0.let_through": 1.0})
    study = study_of(changed, sp.run(changed, ["none", "suspension_2025_07"]))
    said = narrative.suspension_sentence(study)
    assert said is not None
    assert "no visible difference" in said
    assert narrative.materiality_sentence(study) is None
    assert narrative.need_sentence(study) is None
    assert blocks.daily(study, "pac3") is None
    assert "cannot be told from" in (narrative.same_sentence(study) or "")
    assert "No policy compared changes" in narrative.effect_title(study, "pac3")


@pytest.mark.parametrize(("share", "word"), [(0.019, "small"), (0.02, "noticeable"), (0.1, "large")])
def test_word_for_an_effect_follows_its_share(july: Study, share: float, word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = july.materiality("pac3")[0]
    monkeypatch.setattr(Study, "materiality", lambda self, munition: (dataclasses.replace(row, of_stock=share),))
    assert f"that is {word}:" in (narrative.materiality_sentence(july) or "")


def test_longer_suspension_alone_is_told_from_its_own_dates(scenario: sp.Scenario) -> None:
    study = study_of(scenario, sp.run(scenario, ["none", "suspension_6_months", "suspension_indefinite"]))
    assert study.brief is not None
    assert study.brief.policy == "suspension_6_months"
    assert "1 July 2025 to 1 January 2026" in (narrative.suspension_sentence(study) or "")
    assert narrative.steps_differ(study) is None
    assert study.fine is not None
    assert str(study.fine.dates[-1])[:10] == "2026-04-01"


def test_page_without_the_baseline_compares_with_nothing(scenario: sp.Scenario, tmp_path: Path) -> None:
    result = sp.run(scenario, ["suspension_indefinite"])
    text = sp.report(result, tmp_path / "page.html").read_text(encoding="utf-8")
    ids = {attributes.get("id", "") for _, attributes in Elements(text).found}
    assert "effect" not in ids
    assert "stock-pac3" in ids


def test_baseline_is_added_to_compare_with(scenario: sp.Scenario, tmp_path: Path) -> None:
    text = sp.report(scenario, tmp_path / "page.html", policies=["suspension_indefinite"]).read_text(encoding="utf-8")
    facts = part(Elements(text), "provenance")
    assert isinstance(facts, dict)
    assert list(facts["policies"]) == ["none", "suspension_indefinite"]


@pytest.mark.parametrize("name", ["november_2026", "ceasefire", "second_campaign"])
def test_other_scenarios_have_their_page(name: str, tmp_path: Path) -> None:
    scenario = sp.load(name)
    text = sp.report(scenario, tmp_path / "page.html").read_text(encoding="utf-8")
    facts = part(Elements(text), "provenance")
    assert isinstance(facts, dict)
    assert (facts["scenario"], facts["as_of"], facts["parameters"]) == (name, str(scenario.as_of), scenario.digest)


def test_one_munition_is_enough(tmp_path: Path) -> None:
    (tmp_path / "alone.toml").write_text(
        'title = "Alone"\ndescription = "One munition."\nbase = "july_2025"\n'
        'munitions = ["aim9x"]\npolicies = ["none", "suspension_2025_07"]\n',
        encoding="utf-8",
    )
    text = sp.report(sp.load(tmp_path / "alone.toml"), tmp_path / "alone.html").read_text(encoding="utf-8")
    elements = Elements(text)
    assert {one["data-figure"] for _, one in elements.found if "data-figure" in one} == {
        "stock-aim9x",
        "draws-aim9x",
        "use-aim9x",
        "daily-aim9x",
        "effect-aim9x",
        "cost",
    }
    assert "PAC-3 interceptors" not in "".join(elements.visible)


HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(2)> & "quoted" \u2028'


def test_hostile_titles_stay_text(tmp_path: Path) -> None:
    overlay = tmp_path / "mine"
    (overlay / "munitions").mkdir(parents=True)
    (overlay / "policies").mkdir()
    (overlay / "events").mkdir()
    quoted = json.dumps(HOSTILE)
    (overlay / "munitions/pac3.toml").write_text(f"title = {quoted}\nshort = {quoted}\ndescription = {quoted}\n", encoding="utf-8")
    (overlay / "policies/suspension_2025_07.toml").write_text(f"title = {quoted}\ndescription = {quoted}\n", encoding="utf-8")
    (overlay / "events/tranche_2025_07.toml").write_text(f"title = {quoted}\ndescription = {quoted}\n", encoding="utf-8")
    (overlay / "sources.toml").write_text(
        f'[mine]\ntitle = {quoted}\npublisher = {quoted}\ndate = 2025-01-01\nprecision = "day"\nurl = "https://example.org/\\"><script>alert(3)</script>"\n'
        f'kind = "relay"\noutlet_kind = "weak"\nrelays = {quoted}\n[other]\ntitle = "None"\npublisher = "Nobody"\ndate = 2025-01-01\n'
        'precision = "day"\nurl = "none: a leaflet"\nkind = "original"\noutlet_kind = "press"\n',
        encoding="utf-8",
    )
    (overlay / "events/hold_2025_02.toml").write_text('source = ["mine", "other"]\n', encoding="utf-8")
    (overlay / "scenarios").mkdir()
    (overlay / "scenarios/mine.toml").write_text(f'title = {quoted}\ndescription = {quoted}\nbase = "july_2025"\n', encoding="utf-8")
    text = sp.report(sp.load("mine", params=[overlay]), tmp_path / "page.html", command=HOSTILE).read_text(encoding="utf-8")
    elements = Elements(text)
    assert len(elements.scripts) == 4
    assert index(tmp_path).read_text(encoding="utf-8").count("<script") == 0
    assert not elements.of("img")
    assert not [one for _, one in elements.found if any(name.startswith("on") for name in one)]
    assert "<script>alert(1)</script>" in "".join(elements.visible)
    drawn = json.dumps(part(elements, "figures"))
    assert "alert(1)" in drawn
    assert "<script" not in drawn
    assert "<img" not in drawn
    assert "weak outlet" in "".join(elements.visible)


def test_embedded_data_cannot_end_its_element() -> None:
    written = str(page.embedded({"text": HOSTILE + "</script><!--"}))
    assert not re.search("[<>&\u2028\u2029]", written)
    assert json.loads(written) == {"text": HOSTILE + "</script><!--"}


# ---------------------------------------------------------------- result in place of a scenario


def test_result_finds_its_scenario_again(scenario: sp.Scenario, july: Study, text: str, tmp_path: Path) -> None:
    assert sp.report(july.result, tmp_path / "page.html", command="the command").read_text(encoding="utf-8") == text


def test_result_of_other_parameters_is_refused(scenario: sp.Scenario, tmp_path: Path) -> None:
    result = sp.run(scenario.override({"munitions.pac3.us_share": 0.5}), ["none"])
    with pytest.raises(sp.InputError, match="does not carry its sources; allowed"):
        sp.report(result, tmp_path / "page.html")
    assert not list(tmp_path.iterdir())


def test_result_with_draws_and_policies_beside_a_result_are_refused(july: Study, tmp_path: Path) -> None:
    twice = dataclasses.replace(july.result, arrays={key: np.concatenate([one, one], axis=2) for key, one in july.result.arrays.items()})
    with pytest.raises(sp.InputError, match="has 2 members; allowed"):
        sp.report(twice, tmp_path / "page.html")
    with pytest.raises(sp.InputError, match="already has its policies; allowed"):
        sp.report(july.result, tmp_path / "page.html", policies=["none"])


# ---------------------------------------------------------------- tables and figures


def test_who_drew_adds_up_to_the_whole(july: Study, frame: pd.DataFrame) -> None:
    past = frame[(frame.policy == "none") & (frame.date < "2025-07-01")]
    for m in july.result.munitions:
        own = past[past.munition == m]
        draws = july.draws(m, 0, july.now)

        def total(quantity: str, own: pd.DataFrame = own) -> float:
            return float(own[own.quantity == quantity]["value"].sum())

        left = total("sent") + total("own_use") + float(own[(own.quantity == "expired") & (own.recipient == "us")]["value"].sum())
        assert sum(draw.from_stock for draw in draws) == pytest.approx(left, rel=1e-12)
        made = total("made_for") - total("kept_back") - total("diverted") + total("released")
        assert sum(draw.production for draw in draws) == pytest.approx(made, rel=1e-12)
        assert {draw.name for draw in draws} == {"US forces", "Israel", "Ukraine", "Partners", "Joint or unknown", "Age and damage"}


def test_books_of_the_stock_close(july: Study) -> None:
    for m in july.result.munitions:
        entries = [float(value.replace(",", "").replace("−", "-")) for _, value in tables.books(july, m).rows]
        assert sum(entries[:-1]) == pytest.approx(entries[-1], abs=4.0)


def test_data_of_a_chart_is_the_series_in_full(july: Study) -> None:
    _, link = tables.stock(july, "pac3")
    rows = list(csv.DictReader(io.StringIO(unquote(link.removeprefix("data:text/csv;charset=utf-8,")))))
    assert [row["date"] for row in rows] == [str(date)[:10] for date in july.result.dates]
    for policy in july.result.policies:
        assert [float(row[policy]) for row in rows] == pytest.approx(july.stock(policy, "pac3"), abs=6e-4)


def test_formulas_do_not_leave_in_data() -> None:
    link = tables.data_link(("a", "b"), [("=1+1", -5.0), ("@x", "plain")])
    assert unquote(link.partition(",")[2]) == "a,b\n'=1+1,-5.0\n'@x,plain\n"


def test_effects_in_the_table_are_those_of_the_result(july: Study) -> None:
    table, _ = tables.effect(july, "shell_155mm")
    assert table.columns[1] == "1 August 2025"
    for policy, row in zip(july.others, table.rows, strict=True):
        assert row[0] == july.title(policy)
        for at, cell in zip(july.dates_after, row[1:], strict=True):
            assert cell == words.signed(float(july.stock(policy, "shell_155mm")[at] - july.stock("none", "shell_155mm")[at]))


def test_indefinite_suspension_does_visibly_more(july: Study) -> None:
    for m in july.result.munitions:
        brief, long = (july.effect(policy, m)[july.dates_after[-1]] for policy in ("suspension_2025_07", "suspension_indefinite"))
        assert long > 100.0 * max(brief, 1.0) or long - brief > 0.05 * july.stock("none", m)[july.now]


def test_figures_are_valid_and_plain(elements: Elements) -> None:
    drawn = part(elements, "figures")
    assert isinstance(drawn, dict)
    assert len(drawn["figures"]) >= 20
    for spec in drawn["figures"].values():
        go.Figure(spec)
        assert "bdata" not in json.dumps(spec)
        assert spec["data"]


def test_every_colour_has_its_counterpart_in_the_dark(elements: Elements) -> None:
    drawn = part(elements, "figures")
    assert isinstance(drawn, dict)
    used = set(re.findall(r'"(#[0-9a-fA-F]{6}|rgba?\([^"]*\))"', json.dumps(drawn["figures"])))
    assert used
    assert used <= set(drawn["dark"])
    assert len(set(theme.DARK.values())) == len(theme.DARK)


def test_lines_are_told_apart_without_colour(july: Study) -> None:
    for m in july.result.munitions:
        lines = [trace for trace in projection.stock(july, m, evidence.event_numbers(july))["data"] if trace["mode"] == "lines+markers"]
        assert len({(trace["line"]["dash"], trace["marker"]["symbol"]) for trace in lines}) == len(lines)
        assert sum(one.get("name") == "direct" for one in projection.stock(july, m, {})["layout"]["annotations"]) == len(lines)


def test_policies_on_one_line_are_indeed_alike(july: Study) -> None:
    for m in july.result.munitions:
        groups = projection.stock_groups(july, m)
        assert sorted(policy for group in groups for policy in group) == sorted(july.result.policies)
        top = max(float(july.stock(policy, m).max()) for policy in july.result.policies)
        for group in groups:
            for policy in group:
                assert np.abs(july.stock(policy, m) - july.stock(group[0], m)).max() <= figures.ALIKE * top


def test_labels_do_not_lie_on_each_other() -> None:
    labels = [
        (5.0, "the first one", theme.INK),
        (5.0, "the second one, whose label takes more than a line", theme.BLUE),
        (4.9, "third", theme.GREEN),
        (0.0, "last", theme.WINE),
    ]
    found = figures.direct_labels(labels, "2030-01-01", (0.0, 10.0), 400.0)
    places = sorted(((10.0 - one["y"]) * 40.0 + one["ay"], one["text"].count("<br>") + 1) for one in found)
    for (above, rows), (below, more) in pairwise(places):
        assert below - above >= figures.LINE_HEIGHT * (rows + more) / 2
    assert places[-1][0] <= 410.0


def test_tables_have_captions_and_scopes(elements: Elements, text: str) -> None:
    assert len(elements.of("table")) == len(elements.of("caption"))
    assert all(one.get("scope") in {"row", "col"} for one in elements.of("th"))
    assert len(elements.of("figure")) == len(
        [one for one in elements.of("div") if one.get("role") == "img" and len(one["aria-label"]) > 40]
    )
    assert all(one["role"] == "group" and one["aria-labelledby"] for one in elements.of("figure"))
    headings = [int(tag[1]) for tag, _ in elements.found if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(headings) if before > 1)


def test_names_in_the_page_are_unique_and_links_in_it_lead_somewhere(elements: Elements) -> None:
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in elements.found:
        for name in attributes.get("aria-labelledby", "").split():
            assert name in ids
        if attributes.get("href", "").startswith("#"):
            assert attributes["href"][1:] in ids


def test_picture_of_the_model_has_all_that_the_equations_move_and_no_colour_of_its_own(text: str) -> None:
    section = text.split('<section id="model"')[1].split("</section>")[0]
    picture = section[section.index("<svg") : section.index("</svg>")]
    stocks = {f"{name}[r]" if meaning.index == "recipient" else name for name, meaning in STOCKS.items()} - {"review", "unpromised"}
    rates = [name for name, meaning in FLOWS.items() if meaning.unit == "round" and f"{name}</" in section.replace("[r]</", "</")]
    assert stocks == set(re.findall(r'font-weight="600"[^>]*>([^<]+)</text>', picture))
    assert {"delivered", "to_us", "sent", "used", "expired", "released", "put_off"} <= set(rates)
    assert re.findall(r'scope="row"><code>([^<]+)<', section) == [one.name for one in diagram.flows()]
    assert all(f">{one.name}</text>" in picture for one in diagram.flows())
    assert set(re.findall(r'(?:fill|stroke)="([^"]+)"', picture)) == {"none", "var(--ink)", "var(--muted)", "var(--soft)", "var(--accent)"}


# ---------------------------------------------------------------- evidence


def test_every_value_of_the_scenario_is_in_the_page(july: Study, scenario: sp.Scenario) -> None:
    found = [item for _, items in evidence.assumptions(july) for item in items]
    table = scenario.table()
    assert sorted(item.path for item in found) == sorted(table["path"])
    assert {item.grade for item in found} == set(table["grade"])
    assert all(item.sources for item in found if item.grade in ("measured", "reported"))


def test_sources_are_linked_dated_and_marked(july: Study, text: str) -> None:
    for item in evidence.cited(july):
        source = july.scenario.sources[item.key]
        assert f'id="source-{item.key}"' in text
        assert not source.url.startswith("http") or item.url == source.url
        assert bool(item.warning) == (source.outlet_kind in ("weak", "state_linked"))
        assert (item.kind == "") == (source.kind == "original")
        assert str(source.date.year) in item.date


def test_nothing_published_later_is_in_the_page(scenario: sp.Scenario, text: str) -> None:
    later = [key for key, source in read().sources.items() if source.published > scenario.as_of]
    assert len(later) > 20
    assert not [key for key in later if f"source-{key}" in text]


def test_requirements_stand_beside_every_stock(july: Study) -> None:
    stocks = [value for _, value in evidence.stocks(july, "pac3")]
    assert len(stocks) >= 3
    found = {item.title: item for item in evidence.requirements(july, "pac3")}
    assert len(found) >= 4
    for level in july.scenario.munitions["pac3"].requirements.values():
        rounds = level.level.points[-1].value
        assert found[level.title].rounds == f"{rounds:,.0f}"
        assert found[level.title].shares == tuple(words.percent(stock / rounds) for stock in stocks)


def test_conflicting_values_stand_beside_the_used_one(july: Study) -> None:
    groups = [group for m in july.result.munitions for group in evidence.conflicts(july, m)] + evidence.conflicts(july, None)
    beside = [value for group in groups for label, value in group.values if label != "used"]
    assert len(beside) == len(july.scenario.beside) > 20
    assert {label for group in groups for label, _ in group.values} == {"used", "beside it"}
    for group in groups:
        assert [label for label, _ in group.values][:1] == ["used"] or all(label != "used" for label, _ in group.values)


def test_events_say_what_was_denied(july: Study, text: str) -> None:
    found = {item.title: item for item in evidence.events(july)}
    assert [item.number for item in found.values()] == list(range(1, len(found) + 1))
    shipment = found[july.scenario.events["tranche_2025_07"].title]
    assert "no pause" in shipment.description
    assert "30 PAC-3" in shipment.rounds
    assert shipment.sources
    assert {name for name, event in july.scenario.events.items() if event.kind == "hold"}
    assert all(item.description in " ".join(text.split()).replace("&#39;", "'").replace("&#34;", '"') for item in found.values())


@pytest.mark.parametrize("name", ["tranche_2025_07", "defence_of_israel_2024_04", "al_udeid_2025_06"])
def test_rounds_of_an_event_are_what_the_run_uses(scenario: sp.Scenario, name: str) -> None:
    """Leaving the event out takes its rounds off the series that are known in advance."""
    with_it, without = (
        sp.run(one, ["none"])
        for one in (scenario, scenario.override({f"events.{name}.rounds.{m}.scale": 0.0 for m in scenario.events[name].rounds}))
    )
    quantity = "authorised" if scenario.events[name].kind == "package" else "own_need"
    row = scenario.events[name].recipient or "us"
    for m in scenario.events[name].rounds:
        change = with_it.array(quantity, row, policy="none", munition=m) - without.array(quantity, row, policy="none", munition=m)
        assert float(change.sum()) == pytest.approx(facts.rounds_of(scenario, name, m), rel=1e-9)


# ---------------------------------------------------------------- provenance and index


def test_provenance_is_whole(july: Study, elements: Elements) -> None:
    facts = part(elements, "provenance")
    assert isinstance(facts, dict)
    for key in ("version", "commit", "scenario", "as_of", "method", "substeps", "parameters"):
        assert facts[key] == july.result.manifest[key]
    assert facts["parameters"] == july.scenario.digest
    assert facts["command"] == "the command"
    seen = "".join(elements.visible)
    assert july.scenario.digest[:12] in seen
    assert "the command" in seen


def test_line_to_quote_stands_under_every_chart(elements: Elements) -> None:
    quotes = [one for one in elements.of("p") if one.get("class") == "quote"]
    assert len(quotes) == len(elements.of("figure"))
    seen = "".join(elements.visible)
    assert seen.count("Source: stockpile ") == len(quotes)


def test_index_links_the_reports_there_are(scenario: sp.Scenario, text: str, tmp_path: Path) -> None:
    (tmp_path / "b page.html").write_text(text, encoding="utf-8")
    (tmp_path / "a.html").write_text("<p>something else</p>", encoding="utf-8")
    (tmp_path / "c.html").write_text('<script type="application/json" id="provenance">{broken</script>', encoding="utf-8")
    (tmp_path / "d.html").write_bytes(b"\xff\xfe")
    sp.explorer(scenario, tmp_path / "explorer.html", members=2)
    found = index(tmp_path)
    assert found == tmp_path / "index.html"
    written = found.read_text(encoding="utf-8")
    links = [one["href"] for one in Elements(written).of("a") if not one["href"].startswith("#")]
    assert links == ["b%20page.html", "explorer.html"]
    assert scenario.digest[:12] in written
    assert "As known in July 2025" in written
    assert "script-src 'none'" in written.replace("&#39;", "'")
    assert index(tmp_path).read_text(encoding="utf-8") == written


def test_index_of_nothing_says_so(tmp_path: Path) -> None:
    assert "no report in this folder" in index(tmp_path).read_text(encoding="utf-8")
    with pytest.raises(sp.InputError, match="is not a folder"):
        index(tmp_path / "nowhere")


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0"),
        (0.04, "0"),
        (-0.04, "0"),
        (0.05, "0.1"),
        (5.09, "5.1"),
        (9.96, "10.0"),
        (33.1, "33"),
        (324.4, "324"),
        (2461.0, "2,460"),
        (808_616.3, "809,000"),
        (2_717_953.0, "2,720,000"),
        (-12.3, "−12"),
        (999.6, "1,000"),
    ],
)
def test_rounds_in_words(value: float, said: str) -> None:
    assert words.rounds(value) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.0, "0 %"), (0.0021, "0.21 %"), (0.0463, "4.6 %"), (0.81, "81 %"), (1.442, "144 %"), (-0.05, "−5.0 %"), (0.00004, "0 %")],
)
def test_percent_in_words(share: float, said: str) -> None:
    assert words.percent(share) == said.replace(" ", "\N{NO-BREAK SPACE}")


def test_changes_in_words() -> None:
    assert [words.signed(one) for one in (3.04, -3.04, 0.01, -0.01)] == ["+3.0", "−3.0", "0", "0"]
    assert [words.signed_billion(one) for one in (2.5e9, -2.5e9, 0.0, 1e6, -1e6)] == ["+2.50", "−2.50", "0.00", "0.00", "0.00"]
    assert words.spread(0.0, 0.04, 0.0) == "0"
    assert [words.plain(one) for one in (8500.0, 0.43, -6.0, 0.001234567)] == ["8,500", "0.43", "−6", "0.00123457"]


def test_windows_in_words(scenario: sp.Scenario) -> None:
    event = scenario.events["tranche_2025_07"]
    assert words.window(event.start, event.end) == "1 to 8 July 2025"
    assert words.pause(event.start, event.end) == "1 to 9 July 2025"
    assert words.pause(event.start, None) == "from 1 July 2025 on"
    assert words.listed(["a", "b", "c"]) == "a, b and c"


def test_bars_of_the_years_are_the_sums_of_their_months(july: Study, frame: pd.DataFrame) -> None:
    years, values = bars.yearly(july, "used", "ukraine", "none", "pac3")
    own = frame[(frame.policy == "none") & (frame.munition == "pac3") & (frame.recipient == "ukraine") & (frame.quantity == "used")]
    assert dict(zip(years, values, strict=True)) == pytest.approx(own.groupby(own.date.dt.year)["value"].sum().to_dict())


def test_chart_of_effects_leaves_out_only_what_cannot_be_seen(july: Study) -> None:
    start, end = effects.span(july)
    for m in july.result.munitions:
        moving, still = effects.groups(july, m, start, end)
        assert sorted([*still, *(policy for group in moving for policy in group)]) == sorted(july.others)
        span = max(float(np.abs(july.effect(policy, m)[start:end]).max()) for policy in july.others)
        for policy in still:
            assert np.abs(july.effect(policy, m)[start:end]).max() <= max(figures.ALIKE * span, 0.05)
