"""Settings → People: for administrators alone; what it takes away is gone at once, and somebody always administers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from hub.accounts import people
from hub.accounts.actor import Actor
from hub.accounts.models import AuditEvent, User
from hub.lib.errors import Conflict, Denied
from repos.models import Repository
from repos.storage import store
from tests.support.asgi import ask, basic

VERBS = ["deactivate", "reactivate", "make-administrator", "revoke-administrator"]


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root1", "root1@example.org", "correct horse battery")


@pytest.fixture
def browser(client: Client, root: User) -> Client:
    client.force_login(root)
    return client


def act(browser: Client, person: User, verb: str, confirm: str | None = None) -> Any:
    typed = person.username if confirm is None else confirm
    return browser.post(f"/settings/people/{person.pk}/{verb}", {"confirm": typed})


# ---- the four questions ------------------------------------------------------------------------
def test_it_lists_and_finds_people(browser: Client, alice: User, bob: User) -> None:
    bob.full_name, bob.is_active = "Robert Tables", False
    bob.save()
    page = browser.get("/settings/people")
    assert [row.username for row in page.context["page"].rows] == ["alice", "bob", "root1"]
    assert b"deactivated" in page.content
    for q, names in [("tables rob", ["bob"]), ("example.org", ["alice", "bob", "root1"]), ("nobody", [])]:
        assert [row.username for row in browser.get("/settings/people", {"q": q}).context["page"].rows] == names
    person = browser.get(f"/settings/people/{bob.pk}")
    assert b"Reactivate" in person.content
    assert b"Robert Tables" in person.content


def test_a_wrong_method_is_405(browser: Client, alice: User) -> None:
    assert browser.post("/settings/people").status_code == 405
    for verb in VERBS:
        assert browser.get(f"/settings/people/{alice.pk}/{verb}").status_code == 405


def test_strangers_are_sent_to_sign_in(client: Client, alice: User) -> None:
    for path in ("/settings/people", f"/settings/people/{alice.pk}"):
        assert client.get(path)["Location"].startswith("/account/login")
    for verb in VERBS:
        assert act(client, alice, verb)["Location"].startswith("/account/login")
    assert User.objects.get(pk=alice.pk).is_active


def test_others_are_refused_whether_or_not_the_person_exists(client: Client, root: User, alice: User) -> None:
    client.force_login(alice)
    for path in ("/settings/people", f"/settings/people/{root.pk}", "/settings/people/99999"):
        assert client.get(path).status_code == 403
    for verb in VERBS:
        assert act(client, root, verb).status_code == 403
    assert b"/settings/people" not in client.get("/settings/profile").content
    assert not AuditEvent.objects.filter(action__startswith="user.de").exists()


def test_a_token_administers_nothing(root: User) -> None:
    with pytest.raises(Denied):
        people.require_administrator(Actor(user=root, token_id=1))


# ---- what it does ------------------------------------------------------------------------------
def test_each_act_is_done_and_recorded(browser: Client, root: User, alice: User) -> None:
    for verb, field, value in [
        ("make-administrator", "is_superuser", True),
        ("revoke-administrator", "is_superuser", False),
        ("deactivate", "is_active", False),
        ("reactivate", "is_active", True),
    ]:
        assert act(browser, alice, verb).status_code == 302
        alice.refresh_from_db()
        assert getattr(alice, field) is value
        event = AuditEvent.objects.get(action=f"user.{verb.replace('-', '_')}")
        assert (event.actor_id, event.owner_id, event.subject) == (root.pk, alice.owner_id, "alice")
        assert event.after == {field: value}
        act(browser, alice, verb)  # a second time changes and records nothing
        assert AuditEvent.objects.filter(action=event.action).count() == 1
    assert b"/settings/people" in browser.get("/").content


def test_the_name_must_be_typed(browser: Client, alice: User) -> None:
    for verb in VERBS:
        answer = act(browser, alice, verb, confirm="bob")
        assert answer.status_code == 422
        assert b"Type alice to confirm" in answer.content
    alice.refresh_from_db()
    assert alice.is_active
    assert not alice.is_superuser


def test_the_last_administrator_stays(browser: Client, root: User, alice: User) -> None:
    for verb in ("deactivate", "revoke-administrator"):
        answer = act(browser, root, verb)
        assert answer.status_code == 409
        assert b"last administrator" in answer.content
    act(browser, alice, "make-administrator")
    assert act(browser, root, "revoke-administrator")["Location"] == "/"
    assert browser.get("/settings/people").status_code == 403


def test_somebody_deactivated_is_made_no_administrator(browser: Client, root: User, alice: User) -> None:
    act(browser, alice, "deactivate")
    assert act(browser, alice, "make-administrator").status_code == 409


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_remove_each_other_at_once(alice: User, bob: User) -> None:
    User.objects.update(is_superuser=True)
    ready = threading.Barrier(2)

    def remove(by: User, whom: User) -> bool:
        try:
            ready.wait(20)
            people.revoke_administrator(Actor(user=by, session=True), whom.pk)
        except Conflict:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(remove, [alice, bob], [bob, alice]))
    assert sorted(done) == [False, True]
    assert User.objects.filter(is_superuser=True).count() == 1


def test_pages_and_hostile_searches(browser: Client, root: User) -> None:
    assert browser.get("/settings/people", {"page": "2"}).status_code == 200
    for page in ("0", "x", "99999999999", "-1", "٣"):
        assert browser.get("/settings/people", {"page": page}).status_code == 400
    assert browser.get("/settings/people", {"q": "a\0b"}).status_code == 400
    assert browser.get("/settings/people/99999999999999999999").status_code in {404, 500} - {500}


# ---- gone at once, everywhere ------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_a_deactivated_person_is_nobody_on_every_surface(
    root: User, alice: User, private: Repository, token_of: Callable[..., str], settings: Any, tmp_path: Any
) -> None:
    settings.GIT_ROOT = tmp_path / "git"
    store().create(private.pk)
    headers = basic(token_of(alice))
    own = Client()
    own.force_login(alice)
    session = {"cookie": f"sessionid={Session.objects.get().session_key}"}
    machines = [
        "/api/v1/user",
        "/api/v1/repos/alice/private",
        "/alice/private.git/info/refs?service=git-upload-pack",
        "/alice/private.git/info/refs?service=git-receive-pack",
        "/alice/private.dvc/files/md5/00/" + "0" * 30,
        "/alice/private.mlflow/api/2.0/mlflow/experiments/search?max_results=1",
        "/alice/private/raw/main/x",
    ]
    pages = ["/settings/profile", "/alice/private", "/alice/private/settings", "/alice/private.mlflow/version"]
    browser_headers = {**session, "accept": "text/html"}
    before = {path: ask("GET", path, headers=headers).status for path in machines}
    assert 401 not in before.values()
    assert {ask("GET", path, headers=browser_headers).status for path in pages} == {200}

    people.deactivate(Actor(user=root, session=True), alice.pk)
    for path in machines:
        assert ask("GET", path, headers=headers).status == 401, path
    for path in pages:
        assert ask("GET", path, headers=browser_headers).status in {302, 401, 404}, path
    assert own.post("/account/login", {"login": "alice", "password": "correct horse battery"}).status_code == 302
    assert own.get("/settings/profile").status_code == 302  # to sign in: that was the page of inactive accounts

    people.reactivate(Actor(user=root, session=True), alice.pk)
    assert {path: ask("GET", path, headers=headers).status for path in machines} == before
