"""Sentences about answers: every number is one of the answer's, and none survives where its guard is false."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from questions import LENGTH, SCENARIO, SHARE, break_even, discovery, frontier, robust, sensitivity

import stockpile as sp
from stockpile.analysis import sentences
from stockpile.analysis.discover import Discovery
from stockpile.analysis.wording import CLOSE, Names, amount, rounded, spread
from stockpile.sampling_error import proportion_interval
from stockpile.scenario import Scenario

HIGH, LOW = (0.61, 0.58, 0.64), (0.21, 0.18, 0.24)
FEW = {"members": 60, "engine": "numpy"}
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?![\w])")


def say(answer: Any, scenario: Scenario | None = None) -> list[str]:
    """Return the sentences on an answer of any kind."""
    kind = type(answer).__name__
    name = {"BreakEven": "of_break_even", "Discovery": "of_discovery"}.get(kind, f"of_{kind.lower()}")
    found: list[str] = getattr(sentences, name)(answer, scenario)
    return found


def cells(value: Any) -> Iterator[float]:
    """Yield every number of an answer."""
    if isinstance(value, pd.DataFrame):
        for column in value.columns:
            yield from (number for cell in value[column] for number in cells(cell))
    elif isinstance(value, dict):
        for one in value.values():
            yield from cells(one)
    elif isinstance(value, tuple | list):
        for one in value:
            yield from cells(one)
    elif hasattr(value, "__dataclass_fields__"):
        for field in fields(value):
            yield from cells(getattr(value, field.name))
    elif isinstance(value, int | float | np.number) and not isinstance(value, bool) and np.isfinite(value):
        yield float(value)


def counts(answer: Any) -> Iterator[float]:
    """Yield how many rows, and how many different ones, a column of an answer has: sentences count."""
    for field in fields(answer):
        value = getattr(answer, field.name)
        if isinstance(value, pd.DataFrame):
            yield float(len(value))
            yield from (float(value[column].astype(str).nunique()) for column in value.columns)
            if "dominated" in value:
                yield float((~value["dominated"]).sum())
            if "sure" in value:
                yield from (float((value["verdict"] == one).sum()) for one in ("never", "always", "crosses"))
        elif isinstance(value, tuple):
            yield float(len(value))
    if isinstance(answer, Discovery):
        yield answer.boxes.failing / answer.boxes.cases
        yield from map(float, proportion_interval(answer.boxes.failing, answer.boxes.cases))


def foreign(text: str, answer: Any) -> list[str]:
    """Return the numbers of a text that are not the answer's, nor one rounded to the digits that are shown."""
    text = re.sub(rf"\b\d+ ({MONTHS}) \d{{4}}", "", text)
    for fixed in ("middle 90 % of the draws", "range of 90 % of the draws", "PAC-3", "155 mm", "AIM-120", "AIM-9X", "pac3"):
        text = text.replace(fixed, "")
    known = np.array([*cells(answer), *counts(answer)])
    known = np.concatenate([known, 100.0 * known])
    known = np.concatenate([known, -known])
    wrong = []
    for shown in NUMBER.findall(text):
        digits = shown.replace(",", "")
        zeros = len(digits) - len(digits.rstrip("0")) if "." not in digits and digits.strip("-0") else 0
        step = 10.0 ** (zeros - len(digits.partition(".")[2]))
        if np.abs(known - float(digits)).min() > 0.5000001 * step:
            wrong.append(shown)
    return wrong


