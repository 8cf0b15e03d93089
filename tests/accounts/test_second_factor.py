from __future__ import annotations

import re
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client

from hub.accounts.models import AuditEvent, User

PASSWORD = "correct horse battery"


def code_of(secret: str, *, steps: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


@pytest.fixture
def protected(client: Client, alice: User, django_capture_on_commit_callbacks: Any) -> str:
    """alice has switched the second factor on and is signed out; the value is the seed."""
    client.post("/account/login", {"login": "alice", "password": PASSWORD})
    assert client.get("/settings/security/totp/activate")["Location"].startswith("/account/reauthenticate")
    client.post("/account/reauthenticate", {"password": PASSWORD})
    page = client.get("/settings/security/totp/activate").content.decode()
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)
    assert secret, page
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post("/settings/security/totp/activate", {"code": code_of(secret.group(1))})
    assert response.status_code == 302
    client.post("/account/logout")
    return secret.group(1)


def test_the_password_alone_is_not_enough(client: Client, alice: User, protected: str) -> None:
    response = client.post("/account/login", {"login": "alice", "password": PASSWORD})
    assert response["Location"].startswith("/account/code")
    assert "_auth_user_id" not in client.session
    assert client.get("/settings/tokens").status_code == 302


def test_a_code_signs_in(client: Client, alice: User, protected: str) -> None:
    client.post("/account/login", {"login": "alice", "password": PASSWORD})
    response = client.post("/account/code", {"code": code_of(protected, steps=1)})
    assert response.status_code == 302
    assert client.session["_auth_user_id"] == str(alice.pk)
    assert set(AuditEvent.objects.filter(owner_id=alice.owner_id).values_list("action", flat=True)) >= {
        "totp.add",
        "recovery_codes.add",
        "totp.use",
    }


def test_a_recovery_code_signs_in_once(client: Client, alice: User, protected: str) -> None:
    codes = Authenticator.objects.get(user=alice, type="recovery_codes").wrap().get_unused_codes()
    client.post("/account/login", {"login": "alice", "password": PASSWORD})
    assert client.post("/account/code", {"code": codes[0]}).status_code == 302
    client.post("/account/logout")
    client.post("/account/login", {"login": "alice", "password": PASSWORD})
    assert client.post("/account/code", {"code": codes[0]}).status_code == 200
    assert "_auth_user_id" not in client.session


def test_wrong_codes_are_slowed_down(client: Client, alice: User, protected: str) -> None:
    client.post("/account/login", {"login": "alice", "password": PASSWORD})
    answers = [client.post("/account/code", {"code": f"{number:06}"}).status_code for number in range(11)]
    assert answers == [200] * 10 + [429]


def test_a_form_without_a_code_is_refused_plainly(client: Client, alice: User, protected: str) -> None:
    client.post("/account/login", {"login": "alice", "password": PASSWORD})
    assert client.post("/account/code", {"credential": "x"}).status_code == 400


def test_the_seed_is_encrypted_at_rest(alice: User, protected: str) -> None:
    assert protected not in str(Authenticator.objects.get(user=alice, type="totp").data)


def test_it_can_be_switched_off_after_proving_oneself_again(client: Client, alice: User, protected: str) -> None:
    client.post("/account/login", {"login": "alice", "password": PASSWORD})
    client.post("/account/code", {"code": code_of(protected, steps=1)})
    refused = client.post("/settings/security/totp/deactivate")
    assert refused["Location"].startswith("/account/reauthenticate")
    assert Authenticator.objects.filter(user=alice).exists()
    client.post("/account/reauthenticate", {"password": PASSWORD})
    assert client.post("/settings/security/totp/deactivate")["Location"] == "/settings/security"
    assert not Authenticator.objects.filter(user=alice).exists()
    assert AuditEvent.objects.filter(action="totp.remove").exists()


def test_codes_kept_under_another_secret_key_are_said_to_be(
    client: Client, alice: User, protected: str, settings: Any
) -> None:
    """A hub that was restored or moved without its key."""
    settings.SECRET_KEY = "another one " * 5
    client.post("/account/login", {"login": "alice", "password": PASSWORD})
    answer = client.post("/account/code", {"code": code_of(protected, steps=1)})
    assert answer.status_code == 503
    assert b"SECRET_KEY" in answer.content
    assert "_auth_user_id" not in client.session
