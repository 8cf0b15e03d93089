"""Data of a fork is linked, never copied; only what its branches name; and nothing of one is lost with the other."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from datasets import objects
from datasets.dvc import keys, manifests
from datasets.models import Blob, StoredObject
from datasets.storage import garbage, quotas, removal
from datasets.tracked import commits, lending
from hub.jobs import jobs
from hub.jobs.models import Job
from hub.lib.stores import object_store
from repos import publishing, repositories
from repos.forks import copying, making, syncing, upstream
from repos.forks.making import Wish
from repos.git.store import ZERO, RefChange, refs
from repos.models import Repository
from repos.pulls import merging, verdicts
from repos.pulls.building import CannotMerge
from repos.pulls.conflicts import listing
from repos.pulls.merging import Order
from repos.pulls.models import PullRequest
from tests.repos.forks.conftest import forked, settle
from tests.repos.issues.conftest import as_actor, seen
from tests.repos.pulls.conftest import again, propose
from tests.support.writer import Writer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("git_root")]


def pointer(oid: str, path: str = "data") -> str:
    return f"outs:\n- md5: {oid}\n  hash: md5\n  path: {path}\n"


@pytest.fixture
def folder_of(keep) -> Callable[..., str]:
    """folder_of(repository, {"a": b"…"}, lacks="a") → the oid of a folder whose other files are there."""

    def make(repository: Repository, files: dict[str, bytes], *, lacks: str = "") -> str:
        md5s = {
            name: hashlib.md5(data).hexdigest() if name == lacks else keep(repository, data)
            for name, data in files.items()
        }
        return keep(repository, manifests.dumps(md5s.items()), suffix=".dir")

    return make


@pytest.fixture
def project(public, writer, keep, folder_of) -> Writer:
    """Two versions of a folder and a file in main, another branch's file, and objects that nothing names."""
    made = writer(public)
    made.commit({"data.dvc": pointer(folder_of(public, {"a": b"1", "b": b"2"}))}, "First")
    made.commit({"data.dvc": pointer(folder_of(public, {"a": b"1", "b": b"22"}))}, "Second")
    made.commit({"old.dvc": pointer(keep(public, b"legacy", legacy=True), "old")}, "DVC 2")
    made.commit({"x.dvc": pointer(keep(public, b"other"), "x")}, "X", branch="other", start=made.tips["main"])
    keep(public, b"named by nothing")
    keep(public, b"run", suffix="")
    return made


def names(repository: Repository) -> set[str]:
    return set(StoredObject.objects.filter(repository=repository, bucket=keys.BUCKET).values_list("key", flat=True))


def read(repository: Repository) -> set[bytes]:
    """The bytes of all that a repository names, as they lie in the store."""
    rows = StoredObject.objects.filter(repository=repository).select_related("blob")
    return {object_store().local(row.blob.key).read_bytes() for row in rows}


def test_a_fork_names_what_its_branches_name(bob, public, project):
    before = Blob.objects.count()
    fork = forked(bob, public)
    unnamed = {keys.key_of(hashlib.md5(data).hexdigest()) for data in (b"named by nothing", b"run")}
    assert names(fork) == names(public) - unnamed
    assert Blob.objects.count() == before


def test_a_fork_of_one_branch_names_what_that_names(bob, public, project):
    fork = forked(bob, public, only_default=True)
    assert keys.key_of(hashlib.md5(b"other").hexdigest()) not in names(fork)
    assert keys.key_of(hashlib.md5(b"legacy").hexdigest(), legacy=True) in names(fork)


def test_a_list_without_all_its_files_does_not_come(bob, public, writer, folder_of):
    made = writer(public)
    oid = folder_of(public, {"a": b"1", "gone": b"2"}, lacks="gone")
    made.commit({"data.dvc": pointer(oid)}, "First")
    assert names(forked(bob, public)) == {keys.key_of(hashlib.md5(b"1").hexdigest())}


