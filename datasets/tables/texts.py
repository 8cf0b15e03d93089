"""Text of any encoding as UTF-8 without zero bytes, in constant memory."""

from __future__ import annotations

import codecs
from pathlib import Path

PIECE_BYTES = 4 * 1024 * 1024
MAX_LINE_BYTES = 16 * 1024 * 1024
_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16", codecs.BOM_UTF8: "utf-8-sig"}


def as_utf8(path: Path, made: Path) -> tuple[Path, list[str]]:
    """(the file itself when it is clean UTF-8, else its copy at made; what was done to it).

    Raises ValueError for a line without an end.
    """
    with open(path, "rb") as file:
        head = file.read(4)
    encoding = next((name for mark, name in _MARKS.items() if head.startswith(mark)), "utf-8")
    if encoding == "utf-8" and _is_clean(path):
        return path, []
    return made, _rewrite(path, made, encoding)


def _is_clean(path: Path) -> bool:
    """UTF-8 without zero bytes; also looks for a line that never ends."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, clean = 0, True
    with open(path, "rb") as file:
        while piece := file.read(PIECE_BYTES):
            line = _line_length(line, piece)
            if not clean:
                continue
            try:
                decoder.decode(piece)
            except UnicodeDecodeError:
                clean = False
            clean = clean and b"\0" not in piece
    if clean:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return clean


def _line_length(line: int, piece: bytes) -> int:
    last = max(piece.rfind(b"\n"), piece.rfind(b"\r"))
    line = line + len(piece) if last < 0 else len(piece) - last - 1
    if line > MAX_LINE_BYTES:
        raise ValueError(f"A line is longer than {MAX_LINE_BYTES // 1024**2} MiB.")
    return line


def _rewrite(path: Path, made: Path, encoding: str) -> list[str]:
    wrong = _Wrong()
    codecs.register_error("covey-latin", wrong)
    decoder = codecs.getincrementaldecoder(encoding)("covey-latin" if encoding.startswith("utf-8") else "replace")
    zeros = line = 0
    with open(path, "rb") as file, open(made, "w", encoding="utf-8", errors="replace", newline="") as out:
        while True:
            piece = file.read(PIECE_BYTES)
            line = _line_length(line, piece)
            text = decoder.decode(piece, final=not piece)
            zeros += text.count("\0")
            out.write(text.replace("\0", "�"))
            if not piece:
                break
    notes = ["The file is UTF-16."] if encoding == "utf-16" else []
    if wrong.count:
        notes.append(f"Bytes that are not UTF-8: {wrong.count:,}; they were read as Latin-1.")
    if zeros:
        notes.append(f"Zero bytes: {zeros:,}; they were replaced.")
    return notes


class _Wrong:
    """Reads what is not UTF-8 as Latin-1, and counts it: a file of mixed encodings keeps its right part right."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        wrong = error.object[error.start : error.end]
        self.count += len(wrong)
        return wrong.decode("latin-1"), error.end
