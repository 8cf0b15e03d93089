"""A review in the browser: comment on a range, by mouse and by keyboard, suggest, apply, approve."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support import axe, console
from tests.support.hub import Hub

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
TEXT = "".join(f"line {n}\n" for n in range(1, 21))


def call(hub: Hub, token: str, method: str, address: str, /, **body: object) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = Request(f"{hub.url}/api/v1{address}", json.dumps(body).encode(), headers, method=method)
    with urlopen(request, timeout=30) as answer:
        assert answer.status < 300


@pytest.fixture
def proposed(hub: Hub, people: dict[str, str], git: Callable[..., str], tmp_path: Path) -> str:
    """bob's pull request #1 in alice/reviewed, which rewrites a line."""
    hub.repository(people["alice"], "reviewed")
    call(hub, people["alice"], "PUT", "/repos/alice/reviewed/collaborators/bob", permission="write")
    remote = hub.url.replace("//", f"//bob:{people['bob']}@") + "/alice/reviewed.git"
    git("init", "-q", "-b", "main", cwd=tmp_path)
    for branch, text in (("main", TEXT), ("work", TEXT.replace("line 5\n", "line five\nline 5b\n"))):
        if branch != "main":
            git("switch", "-q", "-c", branch, cwd=tmp_path)
        (tmp_path / "a.txt").write_text(text)
        git("add", ".", cwd=tmp_path)
        git("commit", "-q", "-m", f"To {branch}", cwd=tmp_path)
        git("push", "-q", remote, branch, cwd=tmp_path)
    call(hub, people["bob"], "POST", "/repos/alice/reviewed/pulls", title="Five", base="main", head="work")
    return "/alice/reviewed/pull/1"


def test_a_range_is_commented_on_a_suggestion_applied_the_whole_approved(
    open_page: Callable[..., Page], hub: Hub, proposed: str
) -> None:
    page = open_page(f"{proposed}/files")
    other = page.context.new_page()
    other.goto(f"{hub.url}{proposed}/files")
    expect(other.locator(".review-menu summary")).to_have_text("Review changes")
    page.bring_to_front()

    def line(number: int) -> Locator:
        return page.locator(f"tr:has(td[id$='R{number}'])").locator(".diff-code")

    line(5).hover()
    plus = page.get_by_role("button", name="Comment on this line")
    plus.hover()
    page.mouse.down()
    line(6).hover()
    page.mouse.up()
    expect(page.get_by_role("heading", name="Comment on lines 5 to 6")).to_be_visible()
    page.get_by_role("button", name="Suggest a change").click()
    text = page.locator("[data-line-form] textarea")
    expect(text).to_have_value("```suggestion\nline five\nline 5b\n```\n")
    text.fill("One is enough\n\n```suggestion\nline five, better\n```")
    assert axe.violations(page) == []  # with the form of a thread
    page.get_by_role("button", name="Start a review").click()
    expect(page.locator(".pending-comment")).to_contain_text("One is enough")
    expect(page.locator(".review-menu summary .count")).to_have_text("1")
    other.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # a browser without a screen sends none
    expect(other.locator(".review-menu summary .count")).to_have_text("1")
    other.close()

    page.locator(".review-menu summary").click()
    page.get_by_label("Your review").fill("Kept while comments come")
    page.get_by_label("Approve").check()
    page.locator(".review-menu summary").click()
    region = page.get_by_role("region", name="Changed lines of a.txt")
    region.focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("[data-line-form] h3")).to_have_text("Comment on lines 4 to 5")
    page.keyboard.type("Typed with the keyboard alone")
    page.get_by_role("button", name="Comment now").click()
    expect(page.locator(".thread", has_text="Typed with the keyboard alone")).to_be_visible()

    region.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator("[data-line-form] textarea").fill("Waits as well")
    page.get_by_role("button", name="Add to the review").click()
    expect(page.locator(".review-menu summary .count")).to_have_text("2")
    page.locator(".review-menu summary").click()
    expect(page.get_by_label("Your review")).to_have_value("Kept while comments come")
    expect(page.get_by_label("Approve")).to_be_checked()
    page.get_by_label("Your review").fill("Nearly there")
    assert axe.violations(page) == []  # with what waits, the bar of the review open
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.locator(".reviewed")).to_contain_text("alice approved")
    expect(page.locator(".reviewers")).to_contain_text("approved")
    page.get_by_role("button", name="Apply", exact=True).click()
    expect(page.locator(".messages, [role=status]").filter(has_text="Applied as a commit")).to_be_visible()

    page.goto(f"{hub.url}{proposed}/files?view=split")
    rewritten = page.locator(".diff-split > tbody > tr > .diff-code", has_text="line five, better")  # no thread's line
    expect(rewritten).to_be_visible()
    expect(page.locator(".thread-slot", has_text="One is enough")).to_contain_text("resolved")
    typed = page.locator(".diff-lost .thread", has_text="Typed with the keyboard alone")  # its last line was rewritten
    expect(typed).to_contain_text("outdated")
    assert console.problems(page) == []


def test_a_thread_stands_once_when_the_lines_of_its_file_come_later(
    open_page: Callable[..., Page], hub: Hub, people: dict[str, str], git: Callable[..., str], tmp_path: Path
) -> None:
    hub.repository(people["alice"], "long")
    remote = hub.url.replace("//", f"//alice:{people['alice']}@") + "/alice/long.git"
    git("init", "-q", "-b", "main", cwd=tmp_path)
    for branch, word in (("main", "line"), ("work", "row")):
        if branch != "main":
            git("switch", "-q", "-c", branch, cwd=tmp_path)
        for name in ("a.txt", "b.txt"):
            (tmp_path / name).write_text("".join(f"{word} {n}\n" for n in range(300)))
        git("add", ".", cwd=tmp_path)
        git("commit", "-q", "-m", branch, cwd=tmp_path)
        git("push", "-q", remote, branch, cwd=tmp_path)
    call(hub, people["alice"], "POST", "/repos/alice/long/pulls", title="Long", base="main", head="work")
    said = {"path": "b.txt", "line": 200, "side": "RIGHT", "body": "Why row?"}
    call(hub, people["alice"], "POST", "/repos/alice/long/pulls/1/comments", **said)
    page = open_page("/alice/long/pull/1/files")
    expect(page.locator(".diff-lost")).to_contain_text("Why row?")
    page.locator("section", has=page.locator(".diff-lost")).scroll_into_view_if_needed()
    expect(page.locator(".diff-beside")).to_contain_text("Why row?", timeout=30_000)
    expect(page.get_by_text("Why row?")).to_have_count(1)
    said = {"path": "a.txt", "line": 9, "side": "RIGHT", "body": "```suggestion\n" + "wide " * 40 + "\n```"}
    call(hub, people["alice"], "POST", "/repos/alice/long/pulls/1/comments", **said)
    check_on_a_phone(page, f"{hub.url}/alice/long/pull/1/files?view=split")
    assert console.problems(page) == []


def check_on_a_phone(page: Page, address: str) -> None:
    """A thread is as wide as what is seen of the lines, wherever they are scrolled to."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address)
    thread = page.locator(".diff-beside .thread").first
    for left in (0, 10_000):
        thread.evaluate("(element, left) => { element.closest('.diff-scroll').scrollLeft = left }", left)
        box = thread.bounding_box()
        assert box
        assert 0 <= box["x"] < box["x"] + box["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
