"""What a run gives: its table, its metrics, and the file it is saved to."""

import dataclasses
import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

import damage
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from damage import with_head, with_rows

import stockpile as sp
from stockpile import metrics, provenance
from stockpile.model import equations
from stockpile.model.state import ENTERING, FLOWS, SERIES, STOCKS
from stockpile.results import Result

POLICIES = ["none", "suspension_2025_07", "suspension_indefinite", "us_first"]
SCENARIO = sp.load("july_2025").override({"scenario.end": dt.date(2028, 1, 1), "scenario.substeps": 2})
RESULT = sp.run(SCENARIO, POLICIES)
RECIPIENTS = ["us", "ukraine", "israel", "partners", "joint_or_unknown"]


# ---------------------------------------------------------------- the table


@pytest.mark.parametrize("inputs", [False, True])
def test_the_table_has_the_columns_and_types_agreed(inputs: bool) -> None:
    table = RESULT.table(inputs=inputs)
    assert list(table.columns) == ["policy", "member", "munition", "recipient", "quantity", "date", "value", "unit"]
    kinds = {"member": "int64", "date": "datetime64[s]", "value": "float64"}
    assert {name: str(table[name].dtype) for name in table.columns} == {name: kinds.get(name, "str") for name in table.columns}
    assert not table.isna().any().any()
    assert not table.duplicated(["policy", "member", "munition", "recipient", "quantity", "date"]).any()
    assert set(table.policy) == set(POLICIES)
    assert set(table.munition) == set(SCENARIO.munitions)
    assert set(table.recipient) == set(RECIPIENTS)
    assert set(table.member) == {0}


def test_inputs_add_the_series_known_in_advance() -> None:
    without, whole = set(RESULT.table().quantity), RESULT.table(inputs=True)
    own_rules_only = {"rule_cut"}
    assert without == (set(STOCKS) | set(FLOWS) | set(ENTERING)) - own_rules_only
    assert set(whole.quantity) == without | set(SERIES)
    assert whole[whole.quantity.isin(without)].reset_index(drop=True).equals(RESULT.table())


def test_the_table_says_what_the_arrays_say_with_their_units() -> None:
    table = RESULT.table(inputs=True)
    for (quantity, row), array in RESULT.arrays.items():
        part = table[(table.quantity == quantity) & (table.recipient == row)]
        assert np.array_equal(part.value.to_numpy().reshape(array.shape), array)
        meaning = {**STOCKS, **FLOWS, **SERIES}[quantity]
        assert set(part.unit) == {meaning.unit}
        assert row in {"us": ["us"], "recipient": RECIPIENTS[:4], "cause": RECIPIENTS}[meaning.index]
        dates = part.date[(part.policy == "none") & (part.munition == "pac3")].to_numpy()
        assert np.array_equal(dates, RESULT.dates[: array.shape[-1]])
    assert len(table) == sum(array.size for array in RESULT.arrays.values())


def test_stocks_stand_at_dates_and_flows_over_the_steps_between() -> None:
    for (quantity, _), array in RESULT.arrays.items():
        steps = len(RESULT.dates) - 1
        assert array.shape == (4, 4, 1, steps + (quantity in STOCKS and quantity != "review"))
    assert (RESULT.dates[0], RESULT.dates[1], RESULT.dates[-1]) == tuple(
        np.array(["2022-03-01", "2022-03-16T12:00", "2028-01-01"], dtype="datetime64[s]")
    )
    assert RESULT.months[:3].tolist() == [0.0, 0.5, 1.0]


def test_index_finds_the_step_edge_at_or_before_a_date() -> None:
    assert RESULT.index("2022-03-01") == 0
    assert RESULT.index("2022-03-16") == 0
    assert RESULT.index("2022-03-17") == 1
    assert RESULT.index(np.datetime64("2028-01-01")) == len(RESULT.dates) - 1
    for outside in ("2022-02-28", "2028-01-02"):
        with pytest.raises(KeyError, match="outside the run"):
            RESULT.index(outside)


def test_a_name_that_is_not_there_is_refused() -> None:
    with pytest.raises(KeyError, match="us_on_hand"):
        RESULT.array("stock", policy="none", munition="pac3")
    with pytest.raises(KeyError):
        RESULT.array("us_on_hand", "ukraine", policy="none", munition="pac3")
    with pytest.raises((KeyError, ValueError)):
        RESULT.array("us_on_hand", policy="nobody", munition="pac3")


# ---------------------------------------------------------------- metrics


