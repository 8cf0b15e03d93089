"""/{owner}/{name}.mlflow: gate, clean, and hand to MLflow's own server in the workspace of this repository."""

from __future__ import annotations

import json
import logging
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.urls import reverse

from experiments.mlflow import after, artifacts, direct, registry_events, rules, server
from experiments.mlflow.context import user_name, workspace_of
from experiments.mlflow.default_experiment import Named
from experiments.mlflow.direct import Headers
from experiments.mlflow.responses import cookie_headers, passed_on
from experiments.table import version
from hub.accounts import authentication
from hub.accounts.actor import Actor, Area
from hub.lib.errors import Denied, HubError, Invalid, Unauthenticated
from hub.lib.streams import ClientGone, Request, in_thread
from repos.surface import CHALLENGE, Call, Route, Surface, route

logger = logging.getLogger("covey.mlflow")
BODY_LIMIT_BYTES = 32 * 1024 * 1024  # a batch is at most 1 MiB; traces are larger
READS = frozenset({"GET", "HEAD"})
# The hub answers what these say; a client's own would reach past the gate.
DROPPED = frozenset({"authorization", "cookie", "x-mlflow-workspace", "content-length", "content-encoding"})
DROPPED |= {"transfer-encoding", "connection"}
ERROR_CODES = {
    400: "INVALID_PARAMETER_VALUE",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    405: "ENDPOINT_NOT_FOUND",
    409: "RESOURCE_CONFLICT",
    413: "INVALID_PARAMETER_VALUE",
    503: "TEMPORARILY_UNAVAILABLE",
}


class MlflowSurface(Surface):
    def __init__(self) -> None:
        super().__init__(".mlflow", Area.EXPERIMENTS, routes())

    async def __call__(self, request: Request, owner: str, name: str, rest: str) -> None:
        if rest == "" and not request.path.endswith("/"):
            # The UI's links are relative: they need the slash.
            return await request.respond(308, b"", [("location", f"{request.path}/")])
        if asks_for_page(request, rest):
            sign_in = f"{reverse('account_login')}?{urlencode({'next': request.path})}"
            return await request.respond(302, b"", [("location", sign_in)])
        return await super().__call__(request, owner, name, rest)

    def find(self, method: str, rest: str) -> tuple[Route, Any]:
        found, match = super().find("GET" if method == "HEAD" else method, rules.clean_path(rest))
        return found, match

    def authenticate(self, request: Request) -> Actor:
        """By header, as machines do; or by the browser's session, whose writes carry Origin and X-CSRFToken."""
        if header := request.headers.get("authorization", ""):
            return authentication.actor_from_authorization(header, address=request.remote_address)
        browser = authentication.browser_request(request.method, request.headers, address=request.remote_address)
        actor = authentication.actor_from_session(browser)
        if actor.session and request.method not in READS and not authentication.csrf_holds(browser):
            raise Denied("The browser's session may not do this from here.", details="Reload the page and try again.")
        return actor

    async def respond_error(self, request: Request, error: HubError) -> None:
        """As MLflow's clients read errors: {"error_code", "message"}."""
        if request.started:
            return
        message = " ".join(filter(None, [error.message, error.details, f"(request {request.request_id})"]))
        body = {"error_code": ERROR_CODES.get(error.code, "INTERNAL_ERROR"), "message": message}
        headers = [("content-type", "application/json"), ("cache-control", "no-store"), *error.headers.items()]
        if isinstance(error, Unauthenticated):
            headers.append(CHALLENGE)
        try:
            await request.respond(error.code, json.dumps(body).encode(), headers)
        except ClientGone:
            return


def asks_for_page(request: Request, rest: str) -> bool:
    """A browser that opens the UI with neither header nor session is sent to sign in, whether or not this exists."""
    return (
        rest == ""
        and request.method == "GET"
        and "text/html" in request.headers.get("accept", "")
        and "authorization" not in request.headers
        and settings.SESSION_COOKIE_NAME not in request.headers.get("cookie", "")
    )


def routes() -> list[Route]:
    own = {
        ("GET", "api/3.0/mlflow/server-info"): server_info,
        ("GET", "ajax-api/3.0/mlflow/server-info"): server_info,
        ("GET", ""): page,
    }
    found = []
    for method, pattern, need in rules.open_routes():
        plain = pattern.replace("\\", "")
        handler = own.get((method, plain), forward)
        if plain.endswith("mlflow-artifacts/artifacts/.+") and method in {"GET", "PUT"}:
            handler = artifacts.download if method == "GET" else artifacts.upload
        found.append(route(method, pattern, handler, need))
    return found


async def server_info(call: Call) -> None:
    """Workspaces are the hub's own affair: the UI must not offer to choose one."""
    answer = {"store_type": "SqlStore", "workspaces_enabled": False, "trace_archival_enabled": False}
    await call.request.respond(200, json.dumps(answer).encode(), [("content-type", "application/json")])


