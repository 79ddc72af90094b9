"""The linear program of perfect foresight for one munition and one draw: its columns, books and limits, and its solution.

Every trajectory that the model's equations can produce from the same state on, under whatever policy, fulfils the program (`residuals`
shows by how much a trajectory does not). What the equations say with a ``min`` or ``max`` over the state is kept where it is a
limit and let go where it is a duty; ``docs/foresight.md`` lists each. Rounds are over the step, divided by the case's `scale`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from stockpile.model.state import Constants, Known

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Array = NDArray[np.float64]
Columns = NDArray[np.intp]
STOCKS = ("on_hand", "withheld", "deferred")
"""Stocks of a recipient."""
FLOWS = ("granted", "put_off", "paid", "kept_back", "diverted", "released", "used")
"""Flows of a recipient that are chosen."""
SLACK = 1e-9
"""What a depth and an own unmet need may be exceeded by, as a share of the scale: the last bits of the run they were read from."""
ACCURACY = 1e-9
"""Tolerances of the solver, on quantities divided by the scale."""
TINY = 1e-30


@dataclass(frozen=True, eq=False)
class Case:
    """One run of the difference engine from a step edge on: what is known in advance, and what the policy made of it.

    Attributes
    ----------
    policy, munition : str
    member : int
    recipients : tuple of str
    dt : float
        Length of a step [month].
    series : Known
        Means over the steps, arrays of shape (steps,) [round/month, round, 1].
    constants : Constants
        Numbers [1/month, month, 1].
    stocks : dict
        Of the run, by name, at the step edges: shape (steps + 1,), or (recipients, steps + 1) [round].
    flows : dict
        Of the run, by name, over the steps: shape (steps,), or (recipients, steps) [round].
    level : float
        Level from which depth is measured [round].
    first : int
        Number of the step edge at which the case begins.
    """

    policy: str
    munition: str
    member: int
    recipients: tuple[str, ...]
    dt: float
    series: Known
    constants: Constants
    stocks: dict[str, Array]
    flows: dict[str, Array]
    level: float
    first: int = 0

    @property
    def steps(self) -> int:
        """Number of steps."""
        return int(self.stocks["us_on_hand"].size) - 1

    @property
    def depth(self) -> float:
        """By how much the run's US stock goes below the level at a step edge, at most [round]; 0 where it never does."""
        return max(float((self.level - self.stocks["us_on_hand"]).max()), 0.0)

    @property
    def unmet(self) -> Array:
        """Unmet need of each recipient over the run [round], shape (recipients,)."""
        found: Array = self.flows["unmet"].sum(axis=1)
        return found

    @property
    def own_unmet(self) -> float:
        """Unmet need of US forces over the run [round]."""
        return float(self.flows["own_unmet"].sum())

    @property
    def scale(self) -> float:
        """The largest stock, or need of a step, of the run [round]: what tolerances are shares of."""
        rounds = [array.max() for name, array in self.stocks.items() if name != "review"]
        return float(max(*rounds, *(np.max(need, initial=0.0) * self.dt for need in (*self.series.need, self.series.own_need)))) or 1.0

    def over(self, name: str) -> Array:
        """Return a series of rates as rounds over the steps, shape (steps,) or (recipients, steps)."""
        return np.asarray(getattr(self.series, name), dtype=np.float64) * self.dt


@dataclass(frozen=True, eq=False)
class Program:
    """Books ``equal @ x == entering``, limits ``limit @ x <= most``, and ``lower <= x <= upper``.

    Attributes
    ----------
    case : Case
    columns : dict
        By name: which columns of x are the quantity, in the shape it has in the case. `depth` is one column.
    equal, limit : sparse arrays
    entering, most : arrays
        The last of `most` is that of US forces' use: minus the need that must be met.
    lower, upper : arrays
    """

    case: Case
    columns: dict[str, Columns]
    equal: csr_array
    entering: Array
    limit: csr_array
    most: Array
    lower: Array
    upper: Array

    def bounded(self, deepest: float, own_unmet: float) -> Program:
        """Return the program with a depth and an unmet need of US forces that are not to be exceeded [round], inf for any."""
        upper, most = self.upper.copy(), self.most.copy()
        upper[self.columns["depth"]] = deepest / self.case.scale + SLACK
        most[-1] += own_unmet / self.case.scale + SLACK
        return replace(self, upper=upper, most=most)

    def laid(self, stocks: Mapping[str, Array], flows: Mapping[str, Array]) -> Array:
        """Return x for a trajectory, at its own depth."""
        x = np.zeros(self.upper.size)
        for name, columns in self.columns.items():
            if name != "depth":
                x[columns] = (stocks[name] if name in stocks else flows[name]) / self.case.scale
        x[self.columns["depth"]] = (self.case.level - stocks["us_on_hand"]).max() / self.case.scale
        return x

    def residuals(self, x: Array) -> dict[str, float]:
        """Return by how much x fails the books, the limits and the bounds, at most [share of the scale]; 0 where it does not."""
        return {
            "books": float(np.abs(self.equal @ x - self.entering).max(initial=0.0)),
            "limits": float((self.limit @ x - self.most).max(initial=0.0)),
            "bounds": float(np.maximum(self.lower - x, x - self.upper).max(initial=0.0)),
        }


