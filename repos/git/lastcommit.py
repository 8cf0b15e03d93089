"""The last commit that changed each entry of a directory: one log stream, restarted for the few paths left.

Follows Gitea's log_name_status.go: a full walk finds most entries soon; the old ones are then asked for by path, so
that git skips (by tree comparison and Bloom filters) the commits that touch none of them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from repos.git import cli
from repos.git.read import to_bytes, to_text

RESTART_AT_MOST = 70  # paths on a command line


@dataclass
class _Walk:
    """What is known so far. missing: names without an answer."""

    directory: bytes
    missing: set[bytes]
    found: dict[bytes, str] = field(default_factory=dict)

    def take(self, sha: str, paths: list[bytes]) -> None:
        for path in paths:
            name = self.name_of(path)
            if name in self.missing:
                self.missing.discard(name)
                self.found[name] = sha

    def name_of(self, path: bytes) -> bytes:
        """The entry of our directory that a changed path lies in; b"" when outside."""
        if self.directory:
            if not path.startswith(self.directory + b"/"):
                return b""
            path = path[len(self.directory) + 1 :]
        return path.split(b"/", 1)[0]

    def pathspecs(self, *, narrow: bool) -> list[bytes]:
        if not narrow:
            return [self.directory] if self.directory else []
        return [b"/".join(filter(None, (self.directory, name))) for name in sorted(self.missing)]


def last_commits(
    store: Path, commit: str, directory: str, names: list[str], *, deadline_seconds: float, old: bool = False
) -> dict[str, str]:
    """name → id of the last commit that changed it; names not reached before the deadline are left out.

    old: they were not found among the recent commits, so ask by path at once when they are few.
    """
    encoded = {to_bytes(name): name for name in names}
    walk = _Walk(to_bytes(directory), set(encoded))
    end = time.monotonic() + deadline_seconds
    start, narrow = commit, len(names) == 1 or (old and len(names) <= RESTART_AT_MOST)
    while walk.missing and (left := end - time.monotonic()) > 0:
        try:
            again = _stream(store, start, walk, narrow=narrow, seconds=left)
        except cli.GitError as error:
            if error.answer:  # the repository is damaged
                raise
            break  # more than git may take in time or in memory
        if again is None:
            break
        start, narrow = again, True
    return {encoded[name]: sha for name, sha in walk.found.items()}


def _stream(store: Path, start: str, walk: _Walk, *, narrow: bool, seconds: float) -> str | None:
    """Walk until all is found, the end or the deadline (None), or until a restart from the returned commit pays."""
    args = ["log", "--name-status", "-c", "--parents", "--no-renames", "-t", "-z", "--format=commit%x00%H %P%x00"]
    restart_below = min(len(walk.missing) * 3 // 4, RESTART_AT_MOST)
    open_parents: set[str] = set()  # announced as parents, not seen yet
    joint, since_joint, since_few = start, 0, 0  # joint: a commit that everything older is reachable from
    paths = [to_text(spec) for spec in walk.pathspecs(narrow=narrow)]
    with cli.pieces(store, *args, "--end-of-options", start, "--", *paths, timeout_seconds=seconds) as pieces:
        for sha, parents, changed in _entries(pieces):
            open_parents.discard(sha)
            walk.take(sha, changed)
            if not walk.missing:
                return None
            since_joint += 1
            if not open_parents:
                joint, since_joint = sha, 0
            if len(walk.missing) <= restart_below:
                since_few += 1
                if 4 * since_few > 3 * since_joint:
                    return joint
            open_parents.update(parents)
    return None


def _entries(pieces: Iterator[bytes]) -> Iterator[tuple[str, list[str], list[bytes]]]:
    """(commit, parents, changed paths) from `commit NUL id parents NUL NUL [newline] (status NUL path NUL)*`."""
    tokens = _tokens(pieces)
    sha, parents, paths = "", list[str](), list[bytes]()
    for token in tokens:
        word = token.lstrip(b"\n")
        if word == b"commit":
            if sha:
                yield sha, parents, paths
            sha, *parents = next(tokens, b"").decode().split()
            paths = []
        elif word:
            paths.append(next(tokens, b""))
    if sha:
        yield sha, parents, paths


def _tokens(pieces: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\0")
        yield from whole
