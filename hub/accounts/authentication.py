"""The only reader of credentials: header or session in, Actor out."""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta

from django.http import HttpRequest
from django.utils import timezone

from hub.accounts import tokens
from hub.accounts.actor import ANONYMOUS, Actor
from hub.accounts.models import AccessToken
from hub.lib.errors import Unauthenticated

BAD_TOKEN = "That access token is not valid here: mistyped, expired or revoked."
NEXT_STEP = "Make a new one under Settings → Access tokens and use it as the password."
LAST_USED_GRAIN = timedelta(minutes=5)


def actor_from_authorization(header: str, *, address: str = "") -> Actor:
    """The actor of a Basic or Bearer header; "" is anonymous.

    The token may be the password (any user name), the user name, or the bearer. Raises Unauthenticated when a
    credential was given and is bad.
    """
    if not header:
        return Actor(address=address) if address else ANONYMOUS
    for candidate in _secrets_in(header):
        if token := tokens.find(candidate):
            _touch(token)
            return Actor(
                user=token.user,
                token_id=token.pk,
                scopes=frozenset(token.scopes),
                repository_id=token.repository_id,
                address=address,
            )
    raise Unauthenticated(BAD_TOKEN, details=NEXT_STEP)


def actor_from_session(request: HttpRequest) -> Actor:
    """The actor of a browser's session cookie."""
    address = request.META.get("REMOTE_ADDR", "")
    if request.user.is_authenticated:
        return Actor(user=request.user, session=True, address=address)
    return Actor(address=address)


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
    except (binascii.Error, UnicodeDecodeError):
        return []
    return [password, user]


def _touch(token: AccessToken) -> None:
    """Remember the use, at most every few minutes: a clone must not write a row per request."""
    now = timezone.now()
    if token.last_used is None or now - token.last_used > LAST_USED_GRAIN:
        AccessToken.objects.filter(pk=token.pk).update(last_used=now)
