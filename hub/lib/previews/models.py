"""Worker: what model files say of themselves, without loading them: safetensors headers, the opcodes of pickles."""

from __future__ import annotations

import json
import pickletools
import struct
from typing import Any

MAX_HEADER_BYTES = 10 * 1024 * 1024
MAX_TENSORS, MAX_IMPORTS, MAX_OPCODES = 500, 200, 500_000
_ZIP = b"PK\x03\x04"
# What models are made of; anything else that a pickle imports is a reason to look twice.
USUAL = (
    *("torch", "numpy", "collections", "sklearn", "scipy", "pandas", "joblib.numpy_pickle", "copyreg", "_codecs"),
    *("builtins.set", "builtins.dict", "builtins.list", "builtins.slice", "builtins.bytearray", "builtins.complex"),
)


def safetensors(data: bytes, *, size: int) -> dict[str, Any]:
    """{"tensors": [name, dtype, shape, bytes], "metadata": pairs, "note"}.

    data: at least the header of a file of `size` bytes.
    """
    if len(data) < 8:
        raise ValueError("This file is too short to be safetensors.")
    (length,) = struct.unpack("<Q", data[:8])
    if length > MAX_HEADER_BYTES or 8 + length > size:
        raise ValueError("The safetensors header is damaged: its length does not fit the file.")
    try:
        header = json.loads(data[8 : 8 + length])
        metadata = header.pop("__metadata__", {})
        tensors = [_tensor(name, about) for name, about in header.items()]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("The safetensors header is damaged: it is not the JSON it should be.") from error
    parameters = sum(tensor[4] for tensor in tensors)
    note = f"{len(tensors):,} tensors, {parameters:,} parameters."
    if len(tensors) > MAX_TENSORS:
        note += f" Only the first {MAX_TENSORS:,} are shown."
    pairs = [[str(key)[:200], str(value)[:1_000]] for key, value in dict(metadata).items()][:100]
    rows = [[name, dtype, shape, f"{count:,} bytes"] for name, dtype, shape, count, _ in tensors[:MAX_TENSORS]]
    return {"tensors": rows, "metadata": pairs, "note": note}


def _tensor(name: str, about: dict[str, Any]) -> tuple[str, str, str, int, int]:
    shape = [int(length) for length in about["shape"]]
    begin, end = (int(offset) for offset in about["data_offsets"])
    parameters = 1
    for length in shape[:16]:
        parameters = min(parameters * length, 1 << 62)
    return name[:300], str(about["dtype"])[:20], " × ".join(map(str, shape[:16])) or "scalar", end - begin, parameters


def pickled(data: bytes, *, complete: bool) -> dict[str, Any]:
    """{"imports": names with whether they are usual, "opcodes": count, "note"}. Nothing is unpickled."""
    body = _inside_zip(data) if data.startswith(_ZIP) else data
    imports: dict[str, None] = {}
    strings: list[str] = []  # what STACK_GLOBAL may name: the last strings pushed
    memo: dict[int, str] = {}
    count, ended = 0, ""
    try:
        for opcode, argument, _ in pickletools.genops(body):
            count += 1
            if count > MAX_OPCODES or len(imports) > MAX_IMPORTS:
                ended = "It is long; only its beginning was read."
                break
            if opcode.name in {"GLOBAL", "INST"}:
                imports[str(argument).replace(" ", ".")[:200]] = None
            elif opcode.name == "STACK_GLOBAL":
                imports[".".join(strings[-2:])[:200] or "?"] = None
            elif isinstance(argument, str):
                strings = [*strings[-7:], argument]
            elif opcode.name == "MEMOIZE":
                memo[len(memo)] = strings[-1] if strings else "?"
            elif opcode.name in {"BINPUT", "LONG_BINPUT", "PUT"} and isinstance(argument, int):
                memo[argument] = strings[-1] if strings else "?"
            elif opcode.name in {"BINGET", "LONG_BINGET", "GET"} and isinstance(argument, int):
                strings = [*strings[-7:], memo.get(argument, "?")]
    except (ValueError, UnicodeDecodeError, OverflowError) as error:
        if not count:
            raise ValueError("This is not a pickle.") from error
        ended = "The rest could not be read." if complete else "Only its beginning was read."
    names = [[name, _usual(name)] for name in imports]
    return {"imports": names, "opcodes": count, "note": ended}


def _usual(name: str) -> bool:
    return any(name == usual or name.startswith(usual + ".") for usual in USUAL)


def _inside_zip(data: bytes) -> bytes:
    """The first stored member named data.pkl of a torch archive, read without the directory at its end."""
    at = 0
    while data[at : at + 4] == _ZIP and at + 30 <= len(data):
        _, _, method, _, _, _, packed, _, name_length, extra_length = struct.unpack(
            "<HHHHHIIIHH", data[at + 4 : at + 30]
        )
        start = at + 30 + name_length + extra_length
        if data[at + 30 : at + 30 + name_length].endswith(b"data.pkl"):
            if method:
                raise ValueError("The pickle inside this archive is compressed; it was not read.")
            return data[start:]  # it ends itself
        at = start + packed
    raise ValueError("This archive holds no pickle near its beginning.")
