"""In which order a step is printed, and which operations go together."""

from __future__ import annotations

from collections import Counter

from stockpile.codegen.trace import Traced


def fusions(traced: Traced, *, exact: bool) -> dict[int, tuple[int, int]]:
    """Return the sums that may be taken together with a product in them: by sum, the product and what is added.

    Only where the product is exact, so that rounding once gives what rounding twice gives: products with the review, which is
    0 or 1, and where the length of a step is a power of two (`exact`), products with that.
    """
    nodes = traced.graph.nodes
    step = [n for n, node in enumerate(nodes) if node.value == "run.dt"]
    factors = {traced.rows["state.review"], *(step if exact else ())}
    uses = Counter(a for node in nodes for a in node.arguments)
    found = {}
    for n, node in enumerate(nodes):
        if node.operation == "add":
            for product, other in (node.arguments[::-1], node.arguments):
                if nodes[product].operation == "multiply" and uses[product] == 1 and factors & set(nodes[product].arguments):
                    found[n] = (product, other)
                    break
    return found


def in_order_of_use(targets: dict[str, int], recipients: int) -> dict[str, int]:
    """Return stocks and sums in the order in which to work them out: one recipient finished before the next, the US last."""
    late = ("state.us_on_hand", "state.review")

    def rank(key: str) -> tuple[int, int]:
        parts = key.split(".")
        if len(parts) == 3:
            names = ("sent", "deferred", "received", "withheld", "on_hand", "used", "unmet")
            return 1 + int(parts[2]), names.index(parts[1])
        return (1 + recipients, late.index(key)) if key in late else (0, 0)

    return dict(sorted(targets.items(), key=lambda item: rank(item[0])))
