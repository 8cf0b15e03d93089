"""The mount: who may come in, what MLflow sees, what leaves."""

from __future__ import annotations

import json

import pytest
from django.conf import settings
from django.middleware.csrf import _get_new_csrf_string
from starlette.routing import Match, Mount

from experiments.mlflow import direct, responses, rules, server
from experiments.mlflow.mount import BODY_LIMIT_BYTES
from hub.lib.streams import Request
from tests.experiments.conftest import API, Client, metric
from tests.support.asgi import ask
from tests.support.samples import of_expression

pytestmark = pytest.mark.django_db(transaction=True)
SEARCH = f"{API}/experiments/search?max_results=5"


def test_it_logs_a_run_into_the_default_experiment(client, alice):
    run = client.run()
    assert run["user_id"] == "alice"
    assert run["experiment_id"] != "0"
    assert client.batch(run["run_id"], metrics=[metric("loss", 0.5)]).status == 200
    found = client.call("POST", "runs/search", {"experiment_ids": ["0"]})["runs"]
    assert [r["info"]["run_id"] for r in found] == [run["run_id"]]
    assert client.call("GET", "experiments/get?experiment_id=0")["experiment"]["name"] == "Default"
    assert {t["key"]: t["value"] for t in found[0]["data"]["tags"]}["mlflow.user"] == "alice"


def test_it_asks_a_machine_without_credential_for_one(private, tables):
    for repository in ("alice/private", "alice/absent"):
        answer = ask("GET", f"/{repository}.mlflow/{SEARCH}")
        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith("Basic")


def test_it_hides_private_repository(client_of, private, charlie):
    stranger = client_of(private, charlie)
    absent = ask("GET", f"/alice/absent.mlflow/{SEARCH}", headers=stranger.headers)
    hidden = stranger.ask("GET", SEARCH)
    assert hidden.status == absent.status == 404
    assert json.loads(hidden.body)["error_code"] == json.loads(absent.body)["error_code"] == "RESOURCE_DOES_NOT_EXIST"


def test_it_denies_writing_to_a_reader(client_of, public, charlie):
    reader = client_of(public, charlie)
    assert reader.ask("GET", SEARCH).status == 200
    answer = reader.ask("POST", f"{API}/runs/create", {"experiment_id": "0"})
    assert answer.status == 403
    assert json.loads(answer.body)["error_code"] == "PERMISSION_DENIED"


def test_it_denies_beyond_the_scope_of_a_token(client_of, private, alice):
    assert client_of(private, alice, scopes=["repo:write"]).ask("GET", SEARCH).status == 403
    reader = client_of(private, alice, scopes=["experiments:read"])
    assert reader.ask("GET", SEARCH).status == 200
    assert reader.ask("POST", f"{API}/runs/create", {"experiment_id": "0"}).status == 403


def test_it_answers_405_and_404_for_what_is_not_open(client):
    assert client.ask("PUT", f"{API}/runs/create").status == 405
    for method, path in [
        ("GET", "ajax-api/3.0/mlflow/workspaces"),
        ("POST", "ajax-api/3.0/mlflow/scorer/invoke"),
        ("POST", "api/2.0/mlflow/webhooks"),
        ("POST", "ajax-api/3.0/jobs/"),
        ("GET", "ajax-api/2.0/mlflow/gateway-proxy"),
        ("POST", "gateway/openai/v1/responses"),
        ("GET", "no/such/route"),
    ]:
        assert client.ask(method, path).status == 404, path


def test_the_clients_own_workspace_header_is_ignored(client, client_of, public, alice):
    theirs = client_of(public, alice)
    run = client.run()
    answer = theirs.ask("GET", f"{API}/runs/get?run_id={run['run_id']}", headers={"x-mlflow-workspace": "r1"})
    assert answer.status == 404


def test_it_says_nothing_of_workspaces(client):
    assert json.loads(client.ask("GET", "ajax-api/3.0/mlflow/server-info").body)["workspaces_enabled"] is False


def test_it_refuses_a_foreign_host(client):
    assert client.ask("GET", SEARCH, headers={"host": "evil.example"}).status == 400


def test_it_refuses_a_body_that_is_too_large(client):
    body = [b"x" * (1 << 20)] * (BODY_LIMIT_BYTES // (1 << 20) + 1)
    assert client.ask("POST", f"{API}/runs/search", body=body).status == 413


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'{"run_id": 5}', b"[" * 100_000])
def test_it_answers_bad_json_with_4xx(client, body):
    answer = client.ask("POST", f"{API}/runs/log-batch", body=[body])
    assert 400 <= answer.status < 500, answer.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("graphql", {}),
        ("graphql", {"query": None}),
        ("graphql", {"query": "{"}),
        ("graphql", {"query": "{a" * 5000}),
        (f"{API}/experiments/search", {"view_type": [{}]}),
        (f"{API}/experiments/search", {"view_type": "\ud800"}),
        (f"{API}/logged-models/search", {"experiment_ids": ["1"], "max_results": {}}),
        (f"{API}/metrics/get-history?run_id=RUN&metric_key=m&max_results=5&page_token=%C3%A9", None),
        (f"{API}/experiments/search?max_results=5&page_token=%C3%A9", None),
        (f"{API}/traces?experiment_ids=x", None),
        (f"{API}/artifacts/list?run_id=RUN&path={'a' * 300}", None),
        (f"get-artifact?run_uuid=RUN&path={'a' * 300}", None),
        ("ajax-api/2.0/mlflow/metrics/get-history-bulk?run_id=RUN&metric_key=m&max_results=x", None),
    ],
)
def test_it_answers_values_of_another_kind_with_400(client, path, body):
    path = path.replace("RUN", client.run()["run_id"])
    answer = client.ask("GET", path) if body is None else client.ask("POST", path, body)
    assert answer.status == 400, answer.text
    assert json.loads(answer.body)["error_code"] == "INVALID_PARAMETER_VALUE"


