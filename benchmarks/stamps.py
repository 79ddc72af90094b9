"""The command ``stockpile ensemble`` in a process of its own, with time stamps: what each part of a cold start costs.

``python benchmarks/stamps.py START ARGUMENT...`` runs the command with those arguments; START is the moment on the monotonic clock at
which the process was asked for. The last line on stderr is JSON. Time goes to the innermost part under way: a function that another
calls takes its time away from it, and so does every import, wherever it stands.
"""

import time

BEGUN = time.monotonic()

import builtins  # noqa: E402
import importlib  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
from collections.abc import Callable  # noqa: E402
from typing import Any  # noqa: E402

PARTS = {
    "loading the scenario": ["stockpile.cli.options:Resolved.scenario"],
    "what is drawn": ["stockpile.ensembles.run:parts", "stockpile.ensembles.run:unit_costs", "stockpile.ensembles.run:design"],
    "printing the step": ["stockpile.ensembles.traced:printed", "stockpile.ensembles.compiled_engine:printed"],
    "compiling or loading code": ["stockpile.compiler:load", "stockpile.compiler:is_stored"],
    "tracing the scenario": ["stockpile.ensembles.compiled_engine:prepare", "stockpile.ensembles.compiled_engine:drawing"],
    "pilot": ["stockpile.ensembles.compiled_engine:CompiledEngine.block", "stockpile.ensembles.numpy_engine:NumpyEngine.block"],
    "running": ["stockpile.ensembles.run:_blocks"],
    "central run": ["stockpile.ensembles.run:run"],
}
IMPORTS, REST = "imports", "tables and printing"


class Clock:
    """Adds up the time of the parts."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self.open = [REST]
        self.last = BEGUN
        self.computing: float | None = None
        self.before: dict[str, float] = {}
        self.main = threading.get_ident()
        self.left = [(part, place) for part, places in PARTS.items() for place in places]

    def _turn(self) -> None:
        now = time.monotonic()
        self.spent[self.open[-1]] = self.spent.get(self.open[-1], 0.0) + now - self.last
        self.last = now

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function whose time goes to `part` where the main thread calls it."""

        def call(*given: Any, **named: Any) -> Any:
            if threading.get_ident() != self.main:
                return function(*given, **named)
            self._turn()
            if part == "pilot" and self.computing is None:
                self.computing, self.before = self.last, dict(self.spent)
            self.open.append(part)
            try:
                return function(*given, **named)
            finally:
                self._turn()
                self.open.pop()
                if part == IMPORTS and IMPORTS not in self.open:
                    self.wrap()

        return call

    def wrap(self) -> None:
        """Put stamps around the functions of modules that have been loaded by now."""
        for part, place in self.left.copy():
            module, _, path = place.partition(":")
            if module in sys.modules:
                *outer, name = path.split(".")
                owner = sys.modules[module]
                for one in outer:
                    owner = getattr(owner, one)
                setattr(owner, name, self.timed(part, getattr(owner, name)))
                self.left.remove((part, place))


def main(start: float, arguments: list[str]) -> int:
    """Run the command and tell what it took."""
    clock = Clock()
    builtins.__import__ = clock.timed(IMPORTS, builtins.__import__)
    cli = importlib.import_module("stockpile.cli")
    code: int = cli.main(arguments)
    clock._turn()
    unused = [place for _, place in clock.left if "numpy_engine" not in place]
    if unused or clock.computing is None:
        raise SystemExit(f"nothing was stamped at {', '.join(unused)}")
    found = {
        "parts": {"interpreter": BEGUN - start, **clock.spent},
        "before computing": {"interpreter": BEGUN - start, **clock.before},
        "computing starts": clock.computing - start,
        "in all": clock.last - start,
    }
    print(json.dumps(found), file=sys.stderr)
    return code


if __name__ == "__main__":
    raise SystemExit(main(float(sys.argv[1]), sys.argv[2:]))