def test_a_commit_that_nobody_can_list_does_not_keep_the_others_from_coming(bob, public, project, monkeypatch):
    monkeypatch.setattr(commits, "WALK_SECONDS", 2.0)
    monkeypatch.setattr(commits, "COMMIT_SECONDS", 2.0)
    monkeypatch.setattr("experiments.tracked.commits.WALK_SECONDS", 2.0)
    project.bomb("boom", project.tips["main"])
    named = names(forked(bob, public))
    assert keys.key_of(hashlib.md5(b"other").hexdigest()) in named
    assert keys.key_of(hashlib.md5(b"legacy").hexdigest(), legacy=True) in named


def test_rotten_bytes_are_not_lent(bob, public, writer, keep):
    made, oid = writer(public), keep(public, b"1")
    made.commit({"a.dvc": pointer(oid, "a")}, "First")
    Blob.objects.update(rotten=timezone.now())
    assert names(forked(bob, public)) == set()


def test_the_limit_of_the_fork_holds(bob, public, project, settings):
    settings.DATA_MAX_REPOSITORY_BYTES = 10
    fork, _ = making.fork(as_actor(bob), seen(bob, public), Wish())
    settle()
    job = copying.job_of(fork)
    assert job
    assert "may keep" in job.error
    assert refs(fork.path) == {}
    settings.DATA_MAX_REPOSITORY_BYTES = 10_000
    copying.again(fork)
    settle()
    with_limit = quotas.locked(fork.pk)
    assert (copying.job_of(fork), with_limit.size) == (None, quotas.total_of(fork.pk))


@pytest.mark.parametrize("goes", ["parent", "fork"])
def test_one_goes_and_the_other_keeps_every_byte(alice, bob, public, project, goes):
    fork = forked(bob, public)
    gone, left = (public, fork) if goes == "parent" else (fork, public)
    had = read(left)
    repositories.delete(as_actor(gone.owner.user), gone)
    settle()
    removal.remove(gone.pk)
    removal.sweep()
    assert (names(gone), read(left)) == (set(), had)


def collected(repository: Repository) -> None:
    """As Settings → Storage does it, a week later."""
    StoredObject.objects.filter(repository=repository).update(created=F("created") - timedelta(days=7), told=None)
    look = jobs.start(garbage.LOOK, f"look-{repository.pk}", {"repository": repository.pk})
    jobs.run(look.pk)
    look.refresh_from_db()
    arguments = {"repository": repository.pk, "list": look.result["list"], "user": None, "address": ""}
    collect = jobs.start(garbage.COLLECT, f"collect-{repository.pk}", arguments)
    jobs.run(collect.pk)
    collect.refresh_from_db()
    assert collect.state == "done", collect.error


def test_garbage_of_one_is_not_that_of_the_other(alice, bob, public, project):
    fork = forked(bob, public)
    had = names(fork)
    publishing.publish(
        seen(alice, public), as_actor(alice), [RefChange("refs/heads/other", project.tips["other"], ZERO)]
    )
    collected(public)
    collected(fork)
    other = keys.key_of(hashlib.md5(b"other").hexdigest())
    assert other not in names(public)
    assert names(fork) == had
    assert b"other" in read(fork)


def test_whatever_happens_names_have_their_bytes(alice, bob, charlie, public, project, keep):
    """Forks are made and go, data comes and is collected, in any order: what is named can be read, whole."""
    chance, people = random.Random(7), {bob: None, charlie: None}
    for step in range(12):
        user = chance.choice([bob, charlie])
        act = chance.choice(["fork", "fork", "delete", "collect", "push"])
        fork = people[user]
        if act == "fork" and fork is None:
            people[user] = forked(user, public, name=f"fork-{step}")
        elif act == "delete" and fork is not None:
            repositories.delete(as_actor(user), fork)
            settle()
            removal.remove(fork.pk)
            people[user] = None
        elif act == "collect":
            collected(public)
        elif act == "push":
            keep(public, f"later {step}".encode())
        for row in StoredObject.objects.select_related("blob"):
            data = object_store().local(row.blob.key).read_bytes()
            assert hashlib.sha256(data).hexdigest() == row.blob.sha256


