"""Private is indistinguishable from absent, on every route there is: a new route is walked without being named here.

Every Django pattern and every route of every raw surface is asked, with each method, about alice's private repository
and about one that does not exist, by a stranger and by nobody. The two answers must be the same.
"""

from __future__ import annotations

import functools
import gc
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.test.client import ClientHandler
from django.urls import get_resolver

from hub.accounts.models import User
from repos.models import Repository
from repos.surface import Surface
from tests.support.asgi import ask
from tests.support.samples import django_routes, of_expression

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
ABSENT = "missing"  # as long as "private", so that lengths compare
REFUSALS = {401, 404, 405}
VARYING = {"x-request-id", "date", "expires", "server-timing"}
_NAMES = re.compile(r"(alice(?:/|%2F|%252F|\.))(?:private|missing)")
_TOKENS = re.compile(r"""(csrfmiddlewaretoken" value="|X-CSRFToken": "|csrftoken=)\w+""")
_EXPIRES = re.compile(r"expires=[^;]+; ")

# Pages that anybody may open, signed in or not. Whatever is not of a repository and not here must ask who is calling.
OPEN = {
    "", "healthz", "explore", "<owner:owner>", "sign-in-link/<int:user_id>/<str:token>",
    "account/login", "account/logout", "account/signup", "account/inactive", "account/code", "account/email/sent",
    "account/password/forgotten", "account/password/sent", "account/password/done",
    r"^account/email/confirm/(?P<key>[-:\w]+)$",
    r"^account/password/new/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)$",
    "api/v1/users/search", "api/v1/users/<owner:username>", "api/v1/users/<owner:username>/repos",
    "api/v1/repos/search", "api/docs", "api/v1/openapi.json",
}  # fmt: skip


def routes(*, of_repository: bool) -> list[tuple[str, str]]:
    found = list(django_routes(get_resolver().url_patterns))
    assert len(found) > 40
    return [(route, path) for route, path in found if ("{name}" in path) is of_repository]


def surfaces() -> list[tuple[Surface, str]]:
    """Every surface there is, listed or not, with the address below which it answers."""
    import hub.asgi

    mounted = {id(surface): f"/alice/{{name}}{surface.suffix}" for surface in hub.asgi.SURFACES}
    mounted |= {id(surface): f"/alice/{{name}}/{surface.suffix}" for surface in hub.asgi.WORDS}
    mounted[id(hub.asgi.API)] = "/api/v1/repos/alice/{name}"
    mounted[id(hub.asgi.s3.of_owner)] = "/api/v1/repo-buckets/s3/alice/{name}"
    mounted[id(hub.asgi.s3.of_host)] = "/alice.{name}"  # only what is signed; tests/datasets/s3 asks it so
    gc.unfreeze()  # what MLflow's import froze, where another test loaded it, is not listed
    found = {id(o): o for o in gc.get_objects() if issubclass(type(o), Surface)}
    assert set(found) == set(mounted), "say here where the new surface is mounted"
    return [(found[key], address) for key, address in mounted.items()]


def surface_routes() -> Iterator[tuple[str, str]]:
    """(method, path with {name} open) of every raw route, and two addresses that no surface knows."""
    for surface, address in surfaces():
        for route in surface.routes:
            rest = of_expression(route.pattern)
            for method in sorted(route.methods):
                yield method, f"{address}/{rest}"
        yield "GET", f"{address}/no/such/route"
        yield "GET", address


def normalised(status: int, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], str]:
    """The answer without what differs between any two answers: the asked name, request ids and CSRF tokens."""
    kept = {name.lower(): value for name, value in headers.items()}
    kept = {name: _EXPIRES.sub("", value) for name, value in kept.items()}
    text = body.decode(errors="replace").replace(kept.get("x-request-id") or "\0", "ID")
    text = _TOKENS.sub(r"\1T", _NAMES.sub(r"\1NAME", text))
    clean = {name: _TOKENS.sub(r"\1T", _NAMES.sub(r"\1NAME", v)) for name, v in kept.items() if name not in VARYING}
    return status, clean, text


def refused(status: int, location: str, *, signed_in: bool) -> bool:
    """404, 401, 405; or the way to the sign-in page for those who are not signed in."""
    if status in REFUSALS:
        return True
    return not signed_in and status == 302 and location.startswith("/account/login?")


@pytest.fixture
def callers(charlie: User, token_of: Callable[..., str]) -> dict[str, dict[str, Any]]:
    token = token_of(charlie)
    return {
        "nobody": {},
        "stranger": signed_in(charlie),
        "token": {"headers": {"Authorization": f"Bearer {token}"}},
        "bad token": {"headers": {"Authorization": "Bearer covey_nonsense"}},
    }


