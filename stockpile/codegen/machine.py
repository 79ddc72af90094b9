"""Prints what a compiled run needs beside the step: draws by counter, tables of quantiles, the worker of programs, and tallies.

All do what their counterparts in NumPy do (`stockpile.philox`, `stockpile.shapes.interpolate`, the operations of
`stockpile.codegen.graph`, `stockpile.sketch.tally`), operation by operation, so that their results are equal bit for bit.
"""

from __future__ import annotations

import numpy as np

from stockpile.codegen.graph import COMPARISONS
from stockpile.codegen.kernel import LANES
from stockpile.codegen.llvm import ATTRIBUTES, MASK, VECTOR, WIDTH, Text, number, operate, splat
from stockpile.codegen.program import CODES, DRAW, WORDS
from stockpile.shapes import Array, Pieces

WORDS_VECTOR = f"<{WIDTH} x i64>"
ROUNDS = 10
SIDE_BY_SIDE = 4
"""Vectors of counters that are worked on together."""
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
LOW = 0xFFFFFFFF
BEHIND = 8
"""Numbers of a table behind its starts: where the last piece ends, whether pieces rise (1) or are flat (0), and room."""


def table_of(pieces: Pieces) -> Array:
    """Return a table of quantiles as `columns` reads it, shape (KNOTS + BEHIND,).

    Half the size of starts and slopes, so that it stays in the near cache: a slope is the next start less this one, exactly.

    Raises
    ------
    ValueError
        If the pieces neither meet nor are all flat.
    """
    starts, slopes = pieces.starts, pieces.slopes
    end = starts[-1] + slopes[-1]
    ends = [one for one in (end, np.nextafter(end, -np.inf), np.nextafter(end, np.inf)) if one - starts[-1] == slopes[-1]]
    result = np.zeros(len(starts) + BEHIND)
    result[: len(starts)] = starts
    if slopes.any():
        if not ends or not np.array_equal(np.diff(starts), slopes[:-1]):
            raise ValueError("a table of quantiles with gaps; allowed: pieces that meet, or flat ones")
        result[len(starts) : len(starts) + 2] = ends[0], 1.0
    return result


def module() -> str:
    """Return the text of the functions `uniforms`, `columns`, `work` and `tally`."""
    return "\n".join([_uniforms(), _columns(), _work(), _tally()])


def _counting(first: int) -> str:
    """Return a vector constant that counts from `first` on."""
    return "<" + ", ".join(f"i64 {first + lane}" for lane in range(WIDTH)) + ">"


def _all(value: str | int) -> str:
    return "<" + ", ".join([f"i64 {value}"] * WIDTH) + ">"


def _spread(text: Text, value: str) -> str:
    one = text.put(f"insertelement {WORDS_VECTOR} poison, i64 {value}, i64 0")
    return text.put(f"shufflevector {WORDS_VECTOR} {one}, {WORDS_VECTOR} poison, <{WIDTH} x i32> zeroinitializer")


def _loop(text: Text, name: str, before: str, limit: str, step: int = 1) -> str:
    """Print the head of a loop that counts from 0 in steps, and return its counter."""
    text.do(f"br label %{name}")
    text.do(f"{name}:")
    text.do(f"%{name}.i = phi i64 [ 0, %{before} ], [ %{name}.next, %{name}.end ]")
    text.do(f"%{name}.next = add nuw nsw i64 %{name}.i, {step}")
    text.do(f"%{name}.more = icmp ult i64 %{name}.next, {limit}")
    return f"%{name}.i"


def _close(text: Text, name: str, after: str) -> None:
    text.do(f"br label %{name}.end")
    text.do(f"{name}.end:")
    text.do(f"br i1 %{name}.more, label %{name}, label %{after}")
    text.do(f"{after}:")


