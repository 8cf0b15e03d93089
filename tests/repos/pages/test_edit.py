"""Pages that create, edit, rename and delete files."""

from __future__ import annotations

import subprocess

import pytest

from hub.accounts.actor import Actor
from repos import editing
from repos.editing import Put
from repos.models import Repository
from repos.storage import store

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("git_root")]


@pytest.fixture
def repo(private, alice) -> Repository:
    store().create(private.pk)
    changes = [Put("README.md", b"# Hi\n"), Put("src/a.py", b"x = 1\r\n"), Put("b.bin", b"\0\1")]
    editing.commit_changes(private, Actor(user=alice), branch="main", changes=changes)
    return private


def show(repository, name, rev="main") -> bytes:
    return subprocess.check_output(["git", f"--git-dir={repository.path}", "show", f"{rev}:{name}"])


def oid(repository, name) -> str:
    return subprocess.check_output(
        ["git", f"--git-dir={repository.path}", "rev-parse", f"main:{name}"], text=True
    ).strip()


PAGES = ["new/main", "edit/main/README.md", "delete/main/README.md", "upload/main"]


@pytest.mark.parametrize("page", PAGES)
def test_who_sees_the_page(repo, public, alice, bob, charlie, as_user, page):
    store().create(public.pk)
    editing.commit_changes(public, Actor(user=alice), branch="main", changes=[Put("README.md", b"# Hi\n")])
    assert as_user(bob).get(f"/alice/private/{page}").status_code == 200
    assert as_user(charlie).get(f"/alice/private/{page}").status_code == 404
    assert as_user(charlie).get(f"/alice/public/{page}").status_code == 403
    anonymous = as_user(None).get(f"/alice/private/{page}")
    assert anonymous.status_code == 302
    assert anonymous["location"].startswith("/account/login")
    assert as_user(bob).put(f"/alice/private/{page}").status_code == 405


def test_it_edits_and_keeps_the_line_ends(repo, bob, as_user):
    fields = {"path": "src/a.py", "text": "x = 2\r\ny = 3\r\n", "branch": "main", "expected": oid(repo, "src/a.py")}
    answer = as_user(bob).post("/alice/private/edit/main/src/a.py", fields)
    assert (answer.status_code, answer["location"]) == (302, "/alice/private/blob/main/src/a.py")
    assert show(repo, "src/a.py") == b"x = 2\r\ny = 3\r\n"
    fields = {"path": "README.md", "text": "# Ho\r\n", "branch": "main", "expected": oid(repo, "README.md")}
    as_user(bob).post("/alice/private/edit/main/README.md", fields)
    assert show(repo, "README.md") == b"# Ho\n"


def test_an_edit_is_no_rename_where_a_form_cannot_hold_the_name(repo, alice, bob, as_user):
    editing.commit_changes(repo, Actor(user=alice), branch="main", changes=[Put(" end ", b"x\n")])
    fields = {"path": " end ", "text": "y\r\n", "branch": "main", "expected": oid(repo, " end ")}
    answer = as_user(bob).post("/alice/private/edit/main/%20end%20", fields)
    assert (answer.status_code, answer["location"]) == (302, "/alice/private/blob/main/%20end%20")
    assert show(repo, " end ") == b"y\n"


def test_a_rename_keeps_line_ends_of_several_kinds(repo, alice, bob, as_user):
    editing.commit_changes(repo, Actor(user=alice), branch="main", changes=[Put("mixed", b"a\r\nb\nc\rd")])
    fields = {"path": "moved", "text": "a\r\nb\r\nc\r\nd", "branch": "main", "expected": oid(repo, "mixed")}
    as_user(bob).post("/alice/private/edit/main/mixed", fields)
    assert show(repo, "moved") == b"a\r\nb\nc\rd"


def test_a_file_without_text_asks_for_another_name(repo, bob, as_user):
    fields = {"path": "b.bin", "branch": "main", "expected": oid(repo, "b.bin")}
    answer = as_user(bob).post("/alice/private/edit/main/b.bin", fields)
    assert answer.status_code == 422
    assert "type another path" in answer.content.decode()


def test_a_branch_is_edited_by_its_full_name_too(repo, bob, as_user):
    fields = {"path": "README.md", "text": "# Ho\r\n", "branch": "main", "expected": oid(repo, "README.md")}
    assert b'value="main"' in as_user(bob).get("/alice/private/edit/refs/heads/main/README.md").content
    assert as_user(bob).post("/alice/private/edit/refs/heads/main/README.md", fields).status_code == 302


