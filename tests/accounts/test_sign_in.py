from __future__ import annotations

import pytest
from django.test import Client

from hub.accounts.models import AuditEvent, User

PASSWORD = "correct horse battery"


@pytest.mark.parametrize("login", ["alice", "ALICE", "alice@example.org", "Alice@Example.org"])
def test_it_signs_in_by_name_or_address(client: Client, alice: User, login: str) -> None:
    response = client.post("/account/login", {"login": login, "password": PASSWORD})
    assert response.status_code == 302
    assert client.session["_auth_user_id"] == str(alice.pk)
    event = AuditEvent.objects.get(action="user.sign_in")
    assert (event.actor_id, event.owner_id, event.address) == (alice.pk, alice.owner_id, "127.0.0.1")


def test_it_refuses_a_wrong_password_with_the_same_words_as_an_unknown_name(client: Client, alice: User) -> None:
    wrong = client.post("/account/login", {"login": "alice", "password": "wrong wrong wrong"})
    unknown = client.post("/account/login", {"login": "nobody-here", "password": "wrong wrong wrong"})
    assert "That name and password do not match." in wrong.content.decode()
    assert "That name and password do not match." in unknown.content.decode()
    known, other = AuditEvent.objects.filter(action="user.sign_in_failed").order_by("pk")
    assert (known.subject, known.owner_id) == ("alice", alice.owner_id)
    assert (other.subject, other.owner_id) == ("", None), "a password typed into the name field is not logged"


def test_it_rotates_the_session(client: Client, alice: User) -> None:
    client.get("/account/login")
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    before = session.session_key
    client.post("/account/login", {"login": "alice", "password": PASSWORD})
    assert client.session.session_key != before


def test_it_slows_down_the_eleventh_wrong_password_from_one_network_only(client: Client, alice: User) -> None:
    for host in range(10):
        answer = client.post(
            "/account/login", {"login": "alice", "password": "guess guess guess"}, REMOTE_ADDR=f"203.0.113.{host}"
        )
        assert answer.status_code == 200
    refused = client.post("/account/login", {"login": "alice", "password": PASSWORD}, REMOTE_ADDR="203.0.113.77")
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 60
    assert "Too many attempts" in refused.content.decode()
    elsewhere = client.post("/account/login", {"login": "alice", "password": PASSWORD}, REMOTE_ADDR="198.51.100.1")
    assert elsewhere.status_code == 302, "alice is not locked out"


def test_it_does_not_sign_in_a_deactivated_user(client: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    response = client.post("/account/login", {"login": "alice", "password": PASSWORD}, follow=True)
    assert "This account is deactivated" in response.content.decode()
    assert "_auth_user_id" not in client.session


def test_it_ends_the_session_of_a_user_who_is_deactivated(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/settings/tokens").status_code == 200
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert client.get("/settings/tokens").status_code == 302


def test_it_signs_out_by_post_only(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/account/logout").status_code == 200
    assert client.get("/settings/tokens").status_code == 200
    client.post("/account/logout")
    assert client.get("/settings/tokens").status_code == 302
    assert AuditEvent.objects.filter(action="user.sign_out", actor_id=alice.pk).count() == 1


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_it_never_redirects_to_another_site(client: Client, alice: User, target: str) -> None:
    response = client.post("/account/login", {"login": "alice", "password": PASSWORD, "next": target})
    assert response["Location"] == "/"


def test_it_goes_back_to_where_one_came_from(client: Client, alice: User) -> None:
    response = client.post("/account/login", {"login": "alice", "password": PASSWORD, "next": "/alice/thing?tab=1"})
    assert response["Location"] == "/alice/thing?tab=1"


def test_it_stores_argon2(alice: User) -> None:
    assert alice.password.startswith("argon2")
