"""Published cases: closed forms of small worlds, verdicts, files of users, and what the shipped cases must show.

Numbers here are made up, so that what must come out can be worked out by hand; none comes from the engine.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import math
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from commands import Call

import stockpile as sp
from stockpile import params, schema
from stockpile.errors import InputError
from stockpile.evidence import case_words
from stockpile.evidence.case_measures import MEASURES
from stockpile.evidence.cases import Replication
from stockpile.evidence.corners import MOST_RANGES
from stockpile.evidence.verdicts import FAIL, NOT_EXPRESSIBLE, NOT_PUBLISHED, PASS, Published
from stockpile.report.workbench import replications

ROOT = Path(__file__).resolve().parent.parent
HEAD = 'title = "A test"\nquestion = "When?"\nstart = 2026-01-01\n'
SAID = 'grade = "assumed"\nnote = "A test."\n'
"""What an answer says that nobody published."""


@pytest.fixture(autouse=True, scope="module")
def _shipped_files_are_read_once() -> Any:
    """Keep the shipped files once read: they are the same for all cases."""
    read, folder = params._document, params.default_folder()
    kept = cache(lambda file: read(file, folder, []))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(params, "_document", lambda file, around, problems: kept(file) if around == folder else read(file, around, problems))
        yield


def run(folder: Path, text: str, *, end: str = "2034-01-01") -> Replication:
    file = folder / "mine.toml"
    file.write_text(f"{HEAD}end = {end}\n{text}", encoding="utf-8")
    return sp.replicate(file)


def ours(folder: Path, text: str, **more: Any) -> dict[str, tuple[float, float, float]]:
    """Central answer, least and largest of all corners, by the name of the answer."""
    return {row.name: (row.ours, row.low, row.high) for row in run(folder, text, **more).rows}


def number(value: float, unit: str, low: float | None = None, high: float | None = None) -> str:
    ends = f", low = {low}, high = {high}" if low is not None else ""
    return f'{{ unit = "{unit}", value = {value}{ends} }}'


def asked(**measures: str) -> str:
    """Answers by name: what stands in their tables."""
    return "".join(f"[answers.{name}]\n{text}\n" for name, text in measures.items())


# ---------------------------------------------------------------- orders


ORDER = f"""
[munitions.missile]
title = "Missile"
[munitions.missile.orders.lot]
awarded = 2026-01-01
quantity = {number(110, "round")}
administration = {number(6, "month")}
lead_time = {number(36, "month")}
span = {number(11, "month")}
"""


@pytest.mark.parametrize("substeps", [1, 4, 30])
def test_rounds_arrive_when_administration_lead_and_lot_say(tmp_path: Path, substeps: int) -> None:
    found = ours(
        tmp_path,
        f"substeps = {substeps}\n{ORDER}"
        + asked(
            first='measure = "months_to_first_delivery"\nunit = "month"',
            last='measure = "months_to_last_delivery"\nunit = "month"',
            day='measure = "date_of_first_delivery"\nunit = "date"',
            years='measure = "date_of_last_delivery"\nunit = "year"',
            before='measure = "delivered"\nunit = "round"\nuntil = 2029-07-01',
            month='measure = "delivered"\nunit = "round"\nfrom = 2029-07-01\nuntil = 2029-08-01',
            all='measure = "delivered"\nunit = "round"\nuntil = 2030-06-01',
            stock='measure = "stock_at"\nunit = "round"\ndate = 2030-06-01',
        ),
    )
    assert found["first"][0] == pytest.approx(42.0, abs=1e-9)
    assert found["last"][0] == pytest.approx(53.0, abs=1e-9)
    assert found["day"][0] == pytest.approx(42.0, abs=1e-9)
    assert found["years"][0] == pytest.approx(53.0 / 12.0, abs=1e-9)
    assert found["before"][0] == pytest.approx(0.0, abs=1e-9)
    assert found["month"][0] == pytest.approx(10.0, abs=1e-9)
    assert found["all"][0] == pytest.approx(110.0, abs=1e-9)
    assert found["stock"][0] == pytest.approx(110.0, abs=1e-9)


def test_times_count_from_the_award_or_from_the_day_that_is_named(tmp_path: Path) -> None:
    text = ORDER.replace("awarded = 2026-01-01", "awarded = 2025-07-01")
    found = ours(
        tmp_path,
        text
        + asked(
            award='measure = "months_to_first_delivery"\nunit = "month"',
            since='measure = "months_to_first_delivery"\nunit = "month"\nsince = 2026-02-01',
            days='measure = "months_to_first_delivery"\nunit = "day"',
            day='measure = "date_of_first_delivery"\nunit = "date"',
        ),
    )
    assert found["award"][0] == pytest.approx(42.0)
    assert found["since"][0] == pytest.approx(35.0)
    assert found["days"][0] == (dt.date(2029, 1, 1) - dt.date(2025, 7, 1)).days
    assert found["day"][0] == pytest.approx(36.0)


def test_orders_are_filled_in_the_order_of_their_awards(tmp_path: Path) -> None:
    text = f"""
[munitions.missile]
title = "Missile"
line.all.capacity = {number(10, "round/month")}
[munitions.missile.orders.second]
awarded = 2026-02-01
quantity = {number(30, "round")}
[munitions.missile.orders.first]
awarded = 2026-01-01
quantity = {number(50, "round")}
lead_time = {number(12, "month")}
span = {number(5, "month")}
"""
    found = ours(
        tmp_path,
        text
        + asked(
            first='measure = "months_to_first_delivery"\norder = "first"\nunit = "month"',
            last='measure = "months_to_last_delivery"\norder = "first"\nunit = "month"',
            begins='measure = "months_to_first_delivery"\norder = "second"\nunit = "month"',
            way='measure = "in_transit"\ndate = 2026-01-16\nunit = "round"',
            own='measure = "in_transit"\ndate = 2026-02-01\norder = "second"\nunit = "round"',
            end='measure = "in_transit"\ndate = 2027-06-01\nunit = "round"',
        ),
    )
    # The second order is due a step after its award, on 2 February 2026; its 30 rounds are the first that the line delivers, and fill
    # the first order. The line makes 10 a month: 30 by March to May 2026, the other 20 of the first order from January 2027 on.
    assert found["first"][0] == pytest.approx(1.0 + 1 / 30, abs=1e-6)
    assert found["last"][0] == pytest.approx(14.0, abs=1e-6)
    assert found["begins"][0] == pytest.approx(13.0, abs=1e-6)
    assert found["way"][0] == pytest.approx(50.0)
    assert found["own"][0] == pytest.approx(30.0)
    assert found["end"][0] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("times", ["", "lead_time = {lead}", "lead_time = {lead}\nspan = {span}", "span = {span}"])
@pytest.mark.parametrize("line_time", [None, 3])
def test_no_more_and_no_less_is_delivered_than_was_ordered(tmp_path: Path, times: str, line_time: int | None) -> None:
    awards = ("2026-01-01", "2026-01-02", "2025-12-15", "2025-12-02", "2025-12-01")
    text = "" if line_time is None else f"line_time = {number(line_time, 'month')}\n"
    answers = {}
    for place, award in enumerate(awards):
        text += f"""[munitions.m{place}]
