"""A repository's buckets as DagsHub's API tells of them: which there are, what lies in a folder, the bytes of a file.

One kind of bucket so far: the repository's own, s3/{name}/…. Connected ones of other stores will be further protocols.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TypedDict
from urllib.parse import unquote_to_bytes

from datasets.models import StoredObject
from datasets.remote import HEADERS
from datasets.s3 import listing, rows
from datasets.s3.addresses import OWN
from datasets.storage import intact
from hub.accounts.actor import Area
from hub.lib.errors import Invalid, NotFound, Upstream
from hub.lib.objectstore import ObjectStoreError
from hub.lib.ranges import serve
from hub.lib.streams import in_thread
from hub.lib.unicode import is_utf8
from repos import access
from repos.api.contents import EntryObject, api_url
from repos.git.read import to_text
from repos.models import Repository
from repos.place import quoted
from repos.surface import Call

PROTOCOL = "s3"
PAGE_ENTRIES = 1_000


class BucketObject(TypedDict):
    name: str
    protocol: str
    list_path: str


@dataclass(frozen=True)
class Folder:
    """One page of a folder. token: asks for the next page; "" at the end."""

    entries: list[EntryObject]
    token: str


def buckets(repository: Repository) -> list[BucketObject]:
    start = f"{PROTOCOL}/{repository.name}"
    path = f"{api_url(repository)}/storage/content/{start}"
    return [{"name": repository.name, "protocol": PROTOCOL, "list_path": path}]


def key_of(repository: Repository, path: str) -> str:
    """The key that s3/{bucket}/{key} names. Raises NotFound for another bucket than the repository's own."""
    protocol, _, rest = path.partition("/")
    bucket, _, key = rest.partition("/")
    if protocol != PROTOCOL or bucket.lower() != repository.name_key or "\0" in key:
        raise NotFound("There is no such bucket.", details=f"This repository's own is {PROTOCOL}/{repository.name}.")
    if not is_utf8(key):
        raise Invalid("The path is not UTF-8.")
    return key


def file(repository: Repository, path: str) -> EntryObject:
    """The entry of one object. Raises NotFound."""
    key = key_of(repository, path)
    row = rows.find(repository.pk, OWN, key) if key else None
    if row is None:
        raise NotFound(f"There is no '{key}' in this bucket.")
    return _entry(repository, row.key, row.blob.size, row.etag)


def folder(repository: Repository, path: str, *, token: str, limit: int = PAGE_ENTRIES) -> Folder:
    """What lies below a path: files and folders. Raises NotFound when nothing does; the bucket itself is there."""
    key = key_of(repository, path).strip("/")
    prefix = f"{key}/" if key else ""
    found = listing.page(repository.pk, OWN, prefix=prefix, delimiter="/", after=token, limit=limit)
    entries = [_entry(repository, name.rstrip("/"), None, "") for name in found.prefixes]
    entries += [_entry(repository, o.key, o.size, o.etag) for o in found.objects if o.key != prefix]
    if key and not token and not found.objects and not found.prefixes:
        raise NotFound(f"There is no '{key}' in this bucket.")
    return Folder(sorted(entries, key=lambda entry: str(entry["path"])), found.last)


def _entry(repository: Repository, key: str, size: int | None, etag: str) -> EntryObject:
    """DagsHub's entry: every key is there, text is never null. size None: a folder."""
    path = f"{PROTOCOL}/{repository.name}/{key}"
    at = f"{api_url(repository)}/storage"
    return {
        "path": path,
        "type": "dir" if size is None else "file",
        "size": size or 0,
        "hash": etag,
        "versioning": "bucket",
        "download_url": "" if size is None else f"{at}/raw/{quoted(path)}",
        "content_url": f"{at}/content/{quoted(path)}",
    }


async def raw(call: Call) -> None:
    """GET and HEAD /storage/raw/s3/{bucket}/{key}: bytes, with ranges."""
    access.require_scope(call.actor, Area.DATA, write=False)
    row = await in_thread(_found, call.repository, to_text(unquote_to_bytes(call.match["rest"])))
    read = partial(intact.read, row.blob, None)
    try:
        await serve(call.request, read, size=row.blob.size, etag=f'"{row.etag}"', headers=HEADERS)
    except ObjectStoreError as error:
        raise Upstream("The hub's object store did not take part.", details="Try again in a minute.") from error


def _found(repository: Repository, path: str) -> StoredObject:
    row = rows.find(repository.pk, OWN, key_of(repository, path))
    if row is None:
        raise NotFound("There is no such file in this bucket.")
    return row
