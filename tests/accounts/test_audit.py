from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from itertools import pairwise
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client

from hub.accounts import append_only, audit
from hub.accounts.actor import Actor
from hub.accounts.models import AppendOnly, AuditEvent, User


@pytest.fixture
def events(alice: User, bob: User) -> list[AuditEvent]:
    return [
        audit.record(f"thing.{number}", Actor(user=user, address="203.0.113.5"), subject=f"no {number}",
                     owner_id=user.owner_id, before={"a": 1.5, "z": None}, after=["é", number])
        for number, user in enumerate([alice, bob, alice])
    ]  # fmt: skip


def test_the_chain_holds_after_a_round_trip(events: list[AuditEvent]) -> None:
    assert audit.first_broken() is None
    stored = list(AuditEvent.objects.order_by("pk"))
    assert stored[0].previous_hash == audit.GENESIS
    assert [event.previous_hash for event in stored[1:]] == [event.hash for event in stored[:-1]]


def test_django_refuses_to_change_or_remove_one(events: list[AuditEvent]) -> None:
    event = AuditEvent.objects.get(pk=events[0].pk)
    for change in (event.save, event.delete, AuditEvent.objects.all().delete):
        with pytest.raises(AppendOnly):
            change()
    with pytest.raises(AppendOnly):
        AuditEvent.objects.filter(pk=event.pk).update(action="x")


