"""Files packed with gzip or Zstandard, unpacked into the work folder; a bomb is stopped while it grows."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
PIECE_BYTES = 1024 * 1024
SHORT_BYTES = 64 * 1024  # a torn file gives all but its last piece
MIB = 1024 * 1024
MAX_PLAIN_BYTES = 4 * 1024 * MIB
FREE_BYTES, MAX_RATIO = 64 * MIB, 200  # what unpacks to more than both is a bomb


def unpacked(path: Path, made: Path) -> Path:
    """The file itself, or what it unpacks to. Raises ValueError."""
    kind = _kind(path)
    if not kind:
        return path
    import pyarrow

    limit = min(MAX_PLAIN_BYTES, max(FREE_BYTES, MAX_RATIO * path.stat().st_size))
    written = 0
    try:
        with (
            pyarrow.OSFile(str(path)) as packed,
            pyarrow.CompressedInputStream(packed, kind) as stream,
            open(made, "wb") as out,
        ):
            while piece := stream.read(PIECE_BYTES):
                written += len(piece)
                if written > limit:
                    raise ValueError(f"The file unpacks to more than {limit // MIB:,} MiB and was not read further.")
                out.write(piece)
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"The file cannot be unpacked: {str(error)[:150]}") from error
    return made


def beginning(data: bytes, *, limit: int) -> dict[str, Any]:
    """{"data": the first `limit` bytes that a packed file unpacks to, in Base64, "cut": whether there is more}.

    data: the file, or its beginning. Raises ValueError when it is not packed, or damaged."""
    import pyarrow

    kind = _kind_of(data[:4])
    if not kind:
        raise ValueError("The file is not packed.")
    plain, whole = bytearray(), False
    try:
        with pyarrow.CompressedInputStream(pyarrow.BufferReader(data), kind) as stream:
            while len(plain) <= limit and not whole:
                piece = stream.read(min(SHORT_BYTES, limit + 1 - len(plain)))
                plain += piece
                whole = not piece
    except (pyarrow.ArrowException, OSError) as error:
        if not plain:
            raise ValueError(f"The file cannot be unpacked: {str(error)[:150]}") from error
    return {"data": base64.b64encode(plain[:limit]).decode(), "cut": not whole}


def pack(path: Path, made: Path, *, like: Path) -> None:
    """Write path at made, packed as `like` is."""
    import pyarrow

    with open(path, "rb") as plain, pyarrow.CompressedOutputStream(str(made), _kind(like)) as out:
        while piece := plain.read(PIECE_BYTES):
            out.write(piece)


def _kind(path: Path) -> str:
    with open(path, "rb") as file:
        return _kind_of(file.read(4))


def _kind_of(head: bytes) -> str:
    return "gzip" if head.startswith(GZIP) else "zstd" if head.startswith(ZSTD) else ""
