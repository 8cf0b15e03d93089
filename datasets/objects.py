"""Which repository may name which bytes. Bytes are durable in the store before a row here tells of them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection, transaction

from datasets.models import Blob, StoredObject
from hub.lib.errors import Busy, NotFound
from hub.lib.objectstore import Stored
from hub.lib.prepared import Prepared
from hub.lib.stores import object_store
from repos.models import Repository

_BATCH = 500  # SQLite allows 32,766 parameters in a query; short statements also keep its writers short


def find(repository_id: int, bucket: str, key: str) -> Blob | None:
    """The bytes this repository keeps under this name."""
    return Blob.objects.filter(names__repository_id=repository_id, names__bucket=bucket, names__key=key).first()


def blobs(repository_id: int, bucket: str, keys: Iterable[str]) -> dict[str, Blob]:
    """The blob of each of these keys that is present; one query per 500 keys."""
    wanted = list(dict.fromkeys(keys))
    found: dict[str, Blob] = {}
    for start in range(0, len(wanted), _BATCH):
        rows = StoredObject.objects.filter(
            repository_id=repository_id, bucket=bucket, key__in=wanted[start : start + _BATCH]
        )
        found.update((row.key, row.blob) for row in rows.select_related("blob"))
    return found


def is_whole(repository_id: int, bucket: str, key: str) -> bool:
    """Whether the repository has this name and the store still has its bytes: if not, pushing again mends it."""
    blob = find(repository_id, bucket, key)
    return blob is not None and object_store().exists(blob.key)


def sizes(repository_id: int, bucket: str, keys: Iterable[str]) -> dict[str, int]:
    """Size in bytes of each of these keys that is present; one query per 500 keys."""
    wanted = list(dict.fromkeys(keys))
    found: dict[str, int] = {}
    for start in range(0, len(wanted), _BATCH):
        rows = StoredObject.objects.filter(
            repository_id=repository_id, bucket=bucket, key__in=wanted[start : start + _BATCH]
        )
        found.update(rows.values_list("key", "blob__size"))
    return found


def publish(repository_id: int, bucket: str, key: str, stored: Stored) -> Blob:
    """Let a repository name these bytes: both rows in one transaction, with the bytes seen to be there.

    When the same bytes were here already, the older copy stays and the new one is removed (unless the store has lost
    the older). When the name was taken in the meantime its first row stays: it names the same bytes.
    Raises NotFound when the repository has gone, Busy when the bytes were removed in this very moment (removal.py).
    """
    with transaction.atomic():
        hold(repository_id)
        blob = locked(stored)
        StoredObject.objects.bulk_create(
            [StoredObject(repository_id=repository_id, bucket=bucket, key=key, blob=blob, etag=stored.md5)],
            ignore_conflicts=True,
        )
        keep_one(blob, stored)
    return blob


def hold(repository_id: int) -> None:
    """Keep the repository from being emptied until the transaction ends. Raises NotFound when it was deleted.

    FOR KEY SHARE, which Django cannot say: uploads do not wait for each other. SQLite has one writer anyway.
    """
    lock = " FOR KEY SHARE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        alive = f"SELECT 1 FROM {Repository._meta.db_table} WHERE id = %s AND deleted IS NULL{lock}"  # noqa: S608  # ours
        cursor.execute(alive, [repository_id])
        if cursor.fetchone() is None:
            raise NotFound()


def locked(stored: Stored) -> Blob:
    """The row of these bytes, made if need be, locked until the transaction ends."""
    while True:
        # ON CONFLICT DO NOTHING: of two uploads at the same moment one makes the row, both find it.
        Blob.objects.bulk_create(
            [Blob(sha256=stored.sha256, md5=stored.md5, size=stored.size, key=stored.key)], ignore_conflicts=True
        )
        blob = _LOCKED.first(stored.sha256)
        if blob is not None:  # else it was removed since the first statement saw it
            return blob


_LOCKED = Prepared(lambda sha256: Blob.objects.select_for_update(no_key=True).filter(sha256=sha256), str)


def keep_one(blob: Blob, stored: Stored) -> None:
    """One copy of the bytes, in the place the row tells."""
    store = object_store()
    if store.exists(blob.key):
        if blob.key != stored.key:
            store.delete(stored.key)
        return
    if blob.key == stored.key:
        raise Busy("The last other copy of these bytes was just removed.", details="Send them again.")
    blob.key = stored.key
    blob.save(update_fields=["key"])
