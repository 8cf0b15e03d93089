"""Pull requests from forks: commits come when they are given, and only then; merging outlives the fork."""

from __future__ import annotations

import os
import subprocess

import pytest

from hub.accounts.models import AuditEvent
from hub.lib.errors import Conflict, Denied, NotFound, TooLarge, Unprocessable
from repos import publishing, repositories
from repos.git.store import ZERO, RefChange, refs
from repos.issues import states
from repos.models import Access, Membership, Repository
from repos.pulls import heads, merging, opening, updating
from repos.pulls.merging import Order
from repos.pulls.models import PullRequest
from repos.pulls.origins import NotGiven
from tests.repos.forks.conftest import forked, settle
from tests.repos.issues.conftest import as_actor, seen
from tests.repos.pulls.conftest import again, deliver, propose
from tests.support.writer import Writer

pytestmark = pytest.mark.django_db


class Fork:
    """bob's, with a branch `work` of one commit."""

    def __init__(self, repository: Repository, start: str) -> None:
        self.repository, self.start = repository, start
        self.writer = Writer(repository, repository.path, count=20)
        self.tip = self.push({"b.txt": "b\n"}, "Work")

    def push(self, files: dict[str, str], message: str) -> str:
        """As a push does: git first made the commit, then the ref moves with all that follows."""
        branch = "incoming"
        self.writer.tips[branch] = getattr(self, "tip", self.start)
        new = self.writer.commit(files, message, branch=branch, start=getattr(self, "tip", self.start))
        old = refs(self.repository.path).get("refs/heads/work", ZERO)
        self.writer.git("update-ref", "-d", "refs/heads/incoming")
        owner = self.repository.owner.user
        publishing.publish(seen(owner, self.repository), as_actor(owner), [RefChange("refs/heads/work", old, new)])
        self.tip = new
        return new


@pytest.fixture
def fork(bob, public, project) -> Fork:
    return Fork(forked(bob, public), project.tips["main"])


@pytest.fixture
def hidden(bob, public, project) -> Fork:
    return Fork(forked(bob, public, private=True), project.tips["main"])


def has(repository: Repository, sha: str) -> bool:
    return subprocess.run(["git", f"--git-dir={repository.path}", "cat-file", "-e", sha], check=False).returncode == 0


def pinned(pull: PullRequest) -> str | None:
    return refs(pull.repository.path).get(pull.ref)


def test_its_commits_come_when_it_is_opened(bob, public, fork):
    assert not has(public, fork.tip)
    pull = propose(bob, public, head="bob:work")
    assert (pull.head, pull.head_repository, pull.head_id, pinned(pull)) == (
        "work",
        fork.repository,
        fork.tip,
        fork.tip,
    )
    assert subprocess.run(["git", f"--git-dir={public.path}", "fsck", "--strict"], check=False).returncode == 0


def test_it_is_merged_and_follows_pushes(alice, bob, public, fork):
    pull = propose(bob, public, head="bob:public:work")
    new = fork.push({"c.txt": "c\n"}, "More")
    with pytest.raises(Conflict, match="on their way"):
        merging.merge(as_actor(alice), again(alice, pull), Order())
    settle()
    assert (again(alice, pull).head_id, pinned(pull)) == (new, new)
    commit = merging.merge(as_actor(alice), again(alice, pull), Order(expected=new))
    writer = Writer(public, public.path)
    assert writer.git("log", "-1", "--format=%H %s", "main") == f"{commit} Merge pull request #1 from bob:work"
    assert writer.git("ls-tree", "--name-only", "main").split() == ["README.md", "a.txt", "b.txt", "c.txt"]


def test_the_same_is_asked_once_and_names_are_told_apart(alice, bob, public, project, fork):
    project.commit({"b.txt": "own\n"}, "Own", branch="work", start=project.tips["main"])
    propose(bob, public, head="bob:work")
    propose(alice, public, head="work")
    with pytest.raises(Conflict, match="#1 asks for that"):
        propose(bob, public, head="bob:work")
    assert propose(alice, public, head="alice:work", base=_branch(project)).head_repository is None


def _branch(project) -> str:
    project.git("branch", "release", "main")
    return "release"


@pytest.mark.parametrize(
    "head", ["bob:gone", "bob:", ":work", "nobody:work", "bob:other:work", "bo\0b:work", "charlie:x"]
)
def test_heads_that_are_not_there(bob, public, fork, head):
    with pytest.raises((NotFound, Unprocessable)):
        propose(bob, public, head=head)


def test_a_repository_of_another_network_is_none(alice, bob, public, private, fork, writer):
    writer(private).commit({"a": "a\n"}, "First")
    with pytest.raises(NotFound, match="has no fork"):
        propose(bob, private, head="bob:work")


def test_who_may_not_read_a_fork_hears_what_is_said_of_none(charlie, public, hidden):
    with pytest.raises(NotFound) as of_private:
        propose(charlie, public, head="bob:work")
    with pytest.raises(NotFound) as of_none:
        propose(charlie, public, head="nobody:work")
    assert of_private.value.message == of_none.value.message.replace("nobody", "bob")


