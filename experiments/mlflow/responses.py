"""Headers of what leaves the mount: MLflow's UI under its own policy, artifacts never live on the hub's origin."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings

from hub.accounts import authentication
from hub.lib.streams import Request

# MLflow's own are dropped: the hub decides framing, cookies and who may read across origins.
DROPPED_HEADERS = frozenset(
    {
        "server",
        "date",
        "connection",
        "transfer-encoding",
        "set-cookie",
        "x-frame-options",
        "content-security-policy",
        "access-control-allow-origin",
        "access-control-allow-credentials",
        "access-control-expose-headers",
    }
)
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
CSRF_COOKIE = "mlflow-request-header-X-CSRFToken"
_ARTIFACT_PATHS = ("/get-artifact", "/model-versions/get-artifact")


def passed_on(given: Iterable[tuple[str, str]], request: Request, path: str) -> list[tuple[str, str]]:
    """The headers of an answer of MLflow's (lower case) with the hub's own in place of those of the same name."""
    own = answer_headers(request, path)
    dropped = DROPPED_HEADERS | {name for name, _ in own}
    return [*((name, value) for name, value in given if name not in dropped), *own]


def answer_headers(request: Request, path: str) -> list[tuple[str, str]]:
    """Security headers for a path of MLflow's server."""
    headers = [("x-content-type-options", "nosniff"), ("referrer-policy", "same-origin")]
    headers += [("cross-origin-resource-policy", "same-origin"), ("x-frame-options", "SAMEORIGIN")]
    if path == "/":
        headers += [("content-security-policy", page_policy(request)), ("cache-control", "no-store")]
    elif path.startswith("/static-files/"):
        headers.append(("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'"))
    else:
        headers.append(("content-security-policy", SANDBOX))
    return headers


def artifact_headers(filename_header: str) -> list[tuple[str, str]]:
    """Bytes somebody logged: a download under a sandbox, whatever they claim to be."""
    return [
        ("content-type", "application/octet-stream"),
        ("content-disposition", filename_header),
        ("content-security-policy", SANDBOX),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "private, no-cache"),
    ]


def page_policy(request: Request) -> str:
    """MLflow's bundle writes styles and workers of its own, and may talk to this repository's mount only."""
    scheme = "https" if settings.HTTPS else "http"
    mount = f"{scheme}://{request.headers.get('host', '')}{request.path}"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        f"font-src 'self' data:; connect-src {mount} blob: data:; worker-src 'self' blob:; manifest-src 'self'; "
        "media-src 'self' blob:; frame-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )


def cookie_headers(headers: dict[str, str], path: str) -> list[tuple[str, str]]:
    """Set-Cookie headers with which the UI's own scripts can send X-CSRFToken, on this repository's path only."""
    response = authentication.csrf_response(headers)
    token = response["X-CSRFToken"]
    response.set_cookie(CSRF_COOKIE, token, path=path, secure=settings.HTTPS, samesite="Strict")
    return [("set-cookie", morsel.OutputString()) for morsel in response.cookies.values()]
