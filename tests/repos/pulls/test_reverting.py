"""Revert as a new pull request, for every way to merge; and bring a branch up to date."""

from __future__ import annotations

import hashlib

import pytest

from hub.lib.errors import Conflict, Denied, Unprocessable
from repos import publishing
from repos.git.store import RefChange, refs
from repos.models import RefUpdate
from repos.pulls import merging, opening, reverting, updating
from repos.pulls.merging import Order
from repos.pulls.models import PullRequest
from tests.repos.issues.conftest import as_actor, seen
from tests.repos.pulls.conftest import TEXT, again, deliver, dying

pytestmark = pytest.mark.django_db
BASE, V1 = "/alice/private", "/api/v1/repos/alice/private"


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_revert_takes_back_all_of_it_and_nothing_else(alice, bob, project, proposed, method):
    project.commit({"c.txt": "c\n"}, "More", branch="work")
    project.commit({"b.txt": "before\n"}, "Before it")
    pull = proposed()
    merging.merge(as_actor(bob), again(bob, pull), Order(method=method))
    project.tips["main"] = project.git("rev-parse", "main")
    project.commit({"later.txt": "later\n"}, "After it")
    made = reverting.revert(as_actor(bob), again(bob, pull))
    assert (made.head, made.base, made.issue.title) == ("revert-1-work", "main", 'Revert "Rewrite a line"')
    assert made.issue.body == "Reverts #1."
    merging.merge(as_actor(bob), again(bob, made), Order())
    names = project.git("ls-tree", "--name-only", "main").split()
    assert names == ["a.txt", "b.txt", "later.txt"]
    assert project.git("show", "main:a.txt") == TEXT.strip()
    assert project.git("show", "main:b.txt") == "before"
    assert project.git("fsck", "--full", "--strict", "--unreachable") == ""
    with pytest.raises(Unprocessable, match="Nothing of it is left"):
        reverting.revert(as_actor(alice), again(alice, pull))


def test_what_came_after_in_the_same_lines_is_told_with_the_commands(alice, project, proposed):
    pull = proposed()
    commit = merging.merge(as_actor(alice), again(alice, pull), Order())
    project.tips["main"] = commit
    project.commit({"a.txt": TEXT.replace("line 3\n", "line drei\n")}, "After it")
    with pytest.raises(Conflict, match=r"a\.txt: both sides changed the same lines") as caught:
        reverting.revert(as_actor(alice), again(alice, pull))
    assert f"git revert -m 1 {commit}" in caught.value.details
    assert PullRequest.objects.count() == 1


def test_it_asks_once(alice, charlie, private, project, proposed, as_user, api):
    pull = proposed()
    with pytest.raises(Unprocessable, match="never merged"):
        reverting.revert(as_actor(alice), again(alice, pull))
    merging.merge(as_actor(alice), again(alice, pull), Order(delete_branch=True))
    client = as_user(alice)
    assert "Revert</button>" in client.get(f"{BASE}/pull/1/merge-box").content.decode()
    assert client.post(f"{BASE}/pull/1/revert").headers["Location"] == f"{BASE}/pull/2"
    assert client.post(f"{BASE}/pull/1/revert").headers["Location"] == f"{BASE}/pull/1"
    refused = api(alice).post(f"{V1}/pulls/1/revert")
    assert (refused.status_code, refused.json()["error"]) == (409, "#2 reverts this already.")
    api(alice).patch(f"{V1}/pulls/2", {"state": "closed"}, format="json")
    made = api(alice).post(f"{V1}/pulls/1/revert").json()
    assert (made["number"], made["head"]["ref"]) == (3, "revert-1-work-2")
    private.private = False
    private.save()
    with pytest.raises(Denied):
        reverting.revert(as_actor(charlie), again(charlie, pull))


def test_a_revert_that_died_before_it_was_opened_is_opened_by_the_next(alice, project, proposed):
    pull = proposed()
    merging.merge(as_actor(alice), again(alice, pull), Order(method="squash"))
    with dying(opening, "open_pull"):
        reverting.revert(as_actor(alice), again(alice, pull))
    deliver()
    tip = refs(pull.repository.path)["refs/heads/revert-1-work"]
    made = reverting.revert(as_actor(alice), again(alice, pull))
    assert (made.head, made.head_id) == ("revert-1-work", tip)


def test_a_branch_of_that_name_that_people_made_is_left_alone(alice, project, proposed):
    pull = proposed()
    merging.merge(as_actor(alice), again(alice, pull), Order())
    theirs = project.commit({"x": "x"}, 'Revert "something"', branch="revert-1-work", start=project.tips["main"])
    assert reverting.revert(as_actor(alice), again(alice, pull)).head == "revert-1-work-2"
    assert project.git("rev-parse", "revert-1-work") == theirs


def pushed_to_main(user, repository, old, new):
    publishing.publish(seen(user, repository), as_actor(user), [RefChange("refs/heads/main", old, new)])
    deliver()


