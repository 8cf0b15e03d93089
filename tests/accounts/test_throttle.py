"""Wrong tokens are slowed down; right ones, and known dead ones, never are."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from hub.accounts import throttle, tokens
from hub.accounts.authentication import actor_from_authorization
from hub.accounts.models import AccessToken, User
from hub.lib.errors import Throttled, Unauthenticated

HERE = "203.0.113.9"


@pytest.fixture(autouse=True)
def one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands still, so that no test crosses into the next three minutes."""
    monkeypatch.setattr(throttle, "time", SimpleNamespace(time=lambda: 1_800_000_060.0))


def guess(number: int, address: str = HERE) -> None:
    actor_from_authorization(f"Bearer covey_guess{number}", address=address)


def wear_out(address: str = HERE) -> None:
    for number in range(30):
        with pytest.raises(Unauthenticated):
            guess(number, address)
    with pytest.raises(Throttled):
        guess(30, address)


def test_the_thirty_first_wrong_token_is_told_to_wait(db: None) -> None:
    wear_out()
    with pytest.raises(Throttled) as refused:
        guess(31)
    assert 0 < int(refused.value.headers["Retry-After"]) <= 180


def test_a_good_token_is_accepted_at_any_time_and_clears_the_count(alice: User) -> None:
    _, secret = tokens.create(alice, name="good")
    wear_out()
    assert actor_from_authorization(f"Bearer {secret}", address=HERE).user == alice
    with pytest.raises(Unauthenticated):
        guess(99)


def test_another_address_is_not_affected(db: None) -> None:
    wear_out()
    with pytest.raises(Unauthenticated):
        guess(1, "203.0.113.10")


@pytest.mark.parametrize("ending", ["expired", "revoked", "deactivated"])
def test_a_dead_token_sent_by_a_hundred_jobs_never_throttles(alice: User, ending: str) -> None:
    """GitLab.com had to raise its limit when tokens expired en masse."""
    row, secret = tokens.create(alice, name="old")
    if ending == "expired":
        AccessToken.objects.filter(pk=row.pk).update(expires=timezone.now() - timedelta(days=1))
    elif ending == "revoked":
        AccessToken.objects.filter(pk=row.pk).update(revoked=timezone.now())
    else:
        User.objects.filter(pk=alice.pk).update(is_active=False)
    for _ in range(100):
        with pytest.raises(Unauthenticated):
            actor_from_authorization(f"Bearer {secret}", address=HERE)


def test_one_mistyped_token_sent_by_a_hundred_jobs_never_throttles(db: None) -> None:
    for _ in range(100):
        with pytest.raises(Unauthenticated):
            guess(1)


def test_a_broken_cache_costs_the_throttle_and_nothing_else(
    alice: User, settings: object, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CACHES = {  # type: ignore[attr-defined]
        "default": {"BACKEND": "hub.lib.cache.ForgivingRedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    monkeypatch.setattr("hub.lib.cache._said", float("-inf"))  # an earlier test may have had it said this minute
    _, secret = tokens.create(alice, name="good")
    assert actor_from_authorization(f"Bearer {secret}", address=HERE).user == alice
    with pytest.raises(Unauthenticated):
        guess(1)
    assert "sign-ins are not throttled" in caplog.text


def test_the_api_answers_429_with_retry_after(client: Client, db: None) -> None:
    for number in range(31):
        answer = client.get("/api/v1/user", headers={"Authorization": f"Bearer covey_{number}"}, REMOTE_ADDR=HERE)
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 180
    assert answer.json()["error"]


def test_an_ipv6_host_cannot_hop_within_its_network(db: None) -> None:
    for number in range(30):
        with pytest.raises(Unauthenticated):
            guess(number, f"2001:db8::{number:x}")
    with pytest.raises(Throttled):
        guess(30, "2001:db8::ffff")
    assert throttle.network_of("2001:db8::1") == "2001:db8::/64"
    assert throttle.network_of("::ffff:203.0.113.9") == "203.0.113.0/24"
    cache.clear()
