"""Who last changed each line of a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from repos.git import cli
from repos.git.history import moment

TIMEOUT_SECONDS = 15.0


@dataclass(frozen=True)
class Origin:
    """The commit that wrote a line. path: the file's name then (printable)."""

    sha: str
    author: str
    when: datetime
    subject: str
    path: str


@dataclass(frozen=True)
class Blame:
    """spans: (origin, lines) from the top; texts: the lines themselves."""

    spans: list[tuple[Origin, int]]
    texts: list[str]


def blame(store: Path, commit: str, path: str) -> Blame:
    """Raises Busy when the history is too long to search in time. The caller has checked size and path."""
    out = cli.run(store, "blame", "--porcelain", commit, "--", path, timeout_seconds=TIMEOUT_SECONDS)
    spans, texts = list[tuple[Origin, int]](), list[str]()
    for origin, text in _lines(out):
        texts.append(text)
        if spans and spans[-1][0].sha == origin.sha:
            spans[-1] = (origin, spans[-1][1] + 1)
        else:
            spans.append((origin, 1))
    return Blame(spans, texts)


def _lines(out: bytes) -> Iterator[tuple[Origin, str]]:
    """Porcelain: `id old new [count]`, fields of a commit when it is new, then TAB and the line."""
    known: dict[str, Origin] = {}
    sha, fields = "", dict[str, str]()
    for raw in out.split(b"\n"):
        line = raw.decode("utf-8", "replace")
        if line.startswith("\t"):
            if sha not in known:
                known[sha] = _origin(sha, fields)
            yield known[sha], line[1:].removesuffix("\r")
            sha, fields = "", {}
        elif not sha:
            sha = line.split(" ", 1)[0]
        else:
            key, _, value = line.partition(" ")
            fields[key] = value


def _origin(sha: str, fields: dict[str, str]) -> Origin:
    when = moment(fields.get("author-time", "0"))
    return Origin(sha, fields.get("author", ""), when, fields.get("summary", "")[:200], fields.get("filename", ""))
