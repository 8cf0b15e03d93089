"""Record whole runs from inside the hub (the demo, later imports): the same stores and rules as through the mount."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from experiments.mlflow import server
from experiments.mlflow.context import user_name, workspace_of


@dataclass(frozen=True)
class Recorded:
    """A run that was. Times in milliseconds since 1970; metrics: key → (time, step, value); status: MLflow's word."""

    name: str
    status: str
    started: int
    ended: int | None
    params: Mapping[str, str]
    metrics: Mapping[str, Sequence[tuple[int, int, float]]]
    tags: Mapping[str, str] = field(default_factory=dict)


def record(repository_id: int, *, user: str, experiment: str, runs: Sequence[Recorded]) -> list[str]:
    """Write these runs into an experiment (made when absent); their ids, in order. Blocking: imports MLflow."""
    server.load()
    from mlflow.entities import Metric, Param, RunStatus, RunTag
    from mlflow.server import handlers
    from mlflow.utils.workspace_context import WorkspaceContext

    store = handlers._get_tracking_store()
    token = user_name.set(user)
    ids = []
    try:
        with WorkspaceContext(workspace_of(repository_id)):
            found = store.get_experiment_by_name(experiment)
            experiment_id = found.experiment_id if found else store.create_experiment(experiment)
            for run in runs:
                tags = [RunTag(key, value) for key, value in run.tags.items()]
                made = store.create_run(experiment_id, user, run.started, tags, run.name)
                metrics = [
                    Metric(key, value, time, step)
                    for key, points in run.metrics.items()
                    for time, step, value in points
                ]
                params = [Param(key, value) for key, value in run.params.items()]
                store.log_batch(made.info.run_id, metrics, params, [])
                if run.ended is not None:
                    store.update_run_info(made.info.run_id, RunStatus.from_string(run.status), run.ended, run.name)
                ids.append(made.info.run_id)
    finally:
        user_name.reset(token)
    return ids