@cache
def answers() -> dict[str, Any]:
    """Return an answer of each kind, worked out on few draws of a short run."""
    chance = "pac3:below.transfer_floor@2026-12-01"
    return {
        "sensitivity": sp.sensitivity(SCENARIO, "pac3:us_on_hand@2026-01-01", start=512, most=512, members=50, engine="numpy"),
        "chance": sp.sensitivity(SCENARIO, chance, start=512, most=512, members=50, engine="numpy"),
        "discovery": sp.discover(SCENARIO, "pac3:total_unmet:ukraine > 50", vary={SHARE: "0.2:0.7"}, members=300, engine="numpy"),
        "break_even": sp.break_even(SCENARIO, {SHARE: "0.1:0.9:0.2"}, chance, "none", level=0.05, **FEW),
        "break_even over": sp.break_even(SCENARIO, {SHARE: "0.1:0.9:0.4"}, chance, "suspension_6_months", over={LENGTH: [0, 12]}, **FEW),
        "frontier": sp.frontier(SCENARIO, "pac3", triggers=[0.3, 1.2], margins=[0.0], shares=[0.5, 1.0], foresight=1, **FEW),
        "robust": sp.robust(
            [SCENARIO, replace(SCENARIO.override({f"{SHARE}": 0.3}), name="other")],
            {"pac3:total_unmet:ukraine": "lower", "pac3:minimum_after_as_of": "higher"}, ["pac3:total_unmet:ukraine <= 100"],
            ["none", "suspension_indefinite", "us_first"], **FEW,
        ),
    }


MADE = {
    "sensitivity": sensitivity([HIGH, LOW]), "unstable": sensitivity([HIGH, LOW], stable=False), "near": sensitivity([HIGH, HIGH]),
    "break_even": break_even({None: [0.02, 0.08, 0.25, 0.4]}), "break_even over": break_even({0.3: [0.0, 0.0], 0.4: [0.02, 0.3]}),
    "frontier": frontier([(0.1, 0.08, 0.12, 800.0, 780.0, 820.0), (0.4, 0.37, 0.43, 300.0, 290.0, 310.0)], [0.11, 0.52]),
    "robust": robust([20.0, 50.0, 90.0]), "discovery": discovery(123, ()),
}
EVERY = [*(("worked out", name) for name in (
    "sensitivity", "chance", "discovery", "break_even", "break_even over", "frontier", "robust",
)), *(("made", name) for name in MADE)]


def answer_of(kind: str, name: str) -> Any:
    return MADE[name] if kind == "made" else answers()[name]


# ---------------------------------------------------------------- what holds for all


@pytest.mark.parametrize(("kind", "name"), EVERY, ids=lambda one: str(one))
@pytest.mark.parametrize("scenario", [None, SCENARIO], ids=["names", "titles"])
def test_every_number_is_one_of_the_answer(kind: str, name: str, scenario: Scenario | None) -> None:
    answer = answer_of(kind, name)
    said = say(answer, scenario)
    assert said
    assert [number for text in said for number in NUMBER.findall(text)]
    assert [foreign(text, answer) for text in said] == [[]] * len(said)


def test_a_number_that_is_not_the_answers_is_found() -> None:
    answer = MADE["frontier"]
    (text, *_) = say(answer)
    assert foreign(text, answer) == []
    assert foreign(text.replace("800", "850"), answer) == ["850"]
    assert foreign(text.replace("10.0 %", "11.3 %"), answer) == ["11.3"]


@pytest.mark.parametrize(("kind", "name"), EVERY, ids=lambda one: str(one))
def test_words(kind: str, name: str) -> None:
    for text in say(answer_of(kind, name), SCENARIO):
        assert "will" not in text.lower().split()
        assert "nan" not in text.lower().split()
        assert "None" not in text
        assert "  " not in text
        assert text.endswith(".")
        assert text[0] == text[0].upper()
        assert "floor" not in text.replace("the floor assumed here", "")


# ---------------------------------------------------------------- sensitivity


def test_the_leading_unknown_is_named_where_its_interval_stands_apart() -> None:
    head, where, single, worth = say(sensitivity([HIGH, LOW]), SCENARIO)
    assert head == (
        'Unknown a moves the lowest US stock of PAC-3 after 9 July 2025 under "No suspension" most: total Sobol index 0.61 (0.58 to 0.64), '
        "against 0.21 (0.18 to 0.24) of unknown b, the next; 1,024 base points."
    )
    assert "500 to 1,900 rounds in the middle 90 % of the draws, 1,300 rounds in the median one" in where
    assert "unknown a moves the mean of" in single and "1,173 rounds with it at 11 rounds, 1,264 rounds at 33 rounds" in single
    assert "unknown a, if it were known, would narrow the answer most: it would take away 61 % (58 to 64 %) of the variance, and" in worth
    assert "by 30.5 % on average" in worth


