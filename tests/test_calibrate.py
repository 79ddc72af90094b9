"""Calibration: posteriors that can be written down, what is fitted and what never, the layer that comes of it, refusals."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import Call
from evidence_layers import CLOSED_FORMS, closed, lay, observation, source, stock
from scipy import integrate, stats

import stockpile as sp
from stockpile import shapes
from stockpile.analysis.calibration_sentences import of_calibration
from stockpile.draws import Columns
from stockpile.errors import InputError
from stockpile.evidence import calibrate as module
from stockpile.evidence.calibrate import Calibration
from stockpile.evidence.chosen import MARKER
from stockpile.evidence.frames import parameter_at
from stockpile.evidence.ledger import ledger
from stockpile.evidence.scored import Handed, Scored, prior_scores
from stockpile.evidence.toml_text import toml_text
from stockpile.report.workbench import calibrations
from stockpile.report.workbench.pages import Wanted, page

STOCK = "munitions.test_round.us_stock"
TRAINING = "munitions.test_round.training"
SCORE = stats.norm.ppf(0.95)
TWO = observation("first", 110, more="low = 95\nhigh = 125") + observation("second", 96, more="low = 86\nhigh = 106")
USE = '[training]\nunit = "round/month"\nshape = "normal"\nvalue = 3\nlow = 1\nhigh = 5\ngrade = "assumed"\nnote = "made up"\n'


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Calibration:
    """A normal stock, of which two figures were reported at the start."""
    return sp.calibrate(closed(tmp_path_factory.mktemp("two"), stock(), TWO), members=4000)


def row(found: Calibration, path: str) -> pd.Series:
    return found.parameters.set_index("path").loc[path]


def weights(value: float, low: float, high: float) -> tuple[float, float]:
    return value, ((high - low) / 2 / SCORE) ** -2


# ---------------------------------------------------------------- posteriors that can be written down


def test_a_normal_stock_with_normal_reports_is_the_mean_weighed_by_precision(two: Calibration) -> None:
    # Three normal distributions, 100 (80 to 120), 110 (95 to 125) and 96 (86 to 106), at the same quantity.
    parts = [weights(100, 80, 120), weights(110, 95, 125), weights(96, 86, 106)]
    precision = sum(own for _, own in parts)
    mean, width = sum(value * own for value, own in parts) / precision, SCORE / np.sqrt(precision)
    own = row(two, STOCK)
    assert own["prior_low"] == pytest.approx(80, abs=0.01) and own["prior_high"] == pytest.approx(120, abs=0.01)
    # The mean is known to 1 / sqrt(4000) deviations, a 5 % quantile to some 2 / sqrt(4000) of them.
    deviation = width / SCORE
    assert own["posterior_middle"] == pytest.approx(mean, abs=0.08 * deviation)
    assert own["posterior_low"] == pytest.approx(mean - width, abs=0.15 * deviation)
    assert own["posterior_high"] == pytest.approx(mean + width, abs=0.15 * deviation)
    assert own["moved"] and own["narrowing"] == pytest.approx(1 - width / 20, abs=3 * own["narrowing_error"])
    assert not two.refused and two.effective > 1000 and two.unique > 3900


def test_the_evidence_is_the_integral_of_prior_and_likelihood(two: Calibration) -> None:
    u = (np.arange(200_000) + 0.5) / 200_000
    values = shapes.quantiles("normal", u, 80, 100, 120, 0, np.inf)
    logs = [-0.5 * np.square((values - value) * np.sqrt(own)) for value, own in (weights(110, 95, 125), weights(96, 86, 106))]
    exact = np.log(np.exp(sum(logs)).mean())
    assert two.log_evidence == pytest.approx(exact, abs=4 * two.log_evidence_error)
    assert 0 < two.log_evidence_error < 0.05


def test_a_lopsided_prior_and_report_are_met_by_quadrature(tmp_path: Path) -> None:
    more = "low = 105\nhigh = 118"
    reports = observation("a", 108, more=more) + observation("b", 112, more="low = 96\nhigh = 116")
    scenario = closed(tmp_path, stock("triangular", 60, 90, 150), reports)
    own = row(sp.calibrate(scenario, members=4000), STOCK)
    readings = [ledger(scenario).by_name[name].reading for name in ("a", "b")]

    def density(value: float) -> float:
        prior = (value - 60) / 30 if value < 90 else (150 - value) / 60
        return prior * float(np.exp(sum(one.log_likelihood(np.array([value]))[0] for one in readings if one)))

    grid = np.linspace(60, 150, 4001)
    reached = integrate.cumulative_trapezoid([density(value) for value in grid], grid, initial=0.0)
    exact = np.interp(np.array([0.05, 0.5, 0.95]) * reached[-1], reached, grid)
    assert [own["posterior_low"], own["posterior_middle"], own["posterior_high"]] == pytest.approx(exact, abs=0.4)


def test_a_choice_is_weighed_by_bayes_rule(tmp_path: Path) -> None:
    point = (
        '[[us_stock.points]]\nfrom = 2024-01-01\nvalue = {}\nweight = {}\ngrade = "assumed"\nnote = "made up"\n'
        'conflict = "stock"\nused = {}\n'
    )
    choice = '[us_stock]\nunit = "round"\nshape = "choice"\n' + point.format(90, 3, "true") + point.format(110, 1, "false")
    reports = observation("a", 105, more="low = 90\nhigh = 120") + observation("b", 106, more="low = 91\nhigh = 121")
    found = sp.calibrate(closed(tmp_path / "given", choice, reports), members=4000)
    likelihood = [np.exp(-0.5 * sum(((value - given) / (15 / SCORE)) ** 2 for given in (105, 106))) for value in (90, 110)]
    share = likelihood[1] / (3 * likelihood[0] + likelihood[1])
    folder = found.write(tmp_path / "layer")
    table = tomllib.loads((folder / "munitions" / "test_round.toml").read_text(encoding="utf-8"))["us_stock"]
    # Of the used value there are two: as it was, and with the posterior's weight.
    assert [(one["value"], one["used"]) for one in table["points"]] == [(90, True), (90, True), (110, False)]
    old, new, other = (one["weight"] for one in table["points"])
    assert old == 3 and new + other == pytest.approx(4) and other / 4 == pytest.approx(share, abs=0.03)
    scenario = sp.load("closed_form", params=[CLOSED_FORMS, tmp_path / "given", folder])
    assert scenario.munitions["test_round"].us_stock.points[0].choices == ((90.0, new), (110.0, other))


def test_a_difference_that_is_known_ties_its_parts_together(tmp_path: Path) -> None:
    # Stock at the start less use of ten months is reported: the sum of two normal numbers with a normal error.
    reports = "".join(observation(name, 70, date="2025-11-01", more="low = 66\nhigh = 74") for name in ("a", "b"))
    found = sp.calibrate(closed(tmp_path / "given", stock() + USE, reports), members=4000)
    s, t, e = 20 / SCORE, 20 / SCORE, 4 / SCORE / np.sqrt(2)
    exact = np.linalg.inv(np.diag([s**-2, t**-2]) + np.array([[1, -1], [-1, 1]]) / e**2)
    pair = found.correlations.iloc[0]
    assert {pair["path"], pair["other"]} == {STOCK, TRAINING} and pair["prior"] == 0.0
    assert pair["posterior"] == pytest.approx(exact[0, 1] / np.sqrt(exact[0, 0] * exact[1, 1]), abs=0.03)
    folder = found.write(tmp_path / "layer")
    scenario = sp.load("closed_form", params=[*found.scenario.origin[1], folder])
    group = scenario.model.correlations["posterior"]
    assert set(group.paths) == {STOCK, TRAINING} and group.between(STOCK, TRAINING) == pytest.approx(pair["posterior"], abs=0.001)
    # What is drawn from the layer is what the particles were: the difference is as sure, each part as wide.
    measure = ledger(scenario).by_name["a"].measure
    assert measure is not None
    model = Scored(scenario, [measure], 4000)
    drawn = np.quantile(model.predict(prior_scores(model.streams, 4000, 5))[0], [0.05, 0.5, 0.95])
    mean = 70.0
    width = SCORE * np.sqrt(1 / (1 / (s**2 + t**2) + 1 / e**2))
    assert drawn == pytest.approx([mean - width, mean, mean + width], abs=0.35)


# ---------------------------------------------------------------- what is fitted


def test_only_new_undisputed_evidence_of_the_same_scope_is_fitted(tmp_path: Path) -> None:
    scope = 'scope = { state = "on_hand", owner = "us", variant = "all of them", match = "same" }'
    reports = TWO + "".join([
        observation("claim_one", 150, more='conflict = "two_claims"'),
        observation("claim_two", 60, more='conflict = "two_claims"'),
        observation("beside", 70, more='conflict = "settled"\nused = false'),
        observation("settled", 104, more='conflict = "settled"'),
        observation("rested_on", 100, more=f'used_in = ["{STOCK}"]'),
        observation("residual", 100, more="closes_the_books = true"),
        observation("another_scope", 100).replace(scope, scope.replace('"same"', '"other"')),
        observation("before_the_run", 100, date="2024-11-01"),
        observation("afterwards", 100, source="later_report"),
        observation("least", 85, more='bound = "at_least"'),
    ])
    folder = lay(tmp_path, {"sources.toml": source("made_up_report", "2024-12-01") + source("later_report", "2025-02-01")})
    (folder / "munitions").mkdir()
    (folder / "munitions" / "test_round.toml").write_text(stock(), encoding="utf-8")
    (folder / "observations").mkdir()
    (folder / "observations" / "made_up.toml").write_text(reports, encoding="utf-8")
    scenario = sp.load("closed_form", params=[CLOSED_FORMS, folder])
    found = sp.calibrate(scenario, members=300, hold_back=["second"])
    own = found.observations.set_index("name")
    assert found.fitted == ("first", "least", "settled") and own.loc["second", "status"] == "held back"
    assert own.loc["afterwards", "status"] == "later"
    because = {
        "claim_one": "nobody has decided", "claim_two": "nobody has decided", "beside": "which is the one used", "rested_on": STOCK,
        "residual": "closes the books", "another_scope": "something else", "before_the_run": "outside the months",
    }
    assert all(own.loc[name, "status"] == "left out" and text in own.loc[name, "because"] for name, text in because.items())
    # What is not fitted is predicted all the same, where the model counts it.
    assert own.loc[["second", "afterwards", "claim_one", "residual"], "posterior_middle"].notna().all()
    assert own.loc[["another_scope", "before_the_run"], "prior_middle"].isna().all()
    assert own.loc["least", "holds_after"] > own.loc["least", "holds_before"] and np.isnan(own.loc["least", "crps_after"])


def test_a_percentage_of_several_denominators_is_an_inequality_and_no_target(tmp_path: Path) -> None:
    share = (
        '[quarter]\ntitle = "a quarter of what is needed"\nmunition = "test_round"\ndate = 2025-01-01\nunit = "1"\nbasis = "statement"\n'
        'scope = { state = "on_hand", owner = "us", variant = "all of them", match = "same" }\nvalue = 0.25\nsource = ["made_up_report"]\n'
        'where = "nowhere"\ngrade = "reported"\n'
    )
    other = "[quarter.of.{}]\ntitle = \"one\"\nvalue = {}\nsource = [\"made_up_report\"]\nwhere = \"nowhere\"\ngrade = \"reported\"\n"
    reports = share + other.format("small", 360) + other.format("large", 800) + observation("wide", 100, more="low = 1\nhigh = 199")
    found = sp.calibrate(closed(tmp_path, stock(), reports), members=4000)
    # Between 90 and 200 the prior stays as it is, and nothing is drawn to the middle, 145: the median is the prior's quantile there.
    assert found.observations.set_index("name").loc["quarter", "kind"] == "between"
    below = stats.norm.cdf((90 - 100) / (20 / SCORE))
    assert row(found, STOCK)["posterior_middle"] == pytest.approx(100 + 20 / SCORE * stats.norm.ppf((1 + below) / 2), abs=0.6)
    drawn = shapes.quantiles("normal", np.sort(found.uniforms[found.streams.index(STOCK)]), 80, 100, 120, 0, np.inf)
    assert drawn[0] > 90 - 0.1


def test_what_is_held_back_is_named_or_dated(tmp_path: Path) -> None:
    scenario = closed(tmp_path, stock(), TWO + observation("late", 98, date="2025-06-01"))
    for given in ("late", ["late"], dt.date(2025, 3, 1), "2025-03-01", "2025-06-01"):
        found = sp.calibrate(scenario, members=50, hold_back=given)
        assert found.fitted == ("first", "second")
    with pytest.raises(InputError, match="unknown observation 'lat'; did you mean 'late'"):
        sp.calibrate(scenario, hold_back=["lat"])
    with pytest.raises(InputError, match="members: 1; allowed"):
        sp.calibrate(scenario, members=1)


# ---------------------------------------------------------------- refusals


def test_too_little_evidence_is_said_and_writes_nothing(tmp_path: Path, call: Call) -> None:
    scenario = closed(tmp_path / "one", stock(), observation("only", 110))
    found = sp.calibrate(scenario, members=300)
    assert found.refused.startswith("1 observations can be fitted; at least 2") and found.parameters.empty
    only = found.observations.set_index("name").loc["only"]
    assert only["prior_middle"] == pytest.approx(100, abs=2) and np.isnan(only["posterior_middle"])
    assert "too thin" in of_calibration(found, scenario)[0]
    with pytest.raises(InputError, match="too thin"):
        found.write(tmp_path / "layer")
    folders = ["--params", CLOSED_FORMS, "--params", tmp_path / "one"]
    done = call("calibrate", "closed_form", *folders, "--members", "300", "-o", tmp_path / "layer")
    assert done.code == 1 and "too thin" in done.out and not (tmp_path / "layer").exists()


def test_evidence_is_refused_that_moves_nothing_is_impossible_or_has_too_few_particles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vague = "".join(observation(name, 100, more="low = 1\nhigh = 5000") for name in ("a", "b"))
    vaguely = closed(tmp_path / "vague", stock(), vague)
    assert sp.calibrate(vaguely, members=500).refused.startswith("no parameter moved")
    scenario = closed(tmp_path / "two", stock(), TWO)
    assert "effective sample size is" in sp.calibrate(scenario, members=100).refused
    monkeypatch.setattr(module, "LEAST_POSSIBLE", 1.1)
    assert "100 % of the draws of the prior are possible" in sp.calibrate(scenario, members=300).refused


# ---------------------------------------------------------------- the layer


def test_a_layer_gives_the_posterior_back_and_is_not_fitted_twice(two: Calibration, tmp_path: Path) -> None:
    folder = two.write(tmp_path / "layer")
    scenario = sp.load("closed_form", params=[*two.scenario.origin[1], folder])
    parameter = parameter_at(scenario, STOCK)
    assert parameter is not None and len(parameter.points) == 1
    own, point = row(two, STOCK), parameter.points[0]
    columns = Columns(scenario)
    columns.number(STOCK, parameter, point, "")
    pieces = columns.columns[0].pieces
    assert pieces is not None
    ends = [own["posterior_low"], own["posterior_middle"], own["posterior_high"]]
    assert shapes.interpolate(pieces, np.array([0.05, 0.5, 0.95])) == pytest.approx(ends, rel=1e-4)
    assert point.grade == "derived" and point.source == ["made_up_report"] and "first, second" in point.note
    again = sp.calibrate(scenario, members=300)
    assert "0 observations can be fitted" in again.refused
    because = again.observations.set_index("name").loc[["first", "second"], "because"]
    assert because.str.contains("a layer of parameters rests on it").all()


def test_a_scenario_before_the_observations_does_not_see_the_posterior(tmp_path: Path) -> None:
    dated = [
        ("2024-01-01", 2, 1, 3, "made_up_report"), ("2025-06-01", 3, 2, 5, "made_up_report"), ("2025-06-01", 30, 20, 50, "much_later"),
    ]
    points = "".join(
        f'[[training.points]]\nfrom = {start}\nvalue = {value}\nlow = {low}\nhigh = {high}\nsource = ["{name}"]\ngrade = "derived"\n'
        'note = "made up"\n'
        for start, value, low, high, name in dated
    )
    munition = stock() + '[training]\nunit = "round/month"\nshape = "triangular"\n' + points
    sources = source("made_up_report", "2024-11-01") + source("report_of_stock", "2024-12-01") + source("much_later", "2026-01-01")
    reports = "".join(
        observation(name, value, date=date, source="report_of_stock", more=f"low = {value - 2}\nhigh = {value + 2}")
        for name, value, date in (("a", 92, "2025-01-01"), ("b", 78, "2025-06-01"), ("c", 50, "2026-01-01"))
    )
    given = lay(tmp_path / "given", {"munitions/test_round.toml": munition, "sources.toml": sources, "observations/made_up.toml": reports})
    at = 'base = "closed_form"\ntitle = "at another date"\ndescription = "made up"\nas_of = {}\n'
    lay(given, {"scenarios/before.toml": at.format("2024-11-15"), "scenarios/after.toml": at.format("2026-06-01")})
    found = sp.calibrate(sp.load("closed_form", params=[CLOSED_FORMS, given]), members=1000)
    assert {STOCK, TRAINING} <= set(found.parameters.loc[found.parameters["moved"], "path"])
    folder = found.write(tmp_path / "layer")
    folders = [CLOSED_FORMS, given, folder]

    def middles(name: str) -> list[float]:
        parameter = parameter_at(sp.load(name, params=folders), TRAINING)
        assert parameter is not None
        return [point.value for point in parameter.points]

    own = row(found, TRAINING)
    now, before, after = middles("closed_form"), middles("before"), middles("after")
    assert now[1] == pytest.approx(own["posterior_middle"], rel=1e-4) and now[0] != before[0]
    # Before the reports the medians of the files' ranges, after a later figure that one's.
    triangle = [shapes.quantiles("triangular", np.array([0.5]), low, value, high)[0] for _, value, low, high, _ in dated]
    assert before == pytest.approx(triangle[:2], rel=1e-4) and after == pytest.approx([now[0], triangle[2]], rel=1e-4)
    assert "report_of_stock" not in str(sp.load("before", params=folders).tree)


def test_a_layer_replaces_only_a_layer(two: Calibration, tmp_path: Path) -> None:
    mine = lay(tmp_path / "mine", {"notes.txt": "keep"})
    with pytest.raises(InputError, match="is no layer of a calibration"):
        two.write(mine)
    assert (mine / "notes.txt").read_text(encoding="utf-8") == "keep" and not list(tmp_path.glob(".*"))
    folder = two.write(tmp_path / "deep" / "layer")
    (folder / "stale.toml").write_text("", encoding="utf-8")
    assert two.write(folder) == folder
    files = sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
    assert files == [MARKER, "munitions/test_round.toml"]
    said = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    assert said["fitted"] == ["first", "second"] and said["manifest"]["seed"] == 1


def test_what_the_scenario_changes_is_left_out_of_the_layer_with_the_reason(tmp_path: Path) -> None:
    scenario = closed(tmp_path / "given", stock() + USE, TWO + observation("late", 40, date="2025-11-01", more="low = 38\nhigh = 42"))
    found = sp.calibrate(scenario.override({f"{STOCK}.scale": 1.1}), members=1000)
    folder = found.write(tmp_path / "layer")
    table = tomllib.loads((folder / "munitions" / "test_round.toml").read_text(encoding="utf-8"))
    assert set(table) == {"training"}
    said = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    assert said["left_out"] == {STOCK: "changed by the scenario, whose change would be made again"}


def test_tables_come_back_from_their_text() -> None:
    table = {
        "a": 1, "b": -2.5e-7, "text": 'quotes " and \\ and \n ends \x7f', "yes": True, "day": dt.date(2026, 2, 28), "names": ["x", "y"],
        "none": [], "lists": [[0.5], [0.25, -0.5]],
        "inner": {"deep": {"value": 3.0}, "points": [{"from": dt.date(2022, 3, 1)}, {"value": 2, "of": {"one": {"value": 1}}}]},
        "odd key": {"value": 1}, "empty": {},
    }
    assert tomllib.loads(toml_text(table)) == table


# ---------------------------------------------------------------- the real scenario

PAC3 = "munitions.pac3.us_stock"
DATES = {"spring_2022": "2022-04-01", "late_2022": "2022-12-01", "spring_2024": "2024-04-01", "summer_2025": "2025-08-01"}


def of_pac3(folder: Path, values: dict[str, float]) -> tuple[sp.Scenario, list[str]]:
    """Return november_2026 with reports of the US stock of PAC-3 to 5 %, and the names of all other observations."""
    reports = "".join(
        observation(name, value, munition="pac3", date=DATES[name], more=f"low = {0.95 * value}\nhigh = {1.05 * value}")
        for name, value in values.items()
    )
    files = {"observations/made_up.toml": reports, "sources.toml": source("made_up_report", "2026-01-01")}
    scenario = sp.load("november_2026", params=[lay(folder, files)])
    return scenario, [name for name in ledger(scenario).by_name if name not in values]


@pytest.fixture(scope="module")
def pac3(tmp_path_factory: pytest.TempPathFactory) -> tuple[sp.Scenario, list[str]]:
    """Reports made up of one member of the prior."""
    folder = tmp_path_factory.mktemp("pac3")
    scenario, _ = of_pac3(folder / "first", dict.fromkeys(DATES, 2000.0))
    entries = ledger(scenario).by_name
    model = Scored(scenario, [measure for name in DATES if (measure := entries[name].measure)], 10)
    truth = model.predict(prior_scores(model.streams, 10, 11))[:, 3]
    return of_pac3(folder / "second", {name: float(round(value)) for name, value in zip(DATES, truth, strict=True)})


def test_a_forecast_from_a_layer_is_nearly_as_narrow_as_the_particles(pac3: tuple[sp.Scenario, list[str]], tmp_path: Path) -> None:
    """The stock after the campaign of 2026 is a sum of what four figures tie together."""
    scenario, others = pac3
    found = sp.calibrate(scenario, hold_back=others)
    assert set(found.fitted) == set(DATES)
    known = ledger(scenario).by_name["spring_2024"].measure
    assert known is not None
    after = [dataclasses.replace(known, date=dt.date(2026, 4, 1))]
    folder = found.write(tmp_path / "layer")
    widths, middles = {}, {}
    for name, read in (("prior", scenario), ("layer", sp.load("november_2026", params=[*scenario.origin[1], folder]))):
        model = Scored(read, after, 4096)
        low, middles[name], high = np.quantile(model.predict(prior_scores(model.streams, 4096, 5))[0], [0.05, 0.5, 0.95])
        widths[name] = high - low
    engines = [Scored(read, after, 200, engine=engine) for engine in ("numpy", "compiled")]
    one, other = (model.predict(prior_scores(model.streams, 200, 5)) for model in engines)
    assert any(group.factor is not None for group in engines[0].predictor.lanes.groups) and np.array_equal(one, other)
    model = Scored(scenario, after, found.uniforms.shape[1])
    uniforms = model.drawn(prior_scores(model.streams, found.uniforms.shape[1], 5))
    uniforms[[model.streams.index(stream) for stream in found.streams]] = found.uniforms
    source = Handed()
    source.values = uniforms
    design = dataclasses.replace(model.predictor.lanes.design(source, uniforms.shape[1]), groups=())
    low, middle, high = np.quantile(model.predictor.of(design)[0], [0.05, 0.5, 0.95])
    # In groups of two it was 1.34 times as wide as the particles. A 90 % range of two thousand draws is known to 3 %.
    assert widths["layer"] == pytest.approx(high - low, rel=0.15) and high - low < 0.6 * widths["prior"]
    assert middles["layer"] == pytest.approx(middle, abs=0.05 * (high - low))


def test_a_group_of_the_files_comes_in_whole_and_an_earlier_scenario_still_has_it(tmp_path: Path) -> None:
    table = f'[correlations.own]\npaths = ["{STOCK}", "{TRAINING}"]\nvalue = 0.3\ngrade = "assumed"\nnote = "made up"\n'
    reports = "".join(observation(name, 70, date="2025-11-01", more="low = 66\nhigh = 74") for name in ("a", "b"))
    given = lay(tmp_path / "given", {
        "munitions/test_round.toml": stock() + USE, "observations/made_up.toml": reports, "model.toml": table,
        "sources.toml": source("made_up_report", "2024-12-01"),
        "scenarios/before.toml": 'base = "closed_form"\ntitle = "earlier"\ndescription = "made up"\nas_of = 2024-11-15\n',
    })
    found = sp.calibrate(sp.load("closed_form", params=[CLOSED_FORMS, given]), members=2000)
    assert found.correlations["prior"].max() == pytest.approx(0.3)
    folders = [CLOSED_FORMS, given, found.write(tmp_path / "layer")]
    after, before = (sp.load(name, params=folders).model.correlations for name in ("closed_form", "before"))
    assert "own" not in after and after["posterior"].replaces == ["own"] and set(after["posterior"].paths) == {STOCK, TRAINING}
    assert "posterior" not in before and before["own"].value == 0.3


@pytest.mark.slow
def test_engine_and_threads_move_no_bit(pac3: tuple[sp.Scenario, list[str]]) -> None:
    scenario, others = pac3
    runs = [
        sp.calibrate(scenario, members=64, hold_back=[*others, "spring_2024", "summer_2025"], engine=engine, threads=threads)
        for engine, threads in (("numpy", 1), ("compiled", 1), ("compiled", 2))
    ]
    for other in runs[1:]:
        assert np.array_equal(runs[0].uniforms, other.uniforms)
        pd.testing.assert_frame_equal(runs[0].observations, other.observations, check_exact=True)
        pd.testing.assert_frame_equal(runs[0].parameters, other.parameters, check_exact=True)


def test_calibrated_stocks_are_narrower_and_figures_held_back_no_worse_predicted(pac3: tuple[sp.Scenario, list[str]]) -> None:
    scenario, others = pac3
    found = sp.calibrate(scenario, hold_back=[*others, "spring_2024", "summer_2025"])
    assert found.fitted == ("spring_2022", "late_2022") and not found.refused
    own = row(found, PAC3)
    assert own["moved"] and own["narrowing"] > 0.3 + 2 * own["narrowing_error"]
    held = found.observations.set_index("name").loc[["spring_2024", "summer_2025"]]
    assert (held["crps_after"] <= held["crps_before"]).all()
    widths = [(held[f"{side}_high"] - held[f"{side}_low"]) for side in ("prior", "posterior")]
    assert (widths[1] < 0.95 * widths[0]).all()


def test_the_command_writes_a_layer_that_other_commands_run_on(pac3: tuple[sp.Scenario, list[str]], tmp_path: Path, call: Call) -> None:
    scenario, others = pac3
    folder = scenario.origin[1][0]
    held = ",".join([*others, "spring_2024", "summer_2025"])
    given = ["november_2026", "--params", folder, "--members", "500", "--hold-back", held]
    done = call("calibrate", *given, "-o", tmp_path / "layer", "--json")
    assert done.code == 0, done.err
    assert done.json["refused"] == "" and done.json["effective"] > 200 and {"observations", "parameters", "scores"} <= set(done.json)
    plain = call("calibrate", *given)
    assert plain.code == 0 and "spring_2022" in plain.out and PAC3 in plain.out and "independent draws" in plain.out
    assert "pac3_patriot_output_2025" in plain.out and " round/month " in plain.out, "a rate is not printed as a number of rounds"
    before, after = (
        call("run", "november_2026", "--params", folder, *more, "--policy", "none", "--json")
        for more in ((), ("--params", tmp_path / "layer"))
    )
    assert before.code == after.code == 0 and before.out != after.out
    assert call("calibrate", "november_2026", "--hold-back", "nothing_of_the_kind").code == 2
    assert call("calibrate", *given, "-o", folder).code == 2


def test_a_page_says_what_moved_and_what_the_posterior_is_worth(pac3: tuple[sp.Scenario, list[str]]) -> None:
    scenario, others = pac3
    found = sp.calibrate(scenario, members=600, hold_back=[*others, "summer_2025"])
    own = calibrations.section(found, "c", scenario)
    parameters, observations = own.charts
    moved = found.parameters[found.parameters["moved"]]
    assert len(parameters.table.rows) == min(len(moved), calibrations.MOST_ROWS) and "PAC-3" in parameters.table.rows[0][0]
    bars = [trace for trace in parameters.spec["data"] if trace["type"] == "bar"]
    assert [bar["name"] for bar in bars] == ["prior", "posterior"] and set(bars[0]["x"]) == {100}
    first = moved.iloc[0]
    width = (first["posterior_high"] - first["posterior_low"]) / (first["prior_high"] - first["prior_low"])
    assert bars[1]["x"][0] == pytest.approx(100 * width, rel=1e-3)
    assert {"summer_2025 (held back)", "late_2022 (fitted)"} <= {line[0] for line in observations.table.rows}
    rates = [line[3] for line in observations.table.rows if line[0].startswith("Patriot interceptors of both kinds")]
    assert rates and all(text.endswith(" a month") for text in rates), "a rate is not printed as a number of rounds"
    assert any(name == "Effective sample size" and text.startswith(f"{found.effective:,.0f} of") for name, text in own.facts)
    assert any(f"worth {found.effective:,.0f} independent draws" in text for text in own.sentences)
    html = page([found], "made by hand", Wanted(params=scenario.origin[1]))
    assert "Calibration" in html and "not thereby confirmed" in html


def test_a_page_of_thin_evidence_says_so_first(tmp_path: Path) -> None:
    scenario = closed(tmp_path, stock(), observation("only", 110))
    own = calibrations.section(sp.calibrate(scenario, members=50), "c", scenario)
    assert own.sentences[0].startswith("The evidence is too thin") and [chart.id for chart in own.charts] == ["c-observations"]