def test_a_fault_of_the_hubs_own_is_told_from_what_mlflow_does_not_take():
    with pytest.raises(TypeError) as ours:
        rules.pattern_of(None)
    with pytest.raises(ValueError, match="Expecting") as others:
        json.loads("{")
    assert server._is_ours(ours.value)
    assert not server._is_ours(others.value)


# ---- browsers ------------------------------------------------------------------------------------
@pytest.fixture
def browser(client_of, private, alice, db):
    """Cookies and origin of alice's browser."""
    from django.test import Client as Django

    django = Django()
    django.force_login(alice)
    secret = _get_new_csrf_string()
    session = django.cookies[settings.SESSION_COOKIE_NAME].value
    cookie = f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={secret}"
    made = Client(private, "")
    made.headers = {"cookie": cookie}
    return made


def token_in(answer) -> str:
    return answer.headers["set-cookie"].split("=", 1)[1].split(";", 1)[0]


@pytest.mark.parametrize("path", ["/", "/get-artifact", "/api/2.0/mlflow/runs/get", "/static-files/a.js"])
def test_no_header_is_sent_twice(path):
    request = Request({"type": "http", "method": "GET", "path": path, "headers": []}, None, None)
    given = [("x-content-type-options", "nosniff"), ("cache-control", "no-cache"), ("set-cookie", "a=b"), ("etag", "x")]
    names = [name for name, _ in responses.passed_on(given, request, path)]
    assert len(names) == len(set(names))
    assert "etag" in names
    assert "set-cookie" not in names


def test_the_ui_opens_for_a_signed_in_reader(browser):
    answer = browser.ask("GET", "")
    assert answer.status == 200
    assert "mlflow-request-header-X-CSRFToken" in answer.headers["set-cookie"]
    assert "Path=/alice/private.mlflow/" in answer.headers["set-cookie"]
    policy = answer.headers["content-security-policy"]
    assert "connect-src http://testserver/alice/private.mlflow/" in policy
    assert "unsafe-eval" not in policy
    assert browser.ask("GET", SEARCH.replace("api/", "ajax-api/", 1)).status == 200


def test_a_session_writes_only_from_here(browser):
    token = token_in(browser.ask("GET", ""))
    path, document = f"ajax-{API}/runs/create", {"experiment_id": "0"}
    here = {"origin": "http://testserver", "x-csrftoken": token}
    assert browser.ask("POST", path, document, headers=here).status == 200
    for headers in (
        {},
        {"origin": "http://testserver"},
        {"x-csrftoken": token},
        {**here, "origin": "http://evil.example"},
        {**here, "origin": "null"},
        {**here, "x-csrftoken": token[::-1]},
    ):
        assert browser.ask("POST", path, document, headers=headers).status == 403, headers


def test_a_browser_without_session_is_sent_to_sign_in(private, tables):
    for repository in ("alice/private", "alice/absent"):
        answer = ask("GET", f"/{repository}.mlflow/", headers={"accept": "text/html"})
        assert answer.status == 302
        assert "/login" in answer.headers["location"]
    assert ask("GET", "/alice/private.mlflow").headers["location"] == "/alice/private.mlflow/"


def test_what_goes_straight_to_flask_is_served_by_nothing_before_it(mlflow_app):
    """MLflow puts FastAPI's own routes before Flask's; one below these prefixes would never be reached."""
    samples = [(method, "/" + of_expression(pattern)) for method, pattern, _ in rules.open_routes()]
    straight = [sample for sample in samples if sample[1].startswith(direct.PREFIXES)]
    assert len(straight) > 50

    def server(method: str, path: str) -> str:
        scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": [], "query_string": b""}
        found = next(route for route in mlflow_app.routes if route.matches(dict(scope))[0] is Match.FULL)
        return "flask" if isinstance(found, Mount) and not found.path else repr(found)

    assert {server(*sample) for sample in straight} == {"flask"}
    native = {server(*sample) for sample in samples if "mlflow-artifacts/artifacts/" in sample[1]}
    assert native - {"flask"}, "the question does not tell FastAPI's own routes from Flask's"


def test_flask_forgets_the_workspace_between_calls(client, client_of, public, alice):
    """One thread serves many repositories: nothing of one stays for the next."""
    for number in range(4):
        mine, other = client.run(run_name=f"r{number}"), client_of(public, alice).run(run_name=f"p{number}")
        wrong = client.ask("GET", f"{API}/runs/get?run_id={other['run_id']}")
        assert wrong.status == 404
        assert client.ask("GET", f"{API}/runs/get?run_id={mine['run_id']}").status == 200
