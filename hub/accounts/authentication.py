"""The only reader of credentials: header or session in, Actor out."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, parse_cookie
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.utils import timezone

from hub.accounts import throttle, tokens
from hub.accounts.actor import ANONYMOUS, Actor
from hub.accounts.models import AccessToken
from hub.lib.errors import HubError, Unauthenticated, says_disk_full

logger = logging.getLogger("covey.accounts")

BAD_TOKEN = "That access token is not valid here: mistyped, expired or revoked."
NEXT_STEP = "Make a new one under Settings → Access tokens and use it as the password."
_BROWSER_HEADERS = ("host", "origin", "referer", "x-csrftoken")
LAST_USED_GRAIN = timedelta(minutes=5)


def actor_from_authorization(header: str, *, address: str = "") -> Actor:
    """The actor of a Basic or Bearer header; "" is anonymous.

    The token may be the password (any user name), the user name, or the bearer. Raises Unauthenticated when a
    credential was given and is bad, Throttled when this address tried many different bad ones.
    """
    if not header:
        return Actor(address=address) if address else ANONYMOUS
    candidates = _secrets_in(header)
    for candidate in candidates:
        if token := tokens.find(candidate):
            return _actor(token, address)
    if not any(tokens.was_real(candidate) for candidate in candidates):
        # An expired or revoked token that a fleet of jobs keeps sending is no attack and is never counted.
        throttle.wrong_token(address, header)
    raise Unauthenticated(BAD_TOKEN, details=NEXT_STEP)


def actor_from_key(key_id: str, verify: Callable[[str], None], *, address: str = "") -> tuple[Actor, str]:
    """The actor of an S3 key id, and its secret. verify(secret) raises a HubError unless it has made the signature.

    Raises what verify raises, Unauthenticated for a key id that is none, Throttled as actor_from_authorization."""
    pair = tokens.find_pair(key_id)
    if pair is None:
        if not tokens.was_real(key_id):
            throttle.wrong_token(address, key_id)
        raise Unauthenticated(
            "The AWS access key id you provided is not valid here: mistyped, expired or revoked.",
            details="Use an access token as both key id and secret, or make a key pair under Settings → Access tokens.",
        )
    token, secret = pair
    try:
        verify(secret)
    except HubError:
        throttle.wrong_token(address, f"{key_id} {datetime.now(UTC):%H:%M}")
        raise
    return _actor(token, address), secret


def _actor(token: AccessToken, address: str) -> Actor:
    _touch(token)
    throttle.right_token(address)
    return Actor(
        user=token.user,
        token_id=token.pk,
        scopes=frozenset(token.scopes),
        repository_id=token.repository_id,
        address=address,
    )


def actor_from_session(request: HttpRequest) -> Actor:
    """The actor of a browser's session cookie."""
    address = request.META.get("REMOTE_ADDR", "")
    if request.user.is_authenticated:
        return Actor(user=request.user, session=True, address=address)
    return Actor(address=address)


def browser_request(method: str, headers: dict[str, str], *, address: str) -> HttpRequest:
    """A Django request made from raw headers (lower-case names), with its session's user: for surfaces with a UI."""
    request = HttpRequest()
    request.method = method
    request.META = {
        "REMOTE_ADDR": address,
        "wsgi.url_scheme": "https" if settings.HTTPS else "http",
        **{f"HTTP_{name.upper().replace('-', '_')}": headers[name] for name in _BROWSER_HEADERS if name in headers},
    }
    request.COOKIES = parse_cookie(headers.get("cookie", ""))
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(
        request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    )
    request.user = get_user(request)
    return request


def csrf_holds(request: HttpRequest) -> bool:
    """Whether a browser_request carries this origin and the token of its cookie. Both are asked for, always."""
    if not request.headers.get("Origin"):
        return False
    middleware = CsrfViewMiddleware(_no_view)
    middleware.process_request(request)
    return middleware.process_view(request, _no_view, (), {}) is None


def csrf_response(headers: dict[str, str]) -> HttpResponse:
    """An empty answer whose cookies keep the CSRF secret and whose X-CSRFToken header is a token for it."""
    request = browser_request("GET", headers, address="")
    middleware = CsrfViewMiddleware(_no_view)
    middleware.process_request(request)
    response = HttpResponse(headers={"X-CSRFToken": get_token(request)})
    middleware.process_response(request, response)
    return response


def _no_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def presented_token(header: str) -> str:
    """The good token this header carries, to be told back to the very caller who sent it; "" when it has none."""
    return next((candidate for candidate in _secrets_in(header) if tokens.find(candidate)), "")


def _secrets_in(header: str) -> list[str]:
    """The places a client may have put its token, in the order of likelihood."""
    scheme, _, value = header.partition(" ")
    value = value.strip()
    if scheme.lower() in {"bearer", "token"}:
        return [value]
    if scheme.lower() != "basic":
        return []
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:  # no base64, or not UTF-8 inside
        return []
    return [password, user]


def _touch(token: AccessToken) -> None:
    """Remember the use, at most every few minutes: a clone must not write a row per request."""
    now = timezone.now()
    if token.last_used is None or now - token.last_used > LAST_USED_GRAIN:
        try:
            AccessToken.objects.filter(pk=token.pk).update(last_used=now)
        except DatabaseError as error:
            if not says_disk_full(error):
                raise
            logger.warning("the use of token %s is not noted: no room", token.pk)  # reading goes on
