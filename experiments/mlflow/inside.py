"""MLflow's stores for the hub's own pages: in the workspace of one repository, as one person, its refusals as ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from experiments.mlflow import server
from experiments.mlflow.context import user_name, workspace_of
from hub.lib.errors import Busy, Conflict, HubError, NotFound, OutOfSpace, Unprocessable, says_disk_full

KINDS: dict[str, type[HubError]] = {
    "RESOURCE_DOES_NOT_EXIST": NotFound,
    "RESOURCE_ALREADY_EXISTS": Conflict,
    "INVALID_PARAMETER_VALUE": Unprocessable,
    "INVALID_STATE": Conflict,
    "BAD_REQUEST": Unprocessable,
}
MOST_LETTERS = 500


class Stores(NamedTuple):
    tracking: Any
    registry: Any


@contextmanager
def stores(repository_id: int, *, user: str) -> Iterator[Stores]:
    """MLflow's own stores; every call is one transaction of its. Blocking: the first one imports MLflow.

    Raises NotFound, Conflict, Unprocessable or OutOfSpace with MLflow's sentence where it refuses.
    """
    server.load()
    from mlflow.exceptions import MlflowException
    from mlflow.server import handlers
    from mlflow.utils.workspace_context import WorkspaceContext

    token = user_name.set(user)
    try:
        with WorkspaceContext(workspace_of(repository_id)):
            yield Stores(handlers._get_tracking_store(), handlers._get_model_registry_store())
    except MlflowException as error:
        raise _plain(error) from error
    finally:
        user_name.reset(token)


def _plain(error: Any) -> HubError:
    if error.get_http_status_code() == OutOfSpace.code or says_disk_full(error):
        return OutOfSpace()
    kind = KINDS.get(error.error_code, Busy)
    sentence = str(error.message)
    return kind(sentence if len(sentence) <= MOST_LETTERS else f"{sentence[:MOST_LETTERS]}…")
