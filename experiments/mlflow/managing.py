"""Changes of MLflow's experiments, done by its own tracking store as through the mount. Each is one transaction."""

from __future__ import annotations

from experiments.mlflow.inside import stores

NOTE_TAG = "mlflow.note.content"  # where MLflow's UI keeps the description


def create(repository_id: int, *, user: str, name: str) -> str:
    """The id of the new experiment."""
    with stores(repository_id, user=user) as (tracking, _):
        return str(tracking.create_experiment(name))


def rename(repository_id: int, *, user: str, experiment_id: str, name: str) -> None:
    with stores(repository_id, user=user) as (tracking, _):
        tracking.rename_experiment(experiment_id, name)


def describe(repository_id: int, *, user: str, experiment_id: str, text: str) -> None:
    with stores(repository_id, user=user) as (tracking, _):
        from mlflow.entities import ExperimentTag

        tracking.set_experiment_tag(experiment_id, ExperimentTag(NOTE_TAG, text))


def delete(repository_id: int, *, user: str, experiment_id: str) -> None:
    """With its runs; restore brings both back."""
    with stores(repository_id, user=user) as (tracking, _):
        tracking.delete_experiment(experiment_id)


def restore(repository_id: int, *, user: str, experiment_id: str) -> None:
    with stores(repository_id, user=user) as (tracking, _):
        tracking.restore_experiment(experiment_id)