title = "Missile"
[munitions.m{place}.orders.lot]
awarded = {award}
quantity = {number(50, "round")}
{times.format(lead=number(1, "month"), span=number(10, "month"))}
"""
        answers[f"all_{place}"] = f'munition = "m{place}"\nmeasure = "delivered"\nunit = "round"'
        answers[f"left_{place}"] = f'munition = "m{place}"\nmeasure = "in_transit"\ndate = 2026-01-01\nunit = "round"'
    found = ours(tmp_path, text + asked(**answers))
    for place, award in enumerate(awards):
        # What is under way on the first day comes, and the rest came before; of what is due from it on all comes.
        whole = award >= "2026-01-01" or (line_time is None and "lead" in times)
        left = found[f"left_{place}"][0] if award <= "2026-01-01" else 50.0
        assert found[f"all_{place}"][0] == pytest.approx(50.0 if whole else left, abs=1e-6)
        assert left <= 50.0 + 1e-9


def test_orders_of_before_the_start_are_partly_or_wholly_delivered_by_then(tmp_path: Path) -> None:
    text = f"""
[munitions.missile]
title = "Missile"
[munitions.missile.orders.gone]
awarded = 2020-07-01
quantity = {number(1000, "round")}
lead_time = {number(24, "month")}
span = {number(12, "month")}
[munitions.missile.orders.half]
awarded = 2023-07-01
quantity = {number(120, "round")}
lead_time = {number(24, "month")}
span = {number(12, "month")}
[munitions.missile.orders.later]
awarded = 2026-10-01
quantity = {number(240, "round")}
lead_time = {number(26, "month")}
span = {number(12, "month")}
"""
    made = run(
        tmp_path,
        text
        + asked(
            begun='measure = "date_of_first_delivery"\norder = "half"\nunit = "date"',
            done='measure = "date_of_last_delivery"\norder = "half"\nunit = "date"',
            long_ago='measure = "months_to_last_delivery"\norder = "gone"\nunit = "day"\nvalue = 1100\nbound = "at_most"\n' + SAID,
            first='measure = "date_of_first_delivery"\norder = "later"\nunit = "date"',
            last='measure = "date_of_last_delivery"\nunit = "date"',
            rest='measure = "delivered"\nuntil = 2027-01-01\nunit = "round"',
            way='measure = "in_transit"\ndate = 2026-04-01\nunit = "round"',
            own='measure = "in_transit"\ndate = 2026-04-01\norder = "half"\nunit = "round"',
            both='measure = "in_transit"\ndate = 2027-04-01\nunit = "round"',
        ),
    )
    said = made.table().set_index("answer")["ours_said"]
    # The second lot is due from July 2025 on: half of its 120 are delivered by the start, and 30 more by April 2026.
    assert said.to_dict() == {
        "begun": "before the run", "done": "2026-07-01", "long_ago": "before the run", "first": "2028-12-01", "last": "2029-12-01",
        "rest": "60 rounds", "way": "30 rounds", "own": "30 rounds", "both": "240 rounds",
    }
    assert made.table().set_index("answer")["verdict"]["long_ago"] == PASS


def test_time_on_the_line_holds_what_it_says_by_littles_law(tmp_path: Path) -> None:
    text = f"""
line_time = {number(9, "month")}
[munitions.missile]
title = "Missile"
stock = {number(100, "round")}
[munitions.missile.orders.standing]
awarded = 2016-01-01
quantity = {number(21600, "round")}
span = {number(216, "month")}
[munitions.missile.use.demand]
start = 2026-01-01
end = "horizon"
rate = {number(100, "round/month")}
"""
    answers = asked(issue='measure = "issue_rate"\nfrom = 2033-01-01\nunit = "round/month"', used='measure = "used"\nunit = "round"')
    found = ours(tmp_path, text + answers)
    assert found["issue"][0] == pytest.approx(100.0)
    assert found["used"][0] == pytest.approx(9600.0)
    scenario = _world(tmp_path)
    result = sp.run(scenario)
    assert result.array("order_book", policy="none", munition="missile")[0, -1] == pytest.approx(900.0)


def _world(folder: Path) -> Any:
    from stockpile.evidence.cases import scenario_of

    return scenario_of(params.read(cases=[folder / "mine.toml"]), "mine")


# ---------------------------------------------------------------- stock, use, corners


def test_constant_use_and_delivery_give_a_straight_line(tmp_path: Path) -> None:
    text = f"""
[munitions.missile]
title = "Missile"
stock = {number(100, "round")}
us_share = {number(0.5, "1")}
line.all.capacity = {number(40, "round/month")}
levels.half = {{ title = "Half", level = {number(0.5, "1")}, of = "us_stock" }}
[munitions.missile.use.war]
start = 2026-01-01
end = "horizon"
rate = {number(30, "round/month")}
"""
    found = ours(
        tmp_path,
        text
        + asked(
            at='measure = "stock_at"\ndate = 2026-04-16\nunit = "round"',
            share='measure = "share_left"\ndate = 2026-05-01\nunit = "1"',
            half='measure = "first_below"\nlevel = "half"\nunit = "month"',
            gone='measure = "days_left"\nunit = "day"',
            later='measure = "days_left"\ndate = 2026-02-01\nunit = "month"',
            unmet='measure = "unmet"\nfrom = 2027-01-01\nuntil = 2027-02-01\nunit = "round"',
            ratio='measure = "use_over_output"\nunit = "1"',
            years='measure = "years_of_output"\nfrom = 2026-01-01\nuntil = 2028-01-01\nunit = "year"',
            rate='measure = "output_rate"\ndate = 2029-05-05\nunit = "round/year"',
            least='measure = "lowest_stock"\nunit = "round"\nuntil = 2026-04-01',
        ),
    )
    assert found["at"][0] == pytest.approx(100.0 - 10.0 * 3.5)
    assert found["share"][0] == pytest.approx(0.6)
    assert found["half"][0] == pytest.approx(5.0)
    # What a step delivers is used from the next one on.
    assert found["gone"][0] == pytest.approx((dt.date(2026, 11, 1) - dt.date(2026, 1, 1)).days, abs=31 / 20)
    assert found["later"][0] == pytest.approx(9.0, abs=1 / 20)
    assert found["unmet"][0] == pytest.approx(10.0)
    assert found["ratio"][0] == pytest.approx(0.75)
    assert found["years"][0] == pytest.approx(720.0 / 480.0)
    assert found["rate"][0] == pytest.approx(480.0)
    assert found["least"][0] == pytest.approx(70.0)


def test_ranges_are_run_at_all_their_corners(tmp_path: Path) -> None:
    text = f"""
