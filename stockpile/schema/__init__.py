"""What the files in ``params/`` may say: one frozen class a kind of file, extra keys forbidden.

The sentence under each field is its documentation: ``docs/parameters.md`` and the JSON Schema for editors
(``stockpile params schema``) are made from it.
"""

from __future__ import annotations

from stockpile.schema.asked import DATE, MEASURES
from stockpile.schema.cases import Answer, Case, CaseMunition, CasePart, Flow, Order, Transfer
from stockpile.schema.choices import Allocation, Change, Measure, Policy, Repeat, Review, Scenario, Suspension
from stockpile.schema.observations import Basis, Denominator, Observation, Observations, Reading, Scope
from stockpile.schema.things import (
    Campaign,
    Claim,
    Correlation,
    Event,
    Level,
    Line,
    Lot,
    Model,
    Munition,
    Part,
    Plan,
    Recipient,
    Times,
)
from stockpile.schema.values import (
    Alternative,
    Count,
    Delay,
    Evidence,
    Factor,
    Factors,
    Fault,
    Finite,
    Fraction,
    Grade,
    Keys,
    Money,
    Name,
    Names,
    Parameter,
    PerTime,
    Point,
    Rate,
    Reference,
    Role,
    Rounds,
    Shape,
    Share,
    Source,
    Strict,
    Time,
    bounds,
    check_kind,
    described,
    is_day,
)

__all__ = [
    "DATE", "MEASURES", "Allocation", "Alternative", "Answer", "Basis", "Campaign", "Case", "CaseMunition", "CasePart", "Change",
    "Claim", "Correlation", "Count", "Delay", "Denominator", "Event", "Evidence", "Factor", "Factors", "Fault", "Finite", "Flow",
    "Fraction", "Grade", "Keys", "Level", "Line", "Lot", "Measure", "Model", "Money", "Munition", "Name", "Names",
    "Observation", "Observations", "Order", "Parameter", "Part", "PerTime", "Plan", "Point", "Policy", "Rate",
    "Reading", "Recipient", "Reference", "Repeat", "Review", "Role", "Rounds", "Scenario", "Scope", "Shape", "Share",
    "Source", "Strict", "Suspension", "Time", "Times", "Transfer", "bounds", "check_kind", "described",
    "is_day",
]
