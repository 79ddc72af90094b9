"""Boxes in a table of inputs, and how patient rule induction narrows and widens them.

A box has a rule for each column: limits for numbers, categories left out for the rest. Peeling narrows a box a little at a
time, pasting widens it again (Friedman and Fisher, "Bump hunting in high-dimensional data", Statistics and Computing 9,
1999, sections 8 and 9, https://doi.org/10.1023/A:1008894516817). All counts are whole numbers and every tie goes to the
first column, its lower side first, so that a result depends on nothing but the data.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stockpile.errors import InputError, Problem

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Between:
    """Numbers from `low` to `high`, both included; None where open."""

    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Without:
    """All categories but these, given by their place in `Table.categories`."""

    left_out: frozenset[int] = frozenset()


Rule = Between | Without
Rules = tuple[Rule, ...]


@dataclass(frozen=True, eq=False)
class Table:
    """Inputs as numbers.

    Attributes
    ----------
    names : tuple of str
        Columns.
    values : array, shape (columns, rows)
        Numbers; for a category its place in `categories`.
    categories : tuple
        Per column the categories in order, or None for numbers.
    whole : tuple of bool
        Whether a column has whole numbers only.
    """

    names: tuple[str, ...]
    values: Array
    categories: tuple[tuple[Any, ...] | None, ...]
    whole: tuple[bool, ...]

    @property
    def open(self) -> Rules:
        """The box that holds everything."""
        return tuple(Between() if each is None else Without() for each in self.categories)

    def allowed(self, column: int, rule: Rule) -> Mask:
        """Tell which rows a column's rule allows, shape (rows,)."""
        values = self.values[column]
        if isinstance(rule, Without):
            return ~np.isin(values, sorted(rule.left_out))
        inside = np.ones(len(values), dtype=bool)
        if rule.low is not None:
            inside &= values >= rule.low
        if rule.high is not None:
            inside &= values <= rule.high
        return inside

    def inside(self, rules: Rules, but: int = -1) -> Mask:
        """Tell which rows lie in a box, the rule of column `but` left aside, shape (rows,)."""
        inside = np.ones(self.values.shape[1], dtype=bool)
        for column in restricted(rules):
            if column != but:
                inside &= self.allowed(column, rules[column])
        return inside


@dataclass(frozen=True)
class Step:
    """A box on the way.

    Attributes
    ----------
    rules : tuple
    cases, failing : int
        Rows in it, and those of them that fail.
    phase : {"peel", "paste", "drop"}
    """

    rules: Rules
    cases: int
    failing: int
    phase: str


def restricted(rules: Rules) -> list[int]:
    """Return the columns that a box restricts."""
    return [column for column, rule in enumerate(rules) if rule not in (Between(), Without())]


def read(inputs: pd.DataFrame) -> Table:
    """Return a frame of inputs as numbers.

    Truth values, text and pandas categories are categories, in the order of their names; the rest are numbers.

    Raises
    ------
    InputError
        If there is no column or row, a name comes twice, or something is missing or not finite.
    """
    from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype

    if inputs.columns.has_duplicates or inputs.empty:
        raise InputError.one("inputs", f"{len(inputs)} rows of {len(inputs.columns)} columns; allowed: 1 or more of both, names once each")
    problems: list[Problem] = []
    values: list[Array] = []
    categories: list[tuple[Any, ...] | None] = []
    whole: list[bool] = []
    for name, column in inputs.items():
        numbers = is_numeric_dtype(column) and not is_bool_dtype(column)
        missing = int((~np.isfinite(column.to_numpy(dtype=float, na_value=np.nan))).sum() if numbers else column.isna().sum())
        if missing:
            problems.append(Problem("inputs", 0, 0, str(name), f"{missing} values are missing or not finite; allowed: none"))
        elif numbers:
            values.append(column.to_numpy(dtype=np.float64))
            categories.append(None)
        else:
            found = sorted(set(column), key=lambda each: (str(each), str(type(each))))
            values.append(column.map({each: place for place, each in enumerate(found)}).to_numpy(dtype=np.float64))
            categories.append(tuple(found))
        whole.append(bool(is_integer_dtype(column)))
    if problems:
        raise InputError(problems)
    return Table(tuple(map(str, inputs.columns)), np.array(values), tuple(categories), tuple(whole))


