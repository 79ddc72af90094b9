"""The books, closed from the tidy table alone: every stock's change against the flows over the step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

TOLERANCE = 1e-9
"""Of the largest stock of the policy and munition."""
STOCKS = ("us_on_hand", "order_book", "on_hand", "withheld", "deferred")


def check(table: pd.DataFrame) -> int:
    """Assert that the books close and nothing is negative; return how many policies and munitions were looked at."""
    count = 0
    for (policy, munition), part in table.groupby(["policy", "munition"], observed=True):
        wide = part.pivot(index="date", columns=["quantity", "recipient"], values="value").sort_index(axis=1)
        largest = float(wide[list(STOCKS)].max().max())
        assert largest > 0.0
        names = [name for name in wide.columns.unique("recipient") if ("on_hand", name) in wide.columns]
        for (stock, row), error in errors(wide, names):
            assert np.abs(error).max() <= TOLERANCE * largest, (policy, munition, stock, row)
        least = wide.drop(columns="unpromised", level="quantity").min()
        assert least.min() >= -TOLERANCE * largest, (policy, munition, least.idxmin())
        assert np.isfinite(wide.iloc[:-1].to_numpy()).all(), (policy, munition)
        count += 1
    return count


def errors(wide: pd.DataFrame, names: list[str]) -> Iterator[tuple[tuple[str, str], Any]]:
    """Yield by how far each stock's change differs from the flows over the step [round]."""

    def change(stock: str, row: str) -> Any:
        return np.diff(wide[stock, row].to_numpy())

    def flow(name: str, row: str = "us") -> Any:
        return wide[name, row].to_numpy()[:-1]

    def over(name: str) -> Any:
        return sum(flow(name, row) for row in names)

    entering = flow("to_us") + over("diverted") + flow("us_inflow")
    yield ("us_on_hand", "us"), change("us_on_hand", "us") - (entering - flow("own_use") - over("sent") - flow("expired"))
    yield ("order_book", "us"), change("order_book", "us") - (flow("lots") - flow("delivered"))
    yield ("delivered", "us"), flow("delivered") - flow("to_us") - over("made_for")
    for r in names:
        got = flow("sent", r) + flow("made_for", r) - flow("kept_back", r) - flow("diverted", r) + flow("released", r)
        yield ("on_hand", r), change("on_hand", r) - (got + flow("other_supply", r) - flow("used", r) - flow("expired", r))
        yield ("withheld", r), change("withheld", r) - (flow("kept_back", r) - flow("released", r) - flow("expired_withheld", r))
        yield ("deferred", r), change("deferred", r) - (flow("put_off", r) - flow("paid", r) - flow("expired_deferred", r))
    owed = sum(wide["deferred", r].to_numpy() for r in names)
    yield ("unpromised", "us"), wide["unpromised", "us"].to_numpy() - (wide["us_on_hand", "us"].to_numpy() - owed)
