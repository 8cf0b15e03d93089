from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from hub.accounts import tokens
from hub.accounts.actor import Actor
from hub.accounts.authentication import actor_from_authorization
from hub.accounts.models import AccessToken, AuditEvent, User
from hub.lib.errors import Denied, Unauthenticated, Unprocessable
from hub.pages.tokens import PAGE_SIZE
from repos.models import Repository

FORM = {"name": "laptop", "days": "30", "scope_repo": "write", "scope_data": "read"}


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def test_it_shows_the_secret_once_and_stores_its_hash(signed_in: Client, alice: User) -> None:
    response = signed_in.post("/settings/tokens/create", FORM)
    secret = re.search(r"covey_\w{38}", response.content.decode())
    assert secret
    assert "no-store" in response["Cache-Control"]
    row = AccessToken.objects.get(user=alice)
    assert row.digest == tokens.digest(secret.group())
    assert row.scopes == ["data:read", "repo:write"]
    assert timedelta(days=29) < row.expires - timezone.now() < timedelta(days=31)
    assert secret.group() not in signed_in.get("/settings/tokens").content.decode()
    event = AuditEvent.objects.get(action="token.create")
    assert (event.actor_id, event.owner_id, event.subject) == (alice.pk, alice.owner_id, "laptop")
    assert secret.group() not in str(event.after)


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "x" * 101},
        {"days": "0"},
        {"days": "366"},
        {"days": "many"},
        {"scope_repo": "admin"},
        {"scope_repo": "", "scope_data": ""},
        {"repository": "alice/absent"},
        {"repository": "no-slash"},
        {"repository": "../../etc"},
    ],
)
def test_it_refuses_bad_input(signed_in: Client, change: dict[str, str]) -> None:
    assert signed_in.post("/settings/tokens/create", FORM | change).status_code == 422
    assert not AccessToken.objects.exists()


def test_it_binds_to_a_repository_one_may_reach(client: Client, bob: User, private: Repository) -> None:
    client.force_login(bob)
    assert client.post("/settings/tokens/create", FORM | {"repository": "alice/private"}).status_code == 200
    assert AccessToken.objects.get().repository == private


def test_it_hides_a_strangers_private_repository(client: Client, charlie: User, private: Repository) -> None:
    client.force_login(charlie)
    hidden = client.post("/settings/tokens/create", FORM | {"repository": "alice/private"})
    absent = client.post("/settings/tokens/create", FORM | {"repository": "alice/missing"})
    same = "You can reach no repository of that name"
    assert hidden.status_code == absent.status_code == 422
    assert same in hidden.content.decode()
    assert same in absent.content.decode()


def test_revoking_ends_it_at_once(signed_in: Client, alice: User) -> None:
    row, secret = tokens.create(alice, name="old")
    actor_from_authorization(f"Bearer {secret}")
    assert signed_in.post(f"/settings/tokens/{row.pk}/revoke").status_code == 302
    with pytest.raises(Unauthenticated):
        actor_from_authorization(f"Bearer {secret}")
    assert AuditEvent.objects.filter(action="token.revoke", owner_id=alice.owner_id).count() == 1


def test_nobody_revokes_anothers_token(client: Client, alice: User, charlie: User) -> None:
    row, _ = tokens.create(alice, name="hers")
    client.force_login(charlie)
    assert client.post(f"/settings/tokens/{row.pk}/revoke").status_code == 404
    row.refresh_from_db()
    assert row.revoked is None


def test_a_deactivated_users_tokens_die_at_once(alice: User) -> None:
    _, secret = tokens.create(alice, name="x")
    User.objects.filter(pk=alice.pk).update(is_active=False)
    with pytest.raises(Unauthenticated):
        actor_from_authorization(f"Bearer {secret}")


def test_it_needs_signing_in(client: Client, db: None) -> None:
    for response in (client.get("/settings/tokens"), client.post("/settings/tokens/create", FORM)):
        assert response.status_code == 302
        assert response["Location"].startswith("/account/login?next=")


def test_making_and_revoking_are_posts(signed_in: Client) -> None:
    assert signed_in.get("/settings/tokens/create").status_code == 405
    assert signed_in.get("/settings/tokens/1/revoke").status_code == 405


def test_the_list_costs_the_same_for_many(
    signed_in: Client, alice: User, public: Repository, django_assert_max_num_queries: Callable
) -> None:
    for number in range(20):
        tokens.create(alice, name=f"t{number}", repository_id=public.pk)
    with django_assert_max_num_queries(6):
        signed_in.get("/settings/tokens")


