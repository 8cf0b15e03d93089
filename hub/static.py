"""Static files: hashed names, compressed once. Leaves out what no page uses (source maps, DRF's own pages)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.contrib.staticfiles.apps import StaticFilesConfig
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(StaticFilesConfig):
    ignore_patterns = ["CVS", ".*", "*~", "*.map", "rest_framework"]


class HashedStorage(CompressedManifestStaticFilesStorage):
    # Without the source-map patterns of the parent: the maps are not collected.
    patterns = (("*.css", CompressedManifestStaticFilesStorage.patterns[0][1][:2]),)

    def compress_files(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Only the hashed names, which pages use, and only those not compressed by an earlier start."""
        hashed = set(paths) & set(self.hashed_files.values())
        yield from super().compress_files({path for path in hashed if not self.exists(f"{path}.gz")})
