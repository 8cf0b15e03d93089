"""MLflow's tracking and registry stores with the gaps closed that matter when many repositories share one database.

Every foreign id is "not found"; a batch is one transaction; a run carries the hub's user. See batch.py for log_batch.
"""

from __future__ import annotations

from typing import Any

from mlflow.entities import Experiment, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, RESOURCE_DOES_NOT_EXIST
from mlflow.store.model_registry.sqlalchemy_workspace_store import WorkspaceAwareSqlAlchemyStore as RegistryBase
from mlflow.store.tracking.dbmodels.models import SqlExperiment, SqlLoggedModel
from mlflow.utils.mlflow_tags import MLFLOW_USER

from experiments.mlflow import batch, creating, places, readonly
from experiments.mlflow.context import user_name
from hub.lib.numbers import whole

USER_IS_FIXED = "The tag 'mlflow.user' is set by the hub from the access token and cannot be changed."


class TrackingStore(readonly.ReadOnlyRuns):
    def default_experiment_id(self, workspace: str) -> str:
        """The id of the repository's experiment "Default", made on first use: what clients mean by experiment 0."""
        with self.ManagedSessionMaker(read_only=False) as session:
            wanted = session.query(SqlExperiment.experiment_id).filter(
                SqlExperiment.workspace == workspace, SqlExperiment.name == Experiment.DEFAULT_EXPERIMENT_NAME
            )
            found = wanted.one_or_none()
            if found is None:
                self._create_default_experiment(session, workspace_override=workspace)
                found = wanted.one()
            return str(found[0])

    def create_run(
        self, experiment_id: str, user_id: str, start_time: int, tags: list[RunTag] | None, run_name: str | None
    ) -> Run:
        user = user_name.get()
        kept = [tag for tag in tags or [] if tag.key != MLFLOW_USER]
        readonly.check_tags(tag.key for tag in kept)
        return creating.create_run(self, experiment_id, user, start_time, [*kept, RunTag(MLFLOW_USER, user)], run_name)

    def log_batch(self, run_id: str, metrics: list[Metric], params: list[Param], tags: list[RunTag]) -> None:
        self.check_writable(run_id)
        self._refuse_user(tags)
        batch.log(self, run_id, metrics, params, tags)

    def log_metric(self, run_id: str, metric: Metric) -> None:
        self.check_writable(run_id)
        batch.log(self, run_id, [metric], [], [])

    def set_tag(self, run_id: str, tag: RunTag) -> None:
        self._refuse_user([tag])
        super().set_tag(run_id, tag)

    def delete_tag(self, run_id: str, key: str) -> None:
        self._refuse_user([RunTag(key, "")])
        super().delete_tag(run_id, key)

    def log_inputs(self, run_id: str, datasets: Any = None, models: Any = None) -> None:
        self.check_models([model.model_id for model in models or []])
        super().log_inputs(run_id, datasets, models)

    def log_outputs(self, run_id: str, models: Any) -> None:
        self.check_models([model.model_id for model in models or []])
        super().log_outputs(run_id, models)

    def create_logged_model(
        self, experiment_id: str, name: Any = None, source_run_id: Any = None, *a: Any, **k: Any
    ) -> Any:
        self.check_run(source_run_id)
        return super().create_logged_model(experiment_id, name, source_run_id, *a, **k)

    def create_issue(self, *args: Any, **options: Any) -> Any:
        self.check_run(options.get("source_run_id"))
        return super().create_issue(*args, **options)

    # ---- evaluation datasets: MLflow checks the workspace in some of these methods only -----------
    def create_dataset(self, name: str, tags: Any = None, experiment_ids: list[str] | None = None) -> Any:
        self.check_experiments(experiment_ids)
        return super().create_dataset(name, tags, experiment_ids)

    def add_dataset_to_experiments(self, dataset_id: str, experiment_ids: list[str]) -> Any:
        self.check_experiments(experiment_ids)
        return super().add_dataset_to_experiments(dataset_id, experiment_ids)

    def delete_dataset(self, dataset_id: str) -> None:
        self.check_dataset(dataset_id)
        super().delete_dataset(dataset_id)

    def delete_dataset_tag(self, dataset_id: str, key: str) -> None:
        self.check_dataset(dataset_id)
        super().delete_dataset_tag(dataset_id, key)

    def get_dataset_experiment_ids(self, dataset_id: str) -> Any:
        self.check_dataset(dataset_id)
        return super().get_dataset_experiment_ids(dataset_id)

    def _load_dataset_records(self, dataset_id: str, *args: Any, **options: Any) -> Any:
        self.check_dataset(dataset_id)
        return super()._load_dataset_records(dataset_id, *args, **options)

    # ---- is it ours? ------------------------------------------------------------------------------
    def check_dataset(self, dataset_id: str) -> None:
        """Raises RESOURCE_DOES_NOT_EXIST unless the evaluation dataset is in this repository."""
        with self.ManagedSessionMaker() as session:
            self._validate_dataset_accessible(session, dataset_id)

    def check_experiments(self, experiment_ids: list[str] | None) -> None:
        """Raises RESOURCE_DOES_NOT_EXIST unless every experiment is in this repository."""
        for experiment_id in experiment_ids or []:
            self.get_experiment(experiment_id)

    def check_models(self, model_ids: list[str]) -> None:
        """Raises RESOURCE_DOES_NOT_EXIST unless every logged model is in this repository."""
        wanted = {model_id for model_id in model_ids if model_id}
        if not wanted:
            return
        with self.ManagedSessionMaker() as session:
            rows = self._get_query(session, SqlLoggedModel).filter(SqlLoggedModel.model_id.in_(wanted)).all()
            missing = wanted - {row.model_id for row in rows}
        if missing:
            raise MlflowException(f"Logged model with ID '{min(missing)}' not found.", RESOURCE_DOES_NOT_EXIST)

    def check_run(self, run_id: str | None) -> None:
        """Raises RESOURCE_DOES_NOT_EXIST unless the run is in this repository; None and "" are fine."""
        if run_id:
            with self.ManagedSessionMaker() as session:
                self._validate_run_accessible(session, run_id)

    @staticmethod
    def _refuse_user(tags: list[RunTag]) -> None:
        if any(tag.key == MLFLOW_USER and tag.value != user_name.get() for tag in tags):
            raise MlflowException(USER_IS_FIXED, INVALID_PARAMETER_VALUE)
        readonly.check_tags(tag.key for tag in tags)


class RegistryStore(RegistryBase):
    def create_model_version(self, name: str, source: str, run_id: str | None = None, *a: Any, **k: Any) -> Any:
        from mlflow.server.handlers import _get_tracking_store

        places.check_source(source)
        store = _get_tracking_store()
        store.check_run(run_id)
        store.check_models([k.get("model_id") or ""])
        return super().create_model_version(name, source, run_id, *a, **k)

    def transition_model_version_stage(
        self, name: str, version: Any, stage: str, archive_existing_versions: bool
    ) -> Any:
        """Clients send the version as text, which PostgreSQL does not compare with numbers."""
        number = whole(str(version))
        version = version if number is None else number
        return super().transition_model_version_stage(name, version, stage, archive_existing_versions)