class TestMinting:
    """A token may make a token, but never a bigger one (GO-2026-6034)."""

    def actor(self, user: User, **options: object) -> Actor:
        return actor_from_authorization(f"Bearer {tokens.create(user, name='parent', **options)[1]}")  # type: ignore[arg-type]

    def test_it_makes_an_equal_one(self, alice: User) -> None:
        actor = self.actor(alice, scopes=["account:write", "repo:write"], days=10)
        row, _ = tokens.mint(actor, name="child", scopes=["repo:read", "repo:write"], days=10)
        assert row.user == alice

    def test_it_needs_account_write(self, alice: User) -> None:
        with pytest.raises(Denied):
            tokens.mint(
                self.actor(alice, scopes=["repo:write", "account:read"]), name="c", scopes=["repo:read"], days=1
            )

    def test_it_cannot_add_scopes(self, alice: User) -> None:
        actor = self.actor(alice, scopes=["account:write", "repo:read"])
        for scope in ("repo:write", "data:read", "experiments:write"):
            with pytest.raises(Denied):
                tokens.mint(actor, name="child", scopes=[scope], days=1)

    def test_it_cannot_outlive_its_parent(self, alice: User) -> None:
        with pytest.raises(Denied):
            tokens.mint(self.actor(alice, days=5), name="child", scopes=["repo:read"], days=6)

    def test_it_cannot_leave_its_repository(self, alice: User, public: Repository, private: Repository) -> None:
        actor = self.actor(alice, repository_id=public.pk)
        for other in (None, private.pk):
            with pytest.raises(Denied):
                tokens.mint(actor, name="child", scopes=["repo:read"], repository_id=other, days=1)
        assert tokens.mint(actor, name="child", scopes=["repo:read"], repository_id=public.pk, days=1)

    def test_it_refuses_unknown_scopes(self, alice: User) -> None:
        with pytest.raises(Unprocessable):
            tokens.mint(Actor(user=alice, session=True), name="c", scopes=["repo:admin"], days=1)

    def test_anonymous_makes_none(self, db: None) -> None:
        with pytest.raises(Denied):
            tokens.mint(Actor(), name="c", scopes=["repo:read"], days=1)


PAIR = {"pair-name": "rclone", "pair-days": "30", "pair-level": "read"}


def test_it_shows_a_pair_once_and_stores_no_secret(signed_in: Client, alice: User) -> None:
    response = signed_in.post("/settings/tokens/create-pair", PAIR)
    assert "no-store" in response["Cache-Control"]
    key_id = re.search(r"COVEYS3[A-Z2-7]{26}", response.content.decode())
    assert key_id
    secret = tokens.secret_of(key_id.group())
    assert html.escape(secret) in response.content.decode()
    row = AccessToken.objects.get(user=alice)
    assert (row.digest, row.scopes) == (tokens.digest(key_id.group()), ["data:read"])
    assert secret not in str(vars(row))
    later = signed_in.get("/settings/tokens").content.decode()
    assert key_id.group() not in later
    assert secret not in later
    assert AuditEvent.objects.get(action="token.create").subject == "rclone"
    with pytest.raises(Unauthenticated):
        actor_from_authorization(f"Bearer {key_id.group()}")


@pytest.mark.parametrize(
    "change",
    [
        {"pair-name": ""},
        {"pair-days": "0"},
        {"pair-level": ""},
        {"pair-level": "admin"},
        {"pair-repository": "alice/absent"},
        {"pair-repository": "no-slash"},
    ],
)
def test_it_refuses_bad_input_for_a_pair(signed_in: Client, change: dict[str, str]) -> None:
    assert signed_in.post("/settings/tokens/create-pair", PAIR | change).status_code == 422
    assert not AccessToken.objects.exists()


def test_a_pair_is_made_by_people_only_by_post(client: Client, signed_in: Client) -> None:
    assert signed_in.get("/settings/tokens/create-pair").status_code == 405
    assert Client().post("/settings/tokens/create-pair", PAIR).status_code == 302
    assert not AccessToken.objects.exists()


def test_a_pair_reaches_data_only_and_no_further_than_its_maker(alice: User) -> None:
    with pytest.raises(Unprocessable):
        tokens.create(alice, name="x", scopes=["repo:read"], pair=True)
    row, _ = tokens.create(alice, name="small", scopes=["account:write", "data:read"])
    actor = Actor(user=alice, token_id=row.pk, scopes=frozenset(row.scopes))
    with pytest.raises(Denied):
        tokens.mint(actor, name="bigger", scopes=["data:write"], pair=True)


def test_every_token_can_be_reached(signed_in: Client, alice: User) -> None:
    for number in range(PAGE_SIZE + 1):
        tokens.create(alice, name=f"number-{number:03}")
    first = signed_in.get("/settings/tokens").content.decode()
    assert f"number-{PAGE_SIZE:03}" in first
    assert "number-000" not in first
    assert 'href="?page=2"' in first
    assert "number-000" in signed_in.get("/settings/tokens?page=2").content.decode()
    made = signed_in.post("/settings/tokens/create", FORM).content.decode()
    assert 'rel="next"' not in made  # it would lead to the address that only makes tokens
