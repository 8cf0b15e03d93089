"""The gate: its point form and its list form agree for every actor and repository."""

from __future__ import annotations

import pytest

from hub.accounts.actor import ANONYMOUS, Actor, Area
from hub.lib.errors import Denied, HubError, NotFound
from repos import access
from repos.models import Access, Repository

pytestmark = pytest.mark.django_db


def may_read(actor: Actor, repository: Repository) -> bool:
    try:
        access.repository_for(actor, repository.owner.name, repository.name, need=Access.READ, area=Area.REPO)
    except HubError:
        return False
    return True


def test_point_and_list_agree(alice, bob, charlie, private, public):
    users = [alice, bob, charlie]
    actors = [ANONYMOUS, *(Actor(user=user) for user in users)]
    actors += [Actor(user=user, repository_id=private.pk) for user in users]
    actors += [Actor(user=user, scopes=frozenset({"data:read"})) for user in users]
    for actor in actors:
        listed = set(Repository.objects.visible_to(actor, area=Area.REPO))
        assert listed == {r for r in (private, public) if may_read(actor, r)}


def test_it_hides_what_may_not_be_read(charlie, private):
    with pytest.raises(NotFound):
        access.repository_for(Actor(user=charlie), "alice", "private", need=Access.READ, area=Area.REPO)


def test_it_denies_more_than_was_granted(bob, private):
    with pytest.raises(Denied):
        access.repository_for(Actor(user=bob), "ALICE", "Private", need=Access.ADMIN, area=Area.REPO)


def test_it_denies_beyond_the_scope_of_a_token(bob, private):
    reader = Actor(user=bob, scopes=frozenset({"repo:read"}))
    assert access.repository_for(reader, "alice", "private", need=Access.READ, area=Area.REPO) == private
    with pytest.raises(Denied):
        access.repository_for(reader, "alice", "private", need=Access.WRITE, area=Area.REPO)
    with pytest.raises(Denied):
        access.repository_for(reader, "alice", "private", need=Access.READ, area=Area.DATA)
