"""The commands that the pages of data teach, filled in for one repository."""

from __future__ import annotations

import shlex

from django.conf import settings

from repos.models import Repository

TRACK = "dvc add data\ngit add data.dvc .gitignore .dvc\ngit commit -m 'Track data'\ndvc push\ngit push"


def remote_url(repository: Repository) -> str:
    return f"{settings.COVEY_URL}/{repository.owner.name}/{repository.name}.dvc"


def remote_lines(repository: Repository, user: str) -> str:
    """Shell lines that name this hub as the clone's default remote; the token is asked for, never written down."""
    return "\n".join(
        [
            f"dvc remote add --default --force origin {remote_url(repository)}",
            "dvc remote modify --local origin auth basic",
            f"dvc remote modify --local origin user {user}",
            "dvc remote modify --local origin ask_password true",
        ]
    )


def push_lines(rev: str) -> str:
    return f"git checkout {shlex.quote(rev)}\ndvc push"
