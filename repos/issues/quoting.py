"""The address of lines of a file, `…/blob/rev/path#L3-L9`, shows those lines."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from hub.accounts.actor import Actor, Area
from hub.lib.errors import HubError
from hub.lib.highlight import highlight_lines
from hub.lib.previews.kinds import is_binary
from repos.git import read
from repos.issues import unfurling
from repos.issues.unfurling import Card, Kind, quoted_lines
from repos.models import Repository
from repos.place import Place, store_of

MOST_FILES, MOST_LINES, MOST_CHARACTERS = 10, 20, 4_000  # files of a page; lines of a card
EACH_BYTES, ALL_BYTES = 512 * 1024, 4 * 1024**2
_LINES = re.compile(r"(?P<rest>.+)#L(?P<first>[1-9]\d{0,6})(?:-L?(?P<last>[1-9]\d{0,6}))?")
_PAGE = r"blob/(?P<named>.+#L\d+(?:-L?\d+)?)"


def find(actor: Actor, asked: Mapping[Repository, Collection[str]]) -> dict[Repository, dict[str, Card]]:
    return {repository: _of(repository, list(texts)[:MOST_FILES]) for repository, texts in asked.items()}


def _of(repository: Repository, texts: Collection[str]) -> dict[str, Card]:
    """One git process for the sizes, one for the bytes."""
    places = {text: found for text in texts if (found := _place(repository, text))}
    oids = [oid for _, oid in places.values()]
    if not oids:
        return {}
    store = store_of(repository)
    few = read.within(read.blob_sizes(store, oids), dict.fromkeys(oids), each_bytes=EACH_BYTES, all_bytes=ALL_BYTES)
    data = dict(read.blobs(store, few))
    cards = {text: _card(place, text, data.get(oid, b"")) for text, (place, oid) in places.items()}
    return {text: card for text, card in cards.items() if card}


def _place(repository: Repository, text: str) -> tuple[Place, str] | None:
    """Where the file is, and the id of its blob."""
    match = _LINES.fullmatch(text)
    try:
        store = store_of(repository)
        rev, path = read.split_rev(store, match["rest"] if match else "")
        entry = read.find_entry(store, rev.commit, path) if path else None
    except HubError:  # no such revision or path, a git that is too slow: it stays as written
        return None
    return (Place(repository, rev, path), entry.oid) if entry and entry.kind == "file" else None


def _card(place: Place, text: str, data: bytes) -> Card | None:
    match = _LINES.fullmatch(text)
    if match is None or not data or is_binary(data):
        return None
    first, last = int(match["first"]), int(match["last"] or match["first"])
    first, last = min(first, last), min(max(first, last), min(first, last) + MOST_LINES - 1)
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")[first - 1 : last]
    if not lines or sum(map(len, lines)) > MOST_CHARACTERS:
        return None
    shown = highlight_lines("\n".join(lines) + "\n", place.name_shown)
    note = f"{'lines' if last > first else 'line'} {first}{f' to {last}' if last > first else ''} at {place.rev_shown}"
    href = f"{place.blob_url}#L{first}" + (f"-L{last}" if last > first else "")
    return Card(href, place.path_shown, note, quoted_lines(shown, first))


unfurling.register(Kind(Area.REPO, find, page=_PAGE))
