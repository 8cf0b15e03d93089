"""The README of a directory."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hub.lib.errors import NotFound
from repos.browsing import Row
from repos.git.read import TreeEntry
from repos.place import Place
from repos.shown import Shown, shown_of

_README = re.compile(r"readme(\.(md|markdown|rst|txt))?", re.IGNORECASE)
_ORDER = ["md", "markdown", "rst", "txt", None]


@dataclass(frozen=True)
class Readme:
    name: str
    url: str
    shown: Shown


def readme_of(place: Place, rows: list[Row]) -> Readme | None:
    """The best README among the rows of a directory, rendered; None without one."""
    found = [(row, match) for row in rows if row.kind == "file" and (match := _README.fullmatch(row.name))]
    if not found:
        return None
    row, _ = min(found, key=lambda pair: _ORDER.index((pair[1][2] or "").lower() or None))
    there = place.at(f"{place.path}/{row.name}" if place.path else row.name)
    try:
        shown = shown_of(there, TreeEntry(row.name, 0o100644, row.oid))
    except NotFound:  # tracked by another source and never pushed: the listing says so
        return None
    return Readme(row.name, row.url, shown)
