"""Small pictures of the pages for the documents, taken in a Chromium at half size: ``make report`` first, then this."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

DOCS = Path(__file__).parent
REPORTS = DOCS.parent / "reports"
SETTING = (
    "#1&july_2025&suspend=2025-07-01_horizon_0_ukraine_pac3.shell_155mm.aim120.aim9x_deferred_held&munitions.pac3.us_stock=0.8"
)
"""What the live page shows: the suspension without end, and a smaller stock than thought."""
WIDE, NARROW = (1280, 900), (360, 900)
SHOTS = [
    ("explorer", SETTING, WIDE, "light", 0.0),
    ("explorer", SETTING, WIDE, "dark", 0.0),
    ("explorer", SETTING, NARROW, "light", 2300.0),
    ("july_2025", "", WIDE, "light", 2200.0),
    ("november_2026", "", WIDE, "light", 2200.0),
    ("workbench", "", WIDE, "light", 1900.0),
    ("evidence", "", WIDE, "light", 1650.0),
]
"""Page, what follows in its address, size, colours, how far down [px]."""


def main() -> None:
    """Take them all."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        for name, address, (width, height), colours, down in SHOTS:
            scale = 0.5 if width > NARROW[0] else 0.75
            page = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=scale, color_scheme=colours)
            page.goto((REPORTS / f"{name}.html").as_uri() + address)
            # Charts are drawn as they come into sight, and move what is below them.
            for _ in range(2):
                page.wait_for_timeout(2000)
                page.evaluate(f"scrollTo(0, {down})")
            page.wait_for_timeout(1500)
            size = "_narrow" if width == NARROW[0] else ""
            page.screenshot(path=DOCS / "pictures" / f"{name}{size}{'_dark' if colours == 'dark' else ''}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
