"""What the hub keeps about MLflow's tables: the counts on the tabs, and which commits runs belong to."""

from __future__ import annotations

from experiments import commits, runs
from experiments.lineage import indexing as lineage
from experiments.mlflow.context import workspace_of
from experiments.registry import reading as registry
from repos.models import Repository
from repos.pulls import summaries

RECENT_RUNS = 2_000  # older ones are bound when somebody looks at them


def recount() -> int:
    """Mend every count of runs and models in three queries; how many were wrong. A hub that was killed in the second
    between a run and its count calls this when it starts, and beat in case nothing else does."""
    counted, models, wrong = runs.counts(), registry.counts(), 0
    kept = Repository.objects.filter(deleted=None).values_list("pk", "runs_count", "models_count")
    for pk, *shown in kept.iterator():
        workspace = workspace_of(pk)
        wrong += _keep(pk, shown, [counted.get(workspace, 0), models.get(workspace, 0)])
    return wrong


def refresh(repository_id: int) -> None:
    """Recount, bind, and index the data of bound commits; safe to run at any time, any number of times."""
    repository = Repository.objects.filter(pk=repository_id, deleted=None).first()
    if repository is None:
        return
    workspace = workspace_of(repository.pk)
    found = [runs.count(workspace), registry.count(workspace)]
    _keep(repository.pk, [repository.runs_count, repository.models_count], found)
    bound = commits.bind(repository, runs.commits_of(workspace, limit=RECENT_RUNS))
    summaries.ask_of_runs(repository, set(bound.values()))
    lineage.index_data(repository)


def _keep(repository_id: int, shown: list[int], found: list[int]) -> bool:
    """Write counts that are not what is shown; whether they were wrong."""
    if shown != found:
        runs_count, models_count = found
        Repository.objects.filter(pk=repository_id).update(runs_count=runs_count, models_count=models_count)
    return shown != found
