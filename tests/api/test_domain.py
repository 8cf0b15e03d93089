"""A repository's life below the surfaces: change, rename, transfer, share, star, delete."""

from __future__ import annotations

import pytest

from hub.accounts.actor import Actor, Area
from hub.accounts.models import AuditEvent
from hub.jobs import outbox
from hub.jobs.models import Outbox
from hub.lib.errors import Moved, NotFound, Unprocessable
from repos import access, collaborators, receivers, repositories, stars, transfers
from repos.git import creation, store
from repos.models import Access, Membership, OldName, Repository, Transfer
from repos.repositories import Start

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(alice):
    return Actor(user=alice, session=True)


@pytest.fixture
def started(owner, alice):
    return repositories.create(owner, alice.owner, "started", start=Start(readme=True))


def read(actor, owner, name):
    return access.repository_for(actor, owner, name, need=Access.READ, area=Area.REPO)


def actions():
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


def test_it_changes_what_is_given_and_audits_what_matters(owner, started):
    changed = repositories.update(owner, started, description=" a  b\n", website="https://example.org", private=False)
    assert (changed.description, changed.website, changed.private) == ("a b", "https://example.org", False)
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.before, event.after) == ("repository.update", {"private": True}, {"private": False})
    repositories.update(owner, started, description="c")
    assert AuditEvent.objects.latest("pk") == event


@pytest.mark.parametrize(
    "bad",
    [
        {"website": "javascript:alert(1)"},
        {"website": "ftp://example.org"},
        {"description": "a" * 351},
        {"topics": ["ok", "not ok"]},
        {"topics": [f"t{n}" for n in range(21)]},
        {"default_branch": "absent"},
        {"default_branch": "--upload-pack=x"},
        {"default_branch": "a..b"},
    ],
)
def test_it_refuses_with_nothing_changed(owner, started, bad):
    with pytest.raises(Unprocessable):
        repositories.update(owner, started, **({"private": False} | bad))
    assert Repository.objects.get().private is True


def test_the_default_branch_moves_head(owner, started, git_root):
    path = store.path_of(git_root, started.pk)
    commit = creation.first_commit(path, files={"a": b"1"}, author="A <a@example.org>", message="m")
    store.move_refs(path, [store.RefChange("refs/heads/dev/next", store.ZERO, commit)])
    repositories.update(owner, started, default_branch="dev/next")
    assert (path / "HEAD").read_text() == "ref: refs/heads/dev/next\n"


def test_topics_are_replaced(owner, started):
    repositories.update(owner, started, topics=["Vision", "nlp", "nlp", ""])
    assert sorted(t.name for t in started.topics.all()) == ["nlp", "vision"]
    repositories.update(owner, started, topics=["nlp", "audio"])
    assert sorted(t.name for t in started.topics.all()) == ["audio", "nlp"]


def test_a_rename_redirects_readers_only(owner, charlie, started):
    repositories.rename(owner, started, "moved")
    with pytest.raises(Moved):
        read(owner, "alice", "started")
    with pytest.raises(NotFound):
        read(Actor(user=charlie), "alice", "started")
    assert read(owner, "alice", "moved") == started


def test_a_rename_back_leaves_no_loop(owner, started):
    repositories.rename(owner, started, "moved")
    repositories.rename(owner, started, "started")
    assert read(owner, "alice", "started") == started
    assert [old.name_key for old in OldName.objects.all()] == ["moved"]


def test_a_rename_may_change_case_only(owner, started):
    repositories.rename(owner, started, "Started")
    assert read(owner, "alice", "started").name == "Started"
    assert not OldName.objects.exists()


def test_a_rename_refuses_a_taken_name(owner, alice, started):
    repositories.create(owner, alice.owner, "other")
    with pytest.raises(Unprocessable):
        repositories.rename(owner, started, "OTHER")


