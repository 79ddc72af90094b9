"""What a run gives: named arrays with the scenario's values and provenance; tables, metrics, saving."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stockpile.model.state import ENTERING, FLOWS, SERIES, STOCKS, Meaning

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
US = "us"
COLUMNS = ("policy", "member", "munition", "recipient", "quantity", "date", "value", "unit")


@dataclass(frozen=True)
class Result:
    """Stocks, flows and series of a run, by name.

    Attributes
    ----------
    policies, munitions, recipients : tuple of str
        Names along the axes.
    dates : array of datetime64[s]
        Step edges, one more than there are steps.
    arrays : dict
        By (quantity, row): an array of shape (policy, munition, member, time). The row is ``us``, a recipient, or a cause of
        own use. Stocks have one more time than flows.
    levels : dict
        By munition: its named levels [round], each an array of shape (member,).
    unit_cost : dict
        By munition: the price of a round [dollars of `money_year`], shape (member,).
    manifest : dict
        Scenario, as_of, digest of the parameters, method, substeps, engine, version, commit, policies, overrides.
    """

    policies: tuple[str, ...]
    munitions: tuple[str, ...]
    recipients: tuple[str, ...]
    dates: NDArray[np.datetime64]
    arrays: dict[tuple[str, str], Array] = field(repr=False)
    levels: dict[str, dict[str, Array]] = field(repr=False)
    unit_cost: dict[str, Array] = field(repr=False)
    manifest: dict[str, Any] = field(repr=False)

    @property
    def members(self) -> int:
        """Number of draws."""
        return int(next(iter(self.arrays.values())).shape[2])

    @cached_property
    def months(self) -> Array:
        """Months from the start at the step edges."""
        return np.arange(len(self.dates)) / float(self.manifest["substeps"])

    @property
    def rows(self) -> tuple[str, ...]:
        """Everything that may stand in the column `recipient`, in order."""
        return (US, *self.recipients, "joint_or_unknown")

    def array(self, quantity: str, row: str = US, *, policy: str, munition: str) -> Array:
        """Return one quantity over time, shape (member, time).

        Raises
        ------
        KeyError
            For names that are not in the result; the message lists those that are.
        """
        if (quantity, row) not in self.arrays:
            raise KeyError(f"no {quantity!r} for {row!r}; there are {sorted({name for name, _ in self.arrays})}")
        found: Array = self.arrays[quantity, row][self.policies.index(policy), self.munitions.index(munition)]
        return found

    def index(self, date: str) -> int:
        """Return the number of the last step edge at or before `date`.

        Raises
        ------
        KeyError
            If the date lies outside the run.
        """
        when = np.datetime64(date, "s")
        if not self.dates[0] <= when <= self.dates[-1]:
            raise KeyError(f"{when} is outside the run, {self.dates[0]} to {self.dates[-1]}")
        return int(np.searchsorted(self.dates, when, side="right")) - 1

    def table(self, *, inputs: bool = False) -> pd.DataFrame:
        """Return stocks and flows as a tidy frame.

        Parameters
        ----------
        inputs : bool
            Whether to add the series known in advance. Those that move a stock (`lots`, `us_inflow`, `other_supply`) are
            always there, since the books cannot be closed without them.

        Returns
        -------
        pandas.DataFrame
            Columns policy, member, munition, recipient, quantity, date, value, unit. Stocks are at the date; flows are
            rounds over the step that starts at the date; rates known in advance are means over that step.
        """
        import pandas as pd

        names = [*STOCKS, *FLOWS, *(SERIES if inputs else ENTERING)]
        parts = [self.long(name, row) for name in names for row in self.rows if (name, row) in self.arrays]
        columns = {column: np.concatenate([part[column] for part in parts]) for column in COLUMNS}
        words = self.words
        return pd.DataFrame({c: pd.array(words[c], dtype="str").take(v) if c in words else v for c, v in columns.items()})

    @cached_property
    def words(self) -> dict[str, list[str]]:
        """The words that may stand in each text column of the table, in order."""
        names = [*STOCKS, *FLOWS, *SERIES]
        return {
            "policy": list(self.policies), "munition": list(self.munitions), "recipient": list(self.rows),
            "quantity": names, "unit": sorted({meaning(name).unit for name in names}),
        }

    def long(self, name: str, row: str) -> dict[str, Any]:
        """Return the columns of the table for one quantity; text columns as numbers into `words`."""
        array = self.arrays[name, row]
        count, times = array.size, array.shape[-1]
        block = array.shape[2] * times
        code = {column: {word: number for number, word in enumerate(words)} for column, words in self.words.items()}
        return {
            "policy": np.repeat(np.arange(len(self.policies)), count // len(self.policies)),
            "member": np.tile(np.repeat(np.arange(array.shape[2]), times), count // block),
            "munition": np.tile(np.repeat(np.arange(len(self.munitions)), block), len(self.policies)),
            "recipient": np.full(count, code["recipient"][row]),
            "quantity": np.full(count, code["quantity"][name]),
            "date": np.tile(self.dates[:times], count // times),
            "value": array.reshape(-1),
            "unit": np.full(count, code["unit"][meaning(name).unit]),
        }

    def metrics(self) -> pd.DataFrame:
        """Return the metrics of ``docs/glossary.md`` as a tidy frame.

        Returns
        -------
        pandas.DataFrame
            Columns policy, member, munition, recipient, metric, value, unit. Dates are months from the start; never is inf.
        """
        from stockpile.metrics import table

        return table(self)

    def save(self, path: str | Path) -> Path:
        """Write the result to one Parquet file: the table with inputs, the rest in its metadata. Same result, same bytes.

        The file is written under a temporary name and renamed, so that an interrupted save leaves nothing half done.
        """
        from stockpile.storage import write

        return write(self, Path(path))

    def to_xarray(self) -> Any:
        """Return an `xarray.Dataset` with the axes policy, munition, member, recipient and date. Needs xarray."""
        from stockpile.storage import dataset

        return dataset(self)


def meaning(name: str) -> Meaning:
    """Return unit and meaning of a quantity."""
    for table in (STOCKS, FLOWS, SERIES):
        if name in table:
            return table[name]
    raise KeyError(name)


def temporary(path: Path) -> Path:
    """Return the temporary name beside `path` to write to before renaming."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def write_text(path: Path, text: str) -> Path:
    """Write `text` to `path` under a temporary name and rename it."""
    part = temporary(path)
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def pairs(result: Result) -> Iterator[tuple[str, str]]:
    """Yield every policy and munition."""
    for policy in result.policies:
        for munition in result.munitions:
            yield policy, munition