def test_a_private_fork_is_given_by_who_says_so(bob, public, hidden):
    with pytest.raises(NotGiven, match="become readable by everybody"):
        propose(bob, public, head="bob:work")
    assert not has(public, hidden.tip)
    assert propose(bob, public, head="bob:work", agreed=True).agreed
    assert has(public, hidden.tip)
    event = AuditEvent.objects.get(action="fork.publish")
    assert (event.actor_name, event.repository_id) == ("bob", hidden.repository.pk)
    assert event.subject == "work of bob/public as #1 of alice/public"


def test_who_may_only_read_a_private_fork_does_not_give_it(charlie, public, hidden):
    Membership.objects.create(repository=hidden.repository, user=charlie, access=Access.READ)
    with pytest.raises(Denied):
        propose(charlie, public, head="bob:work", agreed=True)
    assert not has(public, hidden.tip)


def test_a_fork_that_becomes_private_gives_no_more(alice, bob, public, fork):
    pull, first = propose(bob, public, head="bob:work"), fork.tip
    repositories.update(as_actor(bob), fork.repository, private=True)
    new = fork.push({"secret.txt": "s\n"}, "Secret")
    settle()
    assert (again(alice, pull).head_id, has(public, new)) == (first, False)
    merging.merge(as_actor(alice), again(alice, pull), Order())
    assert (again(alice, pull).issue.state, has(public, new)) == ("merged", False)


def test_who_lost_a_private_fork_gives_no_more_of_it(bob, charlie, public, hidden):
    member = Membership.objects.create(repository=hidden.repository, user=charlie, access=Access.WRITE)
    pull = propose(charlie, public, head="bob:work", agreed=True)
    member.delete()
    new = hidden.push({"secret.txt": "s\n"}, "Secret")
    settle()
    assert (again(charlie, pull).head_id == new, has(public, new)) == (False, False)


def test_who_may_not_read_the_base_any_more_brings_nothing_into_it(alice, charlie, private, writer):
    project = writer(private)
    project.commit({"a.txt": "a\n"}, "First")
    member = Membership.objects.create(repository=private, user=charlie, access=Access.READ)
    fork = Fork(forked(charlie, private), project.tips["main"])
    pull, first = propose(charlie, private, head="charlie:work"), fork.tip
    member.delete()
    new = fork.push({"c.txt": "c\n"}, "From outside")
    settle()
    assert (again(alice, pull).head_id, has(private, new), pinned(pull)) == (first, False, first)
    merging.merge(as_actor(alice), again(alice, pull), Order())
    assert (again(alice, pull).issue.state, has(private, new)) == ("merged", False)


def test_a_deleted_fork_leaves_it_to_be_merged(alice, bob, public, fork):
    pull = propose(bob, public, head="bob:work")
    repositories.delete(as_actor(bob), fork.repository)
    settle()
    assert (again(alice, pull).issue.state, fork.repository.path.exists()) == ("open", False)
    merging.merge(as_actor(alice), again(alice, pull), Order())
    assert again(alice, pull).issue.state == "merged"


def test_a_deleted_branch_closes_it_and_once_back_it_is_reopened(alice, bob, public, fork):
    pull = propose(bob, public, head="bob:work")
    owner = seen(bob, fork.repository)
    publishing.publish(owner, as_actor(bob), [RefChange("refs/heads/work", fork.tip, ZERO)])
    with pytest.raises(NotFound, match="is gone"):
        merging.merge(as_actor(alice), again(alice, pull), Order())
    settle()
    assert again(alice, pull).issue.state == "closed"
    publishing.publish(owner, as_actor(bob), [RefChange("refs/heads/work", ZERO, fork.tip)])
    opening.reopen(as_actor(bob), again(bob, pull))
    assert again(alice, pull).issue.state == "open"


def test_a_renamed_fork_is_followed(alice, bob, public, fork):
    pull = propose(bob, public, head="bob:work")
    repositories.rename(as_actor(bob), seen(bob, fork.repository), "renamed")
    new = fork.push({"c.txt": "c\n"}, "More")
    settle()
    assert again(alice, pull).head_id == new


def test_what_died_between_the_row_and_its_ref_is_mended(alice, bob, public, fork):
    pull = propose(bob, public, head="bob:work")
    Writer(public, public.path).git("update-ref", "-d", pull.ref)
    settle()
    assert pinned(pull) == fork.tip


def test_a_push_to_the_base_branch_of_the_same_name_is_no_head(alice, bob, public, project, fork):
    fork.writer.git("branch", "-f", "main", fork.tip)
    pull = propose(bob, public, head="bob:main")
    project.commit({"z.txt": "z\n"}, "Moves on")
    settle()
    assert again(alice, pull).head_id == fork.tip
    merging.merge(as_actor(alice), again(alice, pull), Order())
    assert refs(fork.repository.path)["refs/heads/main"] == fork.tip


