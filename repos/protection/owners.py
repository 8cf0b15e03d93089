""".covey/OWNERS: who owns which paths. One line each, the last that matches counts: pattern @name @name.

    *.py        @alice
    /data/      @bob @carol      everything below data
    docs/*      @alice           only what lies in docs itself

All patterns are matched together by RE2, in time proportional to the path. Lines that cannot be read are passed over
and told to people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import re2

from hub.lib.errors import NotFound
from repos import cache, globs
from repos.git import commands, read
from repos.models import Repository
from repos.place import store_of
from repos.pulls import branches

FILE = ".covey/OWNERS"
MOST_BYTES, MOST_LINES, MOST_NAMES, MOST_PROBLEMS = 64 * 1024, 1_000, 20, 20
MOST_PATHS = 20_000  # of one pull request; one with more counts as if it touched all that anybody owns
_NAME = re.compile(r"@([A-Za-z0-9][A-Za-z0-9-]{0,38})")
_BAD = re.compile(r"[\[\]\\]|^!|\*\*\*|//|^/?$")


@dataclass(frozen=True)
class Line:
    number: int
    pattern: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Owners:
    """problems: sentences, each with its line."""

    lines: tuple[Line, ...] = ()
    problems: tuple[str, ...] = ()

    def of(self, path: str) -> tuple[str, ...]:
        """Names in lower case; none where nobody owns it."""
        found = self._patterns.Match(globs.as_bytes(path)) if self.lines else None
        return self.lines[max(found)].names if found else ()

    @cached_property
    def _patterns(self) -> Any:
        found = re2.Set.FullMatchSet(globs.options(64 << 20))
        for line in self.lines:
            found.Add(_expression(line.pattern))
        found.Compile()
        return found


def parse(text: str) -> Owners:
    """Never fails."""
    lines: list[Line] = []
    problems: list[str] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        if number > MOST_LINES:
            problems.append(f"Only the first {MOST_LINES:,} lines are read.")
            break
        words = raw.split("#", 1)[0].split()
        if not words:
            continue
        names = [_NAME.fullmatch(word) for word in words[1:]]
        if len(words[0]) > globs.MOST_CHARACTERS or _BAD.search(words[0]):
            problems.append(f"Line {number}: '{words[0][:60]}' is no pattern; use names, *, ** and ?.")
        elif bad := [word for word, name in zip(words[1:], names, strict=True) if name is None]:
            problems.append(f"Line {number}: '{bad[0][:60]}' is no @name.")
        else:
            found = tuple(dict.fromkeys(name[1].lower() for name in names if name))
            lines.append(Line(number, words[0], found[:MOST_NAMES]))
    return Owners(tuple(lines), tuple(problems[:MOST_PROBLEMS]))


def _expression(pattern: str) -> bytes:
    """As in .gitignore: with a slash inside or in front from the root, else at any depth; a folder is all below it."""
    body = pattern.strip("/")
    if "/" not in pattern.rstrip("/"):
        body = f"**/{body}"
    if pattern.endswith("/"):
        return globs.expression(f"{body}/**")
    last = body.rpartition("/")[2]
    direct = last == "*" and "/" in pattern
    return globs.expression(body) + (b"" if direct else b"(?:/(?s:.)*)?")


def owners_at(repository: Repository, commit: str) -> Owners:
    """As the file of this commit says; nobody without one."""
    return cache.by_ids(repository, "owners-file", commit, make=lambda: _read(repository, commit))


def _read(repository: Repository, commit: str) -> Owners:
    store = store_of(repository)
    try:
        entry = read.find_entry(store, commit, FILE)
    except NotFound:
        entry = None
    if entry is None or entry.kind != "file":
        return Owners()
    if (entry.size or 0) > MOST_BYTES:
        return Owners(problems=(f"The file is larger than {MOST_BYTES // 1024} KiB and is not read.",))
    data = read.read_blob(store, entry.oid, limit_bytes=MOST_BYTES).data
    return parse(data.decode("utf-8", "surrogateescape"))


def touched(repository: Repository, base: str, head: str) -> dict[tuple[str, ...], str]:
    """Each set of owners whose files change between two commits, with one of those paths. base: its .covey/OWNERS
    counts, since what asks to be merged does not choose its own judges."""
    return cache.by_ids(repository, "owners", base, head, make=lambda: _touched(repository, base, head))


def _touched(repository: Repository, base: str, head: str) -> dict[tuple[str, ...], str]:
    owners = owners_at(repository, base)
    if not owners.lines:
        return {}
    found: dict[tuple[str, ...], str] = {}
    paths = changed_paths(repository, branches.parted(repository, base, head), head)
    if len(paths) > MOST_PATHS:
        return {line.names: line.pattern for line in owners.lines if line.names}
    for path in paths:
        if names := owners.of(path):
            found.setdefault(names, read.shown(path))
    return found


def changed_paths(repository: Repository, start: str, head: str) -> list[str]:
    """Of both sides of a rename; the first MOST_PATHS and one more, which says that there are others."""
    arguments = ("diff-tree", "-r", "-z", "--no-renames", "--name-only", start, head, "--")
    found = []
    for raw in commands.records(store_of(repository), *arguments):
        if raw:
            found.append(raw.decode("utf-8", "surrogateescape"))
        if len(found) > MOST_PATHS:
            break
    return found
