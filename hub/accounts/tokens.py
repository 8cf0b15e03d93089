"""Make and find access tokens: `covey_` + 32 random base-62 characters (190 bits) + a 6 character checksum.

An S3 key pair is a token too: its row keeps the hash of the key id, and the secret is made from the key id and the
hub's own key, so that nothing secret is stored. A key id alone opens nothing.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import string
import zlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from hub.accounts import audit
from hub.accounts.actor import ALL_SCOPES, Actor, Area
from hub.accounts.models import AccessToken, User
from hub.lib.errors import Denied, NotFound, Unauthenticated, Unprocessable
from hub.lib.prepared import Prepared

PREFIX = "covey_"
_ALPHABET = string.digits + string.ascii_letters
KEY_PREFIX = "COVEYS3"
_KEY_ID = re.compile(KEY_PREFIX + r"[A-Z2-7]{26}")
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
    pair: bool = False,
) -> tuple[AccessToken, str]:
    """The row and the secret, which is shown once and never stored; of a pair the key id, whose secret is
    secret_of(). Raises Unprocessable on a bad scope or expiry."""
    wanted = sorted(set(scopes))
    if unknown := set(wanted) - ALL_SCOPES:
        raise Unprocessable(
            f"Unknown scope: {', '.join(sorted(unknown))}.", details=f"Scopes are {', '.join(sorted(ALL_SCOPES))}."
        )
    if not wanted:
        raise Unprocessable("A token needs at least one scope.")
    if pair and not set(wanted) <= {"data:read", "data:write"}:
        raise Unprocessable("An S3 key pair reaches data only.", details="Its scopes are data:read and data:write.")
    if not 1 <= days <= MAXIMUM_DAYS:
        raise Unprocessable(f"A token lives 1 to {MAXIMUM_DAYS} days.")
    secret = _new_key_id() if pair else _new_secret()
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


def mint(
    actor: Actor,
    *,
    name: str,
    scopes: Iterable[str],
    repository_id: int | None = None,
    days: int | None = None,
    pair: bool = False,
) -> tuple[AccessToken, str]:
    """A token for the actor's own user, for pages and API alike. The caller has checked that the user may reach
    the repository. days: DEFAULT_DAYS by default, fewer when the token that asks ends earlier. Raises Denied when a
    token asks for more than it holds: scopes, repository or time.
    """
    if actor.user is None:
        raise Denied("Sign in to make an access token.")
    wanted, now = frozenset(scopes), timezone.now()
    own = None if actor.token_id is None else AccessToken.objects.get(pk=actor.token_id)
    if days is None:
        days = DEFAULT_DAYS if own is None else max(1, min(DEFAULT_DAYS, (own.expires - now).days))
    if own is not None:
        _refuse_bigger(actor, own, wanted, repository_id, now + timedelta(days=days))
    with transaction.atomic():
        row, secret = create(actor.user, name=name, scopes=wanted, repository_id=repository_id, days=days, pair=pair)
        audit.record("token.create", actor, subject=row.name, owner_id=actor.user.owner_id, after=_summary(row))
    return row, secret


def _refuse_bigger(
    actor: Actor, own: AccessToken, scopes: frozenset[str], repository_id: int | None, expires: datetime
) -> None:
    """A token may only make a token that can do no more, nowhere else and no longer than itself."""
    if not actor.has_scope(Area.ACCOUNT, write=True):
        raise Denied("This access token lacks the scope account:write.", details="Make the token in the browser.")
    beyond = [scope for scope in sorted(scopes) if scope in ALL_SCOPES and not _covers(actor, scope)]
    if beyond:
        raise Denied(f"A token cannot make one with more scopes than it has: {', '.join(beyond)}.")
    if actor.repository_id is not None and repository_id != actor.repository_id:
        raise Denied("A token bound to one repository can only make tokens bound to the same one.")
    if expires > own.expires + timedelta(minutes=1):
        raise Denied(
            "A token cannot make one that outlives it.",
            details=f"Ask for fewer days: yours ends on {own.expires:%Y-%m-%d}.",
        )


def _covers(actor: Actor, scope: str) -> bool:
    area, _, verb = scope.partition(":")
    return actor.has_scope(Area(area), write=verb == "write")


def of(actor: Actor) -> QuerySet[AccessToken]:
    """The tokens of the actor's user, as far as the credential reaches: a token that is bound to one repository knows
    of those bound to the same one only."""
    rows = AccessToken.objects.filter(user=actor.user) if actor.user else AccessToken.objects.none()
    return rows.filter(repository_id=actor.repository_id) if actor.repository_id is not None else rows


def revoke(actor: Actor, token_id: int) -> AccessToken:
    """End one of the actor's own tokens, now and for good. Raises NotFound when it is not theirs."""
    if actor.user is None:
        raise NotFound()
    with transaction.atomic():
        row = of(actor).select_for_update().filter(pk=token_id).first()
        if row is None:
            raise NotFound()
        if row.revoked is None:
            row.revoked = timezone.now()
            row.save(update_fields=["revoked"])
            audit.record("token.revoke", actor, subject=row.name, owner_id=actor.user.owner_id, before=_summary(row))
    return row