[munitions.missile]
title = "Missile"
stock = {number(100, "round", 80, 130)}
[munitions.missile.use.war]
start = 2026-01-01
end = "horizon"
rate = {number(10, "round/month", 8, 20)}
"""
    made = run(tmp_path, text + asked(gone='measure = "first_below"\nunit = "month"'), end="2028-01-01")
    (row,) = made.rows
    assert (row.ours, row.low, row.high) == pytest.approx((10.0, 80.0 / 20.0, 130.0 / 8.0))
    assert row.members == 1 + 4


def test_points_of_one_range_stand_at_the_same_end(tmp_path: Path) -> None:
    text = """
[munitions.missile]
title = "Missile"
[munitions.missile.line.all.capacity]
unit = "round/month"
points = [{ from = 2025-01-01, value = 10, low = 5, high = 20 }, { from = 2026-07-01, value = 20, low = 10, high = 40 }]
"""
    made = run(tmp_path, text + asked(all='measure = "delivered"\nunit = "round"\nuntil = 2027-01-01'), end="2028-01-01")
    (row,) = made.rows
    assert (row.ours, row.low, row.high, row.members) == (pytest.approx(180.0), pytest.approx(90.0), pytest.approx(360.0), 3)


def test_too_many_ranges_are_refused_and_named(tmp_path: Path) -> None:
    flows = "".join(
        f'[munitions.missile.use.war_{n}]\nstart = 2026-01-01\nend = 2026-02-01\nrounds = {number(1, "round", 0.5, 2)}\n'
        for n in range(MOST_RANGES + 1)
    )
    said = r"mine\.toml:5:2: munitions: 11 ranges make 2\^11 corners \(munitions\.missile\.use\.war_0, .*; allowed: at most 10"
    with pytest.raises(InputError, match=said):
        run(tmp_path, f'[munitions.missile]\ntitle = "Missile"\n{flows}' + asked(used='measure = "used"\nunit = "round"'))


def test_one_off_use_is_even_by_days_over_months_of_different_length(tmp_path: Path) -> None:
    text = f"""
[munitions.missile]
title = "Missile"
stock = {number(1000, "round")}
[munitions.missile.use.war]
start = 2026-02-15
end = 2026-04-07
rounds = {number(510, "round")}
[munitions.missile.use.more]
start = 2026-06-01
end = 2026-08-01
rate = {number(2, "round/day")}
"""
    days = 14 + 31 + 6
    found = ours(
        tmp_path,
        text
        + asked(
            february='measure = "used"\nunit = "round"\nuntil = 2026-03-01',
            march='measure = "used"\nunit = "round"\nfrom = 2026-03-01\nuntil = 2026-04-01',
            june='measure = "used"\nunit = "round"\nfrom = 2026-06-01\nuntil = 2026-07-01',
            july='measure = "used"\nunit = "round"\nfrom = 2026-07-01\nuntil = 2026-08-01',
        ),
    )
    assert found["february"][0] == pytest.approx(510.0 * 14 / days)
    assert found["march"][0] == pytest.approx(510.0 * 31 / days)
    assert found["june"][0] == pytest.approx(60.0)
    assert found["july"][0] == pytest.approx(62.0)


def test_others_get_what_own_use_leaves_and_no_more_than_there_is(tmp_path: Path) -> None:
    text = f"""
[munitions.missile]
title = "Missile"
stock = {number(100, "round")}
[munitions.missile.sent.gift]
to = "ally"
start = 2026-02-01
end = 2026-03-01
rounds = {number(60, "round")}
[munitions.missile.sent.second]
to = "friend"
start = 2026-03-01
end = 2026-04-01
rounds = {number(70, "round")}
[munitions.missile.inflow.loan]
start = 2026-06-01
end = 2026-07-01
rounds = {number(25, "round")}
"""
    found = ours(
        tmp_path,
        text
        + asked(
            ally='measure = "sent"\nrecipient = "ally"\nunit = "round"',
            friend='measure = "sent"\nrecipient = "friend"\nunit = "round"',
            all='measure = "sent"\nunit = "round"',
            stock='measure = "stock_at"\ndate = 2026-09-01\nunit = "round"',
        ),
    )
    assert [found[name][0] for name in ("ally", "friend", "all", "stock")] == pytest.approx([60.0, 40.0, 100.0, 25.0])


def test_complete_rounds_are_the_least_of_their_parts_and_ramps_slip(tmp_path: Path) -> None:
    text = f"""
