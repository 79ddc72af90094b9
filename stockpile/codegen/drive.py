"""Prints the drivers of compiled runs: for block after block of members the program, then every policy on what it leaves."""

from __future__ import annotations

from stockpile.codegen.kernel import EXACT, LANES
from stockpile.codegen.llvm import ATTRIBUTES, Text

PLAN = (
    "code", "length", "draws", "stride", "first", "registers", "file", "next_file", "blocks", "policies", "cases", "steps",
    "levels", "count", "dates", "dated", "work", "wanted", "edges", "next_kept",
)
"""What a driver takes: addresses and whole numbers, in order. `next_file` is how far the registers of the next block lie from those of
the one before [byte]; 0 where they are used again. `next_kept` is how far the rows kept of the next block lie from those of the
one before [number]; rows of a block lie side by side, `LANES` numbers each."""
CASE = ("index", "constants", "table", "policy", "result", "kept")
"""Addresses for each policy. Without rows to keep, `wanted` is 0."""
ADDRESSES = (
    "code", "draws", "registers", "cases", "levels", "dates", "work", "wanted", "index", "constants", "table", "policy", "result", "kept",
)


def module() -> str:
    """Return the text of the functions `drive`, for any length of steps, and its like for exact steps."""
    return "\n".join(_drive(ending) for ending in ("", EXACT))


def _field(text: Text, base: str, place: int, name: str, prefix: str = "") -> None:
    at = text.put(f"getelementptr inbounds i64, ptr {base}, i64 {place}")
    raw = text.put(f"load i64, ptr {at}, align 8")
    text.do(f"%{prefix}{name} = " + (f"inttoptr i64 {raw} to ptr" if name in ADDRESSES else f"add i64 {raw}, 0"))


def _drive(ending: str) -> str:
    text = Text()
    text.do("entry:")
    for place, name in enumerate(PLAN):
        _field(text, "%plan", place, name)
    text.do("%keeping = icmp ne ptr %wanted, null")
    text.do("br label %block")
    text.do("block:")
    text.do("%b = phi i64 [ 0, %entry ], [ %b.next, %block.end ]")
    text.do("%here = phi ptr [ %registers, %entry ], [ %there, %block.end ]")
    lanes = text.put(f"mul i64 %b, {LANES}")
    member = text.put(f"add i64 %first, {lanes}")
    text.do(f"call void @work(ptr %code, i64 %length, ptr %draws, i64 %stride, i64 {member}, ptr %here, i64 %file)")
    text.do("br label %policy.one")
    text.do("policy.one:")
    text.do("%p = phi i64 [ 0, %block ], [ %p.next, %policy.end ]")
    case = text.put(f"getelementptr inbounds i64, ptr %cases, i64 {text.put(f'mul i64 %p, {len(CASE)}')}")
    for place, name in enumerate(CASE):
        _field(text, case, place, name)
    result = text.put(f"getelementptr inbounds double, ptr %result, i64 {member}")
    kept = text.put(f"getelementptr inbounds double, ptr %kept, i64 {text.put('mul i64 %b, %next_kept')}")
    given = (
        "ptr %here, i64 %file, ptr %index, ptr %constants, ptr %table, ptr %policy, i64 %steps, ptr %levels, i64 %count, "
        f"ptr %dates, i64 %dated, ptr %work, ptr {result}, i64 %stride"
    )
    text.do("br i1 %keeping, label %record, label %summarise")
    text.do("record:")
    text.do(f"call void @record{ending}({given}, ptr %wanted, ptr {kept}, i64 %edges)")
    text.do("br label %policy.end")
    text.do("summarise:")
    text.do(f"call void @summarise{ending}({given})")
    text.do("br label %policy.end")
    text.do("policy.end:")
    text.do("%p.next = add nuw nsw i64 %p, 1")
    text.do("%p.more = icmp ult i64 %p.next, %policies")
    text.do("br i1 %p.more, label %policy.one, label %block.end")
    text.do("block.end:")
    text.do("%there = getelementptr inbounds i8, ptr %here, i64 %next_file")
    text.do("%b.next = add nuw nsw i64 %b, 1")
    text.do("%b.more = icmp ult i64 %b.next, %blocks")
    text.do("br i1 %b.more, label %block, label %out")
    text.do("out:")
    text.do("ret void")
    return "\n".join([f"define void @drive{ending}(ptr noalias readonly %plan) {ATTRIBUTES} {{", *text.lines, "}"])
