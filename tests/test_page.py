"""The page in a browser: opened from disk with the network off, drawn, named, reachable, readable on a phone, in the dark and on paper."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

import stockpile as sp
from stockpile.report import index

pytestmark = pytest.mark.browser
MODEL = "Stocks and flows of one munition"
NAMES = ("chromium", "chromium-browser", "google-chrome")


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
    return sp.report(sp.load("july_2025"), tmp_path_factory.mktemp("pages") / "july_2025.html", members=200)


class Seen:
    """A page that was opened, and everything it asked for or complained of."""

    def __init__(self, browser: Browser, file: Path, width: int = 1280, **options: Any) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 800}, offline=True, **options)
        self.context.set_default_timeout(120_000)
        self.page: Page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(file.as_uri())

    def drawn(self) -> int:
        """Wait until every figure is drawn, and return how many there are."""
        count = self.page.locator("[data-figure]").count()
        self.page.wait_for_selector(f"html[data-drawn='{count}']", state="attached", timeout=120_000)
        return count


@pytest.fixture(scope="module")
def seen(browser: Browser, file: Path) -> Iterator[Seen]:
    opened = Seen(browser, file, color_scheme="light")
    opened.drawn()
    yield opened
    opened.context.close()


@pytest.fixture(scope="module")
def other(browser: Browser, file: Path) -> Iterator[Seen]:
    """The page once more, for tests that change it: each leaves it as wide as it was."""
    opened = Seen(browser, file, color_scheme="dark")
    opened.drawn()
    yield opened
    opened.context.close()


def unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")


def ground(page: Page) -> tuple[str, str]:
    """The colour behind a chart, and that of the page."""
    chart = page.locator("#stock-pac3 .main-svg").first.evaluate("(one) => one.style.background")
    return str(chart), str(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))


def test_page_asks_for_itself_and_nothing_else(seen: Seen, file: Path) -> None:
    assert seen.requests == [file.as_uri()]
    assert seen.complaints == []


def test_every_figure_is_drawn(seen: Seen) -> None:
    figures = seen.page.locator("figure [data-figure]")
    assert figures.count() >= 20
    for number in range(figures.count()):
        assert figures.nth(number).locator("svg.main-svg").count() >= 1
        assert figures.nth(number).locator(".scatterlayer .trace, .barlayer .trace").count() >= 1


def test_no_button_leads_out(seen: Seen) -> None:
    assert seen.page.get_by_text("Share chart").count() == 0
    assert seen.page.locator(".modebar, .modebar-container *").count() == 0
    assert seen.page.evaluate("document.forms.length + document.querySelectorAll('iframe, img').length") == 0


def test_policy_of_the_page_holds(other: Seen) -> None:
    said = other.page.evaluate(
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
    assert said == [["connect-src", "script-src-elem"], True]


def test_picture_of_a_chart_can_be_taken(seen: Seen) -> None:
    with seen.page.expect_download(timeout=120_000) as download:
        seen.page.locator("[data-picture='stock-pac3']").click()
    assert download.value.suggested_filename == "stock-pac3.png"
    assert Path(download.value.path()).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_data_of_a_chart_can_be_taken(seen: Seen) -> None:
    with seen.page.expect_download(timeout=120_000) as download:
        seen.page.locator("#stock-pac3 a[download]").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert download.value.suggested_filename == "stock-pac3.csv"
    assert lines[0].startswith("date,none.q05,none.q25,none.q50,none.q75,none.q95,")
    assert len(lines) == 132


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_found_by_axe(seen: Seen, other: Seen, scheme: str) -> None:
    page = (seen if scheme == "light" else other).page
    unfold(page)
    found = Axe().run(page).response["violations"]
    assert not [(one["id"], [node["html"][:160] for node in one["nodes"][:3]]) for one in found]


def test_colours_follow_the_scheme(other: Seen) -> None:
    dark = ground(other.page)
    other.page.emulate_media(color_scheme="light")
    other.page.wait_for_timeout(2000)
    light = ground(other.page)
    other.page.emulate_media(color_scheme="dark")
    other.page.wait_for_timeout(2000)
    assert dark == ("rgb(20, 24, 29)", "rgb(20, 24, 29)") == ground(other.page)
    assert light == ("rgb(255, 255, 255)", "rgb(255, 255, 255)")


def test_phone_needs_no_scrolling_sideways(browser: Browser, file: Path) -> None:
    opened = Seen(browser, file, width=360)
    opened.drawn()
    unfold(opened.page)
    width = opened.page.evaluate("document.documentElement.scrollWidth")
    wide = "[...document.querySelectorAll('.plot')].filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.id)"
    found = opened.page.evaluate(wide)
    opened.context.close()
    assert width == 360
    assert found == []


def test_picture_of_the_model_has_a_name_follows_the_scheme_and_can_be_read(seen: Seen, other: Seen, browser: Browser, file: Path) -> None:
    assert seen.page.get_by_role("img", name=MODEL).count() == 1
    ink = [one.page.locator(".diagram text").first.evaluate("(one) => getComputedStyle(one).fill") for one in (seen, other)]
    assert ink[0] != ink[1]
    size = seen.page.locator(".diagram text").first.evaluate("(one) => one.getScreenCTM().a * 13")
    assert size >= 10
    scrolls = "(one) => [one.scrollWidth > one.clientWidth, one.tabIndex]"
    assert seen.page.locator(".diagram").evaluate(scrolls) == [False, 0]
    phone = Seen(browser, file, width=360)
    assert phone.page.locator(".diagram").evaluate(scrolls) == [True, 0]
    assert phone.page.locator(".diagram text").first.evaluate("(one) => one.getScreenCTM().a * 13") >= 10
    phone.context.close()


def test_charts_keep_their_size_when_the_screen_is_turned(other: Seen) -> None:
    size = "document.getElementById('stock-pac3-plot')._fullLayout._size.h"
    before = other.page.evaluate(size)
    for width in (360, 1280):
        other.page.set_viewport_size({"width": width, "height": 800})
        other.page.wait_for_timeout(2000)
    assert other.page.evaluate(size) == pytest.approx(before)


def test_charts_have_names_and_texts_in_their_place(seen: Seen) -> None:
    session = seen.context.new_cdp_session(seen.page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    named = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"] and "role" in node]
    pictures = [name for role, name in named if role in ("img", "image") and name != MODEL]
    assert len(pictures) == seen.page.locator("[data-figure], .panels").count()
    assert all("chart of" in name and any(sign.isdigit() for sign in name) for name in pictures)
    groups = [name for role, name in named if role in ("figure", "group") and name]
    for title in seen.page.locator("figure .finding").all_inner_texts():
        assert title in groups
    assert all(name for role, name in named if role in ("button", "link", "table", "region", "navigation"))


def test_everything_can_be_reached_by_keyboard(seen: Seen) -> None:
    page = seen.page
    page.reload()
    seen.drawn()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.locator("nav a").first.focus()
    page.keyboard.press("Tab")
    outline = "(() => { const one = getComputedStyle(document.activeElement); return [one.outlineStyle, one.outlineWidth]; })()"
    assert page.evaluate(outline) == ["solid", "3px"]
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.tagName + '.' + document.activeElement.className"))
    assert {"A.", "SUMMARY.", "BUTTON.needs-script", "DIV.scroll"} <= reached
    assert not page.locator("#stock-pac3 table").is_visible()
    page.locator("#stock-pac3 summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("#stock-pac3 table").is_visible()


def test_paper_is_light_and_shows_what_is_folded(browser: Browser, file: Path, tmp_path: Path) -> None:
    opened = Seen(browser, file, color_scheme="dark")
    opened.drawn()
    page, folded = opened.page, "document.querySelectorAll('details:not([open])').length"
    width = "document.querySelector('#stock-pac3-plot')._fullLayout.width"
    page.evaluate(f"window.addEventListener('beforeprint', () => {{ window.seen = [{width}, {folded}]; }})")
    before = page.evaluate(folded)
    page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True)
    printed, after = page.evaluate("window.seen"), page.evaluate(folded)
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.wait_for_timeout(2000)
    colours, shown = ground(page), page.locator(".assumptions").last.is_visible()
    tools, contents = page.locator(".tools").first.is_visible(), page.locator("nav").is_visible()
    opened.context.close()
    assert printed == [660, 0]
    assert before == after > 20
    assert colours == ("rgb(255, 255, 255)", "rgb(255, 255, 255)")
    assert (shown, tools, contents) == (True, False, False)
    assert (tmp_path / "page.pdf").stat().st_size > 100_000


def test_without_scripts_the_tables_are_there(browser: Browser, file: Path) -> None:
    opened = Seen(browser, file, java_script_enabled=False)
    page = opened.page
    page.locator("#stock-pac3 summary").click()
    table, plot = page.locator("#stock-pac3 table").is_visible(), page.locator("#stock-pac3-plot").is_visible()
    button = page.locator("[data-picture='stock-pac3']").is_visible()
    note = page.locator("main > noscript").count()
    opened.context.close()
    assert (note, table, plot, button) == (1, True, False, False)


def test_panels_are_drawn_and_follow_the_scheme(seen: Seen, other: Seen, browser: Browser, file: Path) -> None:
    band = "getComputedStyle(document.querySelector('.panel .outer')).fill"
    boxes = """[...document.querySelectorAll(".panel")].map((one) => [...one.querySelectorAll(".outer, .median")].map((path) => {
      const box = path.getBBox();
      return [box.width, box.height];
    }))"""
    for outer, median in seen.page.evaluate(boxes):
        assert min(outer[0], median[0]) > 200
        assert outer[1] > 100
    assert (seen.page.evaluate(band), other.page.evaluate(band)) == ("rgb(0, 114, 178)", "rgb(86, 180, 233)")
    bare = Seen(browser, file, java_script_enabled=False)
    shown = bare.page.locator("#changes-pac3 .panel svg").first.is_visible()
    bare.context.close()
    assert shown


def test_forced_colours_and_still_motion(other: Seen) -> None:
    other.page.emulate_media(forced_colors="active", reduced_motion="reduce")
    behaviour = other.page.evaluate("getComputedStyle(document.documentElement).scrollBehavior")
    kept = other.page.locator(".plot").first.evaluate("(one) => getComputedStyle(one).forcedColorAdjust")
    other.page.emulate_media(forced_colors="none", reduced_motion="no-preference")
    assert (behaviour, kept) == ("auto", "none")


def test_index_leads_to_the_page(browser: Browser, file: Path) -> None:
    opened = Seen(browser, index(file.parent))
    violations = Axe().run(opened.page).response["violations"]
    opened.page.locator("main a").first.click()
    title = opened.page.title()
    opened.context.close()
    assert not violations
    assert title == "As known in July 2025 – stockpile"