def test_overlapping_indices_are_too_close_to_call() -> None:
    near = (0.57, 0.53, 0.59)
    head, _, single, worth = say(sensitivity([HIGH, near]))
    for text in (head, single, worth):
        assert f"is {CLOSE} between unknown a" in text
        assert "unknown b" in text
        assert "moves it most" not in text and "would narrow the answer most:" not in text
    assert f"is {CLOSE}" not in " ".join(say(sensitivity([HIGH, (0.57, 0.53, 0.579)])))


def test_a_ranking_that_did_not_settle_names_no_unknown() -> None:
    said = say(sensitivity([HIGH, LOW], stable=False), SCENARIO)
    assert said[0] == (
        'The ranking of what moves the lowest US stock of PAC-3 after 9 July 2025 under "No suspension" did not settle with '
        "1,024 base points."
    )
    assert not any("narrow" in text or "Sobol" in text for text in said)
    assert "did not settle" not in " ".join(say(sensitivity([HIGH, LOW])))


def test_narrowing_within_its_noise_is_left_out() -> None:
    answer = sensitivity([HIGH, LOW])
    answer.indices.loc[0, "noise"] = 0.4
    assert "variance." in say(answer)[-1]
    assert "range of 90 %" not in say(answer)[-1]
    answer.indices.loc[0, "narrowing"] = np.nan
    assert "range of 90 %" not in say(answer)[-1]


def test_an_index_that_may_be_zero_narrows_nothing_surely() -> None:
    answer = sensitivity([HIGH, LOW], firsts=[(0.02, -0.01, 0.05), (0.0, -0.01, 0.01)])
    assert say(answer)[-1] == "No single unknown, if it were known, would surely narrow the answer."


def test_random_campaigns_cannot_be_settled_beforehand() -> None:
    answer = sensitivity([HIGH, LOW])
    answer.indices.loc[0, "factor"] = "campaigns.us_operation"
    *_, first, rest = say(answer)
    assert "unknown a" in first
    assert rest.startswith("Apart from random campaigns, which nobody can settle beforehand: of single unknowns unknown b")
    assert not any("Apart from" in text for text in say(sensitivity([HIGH, LOW])))


def test_one_unknown_alone_and_none() -> None:
    assert say(sensitivity([HIGH]))[0].startswith("Unknown a alone moves the lowest US stock of pac3")
    assert say(sensitivity([(np.nan, np.nan, np.nan)])) == [
        "No unknown moves the lowest US stock of pac3 after 9 July 2025 under \"none\": it is the same in all draws."
    ]


def test_a_swing_within_its_error_is_too_close_to_call() -> None:
    answer = sensitivity([HIGH, LOW])
    answer.tornado.loc[0, ["low_low", "low_high"]] = [-130.0, 8.0]
    assert CLOSE in say(answer)[2]


# ---------------------------------------------------------------- break-even


