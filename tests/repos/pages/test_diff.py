"""Differences: the model read from git, and the pages of a commit and of a comparison."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repos import difftable
from repos.git import diff
from repos.git.diff import EMPTY_TREE

pytestmark = pytest.mark.django_db
BASE = "/alice/private"


def lines_of(file):
    return [(line.kind, line.old, line.new, line.text) for hunk in file.hunks for line in hunk.lines]


def test_it_reads_added_removed_and_kept_lines(project):
    old = project.commit({"f.txt": "a\nb\nc\n"})
    new = project.commit({"f.txt": "a\nB\nc\nd"})
    (file,) = diff.compare(project.path, old, new).files
    assert (file.status, file.added, file.removed) == ("modified", 2, 1)
    assert lines_of(file) == [
        (" ", 1, 1, "a"),
        ("-", 2, 0, "b"),
        ("+", 0, 2, "B"),
        (" ", 3, 3, "c"),
        ("+", 0, 4, "d"),
    ]
    assert file.hunks[0].lines[-1].no_newline


def test_it_follows_renames(project):
    text = "".join(f"line {i}\n" for i in range(50))
    old = project.commit({"old name.txt": text, "same.txt": text + "x"})
    new = project.commit({"old name.txt": None, "new\nname.txt": text.replace("line 7\n", "line seven\n")})
    (file,) = diff.compare(project.path, old, new).files
    assert (file.status, file.old_name, file.name) == ("renamed", "old name.txt", "new\nname.txt")
    assert (file.added, file.removed) == (1, 1)
    assert ("+", 0, 8, "line seven") in lines_of(file)


def test_it_knows_modes_types_submodules_and_binaries(project):
    old = project.commit({"mode": "x", "type": "text\n", "lib": ("160000", "1" * 40), "bin": b"\0a", "gone": ""})
    changes = {"mode": ("100755", "x"), "type": ("120000", "target"), "lib": ("160000", "2" * 40), "bin": b"\0b"}
    new = project.commit({**changes, "gone": None})
    files = {file.name: file for file in diff.compare(project.path, old, new).files}
    assert (files["mode"].old_mode, files["mode"].mode, files["mode"].hunks) == (0o100644, 0o100755, ())
    assert files["type"].status == "type changed"
    assert [line[0] for line in lines_of(files["type"])] == ["-", "+"]
    assert "Subproject commit " + "2" * 40 in lines_of(files["lib"])[1][3]
    assert files["bin"].binary
    assert files["bin"].hunks is None
    assert files["gone"].status == "deleted"


def test_a_text_too_large_for_git_to_compare_is_not_called_binary(project, alice, as_user):
    text = "".join(f"line {n:040}\n" for n in range(200_000))
    old = project.commit({"large.txt": "1\n", "bin": b"\0a"})
    new = project.commit({"large.txt": text, "bin": b"\0b"})
    assert {file.name: file.big for file in diff.compare(project.path, old, new).files} == {
        "large.txt": True,
        "bin": False,
    }
    page = as_user(alice).get(f"/alice/private/commit/{new}").content.decode()
    assert "A file of more than 8 MB: its lines are not compared here." in page
    assert page.count("A binary file") == 1


@pytest.mark.parametrize("name", [b"\xff\xfe", b'"q"', b"a b/ c", b"tab\t", b"a/b b/a", b"\\n", "é".encode(), b"-x"])
def test_odd_names_keep_their_lines(project, name):
    old = project.commit({b"d/" + name: "1\n"})
    new = project.commit({b"d/" + name: "2\n"})
    (file,) = diff.compare(project.path, old, new).files
    assert lines_of(file) == [("-", 1, 0, "1"), ("+", 0, 1, "2")]


def test_the_first_commit_differs_from_nothing(project):
    sha = project.git("rev-list", "--max-parents=0", "main")
    found = diff.compare(project.path, EMPTY_TREE, sha)
    assert {file.status for file in found.files} == {"added"}


def test_lines_that_look_like_headers_stay_lines(project):
    old = project.commit({"a.sql": "-- x\n"})
    new = project.commit({"a.sql": "++ b/y\n@@ -1 +1 @@\ndiff --git a/x b/x\n"})
    (file,) = diff.compare(project.path, old, new).files
    assert [line[3] for line in lines_of(file)] == ["-- x", "++ b/y", "@@ -1 +1 @@", "diff --git a/x b/x"]


def test_large_files_and_many_lines_are_left_for_later(project):
    old = project.tips["main"]
    big = {f"big{i}.txt": "".join(f"{i} {n}\n" for n in range(1_400)) for i in range(4)}
    wide = {"wide.txt": "x" * (2 * diff.MAX_BLOB_BYTES)}
    new = project.commit({**big, **wide, "huge.txt": "y\n" * 1_600})
    files = {file.name: file for file in diff.compare(project.path, old, new).files}
    assert [files[f"big{i}.txt"].hunks is not None for i in range(4)] == [True, True, False, False]
    assert files["huge.txt"].hunks is None
    assert files["wide.txt"].hunks is None
    alone = diff.compare(project.path, old, new, path="huge.txt").files[0]
    assert len(lines_of(alone)) == 1_600


def test_repository_settings_run_nothing(project, tmp_path):
    """A driver named in attributes never runs, not even when the store's own config defined one."""
    project.git("config", "diff.evil.textconv", f"touch {tmp_path}/ran; cat")
    project.git("config", "diff.evil.command", f"touch {tmp_path}/ran")
    (project.path / "info").mkdir(exist_ok=True)
    (project.path / "info" / "attributes").write_text("* diff=evil\n")
    old, new = project.commit({"f": "1\n"}), project.commit({"f": "2\n"})
    diff.compare(project.path, old, new)
    assert not (tmp_path / "ran").exists()


