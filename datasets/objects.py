"""Which repository may name which bytes. Bytes are durable in the store before a row here tells of them.

A name of rotten bytes is absent to whoever asks here, until they come again (scrubbing.py). And whoever may push and
hears that an object is here will not send it: so that is written down, and collection (garbage.py) waits a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from datasets.models import Blob, StoredObject
from datasets.storage import quotas
from hub.accounts.actor import Actor, Area
from hub.lib.errors import Busy, NotFound
from hub.lib.objectstore import Stored
from hub.lib.prepared import Prepared, insert, moment
from hub.lib.stores import object_store
from hub.lib.streams import fresh_connections
from hub.lib.together import Together
from repos.models import Repository

TELL_AGAIN = timedelta(hours=1)
_BATCH = 500  # SQLite allows 32,766 parameters in a query; short statements also keep its writers short


def find(repository_id: int, bucket: str, key: str) -> Blob | None:
    """The bytes this repository keeps under this name."""
    row = named(repository_id, bucket, key)
    return row.blob if row and row.blob.rotten is None else None


def named(repository_id: int, bucket: str, key: str) -> StoredObject | None:
    """The row of a name with its blob, which may be rotten."""
    return _NAMED.first(repository_id, bucket, key)


_NAMED = Prepared(
    lambda repository_id, bucket, key: StoredObject.objects.select_related("blob").filter(
        repository_id=repository_id, bucket=bucket, key=key
    ),
    int,
    str,
    str,
)


def whole(repository_id: int, bucket: str) -> QuerySet[StoredObject]:
    """The names whose bytes are not known to be damaged."""
    return StoredObject.objects.filter(repository_id=repository_id, bucket=bucket, blob__rotten=None)


def blobs(repository_id: int, bucket: str, keys: Iterable[str]) -> dict[str, Blob]:
    """The blob of each of these keys that is present; one query per 500 keys."""
    wanted = list(dict.fromkeys(keys))
    found: dict[str, Blob] = {}
    for start in range(0, len(wanted), _BATCH):
        rows = whole(repository_id, bucket).filter(key__in=wanted[start : start + _BATCH])
        found.update((row.key, row.blob) for row in rows.select_related("blob"))
    return found


# ---- what pushers are told ---------------------------------------------------------------------
class Told(Protocol):
    """A row, or as much of it as a list holds."""

    @property
    def created(self) -> datetime: ...

    @property
    def told(self) -> datetime | None: ...


def may_push(actor: Actor, repository: Repository) -> bool:
    """Of a repository that the gate has granted."""
    return repository.can_write and actor.has_scope(Area.DATA, write=True)


def is_told_late(row: Told) -> bool:
    """Whether it must be written down that a pusher hears of it now."""
    return max(row.created, row.told or row.created) < timezone.now() - TELL_AGAIN


def tell(row: StoredObject) -> bool:
    """Write down that a pusher hears that this is here; False when it was just collected: then it is not."""
    return not is_told_late(row) or _tell_together.ask(row.pk).result()


def tell_all(repository_id: int, bucket: str, rows: Mapping[str, Told]) -> bool:
    """The same of several, by key: False when one of them was just collected."""
    late = [key for key, row in rows.items() if is_told_late(row)]
    named_ = StoredObject.objects.filter(repository_id=repository_id, bucket=bucket, key__in=late)
    return not late or named_.update(told=timezone.now()) == len(late)


def _tell(ids: Sequence[int]) -> list[bool]:
    with transaction.atomic():
        rows = StoredObject.objects.filter(pk__in=ids)
        rows.update(told=timezone.now())
        here = set(rows.values_list("pk", flat=True))
    return [pk in here for pk in ids]


_tell_together = Together("tell", fresh_connections()(_tell))


def is_whole(row: StoredObject) -> bool:
    """Whether the bytes of a name are still here, for whoever would send them: if not, pushing again mends it."""
    return row.blob.rotten is None and object_store().exists(row.blob.key) and tell(row)


def sizes(repository_id: int, bucket: str, keys: Iterable[str]) -> dict[str, int]:
    """Size in bytes of each of these keys that is present; one query per 500 keys."""
    wanted = list(dict.fromkeys(keys))
    found: dict[str, int] = {}
    for start in range(0, len(wanted), _BATCH):
        rows = whole(repository_id, bucket).filter(key__in=wanted[start : start + _BATCH])
        found.update(rows.values_list("key", "blob__size"))
    return found


@dataclass(frozen=True)
class Naming:
    """A repository's wish to name stored bytes. mends: the name was there, but not its bytes."""

    repository_id: int
    bucket: str
    key: str
    stored: Stored
    mends: bool = False


def publish(repository_id: int, bucket: str, key: str, stored: Stored) -> Blob:
    """Let a repository name these bytes: both rows in one transaction, with the bytes seen to be there.

    When the same bytes were here already, the older copy stays and the new one is removed (unless the store has lost
    the older, or it is rotten). When the name was taken in the meantime its first row stays: it names the same bytes.
    Raises NotFound when the repository has gone, Busy when the bytes were removed in this very moment (removal.py),
    OverQuota.
    """
    return publish_all([Naming(repository_id, bucket, key, stored)])[0]