async def page(call: Call) -> None:
    """The UI's one page, with the cookie from which its scripts make the X-CSRFToken header."""
    cookies = []
    if call.actor.session:
        cookies = await in_thread(cookie_headers, call.request.headers, call.request.path)
    await forward(call, extra=cookies)


async def forward(call: Call, *, extra: Headers | None = None) -> None:
    """Hand one request to MLflow and stream its answer back."""
    request = call.request
    query: bytes = request.scope.get("query_string", b"")
    rules.check_query(query)
    body = await request.read(limit_bytes=BODY_LIMIT_BYTES)
    if "json" in request.headers.get("content-type", "") and body.strip()[:1] not in {b"", b"{"}:
        raise Invalid("The body is not a JSON object.")
    app = server.loaded()
    if app is None:
        app = await in_thread(server.load)
    named = Named.of(query, body, request.headers.get("x-mlflow-experiment-id", ""))
    if named.default:
        named = named.rewritten(await in_thread(default_experiment_id, call.repository.pk))
    scope = inner_scope(call, named)
    token = user_name.set(call.actor.username)
    try:
        status = await pass_on(call, app, scope, named.body, extra or [])
    except Exception:  # whatever MLflow's server makes of a client that left; all else goes on as it is
        if request.gone.is_set():
            raise ClientGone from None
        raise
    finally:
        user_name.reset(token)
    if status == 200 and request.method not in READS:
        after.written(call.repository.pk, scope["path"])
        if after.edits(scope["path"], named.body):
            await in_thread(version.changed, call.repository.pk)


async def pass_on(call: Call, app: server.App, scope: dict[str, Any], body: bytes, extra: Headers) -> int:
    """Let MLflow answer; the status it gave."""
    request = call.request
    if scope["path"].startswith(direct.PREFIXES):
        is_told = registry_events.is_told(request.method, scope["path"])
        old = await in_thread(registry_events.before, call.repository, scope["path"], body) if is_told else None
        status, given, content = await direct.call(scope, body)
        if status == 200 and is_told:
            told = call.actor, call.repository, request.method, scope["path"], body, content, old
            await in_thread(registry_events.record, *told)
        kept = [(name, value) for name, value in given if name != "content-length"]
        await request.respond(status, content, [*passed_on(kept, request, scope["path"]), *extra])
        return status
    answer = Answer(request, scope["path"], extra)
    await app(scope, once(request, body), answer.send)
    return answer.status


def default_experiment_id(repository_id: int) -> str:
    from mlflow.server.handlers import _get_tracking_store

    found: str = _get_tracking_store().default_experiment_id(workspace_of(repository_id))
    return found


def inner_scope(call: Call, named: Named) -> dict[str, Any]:
    """The request as MLflow sees it: at the root, without credentials, in this repository's workspace."""
    path = "/" + rules.clean_path(call.rest)
    headers = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in call.request.headers.items()
        # MLflow reads x_mlflow_workspace as it reads x-mlflow-workspace, as CGI did: such names never pass.
        if name not in DROPPED and "_" not in name and name != "x-mlflow-experiment-id"
    ]
    headers += [
        (b"x-mlflow-workspace", workspace_of(call.repository.pk).encode()),
        (b"content-length", str(len(named.body)).encode()),
    ]
    if named.header:
        headers.append((b"x-mlflow-experiment-id", named.header.encode("latin-1")))
    outer = call.request.scope
    return {
        "type": "http",
        "asgi": outer.get("asgi", {"version": "3.0"}),
        "http_version": outer.get("http_version", "1.1"),
        "method": call.request.method,
        "scheme": outer.get("scheme", "http"),
        "path": path,
        "raw_path": quote(path).encode(),
        "query_string": named.query,
        "root_path": "",
        "headers": headers,
        "client": outer.get("client"),
        "server": outer.get("server"),
        "state": {},
    }


def once(request: Request, body: bytes) -> Any:
    """ASGI receive for a body at hand; afterwards it waits for the client to leave."""
    sent = False

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if not sent:
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}
        await request.gone.wait()
        return {"type": "http.disconnect"}

    return receive


class Answer:
    """Passes MLflow's answer on with the hub's headers."""

    def __init__(self, request: Request, path: str, extra: Headers) -> None:
        self.request, self.path, self.extra = request, path, extra
        self.status = 0

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = [(k.decode("latin-1").lower(), v.decode("latin-1")) for k, v in message["headers"]]
            await self.request.start(message["status"], [*passed_on(given, self.request, self.path), *self.extra])
        elif message["type"] == "http.response.body":
            if piece := message.get("body", b""):
                await self.request.write(piece)
            if not message.get("more_body", False):
                await self.request.finish()
