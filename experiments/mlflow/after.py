"""After a write through the mount: refresh what the hub keeps, once a second at most per repository, off the request.

A hub killed in that second is repaired by the next write, the next push or the nightly rebuild.
"""

from __future__ import annotations

import asyncio
import logging
import re

from experiments import indexing
from hub.lib.streams import in_thread

logger = logging.getLogger("covey.mlflow")
DELAY_SECONDS = 1.0
_COUNTED = re.compile(
    r"2\.0/mlflow/(runs/(create|delete|restore|set-tag|update)|experiments/(delete|restore)"
    r"|registered-models/(create|delete|set-tag|delete-tag))$"
)
_EDITED = re.compile(r"2\.0/mlflow/runs/(set-tag|delete-tag|log-parameter|update)$")
_BATCH, _EDITS = "2.0/mlflow/runs/log-batch", (b'"tags"', b'"params"')
_waiting: dict[int, asyncio.Task[None]] = {}


def written(repository_id: int, path: str) -> None:
    """Called on the event loop after MLflow answered 200."""
    if _COUNTED.search(path) and repository_id not in _waiting:
        _waiting[repository_id] = asyncio.create_task(_refresh(repository_id))


def edits(path: str, body: bytes) -> bool:
    """Whether a write changes names, tags or params of a run; its status and its points tell of themselves."""
    return bool(_EDITED.search(path)) or (path.endswith(_BATCH) and any(word in body for word in _EDITS))


async def _refresh(repository_id: int) -> None:
    try:
        try:
            await asyncio.sleep(DELAY_SECONDS)
        finally:
            _waiting.pop(repository_id, None)
        await in_thread(indexing.refresh, repository_id)
    except Exception:
        # The write itself stands; the counts are made again by the next one.
        logger.exception("refresh of repository %s failed", repository_id)
