from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client

from hub import sign_in_link
from hub.accounts.models import AuditEvent, User


@pytest.fixture
def link(alice: User) -> str:
    return urlsplit(sign_in_link.make(alice)).path


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_it_signs_in_once(client: Client, link: str) -> None:
    assert client.post(link).status_code == 302
    assert signed_in(client)
    assert AuditEvent.objects.filter(action="user.sign_in_by_link", actor_name="alice").count() == 1
    second = Client()
    assert second.post(link).status_code == 404
    assert not signed_in(second)


def test_reading_it_signs_nobody_in_and_uses_nothing_up(client: Client, link: str) -> None:
    page = client.get(link)
    assert "Sign in as alice" in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert not signed_in(client)
    assert client.post(link).status_code == 302


def test_it_asks_for_the_csrf_token(link: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(link).status_code == 403
    assert not signed_in(strict)


def test_it_refuses_other_methods(client: Client, link: str) -> None:
    assert client.put(link).status_code == 405


def test_it_is_refused_after_an_hour(client: Client, link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return datetime.now() + timedelta(seconds=sign_in_link.LIFE_SECONDS + 5)

    monkeypatch.setattr(sign_in_link, "datetime", Later)
    assert client.post(link).status_code == 404


def test_it_belongs_to_one_person(client: Client, alice: User, bob: User, link: str) -> None:
    for other in (link.replace(f"/{alice.pk}/", f"/{bob.pk}/"), link[:-1] + ("0" if link[-1] != "0" else "1")):
        assert client.post(other).status_code == 404
    assert client.post(f"/sign-in-link/{alice.pk}/nonsense").status_code == 404


def test_a_disabled_person_cannot_use_it(client: Client, alice: User, link: str) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert client.post(link).status_code == 404


def test_the_first_administrator_has_no_password(db: None) -> None:
    assert sign_in_link.for_first_administrator()
    first = User.objects.get(is_superuser=True)
    assert not first.has_usable_password()
    assert sign_in_link.for_first_administrator()
    assert User.objects.count() == 1
    first.set_password("blue heron at dawn")
    first.save()
    assert sign_in_link.for_first_administrator() is None
