"""The space that artifacts take, for the Storage page."""

from __future__ import annotations

from experiments.mlflow.context import workspace_of
from repos.models import Repository

MOST = 1_000_000  # files that are counted


def artifacts(repository: Repository) -> tuple[int, int]:
    """(bytes, files) of a repository's artifacts."""
    from experiments.mlflow.artifacts import destination

    sizes = [size for _, size in destination().listing(f"workspaces/{workspace_of(repository.pk)}", MOST)]
    return sum(sizes), len(sizes)
