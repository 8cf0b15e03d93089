"""The one warm process of this hub process that runs short calls into datasets.tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub.lib import sandbox
from hub.lib.sandbox import Helper

SECONDS = 10.0
MEMORY_BYTES = 2 * 1024**3
_helper = Helper(
    allowed="datasets.tables.",
    # pyarrow too, which is imported where it is used: it would be a tenth of a second of every call.
    warm=["pyarrow.parquet", "datasets.tables.pages", "datasets.tables.viewing", "datasets.tables.selecting"],
    packages=[Path(__file__).resolve().parent],
)


def call(function: str, **options: Any) -> Any:
    """function: "module:name" below datasets.tables. Raises what sandbox.call raises."""
    return sandbox.call(
        f"datasets.tables.{function}", helper=_helper, seconds=SECONDS, memory_bytes=MEMORY_BYTES, **options
    )
