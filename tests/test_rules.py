"""Allocation rules of a user's own: they propose, the step settles; whatever they do, the books close."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stockpile as sp

RULES = '''
import numpy as np

class ProRata:
    """What the built-in rule does."""
    def allocate(self, view):
        total = view.asked.sum(axis=1, keepdims=True)
        part = np.divide(view.available[:, None], total, out=np.zeros_like(total), where=total > 0)
        return view.asked * np.minimum(part, 1.0)

class Everything:
    """Asks for ten times what is asked for and more than there is."""
    def allocate(self, view):
        return 10.0 * view.asked + view.available[:, None] + 7.0

class Huge:
    def allocate(self, view):
        return np.full(view.asked.shape, 1e300)

class Negative:
    def allocate(self, view):
        return -view.asked - 1.0

class Mixed:
    """Takes from one to give to another."""
    def allocate(self, view):
        given = 3.0 * view.asked
        given[:, 0] = -1e6
        return given

class Nothing:
    def allocate(self, view):
        return np.zeros(view.asked.shape)

class WholeNumbers:
    def allocate(self, view):
        return np.floor(view.asked).astype(int)

class ListOfLists:
    def allocate(self, view):
        return view.asked.tolist()

class Forgetful:
    """Counts its calls: the state of a rule is its own business."""
    def __init__(self):
        self.calls = 0
    def allocate(self, view):
        self.calls += 1
        return view.asked * (self.calls % 2)

class Remembering:
    """Keeps what it saw, for the test to read."""
    seen = []
    def allocate(self, view):
        self.seen.append(view)
        return view.asked

class NotANumber:
    def allocate(self, view):
        given = np.array(view.asked)
        given[0, 0] = np.nan
        return given

class Infinite:
    def allocate(self, view):
        return np.full(view.asked.shape, np.inf)

class WrongShape:
    def allocate(self, view):
        return view.asked.T

class TooFew:
    def allocate(self, view):
        return view.asked[:, :1]

class OneNumber:
    def allocate(self, view):
        return 1.0

class Ragged:
    def allocate(self, view):
        return [[1.0], [1.0, 2.0]]

class Raising:
    def allocate(self, view):
        raise RuntimeError("the rule gave up")

class Writing:
    def allocate(self, view):
        view.asked[:] = 1e9
        return view.asked

class WritingAvailable:
    def allocate(self, view):
        view.available += 1e9
        return view.asked

class Unlocking:
    """Lifts the write protection and writes: into its own copy only."""
    def allocate(self, view):
        for array in (view.asked, view.available, view.weight, view.priority):
            array.flags.writeable = True
            array[...] = 1e9
        return view.asked

class Strings:
    def allocate(self, view):
        return [["a lot"] * view.asked.shape[1]] * view.asked.shape[0]

class NumbersAsStrings:
    def allocate(self, view):
        return [["1.0"] * view.asked.shape[1]] * view.asked.shape[0]

class Complex:
    def allocate(self, view):
        return view.asked * 1j

class Nowhere:
    def allocate(self, view):
        return None

class NoMethod:
    pass

class NotCallable:
    allocate = 3.0

class NeedsArguments:
    def __init__(self, share):
        self.share = share
    def allocate(self, view):
        return view.asked

class WrongSignature:
    def allocate(self):
        return 0.0
'''
POLICY = """
title = "A rule of one's own"
description = "Transfers are shared out by a rule of the user's."
transfer_floor = "transfer_floor"
review_level = "review_level"
[allocation]
use = "{use}"
"""
Load = Callable[[str], sp.Scenario]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Return a function that loads july_2025 with a policy `own` whose rule is `use`; the needs exceed what can be sent."""
    (tmp_path / "params" / "policies").mkdir(parents=True)
    module = tmp_path / "modules" / "rules_of_a_user.py"
    module.parent.mkdir()
    module.write_text(RULES, encoding="utf-8")
    (module.parent / "broken_module_of_a_user.py").write_text("1 / 0\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(module.parent))
    monkeypatch.delitem(sys.modules, "rules_of_a_user", raising=False)

    def load(use: str) -> sp.Scenario:
        (tmp_path / "params" / "policies" / "own.toml").write_text(POLICY.format(use=use), encoding="utf-8")
        scenario = sp.load("july_2025", params=[tmp_path / "params"])
        short = {f"munitions.{name}.floors.transfer_floor": 0.9 for name in ("pac3", "shell_155mm", "aim120", "aim9x")}
        asking = {"recipients.*.pac3.ceiling": 200.0, "recipients.*.pac3.need": 150.0, "scenario.end": dt.date(2027, 1, 1)}
        return scenario.override(short | asking)

    return load


def check_books(result: sp.Result, policy: str) -> None:
    """Assert that the US books and the recipients' close, that nothing is negative and nobody gets more than asked."""
    for munition in result.munitions:

        def read(quantity: str, row: str = "us", munition: str = munition) -> Any:
            return result.array(quantity, row, policy=policy, munition=munition)[0]

        stock, names = read("us_on_hand"), result.recipients
        sent = sum(read("sent", r) for r in names)
        diverted = sum(read("diverted", r) for r in names)
        change = read("to_us") + diverted + read("us_inflow") - read("own_use") - sent - read("expired")
        assert np.abs(np.diff(stock) - change).max() <= 1e-9 * stock.max()
        granted = sum(read("granted", r) for r in names)
        assert (granted <= read("available") * (1.0 + 1e-12) + 1e-12).all()
        for r in names:
            assert (read("granted", r) >= 0.0).all()
            assert (read("granted", r) <= (read("request", r) - read("dropped", r)) * (1.0 + 1e-12)).all()
            assert (read("on_hand", r) >= -1e-9 * stock.max()).all()
            assert (read("rule_cut", r) >= 0.0).all()
        assert (stock >= -1e-9 * stock.max()).all()


def cut(result: sp.Result, policy: str = "own") -> float:
    arrays = [result.array("rule_cut", r, policy=policy, munition=m) for r in result.recipients for m in result.munitions]
    return float(sum(array.sum() for array in arrays))


def test_rule_that_equals_pro_rata_gives_what_the_built_in_one_gives(own: Load) -> None:
    result = sp.run(own("rules_of_a_user:ProRata"), ["none", "own"])
    short = 0.0
    for (quantity, row), array in result.arrays.items():
        none, mine = array
        if quantity != "rule_cut":
            assert mine == pytest.approx(none, rel=1e-12, abs=1e-9), (quantity, row)
        if quantity == "granted":
            short += float((result.arrays["request", row][1] - mine).sum())
    assert short > 1.0, "the rule had nothing to share out"
    assert cut(result) == pytest.approx(0.0, abs=1e-6)
    assert cut(result, "none") == 0.0


@pytest.mark.parametrize(
    "name", ["Everything", "Huge", "Negative", "Mixed", "Nothing", "WholeNumbers", "ListOfLists", "Forgetful", "Unlocking"]
)
def test_books_close_whatever_a_rule_proposes(own: Load, name: str) -> None:
    result = sp.run(own(f"rules_of_a_user:{name}"), ["own"])
    check_books(result, "own")


@pytest.mark.parametrize("name", ["Everything", "Huge", "Mixed", "Unlocking"])
def test_what_was_cut_off_a_proposal_is_recorded(own: Load, name: str) -> None:
    result = sp.run(own(f"rules_of_a_user:{name}"), ["own"])
    assert cut(result) > 0.0
    table = result.table()
    rows = table[table["quantity"] == "rule_cut"]
    assert rows["value"].sum() == pytest.approx(cut(result))
    assert set(rows["recipient"]) == set(result.recipients)


def test_cut_is_what_was_proposed_less_what_was_granted(own: Load) -> None:
    """Ten times what is asked, what is available and seven more, less what the step made of it."""
    result = sp.run(own("rules_of_a_user:Everything"), ["own"])
    for munition in result.munitions:

        def read(quantity: str, row: str = "us", munition: str = munition) -> Any:
            return result.array(quantity, row, policy="own", munition=munition)[0]

        for r in result.recipients:
            asked = read("request", r) - read("dropped", r)
            proposed = 10.0 * asked + read("available") + 7.0
            assert read("rule_cut", r) == pytest.approx(proposed - read("granted", r), rel=1e-12)


@pytest.mark.parametrize("name", ["Negative", "Nothing"])
def test_rule_that_gives_nothing_sends_nothing(own: Load, name: str) -> None:
    result = sp.run(own(f"rules_of_a_user:{name}"), ["own"])
    assert all((result.array("sent", r, policy="own", munition=m) == 0.0).all() for r in result.recipients for m in result.munitions)
    assert cut(result) == 0.0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("NotANumber", "not finite"),
        ("Infinite", "not finite"),
        ("WrongShape", "gave the shape (3, 4)"),
        ("TooFew", "gave the shape (4, 1)"),
        ("OneNumber", "gave the shape ()"),
        ("Ragged", "failed: ValueError"),
        ("Raising", "failed: RuntimeError: the rule gave up"),
        ("Writing", "failed: ValueError"),
        ("WritingAvailable", "failed: ValueError"),
        ("Strings", "allowed: numbers"),
        ("NumbersAsStrings", "allowed: numbers"),
        ("Complex", "allowed: numbers"),
        ("Nowhere", "allowed: numbers"),
        ("NoMethod", "has no method allocate(view)"),
        ("NotCallable", "has no method allocate(view)"),
        ("NeedsArguments", "cannot be loaded: TypeError"),
        ("WrongSignature", "failed: TypeError"),
        ("Missing", "cannot be loaded: AttributeError"),
    ],
)
def test_hostile_rule_is_an_error_that_names_the_policy(own: Load, name: str, words: str) -> None:
    scenario = own(f"rules_of_a_user:{name}")
    with pytest.raises(sp.InputError) as caught:
        sp.run(scenario, ["none", "own"])
    (problem,) = caught.value.problems
    assert problem.key.split(".")[0] == "own"
    assert f"rules_of_a_user:{name}" in problem.message
    assert words in problem.message


