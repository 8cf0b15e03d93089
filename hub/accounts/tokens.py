"""Make and find access tokens: `covey_` + 32 random base-62 characters (190 bits) + a 6 character checksum."""

from __future__ import annotations

import hashlib
import secrets
import string
import zlib
from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from hub.accounts.actor import ALL_SCOPES
from hub.accounts.models import AccessToken, User
from hub.lib.errors import Unprocessable

PREFIX = "covey_"
_ALPHABET = string.digits + string.ascii_letters
DEFAULT_DAYS, MAXIMUM_DAYS = 90, 365
WRITE_SCOPES = frozenset(scope for scope in ALL_SCOPES if scope.endswith(":write"))


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def looks_like_token(text: str) -> bool:
    """Whether this text can be one of our tokens at all: prefix, length and checksum, with no query."""
    body = text.removeprefix(PREFIX)
    return text.startswith(PREFIX) and len(body) == 38 and body.isascii() and _checksum(body[:32]) == body[32:]


def create(
    user: User,
    *,
    name: str,
    scopes: Iterable[str] = WRITE_SCOPES,
    repository_id: int | None = None,
    days: int = DEFAULT_DAYS,
) -> tuple[AccessToken, str]:
    """The row and the secret, which is shown once and never stored. Raises Unprocessable on a bad scope or expiry."""
    wanted = sorted(set(scopes))
    if unknown := set(wanted) - ALL_SCOPES:
        raise Unprocessable(
            f"Unknown scope: {', '.join(sorted(unknown))}.", details=f"Scopes are {', '.join(sorted(ALL_SCOPES))}."
        )
    if not wanted:
        raise Unprocessable("A token needs at least one scope.")
    if not 1 <= days <= MAXIMUM_DAYS:
        raise Unprocessable(f"A token lives 1 to {MAXIMUM_DAYS} days.")
    random = "".join(secrets.choice(_ALPHABET) for _ in range(32))
    secret = f"{PREFIX}{random}{_checksum(random)}"
    row = AccessToken.objects.create(
        user=user,
        name=name.strip()[:100] or "token",
        start=secret[:12],
        digest=digest(secret),
        scopes=wanted,
        repository_id=repository_id,
        expires=timezone.now() + timedelta(days=days),
    )
    return row, secret


def find(secret: str) -> AccessToken | None:
    """The live token with this secret: not revoked, not expired, of an active user."""
    if not looks_like_token(secret):
        return None
    return (
        AccessToken.objects.select_related("user", "user__owner")
        .filter(digest=digest(secret), revoked=None, expires__gt=timezone.now(), user__is_active=True)
        .first()
    )


def _checksum(body: str) -> str:
    number, letters = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, index = divmod(number, 62)
        letters += _ALPHABET[index]
    return letters
