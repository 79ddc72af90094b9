"""The confidence word of an answer: worked out by a stated rule, never chosen for the sentence.

Three things are looked at; the lowest of the words that they allow is the word of the answer.

==========================  =======================  ==========================  =========================
what                        high                     medium                      low
==========================  =======================  ==========================  =========================
share of the draws that     at least 0.9             at least two thirds         less
agree with the sentence
width of the range of 90 %  at most half of it       at most twice it            more
of the draws beside the
middle
worst grade of what the     measured or reported     derived or assumed          -
answer rests on most
==========================  =======================  ==========================  =========================

Before that: where the interval of Monte Carlo error spans the point at which the sentence would be another one (a change of 0, a
chance of one half), the word is ``too close to call``; where the answer rests on nothing that was published, ``cannot confirm``. A
value of which every source is a weak or state-linked outlet counts as assumed.

The shares are those of the likelihood terms of the Intergovernmental Panel on Climate Change ("likely" from two thirds, "very likely"
from nine tenths: Mastrandrea and others, guidance note for lead authors on consistent treatment of uncertainties, 2010).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stockpile import sampling_error
from stockpile.analysis.wording import CLOSE, amount
from stockpile.clock import Array

HIGH, MEDIUM, LOW, CANNOT = "high", "medium", "low", "cannot confirm"
WORDS = (LOW, MEDIUM, HIGH)
VERY_LIKELY, LIKELY, EVEN = 0.9, 2 / 3, 0.5
NARROW, WIDE = 0.5, 2.0
MANY = 10.0
GRADES = ("measured", "reported", "derived", "assumed")
"""From the best to the worst."""
LEVEL = 0.95


@dataclass(frozen=True)
class Confidence:
    """A confidence word.

    Attributes
    ----------
    word : str
        high, medium, low, ``too close to call`` or ``cannot confirm``.
    because : str
        What it rests on, in words.
    agreement : float or None
        Share of the draws that agree with the sentence.
    width : float or None
        Width of the range of 90 % of the draws, as a share of its middle.
    grade : str
        Worst grade of what the answer rests on most; empty where it rests on nothing that has one.
    """

    word: str
    because: str
    agreement: float | None = None
    width: float | None = None
    grade: str = ""


def confidence(
    *, agreement: float | None = None, values: Array | None = None, grades: Sequence[str] = (), close: bool = False,
    of: str = "draws",
) -> Confidence:
    """Return the confidence word by the rule of this module.

    Parameters
    ----------
    agreement : float, optional
        Share of the draws that agree with the sentence.
    values : array, optional
        What the sentence gives the middle and the range of, of each draw; left out where it gives a chance alone.
    grades : sequence of str
        Grades of what the answer rests on most.
    close : bool
        Whether an interval spans the point at which the sentence would be another one.
    of : str
        What is counted in `agreement`.
    """
    width = None if values is None else _width(values)
    worst = max(grades, key=GRADES.index, default="")
    said = [*_agreement(agreement, of), *_range(width), *([f"worst grade of what it rests on most: {worst}"] if worst else [])]
    allowed = [HIGH]
    if agreement is not None:
        allowed.append(HIGH if agreement >= VERY_LIKELY else MEDIUM if agreement >= LIKELY else LOW)
    if width is not None:
        allowed.append(HIGH if width <= NARROW else MEDIUM if width <= WIDE else LOW)
    if worst in ("derived", "assumed"):
        allowed.append(MEDIUM)
    word = CLOSE if close else min(allowed, key=WORDS.index)
    return Confidence(word, "; ".join(said), agreement, width, worst)


def _agreement(share: float | None, of: str) -> list[str]:
    return [] if share is None else [f"{amount(share, 0.0, '1')} of the {of} agree"]


def _range(width: float | None) -> list[str]:
    if width is None:
        return []
    if not width < MANY:
        return [f"the range of 90 % of the draws is more than {MANY:g} times its middle"]
    return [f"the range of 90 % of the draws is {width:.2g} times its middle"]


def _width(values: Array) -> float:
    """Return the width of the range of 90 % of the draws, as a share of its middle."""
    low, middle, high = (float(one) for one in np.quantile(values, (0.05, 0.5, 0.95), method="inverted_cdf"))
    if math.isinf(high):
        return math.inf
    return 0.0 if high == low else (high - low) / abs(middle) if middle else math.inf


def spans_half(hits: int, members: int) -> bool:
    """Tell whether the interval of a chance spans one half, so that it is open which of two is the likelier."""
    low, high = sampling_error.proportion_interval(hits, members, LEVEL)
    return bool(low <= EVEN <= high)


def mean_interval(values: Array) -> tuple[float, float]:
    """Return the interval of Monte Carlo error of a mean."""
    spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    low, high = sampling_error.mean_interval(np.array([values.mean()]), np.array([spread]), len(values), LEVEL)
    return float(low[0]), float(high[0])
