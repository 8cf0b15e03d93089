"""A newcomer's first quarter of an hour, with a real git in the other hand; and the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support import console
from tests.support.hub import Hub

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
Open = Callable[..., Page]


def test_a_newcomer_makes_pushes_and_edits_a_repository(
    open_page: Open, hub: Hub, git: Callable[..., str], tmp_path: Path
) -> None:
    page = open_page("/new")
    page.get_by_label("Name", exact=True).fill("first-steps")
    page.get_by_role("button", name="Create repository").click()
    expect(page.get_by_role("heading", name="first-steps is empty")).to_be_visible()

    page.get_by_role("button", name="Make a token and fill it in").click()
    expect(page.locator("#connect [role=status]")).to_contain_text("A token for alice/first-steps")
    lines = page.locator("#connect section[aria-labelledby=connect-git] .copybox code").inner_text()
    token = next(word for word in lines.split("password=")[1].split("\\n") if word.startswith("covey_"))

    (tmp_path / "hello.md").write_text("# Hello\n")
    git("init", "-q", "-b", "main", cwd=tmp_path)
    git("add", ".", cwd=tmp_path)
    git("commit", "-q", "-m", "Say hello", cwd=tmp_path)
    address = hub.url.replace("//", f"//alice:{token}@")
    git("push", "-q", f"{address}/alice/first-steps.git", "main", cwd=tmp_path)

    expect(page.get_by_role("link", name="hello.md")).to_be_visible(timeout=15_000)  # without a reload
    page.get_by_role("link", name="hello.md").click()
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("Content").fill("# Hello, covey\n")
    page.get_by_label("Message").fill("Greet the birds")
    page.get_by_role("button", name="Commit").click()
    expect(page.get_by_role("heading", name="Hello, covey")).to_be_visible()
    page.locator(".latest").get_by_role("link", name="Greet the birds").click()
    expect(page.locator(".diff td.diff-code.diff-added")).to_have_count(1)
    assert console.problems(page) == []


def test_the_keyboard_is_enough(open_page: Open, demo: str) -> None:
    page = open_page(demo)
    console.enhanced(page)
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to content")
    page.keyboard.press("Enter")
    expect(page.locator(":focus")).to_have_id("main")

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)

    page.keyboard.press("w")
    expect(page.locator("details.revs")).to_have_attribute("open", "")
    expect(page.locator("#revs-filter")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("details.revs")).not_to_have_attribute("open", "")
    expect(page.locator("details.revs summary")).to_be_focused()

    page.keyboard.press("/")
    expect(page.get_by_label("Search repositories")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Search repositories")).not_to_be_focused()

    for keys, path in (("gd", "/data"), ("ge", "/experiments"), ("gf", "")):
        console.enhanced(page)
        page.keyboard.press(keys[0])
        page.keyboard.press(keys[1])
        page.wait_for_url(f"**{demo}{path}")


def test_y_leads_to_the_same_place_for_good(open_page: Open, demo: str) -> None:
    page = open_page(f"{demo}/blob/main/src/train.py")
    page.locator("a.line-number", has_text="3").first.click()
    console.enhanced(page)
    page.keyboard.press("y")
    page.wait_for_url(lambda url: "/blob/main/" not in url)
    assert page.url.endswith("/src/train.py#L3")


def test_the_finder_opens_what_was_typed(open_page: Open, demo: str) -> None:
    page = open_page(demo)
    console.enhanced(page)
    held: list[Route] = []
    page.route("**/js/finder*.js", lambda route: held.append(route))
    with page.expect_request("**/js/finder*.js"):
        page.keyboard.press("t")
    page.wait_for_url(f"**{demo}/find/main")
    page.get_by_label("Letters of its name").press_sequentially("srtrn")  # before there is a script to see it
    held.pop().continue_()
    expect(page.locator("[data-finder-list] a")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{demo}/blob/main/src/train.py")


def test_the_finder_goes_by_what_is_typed_and_not_by_the_list_before_it(open_page: Open, demo: str) -> None:
    page = open_page(f"{demo}/find/main")
    console.enhanced(page)
    held: list[Route] = []
    page.route("**/find/main?q=srtrn", lambda route: held.append(route))
    with page.expect_request("**/find/main?q=srtrn"):
        page.get_by_label("Letters of its name").press_sequentially("srtrn")
    page.keyboard.press("Enter")
    page.wait_for_function("new Promise((told) => setTimeout(told, 50, true))")
    assert page.url.endswith("/find/main"), "no file of the list before was opened"
    held.pop().continue_()
    page.wait_for_url(f"**{demo}/blob/main/src/train.py")


def test_copy_puts_the_command_into_the_clipboard(open_page: Open, hub: Hub, demo: str) -> None:
    page = open_page(demo)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("summary", has_text="Clone").click()
    box = page.locator("[data-copy]", has_text="git clone")
    box.get_by_role("button").click()
    expect(box.get_by_role("button")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == f"git clone {hub.url}{demo}.git"


def test_a_star_is_given_and_taken_back(open_page: Open, demo: str) -> None:
    page = open_page(demo)
    page.get_by_role("button", name="Star 0").click()
    page.get_by_role("button", name="Starred 1").click()
    expect(page.get_by_role("button", name="Star 0")).to_be_visible()


def test_a_run_shows_its_curves_and_opens_in_mlflow(open_page: Open, demo: str) -> None:
    page = open_page(f"{demo}/experiments")
    page.get_by_role("link", name="adam-38").click()
    figure = page.locator("[data-chart][data-drawn]").first
    figure.wait_for(timeout=30_000)
    assert figure.locator("path.js-line").count() == 1
    assert console.problems(page) == []
    page.get_by_role("link", name="Open in the MLflow UI").click()
    expect(page.get_by_text("adam-38").first).to_be_visible(timeout=60_000)
