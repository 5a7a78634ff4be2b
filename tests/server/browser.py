"""A real browser, Debian's Chromium driven by Playwright, that tells what it asked for and what it complained about."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.async_api import ConsoleMessage, Page, async_playwright

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Browser:
    """An open page. `asked` has every address it asked for, WebSockets too; `complaints` errors and warnings."""

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def chromium() -> str | None:
    """The machine's Chromium, None when it has none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@asynccontextmanager
async def open_browser(profile: Path, theme: Literal["light", "dark"] = "light") -> AsyncIterator[Browser]:
    """A browser with a fresh profile, closed with the block."""
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            str(profile),
            executable_path=chromium(),
            args=list(FLAGS),
            color_scheme=theme,
            viewport={"width": 1440, "height": 900},
        )
        browser = Browser(context.pages[0])

        def on_console(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                browser.complaints.append(f"{message.type}: {message.text}")

        browser.page.on("request", lambda request: browser.asked.append(request.url))
        browser.page.on("websocket", lambda socket: browser.asked.append(socket.url))
        browser.page.on("console", on_console)
        browser.page.on("pageerror", lambda error: browser.complaints.append(str(error)))
        try:
            yield browser
        finally:
            await context.close()
