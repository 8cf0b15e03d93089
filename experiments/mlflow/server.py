"""MLflow's server inside this process: configured once, imported on first need (it costs seconds and 200 MB)."""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

from experiments import database
from experiments.mlflow import upgrading
from hub.lib.failures import as_expected
from hub.lib.objectstore import S3Store
from hub.lib.objectstore.s3_errors import translated
from hub.lib.stores import object_store

logger = logging.getLogger("covey.mlflow")
App = Callable[..., Awaitable[None]]
OWN_PACKAGES = frozenset({"hub", "repos", "datasets", "experiments"})

_lock = threading.Lock()
_app: App | None = None
_warming: threading.Thread | None = None


def warm_up(*, after_seconds: float = 0) -> None:
    """Begin to import MLflow in the background; the first request that needs it waits for the rest.

    after_seconds lets a hub that just started show its first page before the import takes the interpreter.
    """
    global _warming
    if _app is None and _warming is None:
        _warming = threading.Timer(after_seconds, _warm)
        _warming.daemon = True
        _warming.start()


def _warm() -> None:
    try:
        load()
    except Exception:
        # Nobody is waiting yet: the first request tries again and shows the same error to its caller.
        logger.exception("MLflow could not be loaded")


def load() -> App:
    """MLflow's ASGI application, made on the first call. Blocking: seconds; call it in a thread."""
    global _app
    if _app is None:
        with _lock:
            if _app is None:
                started = time.monotonic()
                _app = _make()
                gc.collect()
                gc.freeze()  # 400,000 objects that stay: going through them stops every request for 0.2 s each time
                logger.info("MLflow loaded in %.1f s", time.monotonic() - started)
    return _app


def loaded() -> App | None:
    return _app


