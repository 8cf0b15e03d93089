"""Suggestions: what a comment suggests, applied as one commit, or refused because the lines changed."""

from __future__ import annotations

import subprocess
import time

import pytest

from hub.lib.errors import Conflict, Denied, NotFound, Unprocessable
from repos.issues import conversation, opening, threads
from repos.issues.texts import digest
from repos.issues.threads import Spot
from repos.models import Access, Membership
from repos.reviews import suggestions
from repos.reviews.lines import lines_at
from repos.reviews.suggestions import lines_in
from tests.repos.issues.conftest import as_actor
from tests.repos.pulls.conftest import again

pytestmark = pytest.mark.django_db


@pytest.fixture
def suggested(bob, pull, project):
    """suggested("text", line=4, user=bob) → the comment that suggests it."""

    def make(text, line=4, user=bob, path="a.txt", side="new", **detail):
        rev = project.tips["work" if side == "new" else "main"]
        spot = Spot("line", path, rev, {"line": line, "side": side, **detail})
        body = f"Better:\n\n```suggestion\n{text}```\n"
        return threads.begin(as_actor(user), again(user, pull).issue, spot, body)

    return make


def shown(project, path="a.txt"):
    return project.git("show", f"work:{path}").split("\n")


@pytest.mark.parametrize(
    ("body", "lines"),
    [("```suggestion\na\nb\n```", ("a", "b")), ("```suggestion\n```", ()), ("```suggestion\n\n```", ("",)),
     ("x\n````suggestion\n```\n````\n", ("```",)), ("```python\na\n```", None), ("```suggestion\na", None),
     ("no", None), ("~~~suggestion\r\n", None), ("`" * 5000 + "suggestion", None)],
)  # fmt: skip
def test_the_block_of_a_text(body, lines):
    assert lines_in(body) == lines


def test_it_becomes_a_commit_of_both(alice, bob, pull, project, suggested):
    entry = suggested("line 3, better\nand more\n")
    commit = suggestions.apply(as_actor(alice), again(alice, pull), [entry.pk])
    assert shown(project)[2:6] == ["line 2", "line 3, better", "and more", "line 4"]
    assert project.git("rev-parse", "work") == commit
    message = project.git("show", "-s", "--format=%B", commit)
    assert message.startswith("Apply a suggestion\n\nCo-authored-by: bob <bob@example.org>")
    entry.thread.refresh_from_db()
    assert entry.thread.resolved_by == alice
    with pytest.raises(Conflict):
        suggestions.apply(as_actor(alice), again(alice, pull), [entry.pk])


def test_several_are_one_commit(alice, pull, project, suggested):
    entries = [
        suggested("", 10),
        suggested("new last\n", 20),
        suggested("first\n", 2, start=1),
        suggested("N\n", 1, path="new.txt"),
    ]
    before = project.git("rev-parse", "work")
    suggestions.apply(as_actor(alice), again(alice, pull), [entry.pk for entry in entries], message="All of it")
    assert project.git("rev-parse", "work^") == before
    found = shown(project)
    assert (found[0], found[1], found[-1], len(found)) == ("first", "line 2", "new last", 18)
    assert shown(project, "new.txt") == ["N"]
    assert project.git("show", "-s", "--format=%s", "work") == "All of it"


def test_it_follows_its_lines(alice, pull, project, suggested):
    entry = suggested("better\n")
    project.commit({"a.txt": "top\n" + project.git("show", "work:a.txt") + "\n"}, branch="work")
    suggestions.apply(as_actor(alice), again(alice, pull), [entry.pk])
    assert shown(project)[3:5] == ["line 2", "better"]


def test_lines_that_changed_since_are_left_alone(alice, pull, project, suggested):
    entry, other = suggested("better\n"), suggested("fine\n", 10)
    project.commit({"a.txt": project.git("show", "work:a.txt").replace("line three", "3")}, branch="work")
    before = project.git("rev-parse", "work")
    with pytest.raises(Conflict, match="changed since"):
        suggestions.apply(as_actor(alice), again(alice, pull), [other.pk, entry.pk])
    assert project.git("rev-parse", "work") == before


