"""A month explained: its ledger closes and says what the result says, and every number behind it is there."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

import stockpile as sp
from stockpile.analysis import explain as module
from stockpile.analysis.explain import Entry, Explanation, explain
from stockpile.scenario import Scenario

JULY = sp.load("july_2025")
NOVEMBER = sp.load("november_2026")
ALL_TABLES = {(scenario.name): sp.run(scenario).table() for scenario in (JULY, NOVEMBER)}


def values_at(table: pd.DataFrame, explanation: Explanation, date: str) -> dict[tuple[str, str], float]:
    """Return what a result's table says of a date, by quantity and recipient."""
    own = table[table["date"] == pd.Timestamp(date)]
    own = own[(own["policy"] == explanation.policy) & (own["munition"] == explanation.munition)]
    found = {(row.quantity, row.recipient): row.value for row in own.itertuples()}
    assert len(found) == len(own)
    return found


@pytest.mark.parametrize("policy", JULY.policies)
@pytest.mark.parametrize("scenario", [JULY, NOVEMBER], ids=lambda one: one.name)
@pytest.mark.parametrize(("munition", "date", "end"), [("pac3", "2025-07", "2025-08-01"), ("aim9x", "2026-03", "2026-04-01")])
def test_ledger_says_what_the_table_says(scenario: Scenario, policy: str, munition: str, date: str, end: str) -> None:
    found, table = explain(scenario, munition, date, policy), ALL_TABLES[scenario.name]
    assert (found.start, found.end) == (dt.date.fromisoformat(f"{date}-01"), dt.date.fromisoformat(end))
    first, after = values_at(table, found, f"{date}-01"), values_at(table, found, end)
    assert len(found.ledger) > 70
    for row in found.ledger.itertuples():
        quantity = row.stock if row.entry in ("opening", "closing") else row.entry
        assert row.value == (after if row.entry == "closing" else first)[quantity, row.of], row


@pytest.mark.parametrize("munition", JULY.munitions)
@pytest.mark.parametrize("date", ["2022-03", "2023-11", "2025-07", "2028-02-29", "2032-12"])
def test_every_stock_closes(munition: str, date: str) -> None:
    check_books(explain(JULY, munition, date, "suspension_with_review").ledger)


def test_every_stock_closes_in_the_ode() -> None:
    check_books(explain(JULY.override({"scenario.method": "ode"}), "shell_155mm", "2025-07", "suspension_2025_07").ledger)


def check_books(ledger: pd.DataFrame) -> None:
    scale = ledger["value"].abs().max()
    stocks = ledger.groupby(["stock", "recipient"])
    assert set(stocks.groups) == {("us_on_hand", "us"), ("order_book", "us")} | {
        (stock, recipient) for stock in ("on_hand", "withheld", "deferred") for recipient in JULY.recipients
    }
    for _, lines in stocks:
        assert (lines["entry"].iloc[0], lines["entry"].iloc[-1]) == ("opening", "closing")
        opening, closing = lines["value"].iloc[0], lines["value"].iloc[-1]
        moved = (lines["sign"] * lines["value"]).sum()
        assert abs(opening + moved - closing) <= 1e-9 * scale


def test_the_flows_of_a_stock_are_those_of_the_equations() -> None:
    moves = {(stock, row): terms for stock, row, terms in module._moves(("a", "b"))}
    assert moves["us_on_hand", "us"] == {
        ("to_us", "us"): 1, ("diverted", "a"): 1, ("diverted", "b"): 1, ("us_inflow", "us"): 1,
        ("own_use", "us"): -1, ("sent", "a"): -1, ("sent", "b"): -1, ("expired", "us"): -1,
    }
    assert moves["deferred", "b"] == {("put_off", "b"): 1, ("paid", "b"): -1, ("expired_deferred", "b"): -1}
    assert moves["on_hand", "a"]["expired", "a"] == -1


