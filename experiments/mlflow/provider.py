"""Tells MLflow which workspaces exist: exactly those the mount names. No queries, no default, no changes."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mlflow.entities import Workspace
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST
from mlflow.store.workspace.abstract_store import AbstractStore

_NAME = re.compile(r"r[1-9][0-9]{0,18}")


class RepositoryWorkspaces(AbstractStore):
    """get_default_workspace stays NotImplementedError: a request without a workspace is then refused by every store."""

    def __init__(self, workspace_uri: str) -> None:
        self.workspace_uri = workspace_uri

    def list_workspaces(self) -> Iterable[Workspace]:
        return []

    def get_workspace(self, workspace_name: str) -> Workspace:
        if not _NAME.fullmatch(workspace_name):
            raise MlflowException("No such workspace.", RESOURCE_DOES_NOT_EXIST)
        return Workspace(name=workspace_name)
