"""Git's pkt-lines, the head of a push and its report: parsing of bytes that strangers send.

Follows gitprotocol-common(5) and gitprotocol-pack(5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from hub.lib.unicode import is_utf8
from repos.git.store import ZERO, RefChange

MAX_LINE_BYTES = 65520
MAX_REF_BYTES = 400
MAX_SPECIALS = 10_000  # of a request to fetch; git sends a handful
_ID = re.compile(rb"[0-9a-f]{40}")


class BadRequest(Exception):
    """These bytes are not what git sends; the text says what was expected."""


class TooManyCommands(BadRequest):
    """The push names more refs than are accepted. request: what was read of it."""

    def __init__(self, request: PushRequest) -> None:
        super().__init__("too many ref commands")
        self.request = request


class Special(IntEnum):
    FLUSH = 0
    DELIMITER = 1
    END = 2


Packet = bytes | Special
FLUSH = b"0000"


def line(data: bytes) -> bytes:
    """One pkt-line holding data."""
    assert len(data) + 4 <= MAX_LINE_BYTES
    return b"%04x" % (len(data) + 4) + data


def error(text: str) -> bytes:
    """The pkt-line that git shows as `remote error: …`."""
    return line(b"ERR " + text.replace("\n", " ").encode()[:60_000])


def sideband(band: int, data: bytes) -> bytes:
    """Data on a side band (1 data, 2 progress shown as `remote:`, 3 fatal), in as many lines as needed."""
    most = MAX_LINE_BYTES - 5
    return b"".join(line(bytes([band]) + data[start : start + most]) for start in range(0, len(data), most))


def _length(head: bytearray) -> int:
    """Of a packet by its first four bytes; below 4 it is a Special. Raises BadRequest."""
    try:
        length = int(head, 16) if head.isalnum() and head.isascii() else -1
    except ValueError:
        length = -1
    if length < 0 or length == 3 or length > MAX_LINE_BYTES:
        raise BadRequest("a pkt-line begins with four hexadecimal digits of its length")
    return length


@dataclass
class Splitter:
    """Cuts a stream into packets. feed() it, then take() until None; rest is what has not been taken."""

    rest: bytearray = field(default_factory=bytearray)
    specials: int = 0  # that count() has seen

    def feed(self, piece: bytes) -> None:
        self.rest += piece

    def take(self) -> Packet | None:
        """The next whole packet, or None when more bytes are needed. Raises BadRequest."""
        if len(self.rest) < 4:
            return None
        length = _length(self.rest[:4])
        if length < 4:
            del self.rest[:4]
            return Special(length)
        if len(self.rest) < length:
            return None
        data = bytes(self.rest[4:length])
        del self.rest[:length]
        return data

    def count(self, piece: bytes) -> int:
        """Feed a piece and drop the packets it completes; how many those were. Raises BadRequest.

        Sixteen million empty packets fit into 64 kB of gzip, so it gives up where git would have ended long ago."""
        self.feed(piece)
        at, number, held = 0, 0, len(self.rest)
        while held - at >= 4:
            length = _length(self.rest[at : at + 4])
            if length < 4:
                self.specials += 1
                if self.specials > MAX_SPECIALS:
                    raise BadRequest(f"more than {MAX_SPECIALS:,} flush packets")
            if held - at < length:
                break
            at, number = at + max(4, length), number + 1
        del self.rest[:at]
        return number

    def end(self) -> None:
        """Raises BadRequest when the stream ends inside a packet."""
        if self.rest:
            raise BadRequest("the request ends inside a pkt-line")


@dataclass(frozen=True)
class PushRequest:
    """What a push wants. options: from `git push -o`. impossible: refs no repository here can have → why."""

    changes: tuple[RefChange, ...] = ()
    capabilities: frozenset[str] = frozenset()
    options: tuple[str, ...] = ()
    impossible: Mapping[str, str] = field(default_factory=dict)

    @property
    def side_band(self) -> bool:
        return "side-band-64k" in self.capabilities

    @property
    def only_deletes(self) -> bool:
        return all(change.new == ZERO for change in self.changes)


class PushParser:
    """Reads the commands at the head of a push, before any process is started.

    feed() pieces until it returns True; then request holds the commands, head the bytes read for them, and
    rest the first bytes of the pack.
    """

    def __init__(self, *, max_commands: int) -> None:
        self._max_commands = max_commands
        self._max_bytes = MAX_LINE_BYTES + max_commands * (MAX_REF_BYTES + 100)
        self._splitter = Splitter()
        self._raw = bytearray()
        self._changes: list[RefChange] = []
        self._impossible: dict[str, str] = {}
        self._options: list[str] = []
        self._capabilities: frozenset[str] | None = None
        self._in_options = False
        self.done = False

    def feed(self, piece: bytes) -> bool:
        """True when the head is complete. Raises BadRequest or TooManyCommands."""
        self._raw += piece
        self._splitter.feed(piece)
        while not self.done and (packet := self._splitter.take()) is not None:
            self._packet(packet)
        if not self.done and len(self._raw) > self._max_bytes:
            raise BadRequest("the list of refs of this push is too long")
        return self.done

    @property
    def request(self) -> PushRequest:
        capabilities = self._capabilities or frozenset()
        return PushRequest(tuple(self._changes), capabilities, tuple(self._options), self._impossible)

    @property
    def head(self) -> bytes:
        """Every byte fed so far, the first ones of the pack included."""
        return bytes(self._raw)

    @property
    def rest(self) -> bytes:
        return bytes(self._splitter.rest)

    def _packet(self, packet: Packet) -> None:
        if isinstance(packet, Special):
            if packet is not Special.FLUSH:
                raise BadRequest("a push holds no delimiter packet")
            wants_options = "push-options" in (self._capabilities or ())
            self.done = self._in_options or not wants_options
            self._in_options = wants_options
        elif self._in_options:
            self._option(packet)
        elif not packet.startswith(b"shallow "):
            self._command(packet)

    def _option(self, packet: bytes) -> None:
        if len(self._options) >= 100 or len(packet) > 4096:
            raise BadRequest("a push takes at most 100 options of 4,096 bytes")
        self._options.append(packet.rstrip(b"\n").decode("utf-8", "replace"))

    def _command(self, packet: bytes) -> None:
        command, nul, capabilities = packet.partition(b"\0")
        if self._capabilities is None:
            self._capabilities = frozenset(capabilities.decode("utf-8", "replace").split()) if nul else frozenset()
        words = command.removesuffix(b"\n").split(b" ", 2)
        if len(words) != 3 or not _ID.fullmatch(words[0]) or not _ID.fullmatch(words[1]):
            raise BadRequest("a push command is: old id, new id, ref name (signed pushes are not accepted)")
        old, new, ref = words
        if not ref:
            raise BadRequest("a ref has a name")
        name = ref.decode("utf-8", "surrogateescape")
        if len(ref) > MAX_REF_BYTES:
            self._impossible[name] = f"a ref name has at most {MAX_REF_BYTES} bytes here"
        elif not is_utf8(ref):
            self._impossible[name] = "a ref name is UTF-8 here"
        self._changes.append(RefChange(name, old.decode(), new.decode()))
        if len(self._changes) > self._max_commands:
            raise TooManyCommands(self.request)


def refusal(request: PushRequest, summary: str, reasons: Mapping[str, str], *, say: str = "") -> bytes:
    """The whole answer to a push that is refused before git starts.

    summary: one line for every ref without its own reason. say: lines shown as `remote: …`.
    """
    report = line(b"unpack ok\n")
    for change in request.changes:
        reason = reasons.get(change.ref, summary).replace("\n", " ")
        report += line(f"ng {change.ref} {reason}\n".encode("utf-8", "surrogateescape"))
    report += FLUSH
    if request.side_band:
        return (sideband(2, say.rstrip("\n").encode() + b"\n") if say else b"") + sideband(1, report) + FLUSH
    if {"report-status", "report-status-v2"} & request.capabilities:
        return report
    return error(say or summary)


def applied_refs(report: bytes) -> set[str] | None:
    """The refs that a report-status says were changed; None when it is no whole report."""
    applied: set[str] = set()
    splitter, unpacked = Splitter(), False
    splitter.feed(report)
    try:
        while (packet := splitter.take()) is not None:
            if isinstance(packet, Special):
                return applied if unpacked else None
            words = packet.removesuffix(b"\n")
            unpacked = unpacked or words.startswith(b"unpack ")
            if words.startswith(b"ok "):
                applied.add(words[3:].decode("utf-8", "surrogateescape"))
    except BadRequest:
        return None
    return None
