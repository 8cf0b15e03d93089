"""Previews of models: what their headers, the MLmodel beside them and the imports of a pickle say. None is loaded."""

from __future__ import annotations

import struct
from typing import Any

from django.utils.safestring import SafeString

from hub.lib import sandbox
from hub.lib.previews import models
from hub.lib.previews.pieces import cut, dump, grid, grids
from hub.lib.previews.preview import MIB, TEXT_BYTES, Bytes, Preview, Ranged, Source
from hub.lib.sandbox import Overrun, Unreadable
from hub.lib.served import served

RANGED_BYTES, BEGINNING_BYTES = 64 * MIB, 32 * MIB  # of a model: in parts, or where it can only be read from the start
_SIGNATURE = {"inputs": "Input", "outputs": "Output", "params": "Parameter"}


def safetensors(source: Source) -> Preview:
    start = source.head(8)
    length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
    data = source.head(8 + min(length, models.MAX_HEADER_BYTES))
    answer = sandbox.call("hub.lib.previews.models:safetensors", data, seconds=5, size=source.size)
    tables = [(["Metadata", "Value"], answer["metadata"]), (["Tensor", "Type", "Shape", "Size"], answer["tensors"])]
    return Preview("model", grids(tables) or SafeString("<p>The file holds no tensors.</p>"), answer["note"])


def mlmodel(source: Source) -> Preview:
    """What MLflow writes beside a model."""
    answer = sandbox.call("hub.lib.previews.model_card:mlmodel", source.head(TEXT_BYTES))
    tables = [
        (["Flavour", "Version"], answer["flavors"]),
        *(([title, "Type", ""], _columns(answer["signature"].get(kind, []))) for kind, title in _SIGNATURE.items()),
        (["About", ""], [[key, str(value)] for key, value in answer["facts"].items()]),
    ]
    return Preview("model", grids(tables), cut(source, TEXT_BYTES), has_source=True)


def _columns(rows: list[list[Any]]) -> list[list[str]]:
    return [[name, kind, "optional" if optional else ""] for name, kind, optional in rows]


def onnx(source: Source) -> Preview:
    answer = _ranged(source, "onnx:onnx")
    value = ["Name", "Type", "Shape"]
    tables = [
        (["About", ""], answer["facts"]),
        (["Input", *value[1:]], answer["inputs"]),
        (["Output", *value[1:]], answer["outputs"]),
        (["Operator", "How often"], answer["operators"]),
        (["Weight", *value[1:]], answer["weights"]),
    ]
    return Preview("model", grids(tables), answer["note"])


def pickle(source: Source) -> Preview:
    warning = "A pickle runs its author's code when it is loaded. It was not loaded here; do so only if you trust it."
    try:
        answer = _ranged(source, "pickles:pickled")
    except (Unreadable, Overrun) as error:
        note = str(error) if isinstance(error, Unreadable) else "It is too large to be looked through."
        return Preview("pickle", dump(source), f"{warning} {note}", warning=True)
    rows = answer["imports"]
    html = grid({"columns": ["It imports", "Verdict"], "types": [], "rows": rows}) if rows else dump(source)
    nothing = "" if rows else "It imports nothing."
    return Preview("pickle", html, " ".join(filter(None, [warning, nothing, answer["note"]])), warning=True)


def _ranged(source: Source, function: str) -> Any:
    """A function on a file that reads only the parts it needs; of a source without parts, on its beginning."""
    if not isinstance(source, Ranged):
        source = Bytes(source.head(BEGINNING_BYTES))
    with served(lambda start, end, _: source.part(start, end), size=source.size, max_bytes=RANGED_BYTES) as elsewhere:
        descriptors = [elsewhere.socket.fileno()]
        return sandbox.call(f"hub.lib.previews.{function}", seconds=8, descriptors=descriptors, size=source.size)
