"""The Files tab: a tree of all files, their lines a page at a time, marks that a change takes off, lines by address."""

from __future__ import annotations

import re
import subprocess
from html import unescape

import pytest
from django.utils.safestring import SafeString

from repos import difftable
from repos.git.read import to_text
from repos.models import Access, Membership
from repos.pulls import beside, changed, filehtml, filetree
from repos.pulls.models import Viewed
from tests.repos.pulls.conftest import TEXT

pytestmark = pytest.mark.django_db
BASE = "/alice/private/pull/1"


def marks_of(page: str) -> dict[str, tuple[str, bool]]:
    """anchor → (what marks it, whether it is marked)."""
    found = re.findall(r'value="(diff-\w{16}):(\w{40}:\w{40})" formaction="[^"]*?/(un)?viewed"', page)
    return {anchor: (f"{anchor}:{blobs}", bool(un)) for anchor, blobs, un in found}


@pytest.fixture
def page(project, proposed, bob, as_user):
    proposed()
    return lambda query="", user=bob: as_user(user).get(f"{BASE}/files{query}").content.decode()


def test_every_file_stands_in_the_tree_and_below(page):
    shown = page()
    for name in ("a.txt", "new.txt"):
        anchor = difftable.anchor_of(name)
        assert f'<li data-file="{anchor}"><a href="#{anchor}">{name}</a>' in shown
        assert f'id="{anchor}"' in shown
    assert "b.txt" not in shown
    assert "0</span> of 2 viewed" in shown


def test_lines_have_addresses_on_both_sides(page):
    anchor = difftable.anchor_of("a.txt")
    for shown in (page(), page("?view=split")):
        assert f'id="{anchor}L4"' in shown
        assert f'id="{anchor}R4"' in shown
        ids = re.findall(r'id="(diff-[^"]+)"', shown)
        assert len(ids) == len(set(ids))


def test_a_mark_is_ones_own_and_a_change_of_the_file_takes_it_off(page, project, alice, bob, as_user):
    first = marks_of(page())
    for name, _ in first.values():
        answer = as_user(bob).post(f"{BASE}/viewed", {"file": name, "query": "view=split"})
        assert answer.headers["Location"] == f"{BASE}/files?view=split#{name[:21]}"
    assert "2</span> of 2 viewed" in page()
    assert all(viewed for _, viewed in marks_of(page()).values())
    assert "line three" not in page()
    assert "0</span> of 2 viewed" in page(user=alice)
    project.commit({"new.txt": "newer\n"}, "More", branch="work", start=project.tips["work"])
    now = marks_of(page())
    assert {anchor: viewed for anchor, (_, viewed) in now.items()} == {
        difftable.anchor_of("a.txt"): True,
        difftable.anchor_of("new.txt"): False,
    }


def test_a_script_is_answered_without_a_body_and_twice_is_once(page, bob, as_user):
    name = next(iter(marks_of(page()).values()))[0]
    for _ in range(2):
        answer = as_user(bob).post(f"{BASE}/viewed", {"file": name}, headers={"Accept": "application/json"})
        assert answer.status_code == 204
    assert Viewed.objects.count() == 1
    for _ in range(2):
        assert as_user(bob).post(f"{BASE}/unviewed", {"file": name}).status_code == 302
    assert not Viewed.objects.exists()


def test_marks_are_for_those_who_are_signed_in(page, private, charlie, as_user):
    name = next(iter(marks_of(page()).values()))[0]
    assert as_user(charlie).post(f"{BASE}/viewed", {"file": name}).status_code == 404
    Membership.objects.create(repository=private, user=charlie, access=Access.READ)
    assert as_user(charlie).post(f"{BASE}/viewed", {"file": name}).status_code == 302
    assert as_user(None).post(f"{BASE}/viewed", {"file": name}).status_code in {302, 404}
    assert Viewed.objects.get().user == charlie


@pytest.mark.parametrize("name", ["", "x", "diff-0:1:2", f"diff-{'0' * 16}:{'0' * 40}:{'g' * 40}", "\0"])
def test_what_names_no_file_is_refused(page, bob, as_user, name):
    page()
    assert as_user(bob).post(f"{BASE}/viewed", {"file": name}).status_code == 422


def test_generated_files_and_notebooks_are_folded(project, proposed, bob, as_user):
    files = {"uv.lock": "made by uv\n", "web/app.min.js": "made=1\n", "n.ipynb": "{}\n"}
    project.commit(files, "Tools", branch="work", start=project.tips["work"])
    proposed()
    shown = as_user(bob).get(f"{BASE}/files").content.decode()
    assert "A lock file, written by a tool." in shown
    assert "Notebooks tab" in shown
    for gone in ("made by uv", "made=1"):
        assert gone not in shown
    base, head = project.tips["main"], project.tips["work"]
    assert "made by uv" in as_user(bob).get(f"{BASE}/diff/{base}/{head}/uv.lock").content.decode()


def test_lines_that_wait_are_loaded_by_themselves(project, proposed, bob, as_user):
    many = {f"f{n}.txt": "y\n" * 90 for n in range(4)} | {"huge.txt": "z\n" * 1_600}
    head = project.commit(many, "Much", branch="work", start=project.tips["work"])
    proposed()
    shown = as_user(bob).get(f"{BASE}/files").content.decode()
    waiting = re.findall(rf'href="{BASE}/diff/{project.tips["main"]}/{head}/(\S+?)\?" data-later="(\w+)"', shown)
    assert dict(waiting)["huge.txt"] == "clicked"
    assert dict(waiting)["f3.txt"] == "seen"
    assert len(re.findall("diff-code diff-added", shown)) <= changed.PAGE_LINES
    for bad in (f"{head}/{head}/huge.txt", f"{'0' * 40}/{head}/x", f"--x/{head}/y", "x", f"{head}/{head}/a%00b"):
        assert as_user(bob).get(f"{BASE}/diff/{bad}").status_code == 404


