"""The step as JavaScript, printed from the traced equations: a module of plain functions over typed arrays, without dependencies.

Operations and their order are those of NumPy, and JavaScript's numbers are its float64, so results are equal bit for bit (but for the
sign of a nought).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from stockpile.codegen.graph import COMPARISONS, CONSTANT, INPUT, Graph, needed
from stockpile.codegen.trace import Traced, is_uniform, trace

SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
COMPARED = {"less": "<", "greater": ">", "greater_equal": ">=", "less_equal": "<=", "equal": "==="}
HEADER = """// Printed from the equations of stockpile; do not edit. Stocks in rounds, rates in rounds a month, a step of dt months.
// run(steps, lanes, dt, series, constants, state, rows): moves `state` from the start to the end of a run and fills `rows`.
//   series, constants: by name, Float64Array of steps x lanes (constants: lanes), or of steps (constants: 1) where all have the same.
//   state: by name, Float64Array of lanes, the opening stocks. rows: by name, Float64Array of steps x lanes, for those wanted;
//   stocks are at the start of a step, flows in rounds over it."""


def module(recipients: int, rows: Sequence[str] | None = None, fixed: Mapping[str, float] | None = None) -> str:
    """Return the module for a number of recipients.

    Parameters
    ----------
    recipients : int
    rows : sequence of str, optional
        What it can fill in, keys as of `stockpile.codegen.trace.Traced.rows`; everything where left out.
    fixed : mapping, optional
        Inputs, as ``constant.pro_rata``, that are worked into the text.

    Raises
    ------
    ValueError
        For a row that there is not.
    """
    traced = trace(recipients, fixed)
    chosen = list(traced.rows) if rows is None else list(rows)
    wrong = [name for name in chosen if name not in traced.rows]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is no row; allowed: {', '.join(traced.rows)}")
    return "\n".join((HEADER, *_names(traced, chosen), *_run(traced, chosen), ""))


def _inputs(traced: Traced, wanted: Iterable[int]) -> list[str]:
    nodes = traced.graph.nodes
    return [str(nodes[n].value) for n in needed(traced.graph, wanted) if nodes[n].operation == INPUT]


def _names(traced: Traced, rows: Sequence[str]) -> list[str]:
    """Return the lists of names that a caller goes by."""
    inputs = _inputs(traced, [*traced.after.values(), *(traced.rows[name] for name in rows)])
    lists = {
        "SERIES": [name for name in inputs if name.startswith("series.")],
        "CONSTANTS": [name for name in inputs if name.startswith("constant.")],
        "STATE": list(traced.after),
        "ROWS": list(rows),
    }
    return [f"export const {name} = [{', '.join(f'{one!r}' for one in names)}];" for name, names in lists.items()]


def _run(traced: Traced, rows: Sequence[str]) -> list[str]:
    wanted = [*traced.after.values(), *(traced.rows[name] for name in rows)]
    inputs = _locals(traced, wanted)
    heads, loads = [], []
    for name, local in inputs.items():
        kind = name.split(".")[0]
        if kind == "state":
            heads.append(f"const a{local} = state[{name!r}];")
            loads.append(f"const {local} = a{local}[i];")
        elif kind != "run":
            many, one = ("series", "steps") if kind == "series" else ("constants", "1")
            wide, narrow = ("t * lanes + i", "t") if kind == "series" else ("i", "0")
            heads.append(f"const a{local} = {many}[{name!r}], w{local} = a{local}.length > {one} ? 1 : 0;")
            loads.append(f"const {local} = a{local}[w{local} ? {wide} : {narrow}];")
    heads += [f"const r{number} = rows[{name!r}];" for number, name in enumerate(rows)]
    text = _texts(traced.graph, wanted, inputs)
    body = [*loads, *_body(traced.graph, wanted, inputs)]
    body += [f"if (r{number} !== undefined) r{number}[t * lanes + i] = {text[traced.rows[name]]};" for number, name in enumerate(rows)]
    body += [f"a{inputs[name]}[i] = {text[number]};" for name, number in traced.after.items()]
    return [
        "export function run(steps, lanes, dt, series, constants, state, rows) {",
        *(f"  {line}" for line in heads),
        "  for (let t = 0; t < steps; t++) {",
        "    for (let i = 0; i < lanes; i++) {",
        *(f"      {line}" for line in body),
        "    }",
        "  }",
        "}",
    ]


def _locals(traced: Traced, wanted: Iterable[int]) -> dict[str, str]:
    """Return how each input is called in the text."""
    return {name: f"v{number}" for number, name in enumerate(dict.fromkeys([*_inputs(traced, wanted), *traced.after]))}


