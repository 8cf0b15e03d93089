"""Every ref change goes through one policy and one publish; a hub killed in between leaves the truth findable."""

from __future__ import annotations

import subprocess
from datetime import timedelta

import pytest
from django.utils import timezone

from hub.accounts.actor import Actor
from hub.accounts.models import AuditEvent
from hub.jobs.models import Outbox
from hub.lib.errors import Conflict, Denied, NotFound, TooLarge, Unprocessable
from repos import policy, publishing, signals, tasks
from repos.git import commands, store
from repos.git.store import ZERO, Quarantine, RefChange
from repos.models import BranchRule, Membership, Push, Repository
from repos.storage import store as repositories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("git_root")]
MAIN = "refs/heads/main"


@pytest.fixture
def repository(private: Repository) -> Repository:
    repositories().create(private.pk)
    return private


def commit_in(quarantine: Quarantine, text: str, *, parent: str = "", name: str = "a.txt") -> str:
    def put(kind: str, data: str) -> str:
        out = commands.run(
            quarantine.repository, "hash-object", "-t", kind, "-w", "--stdin", "--literally",
            stdin=data.encode("latin-1"), extra=quarantine.environment,
        )  # fmt: skip
        return out.decode().strip()

    blob = put("blob", text)
    tree = put("tree", f"100644 {name}\0" + bytes.fromhex(blob).decode("latin-1"))
    parents = f"parent {parent}\n" if parent else ""
    who = "Alice <alice@example.org> 1700000000 +0000"
    return put("commit", f"tree {tree}\n{parents}author {who}\ncommitter {who}\n\n{text}\n")


def publish(repository: Repository, user, text: str, *, old: str = ZERO, ref: str = MAIN, root: bool = False) -> str:
    with repositories().quarantine(repository.pk) as quarantine:
        new = commit_in(quarantine, text, parent="" if root or old == ZERO else old)
        publishing.publish(repository, Actor(user=user), [RefChange(ref, old, new)], quarantine=quarantine)
    return new


def test_it_moves_the_ref_and_tells_everybody(repository, bob):
    commit = publish(repository, bob, "one")
    repository.refresh_from_db()
    assert store.refs(repository.path) == {MAIN: commit}
    assert (repository.ref_generation, repository.empty) == (1, False)
    assert repository.pushed
    assert repository.size_bytes > 0
    push = Push.objects.get()
    assert (push.state, push.user, push.via) == (Push.State.DONE, bob, "web")
    assert push.updates.get().applied
    assert Outbox.objects.get(topic=signals.PUSHED).payload == {"repository_id": repository.pk, "push_id": push.pk}


def test_two_writers_cannot_both_win(repository, bob):
    publish(repository, bob, "one")
    with pytest.raises(Conflict):
        publish(repository, bob, "two")
    assert [push.state for push in Push.objects.order_by("pk")] == ["done", "failed"]
    assert Outbox.objects.filter(topic=signals.PUSHED).count() == 1


def test_what_is_gone_already_is_said_to_be(repository, bob):
    first = publish(repository, bob, "one")
    away = RefChange(MAIN, first, ZERO)
    publishing.publish(repository, Actor(user=bob), [away])
    with pytest.raises(NotFound, match="The branch 'main' no longer exists"):
        publishing.publish(repository, Actor(user=bob), [away])


def test_it_asks_for_write_access_again(repository, bob, charlie):
    Membership.objects.filter(user=bob).delete()
    with pytest.raises(NotFound):
        publish(repository, bob, "one")
    Repository.objects.update(private=False)
    with pytest.raises(Denied):
        publish(repository, charlie, "one")
    assert store.refs(repository.path) == {}
    assert not Push.objects.exists()


def test_git_refuses_hostile_names_from_the_web_too(repository, alice):
    with repositories().quarantine(repository.pk) as quarantine:
        new = commit_in(quarantine, "x", name=".GIT")
        with pytest.raises(Unprocessable):
            publishing.publish(repository, Actor(user=alice), [RefChange(MAIN, ZERO, new)], quarantine=quarantine)
    assert store.refs(repository.path) == {}


def test_a_protected_default_branch_keeps_its_commits(repository, alice):
    first = publish(repository, alice, "one")
    second = publish(repository, alice, "two", old=first)
    BranchRule.objects.create(repository=repository, pattern="main")
    third = publish(repository, alice, "three", old=second)
    with pytest.raises(Denied, match="force-pushed"):
        publish(repository, alice, "other", old=third, root=True)
    with pytest.raises(Denied, match="deleted"):
        publishing.publish(repository, Actor(user=alice), [RefChange(MAIN, third, ZERO)])
    publish(repository, alice, "free", ref="refs/heads/free")
    assert store.refs(repository.path)[MAIN] == third


def test_a_force_push_is_written_into_the_audit_log(repository, alice):
    first = publish(repository, alice, "one")
    second = publish(repository, alice, "other", old=first, root=True)
    publishing.publish(repository, Actor(user=alice), [RefChange(MAIN, second, ZERO)])
    events = list(AuditEvent.objects.filter(action="git.rewrite").order_by("pk"))
    assert [(event.before, event.after) for event in events] == [
        ({MAIN: first}, {MAIN: second}),
        ({MAIN: second}, {MAIN: ZERO}),
    ]
    repository.refresh_from_db()
    assert repository.empty


