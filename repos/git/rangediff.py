"""Which commits of one version of a branch became which of another: `git range-diff` without its patches."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from hub.lib.errors import Busy
from repos.git import cli, history
from repos.git.commands import GitError

MOST_COMMITS = 100  # of each version: git compares every one with every one
TIMEOUT_SECONDS = 5.0
_LINE = re.compile(rb" *(?:\d+|-): +(\S+) ([=!<>]) +(?:\d+|-): +(\S+)(?: (.*))?")
_WORDS = {"=": "same", "!": "changed", "<": "dropped", ">": "new"}


@dataclass(frozen=True)
class Pair:
    """what: same, changed, dropped or new. old, new: full ids, "" where there is none."""

    what: str
    old: str
    new: str
    subject: str


def pairs(store: Path, old: tuple[str, str], new: tuple[str, str]) -> list[Pair] | None:
    """old, new: (where it begins, its tip), full ids. None for more commits than are compared, or when git needs too
    long."""
    if any(history.ahead_behind(store, start, tip)[0] > MOST_COMMITS for start, tip in (old, new)):
        return None
    try:
        ranges = [f"{start}..{tip}" for start, tip in (old, new)]
        command = ("-c", "core.abbrev=40", "range-diff", "-s", "--no-color")
        out = cli.run(store, *command, *ranges, timeout_seconds=TIMEOUT_SECONDS)
    except (GitError, Busy):
        return None
    return [_pair(match) for line in out.splitlines() if (match := _LINE.fullmatch(line))]


def _pair(match: re.Match[bytes]) -> Pair:
    old, what, new, subject = (part.decode("utf-8", "replace") for part in match.groups(default=b""))
    return Pair(_WORDS[what], old.strip("-"), new.strip("-"), subject[: history.SUBJECT_COLUMNS])
