"""Lines followed from one commit to another."""

from __future__ import annotations

import random

import pytest

from repos.git import lines
from repos.git.lines import Moves
from repos.issues.models import Thread
from repos.reviews import following

pytestmark = pytest.mark.django_db
OLD = "".join(f"{n}\n" for n in range(1, 31))


def moved(project, new, path="f.txt", to="f.txt"):
    first = project.commit({path: OLD, "other": "x\n"}, branch="lines")
    files = {path: None, to: new} if to != path else {to: new}
    second = project.commit(files, branch="lines")
    return lines.moves(project.path, first, second, [path, "other"])


@pytest.mark.parametrize(
    ("new", "asked", "now"),
    [
        (OLD + "more\n", (30, 30), (30, 30)),
        ("0\n" + OLD, (1, 3), (2, 4)),
        (OLD.replace("5\n", "", 1), (6, 7), (5, 6)),
        (OLD.replace("\n10\n", "\nten\n"), (10, 10), None),
        (OLD.replace("\n10\n", "\nten\n"), (9, 11), None),
        (OLD.replace("\n10\n", "\nten\n"), (11, 12), (11, 12)),
        (OLD.replace("\n10\n", "\n10\nnew\n"), (10, 10), (10, 10)),
        (OLD.replace("\n10\n", "\n10\nnew\n"), (11, 11), (12, 12)),
        (OLD.replace("\n10\n", "\n10\nnew\n"), (10, 11), None),
        (OLD.replace("\n10\n", "\n"), (9, 11), None),
    ],
)
def test_lines_follow_what_was_put_in_and_taken_out(project, new, asked, now):
    assert moved(project, new)["f.txt"].lines(*asked) == now


def test_a_renamed_file_is_followed(project):
    found = moved(project, OLD + "end\n", to="g/h.txt")["f.txt"]
    assert (found.path, found.lines(3, 4)) == ("g/h.txt", (3, 4))


def test_a_file_that_is_gone_or_untouched(project):
    first = project.commit({"a": "1\n", "b": "1\n"}, branch="lines")
    second = project.commit({"a": None}, branch="lines")
    assert lines.moves(project.path, first, second, ["a", "b"]) == {"a": Moves(None), "b": Moves("b")}


def test_every_line_that_is_found_again_says_the_same(project):
    chance = random.Random(7)
    old = [f"{n} {chance.random()}" for n in range(200)]
    new = [line for line in old if chance.random() > 0.1]
    for _ in range(20):
        new.insert(chance.randrange(len(new)), f"new {chance.random()}")
    first = project.commit({"f": "\n".join(old)}, branch="lines")
    second = project.commit({"f": "\n".join(new) + "\n"}, branch="lines")
    found = lines.moves(project.path, first, second, ["f"])["f"]
    known = 0
    for number in range(1, 201):
        if now := found.lines(number, number):
            assert new[now[0] - 1] == old[number - 1]
            known += 1
    assert known > 150


def test_threads_at_very_many_commits_are_followed_in_turns(private, project, monkeypatch):
    monkeypatch.setattr(following, "MOST_LOOKED_AT", 2)
    commits = [project.commit({"f.txt": f"{n}\n{OLD}", "n": f"{n}\n"}, branch="lines") for n in range(6)]
    detail = {"side": "new", "start": 3, "line": 3}
    wanted = [
        (Thread(pk=n, path="f.txt", rev=commit, detail=detail), commits[-1]) for n, commit in enumerate(commits[:-1])
    ]

    def outdated():
        return sum(one.outdated for one in following.followed(private, wanted).values())

    assert [outdated() for _ in range(3)] == [3, 1, 0]
