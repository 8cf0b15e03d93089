"""Static files: hashed names, compressed once, our styles as one file. Leaves out what no page uses (source maps)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import brotli
from django.contrib.staticfiles.apps import StaticFilesConfig
from django.contrib.staticfiles.finders import BaseFinder
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(StaticFilesConfig):
    ignore_patterns = ["CVS", ".*", "*~", "*.map", "rest_framework", "redoc", "swagger-ui-standalone-preset.js"]


class QuickCompressor(Compressor):
    """Brotli's highest quality takes ten times as long for a few percent: the first start must not wait for that."""

    @staticmethod
    def compress_brotli(data: bytes) -> bytes:
        return brotli.compress(data, quality=9)


STYLES = "css/covey.css"  # the files of css/ together; what all pages build on comes first
FIRST = {"css/base.css", "css/tokens.css"}


class HashedStorage(CompressedManifestStaticFilesStorage):
    # Without the source-map patterns of the parent: the maps are not collected.
    # Our modules import each other by hashed names: a browser never mixes two releases.
    patterns = (
        ("*.css", CompressedManifestStaticFilesStorage.patterns[0][1][:2]),
        ("js/*.js", CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1]),
    )

    def post_process(self, paths: dict[str, Any], *args: Any, **options: Any) -> Iterator[tuple[str, str, Any]]:
        """Our styles leave as one file: a page waits for one answer, and the next page has it already."""
        parts = sorted((path for path in paths if path.startswith("css/")), key=lambda path: (path not in FIRST, path))
        (Path(self.location) / STYLES).write_bytes(b"\n".join(Path(self.path(part)).read_bytes() for part in parts))
        rest = {path: found for path, found in paths.items() if path not in parts}
        yield from super().post_process({**rest, STYLES: (self, STYLES)}, *args, **options)

    def create_compressor(self, **options: Any) -> Compressor:
        return QuickCompressor(**options)

    def compress_files(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Only the hashed names, which pages use, and only those not compressed by an earlier start."""
        hashed = set(paths) & set(self.hashed_files.values())
        yield from super().compress_files({path for path in hashed if not self.exists(f"{path}.gz")})


# Third-party scripts come from wheels: (package, file inside it), served as vendor/<file name>.
WHEEL_FILES = [("plotly", "package_data/plotly.min.js")]


class WheelAssets(BaseFinder):
    """Finds exactly the files above; nothing else of a wheel becomes public."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.files: dict[str, FileSystemStorage] = {}
        for package, path in WHEEL_FILES:
            spec = find_spec(package)
            if spec is None or spec.origin is None:
                raise ImproperlyConfigured(f"{package} is missing: install requirements/server.txt.")
            file = Path(spec.origin).parent / path
            storage = FileSystemStorage(location=file.parent)
            storage.prefix = "vendor"  # type: ignore[attr-defined]  # collectstatic reads it
            self.files[file.name] = storage

    def find(self, path: str, find_all: bool = False, **options: Any) -> Any:
        storage = self.files.get(path.removeprefix("vendor/")) if path.startswith("vendor/") else None
        if storage is None:
            return [] if find_all else None
        found = storage.path(path.removeprefix("vendor/"))
        return [found] if find_all else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        yield from self.files.items()
