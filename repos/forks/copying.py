"""The job that fills a fork: a fresh pack of what the parent's branches and tags reach, and the data they name.

Objects first, then data, then the branches: what a branch of the fork names is there. Nothing else comes along, neither
refs/pull nor what no branch reaches, and no store names another one (docs/decisions).
"""

from __future__ import annotations

from typing import Any

from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.jobs import jobs
from hub.jobs.jobs import Failed, Run
from hub.jobs.models import Job
from hub.lib.errors import HubError
from repos import access, publishing, repositories
from repos.access import Access, Area
from repos.filling import COPY, key_of
from repos.git import copying
from repos.git.store import ZERO, RefChange, refs
from repos.models import Repository
from repos.pulls import drivers
from repos.storage import store


def start(fork: Repository, user: User, *, only_default: bool) -> Job:
    arguments = {"fork": fork.pk, "user": user.pk, "only_default": only_default}
    return jobs.start(COPY, key_of(fork), arguments, repository_id=fork.pk, user_id=user.pk)


def again(fork: Repository) -> None:
    """Once more after it failed."""
    job = job_of(fork)
    if job is not None and job.state in {Job.State.FAILED, Job.State.CANCELLED}:
        jobs.restart(job)


def job_of(fork: Repository) -> Job | None:
    """None once it is done: of what a month ago was done there is no row."""
    return Job.objects.filter(key=key_of(fork)).exclude(state=Job.State.DONE).first()


@jobs.handler(COPY)
def copy(run: Run) -> dict[str, Any]:
    """Arguments: fork, user, only_default. {"bytes": of git, "refs": how many}. Safe to run twice: branches that the
    fork has by now stay as they are."""
    fork, parent, actor = _asked(run)
    source, target = store().open_for_read(parent.pk), store().open_for_write(fork.pk)
    patterns = (
        [f"refs/heads/{parent.default_branch}"] if run.job.arguments["only_default"] else ["refs/heads/", "refs/tags/"]
    )
    found = refs(source, *patterns)
    if not found:
        raise Failed(f"{parent.full_name} has no branch to copy.")
    total = parent.size_bytes
    came = copying.bring(source, target, list(found.values()), beat=lambda done: run.progress(min(done, total), total))
    try:
        drivers.lend(parent, fork, list(found.values()), (), beat=lambda _done, _total: run.progress(total, total))
        there = refs(target)
        changes = [RefChange(ref, ZERO, oid) for ref, oid in found.items() if ref not in there]
        if changes:
            publishing.publish(fork, actor, changes)
    except HubError as error:
        raise Failed(f"{error.message} {error.details}".strip()) from error
    return {"bytes": came, "refs": len(changes)}


def _asked(run: Run) -> tuple[Repository, Repository, Actor]:
    """(fork, parent, whoever asked), each as it is now. Raises Failed."""
    asked = run.job.arguments
    rows = Repository.objects.select_related("owner", "parent__owner").filter(deleted=None)
    fork = rows.filter(pk=asked["fork"]).first()
    user = User.objects.filter(pk=asked["user"], is_active=True).first()
    if fork is None or user is None:
        raise Failed("The fork is gone.")
    actor = Actor(user=user)
    try:
        if fork.parent is None:
            raise Failed("What was to be forked is gone.")
        access.check(actor, fork.parent, need=Access.READ, area=Area.REPO)
    except HubError as error:
        raise Failed("What was to be forked is gone, or you may not read it any more.") from error
    if fork.parent.private and not fork.private:
        raise Failed("What was to be forked became private, and this is public. Make this private, then try again.")
    if fork.parent.private:  # by now, or all along
        repositories.keep_private(fork)
    return fork, fork.parent, actor
