"""Two people, two browsers: relabelled data and a new model are proposed, reviewed, brought together and merged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support import console, services
from tests.support.hub import Hub
from tests.support.story import NAME, Project

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
PATIENT_MS = 60_000  # what a worker has to work out first


@pytest.fixture
def project(hub: Hub, people: dict[str, str], git: Callable[..., str], tmp_path: Path) -> Project:
    """main and relabel parted: both changed one line of code and the label of row 71, and each something else."""
    made = Project(hub, people, git, tmp_path)
    begun = made.commit("Begin", species={}, depth=3, shade="orange", score="0.93")
    git("switch", "-q", "-c", "relabel", cwd=tmp_path)
    clean = made.commit(
        "Clean labels", species={"71": "virginica", "73": "virginica"}, depth=4, shade="red", score="0.97"
    )
    git("switch", "-q", "main", cwd=tmp_path)
    made.commit("Tune", species={"71": "unsure", "2": "unsure"}, depth=5, shade="orange", score="0.93")
    made.push("alice", "main")
    made.push("bob", "relabel")
    made.log("alice", "before", begun, 0.93)
    made.log("bob", "after", clean, 0.97)
    return made


def test_data_and_code_are_reviewed_and_merged_by_two(
    open_page: Callable[..., Page], project: Project, git: Callable[..., str], tmp_path: Path, hub: Hub
) -> None:
    bob, alice = open_page(f"/{NAME}/compare/main...relabel", person="bob"), open_page(f"/{NAME}/pulls")
    bob.locator(".compare-propose summary").click()
    bob.get_by_label("Title").fill("Clean labels")
    bob.get_by_role("button", name="Create pull request").click()
    expect(bob.get_by_role("heading", name="Clean labels #1")).to_be_visible()
    pull = f"{hub.url}/{NAME}/pull/1"

    sees_what_changed(alice, pull, project)
    says_what_she_thinks(alice, pull)

    bob.goto(pull)
    for said in ("Why four?", "Is this one sure?", "Which flower?", "Which seed?"):
        expect(bob.locator(".thread", has_text=said).first).to_be_visible()
    bring_together(bob)

    alice.goto(f"{pull}/files")
    alice.locator(".review-menu summary").click()
    alice.get_by_label("Approve").check()
    alice.get_by_role("button", name="Submit", exact=True).click()
    expect(alice.locator(".reviewers")).to_contain_text("approved")
    alice.goto(pull)
    expect(alice.get_by_role("heading", name="This can be merged")).to_be_visible(timeout=PATIENT_MS)
    alice.get_by_role("button", name="Merge", exact=True).click()
    expect(alice.locator("#merge-box")).to_contain_text("Merged")
    bob.reload()
    expect(bob.locator("#merge-box")).to_contain_text("Merged")
    look_at_the_base(project, git, tmp_path)
    assert console.problems(bob) == console.problems(alice) == []


def sees_what_changed(page: Page, pull: str, project: Project) -> None:
    page.goto(f"{pull}/data")
    panel = page.locator(".pull-panel")
    expect(panel.get_by_role("link", name="iris.csv").first).to_be_visible(timeout=PATIENT_MS)
    expect(panel.get_by_text("pictures").first).to_be_visible()
    page.goto(f"{pull}/experiments")
    expect(page.get_by_role("region", name="What changed in the metrics")).to_contain_text("0.97")
    page.goto(f"{pull}/notebooks")
    expect(page.locator("main")).to_contain_text("accuracy 0.97", timeout=PATIENT_MS)
    services.wait_until(lambda: "0.97" in project.said(), what="the summary", seconds=90)
    page.goto(pull)
    expect(page.locator("article.summary")).to_contain_text("accuracy")


def says_what_she_thinks(page: Page, pull: str) -> None:
    """Of a line, a row, a picture and a run."""
    page.goto(f"{pull}/files")
    page.locator("tr:has(td[id$='R5'])", has_text="depth = 4").locator(".diff-code").hover()
    page.get_by_role("button", name="Comment on this line").click()
    page.locator("[data-line-form] textarea").fill("Why four?")
    page.get_by_role("button", name="Comment now").click()
    expect(page.locator(".thread", has_text="Why four?")).to_be_visible()

    repository = pull.rpartition("/pull/")[0]
    for address, begin, words in (
        (f"{repository}/datasets/table/relabel/iris.csv", "Comment on row 71", "Is this one sure?"),
        (f"{repository}/datasets/image/relabel/pictures/petal.png", "Comment on the whole image", "Which flower?"),
        (f"{repository}/experiments?q=name+%3D+'after'", "", "Which seed?"),
    ):
        page.goto(address)
        if begin:
            page.get_by_role("link", name=begin).or_(page.get_by_role("button", name=begin)).click()
        else:
            page.get_by_role("link", name="after", exact=True).click()
            page.locator("#conversation").get_by_role("link", name="Comment").click()
        page.get_by_label("In", exact=True).select_option("1")
        page.get_by_label("Comment").fill(words)
        page.get_by_role("button", name="Comment", exact=True).click()
        expect(page.locator(".thread", has_text=words)).to_be_visible()


def bring_together(page: Page) -> None:
    """One line of code and one label of row 71 were changed on both sides."""
    page.get_by_role("link", name="Resolve the conflicts here").click(timeout=PATIENT_MS)
    page.get_by_role("link", name="Choose in iris.csv").click(timeout=PATIENT_MS)
    page.locator("[data-conflicts][data-enhanced]").wait_for()
    page.get_by_label("My own value for id 71, species").fill("virginica")
    page.get_by_role("button", name="Save and go on").click()
    for name in ("look.ipynb", "train.py"):
        expect(page.get_by_role("heading", name=name)).to_be_visible(timeout=PATIENT_MS)
        for choice in page.get_by_role("radio", name="Keep relabel's").all():
            choice.check()
        page.get_by_role("button", name="Save and go on").click()
    expect(page.get_by_text("Everything is decided.")).to_be_visible(timeout=PATIENT_MS)
    page.get_by_role("button", name="Commit to relabel").click()
    expect(page.get_by_role("heading", name="This can be merged")).to_be_visible(timeout=PATIENT_MS)


def look_at_the_base(project: Project, git: Callable[..., str], tmp_path: Path) -> None:
    git(
        "fetch",
        "-q",
        f"{project.hub.url.replace('//', '//x:' + project.people['bob'] + '@')}/{NAME}.git",
        "main",
        cwd=tmp_path,
    )
    table = git("show", "FETCH_HEAD:iris.csv", cwd=tmp_path).splitlines()
    labels = {line.split(",")[0]: line.split(",")[5] for line in table}
    assert [labels[row] for row in ("2", "71", "73", "1")] == ["unsure", "virginica", "virginica", "setosa"]
    assert "depth = 4" in git("show", "FETCH_HEAD:train.py", cwd=tmp_path)
    red = git("show", "FETCH_HEAD:pictures.dvc", cwd=tmp_path)
    assert red == git("show", "relabel:pictures.dvc", cwd=tmp_path)
    merged = project.api("GET", "pulls/1")
    assert merged["merged"]
    assert git("rev-parse", "FETCH_HEAD", cwd=tmp_path).strip() == merged["merge_commit_sha"]
