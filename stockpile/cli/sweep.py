"""``stockpile sweep``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from stockpile.cli import output
from stockpile.cli.options import Chosen, Flag, Repeatable, separated, whole
from stockpile.errors import InputError, Problem

if TYPE_CHECKING:
    from stockpile.sweep.design_file import Read
    from stockpile.sweep.designs import Design
    from stockpile.sweep.executors import Way
    from stockpile.sweep.opened import Status
    from stockpile.sweep.run import Estimate, Running

SCENARIO = "july_2025"
SEED, MEMBERS = 1, 500
SAMPLER, DESIGN, VALUES = "random", "grid", "drawn"
Folder = Annotated[Path | None, Parameter(name=["--output", "-o"], show_default=False)]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Sweeping(Chosen):
    """What is varied, what is wanted, and who works."""

    vary: Annotated[tuple[str, ...], Repeatable] = ()
    """PATH=FROM:TO:STEP or PATH=a,b,c (numbers, dates with steps such as 1month, text); PATH=LOW:HIGH with lhs, sobol; may be repeated."""
    design: Annotated[str | None, Flag] = None
    """How points are made: grid (all combinations), one_at_a_time, lhs or sobol. grid where left out."""
    points: Annotated[str | None, Flag] = None
    """Number of points of a sampled design."""
    table: Annotated[Path | None, Flag] = None
    """CSV file with a row a point, paths in its header; in place of --vary."""
    from_: Annotated[Path | None, Parameter(name="--from", negative="", show_default=False)] = None
    """TOML file that says what is varied and how it is run; options given beside it come first."""
    members: Annotated[str | None, Flag] = None
    """Draws to a point, a whole number such as 500 or 1e4. 500 where left out."""
    sampler: Annotated[str | None, Flag] = None
    """How draws are spread: random, lhs or sobol."""
    values: Annotated[str | None, Flag] = None
    """Whether what is not varied is drawn, or has its central value: drawn or central."""
    metric: Annotated[tuple[str, ...], Repeatable] = ()
    """Metric that is wanted; may be repeated. All where left out."""
    munition: Annotated[tuple[str, ...], Repeatable] = ()
    """Munition that is wanted; may be repeated. All where left out."""
    executor: Annotated[str | None, Flag] = None
    """Who works: threads, processes or dask. Moves no number."""
    workers: Annotated[str | None, Flag] = None
    """How many of them, all cores where left out."""
    scheduler: Annotated[str | None, Flag] = None
    """Address of a Dask cluster that runs, as tcp://10.0.0.1:8786."""
    engine: Annotated[str | None, Flag] = None
    """numpy or compiled; the faster one where left out. Both give the same numbers."""
    dry_run: Annotated[bool, Flag] = False
    """Print what the sweep takes, from a short pilot, and write nothing."""
    status: Annotated[Path | None, Flag] = None
    """A folder of a sweep: print how far it is, and do nothing else."""

    @property
    def way(self) -> Way:
        """Who works."""
        from stockpile.sweep.executors import Way

        return Way(self.executor, None if self.workers is None else whole(self.workers), self.scheduler)  # type: ignore[arg-type]


SWEEPING = Sweeping()


def sweep(scenario: str | None = None, *, output: Folder = None, options: Sweeping = SWEEPING) -> None:
    """Run a scenario with many values of what is varied, and store all metrics of each point; what was interrupted goes on.

    Parameters
    ----------
    scenario : str, optional
        Name of a scenario, or a TOML file that describes one; july_2025 where left out.
    output : Path, optional
        Folder to write to. One that holds a part of the same sweep is gone on with.
    """
    if options.status is not None:
        _status(options.status, options.json)
        return
    if output is None and not options.dry_run:
        raise InputError.one("", "is missing; allowed: the folder to write to, or --dry-run", file="--output")
    running = _asked(scenario, output, options)
    if options.dry_run:
        _print_estimate(running.estimate(), options)
    else:
        _carry_out(running, options.json)


# ---------------------------------------------------------------- what is asked for


def _asked(scenario: str | None, folder: Path | None, options: Sweeping) -> Running:
    """Return the sweep that is meant, after all faults have been looked for."""
    from stockpile.sweep.asked import asked
    from stockpile.sweep.design_file import read
    from stockpile.sweep.run import Running

    file = read(options.from_) if options.from_ else None
    said = file.said if file else None

    def first(given: Any, key: str, otherwise: Any) -> Any:
        found = getattr(said, key, None)
        return given if given not in (None, []) else otherwise if found is None else found

    seed = first(options.seed, "seed", SEED)
    job = asked(
        options.scenario(first(scenario, "scenario", SCENARIO)),
        partial(_design, options, file, seed),
        options.way,
        policies=first(options.policies, "policies", None),
        members=first(None if options.members is None else whole(options.members), "members", MEMBERS),
        seed=seed,
        sampler=first(options.sampler, "sampler", SAMPLER),
        values=first(options.values, "values", VALUES),
        metrics=first(separated(options.metric, "metric", "--metric"), "metrics", None),
        munitions=first(separated(options.munition, "munition", "--munition"), "munitions", None),
        engine=options.engine,
        placed=file.placed if file and not options.vary and not options.table else None,
    )
    return Running(job, folder, options.way, output.note)


