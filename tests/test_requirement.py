"""The requirement sheet: closed forms, the published arithmetic, what is not published, and the command."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from commands import Call

import stockpile as sp
from stockpile.analysis import requirement_rows
from stockpile.analysis import requirement_sentences as sentences
from stockpile.analysis.purchases import begins, fiscal_year, purchases
from stockpile.evidence.ledger import ledger

FOLDER = Path(__file__).parent / "closed_forms"
LEVEL, STOCK = 340, 100
REQUESTED, AVERAGE = 120, 60
FIRST_DUE = 21
"""Months from the start of the run to October 2026: the lot of fiscal 2025, ordered in October 2024, and 24 months."""
LINE_TIME = 1
SLOWER = {"model.times.issue": 1.5, "model.times.release": 1.5, "model.times.catch_up": 1.5, "model.times.order": 3.0}
"""Times that leave room for losses in a monthly step; none of them moves the US stock here."""
Window = tuple[str, str, float]


@pytest.fixture(autouse=True)
def over_twenty_years(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run twenty years in place of sixty: longer than anything here takes, but for what is never reached."""
    monkeypatch.setattr(requirement_rows, "YEARS", 20)


def observed(entries: Mapping[str, tuple[str, Window, str]], munition: str = "test_round") -> str:
    """Return a file of purchases: state, first day, first day after, rounds, and further keys."""
    return "\n".join(
        f'[{name}]\ntitle = "Purchases"\nmunition = "{munition}"\nstart = {start}\nend = {end}\nunit = "round"\nbasis = "count"\n'
        f'scope = {{ state = "{state}", owner = "us", variant = "all", match = "same" }}\nvalue = {value}\n'
        f'source = ["dod_2016_02_army_missile_book"]\nwhere = "a table made up"\ngrade = "reported"\n{more}\n'
        for name, (state, (start, end, value), more) in entries.items()
    )


def year(number: int, rounds: float) -> Window:
    return f"{number - 1}-10-01", f"{number}-10-01", rounds


BUDGET: dict[str, tuple[str, Window, str]] = {
    "made_up_2022": ("bought", year(2022, 50), ""), "made_up_2023": ("bought", year(2023, 60), ""),
    "made_up_2024": ("bought", year(2024, 70), ""), "made_up_2025": ("requested", year(2025, REQUESTED), ""),
}


def made_up(
    folder: Path, budget: Mapping[str, tuple[str, Window, str]] = BUDGET, level: float = LEVEL, counts: str = "stock", as_of: str = ""
) -> sp.Scenario:
    """Return the closed form with a requirement and a budget."""
    text = (FOLDER / "munitions" / "test_round.toml").read_text(encoding="utf-8")
    requirement = (
        f'\n[requirements.wanted]\ntitle = "what is wanted"\ncounts = "{counts}"\n[requirements.wanted.level]\nunit = "round"\n'
        f'value = {level}\ngrade = "assumed"\nnote = "for closed forms"\n'
    )
    for name in ("munitions", "observations", "scenarios"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "munitions" / "test_round.toml").write_text(text + requirement, encoding="utf-8")
    (folder / "observations" / "made_up.toml").write_text(observed(budget), encoding="utf-8")
    if as_of:
        later = (FOLDER / "scenarios" / "closed_form.toml").read_text(encoding="utf-8").replace("as_of = 2024-12-31", f"as_of = {as_of}")
        (folder / "scenarios" / "closed_form.toml").write_text(later, encoding="utf-8")
    return sp.load("closed_form", params=[FOLDER, folder])


def years(frame: pd.DataFrame, rate: str, limit: str = "money", variant: str = "published", transfers: str = "as under none") -> float:
    """Return the years of one row of which all draws are the same."""
    found = frame[
        (frame["rate"] == rate) & (frame["limit"] == limit) & (frame["variant"] == variant) & (frame["transfers"] == transfers)
    ]
    assert len(found) == 1 and found["low"].item() == found["middle"].item() == found["high"].item()
    return float(found["middle"].item())


# ---------------------------------------------------------------- closed forms


