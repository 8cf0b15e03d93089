"""The cast and the stage. alice owns, bob may write, charlie is a stranger; repositories are real git on disk.

Also what tests of several folders share: how they write repositories, browse, and call the API.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.db import connection
from django.http import HttpResponse
from django.test import Client, TransactionTestCase

from hub.accounts import tokens
from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.jobs import outbox
from hub.lib import stores
from hub.lib.objectstore import FolderStore
from repos import storage
from repos.models import Access, Membership, Repository
from tests.support import emptying
from tests.support.browsing import BytesClient
from tests.support.described import DescribedClient
from tests.support.hub import Hub, embedded_hub, production_hub
from tests.support.writer import Writer

PATIENT_SECONDS = 900  # tests that start processes: on a busy machine one start alone may take a minute


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        outside = any(item.get_closest_marker(name) for name in ("client", "browser", "embedded"))
        if outside and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(PATIENT_SECONDS))


@pytest.fixture(autouse=True)
def _clean_cache(request: pytest.FixtureRequest) -> None:
    if "db" in request.fixturenames or "transactional_db" in request.fixturenames:
        cache.clear()


@pytest.fixture(autouse=True)
def _plain_static_files(settings: Any) -> None:
    """Pages rendered in process name static files without a collected manifest; the running hub tests the real one."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(autouse=True)
def _cheap_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["tests.support.hashers.CheapArgon2"]


@pytest.fixture(scope="session", autouse=True)
def _cheap_emptying() -> None:
    """Tests with real transactions leave rows behind, which go one by one and not by cutting every table off."""
    TransactionTestCase._fixture_teardown = lambda _: emptying.empty(connection)  # type: ignore[method-assign]


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
def mailbox(mailoutbox: list[EmailMessage]) -> Callable[[], list[EmailMessage]]:
    """mailbox() → the mails sent so far, after the worker has delivered the outbox."""

    def sent() -> list[EmailMessage]:
        for row_id in outbox.pending():
            outbox.deliver(row_id)
        return mailoutbox

    return sent


@pytest.fixture
def actor_of() -> Callable[..., Actor]:
    return lambda user: Actor(user=user, session=True)


@pytest.fixture
def git_root(tmp_path: Path, settings: Any) -> Path:
    """The hub's repositories are in a new folder for this test."""
    settings.GIT_ROOT = tmp_path / "git"
    return tmp_path / "git"


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Iterator[FolderStore]:
    """The hub's store is a new folder for this test."""
    settings.OBJECTS_ROOT, settings.COVEY_S3_ENDPOINT = tmp_path / "objects", ""
    stores.object_store.cache_clear()
    yield FolderStore(tmp_path / "objects")
    stores.object_store.cache_clear()


@pytest.fixture
def writer() -> Callable[[Repository], Writer]:
    """writer(repository) → an empty repository on disk, to commit to."""

    def make(repository: Repository) -> Writer:
        store = storage.store()
        store.remove(repository.pk)  # ids start again with every test's rolled back database
        return Writer(repository, store.create(repository.pk))

    return make


@pytest.fixture
def as_user() -> Callable[[User | None], Client]:
    """as_user(user) → a browser signed in as that user, or as nobody."""

    def make(user: User | None) -> Client:
        client = Client()
        if user:
            client.force_login(user)
        return client

    return make


@pytest.fixture
def get_bytes() -> Callable[[User, str], HttpResponse]:
    """get_bytes(user, path) → the page under a quoted path whose bytes need not be UTF-8."""

    def get(user: User, path: str) -> HttpResponse:
        client = BytesClient()
        client.force_login(user)
        return async_to_sync(client.get)(path)

    return get


@pytest.fixture
def api(token_of: Callable[..., str]) -> Callable[..., DescribedClient]:
    """api(user, **token options) → a client with that user's token; api() → an anonymous one."""

    def make(user: User | None = None, **options: object) -> DescribedClient:
        client = DescribedClient(enforce_csrf_checks=True)
        if user:
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {token_of(user, **options)}")
        return client

    return make


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """One running hub for the session: on real services under COVEY_TEST=production, else the embedded default."""
    home = tmp_path_factory.mktemp("hub")
    kind = production_hub if os.environ.get("COVEY_TEST") == "production" else embedded_hub
    made = kind(home, ready=True)
    try:
        yield made.start()
    finally:
        made.stop()
