"""From a branch to a merge: compare, propose, talk, look at the data, merge; with an issue that the merge closes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support import console
from tests.support.hub import Hub

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
TABLE = "id,name\n1,ann\n2,bo\n"


def test_a_change_is_proposed_and_merged(
    open_page: Callable[..., Page], hub: Hub, people: dict[str, str], git: Callable[..., str], tmp_path: Path
) -> None:
    hub.repository(people["alice"], "proposals")
    remote = hub.url.replace("//", f"//alice:{people['alice']}@") + "/alice/proposals.git"
    (tmp_path / "people.csv").write_text(TABLE)
    (tmp_path / ".covey").mkdir()
    (tmp_path / ".covey" / "config.yml").write_text("datasets:\n  keys:\n    people.csv: id\n")
    git("init", "-q", "-b", "main", cwd=tmp_path)
    git("add", ".", cwd=tmp_path)
    git("commit", "-q", "-m", "Begin", cwd=tmp_path)
    git("push", "-q", remote, "main", cwd=tmp_path)
    git("switch", "-q", "-c", "mend", cwd=tmp_path)
    (tmp_path / "people.csv").write_text(TABLE.replace("bo", "bob"))
    git("commit", "-q", "-am", "Mend a name", cwd=tmp_path)
    git("push", "-q", remote, "mend", cwd=tmp_path)
    git("switch", "-q", "main", cwd=tmp_path)
    (tmp_path / "people.csv").write_text(TABLE.replace("ann", "anna"))  # git calls it a conflict: a worker must look
    git("commit", "-q", "-am", "Mend another name", cwd=tmp_path)
    git("push", "-q", remote, "main", cwd=tmp_path)

    page = open_page("/alice/proposals/issues/new")
    page.get_by_label("Title").fill("A name is wrong")
    page.get_by_label("Text").fill("It is **bob**.")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview strong")).to_have_text("bob")
    page.get_by_role("button", name="Open the issue").click()
    expect(page.get_by_role("heading", name="A name is wrong #1")).to_be_visible()

    page.goto(f"{hub.url}/alice/proposals/compare/main...mend")
    page.locator(".compare-propose summary").click()
    expect(page.get_by_label("Title")).to_have_value("Mend a name")
    page.get_by_label("Text").fill("Fixes #1")
    page.get_by_role("button", name="Create pull request").click()
    expect(page.get_by_role("heading", name="This can be merged")).to_be_visible(timeout=60_000)

    page.get_by_role("link", name="Data", exact=True).last.click()
    expect(page.locator(".pull-panel").get_by_role("link", name="people.csv")).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="Conversation").click()
    expect(page.get_by_text("their data goes together")).to_be_visible()
    page.get_by_label("How").select_option("squash")
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.locator("#merge-box")).to_contain_text("Merged")
    page.get_by_role("link", name="#1", exact=True).click()
    expect(page.locator(".happened")).to_contain_text("closed this by merging #2")
    assert console.problems(page) == []
