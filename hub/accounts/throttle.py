"""Slow down whoever tries many wrong credentials, without locking anybody else out.

A good token is always accepted, whatever its address did before. What counts is *distinct* wrong tokens per address:
a fleet of jobs that retries one expired or mistyped token is told 401 each time and is never throttled.
"""

from __future__ import annotations

import hashlib
import ipaddress
import time

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

from hub.lib.errors import Throttled
from hub.lib.failures import error_response

WINDOW_SECONDS = 180
SUSPECTS = 10_000  # addresses remembered; forgetting one only leaves its count until the window ends
_suspects: set[str] = set()


def network_of(address: str) -> str:
    """The /24 (IPv4) or /64 (IPv6) an address belongs to: what one attacker is likely to hold."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    mapped = getattr(parsed, "ipv4_mapped", None)
    if mapped is not None:
        parsed = mapped
    return str(ipaddress.ip_network((parsed, 24 if parsed.version == 4 else 64), strict=False))


def wrong_token(address: str, secret: str) -> None:
    """Count a wrong token. Raises Throttled when its address tried too many different ones."""
    if not address:
        return
    key = _key(address)
    if len(_suspects) >= SUSPECTS:
        _suspects.clear()
    _suspects.add(key)
    mark = f"{key}:{hashlib.sha256(secret.encode()).hexdigest()[:20]}"
    cache.add(key, 0, WINDOW_SECONDS)
    if cache.add(mark, 1, WINDOW_SECONDS):
        try:
            count = cache.incr(key)
        except ValueError:  # it expired between the two lines
            return
    else:
        count = cache.get(key, 0)
    if count > settings.WRONG_TOKENS_PER_WINDOW:
        raise Throttled(
            "Too many wrong access tokens came from your address.",
            details=f"Wait {_seconds_left()} seconds. A valid token is accepted at any time.",
            headers={"Retry-After": str(_seconds_left())},
        )


def right_token(address: str) -> None:
    """A success clears the count of its address. Only addresses that failed in this process are asked about: the
    right token must not cost each request a trip to the cache."""
    if address and (key := _key(address)) in _suspects:
        _suspects.discard(key)
        cache.delete(key)


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """The answer of a rate limit on a page (sign-in, sign-up, mails)."""
    return error_response(request, too_many_attempts())


def too_many_attempts() -> Throttled:
    return Throttled(
        "Too many attempts.",
        details="Wait a minute and try again.",
        headers={"Retry-After": str(settings.LOGIN_WINDOW)},
    )


def _key(address: str) -> str:
    source = address if "." in address else network_of(address)  # an IPv6 host holds its whole /64
    return f"wrong-token:{source}:{int(time.time() // WINDOW_SECONDS)}"


def _seconds_left() -> int:
    return WINDOW_SECONDS - int(time.time() % WINDOW_SECONDS)
