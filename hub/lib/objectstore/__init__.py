"""Where bytes live: one interface, a folder or S3 behind it. Plain Python: no Django, no rows.

`hub.lib.stores.object_store()` gives the configured one. May import: nothing of ours.
"""

from hub.lib.objectstore.base import DigestMismatch, ObjectMissing, ObjectStore, ObjectStoreError, Stored, StoredPart
from hub.lib.objectstore.folder import FolderStore
from hub.lib.objectstore.s3 import S3Store

__all__ = [
    "DigestMismatch",
    "FolderStore",
    "ObjectMissing",
    "ObjectStore",
    "ObjectStoreError",
    "S3Store",
    "Stored",
    "StoredPart",
]