def _design(options: Sweeping, file: Read | None, seed: int) -> Design:
    """Return the design; what is said on the command line takes the place of what a file says is varied."""
    from stockpile.sweep.designs import design, table_file

    if options.table is not None:
        beside = {"--vary": options.vary, "--design": options.design, "--points": options.points}
        wrong = [option for option, given in beside.items() if given]
        if wrong:
            raise InputError(Problem(option, 0, 0, "", "stands beside --table; allowed: one of the two") for option in wrong)
        return table_file(options.table)
    if not options.vary and file:
        return file.design(seed, options.design, _points(options))
    given, problems = {}, []
    for text in options.vary:
        path, equals, values = (part.strip() for part in text.partition("="))
        if not equals or not path:
            problems.append(Problem("--vary", 0, 0, "", f"{text!r} varies nothing; allowed: PATH=FROM:TO:STEP or PATH=a,b,c"))
        elif path in given:
            problems.append(Problem("--vary", 0, 0, path, "is varied twice; allowed: each path once"))
        given[path] = values
    if problems:
        raise InputError(problems)
    return design(given, options.design or (file.said.design if file else DESIGN), _points(options), seed)


def _points(options: Sweeping) -> Any:
    return None if options.points is None else whole(options.points)


# ---------------------------------------------------------------- running


def _carry_out(running: Running, as_json: bool) -> None:
    from stockpile.cli.progress import progress

    runs, before, done = running.runs_of_a_point, -1, 0
    with progress("Sweeping", running.runs, "runs") as bar:

        def told(points: int) -> None:
            nonlocal before, done
            before, done = points if before < 0 else before, points
            bar(points * runs, before * runs)

        try:
            made = running.run(told)
        except KeyboardInterrupt:
            points = len(running.job.design)
            output.note(f"{done:,} of {points:,} points are done and kept in {running.where}; the same command goes on from there")
            raise
    _print_status(running.where, running.done(), made.manifest, as_json)


def _status(folder: Path, as_json: bool) -> None:
    from stockpile.sweep.opened import open_sweep

    found = open_sweep(folder)
    _print_status(str(folder), found.status(), found.manifest, as_json)


def _print_status(folder: str, status: Status, manifest: dict[str, Any], as_json: bool) -> None:
    if as_json:
        output.emit_json({"folder": folder, "manifest": manifest, "status": asdict(status) | {"complete": status.complete}})
        return
    what = manifest["what"]
    points, parts = f"{status.points_done:,} of {status.points:,} points", f"{status.shards_done:,} of {status.shards:,} shards"
    lines = [
        f"{folder}: {points} done, {parts}, {_size(status.size)}",
        f"scenario {manifest['scenario']}, {what['kind']} over {', '.join(what['vary'])}",
        f"policies {', '.join(manifest['policies'])}; {manifest['members']:,} members, seed {manifest['seed']}",
        *(f"damaged, to be done again: {name}" for name in status.damaged),
        *(f"not of this sweep: {name}" for name in status.foreign),
    ]
    lines.append("complete" if status.complete else "the command that made it goes on from here")
    output.emit("\n".join(lines))


def _print_estimate(found: Estimate, options: Sweeping) -> None:
    if options.json:
        output.emit_json(asdict(found))
        return
    lines = [
        f"points   {found.points:,}" + (f", of which {found.points_done:,} are done" if found.points_done else ""),
        f"runs     {found.runs:,} (points x members x policies x munitions)",
        f"shards   {found.shards:,}",
        f"rows     {found.rows:,}",
    ]
    if found.seconds is not None and found.rate is not None and found.size is not None:
        lines += [
            f"time     about {_time(found.seconds)} left on this machine, at {found.rate:,.0f} runs a second",
            f"disk     about {_size(found.size)}",
        ]
    output.emit("\n".join([*lines, "Nothing was written."]))


def _size(size: int) -> str:
    """Return a number of bytes as printed."""
    unit, power = next(((unit, power) for unit, power in (("GB", 9), ("MB", 6), ("kB", 3)) if size >= 10**power), ("bytes", 0))
    return f"{size / 10**power:,.{1 if power else 0}f} {unit}"


def _time(seconds: float) -> str:
    """Return a time as printed."""
    if seconds < 60:
        return "1 second" if seconds < 1.5 else f"{seconds:.0f} seconds"
    return f"{seconds / 60:,.0f} minutes" if seconds < 5400 else f"{seconds / 3600:,.1f} hours"