def test_without_use_and_losses_it_takes_the_lead_time_and_the_shortfall_over_the_rate(tmp_path: Path) -> None:
    found = sp.requirement(made_up(tmp_path), members=3)
    for variant, level in (("published", LEVEL), ("doubled", 2 * LEVEL)):
        for rate, rounds in (("requested", REQUESTED), ("average", AVERAGE)):
            exact = (FIRST_DUE + LINE_TIME) / 12 + (level - STOCK) / rounds
            assert years(found.years, rate, variant=variant) == pytest.approx(exact, abs=1e-9)
            row = found.years[(found.years["rate"] == rate) & (found.years["variant"] == variant)].iloc[0]
            assert row.naive == pytest.approx((level - STOCK) / rounds)
    sheet = found.sheet[found.sheet["variant"] == "published"].iloc[0]
    assert (sheet.stock, sheet.level, sheet.short) == (STOCK, LEVEL, LEVEL - STOCK)
    assert (sheet.lead_time, sheet.lead_time_low, sheet.lead_time_high) == (24, 24, 24)
    said = [one for one in sentences.of_requirement(found, None) if "months from 1 October to the first delivery" in one]
    assert len(said) == 1 and ": 24 months from 1 October" in said[0] and f"{100 * sheet.us_share:.0f} % goes to the US" in said[0]


def test_training_is_taken_off_the_rate_and_losses_off_the_stock(tmp_path: Path) -> None:
    scenario = made_up(tmp_path)
    first = FIRST_DUE + LINE_TIME
    training = sp.requirement(scenario.override({"munitions.test_round.training": 2.0}), members=1).years
    # 2 a month leave the stock from the start on, 10 a month come from the first delivery on.
    exact = first + (LEVEL - (STOCK - 2 * first)) / (REQUESTED / 12 - 2)
    assert years(training, "requested") * 12 == pytest.approx(exact, abs=1e-9)
    assert math.isinf(years(sp.requirement(scenario.override({"munitions.test_round.training": 6.0}), members=1).years, "average"))
    lost = sp.requirement(scenario.override(SLOWER | {"munitions.test_round.loss_rate": 0.005}), members=1).years
    stock, month = float(STOCK), 0
    while True:
        after = stock * 0.995 + (REQUESTED / 12 if month >= first else 0.0)
        if after >= LEVEL:
            break
        stock, month = after, month + 1
    assert years(lost, "requested") * 12 == pytest.approx(month + (LEVEL - stock) / (after - stock), abs=1e-9)


def test_the_line_and_its_share_limit_what_money_buys(tmp_path: Path) -> None:
    # The line makes 12 a month, of which the US get half. Until the new lots are due, the US share of what is ordered comes in.
    scenario = made_up(tmp_path, level=1000).override(
        {"munitions.test_round.line.parts.body.capacity": 12, "munitions.test_round.us_share": 0.5}
    )
    found = sp.requirement(scenario, members=1).years
    assert years(found, "requested", "line") * 12 == pytest.approx((1000 - STOCK) / 6, abs=1e-9)
    first = FIRST_DUE + LINE_TIME
    assert years(found, "requested", "money") * 12 == pytest.approx(first + (1000 - STOCK - 6 * first) / 10, abs=1e-9)
    assert years(found, "average", "line") * 12 == pytest.approx(first + (1000 - STOCK - 6 * first) / 5, abs=1e-9)


def test_lots_are_spread_over_their_span(tmp_path: Path) -> None:
    # Each lot comes in 6 months, 20 a month, and then nothing for 6: 240 rounds are there at the end of the second lot.
    scenario = made_up(tmp_path).override({"munitions.test_round.line.lot_span": 6})
    assert years(sp.requirement(scenario, members=1).years, "requested") * 12 == pytest.approx(FIRST_DUE + LINE_TIME + 12 + 6, abs=1e-9)


