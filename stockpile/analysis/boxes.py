"""In which part of the inputs something fails: scenario discovery by patient rule induction, in boxes that can be said in words.

After Friedman and Fisher (1999) and Bryant and Lempert, "Thinking inside the box", Technological Forecasting and Social Change
77, 2010, https://doi.org/10.1016/j.techfore.2009.08.002. Of a box, *coverage* is the share of all failures that lie in it,
*density* the share of its cases that fail, *mass* the share of all cases that lie in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stockpile.analysis.peeling import (
    Between,
    Mask,
    Rules,
    Step,
    Table,
    dropped,
    names,
    paste,
    peel,
    quasi_p_values,
    read,
    restricted,
    tidied,
)
from stockpile.errors import InputError, Problem, nearest

if TYPE_CHECKING:
    import pandas as pd

OBJECTIVES = ("gain", "mean")


@dataclass(frozen=True)
class Search:
    """How boxes are looked for.

    Attributes
    ----------
    peel, paste : float
        Share of a box's cases that one peel takes away, or one pasting takes in.
    smallest : float
        Least mass of a box.
    objective : {"gain", "mean"}
        Which peel is best; see `stockpile.analysis.peeling.peel`.
    least_coverage : float, optional
        Of the boxes of a peeling take the densest one that holds at least this share of the failures looked for. Left out,
        the one with the highest harmonic mean of coverage and density (the larger box where equal).
    significance : float
        Limits whose quasi-p-value is above it are dropped (a lower and an upper one each on its own); 1 keeps all.
    most : int
        Most boxes. Each one after the first is looked for among the cases outside those before it.
    """

    peel: float = 0.05
    paste: float = 0.05
    smallest: float = 0.05
    objective: str = "gain"
    least_coverage: float | None = None
    significance: float = 0.05
    most: int = 3

    def __post_init__(self) -> None:
        problems = [
            Problem("search", 0, 0, key, f"{value:g}; allowed: above 0, {'up to' if closed else 'below'} 1")
            for key, value, closed in (
                ("peel", self.peel, False), ("paste", self.paste, False), ("smallest", self.smallest, True),
                ("least_coverage", 1.0 if self.least_coverage is None else self.least_coverage, True),
                ("significance", self.significance, True),
            )
            if not (0 < value < 1 or (closed and value == 1))
        ]
        if self.objective not in OBJECTIVES:
            problems.append(Problem("search", 0, 0, "objective", f"{self.objective!r}; {nearest(self.objective, OBJECTIVES)}"))
        if self.most < 1:
            problems.append(Problem("search", 0, 0, "most", f"{self.most}; allowed: 1 or more"))
        if problems:
            raise InputError(problems)


@dataclass(frozen=True)
class Limit:
    """What a box says of one input.

    Attributes
    ----------
    column : str
    low, high : float or None
        The numbers allowed, both ends included; None where open.
    kept, left_out : tuple
        Categories allowed and not; empty for numbers.
    quasi_p : float
        How easily chance would do what the restriction does, by the binomial distribution; too low, since the limits were
        chosen to make it so.
    whole : bool
        Whether the input has whole numbers only.
    """

    column: str
    low: float | None
    high: float | None
    kept: tuple[Any, ...]
    left_out: tuple[Any, ...]
    quasi_p: float
    whole: bool


@dataclass(frozen=True, eq=False)
class Box:
    """A part of the inputs in which much fails.

    Attributes
    ----------
    number : int
        1 for the first. Its counts leave out the cases that lie in a box before it.
    limits : tuple of Limit
        In the order of the columns; the other columns are free.
    cases, failing : int
    coverage, density, mass : float
        Shares of all failures, of its cases and of all cases.
    trajectory : pandas.DataFrame
        step, phase (``peel``, then ``paste`` from the chosen one, then ``drop``: weak limits left out), cases, failing,
        coverage, density, mass, dimensions (how many columns are restricted), columns (a tuple) and chosen (which boxes of the
        peeling and at the end were taken).
    """

    number: int
    limits: tuple[Limit, ...]
    cases: int
    failing: int
    coverage: float
    density: float
    mass: float
    trajectory: pd.DataFrame

    def inside(self, inputs: pd.DataFrame) -> NDArray[np.bool_]:
        """Tell which rows of a frame lie within the limits, in an earlier box or not."""
        found = np.ones(len(inputs), dtype=bool)
        for limit in self.limits:
            column = inputs[limit.column]
            if limit.left_out:
                found &= ~column.isin(list(limit.left_out)).to_numpy(dtype=bool)
            if limit.low is not None:
                found &= (column >= limit.low).to_numpy(dtype=bool)
            if limit.high is not None:
                found &= (column <= limit.high).to_numpy(dtype=bool)
        return found


@dataclass(frozen=True)
class Boxes:
    """What was found.

    Attributes
    ----------
    found : tuple of Box
    cases, failing : int
        Of the whole.
    said : str
        Why there is no box, or no further one.
    """

    found: tuple[Box, ...]
    cases: int
    failing: int
    said: str

    @property
    def coverage(self) -> float:
        """Share of all failures that lie in any of the boxes; nan where nothing fails."""
        return sum(box.failing for box in self.found) / self.failing if self.failing else np.nan

    def table(self) -> pd.DataFrame:
        """Return a row a limit: box, coverage, density, mass, column, low, high, kept, left_out, quasi_p."""
        import pandas as pd

        columns = ["box", "coverage", "density", "mass", "column", "low", "high", "kept", "left_out", "quasi_p"]
        rows = [
            (box.number, box.coverage, box.density, box.mass, *(getattr(limit, name) for name in columns[4:]))
            for box in self.found
            for limit in box.limits
        ]
        return pd.DataFrame(rows, columns=columns).astype({"low": float, "high": float})


def boxes(inputs: pd.DataFrame, fails: ArrayLike, search: Search | None = None) -> Boxes:
    """Return the boxes in which most of what fails lies, one after another.

    A box is peeled, one of the peeling is chosen by the rule of `search`, it is widened as long as its density does not fall,
    and limits that chance could do as well are dropped. The search ends where a box would be no denser than the whole.

    Parameters
    ----------
    inputs : pandas.DataFrame
        A row a case. Truth values, text and pandas categories are categories, the rest are numbers.
    fails : array of bool, shape (cases,)
    search : Search, optional

    Raises
    ------
    InputError
        If values are missing or not finite, or `fails` is not a truth value a case.
    """
    search = search or Search()
    table, failing = read(inputs), _truth(fails, len(inputs))
    cases, total = len(failing), int(failing.sum())
    found: list[Box] = []
    within = np.ones(cases, dtype=bool)
    said = f"{search.most} boxes were looked for"
    if total in (0, cases):
        what = "nothing" if total == 0 else "everything"
        return Boxes((), cases, total, f"{what} fails: there is no part where more fails than elsewhere")
    while len(found) < search.most:
        if not (failing & within).any():
            said = "all failures lie in the boxes"
            break
        path = _path(table, failing, within, search)
        last = path.last
        if not restricted(last.rules) or last.failing * cases <= total * last.cases:
            said = f"no {'further ' if found else ''}box does better than the whole"
            break
        found.append(_box(table, failing, within, path, len(found) + 1))
        within = within & ~table.inside(last.rules)
    return Boxes(tuple(found), cases, total, said)


def _truth(fails: ArrayLike, cases: int) -> Mask:
    found = np.asarray(fails)
    if found.shape != (cases,) or found.dtype != np.bool_:
        raise InputError.one("fails", f"{found.dtype} of shape {found.shape}; allowed: bool of shape ({cases},)")
    return found


@dataclass(frozen=True)
class _Path:
    """The boxes met on the way to one: a peeling, which of it was chosen, and what came after; `last` is the box."""

    peeled: list[Step]
    chosen: int
    after: list[Step]
    last: Step


def _path(table: Table, fails: Mask, within: Mask, search: Search) -> _Path:
    smallest = max(1, int(np.ceil(search.smallest * len(fails))))
    peeled = peel(table, fails, within, share=search.peel, smallest=smallest, objective=search.objective)
    chosen = chosen_of(peeled, search.least_coverage)
    pasted = paste(table, fails, within, peeled[chosen].rules, share=search.paste)
    plain = tidied(table, within, pasted[-1].rules)
    kept = dropped(table, fails, within, plain, search.significance)
    return _Path(peeled, chosen, [*pasted[1:], *kept[1:]], kept[-1])


def chosen_of(path: Sequence[Step], least_coverage: float | None) -> int:
    """Return the place of the box to take from a peeling; the first, that is the largest, of equals."""
    failing = path[0].failing
    if least_coverage is None:
        return int(np.argmax([step.failing / (step.cases + failing) for step in path]))  # half the harmonic mean
    return int(np.argmax([step.failing / step.cases if step.failing >= least_coverage * failing else -1.0 for step in path]))


def _box(table: Table, fails: Mask, within: Mask, path: _Path, number: int) -> Box:
    last, total = path.last, int(fails.sum())
    quasi_p = quasi_p_values(table, fails, within, last.rules)
    return Box(
        number=number,
        limits=tuple(_limit(table, last.rules, column, quasi_p[column]) for column in restricted(last.rules)),
        cases=last.cases,
        failing=last.failing,
        coverage=last.failing / total,
        density=last.failing / last.cases,
        mass=last.cases / len(fails),
        trajectory=_trajectory(table, path, len(fails), total),
    )


def _limit(table: Table, rules: Rules, column: int, quasi_p: float) -> Limit:
    rule, name, whole = rules[column], table.names[column], table.whole[column]
    if isinstance(rule, Between):
        return Limit(name, rule.low, rule.high, (), (), quasi_p, whole)
    every = table.categories[column] or ()
    left_out = tuple(each for place, each in enumerate(every) if place in rule.left_out)
    kept = tuple(each for place, each in enumerate(every) if place not in rule.left_out)
    return Limit(name, None, None, kept, left_out, quasi_p, whole)


def _trajectory(table: Table, path: _Path, cases: int, failing: int) -> pd.DataFrame:
    import pandas as pd

    steps = [*path.peeled, *path.after]
    frame = pd.DataFrame({
        "step": range(len(steps)),
        "phase": [step.phase for step in steps],
        "cases": [step.cases for step in steps],
        "failing": [step.failing for step in steps],
    })
    frame["coverage"] = frame["failing"] / failing
    frame["density"] = frame["failing"] / frame["cases"]
    frame["mass"] = frame["cases"] / cases
    frame["columns"] = pd.Series([names(table, step.rules) for step in steps], dtype=object)
    frame["dimensions"] = frame["columns"].map(len)
    last = len(steps) - 1 if path.after else path.chosen
    frame["chosen"] = [place in (path.chosen, last) for place in range(len(steps))]
    return frame


# ---------------------------------------------------------------- how far to trust it


def how_often(inputs: pd.DataFrame, fails: ArrayLike, search: Search | None = None, *, resamples: int = 20, seed: int = 0) -> pd.DataFrame:
    """Return how often each input is restricted in the first box when only a random half of the cases is looked at.

    An input restricted in the box of the whole but in few of the halves may stand there by chance (the resampling test of Bryant
    and Lempert, 2010).

    Returns
    -------
    pandas.DataFrame
        column, restricted (share of the halves whose first box restricts it), in_whole (whether the box of the whole does) and
        halves (how many had failures and others, so that a box could be looked for), in the order of the inputs.

    Raises
    ------
    InputError
        As `boxes`; or if `resamples` is below 1.
    """
    import pandas as pd

    if resamples < 1:
        raise InputError.one("resamples", f"{resamples}; allowed: 1 or more")
    first = replace(search or Search(), most=1)
    whole, failing = boxes(inputs, fails, first), np.asarray(fails)
    generator = np.random.default_rng(seed)
    counts, halves = dict.fromkeys(inputs.columns.map(str), 0), 0
    for _ in range(resamples):
        rows = np.sort(generator.permutation(len(inputs))[: max(1, len(inputs) // 2)])
        found = boxes(inputs.iloc[rows], failing[rows], first)
        halves += 0 < found.failing < found.cases
        for box in found.found:
            for limit in box.limits:
                counts[limit.column] += 1
    there = {limit.column for box in whole.found for limit in box.limits}
    share = [count / halves if halves else np.nan for count in counts.values()]
    return pd.DataFrame({"column": list(counts), "restricted": share, "in_whole": [name in there for name in counts], "halves": halves})


# ---------------------------------------------------------------- words


def in_words(box: Box, labels: Mapping[str, str] | None = None, units: Mapping[str, str] | None = None) -> str:
    """Return a box as a sentence.

    Parameters
    ----------
    box : Box
    labels, units : mapping of str to str
        By column, how to call it and what to write after its numbers; the column's own name and nothing where left out.
    """
    labels, units = labels or {}, units or {}
    parts = [_limit_in_words(limit, labels.get(limit.column, limit.column), units.get(limit.column, "")) for limit in box.limits]
    when = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    here = "of the failures lie here" if box.number == 1 else "more of the failures lie here, outside the boxes before"
    return f"when {when}: {_percent(box.coverage)} {here} (coverage), {_percent(box.density)} of the cases here fail (density)"


def _limit_in_words(limit: Limit, label: str, unit: str) -> str:
    def number(value: float) -> str:
        text = f"{value:,.0f}" if limit.whole or abs(value) >= 1000 else f"{value:.3g}"
        return f"{text} {unit}" if unit else text

    if limit.left_out:
        shown, word = (limit.kept, "is") if len(limit.kept) <= len(limit.left_out) else (limit.left_out, "is not")
        return f"{label} {word} {' or '.join(str(each) for each in shown)}"
    if limit.low is not None and limit.high is not None:
        return f"{label} is " + (number(limit.low) if limit.low == limit.high else f"from {number(limit.low)} to {number(limit.high)}")
    if limit.low is not None:
        return f"{label} is {'at least' if limit.whole else 'above'} {number(limit.low)}"
    return f"{label} is {'at most' if limit.whole else 'below'} {number(limit.high or 0.0)}"


def _percent(share: float) -> str:
    """Return a share in per cent, whole, but never 0 or 100 where it is not."""
    if 0 < share < 0.005:
        return "under 1 %"
    return "over 99 %" if 0.995 <= share < 1 else f"{100 * share:.0f} %"
