"""Patient rule induction in plain loops and exact fractions, from Friedman and Fisher (1999), sections 8 and 9, and nothing else.

A box is a list with one rule a column: (low, high) for numbers, either of them None where open, and a set of the categories
peeled off for categories. Columns are lists of values. Slow on purpose.
"""

from __future__ import annotations

from fractions import Fraction

NUMERIC, CATEGORICAL = "numeric", "categorical"


def open_box(kinds):
    return [(None, None) if kind == NUMERIC else frozenset() for kind in kinds]


def holds(rule, value):
    if isinstance(rule, frozenset):
        return value not in rule
    low, high = rule
    return (low is None or value >= low) and (high is None or value <= high)


def members(columns, box, within):
    found = []
    for row in within:
        inside = True
        for rule, column in zip(box, columns, strict=True):
            if not holds(rule, column[row]):
                inside = False
        if inside:
            found.append(row)
    return found


def mean(fails, rows):
    total = 0
    for row in rows:
        total += 1 if fails[row] else 0
    return Fraction(total, len(rows))


def with_rule(box, place, rule):
    return [rule if number == place else old for number, old in enumerate(box)]


def peels(columns, kinds, box, rows, alpha):
    """Yield the boxes that one peel can lead to, in order: per column the lower side, the upper side; or each category."""
    few = max(1, int(alpha * len(rows)))
    for place, kind in enumerate(kinds):
        values = sorted(columns[place][row] for row in rows)
        if values[0] == values[-1]:
            continue
        if kind == CATEGORICAL:
            for category in sorted(set(values)):
                yield with_rule(box, place, box[place] | {category})
            continue
        low, high = box[place]
        new = values[few]
        if new == values[0]:
            new = min(value for value in values if value > values[0])
        yield with_rule(box, place, (new, high))
        new = values[len(values) - 1 - few]
        if new == values[-1]:
            new = max(value for value in values if value < values[-1])
        yield with_rule(box, place, (low, new))


def score(fails, before, after, objective):
    """Mean of what is kept ("mean"), or rise of the mean per share of the points given up ("gain")."""
    if objective == "mean":
        return mean(fails, after)
    return (mean(fails, after) - mean(fails, before)) / (len(before) - len(after))


def peel(columns, kinds, fails, within, *, alpha, smallest, objective):
    """Return the boxes of a peeling, the open one first, until no peel leaves `smallest` rows, or all or none of the rows fail."""
    box = open_box(kinds)
    path = [box]
    rows = list(within)
    while 0 < mean(fails, rows) < 1:
        best = None
        for candidate in peels(columns, kinds, box, rows, alpha):
            kept = members(columns, candidate, rows)
            if len(kept) < smallest:
                continue
            worth = score(fails, rows, kept, objective)
            if best is None or worth > best[0]:
                best = (worth, candidate, kept)
        if best is None:
            break
        _, box, rows = best
        path.append(box)
    return path


def pastes(columns, kinds, box, within, alpha):
    """Yield the boxes that one pasting can lead to, in order: per column the lower side, the upper side; or each category."""
    few = max(1, int(alpha * len(members(columns, box, within))))
    for place, kind in enumerate(kinds):
        if kind == CATEGORICAL:
            for category in sorted(box[place]):
                yield with_rule(box, place, box[place] - {category})
            continue
        low, high = box[place]
        if low is not None:
            wider = members(columns, with_rule(box, place, (None, high)), within)
            outside = sorted((columns[place][row] for row in wider if columns[place][row] < low), reverse=True)
            if outside:
                new = outside[min(few, len(outside)) - 1]
                yield with_rule(box, place, (new, high))
        if high is not None:
            wider = members(columns, with_rule(box, place, (low, None)), within)
            outside = sorted(columns[place][row] for row in wider if columns[place][row] > high)
            if outside:
                new = outside[min(few, len(outside)) - 1]
                yield with_rule(box, place, (low, new))


def paste(columns, kinds, fails, within, box, *, alpha):
    """Return the boxes of a pasting from `box`, it first: the best widening each time, as long as the mean does not fall."""
    path = [box]
    while True:
        rows = members(columns, box, within)
        best = None
        for candidate in pastes(columns, kinds, box, within, alpha):
            wider = members(columns, candidate, within)
            if len(wider) == len(rows):
                continue
            worth = mean(fails, wider)
            if best is None or worth > best[0]:
                best = (worth, candidate)
        if best is None or best[0] < mean(fails, rows):
            return path
        box = best[1]
        path.append(box)
