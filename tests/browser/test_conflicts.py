"""A conflict in code and one in a keyed table, resolved by clicking, then merged."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support import axe, console
from tests.support.hub import Hub

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
CODE = "import sys\n\n\ndef main(path):\n    rate = 0.1\n    return train(path, rate)\n"
TABLE = "image,label,size\na.png,cat,10\nb.png,dog,20\nc.png,cat,30\n"
CONFIG = "datasets:\n  keys:\n    labels.csv: image\n"


@pytest.fixture
def parted(hub: Hub, people: dict[str, str], git: Callable[..., str], tmp_path: Path) -> int:
    """The number of a pull request of alice/relabel whose branches changed one line of code and one label."""
    hub.repository(people["alice"], "relabel")
    remote = hub.url.replace("//", f"//alice:{people['alice']}@") + "/alice/relabel.git"

    def commit(code: str, table: str, message: str) -> None:
        (tmp_path / "train.py").write_text(code)
        (tmp_path / "labels.csv").write_text(table)
        git("add", ".", cwd=tmp_path)
        git("commit", "-q", "-m", message, cwd=tmp_path)

    git("init", "-q", "-b", "main", cwd=tmp_path)
    (tmp_path / ".covey").mkdir()
    (tmp_path / ".covey" / "config.yml").write_text(CONFIG)
    commit(CODE, TABLE, "Begin")
    git("switch", "-q", "-c", "relabel", cwd=tmp_path)
    commit(CODE.replace("0.1", "0.01"), TABLE.replace("b.png,dog", "b.png,wolf"), "Relabel")
    git("switch", "-q", "main", cwd=tmp_path)
    commit(
        CODE.replace("0.1", "0.2"), TABLE.replace("b.png,dog", "b.png,fox").replace("c.png,cat", "c.png,lynx"), "Tune"
    )
    git("push", "-q", remote, "main", "relabel", cwd=tmp_path)
    request = urllib.request.Request(  # our own hub
        f"{hub.url}/api/v1/repos/alice/relabel/pulls",
        data=json.dumps({"title": "Relabel", "head": "relabel", "base": "main"}).encode(),
        headers={"Authorization": f"Bearer {people['alice']}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return int(json.load(answer)["number"])


def test_conflicts_are_resolved_by_clicking_and_merged(open_page: Callable[..., Page], hub: Hub, parted: int) -> None:
    page = open_page(f"/alice/relabel/pull/{parted}")
    page.get_by_role("link", name="Resolve the conflicts here").click(timeout=60_000)
    expect(page.get_by_role("heading", name="2 files in conflict")).to_be_visible(timeout=60_000)
    assert axe.violations(page) == []
    page.get_by_role("link", name="Choose in labels.csv").click()
    expect(page.get_by_role("group", name="image b.png, label")).to_be_visible()
    page.get_by_label("My own value for image b.png, label").fill("coyote")
    expect(page.get_by_role("radio", name="Write it myself")).to_be_checked()
    page.get_by_role("button", name="Save and go on").click()

    expect(page.get_by_role("heading", name="train.py")).to_be_visible()
    page.get_by_role("radio", name="Keep relabel's").check()
    assert axe.violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert axe.violations(page) == []
    page.set_viewport_size({"width": 390, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_role("button", name="Save and go on").click()

    expect(page.get_by_text("Everything is decided.")).to_be_visible()
    page.get_by_role("button", name="Commit to relabel").click()
    expect(page.get_by_role("heading", name="This can be merged")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.locator("#merge-box")).to_contain_text("Merged")
    merged = page.request.get(f"{hub.url}/alice/relabel/raw/main/labels.csv").text()
    assert merged == TABLE.replace("dog", "coyote").replace("c.png,cat", "c.png,lynx")
    assert console.problems(page) == []
