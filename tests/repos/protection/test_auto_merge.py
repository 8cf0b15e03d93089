"""Merge when all is met: by the worker, once, in the name and with the access of who said so."""

from __future__ import annotations

import pytest

from hub.jobs import jobs
from hub.jobs.models import Job
from hub.lib.errors import Conflict, Denied, Unprocessable
from repos import publishing
from repos.git.store import RefChange
from repos.issues import states
from repos.models import Access, Membership
from repos.protection import waiting
from repos.protection.models import AutoMerge
from repos.pulls import opening
from repos.pulls.models import PullRequest
from tests.repos.issues.conftest import as_actor
from tests.repos.protection.conftest import work
from tests.repos.pulls.conftest import again

pytestmark = pytest.mark.django_db
PAGE = "/alice/private/pull/1"


@pytest.fixture
def waits(bob, pull, ruled):
    """bob has said that #1 is merged once `ci` has succeeded."""
    ruled(statuses=["ci"], push="nobody")
    waiting.begin(as_actor(bob), again(bob, pull), method="squash", message="All of it", delete_branch=False)
    work()
    return AutoMerge.objects.get()


def kinds(pull):
    return list(pull.issue.entries.order_by("pk").values_list("kind", flat=True))


def pushed(user, project, **files):
    """A push by this user to `work`, as the hub writes it down."""
    old = project.git("rev-parse", "work")
    new = project.commit(files, "More", branch="more", start=old)
    publishing.publish(project.repository, as_actor(user), [RefChange("refs/heads/work", old, new)])
    return new


def test_it_merges_when_the_status_comes(alice, bob, project, pull, waits, report):
    report("pending")
    work()
    assert not again(alice, pull).merged
    report()
    work()
    done = again(alice, pull)
    assert (done.issue.state, done.merged_by) == ("merged", bob)
    assert project.git("show", "-s", "--format=%B", "main") == "All of it"
    assert project.git("show", "-s", "--format=%P", "main") == project.tips["main"]
    assert not AutoMerge.objects.exists()
    assert kinds(pull).count("merged") == 1
    report()
    work()
    assert kinds(pull).count("merged") == 1


def test_what_is_met_already_is_merged_at_once(alice, bob, project, pull, ruled):
    waiting.begin(as_actor(bob), again(bob, pull), method="merge")
    work()
    assert again(alice, pull).merged


def test_it_follows_pushes_of_those_who_may_write(alice, bob, project, pull, waits, report):
    new = pushed(alice, project, **{"c.txt": "c\n"})
    work()
    assert not again(alice, pull).merged
    report(sha=new)
    work()
    assert again(alice, pull).merged
    assert "c.txt" in project.git("ls-tree", "--name-only", "main")


def test_a_push_by_somebody_who_may_not_write_any_more_calls_it_off(alice, charlie, project, pull, waits, report):
    membership = Membership.objects.create(user=charlie, repository=project.repository, access=Access.WRITE)
    new = pushed(charlie, project, **{"c.txt": "c\n"})
    membership.delete()
    report(sha=new)
    work()
    assert not again(alice, pull).merged
    assert not AutoMerge.objects.exists()
    assert kinds(pull)[-1] == "auto_merge_off"
    assert "without write access" in pull.issue.entries.get(kind="auto_merge_off").detail["why"]


def test_a_head_that_no_push_explains_is_not_merged(alice, project, pull, waits, report):
    """As between git's swap and the rows of a push: its author is not known yet."""
    new = project.commit({"c.txt": "c\n"}, "More", branch="work")
    report(sha=new)
    PullRequest.objects.update(head_id=new)
    waiting.look(waits)
    work()
    assert not again(alice, pull).merged
    assert AutoMerge.objects.exists()


@pytest.mark.parametrize("how", ["removed", "reader", "inactive"])
def test_who_lost_access_merges_nothing(alice, bob, pull, waits, report, how):
    report_as_alice = Membership.objects.filter(user=bob)
    report()  # it is posted before, and worked on after the access went
    if how == "removed":
        report_as_alice.delete()
    elif how == "reader":
        report_as_alice.update(access=Access.READ)
    else:
        type(bob).objects.filter(pk=bob.pk).update(is_active=False)
    work()
    assert not again(alice, pull).merged
    assert "bob has no write access any more" in pull.issue.entries.get(kind="auto_merge_off").detail["why"]


