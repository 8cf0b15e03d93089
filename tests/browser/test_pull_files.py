"""The Files tab in a browser: the tree and its filter, keys from file to file, marks that answer at once, lines by
address; the notebook beside it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support import console

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_reviewer_walks_through_the_files(open_page: Callable[..., Page], demo: str) -> None:
    page = open_page(f"{demo}/pull/6/files")
    sections = page.locator(".diff-file")
    expect(sections).to_have_count(8)
    page.get_by_label("Filter the files").fill("YAML")
    expect(page.locator("[data-file]:visible")).to_have_count(2)
    page.get_by_label("Filter the files").fill("")
    expect(page.locator("[data-file]:visible")).to_have_count(8)

    page.locator("#files").click(position={"x": 2, "y": 2})
    page.keyboard.press("j")
    page.keyboard.press("j")
    focused = page.locator(".diff-file:focus")
    expect(focused).to_have_count(1)
    name = focused.get_attribute("aria-label")
    with page.expect_response(re.compile("/viewed$")) as told:
        page.keyboard.press("v")
    assert told.value.status == 204
    expect(page.locator("[data-viewed-progress]")).to_contain_text("1 of 8 viewed")
    expect(page.locator("li[data-viewed]")).to_have_count(1)
    page.reload()
    marked = page.locator(f'.diff-file[aria-label="{name}"]')
    expect(marked.get_by_role("button", name="Viewed")).to_have_attribute("aria-pressed", "true")
    expect(marked.get_by_role("link", name="Show the difference")).to_be_visible()
    marked.get_by_role("link", name="Show the difference").click()
    expect(marked.locator("table.diff")).to_be_visible()
    with page.expect_response(re.compile("/unviewed$")):
        marked.get_by_role("button", name="Viewed").click()
    expect(page.locator("[data-viewed-progress]")).to_contain_text("0 of 8 viewed")

    line = page.locator('.diff-file[aria-label="params.yaml"] td.diff-number[id*="R3"]')
    line.click()
    expect(page).to_have_url(re.compile(r"#diff-[0-9a-f]{16}R3$"))
    page.reload()
    expect(page.locator("tr.diff-chosen")).to_contain_text("epochs: 80")

    page.get_by_role("link", name="Notebooks", exact=True).click()
    expect(page.locator(".pull-notebook mark", has_text="max")).to_be_visible(timeout=30_000)
    assert console.problems(page) == []
