"""Numbers of a scenario, looked up by path and brought to the model's units, one column a member."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from stockpile import schema, units
from stockpile.clock import Clock
from stockpile.draws import Values
from stockpile.errors import InputError
from stockpile.model.state import Quantity
from stockpile.scenario import Scenario
from stockpile.vintage import BEGINNING


class Numbers:
    """Looks numbers up in a scenario and brings them to the model's units, one column a member (or a symbol for it)."""

    def __init__(self, scenario: Scenario, values: Values, clock: Clock) -> None:
        self.scenario = scenario
        self.values = values
        self.clock = clock
        self.starts = clock.knots[:-1]

    def point(self, path: str, parameter: schema.Parameter, point: schema.Evidence, stream: str = "") -> Quantity:
        """Return one point [the model's unit], shape (members,) or, where it is the same for all, (1,)."""
        return self.values.of(path, parameter, point, stream) * factor_of(parameter.unit)

    def at(self, path: str, parameter: schema.Parameter, date: dt.date, stream: str = "") -> Quantity:
        """Return the value in force on a date, shape as of `point`."""
        known = [p for p in parameter.points if (p.from_ or BEGINNING) <= date]
        if not known:
            first = min(p.from_ or BEGINNING for p in parameter.points)
            message = f"is needed on {date}, but its first value holds from {first}; allowed: a value from {date} or earlier"
            raise InputError.one(path, message, file=self.scenario.name)
        return self.point(path, parameter, known[-1], stream)

    def at_start(self, path: str, parameter: schema.Parameter) -> Quantity:
        """Return the value in force at the start of the run, shape as of `point`."""
        return self.at(path, parameter, self.clock.start)

    def today(self, path: str, parameter: schema.Parameter, stream: str = "") -> Quantity:
        """Return the value in force on the scenario's `as_of`, shape as of `point`."""
        return self.at(path, parameter, self.scenario.as_of, stream)

    def dated(self, path: str, parameter: schema.Parameter) -> Quantity:
        """Return the value in force in each interval, shape (intervals, members); without the first axis where it never changes."""
        result = self.at_start(path, parameter)
        for point in parameter.points:
            if point.from_ is not None and point.from_ > self.clock.start:
                begun = self.starts[:, None] >= self.clock.at(point.from_) - 1e-12
                result = np.where(begun, self.point(path, parameter, point), result)
        return result

    def product(self, path: str, factors: dict[str, Any], date: dt.date | None = None) -> Quantity:
        """Return the product of factors: in each interval as of `dated`, or on a date as of `point`."""
        result: Quantity = np.ones(1)
        for name, factor in factors.items():
            own = isinstance(factor, schema.Parameter)
            where = f"{path}.{name}" if own else factor.path
            parameter = factor if own else self.find(where)
            value = self.dated(where, parameter) if date is None else self.at(where, parameter, date)
            result = result * (1.0 - value if not own and factor.one_minus else value)
        return result

    def find(self, path: str) -> schema.Parameter:
        """Return the parameter at a path of the resolved scenario, with the bounds of the field that it stands in."""
        folder, *rest = path.split(".")
        node: Any = getattr(self.scenario, folder)
        # `Scenario.with_munitions` leaves munitions out that the others may refer to.
        if folder == "munitions" and rest[0] not in node:
            node = {rest[0]: schema.Munition.model_validate(self.scenario.tree[folder][rest[0]])}
        for name in rest:
            node = _inside(node, name)
        assert isinstance(node, schema.Parameter)
        return node

    def level(self, path: str, level: schema.Level, munition: str) -> Quantity:
        """Return a named level [round], shape as of `point`."""
        value = self.today(f"{path}.level", level.level)
        if level.of is None:
            return value
        return value * self.at_start(f"munitions.{munition}.us_stock", self.scenario.munitions[munition].us_stock)


def _inside(node: Any, name: str) -> Any:
    """Return what bears a name in a table, or a thing; claims of recipients stand under the munition's name alone."""
    if isinstance(node, schema.Recipient):
        return node.claims[name]
    return node[name] if isinstance(node, dict) else getattr(node, name)


def factor_of(unit: str) -> float:
    """Return by what a number in `unit` is multiplied to get the model's own unit."""
    found = units.find(unit)
    assert found is not None
    return found.factor
