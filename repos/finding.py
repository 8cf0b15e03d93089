"""Find a file of a commit by letters of its name, in order: `rmd` finds src/readme.md."""

from __future__ import annotations

import re
from itertools import islice

from repos import cache
from repos.git import cli
from repos.git.read import to_text
from repos.place import Place

MAX_FILES = 200_000
MAX_FOUND = 50
MAX_LETTERS = 100
LIMIT_BYTES = 32 * 1024 * 1024


def paths_of(place: Place) -> list[str]:
    """Every path of a commit, at most MAX_FILES; made once per commit."""
    return cache.by_ids(place.repository, "paths", place.commit, make=lambda: _list(place))


def _list(place: Place) -> list[str]:
    out = cli.run(place.store, "ls-tree", "-r", "-z", "--name-only", place.commit, limit_bytes=LIMIT_BYTES)
    return [to_text(path) for path in islice(filter(None, out.split(b"\0")), MAX_FILES)]


def find(place: Place, letters: str) -> list[str]:
    """The best paths first: letters in the last part of the path, close together, short."""
    wanted = "".join(letters.split()).lower()[:MAX_LETTERS]
    paths = paths_of(place)
    if not wanted:
        return paths[:MAX_FOUND]
    # A lookahead-free chain of "anything but the next letter": linear time, whatever the path.
    pattern = re.compile("".join(f"[^{re.escape(c)}]*{re.escape(c)}" for c in wanted), re.DOTALL)
    found = [path for path in paths if pattern.match(path.lower())]
    return sorted(found, key=lambda path: _score(path.lower(), wanted))[:MAX_FOUND]


def _score(path: str, wanted: str) -> tuple[bool, bool, int]:
    name = path.rsplit("/", 1)[-1]
    return wanted not in name, wanted not in path, len(path)
