"""One step of a run and the summaries of it, as a graph.

Inputs are named ``kind.field`` or ``kind.field.number`` (the number of the recipient or cause). What is the same for all members
of an ensemble (the policy's own: shares, priorities, weights; dates) is told apart by name, so that a printer can work it out
once a step, or once a run, in place of once a lane.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, fields, replace
from typing import Any, TypeVar

from stockpile.codegen.graph import Graph, Symbol
from stockpile.model import equations, summaries
from stockpile.model.state import ENTERING, Constants, Known, State, has_index

T = TypeVar("T")
OF_THE_POLICY = frozenset({"pro_rata", "priority", "weight"})
"""Constants that are the same for all members."""
OF_THE_CALENDAR = frozenset(
    {
        "history", "cut", "set_aside", "hold_new", "divert_new",
        "review_cut", "review_set_aside", "review_hold_new", "review_divert_new",
    }
)
"""Series that are the same for all members."""
PER_CAUSE = frozenset({"own_need_for", "own_use_for"})
"""Fields with one quantity a cause: the recipients, the US, and what is joint or unknown."""


@dataclass(frozen=True)
class Traced:
    """The graph of a step, and the numbers of the nodes that leave it.

    Attributes
    ----------
    graph : Graph
    recipients : int
    after : dict
        By the input it replaces, ``state.…``: the stock at the end of the step.
    rows : dict
        By name, ``state.…``, ``flow.…`` or ``series.…``: what a trajectory has of the step, flows in rounds over the step.
    lowest, passage, totals : dict
        By the input it replaces: the summaries with one more step edge (``run.stock`` is the US stock there) or step.
    """

    graph: Graph
    recipients: int
    after: dict[str, int]
    rows: dict[str, int]
    lowest: dict[str, int]
    passage: dict[str, int]
    totals: dict[str, int]


def symbols(cls: type[T], kind: str, recipients: int, make: Callable[[str], Any]) -> T:
    """Return an object of `cls` whose every quantity is ``make("kind.field")``, or a tuple of these with numbers."""

    def one(field: Field[Any]) -> Any:
        name = f"{kind}.{field.name}"
        if not has_index(field):
            return make(name)
        return tuple(make(f"{name}.{number}") for number in range(recipients + (2 if field.name in PER_CAUSE else 0)))

    return cls(**{field.name: one(field) for field in fields(cls)})  # type: ignore[arg-type]


def flat(item: Any, kind: str) -> Iterator[tuple[str, Any]]:
    """Yield the quantities of an object with their names, in order."""
    for field in fields(item):
        value = getattr(item, field.name)
        if isinstance(value, tuple):
            yield from ((f"{kind}.{field.name}.{number}", one) for number, one in enumerate(value))
        else:
            yield f"{kind}.{field.name}", value


def trace(recipients: int, fixed: Mapping[str, float] | None = None) -> Traced:
    """Return the graph of one step for a number of recipients; inputs that are fixed are worked into it."""
    graph = Graph()
    given = fixed or {}
    state = symbols(State, "state", recipients, graph.input)
    known = symbols(Known, "series", recipients, lambda name: given.get(name) if name in given else graph.input(name))
    constants = symbols(Constants, "constant", recipients, lambda name: given.get(name) if name in given else graph.input(name))
    lowest = symbols(summaries.Lowest, "lowest", recipients, graph.input)
    passage = symbols(summaries.Passage, "passage", recipients, graph.input)
    totals = symbols(summaries.Totals, "total", recipients, graph.input)
    number, ahead, inside, dt, level = (graph.input(f"run.{name}") for name in ("number", "ahead", "inside", "dt", "level"))
    stock = graph.input("run.stock")

    before = replace(state, review=equations.review_next(state, known))
    flow = equations.flows(before, known, constants)
    end = equations.after(before, equations.change(known, flow), dt)
    rows = dict(flat(before, "state")) | {"state.unpromised": state.us_on_hand - equations.total(state.deferred)}
    rows |= {name: value if name == "flow.free" else value * dt for name, value in flat(flow, "flow")}
    rows |= {name: value * dt for name, value in flat(known, "series") if name.split(".")[1] in ENTERING}
    return Traced(
        graph=graph,
        recipients=recipients,
        after=_ids(flat(end, "state")),
        rows=_ids(rows.items()),
        lowest=_ids(flat(summaries.look(lowest, stock, number, ahead), "lowest")),
        passage=_ids(flat(summaries.compare(passage, stock, level, lowest.stock, number, inside), "passage")),
        totals=_ids(flat(summaries.add(totals, flow, dt), "total")),
    )


def _ids(items: Any) -> dict[str, int]:
    result = {}
    for name, symbol in items:
        assert isinstance(symbol, Symbol) and isinstance(symbol.ids, int)
        result[name] = symbol.ids
    return result


def is_uniform(name: str) -> bool:
    """Tell whether an input is the same for all members."""
    kind, field = name.split(".")[:2]
    named = {"constant": OF_THE_POLICY, "series": OF_THE_CALENDAR}
    return field not in ("level", "stock") if kind == "run" else field in named.get(kind, ())


def is_of_run(name: str) -> bool:
    """Tell whether an input stays the same over a run."""
    return name.split(".")[0] == "constant" or name == "run.dt"