def configure() -> None:
    """Set what MLflow reads from the environment. Process-wide, so nothing here may depend on a request."""
    os.environ.update(
        {
            "MLFLOW_ENABLE_WORKSPACES": "true",
            "MLFLOW_WORKSPACE_STORE_URI": "covey://repositories",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            # The hub checks Host, Origin and CSRF before MLflow sees a request.
            "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE": "true",
            "_MLFLOW_SERVER_FILE_STORE": settings.MLFLOW_DATABASE_URL,
            "_MLFLOW_SERVER_REGISTRY_STORE": settings.MLFLOW_DATABASE_URL,
            "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
            "_MLFLOW_SERVER_ARTIFACT_DESTINATION": artifact_destination(),
            "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        }
    )
    if settings.COVEY_S3_ENDPOINT:  # not secret; the keys are passed by argument
        os.environ["MLFLOW_S3_ENDPOINT_URL"] = settings.COVEY_S3_ENDPOINT
        os.environ.setdefault("AWS_DEFAULT_REGION", settings.COVEY_S3_REGION)
    # A workspace from the environment would be the fallback of every request, a tracking URI that of every store.
    for name in ("MLFLOW_WORKSPACE", "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        os.environ.pop(name, None)


def artifact_destination() -> str:
    """Where artifacts live: a folder, or a prefix of the hub's bucket."""
    if settings.COVEY_S3_ENDPOINT:
        return f"s3://{settings.COVEY_S3_BUCKET}/mlflow"
    return str(settings.COVEY_HOME / "artifacts")


def _make() -> App:
    configure()
    upgrading.upgrade_database(only_if_empty=True)
    # The hub is the gate. MLflow looks for its own at every search: an import that fails after 9,000 lines.
    sys.modules["mlflow.server.auth"] = None  # type: ignore[assignment]  # "not there", in the import system's words
    from mlflow.tracking._workspace.registry import _get_workspace_store_registry

    from experiments.mlflow.provider import RepositoryWorkspaces
    from experiments.mlflow.store import RegistryStore, TrackingStore

    _get_workspace_store_registry().register("covey", RepositoryWorkspaces)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow.server import fastapi_app, handlers

        from experiments.mlflow import databaseerrors, places

    url = settings.MLFLOW_DATABASE_URL
    handlers._tracking_store = TrackingStore(url, "mlflow-artifacts:/")
    handlers._model_registry_store = RegistryStore(url)
    for store in (handlers._tracking_store, handlers._model_registry_store):
        databaseerrors.hide(database.patient(store.engine))
        databaseerrors.tell_causes(store)
    handlers._artifact_repo = _artifact_repository()
    handlers.utils.set_tracking_uri(url)
    handlers.registry_utils.set_registry_uri(url)
    places.guard()
    _answer_bad_input()
    return fastapi_app.app


def _answer_bad_input() -> None:
    """What MLflow's code raises on values that it was not written for, answered as the caller's mistake, not a 500."""
    from google.protobuf.json_format import ParseError
    from graphql import GraphQLError
    from mlflow.exceptions import MlflowException
    from mlflow.server import app as flask_app
    from werkzeug.exceptions import HTTPException

    from experiments.mlflow.databaseerrors import BAD_VALUES

    def answer(error: Exception) -> tuple[str, int, dict[str, str]]:
        if _is_ours(error):
            raise error
        logger.warning("MLflow does not take this", exc_info=error)  # should it be a fault of MLflow's after all
        refusal = MlflowException.invalid_parameter_value(f"The request's body is not what this address takes: {error}")
        return refusal.serialize_as_json(), 400, {"Content-Type": "application/json"}

    # Some of MLflow's handlers do not catch its own exception, e.g. for the records of an absent dataset.
    flask_app.register_error_handler(
        MlflowException,
        lambda e: (e.serialize_as_json(), e.get_http_status_code(), {"Content-Type": "application/json"}),
    )

    def come_again(error: Exception) -> Any:
        if isinstance(error, HTTPException):
            return error
        expected = as_expected(error)
        if expected is None:
            raise error
        said = {"error_code": "TEMPORARILY_UNAVAILABLE", "message": f"{expected.message} {expected.details}".strip()}
        return json.dumps(said), expected.code, {"Content-Type": "application/json", **expected.headers}

    flask_app.register_error_handler(Exception, come_again)
    # protobuf's C code makes a SystemError of half a surrogate pair.
    for kind in (*BAD_VALUES, ParseError, RecursionError, SystemError, GraphQLError):
        flask_app.register_error_handler(kind, answer)


def _is_ours(error: Exception) -> bool:
    """Whether a line of the hub raised it, which is a fault."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return frames[-1].f_globals.get("__name__", "").partition(".")[0] in OWN_PACKAGES


def _artifact_repository() -> Any:
    """MLflow's own reader of the destination, with the hub's credentials instead of the process's."""
    if not settings.COVEY_S3_ENDPOINT:
        from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

        return LocalArtifactRepository(artifact_destination())
    from mlflow.store.artifact.artifact_repository_registry import _artifact_repository_registry

    _artifact_repository_registry.register("s3", _in_our_bucket)
    return _in_our_bucket(artifact_destination())


def _in_our_bucket(uri: str, *_: Any, **__: Any) -> Any:
    """MLflow's reader of any s3 address it meets: only ours, by the hub's keys, never the process's own credentials."""
    from mlflow.exceptions import MlflowException
    from mlflow.store.artifact.s3_artifact_repo import S3ArtifactRepository

    if uri != artifact_destination() and not uri.startswith(f"{artifact_destination()}/"):
        raise MlflowException.invalid_parameter_value("This hub opens no S3 address but its own.")

    class InOurBucket(S3ArtifactRepository):
        def _get_s3_client(self) -> Any:
            """The hub's own, whose patience is bounded."""
            store = object_store()
            assert isinstance(store, S3Store)
            return store.control

        def list_artifacts(self, path: str | None = None) -> Any:
            with translated(path or ""):
                return super().list_artifacts(path)

    return InOurBucket(uri)
