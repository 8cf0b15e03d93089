"""Sync of a fork: at once where there is little to bring, else a job that somebody may watch and leave."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.jobs import jobs
from hub.jobs.jobs import Failed, Run
from hub.jobs.models import Job
from hub.lib.errors import HubError
from hub.lib.numbers import whole
from repos.forks import upstream
from repos.forks.upstream import Synced
from repos.models import Repository
from repos.pulls import drivers

SYNC = "forks.sync"
QUICK_BYTES = 32 * 1024**2  # of the parent's git; what has data is never quick
DONE = {
    "none": "This branch has everything of {parent} already.",
    "fast-forward": "This branch is where that of {parent} is now.",
    "merge": "The commits of {parent} are merged into this branch.",
}


@dataclass(frozen=True)
class Ended:
    words: str
    failed: bool


def sync(actor: Actor, fork: Repository, branch: str, *, via: str = "web") -> Synced | Job:
    """What was done, or the job that does it. Raises as upstream.sync does, of a job what is known before it begins,
    and Busy."""
    parent, _ = upstream.asked(actor, fork, branch)
    if parent.size_bytes <= QUICK_BYTES and not (parent.outputs_count or drivers.hold(parent)):
        return upstream.sync(actor, fork, branch, via=via)
    assert actor.user
    arguments = {"fork": fork.pk, "user": actor.user.pk, "branch": branch, "via": via}
    key = _key(actor, fork, branch, via)
    return jobs.start(SYNC, key, arguments, repository_id=fork.pk, user_id=actor.user.pk, again=True)


def _key(actor: Actor, fork: Repository, branch: str, via: str) -> str:
    name = hashlib.sha256(branch.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return f"{SYNC}:{fork.pk}:{actor.user_id}:{via}:{name}"


def last(actor: Actor, fork: Repository, branch: str, *, via: str = "api") -> Job | None:
    """The last sync of a branch that this actor asked for and a worker did."""
    return Job.objects.filter(key=_key(actor, fork, branch, via)).first()


def at_work(fork: Repository) -> Job | None:
    return Job.objects.filter(kind=SYNC, repository_id=fork.pk, state__in=jobs.OPEN).order_by("-pk").first()


def ended(actor: Actor, fork: Repository, asked: str) -> Ended | None:
    """How a sync ended that this person has asked for."""
    number = whole(asked)
    if number is None:
        return None
    job = Job.objects.filter(pk=number, kind=SYNC, repository_id=fork.pk, user_id=actor.user_id or 0).first()
    if job is None or job.state in jobs.OPEN:
        return None
    if job.state == Job.State.DONE and job.result:
        return Ended(DONE[job.result["kind"]].format(parent=job.result["parent"]), False)
    return Ended(job.error or "The sync was cancelled.", True)


@jobs.handler(SYNC)
def work(run: Run) -> dict[str, Any]:
    """Arguments: fork, user, branch, via. {"kind", "commit", "parent", "whose"}. Safe to run twice."""
    asked = run.job.arguments
    fork = Repository.objects.select_related("owner", "parent__owner").filter(pk=asked["fork"], deleted=None).first()
    user = User.objects.filter(pk=asked["user"], is_active=True).first()
    if fork is None or user is None:
        raise Failed("The fork is gone, or whoever asked for this.")
    total = fork.parent.size_bytes if fork.parent else 0
    actor, branch = Actor(user=user), asked["branch"]

    def beat(came: int) -> None:
        run.progress(min(came, total), total)

    try:
        done = upstream.sync(actor, fork, branch, via=asked["via"], beat=beat)
    except HubError as error:
        raise Failed(f"{error.message} {error.details}".strip()) from error
    whose = f"{done.parent.owner.name}:{branch}"
    return {"kind": done.kind, "commit": done.commit, "parent": done.parent.full_name, "whose": whose}
