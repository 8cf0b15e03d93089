"""The files below a path at two commits, as far as they may differ: what the diff of files is made from.

Of outputs whose hash is the same in both nothing is listed. A large manifest stays a manifest; everything else becomes
(path, hash) pairs: md5 for DVC, "git:<blob id>" for data files that git itself holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from datasets import formats, objects
from datasets.dvc import keys
from datasets.models import Blob
from datasets.tracked.manifests import manifest_of
from datasets.tracked.tracking import Output, tracked
from repos.git import cli, read
from repos.models import Repository
from repos.place import store_of

LARGE_MANIFEST_BYTES = 1024 * 1024
Pair = tuple[str, str]  # path, hash
_ABSENT = "0" * 40


@dataclass(frozen=True)
class Part:
    """A manifest that is too large to be listed in this process. prefix: the output's path."""

    prefix: str
    blob: Blob


@dataclass
class Side:
    """outputs: that differ from the other side's. missing: directory outputs whose list of files was never pushed."""

    outputs: list[Output] = field(default_factory=list)
    manifests: dict[str, Blob] = field(default_factory=dict)

    @property
    def missing(self) -> list[Output]:
        return [o for o in self.outputs if keys.is_manifest(o.out.oid) and o.path not in self.manifests]

    @property
    def large(self) -> list[Part]:
        return [Part(path, blob) for path, blob in self.manifests.items() if blob.size > LARGE_MANIFEST_BYTES]


@dataclass(frozen=True)
class Lists:
    base: Side
    head: Side
    below: str

    @property
    def identity(self) -> str:
        """Changes when a manifest that was missing arrives."""
        known = [sorted(blob.sha256 for blob in side.manifests.values()) for side in (self.base, self.head)]
        return hashlib.sha256(repr(known).encode()).hexdigest()[:16]


def lists(repository: Repository, base: str, head: str, below: str) -> Lists:
    """What DVC tracks. base, head: full commit ids. below: a path, "" for everything. Two queries for any number."""
    one, other = tracked(repository, base).outputs, tracked(repository, head).outputs
    sides = (Side(), Side())
    for side, mine, theirs in ((sides[0], one, other), (sides[1], other, one)):
        side.outputs = [
            output
            for path, output in mine.items()
            if _touches(path, below) and not ((same := theirs.get(path)) and _same(output, same))
        ]
        wanted = {o.path: o.out.key for o in side.outputs if keys.is_manifest(o.out.oid)}
        blobs = objects.blobs(repository.pk, keys.BUCKET, wanted.values())
        side.manifests = {path: blobs[key] for path, key in wanted.items() if key in blobs}
    return Lists(*sides, below=below)


def in_git(repository: Repository, base: str, head: str, below: str) -> tuple[list[Pair], list[Pair]]:
    """The data files that git itself holds and that differ, of base and of head. Walks both trees: for jobs only."""
    changes = list(_git_changes(repository, base, head, below))
    return [(path, f"git:{old}") for old, _, path in changes if old], [
        (path, f"git:{new}") for _, new, path in changes if new
    ]


def write_small(side: Side, in_git: list[Pair], below: str, made: Path) -> None:
    """Every file of a side but those in large manifests, as "path<TAB>hash" lines."""
    with open(made, "w", encoding="utf-8") as out:
        for path, hash_ in chain(in_git, _small(side)):
            if _inside(path, below):
                out.write(f"{read.shown(path)}\t{hash_}\n")


def _small(side: Side) -> Iterator[Pair]:
    for output in side.outputs:
        if output.out.files:
            yield from ((f"{output.path}/{file.path}", file.oid) for file in output.out.files)
        elif not output.is_dir:
            yield output.path, output.out.oid
        elif (blob := side.manifests.get(output.path)) and blob.size <= LARGE_MANIFEST_BYTES:
            manifest = manifest_of(blob)
            yield from ((f"{output.path}/{path}", md5) for path, md5 in (manifest.files() if manifest else ()))


def _same(one: Output, other: Output) -> bool:
    return bool(one.out.oid) and one.out.oid == other.out.oid and one.out.files == other.out.files


def _touches(path: str, below: str) -> bool:
    """Whether an output lies below a path, or around it."""
    return _inside(path, below) or below.startswith(f"{path}/")


def _inside(path: str, below: str) -> bool:
    return not below or path == below or path.startswith(f"{below}/")


def _git_changes(repository: Repository, base: str, head: str, below: str) -> Iterator[tuple[str, str, str]]:
    """(old blob id, new blob id, path) of data files in git that differ; "" where there is none."""
    arguments = ["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--end-of-options", base, head]
    out = cli.run(store_of(repository), *arguments, *(["--", below] if below else []))
    fields = iter(out.split(b"\0"))
    for header in fields:
        if not header.startswith(b":"):
            break
        path = read.to_text(next(fields))
        old_mode, new_mode, old, new, _ = header[1:].decode().split()
        if not formats.is_data(path) or any(c < " " for c in path):
            continue
        yield old if _is_file(old_mode, old) else "", new if _is_file(new_mode, new) else "", path


def _is_file(mode: str, oid: str) -> bool:
    return mode.startswith("100") and oid != _ABSENT