def test_what_to_buy_a_year_by_a_date(tmp_path: Path) -> None:
    # A lot is ordered in October, due from 24 to 36 months later, and delivered a month after that: by October 2031 those of fiscal 2025
    # to 2028 are, so a quarter of what is lacking in each.
    scenario = made_up(tmp_path)
    found = sp.requirement(scenario, by="FY2031", members=2).by_date
    rows = found[found["variant"] == "published"]
    assert rows["fiscal_year"].tolist() == list(range(2025, 2032))
    np.testing.assert_allclose(rows["rounds"], [60, 60, 60, 60, 0, 0, 0], rtol=1e-5)
    np.testing.assert_allclose(rows["money"], rows["rounds"] * 1000, rtol=1e-12)
    assert rows["too_late"].tolist() == [0, 0, 0, 0, 1, 1, 1] and set(rows["cannot"]) == {0.0} and set(rows["line_can"]) == {0.0}
    assert rows["requested"].iloc[0] == REQUESTED and rows["requested"].iloc[1:].isna().all()
    same = sp.requirement(scenario, by=dt.date(2031, 10, 1), members=2)
    pd.testing.assert_frame_equal(same.by_date, found)
    # What is bought as said is there on the day: losses and training are made up for.
    worn = scenario.override(SLOWER | {"munitions.test_round.loss_rate": 0.01, "munitions.test_round.training": 1.0})
    needed = sp.requirement(worn, by="FY2031", members=1).by_date["rounds"].iloc[0]
    stock, month = float(STOCK), 0
    due = [0.0] * 200
    for lot in range(4):
        for one in range(12):
            due[FIRST_DUE + LINE_TIME + 12 * lot + one] += needed / 12
    while month < 81:
        stock, month = stock + due[month] - 1.0 - 0.01 * stock, month + 1
    assert stock == pytest.approx(LEVEL, abs=0.05)


def test_what_cannot_be_delivered_by_then_is_said_so(tmp_path: Path) -> None:
    scenario = made_up(tmp_path)
    found = sp.requirement(scenario, by="FY2027", members=2)
    assert set(found.by_date["cannot"]) == {1.0} and np.isinf(found.by_date["rounds"]).all()
    assert any("cannot be delivered by then at any price" in one for one in sentences.of_requirement(found, scenario))
    there = sp.requirement(scenario.override({"munitions.test_round.us_stock": LEVEL}), by="FY2027", members=2)
    rows = there.by_date[there.by_date["variant"] == "published"]
    assert set(rows["cannot"]) == {0.0} and set(rows["rounds"]) == {0.0}
    assert years(there.years, "requested") == 0.0


# ---------------------------------------------------------------- what is published


def test_the_published_arithmetic_of_the_objective(tmp_path: Path) -> None:
    # 13,773 wanted; 2,047 bought up to fiscal 2024, then 214, and 224 and 96; 230 in fiscal 2024 alone; 3,203 requested for 2027.
    budget = {
        "made_up_to_2024": ("bought", ("2013-10-01", "2024-10-01", 2047.0), ""), "made_up_2024": ("bought", year(2024, 230), ""),
        "made_up_2025": ("bought", year(2025, 214), ""), "made_up_2026": ("bought", year(2026, 224), ""),
        "made_up_2026_more": ("bought", year(2026, 96), ""), "made_up_2027": ("requested", year(2027, 3203), ""),
    }
    scenario = made_up(tmp_path, budget, level=13773, counts="purchases", as_of="2026-11-22")
    found = sp.requirement(scenario, members=2).purchases.iloc[0]
    assert (found.bought, found.left, found["last"]) == (2581, 11192, 2026)
    assert found.years_average == pytest.approx(44, rel=0.01) and found.years_requested == pytest.approx(3.5, rel=0.01)
    assert {rate: 11192 / rate for rate in (650, 2000)} == pytest.approx({650: 17.2, 2000: 5.6}, rel=0.01)


def test_an_objective_whose_later_purchases_are_not_published(tmp_path: Path) -> None:
    budget = {"made_up_to_2014": ("bought", ("2000-10-01", "2014-10-01", 100.0), ""), "made_up_2015": ("bought", year(2015, 20), "")}
    scenario = made_up(tmp_path, budget | {"made_up_2017": ("bought", year(2017, 40), "")}, counts="purchases")
    made = sp.requirement(scenario, members=2)
    found = made.purchases.iloc[0]
    # Of fiscal 2016 nothing is known, so 2017 does not count either.
    assert (found.bought, found["last"], found.left, found.up_to_date) == (120, 2015, LEVEL - 120, False)
    assert math.isnan(found.years_requested) and math.isnan(found.years_average)
    assert any("so at most 220 are left" in one for one in sentences.of_requirement(made, scenario))


