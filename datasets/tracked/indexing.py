"""Counts and caches made from git and the store; every one can be made again."""

from __future__ import annotations

from datasets import objects
from datasets.comparison import comparing
from datasets.dvc import keys
from datasets.tracked import commits
from datasets.tracked.manifests import manifest_of
from datasets.tracked.tracking import tracked
from repos import browsing
from repos.models import Repository


def refresh(repository_id: int, *, again: bool = False) -> int | None:
    """Count the outputs of the default branch, prepare their manifests and index the commits that are new (again: all
    of them); the count, None when the repository is gone. Safe to run twice."""
    repository = Repository.objects.select_related("owner").filter(pk=repository_id, deleted=None).first()
    if repository is None:
        return None
    rev = browsing.default_rev(repository)
    outputs = tracked(repository, rev.commit).outputs.values() if rev else ()
    manifests = (output.out.key for output in outputs if keys.is_manifest(output.out.oid))
    blobs = objects.blobs(repository.pk, keys.BUCKET, manifests)
    for blob in blobs.values():
        manifest_of(blob)
    comparing.prepare_manifests(repository, blobs)
    Repository.objects.filter(pk=repository.pk).update(outputs_count=len(outputs))
    if rev:
        commits.index(repository, again=again)
    return len(outputs)
