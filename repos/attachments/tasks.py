"""Care of attachments; safe to run twice."""

from __future__ import annotations

import logging

from celery import shared_task

from hub.lib.objectstore import ObjectStoreError
from repos.attachments import strays

logger = logging.getLogger("covey.attachments")


@shared_task(autoretry_for=(ObjectStoreError,), retry_backoff=True, max_retries=5)
def sweep_attachments() -> None:
    if swept := strays.sweep():
        logger.info("removed %s attachments that no text names", swept)