def test_figures_of_one_year_add_up_and_rivals_are_a_range(tmp_path: Path) -> None:
    budget = BUDGET | {
        "made_up_2024_more": ("bought", year(2024, 5), ""),
        "made_up_2025": ("requested", year(2025, 100), 'conflict = "made_up"'),
        "made_up_2025_other": ("requested", year(2025, 140), 'conflict = "made_up"'),
        "made_up_2025_weak": ("requested", year(2025, 900), 'conflict = "made_up"\nused = false'),
    }
    scenario = made_up(tmp_path, budget)
    known = purchases(ledger(scenario), "test_round", scenario.as_of)
    assert [one.span[1] for one in known.bought] == [50, 60, 75]
    assert known.request is not None and known.request.span == (100, 120, 140) and known.request.disputed
    assert known.request.beside == ("made_up_2025_weak",)
    drawn = known.request.drawn(1, 2000)
    assert set(drawn) == {100.0, 140.0} and 0.45 < (drawn == 100).mean() < 0.55
    frame = sp.requirement(scenario, members=200).years
    row = frame[(frame["rate"] == "requested") & (frame["limit"] == "money") & (frame["variant"] == "published")].iloc[0]
    first = (FIRST_DUE + LINE_TIME) / 12
    assert (row.low, row.high) == pytest.approx((first + 240 / 140, first + 240 / 100), abs=1e-9)


def test_what_is_not_published_has_no_numbers(tmp_path: Path) -> None:
    scenario = made_up(tmp_path, {})
    found = sp.requirement(scenario, members=2)
    assert not len(found.years) and not len(found.rates) and len(found.by_date)
    assert sum("not published" in one for one in sentences.of_requirement(found, scenario)) == 1
    # Two fiscal years are no average of three, and a request whose year has been bought since is none.
    two = {name: BUDGET[name] for name in ("made_up_2023", "made_up_2024", "made_up_2025")}
    found = sp.requirement(made_up(tmp_path, two), members=2)
    assert set(found.years["rate"]) == {"requested"}
    assert any("average of the last three fiscal years: not published" in one for one in sentences.of_requirement(found, scenario))
    done = BUDGET | {"made_up_2025_done": ("bought", year(2025, 90), "")}
    assert set(sp.requirement(made_up(tmp_path, done), members=2).years["rate"]) == {"average"}
    past = {"made_up_old": ("requested", year(2024, 90), "")}
    assert not len(sp.requirement(made_up(tmp_path, past), members=2).years)
    gap = {name: BUDGET[name] for name in ("made_up_2022", "made_up_2024", "made_up_2025")}
    assert not purchases(ledger(made_up(tmp_path, gap)), "test_round", scenario.as_of).averaged


def test_no_requirement_leaves_the_stock_alone() -> None:
    found = sp.requirement(sp.load("closed_form", params=[FOLDER]), members=2)
    assert found.sheet["stock"].tolist() == [STOCK] and found.sheet["requirement"].isna().all()
    assert not len(found.years) and not len(found.by_date) and not len(found.purchases)
    assert "not published" in sentences.of_requirement(found, None)[0]


def test_what_was_published_later_is_not_known(tmp_path: Path) -> None:
    scenario = made_up(tmp_path)
    book = ledger(scenario)
    assert len(purchases(book, "test_round", scenario.as_of).bought) == 3
    assert purchases(book, "test_round", dt.date(2015, 1, 1)).bought == ()


def test_fiscal_years() -> None:
    assert [fiscal_year(dt.date(2026, month, 1)) for month in (1, 9, 10, 12)] == [2026, 2026, 2027, 2027]
    assert begins(2027) == dt.date(2026, 10, 1)


# ---------------------------------------------------------------- the shipped scenarios


