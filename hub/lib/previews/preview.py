"""What a preview is made of and what it becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from django.utils.safestring import SafeString

MIB = 1024 * 1024
TEXT_BYTES = 2 * MIB  # of a text
NOTHING = SafeString("")


class Source(Protocol):
    """Bytes of a file; repos.content.Content is one."""

    @property
    def size(self) -> int: ...

    def head(self, limit: int) -> bytes:
        """At most the first `limit` bytes; blocking."""
        ...


@runtime_checkable
class Ranged(Source, Protocol):
    """A source of which any part can be had as cheaply as its beginning."""

    def part(self, start: int, end: int) -> bytes:
        """Bytes start to end (exclusive), both within the size; blocking."""
        ...


@dataclass(frozen=True)
class Bytes:
    """A source in memory."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def head(self, limit: int) -> bytes:
        return self.data[:limit]

    def part(self, start: int, end: int) -> bytes:
        return self.data[start:end]


@dataclass(frozen=True)
class Preview:
    """kind: markdown, code, notebook, image, audio, video, pdf, page, table, tree, model, pickle, empty, binary, large.

    html: what to show, safe, inside <div class="preview preview-{kind}">. note: one sentence about what is left out or
    what went wrong, "" for none. warning: it is about danger. has_source: the file is text that can also be shown as
    written (render(…, as_source=True)). lines: of code, one safe string per line; empty for other kinds.
    """

    kind: str
    html: SafeString = NOTHING
    note: str = ""
    warning: bool = False
    has_source: bool = False
    lines: tuple[SafeString, ...] = ()
