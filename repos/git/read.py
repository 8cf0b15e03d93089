"""Single objects of a repository: revs, trees, blobs. In process with dulwich; blobs through one bounded cat-file.

Paths and names are str with surrogateescape, so that every byte survives; shown() makes them printable.
"""

from __future__ import annotations

import logging
import re
import shlex
import stat
import traceback
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import accumulate, islice, takewhile
from pathlib import Path
from typing import NamedTuple, cast

from dulwich.errors import NotGitRepository
from dulwich.objects import Commit, ObjectID, Tag, Tree
from dulwich.refs import Ref, check_ref_format
from dulwich.repo import Repo

from hub.lib.errors import Busy, HubError, Lost, NotFound, TooLarge
from repos.git import cli, commands, damage
from repos.git.commands import GitTimeout

logger = logging.getLogger("covey.git")

FULL_ID = re.compile(r"[0-9a-f]{40}")
_SHORT_ID = re.compile(r"[0-9a-f]{7,39}")
MAX_REF_CHARACTERS = 500
MAX_TAG_DEPTH = 10
MAX_FILES = 500_000  # of one commit
SUBMODULE = 0o160000
BATCH_BYTES = 16 * 1024 * 1024  # of blobs held at once


@dataclass(frozen=True)
class Rev:
    """name: as people write it. kind: branch, tag or commit. commit: the full id it stands for now."""

    name: str
    kind: str
    commit: str


class TreeEntry(NamedTuple):
    """One line of a tree. kind: dir, file, link (symbolic, never followed) or submodule."""

    name: str
    mode: int
    oid: str
    size: int | None = None

    @property
    def kind(self) -> str:
        if self.mode == SUBMODULE:
            return "submodule"
        if stat.S_ISDIR(self.mode):
            return "dir"
        return "link" if stat.S_ISLNK(self.mode) else "file"


@dataclass(frozen=True)
class Blob:
    """size: of the whole. data: all of it, or only its beginning when it is larger than what was asked for."""

    oid: str
    size: int
    data: bytes

    @property
    def complete(self) -> bool:
        return len(self.data) == self.size


def to_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def to_text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def shown(text: str) -> str:
    """Printable: bytes that are not UTF-8 become the replacement character."""
    return to_bytes(text).decode("utf-8", "replace")


def typed(text: str) -> str:
    """One word of a command that people copy: branches and files are named `$(…)`, too."""
    return shlex.quote(shown(text))


@contextmanager
def open_repo(store: Path) -> Iterator[Repo]:
    """The repository in process. Raises NotFound when nothing is there yet, Lost when it cannot be read."""
    try:
        with Repo(str(store)) as repo:
            yield repo
    except NotGitRepository as error:
        raise NotFound("This repository has no commits yet.") from error
    except (HubError, OSError):
        raise
    except Exception as error:  # dulwich says in many ways that a ref, a pack or its index is not what it should be
        if not _of_dulwich(error):
            raise
        logger.error("%s cannot be read: %r", store, error)
        raise Lost from error


def _of_dulwich(error: BaseException) -> bool:
    """Whether dulwich itself has raised it."""
    modules = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(modules) and modules[-1].startswith("dulwich.")


# ---- revs --------------------------------------------------------------------------------------
def resolve(store: Path, rev: str) -> Rev:
    """The rev of exactly this name. Raises NotFound."""
    found, path = split_rev(store, rev)
    if path:
        raise unknown(rev)
    return found


def split_rev(store: Path, rest: str) -> tuple[Rev, str]:
    """`feature/x/a/b` → (rev feature/x, "a/b"): the longest branch or tag that matches wins; full ids always work.

    Raises NotFound for an unknown rev, and for paths that no tree can hold; RefLost.
    """
    parts = rest.strip("/").split("/")
    if rest.startswith("-") or "\0" in rest or any(part in {"", ".", ".."} for part in parts):
        raise unknown(rest)
    try:
        with open_repo(store) as repo:
            rev, used = _find_rev(repo, store, parts)
    except NotFound:
        damage.require_none_lost(store, *names_of(parts))
        raise
    return rev, "/".join(parts[used:])


def unknown(rev: str) -> NotFound:
    return NotFound(
        f"There is no branch, tag or commit '{shown(rev)[:100]}' here.",
        details="Choose one on the page of branches or of tags.",
    )


