"""A fork that still waits for its branches says so at every address that names one, and at every list of them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import get_resolver

from hub.jobs.models import Job
from repos import browsing
from repos.filling import key_of
from repos.forks import copying, making
from tests.api.test_upload import form
from tests.repos.forks.conftest import settle
from tests.repos.issues.conftest import as_actor, seen
from tests.support import asgi
from tests.support.samples import django_routes
from tests.support.writer import Writer

pytestmark = pytest.mark.django_db(transaction=True)
API = "/api/v1/repos/bob/public"
# Of these the rest of the address is no revision.
OTHERS = ("labels/", "/pull/", "/pulls/", "/storage/content/", "/diff-file/", "/src/")
LISTS = ("", "/branches", "/tags", "/commits")
TWO = ("/compare/", "/diff/", "/drift/", "/plots/")


def addresses() -> Iterator[str]:
    """Of every Django route that takes a revision or two; and of what is of the default branch or of all of them."""
    for _, sample in django_routes(get_resolver().url_patterns):
        path = sample.format(owner="bob", name="public") if "{name}" in sample else ""
        if path.endswith("main/a.txt") and not any(other in path for other in OTHERS):
            yield from _named(path.removesuffix("/a.txt"))
    yield from (f"/bob/public{page}" for page in ("/tree", "/compare", "/data", "/pipelines", *LISTS[1:]))
    yield from (f"{API}{page}" for page in ("/pipelines", *LISTS[1:]))
    yield from ("/bob/public/raw/main/a.txt", f"{API}/raw/main/a.txt", "/alice/public/compare/main...bob:main")


def _named(path: str) -> Iterator[str]:
    if "/archive/" in path:
        yield from (f"{path}.zip", f"{path}.tar.gz")
    elif "/lineage/" in path:
        yield path.replace("/x/", "/commit/")
        yield from (path.replace("/x/", f"/{kind}/") + "/a.txt" for kind in ("file", "dataset"))
    elif any(word in path for word in TWO):
        yield from (f"{path}...main", f"{path}..main" if "/compare/" in path else f"{path}...main/a.txt")
    else:
        yield from (path, f"{path}/a.txt", f"{path}?format=json")


@pytest.fixture
def ask(bob, token_of):
    """ask(method, path, body) of bob: pages by a session, the API by a token; what is not Django's by nobody."""
    pages, token = Client(raise_request_exception=False), {"HTTP_AUTHORIZATION": f"Bearer {token_of(bob)}"}
    pages.force_login(bob)

    def asked(method: str, path: str, body: object = None) -> tuple[int, bytes]:
        if "/raw/" in path:
            answer = asgi.ask(method, path)
            return answer.status, answer.body
        sent = {"data": json.dumps(body), "content_type": "application/json"} if body else {}
        found = pages.generic(method, path, **sent, **(token if path.startswith("/api") else {}))
        return found.status_code, b"".join(found) if found.streaming else found.content

    return asked


def is_told(answer: tuple[int, bytes]) -> bool:
    return answer[0] == 503 and b"bob/public is being copied." in answer[1]


def test_no_address_of_a_revision_passes_for_an_empty_repository(bob, public, project, ask):
    making.fork(as_actor(bob), seen(bob, public), making.Wish())
    asked = list(addresses())
    assert len(asked) > 80
    wrong = [f"{address}: {answer[0]}" for address in asked if not is_told(answer := ask("GET", address))]
    assert not wrong, "\n".join(wrong)
    told = json.loads(ask("GET", f"{API}/branches")[1])
    assert told == {"error": "bob/public is being copied.", "details": "Try again in a moment."}
    settle()
    still = [address for address in asked if ask("GET", address)[0] >= 500]
    assert not still, "\n".join(still)
    for address in (*(f"{API}{one}" for one in LISTS), "/bob/public/compare/main...main", "/bob/public/data"):
        assert ask("GET", address)[0] == 200, address
    assert ask("GET", "/bob/public/commits/absent")[0] == 404


def test_nothing_is_begun_in_it(bob, public, project, ask, token_of):
    made, _ = making.fork(as_actor(bob), seen(bob, public), making.Wish())
    assert is_told(ask("POST", "/bob/public/new/main", {"path": "b.txt", "text": "b", "branch": "main"}))
    assert is_told(ask("POST", f"{API}/branches", {"name": "b"}))
    assert is_told(ask("POST", f"{API}/pulls", {"title": "b", "base": "main", "head": "main"}))
    assert is_told(ask("POST", f"{API}/merge-upstream", {"branch": "main"}))
    assert is_told(ask("POST", f"{API}/statuses/{project.tips['main']}", {"state": "success"}))
    headers = {"content-type": "multipart/form-data; boundary=b0undary", **asgi.basic(token_of(bob))}
    sent = asgi.ask("PUT", f"{API}/content/main", headers=headers, body=[form({"b.txt": b"b"}, {})])
    assert is_told((sent.status, sent.body))
    settle()
    assert [ref.commit for ref in browsing.branches(seen(bob, made))] == [project.tips["main"]]


def test_its_own_pages_are_there_meanwhile(bob, public, project, ask):
    making.fork(as_actor(bob), seen(bob, public), making.Wish())
    status, page = ask("GET", "/bob/public")
    assert (status, b"fork/progress" in page) == (200, True)
    for page in (
        "/settings",
        "/settings/branches",
        "/settings/storage",
        "/issues",
        "/pulls",
        "/experiments",
        "/models",
    ):
        assert ask("GET", f"/bob/public{page}")[0] == 200, page


def test_what_was_kept_when_a_copy_failed_is_not_shown_while_it_is_tried_again(bob, public, project: Writer, ask):
    made, _ = making.fork(as_actor(bob), seen(bob, public), making.Wish())
    Job.objects.filter(key=key_of(made)).update(state=Job.State.FAILED)
    assert ask("GET", f"{API}/branches") == (200, b"[]")
    copying.again(made)
    assert is_told(ask("GET", f"{API}/branches"))
