"""create_run in three statements of one transaction, with the meaning of MLflow's own.

MLflow reads the experiment with its tags in a session apart and asks for the inputs of a run that has none yet.
"""

from __future__ import annotations

import uuid
from typing import Any

from mlflow.entities import LifecycleStage, Run, RunData, RunInfo, RunInputs, RunStatus, RunTag, SourceType
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, RESOURCE_DOES_NOT_EXIST
from mlflow.store.tracking.dbmodels.models import SqlExperiment, SqlRun, SqlTag
from mlflow.store.tracking.sqlalchemy_store import _parse_experiment_id
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME
from mlflow.utils.name_utils import _generate_random_name
from mlflow.utils.uri import append_to_uri_path
from sqlalchemy import Connection, select

from experiments.mlflow import readonly


def create_run(
    store: Any, experiment_id: str, user: str, start_time: int, tags: list[RunTag], run_name: str | None
) -> Run:
    """Raises MlflowException for an experiment that is deleted or not in this repository, and for two names."""
    name, tags = _named(run_name, tags)
    run_id = uuid.uuid4().hex
    number = _parse_experiment_id(experiment_id or store.DEFAULT_EXPERIMENT_ID)
    with store.ManagedSessionMaker(read_only=False) as session:
        connection = session.connection()
        location = _active_location(connection, number, store._get_active_workspace())
        artifact_uri = append_to_uri_path(location, run_id, store.ARTIFACTS_FOLDER_NAME)
        connection.execute(
            SqlRun.__table__.insert(),
            {
                "run_uuid": run_id,
                "name": name,
                "experiment_id": number,
                "user_id": user,
                "status": RunStatus.to_string(RunStatus.RUNNING),
                "start_time": start_time,
                "lifecycle_stage": LifecycleStage.ACTIVE,
                "artifact_uri": artifact_uri,
                "source_type": SourceType.to_string(SourceType.UNKNOWN),
                "source_name": "",
                "entry_point_name": "",
                "source_version": "",
            },
        )
        rows = [{"run_uuid": run_id, "key": tag.key, "value": tag.value} for tag in tags]
        connection.execute(SqlTag.__table__.insert(), rows)
    info = RunInfo(
        run_id=run_id,
        run_name=name,
        experiment_id=str(number),
        user_id=user,
        status=RunStatus.to_string(RunStatus.RUNNING),
        start_time=start_time,
        end_time=None,
        lifecycle_stage=LifecycleStage.ACTIVE,
        artifact_uri=artifact_uri,
    )
    return Run(info, RunData(tags=tags), RunInputs(dataset_inputs=[]))


def _named(run_name: str | None, tags: list[RunTag]) -> tuple[str, list[RunTag]]:
    """The run's name, and the tags with it; of a tag given twice the last counts, as in a batch."""
    tagged = next((tag.value for tag in tags if tag.key == MLFLOW_RUN_NAME), "")
    if run_name and tagged and run_name != tagged:
        raise MlflowException(
            "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with "
            f"different values (run_name='{run_name}', mlflow.runName='{tagged}').",
            INVALID_PARAMETER_VALUE,
        )
    name = run_name or tagged or _generate_random_name()
    last = {tag.key: tag.value for tag in tags} | {MLFLOW_RUN_NAME: name}
    return name, [RunTag(key, value) for key, value in last.items()]


def _active_location(connection: Connection, number: int, workspace: str) -> str:
    found = connection.execute(
        select(SqlExperiment.artifact_location, SqlExperiment.lifecycle_stage).where(
            SqlExperiment.experiment_id == number, SqlExperiment.workspace == workspace
        )
    ).one_or_none()
    if found is None:
        raise MlflowException(f"No Experiment with id={number} exists", RESOURCE_DOES_NOT_EXIST)
    if found.lifecycle_stage != LifecycleStage.ACTIVE:
        raise MlflowException(
            f"The experiment {number} must be in the 'active' state. Current state is {found.lifecycle_stage}.",
            INVALID_PARAMETER_VALUE,
        )
    readonly.check_location(found.artifact_location or "")
    return str(found.artifact_location)