# ---------------------------------------------------------------- narrower


def peel(table: Table, fails: Mask, within: Mask, *, share: float, smallest: int, objective: str) -> list[Step]:
    """Return the boxes of a peeling, the open one first.

    Each peel takes away a share of the box's rows at one side of a column (all rows of its outermost value where they are
    more), or a category. It goes on until all or none of the rows left fail, or no peel leaves `smallest` rows.

    Parameters
    ----------
    table : Table
    fails, within : array of bool, shape (rows,)
        Which rows fail; which take part.
    share : float
        Rows taken away by a peel as a share of the box's, rounded down, at least 1.
    smallest : int
        Fewest rows in a box.
    objective : {"gain", "mean"}
        Take the peel after which the largest share fails (``mean``), or that with the largest rise of that share per row
        taken away (``gain``), which is fairer where columns with few values take away many rows at once.
    """
    order = np.argsort(table.values, axis=1, kind="stable")
    order = order[within[order]].reshape(len(order), -1)
    values = np.take_along_axis(table.values, order, axis=1)
    rules = table.open
    path = [Step(rules, order.shape[1], int(fails[order[0]].sum()), "peel")]
    while 0 < path[-1].failing < path[-1].cases:
        best = _best_peel(table, rules, values, fails[order], share, smallest, objective)
        if best is None:
            break
        column, rule = best
        rules = (*rules[:column], rule, *rules[column + 1 :])
        keep = table.allowed(column, rule)[order]
        order, values = order[keep].reshape(len(order), -1), values[keep].reshape(len(order), -1)
        path.append(Step(rules, order.shape[1], int(fails[order[0]].sum()), "peel"))
    return path


def _best_peel(
    table: Table, rules: Rules, values: Array, failing: Mask, share: float, smallest: int, objective: str
) -> tuple[int, Rule] | None:
    """Return the column and rule of the best peel; `values` and `failing` are in the order of each column's values."""
    cases, total = values.shape[1], int(failing[0].sum())
    few = max(1, int(share * cases))
    best, found = -np.inf, None
    for column, rule in enumerate(rules):
        for new, first, last in _cuts(values[column], rule, few):
            gone, lost = last - first, int(failing[column, first:last].sum())
            kept, left = cases - gone, total - lost
            if kept < max(smallest, 1):
                continue
            # The rise of the mean per row given up is the mean of the kept less that of the given up, but for a constant.
            # Whole numbers until the one division: equal worths are equal floats.
            worth = left / kept if objective == "mean" else (left * gone - lost * kept) / (kept * gone)
            if worth > best:
                best, found = worth, (column, new)
    return found


def _cuts(values: Array, rule: Rule, few: int) -> Iterator[tuple[Rule, int, int]]:
    """Yield each peel of a column as its rule and the first and last place (of the sorted values) that it takes away."""
    if values[0] == values[-1]:
        return
    count = len(values)
    if isinstance(rule, Without):
        starts = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), count]
        for first, last in itertools.pairwise(starts):
            yield Without(rule.left_out | {int(values[first])}), first, last
        return
    place = int(np.searchsorted(values, values[few], "left")) or int(np.searchsorted(values, values[0], "right"))
    yield replace(rule, low=float(values[place])), 0, place
    place = int(np.searchsorted(values, values[count - 1 - few], "right"))
    place = place if place < count else int(np.searchsorted(values, values[-1], "left"))
    yield replace(rule, high=float(values[place - 1])), place, count


# ---------------------------------------------------------------- wider


def paste(table: Table, fails: Mask, within: Mask, start: Rules, *, share: float) -> list[Step]:
    """Return the boxes of a pasting from `start`, it first: the best widening each time, as long as the share that fails does not fall.

    Each widening takes in about a share of the box's rows at one side of a column, or a category.
    """
    path = [_step(table, fails, within, start, "paste")]
    while True:
        last = path[-1]
        wider = [_step(table, fails, within, rules, "paste") for rules in _widened(table, within, last, share)]
        wider = [step for step in wider if step.cases > last.cases]
        if not wider:
            return path
        best = max(wider, key=lambda step: step.failing / step.cases)  # the first of equals
        if best.failing * last.cases < last.failing * best.cases:
            return path
        path.append(best)


