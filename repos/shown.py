"""How one file is shown: its preview, made once per content, name and place of its links."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.safestring import SafeString

from hub.lib import previews
from hub.lib.previews import Preview
from repos import cache, code, files
from repos.content import Entry
from repos.git import read
from repos.git.read import TreeEntry
from repos.place import Place

VERSION = 1


@dataclass(frozen=True)
class Shown:
    """kind: code, link, submodule, or a kind of preview. html: safe. target: of a symbolic link.

    note: one sentence on what is left out. has_source: there is a preview and a source to switch between.
    """

    kind: str
    html: SafeString | str = ""
    lines: int = 0
    target: str = ""
    note: str = ""
    warning: bool = False
    has_source: bool = False


def shown_of(place: Place, entry: TreeEntry | Entry, *, as_source: bool = False) -> Shown:
    """What to show of the file at a place. Raises NotFound when its bytes are not here."""
    if isinstance(entry, TreeEntry):
        if entry.kind == "submodule":
            return Shown("submodule")
        if entry.kind == "link":
            target = read.read_blob(place.store, entry.oid, limit_bytes=4096).data
            return Shown("link", target=target.decode("utf-8", "replace"))
    # Links of a text lead to the rev it is read at, so the rev's name is part of what is kept.
    ids = (entry.oid, place.path, place.rev.name, as_source, previews.RENDERER_VERSION, VERSION)
    return cache.by_ids(place.repository, "shown", *ids, make=lambda: _make(place, as_source))


def _make(place: Place, as_source: bool) -> Shown:
    root = place.at("")
    preview = previews.render(
        place.path_shown,
        files.open_file(place.repository, place.commit, place.path),
        raw_url=place.raw_url,
        link_base=root.blob_url + "/",
        raw_base=root.raw_url + "/",
        as_source=as_source,
    )
    return of_preview(preview)


def of_preview(preview: Preview) -> Shown:
    return Shown(
        kind=preview.kind,
        html=code.numbered(list(preview.lines)) if preview.lines else preview.html,
        lines=len(preview.lines),
        note=preview.note,
        warning=preview.warning,
        has_source=preview.has_source,
    )