@pytest.mark.parametrize("statement", ["UPDATE accounts_auditevent SET action='x'", "DELETE FROM accounts_auditevent"])
def test_the_database_refuses_too(events: list[AuditEvent], statement: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert AuditEvent.objects.count() == 3


def tamper(statement: str, *values: object) -> None:
    append_only.remove(connection)
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
    append_only.install(connection)


@pytest.mark.parametrize("column", ["action", "subject", "actor_name", "address"])
def test_verify_names_the_event_that_was_changed(events: list[AuditEvent], column: str) -> None:
    tamper(f"UPDATE accounts_auditevent SET {column}='forged' WHERE id=%s", events[1].pk)
    with pytest.raises(CommandError, match=f"Event {events[1].pk} ") as failed:
        call_command("verify_audit")
    assert failed.value.returncode == 1


def test_verify_notices_a_removed_event(events: list[AuditEvent]) -> None:
    tamper("DELETE FROM accounts_auditevent WHERE id=%s", events[1].pk)
    with pytest.raises(CommandError, match=f"Event {events[2].pk} "):
        call_command("verify_audit")


def test_verify_notices_a_cut_off_end_by_a_hash_kept_elsewhere(events: list[AuditEvent]) -> None:
    out = StringIO()
    call_command("verify_audit", contains=events[2].hash, stdout=out)
    assert events[2].hash in out.getvalue()
    tamper("DELETE FROM accounts_auditevent WHERE id=%s", events[2].pk)
    with pytest.raises(CommandError, match="cut off"):
        call_command("verify_audit", contains=events[2].hash)


@pytest.mark.parametrize(
    "altered",
    [
        lambda lines: lines[1].update(subject="forged"),
        lambda lines: lines[1].update(subject="forged", hash=audit.digest_of({**lines[1], "subject": "forged"})),
        lambda lines: lines[1].update(id=lines[0]["id"]),
        lambda lines: lines[1].update(id=[]),
        lambda lines: lines[1].clear(),
        lambda lines: lines.__setitem__(1, "no event"),
    ],
    ids=["a field", "a field and its hash", "its number", "a senseless number", "empty", "not an event"],
)
def test_verify_names_the_line_of_an_export_that_was_altered(
    events: list[AuditEvent], tmp_path: Path, altered: Callable[[list[dict]], None]
) -> None:
    lines, file, out = [audit.as_json(event) for event in AuditEvent.objects.order_by("pk")], tmp_path / "x", StringIO()
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    call_command("verify_audit", export=file, stdout=out)
    assert "Every line" in out.getvalue()
    altered(lines)
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(CommandError, match="Line 2 "):
        call_command("verify_audit", export=file)


class TestLogPage:
    @pytest.fixture
    def signed_in(self, client: Client, alice: User, events: list[AuditEvent]) -> Client:
        client.force_login(alice)
        return client

    def test_it_shows_only_ones_own(self, signed_in: Client) -> None:
        page = signed_in.get("/settings/log").content.decode()
        assert "thing.0" in page
        assert "thing.1" not in page

    def test_it_filters(self, signed_in: Client) -> None:
        page = signed_in.get("/settings/log?action=thing.2").content.decode()
        assert "thing.2" in page
        assert "thing.0" not in page
        assert "thing." not in signed_in.get("/settings/log?until=2001-01-01").content.decode().split("<tbody>")[1]

    @pytest.mark.parametrize("query", ["since=yesterday", "before=x", "before=-1", "until=2026-13-01", "before=²"])
    def test_it_refuses_bad_filters(self, signed_in: Client, query: str) -> None:
        assert signed_in.get(f"/settings/log?{query}").status_code == 400

    @pytest.mark.parametrize("query", ["owner_id=2", "actor__password__startswith=a", "_connector=OR", "hash=x"])
    def test_it_ignores_unknown_parameters(self, signed_in: Client, query: str) -> None:
        page = signed_in.get(f"/settings/log?{query}").content.decode()
        assert "thing.0" in page
        assert "thing.1" not in page

    def test_it_pages(self, signed_in: Client, alice: User) -> None:
        for number in range(60):
            audit.record(f"many.{number}", Actor(user=alice), owner_id=alice.owner_id)
        first = signed_in.get("/settings/log?action=many.")
        assert "many.59<" in first.content.decode()
        assert "many.9<" not in first.content.decode()
        rest = signed_in.get(f"/settings/log?action=many.&before={first.context['older']}").content.decode()
        assert "many.9<" in rest
        assert "many.10<" not in rest

    def test_everybodys_is_for_administrators(self, signed_in: Client, bob: User) -> None:
        assert signed_in.get("/settings/log/everyone").status_code == 403
        assert signed_in.get("/settings/log/everyone/export").status_code == 403
        User.objects.filter(pk=bob.pk).update(is_superuser=True)
        signed_in.force_login(bob)
        page = signed_in.get("/settings/log/everyone").content.decode()
        assert all(f"thing.{number}" in page for number in range(3))

    def test_the_export_is_json_lines_that_verify_alone(self, signed_in: Client, bob: User) -> None:
        User.objects.filter(pk=bob.pk).update(is_superuser=True)
        signed_in.force_login(bob)
        response = signed_in.get("/settings/log/everyone/export")
        lines = [json.loads(line) for line in b"".join(response).splitlines()]
        assert [line["action"] for line in lines][:3] == ["thing.0", "thing.1", "thing.2"]
        for before, after in pairwise(lines):
            assert after["previous_hash"] == before["hash"]

    def test_the_own_export_holds_only_ones_own(self, signed_in: Client) -> None:
        lines = [json.loads(line) for line in b"".join(signed_in.get("/settings/log/export")).splitlines()]
        assert {line["actor_name"] for line in lines} == {"alice"}

    def test_it_needs_signing_in(self, client: Client, db: None) -> None:
        for path in ("", "/export", "/everyone", "/everyone/export"):
            assert client.get(f"/settings/log{path}").status_code == 302

    def test_wrong_methods(self, signed_in: Client) -> None:
        assert signed_in.post("/settings/log").status_code == 405
        assert signed_in.post("/settings/log/export").status_code == 405

    def test_it_costs_the_same_for_many(self, signed_in: Client, django_assert_max_num_queries: Callable) -> None:
        with django_assert_max_num_queries(5):
            signed_in.get("/settings/log")
