"""What a run leaves: arrays of stocks and flows over steps and lanes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockpile.model.state import Flows, State

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Trajectories:
    """Stocks at the step edges and flows over the steps.

    Attributes
    ----------
    stocks : dict
        By name: (steps + 1, lanes), or (recipients, steps + 1, lanes) [round]. `review` has (steps, lanes).
    flows : dict
        By name: (steps, lanes), or (recipients, steps, lanes) [round over the step]; `free` is at the start of the step.
    """

    stocks: dict[str, Array]
    flows: dict[str, Array]


def room(cls: type[Any], example: Any, length: int) -> dict[str, Array]:
    """Return empty arrays to record every field of a `State` or `Flows` over `length` rows."""
    result = {}
    for field in fields(cls):
        value = getattr(example, field.name)
        many = isinstance(value, tuple)
        lanes = np.shape(value[0] if many else value)
        result[field.name] = np.empty((len(value), length, *lanes) if many else (length, *lanes))
    return result


def record(into: dict[str, Array], row: int, item: State | Flows, scale: float | None = None) -> None:
    """Write one `State` or `Flows` into row `row`; rates are multiplied by `scale` [month], `free` is not a rate."""
    for name, array in into.items():
        value = getattr(item, name)
        factor = None if name == "free" else scale
        if isinstance(value, tuple):
            for r, one in enumerate(value):
                array[r, row] = one if factor is None else one * factor
        else:
            array[row] = value if factor is None else value * factor


def at(series: Any, row: int) -> Any:
    """Return one row of a `Known` whose fields have a leading time axis."""
    return type(series)(
        **{
            field.name: tuple(one[row] for one in value) if isinstance(value, tuple) else value[row]
            for field, value in ((field, getattr(series, field.name)) for field in fields(series))
        }
    )
