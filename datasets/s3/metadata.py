"""Headers that a client gives an object and gets back, and those that would ask for what this hub does not offer."""

from __future__ import annotations

from collections.abc import Mapping

from datasets.s3.errors import S3Error, not_implemented

DEFAULT_TYPE = "binary/octet-stream"
MAX_METADATA_BYTES = 2 * 1024
_KEPT = ("content-type", "cache-control", "content-disposition", "content-encoding", "content-language", "expires")
_USER = "x-amz-meta-"
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


def overrides(query: Mapping[str, str]) -> dict[str, str]:
    """response-… parameters of a GET, as headers. Raises S3Error for one that is no header value."""
    found = {_OVERRIDES[name]: value for name, value in query.items() if name in _OVERRIDES}
    for name, value in found.items():
        if any(not " " <= character <= "\xff" or "\x7f" <= character < "\xa0" for character in value):
            raise S3Error("InvalidArgument", f"response-{name} holds a character that no header may.")
    return found


def _without_chunks(encoding: str) -> str:
    parts = [part.strip() for part in encoding.split(",")]
    return ", ".join(part for part in parts if part and part.lower() != "aws-chunked")