def test_metrics_have_the_columns_and_names_agreed() -> None:
    table = RESULT.metrics()
    assert list(table.columns) == ["policy", "member", "munition", "recipient", "metric", "value", "unit"]
    assert str(table.value.dtype) == "float64"
    assert not table.isna().any().any()
    assert not table.duplicated(["policy", "member", "munition", "recipient", "metric"]).any()
    lowest = {"minimum", "minimum_date", "minimum_after_as_of", "minimum_after_as_of_date"}
    own = lowest | {"stock_at_end", "total_delivered", "total_used", "total_unmet", "total_sent", "replacement_cost"}
    for munition in RESULT.munitions:
        prefixes = ("first_below", "months_below", "months_to_rebuild", "depth_below")
        levels = {f"{name}.{level}" for name in prefixes for level in RESULT.levels[munition]}
        found = table[(table.munition == munition) & (table.recipient == "us")]
        assert set(found.metric) == {f"{prefix}{name}" for prefix in ("", "change_in.") for name in own | levels}
    units = {
        "minimum": "round",
        "minimum_date": "month",
        "total_unmet": "round",
        "replacement_cost": "USD_2025",
        "first_below.quarter": "month",
    }
    for metric, unit in units.items():
        assert set(table[table.metric == metric].unit) == {unit}


def value(metric: str, recipient: str = "us", policy: str = "none", munition: str = "pac3", result: Result = RESULT) -> float:
    found = metrics.rows(result)[policy, munition, recipient, metric][0]
    assert found.shape == (1,)
    return float(found[0])


def test_metrics_are_what_the_arrays_say() -> None:
    for policy in POLICIES:
        for munition in RESULT.munitions:
            stock = RESULT.array("us_on_hand", policy=policy, munition=munition)[0]
            assert value("minimum", policy=policy, munition=munition) == stock.min()
            assert value("stock_at_end", policy=policy, munition=munition) == stock[-1]
            low = value("minimum_date", policy=policy, munition=munition)
            assert stock[round(low * 2)] == stock.min()
            for recipient in ("ukraine", "israel", "partners"):
                sent = RESULT.array("sent", recipient, policy=policy, munition=munition).sum()
                assert value("total_sent", recipient, policy, munition) == pytest.approx(sent)
                cost = float(RESULT.unit_cost[munition][0])
                assert value("replacement_cost", recipient, policy, munition) == pytest.approx(cost * sent)
            total = sum(value("total_sent", recipient, policy, munition) for recipient in ("ukraine", "israel", "partners"))
            assert value("total_sent", policy=policy, munition=munition) == pytest.approx(total)


def test_change_is_against_none() -> None:
    found = metrics.rows(RESULT)
    for (policy, munition, recipient, name), (number, unit) in found.items():
        if not name.startswith("change_in."):
            base = found["none", munition, recipient, name][0]
            change, its_unit = found[policy, munition, recipient, f"change_in.{name}"]
            assert its_unit == unit
            expected = 0.0 if number == base else float(number[0] - base[0])
            assert change[0] == expected
    assert value("change_in.total_sent", "ukraine", "suspension_indefinite") < 0
    assert value("change_in.minimum", policy="none") == 0


def by_hand(stocks: dict[str, list[float]], level: float) -> Result:
    """Return a result with the US stocks given, by policy, of one munition, every month from January 2025."""
    months = len(next(iter(stocks.values())))
    zero = np.zeros((len(stocks), 1, 1, months - 1))
    names = dict.fromkeys(("to_us", "own_use", "own_unmet"), zero)
    arrays: dict[tuple[str, str], Any] = {(name, "us"): array for name, array in names.items()}
    arrays["us_on_hand", "us"] = np.array(list(stocks.values()), dtype=float).reshape(len(stocks), 1, 1, months)
    for name in ("sent", "made_for", "kept_back", "diverted", "released", "used", "unmet"):
        arrays[name, "ukraine"] = zero
    dates = (np.datetime64("2025-01", "M") + np.arange(months)).astype("datetime64[s]")
    return Result(
        tuple(stocks),
        ("pac3",),
        ("ukraine",),
        dates,
        arrays,
        {"pac3": {"floor": np.array([level])}},
        {"pac3": np.array([2.0])},
        {"substeps": 1, "money_year": 2025, "as_of": "2025-02-15"},
    )


