"""The DVC HTTP remote of a repository: /{owner}/{name}.dvc, in DVC 3's layout and DVC 2's.

DVC asks for existence with a GET it hangs up on, uploads chunked and once, and deletes nothing (wire/dvc.md §1).
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import partial

from django.conf import settings

from datasets import objects
from datasets.dvc import keys
from datasets.models import Blob
from datasets.storage import intact, lacking, quotas, removal
from hub.accounts.actor import Area
from hub.lib.errors import STORE_AWAY, Invalid, NotFound, OutOfSpace, Upstream, says_disk_full
from hub.lib.objectstore import DigestMismatch, ObjectMissing, ObjectStoreError
from hub.lib.objectstore.digests import Digests, feed, pieces, run
from hub.lib.ranges import serve
from hub.lib.stores import object_store
from repos.models import Access
from repos.surface import Call, Surface, route

logger = logging.getLogger("covey.dvc")
MAX_OBJECT_BYTES = 5 * 1024**4
PRESIGNED_SECONDS = 300
OCTETS = ("content-type", "application/octet-stream")
# Bytes of strangers: never rendered, never guessed at, and kept by no shared cache since access may be taken away.
HEADERS = [OCTETS, ("x-content-type-options", "nosniff"), ("cache-control", "private, no-cache")]
HEADERS += [("content-security-policy", "sandbox; default-src 'none'"), ("content-disposition", "attachment")]
OBJECT = r"(?P<layout>files/md5/)?(?P<shard>[0-9a-f]{2})/(?P<rest>[0-9a-f]{30}(?:\.dir)?)"


async def download(call: Call) -> None:
    """GET and HEAD of one object."""
    blob, data = call.found
    if settings.COVEY_S3_PRESIGN and call.request.method == "GET":
        url = await run(partial(object_store().presigned_url, blob.key, seconds=PRESIGNED_SECONDS))
        if url:
            return await call.request.respond(307, b"", [("location", url), ("cache-control", "no-store")])
    with _upstream():
        read = partial(intact.read, blob, data)
        await serve(call.request, read, size=blob.size, etag=f'"{blob.md5}"', headers=HEADERS)


def _found(call: Call) -> tuple[Blob, bytes | None]:
    """The object, with its bytes when they are few and near. Raises NotFound: DVC asks with this whether it has to send
    an object."""
    key, _, _ = _names(call)
    row = objects.named(call.repository.pk, keys.BUCKET, key)
    if row is None or (objects.may_push(call.actor, call.repository) and not objects.tell(row)):
        raise NotFound("This object is not in this repository.", details="Run `dvc push` where the data is.")
    if row.blob.rotten:
        raise NotFound("The hub's copy of this object is damaged.", details="Run `dvc push` where the data is.")
    with _upstream():
        if _asks_to_push(call, key) and lacking.lacks(row):
            raise NotFound(
                "A file of this folder is damaged or never came.", details="Run `dvc push` where the data is."
            )
        data = object_store().at_hand(row.blob.key, row.blob.size) if call.request.method == "GET" else None
    return row.blob, data


def _asks_to_push(call: Call, key: str) -> bool:
    """Whether this may be DVC's question if a folder is here. It reads one with HEAD and ranges."""
    plain = call.request.method == "GET" and "range" not in call.request.headers
    return plain and keys.is_manifest(key) and objects.may_push(call.actor, call.repository)


async def upload(call: Call) -> None:
    """POST and PUT mean the same: keep the body if its md5 is the name. 201 when new, 200 when it was here."""
    key, md5, legacy = _names(call)
    body = call.request.body(limit_bytes=MAX_OBJECT_BYTES)
    with _upstream():
        named, whole = call.found
        if whole:
            await _compare(body, md5, legacy=legacy)
            return await call.request.respond(200)
        if not named:
            body = await quotas.within(body, call.repository)
        stored = await object_store().put(body, md5s=frozenset({md5}), unix_text=legacy)
        async with removal.dropped_over_quota(stored):
            await objects.publish_together(objects.Naming(call.repository.pk, keys.BUCKET, key, stored, mends=named))
    await call.request.respond(201)


def _is_whole(call: Call) -> tuple[bool, bool]:
    """Whether the name is here, and whether its bytes are."""
    key, _, _ = _names(call)
    row = objects.named(call.repository.pk, keys.BUCKET, key)
    with _upstream():
        return row is not None, row is not None and objects.is_whole(row)


async def _compare(body: AsyncIterator[bytes], md5: str, *, legacy: bool) -> None:
    """Read a body that is here already; even so, other bytes under this name are not acknowledged."""
    digests = Digests(unix_text=legacy)
    async for piece in pieces(body):
        await feed(digests.update, piece)
    if not digests.match(frozenset({md5})):
        raise DigestMismatch(f"The bytes have the md5 {digests.md5}.")


def _names(call: Call) -> tuple[str, str, bool]:
    """(key, md5, legacy) of the object a URL names."""
    legacy = call.match["layout"] is None
    oid = call.match["shard"] + call.match["rest"]
    return keys.key_of(oid, legacy=legacy), oid.removesuffix(".dir"), legacy


@contextmanager
def _upstream() -> Iterator[None]:
    """What the store says, as an answer for the terminal."""
    try:
        yield
    except DigestMismatch as error:
        raise Invalid(
            f"The body is not the object its name promises. {error}",
            details="Nothing was stored. The file in DVC's cache may be damaged: `dvc status`, then `dvc push` again.",
        ) from error
    except ObjectMissing as error:
        logger.error("the store has lost %s", error)
        raise Upstream("The hub has lost these bytes.", details="Push them again with `dvc push`.") from error
    except ObjectStoreError as error:
        logger.error("%s", error)
        if says_disk_full(error):
            raise OutOfSpace() from error
        raise Upstream("The hub's object store did not take part.", details=STORE_AWAY) from error


surface = Surface(
    ".dvc",
    Area.DATA,
    [
        route("GET HEAD", OBJECT, download, Access.READ, _found),
        route("POST PUT", OBJECT, upload, Access.WRITE, _is_whole),
    ],
)
