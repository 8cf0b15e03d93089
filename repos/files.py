"""Bytes of any path at a commit: a git blob, or what another source keeps. In streams, never whole files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from hub.lib.errors import NotFound
from repos import content, gitstreams
from repos.content import Content, Entry
from repos.git import commands, read
from repos.git.transfer import Transfer
from repos.models import Repository

_reads = gitstreams.Slots(24)  # git processes that send one file each


@dataclass(frozen=True)
class GitContent:
    """A git blob. A symbolic link's content is the path it names; it is never followed."""

    repository: Repository
    entry: Entry
    size: int

    async def read(self, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """Bytes start (inclusive) to end (exclusive). git reads from the blob's beginning: packs allow nothing else."""
        command = [f"--git-dir={self.repository.path}", "cat-file", "blob", self.entry.oid]
        env = commands.environment()
        at = 0
        async with _reads.take(), Transfer(*command, env=env, stdin=asyncio.subprocess.DEVNULL) as git:
            while at < end and (piece := await gitstreams.patiently(git.stdout.read())):
                wanted = piece[max(0, start - at) : end - at]
                at += len(piece)
                if wanted:
                    yield wanted

    def head(self, limit: int) -> bytes:
        return read.read_blob(self.repository.path, self.entry.oid, limit_bytes=limit).data


def open_file(repository: Repository, commit: str, path: str) -> Content:
    """The file at this path of a full commit id; blocking. Raises NotFound, with the command that mends it if there
    is one."""
    found = read.find_entry(repository.path, commit, path) if path else None
    if found and found.kind in {"file", "link"}:
        size = read.blob_sizes(repository.path, [found.oid]).get(found.oid)
        if size is not None:
            return GitContent(repository, Entry(path, "file", found.oid, size, mode=found.mode), size)
    if found is None:
        for source in content.sources():
            if opened := source.open(repository, commit, path):
                return opened
            entry = source.stat(repository, commit, path)
            if entry and not entry.is_dir:
                raise NotFound(
                    f"'{read.shown(path)}' is tracked, but its bytes were never pushed here.",
                    details=f"Whoever has them runs: {entry.versioning} push {entry.pointer}".strip(),
                )
    raise NotFound(f"There is no file '{read.shown(path)}' here.")
