"""Headless Chromium (Debian: `apt-get install chromium`), driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

DESKTOP, PHONE = (1280, 900), (400, 860)

expect.set_options(timeout=60_000)  # an end for what never comes; the default of 5 s is a measure of the machine


@contextmanager
def opened(url: str, size: tuple[int, int] = DESKTOP) -> Iterator[tuple[Page, list[str]]]:
    """A page that has loaded, and the list of what its console says."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "the tests in a browser need Chromium: apt-get install chromium"
    console: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        width, height = size
        viewport = ViewportSize(width=width, height=height)
        page = browser.new_page(viewport=viewport)
        page.on("console", lambda message: console.append(message.text))
        page.on("pageerror", lambda error: console.append(str(error)))
        page.goto(url)
        yield page, console
        browser.close()


def dom(url: str, wait_ms: int = 500) -> tuple[str, list[str]]:
    """The document after its scripts ran for a while, and its console."""
    with opened(url) as (page, console):
        page.wait_for_timeout(wait_ms)
        return page.content(), console


def text_colors(url: str) -> list[str]:
    """The color of the page's text for people who prefer light, and for those who prefer dark."""
    with opened(url) as (page, _):
        page.emulate_media(color_scheme="light")
        light = page.evaluate("getComputedStyle(document.body).color")
        page.emulate_media(color_scheme="dark")
        return [light, page.evaluate("getComputedStyle(document.body).color")]
