"""The step printed as JavaScript gives in a browser what the equations give on NumPy, bit for bit, over random worlds and policies."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import worlds
from hypothesis import given
from playwright.sync_api import Page, sync_playwright
from worlds import KINDS, NO_SUSPENSION, Many

from stockpile.codegen.javascript import module
from stockpile.codegen.trace import flat
from stockpile.engine.difference import steps
from stockpile.engine.trajectories import at

pytestmark = pytest.mark.browser
NAMES = ("chromium", "chromium-browser", "google-chrome")
RECIPIENTS = (1, 2, 3)
LANES = 40
RUN = """given => {
  const [recipients, steps, lanes, dt, series, constants, state] = JSON.parse(given);
  const { run, ROWS } = window.modules[recipients];
  const arrays = given => Object.fromEntries(Object.entries(given).map(([name, values]) => [name, Float64Array.from(values)]));
  const rows = Object.fromEntries(ROWS.map(name => [name, new Float64Array(steps * lanes)]));
  const stocks = arrays(state);
  run(steps, lanes, dt, arrays(series), arrays(constants), stocks, rows);
  const plain = given => Object.fromEntries(Object.entries(given).map(([name, values]) => [name, Array.from(values)]));
  return JSON.stringify([plain(rows), plain(stocks)]);
}"""
printed = cache(module)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A page with the modules loaded."""
    found = os.environ.get("CHROMIUM") or next((path for path in map(shutil.which, NAMES) if path), None)
    assert found, "the browser tests need a Chromium: none is on the path; name one in CHROMIUM"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        opened = running.new_page()
        opened.evaluate("() => { window.modules = {}; }")
        for recipients in RECIPIENTS:
            code = printed(recipients).replace("export ", "")
            opened.add_script_tag(content=f"window.modules[{recipients}] = (() => {{ {code}\nreturn {{ run, ROWS }}; }})();")
        yield opened
        running.close()


def flattened(item: Any, kind: str) -> dict[str, list[float]]:
    """Return the arrays of an object by name, as lists."""
    return {name: np.asarray(value, dtype=np.float64).ravel().tolist() for name, value in flat(item, kind)}


@pytest.mark.parametrize("recipients", RECIPIENTS)
@given(case=worlds.many(1, 2, 3), data=st.data())
def test_javascript_is_numpy(page: Page, recipients: int, case: Many, data: Any) -> None:
    world = case.world(recipients)
    world = world.suspended(data.draw(st.sampled_from([NO_SUSPENSION, *KINDS])), case.share(world), tuple(range(min(2, recipients))))
    level = case.level(world)
    world = world.reviewed(data.draw(st.sampled_from(KINDS)), case.share(world), level, level * 1.5)
    world = replace(world, opening=replace(world.opening, review=np.zeros(world.shape[1])))
    # Some of the lanes: there are as many kinds of worlds among them, and numbers reach the browser as text.
    world = world.each(lambda array: np.broadcast_to(array, np.broadcast_shapes(array.shape, (world.shape[1],)))[..., :LANES])
    count, lanes = world.shape

    series = {name: np.broadcast_to(value, (count, lanes)).ravel().tolist() for name, value in flat(world.series, "series")}
    constants = {name: np.broadcast_to(value, (lanes,)).tolist() for name, value in flat(world.constants, "constant")}
    opening = {name: np.broadcast_to(value, (lanes,)).tolist() for name, value in flat(world.opening, "state")}
    # As one text, since the browser's driver takes its time with many numbers.
    rows, stocks = json.loads(page.evaluate(RUN, json.dumps([recipients, count, lanes, world.dt, series, constants, opening])))

    last = world.opening
    for number, step in enumerate(steps(world.opening, world.series, world.constants, world.dt, count)):
        before, flow, last = step
        expected = dict(flat(before, "state")) | {name: value * world.dt for name, value in flat(flow, "flow") if name != "flow.free"}
        expected["flow.free"] = flow.free
        for name, value in expected.items():
            found = np.array(rows[name][number * lanes : (number + 1) * lanes])
            assert np.array_equal(found, np.broadcast_to(value, (lanes,))), (name, number)
        for name, value in flat(at(world.series, number), "series"):
            if name in rows:
                assert np.array_equal(rows[name][number * lanes : (number + 1) * lanes], np.broadcast_to(value * world.dt, (lanes,))), name
    for name, value in flat(last, "state"):
        assert np.array_equal(stocks[name], np.broadcast_to(value, (lanes,))), name