class Rows:
    """Rows of a sparse matrix with their right-hand sides, one block of like rows after another."""

    def __init__(self) -> None:
        self.count = 0
        self.rows: list[Any] = []
        self.columns: list[Any] = []
        self.values: list[Any] = []
        self.right: list[Any] = []

    def add(self, right: Any, *terms: tuple[Any, Columns]) -> None:
        """Add a row for each entry of `right`; a term is a coefficient, or one a row, and a column a row."""
        right = np.asarray(right, dtype=np.float64)
        number = self.count + np.arange(right.size)
        for value, columns in terms:
            self.rows.append(number)
            self.columns.append(columns.ravel())
            self.values.append(np.broadcast_to(value, right.shape).ravel())
        self.right.append(right.ravel())
        self.count += right.size

    def matrix(self, width: int) -> tuple[csr_array, Array]:
        """Return the matrix and the right-hand sides."""
        from scipy.sparse import csr_array

        where = (np.concatenate(self.rows), np.concatenate(self.columns))
        return csr_array((np.concatenate(self.values), where), shape=(self.count, width)), np.concatenate(self.right)


def program(case: Case) -> Program:
    """Return the program of a case, with any depth allowed and no unmet need of US forces (see `Program.bounded`)."""
    columns = _columns(len(case.recipients), case.steps)
    width = int(columns["depth"][0]) + 1
    lower, upper = np.zeros(width), np.full(width, np.inf)
    lower[columns["depth"]] = -np.inf
    for name in ("us_on_hand", *STOCKS):
        first = columns[name][..., 0]
        lower[first] = upper[first] = case.stocks[name][..., 0] / case.scale
    granted, slope, room = order_limits(case)
    upper[columns["granted"]] = granted / case.scale
    upper[columns["used"]] = case.over("need") / case.scale
    upper[columns["own_use"]] = case.over("own_need") / case.scale
    equal, entering = _books(case, columns).matrix(width)
    limit, most = _limits(case, columns, slope, room).matrix(width)
    return Program(case, columns, equal, entering / case.scale, limit, most / case.scale, lower, upper)


def _columns(recipients: int, steps: int) -> dict[str, Columns]:
    """Return which columns each quantity has."""
    shapes: dict[str, tuple[int, ...]] = {"us_on_hand": (steps + 1,), "own_use": (steps,)}
    shapes |= dict.fromkeys(STOCKS, (recipients, steps + 1)) | dict.fromkeys(FLOWS, (recipients, steps))
    found, count = {}, 0
    for name, shape in (shapes | {"depth": (1,)}).items():
        size = int(np.prod(shape))
        found[name] = np.arange(count, count + size, dtype=np.intp).reshape(shape)
        count += size
    return found


def _books(case: Case, c: dict[str, Columns]) -> Rows:
    """Return what moves each stock: the `change` of the model's equations, with `sent` = granted - put_off + paid."""
    rows, kept = Rows(), 1.0 - case.constants.loss * case.dt

    def stock(name: str) -> tuple[tuple[float, Columns], ...]:
        return (1.0, c[name][..., 1:]), (-kept, c[name][..., :-1])

    def each(sign: float, name: str) -> list[tuple[float, Columns]]:
        return [(sign, one) for one in c[name]]

    sent = each(1.0, "granted") + each(-1.0, "put_off") + each(1.0, "paid")
    rows.add(case.flows["to_us"] + case.over("us_inflow"), *stock("us_on_hand"), *each(-1.0, "diverted"), (1.0, c["own_use"]), *sent)
    rows.add(
        case.flows["made_for"] + case.over("other_supply"),
        *stock("on_hand"), (-1.0, c["granted"]), (1.0, c["put_off"]), (-1.0, c["paid"]), (1.0, c["kept_back"]), (1.0, c["diverted"]),
        (-1.0, c["released"]), (1.0, c["used"]),
    )
    nothing = np.zeros((len(case.recipients), case.steps))
    rows.add(nothing, *stock("withheld"), (-1.0, c["kept_back"]), (1.0, c["released"]))
    rows.add(nothing, *stock("deferred"), (-1.0, c["put_off"]), (1.0, c["paid"]))
    return rows


