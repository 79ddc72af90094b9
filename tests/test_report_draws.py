"""The page of an ensemble: every number in it is one of the ensemble's frames, and no sentence outlives its guard."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from test_report import HOSTILE, NUMBERS, Elements, numbers_in, part

import stockpile as sp
from stockpile.assemble import parts, unit_costs
from stockpile.draws import Collector
from stockpile.ensembles import folded, run
from stockpile.ensembles.chance import Chance, chance
from stockpile.ensembles.result import QUANTILES, Ensemble
from stockpile.report import blocks, chances, counted, differences, evidence, fans, page, ranges, spread, tables, theme, words
from stockpile.report.spread import Change, Discord
from stockpile.report.study import Study, study_of

MEMBERS = 200
FEW = ["none", "suspension_2025_07", "suspension_indefinite", "us_first"]
END = "2033-01-01"


@pytest.fixture(scope="module")
def scenario() -> sp.Scenario:
    return sp.load("july_2025")


@pytest.fixture(scope="module")
def drawn(scenario: sp.Scenario) -> Ensemble:
    return sp.ensemble(scenario, members=MEMBERS, seed=3)


@pytest.fixture(scope="module")
def july(scenario: sp.Scenario, drawn: Ensemble) -> Study:
    return study_of(scenario, drawn.central, drawn)


@pytest.fixture(scope="module")
def text(drawn: Ensemble, tmp_path_factory: pytest.TempPathFactory) -> str:
    return sp.report(drawn, tmp_path_factory.mktemp("pages") / "july_2025.html", command="the command").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def elements(text: str) -> Elements:
    return Elements(text)


@pytest.fixture(scope="module")
def stocks(drawn: Ensemble) -> pd.Series:
    """Quantiles of the US stock by (policy, munition, date, quantile)."""
    return by_date(drawn.quantiles())


@pytest.fixture(scope="module")
def changes(drawn: Ensemble) -> pd.Series:
    """Quantiles of its changes."""
    return by_date(drawn.quantiles(change=True))


def by_date(frame: pd.DataFrame) -> pd.Series:
    own = frame[frame.quantity == "us_on_hand"]
    return own.set_index(["policy", "munition", "date", "quantile"])["value"].sort_index()


@pytest.fixture(scope="module")
def metric(drawn: Ensemble) -> pd.Series:
    """Metrics of every member by (policy, munition, recipient, metric)."""
    return drawn.metrics().set_index(["policy", "munition", "recipient", "metric"])["value"].sort_index()


@pytest.fixture(scope="module")
def probability(drawn: Ensemble) -> dict[str, pd.DataFrame]:
    """Probabilities by date, rows by (policy, munition)."""
    dates = ("2025-07-01", "2026-07-01", "2027-07-01", "2028-07-01", "2030-07-01", END)
    return {by: drawn.probability(below="transfer_floor", by=by).set_index(["policy", "munition"]) for by in dates}


def cut(values: pd.Series, *, sign: bool = False) -> str:
    low, median, high = (float(np.quantile(values, q)) for q in (0.05, 0.5, 0.95))
    return words.spread(low, median, high, sign=sign)


def said(line: pd.Series, *, sign: bool = False) -> str:
    return words.spread(float(line[0.05]), float(line[0.5]), float(line[0.95]), sign=sign)


def prose(study: Study) -> list[str]:
    """Every generated sentence that only a page of draws has."""
    found = [*counted.headline(study), *counted.central(study), ranges.not_this(study), counted.finding(study)]
    for munition in study.result.munitions:
        one = blocks.part(study, munition, evidence.event_numbers(study))
        assert one.changes is not None
        found += [one.chance_said, *one.stock.notes, counted.when_sentence(study, munition) or ""]
        found += [panel.reading for panel in one.changes.panels]
        for chart in (one.stock, one.chance, one.changes):
            found += [chart.title, chart.subtitle, chart.alternative] if chart else []
    return found


# ---------------------------------------------------------------- says what the draws show


def test_no_sentence_foretells_and_every_floor_is_assumed(july: Study) -> None:
    found = prose(july)
    assert len(found) > 70
    for sentence in found:
        assert not re.search(r"\b(will|shall|going to)\b", sentence, re.IGNORECASE), sentence
        for place in re.finditer(r"\bfloors?\b", sentence):
            assert re.match(r"floors? (is an assumption|assumed here)", sentence[place.start() :]), sentence


def test_headline_stands_in_the_page_over_what_it_rests_on(july: Study, elements: Elements) -> None:
    seen = " ".join("".join(elements.visible).split())
    for sentence in [*counted.headline(july), *counted.central(july), ranges.not_this(july)]:
        assert sentence in seen or sentence.replace("\N{NO-BREAK SPACE}", " ") in seen.replace("\N{NO-BREAK SPACE}", " ")
    assert seen.index("In this model, over 200 draws:") < seen.index("On central values, without operations at times that nobody knows:")


def test_counts_of_the_floor_sentence_are_those_of_the_frames(july: Study, probability: dict[str, pd.DataFrame], metric: pd.Series) -> None:
    for m in july.result.munitions:
        hits, past = (int(probability[by].loc[("none", m), "hits"]) for by in (END, "2025-07-01"))
        lost = int(np.isinf(metric["none", m, "us", "months_to_rebuild.transfer_floor"]).sum())
        floor = words.rounds(float(july.result.levels[m]["transfer_floor"][0]))
        allowed = {str(MEMBERS), floor, *((str(past), str(lost)) if 2 * past > MEMBERS else (str(hits), str(MEMBERS - hits), str(past)))}
        found = numbers_in(counted.floor_sentence(july, m), july)
        assert floor in found <= allowed, counted.floor_sentence(july, m)
        assert {str(past), str(lost)} <= found if 2 * past > MEMBERS else str(hits) in found or hits == 0


def test_cells_of_the_probability_table_are_those_of_the_frame(july: Study, probability: dict[str, pd.DataFrame]) -> None:
    for m in july.result.munitions:
        table, _ = chances.table(july, m)
        assert table.columns[1:] == tuple(f"By {words.day(np.datetime64(by))}" for by in probability)
        for policy, row in zip(july.result.policies, table.rows, strict=True):
            for frame, cell in zip(probability.values(), row[1:], strict=True):
                one = frame.loc[(policy, m)]
                assert cell == words.chance(int(one.hits), int(one.members), one.low, one.high)
                assert cell.startswith(f"{one.hits} of 200 (")


def test_lines_of_the_chart_of_chances_are_the_shares(july: Study, metric: pd.Series) -> None:
    spec = chances.chart(july, "pac3")
    assert spec is not None
    months = july.result.months[spread.start(july) :]
    groups = chances.lines(july, "pac3")
    for trace, (group, _) in zip(spec["data"], groups, strict=True):
        for policy in group:
            first = metric[policy, "pac3", "us", "first_below.transfer_floor"].to_numpy()
            assert trace["y"] == pytest.approx([100.0 * (first <= month).mean() for month in months], abs=1.1)
    assert sorted(policy for group, _ in groups for policy in group) == sorted(july.result.policies)
    assert chances.chart(july, "aim9x") is None
    assert "aim9x" not in [m for m in july.result.munitions if blocks.part(july, m, {}).chance]


def test_titles_of_chances_count_draws_of_the_frame(july: Study, probability: dict[str, pd.DataFrame]) -> None:
    for m in july.result.munitions:
        counts = {str(hits) for hits in probability[END].xs(m, level="munition")["hits"]}
        assert numbers_in(counted.chance_title(july, m), july) <= counts | {str(MEMBERS)}


def test_fan_is_that_of_the_frame(july: Study, stocks: pd.Series) -> None:
    for m in july.result.munitions:
        outer, inner, median, central = fans.fan(july, m, {})["data"][:4]
        line = stocks["none", m].unstack()
        top = 0.06 if float(line.to_numpy().max()) < 10_000 else 0.6
        for area, low, high in ((outer, 0.05, 0.95), (inner, 0.25, 0.75)):
            count = len(line)
            assert area["y"][:count] == pytest.approx(line[low].tolist(), abs=top)
            assert area["y"][count:][::-1] == pytest.approx(line[high].tolist(), abs=top)
            assert area["x"][:count] == area["x"][count:][::-1]
            assert (area["fill"], area["line"]["width"]) == ("toself", 0)
        assert inner["opacity"] > outer["opacity"]
        assert median["y"] == pytest.approx(line[0.5].tolist(), abs=top)
        assert central["y"] == pytest.approx(july.stock("none", m), abs=top)
        assert (median["line"].get("dash"), central["line"]["dash"]) == (None, "dot")


def test_text_in_place_of_the_fan_has_the_numbers_of_the_frame(july: Study, stocks: pd.Series) -> None:
    for m in july.result.munitions:
        found = ranges.alternative(july, m)
        assert "Fan chart of" in found
        for date in ("2022-03-01", "2025-07-01", "2027-07-01", END):
            assert f"{words.month(np.datetime64(date))}: {said(stocks['none', m, date])}" in found


def test_tables_of_stocks_have_the_numbers_of_the_frame(july: Study, stocks: pd.Series) -> None:
    for m in july.result.munitions:
        table, _ = ranges.stock(july, m)
        edges = tables.shown_dates(july)
        assert table.columns[1:-1] == tuple(map(july.title, july.result.policies))
        for edge, row in zip(edges, table.rows, strict=True):
            for policy, cell in zip(july.result.policies, row[1:-1], strict=True):
                assert cell == said(stocks[policy, m, july.result.dates[edge]])
            assert row[-1] == words.rounds(float(july.stock("none", m)[edge]))


def test_dots_are_every_fourth_draw(july: Study, metric: pd.Series) -> None:
    for m in july.result.munitions:
        first = np.sort(metric["none", m, "us", "first_below.transfer_floor"].to_numpy())[1::4]
        halves = sorted(f"{date.year}{date.month > 6}" for date, _ in fans.dots(july, m))
        dates = [july.date(round(month)) for month in first if np.isfinite(month)]
        assert halves == sorted(f"{date.year}{date.month > 6}" for date in dates)
        assert len(set(fans.dots(july, m))) == len(halves)
        never = int(np.isinf(metric["none", m, "us", "first_below.transfer_floor"]).sum())
        told = [note for note in ranges.notes(july, m) if f"{never} of 200 draws never are below it" in note]
        assert len(told) == (never < MEMBERS)


def test_dates_of_first_falling_below_are_those_of_the_metrics(july: Study, metric: pd.Series) -> None:
    for m in july.result.munitions:
        first = np.sort(metric["none", m, "us", "first_below.transfer_floor"].to_numpy())
        for share, edge in zip((0.05, 0.5, 0.95), spread.when_below(july, m), strict=True):
            month = first[round(share * MEMBERS) - 1]
            assert edge == (None if np.isinf(month) else round(month))
    assert "a twentieth of all draws by" in (counted.when_sentence(july, "pac3") or "")
    assert counted.when_sentence(july, "aim9x") is None


def test_tables_of_changes_have_the_numbers_of_the_frames(july: Study, drawn: Ensemble, changes: pd.Series, metric: pd.Series) -> None:
    means = drawn.differences().set_index(["policy", "munition", "recipient", "metric"])
    for m in july.result.munitions:
        table, _ = differences.table(july, m)
        assert table.columns[1] == "1 August 2025"
        for policy, row in zip(july.others, table.rows, strict=True):
            for edge, cell in zip(july.dates_after, row[1:], strict=False):
                assert cell == said(changes[policy, m, july.result.dates[edge]], sign=True)
            mean = means.loc[(policy, m, "us", "stock_at_end")]
            assert row[-2] == words.spread(mean.mean_low, mean["mean"], mean.mean_high, sign=True)
            change = metric[policy, m, "us", "change_in.stock_at_end"]
            assert row[-1] == f"{(change >= words.SEEN).sum()} and {(change <= -words.SEEN).sum()} of 200"


def test_tables_of_unmet_need_have_the_numbers_of_the_metrics(july: Study, metric: pd.Series) -> None:
    table = differences.unmet(july, "shell_155mm")
    assert table is not None
    place = table.columns.index("Ukraine, change in unmet need")
    for policy, row in zip(july.others, table.rows, strict=True):
        change = metric[policy, "shell_155mm", "ukraine", "change_in.total_unmet"]
        assert row[place] == cut(change, sign=True)
        assert row[place + 1] == f"{(change >= words.SEEN).sum()} and {(change <= -words.SEEN).sum()} of 200"


def test_sentence_of_the_suspension_is_that_of_the_frame(july: Study, changes: pd.Series) -> None:
    found = counted.suspension_sentence(july)
    assert found is not None
    assert "1 to 9 July 2025" in found
    for m in july.result.munitions:
        line = changes["suspension_2025_07", m, "2025-08-01"]
        if min(abs(line[0.05]), abs(line[0.5])) >= words.SEEN:
            assert f"{said(line, sign=True)} {july.short(m)}" in found
        else:
            assert re.search(rf"{july.short(m)} \(higher in \d+ and lower in 0 of 200 draws\).*too close to call", found)


def test_sentence_of_unmet_need_is_that_of_the_metrics(july: Study, metric: pd.Series) -> None:
    found = counted.need_sentence(july)
    assert found is not None
    policy = next(one for one in july.others if f"“{july.title(one)}”" in found)
    for m in july.result.munitions:
        change = metric[policy, m, "ukraine", "change_in.total_unmet"]
        more, less = int((change >= words.SEEN).sum()), int((change <= -words.SEEN).sum())
        assert f"{cut(change, sign=True)} {july.short(m)}, more in {more}{f' and less in {less}' if less else ''} of 200 draws" in found


def test_readings_of_the_panels_are_those_of_the_frames(july: Study, changes: pd.Series, metric: pd.Series) -> None:
    for m in july.result.munitions:
        groups, still = differences.lines(july, m)
        assert sorted([*still, *(policy for group, _ in groups for policy in group)]) == sorted(july.others)
        for policy in still:
            assert changes[policy, m].loc["2025-07-01":].abs().max() < words.SEEN
        for (group, _), panel in zip(groups, differences.panels(july, m), strict=True):
            line, change = changes[group[0], m, END], metric[group[0], m, "us", "change_in.stock_at_end"]
            counts = f"higher in {(change >= words.SEEN).sum()} and lower in {(change <= -words.SEEN).sum()} of 200 draws"
            seen = max(abs(line[0.05]), abs(line[0.95])) >= words.SEEN
            told = f"{said(line, sign=True)}; {counts}" if seen else "no visible difference"
            assert panel.reading.startswith(f"1 January 2033: {told}")
            assert panel.reading[16:-1] in differences.alternative(july, m)


def test_headline_table_has_the_numbers_of_the_frames(july: Study, stocks: pd.Series, probability: dict[str, pd.DataFrame]) -> None:
    table = ranges.headline(july)
    for m, row in zip(july.result.munitions, table.rows, strict=True):
        assert row[1] == said(stocks["none", m, "2025-07-01"])
        assert row[-1] == said(stocks["none", m, END])
        assert [cell.split(" ")[0] for cell in row[3:5]] == [str(probability[by].loc[("none", m), "hits"]) for by in ("2027-07-01", END)]


# ---------------------------------------------------------------- guards


def with_hits(monkeypatch: pytest.MonkeyPatch, hits: int, past: int = 0) -> None:
    def below(study: Study, policy: str, munition: str, edge: int) -> Chance:
        return chance(past if edge == study.now else hits, MEMBERS)

    monkeypatch.setattr(spread, "below", below)


@pytest.mark.parametrize(
    ("hits", "words_of_it"),
    [
        (0, "stays above .* in all 200 draws"),
        (5, r"stays above .* in 195 of 200 draws .*, and falls below it in 5\."),
        (60, r"stays above .* in most draws, 140 of 200, .*; it falls below it in 60\."),
        (95, r"Whether the PAC-3 stock falls below .* is too close to call: it does in 95 of 200 draws\."),
        (140, r"falls below .* in most draws, 140 of 200,"),
        (195, r"falls below .* in 195 of 200 draws"),
    ],
)
def test_verb_follows_the_counts(july: Study, monkeypatch: pytest.MonkeyPatch, hits: int, words_of_it: str) -> None:
    with_hits(monkeypatch, hits)
    assert re.search(words_of_it, counted.floor_sentence(july, "pac3"))
    with_hits(monkeypatch, hits, past=min(hits, 3))
    assert ("in 3 of them already by 1 July 2025" in counted.floor_sentence(july, "pac3")) == (hits > 0)


def test_stock_that_was_below_before_is_told_by_whether_it_is_back(july: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    with_hits(monkeypatch, 150, past=101)
    assert "in most draws, 150 of 200, under “No suspension”, in 101 of them already by" in counted.floor_sentence(july, "pac3")
    with_hits(monkeypatch, 190, past=180)
    monkeypatch.setattr(spread, "not_back", lambda study, policy, munition: chance(42, MEMBERS))
    found = counted.floor_sentence(july, "pac3")
    assert "by 1 July 2025 in 180 of 200 draws; in 42 it has been below it and is not back by January 2033" in found


@pytest.mark.parametrize(
    ("low", "median", "high", "kind"),
    [
        (-0.01, 0.0, 0.04, "none"),
        (-3.0, 1.0, 5.0, "close"),
        (-3.0, -1.0, 0.2, "close"),
        (0.0, 0.0, 80.0, "close"),
        (0.0, 12.0, 80.0, "clear"),
        (2.0, 12.0, 80.0, "clear"),
        (-80.0, -12.0, -2.0, "clear"),
    ],
)
def test_difference_with_both_signs_is_too_close_to_call(low: float, median: float, high: float, kind: str) -> None:
    change = Change(low, median, high, 70, 20, MEMBERS)
    assert change.kind == kind
    found = differences.reading(change, "now")
    assert ("too close to call" in found) == (kind == "close")
    assert ("no visible difference" in found) == (kind == "none")


@pytest.mark.parametrize(
    ("spared", "caused", "close"), [(0, 0, True), (4, 0, True), (9, 0, False), (12, 8, True), (50, 8, False), (0, 9, False)]
)
def test_few_draws_that_differ_are_too_close_to_call(
    july: Study, monkeypatch: pytest.MonkeyPatch, spared: int, caused: int, close: bool
) -> None:
    monkeypatch.setattr(spread, "discord", lambda study, policy, munition: Discord(spared, caused, MEMBERS))
    assert Discord(spared, caused, MEMBERS).too_close == close
    assert ("too close to call" in counted.chance_title(july, "pac3")) == close


def test_draws_in_which_one_policy_alone_falls_below_are_those_of_the_metrics(july: Study, metric: pd.Series) -> None:
    for m in july.result.munitions:
        below = {p: np.isfinite(metric[p, m, "us", "first_below.transfer_floor"].to_numpy()) for p in july.result.policies}
        for policy in july.others:
            found = spread.discord(july, policy, m)
            assert found.spared == (below["none"] & ~below[policy]).sum()
            assert found.caused == (below[policy] & ~below["none"]).sum()


def test_suspension_that_moves_nothing_is_said_to_move_nothing(scenario: sp.Scenario) -> None:
    changed = scenario.override({"policies.suspension_2025_07.suspensions.0.let_through": 1.0})
    drawn = sp.ensemble(changed, ["none", "suspension_2025_07"], 20)
    study = study_of(changed, drawn.central, drawn)
    assert "makes no visible difference to any US stock" in (counted.suspension_sentence(study) or "")
    assert counted.need_sentence(study) is None
    assert "No policy compared changes" in counted.difference_title(study, "pac3")
    assert "too close to call" in counted.chance_title(study, "pac3")


def test_without_a_suspension_or_a_baseline_nothing_is_said_of_one(scenario: sp.Scenario, tmp_path: Path) -> None:
    text = sp.report(sp.ensemble(scenario, ["us_first"], 20), tmp_path / "page.html").read_text(encoding="utf-8")
    ids = {attributes.get("id", "") for _, attributes in Elements(text).found}
    assert {"stock-pac3", "chance"} <= ids
    assert not [one for one in ids if one.startswith(("changes-", "unmet-", "effect"))]


# ---------------------------------------------------------------- the page


def test_page_says_how_it_was_drawn(elements: Elements, scenario: sp.Scenario) -> None:
    facts = part(elements, "provenance")
    assert isinstance(facts, dict)
    assert (facts["members"], facts["seed"], facts["sampler"], facts["basis"]) == (MEMBERS, 3, "random", "over 200 draws")
    assert facts["drawn"] > 100
    assert facts["parameters"] == scenario.digest
    assert "200, seed 3, sampler random" in "".join(elements.visible)
    assert facts["cite"].endswith("200 draws of a model, seed 3")


def test_page_of_a_scenario_is_that_of_its_ensemble(scenario: sp.Scenario, tmp_path: Path) -> None:
    own = sp.report(scenario, tmp_path / "page.html", policies=FEW, members=40, seed=5)
    first = own.read_text(encoding="utf-8")
    assert f"stockpile report july_2025 --policy {','.join(FEW)} --members 40 --seed 5 -o {tmp_path.name}/page.html" in first
    drawn = sp.ensemble(scenario, FEW, 40, 5, quantities=["unmet", "us_on_hand"])
    again = sp.report(drawn, tmp_path / "page.html").read_text(encoding="utf-8")
    assert bare(again) == bare(first)
    code = (
        "import stockpile as sp; "
        f"sp.report(sp.load('july_2025'), {str(own)!r}, policies={FEW!r}, members=40, seed=5)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C"})
    assert bare(own.read_text(encoding="utf-8")) == bare(first)


def bare(text: str) -> str:
    """Return a page without the name of the engine, which is compiled once there is time to compile it."""
    return re.sub(r'"engine":"(numpy|compiled)"', '"engine":""', text)


def test_pages_of_both_engines_differ_in_the_manifest_alone(drawn: Ensemble, tmp_path: Path) -> None:
    pages = {}
    for engine in ("numpy", "compiled"):
        made = dataclasses.replace(drawn, manifest={**drawn.manifest, "engine": engine})
        pages[engine] = sp.report(made, tmp_path / "page.html", command="the command").read_text(encoding="utf-8")
        assert part(Elements(pages[engine]), "provenance")["engine"] == engine  # type: ignore[index]
    assert pages["numpy"] != pages["compiled"]
    assert pages["numpy"].replace('"engine":"numpy"', '"engine":"compiled"') == pages["compiled"]


def test_other_values_of_a_choice_are_told_with_their_weights(july: Study) -> None:
    found = {group.path: group.values for m in july.result.munitions for group in evidence.conflicts(july, m)}
    price = july.scenario.munitions["pac3"].unit_cost
    assert price.shape == "choice"
    weights = [weight for _, weight in price.points[0].choices]
    assert len(weights) > 2
    assert [label for label, _ in found["munitions.pac3.unit_cost"]] == [
        "used", *(f"drawn as well, weight {weight:g} of {sum(weights):g}" for weight in weights[1:])
    ]
    assert {label for label, _ in found["munitions.pac3.us_stock"]} == {"used", "beside it"}
    pinned = dataclasses.replace(july, scenario=july.scenario.override({"munitions.pac3.unit_cost": 4e6}))
    (group,) = (one for one in evidence.conflicts(pinned, "pac3") if one.path == "munitions.pac3.unit_cost")
    assert {label for label, _ in group.values} == {"beside it"}


def test_page_is_not_too_large_and_its_figures_are_sound(text: str, elements: Elements) -> None:
    assert text.count("* plotly.js v") == 1
    assert len(text.encode()) < 6_500_000
    drawn = part(elements, "figures")
    assert isinstance(drawn, dict)
    for spec in drawn["figures"].values():
        go.Figure(spec)
    used = set(re.findall(r'"(#[0-9a-fA-F]{6}|rgba?\([^"]*\))"', json.dumps(drawn["figures"])))
    assert used <= set(theme.DARK) == set(drawn["dark"])


def test_every_figure_has_a_text_in_its_place_and_a_table(elements: Elements) -> None:
    pictures = [one for one in elements.of("div") if one.get("role") == "img"]
    assert len(pictures) == len(elements.of("figure")) == 23 + 4
    assert all("chart of" in one["aria-label"] and len(one["aria-label"]) > 40 for one in pictures)
    assert len(elements.of("table")) == len(elements.of("caption"))
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(name in ids for _, one in elements.found for name in one.get("aria-labelledby", "").split())
    assert all(one["href"][1:] in ids for one in elements.of("a") if one["href"].startswith("#"))


def test_pictures_of_the_panels_are_whole(july: Study) -> None:
    for panel in (panel for m in july.result.munitions for panel in differences.panels(july, m)):
        root = ElementTree.fromstring(str(panel.picture))
        assert (root.get("aria-hidden"), root.get("viewBox")) == ("true", f"0 0 {differences.WIDTH} {differences.HEIGHT}")
        assert not {"fill", "stroke", "style"} & {name for node in root.iter() for name in node.attrib}
        paths = {node.get("class"): node.get("d", "") for node in root.iter("path")}
        for name in ("outer", "inner", "median"):
            points = np.array([[float(n) for n in pair.split()] for pair in re.split("[ML]", paths[name].rstrip("Z")) if pair])
            assert (points >= [differences.LEFT, differences.TOP]).all()
            assert (points <= [differences.RIGHT, differences.BOTTOM]).all()
        assert {"nought", "grid"} <= set(paths)
        assert any(node.text == "0" for node in root.iter("text"))


@pytest.mark.parametrize(("low", "high"), [(0.0, 11.0), (-3.0, 8.0), (-1.2e6, 0.0), (0.0, 0.07), (0.0, 2.0e6)])
def test_numbers_along_an_axis_are_round_and_few(low: float, high: float) -> None:
    found = differences.ticks(low, high)
    assert 2 <= len(found) <= differences.TICKS + 1
    assert low <= found[0] <= 0.0 <= found[-1] <= high
    assert all(float(f"{one:.1g}") == pytest.approx(one) or float(f"{one:.2g}") == pytest.approx(one) for one in found)
    assert differences.short(-2500.0) == "−2,500"
    assert differences.short(1_500_000.0) == "+1.5M"


def test_hostile_titles_stay_text_among_draws(tmp_path: Path) -> None:
    (tmp_path / "mine/policies").mkdir(parents=True)
    (tmp_path / "mine/campaigns").mkdir()
    quoted = json.dumps(HOSTILE)
    for name in ("policies/suspension_indefinite", "campaigns/us_operation"):
        (tmp_path / f"mine/{name}.toml").write_text(f"title = {quoted}\ndescription = {quoted}\n", encoding="utf-8")
    scenario = sp.load("july_2025", params=[tmp_path / "mine"])
    text = sp.report(scenario, tmp_path / "page.html", policies=["none", "suspension_indefinite"], members=10).read_text(encoding="utf-8")
    elements = Elements(text)
    assert len(elements.scripts) == 4
    assert not elements.of("img")
    assert not [one for _, one in elements.found if any(name.startswith("on") for name in one)]
    assert str(page.kept("<b> (<i>)")) == '<span class="kept">&lt;b&gt;</span> <span class="kept">(&lt;i&gt;)</span>'


def test_what_may_come_at_random_is_told_in_the_words_of_its_file(elements: Elements, scenario: sp.Scenario, tmp_path: Path) -> None:
    seen = " ".join("".join(elements.visible).split())
    campaign = scenario.campaigns["us_operation"]
    assert " ".join(campaign.description.split()) in seen
    assert "a prior, told below" in seen
    (tmp_path / "calm.toml").write_text(
        'title = "Calm"\ndescription = "No operations at random."\nbase = "july_2025"\nwithout_campaigns = ["us_operation"]\n'
        'munitions = ["aim9x"]\npolicies = ["none", "us_first"]\n',
        encoding="utf-8",
    )
    calm = sp.load(tmp_path / "calm.toml")
    text = sp.report(calm, tmp_path / "calm.html", members=10).read_text(encoding="utf-8")
    assert "a prior, told below" not in text
    assert "What may come at random" not in text


def test_every_value_says_what_is_drawn(july: Study) -> None:
    """Exactly the paths that have a stream of draws say that something is drawn."""
    collector = Collector(july.scenario)
    unit_costs(parts(july.scenario, list(july.result.policies), collector))
    streams = {stream.partition("@")[0] for stream in collector.columns.streams}
    items = [item for _, found in evidence.assumptions(july) for item in found]
    said_drawn = {item.path for item in items if not item.drawn.startswith("not drawn")}
    at_random = {path for path in said_drawn if path.startswith("campaigns.")}
    assert said_drawn - at_random == {path for path in streams if not path.startswith("campaigns.")}
    assert len(at_random) == 2 + len(july.result.munitions)
    assert all(item.drawn for item in items)
    assert {item.drawn for item in items if item.path == "munitions.pac3.us_stock"} == {"triangular between bounds"}
    assert {item.drawn for item in items if item.path.endswith("transfer_floor.level")} == {"not drawn: a choice"}
    count = evidence.ranges_by_grade(july)
    assert sum(count.values()) == sum(not item.drawn.startswith("not drawn") for item in items)
    assert f"Of {sum(count.values())} values that are drawn, {count['assumed']} are judgements" in ranges.not_this(july)


# ---------------------------------------------------------------- other ensembles


def test_draws_that_were_only_counted_have_the_same_page(scenario: sp.Scenario, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = sp.ensemble(scenario, FEW, 60, quantities=["us_on_hand"], engine="numpy")
    monkeypatch.setattr(folded, "WHOLE_BYTES", 0)
    monkeypatch.setattr(run, "WHOLE_BYTES", 0)
    counts = sp.ensemble(scenario, FEW, 60, quantities=["us_on_hand"], engine="numpy")
    one, other = (study_of(scenario, drawn.central, drawn) for drawn in (whole, counts))
    for m in one.result.munitions:
        assert chances.table(one, m) == chances.table(other, m)
        assert counted.floor_sentence(one, m) == counted.floor_sentence(other, m)
        assert counted.chance_title(one, m) == counted.chance_title(other, m)
        error = float(np.max(counts.bands.error))
        gap = np.abs(spread.bands(one, "none", m) - spread.bands(other, "none", m)).max()
        assert gap <= 0.05 * spread.bands(one, "none", m).max()
        assert error > 0.0
    assert any("read from counts" in note for note in ranges.notes(other, "pac3"))
    assert not any("read from counts" in note for note in ranges.notes(one, "pac3"))
    assert sp.report(counts, tmp_path / "page.html").is_file()


def test_of_draws_that_were_only_counted_nothing_is_said_that_the_draws_do_not_show(
    scenario: sp.Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    policies = ["none", "suspension_2025_07", "suspension_including_israel", "us_first"]
    whole = sp.ensemble(scenario, policies, 700, quantities=["us_on_hand"])
    monkeypatch.setattr(folded, "WHOLE_BYTES", 0)
    monkeypatch.setattr(run, "WHOLE_BYTES", 0)
    counts = sp.ensemble(scenario, policies, 700, quantities=["us_on_hand"])
    one, other = (study_of(scenario, drawn.central, drawn) for drawn in (whole, counts))
    never_less = 0
    for m in one.result.munitions:
        for policy in one.others:
            pairs = [[spread.change_at(study, policy, m, edge) for study in (one, other)] for edge in (one.dates_after[0], one.last)]
            rows = one.result.recipients
            pairs += [[spread.metric_change(study, "total_unmet", row, policy, m) for study in (one, other)] for row in rows]
            for exact, found in pairs:
                assert exact.error == 0.0 < found.error
                assert found.less <= exact.less and found.more <= exact.more
                assert found.kind == exact.kind or found.kind in ("none", "close")
                for name in ("low", "median", "high"):
                    assert abs(getattr(found, name) - getattr(exact, name)) <= found.error * (1.0 + 1e-9)
                    assert getattr(found, name) == 0.0 or getattr(exact, name) != 0.0
                never_less += exact.less == 0 and exact.more < exact.members
        error = words.from_counts(spread.error(other, m, change=False))
        assert (error in ranges.notes(other, m)) == (spread.error(other, m, change=False) > words.SEEN)
        assert spread.error(other, m, change=False) < 0.01 * float(spread.bands(one, "none", m).max())
    assert never_less > 10
    panels, table = blocks.changes(other, "shell_155mm"), differences.unmet(other, "shell_155mm")
    assert panels is not None and table is not None
    assert differences.NEITHER in panels.notes[-1] and differences.NEITHER in table.note
    table = differences.unmet(one, "shell_155mm")
    assert table is not None and table.note == ""


def test_one_draw_has_a_page_and_no_interval(scenario: sp.Scenario, tmp_path: Path) -> None:
    page = sp.report(scenario, tmp_path / "page.html", policies=FEW, members=1, seed=2)
    assert "(no interval)" in page.read_text(encoding="utf-8")


def test_what_does_not_fit_is_refused(drawn: Ensemble, scenario: sp.Scenario, tmp_path: Path) -> None:
    with pytest.raises(sp.InputError, match="already has its policies; allowed"):
        sp.report(drawn, tmp_path / "page.html", policies=["none"])
    with pytest.raises(sp.InputError, match="already has its members; allowed"):
        sp.report(drawn, tmp_path / "page.html", members=10)
    with pytest.raises(sp.InputError, match="was not followed"):
        sp.report(sp.ensemble(scenario, ["none"], 5, quantities=["unmet"]), tmp_path / "page.html")
    changed = dataclasses.replace(drawn, central=sp.run(scenario.override({"scenario.end": dt.date(2027, 1, 1)}), ["none"]))
    with pytest.raises(sp.InputError, match="does not carry its sources; allowed"):
        sp.report(changed, tmp_path / "page.html")
    assert not list(tmp_path.iterdir())


def test_quantiles_are_those_the_page_names() -> None:
    assert QUANTILES == (0.05, 0.25, 0.5, 0.75, 0.95)


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("value", "width", "text"),
    [
        (843.1, 1632.0, "840"), (843.1, 400.0, "840"), (843.1, 80.0, "843"), (46.8, 1632.0, "50"), (1.26e6, 3.6e6, "1,300,000"),
        (5.55, 8.0, "5.5"), (0.3, 0.2, "0.3"), (3.0, 1632.0, "0"), (-3.0, 1632.0, "0"), (-590.0, 100.0, "−590"), (0.0, 0.0, "0"),
    ],
)
def test_no_more_digits_than_the_interval_supports(value: float, width: float, text: str) -> None:
    assert words.supported(value, width) == text
    assert words.supported(value, width, sign=True) == (text if text == "0" or value < 0 else f"+{text}")


def test_counts_and_ranges_in_words() -> None:
    assert words.spread(46.8, 843.1, 1679.0, sign=True) == "+840 (+50 to +1,680)"
    assert words.spread(-0.01, 0.0, 0.04) == "0"
    assert words.spread(-np.inf, 843.1, np.inf, sign=True) == "+843 (no interval)"
    space = "\N{NO-BREAK SPACE}"
    assert words.chance(31, 200, 0.111, 0.209) == f"31 of 200 (11 to 21{space}%)"
    assert words.chance(0, 2000, 0.0, 0.0018) == f"0 of 2,000 (0 to 0.2{space}%)"
    assert words.chance(200, 200, 0.982, 1.0) == f"200 of 200 (98.2 to 100{space}%)"
    assert NUMBERS.findall(words.spread(46.8, 843.1, 1679.0)) == ["840", "50", "1,680"]