def test_books_that_do_not_close_are_refused() -> None:
    wrong = [Entry("us_on_hand", "us", "opening", "us", 0, 10.0), Entry("us_on_hand", "us", "closing", "us", 0, 11.0)]
    with pytest.raises(ArithmeticError, match="do not close"):
        module._closed(iter(wrong))


def test_a_month_is_the_sum_of_its_steps_and_a_day_is_one_step() -> None:
    scenario = JULY.override({"scenario.substeps": 4})
    whole = explain(scenario, "pac3", "2025-07", "suspension_2025_07")
    step = explain(scenario, "pac3", "2025-07-20", "suspension_2025_07")
    result = sp.run(scenario, ["suspension_2025_07"])
    first = result.index("2025-07-01")
    sent = result.array("sent", "ukraine", policy="suspension_2025_07", munition="pac3")[0, first : first + 4]

    def given(explanation: Explanation) -> float:
        return next(e.value for e in explanation.entries if (e.stock, e.entry, e.of) == ("us_on_hand", "sent", "ukraine"))

    assert given(whole) == sent.sum()
    assert given(step) == sent[2]
    assert step.start < dt.datetime(2025, 7, 20) < step.end
    shares = {row["quantity"]: row["value"] for row in whole.others if row["recipient"] == "us"}
    assert shares["us_share"] == pytest.approx(JULY.munitions["pac3"].us_share.points[0].value)
    assert 0.2 < shares["history"] < 0.4


# ---------------------------------------------------------------- the parameters behind it


@pytest.mark.parametrize("munition", NOVEMBER.munitions)
def test_every_number_of_the_munition_is_behind_it(munition: str) -> None:
    listed = {row.path for row in NOVEMBER.table().itertuples()}
    chosen = NOVEMBER.munitions[munition].requirement
    expected = {
        path
        for path in listed
        if (path.startswith((f"munitions.{munition}.", "model.")) and not path.startswith("model.correlations."))
        or (path.startswith("recipients.") and path.split(".")[2] == munition)
    }
    expected -= {path for path in expected if ".requirements." in path and f".requirements.{chosen}." not in path}
    if all(lot.span for lot in NOVEMBER.munitions[munition].line.lots.values()):
        expected.remove(f"munitions.{munition}.line.lot_span")
    found = set(explain(NOVEMBER, munition, "2024-05").parameters["path"])
    assert {path for path in found if not path.startswith("events.")} == expected


@pytest.mark.parametrize("munition", JULY.munitions)
def test_values_are_those_of_the_table(munition: str) -> None:
    listed = JULY.table().rename(columns={"from": "since"})
    table = {(row.path, None if pd.isna(row.since) else row.since.date()): row for row in listed.itertuples()}
    rows = explain(JULY, munition, "2025-07").values
    assert len(rows) > 30
    for row in rows:
        same = table[row["path"], row["from"]]
        assert (row["value"], row["low"], row["high"]) == (same.value, same.low, same.high)
        assert (row["unit"], row["grade"], row["source"], row["where"], row["note"]) == (
            same.unit, same.grade, same.source, same.where, same.note
        )
        assert row["date"] == (None if pd.isna(same.date) else same.date.date())


def values_of(scenario: Scenario, path: str, date: str, munition: str = "pac3") -> list[float]:
    return [row["value"] for row in explain(scenario, munition, date).values if row["path"] == path]


def test_value_in_force_is_the_one_of_the_date() -> None:
    points = NOVEMBER.munitions["pac3"].us_share.points
    assert [str(point.from_) for point in points[:2]] == ["2022-03-01", "2026-01-01"]
    assert points[0].value != points[1].value
    assert values_of(NOVEMBER, "munitions.pac3.us_share", "2025-12") == [points[0].value]
    assert values_of(NOVEMBER, "munitions.pac3.us_share", "2026-01") == [points[1].value]