@pytest.mark.parametrize(
    ("curve", "starts", "holds", "never"),
    [
        ([0.02, 0.03, 0.05], "The chance that", "never reaches 10 %; it is at most 5 % (2 to 8 %) at 12 months", ("always", CLOSE)),
        ([0.02, 0.03, 0.08], "Whether the chance that", f"ever reaches 10 % is {CLOSE}: it runs from 2 % (0 to 5 %) at 0 months to 8 %",
         ("never", "always")),
        ([0.4, 0.3, 0.2], "The chance that", "is always at or above 10 %; it is at least 20 % (17 to 23 %) at 12 months", ("never", CLOSE)),
        ([0.4, 0.3, 0.11], "Whether the chance that", f"is ever below 10 % is {CLOSE}", ("never", "always")),
        ([0.02, 0.04, 0.2, 0.4], "The chance that", "goes up through 10 %", ("never", "always", CLOSE)),
        ([0.4, 0.2, 0.02, 0.01], "The chance that", "goes down through 10 %", ("never", "always", CLOSE)),
        ([0.0, 0.3, 0.3, 0.0], "The chance that", "goes up through 10 % at 2.0 months (1.4 to 2.2) and down", ("never", "always", CLOSE)),
        ([0.09, 0.11, 0.09], "Whether and where the chance that", f"crosses 10 % is {CLOSE}", ("never", "always", "goes")),
        ([0.09, 0.1, 0.11], "Whether and where the chance that", f"crosses 10 % is {CLOSE}", ("never", "always", "goes")),
        ([0.05, 0.05], "The chance that", "never reaches", (CLOSE,)),
        ([0.08, 0.08], "Whether the chance that", "it is 8 % (5 to 11 %) at all values", ("runs from",)),
    ],
    ids=str,
)
def test_break_even(curve: list[float], starts: str, holds: str, never: tuple[str, ...]) -> None:
    (text,) = say(break_even({None: curve}), SCENARIO)
    assert text.startswith(starts)
    assert holds in text
    assert not any(word in text for word in never)
    assert f"Suspension of six months: length from 0 to {6 * (len(curve) - 1)} months" in text


def test_both_crossings_are_named_with_their_ranges() -> None:
    (text,) = say(break_even({None: [0.0, 0.3, 0.3, 0.0]}))
    assert "goes up through 10 % at 2.0 (1.4 to 2.2) and down through 10 % at 16.0 (15.8 to 16.6); " in text


def test_break_even_over_a_second_lever_counts() -> None:
    answer = break_even({0.3: [0.0, 0.02], 0.4: [0.02, 0.3], 0.5: [0.04, 0.5], 0.6: [0.3, 0.6], 0.7: [0.05, 0.09]})
    head, *each = say(answer, SCENARIO)
    assert head.startswith("Held against 10 % as Suspension of six months: length moves, the chance that the US stock of PAC-3")
    assert (
        f"crosses it at 2, never reaches it at 1, is always at or above it at 1 and is {CLOSE} at 1 of the 5 values of PAC-3: US share; "
        "the crossings lie from" in head
    )
    assert len(each) == 5
    assert "with PAC-3: US share at 0.3, never reaches 10 %" in each[0]


def test_break_even_at_dates() -> None:
    lever = "policies.suspension_6_months.suspensions.0.end"
    found = sp.break_even(SCENARIO, {lever: "2025-08-01:2026-10-01:7months"}, "pac3:below.transfer_floor@2026-12-01", "suspension_6_months",
                          level=0.5, **FEW)
    (text,) = say(found, SCENARIO)
    assert "never reaches 50 %" in text
    assert "end from 1 August 2025 to 1 October 2026" in text


# ---------------------------------------------------------------- frontier


SAFE, KIND = (0.1, 0.08, 0.12, 800.0, 780.0, 820.0), (0.4, 0.37, 0.43, 300.0, 290.0, 310.0)


def test_the_ends_of_a_trade_off() -> None:
    (text,) = say(frontier([SAFE, KIND]), SCENARIO)
    assert text.startswith("Of 3 review rules tried, 2 are not outdone by another in both respects: from a chance of 40 % (37 to 43 %)")
    assert "with 300 (290 to 310) rounds of recipients' need unmet (75 % held back from below 0.6 until above 0.7 times" in text
    assert "to 10.0 % (8.0 to 12.0 %), with 800 (780 to 820) rounds unmet" in text
    assert CLOSE not in text


