"""Whether a fork still waits for its branches: until they are there it must not pass for an empty repository."""

from __future__ import annotations

from hub.jobs.models import Job
from hub.lib.errors import Busy
from repos.models import Repository

COPY = "forks.copy"  # the work of repos.forks.copying
_GOING = (Job.State.QUEUED, Job.State.RUNNING)


def key_of(fork: Repository) -> str:
    return f"{COPY}:{fork.pk}"


def is_filling(repository: Repository) -> bool:
    if not repository.empty or repository.parent_id is None:  # nearly all of them: nothing is asked
        return False
    return Job.objects.filter(key=key_of(repository), state__in=_GOING).exists()


def require_filled(repository: Repository) -> None:
    """Raises Busy."""
    if is_filling(repository):
        raise Busy(f"{repository.full_name} is being copied.", details="Try again in a moment.")
