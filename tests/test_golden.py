"""Golden tables: no number of a shipped scenario moves unseen."""

import pytest
from golden import refresh

import stockpile as sp

HOW = 'If they are meant to move: `make golden`, and a line "Results: ..." in CHANGELOG.md that says which and why.'


@pytest.mark.parametrize("name", sp.scenarios())
def test_no_number_has_moved(name: str) -> None:
    changes = refresh.moved(refresh.read(name), refresh.rows(name))
    shown = "\n  ".join([*changes[:40], *(["..."] if len(changes) > 40 else [])])
    assert not changes, f"{len(changes)} numbers of tests/golden/{name}.csv moved:\n  {shown}\n{HOW}"


def test_there_is_a_table_for_every_scenario_and_no_other() -> None:
    assert {file.stem for file in refresh.FOLDER.glob("*.csv")} == set(sp.scenarios())


def test_the_default_scenario_has_all_its_policies() -> None:
    assert {row[0] for row in refresh.read("july_2025")[1:]} == set(sp.load("july_2025").policies)


def test_what_moved_is_listed() -> None:
    before = [("policy", "munition", "quantity", "recipient", "2023-01-01"), ("none", "pac3", "us_on_hand", "us", "2000")]
    after = [before[0], (*before[1][:4], "2001"), ("none", "pac3", "unmet so far", "ukraine", "3")]
    assert refresh.moved(before, after) == [
        "none pac3 us_on_hand us 2023-01-01: 2000 -> 2001",
        "none pac3 unmet so far ukraine 2023-01-01: nothing -> 3",
    ]
    assert refresh.moved(after, before)[1] == "none pac3 unmet so far ukraine 2023-01-01: 3 -> nothing"
    assert refresh.moved(before, before) == []


def test_numbers_have_six_digits() -> None:
    assert [refresh.digits(value) for value in (1234567.0, 0.1 + 0.2, -0.0, 1e-9)] == ["1.23457e+06", "0.3", "0", "1e-09"]
