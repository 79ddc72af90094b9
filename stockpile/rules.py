"""A user's own allocation rule, by ``module:Class``: it proposes, the step settles.

A rule is a class with a method ``allocate(view)`` that returns what each recipient is to get [round/month], an array of
shape (lane, recipient). Whatever it proposes is brought to something feasible (between nought and what is asked, in sum
no more than available), and what was cut is recorded. So a rule cannot break the books.
"""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stockpile.assemble import Assembly
from stockpile.clock import Array
from stockpile.errors import InputError
from stockpile.model import equations
from stockpile.model.state import Constants, Quantities, Quantity


@dataclass(frozen=True)
class View:
    """What an allocation rule may look at; the arrays are read-only.

    Attributes
    ----------
    recipients : tuple of str
        In the order of the columns.
    munition : tuple of str
        The munition of each lane.
    month : float
        Months from the start at the start of the step.
    asked : array, shape (lane, recipient)
        What is asked for and may be granted [round/month].
    available : array, shape (lane,)
        What can be granted in sum [round/month].
    weight, priority : array, shape (lane, recipient)
        Of the policy's allocation table: weight, and rank of the class (0 first).
    """

    recipients: tuple[str, ...]
    munition: tuple[str, ...]
    month: float
    asked: Array
    available: Array
    weight: Array
    priority: Array


def load_rule(policy: str, name: str) -> Any:
    """Return an instance of the class ``module:Class`` of a policy; modules are also looked for in the current folder.

    Raises
    ------
    InputError
        If the module or the class cannot be loaded, or has no method `allocate`.
    """
    module, _, cls = name.partition(":")
    here = str(Path.cwd())
    added = here not in sys.path
    if added:
        sys.path.insert(0, here)
    try:
        rule = getattr(importlib.import_module(module), cls)()
    except Exception as error:
        message = f"allocation rule {name!r} cannot be loaded: {type(error).__name__}: {error}; allowed: pro_rata, weights or module:Class"
        raise InputError.one(f"{policy}.allocation.use", message, file="policy") from error
    finally:
        if added:
            sys.path.remove(here)
    if not callable(getattr(rule, "allocate", None)):
        message = f"allocation rule {name!r} has no method allocate(view); allowed: a class with one"
        raise InputError.one(f"{policy}.allocation.use", message, file="policy")
    return rule


class Settled:
    """The allocation of a run in which some policies have rules of their own."""

    def __init__(self, assembly: Assembly) -> None:
        axes = assembly.axes
        self.axes, self.dt = axes, assembly.clock.dt
        block = len(axes.munitions) * axes.members
        self.lanes = {
            name: (slice(number * block, (number + 1) * block), load_rule(name, rule), rule)
            for number, (name, rule) in enumerate(zip(axes.policies, assembly.rules, strict=True))
            if ":" in rule
        }
        self.munition = tuple(np.repeat(np.array(axes.munitions, dtype=object), axes.members))
        self.taken: list[Array] = []

    def __call__(self, available: Quantity, asked: Quantities, constants: Constants) -> Quantities:
        """Return the granted rounds of all lanes; the equations' own where a policy has no rule of its own."""
        granted = np.array(equations.allocate(available, asked, constants))
        cut = np.zeros_like(granted)
        wanted = np.maximum(np.array(asked), 0.0)
        for policy, (lanes, rule, name) in self.lanes.items():
            view = self._view(available, wanted, constants, lanes)
            proposed = self._proposal(policy, name, rule, view).T
            settled = np.minimum(np.maximum(proposed, 0.0), wanted[:, lanes])
            settled = settled * np.minimum(1.0, available[lanes] / np.maximum(settled.sum(axis=0), equations.TINY))
            granted[:, lanes] = settled
            cut[:, lanes] = np.maximum(proposed - settled, 0.0) * self.dt
        self.taken.append(cut)
        return tuple(granted)

    def _view(self, available: Array, asked: Array, constants: Constants, lanes: slice) -> View:
        def read_only(array: Array) -> Array:
            copy = np.array(array)
            copy.flags.writeable = False
            return copy

        return View(
            recipients=self.axes.recipients,
            munition=self.munition,
            month=len(self.taken) * self.dt,
            asked=read_only(asked[:, lanes].T),
            available=read_only(available[lanes]),
            weight=read_only(np.array(constants.weight)[:, lanes].T),
            priority=read_only(np.array(constants.priority)[:, lanes].T),
        )

    def _proposal(self, policy: str, name: str, rule: Any, view: View) -> Array:
        def wrong(what: str) -> InputError:
            return InputError.one(policy, f"allocation rule {name!r} {what} (month {view.month:g})", file="policy")

        try:
            given = np.asarray(rule.allocate(view))
        except Exception as error:
            raise wrong(f"failed: {type(error).__name__}: {error}") from error
        if given.dtype.kind not in "fiu":
            raise wrong(f"gave values of type {given.dtype}; allowed: numbers")
        proposed = given.astype(np.float64)
        if proposed.shape != view.asked.shape:
            raise wrong(f"gave the shape {proposed.shape}; allowed: {view.asked.shape}, lane by recipient")
        if not np.isfinite(proposed).all():
            raise wrong("gave a number that is not finite; allowed: finite numbers")
        return proposed

    def cuts(self) -> list[Array]:
        """Return what was cut off the proposals [round over the step], one array of shape (steps, lanes) a recipient."""
        return list(np.moveaxis(np.array(self.taken), 1, 0))


def settle(assembly: Assembly) -> Settled:
    """Return the allocation that asks users' rules and settles what they propose."""
    return Settled(assembly)
