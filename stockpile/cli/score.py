"""``stockpile score``: a scenario's ensemble beside everything that was reported, misses first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from stockpile.cli import asking
from stockpile.cli import output as out
from stockpile.cli.asking import Answer, Working, check, deliver
from stockpile.cli.options import Flag, Output, Repeatable  # noqa: F401 - types of inherited options are read here
from stockpile.errors import InputError

if TYPE_CHECKING:
    from stockpile.scenario import Scenario

SCENARIO = "july_2025"
Campaigns = Literal["both", "unknown", "given"]
BRACKETS = (
    "Intervals, median, error, CRPS and PIT are of what would be reported: the model's draws with the error of reading added. In brackets: "
    "95 % interval of a share, as if the figures were independent."
)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Scoring(Working):
    """How it is worked out, and what is printed."""

    ledger: Annotated[bool, Flag] = False
    """Print every observation with its scope, date of publication and what it is compared with, and score nothing."""


SCORING = Scoring()


def score(
    scenario: str = SCENARIO,
    *,
    campaigns: Campaigns = "both",
    policy: Annotated[str | None, Flag] = None,
    members: str = "4000",
    output: Output = None,
    options: Scoring = SCORING,
) -> None:
    """Hold a scenario's ensemble against everything that was reported: hits and misses, misses first, in and out of sample apart.

    Parameters
    ----------
    scenario : str
        Name of a scenario, or a TOML file that describes one.
    campaigns : str
        unknown: a forecast, with operations at random and only the events known at its date. given: events that became known later are
        put in, to see whether the bookkeeping holds. both: one beside the other.
    policy : str, optional
        The policy that is run; what happened in July 2025 where left out.
    members : str
        Draws.
    output : Path, optional
        File to write: .json for everything, .csv or .parquet for the observations.
    """
    from stockpile.analysis.score_sentences import of_score
    from stockpile.cli.score_tables import tables
    from stockpile.evidence.score import score as work_out

    if output:
        out.ending(output, asking.FILES)
    found, work = options.scenario(scenario), options.work(members)
    if options.ledger:
        _ledger(found, output, as_json=options.json)
        return
    check("score", found, work, None if policy is None else [policy], lambda: _enough(work["members"]))
    made = work_out(found, campaigns, policy, **work)
    said = of_score(made, found)
    facts = {"summary": out.records(made.summary)}
    frames = {
        name: getattr(made, name)
        for name in ("observations", "coverage", "pit", "kinds", "balance", "denominators", "left_out")
    }
    deliver(Answer(found, made.manifest, said, facts, frames, partial(tables, made), BRACKETS), output, as_json=options.json)


def _enough(members: Any) -> None:
    if members == 1:
        raise InputError.one("members", "1; allowed: 2 or more, as draws are compared with one another", file="score")


def _ledger(scenario: Scenario, path: Path | None, *, as_json: bool) -> None:
    """Print the ledger, and write it."""
    from stockpile.cli.score_tables import observations
    from stockpile.evidence.ledger import ledger
    from stockpile.simulate import manifest

    found = ledger(scenario)
    frame = found.table()
    said = [f"{len(found.entries)} observations, {sum(1 for one in found.entries if one.measure is None)} of them compared with nothing."]
    made = manifest(scenario, []) | {"ledger": found.digest, "members": 0, "seed": 0}
    answer = Answer(scenario, made, said, {"ledger": found.digest}, {"observations": frame}, partial(observations, frame, found.digest))
    deliver(answer, path, as_json=as_json)
