"""The report of the benchmark as text."""

from __future__ import annotations

from typing import Any

from benchmarks.quiet import MOST_FOREIGN

Row = dict[str, Any]


def text(report: Row) -> str:
    """Return the report; what was not measured is left out."""
    lines = [f"{name}: {value}" for name, value in (*report["machine"].items(), *report["case"].items())]
    lines += ["", "Largest difference from NumPy (same rounding and kernel: absolute, 0 wanted; others: as a share, at most 1e-9)"]
    lines += [f"  {name:58} {value:10.3g}" for name, value in report["largest difference from NumPy"].items()]
    if not report["agree"]:
        return "\n".join((*lines, "", "NOT ALL AGREE: nothing was measured."))
    for name, section in SECTIONS.items():
        if name in report:
            lines += ["", *section(report)]
    return "\n".join((*lines, "", "All agree."))


def _speeds(report: Row) -> list[str]:
    lines = [f"  {'munition-runs a second':58} {'median':>12} {'least':>12} {'most':>12}   noisy rounds"]
    for name, one in report["speeds"].items():
        noisy = [str(number + 1) for number, others in enumerate(one["others' cores"]) if others > MOST_FOREIGN]
        lines.append(f"  {name:58} {one['median']:12,.0f} {one['least']:12,.0f} {one['most']:12,.0f}   {' '.join(noisy) or '-'}")
    lines += [f"  {name:58} {reason}" for name, reason in report["missing"].items()]
    lines += ["", f"  {'ratio, inside a round':90} {'median':>9} {'least':>9} {'most':>9}   goal"]
    for one in report["ratios"]:
        goal = "" if one["goal"] is None else f"{one['goal']:g} {'met' if one['median'] >= one['goal'] else 'MISSED'}"
        lines.append(f"  {one['of'] + '  /  ' + one['to']:90} {one['median']:9,.2f} {one['least']:9,.2f} {one['most']:9,.2f}   {goal}")
    return lines


def _side_by_side(report: Row) -> list[str]:
    found = report["ratios, time of the processor"].items()
    return ["  the same, call by call in turn, time of the processor", *(f"  {name:90} {_range(one, '.3f')}" for name, one in found)]


def _instructions(report: Row) -> list[str]:
    lines = ["Instructions for a step of one vector of lanes: executed (in the loop's code, all ways through it); cycles at the best speed"]
    for name, one in report["instructions"].items():
        there, ran = one["there"] or {}, one["executed"] or {}
        counted = ", ".join(f"{kind} {ran.get(kind, float('nan')):.0f} ({count})" for kind, count in there.items())
        after = one["after the steps, a step"]
        more = "" if after is None else f"; for the stock's summaries, afterwards {after:.0f}"
        lines.append(f"  {name}: {one['cycles a munition-step of a vector']:.0f} cycles; {counted or 'no objdump'}{more}")
    return lines


def _parts(report: Row) -> list[str]:
    lines = []
    for one in report["parts of a block"]:
        drawn = f"{one['columns']} numbers drawn a member"
        lines.append(f"A block of {one['members']:,} members, {_policies(one)}, 1 thread: {drawn} [ms of one core]")
        lines += [f"  {name:58} {_range(value, '.2f')}" for name, value in one["ms"].items()]
        lines += [f"  {'share of block with bands and metrics: ' + name:58} {_range(value, '.3f')}" for name, value in one["share"].items()]
        ratio = one["draws made inside / draws given"]
        lines.append(f"  {'draws made inside / draws given':58} {_range(ratio, '.3f')}   at most 1.1 {_met(ratio['median'] <= 1.1)}")
        speeds = [name for name in one if name.startswith("munition-runs")]
        lines += [f"  {name:58} {_range(one[name], ',.0f')}" for name in speeds]
    return lines


def _rows(report: Row) -> list[str]:
    lines = ["All rows of all members kept"]
    for one in report["keeping rows"]:
        threads = one["threads"]
        many = f"{threads} thread{'s' * (threads > 1)}"
        lines.append(f"  {many}: {one['rows']} rows, {one['bytes a munition-run']:,} bytes a munition-run")
        for name, form in (("munition-runs a second, rows kept", ",.0f"), ("time, rows kept / summaries only", ".2f"), ("GB/s", ".2f")):
            lines.append(f"    {name:56} {_range(one[name], form)}")
        for way in ("through the caches", "past the caches"):
            probe = report.get("limits", {}).get(f"writing {way}, {many}, GB/s")
            if probe:
                lines.append(f"    {'share of what can be written ' + way:56} {one['GB/s']['median'] / probe:9.2f}")
    return lines