slip = {number(6, "month")}
realisation = {number(0.5, "1")}
[munitions.shell]
title = "Shell"
line.body.capacity = {number(40, "round/month")}
line.charge.capacity = {number(10, "round/month")}
line.charge.plans.ramp = {{ by = 2027-01-01, value = 30 }}
"""
    found = ours(
        tmp_path,
        text
        + asked(
            start='measure = "output_rate"\nfrom = 2026-01-01\nuntil = 2026-02-01\nunit = "round/month"',
            middle='measure = "output_rate"\nfrom = 2026-10-01\nuntil = 2026-11-01\nunit = "round/month"',
            end='measure = "output_rate"\ndate = 2029-01-01\nunit = "round/month"',
        ),
    )
    # Half of 20 more, 18 months from the start, in a straight line: 10 + 10 x 9.5 / 18 on average over the tenth month.
    assert found["start"][0] == pytest.approx(10.0 + 10.0 * 0.5 / 18.0)
    assert found["middle"][0] == pytest.approx(10.0 + 10.0 * 9.5 / 18.0)
    assert found["end"][0] == pytest.approx(20.0)


# ---------------------------------------------------------------- a user's own


USER = f"""
[munitions.missile]
title = "Missile"
stock = {number(1000, "round")}
us_share = {number(0.5, "1")}
line.motor.capacity = {number(10, "round/month")}
line.motor.plans.ramp = {{ by = 2028-01-01, value = 34 }}
[munitions.missile.orders.replacement]
awarded = 2026-04-01
quantity = {number(800, "round")}
lead_time = {number(9, "month")}
[munitions.missile.use.war]
start = 2026-03-01
end = 2026-03-17
rounds = {number(300, "round")}
"""


def test_user_asks_when_the_stock_is_back_after_order_ramp_share_and_use(tmp_path: Path) -> None:
    found = ours(
        tmp_path,
        USER
        + asked(
            back='measure = "back_at"\nsince = 2026-01-01\nunit = "month"',
            first='measure = "months_to_first_delivery"\nunit = "month"',
            last='measure = "months_to_last_delivery"\nsince = 2026-01-01\nunit = "month"',
            lowest='measure = "lowest_stock"\nunit = "round"',
            day='measure = "back_at"\nunit = "date"',
        ),
    )
    # The line makes 10 + t a month until month 24, then 34; deliveries begin in month 12, when it makes 22: 22 t + t^2 / 2 in the year
    # that follows, 336. The owner's half is back at 600 delivered: 264 more, at 34 a month.
    assert found["first"][0] == pytest.approx(9.0)
    assert found["lowest"][0] == pytest.approx(700.0)
    assert found["back"][0] == pytest.approx(24.0 + 264.0 / 34.0, abs=1e-6)
    assert found["day"][0] == found["back"][0]
    assert found["last"][0] == pytest.approx(24.0 + 464.0 / 34.0, abs=1.0 / 30.0)


def test_never_is_said_so_and_keeps_only_a_lower_bound(tmp_path: Path) -> None:
    text = USER.replace('"round", value = 800', '"round", value = 100')
    answers = asked(
        more=f'measure = "back_at"\nunit = "year"\nvalue = 2\nbound = "at_least"\n{SAID}',
        less=f'measure = "back_at"\nunit = "year"\nvalue = 2\nbound = "at_most"\n{SAID}',
    )
    made = run(tmp_path, text + answers)
    found = made.table().set_index("answer")
    assert found["verdict"].to_dict() == {"more": PASS, "less": FAIL}
    assert math.isinf(found["ours"]["more"])
    assert found["ours_said"]["more"] == "not within the run"


def test_quantity_by_rate_alone_is_not_the_answer(tmp_path: Path) -> None:
    """A stock is back after lead time and lot: the shape of the published answer that division misses."""
    text = f"""
[munitions.missile]
title = "Missile"
stock = {number(1000, "round")}
line.all.capacity = {number(240, "round/year")}
[munitions.missile.orders.replacement]
awarded = 2026-02-01
quantity = {number(400, "round")}
lead_time = {number(24, "month")}
[munitions.missile.use.war]
start = 2026-01-01
end = 2026-02-01
rounds = {number(400, "round")}
"""
    answer = asked(back=f'measure = "back_at"\nunit = "year"\nvalue = 2\nbound = "at_least"\n{SAID}')
    (row,) = run(tmp_path, text + answer).rows
    assert row.ours == pytest.approx(2.0 + 400.0 / 240.0)
    assert row.division == pytest.approx(400.0 / 240.0)
    assert (row.verdict, row.division_verdict) == (PASS, FAIL)
    (row,) = run(tmp_path, text.replace('value = 24 }', 'value = 0 }') + answer).rows
    assert row.verdict == FAIL
    most = '[munitions.missile.levels.most]\ntitle = "Most"\nof = "us_stock"\nlevel = { unit = "1", value = 0.8 }\n'
    (row,) = run(tmp_path, text + most + answer.replace("unit =", 'level = "most"\nunit =')).rows
    assert math.isnan(row.division)


def test_case_on_a_scenario_is_that_scenario_with_its_changes(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        """
title = "A test"
question = "What does the pause move?"
scenario = "july_2025"
policies = ["none", "suspension_6_months"]
[[changes]]
path = "munitions.pac3.us_share"
value = 0.5
reason = "A test."
[answers.moved]
munition = "pac3"
measure = "change_in_stock_at"
date = 2025-11-01
unit = "round"
[answers.back]
munition = "pac3"
measure = "change_in_stock_at"
policy = "none"
against = "suspension_6_months"
date = 2025-11-01
unit = "round"
""",
        encoding="utf-8",
    )
    found = {row.name: row.ours for row in sp.replicate(file).rows}
    scenario = sp.load("july_2025").override({"munitions.pac3.us_share": 0.5})
    result = sp.run(scenario, ["none", "suspension_6_months"])
    with_, without = (result.array("us_on_hand", policy=policy, munition="pac3")[0] for policy in ("suspension_6_months", "none"))
    at = result.index("2025-11-01")
    assert found["moved"] == pytest.approx(with_[at] - without[at]) != 0.0
    assert found["back"] == -found["moved"]


# ---------------------------------------------------------------- verdicts


@pytest.mark.parametrize(
    ("published", "ours_", "verdict", "difference"),
    [
        (Published(42.0, None, None, "about", 2.0), (44.0, 30.0, 60.0), PASS, 2.0),
        (Published(42.0, None, None, "about", 2.0), (44.1, 44.1, 44.1), FAIL, 2.1),
        (Published(42.0, None, None, "about", 0.0), (42.0, 42.0, 42.0), PASS, 0.0),
        (Published(42.0, None, None, "about", 2.0), (math.inf, 41.0, math.inf), FAIL, math.inf),
        (Published(None, 16.0, 22.0, "about", 0.5), (19.0, 15.5, 22.5), PASS, 0.5),
        (Published(None, 16.0, 22.0, "about", 0.5), (19.0, 15.4, 22.0), FAIL, -0.6),
        (Published(19.0, 16.0, 22.0, "about", 0.0), (22.0, 22.0, 22.0), PASS, 0.0),
        (Published(19.0, 16.0, 22.0, "about", 0.0), (19.0, 16.0, 23.0), FAIL, 1.0),
        (Published(2.0, None, None, "at_least", 0.0), (3.8, 2.0, 4.8), PASS, 1.8),
        (Published(2.0, None, None, "at_least", 0.0), (3.8, 1.9, 4.8), FAIL, -0.1),
        (Published(2.0, None, None, "at_least", 0.2), (3.8, 1.9, math.inf), PASS, -0.1),
        (Published(30.0, None, None, "at_most", 0.0), (5.0, 1.0, 30.0), PASS, -25.0),
        (Published(30.0, None, None, "at_most", 0.0), (5.0, 1.0, 31.0), FAIL, 1.0),
        (Published(None, None, None, "about", 0.0), (5.0, 1.0, 31.0), NOT_PUBLISHED, math.nan),
    ],
)
def test_verdicts(published: Published, ours_: tuple[float, float, float], verdict: str, difference: float) -> None:
    found = published.verdict(*ours_)
    assert found[0] == verdict
    assert found[1] == pytest.approx(difference, nan_ok=True)


def test_words_say_which_end_of_our_range_passes_a_bound(tmp_path: Path) -> None:
    text = f"""
