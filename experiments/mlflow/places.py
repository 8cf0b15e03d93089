"""Where artifacts may lie: in the workspace of the repository, nowhere else.

MLflow keeps the place of a trace's data in a tag that any client may set, and the source of a model version as the
client names it; its server then reads, serves and deletes what is there: files of the host, other repositories'
artifacts, buckets that the process's own credentials open. Both are refused when written and again when read.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, RESOURCE_DOES_NOT_EXIST
from mlflow.server import handlers
from mlflow.store.tracking import sqlalchemy_store
from mlflow.store.tracking.dbmodels.models import SqlTraceTag
from mlflow.tracing.constant import TraceTagKey
from mlflow.utils.mlflow_tags import MLFLOW_ARTIFACT_LOCATION
from mlflow.utils.workspace_context import get_request_workspace
from sqlalchemy import event

PLACE_TAGS = frozenset({MLFLOW_ARTIFACT_LOCATION, TraceTagKey.ARCHIVE_LOCATION})
SOURCE_SCHEMES = frozenset({"", "mlflow-artifacts", "runs", "models"})  # "": the template of a prompt


def is_own(uri: str) -> bool:
    """Whether an address lies in the workspace of this request."""
    inside = uri.removeprefix(f"mlflow-artifacts:/workspaces/{get_request_workspace()}/")
    return inside != uri and not set("%\\?#;") & set(inside) and not {"", ".", ".."} & set(inside.split("/"))


def check_source(source: str) -> None:
    """Raises INVALID_PARAMETER_VALUE for the source of a model version that the hub does not keep."""
    if urlsplit(source or "").scheme.lower() not in SOURCE_SCHEMES:
        raise MlflowException(
            "This hub registers models it keeps itself: log the model to a run, then register runs:/<run id>/<path>.",
            INVALID_PARAMETER_VALUE,
        )


def _check_tag(mapper: Any, connection: Any, tag: SqlTraceTag) -> None:
    if tag.key in PLACE_TAGS and not is_own(tag.value or ""):
        raise MlflowException(f"The tag '{tag.key}' is set by the hub and cannot be changed.", INVALID_PARAMETER_VALUE)


def _refuse(uri: str, *_: Any, **__: Any) -> Any:
    raise MlflowException("These artifacts are not kept by this hub.", RESOURCE_DOES_NOT_EXIST)


def guard() -> None:
    """Put the rules into MLflow; once per process."""
    trace_repository = handlers._get_trace_repo_from_uri
    handlers._get_trace_repo_from_uri = lambda uri: trace_repository(uri) if is_own(uri) else _refuse(uri)
    # What is in the hub's own store goes another way: only foreign places are opened by these.
    handlers._get_artifact_repository_for_uri = _refuse
    sqlalchemy_store.get_artifact_repository = _refuse
    event.listen(SqlTraceTag, "before_insert", _check_tag)
    event.listen(SqlTraceTag, "before_update", _check_tag)