def _find_rev(repo: Repo, store: Path, parts: list[str]) -> tuple[Rev, int]:
    if FULL_ID.fullmatch(parts[0]) and (commit := _peel(repo, parts[0].encode())):
        return Rev(parts[0], "commit", commit), 1
    names = names_of(parts)
    for count in range(len(names), 0, -1):
        if rev := _ref(repo, names[count - 1]):
            return rev, count
    if _SHORT_ID.fullmatch(parts[0]) and (commit := _expand(repo, store, parts[0])):
        return Rev(parts[0], "commit", commit), 1
    raise unknown("/".join(parts))


def names_of(parts: list[str]) -> list[str]:
    """What the first part may be the name of, the first two, and so on, as long as names of refs are: an address may
    have ten thousands of parts, and each name holds all before it."""
    names = accumulate(parts, lambda before, part: f"{before}/{part}")
    return list(takewhile(lambda name: len(name) <= MAX_REF_CHARACTERS, names))


def _ref(repo: Repo, name: str) -> Rev | None:
    """A branch or a tag by its short or full name; HEAD. Other refs (refs/exps) are not for pages."""
    if name == "HEAD":
        head = repo.refs.get_symrefs().get(Ref(b"HEAD"), Ref(b""))
        return _ref(repo, to_text(head.removeprefix(b"refs/heads/"))) if head.startswith(b"refs/heads/") else None
    for kind, prefix in (("branch", "refs/heads/"), ("tag", "refs/tags/")):
        short = name.removeprefix(prefix)
        ref = Ref(to_bytes(prefix + short))
        if not check_ref_format(ref):
            continue
        value = repo.refs.read_ref(ref)
        if value and not value.startswith(b"ref:") and (commit := _peel(repo, value)):
            return Rev(name, kind, commit)  # the name as given, so that links stay on a tag named like a branch
    return None


def _peel(repo: Repo, oid: bytes) -> str | None:
    """The commit an id stands for, through annotated tags; None when it is no commit."""
    for _ in range(MAX_TAG_DEPTH):
        try:
            found = repo.object_store[ObjectID(oid)]
        except KeyError:
            return None
        if isinstance(found, Commit):
            return oid.decode()
        if not isinstance(found, Tag):
            return None
        oid = found.object[1]
    return None