def _uniforms() -> str:
    """Print `uniforms`: Philox4x32-10, one stream a row; members two by two from one block (see `stockpile.philox`)."""
    text = Text()
    text.do("entry:")
    row = _loop(text, "row", "entry", "%rows")
    key = text.put(f"mul nuw nsw i64 {row}, 2")
    keys = []
    for place in range(2):
        at = text.put(f"add nuw nsw i64 {key}, {place}")
        one = text.load("i32", "%keys", at, "i32")
        keys.append(text.put(f"zext i32 {one} to i64"))
    start = text.put(f"mul i64 {row}, %stride")
    half = text.put("lshr i64 %first, 1")
    member = _loop(text, "member", "row", "%count", SIDE_BY_SIDE * 2 * WIDTH)
    inside = text.put(f"lshr i64 {member}, 1")
    block = _spread(text, text.put(f"add i64 {half}, {inside}"))
    counters = [text.put(f"add {WORDS_VECTOR} {block}, {_counting(part * WIDTH)}") for part in range(SIDE_BY_SIDE)]
    mixed = ", ".join(f"i32 {lane}, i32 {lane + WIDTH}" for lane in range(WIDTH))
    for part, words in enumerate(_philox(text, counters, keys)):
        even, odd = _uniform(text, words[0], words[1]), _uniform(text, words[2], words[3])
        both = text.put(f"shufflevector {VECTOR} {even}, {VECTOR} {odd}, <{2 * WIDTH} x i32> <{mixed}>")
        to = text.put(f"add i64 {text.put(f'add i64 {start}, {member}')}, {part * 2 * WIDTH}")
        at = text.put(f"getelementptr inbounds double, ptr %out, i64 {to}")
        text.do(f"store <{2 * WIDTH} x double> {both}, ptr {at}, align 8")
    _close(text, "member", "member.done")
    _close(text, "row", "row.done")
    text.do("ret void")
    head = (
        "define void @uniforms(ptr noalias readonly %keys, i64 %rows, i64 %first, i64 %count, ptr noalias %out, i64 %stride) "
        f"{ATTRIBUTES} {{"
    )
    return "\n".join([head, *text.lines, "}"])


def _philox(text: Text, counters: list[str], keys: list[str]) -> list[list[str]]:
    """Print ten rounds for some vectors of counters, round by round, so that none waits for another; return four words each."""
    low, high = _all(LOW), _all(32)
    zero = "zeroinitializer"
    state = [[text.put(f"and {WORDS_VECTOR} {one}, {low}"), text.put(f"lshr {WORDS_VECTOR} {one}, {high}"), zero, zero] for one in counters]
    for _ in range(ROUNDS):
        spread = [_spread(text, key) for key in keys]
        products = [
            [text.put(f"mul {WORDS_VECTOR} {_all(factor)}, {c[place]}") for factor, place in zip(MULTIPLIERS, (0, 2), strict=True)]
            for c in state
        ]
        state = [_round(text, c, pair, spread) for c, pair in zip(state, products, strict=True)]
        keys = [text.put(f"and i64 {text.put(f'add i64 {key}, {weyl}')}, {LOW}") for key, weyl in zip(keys, WEYL, strict=True)]
    return state


def _round(text: Text, c: list[str], products: list[str], keys: list[str]) -> list[str]:
    first, second = products
    mixed = []
    for product, other, key in ((second, c[1], keys[0]), (first, c[3], keys[1])):
        top = text.put(f"lshr {WORDS_VECTOR} {product}, {_all(32)}")
        one = text.put(f"xor {WORDS_VECTOR} {top}, {other}")
        mixed.append(text.put(f"xor {WORDS_VECTOR} {one}, {key}"))
    lower = [text.put(f"and {WORDS_VECTOR} {product}, {_all(LOW)}") for product in (second, first)]
    return [mixed[0], lower[0], mixed[1], lower[1]]


def _uniform(text: Text, high: str, low: str) -> str:
    """Print the 52-bit number in the middle of its step from two words."""
    upper = text.put(f"shl {WORDS_VECTOR} {text.put(f'lshr {WORDS_VECTOR} {high}, {_all(6)}')}, {_all(26)}")
    bits = text.put(f"add {WORDS_VECTOR} {upper}, {text.put(f'lshr {WORDS_VECTOR} {low}, {_all(6)}')}")
    value = text.put(f"uitofp {WORDS_VECTOR} {bits} to {VECTOR}")
    middle = text.put(f"fadd {VECTOR} {value}, {splat(number(0.5))}")
    return text.put(f"fmul {VECTOR} {middle}, {splat(number(2.0**-52))}")