def test_changed_words_are_marked_and_text_is_escaped(project):
    old = project.commit({"m.py": "rate = 0.1  # <b> & learning\n"})
    new = project.commit({"m.py": "rate = 0.2  # <b> & learning\n"})
    (file,) = diff.compare(project.path, old, new).files
    for split in (False, True):
        html = difftable.html(file, split=split)
        assert "<b>" not in html
        marked = "".join(re.findall(r"<mark>(.*?)</mark>", html))
        assert re.sub("<[^>]*>", "", marked) == "12"


@settings(deadline=None)
@given(st.text(alphabet="ab <&>\"'\t=.1", max_size=30), st.text(alphabet="ab <&>\"'\t=.1", max_size=30))
def test_marks_keep_every_character(left, right):
    """Whatever is marked, the visible text of a line stays what it was, and every tag is closed in its cell."""
    lines = (diff.Line("-", 1, 0, left), diff.Line("+", 0, 1, right))
    file = diff.FileDiff("modified", "x.py", "x.py", 0, 0, "", "", hunks=(diff.Hunk(1, 1, "", lines),))
    html = difftable.html(file, split=False)
    cells = re.findall(r'<span class="diff-sign">.</span>(.*?)</td>', html, re.DOTALL)
    assert [unescape(re.sub("<[^>]*>", "", cell)).rstrip("\n") for cell in cells] == [left, right]
    assert all(cell.count("<mark>") == cell.count("</mark>") for cell in cells)


def test_a_commit_page_shows_message_and_lines(project, alice, as_user):
    sha = project.commit({"data.csv": "a,b\n1,3\n"}, "Fix <b>data\n\nBecause & so.", author="Bob <bob@example.org>")
    page = as_user(alice).get(f"{BASE}/commit/{sha}").content.decode()
    assert "Fix &lt;b&gt;data" in page
    assert "Because &amp; so." in page
    assert 'class="diff"' in page
    assert 'class="diff diff-split"' in as_user(alice).get(f"{BASE}/commit/{sha}?view=split").content.decode()


def test_white_space_can_be_ignored(project, alice, as_user):
    sha = project.commit({"data.csv": "a,b\n1,  2\n"})
    assert "diff-added" in as_user(alice).get(f"{BASE}/commit/{sha}").content.decode()
    assert "diff-added" not in as_user(alice).get(f"{BASE}/commit/{sha}?w=1").content.decode()


def test_one_large_file_is_loaded_by_itself(project, alice, as_user):
    old = project.tips["main"]
    new = project.commit({"huge.txt": "y\n" * 1_600})
    page = as_user(alice).get(f"{BASE}/commit/{new}").content.decode()
    assert f"/diff-file/{old}/{new}/huge.txt" in page
    assert as_user(alice).get(f"{BASE}/diff-file/{old}/{new}/huge.txt").content.decode().count("diff-added") >= 1_600
    for bad in (f"{old}/{new}/nope", f"{'0' * 40}/{new}/huge.txt", f"--output=x/{new}/y", f"{old}/{new}", "x"):
        assert as_user(alice).get(f"{BASE}/diff-file/{bad}").status_code == 404


def test_a_comparison_starts_where_the_branches_parted(project, alice, as_user):
    start = project.tips["main"]
    project.commit({"only-main.txt": "m\n"}, "On main")
    project.commit({"only-topic.txt": "t\n"}, "On topic", branch="topic/x", start=start)
    page = as_user(alice).get(f"{BASE}/compare/main...topic/x").content.decode()
    assert "only-topic.txt" in page
    assert "only-main.txt" not in page
    assert "On topic" in page
    direct = as_user(alice).get(f"{BASE}/compare/main..topic/x").content.decode()
    assert "only-main.txt" in direct
    answer = as_user(alice).get(f"{BASE}/compare?base=main&head=topic/x")
    assert answer["Location"] == f"{BASE}/compare/main...topic/x"
    assert as_user(alice).get(f"{BASE}/compare").status_code == 200
    for bad in ("main...nope", "nope...main", "main", "--output=x...main", "main...", "...", "main...--all"):
        assert as_user(alice).get(f"{BASE}/compare/{bad}").status_code == 404, bad


def test_unrelated_histories_are_named_so(project, alice, as_user):
    project.commit({"x": "1"}, branch="other")
    assert "no common commit" in as_user(alice).get(f"{BASE}/compare/main...other").content.decode()
