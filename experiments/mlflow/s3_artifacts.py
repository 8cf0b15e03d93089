"""Artifacts in the hub's bucket, under the prefix mlflow/: streamed both ways by obstore."""

from __future__ import annotations

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
        """One PUT for a small file, a multipart that completes only when the body did for a larger one."""
        pieces = joined(stream, PART_BYTES)
        first = await anext(pieces, b"")
        with _translated(path):
            if len(first) < PART_BYTES:
                await obstore.put_async(_store(), path, first, use_multipart=False)
            else:
                await obstore.put_async(_store(), path, _chain(first, pieces), chunk_size=PART_BYTES)

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


async def _chain(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


async def _pieces(found: obstore.GetResult) -> AsyncIterator[bytes]:
    async for piece in found.stream(min_chunk_size=PIECE_BYTES):
        yield bytes(piece)