def test_closing_and_changing_the_base_call_it_off(alice, bob, project, pull, waits, report):
    states.close(as_actor(alice), again(alice, pull).issue)
    opening.reopen(as_actor(alice), again(alice, pull))
    report()
    work()
    assert not again(alice, pull).merged
    assert not AutoMerge.objects.exists()


def test_events_and_jobs_that_run_twice_merge_once(alice, pull, waits, report):
    report()
    work()
    for job in Job.objects.all():
        Job.objects.filter(pk=job.pk).update(state="queued", attempts=0)
        jobs.run(job.pk)
    assert kinds(again(alice, pull)).count("merged") == 1


def test_what_can_never_be_merged_so_is_said(alice, bob, private, pull, waits, report):
    private.merge_methods = "merge"
    private.save()
    report()
    work()
    assert not again(alice, pull).merged
    assert "does not allow to merge by squash" in pull.issue.entries.get(kind="auto_merge_off").detail["why"]


def test_what_git_cannot_merge_waits_for_another_commit(alice, bob, project, pull, waits, report):
    project.commit({"b.txt": "other\n"}, "Meanwhile")
    report()
    work()
    assert not again(alice, pull).merged
    assert AutoMerge.objects.get().tried
    new = pushed(bob, project, **{"b.txt": "other\n", "c.txt": "c\n"})
    report(sha=new)
    work()
    assert again(alice, pull).merged


def test_it_is_refused_where_a_merge_would_be(alice, bob, charlie, private, project, pull):
    for actor in (as_actor(charlie), as_actor(bob).__class__(user=bob, scopes=frozenset({"issues:write"}))):
        with pytest.raises((Denied, Exception)) as caught:
            waiting.begin(actor, again(bob, pull), method="merge")
        assert getattr(caught.value, "code", 0) in {403, 404}
    with pytest.raises(Unprocessable):
        waiting.begin(as_actor(bob), again(bob, pull), method="octopus")
    with pytest.raises(Conflict, match="new commits"):
        waiting.begin(as_actor(bob), again(bob, pull), method="merge", expected="1" * 40)
    states.close(as_actor(alice), again(alice, pull).issue)
    with pytest.raises(Conflict, match="closed already"):
        waiting.begin(as_actor(bob), again(bob, pull), method="merge")
    assert not AutoMerge.objects.exists()


def test_the_page(as_user, alice, bob, charlie, pull, waits, ruled):
    box = as_user(alice).get(f"{PAGE}/merge-box").content.decode()
    assert "merges this (squash) as soon as" in box
    for verb in ("auto-merge", "auto-merge/cancel"):
        assert as_user(bob).get(f"{PAGE}/{verb}").status_code == 405
        assert as_user(charlie).post(f"{PAGE}/{verb}").status_code == 404
    assert as_user(alice).post(f"{PAGE}/auto-merge/cancel").status_code == 302
    assert as_user(alice).post(f"{PAGE}/auto-merge/cancel").status_code == 404
    assert "Merge when all of it is met" in as_user(bob).get(f"{PAGE}/merge-box").content.decode()
    assert as_user(bob).post(f"{PAGE}/auto-merge", {"method": "merge", "title": "T"}).status_code == 302
    assert AutoMerge.objects.get().message == "T"
    page = as_user(bob).get(PAGE).content.decode()
    assert "called off the merge by itself" in page
    Membership.objects.filter(user=bob).update(access=Access.READ)
    assert as_user(bob).post(f"{PAGE}/auto-merge").status_code == 403


def test_the_api(api, bob, charlie, private, pull, ruled):
    path = "/api/v1/repos/alice/private/pulls/1/auto-merge"
    ruled(statuses=["ci"])
    assert api(bob).get(path).status_code == 404
    made = api(bob).put(path, {"merge_method": "squash", "commit_title": "T"}, format="json")
    assert made.status_code == 200
    assert (made.json()["merge_method"], made.json()["enabled_by"]["login"]) == ("squash", "bob")
    assert api(bob).get(path).json() == made.json()
    assert api(bob).put(path, {"merge_method": "x"}, format="json").status_code == 400
    assert api(bob, scopes=["issues:write", "repo:read"]).put(path, {}, format="json").status_code == 403
    assert api(charlie).get(path).status_code == 404
    assert api().put(path, {}, format="json").status_code == 401
    assert api(bob).post(path, {}, format="json").status_code == 405
    assert api(bob).delete(path).status_code == 204
    assert api(bob).delete(path).status_code == 404