def _expand(repo: Repo, store: Path, short: str) -> str | None:
    try:
        out = cli.run(store, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{short}^{{commit}}")
    except cli.GitError:
        return None
    return out.decode().strip()


# ---- trees -------------------------------------------------------------------------------------
def find_entry(store: Path, commit: str, path: str) -> TreeEntry | None:
    """What a path names in a commit's tree; "" is the root. Links and submodules are not entered."""
    with open_repo(store) as repo:
        root = cast(Commit, repo.object_store[ObjectID(commit.encode())]).tree
        entry = TreeEntry("", stat.S_IFDIR, root.decode())
        for name in path.split("/") if path else []:
            tree = repo.object_store[ObjectID(entry.oid.encode())] if entry.kind == "dir" else None
            if not isinstance(tree, Tree):
                return None
            try:
                mode, oid = tree[to_bytes(name)]
            except KeyError:
                return None
            entry = TreeEntry(name, mode, oid.decode())
    return entry


def read_tree(store: Path, tree: str, *, sizes: bool = True) -> list[TreeEntry]:
    """The entries of a tree, directories first. sizes: ask git for the size of every blob (one process)."""
    with open_repo(store) as repo:
        found = repo.object_store[ObjectID(tree.encode())]
        assert isinstance(found, Tree)
        entries = [TreeEntry(to_text(e.path), e.mode, e.sha.decode()) for e in found.items()]
    if sizes:
        known = blob_sizes(store, [e.oid for e in entries if e.kind in {"file", "link"}])
        entries = [TreeEntry(e.name, e.mode, e.oid, known.get(e.oid)) for e in entries]
    return sorted(entries, key=lambda e: (e.kind not in {"dir", "submodule"}, e.name))


def files(store: Path, commit: str, *paths: str) -> Iterator[tuple[str, str, bool]]:
    """(path, id, whether it is an ordinary file: no link, no submodule) of all that a commit holds, or of these paths
    and what is below them. Streamed. Raises TooLarge beyond MAX_FILES, Busy past the time limit."""
    chosen = ("--", *paths) if paths else ()
    for record in _listed("--end-of-options", commit, *chosen, store=store):
        head, _, raw = record.partition(b"\t")
        mode, _, oid = head.decode().split()
        yield to_text(raw), oid, mode.startswith("100")


def check_count(store: Path, commit: str) -> None:
    """Raises as files() does, for a command that would hold them all in memory."""
    deque(_listed("--name-only", "--end-of-options", commit, store=store), maxlen=0)


def _listed(*arguments: str, store: Path) -> Iterator[bytes]:
    """What git says of each file. Ten trees that name each other are ten thousand million files."""
    found = commands.records(store, "ls-tree", "-r", "-z", "--full-tree", *arguments)
    try:
        with closing(found):
            yield from islice(found, MAX_FILES)
            if next(found, None) is not None:
                raise TooLarge(f"This commit holds more than {MAX_FILES:,} files.", details="Clone it to work with it.")
    except GitTimeout as error:
        raise Busy("Reading this took too long.", details="Try again, or clone the repository to read it.") from error


def blob_sizes(store: Path, oids: list[str], *, extra: Mapping[str, str] | None = None) -> dict[str, int]:
    """Sizes in bytes, without reading the blobs; a missing one is left out. extra: of a quarantine that may have it."""
    if not oids:
        return {}
    question = "\n".join(oids).encode() + b"\n"
    answer = cli.run(store, "cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=question, extra=extra)
    pairs = (line.split() for line in answer.decode().splitlines())
    return {oid: int(size) for oid, size in pairs if size.isdigit()}


# ---- blobs -------------------------------------------------------------------------------------
def read_blob(store: Path, oid: str, *, limit_bytes: int) -> Blob:
    """A blob, whole when it has at most limit_bytes, else only its first limit_bytes: constant memory for any size."""
    with cli.pieces(store, "cat-file", "--batch", stdin=oid.encode() + b"\n") as pieces:
        received = bytearray()
        wanted: int | None = None
        for piece in pieces:
            received += piece
            if wanted is None and b"\n" in received:
                header, _, rest = received.partition(b"\n")
                size, received = _blob_size(bytes(header)), bytearray(rest)
                wanted = min(size, limit_bytes)
            if wanted is not None and len(received) >= wanted:
                return Blob(oid, size, bytes(received[:wanted]))
    raise NotFound("That file's content is not in this repository.")


def blobs(store: Path, oids: list[str], *, extra: Mapping[str, str] | None = None) -> Iterator[tuple[str, bytes]]:
    """Several blobs (or commits, as git keeps them) at once, all in memory: the caller has asked for their sizes."""
    if not oids:
        return
    data = cli.run(store, "cat-file", "--batch", stdin="\n".join(oids).encode() + b"\n", extra=extra)
    position = 0
    while position < len(data):
        end = data.index(b"\n", position)
        oid, _, size = data[position:end].decode().split()
        position = end + 1 + int(size) + 1
        yield oid, data[end + 1 : position - 1]


def within(sizes: Mapping[str, int], oids: Iterable[str], *, each_bytes: int, all_bytes: int) -> list[str]:
    """Those that are there, not too large, and together not too much; the first of them go first."""
    found, total = [], 0
    for oid in oids:
        size = sizes.get(oid, each_bytes + 1)
        if size <= each_bytes and (total := total + size) <= all_bytes:
            found.append(oid)
    return found


def each_blob(
    store: Path, sizes: Mapping[str, int], oids: Iterable[str], *, timeout_seconds: float = cli.TIMEOUT_SECONDS
) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Any number of blobs in bounded memory, each in pieces to be read before the next: small ones by few gits,
    each that is larger than BATCH_BYTES by one of its own. sizes: of blob_sizes()."""
    batch: list[str] = []
    held = 0
    for oid in oids:
        if sizes[oid] > BATCH_BYTES:
            with cli.pieces(store, "cat-file", "blob", oid, timeout_seconds=timeout_seconds) as pieces:
                yield oid, pieces
            continue
        if held + sizes[oid] > BATCH_BYTES:
            yield from ((one, (data,)) for one, data in blobs(store, batch))
            batch, held = [], 0
        batch.append(oid)
        held += sizes[oid]
    yield from ((one, (data,)) for one, data in blobs(store, batch))


def _blob_size(header: bytes) -> int:
    words = header.split()
    if len(words) != 3 or words[1] != b"blob":
        raise NotFound("That file's content is not in this repository.")
    return int(words[2])
