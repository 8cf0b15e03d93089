"""Bodies that are not what they should be, throttles, and the description of the API."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from hub.accounts.actor import Actor
from repos import repositories
from repos.models import Repository
from tests.support.asgi import ask, basic

pytestmark = pytest.mark.django_db
V1 = "/api/v1"
MALFORMED = [
    b"", b"null", b"true", b"1", b'"name"', b"[]", b'[{"name": "x"}]', b"{", b"}", b'{"name": }', b'{"name": "x",}',
    b"{'name': 'x'}", b"\xff\xfe", b'{"name": "\\ud800"}', b'{"name": "a\\u0000b"}', b'{"name": NaN}', b"[" * 100_000,
    b'{"name": ' + b"9" * 5_000 + b"}", b'{"name": true}', b'{"name": ["x"]}', b'{"name": {"a": 1}}',
    b"\xef\xbb\xbf{}",
]  # fmt: skip
ROUTES = [
    ("post", f"{V1}/user/repos"),
    ("patch", f"{V1}/repos/alice/lab"),
    ("put", f"{V1}/repos/alice/lab/topics"),
    ("put", f"{V1}/repos/alice/lab/collaborators/bob"),
    ("post", f"{V1}/repos/alice/lab/branches"),
    ("post", f"{V1}/repos/alice/lab/transfer"),
    ("post", f"{V1}/user/tokens"),
]
FIELDS = ["name", "private", "description", "topics", "permission", "ref", "new_owner", "scopes", "days", "repository",
          "default_branch", "website", "auto_init", "license"]  # fmt: skip
ADDRESSES = ["repos/search?q=", "users/search?q=", "repos/alice/lab/commits?sha=", "repos/alice/lab/commits?path=",
             "repos/alice/lab/branches/", "repos/alice/lab/content/", "users/"]  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture
def client_(api, alice, bob) -> APIClient:
    repositories.create(Actor(user=alice, session=True), alice.owner, "lab")
    return api(alice)


@pytest.mark.parametrize(("method", "url"), ROUTES)
def test_malformed_json_is_4xx(client_, method, url):
    for body in MALFORMED:
        answer = getattr(client_, method)(url, body, content_type="application/json")
        fine = {200, 204} if method in {"patch", "put"} else set()  # an empty object changes nothing
        assert answer.status_code in {400, 409, 422, *fine}, body[:40]
        if answer.status_code >= 400:
            assert set(answer.json()) == {"error", "details"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(route=st.sampled_from(ROUTES), body=st.dictionaries(st.sampled_from(FIELDS), values, max_size=5))
def test_no_body_makes_the_hub_fail(client_, route, body):
    method, url = route
    answer = getattr(client_, method)(url, json.dumps(body), content_type="application/json")
    assert answer.status_code < 500


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.text(max_size=30), where=st.sampled_from(ADDRESSES))
def test_no_address_makes_the_hub_fail(client_, words, where):
    from urllib.parse import quote

    assert client_.get(f"{V1}/{where}{quote(words.encode('utf-8', 'replace'))}").status_code < 500


@pytest.mark.parametrize("where", ["repos/search?q=", "repos/search?topic=", "users/search?q="])
def test_no_text_holds_nul(client_, where):
    answer = client_.get(f"{V1}/{where}a%00b")
    assert answer.status_code in {200, 400}
    assert "NUL" in answer.json()["error"] if answer.status_code == 400 else answer.json()["data"] == []


def test_other_types_are_415(client_):
    answer = client_.post(f"{V1}/user/repos", b"name=x", content_type="text/plain")
    assert answer.status_code == 415
    assert "application/json" in answer.json()["details"]


def test_anonymous_callers_are_slowed_first(api, public):
    statuses = [api().get(f"{V1}/repos/alice/public").status_code for _ in range(61)]
    assert statuses == [200] * 60 + [429]
    answer = api().get(f"{V1}/repos/alice/public", headers={"X-Forwarded-For": "10.1.2.3"})
    assert answer.status_code == 429, "a header of the client's own does not name another address"
    assert int(answer["Retry-After"]) > 0
    assert answer.json()["details"]


def test_users_have_their_own_count(api, public, alice):
    for _ in range(61):
        api().get(f"{V1}/repos/alice/public")
    assert api(alice).get(f"{V1}/repos/alice/public").status_code == 200


def test_the_description_names_every_route(api):
    answer = api().get(f"{V1}/openapi.json")
    assert answer.status_code == 200
    paths = answer.json()["paths"]
    base = f"{V1}/repos/{{owner}}/{{name}}"
    assert {"get", "put"} <= set(paths[f"{base}/content/{{rest}}"])
    assert "get" in paths[f"{base}/raw/{{rest}}"]
    body = paths[f"{V1}/user/repos"]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    assert body.endswith("/NewRepository")


def test_the_description_has_no_doubts(tmp_path):
    """Of two operations with one name, clients that are made from it would have one."""
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "openapi.yaml"))


def test_every_answer_is_described_by_its_fields(client):
    """A client that is made from the description knows what it gets. That it is true: tests/support/described.py."""
    document = client.get("/api/v1/openapi.json").json()
    vague = {
        f"{method.upper()} {path} {status}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for status, answer in operation["responses"].items()
        for content in answer.get("content", {}).values()
        if content["schema"] in ({}, {"type": "object", "additionalProperties": {}})
    }
    assert not vague


def test_the_page_uses_nothing_from_elsewhere(client):
    answer = client.get("/api/docs")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "swagger-ui-bundle" in page
    assert "//" not in page.replace("http://testserver", "").split("<body")[0].replace("http://127.0.0.1:8000", "")
    assert client.post("/api/docs").status_code == 405


def test_analytics_are_taken_and_forgotten(client):
    assert client.post("/api/internal/trackAnalyticsEvent", {"event": "x"}).status_code == 204
    assert client.get("/api/internal/trackAnalyticsEvent").status_code == 405


@pytest.mark.django_db(transaction=True)
def test_a_body_in_chunks_is_read_like_any_other(alice, token_of):
    """Clients that do not know the length beforehand send none."""
    headers = {**basic(token_of(alice)), "content-type": "application/json"}
    answer = ask("POST", "/api/v1/user/repos", headers=headers, body=[b'{"name":', b' "chunked"}'])
    assert answer.status == 201, answer.text
    assert Repository.objects.get().name == "chunked"
    assert ask("GET", "/api/v1/user", headers=headers).status == 200
