"""Three ways to name a repository's buckets, each a URL prefix that an S3 client takes as its endpoint.

/{owner}/{name}.s3                    buckets `dvc` and `{name}`
/api/v1/repo-buckets/s3/{owner}       bucket `{name}`: DagsHub's form
/                                     buckets `{owner}.{name}` and `{owner}.{name}.dvc`: for clients that refuse a
                                      path in an endpoint; only requests that are signed are taken for it
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from datasets.dvc import keys
from datasets.s3.errors import S3Error
from hub.lib.names import SUFFIXES

DVC = keys.BUCKET
OWN = "own"  # a repository's free bucket; its name outside is the repository's, which may change
MAX_KEY_BYTES = 1024


@dataclass(frozen=True)
class Bucket:
    """owner, name: of the repository. kind: DVC, OWN, or "" for one that the repository does not have."""

    owner: str
    name: str
    kind: str


@dataclass(frozen=True)
class Address:
    """What a path names. bucket_name: as the client calls it, "" for the endpoint itself. key: "" for the bucket."""

    bucket_name: str
    key: str
    bucket_of: Callable[[str], Bucket]
    owner: str = ""
    name: str = ""

    @property
    def bucket(self) -> Bucket:
        return self.bucket_of(self.bucket_name)


def of_repository(owner: str, name: str, rest: str) -> Address:
    def bucket_of(bucket: str) -> Bucket:
        return Bucket(owner, name, DVC if bucket == DVC else OWN if bucket.lower() == name.lower() else "")

    return Address(*_split(rest), bucket_of, owner, name)


def of_owner(owner: str, _: str, rest: str) -> Address:
    return Address(*_split(rest), lambda bucket: Bucket(owner, bucket, OWN), owner)


def of_host(_owner: str, _name: str, rest: str) -> Address:
    def bucket_of(bucket: str) -> Bucket:
        owner, _, name = bucket.partition(".")
        bare = name.removesuffix(".dvc")
        assert ".dvc" in SUFFIXES  # so no repository's own name ends in it
        return Bucket(owner, bare, OWN if bare == name else DVC)

    return Address(*_split(rest), bucket_of)


def _split(rest: str) -> tuple[str, str]:
    bucket, _, key = rest.partition("/")
    return text_of(bucket), key_of(key)


def key_of(raw: str) -> str:
    """The key of an undecoded path. Raises S3Error."""
    key = text_of(raw)
    check_key(key)
    return key


def check_key(key: str) -> None:
    if len(key.encode()) > MAX_KEY_BYTES:
        raise S3Error("KeyTooLongError", "Your key is too long: at most 1,024 bytes.")
    if "\0" in key:
        raise S3Error("InvalidURI", "A key cannot hold a NUL character.")


def text_of(raw: str) -> str:
    try:
        return unquote_to_bytes(raw.encode("latin-1")).decode()
    except UnicodeError as error:
        raise S3Error("InvalidURI", "Couldn't parse the specified URI: it is not UTF-8.") from error
