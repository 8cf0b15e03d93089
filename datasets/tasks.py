"""Repairs that beat runs: ids in, rows read again, safe to run twice."""

from __future__ import annotations

import logging

from celery import shared_task
from django.core.management import call_command

from datasets import results
from datasets.s3 import uploads
from datasets.storage import quotas, removal, scrubbing, strays
from hub.lib.objectstore import ObjectStoreError
from hub.lib.stores import object_store

logger = logging.getLogger("covey.datasets")


@shared_task(autoretry_for=(ObjectStoreError,), retry_backoff=True, max_retries=5)
def sweep_store() -> None:
    """Remove what uploads that died have left in the store, and give up uploads in parts that nobody ends."""
    if swept := uploads.sweep() + object_store().sweep():
        logger.info("swept %s abandoned uploads", swept)


@shared_task
def rebuild_datasets() -> None:
    call_command("rebuild_datasets", missing=True)


@shared_task
def sweep_results() -> None:
    """Keep results within their bounds of age and bytes; asked for again, they are made again."""
    if swept := results.sweep():
        logger.info("swept %s results of comparisons", swept)


@shared_task
def remove_objects(repository_id: int) -> None:
    """The data of a deleted repository."""
    if removed := removal.remove(repository_id):
        logger.info("repository %s is deleted: %s objects went with it", repository_id, removed)


@shared_task
def remove_leftovers() -> None:
    """The same wherever a worker was killed in the middle, or never heard of it."""
    for repository_id in removal.leftovers():
        remove_objects(repository_id)


@shared_task
def scrub() -> None:
    scrubbing.start()


@shared_task
def recount_storage() -> None:
    if wrong := quotas.recount():
        logger.warning("%s counts of data were wrong", wrong)


@shared_task
def remove_unnamed() -> None:
    """Bytes that nothing named any more while a backup ran, or that never had a name."""
    if removed := removal.sweep():
        logger.info("removed %s objects without a name", removed)
    if removed := strays.sweep():
        logger.info("removed %s objects that no row told of", removed)