[munitions.missile]
title = "Missile"
stock = {number(100, "round", 90, 120)}
"""
    stock = 'measure = "stock_at"\ndate = 2026-01-01\nunit = "round"\n' + SAID
    made = run(
        tmp_path,
        text
        + asked(
            least=stock + 'value = 95\nbound = "at_least"',
            most=stock + 'value = 110\nbound = "at_most"\ntolerance = 10',
            broken=stock + 'value = 110\nbound = "at_least"',
            ends=stock + "low = 90\nhigh = 110",
            outside=stock + "low = 10\nhigh = 20",
        ),
    )
    why = {row.name: case_words.why(row).split(" Not counted")[0] for row in made.rows}
    assert why == {
        "least": "Ours breaks the bound, reaching 5 rounds below it, no tolerance. A test.",
        "most": "Ours keeps the bound, reaching 10 rounds above it, tolerance 10 rounds.",
        "broken": "Ours breaks the bound, 20 rounds below it, no tolerance. A test.",
        "ends": "Ours reaches 10 rounds above the published range, no tolerance. A test.",
        "outside": "Ours is 100 rounds above the published range, no tolerance. A test.",
    }


@pytest.mark.filterwarnings("error")
def test_what_is_divided_by_nothing_is_said_so(tmp_path: Path) -> None:
    text = f"""
[munitions.missile]
title = "Missile"
stock = {number(0, "round")}
use.war = {{ start = 2026-01-01, end = 2026-02-01, rounds = {number(40, "round")} }}
"""
    answers = asked(
        years='measure = "years_of_output"\nunit = "year"',
        ratio='measure = "use_over_output"\nunit = "1"\nfrom = 2027-01-01',
        share='measure = "share_left"\nunit = "1"\ndate = 2027-01-01',
        never='measure = "date_of_first_delivery"\nunit = "date"',
    )
    said = run(tmp_path, text + answers).table().set_index("answer")["ours_said"]
    assert said.to_dict() == {
        "years": "without limit, as nothing is delivered", "ratio": "no number, as it is nought over nought",
        "share": "no number, as it is nought over nought", "never": "not within the run",
    }


def write_cases(folder: Path) -> Path:
    """A folder with cases that fail, pass, do not count, and cannot be expressed."""
    cases = folder / "params" / "cases"
    cases.mkdir(parents=True)
    (folder / "params" / "sources.toml").write_text(
        '[a_report]\ntitle = "A report"\npublisher = "Somebody"\ndate = 2026-01-01\nprecision = "day"\nurl = "none: a test"\n'
        'kind = "original"\noutlet_kind = "think_tank"\n',
        encoding="utf-8",
    )
    sourced = '{ unit = "round", value = 100, source = "a_report", where = "page 1", grade = "reported" }'
    world = f"""[munitions.missile]
