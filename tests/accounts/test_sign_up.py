from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver

from hub.accounts.models import AuditEvent, Owner, User
from hub.accounts.names import reserved_names

FORM = {"username": "dora", "email": "dora@example.org", "password1": "correct horse battery"}


def sign_up(client: Client, **changes: str) -> Any:
    form = FORM | changes
    return client.post("/account/signup", form | {"password2": changes.get("password2", form["password1"])})


def test_it_makes_an_account_and_signs_in(client: Client, db: None, mailbox: Any) -> None:
    assert sign_up(client).status_code == 302
    dora = User.objects.get(username="dora")
    assert Owner.objects.get(name_key="dora") == dora.owner
    assert client.session["_auth_user_id"] == str(dora.pk)
    assert AuditEvent.objects.filter(action="user.sign_up", actor_id=dora.pk).exists()
    [mail] = mailbox()
    assert mail.to == ["dora@example.org"]
    assert "/account/email/confirm/" in mail.body


@pytest.mark.parametrize("name", ["ALICE", "Alice", "alice"])
def test_it_refuses_a_taken_name_in_any_case(client: Client, alice: User, name: str) -> None:
    response = sign_up(client, username=name)
    assert "is taken" in response.content.decode()
    assert User.objects.count() == 1


@pytest.mark.parametrize("name", ["settings", "API", "Explore", "new", "healthz", "account", "static"])
def test_it_refuses_reserved_names(client: Client, db: None, name: str) -> None:
    sign_up(client, username=name)
    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["../x", "a/b", "a b", ".git", "-x", "x-", "é", "a" * 41, "%2e", "a.b"])
def test_it_refuses_names_that_are_not_on_the_allow_list(client: Client, db: None, name: str) -> None:
    response = sign_up(client, username=name)
    assert response.status_code == 200
    assert not User.objects.filter(username=name).exists()


def test_every_first_segment_of_the_root_urls_is_reserved() -> None:
    segments = {str(entry.pattern).split("/")[0] for entry in get_resolver().url_patterns}
    literal = {segment.lower() for segment in segments if segment and segment[0].isalnum()}
    assert literal
    assert literal <= reserved_names()


@pytest.mark.parametrize("password", ["short", "elevenchars", "password1234", "123456789012", "dora@example.org"])
def test_it_refuses_weak_passwords(client: Client, db: None, password: str) -> None:
    sign_up(client, password1=password)
    assert not User.objects.exists()


def test_it_does_not_tell_that_an_address_is_known(client: Client, alice: User) -> None:
    known = sign_up(client, email="alice@example.org")
    other = sign_up(Client(), username="emma", email="emma@example.org")
    assert (known.status_code, known["Location"]) == (other.status_code, other["Location"])


def test_administrators_can_close_it(client: Client, db: None, settings: Any) -> None:
    settings.SIGNUP_OPEN = False
    assert "Sign-up is closed" in client.get("/account/signup").content.decode()
    sign_up(client)
    assert not User.objects.exists()


def test_a_signed_up_twin_of_an_address_cannot_reset_the_owners_password(
    client: Client, alice: User, mailbox: Any
) -> None:
    """The twin has the same unverified address; every link still goes to the mailbox of the address alone."""
    sign_up(client, email="alice@example.org")
    Client().post("/account/password/forgotten", {"email": "alice@example.org"})
    assert {address for mail in mailbox() for address in mail.to} == {"alice@example.org"}