def test_a_branch_below_another_is_refused_with_the_reason(repo, bob, as_user):
    fields = {"path": "README.md", "text": "# Ho\r\n", "branch": "main/x", "expected": oid(repo, "README.md")}
    answer = as_user(bob).post("/alice/private/edit/main/README.md", fields)
    assert answer.status_code == 409
    assert "cannot be made while there is &#x27;main&#x27;" in answer.content.decode()


def test_a_stale_edit_keeps_the_text(repo, alice, bob, as_user):
    seen = oid(repo, "README.md")
    editing.commit_changes(repo, Actor(user=alice), branch="main", changes=[Put("README.md", b"theirs\n")])
    for expected in [seen, ""]:
        fields = {"path": "README.md", "text": "mine <b>", "branch": "main", "expected": expected}
        answer = as_user(bob).post("/alice/private/edit/main/README.md", fields)
        assert answer.status_code == 409
        assert "mine &lt;b&gt;" in answer.text
        assert "changed by somebody else" in answer.text
    assert show(repo, "README.md") == b"theirs\n"


def test_it_renames_by_changing_the_path(repo, bob, as_user):
    fields = {"path": "docs/b.bin", "branch": "main", "expected": oid(repo, "b.bin")}
    assert as_user(bob).post("/alice/private/edit/main/b.bin", fields).status_code == 302
    assert show(repo, "docs/b.bin") == b"\0\1"


def test_it_creates_on_a_new_branch(repo, bob, as_user):
    fields = {"path": "notes.txt", "text": "a", "branch": "topic", "message": "Note"}
    answer = as_user(bob).post("/alice/private/new/main", fields)
    assert answer["location"] == "/alice/private/blob/topic/notes.txt"
    assert show(repo, "notes.txt", "topic") == b"a"
    again = as_user(bob).post("/alice/private/new/main", {**fields, "path": "other"})
    assert again.status_code == 409


def test_it_creates_the_first_file(private, bob, as_user):
    store().create(private.pk)
    assert as_user(bob).get("/alice/private/new/main").status_code == 200
    answer = as_user(bob).post("/alice/private/new/main", {"path": "README.md", "text": "# Hi", "branch": "main"})
    assert answer.status_code == 302
    assert show(private, "README.md") == b"# Hi"


def test_it_refuses_to_create_over_a_file_and_hostile_names(repo, bob, as_user):
    for path, status in [("README.md", 409), (".git/config", 422), ("../x", 422), ("src", 422)]:
        answer = as_user(bob).post("/alice/private/new/main", {"path": path, "text": "x", "branch": "main"})
        assert answer.status_code == status, path
    assert show(repo, "README.md") == b"# Hi\n"


def test_it_deletes(repo, bob, as_user):
    fields = {"branch": "main", "expected": oid(repo, "src/a.py")}
    answer = as_user(bob).post("/alice/private/delete/main/src/a.py", fields)
    assert (answer.status_code, answer["location"]) == (302, "/alice/private/tree/main")
    listed = subprocess.check_output(
        ["git", f"--git-dir={repo.path}", "ls-tree", "-r", "--name-only", "main"], text=True
    )
    assert listed.split() == ["README.md", "b.bin"]


def test_a_deletion_without_what_was_seen_is_a_conflict(repo, bob, as_user):
    assert as_user(bob).post("/alice/private/delete/main/README.md", {"branch": "main"}).status_code == 409


def test_tags_and_commits_cannot_change(repo, bob, as_user):
    subprocess.check_call(["git", f"--git-dir={repo.path}", "tag", "v1", "main"])
    assert as_user(bob).get("/alice/private/edit/v1/README.md").status_code == 422
    assert as_user(bob).get("/alice/private/edit/nope/README.md").status_code == 404
    assert as_user(bob).get("/alice/private/edit/main/nope").status_code == 404
    assert as_user(bob).get("/alice/private/delete/main/src").status_code == 404


def test_writers_see_the_buttons_and_readers_do_not(repo, public, alice, bob, charlie, as_user):
    store().create(public.pk)
    editing.commit_changes(public, Actor(user=alice), branch="main", changes=[Put("README.md", b"# Hi\n")])
    assert "/alice/private/edit/main/README.md" in as_user(bob).get("/alice/private/blob/main/README.md").text
    assert "/alice/private/upload/main" in as_user(bob).get("/alice/private/tree/main").text
    assert "/edit/" not in as_user(charlie).get("/alice/public/blob/main/README.md").text
    assert "/upload/" not in as_user(charlie).get("/alice/public/tree/main").text
