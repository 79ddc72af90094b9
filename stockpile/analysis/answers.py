"""Answer sheets: a question, one sentence with its range, how sure it is, what it rests on, and what cannot be confirmed."""

from __future__ import annotations

import datetime as dt
import inspect
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from stockpile.analysis.confidence import Confidence
from stockpile.analysis.grounds import Cited, Draws, cannot_confirm, check_by, cited, own_dates
from stockpile.analysis.wording import Names, capital, day
from stockpile.ensembles.asked import Asked as Checked
from stockpile.errors import InputError, Problem, nearest
from stockpile.evidence.predict import AS_IT_HAPPENED
from stockpile.metrics import BASELINE
from stockpile.scenario import Scenario, load
from stockpile.simulate import manifest

if TYPE_CHECKING:
    import pandas as pd

QUESTIONS_IN = ("stockpile.analysis.stock_answers", "stockpile.analysis.source_answers")
"""Modules whose questions are asked, in this order."""
AHEAD = 2
"""Years after the date of the scenario at whose start a chance or a stock is looked at where no date is given."""
FEWEST = 40
"""Fewest draws from which a range and what matters can be told."""
Row = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """What a question's function says; the rest of the sheet follows from it.

    Attributes
    ----------
    short : str
        The answer, in one sentence with its range.
    confidence : Confidence
    rests_on : sequence of Cited
        The values that it rests on most.
    more : sequence of str
        Further sentences.
    states : sequence of str
        States of the observations that it is about, for what cannot be confirmed.
    cannot : sequence of str
        What else cannot be confirmed.
    numbers : dict
        The numbers of the sentences, as plain values.
    """

    short: str
    confidence: Confidence
    rests_on: Sequence[Cited] = ()
    more: Sequence[str] = ()
    states: Sequence[str] = ()
    cannot: Sequence[str] = ()
    numbers: Row = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """What a question is asked of.

    Attributes
    ----------
    scenario : Scenario
    munition : str
    policy : str
    is_usual : bool
        Whether the policy is the one taken where none is named.
    by : date
    path : str or None
    members, seed : int
    engine, threads
        As of `ensemble`.
    """

    scenario: Scenario
    munition: str
    policy: str
    is_usual: bool
    by: dt.date
    path: str | None
    members: int
    seed: int
    engine: str | None = None
    threads: int | None = None

    @property
    def names(self) -> Names:
        """What things are called."""
        return Names(self.scenario, str(self.scenario.as_of))

    @property
    def what(self) -> str:
        """The munition's short name."""
        return self.names.munition(self.munition)

    def draws(self, outcomes: Sequence[str], policies: Sequence[str] | None = None) -> Draws:
        """Return draws of outcomes of the munition (without its name) under the policy, or some."""
        wanted = [f"{self.munition}:{one}" for one in outcomes]
        return Draws(self.scenario, wanted, policies or [self.policy], self.members, self.seed, engine=self.engine, threads=self.threads)

    def grounds(self, draws: Draws, outcome: str, policy: str, also: Sequence[str] = ()) -> tuple[Cited, ...]:
        """Return the values that an outcome of the munition rests on most, and those at some paths besides."""
        return cited(self.scenario, [*draws.matters(f"{self.munition}:{outcome}", policy), *also])


