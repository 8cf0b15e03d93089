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
    """id of the thread → where its lines are in the commit given beside it; both ids full."""
    pairs = list(wanted)
    asked: dict[tuple[str, str], set[str]] = defaultdict(set)
    for thread, commit in pairs:
        if thread.rev != commit:
            asked[thread.rev, commit].add(thread.path)
    moves = {(old, new, path): one for (old, new), paths in asked.items() for path, one in
             _moves(repository, old, new, paths).items()}  # fmt: skip
    return {thread.pk: _where(thread, moves.get((thread.rev, commit, thread.path))) for thread, commit in pairs}


def _where(thread: Thread, moves: Moves | None) -> Where:
    lines = thread.detail["start"], thread.detail["line"]
    if moves is None:
        return Where(thread.path, *lines)
    return Where(moves.path or "", *(moves.lines(*lines) or ()))


def _moves(repository: Repository, old: str, new: str, paths: set[str]) -> dict[str, Moves]:
    keys = {cache.key_of(repository, "moves", old, new, path, VERSION): path for path in paths}
    found = {keys[key]: value for key, value in cache.known_many(keys).items() if isinstance(value, Moves)}
    if missing := paths - found.keys():
        try:
            made = lines.moves(store_of(repository), old, new, missing)
        except cli.GitError:  # a commit that a broken disk has lost: its lines are shown as they were quoted
            return found | dict.fromkeys(missing, GONE)
        for key, path in keys.items():
            if path in made:
                cache.keep(key, made[path])
        found |= made
    return found
