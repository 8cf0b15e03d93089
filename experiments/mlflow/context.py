"""Who is calling, for MLflow's stores: set by the mount, read deep inside MLflow's handlers."""

from __future__ import annotations

from contextvars import ContextVar

from hub.lib.numbers import whole

user_name: ContextVar[str] = ContextVar("covey_mlflow_user", default="")


def workspace_of(repository_id: int) -> str:
    """MLflow's workspace of a repository: by id, so a rename or transfer moves nothing."""
    return f"r{repository_id}"


def repository_id_of(workspace: str) -> int | None:
    """The other way round; None for a workspace of nobody's."""
    return whole(workspace[1:]) if workspace.startswith("r") else None
