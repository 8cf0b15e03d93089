"""What a body that was long on its way brings is taken only if it still may come: the gate is asked at its end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeAlias

import pytest
from django.db import connection
from django.utils import timezone

from datasets.models import StoredObject
from hub.accounts.actor import Actor
from hub.accounts.models import AccessToken, User
from hub.lib import streams
from hub.lib.errors import NotFound, Unauthenticated
from repos import access
from repos.access import Access, Area
from repos.git import commands, store
from repos.git.pkt import FLUSH, line
from repos.models import Push, Repository
from tests.support import s3
from tests.support.asgi import Answer, ask, basic

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("git_root", "folder")]
DATA = b"0123456789" * 100
MD5 = hashlib.md5(DATA, usedforsecurity=False).hexdigest()
Pieces: TypeAlias = Callable[[bytes], Iterator[bytes]]
Send: TypeAlias = Callable[[str, Pieces], Answer]


@pytest.fixture(autouse=True)
def every_body_is_long(monkeypatch):
    monkeypatch.setattr(streams, "CONFIRM_SECONDS", -1)


@pytest.fixture
def tip(private, writer) -> str:
    made = writer(private)
    made.commit({"a.txt": "1"})
    return str(made.tips["main"])


# ---- the ways in ---------------------------------------------------------------------------------
def by_dvc(token: str, pieces: Pieces) -> Answer:
    return ask("PUT", f"/alice/private.dvc/files/md5/{MD5[:2]}/{MD5[2:]}", headers=basic(token), body=pieces(DATA))


def by_s3(token: str, pieces: Pieces) -> Answer:
    return s3.call("PUT", "/alice/private.s3/private/a.bin", token, body=DATA, pieces=pieces(DATA))


def by_upload(token: str, pieces: Pieces) -> Answer:
    form = b'--x\r\nContent-Disposition: form-data; name="files"; filename="new.txt"\r\n\r\nhi\r\n--x--\r\n'
    headers = {**basic(token), "content-type": "multipart/form-data; boundary=x"}
    return ask("PUT", "/api/v1/repos/alice/private/content/main/sub", headers=headers, body=pieces(form))


def by_git(token: str, pieces: Pieces) -> Answer:
    path = Repository.objects.get(name="private").path
    tip = store.refs(path)["refs/heads/main"]
    pack = commands.run(path, "pack-objects", "-q", "--stdout")
    command = line(f"{store.ZERO} {tip} refs/heads/new\0 report-status".encode()) + FLUSH
    headers = {**basic(token), "content-type": "application/x-git-receive-pack-request"}
    return ask("POST", "/alice/private.git/git-receive-pack", headers=headers, body=pieces(command + pack))


WAYS = [by_dvc, by_s3, by_upload, by_git]


# ---- what may happen meanwhile -------------------------------------------------------------------
def revoked(_: Repository) -> None:
    AccessToken.objects.update(revoked=timezone.now())


def expired(_: Repository) -> None:
    AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))


def taken_off(repository: Repository) -> None:
    repository.memberships.all().delete()


def made_a_reader(repository: Repository) -> None:
    repository.memberships.update(access=Access.READ)


def deactivated(_: Repository) -> None:
    User.objects.filter(username="bob").update(is_active=False)


def deleted(repository: Repository) -> None:
    Repository.objects.filter(pk=repository.pk).update(deleted=timezone.now())


STATUSES = {revoked: 401, expired: 401, taken_off: 404, made_a_reader: 403, deactivated: 401, deleted: 404}


def meanwhile(act: Callable[[Repository], None], repository: Repository) -> Pieces:
    """A body of two halves; between them it happens."""

    def happens() -> None:
        act(repository)
        connection.close()

    def pieces(body: bytes) -> Iterator[bytes]:
        yield body[: len(body) // 2]
        with ThreadPoolExecutor(1) as other:
            other.submit(happens).result()
        yield body[len(body) // 2 :]

    return pieces


def kept(repository: Repository) -> list[Any]:
    """Everything that any of the ways leaves behind."""
    found: list[Any] = list(StoredObject.objects.filter(repository=repository).values_list("key", flat=True))
    found += Push.objects.filter(repository=repository, state=Push.State.DONE).values_list("pk", flat=True)
    return [*found, *sorted(store.refs(repository.path).items())]


@pytest.mark.parametrize("act", STATUSES, ids=lambda act: act.__name__)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_it_is_refused_and_nothing_is_kept(private, bob, token_of, tip, way: Send, act):
    before = kept(private)
    answer = way(token_of(bob), meanwhile(act, private))
    if way is by_git:
        assert (answer.status, b"ng refs/heads/new" in answer.body) == (200, True), answer.text
    elif way is by_s3:
        assert answer.status == {401: 403}.get(STATUSES[act], STATUSES[act]), answer.text
    else:
        assert answer.status == STATUSES[act], answer.text
    assert kept(private) == before


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_it_is_taken_where_nothing_has_changed(private, bob, token_of, tip, way: Send):
    before = kept(private)
    answer = way(token_of(bob), meanwhile(lambda _: None, private))
    assert answer.status in {200, 201}, answer.text
    assert kept(private) != before


def test_what_is_short_is_asked_for_once(private, bob, token_of, tip, monkeypatch):
    monkeypatch.setattr(streams, "CONFIRM_SECONDS", 60)
    assert by_dvc(token_of(bob), meanwhile(revoked, private)).status == 201


@pytest.mark.parametrize(("act", "error"), [(deactivated, Unauthenticated), (taken_off, NotFound)])
def test_a_session_is_asked_for_its_person(private, bob, act, error):
    actor = Actor(user=bob, session=True)
    assert access.ask_again(actor, private, need=Access.WRITE, area=Area.REPO) == private
    act(private)
    with pytest.raises(error):
        access.ask_again(actor, private, need=Access.WRITE, area=Area.REPO)