def test_a_value_that_begins_inside_the_month_is_listed_too() -> None:
    path = "munitions.pac3.training"
    before = JULY.munitions["pac3"].training.points[0].value
    scenario = JULY.override({path: {"value": 100, "from": dt.date(2026, 5, 11)}})
    assert values_of(scenario, path, "2026-05") == [before, 100]
    assert values_of(scenario, path, "2026-04") == [before]
    assert values_of(scenario, path, "2026-06") == [100]


def test_what_the_model_takes_at_as_of_is_shown_as_such() -> None:
    path = "munitions.pac3.line.lead_time"
    points = NOVEMBER.munitions["pac3"].line.lead_time.points
    assert len({point.value for point in points}) > 1
    assert values_of(NOVEMBER, path, "2024-05") == [points[-1].value]


def test_a_changed_value_says_so() -> None:
    scenario = JULY.override({"munitions.pac3.us_share": 0.5})
    row = next(row for row in explain(scenario, "pac3", "2027-01").values if row["path"] == "munitions.pac3.us_share")
    assert (row["value"], row["low"], row["high"], row["grade"]) == (0.5, 0.5, 0.5, "assumed")


def test_numbers_of_an_event_are_there_while_it_lasts_also_those_it_refers_to() -> None:
    during = set(explain(JULY, "aim9x", "2025-07").parameters["path"])
    assert {"events.tranche_2025_07.rounds.aim120.total", "events.tranche_2025_07.rounds.aim120.aim120_part"} <= during
    after = explain(JULY, "aim9x", "2025-08")
    assert not [path for path in after.parameters["path"] if path.startswith("events.")]
    assert after.events == ()


def test_events_and_suspensions_of_the_month() -> None:
    found = explain(JULY, "pac3", "2025-07", "suspension_2025_07")
    assert [event["name"] for event in found.events] == ["tranche_2025_07"]
    assert [(one["kind"], one["start"], one["end"]) for one in found.suspensions] == [("dated", dt.date(2025, 7, 1), dt.date(2025, 7, 9))]
    assert explain(JULY, "pac3", "2025-08", "suspension_2025_07").suspensions == ()
    assert explain(JULY, "pac3", "2025-07", "none").suspensions == ()
    horizon = explain(JULY, "pac3", "2032-12", "suspension_indefinite").suspensions
    assert [one["end"] for one in horizon] == [dt.date(2033, 1, 1)]


def test_a_review_is_there_while_it_is_in_force() -> None:
    result = sp.run(JULY, ["us_first"])
    on = result.array("review", policy="us_first", munition="pac3")[0]
    month = str(result.dates[int(np.argmax(on))])[:7]
    assert on.any()
    assert [one["kind"] for one in explain(JULY, "pac3", month, "us_first").suspensions] == ["review"]
    assert explain(JULY, "pac3", "2022-03", "us_first").suspensions == ()


def test_frames_and_plain_tables_agree() -> None:
    found = sp.explain("july_2025", "pac3", dt.date(2025, 7, 1))
    assert found.scenario == "july_2025"
    assert found.digest == JULY.digest
    assert len(found.ledger) == len(found.entries) == len(found.as_dict()["entries"])
    assert list(found.parameters["value"]) == [row["value"] for row in found.values]


@pytest.mark.parametrize(
    ("munition", "date", "policy", "said"),
    [
        ("pac4", "2025-07", "none", "unknown munition 'pac4'; did you mean 'pac3'?"),
        ("pac3", "2025-07", "nonee", "unknown policy 'nonee'; did you mean 'none'?"),
        ("pac3", "July", "none", "'July' is not a date; allowed: a month such as 2025-07"),
        ("pac3", "2025-13", "none", "'2025-13' is not a date"),
        ("pac3", "2025-02-30", "none", "'2025-02-30' is not a date"),
        ("pac3", "2022-02", "none", "2022-02 is outside the run"),
        ("pac3", "2033-01", "none", "from 2022-03-01 to 2032-12-31"),
    ],
)
def test_wrong_requests(munition: str, date: str, policy: str, said: str) -> None:
    with pytest.raises(sp.InputError, match=said.replace("?", r"\?")):
        explain(JULY, munition, date, policy)
