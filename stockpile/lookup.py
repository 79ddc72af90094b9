"""Numbers of a scenario, looked up by path and brought to the model's units, one column a member."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from stockpile import schema, units
from stockpile.clock import Array, Clock
from stockpile.draws import Values
from stockpile.errors import InputError
from stockpile.scenario import Scenario
from stockpile.vintage import BEGINNING


class Numbers:
    """Looks numbers up in a scenario and brings them to the model's units, one column a member."""

    def __init__(self, scenario: Scenario, values: Values, clock: Clock) -> None:
        self.scenario = scenario
        self.values = values
        self.clock = clock
        self.starts = clock.knots[:-1]

    def point(self, path: str, parameter: schema.Parameter, point: schema.Evidence) -> Array:
        """Return one point [the model's unit], shape (members,)."""
        return self.values.of(path, parameter, point) * factor_of(parameter.unit)

    def at(self, path: str, parameter: schema.Parameter, date: dt.date) -> Array:
        """Return the value in force on a date, shape (members,)."""
        known = [p for p in parameter.points if (p.from_ or BEGINNING) <= date]
        if not known:
            first = min(p.from_ or BEGINNING for p in parameter.points)
            message = f"is needed on {date}, but its first value holds from {first}; allowed: a value from {date} or earlier"
            raise InputError.one(path, message, file=self.scenario.name)
        return self.point(path, parameter, known[-1])

    def at_start(self, path: str, parameter: schema.Parameter) -> Array:
        """Return the value in force at the start of the run, shape (members,)."""
        return self.at(path, parameter, self.clock.start)

    def today(self, path: str, parameter: schema.Parameter) -> Array:
        """Return the value in force on the scenario's `as_of`, shape (members,)."""
        return self.at(path, parameter, self.scenario.as_of)

    def dated(self, path: str, parameter: schema.Parameter) -> Array:
        """Return the value in force in each interval, shape (intervals, members)."""
        result = np.tile(self.at_start(path, parameter), (len(self.starts), 1))
        for point in parameter.points:
            since = self.clock.at(point.from_) if point.from_ and point.from_ > self.clock.start else 0.0
            if point.from_ is None or point.from_ <= self.clock.start:
                continue
            result[self.starts >= since - 1e-12] = self.point(path, parameter, point)
        return result

    def product(self, path: str, factors: dict[str, Any], date: dt.date | None = None) -> Array:
        """Return the product of factors: in each interval, shape (intervals, members), or on a date, shape (members,)."""
        result = np.ones(self.values.members)
        for name, factor in factors.items():
            own = isinstance(factor, schema.Parameter)
            where = f"{path}.{name}" if own else factor.path
            parameter = factor if own else self.find(where)
            value = self.dated(where, parameter) if date is None else self.at(where, parameter, date)
            result = result * (1.0 - value if not own and factor.one_minus else value)
        return result

    def find(self, path: str) -> schema.Parameter:
        """Return the parameter at a path of the resolved scenario."""
        node: Any = self.scenario.tree
        for part in path.split("."):
            node = node[part]
        return schema.Parameter.model_validate(node)

    def level(self, path: str, level: schema.Level, munition: str) -> Array:
        """Return a named level [round], shape (members,)."""
        value = self.today(f"{path}.level", level.level)
        if level.of is None:
            return value
        return value * self.at_start(f"munitions.{munition}.us_stock", self.scenario.munitions[munition].us_stock)


def factor_of(unit: str) -> float:
    """Return by what a number in `unit` is multiplied to get the model's own unit."""
    found = units.find(unit)
    assert found is not None
    return found.factor