def test_two_on_the_same_lines_are_refused(alice, pull, suggested):
    one, two = suggested("a\n", 5, start=3), suggested("b\n", 3)
    with pytest.raises(Conflict, match="the same lines"):
        suggestions.apply(as_actor(alice), again(alice, pull), [one.pk, two.pk])


def test_a_suggestion_that_says_the_same_makes_no_commit(alice, pull, suggested):
    with pytest.raises(Unprocessable, match="already"):
        suggestions.apply(as_actor(alice), again(alice, pull), [suggested("line three\n").pk])


def test_what_is_no_suggestion_is_not_found(alice, bob, pull, project, suggested):
    old = suggested("x\n", side="old")
    with pytest.raises(NotFound):
        suggestions.apply(as_actor(alice), again(alice, pull), [old.pk])
    with pytest.raises(NotFound):
        suggestions.apply(as_actor(alice), again(alice, pull), [10**30])
    with pytest.raises(Unprocessable):
        suggestions.apply(as_actor(alice), again(alice, pull), [])


def test_readers_apply_nothing(charlie, private, pull, suggested):
    Membership.objects.create(repository=private, user=charlie, access=Access.READ)
    with pytest.raises(Denied):
        suggestions.apply(as_actor(charlie), again(charlie, pull), [suggested("x\n").pk])


def test_other_line_ends_stay(alice, bob, pull, project):
    head = project.commit({"dos.txt": b"a\r\nb\r\nc", "mixed.txt": b"a\nb\r\n"}, branch="work")
    entries = []
    for path, line, text in (("dos.txt", 2, "B\nBB\n"), ("dos.txt", 3, "C\nCC\n"), ("mixed.txt", 1, "A\n")):
        spot = Spot("line", path, head, {"line": line})
        entries.append(threads.begin(as_actor(bob), again(bob, pull).issue, spot, f"```suggestion\n{text}```"))
    suggestions.apply(as_actor(alice), again(alice, pull), [entry.pk for entry in entries])
    assert blob(project, "dos.txt") == b"a\r\nB\r\nBB\r\nC\r\nCC"
    assert blob(project, "mixed.txt") == b"A\nb\r\n"


def test_a_file_in_latin_1_stays_that(alice, bob, pull, project):
    head = project.commit({"old.txt": "für\nnaïve\nÄnderung\n".encode("latin-1")}, branch="work")
    assert lines_at(pull.repository, head, "old.txt") == ["für", "naïve", "Änderung"]

    def suggest(text: str) -> int:
        spot = Spot("line", "old.txt", head, {"line": 2})
        return threads.begin(as_actor(bob), again(bob, pull).issue, spot, f"```suggestion\n{text}\n```").pk

    with pytest.raises(Conflict, match="no UTF-8"):
        suggestions.apply(as_actor(alice), again(alice, pull), [suggest("10 €")])
    suggestions.apply(as_actor(alice), again(alice, pull), [suggest("Größe")])
    assert blob(project, "old.txt") == "für\nGröße\nÄnderung\n".encode("latin-1")


def blob(project, path):
    done = ["git", f"--git-dir={project.path}", "cat-file", "blob", f"work:{path}"]
    return subprocess.run(done, check=True, capture_output=True, timeout=60).stdout


def test_blocks_that_never_end_take_no_time():
    body = "```suggestion\n" * 4_600
    began = time.process_time()
    for _ in range(30):
        assert lines_in(body) is None
    assert time.process_time() - began < 5


def test_what_was_changed_since_it_was_seen_is_not_applied(alice, bob, pull, project, suggested, as_user):
    entry = suggested("harmless\n")
    before, page = project.git("rev-parse", "work"), f"/alice/private/pull/{pull.number}"
    seen = f"{entry.pk}-{digest(entry.body)}"
    assert f'value="{seen}"' in as_user(alice).get(page).content.decode()
    body = entry.body.replace("harmless", "harmful")
    conversation.edit_comment(as_actor(bob), opening.comment_of(again(bob, pull).repository, entry.pk), body)
    assert as_user(alice).post(f"{page}/review/apply", {"entry": seen}).status_code == 409
    assert project.git("rev-parse", "work") == before
    assert as_user(alice).post(f"{page}/review/apply", {"entry": f"{entry.pk}-{digest(body)}"}).status_code == 302
    assert "harmful" in shown(project)
