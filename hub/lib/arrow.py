"""What Arrow calls its types, in words that people know."""

from __future__ import annotations

import re
from typing import Any

_EXTENSION = re.compile(r"extension<arrow\.(\w+)>")


def type_name(type_: Any) -> str:
    """Of a pyarrow.DataType. What Arrow adds to the types that it began with, by its own name: json, uuid."""
    return _EXTENSION.sub(r"\1", str(type_))
