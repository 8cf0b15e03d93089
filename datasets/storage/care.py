"""The jobs that look after a repository's data, as its Storage page asks for them and shows them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import results
from datasets.models import StoredObject
from datasets.storage import garbage, usage
from datasets.storage.garbage_list import GarbageList
from hub.accounts.actor import Actor, Area
from hub.jobs import jobs
from hub.jobs.models import Job
from hub.lib.errors import Conflict
from repos.models import Repository

KINDS = {"usage": usage.MEASURE, "look": garbage.LOOK, "collect": garbage.COLLECT}
MOST_SHARED, SHARED_SHOWN = 500, 20


def ask(kind: str, repository: Repository, actor: Actor, **arguments: Any) -> Job:
    """Start one of these jobs (again), unless it is under way."""
    wanted = {"repository": repository.pk, "user": actor.user_id, "address": actor.address, **arguments}
    key = f"{kind}:{repository.pk}"
    job = jobs.start(kind, key, wanted, repository_id=repository.pk, user_id=actor.user_id)
    ended = Job.objects.filter(pk=job.pk).exclude(state__in=jobs.OPEN)
    if ended.update(arguments=wanted, user_id=actor.user_id):
        job.refresh_from_db()
        jobs.restart(job)
    return job


def collect(repository: Repository, actor: Actor, listed: str) -> Job:
    """Remove what the last look has listed. Raises Conflict when that is another list than the one that was seen."""
    if result_of(state(repository)["look"]).get("list") != listed:
        raise Conflict("This is not the latest list of garbage.", details="Look at the list again, then confirm.")
    return ask(garbage.COLLECT, repository, actor, list=listed)


def state(repository: Repository) -> dict[str, Job | None]:
    """The last job of each kind, by what it does: usage, look, collect. One query."""
    keys = [f"{kind}:{repository.pk}" for kind in KINDS.values()]
    found = {job.kind: job for job in Job.objects.filter(key__in=keys)}
    return {word: found.get(kind) for word, kind in KINDS.items()}


def result_of(job: Job | None) -> dict[str, Any]:
    """What a job has found; empty until it is done."""
    return (job.result if job else None) or {}


def measured(repository: Repository, job: Job | None) -> usage.Usage | None:
    """What a usage job has found; None when there is nothing of it (any more)."""
    place = _list_of(repository, job)
    return usage.Usage(place) if place else None


def listed(repository: Repository, job: Job | None) -> GarbageList | None:
    """The same of a look for garbage."""
    place = _list_of(repository, job)
    return GarbageList(place) if place else None


def _list_of(repository: Repository, job: Job | None) -> Path | None:
    name = result_of(job).get("list")
    place = results.list_place(repository.pk, name) if name else None
    return place if place and results.touch(place) else None


def shared(actor: Actor, found: usage.Usage) -> list[tuple[Repository, usage.Shared]]:
    """With repositories that the reader may see; others are not even counted: their data is nobody's business."""
    rows = {row.repository: row for row in found.shared(MOST_SHARED)}
    visible = Repository.objects.visible_to(actor, area=Area.DATA).filter(pk__in=list(rows))
    pairs = [(repository, rows[repository.pk]) for repository in visible.select_related("owner")]
    return sorted(pairs, key=lambda pair: -pair[1].size)[:SHARED_SHOWN]


@dataclass(frozen=True)
class Rot:
    """A name whose bytes are damaged."""

    bucket: str
    key: str
    size: int
    since: Any


def rotten(repository: Repository, *, most: int = 100) -> list[Rot]:
    rows = StoredObject.objects.filter(repository=repository, blob__rotten__isnull=False).select_related("blob")
    return [Rot(row.bucket, row.key, row.blob.size, row.blob.rotten) for row in rows.order_by("pk")[:most]]
