"""JSON that is made of MLflow's tables, for browsers that may have it. While the tables stand still, one that has it is
told so (304) before anything is read; later after its bytes were compared."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from django.http import HttpResponse, JsonResponse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

from experiments import snapshot
from experiments.views.runs import PRIVATE
from hub.accounts.http import HubRequest

SECONDS = 24 * 3600
_PROCESS = secrets.token_hex(8)  # what SQLite calls a state means nothing to another process


def answer(request: HubRequest, of: object, make: Callable[[], dict[str, Any]]) -> HttpResponse:
    """of: the runs whose values make() reads, as the hub's own tables and the reader's rights chose them."""
    asked = f"charts:{_hash(repr((_PROCESS, snapshot.current(), request.get_full_path(), of)))}"
    tag = cache.get(asked, "")
    known = get_conditional_response(request, etag=tag) if tag else None
    if not isinstance(known, HttpResponse):
        made = JsonResponse(make())
        tag = quote_etag(_hash(made.content.decode()))
        cache.set(asked, tag, SECONDS)
        known = get_conditional_response(request, etag=tag, response=made)
        assert isinstance(known, HttpResponse)
    known.headers["ETag"] = tag
    known.headers["Cache-Control"] = PRIVATE["Cache-Control"]
    return known


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
