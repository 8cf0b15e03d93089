"""A real browser on a running hub. Chromium is the system's; Playwright only drives it."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, StorageState, sync_playwright

from tests.support import console
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
def sessions(browser: Browser, hub: Hub, people: dict[str, str]) -> Callable[[str], StorageState]:
    """sessions(name) → what a browser keeps of that person, who has signed in by the form once."""

    @functools.cache
    def of(name: str) -> StorageState:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{hub.url}/account/login")
        page.get_by_label("User name or e-mail address").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.locator("main").get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{hub.url}/**")
        assert "login" not in page.url, page.locator("main").inner_text()
        kept = context.storage_state()
        context.close()
        return kept

    return of


@pytest.fixture
def open_page(browser: Browser, hub: Hub, sessions: Callable[[str], StorageState]) -> Iterator[Callable[..., Page]]:
    """open_page(path, scheme=, width=, person=, signed_in=) → the page, of which console.problems() tells."""
    contexts = []

    def make(
        path: str,
        *,
        scheme: Literal["light", "dark"] = "light",
        width: int = 1280,
        person: str = "alice",
        signed_in: bool = True,
    ) -> Page:
        context = browser.new_context(
            color_scheme=scheme,
            viewport={"width": width, "height": 900},
            storage_state=sessions(person) if signed_in else None,
        )
        contexts.append(context)
        page = context.new_page()
        console.listen(page)
        page.goto(f"{hub.url}{path}")
        return page

    yield make
    for context in contexts:
        context.close()
