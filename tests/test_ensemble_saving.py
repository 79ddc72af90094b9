"""Ensembles on disk: what is saved is opened the same, other programs read the file, and damaged files are refused."""

from __future__ import annotations

import datetime as dt
import functools
import json
from pathlib import Path
from typing import Any

import damage
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from damage import with_head, with_rows

import stockpile as sp
from stockpile.ensembles import files, folded, run
from stockpile.errors import InputError
from stockpile.model.state import FLOWS, STOCKS
from stockpile.sketch import Counts, Whole

POLICIES = ["none", "suspension_6_months", "us_first"]
QUANTITIES = ["us_on_hand", "unmet", "sent"]
SCENARIO = sp.load("july_2025").override({"scenario.end": dt.date(2026, 7, 1)})
KEY = b"stockpile_ensemble"


def draw(members: int = 60, **more: Any) -> sp.Ensemble:
    return sp.ensemble(SCENARIO, POLICIES, members, quantities=QUANTITIES, dates=["2026-01-01"], engine="numpy", **more)


WHOLE = draw()


@pytest.fixture(scope="module")
def counted() -> sp.Ensemble:
    """An ensemble of which counts alone are kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "WHOLE_BYTES", 0)
        patch.setattr(folded, "WHOLE_BYTES", 0)
        found = draw()
    assert isinstance(found.bands, Counts)
    assert isinstance(found.metric_values, Counts)
    return found


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return WHOLE.save(tmp_path_factory.mktemp("saved") / "draws.parquet")


def same(one: sp.Ensemble, other: Any) -> None:
    """Ask both everything there is to ask."""
    assert isinstance(other, sp.Ensemble)
    assert type(other.bands) is type(one.bands)
    for name in ("policies", "munitions", "recipients", "members", "entries", "keys", "units", "level_names", "manifest", "baseline"):
        assert getattr(other, name) == getattr(one, name)
    assert np.array_equal(other.dates, one.dates)
    odd = (0.01, 0.37, 0.9)
    for change in (False, True):
        pd.testing.assert_frame_equal(other.quantiles(odd, change=change), one.quantiles(odd, change=change), check_exact=True)
    pd.testing.assert_frame_equal(other.metrics(odd), one.metrics(odd), check_exact=True)
    pd.testing.assert_frame_equal(other.estimates(level=0.8), one.estimates(level=0.8), check_exact=True)
    pd.testing.assert_frame_equal(other.differences(odd), one.differences(odd), check_exact=True)
    for by in ("2025-01-01", "2026-07-01"):
        asked = {"below": "transfer_floor", "by": by}
        pd.testing.assert_frame_equal(other.probability(**asked), one.probability(**asked), check_exact=True)
    where = {"policy": "us_first", "munition": "shell_155mm"}
    assert other.never("first_below.quarter", **where) == one.never("first_below.quarter", **where)
    assert other.metric(other.stock_at("2026-01-20"), **where) == one.metric("stock_at.46", **where)
    assert np.array_equal(other.metric_values.error, one.metric_values.error)
    assert same_result(other.central, one.central)


def same_result(one: sp.Result, other: sp.Result) -> bool:
    return (
        one.manifest == other.manifest and one.arrays.keys() == other.arrays.keys()
        and all(np.array_equal(array, other.arrays[key]) for key, array in one.arrays.items())
        and one.metrics().equals(other.metrics())
    )


# ---------------------------------------------------------------- the way there and back


def test_what_is_saved_is_opened_the_same(saved: Path) -> None:
    opened = sp.open(saved)
    same(WHOLE, opened)
    assert isinstance(opened, sp.Ensemble)
    assert opened.metrics().equals(WHOLE.metrics())
    assert opened.trajectories is None
    assert opened.bands.error.max() == 0
    same(WHOLE, sp.open(str(saved)))


def test_counts_are_opened_the_same(counted: sp.Ensemble, tmp_path: Path) -> None:
    opened = sp.open(counted.save(tmp_path / "draws.parquet"))
    same(counted, opened)
    assert isinstance(opened, sp.Ensemble)
    assert opened.bands.error.max() > 0
    with pytest.raises(InputError, match="were not kept one by one"):
        opened.metrics()


def test_trajectories_are_saved_where_they_were_kept(tmp_path: Path) -> None:
    kept = draw(3, keep=True)
    opened = sp.open(kept.save(tmp_path / "draws.parquet"))
    assert isinstance(opened, sp.Ensemble)
    assert opened.trajectories is not None
    assert kept.trajectories is not None
    assert same_result(kept.trajectories, opened.trajectories)
    assert opened.table().equals(kept.table())
    assert opened.trajectories.members == 3


def test_results_are_opened_as_before(tmp_path: Path) -> None:
    result = sp.run(SCENARIO, ["none"])
    opened = sp.open(result.save(tmp_path / "result.parquet"))
    assert isinstance(opened, sp.Result)
    assert same_result(result, opened)


def test_same_ensemble_gives_the_same_bytes(saved: Path, tmp_path: Path, counted: sp.Ensemble) -> None:
    opened = sp.open(saved)
    assert draw(threads=1).save(tmp_path / "again.parquet").read_bytes() == saved.read_bytes()
    assert opened.save(tmp_path / "opened.parquet").read_bytes() == saved.read_bytes()
    first = counted.save(tmp_path / "counted.parquet")
    assert sp.open(first).save(tmp_path / "counted_again.parquet").read_bytes() == first.read_bytes()
    assert draw(seed=2).save(tmp_path / "other.parquet").read_bytes() != saved.read_bytes()
    assert all(file.suffix == ".parquet" for file in tmp_path.iterdir())


def test_arrays_that_take_more_than_a_row_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PIECE", 1001)
    monkeypatch.setattr(files, "GROUP", 30_000)
    file = WHOLE.save(tmp_path / "draws.parquet")
    kept = pd.read_parquet(file, filters=[("what", "=", "kept")])
    assert (kept.quantity == "bands.values").sum() > 100
    assert kept.kept.map(len).max() == 1001
    same(WHOLE, sp.open(file))


# ---------------------------------------------------------------- as other programs see it


def test_other_programs_read_tidy_rows(saved: Path) -> None:
    frame = pd.read_parquet(saved)
    assert list(frame.columns) == ["what", "policy", "quantile", "munition", "recipient", "quantity", "date", "value", "unit", "kept"]
    assert list(dict.fromkeys(frame.what)) == ["bands", "changes", "metrics", "kept"]
    key = ["policy", "quantile", "munition", "recipient", "quantity", "date"]

    def plain(rows: pd.DataFrame) -> pd.DataFrame:
        columns = {name: rows[name].astype(str) for name in (*key, "unit")} | {name: rows[name] for name in ("quantile", "value")}
        columns["date"] = rows["date"].astype("datetime64[s]")
        return pd.DataFrame(columns).sort_values(key).reset_index(drop=True)

    for what, change in (("bands", False), ("changes", True)):
        pd.testing.assert_frame_equal(plain(frame[frame.what == what]), plain(WHOLE.quantiles(change=change)), check_exact=True)
    metrics = frame[frame.what == "metrics"]
    expected = WHOLE.metrics([0.05, 0.25, 0.5, 0.75, 0.95])
    assert metrics.value.tolist() == expected.value.tolist()
    assert metrics.quantity.astype(str).tolist() == expected.metric.tolist()
    assert metrics.date.isna().all()
    assert frame[frame.what == "kept"][["policy", "quantile", "value", "unit"]].isna().all().all()
    assert frame[frame.what != "kept"].kept.isna().all()


def test_tidy_rows_can_be_read_without_what_is_kept(saved: Path) -> None:
    file = pq.ParquetFile(saved)
    kinds = [set(file.read_row_group(number, columns=["what"]).column("what").to_pylist()) for number in range(file.num_row_groups)]
    assert all(len(kind) == 1 for kind in kinds)
    assert [kind for kind in kinds if kind == {"kept"}] == [{"kept"}]
    assert kinds[-1] == {"kept"}


# ---------------------------------------------------------------- damage


def one_value_moved(table: Any) -> Any:
    old = table.column("value")
    values = old.to_numpy().copy()
    values[7] += 1
    return table.set_column(table.schema.get_field_index("value"), "value", pa.array(values, mask=old.is_null().to_numpy()))


DAMAGED: dict[str, tuple[damage.Write, str]] = {
    **damage.FOREIGN,
    "rows left out": (with_rows(lambda table: table.slice(0, len(table) - 1)), "is damaged"),
    "tidy rows left out": (with_rows(lambda table: table.slice(1)), "is damaged"),
    "rows twice": (with_rows(lambda table: pa.concat_tables([table, table])), "is damaged"),
    "a tidy value moved": (with_rows(one_value_moved), "is damaged"),
    "without what is kept": (with_rows(lambda table: table.drop_columns(["kept"])), "is damaged"),
    "head without dates": (with_head(KEY, {"dates": None}), "is damaged"),
    "head with other members": (with_head(KEY, {"members": 61}), "is damaged"),
    "head with a smaller array": (with_head(KEY, {"arrays": [["bands.values", "<f8", [3]]]}), "is damaged"),
    "head with an array of another kind": (with_head(KEY, {"arrays": [["bands.values", "nothing", [3]]]}), "is damaged"),
    "head with an endless array": (with_head(KEY, {"arrays": [["bands.values", "<f8", [10**15]]]}), "is damaged"),
    "another format": (with_head(KEY, {"format": 99}), "is an ensemble of format 99, not 1"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_or_foreign_file_is_refused(kind: str, saved: Path, tmp_path: Path) -> None:
    damage.check_refused(*DAMAGED[kind], saved, tmp_path / "damaged.parquet")


def test_a_copy_by_other_means_is_no_damage(saved: Path, tmp_path: Path) -> None:
    with_rows(lambda table: table)(saved, tmp_path / "copy.parquet")
    same(WHOLE, sp.open(tmp_path / "copy.parquet"))


def test_a_flipped_bit_is_refused_or_changes_nothing(saved: Path, tmp_path: Path) -> None:
    check = functools.partial(same, WHOLE)
    assert damage.refusals_of_flipped_bits(saved, tmp_path / "draws.parquet", 30, check) > 20


def test_whole_numbers_of_numpy_make_the_same_file(tmp_path: Path) -> None:
    plain = {"members": 5, "seed": 3, "threads": 2}
    asked = {"numpy": {name: np.int64(number) for name, number in plain.items()}, "plain": plain}
    found = {name: sp.ensemble(SCENARIO, POLICIES, **one, engine="numpy").save(tmp_path / name).read_bytes() for name, one in asked.items()}
    assert found["numpy"] == found["plain"]


def test_saving_where_it_cannot_be_leaves_nothing_behind(tmp_path: Path) -> None:
    damage.check_nothing_is_left_where_saving_cannot_be(WHOLE, tmp_path)


def test_a_save_that_is_interrupted_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damage.check_an_interrupted_save_leaves_the_old_file(WHOLE, tmp_path, monkeypatch)


# ---------------------------------------------------------------- memory and xarray


def test_file_does_not_grow_with_members_once_they_are_counted(counted: sp.Ensemble, tmp_path: Path) -> None:
    size = counted.save(tmp_path / "draws.parquet").stat().st_size
    kept = sum(array.size for array in (counted.bands.counts, counted.metric_values.counts))  # type: ignore[union-attr]
    assert size < kept / 4


def test_to_xarray_has_every_band_with_its_axes() -> None:
    q = (0.1, 0.5)
    dataset = WHOLE.to_xarray(q)
    assert dict(dataset.sizes) == {"policy": 3, "munition": 4, "quantile": 2, "recipient": 5, "date": len(WHOLE.dates)}
    assert set(dataset.data_vars) == {*QUANTITIES, *(f"change_in.{name}" for name in QUANTITIES)}
    for entry in WHOLE.entries:
        name = f"change_in.{entry.quantity}" if entry.is_difference else entry.quantity
        assert dataset[name].attrs["unit"] == {**STOCKS, **FLOWS}[entry.quantity].unit
        for policy in POLICIES:
            given = dataset[name].sel(recipient=entry.row, policy=policy, munition="aim120").to_numpy()
            band = WHOLE.band(entry.quantity, entry.row, policy=policy, munition="aim120", q=q, change=entry.is_difference)
            assert np.array_equal(given[:, : band.shape[1]], band)
            assert np.isnan(given[:, band.shape[1] :]).all()
    assert json.loads(dataset.attrs["manifest"]) == WHOLE.manifest
    assert isinstance(WHOLE.bands, Whole)
    picked = dataset["us_on_hand"].sel(policy="none", munition="pac3", recipient="us", quantile=0.5, date=np.datetime64("2026-01-01"))
    frame = WHOLE.metrics()
    stocks = frame[(frame.policy == "none") & (frame.munition == "pac3") & (frame.metric == "stock_at.46")].value
    assert float(picked) == np.quantile(stocks, 0.5)
