"""Which operation a request asks for: by method, by what is named (endpoint, bucket, object) and by one word of the
query. What is not in the table is not offered, and says so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from datasets.s3 import buckets, multipart, reading, writing
from datasets.s3.addresses import Address
from datasets.s3.call import S3Call
from datasets.s3.errors import S3Error, not_implemented
from datasets.s3.signatures import Message
from repos.models import Access

ENDPOINT, BUCKET, OBJECT = "endpoint", "bucket", "object"
METHODS = ("DELETE", "GET", "HEAD", "POST", "PUT")
# The words of S3's API that make a request another operation, offered or not.
WORDS = frozenset({
    "accelerate", "acl", "analytics", "attributes", "cors", "delete", "encryption", "intelligent-tiering", "inventory",
    "legal-hold", "lifecycle", "list-type", "location", "logging", "metadataTable", "metrics", "notification",
    "object-lock", "ownershipControls", "partNumber", "policy", "policyStatus", "publicAccessBlock", "renameObject",
    "replication", "requestPayment", "restore", "retention", "select", "session", "tagging", "torrent", "uploadId",
    "uploads", "versioning", "versions", "website",
})  # fmt: skip
Handler = Callable[[S3Call], Awaitable[None]]


@dataclass(frozen=True)
class Operation:
    """word: of WORDS, "" for the plain request."""

    method: str
    on: str
    word: str
    handler: Handler
    need: Access


def _read(method: str, on: str, word: str, handler: Handler) -> Operation:
    return Operation(method, on, word, handler, Access.READ)


def _write(method: str, on: str, word: str, handler: Handler) -> Operation:
    return Operation(method, on, word, handler, Access.WRITE)


OPERATIONS = [
    _read("GET", ENDPOINT, "", buckets.list_buckets),
    _read("HEAD", BUCKET, "", buckets.head_bucket),
    _write("PUT", BUCKET, "", buckets.create_bucket),
    _read("GET", BUCKET, "", buckets.list_objects),
    _read("GET", BUCKET, "list-type", buckets.list_objects_v2),
    _read("GET", BUCKET, "versions", buckets.list_versions),
    _read("GET", BUCKET, "uploads", multipart.list_uploads),
    _read("GET", BUCKET, "location", buckets.get_location),
    _read("GET", BUCKET, "versioning", buckets.get_versioning),
    _read("GET", BUCKET, "acl", reading.get_acl),
    _read("GET", BUCKET, "tagging", buckets.get_bucket_tagging),
    _write("POST", BUCKET, "delete", writing.delete_objects),
    _read("GET", OBJECT, "", reading.get_object),
    _read("HEAD", OBJECT, "", reading.get_object),
    _read("GET", OBJECT, "partNumber", reading.get_object),
    _read("HEAD", OBJECT, "partNumber", reading.get_object),
    _read("GET", OBJECT, "acl", reading.get_acl),
    _read("GET", OBJECT, "tagging", reading.get_tagging),
    _read("GET", OBJECT, "uploadId", multipart.list_parts),
    _write("PUT", OBJECT, "", writing.put_object),
    _write("PUT", OBJECT, "partNumber+uploadId", multipart.upload_part),
    _write("POST", OBJECT, "uploads", multipart.create),
    _write("POST", OBJECT, "uploadId", multipart.complete),
    _write("DELETE", OBJECT, "", writing.delete_object),
    _write("DELETE", OBJECT, "uploadId", multipart.abort),
]
_TABLE = {(operation.method, operation.on, operation.word): operation for operation in OPERATIONS}


def find(address: Address, message: Message) -> Operation:
    """Raises S3Error: MethodNotAllowed for a method of no operation, NotImplemented for what is not offered."""
    if message.method not in METHODS:
        raise S3Error("MethodNotAllowed", "The specified method is not allowed.", headers={"Allow": ", ".join(METHODS)})
    on = ENDPOINT if not address.bucket_name else OBJECT if address.key else BUCKET
    words = sorted({name for name, _ in message.query} & WORDS)
    word = "list-type" if words[:1] == ["list-type"] and message.method == "GET" else "+".join(words)
    operation = _TABLE.get((message.method, on, word))
    if operation is None:
        asked = f"{message.method} of {'an' if on == OBJECT else 'the'} {on}"
        raise not_implemented(f"{asked}{f' with ?{word}' if word else ''}")
    if word == "list-type" and dict(message.query)["list-type"] != "2":
        raise S3Error("InvalidArgument", "list-type must be 2.")
    return operation