def _pairs_at(text: Text, table: str, places: str) -> tuple[str, str]:
    """Print the reading of a number and the one behind it for each lane, and return the first and the second of each.

    Places go through memory, where a processor fetches them more quickly than from the parts of a vector.
    """
    pairs = []
    text.do(f"store {WORDS_VECTOR} {places}, ptr %places, align {8 * WIDTH}")
    for lane in range(WIDTH):
        place = text.load("i64", "%places", str(lane), "i64")
        at = text.put(f"getelementptr inbounds double, ptr {table}, i64 {place}")
        pairs.append(text.put(f"load <2 x double>, ptr {at}, align 8"))
    size = 2
    while len(pairs) > 1:
        both = ", ".join(f"i32 {number_}" for number_ in range(2 * size))
        kind = f"<{size} x double>"
        pairs = [
            text.put(f"shufflevector {kind} {one}, {kind} {two}, <{2 * size} x i32> <{both}>")
            for one, two in zip(pairs[::2], pairs[1::2], strict=True)
        ]
        size *= 2
    kind = f"<{size} x double>"
    first, second = (", ".join(f"i32 {2 * lane + part}" for lane in range(WIDTH)) for part in (0, 1))
    return (
        text.put(f"shufflevector {kind} {pairs[0]}, {kind} poison, <{WIDTH} x i32> <{first}>"),
        text.put(f"shufflevector {kind} {pairs[0]}, {kind} poison, <{WIDTH} x i32> <{second}>"),
    )


def _table_at(text: Text, column: str) -> str:
    """Print where the table of a column begins."""
    table = text.put(f"zext i32 {text.load('i32', '%table', column, 'i32')} to i64")
    first = text.put(f"mul i64 {table}, {text.put(f'add i64 %knots, {BEHIND}')}")
    return text.put(f"getelementptr inbounds double, ptr %tables, i64 {first}")


def _columns() -> str:
    """Print `columns`: each column a stream's uniform numbers through a table of quantiles (see `table_of`)."""
    text = Text()
    text.do("entry:")
    text.do(f"%places = alloca {WORDS_VECTOR}, align {8 * WIDTH}")
    column = _loop(text, "column", "entry", "%count")
    row = text.put(f"zext i32 {text.load('i32', '%row', column, 'i32')} to i64")
    start = text.put(f"mul i64 {row}, %stride")
    place = text.put(f"zext i32 {text.load('i32', '%place', column, 'i32')} to i64")
    to = text.put(f"mul i64 {place}, %stride")
    own = _table_at(text, column)
    after = text.put(f"add nuw nsw i64 {column}, 1")
    following = _table_at(text, text.put(f"select i1 {text.put(f'icmp ult i64 {after}, %count')}, i64 {after}, i64 {column}"))
    rises = text.spread(text.load("double", own, text.put("add i64 %knots, 1")))
    scale = text.spread(text.put("uitofp i64 %knots to double"))
    member = _loop(text, "member", "column", "%members", WIDTH)
    # The next column's table comes into the near cache meanwhile, a line at a time; beyond its end it does no harm.
    text.do(f"call void @llvm.prefetch.p0(ptr {text.put(f'getelementptr double, ptr {following}, i64 {member}')}, i32 0, i32 3, i32 1)")
    u = text.load(VECTOR, "%uniforms", text.put(f"add i64 {start}, {member}"))
    scaled = text.put(f"fmul {VECTOR} {u}, {scale}")
    piece = text.put(f"fptosi {VECTOR} {scaled} to {WORDS_VECTOR}")
    inside = text.put(f"fsub {VECTOR} {scaled}, {text.put(f'sitofp {WORDS_VECTOR} {piece} to {VECTOR}')}")
    start_, end = _pairs_at(text, own, piece)
    slope = text.put(f"fmul {VECTOR} {text.put(f'fsub {VECTOR} {end}, {start_}')}, {rises}")
    value = text.put(f"fadd {VECTOR} {start_}, {text.put(f'fmul {VECTOR} {slope}, {inside}')}")
    text.store(value, "%out", text.put(f"add i64 {to}, {member}"))
    _close(text, "member", "member.done")
    _close(text, "column", "column.done")
    text.do("ret void")
    head = (
        "declare void @llvm.prefetch.p0(ptr, i32, i32, i32)\n"
        "define void @columns(ptr noalias readonly %row, ptr noalias readonly %table, ptr noalias readonly %place, i64 %count, "
        f"ptr noalias readonly %tables, i64 %knots, ptr %uniforms, i64 %stride, i64 %members, ptr %out) {ATTRIBUTES} {{"
    )
    return "\n".join([head, *text.lines, "}"])


