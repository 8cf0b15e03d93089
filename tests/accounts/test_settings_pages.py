from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from hub.accounts.models import AuditEvent, User
from repos.repositories import author_of

PASSWORD = "correct horse battery"


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    """alice, who has just typed her password."""
    client.post("/account/login", {"login": "alice", "password": PASSWORD})
    client.post("/account/reauthenticate", {"password": PASSWORD})
    return client


PAGES = ["profile", "email", "password", "security", "tokens", "log"]


@pytest.mark.parametrize("page", PAGES)
def test_it_opens_for_its_person_and_asks_others_to_sign_in(signed_in: Client, page: str) -> None:
    response = signed_in.get(f"/settings/{page}")
    assert response.status_code == 200
    assert f'href="/settings/{page}" aria-current="page"' in response.content.decode()
    assert Client().get(f"/settings/{page}")["Location"].startswith("/account/login?next=")


class TestProfile:
    def test_it_saves(self, signed_in: Client, alice: User) -> None:
        form = {"full_name": "Alice A.", "biography": "Cats.", "website": "https://example.org", "scheme": "dark"}
        assert signed_in.post("/settings/profile", form).status_code == 302
        alice.refresh_from_db()
        assert (alice.full_name, alice.preferences["scheme"]) == ("Alice A.", "dark")
        assert 'data-scheme="dark"' in signed_in.get("/settings/profile").content.decode()
        assert "Cats." in Client().get("/alice").content.decode()

    def test_an_address_is_kept_out_of_commits(self, signed_in: Client, alice: User, settings: Any) -> None:
        settings.COVEY_URL = "https://hub.example.org"
        assert author_of(alice) == "alice <alice@example.org>"
        signed_in.post("/settings/profile", {"hides_email": "on"})
        alice.refresh_from_db()
        assert author_of(alice) == "alice <alice@users.noreply.hub.example.org>"
        assert "checked" in signed_in.get("/settings/profile").content.decode()
        signed_in.post("/settings/profile", {"scheme": "auto"})
        alice.refresh_from_db()
        assert author_of(alice) == "alice <alice@example.org>"

    @pytest.mark.parametrize(
        "change",
        [{"website": "javascript:alert(1)"}, {"website": "ftp://x.org"}, {"scheme": "x"}, {"full_name": "a" * 121}],
    )
    def test_it_refuses_bad_values(self, signed_in: Client, alice: User, change: dict[str, str]) -> None:
        assert signed_in.post("/settings/profile", change).status_code == 422
        alice.refresh_from_db()
        assert not alice.website

    def test_it_changes_nothing_else(self, signed_in: Client, alice: User) -> None:
        signed_in.post(
            "/settings/profile", {"is_superuser": "1", "username": "root", "email": "x@y.org", "is_active": ""}
        )
        alice.refresh_from_db()
        assert (alice.is_superuser, alice.username, alice.email, alice.is_active) == (
            False, "alice", "alice@example.org", True,
        )  # fmt: skip


class TestEmail:
    def test_the_old_address_stays_until_the_new_one_is_confirmed(
        self, signed_in: Client, alice: User, mailbox: Any
    ) -> None:
        EmailAddress.objects.update_or_create(
            user=alice, email=alice.email, defaults={"verified": True, "primary": True}
        )
        signed_in.post("/settings/email", {"action_add": "", "email": "new@example.org"})
        alice.refresh_from_db()
        assert alice.email == "alice@example.org"
        mail = next(mail for mail in mailbox() if mail.to == ["new@example.org"])
        link = re.search(r"https?://[^/]+(/account/email/confirm/\S+)", mail.body)
        assert link
        assert signed_in.get(link.group(1)).status_code == 200
        alice.refresh_from_db()
        assert alice.email == "alice@example.org", "a mail scanner that opens links confirms nothing"
        signed_in.post(link.group(1))
        alice.refresh_from_db()
        assert alice.email == "new@example.org"
        assert AuditEvent.objects.filter(action="email.confirm", owner_id=alice.owner_id).exists()

    def test_an_address_that_was_never_confirmed_is_replaced_at_once(self, signed_in: Client, alice: User) -> None:
        signed_in.post("/settings/email", {"action_add": "", "email": "new@example.org"})
        alice.refresh_from_db()
        assert alice.email == "new@example.org", "a user is never left without any address"
        assert EmailAddress.objects.get(user=alice).verified is False

    def test_it_asks_for_the_password_again(self, client: Client, alice: User) -> None:
        client.post("/account/login", {"login": "alice", "password": PASSWORD})
        answer = client.post("/settings/email", {"action_add": "", "email": "new@example.org"})
        assert answer["Location"].startswith("/account/reauthenticate")

    def test_a_made_up_confirmation_is_refused(self, client: Client, db: None) -> None:
        assert "This link is old" in client.get("/account/email/confirm/made-up:key").content.decode()


class TestPassword:
    NEW = {"oldpassword": PASSWORD, "password1": "a brand new secret", "password2": "a brand new secret"}

    def test_it_changes_and_signs_others_out(self, signed_in: Client, alice: User, mailbox: Any) -> None:
        other = Client()
        other.post("/account/login", {"login": "alice", "password": PASSWORD})
        assert signed_in.post("/settings/password", self.NEW).status_code == 302
        assert signed_in.get("/settings/profile").status_code == 200
        assert other.get("/settings/profile").status_code == 302
        assert AuditEvent.objects.filter(action="password.change", owner_id=alice.owner_id).exists()

    @pytest.mark.parametrize("change", [{"oldpassword": "wrong wrong"}, {"password1": "short", "password2": "short"}])
    def test_it_refuses(self, signed_in: Client, alice: User, change: dict[str, str]) -> None:
        signed_in.post("/settings/password", self.NEW | change)
        alice.refresh_from_db()
        assert alice.check_password(PASSWORD)
