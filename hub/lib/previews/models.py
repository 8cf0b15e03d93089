"""Worker: what the header of a safetensors file says of the model in it."""

from __future__ import annotations

import json
import struct
from collections import Counter
from typing import Any

MAX_HEADER_BYTES = 10 * 1024 * 1024
MAX_TENSORS = 500


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
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError("The safetensors header is damaged: it is not the JSON it should be.") from error
    parameters = sum(tensor[4] for tensor in tensors)
    kinds = Counter(tensor[1] for tensor in tensors)
    told = ", ".join(f"{count:,} of {kind}" for kind, count in kinds.most_common(8))
    note = f"{len(tensors):,} tensors, {parameters:,} parameters{f' ({told})' if told else ''}."
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
