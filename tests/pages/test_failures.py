"""Whatever goes wrong, the answer is our page, or JSON for what reads JSON; never Django's or uvicorn's own text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import DatabaseError, OperationalError, connection
from django.http import HttpRequest
from django.middleware.csrf import _get_new_csrf_string
from django.test import Client, RequestFactory

from hub.accounts.models import User
from hub.lib import failures
from hub.lib.errors import says_disk_full
from repos.models import Repository
from tests.support.asgi import Answer, ask, basic

pytestmark = pytest.mark.django_db(transaction=True)
HTML = {"accept": "text/html"}


def is_our_page(answer: Answer, code: int) -> bool:
    shown = 'class="topbar"' in answer.text and f"Error {code}" in answer.text
    return answer.status == code and shown and "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/login/xyz",
        "/a/b/c/d/e",
        "/settings/nothing/here",
        "/account/x/y",
        "/explore/nothing",
        "/alice/public/nothing/",
    ],
)
def test_an_address_without_a_page_has_our_404(public: Repository, path: str) -> None:
    assert is_our_page(ask("GET", path, headers=HTML), 404)


@pytest.mark.parametrize(
    ("asked", "led_to"),
    [("/alice/public/?q=%C3%A9", "/alice/public?q=%C3%A9"), ("/alice/private/", "/alice/private"), ("/a/b//", "/a/b")],
)
def test_a_slash_at_the_end_leads_to_the_page_without(
    public: Repository, private: Repository, asked: str, led_to: str
) -> None:
    answer = ask("GET", asked, headers=HTML)
    assert (answer.status, answer.headers["Location"]) == (302, led_to)
    assert ask("POST", asked, headers=HTML).status == 404


@pytest.mark.parametrize("path", ["//example.org/", "//example.org/explore/", "/\\example.org/"])
def test_a_slash_at_the_end_leads_nowhere_else(db: None, path: str) -> None:
    assert not ask("GET", path, headers=HTML).headers.get("Location", "/").startswith(("//", "/\\"))


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v2/user", "/api/v1/nonsense", "/api/v1/repos/a/b/c/d"])
def test_an_address_without_an_api_has_an_error_in_json(public: Repository, path: str) -> None:
    answer = ask("GET", path, headers={"accept": "text/html,*/*;q=0.8"})
    assert answer.status == 404
    assert set(json.loads(answer.body)) == {"error", "details"}, answer.text


@pytest.mark.parametrize("path", ["/explore", "/alice", "/settings/log", "/settings/tokens"])
def test_a_wrong_method_has_our_405(alice: User, client: Client, path: str) -> None:
    client.force_login(alice)
    answer = client.delete(path)
    assert answer.status_code == 405
    assert "GET" in answer["Allow"]
    assert b"does not answer that method" in answer.content
    assert client.delete(path, headers={"accept": "application/json"}).json()["error"]


def test_a_form_without_its_token_has_our_403(db: None) -> None:
    form = {**HTML, "content-type": "application/x-www-form-urlencoded"}
    answer = ask("POST", "/account/login", headers=form, body=[b"login=a&password=b"])
    assert is_our_page(answer, 403)
    assert "reload the page" in answer.text
    fragment = ask("POST", "/account/login", headers={**form, "hx-request": "true"}, body=[b"login=a&password=b"])
    assert fragment.status == 403
    assert "topbar" not in fragment.text


def test_a_malformed_form_has_our_400_and_a_too_large_one_413(db: None) -> None:
    secret = _get_new_csrf_string()
    verified = {**HTML, "cookie": f"csrftoken={secret}", "x-csrftoken": secret}
    answer = ask("POST", "/account/login", headers={**verified, "content-type": "multipart/form-data"}, body=[b"x"])
    assert is_our_page(answer, 400)
    form = {**verified, "content-type": "application/x-www-form-urlencoded"}
    assert is_our_page(ask("POST", "/account/login", headers=form, body=[b"&".join([b"a=1"] * 1100)]), 413)


def failing(error: Exception, path: str = "/explore") -> HttpRequest:
    """A request whose handling ended in this error outside of a view, as Django hands it to handler500."""
    request = RequestFactory().get(path)
    request.id = "0123456789abcdef"  # type: ignore[attr-defined]
    return request


@pytest.mark.parametrize(
    ("error", "code"), [(RuntimeError("secret"), 500), (OperationalError("database or disk is full"), 507)]
)
def test_a_fault_has_our_page_and_tells_nothing(db: None, error: Exception, code: int) -> None:
    for path, sign in (("/explore", "0123456789abcdef"), ("/api/v1/user", '"error"')):
        request = failing(error, path)
        try:
            raise error
        except Exception:
            answer = failures.server_error(request)
        assert answer.status_code == code
        assert sign in answer.content.decode()
        assert "secret" not in answer.content.decode()


def test_a_fault_of_the_page_itself_is_told_in_plain_text(db: None) -> None:
    class Nobody:
        @property
        def is_authenticated(self) -> bool:
            raise DatabaseError("gone")

    request = failing(RuntimeError())
    request.user = Nobody()  # type: ignore[assignment]
    try:
        raise RuntimeError
    except RuntimeError:
        answer = failures.server_error(request)
    assert answer.status_code == 500
    assert answer["Content-Type"].startswith("text/plain")
    assert b"0123456789abcdef" in answer.content


# ---- no room -----------------------------------------------------------------------------------
@pytest.fixture
def no_room() -> Iterator[Callable[[str], None]]:
    """no_room(table): from now on the database itself fails every insert there, as it does on a full disk."""
    made: list[str] = []

    def make(table: str) -> None:
        made.append(table)
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                full = "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
                cursor.execute(f"CREATE TRIGGER no_room_{table} BEFORE INSERT ON {table} {full}")
                return
            body = "BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END"
            cursor.execute(f"CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
            cursor.execute(f"CREATE TRIGGER no_room BEFORE INSERT ON {table} EXECUTE FUNCTION no_room()")

    yield make
    with connection.cursor() as cursor:
        for table in made:
            if connection.vendor == "sqlite":
                cursor.execute(f"DROP TRIGGER no_room_{table}")
            else:
                cursor.execute("DROP FUNCTION no_room CASCADE")


def test_a_full_database_is_told_as_such_on_pages_and_in_the_api(
    client: Client, alice: User, token_of: Callable[..., str], no_room: Callable[[str], None]
) -> None:
    client.force_login(alice)
    body = b'{"name": "new"}'
    json_of = {"content-type": "application/json", "content-length": str(len(body))}
    headers = {**basic(token_of(alice)), **json_of}
    no_room("accounts_auditevent")
    page = client.post("/new", {"name": "new", "visibility": "private"})
    assert page.status_code == 507
    assert b"disk is full" in page.content
    assert b"make room" in page.content
    answer = ask("POST", "/api/v1/user/repos", headers=headers, body=[body])
    assert answer.status == 507
    assert "full" in json.loads(answer.body)["error"]
    assert not Repository.objects.exists()


def test_a_full_database_outside_of_views_is_told_as_such(
    client: Client, alice: User, no_room: Callable[[str], None]
) -> None:
    """The session is written by a middleware, after the view."""
    if connection.vendor == "sqlite":
        pytest.skip("Django takes what an SQLite trigger raises for a session key that is taken, and tries for ever")
    alice.set_password("correct horse battery")
    alice.save()
    no_room("django_session")
    client.raise_request_exception = False
    page = client.post("/account/login", {"login": "alice", "password": "correct horse battery"})
    assert page.status_code == 507
    assert b"disk is full" in page.content


def test_a_session_that_there_is_no_room_for_is_not_called_gone(db: None) -> None:
    """Django's words for a session that it updates: gone; the database's stand behind them."""
    with pytest.raises(SessionInterrupted) as raised:
        try:
            try:
                raise OperationalError("database or disk is full")
            except DatabaseError:
                raise UpdateError  # as Django does
        except UpdateError:
            raise SessionInterrupted("The session was deleted.")
    assert failures.bad_request(failing(raised.value), raised.value).status_code == 507
    gone = SessionInterrupted("The session was deleted.")
    assert failures.bad_request(failing(gone), gone).status_code == 400


def test_reading_with_a_token_goes_on_while_its_use_cannot_be_noted(
    alice: User, public: Repository, token_of: Callable[..., str]
) -> None:
    headers = basic(token_of(alice))
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            pytest.skip("an update trigger for PostgreSQL tells nothing more")
        full = "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        cursor.execute(f"CREATE TRIGGER no_room BEFORE UPDATE ON accounts_accesstoken {full}")
    try:
        assert ask("GET", "/api/v1/repos/alice/public", headers=headers).status == 200
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER no_room")


def test_what_stores_say_without_room_is_understood() -> None:
    for words in (
        "fatal: write error: No space left on device",
        "Server returned non-2xx status code: 507 Insufficient Storage: <Code>XMinioStorageFull</Code>",
        "An error occurred (QuotaExceeded) when calling the PutObject operation: Unknown",
        "error: unable to write file: Disk quota exceeded",
    ):
        error = RuntimeError("the store refused")
        error.__cause__ = RuntimeError(words)
        assert says_disk_full(error)
    assert not says_disk_full(RuntimeError("no such file"))
