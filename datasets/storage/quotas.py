"""How much data a repository may keep: the sum of its objects' sizes, whatever others share with it.

Only where there is a limit is it counted, in a row that whoever names or removes objects locks first: so that uploads
at once cannot pass it together. Parts of uploads count when they come; MLflow's artifacts and git's files do not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable

from django.conf import settings
from django.db import transaction
from django.db.models import F, Sum
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from datasets.models import StorageCount, StoredObject
from hub.accounts import audit
from hub.accounts.actor import Actor
from hub.lib.errors import HubError, Unprocessable
from hub.lib.streams import in_thread
from repos.models import Repository

MAX_LIMIT = 2**62


class OverQuota(HubError):
    """507, not 413: DVC's terminal shows no more of an answer than its reason."""

    code = 507

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"This repository may keep {filesizeformat(limit)} of data, and this would be more. Nothing was stored.",
            details="Its administrators can collect garbage under Settings → Storage; "
            "whoever runs this hub can raise the limit.",
        )


def limit_of(own: int | None) -> int:
    """The limit in bytes that a repository's own makes with the hub's default; 0: none."""
    return settings.DATA_MAX_REPOSITORY_BYTES if own is None else own


def set_limit(actor: Actor, repository: Repository, limit: int | None) -> None:
    """limit: in bytes, 0 for none, None for the hub's default. The caller asks whether the actor runs the hub."""
    if limit is not None and not 0 <= limit <= MAX_LIMIT:
        raise Unprocessable("A limit is a number of bytes, 0 for none.")
    with transaction.atomic():
        before = repository.data_limit_bytes
        Repository.objects.filter(pk=repository.pk).update(data_limit_bytes=limit)
        StorageCount.objects.filter(repository=repository).delete()  # without a limit it was not kept up
        audit.record(
            "data.limit",
            actor,
            subject=repository.full_name,
            of=repository,
            before={"bytes": before},
            after={"bytes": limit},
        )
    repository.data_limit_bytes = limit


# ---- before bytes are taken ----------------------------------------------------------------------
def room(repository: Repository) -> int | None:
    """Bytes that may still come; None: any number."""
    limit = limit_of(repository.data_limit_bytes)
    if not limit:
        return None
    row = StorageCount.objects.filter(repository=repository, counted__isnull=False).first()
    if row is None:
        with transaction.atomic():
            row = locked(repository.pk)
    return max(0, limit - row.size)


def require_room(repository: Repository, size: int) -> None:
    """Raises OverQuota when that many bytes are too many."""
    left = room(repository)
    if left is not None and size > left:
        raise OverQuota(limit_of(repository.data_limit_bytes))


async def within(
    stream: AsyncIterator[bytes],
    repository: Repository,
    *,
    declared: int | None = None,
    room: Callable[[Repository], int | None] = room,
) -> AsyncIterator[bytes]:
    """The same stream; where there is a limit, one that raises OverQuota as soon as it is too much: before anything
    is read when that much is declared, else once it is longer than the room."""
    limit = limit_of(repository.data_limit_bytes)
    return _within(stream, await in_thread(room, repository), limit, declared or 0) if limit else stream


async def _within(stream: AsyncIterator[bytes], left: int | None, limit: int, declared: int) -> AsyncIterator[bytes]:
    total = 0
    if left is not None and declared > left:
        raise OverQuota(limit)
    async for piece in stream:
        total += len(piece)
        if left is not None and total > left:
            raise OverQuota(limit)
        yield piece


# ---- while names change, in the same transaction -------------------------------------------------
def locked(repository_id: int) -> StorageCount:
    """The count, locked, made when there is none."""
    StorageCount.objects.bulk_create([StorageCount(repository_id=repository_id)], ignore_conflicts=True)
    row = StorageCount.objects.select_for_update(no_key=True).get(repository_id=repository_id)
    if row.counted is None:
        row.size, row.counted = total_of(repository_id), timezone.now()
        row.save(update_fields=["size", "counted"])
    return row


def lock_all(rows: Iterable[int]) -> None:
    """Lock the counts of these repositories, where there are any."""
    list(StorageCount.objects.select_for_update(no_key=True).filter(repository__in=set(rows)).order_by("pk"))


def charge(repository_id: int, limit: int, more: int) -> None:
    """Count more bytes (or less), of a count that is locked. Raises OverQuota."""
    rows = StorageCount.objects.filter(repository_id=repository_id)
    if more > 0:
        rows = rows.filter(size__lte=limit - more)
    if not rows.update(size=F("size") + more):
        raise OverQuota(limit)


def refund(repository_id: int, size: int) -> None:
    StorageCount.objects.filter(repository_id=repository_id).update(size=F("size") - size)


def total_of(repository_id: int) -> int:
    rows = StoredObject.objects.filter(repository_id=repository_id)
    return int(rows.aggregate(size=Sum("blob__size"))["size"] or 0)


def recount() -> int:
    """Count again what is limited, and forget what is not; how many counts were wrong."""
    wrong = 0
    for repository in Repository.objects.filter(storage_count__isnull=False).iterator(chunk_size=100):
        with transaction.atomic():
            if not limit_of(repository.data_limit_bytes) or repository.deleted:
                StorageCount.objects.filter(repository=repository).delete()
                continue
            before = locked(repository.pk).size
            after = total_of(repository.pk)
            StorageCount.objects.filter(repository=repository).update(size=after, counted=timezone.now())
            wrong += before != after
    return wrong
