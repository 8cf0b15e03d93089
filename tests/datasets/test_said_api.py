"""Threads about rows through the API: begun, found by issue and by place, hidden from those who may not read."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from repos.issues import opening
from repos.issues.models import Thread
from tests.repos.issues.conftest import as_actor, seen

pytestmark = pytest.mark.django_db
BASE = "/api/v1/repos/alice/private/issues"


@pytest.fixture
def commit(private, writer, bob, nothing_kept):
    made = writer(private)
    rev = made.commit({"a b.csv": "id,ünit\n1,°C\n2,K\n"})
    private.refresh_from_db()
    opening.open_issue(as_actor(bob), seen(bob, private), title="Look")
    return rev


@pytest.fixture
def caller(token_of):
    def make(user, **options: Any) -> Client:
        return Client(headers={"Authorization": f"Bearer {token_of(user, **options)}"})

    return make


def post(client: Client, where: str, **fields: Any) -> Any:
    return client.post(where, fields, content_type="application/json")


def test_it_begins_a_thread_and_finds_it(caller, bob, commit):
    client = caller(bob)
    given = {"kind": "row", "path": "a b.csv", "rev": commit, "detail": {"key": {"id": "2"}}, "body": "Kelvin?"}
    made = post(client, f"{BASE}/1/threads", **given)
    assert made.status_code == 201, made.content
    found = made.json()
    assert found["detail"]["cells"] == {"id": "2", "ünit": "K"}
    assert (found["title"], found["outdated"], found["comment"]["body"]) == ("a b.csv, id = 2", False, "Kelvin?")
    assert client.get(f"{BASE}/1/threads").json() == [found]
    assert client.get(f"{BASE}/threads", {"kind": "row", "path": "a b.csv"}).json() == [found]
    assert client.get(f"{BASE}/threads/{found['id']}").json() == found


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"kind": "moon"}, 400), ({"path": ""}, 400), ({"path": "no.csv"}, 404), ({"rev": "main"}, 404),
        ({"body": ""}, 400),
        ({"detail": {"row": 9}}, 404), ({"detail": []}, 400), ({"detail": {"row": "x"}}, 422), ({"path": "a\0"}, 400),
    ],
)  # fmt: skip
def test_bad_places_are_refused(changed, status, caller, bob, commit):
    given = {"kind": "row", "path": "a b.csv", "rev": commit, "detail": {"row": 1}, "body": "x", **changed}
    answer = post(caller(bob), f"{BASE}/1/threads", **given)
    assert answer.status_code == status, answer.content
    assert set(answer.json()) == {"error", "details"}
    assert not Thread.objects.exists()


def test_who_may(caller, alice, bob, charlie, commit):
    given = {"kind": "row", "path": "a b.csv", "rev": commit, "detail": {"row": 1}, "body": "x"}
    assert post(caller(charlie), f"{BASE}/1/threads", **given).status_code == 404
    assert post(Client(), f"{BASE}/1/threads", **given).status_code == 401
    assert post(caller(bob, scopes=["issues:read", "data:read"]), f"{BASE}/1/threads", **given).status_code == 403
    assert post(caller(bob, scopes=["issues:write"]), f"{BASE}/1/threads", **given).status_code == 403
    made = post(caller(bob), f"{BASE}/1/threads", **given).json()
    assert caller(charlie).get(f"{BASE}/threads/{made['id']}").status_code == 404
    assert caller(bob).put(f"{BASE}/threads/{made['id']}").status_code == 405
    assert caller(bob).get(f"{BASE}/threads", {"kind": "row"}).status_code == 400
    narrow = caller(bob, scopes=["issues:read"]).get(f"{BASE}/threads/{made['id']}").json()
    assert narrow["path"] is narrow["detail"] is narrow["title"] is None


def test_a_retry_makes_no_second_thread(caller, bob, commit):
    client = caller(bob)
    given = {"kind": "row", "path": "a b.csv", "rev": commit, "detail": {"row": 1}, "body": "x"}
    same = {"headers": {"Idempotency-Key": "one-and-the-same"}}
    first, second = (client.post(f"{BASE}/1/threads", given, content_type="application/json", **same) for _ in range(2))
    assert first.json() == second.json()
    assert Thread.objects.count() == 1


def test_a_page_of_threads_asks_a_bounded_number_of_questions(caller, bob, commit, django_assert_max_num_queries):
    client = caller(bob)
    for n in (1, 2, 1, 2, 1):
        post(client, f"{BASE}/1/threads", kind="row", path="a b.csv", rev=commit, detail={"row": n}, body="x")
    with django_assert_max_num_queries(12):
        assert len(client.get(f"{BASE}/1/threads").json()) == 5