def signed_in(user: User) -> dict[str, Any]:
    """A caller with one session for all it asks."""
    client = Client()
    client.force_login(user)
    return {"headers": {"Cookie": f"{settings.SESSION_COOKIE_NAME}={client.session.session_key}"}}


@functools.cache
def handler() -> ClientHandler:
    """The middleware, loaded once for the whole walk; what a client remembers is still each client's own."""
    return ClientHandler(enforce_csrf_checks=False)


def ask_django(caller: dict[str, Any], method: str, path: str) -> Any:
    cache.clear()  # the walk asks more often than the throttle of the API allows
    client = Client(raise_request_exception=False, headers=caller.get("headers", {}))
    client.handler = handler()
    body = {} if method in {"GET", "HEAD"} else {"data": "{}", "content_type": "application/json"}
    answer = getattr(client, method.lower())(path, **body)
    content = b"".join(answer) if answer.streaming else answer.content
    cookies = {f"set-cookie {name}": cookie.OutputString() for name, cookie in answer.cookies.items()}
    return normalised(answer.status_code, {**answer.headers, **cookies}, content)


@pytest.mark.parametrize("name", ["nobody", "stranger", "token", "bad token"])
def test_django_routes_hide_a_private_repository(
    name: str, private: Repository, callers: dict[str, dict[str, Any]]
) -> None:
    wrong = []
    for route, path in routes(of_repository=True):
        for method in METHODS:
            hidden, absent = (
                ask_django(callers[name], method, path.format(owner="alice", name=n)) for n in ("private", ABSENT)
            )
            if hidden != absent:
                wrong.append(f"{method} {route}: {differences(hidden, absent)}")
            if not refused(hidden[0], hidden[1].get("location", ""), signed_in=name == "stranger"):
                wrong.append(f"{method} {route}: answered {hidden[0]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["nobody", "stranger", "token", "bad token"])
def test_raw_routes_hide_a_private_repository(
    name: str, transactional_db: None, private: Repository, callers: dict[str, dict[str, Any]]
) -> None:
    caller, wrong, count = callers[name], [], 0
    headers = caller.get("headers", {})
    for method, path in surface_routes():
        count += 1
        cache.clear()
        answers = [ask(method, path.format(name=n), headers=headers) for n in ("private", ABSENT)]
        hidden, absent = (normalised(a.status, a.headers, a.body) for a in answers)
        if hidden != absent:
            wrong.append(f"{method} {path}: {differences(hidden, absent)}")
        # A session without its CSRF token is told 403 before anybody asks for which repository.
        fine = {308} | ({403} if name == "stranger" and method != "GET" else set())
        # S3 has no challenge: what is not signed is told AccessDenied, in a form that S3 does not know InvalidRequest.
        fine |= {400, 403} if hidden[1].get("content-type") == "application/xml" else set()
        if hidden[0] not in fine and not refused(
            hidden[0], hidden[1].get("location", ""), signed_in=name == "stranger"
        ):
            wrong.append(f"{method} {path}: answered {hidden[0]}")
    assert count > 50
    assert not wrong, "\n".join(wrong)


def test_what_belongs_to_no_repository_asks_who_is_calling_or_is_listed_as_open(db: None, alice: User) -> None:
    wrong = []
    for route, path in routes(of_repository=False):
        if route in OPEN:
            continue
        status, headers, _ = ask_django({}, "GET", path.format(owner="alice", name="x"))
        if not refused(status, headers.get("location", ""), signed_in=False):
            wrong.append(f"{route} answers {status} to anybody: guard it, or list it in OPEN")
    assert not wrong, "\n".join(wrong)


def test_the_walk_would_notice_a_route_without_the_gate(private: Repository, alice: User) -> None:
    """The owner does get answers on the same paths: the samples are real addresses, not 404s of their own."""
    owner = signed_in(alice)
    answered = [
        route
        for route, path in routes(of_repository=True)
        if ask_django(owner, "GET", path.format(owner="alice", name="private"))[0] in {200, 204, 302}
    ]
    assert len(answered) >= 8, answered


def differences(one: Any, other: Any) -> str:
    status = f"{one[0]} / {other[0]}" if one[0] != other[0] else ""
    headers = {k: (one[1].get(k), other[1].get(k)) for k in {*one[1], *other[1]} if one[1].get(k) != other[1].get(k)}
    body = "" if one[2] == other[2] else f"bodies {one[2][:300]!r} / {other[2][:300]!r}"
    return " ".join(filter(None, [status, str(headers) if headers else "", body]))