def on_registers(recipients: int, rows: Mapping[str, Sequence[str]], fixed: Mapping[str, float]) -> str:
    """Return the step for a page that holds everything known in advance in one file of registers, a row of lanes each.

    ``(first, last, lanes, dt, registers, places, table, state, rows)``: steps `first` to before `last`. `places` has for each input
    that differs by member where its row begins: an Int32Array of one place a step for series, a number for constants. `table`
    has a Float64Array of one value a step for series that are the same for all members, a number for such constants. `rows` has for
    each name a Float64Array of steps x lanes, which is given the sum of what `rows` here says.
    """
    traced = trace(recipients, fixed)
    wanted = [*traced.after.values(), *(traced.rows[name] for names in rows.values() for name in names)]
    inputs = _locals(traced, wanted)
    heads, each_step, loads = [], [], []
    for name, local in inputs.items():
        kind = name.split(".")[0]
        if kind == "state":
            heads.append(f"a{local}=state[{name!r}]")
            loads.append(f"{local}=a{local}[i]")
        elif kind == "run":
            continue
        elif is_uniform(name):
            heads.append(f"a{local}=table[{name!r}]")
            each_step.append(f"{local}=a{local}{'[t]' if kind == 'series' else ''}")
        else:
            heads.append(f"a{local}=places[{name!r}]")
            if kind == "series":
                each_step.append(f"o{local}=a{local}[t]")
            loads.append(f"{local}=R[{'o' if kind == 'series' else 'a'}{local}+i]")
    heads += [f"r{number}=rows[{name!r}]" for number, name in enumerate(rows)]
    text = _texts(traced.graph, wanted, inputs)
    body = [line.removeprefix("const ").removesuffix(";").replace(" ", "") for line in _body(traced.graph, wanted, inputs)]
    stores = [f"r{number}[j]={'+'.join(text[traced.rows[name]] for name in names)};" for number, names in enumerate(rows.values())]
    stores += [f"a{inputs[name]}[i]={text[number]};" for name, number in traced.after.items()]
    return "\n".join(
        (
            "(first,last,lanes,dt,R,places,table,state,rows)=>{",
            f"const {','.join(heads)};",
            # A function of its own: browsers make slow code of loops this long inside of loops.
            f"const go=t=>{{const {','.join([*each_step, 'k=t*lanes'])};",
            f"for(let i=0;i<lanes;i++){{const {','.join([*loads, *body, 'j=k+i'])};",
            *stores, "}};for(let t=first;t<last;t++)go(t)}",
        )
    )


def _texts(graph: Graph, wanted: Iterable[int], inputs: dict[str, str]) -> dict[int, str]:
    """Return how each node is called."""
    found = {}
    for number in needed(graph, wanted):
        node = graph.nodes[number]
        if node.operation == CONSTANT:
            value = float(node.value)  # type: ignore[arg-type]
            found[number] = f"({value!r})" if value < 0.0 else repr(value).replace("inf", "Infinity")
        elif node.operation == INPUT:
            found[number] = "dt" if node.value == "run.dt" else inputs[str(node.value)]
        else:
            found[number] = f"n{number}"
    return found


def _body(graph: Graph, wanted: Iterable[int], inputs: dict[str, str]) -> list[str]:
    wanted = list(wanted)
    text = _texts(graph, wanted, inputs)
    lines = []
    for number in needed(graph, wanted):
        node = graph.nodes[number]
        if node.operation not in (CONSTANT, INPUT):
            lines.append(f"const n{number} = {_operation(node.operation, [text[argument] for argument in node.arguments])};")
    return lines


def _operation(operation: str, parts: Sequence[str]) -> str:
    if operation in SIGNS:
        return f"{parts[0]} {SIGNS[operation]} {parts[1]}"
    if operation in COMPARISONS:
        return f"{parts[0]} {COMPARED[operation]} {parts[1]}"
    if operation == "where":
        return f"{parts[0]} ? {parts[1]} : {parts[2]}"
    return f"{parts[0]} {'<' if operation == 'minimum' else '>'} {parts[1]} ? {parts[0]} : {parts[1]}"


def operations(codes: Sequence[str | tuple[str, str, int]], used: Collection[int]) -> str:
    """Return those operations of `stockpile.codegen.program` that are used, by their numbers.

    OPERATIONS are functions on rows of registers, ``(registers, into, a, b, c, lanes)`` with places of rows. A comparison gives 1 or 0.
    The first, which draws, is left to the page. PAIRS say for those of two operations the numbers of the outer and the inner one,
    and which argument of the outer one that is: a browser makes quick code the sooner the fewer functions there are.
    """
    numbers = {code: number for number, code in enumerate(codes)}
    taken = {number: codes[number] for number in sorted(set(used))}
    pairs = {number: (numbers[code[0]], numbers[code[1]], code[2]) for number, code in taken.items() if isinstance(code, tuple)}
    single = sorted({0, *used, *(number for pair in pairs.values() for number in pair[:2])} - {0, *pairs})
    functions = [f"{number}:(R,d,a,b,c,n)=>{{for(let i=0;i<n;i++){{{_on_rows(str(codes[number]))}}}}}," for number in single]
    said = [f"{number}:[{outer},{inner},{side}]," for number, (outer, inner, side) in pairs.items()]
    return "\n".join(("const OPERATIONS = {", *functions, "};", "const PAIRS = {", *said, "};"))


def _on_rows(code: str) -> str:
    if code == "where":
        return _tight("R[d + i] = R[a + i] !== 0 ? R[b + i] : R[c + i]")
    text = _operation(code, ("p", "q"))
    return _tight(f"const p = R[a + i], q = R[b + i]; R[d + i] = {f'{text} ? 1 : 0' if code in COMPARISONS else text}")


def _tight(text: str) -> str:
    """Return a text of JavaScript without the spaces that it can do without."""
    return text.replace(" ", "").replace("const", "const ")
