"""A fork catches up with its parent, and says how far it is behind."""

from __future__ import annotations

import pytest

from hub.jobs import jobs
from hub.jobs.models import Job
from hub.lib.errors import Conflict, Denied, NotFound, Unprocessable
from repos import repositories
from repos.forks import syncing, upstream
from repos.git.store import refs
from repos.models import Access, Membership, Repository
from tests.repos.forks.conftest import forked
from tests.repos.issues.conftest import as_actor, seen
from tests.support.writer import Writer

pytestmark = pytest.mark.django_db


@pytest.fixture
def fork(bob, public, project) -> Repository:
    return forked(bob, public)


def tip(repository: Repository, branch: str = "main") -> str:
    return refs(repository.path)[f"refs/heads/{branch}"]


def standing(user, fork: Repository) -> tuple[int, int] | None:
    found = upstream.standing(as_actor(user), seen(user, fork))
    return (found.ahead, found.behind) if found else None


def mine(fork: Repository, files: dict[str, str], project) -> str:
    made = Writer(fork, fork.path, count=10, tips={"main": project.tips["main"]})
    return made.commit(files, "Mine")


# ---- by a job ------------------------------------------------------------------------------------
def large(public: Repository) -> None:
    Repository.objects.filter(pk=public.pk).update(size_bytes=syncing.QUICK_BYTES + 1)


def test_a_large_one_is_a_job_that_the_page_watches(bob, charlie, public, project, fork, as_user):
    new = project.commit({"c.txt": "c\n"}, "Third")
    large(public)
    client, line = as_user(bob), "/bob/public/fork/standing"
    assert client.post("/bob/public/fork/sync", {"branch": "main"}).headers["Location"] == "/bob/public"
    client.post("/bob/public/fork/sync", {"branch": "main"})
    (job,) = Job.objects.filter(kind=syncing.SYNC)
    page = client.get(line).content.decode()
    assert "Waiting for a worker to sync" in page
    assert f"fork/standing?sync={job.pk}" in page
    assert tip(fork) != new
    jobs.run(job.pk)
    assert tip(fork) == new
    assert "is where that of alice/public is now" in client.get(f"{line}?sync={job.pk}").content.decode()
    for asked in ("", "x", "9" * 30, str(job.pk)):
        assert "is now" not in as_user(charlie).get(f"{line}?sync={asked}").content.decode()


def test_data_makes_it_a_job_too_and_the_api_says_where_to_look(bob, public, project, fork, api):
    Repository.objects.filter(pk=public.pk).update(outputs_count=1)
    address = "/api/v1/repos/bob/public/merge-upstream"
    assert api(bob).get(f"{address}?branch=main").status_code == 404
    mine(fork, {"a.txt": "mine\n"}, project)
    project.commit({"a.txt": "theirs\n"}, "Third")
    asked = api(bob).post(address, {"branch": "main"}, format="json")
    assert (asked.status_code, asked.json()["state"]) == (202, "queued")
    url = asked.json()["url"].partition("/api/")[2]
    assert api(bob).get(f"/api/{url}").status_code == 202
    jobs.run(Job.objects.get(kind=syncing.SYNC).pk)
    refused = api(bob).get(f"/api/{url}").json()
    assert (refused["state"], "a.txt" in refused["error"]) == ("failed", True)
    assert api(bob).post(address, {"branch": "gone"}, format="json").status_code == 404
    assert api(bob).post(address, {"branch": "main"}, format="json").status_code == 202  # once more
    assert Job.objects.filter(kind=syncing.SYNC).count() == 1


def test_whoever_lost_the_fork_meanwhile_changes_nothing(bob, charlie, public, project, fork):
    project.commit({"c.txt": "c\n"}, "Third")
    large(public)
    Membership.objects.create(repository=fork, user=charlie, access=Access.WRITE)
    job = syncing.sync(as_actor(charlie), seen(charlie, fork), "main")
    assert isinstance(job, Job)
    Membership.objects.filter(user=charlie).delete()
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert standing(bob, fork) == (0, 1)


