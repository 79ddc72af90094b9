"""The live page, NumPy and compiled code give the same for any setting of the page: bit for bit, where the draws are the same.

A factor of the page multiplies draws, and that of a command line the range that they come from: there the last bit may differ.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from playwright.sync_api import Page, sync_playwright

import stockpile as sp
from stockpile.cli.options import settings as changes

pytestmark = pytest.mark.browser
NAMES = ("chromium", "chromium-browser", "google-chrome")
MEMBERS, SEED = 40, 3
SEEN = """now => {
  const found = stockpile.settings.read(stockpile.settings.hash(now, null));
  stockpile.open(stockpile.settings.hash(now, null));
  stockpile.redraw();
  return {
    ignored: found.ignored,
    command: stockpile.command(),
    stocks: Object.fromEntries(Object.entries(stockpile.found.yours).map(([name, one]) => [name, Array.from(one.stock)])),
  };
}"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The live page of the default scenario, with fewer draws."""
    found = os.environ.get("CHROMIUM") or next((path for path in map(shutil.which, NAMES) if path), None)
    assert found, "the browser tests need a Chromium: none is on the path; name one in CHROMIUM"
    file = sp.explorer(sp.load("july_2025"), tmp_path_factory.mktemp("page") / "page.html", members=MEMBERS, seed=SEED)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        opened = running.new_page()
        opened.goto(file.as_uri())
        opened.wait_for_selector("html[data-ready]", state="attached")
        yield opened
        running.close()


def setting(data: Any, controls: dict[str, dict[str, Any]], known: dict[str, Any]) -> dict[str, Any]:
    """Draw a setting of the page: levers and assumptions."""

    def some(names: list[str]) -> list[str]:
        found = data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
        return [name for name in names if name in found]

    def value(path: str) -> float:
        one = controls[path]
        steps = round((one["most"] - one["least"]) / one["step"])
        return round(one["least"] + data.draw(st.integers(0, steps)) * one["step"], 6)

    suspension = None
    if data.draw(st.booleans()):
        start = data.draw(st.integers(known["since"], len(known["dates"]) - 3))
        end = data.draw(st.one_of(st.just("horizon"), st.sampled_from(known["dates"][start + 1 :])))
        suspension = {
            "start": known["dates"][start], "end": end, "let_through": data.draw(st.sampled_from([0, 0.25, 0.5, 0.95])),
            "recipients": some(known["recipients"]), "munitions": some(known["munitions"]),
            "channels": some(["transfers", "new_production"]),
            "transfers": data.draw(st.sampled_from(["deferred", "cancelled"])),
            "new_production": data.draw(st.sampled_from(["held", "diverted"])),
        }
    moved = data.draw(st.lists(st.sampled_from(list(controls)), max_size=4, unique=True))
    return {
        "moved": {path: value(path) for path in moved},
        "suspension": suspension,
        "first": data.draw(st.sampled_from([None, *known["recipients"]])),
        "variant": data.draw(st.sampled_from([None, None, *known["variants"]])),
    }


def by_command(command: str, engine: str) -> dict[str, NDArray[np.float64]]:
    """Return the US stocks of each munition that the command line of the page gives with an engine, of shape (members, dates)."""
    words = shlex.split(command)
    options: dict[str, list[str]] = {}
    for name, given_ in zip(words[3::2], words[4::2], strict=True):
        options.setdefault(name, []).append(given_)
    policies = options["--policy"][0].split(",")
    members, seed = int(options["--members"][0]), int(options["--seed"][0])
    scenario = sp.load(words[2]).override(changes(tuple(options.get("--set", ()))))
    made = sp.ensemble(scenario, policies, members=members, seed=seed, keep=True, quantities=["us_on_hand"], engine=engine).trajectories
    assert made is not None
    return {name: made.array("us_on_hand", "us", policy=policies[-1], munition=name) for name in made.munitions}


# Each example takes a second: they are not made smaller.
@settings(max_examples=8, deadline=None, phases=(Phase.reuse, Phase.generate))
@given(data=st.data())
def test_page_numpy_and_kernel_agree(page: Page, data: st.DataObject) -> None:
    known = page.evaluate(
        "({ dates: stockpile.data.dates, recipients: stockpile.data.recipients, munitions: stockpile.model.munitions,"
        " since: stockpile.settings.since, variants: Object.keys(stockpile.data.variants) })"
    )
    controls = page.evaluate("Object.fromEntries(stockpile.data.controls.map(one => [one.path, { ...one, rests_on: null }]))")
    now = setting(data, controls, known)
    seen = page.evaluate(SEEN, now)
    command = next(line for line in seen["command"].splitlines() if not line.startswith("#"))
    on_numpy, on_kernel = (by_command(command, engine) for engine in ("numpy", "compiled"))
    scaled = {controls[path]["munition"] for path in now["moved"] if controls[path]["kind"] == "factor"}
    for munition, stock in seen["stocks"].items():
        expected, compiled, shown = on_numpy[munition], on_kernel[munition], np.reshape(stock, (-1, MEMBERS)).T
        assert np.array_equal(expected, compiled), munition
        if munition in scaled:
            np.testing.assert_allclose(shown, expected, rtol=0, atol=1e-12 * expected.max(), err_msg=munition)
        else:
            assert np.array_equal(shown, expected), munition
