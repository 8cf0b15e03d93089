"""The cast and the stage. alice owns, bob may write, charlie is a stranger; repositories are real git on disk."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hub.accounts import tokens
from hub.accounts.actor import Actor
from hub.accounts.models import User
from repos.models import Access, Membership, Repository


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", "alice@example.org", "correct horse battery")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob", "bob@example.org", "correct horse battery")


@pytest.fixture
def charlie(db: None) -> User:
    return User.objects.create_user("charlie", "charlie@example.org", "correct horse battery")


@pytest.fixture
def private(alice: User, bob: User) -> Repository:
    """alice/private: bob may write, nobody else may know of it."""
    repository = Repository.objects.create(owner=alice.owner, name="private", private=True)
    Membership.objects.create(repository=repository, user=bob, access=Access.WRITE)
    return repository


@pytest.fixture
def public(alice: User) -> Repository:
    return Repository.objects.create(owner=alice.owner, name="public", private=False)


@pytest.fixture
def token_of() -> Callable[..., str]:
    """token_of(user, scopes=…) → the secret of a fresh token."""

    def make(user: User, **options: object) -> str:
        return tokens.create(user, name="test", **options)[1]  # type: ignore[arg-type]

    return make


@pytest.fixture
def actor_of() -> Callable[..., Actor]:
    return lambda user: Actor(user=user, session=True)