# ---- at once -------------------------------------------------------------------------------------
def test_it_tells_how_far_it_is(alice, bob, charlie, public, project, fork):
    assert standing(bob, fork) == (0, 0)
    mine(fork, {"b.txt": "b\n"}, project)
    project.commit({"c.txt": "c\n"}, "Third")
    project.commit({"c.txt": "cc\n"}, "Fourth")
    assert standing(charlie, fork) == (1, 2)
    repositories.update(as_actor(alice), public, private=True)
    assert standing(bob, fork) is None


def test_a_branch_that_is_only_behind_moves_on(bob, project, fork):
    new = project.commit({"c.txt": "c\n"}, "Third")
    done = upstream.sync(as_actor(bob), fork, "main")
    assert (done.kind, done.commit, tip(fork)) == ("fast-forward", new, new)
    assert upstream.sync(as_actor(bob), fork, "main").kind == "none"


def test_a_new_branch_of_the_parent_is_made(bob, project, fork):
    new = project.commit({"c.txt": "c\n"}, "Third", branch="other", start=project.tips["main"])
    assert upstream.sync(as_actor(bob), fork, "other").kind == "fast-forward"
    assert tip(fork, "other") == new


def test_both_sides_are_merged(bob, project, fork):
    ours = mine(fork, {"b.txt": "b\n"}, project)
    theirs = project.commit({"c.txt": "c\n"}, "Third")
    done = upstream.sync(as_actor(bob), fork, "main")
    assert done.kind == "merge"
    assert Writer(fork, fork.path).git("log", "-1", "--format=%P", "main").split() == [ours, theirs]


def test_what_both_changed_is_told_and_nothing_moves(bob, project, fork):
    ours = mine(fork, {"a.txt": "mine\n"}, project)
    project.commit({"a.txt": "theirs\n"}, "Third")
    with pytest.raises(Conflict, match=r"a\.txt"):
        upstream.sync(as_actor(bob), fork, "main")
    assert tip(fork) == ours


def test_a_parent_that_begins_anew_is_told(bob, project, fork):
    ours = mine(fork, {"a.txt": "mine\n"}, project)
    project.git("update-ref", "refs/heads/main", project.commit({"new.txt": "1\n"}, "New", branch="apart"))
    with pytest.raises(Unprocessable, match="no common commit"):
        upstream.sync(as_actor(bob), fork, "main")
    assert tip(fork) == ours


def test_nothing_private_becomes_public_by_it(alice, bob, public, project, fork):
    repositories.update(as_actor(alice), public, private=True)
    public.memberships.create(user=bob, access=1)
    project.commit({"secret.txt": "s\n"}, "Third")
    with pytest.raises(Unprocessable, match="is private by now"):
        upstream.sync(as_actor(bob), fork, "main")


@pytest.mark.parametrize("branch", ["gone", "", "a\0b", "../main", "main:x"])
def test_a_branch_that_is_not_there(bob, fork, branch):
    with pytest.raises(NotFound, match="has no branch"):
        upstream.sync(as_actor(bob), fork, branch)


def test_who_may_not_write_and_what_has_no_parent(alice, bob, charlie, public, fork):
    with pytest.raises(Denied):
        upstream.sync(as_actor(charlie), seen(charlie, fork), "main")
    with pytest.raises(NotFound, match="is gone"):
        upstream.sync(as_actor(alice), seen(alice, public), "main")
    repositories.delete(as_actor(alice), seen(alice, public))
    with pytest.raises(NotFound, match="is gone"):
        upstream.sync(as_actor(bob), fork, "main")


def test_what_a_private_fork_got_of_a_private_parent_stays_private(alice, bob, public, project):
    """It was made while the parent was public, so nothing kept it private until now."""
    fork = forked(bob, public, private=True)
    repositories.update(as_actor(alice), public, private=True)
    public.memberships.create(user=bob, access=1)
    project.commit({"secret.txt": "s\n"}, "Third")
    assert upstream.sync(as_actor(bob), seen(bob, fork), "main").kind == "fast-forward"
    with pytest.raises(Unprocessable, match="stays private"):
        repositories.update(as_actor(bob), seen(bob, fork), private=False)
