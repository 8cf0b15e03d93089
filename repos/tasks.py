"""Git work that no request waits for. Ids in; each may run twice or be lost, the rows and git are the truth."""

from __future__ import annotations

import logging
from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from repos import mending, publishing
from repos.git import maintenance
from repos.git.commands import GitError
from repos.git.store import RepositoryMissing, size_on_disk
from repos.models import Repository
from repos.storage import store

logger = logging.getLogger("covey.git")
LEFT_AFTER = timedelta(minutes=10)
MAX_ROUNDS = 3  # pushes that come while one round runs are looked after by the next


@shared_task
def maintain(repository_id: int) -> None:
    """After a push: refs packed, commit-graph, packs, bitmaps; again while refs go on moving."""
    generation = -1
    for _ in range(MAX_ROUNDS):
        repository = Repository.objects.filter(pk=repository_id, deleted=None).first()
        if repository is None or repository.ref_generation == generation:
            return
        generation = repository.ref_generation
        path = store().open_for_write(repository_id)
        if not maintenance.maintain(path):
            return  # another worker is at it and will look again
        Repository.objects.filter(pk=repository_id).update(
            size_bytes=size_on_disk(path), maintained_generation=generation
        )


@shared_task
def maintain_left() -> None:
    """What a lost task left, or a worker that died: one after the other, since nobody waits."""
    left = Repository.objects.filter(
        deleted=None, ref_generation__gt=F("maintained_generation"), pushed__lt=timezone.now() - LEFT_AFTER
    )
    for repository_id in list(left.values_list("pk", flat=True)):
        try:
            maintain(repository_id)
        except (GitError, RepositoryMissing, OSError):
            logger.exception("repository %s could not be maintained", repository_id)


@shared_task
def reconcile_pushes() -> None:
    """Settle pushes whose web process died between git's change and the row."""
    for push in publishing.abandoned():
        publishing.reconcile(push)


@shared_task
def tidy_repositories() -> None:
    """Remove temporary files and locks of killed processes everywhere; bring back refs that the disk lost."""
    for repository_id in Repository.objects.filter(deleted=None).values_list("pk", flat=True).iterator(chunk_size=1000):
        try:
            path = store().open_for_write(repository_id)
            maintenance.tidy(path)
            mending.look(repository_id, path)
        except (RepositoryMissing, OSError):
            logger.exception("repository %s could not be tidied", repository_id)
    maintenance.tidy_temporary(settings.TMP_ROOT, settings.GIT_ROOT)


@shared_task
def remove_from_disk(repository_id: int) -> None:
    """The Git folder of a deleted repository."""
    if Repository.objects.filter(pk=repository_id, deleted=None).exists():
        logger.error("repository %s is not deleted; its folder stays", repository_id)
        return
    store().remove(repository_id)