def _summary(row: AccessToken) -> dict[str, object]:
    return {
        "token_id": row.pk,
        "start": row.start,
        "scopes": list(row.scopes),
        "repository_id": row.repository_id,
        "expires": row.expires.isoformat(),
    }


def was_real(secret: str) -> bool:
    """Whether this was a token or a key id of ours once: expired, revoked, or of a deactivated user."""
    return (looks_like_token(secret) or is_key_id(secret)) and AccessToken.objects.filter(
        digest=digest(secret)
    ).exists()


def find(secret: str) -> AccessToken | None:
    """The live token with this secret: not revoked, not expired, of an active user."""
    return _live(secret) if looks_like_token(secret) else None  # no query for what cannot be one


def require_live(actor: Actor) -> None:
    """Ask again for what takes long: Unauthenticated when the actor's credential or account has ended since."""
    if actor.user is None:
        return
    if actor.token_id is None:
        live = User.objects.filter(pk=actor.user.pk, is_active=True).exists()
    else:
        live = any(map(_is_live, AccessToken.objects.select_related("user").filter(pk=actor.token_id)))
    if not live:
        raise Unauthenticated(
            "The access token was revoked, or has expired, before this was done.", details="Try again with another one."
        )


def find_pair(key_id: str) -> tuple[AccessToken, str] | None:
    """The live credential of an S3 key id and its secret: a made pair, or a token, which is both of its own pair."""
    if looks_like_token(key_id):
        return (row, key_id) if (row := _live(key_id)) else None
    return (row, secret_of(key_id)) if is_key_id(key_id) and (row := _live(key_id)) else None


def is_key_id(text: str) -> bool:
    return _KEY_ID.fullmatch(text) is not None


def secret_of(key_id: str) -> str:
    """The secret access key of a made pair: 40 characters, as S3 programs expect; it changes with SECRET_KEY."""
    made = salted_hmac("covey.s3.pair", key_id, algorithm="sha256").digest()
    return base64.b64encode(made).decode()[:40]


def _live(secret: str) -> AccessToken | None:
    token = _BY_DIGEST.first(digest(secret))
    return token if token is not None and _is_live(token) else None


def _is_live(token: AccessToken) -> bool:
    return token.revoked is None and token.expires > timezone.now() and token.user.is_active


_BY_DIGEST = Prepared(
    lambda digest: AccessToken.objects.select_related("user", "user__owner").filter(digest=digest), str
)


def _new_secret() -> str:
    random = "".join(secrets.choice(_ALPHABET) for _ in range(32))
    return f"{PREFIX}{random}{_checksum(random)}"


def _new_key_id() -> str:
    return KEY_PREFIX + "".join(secrets.choice(string.ascii_uppercase + "234567") for _ in range(26))


def _checksum(body: str) -> str:
    number, letters = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, index = divmod(number, 62)
        letters += _ALPHABET[index]
    return letters
