"""Requests signed by botocore, the reference: for surfaces driven in process."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from botocore.auth import HmacV1QueryAuth, S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.support.asgi import Answer, ask

HOST = "http://testserver"


def signed_headers(
    method: str,
    path: str,
    key: str,
    secret: str = "",
    *,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    payload: str = "",
    now: datetime | None = None,
) -> dict[str, str]:
    """The headers of a request as boto3 would send it. path: with its query, encoded. payload: the hash to claim."""
    sha256 = payload or hashlib.sha256(body).hexdigest()
    given = {**(headers or {}), "x-amz-content-sha256": sha256}
    request = AWSRequest(method=method, url=HOST + path, headers=given, data=b"")
    request.context["client_config"] = None
    signer = S3SigV4Auth(Credentials(key, secret or key), "s3", "us-east-1")
    with patch.object(signer, "payload", lambda _: sha256):
        if now is None:
            signer.add_auth(request)
        else:
            with patch("botocore.auth.get_current_datetime", lambda: now.replace(tzinfo=None)):
                signer.add_auth(request)
    made = {name.lower(): value for name, value in request.headers.items()}
    return made | given | {"host": urlsplit(HOST).netloc}


def presigned(method: str, path: str, key: str, secret: str = "", *, seconds: int = 60) -> str:
    """The path with its signed query."""
    request = AWSRequest(method=method, url=HOST + path)
    S3SigV4QueryAuth(Credentials(key, secret or key), "s3", "us-east-1", expires=seconds).add_auth(request)
    return str(request.url).removeprefix(HOST)


def presigned_of_old(
    method: str, path: str, key: str, *, below: str = "", headers: dict[str, str] | None = None, seconds: int = 60
) -> str:
    """The same in version 2. below: the path that is signed, where that is not the whole, as boto3 signs it."""
    request = AWSRequest(method=method, url=HOST + path, headers=headers or {}, auth_path=below or None)
    HmacV1QueryAuth(Credentials(key, key), expires=seconds).add_auth(request)
    return str(request.url).removeprefix(HOST)


def call(
    method: str,
    path: str,
    key: str,
    secret: str = "",
    *,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    payload: str = "",
    pieces: Iterable[bytes] | None = None,
    **options: Any,
) -> Answer:
    """Sign, send, answer. pieces: the body as it is sent, when that differs from what is signed."""
    fields = {**(headers or {})}
    if method in {"PUT", "POST"} and "x-amz-decoded-content-length" not in fields:
        fields.setdefault("content-length", str(len(body)))
    made = signed_headers(method, path, key, secret, headers=fields, body=body, payload=payload)
    return ask(method, path, headers=made, body=[body] if pieces is None else pieces, **options)