def _result(text: Text, name: str | tuple[str, str, int], arguments: list[str]) -> str:
    """Print one instruction on registers that were read."""
    if isinstance(name, tuple):
        outer, inner, side = name
        both = [operate(text, inner, arguments[:2]), arguments[2]]
        return operate(text, outer, both if side == 0 else both[::-1])
    if name == "where":
        arguments[0] = text.put(f"fcmp one {VECTOR} {arguments[0]}, zeroinitializer")
    result = operate(text, name, arguments)
    if name not in COMPARISONS:
        return result
    return text.put(f"select {MASK} {result}, {VECTOR} {splat(number(1.0))}, {VECTOR} zeroinitializer")


def _work() -> str:
    """Print `work`: the worker of programs, on the rows of one block of members."""
    text = Text()
    text.do("entry:")
    text.do("%nothing = icmp eq i64 %length, 0")
    text.do("br i1 %nothing, label %line.done, label %start")
    text.do("start:")
    files = [text.put(f"mul nuw nsw i64 %file, {number_}") for number_ in range(LANES // WIDTH)]
    line = _loop(text, "line", "start", "%length")
    first = text.put(f"mul nuw nsw i64 {line}, {WORDS}")
    given = []
    for place in range(WORDS):
        one = text.load("i32", "%code", text.put(f"add nuw nsw i64 {first}, {place}"), "i32")
        given.append(one)
    rows = [text.put(f"mul nuw nsw i64 {text.put(f'zext i32 {one} to i64')}, {WIDTH}") for one in given[1:]]
    source = text.put(f"mul nuw nsw i64 {text.put(f'zext i32 {given[2]} to i64')}, %stride")
    drawn = text.put(f"add nuw nsw i64 {source}, %first")
    cases = " ".join(f"i32 {place}, label %do.{place}" for place in range(len(CODES)))
    text.do(f"switch i32 {given[0]}, label %line.end [ {cases} ]")
    for place, name in enumerate(CODES):
        text.do(f"do.{place}:")
        for group, file in enumerate(files):
            if name == DRAW:
                result = text.load(VECTOR, "%draws", text.put(f"add nuw nsw i64 {drawn}, {group * WIDTH}"))
            else:
                count = 3 if name == "where" or isinstance(name, tuple) else 2
                at = [text.put(f"add nuw nsw i64 {row}, {file}") for row in rows[1 : 1 + count]]
                result = _result(text, name, [text.load(VECTOR, "%registers", one) for one in at])
            text.store(result, "%registers", text.put(f"add nuw nsw i64 {rows[0]}, {file}"))
        text.do("br label %line.end")
    text.do("line.end:")
    text.do("br i1 %line.more, label %line, label %line.done")
    text.do("line.done:")
    text.do("ret void")
    head = (
        "define void @work(ptr noalias readonly %code, i64 %length, ptr noalias readonly %draws, i64 %stride, i64 %first, "
        f"ptr %registers, i64 %file) {ATTRIBUTES} {{"
    )
    return "\n".join([head, *text.lines, "}"])


def _taken(text: Text, start: str, reference: str) -> str:
    """Print a cell's numbers, less those of its base where it has one; 0 where both are the same infinity."""
    block = text.put(f"mul i64 {text.put(f'udiv i64 %member.i, {LANES}')}, %next")
    inside = text.put(f"add i64 {block}, {text.put(f'urem i64 %member.i, {LANES}')}")
    given = text.load(VECTOR, "%values", text.put(f"add i64 {start}, {inside}"))
    other = text.load(VECTOR, "%reference", text.put(f"add i64 {reference}, {inside}"))
    less = text.put(f"fsub {VECTOR} {given}, {other}")
    # Both never: no difference.
    unknown = text.put(f"fcmp uno {VECTOR} {less}, zeroinitializer")
    less = text.put(f"select {MASK} {unknown}, {VECTOR} zeroinitializer, {VECTOR} {less}")
    return text.put(f"select i1 %differs, {VECTOR} {less}, {VECTOR} {given}")


def _increment(text: Text, cells: str, within: str) -> None:
    """Print the counting of each lane that lies within the members."""
    step = text.put(f"zext {MASK} {within} to <{WIDTH} x i32>")
    for lane in range(WIDTH):
        at = text.put(f"getelementptr inbounds i32, ptr %counts, i64 {text.put(f'extractelement {WORDS_VECTOR} {cells}, i64 {lane}')}")
        before = text.put(f"load i32, ptr {at}, align 4")
        after = text.put(f"add i32 {before}, {text.put(f'extractelement <{WIDTH} x i32> {step}, i64 {lane}')}")
        text.do(f"store i32 {after}, ptr {at}, align 4")


def _tally() -> str:
    """Print `tally`: each cell's numbers, less those of its base where it has one, into bins, and their moments lane by lane."""
    text = Text()
    text.lines += ["entry:", "  %counting = icmp ne ptr %counts, null", "  %summing = icmp ne ptr %moments, null"]
    cell = _loop(text, "cell", "entry", "%cells")
    which = text.put(f"zext i32 {text.load('i32', '%which', cell, 'i32')} to i64")
    base = text.put(f"sext i32 {text.load('i32', '%base', cell, 'i32')} to i64")
    text.do(f"%differs = icmp sge i64 {base}, 0")
    start = text.put(f"mul i64 {which}, %stride")
    reference = text.put(f"mul i64 {text.put(f'select i1 %differs, i64 {base}, i64 0')}, %stride")
    low, per_bin = (text.spread(text.load("double", name, cell)) for name in ("%low", "%per_bin"))
    first = _spread(text, text.put(f"mul i64 {cell}, {text.put('add i64 %bins, 2')}"))
    most = text.spread(text.put(f"uitofp i64 {text.put('add i64 %bins, 1')} to double"))
    text.do("br label %member")
    text.do("member:")
    text.do("%member.i = phi i64 [ 0, %cell ], [ %member.next, %member.end ]")
    sums = ("number", "total", "squares")
    for name in sums:
        text.do(f"%{name} = phi {VECTOR} [ zeroinitializer, %cell ], [ %{name}.next, %member.end ]")
    text.do(f"%member.next = add nuw nsw i64 %member.i, {WIDTH}")
    text.do("%member.more = icmp ult i64 %member.next, %members")
    left = _spread(text, text.put("sub i64 %members, %member.i"))
    within = text.put(f"icmp sgt {WORDS_VECTOR} {left}, {_counting(0)}")
    value = _taken(text, start, reference)
    size = text.put(f"call {VECTOR} @llvm.fabs.v{WIDTH}f64({VECTOR} {value})")
    finite = text.put(f"fcmp olt {VECTOR} {size}, {splat(number(float('inf')))}")
    finite = text.put(f"and {MASK} {finite}, {within}")
    held = text.put(f"select {MASK} {finite}, {VECTOR} {value}, {VECTOR} zeroinitializer")
    one = text.put(f"select {MASK} {finite}, {VECTOR} {splat(number(1.0))}, {VECTOR} zeroinitializer")
    square = text.put(f"fmul {VECTOR} {held}, {held}")
    for name, more in zip(sums, (one, held, square), strict=True):
        text.do(f"%{name}.next = fadd {VECTOR} %{name}, {more}")
    text.do("br i1 %counting, label %count, label %member.end")
    text.do("count:")
    place = text.put(f"fmul {VECTOR} {text.put(f'fsub {VECTOR} {value}, {low}')}, {per_bin}")
    place = text.put(f"fadd {VECTOR} {place}, {splat(number(1.0))}")
    place = operate(text, "minimum", (operate(text, "maximum", (place, "zeroinitializer")), most))
    cells = text.put(f"add {WORDS_VECTOR} {text.put(f'fptosi {VECTOR} {place} to {WORDS_VECTOR}')}, {first}")
    _increment(text, cells, within)
    text.do("br label %member.end")
    text.do("member.end:")
    text.do("br i1 %member.more, label %member, label %member.done")
    text.do("member.done:")
    text.do("br i1 %summing, label %sum, label %cell.end")
    text.do("sum:")
    to = text.put(f"mul i64 {cell}, {len(sums) * WIDTH}")
    for place_, name in enumerate(sums):
        text.store(f"%{name}.next", "%moments", text.put(f"add i64 {to}, {place_ * WIDTH}"))
    _close(text, "cell", "cell.done")
    text.do("ret void")
    head = (
        f"declare {VECTOR} @llvm.fabs.v{WIDTH}f64({VECTOR})\n"
        "define void @tally(ptr noalias readonly %values, ptr noalias readonly %reference, i64 %stride, i64 %next, "
        "ptr noalias readonly %which, ptr noalias readonly %base, i64 %cells, i64 %members, ptr noalias readonly %low, "
        f"ptr noalias readonly %per_bin, ptr noalias %counts, i64 %bins, ptr noalias %moments) {ATTRIBUTES} {{"
    )
    return "\n".join([head, *text.lines, "}"])
