"""What the pages of files show: git's entries and those of other sources, with the last commit of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, cast

from hub.lib.errors import Busy, NotFound, TooLarge
from repos import cache, content, filling
from repos.git import damage, history, lastcommit, read, refs
from repos.git.damage import RefLost
from repos.git.history import Commit
from repos.git.read import Rev, TreeEntry
from repos.git.refs import RefRow
from repos.models import Repository
from repos.place import Place, quoted, store_of

# A page answers within 2 s even where git needs minutes: the rows, then the line above them, get this much of it.
LAST_COMMITS_SECONDS, LATEST_SECONDS = 1.0, 0.4
LAST_COMMITS_LATER_SECONDS = 20.0  # of the panel that fills in the rest
ENTRIES_PER_PAGE = 1_000
SUBJECT_CHARACTERS = 200


# Named tuples: a page holds a thousand of each, and the cache packs and unpacks them at every visit.
class Change(NamedTuple):
    """What a listing says of a commit. seconds: when it was committed, since 1970. subject: its beginning."""

    sha: str
    seconds: int
    subject: str


class Row(NamedTuple):
    """One line of a listing. change: the last commit that changed it; None when not known (yet)."""

    name: str
    kind: str
    url: str
    size: int | None
    oid: str = ""
    data: bool = False
    present: bool = True
    change: Change | None = None


@dataclass(frozen=True)
class Listing:
    """rows: one page of a directory. missing: some last commits were not reached in time. page counts from 1."""

    rows: list[Row]
    total: int
    page: int
    missing: bool

    @property
    def pages(self) -> int:
        return -(-self.total // ENTRIES_PER_PAGE)


def default_rev(repository: Repository) -> Rev | None:
    """The default branch, else the newest branch; None in an empty repository. Raises RefLost when none is left, Busy
    while a fork has yet to get its branches."""
    filling.require_filled(repository)
    try:
        store = store_of(repository)
    except NotFound:
        return None
    try:
        found = read.resolve(store, f"refs/heads/{repository.default_branch}")
        return replace(found, name=repository.default_branch)
    except (NotFound, RefLost) as error:
        newest = next(iter(branches(repository)), None)
        if newest is None and isinstance(error, RefLost):
            raise
        return Rev(newest.name, "branch", newest.commit) if newest else None


def lost_refs(repository: Repository) -> list[tuple[str, str]]:
    """(name, as a word of a command) of the branches and tags that the disk damaged and nobody has pushed again."""
    try:
        names = damage.lost(store_of(repository))
    except NotFound:
        return []
    short = [name.split("/", 2)[2] for name in names if name.startswith(("refs/heads/", "refs/tags/"))]
    return [(read.shown(name), read.typed(name)) for name in short]


def branches(repository: Repository) -> list[RefRow]:
    return _listed(repository, "branches", refs.branches)


def tags(repository: Repository) -> list[RefRow]:
    return _listed(repository, "tags", refs.tags)


def _listed(repository: Repository, kind: str, make: Callable[[Path], list[RefRow]]) -> list[RefRow]:
    filling.require_filled(repository)  # also where the empty list of a copy that failed before is kept
    return cache.by_refs(repository, kind, make=lambda: make(store_of(repository)))


def commit_at(place: Place) -> Commit:
    """The commit of a place, with its message."""
    return _commit(place, place.commit)


def _commit(place: Place, sha: str) -> Commit:
    found = cache.by_ids(
        place.repository, "commit", sha, make=lambda: history.commits(place.store, [sha], body=True).get(sha)
    )
    if found is None:
        raise NotFound("That commit does not exist here.")
    return found


def commit_count(place: Place) -> int:
    return cache.by_ids(place.repository, "count", place.commit, make=lambda: history.count(place.store, place.commit))


def entry_at(place: Place) -> TreeEntry | None:
    return read.find_entry(place.store, place.commit, place.path)


def source_entry(place: Place) -> content.Entry | None:
    """What a source other than git holds at this path."""
    found = (source.stat(place.repository, place.commit, place.path) for source in content.sources())
    return next(filter(None, found), None)


def listing(place: Place, entry: TreeEntry | None, *, page: int = 1, seconds: float = LAST_COMMITS_SECONDS) -> Listing:
    """One page of a directory: git's tree (entry; None when only another source has it) and the sources' entries."""
    shown, total = entries(place, entry, page=page, size=ENTRIES_PER_PAGE)
    changed = last_commits(place, [e.name for e in shown if isinstance(e, TreeEntry)], seconds=seconds)
    return Listing(
        rows=_rows(place, shown, changed),
        total=total,
        page=page,
        missing=any(isinstance(e, TreeEntry) and e.name not in changed for e in shown),
    )


def entries(
    place: Place, entry: TreeEntry | None, *, page: int, size: int
) -> tuple[list[TreeEntry | content.Entry], int]:
    """(what lies in a directory, folders first, as listing() says; how many there are in all). page counts from 1.

    Raises NotFound beyond the last page."""
    start = (page - 1) * size
    if entry is None:
        found, total = _of_source(place, start, size)
    else:
        in_git = tree_entries(place, entry.oid)
        names = {e.name for e in in_git}
        added = [e for source in content.sources() for e in _beside_git(source, place)]
        rows: list[TreeEntry | content.Entry] = [*in_git, *(e for e in added if e.name not in names)]
        rows.sort(key=lambda e: (e.kind != "dir", e.name))
        found, total = rows[start : start + size], len(rows)
    if not found and page > 1:
        raise NotFound("That page of the directory does not exist.")
    return found, total


def _beside_git(source: content.Source, place: Place) -> list[content.Entry]:
    """What a source has in a directory of git's; nothing in a commit of more files than it can look at."""
    try:
        return list(source.listing(place.repository, place.commit, place.path))
    except (TooLarge, Busy):
        return []