@dataclass(frozen=True)
class Question:
    """A question that can be asked.

    Attributes
    ----------
    name : str
    title : str
        The question in words; {what}, {by}, {policy} and {path} stand for what it is asked of.
    function : callable
        Takes an `Asked` and gives what it found.
    help : str
        The first line of the function's docstring.
    """

    name: str
    title: str
    function: Callable[[Asked], Found] = field(repr=False)

    @property
    def help(self) -> str:
        """What is answered, in a line."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]


def records(frame: pd.DataFrame) -> list[Row]:
    """Return the rows of a frame as plain tables."""
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


QUESTIONS: dict[str, Question] = {}


def question(title: str) -> Callable[[Callable[[Asked], Found]], Callable[[Asked], Found]]:
    """Register a question under its function's name; a module of questions stands in `QUESTIONS_IN`.

    Parameters
    ----------
    title : str
        The question in words; {what}, {by}, {policy} and {path} stand for what it is asked of.
    """

    def register(function: Callable[[Asked], Found]) -> Callable[[Asked], Found]:
        QUESTIONS[function.__name__] = Question(function.__name__, title, function)
        return function

    return register


def questions() -> dict[str, Question]:
    """Return the questions that can be asked, by name."""
    for module in QUESTIONS_IN:
        import_module(module)
    return dict(QUESTIONS)


@dataclass(frozen=True)
class Answer:
    """One answer sheet.

    Attributes
    ----------
    name, question : str
        Its name, and the question in words.
    short : str
        The answer, in one sentence with its range.
    more : tuple of str
        Further sentences.
    confidence : Confidence
    cannot_confirm : tuple of str
        What nobody outside can confirm.
    sources : tuple of Cited
        The values that it rests on most, each with its sources.
    numbers : dict
        The numbers of the sentences, as plain values.
    manifest : dict
        What made it: as of `stockpile.simulate.manifest`, with members and seed.
    """

    name: str
    question: str
    short: str
    more: tuple[str, ...]
    confidence: Confidence
    cannot_confirm: tuple[str, ...]
    sources: tuple[Cited, ...]
    numbers: Row
    manifest: Row = field(repr=False)

    def text(self) -> str:
        """Return the sheet as plain text, ready to paste."""
        from stockpile.analysis.sheets import text

        return text(self)

    def markdown(self) -> str:
        """Return the sheet as Markdown, ready to paste."""
        from stockpile.analysis.sheets import markdown

        return markdown(self)

    def data(self) -> Row:
        """Return the sheet as plain values, for programs."""
        return asdict(self)


def answer(  # noqa: PLR0913 - the names that users give
    question: str,
    scenario: Scenario | str = "july_2025",
    *,
    munition: str | None = None,
    policy: str | None = None,
    by: str | dt.date | None = None,
    path: str | None = None,
    members: int = 1000,
    seed: int = 1,
    engine: str | None = None,
    threads: int | None = None,
) -> Answer:
    """Answer a question, with its range, a confidence word, sources, and what cannot be confirmed.

    Parameters
    ----------
    question : str
        One of the names of `questions`.
    scenario : Scenario or str
    munition : str, optional
        The scenario's first where left out.
    policy : str, optional
        The pause as it happened where left out, or ``none`` where the scenario has no such policy.
    by : str or date, optional
        A date within the run; the start of the year `AHEAD` years after the scenario's where left out.
    path : str, optional
        For where_does_a_number_come_from: path of a parameter.
    members, seed : int
        Draws.
    engine, threads
        As of `ensemble`.

    Raises
    ------
    InputError
        For what cannot be asked, all faults together.
    """
    known = questions()
    found = load(scenario) if isinstance(scenario, str) else scenario
    chosen = policy or next((name for name in (AS_IT_HAPPENED, BASELINE) if name in found.policies), found.chosen(None)[0])
    problems = [] if question in known else [Problem("answer", 0, 0, "question", f"{question!r} is unknown; {nearest(question, known)}")]
    what = munition or next(iter(found.munitions))
    if what not in found.munitions:
        problems.append(Problem("answer", 0, 0, "munition", f"unknown munition {what!r}; {nearest(what, found.munitions)}"))
    date, faults = _date(found, by)
    problems += [*faults, *_draws_faults(found, chosen, members, seed, engine, threads)]
    if problems:
        raise InputError(problems)
    asked = Asked(found, what, chosen, policy is None, date, path, members, seed, engine, threads)
    return _sheet(known[question], asked)


def _draws_faults(
    scenario: Scenario, policy: str, members: int, seed: int, engine: str | None, threads: int | None
) -> list[Problem]:
    asked = Checked(
        policies=[policy], members=members, seed=seed, sampler="random", quantities=(), dates=(), engine=engine, threads=threads
    )
    problems = [replace(one, file="answer") for one in asked.faults(scenario)]
    if not problems and members < FEWEST:
        problems.append(Problem("answer", 0, 0, "members", f"{members}; allowed: {FEWEST} or more, or no range can be told"))
    return problems


def _date(scenario: Scenario, given: str | dt.date | None) -> tuple[dt.date, list[Problem]]:
    """Return the date that is asked about, and what is wrong with it."""
    start, end = own_dates(scenario)
    if given is None:
        return min(max(dt.date(scenario.as_of.year + AHEAD, 1, 1), start), end), []
    try:
        text = str(given)
        date = dt.date.fromisoformat(text if len(text) > len("2027-01") else f"{text}-01")
        check_by(scenario, date)
    except ValueError:
        return end, [Problem("answer", 0, 0, "by", f"{given!r} is no date; allowed: for example {end}")]
    except InputError as error:
        return end, list(error.problems)
    return date, []


def _sheet(one: Question, asked: Asked) -> Answer:
    """Ask a question and fill in the rest of its sheet."""
    found = one.function(asked)
    title = one.title.format(what=asked.what, by=day(asked.by), policy=asked.names.policy(asked.policy), path=found.numbers.get("path", ""))
    cannot = (*found.cannot, *cannot_confirm(asked.scenario, asked.munition, found.states, found.rests_on))
    made = manifest(asked.scenario, [asked.policy]) | {"members": asked.members, "seed": asked.seed}
    asked_of = {"munition": asked.munition, "policy": asked.policy, "by": str(asked.by)}
    return Answer(
        one.name, title, capital(found.short), tuple(map(capital, found.more)), found.confidence, tuple(dict.fromkeys(cannot)),
        tuple(found.rests_on), asked_of | found.numbers, made,
    )
