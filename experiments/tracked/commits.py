"""Which commits there are: those that changed a file of metrics or params, the tips of refs, and who made them."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from datasets.tracked.commits import WALK_SECONDS, Commit, readable
from experiments.commits import existing
from repos.git import commands, read
from repos.git.commands import GitTimeout
from repos.git.store import refs as all_refs
from repos.models import Repository
from repos.place import store_of

MAX_COMMITS = 2_000  # that are read after one push, the newest of them
MAX_BODY_CHARACTERS = 6_000
MAX_BLOBS = 5_000  # changed files of one commit that are looked at
DOCUMENTS, TABLES = ("json", "yaml", "yml", "toml", "py"), ("csv", "tsv")  # a commit of code alone is not looked at
# Whether there is anything to read at all: a history without these costs one walk of git's and no more.
_SIGNS = ["dvc.yaml", "*/dvc.yaml", ":(icase)*metrics.csv", "*params.yml"]
_PATTERNS = ["dvc.lock", "*/dvc.lock", *(f":(icase)*.{ending}" for ending in (*DOCUMENTS[:-1], *TABLES))]
_EXP = re.compile(r"refs/exps/([0-9a-f]{2})/([0-9a-f]{38})/([^/]+)")
_SECONDS = 1800.0
_BRANCHES, _EXPS = ("--branches", "--tags"), ("--glob=refs/exps/*",)


@dataclass(frozen=True)
class Exp:
    """An experiment of `dvc exp push`: its name, and the commit it started from."""

    name: str
    baseline: str


@dataclass(frozen=True)
class Refs:
    """branches: tips of branches. named: tips of branches and tags. exps: tip → experiment."""

    branches: frozenset[str]
    named: frozenset[str]
    exps: dict[str, Exp]

    @property
    def shown(self) -> set[str]:
        """Commits that have a row whatever they changed."""
        return {*self.branches, *self.exps, *(exp.baseline for exp in self.exps.values())}


@dataclass(frozen=True)
class Author:
    """Who made a commit, and when (milliseconds since 1970). parent "" of a first commit."""

    parent: str
    name: str
    when: int
    subject: str
    body: str


@dataclass(frozen=True)
class Reachable:
    """Every commit that refs lead to; exps: those that only experiments lead to."""

    named: set[str] = field(default_factory=set)
    exps: set[str] = field(default_factory=set)


def refs(repository: Repository) -> Refs:
    found = all_refs(store_of(repository), "refs/heads/", "refs/tags/", "refs/exps/")
    branches = frozenset(sha for ref, sha in found.items() if ref.startswith("refs/heads/"))
    named = frozenset(sha for ref, sha in found.items() if not ref.startswith("refs/exps/"))
    exps = {}
    for ref, sha in sorted(found.items()):
        if match := _EXP.fullmatch(ref):
            exps[sha] = Exp(read.shown(match[3])[:250], match[1] + match[2])
    return Refs(branches, named, exps)


def new(repository: Repository, found: Refs, *, named: Sequence[str], exps: Sequence[str]) -> list[Commit]:
    """The newest commits, oldest first, that changed what may be metrics or params; named and exps: tips that were
    read before."""
    store = store_of(repository)
    known = list(read.blob_sizes(store, list(named)))  # those still there
    if not known and not _any(store):
        return []
    newest: deque[Commit] = deque(maxlen=MAX_COMMITS)
    newest.extend(readable(repository, known, refs=_BRANCHES, patterns=_SIGNS[:2] + _PATTERNS, unread=[]))
    if found.exps:
        seen = [*found.named, *read.blob_sizes(store, list(exps))]
        newest.extend(readable(repository, seen, refs=_EXPS, patterns=_SIGNS[:2] + _PATTERNS, unread=[]))
    return list(newest)


def _any(store: Path) -> bool:
    """Whether any commit ever held what makes an experiment; yes where that cannot be told soon."""
    arguments = ("log", "--branches", "--tags", *_EXPS, "--max-count=1", "--format=%H", "--", *_SIGNS)
    extra = {"GIT_LITERAL_PATHSPECS": "0"}  # the patterns are ours
    try:
        return bool(
            commands.run(store, *arguments, timeout_seconds=WALK_SECONDS, limits=commands.TRANSFER, extra=extra)
        )
    except GitTimeout:
        return True


def reachable(repository: Repository) -> Reachable:
    """One line of git's per commit: half a second for a hundred thousand."""
    store = store_of(repository)
    named = set(_listed(store, *_BRANCHES))
    return Reachable(named, set(_listed(store, *_EXPS, "--not", *_BRANCHES)))


def _listed(store: Path, *which: str) -> Iterator[str]:
    lines = commands.records(
        store, "rev-list", *which, separator=b"\n", timeout_seconds=_SECONDS, limits=commands.TRANSFER
    )
    return (line.decode() for line in lines)


def authors(repository: Repository, shas: Collection[str]) -> dict[str, Author]:
    """By commit; what is no commit here is left out."""
    there = existing(repository, set(shas))
    if not there:
        return {}
    words = ("log", "--no-walk=unsorted", "--stdin", "-z", "--format=%H%x00%P%x00%an%x00%ct%x00%s%x00%b")
    asked = "".join(f"{sha}\n" for sha in sorted(there)).encode()
    found = commands.records(store_of(repository), *words, stdin=asked, timeout_seconds=300)
    made = {}
    for sha, parents, name, when, subject, body in zip(*[iter(found)] * 6, strict=True):
        said = _text(body.strip(), MAX_BODY_CHARACTERS)
        author = Author(parents.decode()[:40], _text(name), int(when or 0) * 1000, _text(subject), said)
        made[sha.decode()] = author
    return made


def _text(raw: bytes, most: int = 250) -> str:
    """Of a stranger's commit, as a column takes it."""
    return raw.decode("utf-8", "replace").replace("\0", "")[:most]