@pytest.mark.parametrize(
    ("safe", "said"),
    [
        ((0.38, 0.35, 0.41, 800.0, 780.0, 820.0), f"whether any of them changes the chance that the US stock of pac3 falls below the floor "
         f"assumed here after 9 July 2025 is {CLOSE}"),
        ((0.1, 0.08, 0.12, 315.0, 305.0, 325.0), f"whether recipients' unmet need differs is {CLOSE} (315 (305 to 325) rounds and 300"),
    ],
    ids=["risk", "need"],
)
def test_ends_that_overlap_are_too_close_to_call(safe: tuple[float, ...], said: str) -> None:
    (text,) = say(frontier([safe, KIND]))  # type: ignore[list-item]
    assert said in text
    assert "from a chance of" not in text


def test_a_single_best_rule_is_no_trade_off() -> None:
    (text,) = say(frontier([SAFE]))
    assert "1 is not outdone by another in both respects: in 10.0 % (8.0 to 12.0 %) of the draws" in text
    assert CLOSE not in text


def test_perfect_foresight_is_a_bound() -> None:
    text = say(frontier([SAFE, KIND], [0.11, 0.52]))[-1]
    assert "could leave 11 to 52 % less unmet" in text
    assert "a bound that no rule can beat, not one that a rule can reach" in text
    assert say(frontier([SAFE, KIND], [0.0, 1e-12]))[-1].startswith("Perfect foresight could leave no less unmet")
    assert len(say(frontier([SAFE, KIND], []))) == 1


# ---------------------------------------------------------------- robustness


def test_least_and_most_regret() -> None:
    head, holds = say(robust([20.0, 50.0, 90.0]))
    assert head == (
        '"p0" has the least largest regret in the unmet need of ukraine for pac3 over 2 scenarios: 20.0 (18.0 to 22.0) rounds, in '
        'july_2025; "p2" has the most, 90 (81 to 99) rounds, in july_2025.'
    )
    assert holds == (
        'That the US stock of pac3 never falls below the floor assumed here after 9 July 2025 holds most often under "p0", in 83.0 % '
        "(81.0 to 86.0 %) of the draws of all scenarios."
    )


def test_close_policies_are_too_close_to_call() -> None:
    head, holds = say(robust([20.0, 21.0, 90.0], close={0: (1,), 1: (0,)}))
    for text in (head, holds):
        assert f'is {CLOSE} between "p0" and "p1"' in text
        assert "p2" not in text
        assert "has the least" not in text.replace("Which policy has the least", "")
    head, _ = say(robust([20.0] * 5, close={0: (1, 2, 3, 4)}))
    assert f"{CLOSE} between 5 of the 5 policies" in head


def test_the_most_regret_is_not_named_where_another_comes_close() -> None:
    head, _ = say(robust([20.0, 88.0, 90.0], close={1: (2,), 2: (1,)}))
    assert "has the least" in head and "has the most" not in head


def test_policies_that_are_equal() -> None:
    head, holds = say(robust([20.0, 20.0], tied={0: (1,), 1: (0,)}))
    assert head.startswith("No policy has the least largest regret in the unmet need of ukraine for pac3 over 2 scenarios")
    assert head.endswith(": it is the same for all 2.")
    assert "holds equally often under all 2 policies" in holds
    head, _ = say(robust([20.0, 20.0, 70.0], tied={0: (1,), 1: (0,)}))
    assert '"p0" and "p1" have the least largest regret' in head.replace('"P0"', '"p0"')
    head, _ = say(robust([0.0, 70.0]))
    assert "none, as no policy does better in any of them" in head


def test_without_conditions_nothing_is_said_of_them() -> None:
    assert len(say(replace(robust([20.0, 50.0]), conditions=(), satisficing=pd.DataFrame()))) == 1


# ---------------------------------------------------------------- discovery


def test_failures_are_counted_with_their_interval() -> None:
    (text,) = say(discovery(123, ()), SCENARIO)
    assert text == (
        'Under "No suspension", in 123 of 500 draws, 25 % (21 to 29 %), the US stock of PAC-3 falls below the floor assumed here after '
        "9 July 2025; no box was found: no box does better than the whole."
    )