def test_of_a_long_file_the_first_rows_are_there_at_once(project, proposed, bob, as_user):
    head = project.commit({"long.txt": "y\n" * 90}, "Long", branch="work", start=project.tips["main"])
    proposed()
    shown = as_user(bob).get(f"{BASE}/files").content.decode()
    assert shown.count("diff-code diff-added") == filehtml.FIRST_ROWS - 1  # and the line that says where they are
    (address,) = re.findall(r'class="diff-part">.*?href="([^"]+)" data-later="seen"', shown)
    assert address == f"{BASE}/diff/{project.tips['main']}/{head}/long.txt?"
    assert as_user(bob).get(address).content.decode().count("diff-code diff-added") == 90


def test_thousands_of_files_are_paged(project, proposed, bob, as_user):
    files = {f"d{n % 7}/f{n:04}.txt": f"{n}\n" for n in range(1_250)}
    project.commit(files, "Many", branch="work", start=project.tips["work"])
    proposed()
    client = as_user(bob)
    first = client.get(f"{BASE}/files").content.decode()
    assert first.count('<section class="box diff-file') == changed.PAGE_FILES
    assert first.count("<li data-file=") == changed.PAGE_FILES  # the others come after the page's first frame
    (address,) = re.findall(r'data-whole="([^"]+)"', first)
    tree = client.get(unescape(address)).content.decode()
    assert tree.count("<li data-file=") == 1_252
    assert len(tree) < 180 * 1_252
    assert tree.count('href="#') == changed.PAGE_FILES
    last = client.get(f"{BASE}/files?page=42&w=1").content.decode()
    assert last.count('<section class="box diff-file') == last.count("<li data-file=") == 1_252 % changed.PAGE_FILES
    (address,) = re.findall(r'data-whole="([^"]+)"', last)
    anchor = difftable.anchor_of("a.txt")
    assert f'href="?w=1&amp;page=1#{anchor}"' in client.get(unescape(address)).content.decode()
    assert client.get(f"{BASE}/files?page=43").status_code == 404
    assert client.get(f"{BASE}/files?page=x").status_code == 400


def test_odd_names_are_escaped_and_deep_folders_end(bob):
    deep = "/".join(["d"] * 1_500)
    names = ["<b>/&.txt", "".join(f"{deep[: 2 * n]}f " for n in range(2)), deep, f"{deep}/e", to_text(b"\xff/\n")]
    files = [changed.FileDiff("modified", name, name, 0, 0, "", "") for name in names]
    html = filetree.html(files, size=2, query="")
    assert "<b>" not in html
    assert html.count("data-file=") == len(names)


def test_what_is_said_beside_a_line_stands_below_it(page, registering, project, bob, as_user):
    said = {"a.txt": {"R4": SafeString("<p>Why three?</p>"), "R999": SafeString("<p>Gone</p>")}}
    beside.register(lambda actor, pull, paths: {path: said[path] for path in paths if path in said})
    for query, span in (("", 3), ("?view=split", 4)):
        shown = page(query)
        row = f'</tr><tr class="diff-beside"><td colspan="{span}"><p>Why three?</p></td></tr>'
        line = shown.index(f'id="{difftable.anchor_of("a.txt")}R4"')
        assert shown.index("</tr>", line) == shown.index(row)
        assert "<p>Gone</p></div>" in shown
    base, head = project.tips["main"], project.tips["work"]
    assert "Why three?" in as_user(bob).get(f"{BASE}/diff/{base}/{head}/a.txt").content.decode()


def test_the_plain_text_is_what_git_says(project, proposed, private, bob, as_user):
    project.commit({"a.txt": None, "moved.txt": TEXT}, "Move", branch="work", start=project.tips["work"])
    proposed()
    git = ["git", f"--git-dir={private.path}", "diff", "--full-index", "main...work"]
    said = b"".join(as_user(bob).get(f"{BASE}.diff"))
    assert said == subprocess.run(git, capture_output=True, check=True).stdout


def test_the_page_asks_at_most_fifteen_questions(page, bob, as_user, django_assert_max_num_queries):
    page()
    client = as_user(bob)
    for query in ("", "?w=1"):  # warm, and cold
        with django_assert_max_num_queries(15):
            client.get(f"{BASE}/files{query}")


def test_the_notebooks_have_a_tab_whose_panels_load_by_themselves(project, proposed, bob, as_user):
    before = '{"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "code", "id": "a", "source": "x = 1"}]}'
    start = project.commit({"n b.ipynb": before}, "Before", start=project.tips["main"])
    project.commit({"n b.ipynb": before.replace("= 1", "= 22")}, "After", branch="work", start=start)
    proposed()
    client = as_user(bob)
    shown = client.get(f"{BASE}/notebooks").content.decode()
    address = re.search(r'hx-get="([^"]+)"', shown)[1]
    assert address == f"/alice/private/datasets/diff/{start}...{project.tips['work']}/n%20b.ipynb"
    panel = client.get(address).content.decode()
    assert "<strong>±1</strong> changed" in panel
    assert "<mark>22</mark>" in panel


def test_without_notebooks_the_tab_says_so(page, bob, as_user):
    assert "changes no notebook" in as_user(bob).get(f"{BASE}/notebooks").content.decode()