title = "Missile"
stock = {sourced}
use.war = {{ start = 2026-01-01, end = 2026-02-01, rounds = {number(40, "round")} }}
"""
    answer = '[answers.left]\nmeasure = "stock_at"\ndate = 2026-03-01\nunit = "round"\n{0}\nsource = "a_report"\nwhere = "page 2"\n'
    head = HEAD + "end = 2027-01-01\n"
    texts = {
        "b_passes": head + world + answer.format("value = 61\ntolerance = 1"),
        "a_fails": head + world + answer.format("value = 62\ntolerance = 1"),
        "c_sum": head + 'counts = false\nbecause = "A sum."\n' + world + answer.format("value = 80"),
        "d_supposed": head + world.replace(sourced, number(100, "round")) + answer.format("value = 60"),
        "e_wargame": 'title = "A war"\nquestion = "Who wins?"\nnot_expressible = "It needs a wargame."\n',
        "f_asked": head + world + '[answers.left]\nmeasure = "stock_at"\ndate = 2026-03-01\nunit = "round"\n',
    }
    for name, text in texts.items():
        (cases / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder / "params"


OWN = ("e_wargame", "f_asked", "b_passes", "d_supposed", "a_fails", "c_sum")


def test_failures_come_first_and_what_does_not_count_says_why(tmp_path: Path) -> None:
    made = sp.replicate(OWN, [write_cases(tmp_path)])
    found = made.table()
    assert found["case"].tolist() == ["a_fails", "b_passes", "c_sum", "d_supposed", "f_asked", "e_wargame"]
    assert found["verdict"].tolist() == [FAIL, PASS, FAIL, PASS, NOT_PUBLISHED, NOT_EXPRESSIBLE]
    assert found["counts"].tolist() == [True, True, False, False, False, False]
    assert made.counted == {"a_fails": FAIL, "b_passes": PASS}
    assert made.sentence == "1 of 2 published cases is reproduced within tolerance; not: a_fails."
    said = found.set_index("case")["why"]
    assert said["a_fails"] == "Ours is 2 rounds below, tolerance 1 round."
    assert said["b_passes"] == "Ours is 1 round below, tolerance 1 round."
    assert said["c_sum"].endswith("Not counted: a sum.")
    assert said["d_supposed"].endswith("Not counted: no input was published.")
    assert said["e_wargame"] == "It needs a wargame."
    assert case_words.asked(made.rows[-1]) == "Who wins?"
    assert made.manifest["cases"] == list(OWN)


def test_same_cases_give_the_same_and_another_number_another_digest(tmp_path: Path) -> None:
    folder = write_cases(tmp_path)
    first, second = sp.replicate(OWN, [folder]), sp.replicate(OWN, [folder])
    pd.testing.assert_frame_equal(first.table(), second.table(), check_exact=True)
    assert first.manifest == second.manifest
    file = folder / "cases" / "a_fails.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("value = 62", "value = 63"), encoding="utf-8")
    assert sp.replicate(OWN, [folder]).manifest["parameters"] != first.manifest["parameters"]


# ---------------------------------------------------------------- files and the command line


def test_template_and_shipped_cases_fit_the_schema_for_editors() -> None:
    from jsonschema import Draft202012Validator
    from test_editors import plain

    from stockpile.editors import json_schema
    from stockpile.evidence.cases import case_template

    validator = Draft202012Validator(json_schema("case"))
    texts = [case_template(), *(file.read_text(encoding="utf-8") for file in sorted((params.default_folder() / "cases").glob("*.toml")))]
    faults = [error.message for text in texts for error in validator.iter_errors(plain(tomllib.loads(text)))]
    assert faults == []
    wrong = plain(tomllib.loads(case_template().replace("value = 1000 }", 'value = 1000, grade = "reported" }')))
    assert [error.absolute_path[-1] for error in validator.iter_errors(wrong)] == ["stock"]


def test_template_runs_as_it_stands(call: Call, tmp_path: Path) -> None:
    printed = call("replicate", "--template")
    assert printed.code == 0
    file = tmp_path / "mine.toml"
    file.write_text(printed.out, encoding="utf-8")
    done = call("replicate", str(file), "--json")
    assert done.code == 0
    found = {row["answer"]: row for row in done.json["table"]}
    # 900 rounds in a year are more than the line makes, 50 a month: half of 800 fill 400 after 16 months from month 33 on.
    assert found["back"]["ours"] == pytest.approx(33.0 + 800.0 / 50.0)
    assert found["first_round"]["ours"] == pytest.approx(30.0)
    assert found["lowest"]["ours"] == pytest.approx(600.0)


def test_command_prints_failures_first_and_strict_ends_with_1(call: Call, tmp_path: Path) -> None:
    folder = ("--params", str(write_cases(tmp_path)))
    done = call("replicate", *OWN, *folder)
    assert done.code == 0
    headings = [line for line in done.out.splitlines() if line in ("Not reproduced", "Reproduced", "Shown, not counted", "Not expressible")]
    assert done.out.splitlines()[0] == "1 of 2 published cases is reproduced within tolerance; not: a_fails."
    assert headings == ["Not reproduced", "Reproduced", "Shown, not counted", "Not expressible"]
    assert call("replicate", *OWN, *folder, "--strict").code == 1
    assert call("replicate", "b_passes", *folder, "--strict").code == 0


def test_a_file_that_stands_in_for_a_shipped_case_is_said_and_two_of_one_name_are_refused(call: Call, tmp_path: Path) -> None:
    files = [tmp_path / "r09_patriot_replacement.toml", tmp_path / "again" / "r09_patriot_replacement.toml"]
    files[1].parent.mkdir()
    for file in files:
        file.write_text(call("replicate", "--template").out, encoding="utf-8")
    done = call("replicate", str(files[0]))
    assert done.code == 0 and "In place of the shipped case of the same name: r09_patriot_replacement.toml." in done.out
    assert "In place of" not in call("replicate", "r09_patriot_replacement").out
    twice = call("replicate", *map(str, files))
    assert (twice.code, twice.out) == (2, "")
    assert f"{files[1]}: has the name of {files[0]}; allowed: each case under a name of its own" in twice.err


@pytest.mark.parametrize("ending", [".csv", ".json", ".parquet"])
def test_command_writes_the_table(call: Call, tmp_path: Path, ending: str) -> None:
    folder, path = write_cases(tmp_path), tmp_path / f"cases{ending}"
    assert call("replicate", *OWN, "--params", str(folder), "-o", str(path)).code == 0
    if ending == ".json":
        import json

        rows = json.loads(path.read_text(encoding="utf-8"))["table"]
        assert [row["case"] for row in rows] == sp.replicate(OWN, [folder]).table()["case"].tolist()
        return
    found = pd.read_csv(path) if ending == ".csv" else pd.read_parquet(path)
    assert found["ours"].dropna().tolist() == pytest.approx([60.0] * 5)


@pytest.mark.parametrize(
    ("change", "at", "said"),
    [
        (("quantity = ", "quantiy = "), "munitions.missile.orders.replacement.quantiy", "unknown key; did you mean 'quantity'"),
        (('"round", value = 300', '"rounds", value = 300'), "munitions.missile.use.war.rounds.unit", "unknown unit 'rounds'"),
        (("end = 2026-03-17", "end = 2026-02-17"), "munitions.missile.use.war.end", "2026-02-17 is not after start"),
        (('"1", value = 0.5', '"1", value = 50'), "munitions.missile.us_share.value", "50 is out of range; allowed: from 0 to 1"),
        (("by = 2028-01-01", 'by = "2028"'), "munitions.missile.line.motor.plans.ramp.by", "'2028' does not fit"),
        (('"back_at"\nunit = "month"', '"back_at"\nunit = "round"'), "answers.back.unit", "'round' is no unit of back_at"),
    ],
)
def test_wrong_file_of_a_user_is_refused_with_its_place(call: Call, tmp_path: Path, change: tuple[str, str], at: str, said: str) -> None:
    text = HEAD + "end = 2034-01-01\n" + USER + asked(back='measure = "back_at"\nunit = "month"')
    assert change[0] in text
    file = tmp_path / "mine.toml"
    file.write_text(text.replace(*change), encoding="utf-8")
    done = call("replicate", str(file))
    assert (done.code, done.out) == (2, "")
    assert len(done.err.strip().splitlines()) == 1
    wrong = change[1].strip().splitlines()[-1]
    line = max(number for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1) if wrong in text)
    assert re.search(rf"mine\.toml:{line}:\d+: {re.escape(at)}: {re.escape(said)}", done.err), done.err
    assert "allowed" in done.err


def test_all_faults_of_a_file_come_together_and_unknown_cases_are_named(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    text = USER.replace('"round", value = 300', '"rounds", value = 300').replace("awarded", "awardet")
    file.write_text(HEAD + "end = 2034-01-01\n" + text + asked(back='measure = "back_at"\nunit = "month"'), encoding="utf-8")
    assert len(call("replicate", str(file)).err.strip().splitlines()) == 2
    done = call("replicate", "r09_patriot_replacment")
    assert done.code == 2
    assert "did you mean 'r09_patriot_replacement'" in done.err


OWN_SOURCE = """
[sources.my_report]
title = "The report"
publisher = "The institute"
date = 2026-05-01
precision = "day"
url = "https://example.org/report"
kind = "original"
outlet_kind = "think_tank"
"""


def test_source_of_its_own_makes_a_case_of_a_user_count(call: Call, tmp_path: Path) -> None:
    text = HEAD + "end = 2028-01-01\n" + f"""
