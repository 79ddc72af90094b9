"""PySD and pysimlin on the same model, by way of XMILE: one munition and member at a time, as they work."""

from __future__ import annotations

import importlib
import tempfile
import warnings
from collections.abc import Callable
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

import stockpile as sp
from benchmarks.case import LANE_CONSTANTS, LANES, Array, Case
from stockpile.assemble import assemble
from stockpile.engine import difference
from stockpile.simulate import on_steps

READ = ("on_hand", "withheld", "deferred")


def installed(package: str) -> str | None:
    """Return the version of a package, or None where it is not there."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


class Peers:
    """The models of a case in both tools. What is set a member: the constants; what is read: the stocks at every step edge."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.folder = tempfile.TemporaryDirectory(prefix="stockpile-benchmark-")
        scenario = sp.load(case.scenario)
        self.assembly = assemble(scenario, [case.policy])
        self.paths = {}
        for munition in case.munitions:
            target = Path(self.folder.name) / f"{munition.name}.xmile"
            self.paths[munition.name] = sp.export(scenario, "xmile", target, munition=munition.name, policy=case.policy)
        recipients = self.assembly.axes.recipients
        self.stocks = ("us_on_hand", "order_book", *(f"{name}_{r}" for name in READ for r in recipients))
        self._members = count()

    def __enter__(self) -> Peers:
        return self

    def __exit__(self, *what: object) -> None:
        self.folder.cleanup()

    @cached_property
    def pysd_models(self) -> dict[str, Any]:
        """The translated models."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pysd = importlib.import_module("pysd")
            return {name: pysd.read_xmile(str(path)) for name, path in self.paths.items()}

    @cached_property
    def simlin_runs(self) -> dict[str, Any]:
        """The simulations, made once and used again for each member."""
        simlin = importlib.import_module("simlin")
        models = {name: simlin.load(path) for name, path in self.paths.items()}
        self._kept = models
        return {name: model.simulate() for name, model in models.items()}

    def pysd(self) -> int:
        """Run one member of every munition; return the number of munition-runs."""
        member = next(self._members)
        for munition in self.case.munitions:
            params = self._constants(munition, member, self.pysd_models[munition.name].namespace)
            self.pysd_models[munition.name].run(params=params, return_columns=list(self.stocks))
        return len(self.case.munitions)

    def simlin(self) -> int:
        """Run one member of every munition, with its constants set and its stocks read; return the number of munition-runs."""
        member = next(self._members)
        for munition in self.case.munitions:
            run = self.simlin_runs[munition.name]
            run.reset()
            for name, value in self._constants(munition, member, run.get_var_names()).items():
                run.set_value(name, value)
            run.run_to_end()
            for name in self.stocks:
                run.get_series(name)
        return len(self.case.munitions)

    def simlin_alone(self) -> int:
        """Run every munition as it stands, nothing set and nothing read; return the number of munition-runs."""
        for run in self.simlin_runs.values():
            run.reset()
            run.run_to_end()
        return len(self.simlin_runs)

    def _constants(self, munition: Any, member: int, there: Any) -> dict[str, float]:
        values = munition.constants[0, :, member % LANES]
        return {name: float(value) for name, value in zip(LANE_CONSTANTS, values, strict=True) if name in there}

    def differences(self) -> dict[str, float]:
        """Return, for each tool that is there, the largest difference of a stock from the NumPy engine, as a share of the largest stock."""
        of, clock = self.assembly, self.assembly.clock
        reference = difference.run(of.opening, on_steps(of), of.constants, clock.dt, len(clock.steps) - 1).stocks
        found: dict[str, float] = {}
        readers: dict[str, Callable[[str], Array]] = {"pysd": self._by_pysd, "pysimlin": self._by_simlin}
        for tool, read in readers.items():
            if installed(tool) is None:
                continue
            for lane, munition in enumerate(self.case.munitions):
                wanted = np.stack(
                    [reference[name][:, lane] for name in ("us_on_hand", "order_book")]
                    + [reference[name][r, :, lane] for name in READ for r in range(len(self.assembly.axes.recipients))],
                    axis=1,
                )
                share = float(np.abs(read(munition.name) - wanted).max() / np.abs(wanted).max())
                found[tool] = max(found.get(tool, 0.0), share)
        return found

    def _by_pysd(self, munition: str) -> Array:
        found: Array = self.pysd_models[munition].run(return_columns=list(self.stocks))[list(self.stocks)].to_numpy()
        return found

    def _by_simlin(self, munition: str) -> Array:
        run = self.simlin_runs[munition]
        run.reset()
        run.run_to_end()
        return np.stack([np.asarray(run.get_series(name)) for name in self.stocks], axis=1)
