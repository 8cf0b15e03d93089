"""What changed between two versions of a pull request: a rebase alone is nothing, and no version is lost."""

from __future__ import annotations

import re

import pytest

from hub.lib.errors import NotFound
from repos.diffs import Options
from repos.git.store import refs
from repos.issues import conversation
from repos.pulls import ranges
from repos.pulls.models import PullRequest
from tests.repos.issues.conftest import as_actor
from tests.repos.pulls.conftest import TEXT, again, deliver
from tests.repos.pulls.test_following import publish
from tests.support.asgi import ask, basic

pytestmark = pytest.mark.django_db
BASE = "/alice/private/pull/1"
CHANGED = TEXT.replace("line 3\n", "line three\n")


def names(found) -> list[str]:
    return [file.name for file in found.diff.files]


@pytest.fixture
def pushed(alice, private, project, proposed):
    """pushed(files, start=) → the work branch begins anew at a commit, and the hub has noticed."""
    proposed()

    def push(files, *, start="", onto="main", message="Rewrite") -> str:
        old = project.git("rev-parse", "work")
        new = project.commit(files, message, branch="aside", start=start or project.git("rev-parse", onto))
        publish(alice, private, "refs/heads/work", old, new)
        deliver()
        return new

    return push


def test_a_rebase_that_changes_nothing_is_empty(alice, project, proposed, pushed):
    first = project.tips["work"]
    project.commit({"b.txt": "base moved\n", "other.txt": "o\n"}, "Base moves", start=project.tips["main"])
    second = pushed({"a.txt": CHANGED, "new.txt": "new\n"})
    third = pushed({"a.txt": CHANGED, "new.txt": "newer\n"})
    pull = again(alice, proposed_of(alice))
    assert [v.commit for v in ranges.versions(pull)] == [first, second, third]
    found = ranges.between(pull, first, second, Options())
    assert (found.rebased, found.mixed, names(found)) == (True, False, [])
    assert [(pair.what, pair.old, pair.new) for pair in found.commits] == [("same", first, second)]
    assert names(ranges.between(pull, first, third, Options())) == ["new.txt"]
    found = ranges.between(pull, second, third, Options())
    assert (found.rebased, names(found)) == (False, ["new.txt"])
    assert [pair.what for pair in found.commits] == ["changed"]


def test_a_way_back_to_an_older_base_leaves_out_what_the_base_had_brought(alice, project, pushed):
    older = project.tips["main"]
    project.commit({"b.txt": "base moved\n", "other.txt": "o\n"}, "Base moves", start=older)
    second = pushed({"a.txt": CHANGED, "new.txt": "new\n"})
    third = pushed({"a.txt": CHANGED, "new.txt": "newer\n"}, start=older)
    found = ranges.between(again(alice, proposed_of(alice)), second, third, Options())
    assert (found.rebased, found.mixed, names(found)) == (True, False, ["new.txt"])


def proposed_of(alice):
    return PullRequest.objects.select_related("issue__repository__owner").get()


def test_where_the_old_version_does_not_fit_both_are_compared_as_they_are(alice, project, pushed):
    first = project.tips["work"]
    project.commit({"a.txt": TEXT.replace("line 3\n", "line 3!\n")}, "Meanwhile", start=project.tips["main"])
    second = pushed({"a.txt": TEXT.replace("line 3\n", "line three!\n"), "new.txt": "new\n"})
    found = ranges.between(again(alice, proposed_of(alice)), first, second, Options())
    assert (found.rebased, found.mixed, names(found)) == (False, True, ["a.txt"])


def test_versions_survive_a_force_push_and_the_collector(alice, private, project, pushed, token_of, as_user, bob):
    first = project.tips["work"]
    second = pushed({"a.txt": "all new\n"})
    assert refs(private.path, "refs/reviewed/") == {f"refs/reviewed/1/{first}": first}
    project.git("update-ref", "-d", "refs/heads/aside")
    project.git("-c", "gc.pruneExpire=now", "gc", "-q", "--prune=now")
    page = as_user(bob).get(f"{BASE}/range/{first}...{second}").content.decode()
    assert "all new" in page
    talk = as_user(bob).get(BASE).content.decode()
    assert f'href="{BASE}/range/{first}...{second}">what changed</a>' in talk


@pytest.mark.django_db(transaction=True)
def test_kept_versions_are_offered_to_nobody(alice, project, pushed, token_of):
    pushed({"a.txt": "all new\n"})
    headers = basic(token_of(alice))
    told = ask("GET", "/alice/private.git/info/refs?service=git-upload-pack", headers=headers).body
    assert b"refs/pull/1/head" in told
    assert b"refs/reviewed" not in told


def test_it_knows_what_is_new_since_ones_last_word(alice, bob, charlie, project, pushed, as_user):
    first = project.tips["work"]
    pull = again(bob, proposed_of(alice))
    assert ranges.last_seen(as_actor(bob), pull, ranges.versions(pull)) is None
    conversation.comment(as_actor(bob), pull.issue, "Please name it better.")
    second = pushed({"a.txt": "better\n"})
    pull = again(bob, proposed_of(alice))
    assert ranges.last_seen(as_actor(bob), pull, ranges.versions(pull)).commit == first
    page = as_user(bob).get(f"{BASE}/range").content.decode()
    assert f'href="{BASE}/range/{first}...{second}"' in page
    conversation.comment(as_actor(bob), again(bob, pull).issue, "Thanks.")
    assert ranges.last_seen(as_actor(bob), pull, ranges.versions(pull)) is None
    assert ranges.last_seen(as_actor(alice), pull, ranges.versions(pull)).commit == first  # who opened it
    assert ranges.last_seen(as_actor(None), pull, ranges.versions(pull)) is None


def test_only_versions_of_this_request_are_compared(alice, bob, project, pushed, as_user):
    second, client = pushed({"a.txt": "x\n"}), as_user(bob)
    main = project.tips["main"]
    for bad in (f"{main}...{second}", f"{second}", f"...{second}", "work...main", f"--output=x...{second}"):
        assert client.get(f"{BASE}/range/{bad}").status_code == 404, bad
    with pytest.raises(NotFound):
        ranges.between(again(alice, proposed_of(alice)), main, second, Options())
    answer = client.get(f"{BASE}/range", {"old": project.tips["work"], "new": second})
    assert answer.headers["Location"] == f"{BASE}/range/{project.tips['work']}...{second}"
    assert client.post(f"{BASE}/range").status_code == 405
    assert client.post(f"{BASE}/range/{second}...{second}").status_code == 405
    page = client.get(f"{BASE}/range/{second}...{second}?view=split").content.decode()
    assert re.search(r"Nothing differs", page)