[munitions.missile]
title = "Missile"
stock = {{ unit = "round", value = 100, source = "my_report", where = "page 1" }}
use.war = {{ start = 2026-01-01, end = 2026-02-01, rounds = {number(40, "round")} }}
line.all.capacity = {number(5, "round/month")}
"""
    answer = 'measure = "back_at"\nunit = "date"\nvalue = {0}\ntolerance = 0.1\n'
    sourced = answer + 'source = ["my_report"]\nwhere = "page 2"'
    file = tmp_path / "mine.toml"

    def answered(text: str) -> tuple[int, str, str]:
        file.write_text(text, encoding="utf-8")
        done = call("replicate", str(file), "--strict")
        return done.code, done.out.split("\n")[0], done.err

    # 40 at 5 a month: eight months, from the start on.
    assert answered(text + asked(back=sourced.format("2026-09-01")) + OWN_SOURCE)[:2] == (
        0, "1 of 1 published cases is reproduced within tolerance."
    )
    assert answered(text + asked(back=sourced.format("2026-11-01")) + OWN_SOURCE)[:2] == (
        1, "0 of 1 published cases are reproduced within tolerance; not: mine."
    )
    code, out, err = answered(text.replace('"my_report"', '"my_reprt"') + asked(back=sourced.format("2026-09-01")) + OWN_SOURCE)
    assert (code, out) == (2, "") and "did you mean 'my_report'" in err and "or a table [sources.my_reprt] in this file" in err
    code, out, err = answered(text + asked(back=answer.format("2026-09-01")) + OWN_SOURCE)
    assert (code, out) == (2, "") and "answers.back.source: missing" in err and '[sources.NAME] in this file' in err
    own = answer + SAID
    assert answered(text + asked(back=own.format("2026-09-01")) + OWN_SOURCE)[:2] == (
        0, "No published case is counted; of what is shown, 1 of 1 answer comes out within tolerance."
    )
    assert answered(text + asked(back=own.format("2026-11-01")) + OWN_SOURCE)[0] == 1
    assert sp.replicate(file).table()["why"].item().endswith("Not counted: no source is named for the answer.")


def test_first_line_is_the_answer_where_nothing_was_published(tmp_path: Path) -> None:
    text = f"""
[munitions.missile]
title = "Missile"
stock = {number(100, "round")}
use.war = {{ start = 2026-01-01, end = 2026-02-01, rounds = {number(40, "round")} }}
line.all.capacity = {number(5, "round/month")}
"""
    made = run(tmp_path, text + asked(when='measure = "back_at"\nunit = "date"', amount='measure = "lowest_stock"\nunit = "round"'))
    said = "mine, when (back at): 2026-09-01, and 1 more below. Nothing was published to hold it against."
    assert made.sentence == said
    assert repr(made) == f"Replication({said!r})"


TWO = "{ from = 2026-01-01, value = 8 }, { from = 2027-01-01, value = 9 }"


@pytest.mark.parametrize(
    ("change", "at", "said"),
    [
        ((", value = 300 }", " }"), "munitions.missile.use.war.rounds.value", "missing"),
        (("awarded = 20", "awarded = 21"), "munitions.missile.orders.replacement.awarded", "2126-0"),
        (('= "back_at"', '= "back_at"\nlevel = "floor"'), "answers.back.level", "unknown level 'floor'; allowed: the name of"),
        (('"back_at"\nunit = "month"', '"back_at"\nunit = "date"\nvalue = "2030-06-13"'), "answers.back.value", "'2030-06-13' does not"),
        (('= "back_at"\nunit = "month"', '= "used"\nunit = "round"\nuntil = 2026-01-01'), "answers.back.until", "2026-01-01 is not after"),
        (('= "back_at"\nunit = "month"', '= "used"\nunit = "round"\nfrom = 2034-01-01'), "answers.back.from", "2034-01-01 is not before"),
        (("value = 1000 }", "points = [{ from = 2026-02-01, value = 9 }] }"), "munitions.missile.stock", "is needed on 2026-01-01"),
        (("value = 1000 }", f"points = [{TWO}] }}"), "munitions.missile.stock.points.1", "a stock has one number"),
        (("value = 800 }", f"points = [{TWO}] }}"), "munitions.missile.orders.replacement.quantity.points.1", "an order has one number"),
    ],
)
def test_slips_of_a_user_have_one_line_each(call: Call, tmp_path: Path, change: tuple[str, str], at: str, said: str) -> None:
    text = HEAD + "end = 2034-01-01\n" + USER + asked(back='measure = "back_at"\nunit = "month"')
    assert change[0] in text
    file = tmp_path / "mine.toml"
    file.write_text(text.replace(*change, 1), encoding="utf-8")
    done = call("replicate", str(file))
    assert (done.code, done.out, len(done.err.strip().splitlines())) == (2, "", 1)
    assert re.search(rf"mine\.toml:\d+:\d+: {re.escape(at)}: {re.escape(said)}", done.err), done.err


def test_what_a_case_on_a_scenario_asks_must_be_there(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    head = 'title = "A test"\nquestion = "When?"\nscenario = "july_2025"\npolicies = ["none"]\n'
    asks = {
        "level": 'measure = "back_at"\nlevel = "nonesuch"\nunit = "date"',
        "date": 'measure = "stock_at"\ndate = 2048-01-01\nunit = "round"',
        "recipient": 'measure = "sent"\nrecipient = "nonesuch"\nunit = "round"',
        "order": 'measure = "in_transit"\ndate = 2027-01-01\norder = "nonesuch"\nunit = "round"',
    }
    answers = asked(**{key: f'munition = "pac3"\n{text}' for key, text in asks.items()})
    file.write_text(head + answers, encoding="utf-8")
    done = call("replicate", str(file))
    assert (done.code, done.out) == (2, "")
    lines = done.err.strip().splitlines()
    assert len(lines) == len(asks)
    for key in asks:
        (line,) = [line for line in lines if f"answers.{key}.{key}:" in line]
        assert re.match(r"\S*mine\.toml:\d+:\d+: ", line) and "allowed: " in line


def test_orders_of_others_come_first_with_a_dated_share(tmp_path: Path) -> None:
    text = f"""
