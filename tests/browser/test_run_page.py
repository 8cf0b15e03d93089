"""The page of a run and runs beside each other: folders open, a note is kept, pictures follow a slider."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support import axe, console
from tests.support.hub import Hub
from tests.support.left import two_runs

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
REPOSITORY = "alice/left"


@pytest.fixture(scope="module")
def left(hub: Hub, people: dict[str, str]) -> list[str]:
    body = json.dumps({"name": "left", "private": True}).encode()
    headers = {"Authorization": f"Bearer {people['alice']}", "Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(f"{hub.url}/api/v1/user/repos", body, headers), timeout=60).close()
    return two_runs(hub, people["alice"], REPOSITORY)


def test_a_run_is_read_and_noted(left: list[str], open_page: Callable[..., Page]) -> None:
    page = open_page(f"/{REPOSITORY}/experiments/runs/{left[0]}", scheme="dark")
    expect(page.locator("svg.spark").first).to_be_visible()
    expect(page.get_by_text("Not committed when it ran")).to_be_visible()
    page.locator("summary", has_text="model").click()
    expect(page.get_by_role("link", name="MLmodel")).to_be_visible()
    assert axe.violations(page) == []
    page.locator("summary", has_text="Edit the note").click()
    page.get_by_label("Note, in Markdown").fill("# Better\n\n*now*")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("heading", name="Better")).to_be_visible()
    page.locator("summary", has_text="model").click()
    page.get_by_role("link", name="model.pkl").click()
    expect(page.get_by_text("A pickle runs its author's code")).to_be_visible()
    assert axe.violations(page) == []
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert console.problems(page) == []


def test_pictures_follow_the_slider(left: list[str], open_page: Callable[..., Page]) -> None:
    page = open_page(f"/{REPOSITORY}/experiments/compare?run={left[0]}&run={left[1]}")
    page.locator("#compare-panels").scroll_into_view_if_needed()
    picture = page.locator("#beside-pictures img").first
    expect(picture).to_have_attribute("alt", "mask of wings-0 at step 10")
    page.locator("#beside-step").fill("6")
    expect(picture).to_have_attribute("alt", "mask of wings-0 at step 5")
    page.locator("#beside-files").scroll_into_view_if_needed()
    page.locator("#beside-files summary", has_text="config.json").click()
    page.get_by_role("link", name="Difference to wings-1").first.click()
    expect(page.get_by_role("region", name="Values of config.json that differ")).to_be_visible()
    page.locator("#beside-environment").scroll_into_view_if_needed()
    expect(page.locator("#beside-environment")).to_contain_text("1.7.1")
    assert axe.violations(page) == []
    assert console.problems(page) == []
