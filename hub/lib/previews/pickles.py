"""Worker: what a pickle imports, read from its opcodes. Nothing is unpickled.

picklescan reads the opcodes and knows what is dangerous; here are the forms in which models keep their pickles.
"""

from __future__ import annotations

import bz2
import io
import itertools
import logging
import lzma
import pickletools
import struct
import zipfile
import zlib
from typing import Any, BinaryIO

from picklescan import scanner
from picklescan.relaxed_zipfile import RelaxedZipFile

from hub.lib.served import ServedFile

logging.getLogger("picklescan").setLevel(logging.CRITICAL + 1)
PICKLE_BYTES = 16 * 1024 * 1024  # of one pickle, unpacked
MAX_IMPORTS, MAX_MEMBERS, BLOCK_BYTES = 200, 20, 64 * 1024
_ZIP = b"PK\x03\x04"
_PACKED: list[tuple[tuple[bytes, ...], Any]] = [  # what joblib packs with
    ((b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"), zlib.decompressobj),
    ((b"\x1f\x8b",), lambda: zlib.decompressobj(wbits=31)),
    ((b"BZh",), bz2.BZ2Decompressor),
    ((b"\xfd7zXZ", b"\x5d\x00\x00"), lzma.LZMADecompressor),
]
# What models are made of, beside what picklescan knows; anything else is a reason to look twice.
USUAL = (
    *("torch", "numpy", "collections", "sklearn", "scipy", "pandas", "joblib.numpy_pickle", "copyreg", "_codecs"),
    *("builtins.set", "builtins.dict", "builtins.list", "builtins.slice", "builtins.bytearray", "builtins.complex"),
    *("xgboost", "lightgbm", "catboost", "transformers", "tokenizers"),
)
_ORDER = ("runs code", "look twice", "usual")


def pickled(payload: bytes, *, files: list[str], size: int) -> dict[str, Any]:
    """{"imports": [[name, "runs code", "look twice" or "usual"]], the worst first; "note"}. Raises ValueError."""
    with io.BufferedReader(ServedFile(files[0], size, block_bytes=BLOCK_BYTES)) as file:
        return described(file)


def described(file: BinaryIO) -> dict[str, Any]:
    try:
        bodies, notes = _bodies(file)
        found = [_scan(body) for body in bodies]
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        struct.error,
        OverflowError,
        NotImplementedError,
    ) as error:
        raise ValueError("This file is damaged: what it holds could not be read.") from error
    except (RuntimeError, OSError, EOFError) as error:  # a password, an end that comes too early
        raise ValueError("What this file holds could not be read.") from error
    imports = {name: verdict for names, _ in found for name, verdict in names.items()}
    if any(broken for _, broken in found):
        notes.append("It could be read in part only: it may import more than this.")
    rows = sorted(imports.items(), key=lambda row: (_ORDER.index(row[1]), row[0]))
    if len(rows) > MAX_IMPORTS:
        notes.append(f"Only {MAX_IMPORTS:,} of its {len(rows):,} imports are shown.")
    return {"imports": [list(row) for row in rows[:MAX_IMPORTS]], "note": " ".join(notes)}


def _bodies(file: BinaryIO) -> tuple[list[bytes], list[str]]:
    """(the pickles in a file, what is left out of them)."""
    head = file.read(8)
    file.seek(0)
    if head.startswith(_ZIP):
        return _members(file)
    for starts, decompressor in _PACKED:
        if head.startswith(starts):
            body = decompressor().decompress(file.read(PICKLE_BYTES), PICKLE_BYTES + 1)
            return [body[:PICKLE_BYTES]], _cut(len(body))
    body = file.read(PICKLE_BYTES + 1)
    return [body[:PICKLE_BYTES]], _cut(len(body))


def _members(file: BinaryIO) -> tuple[list[bytes], list[str]]:
    """Of an archive of torch's."""
    with RelaxedZipFile(file) as archive:
        names = [name for name in archive.namelist() if name.lower().endswith((".pkl", ".pickle"))]
        if not names:
            raise ValueError("This archive holds no pickle.")
        bodies = []
        for name in names[:MAX_MEMBERS]:
            with archive.open(name) as member:
                bodies.append(member.read(PICKLE_BYTES + 1))
    notes = _cut(max(map(len, bodies)))
    if len(names) > MAX_MEMBERS:
        notes.append(f"Only {MAX_MEMBERS} of its {len(names):,} pickles were read.")
    return [body[:PICKLE_BYTES] for body in bodies], notes


def _cut(length: int) -> list[str]:
    return [f"Only its first {PICKLE_BYTES // 1024**2} MiB were read."] if length > PICKLE_BYTES else []


def _scan(body: bytes) -> tuple[dict[str, str], bool]:
    """(what it imports with a verdict each, whether its end was not reached). Raises ValueError for what is no
    pickle."""
    try:
        first = [opcode.name for opcode, _, _ in itertools.islice(pickletools.genops(body), 2)]
    except ValueError as error:
        raise ValueError("This is not a pickle.") from error
    if not first:
        raise ValueError("This is not a pickle.")
    result = scanner.scan_pickle_bytes(io.BytesIO(body), "")
    names = {f"{one.module}.{one.name}"[:200]: _verdict(one) for one in result.globals}
    return names, bool(result.scan_err) or not body.rstrip(b"\0").endswith(b".")


def _verdict(found: scanner.Global) -> str:
    if found.safety is scanner.SafetyLevel.Dangerous:
        return "runs code"
    name = f"{found.module}.{found.name}"
    usual = any(name == one or name.startswith(one + ".") for one in USUAL)
    return "usual" if usual or found.safety is scanner.SafetyLevel.Innocuous else "look twice"
