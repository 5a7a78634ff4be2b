"""Reports in a real browser: read on a phone, in the dark and on paper, and nothing leaves."""

from pathlib import Path
from typing import Literal

import pytest

from tests.drawing.networks import network
from tests.drawing.studied import studied
from tests.drawing.test_experiment_report import BETTER
from tests.drawing.test_report import told
from tests.server.browser import chromium, open_browser
from tests.server.nodes import missing
from windtunnel.drawing.experiment_report import experiment_report
from windtunnel.drawing.report import report

PAGE = "getComputedStyle(document.documentElement).backgroundColor"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
BROAD = "[...document.querySelectorAll('table,.chart svg')].filter(e => e.scrollWidth > innerWidth + 1).length"
A4 = 688
"""The width of a page with its margins, in pixels."""


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_reports_are_read_anywhere(tmp_path: Path, theme: Literal["light", "dark"]) -> None:
    if chromium() is None:
        missing("no Chromium on PATH: apt-get install chromium")
    documents = {"experiment": experiment_report(studied(network(64), BETTER)), "run": report(told(network(8)))}
    async with open_browser(tmp_path / "profile", theme) as browser:
        page = browser.page
        for name, document in documents.items():
            path = tmp_path / f"{name}.html"
            path.write_text(document, "utf-8")
            await page.goto(path.as_uri())
            for width in (1280, 360):
                await page.set_viewport_size({"width": width, "height": 800})
                assert await page.evaluate(OVERFLOW) == 0
            assert await page.evaluate(PAGE) == ("rgb(246, 247, 251)" if theme == "light" else "rgb(13, 18, 32)")
            await page.set_viewport_size({"width": A4, "height": 980})
            await page.emulate_media(media="print")
            assert await page.evaluate(OVERFLOW) == 0
            assert await page.evaluate(BROAD) == 0
            assert await page.evaluate(PAGE) == "rgb(246, 247, 251)"
            assert (await page.pdf(format="A4")).startswith(b"%PDF")
            await page.emulate_media(media="screen")
        assert [address for address in browser.asked if not address.startswith("file:")] == []
        assert browser.complaints == []
