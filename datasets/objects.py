"""Which repository may name which bytes. Bytes are durable in the store before a row here tells of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from datasets.models import Blob, StoredObject
from hub.lib.errors import Busy, NotFound
from hub.lib.objectstore import Stored
from hub.lib.prepared import Prepared
from hub.lib.stores import object_store
from hub.lib.together import Together
from repos.models import Repository

_BATCH = 500  # SQLite allows 32,766 parameters in a query; short statements also keep its writers short


def find(repository_id: int, bucket: str, key: str) -> Blob | None:
    """The bytes this repository keeps under this name."""
    return _NAMED.first(repository_id, bucket, key)


_NAMED = Prepared(
    lambda repository_id, bucket, key: Blob.objects.filter(
        names__repository_id=repository_id, names__bucket=bucket, names__key=key
    ),
    int,
    str,
    str,
)


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


@dataclass(frozen=True)
class Naming:
    """A repository's wish to name stored bytes."""

    repository_id: int
    bucket: str
    key: str
    stored: Stored


def publish(repository_id: int, bucket: str, key: str, stored: Stored) -> Blob:
    """Let a repository name these bytes: both rows in one transaction, with the bytes seen to be there.

    When the same bytes were here already, the older copy stays and the new one is removed (unless the store has lost
    the older). When the name was taken in the meantime its first row stays: it names the same bytes.
    Raises NotFound when the repository has gone, Busy when the bytes were removed in this very moment (removal.py).
    """
    return publish_all([Naming(repository_id, bucket, key, stored)])[0]


def publish_all(wanted: Sequence[Naming]) -> list[Blob]:
    """publish() of several, all or none."""
    with transaction.atomic():
        for repository_id in sorted({naming.repository_id for naming in wanted}):
            hold(repository_id)
        found = locked_all([naming.stored for naming in wanted])
        rows = [
            StoredObject(
                repository_id=naming.repository_id,
                bucket=naming.bucket,
                key=naming.key,
                blob=found[naming.stored.sha256],
                etag=naming.stored.md5,
            )
            for naming in wanted
        ]
        StoredObject.objects.bulk_create(rows, ignore_conflicts=True)
        for naming in wanted:
            keep_one(found[naming.stored.sha256], naming.stored)
    return [row.blob for row in rows]


# Clients send many small objects at once; a commit to disk each would be most of their time.
publish_together = Together(publish_all)


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
    return locked_all([stored])[stored.sha256]


def locked_all(stored: Sequence[Stored]) -> dict[str, Blob]:
    """locked() of several, by sha256. Made in the order of their hashes and locked in the order of their ids, so that
    no two transactions wait for each other."""
    wanted = {each.sha256: each for each in sorted(stored, key=lambda each: each.sha256)}
    while True:
        # ON CONFLICT DO NOTHING: of two uploads at the same moment one makes the row, both find it.
        fresh = [Blob(sha256=each.sha256, md5=each.md5, size=each.size, key=each.key) for each in wanted.values()]
        Blob.objects.bulk_create(fresh, ignore_conflicts=True)
        rows = Blob.objects.select_for_update(no_key=True).filter(sha256__in=wanted).order_by("pk")
        found = {blob.sha256: blob for blob in rows}
        if len(found) == len(wanted):  # else one was removed since the first statement saw it
            return found


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
