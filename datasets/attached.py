"""Keeps the bytes of attachments (repos.attachments) as objects of their repository: counted, scrubbed, backed up,
limited and removed as its other objects are. No S3 client reaches this bucket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection

from datasets import objects
from datasets.models import StoredObject
from datasets.storage import quotas, removal
from datasets.tracked.contents import StoredContent
from hub.lib.stores import object_store
from repos.content import Entry
from repos.models import Repository

BUCKET = "attachments"


class AttachmentKeeper:
    async def keep(self, repository: Repository, key: str, stream: AsyncIterator[bytes], size: int) -> str:
        """Raises OverQuota, ObjectStoreError, NotFound."""
        stored = await object_store().put(await quotas.within(stream, repository, declared=size))
        async with removal.dropped_over_quota(stored):
            await objects.publish_together(objects.Naming(repository.pk, BUCKET, key, stored))
        return stored.sha256

    def open(self, repository: Repository, key: str, name: str) -> StoredContent | None:
        blob = objects.find(repository.pk, BUCKET, key)
        if blob is None:
            return None
        return StoredContent(Entry(name, "file", blob.sha256, blob.size), blob.size, blob.key)

    def forget(self, repository_id: int, keys: Collection[str]) -> None:
        names = list(keys)
        for start in range(0, len(names), removal.BATCH):
            some = names[start : start + removal.BATCH]
            removal.remove_names(StoredObject.objects.filter(repository_id=repository_id, bucket=BUCKET, key__in=some))
