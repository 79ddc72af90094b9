"""The closed table of units, and how each is brought to the model's own.

Inside the model there are only rounds, months (calendar months), 1 and US dollars of one base year. A rate given per
year is divided by 12, one given per day is multiplied by 365.25 / 12.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

DAYS_PER_MONTH = 365.25 / 12
MONTHS_PER_YEAR = 12.0


@dataclass(frozen=True)
class Unit:
    """A unit that a file may name.

    Attributes
    ----------
    name : str
        As written in the files.
    dimension : str
        What is measured; only equal dimensions can stand for one another.
    factor : float
        Multiply a number in this unit by `factor` to get the model's own unit of that dimension.
    """

    name: str
    dimension: str
    factor: float


_TABLE = (
    Unit("round", "rounds", 1.0),
    Unit("round/month", "rounds per month", 1.0),
    Unit("round/year", "rounds per month", 1.0 / MONTHS_PER_YEAR),
    Unit("round/day", "rounds per month", DAYS_PER_MONTH),
    Unit("target/month", "targets per month", 1.0),
    Unit("target/year", "targets per month", 1.0 / MONTHS_PER_YEAR),
    Unit("target/day", "targets per month", DAYS_PER_MONTH),
    Unit("round/target", "rounds per target", 1.0),
    Unit("month", "time", 1.0),
    Unit("year", "time", MONTHS_PER_YEAR),
    Unit("day", "time", 1.0 / DAYS_PER_MONTH),
    Unit("1", "number", 1.0),
    Unit("1/month", "per time", 1.0),
    Unit("1/year", "per time", 1.0 / MONTHS_PER_YEAR),
)
UNITS = {unit.name: unit for unit in _TABLE}
_MONEY = re.compile(r"USD_(19|20)\d\d")
MONEY_HINT = "USD_YEAR with the base year, for example USD_2025"


def names() -> list[str]:
    """Return every unit name of the table, money as its pattern."""
    return [*UNITS, MONEY_HINT]


def find(name: str) -> Unit | None:
    """Return the unit called `name`, or None if the table does not have it. Money needs a base year."""
    if _MONEY.fullmatch(name):
        return Unit(name, "money", 1.0)
    return UNITS.get(name)


def money_year(name: str) -> int:
    """Return the base year of a money unit such as ``USD_2025``."""
    return int(name.removeprefix("USD_"))


def of_dimension(dimension: str) -> list[Unit]:
    """Return the units that measure `dimension`."""
    if dimension == "money":
        return [Unit(MONEY_HINT, "money", 1.0)]
    return [unit for unit in _TABLE if unit.dimension == dimension]
