"""Where a thread's lines are by now: followed from the commit they were written at, once per pair of commits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from repos import cache
from repos.git import cli, lines
from repos.git.lines import GONE, Moves
from repos.issues.models import Thread
from repos.models import Repository
from repos.place import store_of

VERSION = 1
MOST_LOOKED_AT = 100  # pairs of commits at once, each of which costs two processes of git; who asks again gets more


@dataclass(frozen=True)
class Where:
    """path: "" when the file is gone or cannot be followed. start, end: lines; 0 when they are not as they were."""

    path: str
    start: int = 0
    end: int = 0

    @property
    def outdated(self) -> bool:
        return not self.start


def followed(repository: Repository, wanted: Iterable[tuple[Thread, str]]) -> dict[int, Where]:
    """id of the thread → where its lines are in the commit given beside it; both ids full. Of threads that were begun
    at very many commits some are told to be gone, until somebody looks again."""
    pairs = list(wanted)
    asked: dict[tuple[str, str], set[str]] = defaultdict(set)
    for thread, commit in pairs:
        if thread.rev != commit:
            asked[thread.rev, commit].add(thread.path)
    moves: dict[tuple[str, str, str], Moves] = {}
    looked_at = 0
    for (old, new), paths in asked.items():
        found, fresh = _moves(repository, old, new, paths, look=looked_at < MOST_LOOKED_AT)
        moves |= {(old, new, path): one for path, one in found.items()}
        looked_at += fresh
    return {thread.pk: _where(thread, moves.get((thread.rev, commit, thread.path))) for thread, commit in pairs}


def _where(thread: Thread, moves: Moves | None) -> Where:
    lines = thread.detail["start"], thread.detail["line"]
    if moves is None:
        return Where(thread.path, *lines)
    return Where(moves.path or "", *(moves.lines(*lines) or ()))


def _moves(repository: Repository, old: str, new: str, paths: set[str], *, look: bool) -> tuple[dict[str, Moves], bool]:
    """(path → what became of it, whether git was asked). look: ask git for what is not known yet."""
    keys = {cache.key_of(repository, "moves", old, new, path, VERSION): path for path in paths}
    found = {keys[key]: value for key, value in cache.known_many(keys).items() if isinstance(value, Moves)}
    missing = paths - found.keys()
    if missing and not look:
        return found | dict.fromkeys(missing, GONE), False
    if missing:
        try:
            made = lines.moves(store_of(repository), old, new, missing)
        except cli.GitError:  # a commit that a broken disk has lost: its lines are shown as they were quoted
            return found | dict.fromkeys(missing, GONE), True
        for key, path in keys.items():
            if path in made:
                cache.keep(key, made[path])
        found |= made
    return found, bool(missing)
