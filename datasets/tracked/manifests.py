"""Index files of manifests under COVEY_HOME/cache, named by the sha256 of the manifest: made once, safe to delete."""

from __future__ import annotations

import logging
from pathlib import Path

from asgiref.sync import async_to_sync
from django.conf import settings

from datasets.dvc import manifests
from datasets.dvc.manifests import BadManifest, Manifest
from datasets.models import Blob
from datasets.storage.intact import Damaged, intact, is_intact

logger = logging.getLogger("covey.datasets")
VERSION = 2  # grows with the schema of the index files


def manifest_of(blob: Blob) -> Manifest | None:
    """The readable manifest kept in a blob, or None when its bytes are none, or damaged. Raises ObjectStoreError."""
    place = _place(blob)
    bad = place.with_suffix(".bad")
    if not place.exists():
        if bad.exists():
            return None
        try:
            async_to_sync(manifests.build)(intact(blob), place)
        except BadManifest as error:
            logger.warning("manifest %s cannot be read: %s", blob.md5, error)
            if is_intact(blob):
                bad.touch()
            return None
        except Damaged as error:
            logger.error("%s", error)
            return None
    return Manifest(place)


def forget(blob: Blob) -> None:
    """Remove what was made of a manifest whose bytes go."""
    place = _place(blob)
    for path in (place, place.with_suffix(".bad")):
        path.unlink(missing_ok=True)


def _place(blob: Blob) -> Path:
    folder = settings.COVEY_HOME / "cache" / f"manifests-{VERSION}" / blob.sha256[:2]
    return Path(folder) / f"{blob.sha256[2:]}.sqlite"