@pytest.mark.parametrize(
    "ref",
    [
        "HEAD", "config", "refs/pull/1/head", "refs/hooks/x", "refs/heads/", "refs/heads/-x", "refs/heads/a..b",
        "refs/heads/a b", "refs/heads/x.lock", "refs/heads/@{", "refs/heads/@", "refs/heads/HEAD", "refs/heads/a//b",
        "refs/heads/.a", "refs/heads/a/.b", "refs/heads/a.", "refs/heads/a/", "refs/heads/a\x07",
        "refs/heads/" + "a" * 40,
                "refs/heads/a\\b", "refs/heads/a~1", "refs/heads/a^", "refs/heads/a:b", "refs/heads/../../x",
    ],
)  # fmt: skip
def test_it_refuses_names_that_are_no_branch(ref):
    with pytest.raises(Unprocessable):
        policy.check_name(RefChange(ref, ZERO, "1" * 40))


@pytest.mark.parametrize(
    "ref", ["refs/heads/ветка/日本語", "refs/heads/a&b;'c`%20+#(d)", "refs/exps/aa/bb/x", "refs/notes/n"]
)
def test_it_takes_every_honest_name(ref):
    policy.check_name(RefChange(ref, ZERO, "1" * 40))


def test_it_refuses_objects_and_repositories_that_are_too_large(repository, alice, settings):
    settings.GIT_MAX_OBJECT_BYTES = 200
    with pytest.raises(TooLarge, match="Object"):
        publish(repository, alice, "x" * 201)
    settings.GIT_MAX_OBJECT_BYTES, settings.GIT_MAX_REPOSITORY_BYTES = 1 << 30, 100
    with pytest.raises(TooLarge, match="larger"):
        publish(repository, alice, "y" * 5000)
    assert not Push.objects.exists()


def test_the_first_branch_becomes_the_default_one(repository, alice):
    publish(repository, alice, "one", ref="refs/heads/master")
    repository.refresh_from_db()
    assert repository.default_branch == "master"
    head = subprocess.run(["git", "symbolic-ref", "HEAD"], cwd=repository.path, capture_output=True, text=True)
    assert head.stdout == "refs/heads/master\n"
    publish(repository, alice, "two", ref="refs/heads/other")
    repository.refresh_from_db()
    assert repository.default_branch == "master"


def test_a_push_whose_hub_died_after_git_is_settled(repository, alice):
    """Killed between git's change and the row: the next look finds the ref moved and announces it."""
    with repositories().quarantine(repository.pk) as quarantine:
        new = commit_in(quarantine, "one")
        change = RefChange(MAIN, ZERO, new)
        publishing.judge(repository, Actor(user=alice), [change], quarantine=quarantine)
        repositories().publish(repository.pk, quarantine, [change])
    tasks.reconcile_pushes()
    assert Push.objects.get().state == Push.State.PREPARED  # too young: its hub may still be at work
    Push.objects.update(created=timezone.now() - timedelta(minutes=2))
    tasks.reconcile_pushes()
    tasks.reconcile_pushes()
    assert Push.objects.get().state == Push.State.DONE
    assert Push.objects.get().updates.get().applied
    assert Outbox.objects.filter(topic=signals.PUSHED).count() == 1


def test_a_push_whose_hub_died_before_git_is_settled_as_failed(repository, alice):
    publishing.judge(repository, Actor(user=alice), [RefChange(MAIN, ZERO, "1" * 40)])
    Push.objects.update(created=timezone.now() - timedelta(minutes=2))
    tasks.reconcile_pushes()
    assert Push.objects.get().state == Push.State.FAILED
    assert not Outbox.objects.exists()


def test_an_unsettled_push_that_was_overtaken_counts_as_done(repository, alice):
    with repositories().quarantine(repository.pk) as quarantine:
        first = commit_in(quarantine, "one")
        change = RefChange(MAIN, ZERO, first)
        lost = publishing.judge(repository, Actor(user=alice), [change], quarantine=quarantine)
        repositories().publish(repository.pk, quarantine, [change])
    publish(repository, alice, "two", old=first)
    publishing.reconcile(lost)
    lost.refresh_from_db()
    assert lost.state == Push.State.DONE


def test_maintenance_follows_a_push(repository, alice):
    publish(repository, alice, "one")
    tasks.maintain(repository.pk)
    assert list(repository.path.glob("objects/info/commit-graphs/*.graph"))
    Repository.objects.update(deleted=timezone.now())
    tasks.maintain(repository.pk)
    tasks.remove_from_disk(repository.pk)
    assert not repository.path.exists()


def test_maintenance_that_a_dead_worker_left_is_taken_up(repository, alice, django_assert_num_queries):
    lost = Repository.objects.create(owner=alice.owner, name="lost")  # its folder is gone: the others go on
    publish(repository, alice, "one")
    Repository.objects.filter(pk=lost.pk).update(ref_generation=1)
    tasks.maintain_left()
    assert not list(repository.path.glob("objects/info/commit-graphs/*.graph"))  # its own task may still come
    Repository.objects.update(pushed=timezone.now() - 2 * tasks.LEFT_AFTER)
    tasks.maintain_left()
    assert list(repository.path.glob("objects/info/commit-graphs/*.graph"))
    Repository.objects.filter(pk=lost.pk).delete()
    with django_assert_num_queries(1):
        tasks.maintain_left()


def test_only_deleted_repositories_leave_the_disk(repository):
    tasks.remove_from_disk(repository.pk)
    assert repository.path.exists()