def publish_all(wanted: Sequence[Naming]) -> list[Blob]:
    """publish() of several, all or none."""
    with transaction.atomic():
        for repository_id in sorted({naming.repository_id for naming in wanted}):
            if limit := hold(repository_id):
                _charge(repository_id, limit, [naming for naming in wanted if naming.repository_id == repository_id])
        found = locked_all([naming.stored for naming in wanted])
        now = moment()
        rows = {
            (each.repository_id, each.bucket, each.key): (found[each.stored.sha256].pk, each.stored.md5, "{}", now, now)
            for each in wanted
        }
        insert(
            StoredObject,
            ("repository_id", "bucket", "key", "blob_id", "etag", "metadata", "created", "told"),
            [(*place, *rows[place]) for place in sorted(rows)],
            conflict="(repository_id, bucket, key) DO UPDATE SET told = excluded.told",
        )
        for naming in wanted:
            if naming.mends:
                _name_instead(naming, found[naming.stored.sha256])
        keep_one_copy((found[naming.stored.sha256], naming.stored) for naming in wanted)
    return [found[naming.stored.sha256] for naming in wanted]


def _charge(repository_id: int, limit: int, wanted: Sequence[Naming]) -> None:
    """Count those that have no row yet. Raises OverQuota."""
    quotas.locked(repository_id)
    sizes = {(naming.bucket, naming.key): naming.stored.size for naming in wanted}
    rows = StoredObject.objects.filter(repository_id=repository_id, key__in=[key for _, key in sizes])
    for place in rows.values_list("bucket", "key"):
        sizes.pop(place, None)
    quotas.charge(repository_id, limit, sum(sizes.values()))


def _name_instead(naming: Naming, blob: Blob) -> None:
    """Leave rotten bytes for others that may bear the same name: text that DVC 2 named without its CR."""
    rows = StoredObject.objects.filter(repository_id=naming.repository_id, bucket=naming.bucket, key=naming.key)
    rows.filter(blob__rotten__isnull=False).exclude(blob=blob).update(blob=blob, etag=naming.stored.md5)


# Clients send many small objects at once; a commit to disk each would be most of their time.
publish_together = Together("publish", fresh_connections()(publish_all))


def hold(repository_id: int) -> int:
    """Keep the repository from being emptied until the transaction ends; its limit in bytes, 0 for none.

    Raises NotFound when it was deleted.

    FOR KEY SHARE, which Django cannot say: uploads do not wait for each other. SQLite has one writer anyway.
    """
    lock = " FOR KEY SHARE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        alive = f"SELECT data_limit_bytes FROM {Repository._meta.db_table} WHERE id = %s AND deleted IS NULL{lock}"  # noqa: S608  # ours
        cursor.execute(alive, [repository_id])
        found = cursor.fetchone()
    if found is None:
        raise NotFound()
    return quotas.limit_of(found[0])


def locked(stored: Stored) -> Blob:
    """The row of these bytes, made if need be, locked until the transaction ends."""
    return locked_all([stored])[stored.sha256]


def locked_all(stored: Sequence[Stored]) -> dict[str, Blob]:
    """locked() of several, by sha256. Made in the order of their hashes and locked in the order of their ids, so that
    no two transactions wait for each other."""
    wanted = {each.sha256: each for each in sorted(stored, key=lambda each: (each.sha256, each.md5))}
    while True:
        # Of two uploads at the same moment one makes the row, both find it.
        now = moment()
        fresh = [(each.sha256, each.md5, each.size, each.key, now) for each in wanted.values()]
        insert(Blob, ("sha256", "md5", "size", "key", "created"), fresh)
        found = {blob.sha256: blob for blob in _lock(list(wanted))}
        if len(found) == len(wanted):  # else one was removed since the first statement saw it
            for blob in found.values():
                _learn_md5(blob, wanted[blob.sha256])
            return found


def _learn_md5(blob: Blob, stored: Stored) -> None:
    """Of bytes that came in parts before, and now with their md5."""
    if not blob.md5 and stored.md5:
        blob.md5 = stored.md5
        blob.save(update_fields=["md5"])


def _lock(hashes: list[str]) -> list[Blob]:
    """select_for_update(no_key=True) by sha256, in plain SQL for the reason of insert(); without created."""
    fields = ["id", "sha256", "md5", "size", "key", "rotten"]
    marks = ", ".join(["%s"] * len(hashes))
    sql = f"SELECT {', '.join(fields)} FROM {Blob._meta.db_table} WHERE sha256 IN ({marks}) ORDER BY id"  # noqa: S608  # ours
    with connection.cursor() as cursor:
        cursor.execute(sql + (" FOR NO KEY UPDATE" if connection.vendor == "postgresql" else ""), hashes)
        return [Blob.from_db(connection.alias, fields, row) for row in cursor.fetchall()]


def keep_one_copy(pairs: Iterable[tuple[Blob, Stored]]) -> None:
    """Of each blob's bytes one copy, in the place its row tells. Raises Busy."""
    pairs = list(pairs)
    here = object_store().present({blob.key for blob, _ in pairs if not blob.rotten})
    for blob, stored in pairs:
        _keep_one(blob, stored, here)


def _keep_one(blob: Blob, stored: Stored, here: set[str]) -> None:
    """here: the keys whose bytes the store has; what this one brings is added."""
    if blob.rotten:
        if blob.key != stored.key:
            object_store().delete(blob.key)
        blob.key, blob.rotten, blob.checked = stored.key, None, timezone.now()
        blob.save(update_fields=["key", "rotten", "checked"])
    elif blob.key in here:
        if blob.key != stored.key:
            object_store().delete(stored.key)
    elif blob.key == stored.key:
        # Removed by whoever held the row before (removal.py), or lost by a store that said it has them.
        again = "Send them again. If it goes on, an administrator runs `covey doctor`."
        raise Busy("The store does not have these bytes any more.", details=again)
    else:
        blob.key = stored.key
        blob.save(update_fields=["key"])
    here.add(blob.key)
