"""multipart/form-data as a stream: files go to a folder as they come, fields are small; constant memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from python_multipart.exceptions import ParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from hub.lib.errors import Invalid, TooLarge, WrongType
from hub.lib.streams import Request, in_thread

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAX_FIELD_BYTES, MAX_HEADER_BYTES, MAX_PARTS = 64 * 1024, 8 * 1024, 1_000


@dataclass(frozen=True)
class Field:
    name: str
    value: str


@dataclass(frozen=True)
class File:
    """filename: as the client wrote it, not checked in any way. path: where its bytes are."""

    name: str
    filename: str
    path: Path
    size: int


async def parts(
    request: Request, *, folder: Path, limit_bytes: int, max_files: int
) -> AsyncGenerator[Field | File, None]:
    """The parts of a form in their order, each as soon as it has arrived whole.

    folder: an empty one of the caller, who removes it. Raises WrongType (no form), Invalid (a damaged one), TooLarge.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise WrongType("Send the files as multipart/form-data.")
    form = _Form(folder, max_files)
    try:
        parser = MultipartParser(boundary, form.callbacks())
        async for piece in request.body(limit_bytes=limit_bytes):
            await in_thread(parser.write, piece)
            while form.done:
                yield form.done.pop(0)
        parser.finalize()
    except ParseError as error:
        raise Invalid("The form is damaged.", details="Send it again.") from error
    finally:
        form.close()
    if not form.ended:
        raise Invalid("The form ends too early.", details="Send it again.")
    while form.done:
        yield form.done.pop(0)


@dataclass
class _Form:
    """What the parser's callbacks fill; runs in a thread, one piece at a time."""

    folder: Path
    max_files: int
    done: list[Field | File] = field(default_factory=list)
    ended: bool = False
    _count: int = 0
    _files: int = 0
    _headers: dict[bytes, bytes] = field(default_factory=dict)
    _header: tuple[bytearray, bytearray] = field(default_factory=lambda: (bytearray(), bytearray()))
    _header_bytes: int = 0
    _names: dict[bytes, bytes] = field(default_factory=dict)
    _value: bytearray = field(default_factory=bytearray)
    _file: IO[bytes] | None = None

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._part_begin,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_end": self._end,
        }

    def close(self) -> None:
        if self._file:
            self._file.close()
            self._file = None

    def _part_begin(self) -> None:
        self._count += 1
        if self._count > MAX_PARTS:
            raise TooLarge(f"A form has at most {MAX_PARTS:,} parts.")
        self._headers, self._header_bytes, self._value = {}, 0, bytearray()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._grow(0, data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._grow(1, data[start:end])

    def _grow(self, which: int, piece: bytes) -> None:
        self._header_bytes += len(piece)
        if self._header_bytes > MAX_HEADER_BYTES:
            raise Invalid("A part of the form has too long a header.")
        self._header[which].extend(piece)

    def _header_end(self) -> None:
        self._headers[bytes(self._header[0]).lower()] = bytes(self._header[1])
        self._header = (bytearray(), bytearray())

    def _headers_finished(self) -> None:
        _, self._names = parse_options_header(self._headers.get(b"content-disposition", b""))
        if b"filename" not in self._names:
            return
        self._files += 1
        if self._files > self.max_files:
            raise TooLarge(f"At most {self.max_files:,} files can be sent at once.", details="Push them with git.")
        self._file = (self.folder / f"part-{self._files}").open("xb")

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._file:
            self._file.write(data[start:end])
            return
        self._value.extend(data[start:end])
        if len(self._value) > MAX_FIELD_BYTES:
            raise TooLarge("A field of the form is too long.")

    def _part_end(self) -> None:
        name = self._names.get(b"name", b"").decode("utf-8", "replace")
        if self._file is None:
            self.done.append(Field(name, self._value.decode("utf-8", "replace")))
            return
        size = self._file.tell()
        self.close()
        # Browsers write the three letters that would end the quotes as %22, %0D and %0A.
        filename = self._names[b"filename"].decode("utf-8", "surrogateescape").replace("%22", '"')
        self.done.append(File(name, filename, self.folder / f"part-{self._files}", size))

    def _end(self) -> None:
        self.ended = True
