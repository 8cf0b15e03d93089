"""The configured object store, made once per process on first use."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from hub.lib.objectstore import FolderStore, ObjectStore, S3Store


@lru_cache(maxsize=1)
def object_store() -> ObjectStore:
    """S3 when COVEY_S3_ENDPOINT is set, else the folder under COVEY_HOME."""
    if not settings.COVEY_S3_ENDPOINT:
        return FolderStore(settings.OBJECTS_ROOT)
    settings.TMP_ROOT.mkdir(mode=0o700, parents=True, exist_ok=True)
    return S3Store(
        endpoint=settings.COVEY_S3_ENDPOINT,
        bucket=settings.COVEY_S3_BUCKET,
        access_key=settings.COVEY_S3_ACCESS_KEY,
        secret_key=settings.COVEY_S3_SECRET_KEY,
        region=settings.COVEY_S3_REGION,
        temporary=settings.TMP_ROOT,
    )
