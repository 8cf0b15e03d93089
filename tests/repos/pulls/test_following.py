"""What pushes mean for open pull requests, and what people may push."""

from __future__ import annotations

import pytest

from hub.lib.errors import Unprocessable
from repos import policy, publishing
from repos.git.store import ZERO, RefChange, refs
from repos.issues import opening as issues
from tests.repos.issues.conftest import as_actor, seen
from tests.repos.pulls.conftest import again, deliver
from tests.repos.pulls.test_merging import push
from tests.support.asgi import ask, basic

pytestmark = pytest.mark.django_db


def kinds(pull) -> list[str]:
    return list(pull.issue.entries.order_by("pk").values_list("kind", flat=True))


def publish(user, repository, ref: str, old: str, new: str) -> None:
    publishing.publish(seen(user, repository), as_actor(user), [RefChange(ref, old, new)])


def test_it_follows_pushes_and_tells_force_from_ordinary(alice, private, project, proposed):
    pull = proposed()
    tip = push(alice, private, "work", "c.txt", "c\n")
    deliver()
    assert (again(alice, pull).head_id, kinds(pull)) == (tip, ["pushed"])
    other = project.git("commit-tree", "main^{tree}", "-p", "main", "-m", "Other")
    publish(alice, private, "refs/heads/work", tip, other)
    deliver()
    deliver()
    assert (again(alice, pull).head_id, kinds(pull)) == (other, ["pushed", "forced"])
    assert refs(private.path, "refs/pull/")["refs/pull/1/head"] == other


@pytest.mark.django_db(transaction=True)
def test_its_head_is_fetched_by_number_and_offered_to_no_push(alice, private, project, proposed, token_of):
    proposed()
    headers = basic(token_of(alice))
    fetching, pushing = (
        ask("GET", f"/alice/private.git/info/refs?service=git-{service}-pack", headers=headers).body
        for service in ("upload", "receive")
    )
    assert b"%s refs/pull/1/head" % project.tips["work"].encode() in fetching
    assert b"refs/heads/work" in pushing
    assert b"refs/pull" not in pushing


def test_it_is_closed_when_its_branch_goes(alice, private, project, proposed):
    pull = proposed()
    publish(alice, private, "refs/heads/work", project.tips["work"], ZERO)
    deliver()
    assert (again(alice, pull).issue.state, kinds(pull)) == ("closed", ["closed", "head_deleted"])


@pytest.mark.parametrize("branch_goes", [False, True])
def test_it_is_merged_when_somebody_pushes_the_merge(alice, private, project, proposed, branch_goes):
    pull = proposed()
    changes = [RefChange("refs/heads/main", project.tips["main"], project.tips["work"])]
    if branch_goes:
        changes.append(RefChange("refs/heads/work", project.tips["work"], ZERO))
    publishing.publish(seen(alice, private), as_actor(alice), changes)
    deliver()
    assert again(alice, pull).issue.state == "merged"
    assert kinds(pull) == ["merged"]


def test_commits_on_the_default_branch_close_issues(alice, private, project):
    issue = issues.open_issue(as_actor(alice), seen(alice, private), title="Broken")
    before = project.git("commit-tree", "main^{tree}", "-p", "main", "-m", f"Not yet\n\nReopens #{issue.number}.")
    new = project.git("commit-tree", "main^{tree}", "-p", before, "-m", f"Mend it\n\nFixes #{issue.number}.")
    publish(alice, private, "refs/heads/main", project.tips["main"], new)
    deliver()
    found = issues.issue_of(seen(alice, private), issue.number)
    assert (found.state, found.entries.get().detail) == ("closed", {"commit": new})


@pytest.mark.parametrize("ref", ["refs/pull/1/head", "refs/pull/1/merge", "refs/pull/x"])
def test_nobody_pushes_to_the_hubs_own_refs(ref):
    for change in (RefChange(ref, ZERO, "a" * 40), RefChange(ref, "a" * 40, ZERO)):
        with pytest.raises(Unprocessable):
            policy.check_name(change)
