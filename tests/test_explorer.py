"""The live page in a browser: its numbers are the library's, its links and commands reproduce them, and everybody can use it."""

from __future__ import annotations

import datetime as dt
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from commands import Call
from playwright.sync_api import Browser, Page, sync_playwright

import stockpile as sp
from stockpile.ensembles.result import QUANTILES
from stockpile.errors import InputError
from stockpile.report.explorer.page import lean
from stockpile.report.explorer.payload import MEMBERS, SEED

ROOT = Path(__file__).parent.parent
MOST = 300_000
"""Bytes of the committed page."""
NAMES = ("chromium", "chromium-browser", "google-chrome")
browsers = pytest.mark.browser
SIX = {"suspension": "suspend=2025-07-01_2026-01-01_0_ukraine_pac3.shell_155mm.aim120.aim9x_deferred_held"}
OTHER = {"suspension": "suspend=2025-09-01_2027-01-01_0.25_israel_pac3.shell_155mm.aim120.aim9x_cancelled_diverted"}
MIXED = (
    "#1&july_2025&scenario=ceasefire&suspend=2025-09-01_2026-07-01_0.25_israel.ukraine_pac3.shell_155mm.aim9x_cancelled_diverted&first=partners"
    "&munitions.pac3.us_stock=1.3&recipients.ukraine.shell_155mm.need.rounds=0.75&munitions.aim120.floors.transfer_floor=0.62"
    "&campaigns.us_operation.rounds.aim120=1.5&munitions.aim9x.us_share=0.4&model.ramp_delay=-5&model.slip=9"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium: the one named in CHROMIUM, or the one on the path."""
    found = os.environ.get("CHROMIUM") or next((path for path in map(shutil.which, NAMES) if path), None)
    assert found, "the browser tests need a Chromium: none is on the path; name one in CHROMIUM"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sp.explorer(sp.load("july_2025"), tmp_path_factory.mktemp("pages") / "explorer.html")


class Seen:
    """A page that was opened, and everything it asked for or complained of."""

    def __init__(self, browser: Browser, file: Path, hash_: str = "", width: int = 1280, **options: Any) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 800}, offline=True, **options)
        self.context.set_default_timeout(60_000)
        self.page: Page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(file.as_uri() + hash_)
        if options.get("java_script_enabled", True):
            self.page.wait_for_selector("html[data-ready]", state="attached")

    def go(self, hash_: str) -> None:
        """Put a setting into the address, and wait until it is drawn."""
        # The address is written with a delay, and an empty one is that of the page as it opens.
        self.page.evaluate("hash => { stockpile.open(hash); stockpile.redraw(); stockpile.write(); }", hash_)

    def raw(self, line: str = "yours") -> Any:
        """Everything that the page has of a line, draw by draw."""
        return self.page.evaluate(
            """line => Object.fromEntries(Object.entries(stockpile.found[line]).map(([name, one]) => [name, {
              at_end: [...one.atEnd], lowest: [...one.lowest], first: [...one.first].map(t => t === Infinity ? -1 : t),
              unmet: one.unmet.map(row => [...row]), fan: one.fan.map(row => [...row]), below: one.below, said: one.said}]))""",
            line,
        )

    def settle(self) -> None:
        """Wait for the drawing that was asked for, and for the address."""
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 250)))")


@pytest.fixture(scope="module")
def seen(browser: Browser, file: Path) -> Iterator[Seen]:
    opened = Seen(browser, file, color_scheme="light")
    yield opened
    opened.context.close()


@pytest.fixture
def fresh(seen: Seen) -> Seen:
    """The page with nothing moved and nothing to undo."""
    seen.page.evaluate("document.getElementById('dialog').close()")
    seen.go("")
    seen.complaints.clear()
    return seen


def compared(found: Any, made: Any, policy: str) -> None:
    """Check what the page has of a line, draw by draw, against an ensemble that kept its trajectories."""
    metrics = made.metrics().set_index(["policy", "munition", "recipient", "metric"]).sort_index()["value"]
    for munition in made.munitions:

        def metric(name: str, row: str = "us", munition: str = munition) -> Any:
            return metrics.loc[policy, munition, row, name].to_numpy()

        one = found[munition]
        assert np.array_equal(one["at_end"], metric("stock_at_end"))
        assert np.array_equal(one["lowest"], metric("minimum_after_as_of"))
        first = metric("first_below.transfer_floor")
        assert np.array_equal(one["first"], np.where(np.isinf(first), -1, first))
        assert one["below"] == np.isfinite(first).sum()
        for row, recipient in zip(one["unmet"], made.recipients, strict=True):
            total = metric("total_unmet", recipient)
            np.testing.assert_allclose(row, total, rtol=1e-12, atol=1e-9)
        fan = made.band("us_on_hand", policy=policy, munition=munition)
        np.testing.assert_allclose(one["fan"], fan, rtol=1e-14, atol=0)


# ---------------------------------------------------------------- numbers


@browsers
@pytest.mark.parametrize("policy", ["none", "suspension_2025_07", "suspension_new_production_diverted", "ukraine_first"])
def test_numbers_are_those_of_the_library(fresh: Seen, policy: str) -> None:
    fresh.page.locator("#preset").select_option(policy)
    fresh.settle()
    scenario = sp.load("july_2025")
    made = sp.ensemble(scenario, ["none", policy] if policy != "none" else ["none"], members=MEMBERS, seed=SEED, keep=True)
    compared(fresh.raw(), made, policy)
    compared(fresh.raw("base"), made, "none")


@browsers
def test_table_prints_the_quantiles_of_the_library(fresh: Seen) -> None:
    fresh.page.locator("#preset").select_option("suspension_indefinite")
    fresh.settle()
    made = sp.ensemble(sp.load("july_2025"), ["none", "suspension_indefinite"], members=MEMBERS, seed=SEED, keep=True)
    shown = fresh.page.locator("#numbers tbody tr:not([hidden])").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    assert len(shown) == 3 * len(made.munitions)
    for number, munition in enumerate(made.munitions):
        row = shown[3 * number + 2]
        assert row[1] == "Your scenario"
        for cell, metric, who in ((2, "stock_at_end", "us"), (3, "minimum_after_as_of", "us"), (7, "total_unmet", "ukraine")):
            frame = made.metrics()
            one = frame[(frame.policy == "suspension_indefinite") & (frame.munition == munition) & (frame.recipient == who)]
            low, middle, high = np.quantile(one[one.metric == metric]["value"], [0.05, 0.5, 0.95])
            assert [int(text.replace(",", "")) for text in re.findall(r"[\d,]+", row[cell])] == [
                int(np.floor(value + 0.5)) for value in (middle, low, high)
            ]


def metrics_of(call: Call, command: str, *more: str) -> Any:
    words = shlex.split(command)
    assert words[0] == "stockpile"
    done = call(*words[1:], "--json", *more)
    assert done.code == 0, done.err
    return done.json["metrics"]


def same(found: Any, metrics: Any, policy: str) -> None:
    """Check quantiles that the command line printed against the page's own."""
    table = {(one["munition"], one["recipient"], one["metric"]): one for one in metrics if one["policy"] == policy}
    assert table
    for munition, one in found.items():
        unmet = [(who, "total_unmet") for who in ("israel", "ukraine", "partners")]
        names = [("us", "stock_at_end"), ("us", "minimum_after_as_of"), *unmet]
        for said, (who, metric) in zip(one["said"], names, strict=True):
            printed = table[munition, who, metric]
            np.testing.assert_allclose(said, [printed[f"q{100 * q:02g}"] for q in QUANTILES], rtol=1e-11, atol=1e-8)


@browsers
@pytest.mark.parametrize(
    ("hash_", "policy"),
    [
        ("#1&july_2025&" + SIX["suspension"], "suspension_6_months"),
        ("#1&july_2025&suspend=2025-08-01_horizon_0.4_ukraine_pac3_-_diverted&munitions.pac3.us_share=0.3", None),
        ("#1&july_2025&scenario=pacific_reserve&munitions.aim9x.us_stock=0.5&munitions.pac3.floors.transfer_floor=0.2", "none"),
        ("#1&july_2025&scenario=ramp_slips&munitions.pac3.us_share=0.7&first=israel", "israel_first"),
        (MIXED, None),
    ],
)
def test_command_line_gives_the_numbers_of_the_page(fresh: Seen, call: Call, hash_: str, policy: str | None) -> None:
    fresh.go(hash_)
    commands = [line for line in fresh.page.evaluate("stockpile.command()").splitlines() if not line.startswith("#")]
    chosen = re.findall(r"--policy (\S+)", commands[0])[0].split(",")[-1]
    assert policy in (None, chosen)
    same(fresh.raw(), metrics_of(call, commands[0]), chosen)
    same(fresh.raw("mine"), metrics_of(call, commands[-1]), "none")


def of_files(seen: Seen, call: Call, folder: Path) -> Any:
    """Write the files of the page's setting into `folder`, where the process stands, and return what the command line gives of them."""
    for name, text in seen.page.evaluate("stockpile.settings.files(stockpile.now)").items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return metrics_of(call, seen.page.evaluate("stockpile.settings.reading(stockpile.now)"))


@browsers
def test_toml_gives_the_numbers_of_the_page(
    fresh: Seen, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh.go(MIXED)
    files = fresh.page.evaluate("stockpile.settings.files(stockpile.now)")
    assert all(text in fresh.page.evaluate("stockpile.toml()") for text in files.values())
    monkeypatch.chdir(tmp_path)
    command = "stockpile ensemble explorer.toml --members 200 --seed 1 --policy none,explorer_policy --params explorer"
    assert f"# {command}\n" in fresh.page.evaluate("stockpile.toml()")
    assert fresh.page.evaluate("stockpile.settings.reading(stockpile.now)") == command
    same(fresh.raw(), of_files(fresh, call, tmp_path), "explorer_policy")


GIVEN = {
    "munitions.pac3.us_stock.scale": 0.5, "munitions.aim9x.us_stock": 4000, "munitions.aim120.us_share": 0.4, "model.slip": 3,
    "policies.suspension_6_months.suspensions": [
        {"start": dt.date(2025, 7, 1), "end": dt.date(2026, 3, 1), "munitions": ["pac3"], "recipients": ["all"], "channels": ["transfers"]}
    ],
}
MOVED = (
    "#1&july_2025&suspend=2025-08-01_2026-07-01_0.5_ukraine_pac3_cancelled_-&munitions.pac3.us_stock=1.2&munitions.aim9x.us_stock=0.8"
    "&munitions.aim120.us_share=0.6&recipients.ukraine.pac3.ceiling=0.5"
)


@browsers
@pytest.mark.parametrize("hash_", ["", MOVED], ids=["as it opens", "moved"])
def test_page_made_with_changes_says_them_in_its_commands(
    browser: Browser, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hash_: str
) -> None:
    made = Seen(browser, sp.explorer(sp.load("july_2025").override(GIVEN), tmp_path / "page.html"), hash_)
    assert made.page.locator("#status").inner_text() == ""
    commands = [line for line in made.page.evaluate("stockpile.command()").splitlines() if not line.startswith("#")]
    same(made.raw(), metrics_of(call, commands[0]), re.findall(r"--policy (\S+)", commands[0])[0].split(",")[-1])
    same(made.raw("mine"), metrics_of(call, commands[-1]), "none")
    monkeypatch.chdir(tmp_path)
    same(made.raw(), of_files(made, call, tmp_path), "explorer_policy")
    made.context.close()


@browsers
def test_toml_of_a_scenario_with_changes_of_its_own(
    browser: Browser, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The scenario sets the slip itself, and the setting comes on top of that.
    file = sp.explorer(sp.load("ramp_slips"), tmp_path / "page.html")
    made = Seen(browser, file, "#1&ramp_slips&model.slip=9&munitions.aim9x.us_stock=0.8")
    monkeypatch.chdir(tmp_path)
    same(made.raw(), of_files(made, call, tmp_path), "explorer_policy")
    made.context.close()


@browsers
def test_policy_that_begins_and_ends_within_months(browser: Browser, call: Call, tmp_path: Path) -> None:
    dates = {"start": dt.date(2026, 8, 12), "end": dt.date(2027, 3, 16), "recipients": ["all"], "munitions": ["aim120", "aim9x"]}
    changed = sp.load("july_2025").override({"policies.suspension_6_months.suspensions": [{**dates, "channels": ["transfers"]}]})
    made = Seen(browser, sp.explorer(changed, tmp_path / "page.html"))
    made.page.locator("#preset").select_option("suspension_6_months")
    made.settle()
    (command,) = made.page.evaluate("stockpile.command()").splitlines()
    metrics = metrics_of(call, command)
    same(made.raw(), metrics, "suspension_6_months")
    same(made.raw("base"), metrics, "none")
    made.context.close()


@browsers
def test_page_of_other_munitions_and_recipients(browser: Browser, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Names with underscores, fewer munitions than other scenarios of the files have, and a folder that commands must name.
    monkeypatch.chdir(tmp_path)
    write_example(tmp_path / "my files")
    file = sp.explorer(sp.load("with_example_round", params=["my files"]), tmp_path / "page.html")
    made = Seen(browser, file, "#1&with_example_round&suspend=2025-07-01_2026-01-01_0_ukraine_pac3.example_round_deferred_held")
    assert made.page.locator("#status").inner_text() == ""
    assert made.page.evaluate("[stockpile.now.suspension.munitions, stockpile.now.works]") == [["pac3", "example_round"], True]
    assert made.page.locator("#variant option").count() == 1
    (command,) = made.page.evaluate("stockpile.command()").splitlines()
    assert "--params 'my files'" in command
    same(made.raw(), metrics_of(call, command), re.findall(r"--policy (\S+)", command)[0].split(",")[-1])
    text = made.page.evaluate("stockpile.settings.hash(stockpile.now)")
    assert made.page.evaluate("text => stockpile.settings.hash(stockpile.settings.read(text).now)", text) == text
    made.context.close()


def write_example(folder: Path) -> None:
    """Write the recipe of a munition that the README has into a folder."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, content in re.findall(r"```toml\n# my_munition/(\S+)\n(.*?)```", text, re.DOTALL):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")


@browsers
@pytest.mark.parametrize("end", ["least", "most"])
def test_command_line_takes_the_ends_of_all_controls(fresh: Seen, call: Call, end: str) -> None:
    # Those of assumptions together, as each munition has its own; levers besides.
    parts = fresh.page.evaluate("end => stockpile.data.controls.map(one => `${one.path}=${one[end]}`)", end)
    fresh.go("#1&july_2025&" + "&".join(parts))
    assert fresh.page.locator("#status").inner_text() == ""
    commands = [line for line in fresh.page.evaluate("stockpile.command()").splitlines() if not line.startswith("#")]
    same(fresh.raw(), metrics_of(call, commands[0]), "none")
    same(fresh.raw("mine"), metrics_of(call, commands[1]), "none")


@browsers
def test_scenario_that_sets_the_ramps_keeps_its_own(fresh: Seen) -> None:
    fresh.go("#1&july_2025&scenario=ramp_slips&model.slip=9")
    assert "Ignored in the address: model.slip beside ramp_slips" in fresh.page.locator("#status").inner_text()
    assert fresh.page.locator("#c-model-slip").is_disabled()
    made = sp.ensemble(sp.load("ramp_slips"), ["none"], members=MEMBERS, seed=SEED, keep=True)
    compared(fresh.raw(), made, "none")


# ---------------------------------------------------------------- links


@browsers
def test_link_reproduces_its_page(fresh: Seen, browser: Browser, file: Path) -> None:
    fresh.go(MIXED)
    fresh.page.locator("#keep").click()
    fresh.page.locator("#preset").select_option("suspension_6_months")
    fresh.settle()
    link, text = fresh.page.evaluate("stockpile.link()"), fresh.page.locator("#results").inner_text()
    assert fresh.page.url == link
    again = Seen(browser, file, "#" + link.partition("#")[2])
    assert again.page.locator("#results").inner_text() == text
    assert [again.raw(line) for line in ("mine", "yours", "kept")] == [fresh.raw(line) for line in ("mine", "yours", "kept")]
    assert again.page.evaluate("stockpile.link()") == link
    again.context.close()


HOSTILE = [
    "#1&july_2025&first=<img src=x onerror=window.ran=1>",
    "#1&july_2025&<script>window.ran=1</script>=1",
    "#1&july_2025&munitions.pac3.us_stock=1e9",
    "#1&july_2025&munitions.pac3.us_stock=-1",
    "#1&july_2025&munitions.pac3.us_stock=NaN",
    "#1&july_2025&munitions.pac3.us_share=1.5",
    "#1&july_2025&__proto__=1&constructor=2&toString=3",
    "#1&july_2025&__proto__.polluted=1",
    "#1&july_2025&scenario=__proto__",
    "#1&july_2025&scenario=constructor",
    "#1&july_2025&suspend=2025-13-45_horizon_0_ukraine_pac3_deferred_held",
    "#1&july_2025&suspend=2026-01-01_2025-01-01_0_ukraine_pac3_deferred_held",
    "#1&july_2025&suspend=2025-07-01_horizon_0_mars_pac3_deferred_held",
    "#1&july_2025&suspend=2025-07-01_horizon_0_ukraine_constructor_deferred_held",
    "#1&july_2025&suspend=____________________",
    "#1&july_2025&A.&A.first=nobody",
    "#1&november_2026&munitions.pac3.us_stock=0.5",
    "#2&july_2025&munitions.pac3.us_stock=0.5",
    "#javascript:window.ran=1",
    "#%00%ff%E0%A4%A&&&===",
    "#1&july_2025&" + "x" * 20_000,
]


@browsers
@pytest.mark.parametrize("hash_", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_address_is_ignored_with_a_word(fresh: Seen, hash_: str) -> None:
    elements = "document.querySelectorAll('*:not(#differences *)').length"
    before, line = fresh.page.evaluate(elements), fresh.raw("base")
    fresh.page.evaluate(
        "hash => new Promise(done => { addEventListener('hashchange', done, { once: true }); location.hash = hash; }).then(() => 0)", hash_
    )
    fresh.settle()
    assert fresh.page.locator("#status").inner_text().startswith("Ignored in the address: ")
    assert fresh.page.evaluate("[window.ran, {}.polluted, stockpile.now.moved]") == [None, None, {}]
    assert fresh.page.evaluate(elements) == before
    assert fresh.raw() == line
    assert fresh.complaints == []


@browsers
def test_good_parts_of_an_address_stand_beside_bad_ones(fresh: Seen) -> None:
    fresh.go("#1&july_2025&munitions.pac3.us_stock=0.5&first=nobody")
    assert fresh.page.evaluate("stockpile.now.moved") == {"munitions.pac3.us_stock": 0.5}
    assert fresh.page.locator("#status").inner_text() == "Ignored in the address: first=nobody."


@browsers
def test_an_address_called_up_while_a_move_is_being_written_is_read(fresh: Seen) -> None:
    fresh.page.evaluate("""() => new Promise(done => {
      addEventListener("hashchange", done, { once: true });
      location.hash = "#1&july_2025&first=nobody";
      stockpile.write();
    }).then(() => 0)""")
    assert fresh.page.locator("#status").inner_text() == "Ignored in the address: first=nobody."


# ---------------------------------------------------------------- moves


@browsers
def test_moves_can_be_undone_done_again_and_taken_back(fresh: Seen) -> None:
    slider = fresh.page.get_by_role("slider", name="PAC-3: Transfer floor, share of the stock of March 2022")
    slider.focus()
    fresh.page.keyboard.press("ArrowRight")
    fresh.page.keyboard.press("ArrowRight")
    fresh.settle()
    assert slider.input_value() == "0.52"
    assert fresh.page.url.endswith("#1&july_2025&munitions.pac3.floors.transfer_floor=0.52")
    fresh.page.keyboard.press("Control+z")
    assert slider.input_value() == "0.51"
    fresh.page.locator("#undo").click()
    assert slider.input_value() == "0.5"
    assert fresh.page.locator("#undo").is_disabled()
    fresh.page.keyboard.press("Control+Shift+Z")
    fresh.page.locator("#redo").click()
    assert slider.input_value() == "0.52"
    fresh.page.get_by_role("button", name="Reset PAC-3: Transfer floor").click()
    fresh.settle()
    assert slider.input_value() == "0.5"
    assert "#" not in fresh.page.url


@browsers
def test_a_suspension_keeps_its_length_at_the_end_of_the_run(fresh: Seen) -> None:
    fresh.page.locator("#suspend").check()
    start, text = fresh.page.locator("#start"), fresh.page.evaluate("stockpile.link()")
    start.focus()
    fresh.page.keyboard.press("End")
    assert fresh.page.evaluate("[stockpile.now.suspension.start, stockpile.now.suspension.end]") == ["2032-07-01", "2033-01-01"]
    fresh.page.keyboard.press("Home")
    assert fresh.page.evaluate("stockpile.link()") == text
    without = fresh.page.get_by_label("without end")
    without.check()
    start.focus()
    fresh.page.keyboard.press("End")
    assert fresh.page.evaluate("[stockpile.now.suspension.start, stockpile.now.suspension.end]") == ["2032-12-01", "horizon"]
    without.uncheck()
    assert fresh.page.evaluate("stockpile.now.suspension.end") == "2033-01-01"


@browsers
def test_levers_move_one_line_and_assumptions_two(fresh: Seen) -> None:
    base = fresh.raw("base")
    fresh.go("#1&july_2025&munitions.pac3.floors.transfer_floor=0.9&munitions.aim9x.us_stock=0.5")
    mine, yours = fresh.raw("mine"), fresh.raw()
    assert fresh.raw("base") == base
    assert mine["pac3"] == base["pac3"]
    assert mine["aim9x"] == yours["aim9x"] != base["aim9x"]
    assert yours["pac3"]["below"] > mine["pac3"]["below"]
    assert mine["aim9x"]["below"] == base["aim9x"]["below"]
    assert "Your assumptions alone: draws below the floor, as many as before." in fresh.page.locator("#sentence").inner_text()
    fresh.go("#1&july_2025&munitions.shell_155mm.us_stock=2")
    before, after = base["shell_155mm"]["below"], fresh.raw("mine")["shell_155mm"]["below"]
    assert after < before
    said = f"Your assumptions alone: draws below the floor, 155 mm {after} instead of {before}."
    assert said in fresh.page.locator("#sentence").inner_text()


@browsers
def test_sentence_is_guarded_by_the_paired_range(fresh: Seen) -> None:
    assert fresh.page.locator("#sentence").inner_text().startswith("No lever is moved")
    for policy in ("suspension_6_months", "suspension_indefinite"):
        fresh.page.locator("#preset").select_option(policy)
        fresh.settle()
        text = fresh.page.locator("#sentence").inner_text()
        base, yours = fresh.raw("mine"), fresh.raw()
        titles = {"pac3": "PAC-3", "shell_155mm": "155 mm", "aim120": "AIM-120", "aim9x": "AIM-9X"}
        close = re.findall(r"US stock of ([^:]*): too close to call", text)
        for munition, title in titles.items():
            change = np.subtract(yours[munition]["at_end"], base[munition]["at_end"])
            low, middle, high = np.quantile(change, [0.05, 0.5, 0.95])
            is_still = max(abs(low), abs(high)) <= 0.5
            is_close = not is_still and ((low <= -0.5 and high >= 0.5) or abs(middle) <= 0.5)
            assert (title in ",".join(close)) == is_close
            stocks = text.partition("Change in")[0]
            assert (f"{title} on 1 January 2033 changes by" in stocks or f"{title}: +" in stocks) == (not is_still and not is_close)


@browsers
def test_a_range_that_ends_at_nothing_is_a_change(fresh: Seen) -> None:
    fresh.page.locator("#preset").select_option("suspension_indefinite")
    fresh.settle()
    change = fresh.page.evaluate("stockpile.changed('shell_155mm')")
    who = fresh.page.evaluate("stockpile.data.recipients").index("ukraine")
    assert round(change["stock"][0]) == round(change["unmet"][who][0]) == 0
    text = fresh.page.locator("#sentence").inner_text()
    for what, (_, middle, high) in (("US stock of 155 mm on", change["stock"]), ("Ukraine’s unmet request, 155 mm:", change["unmet"][who])):
        assert f"{middle:+,.0f} (90 % of draws: 0 to {high:+,.0f})" in text.partition(what)[2][:80]


@browsers
def test_pinned_number_is_said_to_have_no_range(fresh: Seen) -> None:
    fresh.go("#1&july_2025&munitions.pac3.us_share=0.43")
    note = fresh.page.locator(".control.moved .note")
    assert note.inner_text() == "The same in all draws: its range is gone."
    assert "“US share of the line” no longer differs between draws" in fresh.page.locator("#chart-pac3 .reading").inner_text()
    assert "no longer differs" not in fresh.page.locator("#chart-aim120 .reading").inner_text()


@browsers
def test_materiality_counts_what_a_suspension_moves(fresh: Seen) -> None:
    assert fresh.page.locator("#materiality").inner_text().count("nothing is suspended") == 4
    fresh.go("#1&july_2025&" + SIX["suspension"])
    made = sp.ensemble(
        sp.load("july_2025"), ["none", "suspension_6_months"], members=MEMBERS, seed=SEED, keep=True,
        quantities=[
            "us_on_hand", "delivered", "put_off", "dropped", "kept_back", "diverted", "own_use", "own_unmet", "used", "unmet",
        ],
    ).trajectories
    assert made is not None
    for munition in made.munitions:

        def flows(name: str, who: str, munition: str = munition) -> Any:
            return made.array(name, who, policy="none", munition=munition)

        moved = sum(
            made.array(flow, who, policy="suspension_6_months", munition=munition).sum(axis=1)
            for flow in ("put_off", "dropped", "kept_back", "diverted") for who in made.recipients
        )
        at = list(np.datetime_as_string(made.dates, unit="D")).index("2025-07-01")
        stock, output = (made.array(flow, "us", policy="none", munition=munition)[:, at] for flow in ("us_on_hand", "delivered"))
        needs = [flows("own_use", "us") + flows("own_unmet", "us"), *(flows("used", who) + flows("unmet", who) for who in made.recipients)]
        largest = np.max(needs, axis=(0, 2))
        lines = "stockpile.found.mine[name], stockpile.found.yours[name]"
        halt = fresh.page.evaluate(f"([name, at]) => materiality({lines}, at)", [munition, at])
        ratios = (("of_stock", 100 * moved / stock), ("of_output", moved / output), ("of_largest", 100 * moved / largest))
        for key, values in (("moved", moved), *ratios):
            np.testing.assert_allclose(halt[key], np.quantile(values, [0.05, 0.5, 0.95]), rtol=1e-9)


@browsers
def test_two_settings_stand_side_by_side(fresh: Seen) -> None:
    fresh.page.locator("#preset").select_option("suspension_indefinite")
    fresh.settle()
    before = fresh.raw()
    fresh.page.locator("#keep").click()
    fresh.page.locator("#preset").select_option("ukraine_first")
    fresh.settle()
    assert fresh.raw("kept") == before != fresh.raw()
    rows = fresh.page.locator("#differences tr").all_inner_texts()
    assert "Served first\tnobody\tUkraine" in rows
    assert fresh.page.locator("#numbers tbody tr:not([hidden])").count() == 16
    fresh.page.locator("#drop").click()
    fresh.settle()
    assert fresh.page.locator("#numbers tbody tr:not([hidden])").count() == 12


@browsers
def test_skip_link_leaves_the_setting_in_the_address(fresh: Seen) -> None:
    fresh.go("#1&july_2025&munitions.pac3.us_stock=0.5")
    address = fresh.page.url
    fresh.page.get_by_role("link", name="Skip to the charts").focus()
    fresh.page.keyboard.press("Enter")
    fresh.settle()
    assert fresh.page.url == address
    assert fresh.page.evaluate("[document.activeElement.id, stockpile.now.moved]") == ["results", {"munitions.pac3.us_stock": 0.5}]


@browsers
def test_nothing_is_said_aloud_while_a_slider_moves(fresh: Seen) -> None:
    kinds = "output, [aria-live], [role=status], [role=alert], [role=log]"
    live = fresh.page.evaluate("kinds => [...document.querySelectorAll(kinds)].map(one => one.id)", kinds)
    assert live == ["spoken", "status"]
    during, after = fresh.page.evaluate(
        """async () => {
          const spoken = document.getElementById("spoken"), slider = document.getElementById("c-munitions-pac3-floors-transfer_floor");
          const said = [], quiet = () => new Promise(done => setTimeout(done, 1500));
          await quiet();
          const observer = new MutationObserver(() => said.push(spoken.textContent));
          observer.observe(spoken, { childList: true, characterData: true, subtree: true });
          for (let k = 1; k <= 20; k++) {
            slider.value = 0.5 + k / 100;
            slider.dispatchEvent(new Event("input", { bubbles: true }));
            await new Promise(done => requestAnimationFrame(done));
          }
          const during = said.length;
          await quiet();
          observer.disconnect();
          return [during, said];
        }"""
    )
    assert (during, after) == (0, [fresh.page.locator("#sentence").inner_text()])


@browsers
def test_what_belongs_to_a_suspension_rests_without_one(fresh: Seen) -> None:
    group = fresh.page.get_by_role("group", name="Suspend deliveries")
    inputs = group.locator("input:not(#suspend), select, button")
    assert inputs.evaluate_all("all => all.every(one => one.disabled)")
    group.locator("#suspend").check()
    fresh.settle()
    slider = group.get_by_role("slider", name="Share that goes on")
    slider.fill("0.5")
    assert "_0.5_" in fresh.page.evaluate("stockpile.link()")
    group.get_by_role("button", name="Reset Suspension: Share that goes on").click()
    assert slider.input_value() == "0"
    assert group.locator("select").evaluate_all("all => all.some(one => one.disabled)") is False


@browsers
def test_sources_are_one_click_away(fresh: Seen) -> None:
    fresh.page.get_by_text("PAC-3 interceptors", exact=True).click()
    fresh.page.get_by_role("button", name="Sources of PAC-3: US stock in March 2022").click()
    dialog = fresh.page.get_by_role("dialog", name="PAC-3: US stock in March 2022")
    assert dialog.locator(".grade").first.inner_text() == "derived"
    assert dialog.locator("a[href^='http']").count() >= 1
    fresh.page.keyboard.press("Escape")
    assert not dialog.is_visible()
    grades = fresh.page.evaluate("stockpile.data.controls.map(one => one.rests_on.map(rest => rest.grade))")
    order = ["measured", "reported", "derived", "assumed"]
    shown = fresh.page.locator("button.grade").all_text_contents()
    assert sorted(shown) == sorted(max(one, key=order.index) for one in grades)


@browsers
def test_files_can_be_taken(fresh: Seen) -> None:
    fresh.go("#1&july_2025&" + SIX["suspension"])
    with fresh.page.expect_download() as download:
        fresh.page.locator("#save-csv").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0] == "line,munition,quantity,recipient,date,q05,q25,q50,q75,q95"
    fan = fresh.raw()["pac3"]["fan"]
    row = next(line for line in lines if line.startswith("yours,pac3,us_on_hand,us,2026-01-01,")).split(",")
    assert [float(value) for value in row[5:]] == [values[46] for values in fan]
    with fresh.page.expect_download() as download:
        fresh.page.locator("#save-svg").click()
    picture = ElementTree.parse(download.value.path())
    assert len(picture.findall("{http://www.w3.org/2000/svg}svg")) == 4
    assert "var(" not in Path(download.value.path()).read_text(encoding="utf-8")


@browsers
@pytest.mark.parametrize("button", ["link", "command", "toml"])
def test_text_to_copy_is_shown(fresh: Seen, button: str) -> None:
    fresh.go(MIXED)
    fresh.page.locator(f"#copy-{button}").click()
    assert fresh.page.locator("#dialog textarea").input_value() == fresh.page.evaluate(f"stockpile.{button}()")
    fresh.page.get_by_role("button", name="Close").click()


# ---------------------------------------------------------------- for everybody


@browsers
def test_page_asks_for_itself_and_nothing_else(seen: Seen, file: Path) -> None:
    assert {request.partition("#")[0] for request in seen.requests if not request.startswith("blob:")} == {file.as_uri()}
    assert seen.complaints == []


@browsers
def test_policy_of_the_page_holds(browser: Browser, file: Path) -> None:
    opened = Seen(browser, file)
    said = opened.page.evaluate(
        """async () => {
          const refused = [];
          document.addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
          await fetch("https://example.org/").catch(() => 0);
          const script = document.createElement("script");
          script.textContent = "window.ran = true";
          document.body.append(script);
          await new Promise((done) => setTimeout(done, 100));
          return [refused, window.ran === undefined];
        }"""
    )
    opened.context.close()
    assert said == [["connect-src", "script-src-elem"], True]


@browsers
@pytest.mark.parametrize("options", [{"color_scheme": "light"}, {"color_scheme": "dark"}, {"forced_colors": "active"}], ids=str)
def test_nothing_found_by_axe(browser: Browser, file: Path, options: dict[str, Any]) -> None:
    opened = Seen(browser, file, MIXED, reduced_motion="reduce", **options)
    opened.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    opened.page.locator("#keep").click()
    opened.settle()
    found = Axe().run(opened.page)
    assert found.violations_count == 0, found.generate_report()
    opened.page.get_by_role("button", name="Sources of PAC-3: US stock in March 2022").click()
    found = Axe().run(opened.page)
    assert found.violations_count == 0, found.generate_report()
    opened.context.close()


@browsers
def test_everything_has_a_name_of_its_own(fresh: Seen) -> None:
    fresh.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    tree = fresh.page.locator("body").aria_snapshot()
    for role in ("slider", "combobox", "checkbox", "button", "img"):
        lines = re.findall(rf"- '?{role}\b(.*)", tree)
        names = [re.search(r' "([^"]+)"', line) for line in lines]
        assert lines
        assert all(names), [line for line, name in zip(lines, names, strict=True) if name is None]
        assert len({name[1] for name in names if name}) == len(names)
    assert len(re.findall("- '?slider", tree)) == fresh.page.evaluate("stockpile.data.controls.length") + 3


@browsers
def test_everything_is_reached_by_keyboard(fresh: Seen) -> None:
    wanted = fresh.page.evaluate(
        "[...document.querySelectorAll('button, input, select, summary')].filter(one => one.checkVisibility() && !one.disabled).length"
    )
    fresh.page.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(wanted + 40):
        fresh.page.keyboard.press("Tab")
        reached.add(
            fresh.page.evaluate(
                """() => { const one = document.activeElement;
                  return one.matches('button, input, select, summary') ? [...document.querySelectorAll('*')].indexOf(one) : -1; }"""
            )
        )
    assert len(reached - {-1}) == wanted


@browsers
@pytest.mark.parametrize("width", [360, 800, 1200])
def test_nothing_scrolls_sideways(browser: Browser, file: Path, width: int) -> None:
    opened = Seen(browser, file, MIXED, width=width)
    opened.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    opened.page.locator("#keep").click()
    opened.settle()
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width
    opened.context.close()


@browsers
@pytest.mark.parametrize("width", [360, 1000, 1280])
def test_what_a_control_says_stands_beside_its_buttons(browser: Browser, file: Path, width: int) -> None:
    hash_ = "#1&july_2025&suspend=2025-09-10_2026-12-25_0.25_ukraine_pac3_deferred_held&model.ramp_delay=-12&model.slip=36"
    opened = Seen(browser, file, hash_, width=width)
    opened.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    found = opened.page.evaluate(
        """[...document.querySelectorAll(".control")].map(one => {
          const text = document.createRange(), buttons = one.querySelector(".buttons").getBoundingClientRect();
          text.selectNodeContents(one.querySelector(".value"));
          const { left, right } = text.getBoundingClientRect();
          text.selectNodeContents(one.querySelector("label"));
          return [left - text.getBoundingClientRect().right, buttons.left - right, one.getBoundingClientRect().right - buttons.right];
        })"""
    )
    assert min(gap for gaps in found for gap in gaps) > -0.5
    opened.context.close()


@browsers
def test_sentence_stays_in_sight_of_the_levers_on_a_phone(browser: Browser, file: Path) -> None:
    opened = Seen(browser, file, MIXED, width=360)
    for id_, is_seen in (("c-model-ramp_delay", True), ("chart-aim120", False)):
        opened.page.evaluate("id => document.getElementById(id).scrollIntoView({ block: 'center' })", id_)
        on_top = "document.querySelector('#sentence').contains(document.elementFromPoint(180, 20))"
        assert opened.page.evaluate(on_top) is is_seen
    opened.context.close()


@browsers
def test_dark_page_is_dark_and_paper_is_light(browser: Browser, file: Path) -> None:
    opened = Seen(browser, file, color_scheme="dark")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    chart = "getComputedStyle(document.querySelector('#chart-pac3 svg')).backgroundColor"
    assert opened.page.evaluate(f"[{ground}, {chart}]") == ["rgb(20, 24, 29)"] * 2
    colours = "['link', 'accent', 'ink', 'base', 'mine', 'yours', 'kept'].map(one => style.getPropertyValue('--' + one))"
    named = f"(style => {colours})(getComputedStyle(document.documentElement))"
    opened.page.emulate_media(media="print")
    assert opened.page.evaluate(f"[{ground}, {chart}]") == ["rgb(255, 255, 255)"] * 2
    in_the_dark = opened.page.evaluate(named)
    opened.page.emulate_media(media="print", color_scheme="light")
    assert opened.page.evaluate(named) == in_the_dark
    assert not opened.page.locator("#copy-link").is_visible()
    opened.context.close()


@browsers
def test_picture_stands_where_scripts_are_off(browser: Browser, file: Path) -> None:
    opened = Seen(browser, file, java_script_enabled=False)
    assert opened.page.get_by_role("img", name="US stocks under the baseline").is_visible()
    assert opened.page.locator("noscript .median").count() == 4
    assert not opened.page.locator("#live").is_visible()
    opened.context.close()


MOVE = """async ([id, values]) => {
  const slider = document.getElementById(id), was = slider.value, found = [];
  for (const value of values) {
    await new Promise(done => setTimeout(done));
    const first = stockpile.times.length, began = performance.now();
    slider.value = value;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    const handled = performance.now() - began;
    // The page asked for its frame first; a message sent in a frame comes when it is laid out and painted.
    const ended = await new Promise(done => requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => done(performance.now());
      port2.postMessage(0);
    }));
    if (stockpile.times.length > first) found.push([handled + stockpile.times.at(-1)[0], ended - began]);
  }
  slider.value = was;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  return found;
}"""
"""Moves a slider and takes it back: milliseconds of script, and from the event to the end of the frame that shows it."""
SHOWN = (0.05, 0.25, 0.5, 0.75, 0.95)


def kinds_of_moves(controls: list[dict[str, Any]]) -> dict[str, list[tuple[str, list[float]]]]:
    """Return by kind the sliders and what they are moved to: levers through their range, each assumption to three places."""
    found: dict[str, list[tuple[str, list[float]]]] = {
        "start": [("start", list(range(41, 61)))],
        "length": [("length", list(range(1, 21)))],
        "share that goes on": [("share", [0.05 * number for number in range(20)])],
    }
    for one in controls:
        places = 3 if one["munition"] else 20
        values = [one["least"] + (one["most"] - one["least"]) * (number + 0.5) / places for number in range(places)]
        kind = "assumptions" if not one["is_lever"] and one["munition"] else one["label"].partition(",")[0].partition(":")[0].lower()
        found.setdefault(kind, []).append((f"c-{one['path'].replace('.', '-')}", values))
    return found


@browsers
@pytest.mark.parametrize("kept", ["", f"&A&A.{OTHER['suspension']}&A.model.slip=12"])
def test_how_long_a_move_takes(fresh: Seen, capsys: pytest.CaptureFixture[str], kept: str) -> None:
    fresh.go("#1&july_2025&" + SIX["suspension"] + kept)
    assert fresh.page.locator("#status").inner_text() == ""
    kinds = kinds_of_moves(fresh.page.evaluate("stockpile.data.controls"))
    for id_, values in kinds["length"] + kinds["slip"]:
        fresh.page.evaluate(MOVE, [id_, values])
    times = {kind: np.vstack([fresh.page.evaluate(MOVE, list(one)) for one in all_]) for kind, all_ in kinds.items()}
    assert all(len(found) >= 0.9 * sum(len(values) for _, values in kinds[kind]) for kind, found in times.items())
    times["all of these"] = np.vstack(list(times.values()))
    head = f"{'5, 25, 50, 75, 95 % of moves, in ms':28} {'script':>30}   {'to the end of the frame':>30}"
    said = []
    for kind, found in times.items():
        columns = (" ".join(f"{one:5.1f}" for one in row) for row in np.quantile(found, SHOWN, axis=0).T)
        said.append(f"{kind:26} {len(found):4d} {'   '.join(columns)}")
    assert np.median(times["all of these"][:, 0]) < 1000.0
    with capsys.disabled():
        print(f"\nThe live page, {'with' if kept else 'without'} a setting kept", head, *said, sep="\n  ")


@browsers
def test_how_soon_the_page_is_ready(file: Path, browser: Browser, capsys: pytest.CaptureFixture[str]) -> None:
    ready = []
    for _ in range(5):
        opened = Seen(browser, file)
        ready.append(float(opened.page.evaluate("document.documentElement.dataset.ready")))
        opened.context.close()
    assert max(ready) < 10_000.0
    with capsys.disabled():
        print(f"\nThe live page is ready after {', '.join(f'{one:.0f}' for one in sorted(ready))} ms")


# ---------------------------------------------------------------- the file


@browsers
def test_committed_page_is_a_fresh_one(file: Path) -> None:
    kept = (ROOT / "reports" / "explorer.html").read_bytes()
    assert kept == file.read_bytes(), "reports/explorer.html is not what the files give; make report"
    assert len(kept) <= MOST


@browsers
def test_page_says_nothing_of_when_and_where_it_was_made(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert sp.run(sp.load("july_2025"), ["none"]).manifest["commit"] not in text
    assert str(Path.home()) not in text
    assert str(ROOT) not in text


def test_lean_text_loses_comments_and_indents_alone() -> None:
    assert lean("a {\n  // word\n  b; // kept\n\n}\n") == "a {\nb; // kept\n}"


@pytest.mark.parametrize(
    ("changes", "arguments", "said"),
    [
        ({"scenario.substeps": 4}, {}, "scenario.substeps: 4 steps a month"),
        ({"scenario.method": "ode"}, {}, "scenario.substeps: 1 steps a month, ode; allowed: whole months, difference"),
        ({}, {"members": 1}, "members: 1; allowed: from 2 to 1000"),
    ],
)
def test_what_the_page_cannot_run_is_refused(tmp_path: Path, changes: dict[str, Any], arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        sp.explorer(sp.load("july_2025").override(changes), tmp_path / "page.html", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_command_line_refuses_other_endings(call: Call, tmp_path: Path) -> None:
    done = call("explorer", "-o", tmp_path / "page.pdf")
    assert done.code == 2
    assert ".html" in done.err
    assert call("explorer", "--members", "many").code == 2
