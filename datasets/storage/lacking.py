"""Folders that lack a file. DVC asks for the files of a folder only where its manifest is absent: so to whoever may
push, the manifest is absent while one of its files is known to be damaged, or never came (other tools than DVC send the
manifest first), and a plain `dvc push` mends it."""

from __future__ import annotations

from datasets.dvc import keys
from datasets.models import StoredObject
from datasets.tracked import presence
from datasets.tracked.manifests import manifest_of

MOST = 500  # damaged objects that are looked for in a folder


def lacks(row: StoredObject) -> bool:
    """Whether the manifest that this row names lists a file that is not here; of too many files to count, one that is
    damaged. One query where all of them were here at the last look, which is nearly always. Raises ObjectStoreError."""
    legacy = row.key == keys.key_of(keys.oid_of(row.key), legacy=True)
    return _damaged(row, legacy=legacy) or presence.lacked(row.repository_id, row.key, row.blob, legacy=legacy) > 0


def _damaged(row: StoredObject, *, legacy: bool) -> bool:
    rotten = StoredObject.objects.filter(
        repository_id=row.repository_id, bucket=row.bucket, blob__rotten__isnull=False
    ).values_list("key", flat=True)
    names = set(rotten.order_by("pk")[:MOST])
    if not names:
        return False
    wanted = [oid for name in names if keys.key_of(oid := keys.oid_of(name), legacy=legacy) == name]
    manifest = manifest_of(row.blob)
    return manifest is not None and manifest.holds([oid for oid in wanted if not keys.is_manifest(oid)])
