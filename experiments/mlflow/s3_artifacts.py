"""Artifacts in the hub's bucket, under the prefix mlflow/: streamed both ways by obstore."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache

import obstore
from django.conf import settings
from obstore.exceptions import BaseError
from obstore.store import S3Store

from experiments.mlflow.artifacts import PIECE_BYTES, Item, Status, joined
from hub.lib.errors import NotFound, OutOfSpace, Upstream, says_disk_full
from hub.lib.streams import in_thread

PART_BYTES = 8 * 1024 * 1024
LISTED_AT_ONCE = 1000
LAST = "\U0010ffff"  # behind every name that goes on
DELETED_AT_ONCE = 1000  # as many as one request of S3's takes
UNREACHABLE = "The object store did not take or give the artifact."


@lru_cache(maxsize=1)
def _store() -> S3Store:
    return S3Store(
        settings.COVEY_S3_BUCKET,
        prefix="mlflow",
        endpoint=settings.COVEY_S3_ENDPOINT,
        access_key_id=settings.COVEY_S3_ACCESS_KEY,
        secret_access_key=settings.COVEY_S3_SECRET_KEY,
        region=settings.COVEY_S3_REGION,
        # obstore's own are ten in three minutes, which no client waits for.
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
        client_options={"allow_http": settings.COVEY_S3_ENDPOINT.startswith("http://")},
    )


class Bucket:
    async def put(self, path: str, stream: AsyncIterator[bytes]) -> None:
        """One PUT for a small file, a multipart that completes only when the body did for a larger one. What the
        store says that it took is looked at before the client hears of it. Raises Upstream."""
        pieces = joined(stream, PART_BYTES)
        first = await anext(pieces, b"")
        with _translated(path):
            try:
                kept = await (_put_small(path, first) if len(first) < PART_BYTES else _put_large(path, first, pieces))
            except FileNotFoundError:
                kept = False
        if not kept:
            raise Upstream("The object store did not keep the artifact that it was given.", details="Send it again.")

    async def open(self, path: str) -> tuple[int, AsyncIterator[bytes]]:
        with _translated(path):
            found = await obstore.get_async(_store(), path)
        return found.meta["size"], _pieces(found)

    def listing(self, prefix: str, limit: int) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        with _translated(prefix):
            for batch in obstore.list(_store(), prefix, chunk_size=limit):
                found += [(item["path"].removeprefix(f"{prefix}/"), item["size"]) for item in batch]
                if len(found) >= limit:
                    break
        return sorted(found[:limit])

    def level(self, folder: str, *, after: str, limit: int) -> list[Item]:
        """A folder in it costs one request more, however much it holds: the listing goes on behind it."""
        found: list[Item] = []
        prefix, offset = f"{folder}/", _behind(f"{folder}/{after}") if after else None
        with _translated(folder):
            while len(found) < limit:
                keys = next(iter(obstore.list(_store(), folder, offset=offset, chunk_size=LISTED_AT_ONCE)), [])
                for key in keys:
                    name, inside, _ = key["path"].removeprefix(prefix).partition("/")
                    item = Item(name, None if inside else key["size"])
                    if not found or found[-1].cursor != item.cursor:
                        found.append(item)
                if len(keys) < LISTED_AT_ONCE:
                    break
                offset = _behind(f"{prefix}{found[-1].cursor}")
        return found[:limit]

    def status(self, path: str) -> Status:
        with _translated(path):
            found = obstore.head(_store(), path)
        return Status(found["size"], (found["e_tag"] or "").strip('"'))

    def part(self, path: str, start: int, end: int) -> bytes:
        with _translated(path):
            return bytes(obstore.get_range(_store(), path, start=start, end=end)) if end > start else b""

    async def pieces(self, path: str, start: int, end: int) -> AsyncIterator[bytes]:
        with _translated(path):
            found = await obstore.get_async(_store(), path, options={"range": (start, end)})
        async for piece in _pieces(found):
            yield piece

    def workspaces(self) -> set[str]:
        with _translated("workspaces"):
            found = obstore.list_with_delimiter(_store(), "workspaces")
        return {path.rsplit("/", 1)[-1] for path in found["common_prefixes"]}

    def remove_some(self, prefix: str, most: int) -> tuple[int, int]:
        """The first page of the listing: deleting while listing on would skip some."""
        with _translated(prefix):
            page = next(iter(obstore.list(_store(), prefix, chunk_size=min(most, DELETED_AT_ONCE))), None) or []
            obstore.delete(_store(), [item["path"] for item in page])
            return len(page), sum(item["size"] for item in page)

    def sweep(self, *, older_than_seconds: float = 3600) -> int:
        """Nothing: an upload that died is a multipart one, and the sweep of objects ends all of the bucket."""
        return 0


def _behind(place: str) -> str:
    """Where a listing goes on after a file, or after all that a folder (ending in "/") holds."""
    return f"{place}{LAST}" if place.endswith("/") else place


@contextmanager
def _translated(path: str) -> Iterator[None]:
    """What the store says, as an answer."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"There is no artifact {path.rsplit('/', 1)[-1]!r}.") from error
    except BaseError as error:
        if says_disk_full(error):
            raise OutOfSpace() from error
        raise Upstream(UNREACHABLE, details="Run `covey doctor` on the hub.") from error


async def _put_small(path: str, data: bytes) -> bool:
    """Whether the store has it: by its tag, which is the md5, or else (as where it encrypts with keys of its own) by
    the bytes."""
    await obstore.put_async(_store(), path, data, use_multipart=False)
    found = await obstore.head_async(_store(), path)
    if found["size"] != len(data):
        return False
    if (found["e_tag"] or "").strip('"') == await in_thread(_md5, data):
        return True
    return not data or bytes(await obstore.get_range_async(_store(), path, start=0, end=len(data))) == data


async def _put_large(path: str, first: bytes, rest: AsyncIterator[bytes]) -> bool:
    """Whether the store has as much as it was given."""
    size = 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal size
        size += len(first)
        yield first
        async for piece in rest:
            size += len(piece)
            yield piece

    await obstore.put_async(_store(), path, counted(), chunk_size=PART_BYTES)
    return (await obstore.head_async(_store(), path))["size"] == size


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


async def _pieces(found: obstore.GetResult) -> AsyncIterator[bytes]:
    async for piece in found.stream(min_chunk_size=PIECE_BYTES):
        yield bytes(piece)