def _cold(report: Row) -> list[str]:
    lines = [f"  {'stockpile ensemble, fresh process [s]':40} {'before it computes':>30}   {'in all':>30}"]
    for kind, one in report["cold start"].items():
        lines.append(f"  {kind}")
        for part, whole in one["parts"].items():
            lines.append(f"    {part:38} {_range(one['before computing'][part], '.3f')}   {_range(whole, '.3f')}")
        starts = one["computing starts"]
        goal = f"   at most 1 {_met(starts['median'] <= 1.0)}" if kind == "later" else ""
        lines.append(f"    {'starts to compute; ends':38} {_range(starts, '.3f')}   {_range(one['in all'], '.3f')}{goal}")
        lines.append(f"    {'without stamps':38} {'':30}   {_range(one['in all, without stamps'], '.3f')}")
    found = report["machine code stored"]
    counts = ", ".join(map(str, found["files after each"]))
    lines.append(f"  files of machine code after all policies of {', '.join(found['scenarios'])}: {counts} ({found['kB']:.0f} kB)")
    return lines


def _members(report: Row) -> list[str]:
    columns = f"{'seconds':>30}   {'munition-runs a second':>30} {'a core':>9} {'cores':>6} {'of kernel':>9} {'peak MB':>8}  others' cores"
    lines = [f"  {'members, with bands and probabilities':40} {columns}"]
    kernel = report.get("speeds", {}).get("kernel, 2 threads", {}).get("median")
    for one in (*report["by members"], *([report["streamed"]] if "streamed" in report else [])):
        speed = one["munition-runs a second"]
        share = f"{speed['median'] / kernel:9.2f}" if kernel else f"{'':9}"
        others = " ".join(f"{value:.2f}" for value in one["others' cores"])
        core = f"{one['munition-runs a second of one core']['median']:9,.0f}"
        lines.append(
            f"  {one['members']:>12,}, {_policies(one):25} {_range(one['seconds'], '.2f')}   {_range(speed, ',.0f')} "
            f"{core} {one['cores']['median']:6.2f} {share} {one['peak MB']:8.0f}  {others}"
        )
    return lines


def _limits(report: Row) -> list[str]:
    return ["Limits of the machine (best of some probes)", *(f"  {name:58} {value:10.2f}" for name, value in report["limits"].items())]


def _policies(one: Row) -> str:
    return f"{one['policies']} polic{'ies' if one['policies'] > 1 else 'y'}"


def _range(one: Row, form: str) -> str:
    """Return median, least and most."""
    return f"{one['median']:>9{form}} ({one['least']:{form}} to {one['most']:{form}})".ljust(30)


def _met(yes: bool) -> str:
    return "met" if yes else "MISSED"


KINDS = {"engine": "engine, called directly", "lanes": "points in memory", "sweep": "sweep on disk"}
RATE = "rate of the sweep / rate of the engine"


def _sweeps(report: Row) -> list[str]:
    lines = ["Sweeps of 4 munitions, 1 policy, 2 threads; beside them the engine called directly for as many members, with their metrics"]
    for one in report["sweeps"]:
        lines.append(f"  {one['points']:,} points of {one['members']:,} members: {one['runs']:,} runs")
        for kind, named in KINDS.items():
            cores, most = _range(one["cpu seconds"][kind], ".2f"), one["peak MB"][kind]
            lines.append(f"    {named:28} {_range(one['seconds'][kind], '.2f')} s; of one core {cores} s; peak {most:,.0f} MB")
        own = one[f"{RATE}, time of the processor"]
        goal = f"   at least 0.8 {_met(own['median'] >= 0.8)}" if one["runs"] >= 1_000_000 else ""
        lines.append(f"    {RATE}: {_range(one[RATE], '.2f')}; by the processor's time {_range(own, '.2f')}{goal}")
        lines.append(f"    overhead a point: {_range(one['overhead a point, ms of one core'], '.2f')} ms of one core")
    return lines


SECTIONS = {
    "sweeps": _sweeps,
    "speeds": _speeds,
    "ratios, time of the processor": _side_by_side,
    "instructions": _instructions, "parts of a block": _parts, "keeping rows": _rows,
    "cold start": _cold, "by members": _members, "limits": _limits,
}
