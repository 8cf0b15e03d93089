"""The Files tab in a browser: the tree and its filter, keys from file to file, marks that answer at once, lines by
address; the notebook beside it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Dialog, Page, Route, expect

from tests.browser.test_reviews import call
from tests.support import console
from tests.support.hub import Hub

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
    console.enhanced(page)
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


@pytest.fixture(scope="module")
def spread(hub: Hub, people: dict[str, str], git: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """A pull request of every tenth line of a file, and of 160 files in a folder, in two branches: /1 and /2."""
    tmp_path = tmp_path_factory.mktemp("spread")
    hub.repository(people["alice"], "spread")
    remote = hub.url.replace("//", f"//alice:{people['alice']}@") + "/alice/spread.git"
    git("init", "-q", "-b", "main", cwd=tmp_path)
    (tmp_path / "a.txt").write_text("".join(f"line {n}\n" for n in range(400)))
    git("add", ".", cwd=tmp_path)
    git("commit", "-q", "-m", "Begin", cwd=tmp_path)
    git("switch", "-q", "-c", "long", cwd=tmp_path)
    (tmp_path / "a.txt").write_text("".join(f"line {n if n % 10 else -n}\n" for n in range(400)))
    git("commit", "-q", "-a", "-m", "Long", cwd=tmp_path)
    git("switch", "-q", "-c", "many", "main", cwd=tmp_path)
    (tmp_path / "d").mkdir()
    for number in range(160):
        (tmp_path / "d" / f"f{number:03}.txt").write_text(f"{number}\n")
    git("add", ".", cwd=tmp_path)
    git("commit", "-q", "-m", "Many", cwd=tmp_path)
    git("push", "-q", remote, "main", "long", "many", cwd=tmp_path)
    for head in ("long", "many"):
        asked = {"title": head, "base": "main", "head": head}
        call(hub, people["alice"], "POST", "/repos/alice/spread/pulls", **asked)
    return "/alice/spread/pull"


def test_the_rest_of_a_file_comes_once_and_beside_what_is_being_written(
    open_page: Callable[..., Page], spread: str
) -> None:
    page = open_page("/")
    held: list[Route] = []
    page.route("**/diff/**", lambda route: held.append(route))
    scripts: list[Route] = []
    page.route("**/js/review*.js", lambda route: scripts.append(route))
    with page.expect_request("**/js/review*.js"):
        page.goto(f"{page.url.rstrip('/')}{spread}/1/files")
    expect(page.locator("table.diff tr")).to_have_count(60)
    page.locator("td.diff-number[id$='R9']").hover()  # before there is a script to see it
    scripts.pop().continue_()
    page.locator(".line-plus").click()
    page.locator(".diff-beside textarea").fill("Half a thought")
    page.get_by_role("link", name="Show the other lines").scroll_into_view_if_needed()
    expect(page.locator("[data-later]")).to_have_attribute("data-asked", "1")
    page.wait_for_timeout(200)
    held.pop().fulfill(status=502, body="Bad gateway")
    expect(page.locator("[role=status]", has_text="These lines did not come.")).to_be_visible()
    expect(page.get_by_text("Bad gateway")).to_have_count(0)
    page.unroute("**/diff/**")
    page.get_by_role("link", name="Show the other lines").click()
    expect(page.locator("td[id$='R399']")).to_have_count(0)
    expect(page.locator("td[id$='R393']")).to_be_visible()
    twice = "(all) => all.length - new Set(all.map((one) => one.id)).size"
    assert page.locator("td.diff-number[id]").evaluate_all(twice) == 0
    expect(page.locator("[data-later]")).to_have_count(0)
    expect(page.locator(".diff-beside textarea")).to_have_value("Half a thought")

    page.route("**/comment", lambda route: route.fulfill(status=502, body="Bad gateway"))
    page.get_by_role("button", name="Comment now").click()
    expect(page.get_by_role("alert").filter(has_text="This was not sent.")).to_be_visible()
    expect(page.locator(".diff-beside textarea")).to_have_value("Half a thought")
    page.unroute("**/comment")

    asked: list[Dialog] = []
    page.on("dialog", lambda dialog: (asked.append(dialog), dialog.accept()))
    page.get_by_role("button", name="Comment now").click()
    expect(page.locator(".diff-beside .thread")).to_contain_text("Half a thought")
    page.reload()
    expect(page.locator(".diff-beside .thread")).to_contain_text("Half a thought")
    assert asked == []  # the form is gone: nothing of it is unsaved


def test_letters_typed_before_the_tree_is_whole_filter_it(open_page: Callable[..., Page], spread: str) -> None:
    page = open_page("/")
    held: list[Route] = []
    page.route("**/files/tree*", lambda route: held.append(route))
    with page.expect_request("**/files/tree*"):
        page.goto(f"{page.url.rstrip('/')}{spread}/2/files")
    expect(page.locator("[data-file]")).to_have_count(30)
    page.get_by_label("Filter the files").fill("f15")
    held.pop().continue_()
    expect(page.locator("[data-file]")).to_have_count(160)
    expect(page.locator("[data-file]:visible")).to_have_count(10)
    assert console.problems(page) == []
