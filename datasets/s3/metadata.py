"""Headers that a client gives an object and gets back, and those that would ask for what this hub does not offer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from datasets.s3.checksums import PREFIX as CHECKSUMS
from datasets.s3.errors import S3Error, not_implemented

DEFAULT_TYPE = "binary/octet-stream"
MAX_METADATA_BYTES = 2 * 1024
_KEPT = ("content-type", "cache-control", "content-disposition", "content-encoding", "content-language", "expires")
_USER = "x-amz-meta-"
_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_OVERRIDES = {f"response-{name}": name for name in _KEPT}
# Accepted values of headers that ask for a feature: those that mean what is done here anyway.
_FEATURES = {
    "x-amz-acl": {"private", "bucket-owner-full-control", "bucket-owner-read"},
    "x-amz-storage-class": {"STANDARD"},
    "x-amz-metadata-directive": {"COPY", "REPLACE"},
    "x-amz-tagging-directive": {"COPY"},
    "x-amz-bucket-object-lock-enabled": {"false"},
    "x-amz-server-side-encryption": set(),
    "x-amz-tagging": set(),
    "x-amz-website-redirect-location": set(),
    "x-amz-write-offset-bytes": set(),
}
_FEATURE_STARTS = (
    "x-amz-grant-",
    "x-amz-object-lock-",
    "x-amz-server-side-encryption-",
    "x-amz-copy-source-server-side-encryption-",
)


def refuse_features(headers: Mapping[str, str]) -> None:
    """Raises S3Error for a header whose wish would be ignored silently."""
    for name, value in headers.items():
        if (name in _FEATURES and value not in _FEATURES[name]) or name.startswith(_FEATURE_STARTS):
            raise not_implemented(f"{name}: {value[:60]}")


def given(headers: Mapping[str, str]) -> dict[str, str]:
    """What is kept with an object. Raises S3Error."""
    refuse_features(headers)
    kept = {name: headers[name] for name in _KEPT if headers.get(name)}
    if encoding := _without_chunks(kept.pop("content-encoding", "")):
        kept["content-encoding"] = encoding
    user = {name: value for name, value in headers.items() if name.startswith(_USER)}
    if sum(len(name) - len(_USER) + len(value) for name, value in user.items()) > MAX_METADATA_BYTES:
        raise S3Error("MetadataTooLarge", "Your metadata headers exceed the maximum of 2 KB.")
    return kept | user


def moved(query: Iterable[tuple[str, str]]) -> dict[str, str]:
    """x-amz-… headers that a signer put into the query of an address, as the SDKs for JavaScript and Go do.

    Checksums stay away: the SDK for JavaScript, which does not know the body yet, tells that of an empty one.
    Raises S3Error for a value that no header could have brought."""
    found = {name.lower(): value for name, value in query if name.lower().startswith("x-amz-")}
    found = {name: value for name, value in found.items() if not name.startswith(CHECKSUMS)}
    for name, value in found.items():
        if name.startswith(_USER) and not (_NAME.fullmatch(name) and _may_be_told(value)):
            raise S3Error("InvalidArgument", f"{name[:60]!r} holds a character that no header may.")
    return found


def overrides(query: Mapping[str, str]) -> dict[str, str]:
    """response-… parameters of a GET, as headers. Raises S3Error for one that is no header value."""
    found = {_OVERRIDES[name]: value for name, value in query.items() if name in _OVERRIDES}
    for name, value in found.items():
        if not _may_be_told(value):
            raise S3Error("InvalidArgument", f"response-{name} holds a character that no header may.")
    return found


def _may_be_told(value: str) -> bool:
    """Whether a header can hold it."""
    return all(" " <= character <= "\xff" and not "\x7f" <= character < "\xa0" for character in value)


def _without_chunks(encoding: str) -> str:
    parts = [part.strip() for part in encoding.split(",")]
    return ", ".join(part for part in parts if part and part.lower() != "aws-chunked")
