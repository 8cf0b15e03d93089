"""Show a file of a stranger: one entry point, `render`, and a small module per kind.

Parsing happens in the sandbox (hub.lib.sandbox), on at most a few MiB of the file; nothing is ever executed, loaded or
fetched. The worker functions (notebook, tables, trees, models, onnx, pickles, texts) know no Django settings and
no request.
May import: hub.lib.
"""

from hub.lib.previews.kinds import kind_of
from hub.lib.previews.pieces import HEXDUMP_BYTES, hexdump
from hub.lib.previews.preview import TEXT_BYTES, Bytes, Preview, Source
from hub.lib.previews.rendering import NOTEBOOK_BYTES, RENDERER_VERSION, render

__all__ = [
    "HEXDUMP_BYTES",
    "NOTEBOOK_BYTES",
    "RENDERER_VERSION",
    "TEXT_BYTES",
    "Bytes",
    "Preview",
    "Source",
    "hexdump",
    "kind_of",
    "render",
]
