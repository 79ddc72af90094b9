"""The model for libraries of others: a plain function of numbers, a problem for SALib, a model for the EMA Workbench.

Thin on purpose: each gives what the library asks for, and the points are worked out side by side as those of a sweep are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile.clock import Array
from stockpile.errors import InputError
from stockpile.experiments.outcomes import Outcome, outcome
from stockpile.experiments.points import Points, everything
from stockpile.metrics import BASELINE
from stockpile.overrides import WrongPath, reached
from stockpile.tables import is_parameter

if TYPE_CHECKING:
    from stockpile.scenario import Scenario


@dataclass(frozen=True)
class Function:
    """Outcomes as a function of values at some paths: ``f(x)`` for one point, or for many at once.

    Attributes
    ----------
    scenario : Scenario
    paths : tuple of str
        What is varied, in the order of `x`: anything that a sweep takes.
    outcomes : tuple of Outcome
        In the order of the result.
    policy : str
    members, seed : int
        Draws to a point, the same for all; with ``members=1`` everything else has its central value.
    """

    scenario: Scenario
    paths: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    policy: str
    members: int
    seed: int

    def __call__(self, x: Any) -> Array:
        """Return the outcomes, means over the draws.

        Parameters
        ----------
        x : array, shape (paths,) or (points, paths)

        Returns
        -------
        array, shape (outcomes,) or (points, outcomes)
            What never happens counts as infinite.

        Raises
        ------
        InputError
            For values that cannot be, and an `x` of another shape.
        """
        given = np.asarray(x, dtype=np.float64)
        points = np.atleast_2d(given)
        if points.ndim != 2 or points.shape[1] != len(self.paths):
            raise InputError.one("x", f"shape {given.shape}; allowed: ({len(self.paths)},) or (points, {len(self.paths)})", file="function")
        columns = {path: points[:, number].tolist() for number, path in enumerate(self.paths)}
        wanted = list(dict.fromkeys(one.name for one in self.outcomes))
        asked = Points(
            self.scenario, columns, list(self.outcomes[0].policies(self.policy)) if self._changes else [self.policy], members=self.members,
            seed=self.seed, metrics=wanted, munitions=list(dict.fromkeys(one.munition for one in self.outcomes)),
            values="central" if self.members == 1 else "drawn",
        )
        means = everything(asked).sums.mean[:, 0]
        place = {key: number for number, key in enumerate(asked.keys)}
        found: Array = means[:, [place[one.munition, one.recipient, one.name] for one in self.outcomes]]
        return found if given.ndim == 2 else found[0]

    @property
    def _changes(self) -> bool:
        return any(one.is_change for one in self.outcomes)


def function(
    scenario: Scenario, paths: Sequence[str], outcomes: Sequence[str], policy: str = BASELINE, *, members: int = 1, seed: int = 1
) -> Function:
    """Return outcomes as a plain function of values at some paths, for any optimiser or sampler.

    Parameters
    ----------
    scenario : Scenario
    paths : sequence of str
        As for ``--vary``: ``munitions.pac3.us_share``, ``policies.suspension_6_months.suspensions.0.length``, ``model.slip``.
    outcomes : sequence of str
        As ``pac3:minimum_after_as_of``, ``pac3:total_unmet:ukraine``, ``pac3:below.transfer_floor@2027-01-01`` (a probability).
    policy : str
    members, seed : int
        Draws to a point, the same for all, whose mean is given; 1 for central values.

    Raises
    ------
    InputError
        For outcomes, a policy or paths that there are not.
    """
    scenario.chosen([policy])
    wrong = [path for path in paths if not _leads_somewhere(scenario, path)]
    if wrong or not paths or not outcomes:
        said = f"{wrong[0]!r} leads nowhere" if wrong else "none"
        message = f"{said}; allowed: at least one path, as for --vary, and at least one outcome"
        raise InputError.one("paths", message, file="function")
    return Function(scenario, tuple(paths), tuple(outcome(one, scenario) for one in outcomes), policy, members, seed)


def _leads_somewhere(scenario: Scenario, path: str) -> bool:
    try:
        reached(scenario.tree, path)
    except WrongPath:
        parent, _, last = path.rpartition(".")
        return last in ("length", "end") and _leads_somewhere(scenario, f"{parent}.start")
    return True


def bounds(scenario: Scenario, path: str) -> tuple[float, float]:
    """Return the least and the largest value of a parameter over its points, in its own unit.

    Raises
    ------
    InputError
        For a path that leads to no parameter with a range.
    """
    try:
        _, node = reached(scenario.tree, path)[0]
    except WrongPath as error:
        raise InputError.one("", str(error), file="bounds") from None
    node = node.get("level", node) if isinstance(node, dict) else node
    ranged = [point for point in node["points"] if point.get("low") is not None] if is_parameter(node) and "points" in node else []
    if not ranged:
        message = "has no range in the files; allowed: a parameter with low and high, or bounds of your own"
        raise InputError.one(path, message, file="bounds")
    return min(point["low"] for point in ranged), max(point["high"] for point in ranged)


def salib_problem(scenario: Scenario, paths: Sequence[str]) -> dict[str, Any]:
    """Return the problem of SALib for some parameters, with the ranges of the files: ``num_vars``, ``names``, ``bounds``.

    Raises
    ------
    InputError
        For a path that leads to no parameter with a range.
    """
    return {"num_vars": len(paths), "names": list(paths), "bounds": [list(bounds(scenario, path)) for path in paths]}


def ema_model(made: Function, name: str = "stockpile", *, levers: Sequence[str] = ()) -> Any:
    """Return a model for the EMA Workbench (which must be installed): uncertainties and levers with the ranges of the files.

    Parameters
    ----------
    made : Function
    name : str
        Letters and digits alone, as the workbench wants.
    levers : sequence of str
        Which of the paths are levers; the others are uncertainties. Dots in paths become two underscores.

    Raises
    ------
    InputError
        If the workbench is not installed, or a path has no range.
    """
    try:
        from ema_workbench import Model, RealParameter, ScalarOutcome
    except ImportError:
        raise InputError.one("ema_workbench", "is not installed; allowed: pip install ema-workbench", file="ema_model") from None
    names = {path: path.replace(".", "__") for path in made.paths}
    said = [str(one).translate(str.maketrans(":.@-", "____")) for one in made.outcomes]

    def work(**given: float) -> dict[str, float]:
        return dict(zip(said, made([given[names[path]] for path in made.paths]).tolist(), strict=True))

    model = Model(name, function=work)
    ranged = {path: RealParameter(names[path], *bounds(made.scenario, path)) for path in made.paths}
    model.uncertainties = [one for path, one in ranged.items() if path not in levers]
    model.levers = [one for path, one in ranged.items() if path in levers]
    model.outcomes = [ScalarOutcome(one) for one in said]
    return model