[munitions.missile]
title = "Missile"
stock = {number(1000, "round")}
us_share = {{ unit = "1", points = [{{ from = 2026-01-01, value = 0 }}, {{ from = 2028-01-01, value = 1 }}] }}
line.all.capacity = {number(25, "round/month")}
use.war = {{ start = 2026-03-01, end = 2026-04-01, rounds = {number(100, "round")} }}
[munitions.missile.orders.others]
awarded = 2026-01-01
quantity = {number(300, "round")}
lead_time = {number(12, "month")}
[munitions.missile.orders.own]
awarded = 2026-04-01
quantity = {number(100, "round")}
lead_time = {number(12, "month")}
"""
    found = ours(
        tmp_path,
        text
        + asked(
            others='measure = "date_of_last_delivery"\norder = "others"\nunit = "date"',
            own='measure = "date_of_last_delivery"\norder = "own"\nunit = "date"',
            back='measure = "back_at"\nunit = "date"',
        ),
    )
    # 300 at 25 a month from month 12: done in month 24; then 100 at 25.
    assert [found[name][0] for name in ("others", "own", "back")] == pytest.approx([24.0, 28.0, 28.0], abs=1e-6)


def test_answers_without_a_title_say_which_munition(tmp_path: Path) -> None:
    worlds = "".join(f'[munitions.{name}]\ntitle = "{name}"\nstock = {number(10, "round")}\n' for name in "mn")
    ask = 'munition = "{0}"\nmeasure = "lowest_stock"\nunit = "round"'
    made = run(tmp_path, worlds + asked(s=ask.format("m"), n=ask.format("n"), lowest=ask.format("n")))
    assert made.table().set_index("answer")["said"].to_dict() == {
        "s": "m, s (lowest stock)", "n": "n (lowest stock)", "lowest": "n, lowest stock"
    }


def test_what_rounding_leaves_is_printed_as_nought() -> None:
    assert [case_words.plain(value) for value in (3.1e-13, -3.1e-13, 0.0, 0.0123, 41.67)] == ["0", "0", "0", "0.0123", "41.7"]


# ---------------------------------------------------------------- contracts, documents, page


def test_contracts_alone_are_delivered_and_both_engines_agree(tmp_path: Path) -> None:
    (tmp_path / "munitions").mkdir()
    for name in ("pac3", "aim9x"):
        (tmp_path / "munitions" / f"{name}.toml").write_text('[line]\nfunding = "contracts"\n', encoding="utf-8")
    scenario = sp.load("july_2025", params=[tmp_path]).with_munitions(["pac3", "aim9x"])
    result = sp.run(scenario, ["none"])
    for name in ("pac3", "aim9x"):
        lots = scenario.munitions[name].line.lots
        delivered = result.array("delivered", policy="none", munition=name).sum()
        most = sum(lot.quantity.points[0].value for lot in lots.values())
        assert delivered <= most + 1e-6
        assert (delivered > 0.0) == bool(lots)
    pytest.importorskip("llvmlite")
    first, second = (sp.ensemble(scenario, ["none"], members=40, engine=engine) for engine in ("numpy", "compiled"))
    pd.testing.assert_frame_equal(first.metrics(), second.metrics(), check_exact=True)
    pd.testing.assert_frame_equal(first.quantiles([0.05, 0.5, 0.95]), second.quantiles([0.05, 0.5, 0.95]), check_exact=True)


def test_measures_are_those_of_the_schema_and_of_the_document() -> None:
    assert list(MEASURES) != [] and set(MEASURES) == set(schema.MEASURES)
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "_generate.py")
    assert spec is not None and spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    text = (ROOT / "docs/cases.md").read_text(encoding="utf-8")
    assert text == generator.cases(text), "stale: run `make docs`"
    assert all(f"| `{name}` |" in text for name in MEASURES)


def test_example_of_the_document_runs(tmp_path: Path) -> None:
    text = (ROOT / "docs/cases.md").read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    (row,) = sp.replicate(file).rows
    # 400 at half of 1,000 over twelve months from October 2028: 800 after 9.6 months, July 2029.
    assert row.clock is not None
    assert str(row.clock.date(row.ours).astype("datetime64[M]")) == "2029-07"


def test_page_has_failures_first_and_says_what_does_not_count(tmp_path: Path) -> None:
    made = sp.replicate(OWN, [write_cases(tmp_path)])
    section = replications.section(made, "result-1")
    assert section.sentences[0].startswith("1 of 2 published cases")
    (chart,) = section.charts
    assert [row[5] for row in chart.table.rows] == [FAIL, PASS]
    assert [replications.off(row) for row in made.rows[:2]] == pytest.approx([-2.0, -1.0])
    lengths = {trace["name"]: trace["x"] for trace in chart.spec["data"]}
    assert lengths == {"not reproduced": [-2], "reproduced": [-1]}
    assert [table.caption for table in section.tables] == ["Shown, not counted", "What a model of this kind cannot say"]
    assert [row[0] for row in section.tables[1].rows] == ["A war"]
    page = sp.report(made, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "It needs a wargame." in page


# ---------------------------------------------------------------- the shipped cases


NAMED = ("r01", "r02", "r09", "r14", "r17", "r21", "r24", "r34")


@pytest.fixture(scope="module")
def shipped() -> Replication:
    return sp.replicate([name for name in params.read().names("cases") if name.split("_")[0] in NAMED])


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMED)
def test_named_cases_are_counted_and_come_out(shipped: Replication, name: str) -> None:
    assert [verdict for case, verdict in shipped.counted.items() if case.startswith(f"{name}_")] == [PASS]


@pytest.mark.slow
def test_quantity_by_rate_fails_the_replacement_of_patriots_and_the_engine_does_not(shipped: Replication) -> None:
    (row,) = [row for row in shipped.rows if row.case.startswith("r09_")]
    assert (row.verdict, row.division_verdict) == (PASS, FAIL)
    assert row.division == pytest.approx(402 / 225)
    assert row.low > row.division + 1.0


def test_shipped_cases_say_where_inputs_and_answers_come_from() -> None:
    found = params.read()
    folder = params.default_folder() / "cases"
    for name in found.names("cases"):
        case = found.models["cases", name]
        assert isinstance(case, schema.Case)
        text = tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))
        assert text["title"] == case.title
        assert any(answer.source for answer in case.answers.values()), name


