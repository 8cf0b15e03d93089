"""What the hub keeps about MLflow's tables: the count on the tab, and which commits runs belong to."""

from __future__ import annotations

from experiments import commits, runs
from experiments.mlflow.context import workspace_of
from repos.models import Repository

RECENT_RUNS = 2_000  # older ones are bound when somebody looks at them


def recount() -> int:
    """Mend every run count in two queries; how many were wrong. A hub that was killed in the second between a run and
    its count calls this when it starts, and beat in case nothing else does."""
    counted, wrong = runs.counts(), 0
    for pk, shown in Repository.objects.filter(deleted=None).values_list("pk", "runs_count").iterator():
        found = counted.get(workspace_of(pk), 0)
        if found != shown:
            Repository.objects.filter(pk=pk).update(runs_count=found)
            wrong += 1
    return wrong


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
