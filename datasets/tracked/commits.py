"""Every commit's changes of data, read from git as one stream: pointers by what they track, data files by their blob.

The index (DatasetVersion, DatasetChange) is keyed by immutable ids, so indexing twice changes nothing, and a commit
that a force push left behind does no harm.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from django.db import transaction

from datasets import formats
from datasets.dvc import pointers
from datasets.dvc.pointers import Out
from datasets.dvc.projects import Folders
from datasets.models import DatasetChange, DatasetIndex, DatasetVersion
from datasets.tracked.tracking import folders_at, outs_of_blobs, placed
from repos.git import commands, read
from repos.git.commands import GitTimeout
from repos.git.turns import turn
from repos.models import Repository
from repos.place import store_of

logger = logging.getLogger("covey.datasets")
BATCH_COMMITS = 200
BATCH_ROWS = 400
GIT_SECONDS = 1800.0
WALK_SECONDS = 120.0  # for all commits in one walk; after that they are read by themselves, so that one cannot hold all
COMMIT_SECONDS = 20.0  # for what one commit changed
MANY_UNREAD, HASTY_SECONDS = 10, 1.0  # after so many that took longer, the others get less
MAX_UNREAD = 1_000
MAX_TIPS = 20_000
_ABSENT = "0" * 40
_REFS = ("--branches", "--tags")
_PATTERNS = ["*.dvc", "dvc.lock", "*/dvc.lock", *(f":(icase)*.{e}" for e in sorted(formats.DATA))]
_PATTERNS += [f":(icase)*.{e}.{packed}" for e in sorted(formats.TABLES) for packed in sorted(formats.PACKED)]


@dataclass(frozen=True)
class Blob:
    """One file that a commit changed: old and new blob id, "" for none."""

    path: str
    old: str
    new: str


@dataclass
class Commit:
    sha: str
    blobs: list[Blob] = field(default_factory=list)

    def sides(self, blob: Blob) -> tuple[tuple[str, str], tuple[str, str]]:
        """(revision, path) before and after."""
        return (f"{self.sha}^", blob.path), (self.sha, blob.path)


@dataclass(frozen=True)
class Known:
    """A version that has no row yet."""

    path: str
    identity: str
    is_dir: bool = False
    size: int | None = None
    files: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        return hash_of(self.path), self.identity


def hash_of(path: str) -> str:
    return hashlib.sha256(read.to_bytes(path)).hexdigest()


def index(repository: Repository, *, again: bool = False) -> int:
    """Index the commits that refs lead to and that are not indexed yet; how many changed data. Safe to run twice.

    again: all of them, as if none was. What could not be read in time is kept as unread. Raises GitError.
    """
    with turn(store_of(repository), "index"):
        state, _ = DatasetIndex.objects.get_or_create(repository=repository)
        tips, count = tips_of(repository), 0
        unread = [] if again else _still_reached(repository, state.unread)
        for batch in batches(repository, state.tips, tips, again=again, unread=unread):
            _write(repository, batch)
            count += len(batch)
        DatasetIndex.objects.filter(pk=state.pk).update(tips=tips, unread=unread[:MAX_UNREAD])
    return count


# ---- git ---------------------------------------------------------------------------------------
def tips_of(repository: Repository, *prefixes: str) -> list[str]:
    """The commits that refs stand at: branches and tags, or those below these prefixes."""
    wanted = prefixes or ("refs/heads", "refs/tags")
    lines = commands.run(store_of(repository), "for-each-ref", "--format=%(objectname)", *wanted).decode().split()
    return sorted(set(lines))[:MAX_TIPS]


def still_there(repository: Repository, tips: Sequence[str]) -> list[str]:
    return list(read.blob_sizes(store_of(repository), list(tips)))


def _still_reached(repository: Repository, shas: list[str]) -> list[str]:
    """Those that a branch or a tag leads to."""
    there = still_there(repository, shas)
    return sorted(set(there) - set(_rev_list(repository, there, "--not", *_REFS))) if there else []


def batches(
    repository: Repository,
    indexed: Sequence[str],
    tips: Sequence[str],
    *,
    again: bool,
    unread: list[str],
    refs: Sequence[str] = _REFS,
    patterns: Sequence[str] = _PATTERNS,
) -> Iterator[list[Commit]]:
    """What readable gives of the commits that tips lead to and what is indexed did not (again: of all), in pieces.

    indexed: the tips of the last time; one that is gone counts for nothing. unread: as for readable."""
    known = [] if again else still_there(repository, indexed)
    if again or set(tips) - set(known):
        found = readable(repository, known, refs=refs, patterns=patterns, unread=unread)
        while batch := list(islice(found, BATCH_COMMITS)):
            yield batch


def readable(
    repository: Repository,
    known: Sequence[str],
    *,
    refs: Sequence[str] = _REFS,
    wanted: Sequence[str] = (),
    patterns: Sequence[str] = _PATTERNS,
    unread: list[str],
) -> Iterator[Commit]:
    """What stream gives, and an end of it: trees that name each other can stand for more files than anybody can list.

    unread: gets the commits that took too long, which are left out. Raises GitError.
    """
    seen: set[str] = set()
    try:
        for commit in stream(repository, known, refs=refs, wanted=wanted, patterns=patterns, seconds=WALK_SECONDS):
            seen.add(commit.sha)
            yield commit
    except GitTimeout:
        before = len(unread)
        listed = _listed(repository, known, refs, wanted)
        yield from (one for one in _one_by_one(repository, listed, patterns, unread) if one.sha not in seen)
        logger.warning(
            "repository %s: walked slowly; %s commits could not be read in time", repository.pk, len(unread) - before
        )


def _one_by_one(
    repository: Repository, listed: list[str], patterns: Sequence[str], unread: list[str]
) -> Iterator[Commit]:
    """The same commits by their ids, so that those that take too long are known by name. Ends after GIT_SECONDS."""
    end = time.monotonic() + GIT_SECONDS
    for shas in _in_batches(listed):
        if time.monotonic() > end:
            unread += shas
            continue
        try:
            yield from _of(repository, shas, patterns, unread)
        except GitTimeout:
            for sha in shas:
                try:
                    yield from _of(repository, [sha], patterns, unread)
                except GitTimeout:
                    unread.append(sha)


def _of(repository: Repository, shas: list[str], patterns: Sequence[str], unread: list[str]) -> list[Commit]:
    """What these commits changed. Raises GitTimeout, sooner when many commits were unread already."""
    seconds = COMMIT_SECONDS if len(unread) < MANY_UNREAD else HASTY_SECONDS
    newest_first = shas[::-1]  # stream turns them round
    return list(
        stream(repository, refs=("--no-walk=unsorted",), wanted=newest_first, patterns=patterns, seconds=seconds)
    )


def _listed(repository: Repository, known: Sequence[str], refs: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """The commits that stream walks, oldest first; their trees are not looked at."""
    return _rev_list(repository, [*wanted, *(f"^{tip}" for tip in known)], *refs, "--reverse", "--topo-order")


def _rev_list(repository: Repository, revs: Iterable[str], *arguments: str) -> list[str]:
    """revs: commits, or "^" and a commit whose history is left out."""
    asked = "".join(f"{rev}\n" for rev in revs).encode()
    out = commands.run(
        store_of(repository),
        *("rev-list", "--stdin", *arguments),
        stdin=asked,
        timeout_seconds=GIT_SECONDS,
        max_bytes=commands.GIB,
        limits=commands.TRANSFER,
    )
    return out.decode().split()


def _in_batches(shas: list[str]) -> Iterator[list[str]]:
    return (shas[start : start + BATCH_COMMITS] for start in range(0, len(shas), BATCH_COMMITS))


def stream(
    repository: Repository,
    known: Sequence[str] = (),
    *,
    refs: Sequence[str] = _REFS,
    wanted: Sequence[str] = (),
    patterns: Sequence[str] = _PATTERNS,
    seconds: float = GIT_SECONDS,
) -> Iterator[Commit]:
    """Commits with the files they changed, oldest first. Merges are seen from their first parent.

    known: commits whose history is left out. refs, wanted: options and commits that say whose is walked. patterns: of
    the paths that count. Raises GitError, GitTimeout after these seconds.
    """
    options = [*refs, "--stdin", "--full-history", "--reverse", "--topo-order"]
    options += ["--raw", "-z", "--no-renames", "--no-abbrev", "--diff-merges=first-parent", "--format=commit %H"]
    found: Commit | None = None
    records = commands.records(
        store_of(repository),
        *("-c", "log.showRoot=true", "log", *options, "--", *patterns),
        stdin="".join([*(f"{tip}\n" for tip in wanted), *(f"^{tip}\n" for tip in known)]).encode(),
        timeout_seconds=seconds,
        limits=commands.TRANSFER,
        extra={"GIT_LITERAL_PATHSPECS": "0"},  # the patterns are ours
    )
    for record in records:
        header = record.lstrip(b"\n")
        if header.startswith(b"commit "):
            if found is not None and found.blobs:
                yield found
            found = Commit(header[7:].strip().decode())
        elif header.startswith(b":") and found is not None:
            old_mode, new_mode, old, new, _ = header[1:].decode().split()
            path = read.to_text(next(records))
            blob = Blob(path, _file(old_mode, old), _file(new_mode, new))
            if blob.old != blob.new:
                found.blobs.append(blob)
    if found is not None and found.blobs:
        yield found


def _file(mode: str, oid: str) -> str:
    return oid if mode.startswith("100") and oid != _ABSENT else ""


# ---- rows --------------------------------------------------------------------------------------
def _write(repository: Repository, batch: list[Commit]) -> None:
    sizes = _sizes(repository, batch)
    outs = outs_of_blobs(repository, _pointer_blobs(batch))
    folders = folders_at(
        repository, (place for commit in batch for blob in commit.blobs for place in commit.sides(blob))
    )
    changes = [(commit.sha, *change) for commit in batch for change in _changes(commit, outs, folders, sizes)]
    wanted = {version.key: version for _, old, new in changes for version in (old, new) if version is not None}
    with transaction.atomic():
        ids = version_ids(repository, list(wanted.values()))
        DatasetChange.objects.bulk_create(
            (
                DatasetChange(
                    repository=repository,
                    commit=sha,
                    path_hash=(new or old).key[0],  # type: ignore[union-attr]  # one of the two is there
                    before_id=ids[old.key] if old else None,
                    version_id=ids[new.key] if new else None,
                )
                for sha, old, new in changes
            ),
            ignore_conflicts=True,
            batch_size=BATCH_ROWS,
        )


def version_ids(repository: Repository, versions: list[Known]) -> dict[tuple[str, str], int]:
    """The rows of these versions, made where they are new: key → id."""
    DatasetVersion.objects.bulk_create(
        (
            DatasetVersion(
                repository=repository,
                path=read.shown(version.path),
                path_hash=version.key[0],
                identity=version.identity,
                is_dir=version.is_dir,
                size=version.size,
                files=version.files,
            )
            for version in versions
        ),
        ignore_conflicts=True,
        batch_size=BATCH_ROWS,
    )
    ids: dict[tuple[str, str], int] = {}
    paths = sorted({version.key[0] for version in versions})
    for start in range(0, len(paths), BATCH_ROWS):
        rows = DatasetVersion.objects.filter(repository=repository, path_hash__in=paths[start : start + BATCH_ROWS])
        ids |= {(path, identity): pk for pk, path, identity in rows.values_list("pk", "path_hash", "identity")}
    return ids


def _changes(
    commit: Commit,
    outs: dict[tuple[str, str], tuple[Out, ...]],
    folders: dict[tuple[str, str], Folders],
    sizes: dict[str, int],
) -> Iterator[tuple[Known | None, Known | None]]:
    """(before, after) of every dataset that a commit changed; an output that moved to another pointer stays one."""
    before: dict[str, Known] = {}
    after: dict[str, Known] = {}
    for blob in commit.blobs:
        for oid, side, place in zip((blob.old, blob.new), (before, after), commit.sides(blob), strict=True):
            if not oid:
                continue
            if pointers.is_pointer(blob.path):
                known = _tracked(outs.get((blob.path, oid), ()), blob.path, folders.get(place, {}))
                side |= {found.path: found for found in known}
            else:
                side[blob.path] = Known(blob.path, f"git:{oid}", size=sizes.get(oid), files=1)
    for path in dict.fromkeys([*before, *after]):
        old, new = before.get(path), after.get(path)
        if (old and old.identity) != (new and new.identity):
            yield old, new


def _tracked(outs: Iterable[Out], pointer: str, folders: Folders) -> Iterator[Known]:
    for written in outs:
        out = placed(written, pointer, folders)
        if out is not None and (out.oid or out.files):
            yield known_of(out)


def known_of(out: Out) -> Known:
    """The version that an output is; out.path: from the root."""
    identity = f"md5:{out.oid}"
    if out.files:
        identity = "files:" + hashlib.sha256(repr(out.files).encode()).hexdigest()
    return Known(out.path, identity, out.is_dir, out.size, out.nfiles if out.is_dir else 1)


def _pointer_blobs(batch: list[Commit]) -> set[tuple[str, str]]:
    return {
        (blob.path, oid)
        for commit in batch
        for blob in commit.blobs
        if pointers.is_pointer(blob.path)
        for oid in (blob.old, blob.new)
        if oid
    }


def _sizes(repository: Repository, batch: list[Commit]) -> dict[str, int]:
    data = [blob for commit in batch for blob in commit.blobs if not pointers.is_pointer(blob.path)]
    oids = sorted({oid for blob in data for oid in (blob.old, blob.new) if oid})
    return read.blob_sizes(store_of(repository), oids)