def test_who_may_not_reopen_brings_nothing(bob, charlie, public, fork):
    pull = propose(bob, public, head="bob:work")
    states.close(as_actor(bob), again(bob, pull).issue)
    new = fork.push({"more.txt": "m\n"}, "More")
    settle()
    with pytest.raises(Denied):
        opening.reopen(as_actor(charlie), again(charlie, pull))
    assert not has(public, new)
    opening.reopen(as_actor(bob), again(bob, pull))
    assert has(public, new)


def test_what_a_private_fork_got_while_it_was_closed_is_its_own_to_give(alice, bob, public, hidden):
    pull = propose(bob, public, head="bob:work", agreed=True)
    states.close(as_actor(bob), again(bob, pull).issue)
    opening.reopen(as_actor(alice), again(alice, pull))  # nothing new comes by it
    states.close(as_actor(bob), again(bob, pull).issue)
    new = hidden.push({"secret.txt": "s\n"}, "Secret")
    settle()
    with pytest.raises(Denied, match="private"):
        opening.reopen(as_actor(alice), again(alice, pull))
    assert not has(public, new)
    opening.reopen(as_actor(bob), again(bob, pull))
    assert has(public, new)


def test_the_branches_of_a_private_fork_are_told_to_nobody_else(alice, bob, public, hidden):
    pull = propose(bob, public, head="bob:work", agreed=True)
    merging.merge(as_actor(alice), again(alice, pull), Order())
    with pytest.raises(NotFound) as while_there:
        heads.restore_branch(as_actor(alice), again(alice, pull))
    heads.delete_branch(as_actor(bob), again(bob, pull))
    with pytest.raises(NotFound) as when_gone:
        heads.restore_branch(as_actor(alice), again(alice, pull))
    assert while_there.value.message == when_gone.value.message


# ---- bring it up to date -------------------------------------------------------------------------
def test_who_writes_the_fork_brings_its_branch_up_to_date(bob, alice, public, project, fork, as_user, api):
    pull = propose(bob, public, head="bob:work")
    base = project.commit({"a.txt": "aaa\n"}, "Meanwhile")
    box = f"/alice/public/pull/{pull.number}/merge-box"
    assert "Update branch" in as_user(bob).get(box).content.decode()
    assert "Update branch" not in as_user(alice).get(box).content.decode()  # she writes the base, not the fork
    address = f"/alice/public/pull/{pull.number}/update-branch"
    assert as_user(alice).post(address).status_code in {403, 404}
    assert as_user(bob).post(address, {"expected": fork.tip}).status_code == 302
    tip = refs(fork.repository.path)["refs/heads/work"]
    assert fork.writer.git("show", "-s", "--format=%P|%an|%s", tip).split("|") == [
        f"{fork.tip} {base}",
        "bob",
        "Merge branch 'main' into work",
    ]
    settle()
    assert again(bob, pull).head_id == tip
    assert pinned(pull) == tip
    assert as_user(bob).post(address, follow=True).content.decode().count("has every commit of") == 1
    project.commit({"a.txt": "aaaa\n"}, "Meanwhile again")
    put = f"/api/v1/repos/alice/public/pulls/{pull.number}/update-branch"
    assert api(bob, scopes=["issues:write", "repo:write"]).put(put).status_code == 403  # its data comes along
    assert api(alice).put(put).status_code in {403, 404}
    assert api(bob).put(put, {"expected_head_sha": tip}, format="json").status_code == 202
    assert fork.writer.git("show", "work:a.txt") == "aaaa"


def test_a_private_base_is_not_merged_into_a_public_fork(bob, alice, public, project, fork):
    pull = propose(bob, public, head="bob:work")
    project.commit({"secret.txt": "secret\n"}, "Meanwhile")
    Membership.objects.create(repository=public, user=bob, access=Access.READ)
    public.private = True
    public.save()
    with pytest.raises(Denied, match="is public"):
        updating.update_branch(as_actor(bob), again(bob, pull))
    assert refs(fork.repository.path)["refs/heads/work"] == fork.tip


# ---- how much strangers bring --------------------------------------------------------------------
def test_who_may_not_write_brings_only_so_much(bob, public, fork, settings):
    noise = os.urandom(30_000).hex()
    settings.GIT_MAX_GIFT_BYTES = 20_000
    fork.push({"noise.txt": noise}, "Noise")
    with pytest.raises(TooLarge, match="may not write"):
        propose(bob, public, head="bob:work")
    assert not has(public, fork.tip)
    assert not PullRequest.objects.exists()
    settings.GIT_MAX_GIFT_BYTES = 60_000
    pull = propose(bob, public, head="bob:work")
    assert 30_000 < pull.brought < 60_000
    before = fork.tip
    fork.push({"more.txt": os.urandom(30_000).hex()}, "More")
    deliver()
    assert again(bob, pull).head_id == before
    assert not has(public, fork.tip)
    Membership.objects.create(repository=public, user=bob, access=Access.WRITE)
    fork.push({"less.txt": "x"}, "And more")
    deliver()
    assert again(bob, pull).head_id == fork.tip


def test_nothing_comes_for_a_request_that_cannot_be_opened(bob, public, fork):
    with pytest.raises(Unprocessable):
        propose(bob, public, head="bob:work", title=" ")
    assert not has(public, fork.tip)