def test_the_shipped_sheet_agrees_with_an_ensemble_and_is_in_order() -> None:
    scenario = sp.load("november_2026")
    found = sp.requirement(scenario, ["pac3"], members=60)
    made = sp.ensemble(scenario.override({"scenario.end": dt.date(2027, 1, 1)}), ["none"], 60, dates=["2026-12-01"])
    rows = made.metrics()
    at = rows[(rows["munition"] == "pac3") & rows["metric"].str.startswith("stock_at.")]["value"].to_numpy()
    row = found.sheet.iloc[0]
    np.testing.assert_allclose(
        [row.stock_low, row.stock, row.stock_high], np.quantile(at, (0.05, 0.5, 0.95), method="inverted_cdf"), rtol=1e-12
    )
    assert set(found.sheet["requirement"]) == set(scenario.munitions["pac3"].requirements)
    for name in ("sheet", "years", "by_date"):
        frame = getattr(found, name)
        assert set(frame["variant"]) <= {"published", "doubled"}
    again = sp.requirement(scenario, ["pac3"], members=60)
    pd.testing.assert_frame_equal(again.by_date, found.by_date)


def test_never_sooner_with_the_line_as_limit_or_with_transfers(tmp_path: Path) -> None:
    (tmp_path / "observations").mkdir()
    windows = {f"made_up_{n}": ("bought", year(n, 250.0), "") for n in (2031, 2032, 2033)}
    text = observed(windows | {"made_up_2034": ("requested", year(2034, 3000.0), "")}, "pac3")
    (tmp_path / "observations" / "made_up.toml").write_text(text, encoding="utf-8")
    frame = sp.requirement(sp.load("november_2026", params=[tmp_path]), ["pac3"], members=40).years
    keys = ["requirement", "variant", "rate"]
    wide = {way: own.set_index(keys) for way, own in frame.groupby(["limit", "transfers"])}
    for column in ("low", "middle", "high", "never"):
        assert (wide["money", "as under none"][column] <= wide["line", "as under none"][column] + 1e-9).all()
        assert (wide["money", "stopped"][column] <= wide["money", "as under none"][column] + 1e-9).all()


def test_the_page_has_stock_years_and_what_is_left(tmp_path: Path) -> None:
    import json
    import re

    scenario = made_up(tmp_path, counts="purchases")
    page = sp.report(sp.requirement(scenario, members=5), tmp_path / "page.html").read_text(encoding="utf-8")
    for said in ("10 U.S.C. 222c", "what is wanted", "over 60", "The report that the statute asks for is classified", "Left to buy"):
        assert said in page
    nothing = sp.requirement(sp.load("closed_form", params=[FOLDER]), members=2)
    empty = sp.report(nothing, tmp_path / "empty.html").read_text(encoding="utf-8")
    assert "Requested: the latest request taken to come every year" in page
    assert "not published" in empty and json.loads(re.findall(r'id="figures"[^>]*>(.*?)</script>', empty, re.S)[0])["figures"] == {}


# ---------------------------------------------------------------- refusals and the command


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"munitions": ["pac4"]}, ["unknown munition 'pac4'", "pac3"]),
        ({"by": "FY20"}, ["'FY20'", "FY2031"]),
        ({"by": "2031-10-02"}, ["2031-10-02", "first of a month"]),
        ({"by": "FY2024"}, ["2024-10-01"]),
        ({"by": "FY3000"}, ["3000-10-01", "up to"]),
        ({"members": 0, "seed": -1, "munitions": ["nonesuch"]}, ["members", "seed", "nonesuch"]),
    ],
)
def test_refuses_what_cannot_be(asked: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(sp.InputError) as caught:
        sp.requirement(sp.load("november_2026"), **asked)
    for word in words:
        assert word in str(caught.value)


def test_the_command(call: Call, tmp_path: Path) -> None:
    arguments = ["requirement", "july_2025", "--munition", "pac3", "--members", "20", "--by", "FY2030"]
    done = call(*arguments, "-o", tmp_path / "sheet.csv")
    assert done.code == 0 and "13,773" in done.out and "2030-10-01" in done.out and "5 to 95 % of the draws" in done.out
    assert "years to reach it" in done.out and "; requested: the latest request taken to come every year" in done.out
    assert (tmp_path / "sheet.csv").exists()
    found = call(*arguments, "--json")
    assert found.code == 0 and found.json["by"] == "2030-10-01" and found.json["manifest"]["members"] == 20
    assert {"years", "sheet", "by_date", "purchases", "rates"} <= set(found.json)
    wrong = call("requirement", "july_2025", "--munition", "pac4", "--members", "x")
    assert wrong.code == 2 and "pac4" in wrong.err and "members" in wrong.err and not wrong.out