def test_what_a_push_merged_is_taken_back_and_nothing_else_of_the_push(alice, private, project, proposed):
    pull = proposed()
    before = project.tips["main"]
    other = project.commit({"other.txt": "other\n"}, "Of the same push")
    merged = project.commit({}, "Merge work", branch="merged", start=other, merge=project.tips["work"])
    files = {name: project.git("show", f"work:{name}") + "\n" for name in ("a.txt", "new.txt")}
    pushed = project.commit(files, "As merged", branch="merged", start=merged)
    project.git("update-ref", "refs/heads/main", before)
    pushed_to_main(alice, private, before, pushed)
    assert again(alice, pull).method == ""
    made = reverting.revert(as_actor(alice), again(alice, pull))
    merging.merge(as_actor(alice), again(alice, made), Order())
    assert project.git("ls-tree", "--name-only", "main").split() == ["a.txt", "b.txt", "other.txt"]
    assert project.git("show", "main:a.txt") == TEXT.strip()


def test_what_a_push_merged_is_not_guessed_when_that_push_is_not_known(alice, private, project, proposed, as_user):
    pull = proposed()
    pushed_to_main(alice, private, project.tips["main"], project.tips["work"])
    RefUpdate.objects.filter(ref="refs/heads/main").delete()
    with pytest.raises(Unprocessable, match="merged by a push") as caught:
        reverting.revert(as_actor(alice), again(alice, pull))
    assert "git revert" in caught.value.details
    page = as_user(alice).post(f"{BASE}/pull/1/revert", follow=True).content.decode()
    assert "merged by a push" in page


# ---- up to date ----------------------------------------------------------------------------------
def test_the_base_is_merged_into_the_branch(bob, private, project, proposed, as_user, api):
    proposed()
    client = as_user(bob)
    assert "Update branch" not in client.get(f"{BASE}/pull/1/merge-box").content.decode()
    assert api(bob).put(f"{V1}/pulls/1/update-branch").status_code == 422
    base = project.commit({"b.txt": "changed\n"}, "Meanwhile")
    box = client.get(f"{BASE}/pull/1/merge-box").content.decode()
    assert "has 1 commit that" in box
    assert "Update branch" in box
    stale = {"expected_head_sha": "0" * 40}
    assert api(bob).put(f"{V1}/pulls/1/update-branch", stale, format="json").status_code == 422
    wanted = {"expected_head_sha": project.tips["work"]}
    assert api(bob).put(f"{V1}/pulls/1/update-branch", wanted, format="json").status_code == 202
    assert project.git("show", "-s", "--format=%P|%an|%s", "work").split("|") == [
        f"{project.tips['work']} {base}",
        "bob",
        "Merge branch 'main' into work",
    ]
    deliver()
    assert PullRequest.objects.get().issue.entries.get().kind == "pushed"
    project.tips["main"] = base
    project.commit({"b.txt": "again\n"}, "Meanwhile")
    client.post(f"{BASE}/pull/1/update-branch", {"expected": project.git("rev-parse", "work")})
    assert project.git("show", "work:b.txt") == "again"


def test_an_update_that_cannot_be_changes_nothing(alice, charlie, private, project, proposed):
    pull = proposed()
    project.commit({"a.txt": TEXT.replace("line 3\n", "line 3!\n")}, "Meanwhile")
    with pytest.raises(Conflict, match="same lines"):
        updating.update_branch(as_actor(alice), again(alice, pull))
    private.private = False
    private.save()
    project.commit({"a.txt": TEXT}, "Back")
    with pytest.raises(Denied):
        updating.update_branch(as_actor(charlie), again(charlie, pull))
    assert project.git("rev-parse", "work") == project.tips["work"]


def test_the_branch_goes_and_comes_back_by_the_api(bob, private, project, proposed, api):
    proposed()
    client = api(bob)
    assert client.delete(f"{V1}/pulls/1/branch").status_code == 422
    client.put(f"{V1}/pulls/1/merge", {}, format="json")
    assert client.delete(f"{V1}/pulls/1/branch").status_code == 204
    assert "refs/heads/work" not in refs(private.path)
    assert client.put(f"{V1}/pulls/1/branch").status_code == 204
    assert client.put(f"{V1}/pulls/1/branch").status_code == 409
    assert refs(private.path)["refs/heads/work"] == project.tips["work"]
    for scopes in (["issues:write", "repo:read"], ["issues:read", "repo:write"]):
        assert api(bob, scopes=scopes).delete(f"{V1}/pulls/1/branch").status_code == 403
        assert api(bob, scopes=scopes).post(f"{V1}/pulls/1/revert").status_code == 403
        assert api(bob, scopes=scopes).put(f"{V1}/pulls/1/update-branch").status_code == 403


# ---- data ----------------------------------------------------------------------------------------
def pointer(md5: str, size: int) -> str:
    return f"outs:\n- md5: {md5}\n  size: {size}\n  hash: md5\n  path: data.csv\n"


def test_a_pointer_of_dvc_goes_back_with_it(alice, project, proposed):
    old, new = (hashlib.md5(text, usedforsecurity=False).hexdigest() for text in (b"old", b"new"))
    start = project.commit({"data.csv.dvc": pointer(old, 3)}, "Track")
    project.commit({"data.csv.dvc": pointer(new, 3)}, "Relabel", branch="relabel", start=start)
    pull = proposed(head="relabel")
    merging.merge(as_actor(alice), again(alice, pull), Order(method="rebase"))
    assert new in project.git("show", "main:data.csv.dvc")
    made = reverting.revert(as_actor(alice), again(alice, pull))
    merging.merge(as_actor(alice), again(alice, made), Order())
    assert project.git("show", "main:data.csv.dvc") == pointer(old, 3).strip()
