"""``stockpile answer``: a question, one sentence with its range, how sure it is, what it rests on, and what cannot be confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: F401 - as below
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from stockpile.cli import output as out
from stockpile.cli.asking import SEED
from stockpile.cli.options import Flag, Output, Repeatable, Resolved, whole  # noqa: F401 - types of inherited options are read here
from stockpile.errors import InputError

if TYPE_CHECKING:
    from stockpile.analysis.answers import Answer
    from stockpile.scenario import Scenario

FILES = (".md", ".txt", ".json")
RULE = "-" * 72


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Questioned(Resolved):
    """What a question is asked of."""

    munition: Annotated[str | None, Flag] = None
    """A munition by name; the scenario's first where left out."""
    policy: Annotated[str | None, Flag] = None
    """A policy by name; the pause as it happened where left out."""
    by: Annotated[str | None, Flag] = None
    """A date, as 2027-01 or 2027-01-01; the start of the second year after the scenario's date where left out."""
    path: Annotated[str | None, Flag] = None
    """For where_does_a_number_come_from: path of a parameter; the US stock of the munition where left out."""
    threads: Annotated[str | None, Flag] = None
    """How many threads to use, all cores where left out. Moves no number."""
    engine: Annotated[str | None, Flag] = None
    """numpy or compiled; the faster one where left out. Both give the same numbers."""

    def asked(self, members: str) -> dict[str, Any]:
        """Return what the library takes."""
        return {
            "munition": self.munition, "policy": self.policy, "by": self.by, "path": self.path, "members": whole(members),
            "seed": SEED if self.seed is None else self.seed, "engine": self.engine,
            "threads": None if self.threads is None else whole(self.threads),
        }


QUESTIONED = Questioned()


def answer(
    question: Annotated[str | None, Parameter(show_default=False)] = None,
    scenario: str = "july_2025",
    *,
    all: Annotated[bool, Flag] = False,
    members: str = "1000",
    output: Output = None,
    options: Questioned = QUESTIONED,
) -> None:
    """Answer a question in one sentence, with its range, how sure it is, what it rests on, and what cannot be confirmed.

    Without a question the ones there are are listed.

    Parameters
    ----------
    question : str, optional
        Name of a question.
    scenario : str
        Name of a scenario, or a TOML file that describes one.
    all : bool
        Answer all questions; the first argument is then the scenario.
    members : str
        Draws.
    output : Path, optional
        File to write: .md, .txt or .json.
    """
    from stockpile.analysis.answers import questions

    if output:
        out.ending(output, FILES)
    known = questions()
    if question is None and not all:
        _listed(known, as_json=options.json)
        return
    names = list(known) if all else [str(question)]
    found = options.scenario((question or scenario) if all else scenario)
    answers = _answers(names, found, options.asked(members))
    if output:
        out.save(output, written(answers, output.suffix))
    if options.json:
        out.emit_json(_data(answers))
    else:
        out.emit(f"\n{RULE}\n\n".join(one.text() for one in answers))


def _listed(known: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        out.emit_json([{"name": name, "question": one.title, "help": one.help} for name, one in known.items()])
        return
    rows = [[name, one.help] for name, one in known.items()]
    out.emit_table("Questions: stockpile answer QUESTION [SCENARIO]", ["question", "what is answered"], rows)


def _answers(names: list[str], scenario: Scenario, asked: dict[str, Any]) -> list[Answer]:
    """Return the answers; a question that cannot be asked of the policy is left out where all are asked, and said on standard error."""
    from stockpile.analysis.answers import answer as work_out

    found = []
    for name in names:
        try:
            found.append(work_out(name, scenario, **asked))
        except InputError as error:
            if len(names) == 1 or not found:
                raise
            out.note(f"{name}: {error}")
    return found


def written(answers: list[Answer], suffix: str) -> str:
    """Return answers as they stand in a file with that ending."""
    if suffix == ".json":
        return out.to_json(_data(answers), indent=None) + "\n"
    if suffix == ".md":
        return "\n---\n\n".join(one.markdown() for one in answers)
    return f"\n{RULE}\n\n".join(one.text() for one in answers)


def _data(answers: list[Answer]) -> Any:
    return answers[0].data() if len(answers) == 1 else [one.data() for one in answers]