def test_boxes_come_in_their_words_and_doubts_with_them() -> None:
    words = ("when a is above 3: 70 % of the failures lie here", "when b is below 1: 10 % more of the failures lie here")
    first, second = say(discovery(123, words))
    assert first.endswith(f"; {words[0]}.")
    assert second == f"Box 2: {words[1]}."
    *_, doubt = say(discovery(123, words, restricted=0.35), SCENARIO)
    assert doubt == "Seldom found again, and perhaps there by chance: PAC-3: US share (35.0 % of 20 random halves of the draws)."


# ---------------------------------------------------------------- words and numbers


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "pac3:below.transfer_floor@2027-01-01",
            "the chance that the US stock of PAC-3 has been below the floor assumed here by 1 January 2027",
        ),
        (
            "pac3:below.requirement",
            'the chance that the US stock of PAC-3 has been below the level "requirement" assumed here by the end of the run',
        ),
        ("pac3:us_on_hand@2027-01", "the US stock of PAC-3 on January 2027"),
        ("pac3:total_unmet", "the unmet need of US forces for PAC-3"),
        ("shell_155mm:total_unmet:israel", "the unmet need of Israel for 155 mm"),
        ("pac3:change_in.total_sent:ukraine", 'the change, against "No suspension", in the PAC-3 sent to Ukraine from US stock'),
        ("pac3:months_to_rebuild.requirement", 'the time until the US stock of PAC-3 is back at the level "requirement" assumed here'),
    ],
)
def test_outcomes_in_words(text: str, said: str) -> None:
    assert Names(SCENARIO, "2025-07-09").outcome(text) == said


def test_every_metric_has_words() -> None:
    from stockpile.experiments.lanes import metrics_of
    from stockpile.experiments.outcomes import known_outcomes

    names = Names(SCENARIO, "2025-07-09")
    for munition, recipient, metric in known_outcomes(SCENARIO, metrics_of(SCENARIO)):
        said = names.outcome(f"{munition}:{metric}:{recipient}")
        assert said.startswith("the ")
        assert metric not in said
        assert "{" not in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pac3:depth_below.transfer_floor > 0", "the US stock of PAC-3 falls below the floor assumed here after 9 July 2025"),
        ("pac3:depth_below.transfer_floor <= 0", "the US stock of PAC-3 never falls below the floor assumed here after 9 July 2025"),
        ("pac3:depth_below.transfer_floor >= 0", "the depth of the US stock of PAC-3 below the floor assumed here is at least 0"),
        ("pac3:total_unmet:ukraine < 1500", "the unmet need of Ukraine for PAC-3 is below 1,500"),
    ],
)
def test_conditions_in_words(text: str, said: str) -> None:
    assert Names(SCENARIO, "2025-07-09").condition(text) == said


@pytest.mark.parametrize(
    ("value", "width", "shown"),
    [
        (1494.4, 300.0, "1,490"), (1494.4, 3000.0, "1,500"), (0.2703, 0.1, "0.27"), (84.23, 0.0, "84.2"), (0.001, 10.0, "0"),
        (-3.04, 1.0, "-3.0"), (np.inf, 1.0, "endless"), (0.0, 0.0, "0"),
    ],
)
def test_digits_are_those_the_interval_supports(value: float, width: float, shown: str) -> None:
    assert rounded(value, width) == shown


def test_numbers_with_units() -> None:
    assert spread(0.215, 0.162, 0.276, "1") == "22 % (16 to 28 %)"
    assert spread(1494.0, 1341.0, 1647.0, "round") == "1,490 (1,340 to 1,650) rounds"
    assert amount(5.12e9, 2e9, "USD_2025") == "5.1 billion USD of 2025"
    assert Names(SCENARIO).valued(LENGTH, 1) == "1 month"
    assert Names(SCENARIO).valued(SHARE, 0.5) == "0.5"
    assert Names().valued(LENGTH, dt.date(2026, 1, 1)) == "1 January 2026"