def _limits(case: Case, c: dict[str, Columns], slope: Array, room: Array) -> Rows:
    """Return what flows may not exceed. The last row is that of US forces: their use is not below their need."""
    k, dt, rows = case.constants, case.dt, Rows()
    nothing = np.zeros((len(case.recipients), case.steps))
    # What is granted leaves alone what is promised, and of the promised no more is paid than there is: together no more than the stock.
    issued = [(k.issue_time, one) for one in (c["own_use"], *c["granted"])] + [(1.0 / k.catch_up_rate, one) for one in c["paid"]]
    rows.add(np.zeros(case.steps), *issued, (-dt, c["us_on_hand"][:-1]))
    rows.add(room, (1.0, c["granted"]), *((slope, c[name][:, :-1]) for name in STOCKS))
    rows.add(nothing, (1.0, c["put_off"]), (-1.0, c["granted"]))
    rows.add(nothing, (1.0, c["paid"]), (-dt * k.catch_up_rate, c["deferred"][:, :-1]))
    rows.add(case.flows["made_for"], (1.0, c["kept_back"]), (1.0, c["diverted"]))
    rows.add(nothing, (1.0, c["released"]), (-dt * k.release_rate, c["withheld"][:, :-1]))
    rows.add(nothing, (1.0, c["used"]), (-dt * k.commit, c["on_hand"][:, :-1]))
    edges = np.full(case.steps + 1, -case.level)
    rows.add(edges, (-1.0, c["us_on_hand"]), (-1.0, np.repeat(c["depth"], edges.size)))
    rows.add([-case.over("own_need").sum()], *((-1.0, c["own_use"][[step]]) for step in range(case.steps)))
    return rows


def order_limits(case: Case) -> tuple[Array, Array, Array]:
    """Return what recipients may be granted: ``granted <= most`` and ``granted + slope * position <= room``.

    A recipient asks for h·B + (1 - h)·min(max(a - rate·position, 0), B), its position being on_hand + withheld + deferred and `a` what it
    would ask for with nothing. A position beyond a/rate asks for nothing; where some policy can bring it there, the limit is the least
    concave function above the rule, between no position and the largest that any policy can bring about by then.

    Returns
    -------
    most, slope, room : array, shape (recipients, steps)
        [round over the step], [1], [round over the step].
    """
    k, dt, ceiling = case.constants, case.dt, np.array(case.series.authorised)
    h = case.series.history
    wanted = np.array(case.series.planned_need) * (1.0 + k.cover * k.order_rate)
    top = np.minimum(wanted, ceiling)
    full, none = (wanted - top) / k.order_rate, wanted / k.order_rate
    arriving = case.flows["made_for"] + case.over("other_supply")
    largest = np.zeros_like(wanted)
    position = np.array(sum(case.stocks[name][:, 0] for name in STOCKS))
    for step in range(case.steps):
        # The next position is straight between these, so one of them brings about the largest.
        largest[:, step] = position = position * (1.0 + 1e-12)
        places = np.minimum(np.array([np.zeros_like(position), full[:, step], none[:, step], position]), position)
        asked = np.minimum(np.maximum(wanted[:, step] - k.order_rate * places, 0.0), ceiling[:, step])
        got = dt * (h[step] * ceiling[:, step] + (1.0 - h[step]) * asked)
        position = (places * (1.0 - k.loss * dt) + got).max(axis=0) + arriving[:, step]
    slope = top / np.maximum(np.maximum(largest - full, none - full), TINY)
    given, left = dt * h * ceiling, dt * (1.0 - h)
    return given + left * top, left * slope, given + left * (top + slope * full)


def solve(problem: Program, cost: Array) -> Array | None:
    """Return the x of least cost by HiGHS; None where no x fulfils the program.

    Raises
    ------
    ArithmeticError
        If the solver finds neither.
    """
    from scipy.optimize import linprog

    p, run = problem, cast(Any, linprog)  # its type knows no sparse arrays
    bounds = np.column_stack([p.lower, p.upper])
    options = {"primal_feasibility_tolerance": ACCURACY, "dual_feasibility_tolerance": ACCURACY}
    for method in ("highs-ds", "highs-ipm"):
        found = run(cost, p.limit, p.most, p.equal, p.entering, bounds=bounds, method=method, options=options)
        if found.status == 0:
            return np.asarray(found.x, dtype=np.float64)
        if found.status == 2:
            return None
    raise ArithmeticError(f"the linear program of {p.case.munition} under {p.case.policy} was not solved: {found.message}")
