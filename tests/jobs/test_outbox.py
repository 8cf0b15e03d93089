"""The outbox: announced with the change, delivered at least once, never lost, never invented."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from hub.jobs import outbox, tasks
from hub.jobs.models import Outbox
from hub.lib.objectstore import ObjectStoreError


@pytest.fixture
def seen() -> Iterator[list[dict[str, Any]]]:
    """Payloads that a receiver of the topic "test" got; it fails while the list holds the word "fail" last."""
    got: list[Any] = []

    @outbox.receiver("test")
    def receive(payload: dict[str, Any]) -> None:
        if got and got[-1] == "fail":
            raise RuntimeError("the receiver is broken")
        got.append(payload)

    yield got
    outbox._receivers["test"].remove(receive)


@pytest.mark.django_db(transaction=True)
def test_it_is_not_announced_when_the_change_is_rolled_back():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        outbox.announce("test", {"id": 1})
        1 / 0
    assert not Outbox.objects.exists()


@pytest.mark.django_db
def test_it_is_delivered_once_when_asked_twice(seen):
    row = Outbox.objects.create(topic="test", payload={"id": 2})
    tasks.deliver_outbox(row.pk)
    tasks.deliver_outbox(row.pk)
    assert seen == [{"id": 2}]
    row.refresh_from_db()
    assert row.delivered is not None


@pytest.mark.django_db
def test_the_relay_delivers_what_no_task_did_oldest_first(seen):
    for number in range(3):
        Outbox.objects.create(topic="test", payload={"id": number})
    tasks.relay_outbox()
    assert [payload["id"] for payload in seen] == [0, 1, 2]
    assert outbox.pending() == []


@pytest.mark.django_db
def test_a_failure_is_kept_and_tried_again_later(seen):
    seen.append("fail")
    row = Outbox.objects.create(topic="test", payload={"id": 3})
    outbox.deliver(row.pk)
    row.refresh_from_db()
    assert (row.delivered, row.attempts) == (None, 1)
    assert "the receiver is broken" in row.last_error
    assert outbox.pending() == []
    seen.clear()
    Outbox.objects.update(next_attempt=timezone.now())
    tasks.relay_outbox()
    assert seen == [{"id": 3}]


@pytest.mark.django_db
def test_an_outage_is_followed_within_a_minute():
    @outbox.receiver("away")
    def receive(payload: dict[str, Any]) -> None:
        raise ObjectStoreError("nobody answers")

    row = Outbox.objects.create(topic="away", payload={})
    for _ in range(6):
        outbox.deliver(row.pk)
    del outbox._receivers["away"]
    row.refresh_from_db()
    assert row.attempts == 6
    assert row.next_attempt <= timezone.now() + timedelta(seconds=60)


@pytest.mark.django_db
def test_an_event_written_before_the_clock_was_set_back_is_delivered(seen):
    row = Outbox.objects.create(topic="test", payload={"id": 4})
    Outbox.objects.update(next_attempt=timezone.now() + timedelta(hours=2))
    assert outbox.pending() == [row.pk]


@pytest.mark.django_db
def test_it_forgets_what_was_delivered_long_ago():
    old = Outbox.objects.create(topic="test", payload={}, delivered=timezone.now() - timedelta(days=8))
    kept = Outbox.objects.create(topic="test", payload={}, delivered=timezone.now())
    tasks.relay_outbox()
    assert set(Outbox.objects.values_list("pk", flat=True)) == {kept.pk} != {old.pk}
