"""Presigned addresses of Signature Version 2: what boto3, the AWS CLI 1 and s3cmd make when nobody chose a version.

Follows: AWS, "Signing and Authenticating REST Requests" of the S3 documentation, query string form. Signed are the
method, the expiry, every x-amz-* header, the bucket with its key, and those words of the query that make it another
operation; not the host and nothing else of the query. So it is taken for one object's address and for nothing more.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from datasets.s3.errors import S3Error
from datasets.s3.signatures import MAXIMUM_EXPIRY_SECONDS, UNSIGNED, Claim, Message, canonical_path, mismatch
from hub.lib.numbers import whole

_SIGNED_WORDS = frozenset({
    "accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory", "lifecycle", "location",
    "logging", "metrics", "notification", "object-lock", "partNumber", "policy", "replication", "requestPayment",
    "response-cache-control", "response-content-disposition", "response-content-encoding", "response-content-language",
    "response-content-type", "response-expires", "restore", "select", "select-type", "storageClass", "tagging",
    "torrent", "uploadId", "uploads", "versionId", "versioning", "versions", "website",
})  # fmt: skip


class OldClaim(Claim):
    """time: when it expires."""


def claim_of(message: Message, *, now: datetime) -> OldClaim | None:
    """The claim of an address that was presigned so, None for any other request. Raises S3Error."""
    query = dict(message.query)
    if "AWSAccessKeyId" not in query or "Signature" not in query or message.header("authorization"):
        return None
    if len(query) != len(message.query):
        raise S3Error("InvalidArgument", "A query parameter of a presigned address is there twice.")
    expires = whole(query.get("Expires", ""), most=2**31 - 1)
    key_id, signature = query["AWSAccessKeyId"], query["Signature"]
    if expires is None or not f"{key_id}{signature}".isprintable():  # as signatures.py says of odd bytes
        raise S3Error("AccessDenied", "A presigned address needs AWSAccessKeyId, Expires and Signature, as plain text.")
    time = datetime.fromtimestamp(expires, UTC)
    if now > time:
        raise S3Error("AccessDenied", "Request has expired.", details="Make a new link.")
    if time - now > timedelta(seconds=MAXIMUM_EXPIRY_SECONDS):
        raise S3Error("AccessDenied", "A presigned address is good for 7 days at most.", details="Make a new link.")
    if any(name.lower() == "x-amz-security-token" for name, _ in (*message.query, *message.headers)):
        raise S3Error("InvalidToken", "This hub gives no session tokens.", details="Unset AWS_SESSION_TOKEN.")
    return OldClaim(key_id, "", "", time, (), signature, UNSIGNED, expires_seconds=0)


def verify(message: Message, claim: OldClaim, secret: str) -> None:
    """Raises S3Error unless the signature was made with this secret over this very request."""
    # Signers differ in whether the resource begins at the host or at the endpoint, which may hold a path.
    paths = {path for sent in (message.path, message.below) for path in (sent, canonical_path(sent))}
    made = [_mac(secret, string_to_sign(message, claim, path)) for path in sorted(paths)]
    if not any([hmac.compare_digest(one, claim.signature.encode()) for one in made]):
        raise mismatch()


def string_to_sign(message: Message, claim: OldClaim, path: str) -> str:
    names = sorted({name for name, _ in message.headers if name.startswith("x-amz-")})
    words = sorted((name, value) for name, value in message.query if name in _SIGNED_WORDS)
    query = "&".join(f"{name}={value}" if value else name for name, value in words)
    return "\n".join([
        message.method,
        message.header("content-md5"),
        message.header("content-type"),
        str(int(claim.time.timestamp())),
        *(f"{name}:{message.header(name)}" for name in names),
        f"{path}?{query}" if query else path,
    ])  # fmt: skip


def _mac(secret: str, text: str) -> bytes:
    made = hmac.new(secret.encode(), text.encode("utf-8", "surrogateescape"), hashlib.sha1)
    return base64.b64encode(made.digest())
