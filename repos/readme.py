"""The README of a directory."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString

from repos import cache
from repos.browsing import Row
from repos.git import read
from repos.place import Place

_README = re.compile(r"readme(\.(md|markdown|rst|txt))?", re.IGNORECASE)
_ORDER = ["md", "markdown", "rst", "txt", None]
LIMIT_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Readme:
    name: str
    url: str
    html: SafeString


def readme_of(place: Place, rows: list[Row]) -> Readme | None:
    """The best README among the rows of a directory, rendered; None without one."""
    found = [(row, match) for row in rows if row.kind == "file" and (match := _README.fullmatch(row.name))]
    if not found:
        return None
    row, _ = min(found, key=lambda pair: _ORDER.index((pair[1][2] or "").lower() or None))
    html = cache.by_ids(place.repository, "readme", row.oid, make=lambda: _render(place, row))
    return Readme(row.name, row.url, html)


def _render(place: Place, row: Row) -> SafeString:
    blob = read.read_blob(place.store, row.oid, limit_bytes=LIMIT_BYTES)
    return format_html("<pre>{}</pre>", blob.data.decode("utf-8", "replace"))