def _widened(table: Table, within: Mask, step: Step, share: float) -> Iterator[Rules]:
    few = max(1, int(share * step.cases))
    for column in restricted(step.rules):
        rule, others = step.rules[column], within & table.inside(step.rules, but=column)
        for new in _wider_rules(rule, table.values[column], others, few):
            yield (*step.rules[:column], new, *step.rules[column + 1 :])


def _wider_rules(rule: Rule, values: Array, others: Mask, few: int) -> Iterator[Rule]:
    if isinstance(rule, Without):
        for place in sorted(rule.left_out):
            yield Without(rule.left_out - {place})
        return
    if rule.low is not None:
        upper = np.inf if rule.high is None else rule.high
        outside = np.sort(values[others & (values < rule.low) & (values <= upper)])[::-1]
        if len(outside):
            yield replace(rule, low=float(outside[min(few, len(outside)) - 1]))
    if rule.high is not None:
        lower = -np.inf if rule.low is None else rule.low
        outside = np.sort(values[others & (values > rule.high) & (values >= lower)])
        if len(outside):
            yield replace(rule, high=float(outside[min(few, len(outside)) - 1]))


def tidied(table: Table, within: Mask, rules: Rules) -> Rules:
    """Return a box with the same rows, without the limits and categories that keep no row out of it."""
    for column in restricted(rules):
        others = within & table.inside(rules, but=column)
        rule = rules[column]
        values = table.values[column][others]
        if isinstance(rule, Without):
            new: Rule = Without(frozenset(place for place in rule.left_out if np.any(values == place)))
        else:
            low, high = rule.low, rule.high
            new = Between(
                low if low is not None and np.any(values < low) else None,
                high if high is not None and np.any(values > high) else None,
            )
        rules = (*rules[:column], new, *rules[column + 1 :])
    return rules


# ---------------------------------------------------------------- which limits matter


def quasi_p_values(table: Table, fails: Mask, within: Mask, rules: Rules) -> dict[int, float]:
    """Return, by column that a box restricts, how easily chance alone would do what the restriction does.

    The chance that of the box's rows at least as many fail as do, if each failed with the share found in the box without that
    restriction (binomial). "Quasi" since the limits were chosen to make it small (Bryant and Lempert, Technological
    Forecasting and Social Change 77, 2010, https://doi.org/10.1016/j.techfore.2009.08.002).
    """
    inside = within & table.inside(rules)
    return {
        column: _quasi_p(fails, inside, within & table.inside(rules, but=column)) for column in restricted(rules)
    }


def _quasi_p(fails: Mask, inside: Mask, wider: Mask) -> float:
    from scipy.special import bdtrc

    cases, failing = int(inside.sum()), int((inside & fails).sum())
    return 1.0 if failing == 0 else float(bdtrc(failing - 1, cases, (wider & fails).sum() / wider.sum()))


def dropped(table: Table, fails: Mask, within: Mask, start: Rules, level: float) -> list[Step]:
    """Return the boxes met when the limit that chance does most easily goes, one at a time, until all are below `level`.

    A lower and an upper limit of one column are looked at each on its own. The first box is `start`.
    """
    path = [_step(table, fails, within, start, "drop")]
    while True:
        rules = path[-1].rules
        inside = within & table.inside(rules)
        found = [(_quasi_p(fails, inside, within & table.inside(wider)), wider) for wider in _without_one(table, rules)]
        weak, wider = max(found, key=lambda pair: pair[0], default=(0.0, rules))  # the first of equals
        if weak <= level:
            return path
        path.append(_step(table, fails, within, tidied(table, within, wider), "drop"))


def _without_one(table: Table, rules: Rules) -> Iterator[Rules]:
    for column in restricted(rules):
        rule = rules[column]
        sides: tuple[Rule, ...] = (table.open[column],)
        if isinstance(rule, Between) and rule.low is not None and rule.high is not None:
            sides = (Between(None, rule.high), Between(rule.low, None))
        for new in sides:
            yield (*rules[:column], new, *rules[column + 1 :])


def _step(table: Table, fails: Mask, within: Mask, rules: Rules, phase: str) -> Step:
    inside = within & table.inside(rules)
    return Step(rules, int(inside.sum()), int((inside & fails).sum()), phase)


def names(table: Table, rules: Rules) -> Sequence[str]:
    """Return the names of the columns that a box restricts."""
    return tuple(table.names[column] for column in restricted(rules))
