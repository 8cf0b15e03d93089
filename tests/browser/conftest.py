"""A real browser on a running hub. Chromium is the system's; Playwright only drives it."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.hub import Hub

PASSWORD = "correct horse battery"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        message = "no Chromium found: apt-get install chromium"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def people(hub: Hub) -> dict[str, str]:
    """alice and bob exist; their tokens by name. alice administers the hub."""
    return {name: hub.user(name, admin=name == "alice") for name in ("alice", "bob")}


@pytest.fixture(scope="session")
def demo(hub: Hub) -> str:
    """The path of the demo repository: history, data, a notebook, runs."""
    hub.covey("demo", "--once")
    return "/demo/bird-counter"


@pytest.fixture(scope="session")
def git(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """git(*words, cwd=) → its output; no configuration but its own, and it never asks."""
    home = tmp_path_factory.mktemp("git-home")
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "GIT_TERMINAL_PROMPT": "0"}
    identity = ["-c", "user.name=Alice", "-c", "user.email=alice@example.org"]

    def run(*words: str, cwd: Path) -> str:
        done = subprocess.run(
            ["git", *identity, *words], cwd=cwd, env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def cookies(browser: Browser, hub: Hub, people: dict[str, str]) -> Callable[[str], list[dict[str, object]]]:
    """cookies(name) → those of that person, signed in by the form once."""

    @functools.cache
    def of(name: str) -> list[dict[str, object]]:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{hub.url}/account/login")
        page.get_by_label("User name or e-mail address").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.locator("main").get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{hub.url}/**")
        assert "login" not in page.url, page.locator("main").inner_text()
        kept = context.cookies()
        context.close()
        return kept  # type: ignore[return-value]

    return of


@pytest.fixture
def open_page(
    browser: Browser, hub: Hub, cookies: Callable[[str], list[dict[str, object]]]
) -> Iterator[Callable[..., Page]]:
    """open_page(path, scheme=, width=, person=, signed_in=) → the page, with .problems: console errors and refused
    resources."""
    contexts = []

    def make(
        path: str, *, scheme: str = "light", width: int = 1280, person: str = "alice", signed_in: bool = True
    ) -> Page:
        context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})  # type: ignore[arg-type]
        if signed_in:
            context.add_cookies(cookies(person))  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.problems = problems  # type: ignore[attr-defined]
        page.goto(f"{hub.url}{path}")
        return page

    yield make
    for context in contexts:
        context.close()