def _of_source(place: Place, start: int, size: int) -> tuple[list[TreeEntry | content.Entry], int]:
    """A folder that git does not have lies in one source, which pages it."""
    at = (place.repository, place.commit, place.path)
    counts = [(source, source.count(*at)) for source in content.sources()]
    source, total = max(counts, key=lambda found: found[1])
    return list(source.listing(*at, start=start, limit=size) if start < total else ()), total


def tree_entries(place: Place, tree: str) -> list[TreeEntry]:
    return cache.by_ids(place.repository, "tree", tree, make=lambda: read.read_tree(place.store, tree))


def _rows(place: Place, entries: Iterable[TreeEntry | content.Entry], changed: dict[str, Change]) -> list[Row]:
    tree, blob = f"{place.tree_url}/", f"{place.blob_url}/"
    rows = []
    for entry in entries:
        name, kind = entry.name, entry.kind
        url = (tree if kind == "dir" else blob) + quoted(name)
        if isinstance(entry, content.Entry):
            rows.append(Row(read.shown(name), kind, url, entry.size, entry.oid, True, entry.present))
        else:
            rows.append(Row(read.shown(name), kind, url, entry.size, entry.oid, change=changed.get(name)))
    return rows


def last_commits(place: Place, names: list[str], *, seconds: float) -> dict[str, Change]:
    """name → the last commit that changed it. What was found is kept; a later call goes on with the rest."""
    key = cache.key_of(place.repository, "last", place.commit, place.path)
    known = cast(dict[str, Change], cache.known(key) or {})
    wanted = [name for name in names if name not in known]
    if wanted:
        ids = lastcommit.last_commits(
            place.store, place.commit, place.path, wanted, deadline_seconds=seconds, old=bool(known)
        )
        found = {sha: _change(c) for sha, c in history.commits(place.store, sorted(set(ids.values()))).items()}
        known |= {name: found[sha] for name, sha in ids.items()}
        cache.keep(key, known)
    return known


def _change(commit: Commit) -> Change:
    return Change(commit.sha, int(commit.committed.timestamp()), commit.subject[:SUBJECT_CHARACTERS])


def last_commit_of(place: Place) -> Commit | None:
    """The last commit that changed the path of this place; None when it took too long to find."""
    directory, _, name = place.path.rpartition("/")
    found = last_commits(place.at(directory), [name], seconds=LATEST_SECONDS).get(name)
    return _commit(place, found.sha) if found else None


def size_of(place: Place, entry: TreeEntry) -> int | None:
    """Bytes of a blob; None for what has none here (a submodule)."""
    return cache.by_ids(
        place.repository, "size", entry.oid, make=lambda: read.blob_sizes(place.store, [entry.oid]).get(entry.oid)
    )