def test_sync_names_the_new_data(bob, public, project, keep):
    fork = forked(bob, public)
    oid = keep(public, b"new")
    project.commit({"new.dvc": pointer(oid, "new")}, "New")
    upstream.sync(as_actor(bob), fork, "main")
    assert keys.key_of(oid) in names(fork)


@pytest.fixture
def proposal(bob, public, project, keep, folder_of):
    """bob's fork with a branch `work` that changes the folder and adds a file, proposed to alice/public."""
    fork = forked(bob, public)
    made = Writer(fork, fork.path, count=30)
    folder = folder_of(fork, {"a": b"1", "b": b"22", "c": b"333"})
    tip = made.commit(
        {"data.dvc": pointer(folder), "mine.dvc": pointer(keep(fork, b"mine"), "mine")},
        "Work",
        branch="incoming",
        start=project.tips["main"],
    )
    made.git("update-ref", "-d", "refs/heads/incoming")
    publishing.publish(seen(bob, fork), as_actor(bob), [RefChange("refs/heads/work", ZERO, tip)])
    return propose(bob, public, head="bob:work"), fork


def verdict(pull) -> verdicts.Verdict | None:
    from repos.pulls import branches, origins

    tips = branches.now(pull)
    return verdicts.verdict(pull.repository, tips.base, tips.head, user_id=None, lender=origins.lender(pull))


def test_a_forks_data_is_named_when_it_is_merged(alice, bob, public, proposal):
    pull, fork = proposal
    before, bytes_before = names(public), Blob.objects.count()
    found = verdict(again(alice, pull))
    assert found
    assert found.clean
    assert names(public) == before
    merging.merge(as_actor(alice), again(alice, pull), Order())
    oids = [hashlib.md5(data).hexdigest() for data in (b"333", b"mine")]
    assert {keys.key_of(oid) for oid in oids} < names(public)
    assert Blob.objects.count() == bytes_before
    repositories.delete(as_actor(bob), fork)
    settle()
    removal.remove(fork.pk)
    assert {b"333", b"mine"} < read(public)


def test_data_that_is_nowhere_blocks_with_its_list(alice, bob, public, proposal):
    pull, fork = proposal
    StoredObject.objects.filter(repository=fork, key=keys.key_of(hashlib.md5(b"mine").hexdigest())).delete()
    with pytest.raises(CannotMerge, match=r"mine\.dvc: what it names was never pushed") as caught:
        merging.merge(as_actor(alice), again(alice, pull), Order())
    assert caught.value.details == "Run: dvc push mine.dvc"
    assert again(alice, pull).issue.is_open


def test_data_of_a_fork_that_gives_no_more_blocks_too(alice, bob, public, proposal):
    pull, fork = proposal
    repositories.update(as_actor(bob), fork, private=True)
    before = names(public)
    with pytest.raises(CannotMerge, match="never pushed"):
        merging.merge(as_actor(alice), again(alice, pull), Order())
    assert names(public) == before


def test_both_sides_of_a_folder_are_merged_across_the_fork(alice, public, project, proposal, folder_of):
    pull, _ = proposal
    folder = folder_of(public, {"a": b"one", "b": b"22"})
    project.commit({"data.dvc": pointer(folder)}, "Relabel")
    found = verdict(again(alice, pull))
    if found is None:
        settle()
        found = verdict(again(alice, pull))
    assert found
    assert found.clean, found.troubles
    merging.merge(as_actor(alice), again(alice, pull), Order())
    oid = project.git("show", "main:data.dvc").split("md5: ")[1].split()[0]
    blob = objects.find(public.pk, keys.BUCKET, keys.key_of(oid))
    assert blob
    listed = object_store().local(blob.key).read_bytes()
    for data in (b"one", b"22", b"333"):
        assert hashlib.md5(data).hexdigest().encode() in listed


