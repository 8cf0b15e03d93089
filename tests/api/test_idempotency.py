"""A POST that is sent again makes nothing twice."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from hub.jobs import tasks
from hub.jobs.models import Answer
from repos.issues.models import Entry, Issue
from repos.models import Membership

pytestmark = pytest.mark.django_db
V1 = "/api/v1/repos/alice/private"
KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


def test_the_same_request_gets_the_same_answer(bob, private, api):
    client = api(bob)
    first = client.post(f"{V1}/issues", {"title": "x", "body": "y"}, format="json", headers=KEY)
    again = client.post(f"{V1}/issues", {"body": "y", "title": "x"}, format="json", headers=KEY)
    assert (first.status_code, again.status_code, Issue.objects.count()) == (201, 201, 1)
    assert (again.json(), again["Idempotency-Replayed"]) == (first.json(), "true")
    assert "Idempotency-Replayed" not in first


def test_the_key_of_another_request_is_refused(bob, private, api):
    client = api(bob)
    client.post(f"{V1}/issues", {"title": "x"}, format="json", headers=KEY)
    for path, body in (("/issues", {"title": "y"}), ("/issues/1/comments", {"body": "x"})):
        answer = client.post(V1 + path, body, format="json", headers=KEY)
        assert answer.status_code == 422
        assert "another request" in answer.json()["error"]
    asked = client.post(f"{V1}/issues?for=another", {"title": "x"}, format="json", headers=KEY)
    assert asked.status_code == 422
    assert (Issue.objects.count(), Entry.objects.count()) == (1, 0)


def test_a_key_is_its_persons(alice, bob, private, api):
    numbers = [
        api(user).post(f"{V1}/issues", {"title": "x"}, format="json", headers=KEY).json()["number"]
        for user in (alice, bob)
    ]
    assert numbers == [1, 2]


def test_what_was_refused_may_be_tried_again(bob, private, api):
    client = api(bob)
    missing = {"title": "x", "milestone": 1}
    assert client.post(f"{V1}/issues", missing, format="json", headers=KEY).status_code == 404
    client.post(f"{V1}/milestones", {"title": "Soon"}, format="json")
    assert client.post(f"{V1}/issues", missing, format="json", headers=KEY).status_code == 201


def test_an_answer_is_for_those_who_may_still_read_it(bob, private, api):
    client = api(bob)
    client.post(f"{V1}/issues", {"title": "x"}, format="json", headers=KEY)
    Membership.objects.filter(user=bob).delete()
    assert client.post(f"{V1}/issues", {"title": "x"}, format="json", headers=KEY).status_code == 404


def test_after_a_day_a_key_is_new(bob, private, api):
    client = api(bob)
    client.post(f"{V1}/issues", {"title": "x"}, format="json", headers=KEY)
    Answer.objects.update(created=timezone.now() - timedelta(days=1, minutes=1))
    assert client.post(f"{V1}/issues", {"title": "y"}, format="json", headers=KEY).json()["number"] == 2
    Answer.objects.update(created=timezone.now() - timedelta(days=1, minutes=1))
    tasks.forget_answers()
    assert not Answer.objects.exists()


@pytest.mark.parametrize("key", ["x" * 256, "a\tb", "é"])
def test_a_key_that_is_none_is_refused(bob, private, api, key):
    answer = api(bob).post(f"{V1}/issues", {"title": "x"}, format="json", headers={"Idempotency-Key": key})
    assert answer.status_code == 400
    assert not Issue.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_at_the_same_moment_one_is_made(bob, private, api):
    clients, ready, answers = [api(bob) for _ in range(4)], threading.Barrier(4), []

    def send(client):
        try:
            ready.wait(10)
            answers.append(client.post(f"{V1}/issues", {"title": "x"}, format="json", headers=KEY))
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [(answer.status_code, answer.json()["number"]) for answer in answers] == [(201, 1)] * 4
    assert Issue.objects.count() == 1
