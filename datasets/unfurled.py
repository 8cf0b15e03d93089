"""`data:path@rev` and the addresses of data in texts: size, rows, and at which version."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.template.defaultfilters import filesizeformat

from datasets import objects
from datasets.dvc import keys
from datasets.models import DatasetVersion
from datasets.tracked.contents import Child, DvcSource
from hub.accounts.actor import Actor, Area
from hub.lib.errors import HubError
from repos import browsing
from repos.git import read
from repos.git.read import TreeEntry
from repos.issues import unfurling
from repos.issues.unfurling import Card, Kind
from repos.models import Repository
from repos.place import Place, store_of

MOST = 20  # of a repository on one page: each is looked up in a tree of git
_ADDRESS = "/"  # begins what came from an address: rev/path; what people write is path@rev


@dataclass(frozen=True)
class Thing:
    """entry: of git; child: of DVC. One of them is there."""

    place: Place
    entry: TreeEntry | None
    child: Child | None

    @property
    def identity(self) -> str:
        return f"git:{self.entry.oid}" if self.entry else f"md5:{self.child.oid}" if self.child else ""

    @property
    def is_dir(self) -> bool:
        return bool(self.child and self.child.is_dir)


def find(actor: Actor, asked: Mapping[Repository, Collection[str]]) -> dict[Repository, dict[str, Card]]:
    return {repository: _of(repository, list(texts)[:MOST]) for repository, texts in asked.items()}


def _of(repository: Repository, texts: Iterable[str]) -> dict[str, Card]:
    """Two queries and one git process, beside what trees and manifests tell."""
    things = {text: thing for text in texts if (thing := _thing(repository, text))}
    if not things:
        return {}
    sizes = _sizes(repository, things.values())
    identities = {thing.identity for thing in things.values()}
    known = DatasetVersion.objects.filter(repository=repository, identity__in=identities)
    about = {(row.path, row.identity): row for row in known[: 10 * MOST]}
    return {
        text: _card(thing, sizes.get(thing.identity), about.get((thing.place.path, thing.identity)))
        for text, thing in things.items()
    }


def _thing(repository: Repository, text: str) -> Thing | None:
    try:
        place = _place(repository, text)
        if place is None or not place.path:
            return None
        entry = read.find_entry(place.store, place.commit, place.path)
        child = None if entry else DvcSource().find(repository, place.commit, place.path)
    except HubError:  # no such revision, an empty repository, a tree that takes too long: it stays as written
        return None
    if child is None and (entry is None or entry.kind != "file"):
        return None
    return Thing(place, entry, child)


def _place(repository: Repository, text: str) -> Place | None:
    if text.startswith(_ADDRESS):
        rev, path = read.split_rev(store_of(repository), text.removeprefix(_ADDRESS))
        return Place(repository, rev, path)
    path, _, name = text.rpartition("@") if "@" in text else (text, "", "")
    found = read.resolve(store_of(repository), name) if name else browsing.default_rev(repository)
    return Place(repository, found, path.strip("/")) if found else None


def _sizes(repository: Repository, things: Iterable[Thing]) -> dict[str, int]:
    """identity → bytes, of what is here."""
    oids = {thing.entry.oid: thing.identity for thing in things if thing.entry}
    found = {oids[oid]: size for oid, size in read.blob_sizes(store_of(repository), list(oids)).items()}
    named = {thing.child.key: thing.identity for thing in things if thing.child and thing.child.key}
    return found | {named[key]: size for key, size in objects.sizes(repository.pk, keys.BUCKET, named).items()}


def _card(thing: Thing, size: int | None, about: DatasetVersion | None) -> Card:
    place, words = thing.place, []
    if thing.is_dir and about and about.files is not None:
        words.append(f"{about.files:,} file{'s' * (about.files != 1)}")
    if about and (about.rows or 0) > 0:
        words.append(f"{about.rows:,} row{'s' * (about.rows != 1)}")
    if thing.is_dir:
        size = about.size if about else None
    if size is not None:
        words.append(filesizeformat(size).replace("\xa0", " "))
    elif not thing.is_dir:
        words.append("not pushed")
    at = f"{place.rev_shown}" + (f" ({place.commit[:7]})" if place.rev.kind != "commit" else "")
    return Card(place.blob_url, place.path_shown, " · ".join(filter(None, [*words, at])))


unfurling.register(
    Kind(
        Area.DATA,
        find,
        word="data",
        rest=r"[^\s@,;:!?()<>\[\]`'\"*]*[\w/-](?:@[\w/.+-]*[\w+-])?",
        page=r"(?:datasets/(?:table|history|images)|blob)(?P<named>/[^#?]+)(?:[?][^#]*)?(?:#(?!L).*)?",
    )
)
