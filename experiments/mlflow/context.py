"""Who is calling, for MLflow's stores: set by the mount, read deep inside MLflow's handlers."""

from __future__ import annotations

from contextvars import ContextVar

user_name: ContextVar[str] = ContextVar("covey_mlflow_user", default="")


def workspace_of(repository_id: int) -> str:
    """MLflow's workspace of a repository: by id, so a rename or transfer moves nothing."""
    return f"r{repository_id}"
