"""What the hub keeps about MLflow's tables: the count on the tab, and which commits runs belong to."""

from __future__ import annotations

from experiments import commits, runs
from experiments.mlflow.context import workspace_of
from repos.models import Repository

RECENT_RUNS = 2_000  # older ones are bound when somebody looks at them


def refresh(repository_id: int) -> None:
    """Recount and bind; safe to run at any time, any number of times."""
    repository = Repository.objects.filter(pk=repository_id, deleted=None).first()
    if repository is None:
        return
    workspace = workspace_of(repository.pk)
    found = runs.count(workspace)
    if found != repository.runs_count:
        Repository.objects.filter(pk=repository.pk).update(runs_count=found)
    commits.bind(repository, runs.commits_of(workspace, limit=RECENT_RUNS))
