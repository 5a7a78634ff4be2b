"""GraphiQL in a real browser: a newcomer presses the button twice and sees a network run, and nothing leaves."""

import json
import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Page

from app.graphiql.build import OUTPUT
from tests.processes import Api
from tests.server.browser import chromium, open_browser
from tests.server.nodes import missing

RUN = ".graphiql-execute-button"
RESPONSE = ".graphiql-response"
SCREENSHOTS = Path(__file__).parents[2] / "out"


@pytest.fixture(autouse=True)
def _browser_and_bundle() -> None:
    if chromium() is None:
        missing("no Chromium on PATH: apt-get install chromium")
    if not (OUTPUT / "manifest.json").exists():
        missing("GraphiQL is not built: make graphiql")


async def shown(page: Page, pattern: str) -> str:
    """What the response pane shows, once the pattern is in it; the editor writes hard spaces."""
    await page.wait_for_function(
        "([pane, pattern]) => new RegExp(pattern).test("
        "document.querySelector(pane)?.innerText.replaceAll('\\u00a0', ' ') ?? '')",
        arg=[RESPONSE, pattern],
        timeout=30_000,
    )
    return (await page.inner_text(RESPONSE)).replace("\u00a0", " ")


async def open_graphiql(page: Page, address: str) -> None:
    """The page, with its three editors loaded: the button does nothing before."""
    await page.goto(address)
    await page.wait_for_selector(RUN)
    for pane in (".graphiql-query-editor", ".graphiql-editor-tool", RESPONSE):
        await page.wait_for_selector(f"{pane} .monaco-editor .view-lines", state="attached")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_a_newcomer_simulates_and_watches(product: Api, tmp_path: Path, theme: Literal["light", "dark"]) -> None:
    async with open_browser(tmp_path, theme) as browser:
        page = browser.page
        await open_graphiql(page, f"{product.url}/graphql")

        await page.click(RUN)
        await shown(page, '"summary":')
        SCREENSHOTS.mkdir(exist_ok=True)
        await page.screenshot(path=SCREENSHOTS / f"graphiql-simulate-{theme}.png")

        await page.get_by_role("tab", name="Watch").click()
        await page.click(RUN)
        seen = int(re.findall(r'"seq": (\d+)', await shown(page, '"seq": [0-9]+'))[0])
        await shown(page, f'"seq": (?!{seen}\\b)[0-9]+')  # it moves
        await page.screenshot(path=SCREENSHOTS / f"graphiql-watch-{theme}.png")
        await shown(page, '"kind": "SIMULATION_FINISHED"')

        assert {urlsplit(address).netloc for address in browser.asked if "//" in address} == {
            urlsplit(product.url).netloc
        }
        assert any(address.startswith("ws://") for address in browser.asked)
        assert browser.complaints == []


async def test_a_link_opens_with_its_query(product: Api, tmp_path: Path) -> None:
    async with open_browser(tmp_path) as browser:
        page = browser.page
        address = httpx.URL(f"{product.url}/graphql", params={"query": "query Shared { health { status } }"})
        await open_graphiql(page, str(address))
        await page.click(RUN)
        assert json.loads(await shown(page, '"OK"'))["data"] == {"health": {"status": "OK"}}
        assert browser.complaints == []
