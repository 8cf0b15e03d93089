"""Runs that are made from git may be read by every client and changed by none: git would make them the same again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mlflow.entities import RunTag
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.store.tracking.dbmodels.models import SqlTag
from mlflow.store.tracking.sqlalchemy_workspace_store import WorkspaceAwareSqlAlchemyStore
from mlflow.utils.mlflow_tags import MLFLOW_GIT_COMMIT

from experiments.tracked import marks

EXPERIMENT_IS_THE_HUBS = (
    "This experiment is filled by the hub from commits and cannot be changed. Log to another one: "
    "mlflow.set_experiment('…')."
)


class ReadOnlyRuns(WorkspaceAwareSqlAlchemyStore):
    """Refuses what would change such a run or its experiment; an id of another repository stays "not found"."""

    def check_writable(self, run_id: str) -> None:
        """Raises INVALID_PARAMETER_VALUE for a run made from git. Costs nothing for all others."""
        if not marks.is_tracked(run_id):
            return
        with self.ManagedSessionMaker() as session:
            self._validate_run_accessible(session, run_id)
            tag = session.query(SqlTag.value).filter_by(run_uuid=run_id, key=MLFLOW_GIT_COMMIT).one_or_none()
        commit = f"commit {tag[0]}" if tag else "a commit"
        raise _refused(f"This run is made from {commit}; change it by a commit.")

    def check_not_hubs(self, experiment_id: str | None) -> None:
        """Raises INVALID_PARAMETER_VALUE for the experiment of those runs."""
        if experiment_id and marks.is_hubs(self.get_experiment(experiment_id).artifact_location or ""):
            raise _refused(EXPERIMENT_IS_THE_HUBS)

    def log_param(self, run_id: str, param: Any) -> Any:
        self.check_writable(run_id)
        return super().log_param(run_id, param)

    def set_tag(self, run_id: str, tag: RunTag) -> None:
        self.check_writable(run_id)
        super().set_tag(run_id, tag)

    def delete_tag(self, run_id: str, key: str) -> None:
        self.check_writable(run_id)
        super().delete_tag(run_id, key)

    def update_run_info(self, run_id: str, *args: Any, **options: Any) -> Any:
        self.check_writable(run_id)
        return super().update_run_info(run_id, *args, **options)

    def delete_run(self, run_id: str) -> None:
        self.check_writable(run_id)
        super().delete_run(run_id)

    def restore_run(self, run_id: str) -> None:
        self.check_writable(run_id)
        super().restore_run(run_id)

    def record_logged_model(self, run_id: str, mlflow_model: Any) -> None:
        self.check_writable(run_id)
        super().record_logged_model(run_id, mlflow_model)

    def log_inputs(self, run_id: str, *args: Any, **options: Any) -> None:
        self.check_writable(run_id)
        super().log_inputs(run_id, *args, **options)

    def log_outputs(self, run_id: str, models: Any) -> None:
        self.check_writable(run_id)
        super().log_outputs(run_id, models)

    def link_traces_to_run(self, trace_ids: list[str], run_id: str) -> None:
        self.check_writable(run_id)
        super().link_traces_to_run(trace_ids, run_id)

    def delete_experiment(self, experiment_id: str) -> None:
        self.check_not_hubs(experiment_id)
        super().delete_experiment(experiment_id)

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        self.check_not_hubs(experiment_id)
        super().rename_experiment(experiment_id, new_name)

    def set_experiment_tag(self, experiment_id: str, tag: Any) -> None:
        self.check_not_hubs(experiment_id)
        super().set_experiment_tag(experiment_id, tag)

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        self.check_not_hubs(experiment_id)
        super().delete_experiment_tag(experiment_id, key)

    def create_logged_model(self, experiment_id: str, *args: Any, **options: Any) -> Any:
        self.check_not_hubs(experiment_id)
        return super().create_logged_model(experiment_id, *args, **options)


def check_tags(keys: Iterable[str]) -> None:
    """Raises INVALID_PARAMETER_VALUE for a tag that only the hub sets."""
    for key in keys:
        if key.startswith(marks.HUB_TAGS):
            raise _refused(f"Tags that begin with '{marks.HUB_TAGS}' are set by the hub. Choose another name.")


def check_location(artifact_location: str) -> None:
    """The same as check_not_hubs, for who knows the place already."""
    if marks.is_hubs(artifact_location):
        raise _refused(EXPERIMENT_IS_THE_HUBS)


def _refused(message: str) -> MlflowException:
    return MlflowException(message, INVALID_PARAMETER_VALUE)