@pytest.mark.parametrize(
    ("use", "words"),
    [("no_such_module_of_a_user:Rule", "ModuleNotFoundError"), ("broken_module_of_a_user:Rule", "ZeroDivisionError")],
)
def test_module_that_cannot_be_loaded_is_an_error_that_names_the_policy(own: Load, use: str, words: str) -> None:
    with pytest.raises(sp.InputError, match=words) as caught:
        sp.run(own(use), ["own"])
    assert caught.value.problems[0].key.split(".")[0] == "own"


def test_rule_needs_the_difference_method(own: Load) -> None:
    scenario = own("rules_of_a_user:ProRata").override({"scenario.method": "ode"})
    with pytest.raises(sp.InputError, match="allowed: difference"):
        sp.run(scenario, ["own"])


def test_rule_sees_names_dates_and_what_is_asked(own: Load) -> None:
    scenario = own("rules_of_a_user:Remembering").override({"scenario.substeps": 2})
    result = sp.run(scenario, ["own"])
    import rules_of_a_user  # type: ignore[import-not-found]

    seen = rules_of_a_user.Remembering.seen
    assert [view.month for view in seen] == result.months[:-1].tolist()
    assert all(view.recipients == result.recipients for view in seen)
    assert all(view.munition == result.munitions for view in seen)
    for m, munition in enumerate(result.munitions):
        for r, name in enumerate(result.recipients):
            asked = result.array("request", name, policy="own", munition=munition)[0] * 2.0
            assert [view.asked[m, r] for view in seen] == pytest.approx(asked.tolist())
        assert all(view.priority[m].tolist() == [0.0, 0.0, 0.0] for view in seen)


def test_each_policy_has_a_rule_of_its_own_and_leaves_the_others_alone(own: Load) -> None:
    """A run beside others gives what the run alone gives, and the built-in policies do not notice."""
    scenario = own("rules_of_a_user:Forgetful")
    beside, alone, without = sp.run(scenario, ["none", "own", "ukraine_first"]), sp.run(scenario, ["own"]), sp.run(scenario, ["none"])
    for munition in beside.munitions:
        for policy, other in (("own", alone), ("none", without)):
            both = [result.array("us_on_hand", policy=policy, munition=munition) for result in (beside, other)]
            assert np.array_equal(*both)