def test_lending_twice_changes_nothing(bob, public, project):
    fork = forked(bob, public)
    had = names(fork)
    lending.lend(public, fork, list(refs(fork.path).values()), (), beat=lambda _done, _total: None)
    assert names(fork) == had


def test_the_cells_of_a_private_fork_are_its_own_until_they_are_merged(
    alice, bob, public, project, proposal, folder_of, as_user, api
):
    """Both changed c; whose bytes are the fork's alone is told to those who may read it."""
    pull, fork = proposal
    repositories.update(as_actor(bob), fork, private=True)
    PullRequest.objects.update(agreed=True)
    project.commit({"data.dvc": pointer(folder_of(public, {"a": b"1", "b": b"22", "c": b"4444"}))}, "C")
    pull = again(bob, pull)
    ours, theirs = listing.tips(pull)
    assert listing.listing(pull, ours, theirs, user_id=None) is None
    settle()
    found = listing.listing(pull, ours, theirs, user_id=None)
    (file,) = [one for one in found.files if one.total]
    page = f"/alice/public/pull/{pull.number}/conflicts/{file.digest}"
    path = f"/api/v1/repos/alice/public/pulls/{pull.number}/conflicts/{file.digest}"
    mine = hashlib.md5(b"333").hexdigest()
    assert as_user(alice).get(page).status_code == 403
    assert as_user(bob).get(page).status_code == 200
    assert mine in json.dumps(api(bob).get(path).json())
    refused = api(alice).get(path)
    assert (refused.status_code, mine in refused.content.decode()) == (403, False)
    assert api(bob, scopes=["issues:read", "repo:read"]).get(path).status_code == 403


def test_the_merge_box_tells_places_in_data_to_who_may_read_it(
    alice, bob, public, project, proposal, folder_of, as_user
):
    pull, fork = proposal
    repositories.update(as_actor(bob), fork, private=True)
    PullRequest.objects.update(agreed=True)
    mine = folder_of(fork, {"a": b"1", "b": b"22", "secret/place": b"1"})
    made = Writer(fork, fork.path, count=50)
    tip = made.commit({"data.dvc": pointer(mine)}, "Place", branch="incoming", start=refs(fork.path)["refs/heads/work"])
    made.git("update-ref", "-d", "refs/heads/incoming")
    change = RefChange("refs/heads/work", refs(fork.path)["refs/heads/work"], tip)
    publishing.publish(seen(bob, fork), as_actor(bob), [change])
    project.commit({"data.dvc": pointer(folder_of(public, {"a": b"1", "b": b"22", "secret/place": b"2"}))}, "Place")
    settle()
    box = f"/alice/public/pull/{pull.number}/merge-box"
    as_user(alice).get(box)
    settle()
    page = as_user(bob).get(box).content.decode()
    assert "secret/place" in page
    page = as_user(alice).get(box).content.decode()
    assert "both sides changed the same data" in page
    assert "secret/place" not in page


def test_data_that_only_another_branch_names_makes_a_sync_a_job(bob, public, writer, keep):
    """Which outputs the default branch has says nothing of what a sync has to name."""
    made = writer(public)
    made.commit({"a.txt": "a\n"}, "First")
    fork = forked(bob, public)
    made.commit({"data.dvc": pointer(keep(public, b"1"))}, "Data", branch="other", start=made.tips["main"])
    public.refresh_from_db()
    assert public.outputs_count == 0
    job = syncing.sync(as_actor(bob), seen(bob, fork), "other")
    assert isinstance(job, Job)
    jobs.run(job.pk)
    assert objects.whole(fork.pk, keys.BUCKET).count() == 1