STOCKS_BY_HAND = {
    "falls and comes back": (
        [10, 8, 4, 2, 3, 5, 6],
        5.0,
        {"first_below": 2, "months_below": 3, "months_to_rebuild": 2, "minimum": 2, "minimum_date": 3},
    ),
    "never falls": (
        [10, 9, 8, 9],
        5.0,
        {"first_below": np.inf, "months_below": 0, "months_to_rebuild": 0, "minimum": 8, "minimum_date": 2},
    ),
    "never comes back": (
        [10, 4, 3, 3],
        5.0,
        {"first_below": 1, "months_below": 2, "months_to_rebuild": np.inf, "minimum": 3, "minimum_date": 2},
    ),
    "starts below": ([4, 5, 6], 5.0, {"first_below": 0, "months_below": 1, "months_to_rebuild": 1, "minimum": 4, "minimum_date": 0}),
    "touches the level": ([6, 5, 5, 6], 5.0, {"first_below": np.inf, "months_below": 0, "months_to_rebuild": 0, "minimum": 5}),
    "lowest before as_of": ([2, 3, 6, 4, 5], 1.0, {"minimum": 2, "minimum_after_as_of": 4, "minimum_after_as_of_date": 3}),
    "ends before as_of": ([2, 3], 1.0, {"minimum": 2, "minimum_after_as_of": 3, "minimum_after_as_of_date": 1}),
    "falls twice": ([6, 4, 6, 3, 6], 5.0, {"first_below": 1, "months_below": 2, "months_to_rebuild": 1, "minimum": 3, "minimum_date": 3}),
    "falls at the end": ([6, 6, 4], 5.0, {"first_below": 2, "months_below": 0, "months_to_rebuild": np.inf, "stock_at_end": 4}),
}


@pytest.mark.parametrize("name", STOCKS_BY_HAND)
def test_metrics_of_stocks_made_by_hand(name: str) -> None:
    stock, level, expected = STOCKS_BY_HAND[name]
    result = by_hand({"none": [float(number) for number in stock]}, level)
    for metric, number in expected.items():
        named = f"{metric}.floor" if "below" in metric or "rebuild" in metric else metric
        assert value(named, result=result) == number, metric


def test_changes_of_what_never_happens() -> None:
    """Never under both policies is no change; never under one alone is a change without end, with its sign."""
    result = by_hand({"none": [6.0, 6, 6], "lower": [6.0, 4, 4], "higher": [7.0, 7, 7]}, 5.0)
    metric = "change_in.first_below.floor"
    assert [value(metric, policy=policy, result=result) for policy in result.policies] == [0.0, -np.inf, 0.0]
    assert value("change_in.months_to_rebuild.floor", policy="lower", result=result) == np.inf
    assert value("change_in.minimum", policy="lower", result=result) == -2.0
    assert not result.metrics().isna().any().any()


def test_without_the_policy_none_there_are_no_changes() -> None:
    result = by_hand({"lower": [6.0, 4, 4]}, 5.0)
    assert not any(name.startswith("change_in") for *_, name in metrics.rows(result))


# ---------------------------------------------------------------- saving