def test_nothing_moves_until_the_transfer_is_accepted(owner, bob, started):
    made = transfers.offer(owner, started, bob)
    assert read(owner, "alice", "started") == started
    with pytest.raises(NotFound):
        read(Actor(user=bob), "alice", "started")
    taken = transfers.accept(Actor(user=bob), transfers.offer_for(Actor(user=bob), made.pk))
    assert access.access_for(Actor(user=bob), taken) == Access.ADMIN
    assert access.access_for(owner, taken) == Access.WRITE
    with pytest.raises(Moved):
        read(owner, "alice", "started")
    assert actions()[-2:] == ["transfer.offer", "transfer.accept"]


def test_an_offer_is_nobody_elses(owner, bob, charlie, started):
    made = transfers.offer(owner, started, bob)
    for actor in (owner, Actor(user=charlie)):
        with pytest.raises(NotFound):
            transfers.offer_for(actor, made.pk)


def test_a_cancelled_offer_cannot_be_accepted(owner, bob, started):
    transfers.offer(owner, started, bob)
    stale = Transfer.objects.select_related("repository", "recipient").get()
    transfers.cancel(owner, started)
    with pytest.raises(NotFound):
        transfers.accept(Actor(user=bob), stale)
    assert Repository.objects.get().owner == owner.user.owner


def test_a_transfer_refuses_a_name_the_recipient_has(owner, bob, started):
    repositories.create(Actor(user=bob), bob.owner, "Started")
    with pytest.raises(Unprocessable):
        transfers.offer(owner, started, bob)


def test_a_declined_offer_is_gone(owner, bob, started):
    made = transfers.offer(owner, started, bob)
    transfers.decline(Actor(user=bob), transfers.offer_for(Actor(user=bob), made.pk))
    assert not Transfer.objects.exists()


def test_a_collaborator_comes_changes_and_goes(owner, bob, started):
    collaborators.put(owner, started, bob, Access.READ)
    collaborators.put(owner, started, bob, Access.ADMIN)
    collaborators.put(owner, started, bob, Access.ADMIN)
    assert access.access_for(Actor(user=bob), started) == Access.ADMIN
    collaborators.remove(owner, started, bob)
    with pytest.raises(NotFound):
        read(Actor(user=bob), "alice", "started")
    assert actions()[-3:] == ["collaborator.add", "collaborator.change", "collaborator.remove"]


def test_the_owner_is_no_collaborator(owner, alice, started):
    with pytest.raises(Unprocessable):
        collaborators.put(owner, started, alice, Access.READ)
    assert not Membership.objects.exists()


def test_stars_are_counted_once(bob, started):
    stars.star(started, bob)
    stars.star(started, bob)
    started.refresh_from_db()
    assert started.stars_count == 1
    stars.unstar(started, bob)
    stars.unstar(started, bob)
    started.refresh_from_db()
    assert started.stars_count == 0


def test_delete_hides_at_once_and_frees_the_name(owner, alice, started, token_of):
    token_of(alice, repository_id=started.pk)
    repositories.rename(owner, started, "final")
    repositories.delete(owner, started)
    for name in ("final", "started"):
        with pytest.raises(NotFound):
            read(owner, "alice", name)
    assert started not in Repository.objects.visible_to(owner)
    assert alice.tokens.get().revoked is not None
    assert Outbox.objects.filter(topic="repos.deleted", payload={"repository_id": started.pk}).exists()
    assert repositories.create(owner, alice.owner, "final").pk != started.pk


def test_the_stores_go_after_a_delete_and_only_then(owner, started, git_root):
    path = store.path_of(git_root, started.pk)
    receivers.remove_from_disk({"repository_id": started.pk})
    assert path.exists()
    repositories.delete(owner, started)
    row = Outbox.objects.get(topic="repos.deleted")
    outbox.deliver(row.pk)
    outbox.deliver(row.pk)
    receivers.remove_from_disk(row.payload)
    assert not path.exists()
