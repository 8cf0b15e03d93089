"""Idempotency-Key: a client that did not hear the answer of a POST sends it again, and nothing is made twice.

The row of the key is written in the transaction that makes the thing: both are there or neither. Of two requests at
the same moment the second waits for the first, then gets its answer. What was refused is not kept: it made nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from hub.jobs import answers
from hub.jobs.models import Answer
from hub.lib.errors import Invalid, Unprocessable

HEADER = "Idempotency-Key"
MOST_CHARACTERS = 255


def once(request: Request, make: Callable[[], Response]) -> Response:
    """make()'s answer, or the one it gave to the same key of the same person within a day.

    Call it behind the gate: an answer is repeated only to who may still read it. make() runs in a transaction, which
    it may not leave half-done. Raises Invalid for a bad key, Unprocessable for one that was sent with another body.
    """
    key = request.headers.get(HEADER, "")
    if not key or request.user is None or request.user.pk is None:
        return make()
    if len(key) > MOST_CHARACTERS or not (key.isascii() and key.isprintable()):
        raise Invalid(f"{HEADER} has 1 to {MOST_CHARACTERS} printable ASCII characters.", details="Send e.g. a UUID.")
    asked, user_id = _asked(request), request.user.pk
    with transaction.atomic():
        answers.old().filter(user_id=user_id, key=key).delete()
        row = _claim(user_id, key, asked)
        if row is None:
            return _again(Answer.objects.get(user_id=user_id, key=key), asked)
        response = make()
        row.status, row.body = response.status_code, JSONRenderer().render(response.data).decode()
        row.save(update_fields=["status", "body"])
    return response


def _claim(user_id: int, key: str, asked: str) -> Answer | None:
    """None when the key is taken. Waits for whoever is taking it."""
    try:
        with transaction.atomic():
            return Answer.objects.create(
                user_id=user_id, key=key, asked=asked, status=0, body="", created=timezone.now()
            )
    except IntegrityError:
        return None


def _again(row: Answer, asked: str) -> Response:
    if row.asked != asked:
        raise Unprocessable(
            f"This {HEADER} was sent with another request.", details="Use a new key for each thing that is made."
        )
    return Response(json.loads(row.body), status=row.status, headers={"Idempotency-Replayed": "true"})


def _asked(request: Request) -> str:
    """The order of fields and the white space of JSON do not count."""
    data = request.data
    fields = dict(data.lists()) if hasattr(data, "lists") else data
    said = json.dumps([request.method, request.get_full_path(), fields], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()
