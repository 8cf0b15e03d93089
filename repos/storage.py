"""The one place that says which RepoStore this hub uses."""

from __future__ import annotations

from django.conf import settings

from repos import mending
from repos.git.store import RepoStore


def store() -> RepoStore:
    return RepoStore(settings.GIT_ROOT, mending.look)