def same(first: Result, second: Result) -> bool:
    plain = [field.name for field in dataclasses.fields(Result) if field.name not in ("arrays", "levels", "unit_cost", "dates")]
    return (
        all(getattr(first, name) == getattr(second, name) for name in plain)
        and np.array_equal(first.dates, second.dates)
        and first.dates.dtype == second.dates.dtype
        and list(first.arrays) == list(second.arrays)
        and all(np.array_equal(array, second.arrays[key]) for key, array in first.arrays.items())
        and all(np.array_equal(first.unit_cost[m], second.unit_cost[m]) for m in first.munitions)
        and all(np.array_equal(value, second.levels[m][name]) for m in first.munitions for name, value in first.levels[m].items())
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return RESULT.save(tmp_path_factory.mktemp("saved") / "result.parquet")


def test_what_is_saved_is_opened_the_same(saved: Path) -> None:
    opened = sp.open(saved)
    assert same(RESULT, opened)
    assert opened.table(inputs=True).equals(RESULT.table(inputs=True))
    assert opened.metrics().equals(RESULT.metrics())
    assert sp.open(str(saved)).manifest == RESULT.manifest


def test_saving_twice_gives_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    assert RESULT.save(tmp_path / "again.parquet").read_bytes() == saved.read_bytes()
    again = sp.run(sp.load("july_2025").override({"scenario.end": dt.date(2028, 1, 1), "scenario.substeps": 2}), POLICIES)
    assert again.save(tmp_path / "run_again.parquet").read_bytes() == saved.read_bytes()
    assert sp.open(saved).save(tmp_path / "opened.parquet").read_bytes() == saved.read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["again.parquet", "opened.parquet", "run_again.parquet"]


def test_other_programs_read_the_file_as_it_lies(saved: Path) -> None:
    frame = pd.read_parquet(saved)
    assert list(frame.columns) == ["policy", "member", "munition", "recipient", "quantity", "date", "value", "unit"]
    assert len(frame) == len(RESULT.table(inputs=True))
    assert set(frame.policy) == set(POLICIES)


def test_the_manifest_says_what_made_it() -> None:
    manifest = RESULT.manifest
    assert manifest["scenario"] == "july_2025"
    assert manifest["as_of"] == "2025-07-09"
    assert manifest["parameters"] == SCENARIO.digest
    assert manifest["policies"] == POLICIES
    assert set(manifest["overrides"]) == {"scenario.end", "scenario.substeps"}
    assert manifest["equations"] == provenance.equations()
    assert json.loads(json.dumps(manifest)) == manifest


def test_the_digest_of_the_equations_is_of_what_they_do() -> None:
    text = Path(equations.__file__).read_text(encoding="utf-8")
    assert provenance.equations() == hashlib.sha256(provenance.plain(text).encode()).hexdigest()
    (said,) = {one.strip() for one in text.splitlines() if one.strip().startswith("# Who is in no class takes nothing")}
    alike = ((said, "# Other words."), ("Return the sum over recipients, in order.", "Add up."), ("\n\n\ndef total", "\ndef total"))
    for old, new in alike:
        assert text.count(old) == 1
        assert provenance.plain(text.replace(old, new)) == provenance.plain(text)
    for old, new in (("TINY = 1e-30", "TINY = 1e-31"), ("result = result + item", "result = result - item")):
        assert text.count(old) == 1
        assert provenance.plain(text.replace(old, new)) != provenance.plain(text)
    assert provenance.plain('def f(x):\n    """Words."""\n    return x  # why\n') == provenance.plain("def f(x):\n  return x\n")
    assert provenance.plain("if a:\n    b = 1\nc = 2\n") != provenance.plain("if a:\n    b = 1\n    c = 2\n")


HEAD = b"stockpile"
DAMAGED: dict[str, tuple[damage.Write, str]] = {
    **damage.FOREIGN,
    "rows left out": (with_rows(lambda table: table.slice(0, 100)), "is damaged"),
    "rows in another order": (with_rows(lambda table: table.take(pa.array(np.arange(len(table))[::-1]))), "is damaged"),
    "without values": (with_rows(lambda table: table.drop_columns(["value"])), "is damaged"),
    "head that is no JSON": (with_head(HEAD, b"{"), "is damaged"),
    "head that is a list": (with_head(HEAD, b"[]"), "is damaged"),
    "head changed": (with_head(HEAD, {"manifest": {}}), "is damaged"),
    "head without dates": (with_head(HEAD, {"dates": None}), "is damaged"),
    "another format": (with_head(HEAD, {"format": 99}), "has format 99, not 1"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_or_foreign_file_is_refused(kind: str, saved: Path, tmp_path: Path) -> None:
    damage.check_refused(*DAMAGED[kind], saved, tmp_path / "damaged.parquet")


def test_a_flipped_bit_is_refused_or_changes_nothing(saved: Path, tmp_path: Path) -> None:
    def check(opened: Any) -> None:
        assert same(opened, RESULT)

    assert damage.refusals_of_flipped_bits(saved, tmp_path / "result.parquet", 40, check) > 30


def test_saving_where_it_cannot_be_leaves_nothing_behind(tmp_path: Path) -> None:
    damage.check_nothing_is_left_where_saving_cannot_be(RESULT, tmp_path)


def test_a_save_that_is_interrupted_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damage.check_an_interrupted_save_leaves_the_old_file(RESULT, tmp_path, monkeypatch)


# ---------------------------------------------------------------- xarray


def test_to_xarray_has_every_array_with_its_axes() -> None:
    dataset = RESULT.to_xarray()
    assert dict(dataset.sizes) == {"policy": 4, "munition": 4, "member": 1, "recipient": 5, "date": len(RESULT.dates)}
    assert set(dataset.data_vars) == {name for name, _ in RESULT.arrays}
    for (name, row), array in RESULT.arrays.items():
        given = dataset[name].sel(recipient=row).transpose("policy", "munition", "member", "date").to_numpy()
        assert np.array_equal(given[..., : array.shape[-1]], array)
        assert np.isnan(given[..., array.shape[-1] :]).all()
        assert dataset[name].attrs["unit"] == {**STOCKS, **FLOWS, **SERIES}[name].unit
    assert np.array_equal(dataset.date.to_numpy().astype("datetime64[s]"), RESULT.dates)
    assert json.loads(dataset.attrs["manifest"]) == RESULT.manifest
    picked = dataset.us_on_hand.sel(policy="none", munition="pac3", recipient="us", member=0, date=np.datetime64("2025-07-01"))
    assert float(picked) == RESULT.array("us_on_hand", policy="none", munition="pac3")[0, RESULT.index("2025-07-01")]
