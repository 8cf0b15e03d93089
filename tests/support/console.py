"""What a page's scripts tell: that all of them run, and what the browser complains of (errors in the console, refused
resources, scripts that broke)."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from playwright.sync_api import Page

_heard: WeakKeyDictionary[Page, list[str]] = WeakKeyDictionary()


def listen(page: Page) -> None:
    """From now on, until the page is closed."""
    heard = _heard[page] = []
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))


def problems(page: Page) -> list[str]:
    """All since listen(page)."""
    return _heard[page]


def enhanced(page: Page) -> None:
    """Waits until every module of the page runs: a key pressed before that is nobody's."""
    page.locator("html[data-enhanced]").wait_for()
