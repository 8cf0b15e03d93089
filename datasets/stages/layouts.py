"""Where the boxes of a drawing stand, asked of the sandbox: the library may take long over a hostile graph."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets.pipelines import boxes
from hub.lib import sandbox
from hub.lib.sandbox import Helper, Overrun, Unreadable

SECONDS = 10.0
MAX_BOXES, MAX_LINES = 500, 2_500
_helper = Helper(
    allowed="datasets.pipelines.layout",
    warm=["datasets.pipelines.layout"],
    packages=[Path(__file__).resolve().parents[1]],
)


def layout(labels: Sequence[str], edges: Sequence[Sequence[int]], *, seconds: float = SECONDS) -> dict[str, Any] | None:
    """The answer of datasets.pipelines.layout for boxes with these labels; None when there is too much to be drawn.

    Raises Busy."""
    if not labels or len(labels) > MAX_BOXES or len(edges) > MAX_LINES:
        return None
    asked = {"boxes": [boxes.size(label) for label in labels], "edges": list(edges)}
    try:
        answer = sandbox.call(
            "datasets.pipelines.layout:layout", json.dumps(asked).encode(), helper=_helper, seconds=seconds
        )
    except (Unreadable, Overrun):
        return None  # the list beside it says the same
    return dict(answer)
