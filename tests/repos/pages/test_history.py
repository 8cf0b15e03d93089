"""Walks: pages of a log, last commits, ahead and behind; and the pages that show them."""

from __future__ import annotations

import random

import pytest

from repos.git import blame, history, lastcommit, read

pytestmark = pytest.mark.django_db
BASE = "/alice/private"


def walk(store, commit, **options):
    """Every commit of a log, page by page."""
    found, after = [], ""
    while True:
        page = history.log(store, commit, after=after, limit=3, **options)
        found += [c.sha for c in page.commits]
        if not (after := page.after):
            return found


def tangle(project, seed: int) -> None:
    """A history of branches and merges."""
    dice = random.Random(seed)
    for i in range(30):
        branch = dice.choice(["main", "main", "a", "b"])
        start = project.tips["main"] if branch not in project.tips else ""
        merge = project.tips.get(dice.choice(["a", "b"]), "") if branch == "main" and dice.random() < 0.4 else ""
        project.commit({f"f{dice.randrange(5)}": f"{i}\n"}, f"c{i}", branch=branch, start=start, merge=merge)


@pytest.mark.parametrize("seed", range(4))
def test_pages_of_a_log_hold_every_commit_once(project, seed):
    tangle(project, seed)
    tip = project.tips["main"]
    assert sorted(walk(project.path, tip)) == sorted(project.git("rev-list", tip).split())
    for name in ("f0", "f1"):
        expected = project.git("rev-list", tip, "--", name).split()
        assert sorted(walk(project.path, tip, path=name)) == sorted(expected)


@pytest.mark.parametrize("seed", range(4))
def test_last_commits_are_those_of_a_log_per_path(project, seed):
    """On a linear history the stream and its restart agree with asking for each path by itself."""
    dice = random.Random(seed)
    for i in range(60):
        project.commit({f"d/f{dice.randrange(12)}/x": f"{i}\n", f"d/g{i // 20}": f"{i}"})
    tip = project.tips["main"]
    names = project.git("ls-tree", "--name-only", f"{tip}:d").split()
    found = lastcommit.last_commits(project.path, tip, "d", names, deadline_seconds=30)
    assert found == {name: project.git("log", "-1", "--format=%H", tip, "--", f"d/{name}") for name in names}
    late = lastcommit.last_commits(project.path, tip, "d", names, deadline_seconds=30, old=True)
    assert late == found


def test_what_the_deadline_cut_is_filled_in_later(project, alice, as_user, monkeypatch):
    monkeypatch.setattr("repos.browsing.LAST_COMMITS_SECONDS", 0.0)
    page = as_user(alice).get(f"{BASE}/tree/main/src").content.decode()
    assert 'hx-get="/alice/private/tree-commits/main/src?page=1"' in page
    rest = as_user(alice).get(f"{BASE}/tree-commits/main/src?page=1").content.decode()
    assert ">First<" in rest
    assert "hx-get" not in rest


def test_a_path_has_its_own_history(project, alice, as_user):
    project.commit({"src/model.py": "changed\n"}, "Change the model")
    page = as_user(alice).get(f"{BASE}/commits/main/src/model.py").content.decode()
    assert "Change the model" in page
    assert "First" in page
    assert "Add data" not in page


def test_history_is_paged(project, alice, as_user):
    for i in range(35):
        project.commit({"n": f"{i}"}, f"Number {i}!")
    client = as_user(alice)
    first = client.get(f"{BASE}/commits/main").content.decode()
    after = first.split("?after=")[1].split('"')[0]
    second = client.get(f"{BASE}/commits/main?after={after}").content.decode()
    assert "Number 34!" in first
    assert "Number 0!" in second
    assert "Number 34!" not in second
    beyond = ["0" * 40 + "+" + skip for skip in ("x", "²", "9" * 5000)]
    for bad in ("x", "--all", "0" * 40, *beyond, "a" * 40 + "." + "b" * 40):
        assert client.get(f"{BASE}/commits/main", {"after": bad}).status_code == 404


def test_messages_and_authors_of_any_bytes_are_shown(project, alice, as_user):
    sha = project.commit({"x": "1"}, b"caf\xe9 <script>\x01\n\n\xff\xfe body", author=b"J\xf6rg <j\xf6@example.org>")
    for page in (f"/commit/{sha}", "/commits", "/branches", "", "/blame/main/x"):
        answer = as_user(alice).get(f"{BASE}{page}")
        assert answer.status_code == 200
        assert "<script>\x01" not in answer.content.decode()


def test_ahead_and_behind(project, alice, as_user):
    start = project.tips["main"]
    project.commit({"a": "1"})
    project.commit({"b": "1"}, branch="topic", start=start)
    project.commit({"b": "2"}, branch="topic")
    assert history.ahead_behind(project.path, project.tips["main"], project.tips["topic"]) == (2, 1)
    page = as_user(alice).get(f"{BASE}/branches").content.decode()
    assert "1 behind, 2 ahead" in page


def test_branches_and_tags_are_listed_and_searched(project, alice, as_user):
    project.git("tag", "-a", "-m", "The first", "v1", "main")
    project.git("tag", "light", "main~1")
    project.git("tag", "blob-tag", project.git("rev-parse", "main:data.csv"))
    project.git("update-ref", "refs/exps/ab/exp", "main")
    project.moved()
    page = as_user(alice).get(f"{BASE}/tags").content.decode()
    assert "</svg> v1</a>" in page
    assert "</svg> light</a>" in page
    assert "blob-tag" not in page
    assert "exp" not in as_user(alice).get(f"{BASE}/branches?q=exp").content.decode().split("<tbody>")[1].split("“")[0]
    assert as_user(alice).get(f"{BASE}/tree/v1").status_code == 200
    assert as_user(alice).get(f"{BASE}/tree/blob-tag").status_code == 404
    assert "light" not in as_user(alice).get(f"{BASE}/tags?q=v").content.decode().split("<tbody>")[1]


def test_a_tag_named_like_a_branch_has_its_own_page(project, alice, as_user):
    project.git("tag", "same", "main~1")
    project.commit({"new": "1"}, branch="same", start=project.tips["main"])
    assert "data.csv" in as_user(alice).get(f"{BASE}/tree/same").content.decode()
    page = as_user(alice).get(f"{BASE}/tree/refs/tags/same").content.decode()
    assert "data.csv" not in page
    assert f"{BASE}/tree/refs/tags/same/src" in page


def test_blame_names_the_commit_of_each_line(project, alice, as_user):
    first = project.commit({"f.py": "one = 1\ntwo = 2\nthree = 3\n"}, "All")
    second = project.commit({"f.py": "one = 1\ntwo = 22\nthree = 3\n"}, "Two")
    found = blame.blame(project.path, second, "f.py")
    assert [(origin.sha, count) for origin, count in found.spans] == [(first, 1), (second, 1), (first, 1)]
    assert found.texts == ["one = 1", "two = 22", "three = 3"]
    page = as_user(alice).get(f"{BASE}/blame/main/f.py").content.decode()
    assert page.count('class="blame-origin"') == 3
    assert as_user(alice).get(f"{BASE}/blame/main/src").status_code == 404
    assert as_user(alice).get(f"{BASE}/blame/main/nope").status_code == 404


def test_a_blob_is_read_in_constant_memory(project):
    project.commit({"zeros": b"\0" * 30_000_000})
    entry = read.find_entry(project.path, project.tips["main"], "zeros")
    blob = read.read_blob(project.path, entry.oid, limit_bytes=1000)
    assert (blob.size, len(blob.data), blob.complete) == (30_000_000, 1000, False)
